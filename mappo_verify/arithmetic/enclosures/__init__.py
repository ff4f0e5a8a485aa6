"""Enclosures: a midpoint and a radius in float64, certified, nearly as fast as floats.

An enclosure is a pair ``(mid, rad)`` of float64 arrays of shape ``core + (B,)``, the batch last (``B = 1``: one number for the
whole batch); the true number lies in ``[mid - rad, mid + rad]``.  A radius that is not below infinity says nothing: an
overflow, a division by what may be 0, a logarithm of what may not be positive.  Every function works entry by entry or
instance by instance, so such an instance changes no other.

**Exact errors.**  In IEEE 754 double precision, rounding to nearest, ``fl(x ∘ y) = (x ∘ y)(1 + δ) + η`` with ``|δ| ≤ u = 2⁻⁵³``
and ``|η| ≤ 2⁻¹⁰⁷⁵``, where ``η = 0`` for sums.  The error of a sum is a float again and is found by six additions (Knuth's
TwoSum); so is the error of a product (Dekker's, by splitting the factors; a fused multiply-add finds the same number) unless
it underflows.  Radii are made of these errors, not of bounds of them: what float64 represents keeps radius 0, ``1 - 1`` is 0,
and a product with an exact 0 is an exact 0.  A sum of products carries its errors along and adds them in the end (Ogita, Rump
and Oishi's Dot2), so its radius is half a unit in the last place of the *result*, however much of it cancels.

**Radii.**  A radius is a sum of non-negative terms, computed by at most 14 rounded operations, each of which loses at most a
factor ``1 - u``; multiplying by ``UP = 1 + 16u`` makes up for them.  Where a product of two numbers that are not 0 may have
underflowed, ``TINY = 2⁻¹⁰⁷⁰ = 32 · 2⁻¹⁰⁷⁵`` is added as well, which makes up for 32 underflows; it changes no radius above
``2⁻¹⁰¹⁶``.

**Linear systems** are solved in floats, whatever the errors, and verified afterwards: see :func:`solve`.

**Assumed, not proved:** ``exp`` and ``log`` of the C library, as NumPy calls them, err by at most ``LIBM_ULPS`` units in the
last place.  Everything else rests on IEEE 754 alone.

The package needs NumPy only.  Where numba is installed, :mod:`mappo_verify.arithmetic.enclosures.fused` computes the same
numbers in one pass over memory; large arrays take that path by themselves.

>>> third = constant(Fraction(1, 3))
>>> third
(0.3333333333333333, 2.7755575615628914e-17)
>>> one = (np.array([1.0]), np.array([0.0]))
>>> sub(one, one)
(array([0.]), array([0.]))

References: Rump, Verification methods: rigorous results using floating-point arithmetic, Acta Numerica 19 (2010); Ogita, Rump
and Oishi, Accurate sum and dot product, SIAM J. Sci. Comput. 26 (2005); Muller et al., Handbook of Floating-Point Arithmetic.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from ..protocol import Parts, Relation
from ..system import System
from .contractions import contract, total
from .elementary import LIBM_ULPS, exp, log, sqrt, tilt, xlogy
from .kernels import Enclosure
from .linear_systems import finish, solve
from .making import constant, enclose, require_ieee
from .numpy_kernels import NUMPY
from .operations import (
    WORTH_FUSING,
    absolute,
    add,
    bounds,
    compare,
    div,
    entries,
    hull,
    is_zero,
    kernels,
    known,
    maximum,
    minimum,
    mul,
    neg,
    square,
    sub,
    where,
)

__all__ = [
    "LIBM_ULPS",
    "NUMPY",
    "WORTH_FUSING",
    "Enclosures",
    "absolute",
    "add",
    "bounds",
    "compare",
    "constant",
    "contract",
    "div",
    "enclose",
    "exp",
    "finish",
    "hull",
    "is_zero",
    "kernels",
    "known",
    "log",
    "maximum",
    "minimum",
    "mul",
    "neg",
    "require_ieee",
    "solve",
    "sqrt",
    "square",
    "sub",
    "tilt",
    "total",
    "xlogy",
]


def _pair(parts: Parts) -> Enclosure:
    mid, rad = parts
    return mid, rad


class Enclosures:
    """The functions of this package as :class:`~mappo_verify.arithmetic.protocol.Arithmetic`, over parts ``(mid, rad)``."""

    @property
    def system(self) -> System:
        """Enclosures."""
        return System.ENCLOSURES

    def constant(self, value: int | Fraction) -> Parts:
        """One number: :func:`constant`."""
        mid, rad = constant(value)
        return np.array([mid]), np.array([rad])

    def enclose(self, values: npt.NDArray[Any]) -> Parts:
        """Plain numbers: :func:`enclose`."""
        return enclose(values)

    def add(self, left: Parts, right: Parts) -> Parts:
        """``x + y``: :func:`add`."""
        return add(_pair(left), _pair(right))

    def subtract(self, left: Parts, right: Parts) -> Parts:
        """``x - y``: :func:`sub`."""
        return sub(_pair(left), _pair(right))

    def multiply(self, left: Parts, right: Parts) -> Parts:
        """``x y``: :func:`mul`; of one array with itself :func:`square`, which is never below 0."""
        return square(_pair(left)) if left is right else mul(_pair(left), _pair(right))

    def divide(self, left: Parts, right: Parts) -> Parts:
        """``x / y``: :func:`div`."""
        return div(_pair(left), _pair(right))

    def negative(self, values: Parts) -> Parts:
        """``-x``: :func:`neg`."""
        return neg(_pair(values))

    def absolute(self, values: Parts) -> Parts:
        """``|x|``: :func:`absolute`."""
        return absolute(_pair(values))

    def total(self, values: Parts, axes: tuple[int, ...]) -> Parts:
        """The sum over core axes: :func:`total`."""
        return total(_pair(values), axes)

    def contract(self, subscripts: str, *factors: Parts) -> Parts:
        """``einsum`` over core axes: :func:`contract`."""
        return contract(subscripts, *map(_pair, factors))

    def solve(self, matrix: Parts, right: Parts) -> Parts:
        """Verified solutions: :func:`solve`."""
        return solve(_pair(matrix), _pair(right))

    def pseudo_solve(self, matrix: Parts, right: Parts) -> tuple[Parts, Parts]:
        """Of an invertible matrix only: a rank cannot be told from intervals; elsewhere neither part says anything."""
        mid, rad = self.solve(matrix, right)
        told = np.isfinite(mid).all((0, 1)) & (rad < np.inf).all((0, 1))
        nothing = np.broadcast_to(np.where(told, 0.0, np.inf), rad.shape)
        return (mid, rad), (np.zeros_like(mid), nothing)

    def certainly_equal(self, left: Parts, right: Parts) -> npt.NDArray[np.bool_]:
        """Equal points."""
        return np.asarray(self.compare(left, "=", right) > 0)

    def exp(self, values: Parts) -> Parts:
        """``exp x``: :func:`exp`."""
        return exp(_pair(values))

    def log(self, values: Parts) -> Parts:
        """``log x``: :func:`log`."""
        return log(_pair(values))

    def sqrt(self, values: Parts) -> Parts:
        """``√x``: :func:`sqrt`."""
        return sqrt(_pair(values))

    def tilt(self, weights: Parts, exponents: Parts) -> Parts:
        """Gibbs' distribution over the last core axis: :func:`tilt`."""
        return tilt(_pair(weights), _pair(exponents))

    def maximum(self, left: Parts, right: Parts) -> Parts:
        """The larger of two numbers: :func:`maximum`."""
        return maximum(_pair(left), _pair(right))

    def compare(self, left: Parts, relation: Relation, right: Parts) -> npt.NDArray[np.int8]:
        """Three-valued comparison: :func:`compare`."""
        return compare(_pair(left), relation, _pair(right))

    def nonzero(self, values: Parts) -> npt.NDArray[np.int8]:
        """1 where the enclosure excludes 0, -1 where the number is exactly 0, else 0."""
        mid, rad = values
        told = known((mid, rad))
        return (told & (np.abs(mid) > rad)).astype(np.int8) - is_zero((mid, rad)).astype(np.int8)

    def choose(self, truth: npt.NDArray[np.int8], if_true: Parts, if_false: Parts) -> Parts:
        """One or the other; where it is UNKNOWN which, :func:`hull`."""
        a, b = _pair(if_true), _pair(if_false)
        mid, rad = where(truth > 0, a, b)
        unknown = np.broadcast_to(truth == 0, mid.shape)
        if unknown.any():
            mid[unknown], rad[unknown] = hull(entries(a, unknown), entries(b, unknown))
        return mid, rad

    def floats(self, values: Parts) -> npt.NDArray[np.float64]:
        """The midpoints."""
        return values[0]
