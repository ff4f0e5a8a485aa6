"""What ingredients say of themselves, and what settings and cases make of them, by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, like
from mappo_verify.checking.campaign import try_out
from mappo_verify.claims.case import Ingredient
from mappo_verify.claims.coordinates import EVERY, Coordinate
from mappo_verify.claims.general import General
from mappo_verify.claims.induction import Arbitrary
from mappo_verify.claims.ingredients import Counts, Increments, PositiveIntegers
from mappo_verify.claims.related import TooLongError, _require_short
from mappo_verify.errors import ClaimError, ExactnessError
from mappo_verify.model.trees import unwrapped

ONE = mv.Sizes(1, (1,))
SMALL = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}


def plain(value, several=()):
    return unwrapped(value, several)


def exact(*values):
    return like(np.array([Fraction(v) for v in values], dtype=object), System.RATIONALS)


def holding(_):
    yield mv.line("0", 0)
    yield mv.at_most("1", 1, because="it is")


# --- what an ingredient says of itself ----------------------------------------------------------------------------------

EVERYTHING = (
    mv.GameData(),
    mv.GameData(termination=False, discounted=False, reward=(0, 1)),
    mv.GameData(discount=(0, Fraction(1, 2))),
    mv.GameData("other", same_as="game", vary=("reward",)),
    mv.PolicyData("p"),
    mv.PolicyData("p", product=True, full_support=True),
    mv.claims.NearbyPolicy("p", full_support=True),
    mv.Distribution("d"),
    mv.Distribution("d", full_support=True),
    mv.Table("t", lambda _: (), 0, 5),
    mv.Table("t", lambda _: (), 1, 5),
    PositiveIntegers("n", lambda _: ()),
    mv.claims.PrefixTables("f"),
    Increments(),
    mv.PositiveScalar("x"),
    mv.LogOdds("x", lambda _: ()),
    Counts(),
)
NAMES = {
    "GameData": [
        "game never terminates", "game has discount 1", "rewards of game lie in [0, 1]", "0 ≤ γ ≤ 1/2 in game",
        "other shares transition, discount, start with game",
    ],
    "PolicyData": ["p is a product", "p has full support"],
    "NearbyPolicy": ["p is (1 - ε) policy + ε σ with ε < 1", "p has full support"],
    "Distribution": ["d is a distribution", "d is a distribution", "d has full support"],
    "Table": ["t ≥ 0", "t > 0"],
    "PositiveIntegers": ["n > 0"],
    "PositiveScalar": ["x > 0"],
    "Counts": ["counts are not negative"],
}  # fmt: skip


def test_what_is_said_holds_by_construction_and_is_verified():
    """A search does not climb towards it, and a given object is asked."""
    found: dict[str, list[str]] = {}
    for ingredient in EVERYTHING:
        said = (*ingredient.hypotheses(), *ingredient.facts())
        assert all(hypothesis.by_construction for hypothesis in said), ingredient
        found.setdefault(type(ingredient).__name__, []).extend(hypothesis.name for hypothesis in said)
    assert {kind: names for kind, names in found.items() if names} == NAMES


def test_of_what_hypotheses_say_all():
    assert {type(i).__name__ for i in EVERYTHING if i.verified} == {
        "Distribution", "Table", "PositiveIntegers", "PositiveScalar",
    }  # fmt: skip
    assert not any(i.optional or i.moves or i.exact for i in EVERYTHING if not isinstance(i, Increments))
    assert Increments().moves and not Increments().optional
    following = (
        mv.Derived("x", lambda _: 0),
        mv.claims.OptimalPolicy(),
        mv.claims.NashPolicy(),
        mv.claims.Iterates("x", max),
    )
    assert [(i.optional, i.exact, i.moves) for i in following] == [
        (True, False, False), (True, True, False), (True, True, False), (True, False, False),
    ]  # fmt: skip
    assert all(i.coordinates(ONE) == () and i.batch_of(0) == () and i.core_shape(ONE) is None for i in following)


@pytest.mark.parametrize("strange", [mv.GameData(reward=(0, 1)), mv.PolicyData("p", full_support=True), Counts()])
def test_a_more_general_setting_has_only_what_can_be_verified(strange):
    """Of a table or a distribution hypotheses say all, so that of the general setting may be another one."""
    own = mv.Setting("mine", (mv.GameData(), mv.PolicyData("p"), Counts(high=3)), **SMALL)
    with pytest.raises(ClaimError, match=f"{strange.name} of 'more' must be that of 'mine'"):
        mv.Claim("mine", "t", "s", own, holding, general=General(mv.Setting("more", (strange,))))
    for fine in (mv.GameData(), mv.Table("t", lambda _: ()), mv.Distribution("d"), mv.PositiveScalar("x")):
        mv.Claim("mine", "t", "s", own, holding, general=General(mv.Setting("more", (fine,))))


ANY, AT_LEAST_0 = mv.Table("z", lambda _: ()), mv.Table("z", lambda _: (), low=0)


@pytest.mark.parametrize(
    "more",
    [
        mv.Setting("more", (AT_LEAST_0,), **SMALL),
        mv.Setting("more", (mv.PositiveScalar("z"),), **SMALL),
        mv.Setting("more", (ANY,), (mv.Hypothesis("z ≥ 0", lambda c: (c.z, "≥", 0)),), **SMALL),
    ],
    ids=["sign", "kind", "hypothesis"],
)
def test_a_more_general_setting_hides_no_hypothesis(more):
    """``|x| = x`` is false, and was PROVED of any ``x`` as a ``z ≥ 0``; with that as a hypothesis it is another claim."""

    def proof(case):
        yield mv.line("|z|", abs(case.z))
        yield mv.equal("z", case.z, because="it is not negative")

    table, positive = mv.Table("x", lambda _: ()), mv.Hypothesis("x > 0", lambda c: (c.x, ">", 0))
    for hypotheses in ((), (positive,)):
        own = mv.Setting("mine", (table,), hypotheses, **SMALL)
        trial = mv.Claim("mine", "t", "s", own, proof, general=General(more, lambda c: {"z": c.x}))
        assert mv.check(trial, x=5).holds
        if hypotheses:
            assert mv.check(trial, x=-5).verdict is mv.Verdict.NOT_APPLICABLE
        else:
            with pytest.raises(
                ClaimError, match=r"'more' is not more general: 'z . 0' is false of an instance of 'mine'"
            ):
                mv.check(trial, x=-5)
    square = mv.Claim("mine", "t", "s", own, proof, general=General(more, lambda c: {"z": c.x * c.x}))
    assert mv.check(square, x=5).holds  # of the same ingredients, another instance of the general setting


class Optional(mv.Table):
    """A table that may be missing."""

    optional = True


def test_what_need_not_be_given_may_decide_what_a_proof_says():
    """Whether it is there is known of every instance, so the proof is a function of its case all the same."""

    def proof(case):
        yield mv.line("f", case.f)
        if hasattr(case, "extra"):
            yield mv.equal("f + 0 extra", case.f + 0 * case.extra, because="it is")
        yield mv.at_most("f²", case.f * case.f, because="f is an integer")

    setting = mv.Setting("s", (mv.Table("f", lambda _: ()), Optional("extra", lambda _: ())), **SMALL)
    claim = mv.Claim("mine", "t", "s", setting, proof)
    found = [mv.check(claim, f=3, **more) for more in ({}, {"extra": 5}, {}, {"extra": 6})]
    assert [len(evidence.lines) for evidence in found] == [2, 3, 2, 3] and all(evidence.holds for evidence in found)


@pytest.mark.parametrize("last", [False, True])
def test_what_follows_and_is_given_is_compared_also_where_it_stands_last(last):
    parts = (mv.Table("f", lambda _: ()), mv.Derived("double", lambda case: 2 * case.f))
    claim = mv.Claim("mine", "t", "s", mv.Setting("s", parts if last else parts[::-1], **SMALL), holding)
    found = [mv.check(claim, f=3, **more).verdict.value for more in ({}, {"double": 6}, {"double": 7})]
    assert found == ["holds", "holds", "not applicable"]


class Root(Ingredient):
    """``√f``, which leaves the rationals: an ingredient of one's own that is computed."""

    name, optional = "root", True

    def coordinates(self, sizes):  # noqa: ARG002
        return ()

    def core_shape(self, sizes):  # noqa: ARG002
        return None

    def batch_of(self, value):  # noqa: ARG002
        return ()

    def compute(self, case):
        return mv.sqrt(case.f)


