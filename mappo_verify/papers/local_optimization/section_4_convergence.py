"""Section 4.2: Theorem 4.5 on runs, line by line from the summed descent inequality; its repairs; what exact updates do.

A run starts at ``θ_0 = 0`` (uniform policies) and moves its logits by given increments ``u_k^m = (θ_{k+1}^m - θ_k^m)ᵀφ``.  From
these exact data everything is recomputed: the iterates, their values, the error of the fit ``u - Q̂/β`` and of the critic.
With ``η = 1/β_k`` the theorem speaks of ``Σ_k (1-γ)(J_* - J_k)/β_k``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from ...arithmetic import (
    Array,
    System,
    Truth,
    absolute,
    both,
    certainly_equal,
    choose,
    compare,
    exp,
    largest,
    like,
    log,
    sqrt,
    square,
    tilt,
    truth_of,
)
from ...arithmetic.functions import not_refuted
from ...arithmetic.numbers import bare
from ...claims.case import Built, Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, at_most, equal, line
from ...claims.coordinates import Coordinate, Numbers, Sizes
from ...claims.induction import Arbitrary
from ...claims.ingredients import (
    Derived,
    GameData,
    Increments,
    PolicyData,
    PositiveIntegers,
    PositiveScalar,
    PrefixTables,
    Table,
)
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...model import Game, Policy
from ...model.agents import split_last
from ...model.validation import FLOAT_TOLERANCE, unchecked
from ...quantities.agent_values import agent_values
from ...quantities.chain import has_stationary_distribution, recurrent
from ...quantities.distributions import stationary_distribution
from ...quantities.divergence import entropy_of, kl_divergence, l1_distance
from ...quantities.mirror_descent import second_order_term
from ...quantities.performance_difference import return_difference
from ...quantities.update_errors import Update, fit_cost_factor, propagation_factor, safe_odds_change
from ...quantities.values import returns
from .common import total


def run_of(case: Case) -> Update:
    """All iterations of a run from ``θ_0 = 0``, ``k`` on a leading axis."""
    game, agents = case.game, case.game.agents
    comparator = stationary_distribution(game, case.target)
    increments = tuple(np.stack(case.increments[m::agents], axis=0) for m in range(agents))
    moved = _cut(game, tuple(np.cumsum(table, axis=0) - table for table in increments))  # what came before step k
    factors = tuple(tilt(factor, table) for factor, table in zip(Policy.uniform(game).factors, moved, strict=True))
    return update_of(case, unchecked(Policy, factors=factors, system=game.system), case, increments, comparator)


def update_of(case: Case, policy: Policy, own: Any, increments: tuple[Array, ...], comparator: Array) -> Update:
    """What increments make of a policy, with the critic's error that the case, or the step of its run, has of its own."""
    game, noise = case.game, getattr(own, "noise", None)
    increments = _cut(game, increments)
    factors = tuple(tilt(factor, table) for factor, table in zip(policy.factors, increments, strict=True))
    following = unchecked(Policy, factors=factors, system=game.system)
    values = agent_values(game, policy)
    estimates = values[1:] if noise is None else tuple(q + e for q, e in zip(values[1:], noise, strict=True))
    return Update(game, case.target, comparator, policy, following, increments, _cut(game, estimates), values, case.eta)


def _cut(game: Game, tables: tuple[Array, ...]) -> tuple[Array, ...]:
    """Every agent's table with its own action on an axis of its own, as in its factor."""
    return tuple(split_last(table, size) for table, size in zip(tables, game.action_sizes, strict=True))


def _bound(run: Update) -> Array:
    """``B``: the largest estimate that occurs."""
    return largest(np.stack([largest(absolute(table), (-4, -3, -2, -1)) for table in run.estimates], axis=-1))


def _entropy(case: Case) -> Array:
    """``Σ_m log|A_m|``"""
    return entropy_of(case.game.action_sizes, case.system)


def _agents(case: Case) -> range:
    return range(1, case.game.agents + 1)


