"""The command line: ``mappo-verify``."""

from __future__ import annotations

import json
import os
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from . import reproduce, run

if TYPE_CHECKING:
    from .model import Game

app = typer.Typer(
    name="mappo-verify",
    help="Puts the mathematics of multi-agent reinforcement learning on trial: certified verdicts, exact counterexamples.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(reproduce.app, name="reproduce")
app.add_typer(run.app, name="run")
output, errors = Console(), Console(stderr=True)

GAME_HELP = "A named game (climbing, penalty:-30, two-step, random:3x2x2:7, ...) or a file (.json, .dpomdp, also .gz)."
GameOption = Annotated[str | None, typer.Option("--game", "-g", metavar="FILE|NAME", help=GAME_HELP)]
DiscountOption = Annotated[
    str | None,
    typer.Option(
        "--discount", metavar="γ", help="Replace the game's discount, for instance 9/10 or 0.95. Files often say 1."
    ),
]
SeedOption = Annotated[int, typer.Option(help="Makes every instance reproducible.", min=0)]


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
    game: GameOption = None,
    discount: DiscountOption = None,
    profile: Annotated[
        ProfileName, typer.Option(help="quick takes seconds, thorough takes minutes.")
    ] = ProfileName.quick,
    seed: SeedOption = 0,
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
            "it report.json, the same as data, and certificates/.  Needs no network, and prints well.",
        ),
    ] = None,
) -> None:
    """Put the claims on trial and print their standing.

    Exit code 0: every verdict was computed and none is unexpected. 1: a standing differs from what the registry records (with
    --game: a claim recorded as holding is violated there). 2: bad input.

    Examples: mappo-verify audit --html report; mappo-verify audit -c lemma-4.1; mappo-verify audit --game two-step
    """
    from .checking.campaign import audit as run_audit
    from .report.document import audit_document
    from .report.terminal import audit_table

    subject = _game(game, discount)
    if json_file is not None:
        _require_writable(json_file)
    if html_folder is not None:
        _require_folder(html_folder)
    with _Progress("audit") as progress:
        report = run_audit(claim, profile.value, seed, subject, progress)
        if html_folder is not None:
            from .report.html import write_report

            write_report(report, html_folder, subject, _command(profile, seed, game, discount), progress)
    if json_file is not None:
        _write_json(audit_document(report), json_file)
    if json_file is None or str(json_file) != "-":
        output.print(audit_table(report))
    raise typer.Exit(1 if report.unexpected else 0)


@app.command()
def falsify(
    claim: Annotated[str, typer.Argument(metavar="CLAIM", help="A claim's id, such as lemma-b.4.")],
    profile: Annotated[ProfileName, typer.Option(help="How long to search.")] = ProfileName.quick,
    seed: SeedOption = 0,
) -> None:
    """Search for a counterexample, or for the tightest instance of a bound that survives.

    Exit code 1 if the claim is refuted; 2 if it is not, but raised an error on some instance.

    Example: mappo-verify falsify lemma-b.4
    """
    from .checking.falsify import falsify as search
    from .report.terminal import falsification

    with _Progress("search") as progress:
        found = search(claim, profile.value, seed, progress)
    output.print(falsification(found))
    raise typer.Exit(1 if found.witness else 2 if found.crash else 0)


@app.command()
def certificate(
    claim: Annotated[str, typer.Argument(metavar="CLAIM", help="A refuted claim's id, such as lemma-b.4.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write the certificate.")],
    seed: SeedOption = 0,
) -> None:
    """Find a counterexample and write it as a certificate that anybody can re-check.

    Example: mappo-verify certificate lemma-b.4 --out lemma-b.4.json && python certificates/check.py lemma-b.4.json
    """
    from .checking.certificate import certificate_by_audit, write_certificate

    _require_writable(out)
    with _Progress("search"):
        found = certificate_by_audit(claim, seed)
    write_certificate(found, out)
    output.print(f"wrote {out}: {found.claim} is false, by an exact instance", markup=False, highlight=False)


