"""Settings: what an instance is.

A setting is a declarative schema.  Its *ingredients* (a game, policies, tables, scalars) are each described by integer
coordinates: weights that are normalised to probabilities, numerators over a fixed denominator, positive odds.  One instance is
therefore exact data; it exists in every number system without rounding, shrinks well, prints well and can be stored.  Sampler,
Hypothesis strategies, falsifier, shrinker and certificates interpret the schema; none of them is written here.

Two ways to turn coordinates into numbers:

* *drawn*: ``weights / Σ weights``, for instances;
* *generic*: the coordinates are free parameters (all but the last weight of a row, which is 1 minus the others), for proofs in
  symbols and at random points.  A game that may terminate keeps its rows of P entirely free.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..arithmetic import FALSE, TRUE, Array, System, Truth, both, compare, like, log, support, system_of, truth_of
from ..errors import ClaimError
from ..model import Game, Policy
from ..model.agents import prefix_sizes
from ..model.conversion import convert
from ..model.validation import FLOAT_TOLERANCE, array_of, require_finite, unchecked


@dataclass(frozen=True)
class Sizes:
    """How large an instance is: ``S`` states, ``|A_1|, ..., |A_N|`` actions, and ``K`` steps where it is a run."""

    states: int
    actions: tuple[int, ...]
    steps: int = 1

    @property
    def agents(self) -> int:
        """``N``"""
        return len(self.actions)

    def __str__(self) -> str:
        run = f", {self.steps} steps" if self.steps != 1 else ""
        return f"{self.states} state{'s' * (self.states != 1)}, {'x'.join(map(str, self.actions))} actions{run}"


@dataclass(frozen=True)
class Coordinate:
    """An array of integers.

    ``kind`` is ``weight`` (rows ≥ 0 along the last axis, not all 0), ``integer``, ``positive``, or ``rare`` (integers,
    nearly all 0).
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    low: int
    high: int

    def __post_init__(self) -> None:
        if not isinstance(self.shape, tuple):
            raise ClaimError(f"{self.name} has the shape {self.shape!r}; a shape is a tuple such as (3,)")
        if self.low > self.high:
            raise ClaimError(f"{self.name} ranges from {self.low} to {self.high}, which is empty")


Numbers = Mapping[str, Array]
Built = Mapping[str, Any]


class Ingredient:
    """One named part of an instance."""

    name: str
    optional: bool = False

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        """The integers that describe it."""
        raise NotImplementedError

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: bool) -> Any:
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

    def core_shape(self, sizes: Sizes) -> tuple[int, ...] | None:
        """The axes that a user's array has beyond the batch; None for a game or a policy, which know their own."""
        return self.coordinates(sizes)[0].shape

    def fixed_on(self, game: Game) -> Any:
        """What it is on a user's game, where that leaves no choice; None where any object will do."""
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


def simplex(weights: Array, generic: bool, defective: bool = False) -> Array:
    """Rows of (sub)probabilities from weights; ``defective`` drops the last column, whose share is termination."""
    if generic:
        free = weights[..., :-1]
        if defective:
            return np.asarray(free)
        return np.concatenate([free, np.asarray(like(1, weights) - free.sum(-1))[..., None]], axis=-1)
    shares = weights / weights.sum(-1, keepdims=True)
    return np.asarray(shares[..., :-1] if defective else shares)


