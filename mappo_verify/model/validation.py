"""What every constructor checks, and how it says so: the name of the array, the index, the value."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ..arithmetic import (
    Array,
    System,
    compare,
    constant,
    every,
    floats_of,
    is_hidden,
    kind_of,
    like,
    require_one_system,
    system_of,
)
from ..arithmetic.explained import shown
from ..arithmetic.floats import AT_ONCE, Seen, batch_minor, holds_everywhere, is_batch_minor, rows_go_on
from ..arithmetic.floats import laid_out as laid_out_floats
from ..arithmetic.functions import not_refuted, true_everywhere
from ..arithmetic.numbers import bare
from ..arithmetic.one_instance import OneInstance, is_formal
from ..errors import GameError

T = TypeVar("T")

FLOAT_TOLERANCE = 1e-9
"""By how much floats that were computed may miss a bound in the hypotheses of claims."""
MAX_ENTRIES = 200_000_000
"""Entries of one array; anything beyond this is refused rather than left to exhaust the memory."""
ROUNDING = 1e-12
"""Within this of 1, the sum of a float64 row counts as a rounded 1; for shorter floats see :func:`rounding_of`."""
EPSILON = float(np.finfo(np.float64).eps)
CLEARLY_LESS = 5e-7
"""A row that misses 1 by so much loses mass on purpose; in between it is refused, unless ``ends`` says what it is."""
MAX_NAME = 200
MAX_EXPONENT = 10_000
"""Of a Decimal: more digits than that would take memory, and time, before anything is computed."""

logger = logging.getLogger("mappo_verify")


def array_of(value: Any, name: str) -> Array:
    """Any nested sequence of numbers as an array; Fractions and Decimals become flint rationals, integers join any system.

    Whatever offers ``__array__`` or ``__dlpack__`` is accepted.  The numbers of one instance stay as they are.
    """
    if isinstance(value, OneInstance):
        return value  # type: ignore[return-value]
    array = plain_array(value, name)
    if array.dtype.kind in "iub":
        return array
    if array.dtype.kind == "f":
        floats = array.astype(np.float64, copy=False)
        if array.dtype.itemsize > floats.dtype.itemsize and (floats != array).any():
            raise GameError(f"{name} has numbers of {array.dtype} that are no float64; give exact ones, as Fractions")
        return floats
    if array.dtype.kind != "O":
        cure = "; read text by Fraction(text), exactly, or by float(text)" if array.dtype.kind in "US" else ""
        raise GameError(f"{name} has dtype {array.dtype}; it needs float64 or exact numbers{cure}")
    entries = array.ravel().tolist()
    kinds = set(map(type, entries))
    if any(issubclass(kind, np.ma.MaskedArray) for kind in kinds):
        raise GameError(f"{name} holds masked entries, whose masks would be lost; give numbers in their place")
    if any(issubclass(kind, (list, tuple, np.ndarray)) for kind in kinds):
        raise GameError(f"{name} is ragged: its rows differ in length")
    if kinds and all(issubclass(kind, WHOLE) or _is_float(kind) for kind in kinds) and any(map(_is_float, kinds)):
        return _as_floats(array, name)
    if Decimal in kinds:
        array = _without_decimals(array, name)
        kinds = {*kinds, Fraction} - {Decimal}
    names = {kind.__name__ for kind in kinds}
    if names <= {"Fraction", "fmpq", *(kind.__name__ for kind in kinds if issubclass(kind, WHOLE)), "fmpz"}:
        return (
            array
            if names <= {"fmpq"} or all(issubclass(k, WHOLE) for k in kinds)
            else in_system(array, System.RATIONALS)
        )
    if "arb" in names and all(kind.__name__ == "arb" or _plain(kind) for kind in kinds):
        return in_system(array, System.BALLS)
    return array


WHOLE = (int, np.integer, np.bool_)


def _is_float(kind: type) -> bool:
    return issubclass(kind, (float, np.floating))


def plain_array(value: Any, name: str) -> npt.NDArray[Any]:
    """Whatever NumPy reads as an array, by ``__array__`` or DLPack, of any dtype; masked arrays are refused."""
    if type(value) is np.ndarray:
        return value
    if isinstance(value, np.ma.MaskedArray):
        raise GameError(f"{name} is a masked array, whose mask would be lost; fill it in: {name}.filled(value)")
    if isinstance(value, (list, tuple)) and _holds_masked(value):
        raise GameError(f"{name} holds masked arrays, whose masks would be lost; fill them in: .filled(value)")
    try:
        if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
            return np.from_dlpack(value)
        array = np.asarray(value)
        if array.dtype.kind == "f" and isinstance(value, (list, tuple)) and (np.abs(array) >= 2.0**53).any():
            array = np.asarray(value, object)  # NumPy rounds integers of which some need 64 bits and others a sign
    except (ValueError, TypeError, RuntimeError, BufferError, AttributeError, LookupError) as error:
        if isinstance(error, ValueError) and "inhomogeneous" in str(error):
            raise GameError(f"{name} is ragged: its rows differ in length") from None
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        kind = f"{type(value).__module__}.{type(value).__name__}"
        raise GameError(f"{name}: NumPy cannot read this {kind} as an array: {reason}") from None
    return array


PLAIN = {float, int, bool, Fraction}
"""Most of what stands in lists."""


def _holds_masked(values: Iterable[Any]) -> bool:
    """Whether a masked array, or a masked entry of one, stands anywhere in nested lists."""
    kinds = set(map(type, values))
    if kinds <= PLAIN:
        return False
    if len(kinds) == 1 and kinds <= {list, tuple}:
        return any(map(_holds_masked, values))
    if any(issubclass(kind, np.ma.MaskedArray) for kind in kinds):
        return True
    return any(issubclass(kind, (list, tuple)) for kind in kinds) and any(
        _holds_masked(entry) for entry in values if isinstance(entry, (list, tuple))
    )


def _as_floats(array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    try:
        return array.astype(np.float64)
    except OverflowError:
        raise GameError(f"{name} has an integer beyond float64 among floats; give exact numbers only") from None


def _without_decimals(array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Decimals as the Fractions that they are."""
    result = array.copy()
    for index in np.ndindex(array.shape):
        value = array[index]
        if isinstance(value, Decimal):
            if not value.is_finite():
                raise GameError(f"{name}{at((index, value))} is not finite")
            if abs(value.adjusted()) > MAX_EXPONENT:
                raise GameError(f"{name}{at((index, value))} has more than {MAX_EXPONENT} digits")
            result[index] = Fraction(value)
    return result


