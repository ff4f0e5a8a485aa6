"""``mappo-verify run``: every algorithm, with a trace that survives whatever ends the run."""

from __future__ import annotations

import time
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..runs.algorithms import ALGORITHMS, PROBLEMS, Entry
from ..runs.options import Option
from .terminal import GAME_HELP, Progress, say, warn, write_json

if TYPE_CHECKING:
    from ..algorithms.recording import Process, State
    from ..runs.algorithms import Result
    from ..runs.folder import StoredRun

app = typer.Typer(
    help="Run an algorithm on a game.  Its folder keeps every iteration (trace/), the settings (run.json), the outcome "
    "(summary.json) and a picture (run.svg, run.png) of J, the gap to the optimum, and what the algorithm's theorem allows, if "
    "it has one; a run that was stopped goes on with --resume, bit for bit.\n\n"
    "Exit code 0: the run is complete.  2: bad input, or a step that failed.  130: interrupted.  Completed iterations are "
    "always kept.\n\nExample: mappo-verify run constant-step --game climbing --step 0.2 --out climbing",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

WHERE, WHAT, HOW = "Where it is kept", "What it runs on", "How it runs"


def _parameter(name: str, kind: Any, default: Any, option: Any) -> Parameter:
    """A parameter of a command, as Typer reads it."""
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])


OUT = _parameter(
    "out",
    Path,
    Parameter.empty,
    typer.Option(
        "--out", "-o", metavar="DIR", help="The folder of the run; made if it is not there.", rich_help_panel=WHERE
    ),
)
RESUME = _parameter(
    "resume",
    bool,
    False,
    typer.Option(
        "--resume",
        help="Go on with the run in DIR.  Options that are left out are as they were.",
        rich_help_panel=WHERE,
    ),
)
EVERY = _parameter(
    "save_every",
    float,
    1.0,
    typer.Option(
        "--save-every",
        metavar="SECONDS",
        help="Iterations are written when so many seconds have passed, 0 or more.",
        min=0.0,
        rich_help_panel=WHERE,
    ),
)
GAME = _parameter(
    "game",
    str | None,
    None,
    typer.Option("--game", "-g", metavar="FILE|NAME", help=GAME_HELP, rich_help_panel=WHAT),
)
PROBLEM = _parameter(
    "problem",
    str | None,
    None,
    typer.Option(
        "--problem",
        metavar="NAME",
        help=f"Instead of a game with uniform data and one-hot features: {' or '.join(PROBLEMS)}, where Theorem 5.5 fails.",
        rich_help_panel=WHAT,
    ),
)
DISCOUNT = _parameter(
    "discount",
    str | None,
    None,
    typer.Option(
        "--discount",
        metavar="γ",
        help="Replaces the game's discount, 0 to 1, for instance 9/10 or 0.95.",
        rich_help_panel=WHAT,
    ),
)
RESTART = _parameter(
    "restart",
    bool,
    False,
    typer.Option("--restart", help="Let a game that ends begin again from its start.", rich_help_panel=WHAT),
)


def _option(option: Option) -> Parameter:
    """An algorithm's own option; left out, it is None, so that a resumed run keeps what it has."""
    names = (f"--{option.name}", *option.flags)
    shown = typer.Option(*names, metavar=option.sign, help=option.help, min=option.least, rich_help_panel=HOW)
    return _parameter(option.name, option.kind | None, None, shown)


def _add_command(name: str, entry: Entry) -> None:
    """``mappo-verify run NAME``, from the algorithm's row."""
    subject = (GAME, PROBLEM, DISCOUNT) if entry.offline else (GAME, DISCOUNT, RESTART)
    own = {option.name: _option(option) for option in entry.options}
    parameters = (OUT, *subject, *own.values(), RESUME, EVERY)

    def command(**given: Any) -> None:
        options = {option: given.pop(option) for option in own}
        _run(name, given.pop("out"), given.pop("resume"), given.pop("save_every"), options, **given)

    described: Any = command
    described.__signature__ = Signature(list(parameters), return_annotation=None)
    described.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    example = f"Example: mappo-verify run {name} {entry.example} --out run-1"
    app.command(name, help=f"{entry.about}\n\n{example}")(command)