def _gaps(run: Update) -> Array:
    """``(J_* - J_k)``, from ``ν_*``, for every ``k``."""
    start = run.comparator_distribution
    return returns(run.game, run.comparator, start) - returns(run.game, run.policy, start)


def _descent(case: Case, run: Update) -> Iterator[Line]:
    """From the summed gaps to the summed one-step inequalities."""
    keep = 1 - case.game.discount
    yield line("Σ_k (1-γ)(J_* - J_k)/β_k", (run.eta * keep * _gaps(run)).sum(-1))
    difference = return_difference(run.game, run.comparator, run.policy, run.comparator_distribution)
    yield equal(
        "Σ_{k,m} E_* ⟨Q_k^{1:m}, π_*^m - π_k^m⟩/β_k",
        (run.eta * keep * difference.sum(-1)).sum(-1),
        because="lemma-4.1/stationary",
    )
    yield equal(
        "Σ_{k,m} E_* [KL(π_*‖π_k) - KL(π_*‖π_{k+1}) - ⟨errors, π_* - π_k⟩ - ⟨u, π_k - π_{k+1}⟩ - KL(π_{k+1}‖π_k)]",
        total([_one_step(run, m).sum(-1) for m in _agents(case)]),
        because="lemma-b.6",
    )


def _one_step(step: Update, m: int) -> Array:
    old, new, goal = (p.factors[m - 1] for p in (step.policy, step.following, step.comparator))
    divergences = kl_divergence(goal, old) - kl_divergence(goal, new) - kl_divergence(new, old)
    errors = step.fit_error(m) + scaled_critic_error(step, m)
    return (
        step.along(m, divergences)
        - step.inner(m, errors, step.comparator, step.policy)
        - step.inner(m, step.increments[m - 1], step.policy, step.following)
    )


def scaled_critic_error(step: Update, m: int) -> Array:
    """``η c = (Q̂ - Q)/β_k``, in the shape of the factor."""
    return step.eta * step.critic_error(m)


def _half_square(step: Update, m: int) -> Array:
    """``½ E_* ‖π_{k+1} - π_k‖₁²``"""
    return step.along(m, square(l1_distance(step.following.factors[m - 1], step.policy.factors[m - 1])) / 2)


def printed_theorem(case: Case) -> Iterator[Line]:
    """Part (i): ``Σ_k (1-γ)(J_* - J_k)/β_k ≤ Σ_m log|A_m| + Σ_{k,m}(Δ + δ) + (N/2) Σ_k B²/β_k²``."""
    run, agents = run_of(case), _agents(case)
    yield from _descent(case, run)
    upper, entropy = total([run.propagation(m).sum(-1) for m in agents]), _entropy(case)
    drift = total(
        [
            (-run.inner(m, run.increments[m - 1], run.policy, run.following) - _half_square(run, m)).sum(-1)
            for m in agents
        ]
    )
    yield at_most(
        "Σ_m log|A_m| + Σ Δ + Σ_{k,m} E_*[-⟨u, π_k - π_{k+1}⟩ - ½‖π_{k+1} - π_k‖₁²]",
        entropy + upper + drift,
        because="telescoping with KL(π_*‖π_0) ≤ log|A_m| and KL ≥ 0; lemma-b.5; Pinsker",
    )
    yield at_most(
        "Σ_m log|A_m| + Σ (Δ + δ) + (N/2) Σ_k B²/β_k²",
        entropy
        + upper
        + total([run.fit_cost(m).sum(-1) for m in agents])
        + case.sizes.steps * second_order_term(case.game.agents, run.eta * _bound(run)),
        because="lemma-b.4 (and ‖π_k - π_{k+1}‖₁ ≤ 2): -⟨u, ·⟩ ≤ δ + ‖Q̂/β‖_∞ ‖·‖₁; xy ≤ (x² + y²)/2",
    )


