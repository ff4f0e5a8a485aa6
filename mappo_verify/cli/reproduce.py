"""``mappo-verify reproduce``: the paper's figures and comparisons, recomputed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from .terminal import Progress, make_folder, say, write_json

app = typer.Typer(
    help="Recompute the paper's figures and comparisons: pictures (SVG, PNG), and JSON with every number.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

OutOption = Annotated[
    Path, typer.Option("--out", "-o", metavar="DIR", help="The folder to write to; made if it is not there.")
]
SeedOption = Annotated[int, typer.Option(help="Makes every run reproducible.", min=0)]

Pictures = dict[str, Callable[[dict[str, Any]], Any]]
"""Names of files without ending, and what draws them from the data."""


@app.command("algorithm-3")
def algorithm_3(
    out: OutOption,
    iterations: Annotated[int, typer.Option(help="K, the iterations of Algorithm 1.", min=1)] = 200,
    runs: Annotated[int, typer.Option(help="How many runs a curve is the mean of.", min=1)] = 16,
    seed: SeedOption = 0,
) -> None:
    """Algorithm 3 as printed stalls; started at the current parameters it does not.

    Writes algorithm-3 (.svg, .png, .json); under a minute.
    """
    from ..report.plots.algorithm_3 import algorithm_3_stall
    from ..reproduction.algorithm_3 import algorithm_3 as compute

    _reproduce(
        "Algorithm 3",
        lambda progress: compute(progress, iterations, runs, seed),
        out,
        {"algorithm-3": algorithm_3_stall},
    )


@app.command("figure-1")
def figure_1(
    out: OutOption,
    iterations: Annotated[
        int, typer.Option(help="Length of every run; the printed panels need 20000.", min=1)
    ] = 20_000,
) -> None:
    """Appendix E: the ratio game's six panels, and the landscape behind them.

    Writes figure-1 and figure-1-landscape (.svg, .png) and figure-1.json; under a minute.
    """
    from ..report.plots.figure_1 import figure_1_landscape, figure_1_panels
    from ..reproduction.figure_1 import figure_1 as compute

    _reproduce(
        "figure 1",
        lambda progress: compute(progress, iterations),
        out,
        {"figure-1": figure_1_panels, "figure-1-landscape": figure_1_landscape},
    )


@app.command("section-4.3")
def section_4_3(
    out: OutOption,
    iterations: Annotated[int, typer.Option(help="Length of every run.", min=1)] = 2_000,
    starts: Annotated[int, typer.Option(help="How many random starts.", min=1)] = 200,
    seed: SeedOption = 0,
) -> None:
    """Section 4.3: which algorithm stops at which equilibrium, and what sharing parameters costs.

    Writes section-4.3 (.svg, .png, .json); under a minute.
    """
    from ..report.plots.section_4_3 import section_4_3_overview
    from ..reproduction.section_4_3 import section_4_3 as compute

    _reproduce(
        "section 4.3",
        lambda progress: compute(progress, iterations, starts, seed),
        out,
        {"section-4.3": section_4_3_overview},
    )


@app.command("theorem-5.5")
def theorem_5_5(
    out: OutOption,
    iterations: Annotated[int, typer.Option(help="K, the iterations of Algorithm 2.", min=1)] = 600,
    runs: Annotated[int, typer.Option(help="How many runs a curve is the mean of.", min=1)] = 8,
    repetitions: Annotated[int, typer.Option(help="Runs for each number of samples in the slope.", min=2)] = 1_000,
    seed: SeedOption = 0,
) -> None:
    """Theorem 5.5 on its two counterexamples with sampled data, printed and repaired; and the repaired rate in n.

    Writes theorem-5.5-gap and theorem-5.5-slope (.svg, .png) and theorem-5.5.json; about a minute.
    """
    from ..report.plots.theorem_5_5 import theorem_5_5_gap, theorem_5_5_slope
    from ..reproduction.theorem_5_5 import theorem_5_5 as compute

    _reproduce(
        "Theorem 5.5",
        lambda progress: compute(progress, iterations, runs, repetitions, seed),
        out,
        {"theorem-5.5-gap": theorem_5_5_gap, "theorem-5.5-slope": theorem_5_5_slope},
    )


def _reproduce(name: str, compute: Callable[[Any], dict[str, Any]], out: Path, pictures: Pictures) -> None:
    """Compute with progress, write, draw; the folder is tried first, so that no work is lost."""
    make_folder(out)
    with Progress(name) as progress:
        data = compute(progress)
    write_reproduction(data, out, pictures)


def write_reproduction(data: dict[str, Any], out: Path, pictures: Pictures) -> None:
    """Pictures and numbers into a folder; what was found, and where it is, onto the terminal."""
    from ..report.plots.style import save

    files = [out / f"{data['figure']}.json"]
    write_json(data, files[0])
    try:
        for name, draw in pictures.items():
            files += save(draw(data), out / name)
    except OSError as error:
        raise typer.BadParameter(f"cannot write {error.filename}: {error.strerror}") from None
    for finding in data["findings"]:
        say(f"- {finding['says']}")
    say(f"wrote {', '.join(map(str, files))}")
