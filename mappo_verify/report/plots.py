"""Pictures of reproductions: the only module that imports Matplotlib, and only inside functions.

Every function takes plain data (a ``reproduction`` module's) and returns a Matplotlib ``Figure`` that no window knows of.
Colours are Okabe and Ito's, safe for colour-blind readers; every curve has a line style and a label of its own, so nothing is
lost in grey.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

BLUE, GREEN, RED, GREY, BLACK = "#0072B2", "#009E73", "#D55E00", "#8c8c8c", "#111111"
SOLID, DASHED, DOTTED, BROKEN = "-", (0, (5, 2)), (0, (1, 1.3)), (0, (6, 1.5, 1, 1.5))

SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "mappo-verify",  # the same file from the same data
    "svg.fonttype": "path",
}


def save(figure: Any, stem: Path) -> list[Path]:
    """Write ``stem.svg`` and ``stem.png``, without dates, so that the same data gives the same files."""
    from matplotlib import rc_context

    files = [stem.with_name(stem.name + ending) for ending in (".svg", ".png")]
    with rc_context(SETTINGS):
        figure.savefig(files[0], metadata={"Date": None}, facecolor="white")
        figure.savefig(files[1], dpi=150, facecolor="white")
    return files


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _title(figure: Any, title: str, below: str) -> None:
    """What the picture says, and under it what one sees."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=13.5, fontweight="bold")
    figure.supxlabel(below, x=0.01, ha="left", fontsize=8.8, color="#333333")


# --- Algorithm 3 ------------------------------------------------------------------------------------------------------

STARTS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "zero": (RED, (DOTTED, BROKEN, DASHED)),
    "current": (BLUE, (SOLID,)),
}
"""The colour of the runs that start there, and their line styles in order of ``T``."""
STARTED = {
    "zero": ("as printed: every iteration starts at θ = 0", 0.3, 0.27),
    "current": ("repaired: it starts at θₖ", 0.3, 0.82),
}
"""What is different about them, and where in the picture that stands."""


def algorithm_3_stall(data: dict[str, Any]) -> Any:
    """``J(π_k)`` of Algorithm 1 with Algorithm 3 inside, printed and repaired; the bands are the spread of the runs."""
    from matplotlib import rc_context

    with rc_context(SETTINGS):
        figure = _figure(8, 4.8)
        axes = figure.subplots()
        for level, text, above in ((0.5, "the uniform policy", -11), (1.0, "the optimum", 4)):
            axes.axhline(level, color=GREY, linewidth=0.8, zorder=1)
            axes.annotate(text, (0, level), (6, above), textcoords="offset points", color="#666666")
        for start, (color, styles) in STARTS.items():
            curves = sorted((c for c in data["curves"] if c["start"] == start), key=lambda curve: curve["steps"])
            for place, curve in enumerate(curves):
                _run(axes, curve, color, styles[place % len(styles)])
            text, across, up = STARTED[start]
            axes.text(across, up, text, transform=axes.transAxes, color=color, fontsize=10.5, fontweight="bold")
        axes.set_xlim(0, data["iterations"])
        axes.set_ylim(0.47, 1.03)
        axes.set_xlabel("iteration k of Algorithm 1")
        axes.set_ylabel("expected reward J(πₖ)")
        _title(
            figure,
            "Algorithm 3 as printed stalls: it forgets what earlier iterations learned",
            f"Two actions with rewards 1 and 0.  T: gradient steps per iteration.  Lines: mean of {data['runs']} runs; bands: "
            f"lowest to highest.\nThe ball ‖θ‖ ≤ R = {data['radius']:g} allows these runs at most 1/(1 + e⁻ᴿ) = "
            f"{1 / (1 + math.exp(-data['radius'])):.3f}, since only the paying action's parameter moves.",
        )
        return figure


def _run(axes: Any, curve: dict[str, Any], color: str, style: Any) -> None:
    """A line, the band of its runs, and its label behind its end."""
    mean = curve["mean"]
    k, label = range(len(mean)), f"T = {curve['steps']}:  {mean[-1]:.3f}"
    axes.fill_between(k, curve["lowest"], curve["highest"], color=color, alpha=0.18, linewidth=0)
    axes.plot(k, mean, color=color, linestyle=style, linewidth=2, zorder=3, label=label)
    axes.annotate(
        label, (k[-1], mean[-1]), (6, 0), textcoords="offset points", va="center", color=color, annotation_clip=False
    )


