"""The multi-agent Bellman operators.

::

    (T^{1:m}_π f)(s, a^{1:m}) = E_{a^{m+1:N} ~ π}[ r(s, a) + γ Σ_s' P(s'|s, a) f(s', π^{1:m}) ]

with ``f(s', π^{1:m}) = Σ π^{1:m}(a^{1:m}|s') f(s', a^{1:m})``.  In the supremum norm it is Lipschitz with constant
``γ · max_{s,a} Σ_s' P(s'|s, a)``; its fixed point is ``Q^{1:m}``.  Source: Definition 3.2.

With γ = 0 the operator forgets ``f`` and returns the expected reward:

>>> import numpy as np, mappo_verify as mv
>>> game = mv.Game([[[1], [1], [1], [1]]], [[1, 0, 0, 3]], 0, action_sizes=(2, 2))
>>> mv.quantities.bellman_operator(game, mv.Policy.uniform(game), np.array([[7.0, 7.0]]), 1)
array([[0.5, 1.5]])
"""

from __future__ import annotations

import numpy as np

from ..arithmetic import Array, largest, zeros
from ..arithmetic.explained import explained
from ..model import Game, Policy
from ..model.agents import prefixes_of
from ..model.validation import require_shape, unchecked
from .agent_values import average_out
from .values import lookahead


@explained
def bellman_operator(game: Game, policy: Policy, table: Array, m: int) -> Array:
    """``T^{1:m}_π f`` for ``f`` of shape ``[..., S, |A_1|···|A_m|]``, in the same shape; ``0 ≤ m ≤ N``."""
    policy.require_fits(game)
    require_shape("table", table, (game.states, prefixes_of(game.action_sizes, m)), "[..., S, |A_1|···|A_m|]")
    next_values = average_out(table, policy, m)[0][..., 0]
    return average_out(lookahead(game, next_values), policy, game.agents, m)[0]


@explained
def expected_reward(game: Game, policy: Policy, m: int) -> Array:
    """``E_{a^{m+1:N} ~ π} r(s, a)``, ``[..., S, |A_1|···|A_m|]``: what ``T^{1:m}_π`` makes of 0."""
    nothing = zeros((game.states, prefixes_of(game.action_sizes, m)), game.system)
    return bellman_operator(game, policy, nothing, m)


@explained
def implied_reward(game: Game, policy: Policy, table: Array, m: int) -> Array:
    """``f - γ E P f(·, π^{1:m})``: the reward under which ``f`` is its own Bellman update, ``[..., S, |A_1|···|A_m|]``.

    In the game with these rewards and the same dynamics, ``Q^{1:m}_π = f``.  Source: Lemma C.3.
    """
    image = bellman_operator(game, policy, table, m)
    return table - image + expected_reward(game, policy, m)


def implied_game(game: Game, policy: Policy, table: Array, m: int) -> Game:
    """The game with the same dynamics and the rewards of :func:`implied_reward`, in which ``Q^{1:m}_π = f``.

    The actions of agents ``m+1..N`` earn nothing more.  Rewards change no pattern of transitions, so nothing is checked again,
    and formal games have one, too.  Source: Lemma C.3.
    """
    reward = implied_reward(game, policy, table, m)
    repeated = np.repeat(reward, game.actions // reward.shape[-1], axis=-1)
    return unchecked(Game, **{**vars(game), "reward": repeated})


@explained
def row_mass(game: Game) -> Array:
    """``max_{s,a} Σ_s' P(s'|s, a)``, the largest probability of going on, shape ``[...]``; in [0, 1]."""
    return largest(game.transition.sum(-1), axis=(-2, -1))


@explained
def contraction_factor(game: Game) -> Array:
    """``γ · max_{s,a} Σ_s' P(s'|s, a)``: the Lipschitz constant of every ``T^{1:m}_π`` in the supremum norm, shape ``[...]``."""
    return game.discount * row_mass(game)
