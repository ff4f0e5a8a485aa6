"""The kernels of :mod:`mappo_verify.arithmetic.enclosures`, compiled by numba: one pass over memory, the same numbers.

Every operation is rounded as NumPy rounds it, in the same order, and a fused multiply-add finds the same rest of a product as
Dekker's method, so results agree bit for bit (but for the sign of 0): verdicts do not depend on this module.

Compiled code is kept on disk.  The cache knows this file alone, so the constants that the loops use are written here; a test
compares them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..compiled import Vector, Vectors, bits, compiled, fetch, fma, get, over_numbers, part, put, summed
from ..threads import in_parts
from .kernels import Enclosure, Floats, Kernels, address, moving_rows, rows_of_terms, standing, tables_of_rows
from .numpy_kernels import product_sum as numpy_product_sum

U, UP, LEAST, TINY = 2.0**-53, 1 + 2.0**-49, 2.0**-1074, 2.0**-1070
SMALL, LARGE = 2.0**-900, 2.0**990
MAGNITUDE = np.uint64(2**63 - 1)
FLOOR, CEILING = (np.uint64((1023 + exponent) << 52) for exponent in (-450, 450))
AT_ONCE = 2**15
"""From so many numbers on, one pass over memory takes less time than two calls of NumPy's."""
LANES = 256
"""How many instances one inner loop runs over: long enough for the processor to fetch ahead, short enough for its cache."""


# --- elementwise ----------------------------------------------------------------------------------------------------


@part
def _rest_of_sum(a: float, b: float, total: float) -> float:
    second = total - a
    return (a - (total - second)) + (b - second)


@part
def _product(a: float, b: float) -> tuple[float, float, float]:
    """As ``numpy_kernels.two_product``."""
    product = a * b
    exact = (abs(product) >= SMALL) & (abs(a) <= LARGE) & (abs(b) <= LARGE)
    rest = fma(a, b, -product) if exact else 0.0
    bound = 0.0 if exact | (a == 0) | (b == 0) else U * abs(product) + LEAST
    return product, rest, bound


@part
def _pad(a: float, r: float, b: float, s: float) -> float:
    uncertain = ((r > 0) | (s > 0)) & ((a != 0) | (r > 0)) & ((b != 0) | (s > 0))
    return TINY if uncertain else 0.0


@part
def _times(a: float, r: float, b: float, s: float) -> tuple[float, float]:
    product, rest, bound = _product(a, b)
    spread = abs(a) * s + r * (abs(b) + s)
    return product, (spread + abs(rest) + bound) * UP + _pad(a, r, b, s)


@part
def _over(a: float, r: float, b: float, s: float) -> tuple[float, float]:
    q = a / b
    size = abs(q)
    product, rest, _ = _product(q, b)
    exact = (abs(a) >= 2 * SMALL) & (abs(a) <= LARGE) & (size >= SMALL) & (size <= LARGE) & (abs(b) <= LARGE)
    rest = abs((a - product) - rest) if exact else 0.0
    bound = 0.0 if exact | (a == 0) else U * size + LEAST
    room = abs(b) - s
    spread = size * s + (TINY if (s > 0) & (q != 0) else 0.0)
    top = (r + rest + spread) * UP
    width = (top / room * UP + bound) * UP + (TINY if top > 0 else 0.0)
    return (q if room > 0 else np.nan), (width if room > 0 else np.inf)


# --- sums and contractions ------------------------------------------------------------------------------------------


@part
def _is_ordinary(extremes: tuple[Any, Any]) -> bool:
    return bool((extremes[0] <= CEILING) & (extremes[1] >= FLOOR - np.uint64(1)))


@part
def _extremes(row: int, width: int) -> tuple[Any, Any]:
    """The largest and the least magnitude of a row, as bits; 0 is larger than any other."""
    high, low = np.uint64(0), np.uint64(2**64 - 1)
    for z in range(width):
        size = bits(row, z) & MAGNITUDE
        high, low = max(high, size), min(low, size - np.uint64(1))
    return high, low


