"""Which arithmetic do these arrays have?

A quantity is written once, over arrays; the arrays decide the arithmetic:

========== ===================================== =======================================
system     elements                              what a result is
========== ===================================== =======================================
floats     ``float64``                           a rounded number: explores, never proves
rationals  ``flint.fmpq`` and :class:`FormalLog` the exact number
balls      ``flint.arb``                         an interval that contains the number
symbols    ``Quotient`` of polynomials           the number for *every* parameter at once
symbols    ``Quotient`` of degrees               a bound on the degree of that polynomial
enclosures midpoint and radius in ``float64``    an interval that contains the number; of one instance only
========== ===================================== =======================================

NumPy's object arrays already dispatch ``+ - * /``, ``sum`` and ``abs``.  Whatever needs to *look* at a number (solving,
comparing, choosing, logarithms) goes through the functions here, because an undecided comparison of two balls is
silently ``False`` in Python and would pick a side.
"""

from __future__ import annotations

import enum
import importlib
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache, reduce
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import GameError, MixedArithmeticError
from .sparse import is_sparse

Array = npt.NDArray[Any]
Truth = npt.NDArray[np.int8]
"""Three-valued truth, elementwise: 1 TRUE, 0 UNKNOWN, -1 FALSE.  AND is the minimum, OR the maximum, NOT the negative."""

TRUE, UNKNOWN, FALSE = np.int8(1), np.int8(0), np.int8(-1)


class System(enum.Enum):
    """A number system; the value is the name of the module that implements it."""

    FLOATS = "floats"
    RATIONALS = "rationals"
    BALLS = "balls"
    SYMBOLS = "symbols"
    ENCLOSURES = "enclosures"

    @property
    def exact(self) -> bool:
        """Whether equality can be decided in this system."""
        return self in (System.RATIONALS, System.SYMBOLS)


@cache
def system_of_type(kind: type) -> System | None:
    """The system that elements of ``kind`` belong to; None for integers, which are neutral.

    Types are recognised by name, so that asking does not import flint.
    """
    name, home = kind.__name__, kind.__module__
    if home.startswith("flint"):
        if name in ("fmpq", "fmpz"):
            return System.RATIONALS
        if name == "arb":
            return System.BALLS
    if issubclass(kind, (bool, int, np.integer, np.bool_)):
        return None
    if issubclass(kind, (float, np.floating)):
        return System.FLOATS
    declared = getattr(kind, "system", None)
    if isinstance(declared, System):
        return declared
    if issubclass(kind, (Fraction, Decimal)):
        raise MixedArithmeticError(
            f"{home}.{name} stands beside floats or numbers of another kind; write all of them as Fraction, or all as float"
        )
    raise MixedArithmeticError(
        f"{home}.{name} is not a number of any system here; use float64, flint.fmpq, flint.arb, or call .exact() / .balls()"
    )


def system_of(*arrays: Any) -> System:
    """The one number system of ``arrays``, read off their first elements (constructors have checked all the others)."""
    found: System | None = None
    for array in arrays:
        values = np.empty(1) if is_sparse(array) else np.asarray(array)
        if values.dtype.kind == "f":
            system: System | None = System.FLOATS
        elif values.dtype.kind in "iub" or values.size == 0:
            system = None
        elif values.dtype.kind == "O":
            system = next(filter(None, map(system_of_type, map(type, values.flat))), None)
        else:
            raise MixedArithmeticError(f"an array of dtype {values.dtype} holds no numbers that can be computed with")
        if system is not None and found is not None and system is not found:
            raise MixedArithmeticError(
                f"{found.value} and {system.value} meet in one formula; convert with .exact(), .balls() or .floats()"
            )
        found = found or system
    return found or System.FLOATS


def require_one_system(**arrays: Any) -> System:
    """The one number system of *every element* of the named arrays, or an error that names where another begins."""
    seen: dict[System, str] = {}
    for name, array in arrays.items():
        values = np.asarray(array)
        if values.dtype.kind == "f":
            seen.setdefault(System.FLOATS, name)
        elif values.dtype.kind == "O":
            for kind in sorted(set(map(type, values.ravel().tolist())), key=lambda kind: kind.__name__):
                try:
                    system = system_of_type(kind)
                except MixedArithmeticError as error:
                    where = _first_of_type(values, kind)
                    raise GameError(f"{name}{where}: {error}") from None
                if system is not None:
                    where = _first_of_type(values, kind)
                    seen.setdefault(system, f"{name}{where}")
        elif values.dtype.kind not in "iub":
            raise GameError(f"{name} has dtype {values.dtype}, which holds no numbers")
    if len(seen) > 1:
        places = ", ".join(f"{place} is in {system.value}" for system, place in seen.items())
        raise GameError(f"mixed number systems: {places}; convert with .exact(), .balls() or .floats()")
    return next(iter(seen), System.FLOATS)


