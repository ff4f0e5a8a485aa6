"""Verdicts, margins, masks, batches, broken steps, precision: the engine on claims whose truth is known."""

from __future__ import annotations

import importlib
import warnings
from dataclasses import replace
from fractions import Fraction
from functools import partial

import flint
import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import FALSE, TRUE, UNKNOWN, System, like, solve
from mappo_verify.arithmetic.numbers import bare, wrap_truth
from mappo_verify.arithmetic.precision import PRECISION_CAP, precision
from mappo_verify.checking.evaluate import BATCH_PRECISION, SHARPER, START_PRECISION, certify, decide, evaluate, skim
from mappo_verify.checking.sampling import draw, sizes_of
from mappo_verify.errors import ClaimError, MappoVerifyError, UndecidedError
from mappo_verify.model.trees import converted
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.papers.registry import claim as find

ONE = mv.Sizes(1, (1,))
RATIONALS, BALLS, FLOATS, ENCLOSURES = System.RATIONALS, System.BALLS, System.FLOATS, System.ENCLOSURES
HOLDS, VIOLATED = mv.Verdict.HOLDS, mv.Verdict.VIOLATED
UNDECIDED, NOT_APPLICABLE = mv.Verdict.UNDECIDED, mv.Verdict.NOT_APPLICABLE


def nonzero(case):
    return case.f != 0


def claim(proof, *hypotheses, width=2, low=-9):
    """A claim about a table of ``width`` entries."""
    setting = mv.Setting("a table", (mv.Table("f", lambda _: (width,), low=low),), hypotheses)
    return mv.Claim("mine", "title", "source", setting, proof)


def exact(*values):
    return like(np.array([Fraction(v) for v in values], dtype=object), RATIONALS)


def at(trial, f, system=RATIONALS):
    """The evidence on integers ``f``, in that system and no other."""
    return evaluate(trial, trial.setting.case({"f": f}, ONE, system))


def number(value, reference):
    return like(Fraction(value), reference)


def comparing(make, right=lambda f: 0 * f + 3):
    """``f`` against ``right(f)``, entry by entry."""

    def proof(case):
        yield mv.line("f", case.f)
        yield make("right", right(case.f), because="said so")

    return claim(proof)


# --- verdicts in every arithmetic ---------------------------------------------------------------------------------------

HYPOTHESIS = mv.Hypothesis("no entry is 0", nonzero)


@pytest.mark.parametrize("system", [RATIONALS, BALLS, ENCLOSURES, FLOATS])
@pytest.mark.parametrize(
    ("make", "f", "verdict"),
    [
        (mv.at_most, (1, 3), HOLDS),
        (mv.at_most, (1, 4), VIOLATED),
        (mv.at_least, (4, 3), HOLDS),
        (mv.at_least, (2, 4), VIOLATED),
        (mv.equal, (3, 3), HOLDS),
        (mv.equal, (3, 4), VIOLATED),
    ],
)
def test_verdicts(system, make, f, verdict):
    evidence = at(comparing(make), f, system)
    if system is FLOATS:
        assert (evidence.verdict, evidence.suggests) == (UNDECIDED, verdict)
        assert not evidence.holds and not evidence.violated
    elif system in (BALLS, ENCLOSURES) and (make, verdict) == (mv.equal, HOLDS):
        assert evidence.verdict is UNDECIDED  # neither certifies an equality
    else:
        assert evidence.verdict is verdict is evidence.suggests
        assert evidence.holds == (verdict is HOLDS) and evidence.violated == (verdict is VIOLATED)
    assert evidence.arithmetic is system
    assert (evidence.precision is not None) == (system is BALLS)


@pytest.mark.parametrize("system", [RATIONALS, BALLS, ENCLOSURES, FLOATS])
def test_not_applicable_stays_not_applicable(system):
    trial = claim(comparing(mv.at_most).proof, HYPOTHESIS)
    evidence = at(trial, (0, 9), system)
    assert evidence.verdict is evidence.suggests is NOT_APPLICABLE
    assert evidence.lines == evidence.statements == () and evidence.margin is None
    assert evidence.reason == "hypothesis not met: no entry is 0"
    assert not evidence.holds and not evidence.violated


def test_unknown_hypotheses_are_undecided():
    unknown = wrap_truth(np.array(UNKNOWN), 0)
    unsure = claim(comparing(mv.at_most).proof, mv.Hypothesis("unsure", lambda _: unknown))
    evidence = at(unsure, (1, 1))
    assert evidence.verdict is UNDECIDED and evidence.lines == ()
    assert evidence.reason == "hypothesis not met: unsure"
    both = claim(comparing(mv.at_most).proof, mv.Hypothesis("unsure", lambda _: unknown), HYPOTHESIS)
    assert at(both, (1, 0)).verdict is UNDECIDED
    other = claim(comparing(mv.at_most).proof, HYPOTHESIS, mv.Hypothesis("unsure", lambda _: unknown))
    assert at(other, [(1, 0), (1, 1)]).verdict.tolist() == [NOT_APPLICABLE, UNDECIDED]


