"""A proof is a function of its case: whatever else it depends on is found out, and never certified."""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify import arithmetic
from mappo_verify.arithmetic import System
from mappo_verify.arithmetic.enclosures import Enclosures
from mappo_verify.checking.evaluate import certify, decide
from mappo_verify.checking.explain import explain_report
from mappo_verify.checking.laws import standing_of
from mappo_verify.checking.proving import Failure, Proof, prove_in_symbols
from mappo_verify.errors import ClaimError

ONE = mv.Sizes(1, (1,))
PARITY, COUNT = itertools.count(), itertools.count()
ALONE = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}


def claim(proof, *hypotheses, symbolic=(), points=()):
    x = mv.Table("x", lambda _: (), low=-9, high=9)
    return mv.Claim(
        "mine", "x ≤ 0", "-", mv.Setting("x", (x,), hypotheses, **ALONE), proof, symbolic=symbolic, points=points
    )


def at_most(bound):
    """A proof of ``x ≤ bound``."""

    def proof(case):
        yield mv.line("x", case.x)
        yield mv.at_most("bound", bound(case), because="so it is said")

    return proof


def equals(first, second):
    def proof(case):
        yield mv.line("first", first(case))
        yield mv.equal("second", second(case), because="so it is said")

    return proof


def caught(trial):
    """What both ways of looking for a counterexample raise."""
    for search in (lambda: mv.audit([trial]), lambda: mv.falsify(trial)):
        with pytest.raises(ClaimError, match=r"no function of its case") as error:
            search()
    return str(error.value)


# --- what a proof may not look at --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bound",
    [
        lambda c: 9 if "Numbers" in type(c.x).__name__ else 0,
        lambda c: 9 if c.x._arithmetic.system is System.ENCLOSURES else 0,
        lambda c: 9 if len(c.x._parts) == 2 else 0,
        lambda c: 9 + len(c.x._parts),
        lambda c: c.x + random.randint(0, 99),
        lambda c: c.x + time.perf_counter_ns() % 10**9,
        lambda c: c.x + next(PARITY) % 7,
        lambda c: c.x + next(COUNT),
    ],
    ids=["type", "system", "storage", "slightly", "random", "clock", "parity", "count"],
)
def test_types_systems_clocks_and_counters_are_caught(bound):
    message = caught(claim(at_most(bound)))
    assert "bound'" in message and "test_agreement.py:" in message
    ways = ("in two number systems", "among others and alone", "has another formula")
    assert any(way in message for way in ways)


@pytest.mark.parametrize(("low", "high"), [(1, 0), (0, 1)])
def test_the_size_of_a_batch_is_caught(low, high):
    """In an audit many instances lie side by side, in a refutation one stands alone: neither verdict may come of that."""
    trial = claim(at_most(lambda c: 10 * (low if c.x._count > 1 else high)))
    with pytest.raises(ClaimError, match="no function of its case"):
        mv.audit([trial])
    if high == 0:  # alone it is violated
        with pytest.raises(ClaimError, match="no function of its case"):
            mv.falsify(trial)


def test_a_hypothesis_is_a_function_of_its_case():
    fickle = mv.Hypothesis("x ≤ 0, among others", lambda c: c.x <= (0 if c.x._count > 1 else 9))
    with pytest.raises(ClaimError, match="hypothesis 'x ≤ 0, among others' is no function of its case"):
        mv.audit([claim(at_most(lambda _: 0), fickle)])


def test_a_memory_of_earlier_instances_is_caught():
    seen = []

    def bound(case):
        seen.append(case)
        return 9 if len(seen) < 12 else 10

    with pytest.raises(ClaimError, match=r"at two times|another formula"):
        mv.audit([claim(at_most(bound))])


@pytest.mark.parametrize(
    "question",
    [
        lambda c: c.system == System.RATIONALS,
        lambda c: c.system != System.SYMBOLS,
        lambda c: c.system.exact,
        lambda c: c.x.system in (System.BALLS,),
    ],
)
def test_no_formula_is_told_its_number_system(question):
    with pytest.raises(ClaimError, match=r"a question about the number system .*test_agreement\.py:\d+"):
        mv.audit([claim(at_most(lambda c: 9 if question(c) else 10))])


def test_names_of_systems_and_instances_are_hidden_from_proofs():
    told = []

    def bound(case):
        told.append((repr(case.x), repr(case.x <= 0), case.system.value, repr(case.system)))
        return 9

    assert mv.audit([claim(at_most(bound))])["mine"].standing is mv.Standing.SURVIVED
    assert set(told) == {("Numbers(shape ())", "Truth(shape ())", "hidden", "<hidden of one instance>")}


