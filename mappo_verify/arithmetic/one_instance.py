"""What the numbers and the truth of one instance share: their axes, and what may not be done to either."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from math import prod
from pathlib import Path
from threading import RLock
from typing import Any, NoReturn, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt
from numpy.lib.array_utils import normalize_axis_tuple

from ..errors import FormulaError, MappoVerifyError, Sealed, UndecidedError, evaluating, noting
from .formulas import Made, called, kept, made_by, operations, quiet
from .protocol import Parts

P = ParamSpec("P")
R = TypeVar("R")
Self = TypeVar("Self", bound="OneInstance")
Axis = int | Sequence[int] | None


@dataclass
class _Formal:
    asked: list[str] | None = None


_FORMAL = _Formal()
"""What a formal proof asked, in any thread, and symbols cannot answer; None where no formal proof is evaluated."""
_ENGINE = RLock()


def one_at_a_time(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, which waits for those in other threads: whatever goes on beside a proof may have been begun by it."""

    @wraps(function)
    def waits(*args: P.args, **kwargs: P.kwargs) -> R:
        with _ENGINE:
            return function(*args, **kwargs)

    return waits


class Part(tuple[npt.NDArray[Any], ...]):
    """Parts of numbers that are, or may be, a part of other numbers: NumPy would change those in place, too."""

    __slots__ = ()


FUNCTIONS: dict[Any, Callable[..., Any]] = {}
UFUNCS: dict[Any, Callable[..., Any]] = {}
"""NumPy's functions that a formula may use, and what they are there: filled by :mod:`.structure` and :mod:`.functions`."""


def refuse(what: str, instead: str) -> NoReturn:
    """Raise :class:`FormulaError`: what was tried, and what to write instead."""
    raise FormulaError(f"{what}: {instead}")


@contextmanager
def within_a_proof(formal: bool = False) -> Iterator[None]:
    """While a proof or a hypothesis is evaluated; ``formal`` where its numbers stand for all parameters.

    What a formula asks there, and what depends on the parameters, ends a formal proof, also where the formula catches the error.
    No proof may catch an error of its numbers: it would branch on what they are, or on the system they are in.
    """
    asked: list[str] = []
    before, _FORMAL.asked = _FORMAL.asked, asked if formal else None
    try:
        with noting() as noted:
            yield
        if asked:
            raise UndecidedError(asked[0])
        for error in noted:
            _require_not_caught(error)
    finally:
        _FORMAL.asked = before


PACKAGE = str(Path(__file__).parents[1])
"""The folder of this package."""


def is_of_a_paper(place: str) -> bool:
    """Whether a file of this package holds proofs, which are read like those of a user."""
    return place.startswith(PACKAGE) and "papers" in Path(place).relative_to(PACKAGE).parts


def _require_not_caught(error: BaseException) -> None:
    """An error where what caught ``error`` is no function of this package: its traceback begins there."""
    caught_in = error.__traceback__
    place = "" if caught_in is None else caught_in.tb_frame.f_code.co_filename
    if not place.startswith(PACKAGE) or is_of_a_paper(place):
        at = "" if caught_in is None else f" ({Path(place).name}:{caught_in.tb_lineno})"
        refuse(
            f"a proof that catches {type(error).__name__}: {error}{at}",
            "say by a Hypothesis where the formula makes sense, or use choose(truth, a, b)",
        )


def is_formal() -> bool:
    """Whether a formal proof is being evaluated."""
    return _FORMAL.asked is not None


def no_answer(error: MappoVerifyError) -> NoReturn:
    """Raise what symbols cannot answer, and remember it for the end of the formal proof."""
    if _FORMAL.asked is not None:
        _FORMAL.asked.append(str(error))
    raise error


def require_outside(what: str) -> None:
    """An error within a proof or a hypothesis, for what would show it other instances."""
    if evaluating():
        refuse(what, "they would show other instances; keep computing with the numbers")


