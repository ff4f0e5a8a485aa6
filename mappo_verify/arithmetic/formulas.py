"""Which formula made a number: what must be the same on every instance and in every number system.

A proof is evaluated many times: over symbols, and on instances side by side and alone.  What is proved is one formula; if another
one were evaluated on some instance, nothing would be known of it.  So the numbers of an instance carry the hash of the formula
that made them: of the operation, and of the hashes of what it was applied to.  Ingredients of a case are leaves.  The engine
compares these hashes line by line, so no way of telling evaluations apart (a clock, a counter, the names of types) leads to
another formula unseen.  Primitives that compute one thing in several ways count as one operation.

What numbers carry is valid in one evaluation only: in another one they are another formula, so no proof uses numbers that it has
kept, which are those of another instance.

In a proof for every number of steps a hash also says whether the formula has something of a step, which belongs there alone.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from fractions import Fraction
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from ..errors import FormulaError, GameError, evaluating
from .calls import DATA
from .system import System

P = ParamSpec("P")
R = TypeVar("R")


class Made:
    """What has the hash of its formula, as :func:`of_now` writes it; 0 where that is not known."""

    __slots__ = ("_made",)
    _made: int

    def _copy(self) -> Made:
        """The same, as another object."""
        raise NotImplementedError


class _Thread(threading.local):
    """What goes on in this thread."""

    quiet = False
    """Whether a function is being computed whose result says what made it, whatever it computes inside."""
    within = False
    """Whether an object remembers numbers that a quiet function asks for: what only that function sees has no formula."""


THREAD = _Thread()


_SALT = 0
"""What hashes are written with in the evaluation that goes on."""


def evaluation_begins() -> None:
    """From now on it is another one: of a claim, on one instance or on several side by side."""
    global _SALT
    _SALT = (_SALT + (0x9E3779B97F4A7C15 << 2)) & (2**60 - 1)


def of_now(made: int) -> int:
    """A hash as the numbers of this evaluation carry it."""
    return made ^ _SALT


OF_A_STEP, OF_A_PLACE = 1, 2
"""The lowest bits of a hash: whether something that one step of a run knows is in the formula, or where a run stands."""
_BITS = OF_A_STEP | OF_A_PLACE


def made_from(what: Any, parts: Sequence[int] = (), known: int = 0) -> int:
    """The hash of a formula from an operation and the hashes of its parts; what these know of a run, it knows, too."""
    for part in parts:
        known |= part
    return hash((what, *parts)) & ~_BITS | known & _BITS


def of_a_run(value: Any) -> int:
    """Whether something that one step of a run knows, or that is known of one place of it, is in the formula of a value."""
    return made_of(value) & _BITS


def made_of(value: Any) -> int:
    """The hash of a number, of a constant, or of a game, a policy or a list of them: all that decides what comes out of it."""
    kind: Any = type(value)  # what it is, and not what it says that it is
    if issubclass(kind, Made):
        if not value._made and evaluating() and not THREAD.within:
            raise FormulaError("numbers made by hand in a formula: they come from the case; constants by like(...)")
        return value._made and value._made ^ _SALT  # type: ignore[no-any-return]
    if kind is int or kind is Fraction:  # as a text, since numbers that differ by 2⁶¹ - 1 have the same hash
        return made_from(f"{value.numerator:x}/{value.denominator:x}")
    if id(kind) in _CONSTANTS or (issubclass(kind, np.generic) and is_known(kind)):
        return made_from((kind.__name__, str(value)))
    if kind is tuple or kind is list:
        return made_from(kind.__name__, [made_of(entry) for entry in value])
    if kind is slice or kind is range:
        return made_from(kind.__name__, [made_of(part) for part in (value.start, value.stop, value.step)])
    if kind is np.ndarray:
        entries = value.tolist()
        return made_from(value.shape, [made_of(entries if value.dtype.hasobject else str(entries))])
    if issubclass(kind, type) and is_known(value):
        return made_from(value.__qualname__)
    if not is_known(kind) or not (kind.__module__.startswith(_PACKAGE) or is_rational(value)):
        raise FormulaError(
            f"a {kind.__name__} among the arguments of a formula: it could say something else each time; give "
            "integers, Fractions, slices, lists and tuples, numbers of the case, games and policies"
        )
    if is_rational(value):
        return made_from(("flint", str(value)))
    if issubclass(kind, Enum):
        return made_from((kind.__qualname__, value.name))
    lists = (getattr(kind, name, None) for name in ("_fields", "__dataclass_fields__", "_in_formulas"))
    names = next((found for found in lists if found is not None), None)
    if names is None and not hasattr(value, "_system"):
        raise FormulaError(f"a {kind.__name__} among the arguments of a formula: of what it holds nothing is known")
    parts = {name: getattr(value, name, None) for name in names or ()}
    parts = {name: part for name, part in parts.items() if _counts(name, part)}
    return made_from((kind.__qualname__, *parts), [made_of(part) for part in parts.values()])


def is_rational(value: Any) -> bool:
    """Whether it is one of flint's exact numbers, which are constants like Python's."""
    flint: Any = sys.modules.get("flint")
    return flint is not None and (type(value) is flint.fmpq or type(value) is flint.fmpz)


_WORDS = ("name", "state_names", "action_names", "system")
"""Parts of games and policies that are no numbers."""


def _counts(name: str, part: Any) -> bool:
    """Whether a part of a game, or of another object, belongs to a formula."""
    return part is not None and name not in _WORDS


_PACKAGE = __name__.partition(".")[0]
_KNOWN = ("numpy", _PACKAGE, "flint")
"""Where the types come from of which something is known."""


_FOUND: dict[int, Any] = {}
"""Types that stand in these libraries, by their identity: a type can say of itself that it equals another one."""


def is_known(kind: Any) -> bool:
    """Whether a type stands in one of these libraries under the name that it gives."""
    if _FOUND.get(id(kind)) is kind:
        return True
    found: Any = sys.modules.get(kind.__module__) if kind.__module__.partition(".")[0] in _KNOWN else None
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    if found is kind:
        _FOUND[id(kind)] = kind
    return found is kind


_CONSTANTS = frozenset(map(id, (bool, str, float, type(None), type(Ellipsis))))


def kept(arguments: Any) -> Any:
    """Arguments as they are now: lists as copies, which nothing changes while the operation goes on."""
    if type(arguments) is list:
        return [kept(entry) for entry in arguments]
    if type(arguments) is tuple and any(type(entry) in (tuple, list) for entry in arguments):
        return tuple([kept(entry) for entry in arguments])
    return arguments


def made_by(name: Any, result: R, arguments: Sequence[Any]) -> R:
    """The result of an operation, numbers that are new, which say what made them."""
    if isinstance(result, Made) and not THREAD.quiet:
        for argument in arguments:
            if argument is result:
                return result
        result._made = made_from(name, [made_of(argument) for argument in arguments]) ^ _SALT
    return result


def called(name: Any, result: Any, arguments: Sequence[Any]) -> Any:
    """The result of a function, which may be known already, or several numbers."""
    if type(result) in (tuple, list):
        return type(result)(called((name, place), part, arguments) for place, part in enumerate(result))
    if not isinstance(result, Made):
        _say(result, name, arguments)
        return result
    if any(result is argument for argument in arguments):
        return result
    return made_by(name, result._copy(), arguments)


def _say(part: Any, name: Any, arguments: Sequence[Any]) -> None:
    """Numbers in a result that come from no operation are made by the function."""
    if isinstance(part, Made):
        if not part._made:
            made_by(name, part, arguments)
    elif isinstance(part, (tuple, list)):
        for place, entry in enumerate(part):
            _say(entry, (name, place), arguments)
    else:
        for field in getattr(type(part), "__dataclass_fields__", ()):
            _say(getattr(part, field, None), (name, field), arguments)


def quiet(function: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """What a function returns that says itself what it is: nothing that it computes inside counts."""
    before, THREAD.quiet = THREAD.quiet, True
    try:
        return function(*args, **kwargs)
    finally:
        THREAD.quiet = before


def _name_of(function: Any) -> str:
    """The name of a function, and of what it stands in: a quotient is not NumPy's where both are 0."""
    return f"{function.__module__}.{function.__qualname__}"


