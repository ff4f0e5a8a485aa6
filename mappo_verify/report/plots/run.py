"""A run of any algorithm: its return, its gap to the optimum, and the bound of its theorem."""

from __future__ import annotations

import math
from typing import Any

from .style import BLACK, BLUE, BROKEN, DASHED, GREEN, RED, SETTINGS, SOLID, new_figure, thousands, write_title


def run_overview(data: dict[str, Any]) -> Any:
    """``J(π_k)`` and the optimum, the gap, and the theorem's bound against the gap that was measured."""
    from matplotlib import rc_context

    bounded = bool(data["bounds"]["at"])
    with rc_context(SETTINGS):
        figure = new_figure(14.4, 5.2)
        left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1 if bounded else 0.5))
        _returns(left, data)
        _gaps(middle, data)
        for axes in (left, middle, right):
            axes.set_xlabel("iterations k")
        (_bounds if bounded else _no_bound)(right, data["bounds"])
        options = ",  ".join(f"{name} {value}" for name, value in data["options"].items() if value is not None)
        write_title(
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
    axes.xaxis.set_major_formatter(thousands)


def _gaps(axes: Any, data: dict[str, Any]) -> None:
    """On a log scale; what rounding leaves of a closed gap is cut off."""
    floor = 1e-12 * max(1.0, abs(data["optimum"]))
    shown = [(k, gap) for k, gap in zip(data["at"], data["gaps"], strict=True) if gap > floor]
    if shown:
        axes.plot(*zip(*shown, strict=True), color=BLUE, linewidth=2.2)
        _log_scale(axes, [gap for _, gap in shown])
    axes.set_title("gap  J* - J(π_k)")
    axes.set_xlim(0, data["at"][-1])
    axes.xaxis.set_major_formatter(thousands)
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
SHARPEST: dict[str, Any] = SURVIVING | {"linewidth": 1.2}
BOUND_CURVES: dict[str, tuple[str, dict[str, Any]]] = {
    "mean_gap": ("measured", MEASURED),
    "gap": ("measured", MEASURED),
    "printed": ("Theorem 4.5 as printed", PRINTED),
    "repaired": ("Theorem 4.5 repaired", SURVIVING),
    "spread": ("Theorem 4.5 repaired, sharpest", SHARPEST),
    "exact_rate": ("[Σ log|A_m|/η + N R/(1-γ)]/((1-γ)(k+1))", SURVIVING),
}
BOUND_LEVELS: dict[str, tuple[str, dict[str, Any]]] = {
    "first_term": ("its first term, with all K iterations", PRINTED),
    "repaired": ("repaired, with all K iterations", SURVIVING),
}
"""Bounds that hold after all iterations only."""
BOUND_TITLES = {
    "theorem-4.5": "mean gap over 0..k-1, and Theorem 4.5",
    "theorem-4.5/exact-rate-in-rewards": "gap  J* - J(π_k),  and its rate 1/(k+1)",
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


_KINDS = ("mean_gap", "gap"), ("printed", "repaired", "spread", "exact_rate")


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
