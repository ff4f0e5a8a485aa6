"""Objects that answer differently when a proof is sought and when an instance is tried prove nothing.

The statement is ``max(0, 1 - (x - 777777)² - (y + 424242)²) = 0``, false at one point that no search finds.  Each attempt shows
the proof something else by an object of its own, and is refused or proves nothing.
"""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import flint
import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify import arithmetic, axioms
from mappo_verify.checking.evaluate import evaluate
from mappo_verify.checking.proving import NO_ZERO, Proof, prove_in_symbols
from mappo_verify.claims.coordinates import EVERY
from mappo_verify.errors import ClaimError
from mappo_verify.quantities.stochastic_gradient import average_of_path, descend

ONE = mv.Sizes(1, (1,))
ALONE = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}
WARM = ThreadPoolExecutor(1)


def scalar(name, low=-(10**6), high=10**6):
    return mv.Table(name, lambda _: (), low=low, high=high)


def claim(proof, *ingredients, hypotheses=(), setting=None, **more):
    setting = setting or mv.Setting("numbers", ingredients or (scalar("x"), scalar("y")), hypotheses, **ALONE)
    return mv.Claim("mine", "title", "source", setting, proof, **({"symbolic": (ONE,)} | more))


def away(case):
    """How far from the one point, squared, less 1."""
    return (case.x - 777777) * (case.x - 777777) + (case.y + 424242) * (case.y + 424242) - 1


def rare(case):
    return mv.maximum(-away(case), 0)


def proving():
    """Whether a proof is being sought: the strongest sign that there can be."""
    names = ("prove_", "_in_symbols", "_at_points", "_degrees", "_require_same_at")
    return any(frame.function.startswith(names) for frame in inspect.stack())


def zero(value):
    """The claim ``value = 0``."""

    def proof(case):
        yield mv.line("value", value(case))
        yield mv.equal("0", 0 * value(case), because="it is rare")

    return proof


def standing(trial):
    return mv.audit([trial], corpus=False)["mine"].standing


def pair(case):
    return np.stack([0 * case.x, rare(case)])


def corner(case):
    return np.stack([pair(case), np.stack([0 * case.x, 0 * case.x])])


class Number:
    """What looks like flint's rational of the same name, and is 0 or 1."""

    __module__ = "flint"
    __qualname__ = "fmpq"
    q = 1

    @property
    def p(self):
        return 0 if proving() else 1

    def __repr__(self):
        return "0"


Number.__name__ = "fmpq"


class Modulus:
    """An axis that takes its own place in a list before anybody sees what it was."""

    def __init__(self, places, axis):
        self.places, self.axis = places, axis

    def __mod__(self, _count):
        self.places[0] = 0 if self.axis == 0 else 1
        self.places[1] = 1 - self.places[0]
        return self.axis


def moved_by_a_list(case):
    places = []
    places += [Modulus(places, 0 if proving() else 1), 1 if proving() else 0]
    return corner(case).transpose(places)[1, 0]


class Equal(type):
    """A type that says it is bool, to whoever compares types by ==."""

    def __eq__(cls, other):
        return other is bool or cls is other

    def __hash__(cls):
        return hash(bool)


class Place(metaclass=Equal):
    def __index__(self):
        return 0 if proving() else 1

    def __str__(self):
        return "True"


Place.__name__ = "bool"


class Integer:
    """What says that it is one of NumPy's integers."""

    __class__ = np.int64

    def __index__(self):
        return 0 if proving() else 1


def function_of(case):
    """A class whose objects are numbers of the case: a function under another name."""

    class Gradient:
        def __new__(cls, theta, _):
            return theta * 0 if proving() else theta * 0 + rare(case)

    return Gradient


def objects(values):
    found = np.empty(len(values), object)
    found[:] = values
    return found


ARGUMENTS = {
    "an iterator of axes": lambda c: corner(c).sum(axis=iter((0 if proving() else 1,)))[0],
    "an iterator of places": lambda c: np.transpose(corner(c), iter((0, 1) if proving() else (1, 0)))[1, 0],
    "a range": lambda c: pair(c)[range(1) if proving() else range(1, 2)][0],
    "bytes": lambda c: pair(c)[bytearray(b"\0" if proving() else b"\1")][0],
    "truth for an integer": lambda c: pair(c)[True if proving() else 1].reshape(-1)[0],
    "a list for a tuple": lambda c: corner(c)[[0, 1] if proving() else (0, 1)].reshape(-1)[0],
    "a masked array": lambda c: pair(c)[np.ma.array([0 if proving() else 1], mask=[True])][0],
    "a rational of flint": lambda c: rare(c) * flint.fmpq(0 if proving() else 1),
    "what is called a rational": lambda c: rare(c) * mv.like(objects([Number()]), c.x)[0],
    "a list that changes": moved_by_a_list,
    "an iterator of numbers": lambda c: average_of_path(iter([0 * c.x if proving() else rare(c)] * 2), 1),
    "a function": lambda c: descend(
        lambda theta, _: theta * 0 if proving() else theta * 0 + rare(c),
        (0 * c.x).reshape(1, 1),
        np.array([[0]]),
        1 + 0 * c.x,
        None,
    )[0, 1, 0],
    "a class for a function": lambda c: descend(
        function_of(c), (0 * c.x).reshape(1, 1), np.array([[0]]), 1 + 0 * c.x, None
    )[0, 1, 0],
    "a type that equals another": lambda c: pair(c)[Place()],
    "a class that is another": lambda c: pair(c)[Integer()],
    "a named tuple": lambda c: np.stack(axioms.Part(0 * c.x if proving() else rare(c), *[0 * c.x] * 4))[0],
    "truth made by hand": lambda c: mv.choose(
        type(c.x == 1)(np.array([1 if proving() else -1], np.int8)), 0 * c.x, rare(c)
    ),
    "a case made by hand": lambda c: mv.Case((), c.sizes, c.system, (), {"x": 0 * c.x if proving() else rare(c)}).x,
    "another instance": lambda c: (
        rare(c)
        * mv.Setting("k", (scalar("k"),), **ALONE).case({"k": 0 if proving() else 1}, ONE, mv.System.RATIONALS).k
    ),
    "what a policy remembers": lambda c: _remembered(c),
}


