"""Section 4: the multi-agent performance difference lemma, and the closed form of the mirror step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...arithmetic import (
    Array,
    Truth,
    by_floats,
    choose,
    contract,
    either,
    every,
    exp,
    log,
    negation,
    support,
    truth_of,
)
from ...axioms import gibbs, squares
from ...claims.case import Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, at_least, at_most, equal, line
from ...claims.coordinates import Sizes
from ...claims.ingredients import START, Derived, Distribution, GameData, LogOdds, PolicyData, PositiveScalar
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...model.agents import split_last
from ...quantities.agent_values import advantages_of, agent_values
from ...quantities.chain import has_stationary_distribution, values_exist
from ...quantities.concentrability import density_ratio, dominates, squared_concentrability
from ...quantities.distributions import state_action_distribution, stationary_distribution, visits
from ...quantities.divergence import kl_divergence, l1_distance, squared_norm
from ...quantities.mirror_descent import averaged_objective, mirror_gradient, mirror_objective, mirror_step
from ...quantities.performance_difference import expected_along, gains_along, return_difference
from ...quantities.sequential_factor import sequential_gains
from ...quantities.values import returns
from .common import both_exist, own_actions, total
from .section_3 import ONE_BY_TWO, TWO_BY_TWO
from .section_3_mirror_descent import SIMPLEX


def performance_difference(case: Case) -> Iterator[Line]:
    """``J(π') - J(π) = Σ_m Σ_s d(s) E_{p~π'} ⟨Q^{1:m}(s, p, ·), π'^m - π^m⟩``, with ``d`` the visits of ``π'`` from ``ρ``."""
    yield from _difference(case, visits(case.game, case.target, case.start))


def performance_difference_stationary(case: Case) -> Iterator[Line]:
    """The same from ``ρ = ν'``, where the visits are ``ν'/(1-γ)``: the paper's form."""
    d = visits(case.game, case.target, case.start)
    yield line("Σ_s' ν'(s') P_π'(s', s)", _one_step(case))
    yield equal("ν'(s)", case.start, because="ν' is stationary for π'")
    yield line("visits of π' from ν'", d)
    stationary = case.start / (1 - case.game.discount)
    yield equal("ν'/(1-γ)", stationary, because="ν' P_π' = ν', so each step adds γ times the step before")
    yield from _difference(case, stationary)


def _one_step(case: Case) -> Array:
    return contract("...s,...sa,...sat->...t", case.start, case.target.joint(), case.game.transition)


def _difference(case: Case, d: Array) -> Iterator[Line]:
    """The five lines, for given weights ``d`` on states."""
    game, target, policy = case.game, case.target, case.policy
    agents = range(1, game.agents + 1)
    values = agent_values(game, policy)
    advantages = advantages_of(values, policy)
    joint = values[-1] - values[0]
    yield line("J(π') - J(π)", returns(game, target, case.start) - returns(game, policy, case.start))
    yield equal(
        "Σ_s d(s) E_{a~π'} A^{1:N}(s, a)",
        expected_along(d, target, game.agents, joint),
        because="the Bellman equation of V_π, telescoped along the path of π'",
    )
    yield equal(
        "Σ_m Σ_s d(s) E_{a^{1:m}~π'} A^m(s, a^{1:m-1}, a^m)",
        total([expected_along(d, target, m, advantages[m - 1]) for m in agents]),
        because="lemma-b.3: A^{1:N} is the sum of the A^m",
    )
    yield equal(
        "Σ_m Σ_s d(s) E_{p~π'} ⟨A^m(s, p, ·), π'^m - π^m⟩",
        gains_along(d, target, policy, advantages).sum(-1),
        because="lemma-b.3/zero-mean: A^m has mean 0 under π^m",
    )
    yield equal(
        "Σ_m Σ_s d(s) E_{p~π'} ⟨Q^{1:m}(s, p, ·), π'^m - π^m⟩",
        return_difference(game, target, policy, case.start).sum(-1),
        because="A^m = Q^{1:m} - Q^{1:m-1}, and Q^{1:m-1} is constant in a^m while π'^m - π^m sums to 0",
    )


