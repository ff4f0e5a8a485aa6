"""What is known of the sign of a symbol, against all numbers that it may be: never wrong, and as much as can be known."""

from __future__ import annotations

import itertools
import operator

import numpy as np
import pytest

from mappo_verify.arithmetic.rings import DegreeRing, PolynomialRing, joined, sign_of_product, sign_of_sum
from mappo_verify.arithmetic.symbols import _sign_of_maximum, assume_nonnegative, assume_positive, constant, hull
from mappo_verify.errors import UndecidedError

NUMBERS = {1: {1, 2, 9}, 2: {0, 1, 2, 9}, 0: {0}, -1: {-1, -2, -9}, -2: {0, -1, -2, -9}, None: {0, 1, -1, 2, -2, 9, -9}}
"""Numbers of every sign; what is not known may be any."""
SIGNS = tuple(NUMBERS)


def known_of(numbers):
    """The sign that says most of numbers that are all possible."""
    for sign, wanted in (
        (0, lambda x: x == 0),
        (1, lambda x: x > 0),
        (-1, lambda x: x < 0),
        (2, lambda x: x >= 0),
        (-2, lambda x: x <= 0),
    ):
        if all(map(wanted, numbers)):
            return sign
    return None


def pairs():
    return [pytest.param(one, two, id=f"{one} {two}") for one, two in itertools.product(SIGNS, SIGNS)]


@pytest.mark.parametrize(("one", "two"), pairs())
def test_signs_of_sums_products_and_maxima(one, two):
    """Of a maximum where the sign of the difference does not tell which number it is."""
    rules = [(sign_of_sum, operator.add), (sign_of_product, operator.mul)]
    open_ = known_of({x - y for x, y in itertools.product(NUMBERS[one], NUMBERS[two])}) is None
    for said, operation in [*rules, *[(_sign_of_maximum, max)] * open_]:
        possible = {operation(x, y) for x, y in itertools.product(NUMBERS[one], NUMBERS[two])}
        assert said(one, two) == known_of(possible), said.__name__


def symbols():
    """A symbol of every sign that is not 0, in one ring: ``p > 0``, ``n ≥ 0``, their negatives, and ``x``."""
    p, n, x, y = PolynomialRing(("p", "n", "x", "y"), spare=4).generators()
    array = np.empty(1, object)

    def known(fact, value):
        array[0] = value
        return fact(array)[0]

    p, n = known(assume_positive, p), known(assume_nonnegative, n)
    return {1: p, 2: n, -1: -p, -2: -n, None: x}, y


@pytest.mark.parametrize("two", [1, 2, -1, -2, None])
@pytest.mark.parametrize("one", [1, 2, -1, -2, None])
def test_signs_of_what_is_computed(one, two):
    known, other = symbols()
    x, y = known[one], other if two is None else known[two] * 3
    for operation in (operator.add, operator.sub, operator.mul):
        possible = {operation(a, b) for a, b in itertools.product(NUMBERS[one], NUMBERS[two])}
        assert operation(x, y).sign == known_of(possible), operation
    defined = {a / b for a, b in itertools.product(NUMBERS[one], NUMBERS[two] - {0})}
    assert (x / y).sign == known_of(defined)


def test_a_square_is_not_negative_and_a_product_of_two_numbers_may_be():
    known, y = symbols()
    x = known[None]
    assert (x * x).sign == 2 and (x * y).sign is None and (x * (1 * x)).sign is None
    assert (known[1] * known[1]).sign == 1 and (x - x).sign == 0 and (x * 0).sign == 0


def test_absolute_values():
    known, y = symbols()
    p, n, x = known[1], known[2], known[None]
    assert abs(p) == p and abs(-p) == p and abs(n) == n and abs(-n) == n and abs(x - x) == 0
    assert abs(x).sign == 2 and abs(x) == abs(-x) and abs(x) != abs(y) and abs(x) != x
    assert len(x.ring.atoms) == 2


@pytest.mark.parametrize(("sign", "unsigned"), [(1, False), (-1, False), (2, True), (-2, True), (None, True)])
def test_what_is_divided_by_without_a_fact_is_a_condition(sign, unsigned):
    known, y = symbols()
    assert (y / known[sign]).ring.unsigned == ({0} if unsigned else set())


def test_powers_of_factors():
    assert joined(max, {0: 2, 1: 5}, {1: 3, 4: 7}) == {0: 2, 1: 5, 4: 7} == joined(max, {1: 3, 4: 7}, {0: 2, 1: 5})
    assert joined(operator.add, {0: 2, 1: 5}, {1: 3, 4: 7}) == {0: 2, 1: 8, 4: 7} and joined(max, {}, {}) == {}
    known, y = symbols()
    x = known[None]
    one, two = y / x / x + 1 / (x + 1), 3 / x / (x + 1)
    assert one.powers == {0: 2, 1: 1} and two.powers == {0: 1, 1: 1}
    assert (one + two).powers == {0: 2, 1: 1} and (one * two).powers == {0: 3, 1: 2} and (one - one).powers == {}
    assert (one + two) * x * x * (x + 1) == y * (x + 1) + x * x + 3 * x
    assert one * two * x * x * x * (x + 1) * (x + 1) == 3 * (y * (x + 1) + x * x)
    assert 1 / one == x * x * (x + 1) / (y * (x + 1) + x * x) and 1 / (1 / two) == two


def test_constants_have_their_sign():
    assert [constant(k).sign for k in (-3, 0, 7)] == [-1, 0, 1]
    y = symbols()[1]
    assert (y * 0 - 3).sign == -1 and (0 * y + 2).sign == 1
    degree = DegreeRing().generator()
    assert degree.sign is None and (degree * 0).sign == 0 and (degree + degree).numerator.bound == 1
    assert (degree * degree - 5).numerator.bound == 2 and (1 / degree).powers == {0: 1} and (degree / 5).powers == {}


def test_a_choice_between_equal_symbols_is_either():
    known, y = symbols()
    x = known[None]
    assert hull(x, x) is x and hull(x + y, y + x) == x + y and hull(known[1], 2 * known[1] - known[1]) == known[1]
    with pytest.raises(UndecidedError, match="depends on the parameters"):
        hull(x, y)
