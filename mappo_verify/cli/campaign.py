"""Commands on campaigns: run, report, merge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .terminal import errors, output, require_place_for, require_writable, say, warn, write_json

if TYPE_CHECKING:
    from ..campaigns.run import Progress

app = typer.Typer(help="Decide millions of instances of claims, in a ledger that loses nothing: run, report, merge.")

LedgerArgument = Annotated[Path, typer.Argument(metavar="LEDGER", help="The ledger: one SQLite file.")]


@app.command()
def run(
    ledger: LedgerArgument,
    claims: Annotated[
        list[str] | None,
        typer.Option("--claims", "-c", metavar="IDS", help="Claims, separated by commas (repeatable); default: all."),
    ] = None,
    instances: Annotated[
        str | None,
        typer.Option("--instances", "-n", metavar="N", help="Instances of each claim, such as 100000 or 1e8."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Makes every instance reproducible; default 0.", min=0)] = None,
    share: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Only the I-th of N parts, for one of N machines; campaign merge joins them."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", "-w", help="Processes; default: one a core.", min=1)
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="tcp://...", help="The workers of this Dask scheduler evaluate instead.")
    ] = None,
) -> None:
    """Begin a campaign, or continue one: with the ledger alone, it goes on where the last run ended, however that ended.

    What is found depends on claims, seed and number of instances only, not on workers, order or interruptions.
    Exit code 1 if a claim is refuted.

    Example: mappo-verify campaign run b.db --claims lemma-b.4,lemma-b.5 --instances 1e6
    """
    from ..campaigns.run import run_campaign
    from ..report.campaign import campaign_table

    chosen = None if claims is None else [name.strip() for text in claims for name in text.split(",") if name.strip()]
    try:
        with _Live() as progress:
            report = run_campaign(
                ledger,
                chosen,
                None if instances is None else _count(instances),
                seed=seed,
                share=None if share is None else _share(share),
                workers=workers,
                scheduler=scheduler,
                progress=progress,
            )
    except KeyboardInterrupt:
        warn(f"interrupted; mappo-verify campaign run {ledger} continues")
        raise typer.Exit(130) from None
    output.print(campaign_table(report))
    raise typer.Exit(1 if report.refuted else 0)


@app.command()
def report(
    ledger: LedgerArgument,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write it as JSON; - means standard output.")
    ] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write it as a page, which needs no network.")
    ] = None,
    certificates: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write the certificates of all counterexamples.")
    ] = None,
) -> None:
    """Show what a ledger holds; it may be incomplete, and a campaign may be writing it.

    Exit code 1 if a claim is refuted.

    Example: mappo-verify campaign report b.db --json -
    """
    from ..campaigns.report import document, read_campaign
    from ..games.untrusted import write_whole
    from ..report.campaign import campaign_page, campaign_table, write_certificates

    for target in (json_file, html_file):
        if target is not None:
            require_writable(target)
    if certificates is not None:
        require_place_for(certificates)
    found = read_campaign(ledger)
    if html_file is not None:
        write_whole(html_file, campaign_page(found))
    if certificates is not None:
        for path in write_certificates(found, certificates):
            say(f"wrote {path}")
    if json_file is not None:
        write_json(document(found), json_file)
    if json_file is None or str(json_file) != "-":
        output.print(campaign_table(found))
    raise typer.Exit(1 if found.refuted else 0)


@app.command()
def merge(
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The new ledger.")],
    sources: Annotated[list[Path], typer.Argument(metavar="LEDGER...", help="Parts of one campaign.")],
) -> None:
    """Put the ledgers of several machines together; what two of them hold must agree.

    Example: mappo-verify campaign merge all.db part1.db part2.db
    """
    from ..campaigns.merge import merge_campaigns
    from ..report.campaign import campaign_table

    found = merge_campaigns(target, sources)
    output.print(campaign_table(found))
    raise typer.Exit(1 if found.refuted else 0)


def _count(text: str) -> int:
    """100000 or 1e5."""
    from decimal import Decimal, InvalidOperation

    try:
        value = Decimal(text.replace("_", ""))
        whole = value == value.to_integral_value() and value >= 1 and value.adjusted() < 16
    except InvalidOperation:
        whole = False
    if not whole:
        raise typer.BadParameter(f"--instances {text} is no whole number such as 100000 or 1e8")
    return int(value)


def _share(text: str) -> tuple[int, int]:
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal()):
        raise typer.BadParameter(f"--share {text} is not I/N, such as 1/4")
    return int(part), int(parts)


class _Live:
    """A live line on standard error: instances done, throughput, time left; nothing where it is no terminal."""

    def __init__(self) -> None:
        from rich import progress

        self._bar = progress.Progress(
            progress.SpinnerColumn(),
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TextColumn("{task.fields[done]}"),
            progress.TextColumn("{task.fields[speed]}"),
            progress.TimeElapsedColumn(),
            progress.TextColumn("{task.fields[left]}"),
            console=errors,
            transient=True,
            disable=not errors.is_terminal,
        )
        self._task = self._bar.add_task("campaign", total=1, done="", speed="", left="")

    def __enter__(self) -> _Live:
        if errors.is_terminal:  # older Rich ends even a disabled bar in an empty line
            self._bar.start()
        return self

    def __exit__(self, *_: Any) -> None:
        if errors.is_terminal:
            self._bar.stop()

    def __call__(self, at: Progress) -> None:
        left = "" if at.seconds_left is None else f"{_duration(at.seconds_left)} left"
        self._bar.update(
            self._task,
            description=f"campaign{', refuted: ' + ', '.join(at.refuted) if at.refuted else ''}",
            total=at.total,
            completed=at.done,
            done=f"{at.done:,} of {at.total:,}",
            speed=f"{at.throughput:,.0f}/s",
            left=left,
        )


def _duration(seconds: float) -> str:
    """2 days, 3:04:05"""
    from datetime import timedelta

    return str(timedelta(seconds=round(seconds)))
