"""What a run leaves behind, and every quantity of the analysis recomputed from it.

A :class:`Trace` records the parameters ``θ_0, ..., θ_K``, the critic's ``Q̂_0, ..., Q̂_{K-1}`` and ``β_k``.
They are float64 numbers, hence exact data: whatever rounding did to the run is part of them.  :func:`recompute`
takes them as given and computes, per iteration and agent, from nothing but these and the game::

    ε_k^m = ‖(θ_{k+1} - θ_k)ᵀφ - Q̂/β_k‖_{2,σ_k}        ε̂_k^m = ‖Q̂ - Q^{1:m}_{π_k}‖_{2,σ_k}
    φ_k^m = ‖d(ν_*π_*^{1:m}) / d(ν_kπ_k^{1:m})‖_{2,σ_k}
    Δ_k^m = √2 (φ_k^m + φ_k^{m-1}) (ε_k^m + ε̂_k^m/β_k)    δ_k^m = 2 φ_k^{m-1} ε_k^m

and the returns and divergences.  Squares are primitive, because they stay rational.  In balls the policies are enclosed as
``softmax(φᵀθ)``, so that ``recompute(trace.balls(), ...)``, of a game and comparator that went through ``.exact().balls()``,
encloses the truth about the recorded run.
Source: Definition 4.4, Assumption 4.3, Theorem 4.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..arithmetic import (
    Array,
    System,
    Truth,
    absolute,
    compare,
    divide,
    kind_of,
    largest,
    lift,
    like,
    maximum,
    module_of,
    select,
    sqrt,
    square,
)
from ..arithmetic.explained import explained, explained_class, over_arrays
from ..model import Game, Policy
from ..model.conversion import convert
from ..model.features import Features
from ..model.validation import require_seed
from ..quantities.agent_values import agent_values
from ..quantities.distributions import stationary_distribution
from ..quantities.divergence import entropy_of, kl_divergence
from ..quantities.mirror_descent import convergence_bound, second_order_term
from ..quantities.performance_difference import expected_along
from ..quantities.update_errors import Update, fit_cost_factor, odds_change, propagation_factor
from ..quantities.values import returns

ENTRIES_AT_ONCE = 4_000_000
"""How large the largest table over several iterations may be while a trace is evaluated."""


@explained_class
@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """A recorded run of ``K`` iterations on a game (or a batch of games), for ``N`` agents.

    Attributes
    ----------
    features : Features
        What the parameters mean.
    parameters : tuple of Array
        ``θ_0, ..., θ_K`` of every agent, ``[K + 1, ..., d_m]``.
    values : tuple of Array
        ``Q̂_0, ..., Q̂_{K-1}`` of every agent, ``[K, ..., S, prefixes, A_m]``.
    beta : Array
        ``β_k``, the same in every iteration, of the batch shape or a single number.
    algorithm : str
    settings : Mapping
        What the run was called with, seed included.
    factors : tuple of Array, optional
        The factors of ``π_0, ..., π_K``, where they are not to be computed from the parameters (rationals have no softmax).
    """

    features: Features
    parameters: tuple[Array, ...]
    values: tuple[Array, ...]
    beta: Array
    algorithm: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    factors: tuple[Array, ...] | None = None

    @property
    def iterations(self) -> int:
        """``K``"""
        return int(self.parameters[0].shape[0]) - 1

    @property
    def agents(self) -> int:
        """``N``"""
        return len(self.parameters)

    @property
    def system(self) -> System:
        """The number system of the recorded data."""
        return self.features.system

    def policies(self, which: slice | int = slice(None)) -> Policy:
        """``π_k`` for these ``k`` of ``0..K``: a batch with ``k`` as its first axis, or a single policy for an integer."""
        if self.factors is not None:
            return Policy(tuple(table[which] for table in self.factors))
        return self.features.policy([table[which] for table in self.parameters])

    def output(self, seed: int) -> tuple[int, Policy]:
        """What Algorithm 1 returns: ``k`` drawn uniformly from ``0..K-1``, and ``π_k``."""
        require_seed(seed)
        k = int(np.random.default_rng(seed).integers(self.iterations))
        return k, self.policies(k)

    def returns(self, game: Game, start: Any = None) -> Array:
        """``J_ρ(π_k)`` for ``k = 0..K``, shape ``[K + 1, ...]``; ``ρ`` defaults to the game's start."""
        parts = self.parts(game, self.iterations + 1)
        return np.concatenate([returns(game, self.policies(part), start) for part in parts])

    @over_arrays
    def output_return(self, game: Game, start: Any = None) -> Array:
        """``J_ρ(π̂)``: the mean of ``J_ρ(π_k)`` over ``k = 0..K-1``, shape ``[...]``."""
        return self.returns(game, start)[:-1].sum(0) / self.iterations

    def balls(self) -> Trace:
        """The recorded numbers, exactly, as balls: policies are then enclosures of ``softmax(φᵀθ)``."""
        return self._converted(System.BALLS)

    def exact(self) -> Trace:
        """The recorded numbers as the rationals that they are.

        A softmax is not rational, so the policies are the float ones with every row divided by its exact sum; ``log π`` and
        ``φᵀθ`` then agree to rounding only.
        """
        if self.system is System.RATIONALS:
            return self
        policies = self.policies().exact()
        return replace(self._converted(System.RATIONALS), factors=policies.factors)

    def _converted(self, target: System) -> Trace:
        return replace(
            self,
            features=self.features.converted(target),
            parameters=tuple(convert(table, target) for table in self.parameters),
            values=tuple(convert(table, target) for table in self.values),
            beta=convert(self.beta, target),
        )

    def parts(self, game: Game, count: int) -> Iterator[slice]:
        """``0..count-1`` in slices, each small enough for tables ``[k, ..., S, S]`` and ``[k, ..., S, A]`` of ``game``."""
        entries = game.states * (game.states + game.actions) * (game.discount.size or 1)
        together = ENTRIES_AT_ONCE // entries or 1
        for low in range(0, count, together):
            yield slice(low, low + len(range(low, count)[:together]))

    def __repr__(self) -> str:
        return f"Trace({self.algorithm}, K = {self.iterations}, {self.features!r})"


