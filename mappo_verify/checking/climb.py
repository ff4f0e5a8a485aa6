"""The climb: from many starts at once towards instances that break a claim, or on which a bound is tight; then integers.

Separable CMA-ES from each start, the points of all starts scored in one batch of floats.  On bounds with 30 to 60 coordinates
(15,000 points each) it reached .9999 of CPO's bound and .94 of TRPO's; CMA-ES with a full covariance matrix reached the same in
ten times the time, and SciPy's differential evolution .99 and .52.  Where it has stopped, on a ridge that is oblique to all
coordinates, the full matrix goes on: to .9997 of TRPO's bound.  What climbs is then rationalised, block by block.

Rewards enter returns linearly, so linear programmes find the worst ones for given transitions and policies (Dinkelbach's
quotients, Kelley's cutting planes).  They were tried at the ends of every climb and left out: an end of TRPO's bound gained .01,
but in the same time the climb itself gains more (.992 to .998 without them, .962 to .998 with them; CPO's is .9999 anyway).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..claims.claim import Claim
from ..claims.coordinates import Sizes
from .sampling import Draw
from .scores import STEADY, WORST, scores
from .space import Floats, Space, as_integers, candidates

POPULATION = 20
"""Points of one start and generation."""
STEP = 1.0
"""How far the first generation spreads, in the units of the space."""
REMEMBERED = 3
"""Ends that are kept of each target."""
OUTSIDE = 0.01
"""What a point outside of the box loses, times its squared distance."""
SLACK = 0.002
"""How much of a score below 0 rounding to simpler integers may cost; of one above 0, half of it."""
PATIENCE, GAIN = 25, 1e-6
"""A climb ends when no start has gained so much for so many generations."""
REFINE = 30
"""Generations that the weights get after the other integers were chosen."""


@cache
def _blas() -> Any:
    """The linear algebra behind NumPy: on matrices of 30 rows a second thread makes it ten times as slow."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@dataclass
class Hill:
    """One claim at one size: what is climbed, and how many points were looked at."""

    claim: Claim
    sizes: Sizes
    steady: float = STEADY
    evaluated: int = 0
    space: Space = field(init=False)
    ends: dict[int, list[tuple[float, Floats]]] = field(default_factory=dict)
    """The best ends of earlier climbs, by target."""

    def __post_init__(self) -> None:
        self.space = Space.of(self.claim.setting, self.sizes)

    def remember(self, targets: Any, ends: Floats, reached: Floats) -> None:
        """Keep the best ends of a climb, for the next one to begin at."""
        for target, end, score in zip(targets.tolist(), ends, reached.tolist(), strict=True):
            kept = [*self.ends.get(target, []), (score, end)]
            self.ends[target] = sorted(kept, key=lambda pair: -pair[0])[:REMEMBERED]

    def best_ends(self) -> list[tuple[int, Floats]]:
        """Targets and ends, the best of every target first, then the second best ones."""
        ranked = [(place, target, end) for target, kept in self.ends.items() for place, (_, end) in enumerate(kept)]
        return [(target, end) for _, target, end in sorted(ranked, key=lambda entry: entry[:2])]

    def scores(self, points: Floats) -> Floats:
        """Scores of points, ``[points, columns]``; outside of the box they are those of the nearest one inside, and less."""
        inside = np.clip(points, self.space.low, self.space.high)
        found = self.of_numbers(self.space.numbers(inside))
        return np.asarray(found - OUTSIDE * ((points - inside) ** 2).sum(-1, keepdims=True))

    def of_numbers(self, numbers: dict[str, Any]) -> Floats:
        """Scores of coordinates given as real numbers."""
        self.evaluated += len(next(iter(numbers.values())))
        return scores(self.claim, self.sizes, numbers, self.steady)


def column(found: Floats, target: int) -> Floats:
    """The scores for one target; where there is no such column no instance met the hypotheses."""
    return found[:, target if target < found.shape[1] else 0]


