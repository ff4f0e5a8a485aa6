"""Every quantity against the oracle of plain loops: exactly on rationals, to rounding on floats, and in batches."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

import oracle
from mappo_verify import quantities
from mappo_verify.arithmetic import System, compare, constant, like, log
from mappo_verify.arithmetic.floats import is_batch_minor
from mappo_verify.arithmetic.precision import precision
from mappo_verify.errors import ExactnessError, GameError, MixedArithmeticError, SingularError, UndecidedError
from mappo_verify.games.named import random_game
from mappo_verify.model import Game, Policy
from mappo_verify.quantities.agent_values import (
    agent_advantages,
    agent_values,
    companion_weights,
    conditional_marginal,
    defined_at,
    marginal,
    subset_advantages,
    subset_average,
    subset_values,
)
from mappo_verify.quantities.bellman import bellman_operator, contraction_factor, row_mass
from mappo_verify.quantities.chain import has_stationary_distribution, reachable, recurrent_classes, values_exist
from mappo_verify.quantities.concentrability import concentrability, density_ratio, dominates, squared_concentrability
from mappo_verify.quantities.distributions import (
    occupancy,
    state_action_distribution,
    stationary_distribution,
    visits,
)
from mappo_verify.quantities.divergence import kl_divergence, l1_distance, squared_norm, sup_norm, total_variation
from mappo_verify.quantities.mirror_descent import (
    averaged_objective,
    fit_step,
    log_linear_step,
    mirror_gradient,
    mirror_objective,
    mirror_step,
)
from mappo_verify.quantities.performance_difference import return_difference
from mappo_verify.quantities.sequential import sequential_game, sequential_policy, values_by_agent
from mappo_verify.quantities.values import (
    action_values,
    advantages,
    bellman_matrix,
    induced_reward,
    induced_transition,
    is_near_one,
    lookahead,
    returns,
    state_values,
)

SEEDS = range(300)
READINGS = ("conditioning", "intervention")


@cache
def case(seed):
    """``(oracle game, policy, target)`` and the same as the package's exact objects."""
    game, policy, target = oracle.draw_case(seed)
    return (game, policy, target), (Game(**oracle.arguments(game)), Policy(policy), Policy(target))


def rational(values):
    """Nested Fractions as an array of rationals."""
    return like(np.array(values, dtype=object), System.RATIONALS)


def keyed(table, subset):
    """A table ``[S, |A_1| or 1, ..., |A_N| or 1]`` as ``{(s, a^P): value}``."""
    result = {}
    for index in np.ndindex(*table.shape):
        result[index[0], tuple(index[m] for m in subset)] = table[index]
    return result


def test_the_cases_cover_what_they_claim():
    drawn = [case(seed)[0] for seed in SEEDS]
    games = [game for game, _, _ in drawn]
    assert {len(game["sizes"]) for game in games} == {1, 2, 3, 4}
    assert {game["gamma"] for game in games} == set(oracle.DISCOUNTS)
    assert sum(len(set(game["sizes"])) > 1 for game in games) > 50
    assert sum(any(sum(row) < 1 for rows in game["P"] for row in rows) for game in games) > 50
    assert sum(not oracle.is_product(policy) for _, policy, _ in drawn) > 50
    assert sum(all(sum(rows[a][-1] for a in range(len(rows))) == 0 for rows in game["P"]) for game in games) > 20
    undefined = 0
    for game, policy, _ in drawn:
        table = game["r"]
        for subset in oracle.subsets(len(game["sizes"])):
            undefined += None in oracle.subset_average(table, game, policy, subset, "conditioning").values()
    assert undefined > 50


# --- values, distributions, returns -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "truth"),
    [
        (state_values, oracle.state_values),
        (action_values, oracle.action_values),
        (advantages, oracle.advantages),
        (visits, oracle.visits),
        (occupancy, oracle.occupancy),
        (returns, oracle.returns),
        (agent_values, oracle.agent_values),
        (agent_advantages, oracle.agent_advantages),
        (lambda game, policy: (induced_transition(game, policy), induced_reward(game, policy)), oracle.induced),
        (lambda game, policy: recurrent_classes(game, policy), oracle.recurrent_classes),
    ],
    ids=["V", "Q", "A", "visits", "occupancy", "returns", "Q^{1:m}", "A^m", "induced", "recurrent"],
)
def test_agrees_exactly(quantity, truth):
    for seed in SEEDS:
        (game, policy, _), (mv_game, mv_policy, _) = case(seed)
        found = quantity(mv_game, mv_policy)
        listed = [oracle.fractions(t) for t in found] if isinstance(found, (tuple, list)) else oracle.fractions(found)
        wanted = truth(game, policy)
        assert listed == oracle.fractions(wanted), f"seed {seed}"


def test_lookahead_and_bellman_matrix():
    for seed in SEEDS[:60]:
        (game, policy, _), (mv_game, mv_policy, _) = case(seed)
        chain, _ = oracle.induced(game, policy)
        matrix = [[(s == t) - game["gamma"] * p for t, p in enumerate(row)] for s, row in enumerate(chain)]
        assert oracle.fractions(bellman_matrix(mv_game, mv_policy)) == matrix
        guess = [Fraction(s, 7) for s in range(len(chain))]
        assert oracle.fractions(lookahead(mv_game, rational(guess))) == oracle.lookahead(game, guess)


