"""A formula of one instance as a list of steps, recorded once and run over a whole batch in blocks that stay in the cache.

A formula over one instance cannot look at numbers, so it makes the same steps for every instance.  A :class:`Recorder` stands in
for a number system: its numbers are the *rows* of a table (one row for each entry of an array, the instances beside each other),
and what it computes is one more step.  Reshaping, slicing and stacking move row numbers about and cost nothing later.  What is
computed twice is one step, and steps between constants are made at once, by the number system itself.

Compiled loops then take some hundred instances at a time through all steps: inputs are read from memory once, results written
once, and what lies between stays in the cache.  Steps are those of the number system, in the same order, so enclosures are the
same numbers; sums of floats may round otherwise, by what bounds any order of summation.

Truth, and functions that the loops do not know (exponentials, roots), cannot be recorded: :class:`NotRecorded`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from .enclosures.contractions import in_pairs
from .enclosures.kernels import rows_of_terms
from .one_part import RECORDING
from .protocol import Arithmetic, Parts
from .system import System

Rows = npt.NDArray[np.int64]

ADD, SUB, MUL, DIV, NEG, ABS, DOT, SUM, SOLVE = range(9)
"""What a step may be; the loops know these numbers."""


class NotRecorded(Exception):
    """A formula does what no step is."""


class Step(NamedTuple):
    """One operation on whole rows; ``out`` are the rows that it makes.

    ``ADD, SUB, MUL, DIV`` take rows ``a[o]`` and ``b[o]``; ``NEG, ABS`` rows ``a[o]``; ``DOT`` sums ``a[k, o] b[k, o]`` over
    ``k``; ``SUM`` sums ``a[k, o]``; ``SOLVE`` takes a matrix ``a[n, n]`` and right sides ``b[n, k]``, and makes ``[n, k]``.
    """

    operation: int
    out: Rows
    a: Rows
    b: Rows


@dataclass
class Recorder:
    """An :class:`~.protocol.Arithmetic` whose parts are one array of row numbers, ``core + (1,)``."""

    arithmetic: Arithmetic
    """The number system that it stands in for; it makes the constants."""
    count: int = 0
    """How many rows there are."""
    constants: dict[int, Parts] = field(default_factory=dict)
    """Rows that all instances share: what they hold, parts of shape ``(1,)``."""
    steps: list[Step] = field(default_factory=list)
    _row_of: dict[tuple[float, ...], int] = field(default_factory=dict)
    _made: dict[Any, Rows] = field(default_factory=dict)

    @property
    def system(self) -> System:
        """The system of the formula."""
        return self.arithmetic.system

    def fresh(self, shape: tuple[int, ...]) -> Rows:
        """New rows ``shape + (1,)``."""
        rows = np.arange(self.count, self.count + prod(shape), dtype=np.int64)
        self.count += rows.size
        return rows.reshape((*shape, 1))

    def shared(self, parts: Parts) -> Rows:
        """The rows of numbers ``core + (1,)`` that all instances share."""
        if parts[0].shape[-1] != 1:
            raise NotRecorded("numbers of a batch that are no input")
        flat = [part.reshape(-1) for part in parts]
        rows = np.empty(parts[0].shape, np.int64)
        for place, numbers in enumerate(zip(*(part.tolist() for part in flat), strict=True)):
            if numbers not in self._row_of:
                self._row_of[numbers] = self.count
                self.constants[self.count] = tuple(part[place : place + 1] for part in flat)
                self.count += 1
            rows.flat[place] = self._row_of[numbers]
        return rows

    # -- numbers ------------------------------------------------------------------------------------------------------

    def constant(self, value: int | Fraction) -> Parts:
        """One exact number."""
        return (self.shared(self.arithmetic.constant(value)),)

    def enclose(self, values: npt.NDArray[Any]) -> Parts:
        """Constants ``core + (1,)``."""
        return (self.shared(self.arithmetic.enclose(values)),)

    def _now(self, name: str, *operands: Any) -> Parts | None:
        """What a step between constants makes, at once; None where an operand is none."""
        if not all(row in self.constants for (rows,) in operands for row in rows.flat):
            return None
        if not all(rows.size for (rows,) in operands):
            raise NotRecorded("a step without numbers")
        known = []
        for (rows,) in operands:
            parts = zip(*(self.constants[row] for row in rows.flat), strict=True)
            known.append(tuple(np.concatenate(part).reshape(rows.shape) for part in parts))
        with np.errstate(all="ignore"):
            return (self.shared(getattr(self.arithmetic, name)(*known)),)

    def _step(self, operation: int, shape: tuple[int, ...], a: Rows, b: Rows | None = None) -> Parts:
        """The rows ``shape + (1,)`` that a step makes, once for the same step."""
        b = a if b is None else b
        key = (operation, shape, a.shape, a.tobytes(), b.shape, b.tobytes())
        if key not in self._made:
            out = self._made[key] = self.fresh(shape)
            self.steps.append(Step(operation, out.reshape(-1), a, b))
        return (self._made[key],)

    def _elementwise(self, operation: int, name: str, left: Parts, right: Parts) -> Parts:
        now = self._now(name, left, right)
        if now is not None:
            return now
        a, b = np.broadcast_arrays(left[0], right[0])
        return self._step(operation, a.shape[:-1], a.reshape(-1), b.reshape(-1))

    def add(self, left: Parts, right: Parts) -> Parts:
        """``x + y``"""
        return self._elementwise(ADD, "add", left, right)

    def subtract(self, left: Parts, right: Parts) -> Parts:
        """``x - y``"""
        return self._elementwise(SUB, "subtract", left, right)

    def multiply(self, left: Parts, right: Parts) -> Parts:
        """``x y``"""
        if left is right and self.system is System.ENCLOSURES:  # a square is never below 0
            self._refuse()
        return self._elementwise(MUL, "multiply", left, right)

    def divide(self, left: Parts, right: Parts) -> Parts:
        """``x / y``"""
        return self._elementwise(DIV, "divide", left, right)

    def negative(self, values: Parts) -> Parts:
        """``-x``"""
        return self._now("negative", values) or self._step(NEG, values[0].shape[:-1], values[0].reshape(-1))

    def absolute(self, values: Parts) -> Parts:
        """``|x|``"""
        if self.system is System.ENCLOSURES:
            self._refuse()
        return self._now("absolute", values) or self._step(ABS, values[0].shape[:-1], values[0].reshape(-1))

    def total(self, values: Parts, axes: tuple[int, ...]) -> Parts:
        """The sum over core axes."""
        labels = "abcdefghijklmnopqrstuvwxyz"[: values[0].ndim - 1]
        return self._product_sum((labels,), "".join(x for axis, x in enumerate(labels) if axis not in axes), (values,))

    def contract(self, subscripts: str, *factors: Parts) -> Parts:
        """``einsum``, in the order of the enclosures'."""
        (rows,) = in_pairs(subscripts, factors, self._product_sum)
        return (rows,)

    def _product_sum(self, terms: tuple[str, ...], output: str, factors: tuple[Any, ...]) -> Parts:
        found, core, count = rows_of_terms(terms, output, tuple(rows.shape[:-1] for (rows,) in factors))
        if not count:
            raise NotRecorded("a sum of nothing")
        taken = [rows.reshape(-1)[places] for (rows,), places in zip(factors, found, strict=True)]
        return self._step(DOT if len(factors) > 1 else SUM, core, *taken)

    def solve(self, matrix: Parts, right: Parts) -> Parts:
        """``X`` with ``M X = R``."""
        return self._step(SOLVE, right[0].shape[:-1], matrix[0][..., 0], right[0][..., 0])

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise NotRecorded("a formula that looks at numbers, or leaves arithmetic")

    pseudo_solve = exp = log = sqrt = tilt = maximum = compare = certainly_equal = nonzero = choose = floats = _refuse
    """What no step is."""


@contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """While a formula is recorded: constants are made by the recorder, too."""
    token = RECORDING.set(recorder)
    try:
        yield
    finally:
        RECORDING.reset(token)