@dataclass(frozen=True)
class GameData(Ingredient):
    """A game: weights of transitions (with a column for termination), rewards ``k/scale``, discount ``w0/(w0+w1)``, start."""

    name: str = "game"
    termination: bool = True
    start: bool = True
    discounted: bool = True
    reward: tuple[int, int] = (-9, 9)
    scale: int = 1

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        joint = prefix_sizes(sizes.actions)[-1]
        columns = sizes.states + self.termination
        result = [
            Coordinate(f"{self.name}.transition", (sizes.states, joint, columns), "weight", 0, 9),
            Coordinate(f"{self.name}.reward", (sizes.states, joint), "integer", *self.reward),
        ]
        if self.discounted:
            result.append(Coordinate(f"{self.name}.discount", (2,), "weight", 0, 99))
        if self.start:
            result.append(Coordinate(f"{self.name}.start", (sizes.states,), "weight", 0, 9))
        return tuple(result)

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: bool) -> Game:
        def part(name: str) -> Array:
            return numbers[f"{self.name}.{name}"]

        reward = part("reward")
        batch = reward.shape[:-2]
        discount = (
            simplex(part("discount"), generic)[..., 0] if self.discounted else np.broadcast_to(like(1, reward), batch)
        )
        fields: dict[str, Any] = {
            "transition": simplex(part("transition"), generic, self.termination),
            "reward": reward / self.scale,
            "discount": discount,
            "action_sizes": sizes.actions,
            "start": simplex(part("start"), generic) if self.start else None,
        }
        if not generic:
            return Game(**fields)
        # Formal rows are no numbers that could be compared with 1, but how they are made says what they sum to.
        ends = np.full(reward.shape, TRUE if self.termination else FALSE)
        names = {"state_names": None, "action_names": None, "name": ""}
        return unchecked(Game, **fields, **names, system=system_of(reward), ends=ends)

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        result = []
        if not self.termination:
            result.append(
                Hypothesis(f"{self.name} never terminates", lambda case: goes_on(getattr(case, self.name)), True)
            )
        if not self.discounted:
            result.append(
                Hypothesis(f"{self.name} has discount 1", lambda case: is_one(getattr(case, self.name).discount), True)
            )
        low, high = self.reward
        if (low, high) == (0, self.scale):
            result.append(
                Hypothesis(
                    f"rewards of {self.name} lie in [0, 1]", lambda case: in_unit(getattr(case, self.name).reward), True
                )
            )
        return tuple(result)

    def fixed_on(self, game: Game) -> Game:
        return game

    def core_shape(self, sizes: Sizes) -> None:
        return None

    def convert(self, value: Any, target: System) -> Game:
        if not isinstance(value, Game):
            raise ClaimError(f"{self.name} must be a Game, not {type(value).__name__}")
        return {System.FLOATS: value.floats, System.RATIONALS: value.exact, System.BALLS: value.balls}[target]()


@dataclass(frozen=True)
class PolicyData(Ingredient):
    """A joint policy of conditional factors; ``product`` ignores the prefix; ``full_support`` has no zero."""

    name: str = "policy"
    product: bool = False
    full_support: bool = False

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        low = 1 if self.full_support else 0
        return tuple(
            Coordinate(
                f"{self.name}.{m}", (sizes.states, *(() if self.product else (prefixes,)), size), "weight", low, 9
            )
            for m, (prefixes, size) in enumerate(zip(prefix_sizes(sizes.actions), sizes.actions, strict=False), start=1)
        )

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: bool) -> Policy:
        rows = [simplex(numbers[f"{self.name}.{m}"], generic) for m in range(1, sizes.agents + 1)]
        if self.product:
            rows = [
                np.repeat(row[..., None, :], prefixes, axis=-2)
                for row, prefixes in zip(rows, prefix_sizes(sizes.actions), strict=False)
            ]
        return unchecked(Policy, factors=tuple(rows), system=system_of(*rows)) if generic else Policy(tuple(rows))

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        result = []
        if self.product:
            result.append(
                Hypothesis(f"{self.name} is a product", lambda case: factorises(getattr(case, self.name)), True)
            )
        if self.full_support:
            result.append(
                Hypothesis(
                    f"{self.name} has full support", lambda case: has_full_support(getattr(case, self.name)), True
                )
            )
        return tuple(result)

    def telling_on(self, game: Game, best: Policy | None) -> Policy | None:
        return None if self.full_support else best  # an optimal policy is deterministic

    def plain_on(self, game: Game) -> Policy:
        return Policy.uniform(game)

    def core_shape(self, sizes: Sizes) -> None:
        return None

    def convert(self, value: Any, target: System) -> Policy:
        if not isinstance(value, Policy):
            raise ClaimError(f"{self.name} must be a Policy, not {type(value).__name__}")
        return {System.FLOATS: value.floats, System.RATIONALS: value.exact, System.BALLS: value.balls}[target]()


