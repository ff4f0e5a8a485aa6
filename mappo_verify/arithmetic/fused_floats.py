"""Recorded steps over floats (:mod:`.recorded`), compiled: a block of instances at a time through all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .compiled import Vector, Vectors, compiled, fetch, part, summed
from .vectors import copy_out, copy_row, every, fma, load, scale_row, spread, store

ADD, SUB, MUL, DIV, NEG, ABS, DOT, SUM, SOLVE, PLUS, MINUS, OUT = range(12)


def _add_product(v: Vector, sums: Vectors, x: Vectors, y: Vectors) -> Vectors:
    return [v.fma(x[0], y[0], sums[0])]


def _take_product(v: Vector, sums: Vectors, x: Vectors, y: Vectors) -> Vectors:
    return [v.fma(v.neg(x[0]), y[0], sums[0])]


def _close(_v: Vector, sums: Vectors, _slack: Any, _widening: Any) -> Vectors:
    return sums


def _sums(m: int, n: int, vectors: int, term: Any = _add_product, onto: bool = False) -> Any:
    """Sums of products for tiles of ``m`` times ``n`` results (see :func:`.compiled.summed`), some lines that are alike."""
    many, eight = (summed((m, n, some), 1, 1, term, _close, onto) for some in (vectors, 1))
    lanes = 8 * vectors

    @part
    def sums(row: int, places: int, out: int, i: int, j: int, terms: int, count: int, apart: int, width: int) -> None:
        for k in range(0, count * apart, apart):
            z = 0
            while z + lanes <= width:
                many(row, places, out + k, i + k, j + k, terms, z, 0.0, 0.0)
                z += lanes
            while z < width:
                eight(row, places, out + k, i + k, j + k, terms, z, 0.0, 0.0)
                z += 8

    return sums


_one, _four, _eight = _sums(1, 1, 4), _sums(1, 4, 4), _sums(2, 4, 2)
_one_more, _four_more, _eight_more = (_sums(*tile, _add_product, True) for tile in ((1, 1, 4), (1, 4, 4), (2, 4, 2)))
_one_less, _four_less, _eight_less = (_sums(*tile, _take_product, True) for tile in ((1, 1, 4), (1, 4, 4), (2, 4, 2)))


def _rows(made: Callable[..., Any]) -> Any:
    """Some lines of an operation that makes each number from one number of either operand."""
    term = part(made)

    @part
    def rows(row: Any, places: Any, o: int, i: int, j: int, count: int, apart: int, width: int) -> None:
        for k in range(0, count * apart, apart):
            out, a, b = row[places[o + k]], row[places[i + k]], row[places[j + k]]
            for z in range(0, width, 8):
                store(out, z, term(load(a, z), load(b, z)))

    return rows


_add, _sub, _mul = _rows(lambda a, b: a + b), _rows(lambda a, b: a - b), _rows(lambda a, b: a * b)
_div, _neg, _abs = _rows(lambda a, b: a / b), _rows(lambda a, _: -a), _rows(lambda a, _: abs(a))


@part
def _sum(row: Any, places: Any, out: int, i: int, terms: int, width: int) -> None:
    for z in range(0, width, 8):
        total = load(row[places[i]], z)
        for k in range(1, terms):
            total = total + load(row[places[i + k]], z)
        store(out, z, total)


SOLVED = 32
"""So many instances are eliminated at once: the steps of one wait for those of another less."""
ROOM = 8 * SOLVED
"""Bytes of a row of theirs."""


@part
def _less_product(out: int, factor: int, other: int, width: int) -> None:
    for z in range(0, width, 8):
        store(out, z, fma(-load(factor, z), load(other, z), load(out, z)))


@part
def _solve(
    row: Any, places: Any, o: int, i: int, j: int, n: int, columns: int, left: int, start: int, width: int
) -> bool:
    """Elimination without pivots, with one division a state; whether every entry of the solution is finite.

    It is for at most :data:`SOLVED` instances, the first of them ``start`` bytes in; ``left`` is room for their systems.
    """
    x = left + ROOM * n * n
    for place in range(n * n):
        copy_row(left + ROOM * place, row[places[i + place]] + start, width)
    for place in range(n * columns):
        copy_row(x + ROOM * place, row[places[j + place]] + start, width)
    for p in range(n):
        pivot = left + ROOM * (n + 1) * p
        for z in range(0, width, 8):
            store(pivot, z, 1.0 / load(pivot, z))
        for q in range(p + 1, n):
            factor = pivot + ROOM * n * (q - p)
            scale_row(factor, pivot, width)
            for c in range(1, n - p):
                _less_product(factor + ROOM * c, factor, pivot + ROOM * c, width)
            for k in range(columns):
                _less_product(x + ROOM * (q * columns + k), factor, x + ROOM * (p * columns + k), width)
    doubt = spread(0.0)
    for p in range(n - 1, -1, -1):
        pivot = left + ROOM * (n + 1) * p
        for k in range(columns):
            here = x + ROOM * (p * columns + k)
            for c in range(1, n - p):
                _less_product(here, pivot + ROOM * c, here + ROOM * columns * c, width)
            scale_row(here, pivot, width)
            for z in range(0, width, 8):
                value = load(here, z)
                store(row[places[o + p * columns + k]] + start, z, value)
                doubt = doubt + (value - value)
    return bool(every(doubt == 0.0))


@compiled
def run(
    code: Any, places: Any, base: Any, step: Any, moving: Any, room: int, first: int, after: int, batch: int, lanes: int
) -> bool:
    """All steps for the instances from ``first`` to ``after``; False where a linear system has no finite solution.

    A line of ``code`` is the operation, places of the row it makes and of operands, lengths, and how often it comes, with places
    how far apart.  Row ``r`` of the instance ``b`` stands at the address ``base[r] + step[r] b``.  Blocks are whole: the last one
    of a batch takes some instances again.
    """
    row = np.empty(len(base), np.int64)
    at, named = row.ctypes.data, places.ctypes.data
    for block in range(first, after, lanes):
        start = min(block, batch - lanes)
        for r in range(len(base)):
            row[r] = base[r] + step[r] * start
        for line in range(len(code)):
            if block + lanes < after:
                fetch(moving, line, len(code), start + lanes, lanes)
            operation, o, i, j = code[line, 0], code[line, 1], code[line, 2], code[line, 3]
            terms, cells, count, apart = code[line, 4], code[line, 5], code[line, 6], code[line, 7]
            if operation == DOT:
                if cells == 1:
                    _one(at, named, o, i, j, terms, count, apart, lanes)
                elif cells == 4:
                    _four(at, named, o, i, j, terms, count, apart, lanes)
                else:
                    _eight(at, named, o, i, j, terms, count, apart, lanes)
            elif operation == PLUS:
                if cells == 1:
                    _one_more(at, named, o, i, j, terms, count, apart, lanes)
                elif cells == 4:
                    _four_more(at, named, o, i, j, terms, count, apart, lanes)
                else:
                    _eight_more(at, named, o, i, j, terms, count, apart, lanes)
            elif operation == MINUS:
                if cells == 1:
                    _one_less(at, named, o, i, j, terms, count, apart, lanes)
                elif cells == 4:
                    _four_less(at, named, o, i, j, terms, count, apart, lanes)
                else:
                    _eight_less(at, named, o, i, j, terms, count, apart, lanes)
            elif operation == SUM:
                for k in range(0, count * apart, apart):
                    _sum(row, places, row[places[o + k]], i + k, terms, lanes)
            elif operation == SOLVE:
                for k in range(0, count * apart, apart):
                    for z in range(0, lanes, SOLVED):
                        some = min(SOLVED, lanes - z)
                        if not _solve(row, places, o + k, i + k, j + k, terms, cells, room, 8 * z, some):
                            return False
            elif operation == ADD:
                _add(row, places, o, i, j, count, apart, lanes)
            elif operation == SUB:
                _sub(row, places, o, i, j, count, apart, lanes)
            elif operation == MUL:
                _mul(row, places, o, i, j, count, apart, lanes)
            elif operation == DIV:
                _div(row, places, o, i, j, count, apart, lanes)
            elif operation == NEG:
                _neg(row, places, o, i, j, count, apart, lanes)
            elif operation == OUT:
                for k in range(0, count * apart, apart):
                    copy_out(row[places[o + k]], row[places[i + k]], lanes)
            else:
                _abs(row, places, o, i, j, count, apart, lanes)
    return True
