"""Wrappers with the parameters of what they wrap, so that a call costs little beside its work.

Formulas over plain arrays call each other by the dozen, and one game keeps NumPy busy for a microsecond at a time.  A wrapper
that takes ``*args, **kwargs`` and looks through them costs another half of one; one with the parameters of its function, a
tenth.  Such wrappers are made from a text, as :mod:`dataclasses` makes its methods.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from fractions import Fraction
from functools import cache, wraps
from types import CodeType
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np

from .system import System

P = ParamSpec("P")
R = TypeVar("R")


class Given(NamedTuple):
    """The arguments of a call."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def same_call(function: Callable[P, R], body: str, is_data: Callable[[Any], bool], **names: Any) -> Callable[P, R]:
    """A function with the parameters of ``function`` that does what ``body`` says.

    ``names`` are known there, each after an underscore, and ``_function``; no parameter begins with one.  The text may ask for

    ``{given}``
        the arguments, as one hands them on;
    ``{asked}``
        the same as :class:`Given`, without defaults at the end, whether they were given or not: for what asks of a call;
    ``{data}``
        whether all arguments are plain arrays and other data, as ``is_data`` says of one;
    ``{arrays}``
        the same, and whether what the signature calls an array is one already.
    """
    parameters = list(inspect.signature(function).parameters.values())
    several = [p.name for p in parameters if p.kind is p.VAR_POSITIONAL]
    more = [f"**{p.name}" for p in parameters if p.kind is p.VAR_KEYWORD]
    places = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    named = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}

    def asked(args: tuple[Any, ...], rest: tuple[Any, ...], kwargs: dict[str, Any]) -> Given:
        count = len(args)
        while count and not rest and places[count - 1] in defaults and args[count - 1] is defaults[places[count - 1]]:
            count -= 1
        others = {name: value for name, value in kwargs.items() if name not in defaults or value is not defaults[name]}
        return Given((*args[:count], *rest), others)

    listed = "".join(f"{name}, " for name in places)
    rest = several[0] if several else "()"
    keywords = ", ".join([*(f"{name!r}: {name}" for name in named), *more])
    data, arrays = ([_is_data(p, arrays) for p in parameters] for arrays in (False, True))
    declared = [_declared(p) for p in parameters]
    if named and not several:
        declared.insert(len(places), "*")
    text = f"def call({', '.join(declared)}):" + body.format(
        given=", ".join([*places, *(f"*{name}" for name in several), *(f"{name}={name}" for name in named), *more]),
        asked=f"_asked(({listed}), {rest}, {{{keywords}}})",
        arrays=" and ".join(arrays) or "True",
        data=" and ".join(data) or "True",
    )
    known = {f"_default_{name}": value for name, value in defaults.items()}
    known |= {f"_{name}": value for name, value in names.items()}
    known |= {"_function": function, "_asked": asked, "_is_data": is_data}
    known |= {"_ndarray": np.ndarray, "_System": System, "_DATA": DATA}
    exec(_compiled(text), known)
    return wraps(function)(known["call"])


DATA = frozenset({np.ndarray, np.float64, int, float, Fraction, bool, str, type(None), System})
"""Types of what is data beyond doubt."""
ARRAY = "Array", "Array | None"
"""How a signature says that an argument is an array."""


def _declared(parameter: inspect.Parameter) -> str:
    """A parameter as one declares it; its default has a name."""
    star = "*" * (parameter.kind is parameter.VAR_POSITIONAL) + "**" * (parameter.kind is parameter.VAR_KEYWORD)
    return star + parameter.name + ("" if parameter.default is parameter.empty else f"=_default_{parameter.name}")


def _is_data(parameter: inspect.Parameter, arrays: bool) -> str:
    """Whether an argument is data: first, in a few nanoseconds, whether it is what it mostly is."""
    name = parameter.name
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"(_DATA.issuperset(map(type, {name})) or all(map(_is_data, {name})))"
    if parameter.kind is parameter.VAR_KEYWORD:
        return f"all(map(_is_data, {name}.values()))"
    if parameter.annotation in ("Game", "Policy"):
        return f"(type(getattr({name}, 'system', None)) is _System or _is_data({name}))"
    if parameter.annotation in ARRAY:
        return f"type({name}) is _ndarray" if arrays else f"(type({name}) is _ndarray or _is_data({name}))"
    if parameter.annotation == "Any":
        return f"(type({name}) is _ndarray or type({name}) in _DATA or _is_data({name}))"
    return f"(type({name}) in _DATA or _is_data({name}))"


@cache
def _compiled(text: str) -> CodeType:
    """Many functions have the same parameters."""
    return compile(text, f"{__file__}, a wrapper", "exec")
