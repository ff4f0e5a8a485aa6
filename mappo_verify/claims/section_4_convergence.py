"""Section 4.2: Theorem 4.5 on runs, line by line from the summed descent inequality; its repairs; what exact updates do.

A run starts at ``θ_0 = 0`` (uniform policies) and moves its logits by given increments ``u_k^m = (θ_{k+1}^m - θ_k^m)ᵀφ``.  From
these exact data everything is recomputed: the iterates, their values, the error of the fit ``u - Q̂/β`` and of the critic.
With ``η = 1/β_k`` the theorem speaks of ``Σ_k (1-γ)(J_* - J_k)/β_k``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..arithmetic import Array, absolute, largest, lift, like, log, sqrt, square, tilt
from ..model import Game, Policy
from ..model.agents import split_last
from ..model.validation import unchecked
from ..quantities.agent_values import agent_values
from ..quantities.chain import has_stationary_distribution
from ..quantities.concentrability import density_ratio, squared_concentrability
from ..quantities.distributions import state_action_distribution, stationary_distribution
from ..quantities.divergence import kl_divergence, l1_distance, squared_norm
from ..quantities.mirror_descent import mirror_step
from ..quantities.performance_difference import return_difference
from ..quantities.values import returns, state_values
from .claim import Claim, Line, at_least, at_most, equal, line
from .settings import (
    Case,
    Derived,
    GameData,
    Hypothesis,
    Increments,
    PolicyData,
    PositiveScalar,
    PrefixTables,
    RareErrors,
    Setting,
)
from .verdict import Standing


@dataclass(frozen=True, eq=False)
class Step:
    """One iteration of a run: everything that the theorem weighs, agent by agent."""

    game: Game
    target: Policy
    policy: Policy
    following: Policy
    increments: tuple[Array, ...]
    estimates: tuple[Array, ...]
    values: tuple[Array, ...]
    eta: Array

    @cached_property
    def here(self) -> Array:
        """``ν_k``"""
        return stationary_distribution(self.game, self.policy)

    @cached_property
    def there(self) -> Array:
        """``ν_*``"""
        return stationary_distribution(self.game, self.target)

    def cut(self, tables: tuple[Array, ...], m: int) -> Array:
        """The table of agent ``m`` with its own action on an axis of its own."""
        return split_last(tables[m - 1], self.game.action_sizes[m - 1])

    def rate(self, m: int) -> Array:
        """``η Q̂``"""
        estimate = self.cut(self.estimates, m)
        return np.asarray(lift(self.eta, 3) * estimate)

    def fit_error(self, m: int) -> Array:
        """``u - Q̂/β``"""
        return np.asarray(self.cut(self.increments, m) - self.rate(m))

    def critic_error(self, m: int) -> Array:
        """``(Q̂ - Q)/β``"""
        return np.asarray(lift(self.eta, 3) * (self.cut(self.estimates, m) - self.cut(self.values[1:], m)))

    def sigma(self, m: int) -> Array:
        """``σ_k`` on ``(s, p, a^m)``"""
        return split_last(state_action_distribution(self.here, self.policy, m), self.game.action_sizes[m - 1])

    def comparator(self, m: int) -> Array:
        """``ν_* π_*^{1:m-1}`` on ``(s, p)``"""
        return state_action_distribution(self.there, self.target, m - 1)

    def ratio(self, m: int) -> Array:
        """``w_{m-1}`` with an axis for ``a^m``"""
        return density_ratio(self.here, self.policy, self.there, self.target, m - 1)[..., None]

    def squared_phi(self, m: int) -> Array:
        """``(φ_k^m)²``"""
        return squared_concentrability(self.here, self.policy, self.there, self.target, m)

    def epsilon(self, m: int) -> Array:
        """``ε_k^m``"""
        return sqrt(squared_norm(self.fit_error(m), self.sigma(m), 3))

    def epsilon_hat(self, m: int) -> Array:
        """``ε̂_k^m/β_k``"""
        return sqrt(squared_norm(self.critic_error(m), self.sigma(m), 3))

    def delta_upper(self, m: int) -> Array:
        """``Δ_k^m = √2 (φ^m + φ^{m-1}) (ε + ε̂/β)``"""
        phi = sqrt(self.squared_phi(m)) + sqrt(self.squared_phi(m - 1))
        return np.asarray(sqrt(like(2, phi)) * phi * (self.epsilon(m) + self.epsilon_hat(m)))

    def delta_lower(self, m: int) -> Array:
        """``δ_k^m = 2 φ^{m-1} ε``"""
        return np.asarray(2 * sqrt(self.squared_phi(m - 1)) * self.epsilon(m))

    def along(self, m: int, table: Array) -> Array:
        """``E_* f(s, p)`` for ``f`` of shape ``[..., S, P]``"""
        return np.asarray((self.comparator(m) * table).sum((-2, -1)))

    def inner(self, m: int, table: Array, ahead: Policy, behind: Policy) -> Array:
        """``E_* ⟨f, π_ahead^m - π_behind^m⟩``"""
        change = ahead.factors[m - 1] - behind.factors[m - 1]
        return self.along(m, np.asarray((table * change).sum(-1)))


def steps_of(case: Case) -> list[Step]:
    """The iterations of a run, from ``θ_0 = 0``."""
    game, target = case.game, case.target
    agents, policy = game.agents, _uniform(case)
    eta, noise = case.eta, case.objects.get("noise")
    result = []
    for k in range(len(case.increments) // agents):
        increments = case.increments[k * agents : (k + 1) * agents]
        factors = tuple(
            tilt(factor, split_last(table, factor.shape[-1]))
            for factor, table in zip(policy.factors, increments, strict=True)
        )
        following = unchecked(Policy, factors=factors, system=game.system)
        values = agent_values(game, policy)
        estimates = values[1:] if noise is None else tuple(q + e for q, e in zip(values[1:], noise, strict=True))
        result.append(Step(game, target, policy, following, increments, estimates, values, eta))
        policy = following
    return result


def _uniform(case: Case) -> Policy:
    """The uniform policy, with the batch axes of the game."""
    uniform = Policy.uniform(case.game)
    factors = tuple(np.broadcast_to(f, case.batch_shape + f.shape[-3:]) for f in uniform.factors)
    return unchecked(Policy, factors=factors, system=case.game.system)


def _sum(terms: list[Any]) -> Array:
    return np.asarray(sum(terms[1:], start=terms[0]))


def _bound(steps: list[Step]) -> Array:
    """``B``: the largest estimate that occurs."""
    found = [largest(absolute(table), (-2, -1)) for step in steps for table in step.estimates]
    return largest(np.stack(found, axis=-1))


def _entropy(case: Case) -> Array:
    """``Σ_m log|A_m|``"""
    return _sum([log(like(size, case.system)) for size in case.game.action_sizes])


def _descent(case: Case, steps: list[Step]) -> Iterator[Line]:
    """What the theorem and its repairs share: from the summed gaps to the summed one-step inequalities."""
    pairs = [(step, m) for step in steps for m in range(1, case.game.agents + 1)]
    gap = [returns(s.game, s.target, s.there) - returns(s.game, s.policy, s.there) for s in steps]
    keep = like(1, case.game.discount) - case.game.discount
    yield line("Σ_k (1-γ)(J_* - J_k)/β_k", _sum([s.eta * keep * g for s, g in zip(steps, gap, strict=True)]))
    yield equal(
        "Σ_{k,m} E_* ⟨Q_k^{1:m}, π_*^m - π_k^m⟩/β_k",
        _sum([s.eta * keep * return_difference(s.game, s.target, s.policy, s.there).sum(-1) for s in steps]),
        because="lemma-4.1/stationary",
    )
    yield equal(
        "Σ_{k,m} E_* [KL(π_*‖π_k) - KL(π_*‖π_{k+1}) - ⟨errors, π_* - π_k⟩ - ⟨u, π_k - π_{k+1}⟩ - KL(π_{k+1}‖π_k)]",
        _sum([_one_step(s, m) for s, m in pairs]),
        because="lemma-b.6",
    )


def _one_step(step: Step, m: int) -> Array:
    old, new, goal = (p.factors[m - 1] for p in (step.policy, step.following, step.target))
    divergences = kl_divergence(goal, old) - kl_divergence(goal, new) - kl_divergence(new, old)
    errors = step.fit_error(m) + step.critic_error(m)
    return np.asarray(
        step.along(m, divergences)
        - step.inner(m, errors, step.target, step.policy)
        - step.inner(m, step.cut(step.increments, m), step.policy, step.following)
    )


def _half_square(step: Step, m: int) -> Array:
    """``½ E_* ‖π_{k+1} - π_k‖₁²``"""
    return step.along(m, square(l1_distance(step.following.factors[m - 1], step.policy.factors[m - 1])) / 2)


def printed_theorem(case: Case) -> Iterator[Line]:
    """Part (i): ``Σ_k (1-γ)(J_* - J_k)/β_k ≤ Σ_m log|A_m| + Σ_{k,m}(Δ + δ) + (N/2) Σ_k B²/β_k²``."""
    steps = steps_of(case)
    pairs = [(s, m) for s in steps for m in range(1, case.game.agents + 1)]
    yield from _descent(case, steps)
    upper, entropy = _sum([s.delta_upper(m) for s, m in pairs]), _entropy(case)
    drift = _sum([-s.inner(m, s.cut(s.increments, m), s.policy, s.following) - _half_square(s, m) for s, m in pairs])
    yield at_most(
        "Σ_m log|A_m| + Σ Δ + Σ_{k,m} E_*[-⟨u, π_k - π_{k+1}⟩ - ½‖π_{k+1} - π_k‖₁²]",
        entropy + upper + drift,
        because="telescoping with KL(π_*‖π_0) ≤ log|A_m| and KL ≥ 0; lemma-b.5; Pinsker",
    )
    bound = _bound(steps)
    yield at_most(
        "Σ_m log|A_m| + Σ (Δ + δ) + (N/2) Σ_k B²/β_k²",
        entropy
        + upper
        + _sum([s.delta_lower(m) for s, m in pairs])
        + _sum([case.game.agents * square(s.eta * bound) / 2 for s in steps]),
        because="lemma-b.4 (and ‖π_k - π_{k+1}‖₁ ≤ 2): -⟨u, ·⟩ ≤ δ + ‖Q̂/β‖_∞ ‖·‖₁; xy ≤ (x² + y²)/2",
    )


def _repaired(case: Case, sharp: bool) -> Iterator[Line]:
    steps = steps_of(case)
    pairs = [(s, m) for s in steps for m in range(1, case.game.agents + 1)]
    yield from _descent(case, steps)
    entropy, bound = _entropy(case), _bound(steps)
    quadratic = _sum([case.game.agents * square(s.eta * bound) / 2 for s in steps])
    fit = _sum([-s.inner(m, s.fit_error(m), s.target, s.following) for s, m in pairs])
    critic = _sum([-s.inner(m, s.critic_error(m), s.target, s.policy) for s, m in pairs])
    yield at_most(
        "Σ_m log|A_m| - Σ E_*⟨fit error, π_* - π_{k+1}⟩ - Σ E_*⟨critic error, π_* - π_k⟩ + (N/2) Σ_k B²/β_k²",
        entropy + fit + critic + quadratic,
        because="u = Q̂/β + fit error; -⟨Q̂/β, π_k - π_{k+1}⟩ - KL(π_{k+1}‖π_k) ≤ B²/(2β²) by Hölder and Pinsker",
    )
    if sharp:
        terms = [
            s.epsilon(m) * _weighted(s, m, s.target.factors[m - 1] - s.following.factors[m - 1])
            + sqrt(s.squared_phi(m) - s.squared_phi(m - 1)) * s.epsilon_hat(m)
            for s, m in pairs
        ]
        expression = "ε‖w_{m-1}(π_*^m - π_{k+1}^m)/π_k^m‖ + √((φ^m)² - (φ^{m-1})²) ε̂/β_k"
    else:
        terms = [
            s.delta_upper(m) + s.epsilon(m) * _weighted(s, m, s.policy.factors[m - 1] - s.following.factors[m - 1])
            for s, m in pairs
        ]
        expression = "Δ + ε‖w_{m-1}(1 - π_{k+1}^m/π_k^m)‖"
    yield at_most(
        f"Σ_m log|A_m| + Σ_{{k,m}} [{expression}_{{2,σ_k}}] + (N/2) Σ_k B²/β_k²".replace("]_{2,σ_k}]", "]"),
        entropy + _sum(terms) + quadratic,
        because="Cauchy-Schwarz under σ_k, with the density that really stands there; lemma-b.5/sharp",
    )


def _weighted(step: Step, m: int, change: Array) -> Array:
    """``‖w_{m-1} change/π_k^m‖_{2,σ_k}``"""
    return sqrt(squared_norm(step.ratio(m) * change / step.policy.factors[m - 1], step.sigma(m), 3))


def repaired_theorem(case: Case) -> Iterator[Line]:
    """Part (i) with δ replaced by what Cauchy and Schwarz allow."""
    yield from _repaired(case, sharp=False)


def sharp_theorem(case: Case) -> Iterator[Line]:
    """The sharper form: the two parts of the fit's error together, and the sharp coefficient of the critic's."""
    yield from _repaired(case, sharp=True)


# --- exact updates ----------------------------------------------------------------------------------------------------


def monotone(case: Case) -> Iterator[Line]:
    """The ideal update with exact Q at every (s, p): J never decreases from any start, for any β."""
    game, policy = case.game, case.policy
    after = _ideal(case, policy)
    before = state_values(game, policy)
    yield line("V_{π_{k+1}}(s)", state_values(game, after))
    yield at_least(
        "V_{π_k}(s)",
        before,
        because="lemma-4.1: every agent's term is ⟨Q, π⁺ - π⟩ ≥ 0, since π⁺ maximises ⟨Q, q⟩ - β KL(q‖π) and q = π is allowed",
    )


def _ideal(case: Case, policy: Policy) -> Policy:
    values = agent_values(case.game, policy)[1:]
    factors = tuple(
        mirror_step(f, split_last(q, f.shape[-1]), case.beta) for f, q in zip(policy.factors, values, strict=True)
    )
    return unchecked(Policy, factors=factors, system=case.game.system)


def exact_rate(case: Case) -> Iterator[Line]:
    """Constant step η, exact updates, rewards in [0, 1]: ``J_* - J_K ≤ [Σ_m log|A_m|/η + N/(1-γ)]/((1-γ)K)``, every start."""
    policy, best = _uniform(case), case.target
    for _ in range(case.sizes.steps):
        policy = _ideal(case, policy)
    keep = like(1, case.game.discount) - case.game.discount
    gap = state_values(case.game, best) - state_values(case.game, policy)
    yield line("V_*(s) - V_{π_K}(s)", gap)
    rate = (case.beta * _entropy(case) + case.game.agents / keep) / (keep * case.sizes.steps)
    yield at_most(
        "[Σ_m log|A_m|/η + N/(1-γ)]/((1-γ)K)",
        lift(rate, 1),
        because="log Z_k^m ≤ η(Q_{k+1}^{1:m-1} - Q_k^{1:m-1}), so the summed gaps telescope; monotone-improvement",
    )


def _discounted(case: Case) -> Any:
    from ..arithmetic import compare

    return compare(case.game.discount, "<", like(1, case.game.discount))


def _ergodic(case: Case) -> Any:
    """Both the comparator and the (fully supported) iterates have one stationary distribution."""
    from ..arithmetic import both

    return both(
        has_stationary_distribution(case.game, case.target), has_stationary_distribution(case.game, _uniform(case))
    )


def _covers(case: Case) -> Any:
    """The comparator's states are visited by fully supported policies: true where these are recurrent everywhere."""
    from ..arithmetic import truth_of
    from ..quantities.chain import recurrent

    return truth_of(recurrent(case.game, _uniform(case)) > 0)


