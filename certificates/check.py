#!/usr/bin/env python3
"""Checks certificates: exact counterexamples to claims.  Needs Python 3.11 or later and nothing else.

    python certificates/check.py FILE ...

A certificate names a claim, gives an instance as integers, and says where the claim's statement fails there.  This program
trusts none of it, and imports nothing from the toolkit that wrote it: it rebuilds the instance from the integers, verifies the
hypotheses, computes both sides with formulas that are written here a second time on purpose, and compares every recorded field.

Exit code 0: every file proves its claim false.  1: some file does not; the reason is printed.  2: no file was named.

Part 1 is arithmetic with guaranteed bounds, part 2 says what a file may contain, part 3 has one section per claim, and part 4
passes the verdict.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")


class Rejected(Exception):
    """The certificate does not prove what it says; the message is the reason."""


def require(condition: bool, reason: str) -> None:
    """Reject for ``reason`` unless the condition holds."""
    if not condition:
        raise Rejected(reason)


# === Part 1: arithmetic with guaranteed bounds ========================================================================

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
    halvings = max(0, math.ceil(x).bit_length() + 1)
    y, term, result, n = Interval(x / 2**halvings), Interval(1), Interval(0), 0
    while term.high > Fraction(1, 1 << GRID):
        result, n = result + term, n + 1
        term = term * y / n
    result = result + Interval(0, 2 * term.high)
    for _ in range(halvings):
        result = result * result
    return result


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


# === Part 2: what a file may contain ==================================================================================

FORMAT, VERSION = "mappo-verify-certificate", 1
LARGEST_FILE, LARGEST_INTEGER, LARGEST_RUN = 1_000_000, 10_000, 40_000
FIELDS: dict[str, type] = {
    **dict.fromkeys(("format", "claim", "statement", "note", "setting", "left", "relation", "right", "checksum"), str),
    **dict.fromkeys(("version", "states", "steps", "chain"), int),
    **dict.fromkeys(("action_sizes", "hypotheses", "entry"), list),
    **dict.fromkeys(("left_value", "right_value"), object),
    "coordinates": dict,
}
RATIONAL = re.compile(r"-?(0|[1-9][0-9]{0,399})(/[1-9][0-9]{0,399})?")
DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,399})\.([0-9]{20}|[0-9]{40}|[0-9]{80})")


def read(path: str) -> dict[str, Any]:
    """The fields of a file: exactly these, of these types, every name once, no number that is not a short integer."""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise Rejected(f"the file cannot be read: {error}") from None
    require(len(raw) <= LARGEST_FILE, f"the file is larger than {LARGEST_FILE} bytes")
    try:
        fields = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_once,
            parse_int=_short,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except (ValueError, RecursionError) as error:
        raise Rejected(f"the file is no JSON of a reasonable depth: {str(error)[:200]}") from None
    require(isinstance(fields, dict), "the file holds no JSON object")
    expected = FIELDS | ({"derived": dict} if "derived" in fields else {})
    require(set(fields) == set(expected), f"missing or unknown fields: {sorted(set(fields) ^ set(expected))}")
    for name, kind in expected.items():
        require(isinstance(fields[name], kind) and not isinstance(fields[name], bool), f"{name} is of the wrong type")
    for name in ("action_sizes", "entry"):
        require(all(type(number) is int for number in fields[name]), f"{name} is no list of integers")
    return dict(fields)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    require(len({name for name, _ in pairs}) == len(pairs), "a name occurs twice in one JSON object")
    return dict(pairs)


def _short(text: str) -> int:
    require(len(text) <= 7, f"the integer {text[:20]}... is too long")
    require(text != "-0", "-0 is no integer in its usual form")
    return int(text)


def _no_float(text: str) -> None:
    raise Rejected(f"the number {text[:20]} is no integer")


def checksum(fields: dict[str, Any]) -> str:
    """Of everything else.  It proves nothing; it catches slips in integers that a statement happens not to look at."""
    rest = {name: value for name, value in fields.items() if name != "checksum"}
    text = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def recorded(side: Any, name: str) -> Interval:
    """A recorded number: a rational in lowest terms, or two decimals whose last digits differ by 2."""
    if isinstance(side, str):
        require(RATIONAL.fullmatch(side) is not None, f"{name} is no rational number of at most 400 digits")
        require(str(Fraction(side)) == side, f"{name} is not in lowest terms")
        return _exactly(Fraction(side), Fraction(side))
    well_formed = isinstance(side, list) and len(side) == 2 and all(isinstance(end, str) for end in side)
    require(well_formed, f"{name} is neither a rational number nor an enclosure [low, high]")
    ends = [DECIMAL.fullmatch(end) for end in side]
    require(all(ends), f"{name} is no pair of decimals with 20, 40 or 80 places")
    require(not any(end[0] == "-" and Fraction(end) == 0 for end in side), f"{name} has a negative zero")
    low, high = Fraction(side[0]), Fraction(side[1])
    places = {len(end[2]) for end in ends if end}
    require(
        len(places) == 1 and high - low == Fraction(2, 10 ** places.pop()),
        f"{name} is not an enclosure whose ends differ by 2 units of the last decimal",
    )
    return _exactly(low, high)


def _exactly(low: Fraction, high: Fraction) -> Interval:
    """An interval whose ends are what the file says, however long."""
    result = Interval(0)
    result.low, result.high = low, high
    return result


def entries(value: Any, shape: tuple[int, ...], name: str, entry: Callable[[Any], T]) -> Any:
    """Nested lists of this shape (one bare entry for no axes), every entry as ``entry`` reads it."""
    if not shape:
        return entry(value)
    require(isinstance(value, list) and len(value) == shape[0], f"{name} does not have the expected shape")
    return [entries(part, shape[1:], name, entry) for part in value]


class Instance:
    """The instance: sizes, and tables by name; every name must be asked for, with its shape and range.

    ``coordinates`` are integers, which describe the instance.  ``derived``, in some files, are rationals: what the instance
    stands for without naming it.
    """

    def __init__(self, fields: dict[str, Any]) -> None:
        self.states: int = fields["states"]
        self.sizes: tuple[int, ...] = tuple(fields["action_sizes"])
        self.steps: int = fields["steps"]
        self.chain: int = fields["chain"]
        self.entry: tuple[int, ...] = tuple(fields["entry"])
        self.coordinates: dict[str, Any] = fields["coordinates"]
        self.derived: dict[str, Any] = fields.get("derived", {})
        self.used: set[str] = set()
        require(self.derived != {} or "derived" not in fields, "nothing is derived")
        require(not set(self.coordinates) & set(self.derived), "a name is both given and derived")
        require(1 <= self.states <= 20 and 1 <= self.steps <= LARGEST_RUN, "states or steps are out of range")
        require(1 <= len(self.sizes) <= 4 and all(1 <= size <= 20 for size in self.sizes), "actions are out of range")

    def integers(self, name: str, shape: tuple[int, ...], low: int, high: int = LARGEST_INTEGER) -> Any:
        """Nested lists of integers of this shape (a bare integer for no axes), each from ``low`` to ``high``."""
        require(name in self.coordinates, f"the coordinates {name} are missing")
        self.used.add(name)

        def whole(value: Any) -> int:
            require(type(value) is int and low <= value <= high, f"{name} holds no integer from {low} to {high}")
            return int(value)

        return entries(self.coordinates[name], shape, name, whole)

    def rationals(self, name: str, shape: tuple[int, ...]) -> Any:
        """Nested lists of rationals of this shape: whole numbers as integers, others as ``"p/q"`` in lowest terms."""
        require(name in self.derived, f"the derived table {name} is missing")
        self.used.add(name)

        def rational(value: Any) -> Fraction:
            written = RATIONAL.fullmatch(value) is not None if isinstance(value, str) else type(value) is int
            require(written, f"{name} holds something that is no rational number")
            number = Fraction(value)
            shortest = number.denominator > 1 and str(number) == value if isinstance(value, str) else True
            require(shortest, f"{name} holds a number that is not in lowest terms")
            return number

        return entries(self.derived[name], shape, name, rational)

    def shares(self, name: str, shape: tuple[int, ...], low: int = 0) -> Any:
        """Weights, normalised to sum to 1 along the last axis."""

        def normalised(rows: Any) -> Any:
            if isinstance(rows[0], list):
                return [normalised(row) for row in rows]
            require(sum(rows) > 0, f"a row of {name} has no weight")
            return [Fraction(weight, sum(rows)) for weight in rows]

        return normalised(self.integers(name, shape, low))

    def ratio(self, name: str) -> Fraction:
        """A positive rational ``p/q``."""
        p, q = self.integers(name, (2,), 1)
        return Fraction(p, q)

    def require_sizes(self, states: int | None, agents: int, steps: int | None = 1) -> None:
        """Reject sizes that a section does not treat."""
        require(states is None or self.states == states, f"this checker treats {states} state(s) for this claim")
        require(len(self.sizes) == agents, f"this checker treats {agents} agent(s) for this claim")
        require(steps is None or self.steps == steps, f"this checker treats {steps} step(s) for this claim")

    def require_place(self, chain: int, shape: tuple[int, ...]) -> None:
        """Reject a place that is not in this chain, or not inside a table of this shape."""
        require(self.chain == chain, f"the statement that fails is number {chain} of this claim, counted from 0")
        inside = len(self.entry) == len(shape) and all(0 <= i < n for i, n in zip(self.entry, shape, strict=True))
        require(inside, f"the entry {list(self.entry)} is not inside a table of shape {shape}")


# === Part 3: the claims ===============================================================================================


@dataclass(frozen=True)
class Comparison:
    """The two sides at the recorded place, in words and as numbers, and the relation that is claimed between them."""

    left: str
    left_value: Number
    relation: str
    right: str
    right_value: Number


@dataclass(frozen=True)
class Claim:
    """The texts of a claim, and how its two sides follow from an instance."""

    statement: str
    setting: str
    hypotheses: tuple[str, ...]
    note: str
    compare: Callable[[Instance], Comparison]


CLAIMS: dict[str, Claim] = {}


def claim(
    name: str, statement: str, setting: str, hypotheses: tuple[str, ...] = (), note: str = ""
) -> Callable[[Callable[[Instance], Comparison]], Callable[[Instance], Comparison]]:
    """Enter the function below as the section of this claim."""

    def enter(compare: Callable[[Instance], Comparison]) -> Callable[[Instance], Comparison]:
        CLAIMS[name] = Claim(statement, setting, hypotheses, note, compare)
        return compare

    return enter


# --- Lemma B.1: projected stochastic subgradient descent --------------------------------------------------------------

DESCENT = "a mean of piecewise linear functions, a rival point; states is the dimension, actions the functions, steps T"
DESCENDS = ("chances is a distribution", "chances has full support", "some slope is not 0")


class Descent:
    """``F(θ) = Σ_i p_i max_j (a_ij·θ + b_ij)`` on the unit ball (R = 1), with G the largest ‖a_ij‖.

    ``θ(0) = 0``; a step draws ``i`` with chance ``p_i``, moves by ``-1/(G√T)`` times the slope of the first piece of function i
    that is largest at ``θ``, and projects: ``x / max(1, ‖x‖)``.  The rival ``u = w/Σ|w|`` lies in the ball, so ``F(u) ≥ min F``:
    what exceeds the bound with ``F(u)`` exceeds it with ``min F``.
    """

    def __init__(self, instance: Instance) -> None:
        instance.require_sizes(None, agents=1, steps=None)
        dimension, self.functions, self.steps = instance.states, instance.sizes[0], instance.steps
        few = self.steps <= 64 and self.functions**self.steps <= 256
        require(few, "this checker treats at most 64 steps and 256 sample paths")
        self.slopes = instance.integers("slopes", (self.functions, 2, dimension), -9, 9)
        offsets = instance.integers("offsets", (self.functions, 2), -9, 9)
        self.offsets = [[Fraction(b, 9) for b in pair] for pair in offsets]
        self.chances = instance.shares("chances", (self.functions,), low=1)
        weights = instance.integers("rival", (dimension,), -9, 9)
        self.rival = [Interval(Fraction(w, sum(map(abs, weights)) or 1)) for w in weights]
        steepest = max(sum(x * x for x in slope) for pair in self.slopes for slope in pair)
        require(steepest > 0, "every slope is 0")
        self.bound = sqrt(steepest) / sqrt(self.steps)
        self.step = 1 / (sqrt(steepest) * sqrt(self.steps))

    def pieces(self, function: int, point: list[Interval]) -> list[Interval]:
        """Both pieces of one function at a point."""
        return [
            total(a * x for a, x in zip(slope, point, strict=True)) + b
            for slope, b in zip(self.slopes[function], self.offsets[function], strict=True)
        ]

    def value(self, point: list[Interval]) -> Interval:
        """``F``"""
        return total(p * larger(*self.pieces(i, point)) for i, p in enumerate(self.chances))

    def gap(self, path: tuple[int, ...], first: int) -> Interval:
        """``F(θ̄) - F(u)`` on one path, ``θ̄`` the mean of ``θ(first), ..., θ(first + T - 1)``."""
        points = [[Interval(0) for _ in self.rival]]
        for function in path:
            one, two = self.pieces(function, points[-1])
            require(one.low >= two.high or two.low > one.high, "which piece is largest is open at this precision")
            slope = self.slopes[function][0 if one.low >= two.high else 1]
            moved = [x - self.step * a for x, a in zip(points[-1], slope, strict=True)]
            norm = sqrt(larger(total(x * x for x in moved), 0))
            points.append([x / larger(1, norm) for x in moved])
        chosen = points[first : first + self.steps]
        return self.value([total(xs) / self.steps for xs in zip(*chosen, strict=True)]) - self.value(self.rival)


@claim(
    "lemma-b.1/path-wise",
    statement="F(θ̄) - min F ≤ GR/√T on every sample path",
    setting=DESCENT,
    hypotheses=DESCENDS,
)
def lemma_b1_path_wise(instance: Instance) -> Comparison:
    """On sample path number w, ``F(θ̄) - F(u) ≤ G/√T``: paths are counted with the first draw as the slowest digit."""
    descent = Descent(instance)
    instance.require_place(0, (descent.functions**descent.steps,))
    path = list(product(range(descent.functions), repeat=descent.steps))[instance.entry[0]]
    which = f"θ̄ the mean of θ(0), ..., θ({descent.steps - 1})"
    left = f"F(θ̄) - F(u) on every sample path, {which}"
    return Comparison(left, descent.gap(path, 0), "≤", "GR/√T", descent.bound)


@claim(
    "lemma-b.1/printed-range",
    statement="E F(θ̄) - min F ≤ GR/√T with θ̄ the mean of θ(1), ..., θ(T)",
    note="Shown at T = 1, where the average is the last iterate.",
    setting=DESCENT,
    hypotheses=DESCENDS,
)
def lemma_b1_printed_range(instance: Instance) -> Comparison:
    """The mean over all sample paths, with their chances."""
    descent = Descent(instance)
    instance.require_place(0, ())
    paths = product(range(descent.functions), repeat=descent.steps)
    mean = total(math.prod(descent.chances[i] for i in path) * descent.gap(path, 1) for path in paths)
    left = f"E F(θ̄) - F(u), θ̄ the mean of θ(1), ..., θ({descent.steps})"
    return Comparison(left, mean, "≤", "GR/√T", descent.bound)


# --- Lemma B.2: the size of a stochastic gradient ---------------------------------------------------------------------


@claim(
    "lemma-b.2/printed-gradient-bound",
    statement="‖2((θ - θ_k)ᵀφ - Q̂/β)φ‖ ≤ 2(R + B/β) for ‖θ‖, ‖θ_k‖ ≤ R, ‖φ‖ ≤ 1, |Q̂| ≤ B",
    setting="parameters of norm at most R, features of norm at most 1, values at most B",
    hypotheses=("radius > 0", "bound > 0", "beta > 0"),
    note="The centre θ_k is not 0 for k ≥ 1, and two points of a ball of radius R can be 2R apart.",
)
def lemma_b2(instance: Instance) -> Comparison:
    """Both sides squared: ``4 r² ‖φ‖² ≤ 4 (R + B/β)²`` with ``r = (θ - θ_k)·φ - Q̂/β``.

    Vectors are ``radius · w/Σ|w|``; that they lie in their balls, and ``|Q̂| ≤ B``, is verified.
    """
    instance.require_sizes(1, agents=1)
    instance.require_place(0, ())
    radius, bound, beta = (instance.ratio(name) for name in ("radius", "bound", "beta"))

    def vector(name: str, size: Fraction) -> list[Fraction]:
        weights = instance.integers(name, (instance.sizes[0],), -9, 9)
        result = [size * Fraction(w, sum(map(abs, weights)) or 1) for w in weights]
        require(sum(x * x for x in result) <= size * size, f"{name} lies outside its ball")
        return result

    theta, anchor, features = vector("theta", radius), vector("anchor", radius), vector("features", Fraction(1))
    estimate = bound * Fraction(instance.integers("share", (), -9, 9), 9)
    require(abs(estimate) <= bound, "|Q̂| exceeds B")
    residual = sum((x - y) * f for x, y, f in zip(theta, anchor, features, strict=True)) - estimate / beta
    return Comparison(
        "‖∇‖² of one sample, ∇ = 2((θ - θ_k)ᵀφ - Q̂/β) φ",
        4 * residual**2 * sum(f * f for f in features),
        "≤",
        "(2(R + B/β))²",
        4 * (radius + bound / beta) ** 2,
    )


# --- Lemma B.4: the largest error against the mean error --------------------------------------------------------------

SHIFT = "a game without termination, a comparator, a covering policy, errors of the fit and of the critic"
SHIFTED = (
    "game never terminates",
    "policy has full support",
    "both have one stationary distribution",
    "ν_k π_k dominates ν_* π_*",
)


def worst_error(instance: Instance, factor: int, right: str) -> Comparison:
    """One state, one agent: ``(max_a |e(a)|)² ≤ (factor · ε)²`` with ``ε² = Σ_a π_k(a) e(a)²``.

    With one state that is never left, ``ν_k = ν_* = 1``; so ``φ^0 = 1``, and the expectation over ``ν_*`` is no expectation.
    Rewards, discount, comparator and critic enter neither side.
    """
    instance.require_sizes(1, agents=1)
    instance.require_place(0, ())
    actions = instance.sizes[0]
    stays = instance.shares("game.transition", (1, actions, 1))
    require(all(row == [1] for row in stays[0]), "the game terminates")
    instance.integers("game.reward", (1, actions), -9, 9)
    instance.shares("game.discount", (2,))
    instance.shares("target.1", (1, 1, actions))
    policy = instance.shares("policy.1", (1, 1, actions), low=1)[0][0]
    error = instance.integers("error.1", (1, actions), -9, 9)[0]
    instance.integers("noise.1", (1, actions), -9, 9)
    largest = max(abs(e) for e in error)
    mean_square = sum(p * e * e for p, e in zip(policy, error, strict=True))
    left = "(E_{ν_*,π_*} ‖(θ_{k+1} - θ_k)ᵀφ - Q̂/β_k‖_∞)², m = 1"
    return Comparison(left, largest**2, "≤", right, factor**2 * mean_square)


@claim(
    "lemma-b.4",
    statement="E_{ν_*,π_*^{1:m-1}} ‖(θ_{k+1} - θ_k)ᵀφ - Q̂/β_k‖_∞ ≤ φ_k^{m-1} ε_k^m",
    note="No constant helps: an action of probability p hides an error M at the price √p M.",
    setting=SHIFT,
    hypotheses=SHIFTED,
)
def lemma_b4(instance: Instance) -> Comparison:
    """Both sides squared."""
    return worst_error(instance, 1, "(φ^0 ε)², ε² = E_{σ_k} error²")


@claim(
    "lemma-b.4/factor-two",
    statement="E_{ν_*,π_*^{1:m-1}} ‖(θ_{k+1} - θ_k)ᵀφ - Q̂/β_k‖_∞ ≤ 2 φ_k^{m-1} ε_k^m",
    setting=SHIFT,
    hypotheses=SHIFTED,
)
def lemma_b4_factor_two(instance: Instance) -> Comparison:
    """Both sides squared, with the factor 2 of δ = 2φε to spare."""
    return worst_error(instance, 2, "(2φ^0 ε)²")


# --- Theorem 4.5: global convergence ----------------------------------------------------------------------------------
#
# The game: one state, two actions with rewards 1 (good) and 0 (bad), γ = 0, one agent, the critic exact (ε̂ = 0, B = 1), the
# comparator plays the good action.  So J_* = 1, Q = r, J(π) = π(good), J_* - J_k = π_k(bad), and with one state
#
#     φ_k^0 = 1,    φ_k^1 = 1/√π_k(good).
#
# The run starts uniform.  An exact update at rate η = 1/β_k adds η to the good action's logit: it multiplies the odds
# good : bad by e^η.  An error M on the bad action's logit divides the odds by e^M, and its mean square under π_k gives
#
#     ε_k = √π_k(bad) |M|,    Δ_k = √2 (φ_k^1 + φ_k^0) ε_k,    δ_k = 2 φ_k^0 ε_k.

SCOPE = (
    "False for update errors of size ε_k, which is all that the theorem uses; not shown for sample paths of Algorithm 3.  The "
    "parameters grow like √K, as in any run without errors."
)


def price(bad: Interval, good: Interval) -> Interval:
    """``(Δ_k + δ_k)/|M|``"""
    return sqrt(bad) * (sqrt(2) * (1 / sqrt(good) + 1) + 2)


@claim(
    "theorem-4.5/i",
    statement="Σ_k (1-γ)(J_* - J_k)/β_k ≤ Σ_m log|A_m| + Σ_{k,m}(Δ_k^m + δ_k^m) + (N/2) Σ_k B²/β_k²",
    setting="the bandit r = (1, 0): exact updates but for a few errors on the bad action's logit",
    note=SCOPE,
)
def theorem_45_i(instance: Instance) -> Comparison:
    """Every exact update multiplies the odds by ``b = 1 + p/q``, so ``1/β_k = log b``; the error of step k is ``e_k log 2``.

    Left: ``Σ_k π_k(bad) log b``.  Right: ``log 2 + Σ_k (Δ_k + δ_k) + (K/2) (log b)²``.
    """
    instance.require_sizes(1, agents=1, steps=None)
    require(instance.sizes == (2,), "the bandit has two actions")
    require(instance.steps <= 2000, "this checker treats at most 2000 steps for this claim")
    instance.require_place(0, ())
    p, q = instance.integers("increments.base", (2,), 1)
    errors = instance.integers("increments.errors", (instance.steps,), -1000, 1000)
    require(sum(map(abs, errors)) <= 10_000, "this checker treats errors of at most 10000 log 2 in all")
    b = 1 + Fraction(p, q)
    rate, log_two = log(b), log(2)
    left, spent, odds = Interval(0), Interval(0), Interval(1)
    for error in errors:
        bad, good = 1 / (odds + 1), odds / (odds + 1)
        left = left + rate * bad
        if error != 0:
            spent = spent + price(bad, good) * abs(error) * log_two
        odds = odds * b / Fraction(2) ** error
    right = log_two + spent + instance.steps * rate * rate / 2
    return Comparison("Σ_k (1-γ)(J_* - J_k)/β_k", left, "≤", "Σ_m log|A_m| + Σ (Δ + δ) + (N/2) Σ_k B²/β_k²", right)


@claim(
    "theorem-4.5/ii",
    statement="J_* - mean_k J_k ≤ B √(2N) √(N log|A| + Σ(Δ + δ)) / ((1-γ)√K), β² = (N B²/2)/(N log|A| + Σ(Δ + δ))",
    setting="the bandit r = (1, 0) with the theorem's own β: exact updates but for one error that makes β the fixed point",
    hypotheses=(
        "beta > 0",
        "the error falls within the run",
        "1/(2β²) > log 2, so that there is an error",
        "β² (N log|A| + Σ(Δ + δ)) = N B²/2: β is the theorem's own",
        "the error is at most 40",
    ),
    note=SCOPE,
)
def theorem_45_ii(instance: Instance) -> Comparison:
    """``β_k = β√K``, so ``η = 1/(β√K)``, and one error M, at the step ``when``, with ``π_k(bad) = 1/(1 + e^(η when))`` there.

    β is the theorem's own iff ``log 2 + Δ + δ = 1/(2β²)``; Δ + δ is M times its price, so that equation *defines* M here.
    The right side is then ``√2 √(1/(2β²)) / √K = 1/(β√K) = η``.  Left: the mean of ``π_k(bad)``.
    """
    instance.require_sizes(1, agents=1, steps=None)
    require(instance.sizes == (2,), "the bandit has two actions")
    require(instance.steps <= 2000, "this checker treats at most 2000 steps for this claim")
    instance.require_place(0, ())
    beta, when = instance.ratio("beta"), instance.integers("when", (), 1)
    require(when < instance.steps, "the error does not fall within the run")
    eta = 1 / (beta * sqrt(instance.steps))
    budget = 1 / (2 * beta**2) - log(2)
    require(budget.low > 0, "1/(2β²) ≤ log 2, so that β is too large for any error")
    odds = exp(eta * when)
    error = budget / price(1 / (odds + 1), odds / (odds + 1))
    require(error.high <= 40, "the error exceeds 40")
    exponents = [eta * k - (error if k > when else 0) for k in range(instance.steps)]
    left = total(1 / (exp(x) + 1) for x in exponents) / instance.steps
    return Comparison("1/K Σ_k (J_* - J(π_k))", left, "≤", "B √(2N) √(N log|A| + Σ_{k,m}(Δ + δ)) / √K", eta)


@claim(
    "abstract-rate",
    statement="J_* - mean_k J_k ≤ 10 N √(log|A|/K)/(1-γ)",
    setting="the bandit r = (1, 0) with discount 1 - 1/q",
    note="With this constant; the ratio grows like 1/(1-γ) at K = 1/(8(1-γ)²), so larger constants fall at larger horizons.",
)
def abstract_rate(instance: Instance) -> Comparison:
    """No errors at all; horizon ``H = 1/(1-γ)``, so ``J_* - J_k = H π_k(bad)`` and ``B = H``.

    The theorem's own β is ``√(B²/(2 log 2))``: the odds are multiplied by ``e^η``, ``η = √(2 log 2)/(H√K)``, in each update.
    """
    instance.require_sizes(1, agents=1, steps=None)
    require(instance.sizes == (2,), "the bandit has two actions")
    instance.require_place(0, ())
    horizon, steps = instance.integers("horizon", (), 2), instance.steps
    factor = exp(sqrt(2 * log(2)) / (horizon * sqrt(steps)))
    bad, odds = Interval(0), Interval(1)
    for _ in range(steps):
        bad, odds = bad + 1 / (odds + 1), odds * factor
    return Comparison(
        "1/K Σ_k (J_* - J(π_k)) = 1/(1-γ) · 1/K Σ_k 1/(1 + e^{ηk}), η = √(2 log 2) (1-γ)/√K",
        horizon * bad / steps,
        "≤",
        "10 · N √(log|A|/K)/(1-γ)",
        10 * horizon * sqrt(log(2)) / sqrt(steps),
    )


# --- Equation (1): the fit is not the ideal update --------------------------------------------------------------------


@claim(
    "equation-1/any-fit",
    statement="π_{θ_{k+1}} of (4) = π⁺ of (3)",
    setting="one state, one agent, any target",
    hypotheses=(
        "policy is a distribution",
        "policy has full support",
        "data is a distribution",
        "data has full support",
        "the features are independent on the support of σ_k",
    ),
    note="Shown to mark the hypothesis: equation (1) is the ideal update, not its fit.",
)
def equation_1_any_fit(instance: Instance) -> Comparison:
    """With ``Q̂/β = log v`` and one feature, the fit is ``w = Σ σ φ log v / Σ σ φ²``; the policies ``∝ π e^(φ w)`` and ``∝ π v``.

    ``e^(φ(a) w) = Π_c v(c)^x`` with rational exponents ``x = φ(a) σ(c) φ(c) / Σ σ φ²``.
    """
    instance.require_sizes(1, agents=1)
    actions = instance.sizes[0]
    instance.require_place(0, (1, 1, actions))
    policy, data = (instance.shares(name, (actions,), low=1) for name in ("policy", "data"))
    features = [row[0] for row in instance.integers("features", (actions, 1), -1, 1)]
    values = instance.integers("values", (actions,), 1)
    gram = sum(s * f * f for s, f in zip(data, features, strict=True))
    require(gram > 0, "the features vanish, so that the fit is not unique")
    fitted = [
        p * powers((v, f * s * g / gram) for v, s, g in zip(values, data, features, strict=True))
        for p, f in zip(policy, features, strict=True)
    ]
    ideal = [p * v for p, v in zip(policy, values, strict=True)]
    a = instance.entry[2]
    return Comparison("π_{θ_{k+1}} of (4)", fitted[a] / total(fitted), "=", "π⁺ of (3)", ideal[a] / sum(ideal))


# --- Definition 3.1 and Lemma B.3: subsets of agents, one state -------------------------------------------------------

Choice: TypeAlias = dict[int, int]
"""What some agents, numbered from 1, do."""


class OneState:
    """A game of one state that goes on with chance ``stay(a)`` after the joint action ``a``; a policy of conditional factors.

    ``V = Σ π r + γ V Σ π stay``, and ``Q(a) = r(a) + γ stay(a) V``.
    """

    def __init__(self, instance: Instance) -> None:
        require(instance.states == 1, "this checker treats one state for this claim")
        require(instance.steps == 1, "this claim has no steps")
        require(math.prod(instance.sizes) <= 36, "this checker treats at most 36 joint actions for this claim")
        self.sizes, self.agents = instance.sizes, range(1, len(instance.sizes) + 1)
        self.factors = [
            instance.shares(f"policy.{m}", (1, math.prod(self.sizes[: m - 1]), self.sizes[m - 1]))[0]
            for m in self.agents
        ]
        self.joint = [dict(enumerate(a, start=1)) for a in product(*map(range, self.sizes))]
        stay = [row[0] for row in instance.shares("game.transition", (1, len(self.joint), 2))[0]]
        reward = instance.integers("game.reward", (1, len(self.joint)), -9, 9)[0]
        gamma = instance.shares("game.discount", (2,))[0]
        chance = [self.weight(a, {}) for a in self.joint]
        goes_on = gamma * sum(p * s for p, s in zip(chance, stay, strict=True))
        require(goes_on != 1, "I - γP_π is singular")
        value = sum(p * r for p, r in zip(chance, reward, strict=True)) / (1 - goes_on)
        self.values = [r + gamma * s * value for r, s in zip(reward, stay, strict=True)]

    def weight(self, joint: Choice, clamped: Choice) -> Fraction:
        """``Π_j π^j(a^j | a^{1:j-1})`` over the agents that are not clamped."""
        result, prefix = Fraction(1), 0
        for m in self.agents:
            if m not in clamped:
                result *= self.factors[m - 1][prefix][joint[m]]
            prefix = prefix * self.sizes[m - 1] + joint[m]
        return result

    def subsets(self) -> list[tuple[int, ...]]:
        """All subsets of the agents, small ones first."""
        return [kept for size in range(len(self.sizes) + 1) for kept in combinations(self.agents, size)]

    def choice(self, kept: tuple[int, ...], entry: int) -> Choice:
        """Entry number so-and-so of a table over the actions of these agents, the first agent slowest."""
        return dict(zip(kept, list(product(*(range(self.sizes[m - 1]) for m in kept)))[entry], strict=True))

    def entries(self, kept: tuple[int, ...]) -> int:
        """How many entries such a table has."""
        return math.prod(self.sizes[m - 1] for m in kept)

    def fits(self, joint: Choice, fixed: Choice) -> bool:
        """Whether a joint action agrees with what is fixed."""
        return all(joint[m] == action for m, action in fixed.items())

    def intervention(self, fixed: Choice) -> Fraction:
        """``E[Q | do(a^P)]``: the others keep their factors."""
        chosen = [
            (self.weight(a, fixed), q) for a, q in zip(self.joint, self.values, strict=True) if self.fits(a, fixed)
        ]
        return sum((w * q for w, q in chosen), Fraction(0))

    def conditioning(self, fixed: Choice) -> Fraction:
        """``E[Q | a^P]``, by Bayes."""
        chosen = [(self.weight(a, {}), q) for a, q in zip(self.joint, self.values, strict=True) if self.fits(a, fixed)]
        mass = sum(w for w, _ in chosen)
        require(mass > 0, "the event that is conditioned on has probability 0")
        return sum((w * q for w, q in chosen), Fraction(0)) / mass


def braces(kept: tuple[int, ...]) -> str:
    """A set, as people write it."""
    return "{" + ", ".join(map(str, kept)) + "}"


@claim(
    "definition-3.1/conditional-readings",
    statement="E[Q_π | a^P] = E[Q_π | do(a^P)] for every subset P and every policy",
    setting="a game and a policy",
    hypotheses=("I - γP_π is invertible",),
    note="The paper does not say which it means; it only uses prefixes, where the two agree. So both are implemented, named.",
)
def conditional_readings(instance: Instance) -> Comparison:
    """Statement number c is about the c-th subset P, its entries are the actions of P."""
    game = OneState(instance)
    subsets = game.subsets()
    require(0 <= instance.chain < len(subsets), "there is no such subset of agents")
    kept = subsets[instance.chain]
    instance.require_place(instance.chain, (game.entries(kept),))
    fixed = game.choice(kept, instance.entry[0])
    return Comparison(
        f"Q^P(s, a^P), P = {braces(kept)}, conditioning on a^P",
        game.conditioning(fixed),
        "=",
        "the same, clamping a^P and leaving every other factor alone",
        game.intervention(fixed),
    )


@claim(
    "lemma-b.3/zero-mean-intervention",
    statement="Σ_{a^P'} π(a^P'|s, do(a^P)) A^P'(s, a^P, a^P') = 0 for disjoint P, P' and every policy",
    setting="a game and a policy",
    hypotheses=("I - γP_π is invertible",),
    note="The proofs need it on prefixes only, where it holds (lemma-b.3/zero-mean).",
)
def zero_mean_intervention(instance: Instance) -> Comparison:
    """``A^P' = E[Q | do(a^P, a^P')] - E[Q | do(a^P)]``; statement number c is about the c-th pair of disjoint P and P' ≠ {}."""
    game = OneState(instance)
    pairs = [(p, q) for p in game.subsets() for q in game.subsets() if q and not set(p) & set(q)]
    require(0 <= instance.chain < len(pairs), "there is no such pair of subsets of agents")
    given, chosen = pairs[instance.chain]
    instance.require_place(instance.chain, (game.entries(given),))
    fixed = game.choice(given, instance.entry[0])
    mean = Fraction(0)
    for other in (game.choice(chosen, entry) for entry in range(game.entries(chosen))):
        chance = sum(game.weight(a, fixed) for a in game.joint if game.fits(a, fixed | other))
        mean += chance * (game.intervention(fixed | other) - game.intervention(fixed))
    return Comparison(
        f"Σ π(a^P'|s, a^P) A^P'(s, a^P, a^P'), P = {braces(given)}, P' = {braces(chosen)}", mean, "=", "0", 0
    )