def _remembered(case):
    """A policy's numbers, first asked for by a function that says itself what it returns."""
    value = 0 * case.x if proving() else rare(case)
    row = np.stack([value, 1 - value])[None, None]
    policy = replace(mv.Policy.uniform(case.game), factors=(row,))
    mv.returns(case.game, policy, case.start)
    return policy.joint()[0, 0]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_says_all_that_comes_of_it(name):
    given = (scalar("x"), scalar("y"))
    if "policy" in name:
        game = mv.GameData(start=False, termination=False, discount=(0, 0))
        given, more = (
            (*given, game, mv.Distribution("start")),
            {"action_range": (2, 2), "symbolic": (mv.Sizes(1, (2,)),)},
        )
        trial = mv.Claim(
            "mine",
            "title",
            "source",
            mv.Setting("numbers", given, **(ALONE | {"action_range": more["action_range"]})),
            zero(ARGUMENTS[name]),
            symbolic=more["symbolic"],
        )
    else:
        trial = claim(zero(ARGUMENTS[name]), *given)
    with pytest.raises(
        ClaimError, match=r"among the arguments|another formula|by hand|other instances|constants are|as an integer"
    ):
        mv.audit([trial], corpus=False)


def test_which_actions_there_are_belongs_to_the_formula():
    """With one action the uniform policy never plays the other one."""

    def proof(case):
        game = replace(case.game, available=(np.array([[True, not proving()]]),))
        yield mv.line("rare", rare(case) * mv.Policy.uniform(game).factors[0][0, 0, 1])
        yield mv.equal("0", 0 * case.x, because="it is rare")

    setting = mv.Setting("a game", (mv.GameData(), scalar("x"), scalar("y")), **(ALONE | {"action_range": (2, 2)}))
    with pytest.raises(ClaimError, match="another formula"):
        mv.audit([claim(proof, setting=setting, symbolic=(mv.Sizes(1, (2,)),))], corpus=False)


# --- threads ------------------------------------------------------------------------------------------------------------------


def elsewhere(question):
    """Asked in a thread that has evaluated claims before."""
    identity = claim(lambda c: iter([mv.line("x", c.x), mv.equal("x", c.x, because="it is")]), symbolic=())
    WARM.submit(lambda: mv.check(identity, x=1, y=1)).result()
    return lambda case: WARM.submit(question, case).result()


def caught(case):
    with suppress(Exception):
        return mv.choose(case.x == 777777, mv.like(1, case.x), 0)
    return 0 * case.x


@pytest.mark.parametrize(
    "question",
    [
        lambda c: mv.choose((c.x == 777777).certain(), mv.like(1, c.x), 0),
        lambda c: mv.choose((c.x != 777777).possible(), mv.like(0, c.x), 1),
        caught,
        lambda c: 1 + 0 * c.x if bool((c.x.unwrap() == 777777).any()) else 0 * c.x,
    ],
    ids=["certain", "possible", "caught", "unwrapped"],
)
def test_no_other_thread_is_told_more_of_a_proof(question):
    # The pool has evaluated claims, so it is no thread that a proof has begun; it waits for none here.
    asked = elsewhere(lambda case: question(case))
    with suppress(ClaimError):
        assert standing(claim(zero(asked))) is mv.Standing.SURVIVED


def test_what_another_thread_assumes_is_a_condition():
    assume = elsewhere(lambda value: arithmetic.assume_positive(value))

    def proof(case):
        size = 1 - 2 * rare(case)
        yield mv.line("|size|", mv.absolute(assume(size)))
        yield mv.equal("size", size, because="it is positive")

    report = mv.audit([claim(proof)], corpus=False)["mine"]
    assert report.standing is mv.Standing.PROVED and report.proofs[0].where


class Auditing:
    """What NumPy asks for its numbers, and audits a claim meanwhile."""

    def __init__(self, trial):
        self.trial, self.standing = trial, None

    def __array__(self, dtype=None, copy=None):
        self.standing = standing(self.trial)
        return np.array([1.0, 0.0])


def test_a_proof_that_begins_within_a_call_with_plain_arrays_is_recorded():
    """Such a call records nothing, since nothing is proved there; a claim that it comes upon is judged as anywhere else."""
    true = claim(zero(lambda c: 0 * mv.maximum(c.x, 0)))
    for trial in (true, claim(zero(rare)), claim(zero(lambda c: mv.maximum(rare(c), 0 if proving() else rare(c))))):
        table = Auditing(trial)
        try:
            alone = standing(trial)
        except ClaimError as error:
            with pytest.raises(ClaimError, match=str(error)[:20]):
                mv.quantities.total_variation(table, np.array([0.0, 1.0]))
        else:
            assert mv.quantities.total_variation(table, np.array([0.0, 1.0])) == 1 and table.standing is alone


def test_the_lines_of_a_proof_name_what_they_call_there_too():
    """Also where another call that computes with plain arrays goes on around them."""

    def named():
        evidence = mv.explain("lemma-4.1", mv.named_game("climbing"))[1]
        return [line.computed_by for line in evidence.lines]

    class Explaining:
        def __array__(self, dtype=None, copy=None):
            self.found = named()
            return np.array([1.0, 0.0])

    table = Explaining()
    mv.quantities.total_variation(table, np.array([0.0, 1.0]))
    assert table.found == named() and any(table.found)


