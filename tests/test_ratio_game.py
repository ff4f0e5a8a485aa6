"""Ratio games and the published simulation's quantities, against plain fractions and finite differences."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from mappo_verify.arithmetic import System, like
from mappo_verify.errors import GameError
from mappo_verify.games.named import named_game, random_game, ratio
from mappo_verify.model import Policy
from mappo_verify.quantities.agent_values import agent_values
from mappo_verify.quantities.ratio_game import (
    commitment_values,
    first_order_gain,
    gradient_on_square,
    independent_weights,
    product_of_marginals,
    ratio_slope,
    ratio_value,
    stopping,
)
from mappo_verify.quantities.values import returns, state_values

R = [[Fraction(1), Fraction(1, 2)], [Fraction(-1, 2), Fraction(0)]]
S = [[Fraction(1), Fraction(1)], [Fraction(1, 10), Fraction(1, 10)]]


def ratio_of(joint):
    """``Σ w R / Σ w S`` by loops, of ``joint[a][b]``."""
    pairs = list(itertools.product(range(2), repeat=2))
    return sum(joint[a][b] * R[a][b] for a, b in pairs) / sum(joint[a][b] * S[a][b] for a, b in pairs)


def value(x, y):
    return ratio_of([[x * y, x * (1 - y)], [(1 - x) * y, (1 - x) * (1 - y)]])


def row(number):
    return like(np.array([number, 1 - number], dtype=object), System.RATIONALS)


def chain(x, after_first, after_second):
    """Agent 1 plays ``(x, 1-x)``, agent 2 ``(q, 1-q)`` with ``q`` depending on what it sees."""
    second = np.stack([row(after_first), row(after_second)])
    return Policy((row(x)[None, None], second[None]))


GRID = [Fraction(k, 4) for k in range(5)]


def test_the_game_is_the_paper_s():
    """R and S as the published simulation has them; the scan prints two R's."""
    game = named_game("ratio")
    assert [Fraction(str(r)) for r in game.reward[0]] == [v for line in R for v in line]
    assert [Fraction(str(s)) for s in stopping(game)] == [v for line in S for v in line]


def test_the_value_is_the_game_s_value_and_the_formula():
    game = ratio()
    for x, y in itertools.product(GRID, GRID):
        weights = independent_weights(row(x), row(y))
        found = ratio_value(game, weights)
        assert Fraction(str(found)) == value(x, y)
        assert found == state_values(game, Policy.product([row(x)[None], row(y)[None]]))[0]


def test_beyond_the_simplex():
    """The formula at the stationary point (1/2, -1/11), where no policy is."""
    found = ratio_value(ratio(), independent_weights(row(Fraction(1, 2)), row(Fraction(-1, 11))))
    assert Fraction(str(found)) == Fraction(5, 11)
    assert [Fraction(str(v)) for v in gradient_on_square(ratio(), row(Fraction(1, 2)), row(Fraction(-1, 11)))] == [0, 0]


def test_slopes_by_finite_differences():
    """Central differences of width 1e-6 are good to 1e-9 here."""
    game, width = ratio(System.FLOATS), 1e-6

    def at(x, y):
        return float(ratio_value(game, independent_weights(np.array([x, 1 - x]), np.array([y, 1 - y]))))

    for x, y in [(0.3, 0.2), (0.9, 0.7), (0.5, 0.0), (0.5, -1 / 11), (1.1, -0.4)]:
        along = gradient_on_square(game, np.array([x, 1 - x]), np.array([y, 1 - y]))
        assert float(along[0]) == pytest.approx((at(x + width, y) - at(x - width, y)) / (2 * width), abs=1e-7)
        assert float(along[1]) == pytest.approx((at(x, y + width) - at(x, y - width)) / (2 * width), abs=1e-7)


def test_slope_in_any_direction():
    """∂V along c at w, for w and c that are no products: V is homogeneous, so along w itself it is 0."""
    game = random_game(1, (2, 3), seed=4, termination=True)
    weights = like(np.array([1, 2, 3, 4, 5, 6]), System.RATIONALS)
    assert ratio_slope(game, weights, weights) == 0
    change, step = like(np.array([1, -1, 0, 2, 0, -2]), System.RATIONALS), Fraction(1, 10**9)
    moved = ratio_value(game, weights + change * like(step, System.RATIONALS))
    difference = (Fraction(str(moved)) - Fraction(str(ratio_value(game, weights)))) / step
    assert float(difference) == pytest.approx(float(Fraction(str(ratio_slope(game, weights, change)))), abs=1e-7)


