"""How a counterexample becomes small, by hand: which integers are tried, which are not, and which of equal ones is kept."""

from __future__ import annotations

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.checking.shrink import _with_full_rows, shrink
from mappo_verify.checking.trial import simplest
from mappo_verify.claims.coordinates import Coordinate

ONE = mv.Sizes(1, (1,))
SMALL = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}


def false_where(sign, *ingredients, **more):
    """A claim that is false where ``sign(case) = 0``."""

    def proof(case):
        found = sign(case)
        yield mv.line("0", 0 * found * found)
        yield mv.at_most("sign² - 1/2", found * found - mv.like(1, case.system) / 2, because="said so")

    return mv.Claim("mine", "t", "s", mv.Setting("s", ingredients, **(SMALL | more)), proof)


def shrunk(claim, sizes=ONE, **given):
    sizes, found = shrink(claim, sizes, {name: np.array(values) for name, values in given.items()})
    return {name: values.tolist() for name, values in found.items()} if sizes == ONE else (sizes, found)


@pytest.mark.parametrize(
    ("low", "high", "given", "other", "found"),
    [
        (-99, 99, 40, 0, 0), (-99, 99, 40, 1, 1), (-99, 99, 40, -1, -1), (-99, 99, -40, -1, -1), (-99, 99, -40, 1, 1),
        (3, 99, 40, 3, 3), (4, 99, 40, 3, 40), (-99, -3, -40, -3, -3), (-99, -4, -40, -3, -40),
        (-99, 99, 40, 20, 20), (-99, 99, -40, -20, -20), (-99, 99, 40, 39, 39), (-99, 99, -40, -39, -39),
        (-99, 99, 40, 19, 40), (-99, 99, 40, 38, 40), (-99, 99, 40, -40, 40), (-99, 99, -40, 40, -40),
        (0, 2000, 1000, 750, 750), (0, 2000, 1000, 875, 875), (0, 2000, 1000, 938, 938), (0, 2000, 1000, 969, 969),
        (0, 2000, 1000, 985, 1000), (0, 2000, 1000, 500, 500), (0, 2000, 1000, 999, 999),
    ],
)  # fmt: skip
def test_which_integers_are_tried_instead(low, high, given, other, found):
    """Of a number: the simplest, ±1, the lowest, its half, one less, and of a large one less a quarter, an eighth and so on."""
    claim = false_where(lambda c: (c.f - given) * (c.f - other), mv.Table("f", lambda _: (), low, high))
    assert shrunk(claim, f=given) == {"f": found}


@pytest.mark.parametrize(
    ("low", "high", "given", "found"),
    [(-9, 9, [9, 6], [3, 2]), (-9, 9, [-9, -6], [-3, -2]), (4, 9, [9, 6], [9, 6]), (-9, -5, [-9, -6], [-9, -6]),
     (2, 9, [9, 6], [3, 2]), (3, 9, [9, 6], [9, 6]), (-9, -2, [-9, -6], [-3, -2])],
)  # fmt: skip
def test_tables_are_divided_where_that_is_in_their_range(low, high, given, found):
    """``2 f_0 = 3 f_1`` and not both 0: no entry alone can be made simpler."""
    positive = mv.Table("f", lambda _: (2,), low, high)
    claim = false_where(
        lambda c: mv.absolute(2 * c.f[0] - 3 * c.f[1]) + mv.choose(c.f[0] * c.f[0] > 0, mv.like(0, c.system), 1),
        positive,
    )
    assert shrunk(claim, f=given) == {"f": found}


@pytest.mark.parametrize(
    ("full", "given", "others", "found"),
    [
        (False, [40, 1], (40, 20), [20, 1]),
        (False, [40, 8], (5,), [5, 1]),
        (True, [40, 8], (5,), [5, 1]),
        (True, [40, 8], (5, 1), [1, 1]),
    ],
)
def test_rows_of_weights_may_be_larger_than_what_is_drawn(full, given, others, found):
    """False where the first weight is so many times the second one."""

    def sign(case):
        product = 10**6
        for times in others:
            product = product * (case.w[0] - times * case.w[1])
        return product

    claim = false_where(sign, mv.Distribution("w", lambda _: (2,), full_support=full))
    assert shrunk(claim, w=given) == {"w": found}


