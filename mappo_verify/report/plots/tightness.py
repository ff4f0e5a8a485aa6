"""How the best certified ratio of a bound grew with the effort of the search."""

from __future__ import annotations

from pathlib import Path

from ...checking.tightness import Tightness
from ...errors import ClaimError, FileError
from ...games.untrusted import whole_file

KINDS = (".svg", ".png", ".pdf")


def picture_kind(path: str | Path) -> str:
    """``svg``, ``png`` or ``pdf``, by the end of the file's name; :class:`~mappo_verify.errors.FileError` for others."""
    suffix = Path(path).suffix.lower()
    if suffix not in KINDS:
        raise FileError(f"{path} does not end in {', '.join(KINDS)}, which says what kind of picture it is")
    return suffix[1:]


def plot_tightness(found: Tightness, path: str | Path) -> None:
    """Draw ``1 - ratio`` against the number of instances looked at, both by logarithms; the format follows the file's name."""
    from matplotlib.figure import Figure

    kind = picture_kind(path)
    if not found.curve:
        raise ClaimError(
            f"no certified instance of {found.claim.id} has two positive sides, so there is nothing to draw"
        )
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    effort, ratios = zip(*found.curve, strict=True)
    axes.step(effort, [max(1 - ratio, 1e-9) for ratio in ratios], where="post", color="#1f4e79")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="instances looked at",
        ylabel="1 - best certified ratio",
        title=f"{found.claim.id}: best ratio {ratios[-1]:.6g}",
    )
    axes.grid(True, which="major", alpha=0.3)
    with whole_file(path) as file:
        figure.savefig(file, format=kind)
