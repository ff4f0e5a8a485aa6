"""Claims that hold with probability ``1 - δ``, on trial by drawing.

For every design and sample size ``n`` many samples are drawn, the claim's own lines are evaluated on all of them in floats, and
each sample yields one number: the largest ``left/right`` of the statement.  Floats round, and what they round counts for nothing:
``left/right ≤ 1`` counts where enclosures prove the statement.  Then, at one joint confidence for all of them:

* *coverage*, the probability of ``left/right ≤ 1``: the exact binomial interval of Clopper and Pearson;
* the ``1-δ`` quantile of ``left/right``: between two order statistics, exact for every distribution;
* the *slope* of that quantile's logarithm in ``log n``, by least squares, over all values that the intervals allow.

SUPPORTED needs all of it: coverage certainly at least ``1 - δ`` everywhere, and no growth of the quantile against the bound
beyond ``n^0.1``, so a rate that is too good shows even where its constant hides it.  Anything else is UNTESTED: samples refute
nothing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import FALSE, TRUE, Hidden, System, like
from ..arithmetic.explained import explained_class
from ..arithmetic.formulas import evaluation_begins
from ..arithmetic.numbers import wrap
from ..arithmetic.one_instance import Truth
from ..claims.case import Case
from ..claims.claim import NUMERIC, Claim, Line, chains, composed_relation
from ..claims.coordinates import Sizes
from ..claims.experiment import Experiment
from ..errors import ClaimError
from ..model.trees import hidden, shared
from .agreement import require_same_lines
from .hypotheses import per_instance
from .relations import as_numbers, proved_entries, sides

ERROR = 0.01
"""The probability that any of a claim's intervals misses its number."""
GROWTH = 0.1
"""The largest exponent of ``n`` that counts as no growth."""

NO_MULTIPLE = float(np.finfo(np.float64).max)
"""``left/right`` where no multiple of the right side is as large as the left."""
ROUNDING = 1e-9
"""How far from 1 a law sums to in floats."""

Floats = npt.NDArray[np.float64]