def _own_error(case: Case) -> Array:
    """The error ``M`` for which ``β`` is the theorem's own, ``β² = (B²/2)/(log 2 + Σ(Δ + δ))``, with ``N = B = 1``.

    Only the step ``when`` has ``Δ + δ > 0``; it is ``M √p [√2 (1 + 1/√(1-p)) + 2]`` with ``p`` the bad action's probability.
    """
    odds = exp(case.eta * case.when)
    bad, good, one = 1 / (odds + 1), odds / (odds + 1), like(1, odds)
    cost: Array = sqrt(bad) * (propagation_factor(one / sqrt(good), one) + fit_cost_factor(one))
    return _own_budget(case) / cost


def _own_budget(case: Case) -> Array:
    """``Σ(Δ + δ) = 1/(2β²) - log 2`` at the fixed point."""
    beta: Array = case.beta
    return 1 / (2 * square(beta)) - log(like(2, beta))


def _own_increments(case: Case) -> tuple[Array, ...]:
    """Exact updates, and the one error on the bad action's logit."""
    steps = [like(k, case.when) for k in range(case.sizes.steps)]
    errors = [choose(certainly_equal(k, case.when), case.error, 0) for k in steps]
    return tuple(np.stack([case.eta, error], axis=-1)[..., None, :] for error in errors)


def _spent(case: Case, run: Update) -> Array:
    """``Σ_m log|A_m| + Σ_{k,m}(Δ_k^m + δ_k^m)``, recomputed from the run."""
    return _entropy(case) + total([(run.propagation(m) + run.fit_cost(m)).sum(-1) for m in _agents(case)])


def _is_own(case: Case) -> Truth:
    """The fixed point, from the recomputed errors: not certainly missed (balls certify no equality; floats: up to rounding)."""
    run = run_of(case)
    left = square(case.beta) * _spent(case, run)
    right = second_order_term(case.game.agents, _bound(run))
    if bare(case.system) is System.FLOATS:  # a hypothesis of floats, which only rank
        return compare(absolute(left - right), "≤", like(Fraction(FLOAT_TOLERANCE), left))
    return truth_of(not_refuted(compare(left, "=", right)))


def own_step_size(case: Case) -> Iterator[Line]:
    """Part (ii): ``J_* - mean_k J_k ≤ B √(2N) √(N log|A| + Σ(Δ + δ)) / ((1-γ)√K)``, with the theorem's own β."""
    run, steps = run_of(case), case.sizes.steps
    spent = _spent(case, run)
    scale = sqrt(like(2 * case.game.agents, spent)) * _bound(run) / sqrt(like(steps, spent))
    yield line("1/K Σ_k (J_* - J(π_k))", _gaps(run).sum(-1) / steps)
    yield at_most(
        "B √(2N) √(N log|A| + Σ_{k,m}(Δ + δ)) / √K",
        scale * sqrt(spent),
        because="theorem-4.5/i divided by K/(β√K), at β² = (N B²/2)/(N log|A| + Σ(Δ + δ))",
    )


ROOT_PER_CONSTANT = 40
"""``√K/c`` in the family of runs that beats every constant ``c``."""


def _root(case: Case) -> Array:
    """``√K``"""
    constant: Array = case.constant
    return ROOT_PER_CONSTANT * constant


def _largest_cost(case: Case) -> Array:
    """``4√K (4 + √2)``, at least what the error ``M = 2√K/β`` adds to Δ + δ at an action of any probability, for ``β ≥ 1/2``."""
    root = _root(case)
    cost: Array = 4 * root * (4 + sqrt(like(2, root)))
    return cost


def _some_beta_is_own(case: Case) -> Truth:
    """At β = 1/2 the error costs less than ``1/(2β²) - log 2 = 2 - log 2``, at ``β = 1/√(2 log 2)`` more, namely than 0."""
    return compare(_largest_cost(case) * exp(-case.delay), "<", 2 - log(like(2, case.delay)))


