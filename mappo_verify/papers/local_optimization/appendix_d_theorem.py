"""Appendix D: Theorem D.7, how it fails, and its repair with one critic for all agents.

Theorem D.7 fails on the game of :func:`~mappo_verify.games.offline.theorem_5_5_two_agents`, with classes that hold
every ``T f``: three critics ``Q``, ``g`` and ``g' = T g`` for agent 1, and only ``Q`` for agent 2, whose policy never changes::

                 (s, 0)   (s, 1)    x     y          data for agent 1 covers (s, 0), (s, 1) and x
        Q          1/2      1/3     1     1
        g          1/4      1/3     1     0          g is wrong at y alone, which is not in the data
        g'         1/4      1/3     1     1          T g' = Q

``Q`` explains the targets of ``g`` at ``(s, 0)``, which are 1/2 and 0 as agent 2 plays 0 or 1, no better than ``g`` does, unless
agent 2 played 0 more often than 3 times in 4.  Of ``n`` data that happens with probability at most ``(1 - 47/1536)ⁿ``, which is
the mean of ``z^{N_0 - 3N_1}`` at ``z = 4/3``.  Otherwise ``E_D(g) = 0``: whatever ``λ``, agent 1 believes ``g`` or ``g'``, and
leaves its good action 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ...arithmetic import (
    Array,
    Hidden,
    System,
    Truth,
    argmax,
    by_floats,
    compare,
    contract,
    exp,
    like,
    log,
    maximum,
    smallest,
    sqrt,
    square,
    tilt,
    zeros,
)
from ...axioms import given
from ...claims.case import Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, at_least, at_most, equal, line
from ...claims.coordinates import Coordinate, Sizes
from ...claims.general import General
from ...claims.ingredients import START, Counts, Derived, Distribution, GameData, PolicyData, PositiveScalar, Table
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...games.offline import OfflineProblem, theorem_5_5_two_agents
from ...model import Policy
from ...model.agents import prefix_sizes, split_last
from ...model.validation import unchecked
from ...quantities.data import frequencies, law_of_data, possible
from ...quantities.distributions import occupancy
from ...quantities.finite_class import FiniteClass
from ...quantities.online_learning import tuned_step
from ...quantities.values import returns
from .appendix_c_samples import (
    CRITICS,
    SOUND,
)
from .joint_critic import (
    FREE_RUN,
    Iterate,
    Theorem,
    any_run,
    bounded,
    of_run,
    opening,
    own_roots,
    pessimistic,
    tuned,
)
from .limits import values_after_start


def _problem(system: System | Hidden) -> OfflineProblem:
    return theorem_5_5_two_agents().to(system)


def _first_class(system: System | Hidden) -> FiniteClass:
    """``Q``, ``g``, ``g'`` of agent 1 on ``s, x, y, end``."""
    half, third, quarter = Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)
    rows = [[half, 1, 1], [quarter, 1, 0], [quarter, 1, 1]]
    tables = [[[at_s, third], [x, x], [y, y], [0, 0]] for at_s, x, y in rows]
    return FiniteClass(like(np.array(tables, object), system), 1)


def _second_class(system: System | Hidden) -> FiniteClass:
    """``Q`` of agent 2, which is the same for both of its actions everywhere."""
    half, third = Fraction(1, 2), Fraction(1, 3)
    return FiniteClass(like(np.array([[[half, half, third, third], [1] * 4, [1] * 4, [0] * 4]], object), system), 2)


def _half_blind(case: Case) -> Policy:
    """Agent 1 as it likes, agent 2 evenly."""
    even = like(np.full((4, 2, 2), Fraction(1, 2), object), case.system)
    return unchecked(Policy, factors=(case.first[..., None, :], even), system=case.system)


