"""Policy gradients against finite differences and plain loops; best responses and Nash gaps against enumeration."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import numpy as np
import pytest

import oracle
from mappo_verify.arithmetic import System, absolute, compare, floats_of, like
from mappo_verify.arithmetic.precision import precision
from mappo_verify.errors import GameError
from mappo_verify.games.named import named_game, random_game
from mappo_verify.model import Game, Policy
from mappo_verify.model.features import Features
from mappo_verify.quantities.equilibria import best_response, nash_gaps, nash_policy, response_game, with_response
from mappo_verify.quantities.gradients import policy_gradient, product_gradient
from mappo_verify.quantities.optimal import optimal
from mappo_verify.quantities.values import returns, state_values

SHAPES = [((2,), 3), ((2, 2), 3), ((2, 3), 2), ((3, 1, 2), 2), ((2, 2, 2), 1)]


def draw(seed, kind="product"):
    """An oracle game and policy, γ of all kinds, terminating where it has to be."""
    rng = random.Random(seed)
    sizes, states = SHAPES[seed % len(SHAPES)]
    gamma = oracle.DISCOUNTS[seed % len(oracle.DISCOUNTS)]
    game = oracle.draw_game(rng, states, sizes, gamma, terminating=gamma == 1 or rng.random() < 0.4)
    return game, oracle.draw_policy(rng, states, sizes, kind)


# --- gradients --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["product", "conditional", "full", "mixed"])
def test_gradient_from_the_definition(kind):
    """``d(s) π^{1:m-1} π^m A^m`` by plain loops, exactly."""
    for seed in range(40):
        game, policy = draw(seed, kind)
        sizes = game["sizes"]
        visited, gains = oracle.visits(game, policy), oracle.agent_advantages(game, policy)
        found = policy_gradient(Game(**oracle.arguments(game)), Policy(policy))
        for m in range(len(sizes)):
            wanted = [
                [
                    [
                        visited[s]
                        * oracle.prefix_probability(policy, sizes, s, (*prefix, a))
                        * gains[m][s][oracle.index_of((*prefix, a), sizes)]
                        for a in range(sizes[m])
                    ]
                    for prefix in oracle.tuples(sizes[:m])
                ]
                for s in range(len(game["P"]))
            ]
            assert oracle.fractions(found[m]) == wanted, f"seed {seed}, agent {m}"
            assert (found[m].sum(-1) == 0).all()


def central_difference(value, tables, m, index, step):
    """``(J(ℓ + h e) - J(ℓ - h e)) / 2h`` in one logit."""
    ends = []
    for sign in (1, -1):
        moved = [table.copy() for table in tables]
        moved[m][index] = moved[m][index] + sign * step
        ends.append(value(moved))
    return (ends[0] - ends[1]) / (2 * step)


@pytest.mark.parametrize("sizes", [(3,), (2, 3), (2, 1, 2)])
def test_gradient_against_finite_differences_in_balls(sizes):
    """At 300 bits and h = 2^-60, a central difference is off by about h²."""
    with precision(300):
        game = random_game(2, sizes, seed=3).balls()
        generator = np.random.default_rng(0)
        shapes = Features.tabular(game).shapes
        logits = [like(generator.integers(-3, 4, shape), game.system) / 2 for shape in shapes]
        step = like(Fraction(1, 2**60), game.system)[()]

        def value(tables):
            return returns(game, Policy.softmax(tables))[()]

        for m, table in enumerate(policy_gradient(game, Policy.softmax(logits))):
            for index in np.ndindex(*table.shape):
                error = absolute(table[index] - central_difference(value, logits, m, index, step))
                assert compare(error, "<", like(Fraction(1, 2**100), error)) > 0

        own = [like(generator.integers(-3, 4, (shape[0], shape[2])), game.system) / 2 for shape in shapes]

        def product_value(tables):
            return returns(game, product_of(tables))[()]

        def product_of(tables):
            full = [np.repeat(t[:, None], shape[1], axis=1) for t, shape in zip(tables, shapes, strict=True)]
            return Policy.softmax(full)

        for m, table in enumerate(product_gradient(game, product_of(own))):
            for index in np.ndindex(*table.shape):
                error = absolute(table[index] - central_difference(product_value, own, m, index, step))
                assert compare(error, "<", like(Fraction(1, 2**100), error)) > 0


def test_parameters_follow_by_the_chain_rule():
    game = random_game(3, (2, 3), seed=5).floats()
    features, generator = Features.random(game, 4), np.random.default_rng(1)
    theta = [generator.standard_normal(d) for d in features.dimensions]
    gradient = policy_gradient(game, features.policy(theta))
    for m, table in enumerate(gradient):
        found = features.transposed(m, table)
        for i in range(4):
            numeric = central_difference(lambda t: returns(game, features.policy(t)), theta, m, i, 1e-5)
            assert found[i] == pytest.approx(float(numeric), abs=1e-7)


def test_gradient_in_a_batch_and_from_another_start():
    batch = random_game(3, (2, 3), seed=2, batch=(5,)).floats()
    policy = Policy.uniform(batch[0])
    start = [0.2, 0.3, 0.5]
    together = policy_gradient(batch, policy, start)
    for b in range(5):
        for left, right in zip(together, policy_gradient(batch[b], policy, start), strict=True):
            np.testing.assert_allclose(left[b], right, rtol=0, atol=1e-13)


# --- best responses ---------------------------------------------------------------------------------------------------


def own_rows(policy, m):
    """The factor of agent ``m`` (from 0) of a product policy, ``[s][a]``."""
    return [rows[0] for rows in policy[m]]


def replaced(game, policy, m, actions):
    """The oracle policy with agent ``m`` playing ``actions[s]`` for certain."""
    size = game["sizes"][m]
    table = [[[Fraction(a == actions[s]) for a in range(size)] for _ in rows] for s, rows in enumerate(policy[m])]
    return [*policy[:m], table, *policy[m + 1 :]]


def enumerated(game, policy, m):
    """The best values, state by state, over all deterministic policies of agent ``m`` that have values."""
    best = None
    for actions in itertools.product(range(game["sizes"][m]), repeat=len(game["P"])):
        try:
            values = oracle.state_values(game, replaced(game, policy, m, actions))
        except ZeroDivisionError:
            continue
        best = values if best is None else [max(pair) for pair in zip(best, values, strict=True)]
    return best


def test_best_responses_by_enumeration():
    """Exactly, γ = 1 and termination included; and the policy attains its values among the others."""
    for seed in range(40):
        game, policy = draw(seed)
        mv_game, mv_policy = Game(**oracle.arguments(game)), Policy(policy)
        gaps = nash_gaps(mv_game, mv_policy)
        for m in range(len(game["sizes"])):
            wanted = enumerated(game, policy, m)
            found = best_response(mv_game, mv_policy, m + 1)
            assert oracle.fractions(found.values) == wanted, f"seed {seed}, agent {m}"
            assert found.certificate.holds
            among = with_response(mv_policy, m + 1, found.policy)
            assert oracle.fractions(state_values(mv_game, among)) == wanted
            gain = sum(p * v for p, v in zip(game["start"], wanted, strict=True)) - oracle.returns(game, policy)
            assert oracle.fractions(gaps[m]) == gain
            assert gain >= 0


def test_floats_agree_with_rationals():
    for seed in range(10):
        game, policy = draw(seed)
        exact = Game(**oracle.arguments(game)), Policy(policy)
        floats = nash_gaps(exact[0].floats(), exact[1].floats())
        np.testing.assert_allclose(floats, floats_of(nash_gaps(*exact)), rtol=1e-9, atol=1e-9)


def test_response_game_forgets_the_agent_itself():
    game, policy = draw(1)
    mv_game = Game(**oracle.arguments(game))
    for m, size in enumerate(game["sizes"]):
        other = replaced(game, policy, m, [0] * len(game["P"]))
        left = response_game(mv_game, Policy(policy), m + 1)
        right = response_game(mv_game, Policy(other), m + 1)
        assert left.action_sizes == (size,)
        assert (left.transition == right.transition).all()
        assert (left.reward == right.reward).all()


def test_batches():
    batch = random_game(3, (2, 3), seed=2, batch=(4,)).floats()
    policy = Policy.uniform(batch[0])
    together = nash_gaps(batch, policy)
    assert together.shape == (4, 2)
    for b in range(4):
        np.testing.assert_allclose(together[b], nash_gaps(batch[b], policy), rtol=0, atol=1e-12)


# --- Section 4.3: equilibria need not be optimal ----------------------------------------------------------------------


def equilibria(game):
    """Joint actions of a one-state game that are Nash equilibria in pure strategies, with what they pay."""
    found = {}
    for action in range(game.actions):
        profile = Policy.deterministic(game, [action])
        if (nash_gaps(game, profile) == 0).all():
            found[action] = int(returns(game, profile)[()].p)
    return found


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("climbing", {0: 11, 4: 7}),
        ("penalty", {0: 10, 4: 2, 8: 10}),
        ("shared-parameter:2", {1: 1, 2: 1}),
        # where one deviation cannot reach a paying pair, nobody minds earning nothing
        ("shared-parameter:4", {0: 0, 3: 1, 5: 0, 6: 0, 9: 0, 10: 0, 12: 1, 15: 0}),
    ],
)
def test_pure_equilibria_of_named_games(name, wanted):
    game = named_game(name)
    assert equilibria(game) == wanted
    best = int(optimal(game).values[0].p)
    assert max(wanted.values()) == best


def test_an_optimal_policy_is_an_equilibrium_and_a_mixed_one_exists():
    for seed in range(10):
        game = random_game(3, (2, 3), seed=seed)
        assert (nash_gaps(game, optimal(game).policy) == 0).all()
    # in the shared-parameter game of two agents, (1/2, 1/2) each is a third equilibrium, and pays half
    game = named_game("shared-parameter:2")
    even = Policy.uniform(game)
    assert (nash_gaps(game, even) == 0).all()
    assert str(returns(game, even)) == "1/2"


@pytest.mark.parametrize("exact", [True, False])
def test_a_nash_policy_is_deterministic_where_nothing_is_worth_more(exact):
    game = random_game(2, (2, 3, 2), seed=0)
    game = Game(game.transition, 0 * game.reward, game.discount, game.action_sizes)
    game = game if exact else game.floats()
    for factor in nash_policy(game, Policy.uniform(game)).factors:
        assert set(np.asarray(floats_of(factor)).ravel().tolist()) == {0.0, 1.0}


def test_bad_input():
    game = named_game("climbing")
    copying = Policy(
        (
            like(np.full((1, 1, 3), Fraction(1, 3), object), System.RATIONALS),
            like(np.eye(3, dtype=int)[None], System.RATIONALS),
        )
    )
    for question in (
        lambda: nash_gaps(game, copying),
        lambda: best_response(game, copying, 2),
        lambda: with_response(copying, 1, Policy.uniform(game)),
    ):
        with pytest.raises(GameError, match="product policies, and some factor of this one depends on the prefix"):
            question()
    for agent in (0, 3):
        with pytest.raises(GameError, match=rf"agent {agent} is not in 1\.\.2"):
            best_response(game, Policy.uniform(game), agent)
        with pytest.raises(GameError, match=rf"agent {agent} is not in 1\.\.2"):
            with_response(Policy.uniform(game), agent, Policy.uniform(game))
    with pytest.raises(GameError, match="floats or rationals, not balls"):
        nash_gaps(game.balls(), Policy.uniform(game.balls()))
    with pytest.raises(GameError, match="the policy is for"):
        nash_gaps(game, Policy.uniform(named_game("two-step")))


@pytest.mark.parametrize("exact", [False, True])
def test_best_responses_in_turn_climb_a_staircase(exact):
    """``r(k, k) = 2k``, ``r(k + 1, k) = 2k + 1``, else -1: from (0, 0) each response is one step, and (4, 4) the end."""
    rewards = np.full((5, 5), -1)
    for k in range(5):
        rewards[k, k] = 2 * k
        if k < 4:
            rewards[k + 1, k] = 2 * k + 1
    game = Game([[[0]] * 25], [rewards.ravel().tolist()], Fraction(1, 2), (5, 5), start=[1])
    game = game if exact else game.floats()
    found = nash_policy(game, Policy.deterministic(game, [0]))
    assert [np.argmax(floats_of(factor)[0, 0]) for factor in found.factors] == [4, 4]
    assert floats_of(nash_gaps(game, found)).tolist() == [0, 0]


@pytest.mark.parametrize("function", [optimal, nash_gaps, best_response])
def test_an_empty_batch_is_named(function):
    game = random_game(2, (2, 2), batch=(3,)).floats()[np.zeros(3, bool)]
    asked = {optimal: (), best_response: (Policy.uniform(game), 1)}.get(function, (Policy.uniform(game),))
    with pytest.raises(GameError, match=r"the batch \[0\] of games is empty"):
        function(game, *asked)
