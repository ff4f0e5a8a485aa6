"""The Bellman error of linear critics, and pessimistic evaluation.

Agent ``m`` has features ``φ(s, a^{1:m}) ∈ R^d`` and evaluates ``π`` by ``f = φᵀw``.  Data ``(s, a^{1:m}, r, s')`` comes from
``μ`` and ``π^{m+1:N}``: either all of it (population) or ``n`` draws.  With ``E`` the mean over the data::

    L(w', w) = E (φᵀw' - r - γ f(s', π^{1:m}))²               squared temporal difference, target at w
    E(w)     = L(w, w) - min_{w'} L(w', w)                    Bellman error
    Σ = E φφᵀ,   A = E φ (φ - γ φ(s', π^{1:m}))ᵀ,   b = E φ r     the moments that it depends on

The minimiser ``w'`` is the projection ``w - Σ⁺(Aw - b)`` of the target on the features, the noise of ``r`` and ``s'``
cancels, and what is left is a quadratic form, for an inner minimum over all of ``R^d``::

    E(w) = (Aw - b)ᵀ Σ⁺ (Aw - b)

Pessimistic evaluation minimises ``cᵀw + λ E(w)`` with ``c = φ(s_0, π^{1:m})``.  Without further constraints the gradient
vanishes where ``Hw = AᵀΣ⁺b - c/2λ`` with ``H = AᵀΣ⁺A``; if ``A`` is invertible that is ``w = A⁻¹b - A⁻¹ΣA⁻ᵀc/2λ``, and if ``c``
has a part in the null space of ``H`` there is no lower bound.
Source: equation (5), Section 5, Appendix C.1.

One state that repeats, reward 1, γ = 1/2, a feature that is 1: ``f = Q`` is at ``w = 2``, and with the penalty λ = 1 on the
error the pessimistic weight is 0:

>>> import numpy as np, mappo_verify as mv
>>> game = mv.Game([[[1]]], [[1]], 0.5, start=[1])
>>> moments = population_moments(game, mv.Policy.uniform(game), np.ones((1, 1)), np.ones((1, 1)), 1)
>>> moments.operator, moments.error(np.array([4.0]))
(array([[0.5]]), array(1.))
>>> pessimistic_step(moments, np.array([1.0]), 1).weights
array([0.])
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import (
    Array,
    compare,
    contract,
    is_hidden,
    lift,
    like,
    log,
    moveaxis,
    possible,
    pseudo_solve,
    sqrt,
    square,
    support,
)
from ..arithmetic.explained import explained, explained_class, over_arrays
from ..arithmetic.functions import true_everywhere
from ..errors import GameError
from ..model import Game, Policy
from ..model.agents import prefixes_of
from ..model.validation import array_of, require_finite
from .bellman import bellman_operator, expected_reward
from .quadratic_program import Quadratic


@explained_class
@dataclass(frozen=True, eq=False)
class Moments:
    """What the Bellman error depends on.

    Attributes
    ----------
    gram : Array
        ``Σ = E φφᵀ``, ``[..., d, d]``.
    operator : Array
        ``A = E φ (φ - γ φ(s', π^{1:m}))ᵀ``, ``[..., d, d]``.
    reward : Array
        ``b = E φ r``, ``[..., d]``.
    """

    gram: Array
    operator: Array
    reward: Array

    def __post_init__(self) -> None:
        for name, value in (
            ("the moment Σ", self.gram),
            ("the moment A", self.operator),
            ("the moment b", self.reward),
        ):
            require_finite(name, value)

    def __getitem__(self, index: Any) -> Moments:
        """Those of one element of the batch."""
        return Moments(self.gram[index], self.operator[index], self.reward[index])

    def equation_error(self, weights: Array) -> Array:
        """``Aw - b``, ``[..., d]``: by how much ``w`` misses the equation ``Aw = b`` of LSTD.

        Half the gradient of ``L(w', w)`` in ``w'`` at ``w' = w``.
        """
        return contract("...ij,...j->...i", self.operator, weights) - self.reward

    def projected(self, weights: Array) -> Array:
        """``w - Σ⁺(Aw - b)``, ``[..., d]``: the features' best approximation of the target ``T f`` under the data."""
        return weights - _times_inverse(self.gram, self.equation_error(weights))

    @over_arrays
    def error(self, weights: Array) -> Array:
        """``E(w) = (Aw - b)ᵀΣ⁺(Aw - b) ≥ 0``, ``[...]``, with the inner minimum over all of ``R^d``."""
        error = self.equation_error(weights)
        return (error * _times_inverse(self.gram, error)).sum(-1)

    @over_arrays
    def error_against(self, weights: Array, rival: Array) -> Array:
        """``L(w, w) - L(w', w) = ‖w - w°‖²_Σ - ‖w' - w°‖²_Σ`` with ``w°`` the projected target, ``[...]``.

        Its largest value over the rivals ``w'`` of a class is the Bellman error with the class's own inner minimum.
        """
        target = self.projected(weights)
        return _quadratic(self.gram, weights - target) - _quadratic(self.gram, rival - target)

    @over_arrays
    def objective(self, weights: Array, direction: Array, penalty: Array) -> Array:
        """``cᵀw + λ E(w)``, ``[...]``: what pessimistic evaluation minimises."""
        return (direction * weights).sum(-1) + penalty * self.error(weights)

    def pessimism(self, direction: Array, penalty: Any) -> Quadratic:
        """``cᵀw + λ E(w)`` as one form ``λ(wᵀHw - 2(g - c/2λ)ᵀw + bᵀΣ⁺b)`` with ``H = AᵀΣ⁺A`` and ``g = AᵀΣ⁺b``.

        Raises :class:`GameError` unless ``λ > 0``, a number or of the batch shape, and all data is finite.
        """
        penalty = like(penalty, self.gram) if is_hidden((self.gram,)) else array_of(penalty, "λ")
        require_finite("λ", penalty)
        require_finite("the direction c", direction)
        if not true_everywhere(possible(compare(penalty, ">", like(0, penalty)))):
            raise GameError(
                f"λ = {penalty.ravel()[0]} is not positive: pessimistic evaluation needs a penalty on the Bellman error"
            )
        normal = self._normal() if is_hidden((self.gram,)) else self.normal
        return Quadratic(
            lift(penalty, 2) * normal.matrix,
            lift(penalty, 1) * normal.slope - direction / 2,
            penalty * normal.constant,
            None if is_hidden((self.gram,)) or np.ndim(penalty) else (normal, penalty),
        )

    @cached_property
    def normal(self) -> Quadratic:
        """``E(w)`` as the form ``wᵀHw - 2gᵀw + bᵀΣ⁺b``; computed once for all directions and penalties."""
        return self._normal()

    def _normal(self) -> Quadratic:
        inverse, _ = pseudo_solve(self.gram, np.concatenate([self.operator, self.reward[..., None]], axis=-1))
        both = contract("...ki,...kj->...ij", self.operator, inverse)
        return Quadratic(both[..., :-1], both[..., -1], (self.reward * inverse[..., -1]).sum(-1))


def _quadratic(matrix: Array, vector: Array) -> Array:
    """``xᵀMx``, ``[...]``"""
    return contract("...i,...ij,...j->...", vector, matrix, vector)


def _times_inverse(gram: Array, vector: Array) -> Array:
    """``Σ⁺v``, ``[..., d]``"""
    return pseudo_solve(gram, vector[..., None])[0][..., 0]


@explained
def moments_of(points: Array, following: Array, rewards: Array, weights: Array) -> Moments:
    """Moments of weighted data: rows ``φ_i`` and ``γ φ(s'_i, π^{1:m})`` ``[..., n, d]``, ``r_i`` and weights ``[..., n]``.

    The weights sum to 1: ``1/n`` for a sample, ``μ`` for the population with expected ``following`` and ``rewards``.
    """
    weighted = (points * weights[..., None]).swapaxes(-1, -2)
    gram, forward, reward = weighted @ points, weighted @ following, (weighted @ rewards[..., None])[..., 0]
    try:
        return Moments(gram, gram - forward, reward)
    except GameError:  # name the row of data, which is looked for only now
        for name, data in (("φ", points), ("γ φ(s')", following), ("r", rewards), ("the weights", weights)):
            require_finite(name, data)
        raise


@explained
def population_moments(game: Game, policy: Policy, features: Array, distribution: Array, m: int) -> Moments:
    """Moments of agent ``m`` (counted from 1) under exact expectations.

    ``features`` is ``φ`` with all points on one axis, ``[..., S·|A_1|···|A_m|, d]`` (``Features.matrix(m - 1)``), and
    ``distribution`` is ``μ`` over ``(s, a^{1:m})``, ``[..., S, |A_1|···|A_m|]``.
    """
    columns = prefixes_of(game.action_sizes, m)
    points, dimension = game.states * columns, features.shape[-1]
    if features.shape[-2] != points or distribution.shape[-2:] != (game.states, columns):
        raise GameError(
            f"features of shape {features.shape} and μ of shape {distribution.shape} do not fit agent {m}: "
            f"they need [..., {points}, d] and [..., {game.states}, {columns}]"
        )
    batch = np.broadcast_shapes(features.shape[:-2], game.batch_shape, policy.batch_shape)
    features = np.broadcast_to(features, batch + features.shape[-2:])
    tables = moveaxis(features.reshape(*batch, game.states, columns, dimension), -1, 0)
    rewards = expected_reward(game, policy, m)
    following = moveaxis(bellman_operator(game, policy, tables, m) - rewards, 0, -1)
    return moments_of(
        features,
        following.reshape(*following.shape[:-3], points, dimension),
        rewards.reshape(*rewards.shape[:-2], points),
        distribution.reshape(*distribution.shape[:-2], points),
    )


@explained
def state_features(game: Game, policy: Policy, features: Array, m: int) -> Array:
    """``φ(s, π^{1:m})``, ``[..., S, d]``: ``f(s, π^{1:m})`` is its product with ``w``."""
    columns = prefixes_of(game.action_sizes, m)
    tables = features.reshape(*features.shape[:-2], game.states, columns, features.shape[-1])
    return contract("...sx,...sxd->...sd", policy.prefix_probabilities()[m], tables)


@explained
def start_features(game: Game, policy: Policy, features: Array, m: int, start: Array) -> Array:
    """``c = φ(s_0, π^{1:m})``, averaged over ``s_0 ~ ρ``, ``[..., d]``: ``f(s_0, π^{1:m}) = cᵀw``."""
    return contract("...s,...sd->...d", start, state_features(game, policy, features, m))


# --- the pessimistic step without constraints ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PessimisticStep:
    """What minimising ``cᵀw + λ E(w)`` over ``R^d`` comes to.

    Attributes
    ----------
    weights : Array
        The shortest minimiser, ``[..., d]``; where there is none, the shortest stationary point of the part that has one.
    descent : Array
        0 where there is a minimiser; else a direction along which the objective decreases without bound, ``[..., d]``.
    """

    weights: Array
    descent: Array

    @property
    def bounded(self) -> npt.NDArray[np.bool_]:
        """Whether the objective has a minimum, ``[...]``."""
        return ~support(self.descent).any(-1)  # type: ignore[return-value]


@explained
def pessimistic_step(moments: Moments, direction: Array, penalty: Any) -> PessimisticStep:
    """``argmin_w cᵀw + λ E(w)`` over ``R^d``, in closed form; ``λ > 0`` is a number or of the batch shape.

    In floats ``A`` and ``Σ`` may be singular (numerically), in rationals too; in balls and symbols both must be invertible.
    Source: Appendix C.1.
    """
    form = moments.pessimism(direction, penalty)
    weights, remainder = pseudo_solve(form.matrix, form.slope[..., None])
    return PessimisticStep(weights[..., 0], remainder[..., 0])


@explained
def sampled_error(horizon: Array, size: int | Array, dimension: int, failure: Array) -> Array:
    """``ε_r = ((log 2/2) d + log(1/δ))/((1-γ)² n)``: ``E_D(Q_π)`` is at most that with probability ``1 - δ``, for one policy.

    ``horizon`` is ``1/(1-γ)``, ``size`` ``n``, ``dimension`` ``d``, ``failure`` ``log(1/δ)``; rewards in [0, 1].
    Source: lemma-c.1/explicit.
    """
    return square(horizon) / size * (dimension * log(like(2, failure)) / 2 + failure)


@explained
def unseen_error(horizon: Array, size: int | Array, dimension: int, inside: Array, failure: Array) -> Array:
    """``ε_b = 7 √((d log(1 + 2Ln(1-γ)) + log(1/δ))/n)/(1-γ)``: by how much ``‖f - T f‖_{2,μ}`` exceeds ``√E_D(f)``, at most.

    For all critics of a complete class at once, with probability ``1 - δ``, for one policy; ``inside`` is ``L(1-γ)``, the other
    arguments are those of :func:`sampled_error`.  Source: lemma-c.2/explicit.
    """
    entropy = dimension * log(1 + 2 * inside * size) + failure
    return 7 * sqrt(square(horizon) / size * entropy)