# --- Proposition 4.2: the average over the data does not determine the step -------------------------------------------


@claim(
    "proposition-4.2/averaged-unique",
    statement="F̄(q) = F̄(π⁺) implies q = π⁺, even where σ_k = 0",
    setting="a mirror step at several states, one of which σ_k never visits",
    hypotheses=(
        "beta > 0",
        "policy is a distribution",
        "policy has full support",
        "candidate is a distribution",
        "candidate has full support",
        "data is a distribution",
        "σ_k vanishes at some state",
    ),
    note="The printed formula is a maximiser in any case; it is the only one just where σ_k > 0.",
)
def averaged_unique(instance: Instance) -> Comparison:
    """``π⁺ ∝ π v`` with ``Q̂/β = log v``; q is π⁺ where σ_k > 0, so that F̄(q) = F̄(π⁺), else the candidate."""
    instance.require_sizes(None, agents=1)
    states, actions = instance.states, instance.sizes[0]
    instance.require_place(1, (states,))
    instance.ratio("beta")
    policy, candidate = (instance.shares(name, (states, actions), low=1) for name in ("policy", "candidate"))
    values = instance.integers("values", (states, actions), 1)
    data = instance.shares("data", (states,))
    require(0 in data, "σ_k vanishes nowhere")
    s = instance.entry[0]
    weights = [p * v for p, v in zip(policy[s], values[s], strict=True)]
    step = [w / sum(weights) for w in weights]
    rival = candidate[s] if data[s] == 0 else step
    distance = sum((abs(x - y) for x, y in zip(rival, step, strict=True)), Fraction(0))
    return Comparison("‖q - π⁺‖₁", distance, "=", "0", 0)


