"""Regret of follow-the-regularised-leader with the entropy: Hedge, or exponential weights.

At every ``(s, a^{1:m-1})`` an agent meets payoffs ``f_1, ..., f_K`` over its own actions and plays ``π_1, ..., π_K``.  With the
regulariser ``ℒ(q) = (1/η) Σ_a q(a) log q(a)``, the leader of the first ``k`` payoffs is ::

    π_{k+1} = argmax_q ⟨f_1 + ... + f_k, q⟩ - ℒ(q) ∝ exp(η (f_1 + ... + f_k))

``π_1`` is uniform.  The same plays come one by one, each a mirror step from the one before: ``π_{k+1} ∝ π_k exp(η f_k)``, as in
Algorithm 2.  All tables are ``[..., K, A]``, steps before actions; ``η > 0`` has the batch shape.  Source: Appendix C,
Lemmas C.4 to C.6.

Two actions, of which the first pays 1 twice, at ``η = log 2``: the odds double at every step.

>>> import numpy as np
>>> gains, eta = np.array([[1.0, 0.0], [1.0, 0.0]]), np.log(2)
>>> plays = exponential_weights(gains, eta)
>>> plays.round(4).tolist()
[[0.5, 0.5], [0.6667, 0.3333], [0.8, 0.2]]
>>> print(regret(gains, plays[:-1], np.array([1.0, 0.0])).round(4))          # 1/2 + 1/3
0.8333
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from ..arithmetic import Array, exp, is_hidden, lift_to, like, log, sqrt, square, tilt, xlogy, zeros
from ..arithmetic.explained import explained, over_arrays
from .mirror_descent import finite_increment, ideal_increment, mirror_step


@explained
def uniform_play(gains: Array) -> Array:
    """``π_1``, the uniform distribution over the actions that ``gains`` ``[..., A]`` has, shape ``[..., A]``."""
    return np.broadcast_to(like(Fraction(1, gains.shape[-1]), gains), gains.shape)


@explained
def exponential_weights(gains: Array, eta: Array) -> Array:
    """``π_1, ..., π_{K+1}`` with ``π_{k+1} ∝ π_k exp(η f_k)`` from the uniform ``π_1``; shape ``[..., K+1, A]``.

    On rationals ``η f_k`` are logarithms of rationals.  Source: Algorithm 2.
    """
    plays, beta = [uniform_play(gains[..., 0, :])], _inverse(eta)
    increments = (ideal_increment if is_hidden((gains, beta)) else finite_increment)(gains, beta)
    for k in range(gains.shape[-2]):
        plays.append(tilt(plays[-1], increments[..., k, :]))
    return np.stack(plays, axis=-2)


@explained
def follow_the_regularised_leader(gains: Any, eta: Array) -> Array:
    """The leaders of the first 0, 1, ..., K payoffs, ``∝ exp(η Σ_{t<k} f_t)``; shape ``[..., K+1, A]``.  Source: Lemma C.4."""
    sums = cumulative_gains(gains)
    return mirror_step(uniform_play(sums), sums, _inverse(eta))


@explained
def cumulative_gains(gains: Array) -> Array:
    """``0, f_1, f_1 + f_2, ..., f_1 + ... + f_K``; shape ``[..., K+1, A]``."""
    nothing = zeros((*gains.shape[:-2], 1, gains.shape[-1]), gains)
    return np.concatenate([nothing, np.cumsum(gains, axis=-2)], axis=-2)


@explained
def regulariser(play: Array, eta: Array) -> Array:
    """``ℒ(q) = (1/η) Σ_a q(a) log q(a)``, the negative entropy; in ``[-log|A|/η, 0]``, shape ``[...]``.  Source: Lemma C.4."""
    entropy = xlogy(play, play).sum(-1)
    return entropy / lift_to(eta, entropy)


@explained
def regularised_gain(play: Array, total: Array, eta: Array) -> Array:
    """``⟨F, q⟩ - ℒ(q)``, which the leader of ``F = f_1 + ... + f_k`` maximises; shape ``[...]``."""
    return (total * play).sum(-1) - regulariser(play, eta)


@explained
def regret(gains: Array, plays: Array, comparator: Array) -> Array:
    """``Σ_k ⟨f_k, q - π_k⟩`` of the plays ``π_1, ..., π_K`` against one comparator ``q`` ``[..., A]``; shape ``[...]``."""
    change = comparator[..., None, :] - plays
    return (gains * change).sum((-2, -1))


@explained
def stability(gains: Array, plays: Array) -> Array:
    """``⟨f_k, π_{k+1} - π_k⟩`` for every k: what playing one step late costs; ``plays`` are K+1, shape ``[..., K]``."""
    return (gains * (plays[..., 1:, :] - plays[..., :-1, :])).sum(-1)


@explained
def soft_maximum(play: Array, gains: Array, eta: Array) -> Array:
    """``(1/η) log Σ_a π(a) exp(η f(a))``, between the mean of ``f`` under ``π`` and its maximum; shape ``[...]``."""
    partition = (play * exp(gains * lift_to(eta, gains))).sum(-1)
    return log(partition) / lift_to(eta, partition)


@explained
def tuned_step(bound: Array, steps: Any, actions: int) -> Array:
    """``η = √(log|A|/(2K))/B`` for payoffs in ``[0, B]``; the paper's ``B`` is ``1/(1-γ)``.  Source: Lemma C.6."""
    return sqrt(log(like(actions, bound)) / (2 * steps)) / bound


