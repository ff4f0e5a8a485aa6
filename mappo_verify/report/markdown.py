"""Tables for Markdown documents: the audit in the README, the map of the paper, the certificates.

No number in them is copied by hand; ``python -m mappo_verify.report.markdown`` rewrites them in a checkout, and a test compares.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..checking.campaign import AuditReport, audit
from ..checking.certificate import ABOUT, Side, read_certificate
from ..claims.claim import Claim
from ..claims.registry import CLAIMS
from ..claims.verdict import Standing
from .document import number_text

SHOWN_DECIMALS = 4


def audit_markdown(report: AuditReport) -> str:
    """The audit's table: what stands, what falls, how it was decided."""
    rows = ["| claim | standing | how it was decided |", "| --- | --- | --- |"]
    for entry in report.claims:
        name = f"`{entry.id}`" + ("" if entry.claim.printed else " °")
        margin = f" (off by {number_text(entry.margin)})" if entry.standing is Standing.REFUTED else ""
        rows.append(f"| {name} | **{entry.standing.value}** | {_cell(entry.how)}{margin} |")
    notes = [
        f"- `{entry.id}`: {entry.claim.note}"
        for entry in report.claims
        if entry.standing is Standing.REFUTED and entry.claim.note
    ]
    return "\n".join([*rows, "", "What must be said beside a refutation:", "", *notes] if notes else rows)


def paper_map(claims: tuple[Claim, ...] = CLAIMS) -> str:
    """Where each claim of the paper is: in the paper, in the code, in the suites."""
    parts = [
        "# The paper, claim by claim",
        "",
        "Generated from the registry by `python -m mappo_verify.report.markdown`; a test keeps it current.  *Record* is what",
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
            claim.source,
            claim.statement,
            claim.setting.name,
            f"`{claim.proof.__name__}` in `{module}`",
            claim.record.value if claim.record else "-",
        )
        parts.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def certificates_markdown(folder: Path) -> str:
    """What each certificate in ``folder`` shows, with the sides that stand in its file."""
    rows = ["| file | claim | what is shown false | left | | right |", "|---|---|---|---|---|---|"]
    for name, about in ABOUT.items():
        found = read_certificate(folder / f"{name}.json")
        sides = side_text(found.left_value), found.relation, side_text(found.right_value)
        rows.append("| " + " | ".join((f"`{name}`", f"`{found.claim}`", about, *sides)) + " |")
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


def main(root: Path = Path()) -> None:
    """Rewrite the documents of the checkout at ``root``."""
    readme, folder = root / "README.md", root / "certificates"
    readme.write_text(with_audit(readme.read_text(encoding="utf-8"), audit()), encoding="utf-8")
    shown = folder / "README.md"
    shown.write_text(with_certificates(shown.read_text(encoding="utf-8"), folder), encoding="utf-8")
    (root / "docs" / "paper-map.md").write_text(paper_map(), encoding="utf-8")


if __name__ == "__main__":
    main()
