"""A campaign's report for the terminal, and as a page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..campaigns.report import CampaignReport, ClaimCount, Instance, document
from ..errors import FileError
from ..games.untrusted import printable, write_whole
from .drawings import ICONS
from .html import MEANINGS, environment, style_sheet
from .terminal import STANDING_STYLE


def campaign_table(report: CampaignReport) -> RenderableType:
    """Counts, standing and tightest instance of every claim; what is refuted, what is open, and what was computed with what."""
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    for name in ("claim", "standing", "holds", "violated", "open", "not applicable", "largest ratio", "at"):
        table.add_column(name, justify="left" if name in ("claim", "standing", "at") else "right", overflow="fold")
    for entry in report.claims:
        table.add_row(
            entry.claim,
            Text(entry.standing.value, STANDING_STYLE[entry.standing]),
            *(
                f"{count:,}"
                for count in (entry.holds, entry.violated, entry.undecided + entry.raised, entry.not_applicable)
            ),
            "" if entry.value is None else f"{entry.value:.6g}",
            "" if entry.tightest is None else _place(entry.tightest),
        )
    notes = [Text(note) for entry in report.claims for note in _notes(entry)]
    share = "" if report.plan.share == (1, 1) else f", share {report.plan.share[0]}/{report.plan.share[1]}"
    state = "complete" if report.complete else "incomplete: campaign run continues it"
    return Group(
        table,
        Text(),
        *notes,
        *([Text()] if notes else []),
        Text(f"{report.done:,} of {report.asked:,} instances, seed {report.plan.seed}{share}; {state}"),
        Text(f"digest {report.digest}"),
    )


def _place(instance: Instance) -> str:
    return f"no. {instance.number}, {instance.sizes}"


def _notes(entry: ClaimCount) -> list[str]:
    """What a reader of a row must know besides."""
    notes = []
    if entry.witness is not None:
        sizes = f"{entry.witness.states} states, actions {entry.witness.action_sizes}"
        certified = "certified" if entry.witness.certificate else f"without a certificate ({entry.witness.complaint})"
        notes.append(f"{entry.claim}: a counterexample with {sizes}, {certified}")
    if entry.open is not None:
        notes.append(f"{entry.claim}: open at {_place(entry.open)}{': ' * bool(entry.open_reason)}{entry.open_reason}")
    if entry.broken and not entry.violated:
        notes.append(f"{entry.claim}: a step of the proof fails: {entry.broken}")
    return [printable(note) for note in notes]  # a ledger is a file, and a terminal obeys control characters


def write_certificates(report: CampaignReport, folder: Path) -> list[Path]:
    """The certificates of all counterexamples as files in a folder, which is made; their paths."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for entry in report.refuted:
            if entry.witness is not None and entry.witness.certificate:
                path = folder / f"{entry.claim.replace('/', '-')}.json"
                write_whole(path, entry.witness.certificate)
                written.append(path)
    except OSError as error:
        raise FileError(f"{folder} cannot be written: {error.strerror or error}") from None
    return written


def campaign_page(report: CampaignReport) -> str:
    """The report as one page that needs no network and no JavaScript."""
    style = style_sheet()
    data: Mapping[str, Any] = document(report)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    text: str = (
        environment()
        .get_template("campaign.html")
        .render(
            document=data,
            claims=data["claims"],
            refuted=[entry.claim for entry in report.refuted],
            values={entry.claim: entry.value for entry in report.claims},
            notes=[note for entry in report.claims for note in _notes(entry)],
            icons=ICONS,
            meanings={
                name: words for name, words in MEANINGS.items() if name in {e.standing.value for e in report.claims}
            },
            style=Markup(style),
            policy=f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; form-action 'none'",
        )
    )
    return text.lstrip()
