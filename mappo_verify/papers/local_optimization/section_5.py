"""Section 5: concentrability, and Theorem 5.5 with its two terms apart, so that the line that breaks has a name.

A run of Algorithm 2 is its critics ``f_0, ..., f_{K-1}``: the policies are ``π_k^m ∝ exp(η_m Σ_{t<k} f_t^m)``.  With ``M_k`` the
game in which ``Q_{π_k} = f_k``::

    J_* - J(π_k) ≤ J_* - f_k(s_0, π_k) + λε_r - λE(f_k)                        pessimism
    J_* - f_k(s_0, π_k) = [J_{M_k}(π_*) - J_{M_k}(π_k)] + [J_* - J_{M_k}(π_*)]  Term I: optimisation; Term II: estimation
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...arithmetic import (
    Array,
    Truth,
    both,
    certainly_equal,
    divide,
    either,
    every,
    identity,
    largest,
    like,
    log,
    maximum,
    minimum,
    negation,
    select,
    some,
    sqrt,
    square,
    support,
    tilt,
    truth_of,
    zeros,
)
from ...arithmetic.formulas import operation_of_many
from ...arithmetic.functions import true_everywhere
from ...axioms import below_largest, given
from ...claims.case import Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, at_most, equal, line
from ...claims.coordinates import EVERY, Sizes
from ...claims.general import General
from ...claims.ingredients import Derived, Distribution, GameData, PolicyData, PositiveScalar, PrefixTables, Table
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...games.offline import theorem_5_5_one_agent, theorem_5_5_two_agents
from ...model import Policy
from ...model.agents import prefix_sizes, split_last, sum_out_later
from ...model.validation import unchecked
from ...quantities.agent_values import agent_values
from ...quantities.bellman import bellman_operator, implied_game
from ...quantities.bellman_error import Moments, pessimistic_step, population_moments, start_features
from ...quantities.data import data_moments
from ...quantities.distributions import state_action_distribution, visits
from ...quantities.divergence import squared_norm
from ...quantities.mirror_descent import mirror_step
from ...quantities.online_learning import optimisation_bound, tuned_step
from ...quantities.performance_difference import gains_along
from ...quantities.values import returns
from .appendix_c_bellman_error import DISCOUNTED
from .joint_critic import (
    FREE_RUN,
    Iterate,
    Mean,
    Theorem,
    any_length,
    any_run,
    bounded,
    of_run,
    opening,
    own_roots,
    pessimistic,
    theorem_on,
    tuned,
)
from .limits import limit_setting, smallest_at_start

# --- Definition 5.4 -----------------------------------------------------------------------------------------------------


def _comparator(case: Case, m: int) -> Array:
    """``d_* (s, a^{1:m})``, normalised."""
    states = visits(case.game, case.target) / case.game.horizon
    return state_action_distribution(states, case.target, m)


def concentrability(case: Case) -> Iterator[Line]:
    """``C² ≤ max d_*/μ``: certified for every critic and policy, where eigenvalues only bound and searches only find."""
    for m in range(1, case.game.agents + 1):
        above, below = _comparator(case, m), sum_out_later(case.data, case.sizes.actions, m)
        table = case.tables[m - 1]
        residual = table - bellman_operator(case.game, case.policy, table, m)
        yield line(f"‖f - T^{{1:{m}}}_π f‖²_{{2,d_*}}", squared_norm(residual, above, 2))
        ratio = (above / below).reshape(-1)
        yield at_most(
            f"max d_*/μ · ‖f - T^{{1:{m}}}_π f‖²_{{2,μ}}",
            largest(ratio) * squared_norm(residual, below, 2),
            because="term by term: d_* x² = (d_*/μ) μ x²",
            axiom=(below_largest(ratio) * (below * square(residual)).reshape(-1)).sum(-1),
        )


# --- Theorem 5.5 as printed -----------------------------------------------------------------------------------------------


def _steps(case: Case) -> tuple[Array, ...]:
    """``η = (1-γ) √(log|A|/2K)``, every agent's own."""
    return tuple(tuned_step(case.game.horizon, case.sizes.steps, size) for size in case.game.action_sizes)


