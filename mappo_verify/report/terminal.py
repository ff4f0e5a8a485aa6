"""Tables and walk-throughs for the terminal, by rich."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..arithmetic import System, floats_of, system_of
from ..checking.doctor import Diagnosis
from ..checking.falsify import Falsification
from ..checking.monte_carlo import Statistics
from ..checking.reports import AuditReport, ClaimReport
from ..checking.statements import (
    MEANINGS,
    OWN_MEANINGS,
    Finding,
    StatementReport,
    counted,
    extent_text,
    own_words,
    statements_of,
)
from ..claims.claim import MEANING, Claim
from ..claims.verdict import Evidence, LineEvidence, Standing, StepEvidence, Verdict
from ..games.named import NAMED
from ..model import Game
from ..quantities.optimal import Optimum
from .document import (
    EMPTY,
    compact_text,
    counts_of,
    instance_tables,
    nested_text,
    number_text,
    pattern_of,
    values_text,
    words_of,
)

STANDING_STYLE = {
    Standing.PROVED: "bold green",
    Standing.SURVIVED: "green",
    Standing.SUPPORTED: "yellow",
    Standing.OPEN: "yellow",
    Standing.UNTESTED: "yellow",
    Standing.REFUTED: "bold red",
}
VERDICT_STYLE = {
    Verdict.HOLDS: "bold green",
    Verdict.VIOLATED: "bold red",
    Verdict.UNDECIDED: "yellow",
    Verdict.NOT_APPLICABLE: "yellow",
}
SHOWN_INSTANCE = 36


FINDING_STYLE = {
    Finding.FALSE: "bold red",
    Finding.NEEDS: "red",
    Finding.UNTESTED: "yellow",
    Finding.OPEN: "yellow",
    Finding.SUPPORTED: "yellow",
    Finding.HELD: "green",
    Finding.PROVED: "bold green",
}


def audit_table(report: AuditReport, details: bool = False, page: str | None = None) -> RenderableType:
    """Verdicts on statements, what the words mean, and a summary; with ``details`` also every part, and all notes.

    ``page`` is where the page of this audit was written, if it was.
    """
    statements = statements_of(report)
    parts: list[RenderableType] = []
    if details:
        parts += [_parts_table(report), Text(), *_notes(report, statements), Text()]
    if statements:
        parts += [_statements_table(statements), Text(), *_legend(statements), Text()]
    return Group(*parts, *audit_summary(report, statements, page), *_unexpected(report))


def _statements_table(statements: Sequence[StatementReport]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    table.add_column("statement", overflow="fold", max_width=32)
    table.add_column("", ratio=3, overflow="fold")
    table.add_column("verdict", ratio=4, overflow="fold")
    for entry in statements:
        said = entry.statement
        _row(table, Text(said.name, "bold"), said.title, Text(entry.words, FINDING_STYLE[entry.finding]))
    return table


def _legend(statements: Sequence[StatementReport]) -> list[RenderableType]:
    """What those words mean that occur."""
    found = {entry.finding for entry in statements}
    meanings = MEANINGS if all(entry.of_paper for entry in statements) else OWN_MEANINGS
    return [
        Padding(
            Text.assemble((_said(finding, statements), FINDING_STYLE[finding]), f": {words}", style="dim"), (0, 0, 0, 2)
        )
        for finding, words in meanings.items()
        if finding in found
    ]


def _said(finding: Finding, statements: Sequence[StatementReport]) -> str:
    """The verdict in words; of claims of one's own nothing is printed."""
    return finding.value if all(entry.of_paper for entry in statements) else own_words(finding.value)


def audit_summary(report: AuditReport, statements: Sequence[StatementReport], page: str | None = None) -> list[Text]:
    """Ten lines on a full audit: what is refuted and its repair, what was proved, where to read on."""
    lines = []
    where = f" on {report.game}" if report.game else ""
    if statements:
        counts = ", ".join(counted(count, finding) for finding, count in counts_of(statements).items())
        counts = counts if all(entry.of_paper for entry in statements) else own_words(counts)
        lines.append(Text(f"{len(statements)} statement{'s' * (len(statements) != 1)}{where}: {counts}", "bold"))
    theorems = [entry for entry in statements if entry.finding is Finding.FALSE and "theorem" in entry.statement.id]
    lines += [_fallen(entry) for entry in theorems]
    for finding in (Finding.FALSE, Finding.NEEDS, Finding.PROVED):
        names = [e.statement.name for e in statements if e.finding is finding and e not in theorems]
        said = _said(finding, statements)
        words = f"also {said}" if finding is Finding.FALSE and theorems else said
        if names:
            lines.append(Text.assemble((f"{words}: ", FINDING_STYLE[finding]), ", ".join(names)))
    remarks = sum(len(entry.remarks) for entry in statements)
    if remarks:
        words = "1 refuted reading or remark is" if remarks == 1 else f"{remarks} refuted readings and remarks are"
        lines.append(Text(f"{words} not counted: no statement needs them", "dim"))
    if report.skipped:
        lines.append(Text(f"{len(report.skipped)} claims say nothing about this game (--details says why)", "dim"))
    if page is not None:
        lines.append(Text(f"page: {page}"))
    count = f"{len(report.claims)} claim{'s' * (len(report.claims) != 1)}{where}"
    end = f"{count} tried ({report.profile}, seed {report.seed}, {report.seconds:.1f} s)"
    lines.append(Text(f"nothing unexpected; {end}", "green") if not report.unexpected else Text(end))
    return lines


