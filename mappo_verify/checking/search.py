"""The search for counterexamples, which audits and the falsifier share.

1. *Remember*: counterexamples that were found before are decided anew.
2. *Draw*: exact instances of every size, small ones first, each of which is decided; then many more by enclosures alone.
   A quick audit looks at some sizes of a registered claim only (:data:`CLOSE`, :data:`SKIM`).  With more effort the others come
   between the climbs, so that a time limit leaves out neither.
3. *Climb*: from many starts at once, towards a violation of the statement or of any inequality in the proof, and towards a
   tight bound; what a climb reaches is rationalised and decided exactly.

Effort is a number of instances and of climbs, so the same seed searches the same instances; a time limit only cuts it short,
and is reported.  Whoever searches asks for batches one after another, decides each, and tells what came out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle, islice
from typing import Any

import numpy as np
import numpy.typing as npt

from ..claims.claim import Claim
from ..claims.coordinates import Sizes
from ..claims.verdict import Verdict
from ..errors import ClaimError
from ..papers.registry import CLAIMS
from .climb import LONG, STEP, Hill, climb, column, rationalised
from .corpus import Instance
from .evaluate import Part, decide, skim, uncounted
from .sampling import Draw, declared_sizes, draw, sizes_of
from .scores import STATEMENTS, WORST
from .searched import Searched
from .space import Floats, Space


@dataclass(frozen=True)
class Effort:
    """How hard to try: instances decided in full, and by enclosures alone (over all sizes); climbs, their starts and generations.

    ``repeats`` is how often one size is climbed at most, and ``seconds`` the time limit of one claim.
    """

    exact: int
    skimmed: int
    climbs: int
    repeats: int
    starts: int
    generations: int
    seconds: float


BESIDES = 100
"""Exact instances of a registered claim in a quick audit where enclosures look at thousands besides."""
CLOSE, APART = 3, 3
"""Sizes of which a registered claim has exact instances in a quick audit: the first three, the first of every number of agents,
and every third of the others (but not where only balls can decide what enclosures leave open)."""
CHUNK = 200
"""Exact instances evaluated together."""
FEW = 4
"""Instances of a long run that are evaluated before others: one may be enough."""
SKIM, TOGETHER = 1_000, 4
"""Instances that enclosures look at together, in a quick audit also of a registered claim with many sizes; and how many times as
many of the last ones, where only some meet the hypotheses."""
SELDOM = 1 / 4
"""The share of skimmed instances below which no more are drawn than effort says."""
RANKED, OF_LONG = 300, 100
"""Instances of a size that are scored in floats, to climb from the best of them; of a long run fewer, for memory."""
PICKED = 2_000
"""Instances of a size that are scored where nothing can be climbed."""
LARGEST_CLIMB = 150
"""Numbers of an instance beyond which a climb is not worth its time."""
LONGEST_CLIMB = 20_000
"""Steps of a run beyond which its instances are only drawn."""
ALIKE = 2
"""Starts of one regime at most: as many zeros, as many small weights, a discount as near to 1."""
FIRST = 4
"""Climbs at sizes of their own, before one is climbed again; those of a quick audit, so that the falsifier begins like it."""
REVISIT = 0.002
"""What the score of a size loses with every climb, besides as much again as it lacks, so that others get their turns."""
FINE = (3.0, 10.0)
"""By how much less the first generation spreads where an earlier climb ended."""
TOPS = 3
"""Ends of one climb that are rationalised."""
HOPELESS = -0.5
"""The score below which an end is not worth an exact evaluation."""


def require_seconds(seconds: float | None) -> None:
    """A time limit is a positive number, or None."""
    if seconds is not None and not seconds > 0:
        raise ClaimError(f"seconds = {seconds} is no time limit; give a positive number, or leave it out")


@dataclass(frozen=True)
class Batch:
    """Instances of one size, made when they are asked for, and how to decide them."""

    sizes: Sizes
    make: Callable[[], Draw]
    decided: Callable[[Claim, Draw, Sizes], Iterator[Part]]
    known: bool = False


class Search:
    """One claim's search; :meth:`batches` is asked for them in turn, :meth:`learn` is told what each one gave."""

    def __init__(
        self,
        claim: Claim,
        effort: Effort,
        generator: np.random.Generator,
        known: list[Instance] | None = None,
        seconds: float | None = None,
    ) -> None:
        self.claim, self.effort, self.generator = claim, effort, generator
        self.registered = claim in CLAIMS
        self.known = known or []
        self.every = sizes_of(claim.setting)
        self.started = time.perf_counter()
        self.searched = Searched(
            limit=effort.seconds if seconds is None else seconds, declared=declared_sizes(claim.setting)
        )
        self.found = False
        self.broken = False
        self.confirmed = False
        self.settled = False
        self.proved: tuple[Sizes, ...] = ()
        """Sizes of proofs: of one of them there are instances, or a proof would be about nobody."""
        self.turns: dict[int, int] = {}

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.started

    @property
    def ends(self) -> float:
        """The moment at which the time is over."""
        return self.started + self.searched.limit

    def late(self) -> bool:
        """Whether the time is over."""
        if self.elapsed > self.searched.limit:
            self.searched.cut_short = True
        return self.searched.cut_short

    def batches(self) -> Iterator[Batch]:
        """All batches, until effort or time is spent; known counterexamples only until one of them is violated again."""
        for sizes, coordinates in self.known:
            if not self.found:
                alone = {name: np.asarray(values)[None] for name, values in coordinates.items()}
                yield Batch(sizes, partial(dict, alone), decide, known=True)
        exact, skimmed = min(self.effort.exact, QUICK_EXACT), min(self.effort.skimmed, QUICK_SKIMMED)
        yield from self._in_time(self._drawn(exact, skimmed))
        rest = self._drawn(self.effort.exact - exact, self.effort.skimmed - skimmed)
        if self.claim.setting.explore and not self.found and not self.settled:
            yield from self._climbs(rest)
        yield from self._in_time(rest)

    def _in_time(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The batches, until the time is over."""
        for batch in batches:
            if self.late():
                return
            yield batch

    def learn(self, batch: Batch, drawn: Draw, found: list[Part]) -> None:
        """Count what a batch gave."""
        searched = self.searched
        count = len(next(iter(drawn.values())))
        if batch.known:
            searched.known += count
        else:
            searched.drawn += count
            if batch.sizes not in searched.sizes:
                searched.sizes.append(batch.sizes)
        for name, values in drawn.items():
            if values.size:
                key, ends = name.rstrip("0123456789."), (int(values.min()), int(values.max()))
                low, high = searched.ranges.get(key, ends)
                searched.ranges[key] = min(low, ends[0]), max(high, ends[1])
        self.confirmed = False
        for _, evidence in found:
            verdicts = np.asarray(evidence.verdict, dtype=object).ravel().tolist()
            if evidence.raised:
                searched.raised += len(verdicts)
                continue
            searched.certified += verdicts.count(Verdict.HOLDS) + verdicts.count(Verdict.VIOLATED)
            searched.undecided += verdicts.count(Verdict.UNDECIDED)
            searched.not_applicable += verdicts.count(Verdict.NOT_APPLICABLE)
            self.found = self.found or evidence.violated
            self.broken = self.broken or evidence.broken is not None
            self.confirmed = self.confirmed or evidence.violated or evidence.broken is not None
        searched.seconds = self.elapsed

    def _drawn(self, exact: int, skimmed: int) -> Iterator[Batch]:
        """So many instances that are all decided, and so many as far as enclosures reach."""
        if exact:
            yield from self._exact(exact)
        raising = 0 < self.searched.drawn == self.searched.raised  # and more instances would raise the same
        if skimmed and self.claim.setting.explore and not raising and not (self.settled and uncounted(self.claim)):
            yield from self._skimmed(skimmed)

    def _exact(self, count: int) -> Iterator[Batch]:
        """A few instances of each chosen size, all decided."""
        claim = self.claim
        shapes: set[tuple[int, tuple[int, ...]]] = set()
        for sizes in self.every:
            done = 0
            while done < (wanted := self._wanted(count, sizes)):
                if not shapes and self.registered:  # these show whether enclosures can look at it
                    wanted = min(wanted, max(1, BESIDES // len(self.every)))
                more = min(FEW if sizes.steps > LONG and not done else CHUNK, wanted - done)
                yield Batch(sizes, partial(draw, claim.setting, sizes, more, self.generator), decide)
                done += more
                shapes.add(sizes.shape)
        missing = [sizes for sizes in self.proved if claim.setting.draws(sizes)]
        if missing and shapes.isdisjoint(sizes.shape for sizes in missing):
            sizes, wanted = replace(missing[0], steps=min(claim.setting.steps)), self._wanted(count, self.every[0])
            yield Batch(sizes, partial(draw, claim.setting, sizes, wanted, self.generator), decide)

    def _wanted(self, count: int, sizes: Sizes) -> int:
        """How many exact instances of a size."""
        chosen = self._chosen(count)
        total = BESIDES if self.registered and self._besides(count) else count
        share = max(1, total // len(chosen)) if sizes in chosen else 0
        limit = self.claim.setting.limit
        return share if limit is None else min(share, max(1, limit * count // QUICK_EXACT))

    def _chosen(self, count: int) -> Sequence[Sizes]:
        """The sizes that have exact instances: all of them, or those that :data:`CLOSE` says."""
        if not self.registered or count > QUICK_EXACT:
            return self.every
        few = self._besides(count) and self.claim.transcendental
        return [
            sizes
            for place, sizes in enumerate(self.every)
            if place < CLOSE or sizes.agents > self.every[place - 1].agents or not (few or place % APART)
        ]

    def _besides(self, count: int) -> bool:
        """Whether these instances of a quick audit come beside those that enclosures look at."""
        return count <= QUICK_EXACT and self._skimmed_besides()

    def _skimmed_besides(self) -> bool:
        """Whether all sizes are skimmed, too; of what is proved some sizes are enough, if it is registered."""
        skimmed = self.effort.skimmed > 0 and self.claim.setting.explore and not uncounted(self.claim)
        return skimmed and (not self.settled or self.registered)

    def _skimmed(self, wanted: int) -> Iterator[Batch]:
        """Many instances, as far as enclosures reach: size after size, until as many are certified, or few of them can be.

        What is proved, and is looked at for the sake of numbers alone, has fewer sizes with more instances each, and so has a
        registered claim in a quick audit; a long run has fewer instances.
        """
        setting, before = self.claim.setting, self.searched.certified
        few = self.settled or (self.registered and wanted <= QUICK_SKIMMED)
        count = min(SKIM, wanted if few else -(-wanted // len(self.every)))
        stride = max(1, len(self.every) * count // wanted)
        order = [sizes for first in range(stride) for sizes in self.every[(first + 1) % stride :: stride]]
        drawn = 0
        for sizes in cycle(order):
            more, certified = count, self.searched.certified - before
            if drawn >= wanted:
                if not drawn * SELDOM < certified < wanted:
                    return
                # some do not meet the hypotheses: as many more as it seems to take, together
                more = min(TOGETHER * SKIM, max(count, drawn * (wanted - certified) // certified))
            fewer = max(1, more * LONG // max(LONG, sizes.steps))
            yield Batch(sizes, partial(draw, setting, sizes, fewer, self.generator), skim)
            drawn += more

    # --- climbs ---------------------------------------------------------------------------------------------------------

    def _climbs(self, rest: Iterator[Batch]) -> Iterator[Batch]:
        """Climbs at the sizes that promise most, and at small ones, in turn; after each a batch of the ``rest`` of the draws."""
        hills: dict[Sizes, Hill] = {}
        for sizes in self.every:
            if self.late():
                return
            space = Space.of(self.claim.setting, sizes)
            if not 1 < space.count <= LARGEST_CLIMB or sizes.steps > LONGEST_CLIMB:
                continue
            hill = Hill(self.claim, sizes)
            if not space.climbable:
                yield from self._picked(hill)
                continue
            self._draw(hill)
            if hill.found.max() > WORST and hill.telling.any():
                hills[sizes] = hill
        best = _most_promising(hills)
        order = list(dict.fromkeys(size for pair in zip(best, hills, strict=True) for size in pair))
        visits = dict.fromkeys(order, 0)
        for turn in range(self.effort.climbs):
            chosen = _next(order, hills, visits, self.effort.repeats, turn)
            if chosen is None or self.late() or self.found:
                break
            yield from self._climb(hills[chosen], visits[chosen])
            visits[chosen] += 1
            yield from islice(rest, 1)
        self.searched.seconds = self.elapsed

    def _picked(self, hill: Hill) -> Iterator[Batch]:
        """Where no climb makes sense, the best of many drawn instances, if they look violated."""
        drawn = draw(self.claim.setting, hill.sizes, PICKED, self.generator)
        found = column(hill.of_numbers(drawn), 0)
        self._count(hill)
        top = np.argsort(-found, kind="stable")[:TOPS]
        if found[top[0]] > 0 and not self.found:
            yield Batch(hill.sizes, partial(dict, {name: values[top] for name, values in drawn.items()}), decide)

    def _draw(self, hill: Hill) -> None:
        """Give a hill drawn points to start from."""
        count = OF_LONG if hill.sizes.steps > LONG else RANKED
        hill.look(draw(self.claim.setting, hill.sizes, count, self.generator))
        self._count(hill)

    def _count(self, hill: Hill) -> None:
        """Report the points that were looked at since this was asked last."""
        self.searched.evaluated += hill.evaluated
        hill.evaluated = 0

    def _climb(self, hill: Hill, again: int) -> Iterator[Batch]:
        """One climb, and its best ends as integers; what is no violation after all is forgotten, and the hill doubted."""
        if again:
            self._draw(hill)
        count = self.effort.starts
        targets = self._targets(hill)
        starts = np.stack([hill.points[i] for i in _starts(hill.points, hill.found, targets)])
        steps = np.full(len(targets), STEP)
        before = [(t, end) for t, end in hill.best_ends() if t < STATEMENTS or not self.broken][: count // 2]
        for place, (target, end) in enumerate(before):
            targets[place], starts[place], steps[place] = target, end.point, STEP / FINE[(place + again) % len(FINE)]
        self.searched.climbed += 1
        generations = self.effort.generations * (1 + again) * hill.slower
        earlier = [end for _, end in before]
        ends = climb(hill, starts, targets, generations, self.generator, steps=steps, late=self.late, earlier=earlier)
        reached = np.array([end.score for end in ends])
        tops = _tops(targets, reached)
        points = np.stack([end.point for end in ends])[tops]
        made = rationalised(hill, points, targets[tops], self.generator) if len(tops) else {}
        self._count(hill)
        self.confirmed = False
        if made and not self.late():
            yield Batch(hill.sizes, partial(dict, made), decide)
        kept = (reached <= 0) | self.confirmed
        if not kept.all():
            hill.doubt()
        hill.remember(targets[kept], [end for end, keep in zip(ends, kept.tolist(), strict=True) if keep])

    def _targets(self, hill: Hill) -> npt.NDArray[np.intp]:
        """What each start climbs to: the statement, by both scores; half of them, or more, to inequalities inside the proof.

        A long proof has more starts, so that each of its lines soon has one: those that had the fewest come first, and of these
        the ones that come closest.  Scores that are the same everywhere are left out, and so is a proof that is broken already.
        """
        count = self.effort.starts
        telling = np.flatnonzero(hill.telling)
        outer, inner = telling[telling < STATEMENTS], telling[telling >= STATEMENTS]
        outer = np.append(outer, outer[:1])  # by size twice, by distance once
        if self.broken or not len(inner):
            return np.resize(outer if len(outer) else telling, count).astype(np.intp)
        best = hill.found.max(0)
        order = sorted(inner.tolist(), key=lambda c: (self.turns.get(c, 0), -best[c]))
        half = count // 2 if len(outer) else 0
        chosen = order[: min(2 * count, max(count - half, len(inner) // 2))]
        for c in chosen:
            self.turns[c] = self.turns.get(c, 0) + 1
        return np.concatenate([np.resize(outer, half), np.resize(chosen, max(count - half, len(chosen)))]).astype(
            np.intp
        )


def _most_promising(hills: dict[Sizes, Hill]) -> list[Sizes]:
    """The sizes in the order of what they promise: every score ranks them, and the statement's counts as much as all others."""
    votes = dict.fromkeys(hills, 0.0)
    inner = max((hill.found.shape[1] - STATEMENTS for hill in hills.values()), default=0)
    for c in range(STATEMENTS + inner):
        best = {s: hill.found[:, c].max() for s, hill in hills.items() if c < len(hill.telling) and hill.telling[c]}
        for rank, sizes in enumerate(sorted(best, key=lambda s: -best[s])):
            votes[sizes] += (max(inner, 1) if c == 0 else c >= STATEMENTS) / (1 + rank)
    return sorted(hills, key=lambda sizes: -votes[sizes])


def _next(
    order: list[Sizes], hills: dict[Sizes, Hill], visits: dict[Sizes, int], repeats: int, turn: int
) -> Sizes | None:
    """A size that was not climbed yet and, after a while every other turn, the one that came closest; None after the last."""
    fresh = [sizes for sizes in order if not visits[sizes]]
    again = [sizes for sizes in order if 0 < visits[sizes] < repeats]
    if again and (not fresh or (turn >= FIRST and turn % 2)):
        return max(again, key=lambda sizes: hills[sizes].height * (1 + visits[sizes]) - REVISIT * visits[sizes])
    return fresh[0] if fresh else None


def _tops(targets: npt.NDArray[np.intp], reached: Floats) -> npt.NDArray[np.intp]:
    """The ends that become integers: the best ones of the statement, and of each line in between the best that looks violated."""
    order = np.argsort(-reached, kind="stable")
    outer = [i for i in order if targets[i] < STATEMENTS and reached[i] >= HOPELESS]
    firsts = [next((i for i in outer if targets[i] == t), None) for t in range(STATEMENTS)]
    inner = [next(i for i in order if targets[i] == t) for t in np.unique(targets[targets >= STATEMENTS])]
    chosen = [*(i for i in firsts if i is not None), *outer[:TOPS], *(i for i in inner if reached[i] > 0)]
    return np.array(list(dict.fromkeys(chosen)), dtype=np.intp)


QUICK_EXACT, QUICK_SKIMMED = 400, 5_000
"""The instances of a quick audit, with which every search begins; a setting's ``limit`` speaks of the exact ones."""


def _starts(points: Floats, found: Floats, targets: Any) -> list[int]:
    """For every target the best points that no other start has, few of one regime."""
    regimes = [tuple(np.histogram(point, bins=(-np.inf, -9.5, -4.0, 0.0, np.inf))[0].tolist()) for point in points]
    taken: list[int] = []
    seen: dict[Any, int] = {}
    for target in targets.tolist():
        order = np.argsort(-column(found, target), kind="stable").tolist()
        fresh = [i for i in order if i not in taken]
        chosen = next((i for i in fresh if seen.get((target, regimes[i]), 0) < ALIKE), fresh[0] if fresh else order[0])
        seen[target, regimes[chosen]] = seen.get((target, regimes[chosen]), 0) + 1
        taken.append(chosen)
    return taken