@part
def _is_zero(row: int, width: int) -> bool:
    return bool(_extremes(row, width)[0] == 0)


@part
def _are_ordinary(first: int, rows: int, apart: int, width: int) -> bool:
    """So many rows, the first at an address, the others so many numbers apart."""
    found = True
    for r in range(rows):
        found &= _is_ordinary(_extremes(first + 8 * apart * r, width))
    return found


@part
def _open(sums: Floats) -> None:
    for z in range(4 * LANES):
        sums[z] = 0.0


@part
def _put(sums: Floats, z: int, term: float, rest: float) -> None:
    """As ``Dot.add``: value, rests, size and spread stand one after the other, so that the compiler sees them apart."""
    value = sums[z]
    total = value + term
    second = _rest_of_sum(value, term, total) + rest
    sums[z] = total
    sums[LANES + z] += second
    sums[2 * LANES + z] += abs(second)


# --- linear systems -------------------------------------------------------------------------------------------------


@part
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


@part
def _take(sums: Floats, a: Floats, y: Floats, width: int, ordinary: bool) -> None:
    """Take the product ``a y`` from a running sum; errors of products of ``ordinary`` numbers are exact."""
    if ordinary:
        for z in range(width):
            product = -a[z] * y[z]
            _put(sums, z, product, fma(-a[z], y[z], -product))
        return
    for z in range(width):
        product, rest, bound = _product(-a[z], y[z])
        _put(sums, z, product, rest)
        sums[3 * LANES + z] += bound


@compiled
def _solve_rows(
    am: Floats, ar: Floats, bm: Floats, br: Floats, made: tuple[Floats, Floats], first: int, after: int
) -> None:
    (mid, rad), (n, columns, _) = made, bm.shape
    slack, widening = 2 * (2 * n + 2) * U, 1 + (2 * n + 16) * 4 * U
    left, margin, v = np.empty((n, n, LANES)), np.empty((n, LANES)), np.empty((n, LANES))
    x, d, sums = np.empty((n, LANES)), np.empty((n, LANES)), np.empty((n, 4 * LANES))
    worst, support, against, inexact = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES)
    for start in range(first, after, LANES):
        width = min(LANES, after - start)
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
        ordinary = _are_ordinary(am.ctypes.data + 8 * start, n * n, am.shape[2], width)
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
            plain = ordinary and _are_ordinary(x.ctypes.data, n, LANES, width)
            for row in range(n):
                _open(sums[row])
                sums[row, :width] = bm[row, k, start:stop]
                for column in range(n):
                    _take(sums[row], am[row, column, start:stop], x[column], width, plain)
                for z in range(width):
                    d[row, z] = sums[row, z] + sums[row, LANES + z]
            _substitute(left, d, width)
            plain = ordinary and _are_ordinary(d.ctypes.data, n, LANES, width)
            worst[:width] = 0.0
            for row in range(n):
                for column in range(n):
                    _take(sums[row], am[row, column, start:stop], d[column], width, plain)
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
                    error = v[row, z] * worst[z] + (TINY if worst[z] > 0 else 0.0)
                    off = (abs(_rest_of_sum(x[row, z], d[row, z], total)) + error) * UP
                    mid[row, k, start + z] = total
                    rad[row, k, start + z] = off if (off < np.inf) & (error >= 0) else np.inf


# --- recorded steps: a block of instances at a time through all of them ---------------------------------------------------------

ADD, SUB, MUL, DIV, NEG, ABS, DOT, SUM, SOLVE = range(9)
UNSEEN, POINTS, EXACT, ORDINARY, OTHER = range(5)
"""What a row of a block holds: exact numbers, exact numbers of ordinary size, enclosures of such, or anything."""