# --- Theorem 5.5 ------------------------------------------------------------------------------------------------------

VARIANTS = {"printed": (RED, BROKEN), "repaired": (BLUE, SOLID)}
FAILURES = {1: "one agent, a class that is not complete", 2: "two agents, complete classes"}
REPAIRS = {1: "repaired:\na complete class", 2: "repaired:\none joint critic"}
"""What fails and what the repair is, by the number of agents."""


def theorem_5_5_gap(data: dict[str, Any]) -> Any:
    """``J(π_k)`` of Algorithm 2, printed and repaired, on both counterexamples to Theorem 5.5."""
    from matplotlib import rc_context

    with rc_context(SETTINGS):
        figure = _figure(9.4, 4.6)
        for axes, panel in zip(figure.subplots(1, len(data["panels"])), data["panels"], strict=True):
            axes.axhline(panel["optimum"], color=GREY, linewidth=0.8, zorder=1)
            axes.annotate(
                "the optimum", (0, panel["optimum"]), (4, 4), textcoords="offset points", color="#666666", zorder=1
            )
            for curve in panel["curves"]:
                color, style = VARIANTS[curve["variant"]]
                mean = curve["mean"]
                k, name = range(len(mean)), REPAIRS[panel["agents"]] if curve["variant"] == "repaired" else "printed"
                axes.fill_between(k, curve["lowest"], curve["highest"], color=color, alpha=0.18, linewidth=0)
                axes.plot(k, mean, color=color, linestyle=style, linewidth=2, zorder=3)
                axes.annotate(
                    f"{name}\n{mean[-1]:.3f}",
                    (k[-1], mean[-1]),
                    (6, 0),
                    textcoords="offset points",
                    va="center",
                    color=color,
                    annotation_clip=False,
                )
            axes.set_xlim(0, data["iterations"])
            axes.set_title(
                "two agents, complete classes" if panel["agents"] > 1 else "one agent, a class that is not complete"
            )
            axes.set_xlabel("iteration k of Algorithm 2")
            axes.set_ylabel("expected reward J(πₖ)")
        _title(
            figure,
            "Algorithm 2 as printed walks away from the optimum; repaired it walks towards it",
            f"Fresh data in every iteration: n = {data['draws']:,} draws for each agent; λ as in Theorem 5.5; every run starts "
            f"at the uniform policy.\nLines: mean of {data['runs']} runs; bands: lowest to highest, where wide enough to see.",
        )
        return figure


def theorem_5_5_slope(data: dict[str, Any]) -> Any:
    """What estimation costs the repaired Algorithm 2, against the number of draws, both logarithmic."""
    from matplotlib import rc_context

    slope = data["slope"]
    rows = slope["rows"]
    draws = [row["draws"] for row in rows]
    with rc_context(SETTINGS):
        figure = _figure(7.6, 4.8)
        axes = figure.subplots()
        spread = [[row[end] for row in rows] for end in ("low", "high")]
        axes.fill_between(draws, *spread, color=BLUE, alpha=0.18, linewidth=0)
        printed = [rows[0]["bound"] * (n / draws[0]) ** (-1 / 3) for n in draws]
        bounds, means = ([row[name] for row in rows] for name in ("bound", "mean"))
        lines = (
            (bounds, GREEN, DASHED, f"bound of the repaired\ntheorem: $n^{{{slope['bound_slope']:.2f}}}$"),
            (means, BLUE, SOLID, f"measured: $n^{{{slope['slope']:.2f}}}$"),
            (printed, GREY, DOTTED, "slope of the printed\nbound: $n^{-1/3}$"),
        )  # fmt: skip
        for values, color, style, label in lines:
            axes.plot(draws, values, color=color, linestyle=style, linewidth=2, marker="o", markersize=3.5, zorder=3)
            axes.annotate(
                label,
                (draws[-1], values[-1]),
                (8, 0),
                textcoords="offset points",
                va="center",
                color=color,
                annotation_clip=False,
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("n, draws in every iteration")
        axes.set_ylabel("what estimation costs: Term II + optimism")
        _title(
            figure,
            "With one joint critic and λ = √n, what estimation costs falls like 1/√n",
            f"Two states, two agents, one-hot features, γ = 1/2, {slope['iterations']} iterations.  Line: mean of "
            f"{slope['repetitions']:,} runs for each n; band: 95 % of them.",
        )
        return figure
