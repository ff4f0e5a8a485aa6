"""What every public function does beside its work: arrays in and out, errors in the words of the caller, a record of calls.

Where its signature says ``Array`` it takes lists and numbers as well, and what it returns is an array even where NumPy makes a
number of it (the sum of a row of rationals).  Formulas therefore convert nothing.

A public function checks what it can name well.  Whatever else a wrong argument makes NumPy raise (shapes that do not broadcast,
an object that is no game, an index that is out of bounds) becomes one error of ours, with the function, what was given, and what
it takes; the first error stays its cause.  A call that does not fit the signature stays Python's own ``TypeError``.

In a formula over one instance nothing is translated: there the engine tells a malformed proof from an instance without numbers.
Instead it may ask by :func:`called` which quantities a line of a proof computes.

>>> import mappo_verify as mv
>>> try:
...     mv.returns(mv.named_game("climbing"), 3)
... except mv.errors.ArgumentError as error:
...     print(str(error).partition("; given")[0])
returns: policy is 3, not a Policy
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from ..errors import OPEN, ArgumentError, MappoVerifyError
from .array import as_array
from .calls import Given, same_call
from .formulas import SEVERAL_ARRAYS, is_data, of_one_instance, operation_of_many, said
from .one_instance import OneInstance

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)

FOREIGN = (
    TypeError,
    ValueError,
    AttributeError,
    LookupError,
    ArithmeticError,
    MemoryError,
    OSError,
    RuntimeError,
)
SHOWN = 60
"""Characters of one argument in a message."""


_CALLED: ContextVar[list[str] | None] = ContextVar("names of the quantities that were called", default=None)


@contextmanager
def called() -> Iterator[list[str]]:
    """The names of the quantities that are called inside, in order; not those that they call in turn."""
    names: list[str] = []
    token = _CALLED.set(names)
    try:
        yield names
    finally:
        _CALLED.reset(token)


def _recorded(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, which says that it is called to whoever asks."""

    @wraps(function)
    def recorded(*args: P.args, **kwargs: P.kwargs) -> R:
        names = _CALLED.get()
        if names is None:
            return function(*args, **kwargs)
        names.append(function.__name__)
        token = _CALLED.set(None)
        try:
            return function(*args, **kwargs)
        finally:
            _CALLED.reset(token)

    return recorded


