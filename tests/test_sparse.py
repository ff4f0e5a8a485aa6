"""Sparse games: the same functions as on dense ones, certified errors, files, and refusals that say what would be needed."""

from __future__ import annotations

import importlib
import zipfile
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp

import mappo_verify as mv
from mappo_verify.arithmetic import sparse
from mappo_verify.arithmetic.sparse import SparseSystem
from mappo_verify.errors import FileError, GameError, MixedArithmeticError, SingularError, SolverError
from mappo_verify.games.grid import grid_coordination
from mappo_verify.games.large import load_npz, save_npz
from mappo_verify.model.sparse import is_mapped
from mappo_verify.quantities import (
    certified_values,
    certify_optimality,
    contraction_factor,
    induced_transition,
    occupancy,
    stationary_distribution,
    value_bounds,
)
from mappo_verify.quantities.values import lookahead


def drawn(states=30, sizes=(2, 3), successors=3, discount=0.99, seed=0, ends=False):
    """A random sparse game; with ``ends`` each row loses a tenth of its mass."""
    generator = np.random.default_rng(seed)
    rows = states * int(np.prod(sizes))
    chances = generator.random((rows, successors))
    chances *= (0.9 if ends else 1) / chances.sum(-1, keepdims=True)
    columns = generator.integers(0, states, (rows, successors))
    begin = np.arange(0, rows * successors + 1, successors)
    matrix = sp.csr_array((chances.ravel(), columns.ravel(), begin), shape=(rows, states))
    reward = generator.standard_normal((states, rows // states))
    return mv.Game(matrix, reward, discount, sizes, start=np.full(states, 1 / states))


def dense(game):
    return replace(game, transition=np.asarray(game.transition))


def policy_for(game, seed=1):
    generator = np.random.default_rng(seed)
    prefixes = [1, *np.cumprod(game.action_sizes)[:-1]]
    return mv.Policy.softmax(
        [generator.random((game.states, p, n)) for p, n in zip(prefixes, game.action_sizes, strict=True)]
    )


GAMES = [drawn(), drawn(discount=1, ends=True, seed=3), drawn(7, (5,), 7, 0.5, seed=4), grid_coordination(2, 2, 2)]
IDS = ["discounted", "terminating", "one-agent", "grid"]


@pytest.mark.parametrize("game", GAMES, ids=IDS)
def test_the_same_as_the_dense_game(game):
    other, policy, target = dense(game), policy_for(game), mv.Policy.uniform(game)
    assert isinstance(other.transition, np.ndarray) and game.batch_shape == ()
    functions = (mv.state_values, mv.action_values, mv.visits, mv.returns, mv.policy_gradient, occupancy)
    pairs = [(function(game, policy), function(other, policy)) for function in functions]
    pairs += [(mv.agent_values(game, policy), mv.agent_values(other, policy))]
    pairs += [(mv.agent_advantages(game, policy), mv.agent_advantages(other, policy))]
    pairs += [(mv.return_difference(game, target, policy), mv.return_difference(other, target, policy))]
    pairs += [(contraction_factor(game), contraction_factor(other)), (game.stopping, other.stopping)]
    pairs += [(np.asarray(induced_transition(game, policy)), induced_transition(other, policy))]
    pairs += [(mv.nash_gaps(game, target), mv.nash_gaps(other, target))]
    for found, wanted in pairs:
        for one, two in zip(*((x if isinstance(x, tuple) else (x,)) for x in (found, wanted)), strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-11)
    assert np.array_equal(game.ends, other.ends) and game.terminates() == other.terminates()


@pytest.mark.parametrize("game", GAMES, ids=IDS)
def test_optimal_values_with_a_certificate(game):
    found, wanted = mv.optimal(game), mv.optimal(dense(game))
    np.testing.assert_allclose(found.values, wanted.values, rtol=1e-9, atol=1e-10)
    assert found.certificate.holds and abs(found.certificate.gap) < 1e-9


def test_the_return_difference_is_the_difference_of_returns():
    game = grid_coordination(5, 4, 2)
    policy, target = mv.Policy.uniform(game), policy_for(game)
    shares = mv.return_difference(game, target, policy)
    assert shares.sum() == pytest.approx(mv.returns(game, target) - mv.returns(game, policy), rel=1e-9)


# --- certified errors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "game", [drawn(4, (2,), 2, 0.9), mv.random_game(3, (2, 2), 0.9, seed=2).floats()], ids=["sparse", "dense"]
)
def test_certified_values_contain_the_exact_ones(game):
    """Against rationals, which take the floats of game and policy as they are."""
    policy = policy_for(game)
    exact = dense(game).exact()
    found = certified_values(game, policy)
    wanted = mv.state_values(exact, policy.exact()).astype(float)
    assert np.abs(found.values - wanted).max() <= found.error < 1e-11
    best = certified_values(game)
    assert np.abs(best.values - mv.optimal(exact).values.astype(float)).max() <= best.error < 1e-11
    assert "error ≤" in repr(best)


def test_a_wrong_solution_is_told_by_its_bound(monkeypatch):
    game, policy = drawn(), policy_for(drawn())
    right = mv.state_values(game, policy)
    module = importlib.import_module("mappo_verify.quantities.certified_values")  # a function is called like it
    monkeypatch.setattr(module, "state_values", lambda *_: right + 1e-6)
    assert certified_values(game, policy).error >= 1e-6
    system = SparseSystem(sp.csr_array(np.full((2, 2), 0.5))).minus(0.5)
    one = np.array([1.0, 1.0])
    assert system.error(np.array([2.0, 2.0]), one) < 1e-14 and 0.1 <= system.error(np.array([2.1, 2.0]), one) < 0.3
    turned = system.swapaxes(-1, -2)
    assert turned.transposed and 0.1 <= turned.error(np.array([2.1, 2.0]), one) < 0.3


@pytest.mark.parametrize(
    ("game", "error"),
    [(GAMES[1].with_discount(1.0), None), (drawn(discount=1), SingularError), (GAMES[0].exact, GameError)],
    ids=["terminating", "endless", "exact"],
)
def test_where_a_residual_bounds_nothing(game, error):
    chosen = game() if callable(game) else game
    if error is None:
        assert certified_values(chosen, policy_for(chosen)).error < 1e-9
        return
    with pytest.raises(error):
        certified_values(chosen, policy_for(chosen) if chosen.system is mv.System.FLOATS else None)


def test_errors_of_the_smallest_numbers_are_certified():
    """Where products underflow, a residual of 0 says nothing; of games that pay nothing it says all."""
    generator = np.random.default_rng(1)
    for states in (1, 2, 3) * 10:
        chain = generator.dirichlet(np.ones(states), (states, 2))
        pay = generator.uniform(0, 2, (states, 2)) * 10.0 ** generator.uniform(-322, -310)
        game = mv.Game(chain, pay, 0.5)
        policy = mv.Policy.uniform(game)
        found, exact = certified_values(game, policy), mv.state_values(game.exact(), policy.exact())
        system = SparseSystem(sp.csr_array(chain.mean(1)), 0.5)
        bounds = (found.error, system.error(found.values, pay.mean(1)))
        for value, true in zip(found.values.tolist(), exact, strict=True):
            off = abs(Fraction(value) - Fraction(int(true.p), int(true.q)))
            assert all(off <= Fraction(bound) < Fraction(1e-300) for bound in bounds)
    nothing = np.zeros(states)
    assert certified_values(mv.Game(chain, 0 * pay, 0.5), policy).error == 0 == system.error(nothing, nothing)


def test_a_chain_that_never_ends_is_singular():
    game = drawn(discount=1)
    with pytest.raises(SingularError, match="I - γP_π is not invertible"):
        mv.state_values(game, policy_for(game))


def test_without_a_contraction_nothing_is_certified():
    """γ = 1, and only one state ends: the values are right, and no residual bounds their error."""
    moves = sp.csr_array(np.array([[0.0, 1.0], [0.0, 0.0]]))
    game = mv.Game(moves, np.array([[1.0], [2.0]]), 1.0)
    best = mv.optimal(game)
    assert (
        best.values == pytest.approx([3, 2]) and not best.certificate.holds and np.isinf(best.certificate.error).all()
    )
    with pytest.raises(SingularError, match="bounds no error"):
        certified_values(game)


def test_tampered_optima_are_not_certified():
    game = drawn(discount=0.9)
    best = mv.optimal(game)
    assert certify_optimality(game, best.values, best.actions).holds
    assert not certify_optimality(game, best.values + 1e-6, best.actions).holds
    worse = mv.action_values(game, best.policy).argmin(-1)
    wrong = certify_optimality(game, best.values, worse)
    assert (
        not wrong.holds
        and (wrong.error >= np.abs(mv.state_values(game, mv.Policy.deterministic(game, worse)) - best.values)).all()
    )


def test_rows_follow_the_one_rule():
    """float32 rows are divided by their sums, rows that nearly sum to 1 are refused, ends= decides, and masks are refused."""
    thirds = sp.csr_array(np.full((3, 3), 1 / 3, np.float32))
    game = mv.Game(thirds, np.ones((3, 1)), 0.5)
    assert abs(game.transition.mass - 1).max() < 1e-15 and not game.terminates()
    half = mv.Game(sp.csr_array(np.full((2, 2), 1 / 4, np.float32)), np.ones((2, 1)), 0.5, ends=np.full((2, 1), True))
    assert half.terminates() and half.stopping == pytest.approx(0.5)
    with pytest.raises(GameError, match="neither 1 up to rounding"):
        mv.Game(sp.csr_array(np.array([[1 - 1e-8]])), np.ones((1, 1)), 0.5)
    assert mv.Game(sp.csr_array(np.array([[1 - 1e-8]])), np.ones((1, 1)), 0.5, ends=[[True]]).terminates()
    size = 3_000  # one stored number is rounded once, however many states there are
    nearly = sp.csr_array((np.full(size, 0.9999, np.float32), np.arange(size), np.arange(size + 1)), shape=(size, size))
    with pytest.raises(GameError, match=r"transition\[0, 0\] sums to 0.99989\d*, which is neither"):
        mv.Game(nearly, np.ones((size, 1)), 0.5)
    with pytest.raises(GameError, match="takes no masks available=; pass a dense transition"):
        mv.Game(MATRIX, REWARD, 0.5, available=([[True, False], [True, True]],))


def test_errors_count_rows_as_divided_by_their_sums():
    short = 1 - 2.0**-45
    game = mv.Game(sp.csr_array(np.array([[short]])), np.ones((1, 1)), 0.5)
    found = certified_values(game, mv.Policy.uniform(game))
    assert 2**-45 / 4 < abs(found.values[0] - 2) <= found.error


def test_bounds_of_each_value_need_a_dense_game():
    with pytest.raises(GameError, match="certified_values"):
        value_bounds(drawn(), policy_for(drawn()))


def test_each_method_takes_over_from_the_one_before(monkeypatch):
    import scipy.sparse.linalg as la

    game, policy = drawn(), policy_for(drawn())
    wanted = mv.state_values(dense(game), policy)

    def useless(_, right, **__):
        return np.full_like(right, np.nan), 1

    monkeypatch.setattr(SparseSystem, "_swept", lambda _, right, __: 0 * right)
    np.testing.assert_allclose(mv.state_values(game, policy), wanted, rtol=1e-10)
    monkeypatch.setattr(la, "bicgstab", useless)
    np.testing.assert_allclose(mv.state_values(game, policy), wanted, rtol=1e-10)
    monkeypatch.setattr(la, "gmres", useless)
    np.testing.assert_allclose(mv.state_values(game, policy), wanted, rtol=1e-10)
    monkeypatch.setattr(SparseSystem, "_direct", lambda _, right: 0 * right)
    with pytest.raises(SolverError, match="no solver solves this sparse system: the best residual is"):
        mv.state_values(game, policy)
    assert not mv.state_values(replace(game, reward=0 * game.reward), policy).any()


@pytest.mark.parametrize(
    ("successors", "ends", "sufficient"),
    [(10, False, True), (1, False, False), (10, True, False)],
    ids=["forgets", "never forgets", "rows that sum to less"],
)
def test_value_iteration_where_the_chain_forgets(monkeypatch, successors, ends, sufficient):
    """Without a Krylov method: where the chain mixes, sweeps are enough; elsewhere they stop, and say nothing wrong."""
    import scipy.sparse.linalg as la

    calls = []
    krylov = la.bicgstab
    monkeypatch.setattr(la, "bicgstab", lambda *args, **options: calls.append(1) or krylov(*args, **options))
    game = drawn(1_000, (1,), successors, ends=ends)
    if ends:  # some rows lose mass, so that the mean of what is left is no solution
        half = sp.diags_array(np.where(np.arange(1_000) % 2, 1.0, 0.5)) @ game.transition.matrix
        game = replace(game, transition=half, ends=None)
    policy = mv.Policy.uniform(game)
    found = certified_values(game, policy)
    np.testing.assert_allclose(found.values, mv.state_values(dense(game), policy), rtol=1e-10, atol=1e-11)
    assert found.error < 1e-10 and bool(calls) != sufficient
    one_action = induced_transition(game, policy)
    assert one_action.chain is game.transition.matrix


def test_a_singular_sparse_matrix():
    with pytest.raises(SingularError, match="no inverse"):
        SparseSystem(sp.csr_array(np.eye(2))).minus(1.0)._direct(np.ones(2))


def test_blocks_of_states_change_nothing(monkeypatch):
    game, policy = drawn(), policy_for(drawn())
    whole = induced_transition(game, policy).chain
    monkeypatch.setattr(sparse, "BLOCK", 20)
    assert abs(induced_transition(game, policy).chain - whole).max() == 0


# --- what would need a dense table --------------------------------------------------------------------------------------------


def test_small_tables_are_made_and_large_ones_refused_with_their_size(monkeypatch):
    game = drawn(ends=False)
    other, policy = dense(game), policy_for(game)
    np.testing.assert_allclose(
        stationary_distribution(game, policy), stationary_distribution(other, policy), atol=1e-12
    )
    assert np.array_equal(game.transition[2], other.transition[2])
    assert np.array_equal(game.transition[2, 1], other.transition[2, 1])
    assert np.array_equal(game.transition[..., 3], other.transition[..., 3])
    assert game.transition.sum() == pytest.approx(180) and game.transition.sum(0).shape == (6, 30)
    monkeypatch.setattr(sparse, "MOST_DENSE", 100)
    with pytest.raises(GameError, match=r"needs a dense table \[30, 6, 30\]"):
        np.asarray(game.transition)
    with pytest.raises(GameError, match=r"the chain of a policy needs a dense table \[30, 30\]"):
        np.asarray(induced_transition(game, policy))


def test_exact_says_what_it_would_cost():
    small, large = grid_coordination(2, 2, 1), grid_coordination(10, 10, 2)
    assert small.exact().system is mv.System.RATIONALS and small.exact().floats().batch_shape == ()
    for convert in (large.exact, large.balls):
        with pytest.raises(
            GameError, match=r"739600 stored probabilities; in .* would take 2.5e\+09 numbers, about 1.5e\+02 GB"
        ):
            convert()
    assert large.floats() is large


@pytest.mark.parametrize("batch", [(), (5,), (2, 3)])
def test_several_values_of_one_game_at_once(batch):
    game = drawn(states=4)
    values = np.random.default_rng(0).normal(size=(*batch, 4))
    expected = game.reward + game.discount * np.einsum("sat,...t->...sa", np.asarray(game.transition), values)
    found = lookahead(game, values)
    assert found.shape == (*batch, 4, 6) and np.abs(found - expected).max() < 1e-14


def test_a_batch_of_policies_is_refused():
    game = drawn()
    batch = mv.Policy([np.stack([factor, factor]) for factor in policy_for(game).factors])
    with pytest.raises(GameError, match="one policy at a time"):
        mv.state_values(game, batch)
    with pytest.raises(GameError, match="single game"):
        certified_values(game, batch)


MATRIX = sp.csr_array(np.array([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0], [0.25, 0.25]]))
REWARD = np.zeros((2, 2))


