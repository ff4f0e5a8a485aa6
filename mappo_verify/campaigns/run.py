"""Runs a campaign: hands chunks to workers, writes what they find, and goes on after whatever happened."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ..arithmetic.explained import shown
from ..checking.workers import cluster, cores, deaths, local, width_of
from ..errors import CampaignError
from ..papers.registry import select
from .chunk import ChunkResult, WitnessResult, evaluate_chunk, find_witness
from .ledger import Ledger, naming_damage, only_writer, path_of
from .plan import Plan, Task, plan_of
from .report import CampaignReport, read_campaign
from .versions import formulas

PATIENCE = 3
"""How many times in a row workers may die before any chunk is finished."""


@dataclass(frozen=True)
class Progress:
    """How far a campaign is: instances decided of all, now and when this run began, seconds since, and violated claims."""

    done: int
    total: int
    before: int
    seconds: float
    refuted: tuple[str, ...]

    @property
    def throughput(self) -> float:
        """Instances a second, in this run."""
        return (self.done - self.before) / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At this throughput; None while nothing is known of it."""
        return (self.total - self.done) / self.throughput if self.throughput > 0 else None


def run_campaign(
    ledger: str | Path,
    claims: list[str] | None = None,
    instances: int | None = None,
    *,
    seed: int | None = None,
    share: tuple[int, int] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> CampaignReport:
    """Decide ``instances`` drawn instances of each claim, and keep what is found in a ledger.

    The first call begins the ledger.  A call with the ledger alone continues it after whatever ended the last one; with more
    ``instances`` it goes on beyond.  What is found depends on claims, seed and number of instances only.

    Parameters
    ----------
    ledger : path of the file
    claims : ids (a parent means all its parts); None means all that an instance can decide
    instances : of each claim, at least 1
    seed : default 0
    share : ``(i, n)``: only the i-th of n parts, for one of n machines; :func:`merge_campaigns` puts them together
    workers : processes on this machine; default: one for each core
    scheduler : the address of a Dask scheduler whose workers evaluate in their place
    progress : called after every chunk

    Raises
    ------
    CampaignError
        Where the ledger is about other claims, seeds or formulas, or workers die again and again.
    """
    path = path_of(ledger)
    if workers is not None and (type(workers) is not int or workers < 1):
        raise CampaignError(f"workers = {shown(workers)}; at least one is needed")
    if not (scheduler is None or isinstance(scheduler, str)):
        raise CampaignError(f"scheduler = {shown(scheduler)} is not an address such as 'tcp://10.0.0.1:8786'")
    if not (progress is None or callable(progress)):
        raise CampaignError(f"progress = {shown(progress)} is not a function")
    count = workers or cores()
    opener = partial(cluster, scheduler) if scheduler else partial(local, count)
    with only_writer(path):
        with _opened(path, claims, instances, seed, share) as opened:
            with naming_damage(path):
                run = _Run(opened, opener, count, progress)
            run.finish()
        return read_campaign(path)


def _opened(
    path: Path, claims: list[str] | None, instances: int | None, seed: int | None, share: tuple[int, int] | None
) -> Ledger:
    """The ledger, new or continued; what is asked for must agree with what it says."""
    if not path.exists():
        if instances is None:
            raise CampaignError(f"there is no ledger {path}; to begin one, say how many instances")
        return Ledger.begin(path, plan_of(claims, instances, seed or 0, share or (1, 1)), formulas())
    opened = Ledger.open(path, write=True)
    try:
        _require_same(opened, claims, instances, seed, share)
    except CampaignError:
        opened.close()
        raise
    return opened


def _require_same(
    ledger: Ledger, claims: list[str] | None, instances: int | None, seed: int | None, share: tuple[int, int] | None
) -> None:
    with naming_damage(ledger.path):
        plan = ledger.plan
    if ledger.about("formulas") != formulas():
        raise CampaignError(
            f"{ledger.path} was begun with other formulas than those installed; continue it with that version, "
            "or begin a new ledger"
        )
    for name, wanted, found in (("seed", seed, plan.seed), ("share", share, plan.share)):
        if wanted is not None and wanted != found:
            raise CampaignError(f"{ledger.path} has {name} {found}, not {wanted}; begin a new ledger for it")
    if claims is not None and list(plan_of(claims, 1, 0, (1, 1)).instances) != list(plan.instances):
        raise CampaignError(f"{ledger.path} is about {', '.join(plan.instances)}; begin a new ledger for other claims")
    if instances is None:
        return
    longer = replace(plan, instances=dict.fromkeys(plan.instances, instances))
    if instances < min(plan.instances.values()):
        raise CampaignError(f"{ledger.path} is to hold {min(plan.instances.values())} instances a claim already")
    ledger.extend(longer)


@dataclass
class _Run:
    """One run of a campaign: what is to do, what is under way, what was found."""

    ledger: Ledger
    opener: Callable[[], AbstractContextManager[Executor]]
    workers: int
    progress: Callable[[Progress], None] | None

    def __post_init__(self) -> None:
        self.plan: Plan = self.ledger.plan
        done = self.ledger.done()
        self.total = sum(map(self.plan.asked, select(list(self.plan.instances))))
        self.done = self.before = sum(task.instances for task in done)
        self.to_do: Iterator[Task] = (task for task in self.plan.tasks() if task not in done)
        self.again: deque[tuple[Any, ...]] = deque()
        self.under_way: dict[Future[Any], tuple[Any, ...]] = {}
        self.strikes = 0
        self.started = time.perf_counter()
        known = self.ledger.witnesses()
        self.violations = self.ledger.violations()
        for claim, (chunk, position) in self.violations.items():
            if claim not in known or (known[claim].chunk, known[claim].position) != (chunk, position):
                self.again.append((find_witness, self.plan.seed, claim, chunk, position))

    def finish(self) -> None:
        """Until every chunk is there, and every violated claim has its counterexample."""
        while True:
            with self.opener() as executor:
                if self._with(executor):
                    return

    def _with(self, executor: Executor) -> bool:
        """Work with these workers; False where they died, so that others must go on."""
        width = width_of(executor, self.workers)
        try:
            while True:
                while len(self.under_way) < width and (call := self._next()) is not None:
                    try:
                        self.under_way[executor.submit(*call)] = call
                    except deaths():
                        self.again.appendleft(call)
                        return self._died()
                if not self.under_way:
                    return True
                finished, _ = wait(self.under_way, return_when=FIRST_COMPLETED)
                alive = [self._take(future) for future in finished]
                if not all(alive):
                    return self._died()
        finally:
            for future, call in self.under_way.items():
                future.cancel()
                self.again.append(call)
            self.under_way.clear()

    def _next(self) -> tuple[Any, ...] | None:
        if self.again:
            return self.again.popleft()
        task = next(self.to_do, None)
        return None if task is None else (evaluate_chunk, self.plan.seed, task)

    def _take(self, future: Future[Any]) -> bool:
        """Write what a worker found; False where it died."""
        call = self.under_way.pop(future)
        try:
            found = future.result()
        except deaths():
            self.again.append(call)
            return False
        except CancelledError:
            raise CampaignError(f"the scheduler went away; run {self.ledger.path} again to continue") from None
        if found.formulas != self.ledger.about("formulas"):
            raise CampaignError(f"a worker has other formulas than {self.ledger.path}; install the same version there")
        if isinstance(found, WitnessResult):
            if self.violations[found.claim] == (found.chunk, found.position):  # else an earlier one came meanwhile
                self.ledger.add_witness(found)
            return True
        self._add(found)
        return True

    def _add(self, found: ChunkResult) -> None:
        self.ledger.add(found)
        self.strikes = 0
        self.done += found.task.instances
        claim, first = found.task.claim, (found.task.chunk, found.simplest)
        known = self.violations.get(claim)
        if found.simplest is not None and first != known and (known is None or first[0] <= known[0]):
            self.violations[claim] = (found.task.chunk, found.simplest)
            self.again.appendleft((find_witness, self.plan.seed, claim, *first))
        if self.progress:
            seconds = time.perf_counter() - self.started
            self.progress(Progress(self.done, self.total, self.before, seconds, tuple(self.violations)))

    def _died(self) -> bool:
        self.strikes += 1
        if self.strikes > PATIENCE:
            calls = [*self.under_way.values(), *self.again]
            tasks = ", ".join(" ".join(map(str, call[2:])) for call in calls[:4])
            raise CampaignError(
                f"workers died {self.strikes} times in a row (killed, or out of memory?) at {tasks}; what was finished "
                f"is in {self.ledger.path}, and running it again continues, with fewer workers if memory is short"
            )
        return False
