"""Proofs in symbols and at random points: true identities proved, false ones not, degree bounds that bound."""

from __future__ import annotations

import math
import random
import re
from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, like
from mappo_verify.arithmetic.rings import DegreeRing, PolynomialRing
from mappo_verify.checking import proving
from mappo_verify.checking.proving import (
    POINT_BITS,
    ROUNDS,
    Failure,
    Proof,
    degree_bound,
    prove_at_points,
    prove_in_symbols,
)
from mappo_verify.claims.coordinates import GENERIC
from mappo_verify.errors import ClaimError
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.papers.registry import claim as find

ONE, TWO_BY_TWO = mv.Sizes(1, (1,)), mv.Sizes(2, (2, 2))
TABLE = (mv.Table("f", lambda _: (2,)),)
METHODS = ("symbols", "points")


def claim(proof, ingredients=TABLE):
    return mv.Claim("mine", "title", "source", mv.Setting("s", ingredients), proof)


def prove(method, trial, sizes=ONE, seed=0):
    if method == "symbols":
        return prove_in_symbols(trial, sizes)
    return prove_at_points(trial, sizes, np.random.default_rng(seed))


def pair(left, right, make=mv.equal, axiom=lambda _: None):
    """``left(f)`` related to ``right(f)``, by ``axiom(f)``."""

    def proof(case):
        yield mv.line("left", left(case.f))
        yield make("right", right(case.f), because="said so", axiom=axiom(case.f))

    return claim(proof)


# --- true identities ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [mv.Sizes(1, (2, 2)), mv.Sizes(2, (2, 1)), TWO_BY_TWO], ids=str)
def test_symbols_prove_the_performance_difference_lemma(sizes):
    proof = prove_in_symbols(find("lemma-4.1"), sizes)
    assert isinstance(proof, Proof) and proof.modulo == () and proof.error == 0
    shapes = [c.shape for c in find("lemma-4.1").setting.coordinates(sizes)]
    assert proof.symbols == sum(math.prod(shape) for shape in shapes)
    assert f"in {proof.symbols} symbols ({sizes})" in str(proof)


def test_points_prove_the_performance_difference_lemma():
    sizes = mv.Sizes(2, (2, 2, 2))
    proof = prove_at_points(find("lemma-4.1"), sizes, np.random.default_rng(5))
    assert isinstance(proof, Proof) and proof.modulo == ()
    assert 0 < proof.error < 1e-30
    assert f"at random points ({sizes}, error ≤ {proof.error:.0e})" in str(proof)


@pytest.mark.parametrize("method", METHODS)
def test_true_identities_are_proved(method):
    square = pair(lambda f: (f[0] + f[1]) * (f[0] + f[1]), lambda f: f[0] * f[0] + 2 * f[0] * f[1] + f[1] * f[1])
    fraction = pair(lambda f: 1 / f[0] + 1 / f[1], lambda f: (f[0] + f[1]) / (f[0] * f[1]))
    for trial in (square, fraction):
        found = prove(method, trial)
        assert isinstance(found, Proof), found
        assert (found.method, found.symbols, found.modulo) == (method, 2, ())


# --- false ones ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "right",
    [
        lambda f: f[0] * f[0] + f[0] * f[1] + f[1] * f[1],
        lambda f: (f[0] + f[1]) * (f[0] + f[1]) + like(Fraction(1, 10**30), f),
        lambda f: (f[0] + f[1]) * (f[0] + f[1]) + 0 * f[0] / f[1] + (f[0] - f[0] - 1) * 0 + 1 / (f[0] * f[1]),
    ],
)
def test_false_identities_are_refuted_not_proved(method, right):
    found = prove(method, pair(lambda f: (f[0] + f[1]) * (f[0] + f[1]), right))
    assert found == Failure(method, ONE, "right", True)


@pytest.mark.parametrize("method", METHODS)
def test_the_false_step_of_a_true_statement_is_named(method):
    def proof(case):
        yield mv.line("f", case.f)
        yield mv.equal("f + 1", case.f + 1, because="a slip")
        yield mv.equal("f again", case.f, because="undone")

    assert prove(method, claim(proof)) == Failure(method, ONE, "f + 1", True)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["definition-3.1/conditional-readings", "lemma-b.3/zero-mean-intervention"])
def test_the_papers_false_readings_are_not_proved(method, name):
    found = prove(method, find(name), mv.Sizes(1, (2, 2)))
    assert isinstance(found, Failure) and found.false