@dataclass(frozen=True, eq=False)
class Recomputed:
    """The quantities of Theorem 4.5 on a trace; ``...`` is the batch of the games, ``m`` the last axis.

    Attributes
    ----------
    returns, target_return : Array
        ``J(π_k)`` for ``k = 0..K`` ``[K + 1, ...]``, and ``J(π_*)`` ``[...]``, from the comparator's stationary
        ``ν_*`` unless told otherwise.
    fit_error_squared : Array
        ``(ε_k^m)²``, ``[K, ..., N]``.
    critic_error_squared : Array
        ``(ε̂_k^m)²``, ``[K, ..., N]``.
    concentrability_squared : Array
        ``(φ_k^m)²`` for ``m = 0..N``, ``[K, ..., N + 1]``; infinite where the comparator goes and the policy does not.
    change_squared : Array
        ``‖w_{m-1}(1 - π_{k+1}^m/π_k^m)‖²_{2,σ_k}``, ``[K, ..., N]``: what replaces ``(2φ_k^{m-1})²`` where ``δ`` is repaired.
    tilt_squared : Array
        ``‖w_{m-1}(π_*^m - π_{k+1}^m)/π_k^m‖²_{2,σ_k}``, ``[K, ..., N]``: what theorem-4.5/repaired-sharp multiplies ``ε`` with.
    spread_squared : Array
        ``E_{ν_*π_*^{1:m-1}} (max_a Q̂ - min_a Q̂)²``, ``[K, ..., N]``: what takes the place of ``4B²`` in theorem-4.5/spread.
    odds_change : Array
        ``max_{s,p} (max_a u - min_a u)`` with ``u = φᵀ(θ_{k+1} - θ_k)``, ``[K, ..., N]``; see
        :func:`~mappo_verify.quantities.update_errors.safe_odds_change`.
    covered : Truth
        Whether it is finite, by the pattern of zeros, same shape.
    divergence : Array
        ``E_{ν_*π_*^{1:m-1}} KL(π_*^m ‖ π_k^m)`` for ``k = 0..K``, ``[K + 1, ..., N]``.
    step_divergence : Array
        ``E_{ν_*π_*^{1:m-1}} KL(π_{k+1}^m ‖ π_k^m)``, ``[K, ..., N]``.
    beta, bound, discount : Array
        ``β_k``, ``B = max |Q̂|`` over the run, and γ, all of the batch shape (or single numbers).
    """

    returns: Array
    target_return: Array
    fit_error_squared: Array
    critic_error_squared: Array
    concentrability_squared: Array
    change_squared: Array
    tilt_squared: Array
    spread_squared: Array
    odds_change: Array
    covered: Truth
    divergence: Array
    step_divergence: Array
    beta: Array
    bound: Array
    discount: Array
    action_sizes: tuple[int, ...]

    @property
    @over_arrays
    def gaps(self) -> Array:
        """``J(π_*) - J(π_k)`` for ``k = 0..K-1``, ``[K, ...]``."""
        return self.target_return - self.returns[:-1]

    @property
    def fit_error(self) -> Array:
        """``ε_k^m``, ``[K, ..., N]``; a square root, so on rationals only of perfect squares."""
        return sqrt(self.fit_error_squared)

    @property
    def critic_error(self) -> Array:
        """``ε̂_k^m``, ``[K, ..., N]``."""
        return sqrt(self.critic_error_squared)

    @property
    def concentrability(self) -> Array:
        """``φ_k^m`` for ``m = 0..N``, ``[K, ..., N + 1]``, in [1, ∞]."""
        return sqrt(self.concentrability_squared)

    @property
    def propagation_by_fit(self) -> Array:
        """``√2 (φ_k^m + φ_k^{m-1}) ε_k^m``, the part of ``Δ_k^m`` without ``β``, ``[K, ..., N]``."""
        return self._times(self._both, self.fit_error)

    @property
    def propagation_by_critic(self) -> Array:
        """``√2 (φ_k^m + φ_k^{m-1}) ε̂_k^m``, what ``Δ_k^m`` divides by ``β_k``, ``[K, ..., N]``."""
        return self._times(self._both, self.critic_error)

    @property
    @over_arrays
    def propagation(self) -> Array:
        """``Δ_k^m = √2 (φ_k^m + φ_k^{m-1}) (ε_k^m + ε̂_k^m/β_k)``, ``[K, ..., N]``; infinite where ``φ`` is."""
        return self.propagation_by_fit + self.propagation_by_critic / lift(self.beta, 1)

    @property
    def fit_cost(self) -> Array:
        """``δ_k^m = 2 φ_k^{m-1} ε_k^m`` as printed, ``[K, ..., N]``; infinite where ``φ`` is."""
        return self._times(fit_cost_factor(self.concentrability[..., :-1]), self.fit_error, below=True)

    @property
    def repaired_fit_cost(self) -> Array:
        """``‖w_{m-1}(1 - π_{k+1}^m/π_k^m)‖_{2,σ_k} ε_k^m``, for ``δ_k^m``, ``[K, ..., N]``; infinite where ``φ`` is."""
        return self._times(sqrt(self.change_squared), self.fit_error, below=True)

    @property
    def printed_bounds(self) -> Array:
        """Theorem 4.5 (i) after 1, ..., K iterations, ``[K, ...]``; refuted.

        ``1/k Σ_{i<k} (J_* - J_i) ≤ β_k [Σ_m log|A_m| + Σ_{i<k,m} (Δ + δ) + (N/2) k B²/β_k²] / ((1-γ) k)``, ``J`` from ``ν_*``.
        """
        return self._bounds(self.propagation + self.fit_cost)

    @property
    def repaired_bounds(self) -> Array:
        """The same with :attr:`repaired_fit_cost` in the place of ``δ`` (theorem-4.5/repaired), ``[K, ...]``."""
        return self._bounds(self.propagation + self.repaired_fit_cost)

    @property
    @over_arrays
    def sharp_losses(self) -> Array:
        """``ε‖w_{m-1}(π_*^m - π_{k+1}^m)/π_k^m‖_{2,σ_k} + √((φ^m)² - (φ^{m-1})²) ε̂/β_k``, ``[K, ..., N]``, or infinite."""
        fit = self._times(sqrt(self.tilt_squared), self.fit_error)
        squares = self.concentrability_squared
        spread = maximum(squares[..., 1:] - squares[..., :-1], like(0, squares))  # rounding may take it below 0
        return fit + self._times(sqrt(spread), self.critic_error) / lift(self.beta, 1)

    @property
    def sharp_bounds(self) -> Array:
        """The same with :attr:`sharp_losses` (theorem-4.5/repaired-sharp), ``[K, ...]``."""
        return self._bounds(self.sharp_losses)

    @property
    def spread_bounds(self) -> Array:
        """The same with ``⅛ Σ E_*(max_a Q̂ - min_a Q̂)²/β_k²`` for ``(N/2) Σ B²/β_k²`` (theorem-4.5/spread), ``[K, ...]``."""
        return self._bounds(
            self.sharp_losses + self.spread_squared / (8 * square(lift(self.beta, 1))), like(0, self.bound)
        )

    def _bounds(self, losses: Array, bound: Array | None = None) -> Array:
        spent = np.cumsum(losses.sum(-1), axis=0)
        count = like(np.arange(1, len(spent) + 1), spent).reshape(-1, *(1,) * (spent.ndim - 1))
        bound = self.bound if bound is None else bound
        return convergence_bound(spent, count, self.beta, bound, self.discount, self.action_sizes)

    @property
    def _both(self) -> Array:
        phi = self.concentrability
        return propagation_factor(phi[..., 1:], phi[..., :-1])

    def _times(self, factor: Array, errors: Array, below: bool = False) -> Array:
        """A product that is infinite wherever the concentrability is: ``∞ · 0`` says nothing, so it is not called a number."""
        finite = compare(self.covered[..., :-1] if below else self.covered[..., 1:], ">", 0) > 0
        if finite.all():
            return factor * errors
        safe = select(finite, factor, like(0, factor)) * errors
        endless = module_of(System.FLOATS if kind_of(factor) == "f" else System.BALLS).infinity("of φ")
        return select(finite, safe, endless)


