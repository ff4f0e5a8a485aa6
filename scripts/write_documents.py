"""Markdown documents: the audit in the README, the certificates, the map of the paper, the errata.

Nothing in them is written by hand; ``python scripts/write_documents.py`` rewrites all in a checkout, and tests compare.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

from rich.console import Console

from mappo_verify.checking.campaign import audit
from mappo_verify.checking.certificate import Certificate, read_certificate, recheck
from mappo_verify.checking.certificate_files import Side
from mappo_verify.checking.reports import AuditReport
from mappo_verify.checking.statements import (
    MEANINGS,
    Finding,
    StatementReport,
    counted,
    extent_text,
    smallest,
    statements_of,
)
from mappo_verify.checking.workers import cores
from mappo_verify.claims.claim import Claim
from mappo_verify.claims.verdict import Standing
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.report.document import counts_of, number_text
from mappo_verify.report.terminal import audit_summary

ROOT = Path(__file__).resolve().parent.parent
SHOWN_DECIMALS = 4
SCREEN = 100
"""Columns of the terminal that is shown."""


def audit_markdown(report: AuditReport) -> str:
    """Verdicts: every statement first, what the words mean, what a defender says; then every claim, and its notes."""
    statements = statements_of(report)
    counts = ", ".join(counted(count, finding) for finding, count in counts_of(statements).items())
    rows = [f"{len(statements)} statements: {counts}.", "", "| statement | | verdict |", "| --- | --- | --- |"]
    rows += [f"| {e.statement.name} | {_cell(e.statement.title)} | **{e.words}** |" for e in statements]
    rows += ["", *(f"- *{finding.value}*: {words}." for finding, words in MEANINGS.items())]
    rows += ["", "## What does not stand, and what its defender would say", ""]
    for found in statements:
        if found.finding in (Finding.FALSE, Finding.NEEDS):
            rows += _verdict(found)
    rows += ["## The parts, claim by claim", "", KINDS, "", "| claim | kind | standing | how it was decided |"]
    rows += ["| --- | --- | --- | --- |"]
    for entry in report.claims:
        fails = f" (fails by {number_text(-entry.margin)})" if entry.standing is Standing.REFUTED else ""
        cells = f"`{entry.id}`", entry.claim.kind.value, f"**{entry.standing.value}**", f"{_cell(entry.how)}{fails}"
        rows.append(f"| {' | '.join(cells)} |")
    notes = [
        f"- `{entry.id}` ({entry.claim.kind.value}): {_prose(entry.claim.note)}"
        for entry in report.claims
        if entry.standing is Standing.REFUTED and entry.claim.note
    ]
    return "\n".join([*rows, "", "What must be said beside a refutation:", "", *notes] if notes else rows)


KINDS = (
    "Kind: *printed*: the paper states just this; *reading*: one of several that its words allow, or a part that it does not "
    "spell out; *hypothesis*: shows that one cannot be dropped; *repair*; *beyond*: a statement of ours; *simulation*: about "
    "the paper's simulation and its numbers.  Only what is printed, and a hypothesis that is missing, counts for a verdict."
)


def _verdict(found: StatementReport) -> list[str]:
    """Why a statement does not stand, what remains true, what a defender says, and the claims to look at."""
    said = found.statement
    fallen = ", ".join(f"`{part.id}`" for part in found.fallen)
    repairs = ", ".join(f"`{part.id}` ({part.standing.value})" for part in found.repairs)
    return [
        f"**{said.name}, {_prose(said.title)}: {found.words}.**  Why: {_prose(said.why)}.  {_prose(said.yet)}".rstrip(),
        "",
        f"{_prose(said.answer)}",
        "",
        f"Refuted: {fallen}." + (f"  Repair: {repairs}." if repairs else ""),
        "",
    ]


def first_screen(report: AuditReport, certificates: Mapping[str, Certificate]) -> str:
    """What is refuted, in three lines: theorem, why, the smallest counterexample that is known, the repair; then the summary."""
    statements = statements_of(report)
    theorems = [e for e in statements if e.finding is Finding.FALSE and e.statement.id.startswith("theorem")]
    lines = []
    for found in theorems:
        ids = {part.id for part in found.fallen}
        own = {path: recheck(entry).evidence for path, entry in certificates.items() if entry.claim in ids}
        known = {path: evidence for path, evidence in own.items() if evidence is not None}
        path = smallest(known)
        assert path is not None, f"no certificate of {found.statement.name}"
        said = found.statement
        repair = f"  Repair: `{found.repairs[0].id}`." if found.repairs else ""
        yet = f"  {_prose(said.yet)}" if said.yet else ""
        lines.append(
            f"- **{said.name} is {found.finding.value}**: {_prose(said.why)}.  "
            f"Smallest counterexample: [{extent_text(known[path])}]({path}).{yet}{repair}"
        )
    console = Console(width=SCREEN, file=io.StringIO(), force_terminal=False)
    console.print(*audit_summary(report, statements, "report/index.html"), sep="\n")
    assert isinstance(console.file, io.StringIO)
    printed = re.sub(r", [\d.]+ s\)", ")", console.file.getvalue()).splitlines()
    output = "\n".join(line.rstrip() for line in printed)
    commands = "python3 -m venv .venv && .venv/bin/pip install .\n.venv/bin/mappo-verify audit --html report"
    return "\n".join(
        [
            *lines,
            "",
            "See it yourself (Python 3.11 or later; about two minutes after installing):",
            "",
            f"```sh\n{commands}\n```",
            "",
            f"```text\n{output}\n```",
        ]
    )


def paper_map(claims: tuple[Claim, ...] = CLAIMS) -> str:
    """Where each claim of the paper is: in the paper, in the code, in the suites."""
    parts = [
        "# The paper, claim by claim",
        "",
        "Generated from the registry by `python scripts/write_documents.py`; a test keeps it current.  *Record* is what",
        "earlier audits found; every audit computes the standing anew and reports a difference.  ° marks a reading or a repair",
        "that the paper does not print.  *Hypotheses* are all that an instance must meet; those that hold by construction are",
        "verified, too.",
        "",
        "| claim | in the paper | statement | instance | hypotheses | proof | record |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for claim in claims:
        module = claim.proof.__module__.removeprefix("mappo_verify.").replace(".", "/") + ".py"
        cells = (
            f"`{claim.id}`" + ("" if claim.printed else " °"),
            _cell(claim.source),
            _cell(claim.statement),
            _cell(claim.setting.name),
            _cell("; ".join(hypothesis.name for hypothesis in claim.setting.all_hypotheses)) or "-",
            f"`{claim.proof.__name__}` in `{module}`",
            claim.record.value if claim.record else "-",
        )
        parts.append("| " + " | ".join(cells) + " |")
    return "\n".join(parts) + "\n"


LONGEST = 60
"""Integers of one group of coordinates beyond which only those that are not 0 are shown."""


def errata(certificates: Mapping[str, Certificate], claims: tuple[Claim, ...] = CLAIMS) -> str:
    """Every claim that fails: what it says, a counterexample, the line that breaks, the repair.

    ``certificates`` by path; the counterexample shown is the shortest run among those of a claim, checked here once more.
    """
    parts = [
        "# Errata: what fails, why, and the repair",
        "",
        "Generated from the registry and `certificates/` by `python scripts/write_documents.py`, which checks every",
        "counterexample again; a test keeps it current.  An instance is integers: rows of weights, to be divided by their sums,",
        "and numerators.  ° marks a reading that the paper does not print: it is refuted here to show why a hypothesis is",
        "needed, or that a way out is closed.",
        "",
    ]
    for claim in claims:
        if claim.record is Standing.REFUTED:
            own = {path: found for path, found in certificates.items() if found.claim == claim.id}
            parts += _erratum(claim, own, {entry.id: entry for entry in claims}.get(claim.repaired_by))
    return "\n".join(parts)


def _erratum(claim: Claim, certificates: Mapping[str, Certificate], repair: Claim | None) -> list[str]:
    parts = [
        f"## {claim.id}{'' if claim.printed else ' °'}",
        "",
        f"**{_prose(claim.title)}** ({_prose(claim.source)})",
        "",
        f"It says: {_code(claim.statement)}",
        "",
    ]
    if claim.note:
        parts += [f"To be said with it: {_prose(claim.note)}", ""]
    if certificates:
        path, shown = min(certificates.items(), key=lambda item: (item[1].steps, item[0]))
        result = recheck(shown, claim)
        if not result.valid or result.evidence is None or result.evidence.broken is None:
            raise ValueError(f"{path} is no counterexample to {claim.id}: {result.reason}")
        broken = result.evidence.broken
        parts += [
            f"**Counterexample** ({_prose(shown.setting)}; {shown.sizes}):",
            "",
            "```text",
            *(f"{name} = {_integers(value)}" for name, value in shown.coordinates.items()),
            "",
            f"left  = {_side(shown.left_value)}    {shown.left}",
            f"right = {_side(shown.right_value)}    {shown.right}",
            "```",
            "",
            f"and left {shown.relation} right fails.",
            "",
            f"**The proof breaks** at {_code(f'{broken.relation} {broken.right}')}, for which it says: {_code(broken.because)}.",
            "",
        ]
        names = ", ".join(f"`{name}`" for name in certificates)
        parts += [
            f"Check it: `mappo-verify certify {path}`, or without this toolkit by `certificates/check.py` ({names}).",
            "",
        ]
    else:
        parts += [f"Find a counterexample: `mappo-verify falsify {claim.id}`", ""]
    if repair is not None:
        record = f" ({repair.record.value})" if repair.record else ""
        parts += [f"**Repair**, `{repair.id}`{record}: {_code(repair.statement)}", ""]
    return parts


def _integers(value: Any) -> str:
    """The integers of one coordinate; of a long run, those that are not 0."""
    text = json.dumps(value)
    if isinstance(value, list) and len(value) > LONGEST:
        few = ", ".join(f"[{k}] = {entry}" for k, entry in enumerate(value) if entry != 0)
        return f"{len(value)} integers, all 0 but {few}"
    return text


def _side(side: Side) -> str:
    """A recorded number: exact, or the decimals that both ends of its enclosure share."""
    if isinstance(side, str):
        return side
    shared = takewhile(lambda pair: pair[0] == pair[1], zip(*side, strict=True))
    return "".join(digit for digit, _ in shared) + "..."


def _code(text: str) -> str:
    """Mathematics as code, where ``*`` and ``_`` are themselves."""
    return f"`{_one_line(text)}`"


SPECIAL = re.compile(r"[\\`*~]|(?<![^\W_])_|_(?![^\W_])|\](?=\()|<(?=[A-Za-z/!?])")
"""What may begin or end emphasis, strike-through, code, a link or a tag; not a ``_`` inside a word."""


def _prose(text: str) -> str:
    """Text of which Markdown shows every character."""
    return SPECIAL.sub(r"\\\g<0>", _one_line(text))


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _cell(text: str) -> str:
    return _prose(text).replace("|", "\\|")


def certificates_markdown(folder: Path) -> str:
    """What each certificate in ``folder`` shows, with the sides that stand in its file."""
    order = {claim.id: (place, claim) for place, claim in enumerate(CLAIMS)}
    files = {path.stem: read_certificate(path) for path in folder.glob("*.json")}
    rows = ["| file | claim | kind | what is shown false | left | | right |", "|---|---|---|---|---|---|---|"]
    for name, found in sorted(files.items(), key=lambda item: (order[item[1].claim][0], item[1].steps, item[0])):
        run = f", K = {found.steps:,}" if found.steps > 1 else ""
        about = f"{_cell(order[found.claim][1].title)}{run}"
        sides = side_text(found.left_value), found.relation, side_text(found.right_value)
        rows.append("| " + " | ".join((f"`{name}`", f"`{found.claim}`", found.kind, about, *sides)) + " |")
    return "\n".join(rows)


def side_text(side: Side) -> str:
    """A rational as it is; of an enclosure the first few decimals of its lower end."""
    if isinstance(side, str):
        return side
    whole, _, decimals = side[0].partition(".")
    return f"{whole}.{decimals[:SHOWN_DECIMALS]}..."


def with_table(text: str, name: str, table: str) -> str:
    """A document with a generated table between the two marks of that name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"the document needs the marks {begin} and {end}, once each")
    before, rest = text.split(begin)
    return f"{before}{begin}\n{table}\n{end}{rest.split(end)[1]}"


