"""Games, policies and tuples of tables as trees of arrays: taken apart and rebuilt without checking them again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from ..arithmetic import Hidden, Numbers, System, is_hidden
from ..arithmetic.formulas import OF_A_PLACE, OF_A_STEP, made_by, made_from, of_now
from ..arithmetic.numbers import apart, same_formula, wrap, wrap_truth
from ..arithmetic.one_part import arithmetic_of
from ..errors import GameError
from .game import Game
from .policy import Policy
from .validation import unchecked


def mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """``value`` with the numbers and the truth of one instance in it replaced by ``function`` of them; the rest stays."""
    if is_hidden((value,)):
        return function(value)
    if isinstance(value, tuple):
        return tuple(mapped(function, entry) for entry in value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in fields(value) if hasattr(value, field.name)}
        return unchecked(type(value), **{name: mapped(function, part) for name, part in parts.items()})
    return value


INGREDIENT, COORDINATE, STEP, PLACE = (("ingredient", 0), ("coordinate", 0), ("step", OF_A_STEP), ("place", OF_A_PLACE))
"""What a leaf is a part of, so that equal names do not make equal leaves, and what it knows of a run."""


def leaf(name: Any, value: Any, of: tuple[str, int] = INGREDIENT) -> Any:
    """The same object, whose numbers are leaves of formulas under this name."""
    if is_hidden((value,)):
        found = value._copy()
        found._made = of_now(made_from(("leaf", of, name), (), of[1]))
        return found
    if isinstance(value, tuple):
        return tuple(leaf((name, place), entry, of) for place, entry in enumerate(value))
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in fields(value) if hasattr(value, field.name)}
        return unchecked(type(value), **{field: leaf((name, field), part, of) for field, part in parts.items()})
    return value


def end_to_end(values: Sequence[Any], counts: Sequence[int]) -> Any:
    """Objects of one kind as one: the instances of the first, then those of the second, and so on; ``counts`` says how many."""
    leaves = zip(*map(leaves_of, values), strict=True)
    joined = iter([_end_to_end(parts, counts) for parts in leaves])
    return mapped(lambda _: next(joined), values[0])


def _end_to_end(values: Sequence[Any], counts: Sequence[int]) -> Any:
    def joined(arrays: Sequence[Any]) -> Any:
        full = [np.broadcast_to(a, (*a.shape[:-1], n)) for a, n in zip(arrays, counts, strict=True)]
        return np.concatenate(full, axis=-1)

    parallel = zip(*(value._parts for value in values), strict=True)
    return same_formula(values[0], values[0]._with(tuple(map(joined, parallel))))


def repeated(value: Any, times: int) -> Any:
    """All instances, ``times`` times over; what they share stays shared, and what two objects share, too."""
    known: dict[int, tuple[Any, Any]] = {}

    def copies(part: Any) -> Any:
        if id(part._parts) not in known:
            several = part if part._count == 1 else part._each(lambda array: np.tile(array, times))
            known[id(part._parts)] = part, several
        return same_formula(part, known[id(part._parts)][1]._copy())

    return mapped(copies, value)


def group(value: Any, place: int, groups: int) -> Any:
    """The instances of one of several groups that lie side by side."""
    return mapped(lambda part: same_formula(part, apart(part, groups)._each(lambda array: array[..., place, :])), value)


def leaves_of(value: Any) -> list[Any]:
    """All numbers and truth in it, in order."""
    found: list[Any] = []

    def kept(part: Any) -> Any:
        found.append(part)
        return part

    mapped(kept, value)
    return found


def converted(value: Any, target: System) -> Any:
    """The same in another number system; from balls and enclosures there is no way back."""
    arithmetic = arithmetic_of(target)

    def moved(part: Any) -> Any:
        if not isinstance(part, Numbers):
            return part
        found = Numbers(arithmetic, arithmetic.enclose(part._parts[0]))
        found._made = part._made
        return found

    result = mapped(moved, value)
    return renamed(result, target)


def renamed(value: Any, target: System) -> Any:
    """Games and policies know their number system."""
    if isinstance(value, tuple):
        return tuple(renamed(entry, target) for entry in value)
    if is_dataclass(value) and hasattr(value, "system"):
        return unchecked(
            type(value),
            **{f.name: Hidden(target) if f.name == "system" else getattr(value, f.name) for f in fields(value)},
        )
    return value


def hidden(value: Any, system: System, core_axes: int) -> Any:
    """A plain game, policy or table (with ``core_axes`` axes of its own), whose leading axes are a batch, as one instance."""
    if isinstance(value, Policy):
        factors = tuple(wrap(factor, system, 3) for factor in value.factors)
        return unchecked(Policy, factors=factors, system=Hidden(system))
    if isinstance(value, Game):
        if 0 in value.batch_shape:
            raise GameError(f"the batch {list(value.batch_shape)} of games is empty: there is nothing to compute")
        fixed = {name: getattr(value, name) for name in ("action_sizes", "state_names", "action_names", "name")}
        return unchecked(
            Game,
            transition=wrap(value.transition, system, 3),
            reward=wrap(value.reward, system, 2),
            discount=wrap(value.discount, system, 0),
            start=None if value.start is None else wrap(value.start, system, 1),
            ends=wrap_truth(value.ends, 2),
            system=Hidden(system),
            **fixed,
        )
    return wrap(value, system, core_axes)


def shared(value: Any, target: Hidden) -> Any:
    """A plain, exact game (or policy, or any tree of arrays without a batch) as constants that all instances share."""
    if isinstance(value, System):
        return target
    if isinstance(value, np.ndarray):
        hidden_array = (
            wrap_truth(value, value.ndim) if value.dtype == np.int8 else wrap(value, target._system, value.ndim)
        )
        return made_by("constants", hidden_array, (value,))
    if isinstance(value, tuple):
        return tuple(shared(entry, target) for entry in value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
        return unchecked(type(value), **{name: shared(part, target) for name, part in parts.items()})
    return value


def unwrapped(value: Any, several: tuple[int, ...]) -> Any:
    """The plain object behind that of one instance, with the instances on leading axes ``several`` (``()`` for one alone).

    Of enclosures, the midpoints.
    """

    def plain(part: Any) -> Any:
        array = np.moveaxis(part._parts[0], -1, 0)
        if not several:
            return array[0] if array.ndim > 1 else array.reshape(())
        return np.broadcast_to(array, (several[0], *array.shape[1:]))

    def named(entry: Any) -> Any:
        if isinstance(entry, tuple):
            return tuple(named(part) for part in entry)
        if is_dataclass(entry) and isinstance(getattr(entry, "system", None), Hidden):
            parts = {f.name: getattr(entry, f.name) for f in fields(entry)}
            return unchecked(type(entry), **{**parts, "system": parts["system"]._system})
        return entry

    return named(mapped(plain, value))
