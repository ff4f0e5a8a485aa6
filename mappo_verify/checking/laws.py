"""The laws of a verdict: everything that decides what the toolkit prints about a claim stands here.

*An entry.*  A relation between two lines is TRUE, FALSE or UNKNOWN at each entry: TRUE or FALSE only where the number system
proves it, exactly in rationals, for every number inside them in enclosures and balls.  Enclosures and balls prove no equality;
they only refute it.  Floats prove nothing.

*A chain.*  The mask of a chain (``where=`` of its first line) belongs to the whole chain; no line changes it.  Where it is FALSE
nothing is claimed; where it is UNKNOWN a failing relation is UNKNOWN.  A chain whose mask is empty claims nothing, nor does one
whose ends have no entries.

*The statement* of a chain is its first line against its last, by the weakest of its relations.  ``≤`` and ``≥`` do not compose.

*An instance* is NOT_APPLICABLE where a hypothesis fails or no chain claims anything; VIOLATED where a statement is FALSE at some
entry; HOLDS where all are TRUE at all entries; UNDECIDED otherwise.  It is certified where it HOLDS or is VIOLATED, even where
a step between first and last line stays UNKNOWN.  A violation is decided twice before it is printed: in another system, or with
twice the bits.  What raises a numeric error (a division by 0, no stationary distribution) is that
instance's alone: it is counted as raised.  A malformed proof raises, with its file and line; so does one that goes on after an
error of its numbers, and one that is no function of its case: its lines and the formulas behind their numbers are those of every
other evaluation at these sizes, over symbols too, none of its numbers was made in another evaluation, and its values agree where
:mod:`.agreement` looks twice.

*A proof* names what it rests on beside its lines: what it divides by, takes roots of or assumes, where no fact says that it may;
axioms; and which hypotheses of an axiom were checked on instances only.  Where a claim is proved in a more ``general`` setting,
its lines are those of that setting, on every instance too: an instance must be one of it, which is asked like a hypothesis;
one that meets its own hypotheses and is none is an error of an unregistered claim, whose general setting would hide a hypothesis.
There a proof for every number of steps is compared with no run.  By that, and by what was checked on instances only, registered
claims are proved, which others have read, and no other.

*A claim* is

- REFUTED if an instance is VIOLATED;
- OPEN if an instance raises, or instances met the hypotheses and none could be decided;
- PROVED if its identities are proved at every named size, of which some instance has one, its inequalities are equalities or
  axioms of the table, no instance raises, and at least :data:`ENOUGH` instances that meet the hypotheses are certified besides,
  or all that its setting has;
- SURVIVED if certified instances hold and none is violated; a line of its proof that breaks is named beside it;
- SUPPORTED by statistics with stated confidence, and by nothing else;
- UNTESTED if nothing met the hypotheses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arithmetic import FALSE, TRUE, UNKNOWN, System
from ..arithmetic.one_instance import Truth
from ..claims.claim import Line
from ..claims.verdict import Standing, Verdict
from ..errors import ClaimError

ENOUGH = 100
"""Certified instances beside a proof: they show that somebody meets its hypotheses."""


# --- entries and chains -------------------------------------------------------------------------------------------------


def proved(truth: Truth, relation: str, system: System) -> Truth:
    """What the number system proves of a relation whose truth it computed."""
    if relation == "=" and system in (System.BALLS, System.ENCLOSURES):
        return truth & Truth(np.zeros(1, np.int8))  # an equality is refuted, or unknown
    return truth


def mask_of(chain: Sequence[Line]) -> Truth | None:
    """The mask of a chain: its first line's.  A later line may repeat it, not bring another."""
    mask = chain[0].where
    for entry in chain[1:]:
        if entry.where is not None and entry.where is not mask:
            raise ClaimError(
                f"line {entry.expression!r} has a mask of its own; a mask belongs to the whole chain, "
                f"so give where= to its first line {chain[0].expression!r}"
            )
    return None if mask is None else Truth.of(mask)


def claimed(truth: Truth, mask: Truth | None) -> Truth:
    """The truth of a relation where the chain claims something; elsewhere it cannot fail."""
    return truth if mask is None else truth | ~mask


def verdicts_of(applies: Any, claims: Any, holds: Any) -> Any:
    """Verdicts from three truths of an instance: hypotheses met, anything claimed, all statements hold."""

    def verdict(met: np.int8, anything: np.int8, true: np.int8) -> Verdict:
        if FALSE in (met, anything):
            return Verdict.NOT_APPLICABLE
        if met != TRUE or anything != TRUE or true not in (TRUE, FALSE):
            return Verdict.UNDECIDED
        return Verdict.HOLDS if true == TRUE else Verdict.VIOLATED

    return np.frompyfunc(verdict, 3, 1)(applies, claims, holds)


def undecided(met: Any) -> Any:
    """Verdicts where only the hypotheses were asked."""
    return verdicts_of(met, np.full_like(met, TRUE), np.full_like(met, UNKNOWN))


# --- claims -------------------------------------------------------------------------------------------------------------


def standing_of(
    holds: int,
    violated: int,
    undecided: int,
    raised: int,
    proofs: int,
    failures: int,
    instances_there_are: int = ENOUGH,
    broken: bool = False,
) -> Standing:
    """The standing that counts of instances and of proofs amount to."""
    if violated:
        return Standing.REFUTED
    if raised:
        return Standing.OPEN
    if proofs and not failures and not broken and holds >= min(ENOUGH, instances_there_are):
        return Standing.PROVED
    if holds:
        return Standing.SURVIVED
    return Standing.OPEN if undecided else Standing.UNTESTED