def test_a_function_of_its_case_is_left_alone():
    found = mv.audit([claim(at_most(lambda c: mv.maximum(c.x, 2 * c.x)), mv.Hypothesis("x ≥ 0", lambda c: c.x >= 0))])
    assert found["mine"].standing is mv.Standing.SURVIVED
    false = mv.audit([claim(at_most(lambda _: 0))])["mine"]
    assert false.standing is mv.Standing.REFUTED and false.witness.evidence.margin == -1


# --- proofs in symbols -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first",
    [
        lambda c: mv.choose(c.x == 777, mv.like(1, c.x), 0),
        lambda c: mv.choose((c.x == 777).certain(), mv.like(1, c.x), 0),
        lambda c: mv.choose((c.x != 777).possible(), mv.like(0, c.x), 1),
        lambda c: mv.choose(mv.compare(c.x, "=", 777), mv.like(1, c.x), 0),
    ],
)
def test_a_choice_that_nobody_drew_is_not_proved(first):
    """``[x = 777] = 0`` is false, though no drawn instance shows it: what is generic must not decide a choice."""
    trial = claim(equals(first, lambda _: 0), symbolic=(ONE,), points=(ONE,))
    assert isinstance(prove_in_symbols(trial, ONE), Failure)
    assert mv.audit([trial])["mine"].standing is mv.Standing.SURVIVED


def test_a_choice_is_not_proved_where_its_error_is_caught():
    def first(case):
        try:
            return mv.choose(case.x == 777, mv.like(1, case.x), 0)
        except Exception:
            return mv.like(0, case.x)

    trial = claim(equals(first, lambda _: 0), symbolic=(ONE,), points=(ONE,))
    assert mv.audit([trial])["mine"].standing is mv.Standing.SURVIVED


def test_a_mask_that_depends_on_parameters_is_not_proved():
    def proof(case):
        yield mv.line("x", case.x, where=case.x == 777)
        yield mv.equal("0", 0, because="nobody drew it")

    assert isinstance(prove_in_symbols(claim(proof), ONE), Failure)


@pytest.mark.parametrize("asked", ["system", "count"])
def test_symbols_and_numbers_are_shown_the_same_lines(asked):
    """``x = x`` for the prover and ``x ≤ 9`` for everybody else is no proof of anything."""
    calls = itertools.count()

    def proof(case):
        formal = case.x._arithmetic.system is System.SYMBOLS if asked == "system" else next(calls) == 0
        yield mv.line("x", case.x)
        if formal:
            yield mv.equal("x", case.x, because="it is")
        else:
            yield mv.at_most("9", 9, because="drawn so")

    with pytest.raises(ClaimError, match=r"line 2 is '= x' and '≤ 9'.*test_agreement\.py"):
        mv.audit([claim(proof, symbolic=(ONE,))])


def test_symbols_and_numbers_are_shown_the_same_values():
    def value(case):
        return case.x if case.x._arithmetic.system is System.SYMBOLS else 0 * case.x

    with pytest.raises(ClaimError, match=r"line 1 .* has another formula"):
        prove_in_symbols(claim(equals(value, value)), ONE)
    honest = claim(equals(lambda c: mv.log(c.y) - mv.log(2 * c.y), lambda c: -mv.log(mv.like(2, c.y))))
    setting = mv.Setting("y", (mv.PositiveScalar("y"),), **ALONE)
    assert isinstance(prove_in_symbols(mv.Claim("logs", "-", "-", setting, honest.proof), ONE), Proof)


# --- lines that break where the statement stands -----------------------------------------------------------------------


def twice_wrong(case):
    yield mv.line("x", case.x)
    yield mv.equal("x + 1", case.x + 1, because="a slip")
    yield mv.equal("x", case.x, because="the same slip, backwards")


def too_low(case):
    yield mv.line("x", case.x)
    yield mv.at_most("5", 5, because="a guess")
    yield mv.at_most("10", 10, because="5 is less")