def test_float_rounding_is_no_violation_and_a_clear_one_is_suggested():
    thirds = comparing(mv.equal, lambda f: (f / 10) * 3 / 3 * 10)
    assert at(thirds, (7, 3), FLOATS).suggests is HOLDS
    assert at(comparing(mv.equal, lambda f: f * (1 + Fraction(1, 10**6))), (7, 3), FLOATS).suggests is VIOLATED


def test_a_nan_is_undecided_even_as_a_suggestion():
    with np.errstate(all="ignore"):
        evidence = at(comparing(mv.equal, lambda f: f / f * f), (0, 0), FLOATS)
    assert evidence.suggests is UNDECIDED


# --- margins ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "f", "margin"),
    [
        (mv.at_most, (1, 2), "1"),
        (mv.at_most, (1, 3), "0"),
        (mv.at_most, (1, 8), "-5"),
        (mv.at_least, (7, 5), "2"),
        (mv.at_least, (7, -2), "-5"),
        (mv.equal, (3, 3), "0"),
        (mv.equal, (1, 4), "-2"),
    ],
)
def test_margins_are_exact_and_negative_exactly_where_violated(make, f, margin):
    evidence = at(comparing(make), f)
    assert isinstance(evidence.margin, flint.fmpq) and evidence.margin == flint.fmpq(int(margin))
    assert (evidence.margin < 0) == evidence.violated
    assert flint.fmpq(int(margin)) in at(comparing(make), f, BALLS).margin
    assert at(comparing(make), f, FLOATS).margin == float(margin)


def test_a_margin_of_fractions():
    evidence = mv.check(comparing(mv.at_most, lambda f: f * f), f=exact("1/3", "2"))
    assert str(evidence.margin) == "-2/9"  # 1/9 - 1/3
    assert evidence.broken.right == "right"


def test_the_worst_margin_is_that_of_a_violated_instance():
    trial = comparing(mv.equal, lambda f: 0 * f + 3)
    evidence = at(trial, [(3, 3), (3, 5), (-3, 3), (3, 4)])
    assert evidence.verdict.tolist() == [HOLDS, VIOLATED, VIOLATED, VIOLATED]
    assert evidence.margin == -6
    assert evidence.statements[0].margin.tolist() == [0, -2, -6, -1]


def test_how_tight_an_inequality_is():
    assert at(comparing(mv.at_most), (1, 2)).ratio == pytest.approx(2 / 3)
    assert at(comparing(mv.at_least), (6, 12)).ratio == pytest.approx(1 / 2)
    assert at(comparing(mv.equal), (3, 3)).ratio is None
    assert at(comparing(mv.at_most), (0, 0)).ratio is None


def test_how_tight_each_instance_is():
    """Against 3: the larger of f/3 where that says something, nan where it does not and where a hypothesis fails."""
    trial = comparing(mv.at_most)
    assert at(trial, [(1, 2), (6, 1), (0, 0)]).ratios.tolist() == pytest.approx([2 / 3, 2, float("nan")], nan_ok=True)
    small = mv.Hypothesis("f < 5", lambda case: case.f < 5)
    met = replace(trial, setting=replace(trial.setting, hypotheses=(small,)))
    assert at(met, [(6, 1), (1, 2)]).ratios.tolist() == pytest.approx([float("nan"), 2 / 3], nan_ok=True)
    assert at(met, [(6, 1), (1, 2)]).ratio == pytest.approx(2 / 3)


def _scaled(lines):
    """The lines with f replaced by 10⁴⁰⁰ f log 2."""
    first, second = lines
    yield mv.line(first.expression, first.value * 10**400 * mv.log(2 + 0 * first.value))
    yield second


def test_numbers_beyond_float64_are_decided_exactly():
    """The ratio is for people; it must not take the verdict down with it."""
    huge = exact(10**400, 1)
    evidence = mv.check(comparing(mv.at_most, lambda f: f + f), f=huge)
    assert evidence.verdict is HOLDS
    logarithms = comparing(mv.at_most, lambda f: (f + 2) * 10**400 * mv.log(2 + 0 * f))
    trial = mv.Claim("mine", "t", "s", logarithms.setting, lambda case: _scaled(logarithms.proof(case)))
    assert at(trial, (1, 2)).verdict is HOLDS
    tiny = mv.check(comparing(mv.at_most, lambda f: 0 * f), f=exact(Fraction(1, 10**400), 0))
    assert tiny.verdict is VIOLATED and tiny.margin == flint.fmpq(-1, 10**400)


# --- masks, axes, batches -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", [RATIONALS, FLOATS])
def test_a_mask_says_what_a_chain_speaks_of(system):
    def masked(where):
        def proof(case):
            yield mv.line("f", case.f, where=where)
            yield mv.at_most("3", number(3, case.f), because="said so")

        return claim(proof)

    only_first = masked(np.array([True, False]))
    assert at(only_first, (1, 9), system).suggests is HOLDS
    assert at(only_first, (9, 1), system).suggests is VIOLATED
    assert at(only_first, (1, 9), system).margin == 2
    nothing = at(masked(np.array([False, False])), (9, 9), system)
    assert nothing.suggests is nothing.verdict is NOT_APPLICABLE and nothing.margin == 0
    assert at(masked(None), (1, 9), system).suggests is VIOLATED


