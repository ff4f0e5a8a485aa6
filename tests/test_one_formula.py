"""A proof is one formula on every instance and in every number system, so no false claim is PROVED by telling them apart.

Most claims here are false for a single instance that no search finds, ``x = 777777`` and ``y = -424242``, and trivial in the
evaluation that proves: the strongest use that can be made of any sign by which that evaluation can be told from others.
"""

from __future__ import annotations

import contextvars
import copy
import inspect
import itertools
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify import arithmetic, axioms
from mappo_verify.arithmetic import Hidden, System
from mappo_verify.arithmetic.numbers import wrap
from mappo_verify.checking.evaluate import decide, evaluate
from mappo_verify.checking.proving import Proof, prove_at_points, prove_in_symbols
from mappo_verify.checking.sampling import draw
from mappo_verify.claims.claim import Line
from mappo_verify.claims.coordinates import EVERY
from mappo_verify.errors import ClaimError
from mappo_verify.papers.registry import claim as find

ONE = mv.Sizes(1, (1,))
ALONE = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}
SYMBOLS = Hidden(System.SYMBOLS)
POOL = ThreadPoolExecutor(1)


def scalar(name, low=-(10**6), high=10**6):
    return mv.Table(name, lambda _: (), low=low, high=high)


def claim(proof, *ingredients, hypotheses=(), setting=None, **more):
    setting = setting or mv.Setting("numbers", ingredients or (scalar("x"), scalar("y")), tuple(hypotheses), **ALONE)
    return mv.Claim("mine", "title", "source", setting, proof, **({"symbolic": (ONE,)} | more))


def rare(case):
    return mv.choose((case.x == 777777) & (case.y == -424242), mv.like(1, case.x), 0)


def unless(told):
    """``0 = 0`` where a sign is seen, else ``[x = 777777, y = -424242] = 0``."""

    def proof(case):
        yield mv.line("[x = 777777, y = -424242]", 0 * case.x if told(case) else rare(case) + 0 * case.x)
        yield mv.equal("0", 0 * case.x, because="it is rare")

    return claim(proof, points=(ONE,))


def raises(attempt):
    with suppress(Exception):
        attempt()
        return False
    return True


def proves(trial):
    """Whether any way of proving it is a proof; a malformed proof is none."""
    found = []
    for prove in (prove_in_symbols, lambda t, s: prove_at_points(t, s, np.random.default_rng(0))):
        with suppress(ClaimError):
            found.append(isinstance(prove(trial, ONE), Proof))
    return any(found)


SIGNS = {
    "how many instances": lambda c: c.several == (),
    "all objects": lambda c: len(c.objects) == 2,
    "another system": lambda c: raises(lambda: c.to(System.RATIONALS)),
    "the system": lambda c: c.system == SYMBOLS,
    "the system, among others": lambda c: c.x.system in [SYMBOLS],
    "the object of the system": lambda c: c.system is SYMBOLS,
    "the hash of the system": lambda c: hash(c.system) == hash(System.SYMBOLS),
    "the bytes of the system": lambda c: b"symbols" in pickle.dumps(c.system),
    "the bytes of a number": lambda c: raises(lambda: pickle.dumps(c.x)),
    "a copy": lambda c: copy.deepcopy(c.x) is not c.x,
    "the arithmetic": lambda c: c.x.arithmetic.system is System.SYMBOLS,
    "a number of instances": lambda c: c.x.count == 1,
    "a choice that fails": lambda c: raises(lambda: mv.choose(c.x == 777, c.x, 0)),
    "a logarithm that fails": lambda c: raises(lambda: mv.log(c.x * c.x + c.x + 1)),
    "a root that fails": lambda c: raises(lambda: mv.sqrt(c.x * 0 - 1)),
    "a system that fails": lambda c: raises(
        lambda: arithmetic.pseudo_solve(mv.like([[1, 0], [0, 0]], c.x) * (c.x * c.x + 1), mv.like([[1], [1]], c.x))
    ),
    "a division that fails": lambda c: raises(lambda: 1 / (c.x - c.x)),
    "floats that fail": lambda c: raises(lambda: arithmetic.by_floats(lambda v: v, c.x)),
    "what may be known": lambda c: (c.x == 777).known() is None,
    "what is certain": lambda c: bool((c.x == 777).certain()),
    "another context": lambda c: contextvars.Context().run(lambda: c.x.unwrap().dtype == object),
    "another context's words": lambda c: "symbols" in contextvars.Context().run(lambda: repr(c.x)),
    "another thread": lambda c: POOL.submit(lambda: c.x.unwrap().dtype == object).result(),
    "another thread that catches": lambda c: POOL.submit(lambda: raises(lambda: mv.log(c.x * c.x + c.x + 1))).result(),
}


