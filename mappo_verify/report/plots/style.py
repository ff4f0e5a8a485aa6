"""What all pictures share: colours, line styles, fonts, titles, and how a picture becomes files.

Colours are Okabe and Ito's, safe for colour-blind readers; every curve has a line style and a label of its own, so nothing is
lost in grey.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...games.untrusted import whole_file

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
        every: tuple[dict[str, Any], ...] = ({"metadata": {"Date": None}}, {"dpi": 150})
        for file, options in zip(files, every, strict=True):
            with whole_file(file) as target:
                figure.savefig(target, format=file.suffix[1:], facecolor="white", **options)
    return files


def new_figure(width: float, height: float) -> Any:
    """An empty figure of so many inches, without a window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def write_title(figure: Any, title: str, below: str) -> None:
    """What the picture says, and under it what one sees."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=13.5, fontweight="bold")
    figure.supxlabel(below, x=0.01, ha="left", fontsize=8.8, color="#333333")


def thousands(value: float, _: Any = None) -> str:
    """A number beside a tick: ``20k`` for 20000; the second argument is Matplotlib's."""
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"
