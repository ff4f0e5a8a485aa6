"""Systems whose numbers are the elements of one array: floats, rationals, balls and symbols, as :class:`.protocol.Arithmetic`."""

from __future__ import annotations

from contextvars import ContextVar
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import note
from .dispatch import Elements, floats_of, like, module_of
from .protocol import Arithmetic, Parts, Relation
from .system import TRUE, System, elementwise

RECORDING: ContextVar[Arithmetic | None] = ContextVar("what stands in for a number system", default=None)
"""Set while a formula is recorded: see :mod:`.recorded`."""


class OnePart:
    """A system whose numbers are elements of one array, from the module that implements it."""

    def __init__(self, system: System, module: Elements) -> None:
        self._system, self._module = system, module

    @property
    def system(self) -> System:
        return self._system

    def constant(self, value: int | Fraction) -> Parts:
        result = np.empty(1, float if self._system is System.FLOATS else object)
        result[0] = self._module.constant(value)
        return (result,)

    def enclose(self, values: npt.NDArray[Any]) -> Parts:
        if self._system is System.FLOATS:
            return (
                (np.ascontiguousarray(values, dtype=np.float64),)
                if values.dtype.kind != "O"
                else (self.floats((values,)),)
            )
        if values.dtype.kind in "iu" or (values.size and type(values.flat[0]) is int):
            return (like(values, self._system),)
        if self._system is System.BALLS:
            from .balls import enclose_all

            return (enclose_all(values),)
        if self._system is System.SYMBOLS:
            from .symbols import own

            return (elementwise(own, values),)
        return (values,)

    def add(self, left: Parts, right: Parts) -> Parts:
        return (np.add(left[0], right[0]),)

    def subtract(self, left: Parts, right: Parts) -> Parts:
        return (np.subtract(left[0], right[0]),)

    def multiply(self, left: Parts, right: Parts) -> Parts:
        return (np.multiply(left[0], right[0]),)

    def divide(self, left: Parts, right: Parts) -> Parts:
        try:
            return (np.true_divide(left[0], right[0]),)
        except ZeroDivisionError as error:
            note(error)
            raise

    def negative(self, values: Parts) -> Parts:
        return (np.negative(values[0]),)

    def absolute(self, values: Parts) -> Parts:
        return (np.abs(values[0]),)

    def total(self, values: Parts, axes: tuple[int, ...]) -> Parts:
        return (np.add.reduce(values[0], axis=axes),)

    def contract(self, subscripts: str, *factors: Parts) -> Parts:
        inputs, _, output = subscripts.partition("->")
        spelled = ",".join(term + "Z" for term in inputs.split(",")) + f"->{output}Z"
        return (np.asarray(np.einsum(spelled, *(part for (part,) in factors))),)

    def solve(self, matrix: Parts, right: Parts) -> Parts:
        batch_first = (np.moveaxis(part, -1, 0) for (part,) in (matrix, right))
        return (np.moveaxis(self._module.solve(*batch_first), 0, -1),)

    def pseudo_solve(self, matrix: Parts, right: Parts) -> tuple[Parts, Parts]:
        batch_first = (np.moveaxis(part, -1, 0) for (part,) in (matrix, right))
        solution, remainder = self._module.pseudo_solve(*batch_first)
        return (np.moveaxis(solution, 0, -1),), (np.moveaxis(remainder, 0, -1),)

    def exp(self, values: Parts) -> Parts:
        return (self._module.exp(values[0]),)

    def log(self, values: Parts) -> Parts:
        return (self._module.log(values[0]),)

    def sqrt(self, values: Parts) -> Parts:
        return (self._module.sqrt(values[0]),)

    def tilt(self, weights: Parts, exponents: Parts) -> Parts:
        (weight,), (exponent,) = weights, exponents
        if self._system is System.FLOATS:  # shifted, which changes nothing but the overflow
            hidden = np.where(weight > 0, 0.0, -np.inf)
            exponent = np.minimum(exponent - (exponent + hidden).max(-2, keepdims=True), 0.0)
        tilted = weight * self._module.exp(exponent)
        return (tilted / tilted.sum(-2, keepdims=True),)

    def maximum(self, left: Parts, right: Parts) -> Parts:
        return (self._module.maximum(left[0], right[0]),)

    def compare(self, left: Parts, relation: Relation, right: Parts) -> npt.NDArray[np.int8]:
        found = np.asarray(self._module.compare(left[0], relation, right[0]), dtype=np.int8)
        if relation == "=" and self.system is System.BALLS:
            same = elementwise(_same_point, *np.broadcast_arrays(left[0], right[0])).astype(bool)
            return np.where(same, TRUE, found)
        return found

    def certainly_equal(self, left: Parts, right: Parts) -> npt.NDArray[np.bool_]:
        return np.asarray(self._module.certainly_equal(*np.broadcast_arrays(left[0], right[0])), dtype=bool)

    def nonzero(self, values: Parts) -> npt.NDArray[np.int8]:
        return np.asarray(self._module.nonzero(values[0]), dtype=np.int8)

    def choose(self, truth: npt.NDArray[np.int8], if_true: Parts, if_false: Parts) -> Parts:
        decided = np.where(truth > 0, if_true[0], if_false[0])
        unknown = np.broadcast_to(truth == 0, decided.shape)
        if unknown.any():
            both = (np.broadcast_to(part, decided.shape)[unknown] for part in (if_true[0], if_false[0]))
            decided[unknown] = elementwise(self._module.hull, *both)
        return (decided,)

    def floats(self, values: Parts) -> npt.NDArray[np.float64]:
        return floats_of(values[0])


def _same_point(x: Any, y: Any) -> bool:
    """Whether two balls are one point; a ball of some width proves no equality."""
    return bool(x.is_exact() and y.is_exact() and x == y)


def arithmetic_of(system: System) -> Arithmetic:
    """What implements a number system; while a formula is recorded, what stands in for it."""
    recorder = RECORDING.get()
    return recorder if recorder is not None and recorder.system is system else implementation_of(system)


@cache
def implementation_of(system: System) -> Arithmetic:
    """What implements a number system, whatever is recorded."""
    if system is System.ENCLOSURES:
        from .enclosures import Enclosures

        return Enclosures()
    return OnePart(system, module_of(system))