@operation_of_many
def _average_factors(case: Case) -> tuple[Array, ...]:
    """``(1/K) Σ_k π_k^m`` while the critics stay ``f^m``: ``π_k^m ∝ exp(η k f^m)``, every agent's factor."""
    factors = []
    for factor, critic, moves, eta in zip(
        Policy.uniform(case.game).factors, case.critics, _moves(case), _steps(case), strict=True
    ):
        logits = split_last(critic, factor.shape[-1])
        even = np.broadcast_to(factor, logits.shape)
        rows = [
            even[..., s, :, :]
            if true_everywhere(negation(moves[..., s]))  # all the π_k are uniform there
            else _average_row(even[..., s, :, :], logits[..., s, :, :], eta, case.sizes.steps)
            for s in range(case.game.states)
        ]
        factors.append(np.stack(rows, axis=-3))
    return tuple(factors)


def _average_row(even: Array, logits: Array, eta: Array, steps: int) -> Array:
    """``(1/K) Σ_k π_k`` with ``π_k ∝ exp(η k f)``, at one state: ``[..., prefixes, A_m]``."""
    count = like(list(range(steps)), logits).reshape(-1, *(1,) * logits.ndim)
    return mirror_step(even, count * logits, like(1, eta) / eta).sum(0) / steps


def _average_policy(case: Case) -> Policy:
    """The policy that plays like ``π̂``, a ``π_k`` with ``k`` drawn once and for all.

    It exists if a run passes at most one place where the ``π_k`` differ; here that is the start, which is never seen again, and
    one agent's factor there (hypotheses of the setting).
    """
    return unchecked(Policy, factors=_average_factors(case), system=case.system)


def _moves(case: Case) -> tuple[Truth, ...]:
    """Where each agent's critic prefers some action to another, so that its factor changes: ``[..., S]``."""
    found = []
    for critic, size in zip(case.critics, case.game.action_sizes, strict=True):
        logits = split_last(critic, size)
        found.append(negation(every(truth_of(certainly_equal(logits, logits[..., :1])), (-1, -2))))
    return tuple(found)


def _changes_at_start_only(case: Case) -> Truth:
    """One agent's critic moves it at some state, no other agent's does, and no agent moves away from the start."""
    elsewhere = negation(truth_of(support(case.game.start)))
    moves = _moves(case)
    movers = [some(mask) for mask in moves]
    still = [negation(mover) for mover in movers]
    alone = [both(mover, *still[:m], *still[m + 1 :]) for m, mover in enumerate(movers)]
    return both(either(*alone), *(negation(some(both(mask, elsewhere))) for mask in moves))


def _start_is_never_seen_again(case: Case) -> Truth:
    reached = some(truth_of(support(case.game.transition)), (-3, -2))
    return negation(some(both(reached, truth_of(support(case.game.start)))))