def climb(
    hill: Hill,
    starts: Floats,
    targets: npt.NDArray[np.intp],
    generations: int,
    generator: np.random.Generator,
    moving: npt.NDArray[np.bool_] | None = None,
    steps: Floats | None = None,
    late: Callable[[], bool] = lambda: False,
) -> tuple[Floats, Floats]:
    """The best point that each start reached for its target, and its score.

    ``moving`` says which numbers may change.  ``steps`` is how far the first generation spreads; a start with less than
    :data:`STEP` adapts a full covariance matrix.  A start that has found a violation stops all: it is to be certified.
    """
    from cmaes import CMA, SepCMA

    free = np.flatnonzero(np.ones(hill.space.count, bool) if moving is None else moving)
    best, reached = (
        starts.copy(),
        np.array([column(hill.scores(s[None]), t)[0] for s, t in zip(starts, targets, strict=True)]),
    )
    if len(free) < 2:
        return best, reached
    optimisers = [
        (SepCMA if step >= STEP else CMA)(
            mean=start[free], sigma=float(step), population_size=POPULATION, seed=int(generator.integers(2**31))
        )
        for start, step in zip(starts, np.full(len(starts), STEP) if steps is None else steps, strict=True)
    ]
    quiet = 0
    with _blas().limit(limits=1):
        for _ in range(generations):
            if late() or (reached > 0).any() or quiet > PATIENCE:
                break
            before = reached.copy()
            asked = [np.array([optimiser.ask() for _ in range(POPULATION)]) for optimiser in optimisers]
            points = np.repeat(starts, POPULATION, axis=0)
            points[:, free] = np.concatenate(asked)
            found = hill.scores(points)
            for i, optimiser in enumerate(optimisers):
                mine = column(found[i * POPULATION : (i + 1) * POPULATION], int(targets[i]))
                if optimiser.should_stop():
                    continue
                optimiser.tell(list(zip(asked[i], (-mine).tolist(), strict=True)))
                top = int(np.argmax(mine))
                if mine[top] > reached[i]:
                    best[i], reached[i] = points[i * POPULATION + top], mine[top]
            quiet = 0 if (reached > before + GAIN).any() else quiet + 1
    return np.clip(best, hill.space.low, hill.space.high), reached


def rationalised(hill: Hill, point: Floats, target: int, generator: np.random.Generator) -> list[Draw]:
    """Integer instances near a point that score about as well: one of simple numbers, one that scores best.

    Other integers come first, one by one; then the weights move once more, to make up for what that cost; then row by row.
    """
    numbers = {name: values.copy() for name, values in hill.space.numbers(point[None]).items()}
    aim = float(column(hill.of_numbers(numbers), target)[0])
    blocks = hill.space.blocks()
    for c, index in blocks:
        if c.kind != "weight":
            _settle(hill, numbers, c, index, target, aim, simple=False)
    weights = np.concatenate([np.full(int(np.prod(c.shape)), c.kind == "weight") for c in hill.space.schema])
    fallen = float(column(hill.of_numbers(numbers), target)[0])
    if not weights.all() and weights.any() and fallen < _least(aim):
        start = hill.space.points(numbers)
        better, reached = climb(hill, start, np.array([target]), REFINE, generator, weights)
        if reached[0] > fallen:
            moved = hill.space.numbers(better)
            numbers |= {c.name: moved[c.name] for c in hill.space.schema if c.kind == "weight"}
            aim = min(aim, float(reached[0]))
    result = []
    for simple in (True, False):
        chosen = {name: values.copy() for name, values in numbers.items()}
        for c, index in blocks:
            if c.kind == "weight":
                _settle(hill, chosen, c, index, target, aim, simple)
        result.append(as_integers(hill.space.schema, chosen))
    return result


def _least(aim: float) -> float:
    """The score that simpler numbers must keep."""
    return aim / 2 if aim > 0 else aim - SLACK


def _settle(
    hill: Hill,
    numbers: dict[str, Any],
    c: Any,
    index: tuple[int, ...],
    target: int,
    aim: float,
    simple: bool,
) -> None:
    """Round one block: to the simplest integers that keep the score, or to those that keep most of it."""
    tried = candidates(c, numbers[c.name][0][index])
    batch = {name: np.repeat(values, len(tried), axis=0) for name, values in numbers.items()}
    for place, candidate in enumerate(tried):
        batch[c.name][(place, *index)] = candidate
    found = column(hill.of_numbers(batch), target)
    good = np.flatnonzero(found >= _least(aim))
    chosen = int(good[0]) if simple and len(good) else int(np.argmax(found))
    numbers[c.name][(0, *index)] = tried[chosen]


__all__ = ["WORST", "Hill", "climb", "column", "rationalised"]