def _first_of_type(values: Array, kind: type) -> str:
    """``[i, j]`` of the first element of this type."""
    for index in np.ndindex(values.shape):
        if type(values[index]) is kind:
            return str(list(index)) if index else ""
    return ""


def backend(*arrays: Any) -> ModuleType:
    """The module that implements the arithmetic of these arrays."""
    return module_of(system_of(*arrays))


@cache
def module_of(system: System) -> ModuleType:
    """The module that implements ``system``; imported when first needed, because flint is heavy."""
    return importlib.import_module(f"{__package__}.{system.value}")


def constant(value: int | Fraction, reference: Any) -> Any:
    """One exact constant in the number system of ``reference`` (an array, or a system)."""
    system = reference if isinstance(reference, System) else system_of(reference)
    return module_of(system).constant(value)


def like(values: Any, reference: Any) -> Array:
    """An array of integers or Fractions in the number system of ``reference``: the only way constants enter a formula."""
    system = reference if isinstance(reference, System) else system_of(reference)
    if system is System.FLOATS:
        return _float_scalar(values) if isinstance(values, int) else np.asarray(values).astype(np.float64)
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
def _float_scalar(value: int) -> Array:
    """The constants that formulas use most, made once and read-only."""
    result = np.asarray(float(value))
    result.setflags(write=False)
    return result


def certainly_equal(left: Any, right: Any) -> npt.NDArray[np.bool_]:
    """Where two entries are certainly the same number.  For balls: equal exact points, or the same object."""
    left, right = np.broadcast_arrays(left, right)
    return backend(left, right).certainly_equal(left, right)  # type: ignore[no-any-return]


def identity(size: int, reference: Any) -> Array:
    """The identity matrix ``[size, size]`` in the number system of ``reference``, read-only."""
    return _identity(size, reference if isinstance(reference, System) else system_of(reference))


@lru_cache(maxsize=16)
def _identity(size: int, system: System) -> Array:
    result = like(np.eye(size, dtype=np.int8), system)
    result.setflags(write=False)
    return result


def lift(scalar: Any, axes: int) -> Array:
    """A scalar per batch element, shaped to meet an array with ``axes`` core axes: ``[...]`` to ``[..., 1, 1]``."""
    values = np.asarray(scalar)
    return values.reshape(values.shape + (1,) * axes)


def elementwise(function: Callable[..., Any], *arrays: Any) -> Array:
    """Apply a Python function to every element of object arrays; the result is always an array."""
    return np.asarray(np.frompyfunc(function, len(arrays), 1)(*arrays), dtype=object)


def truth_of(condition: Any) -> Truth:
    """A two-valued condition as three-valued truth."""
    return np.where(np.asarray(condition, dtype=bool), TRUE, FALSE).astype(np.int8)


def both(*truths: Any) -> Truth:
    """Three-valued AND."""
    return np.asarray(reduce(np.minimum, truths), dtype=np.int8)


def either(*truths: Any) -> Truth:
    """Three-valued OR."""
    return np.asarray(reduce(np.maximum, truths), dtype=np.int8)


# --- linear algebra -------------------------------------------------------------------------------------------------


def solve(matrix: Array, right: Array) -> Array:
    """``X`` with ``matrix @ X = right``, batched: ``[..., n, n]``, ``[..., n, k]`` to ``[..., n, k]``.

    ``matrix`` is weakly diagonally dominant by rows or by columns, as ``I - γP_π`` and its transpose are, or symmetric
    positive definite, as a Gram matrix is, so elimination needs no pivoting.  Raises :class:`SingularError` where it is
    singular, :class:`UndecidedError` where a ball cannot tell.
    """
    return backend(matrix, right).solve(matrix, right)  # type: ignore[no-any-return]


def pseudo_solve(matrix: Array, right: Array) -> tuple[Array, Array]:
    """``X = M⁺ R`` and what of ``R`` lies outside the range of ``M``, for symmetric positive semidefinite ``M``, batched.

    ``X`` is the shortest least-squares solution; the remainder ``R - M X`` is ``R`` projected on the null space, so the system
    is consistent where it is 0; elsewhere ``½xᵀMx - rᵀx`` decreases without bound along the remainder.

    Rationals decide the rank exactly.  Floats count eigenvalues within rounding of 0 as 0, and return a remainder within
    rounding of 0 as exactly 0.  Balls and symbols cannot tell a rank, so there ``M`` must be invertible, as in :func:`solve`.
    """
    return backend(matrix, right).pseudo_solve(matrix, right)  # type: ignore[no-any-return]


def contract(subscripts: str, *arrays: Array) -> Array:
    """``numpy.einsum`` in every number system; float results keep the memory layout of the batch.

    Labels are lower-case letters; ``...`` stands for the batch.
    """
    if system_of(*arrays) is System.FLOATS:
        return module_of(System.FLOATS).contract(subscripts, *arrays)  # type: ignore[no-any-return]
    return np.asarray(np.einsum(subscripts, *arrays))