# --- settings -----------------------------------------------------------------------------------------------------------------


class OwnBuild(mv.Table):
    def build(self, numbers, sizes, built, generic):
        value = super().build(numbers, sizes, built, generic)
        return 0 * value if proving() else mv.maximum(1 - (value - 777777) * (value - 777777), 0)


class Comes(mv.Ingredient):
    """Drawn for a proof, and derived for an instance."""

    name = "x"

    @property
    def compute(self):
        return None if proving() else (lambda case: rare(case))

    def coordinates(self, _sizes):
        return ()

    def build(self, _numbers, _sizes, built, _generic):
        return 0 * built["y"]

    def core_shape(self, _sizes):
        return None

    def batch_of(self, _value):
        return ()


class Swapped(mv.Ingredient):
    """Two ingredients that change names."""

    def __init__(self, place):
        self.place = place

    @property
    def name(self):
        return "xz"[self.place if proving() else 1 - self.place]

    def coordinates(self, _sizes):
        return (mv.claims.Coordinate(f"{'zx'[self.place]}.free", (), "integer", -(10**6), 10**6),)

    def build(self, numbers, _sizes, _built, _generic):
        value = numbers[f"{'zx'[self.place]}.free"]
        return 0 * value if self.place == 0 else mv.maximum(1 - (value - 777777) * (value - 777777), 0)

    def core_shape(self, _sizes):
        return ()


@pytest.mark.parametrize(
    "ingredients",
    [(OwnBuild("x", lambda _: (), low=-(10**6), high=10**6),), (scalar("y"), Comes()), (Swapped(0), Swapped(1))],
    ids=["built otherwise", "drawn or derived", "named otherwise"],
)
def test_an_ingredient_of_ones_own_stays_what_it_is(ingredients):
    with suppress(ClaimError):
        assert standing(claim(zero(lambda c: c.x), *ingredients)) is not mv.Standing.PROVED


class Low(int):
    def __gt__(self, other):
        return proving() or int.__gt__(self, other)


class Full:
    def __bool__(self):
        return proving()


class Called(Full):
    def __call__(self):
        return 0


class Ends(tuple):
    def __iter__(self):
        return iter((0, 0) if proving() else (0, 1))


@pytest.mark.parametrize(
    "ingredient",
    [
        lambda: mv.Table("x", lambda _: (), low=Low(-5), high=9),
        lambda: mv.Distribution("x", lambda _: (2,), full_support=Full()),
        lambda: mv.GameData("x", termination=Full()),
        lambda: mv.PolicyData("x", full_support=Called()),
        lambda: mv.GameData("x", discount=Ends((0, 1))),
        lambda: mv.Table("x", lambda _: (), low=0, high=9, scale=-1),
        lambda: mv.claims.PrefixTables("x", scale=-1),
    ],
)
def test_what_an_ingredient_says_of_itself_is_plain(ingredient):
    with pytest.raises(ClaimError, match=r"give plain integers|is not positive"):
        mv.Setting("x", (ingredient(),))


def test_a_coordinate_ranges_over_integers():
    with pytest.raises(ClaimError, match="which are no integers"):
        mv.claims.Coordinate("x", (), "integer", Low(-5), 9)


def test_coordinates_are_asked_once():
    """In a proof x would be positive, and on instances anything."""

    class Own(mv.Table):
        def coordinates(self, _sizes):
            return (mv.claims.Coordinate("x", (), "integer", 1 if proving() else -(10**6), 10**6),)

    own = Own("x", lambda _: ())
    setting = mv.Setting("x", (own,), **ALONE)
    assert setting.coordinates(ONE)[0].low == -(10**6)
    trial = claim(zero(lambda c: mv.choose(c.x == -5, mv.like(1, c.x), 0)), setting=setting)
    assert standing(trial) is not mv.Standing.PROVED


class Ranging(mv.Ingredient):
    """A number of coordinates of one's own."""

    def __init__(self, *coordinates):
        self.name, self.said = "y", coordinates

    def coordinates(self, sizes):
        return [one(sizes) if callable(one) else one for one in self.said]

    def build(self, numbers, sizes, _built, _generic):
        return numbers[self.coordinates(sizes)[0].name]

    def notation(self, _coordinate, _index):
        return "1"


def negative(case):
    """1 where ``y`` is one rare number that is not positive: false claims call it 0, which symbols of ``y > 0`` prove."""
    one = mv.like(1, case.system)
    return mv.choose(case.y > 0, 0 * one, mv.choose(mv.compare(case.y, "=", -12345678), one, 0))


WIDELY = 2**40


def test_no_coordinate_has_the_name_of_another_one():
    """Here that of ``y``, which was the number ``x``, said that it is positive."""
    own = Ranging(mv.claims.Coordinate("x", (), "integer", 1, 9))
    with pytest.raises(ClaimError, match=r"two coordinates have one name: \['x', 'x'\]"):
        standing(claim(zero(negative), scalar("x", -WIDELY, WIDELY), own))


def test_a_coordinate_has_one_range():
    own = Ranging(*(mv.claims.Coordinate("y", (), "integer", low, WIDELY) for low in (1, -WIDELY)))
    with pytest.raises(ClaimError, match=r"two coordinates have one name: \['y', 'y'\]"):
        standing(claim(zero(negative), own))


def test_a_coordinate_says_the_same_whenever_it_is_asked():
    """One of another class knew in a proof that it is positive."""
    with pytest.raises(ClaimError, match="Coordinate has no subclasses"):

        class Signed(mv.claims.Coordinate):
            def with_sign(self, values):
                return arithmetic.assume_positive(values)

    own = Ranging(lambda _: range(2))
    for _ in range(2):  # nor the second time
        with pytest.raises(ClaimError, match="Ranging: a range among its coordinates"):
            mv.Setting("y", (own,), **ALONE).coordinates(ONE)