# --- Section 4.3: equilibria ------------------------------------------------------------------------------------------


@claim(
    "section-4.3/equilibria-are-optimal",
    statement="r(a) = max r at every Nash equilibrium in pure strategies of a cooperative game of one move",
    setting="a game of one move for two agents, and a profile of pure strategies",
    hypotheses=("policy is a product", "the profile is a Nash equilibrium in pure strategies"),
    note="So convergence to equilibria is not enough; climbing and penalty are the classic cases.",
)
def equilibria_are_optimal(instance: Instance) -> Comparison:
    """Agent 1 plays row i, agent 2 column j; neither earns more by another row, or another column, alone."""
    instance.require_sizes(1, agents=2)
    instance.require_place(0, ())
    rows, columns = instance.sizes
    instance.shares("game.transition", (1, rows * columns, 2))
    instance.shares("game.discount", (2,))
    flat = instance.integers("game.reward", (1, rows * columns), -9, 9)[0]
    reward = [flat[i * columns : (i + 1) * columns] for i in range(rows)]
    one, two = (instance.shares(f"policy.{m}", (1, size))[0] for m, size in ((1, rows), (2, columns)))
    require(1 in one and 1 in two, "the profile is not pure")
    i, j = one.index(1), two.index(1)
    stable = all(row[j] <= reward[i][j] for row in reward) and all(other <= reward[i][j] for other in reward[i])
    require(stable, "the profile is no Nash equilibrium")
    return Comparison("r(a) at a Nash equilibrium in pure strategies", reward[i][j], "=", "max_a r(a)", max(flat))