def test_a_mask_that_nobody_knows_decides_nothing():
    """Where it is unknown whether an entry counts, a relation that holds there holds, and one that fails is open."""

    def proof(case):
        yield mv.line("f", case.f, where=wrap_truth(np.array([TRUE, UNKNOWN]), 1))
        yield mv.at_most("3", 3, because="said so")

    rows = [(1, 2), (1, 9), (9, 1)]
    assert at(claim(proof), rows).verdict.tolist() == [HOLDS, UNDECIDED, VIOLATED]


def test_lines_without_entries_claim_nothing():
    """``0 = 1`` of no entry is no claim, and beside another chain it says nothing."""

    def nothing(case):
        yield mv.line("0", 0 * case.f[:0])
        yield mv.equal("1", 1, because="said so")

    def something(case):
        yield from nothing(case)
        yield mv.line("f", case.f)
        yield mv.at_most("3", 3, because="said so")

    rows = [(1, 2), (1, 9)]
    assert at(claim(nothing), rows).verdict.tolist() == [NOT_APPLICABLE, NOT_APPLICABLE]
    assert at(claim(something), rows).verdict.tolist() == [HOLDS, VIOLATED]


def test_nothing_follows_from_a_line_without_entries():
    """Else ``f_1 ≤ (nothing) ≤ 3`` would be two steps that hold."""

    def proof(case):
        yield mv.line("f_1", case.f[0])
        yield mv.at_most("nothing", 0 * case.f[:0], because="of all that is there")
        yield mv.at_most("3", 3, because="of all that is there")

    with pytest.raises(ClaimError, match="the line 'nothing' has no entries, so nothing follows from it"):
        at(claim(proof), [(1, 2)])


def test_masked_entries_do_not_lend_their_margin():
    """``margin`` is negative exactly where a step is violated, also for an instance whose entries are all masked."""

    def proof(case):
        yield mv.line("f", case.f, where=case.f < 3)
        yield mv.at_most("0", number(0, case.f), because="said so")

    evidence = at(claim(proof), [(1, 2), (3, 4), (2, 9)])
    assert evidence.verdict.tolist() == [VIOLATED, NOT_APPLICABLE, VIOLATED]
    step = evidence.statements[0]
    assert step.truth.tolist() == [FALSE, TRUE, FALSE]
    assert step.margin.tolist() == [-2, 0, -2]


def test_axes_of_an_instance_mean_for_all():
    def proof(case):
        yield mv.line("f(x) + f(y)", case.f[:, None] + case.f[None, :])
        yield mv.at_most("6", number(6, case.f), because="said so")

    evidence = at(claim(proof), [(1, 3), (3, 3), (3, 4), (4, -4)])
    assert evidence.verdict.tolist() == [HOLDS, HOLDS, VIOLATED, VIOLATED]
    assert evidence.statements[0].margin.tolist() == [0, 0, -2, -2]
    assert not evidence.holds and evidence.violated
    assert repr(evidence).startswith("Evidence(mine: 4 verdicts, margin -2, rationals, broken at '6'")


def test_a_batch_of_several_axes_keeps_them():
    rows = exact(1, 3, 3, 3, 3, 4, 4, -4).reshape(2, 2, 2)
    evidence = mv.check(comparing(mv.at_most), f=rows)
    assert evidence.verdict.tolist() == [[HOLDS, HOLDS], [VIOLATED, VIOLATED]]
    assert evidence.statements[0].margin.tolist() == [[0, 0], [-1, -1]]
    assert evidence.lines[0].value.shape == (2, 2, 2)


@pytest.mark.parametrize("rows", [[(1, 2), (30, 40)], [(1, 2), (30, 40), (5, 5)], [(1, -2), (-3, 4)]])
def test_lines_of_different_rank_meet_instance_by_instance(rows):
    """One number per instance against a table per instance.

    (2 instances of 2 entries are the trap: NumPy would broadcast plain arrays without a word.)
    """

    def proof(case):
        yield mv.line("Σ f", case.f.sum(-1))
        yield mv.at_least("each f(x)", case.f, because="all are positive")

    trial = claim(proof)
    alone = [at(trial, row).verdict for row in rows]
    assert alone == [HOLDS if min(row) > 0 else VIOLATED for row in rows]
    assert at(trial, rows).verdict.tolist() == alone


