"""Functions of plain arrays in every number system: each asks :mod:`.system` what the elements are, and the system's module.

Whatever needs to *look* at a number goes through these, because an undecided comparison of two balls is silently ``False`` in
Python and would pick a side.  :mod:`.functions` offers them for the numbers of one instance as well.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache, lru_cache, reduce
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from numpy.lib.array_utils import normalize_axis_tuple

from ..errors import GameError
from . import floats
from .explained import helper
from .sparse import SparseSystem, is_sparse
from .sparse import contract as contract_sparse
from .system import FLOATS, Plain, System, Truth, are_floats, system_of, three_valued


class Elements(Protocol):
    """What a system whose numbers are the elements of one array implements, as functions of its module.

    Arrays broadcast, and leading axes are a batch.  The laws are those of :class:`.protocol.Arithmetic`.
    """

    def constant(self, value: int | Fraction, /) -> Any:
        """One exact number."""

    def infinity(self, where: str, /) -> Any:
        """What ``x/0`` is, for ``x`` other than 0; an error that names ``where`` if the system has no such number."""

    def solve(self, matrix: Plain, right: Plain, /) -> Plain:
        """``X`` with ``M X = R``: :func:`solve`."""

    def pseudo_solve(self, matrix: Plain, right: Plain, /) -> tuple[Plain, Plain]:
        """``M⁺R`` and ``R - MM⁺R``: :func:`pseudo_solve`."""

    def exp(self, values: Plain, /) -> Plain:
        """``exp x``"""

    def log(self, values: Plain, /) -> Plain:
        """``log x`` of positive numbers."""

    def sqrt(self, values: Plain, /) -> Plain:
        """``√x`` of numbers that are not negative."""

    def maximum(self, left: Plain, right: Plain, /) -> Plain:
        """The larger of two numbers, enclosed where it is undecided which."""

    def argmax(self, values: Plain, /) -> npt.NDArray[np.intp]:
        """The first index of the largest entry along the last axis."""

    def compare(self, left: Plain, relation: str, right: Plain, /) -> Truth:
        """Three-valued ``=``, ``≤`` or ``<``."""

    def certainly_equal(self, left: Plain, right: Plain, /) -> npt.NDArray[np.bool_]:
        """Where two entries are one number beyond doubt."""

    def support(self, values: Plain, /) -> npt.NDArray[np.bool_]:
        """Where a number is not 0; :class:`~mappo_verify.errors.UndecidedError` where that is open."""

    def nonzero(self, values: Plain, /) -> Truth:
        """The same, three-valued."""

    def hull(self, left: Any, right: Any, /) -> Any:
        """One number that contains both."""

    def to_float(self, value: Any, /) -> float:
        """The nearest float."""


def backend(*arrays: Any) -> Elements:
    """The module that implements the arithmetic of these arrays."""
    return floats if are_floats(arrays) else module_of(system_of(*arrays))


@helper
def module_of(system: System) -> Elements:
    """The module that implements ``system``."""
    return floats if system is System.FLOATS else _module_of(system)


@cache
def _module_of(system: System) -> Elements:
    """Imported when first needed, because flint is heavy."""
    if system is System.RATIONALS:
        from . import rationals

        return rationals
    if system is System.BALLS:
        from . import balls

        return balls
    from . import symbols

    return symbols


def constant(value: int | Fraction, reference: Any) -> Any:
    """One exact constant in the number system of ``reference`` (an array, or a system)."""
    system = reference if isinstance(reference, System) else system_of(reference)
    return module_of(system).constant(value)


def like(values: Any, reference: Any) -> Plain:
    """An array of integers or Fractions in the number system of ``reference``: the only way constants enter a formula."""
    system = reference if type(reference) is System else system_of(reference)
    if system is FLOATS:
        return _float_scalar(values) if isinstance(values, int) else np.array(values, dtype=np.float64)
    source = np.asarray(values)
    convert: Callable[[Any], Any] = module_of(system).constant
    known: dict[Any, Any] = {}
    result = np.empty(source.shape, object)
    flat = result.reshape(-1)
    for position, value in enumerate(source.ravel().tolist()):
        if value not in known:
            known[value] = convert(value)
        flat[position] = known[value]
    return result


@lru_cache(maxsize=64)
def _float_scalar(value: int) -> Plain:
    """The constants that formulas use most, made once and read-only."""
    result = np.asarray(float(value))
    result.setflags(write=False)
    return result


def certainly_equal(left: Any, right: Any) -> npt.NDArray[np.bool_]:
    """Where two entries are certainly the same number.  For balls: equal exact points, or the same object."""
    left, right = np.broadcast_arrays(left, right)
    return backend(left, right).certainly_equal(left, right)


def identity(size: int, reference: Any) -> Plain:
    """The identity matrix ``[size, size]`` in the number system of ``reference``, read-only."""
    return _identity(size, reference if type(reference) is System else system_of(reference))


@lru_cache(maxsize=16)
def _identity(size: int, system: System) -> Plain:
    result = like(np.eye(size, dtype=np.int8), system)
    result.setflags(write=False)
    return result


def truth_of(condition: Any) -> Truth:
    """A two-valued condition as three-valued truth."""
    return three_valued(np.asarray(condition, dtype=bool))


def plain_truth(truth: Any) -> Truth:
    """Three-valued truth; a Boolean mask is TRUE or FALSE, and never UNKNOWN."""
    values = np.asarray(truth)
    if values.dtype.kind == "b":
        return three_valued(values)
    if values.dtype.kind != "i":
        raise TypeError(f"an array of {values.dtype} is no truth: that is a Boolean mask, or TRUE, UNKNOWN and FALSE")
    return values


def first_of(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The first entry that holds along the last axis, and no other."""
    return np.asarray(mask & (mask.cumsum(-1) == 1))


