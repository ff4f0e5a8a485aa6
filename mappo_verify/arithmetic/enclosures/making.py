"""Making enclosures from numbers of any other system, on a thread that rounds to nearest."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from ...errors import MixedArithmeticError
from .kernels import LEAST, Enclosure


def require_ieee() -> None:
    """Refuse a processor that does not round to nearest, or that takes denormal numbers for 0.

    A library compiled with ``-ffast-math`` may change this for the whole thread when it is loaded, so it is asked each time
    that enclosures are made, contracted or solved.
    """
    one, half, more, small, large = 1.0, 2.0**-53, 2.0**-53 + 2.0**-54, 2.0**-530, 2.0**1000
    if one + half != 1 or -one - half != -1 or one + more == 1 or -one - more == -1:
        raise ArithmeticError(
            "enclosures need rounding to nearest, and this thread rounds otherwise; call fesetround(FE_TONEAREST)"
        )
    if small * small * large == 0:  # by way of a denormal number; to compare with one would take both for 0
        raise ArithmeticError(
            "enclosures need denormal numbers, and this thread takes them for 0: a library compiled with -ffast-math sets "
            "this when it is loaded; import it in another process"
        )


def constant(value: int | Fraction) -> tuple[float, float]:
    """An integer or a Fraction as ``(mid, rad)``: radius 0 if float64 holds it, else half a unit in the last place.

    Beyond float64 the radius is infinite.
    """
    require_ieee()
    return _rounded(int(value.numerator), int(value.denominator))


def _rounded(numerator: int, denominator: int) -> tuple[float, float]:
    """Python's division of integers is correctly rounded."""
    try:
        mid = numerator / denominator
    except OverflowError:
        return math.nan, math.inf
    above, below = mid.as_integer_ratio()
    if above * denominator == numerator * below:
        return mid, 0.0
    return mid, max(math.ulp(mid) / 2, LEAST)


def enclose(values: Any) -> Enclosure:
    """Numbers of any other system as enclosures of the same shape.

    Floats keep their value (radius 0); ``nan`` and infinities say nothing.  Integers, Fractions, ``fmpq``, formal logarithms
    and balls are rounded outwards.  Raises :class:`MixedArithmeticError` for anything else.
    """
    require_ieee()
    values = np.asarray(values)
    if values.dtype.kind in "iu" and (np.abs(values) <= 2**53).all():  # these float64 holds exactly
        return values.astype(np.float64), np.zeros(values.shape)
    if values.dtype == np.float64:
        finite = np.isfinite(values)
        return values.copy(), np.broadcast_to(0.0, values.shape) if finite.all() else np.where(finite, 0.0, np.inf)
    if values.dtype.kind not in "iubO":
        raise MixedArithmeticError(f"an array of dtype {values.dtype} cannot be enclosed; use float64 or exact numbers")
    mid, rad = np.empty(values.shape), np.empty(values.shape)
    known: dict[Any, tuple[float, float]] = {}
    for index, value in zip(np.ndindex(values.shape), values.ravel().tolist(), strict=True):
        key = id(value)  # the list keeps them alive; large games share their zeros
        if key not in known:
            known[key] = _enclose_one(value)
        mid[index], rad[index] = known[key]
    return mid, rad


def _enclose_one(value: Any) -> tuple[float, float]:
    if isinstance(value, (int, Fraction)):
        return _rounded(int(value.numerator), int(value.denominator))
    if isinstance(value, float):
        return (value, 0.0) if math.isfinite(value) else (value, math.inf)
    import flint  # heavy, and present wherever such numbers are

    from ..formal import FormalLog
    from ..precision import precision

    if isinstance(value, (flint.fmpq, flint.fmpz)):
        value = flint.fmpq(value)
        return _rounded(int(value.p), int(value.q))
    if isinstance(value, FormalLog):
        number = value.reduced()
        if not number.terms:
            return _enclose_one(number.constant)
        with precision(256):
            return _enclose_ball(number.ball())
    if isinstance(value, flint.arb):
        return _enclose_ball(value)
    kind = type(value)
    raise MixedArithmeticError(f"{kind.__module__}.{kind.__name__} cannot be enclosed; use float64 or exact numbers")


def _enclose_ball(ball: Any) -> tuple[float, float]:
    mid = float(ball.mid())
    if not math.isfinite(mid):
        return math.nan, math.inf
    off = abs(ball - type(ball)(mid)).upper()
    rad = 0.0 if off == 0 else math.nextafter(float(off), math.inf)
    return (mid, rad) if rad < math.inf else (math.nan, math.inf)
