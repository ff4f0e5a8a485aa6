"""What a certificate may describe: sizes, shapes and ranges, bounded before anything is evaluated.

A file of a few bytes may name a table of any size, so sizes come first; then every integer is held against its range.  For a
claim of the registry the sizes are those that ``certificates/check.py`` treats, so that both checkers accept the same files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from ..claims.claim import Claim
from ..claims.coordinates import Coordinate, Sizes

MAX_ENTRIES = 20_000
MAX_INTEGER = 10_000
MAX_ERROR, MAX_ERRORS = 1_000, 10_000
"""Size of one rare error, and of all together: they are exponents of 2."""

Range = tuple[int, int]


@dataclass(frozen=True)
class TreatedSizes:
    """The smallest and the largest number of agents, of states, of actions of an agent, and of steps."""

    agents: Range
    states: Range
    actions: Range
    steps: Range


ONE = (1, 1)
NARROWER: dict[str, dict[str, Range]] = {
    "definition-3.1/conditional-readings": {"states": ONE},
    "lemma-b.3/zero-mean-intervention": {"states": ONE},
    "lemma-b.4": {"agents": ONE, "states": ONE},
    "lemma-b.4/factor-two": {"agents": ONE, "states": ONE},
}
"""Claims of which only small instances are certified: whatever violates them has such a one."""
LONG_RUNS = {
    "theorem-4.5/i": 2_000,
    "theorem-4.5/ii": 2_000,
    "abstract-rate": 5_000,
    "theorem-5.5/one-agent": 40_000,
    "theorem-5.5/two-agents": 40_000,
}
"""Runs whose cost grows gently may be longer than those that their setting draws."""


def treated_sizes(claim: Claim) -> TreatedSizes:
    """Those of the claim's setting, but for the claims above."""
    setting = claim.setting
    longest = max(*setting.steps, LONG_RUNS.get(claim.id, 1))
    drawn = TreatedSizes(setting.agents, setting.states, setting.action_range, (1, longest))
    return replace(drawn, **NARROWER.get(claim.id, {}))


def size_complaint(claim: Claim, sizes: Sizes) -> str | None:
    """Why no certificate may have these sizes; None if one may."""
    treated = treated_sizes(claim)
    for what, value, (low, high) in (
        ("states", sizes.states, treated.states),
        ("agents", sizes.agents, treated.agents),
        *(("actions of an agent", size, treated.actions) for size in sizes.actions),
        ("steps", sizes.steps, treated.steps),
    ):
        if not low <= value <= high:
            return f"{value} {what} are not from {low} to {high}, which a certificate of {claim.id} may have"
    return None


def instance_complaint(claim: Claim, sizes: Sizes, coordinates: Mapping[str, Any]) -> str | None:
    """Why an instance is refused before anything is evaluated: its sizes, shapes and ranges; None if nothing is wrong."""
    setting = claim.setting
    if claim.experiment is not None:
        return "it holds with probability 1 - δ, so one bad sample proves nothing"
    complaint = size_complaint(claim, sizes)
    if complaint:
        return complaint
    expected = setting.coordinates(sizes)
    names = {coordinate.name for coordinate in expected}
    if set(coordinates) != names:
        return f"missing or unknown coordinates: {sorted(names ^ set(coordinates))}"
    if sum(prod(coordinate.shape) for coordinate in expected) > MAX_ENTRIES:
        return f"the instance has more than {MAX_ENTRIES} integers"
    return next((bad for c in expected if (bad := _coordinate_complaint(c, coordinates[c.name]))), None)


def _coordinate_complaint(coordinate: Coordinate, values: Any) -> str | None:
    """Why nested lists are not what a coordinate takes; None if they are.

    The range of a table means something (``|share| ≤ 1``); of weights and what is positive the upper end only says what is drawn.
    """
    name, kind = coordinate.name, coordinate.kind
    numbers: list[int] = []

    def fits(part: Any, shape: tuple[int, ...]) -> bool:
        if not shape:
            numbers.append(part)
            return type(part) is int
        return isinstance(part, list) and len(part) == shape[0] and all(fits(p, shape[1:]) for p in part)

    if not fits(values, coordinate.shape):
        return f"the coordinates {name} are no integers of shape {coordinate.shape}"
    high = {"integer": coordinate.high, "rare": MAX_ERROR}.get(kind, MAX_INTEGER)
    low = -MAX_ERROR if kind == "rare" else coordinate.low
    if not all(low <= number <= high for number in numbers):
        return f"the coordinates {name} are not all from {low} to {high}"
    if kind == "rare" and sum(map(abs, numbers)) > MAX_ERRORS:
        return f"the coordinates {name} add up to more than {MAX_ERRORS}"
    if kind == "weight" and not np.asarray(values).any(-1).all():
        return f"a row of {name} has no weight"
    return None
