"""Arithmetic on trial: comparing, choosing, dividing, solving, in every number system."""

from __future__ import annotations

import math
import random
import sys
from decimal import Decimal
from fractions import Fraction

import flint
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oracle
from mappo_verify.arithmetic import (
    FALSE,
    TRUE,
    UNKNOWN,
    System,
    absolute,
    argmax,
    both,
    compare,
    constant,
    contract,
    divide,
    either,
    exp,
    first_of,
    floats_of,
    identity,
    largest,
    lift,
    like,
    log,
    maximum,
    minimum,
    require_one_system,
    select,
    smallest,
    solve,
    sqrt,
    square,
    support,
    system_of,
    tilt,
    truth_of,
    xlogy,
)
from mappo_verify.arithmetic import floats as float_functions
from mappo_verify.arithmetic.choice import OF_A_CALL, Choice
from mappo_verify.arithmetic.floats import _matrix_product
from mappo_verify.arithmetic.precision import precision
from mappo_verify.arithmetic.symbols import PolynomialRing, assume_positive
from mappo_verify.errors import ExactnessError, GameError, MixedArithmeticError, SingularError, UndecidedError

RELATIONS = {"=": "__eq__", "≤": "__le__", "<": "__lt__", "≥": "__ge__", ">": "__gt__"}
SYSTEMS = (System.FLOATS, System.RATIONALS, System.BALLS)

fractions = st.fractions(min_value=-100, max_value=100, max_denominator=1000)


def rational(values):
    return like(np.array(values, dtype=object), System.RATIONALS)


def ball(middle, radius=0):
    """A ball of this radius around an exact number."""
    return flint.arb(flint.fmpq(middle.numerator, middle.denominator), radius)


def objects(*values):
    """An object array, entry by entry (NumPy would look inside some numbers)."""
    array = np.empty(len(values), object)
    for index, value in enumerate(values):
        array[index] = value
    return array


# --- which system -----------------------------------------------------------------------------------------------------


def test_arrays_name_their_system():
    assert system_of(np.zeros(2)) is System.FLOATS
    assert system_of(rational([1])) is System.RATIONALS
    assert system_of(log(rational([2]))) is System.RATIONALS
    assert system_of(like(1, System.BALLS)) is System.BALLS
    assert system_of(like(1, System.SYMBOLS)) is System.SYMBOLS
    assert system_of(np.array([1, 2])) is System.FLOATS
    assert system_of(np.array([1, 2]), rational([1])) is System.RATIONALS
    assert System.RATIONALS.exact and System.SYMBOLS.exact and not System.BALLS.exact and not System.FLOATS.exact