def both(*truths: Any) -> Truth:
    """Three-valued AND."""
    return np.asarray(reduce(np.minimum, map(plain_truth, truths)), dtype=np.int8)


def either(*truths: Any) -> Truth:
    """Three-valued OR."""
    return np.asarray(reduce(np.maximum, map(plain_truth, truths)), dtype=np.int8)


# --- linear algebra -------------------------------------------------------------------------------------------------


def solve(matrix: Plain, right: Plain) -> Plain:
    """``X`` with ``matrix @ X = right``, batched: ``[..., n, n]``, ``[..., n, k]`` to ``[..., n, k]``.

    ``matrix`` is weakly diagonally dominant by rows or by columns, as ``I - γP_π`` and its transpose are, or symmetric
    positive definite, as a Gram matrix is, so elimination needs no pivoting.  Raises :class:`SingularError` where it is
    singular, :class:`UndecidedError` where a ball cannot tell.
    """
    if isinstance(matrix, SparseSystem):
        return matrix.solve(right)
    _require_square(matrix, right)
    return backend(matrix, right).solve(matrix, right)


def _require_square(matrix: Plain, right: Plain) -> None:
    if matrix.ndim < 2 or right.ndim < 2 or not matrix.shape[-2] == matrix.shape[-1] == right.shape[-2]:
        raise GameError(
            f"a linear system has a matrix [..., n, n] and right-hand sides [..., n, k], not {matrix.shape} and {right.shape}"
        )


def pseudo_solve(matrix: Plain, right: Plain) -> tuple[Plain, Plain]:
    """``X = M⁺ R`` and what of ``R`` lies outside the range of ``M``, for symmetric positive semidefinite ``M``, batched.

    ``X`` is the shortest least-squares solution; the remainder ``R - M X`` is ``R`` projected on the null space, so the system
    is consistent where it is 0; elsewhere ``½xᵀMx - rᵀx`` decreases without bound along the remainder.

    Rationals decide the rank exactly.  Floats count eigenvalues within rounding of 0 as 0, unless the matrix is regular once its
    rows and columns are of one size, and return a remainder within rounding of 0 as exactly 0.  Balls and symbols cannot tell a
    rank, so there ``M`` must be invertible, as in :func:`solve`.
    """
    _require_square(matrix, right)
    return backend(matrix, right).pseudo_solve(matrix, right)