def test_what_is_computed_goes_on_in_balls_unless_it_needs_exact_numbers():
    def proof(case):
        yield mv.line("√f", case.root)
        yield mv.at_most("1 + f", 1 + case.f, because="0 ≤ (1 - √f)² + √f")

    setting = mv.Setting("s", (mv.Table("f", lambda _: (), 0, 9), Root()), **SMALL)
    evidence = mv.check(mv.Claim("mine", "t", "s", setting, proof), f=2)
    assert evidence.holds and evidence.arithmetic is System.BALLS


# --- what integers become -----------------------------------------------------------------------------------------------


def test_a_nearby_policy_by_hand():
    """``largest = 1/2`` and weights 1 : 3 give ε = 1/8."""
    setting = mv.Setting("s", (mv.PolicyData("policy"), mv.claims.NearbyPolicy("near", largest=Fraction(1, 2))))
    sizes = mv.Sizes(1, (2, 2))
    numbers = {"policy.1": [[[1, 0]]], "policy.2": [[[1, 1], [0, 1]]], "near.change": [1, 3]}
    numbers |= {"near.1": [[[0, 1]]], "near.2": [[[1, 0], [1, 3]]]}
    near = plain(setting.case(numbers, sizes, System.RATIONALS).near)
    first, second = (factor.tolist() for factor in near.factors)
    assert first == [[list(exact("7/8", "1/8"))]]
    assert second == [[list(exact("9/16", "7/16")), list(exact("1/32", "31/32"))]]


