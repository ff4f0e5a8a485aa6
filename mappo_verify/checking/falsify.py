"""The falsifier: searches for a counterexample, or for the tightest instance of a bound.

1. *Explore*: float batches of every size, random, sparse, nearly deterministic and extreme.
2. *Climb*: SciPy's differential evolution on the relative violation, with the integer coordinates relaxed to reals.
3. *Rationalise*: the best points are scaled and rounded back to integers.
4. *Certify* exactly, *shrink*, and return the witness; if nothing violates, the best certified left/right.

Floats only steer.  A witness is exact; "survived" says how many instances were certified and how tight the bound got.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import System
from ..claims.case import Case
from ..claims.claim import NUMERIC, Claim, chains, composed_relation
from ..claims.coordinates import Coordinate, Sizes
from ..claims.verdict import Standing
from ..errors import ClaimError
from ..papers.registry import claim as find
from .broken import BrokenLine, broken_line
from .campaign import violated_alone
from .evaluate import decide, raised, sides
from .hypotheses import ask_hypotheses
from .laws import standing_of
from .reports import Progress, Tally, Witness, instance_data
from .sampling import Draw, draw, instance, sizes_of
from .shrink import shrink

EFFORT = {"quick": (2_000, 40, 6), "thorough": (40_000, 300, 24)}
"""Float instances per size, generations of the climb, sizes that are climbed."""
SUSPECTS = 3
"""Points that floats cannot evaluate (0/0, say) and that are certified besides: the claim may raise an error there."""
POPULATION = 48
KEPT = 12
"""Points of a search that are certified."""
SCALES = (1, 3, 10, 100)
"""Reals are rounded to integers after multiplication by these (weights only; bounded numbers are rounded as they are)."""
WORST = -1e3
"""The score of a point that does not apply; relative violations lie in [-1, 1]."""
LARGEST_CLIMB = 120
"""Coordinates beyond which differential evolution is not worth its time."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Crash:
    """An exact instance on which the claim's own formulas raise an error: ``error`` says which, and how far the proof came."""

    claim: str
    sizes: Sizes
    coordinates: dict[str, Any]
    error: str

    def as_data(self) -> dict[str, Any]:
        """Plain data: enough to rebuild the instance."""
        return instance_data(self.claim, self.sizes, self.coordinates) | {"error": self.error}


@dataclass(frozen=True, eq=False)
class Falsification:
    """What a search found: a shrunk ``witness`` or None, the best certified ``ratio``, and how much was tried.

    ``crash`` is the first of ``crashed`` instances on which the claim raised an error; the search went on without them.
    """

    claim: Claim
    witness: Witness | None
    ratio: float | None
    tightest: dict[str, Any] | None
    certified: int
    explored: int
    undecided: int = 0
    crash: Crash | None = None
    crashed: int = 0
    broken: BrokenLine | None = None
    """A line of the proof that is false on some instance, although no statement was seen to fail."""

    @property
    def standing(self) -> Standing:
        """By the laws of an audit: REFUTED or SURVIVED; OPEN where the claim raised an error, or nothing could be decided.

        UNTESTED where no instance met the hypotheses.
        """
        violated = int(self.witness is not None)
        return standing_of(self.certified, violated, self.undecided, self.crashed, proofs=0, failures=0)

    def __repr__(self) -> str:
        found = f"{self.certified} instances certified"
        if self.crash is not None:
            found += f", {self.crashed} {self.crash.error}"
        if self.witness is not None:
            found = f"smallest counterexample: {self.witness.sizes}"
        elif self.ratio is not None:
            found += f", best left/right {self.ratio:.4g}"
        if self.broken is not None and self.witness is None:
            found += f"; the statement is not refuted, but {self.broken.text}"
        return f"Falsification({self.claim.id}: {self.standing.value}, {found})"


