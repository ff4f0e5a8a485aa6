"""Draws instances: batches of integer coordinates, from a seeded NumPy generator.

Most errors show at the edge of what is allowed, few in the interior, so every batch mixes regimes: plain random weights,
sparse ones (unreachable states, deterministic factors), nearly deterministic ones (10⁻⁴ next to 1), extreme and zero rewards.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from ..claims.coordinates import Coordinate, Sizes
from ..claims.settings import Setting
from ..errors import ClaimError

Integers = npt.NDArray[np.int64]
Draw = dict[str, Integers]

ACTION_SHAPES: tuple[tuple[int, ...], ...] = (
    (1,),
    (2,),
    (3,),
    (4,),
    (5,),
    (1, 2),
    (2, 1),
    (2, 2),
    (2, 3),
    (3, 2),
    (2, 2, 2),
    (1, 3, 2),
    (2, 1, 3),
    (2, 2, 2, 2),
    (1, 2, 1, 3),
)
"""Equal and unequal action sets of one to four agents; small, because small counterexamples convince."""


WIDE = 10_000
"""Integers of a wider range are drawn by orders of magnitude as well."""


def sizes_of(setting: Setting) -> tuple[Sizes, ...]:
    """The sizes worth trying for a setting, small ones first."""
    shapes = [
        shape
        for shape in ACTION_SHAPES
        if setting.agents[0] <= len(shape) <= setting.agents[1]
        and all(setting.action_range[0] <= size <= setting.action_range[1] for size in shape)
    ]
    for count in range(setting.agents[0], setting.agents[1] + 1):
        shapes += _beyond_the_list(count, setting.action_range, shapes)
    states = range(setting.states[0], setting.states[1] + 1)
    found = [Sizes(count, shape, steps) for shape, count, steps in product(shapes, states, setting.steps)]
    if not setting.coordinates(found[0]):
        raise ClaimError(f"setting {setting.name!r} has no ingredient to draw, such as GameData() or PolicyData()")
    return tuple(sorted(found, key=lambda s: (s.agents, s.states * int(np.prod(s.actions)) * s.steps, s.actions)))


COVERED = 12
"""Action sets of one number of agents: up to so many are all tried."""
LARGEST_TABLE = 2_000
"""Joint actions beyond which unequal sets are not added."""


def _beyond_the_list(
    agents: int, action_range: tuple[int, int], listed: list[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """Action sets that the list lacks: all of them where they are few; else every number of actions once, beside others.

    Equal sets of the smallest and the largest number, and unequal ones with the larger set first and last.
    """
    low, high = action_range
    known = [shape for shape in listed if len(shape) == agents]
    if known and max(map(max, known)) == high:
        return []
    if (high - low + 1) ** agents <= COVERED:
        return [shape for shape in product(range(low, high + 1), repeat=agents) if shape not in known]
    seen = {size for shape in known for size in shape}
    added = [(size,) * agents for size in (low, high)]
    spread = np.unique(np.rint(np.geomspace(low, high, COVERED)).astype(int)).tolist()
    for size in range(low, high + 1) if high - low < COVERED else spread:
        if size not in seen and agents > 1:
            other = low if size > low else high
            added += [(other,) * (agents - 1) + (size,), (size,) + (other,) * (agents - 1)]
        elif size not in seen:
            added.append((size,))
    small = [shape for shape in dict.fromkeys(added) if int(np.prod(shape)) <= LARGEST_TABLE]
    return [shape for shape in small or added[:1] if shape not in known]


def declared_sizes(setting: Setting) -> int:
    """How many sizes a setting declares."""
    actions = setting.action_range[1] - setting.action_range[0] + 1
    sets = sum(int(actions**agents) for agents in range(setting.agents[0], setting.agents[1] + 1))
    return sets * (setting.states[1] - setting.states[0] + 1) * len(setting.steps)


def draw(setting: Setting, sizes: Sizes, count: int, generator: np.random.Generator) -> Draw:
    """``count`` instances of these sizes: every coordinate with a leading axis of length ``count``."""
    return {coordinate.name: _draw_one(coordinate, count, generator) for coordinate in setting.coordinates(sizes)}


def _draw_one(coordinate: Coordinate, count: int, generator: np.random.Generator) -> Integers:
    shape = (count, *coordinate.shape)
    values = generator.integers(coordinate.low, coordinate.high, shape, endpoint=True)
    if coordinate.high - coordinate.low > WIDE:
        values = np.where(generator.integers(0, 2, shape) == 0, values, _by_logarithms(coordinate, shape, generator))
    regime = generator.integers(0, 4, count).reshape((count,) + (1,) * len(coordinate.shape))
    if coordinate.kind == "weight":
        winner = generator.integers(0, coordinate.shape[-1], shape[:-1])
        certain = np.eye(coordinate.shape[-1], dtype=np.int64)[winner]
        sparse = values * generator.integers(0, 2, shape)
        values = np.where(regime == 1, np.maximum(sparse, coordinate.low), values)
        values = np.where(regime == 2, np.maximum(certain, coordinate.low), values)
        values = np.where(regime == 3, certain * 9999 + 1, values)
        empty = values.sum(-1, keepdims=True) == 0
        return np.asarray(np.where(empty, certain, values), dtype=np.int64)
    if coordinate.kind == "rare":
        position = generator.random(shape).reshape(count, -1).argsort(1).reshape(shape)
        return np.asarray(np.where(position < generator.integers(0, 3, regime.shape), values, 0), dtype=np.int64)
    extreme = np.where(generator.integers(0, 2, shape) == 0, coordinate.low, coordinate.high)
    values = np.where(regime == 1, extreme, values)
    quiet = np.full_like(values, nearest_zero(coordinate))
    return np.asarray(np.where((regime == 2) & (generator.integers(0, 3, shape) > 0), quiet, values), dtype=np.int64)


def _by_logarithms(coordinate: Coordinate, shape: tuple[int, ...], generator: np.random.Generator) -> Integers:
    """Integers of every order of magnitude alike, counted from the simplest of the range, on either side of it."""
    simplest = nearest_zero(coordinate)
    up, down = coordinate.high - simplest, simplest - coordinate.low
    sides = np.where(generator.random(shape) * (up + down) < up, up, -down)
    steps = np.rint(np.expm1(generator.random(shape) * np.log1p(np.abs(sides)))).astype(np.int64)
    return np.asarray(simplest + np.sign(sides) * steps, dtype=np.int64)


def nearest_zero(coordinate: Coordinate) -> int:
    """The simplest integer of a coordinate's range."""
    return max(coordinate.low, min(0, coordinate.high))


def halves(places: npt.NDArray[np.intp]) -> list[npt.NDArray[np.intp]]:
    """The places of a batch that cannot be evaluated at once, as two that may be."""
    return np.array_split(places, 2)


def instance(drawn: Draw, index: int) -> dict[str, Any]:
    """One instance of a batch."""
    return {name: values[index] for name, values in drawn.items()}