def _plain(kind: type) -> Callable[[Any], int | Fraction] | None:
    """How a number that joins any system becomes an int or a Fraction; None for numbers that have a system."""
    if kind is Fraction:
        return Fraction
    return int if issubclass(kind, WHOLE) or kind.__name__ == "fmpz" else None


def in_system(array: Array, system: System, name: str = "an array") -> Array:
    """Integers and Fractions of an array as numbers of ``system``; what is one already stays."""
    if is_hidden((array,)):
        return array
    if kind_of(array) != "O":
        return like(array, system) if kind_of(array) in "iub" else array
    entries = array.ravel().tolist()
    convert = {kind: _plain(kind) for kind in set(map(type, entries))}
    if not any(convert.values()):
        return array
    if system is System.FLOATS:
        return _as_floats(np.asarray(array), name)
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
    return system, {name: in_system(array, system, name) for name, array in arrays.items()}


def require_shape(name: str, array: Array, core: tuple[int, ...], wanted: str) -> None:
    """The last axes of ``array`` are ``core``."""
    if array.ndim < len(core) or array.shape[array.ndim - len(core) :] != core:
        shape = ", ".join(["..."] + [str(n) for n in core])
        raise GameError(f"{name} has shape {array.shape}; it needs {wanted} = [{shape}]")


def require_batches_fit(**batches: tuple[int, ...]) -> None:
    """These batch axes broadcast; else :class:`GameError` that names them."""
    if len(set(batches.values())) > 1:  # the common case costs nothing
        try:
            np.broadcast_shapes(*batches.values())
        except ValueError:
            named = ", ".join(f"{name} {list(shape)}" for name, shape in batches.items())
            raise GameError(
                f"the batch axes do not fit: {named}; lengths must agree, or be 1 (one game for many policies has none)"
            ) from None


def at(place: tuple[tuple[int, ...], Any]) -> str:
    """``[i, j] = value``, for messages."""
    index, value = place
    return (str([int(i) for i in index]) if index else "") + f" = {value}"