def planted_lemma(case):
    """lemma-4.1 with the visits of the old policy: one wrong word."""
    gain = mv.returns(case.game, case.target, case.start) - mv.returns(case.game, case.policy, case.start)
    advantages = mv.quantities.advantages(case.game, case.policy)
    for who in (case.target, case.policy):
        d = mv.visits(case.game, who, case.start)
        yield mv.line("J(π') - J(π)", gain)
        yield mv.equal(
            "Σ d E A", mv.contract("...s,...sa,...sa->...", d, case.target.joint(), advantages), because="telescoping"
        )


@pytest.mark.parametrize("method", METHODS)
def test_a_planted_error_in_the_lemma_is_found(method):
    trial = mv.Claim("mine", "t", "s", find("lemma-4.1").setting, planted_lemma)
    found = prove(method, trial, mv.Sizes(2, (2,)))
    assert isinstance(found, Failure) and found.false and found.step == "Σ d E A"


# --- inequalities and axioms ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_inequalities_need_an_axiom(method):
    """In symbols 0 ≤ f² - 2fg + g² is open; at random points it merely held there, which proves nothing."""

    def both(f):
        return f[0] * f[0] - 2 * f[0] * f[1] + f[1] * f[1]

    found = prove(method, pair(lambda f: 0 * f[0], both, mv.at_most))
    assert isinstance(found, Failure), f"{method} claims to have proved an inequality: {found}"
    assert not found.false
    axiom = prove(method, pair(lambda f: 0 * f[0], both, mv.at_most, lambda f: mv.axioms.squares(f[0] - f[1])))
    assert isinstance(axiom, Proof) and axiom.modulo == ("x² ≥ 0",)
    assert "modulo x² ≥ 0" in str(axiom)


@pytest.mark.parametrize("method", METHODS)
def test_a_text_is_an_assumption_and_proves_nothing(method):
    found = prove(method, pair(lambda f: 0 * f, lambda f: f * f, mv.at_most, lambda _: "squares are ≥ 0"))
    assert isinstance(found, Failure) and not found.false
    assert found.step == "right assumes 'squares are ≥ 0', which is no axiom of the table"


def test_a_known_sign_proves_an_inequality_in_symbols_only():
    """``0 ≤ p`` for a weight, and ``0 < p`` too; not ``p ≤ q``, and nothing by the numbers of random points."""
    weights = (mv.Distribution("p", lambda _: (3,), full_support=True),)

    def proof(case):
        yield mv.line("0", 0)
        yield mv.at_most("p_0 p_1 + p_2", case.p[0] * case.p[1] + case.p[2], because="weights are positive")

    def wrong(case):
        yield mv.line("p_0", case.p[0])
        yield mv.at_most("p_1", case.p[1], because="no reason")

    assert isinstance(prove("symbols", claim(proof, weights)), Proof)
    assert isinstance(prove("points", claim(proof, weights)), Failure)
    for method in METHODS:
        assert isinstance(prove(method, claim(wrong, weights)), Failure)


@pytest.mark.parametrize("method", METHODS)
def test_an_inequality_that_fails_on_half_of_the_numbers_is_not_proved(method):
    """``f ≤ 2f`` is false for negative numbers, though every drawn point is positive."""
    assert isinstance(prove(method, pair(lambda f: f, lambda f: 2 * f, mv.at_most)), Failure)


@pytest.mark.parametrize("method", METHODS)
def test_an_axiom_is_listed_once(method):
    def proof(case):
        for _ in range(2):
            yield mv.line("0", 0 * case.f)
            yield mv.at_most("f²", case.f * case.f, because="squares", axiom=mv.axioms.squares(case.f))

    assert prove(method, claim(proof)).modulo == ("x² ≥ 0",)


@pytest.mark.parametrize("method", METHODS)
def test_no_axiom_makes_a_false_identity_true(method):
    """``f = 2f`` by a wish, and ``f + f² = f`` by an axiom that fits the difference: an axiom is no equality."""
    found = prove(method, pair(lambda f: f, lambda f: f + f, mv.equal, lambda _: "wishful thinking"))
    assert isinstance(found, Failure) and found.false
    found = prove(method, pair(lambda f: f + f * f, lambda f: f, mv.equal, mv.axioms.squares))
    assert isinstance(found, Failure) and found.false
    with pytest.raises(
        ClaimError, match="line 'right' is no instance of x² ≥ 0: the two lines differ by something else"
    ):
        prove(method, pair(lambda f: f, lambda f: f + f, mv.equal, mv.axioms.squares))


def test_kl_is_the_only_axiom_of_proposition_4_2():
    proof = prove_in_symbols(find("proposition-4.2"), mv.Sizes(1, (3,)))
    assert isinstance(proof, Proof) and proof.modulo == ("KL ≥ 0",)


