"""The laws of a verdict, attacked through the public API: no false claim is PROVED or SURVIVES, no true one is REFUTED.

Each kind of slip or trick is judged rightly, or refused with the file and line of the proof.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import FALSE, TRUE, UNKNOWN, System, denominator
from mappo_verify.arithmetic.numbers import wrap, wrap_truth
from mappo_verify.arithmetic.one_instance import Truth
from mappo_verify.checking import laws
from mappo_verify.checking.evaluate import certify, decide, evaluate
from mappo_verify.checking.proving import Failure, Proof, prove_at_points, prove_in_symbols
from mappo_verify.claims.case import Hypothesis
from mappo_verify.claims.claim import line
from mappo_verify.errors import ClaimError, GameError
from mappo_verify.report.document import claim_document

ONE = mv.Sizes(1, (1,))
ALONE = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}
PROVED, SURVIVED, REFUTED, OPEN, UNTESTED = (
    getattr(mv.Standing, n) for n in ["PROVED", "SURVIVED", "REFUTED", "OPEN", "UNTESTED"]
)


def scalar(name="x", low=-9, high=9):
    return mv.Table(name, lambda _: (), low=low, high=high)


def vector(name="f", count=3, low=-9, high=9):
    return mv.Table(name, lambda _: (count,), low=low, high=high)


def claim(proof, *ingredients, hypotheses=(), symbolic=(ONE,), points=(), **more):
    setting = mv.Setting("numbers", ingredients or (vector(),), tuple(hypotheses), **ALONE)
    return mv.Claim("mine", "title", "source", setting, proof, symbolic=symbolic, points=points, **more)


def standing(trial):
    return mv.audit([trial]).claims[0].standing


def chain(first, *rest, where=None):
    """A proof of one chain: ``first(case)``, then ``(relation, value(case))``."""
    make = {"=": mv.equal, "≤": mv.at_most, "≥": mv.at_least}

    def proof(case):
        yield mv.line("first", first(case), where=None if where is None else where(case))
        for place, (relation, value, *more) in enumerate(rest):
            yield make[relation](f"line {place + 2}", value(case), because="said so", **(more[0] if more else {}))

    return proof


# --- a shared constant, other instances -------------------------------------------------------------------------------


def test_a_constant_belongs_to_the_axes_of_the_instance():
    """On three states, in batches of three, ``f ≤ (0, 9, 9)`` bounds every instance entry by entry."""
    low = mv.Table("f", lambda _: (3,), low=-9, high=0)
    assert standing(claim(chain(lambda c: c.f, ("≤", lambda c: mv.like([0, 9, 9], c.f))), low, symbolic=())) is SURVIVED
    false = chain(lambda c: c.f, ("≤", lambda c: mv.like([9, 9, 0], c.f)))
    assert standing(claim(false, symbolic=())) is REFUTED
    batch = np.array([[0, 0, 9], [9, 9, 0], [1, 1, 1]])
    trial = claim(chain(lambda c: c.f, ("≤", lambda c: mv.like([9, 9, 0], c.f))), symbolic=())
    assert [v.value for v in mv.check(trial, f=batch).verdict] == ["violated", "holds", "violated"]


@pytest.mark.parametrize(
    "look",
    [
        lambda c: c.f[0, 0],  # the batch cannot be reached
        lambda c: c.f[0] if c.f.max() > 0 else c.f[1],
        lambda c: c.f.unwrap()[0],
        lambda c: np.asarray(c.f)[0],
        lambda c: float(c.f[0]),
        lambda c: c.f.mean(),
        lambda c: np.array(c.f.tolist()).max(),
    ],
)
def test_a_proof_cannot_look_at_other_instances(look):
    with pytest.raises(ClaimError, match=r"test_laws\.py:\d+"):
        mv.audit([claim(chain(lambda c: c.f, ("≤", look)))])


def test_a_maximum_is_that_of_the_instance():
    """``f ≤ max f`` is true of every instance, and ``max f ≤ f_0`` false, whatever stands beside it."""
    assert standing(claim(chain(lambda c: c.f, ("≤", lambda c: c.f.max())), symbolic=())) is SURVIVED
    assert standing(claim(chain(lambda c: c.f.max(), ("≤", lambda c: c.f[0])), symbolic=())) is REFUTED


def test_a_hypothesis_speaks_of_the_instance():
    """``Σ f = 0`` is asked of each instance: of those, ``f_0 ≤ 0`` is false, and ``Σ f ≤ 0`` true."""
    none = mv.Hypothesis("the entries sum to 0", lambda c: c.f.sum() == 0)
    true = claim(chain(lambda c: c.f.sum(), ("≤", lambda _: 0)), hypotheses=[none], symbolic=())
    false = claim(chain(lambda c: c.f[0], ("≤", lambda _: 0)), hypotheses=[none], symbolic=())
    found = mv.audit([true]).claims[0]
    assert found.standing is SURVIVED and found.not_applicable > found.instances > 0
    assert standing(false) is REFUTED


# --- comparisons ------------------------------------------------------------------------------------------------------

TINY = Fraction(1, 2**100)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (lambda e: mv.choose(mv.compare(e + TINY, ">", e), mv.like(1, e), 0), 1),
        (lambda e: mv.choose(e + TINY > e, mv.like(1, e), 0), 1),
        (lambda e: mv.choose(~(e + TINY <= e), mv.like(1, e), 0), 1),
        (lambda e: mv.largest(np.stack([e, e + TINY])) - e, TINY),
        (lambda e: np.minimum(e, e + TINY) - e, 0),
        (lambda e: np.stack([e, e + TINY]).max(-1) - e, TINY),
    ],
)
def test_comparisons_of_balls_never_pick_a_side(what, expected):
    """Claims about numbers that differ by 2⁻¹⁰⁰ are true, and never refuted: undecided until the bits suffice."""

    def proof(case):
        e = mv.exp(case.x)
        yield mv.line("this", what(e))
        yield mv.at_least("that", mv.like(expected, e) - TINY, because="it is")

    trial = claim(proof, scalar(low=1), symbolic=(), transcendental=True)
    assert standing(trial) in (SURVIVED, OPEN)
    assert not mv.check(trial, x=1).violated


def test_unknown_in_symbols_proves_nothing():
    def indicator(case):
        yield mv.line("[x > 50]", mv.choose(case.x > 50, mv.like(1, case.x), 0))
        yield mv.equal("0", 0, because="x is at most 9, says the wish")

    far = claim(indicator, mv.Table("x", lambda _: (), low=-99, high=99))
    assert isinstance(prove_in_symbols(far, ONE), Failure)
    assert isinstance(prove_at_points(far, ONE, np.random.default_rng(0)), Failure)
    assert standing(far) is REFUTED

    def rare(case):
        if (case.x == 777).any():
            yield mv.line("1", mv.like(1, case.x))
        else:
            yield mv.line("0", mv.like(0, case.x))
        yield mv.equal("0", 0, because="never met")

    with pytest.raises(ClaimError, match=r"test_laws\.py.*|if"):
        mv.audit([claim(rare, scalar())])


@pytest.mark.parametrize("size", [lambda x: abs(x), lambda x: mv.maximum(x, -x), lambda x: mv.sqrt(x * x)])
def test_a_branch_is_not_proved_by_its_points(size):
    """``|x| = x`` holds at random large integers, and is false."""
    trial = claim(chain(lambda c: size(c.x), ("=", lambda c: c.x)), scalar(), points=(ONE,))
    assert isinstance(prove_at_points(trial, ONE, np.random.default_rng(0)), Failure)
    assert standing(trial) is REFUTED


def vanishing(x):
    """0 on all that is drawn of ``x``, and elsewhere not."""
    return math.prod((x - k for k in range(-9, 10)), start=1)


@pytest.mark.parametrize(
    ("left", "right", "true"),
    [
        (lambda c: mv.choose(c.p[1] >= 0, vanishing(c.x), 0), lambda c: 0 * c.x, False),
        (lambda c: abs(c.p[1]) * vanishing(c.x), lambda c: -c.p[1] * vanishing(c.x), False),
        (lambda c: mv.maximum(c.p[1], 0) * vanishing(c.x), lambda c: 0 * c.x, False),
        (lambda c: vanishing(abs(mv.arithmetic.assume_positive(c.x - 10))), lambda c: vanishing(10 - c.x), False),
        (lambda c: mv.choose(c.p[1] >= 0, c.x * c.x, 0), lambda c: c.x**2, True),
        (lambda c: abs(c.p[1]) + mv.maximum(c.p[0], 0), lambda c: 1 + 0 * c.x, True),
    ],
)
def test_points_have_the_signs_that_facts_state(left, right, true):
    """A probability ``1 - p_0`` was negative at random integers, where a choice by its sign took the other side."""
    trial = claim(chain(left, ("=", right)), scalar(), mv.Distribution("p", lambda _: (2,)), points=(ONE,), symbolic=())
    found = prove_at_points(trial, ONE, np.random.default_rng(0))
    assert isinstance(found, Proof) is true


# --- numbers that enter -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "slip",
    [
        lambda x: 0.1 * mv.exp(x),
        lambda x: math.sqrt(2) * x,
        lambda x: x + np.float32(0.5),
        lambda x: np.array([2**62]) * 4 * x,
        lambda x: np.prod(np.arange(1, 22)) * x,
        lambda x: mv.like(np.array([2**62]) * 4, x),
        lambda x: np.full(3, 0.5) * x,
        lambda x: x + True,
    ],
)
def test_floats_and_wrapped_integers_do_not_enter(slip):
    with pytest.raises(ClaimError, match=r"test_laws\.py:\d+"):
        mv.audit([claim(chain(lambda c: slip(c.x), ("≥", lambda c: 0 * c.x)), scalar(low=1))])


def test_large_constants_are_what_they_are():
    true = claim(chain(lambda c: c.x * math.factorial(21), ("≥", lambda c: c.x)), scalar(low=1), symbolic=())
    false = claim(chain(lambda c: c.x * 2**64, ("=", lambda _: 0)), scalar(low=1))
    assert standing(true) is SURVIVED and standing(false) is REFUTED


# --- masks ------------------------------------------------------------------------------------------------------------


def test_a_mask_belongs_to_a_whole_chain():
    def proof(case):
        yield mv.line("1", mv.like(1, case.x))
        yield mv.equal("x", case.x, because="nowhere", where=False)
        yield mv.equal("0", 0, because="and so on")

    with pytest.raises(ClaimError, match="mask belongs to the whole chain"):
        mv.audit([claim(proof, scalar())])


def test_a_later_line_may_repeat_the_mask():
    def proof(case):
        mask = case.f > 0
        yield mv.line("f", case.f, where=mask)
        yield mv.equal("|f|", abs(case.f), because="f > 0", where=mask)

    assert standing(claim(proof, symbolic=())) is SURVIVED


@pytest.mark.parametrize(
    ("second", "cause"),
    [
        (lambda c: mv.equal("f", lambda: lambda: c.f, because="so"), "line 'f' is a function, no number of the case"),
        (lambda c: mv.equal(3, c.f, because="so"), "line 3: what a line says is a int; use words"),
        (lambda c: mv.equal("f", c.f, because="so", axiom=3), "has axiom=3; give one of mv.axioms"),
        (lambda c: mv.at_most("f", c.f, because="so", axiom=mv.axioms.squares), "has axiom=<function squares"),
    ],
)
def test_what_a_line_is_made_of(second, cause):
    with pytest.raises(ClaimError, match=cause):
        mv.check(claim(lambda c: iter((mv.line("f", c.f), second(c)))), f=[1, 2, 3])


def test_an_empty_mask_claims_nothing():
    trial = claim(chain(lambda c: mv.like(1, c.x), ("=", lambda _: 0), where=lambda _: False), scalar())
    assert isinstance(prove_in_symbols(trial, ONE), Failure)
    assert mv.check(trial, x=1).verdict is mv.Verdict.NOT_APPLICABLE
    assert standing(trial) is UNTESTED


def test_a_mask_with_entries_claims_those():
    true = claim(chain(lambda c: c.f, ("≤", lambda _: 0), where=lambda c: c.f < 0), symbolic=())
    false = claim(chain(lambda c: c.f, ("≤", lambda _: 0), where=lambda c: c.f <= 1), symbolic=())
    assert standing(true) is SURVIVED and standing(false) is REFUTED
    assert mv.check(true, f=[1, 2, 3]).verdict is mv.Verdict.NOT_APPLICABLE


def test_first_against_last_is_checked_where_all_steps_are_equalities():
    """Shapes broadcast step by step; the statement is first against last."""
    found = prove_in_symbols(
        claim(chain(lambda c: c.f[:1], ("=", lambda c: c.f[:1] + 0 * c.f), ("=", lambda c: c.f)), vector()), ONE
    )
    assert isinstance(found, Failure)


# --- denominators, logarithms -----------------------------------------------------------------------------------------


def test_a_quotient_is_no_identity_where_its_denominator_vanishes():
    """``(x² - y²)/(x - y) = x + y`` where ``x = y``, with 0/0 := 0: false, and the hypothesis makes the denominator vanish."""
    same = mv.Hypothesis("x = y", lambda c: c.x == c.y)
    by_divide = chain(lambda c: mv.divide(c.x * c.x - c.y * c.y, c.x - c.y), ("=", lambda c: c.x + c.y))
    by_slash = chain(lambda c: (c.x * c.x - c.y * c.y) / (c.x - c.y), ("=", lambda c: c.x + c.y))
    assert standing(claim(by_divide, scalar(), scalar("y"), hypotheses=[same])) is REFUTED
    found = mv.audit([claim(by_slash, scalar(), scalar("y"), hypotheses=[same])]).claims[0]
    assert found.standing is OPEN and "raised" in found.how
    assert standing(claim(by_divide, scalar(), scalar("y"))) is REFUTED


def test_a_proof_names_what_it_divides_by():
    different = mv.Hypothesis("x ≠ y", lambda c: c.x != c.y)
    trial = claim(
        chain(lambda c: (c.x * c.x - c.y * c.y) / (c.x - c.y), ("=", lambda c: c.x + c.y)),
        scalar(),
        scalar("y"),
        hypotheses=[different],
    )
    found = mv.audit([trial]).claims[0]
    assert found.standing is PROVED and "where x ≠ y" in found.how


def test_logarithms_need_a_sign():
    """``exp(log(y - x) + log((x - y)²)) = (x - y)³`` has the wrong sign."""

    def proof(case):
        d = case.y - case.x
        yield mv.line("exp(log(y - x) + 2 log|x - y|)", mv.exp(mv.log(d) + mv.log(d * d)))
        yield mv.equal("(x - y)³", (case.x - case.y) ** 3, because="logarithms add")

    above = mv.Hypothesis("y > x", lambda c: c.y > c.x)
    trial = claim(proof, scalar(), scalar("y"), hypotheses=[above])
    assert isinstance(prove_in_symbols(trial, ONE), Failure)
    assert standing(trial) is REFUTED


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (lambda x: mv.log(x * x), lambda x: 2 * mv.log(x)),
        (lambda x: mv.sqrt(x) * mv.sqrt(x), lambda x: x),
        (lambda x: mv.exp(mv.log(x)), lambda x: x),
    ],
)
def test_what_is_undefined_on_some_instances_does_not_survive(left, right):
    """Logarithms and roots of numbers below 0 are errors of these instances, and the claim is open until a hypothesis."""
    assert standing(claim(chain(lambda c: left(c.x), ("=", lambda c: right(c.x))), scalar())) is OPEN
    positive = mv.Hypothesis("x > 0", lambda case: case.x > 0)
    found = claim(chain(lambda c: left(c.x), ("=", lambda c: right(c.x))), scalar(), hypotheses=(positive,))
    assert standing(found) in (SURVIVED, PROVED)


def test_facts_of_ingredients_are_enough_for_logarithms():
    trial = claim(
        chain(lambda c: mv.exp(mv.log(c.x) + mv.log(c.y)), ("=", lambda c: c.x * c.y)),
        scalar(low=1),
        scalar("y", low=1),
    )
    assert standing(trial) is PROVED


# --- proved by nobody, raised -----------------------------------------------------------------------------------------


def test_a_proof_needs_somebody_who_meets_the_hypotheses():
    never = mv.Hypothesis("x > 9", lambda c: c.x > 9)
    trial = claim(chain(lambda c: c.x + c.x, ("=", lambda c: 2 * c.x)), scalar(), hypotheses=[never])
    assert isinstance(prove_in_symbols(trial, ONE), Proof)
    assert standing(trial) is UNTESTED


def test_a_numeric_error_is_the_instances_own():
    trial = claim(chain(lambda c: c.x / c.x, ("≤", lambda _: 1)), scalar(), symbolic=())
    found = mv.audit([trial]).claims[0]
    assert found.standing is OPEN and found.instances > 100
    assert "ZeroDivisionError" in found.how and "Hypothesis" in found.how
    drawn = {"x": np.array([1, 0, 2])}
    parts = list(decide(trial, drawn, ONE))
    verdicts = {int(i): v.value for chosen, e in parts for i, v in zip(chosen, np.ravel(e.verdict), strict=True)}
    assert verdicts == {0: "holds", 1: "undecided", 2: "holds"}


@pytest.mark.parametrize(
    ("value", "fine", "cause"),
    [
        (lambda c: mv.returns(c.game, mv.Policy((row(c)[None, None],))), 1, r"factors\[0\] of some .* no distribution"),
        (
            lambda c: mv.returns(c.game, mv.Policy.product((row(c)[None],))),
            1,
            r"factors\[0\] of some .* no distribution",
        ),
        (
            lambda c: mv.returns(c.game, c.policy, start=c.x[None]),
            1,
            "start of some instance is negative, or more than 1",
        ),
        (
            lambda c: mv.returns(c.game.with_start(c.x[None]), c.policy),
            1,
            "start of some instance is negative, or more than 1",
        ),
        (
            lambda c: mv.returns(c.game.with_discount(c.x), c.policy),
            0,
            "discount of some instance is negative, or more",
        ),
        (lambda c: mv.returns(replace(c.game, transition=c.x * c.game.transition), c.policy), 1, "transition of some"),
    ],
    ids=["policy", "product", "start=", "start", "discount", "transition"],
)
def test_a_game_or_a_policy_that_a_formula_makes_is_one(value, fine, cause):
    """``J ≤ 99`` is true of all games and policies, and was refuted by a row (5, -4) or a discount of 5."""
    game = mv.Game([[[Fraction(1, 2)], [0]]], [[1, 2]], Fraction(1, 2), (2,), start=[1])
    trial = claim(chain(value, ("≤", lambda _: 99)), mv.GameData(), mv.PolicyData(), scalar())
    given = {"game": game, "policy": mv.Policy([[[[1, 0]]]])}
    assert mv.check(trial, **given, x=fine).holds
    for wrong in (5, -1):
        with pytest.raises(GameError, match=cause):
            mv.check(trial, **given, x=wrong)


def row(case):
    return np.stack([case.x, 1 - case.x])


def test_a_malformed_proof_raises_with_its_line():
    def proof(case):
        yield mv.line("f", case.f)
        yield mv.at_most("g", case.g, because="there is no g")

    with pytest.raises(ClaimError, match=r"no 'g'.*test_laws\.py:\d+, after the line 'f'"):
        mv.audit([claim(proof)])
    with pytest.raises(ClaimError, match="'g'"):
        mv.falsify(claim(proof))


def test_a_step_of_a_hypothesis_that_is_given_wrongly_is_not_applicable():
    """What a user hands in is verified like a hypothesis, also where it is an override of what would be derived."""
    positive = claim(chain(lambda c: c.x, ("≥", lambda _: 0)), mv.PositiveScalar("x"), symbolic=())
    assert mv.check(positive, x=-1).verdict is mv.Verdict.NOT_APPLICABLE
    assert mv.check(positive, x=Fraction(1, 2)).holds


# --- axioms -----------------------------------------------------------------------------------------------------------


def distributions():
    row = lambda _: (3,)  # noqa: E731
    return mv.Distribution("p", row), mv.Distribution("q", row, full_support=True)


def test_an_axiom_is_checked_to_be_applied():
    def proof(case, axiom):
        yield mv.line("KL(p‖q)", mv.quantities.kl_divergence(case.p, case.q))
        yield mv.at_least("0", 0, because="Gibbs' inequality", axiom=axiom(case))

    good = claim(
        lambda c: proof(c, lambda case: mv.axioms.gibbs(case.p, case.q)),
        *distributions(),
        symbolic=(mv.Sizes(1, (1,)),),
    )
    report = mv.audit([good]).claims[0]
    assert report.standing is PROVED and "modulo KL ≥ 0" in report.how
    for wrong in (
        lambda case: mv.axioms.gibbs(case.q, case.q),
        lambda case: mv.axioms.entropy(case.p),
        lambda case: 2 * mv.axioms.gibbs(case.p, case.q),
        lambda case: mv.axioms.gibbs(case.p, case.q) + mv.axioms.squares(case.p[0]),
    ):
        with pytest.raises(ClaimError, match="is no instance of"):
            mv.audit([claim(lambda c, wrong=wrong: proof(c, wrong), *distributions(), symbolic=())])


def test_an_axiom_needs_its_hypotheses():
    def proof(case):
        yield mv.line("Σ f log(f/g)", mv.xlogy(case.f, mv.divide(case.f, case.g)).sum(-1))
        yield mv.at_least("0", 0, because="as if they were distributions", axiom=mv.axioms.gibbs(case.f, case.g))

    with pytest.raises(ClaimError, match="hypotheses do not hold"):
        mv.audit([claim(proof, vector(low=1), vector("g", low=1), symbolic=())])
    with pytest.raises(ClaimError, match="hypotheses do not hold"):
        mv.audit([claim(_negative_multiple, scalar(), symbolic=())])


def _negative_multiple(case):
    yield mv.line("x³", case.x**3)
    yield mv.at_least("0", 0, because="x times a square", axiom=case.x * mv.axioms.squares(case.x))


def test_an_assumption_of_ones_own_proves_nothing():
    trial = claim(chain(lambda c: c.x, ("≤", lambda _: 9, {"axiom": "x ≤ 9"})), scalar())
    found = mv.audit([trial]).claims[0]
    assert found.standing is SURVIVED and "assumes" in found.how


@pytest.mark.parametrize(
    "axiom",
    [
        lambda c: mv.axioms.squares(c.f[:0]),
        lambda c: mv.axioms.squares(c.x) * mv.arithmetic.zeros((0,), c.system),
        lambda c: mv.axioms.root_below(c.x * c.x, 1000 + 0 * c.x, mv.axioms.squares(c.f[:0])),
        lambda c: mv.axioms.root_between(c.x * c.x, 1000**2 + 0 * c.x, mv.axioms.squares(c.f[:0])),
        lambda c: mv.axioms.least_above(1000 - mv.sqrt(c.x * c.x)[None], 0 * c.x, mv.axioms.squares(c.f[:0])),
    ],
    ids=["no entries", "a factor without", "root_below", "root_between", "least_above"],
)
def test_an_axiom_about_nothing_proves_nothing(axiom):
    """``|x| ≤ 1000`` is true of all that is drawn, and false; what has no entries would equal everything."""

    def proof(case):
        yield mv.line("√x²", mv.sqrt(case.x * case.x))
        yield mv.at_most("1000", 1000, because="said so", axiom=axiom(case))

    with pytest.raises(ClaimError, match="is no instance of"):
        prove_in_symbols(claim(proof, scalar(), vector()), ONE)


@pytest.mark.parametrize(
    ("axiom", "left", "right"),
    [
        (lambda a, x, one: a.mean_below_largest(one, x), lambda x: x.sum(-1), lambda x: mv.largest(x)),
        (lambda a, x, one: a.hoelder(x, one), lambda x: x.sum(-1), lambda x: mv.largest(abs(x))),
        (lambda a, x, one: a.cauchy_schwarz(one, x, one), lambda x: x.sum(-1) * x.sum(-1), lambda x: (x * x).sum(-1)),
        (
            lambda a, x, one: a.inner_product_size(one, x, one),
            lambda x: abs(x.sum(-1)),
            lambda x: mv.sqrt((x * x).sum(-1)),
        ),
        (
            lambda a, x, one: a.bhatia_davis(one, x),
            lambda x: (x * x).sum(-1) - x.sum(-1) * x.sum(-1),
            lambda x: (mv.largest(x) - x.sum(-1)) * (x.sum(-1) - mv.smallest(x)),
        ),
    ],
    ids=["mean_below_largest", "hoelder", "cauchy_schwarz", "inner_product_size", "bhatia_davis"],
)
def test_a_row_of_one_entry_is_no_longer_row(axiom, left, right):
    """Against ``x`` of two entries a row ``(1,)`` is ``(1, 1)``, which is no distribution, and whose norm is not 1."""

    def proof(case):
        x, one = np.stack([case.b, case.x - 1000], -1), mv.like([1], case.system)
        yield mv.line("left", left(x))
        yield mv.at_most("right", right(x), because="said so", axiom=axiom(mv.axioms, x, one))

    with pytest.raises(ClaimError, match="is no instance of"):
        mv.check(claim(proof, mv.PositiveScalar("b"), scalar()), b=Fraction(1), x=2)


def test_a_quantity_that_does_not_fit_its_line_names_it():
    def proof(case):
        yield mv.line("f", case.f)
        yield mv.at_least("-9", -9, because="said so", axiom=mv.axioms.squares(np.concatenate([case.f, case.f])))

    with pytest.raises(ClaimError, match="in the axiom of the line '-9'"):
        mv.check(claim(proof), f=[1, 2, 3])


def test_an_axiom_speaks_of_numbers_of_the_case():
    with pytest.raises(ClaimError, match="mean_below_largest of constants alone"):
        mv.axioms.mean_below_largest(1, 2)


@pytest.mark.parametrize("axiom", mv.axioms.TABLE, ids=lambda a: a.__name__)
def test_axioms_are_true(axiom):
    """Each on thousands of instances in enclosures: never certainly below 0."""
    generator = np.random.default_rng(0)
    rows = [generator.dirichlet(np.ones(4) * a, 500) + 0.0 for a in (0.1, 1, 10)]
    p, q = (wrap(np.concatenate(rows)[generator.permutation(1500)], System.FLOATS, 1) for _ in range(2))
    x = wrap(generator.normal(size=(1500, 4)), System.FLOATS, 1)
    step, width = (wrap(generator.uniform(0.1, 2, 1500), System.FLOATS, 0) for _ in range(2))
    gains = wrap(generator.uniform(0, 1, (1500, 3, 4)), System.FLOATS, 2)
    eta, spread = (wrap(np.full(1, number), System.FLOATS, 0) for number in (0.7, 1.0))
    plays = mv.arithmetic.tilt(gains * 0 + 1, eta * (np.cumsum(gains, axis=-2) - gains))
    arguments = {
        "gibbs": (p, q), "entropy": (p,), "pinsker": (p, q), "squares": (x,), "absolute_values": (x,), "nonnegative": (p,),
        "triangle": (x, q), "inner_product": (p, x, q), "inner_product_size": (p, x, q), "hoelder": (x, p - q),
        "below_largest": (x,), "above_smallest": (x,),
        "largest_square": (x,), "root_below": (p, 1 + p, mv.axioms.nonnegative(1 + p + p * p)),
        "root_between": (p, 1 + p, mv.axioms.nonnegative(1 + 0 * p)), "bhatia_davis": (p, x),
        "root_above": (p, 1 + p * p, mv.axioms.nonnegative(1 + 0 * p)),
        "cauchy_schwarz": (p, x, q), "mean_below_largest": (p, x), "jensen": (p, mv.exp(x)),
        "hoeffding": (p, x, step, width * 0 + mv.largest(x) - mv.smallest(x)), "logarithm": (mv.exp(x),),
        "hedge": (gains, plays, eta, spread, p, mv.log(4 * spread)),
        "least_above": (x, mv.smallest(x) - 1, mv.axioms.nonnegative(x - mv.smallest(x)[..., None] + 1)),
        "given": (Hypothesis("p ≥ 0", lambda c: (c.p, "≥", 0)), mv.Case((), ONE, System.FLOATS, (1500,), {"p": p})),
    }[axiom.__name__]  # fmt: skip
    with np.errstate(all="ignore"):
        value = axiom(*arguments).value.unwrap()
    assert np.nanmin(value) > -1e-9


# --- the laws themselves ----------------------------------------------------------------------------------------------


def test_equalities_are_not_proved_by_intervals():
    same = wrap_truth(np.array([TRUE, UNKNOWN, FALSE]), 0)
    assert laws.proved(same, "=", System.BALLS).values.tolist() == [UNKNOWN, UNKNOWN, FALSE]
    assert laws.proved(same, "=", System.ENCLOSURES).values.tolist() == [UNKNOWN, UNKNOWN, FALSE]
    assert laws.proved(same, "=", System.RATIONALS).values.tolist() == [TRUE, UNKNOWN, FALSE]
    assert laws.proved(same, "≤", System.BALLS).values.tolist() == [TRUE, UNKNOWN, FALSE]


def test_verdicts_of_an_instance():
    met, anything, holds = (
        np.array(v, np.int8) for v in np.meshgrid([1, 0, -1], [1, 0, -1], [1, 0, -1], indexing="ij")
    )
    found = laws.verdicts_of(met, anything, holds)
    for a, b, c, verdict in zip(*(v.ravel() for v in (met, anything, holds, found)), strict=True):
        if FALSE in (a, b):
            assert verdict is mv.Verdict.NOT_APPLICABLE
        elif UNKNOWN in (a, b, c):
            assert verdict is mv.Verdict.UNDECIDED
        else:
            assert verdict is (mv.Verdict.HOLDS if c == TRUE else mv.Verdict.VIOLATED)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"violated": 1, "holds": 999, "proofs": 1}, REFUTED),
        ({"violated": 1, "raised": 1}, REFUTED),
        ({"holds": 100, "proofs": 1}, PROVED),
        ({"holds": 99, "proofs": 1}, SURVIVED),
        ({"holds": 9, "proofs": 1, "instances_there_are": 9}, PROVED),
        ({"holds": 500, "proofs": 1, "failures": 1}, SURVIVED),
        ({"holds": 500, "proofs": 1, "raised": 1}, OPEN),
        ({"holds": 1}, SURVIVED),
        ({"undecided": 1}, OPEN),
        ({"proofs": 3}, UNTESTED),
        ({}, UNTESTED),
    ],
)
def test_standings(counts, expected):
    given = {
        "holds": 0,
        "violated": 0,
        "undecided": 0,
        "raised": 0,
        "proofs": 0,
        "failures": 0,
        "instances_there_are": 10**9,
    }
    assert laws.standing_of(**{**given, **counts}) is expected


def test_a_mask_and_a_chain():
    mask = Truth.of(True)
    one, two = line("a", 1, where=mask), mv.equal("b", 1, because="so", where=mask)
    assert laws.mask_of([one, two]) is mask
    assert laws.mask_of([line("a", 1), mv.equal("b", 1, because="so")]) is None
    with pytest.raises(ClaimError, match="a mask of its own"):
        laws.mask_of([line("a", 1), two])


def test_a_violation_is_decided_again():
    """The evidence that is printed was found twice; one system alone that errs is not believed."""
    trial = claim(chain(lambda c: c.x, ("≤", lambda _: 5)), scalar(), symbolic=())
    found = mv.audit([trial]).claims[0]
    assert found.standing is REFUTED and found.witness.coordinates["x"].tolist() == 6
    drawn = {"x": np.array(7)}
    assert certify(trial, lambda system: trial.setting.case(drawn, ONE, system)).violated
    assert evaluate(trial, trial.setting.case(drawn, ONE, System.BALLS)).violated


def test_what_is_handed_in_for_a_derived_ingredient_is_verified():
    double = mv.Derived("y", lambda case: 2 * case.x)
    trial = claim(chain(lambda c: c.y, ("≤", lambda c: c.x + 9)), scalar(), double, symbolic=())
    assert mv.check(trial, x=1).holds and mv.check(trial, x=1, y=2).holds
    wrong = mv.check(trial, x=1, y=100)
    assert wrong.verdict is mv.Verdict.NOT_APPLICABLE and "y is what follows" in wrong.reason

    root = mv.Derived("y", lambda case: mv.sqrt(case.x))
    leaving = claim(chain(lambda c: c.y, ("≤", lambda c: c.x + 1)), scalar(low=0), root, symbolic=())
    assert mv.check(leaving, x=2).holds
    assert mv.check(leaving, x=2, y=5).verdict is mv.Verdict.NOT_APPLICABLE  # also where the rationals do not reach


def test_every_condition_of_a_proof_is_shown():
    """After three harmless ones came ``x ≠ 12345``, where the claim is false, and a reader saw three dots."""

    def proof(case):
        harmless = [far / far for far in (case.x - (2**40 + k) for k in range(3))]
        yield mv.line("1", harmless[0] * harmless[1] * harmless[2] * (case.x - 12345) / denominator(case.x - 12345))
        yield mv.equal("1", 1, because="a number divided by itself")

    x = mv.Table("x", lambda _: (), -(10**9), 10**9)
    setting = mv.Setting("x", (x,), agents=(1, 1), states=(1, 1), action_range=(1, 1))
    report = mv.audit([mv.Claim("mine", "t", "s", setting, proof, symbolic=(mv.Sizes(1, (1,)),))], corpus=False)["mine"]
    assert report.standing is mv.Standing.PROVED and report.how.endswith("x ≠ 1099511627778, x ≠ 12345")
    assert (
        claim_document(report)["proofs"][0]["where"] == list(report.proofs[0].where)
        and len(report.proofs[0].where) == 4
    )


def test_what_a_mask_leaves_out_at_random_points_is_not_proved():
    """``1 = 0`` where ``x = 12345678``, which no random point and no instance meets; beside it ``x = x``."""

    def proof(case):
        rare = np.stack([mv.compare(case.x, "=", 12345678), mv.compare(case.x, "≤", 2**40)])
        yield mv.line("(1, x)", np.stack([1 + 0 * case.x, case.x]), where=rare)
        yield mv.equal("(0, x)", np.stack([0 * case.x, case.x]), because="nobody looks")

    x = mv.Table("x", lambda _: (), -(2**40), 2**40)
    setting = mv.Setting("x", (x,), agents=(1, 1), states=(1, 1), action_range=(1, 1))
    trial = mv.Claim("mine", "t", "s", setting, proof, points=(mv.Sizes(1, (1,)),))
    assert mv.check(trial, x=12345678).verdict is mv.Verdict.VIOLATED
    found = prove_at_points(trial, trial.points[0], np.random.default_rng(0))
    assert isinstance(found, Failure) and found.step == "a mask leaves entries out at random points"
