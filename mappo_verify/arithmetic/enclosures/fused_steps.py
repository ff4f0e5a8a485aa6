"""The steps of enclosures, compiled by numba: one pass over memory, the same numbers.

Every operation is rounded as NumPy rounds it, in the same order, and a fused multiply-add finds the same rest of a product as
Dekker's method, so results agree bit for bit (but for the sign of 0): verdicts do not depend on this module.

Compiled code is kept on disk.  The cache knows this file alone, so the constants that the loops use are written here; a test
compares them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..compiled import compiled, fetch, get, over_numbers, part, put
from ..vectors import (
    copy_out,
    copy_row,
    every,
    fma,
    load,
    load_wide,
    scale_row,
    sized,
    spread,
    spread_wide,
    store,
    where,
)  # fmt: skip

U, UP, LEAST, TINY = 2.0**-53, 1 + 2.0**-49, 2.0**-1074, 2.0**-1070
SMALL, LARGE = 2.0**-900, 2.0**990
FLOOR, CEILING = (np.uint64((1023 + exponent) << 52) for exponent in (-450, 450))
UNSEEN, POINTS, EXACT, ORDINARY, OTHER = range(5)
"""What a row of a block holds: exact numbers, exact numbers of ordinary size, enclosures of such, or anything."""


# --- rows -----------------------------------------------------------------------------------------------------------


@part
def _is_zero(row: int, width: int) -> bool:
    found = load(row, 0) == 0.0
    for z in range(8, width, 8):
        found = found & (load(row, z) == 0.0)
    return bool(every(found))


@part
def _is_ordinary(row: int, width: int) -> bool:
    """As ``numpy_kernels._ordinary``."""
    found = sized(load(row, 0), FLOOR, CEILING)
    for z in range(8, width, 8):
        found = found & sized(load(row, z), FLOOR, CEILING)
    return bool(every(found))


@part
def _kind(mid: int, rad: int, width: int) -> int:
    """What the row holds; ``rad`` is ``mid`` where it is known to be exact."""
    if not _is_ordinary(mid, width):
        return OTHER
    if rad == mid:
        return EXACT
    if not _is_ordinary(rad, width):
        return OTHER
    return EXACT if _is_zero(rad, width) else ORDINARY


@part
def _worst(row: Any, kinds: Any, places: Any, i: int, j: int, terms: int, width: int) -> int:
    """The kind of all these rows together."""
    worst = EXACT
    for k in range(terms):
        for place in (places[i + k], places[j + k]):
            if kinds[place] < EXACT:
                mid, rad = row[place, 0], row[place, 1]
                kinds[place] = _kind(mid, mid if kinds[place] == POINTS else rad, width)
            worst = max(worst, kinds[place])
    return worst


# --- elementwise ----------------------------------------------------------------------------------------------------


@part
def _rest_of_sum(a: Any, b: Any, total: Any) -> Any:
    second = total - a
    return (a - (total - second)) + (b - second)


@part
def _product(a: Any, b: Any) -> Any:
    """As ``numpy_kernels.two_product``."""
    product = a * b
    size = abs(product)
    exact = (size >= SMALL) & (abs(a) <= LARGE) & (abs(b) <= LARGE)
    rest = where(exact, fma(a, b, -product), 0.0)
    bound = where(exact | (a == 0.0) | (b == 0.0), 0.0, size * U + LEAST)
    return product, rest, bound


@part
def _spread(a: Any, r: Any, b: Any, s: Any) -> Any:
    return abs(a) * s + r * (abs(b) + s)


@part
def _pad(a: Any, r: Any, b: Any, s: Any) -> Any:
    uncertain = ((r > 0.0) | (s > 0.0)) & ((a != 0.0) | (r > 0.0)) & ((b != 0.0) | (s > 0.0))
    return where(uncertain, TINY, 0.0)


@part
def _plus(a: Any, r: Any, b: Any, s: Any) -> Any:
    total = a + b
    return total, (r + s + abs(_rest_of_sum(a, b, total))) * UP


@part
def _minus(a: Any, r: Any, b: Any, s: Any) -> Any:
    total = a - b
    return total, (r + s + abs(_rest_of_sum(a, -b, total))) * UP


@part
def _negative(a: Any, r: Any, _b: Any, _s: Any) -> Any:
    return -a, r


@part
def _times(a: Any, r: Any, b: Any, s: Any) -> Any:
    product, rest, bound = _product(a, b)
    return product, (_spread(a, r, b, s) + abs(rest) + bound) * UP + _pad(a, r, b, s)


@part
def _ordinary_times(a: Any, r: Any, b: Any, s: Any) -> Any:
    product = a * b
    return product, (_spread(a, r, b, s) + abs(fma(a, b, -product))) * UP


@part
def _over(a: Any, r: Any, b: Any, s: Any) -> Any:
    q = a / b
    size = abs(q)
    product, rest, _ = _product(q, b)
    exact = (abs(a) >= 2 * SMALL) & (abs(a) <= LARGE) & (size >= SMALL) & (size <= LARGE) & (abs(b) <= LARGE)
    rest = where(exact, abs((a - product) - rest), 0.0)
    bound = where(exact | (a == 0.0), 0.0, size * U + LEAST)
    room = abs(b) - s
    wide = size * s + where((s > 0.0) & (q != 0.0), TINY, 0.0)
    top = (r + rest + wide) * UP
    width = (top / room * UP + bound) * UP + where(top > 0.0, TINY, 0.0)
    clear = room > 0.0
    return where(clear, q, np.nan), where(clear, width, np.inf)


def _rows(made: Callable[..., Any]) -> Any:
    """Some lines of an operation that makes each number from one number of either operand."""

    @part
    def rows(row: Any, places: Any, o: int, i: int, j: int, count: int, apart: int, width: int) -> None:
        for k in range(0, count * apart, apart):
            out, a, b = places[o + k], places[i + k], places[j + k]
            for z in range(0, width, 8):
                mid, rad = made(load(row[a, 0], z), load(row[a, 1], z), load(row[b, 0], z), load(row[b, 1], z))
                store(row[out, 0], z, mid)
                store(row[out, 1], z, rad)

    return rows


@over_numbers
def radius_of_sum(a: float, r: float, b: float, s: float) -> Any:
    """The radius of ``x + y``, whose middle is NumPy's."""
    return _plus(a, r, b, s)[1]


