"""Tables and walk-throughs for the terminal, by rich."""

from __future__ import annotations

import json

import numpy as np
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..arithmetic import System, system_of
from ..checking.doctor import Diagnosis
from ..checking.falsify import Falsification
from ..checking.monte_carlo import Statistics
from ..checking.reports import AuditReport, ClaimReport
from ..claims.claim import Claim
from ..claims.verdict import Evidence, LineEvidence, Standing, StepEvidence, Verdict
from ..games.named import NAMED
from ..model import Game
from ..quantities.optimal import Optimum
from .document import instance_tables, nested_text, number_text, values_text

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


def audit_table(report: AuditReport) -> RenderableType:
    """Claim, standing, how it was reached, instances, worst margin or best ratio, time."""
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    table.add_column("claim, and how it was decided", ratio=1, min_width=37, overflow="fold")
    table.add_column("standing", no_wrap=True)
    table.add_column("instances", justify="right", no_wrap=True)
    table.add_column("margin/ratio", justify="right", no_wrap=True)
    table.add_column("s", justify="right", no_wrap=True)
    for entry in report.claims:
        name = Text(entry.id if entry.claim.printed else f"{entry.id} °", "bold")
        name.append(f"\n{entry.how}", "not bold dim")
        standing = Text(entry.standing.value, STANDING_STYLE[entry.standing])
        if not entry.expected:
            standing.append(" !", "bold red")
        _row(table, name, standing, f"{entry.instances:,}", _tightness(entry), f"{entry.seconds:.1f}")
    return Group(table, Text(), *_footnotes(report))


def _tightness(report: ClaimReport) -> str:
    if report.standing is Standing.REFUTED or report.ratio is None:
        return number_text(report.margin)
    return f"ratio {report.ratio:.3g}"


def _footnotes(report: AuditReport) -> list[Text]:
    notes = []
    if any(not entry.claim.printed for entry in report.claims):
        notes.append(Text("° a reading or a repair that the paper does not print", "dim"))
    for entry in report.claims:
        if entry.tainted_by:
            notes.append(Text(f"{entry.id} leans on a refuted claim: {', '.join(entry.tainted_by)}", "yellow"))
        if entry.standing is Standing.REFUTED and entry.claim.repaired_by:
            notes.append(Text(f"{entry.id}: repaired by {entry.claim.repaired_by}", "dim"))
    fallen = [entry for entry in report.claims if entry.standing is Standing.REFUTED]
    notes += [Text(f"{entry.id}: {entry.claim.note}", "dim") for entry in fallen if entry.claim.note]
    notes += [Text(f"{name} skipped: {reason}", "dim") for name, reason in report.skipped]
    where = f" on {report.game}" if report.game else ""
    counts = {standing: sum(entry.standing is standing for entry in report.claims) for standing in Standing}
    summary = ", ".join(f"{count} {standing.value}" for standing, count in counts.items() if count)
    notes.append(
        Text(
            f"{len(report.claims)} claims{where}: {summary} ({report.profile}, seed {report.seed}, {report.seconds:.1f} s)"
        )
    )
    for entry in report.unexpected:
        record = entry.claim.record.value if entry.claim.record else "nothing"
        broken = f"; the proof breaks at {entry.broken.right!r}" if entry.broken else ""
        failure = f"; {entry.failure}" if entry.failure else ""
        found = f"{entry.id} is {entry.standing.value}, the registry records {record}"
        notes.append(Text(f"UNEXPECTED: {found}{broken}{failure}", "bold red"))
    return notes


def _row(table: Table, *cells: str | Text) -> None:
    """A row of plain text: brackets in mathematics are no markup."""
    table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in cells))


