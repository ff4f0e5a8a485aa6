"""Algorithm 1 whose steps stay in a ball about the current parameters, and the printed bound on it."""

from __future__ import annotations

import json

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.algorithms import AboutCurrent, ExactFit, StochasticGradient, bounded_steps_ppo, multi_agent_ppo
from mappo_verify.algorithms.bounded_steps import DISTANCE
from mappo_verify.arithmetic import System
from mappo_verify.quantities.update_errors import odds_change, safe_odds_change
from mappo_verify.runs.folder import open_run
from mappo_verify.runs.plan import Plan
from mappo_verify.runs.summary import summarise

SAID = "so the printed bound is a theorem here"


@pytest.fixture(scope="module")
def game():
    return mv.games.restarted(mv.named_game("climbing")).floats()


def steps(trace):
    return [np.linalg.norm(np.diff(table, axis=0), axis=-1) for table in trace.parameters]


@pytest.mark.parametrize("solver", [ExactFit(), StochasticGradient(40), StochasticGradient(40, expectations=True)])
def test_no_step_is_longer_than_the_distance(game, solver):
    """The ideal steps are: without the ball they come out, and are too long."""
    features = mv.Features.random(game, 3, 1)
    trace = bounded_steps_ppo(game, 6, distance=0.3, beta=0.5, features=features, solver=solver, seed=2)
    assert trace.algorithm == "bounded_steps_ppo"
    for lengths in steps(trace):
        assert lengths.max() <= 0.3 * (1 + 1e-9)
    free = multi_agent_ppo(game, 6, beta=0.5, features=features)
    assert max(lengths.max() for lengths in steps(free)) > 1


def test_where_the_ball_excludes_nothing_it_changes_nothing(game):
    one, other = bounded_steps_ppo(game, 9, distance=1e6), multi_agent_ppo(game, 9)
    for a, b in zip(one.parameters, other.parameters, strict=True):
        assert a == pytest.approx(b, rel=1e-12, abs=0)


def test_the_ball_is_about_the_current_parameters(game):
    """As printed it is about 0, where many short steps lead out of it."""
    trace = bounded_steps_ppo(game, 40, distance=0.2, beta=1)
    assert np.linalg.norm(trace.parameters[0][-1]) > 1
    about_zero = multi_agent_ppo(game, 40, radius=0.2, beta=1)
    assert np.linalg.norm(about_zero.parameters[0], axis=-1).max() <= 0.2 * (1 + 1e-9)


def test_one_step_of_algorithm_3_by_hand():
    """A bandit, T = 1: from θ_k along ``2φ Q̂/β`` of the action drawn, with ``η = D/G`` and ``G = 2(D + B/β)``."""
    bandit = mv.Game([[[1], [1]]], [[1.0, 0.0]], 0.0, start=[1.0])
    trace = bounded_steps_ppo(bandit, 16, distance=0.5, beta=1.0, solver=StochasticGradient(1), seed=4)
    beta, own = 4, trace.parameters[0]
    size = 0.5 / (2 * (0.5 + 1 / beta)) * 2 / beta
    for step in np.diff(own, axis=0):
        assert step == pytest.approx([size, 0]) or step == pytest.approx([0, 0])
    assert 1 < round(own[-1, 0] / size) < 16


def test_a_step_that_is_given_is_kept():
    bandit = mv.Game([[[1], [1]]], [[1.0, 1.0]], 0.0, start=[1.0])
    trace = bounded_steps_ppo(bandit, 1, distance=0.5, beta=1.0, solver=StochasticGradient(1, step=0.125))
    assert trace.parameters[0][1].sum() == pytest.approx(0.25)


def test_a_ball_needs_a_radius(game):
    with pytest.raises(mv.errors.GameError, match="pass distance="):
        multi_agent_ppo(game, 1, solver=AboutCurrent(ExactFit()))
    with pytest.raises(mv.errors.GameError, match="R = -1"):
        bounded_steps_ppo(game, 1, distance=-1)


def test_the_distance_is_what_the_theorem_allows():
    """2 arsinh(3 + √2): rounded down, and by no more than a hundredth; where the logits of one pair move apart by all of it."""
    safe = float(safe_odds_change(System.FLOATS))
    assert np.sinh(safe / 2) == pytest.approx(3 + np.sqrt(2)) and safe / 2 - 0.01 < DISTANCE <= safe / 2
    assert odds_change(np.array([[1.0, 4.0, 2.0], [5.0, 5.0, 5.0]])).tolist() == [3, 0]


def summary_of(tmp_path, plan):
    mv.begin_run(plan, tmp_path)
    return summarise(open_run(tmp_path), mv.load_run(tmp_path))


def test_a_run_shows_the_printed_bound_holding(tmp_path):
    options = {"iterations": 60, "solver": "sgd:30", "critic": "noisy:1"}
    data = summary_of(tmp_path, Plan("algorithm-1-repaired", "climbing", options=options))
    bounds = data["bounds"]
    assert bounds["theorem"] == "theorem-4.5" and data["options"]["distance"] == DISTANCE
    assert all(gap <= bound for gap, bound in zip(bounds["mean_gap"], bounds["printed"], strict=True))
    assert SAID in data["says"] and json.loads(json.dumps(data)) == data


def test_where_a_step_is_too_large_no_theorem_is_claimed(tmp_path):
    data = summary_of(tmp_path, Plan("algorithm-1", "climbing", options={"iterations": 9, "beta": 0.1}))
    assert SAID not in data["says"]
    far = summary_of(
        tmp_path / "far",
        Plan("algorithm-1-repaired", "climbing", options={"iterations": 9, "beta": 0.1, "distance": 9.0}),
    )
    assert SAID not in far["says"]
