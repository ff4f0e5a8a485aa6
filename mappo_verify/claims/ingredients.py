"""The ingredients that settings are made of: games, policies, distributions, tables, scalars, what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from typing import Any, ClassVar

import numpy as np

from ..arithmetic import (
    FALSE,
    TRUE,
    UNKNOWN,
    Array,
    System,
    Truth,
    absolute,
    assume_nonnegative,
    assume_positive,
    both,
    compare,
    every,
    everywhere,
    is_hidden,
    kind_of,
    like,
    log,
    support,
    system_of,
    truth_of,
)
from ..arithmetic.explained import explained_class
from ..arithmetic.numbers import shares
from ..errors import ClaimError
from ..model import Game, Policy
from ..model.agents import prefix_sizes
from ..model.conditions import factorises, goes_on, has_full_support, in_unit, is_distribution, is_one
from ..model.conversion import convert
from ..model.validation import array_of, require_finite, rounding_of, unchecked
from .case import Built, Case, Hypothesis, Ingredient
from .coordinates import EVERY, GENERIC, Coordinate, Numbers, Sizes, require_positive, scaled, sign_of_range, simplex

PARTS = ("transition", "reward", "discount", "start")
"""What two games may have in common."""
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
UNNAMED = {"state_names": None, "action_names": None, "name": ""}


@explained_class
@dataclass(frozen=True)
class GameData(Ingredient):
    """A game: weights of transitions (with a column for termination), rewards ``k/scale``, a discount, a start.

    ``discount`` is the range of γ, both ends included, as integers or Fractions.  ``same_as`` names a game before this one, of
    which only the parts in ``vary`` (of transition, reward, discount, start) are drawn anew; the others are its own.
    """

    name: str = "game"
    termination: bool = True
    start: bool = True
    discounted: bool = True
    reward: tuple[int, int] = (-9, 9)
    scale: int = 1
    discount: tuple[int | Fraction, int | Fraction] = (0, 1)
    same_as: str = ""
    vary: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(isinstance(end, float) for end in self.discount):
            raise ClaimError(f"{self.name}: discount = {self.discount!r} must be exact; write Fraction(9, 10), not 0.9")
        require_positive(self.name, self.scale)
        low, high = self.discount
        if not 0 <= low <= high <= 1:
            raise ClaimError(f"{self.name}: discount = ({low}, {high}) is no range within [0, 1]")
        strange = [part for part in self.vary if part not in PARTS]
        if strange or bool(self.vary) != bool(self.same_as):
            raise ClaimError(
                f"{self.name}: same_as = {self.same_as!r}, vary = {self.vary!r}; same_as names a game before this one, and "
                f"vary lists which of {', '.join(PARTS)} are drawn anew"
            )

    @property
    def shared(self) -> tuple[str, ...]:
        """The parts that are those of the game ``same_as``."""
        return tuple(part for part in PARTS if self.same_as and part not in self.vary)

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
        return tuple(c for c in result if c.name.removeprefix(f"{self.name}.") not in self.shared)

    def notation(self, coordinate: str, index: tuple[int, ...]) -> str:
        sign = {"discount": "γ", "reward": "r", "transition": "P", "start": "ρ"}[
            coordinate.removeprefix(f"{self.name}.")
        ]
        places = [str(i) for i in index]
        inside = (
            ""
            if sign == "γ"
            else f"({places[2]} | {places[0]}, {places[1]})"
            if sign == "P"
            else f"({', '.join(places)})"
        )
        shown = f"{sign}{inside}" + (f" of {self.name}" if self.name != "game" else "")
        low, high = self.discount
        if sign != "γ" or (low, high) == (0, 1):
            return shown
        return f"(({shown} - {low})/({high - low}))" if low else f"({shown}/({high}))"  # where it lies in its range

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> Game:
        if self.same_as:
            return self._varied(built[self.same_as], numbers, sizes, generic)

        def part(name: str) -> Array:
            return numbers[f"{self.name}.{name}"]

        reward = part("reward")
        discount = (
            self._discount(numbers, generic) if self.discounted else np.broadcast_to(like(1, reward), reward.shape[:-2])
        )
        fields: dict[str, Any] = {
            "transition": simplex(part("transition"), generic, self.termination),
            "reward": scaled(reward, self.scale, generic),
            "discount": discount,
            "action_sizes": sizes.actions,
            "start": simplex(part("start"), generic) if self.start else None,
        }
        ends = self._ends(part("transition"), reward, generic)
        return unchecked(Game, **fields, **UNNAMED, system=system_of(reward), ends=ends)

    def _ends(self, weights: Array, reward: Array, generic: int) -> Truth:
        """Where an episode may end.

        Rows of enclosures cannot be compared with 1, but the weight that they lose can be with 0.  Formal rows are no numbers
        that could be compared with 1: they stand for those that sum to 1, too.
        """
        if self.termination and not generic:
            return compare(weights[..., -1], ">", 0)
        return everywhere(UNKNOWN if self.termination else FALSE, reward.shape, reward)

    def _discount(self, numbers: Numbers, generic: int) -> Array:
        """``low + (high - low) w0/(w0 + w1)``"""
        weights = numbers[f"{self.name}.discount"]
        share = simplex(weights, GENERIC if generic else 0)[..., 0]  # it may be 0, other than a probability inside
        low, high = self.discount
        if (low, high) == (0, 1):
            return share
        return assume_nonnegative(like(Fraction(low), share) + like(Fraction(high - low), share) * share)

    def _varied(self, first: Game, numbers: Numbers, sizes: Sizes, generic: int) -> Game:
        """The first game with some parts drawn anew."""
        fields = {part: getattr(first, part) for part in (*PARTS, "action_sizes", "available")}
        drawn = {c.name: numbers[c.name] for c in self.coordinates(sizes)}
        for part in self.vary:
            if f"{self.name}.{part}" not in drawn:
                continue  # a start that it has not, or a discount that is 1
            values = drawn[f"{self.name}.{part}"]
            fields[part] = (
                scaled(values, self.scale, generic)
                if part == "reward"
                else self._discount(numbers, generic)
                if part == "discount"
                else simplex(values, generic, part == "transition" and self.termination)
            )
        if not generic and not is_hidden((fields["reward"],)):
            return Game(**fields)
        weights = drawn.get(f"{self.name}.transition")
        ends = first.ends if weights is None else self._ends(weights, fields["reward"], generic)
        return unchecked(Game, **fields, **UNNAMED, system=system_of(fields["reward"]), ends=ends)

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        result = []
        low, high = self.discount
        if self.discounted and (low, high) != (0, 1) and "discount" not in self.shared:

            def ranged(case: Case) -> Truth:
                value = getattr(case._exactly(), self.name).discount
                return both(
                    compare(value, "≥", like(Fraction(low), value)), compare(value, "≤", like(Fraction(high), value))
                )

            result.append(Hypothesis(f"{low} ≤ γ ≤ {high} in {self.name}", ranged, True))
        if self.shared:
            result.append(
                Hypothesis(f"{self.name} shares {', '.join(self.shared)} with {self.same_as}", self._shares, True)
            )
        if not self.termination:
            result.append(
                Hypothesis(f"{self.name} never terminates", lambda case: goes_on(getattr(case, self.name)), True)
            )
        if not self.discounted:
            result.append(
                Hypothesis(f"{self.name} has discount 1", lambda case: is_one(getattr(case, self.name).discount), True)
            )
        if self.reward == (0, self.scale):
            result.append(
                Hypothesis(
                    f"rewards of {self.name} lie in [0, 1]", lambda case: in_unit(getattr(case, self.name).reward), True
                )
            )
        return tuple(result)

    def _shares(self, case: Case) -> Truth:
        """Whether the shared parts are equal; those of drawn games are the same objects."""
        one, two = (getattr(case._exactly(), name) for name in (self.name, self.same_as))
        return both(*(_same_part(getattr(one, part), getattr(two, part), one.reward) for part in self.shared))

    def fixed_on(self, game: Game) -> Game | None:
        return None if self.same_as else game

    def core_shape(self, sizes: Sizes) -> None:
        return None

    def convert(self, value: Any, target: System) -> Game:
        if not isinstance(value, Game):
            raise ClaimError(f"{self.name} must be a Game, not {type(value).__name__}")
        game = {System.FLOATS: value.floats, System.RATIONALS: value.exact, System.BALLS: value.balls}[target]()
        return game if self.start or game.start is None else replace(game, start=None)  # as it is drawn


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

    def notation(self, coordinate: str, index: tuple[int, ...]) -> str:
        agent = coordinate.removeprefix(f"{self.name}.").translate(SUPERSCRIPTS)
        return f"{self.name}{agent}({index[-1]} | {', '.join(map(str, index[:-1]))})"

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> Policy:
        rows = [
            simplex(numbers[f"{self.name}.{m}"], generic, positive=self.full_support)
            for m in range(1, sizes.agents + 1)
        ]
        if self.product:
            rows = [
                np.repeat(row[..., None, :], prefixes, axis=-2)
                for row, prefixes in zip(rows, prefix_sizes(sizes.actions), strict=False)
            ]
        unseen = generic or is_hidden(rows)
        return unchecked(Policy, factors=tuple(rows), system=system_of(*rows)) if unseen else Policy(tuple(rows))

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

    verified = True

    name: str = "start"
    shape: Callable[[Sizes], tuple[int, ...]] = lambda sizes: (sizes.states,)
    full_support: bool = False
    from_game: Callable[[Game], Array | None] = lambda _: None
    """Which distribution of a user's game to try first: its own start, say."""

    def __post_init__(self) -> None:
        _require_function(self.name, self.shape)

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return (Coordinate(self.name, shape_of(self.shape, sizes), "weight", int(self.full_support), 9),)

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> Array:
        return simplex(numbers[self.name], generic, positive=self.full_support)

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
        if kind_of(given) == "f" and given.ndim:  # the sum of a row is 1 up to the rounding of the type that comes in
            sums = given.sum(-1, keepdims=True)
            rounding = like(Fraction(rounding_of(value, given.shape[-1])), sums)
            whole = compare(absolute(sums - 1), "≤", rounding) > 0
            given = np.where(whole, given / np.where(whole, sums, 1), given)
        return convert(given, target, rows=given.ndim > 0)


