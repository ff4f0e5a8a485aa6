"""The exact policy gradient.

For softmax factors ``π^m(·|s, p) ∝ exp ℓ^m(s, p, ·)`` and a start distribution ``ρ`` with visits ``d``::

    ∂J/∂ℓ^m(s, p, a) = d(s) π^{1:m-1}(p|s) π^m(a|s, p) A^m(s, p, a)

so agent ``m`` gains by what its own action adds to the values of the prefix: Lemma 4.1 to first order.  Log-linear
parameters follow by the chain rule, ``∂J/∂θ^m = Σ φ^m ∂J/∂ℓ^m`` (:meth:`~mappo_verify.model.features.Features.transposed`), and
logits that a product policy shares over all prefixes by summing over ``p``.  Source: Section 4 (the policy gradient theorem).

One state, rewards 1 and 0, played evenly and once: the odds move by ±1/4.

>>> import mappo_verify as mv
>>> game = mv.Game([[[0], [0]]], [[1, 0]], 0, start=[1])
>>> policy_gradient(game, mv.Policy.uniform(game))
(array([[[ 0.25, -0.25]]]),)
"""

from __future__ import annotations

from typing import Any

from ..arithmetic import Array
from ..arithmetic.explained import explained
from ..model import Game, Policy
from ..model.agents import split_last
from .agent_values import agent_advantages
from .distributions import state_action_distribution, visits


@explained
def policy_gradient(game: Game, policy: Policy, start: Any = None) -> tuple[Array, ...]:
    """``∂J/∂ℓ^m`` for every agent, each in the shape of its factor, ``[..., S, prefixes, A_m]``.

    ``J`` is the return from ``ρ`` (default: the game's start).  The entries of a row sum to 0.
    """
    weights, advantages = visits(game, policy, start), agent_advantages(game, policy)
    return tuple(gradient_of_logits(weights, policy, m, gain) for m, gain in enumerate(advantages, start=1))


def gradient_of_logits(weights: Array, policy: Policy, m: int, advantages: Array) -> Array:
    """``d(s) π^{1:m}(a^{1:m}|s) A^m(s, a^{1:m})`` in the shape of factor ``m`` (counted from 1), ``[..., S, prefixes, A_m]``.

    ``weights`` are the visits ``d`` ``[..., S]``, ``advantages`` is ``A^m`` ``[..., S, |A_1|···|A_m|]``.
    """
    return split_last(state_action_distribution(weights, policy, m) * advantages, policy.action_sizes[m - 1])


@explained
def product_gradient(game: Game, policy: Policy, start: Any = None) -> tuple[Array, ...]:
    """``∂J/∂ℓ^m(s, a)`` where agent ``m`` has one logit for all prefixes (a product policy), each ``[..., S, A_m]``."""
    return tuple(table.sum(-2) for table in policy_gradient(game, policy, start))
