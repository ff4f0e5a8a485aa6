"""Quantities of one instance: what the numbers of a proof give is, instance by instance, what plain arrays give."""

from __future__ import annotations

import numpy as np
import pytest

from mappo_verify.arithmetic import (
    FALSE,
    TRUE,
    UNKNOWN,
    Numbers,
    System,
    at_largest,
    by_floats,
    certainly_equal,
    choose,
    denominator,
    everywhere,
    floats_of,
    like,
    log,
    xlogy,
)
from mappo_verify.arithmetic.dispatch import module_of
from mappo_verify.arithmetic.numbers import Hidden, wrap
from mappo_verify.arithmetic.one_instance import Truth
from mappo_verify.arithmetic.one_part import arithmetic_of
from mappo_verify.errors import ExactnessError, FormulaError, GameError, UndecidedError
from mappo_verify.games.named import random_game
from mappo_verify.model import Game, Policy
from mappo_verify.model.conversion import convert
from mappo_verify.model.instances import instance_by_instance
from mappo_verify.model.trees import hidden
from mappo_verify.quantities.agent_values import (
    agent_advantages,
    agent_values,
    companion_weights,
    conditional_marginal,
    defined_at,
    subset_advantages,
    subset_values,
)
from mappo_verify.quantities.bellman import bellman_operator, contraction_factor, expected_reward, implied_reward
from mappo_verify.quantities.chain import induced_transition, values_exist
from mappo_verify.quantities.concentrability import dominates, squared_concentrability
from mappo_verify.quantities.distributions import occupancy, stationary_distribution, visits
from mappo_verify.quantities.equilibria import nash_gaps, response_game
from mappo_verify.quantities.gradients import policy_gradient, product_gradient
from mappo_verify.quantities.optimal import optimal
from mappo_verify.quantities.performance_difference import return_difference
from mappo_verify.quantities.ratio_game import commitment_values, product_of_marginals, ratio_value
from mappo_verify.quantities.sequential import sequential_game, sequential_policy, values_by_agent
from mappo_verify.quantities.stochastic_gradient import sample_paths
from mappo_verify.quantities.values import action_values, advantages, returns

DECIDED = (System.RATIONALS, System.FLOATS)
GAMES = 5


def batch(system, sizes=(2, 3), states=2, product=False):
    """A batch of games that end nowhere, and two policies; the first policy of the batch is deterministic."""
    games = [random_game(states, sizes, seed=seed).exact(20) for seed in range(GAMES)]
    fields = {name: np.stack([getattr(game, name) for game in games]) for name in ("transition", "reward", "discount")}
    start = like(np.full((GAMES, states), 1, np.int8), System.RATIONALS) / states
    game = Game(**fields, action_sizes=sizes, start=start)

    def policy(seed):
        rng, factors, prefixes = np.random.default_rng(seed), [], 1
        for size in sizes:
            weights = rng.integers(1, 9, (GAMES, states, 1 if product else prefixes, size))
            weights[0, ..., 1:] = 0
            exact = like(np.asarray(weights, object), System.RATIONALS)
            factors.append(np.repeat(exact / exact.sum(-1, keepdims=True), prefixes if product else 1, axis=-2))
            prefixes *= size
        return Policy(tuple(factors))

    return tuple(value.floats() if system is System.FLOATS else value for value in (game, policy(1), policy(2)))


def agrees(found, plain):
    """Numbers or truth of one instance against a plain batch, or tuples of them."""
    if isinstance(plain, tuple):
        assert len(found) == len(plain)
        return all(agrees(one, two) for one, two in zip(found, plain, strict=True))
    if isinstance(found, Truth):
        wanted = np.asarray(plain)
        wanted = np.where(wanted, TRUE, FALSE) if wanted.dtype.kind == "b" else wanted
        shown = np.moveaxis(found.values, -1, 0)
        return (np.broadcast_to(shown, wanted.shape) == wanted).all()
    assert isinstance(found, Numbers)
    shown = found.unwrap()
    if shown.dtype.kind == "f":
        return np.allclose(np.broadcast_to(shown, plain.shape), plain, rtol=1e-12, atol=1e-12)
    return bool((np.broadcast_to(shown, plain.shape) == plain).all())