@dataclass(frozen=True)
class Table(Ingredient):
    """A table of rationals ``k/scale`` with ``low ≤ k ≤ high``; if it ``moves``, one for each step of a run, on a first axis."""

    verified = True
    kind: ClassVar[str] = "integer"

    name: str
    shape: Callable[[Sizes], tuple[int, ...]]
    low: int = -9
    high: int = 9
    scale: int = 1
    moves: bool = False

    def __post_init__(self) -> None:
        _require_function(self.name, self.shape)
        require_positive(self.name, self.scale)

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        own = Coordinate(self.name, shape_of(self.shape, sizes), self.kind, self.low, self.high)
        steps = 1 if sizes.steps == EVERY else sizes.steps
        return (replace(own, shape=(steps, *own.shape)) if self.moves else own,)

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> Array:
        (own,) = self.coordinates(sizes)
        return own.with_sign(scaled(numbers[self.name], self.scale, generic))

    def steps_of(self, value: Any, sizes: Sizes) -> int | None:
        own = len(self.coordinates(sizes)[0].shape)
        return np.shape(value)[-own] if self.moves and np.ndim(value) >= own else None

    def facts(self) -> tuple[Hypothesis, ...]:
        relation = sign_of_range(self.low)

        def signed(case: Case) -> Truth:
            values = getattr(case, self.name)
            return compare(values, relation, like(0, values))

        return (Hypothesis(f"{self.name} {relation} 0", signed, True),) if relation else ()


