"""Roots, exponentials, logarithms and softmax of enclosures."""

from __future__ import annotations

import numpy as np

from .contractions import total
from .kernels import LEAST, TINY, UP, Enclosure, U, shape_of
from .making import require_ieee
from .numpy_kernels import two_product
from .operations import between, bounds, div, is_zero, known, mul, sub, where

LIBM_ULPS = 4
"""How many units in the last place NumPy's exp and log may err: an assumption about the C library (at most .72 were seen)."""


def sqrt(a: Enclosure) -> Enclosure:
    """``√x`` of a number that is known not to be negative, so what of the enclosure lies below 0 is cut off.

    ``|√x - s| = |x - s²| / (√x + s) ≤ (r + |m - s²|) / s`` for ``s ≈ √m``, and ``m - s²`` is found exactly, so roots of
    squares are exact.
    Certainly negative numbers have no root: nothing is known.
    """
    with np.errstate(all="ignore"):
        mid = np.sqrt(a[0])
        product, rest, bound = two_product(mid, mid)
        off = np.abs((a[0] - product) - rest) + bound
        rad = (a[1] + off) / mid * UP * UP + np.where((a[1] > 0) | (bound > 0), TINY, 0.0)
        sure = a[0] > a[1]
        if not sure.all():
            high = bounds(a)[1]
            top = np.sqrt(np.maximum(high, 0)) * UP + TINY
            wide_mid, wide_rad = between(np.zeros_like(top), np.where(is_zero(a), 0.0, top))
            mid, rad = np.where(sure, mid, wide_mid), np.where(sure, rad, wide_rad)
            rad = np.where(high >= 0, rad, np.inf)
        return mid, np.where(known(a), rad, np.inf)


def exp(a: Enclosure) -> Enclosure:
    """``eˣ``; assumes that NumPy's errs by at most ``LIBM_ULPS`` units in the last place.

    ``|eˣ - e^m| ≤ e^m (e^r - 1)``, and ``e^r - 1 ≤ r + r²`` for ``r ≤ 1``.
    """
    require_ieee()
    with np.errstate(all="ignore"):
        mid = np.exp(a[0])
        off = mid * (2 * LIBM_ULPS * U * UP) + LIBM_ULPS * 4 * LEAST
        grow = a[1] * (1 + a[1])
        far = a[1] > 1
        if far.any():
            grow = np.where(far, np.exp(a[1]), grow)  # UP makes up for 2 LIBM_ULPS U, and for four roundings
        rad = (off + (mid + off) * grow) * UP
        rad = np.where(is_zero(a), 0.0, rad)
        return mid, np.where(known(a) & (rad < np.inf), rad, np.inf)


def log(a: Enclosure) -> Enclosure:
    """``log x``; where ``x`` is not certainly positive nothing is known.

    Assumes that NumPy's errs by at most ``LIBM_ULPS`` units in the last place; ``|log x - log m| ≤ r / (m - r)``.
    """
    require_ieee()
    with np.errstate(all="ignore"):
        low = a[0] - a[1]
        mid = np.log(a[0])
        rad = (a[1] / low * UP + (2 * LIBM_ULPS * U) * np.abs(mid)) * UP + np.where(a[1] > 0, TINY, 0.0)
        rad = np.where((a[0] == 1) & (a[1] == 0), 0.0, rad)
        clear = (low > 0) & known(a)
        return np.where(clear, mid, np.nan), np.where(clear, rad, np.inf)


_ZERO = (np.zeros(1), np.zeros(1))
_ONE = (np.ones(1), np.zeros(1))


def xlogy(factor: Enclosure, a: Enclosure) -> Enclosure:
    """``factor · log x`` with ``0 · log 0 = 0``: an exact factor 0 gives an exact 0, whatever ``x`` is."""
    zero = is_zero(factor)
    return where(zero, _ZERO, mul(factor, log(where(zero, _ONE, a))))


def tilt(weights: Enclosure, exponents: Enclosure, axis: int = -1) -> Enclosure:
    """``w e^x / Σ w e^x`` over one core axis: Gibbs' distribution, and softmax.

    Exponents are shifted by the largest midpoint that has a weight, which changes the overflow only; the shift is exact algebra.
    An exact weight 0 gives an exact 0.
    """
    shape = np.broadcast_shapes(shape_of(weights), shape_of(exponents))
    core = len(shape) - 1
    if not -core <= axis < core:
        raise IndexError(f"axis {axis} is none of the {core} axes of one instance")
    place = axis % core
    zero = is_zero(weights)
    hidden = np.broadcast_to(np.where(zero, -np.inf, exponents[0]), shape)
    top = hidden.max(place, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    shifted = where(zero, _ZERO, sub(exponents, (top, np.zeros_like(top))))
    tilted = mul(weights, exp(shifted))
    mid, rad = total(tilted, place)
    return div(tilted, (np.expand_dims(mid, place), np.expand_dims(rad, place)))
