"""Commands that put claims on trial: audit, falsify, tightness, certificate, certify, claims, explain, doctor."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .own import FromOption, chosen, claim_named, claims_from
from .terminal import (
    DiscountOption,
    GameOption,
    Progress,
    SeedOption,
    game_of,
    output,
    require_place_for,
    require_writable,
    say,
    say_fitted,
    write_json,
)

app = typer.Typer()


SecondsOption = Annotated[
    float | None, typer.Option("--seconds", metavar="S", help="A time limit for the search of each claim, in seconds.")
]
CorpusOption = Annotated[
    Path | None,
    typer.Option("--corpus", metavar="DIR", help="Decide the counterexamples in DIR first, and write new ones there."),
]


class ProfileName(StrEnum):
    """How hard to try."""

    quick = "quick"
    thorough = "thorough"


@app.command()
def audit(
    claim: Annotated[
        list[str] | None,
        typer.Option(
            "--claim", "-c", metavar="ID", help="Only this claim (repeatable); lemma-b.3 means all its parts."
        ),
    ] = None,
    own: FromOption = None,
    game: GameOption = None,
    discount: DiscountOption = None,
    profile: Annotated[
        ProfileName, typer.Option(help="quick takes seconds, thorough takes minutes.")
    ] = ProfileName.quick,
    seed: SeedOption = 0,
    seconds: SecondsOption = None,
    corpus: CorpusOption = None,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Also write the table as JSON; - means standard output."),
    ] = None,
    html_folder: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="DIR",
            help="Also write DIR/index.html: every proof with its numbers, counterexamples drawn, how tight bounds are.  Beside "
            "it report.json, the same as data, and certificates/.  It needs no network and can be printed.",
        ),
    ] = None,
    details: Annotated[
        bool,
        typer.Option("--details", help="Also print every part of a statement, how it was decided, and all notes."),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-w",
            min=1,
            help="Processes that share the claims; default: one a core.  Verdicts do not depend on it.",
        ),
    ] = None,
) -> None:
    """Put the claims on trial and print the verdict on every statement.

    Exit code 0: every verdict was computed and none is unexpected. 1: a standing differs from what the registry records (with
    --game: a claim recorded as holding is violated there). 2: bad input.

    Examples: mappo-verify audit --html report; mappo-verify audit -c lemma-4.1; mappo-verify audit --game two-step;
    mappo-verify audit --from mine.py
    """
    from ..checking.campaign import audit as run_audit
    from ..checking.workers import cores
    from ..report.document import audit_document
    from ..report.terminal import audit_table

    subject = game_of(game, discount)
    claims = chosen(claim, own)
    if json_file is not None:
        require_writable(json_file)
    if html_folder is not None:
        require_place_for(html_folder)
    with Progress("audit") as progress:
        kept, processes = True if corpus is None else corpus, workers or cores()
        report = run_audit(claims, profile.value, seed, subject, progress, seconds, kept, processes)
        if html_folder is not None:
            from ..report.html import write_report

            write_report(report, html_folder, subject, _command(profile, seed, game, discount, own), progress)
    if json_file is not None:
        write_json(audit_document(report), json_file)
    if json_file is None or str(json_file) != "-":
        page = None if html_folder is None else str(html_folder / "index.html")
        output.print(audit_table(report, details or bool(claims), page))
    raise typer.Exit(1 if report.unexpected else 0)


@app.command()
def falsify(
    claim: Annotated[str, typer.Argument(metavar="CLAIM", help="A claim's id, such as lemma-b.4.")],
    own: FromOption = None,
    profile: Annotated[ProfileName, typer.Option(help="How long to search.")] = ProfileName.quick,
    seed: SeedOption = 0,
    seconds: SecondsOption = None,
    corpus: CorpusOption = None,
) -> None:
    """Search for a counterexample, or for the tightest instance of a bound that survives.

    Exit code 1 if the claim is refuted or a line of its proof is false; 2 if neither, but it raised an error on some instance.

    Example: mappo-verify falsify lemma-b.4
    """
    from ..checking.falsify import falsify as search
    from ..report.terminal import falsification

    entry = claim_named(claim, own)
    with Progress("search") as progress:
        found = search(entry, profile.value, seed, progress, seconds, True if corpus is None else corpus)
    output.print(falsification(found))
    raise typer.Exit(1 if found.witness or found.broken else 2 if found.crash else 0)


@app.command()
def tightness(
    claim: Annotated[str, typer.Argument(metavar="CLAIM", help="A bound's id, such as lemma-b.5.")],
    profile: Annotated[ProfileName, typer.Option(help="How long to search.")] = ProfileName.quick,
    own: FromOption = None,
    seed: SeedOption = 0,
    seconds: SecondsOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Also write the instance and its ratio as JSON.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Also draw the best ratio against effort (.svg, .png)."),
    ] = None,
) -> None:
    """Find the exact instance on which the two sides of a bound come closest.

    Exit code 1 if the claim turns out false; 2 if no instance has two positive sides.

    Example: mappo-verify tightness lemma-b.5 --out lemma-b.5.json --plot lemma-b.5.svg
    """
    from ..checking.tightness import tightness as search
    from ..checking.tightness import write_tightness

    for path in (out, plot):
        if path is not None:
            require_writable(path)
    if plot is not None:
        from ..report.plots.tightness import picture_kind

        picture_kind(plot)  # before the work, so that no work is lost
    with Progress("search") as progress:
        found = search(claim_named(claim, own), profile.value, seed, progress, seconds)
    if found.witness is not None:
        again = shlex.join(
            ["mappo-verify", "falsify", claim, *(["--from", str(own.resolve())] if own is not None else [])]
        )
        say(f"{found.claim.id} is false, by an exact instance of {found.witness.sizes}: {again}")
        raise typer.Exit(1)
    if found.ratio is None:
        say(f"{found.claim.id}: no certified instance has two positive sides ({found.searched.text()})")
        raise typer.Exit(2)
    say(f"{found.claim.id}: smaller side / larger side = {found.ratio:.10g} at {found.sizes} ({found.searched.text()})")
    say(found.searched.numbers())
    if out is not None:
        write_tightness(found, out)
    if plot is not None:
        from ..report.plots.tightness import plot_tightness

        plot_tightness(found, plot)


@app.command()
def certificate(
    claim: Annotated[str, typer.Argument(metavar="CLAIM", help="A refuted claim's id, such as lemma-b.4.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write the certificate.")],
    own: FromOption = None,
    seed: SeedOption = 0,
) -> None:
    """Find a counterexample and write it as a certificate that anybody can re-check.

    Example: mappo-verify certificate lemma-b.4 --out lemma-b.4.json && mappo-verify certify lemma-b.4.json
    """
    from ..checking.certificate import certificate_by_audit, write_certificate

    require_writable(out)
    entry = claim_named(claim, own)
    with Progress("search"):
        found = certificate_by_audit(entry, seed)
    write_certificate(found, out, entry)
    say(f"wrote {out}: {found.claim} is false, by an exact instance")


@app.command()
def certify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Certificates to re-check.")],
    own: FromOption = None,
) -> None:
    """Re-check certificates with this toolkit; for the paper's claims certificates/check.py needs the standard library alone.

    Exit code 0: every file proves its claim false. 1: some file does not, and why. 2: a file is not a certificate.
    """
    from ..checking.certificate import read_certificate, recheck

    proved = True
    claims = {} if own is None else {entry.id: entry for entry in claims_from(own)}
    for file in files:
        read = read_certificate(file)
        found = recheck(read, claims.get(read.claim))
        proved = proved and found.valid
        say_fitted(f"{file}: {found.text()}")
    raise typer.Exit(0 if proved else 1)


@app.command()
def claims(own: FromOption = None) -> None:
    """List every claim that can be put on trial, or those of a file."""
    from ..papers.registry import CLAIMS
    from ..report.terminal import claims_table

    output.print(claims_table(CLAIMS if own is None else claims_from(own)))


@app.command()
def explain(
    claim: Annotated[str, typer.Argument(metavar="CLAIM", help="A claim's id, such as lemma-4.1.")],
    own: FromOption = None,
    game: GameOption = None,
    discount: DiscountOption = None,
    seed: SeedOption = 0,
    computed: Annotated[
        bool, typer.Option("--computed-by", help="Say of every line which functions of mv.quantities it called.")
    ] = False,
    latex: Annotated[
        bool, typer.Option("--latex", help="Print the smallest counterexample as LaTeX, to be pasted into a paper.")
    ] = False,
) -> None:
    """Walk through a proof, line by line, with one game's numbers; exact fractions where exact.

    Without --game: the smallest counterexample of a refuted claim, or a small instance of one that holds.  A claim of your own
    is put on trial first.
    Examples: mappo-verify explain lemma-4.1 --game two-step; mappo-verify explain lemma-b.3/zero-mean-intervention
    """
    from ..checking.campaign import audit as run_audit
    from ..checking.certificate import certificate_of
    from ..checking.explain import explain as run_explain
    from ..checking.explain import explain_report
    from ..claims.verdict import Standing
    from ..report.document import words_of
    from ..report.latex import latex_of
    from ..report.terminal import explanation, statistics_table

    subject_game = game_of(game, discount)
    entry = claim_named(claim, own)
    if latex and game is not None:
        raise typer.BadParameter("--latex prints a counterexample that was searched for; leave --game out")
    found = (
        run_audit([entry], seed=seed)[entry.id]
        if latex or (game is None and (entry.record is Standing.REFUTED or own is not None))
        else None
    )
    if latex:
        assert found is not None
        if found.witness is None:
            raise typer.BadParameter(f"no counterexample to {entry.id} was found, so there is none to print")
        text = latex_of(found, certificate_of(entry, found.witness.sizes, found.witness.coordinates))
        say(text.rstrip())
        return
    if found is None:
        output.print(explanation(*run_explain(entry, subject_game, seed), computed=computed))
    else:
        output.print(explanation(*explain_report(found, seed=seed), words_of(found), computed))
    if entry.experiment is not None and game is None:
        statistics = run_audit([entry], seed=seed)[entry.id].statistics
        if statistics is not None:
            output.print(statistics_table(statistics))


@app.command()
def doctor(seed: SeedOption = 0) -> None:
    """Plant known errors in copies of the formulas and show that each one is refuted on this installation.

    Exit code 1 if one is not: then this installation's verdicts are not to be trusted.
    """
    from ..checking.doctor import diagnose
    from ..report.terminal import diagnosis_table

    with Progress("doctor") as progress:
        found = diagnose(seed, progress)
    output.print(diagnosis_table(found))
    raise typer.Exit(0 if all(entry.caught for entry in found) else 1)


def _command(profile: ProfileName, seed: int, game: str | None, discount: str | None, own: Path | None) -> str:
    """The audit's command line without its claims."""
    words = ["mappo-verify", "audit"]
    words += ["--from", str(own.resolve())] if own is not None else []
    words += ["--profile", profile.value] if profile is not ProfileName.quick else []
    words += ["--seed", str(seed)] if seed else []
    words += ["--game", game] if game is not None else []
    words += ["--discount", discount] if discount is not None else []
    return shlex.join(words)