@explained
def recompute(trace: Trace, game: Game, comparator: Policy, start: Any = None) -> Recomputed:
    """Everything that Theorem 4.5 speaks of, from the recorded data alone.

    ``game`` and ``comparator`` are in the number system of the trace.  ``J`` is taken from ``start``, by
    default from the comparator's stationary distribution ``ν_*``, as in the theorem.  Raises
    :class:`~mappo_verify.errors.GameError` where a policy has no (or no unique) stationary distribution;
    infinite concentrability is reported as infinite, never as nan.
    """
    trace.features.require_fits(game)
    comparator.require_fits(game)
    states = stationary_distribution(game, comparator)
    start = states if start is None else start
    rows: dict[str, list[Array]] = {}
    for part in trace.parts(game, trace.iterations):
        following = trace.policies(slice(part.start + 1, part.stop + 1))
        for name, table in _of_iterations(trace, game, part, states, comparator, following).items():
            rows.setdefault(name, []).append(table)
    last = trace.policies(slice(-1, None))
    rows["divergence"].append(_divergence(states, comparator, comparator, last))
    return Recomputed(
        **{name: np.concatenate(tables) for name, tables in rows.items()},
        returns=trace.returns(game, start),
        target_return=returns(game, comparator, start),
        beta=trace.beta,
        bound=largest(
            np.stack([largest(absolute(table), (0, -3, -2, -1)) for table in trace.values])[..., None], (0, -1)
        ),
        discount=game.discount,
        action_sizes=game.action_sizes,
    )