class OneInstance(Made):
    """Structure that numbers and truth share: ``parts`` are arrays ``core + (B,)``; ``B`` is 1 where all instances agree."""

    __slots__ = ("_parts",)
    __array_priority__ = 1000
    __hash__ = None  # type: ignore[assignment]
    _parts: Parts

    def _with(self: Self, parts: Parts) -> Self:
        raise NotImplementedError

    def _each(self: Self, function: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]) -> Self:
        """The same change of structure for every part; ``function`` leaves the last axis alone."""
        return self._with(tuple([function(part) for part in self._parts]))

    def _view(self: Self, function: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]) -> Self:
        """As :meth:`_each`, where NumPy would return a view."""
        return self._with(Part(map(function, self._parts)))

    # -- shape ----------------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The axes of one instance."""
        return self._parts[0].shape[:-1]

    @property
    def ndim(self) -> int:
        """The number of axes of one instance."""
        return self._parts[0].ndim - 1

    @property
    def size(self) -> int:
        """The number of entries of one instance."""
        return prod(self.shape)

    @property
    def _count(self) -> int:
        """How many instances lie side by side; 1 also where all of them share these numbers."""
        return int(self._parts[0].shape[-1])

    @property
    def T(self: Self) -> Self:
        """All axes reversed."""
        return self.transpose()

    def _instances(self) -> str:
        """How many instances lie side by side, for a reader; a proof is not told."""
        return "" if evaluating() else f", {self._count} instance{'s' * (self._count != 1)}"

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("a single number has no length")
        return self.shape[0]

    def __iter__(self: Self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self: Self, index: Any) -> Self:
        key = index if isinstance(index, tuple) else (index,)
        for entry in key:
            if isinstance(entry, OneInstance):
                refuse("an index that depends on the instance", "use choose(truth, a, b)")
        if not any(entry is Ellipsis for entry in key):
            key = (*key, Ellipsis)
        taken = sum(_axes_taken(entry) for entry in key)
        if taken > self.ndim:
            raise IndexError(f"{taken} indices for one instance of shape {self.shape}")
        return self._view(lambda part: part[(*key, slice(None))])

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        refuse(
            "an assignment to an entry",
            "the numbers of a formula never change; build them with stack, concatenate or choose",
        )

    def _in_place(self, _: Any) -> Any:
        """``x += y`` is ``x = x + y``: numbers never change.  Of a part of others NumPy means these as well."""
        if type(self._parts) is Part:
            refuse("an operation in place on a part of other numbers", "these never change; write x = x + y")
        return NotImplemented

    __iadd__ = __isub__ = __imul__ = __itruediv__ = __imatmul__ = __ipow__ = __iand__ = __ior__ = __ixor__ = _in_place

    def reshape(self: Self, *shape: Any) -> Self:
        """The same entries in another shape."""
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], (int, np.integer)) else shape
        try:
            return self._view(lambda part: part.reshape((*wanted, part.shape[-1])))
        except ValueError:
            raise ValueError(f"numbers of shape {self.shape} in the shape {tuple(wanted)}") from None

    def transpose(self: Self, *axes: Any) -> Self:
        """Axes in another order; reversed by default."""
        given = axes[0] if len(axes) == 1 else axes or None
        order = tuple(reversed(range(self.ndim))) if given is None else normalize_axis_tuple(given, self.ndim)
        return self._view(lambda part: part.transpose((*order, part.ndim - 1)))

    def swapaxes(self: Self, first: int, second: int) -> Self:
        """Two axes in each other's place."""
        one, two = axis_of(first, self.ndim), axis_of(second, self.ndim)
        return self._view(lambda part: part.swapaxes(one, two))

    def ravel(self: Self) -> Self:
        """All entries on one axis."""
        return self.reshape((self.size,))

    flatten = ravel

    def _copy(self: Self) -> Self:
        """The same, as another object."""
        return self._with(self._parts)

    def copy(self: Self, _memo: Any = None) -> Self:
        """Itself, since it never changes; of a part of other numbers what may be taken for other ones."""
        if type(self._parts) is not Part:
            return self
        found = self._with(tuple(self._parts))
        found._made = self._made
        return found

    __copy__ = __deepcopy__ = copy

    def __reduce_ex__(self, protocol: Any) -> Any:
        require_outside("a formula's numbers as bytes")
        return super().__reduce_ex__(protocol)

    # -- ways out that would mislead ------------------------------------------------------------------------------------

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        refuse(
            "a plain NumPy array of a formula's numbers",
            "drop np.asarray; outside a formula .unwrap() gives plain arrays",
        )

    def __bool__(self) -> NoReturn:
        refuse(
            "`if`, `and`, `or`, `not`, `in`, `min`, `max` on what may differ between instances",
            "use choose(truth, a, b), the operators & | ~, or largest and smallest",
        )

    def __int__(self) -> NoReturn:
        refuse(
            "a Python number of what may differ between instances", "keep computing with it; .unwrap() is for display"
        )

    __float__ = __complex__ = __index__ = __int__

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        handler, name = FUNCTIONS.get(function), function.__name__
        if handler is None:
            refuse(f"np.{name} in a formula", INSTEAD.get(name, "it is not among the functions that formulas may use"))
        given = kept((*args, *kwargs.items()))
        try:
            return called(f"np.{name}", quiet(handler, *args, **kwargs), given)
        except TypeError:
            _require_taken(name, handler, args, kwargs)
            raise


