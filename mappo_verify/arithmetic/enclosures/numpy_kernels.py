"""The kernels of enclosures in NumPy, in blocks that stay in the processor's cache; :mod:`.fused` is the compiled sibling."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .kernels import (
    LARGE,
    LEAST,
    MAGNITUDE,
    SMALL,
    TINY,
    UP,
    Enclosure,
    Floats,
    Kernels,
    Mask,
    U,
    arranged,
    plans,
    slack,
    widening,
)

BLOCK = 2**14

# --- exact errors ---------------------------------------------------------------------------------------------------


def two_sum(a: Any, b: Any) -> tuple[Any, Any]:
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


def two_product(a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """``a b`` rounded, the rest exactly where that is possible (0 elsewhere), and a bound of the rest where it is not.

    A rest is a multiple of ``2⁻¹⁰⁶`` times the product's power of 2, so from SMALL on float64 holds it and all of Dekker's terms.
    """
    product = a * b
    size_a, size_b = np.abs(a), np.abs(b)
    exact = (np.abs(product) >= SMALL) & (size_a <= LARGE) & (size_b <= LARGE)
    rest = np.where(exact, _dekker(product, _split(a), _split(b)), 0.0)
    bound = np.where(exact | (a == 0) | (b == 0), 0.0, U * np.abs(product) + LEAST)
    return product, rest, bound


ORDINARY = tuple(np.array([2.0**-450, 2.0**450]).view(np.uint64))


def _ordinary(*arrays: Floats) -> bool:
    """Whether every number is 0 or between ``2⁻⁴⁵⁰`` and ``2⁴⁵⁰`` in size.

    Then every product of two is 0 by a factor 0 or at least SMALL, nothing underflows, and no rule for rests or for TINY applies.
    Magnitudes of floats are ordered as their bits are; 0 minus 1 is the largest integer.
    """
    for array in arrays:
        if array.size:
            bits = np.ascontiguousarray(array).view(np.uint64) & MAGNITUDE
            if bits.max() > ORDINARY[1] or (bits - np.uint64(1)).min() < ORDINARY[0] - np.uint64(1):
                return False
    return True


# --- elementwise: NumPy ---------------------------------------------------------------------------------------------


def _add(a: Enclosure, b: Enclosure) -> Enclosure:
    mid, rest = two_sum(a[0], b[0])
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
    mid, rest, bound = two_product(a[0], b[0])
    rad = (_spread(a, b) + np.abs(rest) + bound) * UP
    return mid, rad + np.where(_uncertain(a, b), TINY, 0.0)


def _div(a: Enclosure, b: Enclosure) -> Enclosure:
    """``|x/y - q| = |x - q y| / |y| ≤ (r_a + |m_a - q m_b| + |q| r_b) / (|m_b| - r_b)``.

    ``m_a - q m_b`` is a float (Handbook, section 5.2), found by way of Dekker's product; where something may have underflowed
    or overflowed, ``|m_a / m_b - q| ≤ u|q| + 2⁻¹⁰⁷⁴`` instead.
    """
    mid = a[0] / b[0]
    size = np.abs(mid)
    product, rest, _ = two_product(mid, b[0])
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
        mid, rest = two_sum(self.value, self.rests)
        return mid, np.abs(rest) + slack(terms) * self.size


def _lanes(a: Floats, block: slice) -> Floats:
    return a if a.shape[-1] == 1 else a[..., block]


def _blocks(rows: int, batch: int) -> list[slice]:
    step = max(64, BLOCK // max(rows, 1))
    return [slice(start, min(start + step, batch)) for start in range(0, batch, step)]


def product_sum(terms: tuple[str, ...], output: str, factors: tuple[Enclosure, ...]) -> Enclosure:
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
    sizes = None if all(exact) else [np.abs(factor[0]) for factor in factors]
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
            product, rest, bound = two_product(a, b)
            total.add(product, rest)
            spread += bound
        if sizes is not None:
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
    """L and U in one array ``[n, n, B]``, without pivoting, in floats; on the diagonal one over U's."""
    left = left.copy()
    for p in range(len(left)):
        left[p, p] = 1.0 / left[p, p]
        left[p + 1 :, p] *= left[p, p]
        left[p + 1 :, p + 1 :] -= left[p + 1 :, p, None] * left[p, None, p + 1 :]
    return left


def _substitute(factors: Floats, right: Floats) -> Floats:
    """``x`` with ``L U x = right`` in floats, ``[n, k, B]``."""
    x = right.copy()
    n = len(x)
    for p in range(n):
        x[p + 1 :] -= factors[p + 1 :, p, None] * x[p]
    for p in reversed(range(n)):
        x[p] *= factors[p, p]
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
            product, rest, more = two_product(a, y)
            total.add(product, rest)
            bound += more
    return bound


def refined(a: Enclosure, b: Enclosure, approximate: Callable[[Floats], Floats]) -> tuple[Floats, Floats, Floats]:
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


def solution(x: Floats, correction: Floats, error: Floats) -> Enclosure:
    """``x + correction`` with an error bound that is infinite where nothing is known."""
    mid, rest = two_sum(x, correction)
    rad = (np.abs(rest) + error) * UP
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
        x, correction, residual = refined(here, right, lambda y, factors=factors: _substitute(factors, y))  # type: ignore[misc]
        worst = _worst(residual, _margin(here, v))
        mid[..., block], rad[..., block] = solution(x, correction, v[:, None] * worst + np.where(worst > 0, TINY, 0.0))
    return mid, rad


NUMPY = Kernels(_add, _sub, _mul, _div, product_sum, _solve_dominant)