# --- Section E: the ratio game ----------------------------------------------------------------------------------------

REWARD = ((Fraction(1), Fraction(1, 2)), (Fraction(-1, 2), Fraction(0)))
STOP = ((Fraction(1), Fraction(1)), (Fraction(1, 10), Fraction(1, 10)))
PAIRS = ((0, 0), (0, 1), (1, 0), (1, 1))
MIDDLE = "the ratio game: agent 1 plays evenly, agent 2 anything"
CONDITIONAL = "a joint policy of the ratio game: agent 2 sees what agent 1 does"

Row = Sequence[Fraction]


def ratio_value(first: Row, after: Sequence[Row]) -> Fraction:
    """``Σ π r / Σ π S``: the reward of a round over the chance that it is the last one; ``after[a]`` is agent 2's row after a."""
    chances = {(a, b): first[a] * after[a][b] for a, b in PAIRS}
    earned = sum((p * REWARD[a][b] for (a, b), p in chances.items()), Fraction(0))
    return earned / sum((p * STOP[a][b] for (a, b), p in chances.items()), Fraction(0))


def require_ratio_game(instance: Instance) -> None:
    """One state, two agents, two actions each."""
    instance.require_sizes(1, agents=2)
    require(tuple(instance.sizes) == (2, 2), "both agents of the ratio game have two actions")


def agent_2_alone(first: Row, after: Sequence[Row]) -> list[Fraction]:
    """Agent 2's marginal."""
    return [sum((first[a] * after[a][b] for a in (0, 1)), Fraction(0)) for b in (0, 1)]


def conditional_policy(instance: Instance) -> tuple[list[Fraction], list[list[Fraction]]]:
    """Agent 1's row, and agent 2's rows after either action."""
    require_ratio_game(instance)
    return instance.shares("policy.1", (1, 1, 2))[0][0], instance.shares("policy.2", (1, 2, 2))[0]


@claim(
    "section-e/printed-value",
    statement="|V(1/2, y) - .46| ≤ 1/200",
    setting=MIDDLE,
    hypotheses=("y is a distribution",),
    note="V = 5/11 = .4545..., at every (1/2, y) and at the true stationary point alike; it rounds to .45.",
)
def printed_value(instance: Instance) -> Comparison:
    """Agent 1 plays evenly."""
    require_ratio_game(instance)
    instance.require_place(0, ())
    row = instance.shares("y", (2,))
    value = ratio_value((Fraction(1, 2), Fraction(1, 2)), (row, row))
    return Comparison("|V(1/2, y) - .46|", abs(value - Fraction(46, 100)), "≤", "1/200", Fraction(1, 200))


@claim(
    "section-e/stationary-policy",
    statement="∇V(1/2, y) = 0 for a policy y of agent 2",
    setting=MIDDLE,
    hypotheses=("y is a distribution",),
    note="For no y; at y = 0 the slope in x is 20/121.  The stationary point is (1/2, -1/11), near (1/2, 0) but no policy.",
)
def stationary_policy(instance: Instance) -> Comparison:
    """With agent 2 fixed, V = (u + x(t-u))/(v + x(w-v)) is a ratio of two lines in x; its slope is (tv - uw)/(...)²."""
    require_ratio_game(instance)
    instance.require_place(1, ())
    row = instance.shares("y", (2,))
    (t, u), (w, v) = ([sum(row[b] * table[a][b] for b in (0, 1)) for a in (0, 1)] for table in (REWARD, STOP))
    slope = (t * v - u * w) / ((v + w) / 2) ** 2
    return Comparison("∂V/∂x (1/2, y)", slope, "=", "0", 0)


