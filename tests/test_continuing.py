"""Games that start again: by hand, by the renewal equation, and what is refused."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, like
from mappo_verify.games.named import random_game

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def ending(system=System.RATIONALS, discount=HALF):
    """State 0 goes to 1 with probability 1/3, else it ends; state 1 stays with 1/2, or, by action 1, for ever."""
    transition = [[[0, THIRD], [0, 0]], [[0, HALF], [0, 1]]]
    return mv.Game(
        like(np.array(transition, object), system),
        like([[1, 0], [0, 2]], system),
        like(discount, system),
        start=like(np.array([Fraction(3, 4), Fraction(1, 4)], object), system),
        state_names=("a", "b"),
        name="ending",
    )


def test_by_hand():
    game = mv.games.restarted(ending())
    expected = [
        [[HALF, THIRD + Fraction(1, 6)], [Fraction(3, 4), Fraction(1, 4)]],
        [[Fraction(3, 8), HALF + Fraction(1, 8)], [0, 1]],
    ]
    assert (game.transition == like(np.array(expected, object), System.RATIONALS)).all()
    assert not game.terminates()
    assert (game.name, game.state_names) == ("ending, restarted", ("a", "b"))
    assert (game.reward == ending().reward).all() and game.discount == ending().discount


def test_values_are_those_of_renewal():
    """``V'(s) = V(s) + E_s[γ^T] J'``: one episode of length T, then everything anew."""
    for seed in range(5):
        game = random_game(3, (2, 2), seed=seed)
        game = mv.Game(game.transition * like(Fraction(4, 5), game.system), game.reward, HALF, (2, 2), start=game.start)
        policy = mv.Policy.uniform(game)
        values, again = mv.state_values(game, policy), mv.state_values(mv.games.restarted(game), policy)
        leaving = mv.Game(game.transition, like(np.full((3, 4), Fraction(1, 10), object), game.system), HALF, (2, 2))
        discounts = mv.state_values(leaving, policy)  # every move ends with 1/5, and the next one counts 1/2
        after = (game.start * again).sum()
        assert (again == values + discounts * after).all()


def test_a_game_that_goes_on_keeps_its_numbers():
    game = mv.named_game("random:3x2x2:7").floats()
    game = game if game.start is not None else game.with_start(np.full(3, 1 / 3))
    assert not game.terminates()
    np.testing.assert_array_equal(mv.games.restarted(game).transition, game.transition)


def test_batches_and_floats():
    games = mv.Game(
        [ending(System.FLOATS).transition] * 2, ending(System.FLOATS).reward, [0.5, 0.9], start=[[1, 0], [0, 1.0]]
    )
    found = mv.games.restarted(games)
    for b in range(2):
        np.testing.assert_array_equal(found[b].transition, mv.games.restarted(games[b]).transition)
    np.testing.assert_allclose(found[1].transition[0, 0], [0, 1])
    np.testing.assert_allclose(
        mv.games.restarted(ending(System.FLOATS)).transition, mv.games.restarted(ending()).floats().transition
    )


def test_algorithm_1_runs_on_it():
    assert mv.algorithms.multi_agent_ppo(mv.games.restarted(ending(System.FLOATS)), 3).iterations == 3


@pytest.mark.parametrize(
    ("game", "message"),
    [
        (mv.Game([[[0.5]]], [[1.0]], 0.5), "needs a start distribution; use game.with_start"),
        (ending().balls(), "cannot be told from balls; restart the exact game"),
    ],
)
def test_what_is_refused(game, message):
    with pytest.raises(mv.errors.GameError, match=re.escape(message)):
        mv.games.restarted(game)


def test_exact_games_restart_before_they_become_balls():
    assert not mv.games.restarted(ending()).balls().terminates()
    mv.stationary_distribution(
        mv.games.restarted(ending()).balls(), mv.Policy.uniform(mv.games.restarted(ending())).balls()
    )