def test_not_applicable_instances_never_reach_the_lines():
    def proof(case):
        yield mv.line("f/f", case.f / case.f)  # would divide by zero there
        yield mv.equal("1", number(1, case.f), because="f is not 0")

    careless = claim(proof)
    with pytest.raises(ZeroDivisionError):
        at(careless, [(1, 2), (0, 3)])
    found = list(decide(careless, {"f": np.array([(1, 2), (0, 3), (4, 4)])}, ONE))
    kept = [(chosen.tolist(), e.raised) for chosen, e in found if e.raised]
    assert [chosen for chosen, _ in kept] == [[1]] and "use divide, by which 0/0 is 0" in kept[0][1]
    assert sorted(i for chosen, e in found if e.holds for i in chosen) == [0, 2]
    careful = claim(proof, HYPOTHESIS)
    evidence = at(careful, [(1, 2), (0, 3), (4, 4), (2, 0)])
    assert evidence.verdict.tolist() == [HOLDS, NOT_APPLICABLE, HOLDS, NOT_APPLICABLE]
    assert evidence.lines[0].value.shape == (2, 2)
    assert dict(evidence.hypotheses)["no entry is 0"].tolist() == [TRUE, FALSE, TRUE, FALSE]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert at(careful, [(1, 2), (0, 3)], FLOATS).suggests.tolist() == [HOLDS, NOT_APPLICABLE]


def test_a_batch_of_games_with_one_policy_some_not_applicable():
    """γ = 1 without termination has no values; the other games of the batch have, whoever owns the batch axis."""
    games = mv.Game(np.array([[[[1.0]]], [[[1.0]]], [[[0.5]]]]), np.ones((3, 1, 1)), np.array([0.5, 1.0, 1.0]), (1,))
    wanted = [HOLDS, NOT_APPLICABLE, HOLDS]
    many = mv.Policy([np.ones((3, 1, 1, 1))])
    assert mv.check("lemma-b.3/zero-mean", game=games, policy=many).verdict.tolist() == wanted
    one = mv.Policy([np.ones((1, 1, 1))])
    assert mv.check("lemma-b.3/zero-mean", game=games, policy=one).verdict.tolist() == wanted


def test_a_batch_of_policies_on_one_game_some_not_applicable():
    """Many policies per game is the usual batch."""
    stay_or_leave = mv.Game([[[1.0], [0.0]]], [[1.0, 1.0]], 1.0, start=[1.0])
    policies = mv.Policy([np.array([[[[1.0, 0.0]]], [[[0.5, 0.5]]]])])
    evidence = mv.check(
        "lemma-4.1", game=stay_or_leave, policy=policies, target=mv.Policy([[[[0.0, 1.0]]]]), start=[1.0]
    )
    assert evidence.verdict.tolist() == [NOT_APPLICABLE, HOLDS]


def test_check_of_a_batch_gives_arrays():
    games = mv.random_game(2, (2, 2), batch=(3,))
    target, policy = mv.Policy.deterministic(games, [[0, 1], [2, 3], [1, 1]]), mv.Policy.uniform(games)
    evidence = mv.check("lemma-4.1", game=games, target=target, policy=policy)
    assert evidence.verdict.shape == (3,) and evidence.holds
    gains = mv.returns(games, target, games.start) - mv.returns(games, policy, games.start)
    assert (evidence.lines[0].value == gains).all()


# --- statements and their proofs ------------------------------------------------------------------------------------------


def test_a_broken_step_is_named_although_the_statement_survives():
    def proof(case):
        yield mv.line("f", case.f)
        yield mv.equal("f + 1", case.f + 1, because="a slip")
        yield mv.equal("f, again", case.f, because="the slip undone")

    evidence = at(claim(proof), (1, 2))
    assert evidence.verdict is HOLDS and evidence.margin == 0
    assert (evidence.broken.right, evidence.broken.because) == ("f + 1", "a slip")
    assert evidence.broken.margin == -1
    assert "broken at 'f + 1'" in repr(evidence)


def test_a_statement_may_fail_in_one_of_several_chains():
    def proof(case):
        yield mv.line("f", case.f)
        yield mv.equal("f", case.f, because="itself")
        yield mv.line("f", case.f)
        yield mv.at_most("f + 1", case.f + 1, because="obviously")
        yield mv.at_most("3", number(3, case.f), because="said so")

    evidence = at(claim(proof), [(1, 2), (1, 5)])
    assert [statement.relation for statement in evidence.statements] == ["=", "≤"]
    assert evidence.verdict.tolist() == [HOLDS, VIOLATED]
    assert evidence.margin == -2
    assert [entry.step is None for entry in evidence.lines] == [True, False, True, False, False]


def test_relations_compose_over_a_chain():
    """With f = f ≤ f+1 = 1+f the statement is f ≤ 1+f, and its margin is 1."""

    def proof(case):
        yield mv.line("f", case.f)
        yield mv.equal("f", case.f, because="itself")
        yield mv.at_most("f + 1", case.f + 1, because="1 > 0", axiom="1 > 0")
        yield mv.equal("1 + f", 1 + case.f, because="addition commutes")

    evidence = at(claim(proof), (1, 2))
    assert evidence.statements[0].relation == "≤" and evidence.margin == 1
    assert evidence.statements[0].right == "1 + f"
    assert evidence.lines[2].step.axiom == "1 > 0"