@claim(
    "section-e/update",
    statement="V(p, a for good) - V(p, b for good) = Q^{1:m}(p, a) - Q^{1:m}(p, b) for every agent and prefix",
    setting=CONDITIONAL,
    hypotheses=(),
    note="A constant per prefix moves no policy, so differences are compared.",
)
def simulated_update(instance: Instance) -> Comparison:
    """Places: agent 1; agent 2 after either action.  For good: every round; Q: this round, then the policy again."""
    first, after = conditional_policy(instance)
    instance.require_place(0, (3,))
    value = ratio_value(first, after)
    once = {(a, b): REWARD[a][b] + (1 - STOP[a][b]) * value for a, b in PAIRS}
    if instance.entry[0] == 0:
        alone = agent_2_alone(first, after)
        good = [ratio_value(pure, (alone, alone)) for pure in ((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1)))]
        own = [sum(after[a][b] * once[a, b] for b in (0, 1)) for a in (0, 1)]
    else:
        a = instance.entry[0] - 1
        good = [REWARD[a][b] / STOP[a][b] for b in (0, 1)]
        own = [once[a, b] for b in (0, 1)]
    left = "V(p, first action for good) - V(p, second action for good), for every agent and prefix p"
    right = "Q^{1:m}(p, first action) - Q^{1:m}(p, second action)"
    return Comparison(left, good[0] - good[1], "=", right, own[0] - own[1])


@claim(
    "section-e/score",
    statement="V of the product of π's marginals = V_π",
    setting=CONDITIONAL,
    hypotheses=(),
    note="At π¹ = (3/5, 2/5), π² = (9/10, 1/10) after its first action and (1/5, 4/5) after its second: 181/320 is reported, "
    "53/64 is true.",
)
def simulated_score(instance: Instance) -> Comparison:
    """Agent 2's marginal, whatever it saw."""
    first, after = conditional_policy(instance)
    instance.require_place(0, ())
    alone = agent_2_alone(first, after)
    reported, true = ratio_value(first, (alone, alone)), ratio_value(first, after)
    return Comparison("V of the product of the marginals", reported, "=", "V_π", true)


# --- Appendix C.1 and C.2, Remark 5.2: critics of small games -----------------------------------------------------------


def chain_of_states(instance: Instance, scale: int) -> tuple[Matrix, Vector, Fraction]:
    """A game with one action, that never ends: ``P(s'|s)``, rewards from 0 to ``scale`` over 10, and the discount ``γ < 1``."""
    instance.require_sizes(None, agents=1)
    require(instance.sizes == (1,), "this checker treats one action for this claim")
    states = instance.states
    transition = [row[0] for row in instance.shares("game.transition", (states, 1, states))]
    rewards = [Fraction(row[0], 10) for row in instance.integers("game.reward", (states, 1), 0, scale)]
    gamma = instance.shares("game.discount", (2,))[0]
    require(gamma < 1, "the discount is 1")
    return transition, rewards, gamma


@claim(
    "section-c.1/constrained",
    statement="w ↦ L(w, w) - min_{w' ∈ F} L(w', w) is a quadratic form, hence convex, on F = {w : 0 ≤ φᵀw ≤ 1/(1-γ)}",
    setting="a chain without rewards, one positive feature, data, and two critics of the class as shares of the longest",
    hypotheses=("game never terminates", "seen is a distribution", "γ < 1"),
    note="Midpoint convexity is on trial.  The inner minimum over all weights makes it hold: section-c.1/unconstrained.",
)
def bellman_error_in_a_class(instance: Instance) -> Comparison:
    """One feature ``φ(s) > 0``, weights μ of the data, rewards 0: ``L(w', w) = Σ μ(s) (φ(s) w' - γ w E φ(s'))²``.

    F is the interval from 0 to ``1/((1-γ) max φ)``.  In ``w'`` L is a parabola, smallest in F at
    ``w° = γ w Σ μ φ E φ(s') / Σ μ φ²`` or, if that lies outside, at the nearer end.
    """
    transition, _, gamma = chain_of_states(instance, 0)
    instance.require_place(0, ())
    feature = [Fraction(h, 10) for h in instance.integers("heights", (instance.states,), 1, 10)]
    data = instance.shares("seen", (instance.states,))
    following = [gamma * dot(row, feature) for row in transition]
    longest = 1 / ((1 - gamma) * max(feature))
    first, second = (Fraction(k, 10) * longest for k in instance.integers("share", (2,), 0, 10))

    def loss(rival: Fraction, w: Fraction) -> Fraction:
        return dot(data, [(f * rival - g * w) ** 2 for f, g in zip(feature, following, strict=True)])

    def error(w: Fraction) -> Fraction:
        along = [p * f for p, f in zip(data, feature, strict=True)]
        best = w * dot(along, following) / dot(along, feature)
        return loss(w, w) - loss(min(max(best, Fraction(0)), longest), w)

    return Comparison(
        "E(½(w₁ + w₂))", error((first + second) / 2), "≤", "½(E(w₁) + E(w₂))", (error(first) + error(second)) / 2
    )


@claim(
    "section-c.2/completeness",
    statement="if φᵀw = Q_π for every π, then T_π f is linear in φ with f",
    setting="a chain with rewards in [0, 1] and data, its value function the only feature",
    hypotheses=(
        "game never terminates",
        "rewards of game lie in [0, 1]",
        "seen is a distribution",
        "seen has full support",
        "γ < 1",
    ),
    note="There is one action, hence one policy, so the single feature Q realizes every Q_π.",
)
def completeness(instance: Instance) -> Comparison:
    """The feature is ``Q = r + γPQ``, and ``T0 = r``: its distance from the line is ``Σ μ r² - (Σ μ Q r)² / Σ μ Q²``."""
    transition, rewards, gamma = chain_of_states(instance, 10)
    instance.require_place(0, ())
    data = instance.shares("seen", (instance.states,), low=1)
    values = fixed_point(rewards, [[gamma * p for p in row] for row in transition])
    distance = squared_distance(values, rewards, data)
    return Comparison("min_w E_μ(φᵀw - T f)² at f = 0", distance, "=", "0", 0)


def squared_distance(feature: Vector, target: Vector, data: Vector) -> Fraction:
    """``min_w Σ μ (φ w - f)²``"""
    along = [p * f for p, f in zip(data, feature, strict=True)]
    size, share = dot(along, feature), dot(along, target)
    return dot(data, [t * t for t in target]) - (share * share / size if size else 0)


class Pairs:
    """A game and a policy of conditional factors, as one Markov chain over the pairs (s, a), the state slowest.

    From the pair x it goes on to the pair y with ``ahead[x][y] = γ P(s'|s, a) π(a'|s')``, and x pays ``rewards[x]``.
    """

    def __init__(self, instance: Instance, ends: bool, lowest: int, scale: int) -> None:
        self.states, self.sizes = instance.states, instance.sizes
        self.joint = math.prod(self.sizes)
        require(self.states * self.joint <= 40, "this checker treats at most 40 pairs (s, a) for this claim")
        require(instance.steps == 1, "this claim has no steps")
        agents = range(len(self.sizes))
        self.factors = [
            instance.shares(f"policy.{m + 1}", (self.states, math.prod(self.sizes[:m]), self.sizes[m])) for m in agents
        ]
        # π(a|s), built up agent by agent
        self.policy = [[Fraction(1)] for _ in range(self.states)]
        for factor in self.factors:
            self.policy = [
                [q * p for q, row in zip(chances, rows, strict=True) for p in row]
                for chances, rows in zip(self.policy, factor, strict=True)
            ]
        transition = instance.shares("game.transition", (self.states, self.joint, self.states + ends))
        self.gamma = instance.shares("game.discount", (2,))[0]
        self.ahead = [
            [self.gamma * row[s] * p for s in range(self.states) for p in self.policy[s]]
            for rows in transition
            for row in rows
        ]
        rewards = instance.integers("game.reward", (self.states, self.joint), lowest, 9)
        self.rewards = [Fraction(r, scale) for row in rewards for r in row]
        self.values = fixed_point(self.rewards, self.ahead)

    def seen_by(self, m: int) -> list[Vector]:
        """``Q^{1:m}``: the later agents averaged out, the last first."""
        rows = [self.values[s * self.joint : (s + 1) * self.joint] for s in range(self.states)]
        for factor in reversed(self.factors[m:]):
            width = len(factor[0][0])
            rows = [
                [dot(p, row[i * width : (i + 1) * width]) for i, p in enumerate(choices)]
                for row, choices in zip(rows, factor, strict=True)
            ]
        return rows


@claim(
    "remark-5.2",
    statement="min_w E(φᵀw - Q^{1:m}_π)² = 0 for every π, whatever the features",
    setting="a game, a policy, and one feature for every agent",
    hypotheses=("I - γP_π is invertible",),
    note="It does not follow from the definition; it is a hypothesis on the features, and everything after it needs it.",
)
def features_that_realize_nothing(instance: Instance) -> Comparison:
    """Statement number c is about agent m = c + 1: its feature is an integer from 1 to 9 at every ``(s, a^{1:m})``."""
    pairs = Pairs(instance, ends=True, lowest=-9, scale=1)
    require(0 <= instance.chain < len(instance.sizes), "there is no such agent")
    m = instance.chain + 1
    instance.require_place(m - 1, ())
    tables = [
        instance.integers(f"tables.{j}", (instance.states, math.prod(instance.sizes[:j])), 1, 9)
        for j in range(1, len(instance.sizes) + 1)
    ]
    feature = [Fraction(value) for row in tables[m - 1] for value in row]
    values = [value for row in pairs.seen_by(m) for value in row]
    distance = squared_distance(feature, values, [Fraction(1, len(values))] * len(values))
    return Comparison(f"min_w mean (φᵀw - Q^{{1:{m}}}_π)²", distance, "=", "0", 0)


TABULAR = (
    "game never terminates",
    "rewards of game lie in [0, 1]",
    "mu is a distribution",
    "mu has full support",
    "γ < 1",
)


class Pessimistic(Pairs):
    """One-hot features: a critic is a table f, ``E(f) = Σ μ (f - Tf)²``, and all μ > 0.

    ``f(s_0, π) + λE(f)`` is smallest at ``f = Q - z/(2λ)``, where ``(I - γPπ) z = y/μ`` and ``y = (I - γPπ)ᵀ⁻¹ c``, ``c = ρπ``
    the chances of the first pair: the gradient ``c + 2λ (I - γPπ)ᵀ μ (I - γPπ)(f - Q)`` vanishes there.
    """

    def __init__(self, instance: Instance, price: Fraction) -> None:
        super().__init__(instance, ends=False, lowest=0, scale=9)
        require(self.gamma < 1, "the discount is 1")
        start = instance.shares("game.start", (self.states,))
        self.data = instance.shares("mu", (len(self.values),), low=1)
        first = [rho * p for rho, chances in zip(start, self.policy, strict=True) for p in chances]
        visits = fixed_point(first, transposed(self.ahead))
        slope = fixed_point([y / mu for y, mu in zip(visits, self.data, strict=True)], self.ahead)
        self.critic = [q - z / (2 * price) for q, z in zip(self.values, slope, strict=True)]
        self.ceiling = 1 / (1 - self.gamma)


