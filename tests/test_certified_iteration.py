"""Certain bounds of one game of floats, against rationals; planted errors of LAPACK are caught; what is not certain is left."""

from __future__ import annotations

import sys
from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import FALSE, TRUE, UNKNOWN
from mappo_verify.arithmetic import certified_iteration as module
from mappo_verify.arithmetic.certified_iteration import certified_iteration

ROUNDING = 2.0**-40


def run(game, tolerance=ROUNDING):
    return certified_iteration(game.transition, game.reward, float(game.discount), game.ends, tolerance)


def draw(seed):
    """Rows that sum to 1 up to rounding, or end; rewards of very different sizes, or tiny; γ up to .9999."""
    r = np.random.default_rng(seed)
    states, actions = int(r.integers(1, 6)), int(r.integers(1, 5))
    moves = r.dirichlet(np.full(states, r.choice([0.05, 0.3, 1])), size=(states, actions))
    if seed % 3 == 0:
        moves[r.random(moves.shape[:-1]) < 0.5] *= 0.5
    rewards = r.normal(size=(states, actions)) * 10.0 ** r.integers(-3, 4, size=(states, 1))
    if seed % 4 == 0:
        rewards *= 2.0**-900
    if seed % 5 == 0:
        rewards[r.random(rewards.shape) < 0.3] = 0
    return mv.Game(moves, rewards, float(r.choice([0.0, 0.5, 0.9, 0.99, 0.9999])))


def contains(found, game):
    """Whether the exact optimum lies within the error of every entry, and the policy attains it."""
    exact = game.exact()
    best = mv.optimal(exact)
    own = mv.state_values(exact, mv.Policy.deterministic(exact, found.actions))
    return (own == best.values).all() and all(
        abs(Fraction(v) - Fraction(int(w.p), int(w.q))) <= Fraction(e)
        for v, w, e in zip(found.values.tolist(), best.values, found.error.tolist(), strict=True)
    )


def test_bounds_contain_the_exact_optimum():
    certain = 0
    for seed in range(60):
        game = draw(seed)
        found = run(game)
        if found is None:
            continue
        certain += 1
        assert contains(found, game) and (found.advantage <= 0).all(), seed
        assert (found.advantage[np.arange(game.states), found.actions] == 0).all()
    assert certain > 40


def test_it_is_what_the_slower_pass_finds(monkeypatch):
    games = [draw(seed) for seed in range(1, 21, 2)]
    fast = [mv.optimal(game) for game in games]
    monkeypatch.setattr(module, "ROUNDS", 0)
    for game, one in zip(games, fast, strict=True):
        assert run(game) is None
        other = mv.optimal(game)
        assert one.actions.tolist() == other.actions.tolist() and one.certificate.holds and other.certificate.holds
        assert (abs(one.values - other.values) <= one.certificate.error + other.certificate.error).all()
        assert one.certificate.dual_visits == pytest.approx(other.certificate.dual_visits, rel=1e-10, abs=0)
        scale = abs(game.reward).max() / (1 - float(game.discount))
        assert one.certificate.slack / scale == pytest.approx(other.certificate.slack / scale, abs=1e-12)
        assert one.certificate.residual / scale == pytest.approx(0, abs=1e-12)
        assert one.certificate.gap / scale == pytest.approx(0, abs=1e-9)


def test_single_games_need_no_second_pass(monkeypatch):
    monkeypatch.setattr(sys.modules["mappo_verify.quantities.optimal"], "compared", None)
    best = mv.optimal(mv.random_game(8, (2, 2), Fraction(9, 10), seed=3).floats())
    assert best.certificate.holds and (best.certificate.error > 0).all() and (best.certificate.error < 1e-12).all()


@pytest.mark.parametrize("amount", [1e-6, -1e-12])
def test_wrong_solutions_of_lapack_are_seen(monkeypatch, amount):
    """A large error is refused; a small one is within the bounds, which grow."""
    game = mv.random_game(6, (2, 2), Fraction(9, 10), seed=4).floats()
    honest = run(game)
    inverse = np.linalg.inv
    monkeypatch.setattr(np.linalg, "inv", lambda matrix: inverse(matrix) + amount)
    found = run(game)
    if amount == 1e-6:
        assert found is None
    else:
        monkeypatch.undo()
        assert contains(found, game) and (found.error > 2 * honest.error).all()


