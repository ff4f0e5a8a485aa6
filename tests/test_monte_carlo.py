"""Statistical claims: the intervals are exact, true statements are supported, wrong ones are not, and nothing is refuted."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from fractions import Fraction
from math import comb, inf, log

import numpy as np
import pytest
from rich.console import Console

import mappo_verify as mv
from mappo_verify.arithmetic import System, like
from mappo_verify.checking.certificate import certificate_of
from mappo_verify.checking.falsify import falsify
from mappo_verify.checking.monte_carlo import (
    Interval,
    Series,
    Statistics,
    coverage_interval,
    quantile_interval,
    run,
    sampled,
    slope_interval,
)
from mappo_verify.claims.ingredients import Counts
from mappo_verify.errors import ClaimError
from mappo_verify.papers.registry import claim as find
from mappo_verify.report.document import audit_document, claim_document
from mappo_verify.report.terminal import audit_table

STATISTICAL = ["lemma-c.1", "lemma-c.2/complete", "lemma-d.4", "lemma-d.5"]
SUPPORTED, UNTESTED = mv.Standing.SUPPORTED, mv.Standing.UNTESTED


def binomial(n, k, p):
    return comb(n, k) * p**k * (1 - p) ** (n - k)


# --- intervals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("successes", [0, 1, 7, 19, 20])
def test_clopper_and_pearson(successes):
    """At the ends of the interval what was seen, or more extreme, has probability error/2."""
    found = coverage_interval(successes, 20, 0.02)
    if successes:
        assert sum(binomial(20, k, found.low) for k in range(successes, 21)) == pytest.approx(0.01)
    else:
        assert found.low == 0
    if successes < 20:
        assert sum(binomial(20, k, found.high) for k in range(successes + 1)) == pytest.approx(0.01)
    else:
        assert found.high == 1


@pytest.mark.parametrize(("count", "level", "error"), [(30, 0.9, 0.1), (50, 0.5, 0.01), (200, 0.9, 1e-3)])
def test_order_statistics_cover_the_quantile(count, level, error):
    """By the binomial law of ranks, summed anew; and one rank narrower would miss too often."""
    found = quantile_interval(np.arange(1.0, count + 1), level, error)
    low, high = int(found.low), int(found.high)
    assert sum(binomial(count, k, level) for k in range(low)) <= error / 2
    assert sum(binomial(count, k, level) for k in range(low + 1)) > error / 2
    assert sum(binomial(count, k, level) for k in range(high, count + 1)) <= error / 2
    assert sum(binomial(count, k, level) for k in range(high - 1, count + 1)) > error / 2


def test_too_few_values_bound_nothing():
    found = quantile_interval(np.arange(1.0, 6), 0.9, 0.01)
    assert found.high == inf and found.low == 2
    assert quantile_interval(np.arange(3.0), 0.1, 0.01).low == -inf


def test_quantile_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(2_000):
        found = quantile_interval(rng.exponential(size=100), 0.9, 0.1)
        hits += found.low <= log(10) <= found.high
    assert coverage_interval(hits, 2_000, 1e-6).high >= 0.9


def test_slopes_take_every_quantile_that_is_allowed():
    exact = tuple(Interval(3 * n**-0.5, 3 * n**-0.5) for n in (4, 16, 64))
    found = slope_interval((4, 16, 64), exact)
    assert found.low == pytest.approx(-0.5) and found.high == pytest.approx(-0.5)
    wide = tuple(Interval(q.low / 2, q.high * 2) for q in exact)
    found = slope_interval((4, 16, 64), wide)
    assert found.low == pytest.approx(-0.5 - log(4) / log(16)) and found.high == pytest.approx(-0.5 + log(4) / log(16))


def test_worst_of_several_designs():
    def series(low, growth, slope, high):
        return Series(
            design="x",
            sizes=(1, 2),
            coverage=(Interval(low, 1),) * 2,
            quantile=(Interval(0, high),) * 2,
            left=(Interval(0, 1),) * 2,
            bound=(4, 2),
            growth=Interval(-1, growth),
            slope=Interval(-2, slope),
        )

    both = Statistics(0.1, 1000, 0.99, (series(0.95, 0.05, -1, 0.5), series(0.91, -0.2, -0.5, 0.7)))
    assert both.coverage.low == 0.91 and both.growth.high == 0.05 and both.slope.high == -0.5
    assert both.series[0].claimed_slope == pytest.approx(-1)
    assert both.constant == 0.7 and both.samples == 4000 and both.supported
    uncovered = replace(both, series=(series(0.95, 0, 0, 1), series(0.89, 0, 0, 1)))
    assert not uncovered.supported and uncovered.steady and "coverage is not certainly" in uncovered.text()
    growing = replace(both, series=(series(0.95, 0.2, 0, 1), series(0.99, 0, 0, 1)))
    assert not growing.supported and growing.covered and "grows against the bound" in growing.text()


# --- registered claims ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def audited():
    return mv.audit(map(find, STATISTICAL))


def test_the_lemmas_are_supported(audited):
    assert [entry.id for entry in audited] == STATISTICAL
    for entry in audited:
        found = entry.statistics
        assert entry.standing is SUPPORTED and entry.expected and found.supported
        assert found.repetitions >= 1_000 and found.confidence == 0.99 and entry.instances == found.samples
        assert "Monte Carlo" in entry.how and "99% confidence" in entry.how and entry.witness is None
        for series in found.series:
            assert all(q.low > 0 for q in series.quantile[:-1]), f"{series.design} makes no noise"
            for ratio, left, bound in zip(series.quantile, series.left, series.bound, strict=True):
                assert left.high == pytest.approx(ratio.high * bound)  # these bounds are the same for every sample


def test_rates_are_those_of_the_lemmas(audited):
    """-1 for the squared quantities, -1/2 for the norms; a class that misses T f keeps its error."""
    for name, rate in zip(STATISTICAL, (-1, -0.5, -1, -0.5), strict=True):
        series = audited[name].statistics.series
        found = max((s.slope for s in series if s.design != "misfit"), key=lambda interval: interval.high)
        assert found.low < rate < found.high and found.high - found.low < 0.3


def test_the_seed_decides(audited):
    again = mv.audit(["lemma-c.1"])["lemma-c.1"].statistics
    assert again == audited["lemma-c.1"].statistics
    assert again != mv.audit(["lemma-c.1"], seed=1)["lemma-c.1"].statistics


def test_reports_carry_the_intervals(audited):
    document = json.loads(json.dumps(audit_document(audited), allow_nan=False))
    row = document["claims"][0]["statistics"]
    assert row["supported"] is True and row["repetitions"] >= 1_000 and row["delta"] == 0.1
    first = row["designs"][0]
    assert first["n"] == [64, 256, 1024, 4096] and all(0.9 < low <= high <= 1 for low, high in first["coverage"])
    assert len(first["quantile_of_left"]) == len(first["bound"]) == 4 and -1 < first["slope_of_bound"] < -0.8
    assert len(first["quantile_of_ratio"]) == 4 and len(first["growth_of_ratio"]) == len(first["slope_of_left"]) == 2
    assert claim_document(mv.audit(["lemma-b.3"])["lemma-b.3"])["statistics"] is None
    console = Console(file=io.StringIO(), width=200)
    console.print(audit_table(audited, details=True))
    assert "coverage [" in console.file.getvalue()


# --- wrong statements -------------------------------------------------------------------------------------------------


def altered(name, change):
    """A claim with another right-hand side: ``change(case, right)``."""
    original = find(name)

    def proof(case):
        *others, last = list(original.proof(case))
        yield from others
        yield replace(last, value=change(case, last.value))

    return replace(original, proof=proof)


@pytest.mark.parametrize("exponent", [-1, Fraction(-1, 2)])
def test_a_rate_that_is_too_good_is_not_supported(exponent):
    """n^-2, or n^-1.5, for n^-1: with a constant so generous that coverage alone would not tell."""
    claim = altered("lemma-c.1", lambda case, right: right * mv.exp(exponent * mv.log(case.number)) * 10_000)
    entry = mv.audit([claim])["lemma-c.1"]
    found = entry.statistics
    assert found.covered and not found.steady and found.growth.low > 0
    assert entry.standing is UNTESTED and not entry.expected and entry.witness is None
    assert entry.how.startswith("not supported (the quantile grows against the bound")


def test_a_constant_that_is_too_small_is_not_supported(audited):
    """The bound times half the constant that suffices: the rate is right, the coverage is not."""
    enough = audited["lemma-c.1"].statistics.constant
    claim = altered("lemma-c.1", lambda _, right: right * Fraction(enough) / 2)
    entry = mv.audit([claim])["lemma-c.1"]
    assert entry.standing is UNTESTED and entry.statistics.steady and not entry.statistics.covered
    assert entry.how.startswith("not supported (coverage is not certainly what is claimed)")
    assert entry.statistics.coverage.high < 0.9


def test_an_optimistic_confidence_is_not_supported(audited):
    """The same bound at the quantile itself holds 9 times in 10, not 99 in 100."""
    enough = audited["lemma-c.1"].statistics.constant
    claim = altered("lemma-c.1", lambda _, right: right * Fraction(enough))
    bolder = replace(claim, experiment=replace(claim.experiment, delta=Fraction(1, 100)))
    assert mv.audit([bolder])["lemma-c.1"].standing is UNTESTED


@pytest.mark.parametrize("change", [lambda _, right: -right, lambda _, right: 0 * right])
def test_a_bound_that_is_not_positive_is_not_supported(change):
    """A left side ≥ 0 is not at most -1, though their ratio is at most 1."""
    entry = mv.audit([altered("lemma-c.1", change)])["lemma-c.1"]
    assert entry.standing is UNTESTED and not entry.statistics.covered
    json.dumps(claim_document(entry), allow_nan=False)


def test_where_nothing_is_claimed_nothing_is_supported():
    original = find("lemma-c.1")

    def proof(case):
        first, *others = original.proof(case)
        yield replace(first, where=first.value < 0)
        yield from others

    entry = mv.audit([replace(original, proof=proof)])["lemma-c.1"]
    assert entry.standing is UNTESTED and not entry.statistics.covered


def test_an_identity_is_no_claim_about_samples():
    original = find("lemma-c.1")

    def proof(case):
        yield from original.proof(case)
        yield mv.line("1", 1)
        yield mv.equal("2", 2, because="nobody looks")

    with pytest.raises(ClaimError, match="'1' = '2' is an identity, which samples do not decide"):
        mv.audit([replace(original, proof=proof)])


COIN = np.array([[[Fraction(1, 2), Fraction(1, 2)]]], object)


def of_a_coin(proof, *hypotheses, delta=Fraction(1, 10)):
    """What 500 samples of 64 and of 1024 throws of a fair coin say."""
    game = mv.Game(COIN[..., :1], np.zeros((1, 1), object) + Fraction(0), Fraction(1, 2))
    coins = mv.Setting(
        "coins",
        (mv.GameData("game", start=False), Counts("counts")),
        hypotheses,
        agents=(1, 1),
        states=(1, 1),
        action_range=(1, 1),
    )
    experiment = mv.Experiment(
        lambda: {"fair": {"game": game}}, lambda case: like(COIN, case.system), delta, sizes=(64, 1024)
    )
    return run(mv.Claim("mine", "t", "s", coins, proof, experiment=experiment), 500, np.random.default_rng(0))


def heads(case):
    return case.counts[0, 0, 0]


def test_a_sample_that_does_not_meet_the_hypotheses_supports_nothing():
    """Of fair coins at least half heads: then a share below half is never seen, and without the hypothesis every second time."""

    def proof(case):
        yield mv.line("heads", heads(case))
        yield mv.at_most("half", case.counts.sum() / 2, because="so it is for half of all samples")

    more = mv.Hypothesis("more heads", lambda case: heads(case) >= case.counts.sum() / 2)
    assert of_a_coin(proof, more, delta=Fraction(3, 5)).coverage.high < 0.2
    free = of_a_coin(proof, delta=Fraction(3, 5))
    assert 0.4 < free.coverage.low < free.coverage.high < 0.7


@pytest.mark.parametrize(
    "sides",
    [
        lambda c: (heads(c) + 1 + 2**80 - 2**80, Fraction(1, 2) + 0 * heads(c)),  # 1 + heads, which floats round to 0
        lambda c: (5 + 0 * heads(c), 1 / (c.counts.sum() - c.counts.sum())),  # 1/0 is no number
        lambda c: (mv.exp(0 * heads(c) - 1000), mv.exp(0 * heads(c) - 1000) / 2),  # both are 0 in floats
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_floats_round_supports_nothing(sides):
    """No sample meets these bounds, and all do in floats."""

    def proof(case):
        left, right = sides(case)
        yield mv.line("left", left)
        yield mv.at_most("right", right, because="it is not")

    found = of_a_coin(proof)
    assert not found.supported and found.coverage.high < 0.05


def test_a_bound_that_all_samples_meet_is_supported():
    def proof(case):
        yield mv.line("heads", heads(case))
        yield mv.at_most("n", case.counts.sum(), because="so many throws there are")

    assert of_a_coin(proof).supported


def test_an_experiment_has_designs_and_a_law_no_negative_entry():
    original = find("lemma-c.1")
    empty = replace(original, experiment=replace(original.experiment, designs=dict))
    with pytest.raises(ClaimError, match="an experiment without designs"):
        run(empty, 10, np.random.default_rng(0))

    below = replace(original, experiment=replace(original.experiment, law=lambda c: original.experiment.law(c) - 1))
    with pytest.raises(ClaimError, match="the law of one datum has the entry -"):
        run(below, 10, np.random.default_rng(0))


def test_a_law_sums_to_1():
    original = find("lemma-c.1")
    law = replace(original.experiment, law=lambda case: 2 * original.experiment.law(case))
    with pytest.raises(ClaimError, match="the law of one datum sums to 2"):
        mv.audit([replace(original, experiment=law)])


# --- what samples may not do ------------------------------------------------------------------------------------------


def test_a_bad_sample_refutes_nothing():
    claim = altered("lemma-c.1", lambda _, right: right / 10**6)
    with pytest.raises(ClaimError, match="one bad sample refutes nothing"):
        falsify(claim)
    sizes = mv.Sizes(1, (1,))
    numbers = {c.name: np.ones(c.shape, int) for c in claim.setting.coordinates(sizes)}
    with pytest.raises(ClaimError, match="one bad sample proves nothing"):
        certificate_of(claim, sizes, numbers)
    assert mv.audit([claim])["lemma-c.1"].standing is UNTESTED


def test_a_given_game_is_not_what_samples_are_drawn_from():
    report = mv.audit(["lemma-c.1"], game=mv.random_game(2, (2,)))
    tried, skipped = {entry.id for entry in report.claims}, dict(report.skipped)
    assert tried == {"lemma-c.1/projection", "lemma-c.1/moment"}
    assert all("it speaks of samples" in skipped[name] for name in ("lemma-c.1", "lemma-c.1/explicit"))


def test_one_sample_can_be_checked():
    """The verdict is about that sample: one point, one way on, so no noise."""
    game = mv.random_game(1, (1,), seed=0)
    evidence = mv.check(
        "lemma-c.1",
        game=game,
        policy=mv.Policy.uniform(game),
        data=like([1], System.RATIONALS),
        counts=like([[[2, 0]]], System.RATIONALS),
        features=like([[1]], System.RATIONALS),
    )
    assert evidence.holds and evidence.lines[0].value == 0


# --- experiments ------------------------------------------------------------------------------------------------------


def test_the_law_of_the_counts():
    """Means and the covariance of two cells of a multinomial law, within five standard errors."""
    experiment = find("lemma-c.1").experiment
    design = experiment.designs()["coin"]
    ones = like(np.ones((3, 2, 4), int), System.RATIONALS)
    exact = find("lemma-c.1").setting.case_from({**design, "counts": ones})
    counts = sampled(experiment, exact, 60, 20_000, np.random.default_rng(0)).counts.unwrap()
    assert counts.shape == (20_000, 3, 2, 4) and (counts.sum((1, 2, 3)) == 60).all()
    law = np.asarray(exact.law.unwrap()[0].astype(str), dtype=object)
    one, two = counts[:, 0, 0, 1], counts[:, 1, 0, 1]
    p, q = float(Fraction(law[0, 0, 1])), float(Fraction(law[1, 0, 1]))
    assert abs(one.mean() - 60 * p) < 5 * np.sqrt(60 * p * (1 - p) / 20_000)
    products = (one - 60 * p) * (two - 60 * q)
    assert abs(products.mean() + 60 * p * q) < 5 * products.std() / np.sqrt(20_000)


def test_designs_meet_the_hypotheses():
    claim = find("lemma-c.1")
    design = claim.experiment.designs()["coin"]
    poor = like(np.eye(6, dtype=int)[:, :1], System.RATIONALS)
    bad = replace(claim, experiment=replace(claim.experiment, designs=lambda: {"poor": {**design, "features": poor}}))
    with pytest.raises(ClaimError, match="the design 'poor' violates a hypothesis: Q_π is linear"):
        run(bad, 10, np.random.default_rng(0))


def test_what_goes_wrong_while_drawing_is_a_finding():
    def broken(_):
        raise ZeroDivisionError("planted")

    claim = find("lemma-c.1")
    entry = mv.audit([replace(claim, experiment=replace(claim.experiment, law=broken))])["lemma-c.1"]
    assert entry.standing is UNTESTED and not entry.expected and "planted" in entry.how and entry.statistics is None
    assert entry.instances == 0


def test_claims_without_experiment_cannot_be_drawn():
    with pytest.raises(ClaimError, match="has no experiment"):
        run(find("lemma-4.1"), 10, np.random.default_rng(0))


def test_lower_bounds_and_masks_count_as_well():
    """≥ is turned round; masked entries do not count."""

    def proof(case):
        yield mv.line("2", 0 * case.number + 2, where=np.array([True, False]))
        yield mv.at_least("1 or 9", np.stack([0 * case.number + 1, 0 * case.number + 9], -1), "so")

    found = run(replace(find("lemma-c.1"), proof=proof), 100, np.random.default_rng(0))
    assert found.constant == 0.5 and found.covered


@pytest.mark.parametrize("delta", [Fraction(0), Fraction(1), Fraction(-1, 2)])
def test_a_probability_is_needed(delta):
    with pytest.raises(ClaimError, match="is not between 0 and 1"):
        mv.Experiment(dict, lambda case: case, delta)


@pytest.mark.parametrize("sizes", [(), (4,), (8, 4), (4, 4), (0, 4), (4.5, 8), (True, 2)])
def test_sample_sizes_must_rise(sizes):
    with pytest.raises(ClaimError, match="in rising order"):
        mv.Experiment(dict, lambda case: case, Fraction(1, 10), sizes=sizes)


@pytest.mark.parametrize("design", [0, 1])
@pytest.mark.parametrize("place", [0, 1])
def test_every_design_and_size_counts(design, place):
    """Two designs, two sizes: what is bad at one of the four places is found, and is the worst."""

    def series(name, **more):
        good = Interval(0.95, 0.99), Interval(0.96, 0.99)
        values = {"coverage": good, "quantile": (Interval(0.1, 0.2),) * 2, "left": (Interval(1, 2),) * 2}
        values |= {"growth": Interval(-0.2, -0.1), "slope": Interval(-1.1, -0.9)}
        return Series(name, (10, 100), bound=(1.0, 0.1), **values | more)

    def statistics(**more):
        parts = [series("a"), series("b")]
        parts[design] = series("bad", **more)
        return Statistics(0.1, 50, 0.99, tuple(parts))

    def at(bad, good):
        return (bad, good) if place == 0 else (good, bad)

    assert statistics().supported and statistics().samples == 200
    low, wide, rising = Interval(0.89, 0.99), Interval(0.1, 7.0), Interval(-0.1, 5.0)
    few = statistics(coverage=at(low, Interval(0.95, 0.99)))
    assert not few.covered and few.steady and not few.supported and few.coverage == low
    assert statistics(quantile=at(wide, Interval(0.1, 0.2))).constant == 7
    growing = statistics(growth=rising)
    assert growing.covered and not growing.steady and not growing.supported and growing.growth == rising
    assert statistics(slope=rising).slope == rising and statistics().series[design].claimed_slope == pytest.approx(-1)


def test_an_experiment_says_something_of_every_size():
    claim = find("lemma-c.1")
    for series in run(claim, 40, np.random.default_rng(0)).series:
        assert series.sizes == claim.experiment.sizes
        assert {len(part) for part in (series.coverage, series.quantile, series.left, series.bound)} == {
            len(series.sizes)
        }
