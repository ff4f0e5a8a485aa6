"""One verdict for every statement that a paper prints, computed from the standings of its parts.

*A statement* is

- *false as printed* if a printed part is refuted; with a repair where one stands;
- in *need of a hypothesis that is not printed* if no printed part is refuted, but a claim that leaves the hypothesis out is;
- *open*, *untested*, *supported by statistics*, *not refuted in n certified instances* or *proved*, as the weakest of its
  printed parts is.  A part that was not tried proves nothing.

A reading that the paper does not need, a remark on its simulation, and what goes beyond it, never count.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..claims.claim import Claim, Kind
from ..claims.coordinates import Sizes
from ..claims.paper import Statement
from ..claims.verdict import Evidence, Standing
from ..model import Game
from ..papers.registry import CLAIMS, PAPERS
from .reports import AuditReport, ClaimReport


class Finding(enum.Enum):
    """What is known of a statement, from the worst to the best."""

    FALSE = "false as printed"
    NEEDS = "needs a hypothesis that is not printed"
    UNTESTED = "untested"
    OPEN = "open"
    SUPPORTED = "supported by statistics"
    HELD = "not refuted"
    PROVED = "proved"


MEANINGS = {
    Finding.FALSE: "an exact instance violates it, and a certificate shows that without this toolkit",
    Finding.NEEDS: "nothing printed is refuted, but a hypothesis that the paper does not print cannot be left out",
    Finding.UNTESTED: "no instance met its hypotheses",
    Finding.OPEN: "instances were tried and none was decided, for or against",
    Finding.SUPPORTED: "it holds with a probability, and samples agree with it, with the confidence stated",
    Finding.HELD: "so many instances were decided, exactly or in certified enclosures, and each holds; this is no proof",
    Finding.PROVED: "an identity in all free numbers for the sizes named, or one up to axioms such as KL ≥ 0",
}
"""What a verdict says, in one line."""

OWN_MEANINGS = MEANINGS | {
    Finding.FALSE: "an exact instance violates it; its certificate keeps that instance",
    Finding.NEEDS: "it is not refuted, but a hypothesis that it does not state cannot be left out",
}
"""The same where claims of one's own are on trial: no paper prints them, and only this toolkit knows how to check them."""


def own_words(words: str) -> str:
    """A verdict in words, on what no paper prints."""
    return words.replace(" as printed", "").replace("not printed", "not stated")


def counted(count: int, finding: Finding) -> str:
    """``9 false as printed``, ``2 need a hypothesis that is not printed``."""
    words = finding.value.replace("needs", "need") if count != 1 else finding.value
    return f"{count} {words}"


_OF_STANDING = {
    Standing.PROVED: Finding.PROVED,
    Standing.SURVIVED: Finding.HELD,
    Standing.SUPPORTED: Finding.SUPPORTED,
    Standing.OPEN: Finding.OPEN,
    Standing.UNTESTED: Finding.UNTESTED,
    Standing.REFUTED: Finding.FALSE,
}
_ORDER = list(Finding)


def finding_of(parts: Iterable[tuple[Kind, Standing]], untried: int = 0) -> Finding:
    """The law: what the standings of a statement's parts amount to; ``untried`` printed parts were left out."""
    every = list(parts)
    printed = [_OF_STANDING[standing] for kind, standing in every if kind is Kind.PRINTED]
    if Finding.FALSE in printed:
        return Finding.FALSE
    if (Kind.HYPOTHESIS, Standing.REFUTED) in every:
        return Finding.NEEDS
    if not printed:
        return Finding.UNTESTED
    weakest = min(printed, key=_ORDER.index)
    return Finding.HELD if untried and weakest is Finding.PROVED else weakest