@over_numbers
def radius_of_difference(a: float, r: float, b: float, s: float) -> Any:
    """The radius of ``x - y``, whose middle is NumPy's."""
    return _minus(a, r, b, s)[1]


@over_numbers
def radius_of_product(a: float, r: float, b: float, s: float) -> Any:
    """The radius of ``x y``, whose middle is NumPy's."""
    return _times(a, r, b, s)[1]


@over_numbers
def middle_of_quotient(a: float, r: float, b: float, s: float) -> Any:
    """The middle of ``x / y``."""
    return _over(a, r, b, s)[0]


@over_numbers
def radius_of_quotient(a: float, r: float, b: float, s: float) -> Any:
    """The radius of ``x / y``."""
    return _over(a, r, b, s)[1]


_add, _sub, _neg, _div = map(_rows, (_plus, _minus, _negative, _over))
_mul_any, _mul_ordinary = map(_rows, (_times, _ordinary_times))


@part
def _mul(row: Any, kinds: Any, places: Any, o: int, i: int, j: int, count: int, apart: int, width: int) -> None:
    for k in range(0, count * apart, apart):
        if _worst(row, kinds, places, i + k, j + k, 1, width) == OTHER:
            _mul_any(row, places, o + k, i + k, j + k, 1, 1, width)
        else:
            _mul_ordinary(row, places, o + k, i + k, j + k, 1, 1, width)


# --- sums and contractions ------------------------------------------------------------------------------------------


@part
def _added(value: Any, rests: Any, size: Any, term: Any, rest: Any) -> Any:
    """As ``numpy_kernels.Dot.add``."""
    total = value + term
    off = _rest_of_sum(value, term, total) + rest
    return total, rests + off, size + abs(off)


@part
def _closed(value: Any, rests: Any, size: Any, wide: Any, slack: float, widening: float) -> Any:
    total = value + rests
    off = abs(_rest_of_sum(value, rests, total)) + size * slack
    return total, (off + wide) * widening + where(size + wide > 0.0, TINY, 0.0)


