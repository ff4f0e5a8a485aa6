"""Quantities by hand where a slip would change little: the last agent, the second batch axis, an answer that stays open."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, like
from mappo_verify.errors import GameError
from mappo_verify.model.trees import hidden
from mappo_verify.quantities.certified import EXACT_WORK, compared, work
from mappo_verify.quantities.quadratic_program import Region

F = Fraction


def test_by_how_much_a_ball_is_left():
    """``(‖w‖² - L²)/2L``: of length 3 and ``L = 2`` it is 5/4, of length 2 and 1 nothing."""
    region = Region(np.zeros((0, 2)), np.zeros(0), np.zeros(0), 2.0)
    assert region.beyond(np.array([[3.0, 0.0], [0.0, -2.0], [1.0, 0.0]])).tolist() == [1.25, 0, 0]
    assert region.violation(np.array([0.0, 3.0])) == 1.25 and region.violation(np.array([1.0, 1.0])) == 0
    slabs = Region(np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([0.0, -1.0]), np.array([1.0, 1.0]), 9.0)
    assert slabs.violation(np.array([1.0, 0.0])) == 1 and slabs.violation(np.array([-1.0, 0.0])) == 2
    assert slabs.violation(np.array([0.25, -3.0])) == 2 == slabs.violation(np.array([0.25, 3.0]))


# --- floats whose signs are certified ----------------------------------------------------------------------------------


def test_what_exact_values_cost():
    assert work(3, 4) == 9 * (9 + 4) + 1_000 and work(3, 4, 5) == 5 * work(3, 4) and work(1, 1) == 1_002


TIE = ([[[0.5, 0.5], [0.25, 0.75]], [[0.125, 0.875], [0.875, 0.125]]], [[0.25, 0.25], [0.25, 0.25]])
"""Whatever is done, 1/4 is paid for ever: advantages are 0, and no enclosure of another chain says so."""


def test_ties_are_decided_by_rationals():
    tie = mv.Game(*TIE, 0.875)
    found = compared(tie, np.array([0, 1]))
    assert found.decided.all() and not found.advantage.any() and found.excess == 0
    assert (found.low < 2).all() and (found.high > 2).all() and (found.high - found.low < 1e-15).all()
    better = mv.Game(TIE[0], [[0.25, 0.25], [0.25, 0.25 + 2.0**-50]], 0.875)  # hardly, and only in state 1
    found = compared(better, np.array([0, 0]))
    assert found.decided.all() and np.sign(found.advantage).tolist() == [[0, 0], [0, 1]]
    assert 2.0**-50 <= found.excess <= 2.0**-50 * (1 + 1e-12) and found.advantage[1, 1] == 2.0**-50


def test_games_of_a_batch_are_decided_one_by_one():
    """The second is settled by enclosures, the others by rationals; what one says is not told of its neighbours."""
    rewards = np.stack([TIE[1], [[1.0, 0.0], [0.0, 1.0]], [[0.25, 0.25], [0.25, 0.25 + 2.0**-50]]])
    games = mv.Game(np.array(TIE[0]), rewards, 0.875)
    actions = np.array([[0, 1], [0, 1], [0, 0]])
    found = compared(games, actions)
    assert found.decided.all() and found.low.shape == (3, 2) and found.advantage.shape == (3, 2, 2)
    for k in range(3):
        alone = compared(mv.Game(TIE[0], rewards[k], 0.875), actions[k])
        for name in ("low", "high", "advantage", "excess"):
            assert np.array_equal(getattr(found, name)[k], getattr(alone, name)), (k, name)
    assert found.excess.tolist() == [0, 0, pytest.approx(2.0**-50)] and (found.advantage[1] <= 0).all()


def test_what_would_take_too_long_stays_open():
    states = 60
    assert work(states, 2) > EXACT_WORK
    chain = np.full((states, 2, states), 1 / states)
    chain[:, 1] = np.roll(np.eye(states), 1, axis=1)
    found = compared(mv.Game(chain, np.full((states, 2), 0.25), 0.875), np.zeros(states, int))
    assert not found.decided[:, 1].any() and found.decided[:, 0].all() and 0 < found.excess < 1e-12
    assert (found.low <= 2).all() and (found.high >= 2).all()


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_bounds_of_a_batch(batch):
    generator = np.random.default_rng(1)
    games = mv.Game(generator.dirichlet(np.ones(3), (*batch, 3, 2)), generator.normal(size=(*batch, 3, 2)), 0.9)
    policies = mv.Policy([generator.dirichlet(np.ones(2), (*batch[1:], 3, 1))])
    low, high = mv.quantities.value_bounds(games, policies)
    exact = mv.state_values(games.exact(), policies.exact())
    assert low.shape == (*batch, 3) == high.shape
    for least, most, value in zip(low.ravel().tolist(), high.ravel().tolist(), exact.ravel(), strict=True):
        value = F(int(value.p), int(value.q))
        assert F(least) <= value <= F(most) and F(most) - F(least) < F(1, 10**12)


# --- one instance ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", [System.RATIONALS, System.ENCLOSURES, System.BALLS])
def test_two_classes_have_no_stationary_distribution_in_a_proof(system):
    stay = mv.Game([[[1, 0]], [[0, 1]]], [[0], [0]], F(1, 2)).exact()
    move = mv.Game([[[0, 1]], [[F(1, 4), F(3, 4)]]], [[0], [0]], F(1, 2)).exact()
    policy = mv.Policy.uniform(stay)
    with pytest.raises(GameError, match="no stationary distribution, or several"):
        mv.stationary_distribution(hidden(stay, system, 0), hidden(policy, system, 0))
    found = mv.stationary_distribution(hidden(move, system, 0), hidden(policy, system, 0))
    wanted = like(np.array([F(1, 5), F(4, 5)], dtype=object), found)
    assert (abs(found - wanted) <= like(F(1, 10**12), found)).all()._parts[0] > 0


def test_optimality_is_not_certified_where_it_is_open():
    game = mv.Game([[[1], [1]]], [[F(1, 3), F(1, 4)]], F(1, 2)).exact()
    best = mv.optimal(game)
    assert mv.quantities.certify_optimality(game, best.values, best.actions).holds
    balls = game.balls()
    again = mv.quantities.certify_optimality(balls, mv.state_values(balls, best.policy.balls()), best.actions)
    assert not again.holds


def test_errors_name_the_second_axis_of_a_batch():
    moves = np.zeros((2, 3, 2, 1, 2))
    moves[...] = [[[0, 1]], [[1, 0]]]
    moves[1, 2] = [[[1, 0]], [[0, 1]]]
    games = mv.Game(moves, np.zeros((2, 3, 2, 1)), 0.5)
    with pytest.raises(GameError, match=r"several recurrent classes at batch index \[1, 2\]: \{0\}; \{1\}"):
        mv.stationary_distribution(games, mv.Policy([np.ones((2, 1, 1))]))
    moves[1, 2] = 0
    with pytest.raises(GameError, match=r"no stationary distribution at batch index \[1, 2\]"):
        mv.stationary_distribution(mv.Game(moves, np.zeros((2, 3, 2, 1)), 0.5), mv.Policy([np.ones((2, 1, 1))]))


def test_a_chosen_class_of_several():
    moves = np.array([[[1, 0, 0, 0]], [[0, 0, 1, 0]], [[0, 1, 0, 0]], [[0.25, 0.25, 0.25, 0.25]]], float)
    game = mv.Game(moves, np.zeros((4, 1)), 0.5, state_names=("a", "b", "c", "d"))
    policy = mv.Policy.uniform(game)
    assert mv.stationary_distribution(game, policy, (0,)).tolist() == [1, 0, 0, 0]
    assert mv.stationary_distribution(game, policy, (2, 1, 2)).tolist() == [0, 0.5, 0.5, 0]
    with pytest.raises(GameError, match=r"\{a\}; \{b, c\}"):
        mv.stationary_distribution(game, policy)
    for chosen, complaint in (
        ((0, 1), "not one"),
        ((1,), "not one"),
        ((3,), "not one"),
        ((0, 4), "0..3"),
        ((-1,), "0..3"),
        ((), "0..3"),
    ):
        with pytest.raises(GameError, match=complaint):
            mv.stationary_distribution(game, policy, chosen)