def test_a_scalar_a_discount_and_log_odds_by_hand():
    ingredients = (
        mv.GameData(discount=(Fraction(1, 2), Fraction(3, 4)), scale=3),
        mv.PositiveScalar("beta"),
        mv.LogOdds("odds", lambda _: (2,), times="beta"),
    )
    numbers = {"game.transition": [[[2, 1]]], "game.reward": [[-5]], "game.discount": [1, 3], "game.start": [4]}
    numbers |= {"beta": [3, 7], "odds": [2, 5]}
    case = mv.Setting("s", ingredients).case(numbers, ONE, System.RATIONALS)
    game = plain(case.game)
    found = game.discount, game.transition[0, 0, 0], game.reward[0, 0], game.start[0], plain(case.beta)
    assert list(map(str, found)) == ["9/16", "2/3", "-5/3", "1", "3/7"]
    ratio = plain(mv.exp(case.odds / case.beta))
    assert ratio.tolist() == [2, 5]


def test_tables_of_each_agent_and_step_by_hand():
    sizes = mv.Sizes(1, (2, 1), 2)
    setting = mv.Setting("s", (mv.claims.PrefixTables("f", scale=2), Increments()), steps=(1, 2))
    numbers = {"f.1": [[1, 3]], "f.2": [[5, 7]]}
    numbers |= {f"increments.{k}.{m}": [[1 + k, 2 + m]] for k in (0, 1) for m in (1, 2)}
    case = setting.case(numbers, sizes, System.RATIONALS)
    assert [plain(table).tolist() for table in case.f] == [[list(exact("1/2", "3/2"))], [list(exact("5/2", "7/2"))]]
    assert [plain(mv.exp(table)).tolist() for table in case.increments] == [
        [[1 + k, 2 + m]] for k in (0, 1) for m in (1, 2)
    ]
    assert Increments().steps_of((0,) * 6, sizes) == 3


@pytest.mark.parametrize(
    ("row", "is_one"),
    [([0.9, 0.9], False), ([5.0, 5.0], False), ([0.5, 0.5 + 1e-9], False), ([0.5, 0.4], False), ([0.1, 0.9], True),
     ([0.5, 0.5 + 1e-13], True), (np.array([0.1, 0.9], np.float32), True), (np.array([0.3, 0.7], np.float16), True),
     ([Fraction(9, 10)] * 2, False), ([1, 0], True), ([1, 1], False)],
)  # fmt: skip
def test_what_sums_to_1_up_to_rounding_is_a_distribution_and_nothing_else(row, is_one):
    """A row (.9, .9) was divided by its sum, so that a claim about it held of (1/2, 1/2)."""

    def proof(case):
        yield mv.line("p_0 + p_1", case.p.sum())
        yield mv.equal("1", 1, because="it is a distribution")

    setting = mv.Setting(
        "s", (mv.Distribution("p", lambda _: (2,)),), agents=(1, 1), states=(1, 1), action_range=(1, 1)
    )
    found = mv.check(mv.Claim("mine", "t", "s", setting, proof), p=row).verdict
    assert found is (mv.Verdict.HOLDS if is_one else mv.Verdict.NOT_APPLICABLE)