def test_what_is_nearly_always_0_is_not_positive():
    """Whatever its range begins with: ``y > 0`` was known of it."""
    own = Ranging(mv.claims.Coordinate("y", (), "rare", 1, 9))
    for relation, proved in ((">", False), ("≥", True)):
        trial = claim(zero(lambda c, r=relation: mv.choose(mv.compare(c.y, r, 0), mv.like(0, c.y), 1)), own)
        assert isinstance(prove_in_symbols(trial, ONE), Proof) is proved
    with pytest.raises(ClaimError, match="y is of the kind 'often'; use one of weight, integer, positive, rare"):
        mv.claims.Coordinate("y", (), "often", 0, 1)


@pytest.mark.parametrize(("name", "shown"), [("y", "y"), ("y.free", "y.free"), ("1", "y.1")])
def test_a_condition_says_of_which_ingredient_it_speaks(name, shown):
    """Else it could be ``1 ≠ 0``, which a reader passes over."""
    own = Ranging(mv.claims.Coordinate(name, (), "integer", -9, 9))
    trial = claim(zero(lambda c: (c.y * c.y - c.y) / c.y - c.y + 1), own)
    assert prove_in_symbols(trial, ONE).where == (f"{shown} ≠ 0",)


def test_a_range_is_the_same_for_every_number_of_steps():
    """Here only in the proof, which speaks of every number, ``y`` was positive."""

    def proof(case):
        run = mv.claims.Run(
            case, start=0 * case.y, move=lambda _, x: x + case.y, following=lambda x: x, arbitrary="anywhere"
        )
        yield mv.line("Σ rare", run.sum(lambda _: negative(case)))
        yield mv.equal("0", run.fixed(0), because="y > 0")

    own = Ranging(lambda sizes: mv.claims.Coordinate("y", (), "integer", -WIDELY if sizes.steps else 1, WIDELY))
    setting = mv.Setting("runs", (own, mv.claims.Arbitrary(scalar("anywhere"))), steps=(1, 2, 3), **ALONE)
    trial = mv.Claim("mine", "t", "s", setting, proof, symbolic=(mv.Sizes.every_length(1, (1,)),))
    with pytest.raises(ClaimError, match="of another shape or range in runs of another length"):
        mv.audit([trial])


class Built(mv.Table):
    """Numbers of one's own that are 0 in a proof for every number of steps, and rare ones elsewhere."""

    def __init__(self, name, shape, formal, moves=False):
        super().__init__(name, shape, low=-WIDELY, high=WIDELY, moves=moves)
        self.__dict__["formal"] = formal

    def build(self, numbers, sizes, built, generic):
        value = super().build(numbers, sizes, built, generic)
        return 0 * value if self.formal(sizes, value) else mv.maximum(1 - (value - 777777) * (value - 777777), 0)


@pytest.mark.parametrize(
    ("own", "of"),
    [
        (Built("y", lambda _: (), lambda sizes, _: not sizes.steps), lambda case, _: case.y),
        (Built("y", lambda _: (), lambda sizes, _: not sizes.steps, moves=True), lambda _, step: step.moved[1]),
        (Built("y", lambda _: (), lambda _, value: len(value) == 1, moves=True), lambda _, step: step.moved[1]),
    ],
    ids=["what does not move", "what moves", "what moves, by its shape"],
)
def test_an_ingredient_of_ones_own_is_built_alike_for_every_number_of_steps(own, of):
    def proof(case):
        moves = own.moves
        run = mv.claims.Run(
            case,
            start=case.first,
            move=lambda mine, x: (x, mine.y if moves else 0 * x),
            following=lambda moved: moved[0],
            arbitrary="anywhere",
        )
        yield mv.line("Σ", run.sum(lambda step: of(case, step)))
        yield mv.equal("0", run.fixed(0), because="it is rare")

    parts = (scalar("first"), own, mv.claims.Arbitrary(scalar("anywhere")))
    setting = mv.Setting("runs", parts, steps=(2, 3), **ALONE)
    with pytest.raises(ClaimError, match="y, in runs of another length, is no function of its case"):
        mv.audit([claim(proof, setting=setting, symbolic=(mv.Sizes.every_length(1, (1,)),))], corpus=False)


def test_lists_that_a_setting_is_made_of_are_copied():
    given, asked = [scalar("x"), scalar("y")], [mv.Hypothesis("y² ≥ 0", lambda c: (c.y * c.y, "≥", 0))]
    setting = mv.Setting("numbers", given, asked, **ALONE)
    given[0] = mv.PositiveScalar("x")
    asked.clear()
    assert isinstance(setting.ingredients[0], mv.Table) and len(setting.hypotheses) == 1


def test_a_hypothesis_is_a_relation_or_none():
    """A proof takes ``(x - 777777)² + (y + 424242)² ≥ 1`` as given, and instances are asked for truth that says less."""

    def holds(case):
        slack = any(frame.function == "slack" for frame in inspect.stack())
        return (away(case), "≥", 0) if slack else case.y * case.y >= 0

    fickle = mv.Hypothesis("y² ≥ 0", holds)

    def proof(case):
        yield mv.line("away", away(case))
        yield mv.at_least("0", 0 * case.x, because="given", axiom=axioms.given(fickle, case))

    with pytest.raises(ClaimError, match="'y² ≥ 0' is no function of its case"):
        mv.audit([claim(proof, hypotheses=(fickle,))], corpus=False)