def falsify(
    claim: str | Claim, profile: str = "quick", seed: int = 0, progress: Progress | None = None
) -> Falsification:
    """Search for a counterexample to ``claim`` (an id, or a claim of your own), small sizes first.

    The first certified violation is shrunk and returned at once.  An error that the claim's formulas raise on some instance ends
    nothing: that instance is kept as ``crash``.
    """
    entry = claim if isinstance(claim, Claim) else find(claim)
    if profile not in EFFORT:
        raise ClaimError(f"unknown profile {profile!r}; use one of {', '.join(EFFORT)}")
    if entry.experiment is not None:
        raise ClaimError(
            f"{entry.id} holds with probability 1 - δ, so one bad sample refutes nothing; audit it instead"
        )
    if seed < 0:
        raise ClaimError(f"seed = {seed} is negative")
    count, generations, climbed = EFFORT[profile]
    generator = np.random.default_rng(seed)
    tally, explored, tightest = Tally(), 0, None
    crashes: list[Crash] = []
    every = sizes_of(entry.setting)
    for position, sizes in enumerate(every):
        if progress:
            progress(f"{entry.id}: {sizes}", position / len(every))
        for points, tried in _search(entry, sizes, count, generations if position < climbed else 0, generator):
            explored += tried
            before, found = tally.ratio, []
            for place, alone in enumerate(_one_by_one(points)):
                with _kept(crashes, entry, sizes, instance(alone, 0)):
                    for _, evidence in decide(entry, alone, sizes):
                        tally.add(evidence)
                        if evidence.raised:
                            crashes.append(Crash(entry.id, sizes, instance(alone, 0), evidence.raised))
                        found.append((np.array([place]), evidence))
                        tally.broken_line = tally.broken_line or broken_line(entry, alone, sizes, evidence)
                if found and found[-1][1].violated:
                    return _refuted(entry, sizes, alone, tally, explored, crashes)
            if tally.ratio is not None and tally.ratio != before:
                tightest = {"states": sizes.states, "action_sizes": list(sizes.actions), "steps": sizes.steps}
    return Falsification(
        entry, None, tally.ratio, tightest, tally.holds, explored, tally.undecided, *_first(crashes), tally.broken_line
    )


def _one_by_one(points: Draw) -> Iterator[Draw]:
    """Batches of one instance each, so that a violated one is at hand."""
    for index in range(len(next(iter(points.values())))):
        yield {name: values[index : index + 1] for name, values in points.items()}


@contextmanager
def _kept(crashes: list[Crash], claim: Claim, sizes: Sizes, coordinates: Draw) -> Iterator[None]:
    """An error of the claim's formulas is kept with its instance, as an audit keeps it."""
    try:
        yield
    except NUMERIC as error:
        crashes.append(Crash(claim.id, sizes, coordinates, raised(error, str(sizes))))


def _first(crashes: list[Crash]) -> tuple[Crash | None, int]:
    return next(iter(crashes), None), len(crashes)


def _refuted(
    claim: Claim, sizes: Sizes, batch: Draw, tally: Tally, explored: int, crashes: list[Crash]
) -> Falsification:
    small, coordinates = shrink(claim, sizes, instance(batch, 0))
    witness = Witness(claim.id, small, coordinates, violated_alone(claim, small, coordinates))
    return Falsification(
        claim, witness, witness.evidence.ratio, None, tally.holds, explored, tally.undecided, *_first(crashes)
    )


def _search(
    claim: Claim, sizes: Sizes, count: int, generations: int, generator: np.random.Generator
) -> Iterator[tuple[Draw, int]]:
    """Integer points worth certifying: the most violated of a random batch, then those that a climb reaches."""
    drawn = draw(claim.setting, sizes, count if claim.setting.explore else KEPT, generator)
    if not claim.setting.explore:
        yield drawn, KEPT
        return
    scores = _scores(claim, sizes, drawn)
    order = np.argsort(-_ranked(scores))[:KEPT]
    tried = np.concatenate([order, np.setdiff1d(np.flatnonzero(np.isnan(scores)), order)[:SUSPECTS]])
    yield {name: values[tried] for name, values in drawn.items()}, count
    schema = claim.setting.coordinates(sizes)
    dimension = sum(int(np.prod(c.shape)) for c in schema)
    if generations and 0 < dimension <= LARGEST_CLIMB and not any(c.kind == "rare" for c in schema):
        start = {name: values[order] for name, values in drawn.items()}
        yield _climb(claim, sizes, schema, start, generations, generator)