@dataclass(frozen=True)
class Distribution(Ingredient):
    """A distribution of the given shape, one simplex along the last axis (default: over states)."""

    name: str = "start"
    shape: Callable[[Sizes], tuple[int, ...]] = lambda sizes: (sizes.states,)
    full_support: bool = False
    from_game: Callable[[Game], Array | None] = lambda _: None
    """Which distribution of a user's game to try first: its own start, say."""

    def __post_init__(self) -> None:
        _require_function(self.name, self.shape)

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return (Coordinate(self.name, self.shape(sizes), "weight", int(self.full_support), 9),)

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: bool) -> Array:
        return simplex(numbers[self.name], generic)

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        def normalised(case: Case) -> Truth:
            return is_distribution(getattr(case, self.name))

        result = [Hypothesis(f"{self.name} is a distribution", normalised, True)]
        if self.full_support:
            result.append(
                Hypothesis(
                    f"{self.name} has full support", lambda case: truth_of(support(getattr(case, self.name))), True
                )
            )
        return tuple(result)

    def telling_on(self, game: Game, best: Policy | None) -> Array | None:
        return self.from_game(game)

    def convert(self, value: Any, target: System) -> Array:
        given = array_of(value, self.name)
        require_finite(self.name, given)
        return convert(given, target, rows=True)


@dataclass(frozen=True)
class Table(Ingredient):
    """A table of rationals ``k/scale`` with ``low ≤ k ≤ high``."""

    name: str
    shape: Callable[[Sizes], tuple[int, ...]]
    low: int = -9
    high: int = 9
    scale: int = 1

    def __post_init__(self) -> None:
        _require_function(self.name, self.shape)

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        kind = "positive" if self.low > 0 else "integer"
        return (Coordinate(self.name, self.shape(sizes), kind, self.low, self.high),)

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: bool) -> Array:
        return np.asarray(numbers[self.name] / self.scale)


@dataclass(frozen=True)
class PrefixTables(Ingredient):
    """One table of rationals ``k/scale`` for every agent: ``(f^1, ..., f^N)``, each ``[..., S, |A_1|···|A_m|]``."""

    name: str
    low: int = -9
    high: int = 9
    scale: int = 1

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return tuple(
            Coordinate(f"{self.name}.{m}", (sizes.states, prefixes), "integer", self.low, self.high)
            for m, prefixes in enumerate(prefix_sizes(sizes.actions)[1:], start=1)
        )

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: bool) -> tuple[Array, ...]:
        return tuple(np.asarray(numbers[f"{self.name}.{m}"] / self.scale) for m in range(1, sizes.agents + 1))

    def core_shape(self, sizes: Sizes) -> None:
        return None  # several arrays, of several shapes

    def batch_of(self, value: Any) -> tuple[int, ...]:
        return tuple(np.shape(value[0])[:-2])

    def convert(self, value: Any, target: System) -> tuple[Array, ...]:
        if not isinstance(value, (tuple, list)):
            raise ClaimError(f"{self.name} must be one table per agent, not {type(value).__name__}")
        return tuple(super(PrefixTables, self).convert(table, target) for table in value)