def test_long_doubles_that_are_no_longer_widen_the_error(monkeypatch):
    """As on systems where they are doubles: the error grows by what these may have lost."""
    import mappo_verify.arithmetic.certified_iteration as module

    game = mv.random_game(6, (2, 2), Fraction(9, 10), seed=4).floats()
    honest = run(game)
    monkeypatch.setattr(np, "longdouble", np.float64)
    monkeypatch.setattr(module, "LONGER", np.float64(2.0**-62))
    found = run(game)
    assert contains(found, game) and (found.error > 3 * honest.error).all() and (found.error < 1e-11).all()


def test_a_wrong_inverse_is_seen(monkeypatch):
    game = mv.random_game(6, (2, 2), Fraction(9, 10), seed=4).floats()
    inverse = np.linalg.inv
    for wrong in (lambda m: 0.5 * inverse(m), lambda m: 0 * m, lambda m: np.nan * m):
        monkeypatch.setattr(np.linalg, "inv", wrong)
        assert run(game) is None


def test_what_is_not_certain_is_left():
    row = [[[1.0], [1.0]]]
    moves = [[[1.0, 0], [0, 1.0]], [[0, 1.0], [0, 1.0]]]
    close = mv.Game(moves, [[1.0, 1.0], [1.0 + 2.0**-43] * 2], 0.5)
    assert run(close) is None and mv.optimal(close).actions[0] == 1  # better by less than floats can tell
    assert run(mv.Game(row, [[1.0, 0.0]], 1 - 1e-9)) is None  # γ too near 1
    assert run(mv.Game(row, [[2.0**1000, 0.0]], 0.5)) is None  # too large
    assert run(mv.Game(row, [[1.0, 0.0]], 0.5), 1e-18) is None  # not as sharp as that
    assert run(mv.Game(row, [[1.0, 1.0]], 0.5)) is not None  # the same twice
    for part, near in ((0.49, True), (0.51, False)):  # values of LARGEST are a reward of half as much
        assert (run(mv.Game(row, [[part * module.LARGEST, 0.0]], 0.5)) is not None) == near
    tie = mv.Game([[[0.5, 0.5], [0.25, 0.75]], [[0.1, 0.9], [0.9, 0.1]]], [[0.3, 0.3], [0.3, 0.3]], 0.9)
    assert run(tie) is None and mv.optimal(tie).certificate.holds
    outlier = mv.Game([[[1.0, 0], [1.0, 0]], [[0, 1.0], [0, 1.0]]], [[0.0, 1e-6], [1e12, 0.0]], 0.5)
    assert mv.optimal(outlier).actions.tolist() == [1, 0]  # found by the slower pass


def test_rows_are_those_of_the_exact_game():
    """A row that misses 1 by rounding is divided by its sum; where it ends, it is as it is."""
    short = 1 - 2.0**-50
    game = mv.Game([[[short]]], [[1.0]], 0.99)
    found = run(game)
    assert contains(found, game) and found.error < 1e-10
    ending = certified_iteration(game.transition, game.reward, 0.99, np.array([[TRUE]]), ROUNDING)
    lasting = Fraction(1) / (1 - Fraction(0.99) * Fraction(short))
    assert abs(Fraction(ending.values[0]) - lasting) <= Fraction(ending.error[0])


def test_nothing_is_said_where_it_is_unknown_whether_a_row_ends():
    given = (np.array([[[0.5], [0.5]]]), np.array([[1.0, 0.0]]), 0.5)
    assert certified_iteration(*given, np.array([[TRUE, FALSE]]), ROUNDING) is not None
    assert certified_iteration(*given, np.array([[TRUE, UNKNOWN]]), ROUNDING) is None


def test_unavailable_actions_are_not_chosen():
    masks = ([[False, True]], [[True, True]])
    game = mv.Game([[[1.0]] * 4], [[9.0, 8.0, 1.0, 2.0]], 0.5, (2, 2), available=masks)
    best = mv.optimal(game)
    assert best.actions.tolist() == [3] and best.values == pytest.approx([4]) and best.certificate.holds


# --- how wide bounds are: no wider and no narrower than the chapter says -------------------------------------------------