@pytest.mark.parametrize(("proof", "right"), [(twice_wrong, "x + 1"), (too_low, "5")])
def test_a_broken_line_is_named_with_its_instance(proof, right):
    trial = claim(proof, symbolic=(ONE,))
    report = mv.audit([trial])["mine"]
    line = report.broken_line
    assert report.standing is mv.Standing.SURVIVED and not report.expected
    assert (line.number, line.step.right) == (2, right) and line.evidence.verdict is mv.Verdict.HOLDS
    assert f"not refuted, but line 2 of the proof is broken: {line.step.relation} {right}" in report.how
    assert mv.check(trial, x=int(line.coordinates["x"])).broken.right == right
    found = mv.falsify(trial)
    assert found.witness is None and found.broken.number == 2 and "line 2 of the proof is broken" in repr(found)
    assert found.broken.as_data()["coordinates"]["x"] == int(found.broken.coordinates["x"])
    _, evidence, subject = explain_report(report)
    assert evidence.broken is not None and "line 2" in subject


def test_what_breaks_somewhere_is_not_proved():
    """The lines are identities in symbols and are certified on hundreds of instances; one that breaks is enough."""
    assert standing_of(500, 0, 0, 0, 1, 0) is mv.Standing.PROVED
    assert standing_of(500, 0, 0, 0, 1, 0, broken=True) is mv.Standing.SURVIVED


# --- what the comparison of systems found ------------------------------------------------------------------------------


def test_the_remainder_of_a_singular_system_says_nothing_in_enclosures():
    matrix = np.moveaxis(np.array([[[1.0, 0.0], [0.0, 0.0]], [[2.0, 0.0], [0.0, 3.0]]]), 0, -1)
    right = np.moveaxis(np.array([[[1.0], [0.5]], [[1.0], [1.0]]]), 0, -1)
    _, (mid, radius) = Enclosures().pseudo_solve(*((part, np.zeros(part.shape)) for part in (matrix, right)))
    assert np.isinf(radius[..., 0]).all()
    assert (mid[..., 1] == 0).all() and (radius[..., 1] == 0).all()


FROM_1 = mv.Setting("x", (mv.Table("x", lambda _: (), low=1, high=9),), **ALONE)


def hardly_positive(case):
    """``eˣ 2⁻³⁰⁰ > 0``, which neither enclosures nor balls of few bits see."""
    return mv.exp(case.x) + mv.exp(case.x) / 2**300 - mv.exp(case.x)


WHAT_HOLDS = {
    "certain": lambda d: arithmetic.certain(d > 0),
    "certain, its method": lambda d: (d > 0).certain(),
    "not possible otherwise": lambda d: ~arithmetic.possible(d <= 0),
    "not possible otherwise, its method": lambda d: ~(d <= 0).possible(),
}


@pytest.mark.parametrize("name", WHAT_HOLDS)
def test_what_is_certain_does_not_depend_on_the_number_system(name):
    """Where a ball was too wide to tell, "certain" said no and "possible" yes: a false claim held, and a true one failed."""

    def proof(case):
        yield mv.line("[d > 0]", mv.choose(WHAT_HOLDS[name](hardly_positive(case)), mv.like(1, case.system), 0))
        yield mv.at_most("0", 0, because="it is tiny")

    def mended(case):
        yield next(proof(case))
        yield mv.at_least("1", 1, because="it is not 0")

    trial = mv.Claim("mine", "t", "s", FROM_1, proof)
    assert mv.check(trial, x=3).verdict is mv.Verdict.VIOLATED
    assert mv.check(replace(trial, proof=mended), x=3).verdict is mv.Verdict.HOLDS
    found = [verdict for _, e in decide(trial, {"x": np.array([1, 5])}, ONE) for verdict in np.ravel(e.verdict)]
    assert found == [mv.Verdict.VIOLATED] * 2


def test_what_floats_say_is_no_second_opinion():
    """Floats see no difference where balls do; the claim is a function of its case all the same."""

    def proof(case):
        there = (hardly_positive(case) > 0).certain()  # enclosures cannot say
        yield mv.line("[d > 0]", mv.choose(there, mv.like(1, case.system), 0))
        yield mv.at_least("1", 1, because="it is not 0")

    trial = mv.Claim("mine", "t", "s", FROM_1, proof)
    assert certify(trial, partial(FROM_1.case, {"x": 2}, ONE), again=True).holds


def test_floats_of_a_package_function_are_no_formula():
    """What is not 0 in floats is another thing in every system: of enclosures the midpoint is asked."""

    def proof(case):
        yield mv.line("[d ≠ 0]", arithmetic.by_floats(arithmetic.support, hardly_positive(case)))
        yield mv.at_most("0", 0, because="it is tiny")

    with pytest.raises(ClaimError, match="a function of floats in a formula"):
        mv.check(mv.Claim("mine", "t", "s", FROM_1, proof), x=3)