QUANTITIES = {
    "values": lambda game, policy, _: (action_values(game, policy), advantages(game, policy), returns(game, policy)),
    "agents": lambda game, policy, _: agent_values(game, policy) + agent_advantages(game, policy),
    "subsets": lambda game, policy, _: tuple(
        subset_values(game, policy, kept, reading)
        for kept in ((), (1,), (2,), (1, 2))
        for reading in ("conditioning", "intervention")
    ),
    "subset advantages": lambda game, policy, _: subset_advantages(game, policy, (2,), (1,)),
    "companions": lambda _, policy, __: (
        companion_weights(policy, (2,), "conditioning"),
        conditional_marginal(policy, (2,), (1,), "conditioning"),
        defined_at(policy, (2,), "conditioning"),
    ),
    "Bellman": lambda game, policy, _: (
        *(bellman_operator(game, policy, table, m) for m, table in enumerate(agent_values(game, policy))),
        expected_reward(game, policy, 1),
        implied_reward(game, policy, agent_values(game, policy)[1], 1),
        contraction_factor(game),
    ),
    "chain": lambda game, policy, _: (induced_transition(game, policy), values_exist(game, policy)),
    "distributions": lambda game, policy, _: (visits(game, policy), occupancy(game, policy)),
    "sequential": lambda game, policy, _: values_by_agent(
        game, action_values(sequential_game(game), sequential_policy(policy))
    ),
    "differences": lambda game, policy, target: return_difference(game, target, policy),
    "gradients": lambda game, policy, _: policy_gradient(game, policy) + product_gradient(game, policy),
    "optimum": lambda game, _, __: (optimal(game).values, optimal(game).policy.joint()),
}


@pytest.mark.parametrize("system", DECIDED, ids=lambda system: system.value)
@pytest.mark.parametrize("name", QUANTITIES)
def test_quantities_are_those_of_every_instance(name, system):
    plain = batch(system)
    found = QUANTITIES[name](*(hidden(value, system, 0) for value in plain))
    assert agrees(found, QUANTITIES[name](*plain))


@pytest.mark.parametrize("system", DECIDED, ids=lambda system: system.value)
def test_quantities_of_product_policies(system):
    game, policy, target = batch(system, product=True)
    one = [hidden(value, system, 0) for value in (game, policy)]
    assert agrees(nash_gaps(*one), nash_gaps(game, policy))
    assert agrees(subset_values(*one, (2,)), subset_values(game, policy, (2,)))
    response = response_game(*one, 1)
    assert agrees(response.reward, response_game(game, policy, 1).reward)
    with pytest.raises(GameError, match="product policies"):
        nash_gaps(one[0], hidden(batch(system)[1], system, 0))
    assert (floats_of(nash_gaps(game, target)) >= -1e-9).all()


@pytest.mark.parametrize("system", DECIDED, ids=lambda system: system.value)
def test_distributions_and_coverage(system):
    game, policy, target = batch(system)
    chosen = slice(1, None)  # the deterministic policy need not cover anything
    plain = (game[chosen], policy[chosen], target[chosen])
    one = [hidden(value, system, 0) for value in plain]

    def coverage(game, policy, target):
        nu, goal = (stationary_distribution(game, which) for which in (policy, target))
        return nu, goal, dominates(nu, policy, goal, target, 2), squared_concentrability(nu, policy, goal, target, 2)

    assert agrees(coverage(*one), coverage(*plain))


@pytest.mark.parametrize("system", DECIDED, ids=lambda system: system.value)
def test_ratio_games(system):
    game, policy, _ = batch(system, states=1)
    if (game.discount == 1).any():
        game = game.with_discount(like(1, system) / 2)
    one_game, one_policy = hidden(game, system, 0), hidden(policy, system, 0)
    assert agrees(commitment_values(one_game, one_policy), commitment_values(game, policy))
    assert agrees(product_of_marginals(one_policy).joint(), product_of_marginals(policy).joint())
    weights = policy.joint()[..., 0, :]
    assert agrees(ratio_value(one_game, wrap(weights, system, 1)), ratio_value(game, weights))


def test_sample_paths_choose_a_slope_of_every_instance():
    rng = np.random.default_rng(0)
    slopes, offsets = rng.integers(-5, 6, (7, 2, 2, 1)), rng.integers(-5, 6, (7, 2, 2))
    plain = [like(np.asarray(values, object), System.RATIONALS) for values in (slopes, offsets)]
    third = like(1, System.RATIONALS) / 3
    found = sample_paths(
        wrap(plain[0], System.RATIONALS, 3), wrap(plain[1], System.RATIONALS, 2), like(9, Hidden(System.RATIONALS)),
        like(1, Hidden(System.RATIONALS)) / 3, 1,
    )  # fmt: skip
    wanted = np.stack([sample_paths(a, b, like(9, System.RATIONALS), third, 1) for a, b in zip(*plain, strict=True)])
    assert agrees(found, wanted)


