"""float64, for many games at once.

Formulas stay single; speed lives in the memory layout and in :func:`solve`.  A *batch-minor* array has its batch axes
first, logically, and the smallest strides there, so every elementwise step runs along the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache, lru_cache, reduce
from math import inf, prod
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import SingularError
from .choice import Choice
from .storage import aligned
from .system import Plain, Truth, three_valued

Floats = npt.NDArray[np.float64]

ELIMINATION_LIMIT = 16
"""Up to this size, elimination across a batch beats LAPACK game by game (``benchmarks/bench_batches.py``)."""
BATCH_WORTH_ELIMINATING = 50
"""So many systems for each of their rows: fewer, LAPACK solves at least as fast."""

EPSILON = float(np.finfo(np.float64).eps)
NEARLY_SINGULAR = float(np.sqrt(EPSILON))
"""Of the largest pivot: where one is smaller, eigenvalues decide the rank."""

BLOCK, BLOCK_NUMBERS = 128, 2**14
"""Instances that NumPy turns at once, at least, and numbers, where an instance has few: they fit into the second cache."""
AT_ONCE = 2**20
"""Numbers that are looked at together, so that what is computed of them takes little memory."""
SHORT = 8
"""Entries of a row that NumPy reduces no faster than it takes up the next row."""
WORTH_LOADING = 2**29
"""Numbers that NumPy lays out in about the time that loading the first compiled code takes, a second and a half."""

_RELATIONS = {"=": np.equal, "≤": np.less_equal, "<": np.less}


def constant(value: int | Fraction) -> float:
    return float(value)


class Seen(NamedTuple):
    """What was seen in rows of floats: the least entry, and how far their sums are from 1 at most.

    ``apart`` is nan or infinite where an entry is, or a sum overflows.
    """

    least: float
    apart: float

    @property
    def finite(self) -> bool:
        """Whether every entry certainly is."""
        return bool(np.isfinite(self.apart))

    def go_on(self, rounding: float) -> bool:
        """Whether no entry is negative, and every row sums to 1 up to ``rounding``."""
        return self.least >= 0 and self.apart <= rounding


def all_positive(values: Any) -> bool:
    """Whether every number is above 0, and finite."""
    if not values.ndim:
        return 0 < float(values) < inf
    return holds_everywhere((values > 0) & (values < inf))


def holds_everywhere(mask: Any) -> bool:
    """Whether no entry of a mask is False; for short ones several times as fast as its method ``all``."""
    return bool(np.count_nonzero(mask) == mask.size)


def rows_go_on(rows: Plain, rounding: float) -> bool:
    """:meth:`Seen.go_on` of rows ``[..., n]`` that were not seen yet; some at a time."""
    if not rows.size or not rows.min() >= 0:
        return False
    if rows.ndim == 1:
        return bool(abs(1 - rows.sum()) <= rounding)
    step = max(1, AT_ONCE * len(rows) // rows.size)
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        by_blas = some.flags.c_contiguous  # which adds up short rows ten times as fast as NumPy, and long ones faster
        sums = some.reshape(-1, rows.shape[-1]) @ _ones(rows.shape[-1]) if by_blas else some.sum(-1)
        if not np.abs(1 - sums).max() <= rounding:
            return False
    return True


@lru_cache(maxsize=64)
def _ones(length: int) -> Floats:
    return np.ones(length)


def batch_minor(values: Plain, core_axes: int) -> Plain:
    """A copy whose batch axes have the smallest strides; the logical shape is unchanged."""
    return laid_out(values, core_axes)[0]


def laid_out(values: Plain, core_axes: int) -> tuple[Plain, Seen | None]:
    """The copy of :func:`batch_minor`, and what was seen of its rows, where compiled code makes it in one pass over memory."""
    batch = values.ndim - core_axes
    if batch == 0:
        return values.copy(), None
    stored = aligned((*values.shape[batch:], *values.shape[:batch]))
    result = stored.transpose((*range(core_axes, values.ndim), *range(core_axes)))
    if core_axes and values.size and values.flags.c_contiguous and values.flags.aligned:
        rows, columns = prod(values.shape[:batch]), prod(values.shape[batch:])
        turn = _turned(values.size)
        return result, turn(values.reshape(rows, columns), stored.reshape(columns, rows), values.shape[-1])
    result[...] = values
    return result, None


Turn = Callable[[Floats, Floats, int], Seen | None]


def _turned_by_numpy(given: Floats, table: Floats, _length: int) -> None:
    step = max(BLOCK, BLOCK_NUMBERS // len(table))
    for start in range(0, len(given), step):
        table[:, start : start + step] = given[start : start + step].T


def _compiled() -> Turn:
    from .fused_layout import LANES, turned
    from .threads import in_parts

    def turn(given: Floats, table: Floats, length: int) -> Seen:
        seen: list[tuple[float, float]] = []

        def work(first: int, after: int) -> None:
            seen.append(turned(given.ctypes.data, table.ctypes.data, *given.shape, first, after, length))

        in_parts(work, len(given), given.size, LANES)
        least, apart = zip(*seen, strict=True)
        return Seen(min(least), float(np.max(apart)))  # nan where one is

    return turn


_turned = Choice[Turn](_turned_by_numpy, _compiled, WORTH_LOADING, WORTH_LOADING, beside=f"{__package__}.fused_floats")


def is_batch_minor(values: Plain, core_axes: int) -> bool:
    """Whether the array is stored as :func:`batch_minor` stores it."""
    batch = values.ndim - core_axes
    return bool(values.transpose((*range(batch, values.ndim), *range(batch))).flags.c_contiguous)


def solve(matrix: Floats, right: Floats) -> Floats:
    size = matrix.shape[-1]
    eliminated = size <= ELIMINATION_LIMIT and _batch_size(matrix, right) >= BATCH_WORTH_ELIMINATING * size
    if eliminated:
        solution = _eliminate(matrix, right)
    else:
        try:
            solution = np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
            if solution.ndim > 2:
                solution = batch_minor(solution, 2)
        except np.linalg.LinAlgError:
            raise SingularError(f"the linear system is singular{_first_singular(matrix)}") from None
    sizes = abs(solution)
    most = sizes.max(initial=0)
    if not eliminated and sizes.min(initial=np.inf) < FAR_SMALLER * most:
        solution = _entry_by_entry(matrix, right, solution, sizes)
        most = abs(solution).max()
    if not np.isfinite(most):
        index = [int(i) for i in np.argwhere(~np.isfinite(solution))[0]]
        raise SingularError(
            f"the linear system is singular, or its data is not finite, at index {index} of the solution"
        )
    return solution


FAR_SMALLER = 0.01
"""LAPACK's error is in proportion to the largest entry of a solution; one that is so much smaller may have lost digits."""


