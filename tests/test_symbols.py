"""Symbols on trial: quotients against rationals by substitution, Cramer's rule, degree bounds, symbolic logarithms.

Random expressions are trees, evaluated twice: in symbols and then at numbers, and in numbers at once.
"""

from __future__ import annotations

import random
from fractions import Fraction

import flint
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mappo_verify as mv
import oracle
from mappo_verify.arithmetic import System, compare, divide, exp, floats_of, identity, like, log, solve, system_of
from mappo_verify.arithmetic.rings import NONNEGATIVE, SCALARS, Degree, DegreeRing, PolynomialRing
from mappo_verify.arithmetic.symbols import (
    _sign_of_maximum,
    assume_nonnegative,
    assume_positive,
    constant,
    depends,
    nonzero,
)
from mappo_verify.checking.proving import Failure, Proof, prove_in_symbols
from mappo_verify.errors import ExactnessError, SingularError, UndecidedError
from mappo_verify.model import Game, Policy
from mappo_verify.quantities.agent_values import agent_values
from mappo_verify.quantities.divergence import kl_divergence
from mappo_verify.quantities.mirror_descent import mirror_step
from mappo_verify.quantities.performance_difference import return_difference
from mappo_verify.quantities.values import returns, state_values

NAMES = ("x", "y", "z")


def objects(*values):
    array = np.empty(len(values), object)
    for index, value in enumerate(values):
        array[index] = value
    return array


def positive(*values):
    """The same numbers, of which some ingredient says that they are positive."""
    return assume_positive(objects(*values))


def fmpq(value):
    return flint.fmpq(Fraction(value).numerator, Fraction(value).denominator)


def substitute(value, numbers):
    """The rational that a quotient becomes at these numbers; ZeroDivisionError at a pole."""
    if value.ring is SCALARS:
        return value.numerator
    point = [fmpq(n) for n in numbers]
    bottom = flint.fmpq(1)
    for index, power in value.powers.items():
        bottom *= value.ring.factors[index](*point) ** power
    if bottom == 0:
        raise ZeroDivisionError
    return value.numerator(*point) / bottom


# --- random expressions -----------------------------------------------------------------------------------------------

leaves = st.one_of(
    st.sampled_from([0, 1, 2]), st.fractions(-3, 3, max_denominator=4), st.integers(-3, 3).map(lambda i: (i,))
)
trees = st.recursive(leaves, lambda child: st.tuples(st.sampled_from("+-*/"), child, child), max_leaves=10)
points = st.tuples(*[st.fractions(-20, 20, max_denominator=30)] * 3)


def evaluate(tree, variables, number):
    """A leaf ``(i,)`` is an integer, an int a variable, a Fraction itself; a node ``(operation, left, right)``."""
    if isinstance(tree, Fraction):
        return number(tree)
    if isinstance(tree, int):
        return variables[tree]
    if len(tree) == 1:
        return tree[0]
    left, right = (evaluate(branch, variables, number) for branch in tree[1:])
    match tree[0]:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _:
            return number(Fraction(left, right)) if isinstance(left, int) and isinstance(right, int) else left / right


def in_symbols(tree, ring):
    return evaluate(tree, ring.generators(), constant) + constant(0)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(trees, points)
def test_expressions_mean_the_same_in_symbols_and_in_numbers(tree, point):
    """If numbers have a value at a point, so have symbols, and the same, except at poles of the common denominator."""
    try:
        symbolic = in_symbols(tree, PolynomialRing(NAMES))
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):  # zero as a function is zero at every point
            evaluate(tree, [fmpq(p) for p in point], fmpq)
        return
    try:
        number = evaluate(tree, [fmpq(p) for p in point], fmpq)
        value = substitute(symbolic, point)
    except ZeroDivisionError:
        return
    assert value == number


