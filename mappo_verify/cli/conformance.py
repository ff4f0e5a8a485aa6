"""Commands of the conformance kit for library authors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import SeedOption, say

app = typer.Typer(
    help="The kit for authors of libraries: a doctor for test suites, and failures computed again.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def doctor(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Test files, as pytest takes them.")],
    own: Annotated[bool, typer.Option("--own", help="Leave the kit's tests out: what do your own notice?")] = False,
    seed: SeedOption = 0,
) -> None:
    """Plant the known slips in the hooks of a test suite, one at a time, and list those that no test notices.

    Exit code 1 if a slip goes unnoticed.  Example: mappo-verify conformance doctor tests/test_mine.py
    """
    from ..conformance.doctor import examine_suite

    report = examine_suite(files, own, seed)
    for each in report.missed:
        say(f"missed: {each.suite}.{each.hook}: {each.slip}" + (f" ({each.trouble})" if each.trouble else ""))
    say(
        f"{len(report.mutations) - len(report.missed)} of {len(report.mutations)} planted slips are noticed "
        f"by {report.passing} tests"
    )
    raise typer.Exit(1 if report.missed else 0)


@app.command()
def recheck(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files that --mappo-certificates wrote.", exists=True)
    ],
) -> None:
    """Compute recorded failures again from their inputs: does the number of the library contradict the exact value?"""
    from ..conformance.failures import recheck as run_recheck

    valid = True
    for file in files:
        found = run_recheck(file)
        valid = valid and found.valid
        say(f"{file}: {'confirmed' if found.valid else 'rejected'}: {found.reason}")
    raise typer.Exit(0 if valid else 1)