def _fallen(entry: StatementReport) -> Text:
    """A refuted theorem: its smallest counterexample and what to use instead."""
    smallest = entry.smallest
    words = (
        f" ({extent_text(smallest.witness.evidence)})" if smallest is not None and smallest.witness is not None else ""
    )
    repair = f"; repair: {entry.repairs[0].id}" if entry.repairs else ""
    found = f"{smallest.id}{words}" if smallest is not None else ""
    return Text.assemble((f"{entry.statement.name} is false: ", "bold red"), f"{found}{repair}")


def _parts_table(report: AuditReport) -> Table:
    """Claim, standing, how it was reached, instances, worst margin or best ratio, time."""
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    table.add_column("claim, and how it was decided", ratio=1, min_width=37, overflow="fold")
    table.add_column("standing", no_wrap=True)
    table.add_column("instances", justify="right", no_wrap=True)
    table.add_column("fails by/ratio", justify="right", no_wrap=True)
    for entry in report.claims:
        how = Text(entry.how, "dim")
        if entry.searched is not None:
            how.append(f"\nsearched: {entry.searched.text()}")
        name = Group(Text(entry.id if entry.claim.printed else f"{entry.id} °", "bold"), Padding(how, (0, 0, 0, 2)))
        standing = Text(entry.standing.value, STANDING_STYLE[entry.standing])
        if not entry.expected:
            standing.append(" !", "bold red")
        table.add_row(name, standing, Text(f"{entry.instances:,}"), Text(_tightness(entry)))
    return table


def _tightness(report: ClaimReport) -> str:
    if report.standing is Standing.REFUTED:
        return "-" if report.margin is None else number_text(-report.margin)
    return "-" if report.ratio is None else f"ratio {report.ratio:.3g}"


def _note(head: Text, words: str) -> RenderableType:
    """A heading, and what is said under it, indented."""
    return Group(head, Padding(Text(" ".join(words.split()), "dim"), (0, 0, 0, 2)))


def _notes(report: AuditReport, statements: Sequence[StatementReport]) -> list[RenderableType]:
    """What must be said beside the verdicts."""
    notes: list[RenderableType] = []
    if any(not entry.claim.printed for entry in report.claims):
        notes.append(Text("° not printed in the paper; ratio: smaller side over larger side, at its largest", "dim"))
    for entry in report.claims:
        if entry.tainted_by:
            notes.append(Text(f"{entry.id} leans on a refuted claim: {', '.join(entry.tainted_by)}", "yellow"))
        if entry.standing is Standing.REFUTED and entry.claim.repaired_by:
            notes.append(Text(f"{entry.id}: repaired by {entry.claim.repaired_by}", "dim"))
    for found in statements:
        said = found.statement
        if found.finding in (Finding.FALSE, Finding.NEEDS) and said.answer:
            notes.append(_note(Text(f"{said.name}:", "bold"), f"{said.yet} {said.answer}"))
    for entry in report.claims:
        if entry.standing is Standing.REFUTED and entry.claim.note:
            kind = "" if entry.claim.printed else f" ({MEANING[entry.claim.kind]})"
            notes.append(_note(Text(f"{entry.id}{kind}:", "dim"), entry.claim.note))
    notes += [Text(f"{name} skipped: {reason}", "dim") for name, reason in report.skipped]
    return notes


def _unexpected(report: AuditReport) -> list[Text]:
    notes = []
    for entry in report.unexpected:
        record = f", the registry records {entry.claim.record.value}" if entry.claim.record else ""
        broken = f"; the proof breaks at {entry.broken.right!r}" if entry.broken else ""
        if entry.broken_line and entry.standing is not Standing.REFUTED:
            broken = f"; the statement is not refuted, but {entry.broken_line.text}"
        failure = f"; {entry.failure}" if entry.failure else ""
        found = f"{entry.id} is {entry.standing.value}{record}"
        notes.append(Text(f"UNEXPECTED: {found}{broken}{failure}", "bold red"))
    return notes