@pytest.mark.parametrize("name", SIGNS)
def test_no_sign_tells_a_proof_in_which_evaluation_it_is(name):
    assert not proves(unless(SIGNS[name]))


@pytest.mark.parametrize(
    "told",
    [
        lambda _: any(frame.function.startswith("prove_") for frame in inspect.stack()),
        lambda _: sys.modules["mappo_verify.arithmetic.one_instance"].is_formal(),
        lambda c: "Quotient" in type(c.x._parts[0].flat[0]).__name__,
        lambda c: c.system._system is System.SYMBOLS,
    ],
    ids=["the stack", "the engine's state", "the storage", "the system inside"],
)
def test_a_sign_that_is_seen_all_the_same_leads_to_another_formula(told):
    """Nothing in Python is private; but the formula of an instance is compared with the one that was proved."""
    with pytest.raises(ClaimError, match=r"no function of its case: line 1 .* has another formula"):
        mv.audit([replace(unless(told), points=())])


def test_a_proof_keeps_no_numbers_for_another_evaluation():
    """As a cache would do that asks for the sizes alone."""
    kept = {}

    def proof(case):
        x = kept.setdefault(case.sizes, case.x)
        yield mv.line("x", x)
        yield mv.at_most("10⁶", 10**6, because="so it is drawn")

    drawn = {name: np.arange(3) for name in ("x", "y")}
    with pytest.raises(ClaimError, match="line 'x' is made of other instances; a proof keeps no numbers"):
        list(decide(replace(claim(proof), transcendental=True), drawn, ONE))


def test_a_proof_catches_no_error_of_its_numbers():
    """``1/(x - 3)`` says of an instance whether x is 3."""

    def proof(case):
        try:
            value = 1 / (case.x - 3)
        except ZeroDivisionError:
            value = 1 + 0 * case.x
        yield mv.line("value", value * (case.x - 3))
        yield mv.equal("1", 1 + 0 * case.x, because="so it is")

    trial = claim(proof, scalar("x", 0, 9))
    for search in (mv.falsify, lambda t: mv.audit([t]), lambda t: mv.check(t, x=3)):
        with pytest.raises(ClaimError, match=r"a proof that catches ZeroDivisionError.*test_one_formula\.py:\d+"):
            search(trial)
    hypothesis = mv.Hypothesis("x is no root", lambda c: c.x != (0 if raises(lambda: mv.sqrt(c.x - 3)) else 1))
    with pytest.raises(ClaimError, match="in the hypothesis 'x is no root'"):
        mv.audit([claim(proof, scalar("x", 0, 9), hypotheses=(hypothesis,))])


# --- what verdicts rest on ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        mv.Claim,
        mv.Setting,
        mv.Case,
        mv.Hypothesis,
        Line,
        axioms.Axiom,
        arithmetic.Numbers,
        mv.claims.Run,
        mv.claims.Summed,
    ],
)
def test_what_verdicts_rest_on_has_no_subclasses(kind):
    with pytest.raises(ClaimError, match=f"{kind.__name__} has no subclasses"):
        type("Mine", (kind,), {})


def test_a_case_does_not_change():
    def proof(case):
        case.x = 0 * case.x
        yield mv.line("x", case.x)
        yield mv.equal("0", 0 * case.x, because="it was made so")

    with pytest.raises(ClaimError, match="a case does not change"):
        mv.audit([claim(proof)])

    def hypothesis(case):
        case.objects["x"] = 0 * case.x
        return case.x == 0

    with pytest.raises(ClaimError, match="in the hypothesis 'x = 0'"):
        mv.audit([claim(is_zero, symbolic=(), hypotheses=(mv.Hypothesis("x = 0", hypothesis),))])


def below_zero(axiom):
    """``-x² ≥ 0``, by whatever is given for an axiom."""

    def proof(case):
        yield mv.line("-x²", -case.x * case.x)
        yield mv.at_least("0", 0 * case.x, because="so it is said", axiom=axiom(case))

    return claim(proof)