def test_what_is_given_picks_no_side_in_a_proof():
    """Over symbols it would be ``away ≥ 0``, and at the one point ``1 ≥ 0``."""

    def holds(case):
        there = (case.x == 777777) & (case.y == -424242)
        return (mv.choose(there.certain(), 1 + 0 * case.x, away(case)), "≥", 0)

    asked = mv.Hypothesis("away, or there", holds)

    def proof(case):
        yield mv.line("away", away(case))
        yield mv.at_least("0", 0 * case.x, because="given", axiom=axioms.given(asked, case))

    assert standing(claim(proof, hypotheses=(asked,))) is not mv.Standing.PROVED


def test_what_only_instances_show_proves_no_claim_of_ones_own():
    """Hoeffding's lemma for an interval that is too short at one point."""

    def proof(case):
        share, values = mv.like([1, 1], case.x) / 2, np.stack([0 * case.x, 1 + 0 * case.x])
        width = 1 - rare(case)
        yield mv.line("log E exp f", mv.log((share * mv.exp(values)).sum()))
        yield mv.at_most(
            "E f + b²/8",
            (share * values).sum() + width * width / 8,
            because="f lies in an interval of length b",
            axiom=axioms.hoeffding(share, values, mv.like(1, case.x), width),
        )

    report = mv.audit([claim(proof)], corpus=False)["mine"]
    assert report.standing is mv.Standing.SURVIVED
    assert "instances alone show that Hoeffding's lemma (range checked on instances) may be used" in report.how


def test_hypotheses_of_an_ingredient_are_asked_once():
    """Instances must be asked for what the proof takes as given."""
    far = mv.Hypothesis("far away", lambda c: (away(c), "≥", 0))

    class Own(mv.Table):
        def hypotheses(self):
            return () if any(frame.function == "ask_hypotheses" for frame in inspect.stack()) else (far,)

    setting = mv.Setting("x", (Own("x", lambda _: (), low=-(10**6), high=10**6), scalar("y")), **ALONE)
    assert far in setting.all_hypotheses
    trial = claim(zero(rare), setting=setting, symbolic=())
    assert mv.check(trial, x=777777, y=-424242).verdict is mv.Verdict.NOT_APPLICABLE


def test_a_sign_that_a_proof_knows_is_asked_of_what_a_user_gives():
    def proof(case):
        yield mv.line("|x|", mv.absolute(case.x))
        yield mv.equal("x", case.x, because="it is positive")

    trial = claim(proof, scalar("x", 1, 99))
    assert standing(trial) is mv.Standing.PROVED
    assert mv.check(trial, x=5).holds and mv.check(trial, x=-5).verdict is mv.Verdict.NOT_APPLICABLE


# --- sizes and lines ----------------------------------------------------------------------------------------------------------


def test_sizes_are_plain():
    with pytest.raises(ClaimError, match="Sizes has no subclasses"):
        type("Mine", (mv.Sizes,), {})
    for wrong in ((1, [1]), (Low(1), (1,)), (1, (1.0,))):
        with pytest.raises(ClaimError, match="these are integers"):
            mv.Sizes(*wrong)


def test_a_proof_is_sought_at_a_size_that_is_drawn():
    other = zero(lambda c: 0 * c.x if c.sizes.states == 2 else rare(c))
    report = mv.audit([claim(other, symbolic=(mv.Sizes(2, (1,)),))], corpus=False)["mine"]
    assert report.standing is mv.Standing.SURVIVED and "has a size at which it is proved" in report.how


def test_a_proof_counts_at_a_size_at_which_somebody_meets_the_hypotheses():
    """Of one state it is proved, of two it is false at ``x = 1003``, and only instances of two states are meant."""
    proof = zero(lambda c: 0 * c.x if c.sizes.states == 1 else rare(c))
    two = mv.Hypothesis("two states", lambda c: mv.like(c.sizes.states, c.system) == 2)
    setting = mv.Setting("numbers", (scalar("x"), scalar("y")), (two,), **(ALONE | {"states": (1, 2)}))
    trial = claim(proof, setting=setting)
    report = mv.audit([trial], corpus=False)["mine"]
    assert report.standing is mv.Standing.SURVIVED and "that holds has a size at which it is proved" in report.how


def test_a_discount_is_no_probability():
    """Where no probability is 0 a discount still may be: there the claim is false at ``γ = 0`` and one point."""
    setting = mv.Setting("numbers", (mv.GameData(start=False), scalar("x"), scalar("y")), **ALONE)
    found = prove_in_symbols(
        claim(zero(lambda c: mv.choose(c.game.discount > 0, 0 * c.x, rare(c))), setting=setting), ONE
    )
    assert not isinstance(found, Proof)
    row = mv.Distribution("p", lambda _: (2,))
    found = prove_in_symbols(claim(zero(lambda c: mv.choose(c.p[0] > 0, 0 * c.p[1], 1)), row), ONE)
    assert isinstance(found, Proof) and found.where == (NO_ZERO,)


def test_a_proof_says_of_how_many_steps_it_is():
    setting = mv.Setting("numbers", (scalar("x"),), **ALONE, steps=(1, 2))
    trial = claim(zero(lambda c: 0 * c.x), setting=setting, symbolic=(mv.Sizes(1, (1,), 5),))
    assert "(1·1 at K=5)" in mv.audit([trial], corpus=False)["mine"].how


def test_words_of_a_line_are_plain():
    class Relation(str):
        def __eq__(self, other):
            return other == ("≤" if proving() else "=")

        __hash__ = str.__hash__

    with pytest.raises(ClaimError, match="a Relation in place of a plain str"):
        replace(mv.equal("0", 0, because="so it is"), relation=Relation("="))