def _trap_sample(case: Case) -> Array:
    """Frequencies of agent 1's data with ``counts`` of ``(s, 0, 0)``, ``(s, 0, 1)``, ``(s, 1, ·)`` and ``(x, ·)``."""
    shares = case.counts / case.counts.sum(-1, keepdims=True)
    law = law_of_data(case.game, case.policy, _problem(case.system).distribution(1), 1)
    kinds = np.full((4, 4), -1)
    kinds[0], kinds[1] = [0, 1, 2, 2], 3
    weights = law.sum(-1)
    chosen = np.stack([weights * like((kinds == k).astype(np.int8), case.system) for k in range(4)], axis=-3)
    each = chosen / chosen.sum((-2, -1), keepdims=True)
    return (shares[..., :, None, None] * each).sum(-3)[..., None] * _ways(case)


def _ways(case: Case) -> Array:
    """``P(s'|s, a)`` with a last column for termination, which does not happen here."""
    return np.concatenate([case.game.transition, zeros((4, 4, 1), case.system)], axis=-1)


def trap(case: Case) -> Iterator[Line]:
    """The facts behind the counterexample: any policy of agent 1, any λ, data in which agent 2 played 0 at most 3 times in 4."""
    game, policy = case.game, case.policy
    first, second = _first_class(case.system), _second_class(case.system)
    nothing = like(0, case.penalty)
    fits = [c.realizability(game, policy) + c.completeness(game, policy) for c in (first, second)]
    yield line("ζ_F + ζ_FF of both agents, in the sup norm", np.stack(fits, axis=-1))
    yield equal("0", nothing, because="T Q = T g' = Q, and T g = g'")
    errors = first.errors(game, policy, case.sample)
    objective = first.objective(game, policy, case.sample, case.penalty, game.start)
    yield line("E_D(g)", errors[..., 1])
    yield equal("0", nothing, because="L(g, g) = L(g', g) ≤ L(Q, g) as long as agent 2 played 0 at most 3 times in 4")
    yield line("g(s, π) + λ E_D(g)", objective[..., 1])
    yield at_most("min_f f(s, π) + λ E_D(f)", smallest(objective), because="g ≤ g' ≤ Q, and E_D ≥ 0")
    yield line("(Q(s, π) + λ E_D(Q)) - (g(s, π) + λ E_D(g))", objective[..., 0] - objective[..., 1])
    yield at_least(
        "π^1(0|s)/4",
        case.first[..., 0, 0] / 4,
        because="so g or g' is chosen, which agree at s: agent 1 sees 1/4 and 1/3",
    )
    best = returns(game, Policy.deterministic(game, np.zeros(4, int)))
    yield line("J_* - J(π)", best - returns(game, policy))
    yield equal("π^1(1|s)/6", case.first[..., 0, 1] / 6, because="1/2 for action 0, 1/3 for action 1")
    cover = occupancy(game, Policy.deterministic(game, np.zeros(4, int)))
    reached = split_last(cover, 2).sum(-1)
    squares = square(first.tables - first.backups(game, policy))
    under = [(squares * d).sum((-2, -1)) for d in (reached, _problem(case.system).distribution(1))]
    yield line("‖f - T f‖²_{2,d_*} for f in F^1", under[0])
    yield at_most(
        "C² ‖f - T f‖²_{2,μ}, C² = 2", 2 * under[1], because="d_*(s, 0) = 1/2, μ(s, 0) = 1/4, and y is nowhere"
    )


TRAP_RATE = Fraction(47, 1536)
"""``1 - E z^{[N_0] - 3[N_1]}`` of one datum at ``z = 4/3``: 1/4 of the data are at ``(s, 0)``."""


LOST_BY_ONE = Fraction(1, 6)
"""What action 1 of agent 1 loses against action 0."""
LEAST_GAP = LOST_BY_ONE / 2
"""The mean gap of a trapped run is more: agent 1, which begins evenly, is drawn to action 1 in every step."""

FIRST, SECOND = 2, 10
"""The printed bound's constants: 2√2 for the first term, as its proof gives, and 10 for the second."""


def _eta(steps: Array) -> Array:
    """``η = (1-γ) √(log|A|/(2K))``"""
    return tuned_step(like(2, steps), steps, 2)


def _optimisation(steps: Array) -> Array:
    """``N √(log|A|/K)/(1-γ)²``"""
    return 8 * sqrt(log(like(2, steps)) / steps)


