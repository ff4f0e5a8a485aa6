"""The papers on trial, and all their claims: each is found by its id."""

from __future__ import annotations

from collections.abc import Iterable

from ..claims.claim import Claim
from ..claims.paper import Paper
from ..errors import ClaimError
from .local_optimization import PAPER

PAPERS: tuple[Paper, ...] = (PAPER,)
"""Every paper on trial.  A second one is a folder beside the first, and one entry here."""


def claims_of(papers: Iterable[Paper]) -> tuple[Claim, ...]:
    """All claims of several papers, each paper in its own order; no two may share an id."""
    claims = tuple(claim for paper in papers for claim in paper.claims)
    seen: set[str] = set()
    for entry in claims:
        if entry.id in seen:
            raise ClaimError(f"two claims are called {entry.id!r}; put the name of its paper before one of them")
        seen.add(entry.id)
    return claims


CLAIMS: tuple[Claim, ...] = claims_of(PAPERS)
"""All claims, paper by paper, in paper order."""


def paper_of(claims: Iterable[Claim]) -> Paper | None:
    """The paper that all these claims come from; None where there is no single one."""
    wanted = tuple(claims)
    return next((paper for paper in PAPERS if wanted and all(entry in paper.claims for entry in wanted)), None)


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
    if isinstance(names, (str, Claim)) or not isinstance(names, Iterable):
        raise ClaimError("claims come in a list, even a single one: [claim]")
    chosen: list[Claim] = []
    for name in names:
        if isinstance(name, Claim):
            chosen.append(name)
            continue
        found = [entry for entry in CLAIMS if entry.id == name or entry.parent == name]
        chosen += found or [claim(name)]
    result = tuple(dict.fromkeys(chosen))
    own = [entry.id for entry in result if entry not in CLAIMS]
    if len(set(own)) < len(own):  # a table would show the verdict of one as that of the other
        twice = next(name for place, name in enumerate(own) if name in own[:place])
        raise ClaimError(f"two claims are called {twice!r}; give each an id of its own")
    return result