def _row(table: Table, *cells: str | Text) -> None:
    """A row of plain text: brackets in mathematics are not markup."""
    table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in cells))


def claims_table(claims: tuple[Claim, ...]) -> RenderableType:
    """Every claim with its source."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("claim", "title", "source"):
        table.add_column(column, no_wrap=column == "claim", overflow="fold")
    for entry in claims:
        _row(table, entry.id if entry.printed else f"{entry.id} °", entry.title, entry.source)
    if all(entry.printed for entry in claims):
        return table
    return Group(table, Text(), Text("° a reading or a repair that the paper does not print", "dim"))


def games_table() -> RenderableType:
    """Every named game."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("game", no_wrap=True)
    table.add_column("what it is", overflow="fold")
    for name, (_, _, words) in NAMED.items():
        _row(table, name, words)
    more = "A game may also be a file: our .json, or .dpomdp (either may be .gz)."
    return Group(table, Text(), Text(more, "dim"))


def explanation(
    claim: Claim, evidence: Evidence, subject: str, words: Mapping[str, str] = EMPTY, computed: bool = False
) -> RenderableType:
    """The proof, line by line, with the numbers of one case; ``words`` are those of ingredients that are said better so.

    Where ``computed``, every line says which quantities it called.
    """
    parts: list[RenderableType] = [
        Text.assemble((claim.id, "bold"), f"  {claim.title}"),
        Text(claim.source, "dim"),
        Text(),
        Text(claim.statement),
    ]
    if claim.note:
        parts += [Text(), Text(claim.note, "dim")]
    parts += [Text(), Text(f"on {subject}", "italic"), *_instance(evidence, words), Text()]
    for name, truth in evidence.hypotheses:
        held = bool((np.asarray(truth) > 0).all())
        parts.append(_hanging("  ✓ " if held else "  ? ", f"hypothesis: {name}", "green" if held else "yellow"))
    parts.append(Text())
    parts += [_line(entry, computed) for entry in evidence.lines]
    parts += [Text(), _conclusion(evidence)]
    return Group(*parts)


def statistics_table(found: Statistics) -> RenderableType:
    """What samples say of a claim that holds with probability ``1 - δ``: design by design, ``n`` by ``n``."""
    level = f"{1 - found.delta:g} quantile"
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("design", "n", "coverage", f"{level} of left/right", f"{level} of left", "bound"):
        table.add_column(column, justify="left" if column == "design" else "right", overflow="fold")
    slopes = []
    for series in found.series:
        columns = zip(series.sizes, series.coverage, series.quantile, series.left, series.bound, strict=True)
        for number, (count, coverage, ratio, left, bound) in enumerate(columns):
            name = "" if number else series.design
            _row(table, name, str(count), str(coverage), str(ratio), str(left), f"{bound:.4g}")
        rates = f"{series.design}: the left side falls like n^a with a in {series.slope}, the bound like"
        slopes.append(Text(f"{rates} n^{series.claimed_slope:.3g}"))
    return Group(Text(found.text(), "yellow"), Text(), table, Text(), *slopes)


def _hanging(mark: str, words: str | Text, style: str = "bold") -> RenderableType:
    """A mark, and text beside it that keeps its indent where it is wrapped."""
    table = Table.grid(padding=0)
    table.add_column(width=len(mark), no_wrap=True)
    table.add_column(overflow="fold")
    _row(table, Text(mark, style), words)
    return table


def _instance(evidence: Evidence, words: Mapping[str, str]) -> list[RenderableType]:
    """The ingredients of a small case, number by number; of a long run, the steps that differ."""
    shown = []
    for _, label, table in instance_tables(evidence):
        if label in words:
            shown.append(_hanging("  ", Text.assemble((label, "bold"), f": {words[label]}")))
        elif np.size(table) <= SHOWN_INSTANCE and pattern_of(table) is None:
            shown.append(_hanging("  ", Text.assemble((f"{label} = ", "bold"), nested_text(table))))
        else:
            shown.append(_hanging("  ", Text.assemble((label, "bold"), f": {compact_text(table)}")))
    return shown


def _line(entry: LineEvidence, computed: bool) -> RenderableType:
    pieces = [_hanging("  " + (" " if entry.step is None else entry.step.relation) + " ", entry.expression)]
    pieces.append(_hanging(" " * 6, Text(values_text(entry.value, entry.where), "cyan")))
    if computed and entry.computed_by:
        pieces.append(_hanging(" " * 6, Text(f"computed by {', '.join(entry.computed_by)}", "dim")))
    if entry.step is not None:
        pieces.append(_reason(entry.step))
    return Padding(Group(*pieces), (0, 0, 1, 0))