def _entry_by_entry(matrix: Floats, right: Floats, solution: Floats, sizes: Floats) -> Floats:
    """The solution, whose entries have these sizes; of matrices with dominant rows, as ``I - γP_π``, with every entry's digits.

    LAPACK exchanges no rows of the transpose of such a matrix, and without exchanges nothing that is small meets what is large:
    the error is in proportion to ``|M⁻¹| |right|``, entry by entry.
    """
    batch = solution.shape[:-2]
    matrices = np.broadcast_to(matrix, batch + matrix.shape[-2:])
    lost = (sizes.min(-2) < FAR_SMALLER * sizes.max(-2)).any(-1)
    lost &= (2 * abs(np.diagonal(matrices, axis1=-2, axis2=-1)) >= abs(matrices).sum(-1)).all(-1)
    if lost.any():
        inverse = np.swapaxes(np.linalg.inv(np.swapaxes(matrices[lost], -1, -2)), -1, -2)
        solution[lost] = inverse @ np.broadcast_to(right, solution.shape)[lost]
    return solution


def _first_singular(matrices: Floats) -> str:
    """Where in a batch LAPACK finds the first singular matrix."""
    for index in np.ndindex(matrices.shape[:-2]) if matrices.ndim > 2 else ():
        try:
            np.linalg.inv(matrices[index])
        except np.linalg.LinAlgError:
            return f" at batch index {list(index)}"
    return ""


def _batch_size(matrix: Floats, right: Floats) -> int:
    one, two = matrix.shape[:-2], right.shape[:-2]
    return prod(one if one == two else np.broadcast_shapes(one, two))