def _exact_term(v: Vector, sums: Vectors, x: Vectors, y: Vectors) -> Vectors:
    """As :func:`_put` of a product."""
    value, rests, size = sums
    product = v.mul(x[0], y[0])
    total = v.add(value, product)
    second = v.sub(total, value)
    off = v.add(v.sub(value, v.sub(total, second)), v.sub(product, second))
    off = v.add(off, v.fma(x[0], y[0], v.sub(v.constant(-0.0), product)))
    return [total, v.add(rests, off), v.add(size, v.abs(off))]


def _term(v: Vector, sums: Vectors, x: Vectors, y: Vectors) -> Vectors:
    more = v.add(v.mul(v.abs(x[0]), y[1]), v.mul(x[1], v.add(v.abs(y[0]), y[1])))
    return [*_exact_term(v, sums[:3], x, y), v.add(sums[3], more)]


def _close(v: Vector, sums: Vectors, slack: Any, widening: Any) -> Vectors:
    """As :func:`_close_row`."""
    value, rests, size = sums[:3]
    spread = sums[3] if len(sums) > 3 else v.constant(0.0)
    total = v.add(value, rests)
    second = v.sub(total, value)
    off = v.abs(v.add(v.sub(value, v.sub(total, second)), v.sub(rests, second)))
    radius = v.mul(v.add(v.add(off, v.mul(slack, size)), spread), widening)
    return [total, v.add(radius, v.positive(v.add(size, spread), TINY))]


_exact_32, _exact_8 = (summed((1, 1, vectors), 2, 3, _exact_term, _close) for vectors in (4, 1))
_dot_32, _dot_8 = (summed((1, 1, vectors), 2, 4, _term, _close) for vectors in (4, 1))


@part
def _kind(mid: int, rad: int, width: int) -> int:
    """What the row holds; ``rad`` is ``mid`` where it is known to be exact."""
    if not _is_ordinary(_extremes(mid, width)):
        return OTHER
    if rad == mid:
        return EXACT
    wide = _extremes(rad, width)
    return OTHER if not _is_ordinary(wide) else ORDINARY if wide[0] > 0 else EXACT


@part
def _dot_row(row: Any, kinds: Any, places: Any, out: int, i: int, j: int, terms: int, width: int, sums: Floats) -> None:
    worst = EXACT
    for k in range(terms):
        for place in (places[i + k], places[j + k]):
            if kinds[place] < EXACT:
                mid, rad = row[place, 0], row[place, 1]
                kinds[place] = _kind(mid, mid if kinds[place] == POINTS else rad, width)
            worst = max(worst, kinds[place])
    slack, widening = 2 * (terms + 2) * U, 1 + (terms + 16) * 4 * U
    at, named = row.ctypes.data, places.ctypes.data
    z = 0
    if worst == EXACT:
        while z + 32 <= width:
            _exact_32(at, named, out, i, j, terms, z, slack, widening)
            z += 32
        while z + 8 <= width:
            _exact_8(at, named, out, i, j, terms, z, slack, widening)
            z += 8
    elif worst == ORDINARY:
        while z + 32 <= width:
            _dot_32(at, named, out, i, j, terms, z, slack, widening)
            z += 32
        while z + 8 <= width:
            _dot_8(at, named, out, i, j, terms, z, slack, widening)
            z += 8
    if z == width:
        return
    _open(sums)
    for k in range(terms):
        x, y = places[i + k], places[j + k]
        for last in range(z, width):
            a, r, b, s = get(row[x, 0], last), get(row[x, 1], last), get(row[y, 0], last), get(row[y, 1], last)
            product, rest, bound = _product(a, b)
            _put(sums, last, product, rest)
            sums[3 * LANES + last] += bound
            spread = abs(a) * s + r * (abs(b) + s)
            sums[3 * LANES + last] += spread + _pad(a, r, b, s)
    made = places[out]
    _close_at(sums, row[made, 0], row[made, 1], z, width, slack, widening)


