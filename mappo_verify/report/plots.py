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

STYLE: dict[str, dict[str, Any]] = {
    "algorithm_1": {"color": BLUE, "linestyle": SOLID, "linewidth": 2.2, "zorder": 5},
    "independent_mirror_descent": {"color": GREEN, "linestyle": BROKEN, "linewidth": 1.9, "zorder": 4},
    "independent_gradient": {"color": RED, "linestyle": DASHED, "linewidth": 2.2, "zorder": 4},
    "shared_parameters": {"color": BLACK, "linestyle": DOTTED, "linewidth": 2.2, "zorder": 3},
    "simulated_reported": {"color": BLACK, "linestyle": DOTTED, "linewidth": 1.8, "zorder": 6},
    "simulated_true": {"color": GREY, "linestyle": SOLID, "linewidth": 3.2, "zorder": 2},
}
LABEL = {
    "algorithm_1": "Algorithm 1",
    "independent_mirror_descent": "independent mirror descent",
    "independent_gradient": "independent gradient",
    "shared_parameters": "shared parameters",
    "simulated_reported": "published simulation, score it reports",
    "simulated_true": "published simulation, true value",
}
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


def _found(data: dict[str, Any], name: str, key: str) -> Any:
    """One number of a finding, so that none is typed into a picture."""
    return next(finding[key] for finding in data["findings"] if finding["id"] == name)


def _thousands(value: float, _: Any = None) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def _label(
    axes: Any, text: str, curve: tuple[Any, Any], at: float, shift: tuple[float, float], color: str, **more: Any
) -> None:
    """``text`` beside the point of a curve at ``x = at``, moved by ``shift`` points, with a thin line if it moves far."""
    import numpy as np

    point = (at, float(np.interp(at, *curve)))
    far = math.hypot(*shift) > 14
    line = {"arrowstyle": "-", "color": color, "linewidth": 0.7, "shrinkB": 2} if far else None
    axes.annotate(
        text,
        point,
        shift,
        textcoords="offset points",
        color=color,
        fontsize=8.3,
        arrowprops=line,
        zorder=9,
        **{"ha": "left", "va": "center", **more},
    )


# --- Figure 1 ---------------------------------------------------------------------------------------------------------

ZOOM = {
    "b": (0.23, 0.3, 0.5, 0.52),
    "c": (0.63, 0.19, 0.36, 0.56),
    "e": (0.3, 0.1, 0.66, 0.62),
    "f": (0.3, 0.1, 0.66, 0.62),
}
"""Where a panel shows its first iterations once more, enlarged."""
ZOOMED = {"b": 4_000, "c": 800, "e": 1_500, "f": 300}


def figure_1_panels(data: dict[str, Any]) -> Any:
    """The six panels of Figure 1, on the printed axes, with the first iterations enlarged."""
    from matplotlib import rc_context

    with rc_context(SETTINGS):
        figure = _figure(13, 8.2)
        grid = figure.subplots(2, 3, sharey=True)
        for axes, panel in zip(grid.flat, data["panels"], strict=True):
            _panel(axes, panel, data["curves"])
        for axes in grid[:, 0]:
            axes.set_ylabel("value V of the joint policy")
        for axes in grid[1]:
            axes.set_xlabel("iterations")
        _label_first_panels(grid, data["panels"])
        arrivals = {panel["panel"]: panel["arrival"] for panel in data["panels"]}
        title = (
            "Figure 1 rerun: independent gradient is slow, not trapped, and the mirror step explains most of the gap"
        )
        _title(
            figure,
            title if all(_mirror_explains(arrivals[panel]) for panel in "cf") else "Figure 1 rerun",
            "Von Neumann's ratio game; the maximum is V(1, 1) = 1, and no other policy is stationary.  All runs begin at "
            f"V = {_found(data, 'constant-line', 'value')}.  Grey line: V = 1/2, the plateau near (1, 0).\n"
            f"Iterations until V ≥ 0.99 at η = 0.05, Algorithm 1 / independent mirror descent / independent gradient:  "
            f"{_arrivals(arrivals['c'])} in (c),  {_arrivals(arrivals['f'])} in (f).\n"
            "The published simulation moves logits by values of committing to actions, not by Q, and reports the value of the "
            "marginals (dotted), not of its policy (grey).",
        )
        return figure