def changed(row, column, value):
    table = MATRIX.toarray()
    table[row, column] = value
    return sp.csr_array(table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transition": changed(1, 0, -0.5)}, r"transition\[0, 1, 0\] = -0.5 is negative"),
        ({"transition": changed(2, 1, np.nan)}, r"transition\[1, 0, 1\] = nan"),
        ({"transition": changed(3, 0, 0.9)}, r"transition\[1, 1\] sums to 1.15"),
        ({"transition": sp.csr_array((3, 2))}, r"has shape \[S·A, S\]"),
        ({"reward": np.zeros((2, 3))}, r"has shape \[S·A, S\]"),
        ({"reward": np.zeros(4)}, r"it needs \[S, A\]"),
        ({"reward": np.array([[0, np.inf], [0, 0]])}, "not finite"),
        ({"discount": 1.5}, "no number in"),
        ({"discount": np.array([0.5, 0.5])}, "no number in"),
        ({"start": np.array([0.5, 0.7])}, "start sums to"),
        ({"action_sizes": (3,)}, "action_sizes multiply to 3"),
        ({"state_names": ("one",)}, "state_names"),
    ],
)
def test_malformed_sparse_games(change, message):
    given = {"transition": MATRIX, "reward": REWARD, "discount": 0.5} | change
    with pytest.raises(GameError, match=message):
        mv.Game(**given)


