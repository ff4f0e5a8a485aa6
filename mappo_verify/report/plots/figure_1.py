"""Figure 1 (Appendix E): its six panels, and the landscape of the ratio game behind them."""

from __future__ import annotations

import math
from typing import Any

from .style import BLACK, DASHED, LABEL, RED, SETTINGS, SOLID, STYLE, new_figure, thousands, write_title

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
        figure = new_figure(13, 8.2)
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
        write_title(
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
    axes.xaxis.set_major_formatter(thousands)
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
        figure = new_figure(9.4, 9.2)
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
        write_title(
            figure,
            "The stationary point is not a policy; near it, independent gradient climbs slowly",
            f"Independent gradient, η = {land['paths'][0]['step']}, from both starts of Appendix E; dots: iterations.  From near "
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
        point = (float(np.interp(k, path["at"], path["x"])), float(np.interp(k, path["at"], path["y"])))
        axes.plot(point[:1], point[1:], marker="o", markersize=5, color=RED, markeredgecolor="white", zorder=7)
        if path["start"] == "near-stationary":
            _note(axes, f"{k:,}", point, (8, 7), arrow=False, color="#a34700")


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


def _found(data: dict[str, Any], name: str, key: str) -> Any:
    """One number of a finding, so that none is typed into a picture."""
    return next(finding[key] for finding in data["findings"] if finding["id"] == name)


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
