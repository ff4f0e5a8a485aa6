"""Algorithm 3 as printed and repaired: the return of Algorithm 1 with it inside."""

from __future__ import annotations

import math
from typing import Any

from .style import BLUE, BROKEN, DASHED, DOTTED, GREY, RED, SETTINGS, SOLID, new_figure, write_title

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
        figure = new_figure(8, 4.8)
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
        write_title(
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