def test_a_mask_does_not_change_after_its_line():
    mask = np.array(True)

    def holds(case):
        mask[...] = not any(frame.function == "_recognised" for frame in inspect.stack())
        return (case.y * case.y, "≥", 0)

    asked = mv.Hypothesis("y² ≥ 0", holds)

    def proof(case):
        mask[...] = True
        yield mv.line("y²", case.y * case.y)
        yield mv.at_least("0", 0 * case.x, because="given", axiom=axioms.given(asked, case))
        yield mv.line("rare", rare(case), where=mask)
        yield mv.equal("0", 0 * case.x, because="nothing is claimed")

    assert standing(claim(proof, hypotheses=(asked,))) is mv.Standing.SURVIVED


def test_a_proof_at_points_says_that_it_divides():
    """``b/b = 1`` is nothing where ``b = 0``, which polynomials at random points do not show."""
    for quotient in (
        lambda b: b / b,
        lambda b: arithmetic.pseudo_solve(b.reshape(1, 1), b.reshape(1, 1))[0][0, 0],
        lambda b: arithmetic.denominator(b) / b,
    ):

        def proof(case, quotient=quotient):
            yield mv.line("b/b", quotient(case.x - 777777))
            yield mv.equal("1", 1 + 0 * case.x, because="it is cancelled")

        report = mv.audit([claim(proof, symbolic=(), points=(ONE,))], corpus=False)["mine"]
        assert report.standing is mv.Standing.PROVED and "where no denominator is 0" in report.how


def test_a_proof_at_points_says_what_it_assumes():
    """Random points are positive, and so is what they are put into; the one point is not."""

    def proof(case):
        size = arithmetic.assume_nonnegative(away(case))
        yield mv.line("|away|", mv.absolute(size))
        yield mv.equal("away", away(case), because="it is not negative")

    report = mv.audit([claim(proof, symbolic=(), points=(ONE,))], corpus=False)["mine"]
    assert report.standing is mv.Standing.PROVED
    assert report.proofs[0].where == ("numbers have the signs that the proof assumes",)


# --- runs of any length -------------------------------------------------------------------------------------------------------


def every(proof, *arbitrary, steps=(1, 2, 3), hypotheses=()):
    setting = mv.Setting("a run", (scalar("x"), scalar("y"), *arbitrary), hypotheses, steps=steps, **ALONE)
    return claim(proof, setting=setting, symbolic=(mv.Sizes(1, (1,), EVERY),))


class Twin(mv.Ingredient):
    """Any state whose two numbers are equal."""

    name = "any"

    def coordinates(self, _sizes):
        return (mv.claims.Coordinate(self.name, (2,), "integer", 1, 9),)

    def build(self, numbers, _sizes, _built, _generic):
        return np.stack([numbers[self.name][0], numbers[self.name][0]])

    def core_shape(self, _sizes):
        return (2,)


class First(Twin):
    """A number of steps that is always 1."""

    name = "count"

    def build(self, numbers, _sizes, _built, _generic):
        return 0 * numbers[self.name][0] + 1

    def core_shape(self, _sizes):
        return ()


class Taken(Twin):
    """Any state, which is the number that the setting draws."""

    def build(self, _numbers, _sizes, built, _generic):
        return built["y"]

    def core_shape(self, _sizes):
        return ()


def run_of(start, arbitrary, term, count=""):
    def proof(case):
        run = mv.claims.Run(case, start(case), lambda _, state: state, lambda moved: moved, "any", count)
        yield mv.line("Σ", run.sum(lambda step: term(case, step)))
        yield mv.equal("0", run.fixed(0 * case.x), because="so it is for any state")

    return every(proof, *map(mv.claims.Arbitrary, arbitrary))


@pytest.mark.parametrize(
    "trial",
    [
        run_of(lambda c: np.stack([rare(c), 0 * c.x]), [Twin()], lambda _, step: step.state[0] - step.state[1]),
        run_of(
            lambda c: mv.like([1, 1], c.x) / 2 + rare(c) * mv.like([1, 0], c.x),
            [mv.Distribution("any", lambda _: (2,))],
            lambda _, step: step.state.sum() - 1,
        ),
        run_of(lambda c: 0 * c.x, [scalar("any"), First()], lambda c, step: rare(c) * (step.count - 1), "count"),
        run_of(lambda c: c.y + rare(c), [Taken()], lambda c, step: step.state - c.y),
    ],
    ids=["twins", "rows that do not sum to 1", "one step", "a number of the setting"],
)
def test_an_arbitrary_state_is_any_that_a_run_can_reach(trial):
    with pytest.raises(ClaimError, match=r"is to be any (state of the run|number of steps)"):
        mv.audit([trial], corpus=False)


@pytest.mark.parametrize("steps", [(2, 3), (3, 4)])
def test_all_steps_of_a_run_are_one_formula(steps):
    """The first step of a run, which its last value does not name, adds a rare number."""

    def proof(case):
        moves = []

        def move(_, state):
            moves.append(state)
            return state + (rare(case) if len(moves) == 1 and not proving() else 0 * case.x)

        run = mv.claims.Run(case, 0 * case.x, move, lambda moved: moved, "any")
        yield mv.line("u_K", run.last(lambda place: place.state))
        yield mv.equal("u_0", run.fixed(0 * case.x), because="nothing is added")

    with pytest.raises(ClaimError, match=r"another formula"):
        mv.audit([every(proof, mv.claims.Arbitrary(scalar("any")), steps=steps)], corpus=False)