def first(mask: Array, array: Array) -> tuple[tuple[int, ...], Any]:
    """The first index at which ``mask`` is true, and the value there."""
    index = tuple(int(i) for i in np.argwhere(mask)[0])
    return index, array[index]


def _non_finite(array: Array) -> Array:
    if kind_of(array) == "f":
        return ~np.isfinite(array)
    if system_of(array) is System.BALLS:
        return np.asarray(np.frompyfunc(lambda x: not x.is_finite(), 1, 1)(array), dtype=bool)
    return np.zeros(array.shape, bool)


def require_finite(name: str, array: Array, seen: Seen | None = None) -> None:
    """No nan and no infinity; the numbers of one instance were checked when they were made."""
    if not (isinstance(array, OneInstance) or (seen is not None and seen.finite) or all_finite(array)):
        raise GameError(f"{name}{at(first(_non_finite(array), array))} is not finite")


def all_finite(array: Array) -> bool:
    """Whether a plain array has no nan and no infinity."""
    if kind_of(array) == "f":
        if array.size <= AT_ONCE:
            return holds_everywhere(np.isfinite(array))
        return isfinite(array.min()) and isfinite(array.max())  # takes no memory
    return not _non_finite(array).any()


def rounding_of(given: Any, length: int) -> float:
    """By how much a row of so many probabilities may miss 1 by rounding, in the floats that it came in.

    At least :data:`ROUNDING`; for float32 and float16 a unit in the last place of 1 for each entry, and two more.
    """
    dtype = getattr(given, "dtype", None)
    if not isinstance(dtype, np.dtype):
        dtype = plain_array(given, "the array").dtype
    short = dtype.kind == "f" and dtype.itemsize < 8
    return max(ROUNDING, (length + 2) * (float(np.finfo(dtype).eps) if short else EPSILON))


def probabilities(
    name: str,
    array: Array,
    rounding: float = ROUNDING,
    full: bool = False,
    ends: Array | None = None,
    seen: Seen | None = None,
) -> Array:
    """Rows along the last axis that are non-negative and sum to at most 1 (to 1, if ``full``); the one rule for all of them.

    Floats that miss 1 by at most ``rounding`` sum to 1.  Those of float32 and float16 are divided by their sum, in float64.
    A row ends clearly if it misses 1 by :data:`CLEARLY_LESS` and a thousand times its rounding (a tenth at most), or where
    ``ends`` (three-valued, without the last axis) says so.  In between it is refused.  A ball is refused only where it
    *certainly* breaks this.  What was ``seen`` of the floats is not looked for again.
    """
    if kind_of(array) != "f":
        _require_chances(name, array)
        _require_exact(name, array, full)
        return array
    if ends is None and rounding <= rounding_of(array, array.shape[-1]) and certainly_go_on(array, rounding, seen):
        return array
    _require_chances(name, array)
    sums = np.asarray(array.sum(-1))
    goes_on = going_on(name, sums, rounding, full, ends)
    if ends is None and not full:
        _require_not_shortened(name, array, sums, goes_on)
    if rounding > rounding_of(array, array.shape[-1]):  # shorter floats came in
        rows = goes_on if ends is None else goes_on & ~(ends > 0)
        logger.info("%s: %d rows that sum to 1 up to rounding were divided by their sums", name, int(rows.sum()))
        return np.asarray(array / np.where(rows, sums, 1.0)[..., None])
    return array


def certainly_go_on(array: Array, rounding: float, seen: Seen | None = None) -> bool:
    """Whether this is an array of floats, none negative, whose rows all sum to 1 up to ``rounding``."""
    if kind_of(array) != "f":
        return False
    return seen.go_on(rounding) if seen else rows_go_on(np.asarray(array), rounding)


def _require_chances(name: str, array: Array) -> None:
    """Finite numbers that are not negative."""
    require_finite(name, array)
    negative = compare(array, "<", like(0, array)) > 0
    if negative.any():
        raise GameError(
            f"{name}{at(first(negative, array))} is negative; a probability cannot be: set rounding below 0 to 0 and divide "
            "each row by its sum"
        )


