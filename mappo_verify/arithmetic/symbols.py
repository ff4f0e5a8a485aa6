"""Symbols: the functions of formulas over the field of :mod:`.rings`, and formal logarithms over its polynomials."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache, reduce
from operator import add, mul
from typing import Any

import flint
import numpy as np
import numpy.typing as npt

from ..errors import ExactnessError, SingularError, UndecidedError, evaluating
from .formal import FormalLog
from .one_instance import no_answer
from .rings import (
    ACTIVE,
    NONNEGATIVE,
    POSITIVE,
    SCALARS,
    DegreeRing,
    PolynomialRing,
    Quotient,
    Ring,
    _vanishes,
    joined,
)
from .system import FALSE, TRUE, UNKNOWN, Plain, System, Truth, elementwise


def constant(value: int | Fraction) -> Quotient:
    value = Fraction(value)
    number = flint.fmpq(value.numerator, value.denominator)
    return Quotient(SCALARS, number, {}, int(number > 0) - int(number < 0))


def own(value: Any) -> Any:
    """A rational as the constant of every ring; symbols as they are."""
    return constant(Fraction(int(value.p), int(value.q))) if isinstance(value, flint.fmpq) else value


def _ring_of(*arrays: Plain) -> Ring:
    for array in arrays:
        for value in array.ravel().tolist():
            if isinstance(value, Quotient) and value.ring is not SCALARS:
                return value.ring
    return SCALARS


def _determinant(rows: tuple[tuple[Any, ...], ...], zero: Any) -> Any:
    """By Laplace's expansion with shared minors: no division, 2ⁿ·n products, right for the small n of symbols.

    Of degrees, the product of the rows' sums: no term of the expansion has a larger one.
    """
    size = len(rows)
    if isinstance(zero.ring, DegreeRing):
        return reduce(mul, (reduce(add, row) for row in rows))

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


def solve(matrix: Plain, right: Plain) -> Plain:
    """Cramer's rule; all entries of the answer share one denominator factor, the determinant."""
    batch = np.broadcast_shapes(matrix.shape[:-2], right.shape[:-2])
    matrix = np.broadcast_to(matrix, batch + matrix.shape[-2:])
    right = np.broadcast_to(right, batch + right.shape[-2:])
    result = np.empty(right.shape, object)
    for index in np.ndindex(*batch):
        result[index] = _solve_one(matrix[index], right[index])
    return result


def pseudo_solve(matrix: Plain, right: Plain) -> tuple[Plain, Plain]:
    solution = solve(matrix, right)
    return solution, np.asarray(solution - solution)


def _solve_one(matrix: Plain, right: Plain) -> Plain:
    ring = _ring_of(matrix, right)
    unit = Quotient(ring, ring.number(flint.fmpq(1)), {})
    matrix, right = elementwise(unit._lift, matrix), elementwise(unit._lift, right)
    size = len(matrix)
    # Clear the denominators of each row first, so that minors are polynomials.
    scaled_left, scaled_right = matrix.copy(), right.copy()
    for row in range(size):
        powers: dict[int, int] = {}
        for entry in matrix[row]:
            powers = joined(max, powers, entry.powers)
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
    ring.determinants |= set(inverse.powers)
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
        ring = self._ring()
        assert ring is not None
        size = Quotient(ring, base, {}, ring.sign_of(base) or None)  # the logarithm is that of its absolute value
        return Quotient(ring, (size if exponent % 2 == 0 else abs(size)).numerator ** exponent, {}, POSITIVE)

    def sign(self) -> int:
        if self.is_zero():
            return 0
        return no_answer(UndecidedError("the sign of a symbolic logarithm depends on the parameters"))

    def _quick_sign(self) -> int:
        return 0  # polynomials have no enclosure

    def is_zero(self) -> bool:
        if super().is_zero():
            return True
        ring = self._ring()
        return ring is not None and any(a.kind == "log" for a in ring.atoms) and self.in_atoms().vanishes()

    def _ring(self) -> PolynomialRing | None:
        ring = _ring_of(np.array([self.constant, *(c for _, c in self.terms)], dtype=object))
        return ring if isinstance(ring, PolynomialRing) else ACTIVE.get()

    def in_atoms(self) -> Quotient:
        """The same with an atom for the logarithm of every irreducible factor: where logarithms are multiplied."""
        return self._in_atoms(self._ring())

    def _in_atoms(self, ring: PolynomialRing | None) -> Quotient:
        if ring is None:
            raise ExactnessError("a product of logarithms of numbers has no formal value outside of a proof")
        total: Any = self.constant + ring.generators()[0] * 0 if ring.names else self.constant
        for base, coefficient in self.terms:
            content, factors = _factored(base)
            for prime, power in factors:
                argument = Quotient(ring, ring.number(flint.fmpq(prime)) if content is None else prime, {})
                total = total + coefficient * power * ring.atom(
                    "log", (argument,), POSITIVE if content is None else None
                )
            if content is not None:
                for number, power in ((content.p, 1), (content.q, -1)):
                    total = total + power * coefficient * SymbolicLog(constant(0), [(number, constant(1))])._in_atoms(
                        ring
                    )
        return total  # type: ignore[no-any-return]

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, SymbolicLog) and other.terms and self.terms:
            left, right = self.in_atoms(), other.in_atoms()
            return left * left if other is self else left * right
        return super().__mul__(other)

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, SymbolicLog) and other.terms:
            return self.in_atoms() / other.in_atoms()
        return super().__truediv__(other)

    def __rtruediv__(self, other: Any) -> Any:
        return other / self.in_atoms() if self.terms else super().__rtruediv__(other)

    def __abs__(self) -> Any:
        return abs(self.in_atoms())


