"""Optimal values against brute force and QuantEcon; the certificate against tampering; γ = 1, proper and improper."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

import oracle
from mappo_verify.arithmetic import System, like
from mappo_verify.errors import GameError, SingularError
from mappo_verify.games.named import named_game
from mappo_verify.model import Game, Policy
from mappo_verify.quantities.distributions import stationary_distribution
from mappo_verify.quantities.optimal import certify_optimality, optimal
from mappo_verify.quantities.values import state_values

ZERO, HALF, ONE = Fraction(0), Fraction(1, 2), Fraction(1)
SHAPES = [((2,), 4), ((2, 2), 3), ((2, 3), 2), ((2, 1, 2), 3), ((2, 2, 2, 2), 2), ((1,), 3)]


def draw(seed):
    rng = random.Random(seed)
    sizes, states = SHAPES[seed % len(SHAPES)]
    gamma = oracle.DISCOUNTS[seed % len(oracle.DISCOUNTS)]
    return oracle.draw_game(rng, states, sizes, gamma, terminating=gamma == 1 or rng.random() < 0.4)


def test_brute_force_over_all_deterministic_joint_policies():
    for seed in range(45):
        game = draw(seed)
        best = optimal(Game(**oracle.arguments(game)))
        wanted = oracle.optimal_values(game)
        assert oracle.fractions(best.values) == wanted, f"seed {seed}"
        actions = best.actions.tolist()
        assert oracle.state_values(game, oracle.deterministic(game["sizes"], actions)) == wanted, f"seed {seed}"
        assert oracle.fractions(best.policy.joint()) == [
            [int(a == chosen) for a in range(len(game["r"][0]))] for chosen in actions
        ]
        assert best.certificate.holds and (best.certificate.error == 0).all(), f"seed {seed}"


def test_no_stochastic_policy_does_better():
    for seed in range(30):
        game = draw(seed)
        made = Game(**oracle.arguments(game))
        best = optimal(made).values
        for kind in ("full", "product", "conditional"):
            policy = Policy(oracle.draw_policy(random.Random(seed), len(game["P"]), game["sizes"], kind))
            assert (state_values(made, policy) <= best).all()


def test_ties_do_not_matter():
    """All rewards alike: every policy is optimal, and the value is the common one."""
    made = Game([[[HALF, HALF]] * 4] * 2, [[ONE] * 4] * 2, Fraction(9, 10), (2, 2))
    assert oracle.fractions(optimal(made).values) == [10, 10] and optimal(made).certificate.holds


def test_named_games():
    assert oracle.fractions(optimal(named_game("climbing")).values) == [11]
    assert oracle.fractions(optimal(named_game("penalty:-30")).values) == [10]
    assert oracle.fractions(optimal(named_game("two-step")).values) == [8, 7, 8]
    assert oracle.fractions(optimal(named_game("shared-parameter:4")).values) == [1]


# --- the certificate --------------------------------------------------------------------------------------------------


def certified(seed, system=System.RATIONALS):
    made = Game(**oracle.arguments(draw(seed)))
    made = made if system is System.RATIONALS else made.floats()
    best = optimal(made)
    assert certify_optimality(made, best.values, best.actions).holds
    return made, best


@pytest.mark.parametrize("system", [System.RATIONALS, System.FLOATS])
def test_tampered_values_are_not_certified(system):
    for seed in range(30 if system is System.RATIONALS else 8):
        made, best = certified(seed, system)
        amounts = (Fraction(1, 10**30), Fraction(-1, 10**30)) if system is System.RATIONALS else ()
        for amount in (*amounts, Fraction(1, 1000), Fraction(-1, 1000)):
            for state in range(made.states):
                tampered = best.values.copy()
                tampered[state] = tampered[state] + like(amount, system)[()]
                assert not certify_optimality(made, tampered, best.actions).holds, f"seed {seed}, {amount} at {state}"
            assert not certify_optimality(made, best.values + like(amount, system), best.actions).holds


@pytest.mark.parametrize("system", [System.RATIONALS, System.FLOATS])
def test_tampered_actions_are_not_certified(system):
    """An action is certified exactly when it attains the optimal values."""
    refused = 0
    for seed in range(30 if system is System.RATIONALS else 10):
        made, best = certified(seed, system)
        table = made.reward + made.discount * (made.transition * best.values).sum(-1)
        for state in range(made.states):
            for action in range(made.actions):
                actions = best.actions.copy()
                actions[state] = action
                gap = abs(float(best.values[state] - table[state, action]) if system is System.FLOATS else 0)
                attains = gap < 1e-6 if system is System.FLOATS else table[state, action] == best.values[state]
                assert certify_optimality(made, best.values, actions).holds == attains, f"seed {seed}"
                refused += not attains
    assert refused > 30


def test_the_values_of_another_policy_are_not_certified():
    """A consistent pair (values of a suboptimal policy, its actions) has no residual and no gap, but negative slack."""
    made = Game([[[ONE], [ONE]]], [[ONE, ZERO]], HALF)
    worse = certify_optimality(made, like([0], System.RATIONALS), np.array([1]))
    assert oracle.fractions([worse.residual[0], np.asarray(worse.gap).item()]) == [0, 0] and not worse.holds
    assert oracle.fractions(worse.slack) == [[-1, 0]]
    # And the reverse: an upper bound that nobody attains.
    above = certify_optimality(made, like([3], System.RATIONALS), np.array([0]))
    assert all(entry >= 0 for entry in above.slack[0]) and not above.holds


def test_nan_is_not_certified():
    made = Game([[[1.0], [1.0]]], [[1.0, 0.0]], 0.5)
    assert not certify_optimality(made, np.array([np.nan]), np.array([0])).holds


def test_the_dual_solution_is_a_measure_with_the_same_objective():
    made, best = certified(2)
    start = [Fraction(1, made.states)] * made.states
    dual = oracle.fractions(best.certificate.dual_visits)
    reward = [made.reward[s, a] for s, a in enumerate(best.actions)]
    earned = sum(d * r for d, r in zip(dual, oracle.fractions(reward), strict=True))
    assert all(d >= 0 for d in dual)
    assert earned == sum(p * v for p, v in zip(start, oracle.fractions(best.values), strict=True))


# --- discount 1 -------------------------------------------------------------------------------------------------------


def stay_or_leave(stay, leave, stay_first):
    """One state, γ = 1: stay for ``stay`` and remain, or leave for ``leave`` and end."""
    rows, rewards = [[ONE], [ZERO]], [stay, leave]
    if not stay_first:
        rows, rewards = rows[::-1], rewards[::-1]
    return Game([rows], [rewards], ONE)


@pytest.mark.parametrize("stay_first", [True, False])
@pytest.mark.parametrize(
    ("stay", "leave"), [(-ONE, Fraction(-5)), (-ONE, ONE), (ZERO, ZERO), (ZERO, -ONE), (ZERO, ONE)]
)
@pytest.mark.parametrize("exact", [True, False])
def test_discount_one_with_a_proper_optimum(stay, leave, stay_first, exact):
    """Staying never has a value of its own, so leaving is optimal, in whatever order the actions come."""
    made = stay_or_leave(stay, leave, stay_first)
    best = optimal(made if exact else made.floats())
    assert float(best.values[0]) == float(leave) if not exact else oracle.fractions(best.values) == [leave]
    assert best.actions[0] == int(stay_first) and best.certificate.holds


@pytest.mark.parametrize("stay_first", [True, False])
def test_discount_one_without_a_bound(stay_first):
    with pytest.raises(SingularError, match="every state must reach termination"):
        optimal(stay_or_leave(ONE, Fraction(100), stay_first))


def test_discount_one_where_nothing_ends():
    with pytest.raises(SingularError, match="discount"):
        optimal(Game([[[ONE], [ONE]]], [[ONE, ZERO]], ONE))


def test_discount_one_against_brute_force_with_improper_policies():
    """Costs everywhere, so that every loop is worse than leaving; some deterministic policies never end."""
    improper = 0
    for seed in range(40):
        rng = random.Random(seed)
        game = oracle.draw_game(rng, 3, (2, 2), ONE, terminating=False)
        for s in range(3):
            for a in range(4):
                game["r"][s][a] = Fraction(-rng.randint(1, 9))
                if rng.random() < 0.5:
                    game["P"][s][a] = oracle.draw_row(rng, 3, deterministic=True)
                if rng.random() < 0.3:
                    game["P"][s][a] = [ZERO] * 3
        game["P"][0][3] = [ZERO] * 3
        wanted = oracle.optimal_values(game)
        made = Game(**oracle.arguments(game))
        try:
            oracle.state_values(game, oracle.deterministic((2, 2), (0, 0, 0)))
        except ZeroDivisionError:
            improper += 1
        if wanted is None:
            with pytest.raises(SingularError):
                optimal(made)
        else:
            assert oracle.fractions(optimal(made).values) == wanted, f"seed {seed}"
    assert improper > 5


def test_balls_and_symbols_are_sent_back():
    made = Game([[[HALF], [HALF]]], [[ONE, ZERO]], HALF)
    with pytest.raises(GameError, match=r"needs floats or rationals, not balls; call it before \.balls"):
        optimal(made.balls())


# --- batches, floats, QuantEcon ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("exact", [True, False])
def test_a_batch_is_its_games_one_by_one(exact):
    games = [draw(seed) for seed in range(1, 61, 6)]  # one shape, various discounts
    single = [Game(**oracle.arguments(game)) for game in games]
    batch = Game(
        np.stack([g.transition for g in single]),
        np.stack([g.reward for g in single]),
        np.stack([g.discount for g in single]),
        single[0].action_sizes,
    )
    best = optimal(batch if exact else batch.floats())
    assert best.values.shape == (len(games), 3) and best.certificate.holds
    for index, game in enumerate(games):
        wanted = oracle.optimal_values(game)
        if exact:
            assert oracle.fractions(best.values[index]) == wanted
        else:  # condition numbers of at most 2/(1 - 99/100): far below 1e4 units of rounding on values up to 300
            np.testing.assert_allclose(best.values[index], np.array(wanted, float), rtol=0, atol=1e-9)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9, 0.99])
def test_optimal_values_against_quantecon(gamma):
    quantecon = pytest.importorskip("quantecon")
    rng = np.random.default_rng(int(100 * gamma))
    for _ in range(25):
        states, sizes = int(rng.integers(2, 7)), (2, int(rng.integers(1, 4)))
        actions = sizes[0] * sizes[1]
        transition, reward = rng.dirichlet(np.ones(states), (states, actions)), rng.normal(size=(states, actions))
        best = optimal(Game(transition, reward, gamma, sizes))
        other = quantecon.markov.DiscreteDP(reward, transition, gamma).solve(method="policy_iteration")
        # Both solve systems of condition number at most 2/(1-γ) ≤ 200 for values up to 400, with rounding 1e-16.
        np.testing.assert_allclose(best.values, other.v, rtol=0, atol=1e-10)
        assert (best.actions == other.sigma).all() and best.certificate.holds


def test_stationary_distributions_against_quantecon():
    quantecon = pytest.importorskip("quantecon")
    rng = np.random.default_rng(5)
    for _ in range(50):
        states = int(rng.integers(1, 8))
        transition = rng.dirichlet(np.full(states, 0.5), (states, 4))
        made = Game(transition, np.zeros((states, 4)), 0.9, (2, 2))
        policy = Policy.product([rng.dirichlet(np.ones(2), states) for _ in range(2)])
        chain = np.einsum("sa,sat->st", policy.joint(), transition)
        other = quantecon.MarkovChain(chain / chain.sum(-1, keepdims=True)).stationary_distributions[0]
        # Rows of both chains sum to 1 within 1e-15, and GTH-like elimination is accurate to a few units times states.
        np.testing.assert_allclose(stationary_distribution(made, policy), other, rtol=1e-9, atol=1e-13)


def test_recurrent_classes_against_quantecon():
    quantecon = pytest.importorskip("quantecon")
    from mappo_verify.quantities.chain import recurrent_classes

    rng = np.random.default_rng(6)
    several = 0
    for _ in range(60):
        states = 6
        targets = rng.integers(0, states, (states, 1, 2))
        transition = np.eye(states)[targets].mean(axis=2)
        made = Game(transition, np.zeros((states, 1)), 0.5)
        policy = Policy.uniform(made)
        chain = quantecon.MarkovChain(transition[:, 0])
        wanted = sorted(tuple(int(s) for s in sorted(group)) for group in chain.recurrent_classes_indices)
        assert sorted(recurrent_classes(made, policy)) == wanted
        several += len(wanted) > 1
        for group in wanted:
            found = stationary_distribution(made, policy, group)
            others = [nu for nu in chain.stationary_distributions if nu[group[0]] > 0]
            np.testing.assert_allclose(found, others[0], rtol=1e-12, atol=1e-14)
    assert several > 5