def test_rows_are_found_by_short_integers():
    """Whatever integers come in: a product reads half as much beside the numbers."""
    long = sp.csr_array((MATRIX.data, MATRIX.indices.astype(np.int64), MATRIX.indptr.astype(np.int64)), MATRIX.shape)
    assert long.indices.dtype == np.int64
    kept = mv.Game(long, REWARD, 0.5).transition.matrix
    assert kept.indices.dtype == kept.indptr.dtype == np.int32 and (kept != MATRIX).nnz == 0
    assert not kept.indices.flags.writeable and not np.shares_memory(kept.data, long.data)


def test_a_checked_table_keeps_its_actions_and_is_its_own():
    matrix = MATRIX.copy()
    game = mv.Game(matrix, REWARD, 0.5)
    matrix.data[0] = 7
    assert game.transition.matrix.data[0] == 0.5 and not game.transition.matrix.data.flags.writeable
    assert game.with_discount(0.25).transition is game.transition
    with pytest.raises(GameError, match="transition is for 2 joint actions, and reward has 1"):
        replace(game, reward=np.zeros((2, 1)))
    assert game.as_single_agent().action_sizes == (2,)
    with pytest.raises((GameError, MixedArithmeticError)):
        mv.Game(MATRIX, mv.random_game(2, (2,)).reward, 0.5)


