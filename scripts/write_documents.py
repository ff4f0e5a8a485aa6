"""Markdown documents: the audit in the README, the certificates, the map of the paper, the errata.

Nothing in them is written by hand; ``python scripts/write_documents.py`` rewrites all in a checkout, and tests compare.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

from mappo_verify.checking.campaign import audit
from mappo_verify.checking.certificate import Certificate, read_certificate, recheck
from mappo_verify.checking.certificate_files import Side
from mappo_verify.checking.reports import AuditReport
from mappo_verify.claims.claim import Claim
from mappo_verify.claims.verdict import Standing
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.report.document import number_text

ROOT = Path(__file__).resolve().parent.parent
SHOWN_DECIMALS = 4


def audit_markdown(report: AuditReport) -> str:
    """The audit's table: what stands, what falls, how it was decided."""
    rows = ["| claim | standing | how it was decided |", "| --- | --- | --- |"]
    for entry in report.claims:
        name = f"`{entry.id}`" + ("" if entry.claim.printed else " °")
        margin = f" (off by {number_text(entry.margin)})" if entry.standing is Standing.REFUTED else ""
        rows.append(f"| {name} | **{entry.standing.value}** | {_cell(entry.how)}{margin} |")
    notes = [
        f"- `{entry.id}`: {_prose(entry.claim.note)}"
        for entry in report.claims
        if entry.standing is Standing.REFUTED and entry.claim.note
    ]
    return "\n".join([*rows, "", "What must be said beside a refutation:", "", *notes] if notes else rows)


def paper_map(claims: tuple[Claim, ...] = CLAIMS) -> str:
    """Where each claim of the paper is: in the paper, in the code, in the suites."""
    parts = [
        "# The paper, claim by claim",
        "",
        "Generated from the registry by `python scripts/write_documents.py`; a test keeps it current.  *Record* is what",
        "earlier audits found; every audit computes the standing anew and reports a difference.  ° marks a reading or a repair",
        "that the paper does not print.",
        "",
        "| claim | in the paper | statement | instance | proof | record |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for claim in claims:
        module = claim.proof.__module__.removeprefix("mappo_verify.").replace(".", "/") + ".py"
        cells = (
            f"`{claim.id}`" + ("" if claim.printed else " °"),
            _cell(claim.source),
            _cell(claim.statement),
            _cell(claim.setting.name),
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


def with_audit(readme: str, report: AuditReport) -> str:
    """The README with the audit's table between its two marks."""
    return with_table(readme, "audit", audit_markdown(report))


def with_certificates(readme: str, folder: Path) -> str:
    """The README of the certificates in ``folder`` with their table between its two marks."""
    return with_table(readme, "certificates", certificates_markdown(folder))


def documents(root: Path) -> dict[str, str]:
    """The generated pages of ``docs/`` in the checkout at ``root``, by name."""
    paths = sorted((root / "certificates").glob("*.json"))
    certificates = {path.relative_to(root).as_posix(): read_certificate(path) for path in paths}
    return {"paper-map.md": paper_map(), "errata.md": errata(certificates)}


def main(root: Path = ROOT) -> None:
    """Rewrite all documents of the checkout at ``root``."""
    readme, folder = root / "README.md", root / "certificates"
    readme.write_text(with_audit(readme.read_text(encoding="utf-8"), audit()), encoding="utf-8")
    shown = folder / "README.md"
    shown.write_text(with_certificates(shown.read_text(encoding="utf-8"), folder), encoding="utf-8")
    for name, text in documents(root).items():
        (root / "docs" / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    from pages import main as write_pages  # the script beside this one

    main()
    write_pages()