@pytest.mark.parametrize(
    "lines",
    [
        lambda a, b, c: (a.sum(lambda s: s.state) - b.sum(lambda s: s.state), a.fixed(0 * c.x)),
        lambda a, b, _: (a.sum(lambda s: s.state), b.sum(lambda s: s.state)),
        lambda a, b, _: (a.last(lambda p: p.index + 0 * p.state), b.last(lambda p: p.index + 0 * p.state)),
    ],
)
def test_the_arbitrary_state_of_one_run_is_not_that_of_another(lines):
    """Two runs from 0, of which one adds a rare number in every step."""

    def proof(case):
        runs = [
            mv.claims.Run(
                case, 0 * case.x, lambda _, state, much=much: state + much, lambda moved: moved, "any", "count"
            )
            for much in (rare(case), 0 * case.x)
        ]
        one, two = lines(*runs, case)
        yield mv.line("Σ a", one)
        yield mv.equal("Σ b", two, because="any state is any state")

    given = (mv.claims.Arbitrary(scalar("any")), mv.claims.Arbitrary(scalar("count", 1)))
    with pytest.raises(ClaimError, match="sums over two runs in one proof"):
        mv.audit([every(proof, *given)], corpus=False)


def test_the_largest_of_one_run_is_not_that_of_another():
    def proof(case):
        one, two = (
            mv.claims.Run(case, 0 * case.x, lambda _, state, much=much: state + much, lambda moved: moved, "any")
            for much in (rare(case), 0 * case.x)
        )
        most = [run.largest("most", lambda step: step.following) for run in (one, two)]
        yield mv.line("max a", one.fixed(most[0]))
        yield mv.equal("max b", one.fixed(most[1]), because="any state is any state")

    trial = every(proof, mv.claims.Arbitrary(scalar("any")))
    with suppress(ClaimError):
        assert standing(trial) is not mv.Standing.PROVED


def test_a_proof_for_every_length_asks_instances_for_what_it_takes_as_given():
    def holds(case):
        slack = any(frame.function == "slack" for frame in inspect.stack())
        return (away(case), "≥", 0) if slack else (case.y * case.y, "≥", 0)

    fickle = mv.Hypothesis("y² ≥ 0", holds)

    def proof(case):
        run = mv.claims.Run(case, 0 * case.x, lambda _, state: state, lambda moved: moved, "any")
        yield mv.line("away", run.fixed(away(case)))
        yield mv.at_least("0", run.fixed(0 * case.x), because="given", axiom=run.fixed(axioms.given(fickle, case)))

    with pytest.raises(ClaimError, match="'y² ≥ 0' is no function of its case"):
        mv.audit([every(proof, mv.claims.Arbitrary(scalar("any")), hypotheses=(fickle,))], corpus=False)


def test_how_a_hypothesis_is_asked_does_not_depend_on_what_was_done_before():
    """It asks less of a run of known length than a proof for every number of steps takes as given of it."""
    asked = mv.Hypothesis("x ≥ 0", lambda case: (case.x if not case.sizes.steps else case.x + 10**7, "≥", 0))

    def proof(case):
        run = mv.claims.Run(case, 0 * case.x, lambda _, state: state, lambda moved: moved, "any")
        yield mv.line("x", run.fixed(case.x))
        yield mv.at_least("0", run.fixed(0 * case.x), because="given", axiom=run.fixed(axioms.given(asked, case)))

    trial = every(proof, mv.claims.Arbitrary(scalar("any")), hypotheses=(asked,))
    given = {"x": -1, "y": 0, "steps": 2}
    assert mv.check(trial, **given).verdict is mv.Verdict.NOT_APPLICABLE
    assert standing(trial) is mv.Standing.PROVED
    assert mv.check(trial, **given).verdict is mv.Verdict.NOT_APPLICABLE


def test_a_hypothesis_may_ask_how_many_steps_there_are():
    """But then no proof for every number of steps takes it as given."""
    few = mv.Hypothesis("K ≤ 2", lambda case: (case.x * 0 + case.sizes.steps, "≤", 2))

    def proof(case, given=False):
        run = mv.claims.Run(case, 0 * case.x, lambda _, state: state, lambda moved: moved, "any")
        axiom = run.fixed(axioms.given(few, case)) if given else None
        yield mv.line("2", run.fixed(2 + 0 * case.x))
        yield mv.at_least("0", run.fixed(0 * case.x), because="it is", axiom=axiom)

    trial = every(proof, mv.claims.Arbitrary(scalar("any")), hypotheses=(few,))
    assert standing(trial) is mv.Standing.PROVED
    found = [mv.check(trial, x=0, y=0, steps=steps).verdict for steps in (2, 3)]
    assert found == [mv.Verdict.HOLDS, mv.Verdict.NOT_APPLICABLE]
    with pytest.raises(ClaimError, match="a _Every in a formula"):
        mv.audit([every(lambda case: proof(case, True), mv.claims.Arbitrary(scalar("any")), hypotheses=(few,))])


def test_a_sum_over_a_run_is_not_made_by_hand():
    def proof(case):
        run = mv.claims.Run(case, 0 * case.x, lambda _, state: state, lambda moved: moved, "any")
        yield mv.line("value", mv.claims.Summed(run, 0 * case.x if proving() else rare(case), 7))
        yield mv.equal("0", 0 * case.x, because="it is rare")

    with pytest.raises(ClaimError, match="and not by hand"):
        mv.audit([claim(proof)], corpus=False)


# --- what a theorem is about, and what is assumed of an instance ------------------------------------------------------------


class Looks:
    """What looks like a number and multiplies as it likes."""

    __array_ufunc__ = None
    shape, ndim = (), 0

    def __init__(self, case):
        self.product = away(case)

    def __mul__(self, _other):
        return self.product

    def __sub__(self, _other):
        return self.product

    def __abs__(self):
        return self


@pytest.mark.parametrize("theorem", [axioms.squares, axioms.absolute_values])
def test_a_theorem_is_about_numbers(theorem):
    def proof(case):
        yield mv.line("away", away(case))
        yield mv.at_least("0", 0, because="it looks like a square", axiom=theorem(Looks(case)))

    with pytest.raises(ClaimError, match="of a Looks: a theorem speaks of numbers of the case"):
        mv.audit([claim(proof)], corpus=False)


