"""A setting says what an instance of a claim is: a declarative schema of ingredients, hypotheses and sizes.

Sampler, Hypothesis strategies, falsifier, shrinker and certificates interpret the schema; none of them is written here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from ..arithmetic import System
from ..arithmetic.formulas import made_of
from ..arithmetic.numbers import wrap
from ..arithmetic.one_instance import PACKAGE, require_outside, within_a_proof
from ..errors import ClaimError, Sealed, require_printable
from ..model import Game, Policy
from ..model.trees import COORDINATE, hidden, leaf
from .case import Case, Hypothesis, Ingredient, system_of_object
from .coordinates import SMALLEST, Coordinate, Sizes
from .settled import of_this_package, settled


@dataclass(frozen=True)
class Setting(Sealed):
    """What an instance is: ingredients in order, hypotheses, and the sizes worth drawing.

    Parameters
    ----------
    name : str
        What an instance is, in words.
    ingredients : tuple
        ``GameData``, ``PolicyData``, ``Distribution``, ``Table``, ``PositiveScalar``, ``LogOdds``, ``Derived``, ...; a case has
        each as an attribute of its name.
    hypotheses : tuple of Hypothesis
        Where one fails, an instance is NOT_APPLICABLE; it counts neither for nor against the claim.  One that makes sense only
        under another (returns exist where γ < 1) comes after it.
    agents, states, action_range : (smallest, largest)
        Sizes to draw.  Where the ingredients do not depend on one, make it ``(1, 1)``: otherwise the same instances come again.
    steps : tuple of int
        Lengths to try, for runs.
    max_agents, max_states, max_actions : int
        What the claim is tried on at most when a user gives a game.
    """

    name: str
    ingredients: tuple[Ingredient, ...]
    hypotheses: tuple[Hypothesis, ...] = ()
    agents: tuple[int, int] = (1, 3)
    states: tuple[int, int] = (1, 3)
    steps: tuple[int, ...] = (1,)
    action_range: tuple[int, int] = (1, 3)
    max_agents: int = 8
    max_states: int = 10_000
    max_actions: int | None = None
    max_table: int = 20_000
    """Entries of a table over states and joint actions, beyond which a claim is not tried on a user's game."""
    explore: bool = True
    """Whether float batches are worth drawing; not where every instance starts an external solver."""
    limit: int | None = None
    """How many exact instances of a size the quick profile draws at most, where each is a long run; others in proportion."""
    exhibit: Callable[[Case], Mapping[str, Any]] | None = None
    """Exact tables that an instance stands for without naming them: a certificate shows them beside the coordinates."""

    def __post_init__(self) -> None:
        require_printable("the name of a setting", self.name)
        for part, kind in ((self.ingredients, Ingredient), (self.hypotheses, Hypothesis)):
            if not isinstance(part, (tuple, list)):
                raise ClaimError(f"setting {self.name!r}: {part!r} must be in a tuple: ({kind.__name__}(...),)")
            for entry in part:
                if not isinstance(entry, kind):
                    called = f"; write {entry.__name__}(...)" if isinstance(entry, type) else ""
                    raise ClaimError(f"setting {self.name!r}: {entry!r} is no {kind.__name__}{called}")
        for what in ("agents", "states", "action_range"):
            given = getattr(self, what)
            if not _are_counts(given) or len(given) != 2 or given[0] > given[1]:
                raise ClaimError(
                    f"setting {self.name!r}: {what} = {given!r}; it must be (smallest, largest), from 1 on"
                )
        if self.limit is not None and not _are_counts((self.limit,)):
            raise ClaimError(f"setting {self.name!r}: limit = {self.limit!r}; it must be an integer from 1 on, or None")
        steps: Any = self.steps
        if not _are_counts(tuple(steps) if isinstance(steps, list) else steps):
            raise ClaimError(
                f"setting {self.name!r}: steps = {self.steps!r}; it must be the lengths of runs that are drawn, from 1 on, such "
                "as (1, 2, 5)"
            )
        object.__setattr__(self, "ingredients", tuple(map(settled, self.ingredients)))
        object.__setattr__(self, "hypotheses", tuple(self.hypotheses))
        object.__setattr__(self, "steps", tuple(self.steps))
        object.__setattr__(self, "_known", {})
        names = [ingredient.name for ingredient in self.ingredients]
        for name in names:
            if type(name) is str:
                require_printable(f"setting {self.name!r}: the name {name!a}", name)
            if type(name) is not str or not name.isidentifier() or name.startswith("_"):
                raise ClaimError(
                    f"setting {self.name!r}: {name!r} is no name that a case can have; it is a word without _ before it"
                )
            if name in Case.RESERVED:
                raise ClaimError(f"setting {self.name!r}: {name!r} is taken by Case; choose another name")
        if len(set(names)) < len(names):
            raise ClaimError(f"setting {self.name!r} names an ingredient twice: {names}")

    @cached_property
    def all_hypotheses(self) -> tuple[Hypothesis, ...]:
        """Those of the ingredients (by construction), then those of the claim."""
        return (*(h for ingredient in self.ingredients for h in ingredient.hypotheses()), *self.hypotheses)

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        """All integers that describe an instance of these sizes."""
        known: dict[Sizes, tuple[Coordinate, ...]] = self._known  # type: ignore[attr-defined]
        if sizes not in known:
            found = tuple(c for ingredient in self.ingredients for c in ingredient.coordinates(sizes))
            names = [c.name for c in found]
            if len(set(names)) < len(names):  # one number, of which two ingredients may say different things
                raise ClaimError(f"setting {self.name!r}: two coordinates have one name: {names}")
            known[sizes] = found
        return known[sizes]

    def draws(self, sizes: Sizes) -> bool:
        """Whether instances of this size are drawn; of every number of steps, whatever there are."""
        agents, states, actions = (range(low, high + 1) for low, high in (self.agents, self.states, self.action_range))
        return sizes.agents in agents and sizes.states in states and all(n in actions for n in sizes.actions)

    def instances_at_most(self, limit: int) -> int:
        """How many different instances there are, counted up to ``limit``; sizes and steps beyond the smallest ones included."""
        ranges = (self.states, self.agents, self.action_range)
        if any(low < high for low, high in ranges):
            return limit
        (states, _), (agents, _), (actions, _) = ranges
        coordinates = self.coordinates(Sizes(states, (actions,) * agents, min(self.steps)))
        return min(limit, len(self.steps) * prod((c.high - c.low + 1) ** prod(c.shape) for c in coordinates))

    def case(self, coordinates: Mapping[str, Any], sizes: Sizes, system: System, generic: int = 0) -> Case:
        """The case behind integer coordinates (with the instances of a batch on a leading axis), in the given number system.

        Balls enclose the exact case, so a probability that is 1 stays 1, and equal ones stay equal.  ``generic`` (see
        :data:`.coordinates.GENERIC`) coordinates are numbers that stand for free parameters.
        """
        require_outside("another case")
        if system is System.BALLS and not generic:
            return self.case(coordinates, sizes, System.RATIONALS).to(system)
        numbers: dict[str, Any] = {}
        several: tuple[int, ...] = ()
        for coordinate in self.coordinates(sizes):
            if coordinate.name not in coordinates:
                raise ClaimError(f"an instance of {self.name!r} lacks the coordinates {coordinate.name!r}")
            values = np.asarray(coordinates[coordinate.name])
            several = values.shape[: values.ndim - len(coordinate.shape)]
            if values.shape[len(several) :] != coordinate.shape:
                raise ClaimError(f"{coordinate.name} has shape {values.shape}, not [..., {coordinate.shape}]")
            numbers[coordinate.name] = wrap(values, system, len(coordinate.shape))
        built: dict[str, Any] = {}
        for ingredient in self.ingredients:
            if ingredient.compute is None:
                part = _built(ingredient, numbers, sizes, built, generic)
                if part is not None:  # what only a proof for every number of steps has
                    built[ingredient.name] = part
        case = Case(self.ingredients, sizes, system, several, built)
        for ingredient in self.ingredients:
            if ingredient.compute is None and not of_this_package(ingredient) and ingredient.name in built:
                case._require_same(self.ingredients[0], built[ingredient.name], ingredient.name)
                case._built[ingredient.name] = made_of(built[ingredient.name])
        return case

    def case_from(self, objects: Mapping[str, Any], target: System | None = None, steps: int | None = None) -> Case:
        """The case behind a user's own objects, converted to ``target`` (default: the system of the first).

        ``steps`` is the length of a run where no ingredient tells it.
        """
        require_outside("another case")
        known = {ingredient.name for ingredient in self.ingredients}
        strange = sorted(set(objects) - known)
        if strange:
            raise ClaimError(f"unknown ingredients {strange}; this claim takes {sorted(known)}")
        built: dict[str, Any] = {}
        for ingredient in self.ingredients:
            value = objects.get(ingredient.name)
            if value is None:
                if ingredient.optional:
                    continue
                games = [given for given in objects.values() if isinstance(given, Game)]
                value = ingredient.telling_on(games[0], None) if games else None
                if value is None:
                    raise ClaimError(f"this claim needs {ingredient.name}= as well; it takes {sorted(known)}")
            system = target or system_of_object(value)
            built[ingredient.name] = ingredient.convert(value, system)
        sizes, system, batch = _measure(self.ingredients, built)
        told = [i.steps_of(built[i.name], sizes) for i in self.ingredients if i.name in built]
        length = next((count for count in told if count is not None), self.steps[0] if steps is None else steps)
        if length < 1 or (steps is not None and length != steps):
            raise ClaimError(
                f"the run has {length} steps by its ingredients{'' if steps is None else f', and steps = {steps}'}"
            )
        instance = {
            i.name: as_instance(i, built[i.name], sizes, system, batch) for i in self.ingredients if i.name in built
        }
        return Case(self.ingredients, replace(sizes, steps=length), system, batch, instance)