class Negative:
    """Says that it is at least 0, and makes what it is multiplied by negative."""

    def __ge__(self, _other):
        return True

    def __mul__(self, other):
        return -other

    __rmul__ = __mul__


def forged(case):
    found = object.__new__(axioms.Axiom)
    real = axioms.squares(case.x)
    for name in ("names", "_parts", "hypotheses", "checked"):
        object.__setattr__(found, name, getattr(real, name))
    return found


@pytest.mark.parametrize(
    ("axiom", "words"),
    [
        (forged, "not by hand"),
        (lambda case: axioms.squares(case.x) * Negative(), "a factor is a number of the case"),
        (lambda case: -1 * axioms.squares(case.x), "its hypotheses do not hold"),
    ],
    ids=["forged", "own factor", "negative factor"],
)
def test_no_axiom_comes_from_elsewhere(axiom, words):
    with pytest.raises(ClaimError, match=words):
        prove_in_symbols(below_zero(axiom), ONE)


def test_a_hypothesis_is_taken_as_given_of_the_case_that_is_asked():
    at_least_zero = mv.Hypothesis("x ≥ 0", lambda c: (c.x, "≥", 0))

    def proof(case):
        other = type("Other", (), {"x": case.x, "system": case.system})()
        yield mv.line("x", case.x)
        yield mv.at_least("0", 0 * case.x, because="given", axiom=axioms.given(at_least_zero, other))

    with pytest.raises(ClaimError, match="which is no case"):
        mv.audit([claim(proof, hypotheses=(at_least_zero,))])


def test_a_hypothesis_is_one_formula_whoever_asks():
    """A proof takes ``x ≥ 0`` as given, and instances are asked ``y² ≥ 0``."""

    def asked(case):
        by_given = any(frame.function == "slack" for frame in inspect.stack())
        return (case.x, "≥", 0) if by_given else (case.y * case.y, "≥", 0)

    fickle = mv.Hypothesis("y² ≥ 0", asked)

    def proof(case):
        yield mv.line("x", case.x)
        yield mv.at_least("0", 0 * case.x, because="given", axiom=axioms.given(fickle, case))

    with pytest.raises(ClaimError, match="'y² ≥ 0' is no function of its case"):
        mv.audit([claim(proof, scalar("x", -1), scalar("y"), hypotheses=(fickle,))])


class Index:
    """One index for the proof and another one for instances."""

    def __index__(self):
        return 0 if any(frame.function.startswith("prove_") for frame in inspect.stack()) else 1


class OwnInteger(int):
    __index__ = Index.__index__


class Forged(Index):
    __module__ = "numpy"
    __qualname__ = "int64"


PLACES = {"index": Index(), "slice": slice(Index(), None), "integer": OwnInteger(0), "forged": Forged()}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_an_object_of_ones_own_is_no_argument_of_a_formula(place):
    """``f = (0, max(x - 999999, 0))``, of which the second entry is not 0 for one x in two million."""

    def proof(case):
        f = np.stack([0 * case.x, mv.maximum(case.x - 999999, 0)])
        yield mv.line("f_i", f[place].reshape(-1)[0])
        yield mv.equal("0", 0 * case.x, because="for i = 0")

    with pytest.raises(ClaimError, match="among the arguments of a formula"):
        mv.audit([claim(proof)])


# --- what a proof assumes -----------------------------------------------------------------------------------------------------


def test_what_a_proof_assumes_is_a_condition_that_its_verdict_names():
    def proof(case):
        size = arithmetic.assume_positive(case.x)
        yield mv.line("|x|", mv.absolute(size))
        yield mv.equal("x", case.x, because="it is positive")

    found = prove_in_symbols(claim(proof), ONE)
    assert isinstance(found, Proof) and found.where == ("x > 0",)
    report = mv.audit([claim(proof, scalar("x", -9, 9))])["mine"]
    assert report.standing is mv.Standing.OPEN and "a number is not > 0, as the proof assumes" in report.how
    assert mv.audit([claim(proof, scalar("x", 1, 999))])["mine"].standing is mv.Standing.PROVED


def test_a_denominator_that_may_vanish_is_a_condition():
    """``x`` or 1 is not ``x`` where ``x = 0``."""

    def proof(case):
        yield mv.line("x, or 1 where it is 0", arithmetic.denominator(case.x - 777777))
        yield mv.equal("x", case.x - 777777, because="it is not 0")

    found = prove_in_symbols(claim(proof), ONE)
    assert isinstance(found, Proof) and found.where == ("x ≠ 777777",)