def _mirror_explains(arrival: dict[str, int | None]) -> bool:
    """Whether all arrive, and more than half of what gradient loses to Algorithm 1 it loses to independent mirror descent."""
    fast, mirror, slow = (arrival[name] for name in ARRIVING)
    return fast is not None and mirror is not None and slow is not None and slow - mirror > mirror - fast


ARRIVING = ("algorithm_1", "independent_mirror_descent", "independent_gradient")


def _arrivals(arrival: dict[str, int | None]) -> str:
    return " / ".join("never" if arrival[name] is None else f"{arrival[name]:,}" for name in ARRIVING)


def _panel(axes: Any, panel: dict[str, Any], curves: list[str]) -> None:
    _curves(axes, panel, curves, panel["iterations"])
    axes.set_title(f"({panel['panel']})  {panel['start']} start,  η = {panel['step']}", fontweight="bold")
    axes.set_ylim(0.43, 1.02)
    if panel["panel"] in ZOOM and panel["iterations"] > ZOOMED[panel["panel"]]:
        inset = axes.inset_axes(ZOOM[panel["panel"]])
        _curves(inset, panel, curves, ZOOMED[panel["panel"]])
        inset.set_ylim(0.43, 1.02)
        inset.tick_params(labelsize=7.2, colors="#444444")
        inset.set_title("the beginning, enlarged", fontsize=7.8, color="#444444", pad=3)
        for spine in inset.spines.values():
            spine.set(visible=True, color="#bbbbbb", linewidth=0.8)


def _curves(axes: Any, panel: dict[str, Any], curves: list[str], last: int) -> None:
    shown = [i for i, before in enumerate([0, *panel["at"][:-1]]) if before <= last]  # one point beyond, to be cut off
    for name in curves:
        axes.plot([panel["at"][i] for i in shown], [panel["values"][name][i] for i in shown], **STYLE[name])
    axes.axhline(0.5, color="#c4c4c4", linewidth=0.8, zorder=0)
    axes.set_xlim(0, last)
    axes.xaxis.set_major_formatter(_thousands)
    axes.locator_params(axis="x", nbins=5)


def _label_first_panels(grid: Any, panels: list[dict[str, Any]]) -> None:
    """Names beside the curves of (a) and (d), where they lie apart."""
    places = {
        0: {
            "simulated_true": (0.46, (-16, 20), "right"),
            "algorithm_1": (0.55, (14, -14), "left"),
            "independent_mirror_descent": (0.86, (-16, 16), "right"),
            "independent_gradient": (0.8, (0, -10), "center"),
        },
        3: {
            "simulated_true": (0.014, (62, -46), "left"),
            "simulated_reported": (0.011, (62, -46), "left"),
            "algorithm_1": (0.24, (62, -12), "left"),
            "independent_mirror_descent": (0.2, (70, -26), "left"),
            "independent_gradient": (0.62, (0, -12), "left"),
        },
    }
    for place, labels in places.items():
        panel, axes = panels[place], grid.flat[place]
        for name, (share, shift, side) in labels.items():
            color = "#5f5f5f" if name == "simulated_true" else STYLE[name]["color"]
            text = "published simulation" if (place, name) == (0, "simulated_true") else LABEL[name]
            _label(axes, text, (panel["at"], panel["values"][name]), share * panel["iterations"], shift, color, ha=side)


