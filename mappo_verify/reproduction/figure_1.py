"""Figure 1 (Appendix E): the ratio game, six panels, and the landscape behind them.

Two starts (logits ``θ_1 = (0, 0)`` with ``θ_2 = (0, 5)``, called close to the stationary point, and the uniform policy) times
three step sizes.  Five curves each:

* ``simulated_reported``: the published simulation, with the score that it reports;
* ``simulated_true``: the same run, with the value of its policy;
* ``algorithm_1``: the update of Algorithm 1, ``θ^m += η Q^{1:m}``;
* ``independent_gradient``: as in the paper;
* ``independent_mirror_descent``: Algorithm 1's update without its conditional policies, which the paper does not show.

The paper does not say how the conditional policy of agent 2 starts; here it ignores agent 1 at first, so that all runs begin at
the same policy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..algorithms.constant_step import constant_step
from ..algorithms.critics import Critic
from ..algorithms.current_policy import CurrentPolicy
from ..algorithms.independent_gradient import independent_gradient
from ..algorithms.independent_mirror_descent import independent_mirror_descent
from ..algorithms.sampling import Generator
from ..algorithms.trace import Trace
from ..arithmetic import Array, System, like
from ..games.named import ratio
from ..model import Policy
from ..model.agents import split_last
from ..quantities.agent_values import agent_values
from ..quantities.ratio_game import (
    commitment_values,
    first_order_gain,
    gradient_on_square,
    independent_weights,
    product_of_marginals,
    ratio_value,
    stopping,
)
from ..quantities.values import returns
from .curves import Progress, first_at_least, iterations_shown, number, numbers, repeated, silent, spoken

STARTS = {"near-stationary": ((0.0, 0.0), (0.0, 5.0)), "uniform": ((0.0, 0.0), (0.0, 0.0))}
"""Logits of agent 1, and of agent 2 whatever it sees."""
STEPS = (0.001, 0.01, 0.05)
LENGTHS = {"near-stationary": (20_000, 20_000, 8_000), "uniform": (20_000, 20_000, 5_000)}
"""How far the printed panels go."""
ARRIVAL = 0.99
"""A run has arrived once its value is this; the maximum is 1."""
PRINTED_VALUE = Fraction(46, 100)

CURVES = (
    "simulated_reported",
    "simulated_true",
    "algorithm_1",
    "independent_mirror_descent",
    "independent_gradient",
)


@dataclass(frozen=True)
class CommitmentCritic(Critic):
    """What the published simulation has in place of ``Q^{1:m}``: the value of playing ``a^{1:m}`` for good."""

    def estimate(self, current: CurrentPolicy, generator: Generator) -> tuple[Array, ...]:  # noqa: ARG002 - one interface
        """No randomness."""
        values = commitment_values(current.game, current.policy)
        return tuple(split_last(table, size) for table, size in zip(values, current.game.action_sizes, strict=True))


def figure_1(progress: Progress = silent, iterations: int = 20_000) -> dict[str, Any]:
    """All numbers of Figure 1 and of the landscape, as plain data; ``iterations`` is the length of every run.

    Panels end where the printed ones do, or after ``iterations`` if that is earlier; arrival times are of the whole runs.
    """
    step = np.tile(STEPS, len(STARTS))
    game = repeated(ratio(System.FLOATS), len(step))
    own, conditional = (_initial(prefixes) for prefixes in (1, 2))
    work: dict[str, Callable[[], Trace]] = {
        "simulated": lambda: constant_step(game, iterations, step, critic=CommitmentCritic(), initial=conditional),
        "algorithm_1": lambda: constant_step(game, iterations, step, initial=conditional),
        "independent_mirror_descent": lambda: independent_mirror_descent(game, iterations, step, initial=own),
        "independent_gradient": lambda: independent_gradient(game, iterations, step, initial=own),
    }
    traces = {}
    for place, (name, run) in enumerate(work.items()):
        progress(spoken(name), place / len(work))
        traces[name] = run()
    progress("findings", 1.0)
    values = {
        "simulated_reported": returns(game, product_of_marginals(traces["simulated"].policies())),
        "simulated_true": traces["simulated"].returns(game),
        **{name: traces[name].returns(game) for name in CURVES[2:]},
    }
    panels = [_panel(index, values, traces, iterations) for index in range(len(step))]
    return {
        "figure": "figure-1",
        "source": "Appendix E, Figure 1",
        "reproduce": f"mappo-verify reproduce figure-1 --out DIR --iterations {iterations}",
        "game": {
            "R": [[str(v) for v in row] for row in ratio().reward.reshape(2, 2)],
            "S": [[str(v) for v in row] for row in stopping(ratio()).reshape(2, 2)],
        },
        "curves": list(CURVES),
        "panels": panels,
        "landscape": _landscape(panels, traces),
        "findings": _findings(panels, values),
    }


def _initial(prefixes: int) -> list[Array]:
    """The starts, one row a panel; agent 2 has the same logits after each of its ``prefixes``."""
    rows = [[np.array(first), np.tile(second, prefixes)] for first, second in STARTS.values() for _ in STEPS]
    return [np.stack([row[agent] for row in rows]) for agent in range(2)]


def _chances(trace: Trace) -> tuple[Array, Array]:
    """``x`` and ``y``: how likely each agent, seen alone, plays its first action; ``[K + 1, 6]``."""
    alone = product_of_marginals(trace.policies())
    return alone.factors[0][..., 0, 0, 0], alone.factors[1][..., 0, 0, 0]


def _panel(index: int, values: dict[str, Array], traces: dict[str, Trace], iterations: int) -> dict[str, Any]:
    """One panel: its curves, thinned out, and what the whole curves say."""
    start, step = list(STARTS)[index // len(STEPS)], STEPS[index % len(STEPS)]
    last = min(iterations, LENGTHS[start][index % len(STEPS)])
    shown = iterations_shown(last)
    own = {name: table[:, index] for name, table in values.items()}
    x, y = (table[last, index] for table in _chances(traces["independent_gradient"]))
    gap = own["simulated_reported"] - own["simulated_true"]
    widest = int(np.abs(gap).argmax())
    return {
        "panel": "abcdef"[index],
        "start": start,
        "step": step,
        "iterations": last,
        "at": shown.tolist(),
        "values": {name: numbers(curve[shown]) for name, curve in own.items()},
        "final": {name: number(curve[last]) for name, curve in own.items()},
        "arrival": {name: first_at_least(curve, ARRIVAL) for name, curve in own.items()},
        "smallest_increment": float(f"{np.diff(own['independent_gradient']).min():.3g}"),
        "independent_gradient_ends_at": {"x": number(x), "y": number(y), "y(1-y)": number(y * (1 - y))},
        "score_error": {"iteration": widest, "reported_minus_true": number(gap[widest])},
    }


# --- the landscape ----------------------------------------------------------------------------------------------------

PLANE_X, PLANE_Y = (0.0, 1.1), (-0.35, 1.1)


def _landscape(panels: list[dict[str, Any]], traces: dict[str, Trace]) -> dict[str, Any]:
    """``V`` over the plane, beyond the square, and the paths of independent gradient at the largest step."""
    x, y = np.linspace(*PLANE_X, 56), np.linspace(*PLANE_Y, 59)
    first, second = (np.stack([line, 1 - line], axis=-1) for line in (x, y))
    value = ratio_value(ratio(System.FLOATS), independent_weights(first, second[:, None]))
    paths = []
    for name in ("independent_gradient", "algorithm_1"):
        along_x, along_y = _chances(traces[name])
        for index in range(len(STEPS) - 1, len(panels), len(STEPS)):
            shown = iterations_shown(len(along_x) - 1)
            paths.append(
                {
                    "algorithm": name,
                    "start": panels[index]["start"],
                    "step": panels[index]["step"],
                    "at": shown.tolist(),
                    "x": numbers(along_x[shown, index]),
                    "y": numbers(along_y[shown, index]),
                }
            )
    return {
        "x": numbers(x),
        "y": numbers(y),
        "V": [numbers(row) for row in value],
        "stationary_point": [str(v) for v in stationary_point()],
        "paths": paths,
        "note": "a conditional policy is drawn at its marginals; its value is not V there",
    }


def _exact_row(number: Fraction) -> Array:
    return like(np.array([number, 1 - number], dtype=object), System.RATIONALS)


def _exact_value(x: Fraction, y: Fraction) -> Fraction:
    return Fraction(str(ratio_value(ratio(), independent_weights(_exact_row(x), _exact_row(y)))))


def _cleared_gradient(x: Fraction, y: Fraction) -> tuple[Fraction, Fraction]:
    """``((xᵀSy)² ∂V/∂x, (xᵀSy) ∂V/∂y)``: affine in ``y`` alone and in ``x`` alone (section-e/stationary-point)."""
    game, first, second = ratio(), _exact_row(x), _exact_row(y)
    below = Fraction(str((independent_weights(first, second) * stopping(game)).sum()))
    along_x, along_y = (Fraction(str(v)) for v in gradient_on_square(game, first, second))
    return below * below * along_x, below * along_y


def stationary_point() -> tuple[Fraction, Fraction]:
    """Where both derivatives vanish: the roots of two affine functions.

    >>> print(*stationary_point())
    1/2 -1/11
    """
    zero, one = Fraction(0), Fraction(1)
    in_y = [_cleared_gradient(zero, y)[0] for y in (zero, one)]
    in_x = [_cleared_gradient(x, zero)[1] for x in (zero, one)]
    return -in_x[0] / (in_x[1] - in_x[0]), -in_y[0] / (in_y[1] - in_y[0])


# --- findings ---------------------------------------------------------------------------------------------------------


def _findings(panels: list[dict[str, Any]], values: dict[str, Array]) -> list[dict[str, Any]]:
    """What the numbers say, each with the numbers that say it."""
    return [*_landscape_findings(panels), *_simulation_findings(panels), *_run_findings(panels, values)]


def _landscape_findings(panels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """About the game alone, exact."""
    half, grid = Fraction(1, 2), [Fraction(k, 20) for k in range(21)]
    (constant,) = {_exact_value(half, y) for y in (*grid, Fraction(-1, 11))}
    point, square = stationary_point(), [(x, y) for x in grid for y in grid]
    smallest = min(_fraction(gradient_on_square(ratio(), *map(_exact_row, place))[0]) for place in square)
    gains = {place: _fraction(first_order_gain(ratio(), *map(_exact_row, place))) for place in square}
    slow = min(panel["smallest_increment"] for panel in panels)
    return [
        {
            "id": "constant-line",
            "claim": "section-e/constant",
            "says": f"V(1/2, y) = {constant} ≈ {float(constant):.4f} for every y; both starts lie on that line",
            "value": str(constant),
        },
        {
            "id": "printed-value",
            "claim": "section-e/printed-value",
            "says": f"the printed value {float(PRINTED_VALUE)} is not its rounding: {constant} rounds to {float(constant):.2f}",
            "difference": str(abs(constant - PRINTED_VALUE)),
            "rounds": abs(constant - PRINTED_VALUE) <= Fraction(1, 200),
        },
        {
            "id": "stationary-point",
            "claim": "section-e/stationary-point",
            "says": f"V is stationary only at ({point[0]}, {point[1]}), not a policy; its value is {_exact_value(*point)}",
            "point": [str(v) for v in point],
            "value": str(_exact_value(*point)),
            "slope_at_printed_point": str(gradient_on_square(ratio(), _exact_row(half), _exact_row(Fraction(0)))[0]),
        },
        {
            "id": "slope",
            "claim": "section-e/slope",
            "says": f"on the square ∂V/∂x is at least {smallest}: agent 1 always gains by its first action",
            "smallest_slope_on_grid": str(smallest),
        },
        {
            "id": "one-constrained-stationary-point",
            "claim": "section-e/constrained-stationary",
            "says": "among policies only (1, 1), the global maximum V = 1, is stationary: "
            "independent gradient is slow, not trapped, and its value grew in every iteration of every panel",
            "no_first_order_gain_at": [[str(x), str(y)] for (x, y), gain in gains.items() if gain == 0],
            "value": str(_exact_value(Fraction(1), Fraction(1))),
            "smallest_increment": slow,
        },
        {
            "id": "plateau",
            "says": "its plateau is near (1, 0), where V = 1/2 and y(1-y), the factor of agent 2's gradient, is tiny",
            "value": str(_exact_value(Fraction(1), Fraction(0))),
            "ends_at": {panel["panel"]: panel["independent_gradient_ends_at"] for panel in panels},
        },
    ]


def _simulation_findings(panels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """About the published code."""
    rows = [_exact_row(Fraction(*parts)) for parts in ((3, 5), (9, 10), (1, 5))]
    policy = Policy((rows[0][None, None], np.stack(rows[1:])[None]))
    reported, true = (_fraction(returns(ratio(), p)) for p in (product_of_marginals(policy), policy))
    worst = max(panels, key=lambda panel: abs(panel["score_error"]["reported_minus_true"]))
    once, for_good = (
        [_fraction(table[0, a] - table[0, a + 1]) for a in (0, 2)]
        for table in (agent_values(ratio(), policy)[2], commitment_values(ratio(), policy)[1])
    )
    factors = [good / single for good, single in zip(for_good, once, strict=True)]
    return [
        {
            "id": "simulated-score",
            "claim": "section-e/score",
            "says": "the simulation scores a conditional policy by the product of its marginals: at x = 3/5, q = (9/10, 1/5) "
            f"it reports {reported} ≈ {float(reported):.3f}, the truth is {true} ≈ {float(true):.3f}",
            "reported": str(reported),
            "true": str(true),
            "largest_error_in_the_figure": {"panel": worst["panel"], **worst["score_error"]},
        },
        {
            "id": "simulated-update",
            "claim": "section-e/update",
            "says": "the simulated update adds the value of committing to actions, not Q^{1:m}: agent 2 "
            f"moves {factors[0]} and {factors[1]} times as far as in Algorithm 1 after agent 1's first and second action",
            "factors": [str(factor) for factor in factors],
        },
    ]


def _run_findings(panels: list[dict[str, Any]], values: dict[str, Array]) -> list[dict[str, Any]]:
    """About the curves."""
    arrivals = {panel["panel"]: panel["arrival"] for panel in panels}
    names = ("algorithm_1", "independent_mirror_descent", "independent_gradient")
    found: list[dict[str, Any]] = [
        {
            "id": "starts",
            "says": "all runs begin at V = 5/11",
            "values": sorted({number(table[0, index]) for table in values.values() for index in range(len(panels))}),
        },
        {
            "id": "arrival",
            "says": f"iterations until V ≥ {ARRIVAL} in the panels: "
            + "; ".join(f"{spoken(name)} {_listed(arrivals, name)}" for name in names),
            "iterations": arrivals,
        },
    ]
    largest_step = {"c": "near-stationary", "f": "uniform"}
    counts = {start: [arrivals[panel][name] for name in names] for panel, start in largest_step.items()}
    if not any(None in row for row in counts.values()):  # else the runs are too short to say
        both = "; ".join(f"{' / '.join(map(str, row))} from the {start} start" for start, row in counts.items())
        found.append(
            {
                "id": "mirror-step",
                "says": "what Algorithm 1 gains over independent gradient here is the mirror step's more than the conditional "
                f"policy's: Algorithm 1 / independent mirror descent / independent gradient reach V ≥ {ARRIVAL} at "
                f"η = {STEPS[-1]} after {both}",
            }
        )
    return found


def _listed(arrivals: dict[str, dict[str, int | None]], name: str) -> str:
    """One curve's arrivals, panel by panel."""
    return ", ".join(f"({panel}) {arrival[name] or 'never'}" for panel, arrival in arrivals.items())


def _fraction(value: Any) -> Fraction:
    return Fraction(str(value))
