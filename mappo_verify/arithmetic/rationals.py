"""Exact rationals (``flint.fmpq`` in object arrays), with formal logarithms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import prod
from typing import Any

import flint
import numpy as np
import numpy.typing as npt
from flint.utils.flint_exceptions import DomainError

from ..errors import ExactnessError, SingularError, UndecidedError
from .formal import FormalLog, logarithm
from .system import FALSE, TRUE, Plain, Truth, elementwise


def rational(value: Any) -> flint.fmpq:
    """An int, Fraction or fmpq as ``fmpq``."""
    if isinstance(value, Fraction):
        return flint.fmpq(value.numerator, value.denominator)
    return flint.fmpq(value)


constant = rational


def fraction(value: Any) -> Fraction:
    """An ``fmpq`` as a standard-library Fraction."""
    value = flint.fmpq(value)
    return Fraction(int(value.p), int(value.q))


Entries = list[Any]
"""A matrix, row after row."""
Solver = Callable[[Entries, Entries, int, int], Entries]
"""What solves one system: from its matrix, its right side and the shape of that one."""


def solve_each(solve_one: Solver, matrix: Plain, right: Plain) -> Plain:
    """Solve every system of a batch with flint."""
    return _array_of(*_each(solve_one, matrix, right))


def _each(solve_one: Solver, matrix: Plain, right: Plain) -> tuple[list[Entries], tuple[int, ...]]:
    """What is found for every system of a batch, and the shape of all right sides."""
    batch = np.broadcast_shapes(matrix.shape[:-2], right.shape[:-2])
    rows, columns = right.shape[-2:]
    count = prod(batch)
    matrices = np.broadcast_to(matrix, (*batch, rows, rows)).reshape(count, rows * rows).tolist()
    sides = np.broadcast_to(right, (*batch, rows, columns)).reshape(count, rows * columns).tolist()
    found: list[Entries] = []
    try:
        for one, side in zip(matrices, sides, strict=True):
            found.append(solve_one(one, side, rows, columns))
    except ZeroDivisionError:
        index = [int(i) for i in np.unravel_index(len(found), batch)] if batch else []
        raise SingularError(f"the linear system is singular{f' at batch index {index}' if index else ''}") from None
    return found, (*batch, rows, columns)


def _array_of(found: Iterable[Entries], shape: tuple[int, ...]) -> Plain:
    result = np.empty(prod(shape), object)
    result[:] = [entry for entries in found for entry in entries]
    return result.reshape(shape)


def _solve_one(matrix: Entries, right: Entries, rows: int, columns: int) -> Entries:
    left = flint.fmpq_mat(rows, rows, matrix)
    if any(isinstance(entry, FormalLog) for entry in right):
        return _product(left.inv(), right, columns)
    return left.solve(flint.fmpq_mat(rows, columns, right)).entries()


def _product(left: flint.fmpq_mat, right: Entries, columns: int) -> Entries:
    """A matrix times one whose entries may be formal logarithms."""
    size = left.nrows(), left.ncols()
    if any(isinstance(entry, FormalLog) for entry in right):
        one = np.array(left.entries(), dtype=object).reshape(size)
        found: Entries = (one @ np.array(right, dtype=object).reshape(size[1], columns)).ravel().tolist()
        return found
    return (left * flint.fmpq_mat(size[1], columns, right)).entries()


def solve(matrix: Plain, right: Plain) -> Plain:
    return solve_each(_solve_one, matrix, right)


def _null_space(matrix: flint.fmpq_mat) -> flint.fmpq_mat | None:
    """A basis of the null space, in columns ``[n, n - rank]``: each has a 1 in one free place; None where it is 0."""
    size = matrix.nrows()
    reduced, rank = matrix.rref()
    if rank == size:
        return None
    entries = reduced.entries()
    rows = [entries[place * size :][:size] for place in range(rank)]
    bound = [next(column for column, entry in enumerate(row) if entry != 0) for row in rows]
    free = [column for column in range(size) if column not in bound]
    basis = [[flint.fmpq(column == other) for other in free] for column in range(size)]
    for row, column in zip(rows, bound, strict=True):
        basis[column] = [-row[other] for other in free]
    return flint.fmpq_mat(size, len(free), [entry for row in basis for entry in row])


def pseudo_solve(matrix: Plain, right: Plain) -> tuple[Plain, Plain]:
    """On the null space ``N`` the matrix is 0, so ``M + N Nᵀ`` is invertible and inverts ``M`` on its range."""

    def solve_one(one: Entries, side: Entries, rows: int, columns: int) -> Entries:
        left = flint.fmpq_mat(rows, rows, one)
        null = _null_space(left)
        if null is None:
            return _solve_one(one, side, rows, columns) + [flint.fmpq(0)] * len(side)
        across = null.transpose()
        outside = _product(null * (across * null).solve(across), side, columns)
        inside = [value - other for value, other in zip(side, outside, strict=True)]
        return _solve_one((left + null * across).entries(), inside, rows, columns) + outside

    found, shape = _each(solve_one, matrix, right)
    size = prod(shape[-2:])
    return _array_of((both[:size] for both in found), shape), _array_of((both[size:] for both in found), shape)


def _exp(value: Any) -> Any:
    if isinstance(value, FormalLog):
        return value.exp()
    if value == 0:
        return flint.fmpq(1)
    raise ExactnessError(f"exp({value}) is not rational; give log-values as logarithms of rationals, or use .balls()")


def _log(value: Any) -> Any:
    if isinstance(value, FormalLog):
        raise ExactnessError("the logarithm of a logarithm has no formal value; use .balls()")
    value = flint.fmpq(value)
    if value <= 0:
        raise ExactnessError(f"log({value}) is not a real number")
    return logarithm(value)


def _sqrt(value: Any) -> Any:
    if isinstance(value, FormalLog):
        raise ExactnessError(f"sqrt({value}) is not rational; use .balls()")
    try:
        return flint.fmpq(value).sqrt()
    except (ValueError, DomainError):
        raise ExactnessError(f"sqrt({value}) is not rational; compare squares, or use .balls()") from None


def exp(values: Plain) -> Plain:
    return elementwise(_exp, values)


def log(values: Plain) -> Plain:
    return elementwise(_log, values)


def sqrt(values: Plain) -> Plain:
    return elementwise(_sqrt, values)


def infinity(where: str) -> Any:
    raise ExactnessError(f"a positive number is divided by zero at index {where}, and rationals have no infinity")


def compare(left: Plain, relation: str, right: Plain) -> Truth:
    if relation == "=":
        return np.where(np.equal(left, right).astype(bool), TRUE, FALSE)
    decided = {"≤": np.less_equal, "<": np.less}[relation](left, right).astype(bool)
    return np.where(decided, TRUE, FALSE)


def certainly_equal(left: Plain, right: Plain) -> npt.NDArray[np.bool_]:
    return np.equal(left, right).astype(bool)


def support(values: Plain) -> npt.NDArray[np.bool_]:
    return np.not_equal(values, 0).astype(bool)


def nonzero(values: Plain) -> Truth:
    return np.where(support(values), TRUE, FALSE)


def hull(left: Any, right: Any) -> Any:
    if left == right:
        return left
    raise UndecidedError(f"which of {left} and {right} to choose is not known, and no rational number is both")


def maximum(left: Plain, right: Plain) -> Plain:
    return elementwise(lambda x, y: x if x >= y else y, left, right)


def argmax(values: Plain) -> npt.NDArray[np.intp]:
    return np.asarray(np.argmax(values, axis=-1))


def to_float(value: Any) -> float:
    if isinstance(value, FormalLog):
        return value.to_float()
    value = flint.fmpq(value)
    try:
        return int(value.p) / int(value.q)  # rounded correctly, and without the Fraction that float() would want
    except OverflowError:
        raise ExactnessError(f"a number of {len(str(value))} digits is beyond float64; keep it exact") from None