def _dot_of(kind: int, lanes: int, load: Any, spread: Any) -> Any:
    """Sums of products of numbers of this kind, for as many instances as fill whole ``lanes``; how many that are."""

    @part
    def dot(row: Any, places: Any, out: int, i: int, j: int, terms: int, start: int, width: int) -> int:
        slack, widening, z = 2 * (terms + 2) * U, 1 + (terms + 16) * 4 * U, start
        while z + lanes <= width:
            value = rests = size = wide = spread(0.0)
            for k in range(terms):
                x, y = places[i + k], places[j + k]
                a, b = load(row[x, 0], z), load(row[y, 0], z)
                if kind == OTHER:
                    r, s = load(row[x, 1], z), load(row[y, 1], z)
                    product, rest, bound = _product(a, b)
                    wide = wide + bound
                    wide = wide + (_spread(a, r, b, s) + _pad(a, r, b, s))
                else:
                    product = a * b
                    rest = fma(a, b, -product)
                    if kind == ORDINARY:
                        wide = wide + _spread(a, load(row[x, 1], z), b, load(row[y, 1], z))
                value, rests, size = _added(value, rests, size, product, rest)
            mid, rad = _closed(value, rests, size, wide, slack, widening)
            store(row[out, 0], z, mid)
            store(row[out, 1], z, rad)
            z += lanes
        return z

    return dot


_exact, _ordinary, _other = (_dot_of(kind, 8, load, spread) for kind in (EXACT, ORDINARY, OTHER))
_exact_32, _ordinary_32 = (_dot_of(kind, 32, load_wide, spread_wide) for kind in (EXACT, ORDINARY))


@part
def _dot(row: Any, kinds: Any, places: Any, out: int, i: int, j: int, terms: int, width: int) -> None:
    worst = _worst(row, kinds, places, i, j, terms, width)
    if worst == EXACT:
        _exact(row, places, out, i, j, terms, _exact_32(row, places, out, i, j, terms, 0, width), width)
    elif worst == ORDINARY:
        _ordinary(row, places, out, i, j, terms, _ordinary_32(row, places, out, i, j, terms, 0, width), width)
    else:
        _other(row, places, out, i, j, terms, 0, width)


@part
def _sum(row: Any, places: Any, out: int, i: int, terms: int, width: int) -> None:
    slack, widening = 2 * (terms + 2) * U, 1 + (terms + 16) * 4 * U
    for z in range(0, width, 8):
        value = rests = size = wide = spread(0.0)
        for k in range(terms):
            value, rests, size = _added(value, rests, size, load(row[places[i + k], 0], z), spread(0.0))
            wide = wide + load(row[places[i + k], 1], z)
        mid, rad = _closed(value, rests, size, wide, slack, widening)
        store(row[out, 0], z, mid)
        store(row[out, 1], z, rad)


# --- linear systems -------------------------------------------------------------------------------------------------

SOLVED = 32
"""So many instances are solved at once: the steps of one wait for those of another less."""
ROOM = 8 * SOLVED
"""Bytes of a row of theirs."""


@part
def _less_product(out: int, one: int, other: int, width: int) -> None:
    for z in range(0, width, 8):
        store(out, z, load(out, z) - load(one, z) * load(other, z))


@part
def _factorise(left: int, n: int, width: int) -> None:
    """As ``numpy_kernels._factorise``, in place."""
    for p in range(n):
        pivot = left + ROOM * (n + 1) * p
        for z in range(0, width, 8):
            store(pivot, z, 1.0 / load(pivot, z))
        for q in range(1, n - p):
            factor = pivot + ROOM * n * q
            scale_row(factor, pivot, width)
            for c in range(1, n - p):
                _less_product(factor + ROOM * c, factor, pivot + ROOM * c, width)


@part
def _substitute(left: int, x: int, n: int, width: int) -> None:
    """As ``numpy_kernels._substitute``, in place."""
    for p in range(n):
        for q in range(p + 1, n):
            _less_product(x + ROOM * q, left + ROOM * (n * q + p), x + ROOM * p, width)
    for p in range(n - 1, -1, -1):
        scale_row(x + ROOM * p, left + ROOM * (n * p + p), width)
        for q in range(p):
            _less_product(x + ROOM * q, left + ROOM * (n * q + p), x + ROOM * p, width)


@part
def _four(row: int, z: int) -> Any:
    return load(row, z), load(row + ROOM, z), load(row + 2 * ROOM, z), load(row + 3 * ROOM, z)


@part
def _take(sums: int, row: Any, places: Any, i: int, x: int, n: int, start: int, width: int, ordinary: bool) -> None:
    """Take the products of rows with ``x`` from a running sum; errors of products of ``ordinary`` numbers are exact."""
    for z in range(0, width, 8):
        value, rests, size, bound = _four(sums, z)
        for column in range(n):
            a, y = -load(row[places[i + column], 0] + start, z), load(x + ROOM * column, z)
            if ordinary:
                product = a * y
                rest = fma(a, y, -product)
            else:
                product, rest, more = _product(a, y)
                bound = bound + more
            value, rests, size = _added(value, rests, size, product, rest)
        store(sums, z, value)
        store(sums + ROOM, z, rests)
        store(sums + 2 * ROOM, z, size)
        store(sums + 3 * ROOM, z, bound)