@pytest.mark.parametrize(
    "discount", [(0, Fraction(3, 2)), (0, 2), (-1, 1), (1, 0), (Fraction(1, 2), Fraction(1, 4)), (2, 2)]
)
def test_a_discount_lies_between_0_and_1(discount):
    with pytest.raises(ClaimError, match=r"is no range within \[0, 1\]"):
        mv.GameData(discount=discount)
    for fine in ((0, 0), (1, 1), (0, Fraction(1, 2))):
        assert mv.GameData(discount=fine).discount == fine
    with pytest.raises(ClaimError, match="must be exact"):
        mv.GameData(discount=(0, 0.5))


@pytest.mark.parametrize("agents", [1, 2])
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_a_batch_of_tables_of_each_agent(agents, batch):
    def proof(case):
        yield mv.line("f^1", case.f[0])
        yield mv.at_most("2 + f^1", 2 + case.f[0], because="0 ≤ 2")

    claim = mv.Claim("mine", "t", "s", mv.Setting("s", (mv.PolicyData("p"), mv.claims.PrefixTables("f"))), proof)
    policy = mv.Policy([np.full((1, 2**m, 2), 0.5) for m in range(agents)])
    tables = tuple(np.arange(float(np.prod((*batch, 1, 2**m)))).reshape(*batch, 1, 2**m) for m in range(1, agents + 1))
    assert np.shape(mv.check(claim, p=policy, f=tables).verdict) == batch
    assert mv.claims.PrefixTables("f").batch_of(tables) == batch
    for ingredient, words in ((mv.claims.PrefixTables("f"), "per agent"), (Increments("f"), "per step and agent")):
        with pytest.raises(ClaimError, match=f"f must be one table {words}, not ndarray"):
            ingredient.convert(np.zeros((1, 2)), System.RATIONALS)


def test_a_start_may_be_missing_from_both_games_and_from_no_other():
    setting = mv.Setting("s", (mv.GameData(start=True), mv.GameData("other", same_as="game", vary=("reward",))))
    claim = mv.Claim("mine", "t", "s", setting, holding)
    bare = mv.Game(transition=np.ones((1, 1, 1)), reward=np.zeros((1, 1)), discount=0.5, action_sizes=(1,))
    begun = bare.with_start([1.0])
    found = [mv.check(claim, game=one, other=two).verdict for one in (bare, begun) for two in (bare, begun)]
    held, failed = mv.Verdict.HOLDS, mv.Verdict.NOT_APPLICABLE
    assert found == [held, failed, failed, held]


# --- settings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({}, 3**4),
        ({"steps": (1, 2)}, 2 * 3**4),
        ({"states": (2, 2)}, 3**8),
        ({"agents": (2, 2), "action_range": (2, 2)}, 3**16),
        ({"states": (1, 2)}, 10**9),
        ({"agents": (1, 2)}, 10**9),
        ({"action_range": (1, 2)}, 10**9),
    ],
)
def test_how_many_instances_there_are(more, count):
    """Four integers from -1 to 1 for each state and joint action; more than one size counts as many."""
    table = mv.Table("f", lambda s: (s.states, 4 * int(np.prod(s.actions))), -1, 1)
    setting = mv.Setting("s", (table,), **(SMALL | more))
    assert setting.instances_at_most(10**9) == count and setting.instances_at_most(81) == 81
    assert setting.instances_at_most(80) == 80


@pytest.mark.parametrize(
    ("sizes", "drawn"),
    [((1, (2, 2)), True), ((3, (2, 4)), True), ((0, (2, 2)), False), ((4, (2, 2)), False), ((2, (2,)), False),
     ((2, (2, 2, 2, 2)), False), ((2, (2, 5)), False), ((2, (5, 2)), False), ((2, (1, 2)), False), ((2, (4, 4, 4)), True)],
)  # fmt: skip
def test_which_sizes_are_drawn(sizes, drawn):
    setting = mv.Setting("s", (mv.GameData(),), agents=(2, 3), states=(1, 3), action_range=(2, 4), steps=(1, 2))
    assert setting.draws(mv.Sizes(*sizes)) == drawn and setting.draws(mv.Sizes(*sizes, EVERY)) == drawn