def sequential_updates(case: Case) -> Iterator[Line]:
    """``E_{a~π}[(π'^m/π^m - 1) M^m A_π(s, a)] = E_{p~π'^{1:m-1}, a^m~π'^m} A^m(s, p, a^m)`` for every agent and state."""
    game, target, policy = case.game, case.target, case.policy
    values = agent_values(game, policy)
    advantages = advantages_of(values, policy)
    before = target.prefix_probabilities()

    def statewise(tables: Sequence[Array], changed: bool) -> Array:
        """``E_{p~π'^{1:m-1}} ⟨f^m(s, p, ·), π'^m - π^m⟩``, or with ``π'^m`` alone, ``[N, S]``."""
        found = []
        for m, table in enumerate(tables, start=1):
            own = split_last(table, game.action_sizes[m - 1])
            play = target.factors[m - 1] - policy.factors[m - 1] if changed else target.factors[m - 1]
            found.append(contract("...sp,...spa,...spa->...s", before[m - 1], play, own))
        return np.stack(found)

    yield line(
        "E_{a~π}[(π'^m/π^m - 1) M^m A_π(s, a)], M^m = π'^{1:m-1}/π^{1:m-1}",
        np.stack(sequential_gains(game, target, policy)),
    )
    yield equal(
        "E_{p~π'^{1:m-1}} ⟨Q^{1:m}(s, p, ·) - V(s), π'^m - π^m⟩",
        statewise([table - values[0] for table in values[1:]], changed=True),
        because="M^m π^{1:m-1} = π'^{1:m-1} where π plays everything, and π^{m+1:N} averages the later agents out",
    )
    yield equal(
        "E_{p~π'^{1:m-1}} ⟨A^m(s, p, ·), π'^m - π^m⟩",
        statewise(advantages, changed=True),
        because="Q^{1:m} - V = A^m + (Q^{1:m-1} - V), whose last part is constant in a^m while π'^m - π^m sums to 0",
    )
    yield equal(
        "E_{p~π'^{1:m-1}, a^m~π'^m} A^m(s, p, a^m)",
        statewise(advantages, changed=False),
        because="lemma-b.3/zero-mean: A^m has mean 0 under π^m",
    )


# --- proposition 4.2 ------------------------------------------------------------------------------------------------


def closed_form(case: Case) -> Iterator[Line]:
    """``F(π⁺) - F(q) = β KL(q‖π⁺) ≥ 0``, and the conditions of Karush, Kuhn and Tucker at ``π⁺``."""
    values, policy, beta, candidate = case.values, case.policy, case.beta, case.candidate
    step = mirror_step(policy, values, beta)
    best = mirror_objective(step, policy, values, beta)
    yield line("F(π⁺) - F(q)", best - mirror_objective(candidate, policy, values, beta))
    yield equal(
        "β KL(q‖π⁺)",
        beta * kl_divergence(candidate, step),
        because="log π⁺ = log π_k + Q̂/β - log Z, and q sums to 1",
    )
    yield at_least(
        "0", 0, because="Gibbs' inequality, with equality only at q = π⁺", axiom=beta * gibbs(candidate, step)
    )
    partition = _log_partition(policy, values, beta)
    yield line("F(π⁺)", best)
    yield equal("β log Σ_a π_k(a) exp(Q̂(a)/β)", beta * partition, because="F(π⁺) = β E_{π⁺}[log(π_k exp(Q̂/β)/π⁺)]")
    yield line("∂F/∂q(a) at π⁺", mirror_gradient(step, policy, values, beta))
    yield equal(
        "β log Z - β, the multiplier of Σ_a q(a) = 1, for every a",
        (beta * partition - beta)[..., None],
        because="log(π⁺(a)/π_k(a)) = Q̂(a)/β - log Z",
    )
    yield line("Σ_a π⁺(a)", step.sum(-1))
    yield equal("1", 1, because="π⁺ is normalised; it is positive on the support of π_k")


def _log_partition(policy: Array, values: Array, beta: Array) -> Array:
    """``log Z = log Σ_a π_k(a) exp(Q̂(a)/β)``."""
    return log((policy * exp(values / beta)).sum(-1))


def closed_form_on_support(case: Case) -> Iterator[Line]:
    """Where ``π_k`` vanishes the step stays 0, and the identity holds for every ``q`` on the support."""
    step = mirror_step(case.policy, case.values, case.beta)
    yield line("π⁺(a) where π_k(a) = 0", step, where=~support(case.policy))
    yield equal("0", 0, because="π⁺ ∝ π_k exp(Q̂/β)")
    gap = mirror_objective(step, case.policy, case.values, case.beta) - mirror_objective(
        case.candidate, case.policy, case.values, case.beta
    )
    yield line("F(π⁺) - F(q), q on the support of π_k", gap)
    yield equal("β KL(q‖π⁺)", case.beta * kl_divergence(case.candidate, step), because="as on the full simplex")
    yield at_least("0", 0, because="Gibbs' inequality", axiom=case.beta * gibbs(case.candidate, step))