@settings(max_examples=150, deadline=None, derandomize=True)
@given(trees, trees, trees)
def test_field_axioms(first, second, third):
    ring = PolynomialRing(NAMES)
    try:
        a, b, c = (in_symbols(tree, ring) for tree in (first, second, third))
    except ZeroDivisionError:
        return
    assert a + b == b + a and a * b == b * a
    assert (a + b) + c == a + (b + c) and (a * b) * c == a * (b * c)
    assert a * (b + c) == a * b + a * c
    assert a - a == 0 and a + 0 == a and a * 1 == a and a * 0 == 0 and 0 - a == -a
    if not b == 0:
        assert b / b == 1 and a / b * b == a and 1 / (1 / b) == b


@settings(max_examples=300, deadline=None, derandomize=True)
@given(trees)
def test_degree_bounds_are_upper_bounds(tree):
    """The same formula over degrees bounds the degrees of numerator and denominator over polynomials."""
    degrees = DegreeRing()
    try:
        polynomial = in_symbols(tree, PolynomialRing(NAMES))
    except ZeroDivisionError:
        return
    try:
        bound = evaluate(tree, [degrees.generator() for _ in NAMES], constant) + constant(0)
    except ZeroDivisionError:
        pytest.fail("degrees cannot cancel, so they divide by zero only where polynomials do")
    (top, bottom), upper = polynomial.degree(), bound.degree()
    assert top <= upper[0] and bottom <= upper[1], f"{polynomial}: {(top, bottom)} exceeds {upper}"


def test_degrees():
    four, zero = Degree(4), Degree(None)
    assert (four + Degree(2)).bound == 4 and (four - four).bound == 4 and (four * Degree(2)).bound == 6
    assert (four + zero).bound == 4 and (zero + four).bound == 4 and (four * zero).bound is None and zero == 0
    assert (four**3).bound == 12 and (-four).bound == 4 and (zero**2).bound is None and not four == 0
    ring = DegreeRing()
    x, y = ring.generator(), ring.generator()
    assert (x * y + x).degree() == (2, 0)
    assert ((x + 1) / (x * y) - y / x).degree() == (3, 3)  # (x+1)·x - y·xy over xy·x
    assert (x / 2).degree() == (1, 0)
    assert divide(objects(x), objects(x + 1))[0].degree() == (1, 1)
    with pytest.raises(ExactnessError):
        log(objects(x))
    assert compare(objects(x), "=", objects(x)) == 0  # degrees prove nothing


def test_identities_and_non_identities():
    x, y, z = PolynomialRing(NAMES).generators()
    assert (x + y) * (x - y) == x * x - y * y
    assert 1 / (x - y) - 1 / (x + y) == 2 * y / (x * x - y * y)
    assert not x / y == y / x and x / y != y / x
    assert (x * y / (y * z)) == x / z
    assert x + flint.fmpq(1, 2) == (2 * x + 1) / 2
    assert x - x == 0 and not x == 0 and (x - x).is_zero()
    assert np.array([3])[0] * x == 3 * x


def test_shared_denominators_are_not_multiplied():
    """Sums over one denominator keep it: the point of the factor list."""
    x, y, z = PolynomialRing(NAMES).generators()
    total = sum((v / (x + y + 1) for v in (x, y, z)), constant(0))
    assert list(total.powers.values()) == [1]
    assert total.degree() == (1, 1)


def test_division_by_zero():
    x, y, _ = PolynomialRing(NAMES).generators()
    for bad in (lambda: x / (y - y), lambda: x / 0, lambda: 1 / (x - x), lambda: constant(1) / constant(0)):
        with pytest.raises(ZeroDivisionError):
            bad()


def test_strangers_are_refused():
    x = PolynomialRing(NAMES).generators()[0]
    other = PolynomialRing(("u",)).generators()[0]
    for bad in (lambda: x + 0.5, lambda: x * flint.arb(1), lambda: x + other, lambda: x / "y", lambda: other - x):
        with pytest.raises(TypeError):
            bad()
    with pytest.raises(TypeError):
        hash(x)
    with pytest.raises(TypeError):
        _ = x < x
    with pytest.raises(ExactnessError, match="no value"):
        floats_of(objects(x))


