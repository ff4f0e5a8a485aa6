"""Symbols: quotients of polynomials, and of their degrees.

A :class:`Quotient` is ``numerator / Π factorʲ``.  Denominators are kept as a *list of known factors* of one
:class:`Ring`, so that the determinant of ``I - γP_π`` is one shared factor and sums need no cross-multiplication.  Two rings:

* :class:`PolynomialRing`: polynomials over ℚ (flint's ``fmpq_mpoly``).  A numerator that vanishes proves an identity for
  every parameter at which no denominator vanishes.
* :class:`DegreeRing`: total degrees, where ``+`` is the maximum and ``·`` the sum.  The same formula, run over degrees,
  yields the degree bound that the lemma of Schwartz and Zippel needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import flint
import numpy as np
import numpy.typing as npt

from ..errors import ExactnessError, SingularError, UndecidedError
from .formal import FormalLog
from .one_instance import WITHIN, no_answer
from .system import FALSE, TRUE, UNKNOWN, Array, System, Truth, elementwise


class Ring:
    """Numerators, and the factors that may stand in denominators."""

    def __init__(self) -> None:
        self.factors: list[Any] = []
        self.unsigned: set[int] = set()
        """Factors that were divided by although no fact says that they are not 0."""

    def number(self, value: flint.fmpq) -> Any:
        raise NotImplementedError

    def factor_of(self, element: Any) -> int | None:
        """The index of a denominator factor; None for a constant."""
        raise NotImplementedError


class PolynomialRing(Ring):
    """ℚ[names]."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.context = flint.fmpq_mpoly_ctx.get(names, flint.Ordering.degrevlex)

    def number(self, value: flint.fmpq) -> Any:
        return self.context.constant(value)

    def generators(self) -> list[Quotient]:
        return [Quotient(self, generator, {}) for generator in self.context.gens()]

    def conditions(self) -> tuple[str, ...]:
        """``p ≠ 0`` for everything that was divided by although no fact says that it is not 0; long ones are described."""
        short, long = [], []
        for index in sorted(self.unsigned):
            factor = self.factors[index]
            text = str(factor)
            if len(text) <= 40:
                short.append(f"{text} ≠ 0")
            else:
                long.append(f"a polynomial of degree {factor.total_degree()} with {len(factor)} terms ≠ 0")
        return (*short, *dict.fromkeys(long))

    def factor_of(self, element: Any) -> int | None:
        if element.is_constant():
            return None
        for index, known in enumerate(self.factors):
            if known == element:
                return index
        self.factors.append(element)
        return len(self.factors) - 1


class Degree:
    """The degree of a polynomial, or an upper bound of it; None is the degree of 0."""

    __slots__ = ("bound",)

    def __init__(self, bound: int | None) -> None:
        self.bound = bound

    def __add__(self, other: Degree) -> Degree:
        if self.bound is None or other.bound is None:
            return other if self.bound is None else self
        return Degree(max(self.bound, other.bound))

    __sub__ = __add__

    def __neg__(self) -> Degree:
        return self

    def __mul__(self, other: Degree) -> Degree:
        if self.bound is None or other.bound is None:
            return Degree(None)
        return Degree(self.bound + other.bound)

    def __pow__(self, exponent: int) -> Degree:
        return Degree(None if self.bound is None else self.bound * exponent)

    def __eq__(self, other: object) -> bool:
        return self.bound is None if other == 0 else NotImplemented

    __hash__ = None  # type: ignore[assignment]


class DegreeRing(Ring):
    """The degrees of polynomials.  Every division makes a new factor, since degrees cannot tell equal ones."""

    def number(self, value: flint.fmpq) -> Degree:
        return Degree(None if value == 0 else 0)

    def generator(self) -> Quotient:
        return Quotient(self, Degree(1), {})

    def factor_of(self, element: Any) -> int | None:
        if element.bound == 0:
            return None
        self.factors.append(element)
        return len(self.factors) - 1


