"""Appendix C.1 and C.2: the Bellman error as a quadratic form, what the features must hold, and what a small error means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...arithmetic import (
    Array,
    Truth,
    compare,
    contract,
    identity,
    like,
    maximum,
    minimum,
    ones,
    smallest,
    square,
    zeros,
)
from ...axioms import squares
from ...claims.case import Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, at_least, at_most, equal, line
from ...claims.coordinates import Sizes
from ...claims.ingredients import Derived, Distribution, GameData, PolicyData, PositiveScalar, PrefixTables, Table
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...games.offline import theorem_5_5_one_agent
from ...model import Policy
from ...model.agents import prefix_sizes
from ...quantities.agent_values import agent_values
from ...quantities.bellman import bellman_operator, expected_reward
from ...quantities.bellman_error import (
    Moments,
    moments_of,
    pessimistic_step,
    population_moments,
    start_features,
)
from ...quantities.chain import values_exist
from ...quantities.divergence import squared_norm
from .limits import limit_setting

DIMENSION = 2


def _moments(case: Case) -> Moments:
    return moments_of(case.points, case.following, case.rewards, case.data)


def _squared_difference(case: Case, rival: Array, weights: Array) -> Array:
    """``L(w', w)``, row by row."""
    target = case.rewards + contract("...nd,...d->...n", case.following, weights)
    return (case.data * square(contract("...nd,...d->...n", case.points, rival) - target)).sum(-1)


def quadratic_form(case: Case) -> Iterator[Line]:
    """With an inner minimum over all of ``R^d`` the Bellman error is a quadratic form, and its pessimistic minimum is closed."""
    moments, weights, direction, penalty = _moments(case), case.weights, case.direction, case.penalty
    target = moments.projected(weights)
    yield line(
        "L(w, w) - min_{w'} L(w', w)",
        _squared_difference(case, weights, weights) - _squared_difference(case, target, weights),
    )
    yield equal(
        "‖w - w°‖²_Σ, w° the least-squares fit of r + γ f(s', π)",
        moments.error_against(weights, target),
        because="the error of least squares at w° is orthogonal to the features, so Pythagoras",
    )
    yield equal("(Aw - b)ᵀ Σ⁺ (Aw - b)", moments.error(weights), because="Σ(w - w°) = Aw - b")
    form, step = moments.pessimism(direction, penalty), pessimistic_step(moments, direction, penalty)
    best, descent = step.weights, step.descent
    yield line(
        "Mw⁺ - p, where cᵀw + λE(w) = wᵀMw - 2pᵀw + k", contract("...ij,...j->...i", form.matrix, best) - form.slope
    )
    yield equal(
        "-v, v the part of p outside the range of M",
        -descent,
        because="w⁺ = M⁺p with M = λAᵀΣ⁺A and p = λAᵀΣ⁺b - c/2; v = 0 where the objective is bounded below",
    )
    yield line("objective(w⁺ + v) - objective(w⁺)", _rise(moments, best + descent, best, direction, penalty))
    yield equal("-2‖v‖²", -2 * square(descent).sum(-1), because="Mv = 0: the error is blind to v, c is not")
    moved = weights - best
    lost = (descent * moved).sum(-1)
    yield line("objective(w) - objective(w⁺)", _rise(moments, weights, best, direction, penalty))
    yield equal(
        "(w - w⁺)ᵀM(w - w⁺) - 2⟨v, w - w⁺⟩",
        contract("...i,...ij,...j->...", moved, form.matrix, moved) - 2 * lost,
        because="a quadratic around its stationary point",
    )
    fit = (weights - target) - (
        best - moments.projected(best)
    )  # Σ⁺A(w - w⁺), whose squared norm under Σ is the form over λ
    norm = (case.data * squares(contract("...nd,...d->...n", case.points, fit))).sum()
    yield at_least(
        "-2⟨v, w - w⁺⟩, which is 0 where the objective is bounded below",
        lambda: -2 * lost,
        because="M is positive semidefinite: it is λ times a sum of squares",
        axiom=penalty * norm,
    )


def _rise(moments: Moments, weights: Array, base: Array, direction: Array, penalty: Any) -> Array:
    return moments.objective(weights, direction, penalty) - moments.objective(base, direction, penalty)


def _one_feature(case: Case) -> Moments:
    """One agent with one action, rewards 0: moments of a single feature under the population."""
    return population_moments(case.game, case.policy, case.feature, case.data, 1)


def _interval_error(case: Case, weights: Array) -> Array:
    """The Bellman error of ``w`` against the interval ``[0, max w]`` of the class: the best rival is a clipped ``w°``."""
    moments = _one_feature(case)
    target = moments.projected(weights)
    zero = zeros(target.shape, target)
    rival = minimum(maximum(target, zero), np.broadcast_to(case.longest, target.shape))
    return moments.error_against(weights, rival)


def convex_under_constraints(case: Case) -> Iterator[Line]:
    """With the class's own constraints in the inner minimum too: midpoint convexity, which a quadratic form ``≥ 0`` has."""
    first, second = case.share[..., :1] * case.longest, case.share[..., 1:] * case.longest
    yield line("E(½(w₁ + w₂))", _interval_error(case, (first + second) / 2))
    yield at_most(
        "½(E(w₁) + E(w₂))",
        (_interval_error(case, first) + _interval_error(case, second)) / 2,
        because="as printed E is a quadratic form in w, and it is never negative, so it is convex",
    )


def closed_form_stays_in_class(case: Case) -> Iterator[Line]:
    """Whether the unconstrained minimiser, which the appendix recommends, is a critic of Definition 5.1."""
    values = tabular_critic(case)
    yield line(
        "max_x φ(x)ᵀw⁺ and max_x -φ(x)ᵀw⁺ + 1/(1-γ)", np.stack([values, case.game.horizon[..., None] - values], -1)
    )
    yield at_most(
        "1/(1-γ)",
        case.game.horizon + zeros((1, 1), values),
        because="as printed the closed form solves the evaluation over F^m",
    )


def one_hot(case: Case) -> Array:
    """One feature per state and joint action."""
    size = case.game.states * prefix_sizes(case.game.action_sizes)[-1]
    return identity(size, case.system)


def tabular_moments(case: Case) -> Moments:
    """The moments of the data for one feature per state and joint action."""
    return population_moments(case.game, case.policy, one_hot(case), case.data, case.game.agents)


def tabular_critic(case: Case) -> Array:
    """The unconstrained pessimistic critic, a table with all points on one axis ``[..., S·A]``."""
    direction = start_features(case.game, case.policy, one_hot(case), case.game.agents, case.game.start)
    return pessimistic_step(tabular_moments(case), direction, case.penalty).weights


def _distance(features: Array, targets: Array, weights: Array) -> Array:
    """``min_w E_μ(φᵀw - f)²``"""
    moments = moments_of(features, zeros(features.shape, features), targets, weights)
    best = moments.projected(zeros(features.shape[-1], features))
    misfit = contract("...xd,...d->...x", features, best) - targets
    return squared_norm(misfit, weights)


def realizability(case: Case) -> Iterator[Line]:
    """Remark 5.2, read as a consequence of Definition 5.1."""
    for m in range(1, case.game.agents + 1):
        table = agent_values(case.game, case.policy)[m]
        flat = table.reshape(*table.shape[:-2], -1)
        even = ones(flat.shape[-1], flat) / flat.shape[-1]
        yield line(f"min_w mean (φᵀw - Q^{{1:{m}}}_π)²", _distance(case.features[m - 1][..., None], flat, even))
        yield equal("0", like(0, flat), because="as printed: under the definition, some w gives Q^{1:m}_π = φᵀw")


def completeness(case: Case) -> Iterator[Line]:
    """Appendix C.2: with one feature, proportional to ``Q`` (the only policy's), is ``T0`` linear too?"""
    table = agent_values(case.game, case.policy)[1]
    feature = table.reshape(*table.shape[:-2], -1)
    reward = expected_reward(case.game, case.policy, 1)
    yield line(
        "min_w E_μ(φᵀw - T f)² at f = 0",
        _distance(feature[..., None], reward.reshape(feature.shape), case.data),
    )
    yield equal("0", like(0, feature), because="as printed: linear features imply completeness")


FACTOR = 1_000


def small_error_means_consistent(case: Case) -> Iterator[Line]:
    """Lemma C.2 in the population (``n = ∞``), with realizability alone; the constant stands for ``O(1)``."""
    game, policy, data = case.game, case.policy, case.data
    for m, table in enumerate(case.critics, start=1):
        features = case.problem.features.matrix(m - 1)
        moments = population_moments(game, policy, features, data[m - 1], m)
        residual = table - bellman_operator(game, policy, table, m)
        yield line(
            f"‖f - T^{{1:{m}}}_π f‖²_{{2,μ}} for the critic f of Algorithm 2", squared_norm(residual, data[m - 1], 2)
        )
        yield at_most(f"{FACTOR} E(f, π)", FACTOR * moments.error(case.weights[m - 1]), because="as printed, for n → ∞")


def _rows(sizes: Sizes) -> tuple[int, int]:
    return sizes.states, DIMENSION


def joint_shape(sizes: Sizes) -> tuple[int, int]:
    """``(S, |A_1|···|A_N|)``"""
    return sizes.states, prefix_sizes(sizes.actions)[-1]


def _discounted(case: Case) -> Truth:
    return compare(case.game.discount, "<", like(1, case.game.discount))


def _over_joint(case: Case) -> Array:
    table = case.mu
    return table.reshape(*table.shape[:-1], *joint_shape(case.sizes))


DISCOUNTED = Hypothesis("γ < 1", _discounted)


ROWS = Setting(
    "n weighted rows of data, two features, a critic, a direction and a penalty (n in the place of the states)",
    (
        Table("points", _rows),
        Table("following", _rows),
        Table("rewards", lambda sizes: (sizes.states,)),
        Distribution("data"),
        Table("weights", lambda _: (DIMENSION,)),
        Table("direction", lambda _: (DIMENSION,)),
        PositiveScalar("penalty"),
    ),
    agents=(1, 1),
    states=(1, 4),
    action_range=(1, 1),
)


ONE_FEATURE = Setting(
    "a chain without rewards, one positive feature, data, and two critics of the class as shares of the longest",
    (
        GameData(termination=False, start=False, reward=(0, 0)),
        Table("heights", lambda sizes: (sizes.states,), 1, 10, 10),
        Distribution("seen"),
        Table("share", lambda _: (2,), 0, 10, 10),
        Derived("policy", lambda case: Policy.uniform(case.game)),
        Derived("feature", lambda case: case.heights[..., None]),
        Derived("data", lambda case: case.seen[..., None]),
        Derived("longest", lambda case: _longest(case)),
    ),
    (DISCOUNTED,),
    agents=(1, 1),
    states=(1, 3),
    action_range=(1, 1),
    max_agents=1,
    max_actions=1,
)


def _longest(case: Case) -> Array:
    """The largest weight of the class, ``[..., 1]``: ``φw ≤ 1/(1-γ)`` everywhere; the ball is larger."""
    return smallest(case.game.horizon[..., None] / case.heights, -1)[..., None]


TABULAR = Setting(
    "a game with rewards in [0, 1], a policy, data everywhere, and a penalty",
    (
        GameData(termination=False, reward=(0, 9), scale=9),
        PolicyData("policy"),
        Distribution("mu", lambda sizes: (sizes.states * prefix_sizes(sizes.actions)[-1],), True),
        PositiveScalar("penalty"),
        Derived("data", _over_joint),
    ),
    (DISCOUNTED,),
    agents=(1, 2),
    states=(1, 2),
    action_range=(1, 2),
    max_table=60,
)


FEATURE_PER_AGENT = Setting(
    "a game, a policy, and one feature for every agent",
    (
        GameData(start=False),
        PolicyData("policy"),
        PrefixTables("tables", low=1),
        Derived("features", lambda case: _flat(case)),
    ),
    (Hypothesis("I - γP_π is invertible", lambda case: values_exist(case.game, case.policy)),),
    agents=(1, 2),
    states=(1, 2),
    max_table=200,
)


def _flat(case: Case) -> tuple[Array, ...]:
    return tuple(table.reshape(*table.shape[:-2], -1) for table in case.tables)


CHAIN = Setting(
    "a chain with rewards in [0, 1] and data, its value function the only feature",
    (
        GameData(termination=False, start=False, reward=(0, 10), scale=10),
        Distribution("seen", full_support=True),
        Derived("policy", lambda case: Policy.uniform(case.game)),
        Derived("data", lambda case: case.seen),
    ),
    (DISCOUNTED,),
    agents=(1, 1),
    states=(1, 3),
    action_range=(1, 1),
    max_agents=1,
    max_actions=1,
)


ONE_AGENT = limit_setting(
    "the critics that Algorithm 2 comes to on the counterexample with one agent, and how its data is shared out",
    theorem_5_5_one_agent,
)

CLAIMS = (
    Claim(
        "section-c.1/unconstrained",
        "The Bellman error is a quadratic form, with a closed pessimistic minimum",
        "Appendix C.1, with an inner minimum over all weights",
        ROWS,
        quadratic_form,
        statement="L(w, w) - min_{w'} L(w', w) = (Aw - b)ᵀΣ⁺(Aw - b), and w⁺ = (AᵀΣ⁺A)⁺(AᵀΣ⁺b - c/2λ) minimises cᵀw + λE(w)",
        record=Standing.PROVED,
        note="With the inner minimum over all weights only; over the class see section-c.1/constrained.",
        points=(Sizes(2, (1,)), Sizes(3, (1,))),
    ),
    Claim(
        "section-c.1/constrained",
        "The Bellman error is a quadratic form under the constraints of the class",
        "Appendix C.1, with the inner minimum over F^m of Definition 5.1",
        ONE_FEATURE,
        convex_under_constraints,
        statement="w ↦ L(w, w) - min_{w' ∈ F} L(w', w) is a quadratic form, hence convex, on F = {w : 0 ≤ φᵀw ≤ 1/(1-γ)}",
        record=Standing.REFUTED,
        note="Midpoint convexity is on trial.  It depends on the reading: with the inner minimum over the class, as equation (5) "
        "prints it, it fails; over all weights, as Appendix C.1 writes, it holds: section-c.1/unconstrained.",
        repaired_by="section-c.1/unconstrained",
        kind=Kind.READING,
    ),
    Claim(
        "section-c.1/closed-form-in-class",
        "The closed form is a critic of the class",
        "Appendix C.1, used by Lemma C.6",
        TABULAR,
        closed_form_stays_in_class,
        statement="0 ≤ φᵀw⁺ ≤ 1/(1-γ) for the unconstrained minimiser w⁺ of f(s_0, π) + λE(f, π)",
        record=Standing.REFUTED,
        note="Lemma C.6 needs the range, so the range must be enforced.",
        kind=Kind.READING,
    ),
    Claim(
        "remark-5.2",
        "Every Q^{1:m} is linear in the features",
        "Remark 5.2, read as a consequence of Definition 5.1",
        FEATURE_PER_AGENT,
        realizability,
        statement="min_w E(φᵀw - Q^{1:m}_π)² = 0 for every π, whatever the features",
        record=Standing.REFUTED,
        note="It does not follow from the definition; it is a hypothesis on the features, and everything after it needs it.",
        kind=Kind.HYPOTHESIS,
    ),
    Claim(
        "section-c.2/completeness",
        "Realizable linear features are complete",
        "Appendix C.2",
        CHAIN,
        completeness,
        statement="if φᵀw = Q_π for every π, then T_π f is linear in φ with f",
        record=Standing.REFUTED,
        note="There is one action, hence one policy, so the single feature Q realizes every Q_π.",
    ),
    Claim(
        "lemma-c.2/realizable",
        "A small Bellman error means Bellman consistency, given realizability",
        "Lemma C.2, as n → ∞",
        ONE_AGENT,
        small_error_means_consistent,
        statement=f"‖f - T^{{1:m}}_π f‖²_{{2,μ}} ≤ {FACTOR} E(f, π) for critics of a realizable class",
        record=Standing.REFUTED,
        note="The error is exactly 0 and the norm is not, so no constant helps.  With completeness see lemma-c.2/complete.",
    ),
)