def _statistics(steps: Array, number: Array, certainty: Array) -> Array:
    """``C (K log(|F|/δ)/n)^{1/3}/(1-γ)²`` with ``C = √2``, ``|F| = 3``, ``δ = 1/certainty``."""
    inside = steps * log(3 * certainty) / number
    return 4 * sqrt(like(2, inside)) * exp(log(inside) / 3)


def _likely(steps: Array, number: Array, certainty: Array) -> Truth:
    """``K (1 - 47/1536)ⁿ ≤ K/(1 + 47n/1536) < 1 - δ``, by Bernoulli's inequality."""
    one = like(1, number)
    return compare(steps / (one + number * like(TRAP_RATE, number)), "<", one - one / certainty)


def _likely_over_tables(steps: Array, number: Array, certainty: Array, share: Array) -> Truth:
    """``K (2 exp(-Kπ/4) + exp(-n/32)) < 1 - δ``, with π the smallest chance of action 0 in the run.

    Over all tables ``E_D(g) = S²/(4P_0)`` with ``S = (N_0 - N_1)/(2n)`` and ``P_0 = (N_0 + N_1)/n``, of mean 1/4; g or g' is
    chosen if ``λE_D(g) < π/4``, so where ``P_0 ≥ 1/8`` and ``S² < π/(8λ)``.  By Hoeffding's inequality this fails with
    probability at most ``2 exp(-2nπ/(8λ)) + exp(-n/32)``; and ``λ ≤ n/K``.
    """
    one = like(1, number)
    fails = steps * (2 * exp(-steps * share / 4) + exp(-number / 32))
    return compare(fails, "<", one - one / certainty)


def _share_at_end(steps: Array) -> Array:
    """The smallest chance of action 0 in a trapped run, ``1/(1 + e^{ηK/12})``."""
    one = like(1, steps)
    return one / (one + exp(_eta(steps) * steps / 12))


def _mean_gap(steps: int, system: System | Hidden) -> Array:
    """``1/6 · 1/K Σ_k 1/(1 + e^{-ηk/12})``"""
    odds = exp(-_eta(like(steps, system)) / 12 * like(list(range(steps)), system))
    return (like(1, system) / (like(1, system) + odds)).sum() / (6 * steps)


def printed_theorem(case: Case) -> Iterator[Line]:
    """The trapped run against the bound with constants ``2√2`` and 10, ``n = samples · K⁴``."""
    steps = like(case.sizes.steps, case.system)
    yield line(
        "1/K Σ_k (J_* - J(π_k)), where agent 1 sees g at the start in every step, η = (1-γ) √(log|A|/(2K))",
        _mean_gap(case.sizes.steps, case.system),
    )
    yield at_most(
        "2√2 N √(log|A|/K)/(1-γ)² + 10 C (K log(|F|/δ)/n)^{1/3}/(1-γ)²",
        FIRST * sqrt(like(2, steps)) * _optimisation(steps) + SECOND * _statistics(steps, case.number, case.certainty),
        because="lemma-d.6, lemma-d.5, and one game that has the critics of both agents as its values (lemma-c.3/all-agents)",
    )


def any_constant(case: Case) -> Iterator[Line]:
    """The trapped run against the bound with any constant ``c``, at ``K = (500c)²`` and ``n = K⁴``."""
    yield line(
        "what 1/K Σ_k (J_* - J(π_k)) is no smaller than, as action 1 has a chance of at least 1/2 in every step",
        like(LEAST_GAP, case.system),
    )
    yield at_most(
        "c [N √(log|A|/K)/(1-γ)² + C (K log(|F|/δ)/n)^{1/3}/(1-γ)²]",
        case.constant * (_optimisation(case.runs) + _statistics(case.runs, case.number, case.certainty)),
        because=f"the mean gap is at least {LEAST_GAP}, and so would be its bound (lemma-c.3/all-agents, lemma-d.5, lemma-d.6)",
    )


def _fourth(value: Array) -> Array:
    return square(square(value))


def _few_zeros(case: Case) -> Truth:
    return compare(case.counts[..., 0], "≤", 3 * case.counts[..., 1])