def _require_taken(name: str, handler: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """An error that says which arguments of NumPy's function a formula gives, where these are others."""
    takes = signature(handler)
    try:
        takes.bind(*args, **kwargs)
    except TypeError as error:
        names = [str(one).partition(":")[0].partition("=")[0] for one in takes.parameters.values()]
        refuse(f"np.{name} in a formula: {error}", f"it takes {', '.join(names)} only")


def _axes_taken(index: Any) -> int:
    """How many axes one entry of an index uses up."""
    if index is None or index is Ellipsis or isinstance(index, (bool, np.bool_)):
        return 0
    return index.ndim if isinstance(index, np.ndarray) and index.dtype.kind == "b" else 1


def axes_of(axis: Axis, ndim: int) -> tuple[int, ...]:
    """Axes of one instance, counted from the front; no number of theirs reaches the batch."""
    if axis is None:
        return tuple(range(ndim))
    if type(axis) is int and -ndim <= axis < ndim:
        return (axis % ndim,)
    if not isinstance(axis, bool):
        with suppress(TypeError):
            return tuple(sorted(normalize_axis_tuple(axis, ndim)))
    refuse(f"the axis {axis!r}", "an axis is an integer, several are a tuple of these, and keepdims=True has its name")


def axis_of(axis: int, ndim: int) -> int:
    """One axis, counted from the front, where NumPy takes one."""
    return axes_of(axis if isinstance(axis, bool) else (axis,), ndim)[0]


def aligned(*values: OneInstance) -> list[Parts]:
    """Their parts with equally many axes, so that the axes of the instances broadcast from the right and the batch stays last."""
    depth = max(value._parts[0].ndim for value in values)
    return [
        value._parts
        if value._parts[0].ndim == depth
        else tuple(part.reshape((1,) * (depth - part.ndim) + part.shape) for part in value._parts)
        for value in values
    ]


class Truth(OneInstance, Sealed):
    """Three-valued truth of one instance: TRUE, FALSE, or UNKNOWN, with Kleene's ``&``, ``|`` and ``~``.

    UNKNOWN is what an enclosure or a ball cannot decide, and what depends on the parameters of a symbolic proof.
    """

    __slots__ = ()

    def __init__(self, values: npt.NDArray[np.int8]) -> None:
        self._parts, self._made = (values,), 0

    def _with(self, parts: Parts) -> Truth:
        found = Truth(parts[0])
        found._parts = parts
        return found

    @property
    def values(self) -> npt.NDArray[np.int8]:
        """1 TRUE, 0 UNKNOWN, -1 FALSE, in storage ``core + (B,)``: for the engine, not for formulas."""
        require_outside("plain arrays of a formula's truth")
        return self._parts[0]

    @staticmethod
    def of(value: Any) -> Truth:
        """Truth, a Python bool, or a Boolean array that is the same for every instance."""
        if isinstance(value, Truth):
            return value
        if isinstance(value, OneInstance):
            refuse("numbers where truth is needed", "compare them: x > 0, or compare(x, '=', y)")
        given = np.asarray(value)
        if given.dtype.kind != "b":
            refuse(f"{value!r} where truth is needed", "use a comparison, True or False")
        return made_by("truth", Truth(np.where(given, np.int8(1), np.int8(-1))[..., None]), (given,))

    def __and__(self, other: Any) -> Truth:
        (one,), (two,) = aligned(self, Truth.of(other))
        return Truth(np.minimum(one, two))

    def __or__(self, other: Any) -> Truth:
        (one,), (two,) = aligned(self, Truth.of(other))
        return Truth(np.maximum(one, two))

    def __xor__(self, other: Any) -> Truth:
        (one,), (two,) = aligned(self, Truth.of(other))
        return Truth(-one * two)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __invert__(self) -> Truth:
        return Truth(-self._parts[0])

    def all(self, axis: Axis = None, *, keepdims: bool = False) -> Truth:
        """For all along ``axis`` (default: all axes); TRUE over nothing."""
        return self._reduce(np.minimum, np.int8(1), axis, keepdims)

    def any(self, axis: Axis = None, *, keepdims: bool = False) -> Truth:
        """For some along ``axis`` (default: all axes); FALSE over nothing."""
        return self._reduce(np.maximum, np.int8(-1), axis, keepdims)

    def _reduce(self, function: Any, initial: np.int8, axis: Axis, keepdims: bool) -> Truth:
        axes = axes_of(axis, self.ndim)
        return Truth(
            function.reduce(self._parts[0], axis=axes, keepdims=keepdims, initial=initial) if axes else self._parts[0]
        )

    def closure(self) -> Truth:
        """The reflexive and transitive closure of a relation ``[..., n, n]``: what certainly follows, and what may."""
        pattern = self._parts[0]
        size = self.shape[-1]
        reach = np.maximum(pattern, 2 * np.eye(size, dtype=np.int8)[..., None] - 1)
        for via in range(size):  # Warshall's: a path is as certain as its least certain step
            np.maximum(reach, np.minimum(reach[..., via, None, :], reach[..., via, None, :, :]), out=reach)
        return Truth(reach)

    def certain(self) -> Truth:
        """TRUE where it is TRUE, else FALSE: what is known to hold.  In a proof UNKNOWN is undecided, and no answer."""
        self._require_answered()
        return self._known()

    def _known(self) -> Truth:
        """As :meth:`certain`, for choices of which both sides are right where the truth is UNKNOWN."""
        return Truth(np.where(self._parts[0] > 0, np.int8(1), np.int8(-1)))

    def possible(self) -> Truth:
        """FALSE where it is FALSE, else TRUE: what may hold.  In a proof UNKNOWN is undecided, and no answer."""
        self._require_answered()
        return self._not_refuted()

    def _not_refuted(self) -> Truth:
        """As :meth:`possible`, for what is true by construction, of which a number system may not be able to tell."""
        if is_formal():
            self._require_answered()
        return Truth(np.where(self._parts[0] < 0, np.int8(-1), np.int8(1)))

    def _require_answered(self) -> None:
        """In a proof UNKNOWN depends on the parameters, or on the number system, and a formula is the same in all of them."""
        if evaluating() and not self._parts[0].all():
            no_answer(UndecidedError("what is certain or possible depends on the parameters, or on the number system"))

    def _ordered(self, *_: Any, **__: Any) -> NoReturn:
        refuse("truth compared with a number or with truth", "write t, ~t, t & u, or choose(t, 1, 0) for an indicator")

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _ordered
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __neg__ = _ordered
    __matmul__ = __rmatmul__ = __pow__ = __rpow__ = __abs__ = __pos__ = _ordered
    sum = mean = max = min = astype = argmax = nonzero = item = tolist = _ordered

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        combine = _KLEENE.get(ufunc)
        asked = {name for name, value in kwargs.items() if value is not None} - {"axis", "keepdims"}
        if (
            combine is None
            or asked
            or method not in ("__call__", "reduce")
            or (method == "reduce" and (combine not in (operator.and_, operator.or_) or len(inputs[0]) == 0))
        ):
            refuse(f"np.{ufunc.__name__} of truth", "use & | ~, .all() and .any()")
        if method == "reduce":
            quantified = inputs[0].all if combine is operator.and_ else inputs[0].any
            return quantified(kwargs.get("axis", 0), keepdims=bool(kwargs.get("keepdims")))
        return combine(*map(Truth.of, inputs))

    def __repr__(self) -> str:
        return f"Truth(shape {self.shape}{self._instances()})"


operations(OneInstance, "T", "__getitem__", "reshape", "transpose", "swapaxes", "ravel", "flatten")
operations(
    Truth, "__and__", "__or__", "__xor__", "__rand__", "__ror__", "__rxor__", "__invert__", "all", "any", "closure"
)
operations(Truth, "certain", "possible", "_known", "_not_refuted")

_KLEENE: dict[Any, Any] = {
    np.logical_and: operator.and_,
    np.bitwise_and: operator.and_,
    np.logical_or: operator.or_,
    np.bitwise_or: operator.or_,
    np.logical_xor: operator.xor,
    np.bitwise_xor: operator.xor,
    np.logical_not: operator.invert,
    np.invert: operator.invert,
}


INSTEAD = {
    "argmax": "use choose on comparisons; which entry is largest may differ between instances",
    "argmin": "use choose on comparisons; which entry is smallest may differ between instances",
    "sort": "the order may differ between instances; use largest and smallest",
    "argsort": "the order may differ between instances; use largest and smallest",
    "where": "use choose(truth, a, b)",
    "select": "use choose(truth, a, b)",
    "piecewise": "use choose(truth, a, b)",
    "clip": "use maximum and minimum",
    "power": "use x*x, x**2 with an integer exponent, or exp(y*log(x))",
    "float_power": "use x*x, x**2 with an integer exponent, or exp(y*log(x))",
    "inv": "use mappo_verify.arithmetic.solve",
    "solve": "use mappo_verify.arithmetic.solve",
    "det": "write the determinant out, or use mappo_verify.arithmetic.solve",
    "norm": "use sup_norm or l1_distance of mappo_verify.quantities, or squared_norm",
    "floor": "no formula rounds",
    "rint": "no formula rounds",
    "sign": "use choose on comparisons",
    "mean": "use sum, and divide by an integer",
    "average": "use sum, and divide by an integer",
    "std": "write it with sum and sqrt",
    "var": "write it with sum and sqrt",
    "isnan": "numbers of a formula are never nan",
    "isfinite": "numbers of a formula are always finite",
    "isclose": "use a comparison; it is three-valued",
    "allclose": "use a comparison; it is three-valued",
    "log2": "use log(x) / log(like(2, x))",
    "log10": "use log(x) / log(like(10, x))",
    "log1p": "use log(1 + x)",
    "expm1": "use exp(x) - 1",
    "cbrt": "only sqrt, exp and log leave the rationals",
}
"""What to write instead of a NumPy function that a formula may not use."""
