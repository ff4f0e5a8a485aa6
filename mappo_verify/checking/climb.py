"""The climb: from many starts at once towards instances that break a claim, or on which a bound is tight; then integers.

Separable CMA-ES from each start, the points of all starts scored in one batch of floats: on bounds with 24 to 52 coordinates it
is as fast at first as CMA-ES with a full covariance matrix, and CPO's bound needs no other.  Where it has stopped, on a ridge
that is oblique to all coordinates, the full matrix goes on, and from climb to climb it keeps what it has learned of the ridge:
7,000 points reach .995 of TRPO's bound with 24 coordinates, where 30,000 of the separable one end at .98.  SciPy's differential
evolution reached .99 of CPO's and .52 of TRPO's bound.  What climbs is then rationalised, block by block.

Rewards enter returns linearly, so linear programmes find the worst ones for given transitions and policies (Dinkelbach's
quotients, Kelley's cutting planes).  They were tried at the ends of every climb and left out: an end of TRPO's bound gained .01,
but in the same time the climb itself gains more (.992 to .998 without them, .962 to .998 with them; CPO's is .9999 anyway).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..claims.claim import Claim
from ..claims.coordinates import Sizes
from .sampling import Draw
from .scores import LEAST, STEADY, WORST, scores
from .space import Floats, Space, as_integers, candidates

POPULATION, FEWER = 20, 8
"""Points of one start and generation; of a long run, whose scores cost more."""
LONG = 100
"""Steps beyond which a run is long."""
STEP = 1.0
"""How far the first generation spreads, in the units of the space."""
REMEMBERED = 3
"""Ends that are kept of each target."""
OUTSIDE = 0.01
"""What a point outside of the box loses, times its squared distance."""
SLACK = 0.002
"""How much of a score below 0 rounding to simpler integers may cost; of one above 0, half of it."""
PATIENCE, GAIN = 25, 1e-6
"""A start that has not gained so much for so many generations is left where it is."""
MORE = 10
"""Generations for which a climb goes on when a start has found a violation: a larger one survives rounding to integers."""
DOUBT, DOUBTS = 100.0, 2
"""What rounding is multiplied by where a climb found a violation that is none, and how often at most."""
REFINE, NEAR = 30, 0.3
"""Generations that the weights get after the other integers were chosen, and how far the first one spreads."""


@cache
def _blas() -> Any:
    """The linear algebra behind NumPy: on matrices of 30 rows a second thread makes it ten times as slow."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@dataclass(frozen=True, eq=False)
class End:
    """Where a climb ended, its score, and the optimiser, which may go on with what it has learned of the ridge."""

    score: float
    point: Floats
    optimiser: Any

    @property
    def goes_on(self) -> bool:
        """Whether the optimiser has a full matrix, and steps left."""
        from cmaes import CMA

        return isinstance(self.optimiser, CMA) and not self.optimiser.should_stop()


@dataclass
class Hill:
    """One claim at one size: what is climbed, and how many points were looked at."""

    claim: Claim
    sizes: Sizes
    doubts: int = 0
    evaluated: int = 0
    space: Space = field(init=False)
    ends: dict[int, list[End]] = field(default_factory=dict)
    """The best ends of earlier climbs, by target."""
    points: Floats = field(init=False)
    found: Floats = field(init=False)
    """Drawn points, and their scores."""

    def __post_init__(self) -> None:
        self.space = Space.of(self.claim.setting, self.sizes)

    def look(self, drawn: Draw) -> None:
        """Score drawn instances, to climb from the best of them."""
        self.points = self.space.points(drawn)
        self.found = self.scores(self.points)

    @property
    def population(self) -> int:
        """Points of one start and generation."""
        return FEWER if self.sizes.steps > LONG else POPULATION

    @property
    def slower(self) -> int:
        """How many times as many generations a climb takes with fewer points."""
        return POPULATION // self.population

    @property
    def telling(self) -> npt.NDArray[np.bool_]:
        """Which scores differ between the drawn points that tell anything: one that never does is nothing to climb on."""
        known = (self.found > WORST) & (self.found != LEAST)
        high, low = (np.where(known, self.found, end) for end in (-np.inf, np.inf))
        return np.asarray(high.max(0) - low.min(0) > GAIN)

    @property
    def height(self) -> float:
        """How close to a violation of the statement points came, drawn ones and ends of climbs."""
        return float(max([self.found[:, 0].max(), *(end.score for end in self.ends.get(0, ()))]))

    def doubt(self) -> None:
        """A violation was none: be more careful, and let no other end a climb before its time."""
        self.doubts += 1

    def remember(self, targets: npt.NDArray[np.intp], ends: list[End]) -> None:
        """Keep the best ends of a climb, for the next one to begin at; one that went on is kept once."""
        again = {id(end.optimiser) for end in ends}
        for target in np.unique(targets).tolist():
            kept = [end for end in self.ends.get(target, ()) if id(end.optimiser) not in again]
            kept += [end for own, end in zip(targets.tolist(), ends, strict=True) if own == target]
            self.ends[target] = sorted(kept, key=lambda end: -end.score)[:REMEMBERED]

    def best_ends(self) -> list[tuple[int, End]]:
        """Targets and ends, the best of every target first, then the second best ones."""
        ranked = [(place, target, end) for target, kept in self.ends.items() for place, end in enumerate(kept)]
        return [(target, end) for _, target, end in sorted(ranked, key=lambda entry: entry[:2])]

    def scores(self, points: Floats) -> Floats:
        """Scores of points, ``[points, columns]``; outside of the box they are those of the nearest one inside, and less."""
        inside = np.clip(points, self.space.low, self.space.high)
        found = self.of_numbers(self.space.numbers(inside))
        return np.asarray(found - OUTSIDE * ((points - inside) ** 2).sum(1, keepdims=True))

    def of_numbers(self, numbers: dict[str, Any]) -> Floats:
        """Scores of coordinates given as real numbers."""
        self.evaluated += len(next(iter(numbers.values())))
        return scores(self.claim, self.sizes, numbers, STEADY * DOUBT ** min(self.doubts, DOUBTS))