def any_constant(case: Case) -> Iterator[Line]:
    """Part (ii) is false for every constant: at step ``b√K`` the error costs less than any power of K, and the rest is lost.

    The mean gap is at least ``(1 - (b√K + 1)/K)(1 - e^{-√K})``: after that step the odds are below ``e^{√K/β - M} = e^{-√K/β}``
    with ``β < 1/√(2 log 2) < 1``.  For the theorem's own β the error costs at most ``4√K (4 + √2) e^{-b/(2β)}``.
    """
    root = _root(case)
    two = log(like(2, root))
    spent = _largest_cost(case) * exp(-case.delay * sqrt(2 * two) / 2)
    yield line(
        "(1 - (b√K + 1)/K)(1 - e^-√K), which 1/K Σ_k (J_* - J(π_k)) is no smaller than",
        (1 - (case.delay * root + 1) / square(root)) * (1 - exp(-root)),
    )
    yield at_most(
        "c √2 √(log 2 + S)/√K, S = 4√K (4 + √2) e^{-b√(2 log 2)/2}, which the bound is no larger than",
        case.constant * sqrt(like(2, root)) * sqrt(two + spent) / root,
        because="theorem-4.5/i divided by K/(β√K), with any constant c that O(·) may hide",
    )


RATE_CONSTANT = 10


def abstract_rate(case: Case) -> Iterator[Line]:
    """Bandit r = (1, 0) with discount ``γ = 1 - 1/q``, exact updates, the theorem's β: mean gap and the abstract's rate."""
    steps = case.sizes.steps
    horizon = case.horizon
    two = log(like(2, horizon))
    eta = sqrt(2 * two) / (horizon * sqrt(like(steps, horizon)))
    odds = exp(eta * like(list(range(steps)), horizon))
    gap = horizon * (1 / (odds + 1)).sum(-1) / steps
    yield line("1/K Σ_k (J_* - J(π_k)) = 1/(1-γ) · 1/K Σ_k 1/(1 + e^{ηk}), η = √(2 log 2) (1-γ)/√K", gap)
    yield at_most(
        f"{RATE_CONSTANT} · N √(log|A|/K)/(1-γ)",
        RATE_CONSTANT * horizon * sqrt(two) / sqrt(like(steps, horizon)),
        because="the rate of the abstract, which drops the bound B ≈ 1/(1-γ) of the critic",
    )


def discounted(case: Case) -> Any:
    """Whether γ < 1."""
    return compare(case.game.discount, "<", 1)


def _ergodic(case: Case) -> Any:
    """Both the comparator and the (fully supported) iterates have one stationary distribution."""
    return both(
        has_stationary_distribution(case.game, case.target),
        has_stationary_distribution(case.game, Policy.uniform(case.game)),
    )


def _covers(case: Case) -> Truth:
    """The comparator's states are visited by fully supported policies: true where these are recurrent everywhere."""
    return recurrent(case.game, Policy.uniform(case.game))


ERGODIC = (
    Hypothesis("π_* and π_k have one stationary distribution each", _ergodic),
    Hypothesis("every state is recurrent under full support, so concentrability is finite", _covers),
    Hypothesis("γ < 1", discounted),
)


RUN = Setting(
    "a run of any increments, with a critic's error, against any comparator",
    (
        GameData(start=False, termination=False),
        PolicyData("target"),
        PositiveScalar("beta"),
        Derived("eta", lambda case: 1 / case.beta),
        PrefixTables("noise", -1, 1, moves=True),
        Increments("increments"),
        Arbitrary(PolicyData("policy", full_support=True)),
    ),
    ERGODIC,
    agents=(1, 2),
    states=(1, 2),
    steps=(1, 3),
    action_range=(1, 2),
)


def bandit(case_like: Any) -> Game:
    """One state, two actions with rewards 1 and 0, γ = 0: the good action first."""
    system = case_like.system
    return Game(like([[[1], [1]]], system), like([[1, 0]], system), like(0, system), (2,), name="bandit")


def pair(case: Case) -> Array:
    """``(c, -c)`` at the one state, shape ``[1, 2]``."""
    scale: Array = case.scale
    return scale * like([[1, -1]], scale)