@dataclass(frozen=True)
class Increments(Ingredient):
    """How the logits of a run move: ``(θ_{k+1} - θ_k)ᵀφ`` for every step and agent, logarithms of positive integers.

    A flat tuple, step by step and agent by agent, of tables ``[..., S, |A_1|···|A_m|]``; so every iterate is rational.
    """

    name: str = "increments"
    high: int = 9

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return tuple(
            Coordinate(f"{self.name}.{k}.{m}", (sizes.states, prefixes), "positive", 1, self.high)
            for k in range(sizes.steps)
            for m, prefixes in enumerate(prefix_sizes(sizes.actions)[1:], start=1)
        )

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: bool) -> tuple[Array, ...]:
        return tuple(log(numbers[coordinate.name]) for coordinate in self.coordinates(sizes))

    def core_shape(self, sizes: Sizes) -> None:
        return None

    def batch_of(self, value: Any) -> tuple[int, ...]:
        return tuple(np.shape(value[0])[:-2])

    def convert(self, value: Any, target: System) -> tuple[Array, ...]:
        if not isinstance(value, (tuple, list)):
            raise ClaimError(f"{self.name} must be one table per step and agent, not {type(value).__name__}")
        return tuple(super(Increments, self).convert(table, target) for table in value)


@dataclass(frozen=True)
class Payoffs(Increments):
    """What an adversary pays: shares ``k/high`` in [0, 1] of the largest payoff, one table for every step and agent."""

    name: str = "shares"
    high: int = 9

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return tuple(replace(c, kind="integer", low=0) for c in super().coordinates(sizes))

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: bool) -> tuple[Array, ...]:
        return tuple(np.asarray(numbers[coordinate.name] / self.high) for coordinate in self.coordinates(sizes))

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        def shares(case: Case) -> Truth:
            return in_unit(np.concatenate(getattr(case, self.name), axis=-1))

        return (Hypothesis(f"{self.name} lie in [0, 1]", shares, True),)


@dataclass(frozen=True)
class RareErrors(Increments):
    """The increments of a two-armed bandit: exact updates that multiply the odds by ``b``, and a few errors.

    ``b = 1 + p/q``; the error of step ``k`` adds ``e_k log 2`` to the logit of the bad action, with ``e_k`` nearly always 0.
    """

    name: str = "increments"
    high: int = 40

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return (
            Coordinate(f"{self.name}.base", (2,), "positive", 1, 4),
            Coordinate(f"{self.name}.errors", (sizes.steps,), "rare", -self.high, self.high),
        )

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: bool) -> tuple[Array, ...]:
        base, errors = numbers[f"{self.name}.base"], numbers[f"{self.name}.errors"]
        ratio = base[..., 0] / base[..., 1]
        gain, two = log(like(1, ratio) + ratio), log(like(2, ratio))
        return tuple(
            np.stack([np.asarray(gain), np.asarray(two * errors[..., k])], axis=-1)[..., None, :]
            for k in range(sizes.steps)
        )


@dataclass(frozen=True)
class PositiveScalar(Ingredient):
    """A positive rational ``p/q``."""

    name: str
    high: int = 9

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return (Coordinate(self.name, (2,), "positive", 1, self.high),)

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: bool) -> Array:
        ratio = numbers[self.name]
        return np.asarray(ratio[..., 0] if generic else ratio[..., 0] / ratio[..., 1])

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        def positive(case: Case) -> Truth:
            value = getattr(case, self.name)
            return compare(value, ">", like(0, value))

        return (Hypothesis(f"{self.name} > 0", positive, True),)

    def core_shape(self, sizes: Sizes) -> tuple[int, ...]:
        return ()


@dataclass(frozen=True)
class LogOdds(Ingredient):
    """Values ``times · log(odds)`` with positive integer odds, so that ``exp(values/times)`` is rational.

    ``times`` names a scalar ingredient before it (the β of a mirror step); without it the values are the logarithms.
    """

    name: str
    shape: Callable[[Sizes], tuple[int, ...]]
    times: str = ""
    high: int = 99

    def __post_init__(self) -> None:
        _require_function(self.name, self.shape)

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return (Coordinate(self.name, self.shape(sizes), "positive", 1, self.high),)

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: bool) -> Array:
        values = log(numbers[self.name])
        if not self.times:
            return values
        scale = np.asarray(built[self.times])
        return np.asarray(values * scale.reshape(scale.shape + (1,) * len(self.shape(sizes))))