class Quotient:
    """``numerator / Π factors[i]^power[i]`` over a ring; immutable, and equal to another when the difference vanishes.

    ``sign`` is 1, 0 or -1 where it is the same for all parameters that the ingredients admit, else None: it follows from facts
    that ingredients state (this weight is positive), through sums of one sign, products and quotients.
    """

    __slots__ = ("numerator", "powers", "ring", "sign")
    __hash__ = None  # type: ignore[assignment]
    system = System.SYMBOLS

    def __init__(self, ring: Ring, numerator: Any, powers: dict[int, int], sign: int | None = None) -> None:
        self.ring = ring
        self.numerator = numerator
        self.powers = powers
        self.sign = 0 if _vanishes(numerator) else sign

    def _constant(self, value: flint.fmpq) -> Quotient:
        return Quotient(self.ring, self.ring.number(value), {}, int(value > 0) - int(value < 0))

    def _lift(self, other: Any) -> Quotient | None:
        """``other`` as an element of this field; None if it is none."""
        if isinstance(other, Quotient):
            if other.ring is self.ring:
                return other
            return self._constant(other.numerator) if other.ring is SCALARS else None
        if isinstance(other, (int, np.integer)):
            return self._constant(flint.fmpq(int(other)))
        if isinstance(other, (flint.fmpq, flint.fmpz)):
            return self._constant(flint.fmpq(other))
        return None

    def _numerator_over(self, powers: dict[int, int]) -> Any:
        """The numerator over the common denominator ``powers``."""
        numerator = self.numerator
        for index, power in powers.items():
            missing = power - self.powers.get(index, 0)
            if missing:
                numerator = numerator * self.ring.factors[index] ** missing
        return numerator

    def _combine(self, other: Any, sign: int) -> Any:
        if isinstance(other, Quotient) and self.ring is SCALARS and other.ring is not SCALARS:
            lifted = other._lift(self)
            assert lifted is not None
            return lifted._combine(other, sign)
        right = self._lift(other)
        if right is None:
            return NotImplemented
        powers = {
            index: max(self.powers.get(index, 0), right.powers.get(index, 0)) for index in self.powers | right.powers
        }
        left_numerator, right_numerator = self._numerator_over(powers), right._numerator_over(powers)
        numerator = left_numerator + right_numerator if sign > 0 else left_numerator - right_numerator
        signs = {self.sign, None if right.sign is None else sign * right.sign} - {0}
        known = signs.pop() if len(signs) == 1 else None
        return Quotient(self.ring, numerator, {} if _vanishes(numerator) else powers, known)

    def __add__(self, other: Any) -> Any:
        return self._combine(other, 1)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._combine(other, -1)

    def __rsub__(self, other: Any) -> Any:
        return (-self)._combine(other, 1)

    def __neg__(self) -> Quotient:
        return Quotient(self.ring, -self.numerator, self.powers, None if self.sign is None else -self.sign)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Quotient) and self.ring is SCALARS and other.ring is not SCALARS:
            return other * self
        right = self._lift(other)
        if right is None:
            return NotImplemented
        if self.is_zero() or right.is_zero():
            return self._constant(flint.fmpq(0))
        powers = {index: self.powers.get(index, 0) + right.powers.get(index, 0) for index in self.powers | right.powers}
        sign = None if self.sign is None or right.sign is None else self.sign * right.sign
        return Quotient(self.ring, self.numerator * right.numerator, powers, sign)

    __rmul__ = __mul__

    def inverse(self) -> Quotient:
        """``1 / self``; the numerator becomes a denominator factor."""
        if self.is_zero():
            raise ZeroDivisionError("division by the zero quotient")
        numerator = self._numerator_over(self.powers)  # multiplies nothing: the powers are its own
        top = self._constant(flint.fmpq(1))._numerator_over(self.powers)
        index = self.ring.factor_of(numerator)
        if index is None:
            return Quotient(self.ring, _over_constant(top, numerator), {}, self.sign)
        if self.sign is None:
            self.ring.unsigned.add(index)
        return Quotient(self.ring, top, {index: 1}, self.sign)

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Quotient) and self.ring is SCALARS and other.ring is not SCALARS:
            return other._lift(self) / other
        right = self._lift(other)
        return NotImplemented if right is None else self * right.inverse()

    def __rtruediv__(self, other: Any) -> Any:
        left = self._lift(other)
        return NotImplemented if left is None else left * self.inverse()

    def __abs__(self) -> Quotient:
        if self.sign is None:
            no_answer(UndecidedError("an absolute value depends on the parameters"))
        return -self if self.sign < 0 else self

    def is_zero(self) -> bool:
        return _vanishes(self.numerator)

    def __eq__(self, other: object) -> bool:
        difference = self._combine(other, -1)
        return NotImplemented if difference is NotImplemented else difference.is_zero()

    def as_integer(self) -> int | None:
        """This as an integer, if it is one (``β/β`` is 1)."""
        if self.is_zero():
            return 0
        if isinstance(self.ring, DegreeRing):
            return None
        if self.ring is SCALARS:
            return int(self.numerator.p) if self.numerator.q == 1 else None
        denominator = self.ring.number(flint.fmpq(1))
        for index, power in self.powers.items():
            denominator = denominator * self.ring.factors[index] ** power
        ratio = flint.fmpq(self.numerator.leading_coefficient()) / flint.fmpq(denominator.leading_coefficient())
        return int(ratio.p) if ratio.q == 1 and self.numerator == ratio * denominator else None

    def degree(self) -> tuple[int, int]:
        """Upper bounds for the total degrees of numerator and denominator."""
        below = sum(power * _degree(self.ring.factors[index]) for index, power in self.powers.items())
        return _degree(self.numerator), below

    def __repr__(self) -> str:
        top = str(getattr(self.numerator, "bound", self.numerator))
        if not self.powers:
            return top
        below = "·".join(
            f"({getattr(self.ring.factors[i], 'bound', self.ring.factors[i])})" + (f"^{p}" if p > 1 else "")
            for i, p in self.powers.items()
        )
        return f"({top})/{below}"


