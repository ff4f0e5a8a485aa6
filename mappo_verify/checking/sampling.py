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


def sizes_of(setting: Setting) -> tuple[Sizes, ...]:
    """The sizes worth trying for a setting, small ones first."""
    shapes = [
        shape
        for shape in ACTION_SHAPES
        if setting.agents[0] <= len(shape) <= setting.agents[1]
        and all(setting.action_range[0] <= size <= setting.action_range[1] for size in shape)
    ]
    for count in range(
        setting.agents[0], setting.agents[1] + 1
    ):  # beyond the list: equal sets, the smallest and the largest
        if not any(len(shape) == count for shape in shapes):
            shapes += dict.fromkeys((size,) * count for size in setting.action_range)
    states = range(setting.states[0], setting.states[1] + 1)
    found = [Sizes(count, shape, steps) for shape, count, steps in product(shapes, states, setting.steps)]
    if not setting.coordinates(found[0]):
        raise ClaimError(f"setting {setting.name!r} has no ingredient to draw, such as GameData() or PolicyData()")
    return tuple(sorted(found, key=lambda s: (s.agents, s.states * int(np.prod(s.actions)) * s.steps, s.actions)))


def draw(setting: Setting, sizes: Sizes, count: int, generator: np.random.Generator) -> Draw:
    """``count`` instances of these sizes: every coordinate with a leading axis of length ``count``."""
    return {coordinate.name: _draw_one(coordinate, count, generator) for coordinate in setting.coordinates(sizes)}


def _draw_one(coordinate: Coordinate, count: int, generator: np.random.Generator) -> Integers:
    shape = (count, *coordinate.shape)
    values = generator.integers(coordinate.low, coordinate.high, shape, endpoint=True)
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
        position = generator.random(shape).reshape(count, -1).argsort(-1).reshape(shape)
        return np.asarray(np.where(position < generator.integers(0, 3, regime.shape), values, 0), dtype=np.int64)
    extreme = np.where(generator.integers(0, 2, shape) == 0, coordinate.low, coordinate.high)
    values = np.where(regime == 1, extreme, values)
    quiet = np.full_like(values, nearest_zero(coordinate))
    return np.asarray(np.where((regime == 2) & (generator.integers(0, 3, shape) > 0), quiet, values), dtype=np.int64)


def nearest_zero(coordinate: Coordinate) -> int:
    """The simplest integer of a coordinate's range."""
    return max(coordinate.low, min(0, coordinate.high))


def instance(drawn: Draw, index: int) -> dict[str, Any]:
    """One instance of a batch."""
    return {name: values[index] for name, values in drawn.items()}