@pytest.mark.parametrize("what", ["agents", "states", "action_range"])
@pytest.mark.parametrize("given", [(0, 1), (2, 1), (1,), (1, 2, 3), [1, 2]])
def test_ranges_of_a_setting(what, given):
    with pytest.raises(ClaimError, match=rf"{what} = .*; it must be \(smallest, largest\), from 1 on"):
        mv.Setting("s", (mv.GameData(),), **{what: given})
    assert getattr(mv.Setting("s", (mv.GameData(),), **{what: (2, 2)}), what) == (2, 2)


def test_what_a_setting_is_made_of():
    table, hypothesis = mv.Table("f", lambda _: ()), mv.Hypothesis("h", lambda case: case.f > 0)
    for parts, words in (
        (((table, hypothesis), ()), "is no Ingredient"), (((hypothesis, table), ()), "is no Ingredient"),
        (((mv.GameData,), ()), r"is no Ingredient; write GameData\(...\)"), ((table, ()), r"must be in a tuple: \(Ingredient"),
        (((table,), (hypothesis, table)), "is no Hypothesis"), (((table,), (table, hypothesis)), "is no Hypothesis"),
        (((table,), hypothesis), r"must be in a tuple: \(Hypothesis"), (((table, table), ()), "names an ingredient twice"),
        (((table, mv.Table("sizes", lambda _: ())), ()), "'sizes' is taken by Case"),
    ):  # fmt: skip
        with pytest.raises(ClaimError, match=words):
            mv.Setting("s", *parts)
    assert mv.Setting("s", [table], [hypothesis]).hypotheses == (hypothesis,)


def test_the_length_of_a_run_is_told_by_what_has_it():
    setting = mv.Setting("s", (mv.PolicyData("p"), Increments(), mv.PositiveScalar("x")), steps=(4, 9))
    policy = mv.Policy([np.full((1, 1, 2), 0.5)])
    logits = tuple(np.zeros((1, 2)) for _ in range(3))
    assert setting.case_from({"p": policy, "increments": logits, "x": 1.0}, System.RATIONALS).sizes.steps == 3
    last = mv.Setting("s", (mv.PolicyData("p"), Increments()), steps=(4, 9))
    assert last.case_from({"p": policy, "increments": logits}, System.RATIONALS).sizes.steps == 3
    free = mv.Setting("s", (mv.PositiveScalar("x"),), steps=(4, 9))
    assert [free.case_from({"x": 1.0}, System.RATIONALS, k).sizes.steps for k in (None, 9)] == [4, 9]


def test_shapes_of_tables_find_the_sizes():
    """Without a game or a policy: three states and two actions, whatever the order of what is given."""
    setting = mv.Setting("s", (mv.Distribution("d"), mv.Table("t", lambda s: (s.states, *s.actions))))
    case = setting.case_from({"d": np.full(3, Fraction(1, 3)), "t": np.zeros((3, 2), int)}, System.RATIONALS)
    assert case.sizes == mv.Sizes(3, (2,)) and case.several == ()
    batch = setting.case_from({"d": np.full(3, Fraction(1, 3)), "t": np.zeros((7, 3, 2), int)}, System.RATIONALS)
    assert batch.several == (7,)
    for wrong in (np.zeros((2, 2), int), np.zeros(2, int), np.zeros((), int)):
        with pytest.raises(ClaimError, match=r"the shapes do not fit .*needs \["):
            setting.case_from({"d": np.full(3, Fraction(1, 3)), "t": wrong}, System.RATIONALS)


# --- runs ---------------------------------------------------------------------------------------------------------------


