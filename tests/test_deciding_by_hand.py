"""Which instances of a batch are decided where, by hand: in enclosures, in rationals, alone, and how often."""

from __future__ import annotations

from contextlib import nullcontext
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, solve
from mappo_verify.arithmetic.rationals import rational
from mappo_verify.checking.agreement import Seen, _different_values
from mappo_verify.checking.evaluate import decide, skim, uncounted
from mappo_verify.checking.monte_carlo import Interval, Statistics, coverage_interval, quantile_interval, slope_interval
from mappo_verify.checking.proving import _require_same_at_a_point
from mappo_verify.errors import ClaimError

ONE = mv.Sizes(1, (1,))
SMALL = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}
SETTING = mv.Setting("two numbers", (mv.Table("f", lambda _: (2,), 0, 99),), **SMALL)


def claim_of(proof, **more):
    return mv.Claim("mine", "t", "s", SETTING, proof, **more)


def bound(left, right):
    def proof(case):
        yield mv.line("left", left(case.f))
        yield mv.at_most("right", right(case.f), because="said so")

    return proof


def rows(*pairs):
    return {"f": np.array(pairs)}


def told(parts):
    return [
        (evidence.arithmetic.value, chosen.tolist(), [v.value for v in np.ravel(evidence.verdict)])
        for chosen, evidence in parts
    ]


# Thirds are rounded in enclosures, so that f_0/3 · 3 ≤ f_0 is open there; 0 and larger gaps are not.
THIRDS = bound(lambda f: f[0] / 3 * 3, lambda f: f[0] + f[1])


def test_the_few_that_look_violated_are_decided_exactly():
    """At most four, violated statements before broken steps; all that enclosures settle are counted."""

    def proof(case):
        yield mv.line("f_0", case.f[0])
        yield mv.at_most("7", 7 + 0 * case.f[0], because="it is not")
        yield mv.at_most("9", 9 + 0 * case.f[0], because="it is")

    found = told(skim(claim_of(proof), rows((1, 0), (8, 0), (50, 0), (8, 0), (51, 0), (52, 0), (2, 0)), ONE))
    assert found == [("enclosures", [0, 6], ["holds"] * 2), ("rationals", [2, 4, 5, 1], ["violated"] * 3 + ["holds"])]


@pytest.mark.parametrize(("tied", "parts"), [(3, 1), (4, 2)])
def test_where_enclosures_settle_less_than_a_quarter_rationals_decide_the_rest(tied, parts):
    drawn = rows((0, 0), *[(1, 0)] * tied)
    found = told(skim(claim_of(THIRDS), drawn, ONE))
    assert found[0] == ("enclosures", [0], ["holds"]) and len(found) == parts
    assert found[1:] == [("rationals", list(range(1, tied + 1)), ["holds"] * tied)][: parts - 1]


def test_what_does_not_apply_is_no_part_of_that_quarter():
    setting = mv.Setting(
        "s", SETTING.ingredients, (mv.Hypothesis("f_1 = 0", lambda case: (case.f[1], "≤", 0)),), **SMALL
    )
    claim = mv.Claim("mine", "t", "s", setting, THIRDS)
    found = told(skim(claim, rows((0, 0), (1, 0), (1, 0), (5, 5), (5, 5), (5, 5)), ONE))
    assert found == [("enclosures", [0, 3, 4, 5], ["holds"] + ["not applicable"] * 3)]
    assert told(skim(claim, rows((5, 5), (5, 5)), ONE)) == [("enclosures", [0, 1], ["not applicable"] * 2)]


def test_what_enclosures_cannot_evaluate_is_skimmed_in_rationals():
    def proof(case):
        if isinstance(case.f._parts[0].flat[0], float):
            raise ZeroDivisionError("no float can do this")
        yield mv.line("0", 0)
        yield mv.at_most("f_0", case.f[0], because="it is not negative")

    assert told(skim(claim_of(proof), rows((1, 0), (2, 0)), ONE)) == [("rationals", [0, 1], ["holds"] * 2)]


def test_equalities_are_skimmed_once_and_never_again():
    def proof(case):
        yield mv.line("f_0", case.f[0])
        yield mv.equal("f_0 + f_1", case.f[0] + case.f[1], because="said so")

    claim = claim_of(proof)
    assert not uncounted(claim)
    assert told(skim(claim, rows((1, 0), (2, 1)), ONE)) == [("rationals", [1], ["violated"])]
    assert uncounted(claim) and told(skim(claim, rows((1, 0), (2, 0)), ONE)) == []


