"""What a proof rests on is printed as a reader would write it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify import arithmetic
from mappo_verify.checking.proving import Proof, prove_in_symbols

ONE = mv.Sizes(1, (1,))
ALONE = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}


def scalar(name):
    return mv.Table(name, lambda _: ())


def conditions(value, *ingredients):
    """The conditions under which ``v = v`` is proved, for a value ``v``."""

    def proof(case):
        yield mv.line("v", value(case))
        yield mv.equal("v", value(case), because="it is")

    given = ingredients or (scalar("x"), scalar("y"))
    found = prove_in_symbols(mv.Claim("mine", "t", "s", mv.Setting("numbers", given, **ALONE), proof), ONE)
    assert isinstance(found, Proof)
    return found.where


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (lambda c: 1 / (c.x - c.y), ("x ≠ y",)),
        (lambda c: 1 / (1 - c.x), ("x ≠ 1",)),
        (lambda c: 1 / (2 * c.x + 6 * c.y - 4), ("x + 3·y ≠ 2",)),
        (lambda c: 1 / (c.x / 3 + 1), ("x ≠ -3",)),
        (lambda c: 1 / (c.x * c.y * c.y), ("x ≠ 0", "y ≠ 0")),
        (lambda c: 1 / (c.x * c.x - c.y * c.y - 2), ("x² ≠ y² + 2",)),
        (lambda c: 1 / (3 - c.x * c.x - c.y), ("x² + y ≠ 3",)),
        (lambda c: mv.sqrt(4 - c.x), ("x ≤ 4",)),
        (lambda c: arithmetic.assume_positive(1 / (1 - c.x)), ("x < 1",)),
        (lambda c: arithmetic.assume_nonnegative(c.x * c.y - 1), ("x·y ≥ 1",)),
        (lambda c: 1 / (mv.absolute(c.x) - 2), ("|x| ≠ 2",)),
        (lambda c: 1 / (mv.maximum(c.x, c.y) - 2), ("max(x, y) ≠ 2",)),
        (lambda c: 1 / (mv.exp(c.x) + c.y), ("y + exp(x) ≠ 0",)),
        (lambda c: 1 / (4 * c.x - 6), ("2·x ≠ 3",)),
        (lambda c: 1 / (c.x * Fraction(2, 3) - Fraction(4, 9)), ("3·x ≠ 2",)),
        (lambda c: 1 / (c.x - c.y + 1), ("x + 1 ≠ y",)),
        (lambda c: 1 / (c.y - c.x + 1), ("x ≠ y + 1",)),
        (lambda c: 1 / (-c.x - c.y - 1), ("x + y ≠ -1",)),
        (lambda c: 1 / (c.x**12 - c.y), ("x¹² ≠ y",)),
        (lambda c: arithmetic.assume_nonnegative(1 - c.x), ("x ≤ 1",)),
        (lambda c: arithmetic.assume_positive(c.x / (1 - c.y) / (1 - c.y)), ("x > 0", "y ≠ 1")),
        (lambda c: arithmetic.assume_positive(c.x / (1 - c.y) / (1 - c.y) / (1 - c.y)), ("x > x·y", "y ≠ 1")),
        (lambda c: (arithmetic.assume_positive(c.x - c.y), 1 / (c.y - c.x))[1], ("x > y",)),
        (lambda c: (arithmetic.assume_nonnegative(c.x - c.y), 1 / (c.y - c.x))[1], ("x ≥ y", "x ≠ y")),
        (lambda c: mv.sqrt(c.x - c.y) + mv.sqrt(c.x - c.y), ("x ≥ y",)),
        (lambda c: 1 / (mv.sqrt(arithmetic.like(2, c.x)) * c.x - c.y), ("x·√(2) ≠ y",)),
        (lambda c: 1 / (mv.exp(c.x / 2 - 1) + c.y), ("y + exp(1/2·x - 1) ≠ 0",)),
        (lambda c: 1 / (mv.absolute((c.x - 2 * c.y) / (c.y + 1)) - c.x), ("y ≠ -1", "x ≠ |(x - 2·y)/(y + 1)|")),
        (lambda c: 1 / (mv.absolute(c.x / c.y / c.y) - 1), ("y ≠ 0", "|(x)/(y)²| ≠ 1")),
        (lambda c: 1 / (mv.absolute(c.x / c.y / (c.x + 1)) - 1), ("y ≠ 0", "x ≠ -1", "|(x)/((y)·(x + 1))| ≠ 1")),
        (
            lambda c: 1 / (mv.absolute(c.x * c.y / 2 - c.y * c.y * 3 + Fraction(1, 3)) - 2),
            ("|1/2·x·y - 3·y² + 1/3| ≠ 2",),
        ),
        (lambda c: 1 / (mv.absolute(3 - c.x) - 1), ("|-x + 3| ≠ 1",)),
        (lambda c: 1 / (mv.maximum(c.x, c.y - 1) - c.y), ("y ≠ max(x, y - 1)",)),
        (  # 40 characters, and 41
            lambda c: 1 / (c.x**3 + 12345 * c.y**3 + c.x * c.y - 123456789123456789),
            ("x³ + 12345·y³ + x·y ≠ 123456789123456789",),
        ),
        (lambda c: 1 / (c.x**3 + 12345 * c.y**3 + c.x * c.y - 1234567891234567891), ("no denominator is 0",)),
        (
            lambda c: 1 / ((c.x - c.y) * (c.x**3 + 12345 * c.y**3 + 54321 * c.x * c.y - 98765 + 777 * c.x * c.x)),
            ("x ≠ y", "no denominator is 0"),
        ),
        (
            lambda c: (mv.sqrt(c.x**3 + 12345 * c.y**3 + 54321 * c.x * c.y - 98765 + 777 * c.x * c.x) / (c.y - 2),)[0],
            ("y ≠ 2", "no root is taken of a number below 0"),
        ),
        (
            lambda c: 1 / (c.x**3 + 12345 * c.y**3 + 54321 * c.x * c.y - 98765 + 777 * c.x * c.x),
            ("no denominator is 0",),
        ),
        (
            lambda c: mv.sqrt(c.x**3 + 12345 * c.y**3 + 54321 * c.x * c.y - 98765 + 777 * c.x * c.x),
            ("no root is taken of a number below 0",),
        ),
    ],
)
def test_conditions_are_written_as_a_reader_does(value, written):
    assert conditions(value) == written


def test_what_a_fact_says_is_no_condition():
    rows = mv.Distribution("p", lambda _: (3,), full_support=True)
    assert conditions(lambda c: 1 / (c.p[0] * c.p[1] * c.p[2] * (c.p[0] - c.p[1])), rows) == ("p[0] ≠ p[1]",)


TENTHS = mv.Table("g", lambda _: (), 1, 9, scale=10)
PART = mv.GameData("game", start=False, discount=(Fraction(1, 10), Fraction(9, 10)))
SMALL = mv.claims.NearbyPolicy("nearby", largest=Fraction(1, 10))


@pytest.mark.parametrize(
    ("value", "ingredients", "written"),
    [
        (lambda c: 1 / (1 - c.g), (TENTHS,), "g ≠ 1"),
        (lambda c: 1 / (1 - c.g[0][0, 0]), (mv.claims.PrefixTables("g", scale=10),), "g.1[0, 0] ≠ 1"),
        (lambda c: 1 / (1 - c.game.reward[0, 0]), (mv.GameData("game", scale=10),), "r(0, 0) ≠ 1"),
        (lambda c: 1 / (1 - 2 * c.game.discount), (PART,), "2·((γ - 1/10)/(4/5)) ≠ 1"),
        (lambda c: 1 / (1 - c.v), (mv.LogOdds("v", lambda _: ()),), "log(exp(v)) ≠ 1"),
        (
            lambda c: 1 / (1 - c.v),
            (mv.PositiveScalar("b"), mv.LogOdds("v", lambda _: (), times="b")),
            "b·log(exp(v/b)) ≠ 1",
        ),
    ],
)
def test_conditions_speak_of_what_a_proof_sees(value, ingredients, written):
    """And not of the integers by which it is drawn: a table of tenths is not 1, and never 10."""
    assert conditions(value, *ingredients) == (written,)


def test_a_long_determinant_is_a_linear_system():
    game, policy = mv.GameData(start=False), mv.PolicyData("policy")
    setting = mv.Setting("a game", (game, policy), agents=(1, 1), states=(2, 2), action_range=(2, 2))

    def proof(case):
        yield mv.line("V", mv.state_values(case.game, case.policy))
        yield mv.equal("V", mv.state_values(case.game, case.policy), because="it is")

    found = prove_in_symbols(mv.Claim("mine", "t", "s", setting, proof), mv.Sizes(2, (2,)))
    assert isinstance(found, Proof) and found.where == ("every linear system has one solution",)


@pytest.mark.parametrize(
    ("ingredient", "shown"),
    [
        (mv.GameData("game"), {"γ", "r(0, 1)", "P(0 | 0, 1)", "ρ(0)"}),
        (mv.GameData("other"), {"γ of other", "r(0, 1) of other"}),
        (mv.PolicyData("policy"), {"policy¹(1 | 0, 0)"}),
        (mv.PolicyData("policy", product=True), {"policy¹(1 | 0)"}),
        (SMALL, {"(ε/(1/10))", "σ¹(1 | 0, 0)"}),
        (mv.claims.Increments(), {"exp(increments.0.1[0, 1])"}),
        (mv.PositiveScalar("beta"), {"beta"}),
        (mv.Table("f", lambda _: (2, 2)), {"f[1, 0]"}),
        (scalar("x"), {"x"}),
    ],
)
def test_numbers_have_the_notation_of_their_ingredient(ingredient, shown):
    sizes = mv.Sizes(1, (2,))
    names = {ingredient.notation(c.name, i) for c in ingredient.coordinates(sizes) for i in np.ndindex(c.shape)}
    assert shown <= names