def averaged(case: Case) -> Iterator[Line]:
    """The paper's objective is an average over ``σ_k``; the pointwise step maximises it, uniquely only where ``σ_k > 0``."""
    step = mirror_step(case.policy, case.values, case.beta)

    def objective(q: Array) -> Array:
        return averaged_objective(
            q[..., None, :], case.policy[..., None, :], case.values[..., None, :], case.beta, case.data[..., None]
        )

    yield line("F̄(π⁺) - F̄(q), averaged over σ_k", objective(step) - objective(case.candidate))
    yield equal(
        "β E_{σ_k} KL(q‖π⁺)",
        case.beta * (case.data * kl_divergence(case.candidate, step)).sum(-1),
        because="proposition-4.2 at every (s, p)",
    )
    everywhere = (case.data * gibbs(case.candidate, step)).sum()
    yield at_least("0", 0, because="Gibbs' inequality at every (s, p)", axiom=case.beta * everywhere)


def averaged_unique(case: Case) -> Iterator[Line]:
    """The reading that the averaged objective determines the step everywhere: try a ``q`` that differs where ``σ_k = 0``."""
    step = mirror_step(case.policy, case.values, case.beta)
    rival = choose(support(case.data)[..., None], step, case.candidate)
    better = mirror_objective(step, case.policy, case.values, case.beta) - mirror_objective(
        rival, case.policy, case.values, case.beta
    )
    gap = (case.data * better).sum(-1)
    yield line("F̄(π⁺) - F̄(q), where q = π⁺ on the support of σ_k", gap)
    yield equal("0", 0, because="the objective does not see where σ_k vanishes")
    yield line("‖q - π⁺‖₁", l1_distance(rival, step))
    yield equal("0", 0, because="the claim that the maximiser of the averaged objective is unique")


def solver_agrees(case: Case) -> Iterator[Line]:
    """A general-purpose conic solver looks for a better point; none of its answers is trusted, all are evaluated exactly."""
    from ...quantities.reference_solvers import mirror_step_by_solver

    values, policy, beta = case.values, case.policy, case.beta
    found = by_floats(lambda *given: np.maximum(mirror_step_by_solver(*given), 2.0**-40), policy, values, beta)
    found = found / found.sum(-1, keepdims=True)
    step = mirror_step(policy, values, beta)
    best, theirs = (mirror_objective(q, policy, values, beta) for q in (step, found))
    yield line("F(q) at the solver's solution, divided by its sum", theirs)
    yield at_most("F(π⁺)", best, because="proposition-4.2: π⁺ is the maximiser")
    yield line("F(π⁺) - F(q) at the solver's solution", best - theirs)
    yield at_most(
        "β/10⁶",
        beta / 10**6,
        because="the solver's own optimality tolerance; a wrong closed form would miss by far more",
    )


def concentrability_grows(case: Case) -> Iterator[Line]:
    """``1 ≤ (φ^{m-1})² = ⟨w_m, w_{m-1}⟩_{σ_k} ≤ (φ^m)²``."""
    policy, target = case.policy, case.target
    nu, nu_target = (stationary_distribution(case.game, which) for which in (policy, target))
    for m in range(1, case.game.agents + 1):
        below, above = (density_ratio(nu, policy, nu_target, target, k) for k in (m - 1, m))
        lifted_below = np.repeat(below, policy.action_sizes[m - 1], axis=-1)
        weights, before = (state_action_distribution(nu, policy, k) for k in (m, m - 1))
        squared = [squared_concentrability(nu, policy, nu_target, target, k) for k in (m - 1, m)]
        yield line(f"E_σ[w_{m}]", (weights * above).sum((-2, -1)))
        yield equal("1", 1, because="a density ratio has mean 1")
        yield at_most(
            f"(φ^{m - 1})² = ‖w_{m - 1}‖²_{{2,σ_k}}",
            squared[0],
            because=f"w_{m - 1} has mean 1, so its square exceeds 1 by the mean of (w_{m - 1} - 1)²",
            axiom=(squares(below - 1) * before).sum((-2, -1)),
        )
        yield line(f"(φ^{m - 1})²", squared[0])
        yield equal(
            f"⟨w_{m}, w_{m - 1}⟩_{{σ_k}}",
            (weights * above * lifted_below).sum((-2, -1)),
            because=f"w_{m - 1} is the conditional mean of w_{m} under π_k^{m}",
        )
        yield at_most(
            f"(φ^{m})² = Σ σ_k w_{m}²",
            squared[1],
            because=f"‖w_{m} - w_{m - 1}‖² ≥ 0",
            axiom=(squares(above - lifted_below) * weights).sum((-2, -1)),
        )
        yield equal(f"‖w_{m}‖²_{{2,σ_k}}", squared_norm(above, weights, 2), because="the definition")


