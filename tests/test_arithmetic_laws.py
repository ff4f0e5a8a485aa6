"""The laws of a number system (``arithmetic/protocol.py``), tried on every one."""

from __future__ import annotations

import operator
from fractions import Fraction

import flint
import numpy as np
import pytest

from mappo_verify.arithmetic import System
from mappo_verify.arithmetic.one_part import arithmetic_of
from mappo_verify.arithmetic.precision import precision
from mappo_verify.arithmetic.protocol import Arithmetic
from mappo_verify.arithmetic.rationals import rational
from mappo_verify.arithmetic.rings import PolynomialRing, proof_in
from mappo_verify.errors import ExactnessError, SingularError, UndecidedError

SYSTEMS = tuple(System)
EXACT = (System.RATIONALS, System.SYMBOLS)
ROUNDING = 1e-12
"""Relative error that a rounded operation may have, and a radius that a certified one may have."""
COUNT = 40


@pytest.fixture(params=SYSTEMS, ids=lambda system: system.value)
def arithmetic(request):
    with proof_in(PolynomialRing(("x",))):
        yield arithmetic_of(request.param)


def numbers(seed, shape=(3,), low=-50):
    """Fractions with 0 and equal ones among them."""
    generator = np.random.default_rng(seed)
    tops, bottoms = generator.integers(low, 50, (*shape, COUNT)), generator.choice([1, 3, 7, 10], (*shape, COUNT))
    return np.frompyfunc(lambda p, q: Fraction(int(p), int(q)), 2, 1)(tops, bottoms)


def enclosed(arithmetic, values):
    """The system's own numbers of Fractions, ``core + (B,)``."""
    return arithmetic.enclose(np.frompyfunc(rational, 1, 1)(values))


def contains(arithmetic, parts, exact, slack=ROUNDING):
    """Whether every entry may stand for the exact number (of floats: is it, but for rounding)."""
    if arithmetic.system is System.ENCLOSURES:
        mid, rad = (np.broadcast_to(part, exact.shape) for part in parts)
        found = zip(mid.flat, rad.flat, exact.flat, strict=True)
        return all(abs(Fraction(float(m)) - x) <= Fraction(float(r)) for m, r, x in found)
    entries = zip(np.broadcast_to(parts[0], exact.shape).flat, exact.flat, strict=True)
    if arithmetic.system is System.FLOATS:
        return all(abs(e - float(x)) <= slack * (1 + abs(float(x))) for e, x in entries)
    if arithmetic.system is System.BALLS:
        with precision(4000):
            points = [(e, flint.arb(rational(x))) for e, x in entries]
        return all(e.contains(point) for e, point in points)
    return all(arithmetic.compare((np.array([e]),), "=", arithmetic.constant(x))[0] > 0 for e, x in entries)


def exactly(function, *tables):
    return np.frompyfunc(function, len(tables), 1)(*tables)


OPERATIONS = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": lambda x, y: x / y,
    "maximum": max,
}


def test_every_system_keeps_the_interface(arithmetic):
    missing = {name for name in vars(Arithmetic) if not name.startswith("_")} - set(dir(arithmetic))
    assert not missing
    assert arithmetic is arithmetic_of(arithmetic.system)


@pytest.mark.parametrize("name", OPERATIONS)
def test_law_1_an_operation_contains_the_exact_result(arithmetic, name):
    left, right = numbers(1), numbers(2, low=1)
    if name == "maximum" and arithmetic.system is System.SYMBOLS:  # a choice, which symbols refuse, or a new symbol
        return
    found = getattr(arithmetic, name)(enclosed(arithmetic, left), enclosed(arithmetic, right))
    assert contains(arithmetic, found, exactly(OPERATIONS[name], left, right))


def test_law_1_sums_contractions_and_solutions(arithmetic):
    left, right = numbers(3, (2, 3)), numbers(4, (3,))
    one, two = enclosed(arithmetic, left), enclosed(arithmetic, right)
    assert contains(arithmetic, arithmetic.total(one, (1,)), left.sum(1))
    assert contains(arithmetic, arithmetic.negative(one), -left)
    assert contains(arithmetic, arithmetic.absolute(one), abs(left))
    product = (left * right[None]).sum(1)
    assert contains(arithmetic, arithmetic.contract("ij,j->i", one, two), product)
    matrix = exactly(lambda x: x / 400, numbers(5, (2, 2)))
    matrix[0, 0] += 1
    matrix[1, 1] += 1
    wanted = numbers(6, (2, 1))
    given = (matrix[:, :, None] * wanted[None]).sum(1)
    solved = arithmetic.solve(enclosed(arithmetic, matrix), enclosed(arithmetic, given))
    assert contains(arithmetic, solved, wanted, 1e-9)


