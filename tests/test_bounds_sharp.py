"""How wide the bound of a Bellman residual is: what was rounded on the way and no more, in both equations."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp

import mappo_verify as mv
from mappo_verify.arithmetic.sparse import UNDERFLOW
from mappo_verify.quantities.residuals import CertifiedValues, bellman_error

U = 2.0**-53
MOVES = np.array([[[0.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]]])
"""Two states that change places, whatever is done."""


def game(discount=0.5, moves=MOVES, **kept):
    """Values 2 and 6 at γ = 1/2: rewards -1 and 5, of which the second action pays 1 less and 1 more than is played."""
    pay = np.array([2.0, 6.0]) - discount * np.array([6.0, 2.0])
    return mv.Game(moves, np.stack([pay, pay], -1), discount, **kept)


def expected(steps, missing, discount, going_on=1.0, size=7 + 12):
    """``2(steps u + missing)`` of ``‖r‖ + 2‖v‖`` over ``1 - c``."""
    lost = 2 * (steps * U + missing)
    return lost * size / (1 - discount * going_on * (1 + lost))


@pytest.mark.parametrize("policy", [True, False])
def test_an_exact_solution_may_be_off_by_what_was_rounded(policy):
    """Two successors, two actions, one agent and eight more; rewards up to 5 and values up to 6."""
    made = game()
    found = bellman_error(made, np.array([2.0, 6.0]), mv.Policy.uniform(made) if policy else None)
    assert found.residual == 0 and found.error == pytest.approx(expected(13, 0, 0.5, size=5 + 12), rel=1e-12, abs=0)
    assert repr(found) == f"CertifiedValues(2 states, residual 0.00e+00, error ≤ {found.error:.2e})"


def test_agents_actions_and_successors_are_counted():
    moves = np.zeros((3, 8, 3))
    moves[..., 0] = 1
    made = mv.Game(moves, np.ones((3, 8)), 0.5, (2, 2, 2))
    policy = mv.Policy.uniform(made)
    assert bellman_error(made, np.full(3, 2.0), policy).error == pytest.approx(
        expected(3 + 8 + 3 + 8, 0, 0.5, size=5), rel=1e-12, abs=0
    )
    thin = replace(made, transition=sp.csr_array(moves.reshape(24, 3)))  # where rows store one number
    assert bellman_error(thin, np.full(3, 2.0), policy).error == pytest.approx(
        expected(1 + 8 + 3 + 8, 0, 0.5, size=5), rel=1e-12, abs=0
    )


def test_rows_that_miss_1_by_rounding_and_policies_too():
    short = 2.0**-50
    made = game(moves=MOVES * (1 - short))
    policy = mv.Policy.uniform(made)
    found = bellman_error(made, np.array([2.0, 6.0]), policy)
    plain = found.residual / (1 - 0.5)
    assert found.error - plain == pytest.approx(expected(13, short, 0.5, size=5 + 12), rel=1e-2, abs=0)
    uneven = mv.Policy([np.array([[[0.5, 0.5 - short]], [[0.5, 0.5]]])])
    found = bellman_error(game(), np.array([2.0, 6.0]), uneven)
    assert found.error - found.residual / 0.5 == pytest.approx(expected(13, short, 0.5, size=5 + 12), rel=1e-2, abs=0)
    ending = game(moves=MOVES * 0.75)  # which is no rounding
    found = bellman_error(ending, np.array([2.0, 6.0]), policy)
    assert found.error == pytest.approx(found.residual / (1 - 0.375), rel=1e-12, abs=0)


def test_the_residual_is_the_largest_in_either_equation():
    """``r + γPv - v`` is ``(.5, -.25)`` of what is played evenly; the best action earns 1 more in either state."""
    values = np.array([2.0, 6.0])
    made = game()
    pay = np.asarray(made.reward) + [[-0.5, 1.5], [-1.25, 0.75]]
    made = mv.Game(MOVES, pay, 0.5)
    for policy, residual in ((mv.Policy.uniform(made), 0.5), (None, 1.5)):
        found = bellman_error(made, values, policy)
        assert found.residual == residual and found.error == pytest.approx(residual / 0.5, rel=1e-12, abs=0)
    uneven = mv.Policy([np.array([[[0.75, 0.25]], [[1.0, 0.0]]])])  # 0 and -1.25
    assert bellman_error(made, values, uneven).residual == 1.25


def test_nothing_is_bounded_without_a_contraction():
    made = game(1.0)
    assert (
        bellman_error(made, np.zeros(2)).error
        == np.inf
        == bellman_error(made, np.zeros(2), mv.Policy.uniform(made)).error
    )
    half = mv.Game(MOVES * [[[0.5], [0.25]]], np.ones((2, 2)), 1.0)  # some action ends with ½ at least
    found = bellman_error(half, np.zeros(2))
    assert found.error == pytest.approx(1 / (1 - 0.5), rel=1e-12, abs=0)
    found = bellman_error(half, np.zeros(2), mv.Policy.deterministic(half, [1, 1]))
    assert found.error == pytest.approx(1 / (1 - 0.25), rel=1e-12, abs=0)


def test_what_underflows_is_counted_unless_there_is_nothing():
    made = mv.Game(MOVES, np.full((2, 2), 1e-310), 0.5)
    assert bellman_error(made, np.full(2, 2e-310)).error == pytest.approx(UNDERFLOW / 0.5, rel=1e-6, abs=0)
    nothing = mv.Game(MOVES, np.zeros((2, 2)), 0.5)
    assert bellman_error(nothing, np.zeros(2)).error == 0 and isinstance(
        bellman_error(nothing, np.zeros(2)), CertifiedValues
    )


def test_bounds_hold_for_every_wrong_solution():
    generator = np.random.default_rng(0)
    for _ in range(20):
        made = mv.Game(generator.dirichlet(np.ones(3), (3, 2)), generator.normal(size=(3, 2)), 0.9)
        policy = mv.Policy([generator.dirichlet(np.ones(2), (3, 1))])
        values = mv.state_values(made, policy) + generator.normal(size=3) * 10.0 ** generator.uniform(-17, -3)
        found, exact = bellman_error(made, values, policy), mv.state_values(made.exact(), policy.exact())
        off = max(abs(Fraction(v) - Fraction(int(w.p), int(w.q))) for v, w in zip(values.tolist(), exact, strict=True))
        assert off <= Fraction(found.error) <= 20 * off + Fraction(1e-12)