def test_formal_cases_skip_hypotheses():
    case = claim(comparing(mv.at_most).proof, HYPOTHESIS)
    evidence = evaluate(case, case.setting.case({"f": (0, 0)}, ONE, RATIONALS), formal=True)
    assert evidence.verdict is HOLDS and evidence.hypotheses == ()


# --- beyond the rationals -----------------------------------------------------------------------------------------------


def exponential(make, right):
    def proof(case):
        yield mv.line("exp f", mv.exp(case.f))
        yield make("right", right(case), because="said so")

    return claim(proof)


TINY = Fraction(1, 10**40)


@pytest.mark.parametrize(
    ("make", "sign", "verdict"),
    [(mv.at_most, 1, HOLDS), (mv.at_most, -1, VIOLATED), (mv.at_least, -1, HOLDS), (mv.at_least, 1, VIOLATED)],
)
def test_precision_doubles_until_a_tight_inequality_is_decided(make, sign, verdict):
    trial = exponential(make, lambda case: mv.exp(case.f) + number(sign * TINY, case.system))
    evidence = mv.check(trial, f=exact("1/2", 1))
    assert evidence.arithmetic is BALLS and evidence.precision == 256
    assert evidence.verdict is verdict
    assert evidence.margin.is_finite() and (evidence.margin < 0) == (verdict is VIOLATED)
    with precision(512):
        assert flint.arb(flint.fmpq(1 if verdict is HOLDS else -1, 10**40)) in evidence.margin


def test_a_true_equality_stays_undecided_at_the_first_precision():
    trial = exponential(mv.equal, lambda case: mv.exp(case.f / 2) * mv.exp(case.f / 2))
    evidence = mv.check(trial, f=exact("1/2", 1))
    assert evidence.verdict is UNDECIDED and evidence.precision == START_PRECISION
    assert evidence.margin.contains(0)


def test_a_false_equality_is_violated_in_balls():
    trial = exponential(mv.equal, lambda case: mv.exp(case.f) + number(Fraction(1, 1000), case.system))
    evidence = mv.check(trial, f=exact("1/2", 1))
    assert evidence.verdict is VIOLATED and evidence.margin < 0
    assert evidence.arithmetic is BALLS and "balls at 64 bits" in repr(evidence)


def test_an_inequality_that_is_an_equality_stays_undecided_at_the_cap():
    trial = exponential(mv.at_most, lambda case: mv.exp(case.f / 2) * mv.exp(case.f / 2))
    evidence = mv.check(trial, f=exact("1/2", 1))
    assert evidence.verdict is UNDECIDED and evidence.precision == PRECISION_CAP
    short = certify(trial, lambda system: trial.setting.case({"f": (1, 2)}, ONE, system), cap=128)
    assert short.verdict is UNDECIDED and short.precision == 128


def parts(trial, *rows):
    """What :func:`decide` finds about a batch: positions, system, precision and verdicts, part by part."""
    found = decide(trial, {"f": np.array(rows)}, ONE)
    return [(chosen.tolist(), e.arithmetic, e.precision, np.ravel(e.verdict).tolist()) for chosen, e in found]


def test_only_the_instances_that_leave_the_rationals_go_to_balls():
    """At 0 the exponential is exact, and so is the equality there; exp 1 is not."""
    trial = exponential(mv.equal, lambda case: mv.exp(case.f / 2) * mv.exp(case.f / 2))
    *exactly, balls = parts(trial, (0, 0), (1, 0), (0, 0), (0, 0), (0, 2))
    assert all((system, bits) == (RATIONALS, None) for _, system, bits, _ in exactly)
    assert sorted(i for chosen, *_ in exactly for i in chosen) == [0, 2, 3]
    assert all(set(verdicts) == {HOLDS} for *_, verdicts in exactly)
    assert balls == ([1, 4], BALLS, BATCH_PRECISION, [UNDECIDED, UNDECIDED])
    whole = parts(trial, (0, 0), (0, 0))
    assert whole == [([0, 1], RATIONALS, None, [HOLDS, HOLDS])]
    assert parts(replace(trial, transcendental=True), (0, 0), (0, 0))[0][1] is BALLS


def test_an_instance_that_rationals_cannot_decide_goes_to_balls():
    """The sign of a formal logarithm may stay open, in principle; then balls are tried, not the end of the batch."""

    def proof(case):
        if bare(case.system) in (RATIONALS, ENCLOSURES) and (case.f._parts[0] == 1).any():
            raise UndecidedError("the sign is open")
        yield mv.line("f", case.f)
        yield mv.at_most("10", 10, because="said so")

    found = parts(claim(proof, width=1), (3,), (1,))
    assert found == [([0], RATIONALS, None, [HOLDS]), ([1], BALLS, BATCH_PRECISION, [HOLDS])]