for _name, _entry in ALGORITHMS.items():
    _add_command(_name, _entry)


# --- what they all do -----------------------------------------------------------------------------------------------------


def _run(
    algorithm: str,
    out: Path,
    resume: bool,
    every: float,
    options: dict[str, Any],
    game: str | None = None,
    problem: str | None = None,
    discount: str | None = None,
    restart: bool = False,
) -> None:
    """Begin or go on, then say what was found, write it, and draw it."""
    from ..errors import MappoVerifyError
    from ..runs.folder import SUMMARY, begin_run, has_iterations, open_run, require_same, resume_run
    from ..runs.plan import FORMER_PROBLEMS, Plan

    if resume:
        stored = open_run(out)
        asked = FORMER_PROBLEMS.get(problem or "", problem)
        given = {"algorithm": algorithm, "game": game, "problem": asked, "discount": discount}
        require_same(stored, {**given, "restart": restart or None}, options)
        if (out / SUMMARY).exists() and stored.trace().iterations == stored.plan.options["iterations"]:
            text = f"{out} holds the complete run already: nothing is left to do"
            say(text)
            return
        if stored.is_of_other_software():
            text = f"note: begun by {stored.software}, so the last bits may differ from a run that was never stopped"
            warn(text)
    else:
        chosen = {name: value for name, value in options.items() if value is not None}
        plan = Plan(algorithm, game, problem, discount, restart, chosen)
    try:
        with Progress(algorithm) as progress:
            watch = _watch(progress)
            trace = resume_run(out, every, watch) if resume else begin_run(plan, out, every, watch)
    except (MappoVerifyError, KeyboardInterrupt) as error:
        if (resume or not _refused(error)) and has_iterations(out):
            done = open_run(out).trace().iterations
            text = f"{done:,} iterations are kept; go on with: mappo-verify run {algorithm} --out {out} --resume"
            warn(text)
        raise
    _finish(open_run(out), trace)


def _refused(error: BaseException) -> bool:
    """Whether nothing was begun."""
    from ..errors import RunError

    return isinstance(error, RunError)


def _watch(progress: Any) -> Any:
    """Shows the current ``J`` and gap on the live line, ten times a second; does nothing where there is no such line."""
    from ..arithmetic import floats_of
    from ..quantities.optimal import optimal
    from ..quantities.values import returns
    from ..runs.storage import unwatched
    from ..runs.summary import start_for

    if not progress.visible:
        return unwatched
    shown, optimum = 0.0, None

    def watch(process: Process, state: State) -> None:
        nonlocal shown, optimum
        if time.monotonic() - shown < 0.1:
            return
        shown, start = time.monotonic(), start_for(process.game)
        if optimum is None:
            optimum = float(floats_of(optimal(process.game).values @ start))
        value = float(floats_of(returns(process.game, process.policy(state), start)))
        text = f"k = {state.k:,} of {process.iterations:,}   J = {value:.4f}   gap = {optimum - value:.3g}"
        progress(text, state.k / process.iterations)

    return watch


def _finish(run: StoredRun, trace: Result) -> None:
    """summary.json, the picture, and a sentence."""
    from ..report.plots.run import run_overview
    from ..report.plots.style import save
    from ..runs.folder import SUMMARY
    from ..runs.summary import summarise

    data = summarise(run, trace)
    files = save(run_overview(data), run.folder / "run")
    write_json(data, run.folder / SUMMARY)  # last: where it is, everything is
    for text in (data["finding"], data["says"], f"wrote {', '.join(map(str, (*files, run.folder / SUMMARY)))}"):
        say(text)