def figure_1_landscape(data: dict[str, Any]) -> Any:
    """``V`` over the plane: the square of policies, the stationary point below it, and how independent gradient moves."""
    from fractions import Fraction

    from matplotlib import rc_context
    from matplotlib.patches import Rectangle

    land = data["landscape"]
    x, y = (float(Fraction(text)) for text in land["stationary_point"])
    with rc_context(SETTINGS):
        figure = _figure(9.4, 9.2)
        axes = figure.subplots()
        levels = [-1, -0.5, -0.25, 0, 0.2, 0.35, 5 / 11, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2]
        axes.contourf(
            land["x"], land["y"], land["V"], levels, cmap="cividis", alpha=0.5, vmin=-0.6, vmax=1.15, extend="both"
        )
        lines = axes.contour(land["x"], land["y"], land["V"], levels, colors="#444444", linewidths=0.6, linestyles="-")
        axes.clabel(lines, levels=[0, 0.2, 0.35, 0.6, 0.7, 0.8, 0.9, 1], fontsize=7.5, fmt="%.4g")
        axes.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor=BLACK, linewidth=2, zorder=4))
        axes.axvline(x, color="white", linewidth=2, zorder=3)
        axes.axhline(y, color="white", linewidth=2, zorder=3)
        for path in land["paths"]:
            if path["algorithm"] == "independent_gradient":
                _path(axes, path)
        axes.plot([x], [y], marker="*", markersize=19, color=RED, markeredgecolor="white", zorder=8, clip_on=False)
        axes.plot([1], [1], marker="o", markersize=11, color=BLACK, markeredgecolor="white", zorder=8)
        _note(axes, "the only stationary point of V:\n(1/2, -1/11), not a policy", (x, y), (26, -34))
        _note(axes, "maximum V(1, 1) = 1:\nthe only stationary policy", (1, 1), (-128, -30))
        _note(axes, "the square:\nall policies", (0, 0.62), (12, 0), arrow=False)
        _note(axes, f"V = {_found(data, 'constant-line', 'value')} on both lines", (0.5, -0.315), (10, 0), arrow=False)
        axes.set(xlim=(min(land["x"]), max(land["x"])), ylim=(min(land["y"]), max(land["y"])))
        axes.set_xlabel("x: agent 1 plays its first action")
        axes.set_ylabel("y: agent 2 plays its first action")
        axes.set_aspect("equal")
        _title(
            figure,
            "The stationary point is no policy; beside it, independent gradient climbs slowly",
            f"Independent gradient, η = {land['paths'][0]['step']}, from both starts of Section E; dots: iterations.  From near "
            "(1/2, 0) it goes towards (1, 0),\nwhere V = 1/2 and agent 2's gradient carries the tiny factor y(1-y); then up.  "
            f"∂V/∂x ≥ {_found(data, 'slope', 'smallest_slope_on_grid')} everywhere on the square.",
        )
        return figure


MARKS = (300, 1_000, 3_000, 3_700, 4_000)
"""Iterations that are marked on a path."""


def _path(axes: Any, path: dict[str, Any]) -> None:
    """One run, with dots at some iterations."""
    import numpy as np

    style = {"near-stationary": SOLID, "uniform": DASHED}[path["start"]]
    axes.plot(path["x"], path["y"], color="white", linewidth=4.5, zorder=5)
    axes.plot(path["x"], path["y"], color=RED, linewidth=2.3, linestyle=style, zorder=6)
    axes.plot(path["x"][:1], path["y"][:1], marker="s", markersize=8, color=RED, markeredgecolor="white", zorder=7)
    name = f"{path['start']} start"
    shift, side = {"near-stationary": ((-12, 14), "right"), "uniform": ((-14, 0), "right")}[path["start"]]
    _note(axes, name, (path["x"][0], path["y"][0]), shift, arrow=False, ha=side, color="#a34700")
    for k in (k for k in MARKS if k <= path["at"][-1]):
        here = (float(np.interp(k, path["at"], path["x"])), float(np.interp(k, path["at"], path["y"])))
        axes.plot(here[:1], here[1:], marker="o", markersize=5, color=RED, markeredgecolor="white", zorder=7)
        if path["start"] == "near-stationary":
            _note(axes, f"{k:,}", here, (8, 7), arrow=False, color="#a34700")


