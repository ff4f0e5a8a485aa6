"""All claims, in paper order, and the graph of what leans on what."""

from __future__ import annotations

from collections.abc import Iterable

from ..claims.claim import Claim
from ..errors import ClaimError
from .local_optimization import PAPER

CLAIMS: tuple[Claim, ...] = PAPER.claims
"""Paper order: Sections 3 to 5, then the appendices."""


def ids_of(claims: Iterable[Claim]) -> frozenset[str]:
    """The ids by which reasons may name these claims: their own, and that of the claim that they are parts of."""
    return frozenset(name for claim in claims for name in (claim.id, claim.parent))


IDS = ids_of(CLAIMS)


def claim(name: str) -> Claim:
    """One claim by its id."""
    if not isinstance(name, str):
        raise ClaimError(f"a claim is an id such as 'lemma-4.1', or a Claim(...), not a {type(name).__name__}")
    for entry in CLAIMS:
        if entry.id == name:
            return entry
    import difflib

    near = difflib.get_close_matches(name, [entry.id for entry in CLAIMS], n=3, cutoff=0.4)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise ClaimError(f"no claim is called {name!r}{hint} (mappo-verify claims lists them all)")


def select(names: Iterable[str | Claim] | None) -> tuple[Claim, ...]:
    """The claims meant by ``names``: ids (a parent means all its parts) or claims of one's own; None means all."""
    if names is None:
        return CLAIMS
    if isinstance(names, (str, Claim)):
        raise ClaimError("claims come in a list, even a single one: [claim]")
    chosen: list[Claim] = []
    for name in names:
        if isinstance(name, Claim):
            chosen.append(name)
            continue
        found = [entry for entry in CLAIMS if entry.id == name or entry.parent == name]
        chosen += found or [claim(name)]
    return tuple(dict.fromkeys(chosen))
