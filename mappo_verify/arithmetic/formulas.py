"""Which formula made a number: what must be the same on every instance and in every number system.

A proof is evaluated many times: over symbols, and on instances side by side and alone.  What is proved is one formula; if another
one were evaluated on some instance, nothing would be known of it.  So the numbers of an instance carry the hash of the formula
that made them: of the operation, and of the hashes of what it was applied to.  Ingredients of a case are leaves.  The engine
compares these hashes line by line, so no way of telling evaluations apart (a clock, a counter, the names of types) leads to
another formula unseen.  Primitives that compute one thing in several ways count as one operation.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from ..errors import FormulaError

P = ParamSpec("P")
R = TypeVar("R")


class Made:
    """What has the hash of its formula; 0 where that is not known."""

    __slots__ = ("_made",)
    _made: int

    def _copy(self) -> Made:
        """The same, as another object."""
        raise NotImplementedError


class _Thread(threading.local):
    quiet = 0


_THREAD = _Thread()
"""How many functions are being computed here whose result says what made it, whatever they compute inside."""


def made_of(value: Any) -> int:
    """The hash of a number, of a constant, or of a game, a policy or a list of them."""
    if isinstance(value, Made):
        return value._made
    if not _known(type(value)):  # type: ignore[arg-type]
        raise FormulaError(
            f"a {type(value).__name__} among the arguments of a formula: it could say something else each time; give "
            "integers, Fractions, slices, lists and tuples, numbers of the case, games and policies"
        )
    if isinstance(value, slice):
        return hash(("slice", *map(made_of, (value.start, value.stop, value.step))))
    if isinstance(value, (int, Fraction)):  # as a text, since numbers that differ by 2⁶¹ - 1 have the same hash
        return hash(f"{value.numerator:x}/{value.denominator:x}")
    if isinstance(value, _CONSTANTS):
        return hash((type(value).__name__, str(value)))
    if isinstance(value, (tuple, list)):
        return hash(tuple([made_of(entry) for entry in value]))
    if isinstance(value, np.ndarray):
        return hash((value.shape, str(value.tolist())))
    names = getattr(value, "__dataclass_fields__", None)
    if names is None or isinstance(value, type):
        return hash(type(value).__name__)
    parts = ((name, getattr(value, name, None)) for name in names)
    return hash(tuple([(name, made_of(part)) for name, part in parts if _counts(part)]))


def _counts(part: Any) -> bool:
    """Whether a part of a game, or of another object, belongs to a formula: its numbers do, and no names or masks."""
    if isinstance(part, (tuple, list)):
        return any(map(_counts, part))
    return not (part is None or isinstance(part, (str, np.ndarray)))


_KNOWN = ("fractions", "numpy", __name__.partition(".")[0], "flint", "enum", "functools")
"""Where the types come from of which something is known."""
CLASS_STATEMENT = 1 << 9
"""A flag of Python's types: made by a class statement, not in C."""


@cache
def _known(kind: type) -> bool:
    """Whether a type is Python's own, or stands in one of these libraries under the name that it gives."""
    if kind.__module__ == "builtins":
        return not kind.__flags__ & CLASS_STATEMENT
    found: Any = sys.modules.get(kind.__module__) if kind.__module__.partition(".")[0] in _KNOWN else None
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is kind


_CONSTANTS = (str, float, np.generic, type(None), type(Ellipsis))


def made_by(name: Any, result: R, arguments: Sequence[Any]) -> R:
    """The result of an operation, numbers that are new, which say what made them."""
    if isinstance(result, Made) and not _THREAD.quiet:
        for argument in arguments:
            if argument is result:
                return result
        result._made = hash((name, *[made_of(argument) for argument in arguments]))
    return result


def called(name: Any, result: Any, arguments: Sequence[Any]) -> Any:
    """The result of a function, which may be known already, or several numbers."""
    if type(result) in (tuple, list):
        return type(result)(called((name, place), part, arguments) for place, part in enumerate(result))
    if not isinstance(result, Made) or any(result is argument for argument in arguments):
        return result
    return made_by(name, result._copy(), arguments)


def operation(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, whose result says that it made it."""
    name = function.__qualname__

    @wraps(function)
    def made(*args: P.args, **kwargs: P.kwargs) -> R:
        return made_by(name, function(*args, **kwargs), (*args, *kwargs.items()) if kwargs else args)

    return made


SEVERAL_ARRAYS = "tuple[Array, ...]", "tuple[Array, Array]"
"""How a signature says that a function returns several arrays."""
_OF_ARRAYS = ("Array", "Truth", "PlainTruth", "Mask", *SEVERAL_ARRAYS)
"""What a function returns, as its signature says, all of whose numbers say what made them."""


def operation_of_many(function: Callable[P, R]) -> Callable[P, R]:
    """The same for a function of many operations, which need not say what they make if only arrays come out."""
    name = function.__qualname__
    if str(function.__annotations__.get("return")) not in _OF_ARRAYS:

        @wraps(function)
        def made(*args: P.args, **kwargs: P.kwargs) -> R:
            result: R = called(name, function(*args, **kwargs), (*args, *kwargs.items()) if kwargs else args)
            return result

        return made

    @wraps(function)
    def quietly(*args: P.args, **kwargs: P.kwargs) -> R:
        _THREAD.quiet += 1
        try:
            result = function(*args, **kwargs)
        finally:
            _THREAD.quiet -= 1
        if not _THREAD.quiet:
            result = called(name, result, (*args, *kwargs.items()) if kwargs else args)
        return result

    return quietly


def operations(kind: type, *names: str) -> None:
    """Methods and properties of a class as operations."""
    for name in names:
        given = vars(kind)[name]
        if isinstance(given, property) and given.fget is not None:
            setattr(kind, name, property(operation(given.fget), doc=given.__doc__))
        else:
            setattr(kind, name, operation(given))
