"""The arithmetic of the checker, on its own: every operation against exact bounds, at every edge of its conditions.

``KERNEL`` names another file to try: ``scripts/mutation.py`` gives changed kernels to these tests, and none may pass.
"""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import os
import sys
from fractions import Fraction
from pathlib import Path

import flint
import pytest

from mappo_verify.arithmetic.precision import precision

FILE = Path(os.environ.get("KERNEL", Path(__file__).parents[1] / "certificates" / "checker" / "kernel.py"))
HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def load(path):
    spec = importlib.util.spec_from_file_location("checker_kernel_on_trial", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


kernel = load(FILE)
Interval, Rejected = kernel.Interval, kernel.Rejected


def ends(value):
    return value.low, value.high


ENDS = [Fraction(n, 2) for n in range(-3, 4)]
INTERVALS = [(a, b) for a in ENDS for b in ENDS if a <= b]
OPERATIONS = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_on_all_small_intervals(name):
    """The exact hull, by trying all ends: each operation is monotone in each argument."""
    operation = OPERATIONS[name]
    for one, two in itertools.product(INTERVALS, INTERVALS):
        if name == "/" and two[0] <= 0 <= two[1]:
            with pytest.raises(Rejected, match="division by what may be 0"):
                operation(Interval(*one), Interval(*two))
            continue
        found = [operation(x, y) for x in one for y in two]
        assert ends(operation(Interval(*one), Interval(*two))) == (min(found), max(found)), (one, name, two)
        if one[0] == one[1]:
            assert ends(operation(one[0], Interval(*two))) == (min(found), max(found))
        if two[0] == two[1]:
            assert ends(operation(Interval(*one), two[0])) == (min(found), max(found))


@pytest.mark.parametrize("sign", [1, -1])
def test_long_rationals_are_rounded_outwards_to_the_grid(sign):
    long, short = sign * Fraction(1, 3**400), sign * Fraction(1, 3**300)
    low, high = ends(Interval(long))
    assert low < long < high and high - low == Fraction(1, 2**512)
    assert ends(Interval(short)) == (short, short) and ends(Interval(Fraction(1, 2**512))) == (Fraction(1, 2**512),) * 2
    assert ends(Interval(1, 2)) == (1, 2) and type(Interval(1).low) is Fraction
    value = Interval(long)
    assert kernel.interval(value) is value


def test_division_of_large_by_small_loses_nothing():
    assert ends(Interval(3**400) / Interval(3**401)) == (THIRD, THIRD)
    assert ends(Interval(0) / Interval(3**401)) == (0, 0) and ends(Interval(0, 3**400) / Interval(3**401)) == (0, THIRD)
    assert ends(Interval(3**400) / Interval(HALF, 3**401)) == (THIRD, 2 * 3**400)
    assert ends(Interval(THIRD, 3**400) / Interval(3**401)) == ends(Interval(Fraction(1, 3**402), THIRD))


def test_sums_and_maxima():
    assert ends(kernel.total([1, Interval(1, 2), HALF])) == (Fraction(5, 2), Fraction(7, 2)) and ends(
        kernel.total([])
    ) == (0, 0)
    assert ends(kernel.larger(Interval(0, 3), Interval(1, 2))) == (1, 3) and ends(kernel.larger(2, HALF)) == (2, 2)


POINTS = [
    Fraction(n, d)
    for n, d in ((1, 3), (1, 2), (2, 3), (1, 1), (4, 3), (5, 3), (2, 1), (7, 5), (10, 1), (100, 7), (1, 900))
]


def ball(value):
    return flint.arb(flint.fmpq(value.numerator, value.denominator))


def encloses(found, wanted, width):
    """Whether an interval contains a number, and is no wider than so many bits relative to it."""
    low, high = ends(found)
    if low == high:
        return bool(wanted.contains(ball(low)) and wanted.rad() < flint.arb(2) ** -900)
    return bool(ball(low) < wanted < ball(high) and ball(high - low) < abs(wanted) * flint.arb(2) ** -width)


@pytest.mark.parametrize(("name", "width"), [("sqrt", 500), ("exp", 490), ("log", 490)])
def test_functions_against_balls(name, width):
    with precision(1200):
        for point in [*POINTS, *([-p for p in POINTS] if name == "exp" else [])]:
            wanted = getattr(ball(point), name)()
            assert encloses(getattr(kernel, name)(point), wanted, width - (32 if point < 0 else 0)), (name, point)
        low, high = POINTS[0], POINTS[7]
        found = getattr(kernel, name)(Interval(low, high))
        assert (found.low, found.high) == (getattr(kernel, name)(low).low, getattr(kernel, name)(high).high)


def test_exact_values_and_limits():
    assert ends(kernel.exp(0)) == (1, 1) and ends(kernel.log(1)) == (0, 0) and ends(kernel.sqrt(0)) == (0, 0)
    assert ends(kernel.sqrt(Fraction(9, 4))) == (Fraction(3, 2),) * 2 and ends(kernel.sqrt(Interval(4, 9))) == (2, 3)
    for square_free in (Fraction(2, 9), Fraction(9, 2)):
        assert kernel.sqrt(square_free).low < kernel.sqrt(square_free).high
    for value in (-1, Interval(-1, 1), Fraction(-1, 10**9)):
        with pytest.raises(Rejected, match="square root of what may be negative"):
            kernel.sqrt(value)
    for value in (0, -1, Interval(0, 1)):
        with pytest.raises(Rejected, match="logarithm of what may be 0"):
            kernel.log(value)
    assert kernel.log(Fraction(1, 10**9)).high < 0
    for value in (100_001, -100_001, Interval(-100_001, 0), Interval(0, 100_001)):
        with pytest.raises(Rejected, match="exponential beyond"):
            kernel.exp(value)
    assert kernel.exp(Interval(-100_000, 0)).high == 1
    with pytest.raises(Rejected, match="why"):
        kernel.require(False, "why")
    kernel.require(True, "why")


def test_exponentials_of_what_is_not_positive():
    assert ends(kernel.small_exp(2)) == ends(kernel.exp(-2)) and ends(kernel.small_exp(0)) == (1, 1)
    assert ends(kernel.small_exp(1000)) == ends(kernel.exp(-1000))
    assert ends(kernel.small_exp(Interval(3, 1001))) == (0, kernel.exp(-3).high)
    assert ends(kernel.small_exp(1001)) == ends(kernel.small_exp(5000)) == (0, kernel.exp(-1000).high)
    with pytest.raises(Rejected, match="the exponent is positive"):
        kernel.small_exp(Interval(-1, 1))
    assert ends(kernel.small_exp(HALF)) == ends(kernel.exp(-HALF))


def test_powers_are_exact_where_they_are_rational():
    assert ends(kernel.powers([(2, HALF), (2, HALF)])) == (2, 2) and ends(kernel.powers([])) == (1, 1)
    assert ends(kernel.powers([(12, Fraction(2)), (6, Fraction(-1)), (1, THIRD)])) == (24, 24)
    assert ends(kernel.powers([(8, THIRD), (49, HALF), (5, Fraction(-2))])) == (Fraction(14, 25),) * 2
    with precision(1200):
        assert encloses(
            kernel.powers([(12, HALF), (10, THIRD)]), ball(Fraction(12)).sqrt() * ball(Fraction(10)).root(3), 480
        )


def test_linear_algebra():
    F = Fraction
    assert kernel.dot([F(1), F(2)], [F(3), F(4)]) == 11 and kernel.transposed([[1, 2], [3, 4], [5, 6]]) == [
        [1, 3, 5],
        [2, 4, 6],
    ]
    rows = [[F(0), F(2), F(1)], [F(1), F(1), F(0)], [F(3), F(0), F(5)]]
    wanted = [F(2), F(-1), F(3)]
    right = [kernel.dot(row, wanted) for row in rows]
    assert kernel.solve(rows, right) == wanted
    assert kernel.solve([*rows, [F(1), F(1), F(1)]], [*right, F(4)]) == wanted
    assert kernel.solve([*rows, [F(1), F(1), F(1)]], [*right, F(5)]) is None
    with pytest.raises(Rejected, match="does not have a single solution"):
        kernel.solve([[F(1), F(1)], [F(2), F(2)]], [F(1), F(2)])
    # Rows that were used once are no pivots again: the second column has its only other entry above.
    with pytest.raises(Rejected, match="does not have a single solution"):
        kernel.solve([[F(1), F(2)], [F(0), F(0)]], [F(1), F(0)])
    found = kernel.fixed_point([F(1), F(2)], [[F(0), HALF], [THIRD, F(0)]])
    assert found == [1 + found[1] / 2, 2 + found[0] / 3]
    for short in (lambda: kernel.dot([F(1)], [F(1), F(2)]), lambda: kernel.transposed([[1], [1, 2]])):
        with pytest.raises(ValueError, match="zip"):
            short()
    for ragged in ((rows, right[:2]), ([[F(1), F(2)], [F(1)]], [F(1), F(1)])):
        with pytest.raises(ValueError, match="zip"):
            kernel.solve(*ragged)
    assert kernel.solve([[F(2)]], [F(3)]) == [F(3, 2)] and kernel.fixed_point([F(3)], [[HALF]]) == [6]


def test_every_machine_finds_the_same_bounds():
    """Bit for bit: a change of how the series are summed, or of the grid, is one that the certificates must be tried on."""
    assert kernel.GRID == 512
    words = [
        str(ends(function(point)))
        for function in (kernel.exp, kernel.log, kernel.sqrt, kernel.small_exp)
        for point in [*POINTS, Fraction(999, 2), Fraction(2), Fraction(2**60 + 1, 3)][
            : 14 if function is kernel.sqrt else 13
        ]
    ]
    words += [str(ends(kernel.exp(-point))) for point in POINTS]
    # of these a term lies between 2⁻⁵¹² and 2⁻⁵¹¹, where the series ends
    words += [str(ends(kernel.exp(Fraction(n, 7)))) for n in (4, 8)]
    words.append(str(ends(kernel.powers([(6, HALF), (35, THIRD), (2, Fraction(5))]))))
    assert hashlib.sha256("".join(words).encode()).hexdigest() == DIGEST


DIGEST = "69cf042a6e63ef6a4bb60f3d5031eb9ae43d6194a6ec0a8331be994f1998f074"
