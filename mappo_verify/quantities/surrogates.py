"""Surrogate objectives of one agent under the old policy's visits, and their exact gradients.

``f`` is the agent's old factor, ``g`` its new one, ``A`` a table of advantages, all ``[..., S, P, A_m]`` with the prefixes ``p``
of earlier agents (one prefix for an agent that does not see them); ``w(s, p)`` weighs the rows (:func:`surrogate_weights`)::

    linear      Σ w Σ_a g A                                    TRPO; = E_{a ~ f}[ratio · A], ratio = g/f
    clipped     Σ w Σ_a f min(ratio · A, clip(ratio, 1-ε, 1+ε) A)         PPO
    penalised   Σ w [Σ_a g A - β KL(f‖g)]                      PPO with a penalty

For softmax factors, with ``D(s, p, a)`` the derivative of the objective at one row by ``g(a)``, the gradient in the logits is ::

    w(s, p) g(a) [D(a) - Σ_b g(b) D(b)]

and ``g(a) - f(a)`` for ``KL(f‖g)``.  The mean term stays, whatever ``A`` is; for advantages centred under ``g`` it is 0, which is
why such tables hide its absence.  Log-linear parameters: ``features.transposed(m - 1, gradient)``; logits that a product policy
shares over all prefixes: the sum over ``P``.  Source: Schulman et al. (2015), (2017).

Even odds, ``A = (1, 0)``, uncentred.  The gradient is that of ``g(1)``; from odds 3 : 1 on the clipped objective is flat:

>>> import numpy as np
>>> old, new = np.array([[[0.5, 0.5]]]), np.array([[[0.75, 0.25]]])
>>> weights, advantages = np.ones((1, 1)), np.array([[[1.0, 0.0]]])
>>> linear_surrogate_gradient(weights, old, advantages)
array([[[ 0.25, -0.25]]])
>>> clipped_surrogate(weights, old, new, advantages, 0.25), clipped_surrogate_gradient(weights, old, new, advantages, 0.25)
(array(0.625), array([[[0., 0.]]]))
"""

from __future__ import annotations

from typing import Any

from ..arithmetic import (
    UNKNOWN,
    Array,
    Truth,
    both,
    choose,
    compare,
    contract,
    denominator,
    either,
    is_hidden,
    lift,
    like,
    maximum,
    minimum,
    support,
    system_of,
    xlogy,
)
from ..arithmetic.explained import explained
from ..errors import UndecidedError
from ..model import Game, Policy
from ..model.agents import require_agent
from ..model.validation import scalar_for
from .distributions import visits
from .kl_estimators import average_kl


@explained
def surrogate_weights(game: Game, policy: Policy, m: int, updated: Policy | None = None, start: Any = None) -> Array:
    """``w(s, p) = d_π(s) π^{1:m-1}(p|s)``, shape ``[..., S, |A_1|···|A_{m-1}|]``, for agent ``m`` counted from 1.

    With ``updated`` the prefixes are its: ``d_π(s) π̄^{1:m-1}(p|s)``, as in sequential updates.  ``d_π`` are discounted visits
    from ``ρ`` (default: the game's start); they sum to ``1/(1-γ)``, not to 1, where nothing terminates.
    """
    require_agent(m, policy.agents)
    first = policy if updated is None else updated
    first.require_fits(game)
    return visits(game, policy, start)[..., None] * first.prefix_probabilities()[m - 1]


@explained
def linear_surrogate(weights: Array, new: Array, advantages: Array) -> Array:
    """``Σ w(s, p) Σ_a g(a|s, p) A(s, p, a)``, shape ``[...]``."""
    return contract("...sp,...spa,...spa->...", weights, new, advantages)


@explained
def linear_surrogate_gradient(weights: Array, new: Array, advantages: Array) -> Array:
    """``w g (A - Σ_b g A)``: of :func:`linear_surrogate` in the logits of ``g``, shape ``[..., S, P, A]``."""
    return _in_logits(weights, new, advantages)


