"""float64 by itself: what is seen of rows, when a shorter way is taken, and how exact the rest of a row is."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from mappo_verify.arithmetic import floats
from mappo_verify.arithmetic.floats import Seen, all_positive, complement, pseudo_solve, rows_go_on, solve, to_rational
from mappo_verify.arithmetic.rationals import fraction
from mappo_verify.errors import SingularError

U = 2.0**-53


def test_what_was_seen_of_rows():
    assert Seen(0.0, 0.0).go_on(0.0) and Seen(0.25, 1e-9).go_on(1e-9)
    assert (
        not Seen(-5e-324, 0.0).go_on(1.0) and not Seen(0.0, 1.1e-9).go_on(1e-9) and not Seen(0.0, math.nan).go_on(1.0)
    )
    assert Seen(-1.0, 2.0).finite and not Seen(0.0, math.inf).finite and not Seen(0.0, math.nan).finite


@pytest.mark.parametrize("value", [5e-324, 0.5, 1.0, 1.5, 1e308])
def test_positive_numbers(value):
    assert all_positive(np.array(value)) and all_positive(np.array([value, 2 * min(value, 1.0)]))
    for bad in (0.0, -value, math.nan, math.inf, -math.inf):
        assert not all_positive(np.array(bad)) and not all_positive(np.array([value, bad, value]))
    assert all_positive(np.zeros(0))


def test_rows_of_nothing_and_negative_ones_do_not_go_on():
    assert not rows_go_on(np.zeros((0, 3)), 1.0) and not rows_go_on(np.zeros((3, 0)), 1.0)
    assert not rows_go_on(np.array([1.5, -0.5]), 1.0) and not rows_go_on(np.array([[1.0, 0.0], [1.5, -0.5]]), 1.0)
    assert rows_go_on(np.array([0.0, 1.0]), 0.0) and not rows_go_on(np.array([0.25, 0.25]), 0.4999)
    assert rows_go_on(np.array([0.25, 0.25]), 0.5) and rows_go_on(np.full((2, 3, 2), 0.25), 0.5)
    turned = np.asfortranarray(np.full((4, 3), 0.25))
    assert rows_go_on(turned, 0.25) and not rows_go_on(turned, 0.2)


def test_how_many_rows_are_looked_at_together(monkeypatch):
    """No more numbers than AT_ONCE, and at least one row."""
    asked = []
    ones = floats._ones

    class Rows(np.ndarray):
        def __getitem__(self, index):
            if isinstance(index, slice):
                asked.append(index.stop - index.start)
            return super().__getitem__(index)

    monkeypatch.setattr(floats, "_ones", lambda length: ones(length))
    for at_once, step in ((2**20, 2**20 // 4), (13, 3), (12, 3), (11, 2), (3, 1)):
        monkeypatch.setattr(floats, "AT_ONCE", at_once)
        asked.clear()
        assert rows_go_on(np.full((6, 2, 2), 0.5).view(Rows), 0.0)
        assert set(asked) == {step}, at_once


# --- linear systems -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [15, 16, 17])
@pytest.mark.parametrize("more", [-1, 0])
def test_small_systems_in_large_batches_are_eliminated(monkeypatch, size, more):
    eliminated = []
    inner = floats._eliminate
    monkeypatch.setattr(floats, "_eliminate", lambda *given: eliminated.append(1) or inner(*given))
    count = 50 * size + more
    matrix = np.eye(size) + 0.25 * np.eye(size, k=1) + np.zeros((count, 1, 1))
    right = np.arange(2.0 * size).reshape(size, 2)
    found = solve(matrix, right)
    np.testing.assert_allclose(found, np.broadcast_to(np.linalg.solve(matrix[0], right), found.shape), rtol=1e-12)
    assert bool(eliminated) == (size <= 16 and more == 0)
    one, two = np.zeros((2, 1, 3, 3)), np.zeros((5, 3, 1))
    assert (
        floats._batch_size(one, two) == 10
        and floats._batch_size(one, one) == 2
        and floats._batch_size(two[0], two[0]) == 1
    )


def test_elimination_uses_every_entry():
    generator = np.random.default_rng(0)
    for size in range(1, 6):
        matrix = generator.random((7, size, size)) + size * np.eye(size)
        right = generator.random((7, size, 3))
        before = matrix.copy(), right.copy()
        np.testing.assert_allclose(floats._eliminate(matrix, right), np.linalg.solve(matrix, right), rtol=1e-13)
        assert (matrix == before[0]).all() and (right == before[1]).all()


def test_the_first_singular_matrix_is_named():
    matrices = np.stack([np.eye(2), np.ones((2, 2)), np.ones((2, 2))]).reshape(3, 1, 2, 2)
    with pytest.raises(SingularError, match=r"singular at batch index \[1, 0\]$"):
        solve(matrices, np.ones((2, 1)))
    with pytest.raises(SingularError, match=r"singular$"):
        solve(np.ones((2, 2)), np.ones((2, 1)))
    right = np.ones((3, 2, 2))
    right[1, 0, 1] = np.nan
    with pytest.raises(SingularError, match=r"at index \[1, 0, 1\] of the solution"):
        solve(np.eye(2), right)


@pytest.mark.parametrize("columns", [(), (2,)])
@pytest.mark.parametrize(("ratio", "definite"), [(1.01, True), (0.99, False)])
def test_the_smallest_pivot_that_is_clear_of_zero(ratio, definite, columns):
    """``2⁻²⁶`` of the largest; below, eigenvalues decide."""
    matrix = np.diag([4.0, 4.0 * ratio * 2.0**-26])
    right = np.ones((2, 1, *columns))
    solution = floats._solve_definite(matrix, np.moveaxis(right, 0, -2) if columns else right)
    assert (solution is not None) == definite
    wanted = np.linalg.inv(matrix).sum(-1)
    found, remainder = pseudo_solve(matrix, np.ones((2, 3)))
    np.testing.assert_allclose(found, np.repeat(wanted[:, None], 3, 1), rtol=1e-12)
    assert not remainder.any()


def test_several_right_sides_of_one_definite_matrix():
    matrix = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]])
    right = np.arange(24.0).reshape(4, 3, 2)
    found, remainder = pseudo_solve(matrix, right)
    np.testing.assert_allclose(matrix @ found, right, rtol=1e-12, atol=1e-13)
    assert found.shape == right.shape and remainder.shape == right.shape and not remainder.any()
    assert floats._solve_definite(np.stack([matrix, matrix]), right[:2]) is None, "of one matrix only"
    assert floats._solve_definite(np.zeros((0, 0)), np.zeros((0, 1))) is None
    assert floats._solve_definite(-matrix, right[0]) is None


def test_a_singular_matrix_leaves_what_is_outside_of_its_range():
    """``diag(2, 0)``: the shortest solution, and the part along the null space unless it is rounding."""
    matrix = np.diag([2.0, 0.0])
    found, remainder = pseudo_solve(matrix, np.array([[4.0, 0.0], [3.0, 5.0]]))
    np.testing.assert_allclose(found, [[2, 0], [0, 0]], atol=1e-15)
    np.testing.assert_allclose(remainder, [[0, 0], [3, 5]], atol=1e-15)
    rounding = math.sqrt(2 * np.finfo(float).eps)
    for part, there in ((0.9, False), (1.1, True)):
        assert pseudo_solve(matrix, np.array([[1.0], [part * rounding]]))[1].any() == there
    for part, seen in ((0.5, False), (4, True)):  # an eigenvalue that is rounding counts as 0
        less = part * np.finfo(float).eps  # of eigenvalues 2 and 2 less
        small = np.array([[1 + less, 1 - less], [1 - less, 1 + less]])
        assert (abs(pseudo_solve(small, np.array([[1.0], [-1.0]]))[0][0, 0]) > 1) == seen
    apart = np.stack([np.diag([1e20, 1e-3]), np.diag([0.0, 1e-300])])  # but what is only small is no rounding
    found, remainder = pseudo_solve(apart, np.ones((2, 2, 1)))
    np.testing.assert_allclose(found[..., 0], [[1e-20, 1e3], [0, 1e300]], rtol=1e-15)
    assert remainder[..., 0].tolist() == [[0, 0], [1, 0]]
    mixed = np.array([[2.0, 1e-9], [1e-9, 1e-18]])  # with the determinant 1e-18: x = (0, 1e9)
    np.testing.assert_allclose(pseudo_solve(mixed, np.array([[1.0], [1e-9]]))[0][:, 0], [0, 1e9], atol=1e-6, rtol=1e-6)
    bad = np.stack([np.diag([2.0, 1.0]), np.full((2, 2), np.nan), matrix])
    found, remainder = pseudo_solve(bad, np.ones((2, 1)))
    assert np.isnan(found[1]).all() and np.isnan(remainder[1]).all()
    np.testing.assert_allclose(found[[0, 2], :, 0], [[0.5, 1], [0.5, 0]], atol=1e-15)
    assert not pseudo_solve(np.zeros((2, 2)), np.zeros((2, 1)))[0].any()


# --- the rest of a row ----------------------------------------------------------------------------------------------------


def test_the_rest_of_a_row_has_twice_the_digits():
    generator = np.random.default_rng(1)
    rows = generator.dirichlet(np.ones(7), 300) * (1 - 10.0 ** generator.uniform(-17, -1, (300, 1)))
    rows[0] = [0.5, 0.25, 0.125, 0.125, 2.0**-60, 0, 0]
    for row, rest in zip(rows.tolist(), complement(rows).tolist(), strict=True):
        exact = 1 - sum(map(Fraction, row))
        assert abs(Fraction(rest) - exact) <= Fraction(U) * abs(exact) + Fraction(64 * U * U)
    assert complement(rows)[0] == -(2.0**-60) and complement(np.zeros((2, 0))).tolist() == [1, 1]


def test_floats_as_the_rationals_that_they_are():
    values = np.array([[0.1, -2.5], [0.1, 0.0]])
    assert [[fraction(entry) for entry in row] for row in to_rational(values)] == [
        [Fraction(0.1), Fraction(-5, 2)],
        [Fraction(0.1), Fraction(0)],
    ]


def test_relations_and_choices():
    one, two = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])
    assert floats.compare(one, "=", two).tolist() == [-1, 1, -1] and floats.compare(one, "<", two).tolist() == [
        1,
        -1,
        -1,
    ]
    assert floats.compare(one, "≤", two).tolist() == [1, 1, -1] and floats.nonzero(one - two).tolist() == [1, -1, 1]
    assert floats.certainly_equal(one, two).tolist() == [False, True, False]
    assert floats.hull(2.0, 2.0) == 2 and math.isnan(floats.hull(2.0, 3.0)) and floats.argmax(-one) == 0