class OwnTable(mv.Table):
    """0 for all parameters of a proof, and ``[v = 777777]`` where it is drawn."""

    def build(self, numbers, sizes, built, generic):
        value = super().build(numbers, sizes, built, generic)
        return 0 * value if generic else mv.choose(value == 777777, mv.like(1, value), 0)


def is_zero(case):
    yield mv.line("x", case.x)
    yield mv.equal("0", 0 * case.x, because="it is")


def test_an_ingredient_of_ones_own_is_not_told_for_what_it_is_built():
    trial = claim(is_zero, OwnTable("x", lambda _: (), low=-(10**6), high=10**6), points=(ONE,))
    assert not proves(trial)


def test_a_derived_ingredient_is_one_formula():
    def derived(case):
        return 0 * case.y if any(f.function == "prove_in_symbols" for f in inspect.stack()) else rare_of(case.y)

    def rare_of(value):
        return mv.choose(value == 777777, mv.like(1, value), 0)

    with pytest.raises(ClaimError, match="x is no function of its case"):
        mv.audit([claim(is_zero, scalar("y"), mv.Derived("x", derived))])


GENERAL = mv.Setting("squares", (mv.Table("square", lambda _: (), 0, 99), scalar("y")), **ALONE)


def in_general(of, general=GENERAL, *ingredients):
    """``|q| = q`` for what an instance of the general setting has as ``q``."""

    def proof(case):
        yield mv.line("|q|", mv.absolute(case.square))
        yield mv.equal("q", case.square, because="q ≥ 0")

    return claim(proof, *(ingredients or (scalar("x"), scalar("y"))), general=mv.claims.General(general, of))


def test_a_proof_in_a_general_setting_is_about_those_that_are_one_of_it():
    trial = in_general(lambda case: {"square": case.x * case.x})
    assert mv.audit([trial])["mine"].standing is mv.Standing.PROVED
    shown = mv.check(trial, x=-3, y=1)
    assert shown.holds and shown.lines[0].value == 9
    # ... and where an instance is none of it, that setting is not more general
    wrong = in_general(lambda case: {"square": case.x})
    assert mv.check(wrong, x=3, y=1).holds
    with pytest.raises(ClaimError, match="'squares' is not more general: 'square ≥ 0' is false of an instance"):
        mv.check(wrong, x=-3, y=1)


def test_what_both_settings_draw_is_that_of_the_instance():
    """It is not verified again, so another one in its place could be anything, as -1 for what is positive."""
    given = (scalar("x"), scalar("y"), GENERAL.ingredients[0])
    with pytest.raises(ClaimError, match=r"\['square'\] of 'squares' are those of the instance"):
        mv.audit([in_general(lambda case: {"square": 1 - 2 * rare(case) + 0 * case.square}, GENERAL, *given)])


def test_lines_are_computed_of_the_general_instance():
    """An instance is what the general one says it is, or an error."""
    five = mv.Setting("five", (scalar("y"), mv.Derived("x", lambda case: 0 * case.y + 5)), **ALONE)

    def proof(case):
        yield mv.line("[x = 777777, y = -424242]", rare(case))
        yield mv.equal("0", 0 * case.x, because="in the general setting x is 5")

    trial = claim(proof, general=mv.claims.General(five))
    assert mv.check(trial, x=5, y=-424242).holds
    with pytest.raises(ClaimError, match="'x is that of the more general setting' is false of an instance"):
        mv.check(trial, x=777777, y=-424242)


COUNT = itertools.count()


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (lambda case: {"square": case.x * case.x + next(COUNT)}, "square of 'squares' is no function of its case"),
        (
            lambda case: {"square": np.stack([case.x, case.x])},
            r"square of 'squares' has shape \(2,\), it needs numbers",
        ),
    ],
)
def test_how_an_instance_is_one_of_a_general_setting_is_one_formula(of, words):
    with pytest.raises(ClaimError, match=words):
        mv.audit([in_general(of)])


def test_a_general_setting_has_ingredients_that_can_be_verified():
    general = mv.Setting("games", (mv.GameData("game"), mv.Table("square", lambda _: (), 0, 9), scalar("y")), **ALONE)
    with pytest.raises(ClaimError, match="game of 'games' must be that of 'numbers'"):
        in_general(lambda _: {}, general)
    with pytest.raises(ClaimError, match=r"it must be a General\(...\)"):
        claim(lambda _: iter(()), general=GENERAL)