# --- elementary functions -------------------------------------------------------------------------------------------


def exp(values: Any) -> Array:
    """The exponential.  On rationals it inverts formal logarithms and refuses everything else by name."""
    return backend(values).exp(np.asarray(values))  # type: ignore[no-any-return]


def log(values: Any) -> Array:
    """The natural logarithm of positive numbers; on rationals and symbols a formal, exact one."""
    return backend(values).log(np.asarray(values))  # type: ignore[no-any-return]


def sqrt(values: Any) -> Array:
    """The square root of non-negative numbers; on rationals only of perfect squares."""
    return backend(values).sqrt(np.asarray(values))  # type: ignore[no-any-return]


def square(values: Any) -> Array:
    """``x·x``; never ``x**2``, which is nan on a ball that contains 0."""
    values = np.asarray(values)
    return np.asarray(values * values)


def xlogy(factor: Any, values: Any) -> Array:
    """``factor · log values`` with ``0 · log 0 = 0``.  A positive factor needs a positive value."""
    system_of(factor, values)
    factor, values = np.broadcast_arrays(factor, values)
    where = support(factor)
    safe = select(where, values, like(1, values))
    return select(where, factor * log(safe), like(0, factor))


def divide(numerator: Any, denominator: Any) -> Array:
    """``numerator / denominator`` with ``0/0 := 0``, as in density ratios.

    ``x/0`` is infinite on floats and balls, an error on rationals, which have no infinity.
    """
    system_of(numerator, denominator)
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    defined = support(denominator)
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


def tilt(weights: Any, exponents: Any) -> Array:
    """``weights·exp(exponents) / Σ weights·exp(exponents)`` over the last axis: Gibbs' distribution, and softmax.

    Floats are shifted by the largest exponent of the support first, which changes nothing but the overflow.
    """
    weights, exponents = np.asarray(weights), np.asarray(exponents)
    if system_of(weights, exponents) is System.FLOATS:
        exponents = exponents.astype(np.float64, copy=False)  # unsigned integers would wrap around
        positive = weights > 0
        if positive.all():
            exponents = exponents - exponents.max(-1, keepdims=True)
        else:
            hidden = np.where(positive, 0.0, -np.inf)
            exponents = np.minimum(exponents - (exponents + hidden).max(-1, keepdims=True), 0.0)
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
    return backend(left, right).compare(left, relation, right)  # type: ignore[no-any-return]


def support(values: Any) -> npt.NDArray[np.bool_]:
    """The mask of non-zero entries, by the zero *pattern*: a ball that merely contains 0 raises UndecidedError."""
    return backend(values).support(np.asarray(values))  # type: ignore[no-any-return]


def select(mask: npt.NDArray[np.bool_], if_true: Any, if_false: Any) -> Array:
    """``numpy.where`` on a two-valued mask: choosing by a *pattern* is sound in every system."""
    return np.asarray(np.where(mask, if_true, if_false))


def maximum(left: Any, right: Any) -> Array:
    """The larger of two numbers; on balls an enclosure of it."""
    return backend(left, right).maximum(np.asarray(left), np.asarray(right))  # type: ignore[no-any-return]


def minimum(left: Any, right: Any) -> Array:
    """The smaller of two numbers; on balls an enclosure of it."""
    return np.asarray(-maximum(-np.asarray(left), -np.asarray(right)))


def largest(values: Any, axis: int | tuple[int, ...] = -1) -> Array:
    """The maximum along ``axis`` (one or several); on balls an enclosure of it."""
    values = np.asarray(values)
    axes = (axis,) if isinstance(axis, int) else axis
    axes = tuple(sorted(a % values.ndim for a in axes)) if axes else ()
    if not axes:
        return np.asarray(values)
    if values.dtype.kind != "O":
        return np.asarray(values.max(axis=axes))
    moved = np.moveaxis(values, axes, range(len(axes)))
    flat = moved.reshape((-1,) + moved.shape[len(axes) :])
    best = flat[0]
    for entry in flat[1:]:
        best = maximum(best, entry)
    return np.asarray(best)


def smallest(values: Any, axis: int | tuple[int, ...] = -1) -> Array:
    """The minimum along ``axis``; on balls an enclosure of it."""
    return np.asarray(-largest(-np.asarray(values), axis))


def argmax(values: Any) -> npt.NDArray[np.intp]:
    """The first index of the largest entry along the last axis; undecided balls raise :class:`UndecidedError`."""
    values = np.asarray(values)
    if not values.ndim or not values.shape[-1]:
        raise GameError(f"argmax of an array of shape {values.shape}: its last axis must have an entry")
    return backend(values).argmax(values)  # type: ignore[no-any-return]


def absolute(values: Any) -> Array:
    """``|x|``; on formal logarithms decided by enclosures of growing precision."""
    return np.asarray(np.abs(np.asarray(values)))


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