def test_optimal_actions_are_no_numbers_of_a_formula():
    game = batch(System.RATIONALS)[0]
    best = optimal(hidden(game, System.RATIONALS, 0))
    with pytest.raises(FormulaError, match=r"they may differ between instances; use \.policy"):
        _ = best.actions
    with pytest.raises(FormulaError, match="it speaks of all instances"):
        _ = best.certificate
    with pytest.raises(GameError, match="rationals"):
        optimal(hidden(game.balls(), System.BALLS, 0))


def test_instance_by_instance_wraps_what_comes_back():
    game, policy, _ = (hidden(value, System.RATIONALS, 0) for value in batch(System.RATIONALS))

    def taken_apart(game, policy):
        assert game.batch_shape == policy.batch_shape == (GAMES,) and game.system is System.RATIONALS
        return game, policy, game.reward, game.ends

    same, again, reward, ends = instance_by_instance(taken_apart, game, policy)
    assert agrees(same.reward, game.reward.unwrap()) and agrees(reward, game.reward.unwrap())
    assert same.system == again.system == Hidden(System.RATIONALS) and ends.shape == game.ends.shape
    assert agrees(again.joint(), policy.joint().unwrap())
    with pytest.raises(ExactnessError, match="taken_apart needs numbers that can be compared"):
        instance_by_instance(taken_apart, hidden(batch(System.RATIONALS)[0].balls(), System.BALLS, 0))


# --- functions of formulas -----------------------------------------------------------------------------------------------


def test_entries_at_the_largest_score():
    scores, table = np.array([[1, 3, 3], [2, 1, 0]]), np.array([[[1], [2], [3]], [[4], [5], [6]]])
    exact = [like(values.astype(object), System.RATIONALS) for values in (scores, table)]
    assert at_largest(*exact).ravel().tolist() == [2, 4]
    one = at_largest(wrap(exact[0], System.RATIONALS, 1), wrap(exact[1], System.RATIONALS, 2))
    assert one.shape == (1,) and one.unwrap().ravel().tolist() == [2, 4]


def test_where_scores_cannot_be_told_apart_both_entries_are_possible():
    third = like(1, Hidden(System.BALLS)) / 3
    near = third + like(1, Hidden(System.BALLS)) / 7 - like(1, Hidden(System.BALLS)) / 7
    scores, table = (
        np.stack([third, near]),
        np.stack([like([1], Hidden(System.BALLS)), like([5], Hidden(System.BALLS))]),
    )
    (found,) = at_largest(scores, table).unwrap().ravel()
    assert found.contains(1) and found.contains(5)


def test_candidates_from_floats_are_exact():
    def halves(values):
        return values / 2 + 1e-3

    plain = like(np.array([1, 3], object), System.RATIONALS)
    wanted = [float(x) / 2 + 1e-3 for x in (1, 3)]
    assert [float(x.p) / float(x.q) for x in by_floats(halves, plain)] == wanted
    for system in (*DECIDED, System.BALLS):
        found = by_floats(halves, wrap(convert(plain, system), system, 0))
        assert found.shape == () and floats_of(found.unwrap()).tolist() == wanted
        assert system is not System.BALLS or all(x.is_exact() for x in found.unwrap())


def test_one_truth_everywhere():
    for truth in (TRUE, UNKNOWN, FALSE):
        assert (everywhere(truth, (2, 3), System.RATIONALS) == np.full((2, 3), truth)).all()
        one = everywhere(truth, (2, 3), Hidden(System.BALLS))
        assert one.shape == (2, 3) and (one.values == truth).all()
    with pytest.raises(ValueError, match="no truth"):
        everywhere(np.int8(-128), (), Hidden(System.BALLS))  # its own negation


def test_equal_beyond_doubt():
    third = like(1, Hidden(System.BALLS)) / 3
    both = np.stack([third, third])
    assert (certainly_equal(both[0], both[1]).values == TRUE).all()
    assert (certainly_equal(third, like(1, Hidden(System.BALLS)) / 3).values == UNKNOWN).all()
    assert (certainly_equal(third, 1).values == FALSE).all()
    assert (certainly_equal(like(1, Hidden(System.BALLS)), 1).values == TRUE).all()


