"""What a ledger amounts to, as data: counts, standings, tightest instances, counterexamples."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..checking.laws import standing_of
from ..checking.sampling import sizes_of
from ..claims.coordinates import Sizes
from ..claims.verdict import Standing
from ..errors import CampaignError
from ..papers.registry import claim as find
from .chunk import WitnessResult
from .ledger import COUNTS, Ledger, naming_damage, path_of
from .plan import Plan, chunk_size
from .versions import formulas


@dataclass(frozen=True)
class Instance:
    """An instance by its number, with the sizes at which it was drawn; claim and seed say the rest."""

    number: int
    sizes: Sizes


@dataclass(frozen=True)
class ClaimCount:
    """What a campaign found about one claim.

    ``ratio`` is the largest ratio of both sides that was found: a rational, or a decimal that the true one is not below.
    ``tightest`` is the instance that has it, ``open`` the first one that nothing decides or that raised, ``broken`` the first
    step of the proof that fails somewhere.  ``standing`` follows from instances alone, by the laws of an audit.
    """

    claim: str
    asked: int
    holds: int
    violated: int
    undecided: int
    not_applicable: int
    raised: int
    arithmetics: dict[str, int]
    ratio: str | None
    tightest: Instance | None
    open: Instance | None
    open_reason: str
    broken: str
    witness: WitnessResult | None
    seconds: float

    @property
    def done(self) -> int:
        """Instances evaluated."""
        return self.holds + self.violated + self.undecided + self.not_applicable + self.raised

    @property
    def certified(self) -> int:
        """Instances decided: they hold, or are violated."""
        return self.holds + self.violated

    @property
    def standing(self) -> Standing:
        """REFUTED, SURVIVED, OPEN or UNTESTED."""
        return standing_of(self.holds, self.violated, self.undecided, self.raised, proofs=0, failures=0)

    @property
    def value(self) -> float | None:
        """The ratio, rounded."""
        return None if self.ratio is None else float(Fraction(self.ratio))

    def found(self) -> dict[str, Any]:
        """What depends on claim, seed and number of instances only, as plain data."""
        data = asdict(self) | {"standing": self.standing.value}
        del data["seconds"]
        if self.witness is not None:
            data["witness"] = {k: v for k, v in asdict(self.witness).items() if k != "formulas"}
        return data


@dataclass(frozen=True)
class CampaignReport:
    """A ledger's plan, its claims, and with which libraries its chunks were computed (how many chunks by which)."""

    path: Path
    plan: Plan
    claims: tuple[ClaimCount, ...]
    libraries: dict[str, int]
    formulas: str

    @property
    def complete(self) -> bool:
        """Whether everything asked for is there, a counterexample to each violated claim, too."""
        return all(
            entry.done == entry.asked and not (entry.violated and entry.witness is None) for entry in self.claims
        )

    @property
    def done(self) -> int:
        """Instances evaluated, of all claims."""
        return sum(entry.done for entry in self.claims)

    @property
    def asked(self) -> int:
        """Instances asked for, of all claims."""
        return sum(entry.asked for entry in self.claims)

    @property
    def refuted(self) -> tuple[ClaimCount, ...]:
        """Claims with a certified violation."""
        return tuple(entry for entry in self.claims if entry.violated)

    @property
    def digest(self) -> str:
        """SHA-256 of everything found: two complete campaigns of the same plan and formulas have the same one."""
        found = [[entry.claim, entry.found()] for entry in self.claims]
        about = [self.formulas, self.plan.seed, list(self.plan.share), found]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    def __getitem__(self, claim: str) -> ClaimCount:
        for entry in self.claims:
            if entry.claim == claim:
                return entry
        raise KeyError(claim)


def read_campaign(ledger: str | Path) -> CampaignReport:
    """What the ledger in a file amounts to; it may be incomplete, and a campaign may be writing it."""
    path = path_of(ledger)
    with naming_damage(path):
        return _read(path)


def _read(path: Path) -> CampaignReport:
    with Ledger.open(path) as opened:
        plan = opened.plan
        sums = {claim: _Sum(claim) for claim in plan.instances}
        libraries = Counter[str]()
        for row in opened.rows():
            sums[row["claim"]].add(row)
            libraries[row["libraries"]] += 1
        witnesses = opened.witnesses()
        for found in witnesses.values():
            if found.certificate:
                _require_certificate(found, path)
        counts = tuple(entry.count(plan.asked(find(claim)), witnesses.get(claim)) for claim, entry in sums.items())
        return CampaignReport(path, plan, counts, dict(libraries), opened.about("formulas"))


def _require_certificate(found: WitnessResult, path: Path) -> None:
    """An error where the text beside a counterexample is no certificate of it, decided anew if the formulas are the same."""
    from ..checking.certificate import recheck
    from ..checking.certificate_files import certificate_from

    what = f"{path} is damaged: the certificate of {found.claim}"
    certificate = certificate_from(found.certificate.encode("utf-8", "surrogatepass"), what)
    own = (found.claim, Sizes(found.states, found.action_sizes, found.steps), found.coordinates)
    if (certificate.claim, certificate.sizes, certificate.coordinates) != own:
        raise CampaignError(f"{what} is one of another instance")
    if found.formulas == formulas():
        checked = recheck(certificate)
        if not checked.valid:
            raise CampaignError(f"{what} is rejected: {checked.reason}")


class _Sum:
    """The rows of one claim, added up in the order of their numbers."""

    def __init__(self, claim: str) -> None:
        self.claim = claim
        self.counts = dict.fromkeys(COUNTS, 0)
        self.arithmetics = Counter[str]()
        self.best: tuple[Fraction, str, int, int] | None = None
        self.open: tuple[int, int, str] | None = None
        self.broken = ""
        self.seconds = 0.0

    def add(self, row: dict[str, Any]) -> None:
        for name in COUNTS:
            self.counts[name] += row[name]
        self.arithmetics.update(json.loads(row["arithmetics"]))
        self.seconds += row["seconds"]
        self.broken = self.broken or row["broken"]
        if row["ratio"] is not None:
            value = Fraction(row["ratio"])
            if self.best is None or value > self.best[0]:
                self.best = (value, row["ratio"], row["chunk"], row["ratio_at"])
        if self.open is None and row["open_at"] is not None:
            self.open = (row["chunk"], row["open_at"], row["open_reason"])

    def count(self, asked: int, witness: WitnessResult | None) -> ClaimCount:
        return ClaimCount(
            claim=self.claim,
            asked=asked,
            **self.counts,
            arithmetics=dict(sorted(self.arithmetics.items())),
            ratio=None if self.best is None else self.best[1],
            tightest=None if self.best is None else self._instance(*self.best[2:]),
            open=None if self.open is None else self._instance(*self.open[:2]),
            open_reason="" if self.open is None else self.open[2],
            broken=self.broken,
            witness=witness,
            seconds=self.seconds,
        )

    def _instance(self, chunk: int, position: int) -> Instance:
        entry = find(self.claim)
        every = sizes_of(entry.setting)
        return Instance(chunk * chunk_size(entry) + position, every[chunk % len(every)])


def document(report: CampaignReport) -> dict[str, Any]:
    """A report as plain data, for JSON."""
    return {
        "format": "mappo-verify-campaign-report 1",
        "seed": report.plan.seed,
        "share": list(report.plan.share),
        "complete": report.complete,
        "instances": {"asked": report.asked, "done": report.done},
        "digest": report.digest,
        "formulas": report.formulas,
        "formulas_installed": report.formulas == formulas(),
        "libraries": report.libraries,
        "claims": [{**entry.found(), "seconds": entry.seconds} for entry in report.claims],
    }