UNIT, LONG = Fraction(2) ** -53, Fraction(2) ** -62
"""Of doubles; of what an operation on long doubles of 64 bits is counted."""
WIDE = np.finfo(np.longdouble).nmant >= 63


@pytest.mark.skipif(not WIDE, reason="long doubles are doubles here")
@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("size", [1.0, 3.0])
def test_the_error_of_an_exact_solution_is_what_its_residual_may_have_lost(n, size):
    """``M w = (2n + 32) l (|r| + γ|v'| + |v|)`` where the residual is 0: states in a ring, powers of 2, ``γ = 1/2``."""
    values = size * 2.0 ** np.arange(n)
    ring = np.roll(np.eye(n), 1, axis=1)
    pay = values - 0.5 * ring @ values
    inverse = np.linalg.inv(np.eye(n) - 0.5 * ring)
    error = module._error(
        ring, pay, values, 0.5, np.zeros(n, bool), inverse, np.full(n, 0.5), (4 * n + 32) * float(UNIT)
    )
    sizes = np.abs(pay) + 0.5 * ring @ values + values
    assert error == pytest.approx(inverse @ (float((2 * n + 32) * LONG) * sizes), rel=1e-4, abs=0)


@pytest.mark.parametrize(("part", "sure"), [(0.95, False), (1.05, True)])
def test_a_guess_must_leave_room_for_what_underflows(part, sure):
    """``2⁻²⁰`` of what is wanted is to be more than half of what may underflow, from a residual of ``2¹⁹`` times as much on."""
    pay = np.array([part * 2.0**19 * module.UNDERFLOW])
    given = (np.eye(1), pay, np.zeros(1), 0.5, np.zeros(1, bool), np.full((1, 1), 2.0), np.full(1, 0.5), 0.0)
    error = module._error(*given)
    assert (error is not None) == sure
    if sure:  # 2 (|ρ| + what underflows) (1 + 2⁻²⁰): a bound that leaves it out is smaller by 2·10⁻⁶
        assert error == pytest.approx(2 * (pay + module.UNDERFLOW) * (1 + 2.0**-20), rel=1e-7, abs=0)


@pytest.mark.parametrize("chance", [0.25, 1.0])
@pytest.mark.parametrize(("part", "sure"), [(0.98, True), (1.02, False)])
def test_a_guess_must_leave_room_for_the_rounding_of_its_check(chance, part, sure):
    """``w - γpw`` is ``1 + 2⁻²⁰`` times what is wanted, and may be off by ``2e(w + γpw)`` with ``e`` the rounding of a sum."""
    taken = 0.5 * chance
    room = part * 2.0**-21 * (1 - taken) / (1 + taken)
    found = module._error(
        np.full((1, 1), chance),
        np.ones(1),
        np.zeros(1),
        0.5,
        np.ones(1, bool),
        np.full((1, 1), 1 / (1 - taken)),
        np.full(1, 0.5),
        room,
    )
    assert (found is not None) == sure


@pytest.mark.parametrize(("part", "certain"), [(0.985, False), (1.015, True)])
def test_an_action_is_worse_if_rounding_cannot_make_up_for_it(part, certain):
    """Beside an action that pays 1, one that pays less by ``(1 + γ) w`` and ``2 (4 + 32) u`` of ``1 + γv + v``."""
    error = Fraction(run(mv.Game([[[1.0], [1.0]]], [[1.0, 0.0]], 0.75)).error[0])
    least = Fraction(7, 4) * error + 2 * 36 * UNIT * (1 + 3 + 4)
    worse = mv.Game([[[1.0], [1.0]]], [[1.0, 1 - float(part * least)]], 0.75)
    assert (run(worse) is not None) == certain


def test_an_error_is_compared_with_the_sizes_that_were_added_up():
    game = mv.Game([[[1.0]]], [[3.0]], 0.5)
    share = float(run(game).error[0]) / 6
    assert run(game, 1.01 * share) is not None and run(game, 0.99 * share) is None


def test_the_largest_discount_is_one_millionth_below_one():
    game = mv.Game([[[1.0], [1.0]]], [[1.0, 0.0]], 0.5)
    given = (game.transition, game.reward)
    assert certified_iteration(*given, 1 - 2.0**-20, game.ends, 2.0**-30) is not None
    assert certified_iteration(*given, np.nextafter(1 - 2.0**-20, 1), game.ends, 2.0**-30) is None