def claims_table(claims: tuple[Claim, ...]) -> RenderableType:
    """Every claim with its source."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("claim", "title", "source"):
        table.add_column(column, no_wrap=column == "claim", overflow="fold")
    for entry in claims:
        _row(table, entry.id if entry.printed else f"{entry.id} °", entry.title, entry.source)
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


def explanation(claim: Claim, evidence: Evidence, subject: str) -> RenderableType:
    """The proof, line by line, with the numbers of one case."""
    parts: list[RenderableType] = [
        Text.assemble((claim.id, "bold"), f"  {claim.title}"),
        Text(claim.source, "dim"),
        Text(),
        Text(claim.statement),
    ]
    if claim.note:
        parts += [Text(), Text(claim.note, "dim")]
    parts += [Text(), Text(f"on {subject}", "italic"), *_instance(evidence), Text()]
    for name, truth in evidence.hypotheses:
        held = bool((np.asarray(truth) > 0).all())
        parts.append(Text.assemble(("  ✓ " if held else "  ? ", "green" if held else "yellow"), f"hypothesis: {name}"))
    parts.append(Text())
    parts += [_line(entry) for entry in evidence.lines]
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


def _instance(evidence: Evidence) -> list[Text]:
    """The ingredients of a small case, number by number."""
    shown = []
    for _, label, table in instance_tables(evidence):
        if np.size(table) <= SHOWN_INSTANCE:
            shown.append(Text.assemble("  ", (f"{label} = ", "bold"), nested_text(table)))
        else:
            shown.append(
                Text.assemble("  ", (label, "bold"), f": {np.size(table)} entries, shape {list(np.shape(table))}")
            )
    return shown


def _line(entry: LineEvidence) -> RenderableType:
    relation = " " if entry.step is None else entry.step.relation
    pieces = [Text.assemble((f"  {relation} ", "bold"), entry.expression)]
    pieces.append(Text.assemble("      ", (values_text(entry.value, entry.where), "cyan")))
    if entry.step is not None:
        pieces.append(_reason(entry.step))
    return Padding(Group(*pieces), (0, 0, 1, 0))


def _reason(step: StepEvidence) -> Text:
    low = int(np.min(step.truth)) if np.size(step.truth) else 1
    mark, style = {1: ("✓", "green"), 0: ("?", "yellow"), -1: ("✗ broken here:", "bold red")}[low]
    axiom = f" [{step.axiom}]" if step.axiom else ""
    margin = f"  (off by {number_text(-step.margin)})" if low < 0 and step.margin is not None else ""
    return Text.assemble("      ", (mark, style), f" {step.because}{axiom}{margin}")


def _conclusion(evidence: Evidence) -> Text:
    verdict = evidence.verdict
    if not isinstance(verdict, Verdict):
        return Text(f"{np.size(verdict)} instances")
    bits = f", {evidence.precision} bits" if evidence.precision else ""
    words = f"{verdict.value.upper()} ({evidence.arithmetic.value}{bits})"
    margin = f", margin {number_text(evidence.margin)}" if evidence.margin is not None else ""
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
    exact = "exactly" if system_of(best.values) is System.RATIONALS else f"within {certificate.tolerance:.1e}"
    words = "holds" if certificate.holds else "FAILS"
    check = Text(
        f"optimality {words} {exact}: v ≥ r + γPv everywhere, with equality at these actions; duality gap "
        f"{number_text(np.asarray(certificate.gap)[()])}",
        "green" if certificate.holds else "bold red",
    )
    return Group(table, Text(), check)


def falsification(found: Falsification) -> RenderableType:
    """What a search found: the counterexample in full, or how tight the bound got; and where the claim raised an error."""
    tried = f"{found.explored:,} float instances explored, {found.certified:,} certified"
    crash = _crash(found)
    if found.witness is not None:
        subject = f"the smallest counterexample found ({found.witness.sizes}; {tried})"
        return Group(explanation(found.claim, found.witness.evidence, subject), *crash)
    best = f"; best left/right {found.ratio:.4g} at {found.tightest}" if found.ratio is not None else ""
    style = STANDING_STYLE[found.standing]
    return Group(Text.assemble((f"{found.claim.id} {found.standing.value}", style), f": {tried}{best}"), *crash)


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
