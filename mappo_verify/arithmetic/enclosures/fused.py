"""The kernels of :mod:`mappo_verify.arithmetic.enclosures`, compiled: whole arrays by the steps of :mod:`.fused_steps`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from ..storage import aligned
from ..threads import in_parts
from .fused_steps import (
    ADD,
    DIV,
    DOT,
    MUL,
    SOLVE,
    SUB,
    SUM,
    middle_of_quotient,
    radius_of_difference,
    radius_of_product,
    radius_of_quotient,
    radius_of_sum,
    run,
)  # fmt: skip
from .kernels import (
    LEAST_LANES,
    Enclosure,
    Floats,
    Kernels,
    address,
    moving_rows,
    repeated,
    room_of,
    rows_of_terms,
    standing,
    tables_of_rows,
)  # fmt: skip
from .numpy_kernels import NUMPY

AT_ONCE = 2**15
"""From so many numbers on, one pass over memory takes less time than two calls of NumPy's."""
LANES = 256
"""How many instances one inner loop runs over: long enough for the processor to fetch ahead, short enough for its cache."""


@cache
def _elementwise(operation: int, one: tuple[int, ...], two: tuple[int, ...]) -> Any:
    """The code and the places of an operation on arrays of these core shapes, for :func:`run`; the core shape of its result."""
    core = np.broadcast_shapes(one, two)
    size, first, second = math.prod(core), math.prod(one), math.prod(two)
    out = first + second + np.arange(size)
    left = np.broadcast_to(np.arange(first).reshape(one), core).reshape(-1)
    right = first + np.broadcast_to(np.arange(second).reshape(two), core).reshape(-1)
    code = np.array([[operation, 0, size, 2 * size, 0, 0, size, 1]], np.int64)
    return code, np.concatenate([out, left, right]).astype(np.int64), core


@cache
def _contraction(terms: tuple[str, ...], output: str, shapes: tuple[tuple[int, ...], ...]) -> Any:
    """The code and the places of a contraction; the core shape of its result; how many products make one entry."""
    found, core, count = rows_of_terms(terms, output, shapes)
    first, second = found[0], found[-1] + (len(found) > 1) * math.prod(shapes[0])
    size, given = math.prod(core), sum(map(math.prod, shapes))
    out = given + np.arange(size)
    # Beside each result stand the rows of its factors: so all results are one line, equally far apart.
    places = np.concatenate([out[None], first, second]).T.reshape(-1)
    code = np.array([[DOT if len(found) > 1 else SUM, 0, 1, 1 + count, count, 1, size, 1 + 2 * count]], np.int64)
    return code, places.astype(np.int64), core, count


@cache
def _system(n: int, columns: int) -> Any:
    """The code and the places of a linear system."""
    size, right = n * n, n * columns
    code = np.array([[SOLVE, 0, right, right + size, n, columns, 1, 1]], np.int64)
    return code, np.concatenate([size + right + np.arange(right), np.arange(size + right)]).astype(np.int64)


def _run(code: Any, places: Any, core: tuple[int, ...], operands: Sequence[Enclosure], room: int = 0) -> Enclosure:
    """One operation on whole arrays; what all instances share is written out for one block alone."""
    batch = max(operand[0].shape[-1] for operand in operands)
    if 0 < batch < LEAST_LANES:
        mid, rad = _run(code, places, core, [repeated(operand, batch) for operand in operands], room)
        return mid[..., :batch], rad[..., :batch]
    lanes = min(LANES, max(batch // LEAST_LANES, 1) * LEAST_LANES)
    mid, rad = (aligned((*core, batch)) for _ in range(2))
    arrays = [standing(part, batch, lanes) for operand in (*operands, (mid, rad)) for part in operand]
    offset, number, step = tables_of_rows(tuple((array.shape, array.strides) for array in arrays), batch)
    base = offset + np.array([address(array) for array in arrays])[number]
    moving = moving_rows(base, step, lanes) if batch > lanes else step[:0]  # one block has no next one
    given, lost = _given(len(base), math.prod(core)), np.zeros(batch if room else 0, bool)

    def work(first: int, after: int, _kept: Any = arrays) -> None:
        own = aligned((room,))
        run(code, places, base, step, given, moving, address(own), lost, first, after, batch, lanes)

    in_parts(work, batch, batch * len(base), lanes)
    return mid, rad


@cache
def _given(rows: int, made: int) -> Any:
    """Which of so many rows are there before the last ones are made."""
    return np.arange(rows) < rows - made


Operation = Callable[[Enclosure, Enclosure], Enclosure]


def in_one_pass(operation: int) -> Operation:
    """An operation element by element in one pass over memory."""

    def applied(a: Enclosure, b: Enclosure) -> Enclosure:
        code, places, core = _elementwise(operation, a[0].shape[:-1], b[0].shape[:-1])
        return _run(code, places, core, (a, b))

    return applied


def _of_middles(operation: np.ufunc) -> Callable[..., Floats]:
    return lambda a, _r, b, _s: operation(a, b)


def _by(middle: Callable[..., Floats], radius: Callable[..., Floats], many: Operation) -> Operation:
    """Of few numbers, where calls are what costs, an operation by two ufuncs; of many another way."""

    def applied(a: Enclosure, b: Enclosure) -> Enclosure:
        if max(a[0].size, b[0].size) < AT_ONCE:
            return middle(*a, *b), radius(*a, *b)
        return many(a, b)

    return applied


def _product_sum(terms: tuple[str, ...], output: str, factors: tuple[Enclosure, ...]) -> Enclosure:
    code, places, core, count = _contraction(terms, output, tuple(f[0].shape[:-1] for f in factors))
    return _run(code, places, core, factors) if count else NUMPY.product_sum(terms, output, factors)


def _solve_dominant(a: Enclosure, b: Enclosure) -> Enclosure:
    n, columns, _ = b[0].shape
    code, places = _system(n, columns)
    return _run(code, places, (n, columns), (a, b), room_of(n, columns))


NUMBA = Kernels(
    _by(_of_middles(np.add), radius_of_sum, in_one_pass(ADD)),
    _by(_of_middles(np.subtract), radius_of_difference, in_one_pass(SUB)),
    _by(_of_middles(np.multiply), radius_of_product, in_one_pass(MUL)),
    _by(middle_of_quotient, radius_of_quotient, in_one_pass(DIV)),
    _product_sum,
    _solve_dominant,
)