class _ScalarRing(Ring):
    """The ring of constants: a constant joins the ring of the first symbol that it meets."""

    def number(self, value: flint.fmpq) -> Any:
        return value

    def factor_of(self, element: Any) -> int | None:
        return None


SCALARS = _ScalarRing()


def _vanishes(value: Any) -> bool:
    return bool(value == 0)


def _over_constant(top: Any, divisor: Any) -> Any:
    if isinstance(divisor, Degree):
        return top
    if isinstance(divisor, flint.fmpq):
        return top / divisor
    return top * (1 / flint.fmpq(divisor.leading_coefficient()))


def _degree(element: Any) -> int:
    if isinstance(element, Degree):
        return element.bound or 0
    return 0 if isinstance(element, flint.fmpq) or _vanishes(element) else int(element.total_degree())


def constant(value: int | Fraction) -> Quotient:
    value = Fraction(value)
    number = flint.fmpq(value.numerator, value.denominator)
    return Quotient(SCALARS, number, {}, int(number > 0) - int(number < 0))


def _ring_of(*arrays: Array) -> Ring:
    for array in arrays:
        for value in array.ravel().tolist():
            if isinstance(value, Quotient) and value.ring is not SCALARS:
                return value.ring
    return SCALARS


def _determinant(rows: tuple[tuple[Any, ...], ...], zero: Any) -> Any:
    """By Laplace's expansion with shared minors: no division, 2ⁿ·n products, right for the small n of symbols."""
    size = len(rows)

    @cache
    def minor(row: int, columns: int) -> Any:
        if row == size:
            return None
        total, sign = zero, 1
        for column in range(size):
            if columns >> column & 1:
                entry = rows[row][column]
                if not entry.is_zero():
                    below = minor(row + 1, columns & ~(1 << column))
                    term = entry if below is None else entry * below
                    total = total + term if sign > 0 else total - term
                sign = -sign
        return total

    return minor(0, (1 << size) - 1)


def solve(matrix: Array, right: Array) -> Array:
    """Cramer's rule; all entries of the answer share one denominator factor, the determinant."""
    batch = np.broadcast_shapes(matrix.shape[:-2], right.shape[:-2])
    matrix = np.broadcast_to(matrix, batch + matrix.shape[-2:])
    right = np.broadcast_to(right, batch + right.shape[-2:])
    result = np.empty(right.shape, object)
    for index in np.ndindex(*batch):
        result[index] = _solve_one(matrix[index], right[index])
    return result


def pseudo_solve(matrix: Array, right: Array) -> tuple[Array, Array]:
    solution = solve(matrix, right)
    return solution, np.asarray(solution - solution)


