"""Drawing from games and policies: the sampling oracle.

The oracle starts where it likes, takes any joint action, and shows the reward and the next state, or that the game has
ended (state :data:`ENDED`).  Many copies of the game move at once, all from one NumPy generator, so that a seed reproduces
everything.  Only floats are drawn from, and only for a single game.  Source: Definition 5.3.

>>> import numpy as np, mappo_verify as mv
>>> oracle = SamplingOracle(mv.Game([[[0, 1]], [[0, 0]]], [[2], [3]], 0.5, start=[1, 0]), np.random.default_rng(0))
>>> states = oracle.start(2)
>>> oracle.step(states, np.zeros(2, int))
(array([1, 1]), array([2., 2.]))
>>> oracle.step(np.array([1]), np.array([0]))[0] == ENDED
array([ True])
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import Array, System, compare
from ..arithmetic.explained import explained_class
from ..errors import GameError
from ..model import Game, Policy
from ..quantities.chain import values_exist
from ..quantities.values import start_of

Generator = np.random.Generator
Places = npt.NDArray[np.intp]

ENDED = -1
"""The state after the end of the game."""


def cumulative(weights: Array) -> Array:
    """Running sums along the last axis of float probabilities that sum to 1, the last of them exactly 1."""
    sums = np.cumsum(weights, axis=-1)
    return sums / sums[..., -1:]


def draw(sums: Array, generator: Generator, shape: tuple[int, ...] = ()) -> Places:
    """Indices drawn by :func:`cumulative` sums ``[..., n]``, by inversion; shape ``[*shape, ...]``."""
    uniform = generator.random((*shape, *sums.shape[:-1]))
    return (compare(sums, "≤", uniform[..., None]) > 0).sum(-1, dtype=np.intp)


@explained_class
class SamplingOracle:
    """Starts a game, moves it, and rolls a policy out; ``generator`` supplies all randomness."""

    def __init__(self, game: Game, generator: Generator) -> None:
        if game.batch_shape:
            raise GameError(f"the sampling oracle plays one game, not a batch {game.batch_shape}; index the batch")
        if game.system is not System.FLOATS:
            raise GameError(f"the sampling oracle draws from floats, not {game.system.value}; use game.floats()")
        self.game = game
        self.generator = generator

    @cached_property
    def _sums(self) -> Array:
        """Running sums of ``P(·|s, a)`` with termination as one more outcome, ``[S, A, S + 1]``."""
        return cumulative(self.game.outcomes)

    def start(self, count: int, start: Any = None) -> Places:
        """``count`` states drawn from ``ρ`` (default: the game's start), ``[count]``."""
        return draw(cumulative(start_of(self.game, start)), self.generator, (count,))

    def step(self, states: Places, actions: Places) -> tuple[Places, Array]:
        """Next states (:data:`ENDED` after the end) and rewards of the joint ``actions`` in ``states``, all ``[B]``."""
        following = draw(self._sums[states, actions], self.generator)
        gone = following == self.game.states
        return np.where(gone, ENDED, following), self.game.reward[states, actions]

    def act(self, policy: Policy, states: Places) -> Places:
        """Joint actions drawn from ``π(·|s)``, ``[B]``."""
        return draw(cumulative(policy.joint())[states], self.generator)

    def rollout(self, policy: Policy, states: Places, actions: Places) -> Array:
        """Unbiased estimates of ``Q_π(s_b, a_b)``, ``[B]``.

        After every step the episode goes on with probability γ and earns *undiscounted* rewards, so its expected sum is the
        discounted value, and nothing is cut off.
        """
        policy.require_fits(self.game)
        if (compare(values_exist(self.game, policy), "<", 0) > 0).any():
            raise GameError("with discount 1 and no termination a rollout would never end; choose a discount below 1")
        joint = cumulative(policy.joint())
        total = np.zeros(len(states))
        alive = np.arange(len(states))
        while len(alive):
            states, reward = self.step(states, actions)
            total[alive] += reward
            lasting = states != ENDED
            lasting &= compare(self.generator.random(len(alive)), "<", self.game.discount) > 0
            alive, states = alive[lasting], states[lasting]
            actions = draw(joint[states], self.generator)
        return total
