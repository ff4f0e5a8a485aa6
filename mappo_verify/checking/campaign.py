"""Puts claims on trial and computes their standing.

For each claim: proofs in symbols and at random points where the claim names sizes; exact instances of every size, small ones
first; float batches that explore, whose suspects are re-tried exactly.  Standing is computed from that, never read off the
registry; the registry's record is only compared with it.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ..arithmetic import FALSE, System, floats_of, module_of, smallest
from ..claims.case import Case, system_of_object
from ..claims.claim import NUMERIC, Claim, Line
from ..claims.coordinates import Sizes
from ..claims.verdict import Evidence, Standing, Verdict
from ..errors import ClaimError, MappoVerifyError, UndecidedError
from ..model import Game, Policy
from ..model.validation import array_of
from ..papers.registry import CLAIMS, IDS, ids_of, select
from ..papers.registry import claim as find
from .broken import broken_line
from .evaluate import Part, certify, decide, evaluate, skim
from .monte_carlo import Statistics
from .monte_carlo import run as run_experiment
from .on_game import try_on_game
from .proving import Failure, Proof, prove_at_points, prove_in_symbols
from .reports import AuditReport, ClaimReport, Progress, Tally, Witness, conclude, recorded, with_taint
from .sampling import Draw, draw, instance, sizes_of
from .shrink import shrink


@dataclass(frozen=True)
class Profile:
    """How hard to try, per claim: instances decided one and all, and skimmed (over all sizes); policies on a game; samples."""

    name: str
    exact: int
    skimmed: int
    on_game: int
    samples: int


PROFILES = {
    "quick": Profile("quick", 400, 5_000, 6, 2_000),
    "thorough": Profile("thorough", 6_000, 500_000, 40, 50_000),
}
CHUNK = 200
"""Exact instances evaluated together."""
AGAIN = 128
"""Half the bits with which a violation in rationals is decided a second time."""
SKIM = 1_000
"""Instances that enclosures look at together."""


def check(claim: str | Claim, *, steps: int | None = None, **objects: Any) -> Evidence:
    """Put one claim on trial on your own objects: ``mv.check("lemma-4.1", game=..., target=..., policy=..., start=...)``.

    Floats are first turned into the rationals that they are, so the verdict is about exact data.  Where the formula leaves
    the rationals it is decided in balls of growing precision.  Batches give arrays of verdicts.  ``steps`` is the length of a
    run where no ingredient tells it (``mv.check("abstract-rate", horizon=100, steps=1250)``).  Of a claim that holds with
    probability ``1 - δ`` the verdict is about the one sample given.
    """
    claim = claim if isinstance(claim, Claim) else find(claim)
    setting = claim.setting
    _require_data(objects)
    exact = setting.case_from(objects, System.RATIONALS, steps)
    try:
        return certify(claim, lambda system: exact if system is System.RATIONALS else exact.to(system))
    except ValueError as error:
        if isinstance(error, MappoVerifyError):
            raise
        shapes = ", ".join(f"{name} {np.shape(value)}" for name, value in objects.items() if np.ndim(value))
        raise ClaimError(f"the shapes of the ingredients do not fit each other ({error}): {shapes}") from None


def _require_data(objects: dict[str, Any]) -> None:
    """Balls and symbols are refused: they are no data."""
    for name, value in objects.items():
        system = system_of_object(value if isinstance(value, (Game, Policy, tuple)) else array_of(value, name))
        if system in (System.BALLS, System.SYMBOLS):
            raise ClaimError(
                f"{name} is in {system.value}; check() wants exact or float data and chooses the arithmetic itself"
            )


def audit(
    claims: Iterable[str | Claim] | None = None,
    profile: str = "quick",
    seed: int = 0,
    game: Any = None,
    progress: Progress | None = None,
) -> AuditReport:
    """Put claims on trial and return the table as data.

    Parameters
    ----------
    claims : ids (a parent means all its parts) or claims of your own; None means all registered ones
    profile : ``quick`` or ``thorough``
    seed : makes every instance reproducible; one stream per claim, so a claim alone sees the instances it sees among others
    game : try the claims on this very game, with random, extreme and optimal policies, instead of drawn games
    progress : called with a text and the finished share
    """
    if game is not None and not isinstance(game, Game):
        raise ClaimError(f"game must be a Game, not {type(game).__name__}; named_game(...) or load_game(...) make one")
    if profile not in PROFILES:
        raise ClaimError(f"unknown profile {profile!r}; use one of {', '.join(PROFILES)}")
    if seed < 0:
        raise ClaimError(f"seed = {seed} is negative")
    chosen = select(claims)
    ids = IDS | ids_of(chosen)
    started = time.perf_counter()
    reports: list[ClaimReport] = []
    skipped: list[tuple[str, str]] = []
    for position, claim in enumerate(chosen):
        if progress:
            progress(claim.id, position / len(chosen))
        generator = np.random.default_rng([seed, zlib.crc32(claim.id.encode())])
        if game is None:
            reports.append(_campaign(claim, ids, PROFILES[profile], generator))
            continue
        found = try_on_game(claim, ids, game, PROFILES[profile].on_game, generator)
        if isinstance(found, str):
            skipped.append((claim.id, found))
        else:
            reports.append(found)
    if progress:
        progress("done", 1.0)
    name = None if game is None else game.name or repr(game)
    done = tuple(with_taint(reports))
    return AuditReport(done, profile, seed, time.perf_counter() - started, name, tuple(skipped))


def _campaign(claim: Claim, ids: frozenset[str], profile: Profile, generator: np.random.Generator) -> ClaimReport:
    """Proofs, exact instances, float exploration; or samples, where that is what a claim speaks of."""
    if claim.experiment is not None:
        return _statistical(claim, profile, generator)
    started = time.perf_counter()
    tally, witness = Tally(ids), None
    proofs: list[Proof] = []
    failures: list[Failure] = []
    with recorded(tally, claim, "in symbols or at random points"):
        proofs, failures = _seek_proofs(claim, generator)
    for sizes, make, decided in _instances(claim, profile, generator):
        with recorded(tally, claim, str(sizes)):
            drawn = make()
            found = list(decided(claim, drawn, sizes))
            for _, evidence in found:
                tally.add(evidence)
            if tally.broken_line is None and tally.broken is not None:
                tally.broken_line = broken_line(claim, drawn, sizes, found)
            if witness is None and any(evidence.violated for _, evidence in found):
                witness = _witness(claim, drawn, sizes, found)
    return conclude(claim, tally, proofs, failures, witness, time.perf_counter() - started)


def _statistical(claim: Claim, profile: Profile, generator: np.random.Generator) -> ClaimReport:
    """SUPPORTED or UNTESTED: samples alone certify nothing, for or against."""
    started = time.perf_counter()
    tally = Tally()
    found = _statistics_of(claim, profile, generator, tally)
    standing = Standing.SUPPORTED if found is not None and found.supported else Standing.UNTESTED
    return ClaimReport(
        claim=claim,
        standing=standing,
        how=f"evaluation failed: {tally.failure}" if found is None else found.text(),
        instances=0 if found is None else found.samples,
        not_applicable=0,
        undecided=0,
        margin=None,
        ratio=None if found is None else found.constant,
        seconds=time.perf_counter() - started,
        expected=claim.record in (None, standing) and not tally.failure,
        failure=tally.failure,
        statistics=found,
    )


def _statistics_of(claim: Claim, profile: Profile, generator: np.random.Generator, tally: Tally) -> Statistics | None:
    with recorded(tally, claim, "drawing samples"):
        return run_experiment(claim, profile.samples, generator)
    return None  # what was raised is in the tally


def try_out(name: str, count: int, seed: int) -> tuple[str, str, float] | None:
    """The first exact violation of a claim or of a step of its proof: where, margin, margin rounded; None if there is none.

    Used on copies of this package with an error in it, where errors of any kind may surface; a crash is no refutation.
    """
    claim = _compared_as_numbers(find(name))
    generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
    if claim.experiment is not None:
        return None  # a sample on which a bound fails is no violation
    every = sizes_of(claim.setting)
    for sizes in every:
        drawn = draw(claim.setting, sizes, max(1, count // len(every)), generator)
        try:
            found = [evidence for _, evidence in decide(claim, drawn, sizes)]
        except Exception:
            continue
        for evidence in found:
            for step in (*evidence.statements, *(entry.step for entry in evidence.lines if entry.step is not None)):
                if (step.truth == FALSE).any() and step.margin is not None:
                    margin = smallest(np.asarray(step.margin)[step.truth == FALSE], 0)
                    return f"{claim.id}, at {step.right!r}", str(margin[()]), float(floats_of(margin))
    return None


def _compared_as_numbers(claim: Claim) -> Claim:
    """The claim without its axioms: what an error makes of their quantities shows in numbers, with a margin."""

    def proof(case: Case) -> Iterator[Line]:
        for entry in claim.proof(case):
            yield replace(entry, axiom=None)

    return replace(claim, proof=proof)


def _instances(
    claim: Claim, profile: Profile, generator: np.random.Generator
) -> Iterator[tuple[Sizes, Callable[[], Draw], Callable[[Claim, Draw, Sizes], Iterator[Part]]]]:
    """How to make the batches of every size, and how to decide them: a few one and all, many as far as enclosures reach."""
    every = sizes_of(claim.setting)
    share = max(1, profile.exact // len(every))
    if claim.setting.limit is not None:
        share = min(share, claim.setting.limit * profile.exact // PROFILES["quick"].exact)
    for sizes in every:
        for begin in range(0, share, CHUNK):
            yield sizes, partial(draw, claim.setting, sizes, min(CHUNK, share - begin), generator), decide
        if claim.setting.explore:
            for begin in range(0, profile.skimmed // len(every), SKIM):
                count = min(SKIM, profile.skimmed // len(every) - begin)
                yield sizes, partial(draw, claim.setting, sizes, count, generator), skim


def _seek_proofs(claim: Claim, generator: np.random.Generator) -> tuple[list[Proof], list[Failure]]:
    attempts = [prove_in_symbols(claim, sizes) for sizes in claim.symbolic]
    attempts += [prove_at_points(claim, sizes, generator) for sizes in claim.points]
    return [p for p in attempts if isinstance(p, Proof)], [p for p in attempts if isinstance(p, Failure)]


def _witness(claim: Claim, drawn: Draw, sizes: Sizes, found: list[Part]) -> Witness:
    """The violated instance with the smallest numbers, alone and shrunk."""
    violated = np.concatenate([chosen[evidence.verdict == Verdict.VIOLATED] for chosen, evidence in found])
    simplest = min(np.sort(violated), key=lambda i: sum(int(np.abs(values[i]).sum()) for values in drawn.values()))
    sizes, alone = shrink(claim, sizes, instance(drawn, simplest))
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
    with suppress(*NUMERIC), module_of(System.BALLS).precision(2 * (evidence.precision or AGAIN)):
        again = evaluate(claim, build(System.BALLS))
    if again is not None and again.holds:
        raise UndecidedError(
            f"claim {claim.id}: a violation in {evidence.arithmetic.value} is none in balls; please report this"
        )
    return evidence


def case_of(witness: Witness, claim: Claim | None = None) -> Case:
    """The exact case behind a witness."""
    owner = claim or next(entry for entry in CLAIMS if entry.id == witness.claim)
    return owner.setting.case(witness.coordinates, witness.sizes, System.RATIONALS)
