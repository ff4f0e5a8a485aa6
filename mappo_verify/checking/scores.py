"""How close an instance comes to breaking a claim, in floats: what a search climbs on.  Floats only steer.

The score of a relation is ``(left - right)/(|left| + |right|)`` at its worst entry: positive where it is violated, near 0 where a
bound is tight.  A difference within rounding is none; a tie counts :data:`TIE` below, so that 0 = 0 and 1 = 1 do not pass for
the tightest instances.  Where both sides vanish nothing is learned.  Of statements there is a second score, the difference
beside what a relative change of the instance's numbers makes of it: a large number that both sides share does not hide how far
away a violation is.

An instance that fails a hypothesis scores below all that meet it, the better the less is missing: comparisons tell by how much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import TRUE, Numbers, System
from ..arithmetic.numbers import watched
from ..arithmetic.one_instance import within_a_proof
from ..claims.case import Case
from ..claims.claim import Claim, chains, composed_relation
from ..claims.coordinates import Sizes
from ..claims.settings import Setting
from .hypotheses import per_instance
from .relations import plain, sides
from .sampling import halves

Floats = npt.NDArray[np.float64]
WORST = -1e3
"""The score of a point on which nothing can be computed."""
LEAST = -1.0
"""The score where both sides vanish: nothing is learned there."""
ROUNDING = 1e-9
"""Relative to both sides, a difference below this is rounding."""
NUDGE = 1e-12
"""Relative change of an instance's numbers that shows how far its sides can be trusted."""
NOTHING = 1e-10
"""Sides and differences below this are rounding, whatever a nudge says."""
SHAKEN = 1e-11, 3e-11, 1e-10, 3e-10
"""Relative changes under which a violation must stay one: rounding now and then looks steady under a single nudge."""
STEADY = 20.0
"""How much larger than the effect of a nudge a difference, or a side, must be to count, at first."""
TIE = 0.02
"""What a tie loses, so that a search prefers a point just beside it."""
FAILED = -1.5
"""Instances that fail a hypothesis score below this, all others above."""
STATEMENTS = 2
"""Columns that speak of the statements; the others are inequalities inside a proof."""
SMALLEST_BATCH = 16
"""A batch of fewer instances that raises is not halved any more."""


def scores(claim: Claim, sizes: Sizes, numbers: Mapping[str, Any], steady: float = STEADY) -> Floats:
    """Scores ``[instances, 2 + 2 steps]``: of the statements together, by size and by distance; of inner inequalities, too.

    Of these all distances come first: where one side is 0, the other score is the same everywhere.

    A batch that raises is halved, so that one instance does not hide the others.  Where no instance meets the hypotheses there
    is only the first column.
    """
    count = len(next(iter(numbers.values())))
    try:
        with np.errstate(all="ignore"):
            return _steadied(claim, sizes, numbers, count, steady)
    except Exception:  # floats only steer: what a formula raises is found, and kept, where instances are certified
        if count < SMALLEST_BATCH:
            return np.full((count, 1), WORST)
    parts = [{n: v[half] for n, v in numbers.items()} for half in halves(np.arange(count))]
    found = [scores(claim, sizes, part, steady) for part in parts]
    width = max(half.shape[1] for half in found)
    return np.concatenate([np.pad(h, ((0, 0), (0, width - h.shape[1])), constant_values=WORST) for h in found])


def _steadied(claim: Claim, sizes: Sizes, numbers: Mapping[str, Any], count: int, steady: float) -> Floats:
    """Scores, where a violation that a small change of the numbers undoes is none."""
    found = _scores(claim, sizes, numbers, count, steady)
    winners = np.flatnonzero((found > 0).any(1))
    if not len(winners):
        return found
    shaken = {
        name: np.concatenate([_moved(np.asarray(values, dtype=np.float64)[winners], much) for much in SHAKEN])
        for name, values in numbers.items()
    }
    again = _scores(claim, sizes, shaken, len(SHAKEN) * len(winners), steady)
    if again.shape[1] == found.shape[1]:
        again = np.where(again < FAILED, np.inf, again)  # beside a hypothesis: nothing is known
        worst = again.reshape(len(SHAKEN), len(winners), -1).min(0)
        found[winners] = np.where(found[winners] > 0, np.minimum(found[winners], worst), found[winners])
    return found