# --- the grid -----------------------------------------------------------------------------------------------------------------


def test_the_grid_is_what_it_says():
    game = grid_coordination(3, 2, agents=2, slip=0.25)
    cell = {(x, y): 3 * y + x for x in range(3) for y in range(2)}
    state = cell[0, 1] * 6 + cell[1, 0]
    right, down = 4, 2
    row = game.transition[state, right * 5 + down]
    wanted = {(cell[1, 1], cell[1, 1]): 0.5625, (cell[1, 1], cell[1, 0]): 0.1875}
    wanted |= {(cell[0, 1], cell[1, 1]): 0.1875, (cell[0, 1], cell[1, 0]): 0.0625}
    assert {divmod(int(s), 6): row[s] for s in np.flatnonzero(row)} == wanted
    assert game.reward[state, right * 5 + down] == pytest.approx(-0.1)
    assert game.reward[35, 0] == 1 and game.reward[35, 1] == pytest.approx(0.95)
    stays = game.transition[0, 1 * 5 + 3]  # up and left at the border
    assert stays[0] == 1 and stays.sum() == 1


@pytest.mark.parametrize("arguments", [(0, 2, 1), (2, 2, 0), (30, 30, 4)])
def test_grids_that_are_none(arguments):
    with pytest.raises(GameError):
        grid_coordination(*arguments)
    with pytest.raises(GameError, match="slip"):
        grid_coordination(2, 2, 1, slip=2)