def test_a_row_of_weights_is_never_all_0():
    claim = false_where(lambda c: c.w[1], mv.Distribution("w", lambda _: (2,)))
    assert shrunk(claim, w=[3, 0]) == {"w": [1, 0]}


def test_larger_numbers_come_first_where_order_means_nothing():
    claim = false_where(lambda c: c.f.sum() - 6, mv.Table("f", lambda _: (3,), 0, 9))
    assert shrunk(claim, f=[1, 2, 3]) == {"f": [3, 2, 1]}
    fixed = false_where(
        lambda c: (c.f[0] - 1) * (c.f[0] - 1) + (c.f[1] - 2) * (c.f[1] - 2), mv.Table("f", lambda _: (2,), 0, 9)
    )
    assert shrunk(fixed, f=[1, 2]) == {"f": [1, 2]}


def test_smaller_sizes_come_first():
    """Three states and two actions, of which the first ones are enough; a sum that needs both states keeps them."""
    more = {"states": (1, 3), "action_range": (1, 2)}
    table = mv.Table("f", lambda s: (s.states, *s.actions), 0, 9)
    given = np.array([[5, 6], [7, 8], [9, 9]])
    sizes, found = shrink(false_where(lambda c: 0 * c.f.sum(), table, **more), mv.Sizes(3, (2,)), {"f": given})
    assert (sizes, found["f"].tolist()) == (ONE, [[0]])
    two = false_where(lambda c: mv.choose(c.f.sum() >= 12, mv.like(0, c.system), 1), table, **more)
    sizes, found = shrink(two, mv.Sizes(3, (2,)), {"f": given})
    assert sizes == mv.Sizes(2, (1,)) and found["f"].sum() == 12


def test_what_is_cut_is_no_larger_along_any_axis():
    """One state with two actions is smaller than three states with one, but not what is left of it."""
    table = mv.Table("f", lambda s: (s.states, *s.actions), 0, 9)
    claim = false_where(
        lambda c: mv.choose(c.f.sum() >= 12, mv.like(0, c.system), 1), table, states=(1, 3), action_range=(1, 2)
    )
    sizes, found = shrink(claim, mv.Sizes(3, (1,)), {"f": np.array([[4], [4], [4]])})
    assert sizes == mv.Sizes(3, (1,)) and found["f"].tolist() == [[4], [4], [4]]


def test_a_row_that_is_cut_keeps_a_weight():
    """Of ``(0, 0, 3)`` the first two are nothing, and become ``(1, 0)``."""
    more = {"states": (2, 3)}
    claim = false_where(lambda c: 0 * c.w.sum(), mv.Distribution("w", lambda s: (s.states,)), **more)
    sizes, found = shrink(claim, mv.Sizes(3, (1,)), {"w": np.array([0, 0, 3])})
    assert sizes == mv.Sizes(2, (1,)) and found["w"].tolist() == [1, 0]


def test_the_simplest_of_several_is_taken():
    drawn = {"f": np.array([[3, 3], [-1, 4], [2, 3], [0, -5], [1, 1]]), "g": np.array([[0], [0], [0], [0], [9]])}
    assert [simplest(drawn, places) for places in ([0, 1, 2, 3, 4], [0, 1, 3], [3, 1], [0, 4], [4])] == [1, 1, 1, 0, 4]


def test_a_row_that_was_cut_to_nothing_begins_with_1():
    """The others stay as they are, as do numbers that are no weights."""
    rows = np.array([[0, 0], [1, 0], [0, 1], [2, 3]])
    weights = Coordinate("w", rows.shape, "weight", 0, 9)
    assert _with_full_rows(weights, rows.copy()).tolist() == [[1, 0], [1, 0], [0, 1], [2, 3]]
    assert _with_full_rows(Coordinate("t", rows.shape, "integer", 0, 9), rows.copy()).tolist() == rows.tolist()
