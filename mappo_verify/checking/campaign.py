"""Puts claims on trial and computes their standing.

For each claim: proofs in symbols and at random points where the claim names sizes, and the search of :mod:`.search`.  Standing
is computed from that, never read off the registry; the registry's record is only compared with it.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..arithmetic import FALSE, Array, System, floats_of, require_one_system, smallest
from ..arithmetic.explained import explained
from ..arithmetic.one_instance import one_at_a_time
from ..claims.case import Case, Ingredient
from ..claims.claim import Claim, Line
from ..claims.coordinates import SMALLEST
from ..claims.ingredients import Tables
from ..claims.settings import Setting
from ..claims.verdict import Evidence, Standing
from ..errors import ClaimError, GameError, MappoVerifyError
from ..model import Game, Policy
from ..model.validation import array_of, require_seed
from ..papers.registry import CLAIMS, IDS, ids_of, select
from ..papers.registry import claim as find
from .corpus import Corpus
from .evaluate import certify, decide, raised
from .monte_carlo import Statistics
from .monte_carlo import run as run_experiment
from .on_game import try_on_game
from .proving import Failure, Proof, is_more_general, prove_at_points, prove_in_symbols
from .reports import AuditReport, ClaimReport, Progress, Tally, conclude, recorded, with_taint
from .sampling import draw, sizes_of
from .search import Effort, Search, require_seconds
from .trial import put_on_trial
from .workers import few_collections, local


@dataclass(frozen=True)
class Profile:
    """How hard to try, per claim: the search's effort; policies on a game; samples."""

    name: str
    effort: Effort
    on_game: int
    samples: int


PROFILES = {
    "quick": Profile(
        "quick", Effort(exact=400, skimmed=5_000, climbs=4, repeats=1, starts=8, generations=30, seconds=300), 6, 2_000
    ),
    "thorough": Profile(
        "thorough",
        Effort(exact=6_000, skimmed=500_000, climbs=60, repeats=4, starts=12, generations=150, seconds=3_600),
        40,
        50_000,
    ),
}


@explained
@one_at_a_time
def check(claim: str | Claim, *, steps: int | None = None, **objects: Any) -> Evidence:
    """Put one claim on trial on your own objects: ``mv.check("lemma-4.1", game=..., target=..., policy=..., start=...)``.

    Floats are first turned into the rationals that they are, so the verdict is about exact data.  Where the formula leaves
    the rationals it is decided in balls of growing precision.  Batches give arrays of verdicts.  ``steps`` is the length of a
    run where no ingredient tells it (``mv.check("abstract-rate", horizon=100, steps=1250)``).  Of a claim that holds with
    probability ``1 - δ`` the verdict is about the one sample given.
    """
    claim = claim if isinstance(claim, Claim) else find(claim)
    setting = claim.setting
    _require_data(setting, objects)
    exact = setting.case_from(objects, System.RATIONALS, steps)
    try:
        return certify(claim, lambda system: exact if system is System.RATIONALS else exact.to(system))
    except ZeroDivisionError as error:
        raise ClaimError(f"claim {claim.id} {raised(error, str(exact.sizes))}") from error
    except ValueError as error:
        if isinstance(error, MappoVerifyError):
            raise
        shapes = ", ".join(f"{name} {np.shape(value)}" for name, value in objects.items() if np.ndim(value))
        raise ClaimError(f"the shapes of the ingredients do not fit each other ({error}): {shapes}") from None


def _require_data(setting: Setting, objects: dict[str, Any]) -> None:
    """Balls and symbols are refused: they are no data."""
    ingredients = {ingredient.name: ingredient for ingredient in setting.ingredients}
    for name, value in objects.items():
        ingredient = ingredients.get(name)
        if isinstance(value, (Game, Policy)):
            system = value.system
        elif isinstance(value, (tuple, list)) and _has_tables(ingredient):
            if not value and isinstance(ingredient, Tables):
                raise ClaimError(f"{name} has no tables; it needs one for each {ingredient.of_each}")
            tables = {f"{name}[{k}]": array_of(table, f"{name}[{k}]") for k, table in enumerate(value)}
            system = require_one_system(**tables)
        else:
            system = require_one_system(**{name: _one_array(name, value, ingredient)})
        if system in (System.BALLS, System.SYMBOLS):
            raise ClaimError(
                f"{name} is in {system.value}; check() wants exact or float data and chooses the arithmetic itself"
            )


def _has_tables(ingredient: Ingredient | None) -> bool:
    """Whether it is several tables, of shapes of their own."""
    return ingredient is not None and ingredient.compute is None and ingredient.core_shape(SMALLEST) is None


def _one_array(name: str, value: Any, ingredient: Ingredient | None) -> Array:
    try:
        return array_of(value, name)
    except GameError as error:
        if ingredient is None or ingredient.compute is None or not isinstance(value, (tuple, list)):
            raise
        raise ClaimError(f"{error}; {name} follows from the other ingredients, so leave it out") from None


