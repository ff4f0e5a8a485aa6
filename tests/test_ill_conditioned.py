"""Floats on games that are hard for floats, against rationals: outliers, γ near 1, tiny probabilities, ties."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import floats_of, like
from mappo_verify.arithmetic.absorbing import solve_absorbing, visits_until_absorption
from mappo_verify.errors import GameError, SingularError
from mappo_verify.quantities import certified, equilibria, value_bounds
from mappo_verify.quantities.optimal import certify_optimality
from mappo_verify.quantities.reference_solvers import mirror_step_by_solver
from mappo_verify.quantities.residuals import bellman_error


def draw(seed):
    """A game of floats and a product policy, out of the worst that float64 holds."""
    r = np.random.default_rng(seed)
    states, sizes = int(r.integers(1, 5)), [(2,), (2, 2), (3, 2)][r.integers(3)]
    actions = int(np.prod(sizes))
    moves = r.dirichlet(np.full(states, r.choice([0.05, 0.3, 1])), size=(states, actions))
    if seed % 2:
        moves[r.random(moves.shape) < 0.3] *= 10.0 ** -r.integers(1, 300)
        moves /= moves.sum(-1, keepdims=True)
    if seed % 3 == 0:
        moves *= r.choice([1 - 1e-6, 0.5])
    rewards = np.round(r.normal(size=(states, actions)), int(r.integers(1, 4)))
    rewards[r.random(rewards.shape) < 0.2] *= 10.0 ** r.integers(3, 13)
    if seed % 5 == 0:
        rewards[:, -1] = -(10.0 ** r.integers(8, 13))
    discount = float(r.choice([0, 0.9, 0.99, 1 - 1e-6, 1 - 1e-12]))
    game = mv.Game(moves, rewards, discount, sizes, start=np.full(states, 1 / states))
    return game, mv.Policy.product([r.dirichlet(np.ones(size), size=states) for size in sizes])


def fractions(values):
    return [Fraction(int(v.p), int(v.q)) for v in values]


def test_floats_agree_with_rationals_on_the_worst_games():
    for seed in range(16):
        game, policy = draw(seed)
        exact, mixed = game.exact(), policy.exact()
        values = mv.state_values(exact, mixed)
        sizes = floats_of(
            mv.state_values(mv.Game(exact.transition, abs(exact.reward), exact.discount, game.action_sizes), mixed)
        )
        assert (abs(mv.state_values(game, policy) - floats_of(values)) <= 1e-12 * sizes).all(), seed
        assert mv.visits(game, policy) == pytest.approx(floats_of(mv.visits(exact, mixed)), rel=1e-12, abs=0), seed
        low, high = value_bounds(game, policy)
        for below, value, above in zip(low, fractions(values), high, strict=True):
            assert Fraction(below) <= value <= Fraction(above), seed
        assert (high - low <= 1e-12 * sizes).all(), seed
        found, best = mv.optimal(game), mv.optimal(exact)
        chosen = mv.Policy.deterministic(exact, found.actions)
        assert found.certificate.holds and (mv.state_values(exact, chosen) == best.values).all(), seed
        for value, true, error in zip(found.values, fractions(best.values), found.certificate.error, strict=True):
            assert abs(Fraction(value) - true) <= Fraction(error), seed
        assert (mv.nash_gaps(game, policy) == floats_of(mv.nash_gaps(exact, mixed))).all(), seed


def test_a_forbidden_action_hides_nothing():
    """Rewards 0, .05, -10¹⁰ at γ = .9: staying with .05 is worth .5; a tolerance from the largest reward would say 0."""
    game = mv.Game([[[1.0]] * 3], [[0, 0.05, -1e10]], 0.9)
    best = mv.optimal(game)
    assert (
        best.actions.tolist() == [1]
        and best.values == pytest.approx([0.5], rel=1e-15, abs=0)
        and best.certificate.holds
    )
    worse = certify_optimality(game, np.array([0.0]), np.array([0]))
    assert (
        not worse.holds
        and worse.error == pytest.approx([0.5], rel=1e-12, abs=0)
        and worse.slack[0, 1] == pytest.approx(-0.05)
    )


def test_gaps_of_3_and_4_beside_an_outlier():
    game = mv.Game([[[0.0]] * 4], [[0, 4, 3, -1e12]], 0.5, (2, 2), start=[1.0])
    stuck = mv.Policy.deterministic(game, [0])
    assert mv.nash_gaps(game, stuck).tolist() == [3, 4]


def test_gaps_of_large_games_are_not_negative(monkeypatch):
    """Without rationals: the formula in which nothing cancels, on floats."""
    monkeypatch.setattr(equilibria, "EXACT_WORK", 0)
    for seed in range(12):
        game, policy = draw(seed)
        wanted = floats_of(mv.nash_gaps(game.exact(), policy.exact()))
        found = mv.nash_gaps(game, policy)
        sizes = floats_of(
            mv.returns(mv.Game(game.transition, abs(game.reward), game.discount, game.action_sizes), policy, game.start)
        )
        assert (found >= 0).all() and (abs(found - wanted) <= 1e-4 * wanted + 1e-11 * sizes).all(), seed
    game, policy = draw(1)
    best = mv.Policy.product([np.eye(size)[np.zeros(game.states, int)] for size in game.action_sizes])
    flat = mv.Game(game.transition, 0 * game.reward + 0.1, game.discount, game.action_sizes, start=game.start)
    assert (mv.nash_gaps(flat, best) >= 0).all()


TIE = mv.Game([[[0.5, 0.5], [0.25, 0.75]], [[0.1, 0.9], [0.9, 0.1]]], [[0.3, 0.3], [0.3, 0.3]], 0.9)
"""All rewards alike and different ways on: no enclosure sees that both actions are worth the same."""


def test_ties_are_decided_by_rationals_and_left_open_where_those_cost_too_much(monkeypatch):
    assert mv.optimal(TIE).certificate.holds
    monkeypatch.setattr(certified, "EXACT_WORK", 0)
    left_open = mv.optimal(TIE).certificate
    assert left_open.holds and (left_open.error > 0).all() and (left_open.error < 1e-13).all()
    lasting = mv.Game([[[0.5], [0.25]]], [[0.2, 0.3]], 1.0)  # both are worth .4, and nothing bounds what is open
    assert not mv.optimal(lasting).certificate.holds and (mv.optimal(lasting).certificate.error == np.inf).all()


def test_actions_that_do_the_same_need_no_rationals(monkeypatch):
    monkeypatch.setattr(certified, "EXACT_WORK", 0)
    twins = mv.Game([[[0.5, 0.5]] * 3] * 2, [[0.1, 0.1, 0]] * 2, 0.9)
    assert mv.optimal(twins).certificate.holds


def test_enclosures_go_on_where_float_policy_iteration_settles():
    """An advantage of 1e-13 of the value is rounding to floats, and certain to enclosures."""
    game = mv.Game([[[1.0], [1.0]]], [[1.0, 1.0 + 2.0**-44]], 0.5)
    best = mv.optimal(game)
    assert best.actions.tolist() == [1] and best.certificate.holds


def test_enclosures_go_on_in_a_batch():
    game = mv.Game([[[[1.0]] * 3]] * 2, [[[1.0, 1.0 + 2.0**-44, 0]], [[1.0 + 2.0**-44, 1.0, 0]]], 0.5)
    best = mv.optimal(game)
    assert best.actions.tolist() == [[1], [0]] and best.certificate.holds


def test_what_counts_as_rounding():
    """A value of 1 may miss ``2⁻⁴⁰``, and one of 5 - 3 = 2, of which 8 were added up, eight times as much."""
    for rewards, right, size in ([[[1.0]], [1.0], 1], [[[5.0], [-3.0]], [2.0, -3.0], 8]):
        steps = [[[0.0, 1.0]], [[0.0, 0.0]]] if len(right) == 2 else [[[0.0]]]
        game = mv.Game(steps, rewards, 1.0)
        for part, holds in ((0.9, True), (0.6, True), (1.1, False), (-0.9, True), (-1.1, False)):
            off = np.eye(len(right))[0] * part * size * 2.0**-40
            found = certify_optimality(game, np.array(right) + off, np.zeros(len(right), int))
            assert found.holds == holds and found.error[0] == pytest.approx(abs(off[0]), rel=1e-3, abs=0), (right, part)


def test_errors_of_actions_that_are_left_open_are_rounded_up(monkeypatch):
    """``excess/(1-γ)`` beside the distance of the values from their bounds, in Fractions."""
    monkeypatch.setattr(certified, "EXACT_WORK", 0)
    r, seen = np.random.default_rng(0), 0
    for _ in range(60):
        game = mv.Game(TIE.transition, np.full((2, 2), r.uniform(0.1, 1)), r.uniform(0.5, 0.99))
        best = mv.optimal(game)
        found = certified.compared(game, best.actions)
        seen += found.excess > 0
        for error, value, low, high in zip(best.certificate.error, best.values, found.low, found.high, strict=True):
            off = max(abs(Fraction(value) - Fraction(low)), abs(Fraction(value) - Fraction(high)))
            needed = off + Fraction(float(found.excess)) / (1 - Fraction(float(game.discount)))
            assert needed <= Fraction(error) <= needed * (1 + Fraction(1, 2**48))
    assert seen > 30


def test_only_the_open_games_of_a_batch_are_decided_by_rationals():
    plain = mv.Game(TIE.transition, [[0.1, 0.2], [0.3, 0.1]], 0.9)
    batch = mv.Game(np.stack([TIE.transition] * 2), np.stack([TIE.reward, plain.reward]), 0.9)
    best = mv.optimal(batch)
    assert best.certificate.holds and best.values == pytest.approx(
        np.stack([mv.optimal(g).values for g in (TIE, plain)])
    )


def test_large_chains_are_solved_and_verified(monkeypatch):
    game, policy = draw(7)
    sharp = value_bounds(game, policy)
    monkeypatch.setattr(certified, "ELIMINATED", 0)
    low, high = value_bounds(game, policy)
    assert (low <= sharp[1]).all() and (sharp[0] <= high).all()


def test_values_near_discount_one():
    """Two states, γ = 1 - 10⁻¹²: relative errors of elimination with subtractions are near 10⁻⁴."""
    game = mv.Game([[[0.3, 0.7]], [[0.6, 0.4]]], [[1.0], [0.0]], 1 - 1e-12)
    policy = mv.Policy.uniform(game)
    wanted = floats_of(mv.state_values(game.exact(), policy.exact()))
    assert mv.state_values(game, policy) == pytest.approx(wanted, rel=1e-15, abs=0)
    visited = mv.visits(game, policy, [1, 0])
    assert visited == pytest.approx(floats_of(mv.visits(game.exact(), policy.exact(), [1, 0])), rel=1e-15, abs=0)


@pytest.mark.parametrize("ends", [False, True])
def test_differences_of_values_near_discount_one(ends):
    """Values are large, their differences near 1: at 10¹² a plain difference of floats keeps four digits."""
    drawn = mv.random_game(4, (2, 2), seed=3).floats()
    rows = drawn.transition.copy()
    if ends:  # rarely, and in one state
        rows[3, 0] *= 1 - 1e-6
    game = mv.Game(rows, drawn.reward, 1 - 1e-12, action_sizes=(2, 2), start=[0.25] * 4)
    policy = mv.Policy.uniform(game)
    other = mv.Policy(tuple(np.where(np.arange(2) == 0, 0.75, 0.25) + 0 * factor for factor in policy.factors))
    for quantity in (
        lambda g, p, _: mv.agent_advantages(g, p)[0],
        lambda g, p, _: mv.agent_advantages(g, p)[1],
        lambda g, p, _: mv.quantities.advantages(g, p),
        lambda g, p, o: mv.return_difference(g, o, p),
        lambda g, p, _: mv.policy_gradient(g, p)[0],
    ):
        wanted = floats_of(quantity(game.exact(), policy.exact(), other.exact()))
        assert quantity(game, policy, other) == pytest.approx(wanted, rel=1e-13, abs=1e-14 * np.abs(wanted).max())


def test_what_cannot_be_said_in_floats():
    game = mv.Game([[[1.0]]], [[1e308]], 1 - 1e-12)
    with pytest.raises(SingularError, match=r"beyond float64 at index \[0\]; use game\.exact"):
        mv.state_values(game, mv.Policy.uniform(game))
    halved = mv.Game([[[1.0], [1.0]]], [[1.7e308, 1.6e308]], 0.5)
    with pytest.raises(
        SingularError, match=r"at index \[0, 0\] .*the values exist, but are beyond float64; use game\.exact"
    ):
        mv.state_values(halved, mv.Policy.uniform(halved))
    with pytest.raises(SingularError, match=r"^no optimum was found: .*beyond float64; use game\.exact"):
        mv.optimal(halved)
    assert mv.optimal(halved.exact()).actions.tolist() == [0]
    largest = mv.optimal(halved.with_discount(0.0))
    assert largest.values.tolist() == [1.7e308] and largest.certificate.holds
    with pytest.raises(GameError, match="bounds of rounded values are for floats; in rationals, call state_values"):
        value_bounds(game.exact(), mv.Policy.uniform(game).exact())


def test_the_state_that_never_ends_is_named():
    for make in (lambda game: game.floats(), lambda game: game):
        game = make(mv.Game([[[0, 0]], [[0, 1]]], [[1], [0]], Fraction(1), state_names=("begin", "goal")))
        with pytest.raises(SingularError, match=r"state 1 \(goal\) never terminates; .*let absorbing goals end"):
            mv.state_values(game, mv.Policy.uniform(game))
        with pytest.raises(SingularError, match=r"no optimum among policies that end"):
            mv.optimal(game)


def test_absorbing_systems_in_every_shape():
    """Against rationals; the transposed system is the same matrix from the left."""
    r = np.random.default_rng(0)
    rows = r.integers(1, 9, (5, 4, 5))
    rational = like(rows, mv.System.RATIONALS) / like(rows.sum(-1), mv.System.RATIONALS)[..., None]
    onward, leaving = rational[..., :4], rational[..., 4]
    right = like(r.integers(-5, 6, (5, 4)), mv.System.RATIONALS)
    found = solve_absorbing(onward, leaving, right)
    assert (found - (onward * found[:, None]).sum(-1) == right).all()
    counts = visits_until_absorption(onward, leaving, right)
    assert (counts - (onward * counts[..., None]).sum(-2) == right).all()


def test_the_error_that_a_residual_allows_by_hand():
    """Two states that stay with .8 and .5, γ = ½, rewards 1 and 2: ``V = (5/3, 8/3)``; .06 too much leaves a residual of .036.

    Nothing contracts by less than ``γ · .8``, so the error is at most ``.036 / .6 = .06``.
    """
    game = mv.Game([[[0.8, 0]], [[0, 0.5]]], [[1.0], [2.0]], 0.5)
    values = np.array([5 / 3 + 0.06, 8 / 3])
    for policy in (None, mv.Policy.uniform(game)):
        found = bellman_error(game, values, policy)
        assert found.residual == pytest.approx(0.036, rel=1e-12, abs=0) and found.error == pytest.approx(
            0.06, rel=1e-12, abs=0
        )
        assert found.error >= abs(Fraction(values[0]) - Fraction(5, 3))
    two = mv.Game([[[0.8, 0], [0, 0]], [[0, 0.5], [0, 0]]], [[1.0, 0], [2.0, 0]], 0.5)
    assert bellman_error(two, values).error == pytest.approx(0.06, rel=1e-12, abs=0)
    often = bellman_error(two, np.zeros(2), mv.Policy([[[[0.5, 0.5]], [[0.25, 0.75]]]]))  # residual .5, mass at most .4
    assert (often.residual, often.error) == (0.5, pytest.approx(0.5 / (1 - 0.2), rel=1e-12, abs=0))
    # V = 2 without a residual: 1 successor, 1 action, 1 agent and 8 more roundings, twice, of r + 2V = 5; over 1 - γ
    right = mv.Game([[[1.0]]], [[1.0]], 0.5)
    assert bellman_error(right, np.full(1, 2.0)).error == pytest.approx(2 * 11 * 2.0**-53 * 5 / 0.5, rel=1e-12, abs=0)
    lasting = mv.Game([[[1.0]]], [[1.0]], 1.0)
    assert bellman_error(lasting, np.ones(1)).error == np.inf


def test_the_mirror_step_of_the_reference_solver_by_hand():
    """``π ∝ (1, 3)`` with the odds ``exp(Q/β) = (9, 1)`` becomes ``(9, 3)/12``."""
    found = mirror_step_by_solver([[0.25, 0.75]], [[2 * np.log(9), 0.0]], 2.0)
    assert found == pytest.approx(np.array([[0.75, 0.25]]), abs=1e-5)


@pytest.mark.parametrize(
    ("left", "right", "wanted"),
    [  # of p and (1 ± δ)p: δ²/2 + O(δ³), by hand
        ([0.5, 0.5], [0.5 + 1e-9, 0.5 - 1e-9], 2e-18),
        ([0.2, 0.3, 0.5], [0.2 + 2e-10, 0.3 + 3e-10, 0.5 - 5e-10], 5e-19),
        ([1.0, 0.0], [1.0, 1e-300], 1e-300),
        ([1e-300, 1.0], [2e-300, 1.0], 1e-300 * (1 - np.log(2))),
        ([1.0, 0.0], [5e-324, 1.0], 1074 * np.log(2)),
        ([5e-324, 1.0], [0.5, 0.5], np.log(2)),
        ([0.5, 0.5], [1.0, 0.0], np.inf),
        ([0.5, 0.5], [0.25, 0.75], np.log(2) - np.log(3) / 2),
    ],
)
def test_divergences_of_nearly_equal_and_of_tiny_probabilities(left, right, wanted):
    found = mv.kl_divergence(np.array(left), np.array(right))
    assert found >= 0 and found == pytest.approx(wanted, rel=1e-6, abs=0)
    third = mv.quantities.kl_estimate_k3(left, right)
    assert (third >= 0).all()
    if wanted < 1e-10:
        average = mv.quantities.expected_estimate(np.array(left), third)
        assert average == pytest.approx(wanted, rel=1e-6, abs=0) or left[1] == 0  # what only q plays is no part of it


def test_what_is_no_distribution_has_no_other_formula():
    """``Σ p log(p/q)`` with ``q = 1`` is the entropy with the other sign."""
    assert mv.kl_divergence(np.array([0.5, 0.5]), np.array([1.0, 1.0])) == pytest.approx(-np.log(2), rel=1e-15, abs=0)


@pytest.mark.parametrize("discount", [0.5, 0.999, 1 - 1e-9])
def test_advantages_of_nearly_equal_actions(discount):
    """Rewards of 10⁶ that differ by 10⁻⁹, beside a state of -3·10⁸."""
    moves = [[[0.3, 0.7]] * 4, [[0.5, 0.25]] * 4]
    game = mv.Game(moves, [[1e6, 1e6 + 1e-9, 1e6 - 2e-9, 1e6], [0, -3e8, 0, 1]], discount, (2, 2), start=[1, 0])
    policy = mv.Policy.product([[[0.5, 0.5], [0.7, 0.3]], [[0.25, 0.75], [0.5, 0.5]]])
    exact, mixed = game.exact(), policy.exact()
    for function in (mv.quantities.advantages, mv.agent_advantages, mv.policy_gradient):
        found, wanted = function(game, policy), function(exact, mixed)
        for one, other in zip(found, wanted, strict=True):
            assert one == pytest.approx(floats_of(other), rel=1e-9, abs=0), function
    target = mv.Policy.deterministic(game, [1, 0])
    gains = floats_of(mv.return_difference(exact, target.exact(), mixed))
    assert mv.return_difference(game, target, policy) == pytest.approx(gains, rel=1e-9)


def test_softmax_of_the_largest_numbers():
    with np.errstate(all="raise", under="ignore"):
        assert mv.Policy.softmax([[[[1e308, -1e308, 0]]]]).joint().tolist() == [[1, 0, 0]]
        assert mv.Policy.softmax([[[[-1e4, 1e4, 1e4]]]]).joint().tolist() == [[0, 0.5, 0.5]]


def test_a_small_value_beside_an_outlier_keeps_its_digits():
    """State 0 pays 10⁻¹² and stays, state 1 pays -10¹² and goes to 0: V(0) = 10⁻¹²/(1 - .9) whatever stands in state 1.

    LAPACK exchanges the two rows of ``I - γP``, and then 10⁻¹² is added to a number of the size 10¹¹.
    """
    moves, rewards = [[[1.0, 1e-38]], [[1.0, 0.0]]], [[1e-12], [-1e12]]
    game = mv.Game(moves, rewards, 0.9)
    policy = mv.Policy.uniform(game)
    right = 1e-12 / (1 - 0.9)
    system = np.eye(2) - 0.9 * np.array(moves)[:, 0]
    assert abs(np.linalg.solve(system, np.array(rewards))[0, 0] - right) > 1e-6  # the planted error
    assert mv.state_values(game, policy) == pytest.approx([right, -1e12], rel=1e-14, abs=0)
    exact = mv.state_values(game.exact(), policy.exact())
    assert mv.state_values(game, policy) == pytest.approx(floats_of(exact), rel=1e-14, abs=0)
    assert mv.optimal(game).values[0] == pytest.approx(right, rel=1e-14, abs=0)
    both = mv.Game([moves, [[[0.5, 0.5]], [[0.0, 1.0]]]], [rewards, [[1.0], [1.0]]], 0.9)  # one batch, one by one
    assert mv.state_values(both, mv.Policy.uniform(both)).ravel() == pytest.approx(
        [right, -1e12, 10, 10], rel=1e-14, abs=0
    )
    columns = mv.arithmetic.solve(system, np.array([[1e-12, 1.0], [-1e12, 1.0]]))
    assert columns.ravel() == pytest.approx([right, 10, -1e12, 10], rel=1e-14, abs=0)


def test_advantages_where_states_are_worth_very_different_amounts_near_discount_one():
    """State 0 stays and pays 1 or 0 (π = .3, .7), state 1 stays and pays 1: A(0) = (.7, -.3), beside values .3·10¹² and 10¹².

    A third action of state 0 goes to 1: it is worth ``V(1) - V(0) = .7/(1 - γ)`` more, less a step.
    """
    moves = [[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0]] * 3]
    game = mv.Game(moves, [[1.0, 0.0, 0.0], [1.0] * 3], 1 - 1e-12)
    policy = mv.Policy.product([[[0.3, 0.7, 0.0], [1.0, 0.0, 0.0]]])
    (found,) = mv.agent_advantages(game, policy)
    gap = 1 - game.discount
    assert found[0] == pytest.approx([0.7, -0.3, 0.7 / gap * game.discount - 0.3], rel=1e-15, abs=0)
    assert found[1] == pytest.approx([0, 0, 0], abs=1e-15)
    (exact,) = mv.agent_advantages(game.exact(), policy.exact())
    assert found == pytest.approx(floats_of(exact), rel=1e-15, abs=1e-15)