def printed_theorem(case: Case) -> Iterator[Line]:
    """Theorem 5.5 as ``n → ∞``: what is left of the bound is its first term.  Critics are those of the limit."""
    game, target = case.game, case.target
    played = _average_policy(case)
    model = implied_game(game, played, case.critics[-1], game.agents)
    best, believed = returns(game, target), returns(model, target)
    yield line("J_* - E J(π̂) = 1/K Σ_k (J_* - J(π_k))", best - returns(game, played))
    yield at_most(
        "1/K Σ_k (J_* - J_{M_k}(π_k))",
        best - returns(model, played),
        because="lemma-c.7 with ε_r = 0, and J_{M_k}(π_k) = f_k^N(s_0, π_k)",
    )
    estimation = best - believed
    yield equal(
        "Term I + Term II = 1/K Σ_k [J_{M_k}(π_*) - J_{M_k}(π_k)] + 1/K Σ_k [J_* - J_{M_k}(π_*)]",
        believed - returns(model, played) + estimation,
        because="J_{M_k}(π_*) enters once with either sign",
    )
    ahead = visits(game, target)
    yield equal(
        "1/K Σ_k Σ_m 1/(1-γ) E_{d_*} ⟨f_k^m, π_*^m - π_k^m⟩ + Term II",
        gains_along(ahead, target, played, case.critics).sum(-1) + estimation,
        because="lemma-4.1 in M_k, whose values lemma-c.3/all-agents says are f_k^m",
    )
    first = optimisation_bound(game.horizon, case.sizes.steps, game.action_sizes)
    yield at_most("2√2/(1-γ)² Σ_m √(log|A_m|/K) + Term II", first + estimation, because="lemma-c.6")
    model_gap = case.critics[-1] - bellman_operator(game, played, case.critics[-1], game.agents)
    yield at_most(
        "2√2/(1-γ)² Σ_m √(log|A_m|/K) + 1/(1-γ) ‖f_k - T f_k‖_{2,d_*}",
        first + game.horizon * sqrt(squared_norm(model_gap, _comparator(case, game.agents), 2)),
        because="Term II = Σ d_*(T f_k - f_k)/(1-γ); Jensen",
    )
    yield at_most(
        "2√2/(1-γ)² Σ_m √(log|A_m|/K) + C/(1-γ) ‖f_k - T f_k‖_{2,μ}",
        first + game.horizon * sqrt(_concentrability(case)) * sqrt(squared_norm(model_gap, case.data[-1], 2)),
        because="definition-5.4, with C² ≤ max d_*/μ",
    )
    yield at_most(
        "2√2/(1-γ)² Σ_m √(log|A_m|/K)",
        first,
        because="lemma-c.2/realizable as n → ∞: E(f_k, π_k) = 0 makes the norm 0",
    )


def _concentrability(case: Case) -> Array:
    """``max d_*/μ`` over what the data sees; elsewhere critics and their updates agree, so no more is needed."""
    above, below = np.broadcast_arrays(_comparator(case, case.game.agents), case.data[-1])
    seen = support(below)
    return largest(divide(select(seen, above, like(0, above)), below), (-2, -1))


# --- Theorem 5.5, repaired ------------------------------------------------------------------------------------------------


def run_of(case: Case) -> Theorem:
    """The run with the steps of the paper."""
    return tuned(case, iterates_of(case, _steps(case)), own_roots(case.game, case.sizes.steps))


def iterates_of(case: Case, etas: tuple[Array, ...]) -> list[Iterate]:
    """A run of the repaired algorithm: ``f_k`` between ``Q_{π_k}`` and the clipped minimiser, as far as ``share_k`` says."""
    game = case.game
    features = identity(game.states * game.actions, case.system)
    sums, run = [0 * factor for factor in Policy.uniform(game).factors], []
    for k in range(case.sizes.steps):
        factors = tuple(tilt(like(1, table), eta * table) for eta, table in zip(etas, sums, strict=True))
        policy = unchecked(Policy, factors=factors, system=case.system)
        moments = case.moments(policy, features)
        values = agent_values(game, policy)[-1]
        direction = start_features(game, policy, features, game.agents, case.start)
        free = pessimistic_step(moments, direction, case.penalty).weights.reshape(values.shape)
        zero = zeros(free.shape, free)
        clipped = minimum(maximum(free, zero), np.broadcast_to(game.horizon, free.shape))
        critic = values + case.shares[..., k] * (clipped - values)
        run.append(_iterate(case, policy, critic, moments))
        sums = [
            total_ + split_last(table, total_.shape[-1])
            for total_, table in zip(sums, run[-1].marginals[1:], strict=True)
        ]
    return run