def test_bellman_operators():
    for seed in SEEDS:
        (game, policy, _), (mv_game, mv_policy, _) = case(seed)
        rng = random.Random(seed)
        for m in range(len(game["sizes"]) + 1):
            prefixes = len(oracle.tuples(game["sizes"][:m]))
            table = [[Fraction(rng.randint(-5, 5), 2) for _ in range(prefixes)] for _ in game["P"]]
            found = bellman_operator(mv_game, mv_policy, rational(table), m)
            assert oracle.fractions(found) == oracle.bellman_operator(game, policy, table, m), f"seed {seed}, m = {m}"


@pytest.mark.parametrize("m", [-1, 3])
@pytest.mark.parametrize("name", ["state_action_distribution", "density_ratio", "dominates", "squared_concentrability",
                                  "law_of_data", "state_features", "population_moments", "data_moments"])  # fmt: skip
def test_a_prefix_has_a_length_from_0_to_n(name, m):
    """Python would count -1 from the end, and call 3 an index of a tuple."""
    _, (game, policy, _) = case(2)
    states, table = rational([1, 0, 0][: game.states]), rational([[1]] * game.states)
    arguments = {
        "state_action_distribution": (states, policy),
        "law_of_data": (game, policy, table),
        "state_features": (game, policy, table),
        "population_moments": (game, policy, table, table),
        "data_moments": (game, policy, table, game.outcomes),
    }.get(name, (states, policy, states, policy))
    with pytest.raises(GameError, match=rf"m = {m} is not in 0\.\.2"):
        getattr(quantities, name)(*arguments, m)


def test_bellman_operator_refuses_wrong_input():
    _, (game, policy, _) = case(2)
    with pytest.raises(GameError, match=r"m = 3 is not in 0\.\.2"):
        bellman_operator(game, policy, rational([[0] * 4] * game.states), 3)
    with pytest.raises(GameError, match="table has shape"):
        bellman_operator(game, policy, rational([[0] * 5] * game.states), 2)


def test_row_mass_and_contraction_factor():
    for seed in SEEDS[:60]:
        (game, _, _), (mv_game, _, _) = case(seed)
        mass = max(sum(row) for rows in game["P"] for row in rows)
        assert oracle.fractions([row_mass(mv_game)[()], contraction_factor(mv_game)[()]]) == [
            mass,
            game["gamma"] * mass,
        ]


def test_return_difference():
    for seed in SEEDS:
        (game, policy, target), (mv_game, mv_policy, mv_target) = case(seed)
        terms = oracle.fractions(return_difference(mv_game, mv_target, mv_policy))
        assert terms == oracle.return_difference(game, target, policy), f"seed {seed}"
        assert sum(terms) == oracle.returns(game, target) - oracle.returns(game, policy), f"seed {seed}"


def test_start_given_and_own():
    (game, policy, _), (mv_game, mv_policy, _) = next(case(seed) for seed in SEEDS if case(seed)[1][0].states > 1)
    states = len(game["P"])
    other = [Fraction(2, 3)] + [Fraction(0)] * (states - 2) + [Fraction(1, 3)]
    wanted = oracle.returns(game | {"start": other}, policy)
    assert oracle.fractions([returns(mv_game, mv_policy, other)[()]]) == [wanted]
    assert oracle.fractions([returns(mv_game.with_start(other), mv_policy)[()]]) == [wanted]
    with pytest.raises(GameError, match="no start distribution"):
        returns(mv_game.with_start(None), mv_policy)


@pytest.mark.parametrize("bad", [[math.nan, 1.0], [math.inf, 0.0]])
def test_a_start_that_is_not_finite_is_refused(bad):
    """``start=`` is user input like any other: no nan comes back as a return."""
    game = Game([[[1.0, 0.0]], [[0.0, 1.0]]], [[1.0], [0.0]], 0.5)
    with pytest.raises(GameError, match=r"start\[0\] = (nan|inf)"):
        returns(game, Policy.uniform(game), bad)


# --- subsets of agents ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reading", READINGS)
def test_values_of_every_subset(reading):
    for seed in SEEDS:
        (game, policy, _), (mv_game, mv_policy, _) = case(seed)
        table = oracle.action_values(game, policy)
        for subset in oracle.subsets(len(game["sizes"])):
            found = keyed(subset_values(mv_game, mv_policy, subset, reading), subset)
            defined = keyed(defined_at(mv_policy, subset, reading), subset)
            for key, value in oracle.subset_average(table, game, policy, subset, reading).items():
                place = f"seed {seed}, P = {subset}, (s, a^P) = {key}"
                assert bool(defined[key]) == (value is not None), place
                assert oracle.fractions([found[key]]) == [value or 0], place


@pytest.mark.parametrize("reading", READINGS)
def test_advantages_of_every_pair_of_disjoint_subsets(reading):
    for seed in SEEDS[:: 3 if reading == "conditioning" else 4]:
        (game, policy, _), (mv_game, mv_policy, _) = case(seed)
        table = oracle.action_values(game, policy)
        averages = {
            subset: oracle.subset_average(table, game, policy, subset, reading)
            for subset in oracle.subsets(len(game["sizes"]))
        }
        for given, subset in oracle.disjoint_pairs(len(game["sizes"])):
            both = tuple(sorted(given + subset))
            found = keyed(subset_advantages(mv_game, mv_policy, given, subset, reading), both)
            for (s, actions), value in averages[both].items():
                below = averages[given][s, tuple(a for m, a in zip(both, actions, strict=True) if m in given)]
                if value is not None and below is not None:
                    assert oracle.fractions([found[s, actions]]) == [value - below], f"seed {seed}, {given}, {subset}"


def test_prefix_subsets_are_the_prefix_values():
    for seed in SEEDS[:100]:
        _, (game, policy, _) = case(seed)
        for m, table in enumerate(agent_values(game, policy)):
            for reading in READINGS:
                same = subset_values(game, policy, range(1, m + 1), reading).reshape(table.shape)
                assert (same == table).all()