@part
def _close_at(sums: Floats, mid: int, rad: int, start: int, width: int, slack: float, widening: float) -> None:
    for z in range(start, width):
        value, rests, size, spread = sums[z], sums[LANES + z], sums[2 * LANES + z], sums[3 * LANES + z]
        total = value + rests
        off = abs(_rest_of_sum(value, rests, total)) + slack * size
        put(mid, z, total)
        put(rad, z, (off + spread) * widening + (TINY if size + spread > 0 else 0.0))


@part
def _sum_row(row: Any, places: Any, out: int, i: int, terms: int, width: int, sums: Floats) -> None:
    _open(sums)
    for k in range(terms):
        mid, rad = row[places[i + k], 0], row[places[i + k], 1]
        for z in range(width):
            _put(sums, z, get(mid, z), 0.0)
            sums[3 * LANES + z] += get(rad, z)
    _close_at(sums, row[out, 0], row[out, 1], 0, width, 2 * (terms + 2) * U, 1 + (terms + 16) * 4 * U)


@part
def _solve_block(row: Any, places: Any, o: int, i: int, j: int, n: int, columns: int, width: int, lost: Any) -> None:
    am, ar = np.empty((n, n, width)), np.empty((n, n, width))
    bm, br = np.empty((n, columns, width)), np.empty((n, columns, width))
    mid, rad = np.empty((n, columns, width)), np.empty((n, columns, width))
    for p in range(n):
        for q in range(n):
            source = places[i + p * n + q]
            for z in range(width):
                am[p, q, z], ar[p, q, z] = get(row[source, 0], z), get(row[source, 1], z)
        for k in range(columns):
            source = places[j + p * columns + k]
            for z in range(width):
                bm[p, k, z], br[p, k, z] = get(row[source, 0], z), get(row[source, 1], z)
    _solve_rows(am, ar, bm, br, (mid, rad), 0, width)
    zeros = False
    for p in range(n):
        for k in range(columns):
            made = places[o + p * columns + k]
            for z in range(width):
                lost[z] |= not rad[p, k, z] < np.inf
                zeros |= (bm[p, k, z] == 0) & (br[p, k, z] == 0)
                put(row[made, 0], z, mid[p, k, z])
                put(row[made, 1], z, rad[p, k, z])
    if zeros:
        _keep_zeros(row, places, o, am, ar, bm, br)


@part
def _keep_zeros(row: Any, places: Any, o: int, am: Floats, ar: Floats, bm: Floats, br: Floats) -> None:
    """As ``linear_systems.finish``: what no entry of the right side reaches is exactly 0."""
    n, columns, width = bm.shape
    reached = np.empty(n, np.bool_)
    for z in range(width):
        for k in range(columns):
            for p in range(n):
                reached[p] = (bm[p, k, z] != 0) | (br[p, k, z] != 0)
            changed = True
            while changed:
                changed = False
                for p in range(n):
                    for q in range(n):
                        if reached[q] & (not reached[p]) & ((am[p, q, z] != 0) | (ar[p, q, z] != 0)):
                            reached[p] = changed = True
            for p in range(n):
                if not reached[p]:
                    made = places[o + p * columns + k]
                    put(row[made, 0], z, 0.0)
                    put(row[made, 1], z, 0.0)


