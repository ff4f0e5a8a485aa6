"""The kernels of :mod:`mappo_verify.arithmetic.enclosures`, compiled by numba: one pass over memory, the same numbers.

Every operation is rounded as NumPy rounds it, in the same order, and a fused multiply-add finds the same rest of a product as
Dekker's method, so results agree bit for bit (but for the sign of 0): verdicts do not depend on this module.

Compiled code is kept on disk.  The cache knows this file alone, so what the loops use is written here; a test compares the
constants.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

from .kernels import Enclosure, Floats, Kernels, arranged, plans, slack, widening

U, UP, LEAST, TINY = 2.0**-53, 1 + 2.0**-49, 2.0**-1074, 2.0**-1070
SMALL, LARGE = 2.0**-900, 2.0**990
MAGNITUDE = np.uint64(2**63 - 1)
FLOOR, CEILING = (np.uint64((1023 + exponent) << 52) for exponent in (-450, 450))
LANES = 1024
"""How many instances one inner loop runs over: long enough for the processor to fetch ahead, short enough for its cache."""

Compiled = Callable[..., Any]


def _compiled(function: Compiled) -> Compiled:
    try:
        return numba.njit(error_model="numpy", cache=True)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # no directory to write to: compiled once for each process
        return numba.njit(error_model="numpy")(function)  # type: ignore[no-any-return]


def _part(function: Compiled) -> Compiled:
    """What compiled functions call; LLVM puts it in its place."""
    return numba.njit(error_model="numpy")(function)  # type: ignore[no-any-return]


def _multiply_add(_typing: Any, _a: Any, _b: Any, _c: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


fma = intrinsic(_multiply_add)


# --- elementwise ----------------------------------------------------------------------------------------------------


@_part
def _rest_of_sum(a: float, b: float, total: float) -> float:
    second = total - a
    return (a - (total - second)) + (b - second)


@_part
def _product(a: float, b: float) -> tuple[float, float, float]:
    """As ``numpy_kernels.two_product``."""
    product = a * b
    exact = (abs(product) >= SMALL) & (abs(a) <= LARGE) & (abs(b) <= LARGE)
    rest = fma(a, b, -product) if exact else 0.0
    bound = 0.0 if exact | (a == 0) | (b == 0) else U * abs(product) + LEAST
    return product, rest, bound


@_part
def _pad(a: float, r: float, b: float, s: float) -> float:
    uncertain = ((r > 0) | (s > 0)) & ((a != 0) | (r > 0)) & ((b != 0) | (s > 0))
    return TINY if uncertain else 0.0


@_compiled
def _add_rows(
    am: Floats, ar: Floats, i: Any, bm: Floats, br: Floats, j: Any, sign: float, mid: Floats, rad: Floats
) -> None:
    for row in range(len(mid)):
        a, r, b, s, m, e = am[i[row]], ar[i[row]], bm[j[row]], br[j[row]], mid[row], rad[row]
        for z in range(len(m)):
            y = sign * b[z]
            total = a[z] + y
            m[z] = total
            e[z] = (r[z] + s[z] + abs(_rest_of_sum(a[z], y, total))) * UP


@_compiled
def _mul_rows(am: Floats, ar: Floats, i: Any, bm: Floats, br: Floats, j: Any, mid: Floats, rad: Floats) -> None:
    for row in range(len(mid)):
        a, r, b, s, m, e = am[i[row]], ar[i[row]], bm[j[row]], br[j[row]], mid[row], rad[row]
        for z in range(len(m)):
            product, rest, bound = _product(a[z], b[z])
            m[z] = product
            spread = abs(a[z]) * s[z] + r[z] * (abs(b[z]) + s[z])
            e[z] = (spread + abs(rest) + bound) * UP + _pad(a[z], r[z], b[z], s[z])


@_compiled
def _div_rows(am: Floats, ar: Floats, i: Any, bm: Floats, br: Floats, j: Any, mid: Floats, rad: Floats) -> None:
    for row in range(len(mid)):
        a, r, b, s, m, e = am[i[row]], ar[i[row]], bm[j[row]], br[j[row]], mid[row], rad[row]
        for z in range(len(m)):
            q = a[z] / b[z]
            size = abs(q)
            product, rest, _ = _product(q, b[z])
            exact = (abs(a[z]) >= 2 * SMALL) & (abs(a[z]) <= LARGE) & (size >= SMALL) & (size <= LARGE)
            exact &= abs(b[z]) <= LARGE
            rest = abs((a[z] - product) - rest) if exact else 0.0
            bound = 0.0 if exact | (a[z] == 0) else U * size + LEAST
            room = abs(b[z]) - s[z]
            spread = size * s[z] + (TINY if (s[z] > 0) & (q != 0) else 0.0)
            top = (r[z] + rest + spread) * UP
            width = (top / room * UP + bound) * UP + (TINY if top > 0 else 0.0)
            m[z] = q if room > 0 else np.nan
            e[z] = width if room > 0 else np.inf


@cache
def _rows_of(shape: tuple[int, ...], core: tuple[int, ...]) -> Any:
    """For every core entry of the result, the row of an operand of this core shape."""
    return np.ascontiguousarray(np.broadcast_to(np.arange(math.prod(shape)).reshape(shape), core).reshape(-1))


def _flat(part: Floats, batch: int) -> Floats:
    wide = part if part.shape[-1:] == (batch,) else np.broadcast_to(part, (*part.shape[:-1], batch))
    return np.ascontiguousarray(wide).reshape(-1, batch)


def _elementwise(loop: Compiled, *extra: float) -> Callable[[Enclosure, Enclosure], Enclosure]:
    def operation(a: Enclosure, b: Enclosure) -> Enclosure:
        shape = np.broadcast_shapes(a[0].shape, b[0].shape)
        core, batch = shape[:-1], shape[-1]
        mid, rad = np.empty(shape), np.empty(shape)
        rows = tuple(_rows_of(part[0].shape[:-1], core) for part in (a, b))
        first, second = ([_flat(part, batch) for part in x] for x in (a, b))
        loop(*first, rows[0], *second, rows[1], *extra, mid.reshape(-1, batch), rad.reshape(-1, batch))
        return mid, rad

    return operation


# --- sums and contractions ------------------------------------------------------------------------------------------


@_part
def _extremes(rows: Any, start: int, stop: int) -> tuple[Any, Any]:
    """The largest magnitude, and the least positive one less 1, as bits."""
    high, low = np.uint64(0), np.uint64(2**64 - 1)
    for row in range(len(rows)):
        line = rows[row]
        for z in range(start, stop):
            bits = line[z] & MAGNITUDE
            high = max(high, bits)
            low = min(low, bits - np.uint64(1))
    return high, low


@_part
def _is_ordinary(extremes: tuple[Any, Any]) -> bool:
    return bool((extremes[0] <= CEILING) & (extremes[1] >= FLOOR - np.uint64(1)))


@_part
def _open(sums: Floats) -> None:
    for z in range(4 * LANES):
        sums[z] = 0.0


@_part
def _put(sums: Floats, z: int, term: float, rest: float) -> None:
    """As ``Dot.add``: value, rests, size and spread stand one after the other, so that the compiler sees them apart."""
    value = sums[z]
    total = value + term
    second = _rest_of_sum(value, term, total) + rest
    sums[z] = total
    sums[LANES + z] += second
    sums[2 * LANES + z] += abs(second)


@_part
def _put_products(sums: Floats, a: Floats, b: Floats) -> None:
    for z in range(len(a)):
        product = a[z] * b[z]
        _put(sums, z, product, fma(a[z], b[z], -product))


@_part
def _put_spreads(sums: Floats, a: Floats, r: Floats, b: Floats, s: Floats) -> None:
    for z in range(len(a)):
        sums[3 * LANES + z] += abs(a[z]) * s[z] + r[z] * (abs(b[z]) + s[z])


@_part
def _put_any(sums: Floats, a: Floats, r: Floats, b: Floats, s: Floats) -> None:
    for z in range(len(a)):
        product, rest, bound = _product(a[z], b[z])
        _put(sums, z, product, rest)
        sums[3 * LANES + z] += bound
        spread = abs(a[z]) * s[z] + r[z] * (abs(b[z]) + s[z])
        sums[3 * LANES + z] += spread + _pad(a[z], r[z], b[z], s[z])


@_compiled
def _contract_rows(
    am: Floats,
    ar: Floats,
    i: Any,
    bm: Floats,
    br: Floats,
    j: Any,
    ab: Any,
    rb: Any,
    bb: Any,
    sb: Any,
    slack: float,
    widening: float,
    mid: Floats,
    rad: Floats,
) -> None:
    """``i[k, o]`` and ``j[k, o]`` are the rows of the factors of the k-th product of the entry ``o``."""
    terms, batch = len(i), mid.shape[1]
    sums = np.empty(4 * LANES)
    for start in range(0, batch, LANES):
        width = min(LANES, batch - start)
        stop = start + width
        first, second = _extremes(rb, start, stop), _extremes(sb, start, stop)
        exact = (first[0] == 0) & (second[0] == 0)
        ordinary = _is_ordinary(_extremes(ab, start, stop)) & _is_ordinary(_extremes(bb, start, stop))
        ordinary &= _is_ordinary(first) & _is_ordinary(second)
        for o in range(len(mid)):
            _open(sums)
            for k in range(terms):
                x, y = i[k, o], j[k, o]
                if ordinary & exact:
                    _put_products(sums, am[x, start:stop], bm[y, start:stop])
                elif ordinary:
                    _put_products(sums, am[x, start:stop], bm[y, start:stop])
                    _put_spreads(sums, am[x, start:stop], ar[x, start:stop], bm[y, start:stop], br[y, start:stop])
                else:
                    _put_any(sums, am[x, start:stop], ar[x, start:stop], bm[y, start:stop], br[y, start:stop])
            _close_row(sums, width, slack, widening, mid[o][start:stop], rad[o][start:stop])


@_part
def _close_row(sums: Floats, width: int, slack: float, widening: float, mid: Floats, rad: Floats) -> None:
    for z in range(width):
        value, rests, size, spread = sums[z], sums[LANES + z], sums[2 * LANES + z], sums[3 * LANES + z]
        total = value + rests
        off = abs(_rest_of_sum(value, rests, total)) + slack * size
        mid[z] = total
        rad[z] = (off + spread) * widening + (TINY if size + spread > 0 else 0.0)


@_compiled
def _total_rows(am: Floats, ar: Floats, i: Any, slack: float, widening: float, mid: Floats, rad: Floats) -> None:
    batch = mid.shape[1]
    sums = np.empty(4 * LANES)
    for start in range(0, batch, LANES):
        width = min(LANES, batch - start)
        stop = start + width
        for o in range(len(mid)):
            _open(sums)
            for k in range(len(i)):
                a, r = am[i[k, o]][start:stop], ar[i[k, o]][start:stop]
                for z in range(width):
                    _put(sums, z, a[z], 0.0)
                    sums[3 * LANES + z] += r[z]
            _close_row(sums, width, slack, widening, mid[o][start:stop], rad[o][start:stop])


@cache
def _rows_of_terms(terms: tuple[str, ...], output: str, shapes: tuple[tuple[int, ...], ...]) -> Any:
    """For every factor the rows ``[k, o]``; the shape of the result; the number of products of one entry."""
    found, axes, count = plans(terms, output, shapes)
    core = np.broadcast_shapes(*(plan.shape for plan in found))
    size = math.prod(core[axes:])
    rows = []
    for plan, shape in zip(found, shapes, strict=True):
        numbered = arranged(np.arange(math.prod(shape)).reshape((*shape, 1)), plan)[..., 0]
        rows.append(np.ascontiguousarray(np.broadcast_to(numbered, core).reshape(count, size)))
    return rows, core[axes:], count


def _product_sum(terms: tuple[str, ...], output: str, factors: tuple[Enclosure, ...]) -> Enclosure:
    rows, core, count = _rows_of_terms(terms, output, tuple(f[0].shape[:-1] for f in factors))
    batch = np.broadcast_shapes(*(f[0].shape[-1:] for f in factors))[0]
    mid, rad = np.empty((*core, batch)), np.empty((*core, batch))
    out = mid.reshape(-1, batch), rad.reshape(-1, batch)
    flat = [[_flat(part, batch) for part in factor] for factor in factors]
    bounds = slack(count), widening(count)
    if len(factors) == 1:
        _total_rows(*flat[0], rows[0], *bounds, *out)
    else:
        bits = [part.view(np.uint64) for factor in flat for part in factor]
        _contract_rows(*flat[0], rows[0], *flat[1], rows[1], *bits, *bounds, *out)
    return mid, rad


# --- linear systems -------------------------------------------------------------------------------------------------


@_part
def _substitute(left: Floats, x: Floats, width: int) -> None:
    """As ``numpy_kernels._substitute``, in place: ``[n, n, LANES]``, ``[n, LANES]``."""
    n = len(left)
    for p in range(n):
        for row in range(p + 1, n):
            for z in range(width):
                x[row, z] -= left[row, p, z] * x[p, z]
    for p in range(n - 1, -1, -1):
        for z in range(width):
            x[p, z] /= left[p, p, z]
        for row in range(p):
            for z in range(width):
                x[row, z] -= left[row, p, z] * x[p, z]


@_part
def _take(sums: Floats, a: Floats, y: Floats, width: int) -> None:
    """Take the product ``a y`` from a running sum."""
    for z in range(width):
        product, rest, bound = _product(-a[z], y[z])
        _put(sums, z, product, rest)
        sums[3 * LANES + z] += bound


@_compiled
def _solve_rows(
    am: Floats, ar: Floats, bm: Floats, br: Floats, slack: float, widening: float, mid: Floats, rad: Floats
) -> None:
    n, columns, batch = bm.shape
    left, margin, v = np.empty((n, n, LANES)), np.empty((n, LANES)), np.empty((n, LANES))
    x, d, sums = np.empty((n, LANES)), np.empty((n, LANES)), np.empty((n, 4 * LANES))
    worst, support, against, inexact = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES)
    for start in range(0, batch, LANES):
        width = min(LANES, batch - start)
        stop = start + width
        for row in range(n):
            for column in range(n):
                left[row, column, :width] = am[row, column, start:stop]
            v[row, :width] = 1.0
        for p in range(n):
            for row in range(p + 1, n):
                for z in range(width):
                    left[row, p, z] /= left[p, p, z]
                for column in range(p + 1, n):
                    for z in range(width):
                        left[row, column, z] -= left[row, p, z] * left[p, column, z]
        _substitute(left, v, width)
        for row in range(n):
            against[:width] = 0.0
            for column in range(n):
                a, r = am[row, column, start:stop], ar[row, column, start:stop]
                for z in range(width):
                    if row == column:
                        support[z] = (abs(a[z]) - r[z]) * v[row, z]
                    else:
                        against[z] += (abs(a[z]) + r[z]) * v[column, z]
            for z in range(width):
                w = (support[z] - against[z]) - (n + 8) * 4 * U * (support[z] + against[z])
                margin[row, z] = w if (w > SMALL) & (v[row, z] > 0) else np.nan
        for k in range(columns):
            for row in range(n):
                x[row, :width] = bm[row, k, start:stop]
            _substitute(left, x, width)
            for row in range(n):
                _open(sums[row])
                sums[row, :width] = bm[row, k, start:stop]
                for column in range(n):
                    _take(sums[row], am[row, column, start:stop], x[column], width)
                for z in range(width):
                    d[row, z] = sums[row, z] + sums[row, LANES + z]
            _substitute(left, d, width)
            worst[:width] = 0.0
            for row in range(n):
                for column in range(n):
                    _take(sums[row], am[row, column, start:stop], d[column], width)
                against[:width] = 0.0
                inexact[:width] = 0.0
                for column in range(n):
                    r = ar[row, column, start:stop]
                    for z in range(width):
                        against[z] += r[z] * (abs(x[column, z]) + abs(d[column, z]))
                        inexact[z] += r[z]
                for z in range(width):
                    value, rests, size, bound = (
                        sums[row, z],
                        sums[row, LANES + z],
                        sums[row, 2 * LANES + z],
                        sums[row, 3 * LANES + z],
                    )
                    right = br[row, k, start + z]
                    total = value + rests
                    off = abs(_rest_of_sum(value, rests, total)) + slack * size
                    residual = (abs(total) + off + bound + against[z] + right) * widening
                    if size + bound + (inexact[z] + right) > 0:
                        residual += (n + 1) * TINY
                    ratio = residual / margin[row, z] * UP + (TINY if residual > 0 else 0.0)
                    ratio = ratio if ratio < np.inf else np.inf
                    worst[z] = max(worst[z], ratio)
            for row in range(n):
                for z in range(width):
                    total = x[row, z] + d[row, z]
                    error = v[row, z] * worst[z]
                    off = (abs(_rest_of_sum(x[row, z], d[row, z], total)) + error) * UP + (TINY if error > 0 else 0.0)
                    mid[row, k, start + z] = total
                    rad[row, k, start + z] = off if (off < np.inf) & (error >= 0) else np.inf


def _solve_dominant(a: Enclosure, b: Enclosure) -> Enclosure:
    n = len(a[0])
    mid, rad = np.empty(b[0].shape), np.empty(b[0].shape)
    _solve_rows(*a, *b, slack(2 * n), widening(2 * n), mid, rad)
    return mid, rad


NUMBA = Kernels(
    _elementwise(_add_rows, 1.0),
    _elementwise(_add_rows, -1.0),
    _elementwise(_mul_rows),
    _elementwise(_div_rows),
    _product_sum,
    _solve_dominant,
)