def _iterate(case: Case, policy: Policy, critic: Array, moments: Moments) -> Iterate:
    """``E_k`` is the Bellman error of the data, and ``λ E_k(Q_k)`` is allowed."""
    values = agent_values(case.game, policy)[-1]
    own, true = (moments.error(table.reshape(-1)) for table in (critic, values))
    return Iterate(case.game, policy, critic, case.data, case.start, own, case.penalty * true)


def any_population_run(case: Case) -> Theorem:
    """Any policies and joint critics, with the Bellman error of the population."""
    game, features = case.game, identity(case.game.states * case.game.actions, case.system)
    run = [
        _iterate(case, policy, case.critics[k], case.moments(policy, features))
        for k, policy in enumerate(case.policies)
    ]
    return tuned(case, run, tuple(case.roots[m] for m in range(game.agents)))


def any_steps(case: Case) -> Theorem:
    """A run with any steps ``η_m``, and sums in the place of means."""
    etas = tuple(case.etas[..., m] for m in range(case.game.agents))
    entropies = tuple(log(like(size, case.penalty)) for size in case.game.action_sizes)
    return theorem_on(case, iterates_of(case, etas), etas, entropies, Mean(like(1, case.penalty), case.sizes.steps))


PESSIMISTIC = pessimistic("f_k(s_0, π_k) + λE(f_k) ≤ J_k + λE(Q_{π_k})")


def repaired_theorem(case: Case) -> Iterator[Line]:
    """One joint critic, its marginals, the range enforced: both terms close."""
    yield from opening(case.theorem)
    yield from bounded(
        case.theorem,
        given(PESSIMISTIC, case),
        "λE(Q_{π_k})",
        "lemma-c.7: f_k(s_0, π_k) + λE(f_k) ≤ J_k + λE(Q_{π_k})",
    )


# --- settings ---------------------------------------------------------------------------------------------------------------


def _pairs(sizes: Sizes) -> int:
    return sizes.states * prefix_sizes(sizes.actions)[-1]


def _by_pair(case: Case, table: Array) -> Array:
    return table.reshape(*table.shape[:-1], case.sizes.states, -1)


def _population(case: Case) -> Any:
    return lambda policy, features: population_moments(case.game, policy, features, case.data, case.game.agents)


def _sample(case: Case) -> Any:
    cells = case.seen.reshape(*case.seen.shape[:-1], case.sizes.states, -1, case.sizes.states + 1)
    return lambda policy, features: data_moments(case.game, policy, features, cells, case.game.agents)


