"""Moving arrays between number systems."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arithmetic import Array, System, elementwise, floats_of, like, module_of, select, system_of
from ..errors import MixedArithmeticError
from .validation import ROUNDING


def convert(values: Any, target: System, max_denominator: int | None = None, rows: bool = False) -> Array:
    """``values`` in the system ``target``.

    Floats become the rationals that they are; ``max_denominator`` then rounds to the nearest such fraction.  ``rows`` says
    that the last axis holds (sub)probabilities, whose sums survive the rounding.
    """
    values = np.asarray(values)
    source = system_of(values)
    if source is target and max_denominator is None:
        return np.asarray(values)
    if source is System.SYMBOLS or (source is System.BALLS and target is not System.FLOATS):
        raise MixedArithmeticError(f"{source.value} cannot be turned into {target.value}")
    if target is System.FLOATS:
        return floats_of(values)
    if source is System.FLOATS:
        values = module_of(System.FLOATS).to_rational(values)
    if max_denominator is not None:
        rationals = module_of(System.RATIONALS)
        values = elementwise(
            lambda x: rationals.rational(rationals.fraction(x).limit_denominator(max_denominator)), values
        )
    if rows and (source is System.FLOATS or max_denominator is not None):
        values = close_rows(values, ROUNDING if max_denominator is None else values.shape[-1] / max_denominator)
    return np.asarray(module_of(System.BALLS).enclose_all(values) if target is System.BALLS else values)


def close_rows(values: Array, rounding: float) -> Array:
    """Divide every rational row whose sum is within ``rounding`` of 1 by that exact sum; leave smaller sums alone."""
    sums = np.asarray(values.sum(-1, keepdims=True))
    one = like(1, sums)
    rounded = np.abs(floats_of(sums - one)) <= rounding
    return select(rounded, values / select(rounded, sums, one), values)
