"""Section 3: the multi-agent action values, their Bellman operators, and single-agent mirror descent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np

from ...arithmetic import (
    Array,
    absolute,
    compare,
    contract,
    identity,
    largest,
    solve,
    zeros,
)
from ...claims.case import Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, at_most, equal, line
from ...claims.coordinates import Sizes
from ...claims.ingredients import START, GameData, PolicyData, Table
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...model.agents import prefix_sizes, sum_out_later
from ...quantities.agent_values import (
    agent_values,
    average_out,
    defined_at,
    subset_average,
)
from ...quantities.bellman import bellman_operator, contraction_factor
from ...quantities.chain import has_stationary_distribution, induced_reward, induced_transition, values_exist
from ...quantities.distributions import occupancy, state_action_distribution, stationary_distribution, visits
from ...quantities.optimal import optimal
from ...quantities.sequential import sequential_game, sequential_policy, values_by_agent
from ...quantities.values import (
    action_values,
    advantages,
    lookahead,
    returns,
    state_values,
)

VALUES_EXIST = Hypothesis("I - γP_π is invertible", lambda case: values_exist(case.game, case.policy))


GAME_AND_POLICY = Setting(
    "a game and a policy",
    (GameData(start=False), PolicyData("policy")),
    (VALUES_EXIST,),
    agents=(1, 4),
    max_table=2_000,
)


GAME_AND_PRODUCT_POLICY = Setting(
    "a game and a product policy", (GameData(start=False), PolicyData("policy", product=True)), (VALUES_EXIST,)
)


def _joint(sizes: Sizes) -> tuple[int, int]:
    return sizes.states, prefix_sizes(sizes.actions)[-1]


def subsets_of(agents: int) -> list[tuple[int, ...]]:
    """Every subset of the agents 1..N, small ones first."""
    return [kept for size in range(agents + 1) for kept in combinations(range(1, agents + 1), size)]


def values_and_visits(case: Case) -> Iterator[Line]:
    """The Bellman equation and its dual, and what they say of ``J``, visits and occupancy."""
    game, policy, start = case.game, case.policy, case.start
    values, table, weights = state_values(game, policy), action_values(game, policy), visits(game, policy, start)
    gamma, chain = game.discount, induced_transition(game, policy)
    yield line("V_π(s)", values)
    yield equal(
        "r_π(s) + γ Σ_s' P_π(s, s') V_π(s')",
        induced_reward(game, policy) + gamma * contract("...st,...t->...s", chain, values),
        because="V_π solves (I - γP_π) V = r_π",
    )
    yield equal(
        "Σ_a π(a|s) Q_π(s, a)",
        contract("...sa,...sa->...s", policy.joint(), table),
        because="Q_π looks one step ahead of V_π",
    )
    yield line("A_π(s, a)", advantages(game, policy))
    yield equal("Q_π(s, a) - V_π(s)", table - values[..., None], because="the definition")
    yield line("J_ρ(π) = Σ_s ρ(s) V_π(s)", returns(game, policy, start))
    yield equal(
        "Σ_s d(s) r_π(s)",
        contract("...s,...s->...", weights, induced_reward(game, policy)),
        because="d = ρᵀ(I - γP_π)⁻¹: linear programming duality",
    )
    yield line("d(s)", weights)
    yield equal(
        "ρ(s) + γ Σ_s' d(s') P_π(s', s)",
        start + gamma * contract("...s,...st->...t", weights, chain),
        because="a visit is the first one, or follows a visit",
    )
    yield line("Σ_{s,a} (1-γ) d(s) π(a|s) r(s, a)", (occupancy(game, policy, start) * game.reward).sum((-2, -1)))
    yield equal(
        "(1-γ) J_ρ(π)",
        (1 - game.discount) * returns(game, policy, start),
        because="the occupancy is (1-γ) times the visits, spread by π",
    )


def occupancy_is_a_distribution(case: Case) -> Iterator[Line]:
    """Without termination the occupancy sums to 1."""
    table = occupancy(case.game, case.policy, case.start)
    yield line("Σ_{s,a} d_π(s, a)", table.sum((-2, -1)))
    yield equal("1", 1, because="Σ_t (1-γ) γᵗ = 1, and no mass is lost")
    yield line("0", 0)
    yield at_most("d_π(s, a)", table, because="it is a sum of probabilities")


def stationary(case: Case) -> Iterator[Line]:
    """``ν_π`` is a distribution that ``P_π`` keeps."""
    nu = stationary_distribution(case.game, case.policy)
    yield line("Σ_s ν(s) P_π(s, s')", contract("...s,...st->...t", nu, induced_transition(case.game, case.policy)))
    yield equal("ν(s')", nu, because="expected visits between two returns to one state are stationary")
    yield line("Σ_s ν(s)", nu.sum(-1))
    yield equal("1", 1, because="it is normalised")
    sigma = state_action_distribution(nu, case.policy)
    yield line("Σ_a σ(s, a)", sigma.sum(-1))
    yield equal("ν(s)", nu, because="σ = ν π")
    yield line("E_σ r(s, a)", (sigma * case.game.reward).sum((-2, -1)))
    yield equal(
        "E_ν r_π(s)",
        contract("...s,...s->...", nu, induced_reward(case.game, case.policy)),
        because="r_π is the π-average of r",
    )


def optimality(case: Case) -> Iterator[Line]:
    """Policy iteration's answer is an upper bound of every policy, and solves Bellman's optimality equation."""
    best = optimal(case.game)
    values = best.values
    yield line("V_π(s)", state_values(case.game, case.policy))
    yield at_most("V_*(s)", values, because="V_* ≥ r(·, a) + γP(·, a)V_* for every a, and (I - γP_π)⁻¹ ≥ 0")
    yield line("V_*(s)", values)
    yield equal(
        "max_a [r(s, a) + γ Σ_s' P(s'|s, a) V_*(s')]",
        largest(lookahead(case.game, values)),
        because="policy iteration stops where no action improves",
    )
    yield line("V_{π_*}(s), π_* the policy that was returned", state_values(case.game, best.policy))
    yield equal("V_*(s)", values, because="the values are those of the policy")


def four_ways(case: Case) -> Iterator[Line]:
    """``Q^{1:m}``, all m on one axis, by expectation, marginalisation, fixed point and the sequential game."""
    game, policy = case.game, case.policy
    table, prefixes = action_values(game, policy), policy.prefix_probabilities()
    marginalised = agent_values(game, policy)
    agents = range(game.agents + 1)

    def flat(tables: list[Array] | tuple[Array, ...]) -> Array:
        return np.concatenate([entry.reshape(game.states, -1) for entry in tables], axis=-1)

    yield line(
        "Q^{1:m}(s, a^{1:m}) = Σ_{a^{m+1:N}} Π_{j>m} π^j(a^j|s, a^{1:j-1}) Q_π(s, a), for every m",
        flat([subset_average(table, policy, range(1, m + 1), "intervention") for m in agents]),
    )
    yield equal(
        "Q^{1:m} by averaging agents N, ..., m+1 out one by one",
        flat(marginalised),
        because="the tower property: the product of the later factors is summed from the last one inwards",
    )
    yield equal(
        "T^{1:m} Q^{1:m}",
        flat([bellman_operator(game, policy, marginalised[m], m) for m in agents]),
        because="the Bellman equation of V_π; the fixed point is unique by definition-3.2/uniqueness",
    )
    sequential = values_by_agent(game, action_values(sequential_game(game), sequential_policy(policy)))
    yield equal(
        "action values of the game in which agents move one after the other",
        flat([state_values(game, policy)[..., None], *sequential]),
        because="only the last agent's move earns, discounts and moves the state",
    )
    weighted = [mass * value for mass, value in zip(prefixes, marginalised, strict=True)]
    yield line("π(a^{1:m}|s) Q^{1:m}(s, a^{1:m})", flat(weighted))
    yield equal(
        "Σ_{a^{m+1:N}} π(a|s) Q_π(s, a), which is π(a^{1:m}|s) E[Q_π | a^{1:m}]",
        flat([sum_out_later(policy.joint() * table, game.action_sizes, m) for m in agents]),
        because="Bayes: conditioning on a prefix of positive probability leaves the later factors as they are",
    )


def readings_agree(case: Case) -> Iterator[Line]:
    """Conditioning against intervention, for every subset of agents, where conditioning is defined."""
    table = action_values(case.game, case.policy)
    for kept in subsets_of(case.game.agents):
        yield line(
            f"Q^P(s, a^P), P = {set(kept) or '{}'}, conditioning on a^P",
            subset_average(table, case.policy, kept, "conditioning").ravel(),
            where=defined_at(case.policy, kept, "conditioning").ravel(),
        )
        yield equal(
            "the same, clamping a^P and leaving every other factor alone",
            subset_average(table, case.policy, kept, "intervention").ravel(),
            because="the others do not look at a^P, or only later agents do",
        )


def fixed_point(case: Case) -> Iterator[Line]:
    """``Q^{1:m}`` is a fixed point of ``T^{1:m}``, and marginalising commutes with the operators."""
    game, policy, table = case.game, case.policy, case.f
    values = agent_values(game, policy)
    for m in range(game.agents + 1):
        yield line(f"T^{{1:{m}}} Q^{{1:{m}}}", bellman_operator(game, policy, values[m], m))
        yield equal(f"Q^{{1:{m}}}", values[m], because="the Bellman equation, averaged over the later agents")
        yield line(
            f"E_π[T^{{1:N}} f | a^{{1:{m}}}]",
            average_out(bellman_operator(game, policy, table, game.agents), policy, game.agents, m)[0],
        )
        yield equal(
            f"T^{{1:{m}}} E_π[f | a^{{1:{m}}}]",
            bellman_operator(game, policy, average_out(table, policy, game.agents, m)[0], m),
            because="f enters only through f(s', π), which averaging first does not change",
        )


def lipschitz(case: Case) -> Iterator[Line]:
    """``‖T f - T g‖_∞ ≤ γ max_{s,a} P(S|s, a) ‖f - g‖_∞``, for ``T^{1:N}`` and, through averages, for every ``m``."""
    game, policy = case.game, case.policy
    for m in range(game.agents + 1):
        f, g = (average_out(table, policy, game.agents, m)[0] for table in (case.f, case.g))
        images = bellman_operator(game, policy, f, m) - bellman_operator(game, policy, g, m)
        ahead = absolute(average_out(f - g, policy, m)[0][..., 0])
        step = game.discount * contract("...sat,...t->...sa", game.transition, ahead)
        yield line(f"‖T^{{1:{m}}}f - T^{{1:{m}}}g‖_∞", largest(absolute(images), (-2, -1)))
        yield at_most(
            "max_{s,a} γ Σ_s' P(s'|s, a) |f(s', π) - g(s', π)|",
            largest(step, (-2, -1)),
            because="the rewards cancel; a mean of numbers is at most the largest of their absolute values",
        )
        yield at_most(
            "γ max_{s,a} P(S|s, a) · ‖f - g‖_∞",
            contraction_factor(game) * largest(absolute(f - g), (-2, -1)),
            because="an average of f - g is at most its supremum norm, and P(·|s, a) has mass at most P(S|s, a)",
        )


def unique_fixed_point(case: Case) -> Iterator[Line]:
    """The affine equation ``f = T f`` has one solution, found by solving it as it stands."""
    game, policy = case.game, case.policy
    for m in range(game.agents + 1):
        size = game.states * prefix_sizes(game.action_sizes)[m]
        shape = (game.states, prefix_sizes(game.action_sizes)[m])
        zero = zeros(shape, game.system)
        constant = bellman_operator(game, policy, zero, m)
        columns = []
        for unit in identity(size, game.system):
            image = bellman_operator(game, policy, zero + unit.reshape(shape), m)
            columns.append((image - constant).reshape(size))
        linear = np.stack(columns, axis=-1)
        right = constant.reshape(size, 1)
        solution = solve(identity(size, game.system) - linear, right)
        yield line(f"the solution of f = T^{{1:{m}}} f", solution.reshape(shape))
        yield equal(
            f"Q^{{1:{m}}}",
            agent_values(game, policy)[m],
            because="T is affine, and I minus its linear part is invertible exactly when I - γP_π is",
        )


def shifted_fixed_point(case: Case) -> Iterator[Line]:
    """With γ = 1 and no termination, ``T(f + c) = T f + c``: if there is a fixed point, there is a line of them."""
    game, policy, f = case.game, case.policy, case.f
    for m in range(game.agents + 1):
        below = average_out(f, policy, game.agents, m)[0]
        yield line(f"T^{{1:{m}}}(f + 1)", bellman_operator(game, policy, below + 1, m))
        yield equal(
            f"T^{{1:{m}}} f + 1",
            bellman_operator(game, policy, below, m) + 1,
            because="P(·|s, a) has mass 1 and nothing is discounted, so f + 1 is fixed where f is",
        )


ONE_BY_TWO, TWO_BY_TWO = Sizes(1, (2, 2)), Sizes(2, (2, 2))


SETUP = Setting(
    "a game with a start, and a policy",
    (GameData(start=False), PolicyData("policy"), START),
    (VALUES_EXIST,),
)


ENDLESS = Setting(
    "a game without termination, a policy and a start",
    (GameData(start=False, termination=False), PolicyData("policy"), START),
    (VALUES_EXIST,),
)

CLAIMS = (
    Claim(
        "section-3.1",
        "Values, visits and occupancy satisfy Bellman's equation and its dual",
        "Section 3.1",
        SETUP,
        values_and_visits,
        statement="V_π = r_π + γP_π V_π = E_π Q_π;  J = ρV_π = d r_π;  d = ρ + γ d P_π;  d_π = (1-γ) d π",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO, TWO_BY_TWO),
        points=(Sizes(3, (2, 3)),),
    ),
    Claim(
        "section-3.1/occupancy",
        "The occupancy is a distribution",
        "Section 3.1",
        ENDLESS,
        occupancy_is_a_distribution,
        statement="d_π ≥ 0 and Σ_{s,a} d_π(s, a) = 1 where nothing terminates and γ < 1",
        record=Standing.SURVIVED,
        note="Σ d_π = 1 is an identity.  The line 0 ≤ d_π(s, a) is not proved in symbols: there 1 - γ ≥ 0 is no fact but "
        "a hypothesis.",
    ),
    Claim(
        "section-3.1/stationary",
        "The stationary distribution is one",
        "Section 3.1",
        replace(
            ENDLESS,
            ingredients=ENDLESS.ingredients[:2],
            hypotheses=(
                Hypothesis(
                    "P_π has one recurrent class", lambda case: has_stationary_distribution(case.game, case.policy)
                ),
            ),
        ),
        stationary,
        statement="ν_π P_π = ν_π, Σ_s ν_π(s) = 1, σ_π = ν_π π",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO, TWO_BY_TWO),
        points=(Sizes(3, (2, 3)),),
    ),
    Claim(
        "section-3.1/optimal",
        "Policy iteration finds the optimal values",
        "Section 3.1, the optimal policy π_*",
        replace(
            SETUP,
            ingredients=(GameData(start=False, discounted=True), PolicyData("policy")),
            hypotheses=(
                Hypothesis(
                    "γ < 1, so that every policy has values",
                    lambda case: compare(case.game.discount, "<", 1),
                ),
            ),
        ),
        optimality,
        statement="V_π ≤ V_* = max_a [r(·, a) + γP(·, a)V_*] for every policy π",
        record=Standing.SURVIVED,
        note="No line is proved in symbols: which policy is optimal depends on the numbers.  On every instance it is "
        "certified by duality.",
        kind=Kind.READING,
    ),
    Claim(
        "definition-3.1",
        "The multi-agent action values, computed four ways",
        "Definition 3.1",
        GAME_AND_POLICY,
        four_ways,
        statement="Q^{1:m}(s, a^{1:m}) = E_{a^{m+1:N} ~ π(·|s, a^{1:m})} Q_π(s, a), for m = 0..N",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO, Sizes(2, (2, 1)), TWO_BY_TWO),
        points=(Sizes(2, (2, 2)), Sizes(3, (2, 3)), Sizes(2, (2, 2, 2))),
    ),
    Claim(
        "definition-3.1/product-readings",
        "For product policies, conditioning and intervention are one reading",
        "Definition 3.1, for subsets that are no prefix",
        GAME_AND_PRODUCT_POLICY,
        readings_agree,
        statement="E[Q_π | a^P] = E[Q_π | do(a^P)] for every subset P, if π = Π_m π^m(a^m|s)",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO, TWO_BY_TWO),
        points=(Sizes(2, (2, 3)), Sizes(2, (2, 2, 2))),
        kind=Kind.READING,
    ),
    Claim(
        "definition-3.1/conditional-readings",
        "For conditional policies, conditioning and intervention are one reading",
        "Definition 3.1, for subsets that are no prefix",
        GAME_AND_POLICY,
        readings_agree,
        statement="E[Q_π | a^P] = E[Q_π | do(a^P)] for every subset P and every policy",
        record=Standing.REFUTED,
        note="The paper does not say which it means; it only uses prefixes, where the two agree. So both are implemented, named.",
        kind=Kind.READING,
    ),
    Claim(
        "definition-3.2",
        "Q^{1:m} is a fixed point of T^{1:m}, and marginalising intertwines the operators",
        "Definition 3.2",
        Setting(
            "a game, a policy and a table",
            (GameData(start=False), PolicyData("policy"), Table("f", _joint)),
            (VALUES_EXIST,),
        ),
        fixed_point,
        statement="T^{1:m}_π Q^{1:m}_π = Q^{1:m}_π and E_π[T^{1:N} f | a^{1:m}] = T^{1:m} E_π[f | a^{1:m}]",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO, TWO_BY_TWO),
        points=(Sizes(3, (2, 3)), Sizes(2, (2, 2, 2))),
    ),
    Claim(
        "definition-3.2/lipschitz",
        "T^{1:m} is Lipschitz with constant γ times the largest row mass of P",
        "Definition 3.2",
        Setting(
            "a game, a policy and two tables",
            (GameData(start=False), PolicyData("policy"), Table("f", _joint), Table("g", _joint)),
        ),
        lipschitz,
        statement="‖T^{1:m} f - T^{1:m} g‖_∞ ≤ γ max_{s,a} P(S|s, a) ‖f - g‖_∞",
        record=Standing.SURVIVED,
        note="Neither line is proved in symbols: both bound a largest entry by entries at other places, which is no "
        "single axiom.",
    ),
    Claim(
        "definition-3.2/uniqueness",
        "Q^{1:m} is the only fixed point where I - γP_π is invertible",
        "Definition 3.2",
        replace(GAME_AND_POLICY, agents=(1, 3), max_table=60),
        unique_fixed_point,
        statement="f = T^{1:m}_π f implies f = Q^{1:m}_π, if I - γP_π is invertible",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO,),
        points=(Sizes(2, (2, 2)), Sizes(1, (2, 3))),
    ),
    Claim(
        "definition-3.2/no-discount",
        "Without discount and termination a fixed point is never unique",
        "Definition 3.2, the converse of uniqueness",
        Setting(
            "an undiscounted game that never terminates, a policy and a table",
            (GameData(start=False, termination=False, discounted=False), PolicyData("policy"), Table("f", _joint)),
        ),
        shifted_fixed_point,
        statement="γ = 1 and P(S|s, a) = 1 imply T^{1:m}(f + 1) = T^{1:m} f + 1",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO, TWO_BY_TWO),
        points=(Sizes(3, (2, 3)),),
        kind=Kind.HYPOTHESIS,
    ),
)