def test_a_proof_for_every_length_in_a_general_setting_is_not_told_how_many_steps_there_are():
    """On instances it is the same formula, 0, and not the one for another number of steps."""

    def proof(case):
        yield mv.line("value", rare(case) if case.sizes.steps != EVERY else nothing(case))
        yield mv.equal("0", 0 * case.x if case.sizes.steps != EVERY else nothing(case), because="it is rare")

    def nothing(case):
        run = mv.claims.Run(case, None, lambda *_: None, lambda _: None, arbitrary="")
        return run.fixed(0 * case.x)

    setting = mv.Setting("numbers", (scalar("x"), scalar("y")), steps=(1, 2), **ALONE)
    trial = claim(proof, setting=setting, symbolic=(replace(ONE, steps=EVERY),), general=mv.claims.General(setting))
    assert mv.audit([trial])["mine"].standing is mv.Standing.PROVED
    found = mv.check(trial, x=777777, y=-424242)
    assert [int(str(entry.value)) for entry in found.lines] == [0, 0]


@pytest.mark.parametrize(("factor", "standing"), [(1, mv.Standing.PROVED), (2, mv.Standing.REFUTED)])
def test_an_induction_in_a_general_setting_is_compared_with_runs(factor, standing):
    """``Σ u_k = x_K - x_0`` for any numbers ``u_k``, of which the setting's own are squares."""

    def proof(case):
        run = mv.claims.Run(case, case.x, lambda own, x: (x, own.u), lambda moved: moved[0] + moved[1], "anywhere")
        yield mv.line("Σ u", factor * run.sum(lambda step: step.moved[1]))
        yield mv.equal("x_K - x_0", run.last(lambda place: place.state) - run.fixed(case.x), because="they add up")

    own = mv.Setting("squares", (scalar("x"), mv.Table("v", lambda _: (), moves=True)), steps=(1, 2), **ALONE)
    anywhere = mv.claims.Arbitrary(scalar("anywhere"))
    free = mv.Setting(
        "any steps", (scalar("x"), mv.Table("u", lambda _: (), moves=True), anywhere), steps=(1, 2), **ALONE
    )
    general = mv.claims.General(free, lambda case: {"u": case.v * case.v})
    trial = claim(proof, setting=own, symbolic=(replace(ONE, steps=EVERY),), general=general)
    report = mv.audit([trial], corpus=False)["mine"]
    assert report.standing is standing
    drawn = {"x": np.array(3, object), "v": np.array([2, -5], object)}
    found = evaluate(trial, own.case(drawn, replace(ONE, steps=2), mv.System.RATIONALS))
    assert [int(str(entry.value)) for entry in found.lines] == [factor * 29, 29]


def test_what_an_axiom_takes_as_given_is_named_where_only_instances_show_it():
    def proof(case, width):
        eta, bound = mv.like(1, case.f), None if width is None else width(case)
        spread = mv.largest(case.f) - mv.smallest(case.f) if width is None else bound
        yield mv.line("log E exp f", mv.log((case.p * mv.exp(case.f)).sum()))
        yield mv.at_most(
            "E f + b²/8",
            (case.p * case.f).sum() + spread * spread / 8,
            because="Hoeffding's lemma",
            axiom=axioms.hoeffding(case.p, case.f, eta, bound),
        )

    row = mv.Distribution("p", lambda _: (2,)), mv.Table("f", lambda _: (2,), 0, 9)
    own = prove_in_symbols(claim(lambda c: proof(c, None), *row), ONE)
    given = prove_in_symbols(claim(lambda c: proof(c, lambda case: mv.like(9, case.f)), *row), ONE)
    assert isinstance(own, Proof) and own.modulo == ("Hoeffding's lemma",)
    assert isinstance(given, Proof) and given.modulo == ("Hoeffding's lemma (range checked on instances)",)


# --- taint --------------------------------------------------------------------------------------------------------------------