def going_on(
    name: str, sums: Array, rounding: float, full: bool = False, ends: Array | None = None
) -> npt.NDArray[np.bool_]:
    """Which rows of floats sum to 1 up to rounding; what neither does nor clearly ends is refused (:func:`probabilities`)."""
    goes_on = np.asarray(np.abs(1 - sums) <= rounding)
    clear = min(max(CLEARLY_LESS, 1_000 * rounding), 0.1)
    wrong = (
        ~goes_on & ((sums > 1) | full | (sums > 1 - clear)) if ends is None else ~goes_on & ((sums > 1) | ~(ends > 0))
    )
    if wrong.any():
        index, value = first(wrong, sums)
        raise GameError(f"{name}{list(index) if index else ''} sums to {value}{_row_cure(value, clear, full, ends)}")
    return goes_on


SHORTENED = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
"""Floats that other libraries store as float32 or float64, and the distance from 1 to the next of them."""


def _require_not_shortened(name: str, array: Array, sums: Array, goes_on: npt.NDArray[np.bool_]) -> None:
    """No row ends that sums to 1 up to the rounding of shorter floats, of which it is made.

    A single number is none: 1 is one of them.
    """
    near = ~goes_on & (sums > 1 - max(SHORTENED.values()))
    if not near.any():
        return
    places, rows = np.argwhere(near), np.asarray(array)[near]
    several = (rows > 0).sum(-1) > 1
    for kind, unit in SHORTENED.items():
        kept = rows.astype(np.float16) if kind == "float16" else _to_bfloat16(rows)
        shortened = several & (kept == rows).all(-1) & (1 - rows.sum(-1) <= unit)
        if shortened.any():
            index = [int(i) for i in places[shortened][0]]
            raise GameError(
                f"{name}{index or ''} sums to {sums[tuple(index)]}, which is 1 up to the rounding of {kind}, whose numbers it is "
                f"made of; {DIVIDE} in float64, or say by ends= that the game may end there"
            )


