"""The exact limit of pessimistic evaluation, against a grid, against floats at a large penalty, and against planted errors."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, floats_of, like
from mappo_verify.games.offline import theorem_5_5_one_agent, theorem_5_5_two_agents
from mappo_verify.papers.local_optimization.limits import limits_of, require_smallest, smallest_critic
from mappo_verify.quantities.bellman_error import Moments, population_moments, start_features
from mappo_verify.quantities.limit_critics import LimitError, _multipliers, limit_critic, require_optimal
from mappo_verify.quantities.linear_class import LinearClass


def setup(problem, m):
    game = problem.game
    policy = mv.Policy.uniform(game)
    features = problem.features.matrix(m - 1)
    moments = population_moments(game, policy, features, problem.distribution(m), m)
    direction = start_features(game, policy, features, m, game.start)
    return moments, direction, LinearClass(features, problem.radius, problem.ceiling)


CASES = [(theorem_5_5_two_agents, 1), (theorem_5_5_two_agents, 2), (theorem_5_5_one_agent, 1)]


@pytest.mark.parametrize(("make", "m"), CASES)
def test_it_is_the_limit_of_the_penalised_problem(make, m):
    """Clarabel, by cvxpy, at a penalty of 10⁶ comes to the same objective."""
    cp = pytest.importorskip("cvxpy")
    moments, direction, critics = setup(make(), m)
    found = limit_critic(moments, direction, critics)
    form = moments.pessimism(like(np.zeros(len(direction), int), direction), 1)
    curvature, slope = floats_of(form.matrix), floats_of(form.slope)
    values, vectors = np.linalg.eigh(curvature)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    w = cp.Variable(len(direction))
    target = np.linalg.lstsq(root, slope, rcond=None)[0]
    heights = floats_of(critics.features) @ w
    problem = cp.Problem(
        cp.Minimize(floats_of(direction) @ w + 1e6 * cp.sum_squares(root @ w - target)),
        [heights >= 0, heights <= float(floats_of(critics.ceiling))],
    )
    problem.solve(solver=cp.CLARABEL)
    assert floats_of(direction) @ w.value == pytest.approx(float(floats_of(found.objective)), abs=1e-4)
    assert found.weights.dtype == object
    assert (critics.contains(found.weights) > 0).all()
    assert (floats_of(moments.equation_error(found.weights)) == 0).all()


def test_the_values_of_the_counterexamples():
    tables = [setup(make(), m) for make, m in CASES]
    values = [limit_critic(*table).values.astype(str).tolist() for table in tables]
    assert values[0][:8] == ["1/4", "1/3", "1", "1", "0", "0", "0", "0"]
    assert values[1][:4] == ["1/2", "1/2", "1/3", "1/3"]
    assert values[2] == ["0", "1/4", "3/2", "3/2", "3/4", "3/4", "0", "0", "0", "0"]


@pytest.mark.parametrize("part", ["weights", "equalities", "lower", "upper", "objective"])
def test_a_planted_error_in_any_part_is_caught(part):
    moments, direction, critics = setup(theorem_5_5_one_agent(), 1)
    found = limit_critic(moments, direction, critics)
    wrong = np.array(getattr(found, part))
    wrong.flat[0] = wrong.flat[0] - like(1, System.RATIONALS)
    with pytest.raises(LimitError, match="not proved optimal"):
        require_optimal(replace(found, **{part: np.asarray(wrong)}), moments, direction, critics)


def test_a_critic_against_the_ceiling():
    """Maximising (a negative direction) ends at 1/(1-γ): multipliers of the upper bounds are used too."""
    moments, direction, critics = setup(theorem_5_5_two_agents(), 1)
    found = limit_critic(moments, -direction, critics)
    assert str(found.values[4]) == "2" and (floats_of(found.upper) > 0).any()


def test_no_critic_without_error():
    moments, direction, critics = setup(theorem_5_5_two_agents(), 1)
    impossible = Moments(moments.gram, moments.operator, moments.reward * 100)
    with pytest.raises(LimitError, match="no critic of the class"):
        limit_critic(impossible, direction, critics)


def test_a_ball_that_is_too_small_is_noticed():
    moments, direction, critics = setup(theorem_5_5_one_agent(), 1)
    with pytest.raises(LimitError, match="it lies in the class"):
        limit_critic(moments, direction, replace(critics, radius=like(1, System.RATIONALS)))


def test_multipliers_are_few_and_do_not_depend_on_a_solver():
    """A free row, then three bounds of which the second alone balances the rest; where nothing balances, all are 0."""
    rows = like([[1, 1], [1, 0], [0, 1], [-1, 1]], System.RATIONALS)
    assert _multipliers(rows, like([2, 5], System.RATIONALS), 1).astype(str).tolist() == ["2", "0", "3", "0"]
    assert _multipliers(rows[1:], like([-1, -1], System.RATIONALS), 1).astype(str).tolist() == ["0", "0", "0"]


@pytest.mark.parametrize(("make", "m"), CASES)
def test_the_critic_is_smallest_at_every_action_of_the_start(make, m):
    """Under both inner minima: the multipliers bound every critic without error below by the critic's own values."""
    problem = make()
    critic = limits_of(problem, mv.Policy.uniform(problem.game))[m - 1]
    proof = smallest_critic(problem, m, critic)
    assert (proof.weights == critic.weights).all()
    assert proof.equalities.any(1).all() and not proof.upper.any()