def test_constants_find_their_ring_in_arrays():
    x, y, _ = PolynomialRing(NAMES).generators()
    ones = like(np.array([1, Fraction(1, 3)], dtype=object), System.SYMBOLS)
    array = objects(x, y)
    assert ((ones + array) - array == ones).all() and (ones * array * 3 == objects(3 * x, y)).all()
    assert (array - ones == -(ones - array)).all() and (ones / array == objects(1 / x, 1 / (3 * y))).all()
    assert system_of(array) is System.SYMBOLS
    assert (array.reshape(2, 1) * array).sum() == (x + y) * (x + y)


def test_integers_are_recognised():
    x, y, _ = PolynomialRing(NAMES).generators()
    assert (x / x).as_integer() == 1 and ((2 * x * y - 4 * y) / (y * (x - 2))).as_integer() == 2
    assert (x - x).as_integer() == 0 and (x / y).as_integer() is None and (x / (2 * x)).as_integer() is None
    assert constant(-3).as_integer() == -3 and constant(Fraction(1, 2)).as_integer() is None
    assert DegreeRing().generator().as_integer() is None


# --- Cramer's rule ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(6))
def test_cramer_by_substitution(size, seed):
    rng = random.Random(100 * size + seed)
    ring = PolynomialRing(NAMES)
    generators = [*ring.generators(), constant(1), constant(Fraction(1, 2))]

    def entry():
        value = rng.randint(-2, 2) * rng.choice(generators) + rng.randint(-2, 2) * rng.choice(generators)
        return value / (rng.choice(generators[:3]) + 5) if rng.random() < 0.3 else value + constant(0)

    matrix = objects(*(entry() for _ in range(size * size))).reshape(size, size)
    right = objects(*(entry() for _ in range(size * 2))).reshape(size, 2)
    for i in range(size):
        matrix[i, i] = matrix[i, i] + 7
    solution = solve(matrix, right)
    assert ((matrix[:, :, None] * solution[None]).sum(1) == right).all()
    for _ in range(3):
        point = [Fraction(rng.randint(1, 50), rng.randint(1, 50)) for _ in NAMES]
        at = [[Fraction(str(substitute(v, point))) for v in row] for row in matrix.tolist()]
        for column in range(2):
            wanted = oracle.solve(at, [Fraction(str(substitute(v, point))) for v in right[:, column].tolist()])
            assert [Fraction(str(substitute(v, point))) for v in solution[:, column].tolist()] == wanted


def test_cramer_shares_one_determinant():
    ring = PolynomialRing(("a", "b", "c", "d"))
    a, b, c, d = ring.generators()
    inverse = solve(objects(a, b, c, d).reshape(2, 2), identity(2, System.SYMBOLS))
    assert {tuple(entry.powers) for entry in inverse.ravel()} == {(0,)}
    assert (inverse * (a * d - b * c) == objects(d, -b, -c, a).reshape(2, 2)).all()
    with pytest.raises(SingularError, match="for every parameter"):
        solve(objects(a, b, 2 * a, 2 * b).reshape(2, 2), identity(2, System.SYMBOLS))


def test_cramer_over_degrees_bounds_cramer_over_polynomials():
    for size in (1, 2, 3):
        names = tuple(f"p{i}" for i in range(size * size))
        ring, degrees = PolynomialRing(names), DegreeRing()
        right = like(np.ones((size, 1), int), System.SYMBOLS)
        exact = solve(objects(*ring.generators()).reshape(size, size), right)
        bound = solve(objects(*(degrees.generator() for _ in names)).reshape(size, size), right)
        for x, y in zip(exact.ravel(), bound.ravel(), strict=True):
            assert x.degree()[0] <= y.degree()[0] == max(size - 1, 0) and x.degree()[1] <= y.degree()[1] == size


# --- whole formulas ---------------------------------------------------------------------------------------------------


