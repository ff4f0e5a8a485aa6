"""The coordinates of an instance as points of a box, and back to integers.

A climb moves in real numbers.  Weights of a row become logarithms, so that 10⁻⁴ beside 1 is as near as 1 beside 2, with a stretch
below that means 0; other integers are spread evenly over their range, or by logarithms where it spans decades.  What a climb
finds is rationalised: see :func:`candidates`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from ..claims.coordinates import Coordinate, Sizes
from ..claims.settings import Setting
from .certificate_limits import MAX_INTEGER
from .sampling import Draw

Floats = npt.NDArray[np.float64]

DEPTH = float(np.log(MAX_INTEGER))
"""The smallest weight beside 1 that a climb tries, as a logarithm."""
ZERO = 2.0
"""Below the smallest weight: the length of the stretch that means 0."""
WIDTH = 4.0
"""How long the range of an evenly spread integer is, in the units of logarithms."""
DECADES = 100
"""From this quotient of the ends on, a range of positive integers is spread by logarithms."""
DENOMINATORS = (1, 2, 3, 5, 9, 20, 50, 100, 300, 1_000, MAX_INTEGER)
"""A row of weights becomes integers that sum to about these, coarse ones first."""
SMALLEST = (1, 2, 5)
"""Or integers of which the smallest positive one is about this: a small probability beside large ones is kept."""


@dataclass(frozen=True)
class Space:
    """The box that the instances of one size make up: ``count`` numbers, each between ``low`` and ``high``."""

    schema: tuple[Coordinate, ...]

    @classmethod
    def of(cls, setting: Setting, sizes: Sizes) -> Space:
        """The space of a setting at one size."""
        return cls(setting.coordinates(sizes))

    @property
    def climbable(self) -> bool:
        """Whether moving a little makes sense: not where nearly all integers are 0."""
        return all(c.kind != "rare" for c in self.schema)

    @cached_property
    def places(self) -> dict[str, slice]:
        """Where the numbers of a coordinate stand."""
        ends = np.cumsum([0, *(int(np.prod(c.shape)) for c in self.schema)]).tolist()
        return {c.name: slice(a, b) for c, a, b in zip(self.schema, ends[:-1], ends[1:], strict=True)}

    @cached_property
    def count(self) -> int:
        """How many numbers describe an instance."""
        return sum(int(np.prod(c.shape)) for c in self.schema)

    @cached_property
    def low(self) -> Floats:
        """The lower ends."""
        return self._ends(0)

    @cached_property
    def high(self) -> Floats:
        """The upper ends."""
        return self._ends(1)

    def _ends(self, side: int) -> Floats:
        parts = [np.full(int(np.prod(c.shape)), _ends(c)[side]) for c in self.schema]
        return np.concatenate(parts) if parts else np.zeros(0)

    @cached_property
    def width(self) -> Floats:
        """High minus low; 1 where that is 0."""
        return np.where(self.high > self.low, self.high - self.low, 1.0)

    def numbers(self, points: Floats) -> dict[str, Floats]:
        """Coordinates as real numbers, with the points of a batch on a leading axis."""
        clipped = np.clip(points, self.low, self.high)
        return {c.name: _number(c, clipped[:, self.places[c.name]].reshape(-1, *c.shape)) for c in self.schema}

    def points(self, drawn: Mapping[str, Any]) -> Floats:
        """The points of drawn instances."""
        parts = []
        for c in self.schema:
            values = np.asarray(drawn[c.name], dtype=np.float64)
            parts.append(_point(c, values).reshape(len(values), -1))
        return np.clip(np.concatenate(parts, axis=1), self.low, self.high)

    def blocks(self) -> list[tuple[Coordinate, tuple[int, ...]]]:
        """What is rationalised at once: integers one by one, then each row of weights."""
        integers, rows = [], []
        for c in self.schema:
            if c.kind == "weight":
                rows += [(c, index) for index in np.ndindex(c.shape[:-1])]
            else:
                integers += [(c, index) for index in np.ndindex(c.shape)]
        return integers + rows


def _ends(c: Coordinate) -> tuple[float, float]:
    if c.kind == "weight":
        return -DEPTH - ZERO * (c.low == 0), 0.0
    if _by_logarithms(c):
        return float(np.log(c.low)), float(np.log(c.high))
    return -WIDTH / 2, WIDTH / 2


def _by_logarithms(c: Coordinate) -> bool:
    return c.low > 0 and c.high >= DECADES * c.low


def _number(c: Coordinate, points: Floats) -> Floats:
    if c.kind == "weight":
        values = max(c.high, 1) * np.where(points >= -DEPTH, np.exp(points), 0.0)
        return np.where(values.sum(-1, keepdims=True) > 0, values, 1.0)
    if _by_logarithms(c):
        return np.asarray(np.clip(np.exp(points), c.low, c.high))
    middle, half = (c.low + c.high) / 2, (c.high - c.low) / 2
    return middle + half * points / (WIDTH / 2)


def _point(c: Coordinate, values: Floats) -> Floats:
    if c.kind == "weight":
        share = values / np.maximum(values.max(-1, keepdims=True), 1e-300)
        return np.where(share > 0, np.log(np.maximum(share, 1e-300)), -DEPTH - ZERO)
    if _by_logarithms(c):
        return np.asarray(np.log(np.clip(values, c.low, c.high)))
    middle, half = (c.low + c.high) / 2, (c.high - c.low) / 2
    return (values - middle) / (half or 1.0) * (WIDTH / 2)


# --- back to integers ---------------------------------------------------------------------------------------------------


def candidates(c: Coordinate, value: Any) -> list[Any]:
    """Integers near the real numbers of one block, simple ones first.

    A number has the two integers around it, and the simplest of its range.  A row of weights is one of rationals: it has rounded
    multiples, of which some keep its smallest probability, and where only two of its entries are positive the continued
    fraction of their quotient.
    """
    if c.kind != "weight":
        below = int(np.floor(value + 1e-9))
        return [n for n in dict.fromkeys((round(float(value)), below, below + 1)) if c.low <= n <= c.high]
    row = np.asarray(value, dtype=np.float64)
    shares = row / row.sum()
    found: dict[tuple[int, ...], None] = {}
    positive = np.flatnonzero(shares)
    smallest, largest = row[positive].min(), row.max()
    scales = [max(c.high, 1) / largest, MAX_INTEGER / largest, *(n / smallest for n in SMALLEST)]
    for denominator in (*DENOMINATORS, *(scale * row.sum() for scale in scales if scale * largest < MAX_INTEGER + 1)):
        weights = np.rint(shares * denominator).astype(np.int64)
        weights = np.maximum(weights, c.low)
        if weights.any():
            found[tuple(weights.tolist())] = None
    if len(positive) == 2:
        one, two = (int(i) for i in positive)
        for limit in (10, 100, 1_000, MAX_INTEGER):
            quotient = Fraction(float(shares[one] / shares[two])).limit_denominator(limit)
            weights = np.full(len(row), c.low)
            weights[one], weights[two] = max(quotient.numerator, c.low), max(quotient.denominator, c.low)
            found[tuple(weights.tolist())] = None
    if c.low == 0:  # the simplest fractions one by one, over a common denominator
        parts = [Fraction(float(share)).limit_denominator(12) for share in shares]
        common = lcm(*(part.denominator for part in parts))
        if any(parts):
            found[tuple(int(part * common) for part in parts)] = None
    fitting = [list(weights) for weights in found if max(weights) <= MAX_INTEGER and any(weights)]
    return sorted(fitting, key=sum)


def as_integers(schema: tuple[Coordinate, ...], numbers: Mapping[str, Any]) -> Draw:
    """Coordinates whose numbers are whole, as integers."""
    return {c.name: np.rint(np.asarray(numbers[c.name])).astype(np.int64) for c in schema}