def contract(subscripts: str, *arrays: Plain) -> Plain:
    """``numpy.einsum`` in every number system; float results keep the memory layout of the batch.

    Labels are lower-case letters; ``...`` stands for the batch.
    """
    if are_floats(arrays):
        return floats.contract(subscripts, *arrays)
    if any(map(is_sparse, arrays)):
        return contract_sparse(subscripts, *arrays)  # type: ignore[no-any-return]
    if system_of(*arrays) is System.FLOATS:
        return floats.contract(subscripts, *arrays)
    return np.asarray(np.einsum(subscripts, *arrays))


# --- elementary functions -------------------------------------------------------------------------------------------


def exp(values: Any) -> Plain:
    """The exponential.  On rationals it inverts formal logarithms and refuses everything else by name."""
    return backend(values).exp(np.asarray(values))


def log(values: Any) -> Plain:
    """The natural logarithm of positive numbers; on rationals and symbols a formal, exact one."""
    return backend(values).log(np.asarray(values))


def sqrt(values: Any) -> Plain:
    """The square root of non-negative numbers; on rationals only of perfect squares."""
    return backend(values).sqrt(np.asarray(values))


def square(values: Any) -> Plain:
    """``x·x``; never ``x**2``, which is nan on a ball that contains 0."""
    values = np.asarray(values)
    product: Plain = values * values
    return product


def xlogy(factor: Any, values: Any) -> Plain:
    """``factor · log values`` with ``0 · log 0 = 0``.  A positive factor needs a positive value."""
    system_of(factor, values)
    factor, values = np.broadcast_arrays(factor, values)
    where = support(factor)
    if floats.holds_everywhere(where):
        return np.asarray(factor * log(values))
    safe = select(where, values, like(1, values))
    return select(where, factor * log(safe), like(0, factor))


def divide(numerator: Any, denominator: Any) -> Plain:
    """``numerator / denominator`` with ``0/0 := 0``, as in density ratios.

    ``x/0`` is infinite on floats and balls, an error on rationals, which have no infinity.
    """
    system_of(numerator, denominator)
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    defined = support(denominator)
    if floats.holds_everywhere(defined):
        return np.asarray(numerator / denominator)
    safe = select(defined, denominator, like(1, denominator))
    ratio = select(defined, numerator / safe, like(0, numerator))
    infinite = ~defined & support(numerator)
    if infinite.any():
        endless = backend(numerator).infinity(_name_index(infinite))
        upwards = compare(numerator, ">", like(0, numerator)) > 0
        ratio = select(~infinite, ratio, select(upwards, np.asarray(endless), np.asarray(-endless)))
    return ratio


def _name_index(mask: npt.NDArray[np.bool_]) -> str:
    return str([int(i) for i in np.argwhere(mask)[0]])


def tilt(weights: Any, exponents: Any) -> Plain:
    """``weights·exp(exponents) / Σ weights·exp(exponents)`` over the last axis: Gibbs' distribution, and softmax.

    Floats are shifted by the largest exponent of the support first, which changes nothing but the overflow.
    """
    weights, exponents = np.asarray(weights), np.asarray(exponents)
    if system_of(weights, exponents) is System.FLOATS:
        exponents = exponents.astype(np.float64, copy=False)  # unsigned integers would wrap around
        with np.errstate(over="ignore"):  # to -inf, whose exponential is 0
            if weights.min(initial=1) > 0:
                exponents = exponents - floats.maxima(exponents)
            else:
                hidden = np.where(weights > 0, 0.0, -np.inf)
                exponents = np.minimum(exponents - floats.maxima(exponents + hidden), 0.0)
    tilted = weights * exp(exponents)
    return np.asarray(tilted / tilted.sum(-1, keepdims=True))


# --- looking at numbers ---------------------------------------------------------------------------------------------


def compare(left: Any, relation: str, right: Any) -> Truth:
    """Three-valued ``left relation right`` for a relation of ``=``, ``≤``, ``≥``, ``<``, ``>``, elementwise.

    Balls never certify an equality.  Floats compare their rounded values, which proves nothing.
    """
    left, right = np.asarray(left), np.asarray(right)
    if relation in ("≥", ">"):
        left, relation, right = right, {"≥": "≤", ">": "<"}[relation], left
    if relation not in ("=", "≤", "<"):
        raise ValueError(f"unknown relation {relation!r}; use one of = ≤ ≥ < >")
    return backend(left, right).compare(left, relation, right)