@dataclass(frozen=True)
class PositiveIntegers(Table):
    """A table of positive integers, as large as one likes: ``high`` only says how large they are drawn."""

    kind: ClassVar[str] = "positive"

    low: int = 1

    def convert(self, value: Any, target: System) -> Array:
        _require_integers(self.name, value)
        return super().convert(value, target)


class Tables(Ingredient):
    """Several tables ``[..., S, |A_1|···|A_m|]``."""

    of_each: ClassVar[str] = "agent"
    """For what there is one each."""

    def core_shape(self, sizes: Sizes) -> None:
        return None  # several shapes

    def batch_of(self, value: Any) -> tuple[int, ...]:
        return tuple(np.shape(value[0])[:-2])

    def convert(self, value: Any, target: System) -> tuple[Array, ...]:
        if not isinstance(value, (tuple, list)):
            raise ClaimError(f"{self.name} must be one table per {self.of_each}, not {type(value).__name__}")
        tables = [(f"{self.name}[{k}]", array_of(table, f"{self.name}[{k}]")) for k, table in enumerate(value)]
        for name, table in tables:
            if table.ndim < 2:
                raise ClaimError(f"{name} has shape {table.shape}; it needs [..., S, |A_1|···|A_m|]")
            require_finite(name, table)
        return tuple(convert(table, target) for _, table in tables)


@dataclass(frozen=True)
class PrefixTables(Tables):
    """One table of rationals ``k/scale`` for every agent: ``(f^1, ..., f^N)``, each ``[..., S, |A_1|···|A_m|]``."""

    name: str
    low: int = -9
    high: int = 9
    scale: int = 1
    moves: bool = False

    def __post_init__(self) -> None:
        require_positive(self.name, self.scale)

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return tuple(
            Coordinate(f"{self.name}.{m}", (sizes.states, prefixes), "integer", self.low, self.high)
            for m, prefixes in enumerate(prefix_sizes(sizes.actions)[1:], start=1)
        )

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> tuple[Array, ...]:
        return tuple(scaled(numbers[f"{self.name}.{m}"], self.scale, generic) for m in range(1, sizes.agents + 1))


