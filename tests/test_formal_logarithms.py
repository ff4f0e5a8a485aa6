"""Formal logarithms: exact equality, certified order, ``exp`` as the inverse, refusals by name, large integers."""

from __future__ import annotations

import math
import time
from fractions import Fraction

import flint
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mappo_verify.arithmetic import System, compare, exp, like, log
from mappo_verify.arithmetic.formal import FormalLog, _coprime
from mappo_verify.errors import ExactnessError, UndecidedError

positive = st.fractions(min_value=Fraction(1, 500), max_value=500, max_denominator=500)
coefficients = st.fractions(min_value=-4, max_value=4, max_denominator=6)


def fmpq(value):
    value = Fraction(value)
    return flint.fmpq(value.numerator, value.denominator)


def log_of(value):
    """``log`` of one positive rational."""
    return log(like([value], System.RATIONALS))[0]


def exp_of(value):
    return exp(np.array([value], dtype=object))[0]


def high_precision(constant, terms):
    """``constant + Σ c log x`` at 700 bits, from Fractions, without the package."""
    before = flint.ctx.prec
    flint.ctx.prec = 700
    try:
        total = flint.arb(fmpq(constant))
        for c, x in terms:
            total += flint.arb(fmpq(c)) * flint.arb(fmpq(x)).log()
        return total
    finally:
        flint.ctx.prec = before


def combination(constant, terms):
    total = fmpq(constant) + log_of(Fraction(1))
    for c, x in terms:
        total = total + fmpq(c) * log_of(x)
    return total


@settings(max_examples=200, deadline=None, derandomize=True)
@given(positive, positive)
def test_products_and_ratios(x, y):
    assert log_of(x * y) == log_of(x) + log_of(y)
    assert log_of(x / y) == log_of(x) - log_of(y)
    assert log_of(x) - log_of(x) == 0
    assert (log_of(x) == log_of(y)) == (x == y)
    assert log_of(x**3 / y**2) == 3 * log_of(x) - 2 * log_of(y)
    assert -log_of(x) == log_of(1 / x)
    assert log_of(x) / 2 + log_of(x) / 2 == log_of(x)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    coefficients,
    st.lists(st.tuples(coefficients, positive), max_size=4),
    coefficients,
    st.tuples(coefficients, positive),
)
def test_order_and_equality_against_high_precision(constant, terms, other_constant, other):
    left, right = combination(constant, terms), combination(other_constant, [other])
    difference = high_precision(constant, terms) - high_precision(other_constant, [other])
    if difference.contains(0):  # 700 bits against numbers of at most 50 digits: then it is an equality
        assert left == right and left <= right and left >= right and not left < right and not left > right
        assert compare(left, "=", right) == 1 and compare(left, "<", right) == -1 and compare(left, "≤", right) == 1
    else:
        less = difference < 0
        assert not left == right and left != right
        assert (left < right) == (left <= right) == less and (left > right) == (left >= right) == (not less)
        assert compare(left, "<", right) == (1 if less else -1)
        assert (left - right).sign() == (-1 if less else 1)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(-4, 4), positive), max_size=4))
def test_exp_inverts_integer_combinations(terms):
    product = Fraction(1)
    for power, x in terms:
        product *= x**power
    assert exp_of(combination(0, terms)) == fmpq(product)
    assert exp_of(log_of(product)) == fmpq(product)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(positive, st.integers(-6, 6), st.fractions(min_value=Fraction(1, 9), max_value=9, max_denominator=9))
def test_scaling_and_unscaling(x, k, beta):
    """``exp(log w · k)``, and ``β`` multiplied in and divided out again, as the mirror step does."""
    assert exp_of(log_of(x) * k) == fmpq(x**k)
    assert exp_of(log_of(x) * fmpq(beta) / fmpq(beta)) == fmpq(x)