def _covered(case: Case) -> Truth:
    """Asked of the instances only whose policies have a stationary distribution each, by the hypothesis before."""
    nu, nu_target = (stationary_distribution(case.game, which) for which in (case.policy, case.target))
    return dominates(nu, case.policy, nu_target, case.target, case.sizes.agents)


def _states_by_actions(sizes: Sizes) -> tuple[int, int]:
    return sizes.states, sizes.actions[0]


def _some_state_unvisited(case: Case) -> Truth:
    return negation(every(truth_of(support(case.data))))


def _supported(case: Case) -> Truth:
    played, playable = truth_of(support(case.candidate)), truth_of(support(case.policy))
    return every(either(negation(played), playable))


COVERED = Setting(
    "a game without termination, a comparator, and a policy that covers it",
    (
        GameData(start=False, termination=False),
        PolicyData("target"),
        PolicyData("policy", full_support=True),
    ),
    (
        Hypothesis("both have one stationary distribution", lambda case: both_exist(has_stationary_distribution, case)),
        Hypothesis("ν_k π_k dominates ν_* π_*", lambda case: _covered(case)),
    ),
)
COMPARISON = Setting(
    "a game, a new policy, an old policy, a start",
    (GameData(start=False), PolicyData("target"), PolicyData("policy"), START),
    (Hypothesis("I - γP_π is invertible for π and π'", lambda case: both_exist(values_exist, case)),),
    agents=(1, 4),
)
STATIONARY = Setting(
    "a game without termination, a new policy, an old policy, and the new one's stationary start",
    (
        GameData(start=False, termination=False),
        PolicyData("target"),
        PolicyData("policy"),
        Derived("start", lambda case: stationary_distribution(case.game, case.target)),
    ),
    (
        Hypothesis("I - γP_π is invertible for π and π'", lambda case: both_exist(values_exist, case)),
        Hypothesis(
            "π' has one stationary distribution", lambda case: has_stationary_distribution(case.game, case.target)
        ),
    ),
)
ON_SUPPORT = Setting(
    "a mirror step from a policy with zeros, and a candidate on its support",
    (
        PositiveScalar("beta"),
        Distribution("policy", own_actions),
        LogOdds("values", own_actions, times="beta"),
        Distribution("candidate", own_actions),
    ),
    (Hypothesis("the candidate lives on the support of π_k", _supported),),
    agents=(1, 1),
    states=(1, 1),
    action_range=(1, 4),
)
AVERAGED = Setting(
    "a mirror step at several states",
    (
        PositiveScalar("beta"),
        Distribution("policy", _states_by_actions, full_support=True),
        LogOdds("values", _states_by_actions, times="beta"),
        Distribution("candidate", _states_by_actions, full_support=True),
        Distribution("data"),
    ),
    agents=(1, 1),
    states=(1, 3),
    action_range=(1, 3),
)
PARTLY_VISITED = Setting(
    "a mirror step at several states, one of which σ_k never visits",
    AVERAGED.ingredients,
    (Hypothesis("σ_k vanishes at some state", _some_state_unvisited),),
    agents=(1, 1),
    states=(2, 3),
    action_range=(1, 3),
)

SEQUENTIAL = Setting(
    "a game, a new policy, and an old one that plays everything",
    (GameData(start=False), PolicyData("target"), PolicyData("policy", full_support=True)),
    (Hypothesis("I - γP_π is invertible", lambda case: values_exist(case.game, case.policy)),),
    agents=(1, 4),
)

