"""What the two implementations of enclosures share: constants, the order of a contraction, and the contract of both.

The package's docstring says why; :mod:`.numpy_kernels` and :mod:`.fused` are the implementations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Enclosure = tuple[Floats, Floats]
Mask = npt.NDArray[np.bool_]

U = 2.0**-53
UP = 1 + 2.0**-49
LEAST = 2.0**-1074
"""The least positive float64."""
TINY = 2.0**-1070

SMALL, LARGE = 2.0**-900, 2.0**990
"""A product of at least SMALL, of factors of at most LARGE, has an exact error; for any other the error is bounded instead."""

WORTH_FETCHING = 2**22
"""Bytes of a block's rows that are asked for ahead: of more, the first would have left the second cache before they are used."""
MAGNITUDE = np.uint64(2**63 - 1)
"""The bits of a float but for its sign."""


def slack(terms: int) -> float:
    """More than what a sum of ``terms`` rounded numbers may be off, in relation to the sum of their magnitudes."""
    return 2 * (terms + 2) * U


def widening(terms: int) -> float:
    """What makes up for the roundings in a radius that is a sum of ``terms`` products."""
    return 1 + (terms + 16) * 4 * U


class Plan(NamedTuple):
    """How the axes of one factor meet those of a contraction: summed axes first, then those of the result."""

    axes: tuple[int, ...]
    """The factor's axes in that order; the batch follows."""
    shape: tuple[int, ...]
    """Their lengths, 1 where the factor has no such axis."""


@cache
def plans(
    terms: tuple[str, ...], output: str, shapes: tuple[tuple[int, ...], ...]
) -> tuple[tuple[Plan, ...], int, int]:
    """Plans of all factors, the number of summed axes, and how many products make one entry."""
    sizes = label_sizes(terms, shapes)
    summed = [label for label in sizes if label not in output]
    labels = [*summed, *output]
    found = []
    for term, shape in zip(terms, shapes, strict=True):
        axes = tuple(term.index(label) for label in labels if label in term)
        found.append(Plan(axes, tuple(shape[term.index(label)] if label in term else 1 for label in labels)))
    return tuple(found), len(summed), math.prod(sizes[label] for label in summed)