def test_law_2_constants_are_contained_and_exact_where_the_system_can_hold_them(arithmetic):
    for value in (0, 1, -3, 2**200, Fraction(1, 3), Fraction(3, 8)):
        found = arithmetic.constant(value)
        assert contains(arithmetic, found, np.array([Fraction(value)], object))
        held = arithmetic.system in EXACT or (Fraction(value).denominator & (Fraction(value).denominator - 1)) == 0
        assert (arithmetic.compare(found, "=", arithmetic.constant(value))[0] > 0) or not held


def test_law_3_truth_is_never_wrong(arithmetic):
    left, right = numbers(7), numbers(8)
    right[:, ::4] = left[:, ::4]
    one, two = enclosed(arithmetic, left), enclosed(arithmetic, right)
    for relation, holds in (("=", operator.eq), ("≤", operator.le), ("<", operator.lt)):
        exact = exactly(holds, left, right).astype(bool)
        found = arithmetic.compare(one, relation, two)
        assert not (found > 0)[~exact].any() and not (found < 0)[exact].any(), relation
        if arithmetic.system in EXACT:
            assert found.all(), relation
    if arithmetic.system in (System.BALLS, System.ENCLOSURES):  # thirds are no points: an equality of them stays open
        third = arithmetic.divide(arithmetic.constant(1), arithmetic.constant(3))
        assert arithmetic.compare(third, "=", arithmetic.constant(Fraction(1, 3)))[0] == 0


def test_law_4_zero_is_zero(arithmetic):
    values, zero = enclosed(arithmetic, numbers(9)), arithmetic.constant(0)
    for product in (arithmetic.multiply(zero, values), arithmetic.multiply(values, zero)):
        assert (arithmetic.nonzero(product) < 0).all()
        assert (arithmetic.nonzero(arithmetic.add(product, zero)) < 0).all()
        assert (arithmetic.nonzero(arithmetic.total(product, (0,))) < 0).all()
    assert (arithmetic.nonzero(arithmetic.contract("i,->i", values, zero)) < 0).all()


def test_law_5_what_is_undefined_stays_in_its_instance_or_raises(arithmetic):
    below, above = numbers(10, ()), numbers(11, (), low=1)
    below[::2], below[1] = exactly(lambda x: abs(x) + 1, below[::2]), Fraction(0)
    good = np.array([x > 0 for x in below])
    try:
        with np.errstate(all="ignore"):
            found = arithmetic.divide(enclosed(arithmetic, above), enclosed(arithmetic, below))
    except (ZeroDivisionError, SingularError, ExactnessError, UndecidedError):
        assert arithmetic.system in EXACT
        return
    kept = tuple(part[..., good] for part in found)
    assert contains(arithmetic, kept, exactly(operator.truediv, above[good], below[good]))


def test_logarithms_roots_and_exponentials_invert_each_other(arithmetic):
    values = numbers(12, low=1)
    known = enclosed(arithmetic, values)
    again = arithmetic.exp(arithmetic.log(known))
    assert contains(arithmetic, again, values, 1e-10)
    squared = arithmetic.sqrt(arithmetic.multiply(known, known))
    assert contains(arithmetic, squared, values)


def test_a_choice_is_one_side_or_contains_both(arithmetic):
    one, two = enclosed(arithmetic, numbers(13, ())), enclosed(arithmetic, numbers(14, ()))
    truth = np.array([1, -1] * (COUNT // 2), np.int8)
    exact = np.where(truth > 0, numbers(13, ()), numbers(14, ()))
    assert contains(arithmetic, arithmetic.choose(truth, one, two), exact)
    open_ = np.zeros(COUNT, np.int8)
    if arithmetic.system in (System.BALLS, System.ENCLOSURES):
        hull = arithmetic.choose(open_, one, two)
        assert contains(arithmetic, hull, numbers(13, ())) and contains(arithmetic, hull, numbers(14, ()))
    elif arithmetic.system is System.FLOATS:
        assert np.isnan(arithmetic.choose(open_, one, two)[0]).all()
    else:
        with pytest.raises((UndecidedError, ExactnessError)):
            arithmetic.choose(open_, one, two)
