"""Arithmetic with guaranteed bounds: intervals whose ends are rationals, and exact linear algebra."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cache
from typing import TypeAlias


class Rejected(Exception):
    """The certificate does not prove what it says; the message is the reason."""


def require(condition: bool, reason: str) -> None:
    """Reject for ``reason`` unless the condition holds."""
    if not condition:
        raise Rejected(reason)


GRID = 512
"""Ends of intervals are rounded outwards to multiples of 2^-512 as soon as their denominators are larger than that."""


class Interval:
    """All real numbers from ``low`` to ``high``; both ends are rationals.

    Every operation returns an interval that contains all possible results.  Short rationals are never rounded, so a computation
    with short rationals alone is exact: its result has ``low == high``.
    """

    __slots__ = ("high", "low")

    def __init__(self, low: int | Fraction, high: int | Fraction | None = None) -> None:
        self.low = _to_grid(low, math.floor)
        self.high = _to_grid(low if high is None else high, math.ceil)

    def __add__(self, other: Number) -> Interval:
        other = interval(other)
        return Interval(self.low + other.low, self.high + other.high)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __mul__(self, other: Number) -> Interval:
        other = interval(other)
        if self.low >= 0 and other.low >= 0:
            return Interval(self.low * other.low, self.high * other.high)
        ends = [x * y for x in (self.low, self.high) for y in (other.low, other.high)]
        return Interval(min(ends), max(ends))

    def __truediv__(self, other: Number) -> Interval:
        other = interval(other)
        require(other.low > 0 or other.high < 0, "a division by what may be 0, at the precision of this checker")
        if (
            self.low >= 0 and other.low > 0
        ):  # in one step: rounding 1/x first would lose what is large times what is small
            return Interval(self.low / other.high, self.high / other.low)
        return self * Interval(1 / other.high, 1 / other.low)

    def __sub__(self, other: Number) -> Interval:
        return self + -interval(other)

    def __rsub__(self, other: Number) -> Interval:
        return interval(other) - self

    def __rtruediv__(self, other: Number) -> Interval:
        return interval(other) / self

    __radd__, __rmul__ = __add__, __mul__


Number: TypeAlias = int | Fraction | Interval


def interval(value: Number) -> Interval:
    """A number as an interval of length 0."""
    return value if isinstance(value, Interval) else Interval(value)


def _to_grid(number: int | Fraction, direction: Callable[[Fraction], int]) -> Fraction:
    value = number if isinstance(number, Fraction) else Fraction(number)
    return value if value.denominator <= 1 << GRID else Fraction(direction(value * (1 << GRID)), 1 << GRID)


def total(values: Iterable[Number]) -> Interval:
    """The sum."""
    result = Interval(0)
    for value in values:
        result = result + value
    return result


def larger(x: Number, y: Number) -> Interval:
    """The maximum of two numbers."""
    x, y = interval(x), interval(y)
    return Interval(max(x.low, y.low), max(x.high, y.high))


def sqrt(value: Number) -> Interval:
    """``√x``, from integer square roots: ``⌊√n⌋ ≤ √n ≤ ⌊√n⌋ + 1``; exact where numerator and denominator are squares."""
    value = interval(value)
    require(value.low >= 0, "a square root of what may be negative, at the precision of this checker")
    return Interval(_root(value.low).low, _root(value.high).high)


def _root(x: Fraction) -> Interval:
    top, bottom = math.isqrt(x.numerator), math.isqrt(x.denominator)
    if top * top == x.numerator and bottom * bottom == x.denominator:
        return Interval(Fraction(top, bottom))
    floor = math.isqrt((x.numerator << 2 * GRID) // x.denominator)
    return Interval(Fraction(floor, 1 << GRID), Fraction(floor + 1, 1 << GRID))


def exp(value: Number) -> Interval:
    """``eˣ``, which increases."""
    value = interval(value)
    require(max(abs(value.low), abs(value.high)) <= 100_000, "an exponential beyond e^100000")
    return Interval(_exp(value.low).low, _exp(value.high).high)


def _exp(x: Fraction) -> Interval:
    """Halve ``x`` until ``0 ≤ y ≤ 1/2``, sum ``yⁿ/n!``, whose rest is at most twice its first term, and square back."""
    if x == 0:
        return Interval(1)
    if x < 0:
        return 1 / _exp(-x)
    halvings = math.ceil(x).bit_length() + 1
    y, term, result, n = Interval(x / 2**halvings), Interval(1), Interval(0), 0
    while term.high > Fraction(1, 1 << GRID):
        result, n = result + term, n + 1
        term = term * y / n
    result = result + Interval(0, 2 * term.high)
    for _ in range(halvings):
        result = result * result
    return result


def small_exp(value: Number) -> Interval:
    """``e^-x`` for ``x ≥ 0``; beyond 1000 nothing is known but that it is from 0 to ``e^-1000``."""
    value = interval(value)
    require(value.low >= 0, "the exponent is positive")
    return exp(-value) if value.high <= 1000 else Interval(0, _exp(-min(value.low, Fraction(1000))).high)


def log(value: Number) -> Interval:
    """``log x``, which increases."""
    value = interval(value)
    require(value.low > 0, "a logarithm of what may be 0, at the precision of this checker")
    return Interval(_log(value.low).low, _log(value.high).high)


def _log(x: Fraction) -> Interval:
    """Scale by a power of 2 to ``2/3 ≤ x ≤ 4/3``; then ``log x = 2 artanh((x-1)/(x+1))``, and ``log 2 = 2 artanh(1/3)``."""
    if x == 1:
        return Interval(0)
    power = x.numerator.bit_length() - x.denominator.bit_length()
    x = x / Fraction(2) ** power
    if x > Fraction(4, 3):
        x, power = x / 2, power + 1
    elif x < Fraction(2, 3):
        x, power = x * 2, power - 1
    return _twice_artanh((x - 1) / (x + 1)) + power * _twice_artanh(Fraction(1, 3))


@cache  # log 2 is a part of every logarithm
def _twice_artanh(t: Fraction) -> Interval:
    """``2 Σ t^(2j+1)/(2j+1)`` for ``|t| ≤ 1/3``; the rest is at most three times its first power in size."""
    power, square, result, j = Interval(t), Interval(t * t), Interval(0), 1
    while max(abs(power.low), abs(power.high)) > Fraction(1, 1 << GRID):
        result = result + 2 * power / j
        power, j = power * square, j + 2
    rest = 3 * max(abs(power.low), abs(power.high))
    return result + Interval(-rest, rest)


def powers(factors: Iterable[tuple[int, Fraction]]) -> Interval:
    """``Π bᶜ`` for integers ``b ≥ 1``: over primes it is rational just where all exponents are integers, and then exact."""
    exponents: dict[int, Fraction] = {}
    for base, exponent in factors:
        prime = 2
        while base > 1:
            while base % prime == 0:
                base, exponents[prime] = base // prime, exponents.get(prime, Fraction(0)) + exponent
            prime += 1
    whole = math.prod(Fraction(p) ** c.numerator for p, c in exponents.items() if c.denominator == 1)
    return whole * exp(total(c * log(p) for p, c in exponents.items() if c.denominator > 1))


Vector: TypeAlias = list[Fraction]
Matrix: TypeAlias = list[Vector]


def dot(x: Iterable[Fraction], y: Iterable[Fraction]) -> Fraction:
    """``Σ x y``, exactly."""
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def transposed(rows: Matrix) -> Matrix:
    """Columns for rows."""
    return [list(column) for column in zip(*rows, strict=True)]


def solve(rows: Matrix, right: Vector) -> Vector | None:
    """The x with ``Σ_j rows[i][j] x[j] = right[i]``, by elimination: None if there is none, a rejection if there are several."""
    table = [[*row, value] for row, value in zip(rows, right, strict=True)]
    width = len(rows[0])
    for j in range(width):
        pivot = next((i for i in range(j, len(table)) if table[i][j] != 0), -1)
        require(pivot >= 0, "a system of linear equations does not have a single solution")
        table[j], table[pivot] = table[pivot], table[j]
        table[j] = [x / table[j][j] for x in table[j]]
        for i, row in enumerate(table):
            if i != j and row[j] != 0:
                table[i] = [x - row[j] * y for x, y in zip(row, table[j], strict=True)]
    return [row[-1] for row in table[:width]] if all(row[-1] == 0 for row in table[width:]) else None


def fixed_point(constant: Vector, matrix: Matrix) -> Vector:
    """The only x with ``x = constant + matrix x``."""
    size = range(len(matrix))
    found = solve([[int(i == j) - matrix[i][j] for j in size] for i in size], constant)
    assert found is not None  # as many equations as unknowns
    return found
