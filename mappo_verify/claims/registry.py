"""All claims, in paper order, and the graph of what leans on what."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import ClaimError
from . import (
    appendix_b,
    appendix_c,
    appendix_c_regret,
    appendix_c_samples,
    appendix_d,
    section_3,
    section_4,
    section_4_convergence,
    section_5,
    section_e,
)
from .claim import Claim

PAPER = {
    "title": "Local Optimization Achieves Global Optimality in Multi-Agent Reinforcement Learning",
    "authors": "Zhao, Yang, Wang and Lee",
    "where": "ICML 2023, arXiv 2305.04819",
}
"""What is on trial."""

CLAIMS: tuple[Claim, ...] = (
    *section_3.CLAIMS,
    *section_4.CLAIMS,
    *section_4_convergence.CLAIMS,
    *section_5.CLAIMS,
    *appendix_b.CLAIMS,
    *appendix_c_samples.CLAIMS,
    *appendix_c.CLAIMS,
    *appendix_c_regret.CLAIMS,
    *appendix_d.CLAIMS,
    *section_e.CLAIMS,
)
"""Paper order: Sections 3 to 5, then the appendices."""


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