def _factored(base: Any) -> tuple[flint.fmpq | None, list[tuple[Any, int]]]:
    """The content of a polynomial and its irreducible factors; of an integer no content, and its primes."""
    if isinstance(base, (int, flint.fmpz)):
        return None, [(int(prime), power) for prime, power in flint.fmpz(base).factor()]
    content, factors = base.factor()
    result = []
    for factor, power in factors:
        lead = flint.fmpq(factor.leading_coefficient())
        content = content * lead**power
        result.append((factor * (1 / lead), power))
    return abs(flint.fmpq(content)), result


def _log(value: Any) -> Any:
    if isinstance(value, Quotient) and not isinstance(value.ring, DegreeRing) and _sign_of(value) != POSITIVE:
        no_answer(
            ExactnessError(f"log({str(value)[:60]}) needs a positive number, and no ingredient says that this is one")
        )
    return _log_of(value)


def _log_of(value: Any) -> Any:
    """``Σ eᵢ log|fᵢ|`` over the factors of ``value``, which is positive wherever its logarithm counts."""
    if not isinstance(value, Quotient) or isinstance(value.ring, DegreeRing):
        raise ExactnessError(f"log of {value} has no symbolic value")
    ring = value.ring

    def number(k: int) -> Quotient:
        return Quotient(ring, ring.number(flint.fmpq(k)), {})

    if not isinstance(ring, PolynomialRing):
        terms = [(flint.fmpq(value.numerator).p, number(1)), (flint.fmpq(value.numerator).q, number(-1))]
        return SymbolicLog(number(0), terms)
    ring.learn(value)
    result = SymbolicLog(number(0), [])
    for base, power in [(value.numerator, 1), *((ring.factors[index], -p) for index, p in value.powers.items())]:
        result = result + number(power) * _log_of_polynomial(ring, base)
    return result


def _log_of_polynomial(ring: PolynomialRing, base: Any) -> Any:
    """``log|base|``, with ``log exp x = x`` and ``log √x = ½ log x`` for the atoms that divide it."""
    one = Quotient(ring, ring.number(flint.fmpq(1)), {})
    found: Any = SymbolicLog(one - one, [])
    degrees = base.term_content().degrees() if ring.atoms else ()
    for atom in ring.atoms:
        power = degrees[atom.index] if atom.kind in ("exp", "√") else 0
        if power > 0:
            base = base // ring.context.gen(atom.index) ** power
            inside = atom.arguments[0] if atom.kind == "exp" else _log_of(atom.arguments[0]) * constant(Fraction(1, 2))
            found = found + power * inside
    return found + SymbolicLog(one - one, [(base, one)])