def _note(
    axes: Any, text: str, at: tuple[float, float], shift: tuple[float, float], arrow: bool = True, **more: Any
) -> None:
    """A few words on a light ground, so that they can be read on any colour."""
    axes.annotate(
        text,
        at,
        shift,
        textcoords="offset points",
        fontsize=8.8,
        zorder=10,
        arrowprops={"arrowstyle": "-", "color": BLACK, "linewidth": 0.8, "shrinkB": 6} if arrow else None,
        bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "alpha": 0.82, "edgecolor": "none"},
        **{"ha": "left", "va": "center", "color": BLACK, **more},
    )


# --- Section 4.3 ------------------------------------------------------------------------------------------------------

ALGORITHMS = ("algorithm_1", "independent_mirror_descent", "independent_gradient", "shared_parameters")
OPTIMAL_TONE, OTHER_TONES = "#3b3b3b", ("#c9c9c9", "#e3e3e3", "#b3b3b3", "#efefef")


def section_4_3_overview(data: dict[str, Any]) -> Any:
    """Runs from the uniform policy, ends from random starts, and the price of sharing parameters."""
    from matplotlib import rc_context

    reached = min(
        sum(end["share"] for end in game["ends"]["algorithm_1"] if end["value"] == game["optimum"])
        for game in data["games"]
    )
    with rc_context(SETTINGS):
        figure = _figure(14.4, 8.2)
        grid = figure.add_gridspec(2, 3, height_ratios=(1.4, 1), width_ratios=(1, 1, 0.9))
        for column, game in enumerate(data["games"]):
            name = game["name"].partition(":")[0]
            _runs(figure.add_subplot(grid[0, column]), game, name)
            _ends(figure.add_subplot(grid[1, column]), game, data["random_starts"])
        _sharing(figure.add_subplot(grid[:, 2]), data["shared_parameters"])
        _title(
            figure,
            "Independent and sharing agents can stop at bad joint actions; "
            f"Algorithm 1 reached the optimum from {reached:.0%} of the starts",
            f"Left: one move, two agents, three actions, exact updates with η = {data['games'][0]['step']}.  All runs of a game "
            "begin at the same product policies (sharing agents at agent 1's); Algorithm 1 lets agent 2 see agent 1's action.\n"
            f"Bars: the joint action played most after {data['iterations']:,} iterations, and what it pays; dark: optimal.  "
            "Right: N agents, reward 1 if one half plays 0 and the other half 1, else 0.",
        )
        return figure


def _pair(actions: list[int]) -> str:
    return f"({', '.join(map(str, actions))})"


def _runs(axes: Any, game: dict[str, Any], name: str) -> None:
    """Values over iterations, with the equilibria as levels."""
    levels: dict[float, list[dict[str, Any]]] = {}
    for entry in game["equilibria"]:
        levels.setdefault(float(entry["value"]), []).append(entry)
    last = game["at"][-1] + 1
    for value, entries in levels.items():
        where = " and ".join(_pair(entry["actions"]) for entry in entries)
        kind = "optimum" if entries[0]["optimal"] else "a Nash equilibrium"
        axes.axhline(value, color="#c4c4c4", linewidth=0.9, zorder=0)
        axes.annotate(
            f"{kind}: {where} pays {value:g}", (last, value), (0, 3), textcoords="offset points", ha="right", fontsize=8.3,
            color="#444444",
        )  # fmt: skip
    for algorithm in ALGORITHMS:
        axes.plot([k + 1 for k in game["at"]], game["values"][algorithm], **STYLE[algorithm])
    begin, top = game["values"]["algorithm_1"][0], float(game["optimum"])
    axes.set_xscale("log")
    axes.set_xlim(1, last)
    axes.set_ylim(begin - 0.06 * (top - begin), top + 0.1 * (top - begin))
    axes.xaxis.set_major_formatter(_thousands)
    axes.set_title(f"{name}, from the uniform policy", fontweight="bold")
    axes.set_xlabel("iterations, plus one")
    axes.set_ylabel("value J")
    _label_ends(axes, game["values"], last, 0.05 * (top - begin))