def test_every_iterate_is_looked_at():
    """``x, 2x + 1, ...``: each comes from the one before, with the number of its step."""
    seen = []

    def update(case, x, k):  # noqa: ARG001
        seen.append(k)
        return 2 * x + k

    setting = mv.Setting(
        "s", (mv.PositiveScalar("x"), mv.claims.Iterates("run", update, start="x")), **SMALL, steps=(3,)
    )
    case = setting.case({"x": [3, 1]}, mv.Sizes(1, (1,), 3), System.RATIONALS)
    assert [plain(x) for x in case.run] == [3, 6, 13, 28] and seen == [0, 1, 2]


@pytest.mark.parametrize(("power", "stops"), [(19_998, 2), (20_000, 1), (9_999, 2)])
def test_a_rational_that_is_too_long_names_its_step(power, stops):
    """``2^p`` has ``p + 1`` bits, and 20,000 are allowed."""

    def update(case, x, k):  # noqa: ARG001
        return 2**power * x if k == 0 else 4 * x if power == 19_998 else x * x * 4

    setting = mv.Setting(
        "s", (mv.PositiveScalar("x"), mv.claims.Iterates("run", update, start="x")), **SMALL, steps=(2,)
    )
    with pytest.raises(
        ExactnessError, match=f"run: after {stops} steps a rational has 200[0-9]{{2}} bits; balls go on"
    ):
        _ = setting.case({"x": [1, 1]}, mv.Sizes(1, (1,), 2), System.RATIONALS).run


def test_twenty_thousand_bits_are_short_enough():
    setting = mv.Setting("s", (mv.PositiveScalar("x"),), **SMALL)
    case = setting.case({"x": [1, 1]}, ONE, System.RATIONALS)
    _require_short((2**19_999 * case.x,), "run", 1)
    _require_short((), "run", 1)
    batch = setting.case({"x": np.array([[1, 1], [1, 2]])}, ONE, System.RATIONALS)
    with pytest.raises(ExactnessError, match="after 7 steps a rational has 20001 bits"):
        _require_short((case.x, 2**20_000 * batch.x), "run", 7)


@pytest.mark.parametrize(("others", "all_of_them"), [(7_000, False), (9_999, False), (10_000, True), (20_000, True)])
def test_where_all_instances_are_half_as_long_none_is_looked_at_alone(others, all_of_them):
    """``2^p`` has ``p + 1`` bits; 20,000 are allowed, and half of that is nearly too long."""
    setting = mv.Setting("s", (mv.Table("x", lambda _: (2,)),), **SMALL)
    case = setting.case({"x": np.array([[1, 0], [1, 0], [1, 0]])}, ONE, System.RATIONALS)
    longest = like([2**20_000, 2**others, 2**others], System.RATIONALS)
    numbers = case.x._each(lambda table: np.stack([longest, table[1]]))
    with pytest.raises(ExactnessError, match="a rational has 20001 bits") as found:
        _require_short((numbers,), "run", 1)
    assert isinstance(found.value, TooLongError) == all_of_them


def test_a_hypothesis_of_a_run_may_be_plainly_true():
    """One that speaks of no number of the case is the same in every step."""
    setting = mv.Setting(
        "s", (mv.Table("x", lambda _: (), 0, 9), mv.Table("d", lambda _: (), 0, 9, moves=True),
              Arbitrary(mv.Table("any", lambda _: (), 0, 99))),
        (mv.Hypothesis("plain", lambda _: True),), **SMALL, steps=(1, 2, 3),
    )  # fmt: skip

    def proof(case):
        run = mv.claims.Run(case, case.x, lambda own, x: x + own.d, lambda moved: moved, "any")
        yield mv.line("Σ d", run.sum(lambda step: step.following - step.state))
        yield mv.equal("x_K - x_0", run.last(lambda place: place.state - case.x), because="the sum telescopes")

    claim = mv.Claim("mine", "t", "s", setting, proof, symbolic=(mv.Sizes.every_length(1, (1,)),))
    assert mv.audit([claim])["mine"].standing is mv.Standing.PROVED