TRAP = Setting(
    "any policy of agent 1 against an even agent 2, any penalty λ, counts of agent 1's data",
    (
        Distribution("first", lambda _: (4, 2)),
        PositiveScalar("penalty"),
        Table("counts", lambda _: (4,), 0, 99),
        Derived("game", lambda case: _problem(case.system).game),
        Derived("policy", _half_blind),
        Derived("sample", _trap_sample),
    ),
    (
        Hypothesis("there is data", lambda case: compare(case.counts.sum(-1), ">", like(0, case.counts.sum(-1)))),
        Hypothesis("agent 2 played 0 at (s, 0) at most 3 times in 4", _few_zeros),
    ),
    agents=(1, 1),
    states=(1, 1),
    action_range=(2, 2),
)


LIKELY = (
    "with probability > δ agent 1 takes g or g' in all K steps, the inner minimum over the class, λ > 0: "
    "K (1 - 47/1536)ⁿ < 1 - δ"
)
LIKELY_OVER_TABLES = (
    "the same with the inner minimum over all tables, λ ≤ n/K, π its smallest chance of action 0: "
    "K (2 exp(-Kπ/4) + exp(-n/32)) < 1 - δ"
)


def _exhibit(_: Case) -> dict[str, Array]:
    """The values of the states after the start, and both classes."""
    return {
        "values": values_after_start(_problem(System.RATIONALS)),
        "class.1": _first_class(System.RATIONALS).tables,
        "class.2": _second_class(System.RATIONALS).tables,
    }


TRAPPED = Setting(
    "a trapped run of K steps with n = samples · K⁴ data each, and δ = 1/certainty",
    (
        Table("samples", lambda _: (), 1, 9),
        Table("certainty", lambda _: (), 2, 99),
        Derived("game", lambda case: _problem(case.system).game),
        Derived("number", lambda case: case.samples * _fourth(like(case.sizes.steps, case.system))),
    ),
    (
        Hypothesis(LIKELY, lambda case: _likely(like(case.sizes.steps, case.system), case.number, case.certainty)),
        Hypothesis(
            LIKELY_OVER_TABLES,
            lambda case: _likely_over_tables(
                like(case.sizes.steps, case.system),
                case.number,
                case.certainty,
                _share_at_end(like(case.sizes.steps, case.system)),
            ),
        ),
    ),
    agents=(1, 1),
    states=(1, 1),
    steps=(100, 40_000),
    action_range=(2, 2),
    explore=False,
    exhibit=_exhibit,
)


CONSTANTS = Setting(
    "a trapped run of K = (500c)² steps with n = K⁴ data each, and δ = 1/certainty",
    (
        Table("constant", lambda _: (), 1, 10_000),
        Table("certainty", lambda _: (), 2, 99),
        Derived("game", lambda case: _problem(case.system).game),
        Derived("runs", lambda case: square(500 * case.constant)),
        Derived("number", lambda case: _fourth(case.runs)),
    ),
    (
        Hypothesis(LIKELY, lambda case: _likely(case.runs, case.number, case.certainty)),
        Hypothesis(
            LIKELY_OVER_TABLES,
            lambda case: _likely_over_tables(case.runs, case.number, case.certainty, like(Fraction(1, 4), case.system)),
        ),
    ),
    agents=(1, 1),
    states=(1, 1),
    action_range=(2, 2),
    explore=False,
    exhibit=_exhibit,
)


