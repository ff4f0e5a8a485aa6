"""What theorems allow, evaluated: by hand, beside the claims, and beside runs."""

from __future__ import annotations

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import FALSE, TRUE, floats_of


@pytest.fixture(scope="module")
def bandit():
    return mv.Game([[[1], [1]]], [[1.0, 0.0]], 0.0, start=[1.0])


def test_without_errors_by_hand_and_above_a_run(bandit):
    assert mv.bounds.without_errors(bandit, 50) == pytest.approx(np.sqrt(2 * np.log(2) / 50))
    by_hand = 0.7 / np.sqrt(50) * np.log(2) + 1 / (2 * 0.7 * np.sqrt(50))
    assert mv.bounds.without_errors(bandit, 50, beta=0.7) == pytest.approx(by_hand)
    assert mv.bounds.without_errors(bandit, 50, beta=0.7, bound=2) > by_hand
    found = mv.bounds.of_run(mv.algorithms.multi_agent_ppo(bandit, 50), bandit, mv.optimal(bandit).policy)
    assert found.repaired[-1] == pytest.approx(mv.bounds.without_errors(bandit, 50))
    assert np.all(found.measured <= found.repaired)


def test_the_rate_is_that_of_the_claim(bandit):
    exact = mv.Game(
        mv.like([[[1], [1]]], mv.System.RATIONALS),
        mv.like([[1, 0]], mv.System.RATIONALS),
        mv.like(0, mv.System.RATIONALS),
    )
    evidence = mv.check(
        "theorem-4.5/exact-rate-in-rewards", steps=3, game=exact, target=mv.optimal(exact).policy, beta=2
    )
    right = float(floats_of(evidence.lines[-1].value).max())
    assert mv.bounds.exact_rate(bandit, 2.0, 3) == pytest.approx(right) == pytest.approx((2 * np.log(2) + 1) / 4)


@pytest.mark.parametrize(("push", "proved"), [(4.3, TRUE), (4.5, FALSE)])
def test_a_run_says_whether_the_printed_bound_is_a_theorem_on_it(bandit, push, proved):
    """One step towards the bad action, below and above 4.381; the printed bound counts the error either way."""
    features = mv.Features.tabular(bandit)
    moved = np.array([[0.0, 0.0], [0.0, push]])
    trace = mv.algorithms.Trace(features, (moved,), (np.array([[[[1.0, 0.0]]]]),), np.array(1.0), "by hand")
    found = mv.bounds.of_run(trace, bandit, mv.optimal(bandit).policy)
    assert found.change == pytest.approx(push) and found.proved == proved
    assert found.measured == pytest.approx([0.5]) and found.printed.shape == found.repaired.shape == (1,)


def test_regret_by_hand():
    printed, sharp = mv.bounds.regret(3.0, 40, 5)
    assert printed == pytest.approx(6 * np.sqrt(2 * 40 * np.log(5))) and sharp == pytest.approx(printed / 4)


def test_what_samples_leave():
    problem = mv.games.theorem_5_5_two_agents().floats()
    game = problem.game
    first = 2 * np.sqrt(2) * float(problem.ceiling) ** 2 * sum(np.sqrt(np.log(n) / 100) for n in game.action_sizes)
    assert mv.bounds.optimisation(game, 100) == pytest.approx(first)
    few, many = (mv.bounds.from_samples(problem, 100, n, 0.05) for n in (1000, 10**6))
    assert first < many < few
    error = mv.algorithms.statistical_error(problem, game.agents, 1000, 100, 0.05)
    assert few - first == pytest.approx(float(problem.ceiling) * np.sqrt(error))
    assert mv.bounds.from_samples(problem, 100, 1000, 0.05, mismatch=2, unseen=0.5) - first == pytest.approx(
        float(problem.ceiling) * (2 * np.sqrt(error) + 1)
    )