def test_exp_refuses_everything_else_by_name():
    with pytest.raises(ExactnessError, match=r"exp\(1/2·log\(3\)\) is not a rational number: 1/2 is not an integer"):
        exp_of(log_of(3) / 2)
    with pytest.raises(ExactnessError, match=r"exp\(1 \+ log\(3\)\) is not a rational number"):
        exp_of(1 + log_of(3))
    with pytest.raises(ExactnessError, match="not a rational"):
        exp_of(log_of(3) * 0 + fmpq(Fraction(1, 7)))


def test_equal_logarithms_have_equal_exponentials():
    """``½ log 4`` *is* ``log 2``, however it is written: either both have an exponential or neither."""
    half = log_of(4) / 2
    assert half == log_of(2)
    assert exp_of(half) == exp_of(log_of(2))


def test_large_exponents_stay_fast():
    """By repeated multiplication this takes quadratic time, seconds here; by a power, a millisecond."""
    begin = time.perf_counter()
    assert exp_of(log_of(2) * 400_000) == flint.fmpq(2) ** 400_000
    assert time.perf_counter() - begin < 0.3


def test_absurd_exponents_are_refused_rather_than_left_to_exhaust_the_memory():
    """In another process with limits on time and memory, so that a failure ends."""
    import subprocess
    import sys

    code = (
        "import resource\n"
        "from mappo_verify.arithmetic import System, exp, like, log\n"
        "from mappo_verify.errors import MappoVerifyError\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))\n"
        "try: exp(log(like([3], System.RATIONALS)) * 10**12)\n"
        "except (MappoVerifyError, OverflowError): print('refused')"
    )
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=3, check=False)
    except subprocess.TimeoutExpired:
        pytest.fail("exp(log 3 · 10¹²) does not end within 3 s")
    assert done.stdout.strip() == "refused", done.stderr


def test_refusals():
    two, three = log_of(2), log_of(3)
    with pytest.raises(ExactnessError, match="product of two logarithms"):
        two * three
    with pytest.raises(ExactnessError, match="quotient by a logarithm"):
        two / three
    with pytest.raises(ExactnessError, match="quotient by a logarithm"):
        1 / two
    with pytest.raises(TypeError):
        two + 0.5
    with pytest.raises(TypeError):
        hash(two)


def test_constants_inside_logarithms_multiply():
    five = log_of(2) - log_of(2) + 5
    assert five * log_of(3) == 5 * log_of(3) == log_of(3) * five
    assert log_of(3) / five == log_of(3) / 5
    assert five > 4 and five == 5 and five < fmpq(Fraction(11, 2))


def test_balls_do_not_slip_into_a_formal_logarithm():
    """A sum of an exact number and a ball is no exact number; ``arb·fmpq`` mixes silently, and must not here."""
    for mix in (lambda: log_of(2) + flint.arb(1), lambda: log_of(2) * flint.arb(1), lambda: flint.arb(1) + log_of(2)):
        with pytest.raises((TypeError, ExactnessError)):
            mix()


def test_comparisons_with_plain_rationals():
    half, value = flint.fmpq(1, 2), log_of(2)
    assert half < value and value > half and not value == half and value != half
    assert value <= 1 and value >= 0 and value > 0 and flint.fmpq(0) < value
    assert abs(log_of(Fraction(1, 2))) == value and abs(value) == value
    assert log_of(1) == 0 and log_of(1).sign() == 0 and not log_of(1) < 0


def test_comparison_with_something_that_is_no_number():
    """``==`` with a stranger is False, as everywhere in Python, not an error."""
    assert (log_of(2) == None) is False  # noqa: E711
    assert (log_of(2) == "log 2") is False


def test_nearly_equal_logarithms_are_told_apart():
    """They agree to 300 digits: 1,000 bits are needed, and taken."""
    n = 10**300
    assert log_of(n + 1) > log_of(n)
    assert log_of(n + 1) - log_of(n) < fmpq(Fraction(1, n)) and log_of(n + 1) - log_of(n) > fmpq(Fraction(1, n + 1))