def test_taint_goes_by_the_claim_and_not_by_its_id():
    """A false claim of one's own with the id of a registered one says nothing of what cites that one."""

    def false(case):
        yield mv.line("x", case.x)
        yield mv.equal("0", 0 * case.x, because="so it is said")

    def cites(case):
        yield mv.line("x", case.x)
        yield mv.equal("x", case.x, because="lemma-b.5")

    own = replace(claim(false, symbolic=()), id="lemma-b.5")
    leaning = replace(claim(cites, symbolic=()), id="leaning")
    report = mv.audit([own, leaning, "lemma-b.5/sharp"])
    assert report.claims[0].standing is mv.Standing.REFUTED
    assert [entry.tainted_by for entry in report] == [(), ("lemma-b.5",), ()]
    assert mv.audit(["lemma-b.5/sharp", leaning])["leaning"].tainted_by == ()


# --- numbers and their formulas -----------------------------------------------------------------------------------------------


FORMULAS = [
    lambda x: x + 1,
    lambda x: 1 + x,
    lambda x: x - 1,
    lambda x: x - 2,
    lambda x: x + 0,
    lambda x: x + (2**61 - 1),
    lambda x: x * Fraction(1, 2),
    lambda x: x[:-1],
    lambda x: x[:-2],
    lambda x: x[0],
    lambda x: x.sum(),
    lambda x: x.sum(0, keepdims=True),
    lambda x: np.sum(x, 0, keepdims=True),
    lambda x: np.add(x, [1, 2, 3]),
    lambda x: np.add(x, [1, 2, 4]),
    lambda x: np.add(x, [1, 2, Fraction(1, 3)]),
    lambda x: np.divide(x, x),
    lambda x: mv.divide(x, x),
    lambda x: arithmetic.by_floats(lambda values: -values, x),
    lambda x: arithmetic.by_floats(lambda values: 2 * values, x),
    lambda x: np.roll(x, 1),
    lambda x: np.roll(x, 1, 0),
    lambda x: np.roll(x, 2),
    lambda x: x.max(0),
    lambda x: x.min(0),
    lambda x: x.cumsum(0),
    lambda x: x.prod(0),
    lambda x: np.einsum("i->", x),
    lambda x: np.einsum("i,i->i", x, x),
    lambda x: np.einsum("i,i->", x, x),
    lambda x: (x > 1) & (x > 2),
    lambda x: (x > 1) ^ (x > 2),
    lambda x: np.stack([x, x]),
    lambda x: np.broadcast_arrays(x, x[0])[0],
    lambda x: np.broadcast_arrays(x, x[0])[1],
    lambda x: mv.maximum(x, 0),
    lambda x: mv.choose(x > 1, x, 0),
    lambda x: mv.choose(x > 1, 0, x),
    lambda x: x > 1,
    lambda x: ~(x > 1),
    lambda x: arithmetic.pseudo_solve(x[:, None] * x, x[:, None])[0],
    lambda x: arithmetic.pseudo_solve(x[:, None] * x, x[:, None])[1],
    lambda x: mv.like([1, 2], x),
    lambda x: mv.like([1, 3], x),
    lambda x: arithmetic.zeros(2, x.system),
    lambda x: arithmetic.zeros(3, x.system),
]


def test_numbers_of_one_formula_say_the_same_in_all_systems_and_of_different_ones_not():
    made = []
    for system in (System.RATIONALS, System.FLOATS, System.ENCLOSURES):
        x = mv.Case((), ONE, system, (1,), {"x": wrap(np.array([[1, 2, 5]]), system, 1)}).x
        made.append([formula(x)._made if formula(x)._made else None for formula in FORMULAS])
    assert made[0] == made[1] == made[2]
    assert None not in made[0] and len(set(made[0])) == len(FORMULAS)


def test_a_game_of_ones_own_is_no_other_formula():
    """Names of states, a start that is not used and the batch of a user's objects are no part of a formula."""
    lemma, sizes = find("lemma-4.1"), mv.Sizes(2, (2, 2))
    drawn = draw(lemma.setting, sizes, 3, np.random.default_rng(0))
    assert all(evidence.holds for _, evidence in decide(lemma, drawn, sizes))
    for seed in (1, 2):
        game = mv.random_game(2, (2, 2), Fraction(9, 10), seed=seed)
        game = replace(game, name="mine", state_names=("here", "there"), start=mv.like([1, 0], game.system))
        given = {"policy": mv.Policy.uniform(game), "target": mv.Policy.deterministic(game, [0, 3]), "start": [0, 1]}
        assert mv.check(lemma, game=game, **given).holds
