"""Cooperative Markov games."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from itertools import starmap
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import (
    FALSE,
    TRUE,
    Array,
    System,
    Truth,
    as_array,
    choose,
    compare,
    contract,
    is_hidden,
    is_sparse,
    kind_of,
    largest,
    like,
    maximum,
    minimum,
    moveaxis,
    negation,
    ones,
    possible,
    require_one_system,
    select,
    smallest,
    system_of,
)
from ..arithmetic.explained import explained_class, explained_methods, shown
from ..arithmetic.formulas import aloud
from ..arithmetic.functions import Mask, known
from ..arithmetic.one_instance import OneInstance
from ..errors import GameError
from .agents import joint_action, order_of, reordered
from .availability import Masks, joint_mask, masks_of, substitutes_of
from .conversion import convert
from .sparse import dense_for, is_matrix, rows_checked, sparse_fields
from .tables import html_table, number_text
from .validation import (
    MAX_ENTRIES,
    array_of,
    arrays_of,
    at,
    certainly_go_on,
    derived,
    first,
    freeze,
    in_system,
    laid_out,
    name_complaint,
    plain_array,
    probabilities,
    require_below_one,
    require_finite,
    require_made_rows,
    require_shape,
    rounding_of,
    spread,
    unchecked,
)

SUCCESSORS = 20
"""Of one joint action so many are shown in a notebook."""


@explained_methods
@explained_class
@dataclass(frozen=True, eq=False, repr=False)
class Game:
    """A fully cooperative Markov game, or a batch of them, in one number system.

    The arrays decide the arithmetic: float64, ``flint.fmpq``, ``flint.arb`` or symbols; integers join any of them.  Leading axes
    ``...`` are a batch.  ``ends`` ``[..., S, A]`` is three-valued truth: does this row lose mass to termination?  Arrays are
    copied and read-only.  Anything malformed raises :class:`~mappo_verify.errors.GameError`, naming index and value.

    Parameters
    ----------
    transition : ``[..., S, A, S]``
        ``P(s' | s, a)`` with the joint actions on one axis, agent 1 slowest.  Rows may sum to less than 1: the missing mass is
        termination.  Or a SciPy sparse matrix ``[S·A, S]``, of a single game over floats: the same functions then work without
        a dense table, and say what it would cost where they need one.
    reward : ``[..., S, A]``
        ``r(s, a)``, any real range.  ``R(s, a, s')`` in the shape of the transition is averaged: ``Σ_s' P(s'|s, a) R(s, a, s')``.
    discount : ``[...]``
        ``γ`` in [0, 1].  ``γ = 1`` is legal wherever ``I - P_π`` is invertible for the policies involved.
    action_sizes : tuple of int
        ``(|A_1|, ..., |A_N|)``; sizes may differ.  Default: one agent.
    start : ``[..., S]``, optional
        The distribution ``ρ`` of the first state.
    state_names, action_names : optional
        Names for display, one per state, and one tuple per agent.
    name : str
    available : tuple of ``[S, A_m]`` masks, optional
        One for each agent: which actions it has in which state, alike in the whole batch.  An unavailable action's rows are
        overwritten by those of the agent's first available one, so that maxima over actions stay right; policies may not play it.
    ends : Boolean ``[..., S, A]``, optional
        Where the game may end.  By default where a row sums to less than 1: for floats, by more than :data:`CLEARLY_LESS`, and a
        row that misses 1 by less than that and by more than rounding of the type that came in is refused.

    Examples
    --------
    >>> game = Game([[[0.5], [1.0]]], [[1.0, 0.0]], 0.9)
    >>> game.states, game.action_sizes, game.system.value
    (1, (2,), 'floats')
    >>> Game([[[0.5], [1.5]]], [[1.0, 0.0]], 0.9)
    Traceback (most recent call last):
    ...
    mappo_verify.errors.GameError: transition[0, 1] sums to 1.5, which is more than 1; divide each row by its sum in float64
    """

    transition: Array
    reward: Array
    discount: Array
    action_sizes: tuple[int, ...] = ()
    start: Array | None = None
    state_names: tuple[str, ...] | None = None
    action_names: tuple[tuple[str, ...], ...] | None = None
    name: str = ""
    available: Masks | None = None
    ends: Any = None
    system: System = field(init=False)

    def __post_init__(self) -> None:
        if is_hidden((self.transition, self.reward, self.discount, self.start)):
            self._of_one_instance()
            return
        if is_matrix(self.transition):
            self._of_sparse()
            return
        given = {"transition": self.transition, "reward": self.reward, "discount": self.discount}
        system, arrays = arrays_of(**given, **({} if self.start is None else {"start": self.start}))
        transition, reward, discount, start = (arrays.get(name) for name in (*given, "start"))
        assert transition is not None
        assert reward is not None
        assert discount is not None
        if transition.ndim < 3:
            raise GameError(f"transition has shape {transition.shape}; it needs [..., S, A, S]")
        states, actions = transition.shape[-3], transition.shape[-2]
        sizes = _action_sizes(self.action_sizes, actions)
        require_shape("transition", transition, (states, actions, states), "[..., S, A, S]")
        if reward.shape[-3:] == transition.shape[-3:] and reward.ndim == transition.ndim:  # R(s, a, s')
            reward = contract("...sat,...sat->...sa", transition, reward)
        require_shape("reward", reward, (states, actions), "[..., S, A]")
        if start is not None:
            require_shape("start", start, (states,), "[..., S]")
        if states == 0 or actions == 0:
            raise GameError(f"a game needs at least one state and one action; it has {states} and {actions}")
        batches = [transition.shape[:-3], reward.shape[:-2], discount.shape] + (
            [] if start is None else [start.shape[:-1]]
        )
        try:
            batch = np.broadcast_shapes(*batches)
        except ValueError:
            raise GameError(f"the batch axes of transition, reward, discount and start do not fit: {batches}") from None
        if prod(batch) * transition[..., :1, :1, :1].size and prod(batch) * states * actions * states > MAX_ENTRIES:
            raise GameError(
                f"a batch of {prod(batch)} games of this size is more than the limit of {MAX_ENTRIES} entries"
            )
        ends = None if self.ends is None else self._given_ends(transition)
        (transition, seen), (reward, paid) = laid_out(transition, 3, system), laid_out(reward, 2, system)
        if system is not System.SYMBOLS:
            rounding = rounding_of(self.transition, states)
            sure = ends is None and rounding <= rounding_of(transition, states)
            if sure and certainly_go_on(transition, rounding, seen):
                ends = np.broadcast_to(FALSE, transition.shape[:-1])
            else:
                transition = probabilities("transition", transition, rounding, ends=ends, seen=seen)
            require_finite("reward", reward, paid)
            _require_discount(discount)
            if start is not None:
                start, begun = laid_out(start, 1, system)
                start = probabilities("start", start, rounding_of(self.start, states), full=True, seen=begun)
        names = self._names(states, sizes)
        masks = None if self.available is None else masks_of(self.available, states, sizes)
        if masks is not None:
            taken = substitutes_of(masks)
            transition = np.take_along_axis(
                transition, taken.reshape((1,) * len(transition.shape[:-3]) + (*taken.shape, 1)), -2
            )
            reward = np.take_along_axis(reward, taken.reshape((1,) * len(reward.shape[:-2]) + taken.shape), -1)
            if ends is not None:  # of the row that stands in
                ends = np.take_along_axis(ends, taken.reshape((1,) * len(ends.shape[:-2]) + taken.shape), -1)
        for name, value in {
            "available": masks,
            "transition": freeze(spread(transition, batch, 3), 3, system, own=transition.ndim > 3),
            "reward": freeze(spread(reward, batch, 2), 2, system, own=reward.ndim > 2),
            "discount": freeze(np.broadcast_to(discount, batch), 0, system),
            "start": None if start is None else freeze(spread(start, batch, 1), 1, system, own=start.ndim > 1),
            "action_sizes": sizes,
            "system": system,
            "ends": np.broadcast_to(
                _ends(transition) if ends is None else ends,
                batch + transition.shape[-3:-1],
            ),
            "state_names": names[0],
            "action_names": names[1],
        }.items():
            object.__setattr__(self, name, value)

    def _given_ends(self, transition: Array) -> Truth:
        """``ends`` as it was passed: Booleans, or three-valued."""
        given = plain_array(self.ends, "ends")
        if given.dtype == bool:
            given = np.where(given, TRUE, FALSE)
        if given.dtype != np.int8:
            raise GameError(f"ends has dtype {given.dtype}; it says by True or False where the game may end")
        core = transition.shape[-3:-1]
        try:
            shape = np.broadcast_shapes(given.shape, transition.shape[:-1])
        except ValueError:
            shape = ()
        if shape[-2:] != core:
            raise GameError(f"ends has shape {given.shape}; it needs [..., S, A] = [..., {core[0]}, {core[1]}]")
        given = np.broadcast_to(given, shape)
        if system_of(transition) is System.RATIONALS and (given != _ends(transition)).any():
            raise GameError("ends contradicts the rows of the transition, which say exactly where the game may end")
        return given

    def _of_sparse(self) -> None:
        """The fields of a single game over floats whose transitions are a sparse matrix ``[S·A, S]``."""
        if self.available is not None:
            raise GameError(
                "a sparse game takes no masks available=; pass a dense transition, or write the rows and rewards of the agent's "
                "first available action where an action is not available"
            )
        made = sparse_fields(
            self.transition,
            self.reward,
            self.discount,
            self.start,
            prod(self.action_sizes) if np.size(self.action_sizes) else None,
        )
        states, actions = made["transition"].shape[:2]
        sizes = _action_sizes(self.action_sizes, actions)
        given = None if self.ends is None else self._given_ends(made["transition"])
        made["transition"] = rows_checked(made["transition"], given)
        ends = np.array(_ends(made["transition"]) if given is None else given)
        ends.setflags(write=False)
        names = self._names(states, sizes)
        made |= {"action_sizes": sizes, "system": System.FLOATS, "ends": ends}
        for name, value in (made | {"state_names": names[0], "action_names": names[1]}).items():
            object.__setattr__(self, name, value)

    def _of_one_instance(self) -> None:
        """The fields of a game whose arrays are the numbers of one instance."""
        transition, reward = self.transition, self.reward
        sizes = _action_sizes(self.action_sizes, transition.shape[-2])
        states = transition.shape[-1]
        for name, array, wanted in (
            ("transition", transition, (states, transition.shape[-2], states)),
            ("reward", reward, (states, transition.shape[-2])),
            ("start", self.start, (states,)),
        ):
            if array is not None and array.shape != wanted:
                raise GameError(f"{name} of one instance has shape {array.shape}; it needs {wanted}")
        discount = like(self.discount, transition)
        require_made_rows("transition", transition, whole=False)
        require_made_rows("discount", discount[..., None], whole=False)
        if self.start is not None:
            require_made_rows("start", self.start, whole=False)
        names = self._names(states, sizes)
        for name, value in {
            "discount": discount,
            "action_sizes": sizes,
            "system": system_of(transition),
            "ends": compare(transition.sum(-1), "<", 1),
            "state_names": names[0],
            "action_names": names[1],
        }.items():
            object.__setattr__(self, name, value)

    def _names(
        self, states: int, sizes: tuple[int, ...]
    ) -> tuple[tuple[str, ...] | None, tuple[tuple[str, ...], ...] | None]:
        if not isinstance(self.name, str):
            raise GameError(f"name = {self.name!r:.60} is no text")
        if self.name and (complaint := name_complaint(self.name)):
            raise GameError(complaint)
        state_names = None if self.state_names is None else tuple(str(n) for n in self.state_names)
        if state_names is not None and len(state_names) != states:
            raise GameError(f"state_names has {len(state_names)} names for {states} states")
        action_names = None
        if self.action_names is not None:
            action_names = tuple(tuple(str(n) for n in names) for names in self.action_names)
            if tuple(map(len, action_names)) != sizes:
                raise GameError(f"action_names has {tuple(map(len, action_names))} names for action sizes {sizes}")
        return state_names, action_names

    # -- shape --------------------------------------------------------------------------------------------------------

    @property
    def states(self) -> int:
        """``S``"""
        return int(self.transition.shape[-3])

    @property
    def actions(self) -> int:
        """``A = |A_1|···|A_N|``"""
        return int(self.transition.shape[-2])

    @property
    def agents(self) -> int:
        """``N``"""
        return len(self.action_sizes)

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The leading axes; ``()`` for a single game."""
        return self.transition.shape[:-3]

    def __getitem__(self, index: Any) -> Game:
        """One game of the batch, or a sub-batch."""
        if not self.batch_shape:
            raise GameError("this is a single game, not a batch")
        return self._keeping_ends(
            np.asarray(self.ends[index]),
            transition=np.asarray(self.transition[index]),
            reward=np.asarray(self.reward[index]),
            discount=np.asarray(self.discount[index]),
            start=None if self.start is None else np.asarray(self.start[index]),
        )

    def _keeping_ends(self, ends: Any, **changes: Any) -> Game:
        """A changed copy with the same knowledge of what terminates: exact data knows what balls around 1 cannot tell."""
        return replace(self, ends=ends, **changes)

    # -- derived facts ------------------------------------------------------------------------------------------------

    def terminates(self) -> bool:
        """Whether some row of P certainly sums to less than 1 (for floats: by more than rounding)."""
        return bool((self.ends > 0).any())

    @property
    def stopping(self) -> Array:
        """How likely the game ends, ``1 - Σ_s' P(s'|s, a)``, ``[..., S, A]``; 0 where only rounding took mass."""
        if self.system is System.FLOATS:
            from ..arithmetic.floats import complement

            may_end = np.asarray(self.ends > 0)
            if not may_end.any():
                return np.zeros(may_end.shape)
            rest = (
                1 - self.transition.sum(-1) if is_sparse(self.transition) else complement(np.asarray(self.transition))
            )
            left = np.maximum(rest, 0.0)
            return np.where(may_end, left, 0.0)
        whole = ones((*self.transition.shape[:-1], 1), self.system)
        rest = np.concatenate([whole, -self.transition], axis=-1).sum(-1)  # one sum, so enclosures round it once
        return choose(known(negation(self.ends)), like(0, self.system), rest)

    @property
    def outcomes(self) -> Array:
        """``P(·|s, a)`` with the end as one more outcome, ``[..., S, A, S + 1]``."""
        return np.concatenate([self.transition, self.stopping[..., None]], axis=-1)

    @property
    def horizon(self) -> Array:
        """The effective horizon ``1/(1-γ)``: the largest value where rewards lie in [0, 1], shape ``[...]``.

        Raises :class:`~mappo_verify.errors.GameError` where γ = 1.
        """
        endless = derived(self, "_endless", self.discount, self._first_endless)
        if endless is not None:
            raise GameError(
                f"discount{at((endless, 1))}, so the horizon 1/(1-γ) is infinite; choose a discount below 1, for instance "
                "game.with_discount(Fraction(9, 10)) or --discount 9/10"
            )
        one = like(1, self.system)
        return as_array(one / (one - self.discount))

    def _first_endless(self) -> tuple[int, ...] | None:
        """Where in the batch γ is 1 first; of one instance a division by 0 says it."""
        if is_hidden((self.transition,)):
            return None
        endless = as_array(compare(self.discount, "=", like(1, self.system)) > 0)
        return first(endless, self.discount)[0] if endless.any() else None

    @property
    def reward_range(self) -> Array:
        """The length of the shortest interval that holds all rewards, and 0 where the game may end, shape ``[...]``.

        At most 1 for rewards in [0, 1].  The end is like a state where nothing more is paid.
        """
        axes, nothing = (-2, -1), like(0, self.system)
        low, high = smallest(self.reward, axes), largest(self.reward, axes)
        may_end = derived(self, "_may_end", self.ends, self._may_end_somewhere)
        return as_array(choose(may_end, maximum(high, nothing), high) - choose(may_end, minimum(low, nothing), low))

    @aloud
    def _may_end_somewhere(self) -> Mask:
        ends: Any = self.ends if isinstance(self.ends, OneInstance) else possible(self.ends)
        return ends.any((-2, -1))  # type: ignore[no-any-return]

    def with_start(self, start: Any) -> Game:
        """The same game with another start distribution."""
        return self._keeping_ends(self.ends, start=start)

    def with_discount(self, discount: Any) -> Game:
        """The same game with another discount, an int, Fraction, float or scalar of the game's own system."""
        value = like(discount, self.system) if isinstance(discount, (int, Fraction)) else discount
        if is_hidden((self.transition, value)):
            return self._keeping_ends(self.ends, discount=value)
        given = in_system(array_of(value, "discount"), self.system, "discount")
        require_one_system(transition=self.transition, discount=given)
        if given.shape and given.shape != self.batch_shape:
            return self._keeping_ends(self.ends, discount=given)
        if self.system is not System.SYMBOLS:
            _require_discount(given)
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}  # rows of generic games are free
        return unchecked(
            Game, **{**fields, "discount": freeze(np.broadcast_to(given, self.batch_shape), 0, self.system)}
        )

    def as_single_agent(self) -> Game:
        """The same game for one agent that chooses joint actions, so that actions may be correlated."""
        masks = None if self.available is None else (joint_mask(self.available),)
        return self._keeping_ends(self.ends, action_sizes=(self.actions,), action_names=None, available=masks)

    def without_mask(self) -> Game:
        """The same tables for agents that may play every action: unavailable ones are copies of available ones."""
        return self._keeping_ends(self.ends, available=None)

    @property
    def substitutes(self) -> npt.NDArray[np.intp]:
        """The available joint action that each joint action is, or is a copy of, ``[S, A]``."""
        if self.available is None:
            return np.broadcast_to(np.arange(self.actions), (self.states, self.actions))
        return substitutes_of(self.available)

    def reordered(self, order: Sequence[int]) -> Game:
        """The same game with the agents in another order: agent ``k`` is what was agent ``order[k-1]``, counted from 1.

        A policy for it is ``policy.reordered(order)``.

        >>> game = Game(np.zeros((1, 6, 1)), [[0, 1, 2, 3, 4, 5]], 0, action_sizes=(2, 3))
        >>> game.reordered((2, 1)).reward, game.reordered((2, 1)).action_sizes
        (array([[0., 3., 1., 4., 2., 5.]]), (3, 2))
        """
        places = order_of(order, self.agents)
        moves = moveaxis(self.transition, -1, -3)  # the joint actions last
        return self._keeping_ends(
            reordered(self.ends, self.action_sizes, places),
            transition=moveaxis(reordered(moves, self.action_sizes, places), -3, -1),
            reward=reordered(self.reward, self.action_sizes, places),
            action_sizes=tuple(self.action_sizes[m] for m in places),
            action_names=None if self.action_names is None else tuple(self.action_names[m] for m in places),
            available=None if self.available is None else tuple(self.available[m] for m in places),
        )

    # -- number systems -----------------------------------------------------------------------------------------------

    def exact(self, max_denominator: int | None = None) -> Game:
        """This game over the rationals: every float becomes the rational that it is, exactly.

        Rows that sum to 1 up to rounding are divided by their exact sum, since binary fractions rarely sum to 1; rows that end
        stay as they are.  With ``max_denominator``, entries are first rounded to the nearest such fraction.
        """
        return _convert_game(self, System.RATIONALS, max_denominator)

    def floats(self) -> Game:
        """This game over float64 (rationals are rounded, balls lose their radius)."""
        return _convert_game(self, System.FLOATS, None)

    def balls(self) -> Game:
        """This game over certified balls at the current precision; floats go through :meth:`exact` first."""
        return _convert_game(self, System.BALLS, None)

    def __repr__(self) -> str:
        batch = f", batch {self.batch_shape}" if self.batch_shape else ""
        name = f"{self.name!r}, " if self.name else ""
        return f"Game({name}{self.states} states, actions {self.action_sizes}, {self.system.value}{batch})"

    def _repr_html_(self) -> str:
        """In a notebook: every state and joint action with its reward and where it leads; of a batch only the summary."""
        if self.batch_shape or is_hidden((self.reward,)):
            return html_table(repr(self), (), ())
        return html_table(
            f"{self!r}, γ = {number_text(self.discount[()])}",
            ("state", "actions", "reward", "then"),
            starmap(self._row, np.ndindex(self.states, self.actions)),
            self.states * self.actions,
        )

    def _row(self, state: int, action: int) -> tuple[str, ...]:
        """What one joint action is, earns and leads to; of many successors the first."""
        place = str(self.state_names[state]) if self.state_names else str(state)
        agents = joint_action(action, self.action_sizes)
        taken = [names[a] for names, a in zip(self.action_names, agents, strict=True)] if self.action_names else agents
        row = self.transition[state, action]
        places = [s for s in (np.flatnonzero(row) if kind_of(row) == "f" else range(len(row))) if str(row[s]) != "0"]
        then = ", ".join(f"{number_text(row[s])} to {s}" for s in places[:SUCCESSORS])
        more = f", ... {len(places)} successors" if len(places) > SUCCESSORS else ""
        return place, ", ".join(map(str, taken)), number_text(self.reward[state, action]), then + more or "the end"


def _require_discount(discount: Array) -> None:
    require_finite("discount", discount)
    outside = (compare(discount, "<", like(0, discount)) > 0) | (compare(discount, ">", like(1, discount)) > 0)
    if outside.any():
        raise GameError(f"discount{at(first(outside, discount))} is outside [0, 1]")


def _ends(transition: Array) -> Truth:
    """Which rows of P sum to less than 1, shape ``[..., S, A]``; a ball around 1 cannot tell."""
    slack = rounding_of(transition, transition.shape[-1]) if kind_of(transition) == "f" else 0
    mass = np.asarray(transition.sum(-1))
    return compare(mass, "<", like(1, mass) - slack)


def counts_of(sizes: Any) -> tuple[int, ...]:
    """How many actions each agent has, as plain integers from 1 on; one integer is one agent's."""
    given = (sizes,) if isinstance(sizes, (int, np.integer)) else sizes
    if not isinstance(given, (tuple, list, np.ndarray)) or not all(
        isinstance(size, (int, np.integer)) and not isinstance(size, bool) for size in given
    ):
        raise GameError(f"action_sizes = {shown(sizes)} is not a tuple of integers such as (2, 3)")
    result = tuple(int(size) for size in given)
    if any(size < 1 for size in result):
        raise GameError(f"action_sizes {result} has a size below 1")
    return result


def _action_sizes(sizes: Any, actions: int) -> tuple[int, ...]:
    result = counts_of(sizes) or counts_of((actions,))
    if prod(result) != actions:
        raise GameError(f"action_sizes {result} multiply to {prod(result)}, but transition has {actions} joint actions")
    return result


def _given(game: Game) -> dict[str, Any]:
    """What a game is made of."""
    return {entry.name: getattr(game, entry.name) for entry in fields(game) if entry.init}


def _convert_game(game: Game, target: System, max_denominator: int | None) -> Game:
    if target is game.system and max_denominator is None:
        return game
    if is_sparse(game.transition):
        game = Game(**{**_given(game), "transition": dense_for(game.transition, target)})
    goes_on = np.asarray(game.ends < 0) if game.system is System.FLOATS else True
    start = None if game.start is None else convert(game.start, target, max_denominator, rows=True, name="start")
    discount = convert(game.discount, target, max_denominator, name="discount")
    if max_denominator is not None:  # a discount below 1 stays below 1
        rounded_up = (compare(discount, "=", like(1, discount)) > 0) & (
            compare(game.discount, "<", like(1, game.discount)) > 0
        )
        discount = select(rounded_up, like(Fraction(max_denominator - 1, max_denominator), discount), discount)
    if target is System.FLOATS and game.system is System.RATIONALS:
        require_below_one(game.discount, discount)
    changes: dict[str, Any] = {
        "transition": convert(game.transition, target, max_denominator, rows=goes_on, name="transition"),
        "reward": convert(game.reward, target, max_denominator, name="reward"),
        "discount": discount,
        "start": start,
    }
    return game._keeping_ends(None if target is System.RATIONALS else game.ends, **changes)
