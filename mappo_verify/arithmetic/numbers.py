"""The numbers of one instance: the array type of proofs.

A claim is tried on many instances at once, yet its proof is about one.  :class:`Numbers` has the axes of one instance; the
instances of a batch lie side by side on a last axis of storage that no formula can name, as under ``vmap``.  So a proof cannot
look at its neighbours, and a constant cannot meet the batch.

What would be unsound cannot be written.  Comparisons give three-valued :class:`Truth`, which is never a Python ``bool``;
``choose(truth, a, b)`` picks by it.  Constants are Python integers and Fractions, exact at any size; floats and NumPy's
integers (which wrap around) are refused.  NumPy's functions are a whitelist, and what is not on it is refused with the
function to use instead.

What this type cannot see is what happens before a number enters: ``int(np.prod(np.arange(1, 22)))`` is a Python integer that
NumPy has already got wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from fractions import Fraction
from functools import cache, reduce
from math import prod
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from ..errors import Sealed, evaluating
from .array import Array
from .explained import helper
from .formulas import is_rational, made_by, operations, quiet
from .one_instance import (
    INSTEAD,
    UFUNCS,
    Axis,
    OneInstance,
    Truth,
    aligned,
    axes_of,
    refuse,
    require_outside,
)
from .one_part import arithmetic_of
from .protocol import Arithmetic, Parts, Relation
from .system import System
from .time_limit import require_time

Comparison = tuple["Numbers", str, "Numbers"]
_WATCHED: ContextVar[list[Comparison] | None] = ContextVar("watched", default=None)


@contextmanager
def watched() -> Iterator[list[Comparison]]:
    """The comparisons of numbers made inside, as ``(left, relation, right)``: a search learns from them what is missing."""
    seen: list[Comparison] = []
    token = _WATCHED.set(seen)
    try:
        yield seen
    finally:
        _WATCHED.reset(token)


class Numbers(OneInstance, Sealed):
    """The numbers of one instance, in one number system.

    ``+ - * / @``, ``sum``, slices, ``reshape`` and the functions of :mod:`mappo_verify.arithmetic` work as on NumPy arrays.
    ``x ** n`` needs an integer ``n ≥ 0``.  Numbers never change: ``x += y`` is ``x = x + y``, and refused where ``x`` is a row or
    another part of a table, which NumPy would change as well.
    """

    __slots__ = ("_arithmetic",)

    def __init__(self, arithmetic: Arithmetic, parts: Parts) -> None:
        require_time(slow=parts[0].dtype.hasobject)
        self._arithmetic, self._parts, self._made = arithmetic, parts, 0

    @property
    def system(self) -> Hidden:
        """The number system; give it to :func:`~mappo_verify.arithmetic.like` to make constants of this kind."""
        return Hidden(self._arithmetic.system)

    def _with(self, parts: Parts) -> Numbers:
        return type(self)(self._arithmetic, parts)

    def _copy(self) -> Numbers:
        return type(self)(self._arithmetic, self._parts)

    # -- constants --------------------------------------------------------------------------------------------------------

    def operand(self, other: Any) -> Numbers:
        """``other`` as numbers of the same system: numbers, or an exact constant."""
        if isinstance(other, Numbers):
            if other._arithmetic is not self._arithmetic:
                one, two = self._arithmetic.system.value, other._arithmetic.system.value
                refuse(f"{one} and {two} in one formula", "convert one of them; a case and a game have .to(system)")
            return other
        return constant_numbers(other, self._arithmetic)

    def _binary(self, other: Any, function: Callable[[Parts, Parts], Parts], swapped: bool = False) -> Numbers:
        if getattr(type(other), "__array_ufunc__", 0) is None:  # NumPy's sign for "let me do it"
            return NotImplemented  # type: ignore[no-any-return]
        given = self.operand(other)
        one, two = (self._parts, given._parts)
        if one[0].ndim != two[0].ndim:
            one, two = aligned(self, given)
        try:
            return Numbers(self._arithmetic, function(two, one) if swapped else function(one, two))
        except ValueError:
            _require_fitting(self, given)
            raise

    # -- arithmetic ---------------------------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> Numbers:
        return self._binary(other, self._arithmetic.add)

    def __radd__(self, other: Any) -> Numbers:
        return self._binary(other, self._arithmetic.add, swapped=True)

    def __sub__(self, other: Any) -> Numbers:
        return self._binary(other, self._arithmetic.subtract)

    def __rsub__(self, other: Any) -> Numbers:
        return self._binary(other, self._arithmetic.subtract, swapped=True)

    def __mul__(self, other: Any) -> Numbers:
        return self._binary(other, self._arithmetic.multiply)

    def __rmul__(self, other: Any) -> Numbers:
        return self._binary(other, self._arithmetic.multiply, swapped=True)

    def __truediv__(self, other: Any) -> Numbers:
        return self._binary(other, self._arithmetic.divide)

    def __rtruediv__(self, other: Any) -> Numbers:
        return self._binary(other, self._arithmetic.divide, swapped=True)

    def __matmul__(self, other: Any) -> Numbers:
        return _matmul(self, self.operand(other))

    def __rmatmul__(self, other: Any) -> Numbers:
        return _matmul(self.operand(other), self)

    def __neg__(self) -> Numbers:
        return Numbers(self._arithmetic, self._arithmetic.negative(self._parts))

    def __pos__(self) -> Numbers:
        return self

    def __abs__(self) -> Numbers:
        return Numbers(self._arithmetic, self._arithmetic.absolute(self._parts))

    def __pow__(self, exponent: Any) -> Numbers:
        if type(exponent) is not int or exponent < 0:
            refuse(f"a power with the exponent {exponent!r}", "exponents are integers ≥ 0; use 1/x, sqrt, exp or log")
        if not exponent:
            return zeros(self.shape, self) + 1
        result = self
        for bit in bin(exponent)[3:]:
            result = result * result
            if bit == "1":
                result = result * self
        return result

    def __rpow__(self, base: Any) -> NoReturn:
        refuse("a power with an exponent that may differ between instances", "write exp(x * log(base))")

    def __floordiv__(self, other: Any) -> NoReturn:
        refuse("a floor division or a remainder", "they are no functions of real numbers here; divide by /")

    __rfloordiv__ = __mod__ = __rmod__ = __divmod__ = __rdivmod__ = __floordiv__

    def sum(self, axis: Axis = None, *, keepdims: bool = False) -> Numbers:
        """The sum along ``axis`` (default: of all entries)."""
        axes = axes_of(axis, self.ndim)
        if not axes:
            return self
        if not prod(self.shape[a] for a in axes):
            shape = tuple(n for a, n in enumerate(self.shape) if a not in axes)
            result = zeros(shape, self)
        else:
            result = Numbers(self._arithmetic, self._arithmetic.total(self._parts, axes))
        if keepdims:
            result = result.reshape(tuple(1 if a in axes else n for a, n in enumerate(self.shape))).copy()
        return result

    def max(self, axis: Axis = None, *, keepdims: bool = False) -> Numbers:
        """The largest entry along ``axis``; enclosed where it is undecided which."""
        return self._extreme(self._arithmetic.maximum, axis, keepdims)

    def min(self, axis: Axis = None, *, keepdims: bool = False) -> Numbers:
        """The smallest entry along ``axis``; enclosed where it is undecided which."""
        return -((-self).max(axis, keepdims=keepdims))

    def _extreme(self, function: Callable[[Parts, Parts], Parts], axis: Axis, keepdims: bool) -> Numbers:
        axes = axes_of(axis, self.ndim)
        if not axes:
            return self
        count = prod(self.shape[a] for a in axes)
        if not count:
            raise ValueError("no entry is the largest of none")
        order = (*axes, *(a for a in range(self.ndim) if a not in axes))
        moved = self.transpose(order)
        flat = moved.reshape((count, *moved.shape[len(axes) :]))
        result = Numbers(self._arithmetic, reduce(function, (entry._parts for entry in flat)))
        if keepdims:
            result = result.reshape(tuple(1 if a in axes else n for a, n in enumerate(self.shape))).copy()
        return result

    # -- comparisons ----------------------------------------------------------------------------------------------------------

    def compare(self, relation: Relation, other: Any) -> Truth:
        """``self relation other`` for ``=``, ``≤`` or ``<``."""
        given = self.operand(other)
        if (seen := _WATCHED.get()) is not None:
            seen.append((self, relation, given))
        one, two = (self._parts, given._parts) if self.ndim == given.ndim else aligned(self, given)
        try:
            return Truth(self._arithmetic.compare(one, relation, two))
        except ValueError:
            _require_fitting(self, given)
            raise

    def __eq__(self, other: Any) -> Truth:  # type: ignore[override]
        return self.compare("=", other)

    def __ne__(self, other: Any) -> Truth:  # type: ignore[override]
        return ~self.compare("=", other)

    def __le__(self, other: Any) -> Truth:
        return self.compare("≤", other)

    def __lt__(self, other: Any) -> Truth:
        return self.compare("<", other)

    def __ge__(self, other: Any) -> Truth:
        return self.operand(other).compare("≤", self)

    def __gt__(self, other: Any) -> Truth:
        return self.operand(other).compare("<", self)

    # -- NumPy ------------------------------------------------------------------------------------------------------------------

    def _not_here(self, *_: Any, **__: Any) -> NoReturn:
        refuse(
            "argmax, sort, mean, clip, round, item, tolist, astype, any or all of a formula's numbers",
            "use largest, smallest, maximum, minimum, choose, or sum and divide by an integer",
        )

    argmax = argmin = argsort = sort = mean = std = var = clip = round = item = tolist = astype = any = all = _not_here
    partition = searchsorted = fill = put = view = tobytes = cumprod = nonzero = _not_here

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "reduce" and ufunc is np.add and not kwargs.keys() - {"axis", "keepdims"}:
            return inputs[0].sum(kwargs.get("axis", 0), keepdims=kwargs.get("keepdims", False))
        handler = UFUNCS.get(ufunc)
        name = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
        if handler is None or method != "__call__":
            refuse(
                f"{name} in a formula",
                INSTEAD.get(ufunc.__name__, "it is not among the functions that formulas may use"),
            )
        if kwargs:
            refuse(f"{', '.join(kwargs)}= of {name}", "the numbers of a formula never change; use choose")
        first = next(value for value in inputs if isinstance(value, Numbers))
        given = [quiet(first.operand, value) for value in inputs]
        return made_by(name, quiet(handler, *given), inputs)

    # -- the way out -------------------------------------------------------------------------------------------------------------

    def unwrap(self) -> Any:
        """Plain arrays with the instances on the first axis: one array, or ``(midpoint, radius)`` for enclosures."""
        require_outside("plain arrays of a formula's numbers")
        plain = tuple(np.moveaxis(part, -1, 0).copy() for part in self._parts)
        return plain[0] if len(plain) == 1 else plain

    def __repr__(self) -> str:
        shown = "" if evaluating() else f"{self._arithmetic.system.value}, "
        return f"Numbers({shown}shape {self.shape}{self._instances()})"


_OPERATORS = ("add", "sub", "mul", "truediv", "matmul")
operations(Numbers, *(f"__{side}{name}__" for name in _OPERATORS for side in ("", "r")))
operations(Numbers, "__neg__", "__abs__", "__pow__", "sum", "max", "min", "compare")
operations(Numbers, "__eq__", "__ne__", "__le__", "__lt__", "__ge__", "__gt__")


def _require_fitting(left: OneInstance, right: OneInstance) -> None:
    """An error that names the shapes of one instance where they do not broadcast."""
    try:
        np.broadcast_shapes(left.shape, right.shape)
    except ValueError:
        raise ValueError(
            f"the shapes {left.shape} and {right.shape} of one instance do not fit; lengths must agree, or be 1"
        ) from None


def _matmul(left: Numbers, right: Numbers) -> Numbers:
    return contract_numbers(_product(left.shape, right.shape), left, right)


@cache
def _product(left: tuple[int, ...], right: tuple[int, ...]) -> str:
    """``@`` of such shapes as a contraction."""
    if not left or not right:
        raise ValueError("@ needs at least one axis on both sides; use * for single numbers")
    if left[-1] != right[-2 if len(right) > 1 else 0]:  # a contraction would repeat the entry of an axis of length 1
        raise ValueError(f"the shapes {left} and {right} of one instance do not fit @; write * and sum")
    one, rows = ("j", "") if len(left) == 1 else ("...ij", "i")
    two, columns = ("j", "") if len(right) == 1 else ("...jk", "k")
    return f"{one},{two}->{'...' if len(left + right) > 2 else ''}{rows}{columns}"


# --- constants ---------------------------------------------------------------------------------------------------------------


class Hidden:
    """A number system in which the batch is hidden: what makes constants for a formula.

    It equals the :class:`System` that it hides.  Within a proof it does not say which one it is, and is like no other: a formula
    is the same in all of them.
    """

    __slots__ = ("_system",)

    def __init__(self, system: System) -> None:
        self._system = system

    @property
    def value(self) -> str:
        """Its name; within a proof that of none."""
        return "hidden" if evaluating() else self._system.value

    @property
    def exact(self) -> bool:
        """Whether equality is decided in this system."""
        self._require_outside()
        return self._system.exact

    @property
    def _arithmetic(self) -> Arithmetic:
        """What implements it."""
        return arithmetic_of(self._system)

    def _require_outside(self) -> None:
        if evaluating():
            refuse("a question about the number system in a formula", "a formula is the same in every number system")

    def __eq__(self, other: object) -> bool:
        self._require_outside()
        return self._system is (other._system if isinstance(other, Hidden) else other)

    def __hash__(self) -> int:
        self._require_outside()
        return hash(self._system)

    def __reduce__(self) -> tuple[Any, ...]:
        self._require_outside()
        return Hidden, (self._system,)

    def __repr__(self) -> str:
        return f"<{self.value} of one instance>"


def bare(system: System | Hidden) -> System:
    """The number system itself, for primitives that compute the same thing in another way there; no proof asks for it."""
    return system._system if isinstance(system, Hidden) else system


def constant_numbers(value: Any, arithmetic: Arithmetic) -> Numbers:
    """An exact constant as numbers that all instances share; an error that says what is no exact constant."""
    if type(value) is int or type(value) is Fraction:
        return made_by("constant", Numbers(arithmetic, arithmetic.constant(value)), (value,))
    if isinstance(value, (bool, np.bool_)):
        refuse(f"{value!r} among numbers", "use 1 and 0, or choose(truth, a, b)")
    if isinstance(value, (float, np.floating)):
        refuse(f"the float {value!r} in a formula", "write an exact constant, an integer or Fraction(1, 10)")
    if isinstance(value, np.integer):
        refuse(
            f"the NumPy integer {value!r} in a formula",
            "it wraps around where Python's integers do not; write int(...)",
        )
    if isinstance(value, np.ndarray):
        refuse(
            f"a NumPy array of {value.dtype} in a formula",
            "make it with like([[1, 2], [3, 4]], case.system), from Python's integers",
        )
    if isinstance(value, Truth):
        refuse("truth among numbers", "use choose(truth, 1, 0)")
    if isinstance(value, (list, tuple)):
        return constants(value, arithmetic)
    if is_rational(value):
        return Numbers(
            arithmetic, arithmetic.constant(Fraction(int(value.p), int(value.q)) if hasattr(value, "q") else int(value))
        )
    return refuse(
        f"a {type(value).__name__} in a formula", "numbers come from the case; constants are integers, Fractions"
    )


def constants(values: Any, arithmetic: Arithmetic) -> Numbers:
    """Nested lists of exact constants (or numbers of this system), as numbers that all instances share."""
    if isinstance(values, Numbers):
        return values
    if isinstance(values, np.ndarray):
        if values.dtype.kind in "iu":
            refuse(
                f"a NumPy array of {values.dtype} as constants",
                "it may have wrapped around; give Python's integers: values.tolist() of safe ones",
            )
        values = values.tolist()
    if isinstance(values, (list, tuple)):
        if not values:
            refuse("an empty list in a formula", "use mappo_verify.arithmetic.zeros(shape, case.system)")
        if _whole(values):  # at once
            with suppress(ValueError):  # rows that differ in length
                table = np.array(values)
                if table.dtype == np.int64:
                    return Numbers(arithmetic, arithmetic.enclose(table[..., None]))
        entries = [constants(value, arithmetic) for value in values]
        if len({entry.shape for entry in entries}) > 1:
            raise ValueError(f"the rows of {values!r} differ in length")
        count = max(entry._count for entry in entries)
        made = Numbers(
            arithmetic,
            tuple(
                np.stack([np.broadcast_to(part, (*part.shape[:-1], count)) for part in parts])
                for parts in zip(*(entry._parts for entry in entries), strict=True)
            ),
        )
        return made_by("constants", made, entries)
    return constant_numbers(values, arithmetic)


def _whole(values: list[Any] | tuple[Any, ...]) -> bool:
    """Whether nested lists hold Python's integers only, and none of them is empty."""
    return all(type(v) is int or (isinstance(v, (list, tuple)) and bool(v) and _whole(v)) for v in values)