def _solve_one(matrix: Array, right: Array) -> Array:
    ring = _ring_of(matrix, right)
    unit = Quotient(ring, ring.number(flint.fmpq(1)), {})
    matrix, right = elementwise(unit._lift, matrix), elementwise(unit._lift, right)
    size = len(matrix)
    # Clear the denominators of each row first, so that minors are polynomials.
    scaled_left, scaled_right = matrix.copy(), right.copy()
    for row in range(size):
        powers: dict[int, int] = {}
        for entry in matrix[row]:
            powers = {i: max(powers.get(i, 0), entry.powers.get(i, 0)) for i in powers | entry.powers}
        scale = Quotient(ring, unit._numerator_over(powers), {})
        for column in range(size):
            entry = matrix[row, column]
            scaled_left[row, column] = Quotient(ring, entry._numerator_over(powers), {})
        scaled_right[row] = elementwise(lambda entry, scale=scale: entry * scale, right[row])
    zero = Quotient(ring, ring.number(flint.fmpq(0)), {})
    rows = tuple(tuple(row) for row in scaled_left.tolist())
    determinant = _determinant(rows, zero)
    if determinant.is_zero():
        raise SingularError("the linear system is singular for every parameter")
    inverse = determinant.inverse()
    result = np.empty(right.shape, object)
    for unknown in range(size):
        cofactors = []
        for row in range(size):
            kept = tuple(tuple(v for c, v in enumerate(r) if c != unknown) for i, r in enumerate(rows) if i != row)
            cofactor = _determinant(kept, zero) if kept else unit
            cofactors.append(-cofactor if (row + unknown) % 2 else cofactor)
        for column in range(right.shape[1]):
            total = zero
            for row in range(size):
                total = total + cofactors[row] * scaled_right[row, column]
            result[unknown, column] = total * inverse
    return result


class SymbolicLog(FormalLog):
    """A formal logarithm over polynomial bases.  Logarithms are of absolute values, so signs of bases do not matter."""

    __slots__ = ()
    system = System.SYMBOLS

    def _one(self) -> Any:
        return constant(1)

    def _power(self, base: Any, exponent: int) -> Any:
        if isinstance(base, (int, flint.fmpz)):
            return constant(int(base) ** exponent)
        ring = _ring_of(np.array([self.constant, *(c for _, c in self.terms)], dtype=object))
        return Quotient(ring, base**exponent, {}, 1)  # an exponential is positive

    def sign(self) -> int:
        if self.is_zero():
            return 0
        return no_answer(UndecidedError("the sign of a symbolic logarithm depends on the parameters"))


def _log(value: Any) -> Any:
    if isinstance(value, Quotient) and not isinstance(value.ring, DegreeRing) and _sign_of(value) != 1:
        no_answer(
            ExactnessError(f"log({str(value)[:60]}) needs a positive number, and no ingredient says that this is one")
        )
    return _log_of(value)


def _log_of(value: Any) -> Any:
    """``Σ eᵢ log|fᵢ|`` over the factors of ``value``, which is positive wherever its logarithm counts."""
    if not isinstance(value, Quotient) or isinstance(value.ring, DegreeRing):
        no_answer(ExactnessError(f"log of {value} has no symbolic value"))
    ring = value.ring

    def number(k: int) -> Quotient:
        return Quotient(ring, ring.number(flint.fmpq(k)), {})

    if ring is SCALARS:
        terms = [(flint.fmpq(value.numerator).p, number(1)), (flint.fmpq(value.numerator).q, number(-1))]
    else:
        terms = [(value.numerator, number(1))]
        terms += [(ring.factors[index], number(-power)) for index, power in value.powers.items()]
    return SymbolicLog(number(0), terms)


def _exp(value: Any) -> Any:
    if isinstance(value, FormalLog):
        return value.exp()
    if isinstance(value, Quotient) and value.is_zero():
        return constant(1)
    return no_answer(ExactnessError(f"exp({value}) has no symbolic value; give log-values as logarithms"))


def xlogy(factor: Array, values: Array) -> Array:
    """``x log y`` with ``0 log 0 = 0``; a positive ``x`` needs a positive ``y``.

    Where ``x`` may be 0 it is, formally, ``x · Σ eᵢ log|fᵢ|`` over the factors of ``y``.  Whatever number takes the place of
    ``log|fᵢ|`` where ``fᵢ = 0``, the factor ``x = 0`` makes the product 0: identities of formal expressions hold there, too.
    """

    def one(x: Any, y: Any) -> Any:
        if _vanishes(x):
            return x
        return x * (_log_of(y) if _sign_of(x) is None else _log(y))

    return elementwise(one, factor, values)