ERGODIC = (
    Hypothesis("π_* and π_k have one stationary distribution each", _ergodic),
    Hypothesis("every state is recurrent under full support, so concentrability is finite", _covers),
    Hypothesis("γ < 1", _discounted),
)
RUN = Setting(
    "a run of any increments, with a critic's error, against any comparator",
    (
        GameData(start=False, termination=False),
        PolicyData("target"),
        PositiveScalar("beta"),
        Derived("eta", lambda case: like(1, case.beta) / case.beta),
        PrefixTables("noise", -1, 1),
        Increments("increments"),
    ),
    ERGODIC,
    agents=(1, 2),
    states=(1, 2),
    steps=(1, 3),
    action_range=(1, 2),
)
EXACT_STEP = Setting(
    "a game, a policy of full support, a step size",
    (GameData(start=False), PolicyData("policy", full_support=True), PositiveScalar("beta")),
    (Hypothesis("γ < 1", _discounted),),
    agents=(1, 3),
    states=(1, 2),
    action_range=(1, 2),
)
CONSTANT_STEP = Setting(
    "exact updates with a constant step, rewards in [0, 1], against any comparator",
    (GameData(start=False, termination=False, reward=(0, 9), scale=9), PolicyData("target"), PositiveScalar("beta")),
    (Hypothesis("γ < 1", _discounted),),
    agents=(1, 2),
    states=(1, 2),
    steps=(1, 2, 4),
    action_range=(1, 2),
)


