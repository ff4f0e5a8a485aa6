"""Cases whose batch is hidden: a proof sees the numbers of one instance, however many lie side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arithmetic import System
from ..arithmetic.numbers import Hidden, Numbers, take, wrap
from ..arithmetic.one_instance import Truth
from ..arithmetic.one_part import arithmetic_of
from ..errors import ClaimError
from ..model import Game, Policy
from ..model.instances import hidden_object
from ..model.trees import mapped
from .case import Case, Ingredient
from .coordinates import Sizes
from .settings import Setting


class InstanceCase(Case):
    """The ingredients of one instance in one number system; ``several`` is the shape of the batch behind it, for the engine."""

    def __init__(
        self,
        ingredients: tuple[Ingredient, ...],
        sizes: Sizes,
        system: System,
        several: tuple[int, ...],
        objects: Mapping[str, Any],
    ) -> None:
        super().__init__(ingredients, sizes, Hidden(system), (), objects)  # type: ignore[arg-type]
        self.several = several

    def to(self, target: System) -> InstanceCase:
        """The same instance in another number system, from exact numbers; what is derived is derived anew there."""
        arithmetic = arithmetic_of(target)

        def moved(part: Any) -> Any:
            return Numbers(arithmetic, arithmetic.enclose(part._parts[0])) if isinstance(part, Numbers) else part

        def renamed(value: Any) -> Any:
            if isinstance(value, (Game, Policy)):
                object.__setattr__(value, "system", Hidden(target))
            return value

        objects = {name: renamed(mapped(moved, value)) for name, value in self.objects.items()}
        return InstanceCase(self.ingredients, self.sizes, target, self.several, objects)

    def take(self, index: Any) -> Case:
        """The instances under a mask; what is derived is derived anew."""
        chosen = np.flatnonzero(np.asarray(index).reshape(-1))
        objects = {name: mapped(lambda part: take(part, chosen), value) for name, value in self.objects.items()}
        several = self.several if not self.several else (len(chosen),)
        return InstanceCase(self.ingredients, self.sizes, self.system.system, several, objects)  # type: ignore[attr-defined]


def instance_case(
    setting: Setting, coordinates: Mapping[str, Any], sizes: Sizes, system: System, generic: bool = False
) -> InstanceCase:
    """The case behind integer coordinates, or behind numbers that stand for generic parameters."""
    if (
        system is System.BALLS and not generic
    ):  # rationals first: a probability that is 1 stays 1, equal ones stay equal
        exact = instance_case(setting, coordinates, sizes, System.RATIONALS)
        return exact.to(system)
    numbers: dict[str, Any] = {}
    several: tuple[int, ...] = ()
    for coordinate in setting.coordinates(sizes):
        if coordinate.name not in coordinates:
            raise ClaimError(f"an instance of {setting.name!r} lacks the coordinates {coordinate.name!r}")
        values = np.asarray(coordinates[coordinate.name])
        several = values.shape[: values.ndim - len(coordinate.shape)]
        if values.shape[len(several) :] != coordinate.shape:
            raise ClaimError(f"{coordinate.name} has shape {values.shape}, not [..., {coordinate.shape}]")
        numbers[coordinate.name] = wrap(values, system, len(coordinate.shape))
    built: dict[str, Any] = {}
    for ingredient in setting.ingredients:
        if ingredient.compute is None:
            built[ingredient.name] = ingredient.build(numbers, sizes, built, generic)
    return InstanceCase(setting.ingredients, sizes, system, several, built)


def hidden(case: Case, system: System | None = None) -> InstanceCase:
    """A user's plain objects as the case of one instance, in ``system``."""
    target = system or case.system

    def wrapped(values: Any, core_axes: int) -> Numbers:
        return Numbers(arithmetic_of(target), wrap(values, case.system, core_axes)._parts)

    def each(ingredient: Ingredient, value: Any) -> Any:
        if isinstance(value, (Game, Policy)):
            return hidden_object(value)
        core = ingredient.core_shape(case.sizes)
        if isinstance(value, tuple):
            return tuple(wrapped(table, np.ndim(table) - len(ingredient.batch_of(value))) for table in value)
        return wrapped(np.asarray(value), len(core) if core is not None else np.ndim(value) - len(case.batch_shape))

    moved = case if target is case.system else case.to(target)
    objects = {i.name: each(i, moved.objects[i.name]) for i in case.ingredients if i.name in moved.objects}
    return InstanceCase(case.ingredients, case.sizes, target, case.batch_shape, objects)


def per_instance(truth: Any, several: tuple[int, ...]) -> Any:
    """Truth of a hypothesis or a relation, for every instance of the batch: axes of the instance mean "for all"."""
    given = Truth.of(truth).all().values
    count = int(np.prod(several, dtype=int))
    return np.broadcast_to(given, (count,)).reshape(several)
