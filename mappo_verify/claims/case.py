"""A case is one instance of a setting, or a batch of them: its ingredients in one number system."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arithmetic import Hidden, System, Truth, compare, system_of
from ..arithmetic.numbers import take
from ..arithmetic.one_instance import require_outside
from ..errors import ClaimError
from ..model import Game, Policy
from ..model.conversion import convert
from ..model.trees import converted, mapped, unwrapped
from ..model.validation import array_of, require_finite
from .coordinates import Coordinate, Numbers, Sizes

Built = Mapping[str, Any]
"""The ingredients of an instance that are built already, by name."""


class Ingredient:
    """One named part of an instance: described by integers, built from them, or taken from what a user gives."""

    name: str
    optional: bool = False
    moves: bool = False
    """Whether it may be another one in every step of a run: what a proof for every number of steps must not take as constant."""
    compute: Callable[[Case], Any] | None = None
    """How it follows from the ingredients before it; None for what is drawn or given."""

    exact: bool = False
    """Whether what is computed needs numbers that can be ordered; in balls it is that of the exact instance behind them."""

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        """The integers that describe it."""
        raise NotImplementedError

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> Any:
        """The object, from its coordinates in some number system; ``built`` holds the ingredients before it."""
        raise NotImplementedError

    def convert(self, value: Any, target: System) -> Any:
        """A user's object in another number system; non-finite numbers are refused by name and index."""
        given = array_of(value, self.name)
        require_finite(self.name, given)
        return convert(given, target)

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """What every instance satisfies by construction; verified all the same, for a user's objects may not."""
        return ()

    def steps_of(self, value: Any, sizes: Sizes) -> int | None:
        """The length of the run that a user's object describes; None where it tells nothing about a length."""
        return None

    def core_shape(self, sizes: Sizes) -> tuple[int, ...] | None:
        """The axes that a user's array has beyond the batch; None for a game or a policy, which know their own."""
        return self.coordinates(sizes)[0].shape

    def in_words(self, numbers: Numbers, sizes: Sizes) -> str:
        """One instance in a few words, from its coordinates; empty where its numbers say it best."""
        return ""

    def fixed_on(self, game: Game) -> Any:
        """What it is on a user's game, where that leaves no choice; None where any object is right."""
        return None

    def telling_on(self, game: Game, best: Policy | None) -> Any:
        """An object that deserves a case of its own on a user's game, whose optimal policy is ``best`` if it has one."""
        return None

    def plain_on(self, game: Game) -> Any:
        """The plainest object on a user's game, to show a claim with; None where a drawn one must do."""
        return None

    def batch_of(self, value: Any) -> tuple[int, ...]:
        """The batch axes of a user's object."""
        if isinstance(value, (Game, Policy)):
            return value.batch_shape
        core = len(self.core_shape(Sizes(1, (1,))) or ())
        return tuple(np.shape(value)[: max(np.ndim(value) - core, 0)])


@dataclass(frozen=True)
class Hypothesis:
    """A condition of the claim: ``holds(case)`` is a comparison, or a relation ``(left, "≤", right)``; an axis means "for all".

    The relation is one of ``< ≤ = ≥ >``.  A search reads from either how much an instance lacks, and moves to where less is
    missing.  ``by_construction`` says that the setting only draws instances that satisfy it; it is verified all the same.
    A proof may use a relation by :func:`.axioms.given`.
    """

    name: str
    holds: Callable[[Case], Any]
    by_construction: bool = False

    def truth(self, case: Case) -> Truth:
        """Three-valued truth of the condition."""
        found = self.holds(case)
        return compare(*found) if isinstance(found, tuple) else found

    def slack(self, case: Case) -> Any:
        """What a relation says is at least 0: ``left - right``, or ``right - left`` for ``≤`` and ``<``."""
        found = self.holds(case)
        if not isinstance(found, tuple) or found[1] not in ("≤", "<", "≥", ">"):
            raise ClaimError(
                f"the hypothesis {self.name!r} says of nothing that it is at least 0; write it as a relation: "
                'Hypothesis(name, lambda case: (left, "≥", right))'
            )
        left, relation, right = found
        return left - right if relation in ("≥", ">") else right - left