def symbolic_case(ring, states=2, sizes=(2, 2), degrees=False):
    """A game and two policies whose free numbers are generators; the last entry of a policy row is the rest to 1."""
    joint = int(np.prod(sizes))
    source = iter([ring.generator() for _ in range(200)] if degrees else ring.generators())

    def take(*shape):
        return objects(*(next(source) for _ in range(int(np.prod(shape))))).reshape(shape)

    def policy():
        rows = []
        for m, size in enumerate(sizes):
            free = take(states, int(np.prod(sizes[:m], dtype=int)), size - 1)
            rows.append(np.concatenate([free, constant(1) - free.sum(-1, keepdims=True)], axis=-1))
        return Policy(rows)

    transition, reward, start = take(states, joint, states), take(states, joint), take(states)
    game = Game(transition, reward, objects(next(source)).reshape(()), sizes, start=start)
    return game, policy(), policy()


def symbol_names(states, sizes):
    joint = int(np.prod(sizes))
    policy = sum(states * int(np.prod(sizes[:m], dtype=int)) * (size - 1) for m, size in enumerate(sizes))
    return tuple(f"p{i}" for i in range(states * joint * states + states * joint + states + 1 + 2 * policy))


def test_lemma_4_1_is_an_identity_in_symbols_and_a_planted_error_is_none():
    sizes = (2, 2)
    ring = PolynomialRing(symbol_names(1, sizes))
    game, policy, target = symbolic_case(ring, 1, sizes)
    difference = returns(game, target) - returns(game, policy)
    terms = return_difference(game, target, policy)
    assert compare(terms.sum(-1), "=", difference) == 1
    assert compare(terms[..., 0], "=", difference) == -1
    assert compare(return_difference(game, policy, target).sum(-1), "=", difference) == -1


def test_symbolic_values_by_substitution():
    """The values of a symbolic game, at numbers, are the values of the game of these numbers."""
    sizes, states = (2, 2), 2
    ring = PolynomialRing(symbol_names(states, sizes))
    game, policy, target = symbolic_case(ring, states, sizes)
    values = agent_values(game, policy)
    rng = random.Random(0)
    point = [Fraction(rng.randint(1, 9), 40) for _ in symbol_names(states, sizes)]

    def at(array):
        return oracle.fractions(np.frompyfunc(lambda v: substitute(v, point), 1, 1)(array))

    plain = {
        "P": at(game.transition),
        "r": at(game.reward),
        "gamma": Fraction(str(substitute(game.discount[()], point))),
        "sizes": sizes,
        "start": at(game.start),
    }
    factors = [at(factor) for factor in policy.factors]
    assert [at(table) for table in values] == oracle.agent_values(plain, factors)
    assert at(state_values(game, target)) == oracle.state_values(plain, [at(f) for f in target.factors])


def test_degree_bounds_of_whole_formulas():
    """Values and per-agent terms over degrees bound the total degrees over polynomials."""
    for states, sizes in ((1, (2,)), (1, (2, 2)), (2, (2,)), (2, (1, 2))):
        exact = symbolic_case(PolynomialRing(symbol_names(states, sizes)), states, sizes)
        bound = symbolic_case(DegreeRing(), states, sizes, degrees=True)
        for formula in (
            lambda g, p, _: state_values(g, p),
            lambda g, p, _: np.concatenate([table.ravel() for table in agent_values(g, p)]),
            lambda g, p, t: return_difference(g, t, p),
            lambda g, p, t: np.atleast_1d(returns(g, t) - returns(g, p)),
        ):
            for x, y in zip(formula(*exact).ravel(), formula(*bound).ravel(), strict=True):
                assert x.degree()[0] <= y.degree()[0] and x.degree()[1] <= y.degree()[1]


def test_symbolic_games_are_built_without_looking_at_numbers():
    game, policy, _ = symbolic_case(PolynomialRing(symbol_names(1, (2,))), 1, (2,))
    assert game.system is System.SYMBOLS and policy.system is System.SYMBOLS
    assert Policy.uniform(game).system is System.SYMBOLS
    assert mv.state_values(game, Policy.uniform(game)).shape == (1,)


# --- symbolic logarithms ----------------------------------------------------------------------------------------------


