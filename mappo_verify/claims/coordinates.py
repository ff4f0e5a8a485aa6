"""How large an instance is, and the integers that describe it.

Every ingredient of an instance is described by integer coordinates: weights that are normalised to probabilities, numerators over
a fixed denominator, positive odds.  One instance is therefore exact data; it exists in every number system without rounding,
shrinks well, prints well and can be stored.

Two ways to turn coordinates into numbers:

* *drawn*: ``weights / Σ weights``, for instances;
* *generic*: the coordinates are free parameters (all but the last weight of a row, which is 1 minus the others), for proofs in
  symbols and at random points.  A game that may terminate keeps its rows of P entirely free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from operator import index
from typing import Any

import numpy as np

from ..arithmetic import Array, assume_nonnegative, assume_positive
from ..arithmetic.explained import shown
from ..errors import ClaimError, Sealed, require_printable

Numbers = Mapping[str, Array]
"""Coordinates, by name, as numbers of one system."""


class NoNumber:
    """What a proof for every length of a run has in place of a number: nothing may be computed with it."""

    why = ""

    def _refused(self, *_: Any) -> Any:
        raise ClaimError(self.why)

    __int__ = __float__ = __lt__ = __le__ = __gt__ = __ge__ = _refused
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refused
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = _refused


class _Every(NoNumber):
    """How many steps there are, where that is any number; False, so that ``steps or 1`` is a length."""

    why = (
        "how many steps there are is no number in a proof for every length; sum over the run, as in run.sum(lambda step: ...), "
        "or let a term depend on step.count"
    )

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "EVERY"

    __reduce__ = __repr__  # the same object in another process


EVERY: Any = _Every()
"""The number of steps of a proof that holds for every number of them."""


@dataclass(frozen=True)
class Sizes(Sealed):
    """How large an instance is: ``S`` states, ``|A_1|, ..., |A_N|`` actions, and ``K`` steps where it is a run.

    :meth:`every_length` are those of a proof for every number of steps.
    """

    states: int
    actions: tuple[int, ...]
    steps: int = 1

    def __post_init__(self) -> None:
        several = type(self.actions) is tuple
        counts = (self.states, *(self.actions if several else ()), *(() if self.steps is EVERY else (self.steps,)))
        if not several or any(type(count) is not int for count in counts):
            given = f"states={shown(self.states)}, actions={shown(self.actions)}, steps={shown(self.steps)}"
            raise ClaimError(f"Sizes({given}): these are integers, and the actions of all agents a tuple")

    @classmethod
    def every_length(cls, states: int, actions: tuple[int, ...]) -> Sizes:
        """The sizes of a proof for every number of steps, by induction."""
        return cls(states, actions, EVERY)

    @property
    def agents(self) -> int:
        """``N``"""
        return len(self.actions)

    @property
    def shape(self) -> tuple[int, tuple[int, ...]]:
        """States and actions: all but how long a run is."""
        return self.states, self.actions

    def __str__(self) -> str:
        run = ", every number of steps" if self.steps == EVERY else f", {self.steps} steps" if self.steps != 1 else ""
        return f"{self.states} state{'s' * (self.states != 1)}, {'x'.join(map(str, self.actions))} actions{run}"


SMALLEST = Sizes(1, (1,))
"""Sizes at which only is asked how many axes something has."""


KINDS = ("weight", "integer", "positive", "rare")


@dataclass(frozen=True)
class Coordinate(Sealed):
    """An array of integers.

    ``kind`` is ``weight`` (rows ≥ 0 along the last axis, not all 0), ``integer``, ``positive``, or ``rare`` (integers,
    nearly all 0).
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    low: int
    high: int

    def __post_init__(self) -> None:
        require_printable(f"the name of a coordinate {self.name!a}", self.name)
        if self.kind not in KINDS:
            raise ClaimError(f"{self.name} is of the kind {self.kind!r}; use one of {', '.join(KINDS)}")
        if type(self.low) is not int or type(self.high) is not int:
            raise ClaimError(f"{self.name} ranges from {self.low!r} to {self.high!r}, which are no integers")
        if type(self.shape) is not tuple:
            raise ClaimError(f"{self.name} has the shape {self.shape!r}; a shape is a tuple such as (3,)")
        if not all(hasattr(length, "__index__") for length in self.shape):
            raise ClaimError(f"{self.name} has the shape {self.shape!r}; lengths are integers")
        object.__setattr__(self, "shape", tuple(map(index, self.shape)))  # plain integers, which stay what they are
        if min(self.shape, default=0) < 0 or (self.kind == "weight" and not (self.shape and self.shape[-1])):
            rows = "; rows of weights have an entry" * (self.kind == "weight")
            raise ClaimError(f"{self.name} has the shape {self.shape}; lengths are from 0 on{rows}")
        if self.low > self.high:
            raise ClaimError(f"{self.name} ranges from {self.low} to {self.high}, which is empty")
        if not -(2**62) <= self.low <= self.high <= 2**62:
            raise ClaimError(f"{self.name} ranges from {self.low} to {self.high}; instances are drawn up to 2**62")

    def with_sign(self, values: Array) -> Array:
        """The same numbers, with what its range says of their sign for a proof."""
        sign = sign_of_range(self.low)
        sign = "≥" if sign and self.kind == "rare" else sign
        return assume_positive(values) if sign == ">" else assume_nonnegative(values) if sign else values


def sign_of_range(low: int) -> str:
    """What is known of the sign of numbers from ``low`` on: ``>`` or ``≥`` 0, or nothing."""
    return ">" if low > 0 else "≥" if low == 0 else ""


def require_positive(name: str, scale: Any) -> None:
    """Entries are ``k/scale``, with the sign of ``k``."""
    if type(scale) not in (int, Fraction) or not scale > 0:
        raise ClaimError(f"{name}: scale = {scale!r} is not positive; it is an integer or a Fraction")


def scaled(numbers: Array, scale: int | Fraction, generic: int) -> Array:
    """Entries ``k/scale``; in a proof a free number is the entry itself, so that conditions speak of entries."""
    return numbers if generic else numbers / scale


GENERIC, INTERIOR = 1, 2
"""How coordinates stand for free parameters in a proof: any, or such that no probability is 0.  For drawn ones it is 0."""


def simplex(weights: Array, generic: int, defective: bool = False, positive: bool = False) -> Array:
    """Rows of (sub)probabilities from weights; ``defective`` drops the last column, whose share is termination.

    ``positive`` says that no weight is 0.
    """
    if not generic:
        shares = weights / weights.sum(-1, keepdims=True)
        return shares[..., :-1] if defective else shares
    free = weights[..., :-1]
    rows = free if defective else np.concatenate([free, (1 - free.sum(-1))[..., None]], axis=-1)
    return assume_positive(rows) if positive or generic == INTERIOR else assume_nonnegative(rows)
