"""The copy that :func:`.floats.laid_out` makes, compiled: tiles of eight numbers a side are turned, and seen, in registers."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from .compiled import LANES_OF_A_VECTOR as SIDE
from .compiled import Vector, compiled, get, part, put

LANES = 64
"""Instances of a block."""
WORD, HALF = ir.IntType(64), ir.IntType(32)


@intrinsic  # type: ignore[untyped-decorator]
def _tile(
    _typing: Any, _source: Any, _apart: Any, _target: Any, _between: Any, _last: Any, _sums: Any, _extremes: Any
) -> Any:
    """Eight rows of eight columns at ``source``, ``apart`` bytes apart, to ``target``, where rows are ``between`` bytes apart.

    ``last`` says which columns end a sum, ``sums`` is 1 less the running sum of every row, ``extremes`` are the least entries and
    distances so far.
    """

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        source, apart, target, between, last, sums, extremes = arguments
        v, byte = Vector(builder), ir.IntType(8).as_pointer()
        name, whole = "llvm.prefetch.p0i8", ir.VectorType(WORD, SIDE)
        fetch = builder.module.globals.get(name) or ir.Function(
            builder.module, ir.FunctionType(ir.VoidType(), [byte, HALF, HALF, HALF]), name
        )

        def row(start: Any, step: Any, k: int) -> Any:
            return builder.add(start, builder.mul(step, WORD(k)))

        def soon(address: Any, written: int) -> None:
            builder.call(fetch, [builder.inttoptr(address, byte), HALF(written), HALF(3), HALF(1)])

        for k in range(SIDE):  # the tile after next, and where the next one goes
            soon(builder.add(row(source, apart, k), WORD(2 * 8 * SIDE)), 0)
            soon(row(target, between, SIDE + k), 1)
        rows = [v.load(row(source, apart, k)) for k in range(SIDE)]
        for half in (
            4,
            2,
            1,
        ):  # of every square of 2·half numbers a side, the two quarters off the diagonal change places
            first = [k if not k & half else SIDE + (k ^ half) for k in range(SIDE)]
            second = [k | half if not k & half else SIDE + k for k in range(SIDE)]
            masks = [ir.Constant(ir.VectorType(HALF, SIDE), places) for places in (first, second)]
            for i in range(SIDE):
                if not i & half:
                    pair = rows[i], rows[i | half]
                    rows[i], rows[i | half] = (builder.shuffle_vector(*pair, mask) for mask in masks)
        total, least = v.load(sums), v.load(extremes)
        most = builder.bitcast(v.load(builder.add(extremes, WORD(8 * SIDE))), whole)
        for k, values in enumerate(rows):
            v.store(values, row(target, between, k))
            total = builder.fsub(total, values)
            least = builder.select(builder.fcmp_ordered("<", values, least), values, least)
            far = builder.bitcast(v.abs(total), whole)  # as whole numbers in the same order, with nan above infinity
            over = builder.load(builder.inttoptr(builder.add(last, WORD(8 * k)), WORD.as_pointer()))
            ended = builder.icmp_signed("!=", over, WORD(0))
            more = builder.select(builder.icmp_unsigned(">", far, most), far, most)
            most = builder.select(ended, more, most)
            total = builder.select(ended, v.constant(1.0), total)
        v.store(total, sums)
        v.store(least, extremes)
        v.store(builder.bitcast(most, v.kind), builder.add(extremes, WORD(8 * SIDE)))
        return context.get_dummy_value()

    return types.none(*[types.int64] * 7), generate


@part
def _by_one(
    source: int, target: int, shape: Any, first: int, after: int, start: int, end: int, last: Any, sums: Any, seen: Any
) -> None:
    """What a tile does, for some rows and columns that fill none."""
    rows, columns = shape
    for s in range(first, after):
        for k in range(start, end):
            value = get(source + 8 * s * columns, k)
            put(target + 8 * k * rows, s, value)
            sums[s % LANES] -= value
            if value < seen[0]:
                seen[0] = value
            if last[k]:
                far, most = abs(sums[s % LANES]), seen[SIDE]
                seen[SIDE] = most if most >= far or most != most else far
                sums[s % LANES] = 1.0


@compiled
def turned(
    source: int, target: int, rows: int, columns: int, first: int, stop: int, length: int
) -> tuple[float, float]:
    """Some rows of the array ``[rows, columns]`` at one address as columns of ``[columns, rows]`` at another, and what was seen.

    The least entry, and how far from 1 the sums of ``length`` entries of a row each are at most: nan or infinite where one is.
    """
    last = ((np.arange(columns) + 1) % length == 0).astype(np.int64)
    sums, seen = np.ones(LANES), np.zeros(2 * SIDE)
    seen[:SIDE] = np.inf
    whole, shape = columns // SIDE * SIDE, (rows, columns)
    for start in range(first, stop, LANES):
        after = min(start + LANES, stop)
        end = after // SIDE * SIDE
        for c in range(0, whole, SIDE):
            for s in range(start, end, SIDE):
                _tile(
                    source + 8 * (s * columns + c),
                    8 * columns,
                    target + 8 * (c * rows + s),
                    8 * rows,
                    last.ctypes.data + 8 * c,
                    sums.ctypes.data + 8 * (s - start),
                    seen.ctypes.data,
                )
        _by_one(source, target, shape, start, end, whole, columns, last, sums, seen)
        _by_one(source, target, shape, end, after, 0, columns, last, sums, seen)
    return seen[:SIDE].min(), seen[SIDE:].max()