def test_symbolic_logarithms():
    x, y, z = positive(*PolynomialRing(NAMES).generators())
    la, lb, lc, product, ratio, sums = log(objects(x, y, x + y, x * y, x / y, x * x + 2 * x * y + y * y))
    assert product == la + lb and ratio == la - lb and sums == 2 * lc
    assert la - la == 0 and not la == lb and la != lb
    assert log(objects(6 * x))[0] == la + log(objects(constant(2)))[0] + log(objects(constant(3)))[0]
    assert z * product == z * la + z * lb and (la + 1) - la == 1
    assert log(objects(1 / x))[0] == -la
    assert log(positive(x * x - y * y))[0] == lc + log(positive(x - y))[0]
    assert log(objects(2 * x + 2 * y))[0] == lc + log(objects(constant(2)))[0]


def test_symbolic_logarithms_need_a_sign():
    """A sign is known from facts, and through sums of one sign, products, quotients and powers; not through differences."""
    x, y, z = PolynomialRing(NAMES).generators()
    p, q = positive(x, y)
    for known in (p, p + q, p * q, p / q, p * p + 3 * q, 1 / (p + 1), (-p) * (-q), p - (-q), p + 0 * z):
        assert exp(log(objects(known)))[0] == known
    for unknown in (x, x * x, p - q, p + z, p * z, p / z, -p, 1 - p, x / x):
        with pytest.raises(
            ExactnessError, match=r"^log\(.*\) needs a positive number, and no ingredient says that this is one"
        ):
            log(objects(unknown))


def test_exponentials_of_symbolic_logarithms():
    x, y, z = positive(*PolynomialRing(NAMES).generators())
    la, lb = log(objects(x, y))
    assert exp(objects(la + lb))[0] == x * y and exp(objects(2 * la - lb))[0] == x * x / y
    assert exp(objects(z * la / z))[0] == x
    assert exp(objects(la - la))[0] == 1 and exp(objects(x - x))[0] == 1
    constants = log(objects(constant(4), constant(Fraction(1, 3))))
    assert exp(objects(constants[0] - constants[1]))[0] == 12 and exp(objects(la + constants[0]))[0] == 4 * x
    for bad in (z * la, la + 1, la / 2, la + x):
        with pytest.raises(ExactnessError, match="exp"):
            exp(objects(bad))
    with pytest.raises(ExactnessError, match="more than 0 roots"):
        exp(objects(x))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=4), points)
def test_symbolic_logarithms_by_substitution(terms, point):
    """``exp Σ c log(v + k)``, at numbers, is ``Π (v + k)^c``; the bases are positive there."""
    point = [abs(p) + 1 for p in point]
    generators = positive(*PolynomialRing(NAMES).generators())
    total, wanted = log(objects(generators[0] / generators[0]))[0], Fraction(1)
    for c, v, k in terms:
        total = total + c * log(objects(generators[v] + k))[0]
        wanted *= (point[v] + k) ** c
    assert substitute(exp(objects(total))[0], point) == fmpq(wanted)


def test_the_sign_of_a_symbolic_logarithm_is_undecided():
    x, y, _ = positive(*PolynomialRing(NAMES).generators())
    la, lb = log(objects(x, y))
    assert compare(objects(la), "=", objects(lb)) == 0  # a non-vanishing combination proves nothing
    assert compare(objects(la), "≤", objects(lb)) == 0
    assert compare(objects(la + lb), "=", log(objects(x * y))) == 1
    with pytest.raises(UndecidedError):
        _ = la < lb


@pytest.mark.parametrize("bad", [0, -2, Fraction(-1, 3)])
def test_logarithms_of_numbers_that_have_none(bad):
    """``log 0`` must not be a number, least of all ``log 1``; nor ``log(-2)`` the logarithm of 2."""
    x = PolynomialRing(NAMES).generators()[0]
    for value in (constant(bad), x - x + constant(bad)):
        with pytest.raises(ExactnessError):
            log(objects(value))