def test_statements_that_enclosures_see_need_no_step_unless_it_breaks():
    def proof(case):
        yield mv.line("f_0", case.f[0])
        yield mv.at_most("f_0/3 · 3 + f_1", case.f[0] / 3 * 3 + case.f[1], because="it is")
        yield mv.at_most("f_0 + 1 + 99 f_1", case.f[0] + 1 + 99 * case.f[1], because="it is")

    drawn = rows((1, 0), (1, 2), (0, 0))
    assert told(decide(claim_of(proof), drawn, ONE, statements=True)) == [("enclosures", [0, 1, 2], ["holds"] * 3)]
    assert told(decide(claim_of(proof), drawn, ONE)) == [
        ("enclosures", [1, 2], ["holds"] * 2),
        ("rationals", [0], ["holds"]),
    ]


@pytest.mark.parametrize("system", [System.ENCLOSURES, System.RATIONALS])
def test_a_proof_that_counts_the_instances_beside_its_own_is_caught(system):
    """Two instances side by side, and then one alone."""

    def proof(case):
        count = case.f._parts[0].shape[-1]
        yield mv.line("f_0", case.f[0])
        made = mv.at_most if system is System.ENCLOSURES else mv.equal
        yield made("f_0 + its neighbours", case.f[0] + (99 if count == 2 else 0), because="so it is with two")

    with pytest.raises(ClaimError, match="is no function of its case"):
        list(decide(claim_of(proof), rows((1, 0), (2, 0)), ONE))


@pytest.mark.parametrize("transcendental", [False, True])
@pytest.mark.parametrize("count", [2, 3])
def test_an_instance_that_raises_is_alone(transcendental, count):
    """``1/f_0 ≤ 1`` where f_0 is 0, 1, 1: in rationals, and in balls."""

    def proof(case):
        zero = 0 * mv.sqrt(2 + 0 * case.f[0]) if transcendental else 0
        one = solve(case.f[0].reshape(1, 1), (1 + 0 * case.f[0]).reshape(1, 1))[0, 0]
        yield mv.line("1/f_0", one + zero)
        yield mv.at_most("2", 2, because="so small")

    drawn = {"f": np.array([[0, 0], [1, 0], [1, 0]][:count])}
    parts = list(decide(claim_of(proof, transcendental=transcendental), drawn, ONE))
    nothing = [chosen.tolist() for chosen, evidence in parts if evidence.raised or evidence.reason]
    held = sorted(i for chosen, evidence in parts if evidence.holds for i in chosen.tolist())
    assert nothing == [[0]] and held == list(range(1, count))


@pytest.mark.parametrize(("relation", "verdict"), [("<", "not applicable"), ("≤", "holds")])
def test_a_hypothesis_that_another_system_leaves_open_contradicts_nothing(relation, verdict):
    """``f_0/3 · 3 < f_0`` is false, and ``≤`` true, and enclosures see neither."""
    thirds = mv.Hypothesis("thirds", lambda case: (case.f[0] / 3 * 3, relation, case.f[0]))
    claim = mv.Claim("mine", "t", "s", mv.Setting("s", SETTING.ingredients, (thirds,), **SMALL), THIRDS)
    assert mv.check(claim, f=[1, 2]).verdict.value == verdict


@pytest.mark.parametrize(("mask", "at"), [((1, 1), None), ((1, 0), 0), ((0, 1), 0), ((0, 0), 0)])
def test_masks_that_contradict_each_other(mask, at):
    """Of the two entries one evaluation speaks of both, another one of these."""

    def seen(*chosen):
        def proof(case):
            yield mv.line("f", case.f, where=case.f >= mv.like([0 if one else 99 for one in chosen], case.system))
            yield mv.at_most("f + 1", case.f + 1, because="it is")

        case = SETTING.case({"f": [3, 5]}, ONE, System.RATIONALS)
        return Seen(System.RATIONALS, tuple(claim_of(proof).lines(case)), [])

    for one, two in ((seen(1, 1), seen(*mask)), (seen(*mask), seen(1, 1))):
        found = _different_values(one, two)
        assert found == (None if at is None else (at, "the mask of line 'f' holds, and does not"))


def test_by_how_much_is_told_of_statements_and_of_steps_that_fail():
    def proof(case):
        yield mv.line("f_0", case.f[0])
        yield mv.at_most("f_0 + 2", case.f[0] + 2, because="it is")
        yield mv.at_most("f_0 - 1", case.f[0] - 1, because="it is not")
        yield mv.at_most("f_0 + 5", case.f[0] + 5, because="it is")

    evidence = mv.check(claim_of(proof), f=[4, 0])
    margins = [entry.step.margin for entry in evidence.lines[1:]]
    assert margins[0] is None and float(margins[1]) == -3 and margins[2] is None and float(evidence.margin) == 5
    assert evidence.statements[0].ratios is not None and all(entry.step.ratios is None for entry in evidence.lines[1:])


