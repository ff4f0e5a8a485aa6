"""What an instance is made of, by hand: the integers that describe it, what becomes of them, and what a slip is told."""

from __future__ import annotations

from fractions import Fraction
from itertools import count

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, like
from mappo_verify.checking.sampling import sizes_of
from mappo_verify.claims.case import Hypothesis, Ingredient
from mappo_verify.claims.claim import Line, place_of_line
from mappo_verify.claims.coordinates import EVERY, Coordinate
from mappo_verify.claims.ingredients import Counts, Increments, PositiveIntegers
from mappo_verify.errors import ClaimError
from mappo_verify.model.trees import unwrapped

SIZES = mv.Sizes(2, (2, 3))


def exact(*values):
    return like(np.array([Fraction(v) for v in values], dtype=object), System.RATIONALS)


def plain(value):
    return unwrapped(value, ())


# --- integers ------------------------------------------------------------

POLICY = {"p.1": ((2, 1, 2), "weight", 0, 9), "p.2": ((2, 2, 3), "weight", 0, 9)}
GAME = {
    "game.transition": ((2, 6, 3), "weight", 0, 9),
    "game.reward": ((2, 6), "integer", -9, 9),
    "game.discount": ((2,), "weight", 0, 99),
    "game.start": ((2,), "weight", 0, 9),
}


@pytest.mark.parametrize(
    ("ingredient", "described"),
    [
        (mv.GameData(), GAME),
        (
            mv.GameData(termination=False, start=False, discounted=False, reward=(0, 4)),
            {"game.transition": ((2, 6, 2), "weight", 0, 9), "game.reward": ((2, 6), "integer", 0, 4)},
        ),
        (mv.GameData("b", same_as="game", vary=("reward",)), {"b.reward": GAME["game.reward"]}),
        (mv.PolicyData("p"), POLICY),
        (mv.PolicyData("p", product=True, full_support=True), {"p.1": ((2, 2), "weight", 1, 9), "p.2": ((2, 3), "weight", 1, 9)}),
        (mv.claims.NearbyPolicy("p"), {"p.change": ((2,), "weight", 1, 10_000), **POLICY}),
        (mv.Distribution("d"), {"d": ((2,), "weight", 0, 9)}),
        (mv.Distribution("d", lambda s: s.actions, full_support=True), {"d": ((2, 3), "weight", 1, 9)}),
        (mv.Table("t", lambda s: (s.states,)), {"t": ((2,), "integer", -9, 9)}),
        (mv.Table("t", lambda _: (), 1, 5), {"t": ((), "integer", 1, 5)}),
        (PositiveIntegers("n", lambda _: (2,)), {"n": ((2,), "positive", 1, 9)}),
        (mv.claims.PrefixTables("f"), {"f.1": ((2, 2), "integer", -9, 9), "f.2": ((2, 6), "integer", -9, 9)}),
        (mv.PositiveScalar("x"), {"x": ((2,), "positive", 1, 9)}),
        (mv.LogOdds("x", lambda _: (3,)), {"x": ((3,), "positive", 1, 99)}),
        (Counts(), {"counts": ((2, 6, 3), "weight", 0, 99)}),
        (mv.Derived("x", lambda _: 0), {}),
    ],
    ids=lambda v: getattr(v, "name", None),
)  # fmt: skip
def test_which_integers_describe_it(ingredient, described):
    found = {c.name: (c.shape, c.kind, c.low, c.high) for c in ingredient.coordinates(SIZES)}
    assert found == described


def test_a_run_has_integers_for_every_step_and_agent_and_any_length_those_of_one():
    steps = [[c.name for c in Increments("u").coordinates(mv.Sizes(2, (2, 3), k))] for k in (1, 2, EVERY)]
    assert steps == [["u.0.1", "u.0.2"], ["u.0.1", "u.0.2", "u.1.1", "u.1.2"], ["u.0.1", "u.0.2"]]
    assert [(c.shape, c.kind, c.low, c.high) for c in Increments("u").coordinates(SIZES)] == [
        ((2, 2), "positive", 1, 9),
        ((2, 6), "positive", 1, 9),
    ]