def test_companion_weights_are_distributions_of_the_others():
    for seed in SEEDS[:60]:
        _, (_, policy, _) = case(seed)
        for subset in oracle.subsets(policy.agents):
            others = tuple(m - 1 - policy.agents for m in range(1, policy.agents + 1) if m not in subset)
            for reading in READINGS:
                weights = np.broadcast_to(
                    companion_weights(policy, subset, reading), (policy.states, *policy.action_sizes)
                )
                defined = np.broadcast_to(defined_at(policy, subset, reading), marginal(policy, subset).shape)
                if reading == "conditioning" and others:
                    assert (weights.sum(axis=others, keepdims=True)[defined] == 1).all()


@pytest.mark.parametrize("reading", READINGS)
def test_conditional_marginals(reading):
    """``π(a^{P'} | a^P)`` as the average of an indicator: what lemma-b.3 weighs advantages by."""
    for seed in SEEDS[:60]:
        (game, policy, _), (_, mv_policy, _) = case(seed)
        sizes, states = game["sizes"], len(game["P"])
        for given, chosen in oracle.disjoint_pairs(len(sizes)):
            both = tuple(sorted(given + chosen))
            found = conditional_marginal(mv_policy, given, chosen, reading)
            found = keyed(np.broadcast_to(found, (states, *found.shape[1:])), both)
            for actions in oracle.tuples([sizes[m - 1] for m in both]):
                wanted = dict(zip(both, actions, strict=True))
                hit = [all(a[m - 1] == wanted[m] for m in chosen) for a in oracle.tuples(sizes)]
                indicator = [[Fraction(h) for h in hit]] * states
                truth = oracle.subset_average(indicator, game, policy, given, reading)
                for s in range(states):
                    value = truth[s, tuple(wanted[m] for m in given)]
                    assert oracle.fractions([found[s, actions]]) == [value or 0], f"seed {seed}, {given}, {chosen}"


def test_subset_average_of_any_table():
    (game, policy, _), (_, mv_policy, _) = case(6)
    table = [[Fraction(3 * s - a, 5) for a in range(len(row))] for s, row in enumerate(game["r"])]
    for subset in oracle.subsets(3):
        found = keyed(subset_average(rational(table), mv_policy, subset), subset)
        for key, value in oracle.subset_average(table, game, policy, subset, "conditioning").items():
            assert oracle.fractions([found[key]]) == [value or 0]


def test_subsets_refused():
    _, (game, policy, _) = case(2)
    with pytest.raises(GameError, match=r"agents \(3,\) are not all in 1\.\.2"):
        subset_values(game, policy, (3,))
    with pytest.raises(GameError, match=r"\(0,\)"):
        subset_values(game, policy, (0,))
    with pytest.raises(GameError, match="share agents"):
        subset_advantages(game, policy, (1,), (1, 2))
    chain = Policy([[[[Fraction(1, 2)] * 2]], [[[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)]]]])
    with pytest.raises(GameError, match="unknown reading"):
        companion_weights(chain, (2,), "guessing")


def product_with_zero_and_copycat():
    """A product policy that never plays agent 2's action 1, and a conditional one; one state, 2x2 actions."""
    third, one, zero = [Fraction(1, 3), Fraction(2, 3)], Fraction(1), Fraction(0)
    product = Policy.product([[third], [[one, zero]]])
    copycat = Policy([[[third]], [[[one, zero], [zero, one]]]])
    game = Game([[[zero]] * 4], [[Fraction(k) for k in (1, 2, 4, 8)]], zero, (2, 2))
    return game, product, copycat


def test_a_product_policy_in_a_batch_is_still_a_product_policy():
    """Product policies are defined by their factors everywhere (CLAIMS.md section 0), whatever shares their batch."""
    game, product, copycat = product_with_zero_and_copycat()
    alone = subset_values(game, product, (2,), "conditioning")
    assert oracle.fractions(alone) == [[[3, 6]]]
    batch = Policy(tuple(np.stack(pair) for pair in zip(product.factors, copycat.factors, strict=True)))
    assert (defined_at(batch, (2,), "conditioning")[0] == defined_at(product, (2,), "conditioning")).all()
    assert (subset_values(game, batch, (2,), "conditioning")[0] == alone).all()


def test_a_product_policy_in_balls_is_still_a_product_policy():
    """The ball of ``Q^{2}`` contains the exact value also where the product policy gives ``a²`` probability 0."""
    game, product, _ = product_with_zero_and_copycat()
    exact = subset_values(game, product, (2,), "conditioning")
    ball = subset_values(game.balls(), product.balls(), (2,), "conditioning")
    assert (defined_at(product.balls(), (2,), "conditioning") == defined_at(product, (2,), "conditioning")).all()
    for value, enclosure in zip(exact.ravel(), ball.ravel(), strict=True):
        assert enclosure.contains(value), f"{enclosure} does not contain {value}"


# --- stationary distributions -----------------------------------------------------------------------------------------