def _bandit(case_like: Any) -> Game:
    """One state, two actions with rewards 1 and 0, γ = 0: the good action first."""
    system = case_like.system
    return Game(like([[[1], [1]]], system), like([[1, 0]], system), like(0, system), (2,), name="bandit")


BANDIT = Setting(
    "the bandit r = (1, 0): exact updates but for a few errors on the bad action's logit",
    (
        RareErrors("increments"),
        Derived("game", lambda case: _bandit(case)),
        Derived("target", lambda case: Policy.deterministic(case.game, np.zeros(1, int))),
        Derived("eta", lambda case: case.increments[0][..., 0, 0]),
    ),
    agents=(1, 1),
    states=(1, 1),
    steps=(4, 12, 20, 24, 28),
    action_range=(2, 2),
)
SCOPE = (
    "False for update errors of size ε_k, which is all that the theorem uses; not shown for sample paths of Algorithm 3.  The "
    "parameters grow like √K, as in any run without errors."
)

CLAIMS = (
    Claim(
        "theorem-4.5/i",
        "Global convergence, summed form, on bandit runs with rare errors",
        "Section 4.2, Theorem 4.5",
        BANDIT,
        printed_theorem,
        statement="Σ_k (1-γ)(J_* - J_k)/β_k ≤ Σ_m log|A_m| + Σ_{k,m}(Δ_k^m + δ_k^m) + (N/2) Σ_k B²/β_k²",
        record=Standing.REFUTED,
        note=SCOPE,
        repaired_by="theorem-4.5/repaired",
    ),
    Claim(
        "theorem-4.5/repaired",
        "The same with the density that Cauchy-Schwarz really needs",
        "Section 4.2, Theorem 4.5, repaired",
        RUN,
        repaired_theorem,
        statement="Σ_k (1-γ)(J_* - J_k)/β_k ≤ Σ_m log|A_m| + Σ_{k,m}[Δ + ε‖w_{m-1}(1 - π_{k+1}/π_k)‖_{2,σ_k}]"
        " + (N/2) Σ_k B²/β_k²",
        record=Standing.SURVIVED,
        printed=False,
    ),
    Claim(
        "theorem-4.5/repaired-sharp",
        "The repaired theorem, sharper",
        "Section 4.2, Theorem 4.5, repaired",
        RUN,
        sharp_theorem,
        statement="as repaired, with ε‖w_{m-1}(π_* - π_{k+1})/π_k‖_{2,σ_k} + √((φ^m)² - (φ^{m-1})²) ε̂/β_k for the errors",
        record=Standing.SURVIVED,
        printed=False,
    ),
    Claim(
        "monotone-improvement",
        "Ideal exact updates never decrease J",
        "beyond the paper",
        EXACT_STEP,
        monotone,
        statement="V_{π_{k+1}} ≥ V_{π_k} in every state, for π_{k+1}^m ∝ π_k^m exp(Q_k^{1:m}/β) and any β > 0",
        record=Standing.SURVIVED,
        printed=False,
    ),
    Claim(
        "theorem-4.5/exact-rate",
        "Constant steps, exact updates: rate 1/K from every start",
        "beyond the paper",
        CONSTANT_STEP,
        exact_rate,
        statement="V_* - V_{π_K} ≤ [Σ_m log|A_m|/η + N/(1-γ)]/((1-γ)K) in every state, rewards in [0, 1], γ < 1",
        record=Standing.SURVIVED,
        printed=False,
    ),
)
