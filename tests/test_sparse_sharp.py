"""Sparse tables and systems by hand: every entry, and bounds that are neither wider nor narrower than their chapter says."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, log, sqrt

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as la

from mappo_verify.arithmetic import sparse
from mappo_verify.arithmetic.functions import contract, identity_minus, successors
from mappo_verify.arithmetic.sparse import SparseRows, SparseSystem, is_sparse, refused
from mappo_verify.errors import GameError, SolverError

U = Fraction(1, 2**53)
TABLE = np.array(
    [
        [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]],
        [[0.125, 0.0, 0.875], [0.0, 0.0, 0.5]],
        [[0.0, 0.0, 0.0], [0.25, 0.5, 0.0]],
    ]
)
"""Three states, two actions; a row that ends half of the time, one that ends, one that ends a quarter of the time."""


def rows():
    return SparseRows(sp.csr_array(TABLE.reshape(6, 3)), 2)


# --- tables -------------------------------------------------------------------------------------------------------------


def test_a_table_is_its_dense_table():
    table = rows()
    assert table.shape == (3, 2, 3) and table.size == 18 and table.ndim == 3 and table.successors == 3
    assert successors(table) == 3 == successors(TABLE) and successors(np.ones((2, 4))) == 4
    assert is_sparse(table) and not is_sparse(TABLE) and repr(table) == "SparseRows((3, 2, 3), 9 stored)"
    assert np.array_equal(np.asarray(table), TABLE) and np.array_equal(table.mass, TABLE.sum(-1))
    for axis in (0, 1, 2, -1):
        assert np.array_equal(table.sum(axis), TABLE.sum(axis)), axis
    assert table.sum() == TABLE.sum()


@pytest.mark.parametrize("state", [0, 1, 2, -1, -3, np.int64(1)])
def test_rows_of_one_state(state):
    assert np.array_equal(rows()[state], TABLE[state])
    for action in (0, 1, -1, -2, np.int8(1)):
        assert np.array_equal(rows()[state, action], TABLE[state, action])


@pytest.mark.parametrize("index", [3, -4, (3, 0), (0, 2), (-4, 0), (0, -3)])
def test_a_state_or_an_action_that_is_not_there(index):
    with pytest.raises(IndexError):
        rows()[index]


@pytest.mark.parametrize("index", [np.s_[..., 1], np.s_[1:, 0], np.s_[0, 1, 2], np.s_[:, 1], np.s_[1, :]])
def test_any_other_index_is_one_of_the_dense_table(index):
    assert np.array_equal(rows()[index], TABLE[index])


def test_the_largest_table_that_is_made(monkeypatch):
    system = rows().averaged(np.full((3, 2), 0.5))
    monkeypatch.setattr(sparse, "MOST_DENSE", 18)
    assert np.asarray(rows()).shape == (3, 2, 3)
    monkeypatch.setattr(sparse, "MOST_DENSE", 17)
    with pytest.raises(GameError, match=r"\[3, 2, 3\] of 1.44e-07 GB"):
        np.asarray(rows())
    monkeypatch.setattr(sparse, "MOST_DENSE", 9)
    assert np.asarray(system).shape == (3, 3)
    monkeypatch.setattr(sparse, "MOST_DENSE", 8)
    with pytest.raises(GameError, match=r"the chain of a policy needs a dense table \[3, 3\] of 7.2e-08 GB"):
        np.asarray(system)
    assert "of 4 GB" in str(refused("it", (10**9,), 4))


def test_expectations_of_one_table_and_of_several():
    values = np.array([1.0, 3.0, -5.0])
    assert np.array_equal(contract("sat,t->sa", rows(), values), TABLE @ values)
    several = np.arange(12.0).reshape(2, 2, 3)
    assert np.array_equal(rows().expect(several), np.einsum("sat,xyt->xysa", TABLE, several))


@pytest.mark.parametrize("block", [1, 2, 3, 4, 5, 100])
def test_the_chain_of_a_policy(monkeypatch, block):
    monkeypatch.setattr(sparse, "BLOCK", block)
    weights = np.array([[0.25, 0.75], [0.0, 1.0], [0.5, 0.5]])
    chain = contract("sa,sat->st", weights, rows())
    assert np.array_equal(np.asarray(chain), np.einsum("sa,sat->st", weights, TABLE)) and chain.roundings == 3
    assert rows().averaged(np.eye(2)[[0, 1, 0]]).roundings == 2  # where one action is played
    with pytest.raises(GameError, match=r"one policy at a time, and these are of shape \(4,\)"):
        rows().averaged(np.ones((4, 3, 2)))


def test_the_chain_of_the_only_action_is_the_table_itself():
    table = SparseRows(sp.csr_array(TABLE[:, 0]), 1)
    same = table.averaged(np.ones((3, 1)))
    assert same.chain is table.matrix and same.roundings == 0
    half = table.averaged(np.array([[1.0], [0.5], [1.0]]))
    assert half.roundings == 2 and np.array_equal(np.asarray(half), TABLE[:, 0] * [[1.0], [0.5], [1.0]])
    two = SparseRows(sp.csr_array(TABLE.reshape(6, 3)), 2)  # weights of 1 on two actions are none of one action
    assert np.array_equal(np.asarray(two.averaged(np.ones((3, 2)))), TABLE.sum(1))


def test_contractions_that_need_the_dense_table():
    assert np.array_equal(
        contract("...sat,s->at", rows(), np.arange(3.0)), np.einsum("sat,s->at", TABLE, np.arange(3.0))
    )


# --- systems ------------------------------------------------------------------------------------------------------------

CHAIN = np.array([[0.5, 0.25, 0.25], [0.0, 0.75, 0.0], [0.125, 0.0, 0.0]])


def system(factor=0.5, roundings=0, turned=False, chain=CHAIN):
    return SparseSystem(sp.csr_array(chain), factor, turned, roundings)


def test_a_system_is_the_identity_minus_its_chain():
    made = identity_minus(0.5, SparseSystem(sp.csr_array(CHAIN), roundings=3))
    assert (
        made.factor == 0.5 and made.roundings == 4 and not made.transposed and made.shape == (3, 3) and made.ndim == 2
    )
    turned = made.swapaxes(-1, -2)
    assert (
        turned.transposed and turned.roundings == 4 and turned.factor == 0.5 and not turned.swapaxes(-1, -2).transposed
    )
    wanted, values = np.eye(3) - 0.5 * CHAIN, np.array([1.0, 2.0, -3.0])
    for one, matrix in ((made, wanted), (turned, wanted.T)):
        assert np.array_equal(one.matrix.toarray(), matrix) and np.array_equal(one.times(values), matrix @ values)
        right = np.array([[1.0, 0.0, 2.0], [3.0, -1.0, 1.0], [0.5, 0.0, -2.0]])
        np.testing.assert_allclose(one.solve(right), np.linalg.solve(matrix, right), rtol=1e-11, atol=1e-12)
    assert np.array_equal(made.sums, [1.0, 0.75, 0.125])


@pytest.mark.parametrize("roundings", [0, 5])
def test_the_contraction_and_the_norm_of_the_inverse(roundings):
    """``c = factor · 1`` with the rounding of three entries, of the sum and of ``roundings``; ``1/(1 - c)`` from above."""
    made = system(roundings=roundings)
    assert Fraction(made.contraction) == Fraction(1, 2) * (1 + 2 * (3 + roundings + 2) * U)
    exact = 1 / (1 - Fraction(made.contraction))
    assert exact <= Fraction(made.inverse) <= exact * (1 + 6 * U) and Fraction(made.inverse) > exact * (1 + 2 * U)
    assert system(1.0).inverse == np.inf == system(2.0).inverse


def test_a_residual_that_is_exact_hides_what_may_have_been_rounded():
    found, right = np.array([2.0, -4.0, 8.0]), np.array([1.0, 0.5, -2.0])
    for turned, norm, most in ((False, lambda x: abs(x).max(), 3), (True, lambda x: abs(x).sum(), 2)):
        made = system(roundings=4, turned=turned)
        matrix = np.eye(3) - 0.5 * (CHAIN.T if turned else CHAIN)
        left, hidden = made.residual(found, right)
        assert left == pytest.approx(norm(right - matrix @ found), rel=1e-14, abs=0)
        size = norm(right) + 1.5 * norm(found)
        assert hidden == pytest.approx((most + 4 + 5) * float(U) * size, rel=1e-12, abs=0)
        assert made.error(found, right) == pytest.approx(2 * left, rel=1e-12, abs=0)
        assert made.error(np.zeros(3), np.zeros(3)) == 0
        assert made.residual(np.zeros(3), np.full(3, 1e-320))[1] == sparse.UNDERFLOW


def test_no_order_of_a_sum_takes_anything_from_its_bound():
    """128 numbers that NumPy adds up in eight sums, each of which loses nearly 15 units; the bound is the true sum."""
    right = np.full(128, 2.0**-53 * (1 - 2.0**-20))
    right[:8] = 1.0
    nothing = SparseSystem(sp.csr_array((128, 128)), 0.5, True)
    total = sum(map(Fraction, right.tolist()))
    assert np.abs(right).sum() < total <= Fraction(nothing.error(np.zeros(128), right)) <= total * (1 + 200 * U)


def test_what_reaches_a_state():
    line = np.eye(4, k=1)
    truth = np.array([-1, -1, 1, -1], np.int8)
    found = SparseSystem(sp.csr_array(line)).reaches(truth)
    assert found.tolist() == [1, 1, 1, -1] and found.dtype == np.int8
    assert SparseSystem(sp.csr_array(line)).reaches(-np.abs(truth)).tolist() == [-1] * 4
    assert SparseSystem(sp.csr_array(line)).reaches(np.zeros(4, np.int8)).tolist() == [-1] * 4


# --- solvers ------------------------------------------------------------------------------------------------------------


class Counted:
    """A matrix that counts its products."""

    def __init__(self, matrix):
        self.matrix, self.count = matrix, 0

    def __matmul__(self, values):
        self.count += 1
        return self.matrix @ values


def swept(rate, factor=0.9, right=(1.0, 0.0)):
    """What sweeps find of a chain of two states whose second eigenvalue is ``rate / factor``, and after how many products."""
    second = rate / factor
    chain = np.array([[1 + second, 1 - second], [1 - second, 1 + second]]) / 2
    made = SparseSystem(sp.csr_array(chain), factor)
    made.__dict__["_moves"] = counted = Counted(made.chain)
    given = np.array(right)
    return made._swept(given, abs(given).max()), counted.count, np.linalg.solve(np.eye(2) - factor * chain, given), made


def test_sweeps_end_when_the_rest_is_the_mean():
    """Six steps show how fast the rest forgets where it began: ``.45`` each, so it is known how many more are needed."""
    found, products, wanted, made = swept(0.45)
    target = (1e-12 + 4 * float(U) * (1 + 1.9 * np.linalg.norm([1.0 + 0.9 * 0.75 + 0.81 * 0.625, 0.3]))) / 2
    more = ceil(log(target / (sqrt(0.5) * 0.45**6)) / log(0.45))
    assert products in (6 + more, 7 + more) and abs(found - wanted).max() < 1e-12 / (1 - 0.9)
    left = np.array([1.0, 0.0]) - made.times(found)
    assert np.linalg.norm(left) <= 1e-12 + made._floor(found, 1.0)


@pytest.mark.parametrize(("rate", "sufficient"), [(0.59, True), (0.61, False), (0.8, False)])
def test_sweeps_that_gain_little_are_left_after_six(rate, sufficient):
    found, products, wanted, _ = swept(rate)
    assert (abs(found - wanted).max() < 1e-10) == sufficient == (products > 6)
    if not sufficient:
        second, partial, power = rate / 0.9, np.zeros(2), 1.0
        for k in range(6):
            partial, power = partial + 0.9**k * np.array([1 + second**k, 1 - second**k]) / 2, power * 0.9
        assert products == 6 and found == pytest.approx(partial, rel=1e-14, abs=0)


def test_where_no_sweeps_are_made():
    chain = np.full((2, 2), 0.5)
    for made in (
        SparseSystem(sp.csr_array(chain), 0.5, True),
        SparseSystem(sp.csr_array(chain), 1.0),
        SparseSystem(sp.csr_array([[0.5, 0.5], [0.5, 0.5 + 1e-11]]), 0.5),
    ):
        assert not made._swept(np.array([1.0, 0.0]), 1.0).any()
    found = SparseSystem(sp.csr_array(chain), 0.5)._swept(np.array([1.0, 1.0]), 1.0)
    assert found.tolist() == [2, 2]  # the mean alone: no product


def test_what_is_asked_of_each_solver(monkeypatch):
    """Twice as accurate as needed; each begins four times with the best that there is: ``√20`` halved nine times in all."""
    asked = []

    def asks(name):
        def solver(_, left, **options):
            asked.append((name, options, np.linalg.norm(left)))
            return 0.5 * left, 0

        return solver

    monkeypatch.setattr(SparseSystem, "_swept", lambda _, right, __: 0 * right)
    monkeypatch.setattr(la, "bicgstab", asks("bicgstab"))
    monkeypatch.setattr(la, "gmres", asks("gmres"))
    monkeypatch.setattr(SparseSystem, "_direct", lambda _, left: asked.append(("direct", {}, 0)) or 0.5 * left)
    nothing = SparseSystem(sp.csr_array((2, 2)), 0.5)
    with pytest.raises(SolverError, match=r"the best residual is 8.73e-03, of sides up to 4.00e\+00"):
        nothing.solve(np.array([[4.0], [2.0]]))
    assert [name for name, *_ in asked] == ["bicgstab"] * 4 + ["gmres"] * 4 + ["direct"] * 4
    assert asked[0][1] == {"rtol": 0.0, "atol": 2e-12, "maxiter": 2_000}
    assert asked[4][1] == {"rtol": 0.0, "atol": 2e-12, "maxiter": 20, "restart": 50}
    assert [size for _, _, size in asked[:4]] == pytest.approx([sqrt(20) / 2**k for k in range(4)])