@pytest.mark.parametrize("last", [False, True])
def test_what_moves_along_a_run_is_taken_from_its_step(last):
    parts = [mv.Table("x", lambda _: ()), Arbitrary(mv.Table("anywhere", lambda _: ()))]
    parts.insert(2 if last else 1, mv.Table("d", lambda _: (), moves=True))

    def proof(case):
        run = mv.claims.Run(case, case.x, lambda own, x: x + own.d, lambda moved: moved, "anywhere")
        yield mv.line("Σ d", run.sum(lambda _: case.d))
        yield mv.equal("x_K - x_0", run.last(lambda place: place.state - case.x), because="the sum telescopes")

    setting = mv.Setting("s", tuple(parts), **SMALL, steps=(1, 2))
    claim = mv.Claim("mine", "t", "s", setting, proof, symbolic=(mv.Sizes.every_length(1, (1,)),))
    with pytest.raises(ClaimError, match="d is another one in every step of a run"):
        mv.audit([claim])


def test_what_may_be_done_with_sums_over_a_run():
    """Of vectors: entries, sums, differences, multiples and quotients; proved for every length and true of each."""
    ingredients = (
        mv.Table("x", lambda _: (2,)),
        mv.Table("d", lambda _: (2,), moves=True),
        Arbitrary(mv.Table("anywhere", lambda _: (2,))),
    )

    def proof(case):
        run = mv.claims.Run(case, case.x, lambda own, x: x + own.d, lambda moved: moved, "anywhere")
        total = run.sum(lambda step: step.following - step.state)
        yield mv.line("Σ d_0", total[0])
        yield mv.equal("(3 Σ d_0)/3", 3 * total[0] / 3, because="3/3 = 1")
        yield mv.equal("-(-Σ d_0 · 2)/2", -(-total[0] * 2) / 2, because="so are signs")
        yield mv.equal("Σ (d_0 + d_1) - Σ d_1", total.sum() - total[1], because="sums are linear")
        yield mv.equal("x_K - x_0", run.last(lambda place: place.state - case.x)[0], because="the sum telescopes")
        yield mv.equal("x_K - x_0 + c - c", total[0] + run.fixed(case.x[1]) - run.fixed(case.x[1]), because="c - c = 0")

    setting = mv.Setting("s", ingredients, **SMALL, steps=(1, 2, 3))
    claim = mv.Claim("mine", "t", "s", setting, proof, symbolic=(mv.Sizes.every_length(1, (1,)),))
    assert mv.audit([claim])["mine"].standing is mv.Standing.PROVED


# --- claims -------------------------------------------------------------------------------------------------------------

NUMBER = mv.Setting("a number", (mv.Table("f", lambda _: ()),), **SMALL)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ((), "yields no line"),
        ((mv.equal("f", 0, "so"), mv.line("g", 0)), "'f' has nothing to stand on"),
        ((mv.line("f", 0),), "no line relates to another"),
        ((mv.line("f", 0), mv.line("g", 0)), "no line relates to another"),
    ],
)
def test_lines_that_claim_nothing(lines, complaint):
    with pytest.raises(ClaimError, match=complaint):
        mv.check(mv.Claim("mine", "t", "s", NUMBER, lambda _: iter(lines)), f=1)


def test_two_lines_are_enough():
    assert mv.check(mv.Claim("mine", "t", "s", NUMBER, holding), f=1).holds


def test_trying_out_an_error_takes_registered_claims():
    assert try_out("lemma-b.6", 8, 0) is None


def test_coordinates_are_integers():
    for wrong in ({"low": 0.5}, {"high": 9.5}, {"low": True}, {"shape": [3]}, {"low": 10}):
        with pytest.raises(ClaimError, match=r"x (ranges|has the shape)"):
            replace(Coordinate("x", (), "integer", 0, 9), **wrong)
    assert replace(Coordinate("x", (), "integer", 0, 9), low=9).low == 9


def test_a_count_that_is_no_free_number():
    """``Σ (2k - 1) = K²`` for every K; but not where the number of steps is one of the instance."""

    def claim(count):
        anywhere = Arbitrary(mv.Table("anywhere", lambda _: (), 0, 99))

        def proof(case):
            run = mv.claims.Run(case, case.x, lambda _, x: x, lambda moved: moved, "anywhere", "count")
            yield mv.line("Σ (2k - 1)", run.sum(lambda step: 2 * step.count - 1))
            yield mv.equal("K²", run.last(lambda place: place.index * place.index), because="k² - (k - 1)² = 2k - 1")

        setting = mv.Setting("s", (mv.Table("x", lambda _: (), 0, 9), anywhere, count), **SMALL, steps=(1, 2, 3))
        return mv.Claim("mine", "t", "s", setting, proof, symbolic=(mv.Sizes.every_length(1, (1,)),))

    free = Arbitrary(mv.Table("count", lambda _: (), 1, 99))
    assert mv.audit([claim(free)])["mine"].standing is mv.Standing.PROVED
    with pytest.raises(ClaimError, match="count is to be any one along the run, and no Arbitrary"):
        mv.audit([claim(mv.Derived("count", lambda case: case.x))])