def _label_ends(axes: Any, values: dict[str, list[float]], last: int, apart: float) -> None:
    """Names right of where the curves end, those that end together one under the other."""
    groups: list[list[str]] = []
    for name in sorted(ALGORITHMS, key=lambda name: -values[name][-1]):
        if groups and values[groups[-1][-1]][-1] - values[name][-1] < apart:
            groups[-1].append(name)
        else:
            groups.append([name])
    for group in groups:
        for line, name in enumerate(group):
            axes.annotate(
                LABEL[name].replace("independent ", "indep. "), (last, values[group[0]][-1]), (5, -12 * line), fontsize=8.3,
                textcoords="offset points", va="center", color=STYLE[name]["color"], annotation_clip=False,
            )  # fmt: skip


def _ends(axes: Any, game: dict[str, Any], starts: int) -> None:
    """Where runs from random starts end, as shares of one bar per algorithm."""
    for row, algorithm in enumerate(ALGORITHMS):
        left, others = 0.0, 0
        for end in sorted(game["ends"][algorithm], key=lambda end: (end["value"] != game["optimum"], end["actions"])):
            best = end["value"] == game["optimum"]
            color = OPTIMAL_TONE if best else OTHER_TONES[others % len(OTHER_TONES)]
            others += not best
            axes.barh(row, end["share"], left=left, color=color, edgecolor="white", height=0.76)
            if end["share"] >= 0.05:
                axes.text(
                    left + end["share"] / 2, row, f"{_pair(end['actions'])}\n{end['value']}",
                    ha="center", va="center", fontsize=7.8, color="white" if best else BLACK,
                )  # fmt: skip
            left += end["share"]
    axes.set_yticks(
        range(len(ALGORITHMS)), [LABEL[name].replace("nt ", "nt\n").replace("d p", "d\np") for name in ALGORITHMS]
    )
    for label, algorithm in zip(axes.get_yticklabels(), ALGORITHMS, strict=True):
        label.set_color(STYLE[algorithm]["color"])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.tick_params(axis="y", length=0, labelsize=8.4)
    axes.spines["left"].set_visible(False)
    axes.set_title(f"where runs from {starts} random starts end", fontweight="bold")


