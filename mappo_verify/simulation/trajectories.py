"""Rollouts: many episodes of a game side by side, with the flags that Gymnasium and PettingZoo have.

:func:`simulate` plays whole episodes, one a column, padded to the longest; :func:`stream` plays a fixed number of steps and
begins anew within the step after which an episode ended, as vectorised environments do.  Time comes first, ``[T, E]``, as in
:mod:`~mappo_verify.quantities.trajectory_targets`, which take these arrays as they are.  A step is *terminated* where the game
ended, and *truncated* where it was the last one that a time limit (or ``steps``) allows; at the limit both may be true, as in
Gymnasium.  After termination comes no state of the game: its number is ``game.states``.

Everything is drawn from one NumPy generator, in floats, so a seed reproduces it.

>>> import numpy as np, mappo_verify as mv
>>> from mappo_verify.model.time_limit import time_limited
>>> game = mv.Game([[[0, 1]], [[0.5, 0]]], [[1], [2]], 0.5, start=[1, 0])
>>> played = simulate(time_limited(game, 3), mv.Policy.uniform(game), 4, np.random.default_rng(0))
>>> played.states[:, 1:3].T.tolist()                      # the first of these ended after two steps, the second was truncated
[[0, 1, 2, 2], [0, 1, 0, 1]]
>>> played.terminated[:, 1:3].T.tolist(), played.truncated[:, 1:3].T.tolist()
([[False, True, False], [False, False, False]], [[False, False, False], [False, False, True]])
>>> values, final_values = played.critic_values([5, 5])
>>> gae = mv.quantities.gae
>>> gae(played.rewards, values, played.terminated, played.truncated, 0.5, 1, final_values)[0, 1:3]
array([-3.   , -2.125])
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..algorithms.sampling import ENDED, Generator, Places, SamplingOracle, cumulative, draw
from ..arithmetic.explained import explained
from ..errors import GameError
from ..model import Game, Policy
from ..model.agents import prefix_sizes
from ..model.time_limit import TimeLimited
from ..model.validation import MAX_ENTRIES, require_count
from ..quantities.chain import values_exist

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Trajectories:
    """What :func:`simulate` and :func:`stream` recorded: ``T`` steps of ``E`` columns.

    Parameters
    ----------
    states : ``[T+1, E]`` of int
        What is seen at ``0..T``; in a stream that is the first state of the next episode, once one has ended.
    next_states : ``[T, E]`` of int
        What followed step ``t``, before any reset; ``game.states`` after termination.
    actions, joint_actions : ``[T, E, N]`` and ``[T, E]`` of int
        What each agent did, and its index among the joint actions.
    rewards : ``[T, E]``
        What the team earned.
    probabilities : ``[T, E, N]``
        ``π^m(a^m | s, a^{1:m-1})`` of the actions taken.
    terminated, truncated : ``[T, E]`` of bool
    valid : ``[T, E]`` of bool
        False on the padding behind the end of an episode, where every other entry is 0, and the state ``game.states``.
    time : ``[T+1, E]`` of int
        How many steps of its episode came before.
    game : Game
        What was played, in floats.
    """

    states: Places
    next_states: Places
    actions: Places
    joint_actions: Places
    rewards: Floats
    probabilities: Floats
    terminated: Mask
    truncated: Mask
    valid: Mask
    time: Places
    game: Game

    def critic_values(self, critic: Any) -> tuple[Floats, Floats]:
        """``values`` ``[T+1, E]`` and ``final_values`` ``[T, E]`` of a critic ``[S]``, or of one over time ``[limit + 1, S]``.

        ``values`` are at :attr:`states`, ``final_values`` at :attr:`next_states`; 0 after termination and on padding.
        """
        table = np.asarray(critic, dtype=np.float64)
        if table.ndim not in (1, 2) or table.shape[-1] != self.game.states:
            raise GameError(
                f"critic has shape {table.shape}; it needs [{self.game.states}] or [limit + 1, {self.game.states}]"
            )
        table = np.concatenate([table, np.zeros((*table.shape[:-1], 1))], axis=-1)
        if table.ndim == 1:
            return table[self.states], table[self.next_states]
        last = self.time[:-1] + 1
        if max(int(self.time.max()), int(last.max())) >= len(table):
            raise GameError(f"critic has rows for {len(table)} times, but an episode has {int(last.max())} steps")
        return table[self.time, self.states], table[last, self.next_states]


@explained
def simulate(
    game: Game | TimeLimited,
    policy: Policy,
    episodes: int,
    generator: Generator,
    steps: int | None = None,
    start: Any = None,
) -> Trajectories:
    """Whole episodes, one a column, padded to the longest of them.

    Parameters
    ----------
    game : Game or TimeLimited
        One game, in any number system that has floats; it is played in floats.
    policy : Policy
        What the agents do.
    episodes : int
        ``E``, how many episodes are played side by side.
    generator : numpy.random.Generator
        The source of all randomness.
    steps : int, optional
        Truncates every episode after so many steps, as a time limit would.  Needed where an episode may last for ever.
    start : ``[S]``, optional
        The distribution of the first state; default: the game's start.
    """
    played, limit = _played(game)
    require_count("episodes", episodes)
    if steps is not None:
        require_count("steps", steps)
        limit = steps if limit is None else min(limit, steps)
    if limit is None and (values_exist(played.with_discount(1.0), policy.floats()) <= 0).any():
        raise GameError("some episode may last for ever; pass steps=, or play mv.time_limited(game, T)")
    world = _World(played, policy, generator, start)
    states, rows, time = world.start(episodes), [], 0
    alive = np.ones(episodes, bool)
    while alive.any():
        if (time + 1) * episodes * played.agents > MAX_ENTRIES:
            raise GameError(
                f"{episodes} episodes of more than {time} steps are more than the limit of {MAX_ENTRIES} entries"
            )
        row = world.step(states, alive)
        row.truncated[:] = alive & (time + 1 == limit)
        rows.append(replace(row, time=np.full(episodes, time)))
        alive = alive & ~row.terminated & ~row.truncated
        states, time = row.next_states, time + 1
    return _stacked(rows, states, np.full(episodes, time))


@explained
def stream(
    game: Game | TimeLimited,
    policy: Policy,
    environments: int,
    steps: int,
    generator: Generator,
    start: Any = None,
) -> Trajectories:
    """``steps`` steps of ``environments`` columns; where an episode ends the next one begins at the following step.

    :attr:`Trajectories.next_states` has what followed before the reset, :attr:`Trajectories.states` what came after it, so that a
    critic at ``next_states`` is the ``final_values`` of a truncated step.  The last step is not truncated unless a time limit
    says so: what follows it is the last row of ``states``.  Parameters as in :func:`simulate`.
    """
    played, limit = _played(game)
    require_count("environments", environments)
    require_count("steps", steps)
    if steps * environments * played.agents > MAX_ENTRIES:
        raise GameError(
            f"{steps} steps of {environments} environments are more than the limit of {MAX_ENTRIES} entries"
        )
    world = _World(played, policy, generator, start)
    states, time = world.start(environments), np.zeros(environments, np.intp)
    alive, rows = np.ones(environments, bool), []
    for _ in range(steps):
        row = replace(world.step(states, alive), time=time)
        row.truncated[:] = False if limit is None else time + 1 == limit
        rows.append(row)
        over = row.terminated | row.truncated
        states = np.where(over, world.start(environments), row.next_states)
        time = np.where(over, 0, time + 1)
    return _stacked(rows, states, time)


def _played(game: Game | TimeLimited) -> tuple[Game, int | None]:
    """The game in floats, and its limit."""
    if isinstance(game, TimeLimited):
        return game.game.floats(), game.limit
    return game.floats(), None


class _World:
    """One game that is played by one policy, many columns at once."""

    def __init__(self, game: Game, policy: Policy, generator: Generator, start: Any) -> None:
        self.oracle, self.game = SamplingOracle(game, generator), game
        policy = policy.floats()
        policy.require_fits(game)
        if policy.batch_shape:
            raise GameError(f"one policy is played, not a batch {policy.batch_shape}; index the batch")
        self.factors, self.generator = policy.factors, generator
        self.sums = cumulative(policy.joint())
        self.start: Callable[[int], Places] = lambda count: self.oracle.start(count, start)

    def step(self, states: Places, alive: Mask) -> Trajectories:
        """One step of every column that is alive; nothing in the others."""
        game = self.game
        joint, following = np.zeros(len(states), np.intp), np.full(len(states), game.states)
        rewards, probabilities = np.zeros(len(states)), np.zeros((len(states), game.agents))
        own = states[alive]
        chosen = draw(self.sums[own], self.generator)
        after, earned = self.oracle.step(own, chosen)
        joint[alive], rewards[alive] = chosen, earned
        following[alive] = np.where(after == ENDED, game.states, after)
        sizes = prefix_sizes(game.action_sizes)
        actions = np.stack(np.unravel_index(joint, game.action_sizes), axis=-1).astype(np.intp)
        for m, factor in enumerate(self.factors):
            prefixes = chosen // (sizes[-1] // sizes[m])
            probabilities[alive, m] = factor[own, prefixes, actions[alive, m]]
        return Trajectories(
            states=np.where(alive, states, game.states),
            next_states=following,
            actions=actions,
            joint_actions=joint,
            rewards=rewards,
            probabilities=probabilities,
            terminated=alive & (following == game.states),
            truncated=np.zeros(len(states), bool),
            valid=alive.copy(),
            time=np.zeros(len(states), np.intp),
            game=game,
        )


def _stacked(rows: list[Trajectories], states: Places, time: Places) -> Trajectories:
    """The steps as one record; ``states`` and ``time`` are what follows the last."""
    names = ("next_states", "actions", "joint_actions", "rewards", "probabilities", "terminated", "truncated", "valid")
    return Trajectories(
        states=np.stack([row.states for row in rows] + [states]),
        time=np.stack([row.time for row in rows] + [time]),
        game=rows[0].game,
        **{name: np.stack([getattr(row, name) for row in rows]) for name in names},
    )
