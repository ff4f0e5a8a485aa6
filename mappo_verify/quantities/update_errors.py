"""One update of every agent: its errors, and what they cost in the convergence analysis.

An update moves the logits of ``π_k`` by ``u = (θ_{k+1} - θ_k)ᵀφ`` while ``ηQ̂``, ``η = 1/β_k``, was aimed at, with ``Q̂`` an
estimate of ``Q^{1:m}``.  Against a comparator ``π_*`` with stationary ``ν_*``, for agent ``m``::

    ε = ‖u - Q̂/β_k‖_{2,σ_k}        ε̂ = ‖Q̂ - Q^{1:m}‖_{2,σ_k}        φ^m = ‖d(ν_*π_*^{1:m}) / d(ν_kπ_k^{1:m})‖_{2,σ_k}
    Δ = √2 (φ^m + φ^{m-1}) (ε + ε̂/β_k)        δ = 2 φ^{m-1} ε

Squares are primitive, because they stay rational.  Source: Definition 4.4, Assumption 4.3, Theorem 4.5.

With ``φ^m = 2`` and ``φ^{m-1} = 1`` an error is multiplied by ``3√2`` in ``Δ`` and by 2 in ``δ``:

>>> import numpy as np
>>> print(propagation_factor(np.array(2.0), np.array(1.0)).round(4), fit_cost_factor(np.array(1.0)))
4.2426 2.0
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..arithmetic import (
    Array,
    Truth,
    divide,
    largest,
    lift,
    like,
    log,
    smallest,
    sqrt,
    square,
    support,
)
from ..arithmetic.explained import explained, over_arrays
from ..arithmetic.formulas import aloud, operation_of_many
from ..arithmetic.functions import true_everywhere
from ..model import Game, Policy
from ..model.agents import remembered, split_last
from .concentrability import density_ratio, dominates, squared_concentrability
from .distributions import state_action_distribution, stationary_distribution
from .divergence import squared_norm
from .performance_difference import expected_along


@explained
def propagation_factor(above: Array, below: Array) -> Array:
    """``√2 (φ^m + φ^{m-1})``: what ``Δ`` multiplies an error with; ``above`` is ``φ^m``, ``below`` ``φ^{m-1}``, any shape."""
    return sqrt(like(2, above)) * (above + below)


@explained
def fit_cost_factor(below: Array) -> Array:
    """``2 φ^{m-1}``: what ``δ`` multiplies the fit's error with; Lemma B.4, on which it rests, is false."""
    return 2 * below


@explained
def odds_change(increments: Array) -> Array:
    """``max_a u(a) - min_a u(a)`` over the last axis: a step ``u`` of the logits multiplies odds by ``e`` to this, at most."""
    return largest(increments) - smallest(increments)


@explained
def safe_odds_change(reference: Any) -> Array:
    """``2 arsinh(3 + √2) = 4.381...``: Theorem 4.5 holds as printed where no step has a larger :func:`odds_change`.

    In the number system of ``reference``.  Source: theorem-4.5/bounded-steps, beyond the paper.

    >>> from mappo_verify.arithmetic import System, exp
    >>> print(safe_odds_change(System.FLOATS).round(3), exp(safe_odds_change(System.FLOATS)).round(1))
    4.381 79.9
    """
    side = 3 + sqrt(like(2, reference))
    return 2 * log(side + sqrt(square(side) + 1))