@claim(
    "section-c.1/closed-form-in-class",
    statement="0 ≤ φᵀw⁺ ≤ 1/(1-γ) for the unconstrained minimiser w⁺ of f(s_0, π) + λE(f, π)",
    setting="a game with rewards in [0, 1], a policy, data everywhere, and a price",
    hypotheses=(*TABULAR[:-1], "price > 0", TABULAR[-1]),
    note="Lemma C.6 needs the range, so the range must be enforced.",
)
def closed_form_in_class(instance: Instance) -> Comparison:
    """Entry (x, 0) is ``f(x)``, entry (x, 1) is ``1/(1-γ) - f(x)``, which exceeds ``1/(1-γ)`` where ``f(x) < 0``."""
    found = Pessimistic(instance, instance.ratio("price"))
    instance.require_place(0, (len(found.critic), 2))
    value = found.critic[instance.entry[0]]
    left = "max_x φ(x)ᵀw⁺ and max_x -φ(x)ᵀw⁺ + 1/(1-γ)"
    return Comparison(left, found.ceiling - value if instance.entry[1] else value, "≤", "1/(1-γ)", found.ceiling)


@claim(
    "lemma-c.3/reward-error",
    statement="‖R_k - R‖²_{2,μ} ≤ ε_r, which bounds E(Q_π, π), for the pessimistic critic f_k",
    setting="a game with rewards in [0, 1], a policy, data everywhere, a price; the pessimistic critic lies in the class",
    hypotheses=(*TABULAR, "0 ≤ f ≤ 1/(1-γ)"),
)
def reward_error(instance: Instance) -> Comparison:
    """``R_k = f - γPπ f``, so that f is the value in the game with rewards ``R_k``; and ``E(Q_π) = 0``, since ``Q = TQ``."""
    found = Pessimistic(instance, Fraction(instance.integers("price", (), 1, 9_999)))
    instance.require_place(0, ())
    require(all(0 <= f <= found.ceiling for f in found.critic), "the pessimistic critic does not lie in the class")
    changes = [
        f - dot(row, found.critic) - r for f, row, r in zip(found.critic, found.ahead, found.rewards, strict=True)
    ]
    distance = dot(found.data, [x * x for x in changes])
    return Comparison("‖R_k - R‖²_{2,μ}", distance, "≤", "ε_r = E(Q_π, π)", 0)


# --- Theorem 5.5: Algorithm 2 with unlimited data ---------------------------------------------------------------------
#
# The file states everything: a game, the law μ(s, a) of its data, and for every agent features, weights w of a critic
# f = φᵀw, and multipliers.  Data for agent m is s, a ~ μ, with the later agents' actions drawn from the policy instead.  With
# Σ = E φφᵀ, A = E φ(φ - γφ(s', π))ᵀ and b = E φr the Bellman error is E(f) = (Aw - b)ᵀΣ⁺(Aw - b).  Algorithm 2 minimises
# f(s_0, π_k) + λE(f) over the class 0 ≤ f ≤ 1/(1-γ), ‖w‖ ≤ L, and multiplies π_k^m by exp(η f^m).  As data and λ grow without
# bound, the error of the bound's second term goes to 0, and of the critics only those with Aw = b are left.


def mean_share(exponent: Interval, steps: int) -> Interval:
    """``1/K Σ_{k<K} 1/(1 + e^{xk})`` for ``x ≤ 0``: powers of ``e^x`` as multiples of 2^-512, one rounded down and one up."""
    require(exponent.high <= 0, "the exponent is positive")
    ratio, one = exp(exponent), 1 << GRID
    falling, rising = math.floor(ratio.low * one), math.ceil(ratio.high * one)
    smaller = larger = one
    low = high = 0
    for _ in range(steps):
        low += one * one // (one + larger)
        high += -(-one * one // (one + smaller))
        smaller, larger = smaller * falling >> GRID, -(-larger * rising >> GRID)
    return Interval(Fraction(low, steps * one), Fraction(high, steps * one))


class OneMove:
    """A game that one joint action decides: its start is one state, never seen again, and elsewhere actions change nothing.

    So away from the start all policies have the same values V, and at the start the same ``Q(a) = r + γPV``.
    """

    def __init__(self, instance: Instance, states: int, sizes: tuple[int, ...]) -> None:
        self.states, self.sizes, joint = states, sizes, math.prod(sizes)
        self.transition = instance.rationals("game.transition", (states, joint, states))
        self.reward = instance.rationals("game.reward", (states, joint))
        self.gamma = instance.rationals("game.discount", ())
        start = instance.rationals("game.start", (states,))
        self.data = instance.rationals("data", (states, joint))
        rows = [row for rows in self.transition for row in rows]
        for chances in (*rows, start, [p for row in self.data for p in row]):
            require(min(chances) >= 0 and sum(chances) == 1, "transitions, start and data are no distributions")
        require(all(0 <= r <= 1 for row in self.reward for r in row), "rewards are not all in [0, 1]")
        require(0 <= self.gamma < 1, "the discount is not from 0 to 1")
        require(1 in start, "the start is not one state")
        self.start = start.index(1)
        require(all(row[self.start] == 0 for row in rows), "the start is seen again")
        self.after = [s for s in range(states) if s != self.start]
        for s in self.after:
            alike = constant(self.transition[s]) and constant(self.reward[s])
            require(alike, "actions matter away from the start")
        ahead = [[self.gamma * p for p in rows[0]] for rows in self.transition]
        ahead[self.start] = [Fraction(0)] * states
        self.values = fixed_point([row[0] for row in self.reward], ahead)  # nothing looks at the one of the start
        self.returns = self.backup(self.values)
        self.ceiling = 1 / (1 - self.gamma)

    def backup(self, table: Vector) -> Vector:
        """``r(s_0, a) + γ Σ P(s'|s_0, a) f(s')`` for every joint action a."""
        rows = zip(self.reward[self.start], self.transition[self.start], strict=True)
        return [r + self.gamma * dot(row, table) for r, row in rows]

    def seen_by(self, m: int, row: Vector) -> Vector:
        """A table over joint actions averaged over the agents after m, who play evenly."""
        later = math.prod(self.sizes[m:])
        return [sum(row[i : i + later], Fraction(0)) / later for i in range(0, len(row), later)]

    def occupancy(self) -> Vector:
        """``d_*(s)`` of the best joint action at the start; what follows it nobody can change."""
        best = self.returns.index(max(self.returns))
        ahead = [[self.gamma * p for p in rows[0]] for rows in self.transition]
        ahead[self.start] = [self.gamma * p for p in self.transition[self.start][best]]
        begin = [Fraction(int(s == self.start)) for s in range(self.states)]
        return [d / self.ceiling for d in fixed_point(begin, transposed(ahead))]

    def shortfalls(self, critic: Vector) -> tuple[Fraction, Fraction]:
        """``J_* - J(π)`` if the first agent plays action 0, and how much more it is with action 1; the others play evenly.

        Its critic, of these values at the start, prefers action 1, which is worse.
        """
        require(self.sizes[0] == 2, "this checker treats two actions of the first agent for this claim")
        good, bad = self.seen_by(1, self.returns)
        require(good >= bad and critic[0] < critic[1], "this checker treats a critic that prefers the worse action 1")
        return max(self.returns) - good, good - bad

    def regret(self, critic: Vector, steps: int) -> Interval:
        """``1/K Σ_k (J_* - J(π_k))``: in step k action 1 has the chance ``1/(1 + e^{ηk(f(0) - f(1))})``.

        ``η = (1-γ)√(log|A_1|/(2K))``
        """
        always, more = self.shortfalls(critic)
        eta = (1 - self.gamma) * sqrt(log(2) / (2 * steps))
        return always + more * mean_share(eta * (critic[0] - critic[1]), steps)

    def over(self, s: int) -> bool:
        """Whether the state s pays nothing and leads to itself alone."""
        return bool(self.reward[s][0] == 0 and self.transition[s][0][s] == 1)


def constant(items: list[Any]) -> bool:
    """Whether all are the same."""
    return all(item == items[0] for item in items)


class Limit(OneMove):
    """Verifies what a file says of Algorithm 2 in this limit: hypotheses of the theorem, critics, and that they never change.

    That a critic is the most pessimistic one is proved by multipliers y, ``u ≥ 0``, ``v ≥ 0`` with ``c = Aᵀy + Φᵀ(u - v)``:
    then ``cᵀw ≥ bᵀy - Σ v/(1-γ)`` for every critic in the limit, and f attains that.  The file has them for ``c = φ(s_0, a)``
    with *every* a.  So f is smallest at every a at once; and at the start every other minimiser of ``f(s_0, π_k)`` equals it,
    as π_k never excludes an action.

    All agents but the first find their own actions at the start equally good, so they go on playing evenly.  Therefore the data,
    A and b never change (away from the start neither data nor features depend on actions), nor what the critics say of the start.
    """

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, instance.states, instance.sizes)
        p, q = instance.integers("shares", (2,), 1)
        require(sum(self.data[self.start]) == Fraction(p, p + q), "the shares are not those of the data")
        self.radius = instance.rationals("radius", ())
        agents = range(1, len(self.sizes) + 1)
        self.features = {m: self.read_features(instance, m) for m in agents}
        for m in agents:
            self.require_realizable(m)
        self.require_covered()
        self.weights: dict[int, Vector] = {}
        self.critics: dict[int, list[Vector]] = {}
        for m in reversed(agents):  # the later agents play evenly
            self.verify_critic(instance, m)
            own = self.sizes[m - 1]
            views = self.critics[m][self.start]
            stays = m == 1 or all(constant(views[i : i + own]) for i in range(0, len(views), own))
            require(stays, f"agent {m} does not go on playing evenly")

    def read_features(self, instance: Instance, m: int) -> list[Matrix]:
        """``φ(s, a^{1:m})``, of norm at most 1."""
        width = len(instance.derived.get(f"weights.{m}", ()))
        require(width > 0, f"agent {m} has no weights")
        table = instance.rationals(f"features.{m}", (self.states, math.prod(self.sizes[:m]), width))
        require(all(dot(phi, phi) <= 1 for rows in table for phi in rows), "a feature is longer than 1")
        require(all(constant(table[s]) for s in self.after), "features depend on actions away from the start")
        return list(table)

    def answers(self, m: int) -> Iterable[tuple[int, ...]]:
        """Every way in which the agents after m may answer the others: the joint action, for each of theirs.

        What policies do is a mixture of these, and a class that contains some tables contains their mixtures.
        """
        later = math.prod(self.sizes[m:])
        found = product(range(later), repeat=math.prod(self.sizes[:m]))
        return [tuple(i * later + answer for i, answer in enumerate(choice)) for choice in found]

    def in_span(self, m: int, at_start: Vector, elsewhere: Vector) -> Vector | None:
        """The weights of a table that does not depend on actions away from the start; None if it is not linear in φ."""
        table = self.features[m]
        rows = [*table[self.start], *(table[s][0] for s in self.after)]
        return solve(rows, [*at_start, *(elsewhere[s] for s in self.after)])

    def require_realizable(self, m: int) -> None:
        """Remark 5.2: every ``Q^{1:m}_π`` is a critic of the class (it is from 0 to 1/(1-γ), as rewards are from 0 to 1)."""
        for answer in self.answers(m):
            found = self.in_span(m, [self.returns[a] for a in answer], self.values)
            require(found is not None and dot(found, found) <= self.radius**2, f"a Q^{{1:{m}}} is not in the class")

    def require_complete(self, m: int) -> None:
        """``Tf`` is a critic of the class for every critic f, or indeed every w, and every policy.

        It is linear in the features, as T0 and γPφ are.  It has the range; and what has it has ``‖w‖ ≤ √d/(1-γ) ≤ L``, for every
        weight is the value at some point.
        """
        width = len(self.weights[m])
        rows = [phi for rows in self.features[m] for phi in rows]
        units = [[Fraction(int(i == j)) for i in range(width)] for j in range(width)]
        short = all(unit in rows for unit in units) and width * self.ceiling**2 <= self.radius**2
        require(short, "the ball may exclude a table that has the range")
        shifts = [self.next_features(m, s, 0) for s in range(self.states)]
        for answer in self.answers(m):
            rewards = [self.reward[self.start][a] for a in answer]
            found = [self.in_span(m, rewards, [row[0] for row in self.reward])]
            moved = [self.next_features(m, self.start, a) for a in answer]
            found += [self.in_span(m, *columns) for columns in zip(transposed(moved), transposed(shifts), strict=True)]
            require(None not in found, f"the class of agent {m} is not complete")

    def next_features(self, m: int, s: int, a: int) -> Vector:
        """``γ E φ(s')`` after the joint action a in s; there φ does not depend on actions."""
        columns = transposed([rows[0] for rows in self.features[m]])
        return [self.gamma * dot(self.transition[s][a], column) for column in columns]

    def require_covered(self) -> None:
        """Definition 5.4 with a finite C: data is wherever the best policy goes, but where all is over and every critic 0."""
        best = self.returns.index(max(self.returns))
        require(self.data[self.start][best] > 0, "no data shows the best action at the start")
        for s in self.after:
            seen = all(p > 0 for p in self.data[s])
            dead = self.over(s) and not any(x for table in self.features.values() for x in table[s][0])
            require(self.occupancy()[s] == 0 or seen or dead, "the best policy goes where no data is")

    def verify_critic(self, instance: Instance, m: int) -> None:
        """The critic has no Bellman error, lies in the class, and is smallest at every ``a^{1:m}`` at the start."""
        table = self.features[m]
        columns, width = len(table[0]), len(table[0][0])
        w = self.weights[m] = instance.rationals(f"weights.{m}", (width,))
        operator = [[Fraction(0)] * width for _ in range(width)]  # A
        reward = [Fraction(0)] * width  # b
        later = math.prod(self.sizes[m:])
        for s in range(self.states):
            for p in range(columns):
                mass = sum(self.data[s][p * later : (p + 1) * later])
                for a in range(p * later, (p + 1) * later):  # the later agents play evenly
                    ahead, phi = self.next_features(m, s, a), table[s][p]
                    for i in range(width):
                        reward[i] += mass / later * phi[i] * self.reward[s][a]
                        for j in range(width):
                            operator[i][j] += mass / later * phi[i] * (phi[j] - ahead[j])
        require([dot(row, w) for row in operator] == reward, f"the critic of agent {m} has a Bellman error")
        critic = self.critics[m] = [[dot(phi, w) for phi in rows] for rows in table]
        inside = all(0 <= f <= self.ceiling for row in critic for f in row) and dot(w, w) <= self.radius**2
        require(inside, f"the critic of agent {m} is not in the class")

        points = [phi for rows in table for phi in rows]
        shape = (columns, len(points))
        free = instance.rationals(f"equalities.{m}", (columns, width))
        lower, upper = (instance.rationals(f"{name}.{m}", shape) for name in ("lower", "upper"))
        for p in range(columns):
            y, u, v = free[p], lower[p], upper[p]
            require(min(*u, *v) >= 0, "a multiplier is negative")
            push = [x - z for x, z in zip(u, v, strict=True)]
            forces = [
                dot(row, y) + dot(column, push)
                for row, column in zip(transposed(operator), transposed(points), strict=True)
            ]
            balanced = forces == table[self.start][p]
            tight = dot(reward, y) - self.ceiling * sum(v) == critic[self.start][p]
            require(balanced and tight, f"the multipliers do not prove the critic of agent {m} smallest")

    def first_term(self, steps: int) -> Interval:
        """``2√2/(1-γ)² Σ_m √(log|A_m|/K)``"""
        return 2 * sqrt(2) * Interval(self.ceiling**2) * total(sqrt(log(size) / steps) for size in self.sizes)