@dataclass(frozen=True)
class Increments(Tables):
    """How the logits of a run move: ``(θ_{k+1} - θ_k)ᵀφ`` for every step and agent, logarithms of positive integers.

    A flat tuple, step by step and agent by agent, of tables ``[..., S, |A_1|···|A_m|]``; so every iterate is rational.
    """

    of_each: ClassVar[str] = "step and agent"

    name: str = "increments"
    high: int = 9
    moves: bool = True

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return tuple(
            Coordinate(f"{self.name}.{k}.{m}", (sizes.states, prefixes), "positive", 1, self.high)
            for k in range(1 if sizes.steps == EVERY else sizes.steps)
            for m, prefixes in enumerate(prefix_sizes(sizes.actions)[1:], start=1)
        )

    def notation(self, coordinate: str, index: tuple[int, ...]) -> str:
        return f"exp({super().notation(coordinate, index)})"

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> tuple[Array, ...]:
        return tuple(log(assume_positive(numbers[coordinate.name])) for coordinate in self.coordinates(sizes))

    def steps_of(self, value: Any, sizes: Sizes) -> int:
        return len(value) // sizes.agents


@dataclass(frozen=True)
class PositiveScalar(Ingredient):
    """A positive rational ``p/q``."""

    verified = True

    name: str
    high: int = 9

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return (Coordinate(self.name, (2,), "positive", 1, self.high),)

    def notation(self, coordinate: str, index: tuple[int, ...]) -> str:
        return coordinate

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> Array:
        ratio = numbers[self.name]
        return assume_positive(ratio[..., 0]) if generic else ratio[..., 0] / ratio[..., 1]

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
        return (Coordinate(self.name, shape_of(self.shape, sizes), "positive", 1, self.high),)

    def notation(self, coordinate: str, index: tuple[int, ...]) -> str:
        return f"exp({super().notation(coordinate, index)}{f'/{self.times}' if self.times else ''})"

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> Array:
        values = log(assume_positive(numbers[self.name]))
        if not self.times:
            return values
        scale = built[self.times]
        return values * scale.reshape(scale.shape + (1,) * len(shape_of(self.shape, sizes)))


@dataclass(frozen=True)
class Counts(Ingredient):
    """How often each transition ``(s, a, s')`` occurs in a sample, ``[..., S, A, S+1]``; the last column is termination."""

    name: str = "counts"
    high: int = 99

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        shape = (sizes.states, prefix_sizes(sizes.actions)[-1], sizes.states + 1)
        return (Coordinate(self.name, shape, "weight", 0, self.high),)

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> Array:
        return numbers[self.name]

    def convert(self, value: Any, target: System) -> Array:
        _require_integers(self.name, value)
        return super().convert(value, target)

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        def counted(case: Case) -> Truth:
            values = getattr(case, self.name)
            return compare(values, "≥", like(0, values))

        return (Hypothesis(f"{self.name} are not negative", counted, True),)


class Following(Ingredient):
    """What follows from the ingredients before it: no integers describe it."""

    optional = True

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return ()

    def core_shape(self, sizes: Sizes) -> None:
        return None  # whatever it computes

    def batch_of(self, value: Any) -> tuple[int, ...]:
        return ()  # it follows the others


@dataclass(frozen=True)
class Derived(Following):
    """Computed from the others when first asked for, after the hypotheses have passed; a caller may still give it.

    ``exact`` is for what needs numbers that can be ordered, as an optimal policy does: where a claim goes on in balls, it is
    computed of the exact instance behind them.
    """

    name: str
    compute: Callable[[Case], Any] = field()
    exact: bool = False


def _same_part(one: Array | None, two: Array | None, reference: Array) -> Truth:
    """Whether two games have the same numbers in a part; a start may be missing from both."""
    if one is None or two is None:
        return everywhere(TRUE if one is two else FALSE, (), reference)
    if shares(one, two):
        return everywhere(TRUE, (), reference)
    return every(compare(one, "=", two), tuple(range(-one.ndim, 0)))


@cache
def shape_of(shape: Callable[[Sizes], tuple[int, ...]], sizes: Sizes) -> tuple[int, ...]:
    """The shape at these sizes: asked once, so that a proof and the instances have the same."""
    return shape(sizes)


def _require_integers(name: str, value: Any) -> None:
    """An error where a user gives a number that is no integer: what holds of these may fail at 1/2."""
    given = array_of(value, name)
    require_finite(name, given)
    exact = convert(given, System.RATIONALS).ravel().tolist() if kind_of(given) in "fO" else []
    if broken := [x for x in exact if x.q != 1]:
        raise ClaimError(f"{name} has the entry {broken[0]}, which is no integer")


def _require_function(name: str, shape: Any) -> None:
    """Shapes depend on the sizes of an instance."""
    if not callable(shape):
        raise ClaimError(f"{name}: shape = {shape!r} must be a function of the sizes, such as lambda sizes: {shape!r}")


START = Distribution("start", from_game=lambda game: game.start)
"""Where play begins."""