@explained
@one_at_a_time
@few_collections()
def audit(
    claims: Iterable[str | Claim] | None = None,
    profile: str = "quick",
    seed: int = 0,
    game: Any = None,
    progress: Progress | None = None,
    seconds: float | None = None,
    corpus: bool | str | Path = True,
    workers: int = 1,
) -> AuditReport:
    """Put claims on trial and return the table as data.

    Parameters
    ----------
    claims : ids (a parent means all its parts) or claims of your own; None means all registered ones
    profile : ``quick`` or ``thorough``
    seed : makes every instance reproducible; one stream per claim, so a claim alone sees the instances it sees among others
    game : try the claims on this very game, with random, extreme and optimal policies, instead of drawn games
    progress : called with a text and the finished share
    seconds : a time limit for the search of each claim, instead of the profile's; a report says where it was hit
    corpus : decide counterexamples that were found before first: True, those that come with the package; False, none; a
        folder, those and the folder's, and write new ones there
    workers : processes that share the registered claims; the report does not depend on it.  With more than one, a script needs
        ``if __name__ == "__main__":`` around its work, as with every pool of processes
    """
    require_seconds(seconds)
    if workers < 1:
        raise ClaimError(f"workers = {workers}; at least this process is needed: workers=1")
    kept = Corpus.of_choice(corpus)
    if game is not None and not isinstance(game, Game):
        raise ClaimError(f"game must be a Game, not {type(game).__name__}; named_game(...) or load_game(...) make one")
    if profile not in PROFILES:
        raise ClaimError(f"unknown profile {profile!r}; use one of {', '.join(PROFILES)}")
    require_seed(seed)
    chosen = select(claims)
    ids = IDS | ids_of(chosen)
    started = time.perf_counter()
    reports: list[ClaimReport] = []
    skipped: list[tuple[str, str]] = []
    found: ClaimReport | str
    shared = [claim for claim in chosen if claim in CLAIMS] if game is None else []
    helpers = min(workers, len(shared))
    with local(max(helpers, 1)) as pool:
        begun: dict[Claim, Future[bytes]] = {}  # by the claim itself: a claim of one's own may have the id of another
        if helpers > 1:
            begun = {c: pool.submit(_packed_report, c.id, profile, seed, seconds, corpus) for c in shared}
        for position, claim in enumerate(chosen):
            if progress:
                progress(claim.id, position / len(chosen))
            generator = np.random.default_rng([seed, zlib.crc32(claim.id.encode())])
            if game is None:
                found = _received(begun.get(claim)) or _campaign(
                    claim, ids, PROFILES[profile], generator, kept, seconds
                )
            else:
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


def _packed_report(name: str, profile: str, seed: int, seconds: float | None, corpus: bool | str | Path) -> bytes:
    """The report of one registered claim; this is what a worker does."""
    from .transport import packed

    return packed(audit([find(name)], profile, seed, seconds=seconds, corpus=corpus).claims[0])


def _received(report: Future[bytes] | None) -> ClaimReport | None:
    """A worker's report; None where there is none, or where the worker died: then it is made here."""
    from .transport import unpacked

    try:
        return None if report is None else unpacked(report.result())
    except BrokenExecutor:
        return None


def _campaign(
    claim: Claim,
    ids: frozenset[str],
    profile: Profile,
    generator: np.random.Generator,
    corpus: Corpus,
    seconds: float | None,
) -> ClaimReport:
    """Proofs, and a search; or samples, where that is what a claim speaks of."""
    if claim.experiment is not None:
        return _statistical(claim, profile, generator)
    started = time.perf_counter()
    tally = Tally(ids)
    proofs: list[Proof] = []
    failures: list[Failure] = []
    with recorded(tally, claim, "in symbols or at random points"):
        proofs, failures = _seek_proofs(claim, generator.spawn(1)[0])  # the search begins as the falsifier's does
    search = Search(claim, profile.effort, generator, corpus.of(claim), seconds)
    search.settled = bool(proofs) and not failures
    search.proved = tuple(proof.sizes for proof in proofs)
    trial = put_on_trial(claim, search, tally)
    corpus.keep(trial.witness)
    report = conclude(claim, tally, proofs, failures, trial.witness, time.perf_counter() - started)
    return replace(report, searched=search.searched)


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
                    margin = smallest(np.asarray(step.margin)[step.truth == FALSE])
                    return f"{claim.id}, at {step.right!r}", str(margin[()]), float(floats_of(margin))
    return None


def _compared_as_numbers(claim: Claim) -> Claim:
    """The claim without its axioms: what an error makes of their quantities shows in numbers, with a margin."""

    def proof(case: Case) -> Iterator[Line]:
        for entry in claim.proof(case):
            yield replace(entry, axiom=None)

    return replace(claim, proof=proof)


def _seek_proofs(claim: Claim, generator: np.random.Generator) -> tuple[list[Proof], list[Failure]]:
    attempts = [prove_in_symbols(claim, sizes) for sizes in claim.symbolic]
    attempts += [prove_at_points(claim, sizes, generator) for sizes in claim.points]
    drawn = any(claim.setting.draws(one.sizes) for one in attempts)
    attempts = [_counted(claim, p, drawn) if isinstance(p, Proof) else p for p in attempts]
    return [p for p in attempts if isinstance(p, Proof)], [p for p in attempts if isinstance(p, Failure)]


def _counted(claim: Claim, proof: Proof, drawn: bool) -> Proof | Failure:
    """A proof, unless instances are of other sizes, or it rests on what they alone show: which proves registered claims only."""
    step, own = "", claim not in CLAIMS
    if not drawn:
        step = f"no instance of {claim.setting.name!r} has a size at which it is proved"
    elif own and claim.general is not None and not is_more_general(claim, proof.sizes):
        step = f"instances alone show that they are some of {claim.general.setting.name!r}"
    elif own and proof.sampled:
        step = f"instances alone show that {proof.sampled} may be used"
    return Failure(proof.method, proof.sizes, step, False) if step else proof