# --- what a setting and a user's own tables may be ------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [(0,), (0, 2), (-1,), (), (1.5,), ("a",), (True,), 3, None])
def test_runs_have_at_least_one_step(steps):
    with pytest.raises(
        mv.errors.ClaimError, match=r"steps = .*; it must be the lengths of runs that are drawn, from 1 on"
    ):
        mv.Setting("runs", (mv.Table("f", lambda _: (2,)),), steps=steps)


def prefix_claim(*more):
    def proof(case):
        yield mv.line("f² of the joint action", case.f[1])
        yield mv.at_most("4", 4, because="it holds for 4, and for no larger number")

    one = {"agents": (2, 2), "states": (1, 1), "action_range": (2, 2)}
    return mv.Claim("mine", "t", "s", mv.Setting("tables", (mv.claims.PrefixTables("f"), *more), **one), proof)


@pytest.mark.parametrize("several", [tuple, list])
@pytest.mark.parametrize("table", [np.array, lambda rows: rows, lambda rows: [[Fraction(x) for x in rows[0]]]])
def test_tables_for_every_prefix_are_a_list_or_a_tuple(several, table):
    small, large = several([table([[1, 2]]), table([[1, 2, 3, 4]])]), several([table([[1, 2]]), table([[1, 2, 3, 5]])])
    assert mv.check(prefix_claim(), f=small).verdict is mv.Verdict.HOLDS
    assert mv.check(prefix_claim(), f=large).verdict is mv.Verdict.VIOLATED


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        ([], "f has no tables; it needs one for each agent"),
        ((1, 2), r"f\[0\] has shape \(\); it needs \[\.\.\., S, \|A_1\|···\|A_m\|\]"),
        (([[1, 2]], [["1", "2"]]), r"f\[1\] has dtype <U1"),
        (([[1, 2]], [[1, 2], [3]]), r"f\[1\] is ragged"),
        ((np.ma.array([[1, 2]], mask=[[0, 1]]), [[1] * 4]), r"f\[0\] is a masked array"),
        (([[1.0, 2.0]], [[Fraction(1)] * 4]), r"f\[0\] is in floats, f\[1\]\[0, 0\] is in rationals"),
        (([[1, 2]], [[1, np.inf, 1, 1]]), r"f\[1\]\[0, 1\] = inf is not finite"),
        (None, "f: builtins.NoneType is not a number"),
    ],
)
def test_wrong_tables_are_named(tables, reason):
    with pytest.raises(mv.errors.MappoVerifyError, match=reason):
        mv.check(prefix_claim(), f=tables)


def test_what_follows_is_left_out():
    both = mv.Derived("q", lambda case: (case.f[0], case.f[1]))
    with pytest.raises(
        mv.errors.ClaimError, match=r"q is ragged: .*; q follows from the other ingredients, so leave it out"
    ):
        mv.check(prefix_claim(both), f=([[1, 2]], [[1] * 4]), q=[[[1, 2]], [[1] * 4]])


def test_what_counts_is_an_integer():
    """``n ≤ n²`` holds of integers and not of 1/2, which is no instance."""

    def proof(case):
        yield mv.line("n", case.n)
        yield mv.at_most("n²", case.n * case.n, because="n ≥ 1")

    trial = mv.Claim("mine", "t", "s", mv.Setting("n", (PositiveIntegers("n", lambda _: ()),), **SMALL), proof)
    assert mv.check(trial, n=3).holds and mv.check(trial, n=3.0).holds and mv.check(trial, n=exact(3)[0]).holds
    for half in (0.5, Fraction(1, 2)):
        with pytest.raises(ClaimError, match="n has the entry 1/2, which is no integer"):
            mv.check(trial, n=half)
    with pytest.raises(ClaimError, match="counts has the entry 1/4, which is no integer"):
        Counts("counts").convert([[[0.25, 1]]], System.RATIONALS)