def test_stationary_distributions():
    unique = several = none = 0
    drawn = [case(seed) for seed in SEEDS]
    for seed in range(40):  # deterministic policies on sparse games of 4 states: often several classes
        rng = random.Random(seed)
        game = oracle.draw_game(rng, 4, (2, 2), Fraction(1, 2), terminating=False)
        game["P"] = [[oracle.draw_row(rng, 4, deterministic=True) for _ in row] for row in game["P"]]
        policy = oracle.draw_policy(rng, 4, (2, 2), "deterministic")
        drawn.append(((game, policy, None), (Game(**oracle.arguments(game)), Policy(policy), None)))
    for seed, ((game, policy, _), (mv_game, mv_policy, _)) in enumerate(drawn):
        classes = oracle.recurrent_classes(game, policy)
        if len(classes) == 1:
            unique += 1
            wanted = oracle.stationary_distribution(game, policy, classes[0])
            assert oracle.fractions(stationary_distribution(mv_game, mv_policy)) == wanted, f"seed {seed}"
        elif classes:
            several += 1
            with pytest.raises(GameError, match="several recurrent classes") as caught:
                stationary_distribution(mv_game, mv_policy)
            for group in classes:
                assert "{" + ", ".join(map(str, group)) + "}" in str(caught.value)
                wanted = oracle.stationary_distribution(game, policy, group)
                assert oracle.fractions(stationary_distribution(mv_game, mv_policy, group)) == wanted
        else:
            none += 1
            with pytest.raises(GameError, match="no stationary distribution"):
                stationary_distribution(mv_game, mv_policy)
    assert unique > 50 and several > 5 and none > 30


def two_absorbing(batch=False):
    zero, one, half = Fraction(0), Fraction(1), Fraction(1, 2)
    stay = [[[one, zero, zero]], [[zero, one, zero]], [[half, half, zero]]]
    return Game([stay] * 2 if batch else stay, [[zero]] * 3, half, state_names=("left", "right", "middle"))


def test_what_is_reached_is_the_same_however_a_batch_is_stored():
    """0 → 1 → 2, and the other way round: three steps along a line."""
    line = np.eye(3, k=1, dtype=bool)
    for stacked in (np.stack([line, line.T]), np.stack([line, line.T], axis=-1).transpose(2, 0, 1)):
        assert reachable(stacked).tolist() == [np.triu(np.ones((3, 3), bool)).tolist(), np.tri(3, dtype=bool).tolist()]
        assert not stacked[0, 0, 0]
    assert reachable(line).tolist() == np.triu(np.ones((3, 3), bool)).tolist()


def test_recurrent_classes_are_named_and_chosen():
    game = two_absorbing()
    policy = Policy.uniform(game)
    assert recurrent_classes(game, policy) == [(0,), (1,)]
    with pytest.raises(GameError, match=r"\{left\}; \{right\}"):
        stationary_distribution(game, policy)
    assert oracle.fractions(stationary_distribution(game, policy, (1,))) == [0, 1, 0]
    for wrong in ((0, 1), (2,), (), (3,), (-1,)):
        with pytest.raises(GameError, match="recurrent"):
            stationary_distribution(game, policy, wrong)
    with pytest.raises(GameError, match=r"at batch index \[0\]"):
        stationary_distribution(two_absorbing(batch=True), policy)
    with pytest.raises(GameError, match="single game"):
        recurrent_classes(two_absorbing(batch=True), policy)


def test_termination_too_small_for_the_balls_is_not_called_absent():
    """A leak of 2^-60 is invisible at 32 bits: balls must not return a stationary distribution that does not exist."""
    leak = Fraction(1, 2**60)
    third = Fraction(1, 3)
    game = Game([[[third, 1 - third - leak]], [[third, 1 - third]]], [[Fraction(0)]] * 2, Fraction(1, 2))
    policy = Policy.uniform(game)
    with pytest.raises(GameError, match="no stationary distribution"):
        stationary_distribution(game, policy)
    with precision(32), pytest.raises((UndecidedError, GameError)):
        stationary_distribution(game.balls(), policy.balls())

    with precision(32):
        assert int(has_stationary_distribution(game.balls(), policy.balls())) < 1  # not certainly
    assert int(has_stationary_distribution(game, policy)) == -1


def test_values_exist_is_not_certainly_false_where_termination_is_too_small_for_the_balls():
    third, leak = Fraction(1, 3), Fraction(1, 2**60)
    game = Game([[[third, 1 - third - leak]], [[third, 1 - third]]], [[Fraction(0)]] * 2, Fraction(1))
    policy = Policy.uniform(game)
    assert int(values_exist(game, policy)) == 1
    with precision(32):
        assert int(values_exist(game.balls(), policy.balls())) > -1


def test_existence_is_decided_as_the_oracle_decides_it():
    """From the zero pattern, against an elimination that succeeds or fails, also where the discount is 1."""
    found = []
    for seed in range(200):
        rng = random.Random(seed)
        game = oracle.draw_game(rng, 3, (2, 2), rng.choice([Fraction(1), Fraction(1), Fraction(1, 2)]), False)
        for row in game["P"]:
            for a in range(4):
                row[a] = oracle.draw_row(rng, 3, deterministic=True) if rng.random() < 0.6 else row[a]
                row[a] = [Fraction(0)] * 3 if rng.random() < 0.15 else row[a]
        policy = oracle.draw_policy(rng, 3, (2, 2), rng.choice(["deterministic", "mixed", "full"]))
        try:
            oracle.state_values(game, policy)
            exists = True
        except ZeroDivisionError:
            exists = False
        unique = len(oracle.recurrent_classes(game, policy)) == 1
        made, behaviour = Game(**oracle.arguments(game)), Policy(policy)
        for g, p in ((made, behaviour), (made.floats(), behaviour.floats())):
            assert int(values_exist(g, p)) == (1 if exists else -1), f"seed {seed}"
            assert int(has_stationary_distribution(g, p)) == (1 if unique else -1), f"seed {seed}"
        found.append((exists, unique))
    assert len(set(found)) == 4


# --- divergences, ratios, mirror descent ------------------------------------------------------------------------------