def over_arrays(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, which makes arrays of what its signature calls so."""
    signature = inspect.signature(function)
    taken = [
        (place, name)
        for place, (name, parameter) in enumerate(signature.parameters.items())
        if parameter.annotation in ("Array", "Array | None")
    ]
    returns = str(signature.return_annotation)
    one, several = returns == "Array", returns in SEVERAL_ARRAYS
    if not (taken or one or several):
        return function
    places = [place for place, _ in taken]
    last = max(places, default=-1)

    def arrays(args: Any, kwargs: Any) -> Any:
        given = list(args)
        for place, name in taken:
            value = given[place] if place < len(given) else kwargs.get(name)
            if type(value) is np.ndarray or value is None or isinstance(value, OneInstance):
                continue
            if isinstance(value, (int, Fraction)) and of_one_instance((*args, *kwargs.values())):
                continue  # an exact constant beside the numbers of one instance
            if place < len(given):
                given[place] = as_array(value)
            else:
                kwargs[name] = as_array(value)
        return given

    @wraps(function)
    def converted(*args: Any, **kwargs: Any) -> Any:
        if last >= len(args):
            args = arrays(args, kwargs)
        else:
            for place in places:
                if type(args[place]) is not np.ndarray:
                    args = arrays(args, kwargs)
                    break
        result: Any = function(*args, **kwargs)
        if one:
            return result if type(result) is np.ndarray else as_array(result)
        return tuple(map(as_array, result)) if several else result

    return converted


def explained(function: Callable[P, R]) -> Callable[P, R]:
    """The same function; what its arguments make others raise is an :class:`~mappo_verify.errors.ArgumentError`."""
    plain = over_arrays(function)
    inner = operation_of_many(plain)
    if ".quantities." in function.__module__:
        inner = _recorded(inner)
    return _calling(function, _OF_MANY, plain=plain, inner=inner)


def elementary(direct: Callable[..., Any]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """:func:`explained`, for a function of the numbers of one instance; of plain data ``direct`` computes the same."""
    return lambda function: _calling(function, _ELEMENTARY, direct=direct, inner=operation_of_many(function))


def operation(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, whose result says that it made it; of plain arrays there is nothing to say."""
    return operation_beside(function)(function)


def operation_beside(direct: Callable[..., Any]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """:func:`operation`, for a function that of plain data computes what ``direct`` does."""
    return lambda function: _calling(function, _ELEMENTARY, direct=direct, inner=said(function))


def helper(function: Callable[P, R]) -> Callable[P, R]:
    """:func:`explained` where nothing is converted and no formula asked for: what moves axes or looks at plain arrays."""
    return _calling(function, _HELPER, inner=function)


def _calling(function: Callable[P, R], body: str, inner: Callable[..., Any], **names: Any) -> Callable[P, R]:
    """A call of the same parameters that does what ``body`` says; ``inner`` is asked where not all is plain data."""
    whole = _WHOLE.get(str(function.__annotations__.get("return")), "_result")
    names |= {
        "inner": lambda given: inner(*given.args, **given.kwargs),
        "explain": _explainer(function),
        "as_array": as_array,
    }
    names |= {"OPEN": OPEN, "FOREIGN": FOREIGN}
    return same_call(function, body.replace("{result}", whole), is_data, **names)


def _explainer(function: Callable[..., Any]) -> Callable[[BaseException, Given], None]:
    """Raises our error where there is one to raise for a call of this function."""

    def explain(error: BaseException, given: Given) -> None:
        if isinstance(error, ArgumentError):  # of a function that this one called: say it of the outermost
            error = error.__cause__ or error
        elif isinstance(error, MappoVerifyError):
            return
        _explain(error, function, function.__name__, given.args, given.kwargs)

    return explain


_ELEMENTARY = """
    try:
        if {data}:
            _result = _direct({given})
        else:
            return _inner({asked})
    except _FOREIGN as _error:
        _explain(_error, {asked})
        raise
    return {result}
"""

_HELPER = """
    try:
        return _function({given})
    except _FOREIGN as _error:
        _explain(_error, {asked})
        raise
"""

_OF_MANY = """
    try:
        if _OPEN:
            return _inner({asked})
        elif {arrays}:
            _result = _function({given})
        elif {data}:
            _result = _plain({given})
        else:
            return _inner({asked})
    except _FOREIGN as _error:
        _explain(_error, {asked})
        raise
    return {result}
"""

_WHOLE = {"Array": "_result if type(_result) is _ndarray else _as_array(_result)"}
_WHOLE |= dict.fromkeys(SEVERAL_ARRAYS, "tuple(map(_as_array, _result))")
"""What NumPy makes a number of is an array, where the signature says so."""


def explained_methods(kind: C) -> C:
    """The same class, whose public methods that take arguments say what is wrong with these as public functions do."""
    for name, method in list(vars(kind).items()):
        if inspect.isfunction(method) and not name.startswith("_") and method.__code__.co_argcount > 1:
            setattr(kind, name, _explained_method(kind, method))
    return kind


def _explained_method(kind: type, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except MappoVerifyError:
            raise
        except FOREIGN as error:
            _explain(error, method, f"{kind.__name__}.{method.__name__}", args, kwargs)
            raise

    return guarded


def explained_class(kind: C) -> C:
    """The same class, whose constructor is :func:`explained`."""
    made = kind.__init__  # type: ignore[misc]

    @wraps(made)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            made(self, *args, **kwargs)
        except ArgumentError as error:
            _explain(error.__cause__ or error, kind, kind.__name__, args, kwargs)
            raise
        except MappoVerifyError:
            raise
        except FOREIGN as error:
            _explain(error, kind, kind.__name__, args, kwargs)
            raise

    kind.__init__ = guarded  # type: ignore[misc]
    return kind


def _explain(error: BaseException, function: Callable[..., Any], name: str, args: Any, kwargs: Any) -> None:
    """Raises our error; returns where the original one is to be raised."""
    if of_one_instance((*args, *kwargs.values())):
        return
    try:
        given = inspect.signature(function).bind(*args, **kwargs).arguments
    except TypeError:
        return
    named = ", ".join(f"{parameter} = {shown(value)}" for parameter, value in given.items() if parameter != "self")
    reason = _misplaced(function, given) or (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    takes = (inspect.getdoc(function) or "").partition("\n\n")[0].replace("\n", " ").replace("``", "")
    takes = re.sub(r":[a-z]+:`~?([^`]*)`", r"\1", takes)[:300].rstrip(". ")
    raise ArgumentError(f"{name}: {reason}; given {named}" + (f"; it is {takes}" if takes else "")) from error


def _misplaced(function: Callable[..., Any], given: Mapping[str, Any]) -> str:
    """Which argument is no game or policy although one is taken: arguments in the wrong order, mostly."""
    kinds = getattr(function, "__annotations__", {})
    for parameter, value in given.items():
        wanted = str(kinds.get(parameter))
        if wanted in ("Game", "Policy") and wanted not in [kind.__name__ for kind in type(value).__mro__]:
            return f"{parameter} is {shown(value)}, not a {wanted}"
    return ""


def shown(value: Any) -> str:
    """An argument in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array {list(value.shape)} of {value.dtype}"
    if isinstance(value, (tuple, list)) and len(value) > 4:
        return f"a {type(value).__name__} of length {len(value)}"
    if isinstance(value, (tuple, list)):
        inside = ", ".join(f"a {type(v).__name__}" if isinstance(v, (tuple, list)) else shown(v) for v in value)
        return f"({inside})" if isinstance(value, tuple) else f"[{inside}]"
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