@dataclass(frozen=True, eq=False)
class Update:
    """From ``π_k`` to ``π_{k+1}``; many updates at once where ``k`` is a batch axis.  Agents ``m`` are counted from 1.

    Attributes
    ----------
    game : Game
    comparator : Policy
        ``π_*``
    comparator_distribution : Array
        ``ν_*``, shape ``[..., S]``.
    policy, following : Policy
        ``π_k``, ``π_{k+1}``
    increments, estimates : tuple of Array
        ``u`` and ``Q̂`` of every agent, in the shape of its factor, ``[..., S, prefixes, A_m]``.
    values : tuple of Array
        ``(Q^{1:0}, ..., Q^{1:N})`` of ``π_k``, as :func:`~mappo_verify.quantities.agent_values.agent_values` returns them.
    eta : Array
        ``η = 1/β_k``, of the batch shape.
    """

    game: Game
    comparator: Policy
    comparator_distribution: Array
    policy: Policy
    following: Policy
    increments: tuple[Array, ...]
    estimates: tuple[Array, ...]
    values: tuple[Array, ...]
    eta: Array

    @cached_property
    @aloud
    def current_distribution(self) -> Array:
        """``ν_k``, shape ``[..., S]``."""
        return stationary_distribution(self.game, self.policy)

    @remembered
    def sigma(self, m: int) -> Array:
        """``σ_k = ν_k π_k^{1:m}``, in the shape of the factor."""
        table = state_action_distribution(self.current_distribution, self.policy, m)
        return split_last(table, self.game.action_sizes[m - 1])

    # -- errors -------------------------------------------------------------------------------------------------------

    @remembered
    def fit_error(self, m: int) -> Array:
        """``u - Q̂/β_k``, in the shape of the factor."""
        return self.increments[m - 1] - lift(self.eta, 3) * self.estimates[m - 1]

    @remembered
    def critic_error(self, m: int) -> Array:
        """``Q̂ - Q^{1:m}``, in the shape of the factor."""
        return self.estimates[m - 1] - split_last(self.values[m], self.game.action_sizes[m - 1])

    @remembered
    def squared_fit_error(self, m: int) -> Array:
        """``(ε_k^m)²``, shape ``[...]``."""
        return squared_norm(self.fit_error(m), self.sigma(m), axes=3)

    @remembered
    def squared_critic_error(self, m: int) -> Array:
        """``(ε̂_k^m)²``, shape ``[...]``."""
        return squared_norm(self.critic_error(m), self.sigma(m), axes=3)

    @remembered
    def epsilon(self, m: int) -> Array:
        """``ε_k^m``, shape ``[...]``."""
        return sqrt(self.squared_fit_error(m))

    @remembered
    def epsilon_hat(self, m: int) -> Array:
        """``ε̂_k^m``, shape ``[...]``."""
        return sqrt(self.squared_critic_error(m))

    # -- what they cost -----------------------------------------------------------------------------------------------

    @property
    def _covering(self) -> tuple[Array, Policy, Array, Policy]:
        """``ν_k, π_k, ν_*, π_*``: what concentrability compares."""
        return self.current_distribution, self.policy, self.comparator_distribution, self.comparator

    @remembered
    def squared_phi(self, m: int) -> Array:
        """``(φ_k^m)²``, shape ``[...]``."""
        return squared_concentrability(*self._covering, m)

    def covered(self, m: int) -> Truth:
        """Whether ``φ_k^m`` is finite, shape ``[...]``."""
        return dominates(*self._covering, m)

    @remembered
    @over_arrays
    def propagation(self, m: int) -> Array:
        """``Δ_k^m = √2 (φ^m + φ^{m-1}) (ε + ε̂/β_k)``, shape ``[...]``."""
        phi = propagation_factor(sqrt(self.squared_phi(m)), sqrt(self.squared_phi(m - 1)))
        return phi * (self.epsilon(m) + self.eta * self.epsilon_hat(m))

    @remembered
    @over_arrays
    def fit_cost(self, m: int) -> Array:
        """``δ_k^m = 2 φ^{m-1} ε``, shape ``[...]``."""
        return fit_cost_factor(sqrt(self.squared_phi(m - 1))) * self.epsilon(m)

    @remembered
    def ratio(self, m: int) -> Array:
        """``w_{m-1}``, shape ``[..., S, |A_1|···|A_{m-1}|]``."""
        return density_ratio(*self._covering, m - 1)

    @operation_of_many
    def weighted(self, m: int, change: Array) -> Array:
        """``w_{m-1} change/π_k^m``, for ``change`` in the shape of the factor.

        Where floats round ``π_k^m`` to 0 it is infinite, unless ``w_{m-1} change`` is 0 there, too.
        """
        own, moved = self.policy.factors[m - 1], self.ratio(m)[..., None] * change
        everywhere = true_everywhere(support(own))  # divide() asks where ``change`` is 0, which balls cannot say
        return moved / own if everywhere else divide(moved, own)

    def squared_weighted(self, m: int, change: Array) -> Array:
        """``‖w_{m-1} change/π_k^m‖²_{2,σ_k} = E_{ν_* π_*^{1:m-1}} w_{m-1} Σ_a change²/π_k^m``, shape ``[...]``.

        With ``π_k^m - π_{k+1}^m`` its root takes the place of ``2φ^{m-1}`` in a ``δ`` that holds (theorem-4.5/repaired).
        """
        return self.along(m, self.weighted(m, square(change)).sum(-1))

    # -- along the comparator -----------------------------------------------------------------------------------------

    def along(self, m: int, table: Array) -> Array:
        """``E_{ν_* π_*^{1:m-1}} f(s, p)``, shape ``[...]``, for ``f`` of shape ``[..., S, |A_1|···|A_{m-1}|]``."""
        return expected_along(self.comparator_distribution, self.comparator, m - 1, table)

    def inner(self, m: int, table: Array, ahead: Policy, behind: Policy) -> Array:
        """``E_{ν_* π_*^{1:m-1}} ⟨f, ahead^m - behind^m⟩``, shape ``[...]``, for ``f`` in the shape of the factor."""
        change = ahead.factors[m - 1] - behind.factors[m - 1]
        return self.along(m, (table * change).sum(-1))