def zeros(shape: tuple[int, ...], reference: Numbers | Hidden) -> Numbers:
    """Zeros of this shape."""
    zero = constant_numbers(0, reference._arithmetic)
    found = zero._each(lambda part: np.broadcast_to(part.reshape((1,) * len(shape) + part.shape), (*shape, 1)))
    return made_by("zeros", found, (shape,))


def contract_numbers(subscripts: str, *factors: Numbers) -> Numbers:
    """``einsum``; ``...`` stands for the axes of an instance that are left."""
    shapes = tuple([factor.shape for factor in factors])
    spelled, empty = _spelled(subscripts, shapes)
    arithmetic = factors[0]._arithmetic
    try:
        if empty:  # NumPy's sum of no objects is no number of ours
            return zeros(np.einsum(spelled, *(np.broadcast_to(0, shape) for shape in shapes)).shape, factors[0])
        parts = arithmetic.contract(spelled, *(factor._parts for factor in factors))
    except ValueError:
        given = " and ".join(str(factor.shape) for factor in factors)
        raise ValueError(f"the shapes {given} do not fit {subscripts!r}") from None
    return Numbers(arithmetic, parts)


@cache
def _spelled(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[str, bool]:
    """The labels of every factor of such a shape, and of the result; ``...`` becomes capital letters.  Whether one is empty.

    Without ``->`` the result has every label that occurs once, in the order of the alphabet, as in NumPy.
    """
    axes = tuple(map(len, shapes))
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    labels = (inputs + output).replace("...", "").replace(",", "")
    if labels and not (labels.isascii() and labels.isalpha() and labels.islower()):
        raise ValueError(f"the labels of {subscripts!r} are to be lower-case letters, and ... for all other axes")
    if not arrow:
        output = "..." * ("..." in inputs) + "".join(sorted(x for x in set(labels) if labels.count(x) == 1))
    terms = inputs.split(",")
    rest = [count - len(term.replace("...", "")) for count, term in zip(axes, terms, strict=True)]
    for count, free, term in zip(axes, rest, terms, strict=True):
        if free < 0 or (free and "..." not in term):
            raise ValueError(f"{term!r} of {subscripts!r} does not fit {count} axes")
    if max(rest) and "..." not in output:
        raise ValueError(f"the result of {subscripts!r} leaves out ..., which no sum does; name the axes")
    spare = "ABCDEFGHIJ"[: max(rest)]
    terms = [term.replace("...", spare[len(spare) - free :]) for term, free in zip(terms, rest, strict=True)]
    for term, shape in zip(terms, shapes, strict=True):
        if len(set(term)) < len({*zip(term, shape, strict=True)}):  # of lengths 0 and 3 NumPy reads what is not there
            raise ValueError(f"{term!r} of {subscripts!r} does not fit the shape {shape}: a label has one length")
    return f"{','.join(terms)}->{output.replace('...', spare)}", not all(map(prod, shapes))


# --- in and out ----------------------------------------------------------------------------------------------------------------


def wrap(values: Array, system: System, core_axes: int) -> Numbers:
    """Plain numbers (or exact integers) ``[B, ...]`` or ``[...]`` as the numbers of one instance with ``core_axes`` axes."""
    flat = _batch_last(np.asarray(values), core_axes)
    return Numbers(arithmetic_of(system), arithmetic_of(system).enclose(flat))


def wrap_truth(values: npt.NDArray[np.int8], core_axes: int) -> Truth:
    """Plain three-valued truth as the truth of one instance."""
    return Truth(_batch_last(values, core_axes))


def _batch_last(values: npt.NDArray[Any], core_axes: int) -> npt.NDArray[Any]:
    leading = values.ndim - core_axes
    flat = values.reshape((prod(values.shape[:leading]), *values.shape[leading:]))
    return np.ascontiguousarray(np.moveaxis(flat, 0, -1))


def shares(one: Any, two: Any) -> bool:
    """Whether these are the same numbers of one instance, in one place of memory."""
    return isinstance(one, Numbers) and isinstance(two, Numbers) and one._parts is two._parts


def take(value: Any, chosen: npt.NDArray[Any]) -> Any:
    """The chosen instances; numbers that all instances share stay as they are."""
    if isinstance(value, OneInstance):
        return value if value._count == 1 else value._each(lambda part: part[..., chosen])
    return tuple(take(entry, chosen) for entry in value) if isinstance(value, tuple) else value


def apart(value: Any, groups: int) -> Any:
    """The groups of instances that lie end to end along a last axis, one entry for each."""

    def cut(part: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if part.shape[-1] == 1:  # all instances share it
            return np.broadcast_to(part[..., None, :], (*part.shape[:-1], groups, 1))
        return part.reshape((*part.shape[:-1], groups, part.shape[-1] // groups))

    return same_formula(value, value._each(cut))


def same_formula(value: Any, elsewhere: Any) -> Any:
    """``elsewhere``, which is new and holds the same numbers at another place, as the formula that made ``value``."""
    elsewhere._made = value._made
    return elsewhere


@helper
def is_hidden(values: Iterable[Any]) -> bool:
    """Whether any of these belongs to a formula over one instance."""
    for value in values:
        if isinstance(value, OneInstance):
            break
    else:
        return False
    return True