@dataclass(frozen=True)
class Counts(Ingredient):
    """How often each transition ``(s, a, s')`` occurs in a sample, ``[..., S, A, S+1]``; the last column is termination."""

    name: str = "counts"
    high: int = 99

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        shape = (sizes.states, prefix_sizes(sizes.actions)[-1], sizes.states + 1)
        return (Coordinate(self.name, shape, "weight", 0, self.high),)

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: bool) -> Array:
        return np.asarray(numbers[self.name])

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        def counted(case: Case) -> Truth:
            values = getattr(case, self.name)
            return compare(values, "≥", like(0, values))

        return (Hypothesis(f"{self.name} are not negative", counted, True),)


@dataclass(frozen=True)
class Derived(Ingredient):
    """Computed from the others when first asked for, after the hypotheses have passed; a caller may still give it."""

    name: str
    compute: Callable[[Case], Any]
    optional: bool = True

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return ()

    def core_shape(self, sizes: Sizes) -> None:
        return None  # whatever it computes

    def batch_of(self, value: Any) -> tuple[int, ...]:
        return ()  # it follows the others


@dataclass(frozen=True)
class Hypothesis:
    """A condition of the claim: ``holds(case)`` is three-valued truth of the batch shape.

    ``by_construction`` says that the setting only draws instances that satisfy it; it is verified all the same.
    """

    name: str
    holds: Callable[[Case], Truth]
    by_construction: bool = False


@dataclass(frozen=True)
class Setting:
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
    max_agents, max_states : int
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
    max_table: int = 20_000
    """Entries of a table over states and joint actions, beyond which a claim is not tried on a user's game."""
    explore: bool = True
    """Whether float batches are worth drawing; not where every instance starts an external solver."""
    limit: int | None = None
    """How many exact instances of a size the quick profile draws at most, where each is a long run; others in proportion."""
    exhibit: Callable[[Case], Mapping[str, Any]] | None = None
    """Exact tables that an instance stands for without naming them: a certificate shows them beside the coordinates."""

    def __post_init__(self) -> None:
        for part, kind in ((self.ingredients, Ingredient), (self.hypotheses, Hypothesis)):
            if not isinstance(part, (tuple, list)):
                raise ClaimError(f"setting {self.name!r}: {part!r} must be in a tuple: ({kind.__name__}(...),)")
            for entry in part:
                if not isinstance(entry, kind):
                    called = f"; write {entry.__name__}(...)" if isinstance(entry, type) else ""
                    raise ClaimError(f"setting {self.name!r}: {entry!r} is no {kind.__name__}{called}")
        for what in ("agents", "states", "action_range"):
            given = getattr(self, what)
            if not isinstance(given, tuple) or len(given) != 2 or not 1 <= given[0] <= given[1]:
                raise ClaimError(
                    f"setting {self.name!r}: {what} = {given!r}; it must be (smallest, largest), from 1 on"
                )
        names = [ingredient.name for ingredient in self.ingredients]
        if len(set(names)) < len(names):
            raise ClaimError(f"setting {self.name!r} names an ingredient twice: {names}")
        for name in names:
            if name in Case.RESERVED:
                raise ClaimError(f"setting {self.name!r}: {name!r} is taken by Case; choose another name")

    @property
    def all_hypotheses(self) -> tuple[Hypothesis, ...]:
        """Those of the ingredients (by construction), then those of the claim."""
        return (*(h for ingredient in self.ingredients for h in ingredient.hypotheses()), *self.hypotheses)

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        """All integers that describe an instance of these sizes."""
        return tuple(c for ingredient in self.ingredients for c in ingredient.coordinates(sizes))

    def case(self, coordinates: Mapping[str, Any], sizes: Sizes, system: System, generic: bool = False) -> Case:
        """The case behind integer coordinates, in the given number system; balls enclose the exact case."""
        if system is System.BALLS:
            return self.case(coordinates, sizes, System.RATIONALS).to(system)
        numbers: dict[str, Array] = {}
        for coordinate in self.coordinates(sizes):
            if coordinate.name not in coordinates:
                raise ClaimError(f"an instance of {self.name!r} lacks the coordinates {coordinate.name!r}")
            values = np.asarray(coordinates[coordinate.name])
            if values.shape[values.ndim - len(coordinate.shape) :] != coordinate.shape:
                raise ClaimError(f"{coordinate.name} has shape {values.shape}, not [..., {coordinate.shape}]")
            numbers[coordinate.name] = values if values.dtype.kind == "O" and generic else like(values, system)
        return self.case_of_numbers(numbers, sizes, generic)

    def case_of_numbers(self, numbers: Numbers, sizes: Sizes, generic: bool) -> Case:
        """The case behind coordinates that are already numbers of some system."""
        built: dict[str, Any] = {}
        for ingredient in self.ingredients:
            if not isinstance(ingredient, Derived):
                built[ingredient.name] = ingredient.build(numbers, sizes, built, generic)
        first = next(iter(numbers.values()))
        width = len(self.coordinates(sizes)[0].shape)
        return Case(self, sizes, system_of(first), first.shape[: first.ndim - width], built)

    def converted(self, objects: Mapping[str, Any], target: System) -> dict[str, Any]:
        """Ingredients in another number system."""
        return {
            i.name: i.convert(objects[i.name], target)
            for i in self.ingredients
            if i.name in objects and not isinstance(i, Derived)
        }

    def case_from(self, objects: Mapping[str, Any], target: System | None = None, steps: int | None = None) -> Case:
        """The case behind a user's own objects, converted to ``target`` (default: the system of the first).

        ``steps`` is the length of a run where no ingredient tells it.
        """
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
                if (
                    ingredient.name == "start"
                    and isinstance(objects.get("game"), Game)
                    and objects["game"].start is not None
                ):
                    value = objects["game"].start
                else:
                    raise ClaimError(f"this claim needs {ingredient.name}= as well; it takes {sorted(known)}")
            system = target or system_of_object(value)
            built[ingredient.name] = ingredient.convert(value, system)
        sizes, system, batch = _measure(self.ingredients, built)
        runs = [
            len(built[i.name]) // sizes.agents
            for i in self.ingredients
            if isinstance(i, Increments) and i.name in built
        ]
        length = runs[0] if runs else steps if steps is not None else self.steps[0]
        return Case(self, replace(sizes, steps=length), system, batch, built)