OWN_BETA = Setting(
    "the bandit r = (1, 0) with the theorem's own β: exact updates but for one error that makes β the fixed point",
    (
        PositiveScalar("beta", high=99),
        PositiveIntegers("when", lambda _: (), 1, 40),
        Derived("eta", lambda case: 1 / (case.beta * sqrt(like(case.sizes.steps, case.beta)))),
        Derived("error", lambda case: _own_error(case)),
        Derived("increments", lambda case: _own_increments(case)),
        Derived("game", lambda case: bandit(case)),
        Derived("target", lambda case: Policy.deterministic(case.game, np.zeros(1, int))),
    ),
    (
        Hypothesis(
            "the error falls within the run", lambda case: compare(case.when, "<", like(case.sizes.steps, case.when))
        ),
        Hypothesis(
            "1/(2β²) > log 2, so that there is an error",
            lambda case: compare(_own_budget(case), ">", 0),
        ),
        Hypothesis("β² (N log|A| + Σ(Δ + δ)) = N B²/2: β is the theorem's own", _is_own),
        Hypothesis("the error is at most 40", lambda case: compare(_own_error(case), "≤", 40)),
    ),
    agents=(1, 1),
    states=(1, 1),
    steps=(12, 20, 28, 36),
    action_range=(2, 2),
)
ANY_CONSTANT = Setting(
    "the bandit r = (1, 0), the theorem's own β, K = (40c)²: exact updates but for one error, M = 2√K/β at step b√K",
    (PositiveIntegers("constant", lambda _: (), 1, 999), PositiveIntegers("delay", lambda _: (), 1, 39)),
    (
        Hypothesis("the error falls within the run: b < √K", lambda case: compare(case.delay, "<", _root(case))),
        Hypothesis(
            "4√K (4 + √2) e^-b < 2 - log 2: some β between 1/2 and 1/√(2 log 2) is the theorem's own", _some_beta_is_own
        ),
    ),
    agents=(1, 1),
    states=(1, 1),
    action_range=(2, 2),
    explore=False,
)
UNDONE = Setting(
    "the bandit r = (c, -c) with η = √(2 log 2/K)/c, where errors of the fit undo every update",
    (
        Table("scale", lambda _: (), 1, 9),
        Derived("eta", lambda case: sqrt(2 * log(like(2, case.scale)) / case.sizes.steps) / case.scale),
        Derived("increments", lambda case: (0 * pair(case),)),
        Derived("game", lambda case: replace(bandit(case), reward=pair(case))),
        Derived("target", lambda case: Policy.deterministic(bandit(case), np.zeros(1, int))),
    ),
    agents=(1, 1),
    states=(1, 1),
    steps=(1, 4, 16, 64),
    action_range=(2, 2),
    explore=False,
)


HORIZON = Setting(
    "the bandit r = (1, 0) with discount 1 - 1/q",
    (Table("horizon", lambda _: (), 2, 200),),
    agents=(1, 1),
    states=(1, 1),
    steps=(100, 400, 1250),
    action_range=(2, 2),
    explore=False,
)


@dataclass(frozen=True)
class RareErrors(Increments):
    """The increments of a two-armed bandit: exact updates that multiply the odds by ``b``, and a few errors.

    ``b = 1 + p/q``; the error of step ``k`` adds ``e_k log 2`` to the logit of the bad action, with ``e_k`` nearly always 0.
    """

    name: str = "increments"
    high: int = 40

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return (
            Coordinate(f"{self.name}.base", (2,), "positive", 1, 4),
            Coordinate(f"{self.name}.errors", (sizes.steps,), "rare", -self.high, self.high),
        )

    def in_words(self, numbers: Numbers, sizes: Sizes) -> str:
        up, down = (int(part) for part in numbers[f"{self.name}.base"])
        errors = [(step, -int(error)) for step, error in enumerate(numbers[f"{self.name}.errors"]) if error]
        usual = f"each step multiplies the odds good : bad by {1 + Fraction(up, down)}"
        return usual + "".join(f"; step k = {step} by 2^{power} besides" for step, power in errors)

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> tuple[Array, ...]:
        base, errors = numbers[f"{self.name}.base"], numbers[f"{self.name}.errors"]
        ratio = base[..., 0] / base[..., 1]
        gain, two = log(1 + ratio), log(like(2, ratio))
        return tuple(np.stack([gain, two * errors[..., k]], axis=-1)[..., None, :] for k in range(sizes.steps))


