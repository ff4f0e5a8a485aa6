"""What a number system must do, and the laws that all of them obey.

A system computes with *parts*: arrays of shape ``core + (B,)``, the instances of a batch last.  Floats, rationals, balls and
symbols have one part; enclosures have two, midpoint and radius.

Laws (``tests/test_arithmetic_laws.py`` tries them on every system).  Write ``[x]`` for what a result may stand for: the number
itself in an exact system, every number inside the enclosure or the ball, and the rounded number in floats.

1. *Containment*: for each operation the exact result for every choice of arguments inside the operands lies in ``[x]``.
2. *Exact constants*: ``constant(v)`` contains ``v``, and is ``v`` wherever the system can hold it.
3. *Truth*: ``compare`` is TRUE (FALSE) only if the relation holds (fails) for every choice; else UNKNOWN.  An exact system never
   answers UNKNOWN about numbers.  Enclosures and balls call an equality TRUE only between points.
4. *Zero is zero*: ``0 · x`` is exactly 0, and an entry known to be 0 stays 0 through sums, products and contractions.
5. *One instance alone*: what is undefined or too large in one instance changes no other.  Where a system cannot say so in the
   number itself (rationals divide by 0), the operation raises, and the engine tries the instances apart.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from .system import System

Parts = tuple[npt.NDArray[Any], ...]
Relation = Literal["=", "≤", "<"]


class Arithmetic(Protocol):
    """One number system, over parts ``core + (B,)``; shapes broadcast as in NumPy."""

    @property
    def system(self) -> System:
        """Which one this is."""

    def constant(self, value: int | Fraction) -> Parts:
        """One exact number, parts of shape ``(1,)``."""

    def enclose(self, values: npt.NDArray[Any]) -> Parts:
        """Plain numbers ``core + (B,)``: integers, exact rationals with formal logarithms, or this system's own."""

    def add(self, left: Parts, right: Parts) -> Parts:
        """``x + y``"""

    def subtract(self, left: Parts, right: Parts) -> Parts:
        """``x - y``"""

    def multiply(self, left: Parts, right: Parts) -> Parts:
        """``x y``"""

    def divide(self, left: Parts, right: Parts) -> Parts:
        """``x / y``"""

    def negative(self, values: Parts) -> Parts:
        """``-x``"""

    def absolute(self, values: Parts) -> Parts:
        """``|x|``"""

    def total(self, values: Parts, axes: tuple[int, ...]) -> Parts:
        """The sum over core axes."""

    def contract(self, subscripts: str, *factors: Parts) -> Parts:
        """``einsum`` over the core axes; ``subscripts`` has no label for the batch."""

    def solve(self, matrix: Parts, right: Parts) -> Parts:
        """``X`` with ``M X = R`` for ``[n, n, B]`` and ``[n, k, B]``; ``M`` needs no pivoting, see :func:`.solve`."""

    def pseudo_solve(self, matrix: Parts, right: Parts) -> tuple[Parts, Parts]:
        """``M⁺R`` and what of ``R`` lies outside the range of ``M``, for ``[n, n, B]`` and ``[n, k, B]``."""

    def exp(self, values: Parts) -> Parts:
        """``exp x``"""

    def log(self, values: Parts) -> Parts:
        """``log x`` of positive numbers."""

    def sqrt(self, values: Parts) -> Parts:
        """``√x`` of numbers that are not negative."""

    def tilt(self, weights: Parts, exponents: Parts) -> Parts:
        """``w exp(x) / Σ w exp(x)`` over the last core axis."""

    def maximum(self, left: Parts, right: Parts) -> Parts:
        """The larger of two numbers, enclosed where it is undecided which."""

    def compare(self, left: Parts, relation: Relation, right: Parts) -> npt.NDArray[np.int8]:
        """1 TRUE, 0 UNKNOWN, -1 FALSE."""

    def certainly_equal(self, left: Parts, right: Parts) -> npt.NDArray[np.bool_]:
        """Where two entries stand for one number beyond doubt: equal points, or one and the same ball."""

    def nonzero(self, values: Parts) -> npt.NDArray[np.int8]:
        """Whether ``x ≠ 0``, three-valued."""

    def choose(self, truth: npt.NDArray[np.int8], if_true: Parts, if_false: Parts) -> Parts:
        """One or the other; where the truth is UNKNOWN what contains both, or :class:`UndecidedError` where nothing can."""

    def floats(self, values: Parts) -> npt.NDArray[np.float64]:
        """The nearest floats, for display and for steering a search."""