def test_grids_by_name():
    assert mv.named_game("grid").states == 81 and mv.named_game("grid:4x2").states == 64
    assert mv.named_game("grid:2x2x3").action_sizes == (5, 5, 5)
    with pytest.raises(GameError, match="grid:WIDTHxHEIGHTxAGENTS"):
        mv.named_game("grid:many")


# --- files --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "game", [grid_coordination(2, 2, 2), mv.random_game(3, (2, 2)).floats()], ids=["sparse", "dense"]
)
def test_saved_and_mapped_again(game, tmp_path):
    path = tmp_path / "game.npz"
    mv.save_game(game, path)
    found = mv.load_game(path)
    matrix = found.transition.matrix
    assert all(map(is_mapped, (matrix.data, matrix.indices, matrix.indptr, found.reward)))
    np.testing.assert_array_equal(np.asarray(found.transition), np.asarray(game.transition))
    np.testing.assert_array_equal(found.reward, game.reward)
    assert found.action_sizes == game.action_sizes and found.discount == game.discount
    np.testing.assert_array_equal(found.start, game.start)
    assert mv.load_game(path, "1/2").discount == 0.5
    assert [entry.name for entry in tmp_path.iterdir()] == ["game.npz"]


def test_a_game_without_a_start(tmp_path):
    save_npz(mv.Game(MATRIX, REWARD, 0.5), tmp_path / "game.npz")
    assert load_npz(tmp_path / "game.npz").start is None