def test_first_order_gain_by_trying_all_pure_deviations():
    """The gain is linear in the deviation, so pure ones suffice; on a grid it is 0 at (1, 1) only."""
    game = ratio()
    for x, y in itertools.product(GRID, GRID):
        slopes = [Fraction(str(v)) for v in gradient_on_square(game, row(x), row(y))]
        wanted = max(slopes[0] * (p - x) + slopes[1] * (q - y) for p in (0, 1) for q in (0, 1))
        found = Fraction(str(first_order_gain(game, row(x), row(y))))
        assert found == wanted
        assert (found == 0) == (x == y == 1)


def test_reported_and_true_score():
    """At x = .6, q = (.9, .2): .566 is reported, .828 is true."""
    policy = chain(Fraction(3, 5), Fraction(9, 10), Fraction(1, 5))
    reported, true = (Fraction(str(returns(ratio(), p))) for p in (product_of_marginals(policy), policy))
    assert (reported, true) == (Fraction(181, 320), Fraction(53, 64))
    y = Fraction(3, 5) * Fraction(9, 10) + Fraction(2, 5) * Fraction(1, 5)
    assert reported == value(Fraction(3, 5), y)
    assert true == ratio_of([[Fraction(54, 100), Fraction(6, 100)], [Fraction(8, 100), Fraction(32, 100)]])


def test_marginals_of_a_product_are_its_factors():
    game = random_game(2, (2, 3, 2), seed=1)
    generator = np.random.default_rng(0)
    tables = [like(generator.integers(1, 9, (2, size)), System.RATIONALS) for size in game.action_sizes]
    policy = Policy.product([table / table.sum(-1, keepdims=True) for table in tables])
    for one, two in zip(policy.factors, product_of_marginals(policy).factors, strict=True):
        assert (one == two).all()


def test_marginals_by_loops():
    """Of a chain of three agents: sums over all joint actions."""
    generator = np.random.default_rng(3)
    tables = [like(generator.integers(1, 9, (1, p, n)), System.RATIONALS) for p, n in ((1, 2), (2, 3), (6, 2))]
    policy = Policy([table / table.sum(-1, keepdims=True) for table in tables])
    joint = policy.joint()[0]
    found = product_of_marginals(policy)
    assert found.is_product()
    for m, size in enumerate((2, 3, 2)):
        for a in range(size):
            places = [i for i, actions in enumerate(np.ndindex(2, 3, 2)) if actions[m] == a]
            assert found.factors[m][0, 0, a] == joint[places].sum()


def test_commitment_values_by_hand():
    """Committing agent 1 faces the marginal of agent 2; committing both is one entry of R over one of S."""
    policy = chain(Fraction(3, 5), Fraction(9, 10), Fraction(1, 5))
    alone, pairs = commitment_values(ratio(), policy)
    y = Fraction(62, 100)
    assert [Fraction(str(v)) for v in alone[0]] == [value(Fraction(1), y), value(Fraction(0), y)]
    assert [Fraction(str(v)) for v in pairs[0]] == [R[a][b] / S[a][b] for a in range(2) for b in range(2)]


def test_committing_for_one_round_is_q():
    """If every round is the last, "for good" and "once" are the same."""
    game = named_game("climbing")
    policy = Policy.uniform(game)
    for committed, once in zip(commitment_values(game, policy), agent_values(game, policy)[1:], strict=True):
        assert (committed == once).all()


def test_batches():
    """Policies in a batch, one game; games in a batch, one policy."""
    game = ratio(System.FLOATS)
    generator = np.random.default_rng(5)
    factors = [generator.dirichlet(np.ones(2), (4, 1, p)) for p in (1, 2)]
    together = commitment_values(game, Policy(factors))
    marginals = product_of_marginals(Policy(factors))
    for b in range(4):
        alone = Policy([factor[b] for factor in factors])
        for left, right in zip(together, commitment_values(game, alone), strict=True):
            np.testing.assert_allclose(left[b], right, rtol=1e-14)
        assert float(returns(game, marginals)[b]) == pytest.approx(float(returns(game, product_of_marginals(alone))))
    games = random_game(1, (2, 2), seed=2, batch=(3,)).floats()
    for b in range(3):
        weights = np.full(4, 0.25)
        assert float(ratio_value(games, weights)[b]) == pytest.approx(float(ratio_value(games[b], weights)))


def test_one_state_only():
    with pytest.raises(GameError, match="a ratio game has one state; this game has 3"):
        ratio_value(named_game("two-step"), like(np.ones(4, int), System.RATIONALS))