def _to_bfloat16(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The first 8 of their binary digits; a number of bfloat16 stays as it is."""
    mantissa, exponent = np.frexp(rows)
    return np.asarray(np.ldexp(np.trunc(mantissa * 256) / 256, exponent))


DIVIDE = "divide each row by its sum"


def _row_cure(total: float, clear: float, full: bool, ends: Array | None) -> str:
    divide = f"{DIVIDE} in float64"
    if total > 1 or full:
        return f", {'which is more than' if total > 1 else 'not'} 1; {divide}"
    if ends is not None:
        return f", not 1, where ends= says that it goes on; {divide}"
    return (
        f", which is neither 1 up to rounding nor less by {clear:.0e}; {divide}, write thirds as Fraction(1, 3), or say by ends= "
        "that the game may end there"
    )


def _require_exact(name: str, array: Array, full: bool) -> None:
    sums = np.asarray(array.sum(-1))
    over = compare(sums, ">", like(1, array)) > 0
    if over.any():
        index, value = first(over, sums)
        raise GameError(f"{name}{list(index) if index else ''} sums to {value}, which is more than 1; {DIVIDE}")
    under = compare(sums, "<", like(1, array)) > 0
    if full and under.any():
        index, value = first(under, sums)
        raise GameError(f"{name}{list(index) if index else ''} sums to {value}, not 1; {DIVIDE}")


def require_positive(name: str, value: Any) -> None:
    """A finite number, or a batch of them, above 0; else :class:`GameError`."""
    values = floats_of(array_of(value, name))
    bad = ~np.isfinite(values) | (compare(values, "≤", 0) > 0)
    if bad.any():
        raise GameError(f"{name} = {values[bad].flat[0]:g} is not a positive, finite number")


def require_below_one(discount: Any, rounded: Any) -> None:
    """A discount below 1 stays below 1 when it is rounded: values might not exist with 1."""
    lost = (compare(discount, "<", like(1, discount)) > 0) & np.asarray(rounded == 1)
    if lost.any():
        index, value = first(np.asarray(lost), np.asarray(discount))
        told = at((index, value)) if len(str(value)) < 100 else " is below 1, but"
        raise GameError(
            f"discount{told} is 1 in float64; stay with exact numbers, or choose one of at most {1 - EPSILON / 2}"
        )


def name_complaint(name: str) -> str | None:
    """What is wrong with a name, or None: it is shown in tables and terminals, so it must be short and printable."""
    if not name:
        return "the name is empty"
    if len(name) > MAX_NAME:
        return f"the name {shown(name)} is longer than {MAX_NAME} characters"
    return None if name.isprintable() else f"the name {shown(name)} has characters that cannot be printed"


def require_count(name: str, count: Any, most: int | None = None) -> None:
    """An integer of at least 1, and of at most ``most`` where that is given; else :class:`GameError`."""
    if type(count) is int and 1 <= count <= (count if most is None else most):
        return
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or compare(count, "<", 1) > 0:
        raise GameError(f"{name} = {count!r} is not an integer of at least 1")
    if most is not None and count > most:
        raise GameError(f"{name} = {count} is more than the limit of {most}")


def require_seed(seed: Any) -> None:
    """What NumPy's generators begin with: an integer of at least 0; else :class:`GameError`."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise GameError(f"seed = {seed!r} is not an integer of at least 0")


def laid_out(array: Array, core_axes: int, system: System) -> tuple[Array, Seen | None]:
    """Floats with a batch as a copy that is stored batch-minor, before they are looked at, and what was seen on the way.

    Anything else as it is.
    """
    if system is not System.FLOATS or array.ndim == core_axes:
        return array, None
    return laid_out_floats(np.asarray(array), core_axes)


def freeze(array: Array, core_axes: int, system: System, own: bool = False) -> Array:
    """A read-only copy; floats with a batch are stored batch-minor, which makes every formula run along the batch.

    What is ``own``, a copy by :func:`laid_out` or what was made of it, is not copied again.
    """
    if system is System.FLOATS:
        copy = np.asarray(array)
        if not own or not copy.flags.writeable or not is_batch_minor(copy, core_axes):
            copy = batch_minor(copy, core_axes)
    else:
        copy = np.array(array)
    copy.setflags(write=False)
    return copy


def spread(array: Array, batch: tuple[int, ...], core_axes: int) -> Array:
    """The array for every instance of the batch; itself where it has them all."""
    shape = batch + array.shape[array.ndim - core_axes :]
    return array if array.shape == shape else np.broadcast_to(array, shape)


def require_made_rows(name: str, rows: Array, whole: bool = True) -> None:
    """:class:`GameError` where rows that a formula made are certainly no probabilities; ``whole`` ones sum to 1, others to less.

    Symbols, and random points in their place, are none that could be compared; floats are rounded, and prove nothing.
    """
    if is_formal() or bare(system_of(rows)) in (System.SYMBOLS, System.FLOATS):
        return
    sums = rows.sum(-1)
    truth = every(compare(rows, "≥", 0), -1) & compare(sums, "=" if whole else "≤", 1)
    if not true_everywhere(not_refuted(truth)):
        kind = "no distribution" if whole else "negative, or more than 1 in sum"
        raise GameError(f"{name} of some instance is {kind}")


def unchecked(kind: type[T], **fields: Any) -> T:
    """A frozen object whose data is formal (symbols, or random points that are no probabilities), so nothing is checked."""
    result = object.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(result, name, value)
    return result


def derived(owner: Any, name: str, source: Any, compute: Callable[[], T]) -> T:
    """What follows from ``source``, a field of a frozen object, computed once: ``name`` is where the object keeps it."""
    known: tuple[Any, T] | None = owner.__dict__.get(name)
    if known is None or known[0] is not source:  # what followed from another field is not this
        known = owner.__dict__[name] = source, compute()
    return known[1]


def scalar_for(system: Any, name: str, value: Any) -> Array:
    """A parameter of a formula, a number or a batch of them, in ``system``; else :class:`GameError` that says what it is."""
    if is_hidden((value,)):
        return value  # type: ignore[no-any-return]
    if isinstance(value, (int, Fraction)) and not isinstance(value, bool):
        return like(value, system)
    return table_for(system, name, value, (), "[...]")


def table_for(system: Any, name: str, value: Any, core: tuple[int, ...], wanted: str) -> Array:
    """An argument of a formula in ``system``, finite and with the last axes ``core``; else :class:`GameError`."""
    if is_hidden((value,)):
        return value  # type: ignore[no-any-return]
    array = in_system(array_of(value, name), system, name)
    if array.size and system_of(array) is not system:
        raise GameError(
            f"{name} is in {system_of(array).value}, and what it meets in {getattr(system, 'value', system)}; convert one of them"
        )
    require_shape(name, array, core, wanted)
    if system is not System.SYMBOLS:
        require_finite(name, array)
    return array