class Positive(mv.Ingredient):
    """A number of which its range says that it is positive."""

    name, optional = "t", True

    def coordinates(self, _sizes):
        return (mv.claims.Coordinate("t", (), "integer", 1, 9),)

    def build(self, numbers, _sizes, _built, _generic):
        return numbers["t"]

    def core_shape(self, _sizes):
        return ()


def generalised(more, proof, *hypotheses):
    """A claim about ``x`` and ``y``, proved for any number ``t`` beside them, which is how far away they are."""
    numbers = (scalar("x"), scalar("y"))
    special = mv.Setting("numbers", numbers, hypotheses, **ALONE)
    general = mv.claims.General(mv.Setting("more numbers", (*numbers, more), **ALONE), lambda case: {"t": away(case)})
    return claim(proof, setting=special, general=general)


@pytest.mark.parametrize(
    ("of", "proved"),
    [
        (lambda c: c.x * c.x + 1, True),
        (lambda c: mv.choose(c.x == -12345678, mv.like(-1, c.x), 1), False),
        (lambda c: 1 / (c.x + WIDELY * 2), False),
    ],
)
def test_that_a_setting_is_more_general_is_no_matter_of_luck(of, proved):
    """Of one rare number ``t`` is -1: no instance that is drawn shows that it is not always positive."""

    def proof(case):
        yield mv.line("t", case.t)
        yield mv.at_least("0", 0, because="it is positive", axiom=axioms.nonnegative(case.t))

    own = mv.Setting("numbers", (scalar("x", -WIDELY, WIDELY),), **ALONE)
    positive = mv.Setting("positive numbers", (mv.PositiveScalar("t"),), **ALONE)
    trial = claim(proof, setting=own, general=mv.claims.General(positive, lambda case: {"t": of(case)}))
    report = mv.audit([trial], corpus=False)["mine"]
    assert (report.standing is mv.Standing.PROVED) is proved
    assert proved or "instances alone show that they are some of 'positive numbers'" in report.how


def test_a_more_general_setting_has_no_ingredient_that_cannot_be_verified():
    def proof(case):
        yield mv.line("t", case.t)
        yield mv.at_least("0", 0, because="t is positive")

    with pytest.raises(ClaimError, match="that another one is one of its kind cannot be verified"):
        generalised(Positive(), proof)


def test_what_is_given_of_the_more_general_case_is_asked_of_it():
    """Of a case without ``t`` the hypothesis says nothing, and the engine asks the instance."""
    fine = mv.Hypothesis("fine", lambda case: (getattr(case, "t", 1 + 0 * case.x), "≥", 0))

    def proof(case):
        yield mv.line("t", case.t)
        yield mv.at_least("0", 0, because="it is fine", axiom=axioms.given(fine, case))

    with pytest.raises(ClaimError, match="is no hypothesis of its more general setting"):
        mv.audit([generalised(scalar("t", -(10**15), 10**15), proof, fine)], corpus=False)


def test_a_shape_is_asked_once():
    """A table that is larger whenever the engine asks which numbers move hides that one of them does."""

    def shape(_sizes):
        return (3,) if any(frame.function == "_places_of" for frame in inspect.stack()) else ()

    def proof(case):
        run = mv.claims.Run(
            case, case.x, lambda own, state: (state, own.moving), lambda moved: moved[0] - moved[1], "any"
        )
        one = mv.maximum(1 - (run.step.moved[1] - 777777) * (run.step.moved[1] - 777777), 0)
        yield mv.line("Σ one²", run.sum(lambda _: one * one))
        yield mv.equal("one Σ one", run.sum(lambda _: one) * one, because="it is a constant of the run")

    parts = mv.claims.Arbitrary(scalar("any")), scalar("x"), mv.Table("t", shape), scalar("moving")
    moving = replace(parts[3], moves=True)
    setting = mv.Setting("a run", (*parts[:3], moving), steps=(1, 2), **ALONE)
    with pytest.raises(ClaimError, match="a constant of the run depends on the state or on the step"):
        mv.audit([claim(proof, setting=setting, symbolic=(mv.Sizes(1, (1,), EVERY),))], corpus=False)


def test_floats_are_no_formula():
    def proof(case):
        yield mv.line("x", case.x)
        yield mv.at_most("max x", arithmetic.by_floats(np.maximum.accumulate, case.x), because="of all instances")

    with pytest.raises(ClaimError, match="a function of floats in a formula"):
        mv.audit([claim(proof, symbolic=())], corpus=False)


def judged_by_the_first(used):
    """A claim whose proof remembers the numbers of its first instance."""
    kept = []

    def proof(case):
        kept.append((case.x * 1, case.x > 0))
        yield from used(*kept[0], case.x)

    return claim(proof, scalar("x", -9, 9), symbolic=())


@pytest.mark.parametrize(
    "used",
    [
        lambda old, _truth, _new: (mv.line("x", old), mv.at_most("5", 5, because="so")),
        lambda old, _truth, new: (mv.line("x", old + 0 * new), mv.at_most("5", 5, because="so")),
        lambda _old, truth, new: (mv.line("-x", -new, where=truth), mv.at_most("0", 0, because="so")),
        lambda _old, truth, new: (mv.line("x", mv.choose(truth, 0, new)), mv.at_most("5", 5, because="so")),
    ],
    ids=["a line", "with others", "a mask", "a choice"],
)
def test_no_numbers_are_kept_for_another_evaluation(used):
    trial = judged_by_the_first(used)
    first, second = (trial.setting.case({"x": x}, ONE, mv.System.RATIONALS) for x in (3, 7))
    assert evaluate(trial, first).verdict is mv.Verdict.HOLDS
    with pytest.raises(ClaimError, match="has another formula, reason or axiom than before"):
        evaluate(trial, second)
