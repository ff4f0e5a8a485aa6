"""What an audit finds, as data: counts over instances, the standing that they amount to, and reports claim by claim."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..arithmetic import System, compare, floats_of
from ..claims.claim import NUMERIC, Claim, cited
from ..claims.coordinates import EVERY, Sizes
from ..claims.verdict import Evidence, Standing, StepEvidence, Verdict
from ..errors import MixedArithmeticError
from ..model.tables import html_table, text_table
from ..papers.registry import CLAIMS
from .broken import BrokenLine
from .evaluate import raised
from .laws import ENOUGH, standing_of
from .monte_carlo import Statistics
from .proving import Failure, Proof
from .searched import Searched


@dataclass(frozen=True, eq=False)
class Witness:
    """One exact instance that violates a claim, as the integers that describe it.

    ``known`` says that it was not found now: it is a certificate of the toolkit, decided anew.
    """

    claim: str
    sizes: Sizes
    coordinates: dict[str, Any]
    evidence: Evidence
    known: bool = False

    @property
    def broken_statement(self) -> StepEvidence:
        """The statement that this instance violates."""
        return next(s for s in self.evidence.statements if bool((s.truth < 0).any()))

    def as_data(self) -> dict[str, Any]:
        """Plain data: enough to rebuild the instance."""
        return instance_data(self.claim, self.sizes, self.coordinates)


def instance_data(claim: str, sizes: Sizes, coordinates: Mapping[str, Any]) -> dict[str, Any]:
    """An instance as plain data."""
    return {
        "claim": claim,
        "states": sizes.states,
        "action_sizes": list(sizes.actions),
        "steps": sizes.steps,
        "coordinates": {name: np.asarray(values).tolist() for name, values in coordinates.items()},
    }


@dataclass(frozen=True, eq=False)
class ClaimReport:
    """What a campaign found about one claim.

    ``tightness`` lists smaller side over larger side of every decided instance.  A refutation comes with a ``witness`` in
    coordinates; on a given game, which has none, with the ``violation`` itself.  ``searched`` says what was looked at.
    """

    claim: Claim
    standing: Standing
    how: str
    instances: int
    not_applicable: int
    undecided: int
    margin: Any
    ratio: float | None
    seconds: float
    proofs: tuple[Proof, ...] = ()
    witness: Witness | None = None
    broken: StepEvidence | None = None
    broken_line: BrokenLine | None = None
    tainted_by: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    expected: bool = True
    failure: str = ""
    statistics: Statistics | None = None
    violation: Evidence | None = None
    tightness: Mapping[Sizes, Sequence[float]] = field(default_factory=dict)
    searched: Searched | None = None

    @property
    def id(self) -> str:
        """The claim's id."""
        return self.claim.id

    def __repr__(self) -> str:
        return f"ClaimReport({self.id}: {self.standing.value}; {self.how})"

    def _repr_html_(self) -> str:
        """In a notebook: the standing and how it was reached; the counterexample, or the line that breaks, with its numbers."""
        shown = (
            self.witness.evidence if self.witness else self.broken_line.evidence if self.broken_line else self.violation
        )
        head = html_table(self.claim.title, _HEAD, [(self.id, self.standing.value, f"{self.instances:,}", self.how)])
        return head + ("" if shown is None else shown._repr_html_())


@dataclass(frozen=True, eq=False)
class AuditReport:
    """The table of an audit, as data."""

    claims: tuple[ClaimReport, ...]
    profile: str
    seed: int
    seconds: float
    game: str | None = None
    skipped: tuple[tuple[str, str], ...] = field(default=())

    @property
    def unexpected(self) -> tuple[ClaimReport, ...]:
        """Claims whose standing differs from what the registry records, or whose proof breaks somewhere."""
        return tuple(report for report in self.claims if not report.expected)

    @property
    def standings(self) -> dict[str, Standing]:
        """Standings by id; the parent of several parts is REFUTED if a printed part is, else as weak as its weakest.

        An id that a claim of a paper shares with one of one's own means that of the paper.
        """
        found: dict[str, Standing] = {}
        for of_papers in (False, True):
            claims = [report for report in self.claims if (report.claim in CLAIMS) is of_papers]
            found |= {report.id: report.standing for report in claims}
            for parent in dict.fromkeys(report.claim.parent for report in claims):
                printed = [r.standing for r in claims if r.claim.parent == parent and r.claim.printed]
                if printed:
                    found[parent] = min(printed, key=_STRENGTH.index)
        return found

    @property
    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [(entry.id, entry.standing.value, f"{entry.instances:,}", entry.how) for entry in self.claims]

    def __str__(self) -> str:
        return text_table(_HEAD, self._rows)

    def __repr__(self) -> str:
        return f"AuditReport({len(self.claims)} claims, {self.profile}, seed {self.seed}, {len(self.unexpected)} unexpected)"

    def _repr_html_(self) -> str:
        """In a notebook: the table."""
        return html_table(repr(self), _HEAD, self._rows, len(self._rows))

    def __getitem__(self, name: str) -> ClaimReport:
        for report in self.claims:
            if report.id == name:
                return report
        raise KeyError(name)

    def __iter__(self) -> Iterator[ClaimReport]:
        return iter(self.claims)