def _eliminate(matrix: Floats, right: Floats) -> Floats:
    """Gaussian elimination without pivots, one arithmetic operation for the whole batch at a time."""
    size = matrix.shape[-1]
    batch = np.broadcast_shapes(matrix.shape[:-2], right.shape[:-2])
    left = np.array(np.broadcast_to(matrix, batch + matrix.shape[-2:]), order="K")
    solution = batch_minor(np.broadcast_to(right, batch + right.shape[-2:]), 2)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for row in range(1, size):
            for pivot in range(row):
                factor = (left[..., row, pivot] / left[..., pivot, pivot])[..., None]
                left[..., row, pivot + 1 :] -= factor * left[..., pivot, pivot + 1 :]
                solution[..., row, :] -= factor * solution[..., pivot, :]
        for row in reversed(range(size)):
            for column in range(row + 1, size):
                solution[..., row, :] -= left[..., row, column, None] * solution[..., column, :]
            solution[..., row, :] /= left[..., row, row, None]
    return solution


def pseudo_solve(matrix: Floats, right: Floats) -> tuple[Floats, Floats]:
    definite = _solve_definite(matrix, right)
    if definite is not None:
        return definite, np.zeros_like(definite)
    known = np.isfinite(matrix).all((-2, -1), keepdims=True)  # LAPACK makes zeros of what is none, or stops for all
    clean = np.where(known, matrix, 0.0)
    solution, remainder, regular = _solve_scaled(clean, right)
    if not regular.all():
        shortest, outside = _shortest_solution(clean, right)
        solution, remainder = np.where(regular, solution, shortest), np.where(regular, remainder, outside)
    return np.where(known, solution, np.nan), np.where(known, remainder, np.nan)


def _solve_scaled(matrix: Floats, right: Floats) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """The same with every row and column in units of its own diagonal entry, and where that answers: all but rows of zeros count.

    Features of different sizes, and states that are hardly visited, are no rounding of one another.
    """
    diagonal = np.diagonal(matrix, axis1=-2, axis2=-1)
    empty = diagonal <= 0
    units = 1 / np.sqrt(np.where(empty, 1.0, diagonal))[..., None]
    inverse, vectors, seen = _spectral_inverse(matrix * units * np.swapaxes(units, -1, -2))
    regular = ((~seen).sum(-1) == empty.sum(-1))[..., None, None]
    with np.errstate(over="ignore", invalid="ignore"):
        coordinates = np.swapaxes(vectors, -1, -2) @ (units * right)
        solution = units * (vectors @ (inverse * coordinates))
    solution = np.where(empty[..., None], 0.0, solution)
    least = np.sqrt(matrix.shape[-1] * EPSILON) * np.abs(right).max((-2, -1), keepdims=True, initial=0)
    remainder = np.where(empty[..., None] & (np.abs(right) > least), right, 0.0)
    return solution, remainder, regular & np.isfinite(solution).all((-2, -1), keepdims=True)


def _shortest_solution(matrix: Floats, right: Floats) -> tuple[Floats, Floats]:
    """By eigenvalues, of which those within rounding of 0 count as 0."""
    inverse, vectors, seen = _spectral_inverse(matrix)
    rounding = matrix.shape[-1] * EPSILON
    coordinates = np.swapaxes(vectors, -1, -2) @ right
    outside = np.where(seen[..., None], 0.0, coordinates)
    scale = np.abs(coordinates).max((-2, -1), keepdims=True, initial=0)
    remainder = vectors @ np.where(np.abs(outside) > np.sqrt(rounding) * scale, outside, 0.0)
    return np.asarray(vectors @ (inverse * coordinates)), np.asarray(remainder)


def _spectral_inverse(matrix: Floats) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """``1/λ`` ``[..., n, 1]``, and 0 where ``λ`` is within rounding of 0; the eigenvectors, and which ``λ`` are not."""
    values, vectors = np.linalg.eigh(matrix)
    seen = values > matrix.shape[-1] * EPSILON * np.abs(values).max(-1, keepdims=True, initial=0)
    return np.where(seen, 1 / np.where(seen, values, 1.0), 0.0)[..., None], vectors, seen


def _solve_definite(matrix: Floats, right: Floats) -> Floats | None:
    """The solution of one well-conditioned system, whose Cholesky pivots stay clear of 0; None for any other."""
    if matrix.ndim > 2 or not matrix.size:
        return None
    from scipy.linalg import lapack  # heavy; factor and solution in one call

    columns = np.moveaxis(right, -2, 0) if right.ndim > 2 else right
    factor, solution, failed = lapack.dposv(matrix.T, columns.reshape(len(matrix), -1), lower=True)
    pivots = np.square(factor.diagonal())
    if failed or pivots.min() <= NEARLY_SINGULAR * pivots.max():
        return None
    return np.asarray(np.moveaxis(solution.reshape(columns.shape), 0, -2) if right.ndim > 2 else solution)