# --- formulas that leave the field ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("function", [mv.exp, mv.sqrt, mv.log, lambda f: mv.maximum(f, 2 * f)])
def test_leaving_the_field_is_no_proof_and_no_crash(method, function):
    found = prove(method, pair(function, function))
    if method == "symbols" and function is not mv.log:  # an atom equals itself; a root exists where f ≥ 0
        assert isinstance(found, Proof)
        assert found.where == (("f[0] ≥ 0", "f[1] ≥ 0") if function is mv.sqrt else ())
        return
    assert isinstance(found, Failure) and not found.false and found.step


@pytest.mark.parametrize(
    ("method", "cause"), [("symbols", "division by the zero quotient"), ("points", "vanishing denominator")]
)
def test_division_by_zero_for_every_parameter_is_no_proof_and_no_crash(method, cause):
    """Degrees do not see that f - f vanishes; points do."""
    found = prove(method, pair(lambda f: f / (f - f), lambda f: f / (f - f)))
    assert isinstance(found, Failure) and not found.false and cause in found.step


@pytest.mark.parametrize("method", METHODS)
def test_values_that_never_exist_are_no_proof_and_no_crash(method):
    """γ = 1 and no termination: I - P_π is singular for every parameter."""

    def proof(case):
        values = mv.state_values(case.game, case.policy)
        yield mv.line("V", values)
        yield mv.equal("V", values, because="itself")

    ingredients = (mv.GameData("game", termination=False, discounted=False), mv.PolicyData("policy"))
    found = prove(method, claim(proof, ingredients), mv.Sizes(2, (2,)))
    assert isinstance(found, Failure) and not found.false


@pytest.mark.parametrize("method", METHODS)
def test_plain_integers_in_lines(method):
    def proof(case):
        yield mv.line("0", 0)
        yield mv.equal("f - f", case.f - case.f, because="itself")
        yield mv.line("0", 0)
        yield mv.equal("0", 0, because="itself")

    assert isinstance(prove(method, claim(proof)), Proof)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "below", [lambda f: f - f, lambda f: f, lambda f: f - f[0]], ids=["zero", "may be zero", "zero in one entry"]
)
def test_a_convention_for_quotients_is_no_rational_function(method, below):
    """``divide`` takes 0/0 as 0, and 1/0 as infinite: whether that counts depends on the parameters."""
    found = prove(method, pair(lambda f: mv.divide(f, below(f)), lambda f: mv.divide(f, below(f))))
    assert isinstance(found, Failure) and not found.false
    assert re.search("depends on the parameters|zero quotient", found.step)


def test_points_where_a_denominator_vanishes_are_drawn_again(monkeypatch):
    """The first draw makes a denominator vanish; the next ones do not."""

    class Rigged:
        def __init__(self, vanishing=1):
            self.draws, self.vanishing = 0, vanishing

        def integers(self, _low, _high, count, dtype):
            self.draws += 1
            return np.arange(count, dtype=dtype) + (
                0 if self.draws <= self.vanishing else 7
            )  # the points are 1 + these, divided by a power of two

    rigged = Rigged()
    first = Fraction(1, 2 ** (POINT_BITS + (3).bit_length()))
    trial = pair(lambda f: f / (f - first), lambda f: 1 + first / (f - first))
    assert isinstance(prove_at_points(trial, ONE, rigged), Proof)
    assert rigged.draws == 1 + ROUNDS
    monkeypatch.setattr(proving, "MAX_REDRAWS", 0)
    found = prove_at_points(trial, ONE, Rigged(vanishing=99))
    assert isinstance(found, Failure) and "vanishing denominator" in found.step and not found.false


# --- degrees ------------------------------------------------------------------------------------------------------------


def random_expression(rng, leaves, depth):
    if depth == 0 or rng.random() < 0.2:
        return rng.choice(leaves) if rng.random() < 0.8 else ("constant", rng.randint(-3, 3))
    return (rng.choice("+-*/"), random_expression(rng, leaves, depth - 1), random_expression(rng, leaves, depth - 1))


def evaluated(expression, leaves):
    if isinstance(expression, int):
        return leaves[expression]
    kind, *arguments = expression
    if kind == "constant":
        return like(arguments[0], System.SYMBOLS)[()]
    left, right = (evaluated(argument, leaves) for argument in arguments)
    return {"+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right, "/": lambda: left / right}[
        kind
    ]()


def test_the_degree_bound_bounds_random_rational_functions():
    """Expressions of three symbols: the degrees of numerator and denominator that the polynomial ring finds."""
    rng, compared = random.Random(0), 0
    for _ in range(2_000):
        expression = random_expression(rng, [0, 1, 2], 4)
        polynomials, degrees = PolynomialRing(("x", "y", "z")), DegreeRing()
        try:
            value = evaluated(expression, polynomials.generators())
            bound = evaluated(expression, [degrees.generator() for _ in range(3)])
        except ZeroDivisionError:
            continue
        if value.is_zero():
            continue
        top, below = value.degree()
        top_bound, below_bound = bound.degree()
        assert top <= top_bound and below <= below_bound, expression
        compared += 1
    assert compared > 1_000


