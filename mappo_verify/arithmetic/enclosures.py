"""Enclosures: a midpoint and a radius in float64, certified, nearly as fast as floats.

An enclosure is a pair ``(mid, rad)`` of float64 arrays of shape ``core + (B,)``, the batch last (``B = 1``: one number for the
whole batch); the true number lies in ``[mid - rad, mid + rad]``.  A radius that is not below infinity says nothing: an
overflow, a division by what may be 0, a logarithm of what may not be positive.  Every function works entry by entry or
instance by instance, so such an instance spoils no other.

**Exact errors.**  In IEEE 754 double precision, rounding to nearest, ``fl(x ∘ y) = (x ∘ y)(1 + δ) + η`` with ``|δ| ≤ u = 2⁻⁵³``
and ``|η| ≤ 2⁻¹⁰⁷⁵``, where ``η = 0`` for sums.  The error of a sum is a float again and is found by six additions (Knuth's
TwoSum); so is the error of a product (Dekker's, by splitting the factors; a fused multiply-add finds the same number) unless
it underflows.  Radii are made of these errors, not of bounds of them: what float64 represents keeps radius 0, ``1 - 1`` is 0,
and a product with an exact 0 is an exact 0.  A sum of products carries its errors along and adds them in the end (Ogita, Rump
and Oishi's Dot2), so its radius is half a unit in the last place of the *result*, however much of it cancels.

**Radii.**  A radius is a sum of non-negative terms, computed by at most 14 rounded operations, each of which loses at most a
factor ``1 - u``; multiplying by ``UP = 1 + 16u`` makes up for them.  Where a product of two numbers that are not 0 may have
underflowed, ``TINY = 2⁻¹⁰⁷⁰ = 32 · 2⁻¹⁰⁷⁵`` is added as well, which makes up for 32 underflows; it changes no radius above
``2⁻¹⁰¹⁶``.

**Linear systems** are solved in floats, whatever the errors, and verified afterwards: see :func:`solve`.

**Assumed, not proved:** ``exp`` and ``log`` of the C library, as NumPy calls them, err by at most ``LIBM_ULPS`` units in the
last place.  Everything else rests on IEEE 754 alone.

This module needs NumPy only.  Where numba is installed, :mod:`mappo_verify.arithmetic.fused` computes the same numbers in one
pass over memory; large arrays take that path by themselves.

>>> third = constant(Fraction(1, 3))
>>> third
(0.3333333333333333, 2.7755575615628914e-17)
>>> one = (np.array([1.0]), np.array([0.0]))
>>> sub(one, one)
(array([0.]), array([0.]))

References: Rump, Verification methods: rigorous results using floating-point arithmetic, Acta Numerica 19 (2010); Ogita, Rump
and Oishi, Accurate sum and dot product, SIAM J. Sci. Comput. 26 (2005); Muller et al., Handbook of Floating-Point Arithmetic.
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import MixedArithmeticError
from .enclosure_kernels import (
    LARGE,
    LEAST,
    MAGNITUDE,
    SMALL,
    TINY,
    UP,
    Enclosure,
    Floats,
    Kernels,
    U,
    arranged,
    label_sizes,
    plans,
    slack,
    widening,
)
from .protocol import Parts, Relation
from .system import System

Mask = npt.NDArray[np.bool_]


LIBM_ULPS = 4
"""How many units in the last place NumPy's exp and log may err: an assumption about the C library (at most .72 were seen)."""

BLOCK = 2**14
"""Numbers in one pass: the intermediate results of a block stay in the processor's cache."""
WORTH_FUSING = 2**16
"""Below so many numbers, loading compiled code takes longer than it saves."""


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


# --- making enclosures ----------------------------------------------------------------------------------------------


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
        return values.copy(), np.where(np.isfinite(values), 0.0, np.inf)
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

    from .balls import precision
    from .formal import FormalLog

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
        low, below = _two_sum(a[0], -a[1])
        high, above = _two_sum(a[0], a[1])
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
    true, false = _decided(a, relation, b)
    if not (true | false).all():
        # A difference sees more than the ends do where numbers are close, and less where the ends meet.
        more = _decided_by_ends(a, relation, b)
        true, false = true | more[0], false | more[1]
    return true.astype(np.int8) - false.astype(np.int8)


def _decided(a: Enclosure, relation: str, b: Enclosure) -> tuple[Mask, Mask]:
    """Where the difference says that the relation holds, and that it does not."""
    mid, rad = sub(a, b)
    told = np.isfinite(mid) & (rad < np.inf)
    if relation == "≤":
        true, false = mid <= -rad, mid > rad
    elif relation == "<":
        true, false = mid < -rad, mid >= rad
    else:
        true, false = (mid == 0) & (rad == 0) & (a[1] == 0) & (b[1] == 0), np.abs(mid) > rad
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


# --- exact errors ---------------------------------------------------------------------------------------------------