def contract(subscripts: str, *arrays: Floats) -> Floats:
    """``numpy.einsum``, but matrix products (and stacks of them) go to BLAS, which is 2 to 7 times as fast.

    An array with a batch becomes the right factor, so that the result is batch-minor again.
    """
    product = _matrix_product(subscripts, *map(_dimensions, arrays))
    if product is None:
        return np.asarray(_einsum(subscripts, *arrays))
    left, right = arrays[product.first], arrays[1 - product.first]
    if product.plain:
        return np.asarray(left @ right)
    left, right = left.transpose(product.left), right.transpose(product.right)
    rows, columns = left.shape[product.stacked : -1], right.shape[product.stacked + 1 :]
    flat = left.reshape((*left.shape[: product.stacked], prod(rows), left.shape[-1])) @ right.reshape(
        (*right.shape[: product.stacked + 1], prod(columns))
    )
    return flat.reshape(flat.shape[: product.stacked] + rows + columns).transpose(product.result)


_dimensions = attrgetter("ndim")
_einsum = getattr(np.einsum, "__wrapped__", np.einsum)
"""Without the question whether another library's arrays are among them, which takes as long as a small sum."""


class _Product(NamedTuple):
    """A contraction as ``[stack, rows, sum] @ [stack, sum, columns]``: the axes of either factor and of the result, in order."""

    first: int
    left: tuple[int, ...]
    right: tuple[int, ...]
    result: tuple[int, ...]
    stacked: int
    plain: bool
    """Whether it is the product of two matrices or vectors as they are."""


@cache
def _matrix_product(subscripts: str, *dimensions: int) -> _Product | None:
    """How a contraction of arrays with so many axes is a matrix product; None where it is none, or where both have a batch.

    One label is summed; others of both arrays are the stack, and what only one array has are its rows or columns.
    """
    inputs, _, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    batches = ["0123456789"[: n - len(term.replace("...", ""))] for n, term in zip(dimensions, terms, strict=True)]
    if len(terms) != 2 or all(batches):
        return None
    labels = [term.replace("...", batch) for term, batch in zip(terms, batches, strict=True)]
    first, batch = int(bool(batches[0])), max(batches)
    left, right, result = labels[first], labels[1 - first], output.replace("...", batch)
    stack = [label for label in left if label in right and label in result]
    summed = [label for label in left if label in right and label not in result]
    rows = [label for label in left if label not in right]
    columns = [label for label in right if label not in left + batch] + list(batch)
    found = stack + rows + columns
    diagonal = any(len(set(term)) != len(term) for term in labels)
    if diagonal or len(summed) != 1 or found == stack or sorted(found) != sorted(result):
        return None
    orders = (
        tuple(map(left.index, stack + rows + summed)),
        tuple(map(right.index, stack + summed + columns)),
        tuple(map(found.index, result)),
    )
    plain = not stack and all(len(order) < 3 and order == tuple(range(len(order))) for order in orders)
    return _Product(first, *orders, len(stack), plain)


def maxima(rows: Floats) -> Floats:
    """The largest entry of each row, ``[..., n]`` to ``[..., 1]``; of many short rows column by column: no row is a loop."""
    length = rows.shape[-1] if rows.ndim else 0
    if not 0 < length <= SHORT or rows.size < SHORT * SHORT * length or rows.strides[-1] != rows.itemsize:
        return np.asarray(rows.max(-1, keepdims=True))
    return reduce(np.maximum, [rows[..., k, None] for k in range(length)])


def complement(rows: Floats) -> Floats:
    """``1 - Σ x`` along the last axis, as if computed with twice the digits (Ogita, Rump and Oishi's Sum2)."""
    total, error = np.ones(rows.shape[:-1]), np.zeros(rows.shape[:-1])
    for k in range(rows.shape[-1]):
        after = total - rows[..., k]
        part = after - total
        error += (total - (after - part)) + (-rows[..., k] - part)
        total = after
    return np.asarray(total + error)


def log_ratio(left: Floats, right: Floats) -> Floats:
    """``log(p/q)`` where ``p > 0``, and 0 elsewhere; infinite where only ``q`` is 0, but for no other quotient."""
    there = left > 0
    above, below = np.where(there, left, 1.0), np.where(there, right, 1.0)
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        ratio = above / below
        by_quotient = (ratio > SMALLEST) & (ratio < 1 / SMALLEST)
        return np.asarray(np.where(by_quotient, np.log(ratio), np.log(above) - np.log(below)))