@compiled
def run(
    code: Any, places: Any, base: Any, step: Any, given: Any, moving: Any, first: int, after: int, lanes: int, lost: Any
) -> None:
    """All steps for the instances from ``first`` to ``after``, as ``fused_floats.run``.

    ``given`` says which rows no step makes, ``lost`` whose linear systems stay open.
    """
    exact = np.zeros(len(base), np.bool_)
    for r in range(len(base)):
        exact[r] = given[r] and step[r, 1] == 0 and _is_zero(base[r, 1], lanes)
    row, kinds = np.empty(base.shape, np.int64), np.empty(len(base), np.int64)
    sums = np.empty(4 * LANES)
    for start in range(first, after, lanes):
        width = min(lanes, after - start)
        for r in range(len(base)):
            row[r, 0], row[r, 1] = base[r, 0] + step[r, 0] * start, base[r, 1] + step[r, 1] * start
            kinds[r] = POINTS if exact[r] else UNSEEN
        for line in range(len(code)):
            if start + lanes < after:
                fetch(moving, line, len(code), start + lanes, lanes)
            operation, o, i, j = code[line, 0], code[line, 1], code[line, 2], code[line, 3]
            if operation == DOT:
                _dot_row(row, kinds, places, o, i, j, code[line, 4], width, sums)
            elif operation == SUM:
                _sum_row(row, places, places[o], i, code[line, 4], width, sums)
            elif operation == SOLVE:
                _solve_block(row, places, o, i, j, code[line, 4], code[line, 5], width, lost[start : start + width])
            else:
                mid, rad, am, ar, bm, br = row[o, 0], row[o, 1], row[i, 0], row[i, 1], row[j, 0], row[j, 1]
                if operation == ADD:
                    for z in range(width):
                        total = get(am, z) + get(bm, z)
                        rest = _rest_of_sum(get(am, z), get(bm, z), total)
                        put(mid, z, total)
                        put(rad, z, (get(ar, z) + get(br, z) + abs(rest)) * UP)
                elif operation == SUB:
                    for z in range(width):
                        total = get(am, z) - get(bm, z)
                        rest = _rest_of_sum(get(am, z), -get(bm, z), total)
                        put(mid, z, total)
                        put(rad, z, (get(ar, z) + get(br, z) + abs(rest)) * UP)
                elif operation == MUL:
                    for z in range(width):
                        m, e = _times(get(am, z), get(ar, z), get(bm, z), get(br, z))
                        put(mid, z, m)
                        put(rad, z, e)
                elif operation == DIV:
                    for z in range(width):
                        m, e = _over(get(am, z), get(ar, z), get(bm, z), get(br, z))
                        put(mid, z, m)
                        put(rad, z, e)
                else:
                    for z in range(width):
                        put(mid, z, -get(am, z))
                        put(rad, z, get(ar, z))


# --- kernels ----------------------------------------------------------------------------------------------------------------


@cache
def _elementwise(operation: int, one: tuple[int, ...], two: tuple[int, ...]) -> Any:
    """The code of an operation on arrays of these core shapes, for :func:`run`; the core shape of its result."""
    core = np.broadcast_shapes(one, two)
    size, first, second = math.prod(core), math.prod(one), math.prod(two)
    code = np.zeros((size, 6), np.int64)
    code[:, 0], code[:, 1] = operation, first + second + np.arange(size)
    code[:, 2] = np.broadcast_to(np.arange(first).reshape(one), core).reshape(-1)
    code[:, 3] = first + np.broadcast_to(np.arange(second).reshape(two), core).reshape(-1)
    return code, np.zeros(0, np.int64), core


@cache
def _contraction(terms: tuple[str, ...], output: str, shapes: tuple[tuple[int, ...], ...]) -> Any:
    """The code and the places of a contraction; the core shape of its result; how many products make one entry."""
    found, core, count = rows_of_terms(terms, output, shapes)
    first, second = found[0], found[-1] + (len(found) > 1) * math.prod(shapes[0])
    size, given = math.prod(core), sum(map(math.prod, shapes))
    code = np.zeros((size, 6), np.int64)
    code[:, 0] = DOT if len(found) > 1 else SUM
    code[:, 1] = 2 * count * size + np.arange(size)
    code[:, 2] = count * np.arange(size)
    code[:, 3] = count * (size + np.arange(size))
    code[:, 4] = count
    places = np.concatenate([first.T.reshape(-1), second.T.reshape(-1), given + np.arange(size)])
    return code, places.astype(np.int64), core, count