def _of_iterations(
    trace: Trace, game: Game, part: slice, states: Array, comparator: Policy, following: Policy
) -> dict[str, Array]:
    """The fields of :class:`Recomputed` that belong to the iterations ``k`` of ``part``, with ``k`` as the first axis."""
    policy, agents = trace.policies(part), range(1, trace.agents + 1)
    moved = (table[part.start + 1 : part.stop + 1] - table[part] for table in trace.parameters)
    update = Update(
        game,
        comparator,
        states,
        policy,
        following,
        tuple(trace.features.scores(m, table) for m, table in enumerate(moved)),
        tuple(table[part] for table in trace.values),
        agent_values(game, policy),
        divide(like(1, trace.beta), trace.beta),
    )
    return {
        "fit_error_squared": np.stack([update.squared_fit_error(m) for m in agents], axis=-1),
        "critic_error_squared": np.stack([update.squared_critic_error(m) for m in agents], axis=-1),
        "concentrability_squared": np.stack([update.squared_phi(m) for m in (0, *agents)], axis=-1),
        "change_squared": np.stack(
            [update.squared_weighted(m, policy.factors[m - 1] - following.factors[m - 1]) for m in agents], axis=-1
        ),
        "tilt_squared": np.stack(
            [update.squared_weighted(m, comparator.factors[m - 1] - following.factors[m - 1]) for m in agents], axis=-1
        ),
        "spread_squared": np.stack(
            [update.along(m, square(odds_change(table))) for m, table in enumerate(update.estimates, start=1)], axis=-1
        ),
        "odds_change": np.stack([largest(odds_change(table), (-2, -1)) for table in update.increments], axis=-1),
        "covered": np.stack([update.covered(m) for m in (0, *agents)], axis=-1),
        "divergence": _divergence(states, comparator, comparator, policy),
        "step_divergence": _divergence(states, comparator, following, policy),
    }