COVERED_DATA = Distribution("mu", lambda sizes: (_pairs(sizes),), full_support=True)
COMPARATOR = (
    GameData(termination=False, reward=(0, 9), scale=9),
    PolicyData("target"),
    COVERED_DATA,
)
COVERAGE = Setting(
    "a game, a comparator, a policy, data everywhere, and any critic for every agent",
    (
        *COMPARATOR,
        PolicyData("policy"),
        PrefixTables("tables"),
        Derived("data", lambda case: _by_pair(case, case.mu)),
    ),
    (DISCOUNTED,),
    agents=(1, 2),
    states=(1, 2),
    max_table=200,
)
REPAIRED = Setting(
    "a game with rewards in [0, 1], a comparator, data everywhere, a penalty, and how pessimistic each critic is",
    (
        *COMPARATOR,
        PositiveScalar("penalty", high=99),
        Table("shares", lambda sizes: (sizes.steps,), 1, 4, 4),
        Derived("data", lambda case: _by_pair(case, case.mu)),
        Derived("moments", _population),
        Derived("start", lambda case: case.game.start),
        Derived("theorem", run_of),
    ),
    (DISCOUNTED, PESSIMISTIC),
    agents=(1, 2),
    states=(1, 2),
    steps=(1, 3),
    action_range=(2, 2),
    max_table=40,
    limit=20,
)
REPAIRED_SAMPLE = replace(
    REPAIRED,
    name="the same, and a sample: any law of (s, a, s')",
    ingredients=(
        *REPAIRED.ingredients[:-3],
        Distribution("seen", lambda sizes: (_pairs(sizes) * (sizes.states + 1),), full_support=True),
        Derived("moments", _sample),
        *REPAIRED.ingredients[-2:],
    ),
)
ANY_RUN = Setting(
    "the same for any policies, any joint critics, any Bellman errors",
    (
        *COMPARATOR,
        *FREE_RUN,
        Derived("data", lambda case: _by_pair(case, case.mu)),
        Derived("start", lambda case: case.game.start),
        Derived("theorem", any_run),
    ),
    (DISCOUNTED, PESSIMISTIC),
    agents=(1, 2),
    states=(1, 2),
    steps=(1, 2),
)
ANY_POPULATION = replace(
    ANY_RUN,
    name="the same for any policies and any joint critics",
    ingredients=(
        *COMPARATOR,
        *FREE_RUN[:-2],
        Derived("data", lambda case: _by_pair(case, case.mu)),
        Derived("start", lambda case: case.game.start),
        Derived("moments", _population),
        Derived("theorem", any_population_run),
    ),
)
ANY_STEPS = replace(
    REPAIRED_SAMPLE,
    name="the same with any steps η_m",
    ingredients=(
        *REPAIRED_SAMPLE.ingredients[:-1],
        Table("etas", lambda sizes: (sizes.agents,), 1, 9, 9),
        Derived("theorem", any_steps),
    ),
)
ANY_LENGTH = replace(
    ANY_RUN,
    name="any policies, joint critics, Bellman errors and steps η_m, for every number of iterations",
    ingredients=(
        *(i for i in ANY_RUN.ingredients[:-1] if i.name != "roots"),
        Table("etas", lambda sizes: (sizes.agents,), 1, 9, 9),
        Table("entropies", lambda sizes: (sizes.agents,), 1, 9),
        Derived("theorem", any_length),
    ),
)
AT_THE_START = (
    Hypothesis("one agent's critic asks for a change, and only at the start", _changes_at_start_only),
    Hypothesis("the start is never seen again", _start_is_never_seen_again),
    Hypothesis(
        "no critic without Bellman error is smaller at the start, with the inner minimum over the class or over all weights",
        smallest_at_start,
    ),
)
TWO_AGENTS = replace(
    limit_setting(
        "Algorithm 2 on the counterexample with two agents as n, λ → ∞; how the data is shared out",
        theorem_5_5_two_agents,
        (20_000,),
        AT_THE_START,
    ),
    limit=1,
)
ONE_AGENT = replace(
    limit_setting(
        "Algorithm 2 on the counterexample with one agent as n, λ → ∞; how the data is shared out",
        theorem_5_5_one_agent,
        (2_000,),
        AT_THE_START,
    ),
    limit=1,
)
SCOPE = (
    "Population data and λ → ∞, where the second term of the bound vanishes; the first has the proof's constant, 2√2.  "
    "The gap tends to a constant and the bound to 0 as K grows, so every constant falls at a larger K.  "
    "The critics are the same with the inner minimum over the class, as equation (5) prints it, and over all weights, as "
    "Appendix C.1 does.  "
)

PROVED_AT = (Sizes(1, (2, 2), 1), Sizes(1, (2, 2), 2), Sizes(2, (2,), 2), Sizes(1, (2, 2, 2), 1))
"""Sizes at which the repaired theorem is proved in symbols."""