def exp(values: Array) -> Array:
    return elementwise(_exp, values)


def log(values: Array) -> Array:
    return elementwise(_log, values)


def sqrt(values: Array) -> Array:
    no_answer(ExactnessError("square roots have no symbolic value; compare squares"))


def infinity(where: str) -> Any:
    no_answer(ExactnessError(f"a positive number is divided by zero at index {where}"))


def _compare(relation: str, left: Any, right: Any) -> np.int8:
    """Two lines that differ are no identity; what a proof compares may be equal for some parameters."""
    difference = right - left
    sign = _sign_of(difference)
    if sign is not None:
        return TRUE if {"=": sign == 0, "≤": sign >= 0, "<": sign > 0}[relation] else FALSE
    polynomial = isinstance(difference, Quotient) and isinstance(difference.ring, PolynomialRing)
    return FALSE if relation == "=" and polynomial and not WITHIN.get() else UNKNOWN


def compare(left: Array, relation: str, right: Array) -> Truth:
    return elementwise(lambda x, y: _compare(relation, x, y), left, right).astype(np.int8)


def certainly_equal(left: Array, right: Array) -> npt.NDArray[np.bool_]:
    return elementwise(lambda x, y: x is y or bool(x == y), left, right).astype(bool)


def support(values: Array) -> npt.NDArray[np.bool_]:
    """Generic: everything but the zero polynomial counts as non-zero."""
    return elementwise(lambda x: not _vanishes(x), values).astype(bool)


def assume_positive(values: Array) -> Array:
    """The same numbers, known to be positive."""
    return elementwise(lambda x: Quotient(x.ring, x.numerator, x.powers, 1) if isinstance(x, Quotient) else x, values)


def _sign_of(value: Any) -> int | None:
    """The sign that is known."""
    if isinstance(value, FormalLog):
        return 0 if value.is_zero() else None
    plain = value.sign is None and not value.powers and isinstance(value.ring, PolynomialRing)
    if plain and value.numerator.is_constant():
        return 1 if flint.fmpq(value.numerator.leading_coefficient()) > 0 else -1
    return value.sign  # type: ignore[no-any-return]


def nonzero(values: Array) -> Truth:
    """TRUE where a sign is known; what may vanish for some parameters is UNKNOWN."""
    return elementwise(lambda x: {0: FALSE, None: UNKNOWN}.get(_sign_of(x), TRUE), values).astype(np.int8)


def hull(left: Any, right: Any) -> Any:
    if left is right or left == right:
        return left
    return no_answer(UndecidedError("which of two values to choose depends on the parameters"))


def maximum(left: Array, right: Array) -> Array:
    no_answer(UndecidedError("which of two symbols is larger depends on the parameters"))


def argmax(values: Array) -> npt.NDArray[np.intp]:
    no_answer(UndecidedError("which of several symbols is largest depends on the parameters"))


def to_float(value: Any) -> float:
    raise ExactnessError("a symbol has no value")


def at(value: Any, point: Sequence[flint.fmpq]) -> Any:
    """A quotient, or a formal logarithm over quotients, at rational values of the indeterminates.

    :class:`ZeroDivisionError` where a denominator vanishes there.
    """
    if isinstance(value, FormalLog):
        found = FormalLog(at(value.constant, point), [])
        for base, coefficient in value.terms:
            number = abs(_at(base, point))
            factor = at(coefficient, point)
            found = found + FormalLog(flint.fmpq(0), [(number.p, factor), (number.q, -factor)])
        return found
    denominator = flint.fmpq(1)
    for index, power in value.powers.items():
        denominator *= _at(value.ring.factors[index], point) ** power
    return _at(value.numerator, point) / denominator


def _at(element: Any, point: Sequence[flint.fmpq]) -> flint.fmpq:
    """A polynomial, or a constant, at a point."""
    return flint.fmpq(element if isinstance(element, (int, flint.fmpz, flint.fmpq)) else element(*point))