class Case:
    """The ingredients of one instance (or a batch) in one number system; attributes are their names."""

    RESERVED = frozenset(
        {"setting", "sizes", "system", "batch_shape", "objects", "take", "to", "steps", "derived", "RESERVED"}
    )

    def __init__(
        self, setting: Setting, sizes: Sizes, system: System, batch_shape: tuple[int, ...], objects: dict[str, Any]
    ) -> None:
        self.setting = setting
        self.sizes = sizes
        self.system = system
        self.batch_shape = batch_shape
        self.objects = dict(objects)
        self.derived: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        objects, derived = self.__dict__.get("objects", {}), self.__dict__.get("derived", {})
        if name in objects:
            return objects[name]
        for ingredient in self.__dict__["setting"].ingredients if "setting" in self.__dict__ else ():
            if ingredient.name == name and isinstance(ingredient, Derived):
                if name not in derived:
                    derived[name] = ingredient.compute(self)
                return derived[name]
        raise AttributeError(f"this case has no {name!r}; it has {sorted(objects)}")

    def to(self, target: System) -> Case:
        """The same instance in another number system; what is derived is derived anew there."""
        return Case(self.setting, self.sizes, target, self.batch_shape, self.setting.converted(self.objects, target))

    def take(self, index: Any) -> Case:
        """One instance of the batch, or the sub-batch under a mask; what is derived is derived anew."""
        axes = len(self.batch_shape)
        taken = {}
        for name, value in self.objects.items():
            if isinstance(value, tuple):
                taken[name] = tuple(
                    part[index] if np.shape(part)[:axes] == self.batch_shape else part for part in value
                )
                continue
            own = value.batch_shape if isinstance(value, (Game, Policy)) else np.shape(value)[:axes]
            taken[name] = value[index] if own == self.batch_shape else value  # what the batch shares has no batch axes
        probe = np.empty(self.batch_shape, np.int8)[index]
        return Case(self.setting, self.sizes, self.system, np.shape(probe), taken)