OPERATIONS = {
    "compare": lambda x, y: compare(x, "<", y),
    "maximum": maximum,
    "minimum": minimum,
    "divide": divide,
    "xlogy": xlogy,
    "contract": lambda x, y: contract("i,i->", x, y),
    "solve": lambda x, y: solve(x[:, None] * np.eye(2, dtype=int), y[:, None]),
    "tilt": tilt,
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_two_systems_never_mix(operation):
    """``arb`` mixes silently with everything; the operations must not."""
    everything = (*SYSTEMS, System.SYMBOLS)
    mixed = []
    for first in everything:
        for second in everything:
            if first is not second:
                try:
                    OPERATIONS[operation](like([1, 2], first), like([1, 3], second))
                except MixedArithmeticError as error:
                    if first.value not in str(error) or second.value not in str(error):
                        mixed.append(f"{first.value} with {second.value}: {error}")
                except Exception as error:  # any other error is unclear to its reader
                    mixed.append(f"{first.value} with {second.value}: {type(error).__name__}")
                else:
                    mixed.append(f"{first.value} with {second.value}: silent")
    assert not mixed, mixed


def test_mixed_arrays_are_named():
    with pytest.raises(GameError, match=r"left\[0\] is in rationals, right\[0\] is in balls"):
        require_one_system(left=rational([1]), right=like([1], System.BALLS))


def test_mixing_within_one_array_is_found_and_placed():
    mixed = objects(flint.fmpq(1), flint.fmpq(2), flint.arb(3)).reshape(1, 3)
    with pytest.raises(GameError, match=r"(?=.*table\[0, 0\] is in rationals)(?=.*table\[0, 2\] is in balls)"):
        require_one_system(table=mixed)
    with pytest.raises(GameError, match=r"table\[1\].*str is not a number"):
        require_one_system(table=objects(flint.fmpq(1), "two"))
    with pytest.raises(GameError, match="dtype"):
        require_one_system(table=np.array(["a"]))
    with pytest.raises(MixedArithmeticError, match="dtype"):
        system_of(np.array(["a"]))
    with pytest.raises(MixedArithmeticError, match="Decimal is not a number"):
        system_of(objects(Decimal(1)))


def test_integers_are_neutral_wherever_they_stand():
    """``system_of`` reads the first element; an integer there must not turn balls into floats."""
    for system in (System.RATIONALS, System.BALLS):
        assert system_of(objects(0, like([1], system)[0])) is system
        assert system_of(objects(like([1], system)[0], 0)) is system


def test_constants_are_exact():
    third = Fraction(1, 3)
    assert constant(third, System.RATIONALS) == flint.fmpq(1, 3)
    assert constant(third, np.zeros(1)) == 1 / 3
    assert constant(third, like(1, System.BALLS)).contains(flint.fmpq(1, 3))
    with precision(300):
        assert float(constant(third, System.BALLS).rad()) < 2.0**-290
    assert (like([third, 2], System.SYMBOLS) * 3 == like([1, 6], System.SYMBOLS)).all()
    assert like(np.ones(2, int), System.FLOATS).dtype == np.float64
    for system in (System.RATIONALS, System.BALLS, System.SYMBOLS):
        array = like(np.eye(2, dtype=int), system)
        assert array.shape == (2, 2) and system_of(array) is system
        assert like(5, system).shape == ()
        assert (identity(3, system) == like(np.eye(3, dtype=int), system)).all()
    big = 10**60 + 1
    assert like(big, System.RATIONALS)[()] == flint.fmpq(big)
    assert like(Fraction(big, 7), System.RATIONALS)[()] * 7 == big


@pytest.mark.parametrize("system", [System.RATIONALS, System.BALLS])
def test_a_float_is_no_constant_of_an_exact_system(system):
    with pytest.raises((TypeError, MixedArithmeticError)):
        like([0.1], system)


def test_lift_and_truth():
    assert lift(np.zeros((2, 3)), 2).shape == (2, 3, 1, 1)
    assert lift(0.5, 1).shape == (1,)
    np.testing.assert_array_equal(truth_of([True, False]), [TRUE, FALSE])
    assert truth_of(True).dtype == np.int8


# --- comparison -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("system", [System.FLOATS, System.RATIONALS])
def test_decided_comparisons(relation, system):
    numbers = [Fraction(-3, 2), Fraction(0), Fraction(1, 4), Fraction(1, 2), Fraction(7)]  # exact in binary
    left, right = (like(table, system) for table in np.meshgrid(numbers, numbers))
    truth = compare(left, relation, right)
    assert truth.dtype == np.int8
    for index in np.ndindex(5, 5):
        expected = getattr(numbers[index[1]], RELATIONS[relation])(numbers[index[0]])
        assert truth[index] == (TRUE if expected else FALSE)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(fractions, fractions, st.sampled_from(sorted(RELATIONS)), st.integers(0, 12), st.integers(0, 12))
def test_ball_comparisons_are_sound(x, y, relation, radius_x, radius_y):
    """Whatever a comparison of balls decides holds for *every* pair of numbers in them: ends and middles are tried."""
    radii = [Fraction(radius_x, 4), Fraction(radius_y, 4)]
    x, y = (Fraction(round(v * 8), 8) for v in (x, y))  # dyadic, so that the balls are what they say
    left, right = ball(x, float(radii[0])), ball(y, float(radii[1]))
    truth = compare(objects(left), relation, objects(right))[0]
    holds = [getattr(x + i * radii[0], RELATIONS[relation])(y + j * radii[1]) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    if truth == TRUE:
        assert all(holds)
    elif truth == FALSE:
        assert not any(holds)
    if relation == "=":
        assert truth != TRUE


def test_balls_never_certify_an_equality_and_overlaps_are_unknown():
    one = like([1], System.BALLS)
    third = like([Fraction(1, 3)], System.BALLS)
    assert compare(one, "=", one) == UNKNOWN
    assert compare(third, "=", third) == UNKNOWN
    assert compare(one, "=", third) == FALSE
    for relation in RELATIONS:
        assert compare(third, relation, third) == UNKNOWN
        assert compare(objects(ball(Fraction(0), 1)), relation, objects(ball(Fraction(1), 1))) == UNKNOWN
        assert compare(objects(flint.arb("nan")), relation, one) == UNKNOWN
    assert compare(one, "≤", one) == TRUE and compare(one, "<", one) == FALSE


def test_comparison_of_symbols():
    x, y = PolynomialRing(("x", "y")).generators()
    same = objects((x + y) * (x + y))
    other = objects(x * x + 2 * x * y + y * y)
    assert compare(same, "=", other) == TRUE
    assert compare(same, "≤", other) == TRUE and compare(same, "<", other) == FALSE
    assert compare(objects(x), "=", objects(y)) == FALSE
    assert compare(objects(x), "<", objects(y)) == UNKNOWN
    assert compare(objects(x), "≥", objects(y)) == UNKNOWN


def test_three_valued_logic():
    """AND and OR, as Kleene defines them: what is unknown decides nothing that it could change."""
    values = [FALSE, UNKNOWN, TRUE]
    table = {(x, y): (both(x, y), either(x, y)) for x in values for y in values}
    assert all(table[x, y] == table[y, x] for x, y in table)
    assert [table[TRUE, x] for x in values] == [(x, TRUE) for x in values]
    assert [table[FALSE, x] for x in values] == [(FALSE, x) for x in values]
    assert table[UNKNOWN, UNKNOWN] == (UNKNOWN, UNKNOWN)
    np.testing.assert_array_equal(both([TRUE, FALSE], UNKNOWN), [UNKNOWN, FALSE])


def test_unknown_relations_are_refused():
    with pytest.raises(ValueError, match="unknown relation '<='"):
        compare(1.0, "<=", 2.0)


def test_nan_satisfies_nothing():
    for relation in RELATIONS:
        assert compare(np.array([math.nan]), relation, np.array([1.0])) == FALSE


# --- choosing ---------------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(-40, 40), st.integers(0, 12)), min_size=1, max_size=5), st.randoms())
def test_largest_and_smallest_of_balls_enclose_the_truth(entries, rng):
    """For any choice of numbers from the balls, the ball of the maximum contains their maximum."""
    balls = objects(*(ball(Fraction(m, 4), r / 8) for m, r in entries))
    top, bottom = largest(balls)[()], smallest(balls)[()]
    for _ in range(5):
        inside = [Fraction(m, 4) + Fraction(r, 8) * Fraction(rng.randint(-8, 8), 8) for m, r in entries]
        assert top.contains(flint.fmpq(max(inside).numerator, max(inside).denominator))
        assert bottom.contains(flint.fmpq(min(inside).numerator, min(inside).denominator))
    pair = [maximum(balls[:1], balls[-1:])[0], minimum(balls[:1], balls[-1:])[0]]
    ends = [Fraction(m, 4) + Fraction(r, 8) for m, r in (entries[0], entries[-1])]
    assert pair[0].contains(flint.fmpq(max(ends).numerator, max(ends).denominator))
    assert pair[1].contains(flint.fmpq(min(ends).numerator, min(ends).denominator))


def test_the_trap_itself():
    """DESIGN.md: ``np.clip(arb(0, .1), 0, 1)`` is exactly 0.  Ours encloses."""
    wide = objects(flint.arb(0, 0.1))
    assert np.clip(wide, 0, 1)[0] == 0  # the trap
    clipped = minimum(maximum(wide, like([0], System.BALLS)), like([1], System.BALLS))[0]
    assert clipped.contains(0) and clipped.contains(flint.fmpq(1, 11)) and not clipped.contains(2)


@pytest.mark.parametrize("system", SYSTEMS)
def test_extrema_over_axes(system):
    rng = np.random.default_rng(0)
    table = rng.integers(-8, 9, (2, 3, 4))
    array = like(table, system)
    for axis in (-1, 0, 1, (0,), (-2, -1), (0, 2), (0, 1, 2), ()):
        wanted = table.max(axis=axis) if axis != () else table
        assert (largest(array, axis) == like(wanted, system)).all(), axis
        wanted = table.min(axis=axis) if axis != () else table
        assert (smallest(array, axis) == like(wanted, system)).all(), axis
    assert (maximum(array[0], array[1]) == like(np.maximum(table[0], table[1]), system)).all()
    assert (minimum(array[0], array[1]) == like(np.minimum(table[0], table[1]), system)).all()
    np.testing.assert_array_equal(argmax(array), table.argmax(-1))
    assert (absolute(array) == like(abs(table), system)).all()
    assert (square(array) == like(table * table, system)).all()


def test_argmax_takes_the_first_of_equals_and_refuses_to_guess():
    assert argmax(rational([[1, 3, 3], [2, 2, 2]])).tolist() == [1, 0]
    assert argmax(like([[1, 3, 3]], System.BALLS)).tolist() == [1]
    assert argmax(objects(ball(Fraction(0), 0.5), ball(Fraction(2), 0.5)).reshape(1, 2)).tolist() == [1]
    assert argmax(objects(ball(Fraction(2), 0.5), ball(Fraction(0), 0.5)).reshape(1, 2)).tolist() == [0]
    with pytest.raises(UndecidedError, match="raise the precision"):
        argmax(objects(ball(Fraction(0), 1), ball(Fraction(1), 1)).reshape(1, 2))
    third = like([[Fraction(1, 3), Fraction(1, 3)]], System.BALLS)
    with pytest.raises(UndecidedError):
        argmax(third)
    with pytest.raises(UndecidedError):
        argmax(objects(flint.arb("nan"), flint.arb(1)).reshape(1, 2))
    logs = log(rational([[2, 5, 3], [4, Fraction(1, 2), 1]]))
    assert argmax(logs).tolist() == [1, 0]


def test_symbols_refuse_to_choose():
    x, y = PolynomialRing(("x", "y")).generators()
    with pytest.raises(UndecidedError, match="depends on the parameters"):
        maximum(objects(x), objects(y))
    for choose in (argmax, largest, smallest):
        with pytest.raises(UndecidedError, match="depends on the parameters"):
            choose(objects(x, y))


def test_extrema_of_formal_logarithms():
    logs = log(rational([2, 3, Fraction(1, 5)]))
    assert largest(logs)[()] == logs[1] and smallest(logs)[()] == logs[2]
    assert absolute(logs)[2] == log(rational([5]))[0]


# --- support, division, xlogy -----------------------------------------------------------------------------------------


def test_support_is_the_zero_pattern():
    for system in SYSTEMS:
        np.testing.assert_array_equal(support(like([0, 1, -2], system)), [False, True, True])
    x, _ = PolynomialRing(("x", "y")).generators()
    np.testing.assert_array_equal(support(objects(x, x - x, x * 0)), [True, False, False])
    logs = log(rational([1, 2])) - log(rational([1, 2]))
    np.testing.assert_array_equal(support(logs), [False, False])
    np.testing.assert_array_equal(support(log(rational([4])) - 2 * log(rational([2]))), [False])


@pytest.mark.parametrize("unclear", [flint.arb(0, 0.1), flint.arb(0.05, 0.1), flint.arb("nan")])
def test_support_raises_on_balls_that_merely_contain_zero(unclear):
    with pytest.raises(UndecidedError, match="zero cannot be told"):
        support(objects(flint.arb(1), unclear))
    with pytest.raises(UndecidedError):
        divide(like([1], System.BALLS), objects(unclear))
    with pytest.raises(UndecidedError):
        xlogy(objects(unclear), like([1], System.BALLS))


@pytest.mark.parametrize("system", SYSTEMS)
def test_zero_over_zero_is_zero(system):
    ratio = divide(like([0, 0, 3, 1], system), like([0, 2, 4, 1], system))
    assert (ratio == like([0, 0, Fraction(3, 4), 1], system)).all()
    assert divide(like(0, system), like([0, 0], system)).shape == (2,)


def test_something_over_zero():
    assert divide(np.array([1.0]), np.array([0.0]))[0] == math.inf
    infinite = divide(like([1], System.BALLS), like([0], System.BALLS))[0]
    assert not infinite.is_finite() and infinite > 10**9
    with pytest.raises(ExactnessError, match=r"divided by zero at index \[1\]"):
        divide(rational([0, 1]), rational([0, 0]))
    x, _ = PolynomialRing(("x", "y")).generators()
    with pytest.raises(ExactnessError, match=r"\[0\]"):
        divide(objects(x), objects(x - x))
    assert divide(objects(x - x), objects(x - x))[0] == 0


@pytest.mark.parametrize("system", [System.FLOATS, System.BALLS])
def test_a_negative_number_over_zero_is_not_plus_infinity(system):
    """``-1/0`` is ``-∞`` or an error, never ``+∞``."""
    try:
        ratio = divide(like([-1], system), like([0], system))[0]
    except (ExactnessError, UndecidedError, GameError):
        return
    assert not ratio > 0


def test_xlogy_at_zero():
    assert xlogy(np.array([0.0, 1.0, 0.5]), np.array([0.0, 1.0, 1.0])).tolist() == [0, 0, 0]
    assert xlogy(0.5, 0.25) == 0.5 * math.log(0.25)
    exact = xlogy(rational([0, Fraction(1, 2)]), rational([0, 4]))
    assert exact[0] == 0 and exact[1] == log(rational([2]))[0]
    balls = xlogy(like([0, 2], System.BALLS), like([0, 3], System.BALLS))
    assert balls[0].is_zero() and balls[1].contains(flint.arb(9).log())
    with pytest.raises(ExactnessError, match="is not a real number"):
        xlogy(rational([1]), rational([0]))
    x, y = PolynomialRing(("x", "y")).generators()
    with pytest.raises(ExactnessError, match=r"log\(x\) needs a positive number"):
        xlogy(objects(x - x, x), objects(x - x, x))
    (x,) = assume_positive(objects(x))
    terms = xlogy(objects(x - x, x, y), objects(x - x, x, x))
    assert terms[0] == 0 and terms[1] == x * log(objects(x))[0] and terms[2] == y * log(objects(x))[0]


def test_select_chooses_by_a_mask():
    chosen = select(np.array([True, False]), rational([1, 2]), rational([3, 4]))
    assert oracle.fractions(chosen) == [1, 4]


# --- elementary functions ---------------------------------------------------------------------------------------------


def test_square_roots():
    assert oracle.fractions(sqrt(rational([Fraction(4, 9), 0]))) == [Fraction(2, 3), 0]
    for value in (2, Fraction(1, 3), -4):
        with pytest.raises(ExactnessError, match="is not rational"):
            sqrt(rational([value]))


def test_square_roots_of_balls_and_symbols():
    root = sqrt(objects(flint.arb(0, 0.25)))[0]
    assert root.is_finite() and root.contains(0) and root.contains(flint.fmpq(1, 2))
    two = sqrt(like([2], System.BALLS))[0]
    with precision(256):
        assert two.contains(flint.arb(2).sqrt())
    with pytest.raises(ExactnessError):
        sqrt(objects(PolynomialRing(("x",)).generators()[0]))


def test_the_root_of_a_certainly_negative_ball_is_no_number():
    """A ball of [-1.1, -0.9] contains no non-negative number; 0 would be a made-up answer."""
    try:
        root = sqrt(objects(flint.arb(-1, 0.1)))[0]
    except (UndecidedError, ExactnessError):
        return
    assert root.is_nan()


def test_exponentials_of_rationals_are_refused_by_name():
    assert exp(rational([0]))[0] == 1
    with pytest.raises(ExactnessError, match=r"exp\(1/2\) is not rational"):
        exp(rational([Fraction(1, 2)]))
    with pytest.raises(ExactnessError, match=r"log\(-1/3\) is not a real number"):
        log(rational([Fraction(-1, 3)]))
    with pytest.raises(ExactnessError, match=r"log\(0\)"):
        log(rational([0]))
    with pytest.raises(ExactnessError, match="logarithm of a logarithm"):
        log(log(rational([2])))


def test_tilt():
    weights, exponents = rational([Fraction(1, 2), 0, Fraction(1, 2)]), log(rational([3, 5, Fraction(1, 2)]))
    assert oracle.fractions(tilt(weights, exponents)) == [Fraction(6, 7), 0, Fraction(1, 7)]
    enclosed = tilt(like([1, 1], System.BALLS), like([0, 1], System.BALLS))
    with precision(256):
        assert all(b.contains(1 / (1 + flint.arb(e).exp())) for b, e in zip(enclosed, (1, -1), strict=True))
    for integers in (np.array([3, 1], np.uint8), np.array([1, -1], np.int64)):
        np.testing.assert_array_equal(tilt(np.ones(2), integers), tilt(np.ones(2), np.array([2.0, 0])))
    np.testing.assert_allclose(tilt(np.ones(2), np.array([1e5, 1e5 - 1])), [1 / (1 + math.exp(-1)), 1 / (1 + math.e)])


def test_floats_of():
    assert floats_of(rational([Fraction(1, 3)]))[0] == 1 / 3
    assert floats_of(np.array([1, 2])).dtype == np.float64
    assert floats_of(like([Fraction(1, 3)], System.BALLS))[0] == pytest.approx(1 / 3, rel=1e-15, abs=0)
    assert floats_of(log(rational([2])))[0] == pytest.approx(math.log(2), rel=1e-15, abs=0)
    assert floats_of(rational([Fraction(10**400 + 1, 10**400)]))[0] == 1.0
    with pytest.raises(ExactnessError):
        floats_of(like([1], System.SYMBOLS))


# --- linear systems ---------------------------------------------------------------------------------------------------


def draw_system(rng, size, columns):
    """A diagonally dominant matrix, as ``I - γP`` is, and right-hand sides."""
    matrix = [[Fraction(rng.randint(-3, 0), 4 * size) for _ in range(size)] for _ in range(size)]
    for i in range(size):
        matrix[i][i] = 1 + matrix[i][i]
    return matrix, [[Fraction(rng.randint(-5, 5)) for _ in range(columns)] for _ in range(size)]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_solve_against_the_oracle(size):
    rng = random.Random(size)
    systems = [draw_system(rng, size, 2) for _ in range(40)]
    matrix, right = (np.array([system[i] for system in systems], dtype=object) for i in (0, 1))
    wanted = []
    for left, columns in systems:
        solutions = [oracle.solve(left, [row[c] for row in columns]) for c in range(2)]
        wanted.append([list(row) for row in zip(*solutions, strict=True)])
    found = solve(rational(matrix), rational(right))
    assert oracle.fractions(found) == wanted
    exact = np.array(wanted, dtype=float)
    for batch in (slice(0, 40), slice(0, 3)):  # elimination across the batch, and LAPACK
        # Dominance ≥ 1/4 bounds the condition number by 8 · size: far below 1e3 units of rounding.
        np.testing.assert_allclose(
            solve(matrix[batch].astype(float), right[batch].astype(float)), exact[batch], rtol=1e-12, atol=1e-12
        )
    enclosed = solve(like(matrix, System.BALLS), like(right, System.BALLS))
    with precision(1024):  # the exact value is rounded to a ball itself before it is looked for
        for b, value in zip(enclosed.ravel(), found.ravel(), strict=True):
            assert b.is_finite() and b.contains(value)
    if size <= 3:
        symbolic = solve(like(matrix[:3], System.SYMBOLS), like(right[:3], System.SYMBOLS))
        assert (symbolic == found[:3]).all()


def test_solve_broadcasts():
    rng = random.Random(9)
    matrix, right = draw_system(rng, 2, 1)
    other = draw_system(rng, 2, 1)[1]
    for system in (System.FLOATS, System.RATIONALS, System.BALLS, System.SYMBOLS):
        left = like(np.array(matrix, dtype=object), system)
        both = solve(left, like(np.array([right, other], dtype=object), system))
        assert both.shape == (2, 2, 1)
        if system in (System.RATIONALS, System.SYMBOLS):
            assert (both[0] == rational([[x] for x in oracle.solve(matrix, [r[0] for r in right])])).all()
            assert (both[1] == rational([[x] for x in oracle.solve(matrix, [r[0] for r in other])])).all()


def test_singular_systems_make_sense():
    singular, right = [[1, 1], [1, 1]], [[1], [2]]
    with pytest.raises(SingularError, match="singular"):
        solve(rational(singular), rational(right))
    with pytest.raises(SingularError, match=r"at batch index \[1\]"):
        solve(rational([[[1, 0], [0, 1]], singular]), rational([right, right]))
    with pytest.raises(SingularError):
        solve(np.array(singular, float), np.array(right, float))
    with pytest.raises(SingularError, match=r"singular at batch index \[2\]"):
        solve(np.array([[[1, 0], [0, 1]]] * 2 + [singular] * 3, float), np.array([right] * 5, float))
    with pytest.raises(SingularError):
        solve(np.array([singular] * 40, float), np.array([right] * 40, float))
    with pytest.raises(UndecidedError, match="raise the precision"):
        solve(like(singular, System.BALLS), like(right, System.BALLS))
    with pytest.raises(SingularError, match="for every parameter"):
        solve(like(singular, System.SYMBOLS), like(right, System.SYMBOLS))


def test_right_hand_sides_may_be_formal_logarithms():
    left, right = rational([[2, 1], [0, 3]]), log(rational([[2], [5]]))
    solution = solve(left, right)
    assert compare(contract("ij,jk->ik", left, solution), "=", right).min() == TRUE
    assert solution[1, 0] == log(rational([5]))[0] / 3


def test_float_data_that_is_not_finite_is_refused_by_solve():
    with pytest.raises(SingularError, match=r"not finite, at index \[0, 0\]"):
        solve(np.array([[math.nan]]), np.array([[1.0]]))


def test_float_solutions_keep_the_batch_minor_layout():
    rng = np.random.default_rng(0)
    matrix = np.eye(3) - 0.2 * rng.random((64, 3, 3))
    solution = solve(matrix, rng.random((64, 3, 1)))
    assert solution.strides[0] == solution.itemsize


@pytest.mark.parametrize("system", SYSTEMS)
def test_contract(system):
    rng = np.random.default_rng(1)
    left, right = rng.integers(-3, 4, (2, 3, 4)), rng.integers(-3, 4, (3, 4))
    found = contract("...sa,sa->...s", like(left, system), like(right, system))
    assert (found == like(np.einsum("...sa,sa->...s", left, right), system)).all()


FORMULAS = (
    "...sa,...sat->...st", "...sat,...t->...sa", "...sa,...sa->...s", "...s,...s->...", "...spad,...d->...spa",
    "...spad,...spa->...d", "...ij,...i->...j", "...n,...wn->...w", "...sa,...sa", "sa,...tas->t...", "...ss,...st->...t",
    "...ss,...st->...st", "...sat,...->...sa", "...s,...sp,...sp->...",
)  # fmt: skip
"""Products of matrices, stacks of them, and what is neither."""


@pytest.mark.parametrize("subscripts", FORMULAS)
@pytest.mark.parametrize("left_batch", [(), (5,), (2, 1)])
@pytest.mark.parametrize("right_batch", [(), (5,), (2, 5)])
def test_float_contractions_agree_with_einsum(subscripts, left_batch, right_batch):
    rng = np.random.default_rng(2)
    lengths = {"s": 3, "a": 4, "t": 2, "p": 2, "d": 3, "i": 3, "j": 2, "n": 4, "w": 2}
    if "ss" in subscripts:
        lengths["t"] = 3
    arrays = []
    for term, batch in zip(subscripts.split("->")[0].split(","), (left_batch, right_batch, ()), strict=False):
        core = tuple(lengths[label] for label in term.replace("...", ""))
        arrays.append(rng.random((batch if "..." in term else ()) + core))
    try:
        expected = np.einsum(subscripts, *arrays)
    except ValueError:
        with pytest.raises(ValueError, match=r"operand|mismatch|broadcast"):
            contract(subscripts, *arrays)
        return
    found = contract(subscripts, *arrays)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)


def test_compiled_code_is_loaded_where_it_pays_and_where_it_is(monkeypatch):
    """Once so many numbers came at once, or in all, or beside other code; where numba is missing, NumPy goes on."""
    loads = []
    choice = Choice("plain", lambda: loads.append(1) or "compiled", 100, 4 * OF_A_CALL)
    assert [choice(1), choice(99), choice(99)] == 3 * ["plain"] and not loads
    assert choice(99) == choice(1) == "compiled" and loads == [1]
    assert Choice("plain", lambda: "compiled", 100, 10**9)(100) == "compiled"

    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    assert (
        Choice("plain", lambda: missing("llvmlite"), 1, 1)(1)
        == Choice("plain", lambda: missing("numba"), 1, 1)(1)
        == "plain"
    )
    with pytest.raises(ModuleNotFoundError, match="another"):
        Choice("plain", lambda: missing("another"), 1, 1)(1)
    beside = Choice("plain", lambda: "compiled", 10**9, 10**9, beside="in_use")
    assert beside(1) == "plain"
    monkeypatch.setitem(sys.modules, "in_use", object())
    assert beside(1) == "compiled"


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("bad", [None, math.nan, math.inf, -math.inf, -1.0, 2.0, 1e308])
@pytest.mark.parametrize(
    ("shape", "core_axes"),
    [
        ((70, 3, 4, 3), 3),
        ((129, 2, 5), 2),
        ((65, 2, 2, 2, 2), 3),
        ((1000, 8, 8, 8), 3),
        ((8, 8), 1),
        ((2, 5, 4, 7), 3),
        ((9000, 1, 2), 2),
    ],
)
def test_what_is_laid_out_is_copied_and_looked_at(monkeypatch, compiled, bad, shape, core_axes):
    """Whole tiles and what is left of them, in rows of any length; one bad number anywhere is seen, by NumPy and compiled."""
    from mappo_verify.arithmetic import floats

    if compiled:
        pytest.importorskip("numba", reason="the compiled copy is numba's")
    monkeypatch.setattr(floats, "_turned", lambda _size: floats._compiled() if compiled else floats._turned_by_numpy)
    rng = np.random.default_rng(len(shape))
    for _ in range(3):
        values = rng.dirichlet(np.ones(shape[-1]), shape[:-1])
        if bad is not None:
            values[tuple(rng.integers(0, length) for length in shape)] = bad
        for stored in (values, np.asfortranarray(values)):
            copy, seen = floats.laid_out(stored, core_axes)
            np.testing.assert_array_equal(copy, values)
            assert floats.is_batch_minor(copy, core_axes) and not np.shares_memory(copy, stored)
            assert (seen is not None) == (compiled and stored.flags.c_contiguous)
            with np.errstate(over="ignore"):
                assert (seen.go_on(1e-12) if seen else floats.rows_go_on(copy, 1e-12)) == (bad is None)
            if seen is None:
                continue
            assert seen.finite == (bad is None or math.isfinite(bad))
            if seen.finite:
                far = np.abs(1 - values.sum(-1)).max()
                assert seen.least == values.min() and abs(seen.apart - far) <= 1e-14 * (1 + far)


@pytest.mark.parametrize("length", [3, 100])
@pytest.mark.parametrize("at_once", [1, 250, 2**20])
def test_rows_that_are_certain_go_on_and_one_that_is_wrong_is_seen_anywhere(monkeypatch, length, at_once):
    from mappo_verify.arithmetic import floats

    monkeypatch.setattr(floats, "AT_ONCE", at_once)
    certain = np.eye(length)
    assert floats.rows_go_on(certain, 0.0) and floats.rows_go_on(certain[0], 0.0)
    assert not floats.rows_go_on(certain[:0], 1.0), "of no rows nothing is said"
    for place in range(length):
        for entries in ([1 + 2e-9, 0], [1 - 2e-9, 0], [2, -1], [math.nan, 0]):
            rows = certain.copy()
            rows[place, [place, place - 1]] = entries
            assert not floats.rows_go_on(rows, 1e-9) and not floats.rows_go_on(rows[place], 1e-9)


def test_products_with_a_batch_on_one_side_are_batch_minor():
    """Which is what solving and every further formula run along, whatever the layout that they start from."""
    rng = np.random.default_rng(3)
    transition, policies, values = rng.random((3, 4, 3)), rng.random((64, 3, 4)), rng.random((64, 3))
    for found in (
        contract("...sa,...sat->...st", policies, transition),
        contract("...sat,...t->...sa", transition, values),
    ):
        assert found.strides[0] == found.itemsize


@pytest.mark.parametrize("wrong", [(3, 5), (4, 3), (1,)])
def test_contractions_of_shapes_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError, match=r"operand|mismatch|broadcast"):
        contract("sa,sat->st", np.ones(wrong), np.ones((3, 4, 2)))