def test_what_is_not_saved(tmp_path):
    with pytest.raises(FileError, match="save exact games as"):
        mv.save_game(mv.random_game(2, (2,)), tmp_path / "game.npz")
    with pytest.raises(FileError, match="cannot be written"):
        save_npz(GAMES[3], tmp_path / "nowhere" / "game.npz")


@pytest.fixture
def arrays(tmp_path):
    save_npz(GAMES[3], tmp_path / "game.npz")
    with np.load(tmp_path / "game.npz") as file:
        return {name: file[name] for name in file}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": np.array([1, 1])}, "no game of a version"),
        ({"data": np.array([1, None], object)}, "data has dtype object"),
        ({"data": np.array([1.0, 2.0])}, r"wrong\.npz"),
        ({"indices": np.full(144, 99, np.int32)}, r"wrong\.npz"),
        ({"indptr": np.arange(3, dtype=np.int32)}, r"wrong\.npz"),
        ({"reward": np.zeros(4)}, "reward has dtype"),
        ({"reward": np.zeros((0, 25))}, r"wrong\.npz"),
        ({"action_sizes": np.array([-1, 5])}, "action_sizes"),
        ({"action_sizes": np.array([5, 6])}, "action_sizes"),
        ({"discount": np.array(2.0)}, "discount"),
        ({"more": np.zeros(1)}, "not the arrays of a game"),
        ({"reward": None}, "not the arrays of a game"),
        ({"data": np.zeros(3, ">f8")}, "dtype >f8"),
    ],
)
def test_files_that_hold_no_game(arrays, change, message, tmp_path):
    path = tmp_path / "wrong.npz"
    np.savez(path, **{name: value for name, value in (arrays | change).items() if value is not None})
    with pytest.raises(FileError, match=message):
        load_npz(path)


def test_files_that_are_damaged(arrays, tmp_path):
    path = tmp_path / "wrong.npz"
    np.savez_compressed(path, **arrays)
    with pytest.raises(FileError, match="is compressed"):
        load_npz(path)
    whole = (tmp_path / "game.npz").read_bytes()
    for content in (b"", b"PK", whole[: len(whole) // 2], whole.replace(b"'shape': (16, 25)", b"'shape': (99, 25)")):
        path.write_bytes(content)
        with pytest.raises(FileError):
            load_npz(path)
    path.write_bytes(whole.replace(b"'shape': (16, 25)", b"'shape': (16, 25("))
    with pytest.raises(FileError, match="has no header of an array"):
        load_npz(path)
    with pytest.raises(FileError, match="cannot be read"):
        load_npz(tmp_path / "none.npz")
    with zipfile.ZipFile(path, "w") as archive:
        for name in arrays:
            archive.writestr(f"{name}.npy", b"\x93NUMPY\x03\x00" + bytes(20))
    with pytest.raises(FileError, match="version"):
        load_npz(path)