def label_sizes(terms: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> dict[str, int]:
    """The length of every label; 1 gives way to any other length."""
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for label, size in zip(term, shape, strict=True):
            if sizes.setdefault(label, size) == 1:
                sizes[label] = size
            elif size not in (1, sizes[label]):
                raise ValueError(f"the axis {label!r} has length {sizes[label]} in one factor and {size} in {term!r}")
    return sizes


def arranged(array: Any, plan: Plan) -> Any:
    """A view of a factor with its axes as the plan has them."""
    return array.transpose(*plan.axes, array.ndim - 1).reshape((*plan.shape, array.shape[-1]))


class RowsInMemory(NamedTuple):
    """Where the rows of an array ``core + (B,)`` stand: row ``r`` of instance ``b`` at the address ``base[r] + step[r] b``."""

    base: npt.NDArray[np.int64]
    step: npt.NDArray[np.int64]
    kept: Floats
    """What the addresses point to; it must outlive them."""


def rows_at(array: Floats, batch: int, lanes: int) -> RowsInMemory:
    """Rows of a batch as they stand; what all instances share is written out for ``lanes`` of them."""
    array = standing(array, batch, lanes)
    offset, step = _offsets(array.shape[:-1], array.strides[:-1], 8 if array.shape[-1] == batch else 0)
    return RowsInMemory(offset + address(array), step, array)


def moving_rows(base: Any, step: Any, lanes: int) -> Any:
    """Base and step of the rows that differ from block to block, where they are worth asking for ahead."""
    moving = np.stack([base[step != 0], step[step != 0]], -1)
    return moving if 8 * lanes * len(moving) <= WORTH_FETCHING else moving[:0]


LEAST_LANES = 8
"""As many instances as a vector has: blocks are made of whole ones."""


def repeated(parts: tuple[Any, ...], batch: int) -> tuple[Any, ...]:
    """The same instances again and again, where there are fewer than :data:`LEAST_LANES`, until there are as many."""
    again = np.arange(LEAST_LANES) % batch
    return tuple(part[..., again] if part.shape[-1] == batch else part for part in parts)


SOLVED = 32
"""So many instances compiled loops solve at once."""


def room_of(n: int, columns: int) -> int:
    """How many numbers of room a linear system of ``n`` rows takes: matrix, right sides, or what verifies them."""
    return SOLVED * n * (n + max(columns, 8))


def standing(array: Floats, batch: int, lanes: int) -> Floats:
    """The same numbers, those of neighbouring instances side by side; what all share is written out for ``lanes`` of them.

    One number that is repeated throughout, as the radius of exact data, is written out once.
    """
    if not array.ndim:
        array = array[None]
    if array.size and not any(array.strides):
        return np.broadcast_to(np.repeat(array.flat[0], lanes), (*array.shape[:-1], lanes))
    if array.shape[-1] != batch:
        return np.repeat(array, lanes, axis=-1)
    if array.dtype != np.float64 or (batch > 1 and array.strides[-1] != 8):
        return np.ascontiguousarray(array, np.float64)
    return array


def address(array: Floats) -> int:
    """Where the first number stands."""
    return int(array.__array_interface__["data"][0])


@lru_cache(maxsize=4096)
def _offsets(shape: tuple[int, ...], strides: tuple[int, ...], step: int) -> tuple[Any, Any]:
    """Where rows stand behind the first one, and the step of each."""
    offset = np.zeros(1, np.int64)
    for length, stride in zip(shape, strides, strict=True):
        offset = (offset[:, None] + stride * np.arange(length)).reshape(-1)
    return offset, np.full(len(offset), step)


@lru_cache(maxsize=4096)
def tables_of_rows(layouts: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...], batch: int) -> tuple[Any, Any, Any]:
    """For arrays that alternately hold midpoints and radii: where each row ``[r, 2]`` stands in its array, in which, its step.

    Small operations on arrays of the same layouts ask for the same tables again and again.  A batch of just as many instances
    as one block has is read the same whether its numbers are shared or not.
    """
    rows = [_offsets(shape[:-1], strides[:-1], 8 if shape[-1] == batch else 0) for shape, strides in layouts]
    numbers = [np.full(len(offset), number) for number, (offset, _) in enumerate(rows)]
    found = [[offset for offset, _ in rows], numbers, [step for _, step in rows]]
    offset, number, step = (np.stack([np.concatenate(t[::2]), np.concatenate(t[1::2])], -1) for t in found)
    return offset, number, step


@cache
def rows_of_terms(terms: tuple[str, ...], output: str, shapes: tuple[tuple[int, ...], ...]) -> Any:
    """For every factor the rows ``[k, o]``; the shape of the result; the number of products of one entry."""
    found, axes, count = plans(terms, output, shapes)
    core = np.broadcast_shapes(*(plan.shape for plan in found))
    size = math.prod(core[axes:])
    rows = []
    for plan, shape in zip(found, shapes, strict=True):
        numbered = arranged(np.arange(math.prod(shape)).reshape((*shape, 1)), plan)[..., 0]
        rows.append(np.ascontiguousarray(np.broadcast_to(numbered, core).reshape(count, size)))
    return rows, core[axes:], count


class Kernels(NamedTuple):
    """What is worth compiling; implementations return the same numbers, bit for bit (but for the sign of 0)."""

    add: Callable[[Enclosure, Enclosure], Enclosure]
    sub: Callable[[Enclosure, Enclosure], Enclosure]
    mul: Callable[[Enclosure, Enclosure], Enclosure]
    div: Callable[[Enclosure, Enclosure], Enclosure]
    product_sum: Callable[[tuple[str, ...], str, tuple[Enclosure, ...]], Enclosure]
    solve_dominant: Callable[[Enclosure, Enclosure], Enclosure]