def _run(code: Any, places: Any, core: tuple[int, ...], operands: tuple[Enclosure, ...]) -> Enclosure:
    """One operation on whole arrays; what all instances share is written out for one block alone."""
    batch = max(operand[0].shape[-1] for operand in operands)
    mid, rad = np.empty((2, *core, batch))
    arrays = [standing(part, batch, LANES) for operand in (*operands, (mid, rad)) for part in operand]
    offset, number, step = tables_of_rows(tuple((array.shape, array.strides) for array in arrays), batch)
    base = offset + np.array([address(array) for array in arrays])[number]
    moving = moving_rows(base, step, LANES) if batch > LANES else step[:0]  # one block has no next one
    given, lost = _given(len(base), math.prod(core)), _NOTHING_LOST  # no step here solves a system

    def work(first: int, after: int, _kept: Any = arrays) -> None:
        run(code, places, base, step, given, moving, first, after, LANES, lost)

    in_parts(work, batch, batch * len(code), LANES)
    return mid, rad


_NOTHING_LOST = np.zeros(0, bool)


@cache
def _given(rows: int, made: int) -> Any:
    """Which of so many rows are there before the last ones are made."""
    return np.arange(rows) < rows - made


@over_numbers
def _radius_of_sum(a: float, r: float, b: float, s: float) -> float:
    total = a + b
    return (r + s + abs(_rest_of_sum(a, b, total))) * UP


@over_numbers
def _radius_of_difference(a: float, r: float, b: float, s: float) -> float:
    total = a - b
    return (r + s + abs(_rest_of_sum(a, -b, total))) * UP


@over_numbers
def _radius_of_product(a: float, r: float, b: float, s: float) -> float:
    return _times(a, r, b, s)[1]


@over_numbers
def _middle_of_quotient(a: float, _r: float, b: float, s: float) -> float:
    return a / b if abs(b) - s > 0 else np.nan


@over_numbers
def _radius_of_quotient(a: float, r: float, b: float, s: float) -> float:
    return _over(a, r, b, s)[1]


def _of_middles(operation: np.ufunc) -> Callable[..., Floats]:
    return lambda a, _r, b, _s: operation(a, b)


Operation = Callable[[Enclosure, Enclosure], Enclosure]


def in_one_pass(operation: int) -> Operation:
    """An operation element by element in one pass over memory."""

    def applied(a: Enclosure, b: Enclosure) -> Enclosure:
        code, places, core = _elementwise(operation, a[0].shape[:-1], b[0].shape[:-1])
        return _run(code, places, core, (a, b))

    return applied


def _by(middle: Callable[..., Floats], radius: Callable[..., Floats], many: Operation) -> Operation:
    """Of few numbers, where calls are what costs, an operation by two ufuncs; of many another way."""

    def applied(a: Enclosure, b: Enclosure) -> Enclosure:
        if max(a[0].size, b[0].size) < AT_ONCE:
            return middle(*a, *b), radius(*a, *b)
        return many(a, b)

    return applied


def _product_sum(terms: tuple[str, ...], output: str, factors: tuple[Enclosure, ...]) -> Enclosure:
    code, places, core, count = _contraction(terms, output, tuple(f[0].shape[:-1] for f in factors))
    return _run(code, places, core, factors) if count else numpy_product_sum(terms, output, factors)


def _solve_dominant(a: Enclosure, b: Enclosure) -> Enclosure:
    mid, rad = np.empty(b[0].shape), np.empty(b[0].shape)
    n, columns, batch = b[0].shape

    def work(first: int, after: int) -> None:
        _solve_rows(*a, *b, (mid, rad), first, after)

    in_parts(work, batch, batch * n * n * (n + columns), LANES)
    return mid, rad


NUMBA = Kernels(
    _by(_of_middles(np.add), _radius_of_sum, in_one_pass(ADD)),
    _by(_of_middles(np.subtract), _radius_of_difference, in_one_pass(SUB)),
    _by(_of_middles(np.multiply), _radius_of_product, in_one_pass(MUL)),
    _by(_middle_of_quotient, _radius_of_quotient, in_one_pass(DIV)),
    _product_sum,
    _solve_dominant,
)
