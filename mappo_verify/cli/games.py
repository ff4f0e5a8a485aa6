"""Commands about games: the named ones, and what is optimal in one."""

from __future__ import annotations

from typing import Annotated

import typer

from .terminal import (
    GAME_HELP,
    DiscountOption,
    Progress,
    game_of,
    output,
)

app = typer.Typer()


@app.command()
def games() -> None:
    """List the named games."""
    from ..report.terminal import games_table

    output.print(games_table())


@app.command()
def optimal(
    game: Annotated[str, typer.Option("--game", "-g", metavar="FILE|NAME", help=GAME_HELP)],
    discount: DiscountOption = None,
    floats: Annotated[
        bool, typer.Option("--floats", help="Use float64: fast, for large games; optimality is then approximate.")
    ] = False,
) -> None:
    """Optimal values and an optimal joint policy, with a certificate that is checked."""
    from ..quantities.optimal import optimal as solve
    from ..report.terminal import optimum_table

    subject = game_of(game, discount)
    assert subject is not None
    subject = subject.floats() if floats else subject.exact()
    with Progress("policy iteration"):
        best = solve(subject)
    output.print(optimum_table(subject, best))
    raise typer.Exit(0 if best.certificate.holds else 1)
