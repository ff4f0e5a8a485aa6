"""Moving arrays between number systems."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import Array, Hidden, System, compare, elementwise, floats_of, like, select, system_of
from ..arithmetic.explained import shown
from ..arithmetic.formulas import made_by
from ..arithmetic.numbers import wrap
from ..errors import ExactnessError, GameError, MixedArithmeticError
from .validation import ROUNDING, WHOLE


def convert(
    values: Any,
    target: System | Hidden,
    max_denominator: int | None = None,
    rows: bool | npt.NDArray[np.bool_] = False,
    name: str = "the array",
) -> Array:
    """``values`` in the system ``target``.

    Floats become the rationals that they are; ``max_denominator`` then rounds to the nearest such fraction.  ``rows`` says
    that the last axis holds (sub)probabilities, whose sums survive the rounding, or which of its rows sum to 1.  Where the target
    is the system of one instance, all instances share the result.
    """
    values = np.asarray(values)
    if isinstance(target, Hidden):
        exact = target._system if target._system is System.FLOATS else System.RATIONALS
        found = wrap(convert(values, exact, max_denominator, rows, name), target._system, values.ndim)
        return made_by("convert", found, (values, max_denominator, rows))
    if values.dtype.kind in "iub":
        return like(values, target)
    source = system_of(values)
    if source is target and max_denominator is None:
        return np.asarray(values)
    if source is System.SYMBOLS or (source is System.BALLS and target is not System.FLOATS):
        raise MixedArithmeticError(f"{source.value} cannot be turned into {target.value}")
    if max_denominator is not None and (not _is_integer(max_denominator) or max_denominator < 1):
        raise GameError(
            f"max_denominator = {shown(max_denominator)} is not a denominator; it is an integer of at least 1"
        )
    if target is System.FLOATS:
        try:
            return floats_of(values)
        except ExactnessError as error:
            raise ExactnessError(f"{name}: {error}") from None
    if source is System.FLOATS and values.dtype.kind == "O" and all(isinstance(v, WHOLE) for v in values.flat):
        values = like(elementwise(int, values), System.RATIONALS)  # integers of any size
    elif source is System.FLOATS:
        from ..arithmetic.floats import to_rational

        values = to_rational(values)
    probable = isinstance(rows, np.ndarray) or rows
    full: Any = None
    fitting: Any = None
    if probable and (source is System.FLOATS or max_denominator is not None):
        full = rows[..., None] if isinstance(rows, np.ndarray) else _nearly_one(values)
        mass = np.asarray(values.sum(-1, keepdims=True))
        fitting = compare(mass, "≤", like(1, mass)) > 0
    if max_denominator is not None:
        from ..arithmetic.rationals import fraction, rational

        values = elementwise(lambda x: rational(fraction(x).limit_denominator(max_denominator)), values)
    if full is not None:
        sums = np.asarray(values.sum(-1, keepdims=True))
        over = fitting & (compare(sums, ">", like(1, sums)) > 0)  # by rounding alone; what was no row stays none
        values = select(full | over, values / select(full | over, sums, like(1, sums)), values)
    if target is System.BALLS:
        from ..arithmetic.balls import enclose_all

        return enclose_all(values)
    return np.asarray(values)


def _nearly_one(values: Array) -> npt.NDArray[np.bool_]:
    """Rational rows whose sum is within rounding of 1: these are divided by their exact sum, smaller sums stay termination."""
    sums = np.asarray(values.sum(-1, keepdims=True))
    return np.asarray(np.abs(floats_of(sums - like(1, sums))) <= ROUNDING)


def _is_integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