def column(found: Floats, target: int) -> Floats:
    """The scores for one target; where there is no such column no instance met the hypotheses."""
    return found[:, target if target < found.shape[1] else 0]


def columns(found: Floats, targets: npt.NDArray[np.intp]) -> Floats:
    """The score of every row for its own target."""
    return np.asarray(found[np.arange(len(found)), np.where(targets < found.shape[1], targets, 0)])


def climb(
    hill: Hill,
    starts: Floats,
    targets: npt.NDArray[np.intp],
    generations: int,
    generator: np.random.Generator,
    moving: npt.NDArray[np.bool_] | None = None,
    steps: Floats | None = None,
    late: Callable[[], bool] = lambda: False,
    earlier: Sequence[End] = (),
) -> list[End]:
    """The best point that each start reached for its target, and its score.

    ``moving`` says which numbers may change.  ``steps`` is how far the first generation spreads; a start with less than
    :data:`STEP` adapts a full covariance matrix.  The first starts are ``earlier`` ends, and their optimisers go on if they can.
    Soon after a start has found a violation all stop, unless the hill is doubted: it is to be certified.
    """
    from cmaes import CMA, SepCMA

    free = np.flatnonzero(np.ones(hill.space.count, bool) if moving is None else moving)
    population = hill.population
    best, reached = starts.copy(), columns(hill.scores(starts), targets)
    if len(free) < 2:
        return [End(float(score), point, None) for score, point in zip(reached, best, strict=True)]
    spread = np.full(len(starts), STEP) if steps is None else steps
    optimisers = [
        earlier[place].optimiser
        if place < len(earlier) and earlier[place].goes_on
        else (SepCMA if step >= STEP else CMA)(
            mean=start[free], sigma=float(step), population_size=population, seed=int(generator.integers(2**31))
        )
        for place, (start, step) in enumerate(zip(starts, spread, strict=True))
    ]
    quiet, patience = np.zeros(len(starts), int), min(PATIENCE, generations // 3)
    with _blas().limit(limits=1):
        while generations > 0:
            if (reached > 0).any() and not hill.doubts:
                generations = min(generations, MORE)
            generations -= 1
            active = [i for i, o in enumerate(optimisers) if quiet[i] <= patience and not o.should_stop()]
            if late() or not active:
                break
            asked = [np.array([optimisers[i].ask() for _ in range(population)]) for i in active]
            points = np.repeat(starts[active], population, axis=0)
            points[:, free] = np.concatenate(asked)
            found = hill.scores(points)
            for place, i in enumerate(active):
                mine = column(found[place * population : (place + 1) * population], int(targets[i]))
                optimisers[i].tell(list(zip(asked[place], (-mine).tolist(), strict=True)))
                top = int(np.argmax(mine))
                quiet[i] = 0 if mine[top] > reached[i] + GAIN else quiet[i] + 1
                if mine[top] > reached[i]:
                    best[i], reached[i] = points[place * population + top], mine[top]
    inside = np.clip(best, hill.space.low, hill.space.high)
    return [End(float(score), *rest) for score, *rest in zip(reached, inside, optimisers, strict=True)]


def rationalised(hill: Hill, points: Floats, targets: npt.NDArray[np.intp], generator: np.random.Generator) -> Draw:
    """Integer instances near points that score about as well: of each one of simple numbers, and one that scores best.

    Other integers come first, all of them; then the weights move once more, to make up for what that cost.  Where a violation
    is lost so, they are taken one by one, those that cost most first, and all others move after each.  Then rows of weights.
    """
    numbers = {name: values.copy() for name, values in hill.space.numbers(points).items()}
    aims = columns(hill.of_numbers(numbers), targets)
    given = {name: values.copy() for name, values in numbers.items()}
    blocks = hill.space.blocks()
    whole = [block for block in blocks if block[0].kind != "weight"]
    kept = _rounded(hill, numbers, [whole], targets, aims, generator)
    lost = np.flatnonzero((aims > 0) & (kept < _least(aims)))
    if len(lost) and len(whole) > 1:
        again, for_them = {name: values[lost] for name, values in given.items()}, targets[lost]
        costs = [_settle(hill, {**again, c.name: again[c.name].copy()}, c, i, for_them).sum() for c, i in whole]
        careful = [[whole[i]] for i in np.argsort(costs, kind="stable")]
        better = _rounded(hill, again, careful, for_them, aims[lost], generator) > kept[lost]
        for name, values in again.items():
            numbers[name][lost[better]] = values[better]
    aims = np.minimum(aims, columns(hill.of_numbers(numbers), targets))
    simple = np.repeat([True, False], len(points))
    numbers = {name: np.concatenate([values, values]) for name, values in numbers.items()}
    for c, index in blocks:
        if c.kind == "weight":
            _settle(hill, numbers, c, index, np.tile(targets, 2), np.where(simple, _least(np.tile(aims, 2)), np.inf))
    return as_integers(hill.space.schema, numbers)


def _rounded(
    hill: Hill,
    numbers: dict[str, Any],
    groups: list[list[tuple[Any, tuple[int, ...]]]],
    targets: npt.NDArray[np.intp],
    aims: Floats,
    generator: np.random.Generator,
) -> Floats:
    """Round group after group; after each, what is still free makes up for what that cost.  The scores that remain."""
    free = np.ones(hill.space.count, bool)
    kept = columns(hill.of_numbers(numbers), targets)
    for group in groups:
        for c, index in group:
            kept = _settle(hill, numbers, c, index, targets)
            free[hill.space.places[c.name].start + int(np.ravel_multi_index(index, c.shape))] = False
        low = np.flatnonzero(kept < _least(aims))
        if free.any() and len(low):
            starts = hill.space.points(numbers)[low]
            ends = climb(hill, starts, targets[low], REFINE, generator, free, np.full(len(low), NEAR))
            reached = np.array([end.score for end in ends])
            better = reached > kept[low]
            for name, values in hill.space.numbers(np.stack([end.point for end in ends])[better]).items():
                numbers[name][low[better]] = values
            kept[low[better]] = reached[better]
    return kept


def _least(aims: Floats) -> Floats:
    """The scores that simpler numbers must keep."""
    return np.where(aims > 0, aims / 2, aims - SLACK)


def _settle(
    hill: Hill,
    numbers: dict[str, Any],
    c: Any,
    index: tuple[int, ...],
    targets: npt.NDArray[np.intp],
    enough: Any = np.inf,
) -> Floats:
    """Round one block of every instance: to the simplest integers that score ``enough``, or to the best.  The scores."""
    tried = [candidates(c, values) for values in numbers[c.name][(slice(None), *index)]]
    owners = np.repeat(np.arange(len(tried)), [len(several) for several in tried])
    batch = {name: values[owners] for name, values in numbers.items()}
    batch[c.name][(slice(None), *index)] = np.array([candidate for several in tried for candidate in several])
    found = columns(hill.of_numbers(batch), targets[owners])
    chosen = np.zeros(len(tried), int)
    for i, least in enumerate(np.broadcast_to(enough, len(tried))):
        mine = np.flatnonzero(owners == i)
        good = mine[found[mine] >= least]
        chosen[i] = good[0] if len(good) else mine[np.argmax(found[mine])]
        numbers[c.name][(i, *index)] = batch[c.name][(chosen[i], *index)]
    return found[chosen]


__all__ = ["WORST", "Hill", "climb", "column", "columns", "rationalised"]
