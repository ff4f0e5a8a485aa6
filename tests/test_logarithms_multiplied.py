"""Logarithms of polynomials where they are multiplied: each becomes a sum over irreducible factors, contents and primes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from mappo_verify.arithmetic import exp, log, maximum, sqrt
from mappo_verify.arithmetic.rings import PolynomialRing, proof_in
from mappo_verify.arithmetic.symbols import assume_nonnegative, assume_positive, constant
from mappo_verify.errors import ExactnessError, UndecidedError


@pytest.fixture
def symbols():
    ring = PolynomialRing(("x", "y", "z"), spare=12)
    with proof_in(ring):
        x, y, z = ring.generators()
        array = np.empty(2, object)
        array[:] = x, y
        yield (*assume_positive(array), z)


def of(function, *values):
    """A function of single symbols."""
    arrays = []
    for value in values:
        array = np.empty(1, object)
        array[0] = value
        arrays.append(array)
    return function(*arrays)[0]


def number(value):
    return constant(Fraction(value))


def test_a_product_of_logarithms_is_expanded(symbols):
    x, y, _ = symbols
    one, two, three, five = (of(log, number(n)) for n in (1, 2, 3, 5))
    left, right = of(log, x), of(log, y)
    assert one == 0 and two != 0 and of(log, number(6)) == two + three
    assert of(log, 6 * x) * right == (two + three + left) * right
    assert of(log, 12 * x) * right == (2 * two + three + left) * right != (two + three + left) * right
    assert of(log, x * number(Fraction(2, 5))) * right == (two - five + left) * right
    assert of(log, x * x * y) * right == (2 * left + right) * right
    assert of(log, 2 * x + 6 * y) * right == (two + of(log, x + 3 * y)) * right
    assert of(log, (2 * x + 3) * (5 * x + 1)) * right == (of(log, 2 * x + 3) + of(log, 5 * x + 1)) * right
    assert of(log, (2 * x + 4) * (x + 2)) * right == (two + 2 * of(log, x + 2)) * right
    assert of(log, x / y) * right == (left - right) * right and of(log, x) * right == right * left
    assert left * right != left * left and (left * left).sign == 2 and abs(left) == abs(-left)
    assert left / right * right == left and 1 / left * left == 1 and 3 / left == 3 * (1 / left)


def test_exponentials(symbols):
    x, y, z = symbols
    assert of(exp, x - x) == 1 and of(exp, 2 * of(log, x) - of(log, y)) == x * x / y
    grown = of(exp, z)
    assert grown.sign == 1 and of(exp, -z) * grown == 1 and of(exp, -z) == 1 / grown != 2 / grown
    assert of(log, grown) == z and of(log, grown * grown * x) == 2 * z + of(log, x)


def test_roots(symbols):
    x, _, z = symbols
    root = of(sqrt, x)
    assert root * root == x and root.sign == 1 and of(sqrt, number(12)) == 2 * of(sqrt, number(3))
    assert of(sqrt, 4 * x) == 2 * root and of(sqrt, x * number(Fraction(9, 4))) == root * number(Fraction(3, 2))
    assert (
        of(sqrt, 8 * x) == 2 * of(sqrt, number(2)) * root
        and of(sqrt, number(Fraction(1, 2))) * of(sqrt, number(2)) == 1
    )
    assert of(sqrt, number(49)) == 7 and of(sqrt, x - x) == 0 and of(log, root) * 2 == of(log, x)
    assert of(sqrt, z).sign == 2 and of(sqrt, z) * of(sqrt, z) == z
    for negative in (-x, -of(assume_nonnegative, z)):
        with pytest.raises(ExactnessError, match="below 0 has no root"):
            of(sqrt, negative)


def test_maxima(symbols):
    x, y, z = symbols
    assert of(maximum, -x, y) == y == of(maximum, y, -x) and of(maximum, z, z) == z
    both = of(maximum, x, z)
    assert both.sign == 1 and both == of(maximum, x, z) != x and of(maximum, z, number(2)).sign == 1
    assert of(maximum, z, -x).sign is None and of(maximum, number(2), z) != of(maximum, number(3), z)
    with proof_in(PolynomialRing(("u",))), pytest.raises(UndecidedError):  # no room for what stands for it
        of(maximum, *PolynomialRing(("u", "v")).generators())