def said(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, whose result says that it made it."""
    name = _name_of(function)

    @wraps(function)
    def made(*args: P.args, **kwargs: P.kwargs) -> R:
        if THREAD.quiet:
            return function(*args, **kwargs)
        given = kept((*args, *kwargs.items()) if kwargs else args)
        return made_by(name, quiet(function, *args, **kwargs), given)

    return made


def aloud(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, whose numbers always say what made them: for what an object remembers, whoever asked for it first."""

    @wraps(function)
    def said(*args: P.args, **kwargs: P.kwargs) -> R:
        if not THREAD.quiet:
            return function(*args, **kwargs)
        before = THREAD.within
        THREAD.quiet, THREAD.within = False, True
        try:
            return function(*args, **kwargs)
        finally:
            THREAD.quiet, THREAD.within = True, before

    return said


SEVERAL_ARRAYS = "tuple[Array, ...]", "tuple[Array, Array]"
"""How a signature says that a function returns several arrays."""
_OF_ARRAYS = ("Array", "Truth", "PlainTruth", "Mask", *SEVERAL_ARRAYS)
"""What a function returns, as its signature says, all of whose numbers say what made them."""


def returns_arrays(function: Callable[..., Any]) -> bool:
    """Whether arrays are all that comes out, as its signature says."""
    return str(function.__annotations__.get("return")) in _OF_ARRAYS


def operation_of_many(function: Callable[P, R]) -> Callable[P, R]:
    """The same for a function of many operations, which need not say what they make if only arrays come out."""
    name = _name_of(function)
    if not returns_arrays(function):

        @wraps(function)
        def made(*args: P.args, **kwargs: P.kwargs) -> R:
            given = kept((*args, *kwargs.items()) if kwargs else args)
            if computes(given) or not any(map(of_one_instance, given)):
                return function(*args, **kwargs)
            return called(name, quiet(function, *args, **kwargs), given)  # type: ignore[no-any-return]

        return made

    @wraps(function)
    def quietly(*args: P.args, **kwargs: P.kwargs) -> R:
        if THREAD.quiet:
            return function(*args, **kwargs)
        given = kept((*args, *kwargs.items()) if kwargs else args)
        if computes(given):
            return function(*args, **kwargs)
        return called(name, quiet(function, *args, **kwargs), given)  # type: ignore[no-any-return]

    return quietly


def of_one_instance(value: Any) -> bool:
    """Whether these are numbers of one instance, or an object that has some."""
    if isinstance(value, (tuple, list)):
        try:
            return any(map(of_one_instance, value))
        except RecursionError:
            raise GameError("a list is nested too deeply, or holds itself; an array has at most 64 axes") from None
    return isinstance(value, Made) or hasattr(getattr(value, "system", value), "_system")


def is_data(value: Any) -> bool:
    """Whether it is a plain array or other data: nothing of one instance, and nothing that computes by itself."""
    kind = type(value)
    if kind in DATA or (kind in (tuple, list) and DATA.issuperset(map(type, value))):
        return True
    if type(getattr(value, "system", None)) is System:  # a plain game or policy
        return True
    return not (_computes(value) or of_one_instance(value))


def computes(arguments: Iterable[Any]) -> bool:
    """Whether an argument computes numbers itself, as a function or an iterator does: then all operations count one by one."""
    return any(map(_computes, arguments))


def _computes(value: Any) -> bool:
    kind = type(value)
    return hasattr(kind, "__next__") or (callable(value) and not (issubclass(kind, type) and is_known(value)))


def operations(kind: type, *names: str) -> None:
    """Methods and properties of a class as operations."""
    for name in names:
        given = vars(kind)[name]
        if isinstance(given, property) and given.fget is not None:
            setattr(kind, name, property(said(given.fget), doc=given.__doc__))
        else:
            setattr(kind, name, said(given))
