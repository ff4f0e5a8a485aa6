"""Recorded steps over floats (:mod:`.recorded`), compiled: a block of instances at a time through all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiled import Vector, Vectors, compiled, fetch, fma, get, old, part, put, summed

ADD, SUB, MUL, DIV, NEG, ABS, DOT, SUM, SOLVE, PLUS, MINUS = range(11)


def _add_product(v: Vector, sums: Vectors, x: Vectors, y: Vectors) -> Vectors:
    return [v.fma(x[0], y[0], sums[0])]


def _take_product(v: Vector, sums: Vectors, x: Vectors, y: Vectors) -> Vectors:
    return [v.fma(v.sub(v.constant(-0.0), x[0]), y[0], sums[0])]


def _close(_v: Vector, sums: Vectors, _slack: Any, _widening: Any) -> Vectors:
    return sums


def _whole_vectors(tile: tuple[int, int, int]) -> Any:
    """The sums of a tile from ``z`` on, as many instances at once as it is for, and where those begin that are left."""
    lanes = 8 * tile[2]
    dot = summed(tile, 1, 1, _add_product, _close)
    plus = summed(tile, 1, 1, _add_product, _close, onto=True)
    minus = summed(tile, 1, 1, _take_product, _close, onto=True)

    @part
    def sums(operation: int, row: Any, places: Any, out: int, i: int, j: int, terms: int, z: int, width: int) -> int:
        at, named = row.ctypes.data, places.ctypes.data
        while z + lanes <= width:
            if operation == DOT:
                dot(at, named, out, i, j, terms, z, 0.0, 0.0)
            elif operation == PLUS:
                plus(at, named, out, i, j, terms, z, 0.0, 0.0)
            else:
                minus(at, named, out, i, j, terms, z, 0.0, 0.0)
            z += lanes
        return z

    return sums


def _of_tile(m: int, n: int, vectors: int) -> Any:
    """Sums of products for a tile of ``m`` times ``n`` results (see :func:`.compiled.summed`), or rows plus or minus them."""
    cells = m * n
    many, eight = _whole_vectors((m, n, vectors)), _whole_vectors((m, n, 1))

    @part
    def sums(operation: int, row: Any, places: Any, out: int, i: int, j: int, terms: int, width: int) -> None:
        z = many(operation, row, places, out, i, j, terms, 0, width)
        z = eight(operation, row, places, out, i, j, terms, z, width)
        sign = -1.0 if operation == MINUS else 1.0
        for cell in range(cells):
            a, b = cell // n, cell % n
            for last in range(z, width):
                total = 0.0 if operation == DOT else get(row[places[i - cells + cell]], last)
                for k in range(terms):
                    x, y = row[places[i + m * k + a]], row[places[j + n * k + b]]
                    total = fma(sign * get(x, last), get(y, last), total)
                put(row[places[out + cell]], last, total)

    return sums


_one, _four, _eight = _of_tile(1, 1, 8), _of_tile(1, 4, 4), _of_tile(2, 4, 2)


@part
def _sum(row: Any, places: Any, out: int, i: int, terms: int, width: int) -> None:
    a = row[places[i]]
    for z in range(width):
        put(out, z, get(a, z))
    for k in range(1, terms):
        a = row[places[i + k]]
        for z in range(width):
            put(out, z, old(out, z) + get(a, z))


@part
def _subtract_product(out: int, a: int, b: int, width: int) -> None:
    for z in range(width):
        put(out, z, old(out, z) - get(a, z) * get(b, z))


@part
def _scale(out: int, a: int, width: int) -> None:
    for z in range(width):
        put(out, z, old(out, z) * get(a, z))


@part
def _invert(out: int, width: int) -> None:
    for z in range(width):
        put(out, z, 1.0 / old(out, z))


@part
def _copy(out: int, a: int, width: int) -> None:
    for z in range(width):
        put(out, z, get(a, z))


@part
def _solve(row: Any, places: Any, o: int, i: int, j: int, n: int, columns: int, left: Any, width: int) -> bool:
    """Elimination without pivots, with one division a state; whether every entry of the solution is finite."""
    for place in range(n * n):
        _copy(left[place], row[places[i + place]], width)
    for place in range(n * columns):
        _copy(row[places[o + place]], row[places[j + place]], width)
    for p in range(n):
        _invert(left[p * n + p], width)
        for q in range(p + 1, n):
            factor = left[q * n + p]
            _scale(factor, left[p * n + p], width)
            for c in range(p + 1, n):
                _subtract_product(left[q * n + c], factor, left[p * n + c], width)
            for k in range(columns):
                _subtract_product(row[places[o + q * columns + k]], factor, row[places[o + p * columns + k]], width)
    bad = 0
    for p in range(n - 1, -1, -1):
        for k in range(columns):
            x = row[places[o + p * columns + k]]
            for c in range(p + 1, n):
                _subtract_product(x, left[p * n + c], row[places[o + c * columns + k]], width)
            _scale(x, left[p * n + p], width)
            for z in range(width):
                bad += 0 if abs(get(x, z)) < np.inf else 1
    return bad == 0


@compiled
def run(
    code: Any, places: Any, base: Any, step: Any, left: Any, moving: Any, first: int, after: int, lanes: int
) -> bool:
    """All steps for the instances from ``first`` to ``after``; False where a linear system has no finite solution.

    A line of ``code`` is the operation, the row (or place) it makes, places or rows of operands, and lengths.  Row ``r`` of the
    instance ``b`` stands at the address ``base[r] + step[r] b``; ``left`` are addresses of rows to eliminate in.
    """
    row = np.empty(len(base), np.int64)
    for start in range(first, after, lanes):
        width = min(lanes, after - start)
        for r in range(len(base)):
            row[r] = base[r] + step[r] * start
        for line in range(len(code)):
            if start + lanes < after:
                fetch(moving, line, len(code), start + lanes, lanes)
            operation, o, i, j = code[line, 0], code[line, 1], code[line, 2], code[line, 3]
            if operation in (DOT, PLUS, MINUS):
                terms, cells = code[line, 4], code[line, 5]
                if cells == 1:
                    _one(operation, row, places, o, i, j, terms, width)
                elif cells == 4:
                    _four(operation, row, places, o, i, j, terms, width)
                else:
                    _eight(operation, row, places, o, i, j, terms, width)
            elif operation == SUM:
                _sum(row, places, row[places[o]], i, code[line, 4], width)
            elif operation == SOLVE:
                if not _solve(row, places, o, i, j, code[line, 4], code[line, 5], left, width):
                    return False
            else:
                out, a, b = row[o], row[i], row[j]
                if operation == ADD:
                    for z in range(width):
                        put(out, z, get(a, z) + get(b, z))
                elif operation == SUB:
                    for z in range(width):
                        put(out, z, get(a, z) - get(b, z))
                elif operation == MUL:
                    for z in range(width):
                        put(out, z, get(a, z) * get(b, z))
                elif operation == DIV:
                    for z in range(width):
                        put(out, z, get(a, z) / get(b, z))
                elif operation == NEG:
                    for z in range(width):
                        put(out, z, -get(a, z))
                else:
                    for z in range(width):
                        put(out, z, abs(get(a, z)))
    return True