@explained
def regret_bound(bound: Array, steps: int, actions: int) -> Array:
    """``2 √(2K log|A|) B``: what the tuned step guarantees.  Source: Lemma C.6."""
    return 2 * sqrt(2 * steps * log(like(actions, bound))) * bound


@explained
def optimisation_bound(bound: Array, steps: int, action_sizes: tuple[int, ...]) -> Array:
    """``2√2 B² Σ_m √(log|A_m|/K)``, ``B = 1/(1-γ)``: every agent's :func:`regret_bound` a step, over a horizon of ``B``.

    Source: Theorem 5.5, Term I.
    """
    return sum((bound * regret_bound(bound, steps, size) / steps for size in action_sizes), start=like(0, bound))


@explained
def estimation_bound(mismatch: Array, horizon: Array, penalty: Array, allowed: Array, unseen: Array) -> Array:
    """``C²/(4λ(1-γ)²) + C ε_b/(1-γ)`` and what is ``allowed``: what estimation costs with one joint critic, at most.

    ``‖f_k - T f_k‖_{2,d_*} ≤ C ‖f_k - T f_k‖_{2,μ} ≤ C (ε_b + √E(f_k))`` with ``C`` the ``mismatch`` and ``ε_b`` ``unseen``;
    ``Cx/(1-γ) - λx² ≤ C²/(4λ(1-γ)²)``; ``horizon`` is ``1/(1-γ)``, and ``allowed`` is how much too high a critic may be.
    Source: theorem-5.5/repaired, theorem-d.7/repaired.
    """
    reach = mismatch * horizon
    return square(reach) / (4 * penalty) + allowed + reach * unseen


@explained
def regulariser_range(eta: Array, actions: int) -> Array:
    """``log|A|/η``: how far apart two values of ``ℒ`` can be, and what the leader pays for starting at the uniform play."""
    return log(like(actions, eta)) / eta


@explained
def hoeffding_term(bound: Array, eta: Array) -> Array:
    """``ηB²/8``: what the soft maximum exceeds the mean by, at most, for payoffs in an interval of length ``B``."""
    return eta * square(bound) / 8


@explained
def sharp_regret_bound(bound: Array, eta: Array, steps: int, actions: int) -> Array:
    """``log|A|/η + ηKB²/8``, for every ``η > 0`` and payoffs in ``[0, B]``."""
    return regulariser_range(eta, actions) + steps * hoeffding_term(bound, eta)


@over_arrays
def _inverse(eta: Array) -> Array:
    return like(1, eta) / eta
