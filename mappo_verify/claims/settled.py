"""What a setting is made of does not change once it is made.

A proof is sought, and instances are drawn, at different times; what the ingredients say of themselves must be the same at both.
The ingredients of this package hold plain data.  One of a user's own may be any object: it is asked once, and a copy that
answers so for ever takes its place.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from functools import cache, partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from ..arithmetic.formulas import is_known
from ..errors import ClaimError
from .case import Ingredient
from .coordinates import Coordinate, Sizes

PLAIN = (bool, int, str, Fraction, type(None))
FUNCTIONS = (FunctionType, MethodType, BuiltinFunctionType, partial, type(cache(len)))
"""What a function is an object of: one that can be called, but is also a number or a truth, is none."""
SAID = {"name": str, "optional": bool, "moves": bool, "exact": bool}
"""What every ingredient says of itself."""


def of_this_package(ingredient: Ingredient) -> bool:
    """Whether it is of a kind that stands in this package."""
    kind: Any = type(ingredient)
    return is_known(kind)


def settled(ingredient: Ingredient) -> Ingredient:
    """The same ingredient, whose answers about itself do not change."""
    if of_this_package(ingredient):
        assert is_dataclass(ingredient)
        changed = {}
        for field in fields(ingredient):
            value = getattr(ingredient, field.name)
            kept = _plain(ingredient.name, field.name, value)
            changed |= {field.name: kept} if kept is not value else {}
        return replace(ingredient, **changed) if changed else ingredient
    kind = type(ingredient)
    if kind.__getattribute__ is not object.__getattribute__:
        raise ClaimError(f"{kind.__name__} answers for its attributes by itself; let it be a plain class")
    said: dict[str, Any] = {name: getattr(ingredient, name) for name in (*SAID, "compute")}
    for name, wanted in SAID.items():
        if type(said[name]) is not wanted:
            raise ClaimError(f"{kind.__name__}: {name} = {said[name]!r} must be a {wanted.__name__}")
    hypotheses, facts = tuple(ingredient.hypotheses()), tuple(ingredient.facts())
    known: dict[Sizes, tuple[Coordinate, ...]] = {}

    def coordinates(_: Any, sizes: Sizes) -> tuple[Coordinate, ...]:
        if sizes not in known:
            found = tuple(ingredient.coordinates(sizes))
            for one in found:
                if type(one) is not Coordinate:
                    raise ClaimError(f"{kind.__name__}: a {type(one).__name__} among its coordinates")
            known[sizes] = found
        return known[sizes]

    def notation(self: Ingredient, coordinate: str, index: tuple[int, ...]) -> str:
        """A reader of conditions sees of which ingredient they speak, whatever its coordinates are called."""
        own = coordinate == self.name or coordinate.startswith(f"{self.name}.")
        return Ingredient.notation(self, coordinate if own else f"{self.name}.{coordinate}", index)

    def fixed(value: Any) -> property:
        return property(lambda _: value)

    body: dict[str, Any] = {name: fixed(value) for name, value in said.items()}
    body |= {
        "coordinates": coordinates,
        "hypotheses": lambda _: hypotheses,
        "facts": lambda _: facts,
        "notation": notation,
        "__module__": kind.__module__,
    }
    same: Ingredient = object.__new__(type(kind.__name__, (kind,), body))
    same.__dict__.update(vars(ingredient))
    return same


def _plain(name: str, field: str, value: Any) -> Any:
    """The value with tuples for lists; an error for what could say something else each time, as a number of one's own."""
    kind = type(value)  # types are compared by what they are: one of one's own may say that it equals another
    if kind is tuple or kind is list:
        kept = tuple([_plain(name, field, entry) for entry in value])
        return value if kind is tuple and all(one is two for one, two in zip(value, kept, strict=True)) else kept
    if isinstance(value, Ingredient):
        return settled(value)
    if any(kind is plain for plain in (*PLAIN, *FUNCTIONS)):
        return value
    raise ClaimError(f"{name}: {field} = {value!r} is a {kind.__name__}; give plain integers, words and functions")