@part
def _are_ordinary(rows: int, count: int, width: int) -> bool:
    found = True
    for k in range(count):
        found &= _is_ordinary(rows + ROOM * k, width)
    return found


@part
def _solve(
    row: Any, places: Any, o: int, i: int, j: int, n: int, columns: int, room: int, start: int, width: int
) -> None:
    """As ``numpy_kernels._solve_dominant``, for at most :data:`SOLVED` instances, the first of them ``start`` bytes in."""
    slack, widening = 2 * (2 * n + 2) * U, 1 + (2 * n + 16) * 4 * U
    left, v, margin = room, room + ROOM * n * n, room + ROOM * n * (n + 1)
    x, d, sums = room + ROOM * n * (n + 2), room + ROOM * n * (n + 3), room + ROOM * n * (n + 4)
    for place in range(n * n):
        copy_row(left + ROOM * place, row[places[i + place], 0] + start, width)
    ordinary = _are_ordinary(left, n * n, width)
    for p in range(n):
        for z in range(0, width, 8):
            store(v + ROOM * p, z, spread(1.0))
    _factorise(left, n, width)
    _substitute(left, v, n, width)
    for p in range(n):
        for z in range(0, width, 8):
            support = against = spread(0.0)
            own = load(v + ROOM * p, z)
            for q in range(n):
                at = places[i + p * n + q]
                size, r = abs(load(row[at, 0] + start, z)), load(row[at, 1] + start, z)
                if p == q:
                    support = (size - r) * own
                else:
                    against = against + (size + r) * load(v + ROOM * q, z)
            w = (support - against) - (support + against) * ((n + 8) * 4 * U)
            store(margin + ROOM * p, z, where((w > SMALL) & (own > 0.0), w, np.nan))
    for k in range(columns):
        for p in range(n):
            copy_row(x + ROOM * p, row[places[j + p * columns + k], 0] + start, width)
            copy_row(sums + 4 * ROOM * p, x + ROOM * p, width)
            for z in range(0, width, 8):
                for other in range(1, 4):
                    store(sums + ROOM * (4 * p + other), z, spread(0.0))
        _substitute(left, x, n, width)
        plain = ordinary and _are_ordinary(x, n, width)
        for p in range(n):
            _take(sums + 4 * ROOM * p, row, places, i + p * n, x, n, start, width, plain)
            for z in range(0, width, 8):
                store(d + ROOM * p, z, load(sums + 4 * ROOM * p, z) + load(sums + ROOM * (4 * p + 1), z))
        _substitute(left, d, n, width)
        plain = ordinary and _are_ordinary(d, n, width)
        for p in range(n):
            _take(sums + 4 * ROOM * p, row, places, i + p * n, d, n, start, width, plain)
        for z in range(0, width, 8):
            worst = spread(0.0)
            for p in range(n):
                against = inexact = spread(0.0)
                for q in range(n):
                    r = load(row[places[i + p * n + q], 1] + start, z)
                    against = against + r * (abs(load(x + ROOM * q, z)) + abs(load(d + ROOM * q, z)))
                    inexact = inexact + r
                here = sums + 4 * ROOM * p
                value, rests, size, bound = _four(here, z)
                right = load(row[places[j + p * columns + k], 1] + start, z)
                total = value + rests
                off = abs(_rest_of_sum(value, rests, total)) + size * slack
                residual = (abs(total) + off + bound + against + right) * widening
                doubt = size + bound + (inexact + right) > 0.0
                residual = residual + where(doubt, (n + 1) * TINY, 0.0)
                ratio = residual / load(margin + ROOM * p, z) * UP + where(residual > 0.0, TINY, 0.0)
                ratio = where(ratio < np.inf, ratio, np.inf)
                worst = where(worst > ratio, worst, ratio)
            for p in range(n):
                made = places[o + p * columns + k]
                one, two = load(x + ROOM * p, z), load(d + ROOM * p, z)
                total = one + two
                error = load(v + ROOM * p, z) * worst + where(worst > 0.0, TINY, 0.0)
                off = (abs(_rest_of_sum(one, two, total)) + error) * UP
                store(row[made, 0] + start, z, total)
                store(row[made, 1] + start, z, where((off < np.inf) & (error >= 0.0), off, np.inf))


