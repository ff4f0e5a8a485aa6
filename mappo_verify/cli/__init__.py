"""The command line, ``mappo-verify``: one module for each group of commands, and :mod:`.terminal` for what they share."""

from __future__ import annotations

from typing import Annotated

import typer

from . import campaign, claims, conformance, games, reproduce, run
from .terminal import ending_in_exit_codes, say

app = typer.Typer(
    name="mappo-verify",
    help="Puts the mathematics of multi-agent reinforcement learning on trial: certified verdicts, exact counterexamples.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(claims.app)
app.add_typer(games.app)
app.add_typer(reproduce.app, name="reproduce")
app.add_typer(run.app, name="run")
app.add_typer(conformance.app, name="conformance")
app.add_typer(campaign.app, name="campaign", no_args_is_help=True)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        say(f"mappo-verify {version('mappo-verify')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point: every error that the toolkit raises on purpose ends in one line and exit code 2."""
    ending_in_exit_codes(app)
