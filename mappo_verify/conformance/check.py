"""What one hook is compared with: a formula, the inputs that expose its known slips, and the slips themselves.

A :class:`Check` is plain data.  Its formula is evaluated in rationals (and formal logarithms of rationals), so the value that a
library is compared with has no rounding.  A :class:`Slip` is a mistake that is known from real code; it is a function of the
formula and the inputs, so two slips can be composed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arithmetic import System, floats_of, like

Inputs = Mapping[str, Any]
"""The source data of one call, by name: arrays of exact numbers, masks, integers and exact scalars."""
Formula = Callable[[Inputs], Any]
Derived = Callable[[Inputs], Any]


@dataclass(frozen=True)
class Slip:
    """A known mistake: ``apply(formula, inputs)`` is the value that a library with this mistake computes."""

    name: str
    apply: Callable[[Formula, Inputs], Any]


def changing(name: str, change: Callable[[Inputs], Mapping[str, Any]]) -> Slip:
    """The slip of a library that uses the right formula on changed inputs."""
    return Slip(name, lambda formula, inputs: formula({**inputs, **change(inputs)}))


def instead(name: str, formula: Formula) -> Slip:
    """The slip of a library that uses another formula."""
    return Slip(name, lambda _, inputs: formula(inputs))


SIGN = Slip("the sign is turned round", lambda formula, inputs: -formula(inputs))


@dataclass(frozen=True)
class Argument:
    """One argument that a hook may name.

    ``derive`` computes it from the inputs as floats; ``None`` passes the input of that name.  ``neutral`` says which inputs make
    it superfluous: they are used for hooks that name neither it nor one of its ``alternatives``.
    """

    name: str
    shape: str
    meaning: str
    derive: Derived | None = None
    neutral: Callable[[Inputs], Mapping[str, Any]] | None = None
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One call of a hook."""

    name: str
    inputs: Inputs


@dataclass(frozen=True)
class Check:
    """A hook, and what it is compared with.

    Parameters
    ----------
    hook, returns, shape, formula, source : what the hook computes, in words
    arguments : every argument that it may name; of each group in ``needs`` it must name one
    evaluate : the formula
    cases : the inputs, smallest first, from a random generator
    slips : known mistakes
    uses : which inputs of a case it needs; all of them by default
    reduce : what is compared, from what the hook returns (the returned array itself by default)
    steps : whether the inputs are a trajectory, with time as first axis
    in_batch : further slips of inputs with axes behind time
    """

    hook: str
    returns: str
    shape: str
    formula: str
    source: str
    arguments: tuple[Argument, ...]
    evaluate: Formula
    cases: Callable[[np.random.Generator], Iterator[Case]]
    slips: tuple[Slip, ...]
    needs: tuple[tuple[str, ...], ...] = ()
    uses: tuple[str, ...] = ()
    reduce: Callable[[Any, Inputs], Any] = field(default=lambda found, _: found)
    steps: bool = False
    in_batch: Callable[[Inputs], tuple[Slip, ...]] = field(default=lambda _: ())

    def drawn(self, generator: np.random.Generator) -> list[Case]:
        """The cases, each with the inputs that this check needs."""
        return [Case(case.name, self.needed(case.inputs)) for case in self.cases(generator)]

    def needed(self, inputs: Inputs) -> Inputs:
        """The inputs that this check needs."""
        return {name: value for name, value in inputs.items() if not self.uses or name in self.uses}

    def with_sign(self) -> tuple[Slip, ...]:
        """The slips, with the one that every formula has."""
        return (*self.slips, SIGN)


def exact(values: Any) -> Any:
    """An array of rationals from nested lists of ints and fractions."""
    return like(np.array(values, dtype=object), System.RATIONALS)


def as_floats(value: Any) -> Any:
    """The nearest float64 of exact numbers; masks and integers stay what they are."""
    if isinstance(value, list):
        return [as_floats(part) for part in value]
    if isinstance(value, np.ndarray):
        return floats_of(value) if value.dtype.kind == "O" else value
    if isinstance(value, (bool, int, float, tuple)):
        return value
    return float(floats_of(np.array(value, dtype=object)))


def floats(inputs: Inputs) -> dict[str, Any]:
    """All inputs as floats."""
    return {name: as_floats(value) for name, value in inputs.items()}