@pytest.mark.parametrize("weights", [[Fraction(3, 2), Fraction(1, 4), 4, 0], [0, Fraction(1, 4), 0, 0]])
def test_a_critic_that_is_not_smallest_or_has_an_error_is_noticed(weights):
    """The first is Q, which has no Bellman error either."""
    problem = theorem_5_5_one_agent()
    (critic,) = limits_of(problem, mv.Policy.uniform(problem.game))
    with pytest.raises(LimitError, match="not proved smallest"):
        smallest_critic(problem, 1, replace(critic, weights=like(np.array(weights, object), System.RATIONALS)))


@pytest.mark.parametrize("part", ["weights", "equalities", "lower", "upper"])
def test_a_planted_error_in_any_part_of_the_proof_is_caught(part):
    problem = theorem_5_5_two_agents()
    proof = smallest_critic(problem, 1, limits_of(problem, mv.Policy.uniform(problem.game))[0])
    for place in range(getattr(proof, part).size):
        wrong = np.array(getattr(proof, part))
        wrong.flat[place] = wrong.flat[place] + like(1, System.RATIONALS)
        with pytest.raises(LimitError, match="not proved smallest"):
            require_smallest(replace(proof, **{part: wrong}), problem, 1)


def test_a_ball_without_room_for_the_rival_map_is_noticed():
    """Then a critic outside of ``Aw = b`` may be without error under equation (5), and the proof would not hold."""
    problem = theorem_5_5_one_agent()
    (critic,) = limits_of(problem, mv.Policy.uniform(problem.game))
    with pytest.raises(LimitError, match="room for the rival map"):
        smallest_critic(replace(problem, radius=like(11, System.RATIONALS)), 1, critic)


@pytest.mark.parametrize(
    ("rows", "direction", "wanted"),
    [
        ([[0, 0], [-1, 0], [0, -1], [1, 0], [0, 1]], [2, 3], [0, 0, 0, 2, 3]),  # the last two of four
        ([[0, 0], [1, 0], [0, 1], [1, 1]], [2, 2], [0, 0, 0, 2]),  # one is enough
        ([[0, 0], [1, 0], [0, 1], [1, 1]], [0, 0], [0, 0, 0, 0]),
        ([[1, 0], [0, 1], [1, 1]], [-2, 2], [-2, 2, 0]),  # the free one may be negative
        ([[0, 0], [1, 0], [0, 1], [1, 1]], [-2, 2], [0, 0, 0, 0]),  # none balances
        ([[0, 0], [2, 1], [1, 2]], [3, 3], [0, 1, 1]),
    ],
)
def test_multipliers_by_hand(rows, direction, wanted):
    """The first row is free; of the others as few as possible."""
    given = [like(table, System.RATIONALS) for table in (rows, direction)]
    assert (_multipliers(*given, 1) == wanted).all()