def test_denominators_are_1_where_a_mask_leaves_the_quotient_out():
    plain = like(np.array([0, 3], object), System.RATIONALS)
    assert denominator(plain).tolist() == [1, 3]
    assert denominator(wrap(plain, System.RATIONALS, 0)).unwrap().tolist() == [1, 3]


def _symbols():
    from mappo_verify.arithmetic import symbols

    generators = np.empty(2, object)
    generators[:] = symbols.PolynomialRing(("x", "y")).generators()
    return [wrap(generator, System.SYMBOLS, 0) for generator in generators[:, None]]


def test_zero_log_zero_over_symbols():
    """``x log x`` needs no sign of x, ``log x`` does; what x's sign leaves open, a wrong identity does not become true by."""
    x, y = _symbols()
    with pytest.raises(ExactnessError, match="positive"):
        log(x)
    twice = xlogy(x, x * x)
    assert ((twice == 2 * xlogy(x, x)).values == TRUE).all()
    assert not ((twice == xlogy(x, x)).values == TRUE).any()
    assert not ((xlogy(x, y) == xlogy(y, x)).values == TRUE).any()
    with pytest.raises(ExactnessError, match="positive"):
        xlogy(1 + 0 * x, y)  # a factor that is not 0 needs a positive argument
    assert ((denominator(x) == x).values == TRUE).all()


def test_plain_integers_that_may_have_wrapped_are_no_constants():
    with pytest.raises(FormulaError, match="wrapped around"):
        like(np.arange(3), Hidden(System.RATIONALS))
    hundred = np.array([100], np.int8)
    with pytest.raises(FormulaError, match="wrapped around"):
        like(hundred + hundred, Hidden(System.RATIONALS))
    assert like(np.zeros((0, 2), np.int8), Hidden(System.RATIONALS)).shape == (0, 2)
    assert convert(like([1, 2], System.RATIONALS), Hidden(System.BALLS)).shape == (2,)


def test_undecided_choices_of_rationals_are_an_error():
    x, y = (like(k, Hidden(System.RATIONALS)) for k in (1, 2))
    with pytest.raises(UndecidedError, match="no rational number is both"):
        choose(everywhere(UNKNOWN, (), Hidden(System.RATIONALS)), x, y)


@pytest.mark.parametrize("system", [System.RATIONALS, System.FLOATS])
def test_a_singular_system_leaves_the_remainder_of_its_own_instance(system):
    """Four instances of three equations with two right-hand sides each; the batch is the last axis."""
    arithmetic = arithmetic_of(system)
    matrix = np.array([[2, -1, -1], [-1, 2, -1], [-1, -1, 2]])[..., None] * np.arange(1, 5)
    right = np.random.default_rng(0).integers(-5, 6, (3, 2, 4))
    (solution,), (remainder,) = arithmetic.pseudo_solve((like(matrix, system),), (like(right, system),))
    assert solution.shape == remainder.shape == right.shape
    for k in range(4):
        one = module_of(system).pseudo_solve(like(matrix[..., k], system), like(right[..., k], system))
        for found, wanted in zip((solution, remainder), one, strict=True):  # a batch of floats may round otherwise
            assert np.allclose(floats_of(found[..., k]), floats_of(wanted), rtol=1e-12, atol=1e-12)
    assert np.allclose(
        floats_of(remainder), right.mean(0, keepdims=True)
    )  # what no solution reaches: the constant part


def test_closures_by_hand():
    """0 leads to 1, which may lead to 2: a path is as certain as its least certain step, and everything reaches itself."""
    one = np.array([[-1, 1, -1], [-1, -1, 0], [-1, -1, -1]], np.int8)
    two = np.array([[-1, 0, -1], [-1, 1, 1], [1, -1, -1]], np.int8)
    found = Truth(np.stack([one, two], -1)).closure()._parts[0]
    assert found[..., 0].tolist() == [[1, 1, 0], [-1, 1, 0], [-1, -1, 1]]
    assert found[..., 1].tolist() == [[1, 0, 0], [1, 1, 1], [1, 0, 1]]


def test_a_single_truth_is_reduced_to_itself():
    for value in (1, 0, -1):
        alone = Truth(np.array([[value]], np.int8))
        for ufunc in (np.logical_and, np.logical_or):
            assert ufunc.reduce(alone)._parts[0].tolist() == [value]