@explained_class
@dataclass(frozen=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"[{self.low:.4g}, {self.high:.4g}]"


@dataclass(frozen=True)
class Series:
    """One design over all sample sizes: coverage and quantile of ``left/right`` at each, and the slopes in ``log n``.

    ``growth`` is the slope of the quantile of ``left/right``; ``slope`` that of the left side alone, its rate in ``n``; ``left``
    holds that side's own quantiles, ``bound`` the median of the right side, which on most designs is one number.
    """

    design: str
    sizes: tuple[int, ...]
    coverage: tuple[Interval, ...]
    quantile: tuple[Interval, ...]
    left: tuple[Interval, ...]
    bound: tuple[float, ...]
    growth: Interval
    slope: Interval

    @property
    def claimed_slope(self) -> float:
        """The slope of the bound, its rate in ``n``."""
        return slope_interval(self.sizes, tuple(Interval(b, b) for b in self.bound)).low


@explained_class
@dataclass(frozen=True)
class Statistics:
    """What the samples say about one claim, all intervals together at ``confidence``."""

    delta: float
    repetitions: int
    confidence: float
    series: tuple[Series, ...]

    @property
    def samples(self) -> int:
        """How many samples were drawn."""
        return self.repetitions * sum(len(series.sizes) for series in self.series)

    @property
    def covered(self) -> bool:
        """Whether every coverage is certainly at least ``1 - δ``."""
        return all(interval.low >= 1 - self.delta for series in self.series for interval in series.coverage)

    @property
    def steady(self) -> bool:
        """Whether no quantile grows against its bound."""
        return all(series.growth.high <= GROWTH for series in self.series)

    @property
    def supported(self) -> bool:
        """Whether the samples support the claim."""
        return self.covered and self.steady

    @property
    def coverage(self) -> Interval:
        """The worst coverage of all designs and sizes."""
        return min((i for s in self.series for i in s.coverage), key=lambda interval: interval.low)

    @property
    def growth(self) -> Interval:
        """The worst slope of a quantile against its bound."""
        return max((s.growth for s in self.series), key=lambda interval: interval.high)

    @property
    def slope(self) -> Interval:
        """The slowest decay of the left side."""
        return max((s.slope for s in self.series), key=lambda interval: interval.high)

    @property
    def constant(self) -> float:
        """The part of the stated bound that suffices: the largest upper end of a quantile of ``left/right``."""
        return max(i.high for s in self.series for i in s.quantile)

    def text(self) -> str:
        """One sentence."""
        sizes = self.series[0].sizes
        found = (
            f"Monte Carlo: {self.repetitions:,} samples each of n = {sizes[0]}..{sizes[-1]} from {len(self.series)} designs, "
            f"{self.confidence:.0%} confidence: coverage {self.coverage} (claimed {1 - self.delta:g}), left side like n^a "
            f"with a in {self.slope}, {self.constant:.3g} of the bound suffices"
        )
        if self.supported:
            return found
        reasons = [] if self.covered else ["coverage is not certainly what is claimed"]
        reasons += [] if self.steady else [f"the quantile grows against the bound like n^{self.growth}"]
        return f"not supported ({' and '.join(reasons)}); {found}"


def run(claim: Claim, repetitions: int, generator: np.random.Generator) -> Statistics:
    """Draw, evaluate, and bound; the generator makes it reproducible."""
    experiment = claim.experiment
    if experiment is None:
        raise ClaimError(f"claim {claim.id} has no experiment")
    designs = experiment.designs()
    if not designs:
        raise ClaimError(f"claim {claim.id}: an experiment without designs; give what is fixed, by name")
    error = ERROR / (3 * len(designs) * len(experiment.sizes))  # coverage, and two quantiles
    series = []
    for name, objects in designs.items():
        exact = _prepared(claim, experiment, name, objects)
        sides = [
            _sides(claim, exact, sampled(experiment, exact, count, repetitions, generator))
            for count in experiment.sizes
        ]
        series.append(_series(name, experiment, sides, error))
    return Statistics(float(experiment.delta), repetitions, 1 - ERROR, tuple(series))


def _prepared(claim: Claim, experiment: Experiment, name: str, objects: Any) -> Case:
    """The exact case of a design, with one datum of each kind, after a look at the claim's hypotheses."""
    (drawn,) = (i for i in claim.setting.ingredients if i.name == "game")
    game = drawn.convert(objects["game"], System.RATIONALS)  # as an instance has it: without a start that is not drawn
    ones = like(np.ones((game.states, game.actions, game.states + 1), int), System.RATIONALS)
    given = {
        name: shared(value, Hidden(System.RATIONALS))
        for name, value in {**objects, "game": game, experiment.counts: ones}.items()
    }
    exact = Case(claim.setting.ingredients, Sizes(game.states, game.action_sizes), System.RATIONALS, (), given)
    for hypothesis in claim.setting.all_hypotheses:
        if per_instance(hypothesis.truth(exact), ()) == FALSE:
            raise ClaimError(f"claim {claim.id}: the design {name!r} violates a hypothesis: {hypothesis.name}")
    return exact


def sampled(experiment: Experiment, exact: Case, count: int, repetitions: int, generator: np.random.Generator) -> Case:
    """A batch of samples of ``count`` data each, in floats: how often each transition occurs has a multinomial law."""
    floats = exact.to(System.FLOATS)
    numbers: Any = experiment.law(floats)
    law = np.asarray(numbers.unwrap()[0], dtype=np.float64)
    if not (law >= 0).all():
        raise ClaimError(f"the law of one datum has the entry {law.min():.6g}; probabilities are at least 0")
    if not abs(law.sum() - 1) < ROUNDING:
        raise ClaimError(f"the law of one datum sums to {law.sum():.6g}, not to 1")
    drawn = generator.multinomial(count, law.ravel() / law.sum(), size=repetitions)
    counts = hidden(drawn.reshape(repetitions, *law.shape).astype(np.float64), System.FLOATS, law.ndim)
    return Case(
        exact.ingredients, exact.sizes, System.FLOATS, (repetitions,), {**floats.objects, experiment.counts: counts}
    )


def sides_of(claim: Claim, case: Case) -> tuple[Floats, Floats, Floats]:
    """``left/right``, ``left`` and ``right`` of the statement for every sample, at the entry where ``left/right`` is largest.

    A right side that is not positive is no scale: there the ratio is 1 where the statement holds, and :data:`NO_MULTIPLE` where
    it fails.  So it is where nothing is claimed of a sample, or a hypothesis about it fails: that supports nothing.
    """
    ratios, lefts, rights = [], [], []
    for chain in chains(_lines(claim, case)):
        relation = composed_relation(chain)
        if relation == "=":
            raise ClaimError(
                f"claim {claim.id}: {chain[0].expression!r} = {chain[-1].expression!r} is an identity, which samples do not "
                "decide; let it be a claim of its own"
            )
        first, last, mask = sides(chain, case)
        left, right = (first, last) if relation == "≤" else (last, first)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(right > 0, left / right, np.where(left <= right, 1.0, NO_MULTIPLE))
        ratios.append(np.where(mask, ratio, -np.inf))
        lefts.append(left)
        rights.append(right)
    ratio, left, right = (np.concatenate(tables, axis=1) for tables in (ratios, lefts, rights))
    ratio[~_meet_hypotheses(claim, case)] = -np.inf
    worst = np.arange(len(ratio)), ratio.argmax(1)
    return np.where(ratio[worst] > -np.inf, ratio[worst], NO_MULTIPLE), left[worst], right[worst]


def _sides(claim: Claim, exact: Case, case: Case) -> tuple[Floats, Floats, Floats]:
    """:func:`sides_of` samples in floats; where the statement is not proved, no multiple of the right side is large enough."""
    ratio, left, right = sides_of(claim, case)
    return np.where((ratio > 1) | _proved(claim, exact, case), ratio, NO_MULTIPLE), left, right


def _proved(claim: Claim, exact: Case, case: Case) -> npt.NDArray[np.bool_]:
    """On which samples enclosures, or balls where these cannot be evaluated, prove the statement and what is said of samples."""
    assert claim.experiment is not None
    name = claim.experiment.counts
    counts = getattr(case, name).unwrap().astype(np.int64)
    for system in (System.ENCLOSURES, System.BALLS):
        objects = {**exact.to(system).objects, name: wrap(counts, system, counts.ndim - 1)}
        own = Case(exact.ingredients, exact.sizes, system, case.several, objects)
        with suppress(*NUMERIC), np.errstate(all="ignore"):
            proved = _meet_hypotheses(claim, own)
            for chain in chains([as_numbers(entry, own) for entry in _lines(claim, own)]):
                held = proved_entries(chain, chain[0], composed_relation(chain), chain[-1], own)
                proved &= per_instance(held, own.several) == TRUE
            return proved
    return np.zeros(case.several, bool)


def _lines(claim: Claim, case: Case) -> list[Line]:
    """The lines of the proof, which are the same on all samples."""
    evaluation_begins()
    lines = claim.lines(case)
    require_same_lines(claim, case, lines)
    return lines


def _meet_hypotheses(claim: Claim, case: Case) -> npt.NDArray[np.bool_]:
    """Which samples meet the hypotheses that speak of samples; the others were asked of the exact design."""
    met = np.ones(case.several, bool)
    for hypothesis in claim.setting.all_hypotheses:
        truth = Truth.of(hypothesis.truth(case))
        if truth._count > 1:
            met &= per_instance(truth, case.several) == TRUE
    return met


def _series(name: str, experiment: Experiment, sides: list[tuple[Floats, Floats, Floats]], error: float) -> Series:
    level = float(1 - experiment.delta)
    ratios = tuple(quantile_interval(ratio, level, error) for ratio, _, _ in sides)
    lefts = tuple(quantile_interval(left, level, error) for _, left, _ in sides)
    return Series(
        design=name,
        sizes=experiment.sizes,
        coverage=tuple(coverage_interval(int((ratio <= 1).sum()), ratio.size, error) for ratio, _, _ in sides),
        quantile=ratios,
        left=lefts,
        bound=tuple(float(np.median(right)) for _, _, right in sides),
        growth=slope_interval(experiment.sizes, ratios),
        slope=slope_interval(experiment.sizes, lefts),
    )


# --- intervals --------------------------------------------------------------------------------------------------------


def coverage_interval(successes: int, trials: int, error: float) -> Interval:
    """Clopper and Pearson's exact interval of a binomial probability: it misses with probability at most ``error``.

    >>> print(coverage_interval(1000, 1000, 0.01))
    [0.9947, 1]
    """
    from scipy.special import betaincinv

    failures = trials - successes
    return Interval(
        float(betaincinv(successes, failures + 1, error / 2)) if successes else 0.0,
        float(betaincinv(successes + 1, failures, 1 - error / 2)) if failures else 1.0,
    )


def quantile_interval(values: Floats, level: float, error: float) -> Interval:
    """Two order statistics with the quantile between them, whatever the distribution: exact, by the binomial law of ranks.

    Infinite where there are too few values.

    >>> print(quantile_interval(np.arange(100.0), 0.5, 0.05))
    [39, 60]
    """
    from scipy.special import bdtr

    ordered = np.concatenate([[-np.inf], np.sort(values), [np.inf]])
    count = len(values)
    below = bdtr(np.arange(count + 1.0), count, level)  # P(at most so many values lie below the quantile)
    low, high = np.searchsorted(below, [error / 2, 1 - error / 2])
    return Interval(float(ordered[low]), float(ordered[high + 1]))


def slope_interval(sizes: tuple[int, ...], quantiles: tuple[Interval, ...]) -> Interval:
    """All slopes of ``log q`` in ``log n`` by least squares, with every ``q`` anywhere in its interval.

    >>> print(slope_interval((10, 100, 1000), (Interval(5, 5), Interval(0.5, 0.5), Interval(0.05, 0.05))))
    [-1, -1]
    """
    centred = np.log(sizes) - np.log(sizes).mean()
    weights = centred / (centred * centred).sum()
    ends = [weights * np.log(np.maximum([getattr(q, end) for q in quantiles], 1e-300)) for end in ("low", "high")]
    return Interval(float(np.minimum(*ends).sum()), float(np.maximum(*ends).sum()))