def _climb(
    claim: Claim,
    sizes: Sizes,
    schema: tuple[Coordinate, ...],
    start: Draw,
    generations: int,
    generator: np.random.Generator,
) -> tuple[Draw, int]:
    """Differential evolution on the relaxed coordinates, and its best points as integers."""
    from scipy.optimize import differential_evolution

    lows = np.concatenate([np.full(int(np.prod(c.shape)), float(c.low)) for c in schema])
    highs = np.concatenate([np.full(int(np.prod(c.shape)), float(max(c.high, c.low + 1))) for c in schema])

    def unflatten(points: Floats) -> dict[str, Floats]:
        result, position = {}, 0
        for c in schema:
            size = int(np.prod(c.shape))
            result[c.name] = _positive_rows(c, points[:, position : position + size].reshape(-1, *c.shape))
            position += size
        return result

    def objective(points: Floats) -> Floats:
        return -_ranked(_scores(claim, sizes, unflatten(np.ascontiguousarray(points.T))))

    first = generator.uniform(lows, highs, (POPULATION, len(lows)))
    seeds = np.stack([np.concatenate([start[c.name][i].ravel() for c in schema]) for i in range(KEPT)])
    first[: len(seeds)] = np.clip(seeds, lows, highs)
    found = differential_evolution(
        objective,
        list(zip(lows, highs, strict=True)),
        init=first,
        maxiter=generations,
        vectorized=True,
        updating="deferred",
        polish=False,
        rng=generator,
        tol=0,
    )
    best = unflatten(found.x[None])
    return _rationalised(schema, best), int(found.nfev)


def _positive_rows(coordinate: Coordinate, values: Floats) -> Floats:
    """Rows of weights with a little mass, so that they can be normalised."""
    return values + 1e-9 if coordinate.kind == "weight" else values


def _rationalised(schema: tuple[Coordinate, ...], point: dict[str, Floats]) -> Draw:
    """One real point as several integer ones."""
    result: Draw = {}
    for c in schema:
        rows = []
        for scale in SCALES:
            factor = scale if c.kind == "weight" else 1
            rounded = np.rint(point[c.name][0] * factor).astype(np.int64)
            if c.kind == "weight":
                rounded = np.maximum(rounded, c.low)
                rounded[..., 0] += rounded.sum(-1) == 0
            rows.append(rounded)
        result[c.name] = np.stack(rows)
    return result


def _scores(claim: Claim, sizes: Sizes, drawn: dict[str, Any]) -> Floats:
    """How violated (positive) or tight (close to 0 from below) each instance looks; nan where floats cannot tell."""
    count = len(next(iter(drawn.values())))
    scores = np.full(count, WORST)
    try:
        with np.errstate(all="ignore"):
            case = claim.setting.case(drawn, sizes, System.FLOATS)
            _, applies, live = ask_hypotheses(claim, case)
            if (applies > 0).any():
                scores[applies > 0] = _relative_violation(claim, live)
    except Exception:
        pass  # floats only rank: the instances are certified unranked, and there an error is kept
    return scores


def _ranked(scores: Floats) -> Floats:
    """Scores without nan and infinity."""
    return np.asarray(np.clip(np.nan_to_num(scores, nan=WORST, posinf=-WORST, neginf=WORST), WORST, -WORST))


def _relative_violation(claim: Claim, case: Case) -> Floats:
    """``(left - right)/(|left| + |right|)`` of the worst statement and entry, per instance."""
    worst = np.full(case.several, -np.inf)
    for chain in chains(claim.lines(case)):
        one, two, mask = sides(chain, case)
        gap = {"=": np.abs(one - two), "≤": one - two, "≥": two - one}[composed_relation(chain)]
        score = np.where(mask, gap / (np.abs(one) + np.abs(two) + 1e-12), -np.inf)
        worst = np.maximum(worst, score.max(-1))
    return np.asarray(worst, dtype=np.float64)
