"""One step of KL-regularised mirror descent on the simplex, and its fit by log-linear policies.

At every ``(s, p)``, with ``π_k`` the current factor and ``Q̂`` an estimate of ``Q^{1:m}``, the step maximises ::

    F(q) = ⟨Q̂, q⟩ - β KL(q‖π_k)        over the simplex,        π⁺ ∝ π_k exp(Q̂/β)

The fit replaces it by ``θ' = argmin_θ E_σ[((θ - θ_k)ᵀφ - Q̂/β)²]``.  Source: equations (1), (3), (4) and Proposition 4.2.

Two actions whose log-weights differ by log 3, at even odds and β = 1, end at odds 1 : 3, exactly:

>>> from mappo_verify.arithmetic import System, like, log
>>> from fractions import Fraction as F
>>> mirror_step(like([F(1, 2), F(1, 2)], System.RATIONALS), log(like([1, 3], System.RATIONALS)), like(1, System.RATIONALS))
array([1/4, 3/4], dtype=object)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arithmetic import Array, compare, contract, is_hidden, kind_of, lift_to, like, log, solve, square, tilt
from ..arithmetic.explained import explained
from ..arithmetic.floats import all_positive
from ..errors import GameError
from ..model import Game, Policy
from ..model.agents import split_last
from ..model.validation import all_finite, at, first, require_finite, unchecked
from .agent_values import relative_agent_values
from .divergence import entropy_of, kl_divergence


@explained
def mirror_step(factor: Array, values: Array, beta: Array) -> Array:
    """``π⁺(a|s, p) ∝ π(a|s, p) exp(Q̂(s, p, a)/β)`` over the last axis.

    ``factor`` and ``values`` have the shape of a policy factor, ``[..., S, prefixes, A_m]`` (with any leading axes); ``β > 0``
    has the batch shape.  Where ``π`` is 0, ``π⁺`` is 0.  On rationals ``values`` are logarithms of rationals.
    Source: Proposition 4.2.
    """
    if is_hidden((factor, values, beta)):
        return tilt(factor, ideal_increment(values, beta))
    return tilt(factor, finite_increment(values, beta))


def finite_increment(values: Array, beta: Array) -> Array:
    """:func:`ideal_increment` of plain numbers, which must be finite; ``β`` must be positive."""
    _require_positive("beta", beta)
    with np.errstate(over="ignore"):
        increment = ideal_increment(values, beta)
    if not all_finite(increment):
        require_finite("values", values)
        require_finite("values / beta", increment)
    return increment


def _require_positive(name: str, array: Array) -> None:
    if kind_of(array) == "f" and all_positive(array):
        return
    wrong = compare(array, "≤", like(0, array)) > 0
    if wrong.any():
        raise GameError(f"{name}{at(first(wrong, array))}; it must be positive")
    require_finite(name, array)


@explained
def ideal_increment(values: Array, beta: Array) -> Array:
    """``Q̂/β``: by how much the step moves the logits, in the shape of ``values``."""
    return values / lift_to(beta, values)


@explained
def ideal_update(game: Game, policy: Policy, beta: Any) -> Policy:
    """Every agent's step at every ``(s, p)`` with ``Q̂ = Q^{1:m}`` of ``policy``; ``β > 0`` has the batch shape.

    All agents start from the same values, so their order does not matter.  On rationals these must be logarithms of rationals.
    In floats a probability below 1e-308 becomes 0, and stays 0 in every later step; an algorithm keeps logits instead.
    """
    values = relative_agent_values(game, policy)[1:]
    factors = tuple(
        mirror_step(factor, split_last(table, factor.shape[-1]), beta)
        for factor, table in zip(policy.factors, values, strict=True)
    )
    return unchecked(Policy, factors=factors, system=game.system)


@explained
def exact_rate_bound(game: Game, beta: Array, steps: int | Array) -> Array:
    """``[β Σ_m log|A_m| + N R/(1-γ)] / ((1-γ) (K+1))``: what ``K`` ideal updates with the same ``β`` leave of the gap, at most.

    For γ < 1, from the uniform policy, with exact values, against any comparator and from every start; ``R`` is
    :attr:`~mappo_verify.model.game.Game.reward_range`.  ``β > 0`` has the batch shape, ``steps`` is ``K``, or an array of them.
    Source: theorem-4.5/exact-rate-in-rewards, beyond the paper.

    One agent, two actions with rewards 1 and 0, γ = 0, β = 1: ``(log 2 + 1)/(K + 1)``.

    >>> import numpy as np
    >>> print(exact_rate_bound(Game(np.zeros((1, 2, 1)), [[1, 0]], 0.0, (2,)), 1.0, np.array([1, 9])).round(4))
    [0.8466 0.1693]
    """
    horizon = game.horizon
    start, drift = beta * entropy_of(game.action_sizes, beta), game.agents * game.reward_range * horizon
    return horizon * (start + drift) / (steps + 1)


@explained
def convergence_bound(
    spent: Array, steps: int | Array, beta: Array, bound: Array, discount: Array, action_sizes: tuple[int, ...]
) -> Array:
    """``β_k [Σ_m log|A_m| + S + (N/2) K B²/β_k²] / ((1-γ) K)``: what Theorem 4.5 allows for the mean gap of ``K`` iterations.

    ``spent`` is ``S``, what the errors of these iterations cost by the theorem's form; ``beta`` is ``β_k``, the same in all.
    Arguments broadcast.  Source: Theorem 4.5 (i), divided by ``K (1-γ)/β_k``.
    """
    half = second_order_term(len(action_sizes), bound / beta)
    total = entropy_of(action_sizes, spent) + spent + half * steps
    return beta * total / ((like(1, discount) - discount) * steps)


@explained
def second_order_term(agents: int, increment: Array) -> Array:
    """``(N/2) (B/β)²``: what one iteration of ``N`` agents costs by the size of its steps, for ``increment = B/β``, ``|Q̂| ≤ B``.

    Source: Theorem 4.5, by Pinsker's inequality.
    """
    return agents * square(increment) / 2


@explained
def mirror_objective(candidate: Array, factor: Array, values: Array, beta: Array) -> Array:
    """``F(q) = ⟨Q̂, q⟩ - β KL(q‖π)`` over the last axis.  Source: equation (3), at one ``(s, p)``."""
    inner = (candidate * values).sum(-1)
    return inner - lift_to(beta, inner) * kl_divergence(candidate, factor)


@explained
def mirror_gradient(candidate: Array, factor: Array, values: Array, beta: Array) -> Array:
    """``∂F/∂q(a) = Q̂(a) - β (log(q(a)/π(a)) + 1)``, where both have full support; KKT: constant in ``a`` at the maximiser."""
    return values - lift_to(beta, values) * (log(candidate / factor) + 1)


@explained
def averaged_objective(candidate: Array, factor: Array, values: Array, beta: Array, weights: Array) -> Array:
    """``E_{(s,p) ~ σ} F(q(·|s, p))``, shape ``[...]``; ``weights`` is ``σ``, ``[..., S, prefixes]``.  Source: equation (3)."""
    return contract("...sp,...sp->...", weights, mirror_objective(candidate, factor, values, beta))


@explained
def fit_step(features: Array, values: Array, beta: Array, weights: Array) -> Array:
    """``θ_{k+1} - θ_k = argmin_w Σ σ(x) (wᵀφ(x) - Q̂(x)/β)²``, shape ``[..., d]``, by the normal equations.

    ``features`` ``[..., X, d]`` over all points ``x = (s, p, a)``, ``values`` and ``weights`` ``[..., X]``.  The Gram matrix
    must be invertible (features independent on the support of ``σ``).  Source: equation (4), without the norm bound.
    """
    targets = ideal_increment(values, beta)
    gram = contract("...x,...xi,...xj->...ij", weights, features, features)
    moment = contract("...x,...xi,...x->...i", weights, features, targets)
    return solve(gram, moment[..., None])[..., 0]


@explained
def log_linear_step(factor: Array, features: Array, step: Array) -> Array:
    """``π_{θ+w} ∝ π_θ exp(φᵀw)``: a log-linear factor after its parameter moved by ``w``.

    ``factor`` ``[..., S, prefixes, A_m]``, ``features`` ``[..., S, prefixes, A_m, d]``, ``step`` ``[..., d]``.
    """
    return tilt(factor, contract("...spad,...d->...spa", features, step))