class Case:
    """One instance: its ingredients in one number system, as attributes of their names.

    ``several`` is how many lie side by side, ``()`` for one alone: for the engine, since a proof sees the numbers of one.
    """

    RESERVED = frozenset(
        {
            "ingredients",
            "sizes",
            "system",
            "several",
            "batch_shape",
            "objects",
            "handed_in",
            "plain",
            "take",
            "to",
            "steps",
            "derived",
            "origin",
            "exactly",
            "RESERVED",
        }
    )
    batch_shape: tuple[int, ...] = ()

    def __init__(
        self,
        ingredients: tuple[Ingredient, ...],
        sizes: Sizes,
        system: System,
        several: tuple[int, ...],
        objects: Mapping[str, Any],
        origin: Case | None = None,
    ) -> None:
        self.origin = origin
        self.ingredients = ingredients
        self.sizes = sizes
        self.system = Hidden(system)
        self.several = several
        self.objects = dict(objects)
        self.derived: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        objects, derived = self.__dict__.get("objects", {}), self.__dict__.get("derived", {})
        if name in objects:
            return objects[name]
        for ingredient in self.__dict__.get("ingredients", ()):
            if ingredient.name == name and ingredient.compute is not None:
                if name not in derived:
                    origin = self.__dict__["origin"]
                    derived[name] = (
                        converted(getattr(origin, name), self.system.system)
                        if ingredient.exact and origin is not None
                        else ingredient.compute(self)
                    )
                return derived[name]
        raise AttributeError(f"this case has no {name!r}; it has {sorted(objects)}")

    def handed_in(self) -> Iterator[tuple[str, Any, Any]]:
        """Name, given object, and what it would be, of every derived ingredient that the user has given all the same."""
        for ingredient in self.ingredients:
            if ingredient.compute is not None and ingredient.name in self.objects:
                rest = {name: value for name, value in self.objects.items() if name != ingredient.name}
                own = Case(self.ingredients, self.sizes, self.system.system, self.several, rest, self.origin)
                yield ingredient.name, self.objects[ingredient.name], ingredient.compute(own)

    def to(self, target: System) -> Case:
        """The same instance in another number system; what is derived is derived anew there."""
        if self.system == target:
            return self
        objects = {name: converted(value, target) for name, value in self.objects.items()}
        origin = self if self.system == System.RATIONALS else self.origin
        return Case(self.ingredients, self.sizes, target, self.several, objects, origin)

    def exactly(self) -> Case:
        """The exact instance behind balls; itself where there is none: for what an ingredient says of its own construction."""
        return self if self.origin is None else self.origin

    def plain(self) -> dict[str, Any]:
        """All that is given or has been derived, as plain games, policies and arrays: for pages and tables."""
        require_outside("plain arrays of a case")
        return {name: unwrapped(value, self.several) for name, value in (self.derived | self.objects).items()}

    def take(self, chosen: Any) -> Case:
        """The instances under a mask; what is derived is derived anew."""
        require_outside("chosen instances of a case")
        if not self.several:
            return self
        places = np.flatnonzero(chosen)
        known: dict[int, Any] = {}  # what two objects share stays shared, so it is still known to be equal

        def kept(part: Any) -> Any:
            if id(part) not in known:
                known[id(part)] = take(part, places)
            return known[id(part)]

        objects = {name: mapped(kept, value) for name, value in self.objects.items()}
        origin = None if self.origin is None else self.origin.take(chosen)
        return Case(self.ingredients, self.sizes, self.system.system, (len(places),), objects, origin)


def system_of_object(value: Any) -> System:
    """The number system of a game, a policy, a table, or a tuple of tables."""
    if isinstance(value, (Game, Policy)):
        return value.system
    found: System = system_of(*value) if isinstance(value, tuple) else system_of(array_of(value, "value"))
    return found