@pytest.mark.parametrize(
    ("subscripts", "dimensions", "product"),
    [
        # the factor that goes left, axes of both as [stack, rows, sum] and [stack, sum, columns], the result's, the stack's size
        ("ij,jk->ik", (2, 2), (0, (0, 1), (0, 1), (0, 1), 0)),
        ("ji,jk->ki", (2, 2), (0, (1, 0), (0, 1), (1, 0), 0)),
        ("sa,sat->st", (2, 3), (0, (0, 1), (0, 1, 2), (0, 1), 1)),
        ("...ij,...j->...i", (3, 1), (1, (0,), (2, 1, 0), (1, 0), 0)),
        ("...i,...ij->...j", (1, 3), (0, (0,), (1, 2, 0), (1, 0), 0)),
        ("i,j->ij", (1, 1), None),  # nothing is summed
        ("ij,ij->i", (2, 2), None),  # nothing but the stack is left
        ("ij,ij->", (2, 2), None),  # two labels are summed
        ("ii,ij->j", (2, 2), None),  # a diagonal
        ("ij,jj->i", (2, 2), None),
        ("...ij,...j->...i", (3, 2), None),  # both have a batch
        ("ij,jk,kl->il", (2, 2, 2), None),
    ],
)
def test_which_contractions_are_matrix_products(subscripts, dimensions, product):
    """Any other goes to einsum, which finds the same and takes longer."""
    found = _matrix_product(subscripts, *dimensions)
    assert (found and found[:5]) == product and (found is not None and found.plain) == (subscripts == "ij,jk->ik")
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(3,) * n) for n in dimensions]
    assert float_functions.contract(subscripts, *arrays) == pytest.approx(np.einsum(subscripts, *arrays))


@pytest.mark.parametrize("size", [2, 4, 16])
@pytest.mark.parametrize("per_row", [0.5, 0.99, 1, 2])
def test_few_systems_are_solved_as_many_are(size, per_row):
    """LAPACK solves few, elimination across the batch many: the same solutions, in the layout of the batch."""
    count = int(per_row * float_functions.BATCH_WORTH_ELIMINATING * size)
    generator = np.random.default_rng(size)
    matrix = float_functions.batch_minor(np.eye(size) - 0.9 * generator.dirichlet(np.ones(size), (count, size)), 2)
    right = float_functions.batch_minor(generator.random((count, size, 3)), 2)
    found = float_functions.solve(matrix, right)
    np.testing.assert_allclose(matrix @ found, right, atol=1e-12)
    assert float_functions.is_batch_minor(found, 2)


def test_the_first_that_holds():
    masks = np.array(list(np.ndindex((2,) * 4)), bool)
    first = [[held and not any(row[:place]) for place, held in enumerate(row)] for row in masks.tolist()]
    assert first_of(masks).tolist() == first
