"""Exact rationals (``flint.fmpq`` in object arrays), with formal logarithms."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
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


def solve_each(solve_one: Callable[[Plain, Plain], Any], matrix: Plain, right: Plain) -> Plain:
    """Solve every system of a batch with flint; rows of the answer in row-major order."""
    batch = np.broadcast_shapes(matrix.shape[:-2], right.shape[:-2])
    matrix = np.broadcast_to(matrix, batch + matrix.shape[-2:])
    right = np.broadcast_to(right, batch + right.shape[-2:])
    result = np.empty(right.shape, object)
    for index in np.ndindex(*batch):
        try:
            entries = solve_one(matrix[index], right[index])
        except ZeroDivisionError:
            where = f" at batch index {list(index)}" if index else ""
            raise SingularError(f"the linear system is singular{where}") from None
        result[index] = np.array(entries, dtype=object).reshape(right.shape[-2:])
    return result


def _solve_one(matrix: Plain, right: Plain) -> Any:
    rows, columns = right.shape
    left = flint.fmpq_mat(rows, rows, matrix.ravel().tolist())
    if any(isinstance(entry, FormalLog) for entry in right.ravel().tolist()):
        inverse = np.array(left.inv().entries(), dtype=object).reshape(rows, rows)
        return (inverse @ right).ravel().tolist()
    return left.solve(flint.fmpq_mat(rows, columns, right.ravel().tolist())).entries()


def solve(matrix: Plain, right: Plain) -> Plain:
    return solve_each(_solve_one, matrix, right)


def _null_space(matrix: Plain) -> Plain:
    """A basis of the null space of a square matrix, in columns ``[n, n - rank]``: each has a 1 in one free place."""
    size = len(matrix)
    reduced, rank = flint.fmpq_mat(size, size, matrix.ravel().tolist()).rref()
    rows = np.array(reduced.entries(), dtype=object).reshape(size, size)[:rank]
    bound = [int(np.flatnonzero(row != 0)[0]) for row in rows]
    free = [column for column in range(size) if column not in bound]
    basis = np.full((size, len(free)), flint.fmpq(0), dtype=object)
    for place, column in enumerate(free):
        basis[column, place] = flint.fmpq(1)
        basis[bound, place] = -rows[:, column]
    return basis


def pseudo_solve(matrix: Plain, right: Plain) -> tuple[Plain, Plain]:
    """On the null space ``N`` the matrix is 0, so ``M + N Nᵀ`` is invertible and inverts ``M`` on its range."""

    def outside_of(one: Plain, target: Plain) -> Any:
        null = _null_space(one)
        if not null.shape[1]:
            return [flint.fmpq(0)] * target.size
        return (null @ solve(null.T @ null, null.T @ target)).ravel().tolist()

    def inside_of(one: Plain, target: Plain) -> Any:
        null = _null_space(one)
        return solve(one + null @ null.T, target).ravel().tolist()

    remainder = solve_each(outside_of, matrix, right)
    return solve_each(inside_of, matrix, np.asarray(right - remainder)), remainder


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
    try:
        return float(fraction(value))
    except OverflowError:
        raise ExactnessError(f"a number of {len(str(value))} digits is beyond float64; keep it exact") from None