CLAIMS = (
    Claim(
        "lemma-4.1",
        "Multi-agent performance difference lemma, from any start, with termination",
        "Section 4, Lemma 4.1",
        COMPARISON,
        performance_difference,
        statement="J(π') - J(π) = Σ_m Σ_s d(s) E_{p~π'} ⟨Q^{1:m}_π(s, p, ·), π'^m - π^m⟩, d the visits of π' from ρ",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO, Sizes(2, (2, 1)), TWO_BY_TWO),
        points=(Sizes(2, (2, 2)), Sizes(3, (2, 3)), Sizes(2, (2, 2, 2))),
    ),
    Claim(
        "lemma-4.1/stationary",
        "The same from the stationary distribution of π', as printed",
        "Section 4, Lemma 4.1",
        STATIONARY,
        performance_difference_stationary,
        statement="J(π') - J(π) = 1/(1-γ) Σ_m E_{s~ν', p~π'} ⟨Q^{1:m}_π(s, p, ·), π'^m - π^m⟩ with J from ρ = ν'",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO, Sizes(2, (2, 1))),
        points=(Sizes(2, (2, 2)), Sizes(3, (2, 2))),
    ),
    Claim(
        "lemma-4.1/sequential-factor",
        "What an agent gains that moves after others, estimated under the old policy",
        "beyond the paper; Kuba et al. (2022), Proposition 1",
        SEQUENTIAL,
        sequential_updates,
        statement="E_{a~π}[(π'^m/π^m - 1) π'^{1:m-1}/π^{1:m-1} A_π(s, a)] = E_{p~π'^{1:m-1}, a^m~π'^m} A^m(s, p, a^m)",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO, Sizes(2, (2, 1)), TWO_BY_TWO),
        points=(Sizes(2, (2, 2)), Sizes(2, (2, 3)), Sizes(2, (2, 2, 2))),
        kind=Kind.BEYOND,
    ),
    Claim(
        "definition-4.4",
        "Concentrability is at least 1 and grows with the agents",
        "Section 4.2, Definition 4.4",
        COVERED,
        concentrability_grows,
        statement="1 ≤ (φ_k^{m-1})² = ⟨w_m, w_{m-1}⟩_{σ_k} ≤ (φ_k^m)²",
        record=Standing.PROVED,
        symbolic=(Sizes(1, (2,)), Sizes(1, (2, 2)), Sizes(2, (1,))),
    ),
    Claim(
        "proposition-4.2",
        "Closed form of the KL-regularised step",
        "Section 4.1, Proposition 4.2",
        SIMPLEX,
        closed_form,
        statement="F(q) = ⟨Q̂, q⟩ - β KL(q‖π_k) has the maximiser π⁺ ∝ π_k exp(Q̂/β), and F(π⁺) - F(q) = β KL(q‖π⁺)",
        record=Standing.PROVED,
        symbolic=tuple(Sizes(1, (k,)) for k in (1, 2, 3, 4)),
    ),
    Claim(
        "proposition-4.2/support",
        "The same where π_k vanishes at some actions",
        "Section 4.1, Proposition 4.2",
        ON_SUPPORT,
        closed_form_on_support,
        statement="π⁺ = 0 where π_k = 0, and F(π⁺) - F(q) = β KL(q‖π⁺) for every q on the support of π_k",
        record=Standing.SURVIVED,
        note="Not proved in symbols, which stand for probabilities that are not 0; there it is proposition-4.2, which is.",
        kind=Kind.READING,
    ),
    Claim(
        "proposition-4.2/averaged",
        "The pointwise step maximises the average over σ_k",
        "Section 4.1, equation (3)",
        AVERAGED,
        averaged,
        statement="F̄(π⁺) - F̄(q) = β E_{σ_k} KL(q‖π⁺) ≥ 0",
        record=Standing.PROVED,
        symbolic=(Sizes(1, (2,)), Sizes(2, (2,))),
    ),
    Claim(
        "proposition-4.2/averaged-unique",
        "The average over σ_k determines the step at every (s, p)",
        "Section 4.1, equation (3)",
        PARTLY_VISITED,
        averaged_unique,
        statement="F̄(q) = F̄(π⁺) implies q = π⁺, even where σ_k = 0",
        record=Standing.REFUTED,
        note="The printed formula is a maximiser in any case; it is the only one just where σ_k > 0.",
        repaired_by="proposition-4.2",
        kind=Kind.READING,
    ),
    Claim(
        "proposition-4.2/solver",
        "No point that a conic solver finds is better, and its optimum is π⁺ up to its tolerance",
        "Section 4.1, Proposition 4.2",
        Setting(
            "a mirror step with moderate numbers",
            (
                PositiveScalar("beta", high=4),
                Distribution("policy", own_actions, full_support=True),
                LogOdds("values", own_actions, times="beta", high=30),
            ),
            agents=(1, 1),
            states=(1, 1),
            action_range=(2, 4),
            explore=False,
        ),
        solver_agrees,
        statement="0 ≤ F(π⁺) - F(q) ≤ β/10⁶ at the solver's solution q, evaluated exactly",
        record=Standing.SURVIVED,
        note="No line is proved in symbols: a solver's answer is no formula.",
        kind=Kind.BEYOND,
    ),
)