_HEAD = ("claim", "standing", "instances", "how it was decided")
_STRENGTH = [Standing.REFUTED, Standing.UNTESTED, Standing.OPEN, Standing.SUPPORTED, Standing.SURVIVED, Standing.PROVED]

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is finished, 0 to 1."""


DECIDED = (Verdict.HOLDS, Verdict.VIOLATED)


@dataclass
class Tally:
    """Counts over instances, and the first violated one; ``ids`` are the claims that reasons may name."""

    ids: frozenset[str] = frozenset()
    holds: int = 0
    violated: int = 0
    undecided: int = 0
    not_applicable: int = 0
    margin: Any = None
    ratio: float | None = None
    broken: StepEvidence | None = None
    broken_line: BrokenLine | None = None
    links: tuple[str, ...] = ()
    arithmetics: tuple[System, ...] = ()
    reason: str = ""
    failure: str = ""
    raised: int = 0
    error: str = ""
    tightness: dict[Sizes, list[float]] = field(default_factory=dict)
    held: set[tuple[int, tuple[int, ...]]] = field(default_factory=set)
    """States and actions of instances that hold."""

    def add(self, evidence: Evidence) -> None:
        """Count the verdicts of one evaluation."""
        verdicts = np.asarray(evidence.verdict, dtype=object).ravel().tolist()
        if evidence.raised:
            self.raised += len(verdicts)
            self.error = self.error or evidence.raised
            return
        self.holds += verdicts.count(Verdict.HOLDS)
        if Verdict.HOLDS in verdicts:
            self.held.add(evidence.case.sizes.shape)
        self.violated += verdicts.count(Verdict.VIOLATED)
        self.undecided += verdicts.count(Verdict.UNDECIDED)
        self.not_applicable += verdicts.count(Verdict.NOT_APPLICABLE)
        self.broken = self.broken or evidence.broken
        self.reason = self.reason or evidence.reason
        if evidence.arithmetic not in self.arithmetics and any(v in DECIDED for v in verdicts):
            self.arithmetics = (*self.arithmetics, evidence.arithmetic)
        if evidence.margin is not None and (self.margin is None or _below(evidence.margin, self.margin)):
            self.margin = evidence.margin
        if evidence.ratios is not None and evidence.ratio is not None:
            self.ratio = evidence.ratio if self.ratio is None else max(self.ratio, evidence.ratio)
            pairs = zip(verdicts, evidence.ratios.ravel().tolist(), strict=True)
            decided = [ratio for verdict, ratio in pairs if verdict in DECIDED and np.isfinite(ratio)]
            self.tightness.setdefault(evidence.case.sizes, []).extend(decided)
        for entry in evidence.lines:
            if entry.step is not None:
                self.links = tuple(dict.fromkeys((*self.links, *cited(entry.step.because, self.ids))))


def _below(left: Any, right: Any) -> bool:
    """Whether one margin is smaller than another, which may come from another number system."""
    try:
        return bool(compare(left, "<", right) > 0)
    except MixedArithmeticError:
        return bool(floats_of(left) < floats_of(right))


@contextmanager
def recorded(tally: Tally, claim: Claim, where: str) -> Iterator[None]:
    """Whatever the numbers of a claim's instances raise becomes a finding about that claim: never a silent one, never the end.

    A malformed proof is the caller's error, and ends the audit.
    """
    try:
        yield
    except NUMERIC as error:
        tally.failure = tally.failure or f"{claim.id} {raised(error, where)}"


def conclude(
    claim: Claim,
    tally: Tally,
    proofs: list[Proof],
    failures: list[Failure],
    witness: Witness | None,
    seconds: float,
    on_a_game: bool = False,
    violation: Evidence | None = None,
) -> ClaimReport:
    """The standing that the evidence amounts to, and how it was reached."""
    certified = tally.holds + tally.violated
    if proofs and tally.holds and tally.held.isdisjoint(proof.sizes.shape for proof in proofs):
        nobody = f"no instance of {claim.setting.name!r} that holds has a size at which it is proved"
        proofs, failures = [], [*failures, Failure(proofs[0].method, proofs[0].sizes, nobody, False)]
    standing = standing_of(
        tally.holds,
        tally.violated,
        tally.undecided,
        tally.raised + bool(tally.failure),
        len(proofs),
        len(failures),
        claim.setting.instances_at_most(ENOUGH),
        tally.broken is not None,
    )
    broken = tally.broken
    if on_a_game:
        expected = (standing is not Standing.REFUTED and broken is None) or claim.record in (None, Standing.REFUTED)
    else:
        expected = claim.record in (None, standing) and (broken is None or standing is Standing.REFUTED)
    failure = tally.failure or (f"{claim.id} {tally.error}" if tally.raised and standing is Standing.OPEN else "")
    expected = expected and (not failure or claim.record is Standing.OPEN)
    return ClaimReport(
        claim=claim,
        standing=standing,
        how=_how(claim, standing, tally, proofs, failures, witness),
        instances=certified,
        not_applicable=tally.not_applicable,
        undecided=tally.undecided,
        margin=witness.evidence.margin if witness else tally.margin,
        ratio=tally.ratio,
        seconds=seconds,
        proofs=tuple(proofs),
        witness=witness,
        broken=broken,
        broken_line=tally.broken_line,
        cites=tuple(name for name in tally.links if name != claim.id),
        expected=expected,
        failure=failure,
        violation=violation,
        tightness=tally.tightness,
    )


def _how(
    claim: Claim,
    standing: Standing,
    tally: Tally,
    proofs: list[Proof],
    failures: list[Failure],
    witness: Witness | None,
) -> str:
    """One sentence: how the standing was reached, and what went wrong on the way."""
    if tally.failure:
        return f"evaluation failed: {tally.failure}; {tally.violated} violated, {tally.holds} hold"
    words = {
        System.RATIONALS: "exact",
        System.ENCLOSURES: "certified in enclosures",
        System.BALLS: "certified in balls",
    }
    arithmetic = " or ".join(words[system] for system in words if system in tally.arithmetics)
    if standing is Standing.REFUTED:
        count = f"{tally.violated} of {tally.violated + tally.holds} instances ({arithmetic})"
        if witness is None:
            return count
        known = " known" if witness.known else ""
        return f"{count}; smallest{known}: {witness.sizes}, at {witness.broken_statement.right!r}"
    if standing is Standing.PROVED:
        symbols = [p for p in proofs if p.method == "symbols"]
        points = [p for p in proofs if p.method == "points"]
        parts = []
        if symbols:
            parts.append(f"identity in up to {max(p.symbols for p in symbols)} symbols ({_sizes(claim, symbols)})")
        if points:
            parts.append(f"Schwartz-Zippel, error ≤ {max(p.error for p in points):.0e} ({_sizes(claim, points)})")
        modulo = tuple(dict.fromkeys(axiom for p in proofs for axiom in p.modulo))
        where = tuple(dict.fromkeys(condition for p in proofs for condition in p.where))
        conditions = f"; where {', '.join(where)}" if where else ""
        return "; ".join(parts) + (f"; modulo {', '.join(modulo)}" if modulo else "") + conditions
    open_proof = f"; not proved: {failures[0].step}" if failures else ""
    if tally.broken is not None:
        line = tally.broken_line.text if tally.broken_line else f"the proof breaks at {tally.broken.right!r}"
        open_proof = f"; the statement is not refuted, but {line}"
    if standing is Standing.SURVIVED:
        undecided = f"; {tally.undecided} stay undecided" if tally.undecided else ""
        return f"every {'decided ' * bool(undecided)}instance holds ({arithmetic}){undecided}{open_proof}"
    if standing is Standing.OPEN and tally.raised:
        return f"{tally.raised} of {tally.raised + tally.holds + tally.undecided} instances {tally.error}"
    if standing is Standing.OPEN:
        return f"{tally.undecided} instances meet the hypotheses, and none could be decided{open_proof}"
    failed = tally.reason.removeprefix("hypothesis not met: ")
    return f"no instance met the hypotheses ({failed})" if failed else "no instance met the hypotheses"


def _sizes(claim: Claim, proofs: list[Proof]) -> str:
    """States and actions, and where instances are runs how many steps."""

    def steps(sizes: Sizes) -> str:
        return "" if claim.setting.steps == (1,) else f" at {'every K' if sizes.steps == EVERY else f'K={sizes.steps}'}"

    return ", ".join(f"{p.sizes.states}·{'x'.join(map(str, p.sizes.actions))}{steps(p.sizes)}" for p in proofs)


def with_taint(reports: list[ClaimReport]) -> Iterator[ClaimReport]:
    """Mark what leans on a refuted claim: the claims whose reasons name it, and those that lean on these.

    An id in a paper means a claim of the papers; in a claim of one's own it means another of one's own, if one has that id.
    """
    papers = frozenset(CLAIMS)
    ours = [report for report in reports if report.claim not in papers]

    def meant(by: ClaimReport, name: str) -> list[ClaimReport]:
        own = [] if by.claim in papers else [r for r in ours if name in (r.id, r.claim.parent)]
        return own or [r for r in reports if r.claim in papers and name in (r.id, r.claim.parent)]

    def tainted(report: ClaimReport, seen: frozenset[ClaimReport]) -> set[str]:
        found: set[str] = set()
        for name in report.cites:
            named = meant(report, name)
            if any(r.standing is Standing.REFUTED and r.claim.printed for r in named):
                found.add(name)
            for other in (r for r in named if r.id == name and r not in seen):
                found |= tainted(other, seen | {report})
        return found

    for report in reports:
        yield replace(report, tainted_by=tuple(sorted(tainted(report, frozenset()))))
