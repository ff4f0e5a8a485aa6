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
    horizon, dimension = float(problem.ceiling), problem.features.dimensions[-1]
    doubt = np.log(2 * 100 / 0.05)
    error = horizon**2 / 1000 * (np.log(2) / 2 * dimension + doubt)
    unseen = 7 * horizon * np.sqrt((dimension * np.log1p(2 * float(problem.radius) * 1000 / horizon) + doubt) / 1000)
    assert few - first == pytest.approx(horizon * (np.sqrt(error) + unseen))
    assert mv.bounds.from_samples(problem, 100, 1000, 0.05, mismatch=2, unseen=0.5) - first == pytest.approx(
        2 * horizon * (np.sqrt(error) + 0.5)
    )


def test_what_samples_leave_of_a_finite_class():
    """Theorem D.7, repaired, by hand: 30 critics, 500 draws, K = 20, δ = 1/20."""
    game = mv.games.theorem_5_5_two_agents().floats().game
    horizon, unit = float(game.horizon), np.log(2 * 20 * 30 / 0.05) / 500
    error, unseen = 2 * 0.01 + 6 * horizon**2 * unit, np.sqrt(0.02) + 4 * horizon * np.sqrt(unit)
    found = mv.bounds.from_finite_class(game, 30, 20, 500, 0.05, mismatch=3, realizability=0.01, completeness=0.02)
    assert found - mv.bounds.optimisation(game, 20) == pytest.approx(horizon * (3 * np.sqrt(error) + 0.1 + 3 * unseen))
    for wrong in ({"critics": 0}, {"samples": 0}, {"iterations": 0}, {"failure": 0.0}, {"mismatch": 0.0}):
        with pytest.raises(mv.errors.MappoVerifyError, match=r"must be|positive|at least"):
            mv.bounds.from_finite_class(**{"game": game, "critics": 3, "iterations": 3, "samples": 3} | wrong)


def test_the_sharper_bounds_of_a_run_by_hand(bandit):
    """One step by (0, 1) from even play, where (1, 0) was aimed at with β = 1: e = (-1, 1), and no error of the critic."""
    features = mv.Features.tabular(bandit)
    trace = mv.algorithms.Trace(
        features, (np.array([[0.0, 0.0], [0.0, 1.0]]),), (np.array([[[[1.0, 0.0]]]]),), np.array(1.0), "by hand"
    )
    found = mv.bounds.of_run(trace, bandit, mv.optimal(bandit).policy)
    bad = np.e / (1 + np.e)
    errors = 2 * bad  # ε = 1, and (π_* - π_1)/π_0 = 2 (π_1(bad), -π_1(bad))
    assert found.sharp == pytest.approx([np.log(2) + errors + 1 / 2])
    assert found.spread == pytest.approx([np.log(2) + errors + 1 / 8])
    assert found.measured <= found.spread <= found.sharp <= found.repaired