def test_kl_divergence_exactly_and_in_floats():
    for seed in range(200):
        rng = random.Random(seed)
        size = rng.randint(1, 5)
        right = oracle.draw_row(rng, size, full=True)
        left = oracle.draw_row(rng, size)
        wanted = oracle.kl_divergence(left, right)
        found = np.asarray(kl_divergence(rational(left), rational(right))).item()
        powers = {}
        for base, coefficient in getattr(found, "terms", []):
            for prime, power in oracle.prime_powers(Fraction(int(base))).items():
                powers[prime] = powers.get(prime, 0) + power * oracle.fractions([coefficient])[0]
        assert {prime: c for prime, c in powers.items() if c} == wanted, f"seed {seed}"
        assert getattr(found, "constant", found) == 0
        rounded = float(kl_divergence(np.array(left, float), np.array(right, float)))
        # Sums of at most five terms of size ≤ log 20: rounding stays within a few units of 1e-16.
        assert rounded == pytest.approx(sum(float(c) * math.log(p) for p, c in wanted.items()), abs=1e-14)


def test_kl_of_unequal_supports():
    half, certain = rational([Fraction(1, 2)] * 2), rational([1, 0])
    assert kl_divergence(certain, half) == log(like(2, System.RATIONALS))
    with pytest.raises(ExactnessError, match=r"index \[1\]"):
        kl_divergence(half, certain)
    assert kl_divergence(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == math.inf
    with_balls = kl_divergence(like([Fraction(1, 2)] * 2, System.BALLS), like([1, 0], System.BALLS))
    assert not with_balls.item().is_finite()


def test_norms():
    left, right = rational([Fraction(1, 2), Fraction(1, 2), 0]), rational([Fraction(1, 4), 0, Fraction(3, 4)])
    assert oracle.fractions([l1_distance(left, right)[()], total_variation(left, right)]) == [
        Fraction(3, 2),
        Fraction(3, 4),
    ]
    table = rational([[1, -5], [3, 2]])
    assert oracle.fractions(sup_norm(table)) == [5, 3]
    assert oracle.fractions([sup_norm(table, 2)[()]]) == [5]
    weights = rational([[Fraction(1, 2), Fraction(1, 4)], [Fraction(1, 8), 0]])
    assert oracle.fractions([squared_norm(table, weights, 2)[()]]) == [
        Fraction(1, 2) + Fraction(25, 4) + Fraction(9, 8)
    ]


def test_density_ratios_and_concentrability():
    checked = infinite = 0
    for seed in SEEDS:
        (game, policy, target), (_, mv_policy, mv_target) = case(seed)
        sizes = game["sizes"]
        rng = random.Random(seed)
        below, above = (oracle.draw_row(rng, len(game["P"])) for _ in range(2))
        for m in range(len(sizes) + 1):
            wanted = oracle.density_ratio(below, policy, above, target, sizes, m)
            arguments = (rational(below), mv_policy, rational(above), mv_target, m)
            finite = not any(None in row for row in wanted)
            assert (int(dominates(*arguments)) > 0) == finite
            if finite:
                checked += 1
                assert oracle.fractions(density_ratio(*arguments)) == wanted, f"seed {seed}, m = {m}"
                square = oracle.squared_concentrability(below, policy, above, target, sizes, m)
                assert oracle.fractions([squared_concentrability(*arguments)[()]]) == [square], f"seed {seed}, m = {m}"
                rounded = concentrability(
                    np.array(below, float), mv_policy.floats(), np.array(above, float), mv_target.floats(), m
                )
                # Positive terms only, so nothing cancels and a few units of rounding remain.
                assert float(rounded) == pytest.approx(math.sqrt(square), rel=1e-13, abs=0)
            else:
                infinite += 1
                with pytest.raises(ExactnessError, match="no infinity"):
                    squared_concentrability(*arguments)
                rounded = squared_concentrability(
                    np.array(below, float), mv_policy.floats(), np.array(above, float), mv_target.floats(), m
                )
                assert rounded == math.inf
    assert checked > 100 and infinite > 100


def test_state_action_distribution():
    (game, policy, _), (_, mv_policy, _) = case(3)
    states = oracle.normalised([1] * len(game["P"]))
    for m in range(3):
        wanted = [
            [d * oracle.prefix_probability(policy, game["sizes"], s, p) for p in oracle.tuples(game["sizes"][:m])]
            for s, d in enumerate(states)
        ]
        assert oracle.fractions(state_action_distribution(rational(states), mv_policy, m)) == wanted
    everyone = state_action_distribution(rational(states), mv_policy)
    assert (everyone == state_action_distribution(rational(states), mv_policy, 2)).all()


def test_mirror_step():
    for seed in range(200):
        rng = random.Random(seed)
        size = rng.randint(1, 5)
        row = oracle.draw_row(rng, size)
        weights = [Fraction(rng.randint(1, 30), rng.randint(1, 30)) for _ in range(size)]
        beta = Fraction(rng.randint(1, 9), rng.randint(1, 9))
        values = log(rational(weights)) * constant(beta, System.RATIONALS)
        wanted = oracle.mirror_step(row, weights)
        assert oracle.fractions(mirror_step(rational(row), values, like(beta, System.RATIONALS))) == wanted, (
            f"seed {seed}"
        )
        rounded = mirror_step(np.array(row, float), float(beta) * np.log(np.array(weights, float)), float(beta))
        # Exponents are at most log 900 < 7, so the relative error is a few units times 7.
        np.testing.assert_allclose(rounded, np.array(wanted, float), rtol=1e-13)


def test_mirror_step_lifts_beta_over_the_batch():
    factor = np.full((2, 3, 4, 2), 0.5)
    values = np.log(np.broadcast_to([1.0, 2.0], factor.shape))
    stepped = mirror_step(factor, values, np.array([1.0, 0.5]))
    np.testing.assert_allclose(stepped[0], np.broadcast_to([1 / 3, 2 / 3], (3, 4, 2)), rtol=1e-15)
    np.testing.assert_allclose(stepped[1], np.broadcast_to([1 / 5, 4 / 5], (3, 4, 2)), rtol=1e-15)


def test_mirror_step_keeps_zeros_and_does_not_overflow():
    factor = np.array([0.0, 0.5, 0.5])
    np.testing.assert_array_equal(mirror_step(factor, np.array([1e308, 800.0, 800.0]), 1.0), factor)
    np.testing.assert_allclose(mirror_step(factor, np.array([0.0, 5000.0, 0.0]), 1.0), [0, 1, 0], atol=1e-300)


def test_three_point_identity_in_formal_logarithms():
    """``F(π⁺) - F(q) = β KL(q‖π⁺)``, exactly; and a planted error is seen."""
    factor, weights = rational([Fraction(1, 6), Fraction(1, 3), Fraction(1, 2)]), rational([3, Fraction(1, 5), 7])
    candidate, beta = rational([Fraction(2, 7), Fraction(5, 7), 0]), like(Fraction(3, 2), System.RATIONALS)
    values = log(weights) * beta
    best = mirror_step(factor, values, beta)
    gap = mirror_objective(best, factor, values, beta) - mirror_objective(candidate, factor, values, beta)
    assert compare(gap, "=", beta * kl_divergence(candidate, best)) == 1
    assert compare(gap, "=", beta * kl_divergence(candidate, factor)) == -1
    gradient = mirror_gradient(best, factor, values, beta)
    assert all(entry == gradient[0] for entry in gradient)
    assert not gradient[0] == mirror_gradient(candidate + best, factor, values, beta)[0]


def test_averaged_objective_is_the_weighted_sum():
    rng = np.random.default_rng(0)
    factor, candidate = (rng.dirichlet(np.ones(3), (2, 4)) for _ in range(2))
    values, weights = rng.normal(size=(2, 4, 3)), rng.random((2, 4))
    wanted = sum(
        weights[s, p] * mirror_objective(candidate[s, p], factor[s, p], values[s, p], 0.7)
        for s in range(2)
        for p in range(4)
    )
    found = float(averaged_objective(candidate, factor, values, 0.7, weights))
    assert found == pytest.approx(float(wanted), rel=0, abs=1e-13)  # 24 terms of size 1


def test_fit_step_solves_the_least_squares_problem():
    """With one-hot features the fit is exact; in general the residual is orthogonal to the features."""
    targets = rational([Fraction(1, 2), -3, Fraction(7, 5)])
    weights = rational([Fraction(1, 6), Fraction(1, 3), Fraction(1, 2)])
    beta = like(2, System.RATIONALS)
    one_hot = rational(np.eye(3, dtype=int).tolist())
    assert oracle.fractions(fit_step(one_hot, targets, beta, weights)) == [
        Fraction(1, 4),
        Fraction(-3, 2),
        Fraction(7, 10),
    ]
    features = rational([[1, 0], [1, 1], [1, 3]])
    step = fit_step(features, targets, beta, weights)
    residual = (features * step).sum(-1) - targets / 2
    assert oracle.fractions((features * (weights * residual)[:, None]).sum(0)) == [0, 0]
    with pytest.raises(SingularError):
        fit_step(rational([[1, 1], [1, 1], [2, 2]]), targets, beta, weights)


def test_log_linear_step():
    factor = rational([[[Fraction(1, 4), Fraction(3, 4)]]])
    features = rational([[[[1, 0], [0, 1]]]])
    step = log(rational([6, Fraction(1, 3)]))
    wanted = oracle.mirror_step([Fraction(1, 4), Fraction(3, 4)], [6, Fraction(1, 3)])
    assert oracle.fractions(log_linear_step(factor, features, step)) == [[wanted]]


# --- the sequential game ----------------------------------------------------------------------------------------------


def test_sequential_game_has_the_same_values():
    for seed in SEEDS[:150]:
        (game, policy, _), (mv_game, mv_policy, _) = case(seed)
        sequential, behaviour = sequential_game(mv_game), sequential_policy(mv_policy)
        found = values_by_agent(mv_game, action_values(sequential, behaviour))
        assert [oracle.fractions(t) for t in found] == oracle.agent_values(game, policy)[1:], f"seed {seed}"
        assert sequential.agents == 1 and sequential.discount == 1


def test_a_batch_of_sequential_games_is_stored_along_the_batch():
    game = random_game(2, (2, 3), seed=0).floats()
    sequential = sequential_game(Game(*(np.stack([t] * 5) for t in (game.transition, game.reward)), 0.5, (2, 3)))
    assert is_batch_minor(sequential.transition, 3) and is_batch_minor(sequential.reward, 2)
    alone = sequential_game(game.with_discount(0.5))
    assert (sequential.transition == alone.transition).all() and (sequential.reward == alone.reward).all()


def test_sequential_transitions_by_hand():
    """2 states, actions (2, 3): states (s), then (s, a¹); agent 2 moves the game and discounts."""
    (_, _, _), (game, _, _) = case(3)
    assert game.action_sizes == (2, 3)
    sequential = sequential_game(game)
    states = game.states
    assert sequential.states == states * (1 + 2) and sequential.actions == 3
    for s in range(states):
        for a in range(2):
            assert oracle.fractions(sequential.transition[s, a]) == [t == states + 2 * s + a for t in range(3 * states)]
            assert sequential.reward[s, a] == 0
        assert oracle.fractions(sequential.transition[s, 2]) == [0] * 3 * states
        for p in range(2):
            for a in range(3):
                row = sequential.transition[states + 2 * s + p, a]
                assert (row[:states] == game.discount * game.transition[s, 3 * p + a]).all() and (
                    row[states:] == 0
                ).all()
                assert sequential.reward[states + 2 * s + p, a] == game.reward[s, 3 * p + a]


# --- batches, broadcasting, floats ------------------------------------------------------------------------------------


def batch_of(sizes, states, count, seed, gamma=Fraction(9, 10), terminating=True, kind="full"):
    """``count`` games, policies and targets, one by one and as one batch."""
    rng = random.Random(seed)
    games = [oracle.draw_game(rng, states, sizes, gamma, terminating) for _ in range(count)]
    policies = [[oracle.draw_policy(rng, states, sizes, kind) for _ in range(count)] for _ in range(2)]
    single = [Game(**oracle.arguments(game)) for game in games]
    batch = Game(
        np.stack([g.transition for g in single]),
        np.stack([g.reward for g in single]),
        np.stack([g.discount for g in single]),
        sizes,
        start=np.stack([g.start for g in single]),
    )
    made = [[Policy(policy) for policy in several] for several in policies]
    stacked = [
        Policy(tuple(np.stack(fs) for fs in zip(*(p.factors for p in several), strict=True))) for several in made
    ]
    return single, made, batch, stacked


def everything(game, policy, target):
    """Many quantities, as a flat list of arrays whose batch axes lead."""
    first = {
        "V": state_values(game, policy),
        "Q": action_values(game, policy),
        "A": advantages(game, policy),
        "visits": visits(game, policy),
        "occupancy": occupancy(game, policy),
        "return": returns(game, policy),
        "terms": return_difference(game, target, policy),
        "contraction": contraction_factor(game),
    }
    for m, table in enumerate(agent_values(game, policy)):
        first[f"Q{m}"] = table
        first[f"T{m}"] = bellman_operator(game, target, table, m)
    for m, table in enumerate(agent_advantages(game, policy)):
        first[f"A{m + 1}"] = table
    for subset in oracle.subsets(game.agents):
        for reading in READINGS:
            first[f"Q{subset}{reading}"] = subset_values(game, policy, subset, reading)
            first[f"A(1){subset}{reading}"] = subset_advantages(game, policy, set(subset) - {1}, (1,), reading)
    for m, table in enumerate(values_by_agent(game, action_values(sequential_game(game), sequential_policy(policy)))):
        first[f"sequential{m}"] = table
    for m in range(game.agents + 1):
        states, other = visits(game, policy), visits(game, target)
        first[f"w{m}"] = density_ratio(states, policy, other, target, m)
        first[f"φ²{m}"] = squared_concentrability(states, policy, other, target, m)
    return first


@pytest.mark.parametrize(("sizes", "states"), [((3,), 3), ((2, 3), 2), ((2, 1, 2), 2), ((2, 2, 2, 2), 1)])
def test_a_batch_is_its_games_one_by_one(sizes, states):
    single, (policies, targets), batch, (policy, target) = batch_of(sizes, states, 3, seed=1)
    together = everything(batch, policy, target)
    for index in range(3):
        alone = everything(single[index], policies[index], targets[index])
        assert together.keys() == alone.keys()
        for name, table in alone.items():
            assert together[name].shape == (3, *table.shape), name
            assert (together[name][index] == table).all(), name
        assert (batch[index].transition == single[index].transition).all()


@pytest.mark.parametrize(("sizes", "states"), [((2, 3), 2), ((2, 1, 2), 2)])
def test_policies_broadcast_against_one_game(sizes, states):
    single, (policies, targets), _, (policy, target) = batch_of(sizes, states, 3, seed=2)
    together = everything(single[0], policy, target)
    for index in range(3):
        alone = everything(single[0], policies[index], targets[index])
        for name, table in alone.items():
            entry = together[name][index] if name != "contraction" else together[name]
            assert (entry == table).all(), name


@pytest.mark.parametrize(("sizes", "states"), [((2, 3), 2), ((2, 1, 2), 2)])
def test_games_broadcast_against_one_policy(sizes, states):
    single, (policies, targets), batch, _ = batch_of(sizes, states, 3, seed=3)
    together = everything(batch, policies[0], targets[0])
    for index in range(3):
        for name, table in everything(single[index], policies[0], targets[0]).items():
            assert (together[name][index] == table).all(), name


def test_two_batch_axes_broadcast():
    single, (policies, _), _, _ = batch_of((2, 2), 2, 3, seed=4)
    game = Game(
        np.stack([g.transition for g in single])[:, None],
        np.stack([g.reward for g in single])[:, None],
        np.stack([g.discount for g in single])[:, None],
        (2, 2),
    )
    policy = Policy(tuple(np.stack(fs) for fs in zip(*(p.factors for p in policies), strict=True)))
    found = state_values(game, policy)
    assert found.shape == (3, 3, 2)
    for i in range(3):
        for j in range(3):
            assert (found[i, j] == state_values(single[i], policies[j])).all()


def test_stationary_distributions_in_batches():
    single, (policies, _), batch, (policy, _) = batch_of((2, 3), 3, 4, seed=5, terminating=False)
    together = stationary_distribution(batch, policy)
    for index in range(4):
        assert (together[index] == stationary_distribution(single[index], policies[index])).all()
    rounded = stationary_distribution(batch.floats(), policy.floats())
    # Computed without subtracting like numbers, from three states: a relative error of a few units.
    np.testing.assert_allclose(rounded, np.array(oracle.fractions(together), float), rtol=1e-13)


@pytest.mark.parametrize("count", [3, 40])
@pytest.mark.parametrize("gamma", [Fraction(1, 2), Fraction(9, 10), Fraction(1)])
def test_floats_are_close_to_exact(count, gamma):
    """Both float solvers (LAPACK for few games, elimination for batches of 32 and more) against rationals.

    Every row terminates with probability ≥ 1/17 here (a unit out of at most 4·4+1), so ‖(I - γP)⁻¹‖ ≤ 17, rewards are
    at most 3, values at most 51, the condition number at most 34: 1e-12 is far above 34·51·1e-16 and far below errors.
    """
    single, (policies, targets), batch, (policy, target) = batch_of((2, 3), 3, count, seed=6, gamma=gamma)
    rounded = everything(batch.floats(), policy.floats(), target.floats())
    for index in range(0, count, max(1, count // 4)):
        for name, table in everything(single[index], policies[index], targets[index]).items():
            exact = np.array(oracle.fractions(table), float)
            scale = max(1.0, float(np.abs(exact).max()))  # ratios of visits grow beyond 51
            np.testing.assert_allclose(rounded[name][index], exact, rtol=0, atol=1e-12 * scale, err_msg=name)


# --- errors -----------------------------------------------------------------------------------------------------------


def test_values_that_do_not_exist_are_refused_exactly():
    game = Game([[[Fraction(1)]] * 4], [[Fraction(1)] * 4], Fraction(1), (2, 2))
    policy = Policy.uniform(game)
    for quantity in (state_values, action_values, agent_values, advantages):
        with pytest.raises(SingularError, match="discount below 1"):
            quantity(game, policy)
    with pytest.raises(SingularError, match="discount below 1"):
        visits(game, policy, [Fraction(1)])


def test_discount_one_is_legal_for_the_policies_that_terminate():
    game = Game([[[Fraction(1)], [Fraction(0)]]], [[Fraction(0), Fraction(5)]], Fraction(1))
    assert oracle.fractions(state_values(game, Policy.uniform(game))) == [5]
    assert oracle.fractions(state_values(game, Policy.deterministic(game, [1]))) == [5]
    with pytest.raises(SingularError):
        state_values(game, Policy.deterministic(game, [0]))
    with pytest.raises(SingularError):
        return_difference(game, Policy.deterministic(game, [0]), Policy.uniform(game), [Fraction(1)])


@pytest.mark.parametrize("count", [1, 40])
def test_values_that_do_not_exist_are_refused_in_floats(count):
    """γ = 1 without termination: I - P_π is singular, and rounding must not turn that into values of 1e16.

    Forty copies of one game take the elimination, one takes LAPACK.
    """
    rng = np.random.default_rng(0)
    returned = []
    for _ in range(20):
        transition, reward = rng.dirichlet(np.ones(3), (3, 4)), rng.random((3, 4))
        game = Game(np.stack([transition] * count), np.stack([reward] * count), 1.0, (2, 2))
        try:
            returned.append(float(np.abs(state_values(game, Policy.uniform(game))).max()))
        except SingularError:
            continue
    assert not returned, f"{len(returned)} of 20 singular systems were 'solved', with values up to {max(returned):.1e}"


def test_systems_and_shapes_must_fit():
    _, (game, policy, _) = case(2)
    with pytest.raises(GameError, match="game is in rationals, the policy in floats"):
        state_values(game, policy.floats())
    with pytest.raises(GameError, match="action sizes"):
        state_values(game, case(3)[1][1])
    with pytest.raises(MixedArithmeticError, match="rationals and floats"):
        visits(game, policy, [1.0] + [0.0] * (game.states - 1))


@pytest.mark.parametrize(
    ("chosen", "complaint"),
    [
        ((), "names no states of 0..2"),
        ((-1, 0), "names no states of 0..2"),
        ((2, 3), "names no states of 0..2"),
        ((1,), r"the states \(1,\) are not one recurrent class"),
        ((0, 2), r"the states \(0, 2\) are not one recurrent class"),
    ],
)
def test_a_recurrent_class_must_be_one(chosen, complaint):
    """State 1 leads to 0 or to 2, and both stay."""
    game = Game([[[1, 0, 0]], [[Fraction(1, 2), 0, Fraction(1, 2)]], [[0, 0, 1]]], [[0]] * 3, Fraction(1, 2))
    policy = Policy.uniform(game)
    with pytest.raises(GameError, match=complaint):
        stationary_distribution(game, policy, recurrent_class=chosen)
    assert oracle.fractions(stationary_distribution(game, policy, recurrent_class=(2,))) == [0, 0, 1]


def test_starts_of_another_batch_are_refused():
    game = random_game(2, (2, 2), seed=0, batch=(2,)).floats()
    with pytest.raises(GameError, match=r"the batch axes do not fit: start \[3\], game \[2\]"):
        returns(game, Policy.uniform(game), start=[[0.5, 0.5]] * 3)
    assert returns(game, Policy.uniform(game), start=[[0.5, 0.5]] * 2).shape == (2,)


def test_what_a_game_remembers_is_of_its_own_discount():
    """Values near γ = 1 are solved in another way; which games are near it is asked once of each."""
    game = random_game(3, (2,), Fraction(1, 2)).floats()
    policy = Policy.uniform(game)
    state_values(game, policy)
    near = game.with_discount(1 - 1e-9)
    fresh = Game(near.transition, near.reward, near.discount, near.action_sizes)
    assert is_near_one(near) and not is_near_one(game)
    assert (state_values(near, policy) == state_values(fresh, policy)).all()
