"""Theorem D.7's counterexample, run: Algorithm 4 on drawn data ends where the closed form says."""

from __future__ import annotations

from fractions import Fraction
from math import comb, exp, log, sqrt

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, floats_of, like
from mappo_verify.games.offline import theorem_5_5_two_agents
from mappo_verify.papers.local_optimization import appendix_d_theorem


@pytest.mark.parametrize("penalty", [1e-3, 0.7, 1e3])
def test_algorithm_4_walks_into_the_trap(penalty):
    """60 iterations with 400 fresh data per agent and iteration, whatever λ: the gap is that of the claim."""
    steps, count, rng = 60, 400, np.random.default_rng(4)
    problem = theorem_5_5_two_agents().floats()
    game, eta = problem.game, sqrt(log(2) / (2 * steps)) / 2
    classes = [appendix_d_theorem._first_class(System.FLOATS), appendix_d_theorem._second_class(System.FLOATS)]
    logits = [np.zeros((4, 1, 2)), np.zeros((4, 2, 2))]
    best, gaps = mv.returns(game, problem.comparator), []
    for _ in range(steps):
        policy = mv.Policy.softmax(logits)
        gaps.append(best - mv.returns(game, policy))
        for m, finite in enumerate(classes, start=1):
            law = mv.quantities.law_of_data(game, policy, problem.distribution(m), m)
            data = rng.multinomial(count, law.ravel()).reshape(law.shape) / count
            chosen = int(finite.choice(game, policy, data, penalty, game.start))
            assert m == 2 or chosen in (1, 2), "agent 1 believes g or g'"
            logits[m - 1] = logits[m - 1] + eta * finite.tables[chosen].reshape(logits[m - 1].shape)
    formula = [1 / (1 + exp(-eta * k / 12)) / 6 for k in range(steps)]
    np.testing.assert_allclose(gaps, formula, rtol=0, atol=1e-12)  # 60 sums of numbers below 1
    assert np.mean(formula) == pytest.approx(
        float(floats_of(appendix_d_theorem._mean_gap(steps, System.BALLS))), abs=1e-12
    )
    assert min(formula) == 1 / 12


@pytest.mark.parametrize("count", [1, 2, 7, 30])
def test_the_tail_of_the_bad_samples(count):
    """Every sample counted: more than 3 in 4 zeros has probability at most (1 - 47/1536)ⁿ ≤ 1/(1 + 47n/1536)."""
    total = Fraction(0)
    for zeros in range(count + 1):
        for ones in range(count + 1 - zeros):
            if zeros > 3 * ones:
                rest = count - zeros - ones
                total += (
                    comb(count, zeros)
                    * comb(count - zeros, ones)
                    * Fraction(1, 8) ** (zeros + ones)
                    * Fraction(3, 4) ** rest
                )
    rate = appendix_d_theorem.TRAP_RATE
    assert total <= (1 - rate) ** count <= 1 / (1 + count * rate)
    assert rate == 1 - (Fraction(3, 4) + Fraction(1, 8) * (Fraction(4, 3) + Fraction(3, 4) ** 3))


def test_where_zeros_are_too_many_the_trap_stays_shut():
    """Four zeros in five: Q explains the targets of g better, so E_D(g) > 0, and a high penalty unmasks g."""
    setting = appendix_d_theorem.TRAP
    coordinates = {"first": [[1, 1]] * 4, "penalty": [1000, 1], "counts": [4, 1, 1, 1]}
    case = setting.case(coordinates, mv.Sizes(1, (2,)), System.RATIONALS)
    finite = appendix_d_theorem._first_class(case.system)
    assert finite.errors(case.game, case.policy, case.sample).unwrap()[0, 1] > 0
    objective = (
        finite.objective(case.game, case.policy, case.sample, case.penalty, case.game.start).unwrap()[0].tolist()
    )
    assert min(objective) == objective[0] < min(objective[1:])
    first, penalty, counts = (like(v, System.RATIONALS) for v in ([[Fraction(1, 2)] * 2] * 4, 1000, [4, 1, 1, 1]))
    shut = mv.check("theorem-d.7/trap", first=first, penalty=penalty, counts=counts)
    assert shut.verdict is mv.Verdict.NOT_APPLICABLE