@pytest.mark.parametrize(("count", "compared"), [(1, [0]), (9, range(9)), (16, range(0, 16, 2)), (17, range(0, 17, 2))])
def test_entries_over_symbols_are_compared_with_numbers(monkeypatch, count, compared):
    """All of up to 15 entries, of more at least eight at equal distances; one that differs is told."""
    monkeypatch.setattr("mappo_verify.arithmetic.symbols.at", lambda constant, _: constant)

    def proof(case):
        yield mv.line("c", 0 * case.f[0] + mv.like(list(range(count)), case.system))
        yield mv.at_most("99", 99, because="so large")

    exact = [rational(k) for k in range(count)]
    for place in [None, *range(count)]:
        values = np.array([c + (k == place) for k, c in enumerate(exact)], object)
        proved = SimpleNamespace(
            lines=[SimpleNamespace(expression="c", value=values), SimpleNamespace(expression="99", value=rational(99))]
        )
        with pytest.raises(ClaimError, match="line 'c' is") if place in compared else nullcontext():
            _require_same_at_a_point(claim_of(proof), ONE, proved, 2, 1)


# --- statistics ---------------------------------------------------------------------------------------------------------


def test_a_coverage_by_hand():
    """Of n trials without a failure the chance p has pⁿ = ε/2; with one of two, p² = 1 - ε/2 and (1 - p)² = 1 - ε/2."""
    error = 0.1
    none = coverage_interval(0, 3, error)
    assert none.low == 0 and none.high == pytest.approx(1 - 0.05 ** (1 / 3))
    every = coverage_interval(3, 3, error)
    assert every.high == 1 and every.low == pytest.approx(0.05 ** (1 / 3))
    half = coverage_interval(1, 2, error)
    assert half.low == pytest.approx(1 - np.sqrt(0.95)) and half.high == pytest.approx(np.sqrt(0.95))


def test_a_quantile_by_hand():
    """Of two values below the median are 0, 1, 2 with chances 1/4, 1/2, 1/4."""
    assert quantile_interval(np.array([5.0, 3.0]), 0.5, 0.6) == Interval(3, 5)
    assert quantile_interval(np.array([5.0, 3.0]), 0.5, 0.4) == Interval(-np.inf, np.inf)
    assert quantile_interval(np.array([5.0, 3.0, 4.0]), 0.5, 0.3) == Interval(3, 5)
    assert quantile_interval(np.array([5.0, 3.0, 4.0]), 0.5, 0.2) == Interval(-np.inf, np.inf)


def test_slopes_by_hand():
    """Over log n = 0, 1, 2 the weights are -1/2, 0, 1/2."""
    sizes = (1, np.e, np.e**2)
    found = slope_interval(sizes, (Interval(1, np.e), Interval(1e-9, 1e9), Interval(np.e**2, np.e**3)))
    assert (found.low, found.high) == pytest.approx((0.5, 1.5))


def test_what_samples_say_at_their_worst():
    class OneSeries:
        def __init__(self, *coverage, growth=0.0, slope=-1.0, quantile=0.5):
            self.coverage = tuple(Interval(low, 1) for low in coverage)
            self.growth, self.slope = Interval(-1, growth), Interval(-2, slope)
            self.quantile, self.sizes = (Interval(0, 0.1), Interval(0, quantile)), (10, 20)

    def of(*series):
        return Statistics(0.1, 7, 0.99, series)

    fine = of(OneSeries(0.9, 0.95), OneSeries(0.97))
    assert fine.covered and fine.steady and fine.supported and fine.samples == 28
    assert fine.coverage.low == 0.9 and fine.growth.high == 0 and fine.slope.high == -1 and fine.constant == 0.5
    assert "n = 10..20 from 2 designs" in fine.text() and fine.text().startswith("Monte Carlo")
    for place in (0, 1):
        series = [OneSeries(0.95, 0.96), OneSeries(0.95, 0.96)]
        series[place] = OneSeries(0.95, 0.89, growth=0.3, slope=-0.5, quantile=0.75)
        bad = of(*series)
        assert not bad.covered and not bad.steady and bad.coverage.low == 0.89 and bad.growth.high == 0.3
        assert bad.slope.high == -0.5 and bad.constant == 0.75
        assert bad.text().startswith("not supported (coverage is not certainly what is claimed and the quantile grows")
    slow = of(OneSeries(0.9, growth=0.1))
    assert slow.steady and not of(OneSeries(0.9, growth=0.11)).supported and not of(OneSeries(0.89)).supported
    assert of(OneSeries(float(1 - Fraction(1, 10)))).covered
