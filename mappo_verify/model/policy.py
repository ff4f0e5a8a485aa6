"""Joint policies as chains of conditional factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import (
    Array,
    System,
    both,
    certainly_equal,
    choose,
    compare,
    denominator,
    divide,
    identity,
    is_hidden,
    kind_of,
    like,
    ones,
    support,
    system_of,
    tilt,
)
from ..arithmetic.explained import explained, explained_class, explained_methods
from ..arithmetic.formulas import aloud
from ..arithmetic.functions import true_everywhere
from ..arithmetic.numbers import bare
from ..errors import GameError
from .agents import extend, joint_action, order_of, prefix_sizes, reordered, split_last
from .conversion import convert
from .game import Game, counts_of
from .tables import html_table, row_text
from .validation import (
    arrays_of,
    derived,
    freeze,
    laid_out,
    plain_array,
    probabilities,
    require_batches_fit,
    require_made_rows,
    rounding_of,
    spread,
    unchecked,
)


@explained_methods
@explained_class
@dataclass(frozen=True, eq=False, repr=False)
class Policy:
    """A joint policy ``π(a | s) = Π_m π^m(a^m | s, a^{1:m-1})``, or a batch of them.

    ``factors[m-1]`` is ``π^m``, of shape ``[..., S, |A_1|···|A_{m-1}|, |A_m|]``: each agent knows the state and the actions of
    the agents before it.  The first factor has a prefix axis of length 1.  A *product* (decentralised) policy ignores the
    prefix.  Rows must sum to 1: floats up to rounding of the type that comes in, and float32 rows are divided by their sums.

    >>> chain = Policy([[[[0.5, 0.5]]], [[[1.0, 0.0], [0.0, 1.0]]]])     # agent 2 copies agent 1
    >>> chain.action_sizes, chain.is_product()
    ((2, 2), False)
    """

    factors: tuple[Array, ...]
    system: System = field(init=False)

    def __post_init__(self) -> None:
        if not len(self.factors):
            raise GameError("a policy needs at least one factor")
        if is_hidden(self.factors):
            self._of_one_instance()
            return
        system, arrays = arrays_of(**{f"factors[{m}]": factor for m, factor in enumerate(self.factors)})
        factors = list(arrays.values())
        for m, factor in enumerate(factors):
            if factor.ndim < 3:
                raise GameError(f"factors[{m}] has shape {factor.shape}; it needs [..., S, prefixes, A_{m + 1}]")
        sizes = tuple(int(factor.shape[-1]) for factor in factors)
        states = factors[0].shape[-3]
        for m, factor in enumerate(factors):
            if not (states and sizes[m]):
                raise GameError(
                    f"factors[{m}] has shape {factor.shape}; a policy needs at least one state and one action"
                )
        for m, (factor, prefixes) in enumerate(zip(factors, prefix_sizes(sizes), strict=False)):
            if factor.shape[-3:-1] != (states, prefixes):
                raise GameError(
                    f"factors[{m}] has shape {factor.shape}; it needs [..., S, prefixes, actions] = "
                    f"[..., {states}, {prefixes}, {sizes[m]}]"
                )
            if system is not System.SYMBOLS:
                rounding = rounding_of(self.factors[m], sizes[m])
                copy, seen = laid_out(factor, 3, system)
                factors[m] = probabilities(f"factors[{m}]", copy, rounding, full=True, seen=seen)
        try:
            batch = np.broadcast_shapes(*(factor.shape[:-3] for factor in factors))
        except ValueError:
            raise GameError(f"the batch axes of the factors do not fit: {[f.shape[:-3] for f in factors]}") from None
        frozen = tuple(freeze(spread(f, batch, 3), 3, system, own=f.ndim > 3) for f in factors)
        object.__setattr__(self, "factors", frozen)
        object.__setattr__(self, "system", system)

    def _of_one_instance(self) -> None:
        """The fields of a policy whose factors are the numbers of one instance."""
        sizes = tuple(int(factor.shape[-1]) for factor in self.factors)
        for m, (factor, prefixes) in enumerate(zip(self.factors, prefix_sizes(sizes), strict=False)):
            wanted = (self.factors[0].shape[0], prefixes, sizes[m])
            if factor.shape != wanted:
                raise GameError(f"factors[{m}] of one instance has shape {factor.shape}; it needs {wanted}")
            require_made_rows(f"factors[{m}]", factor)
        object.__setattr__(self, "factors", tuple(self.factors))
        object.__setattr__(self, "system", system_of(self.factors[0]))

    # -- constructors -------------------------------------------------------------------------------------------------

    @classmethod
    @explained
    def product(cls, factors: Sequence[Any]) -> Policy:
        """Independent agents: ``factors[m-1]`` is ``π^m(a^m | s)``, of shape ``[..., S, |A_m|]``."""
        tables = (
            list(factors)
            if is_hidden(factors)
            else list(arrays_of(**{f"factors[{m}]": factor for m, factor in enumerate(factors)})[1].values())
        )
        for m, table in enumerate(tables):
            if table.ndim < 2 or 0 in table.shape[-2:]:
                raise GameError(f"factors[{m}] has shape {table.shape}; it needs [..., S, A_{m + 1}], each at least 1")
            if not is_hidden((table,)) and system_of(table) is System.FLOATS:
                rounding = rounding_of(factors[m], table.shape[-1])
                tables[m] = probabilities(f"factors[{m}]", table, rounding, full=True)
        prefixes = prefix_sizes(tuple(int(table.shape[-1]) for table in tables))
        return cls(
            tuple(np.repeat(table[..., None, :], p, axis=-2) for table, p in zip(tables, prefixes, strict=False))
        )

    @classmethod
    @explained
    def uniform(cls, game: Game) -> Policy:
        """Every agent plays all its available actions alike, in the number system of ``game``."""
        if game.available is not None:
            return cls.product([like(_uniform_over(mask), game.system) for mask in game.available])
        return cls.product(
            [like(np.full((game.states, size), Fraction(1, size), object), game.system) for size in game.action_sizes]
        )

    @classmethod
    @explained
    def deterministic(cls, game: Game, actions: Any) -> Policy:
        """The joint action ``actions[..., s]`` (an index of the joint axis) in state ``s``, with certainty."""
        chosen = plain_array(actions, "actions")
        if chosen.dtype.kind not in "iu" or chosen.shape[-1:] != (game.states,):
            raise GameError(
                f"actions needs one integer per state, shape [..., {game.states}]; it has shape {chosen.shape}"
            )
        outside = (chosen < 0) | (chosen >= game.actions)
        if outside.any():
            bad = tuple(int(i) for i in np.argwhere(outside)[0])
            raise GameError(f"actions{list(bad)} = {chosen[bad]} is not one of the {game.actions} joint actions")
        forbidden = np.zeros(0, bool) if game.available is None else _substituted(game, chosen)
        if forbidden.any():
            bad = tuple(int(i) for i in np.argwhere(forbidden)[0])
            raise GameError(f"actions{list(bad)} = {chosen[bad]} is not available in state {bad[-1]}")
        each = np.unravel_index(chosen, game.action_sizes)
        if is_hidden((game.transition,)):
            rows = [np.eye(size, dtype=np.int8)[each[m]] for m, size in enumerate(game.action_sizes)]
            return cls.product([like(row, game.system) for row in rows])
        places = (  # rows of 0 and a 1 need no checks
            np.repeat(played[..., None], n, axis=-1)
            for played, n in zip(each, prefix_sizes(game.action_sizes), strict=False)
        )
        factors = (identity(size, game.system)[place] for place, size in zip(places, game.action_sizes, strict=True))
        return unchecked(cls, factors=tuple(freeze(factor, 3, game.system) for factor in factors), system=game.system)

    @classmethod
    @explained
    def softmax(cls, logits: Sequence[Any]) -> Policy:
        """``π^m ∝ exp(logits[m-1])``, each ``[..., S, |A_1|···|A_{m-1}|, |A_m|]``.

        On rationals the logits must be logarithms of rationals.
        """
        if is_hidden(logits):
            return cls(tuple(tilt(like(1, table), table) for table in logits))
        tables = list(arrays_of(**{f"logits[{m}]": table for m, table in enumerate(logits)})[1].values())
        for m, table in enumerate(tables):
            if kind_of(table) == "f" and not np.isfinite(table).all():
                index = [int(i) for i in np.argwhere(~np.isfinite(table))[0]]
                raise GameError(f"logits[{m}]{index} = {table[tuple(index)]} is not finite")
        return cls(tuple(tilt(ones(table.shape, table), table) for table in tables))

    @classmethod
    @explained
    def from_joint(cls, table: Any, action_sizes: Sequence[int]) -> Policy:
        """The chain of factors of a joint table ``π(a | s)`` ``[..., S, A]``, by Bayes; uniform where a prefix has mass 0."""
        joint, sizes = (
            table if is_hidden((table,)) else arrays_of(table=table)[1]["table"],
            counts_of(action_sizes),
        )
        if joint.ndim < 2 or joint.shape[-1] != prefix_sizes(sizes)[-1]:
            raise GameError(f"table has shape {joint.shape}; it needs [..., S, {prefix_sizes(sizes)[-1]}]")
        if not is_hidden((joint,)):
            joint = probabilities("table", joint, rounding_of(table, joint.shape[-1]), full=True)
        factors: list[Array] = []
        for size in reversed(sizes):
            rows = split_last(joint, size)
            joint = rows.sum(-1)
            visited = compare(joint, ">", like(0, joint))[..., None]
            uniform = like(np.full(rows.shape, Fraction(1, size), object), rows)
            factors.append(choose(visited, rows / denominator(joint)[..., None], uniform))
        return cls(tuple(reversed(factors)))

    # -- probabilities ------------------------------------------------------------------------------------------------

    def prefix_probabilities(self) -> tuple[Array, ...]:
        """``(π^{1:0}, ..., π^{1:N})``: ``π^{1:m}(a^{1:m} | s)`` of shape ``[..., S, |A_1|···|A_m|]``; ``π^{1:0} = 1``.

        Computed once and read-only.
        """
        return derived(self, "_remembered", self.factors, self._prefixes)

    @aloud
    def _prefixes(self) -> tuple[Array, ...]:
        first = self.factors[0]
        prefixes = [ones((*first.shape[:-2], 1), self.system), first[..., 0, :]]
        for factor in self.factors[1:]:
            prefixes.append(extend(prefixes[-1], factor))
        for table in prefixes:
            if isinstance(table, np.ndarray):
                table.setflags(write=False)
        return tuple(prefixes)

    def joint(self) -> Array:
        """``π(a | s)``, shape ``[..., S, A]``."""
        return self.prefix_probabilities()[-1]

    # -- shape and facts ----------------------------------------------------------------------------------------------

    @property
    def states(self) -> int:
        """``S``"""
        return int(self.factors[0].shape[-3])

    @property
    def agents(self) -> int:
        """``N``"""
        return len(self.factors)

    @cached_property
    def action_sizes(self) -> tuple[int, ...]:
        """``(|A_1|, ..., |A_N|)``"""
        return tuple(int(factor.shape[-1]) for factor in self.factors)

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The leading axes; ``()`` for a single policy."""
        return self.factors[0].shape[:-3]

    def __getitem__(self, index: Any) -> Policy:
        """One policy of the batch, or a sub-batch."""
        if not self.batch_shape:
            raise GameError("this is a single policy, not a batch")
        return replace(self, factors=tuple(np.asarray(factor[index]) for factor in self.factors))

    def product_mask(self) -> npt.NDArray[np.bool_]:
        """Where certainly no factor depends on the prefix, shape ``[...]``; computed once and read-only."""
        return derived(self, "_product", self.factors, self._without_prefix)

    @aloud
    def _without_prefix(self) -> npt.NDArray[np.bool_]:
        same = [certainly_equal(factor, factor[..., :1, :]).all((-1, -2, -3)) for factor in self.factors]
        if is_hidden(self.factors):
            return both(*same)  # type: ignore[return-value]
        mask = np.asarray(np.logical_and.reduce(same))
        mask.setflags(write=False)
        return mask

    def is_product(self) -> bool:
        """Whether this is a product (decentralised) policy, in every element of the batch."""
        return bool(self.product_mask().all())

    def require_fits(self, game: Game) -> None:
        """Raise :class:`GameError` unless this policy can play ``game``, batch for batch."""
        if (
            self.system is game.system
            and game.available is None
            and self.action_sizes == game.action_sizes
            and self.factors[0].shape[:-2] == game.transition.shape[:-2]
        ):
            return  # most do, so asking comes cheap
        if self.states != game.states or self.action_sizes != game.action_sizes:
            raise GameError(
                f"the policy is for {self.states} states and action sizes {self.action_sizes}, "
                f"the game has {game.states} and {game.action_sizes}"
            )
        if bare(self.system) is not bare(game.system):
            raise GameError(
                f"the game is in {game.system.value}, the policy in {self.system.value}; "
                "convert one with .exact(), .balls() or .floats()"
            )
        if not is_hidden((*self.factors, game.transition)):
            require_batches_fit(game=game.batch_shape, policy=self.batch_shape)
        for m, (factor, mask) in enumerate(zip(self.factors, game.available or (), strict=False)):
            played = support(factor) & ~mask[:, None, :]
            if played.any():
                index = tuple(int(i) for i in np.argwhere(played)[0])
                raise GameError(
                    f"factors[{m}]{list(index)} = {factor[index]}, but agent {m + 1} does not have this action there; "
                    "use policy.restricted(game), or game.without_mask()"
                )

    def restricted(self, game: Game) -> Policy:
        """This policy, given that only available actions are played: uniform over them where it plays none; for plain arrays.

        ``Policy.softmax(logits).restricted(game)`` is the softmax over available actions.  Without masks nothing changes.
        """
        factors = []
        for factor, mask in zip(self.factors, game.available or (), strict=False):
            weights = np.where(mask[:, None, :], factor, like(0, factor))
            mass = np.asarray(weights.sum(-1, keepdims=True))
            some = compare(mass, ">", like(0, mass)) > 0
            uniform = like(_uniform_over(mask)[:, None, :], factor)
            factors.append(np.where(some, divide(weights, np.where(some, mass, like(1, mass))), uniform))
        return Policy(tuple(factors)) if factors else self

    def reordered(self, order: Sequence[int]) -> Policy:
        """The same joint policy with the agents in another order: agent ``k`` is what was agent ``order[k-1]``, counted from 1.

        A product policy keeps its factors.  Otherwise each agent now knows the actions of others, by Bayes; where these have
        probability 0 it plays uniformly.
        """
        places = order_of(order, self.agents)
        if true_everywhere(self.product_mask()):
            return Policy.product([self.factors[m][..., 0, :] for m in places])
        joint = reordered(self.joint(), self.action_sizes, places)
        return Policy.from_joint(joint, tuple(self.action_sizes[m] for m in places))

    # -- number systems -----------------------------------------------------------------------------------------------

    def exact(self, max_denominator: int | None = None) -> Policy:
        """Over the rationals; rows within 1e-12 of 1 are divided by their exact sum."""
        return self._convert(System.RATIONALS, max_denominator)

    def floats(self) -> Policy:
        """Over float64."""
        return self._convert(System.FLOATS)

    def balls(self) -> Policy:
        """Over certified balls at the current precision."""
        return self._convert(System.BALLS)

    def _convert(self, target: System, max_denominator: int | None = None) -> Policy:
        if target is self.system and max_denominator is None:
            return self
        return replace(self, factors=tuple(convert(f, target, max_denominator, rows=True) for f in self.factors))

    def __repr__(self) -> str:
        batch = f", batch {self.batch_shape}" if self.batch_shape else ""
        return f"Policy({self.states} states, actions {self.action_sizes}, {self.system.value}{batch})"

    def _repr_html_(self) -> str:
        """In a notebook: what every agent does in every state, given the agents before it; of a batch only the summary."""
        if self.batch_shape or is_hidden(self.factors):
            return html_table(repr(self), (), ())
        rows = (
            (
                str(m + 1),
                str(state),
                ", ".join(map(str, joint_action(before, self.action_sizes[:m]))) or "-",
                row_text(row),
            )
            for m, factor in enumerate(self.factors)
            for state, table in enumerate(factor)
            for before, row in enumerate(table)
        )
        count = self.states * sum(factor.shape[1] for factor in self.factors)
        return html_table(repr(self), ("agent", "state", "agents before", "probabilities"), rows, count)


def _substituted(game: Game, chosen: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which joint actions are not available where they are chosen."""
    return np.asarray(game.substitutes[np.arange(game.states), chosen] != chosen)


def _uniform_over(mask: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    """``1/n`` on the ``n`` entries of each row that are there, as Fractions."""
    counts = mask.sum(-1, keepdims=True)
    return np.asarray(np.frompyfunc(lambda exists, n: Fraction(int(exists), int(n)), 2, 1)(mask, counts), dtype=object)