def _require_function(name: str, shape: Any) -> None:
    """Shapes depend on the sizes of an instance."""
    if not callable(shape):
        raise ClaimError(f"{name}: shape = {shape!r} must be a function of the sizes, such as lambda sizes: {shape!r}")


def goes_on(game: Game) -> Truth:
    """Whether no row of P loses mass, shape ``[..., S, A]``."""
    return np.asarray(-game.ends, dtype=np.int8)


def is_distribution(rows: Array) -> Truth:
    """Whether rows along the last axis are ≥ 0 and sum to 1 (floats: up to rounding; balls: not certainly otherwise)."""
    positive = truth_of(compare(rows, "<", like(0, rows)) <= 0).min(-1)
    sums = np.asarray(rows.sum(-1))
    if system_of(rows) is System.FLOATS:
        return both(positive, truth_of(np.abs(sums - 1) <= FLOAT_TOLERANCE))
    # A ball cannot certify that a sum is 1; the exact data behind it has been checked when it was built.
    return both(positive, truth_of(compare(sums, "=", like(1, sums)) >= 0))


def is_one(values: Array) -> Truth:
    """Whether a scalar is 1, with the same meaning of "is"."""
    return truth_of(compare(values, "=", like(1, values)) >= 0)


def in_unit(values: Array) -> Truth:
    """Whether entries lie in [0, 1]."""
    return both(compare(values, "≥", like(0, values)), compare(values, "≤", like(1, values)))


def factorises(policy: Policy) -> Truth:
    """Whether no factor depends on the prefix, shape ``[...]``."""
    return truth_of(policy.product_mask())


def has_full_support(policy: Policy) -> Truth:
    """Whether every action has positive probability everywhere, shape ``[..., S]``."""
    return truth_of(np.logical_and.reduce([support(f).all((-1, -2)) for f in policy.factors]))


def system_of_object(value: Any) -> System:
    """The number system of a game, a policy, a table, or a tuple of tables."""
    if isinstance(value, (Game, Policy)):
        return value.system
    found: System = system_of(*value) if isinstance(value, tuple) else system_of(array_of(value, "value"))
    return found


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
    tables = [i for i in ingredients if i.name in built and i.core_shape(Sizes(1, (1,))) is not None]
    if owners:
        candidates = [Sizes(owners[0].states, owners[0].action_sizes)]
    else:
        lengths = sorted({1, *(length for i in tables for length in np.shape(built[i.name]))})
        candidates = [Sizes(states, (actions,)) for states in lengths for actions in lengths]

    def misfits(sizes: Sizes) -> list[str]:
        found = []
        for ingredient in tables:
            core, shape = ingredient.core_shape(sizes) or (), np.shape(built[ingredient.name])
            if shape[max(len(shape) - len(core), 0) :] != core:
                found.append(f"{ingredient.name} has shape {shape}, it needs [..., {', '.join(map(str, core))}]")
        return found

    best = min(candidates, key=lambda sizes: len(misfits(sizes)))
    if misfits(best):
        raise ClaimError(f"the shapes do not fit ({best}): {'; '.join(misfits(best))}")
    return best


def own_actions(sizes: Sizes) -> tuple[int, ...]:
    """The shape of one row over the actions of the first agent: for settings with one agent and one state."""
    return (sizes.actions[0],)


def total(terms: Sequence[Any]) -> Array:
    """The sum of several arrays, in any number system (no 0 to begin with)."""
    return np.asarray(sum(terms[1:], start=terms[0]))


def both_exist(exists: Callable[[Any, Any], Truth], case: Case) -> Truth:
    """A condition on the game with either policy of a comparison."""
    return both(exists(case.game, case.policy), exists(case.game, case.target))


START = Distribution("start", from_game=lambda game: game.start)
"""Where play begins."""