def test_sizes_that_a_setting_draws_without_being_told():
    sizes = sizes_of(mv.Setting("a policy", (mv.PolicyData("p"),)))
    assert {s.states for s in sizes} == {s.agents for s in sizes} == {1, 2, 3}
    assert {size for s in sizes for size in s.actions} == {1, 2, 3} and {s.steps for s in sizes} == {1}


def test_a_setting_is_searched_in_floats_unless_it_says_otherwise():
    ingredients = (mv.Table("f", lambda _: (2,), 0, 3),)

    def proof(case):
        yield mv.line("0", 0)
        yield mv.at_most("f_0 + f_1²", case.f[0] + case.f[1] * case.f[1], because="both are at least 0")

    small = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}
    looked_at = []
    for more in ({}, {"explore": False}):
        claim = mv.Claim("mine", "t", "s", mv.Setting("two numbers", ingredients, **small, **more), proof)
        looked_at.append(mv.audit([claim])["mine"].searched.evaluated)
    assert looked_at[0] > 100 and looked_at[1] == 0


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        (mv.Sizes(1, (1,)), "1 state, 1 actions"),
        (mv.Sizes(2, (2, 3), 1), "2 states, 2x3 actions"),
        (mv.Sizes(1, (2,), 4), "1 state, 2 actions, 4 steps"),
        (mv.Sizes(1, (2,), EVERY), "1 state, 2 actions, every number of steps"),
    ],
)
def test_sizes_in_words(sizes, words):
    assert str(sizes) == words


# --- hypotheses ------------------------------------------------------------

TABLE = mv.Setting("a table", (mv.Table("f", lambda _: (2,)),))


def case_of(*f):
    return TABLE.case({"f": f}, mv.Sizes(1, (1,)), System.RATIONALS)


@pytest.mark.parametrize(("relation", "slack"), [("≥", 4), (">", 4), ("≤", -4), ("<", -4)])
def test_what_a_hypothesis_gives(relation, slack):
    """``f_0`` beside ``f_1`` at (7, 3): the left side is 4 above the right one."""
    hypothesis = Hypothesis("h", lambda case: (case.f[0], relation, case.f[1]))
    assert plain(hypothesis.slack(case_of(7, 3))) == slack
    assert int(np.max(plain(hypothesis.truth(case_of(7, 3))))) == (1 if slack > 0 else -1)


@pytest.mark.parametrize("holds", [lambda case: (case.f[0], "=", case.f[1]), lambda case: case.f[0] > case.f[1]])
def test_a_hypothesis_that_says_of_nothing_that_it_is_at_least_0(holds):
    with pytest.raises(ClaimError, match="'h' says of nothing that it is at least 0; write it as a relation"):
        Hypothesis("h", holds).slack(case_of(7, 3))


def test_a_hypothesis_that_is_another_formula_when_asked_again():
    turns = count()
    moody = Hypothesis("h", lambda case: (case.f[next(turns) % 2], "≥", 0))
    case = case_of(7, 3)
    moody.truth(case)
    with pytest.raises(ClaimError, match="the hypothesis 'h' is no function of its case"):
        moody.truth(case)


def test_what_is_derived_and_given_is_compared_wherever_it_stands():
    """``share`` follows from ``weights``, which come after it."""
    claim = "section-4.3/shared-parameters"
    weights = exact("1/4", "3/4")
    assert mv.check(claim, weights=weights, share=exact("1/4")[0], steps=1).holds
    wrong = mv.check(claim, weights=weights, share=exact("1/3")[0], steps=1)
    assert wrong.verdict is mv.Verdict.NOT_APPLICABLE and "share is what follows" in wrong.reason


@pytest.mark.parametrize("place", range(3))
def test_words_of_a_line_are_plain(place):
    """One of another class could say that it equals what it is not."""

    class Word(str):
        __slots__ = ()

    words = ["x", "≤", "it is said so"]
    words[place] = Word(words[place])
    with pytest.raises(ClaimError, match="a Word in place of a plain str"):
        Line(words[0], 0, words[1], words[2])


