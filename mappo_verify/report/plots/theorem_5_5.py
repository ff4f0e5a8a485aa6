"""Theorem 5.5: Algorithm 2 on both counterexamples, and what estimation costs the repaired one."""

from __future__ import annotations

from typing import Any

from .style import BLUE, BROKEN, DASHED, DOTTED, GREEN, GREY, RED, SETTINGS, SOLID, new_figure, write_title

VARIANTS = {"printed": (RED, BROKEN), "repaired": (BLUE, SOLID)}
FAILURES = {1: "one agent, a class that is not complete", 2: "two agents, complete classes"}
REPAIRS = {1: "repaired:\na complete class", 2: "repaired:\none joint critic"}
"""What fails and what the repair is, by the number of agents."""


def theorem_5_5_gap(data: dict[str, Any]) -> Any:
    """``J(π_k)`` of Algorithm 2, printed and repaired, on both counterexamples to Theorem 5.5."""
    from matplotlib import rc_context

    with rc_context(SETTINGS):
        figure = new_figure(9.4, 4.6)
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
        write_title(
            figure,
            "Algorithm 2 as printed moves away from the optimum; repaired it moves towards it"
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
        figure = new_figure(7.6, 4.8)
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
        write_title(
            figure,
            "With one joint critic and λ = √n, what estimation costs falls like 1/√n"
            if abs(slope["slope"] + 1 / 2) < 1 / 20
            else f"With one joint critic and λ = √n, what estimation costs moves like n^{slope['slope']:.2f}",
            f"Two states, two agents, one-hot features, γ = 1/2, {slope['iterations']} iterations.  Line: mean of "
            f"{slope['repetitions']:,} runs for each n; band: 95 % of them.",
        )
        return figure