def difference_degrees(trial, sizes):
    """The largest degrees of ``left - right`` over the lines of a claim, by polynomials."""
    count = sum(math.prod(c.shape) for c in trial.setting.coordinates(sizes))
    generators = np.empty(count, object)
    generators[:] = PolynomialRing(tuple(f"x{i}" for i in range(count))).generators()
    case = trial.setting.case(proving._spread(generators, trial, sizes), sizes, System.SYMBOLS, GENERIC)
    one, two = np.broadcast_arrays(*(entry.value.unwrap() for entry in trial.lines(case)))
    found = [(left - right).degree() for left, right in zip(one.ravel(), two.ravel(), strict=True)]
    return max(top for top, _ in found), max(below for _, below in found)


@pytest.mark.parametrize("sizes", [mv.Sizes(1, (2,)), mv.Sizes(1, (2, 2)), mv.Sizes(2, (2,))], ids=str)
@pytest.mark.parametrize("quantity", ["values", "gain", "visits"])
def test_the_degree_bound_bounds_quantities(sizes, quantity):
    """A difference that does not vanish, so that its degree can be seen."""

    def proof(case):
        if quantity == "values":
            value, other = mv.state_values(case.game, case.policy), mv.state_values(case.game, case.target)
        elif quantity == "gain":
            value = mv.return_difference(case.game, case.target, case.policy, case.start).sum(-1)
            other = mv.returns(case.game, case.target, case.start)
        else:
            value, other = (mv.visits(case.game, who, case.start) for who in (case.policy, case.target))
        yield mv.line("left", value)
        yield mv.equal("right", other, because="a planted error")

    trial = mv.Claim("mine", "t", "s", find("lemma-4.1").setting, proof)
    numerator, denominator, count = degree_bound(trial, sizes)
    top, below = difference_degrees(trial, sizes)
    assert 0 < top <= numerator and 0 < below <= denominator
    assert count == sum(math.prod(c.shape) for c in trial.setting.coordinates(sizes))
    found = prove("points", trial, sizes)
    assert isinstance(found, Failure) and found.false


def test_the_error_probability_comes_from_the_degree_bound():
    trial, sizes = find("lemma-b.3/zero-mean"), mv.Sizes(2, (2, 3))
    numerator, denominator, count = degree_bound(trial, sizes)
    proof = prove("points", trial, sizes)
    once = numerator / 2**POINT_BITS / (1 - denominator / 2**POINT_BITS)
    assert proof.error == pytest.approx(once**ROUNDS, rel=1e-12, abs=0) and proof.symbols == count
    assert numerator > 0


def test_the_degree_bound_is_that_of_every_step():
    """From 1 to x⁴ to 1/y³ to 2: the step in the middle, ``(x⁴y³ - 1)/y³``, has degrees that no other has, nor first and last."""
    fourth, third = (lambda f: f[0] * f[0] * f[0] * f[0]), (lambda f: 1 / (f[1] * f[1] * f[1]))

    def proof(*values):
        def lines(case):
            yield mv.line("first", 1)
            for value in values:
                yield mv.equal("next", value(case.f), because="a planted error")

        return claim(lines)

    assert degree_bound(proof(fourth, third), ONE) == (7, 3, 2)  # the last step
    assert degree_bound(proof(fourth, third, lambda _: 2), ONE) == (7, 3, 2)  # one in the middle


def test_degrees_of_known_polynomials():
    cube = pair(lambda f: f[0] * f[0] * f[0], lambda f: f[1] / f[0] / f[0])
    numerator, denominator, count = degree_bound(cube, ONE)
    assert (numerator, count) == (5, 2) and denominator >= 2  # (x³·x·x - y) / (x·x)


def test_a_bound_that_is_too_large_for_the_range_proves_nothing(monkeypatch):
    """Points from 1..4 and degree 6: the error bound is 1, so agreement at them says nothing at all."""
    monkeypatch.setattr(proving, "POINT_BITS", 2)
    trial = pair(lambda f: f * f * f * f * f * f, lambda f: (f * f * f) * (f * f * f))
    assert degree_bound(trial, ONE)[0] == 6
    assert isinstance(prove("points", trial), Failure)


@pytest.mark.parametrize("trial", [c for c in CLAIMS if c.points], ids=lambda c: c.id)
def test_registered_point_proofs_have_a_small_error(trial):
    sizes = min(trial.points, key=lambda s: s.states * math.prod(s.actions))
    found = prove("points", trial, sizes, seed=11)
    assert isinstance(found, Proof) and found.error < 1e-30