def _scores(claim: Claim, sizes: Sizes, numbers: Mapping[str, Any], count: int, steady: float) -> Floats:
    case = claim.setting.case({name: _nudged(values) for name, values in numbers.items()}, sizes, System.FLOATS)
    missing, live, places = _missing(claim.setting, case, count)
    if not len(places):
        return missing[:, None]
    every = chains(claim.lines(live))
    statements = [gaps(*sides(chain, live), composed_relation(chain), steady) for chain in every]
    steps = [
        gaps(*sides([replace(one, where=chain[0].where), two], live), str(two.relation), steady)
        for chain in every
        if len(chain) > 2
        for one, two in pairwise(chain)
        if two.relation != "="
    ]
    by_size, by_distance = (list(score) for score in zip(*steps, strict=True)) if steps else ([], [])
    result = np.repeat(missing[:, None], STATEMENTS + 2 * len(steps), axis=1)
    result[places] = np.stack([*np.max(statements, axis=0), *by_distance, *by_size], axis=1)
    return np.asarray(np.clip(np.nan_to_num(result, nan=WORST, posinf=WORST, neginf=WORST), WORST, -WORST))


def _nudged(values: Any) -> Floats:
    """The numbers, and the same ones moved by :data:`NUDGE`."""
    given = np.asarray(values, dtype=np.float64)
    return np.concatenate([given, _moved(given, NUDGE)])


def _moved(given: Floats, much: float) -> Floats:
    """The numbers, each moved a little, some up and some down."""
    return given * (1 + much * np.resize(np.sin(np.arange(1.0, 1 + min(given.size, 1009))), given.shape))


def gaps(left: Any, right: Any, claimed: Any, relation: str, steady: float = STEADY) -> Floats:
    """Two scores of one relation, ``[2, instances]``, from sides ``[2 · instances, entries]``; -∞ where nothing is claimed.

    The second half holds the same instances with their numbers moved by :data:`NUDGE`: what differs tells how far to trust a
    side, and how far away a violation is.
    """
    gap = {"=": np.abs(left - right), "≤": left - right, "≥": right - left}[relation]
    size = np.abs(left) + np.abs(right)
    half = len(gap) // 2
    moved = np.abs(gap[:half] - gap[half:])
    noise = steady * moved + NOTHING
    gap, size, claimed = gap[:half], size[:half], (claimed[:half] & claimed[half:])
    tied = np.abs(gap) <= np.maximum(noise, ROUNDING * size)
    by_size = np.where(tied, -TIE, gap / np.maximum(size, noise))
    by_size = np.where(size <= noise, LEAST, by_size)
    by_distance = np.where(tied, LEAST, gap / (np.abs(gap) + moved / NUDGE + NOTHING))
    return np.stack([np.where(claimed, found, -np.inf).max(1) for found in (by_size, by_distance)])


def _missing(setting: Setting, case: Case, count: int) -> tuple[Floats, Case, npt.NDArray[np.intp]]:
    """The scores of instances that fail a hypothesis; those that meet all, and where they stand in the batch.

    The case holds ``count`` instances and the same ones nudged; an instance stays where both of its forms do.
    """
    result, places, live = np.full(count, WORST), np.arange(count), case
    hypotheses = [h for h in setting.all_hypotheses if not h.by_construction]
    for position, hypothesis in enumerate(hypotheses):
        with within_a_proof(), watched() as compared:
            given = hypothesis.truth(live)
        met = per_instance(given, live.several)[: len(places)] == TRUE
        if met.all():
            continue
        slack = np.zeros(len(places))
        for one, relation, two in compared:
            slack = np.minimum(slack, _slack(one, relation, two, 2 * len(places))[: len(places)])
        result[places[~met]] = -2.0 - (len(hypotheses) - 1 - position) + slack[~met]
        places = places[met]
        if not len(places):
            break
        live = live.take(np.concatenate([met, met]))
    return result, live, places


def _slack(one: Numbers, relation: str, two: Numbers, count: int) -> Floats:
    """How much a comparison lacks, from -1 to 0, relative to its sides; at its worst entry."""
    shape = np.broadcast_shapes(one.shape, two.shape)
    left, right = (plain(side, shape, count).reshape(count, -1).astype(np.float64) for side in (one, two))
    gap = -np.abs(left - right) if relation == "=" else right - left
    relative = np.clip(gap / (np.abs(left) + np.abs(right) + ROUNDING), -1.0, 0.0)
    return np.asarray(np.nan_to_num(relative, nan=-1.0).min(1, initial=0.0))
