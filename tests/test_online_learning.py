"""Exponential weights and their regret: against plain loops, against every point of a grid, against Hoeffding."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
import oracle
from mappo_verify.arithmetic import System, like, log
from mappo_verify.errors import ClaimError
from mappo_verify.papers.registry import claim as find
from mappo_verify.quantities.online_learning import (
    cumulative_gains,
    exponential_weights,
    follow_the_regularised_leader,
    hoeffding_term,
    regret,
    regret_bound,
    regularised_gain,
    regulariser,
    regulariser_range,
    sharp_regret_bound,
    soft_maximum,
    stability,
    tuned_step,
)

RATIONALS = System.RATIONALS


def drawn(seed, low=1, high=9):
    """Odds ``[K, A]`` and a step ``η``, as Fractions."""
    rng = random.Random(seed)
    steps, actions = rng.randint(1, 4), rng.randint(1, 4)
    odds = [[Fraction(rng.randint(low, high), rng.randint(low, high)) for _ in range(actions)] for _ in range(steps)]
    return odds, Fraction(rng.randint(1, 9), rng.randint(1, 9))


def exact_gains(odds, eta):
    """``f_k = log(odds)/η``, exact."""
    return log(like(np.array(odds), RATIONALS)) / like(eta, RATIONALS)


@pytest.mark.parametrize(
    ("gains", "eta", "said"),
    [
        ([[0.0, 1.0], [0.0, math.nan]], 1.0, r"values\[1, 1\] = nan is not finite"),
        ([[0.0, 1.0], [0.0, 1e300]], 1e300, r"values / beta\[1, 1\] = inf is not finite"),
        ([[0.0, 1.0]], -1.0, r"beta = -1.0; it must be positive"),
        ([[[0.0, 1.0]], [[0.0, 1.0]]], [1.0, -2.0], r"beta\[1\] = -0.5; it must be positive"),
    ],
)
def test_plays_of_no_numbers_are_refused_by_index(gains, eta, said):
    with pytest.raises(mv.errors.GameError, match=said):
        exponential_weights(gains, eta)


@pytest.mark.parametrize("seed", range(60))
def test_plays_against_plain_loops(seed):
    odds, eta = drawn(seed)
    wanted = oracle.exponential_weights(odds)
    gains, step = exact_gains(odds, eta), like(eta, RATIONALS)
    assert oracle.fractions(exponential_weights(gains, step)) == wanted
    assert oracle.fractions(follow_the_regularised_leader(gains, step)) == wanted
    rounded = np.log(np.array(odds, float)) / float(eta)
    plays = exponential_weights(rounded, float(eta))
    np.testing.assert_allclose(plays, np.array(wanted, float), rtol=1e-12)
    np.testing.assert_allclose(follow_the_regularised_leader(rounded, float(eta)), plays, rtol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_regret_and_stability_against_plain_loops(seed):
    odds, _ = drawn(seed)
    rng = random.Random(seed + 1)
    gains = [[Fraction(rng.randint(-9, 9), 9) for _ in row] for row in odds]
    plays = oracle.exponential_weights(odds)
    comparator = oracle.draw_row(rng, len(odds[0]))
    table = like(np.array(plays), RATIONALS)
    lost = regret(like(np.array(gains), RATIONALS), table[:-1], like(np.array(comparator), RATIONALS))
    assert oracle.fractions(lost) == oracle.regret(gains, plays, comparator)
    late = stability(like(np.array(gains), RATIONALS), table)
    assert oracle.fractions(late) == [
        oracle.regret([row], [before], after) for row, before, after in zip(gains, plays, plays[1:], strict=False)
    ]


def grid(actions, parts=12):
    """Every distribution with denominators ``parts``."""
    return [
        np.array(weights) / parts
        for weights in itertools.product(range(parts + 1), repeat=actions)
        if sum(weights) == parts
    ]


@pytest.mark.parametrize("seed", range(10))
def test_the_leader_leads(seed):
    """No point of a grid has a larger regularised gain, and any other point misses it by its divergence over η."""
    rng = np.random.default_rng(seed)
    gains, eta = rng.uniform(-2, 2, (3, 3)), rng.uniform(0.2, 3)
    leaders, sums = follow_the_regularised_leader(gains, eta), cumulative_gains(gains)
    np.testing.assert_allclose(sums, [[0, 0, 0], gains[0], gains[0] + gains[1], gains.sum(0)], atol=1e-14)
    for leader, total in zip(leaders, sums, strict=True):
        best = regularised_gain(leader, total, eta)
        assert all(regularised_gain(q, total, eta) <= best + 1e-12 for q in grid(3))
        near = leader + 0.1 * (np.eye(3)[0] - leader)
        missed = sum(q * math.log(q / p) for p, q in zip(leader, near, strict=True)) / eta
        np.testing.assert_allclose(best - regularised_gain(near, total, eta), missed, atol=1e-12)


def test_the_regulariser():
    """0 where nothing is random, -log|A|/η at the uniform play."""
    assert regulariser(np.array([0.0, 1.0]), 2.0) == 0
    np.testing.assert_allclose(regulariser(np.full(4, 0.25), 2.0), -math.log(4) / 2, rtol=1e-15)
    np.testing.assert_allclose(regulariser_range(2.0, 4), math.log(4) / 2, rtol=1e-15)


@pytest.mark.parametrize("seed", range(40))
def test_the_soft_maximum_and_hoeffding(seed):
    """Between mean and maximum, and at most ηB²/8 above the mean; close to that for a fair coin and a small step."""
    rng = np.random.default_rng(seed)
    bound, eta = rng.uniform(0.1, 5), rng.uniform(0.01, 3)
    play, gains = rng.dirichlet(np.ones(3)), rng.uniform(0, bound, 3)
    soft, mean = soft_maximum(play, gains, eta), play @ gains
    assert mean - 1e-12 <= soft <= gains.max() + 1e-12
    assert soft - mean <= hoeffding_term(bound, eta) + 1e-12
    coin = soft_maximum(np.array([0.5, 0.5]), np.array([0.0, bound]), 0.01 / bound) - bound / 2
    assert 0.999 < coin / hoeffding_term(bound, 0.01 / bound) < 1


def test_batches_are_one_by_one():
    rng = np.random.default_rng(0)
    gains, eta, comparator = rng.uniform(0, 1, (5, 2, 3, 4)), rng.uniform(0.1, 2, 5), rng.dirichlet(np.ones(4), (5, 2))
    plays = exponential_weights(gains, eta)
    lost, soft = regret(gains, plays[..., :-1, :], comparator), soft_maximum(plays[..., 0, :], gains[..., 0, :], eta)
    for i, row in itertools.product(range(5), range(2)):
        alone = exponential_weights(gains[i, row], eta[i])
        np.testing.assert_allclose(plays[i, row], alone, rtol=1e-14)
        np.testing.assert_allclose(lost[i, row], regret(gains[i, row], alone[:-1], comparator[i, row]), rtol=1e-12)
        np.testing.assert_allclose(soft[i, row], soft_maximum(alone[0], gains[i, row, 0], eta[i]), rtol=1e-12)


@pytest.mark.parametrize("steps", [1, 7, 100])
def test_the_two_bounds_at_the_tuned_step(steps):
    """The printed one is 2 log|A|/η, and the sharp one 17/32 of it."""
    eta = tuned_step(np.array(3.0), steps, 5)
    np.testing.assert_allclose(eta, math.sqrt(math.log(5) / (2 * steps)) / 3, rtol=1e-14)
    printed = regret_bound(np.array(3.0), steps, 5)
    np.testing.assert_allclose(printed, 2 * math.log(5) / eta, rtol=1e-14)
    np.testing.assert_allclose(sharp_regret_bound(np.array(3.0), eta, steps, 5) / printed, 1 / 2 + 1 / 32, rtol=1e-14)


def test_greedy_adversaries_never_break_the_bounds():
    """Payoffs 0 or B chosen against the play of the moment, for many steps: regret against the best action in hindsight."""
    worst = 0.0
    for actions, steps, bound in itertools.product((2, 3, 5), (1, 10, 200), (1.0, 7.0)):
        eta = float(tuned_step(np.array(bound), steps, actions))
        gains = np.zeros((0, actions))
        for _ in range(steps):
            play = exponential_weights(gains.sum(0, keepdims=True), eta)[-1]
            gains = np.vstack([gains, np.where(play <= play.min() + 1e-9, bound, 0.0)])
        plays = exponential_weights(gains, eta)[:-1]
        lost = max(float(regret(gains, plays, corner)) for corner in np.eye(actions))
        assert lost <= sharp_regret_bound(bound, eta, steps, actions) + 1e-9
        worst = max(worst, lost / float(regret_bound(bound, steps, actions)))
    assert worst < 1


def constant(steps, bound=1.0):
    """One action always pays, the other never does."""
    return {
        "bound": np.array(bound),
        "comparator": np.array([[1.0, 0.0]]),
        "weights": np.array([1.0]),
        "shares": tuple(np.array([[1.0, 0.0]]) for _ in range(steps)),
    }


def test_the_tightest_payoffs_known():
    """Half of the printed bound is used by payoffs that never change."""
    evidence = mv.check("lemma-c.6", **constant(100))
    assert evidence.holds and 0.508 < evidence.ratio < 0.509


def test_payoffs_beyond_the_bound_are_not_meant():
    case = constant(2)
    case["shares"] = (np.array([[1.0, 0.0]]), np.array([[2.0, 0.0]]))
    evidence = mv.check("lemma-c.6", **case)
    assert evidence.verdict is mv.Verdict.NOT_APPLICABLE and "shares lie in [0, 1]" in evidence.reason


def test_one_action_is_no_choice():
    alone = {"bound": np.array(1.0), "comparator": np.array([[1.0]]), "weights": np.array([1.0])}
    evidence = mv.check("lemma-c.6", **alone, shares=(np.array([[1.0]]),))
    assert evidence.verdict is mv.Verdict.NOT_APPLICABLE and "|A| ≥ 2" in evidence.reason


def test_payoffs_are_one_table_per_step():
    with pytest.raises(ClaimError, match="one table per step"):
        mv.check("lemma-c.6", **{**constant(1), "shares": np.array([[1.0, 0.0]])})


def test_a_halved_bound_falls():
    """The falsifier can refute here: half of the sharp bound is too little, and it finds payoffs that show it."""
    from dataclasses import replace

    whole = find("lemma-c.6/sharp")

    def proof(case):
        gains, plays = case.gains, exponential_weights(case.gains, case.eta)
        yield mv.line("regret", regret(gains, plays[..., :-1, :], case.comparator))
        bound = sharp_regret_bound(case.bound, case.eta, case.sizes.steps, case.sizes.actions[0])
        yield mv.at_most("half of the bound", bound / 2, because="planted")

    found = mv.falsify(replace(whole, id="halved", proof=proof, symbolic=()))
    assert found.witness is not None and found.witness.evidence.violated