def test_where_a_line_of_a_proof_stands():
    def proof(case):
        yield mv.line("f", case.f)
        yield mv.equal("f", case.f, because="it is")

    claim = mv.Claim("mine", "t", "s", TABLE, proof)
    first = proof.__code__.co_firstlineno
    found = [place_of_line(claim, case_of(1, 2), place) for place in (0, 1)] + [place_of_line(claim, None, 1)]
    assert found == [f"test_instances_by_hand.py:{line}" for line in (first + 1, first + 2, first)]


# --- what integers become -------------------------------------------------------------------------


def test_the_rewards_of_a_second_game_have_its_own_scale():
    ingredients = (mv.GameData(), mv.GameData("other", same_as="game", vary=("reward",), reward=(0, 4), scale=4))
    coordinates = {"game.transition": [[[1, 1]]], "game.reward": [[3]], "game.discount": [1, 1], "game.start": [1]}
    case = mv.Setting("two games", ingredients).case(
        {**coordinates, "other.reward": [[3]]}, mv.Sizes(1, (1,)), System.RATIONALS
    )
    assert plain(case.game).reward.tolist() == [[3]] and plain(case.other).reward.tolist() == [[exact("3/4")[0]]]


@pytest.mark.parametrize("m", [0, 1])
def test_a_policy_that_is_far_away_in_one_factor_is_not_near(m):
    setting = mv.Setting("s", (mv.PolicyData("policy"), mv.claims.NearbyPolicy(largest=Fraction(1, 4))))
    even = [exact("1/2", "1/2").reshape(1, 1, 2), np.repeat(exact("1/2", "1/2").reshape(1, 1, 2), 2, axis=1)]
    near, far = ([np.array(f) for f in even] for _ in range(2))
    near[m][0, -1] = exact("3/5", "2/5")
    far[m][0, -1] = exact("5/8", "3/8")  # 3/4 of the first policy, and all of the rest on one action: ε would be 1/4
    claim = mv.Claim("mine", "t", "s", setting, lambda _: iter((mv.line("0", 0), mv.at_most("1", 1, because="so"))))
    found = [mv.check(claim, policy=mv.Policy(even), nearby=mv.Policy(other)).verdict for other in (near, far)]
    assert found == [mv.Verdict.HOLDS, mv.Verdict.NOT_APPLICABLE]


@pytest.mark.parametrize("made", [mv.claims.OptimalPolicy, mv.claims.NashPolicy])
@pytest.mark.parametrize("name", ["optional", "exact", "compute"])
def test_what_an_ingredient_is_by_itself_cannot_be_said_otherwise(made, name):
    with pytest.raises((TypeError, ClaimError)):
        made("mine", **{name: False})


class Interval(Ingredient):
    """Two numbers, the second one above the first: an ingredient of one's own with two coordinates."""

    name = "interval"

    def coordinates(self, sizes):  # noqa: ARG002
        return Coordinate("interval.low", (), "integer", -9, 9), Coordinate("interval.length", (), "positive", 1, 9)

    def build(self, numbers, sizes, built, generic):  # noqa: ARG002
        return np.stack([numbers["interval.low"], numbers["interval.low"] + numbers["interval.length"]])

    def core_shape(self, sizes):  # noqa: ARG002
        return (2,)


def test_an_ingredient_of_ones_own_has_all_its_coordinates():
    setting = mv.Setting("an interval", (Interval(),), agents=(1, 1), states=(1, 1), action_range=(1, 1))
    case = setting.case({"interval.low": -3, "interval.length": 5}, mv.Sizes(1, (1,)), System.RATIONALS)
    assert plain(case.interval).tolist() == [-3, 2]

    def proof(case):
        yield mv.line("low", case.interval[0])
        yield mv.at_most("high", case.interval[1], because="lengths are positive")

    assert mv.audit([mv.Claim("mine", "t", "s", setting, proof)])["mine"].standing is mv.Standing.SURVIVED
