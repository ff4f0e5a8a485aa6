"""Section 4.3: which algorithm stops at which equilibrium, and what sharing one policy costs."""

from __future__ import annotations

from typing import Any

from .style import BLACK, BLUE, DOTTED, GREEN, LABEL, SETTINGS, STYLE, new_figure, thousands, write_title

ALGORITHMS = ("algorithm_1", "independent_mirror_descent", "independent_gradient", "shared_parameters")
OPTIMAL_TONE, OTHER_TONES = "#3b3b3b", ("#c9c9c9", "#e3e3e3", "#b3b3b3", "#efefef")


def section_4_3_overview(data: dict[str, Any]) -> Any:
    """Runs from the uniform policy, where runs from random starts end, and what sharing parameters costs."""
    from matplotlib import rc_context

    reached = min(
        sum(end["share"] for end in game["ends"]["algorithm_1"] if end["value"] == game["optimum"])
        for game in data["games"]
    )
    with rc_context(SETTINGS):
        figure = new_figure(14.4, 8.2)
        grid = figure.add_gridspec(2, 3, height_ratios=(1.4, 1), width_ratios=(1, 1, 0.9))
        for column, game in enumerate(data["games"]):
            name = game["name"].partition(":")[0]
            _runs(figure.add_subplot(grid[0, column]), game, name)
            _ends(figure.add_subplot(grid[1, column]), game, data["random_starts"])
        _sharing(figure.add_subplot(grid[:, 2]), data["shared_parameters"])
        write_title(
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
    axes.xaxis.set_major_formatter(thousands)
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
        "agents that share one policy:\nsquares, a run; dots, the best\nsuch policy, 2/2$^N$, exactly",
        fontsize=8.6,
    )
    axes.set_title("sharing one policy costs a factor 2$^{N-1}$", fontweight="bold")