def test_enclosures_decide_inequalities_and_leave_violations_and_equalities():
    inequality = exponential(mv.at_most, lambda case: mv.exp(case.f) + case.f)
    first, *rest = parts(inequality, (1, 2), (-1, 2), (3, 4))
    assert first == ([0, 2], ENCLOSURES, None, [HOLDS, HOLDS])
    assert rest == [([1], BALLS, BATCH_PRECISION, [VIOLATED])]
    assert parts(comparing(mv.equal), (3, 3), (3, 4)) == [([0, 1], RATIONALS, None, [HOLDS, VIOLATED])]


def in_two_steps(case):
    yield mv.line("f/7", case.f / 7)
    yield mv.equal("2f/7 - f/7", 2 * case.f / 7 - case.f / 7, because="arithmetic")
    yield mv.at_most("9/7", Fraction(9, 7), because="said so", axiom="an assumption")


def test_of_skimmed_instances_less_is_asked():
    """In enclosures every step; of what they leave open, in rationals, the statement."""

    def depths(trial, decided, *rows):
        found = decided(trial, {"f": np.array(rows)}, ONE)
        return [(chosen.tolist(), e.arithmetic, [entry.step is not None for entry in e.lines]) for chosen, e in found]

    every, statement = [False, True, True], [False, False, False]
    low, tie, high = (1, 2), (9, 2), (10, 1)
    trial = claim(in_two_steps)
    assert depths(trial, decide, low, tie) == [([0, 1], RATIONALS, every)]
    assert depths(trial, skim, tie) == [([0], RATIONALS, statement)]
    assert depths(trial, skim, low, tie, high) == [([0], ENCLOSURES, every), ([2], RATIONALS, every)]
    statements = partial(decide, statements=True)
    assert depths(trial, statements, low, tie, high) == [
        ([0], ENCLOSURES, every),
        ([2], RATIONALS, every),
        ([1], RATIONALS, statement),
    ]
    assert depths(comparing(mv.equal), statements, (3, 3)) == [([0], RATIONALS, [False, False])]


@pytest.mark.parametrize("trial", CLAIMS, ids=lambda claim: claim.id)
def test_registered_proofs_are_functions_of_their_cases(trial, monkeypatch):
    """An audit looks at few of their evaluations twice; here every one is, at one size."""
    monkeypatch.setattr(importlib.import_module("mappo_verify.checking.evaluate"), "due", lambda _: True)
    if trial.experiment is not None:
        return  # samples are no instances
    sizes = sizes_of(trial.setting)[:5][-1]
    for _, evidence in decide(trial, draw(trial.setting, sizes, 3, np.random.default_rng(5)), sizes):
        assert evidence.claim == trial.id


def test_only_the_instances_that_are_open_get_more_bits():
    """One is decided at once, one needs 1024 bits, and one is a tie that no precision decides."""

    def proof(case):
        f = case.f[0]
        slack = case.f[1] * TINY**3
        yield mv.line("exp f", mv.exp(f))
        yield mv.at_most("exp(f/2)² + slack", mv.exp(f / 2) * mv.exp(f / 2) + slack, because="said so")

    trial = replace(claim(proof, low=-9), transcendental=True)
    found = parts(trial, (1, 10**110), (2, 1), (3, 0), (4, -(10**110)))
    assert found == [
        ([0], ENCLOSURES, None, [HOLDS]),
        ([3], BALLS, BATCH_PRECISION, [VIOLATED]),
        ([1], BALLS, SHARPER * BATCH_PRECISION, [HOLDS]),
        ([2], BALLS, PRECISION_CAP, [UNDECIDED]),
    ]


def nothing_can_tell(f):
    """exp(f) - exp(f/2)², which is 0; no precision can tell."""
    return mv.exp(f) - mv.exp(f / 2) * mv.exp(f / 2)


def test_an_instance_that_no_precision_can_evaluate_is_undecided_alone():
    """Whether exp(f) - exp(f/2)² + f - 1 is 0 cannot be told where f is 1."""

    def by_convention(case):
        same = nothing_can_tell(case.f) + (case.f - 1)
        yield mv.line("x/x, 0 if x = 0", mv.divide(same, same))
        yield mv.at_most("1", number(2, case.system), because="it is 0 or 1")

    def by_solving(case):
        same = (nothing_can_tell(case.f) + (case.f - 1)).reshape(1, 1)
        yield mv.line("x/x", solve(same, same))
        yield mv.at_most("1", number(2, case.system), because="it is 1")

    for proof in (by_convention, by_solving):
        trial = replace(claim(proof, width=1), transcendental=True)
        found = parts(trial, (3,), (1,), (5,), (4,))
        assert sorted((chosen, verdicts) for chosen, _, _, verdicts in found if UNDECIDED in verdicts) == [
            ([1], [UNDECIDED])
        ]
        assert sorted(i for chosen, *_ in found for i in chosen) == [0, 1, 2, 3]
        assert all(
            v is HOLDS for chosen, *_, verdicts in found for i, v in zip(chosen, verdicts, strict=True) if i != 1
        )
    (reason,) = [e.reason for chosen, e in decide(trial, {"f": np.array([[3], [1]])}, ONE) if e.reason]
    assert "too imprecise to tell" in reason