def _exp(value: Any) -> Any:
    if isinstance(value, FormalLog):
        try:
            return value.exp()
        except ExactnessError:
            if not isinstance(value, SymbolicLog) or value._ring() is None:
                raise
            value = value.in_atoms()
    if isinstance(value, Quotient) and value.is_zero():
        return constant(1)
    ring = _atomic_ring(value)
    if ring is None:
        no_answer(ExactnessError(f"exp({value}) has no symbolic value; give log-values as logarithms"))
    for known in ring.atoms:  # exp(-x) = 1/exp x
        if known.kind == "exp" and known.arguments[0] == -value:
            return 1 / ring.atom("exp", known.arguments, POSITIVE)
    return ring.atom("exp", (value,), POSITIVE)


def _atomic_ring(value: Any) -> PolynomialRing | None:
    """The ring in which this has atoms; None where it has none, as over degrees, or for constants outside of a proof."""
    if not isinstance(value, Quotient) or value.ring is SCALARS:
        return ACTIVE.get()
    return value.ring if isinstance(value.ring, PolynomialRing) else None


def _sqrt(value: Any) -> Any:
    """``√x`` as an atom, squares of rational numbers and of primes apart: ``√12 = 2√3``."""
    if isinstance(value, SymbolicLog):
        value = value.in_atoms()
    if isinstance(value, Quotient) and value.is_zero():
        return value
    ring, sign = _atomic_ring(value), _sign_of(value)
    if ring is None:
        no_answer(ExactnessError("square roots have no symbolic value here; compare squares"))
    if sign in (-1, -2):
        raise ExactnessError(f"√({str(value)[:60]}): a number below 0 has no root")
    ring.radicands.append(value)
    content = abs(_content(value))
    rest = value / constant(Fraction(int(content.p), int(content.q)))
    root: Any = constant(1) if rest == 1 else ring.atom("√", (rest,), NONNEGATIVE if sign is None else sign)
    for number, below in ((content.p, False), (content.q, True)):
        for prime, power in number.factor():
            factor: Any = constant(int(prime) ** (power // 2))
            if power % 2:
                factor = factor * ring.atom("√", (constant(int(prime)),), POSITIVE)
            root = root / factor if below else root * factor
    return root


def _content(value: Quotient) -> flint.fmpq:
    """The rational number that a quotient is a multiple of, by its leading coefficients."""
    if value.ring is SCALARS:
        return flint.fmpq(value.numerator)
    content = flint.fmpq(value.numerator.leading_coefficient())
    for index, power in value.powers.items():
        content = content / flint.fmpq(value.ring.factors[index].leading_coefficient()) ** power
    return content


def xlogy(factor: Plain, values: Plain) -> Plain:
    """``x log y`` with ``0 log 0 = 0``; a positive ``x`` needs a positive ``y``.

    Where ``x`` may be 0 it is, formally, ``x · Σ eᵢ log|fᵢ|`` over the factors of ``y``.  Whatever number takes the place of
    ``log|fᵢ|`` where ``fᵢ = 0``, the factor ``x = 0`` makes the product 0: identities of formal expressions hold there, too.
    """

    def one(x: Any, y: Any) -> Any:
        if _vanishes(x):
            return x
        return x * (_log(y) if _sign_of(x) in (1, -1) else _log_of(y))

    return elementwise(one, factor, values)


def exp(values: Plain) -> Plain:
    return elementwise(_exp, values)


def log(values: Plain) -> Plain:
    return elementwise(_log, values)


def sqrt(values: Plain) -> Plain:
    return elementwise(_sqrt, values)


def infinity(where: str) -> Any:
    no_answer(ExactnessError(f"a positive number is divided by zero at index {where}"))


_TRUTH: dict[str, dict[int | None, np.int8]] = {
    "=": {0: TRUE, 1: FALSE, -1: FALSE},
    "≤": {0: TRUE, 1: TRUE, 2: TRUE, -1: FALSE},
    "<": {0: FALSE, 1: TRUE, -1: FALSE, -2: FALSE},
}
"""What the sign of ``right - left`` says of a relation."""


def _compare(relation: str, left: Any, right: Any) -> np.int8:
    difference = right - left
    sign = _sign_of(difference)
    if sign in _TRUTH[relation]:
        return _TRUTH[relation][sign]
    if relation != "=" or not isinstance(difference, Quotient) or not isinstance(difference.ring, PolynomialRing):
        return UNKNOWN
    if difference.vanishes():
        return TRUE
    # Other atoms may be related; and what a proof compares, no two lines, may be equal for some parameters.
    return UNKNOWN if difference.ring.atoms or evaluating() else FALSE


def compare(left: Plain, relation: str, right: Plain) -> Truth:
    return elementwise(lambda x, y: _compare(relation, x, y), left, right).astype(np.int8)


def certainly_equal(left: Plain, right: Plain) -> npt.NDArray[np.bool_]:
    return elementwise(lambda x, y: x is y or bool(x == y), left, right).astype(bool)


def support(values: Plain) -> npt.NDArray[np.bool_]:
    """Generic: everything but the zero polynomial counts as non-zero."""
    return elementwise(lambda x: not _vanishes(x), values).astype(bool)


def assume_positive(values: Plain) -> Plain:
    """The same numbers, known to be positive."""
    return elementwise(lambda x: _known(x, POSITIVE) if isinstance(x, Quotient) else x, values)


def _known(value: Quotient, sign: int) -> Quotient:
    """The same number of this sign, which logarithms of it remember."""
    found = Quotient(value.ring, value.numerator, value.powers, sign)
    if isinstance(found.ring, PolynomialRing):
        found.ring.learn(found)
    return found


def assume_nonnegative(values: Plain) -> Plain:
    """The same numbers, known to be at least 0; what is known to be positive stays so."""

    def known(x: Any) -> Any:
        return _known(x, NONNEGATIVE) if isinstance(x, Quotient) and x.sign is None else x

    return elementwise(known, values)


def require(values: Plain, relation: str) -> None:
    """Conditions of the proof that is being made: these are ``>`` or ``≥`` 0, unless that is known."""
    for value in values.ravel().tolist():
        value = value.in_atoms() if isinstance(value, SymbolicLog) else value
        over_degrees = isinstance(value, Quotient) and isinstance(value.ring, DegreeRing)
        ring: Ring | None = value.ring if over_degrees else _atomic_ring(value)
        if ring is not None and _sign_of(value) not in ((POSITIVE,) if relation == ">" else (0, POSITIVE, NONNEGATIVE)):
            ring.assumed.append((value, relation))


def divisor(values: Plain) -> Plain:
    """The same, which the proof takes not to be 0; 1 for what is 0 for all parameters."""

    def one(value: Any) -> Any:
        if _vanishes(value):
            return constant(1)
        if isinstance(value, Quotient):
            value.inverse()  # a condition of the proof from now on
        return value

    return elementwise(one, values)


def _sign_of(value: Any) -> int | None:
    """The sign that is known."""
    if isinstance(value, FormalLog):
        if isinstance(value.constant, Quotient) and not value.terms:
            return _sign_of(value.constant)
        return 0 if value.is_zero() else None
    if value.ring is SCALARS and value.sign is None:
        return 1 if value.numerator > 0 else -1
    plain = value.sign is None and not value.powers and isinstance(value.ring, PolynomialRing)
    if plain and value.numerator.is_constant():
        return 1 if flint.fmpq(value.numerator.leading_coefficient()) > 0 else -1
    return value.sign  # type: ignore[no-any-return]


def nonzero(values: Plain) -> Truth:
    """TRUE where a sign is known; what may vanish for some parameters is UNKNOWN."""
    truth: dict[int | None, np.int8] = {0: FALSE, 1: TRUE, -1: TRUE}
    return elementwise(lambda x: truth.get(_sign_of(x), UNKNOWN), values).astype(np.int8)


def hull(left: Any, right: Any) -> Any:
    if left is right or left == right:
        return left
    return no_answer(UndecidedError("which of two values to choose depends on the parameters"))


def _maximum(left: Any, right: Any) -> Any:
    difference = right - left
    sign = _sign_of(difference)
    if sign is not None:
        return right if sign >= 0 else left
    left, right = (x.in_atoms() if isinstance(x, SymbolicLog) else x for x in (left, right))
    if left == right:
        return left
    ring = _atomic_ring(left) or _atomic_ring(right)
    outside = ring is None or (not ring.spare and ring is not ACTIVE.get())  # a proof makes room when it is asked to
    if ring is None or outside or DegreeRing in (type(left.ring), type(right.ring)):
        no_answer(UndecidedError("which of two symbols is larger depends on the parameters"))
    return ring.atom("max", (left, right), _sign_of_maximum(_sign_of(left), _sign_of(right)))


def _sign_of_maximum(one: int | None, two: int | None) -> int | None:
    if POSITIVE in (one, two):
        return POSITIVE
    if 0 in (one, two) or NONNEGATIVE in (one, two):
        return NONNEGATIVE
    return None if one is None or two is None else -2 if -2 in (one, two) else -1


def maximum(left: Plain, right: Plain) -> Plain:
    return elementwise(_maximum, left, right)


def argmax(values: Plain) -> npt.NDArray[np.intp]:
    no_answer(UndecidedError("which of several symbols is largest depends on the parameters"))


def to_float(value: Any) -> float:
    raise ExactnessError("a symbol has no value")


def depends(values: Plain, generators: frozenset[int]) -> bool:
    """Whether one of these indeterminates occurs."""

    def parts(value: Any) -> list[Any]:
        if not isinstance(value, FormalLog):
            return [value]
        ring = value._ring()  # type: ignore[attr-defined]
        bases = [Quotient(ring, base, {}) for base, _ in value.terms if hasattr(base, "total_degree")]
        return [value.constant, *(c for _, c in value.terms), *bases]

    return any(
        isinstance(part, Quotient) and isinstance(part.ring, PolynomialRing) and part.ring.depends(part, generators)
        for value in values.ravel().tolist()
        for part in parts(value)
    )


def over_the_run(name: str, values: Plain) -> Plain:
    """An indeterminate for what is the same in every step of a run and is made of these values of all of them."""

    def one(value: Any) -> Any:
        value = value.in_atoms() if isinstance(value, SymbolicLog) else value
        ring = _atomic_ring(value)
        if ring is None:
            raise UndecidedError("a maximum over a run has no degree")
        sign = _sign_of(value)
        kept = NONNEGATIVE if sign == 0 else sign if sign in (POSITIVE, NONNEGATIVE) else None
        return ring.atom(f"over the run: {name}", (value,), kept)

    return elementwise(one, values)


def at(value: Any, point: Sequence[flint.fmpq]) -> Any:
    """A quotient, or a formal logarithm over quotients, at rational values of the indeterminates.

    :class:`ZeroDivisionError` where a denominator vanishes there, :class:`ExactnessError` where an atom is no rational number.
    """
    if isinstance(value, FormalLog):
        found = FormalLog(at(value.constant, point), [])
        for base, coefficient in value.terms:
            number = abs(_at(base, _with_atoms(value._ring(), point)))  # type: ignore[attr-defined]
            factor = at(coefficient, point)
            found = found + FormalLog(flint.fmpq(0), [(number.p, factor), (number.q, -factor)])
        return found
    everything = _with_atoms(value.ring, point)
    denominator = flint.fmpq(1)
    for index, power in value.powers.items():
        denominator *= _at(value.ring.factors[index], everything) ** power
    return _at(value.numerator, everything) / denominator


def _with_atoms(ring: Any, point: Sequence[flint.fmpq]) -> list[flint.fmpq]:
    """The values of the indeterminates, and of the atoms that are functions of them."""
    found = list(point)
    if not isinstance(ring, PolynomialRing) or len(found) >= len(ring.names) + ring.spare:
        return found
    for atom in ring.atoms:
        padded = found + [flint.fmpq(0)] * (
            len(ring.names) + ring.spare - len(found)
        )  # its arguments have earlier atoms only
        values = [at(argument, padded) for argument in atom.arguments]
        if atom.kind == "abs":
            found.append(abs(values[0]))
        elif atom.kind == "max":
            found.append(max(values))
        else:
            raise ExactnessError(f"{atom.kind} of a rational number need not be one")
    return found + [flint.fmpq(0)] * (len(ring.names) + ring.spare - len(found))


def _at(element: Any, point: Sequence[flint.fmpq]) -> flint.fmpq:
    """A polynomial, or a constant, at a point."""
    return flint.fmpq(element if isinstance(element, (int, flint.fmpz, flint.fmpq)) else element(*point))
