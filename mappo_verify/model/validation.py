"""What every constructor checks, and how it says so: the name of the array, the index, the value."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from ..arithmetic import Array, System, compare, constant, floats_of, is_hidden, like, require_one_system, system_of
from ..errors import GameError

T = TypeVar("T")

FLOAT_TOLERANCE = 1e-9
"""By how much a row of float probabilities may exceed 1 before it is refused."""
MAX_ENTRIES = 200_000_000
"""Entries of one array; anything beyond this is refused rather than left to exhaust the memory."""
ROUNDING = 1e-12
"""Within this of 1, the exact sum of a float row counts as a rounded 1."""


def array_of(value: Any, name: str) -> Array:
    """Any nested sequence of numbers as an array; integers become floats, Fractions become flint rationals.

    The numbers of one instance stay as they are.
    """
    if is_hidden((value,)):
        return value  # type: ignore[no-any-return]
    try:
        array = np.asarray(value)
    except ValueError:
        raise GameError(f"{name} is ragged: its rows differ in length") from None
    if array.dtype.kind in "iub":
        return array
    if array.dtype.kind == "f":
        return array.astype(np.float64, copy=False)
    if array.dtype.kind != "O":
        raise GameError(f"{name} has dtype {array.dtype}; it needs float64 or exact numbers")
    kinds = {type(entry).__name__ for entry in array.ravel().tolist()}
    if "list" in kinds or "tuple" in kinds or "ndarray" in kinds:
        raise GameError(f"{name} is ragged: its rows differ in length")
    if kinds <= {"float", "float64", "int"}:
        return array.astype(np.float64)
    whole = {"int", "fmpz", "int64"}
    if kinds <= {"Fraction", "fmpq", *whole} and kinds != {"fmpq"}:
        return in_system(array, System.RATIONALS)
    if "arb" in kinds and kinds <= {"arb", *whole}:
        return in_system(array, System.BALLS)
    return array


def _plain(kind: type) -> Callable[[Any], int | Fraction] | None:
    """How a number that joins any system becomes an int or a Fraction; None for numbers that have a system."""
    if kind is Fraction:
        return Fraction
    return int if kind is int or kind.__name__ in ("fmpz", "int64") else None


def in_system(array: Array, system: System) -> Array:
    """Integers and Fractions of an array as numbers of ``system``; what is one already stays."""
    if is_hidden((array,)):
        return array
    if system is System.FLOATS or array.dtype.kind != "O":
        return like(array, system) if array.dtype.kind in "iub" else array
    entries = array.ravel().tolist()
    convert = {kind: _plain(kind) for kind in set(map(type, entries))}
    if not any(convert.values()):
        return array
    result = np.empty(array.shape, object)
    flat = result.reshape(-1)
    for position, value in enumerate(entries):
        known = convert[type(value)]
        flat[position] = value if known is None else constant(known(value), system)
    return result


def arrays_of(**values: Any) -> tuple[System, dict[str, Array]]:
    """Named inputs as arrays of one number system; integers belong to all of them."""
    arrays = {name: array_of(value, name) for name, value in values.items()}
    for name, array in arrays.items():
        if array.size > MAX_ENTRIES:
            raise GameError(f"{name} has {array.size} entries, more than the limit of {MAX_ENTRIES}")
    system = require_one_system(**arrays)
    return system, {name: in_system(array, system) for name, array in arrays.items()}


def require_shape(name: str, array: Array, core: tuple[int, ...], wanted: str) -> None:
    """The last axes of ``array`` are ``core``."""
    if array.ndim < len(core) or array.shape[array.ndim - len(core) :] != core:
        shape = ", ".join(["..."] + [str(n) for n in core])
        raise GameError(f"{name} has shape {array.shape}; it needs {wanted} = [{shape}]")


def at(place: tuple[tuple[int, ...], Any]) -> str:
    """``[i, j] = value``, for messages."""
    index, value = place
    return (str([int(i) for i in index]) if index else "") + f" = {value}"


def first(mask: Array, array: Array) -> tuple[tuple[int, ...], Any]:
    """The first index at which ``mask`` is true, and the value there."""
    index = tuple(int(i) for i in np.argwhere(mask)[0])
    return index, array[index]


def _non_finite(array: Array) -> Array:
    if array.dtype.kind == "f":
        return ~np.isfinite(array)
    if system_of(array) is System.BALLS:
        return np.asarray(np.frompyfunc(lambda x: not x.is_finite(), 1, 1)(array), dtype=bool)
    return np.zeros(array.shape, bool)


def require_finite(name: str, array: Array) -> None:
    """No nan and no infinity; the numbers of one instance were checked when they were made."""
    if is_hidden((array,)):
        return
    with np.errstate(over="ignore", invalid="ignore"):
        if array.dtype.kind == "f" and np.isfinite(array.sum()):
            return  # a sum is finite only where every entry is
    bad = _non_finite(array)
    if bad.any():
        raise GameError(f"{name}{at(first(bad, array))} is not finite")


def require_subprobability(name: str, array: Array, full: bool = False) -> Array:
    """Rows along the last axis are non-negative and sum to at most 1 (to 1, if ``full``); returns the sums.

    A ball is refused only where it *certainly* breaks this.
    """
    if array.dtype.kind == "f" and array.size and array.min() >= 0:  # two passes; nan and ∞ fail both comparisons
        mass = np.asarray(array.sum(-1))
        if mass.max() <= 1 + FLOAT_TOLERANCE and (not full or mass.min() >= 1 - FLOAT_TOLERANCE):
            return mass
    require_finite(name, array)
    negative = compare(array, "<", like(0, array)) > 0
    if negative.any():
        raise GameError(f"{name}{at(first(negative, array))} is negative")
    sums = np.asarray(array.sum(-1))
    slack = FLOAT_TOLERANCE if array.dtype.kind == "f" else 0
    over = compare(sums, ">", like(1, array) + slack) > 0
    if over.any():
        index, value = first(over, sums)
        raise GameError(f"{name}{list(index) if index else ''} sums to {value}, which is more than 1")
    if full:
        under = compare(sums, "<", like(1, array) - slack) > 0
        if under.any():
            index, value = first(under, sums)
            raise GameError(f"{name}{list(index) if index else ''} sums to {value}, not 1")
    return sums


def require_positive(name: str, value: Any) -> None:
    """A finite number, or a batch of them, above 0; else :class:`GameError`."""
    values = floats_of(array_of(value, name))
    bad = ~np.isfinite(values) | (compare(values, "≤", 0) > 0)
    if bad.any():
        raise GameError(f"{name} = {values[bad].flat[0]:g} is not a positive, finite number")


def require_count(name: str, count: Any, most: int | None = None) -> None:
    """An integer of at least 1, and of at most ``most`` where that is given; else :class:`GameError`."""
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or compare(count, "<", 1) > 0:
        raise GameError(f"{name} = {count!r} is not an integer of at least 1")
    if most is not None and count > most:
        raise GameError(f"{name} = {count} is more than the limit of {most}")


def require_seed(seed: Any) -> None:
    """What NumPy's generators begin with: an integer of at least 0; else :class:`GameError`."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise GameError(f"seed = {seed!r} is not an integer of at least 0")


def freeze(array: Array, core_axes: int, system: System) -> Array:
    """A read-only copy; floats with a batch are stored batch-minor, which makes every formula run along the batch."""
    if system is System.FLOATS:
        from ..arithmetic.floats import batch_minor

        copy = batch_minor(array, core_axes)
    else:
        copy = array.copy()
    copy.setflags(write=False)
    return copy


def unchecked(kind: type[T], **fields: Any) -> T:
    """A frozen object whose data is formal (symbols, or random points that are no probabilities), so nothing is checked."""
    result = object.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(result, name, value)
    return result