def test_an_open_hypothesis_gets_more_bits_too():
    """Whether exp(f·10⁻³⁰) > 1 stays open at 64 bits where f is small; it is decided at once where f is large."""
    tiny = Fraction(1, 10**30)
    grows = mv.Hypothesis(
        "it grows", lambda case: mv.compare(mv.exp(case.f * number(tiny, case.system)), ">", number(1, case.system))
    )
    trial = replace(claim(comparing(mv.at_most, lambda f: 2 * f + 1).proof, grows, width=1), transcendental=True)
    found = parts(trial, (10**29,), (1,), (-(10**29),))
    assert found == [([0, 2], ENCLOSURES, None, [HOLDS, NOT_APPLICABLE]), ([1], BALLS, 256, [HOLDS])]


def test_the_callers_precision_is_restored():
    with precision(77):
        mv.check(exponential(mv.at_most, lambda case: mv.exp(case.f) + 1), f=exact("1/2", 1))
        assert flint.ctx.prec == 77


def test_an_undecided_formula_is_tried_again_with_more_bits():
    """``support`` cannot tell exp(10⁻³⁰) - 1 from 0 at 64 bits; at 128 it can."""

    def proof(case):
        grown = mv.exp(case.f) - number(1, case.system)
        yield mv.line("x/x, 0 if x = 0", mv.divide(grown, grown))
        yield mv.at_most("2", number(2, case.system), because="it is 0 or 1")

    trial = claim(proof, width=1)
    evidence = mv.check(trial, f=exact(Fraction(1, 10**30)))
    assert evidence.verdict is HOLDS and evidence.precision == 128


def test_an_undecided_hypothesis_is_tried_again_with_more_bits():
    grows = mv.Hypothesis("exp f > 1", lambda case: mv.compare(mv.exp(case.f), ">", number(1, case.system)))

    def proof(case):
        yield mv.line("0", number(0, case.system))
        yield mv.at_most("f", case.f, because="exp grows")

    evidence = mv.check(claim(proof, grows, width=1), f=exact(Fraction(1, 10**30)))
    assert evidence.verdict is HOLDS and evidence.precision == 128


def test_what_no_precision_evaluates_is_an_error_that_says_so():
    def proof(case):
        zero = nothing_can_tell(case.f)[:1, None]
        yield mv.line("0/0", solve(zero, zero))
        yield mv.at_most("1", number(1, case.system), because="said so")

    with pytest.raises(UndecidedError, match="at 2048 bits, or too imprecise to tell; raise the precision"):
        mv.check(claim(proof), f=exact("1/2", 1))


def test_a_choice_that_no_precision_decides_is_undecided():
    """0/0 := 0, where nothing can tell whether it is 0/0: the hull of both, and no verdict."""

    def proof(case):
        zero = nothing_can_tell(case.f)
        yield mv.line("0/0", mv.divide(zero, zero))
        yield mv.at_most("1", number(1, case.system), because="said so")

    evidence = mv.check(claim(proof), f=exact("1/2", 1))
    assert evidence.verdict is UNDECIDED and evidence.precision == PRECISION_CAP


def test_points_are_equal_in_balls_and_balls_are_not():
    """A hypothesis about exact numbers is decided there, too; a relation between lines never is."""
    same = mv.Hypothesis("f = g", lambda case: case.f[0] == case.f[1])
    trial = claim(comparing(mv.at_most).proof, same)
    assert at(trial, [(1, 1), (1, 2), (3, 3)], BALLS).verdict.tolist() == [HOLDS, NOT_APPLICABLE, HOLDS]
    roots = mv.Hypothesis("√f = √g", lambda case: mv.sqrt(case.f[0]) == mv.sqrt(case.f[1]))
    assert at(claim(comparing(mv.at_most).proof, roots), [(2, 2), (2, 3)], BALLS).verdict.tolist() == [
        UNDECIDED,
        NOT_APPLICABLE,
    ]


def test_rationals_go_first_and_formal_logarithms_stay_exact():
    def proof(case):
        yield mv.line("log 4", mv.log(4 + 0 * case.f))
        yield mv.equal("2 log 2", 2 * mv.log(2 + 0 * case.f), because="4 = 2²")

    evidence = at(claim(proof), (1, 1))
    assert evidence.verdict is HOLDS and evidence.arithmetic is RATIONALS


def test_float_input_is_certified_as_the_rationals_that_it_is():
    """0.1 + 0.2 is not 0.3 in binary, by exactly 1/36028797018963968 - and that is what is certified."""
    trial = claim(
        lambda case: iter([mv.line("f", case.f[..., 0] + case.f[..., 1]), mv.equal("g", case.f[..., 2], "r")])
    )
    trial = mv.Claim("mine", "t", "s", mv.Setting("s", (mv.Table("f", lambda _: (3,)),)), trial.proof)
    evidence = mv.check(trial, f=np.array([0.1, 0.2, 0.3]))
    assert evidence.arithmetic is RATIONALS and evidence.verdict is VIOLATED
    wanted = Fraction(0.3) - (Fraction(0.1) + Fraction(0.2))
    assert evidence.margin == flint.fmpq(-abs(wanted.numerator), wanted.denominator) and wanted != 0