def _two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """``a + b`` rounded, and the rest, exactly (Knuth).  The rest of an overflow is nan."""
    total = a + b
    second = total - a
    return total, (a - (total - second)) + (b - second)


def _split(a: Floats) -> tuple[Floats, Floats]:
    """``a`` as a sum of two numbers of at most 26 bits, for ``|a| ≤ LARGE`` (Veltkamp)."""
    spread = a * (2.0**27 + 1)
    high = spread - (spread - a)
    return high, a - high


def _dekker(product: Floats, a: tuple[Floats, Floats], b: tuple[Floats, Floats]) -> Floats:
    """``a b - product``, exactly, from the factors' halves."""
    rest = a[0] * b[0]
    rest -= product
    rest += a[0] * b[1]
    rest += a[1] * b[0]
    rest += a[1] * b[1]
    return rest


def _two_product(a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """``a b`` rounded, the rest exactly where that is possible (0 elsewhere), and a bound of the rest where it is not.

    A rest is a multiple of ``2⁻¹⁰⁶`` times the product's power of 2, so from SMALL on float64 holds it and all of Dekker's terms.
    """
    product = a * b
    size_a, size_b = np.abs(a), np.abs(b)
    exact = (np.abs(product) >= SMALL) & (size_a <= LARGE) & (size_b <= LARGE)
    rest = np.where(exact, _dekker(product, _split(a), _split(b)), 0.0)
    bound = np.where(exact | (a == 0) | (b == 0), 0.0, U * np.abs(product) + LEAST)
    return product, rest, bound


_ORDINARY = tuple(np.array([2.0**-450, 2.0**450]).view(np.uint64))


def _ordinary(*arrays: Floats) -> bool:
    """Whether every number is 0 or between ``2⁻⁴⁵⁰`` and ``2⁴⁵⁰`` in size.

    Then every product of two is 0 by a factor 0 or at least SMALL, nothing underflows, and no rule for rests or for TINY applies.
    Magnitudes of floats are ordered as their bits are; 0 minus 1 is the largest integer.
    """
    for array in arrays:
        if array.size:
            bits = np.ascontiguousarray(array).view(np.uint64) & MAGNITUDE
            if bits.max() > _ORDINARY[1] or (bits - np.uint64(1)).min() < _ORDINARY[0] - np.uint64(1):
                return False
    return True


# --- elementwise: NumPy ---------------------------------------------------------------------------------------------


def _add(a: Enclosure, b: Enclosure) -> Enclosure:
    mid, rest = _two_sum(a[0], b[0])
    return mid, (a[1] + b[1] + np.abs(rest)) * UP


def _sub(a: Enclosure, b: Enclosure) -> Enclosure:
    return _add(a, (-b[0], b[1]))


def _uncertain(a: Enclosure, b: Enclosure) -> Mask:
    """Where a product of radii may have underflowed: neither factor is an exact 0, and not both are exact."""
    return np.asarray(((a[1] > 0) | (b[1] > 0)) & ((a[0] != 0) | (a[1] > 0)) & ((b[0] != 0) | (b[1] > 0)))


def _spread(a: Enclosure, b: Enclosure) -> Floats:
    """``|xy - m_a m_b| ≤ |m_a| r_b + r_a (|m_b| + r_b)``."""
    return np.abs(a[0]) * b[1] + a[1] * (np.abs(b[0]) + b[1])


def _mul(a: Enclosure, b: Enclosure) -> Enclosure:
    if _ordinary(*a, *b):
        mid = a[0] * b[0]
        rest = _dekker(mid, _split(a[0]), _split(b[0]))
        return mid, (_spread(a, b) + np.abs(rest)) * UP
    mid, rest, bound = _two_product(a[0], b[0])
    rad = (_spread(a, b) + np.abs(rest) + bound) * UP
    return mid, rad + np.where(_uncertain(a, b), TINY, 0.0)


def _div(a: Enclosure, b: Enclosure) -> Enclosure:
    """``|x/y - q| = |x - q y| / |y| ≤ (r_a + |m_a - q m_b| + |q| r_b) / (|m_b| - r_b)``.

    ``m_a - q m_b`` is a float (Handbook, section 5.2), found by way of Dekker's product; where something may have underflowed
    or overflowed, ``|m_a / m_b - q| ≤ u|q| + 2⁻¹⁰⁷⁴`` instead.
    """
    mid = a[0] / b[0]
    size = np.abs(mid)
    product, rest, _ = _two_product(mid, b[0])
    exact = (
        (np.abs(a[0]) >= 2 * SMALL)
        & (np.abs(a[0]) <= LARGE)
        & (size >= SMALL)
        & (size <= LARGE)
        & (np.abs(b[0]) <= LARGE)
    )
    rest = np.where(exact, np.abs((a[0] - product) - rest), 0.0)
    bound = np.where(exact | (a[0] == 0), 0.0, U * size + LEAST)
    room = np.abs(b[0]) - b[1]
    spread = size * b[1]
    spread = spread + np.where((b[1] > 0) & (mid != 0), TINY, 0.0)
    top = (a[1] + rest + spread) * UP
    rad = (top / room * UP + bound) * UP + np.where(top > 0, TINY, 0.0)
    clear = room > 0
    return np.where(clear, mid, np.nan), np.where(clear, rad, np.inf)


# --- sums and contractions: NumPy -----------------------------------------------------------------------------------


class Dot:
    """A running sum with its errors: the sum so far is ``value + rests`` up to ``slack · |rests|``.

    ``rests`` adds the exact errors, each rounded once, so after ``n`` terms it is off by at most ``n u (1 + n u)`` times the
    sum ``size`` of their magnitudes.
    """

    def __init__(self, value: Floats) -> None:
        self.value, self.rests, self.size = value, np.zeros_like(value), np.zeros_like(value)

    def add(self, term: Floats, rest: Floats | None = None) -> None:
        """Add ``term + rest``; ``term`` is overwritten."""
        total = self.value + term
        second = total - self.value
        term -= second
        np.subtract(total, second, out=second)
        np.subtract(self.value, second, out=second)
        second += term
        if rest is not None:
            second += rest
        self.rests += second
        self.size += np.abs(second, out=second)
        self.value = total

    def close(self, terms: int) -> Enclosure:
        """The sum, rounded once, and its error: at most ``slack(terms) · size`` beyond the exact one of that rounding."""
        mid, rest = _two_sum(self.value, self.rests)
        return mid, np.abs(rest) + slack(terms) * self.size


def _lanes(a: Floats, block: slice) -> Floats:
    return a if a.shape[-1] == 1 else a[..., block]


def _blocks(rows: int, batch: int) -> list[slice]:
    step = max(64, BLOCK // max(rows, 1))
    return [slice(start, min(start + step, batch)) for start in range(0, batch, step)]


def _product_sum(terms: tuple[str, ...], output: str, factors: tuple[Enclosure, ...]) -> Enclosure:
    """``Σ a b`` or ``Σ a`` over the labels that the output lacks."""
    found, axes, count = plans(terms, output, tuple(f[0].shape[:-1] for f in factors))
    parts = [tuple(arranged(part, plan) for part in factor) for factor, plan in zip(factors, found, strict=True)]
    core = np.broadcast_shapes(*(plan.shape for plan in found))
    batch = np.broadcast_shapes(*(f[0].shape[-1:] for f in factors))[0]
    mid, rad = np.empty((*core[axes:], batch)), np.empty((*core[axes:], batch))
    for block in _blocks(max(math.prod(core[axes:]), 1), batch):
        here = [tuple(_lanes(part, block) for part in factor) for factor in parts]
        mid[..., block], rad[..., block] = _product_sum_block(here, core, axes, count, mid[..., block].shape)
    return mid, rad


def _product_sum_block(
    factors: Sequence[tuple[Floats, ...]], core: tuple[int, ...], axes: int, count: int, shape: tuple[int, ...]
) -> Enclosure:
    total, spread = Dot(np.zeros(shape)), np.zeros(shape)
    ordinary = _ordinary(*(part for factor in factors for part in factor))
    exact = [not factor[1].any() for factor in factors]
    halves = [_split(factor[0]) if ordinary and len(factors) == 2 else None for factor in factors]
    sizes = [None if all(exact) else np.abs(factor[0]) for factor in factors]
    for index in np.ndindex(core[:axes]):
        at = [tuple(min(i, n - 1) for i, n in zip(index, factor[0].shape, strict=False)) for factor in factors]
        if len(factors) == 1:
            total.add(np.broadcast_to(factors[0][0][at[0]], shape).copy())
            spread += factors[0][1][at[0]]
            continue
        (a, r), (b, s) = ((factor[0][i], factor[1][i]) for factor, i in zip(factors, at, strict=True))
        if ordinary:
            first, second = ((half[0][i], half[1][i]) for half, i in zip(halves, at, strict=True) if half is not None)
            product = a * b
            total.add(product, _dekker(product, first, second))
        else:
            product, rest, bound = _two_product(a, b)
            total.add(product, rest)
            spread += bound
        if sizes[0] is not None and sizes[1] is not None:
            term = _spread_of_sizes(sizes[0][at[0]], r, sizes[1][at[1]], s, exact)
            if not ordinary:
                term = term + np.where(_uncertain((a, r), (b, s)), TINY, 0.0)
            spread += term
    mid, rad = total.close(count)
    rad = (rad + spread) * widening(count)
    return mid, rad + np.where(total.size + spread > 0, TINY, 0.0)


def _spread_of_sizes(size_a: Floats, r: Floats, size_b: Floats, s: Floats, exact: Sequence[bool]) -> Floats:
    """As :func:`_spread`, without terms that are 0."""
    if exact[1]:
        return np.asarray(r * size_b)
    if exact[0]:
        return np.asarray(size_a * s)
    return np.asarray(size_a * s + r * (size_b + s))


# --- linear systems: NumPy ------------------------------------------------------------------------------------------


def _factorise(left: Floats) -> Floats:
    """L and U in one array ``[n, n, B]``, without pivoting, in floats."""
    left = left.copy()
    for p in range(len(left)):
        left[p + 1 :, p] /= left[p, p]
        left[p + 1 :, p + 1 :] -= left[p + 1 :, p, None] * left[p, None, p + 1 :]
    return left


def _substitute(factors: Floats, right: Floats) -> Floats:
    """``x`` with ``L U x = right`` in floats, ``[n, k, B]``."""
    x = right.copy()
    n = len(x)
    for p in range(n):
        x[p + 1 :] -= factors[p + 1 :, p, None] * x[p]
    for p in reversed(range(n)):
        x[p] /= factors[p, p]
        x[:p] -= factors[:p, p, None] * x[p]
    return x


def _subtract_products(total: Dot, left: Floats, x: Floats) -> Floats:
    """Take ``A x`` from a running sum ``[n, k, B]``, and return a bound of what is not exact about it."""
    bound = np.zeros_like(total.value)
    ordinary = _ordinary(left, x)
    for column in range(left.shape[1]):
        a, y = -left[:, column, None], x[column]
        if ordinary:
            product = a * y
            total.add(product, _dekker(product, _split(a), _split(y)))
        else:
            product, rest, more = _two_product(a, y)
            total.add(product, rest)
            bound += more
    return bound


def _refined(a: Enclosure, b: Enclosure, approximate: Callable[[Floats], Floats]) -> tuple[Floats, Floats, Floats]:
    """``x`` and a correction ``d`` ``[n, k, B]``, and a bound of ``|b - A(x + d)|`` for every matrix and right side enclosed.

    The residual is a sum of products with exact errors, so one step brings ``x + d`` to nearly twice the precision.
    """
    n = a[0].shape[0]
    x = approximate(b[0])
    total = Dot(b[0].copy())
    bound = _subtract_products(total, a[0], x)
    correction = approximate(total.value + total.rests)
    bound = bound + _subtract_products(total, a[0], correction)
    mid, rad = total.close(2 * n)
    size = np.abs(x) + np.abs(correction)
    spread = np.zeros_like(mid)
    for column in range(n):
        spread += a[1][:, column, None] * size[column]
    inexact = total.size + bound + (a[1].sum(1)[:, None] + b[1]) > 0
    residual = (np.abs(mid) + rad + bound + spread + b[1]) * widening(2 * n)
    return x, correction, residual + np.where(inexact, (n + 1) * TINY, 0.0)


def _margin(a: Enclosure, v: Floats) -> Floats:
    """A lower bound ``w`` of ``⟨A⟩ v`` for ``v > 0``, where ``⟨A⟩`` is Ostrowski's comparison matrix; nan where ``v`` is not.

    ``⟨A⟩`` has the least size of an entry on the diagonal and minus the largest elsewhere.
    """
    n = a[0].shape[0]
    high = np.abs(a[0]) + a[1]
    against = np.zeros(v.shape)
    for column in range(n):
        for row in range(n):
            if row != column:
                against[row] += high[row, column] * v[column]
    diagonal = np.arange(n)
    support = (np.abs(a[0][diagonal, diagonal]) - a[1][diagonal, diagonal]) * v
    margin = (support - against) - (n + 8) * 4 * U * (support + against)
    # Products that underflowed are off by n 2⁻¹⁰⁷⁵, nothing beside u SMALL.
    return np.where((margin > SMALL) & (v > 0), margin, np.nan)


def _worst(residual: Floats, margin: Floats) -> Floats:
    """``max_i residual_i / margin_i`` over the rows, rounded up; infinite where something is not known."""
    ratio = residual / margin[:, None] * UP + np.where(residual > 0, TINY, 0.0)
    return np.asarray(np.where(ratio < np.inf, ratio, np.inf).max(0, initial=0.0))


def _solution(x: Floats, correction: Floats, error: Floats) -> Enclosure:
    """``x + correction`` with an error bound that is infinite where nothing is known."""
    mid, rest = _two_sum(x, correction)
    rad = (np.abs(rest) + error) * UP + np.where(error > 0, TINY, 0.0)
    return mid, np.where((rad < np.inf) & (error >= 0), rad, np.inf)


def _solve_dominant(a: Enclosure, b: Enclosure) -> Enclosure:
    """Systems ``[n, n, B]``, ``[n, k, B]`` whose comparison matrix is confirmed by ``v ≈ A⁻¹ 1``; infinite radii elsewhere."""
    n, _, batch = b[0].shape
    mid, rad = np.empty(b[0].shape), np.empty(b[0].shape)
    for block in _blocks(n * n, batch):
        here = (a[0][..., block], a[1][..., block])
        right = (b[0][..., block], b[1][..., block])
        factors = _factorise(here[0])
        v = _substitute(factors, np.ones((n, 1, here[0].shape[-1])))[:, 0]
        x, correction, residual = _refined(here, right, lambda y, factors=factors: _substitute(factors, y))  # type: ignore[misc]
        worst = _worst(residual, _margin(here, v))
        mid[..., block], rad[..., block] = _solution(x, correction, v[:, None] * worst)
    return mid, rad


def _solve_by_inverse(a: Enclosure, b: Enclosure) -> Enclosure:
    """Systems of any regular matrices.

    With ``R ≈ A⁻¹`` and ``α = max_i Σ_j |I - R A|_ij < 1``, ``A`` is regular and the norm of ``(RA)⁻¹ - I`` is at most
    ``α/(1 - α)``, so ``|x - x̃|_i ≤ y_i + α/(1 - α) max y`` with ``y = |R| |b - A x̃|``.
    """
    n = a[0].shape[0]
    stacked = np.moveaxis(a[0], -1, 0)
    try:
        found = np.linalg.inv(stacked)
    except np.linalg.LinAlgError:
        found = np.linalg.pinv(stacked)
    inverse: Floats = np.ascontiguousarray(np.moveaxis(found, 0, -1), dtype=np.float64)
    exact: Enclosure = (inverse, np.zeros(inverse.shape))

    def approximate(right: Floats) -> Floats:
        return np.asarray(np.einsum("ijZ,jkZ->ikZ", inverse, right))

    x, correction, residual = _refined(a, b, approximate)
    identity = np.eye(n)[..., None]
    off = _sub((identity, np.zeros_like(identity)), _product_sum(("ij", "jk"), "ik", (exact, a)))
    alpha = ((np.abs(off[0]) + off[1]).sum(1) * widening(n)).max(0, initial=0.0)
    room = np.where(alpha < 0.5, 1 - alpha, np.nan)
    y = _product_sum(("ij", "jk"), "ik", ((np.abs(inverse), exact[1]), (residual, np.zeros_like(residual))))
    y_top = bounds(y)[1]
    return _solution(x, correction, (y_top + alpha / room * UP * y_top.max(0, initial=0.0)) * UP)


def finish(a: Enclosure, b: Enclosure, found: Enclosure) -> Enclosure:
    """The last two steps of :func:`solve`: systems that are not confirmed yet, and exact zeros.

    Where ``b`` is exactly 0 on a set of rows, and these rows of ``A`` are exactly 0 outside the set, the solution is 0 on the
    set, because ``A`` is regular: visits of states that are not reached are exactly 0.
    """
    mid, rad = found
    lost = ~(rad < np.inf).all((0, 1))
    lost &= np.isfinite(a[0]).all((0, 1)) & (a[1] < np.inf).all((0, 1))
    lost &= np.isfinite(b[0]).all((0, 1)) & (b[1] < np.inf).all((0, 1))
    if lost.any():
        again = _solve_by_inverse((a[0][..., lost], a[1][..., lost]), (b[0][..., lost], b[1][..., lost]))
        mid[..., lost], rad[..., lost] = again
    reached = ~is_zero(b)
    if not reached.all():
        linked = ~is_zero(a)
        while True:
            more = reached | (linked[:, :, None] & reached[None]).any(1)
            if (more == reached).all():
                break
            reached = more
        zero = ~reached & (rad < np.inf)
        mid[zero], rad[zero] = 0.0, 0.0
    return mid, rad


def full(a: Enclosure, batch: int) -> Enclosure:
    """Both parts with the batch written out, contiguous."""
    mid, rad = (np.ascontiguousarray(np.broadcast_to(part, (*part.shape[:-1], batch))) for part in a)
    return mid, rad


# --- two implementations of one contract ----------------------------------------------------------------------------


NUMPY = Kernels(_add, _sub, _mul, _div, _product_sum, _solve_dominant)


@cache
def _compiled() -> Kernels:
    try:
        from .fused import NUMBA
    except ModuleNotFoundError as error:
        if error.name != "numba":
            raise
        return NUMPY
    return NUMBA


def kernels(size: int) -> Kernels:
    """The implementation for so many numbers."""
    return _compiled() if size >= WORTH_FUSING else NUMPY


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
            low, high = bounds((np.abs(a[0]), a[1]))
            low = np.maximum(low, 0)
            ends = _between(np.maximum(low * low * (1 - 4 * U) - TINY, 0), high * high * UP + TINY)
            mid, rad = np.where(wide, ends[0], mid), np.where(wide, ends[1], rad)
    return mid, rad


def total(a: Enclosure, axes: int | Sequence[int]) -> Enclosure:
    """``Σ x`` over one or several core axes, which are counted from 0 or, negative, from the last core axis."""
    require_ieee()
    core = a[0].ndim - 1
    given = (axes,) if isinstance(axes, int) else tuple(axes)
    for axis in given:
        if not -core <= axis < core:
            raise IndexError(f"axis {axis} is none of the {core} axes of one instance")
    gone = {axis % core for axis in given}
    labels = string.ascii_letters[:core]
    output = "".join(label for axis, label in enumerate(labels) if axis not in gone)
    with np.errstate(all="ignore"):
        return kernels(a[0].size).product_sum((labels,), output, (a,))


def contract(subscripts: str, *factors: Enclosure) -> Enclosure:
    """``numpy.einsum`` over the core axes, as in ``"sa,sat->st"``; ``...`` stands for further core axes in front.

    Labels are lower-case letters.  More than two factors are contracted in pairs, the smallest intermediate result first.
    """
    require_ieee()
    given, output = _parsed(subscripts, tuple(f[0].ndim - 1 for f in factors))
    work = list(zip(given, factors, strict=True))
    with np.errstate(all="ignore"):
        work = [_diagonal(term, factor) for term, factor in work]
        while len(work) > 2:
            i, j, kept = _cheapest_pair([term for term, _ in work], output, [f[0].shape[:-1] for _, f in work])
            (second, b), (first, a) = work.pop(j), work.pop(i)
            work.append((kept, _multiply((first, second), kept, (a, b))))
        return _multiply(tuple(term for term, _ in work), output, tuple(factor for _, factor in work))


def _multiply(terms: tuple[str, ...], output: str, factors: tuple[Enclosure, ...]) -> Enclosure:
    return kernels(max(f[0].size for f in factors)).product_sum(terms, output, factors)


@cache
def _parsed(subscripts: str, dimensions: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """The labels of every factor and of the result; ``...`` becomes capital letters."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if not arrow or len(terms) != len(dimensions):
        raise ValueError(f"{subscripts!r} must name {len(dimensions)} factors and, after '->', the result")
    extra = [n - len(term.replace("...", "")) for n, term in zip(dimensions, terms, strict=True)]
    for term, n in zip(terms, extra, strict=True):
        if n < 0 or (n > 0 and "..." not in term):
            raise ValueError(f"{term!r} in {subscripts!r} does not fit a factor of {n + len(term)} axes")
    capitals = string.ascii_uppercase[: max(extra, default=0)]
    expanded = tuple(
        term.replace("...", capitals[len(capitals) - n :] if n else "") for term, n in zip(terms, extra, strict=True)
    )
    output = output.replace("...", capitals)
    unknown = [label for label in output if not any(label in term for term in expanded)]
    if unknown or len(set(output)) != len(output):
        raise ValueError(f"the result of {subscripts!r} has a label twice, or one that no factor has")
    return expanded, output


def _diagonal(term: str, factor: Enclosure) -> tuple[str, Enclosure]:
    """A factor in which no label stands twice."""
    once = "".join(dict.fromkeys(term))
    if once == term:
        return term, factor
    view = f"{term}...->{once}..."
    return once, (np.einsum(view, factor[0]), np.einsum(view, factor[1]))


def _cheapest_pair(terms: list[str], output: str, shapes: list[tuple[int, ...]]) -> tuple[int, int, str]:
    """Which two factors to contract first, and the labels that must stay."""
    sizes = label_sizes(terms, shapes)
    best: tuple[int, int, int, str] | None = None
    for i in range(len(terms)):
        for j in range(i + 1, len(terms)):
            others = output + "".join(term for k, term in enumerate(terms) if k not in (i, j))
            kept = "".join(label for label in dict.fromkeys(terms[i] + terms[j]) if label in others)
            cost = math.prod(sizes[label] for label in kept)
            if best is None or cost < best[0]:
                best = (cost, i, j, kept)
    assert best is not None
    return best[1:]


def solve(a: Enclosure, b: Enclosure) -> Enclosure:
    """``x`` with ``A x = b`` for every matrix ``[n, n, B]`` and right side ``[n, k, B]`` enclosed.

    An approximation ``x̃`` is improved once by its residual, and verified: if ``⟨A⟩ v ≥ w > 0`` for some ``v > 0``, where
    ``⟨A⟩`` is Ostrowski's comparison matrix, then ``⟨A⟩⁻¹ ≥ 0``, ``A`` is regular with ``|A⁻¹| ≤ ⟨A⟩⁻¹``, and

        ``|x - x̃| ≤ ⟨A⟩⁻¹ |b - A x̃| ≤ v · max_i |b - A x̃|_i / w_i``.

    ``v ≈ A⁻¹ 1`` will do for M-matrices, as ``I - γP`` and its transpose are.  Other systems are multiplied by an approximate
    inverse first.  Exact zeros that follow from the zeros of ``A`` and ``b`` stay exact.  A system that is not certainly
    regular says nothing.
    """
    require_ieee()
    if a[0].ndim != 3 or b[0].ndim != 3 or a[0].shape[0] != a[0].shape[1] or a[0].shape[0] != b[0].shape[0]:
        raise ValueError(f"a matrix [n, n, B] and right sides [n, k, B] are needed, not {a[0].shape} and {b[0].shape}")
    batch = np.broadcast_shapes(a[0].shape[-1:], b[0].shape[-1:])[0]
    a, b = full(a, batch), full(b, batch)
    with np.errstate(all="ignore"):
        return finish(a, b, kernels(a[0].size).solve_dominant(a, b))


# --- choosing -------------------------------------------------------------------------------------------------------


def _between(low: Floats, high: Floats) -> Enclosure:
    """The enclosure of ``[low, high]``; from 0 on it never reaches below 0."""
    mid = 0.5 * low + 0.5 * high
    mid = np.where(low == 0, np.maximum(mid, high - mid), mid)
    above, more = _two_sum(high, -mid)
    below, less = _two_sum(mid, -low)
    above = np.where(more > 0, np.nextafter(above, np.inf), above)
    below = np.where(less > 0, np.nextafter(below, np.inf), below)
    rad = np.maximum(above, below)
    return mid, np.where(np.isfinite(mid) & (rad >= 0), rad, np.inf)


def _where(mask: Mask, a: Enclosure, b: Enclosure) -> Enclosure:
    return np.where(mask, a[0], b[0]), np.where(mask, a[1], b[1])


def hull(a: Enclosure, b: Enclosure) -> Enclosure:
    """What contains both; of two equal enclosures, the same."""
    with np.errstate(all="ignore"):
        (low, high), (lower, higher) = bounds(a), bounds(b)
        mid, rad = _between(np.minimum(low, lower), np.maximum(high, higher))
        same = (a[0] == b[0]) & (a[1] == b[1])
        return np.where(same, a[0], mid), np.where(same, a[1], rad)


def maximum(a: Enclosure, b: Enclosure) -> Enclosure:
    """``max(x, y)``; where it is not decided which is larger, everything between the larger ends."""
    with np.errstate(all="ignore"):
        second, first = _decided(a, "≤", b)
        if (first | second).all():
            return _where(first, a, b)
        (low, high), (lower, higher) = bounds(a), bounds(b)
        wide = _between(np.maximum(low, lower), np.maximum(high, higher))
        mid, rad = _where(first, a, _where(second, b, wide))
        return mid, np.where(known(a) & known(b), rad, np.inf)


def minimum(a: Enclosure, b: Enclosure) -> Enclosure:
    """``min(x, y)``, as :func:`maximum`."""
    return neg(maximum(neg(a), neg(b)))


def absolute(a: Enclosure) -> Enclosure:
    """``|x|``, never below 0."""
    size = np.abs(a[0])
    outside = size >= a[1]
    if outside.all():
        return size, a[1]
    with np.errstate(all="ignore"):
        mid, rad = _between(np.zeros_like(size), bounds((size, a[1]))[1])
    return np.where(outside, size, mid), np.where(outside, a[1], rad)


# --- elementary functions -------------------------------------------------------------------------------------------


def sqrt(a: Enclosure) -> Enclosure:
    """``√x`` of a number that is known not to be negative, so what of the enclosure lies below 0 is cut off.

    ``|√x - s| = |x - s²| / (√x + s) ≤ (r + |m - s²|) / s`` for ``s ≈ √m``, and ``m - s²`` is found exactly, so roots of
    squares are exact.
    Certainly negative numbers have no root: nothing is known.
    """
    with np.errstate(all="ignore"):
        mid = np.sqrt(a[0])
        product, rest, bound = _two_product(mid, mid)
        off = np.abs((a[0] - product) - rest) + bound
        rad = (a[1] + off) / mid * UP * UP + np.where((a[1] > 0) | (bound > 0), TINY, 0.0)
        sure = a[0] > a[1]
        if not sure.all():
            high = bounds(a)[1]
            top = np.sqrt(np.maximum(high, 0)) * UP + TINY
            wide_mid, wide_rad = _between(np.zeros_like(top), np.where(is_zero(a), 0.0, top))
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
            grow = np.where(far, np.exp(a[1]) * (1 + 4 * LIBM_ULPS * U), grow)
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
    return _where(zero, _ZERO, mul(factor, log(_where(zero, _ONE, a))))


def tilt(weights: Enclosure, exponents: Enclosure, axis: int = -1) -> Enclosure:
    """``w e^x / Σ w e^x`` over one core axis: Gibbs' distribution, and softmax.

    Exponents are shifted by the largest midpoint that has a weight, which changes the overflow only; the shift is exact algebra.
    An exact weight 0 gives an exact 0.
    """
    depth = max(weights[0].ndim, exponents[0].ndim)
    if not -(depth - 1) <= axis < depth - 1:
        raise IndexError(f"axis {axis} is none of the {depth - 1} axes of one instance")
    place = axis % (depth - 1)
    shape = np.broadcast_shapes(weights[0].shape, exponents[0].shape)
    zero = is_zero(weights)
    hidden = np.broadcast_to(np.where(zero, -np.inf, exponents[0]), shape)
    top = hidden.max(place, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    shifted = _where(zero, _ZERO, sub(exponents, (top, np.zeros_like(top))))
    tilted = mul(weights, exp(shifted))
    mid, rad = total(tilted, place)
    return div(tilted, (np.expand_dims(mid, place), np.expand_dims(rad, place)))


# --- the contract of a number system --------------------------------------------------------------------------------


def _pair(parts: Parts) -> Enclosure:
    mid, rad = parts
    return mid, rad


class Enclosures:
    """The functions of this module as :class:`.protocol.Arithmetic`, over parts ``(mid, rad)``."""

    @property
    def system(self) -> System:
        """Enclosures."""
        return System.ENCLOSURES

    def constant(self, value: int | Fraction) -> Parts:
        """One number: :func:`constant`."""
        mid, rad = constant(value)
        return np.array([mid]), np.array([rad])

    def enclose(self, values: npt.NDArray[Any]) -> Parts:
        """Plain numbers: :func:`enclose`."""
        return enclose(values)

    def add(self, left: Parts, right: Parts) -> Parts:
        """``x + y``: :func:`add`."""
        return add(_pair(left), _pair(right))

    def subtract(self, left: Parts, right: Parts) -> Parts:
        """``x - y``: :func:`sub`."""
        return sub(_pair(left), _pair(right))

    def multiply(self, left: Parts, right: Parts) -> Parts:
        """``x y``: :func:`mul`; of one array with itself :func:`square`, which is never below 0."""
        return square(_pair(left)) if left is right else mul(_pair(left), _pair(right))

    def divide(self, left: Parts, right: Parts) -> Parts:
        """``x / y``: :func:`div`."""
        return div(_pair(left), _pair(right))

    def negative(self, values: Parts) -> Parts:
        """``-x``: :func:`neg`."""
        return neg(_pair(values))

    def absolute(self, values: Parts) -> Parts:
        """``|x|``: :func:`absolute`."""
        return absolute(_pair(values))

    def total(self, values: Parts, axes: tuple[int, ...]) -> Parts:
        """The sum over core axes: :func:`total`."""
        return total(_pair(values), axes)

    def contract(self, subscripts: str, *factors: Parts) -> Parts:
        """``einsum`` over core axes: :func:`contract`."""
        return contract(subscripts, *map(_pair, factors))

    def solve(self, matrix: Parts, right: Parts) -> Parts:
        """Verified solutions: :func:`solve`."""
        return solve(_pair(matrix), _pair(right))

    def pseudo_solve(self, matrix: Parts, right: Parts) -> tuple[Parts, Parts]:
        """Of an invertible matrix only: a rank cannot be told from intervals; elsewhere the solution says nothing."""
        solution = self.solve(matrix, right)
        return solution, (np.zeros_like(solution[0]), np.zeros_like(solution[1]))

    def certainly_equal(self, left: Parts, right: Parts) -> npt.NDArray[np.bool_]:
        """Equal points."""
        return np.asarray(self.compare(left, "=", right) > 0)

    def exp(self, values: Parts) -> Parts:
        """``exp x``: :func:`exp`."""
        return exp(_pair(values))

    def log(self, values: Parts) -> Parts:
        """``log x``: :func:`log`."""
        return log(_pair(values))

    def sqrt(self, values: Parts) -> Parts:
        """``√x``: :func:`sqrt`."""
        return sqrt(_pair(values))

    def tilt(self, weights: Parts, exponents: Parts) -> Parts:
        """Gibbs' distribution over the last core axis: :func:`tilt`."""
        return tilt(_pair(weights), _pair(exponents))

    def maximum(self, left: Parts, right: Parts) -> Parts:
        """The larger of two numbers: :func:`maximum`."""
        return maximum(_pair(left), _pair(right))

    def compare(self, left: Parts, relation: Relation, right: Parts) -> npt.NDArray[np.int8]:
        """Three-valued comparison: :func:`compare`."""
        return compare(_pair(left), relation, _pair(right))

    def nonzero(self, values: Parts) -> npt.NDArray[np.int8]:
        """1 where the enclosure excludes 0, -1 where the number is exactly 0, else 0."""
        mid, rad = values
        told = known((mid, rad))
        return (told & (np.abs(mid) > rad)).astype(np.int8) - is_zero((mid, rad)).astype(np.int8)

    def choose(self, truth: npt.NDArray[np.int8], if_true: Parts, if_false: Parts) -> Parts:
        """One or the other; where it is UNKNOWN which, :func:`hull`."""
        a, b = _pair(if_true), _pair(if_false)
        decided = _where(truth > 0, a, b)
        return _where(truth == 0, hull(a, b), decided) if (truth == 0).any() else decided

    def floats(self, values: Parts) -> npt.NDArray[np.float64]:
        """The midpoints."""
        return values[0]
