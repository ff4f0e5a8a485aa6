"""Whether symbols describe a list of numbers: what an arbitrary state of a run must do for every state of it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from ..errors import ExactnessError
from .one_instance import no_answer
from .rings import DegreeRing, PolynomialRing, Quotient
from .symbols import constant


def describes(pattern: Sequence[Any], values: Sequence[Any], free: frozenset[int]) -> bool:
    """Whether ``values`` are the ``pattern`` for some numbers in the place of its ``free`` indeterminates.

    Each of these stands alone in some entry, which says what number it is; ``(x, 1 - x)`` describes rows that sum to 1.
    """
    alone: dict[int, Any] = {}
    others = []
    for entry, value in zip(pattern, values, strict=True):
        place, factor = _alone(entry)
        if place not in free or place in alone:
            others.append((entry, value))
        else:
            alone[place] = value / factor
    return all(_is_put(entry, alone, free, value) for entry, value in others)


def _alone(entry: Any) -> tuple[int | None, Any]:
    """The place of the indeterminate that an entry is a multiple of, and by what; None where it is anything else."""
    if isinstance(entry, Quotient) and isinstance(entry.ring, DegreeRing):
        no_answer(ExactnessError("an induction is decided in symbols only"))
    if isinstance(entry, Quotient) and isinstance(entry.ring, PolynomialRing) and not entry.powers:
        terms = list(entry.numerator.to_dict().items())
        if len(terms) == 1 and sum(terms[0][0]) == 1:
            return terms[0][0].index(1), constant(Fraction(int(terms[0][1].p), int(terms[0][1].q)))
    return None, None


def _is_put(entry: Any, numbers: dict[int, Any], free: frozenset[int], value: Any) -> bool:
    """Whether a polynomial is ``value`` with these numbers in the place of its indeterminates."""
    if not isinstance(entry, Quotient) or not isinstance(entry.ring, PolynomialRing):
        return bool(value == entry)
    if not entry.ring.depends(entry, free):
        return bool(value == entry)
    if entry.powers:
        return False
    total: Any = constant(0)
    for powers, coefficient in entry.numerator.to_dict().items():
        if any(power and place not in numbers for place, power in enumerate(powers)):
            return False
        term: Any = constant(Fraction(int(coefficient.p), int(coefficient.q)))
        for place, power in enumerate(powers):
            for _ in range(power):
                term = term * numbers[place]
        total = total + term
    return bool(value == total)