def log_excess(left: Floats, right: Floats) -> Floats:
    """``r - 1 - log r`` at ``r = q/p`` where ``p > 0``, and 0 elsewhere: never negative, and without cancellation near ``r = 1``.

    With ``t = r - 1`` and ``s = t/(2 + t)`` it is ``t s - 2(s³/3 + s⁵/5 + ···)``, since ``log r = 2 artanh s``.
    """
    there = left > 0
    below = np.where(there, left, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        change = np.where(there, right - left, 0.0) / below
        far = change + log_ratio(left, right)
        near = np.abs(change) <= NEAR_ONE
        small = np.where(near, change, 0.0)
        part = small / (2 + small)
        powers = sum(part ** (2 * k) / (2 * k + 1) for k in range(1, 12))
        return np.asarray(np.where(near, part * (small - 2 * powers), np.where(there, far, 0.0)))


def mended_divergence(found: Floats, left: Floats, right: Floats) -> Floats:
    """``Σ p log(p/q)`` as :func:`divergence` has it, where the sum ``found`` lost digits or is not finite."""
    mended = np.asarray(found)
    if not mended.size or (mended.min() > LARGE_ENOUGH and mended.max() < np.inf):  # most are
        return mended
    lost = ~((mended > LARGE_ENOUGH) & (mended < np.inf))
    left, right = np.broadcast_arrays(left, right)
    mended = mended.copy()
    mended[lost] = divergence(left[lost], right[lost])
    return mended


def divergence(left: Floats, right: Floats) -> Floats:
    """``Σ p log(p/q)`` over the last axis, with ``0 log 0 = 0``.

    Of rows that both sum to 1 it is ``Σ p (q/p - 1 - log(q/p))``, and what ``q`` plays where ``p`` does not: no term is negative.
    """
    left, right = np.broadcast_arrays(left, right)
    slack = max(SUMS_TO_ONE, (left.shape[-1] + 2) * EPSILON)
    both = (np.abs(left.sum(-1) - 1) <= slack) & (np.abs(right.sum(-1) - 1) <= slack)
    played = left > 0
    weights = np.where(played, left, 0.0)
    excess, ratio = log_excess(left, right), log_ratio(left, right)
    finite = np.isfinite(excess)
    terms = np.where(finite, weights * np.where(finite, excess, 0.0), (right - left) + weights * ratio)
    return np.asarray(np.where(both, np.where(played, terms, right).sum(-1), (weights * ratio).sum(-1)))


LARGE_ENOUGH = 1e-4
"""A divergence that is larger lost no more than four digits to cancellation."""
SMALLEST = 1e-300
"""Beyond this a quotient loses digits."""
NEAR_ONE = 0.25
"""How far from 1 the series of :func:`log_excess` is summed."""
SUMS_TO_ONE = 1e-12
"""By how much rows of probabilities may miss 1."""


def exp(values: Floats) -> Floats:
    return np.asarray(np.exp(values))


def log(values: Floats) -> Floats:
    return np.asarray(np.log(values))


def sqrt(values: Floats) -> Floats:
    return np.asarray(np.sqrt(values))


def infinity(where: str) -> float:
    return float("inf")


def compare(left: Floats, relation: str, right: Floats) -> Truth:
    return three_valued(_RELATIONS[relation](left, right))


def certainly_equal(left: Floats, right: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(left == right)


def support(values: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(values != 0)


def nonzero(values: Floats) -> Truth:
    return three_valued(values != 0)


def hull(left: Any, right: Any) -> Any:
    return left if left == right else float("nan")


def maximum(left: Floats, right: Floats) -> Floats:
    return np.asarray(np.maximum(left, right))


def argmax(values: Floats) -> npt.NDArray[np.intp]:
    return np.asarray(np.argmax(values, axis=-1))


def to_float(value: Any) -> float:
    return float(value)


def to_rational(values: Any) -> Plain:
    """Every float as the rational that it is, exactly."""
    from .rationals import rational

    values = np.asarray(values, dtype=np.float64)
    result = np.empty(values.shape, object)
    flat = result.reshape(-1)
    known: dict[float, Any] = {}
    for position, value in enumerate(values.ravel().tolist()):
        if value not in known:
            known[value] = rational(Fraction(value))
        flat[position] = known[value]
    return result