def test_the_mirror_step_in_symbols():
    """π⁺ ∝ π·w with Q̂/β = log w, for symbolic π, w and β; and the three-point identity for its KL."""
    ring = PolynomialRing(("p", "u", "v", "b", "q"))
    p, u, v, b, q = ring.generators()
    u, v = positive(u, v)
    factor, beta = positive(p, 1 - p), objects(b).reshape(())
    step = mirror_step(factor, log(objects(u, v)) * b, beta)
    assert (step == objects(p * u, (1 - p) * v) / (p * u + (1 - p) * v)).all()
    candidate = positive(q, 1 - q)
    values = log(objects(u, v)) * b

    def objective(row):
        return (row * values).sum(-1) - b * kl_divergence(row, factor)

    assert objective(step) - objective(candidate) == b * kl_divergence(candidate, step)
    assert not objective(step) - objective(candidate) == b * kl_divergence(step, candidate)


def test_roots_square_to_what_is_under_them():
    """``(√x)² = x`` for one root, for several in one number, and for a root under a root."""
    ring = PolynomialRing(("x", "y"), spare=3)
    x, y = ring.generators()
    first, second = (ring.atom("√", (under,), NONNEGATIVE) for under in (x, y))
    nested = ring.atom("√", (x + first,), NONNEGATIVE)
    assert first * first == x and first * first * first == x * first
    assert first * first * second * second == x * y
    assert nested * nested * nested * nested == x * x + 2 * x * first + x
    assert first * first != y and nested * nested != x and first * second != x * y


def test_what_a_sign_says_of_a_comparison():
    """P > 0, n ≥ 0, and of x nothing is known; two polynomials that differ are not equal everywhere."""
    x, y, z = PolynomialRing(NAMES).generators()
    (p,), (n,), zero = positive(y), assume_nonnegative(objects(z)), 0 * x
    answers = [
        (zero, "<", p, 1), (zero, "≤", p, 1), (p, "<", zero, -1), (p, "≤", zero, -1), (p, "=", zero, -1),
        (zero, "≤", n, 1), (zero, "<", n, 0), (n, "<", zero, -1), (n, "≤", zero, 0), (zero, "<", x, 0),
        (zero, "≤", x, 0), (x, "<", zero, 0), (x, "≤", x, 1), (x, "<", x, -1), (x, "=", x, 1), (x, "=", zero, -1),
        (zero, "<", p + n, 1), (zero, "≤", n + n, 1), (zero, "<", n + 1, 1), (-p, "≤", zero, 1),
        (constant(1), "<", constant(2), 1), (constant(2), "≤", constant(1), -1), (x - x, "=", zero, 1),
    ]  # fmt: skip
    for left, relation, right, answer in answers:
        assert compare(objects(left), relation, objects(right)) == answer, (left, relation, right)
    assert nonzero(objects(p, -p, n, x, zero, constant(3))).tolist() == [1, 1, 0, 0, -1, 1]
    (still,) = assume_nonnegative(objects(p))
    assert compare(objects(zero), "<", objects(still)) == 1, "what is positive stays so"


@pytest.mark.parametrize(
    ("one", "two", "sign"),
    [
        (1, None, 1), (None, 1, 1), (1, -1, 1), (2, None, 2), (0, None, 2), (None, 0, 2), (2, -1, 2), (0, -2, 2), (1, 2, 1),
        (None, None, None), (None, -1, None), (-2, None, None), (-2, -1, -2), (-1, -2, -2), (-1, -1, -1), (-2, -2, -2),
    ],
)  # fmt: skip
def test_the_sign_of_a_maximum(one, two, sign):
    """2 says ≥ 0 and -2 says ≤ 0; one side that is positive is enough, and a negative maximum needs two."""
    assert _sign_of_maximum(one, two) == sign


def test_on_what_a_number_depends():
    """Through a polynomial, the base of a logarithm, its coefficient, or what is added; wherever it stands in the array."""
    x, y, z = PolynomialRing(NAMES).generators()
    (p,) = positive(x)
    logarithm = y * log(objects(p))[0]
    for value, wanted in (
        (x * y, {0, 1}),
        (logarithm, {0, 1}),
        (logarithm + z, {0, 1, 2}),
        (x - x, set()),
        (constant(2), set()),
    ):
        for array in (objects(value), objects(value, constant(1)), objects(constant(1), value)):
            assert {place for place in range(3) if depends(array, frozenset({place}))} == wanted, value