def _built(
    ingredient: Ingredient, numbers: Mapping[str, Any], sizes: Sizes, built: dict[str, Any], generic: int
) -> Any:
    """The object of an ingredient from its coordinates.

    An ingredient of one's own is one function of its coordinates, and no proof: it is not told for what they are drawn.
    """
    code = getattr(inspect.unwrap(type(ingredient).build), "__code__", None)
    if of_this_package(ingredient) and code is not None and code.co_filename.startswith(PACKAGE):
        return ingredient.build(numbers, sizes, built, generic)
    facts = {c.name: leaf(c.name, c.with_sign(numbers[c.name]), COORDINATE) for c in ingredient.coordinates(sizes)}
    others = {name: leaf(name, value) for name, value in built.items()}
    with within_a_proof(bool(generic)):
        return ingredient.build(facts, sizes, others, 0)


def as_instance(ingredient: Ingredient, value: Any, sizes: Sizes, system: System, batch: tuple[int, ...]) -> Any:
    """A user's plain object, whose leading axes are a batch, as the numbers of one instance."""
    if isinstance(value, tuple):
        own = len(ingredient.batch_of(value))
        return tuple(hidden(table, system, np.ndim(table) - own) for table in value)
    if isinstance(value, (Game, Policy)):
        return hidden(value, system, 0)
    core = ingredient.core_shape(sizes)
    return hidden(value, system, np.ndim(value) - len(batch) if core is None else len(core))


