"""Formal logarithms: ``a + Σ c_i log b_i``, exact and comparable.

On exact rationals ``log`` returns one of these, and ``exp`` inverts integer combinations.  The bases are positive integers
(or polynomials, up to sign), kept coprime by gcds only: no factoring, so large numbers stay cheap.

Equality is decidable.  Logarithms of coprime integers are linearly independent over ℚ by unique factorisation, and
``exp`` of a non-zero rational is transcendental (Lindemann), so ``a + Σ c_i log b_i = 0`` exactly when, over a coprime
base, every coefficient is 0.  The sign of a non-zero one is then found by enclosures of doubling precision, which must end.
For polynomials a vanishing combination proves the identity; a non-vanishing one proves nothing.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any

import flint

from ..errors import ExactnessError, UndecidedError
from .precision import PRECISION_CAP, precision
from .system import System

Terms = list[tuple[Any, Any]]

MAX_BITS = 10_000_000
"""The largest exponential that is written out."""
EXACT = frozenset({int, flint.fmpq, flint.fmpz})
"""Exact numbers, most of what a logarithm meets."""
FEW_BITS = 64
"""Bits with which most signs are told."""


class FormalLog:
    """``constant + Σ coefficient · log base``; immutable."""

    __slots__ = ("constant", "terms")
    system = System.RATIONALS

    def __init__(self, constant: Any, terms: Terms) -> None:
        self.constant = constant
        self.terms = terms

    def _make(self, constant: Any, terms: Terms) -> FormalLog:
        return type(self)(constant, terms)

    # -- the vector space ---------------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> Any:
        if isinstance(other, FormalLog):
            return self._make(self.constant + other.constant, _merge(self.terms, other.terms))
        if not _is_scalar(other):
            return NotImplemented
        return self._make(self.constant + other, self.terms)

    __radd__ = __add__

    def __neg__(self) -> FormalLog:
        return self._make(-self.constant, [(base, -c) for base, c in self.terms])

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, FormalLog):
            return self._make(self.constant - other.constant, _merge(self.terms, other.terms, minus=True))
        if not _is_scalar(other):
            return NotImplemented
        return self._make(self.constant - other, self.terms)

    def __rsub__(self, other: Any) -> Any:
        return (-self) + other if _is_scalar(other) else NotImplemented

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, FormalLog):
            if not other.terms:
                return self * other.constant
            if not self.terms:
                return other * self.constant
            raise ExactnessError("a product of two logarithms has no formal value; use .balls()")
        if not _is_scalar(other):
            return NotImplemented
        terms = [(base, c * other) for base, c in self.terms] if self.terms and not _vanishes(other) else []
        return self._make(self.constant * other, terms)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, FormalLog):
            if other.terms:
                raise ExactnessError("a quotient by a logarithm has no formal value; use .balls()")
            other = other.constant
        if not _is_scalar(other):
            return NotImplemented
        return self._make(self.constant / other, [(base, c / other) for base, c in self.terms])

    def __rtruediv__(self, other: Any) -> Any:
        if not _is_scalar(other):
            return NotImplemented
        raise ExactnessError("a quotient by a logarithm has no formal value; use .balls()")

    # -- comparison ---------------------------------------------------------------------------------------------------

    def reduced(self) -> FormalLog:
        """The same number over a coprime base, without vanishing terms."""
        return self._make(self.constant, _coprime(self.terms))

    def is_zero(self) -> bool:
        """Whether this is 0; exact on integers, sufficient on polynomials."""
        return _vanishes(self.constant) and not (self.terms and (self._quick_sign() or _coprime(self.terms)))

    def sign(self) -> int:
        """-1, 0 or 1, on integer bases."""
        if quick := self._quick_sign():
            return quick
        number = self.reduced()
        if not number.terms:
            return int(number.constant > 0) - int(number.constant < 0)
        bits = 2 * FEW_BITS
        while bits <= PRECISION_CAP:
            with precision(bits):
                if found := _sign_of(number.ball()):
                    return found
            bits *= 2
        raise UndecidedError(f"the sign of {self} is undecided at {PRECISION_CAP} bits")

    def _quick_sign(self) -> int:
        """1 or -1 where an enclosure of few bits tells it; else 0.  A coprime base takes much longer."""
        with precision(FEW_BITS):
            return _sign_of(self.ball())

    def __bool__(self) -> bool:
        return not self.is_zero()

    def __eq__(self, other: object) -> bool:
        if not _is_scalar(other) and not isinstance(other, FormalLog):
            return NotImplemented
        return bool((self - other).is_zero())

    def __lt__(self, other: Any) -> bool:
        return (self - other).sign() < 0  # type: ignore[no-any-return]

    def __le__(self, other: Any) -> bool:
        return (self - other).sign() <= 0  # type: ignore[no-any-return]

    def __gt__(self, other: Any) -> bool:
        return (self - other).sign() > 0  # type: ignore[no-any-return]

    def __ge__(self, other: Any) -> bool:
        return (self - other).sign() >= 0  # type: ignore[no-any-return]

    def __abs__(self) -> FormalLog:
        return -self if self.sign() < 0 else self

    __hash__ = None  # type: ignore[assignment]

    # -- leaving the formal world -------------------------------------------------------------------------------------

    def exp(self) -> Any:
        """``exp`` of an integer combination of logarithms, an exact number; anything else is refused by name."""
        number = self.reduced()
        if not _vanishes(number.constant):
            raise ExactnessError(f"exp({self}) is not a rational number")
        result: Any = None
        for base, coefficient in number.terms:
            base, power = _whole_power(base, coefficient)
            if power is None:
                raise ExactnessError(f"exp({self}) is not a rational number: {coefficient} is not an integer")
            if abs(power) * getattr(base, "bit_length", lambda: 1)() > MAX_BITS:
                raise ExactnessError(f"exp({self}) has more than {MAX_BITS} bits")
            factor = self._power(base, abs(power))
            start = self._one() if result is None else result
            result = start * factor if power > 0 else start / factor
        return self._one() if result is None else result

    def _one(self) -> Any:
        return flint.fmpq(1)

    def _power(self, base: Any, exponent: int) -> Any:
        return flint.fmpq(base**exponent)

    def ball(self) -> flint.arb:
        """An enclosure at the current precision."""
        total = flint.arb(self.constant)
        for base, coefficient in self.terms:
            total += flint.arb(coefficient) * flint.arb(base).log()
        return total

    def to_float(self) -> float:
        """The nearest float64, also where logarithms nearly cancel."""
        if self.is_zero():
            return 0.0
        bits = 64
        while True:
            with precision(bits):
                enclosure = self.ball()
                if enclosure.rel_accuracy_bits() > 56 or bits >= PRECISION_CAP:
                    return float(enclosure.mid())
            bits *= 2

    def __repr__(self) -> str:
        parts = [] if _vanishes(self.constant) else [str(self.constant)]
        for base, coefficient in self.terms:
            lead = "" if coefficient == 1 else "-" if coefficient == -1 else f"{coefficient}·"
            parts.append(f"{lead}log({base})")
        return " + ".join(parts).replace("+ -", "- ") or "0"


def _sign_of(ball: flint.arb) -> int:
    """The sign, if it is certain; else 0."""
    return 1 if ball > 0 else -1 if ball < 0 else 0


def logarithm(value: flint.fmpq) -> FormalLog:
    """``log(p/q) = log p - log q`` of a positive rational."""
    one = flint.fmpq(1)
    terms: Terms = [(value.p, one)] if value.p != 1 else []
    if value.q != 1:
        terms.append((value.q, -one))
    return FormalLog(flint.fmpq(0), terms)


def _whole_power(base: Any, coefficient: Any) -> tuple[Any, int | None]:
    """``b^c`` as a power with an integer exponent, taking an exact root of ``b`` where ``c`` is a fraction."""
    power = _as_integer(coefficient)
    if power is not None or not isinstance(base, flint.fmpz) or not isinstance(coefficient, flint.fmpq):
        return base, power
    degree = int(coefficient.q)
    if degree > 64:
        return base, None
    root = base.root(degree)
    return (root, int(coefficient.p)) if root**degree == base else (base, None)


def _is_scalar(value: Any) -> bool:
    """Integers, rationals and symbols; never arrays, floats or balls (``arb`` would swallow an exact number silently)."""
    kind = type(value)
    return kind in EXACT or isinstance(value, Integral) or getattr(kind, "system", None) is System.SYMBOLS


def _vanishes(value: Any) -> bool:
    if type(value) in EXACT:
        return not value  # never fmpq.is_zero(): python-flint 0.9 answers False for fmpq(0)
    return bool(value == 0)


def _as_integer(value: Any) -> int | None:
    integer = getattr(value, "as_integer", None)
    if callable(integer):
        return integer()  # type: ignore[no-any-return]
    value = flint.fmpq(value)
    return int(value.p) if value.q == 1 else None


def _merge(left: Terms, right: Terms, minus: bool = False) -> Terms:
    """The terms of a sum, or of a difference; what vanishes is left out."""
    if not right or (not left and not minus):
        return left or right
    merged = list(left)
    for base, given in right:
        kind, coefficient = type(base), -given if minus else given
        for position, (known, c) in enumerate(merged):
            if type(known) is kind and known == base:
                total = c + coefficient
                if _vanishes(total):
                    del merged[position]
                else:
                    merged[position] = (known, total)
                break
        else:
            merged.append((base, coefficient))
    return merged


def _gcd(left: Any, right: Any) -> Any:
    """The common factor of two bases; None where they are coprime, or one an integer and the other a polynomial."""
    if type(left) is not type(right):
        return None
    common = left.gcd(right)
    trivial = common.is_constant() if hasattr(common, "is_constant") else common == 1
    return None if trivial else common


def _is_unit(base: Any) -> bool:
    return base.is_constant() if hasattr(base, "is_constant") else base == 1  # type: ignore[no-any-return]


def _coprime(terms: Terms) -> Terms:
    """Rewrite ``Σ c log b`` over pairwise coprime bases: ``c log gx + d log gy = c log x + d log y + (c+d) log g``."""
    pending: Terms = list(terms)
    base_set: Terms = []
    while pending:
        base, coefficient = pending.pop()
        if _is_unit(base):
            if hasattr(base, "is_constant"):  # a polynomial that is a number: log|number| over integers
                content = abs(flint.fmpq(base.leading_coefficient()))
                pending += [(content.p, coefficient), (content.q, -coefficient)]
            continue
        for position, (known, d) in enumerate(base_set):
            common = _gcd(base, known)
            if common is not None:
                del base_set[position]
                pending += [(base // common, coefficient), (known // common, d), (common, coefficient + d)]
                break
        else:
            base_set.append((base, coefficient))
    return [(base, c) for base, c in base_set if not _vanishes(c)]
