"""Cooperative Markov games."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from ..arithmetic import (
    Array,
    System,
    Truth,
    as_array,
    choose,
    compare,
    is_hidden,
    is_sparse,
    largest,
    like,
    maximum,
    minimum,
    possible,
    select,
    smallest,
    system_of,
)
from ..errors import GameError
from .conversion import convert
from .sparse import dense_for, is_matrix, sparse_fields
from .validation import (
    MAX_ENTRIES,
    ROUNDING,
    arrays_of,
    at,
    first,
    freeze,
    require_finite,
    require_shape,
    require_subprobability,
)


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
        ``r(s, a)``, any real range.
    discount : ``[...]``
        ``γ`` in [0, 1].  ``γ = 1`` is legal wherever ``I - P_π`` is invertible for the policies involved.
    action_sizes : tuple of int
        ``(|A_1|, ..., |A_N|)``; sizes may differ.  Default: one agent.
    start : ``[..., S]``, optional
        The distribution ``ρ`` of the first state.
    state_names, action_names : optional
        Names for display, one per state, and one tuple per agent.
    name : str

    Examples
    --------
    >>> game = Game([[[0.5], [1.0]]], [[1.0, 0.0]], 0.9)
    >>> game.states, game.action_sizes, game.system.value
    (1, (2,), 'floats')
    >>> Game([[[0.5], [1.5]]], [[1.0, 0.0]], 0.9)
    Traceback (most recent call last):
    ...
    mappo_verify.errors.GameError: transition[0, 1] sums to 1.5, which is more than 1
    """

    transition: Array
    reward: Array
    discount: Array
    action_sizes: tuple[int, ...] = ()
    start: Array | None = None
    state_names: tuple[str, ...] | None = None
    action_names: tuple[tuple[str, ...], ...] | None = None
    name: str = ""
    system: System = field(init=False)
    ends: Truth = field(init=False)

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
        table, mass = freeze(np.broadcast_to(transition, batch + transition.shape[-3:]), 3, system), None
        if system is not System.SYMBOLS:
            mass = require_subprobability("transition", table if batch == transition.shape[:-3] else transition)
            require_finite("reward", reward)
            require_finite("discount", discount)
            outside = (compare(discount, "<", like(0, discount)) > 0) | (compare(discount, ">", like(1, discount)) > 0)
            if outside.any():
                raise GameError(f"discount{at(first(outside, discount))} is outside [0, 1]")
            if start is not None:
                require_subprobability("start", start)
        names = self._names(states, sizes)
        ends = _ends(transition.sum(-1) if mass is None else mass)
        for name, value in {
            "transition": table,
            "reward": freeze(np.broadcast_to(reward, batch + reward.shape[-2:]), 2, system),
            "discount": freeze(np.broadcast_to(discount, batch), 0, system),
            "start": None if start is None else freeze(np.broadcast_to(start, batch + start.shape[-1:]), 1, system),
            "action_sizes": sizes,
            "system": system,
            "ends": np.broadcast_to(ends, batch + transition.shape[-3:-1]),
            "state_names": names[0],
            "action_names": names[1],
        }.items():
            object.__setattr__(self, name, value)

    def _of_sparse(self) -> None:
        """The fields of a single game over floats whose transitions are a sparse matrix ``[S·A, S]``."""
        given = (self.transition, self.reward, self.discount, self.start)
        made = sparse_fields(*given, prod(self.action_sizes) if np.size(self.action_sizes) else None)
        transition = made["transition"]
        states, actions = transition.shape[:2]
        sizes = _action_sizes(self.action_sizes, actions)
        ends = compare(transition.mass, "<", 1 - ROUNDING)
        ends.setflags(write=False)
        names = self._names(states, sizes)
        made |= {"action_sizes": sizes, "system": System.FLOATS, "ends": ends}
        for name, value in (made | {"state_names": names[0], "action_names": names[1]}).items():
            object.__setattr__(self, name, value)

    def _of_one_instance(self) -> None:
        """The fields of a game whose arrays are the numbers of one instance, which were checked when they were made."""
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
        names = self._names(states, sizes)
        for name, value in {
            "discount": like(self.discount, transition),
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

    def _keeping_ends(self, ends: Truth, **changes: Any) -> Game:
        """A changed copy with the same knowledge of what terminates: exact data knows what balls around 1 cannot tell."""
        result = replace(self, **changes)
        object.__setattr__(result, "ends", ends)
        return result

    # -- derived facts ------------------------------------------------------------------------------------------------

    def terminates(self) -> bool:
        """Whether some row of P certainly sums to less than 1 (for floats: by more than rounding)."""
        return bool((self.ends > 0).any())

    @property
    def stopping(self) -> Array:
        """How likely the game ends, ``1 - Σ_s' P(s'|s, a)``, ``[..., S, A]``; 0 where only rounding took mass."""
        return choose(self.ends, like(1, self.system) - self.transition.sum(-1), like(0, self.system))

    @property
    def outcomes(self) -> Array:
        """``P(·|s, a)`` with the end as one more outcome, ``[..., S, A, S + 1]``."""
        return np.concatenate([self.transition, self.stopping[..., None]], axis=-1)

    @property
    def horizon(self) -> Array:
        """The effective horizon ``1/(1-γ)``, for γ < 1: the largest value where rewards lie in [0, 1], shape ``[...]``."""
        one = like(1, self.system)
        return as_array(one / (one - self.discount))

    @property
    def reward_range(self) -> Array:
        """The length of the shortest interval that holds all rewards, and 0 where the game may end, shape ``[...]``.

        At most 1 for rewards in [0, 1].  The end is like a state where nothing more is paid.
        """
        axes, nothing = (-2, -1), like(0, self.system)
        low, high = smallest(self.reward, axes), largest(self.reward, axes)
        may_end = possible(self.ends).any(axes)
        return as_array(choose(may_end, maximum(high, nothing), high) - choose(may_end, minimum(low, nothing), low))

    def with_start(self, start: Any) -> Game:
        """The same game with another start distribution."""
        return self._keeping_ends(self.ends, start=start)

    def with_discount(self, discount: Any) -> Game:
        """The same game with another discount, an int, Fraction, float or scalar of the game's own system."""
        value = like(discount, self.system) if isinstance(discount, (int, Fraction)) else discount
        return self._keeping_ends(self.ends, discount=value)

    def as_single_agent(self) -> Game:
        """The same game for one agent that chooses joint actions, so that actions may be correlated."""
        return self._keeping_ends(self.ends, action_sizes=(self.actions,), action_names=None)

    # -- number systems -----------------------------------------------------------------------------------------------

    def exact(self, max_denominator: int | None = None) -> Game:
        """This game over the rationals: every float becomes the rational that it is, exactly.

        Rows within 1e-12 of 1 are divided by their exact sum, since binary fractions rarely sum to 1; smaller sums stay
        termination.  With ``max_denominator``, entries are first rounded to the nearest such fraction.
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


def _ends(mass: Array) -> Truth:
    """Which rows of P, by their sums ``[..., S, A]``, sum to less than 1; a ball around 1 cannot tell."""
    slack = ROUNDING if mass.dtype.kind == "f" else 0
    return compare(mass, "<", like(1, mass) - slack)


def _action_sizes(sizes: Any, actions: int) -> tuple[int, ...]:
    given = (sizes,) if isinstance(sizes, (int, np.integer)) else sizes
    if not isinstance(given, (tuple, list, np.ndarray)) or not all(
        isinstance(size, (int, np.integer)) and not isinstance(size, bool) for size in given
    ):
        raise GameError(f"action_sizes = {sizes!r} is not a tuple of integers such as (2, 3)")
    result = tuple(int(size) for size in given) or (actions,)
    if any(size < 1 for size in result):
        raise GameError(f"action_sizes {result} has a size below 1")
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
    start = None if game.start is None else convert(game.start, target, max_denominator, rows=True, name="start")
    discount = convert(game.discount, target, max_denominator, name="discount")
    if max_denominator is not None:  # a discount below 1 stays below 1
        rounded_up = (compare(discount, "=", like(1, discount)) > 0) & (
            compare(game.discount, "<", like(1, game.discount)) > 0
        )
        discount = select(rounded_up, like(Fraction(max_denominator - 1, max_denominator), discount), discount)
    changes: dict[str, Any] = {
        "transition": convert(game.transition, target, max_denominator, rows=True, name="transition"),
        "reward": convert(game.reward, target, max_denominator, name="reward"),
        "discount": discount,
        "start": start,
    }
    if target is System.BALLS and game.system is System.RATIONALS:
        return game._keeping_ends(game.ends, **changes)
    return replace(game, **changes)