def _reason(step: StepEvidence) -> RenderableType:
    low = int(np.min(step.truth)) if np.size(step.truth) else 1
    mark, style = {1: ("✓", "green"), 0: ("?", "yellow"), -1: ("✗", "bold red")}[low]
    axiom = f" [{step.axiom}]" if step.axiom else ""
    fails = f"this line fails by {number_text(-step.margin)}; " if low < 0 and step.margin is not None else ""
    broken = Text.assemble(("broken here: ", "bold red") if low < 0 else "", f"{fails}{step.because}{axiom}")
    return _hanging(f"      {mark} ", broken, style)


def _conclusion(evidence: Evidence) -> Text:
    verdict = evidence.verdict
    if not isinstance(verdict, Verdict):
        return Text(f"{np.size(verdict)} instances")
    bits = f", {evidence.precision} bits" if evidence.precision else ""
    words = f"{verdict.value.upper()} ({evidence.arithmetic.value}{bits})"
    margin = ""
    if evidence.margin is not None:
        fails = verdict is Verdict.VIOLATED
        margin = (
            f": the statement fails by {number_text(-evidence.margin)}"
            if fails
            else f", margin {number_text(evidence.margin)}"
        )
    reason = f": {evidence.reason}" if evidence.reason else ""
    return Text.assemble((words, VERDICT_STYLE[verdict]), margin, reason)


def optimum_table(game: Game, best: Optimum) -> RenderableType:
    """Optimal values and joint actions, state by state."""
    from ..model.agents import joint_action

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("state", "value", "optimal joint action"):
        table.add_column(column, justify="right" if column == "value" else "left", overflow="fold")
    for state in range(game.states):
        actions = joint_action(int(best.actions[state]), game.action_sizes)
        names = [game.action_names[m][a] if game.action_names else str(a) for m, a in enumerate(actions)]
        label = game.state_names[state] if game.state_names else str(state)
        _row(table, label, values_text(best.values[state]), ", ".join(names))
    certificate = best.certificate
    error = float(floats_of(certificate.error).max())
    if system_of(best.values) is System.RATIONALS:
        words = "optimality holds exactly" if certificate.holds else "optimality FAILS"
    elif certificate.holds:
        words = f"optimality holds beyond doubt, values within {error:.1e}"
    else:
        words = "optimality IS NOT CERTAIN, leave out --floats"
    check = Text(
        f"{words}: v ≥ r + γPv everywhere, with equality at these actions; duality gap "
        f"{number_text(np.asarray(certificate.gap)[()])}",
        "green" if certificate.holds else "bold red",
    )
    return Group(table, Text(), check)


def falsification(found: Falsification) -> RenderableType:
    """What a search found: the counterexample in full, or how tight the bound got; and where the claim raised an error."""
    tried = found.searched.text()
    crash = _crash(found)
    if found.witness is not None:
        subject = f"the smallest counterexample found ({found.witness.sizes}; {tried})"
        return Group(explanation(found.claim, found.witness.evidence, subject, words_of(found)), *crash)
    best = f"; best left/right {found.ratio:.4g} at {found.tightest}" if found.ratio is not None else ""
    style = STANDING_STYLE[found.standing]
    verdict = Text.assemble((f"{found.claim.id} {found.standing.value}", style), f": {tried}{best}")
    verdict.append(f"\n{found.searched.numbers()}")
    if found.broken is None:
        return Group(verdict, *crash)
    line = found.broken
    warned = Text(f"the statement is not refuted, but {line.text}", "bold red")
    subject = f"an instance on which line {line.number} of the proof breaks"
    return Group(verdict, warned, *crash, Text(), explanation(found.claim, line.evidence, subject))


def _crash(found: Falsification) -> list[Text]:
    """The first error, and the instance on which it is raised again."""
    if found.crash is None:
        return []
    words = f"{found.claim.id} {found.crash.error}, on {found.crashed:,} of the instances tried; the first is"
    return [Text(words, "bold red"), Text(json.dumps(found.crash.as_data(), ensure_ascii=False))]


def diagnosis_table(found: tuple[Diagnosis, ...]) -> RenderableType:
    """Every planted error, the claim that refuted it, and by how much; one row each on 80 columns."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("planted error", overflow="fold")
    table.add_column("caught by", overflow="fold")
    table.add_column("margin", overflow="fold", justify="right")
    for entry in found:
        by = (entry.caught_by or "").partition(",")[0] if entry.caught else Text("NOT CAUGHT", "bold red")
        margin = "-" if entry.rounded is None else f"{entry.rounded:.3g}"
        _row(table, Text(entry.planted.what, "" if entry.caught else "bold red"), by, margin)
    missed = sum(not entry.caught for entry in found)
    words = f"{len(found) - missed} of {len(found)} planted errors were refuted"
    return Group(table, Text(), Text(words, "bold green" if not missed else "bold red"))