@dataclass(frozen=True, eq=False)
class StatementReport:
    """What an audit found about one statement; ``parts`` are all of its claims that were tried."""

    statement: Statement
    finding: Finding
    parts: tuple[ClaimReport, ...]
    untried: tuple[str, ...] = ()
    of_paper: bool = True

    @property
    def printed(self) -> tuple[ClaimReport, ...]:
        """The parts that the paper prints."""
        return tuple(part for part in self.parts if part.claim.printed)

    @property
    def fallen(self) -> tuple[ClaimReport, ...]:
        """The refuted claims on which the verdict rests."""
        kind = {Finding.FALSE: Kind.PRINTED, Finding.NEEDS: Kind.HYPOTHESIS}.get(self.finding)
        return tuple(part for part in self.parts if part.claim.kind is kind and part.standing is Standing.REFUTED)

    @property
    def repairs(self) -> tuple[ClaimReport, ...]:
        """Its repair, where it is refuted."""
        if self.finding is not Finding.FALSE:
            return ()
        named = {part.claim.repaired_by for part in self.fallen}
        return tuple(
            part
            for part in self.parts
            if (part.claim.kind is Kind.REPAIR or part.id in named)
            and part.standing in (Standing.PROVED, Standing.SURVIVED, Standing.SUPPORTED)
        )

    @property
    def remarks(self) -> tuple[ClaimReport, ...]:
        """Refuted claims that count for nothing: readings that the paper does not need, its simulation, ours."""
        return tuple(part for part in self.parts if part.standing is Standing.REFUTED and part not in self.fallen)

    @property
    def instances(self) -> int:
        """Each printed part that is not proved held in at least so many instances."""
        return min((part.instances for part in self.printed if part.standing is not Standing.PROVED), default=0)

    @property
    def words(self) -> str:
        """The verdict as people read it."""
        words = self.finding.value if self.of_paper else own_words(self.finding.value)
        if self.finding is Finding.FALSE and self.repairs:
            words += ", with a repair"
        if self.finding is Finding.HELD:
            words += f" in {self.instances:,} certified instances" if self.instances else ""
        broken = next(
            (part for part in self.printed if part.broken_line and part.standing is not Standing.REFUTED), None
        )
        if broken is not None and broken.broken_line is not None:
            words += f", but line {broken.broken_line.number} of the proof of {broken.id} is broken"
        if self.untried:
            total = len(self.printed) + len(self.untried)
            words += f" ({len(self.untried)} of {total} parts not tried)"
        return words

    @property
    def smallest(self) -> ClaimReport | None:
        """The fallen part whose counterexample is the smallest: fewest steps, states, joint actions."""
        found = {part.id: part for part in self.fallen if part.witness is not None}
        name = smallest({name: part.witness.evidence for name, part in found.items() if part.witness is not None})
        return None if name is None else found[name]


def extent(evidence: Evidence) -> tuple[int, int, tuple[int, ...]]:
    """Steps, states and action sizes of an instance; of its one game where a game follows from it."""
    assert evidence.case is not None
    sizes = evidence.case.sizes
    games = [value for value in evidence.case.objects.values() if isinstance(value, Game)]
    game = games[0] if games else getattr(evidence.case, "game", None)
    if not isinstance(game, Game):
        return sizes.steps, sizes.states, sizes.actions
    return sizes.steps, game.states, game.action_sizes


def extent_text(evidence: Evidence) -> str:
    """The same in words: ``4 states, 2x2 actions``."""
    steps, states, actions = extent(evidence)
    return str(Sizes(states, actions, steps))


def smallest(found: Mapping[str, Evidence]) -> str | None:
    """The name of the smallest of these instances: fewest steps, states, joint actions.

    Where one is a run, only runs compete: an instance of one step then stands for a run whose length follows from it.
    """
    sizes = {name: extent(evidence) for name, evidence in found.items()}
    runs = {name: size for name, size in sizes.items() if size[0] > 1} or sizes
    return min(runs, key=lambda name: (*runs[name][:2], math.prod(runs[name][2]), name), default=None)


def statement_of(claim: Claim) -> Statement | None:
    """The statement of which a claim is a part; None for a claim of one's own."""
    known = (s for paper in PAPERS if claim in paper.claims for s in paper.statements)
    return next((statement for statement in known if statement.id == claim.parent), None)


def statements_of(report: AuditReport) -> tuple[StatementReport, ...]:
    """The verdicts of an audit on statements, in the order of the paper; what prints nothing is left to the parts."""
    known = {statement.id: statement for paper in PAPERS for statement in paper.statements}
    skipped = [name for name, _ in report.skipped]
    papers = frozenset(CLAIMS)  # by the claim itself: a claim of one's own may have the id of another
    result = []
    for ours, parent in dict.fromkeys((entry.claim in papers, entry.claim.parent) for entry in report.claims):
        parts = tuple(e for e in report.claims if e.claim.parent == parent and (e.claim in papers) is ours)
        kinds = {part.claim.kind for part in parts}
        if not kinds & {Kind.PRINTED, Kind.HYPOTHESIS}:
            continue
        every: Sequence[Claim] = CLAIMS if ours else [part.claim for part in parts]
        tried = {part.id for part in parts}
        untried = tuple(c.id for c in every if c.parent == parent and c.printed and c.id not in tried)
        untried += tuple(name for name in skipped if not ours and name.partition("/")[0] == parent)
        finding = finding_of([(part.claim.kind, part.standing) for part in parts], len(untried))
        statement = known.get(parent) if ours else None
        shown = statement or Statement(parent, parent, parts[0].claim.title)
        result.append(StatementReport(shown, finding, parts, untried, of_paper=statement is not None))
    order = {name: place for place, name in enumerate(known)}
    return tuple(sorted(result, key=lambda entry: order.get(entry.statement.id, len(order))))