LIMIT = ("shares is a distribution", "shares has full support")
RUN = (*LIMIT, "one agent's critic asks for a change, and only at the start", "the start is never seen again")
FIRST_TERM = (
    "Population data and λ → ∞, where the second term of the bound vanishes; the first has the proof's constant, 2√2.  The gap "
    "tends to a constant and the bound to 0 as K grows, so every constant falls at a larger K.  "
)


@claim(
    "lemma-c.2/realizable",
    statement="‖f - T^{1:m}_π f‖²_{2,μ} ≤ 1000 E(f, π) for critics of a realizable class",
    setting="the critics that Algorithm 2 comes to on the one-agent gap, and how its data is shared out",
    hypotheses=LIMIT,
    note="The error is exactly 0 and the norm is not, so no constant helps.  With completeness see lemma-c.2/complete.",
)
def lemma_c2(instance: Instance) -> Comparison:
    """One agent; ``E(f) = 0`` is verified, and ``‖f - Tf‖²`` is summed up."""
    instance.require_sizes(None, agents=1)
    instance.require_place(0, ())
    limit = Limit(instance)
    critic = limit.critics[1]
    norm = Fraction(0)
    for s in range(limit.states):
        for a, f in enumerate(critic[s]):
            target = limit.reward[s][a] + dot(limit.next_features(1, s, a), limit.weights[1])
            norm += limit.data[s][a] * (f - target) ** 2
    left = "‖f - T^{1:1}_π f‖²_{2,μ} for the critic f of Algorithm 2"
    return Comparison(left, norm, "≤", "1000 E(f, π)", 0)


@claim(
    "lemma-c.3/all-agents",
    statement="f_k^m = Q^{1:m}_{π_k} in one game M_k with the dynamics of M, for all m at once",
    setting="the critics that Algorithm 2 comes to on the two-agent gap, and how its data is shared out",
    hypotheses=LIMIT,
    note="f_k^N alone determines the rewards of M_k, so no other game can do.  Each agent alone and marginals are fine.",
)
def lemma_c3(instance: Instance) -> Comparison:
    """Statement number c is about agent m = c + 1, for the even policy, with which a run starts.

    If ``Q_π = f^N`` in M_k, then ``Q^{1:m}_π`` there is ``f^N`` averaged over the agents after m, whatever its rewards are.
    """
    instance.require_sizes(None, agents=2)
    limit = Limit(instance)
    m = instance.chain + 1
    require(m in limit.critics, "there is no such agent")
    instance.require_place(m - 1, (limit.states, math.prod(limit.sizes[:m])))
    s, p = instance.entry
    return Comparison(
        f"Q^{{1:{m}}}_{{π_k}} in M_k, the only game with the same dynamics and Q_{{π_k}} = f_k^N",
        limit.seen_by(m, limit.critics[2][s])[p],
        "=",
        f"f_k^{m}",
        limit.critics[m][s][p],
    )


def theorem_55(instance: Instance, limit: Limit) -> Comparison:
    """The first term of the bound, which is all that is left of it."""
    instance.require_place(0, ())
    return Comparison(
        "J_* - E J(π̂) = 1/K Σ_k (J_* - J(π_k))",
        limit.regret(limit.critics[1][limit.start], instance.steps),
        "≤",
        "2√2/(1-γ)² Σ_m √(log|A_m|/K)",
        limit.first_term(instance.steps),
    )


@claim(
    "theorem-5.5/two-agents",
    statement="J_* - E J(π̂) ≤ 2√2/(1-γ)² Σ_m √(log|A_m|/K) as n → ∞",
    setting="Algorithm 2 on the two-agent gap as n, λ → ∞; how the data is shared out",
    hypotheses=RUN,
    note=FIRST_TERM + "What breaks is Lemma C.3: no one game has the critics of both agents for its values.",
)
def theorem_55_two_agents(instance: Instance) -> Comparison:
    """Two agents; that their classes are complete is verified too."""
    instance.require_sizes(None, agents=2, steps=None)
    limit = Limit(instance)
    for m in limit.critics:
        limit.require_complete(m)
    return theorem_55(instance, limit)


@claim(
    "theorem-5.5/one-agent",
    statement="J_* - E J(π̂) ≤ 2√2/(1-γ)² √(log|A|/K) as n → ∞, if the class holds every Q_π",
    setting="Algorithm 2 on the one-agent gap as n, λ → ∞; how the data is shared out",
    hypotheses=RUN,
    note=FIRST_TERM
    + "What breaks is Lemma C.2: without completeness a critic with Bellman error 0 may be inconsistent.",
)
def theorem_55_one_agent(instance: Instance) -> Comparison:
    """One agent."""
    instance.require_sizes(None, agents=1, steps=None)
    return theorem_55(instance, Limit(instance))


# --- Theorem D.7: finite classes --------------------------------------------------------------------------------------
#
# In every step n data are drawn: (s, a^1) ~ μ and a^2 from the policy; E_D(f) = L(f, f) - min over the class of L(f', f), with
# L(f', f) = 1/n Σ (f'(s, a^1) - r - γ f(s'))².  The class of agent 2 is {Q}, that of agent 1 is {Q, g, g'}, tables in the file.


