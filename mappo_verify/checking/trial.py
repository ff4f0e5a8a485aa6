"""One claim's search, carried out: every batch is decided and counted, and what deserves to be kept is kept.

That is the first violated instance, made small; the instances on which the claim's formulas raise; and for a bound, size by
size, the instance where its two sides come closest.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any

import numpy as np

from ..arithmetic import System
from ..arithmetic.precision import precision
from ..arithmetic.time_limit import OutOfTime, until
from ..claims.claim import NUMERIC, Claim
from ..claims.coordinates import Sizes
from ..claims.verdict import Evidence, Verdict
from ..errors import UndecidedError
from .broken import broken_line
from .evaluate import Part, certify, evaluate
from .reports import Progress, Tally, Witness, instance_data, recorded
from .sampling import Draw, instance
from .search import Batch, Search
from .shrink import shrink

AGAIN = 128
"""Half the bits with which a violation in rationals is decided a second time."""


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


@dataclass
class Trial:
    """What a search brought: a shrunk ``witness`` or None, the first instance that raised, the tightest instances by size."""

    witness: Witness | None = None
    crash: Crash | None = None
    crashed: int = 0
    tightest: dict[Sizes, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    curve: list[tuple[int, float]] = field(default_factory=list)
    """Every new best ratio, and how many instances had been looked at."""


def put_on_trial(
    claim: Claim, search: Search, tally: Tally, stop: bool = False, progress: Progress | None = None
) -> Trial:
    """Decide all batches of a search; with ``stop``, until the first violation."""
    trial = Trial()
    for batch in search.batches():
        if progress:
            progress(f"{claim.id}: {batch.sizes}", min(1.0, search.elapsed / search.searched.limit))
        found: list[Part] = []
        drawn: Draw = {}
        with recorded(tally, claim, str(batch.sizes)):
            drawn = batch.make()
            found = _decided(claim, search, batch, drawn)
            for chosen, evidence in found:
                tally.add(evidence)
                _keep(trial, batch, drawn, chosen, evidence)
            search.learn(batch, drawn, found)
            if tally.broken_line is None and tally.broken is not None:
                tally.broken_line = broken_line(claim, drawn, batch.sizes, found)
            best = max((ratio for ratio, _ in trial.tightest.values()), default=-np.inf)
            if best > (trial.curve[-1][1] if trial.curve else -np.inf):
                trial.curve.append((search.searched.drawn + search.searched.evaluated, best))
            if trial.witness is None and any(evidence.violated for _, evidence in found):
                trial.witness = _witness(claim, batch, drawn, found)
        if drawn and not found and tally.failure and not search.searched.cut_short and trial.crash is None:
            trial.crash = Crash(claim.id, batch.sizes, instance(drawn, 0), tally.failure.removeprefix(f"{claim.id} "))
            trial.crashed += 1
        if stop and trial.witness is not None:
            break
    return trial


def _decided(claim: Claim, search: Search, batch: Batch, drawn: Draw) -> list[Part]:
    """What was found about a batch until the time was over; known counterexamples are decided in any case."""
    found: list[Part] = []
    try:
        with until(inf if batch.known else search.ends):
            for part in batch.decided(claim, drawn, batch.sizes):
                found.append(part)  # noqa: PERF402 - what comes before an interruption is kept
    except OutOfTime:
        search.searched.cut_short = True
    return found


def _keep(trial: Trial, batch: Batch, drawn: Draw, chosen: Any, evidence: Evidence) -> None:
    """The instance that raised, or the tightest one, of a part of a batch."""
    if evidence.raised:
        trial.crash = trial.crash or Crash(
            evidence.claim, batch.sizes, instance(drawn, int(chosen[0])), evidence.raised
        )
        trial.crashed += len(chosen)
    elif evidence.ratios is not None:
        held = np.ravel(evidence.verdict) == Verdict.HOLDS
        ratios = np.where(held & np.isfinite(np.ravel(evidence.ratios)), np.ravel(evidence.ratios), -np.inf)
        top = int(np.argmax(ratios))
        if ratios[top] > trial.tightest.get(batch.sizes, (-np.inf, {}))[0]:
            trial.tightest[batch.sizes] = float(ratios[top]), instance(drawn, int(chosen[top]))


def _witness(claim: Claim, batch: Batch, drawn: Draw, found: list[Part]) -> Witness:
    """The simplest violated instance, alone and shrunk; one that is known is as small as it was kept."""
    violated = np.concatenate([chosen[evidence.verdict == Verdict.VIOLATED] for chosen, evidence in found])
    alone = instance(drawn, simplest(drawn, violated.tolist()))
    if not batch.known:
        return shrunk(claim, batch.sizes, alone)
    return Witness(claim.id, batch.sizes, alone, violated_alone(claim, batch.sizes, alone), known=True)


def simplest(drawn: Draw, positions: Iterable[int]) -> int:
    """The instance with the smallest numbers."""
    return min(positions, key=lambda i: (sum(abs(n) for v in drawn.values() for n in np.ravel(v[i]).tolist()), i))


def shrunk(claim: Claim, sizes: Sizes, alone: dict[str, Any]) -> Witness:
    """A violated instance made small, and decided a second time."""
    sizes, alone = shrink(claim, sizes, alone)
    return Witness(claim.id, sizes, alone, violated_alone(claim, sizes, alone))


def violated_alone(claim: Claim, sizes: Sizes, coordinates: dict[str, Any]) -> Evidence:
    """The evidence of one violated instance, decided a second time in balls, of twice the bits that the first took.

    Balls may leave it open, where a hypothesis is an equality or a formula needs decided numbers (an optimal policy, say);
    they must not contradict it.
    """
    build = partial(claim.setting.case, coordinates, sizes)
    evidence = certify(claim, build, again=True)
    if not evidence.violated:
        raise UndecidedError(
            f"claim {claim.id}: an instance was violated, and decided alone it is not; please report this"
        )
    again = None
    with suppress(*NUMERIC), precision(2 * (evidence.precision or AGAIN)):
        again = evaluate(claim, build(System.BALLS))
    if again is not None and again.holds:
        raise UndecidedError(
            f"claim {claim.id}: a violation in {evidence.arithmetic.value} is none in balls; please report this"
        )
    return evidence
