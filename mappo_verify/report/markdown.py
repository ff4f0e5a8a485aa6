"""Tables for Markdown documents: the audit in the README, the map of the paper.

Nothing in them is written by hand; ``python -m mappo_verify.report.markdown`` rewrites both in a checkout, and a test compares.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..checking.campaign import AuditReport, audit
from ..claims.claim import Claim
from ..claims.registry import CLAIMS
from ..claims.verdict import Standing
from .document import number_text

BEGIN, END = "<!-- audit: begin -->", "<!-- audit: end -->"


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


def with_audit(readme: str, report: AuditReport) -> str:
    """The README with the audit's table between its two marks."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise ValueError(f"the README needs the marks {BEGIN} and {END}, once each")
    before, rest = readme.split(BEGIN)
    return f"{before}{BEGIN}\n{audit_markdown(report)}\n{END}{rest.split(END)[1]}"


def main(root: Path = Path()) -> None:
    """Rewrite both documents of the checkout at ``root``."""
    readme = root / "README.md"
    readme.write_text(with_audit(readme.read_text(encoding="utf-8"), audit()), encoding="utf-8")
    (root / "docs" / "paper-map.md").write_text(paper_map(), encoding="utf-8")


if __name__ == "__main__":
    main()