def test_beyond_the_cap_the_order_is_undecided_but_equality_is_not():
    n = 10**2000
    close = log_of(n + 1) - log_of(n)
    assert not close == 0 and close != 0
    with pytest.raises(UndecidedError, match="undecided at 2048 bits"):
        close.sign()


def test_large_coprime_integers_stay_fast():
    """200-digit numbers without known factors: gcds only, no factoring, so milliseconds."""
    numbers = [10**200 + k for k in (1, 3, 7, 9, 13, 21, 37, 51)]
    begin = time.perf_counter()
    logs = [log_of(n) for n in numbers]
    total = sum(logs[1:], logs[0])
    product = math.prod(numbers)
    assert total == log_of(product) and total - logs[3] == log_of(product // numbers[3])
    assert not total == log_of(product + 1)
    assert total > logs[0] and log_of(product) <= total and log_of(10**200 + 2) > logs[0]
    assert exp_of(total) == flint.fmpq(product)
    assert time.perf_counter() - begin < 1.0


def test_many_terms_stay_fast():
    begin = time.perf_counter()
    total = log_of(1)
    for n in range(2, 200):
        total = total + log_of(Fraction(n, n - 1))
    assert total == log_of(199)
    assert time.perf_counter() - begin < 2.0


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(2, 10**6), st.integers(-3, 3)), min_size=1, max_size=6))
def test_coprime_refinement(terms):
    """Pairwise coprime bases above 1, no vanishing coefficient, and the same number."""
    refined = _coprime([(flint.fmpz(base), flint.fmpq(c)) for base, c in terms])
    bases = [int(base) for base, _ in refined]
    assert all(base > 1 for base in bases) and all(c != 0 for _, c in refined)
    assert all(math.gcd(x, y) == 1 for i, x in enumerate(bases) for y in bases[:i])
    left, right = Fraction(1), Fraction(1)
    for base, c in terms:
        left *= Fraction(base) ** c
    for base, c in refined:
        assert c.q == 1
        right *= Fraction(int(base)) ** int(c.p)
    assert left == right


@settings(max_examples=60, deadline=None, derandomize=True)
@given(coefficients, coefficients)
def test_transcendence_is_respected(a, c):
    """``a + c log 2 = 0`` only if both vanish."""
    assume(a or c)
    assert not fmpq(a) + fmpq(c) * log_of(2) == 0


def test_enclosures_and_printing():
    value = fmpq(Fraction(1, 3)) + fmpq(Fraction(5, 2)) * log_of(Fraction(9, 2))
    assert value.ball().contains(high_precision(Fraction(1, 3), [(Fraction(5, 2), Fraction(9, 2))]))
    assert value.to_float() == pytest.approx(1 / 3 + 2.5 * math.log(4.5), rel=1e-14, abs=0)
    assert str(log_of(Fraction(3, 2))) == "log(3) - log(2)"
    assert str(log_of(1)) == "0" and str(FormalLog(flint.fmpq(0), [])) == "0"
    assert str(fmpq(Fraction(-1, 2)) * log_of(5) + 2) == "2 - 1/2·log(5)"


def test_arrays_of_logarithms_and_rationals():
    logs, numbers = log(like([2, 3], System.RATIONALS)), like([1, 2], System.RATIONALS)
    assert ((logs + numbers) - numbers == logs).all()
    assert (numbers * logs == logs * numbers).all() and (numbers + logs - logs == numbers).all()
    assert (numbers - logs == -(logs - numbers)).all()
    assert (logs * numbers).sum() == log_of(18)


def test_roots_are_taken_up_to_the_sixty_fourth():
    """``exp(log(3^d)/d) = 3``; for larger ``d`` nobody asks, and a huge degree would cost time."""
    for degree in (2, 64):
        assert FormalLog(flint.fmpq(0), [(flint.fmpz(3) ** degree, flint.fmpq(1, degree))]).exp() == 3
    with pytest.raises(ExactnessError, match="1/65 is not an integer"):
        FormalLog(flint.fmpq(0), [(flint.fmpz(3) ** 65, flint.fmpq(1, 65))]).exp()
