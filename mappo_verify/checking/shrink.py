"""Makes a counterexample small: fewer agents, states and actions first, then simpler integers, then in canonical order.

Every candidate is decided exactly; what remains is *locally* minimal, since no single entry can be simplified further.  Rows of
weights, and tables, are divided by their greatest common divisor.  Of all ways to number states, actions and agents the one is
taken in which larger numbers come first, before anything is made smaller and afterwards; and of the instances that differ by
exchanging two entries of a row or two rows of a table, too.  So the same counterexample looks the same wherever it was found.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from ..claims.claim import NUMERIC, Claim
from ..claims.coordinates import Coordinate, Sizes
from ..claims.verdict import Verdict
from .evaluate import decide
from .relabel import numberings
from .sampling import Draw, halves, nearest_zero, sizes_of

MAX_ROUNDS = 400
BATCH = 256
LARGE = 4
"""Bits from which on an integer is bisected: it becomes smaller by a quarter, an eighth and so on."""
FEW = 8
"""Numberings decided together: nearly always the first one is a violation."""


def shrink(claim: Claim, sizes: Sizes, coordinates: dict[str, Any]) -> tuple[Sizes, dict[str, Any]]:
    """A violated instance that is no larger than the given violated one."""
    current = {name: np.asarray(values, dtype=np.int64) for name, values in coordinates.items()}
    sizes, current = _numbered(claim, sizes, current)
    for smaller in sizes_of(claim.setting):
        if smaller == sizes:
            break
        cut = _cut(claim, smaller, current)
        if cut is not None and _violated(claim, smaller, _stack([cut])).any():
            sizes, current = smaller, cut
            break
    for _ in range(MAX_ROUNDS):
        better = _simplify_once(claim, sizes, current)
        if better is None:
            break
        current = better
    for _ in range(MAX_ROUNDS):
        sizes, current = _numbered(claim, sizes, current)
        better = _ordered_once(claim, sizes, current)
        if better is None:
            break
        current = better
    return sizes, current


def _numbered(claim: Claim, sizes: Sizes, current: dict[str, Any]) -> tuple[Sizes, dict[str, Any]]:
    """The numbering of a violated instance that is violated, too, and comes first: small sets of actions, then large numbers."""
    every = sorted(numberings(claim.setting, sizes, current), key=lambda one: (one[0].actions, _reversed(one[1])))
    for moved, group in groupby(every, key=lambda one: one[0]):
        candidates = [one for _, one in group]
        for begin in range(0, len(candidates), FEW):
            chunk = candidates[begin : begin + FEW]
            violated = _violated(claim, moved, _stack(chunk))
            if violated.any():
                return moved, chunk[int(np.argmax(violated))]
    return sizes, current


def _reversed(instance: dict[str, Any]) -> tuple[int, ...]:
    """Smaller where larger numbers come first."""
    return tuple(-n for values in instance.values() for n in values.ravel().tolist())


def _ordered_once(claim: Claim, sizes: Sizes, current: dict[str, Any]) -> dict[str, Any] | None:
    """The violated instance with two neighbouring entries or rows exchanged, the larger one first; None if there is none."""
    candidates = list(_exchanges(claim, sizes, current))
    for begin in range(0, len(candidates), BATCH):
        chunk = candidates[begin : begin + BATCH]
        violated = _violated(claim, sizes, _stack(chunk))
        if violated.any():
            return chunk[int(np.argmax(violated))]
    return None


def _exchanges(claim: Claim, sizes: Sizes, current: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for coordinate in claim.setting.coordinates(sizes):
        values = current[coordinate.name]
        for axis in range(values.ndim):
            for place in range(values.shape[axis] - 1):
                order = np.arange(values.shape[axis])
                order[[place, place + 1]] = place + 1, place
                changed = np.take(values, order, axis=axis)
                if tuple(changed.ravel()) > tuple(values.ravel()):
                    yield {**current, coordinate.name: changed}


def _cut(claim: Claim, smaller: Sizes, current: dict[str, Any]) -> dict[str, Any] | None:
    """The leading part of every array; None where the smaller shape does not fit inside, or is of a longer run."""
    result = {}
    for coordinate in claim.setting.coordinates(smaller):
        if coordinate.name not in current:  # a run with fewer rows, but more steps
            return None
        values = current[coordinate.name]
        if any(new > old for new, old in zip(coordinate.shape, values.shape, strict=True)):
            return None
        result[coordinate.name] = _with_full_rows(
            coordinate, np.array(values[tuple(slice(n) for n in coordinate.shape)])
        )
    return result


def _with_full_rows(coordinate: Coordinate, values: Any) -> Any:
    """Rows of weights must not be all zero."""
    if coordinate.kind == "weight":
        values[..., 0] += values.sum(-1) == 0
    return values


def _cost(values: Any) -> int:
    """How complicated integers are: size, and a little for a sign; sums of large ones would wrap around."""
    return sum(2 * abs(value) + (value < 0) for value in np.ravel(values).tolist())


def _simplify_once(claim: Claim, sizes: Sizes, current: dict[str, Any]) -> dict[str, Any] | None:
    """The violated instance with one entry (or one whole array) simpler that saves most; None if there is none."""
    candidates = sorted(_candidates(claim, sizes, current), key=lambda pair: pair[0])
    for begin in range(0, len(candidates), BATCH):
        chunk = [candidate for _, candidate in candidates[begin : begin + BATCH]]
        violated = _violated(claim, sizes, _stack(chunk))
        if violated.any():
            return chunk[int(np.argmax(violated))]
    return None


def _candidates(claim: Claim, sizes: Sizes, current: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every single simplification with its change of cost (negative), and each whole array at its simplest."""
    for coordinate in claim.setting.coordinates(sizes):
        values = current[coordinate.name]
        simplest = _with_full_rows(coordinate, np.full_like(values, nearest_zero(coordinate)))
        if _cost(simplest) < _cost(values):
            yield _cost(simplest) - _cost(values), {**current, coordinate.name: simplest}
        if coordinate.kind == "weight":
            divided = values // np.gcd.reduce(values, axis=-1, keepdims=True)
            if _cost(divided) < _cost(values) and (divided >= coordinate.low).all():
                yield _cost(divided) - _cost(values), {**current, coordinate.name: divided}
        elif (common := int(np.gcd.reduce(values, axis=None))) > 1:
            scaled = np.asarray(values // common)
            if (scaled >= coordinate.low).all() and (scaled <= np.maximum(coordinate.high, values)).all():
                yield _cost(scaled) - _cost(values), {**current, coordinate.name: scaled}
        for index in np.ndindex(values.shape):
            before = int(values[index])
            closer = {before - before // 2**k for k in range(2, abs(before).bit_length() - LARGE)}
            nearest = {nearest_zero(coordinate), 1, -1, coordinate.low, before // 2, before - int(np.sign(before))}
            for after in nearest | closer:
                if coordinate.low <= after <= max(coordinate.high, before) and _cost(np.array(after)) < _cost(
                    np.array(before)
                ):
                    changed = values.copy()
                    changed[index] = after
                    if coordinate.kind == "weight" and not changed.any(-1).all():
                        continue
                    yield _cost(changed) - _cost(values), {**current, coordinate.name: changed}


def _stack(instances: list[dict[str, Any]]) -> Draw:
    return {name: np.stack([entry[name] for entry in instances]) for name in instances[0]}


def _violated(claim: Claim, sizes: Sizes, drawn: Draw) -> Any:
    """Which instances of a batch are certified violations; one on which the proof cannot be evaluated is none."""
    count = len(next(iter(drawn.values())))
    violated = np.zeros(count, bool)
    try:
        for chosen, evidence in decide(claim, drawn, sizes, statements=True):
            violated[chosen] = evidence.verdict == Verdict.VIOLATED
    except NUMERIC:
        if count == 1:
            return violated
        parts = [{name: values[half] for name, values in drawn.items()} for half in halves(np.arange(count))]
        return np.concatenate([_violated(claim, sizes, part) for part in parts])
    return violated
