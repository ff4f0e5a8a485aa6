"""Ratio games: one state, and every round may be the last.

With one state, reward ``r(a)`` and ``S(a) = 1 - γ P(s|s, a)``, a stationary joint policy ``π`` is worth::

    V_π = Σ_a π(a) r(a) / Σ_a π(a) S(a)

for two independent agents ``V(x, y) = xᵀRy / xᵀSy``.  As a formula it makes sense beyond probabilities, wherever the
denominator does not vanish, so weights here may be any numbers.  Source: Appendix E; Daskalakis et al. (2020).

The published simulation of Appendix E differs from Algorithm 1 in two places, both defined here: it moves logits by what it is
worth to *commit* to actions for good (:func:`commitment_values`) instead of taking them once and following ``π`` afterwards
(``Q^{1:m}``), and it scores a conditional policy by the product of its marginals (:func:`product_of_marginals`).

A prize of 1, paid every round; the first action ends the game with probability 1/2, the second with probability 1/4:

>>> import numpy as np, mappo_verify as mv
>>> game = mv.Game([[[1 / 2], [3 / 4]]], [[1, 1]], 1, start=[1])
>>> [ratio_value(game, np.array(weights)).item() for weights in ([1.0, 0.0], [0.0, 1.0], [0.5, 0.5])]
[2.0, 4.0, 2.6666666666666665]
"""

from __future__ import annotations

import numpy as np

from ..arithmetic import Array, contract, identity, largest, like
from ..arithmetic.explained import explained
from ..errors import GameError
from ..model import Game, Policy
from ..model.agents import join_last
from .agent_values import average_out, marginal


@explained
def stopping(game: Game) -> Array:
    """``S(a) = 1 - γ P(s|s, a)``, shape ``[..., A]``; an error for games of several states."""
    if game.states > 1:
        raise GameError(f"a ratio game has one state; this game has {game.states}")
    stays = game.discount[..., None] * game.transition[..., 0, :, 0]
    return like(1, game.system) - stays


@explained
def ratio_value(game: Game, weights: Array) -> Array:
    """``Σ_a w(a) r(a) / Σ_a w(a) S(a)`` for any weights ``[..., A]``, shape ``[...]``."""
    return _total(weights, game.reward[..., 0, :]) / _total(weights, stopping(game))


@explained
def ratio_slope(game: Game, weights: Array, change: Array) -> Array:
    """The derivative of :func:`ratio_value` at ``w`` along ``c``: ``(⟨c, r⟩ - V⟨c, S⟩)/⟨w, S⟩``, shape ``[...]``."""
    gain = _total(change, game.reward[..., 0, :]) - ratio_value(game, weights) * _total(change, stopping(game))
    return gain / _total(weights, stopping(game))


def _total(weights: Array, values: Array) -> Array:
    return contract("...a,...a->...", weights, values)


@explained
def independent_weights(first: Array, second: Array) -> Array:
    """``w(a, b) = x(a) y(b)`` on the joint axis; from ``[..., A_1]`` and ``[..., A_2]``."""
    return join_last(first[..., :, None] * second[..., None, :])


@explained
def gradient_on_square(game: Game, first: Array, second: Array) -> tuple[Array, Array]:
    """``(∂V/∂x, ∂V/∂y)`` where the agents play ``(x, 1-x)`` and ``(y, 1-y)``, both of any numbers, each ``[...]``."""
    up = like([1, -1], game.system)
    weights = independent_weights(first, second)
    return (
        ratio_slope(game, weights, independent_weights(up, second)),
        ratio_slope(game, weights, independent_weights(first, up)),
    )


@explained
def first_order_gain(game: Game, first: Array, second: Array) -> Array:
    """``max_{x', y'} ⟨∇V(x, y), (x' - x, y' - y)⟩`` over all pairs of policies, shape ``[...]``.

    At least 0, and 0 exactly at the points that are stationary among policies (Frank and Wolfe's gap).
    """
    weights = independent_weights(first, second)
    pure = identity(2, game.system)
    own = [
        ratio_slope(game, weights[..., None, :], independent_weights(pure - first[..., None, :], second[..., None, :])),
        ratio_slope(game, weights[..., None, :], independent_weights(first[..., None, :], pure - second[..., None, :])),
    ]
    return largest(own[0]) + largest(own[1])


# --- the published simulation -----------------------------------------------------------------------------------------


def product_of_marginals(policy: Policy) -> Policy:
    """``Π_m π(a^m|s)``: what the agents do one by one, with every correlation forgotten."""
    own = [marginal(policy, (m,)) for m in range(1, policy.agents + 1)]
    return Policy.product(
        [
            table.reshape(table.shape[: -policy.agents] + (size,))
            for table, size in zip(own, policy.action_sizes, strict=True)
        ]
    )


@explained
def commitment_values(game: Game, policy: Policy) -> tuple[Array, ...]:
    """``(V(a^{1:1}), ..., V(a^{1:N}))``: agents ``1..m`` play ``a^{1:m}`` in every round, the others their marginals.

    Each of shape ``[..., 1, |A_1|···|A_m|]``, like ``Q^{1:m}``, where ``a^{1:m}`` is played in the first round only.
    Source: the published simulation of Appendix E.
    """
    alone = product_of_marginals(policy)
    batch = np.broadcast_shapes(game.batch_shape, policy.batch_shape)
    rewards, stops = (
        average_out(np.broadcast_to(table, (*batch, 1, game.actions)), alone, game.agents)
        for table in (game.reward, stopping(game)[..., None, :])
    )
    return tuple(reward / stop for reward, stop in zip(rewards[1:], stops[1:], strict=True))