@app.command()
def certify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Certificates to re-check.")],
) -> None:
    """Re-check certificates with this toolkit; certificates/check.py does the same with the standard library alone.

    Exit code 0: every file proves its claim false. 1: some file does not, and why. 2: a file is no certificate.
    """
    from .checking.certificate import read_certificate, recheck

    proved = True
    for file in files:
        found = recheck(read_certificate(file))
        proved = proved and found.valid
        output.print(f"{file}: {found.text()}", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(0 if proved else 1)


@app.command()
def claims() -> None:
    """List every claim that can be put on trial."""
    from .papers.registry import CLAIMS
    from .report.terminal import claims_table

    output.print(claims_table(CLAIMS))


@app.command()
def games() -> None:
    """List the named games."""
    from .report.terminal import games_table

    output.print(games_table())


@app.command()
def explain(
    claim: Annotated[str, typer.Argument(metavar="CLAIM", help="A claim's id, such as lemma-4.1.")],
    game: GameOption = None,
    discount: DiscountOption = None,
    seed: SeedOption = 0,
) -> None:
    """Walk through a proof, line by line, with one game's numbers; exact fractions where exact.

    Without --game: the smallest counterexample of a refuted claim, or a small instance of one that holds.
    Examples: mappo-verify explain lemma-4.1 --game two-step; mappo-verify explain lemma-b.3/zero-mean-intervention
    """
    from .checking.campaign import audit as run_audit
    from .checking.explain import explain as run_explain
    from .report.terminal import explanation, statistics_table

    entry, evidence, subject = run_explain(claim, _game(game, discount), seed)
    output.print(explanation(entry, evidence, subject))
    if entry.experiment is not None and game is None:
        found = run_audit([entry], seed=seed)[entry.id].statistics
        if found is not None:
            output.print(statistics_table(found))


@app.command()
def optimal(
    game: Annotated[str, typer.Option("--game", "-g", metavar="FILE|NAME", help=GAME_HELP)],
    discount: DiscountOption = None,
    floats: Annotated[
        bool, typer.Option("--floats", help="Use float64: fast, for large games; optimality is then approximate.")
    ] = False,
) -> None:
    """Optimal values and an optimal joint policy, with a certificate that is checked."""
    from .quantities.optimal import optimal as solve
    from .report.terminal import optimum_table

    subject = _game(game, discount)
    assert subject is not None
    subject = subject.floats() if floats else subject.exact()
    with _Progress("policy iteration"):
        best = solve(subject)
    output.print(optimum_table(subject, best))
    raise typer.Exit(0 if best.certificate.holds else 1)


@app.command()
def doctor(seed: SeedOption = 0) -> None:
    """Plant known errors in copies of the formulas and show that each one is refuted on this installation.

    Exit code 1 if one is not: then this installation's verdicts are not to be trusted.
    """
    from .checking.doctor import diagnose
    from .report.terminal import diagnosis_table

    with _Progress("doctor") as progress:
        found = diagnose(seed, progress)
    output.print(diagnosis_table(found))
    raise typer.Exit(0 if all(entry.caught for entry in found) else 1)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        output.print(f"mappo-verify {version('mappo-verify')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def _game(name: str | None, discount: str | None) -> Game | None:
    if name is None:
        if discount is not None:
            raise typer.BadParameter("--discount changes a game; give --game as well")
        return None
    from .games.loading import resolve_game

    return resolve_game(name, discount)


def _require_writable(target: Path) -> None:
    """Before the work, not after it."""
    if str(target) != "-" and (target.is_dir() or not os.access(target if target.exists() else target.parent, os.W_OK)):
        raise typer.BadParameter(f"cannot write {target}")


def _require_folder(folder: Path) -> None:
    """A folder that exists and can be written to, or that can be made."""
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise typer.BadParameter(f"cannot write into {folder}")


def _command(profile: ProfileName, seed: int, game: str | None, discount: str | None) -> str:
    """The audit's command line without its claims."""
    words = ["mappo-verify", "audit"]
    words += ["--profile", profile.value] if profile is not ProfileName.quick else []
    words += ["--seed", str(seed)] if seed else []
    words += ["--game", game] if game is not None else []
    words += ["--discount", discount] if discount is not None else []
    return shlex.join(words)


def _write_json(document: dict[str, Any], target: Path) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    if str(target) == "-":
        sys.stdout.write(text)
        return
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"cannot write {target}: {error.strerror}") from None


class _Progress:
    """A live line on standard error while something long runs; silent where nobody watches."""

    def __init__(self, title: str) -> None:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=errors,
            transient=True,
            disable=not errors.is_terminal,
        )
        self.visible = errors.is_terminal
        self._task = self._bar.add_task(title, total=1.0)

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, text: str, share: float) -> None:
        self._bar.update(self._task, description=text, completed=share)


def main() -> None:
    """Entry point: every error that the toolkit raises on purpose ends in one line and exit code 2."""
    from .errors import MappoVerifyError

    try:
        app()
    except MappoVerifyError as error:
        errors.print(f"[bold red]error:[/] {type(error).__name__}: ", end="")
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        errors.print("interrupted")
        sys.exit(130)