@part
def _finish(row: Any, places: Any, o: int, i: int, j: int, n: int, columns: int, width: int, lost: Any) -> None:
    """As ``linear_systems.finish``: what was lost, and what no entry of the right side reaches, which is exactly 0."""
    sure, zeros = True, False
    for p in range(n):
        for k in range(columns):
            made, right = places[o + p * columns + k], places[j + p * columns + k]
            for z in range(0, width, 8):
                sure &= every(load(row[made, 1], z) < np.inf)
                zeros |= not every((load(row[right, 0], z) != 0.0) | (load(row[right, 1], z) != 0.0))
    if sure and not zeros:
        return
    reached = np.empty(n, np.bool_)
    for z in range(width):
        for k in range(columns):
            for p in range(n):
                lost[z] |= not get(row[places[o + p * columns + k], 1], z) < np.inf
                right = places[j + p * columns + k]
                reached[p] = (get(row[right, 0], z) != 0) | (get(row[right, 1], z) != 0)
            changed = True
            while changed:
                changed = False
                for p in range(n):
                    for q in range(n):
                        entry = places[i + p * n + q]
                        linked = (get(row[entry, 0], z) != 0) | (get(row[entry, 1], z) != 0)
                        if reached[q] & (not reached[p]) & linked:
                            reached[p] = changed = True
            for p in range(n):
                if not reached[p]:
                    made = places[o + p * columns + k]
                    put(row[made, 0], z, 0.0)
                    put(row[made, 1], z, 0.0)


# --- recorded steps: a block of instances at a time through all of them ---------------------------------------------------------

ADD, SUB, MUL, DIV, NEG, _, DOT, SUM, SOLVE, _, _, OUT = range(12)


@compiled
def run(
    code: Any, places: Any, base: Any, step: Any, given: Any, moving: Any, room: int, lost: Any,
    first: int, after: int, batch: int, lanes: int,
) -> None:  # fmt: skip
    """All steps for the instances from ``first`` to ``after``, as ``fused_floats.run``.

    ``given`` says which rows no step makes, ``lost`` whose linear systems stay open.
    """
    exact = np.zeros(len(base), np.bool_)
    for r in range(len(base)):
        exact[r] = given[r] and step[r, 1] == 0 and _is_zero(base[r, 1], lanes)
    row, kinds = np.empty(base.shape, np.int64), np.empty(len(base), np.int64)
    for block in range(first, after, lanes):
        start = min(block, batch - lanes)
        for r in range(len(base)):
            row[r, 0], row[r, 1] = base[r, 0] + step[r, 0] * start, base[r, 1] + step[r, 1] * start
            kinds[r] = POINTS if exact[r] else UNSEEN
        for line in range(len(code)):
            if block + lanes < after:
                fetch(moving, line, len(code), start + lanes, lanes)
            operation, o, i, j = code[line, 0], code[line, 1], code[line, 2], code[line, 3]
            terms, cells, count, apart = code[line, 4], code[line, 5], code[line, 6], code[line, 7]
            if operation == DOT:
                for k in range(0, count * apart, apart):
                    _dot(row, kinds, places, places[o + k], i + k, j + k, terms, lanes)
            elif operation == SUM:
                for k in range(0, count * apart, apart):
                    _sum(row, places, places[o + k], i + k, terms, lanes)
            elif operation == SOLVE:
                for k in range(0, count * apart, apart):
                    for z in range(0, lanes, SOLVED):
                        some = min(SOLVED, lanes - z)
                        _solve(row, places, o + k, i + k, j + k, terms, cells, room, 8 * z, some)
                    _finish(row, places, o + k, i + k, j + k, terms, cells, lanes, lost[start : start + lanes])
            elif operation == ADD:
                _add(row, places, o, i, j, count, apart, lanes)
            elif operation == SUB:
                _sub(row, places, o, i, j, count, apart, lanes)
            elif operation == MUL:
                _mul(row, kinds, places, o, i, j, count, apart, lanes)
            elif operation == DIV:
                _div(row, places, o, i, j, count, apart, lanes)
            elif operation == OUT:
                for k in range(0, count * apart, apart):
                    target, source = places[o + k], places[i + k]
                    copy_out(row[target, 0], row[source, 0], lanes)
                    copy_out(row[target, 1], row[source, 1], lanes)
            else:
                _neg(row, places, o, i, j, count, apart, lanes)