def run_of(case: Case) -> Theorem:
    """Algorithm 4 with one critic for all agents: ``f_k ≈ argmin_f f(s_0, π_k) + λ E_{D_k}(f)`` over joint tables, up to ``ε_o``.

    The value of ``f_k`` exceeds ``J_k`` by at most ``min_f (‖f - T f‖_∞/(1-γ) + λ E(f)) + ε_o - λ E(f_k)``, by lemma-d.6.
    """
    game, finite = case.game, FiniteClass(case.tables, case.game.agents)
    roots = own_roots(game, case.sizes.steps)
    etas = [root / case.horizon for root in roots]
    sums, run = [0 * factor for factor in Policy.uniform(game).factors], []
    for k in range(case.sizes.steps):
        factors = tuple(tilt(like(1, table), eta * table) for eta, table in zip(etas, sums, strict=True))
        policy = unchecked(Policy, factors=factors, system=case.system)
        errors = finite.errors(game, policy, frequencies(case.law, case.counts[..., k, :, :, :]))
        objective = finite.start_values(policy, case.start) + case.penalty * errors
        chosen = by_floats(_first_smallest, objective)  # any choice will do, and this one exists where balls see a tie
        missed = (chosen * objective).sum(-1) - smallest(objective)
        critic = contract("...f,...fsa->...sa", chosen, finite.tables)
        error = maximum((chosen * errors).sum(-1), like(0, missed))
        allowed = finite.allowance(game, policy, errors, case.penalty, case.horizon) + missed
        run.append(Iterate(game, policy, critic, case.distribution, case.start, error, allowed))
        sums = [
            before + split_last(view, before.shape[-1])
            for before, view in zip(sums, run[-1].marginals[1:], strict=True)
        ]
    return tuned(case, run, roots)