def _divergence(states: Array, comparator: Policy, left: Policy, right: Policy) -> Array:
    """``E_{ν_* π_*^{1:m-1}} KL(left^m ‖ right^m)`` for every ``m``, shape ``[..., N]``."""
    return np.stack(
        [
            expected_along(states, comparator, m, kl_divergence(one, other))
            for m, (one, other) in enumerate(zip(left.factors, right.factors, strict=True))
        ],
        axis=-1,
    )


@explained
def self_consistent_beta(found: Recomputed) -> Array:
    """Theorem 4.5's own ``β`` for the errors of a run, of the batch shape.

    The theorem sets ``β² = (N B²/2) / (Σ_m log|A_m| + Σ_{k,m} (Δ_k^m + δ_k^m))`` where ``Δ`` contains ``β_k =
    β√K`` again.  With ``S_0`` the part of the sum without ``β`` and ``S_1/β`` the rest, ``(Σ log|A_m| + S_0) β²
    + S_1 β = N B²/2``, whose positive root this is.  It is a fixed point for the errors as they are: a run with
    another ``β`` makes other errors.
    """
    iterations, agents = found.fit_error_squared.shape[0], len(found.action_sizes)
    both = (0, -1)
    fixed = (found.propagation_by_fit + found.fit_cost).sum(axis=both) + entropy_of(found.action_sizes, found.bound)
    varying = found.propagation_by_critic.sum(axis=both) / sqrt(like(iterations, found.bound))
    target = 4 * second_order_term(agents, found.bound)
    return (sqrt(square(varying) + fixed * target) - varying) / (2 * fixed)
