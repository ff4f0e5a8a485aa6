"""Sums, products and quotients of enclosures, what is known of them, comparisons and choices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..choice import Choice
from .kernels import TINY, UP, Enclosure, Floats, Kernels, Mask, U
from .numpy_kernels import NUMPY, two_sum

WORTH_FUSING = 2**16
"""Below so many numbers at once, loading compiled code takes longer than it saves."""
WORTH_LOADING = 2**26
"""Many small arrays are worth loading it, too: after so many numbers in all."""


def _compiled() -> Kernels:
    from .fused import NUMBA

    return NUMBA


kernels = Choice(NUMPY, _compiled, WORTH_FUSING, WORTH_LOADING)


# --- arithmetic -----------------------------------------------------------------------------------------------------


def neg(a: Enclosure) -> Enclosure:
    """``-x``."""
    return -a[0], a[1]


def add(a: Enclosure, b: Enclosure) -> Enclosure:
    """``x + y``, broadcast."""
    with np.errstate(all="ignore"):
        return kernels(max(a[0].size, b[0].size)).add(a, b)


def sub(a: Enclosure, b: Enclosure) -> Enclosure:
    """``x - y``, broadcast."""
    with np.errstate(all="ignore"):
        return kernels(max(a[0].size, b[0].size)).sub(a, b)


def mul(a: Enclosure, b: Enclosure) -> Enclosure:
    """``x y``, broadcast; an exact 0 times what is known is an exact 0."""
    with np.errstate(all="ignore"):
        return kernels(max(a[0].size, b[0].size)).mul(a, b)


def div(a: Enclosure, b: Enclosure) -> Enclosure:
    """``x / y``, broadcast; where ``y`` may be 0 nothing is known."""
    with np.errstate(all="ignore"):
        return kernels(max(a[0].size, b[0].size)).div(a, b)


def square(a: Enclosure) -> Enclosure:
    """``x²``, never below 0."""
    mid, rad = mul(a, a)
    with np.errstate(all="ignore"):
        wide = ~((a[1] <= np.abs(a[0]) / 4) & (rad <= mid))  # where it matters that both factors are one number
        if wide.any():
            low, high = bounds((np.abs(a[0][wide]), a[1][wide]))
            low = np.maximum(low, 0)
            mid[wide], rad[wide] = between(np.maximum(low * low * (1 - 4 * U) - TINY, 0), high * high * UP + TINY)
    return mid, rad


# --- what is known --------------------------------------------------------------------------------------------------


def known(a: Enclosure) -> Mask:
    """Where the enclosure says anything."""
    return np.isfinite(a[0]) & (a[1] < np.inf)


def is_zero(a: Enclosure) -> Mask:
    """Where the number is certainly 0: midpoint and radius are 0."""
    return np.asarray((a[0] == 0) & (a[1] == 0))


def bounds(a: Enclosure) -> tuple[Floats, Floats]:
    """The least and the largest number of each enclosure, rounded outwards only where float64 cannot hold them."""
    with np.errstate(all="ignore"):
        low, below = two_sum(a[0], -a[1])
        high, above = two_sum(a[0], a[1])
        low = np.where(below < 0, np.nextafter(low, -np.inf), low)
        high = np.where(above > 0, np.nextafter(high, np.inf), high)
        told = known(a) & np.isfinite(low) & np.isfinite(high)
    return np.where(told, low, -np.inf), np.where(told, high, np.inf)


def compare(a: Enclosure, relation: str, b: Enclosure) -> npt.NDArray[np.int8]:
    """Three-valued ``a relation b`` for a relation of ``=``, ``≤``, ``≥``, ``<``, ``>``: 1 TRUE, 0 UNKNOWN, -1 FALSE.

    ``=`` is TRUE only of two exact numbers.
    """
    if relation in ("≥", ">"):
        return compare(b, {"≥": "≤", ">": "<"}[relation], a)
    if relation not in ("=", "≤", "<"):
        raise ValueError(f"unknown relation {relation!r}; use one of = ≤ ≥ < >")
    true, false = decided(a, relation, b)
    still = ~(true | false)
    if still.any():
        # A difference sees more than the ends do where numbers are close, and less where the ends meet.
        true[still], false[still] = _decided_by_ends(entries(a, still), relation, entries(b, still))
    return true.astype(np.int8) - false.astype(np.int8)


def entries(a: Enclosure, mask: Mask) -> Enclosure:
    """The chosen entries of a result to which ``x`` is broadcast."""
    return np.broadcast_to(a[0], mask.shape)[mask], np.broadcast_to(a[1], mask.shape)[mask]


def decided(a: Enclosure, relation: str, b: Enclosure) -> tuple[Mask, Mask]:
    """Where the difference says that the relation holds, and that it does not."""
    mid, rad = sub(a, b)
    told = np.isfinite(mid) & (rad < np.inf)
    if relation == "≤":
        true, false = mid <= -rad, mid > rad
    elif relation == "<":
        true, false = mid < -rad, mid >= rad
    else:
        true, false = (mid == 0) & (rad == 0), np.abs(mid) > rad
    return told & true, told & false


def _decided_by_ends(a: Enclosure, relation: str, b: Enclosure) -> tuple[Mask, Mask]:
    (low, high), (lower, higher) = bounds(a), bounds(b)
    if relation == "≤":
        true, false = high <= lower, low > higher
    elif relation == "<":
        true, false = high < lower, low >= higher
    else:
        true, false = np.zeros(np.broadcast_shapes(low.shape, lower.shape), bool), (high < lower) | (low > higher)
    told = np.isfinite(low) & np.isfinite(lower)
    return told & true, told & false


# --- choosing -------------------------------------------------------------------------------------------------------


def between(low: Floats, high: Floats) -> Enclosure:
    """The enclosure of ``[low, high]``; from 0 on it never reaches below 0."""
    mid = 0.5 * low + 0.5 * high
    mid = np.where(low == 0, np.maximum(mid, high - mid), mid)
    above, more = two_sum(high, -mid)
    below, less = two_sum(mid, -low)
    above = np.where(more > 0, np.nextafter(above, np.inf), above)
    below = np.where(less > 0, np.nextafter(below, np.inf), below)
    rad = np.maximum(above, below)
    return mid, np.where(np.isfinite(mid) & (rad >= 0), rad, np.inf)


def where(mask: Mask, a: Enclosure, b: Enclosure) -> Enclosure:
    """``x`` where the mask is true, ``y`` elsewhere."""
    return np.where(mask, a[0], b[0]), np.where(mask, a[1], b[1])


def hull(a: Enclosure, b: Enclosure) -> Enclosure:
    """What contains both; of two equal enclosures, the same."""
    with np.errstate(all="ignore"):
        (low, high), (lower, higher) = bounds(a), bounds(b)
        mid, rad = between(np.minimum(low, lower), np.maximum(high, higher))
        same = (a[0] == b[0]) & (a[1] == b[1])
        return np.where(same, a[0], mid), np.where(same, a[1], rad)


def maximum(a: Enclosure, b: Enclosure) -> Enclosure:
    """``max(x, y)``; where it is not decided which is larger, everything between the larger ends."""
    with np.errstate(all="ignore"):
        second, first = decided(a, "≤", b)
        mid, rad = where(first, a, b)
        still = ~(first | second)
        if still.any():
            one, two = entries(a, still), entries(b, still)
            (low, high), (lower, higher) = bounds(one), bounds(two)
            mid[still], wide = between(np.maximum(low, lower), np.maximum(high, higher))
            rad[still] = np.where(known(one) & known(two), wide, np.inf)
        return mid, rad


def minimum(a: Enclosure, b: Enclosure) -> Enclosure:
    """``min(x, y)``, as :func:`maximum`."""
    return neg(maximum(neg(a), neg(b)))


def absolute(a: Enclosure) -> Enclosure:
    """``|x|``, never below 0."""
    mid = np.abs(a[0])
    inside = ~(mid >= a[1])
    if not inside.any():
        return mid, a[1]
    rad = a[1].copy()
    with np.errstate(all="ignore"):
        high = bounds((mid[inside], rad[inside]))[1]
        mid[inside], rad[inside] = between(np.zeros_like(high), high)
    return mid, rad