BANDIT = Setting(
    "the bandit r = (1, 0): exact updates but for a few errors on the bad action's logit",
    (
        RareErrors("increments"),
        Derived("game", lambda case: bandit(case)),
        Derived("target", lambda case: Policy.deterministic(case.game, np.zeros(1, int))),
        Derived("eta", lambda case: case.increments[0][..., 0, 0]),
    ),
    agents=(1, 1),
    states=(1, 1),
    steps=(4, 12, 20, 24, 28),
    action_range=(2, 2),
)


# e^{2 arsinh(3 + √2)}: the odds factor up to which Theorem 4.5 is proved as printed; rounded down, so that it stays true.
_ODDS = math.floor(10 * math.exp(float(safe_odds_change(System.FLOATS)))) / 10
BOUNDED_STEPS = f"no step multiplies the odds of two actions by more than {_ODDS}"
SCOPE = (
    "False for update errors of size ε_k, which is all that the theorem uses; not shown for sample paths of Algorithm 3.  The "
    f"parameters grow like √K, as in any run without errors.  The theorem is true as printed where {BOUNDED_STEPS}."
)

CLAIMS = (
    Claim(
        "theorem-4.5/i",
        "Global convergence, summed form, on bandit runs with rare errors",
        "Section 4.2, Theorem 4.5",
        BANDIT,
        printed_theorem,
        statement="Σ_k (1-γ)(J_* - J_k)/β_k ≤ Σ_m log|A_m| + Σ_{k,m}(Δ_k^m + δ_k^m) + (N/2) Σ_k B²/β_k²",
        transcendental=True,
        record=Standing.REFUTED,
        note=SCOPE,
        repaired_by="theorem-4.5/repaired",
    ),
    Claim(
        "theorem-4.5/ii",
        "Global convergence with the theorem's own β",
        "Section 4.2, Theorem 4.5",
        OWN_BETA,
        own_step_size,
        statement="J_* - mean_k J_k ≤ B √(2N) √(N log|A| + Σ(Δ + δ)) / ((1-γ)√K), β² = (N B²/2)/(N log|A| + Σ(Δ + δ))",
        transcendental=True,
        record=Standing.REFUTED,
        note=SCOPE,
        repaired_by="theorem-4.5/repaired",
    ),
    Claim(
        "theorem-4.5/ii-any-constant",
        "Global convergence with the theorem's own β, for every constant",
        "Section 4.2, Theorem 4.5, whatever constant its O(·) hides",
        ANY_CONSTANT,
        any_constant,
        statement="J_* - mean_k J_k ≤ c B √(2N) √(N log|A| + Σ(Δ + δ)) / ((1-γ)√K), β² = (N B²/2)/(N log|A| + Σ(Δ + δ))",
        transcendental=True,
        record=Standing.REFUTED,
        note="For every constant c there is such a run, so that the O(·) of the theorem hides none that would save it.  "
        + SCOPE,
        repaired_by="theorem-4.5/repaired",
    ),
    Claim(
        "abstract-rate",
        f"The abstract's rate, with constant {RATE_CONSTANT}",
        "Abstract and Section 4.2",
        HORIZON,
        abstract_rate,
        statement=f"J_* - mean_k J_k ≤ {RATE_CONSTANT} N √(log|A|/K)/(1-γ)",
        transcendental=True,
        record=Standing.REFUTED,
        note="With this constant; the ratio grows like 1/(1-γ) at K = 1/(8(1-γ)²), so larger constants fall at larger horizons.  "
        "It reads O(·) as free of B, the bound on |Q̂|, which Theorem 4.5 has as a factor.",
        kind=Kind.HYPOTHESIS,
    ),
)