def test_the_start_defaults_to_the_games_own():
    game = mv.named_game("two-step")
    policy, target = mv.Policy.uniform(game), mv.optimal(game).policy
    default = mv.check("lemma-4.1", game=game, policy=policy, target=target)
    given = mv.check("lemma-4.1", game=game, policy=policy, target=target, start=game.start)
    other = mv.check("lemma-4.1", game=game, policy=policy, target=target, start=exact(0, 0, 1))
    assert default.holds and given.holds and other.holds
    assert default.lines[0].value == given.lines[0].value == flint.fmpq(13, 4)
    assert other.lines[0].value == flint.fmpq(8) - flint.fmpq(10, 4)


def test_a_starting_point_of_the_wrong_length_is_refused():
    game = mv.random_game(3, (2, 2))
    policy = mv.Policy.uniform(game)
    for start in ([1.0], [0.5, 0.5]):
        with pytest.raises(MappoVerifyError, match="start has shape"):
            mv.check("section-3.1/occupancy", game=game, policy=policy, start=start)


def test_numbers_of_another_system_are_refused_inside_a_proof():
    with pytest.raises(ClaimError, match="line 'right' is an array of float64, no number of the case"):
        at(comparing(mv.at_most, lambda _: np.array([0.5, 0.5])), (1, 1))
    floats = like([1, 2], mv.arithmetic.Hidden(FLOATS))
    for wrong in (lambda f: f + floats, lambda f: mv.maximum(f, floats), lambda f: np.stack([f, floats])):
        with pytest.raises(
            ClaimError, match=r"rationals and floats in one formula: convert one.*test_evaluate\.py:\d+"
        ):
            at(comparing(mv.at_most, wrong), (1, 1))
    with pytest.raises(
        ClaimError, match=r"line 'right' is in floats, and the case in rationals; make constants with like"
    ):
        at(comparing(mv.at_most, lambda _: floats), (1, 1))


def test_plain_integers_may_stand_in_a_line():
    """Integers are neutral: ``line("0", 0)`` needs no ``like``, and the margin is still exact."""

    def proof(case):
        yield mv.line("0", 0)
        yield mv.equal("f - f", case.f - case.f, because="itself")
        yield mv.line("0", 0)
        yield mv.at_most("9", 9, because="counting")

    evidence = at(claim(proof), (1, 2))
    assert evidence.verdict is HOLDS and evidence.margin == 0
    assert not isinstance(evidence.margin, float)


@pytest.mark.parametrize("proof", [lambda _: None, lambda _: iter([1, 2])])
def test_a_proof_that_yields_no_lines_is_a_claim_error(proof):
    with pytest.raises(ClaimError):
        at(claim(proof), (1, 2))


# --- what stays open is said ----------------------------------------------------------------------------------------------


def test_a_chain_of_balls_that_may_lose_mass_has_no_stationary_distribution():
    """Rows that are 1 up to a radius may terminate; it cannot be told, so nothing is said."""
    row = [flint.arb(0.5, 1e-9), flint.arb(0.5, 1e-9)]
    game = mv.Game(
        np.array([[row], [row]], dtype=object),
        np.array([[flint.arb(1)], [flint.arb(0)]], dtype=object),
        np.array(flint.arb(0.5), dtype=object),
        (1,),
    )
    policy = mv.Policy([np.array([[[flint.arb(1)]], [[flint.arb(1)]]], dtype=object)])
    with pytest.raises(UndecidedError, match="loses mass cannot be told"):
        mv.stationary_distribution(game, policy)


def test_a_solver_gives_one_answer_in_every_number_system():
    """Its input differs in the last bit between midpoints and rationals, and what it makes of that is no last bit."""
    entry = find("proposition-4.2/solver")
    for seed, sizes in enumerate(sizes_of(entry.setting)):
        drawn = draw(entry.setting, sizes, 100, np.random.default_rng(seed))
        theirs = [entry.lines(entry.setting.case(drawn, sizes, system))[0].value for system in (ENCLOSURES, RATIONALS)]
        assert (theirs[0].compare("=", converted(theirs[1], ENCLOSURES)).values >= 0).all()


def test_policy_iteration_and_solvers_that_do_not_settle_say_so(monkeypatch):
    from mappo_verify.quantities import reference_solvers

    optimality = importlib.import_module("mappo_verify.quantities.optimal")  # the package has a function of this name
    monkeypatch.setattr(optimality, "MAX_IMPROVEMENTS", 0)
    with pytest.raises(MappoVerifyError, match="did not settle within 0 improvements"):
        mv.optimal(mv.named_game("climbing"))

    with pytest.raises(MappoVerifyError, match="for the mirror step at index"):
        reference_solvers.mirror_step_by_solver(np.array([0.5, 0.5]), np.array([0.0, np.nan]), 1.0)