def _sharing(axes: Any, rows: list[dict[str, Any]]) -> None:
    """``J/J*`` against the number of agents, on a scale of halvings."""
    from fractions import Fraction

    agents = [row["agents"] for row in rows]
    bound = [float(Fraction(row["bound"])) for row in rows]

    def final(name: str) -> list[float]:
        return [row["final"][name] for row in rows]

    axes.plot(agents, bound, color=BLACK, linestyle=DOTTED, linewidth=2.2)
    axes.plot(agents, final("shared_parameters"), "s", color=BLACK, markersize=9, clip_on=False)
    axes.plot(agents, final("algorithm_1"), "o-", color=BLUE, markersize=11, linewidth=2.2, clip_on=False)
    axes.plot(
        agents, final("independent_mirror_descent"), "D", color=GREEN, markersize=6, markeredgecolor="white", zorder=6
    )
    for row, value in zip(rows, bound, strict=True):
        axes.annotate(row["bound"], (row["agents"], value), (10, 6), textcoords="offset points", fontsize=9.5)
    axes.set_yscale("log", base=2)
    axes.set_ylim(2**-7.7, 2.4)
    axes.yaxis.set_major_formatter(lambda value, _: f"{Fraction(value).limit_denominator(1000)}")
    axes.set_yticks([2.0**-k for k in range(8)])
    axes.minorticks_off()
    axes.set_xticks(agents)
    axes.set_xlim(1.6, 9)
    axes.set_xlabel("number of agents N")
    axes.set_ylabel("J / J*")
    axes.text(1.9, 1.62, "Algorithm 1 (circles)", fontsize=8.6, color=BLUE)
    axes.text(1.9, 1.3, "indep. mirror descent, random starts (median)", fontsize=8.6, color=GREEN)
    axes.text(
        1.9,
        2**-6.95,
        "agents who share one policy:\nsquares, a run; dots, the best\nsuch policy, 2/2$^N$, exactly",
        fontsize=8.6,
    )
    axes.set_title("sharing one policy costs a factor 2$^{N-1}$", fontweight="bold")


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
        ends = {start: [c["mean"][-1] for c in data["curves"] if c["start"] == start] for start in STARTS}
        stalls = max(ends["zero"]) < min(ends["current"])
        _title(
            figure,
            "Algorithm 3 as printed stalls: it forgets what earlier iterations learned"
            if stalls
            else "Algorithm 3, printed and repaired",
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
            axes.set_title(FAILURES[panel["agents"]])
            axes.set_xlabel("iteration k of Algorithm 2")
            axes.set_ylabel("expected reward J(πₖ)")
        rises = {
            variant: [
                c["mean"][-1] - c["mean"][0] for p in data["panels"] for c in p["curves"] if c["variant"] == variant
            ]
            for variant in VARIANTS
        }
        apart = max(rises["printed"]) < 0 < min(rises["repaired"])
        _title(
            figure,
            "Algorithm 2 as printed walks away from the optimum; repaired it walks towards it"
            if apart
            else "Algorithm 2 on the counterexamples to Theorem 5.5",
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
            "With one joint critic and λ = √n, what estimation costs falls like 1/√n"
            if abs(slope["slope"] + 1 / 2) < 1 / 20
            else f"With one joint critic and λ = √n, what estimation costs moves like n^{slope['slope']:.2f}",
            f"Two states, two agents, one-hot features, γ = 1/2, {slope['iterations']} iterations.  Line: mean of "
            f"{slope['repetitions']:,} runs for each n; band: 95 % of them.",
        )
        return figure


# --- runs ---------------------------------------------------------------------------------------------------------------


def run_overview(data: dict[str, Any]) -> Any:
    """``J(π_k)`` and the optimum, the gap, and the theorem's bound against the gap that was measured."""
    from matplotlib import rc_context

    bounded = bool(data["bounds"]["at"])
    with rc_context(SETTINGS):
        figure = _figure(14.4, 5.2)
        left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1 if bounded else 0.5))
        _returns(left, data)
        _gaps(middle, data)
        for axes in (left, middle, right):
            axes.set_xlabel("iterations k")
        (_bounds if bounded else _no_bound)(right, data["bounds"])
        options = ",  ".join(f"{name} {value}" for name, value in data["options"].items() if value is not None)
        _title(
            figure, data["finding"], f"{data['title']}:  {options},  discount {data['discount']:g}.\n{data['says']}."
        )
        return figure


def _returns(axes: Any, data: dict[str, Any]) -> None:
    axes.plot(data["at"], data["returns"], color=BLUE, linewidth=2.2)
    axes.axhline(data["optimum"], color=BLACK, linewidth=1.4, linestyle=DASHED)
    axes.annotate(
        f"optimum {data['optimum']:.4g}",
        (0.02, data["optimum"]),
        (0, 4),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        fontsize=8.8,
        color=BLACK,
    )
    low, high = min(*data["returns"], data["optimum"]), max(*data["returns"], data["optimum"])
    room = 0.08 * (high - low) or 0.1
    axes.set_ylim(low - room, high + room)
    axes.set_title("J(π_k), the return of the policy")
    axes.xaxis.set_major_formatter(_thousands)


def _gaps(axes: Any, data: dict[str, Any]) -> None:
    """On a log scale; what rounding leaves of a closed gap is cut off."""
    floor = 1e-12 * max(1.0, abs(data["optimum"]))
    shown = [(k, gap) for k, gap in zip(data["at"], data["gaps"], strict=True) if gap > floor]
    if shown:
        axes.plot(*zip(*shown, strict=True), color=BLUE, linewidth=2.2)
        _log_scale(axes, [gap for _, gap in shown])
    axes.set_title("gap  J* - J(π_k)")
    axes.set_xlim(0, data["at"][-1])
    axes.xaxis.set_major_formatter(_thousands)
    if len(shown) < len(data["at"]):
        axes.annotate(
            "no line: at the optimum, to rounding",
            (0.98, 0.96),
            xycoords="axes fraction",
            ha="right",
            va="top",
            fontsize=8.3,
        )