def test_the_product_of_two_logarithms_is_no_square():
    setting = mv.Setting("two numbers", (mv.PositiveScalar("x"), mv.PositiveScalar("y")), agents=(1, 1), states=(1, 1))

    def proved(left, right):
        def proof(case):
            yield mv.line("left", left(log(case.x), log(case.y)))
            yield mv.equal("right", right(log(case.x), log(case.y)), because="said so")

        claim = mv.Claim("mine", "t", "s", setting, proof, symbolic=(mv.Sizes(1, (1,)),))
        return isinstance(prove_in_symbols(claim, mv.Sizes(1, (1,))), Proof)

    assert proved(lambda x, y: x * y, lambda x, y: y * x)
    assert proved(lambda x, y: (x + y) * (x - y), lambda x, y: x * x - y * y)
    assert not proved(lambda x, y: x * y, lambda x, y: x * x + 0 * y)


def test_the_exponential_of_a_logarithm_is_an_absolute_value():
    """``exp(log(x u) - ½ log u²)`` is ``|x|`` where ``x u > 0``, for both may be negative."""

    def proof(case):
        x, u = case.x, case.u
        known = mv.arithmetic.assume_positive
        size = mv.exp(mv.log(known(x * u)) - mv.log(known(u * u)) / 2)
        yield mv.line("exp(log(x u) - ½ log u²)", size)
        yield mv.equal("x", x if case.sizes.states == 1 else abs(x), because="logarithms are those of positive numbers")

    def free(name):
        return mv.Table(name, lambda _: ())

    one = {"agents": (1, 1), "states": (1, 2), "action_range": (1, 1)}
    positive = mv.Hypothesis("x u > 0", lambda case: case.x * case.u > 0)
    setting = mv.Setting("two numbers of one sign", (free("x"), free("u")), (positive,), **one)
    sizes = [mv.Sizes(states, (1,)) for states in (1, 2)]
    claim = mv.Claim("mine", "title", "source", setting, proof, symbolic=sizes)
    wrong, right = (prove_in_symbols(claim, one) for one in sizes)
    assert isinstance(wrong, Failure) and isinstance(right, Proof)
    assert mv.audit([claim], corpus=False)["mine"].standing is mv.Standing.REFUTED


def test_signs_of_polynomials_that_logarithms_were_taken_of():
    ring = PolynomialRing(("p", "q"))
    p, q = ring.generators()
    assert not ring.sign_of(p.numerator)
    positive = assume_positive(np.array([p, 1 - q], object))
    assert ring.sign_of(p.numerator) == 1 and ring.sign_of((1 - q).numerator) == 1
    assert ring.sign_of((q - 1).numerator) == -1 == ring.sign_of((3 * q - 3).numerator)
    ratio = assume_nonnegative(np.array([(p + q) / positive[1]], object))
    assert ring.sign_of((p + q).numerator) == 1
    unknown = assume_positive(np.array([ratio[0] * q / (p - q)], object))
    assert not ring.sign_of(unknown[0].numerator)


def test_whether_an_episode_may_end_depends_on_the_parameters():
    """Rows of symbols stand for those that sum to 1, too; how likely the end is they say."""
    setting = mv.Setting("a game", (mv.GameData(termination=True),), agents=(1, 1), states=(1, 1), action_range=(1, 1))

    def proof(value):
        def lines(case):
            yield mv.line("value", value(case.game))
            yield mv.equal("1 - Σ P", 1 - case.game.transition.sum(-1), because="what is left")

        return lines

    def rest(game):
        return game.stopping

    def where_it_ends(game):
        return mv.choose(game.ends, 1 - game.transition.sum(-1), 1)

    sizes = mv.Sizes(1, (1,))
    found = [
        prove_in_symbols(mv.Claim("mine", "title", "source", setting, proof(value)), sizes)
        for value in (rest, where_it_ends)
    ]
    assert isinstance(found[0], Proof) and isinstance(found[1], Failure)
