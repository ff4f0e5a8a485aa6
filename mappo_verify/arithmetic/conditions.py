"""The conditions of a proof over symbols, as a reader writes them: ``γ < 1`` for ``1/(1 - γ) > 0``, ``x ≠ y`` for ``x - y ≠ 0``.

A condition that would be longer than a line is said in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import gcd, lcm
from typing import Any

import flint

from .rings import PolynomialRing, Quotient

LONGEST = 40
"""Characters of a condition in symbols."""
ONE_SOLUTION = "every linear system has one solution"
NO_DENOMINATOR = "no denominator is 0"
NO_ROOT = "no root is taken of a number below 0"
AS_ASSUMED = "numbers have the signs that the proof assumes"
FLIPPED = {"≠": "≠", ">": "<", "≥": "≤"}
POWERS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Condition:
    """``polynomial relation 0``, and what is said of one that is too long."""

    polynomial: Any
    relation: str
    words: str


def conditions(ring: PolynomialRing, shown: Sequence[str], positive: Iterable[Any] = ()) -> tuple[str, ...]:
    """What was divided by, taken roots of and assumed without a fact that allows it.

    ``shown`` are the names of the symbols; ``positive`` are quotients of which a fact says that they are.
    """
    found = [*_signs(ring), *_denominators(ring)]
    known = (value for value in positive if isinstance(value, Quotient) and value.ring is ring and not value.powers)
    strict = [_primitive(c.polynomial) for c in found if c.relation == ">"]
    strict += [_primitive(value.numerator) for value in known]
    texts = []
    for condition in found:
        normal = _primitive(condition.polynomial)
        if condition.relation == "≠" and any(normal in (other, -other) for other in strict):
            continue
        text = _relation(ring, shown, normal, condition.relation)
        texts.append(text if len(text) <= LONGEST else condition.words)
    return tuple(dict.fromkeys(sorted(texts, key=lambda text: text in WORDS)))


WORDS = (ONE_SOLUTION, NO_DENOMINATOR, NO_ROOT, AS_ASSUMED)


def _denominators(ring: PolynomialRing) -> Iterator[Condition]:
    for index in sorted(ring.unsigned):
        for factor, _ in ring.factors[index].factor()[1]:
            yield Condition(factor, "≠", ONE_SOLUTION if index in ring.determinants else NO_DENOMINATOR)


def _signs(ring: PolynomialRing) -> Iterator[Condition]:
    unknown = [x for x in ring.radicands if x.sign is None and not any(x == y for y in ring.radicands if y.sign)]
    for value, relation, words in (
        *((x, "≥", NO_ROOT) for x in unknown),
        *((x, relation, AS_ASSUMED) for x, relation in ring.assumed),
    ):
        yield Condition(_of_the_same_sign(ring, value), relation, words)


def _of_the_same_sign(ring: PolynomialRing, value: Quotient) -> Any:
    """A polynomial with the sign of a quotient: denominators of odd powers are factors."""
    found = value.numerator
    for index, power in value.powers.items():
        found = found * ring.factors[index] if power % 2 else found
    return found


def _primitive(polynomial: Any) -> Any:
    """With integer coefficients that have no common divisor: a positive multiple."""
    coefficients = [flint.fmpq(c) for c in polynomial.coeffs()]
    below, above = lcm(*(int(c.q) for c in coefficients)), gcd(*(int(c.p) for c in coefficients))
    return polynomial * flint.fmpq(below, above or 1)


def _relation(ring: PolynomialRing, shown: Sequence[str], polynomial: Any, relation: str) -> str:
    """``left relation right`` without a minus where that can be."""
    terms = [(powers, int(flint.fmpq(c).p)) for powers, c in polynomial.to_dict().items()]
    constant = sum(c for powers, c in terms if not any(powers))
    left = [(powers, c) for powers, c in terms if any(powers) and c > 0]
    right = [(powers, -c) for powers, c in terms if any(powers) and c < 0]
    if not left:
        left, right, constant, relation = right, [], -constant, FLIPPED[relation]
    sides = [" + ".join(_term(ring, shown, powers, c) for powers, c in side) for side in (left, right)]
    if not sides[1]:
        return f"{sides[0]} {relation} {-constant}"
    if constant > 0:
        sides[0] += f" + {constant}"
    return f"{sides[0]} {relation} {sides[1]}" + (f" + {-constant}" if constant < 0 else "")


def _term(ring: PolynomialRing, shown: Sequence[str], powers: Sequence[int], coefficient: int) -> str:
    factors = [_symbol(ring, shown, place) + _power(power) for place, power in enumerate(powers) if power]
    return "·".join([str(coefficient)] * (coefficient != 1) + factors)


def _power(exponent: int) -> str:
    return str(exponent).translate(POWERS) if exponent > 1 else ""


def _symbol(ring: PolynomialRing, shown: Sequence[str], place: int) -> str:
    """An indeterminate by its name; an atom by its function."""
    if place < len(shown):
        return shown[place]
    atom = next(atom for atom in ring.atoms if atom.index == place)
    inside = ", ".join(_quotient(ring, shown, argument) for argument in atom.arguments)
    return f"|{inside}|" if atom.kind == "abs" else f"{atom.kind}({inside})"


def _quotient(ring: PolynomialRing, shown: Sequence[str], value: Any) -> str:
    if not isinstance(value, Quotient) or not isinstance(value.ring, PolynomialRing):
        return str(value)
    above = _sum(ring, shown, value.numerator)
    below = [f"({_sum(ring, shown, ring.factors[index])}){_power(power)}" for index, power in value.powers.items()]
    if len(below) > 1:
        below = [f"({'·'.join(below)})"]
    return f"({above})/{below[0]}" if below else above


def _sum(ring: PolynomialRing, shown: Sequence[str], polynomial: Any) -> str:
    found = ""
    for powers, coefficient in polynomial.to_dict().items():
        value = flint.fmpq(coefficient)
        own = _term(ring, shown, powers, 1) if any(powers) else ""
        size = "" if abs(value) == 1 and own else str(abs(value))
        sign = (" - " if found else "-") if value < 0 else " + " if found else ""
        found += sign + "·".join(filter(None, (size, own)))
    return found