def _first_smallest(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """1 at the first of the smallest scores along the last axis, and 0 elsewhere."""
    return (np.arange(scores.shape[-1]) == argmax(-scores)[..., None]).astype(np.float64)


PESSIMISTIC = pessimistic("f_k(s_0, π_k) + λE(f_k) ≤ J_k + min_f (‖f - T f‖_∞/(1-γ) + λE(f)) + ε_o")


def repaired_theorem(case: Case) -> Iterator[Line]:
    """One joint critic: optimisation, ``C²/(4λ(1-γ)²) + C ε_b/(1-γ)``, and what pessimism pays."""
    yield from opening(case.theorem)
    yield from bounded(
        case.theorem,
        given(PESSIMISTIC, case),
        "[min_f (‖f - T f‖_∞/(1-γ) + λE(f)) + ε_o]",
        "lemma-d.6 with every f of the class in the place of f_π: f_k minimises f(s_0, π_k) + λE(f) up to ε_o",
    )


def _joint(case: Case) -> Array:
    """Joint critics in ``[0, 1/(1-γ)]``: the ``j``-th has shares ``(k + j)/12``, so that none is 0 but the first."""
    offsets = like(list(range(CRITICS)), case.system).reshape(CRITICS, 1, 1)
    return (case.members + offsets) / 12 * case.horizon


@dataclass(frozen=True)
class CountsOfRun(Counts):
    """One sample for every iteration, ``[..., K, S, A, S+1]``."""

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        (one,) = super().coordinates(sizes)
        return (Coordinate(one.name, (sizes.steps, *one.shape), one.kind, one.low, one.high),)


def _samples_exist(case: Case) -> Truth:
    sums = np.stack([_mass(case, k) for k in range(case.sizes.steps)], axis=-1)
    return compare(sums, ">", like(0, sums))


def _mass(case: Case, k: int) -> Array:
    return possible(case.law, case.counts[..., k, :, :, :]).sum((-3, -2, -1))


JOINT = Setting(
    "K steps with one critic for all agents, chosen from a finite class on any samples, against any comparator",
    (
        GameData(termination=False, reward=(0, 9), scale=9, start=False),
        PolicyData("target"),
        START,
        Distribution("mu", lambda sizes: (sizes.states * prefix_sizes(sizes.actions)[-1],), full_support=True),
        Table("members", lambda sizes: (CRITICS, sizes.states, prefix_sizes(sizes.actions)[-1]), 0, 9),
        PositiveScalar("penalty"),
        CountsOfRun("counts"),
        Derived("distribution", lambda case: case.mu.reshape(*case.mu.shape[:-1], case.sizes.states, -1)),
        Derived("law", lambda case: law_of_data(case.game, case.target, case.distribution, case.game.agents)),
        Derived("horizon", lambda case: case.game.horizon),
        Derived("tables", _joint),
        Derived("theorem", run_of),
    ),
    (SOUND[0], Hypothesis("no sample is empty", _samples_exist), PESSIMISTIC),
    agents=(1, 2),
    states=(1, 2),
    steps=(1, 2),
    action_range=(1, 2),
    explore=False,
)


ANY_RUN = Setting(
    "K steps with any policies, any joint critics, any Bellman errors, against any comparator",
    (
        GameData(termination=False, reward=(0, 9), scale=9, start=False),
        PolicyData("target"),
        START,
        Distribution("mu", lambda sizes: (sizes.states * prefix_sizes(sizes.actions)[-1],), full_support=True),
        *FREE_RUN,
        Derived("data", lambda case: case.mu.reshape(*case.mu.shape[:-1], case.sizes.states, -1)),
        Derived("theorem", any_run),
    ),
    (SOUND[0], PESSIMISTIC),
    agents=(1, 2),
    states=(1, 2),
    steps=(1, 2),
)


SCOPE = (
    "With the constants 2√2, as the proof gives for the first term, and 10 for the second.  ζ_F = ζ_FF = 0, C = √2, "
    "|F^1| = 3, |F^2| = 1, every λ with the inner minimum over the class, and λ ≤ n/K with that over all tables.  Other powers "
    "of K and n in the second term change nothing, since n may be as large as one likes."
)

CLAIMS = (
    Claim(
        "theorem-d.7",
        "Global convergence with finite classes, trapped",
        "Appendix D, Theorem D.7",
        TRAPPED,
        printed_theorem,
        statement="J_* - J(π̂) ≤ 2√2 N √(log|A|/K)/(1-γ)² + 10 C (K log(|F|/δ)/n)^{1/3}/(1-γ)² for ζ_F = ζ_FF = 0, "
        "with probability ≥ 1 - δ",
        record=Standing.REFUTED,
        note=SCOPE,
        repaired_by="theorem-d.7/repaired",
        transcendental=True,
    ),
    Claim(
        "theorem-d.7/any-constant",
        "Global convergence with finite classes, for every constant",
        "Appendix D, Theorem D.7",
        CONSTANTS,
        any_constant,
        statement="J_* - J(π̂) ≤ c [N √(log|A|/K)/(1-γ)² + C (K log(|F|/δ)/n)^{1/3}/(1-γ)²] for ζ_F = ζ_FF = 0, "
        "with probability ≥ 1 - δ",
        record=Standing.REFUTED,
        note="The mean gap is at least the left side for every K, and at K = (500c)², n = K⁴ the bound is below it for every "
        "c ≥ 1.",
        repaired_by="theorem-d.7/repaired",
        transcendental=True,
    ),
    Claim(
        "theorem-d.7/trap",
        "What the counterexample rests on",
        "Appendix D, Theorem D.7",
        TRAP,
        trap,
        statement="ζ_F = ζ_FF = 0, E_D(g) = 0, g or g' is chosen, J_* - J(π) = π^1(1|s)/6, C = √2",
        record=Standing.SURVIVED,
        note="Not proved in symbols: which critic is smallest depends on the numbers; every instance is decided exactly.",
        kind=Kind.BEYOND,
    ),
    Claim(
        "theorem-d.7/repaired",
        "One critic for all agents",
        "Appendix D, Theorem D.7, repaired",
        JOINT,
        repaired_theorem,
        statement="J_* - mean_k J_k ≤ 2√2 Σ_m √(log|A_m|/K)/(1-γ)² + C²/(4λ(1-γ)²) + C ε_b/(1-γ) + √ζ_F/(1-γ) + λ ε_r + ε_o "
        "wherever f_k minimises up to ε_o, E_D(f_{π_k}) ≤ ε_r and ‖f_k - T f_k‖_{2,μ} ≤ ε_b + √E_D(f_k)",
        record=Standing.PROVED,
        general=General(ANY_RUN, of_run),
        symbolic=(Sizes(1, (2, 2), 1), Sizes(1, (2, 2), 2), Sizes(2, (2,), 2), Sizes(1, (2, 2, 2), 1)),
        note="lemma-d.4 and lemma-d.5 give ε_r = O(K log(|F|/δ)/((1-γ)² n) + ζ_F), ε_b = O(√(K log(|F|/δ)/n)/(1-γ) + √ζ_FF); "
        "λ like ε_r^{-1/2} balances.",
        transcendental=True,
        kind=Kind.REPAIR,
    ),
)
