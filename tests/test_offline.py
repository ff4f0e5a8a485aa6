"""Problems of Section 5: the numbers of the counterexamples, by hand, and what bad input is told."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from mappo_verify.arithmetic import System, like
from mappo_verify.errors import GameError
from mappo_verify.games.named import named_game, random_game
from mappo_verify.games.offline import OfflineProblem, tabular_problem, theorem_5_5_one_agent, theorem_5_5_two_agents
from mappo_verify.model import Policy
from mappo_verify.model.agents import prefix_sizes
from mappo_verify.model.features import Features
from mappo_verify.quantities.agent_values import agent_values
from mappo_verify.quantities.bellman_error import population_moments
from mappo_verify.quantities.linear_class import LinearClass
from mappo_verify.quantities.values import returns


def rationals(values):
    return like(np.array(values, object), System.RATIONALS)


def test_theorem_5_5_two_agents_by_hand():
    problem = theorem_5_5_two_agents()
    game = problem.game
    _, first, second = agent_values(game, Policy.uniform(game))
    half, third = Fraction(1, 2), Fraction(1, 3)
    assert (first == rationals([[half, third], [1, 1], [1, 1], [0, 0]])).all()
    assert (second == rationals([[half, half, third, third], [1] * 4, [1] * 4, [0] * 4])).all()
    assert returns(game, problem.comparator) == rationals(half)
    assert problem.radius == rationals(Fraction(9, 2)) and problem.ceiling == 2
    for m, values in ((1, first), (2, second)):  # whatever the policy, Q is this, so the class is realizable
        features = problem.features.matrix(m - 1)
        weights = np.linalg.lstsq(*(np.asarray(t, float) for t in (features, values.reshape(-1))))[0]
        np.testing.assert_allclose(
            np.asarray(features, float) @ weights, np.asarray(values.reshape(-1), float), atol=1e-14
        )
        critics = LinearClass(features.astype(float), 4.5, 2.0)
        assert critics.contains(weights) == 1
    # the whole range is within the radius: sqrt(5) * 2 < 9/2
    assert max(problem.features.dimensions) * problem.ceiling**2 < problem.radius**2


def test_theorem_5_5_one_agent_by_hand():
    problem = theorem_5_5_one_agent()
    game, quarter = problem.game, Fraction(1, 4)
    values = agent_values(game, Policy.uniform(game))[1]
    assert (values == rationals([[Fraction(3, 2), quarter], [2, 2], [2, 2], [2, 2], [0, 0]])).all()
    moments = population_moments(game, Policy.uniform(game), problem.features.matrix(0), problem.distribution(1), 1)
    wrong = rationals([0, quarter, 3, -3])
    assert (
        problem.features.scores(0, wrong)[:, 0]
        == rationals([[0, quarter], [Fraction(3, 2)] * 2, [Fraction(3, 4)] * 2, [0, 0], [0, 0]])
    ).all()
    assert moments.error(wrong) == 0
    assert moments.error(rationals([Fraction(3, 2), quarter, 4, 0])) == 0  # Q itself
    critics = LinearClass(problem.features.matrix(0), problem.radius, problem.ceiling)
    assert (critics.contains(np.stack([wrong, rationals([Fraction(3, 2), quarter, 4, 0])])) == 1).all()
    assert returns(game, problem.comparator) == rationals(Fraction(3, 2))


def test_marginals_of_the_data():
    game = random_game(3, (2, 3), seed=5)
    joint = rationals([[Fraction(a + 1, 21) for a in range(6)]] * 3)
    problem = tabular_problem(game, Policy.uniform(game), action_distribution=joint)
    for m, size in enumerate(prefix_sizes(game.action_sizes)):
        table = problem.distribution(m)
        assert table.shape == (3, size) and table.sum() == 1
    assert (problem.distribution(1) == rationals([[Fraction(6, 63), Fraction(15, 63)]] * 3)).all()
    with pytest.raises(GameError, match=r"m = 3 is not in 0\.\.2"):
        problem.distribution(3)


def test_other_number_systems_hold_the_same_numbers():
    problem = theorem_5_5_two_agents()
    there = problem.floats()
    assert there.game.system is System.FLOATS and float(there.radius) == 4.5
    assert (there.distribution(2) == problem.distribution(2).astype(float)).all()
    assert there.exact().game.system is System.RATIONALS and there.exact().radius == problem.radius
    assert problem.balls().game.system is System.BALLS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"states_distribution": [0.5, 0.6, 0, 0]}, "states_distribution sums to 1.1"),
        ({"states_distribution": [0.5, 0.4, 0, 0]}, r"states_distribution sums to 0\.9, not 1"),
        ({"states_distribution": [1.0, 0.0]}, r"states_distribution has shape \(2,\); it needs \[S\]"),
        ({"action_distribution": [[1.0, 0, 0, -1]] * 4}, r"action_distribution\[0, 3\] = -1.0 is negative"),
        ({"radius": 0.0}, "radius = 0.0 is not a positive number"),
        ({"radius": np.array([1.0, 2.0])}, "is not a positive number"),
    ],
)
def test_bad_problems_are_refused(changes, message):
    with pytest.raises(GameError, match=message):
        replace(theorem_5_5_two_agents().floats(), **changes)


def test_bad_games_are_refused():
    problem = theorem_5_5_two_agents().floats()
    with pytest.raises(GameError, match="not below 1"):
        replace(problem, game=problem.game.with_discount(1))
    with pytest.raises(GameError, match="start="):
        replace(problem, game=replace(problem.game, start=None))
    batch = random_game(4, (2, 2), batch=(2,)).floats()
    with pytest.raises(GameError, match="index the batch"):
        replace(problem, game=batch)
    other = named_game("climbing").floats()
    with pytest.raises(GameError, match="4 states"):
        replace(problem, game=other)
    with pytest.raises(GameError, match="policy is for 1 states"):
        replace(problem, comparator=Policy.uniform(other))
    with pytest.raises(GameError, match="nan is not finite"):
        OfflineProblem(
            problem.game,
            Features.given([np.full((4, 1, 2, 1), np.nan), np.zeros((4, 2, 2, 1))]),
            problem.states_distribution,
            problem.action_distribution,
            1.0,
            problem.comparator,
        )