MEASURED: dict[str, Any] = {"color": BLUE, "linestyle": SOLID, "linewidth": 2.2}
PRINTED: dict[str, Any] = {"color": RED, "linestyle": DASHED, "linewidth": 1.8}
SURVIVING: dict[str, Any] = {"color": GREEN, "linestyle": BROKEN, "linewidth": 2.4}
BOUND_CURVES: dict[str, tuple[str, dict[str, Any]]] = {
    "mean_gap": ("measured", MEASURED),
    "gap": ("measured", MEASURED),
    "printed": ("Theorem 4.5 as printed", PRINTED),
    "repaired": ("Theorem 4.5 repaired", SURVIVING),
    "exact_rate": ("[Σ log|A_m|/η + N R/(1-γ)]/((1-γ)k)", SURVIVING),
}
BOUND_LEVELS: dict[str, tuple[str, dict[str, Any]]] = {
    "first_term": ("its first term, with all K iterations", PRINTED),
    "repaired": ("repaired, with all K iterations", SURVIVING),
}
"""Bounds that hold after all iterations only."""
BOUND_TITLES = {
    "theorem-4.5": "mean gap over 0..k-1, and Theorem 4.5",
    "theorem-4.5/exact-rate": "gap  J* - J(π_k),  and theorem-4.5/exact-rate",
    "theorem-5.5": "mean gap over 0..k-1, and Theorem 5.5",
    "theorem-d.7": "mean gap over 0..k-1, and Theorem D.7",
}


def _no_bound(axes: Any, bounds: dict[str, Any]) -> None:
    """That there is nothing to draw, and why."""
    from textwrap import fill

    axes.set_title("no theorem covers this algorithm" if bounds["theorem"] is None else "no bound here")
    axes.annotate(fill(f"{bounds['says']}.", 36), (0, 0.98), xycoords="axes fraction", va="top", color="#333333")
    axes.set_axis_off()


def _bounds(axes: Any, bounds: dict[str, Any]) -> None:
    """What was measured, curves of bounds that hold after every iteration, levels of those that hold after all of them."""
    axes.set_title(BOUND_TITLES[bounds["theorem"]])
    axes.set_xscale("log")
    levels = {name: bounds[name] for name in BOUND_LEVELS if isinstance(bounds.get(name), float)}
    curves = {name: bounds[name] for name in BOUND_CURVES if name in bounds and name not in levels}
    for name, curve in curves.items():
        shown = [(k, y) for k, y in zip(bounds["at"], curve, strict=True) if y is not None and y > 0]
        label, style = BOUND_CURVES[name]
        axes.plot([k for k, _ in shown], [y for _, y in shown], label=label, **style)
    for name, level in levels.items():
        label, style = BOUND_LEVELS[name]
        axes.plot(
            [bounds["at"][0], bounds["at"][-1]], [level, level], label=label, **style
        )  # the legend keeps off lines
    measured, drawn = ([y for name in names for y in _positive(curves.get(name, []))] for names in _KINDS)
    if measured:
        drawn = [*drawn, *levels.values()]
        _log_scale(axes, [*measured, *drawn])
        low = max(
            min(*measured, *drawn), 1e-4 * min(*measured[:1], *drawn)
        )  # a gap that closes faster leaves the picture
        top = min(max(*measured, *drawn), 1e4 * max(measured))  # and so may a bound
        axes.set_ylim(low / 1.3, top * (top / low) ** 0.3)  # room for the legend
    axes.legend(frameon=False, fontsize=8.3, loc="upper right", handlelength=4)


_KINDS = ("mean_gap", "gap"), ("printed", "repaired", "exact_rate")


def _positive(values: list[float | None]) -> list[float]:
    return [y for y in values if y is not None and y > 0]


def _log_scale(axes: Any, values: list[float]) -> None:
    """Plain numbers beside the ticks where all values are of much the same size, with as many digits as tell them apart."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    axes.set_yscale("log")
    low, high = min(values), max(values)
    if high < 30 * low:
        digits = 3 if high > 1.01 * low else 3 - math.floor(math.log10(high / low - 1 or 1e-12))
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if high > 5 * low else MaxNLocator(7))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.{digits}g}")