def _measure(ingredients: tuple[Ingredient, ...], built: Mapping[str, Any]) -> tuple[Sizes, System, tuple[int, ...]]:
    """Sizes, system and batch shape of a user's objects; policies must fit the game."""
    systems = {name: system_of_object(value) for name, value in built.items()}
    if len(set(systems.values())) > 1:
        found = ", ".join(f"{name} in {system.value}" for name, system in systems.items())
        raise ClaimError(f"the ingredients are in different number systems: {found}")
    owners = [value for value in built.values() if isinstance(value, (Game, Policy))]
    for policy in owners[1:]:
        if isinstance(owners[0], Game) and isinstance(policy, Policy):
            policy.require_fits(owners[0])
    sizes = _fitting_sizes(ingredients, built, owners)
    batches = [i.batch_of(built[i.name]) for i in ingredients if i.name in built]
    try:
        batch = np.broadcast_shapes(*batches)
    except ValueError:
        raise ClaimError(f"the batch axes of the ingredients do not fit: {batches}") from None
    return sizes, next(iter(systems.values())), batch


def _fitting_sizes(ingredients: tuple[Ingredient, ...], built: Mapping[str, Any], owners: list[Any]) -> Sizes:
    """The sizes of the game or policy, or those that every table's shape agrees with; an error that names a misfit."""
    tables = [i for i in ingredients if i.name in built and i.core_shape(SMALLEST) is not None]
    told = (i.steps_of(built[i.name], SMALLEST) for i in tables)  # tables that move have an axis of steps
    steps = next((count for count in told if count is not None), 1)
    if owners:
        candidates = [Sizes(owners[0].states, owners[0].action_sizes, steps)]
    else:
        lengths = sorted({1, *(length for i in tables for length in np.shape(built[i.name]))})
        candidates = [Sizes(states, (actions,), steps) for states in lengths for actions in lengths]

    def misfits(sizes: Sizes) -> list[str]:
        found = []
        for ingredient in tables:
            core, shape = ingredient.core_shape(sizes) or (), np.shape(built[ingredient.name])
            if shape[len(shape) - len(core) :] != core:
                found.append(f"{ingredient.name} has shape {shape}, it needs [..., {', '.join(map(str, core))}]")
        return found

    best = min(candidates, key=lambda sizes: len(misfits(sizes)))
    if misfits(best):
        raise ClaimError(f"the shapes do not fit ({best}): {'; '.join(misfits(best))}")
    return best


def _are_counts(given: Any) -> bool:
    """Whether this is a tuple of integers from 1 on, and not an empty one."""
    return isinstance(given, tuple) and bool(given) and all(type(n) is int and n >= 1 for n in given)