def with_audit(readme: str, report: AuditReport, certificates: Mapping[str, Certificate]) -> str:
    """The README with what is refuted between its two marks."""
    return with_table(readme, "audit", first_screen(report, certificates))


def verdicts(report: AuditReport) -> str:
    """The page of all verdicts."""
    head = "# Verdicts\n\nGenerated from an audit by `python scripts/write_documents.py`; a test keeps it current.\n\n"
    return f"{head}{audit_markdown(report)}\n"


def with_certificates(readme: str, folder: Path) -> str:
    """The README of the certificates in ``folder`` with their table between its two marks."""
    return with_table(readme, "certificates", certificates_markdown(folder))


def _certificates(root: Path) -> dict[str, Certificate]:
    paths = sorted((root / "certificates").glob("*.json"))
    return {path.relative_to(root).as_posix(): read_certificate(path) for path in paths}


def documents(root: Path) -> dict[str, str]:
    """The generated pages of ``docs/`` in the checkout at ``root`` that need no audit, by name."""
    certificates = _certificates(root)
    return {"paper-map.md": paper_map(), "errata.md": errata(certificates)}


def main(root: Path = ROOT) -> None:
    """Rewrite all documents of the checkout at ``root``."""
    readme, folder = root / "README.md", root / "certificates"
    report = audit(workers=cores())
    readme.write_text(with_audit(readme.read_text(encoding="utf-8"), report, _certificates(root)), encoding="utf-8")
    (root / "docs" / "verdicts.md").write_text(verdicts(report), encoding="utf-8")
    shown = folder / "README.md"
    shown.write_text(with_certificates(shown.read_text(encoding="utf-8"), folder), encoding="utf-8")
    for name, text in documents(root).items():
        (root / "docs" / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    from pages import main as write_pages  # the script beside this one

    main()
    write_pages()
