"""``mappo-verify run``: every algorithm, with a trace that survives whatever ends the run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from .algorithms.recording import Process, State
    from .runs.folder import StoredRun
    from .runs.plan import Result

app = typer.Typer(
    help="Run an algorithm on a game.  Its folder keeps every iteration (trace/), the settings (run.json), the outcome "
    "(summary.json) and a picture (run.svg, run.png) of J, the gap to the optimum, and what the algorithm's theorem allows, if "
    "it has one; a run that was stopped goes on with --resume, bit for bit.\n\n"
    "Exit code 0: the run is whole.  2: bad input, or a step that failed; what was done is kept.  130: interrupted; it is kept, "
    "too.\n\nExample: mappo-verify run constant-step --game climbing --step 0.2 --out climbing",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

WHERE, WHAT, HOW = "Where it is kept", "What it runs on", "How it runs"
OutOption = Annotated[
    Path,
    typer.Option(
        "--out", "-o", metavar="DIR", help="The folder of the run; made if it is not there.", rich_help_panel=WHERE
    ),
]
ResumeOption = Annotated[
    bool,
    typer.Option(
        "--resume", help="Go on with the run in DIR.  Options left out are as they were.", rich_help_panel=WHERE
    ),
]
EveryOption = Annotated[
    float,
    typer.Option(
        "--save-every", metavar="SECONDS", help="How often iterations are written.", min=0.0, rich_help_panel=WHERE
    ),
]
GameOption = Annotated[
    str | None,
    typer.Option(
        "--game",
        "-g",
        metavar="FILE|NAME",
        help="A named game (climbing, two-step, random:3x2x2:7, ...) or a file (.json, .dpomdp, also .gz).",
        rich_help_panel=WHAT,
    ),
]
ProblemOption = Annotated[
    str | None,
    typer.Option(
        "--problem",
        metavar="NAME",
        help="Instead of a game with uniform data and one-hot features: two-agent-gap or one-agent-gap, where Theorem 5.5 "
        "fails.",
        rich_help_panel=WHAT,
    ),
]
FiniteProblemOption = Annotated[
    str | None,
    typer.Option(
        "--problem",
        metavar="NAME",
        help="two-agent-gap, the problem that comes with finite classes of critics (yours: algorithms.pessimistic_finite).",
        rich_help_panel=WHAT,
    ),
]
DiscountOption = Annotated[
    str | None,
    typer.Option("--discount", metavar="γ", help="Replace the game's discount, e.g. 9/10.", rich_help_panel=WHAT),
]
RestartOption = Annotated[
    bool,
    typer.Option("--restart", help="Let a game that ends begin again from its start.", rich_help_panel=WHAT),
]
IterationsOption = Annotated[
    int | None,
    typer.Option("--iterations", "-k", metavar="K", help="How many.  Default: 1000.", min=1, rich_help_panel=HOW),
]
SeedOption = Annotated[
    int | None,
    typer.Option("--seed", metavar="N", help="Of everything random.  Default: 0.", min=0, rich_help_panel=HOW),
]
CriticOption = Annotated[
    str | None,
    typer.Option(
        "--critic",
        metavar="CRITIC",
        help="exact, noisy:ERROR (root mean square), monte-carlo:ROLLOUTS from every state and action, or regression:SAMPLES."
        "  Default: exact.",
        rich_help_panel=HOW,
    ),
]
StepOption = Annotated[
    float | None, typer.Option("--step", "--eta", metavar="η", help="The step.  Default: 0.1.", rich_help_panel=HOW)
]
SamplesOption = Annotated[
    str | None,
    typer.Option(
        "--samples",
        metavar="n|population",
        help="Draws for each iteration and agent, or infinitely many.  Default: population.",
        rich_help_panel=HOW,
    ),
]
PriceOption = Annotated[
    float | None,
    typer.Option(
        "--price",
        metavar="λ",
        help="How much Bellman error counts.  Default: the theorem's for n draws, 1000 on the population.",
        rich_help_panel=HOW,
    ),
]
EvaluatorOption = Annotated[
    str | None,
    typer.Option(
        "--evaluator",
        metavar="EVALUATOR",
        help="Where the class counts.  in-class: the critic lies in it; class-throughout: its rivals in the Bellman error, too, "
        "which is not convex, so slow, and for up to three features or so; unconstrained: Appendix C.1's closed form.  "
        "Default: in-class.",
        rich_help_panel=HOW,
    ),
]


@app.command("algorithm-1")
def algorithm_1(
    out: OutOption,
    game: GameOption = None,
    discount: DiscountOption = None,
    restart: RestartOption = False,
    iterations: IterationsOption = None,
    beta: Annotated[
        float | None,
        typer.Option(metavar="β", help="β_k = β√K.  Default: the theorem's for exact updates.", rich_help_panel=HOW),
    ] = None,
    radius: Annotated[
        float | None,
        typer.Option(metavar="R", help="Keep ‖θ‖ ≤ R; sgd needs it.  Default: no limit.", rich_help_panel=HOW),
    ] = None,
    critic: CriticOption = None,
    solver: Annotated[
        str | None,
        typer.Option(
            metavar="SOLVER",
            help="exact, or Algorithm 3 with T samples: sgd:T from 0 as printed, sgd-repaired:T from the current parameters."
            "  Default: exact.",
            rich_help_panel=HOW,
        ),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(metavar="FEATURES", help="tabular, or random:D.  Default: tabular.", rich_help_panel=HOW),
    ] = None,
    seed: SeedOption = None,
    resume: ResumeOption = False,
    save_every: EveryOption = 1.0,
) -> None:
    """Algorithm 1: multi-agent PPO, each agent conditioned on those before it.

    Example: mappo-verify run algorithm-1 --game climbing --solver sgd:100 --radius 5 --out climbing-1
    """
    options = {"iterations": iterations, "beta": beta, "radius": radius, "critic": critic, "solver": solver}
    options |= {"features": features, "seed": seed}
    _run("algorithm-1", out, resume, save_every, options, game, discount=discount, restart=restart)


def _stepping(name: str, text: str) -> None:
    """A command for an algorithm with a step and a critic."""

    def command(
        out: OutOption,
        game: GameOption = None,
        discount: DiscountOption = None,
        restart: RestartOption = False,
        iterations: IterationsOption = None,
        step: StepOption = None,
        critic: CriticOption = None,
        seed: SeedOption = None,
        resume: ResumeOption = False,
        save_every: EveryOption = 1.0,
    ) -> None:
        options = {"iterations": iterations, "step": step, "critic": critic, "seed": seed}
        _run(name, out, resume, save_every, options, game, discount=discount, restart=restart)

    example = f"Example: mappo-verify run {name} --game climbing --step 0.2 --out climbing-{name}"
    app.command(name, help=f"{text}\n\n{example}")(command)


_stepping("constant-step", "The ideal update of Algorithm 1 with a step that does not depend on K; games may end.")
_stepping("independent-gradient", "Baseline: every agent climbs J along the exact gradient of its own softmax policy.")
_stepping(
    "independent-mirror-descent", "Baseline: Algorithm 1's mirror step for agents that ignore each other's actions."
)
_stepping(
    "shared-parameters", "Baseline: one policy for all agents, as shared-parameter PPO has it; equal action sets."
)
_stepping("joint-mirror-descent", "Baseline: one agent who chooses the joint action.")


def _pessimistic(name: str, text: str) -> None:
    """A command for Algorithm 2."""

    def command(
        out: OutOption,
        game: GameOption = None,
        problem: ProblemOption = None,
        discount: DiscountOption = None,
        iterations: IterationsOption = None,
        samples: SamplesOption = None,
        price: PriceOption = None,
        evaluator: EvaluatorOption = None,
        seed: SeedOption = None,
        resume: ResumeOption = False,
        save_every: EveryOption = 1.0,
    ) -> None:
        options = {"iterations": iterations, "samples": samples, "price": price, "evaluator": evaluator, "seed": seed}
        _run(name, out, resume, save_every, options, game, problem, discount)

    example = f"Example: mappo-verify run {name} --problem two-agent-gap --samples 10000 --out gap-{name}"
    app.command(name, help=f"{text}\n\n{example}")(command)


_pessimistic("algorithm-2", "Algorithm 2 as printed: pessimistic PPO with linear critics, one for each agent.")
_pessimistic("algorithm-2-repaired", "Algorithm 2 repaired: one joint critic, and its averages for the agents.")


def _finite(name: str, text: str) -> None:
    """A command for Algorithm 4."""

    def command(
        out: OutOption,
        problem: FiniteProblemOption = None,
        iterations: IterationsOption = None,
        samples: SamplesOption = None,
        price: PriceOption = None,
        seed: SeedOption = None,
        resume: ResumeOption = False,
        save_every: EveryOption = 1.0,
    ) -> None:
        options = {"iterations": iterations, "samples": samples, "price": price, "seed": seed}
        _run(name, out, resume, save_every, options, None, problem)

    example = f"Example: mappo-verify run {name} --problem two-agent-gap --samples 10000 --out gap-{name}"
    app.command(name, help=f"{text}\n\n{example}")(command)


_finite("algorithm-4", "Algorithm 4 as printed: pessimistic PPO with a finite class of critics for each agent.")
_finite("algorithm-4-repaired", "Algorithm 4 repaired: one finite class of joint critics.")


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
    from .cli import _Progress, errors, output
    from .errors import MappoVerifyError
    from .runs.folder import SUMMARY, begin_run, has_iterations, open_run, require_same, resume_run
    from .runs.plan import Plan

    if resume:
        stored = open_run(out)
        given = {"algorithm": algorithm, "game": game, "problem": problem, "discount": discount}
        require_same(stored, {**given, "restart": restart or None}, options)
        if (out / SUMMARY).exists() and stored.trace().iterations == stored.plan.options["iterations"]:
            text = f"{out} holds the whole run already: nothing is left to do"
            output.print(text, markup=False, highlight=False, soft_wrap=True)
            return
        if stored.is_of_other_software():
            text = f"note: begun by {stored.software}, so the last bits may differ from a run that was never stopped"
            errors.print(text, markup=False, highlight=False, soft_wrap=True)
    else:
        chosen = {name: value for name, value in options.items() if value is not None}
        plan = Plan(algorithm, game, problem, discount, restart, chosen)
    try:
        with _Progress(algorithm) as progress:
            watch = _watch(progress)
            trace = resume_run(out, every, watch) if resume else begin_run(plan, out, every, watch)
    except (MappoVerifyError, KeyboardInterrupt) as error:
        if (resume or not _refused(error)) and has_iterations(out):
            done = open_run(out).trace().iterations
            text = f"{done:,} iterations are kept; go on with: mappo-verify run {algorithm} --out {out} --resume"
            errors.print(text, markup=False, highlight=False, soft_wrap=True)
        raise
    _finish(open_run(out), trace)


def _refused(error: BaseException) -> bool:
    """Whether nothing was begun."""
    from .errors import RunError

    return isinstance(error, RunError)


def _watch(progress: Any) -> Any:
    """The current ``J`` and gap on the live line, ten times a second; nothing where nobody looks."""
    from .quantities.optimal import optimal
    from .quantities.values import returns
    from .runs.storage import unwatched
    from .runs.summary import start_for

    if not progress.visible:
        return unwatched
    shown, optimum = 0.0, None

    def watch(process: Process, state: State) -> None:
        nonlocal shown, optimum
        if time.monotonic() - shown < 0.1:
            return
        shown, start = time.monotonic(), start_for(process.game)
        if optimum is None:
            optimum = float(optimal(process.game).values @ start)
        value = float(returns(process.game, process.policy(state), start))
        text = f"k = {state.k:,} of {process.iterations:,}   J = {value:.4f}   gap = {optimum - value:.3g}"
        progress(text, state.k / process.iterations)

    return watch


def _finish(run: StoredRun, trace: Result) -> None:
    """summary.json, the picture, and a sentence."""
    from .cli import _write_json, output
    from .report.plots import run_overview, save
    from .runs.folder import SUMMARY
    from .runs.summary import summarise

    data = summarise(run, trace)
    files = save(run_overview(data), run.folder / "run")
    _write_json(data, run.folder / SUMMARY)  # last: where it is, everything is
    for text in (data["finding"], data["says"], f"wrote {', '.join(map(str, (*files, run.folder / SUMMARY)))}"):
        output.print(text, markup=False, highlight=False, soft_wrap=True)