@explained
def clipped_surrogate(weights: Array, old: Array, new: Array, advantages: Array, epsilon: Any) -> Array:
    """``Σ w Σ_a f min(ratio · A, clip(ratio, 1-ε, 1+ε) A)``, ``[...]``; ``ratio = g/f``, ``ε`` in [0, 1] of the batch shape.

    Actions that ``f`` never plays are not sampled and do not count.
    """
    ratio, low, high = _clipping(old, new, epsilon)
    inside = minimum(maximum(ratio, low), high)
    lesser = minimum(ratio * advantages, inside * advantages)
    return contract("...sp,...spa,...spa->...", weights, old, lesser)


@explained
def clipped_surrogate_gradient(weights: Array, old: Array, new: Array, advantages: Array, epsilon: Any) -> Array:
    """Of :func:`clipped_surrogate` in the logits of ``g``, shape ``[..., S, P, A]``.

    ``D = A``, but 0 where clipping holds: ``A > 0`` and ``ratio > 1+ε``, or ``A < 0`` and ``ratio < 1-ε``.  At the kink itself
    the derivative from inside is taken.  Raises :class:`~mappo_verify.errors.UndecidedError` where balls cannot tell.
    """
    ratio, low, high = _clipping(old, new, epsilon)
    up = both(compare(advantages, ">", like(0, advantages)), compare(ratio, ">", high))
    down = both(compare(advantages, "<", like(0, advantages)), compare(ratio, "<", low))
    clipped: Truth = either(up, down)
    if not is_hidden((advantages,)) and (clipped == UNKNOWN).any():
        raise UndecidedError(
            "whether a ratio is clipped cannot be told from these balls; use rationals, or more precision"
        )
    slope = choose(clipped, like(0, advantages), choose(support(old), advantages, like(0, advantages)))
    return _in_logits(weights, new, slope)


@explained
def penalised_surrogate(weights: Array, old: Array, new: Array, advantages: Array, beta: Any) -> Array:
    """``Σ w [Σ_a g A - β KL(f‖g)]``, shape ``[...]``; ``β`` has the batch shape.

    PPO's penalty; with ``KL(g‖f)`` instead it is :func:`~mappo_verify.quantities.mirror_descent.averaged_objective`.
    """
    penalty = scalar_for(system_of(advantages), "beta", beta)
    return linear_surrogate(weights, new, advantages) - penalty * average_kl(weights, old, new)


@explained
def penalised_surrogate_gradient(weights: Array, old: Array, new: Array, advantages: Array, beta: Any) -> Array:
    """``w [g (A - Σ_b g A) - β (g - f)]``: of :func:`penalised_surrogate` in the logits of ``g``, ``[..., S, P, A]``."""
    penalty = lift(scalar_for(system_of(advantages), "beta", beta), 3)
    return _in_logits(weights, new, advantages) - penalty * weights[..., None] * (new - old)


@explained
def average_entropy(weights: Array, new: Array) -> Array:
    """``Σ w(s, p) H(g(·|s, p))``, ``H = -Σ_a g log g`` in nats, shape ``[...]``."""
    return -contract("...sp,...spa->...", weights, xlogy(new, new))


@explained
def entropy_gradient(weights: Array, new: Array) -> Array:
    """``-w g (log g - Σ_b g log g)``: of :func:`average_entropy` in the logits of ``g``, shape ``[..., S, P, A]``."""
    terms = xlogy(new, new)
    return -weights[..., None] * (terms - new * terms.sum(-1, keepdims=True))


def _in_logits(weights: Array, new: Array, slope: Array) -> Array:
    """``w g (D - Σ_b g D)``"""
    mean = (new * slope).sum(-1, keepdims=True)
    return weights[..., None] * new * (slope - mean)


def _clipping(old: Array, new: Array, epsilon: Any) -> tuple[Array, Array, Array]:
    """``g/f`` (1 where ``f`` is 0), ``1-ε`` and ``1+ε``, the last two with the axes of a factor."""
    ratio = choose(support(old), new / denominator(old), like(1, old))
    width = lift(scalar_for(system_of(old), "epsilon", epsilon), 3)
    return ratio, 1 - width, 1 + width