class Trap(OneMove):
    """Verifies the classes of the file, and that agent 1 takes g or g', whatever λ, unless ``N_0 > 3 N_1``.

    ``N_0`` and ``N_1`` count data at the start with agent 1's action 0 and agent 2's action 0 or 1.  Agent 2's critic finds its
    actions equally good, so it plays evenly, and a datum is of either kind with the same chance p.
    """

    def __init__(self, instance: Instance) -> None:
        instance.require_sizes(1, agents=1, steps=None)
        require(instance.sizes == (2,), "agent 1 has two actions")
        super().__init__(instance, 4, (2, 2))
        true, wrong, image = instance.rationals("class.1", (3, 4, 2))
        (other,) = instance.rationals("class.2", (1, 4, 4))
        require(other == self.joint_values(self.returns, 4), "the class of agent 2 is not {Q}")
        require(all(constant(other[self.start][i : i + 2]) for i in (0, 2)), "agent 2 does not go on playing evenly")

        # ζ_F = ζ_FF = 0 for agent 1: Q = TQ is there, and Tf for every f.  And |f| ≤ 1/(1-γ).
        require(true == self.joint_values(self.seen_by(1, self.returns), 2), "the first critic is not Q")
        require(self.image(true) == true and self.image(wrong) == image, "the class is not complete: Tg")
        require(self.image(image) in (true, wrong, image), "the class is not complete: Tg'")
        tables = (true, wrong, image)
        require(all(abs(f) <= self.ceiling for table in tables for row in table for f in row), "a critic is too large")

        # C² ≤ 2: d_* ≤ 2μ but where all is over and every critic is 0; there, and for agent 2, f = Tf.
        best = self.returns.index(max(self.returns))
        require(best == 0, "the best joint action is not (0, 0)")
        for s, reached in enumerate(self.occupancy()):
            mass = min(sum(self.data[s][:2]), sum(self.data[s][2:])) if s != self.start else sum(self.data[s][:2])
            dead = self.over(s) and all(table[s] == [0, 0] for table in tables)
            require(dead or reached <= 2 * mass, "C² > 2")

        # E_D(g) = 0 unless N_0 > 3 N_1: on the data g' is g, and Q differs from g at the start after action 0 alone.
        for s in range(4):
            if sum(self.data[s]) > 0:
                same = true[s][1] == wrong[s][1] if s == self.start else true[s] == wrong[s]
                require(wrong[s] == image[s] and same, "the critics differ on the data")
        require(all(1 in row for row in self.transition[self.start][:2]), "the outcome of action 0 is random")
        q, g = true[self.start][0], wrong[self.start][0]
        require(g < q, "g is not pessimistic")
        targets = self.backup([row[0] for row in wrong])[:2]
        gain, loss = ((g - t) ** 2 - (q - t) ** 2 for t in targets)  # what Q explains better, N_0 times, and worse
        require(gain > 0 and loss == -3 * gain, "E_D(g) = 0 is not N_0 ≤ 3 N_1")
        self.views = wrong[self.start]
        self.chance = sum(self.data[self.start][:2]) / 2

    def joint_values(self, at_start: Vector, width: int) -> Matrix:
        """A table with these entries at the start, and the values elsewhere."""
        return [at_start if s == self.start else [self.values[s]] * width for s in range(self.states)]

    def image(self, table: Matrix) -> Matrix:
        """``Tf`` while agent 2 plays evenly, for a table that does not depend on actions away from the start."""
        require(all(constant(table[s]) for s in self.after), "a critic depends on actions away from the start")
        ahead = [row[0] for row in table]
        elsewhere = [self.reward[s][0] + self.gamma * dot(self.transition[s][0], ahead) for s in range(self.states)]
        at_start = self.seen_by(1, self.backup(ahead))
        return [at_start if s == self.start else [elsewhere[s]] * 2 for s in range(self.states)]

    def require_likely(self, steps: int, number: int, certainty: int) -> None:
        """In all K steps ``N_0 ≤ 3 N_1`` with probability above δ: ``K P(N_0 > 3 N_1) < 1 - δ``.

        ``P(N_0 > 3 N_1) ≤ E z^(N_0 - 3 N_1) = (1 - ρ)ⁿ ≤ 1/(1 + ρn)`` with ``ρ = p(2 - z - z⁻³)`` and ``z = 4/3``.
        """
        z = Fraction(4, 3)
        rate = self.chance * (2 - z - 1 / z**3)
        require(rate > 0 and steps / (1 + rate * number) < 1 - Fraction(1, certainty), "the trap may fail")

    def terms(self, steps: int, number: int, certainty: int) -> tuple[Interval, Interval]:
        """``N √(log|A|/K)/(1-γ)²``, and ``C (K log(|F|/δ)/n)^{1/3}/(1-γ)²`` with ``C = √2`` and ``|F| = 3``."""
        inside = steps * log(3 * certainty) / number
        scale = self.ceiling**2
        return 2 * scale * sqrt(log(2) / steps), scale * sqrt(2) * exp(log(inside) / 3)


LIKELY = ("with probability > δ all K samples spring the trap: K (1 - 47/1536)ⁿ < 1 - δ",)


@claim(
    "theorem-d.7",
    statement="J_* - J(π̂) ≤ 2√2 N √(log|A|/K)/(1-γ)² + 10 C (K log(|F|/δ)/n)^{1/3}/(1-γ)² for ζ_F = ζ_FF = 0, "
    "with probability ≥ 1 - δ",
    setting="a trapped run of K steps with n = samples · K⁴ data each, and δ = 1/certainty",
    hypotheses=LIKELY,
    note="With the constants 2√2, as the proof gives for the first term, and 10 for the second.  ζ_F = ζ_FF = 0, C = √2, "
    "|F^1| = 3, |F^2| = 1, whatever λ.  The second term is 10 C (K log(|F|/δ)/n)^{1/3}/(1-γ)²; other powers of K and n change "
    "nothing, since n may be as large as one likes.",
)
def theorem_d7(instance: Instance) -> Comparison:
    """A trapped agent 1 sees g at the start in every step."""
    trap, steps = Trap(instance), instance.steps
    instance.require_place(0, ())
    number = instance.integers("samples", (), 1) * steps**4
    certainty = instance.integers("certainty", (), 2)
    trap.require_likely(steps, number, certainty)
    first, second = trap.terms(steps, number, certainty)
    return Comparison(
        "1/K Σ_k (J_* - J(π_k)) = 1/6 · 1/K Σ_k 1/(1 + e^{-ηk/12}), η = (1-γ) √(log|A|/(2K))",
        trap.regret(trap.views, steps),
        "≤",
        "2√2 N √(log|A|/K)/(1-γ)² + 10 C (K log(|F|/δ)/n)^{1/3}/(1-γ)²",
        2 * sqrt(2) * first + 10 * second,
    )


@claim(
    "theorem-d.7/any-constant",
    statement="J_* - J(π̂) ≤ c [N √(log|A|/K)/(1-γ)² + C (K log(|F|/δ)/n)^{1/3}/(1-γ)²] for ζ_F = ζ_FF = 0, "
    "with probability ≥ 1 - δ",
    setting="a trapped run of K = (500c)² steps with n = K⁴ data each, and δ = 1/certainty",
    hypotheses=LIKELY,
    note="The mean gap is at least 1/12 for every K, and at K = (500c)², n = K⁴ the bound is below 1/12 for every c ≥ 1.",
)
def theorem_d7_any_constant(instance: Instance) -> Comparison:
    """A trapped agent 1 plays its worse action with a chance of at least 1/2, so the gap is at least half of what that costs."""
    trap = Trap(instance)
    require(instance.steps == 1, "K is (500c)² for this claim")
    instance.require_place(0, ())
    constant, certainty = instance.integers("constant", (), 1), instance.integers("certainty", (), 2)
    steps = (500 * constant) ** 2
    trap.require_likely(steps, steps**4, certainty)
    always, more = trap.shortfalls(trap.views)
    return Comparison(
        "1/12, since 1/K Σ_k (J_* - J(π_k)) is no smaller",
        always + more / 2,
        "≤",
        "c [N √(log|A|/K)/(1-γ)² + C (K log(|F|/δ)/n)^{1/3}/(1-γ)²]",
        constant * total(trap.terms(steps, steps**4, certainty)),
    )


# === Part 4: the verdict ==============================================================================================


def check(fields: dict[str, Any]) -> str:
    """What the certificate proves, in words; :class:`Rejected` if it proves nothing."""
    require(fields["format"] == FORMAT and fields["version"] == VERSION, "this is not a certificate of a known format")
    known = CLAIMS.get(fields["claim"])
    if known is None:
        raise Rejected(f"this checker has no section for a claim {fields['claim'][:80]!r}")
    for name in ("statement", "setting", "note"):
        require(fields[name] == getattr(known, name), f"the {name} is not that of {fields['claim']}")
    require(fields["hypotheses"] == list(known.hypotheses), f"the hypotheses are not those of {fields['claim']}")

    left, right = (recorded(fields[name], name) for name in ("left_value", "right_value"))
    above, below = left.low > right.high, left.high < right.low
    violated = {"≤": above, "≥": below, "=": above or below}.get(fields["relation"], False)
    require(violated, f"the recorded numbers do not contradict {fields['relation'][:20]!r}")
    require(
        fields["checksum"] == checksum(fields), "the checksum does not fit: something was changed since it was written"
    )

    instance = Instance(fields)
    found = known.compare(instance)
    unused = sorted((set(instance.coordinates) | set(instance.derived)) - instance.used)
    require(not unused, f"tables that do not belong to this claim: {unused}")
    for name in ("left", "relation", "right"):
        require(fields[name] == getattr(found, name), f"{name} should read {getattr(found, name)!r}")

    for name, side, value in (("left_value", left, found.left_value), ("right_value", right, found.right_value)):
        computed = interval(value)
        inside = side.low <= computed.low and computed.high <= side.high
        require(inside, f"{name} is not {_shown(computed)}, which this checker computes")
    return (
        f"{fields['claim']} is false.\n"
        f"  claimed:  {known.statement}\n"
        + (f"  scope:    {known.note}\n" if known.note else "")
        + f"  instance: {known.setting}\n"
        f"  left:     {found.left}  =  {_told(fields['left_value'])}\n"
        f"  right:    {found.right}  =  {_told(fields['right_value'])}\n"
        f"  left {found.relation} right fails."
    )


def _shown(value: Interval) -> str:
    size = max(abs(value.low), abs(value.high))
    if size > 10**300:
        return "a very large number"
    short = value.low == value.high and value.low.denominator < 10**20
    return str(value.low) if short else f"about {float(value.low):.15g}"


def _told(side: Any) -> str:
    return side if isinstance(side, str) else f"between {side[0]} and {side[1]}"


def main(paths: list[str]) -> int:
    """Check every file; the exit code."""
    if not paths:
        print(__doc__)
        return 2
    code = 0
    for path in paths:
        try:
            print(f"{path}: {check(read(path))}")
        except Rejected as reason:
            print(f"{path}: rejected: {reason}")
            code = 1
    return code


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal without Greek letters
    sys.exit(main(sys.argv[1:]))