def support(values: Any) -> npt.NDArray[np.bool_]:
    """The mask of non-zero entries, by the zero *pattern*: a ball that merely contains 0 raises UndecidedError."""
    return backend(values).support(np.asarray(values))


def select(truth: Any, if_true: Any, if_false: Any) -> Plain:
    """``numpy.where`` on a mask, or where truth is certain: choosing by a *pattern* is sound in every system."""
    mask = np.asarray(truth)
    chosen: Plain = np.where(mask if mask.dtype.kind == "b" else mask > 0, if_true, if_false)
    return chosen


def maximum(left: Any, right: Any) -> Plain:
    """The larger of two numbers; on balls an enclosure of it."""
    return backend(left, right).maximum(np.asarray(left), np.asarray(right))


def minimum(left: Any, right: Any) -> Plain:
    """The smaller of two numbers; on balls an enclosure of it."""
    return np.asarray(-maximum(-np.asarray(left), -np.asarray(right)))


def largest(values: Any, axis: int | tuple[int, ...] = -1) -> Plain:
    """The maximum along ``axis`` (one or several); on balls an enclosure of it."""
    values = np.asarray(values)
    axes: Any = axis
    if not values.ndim or type(axis) not in (int, tuple) or values.dtype.kind == "O":  # NumPy's max asks for itself
        axes = tuple(sorted(normalize_axis_tuple(axis, values.ndim)))
    if axes == ():
        return np.asarray(values)
    if values.dtype.kind != "O":
        return np.asarray(values.max(axes))
    moved = np.moveaxis(values, axes, range(len(axes)))
    flat = moved.reshape((-1,) + moved.shape[len(axes) :])
    best = flat[0]
    for entry in flat[1:]:
        best = maximum(best, entry)
    return np.asarray(best)


def smallest(values: Any, axis: int | tuple[int, ...] = -1) -> Plain:
    """The minimum along ``axis``; on balls an enclosure of it."""
    return np.asarray(-largest(-np.asarray(values), axis))


@helper
def argmax(values: Any) -> npt.NDArray[np.intp]:
    """The first index of the largest entry along the last axis; undecided balls raise :class:`UndecidedError`."""
    values = np.asarray(values)
    if not values.ndim or not values.shape[-1]:
        raise GameError(f"argmax of an array of shape {values.shape}: its last axis must have an entry")
    return backend(values).argmax(values)


def at_largest(scores: Any, table: Any) -> Plain:
    """``table(j*)`` with ``j*`` the first index of the largest score: from ``[..., J]`` and ``[..., J, d]`` to ``[..., d]``."""
    chosen = argmax(scores)[..., None, None]
    return np.asarray(np.take_along_axis(np.asarray(table), chosen, axis=-2)[..., 0, :])


def absolute(values: Any) -> Plain:
    """``|x|``; on formal logarithms decided by enclosures of growing precision."""
    sizes: Plain = abs(np.asarray(values))
    return sizes


@helper
def floats_of(values: Any) -> npt.NDArray[np.float64]:
    """The nearest float64 of every entry: for display and for steering a search, never for a verdict."""
    values = np.asarray(values)
    if values.dtype.kind != "O":
        return np.asarray(values, dtype=np.float64)
    convert, known = backend(values).to_float, {}
    entries = (
        values.ravel().tolist()
    )  # the list keeps the entries alive, so no id() is used twice; the zeros of a large game are one object
    result = np.empty(len(entries))
    for position, entry in enumerate(entries):
        if id(entry) not in known:
            known[id(entry)] = convert(entry)
        result[position] = known[id(entry)]
    return result.reshape(values.shape)


@helper
def kind_of(array: Any) -> str:
    """The kind of the elements of a plain or sparse array, as NumPy's ``dtype.kind``: ``f`` floats, ``O`` objects, ..."""
    kind: str = array.dtype.kind
    return kind
