"""Quotients of polynomials, and of their degrees: the field in which identities are proved.

A :class:`Quotient` is ``numerator / Π factorʲ``.  Denominators are kept as a *list of known factors* of one
:class:`Ring`, so that the determinant of ``I - γP_π`` is one shared factor and sums need no cross-multiplication.  Two rings:

* :class:`PolynomialRing`: polynomials over ℚ (flint's ``fmpq_mpoly``).  A numerator that vanishes proves an identity for
  every parameter at which no denominator vanishes.
* :class:`DegreeRing`: total degrees, where ``+`` is the maximum and ``·`` the sum.  The same formula, run over degrees,
  yields the degree bound that the lemma of Schwartz and Zippel needs.

*Atoms.*  ``√x``, ``|x|``, ``max(x, y)``, ``exp x`` and, where logarithms are multiplied, ``log x`` are no rational functions.
Each becomes an indeterminate of its own, the same for equal arguments; an identity that holds whatever number stands in its place
holds for the number that does.  Of a root one thing more is used, ``(√x)² = x``.  So what is proved is true, and some true
identities are not proved.

*Signs* follow from facts that ingredients state (this weight is positive), through sums of one sign, products and quotients:
1 means ``> 0``, 2 means ``≥ 0``, 0 means ``= 0``, -1 and -2 the opposite, None that nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from operator import add
from typing import Any

import flint
import numpy as np

from ..errors import ExactnessError, UndecidedError
from .one_instance import no_answer
from .system import System

Sign = int | None
POSITIVE, NONNEGATIVE = 1, 2


def sign_of_sum(one: Sign, two: Sign) -> Sign:
    """The sign of a sum, if those of its terms tell it."""
    if one == 0 or two == 0:
        return two if one == 0 else one
    if one is None or two is None or one * two < 0:
        return None
    strict = 1 in (abs(one), abs(two))
    return (1 if one > 0 else -1) * (1 if strict else 2)


def sign_of_product(one: Sign, two: Sign) -> Sign:
    """The sign of a product, if those of its factors tell it."""
    if one == 0 or two == 0:
        return 0
    if one is None or two is None:
        return None
    strict = abs(one) == abs(two) == 1
    return (1 if one * two > 0 else -1) * (1 if strict else 2)


@dataclass(frozen=True, eq=False)
class Atom:
    """An indeterminate that stands for a function of ``arguments``; ``index`` is its place among the generators."""

    kind: str
    arguments: tuple[Any, ...]
    index: int


class TooFewSymbolsError(ExactnessError):
    """More atoms are needed than indeterminates were set aside for them."""


class Ring:
    """Numerators, and the factors that may stand in denominators."""

    def __init__(self) -> None:
        self.factors: list[Any] = []
        self.unsigned: set[int] = set()
        """Factors that were divided by although no fact says that they are not 0."""
        self.determinants: set[int] = set()
        """Those that are determinants of linear systems."""
        self.assumed: list[tuple[Quotient, str]] = []
        """What the proof assumes to be ``>`` or ``≥`` 0."""

    def number(self, value: flint.fmpq) -> Any:
        raise NotImplementedError

    def factor_of(self, element: Any) -> int | None:
        """The index of a denominator factor; None for a constant."""
        raise NotImplementedError


class PolynomialRing(Ring):
    """ℚ[names], and ``spare`` indeterminates more for atoms."""

    def __init__(self, names: tuple[str, ...], spare: int = 0) -> None:
        super().__init__()
        self.names, self.spare = names, spare
        self.atoms: list[Atom] = []
        self.radicands: list[Quotient] = []
        """What a root was taken of.  It is at least 0 if its sign says so, or the sign of an equal one (a sum of squares)."""
        self.exhausted = False
        """Whether an atom found no indeterminate left."""
        self.signed: list[tuple[Any, int]] = []
        """Polynomials, of leading coefficient 1, whose sign is known: 1 for ``≥ 0``, -1 for ``≤ 0``."""
        everything = (*names, *(f"atom_{place}" for place in range(spare)))
        self.context = flint.fmpq_mpoly_ctx.get(everything, flint.Ordering.degrevlex)

    def number(self, value: flint.fmpq) -> Any:
        return self.context.constant(value)

    def generators(self) -> list[Quotient]:
        return [Quotient(self, generator, {}) for generator in self.context.gens()[: len(self.names)]]

    def atom(self, kind: str, arguments: tuple[Any, ...], sign: Sign) -> Quotient:
        """The indeterminate that stands for ``kind(arguments)``: a known one if the arguments are equal, else a new one."""
        for known in self.atoms:
            same = known.kind == kind and len(known.arguments) == len(arguments)
            if same and all(bool(one == two) for one, two in zip(known.arguments, arguments, strict=True)):
                return Quotient(self, self.context.gen(known.index), {}, sign)
        if len(self.atoms) == self.spare:
            self.exhausted = True
            raise TooFewSymbolsError(
                f"more than {self.spare} roots, absolute values, maxima, exponentials and logarithms"
            )
        self.atoms.append(Atom(kind, arguments, len(self.names) + len(self.atoms)))
        return Quotient(self, self.context.gen(self.atoms[-1].index), {}, sign)

    def learn(self, value: Quotient) -> None:
        """Remember the sign of a numerator, where those of the quotient and of its denominator say it."""
        sign = value.sign or 0
        for index, power in value.powers.items():
            sign *= self.sign_of(self.factors[index]) ** power
        if sign and not value.numerator.is_constant() and not self.sign_of(value.numerator):
            lead = flint.fmpq(value.numerator.leading_coefficient())
            self.signed.append((value.numerator * (1 / lead), 1 if sign * lead > 0 else -1))

    def sign_of(self, polynomial: Any) -> int:
        """1 for what is known to be at least 0, -1 for at most 0, else 0."""
        lead = flint.fmpq(polynomial.leading_coefficient())
        monic = polynomial * (1 / lead)
        known = next((sign for one, sign in self.signed if one == monic), 0)
        return known if lead > 0 else -known

    def vanishes(self, numerator: Any) -> bool:
        """Whether a numerator is 0, with ``(√x)² = x`` for every root in it."""
        if numerator == 0:
            return True
        degrees = numerator.degrees()
        squared = [a for a in self.atoms if a.kind == "√" and degrees[a.index] > 1]
        if not squared:
            return False
        root = squared[-1]  # its argument has earlier atoms only
        return all(self.vanishes(part) for part in self._without_squares(numerator, root))

    def _without_squares(self, numerator: Any, root: Atom) -> tuple[Any, Any]:
        """``p, q`` free of the root ``s = √(n/d)`` with ``(p + q s)·unit`` the numerator, by ``s² = n/d``."""
        (argument,) = root.arguments
        above, below = argument.numerator, self.number(flint.fmpq(1))
        for index, power in argument.powers.items():
            below = below * self.factors[index] ** power
        generator = self.context.gen(root.index)
        coefficients = []  # of 1, s, s², ...
        while numerator != 0:
            coefficients.append(numerator.subs({root.index: 0}))
            numerator = (numerator - coefficients[-1]) // generator
        highest = (len(coefficients) - 1) // 2
        parts = [self.number(flint.fmpq(0)), self.number(flint.fmpq(0))]
        for power, coefficient in enumerate(coefficients):
            half = power // 2
            parts[power % 2] = parts[power % 2] + coefficient * above**half * below ** (highest - half)
        return parts[0], parts[1]

    def depends(self, value: Any, generators: frozenset[int]) -> bool:
        """Whether a quotient contains one of these indeterminates, itself or in the argument of an atom."""
        polynomials = [value.numerator, *(self.factors[index] for index in value.powers)]
        used = {i for p in polynomials for i, degree in enumerate(p.degrees()) if degree > 0}
        if used & generators:
            return True
        inside = (a.arguments for a in self.atoms if a.index in used and not a.kind.startswith("over the run"))
        return any(
            isinstance(x, Quotient) and x.ring is self and self.depends(x, generators) for xs in inside for x in xs
        )

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


def joined(join: Callable[[int, int], int], one: dict[int, int], two: dict[int, int]) -> dict[int, int]:
    """Powers of factors, those of both ``one`` and ``two`` joined."""
    return one | two | {index: join(one[index], two[index]) for index in one.keys() & two.keys()}


class Quotient:
    """``numerator / Π factors[i]^power[i]`` over a ring; immutable, and equal to another when the difference vanishes.

    ``sign`` is what is known of it for all parameters that the ingredients admit.
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
        powers = joined(max, self.powers, right.powers)
        left_numerator, right_numerator = self._numerator_over(powers), right._numerator_over(powers)
        numerator = left_numerator + right_numerator if sign > 0 else left_numerator - right_numerator
        known = sign_of_sum(self.sign, None if right.sign is None else sign * right.sign)
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
        powers = joined(add, self.powers, right.powers)
        sign = sign_of_product(self.sign, right.sign)
        if sign is None and other is self:
            sign = NONNEGATIVE
        return Quotient(self.ring, self.numerator * right.numerator, powers, sign)

    __rmul__ = __mul__

    def inverse(self) -> Quotient:
        """``1 / self``; the numerator becomes a denominator factor."""
        if self.vanishes():
            raise ZeroDivisionError("division by the zero quotient")
        numerator = self.numerator
        top = self._constant(flint.fmpq(1))._numerator_over(self.powers)
        index = self.ring.factor_of(numerator)
        if index is None:
            return Quotient(self.ring, _over_constant(top, numerator), {}, self.sign)
        if self.sign not in (1, -1):
            self.ring.unsigned.add(index)
        elif isinstance(self.ring, PolynomialRing):
            self.ring.learn(self)
        sign = self.sign if self.sign is None else (1 if self.sign > 0 else -1)  # it is not 0 where 1/x is anything
        return Quotient(self.ring, top, {index: 1}, sign)

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Quotient) and self.ring is SCALARS and other.ring is not SCALARS:
            return other._lift(self) / other
        right = self._lift(other)
        return NotImplemented if right is None else self * right.inverse()

    def __rtruediv__(self, other: Any) -> Any:
        left = self._lift(other)
        return NotImplemented if left is None else left * self.inverse()

    def __abs__(self) -> Quotient:
        if self.sign is not None:
            return -self if self.sign < 0 else self
        if self.ring is SCALARS:  # the signs of terms did not tell that of their sum
            return Quotient(self.ring, abs(self.numerator), {}, 1)
        if not isinstance(self.ring, PolynomialRing):
            no_answer(UndecidedError("an absolute value depends on the parameters"))
        for known in self.ring.atoms:  # |x| = |-x|
            if known.kind == "abs" and known.arguments[0] == -self:
                return self.ring.atom("abs", known.arguments, NONNEGATIVE)
        return self.ring.atom("abs", (self,), NONNEGATIVE)

    def is_zero(self) -> bool:
        return _vanishes(self.numerator)

    def vanishes(self) -> bool:
        """Whether it is 0, squares of roots being what they are."""
        if self.is_zero() or not isinstance(self.ring, PolynomialRing):
            return self.is_zero()
        return self.ring.vanishes(self.numerator)

    def __eq__(self, other: object) -> bool:
        difference = self._combine(other, -1)
        return NotImplemented if difference is NotImplemented else difference.vanishes()

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


ACTIVE: ContextVar[PolynomialRing | None] = ContextVar("the ring of the proof that is being made", default=None)
"""Where roots and logarithms of constants are made."""


@contextmanager
def proof_in(ring: PolynomialRing) -> Iterator[None]:
    """While a claim is evaluated over this ring."""
    token = ACTIVE.set(ring)
    try:
        yield
    finally:
        ACTIVE.reset(token)