CLAIMS = (
    Claim(
        "definition-5.4",
        "Concentrability is at most the largest density ratio",
        "Definition 5.4",
        COVERAGE,
        concentrability,
        statement="‖f - T^{1:m}_π f‖²_{2,d_*} ≤ max d_*/μ · ‖f - T^{1:m}_π f‖²_{2,μ} for every f and π",
        record=Standing.PROVED,
        symbolic=(Sizes(1, (2, 2)), Sizes(2, (2,))),
        note="The definition's C is a supremum over critics and policies; this bounds it from above, a search from below.",
    ),
    Claim(
        "theorem-5.5/two-agents",
        "Convergence of pessimistic MA-PPO: two agents, complete and realizable classes",
        "Theorem 5.5, first term, with the proof's constant",
        TWO_AGENTS,
        printed_theorem,
        statement="J_* - E J(π̂) ≤ 2√2/(1-γ)² Σ_m √(log|A_m|/K) as n → ∞",
        transcendental=True,
        record=Standing.REFUTED,
        note=SCOPE + "What breaks is Lemma C.3: no one game has the critics of both agents for its values.",
        repaired_by="theorem-5.5/repaired",
    ),
    Claim(
        "theorem-5.5/one-agent",
        "Convergence of pessimistic MA-PPO: one agent, a realizable class",
        "Theorem 5.5, first term, with the proof's constant",
        ONE_AGENT,
        printed_theorem,
        statement="J_* - E J(π̂) ≤ 2√2/(1-γ)² √(log|A|/K) as n → ∞, if the class holds every Q_π",
        transcendental=True,
        record=Standing.REFUTED,
        note=SCOPE
        + "What breaks is Lemma C.2: without completeness a critic with Bellman error 0 may be inconsistent.",
        repaired_by="theorem-5.5/repaired",
    ),
    Claim(
        "theorem-5.5/repaired",
        "One joint critic, its marginals, the range enforced",
        "Theorem 5.5, repaired, with population data",
        REPAIRED,
        repaired_theorem,
        statement="1/K Σ_k (J_* - J_k) ≤ 2√2/(1-γ)² Σ_m √(log|A_m|/K) + C²/(4λ(1-γ)²)",
        transcendental=True,
        record=Standing.PROVED,
        general=General(ANY_POPULATION, of_run),
        symbolic=PROVED_AT,
        note="ε_r and ε_b are 0 here.  Of the minimisation only f_k(s_0, π_k) + λE(f_k) ≤ J_k is used.",
        kind=Kind.REPAIR,
    ),
    Claim(
        "theorem-5.5/repaired-sample",
        "The repaired theorem with sampled data",
        "Theorem 5.5, repaired",
        REPAIRED_SAMPLE,
        repaired_theorem,
        statement="1/K Σ_k (J_* - J_k) ≤ 2√2/(1-γ)² Σ_m √(log|A_m|/K) + C²/(4λ(1-γ)²) + λε_r + Cε_b/(1-γ)",
        transcendental=True,
        record=Standing.PROVED,
        general=General(ANY_RUN, of_run),
        symbolic=PROVED_AT,
        note="On the event E(Q_{π_k}) ≤ ε_r and ‖f_k - T f_k‖_{2,μ} ≤ ε_b + √E(f_k); both are as small as the run allows.",
        kind=Kind.REPAIR,
    ),
    Claim(
        "theorem-5.5/every-length",
        "The repaired theorem for any steps and every number of iterations",
        "Theorem 5.5, repaired, before the step is tuned",
        ANY_STEPS,
        repaired_theorem,
        statement="Σ_k (J_* - J_k) ≤ 1/(1-γ) Σ_m [log|A_m|/η_m + η_m K/(8(1-γ)²)] + K [C²/(4λ(1-γ)²) + λε_r + Cε_b/(1-γ)]",
        transcendental=True,
        record=Standing.PROVED,
        general=General(ANY_LENGTH, of_run),
        symbolic=(Sizes(1, (2, 2), EVERY), Sizes(2, (2,), EVERY), Sizes(1, (2, 2, 2), EVERY)),
        note="By induction over K.  theorem-5.5/repaired-sample is this at the tuned step, divided by K.",
        kind=Kind.REPAIR,
    ),
)
