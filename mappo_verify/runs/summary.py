"""What a run found, as plain data: ``J(π_k)``, the gap to the optimum, and the theorem's bound against the measured mean gap.

For algorithms that know the game the bound is Theorem 4.5's, from the errors that were really made, after every iteration; ``J``
is then taken from the comparator's stationary distribution, as in the theorem.  For those that learn from data it is Theorem
5.5's, after all ``K`` iterations: its first term with the constant of the proof, which is all that a constant is known for, or
the repaired theorem's bound.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..algorithms.pessimistic_iteration import Joint
from ..algorithms.pessimistic_linear import LinearEvaluation
from ..algorithms.pessimistic_trace import PessimisticTrace, pessimistic_quantities
from ..algorithms.trace import Trace, recompute
from ..arithmetic import Array, divide
from ..errors import MappoVerifyError
from ..model import Game
from ..model.agents import join_last
from ..quantities.bellman import bellman_operator
from ..quantities.distributions import occupancy
from ..quantities.divergence import squared_norm
from ..quantities.online_learning import regret_bound
from ..quantities.optimal import optimal
from ..quantities.values import returns
from ..reproduction.curves import iterations_shown, number
from .folder import StoredRun
from .plan import Result

NEAR = 0.01
"""Part of the way from the first policy to the optimum that may be missing where a run is said to reach it."""
STILL = 0.001
"""Part of that way that a run may move in its last tenth where it is said to have settled."""


def start_for(game: Game) -> Array:
    """The game's start, or every state alike."""
    return np.full(game.states, 1 / game.states) if game.start is None else game.start


def summarise(run: StoredRun, trace: Result) -> dict[str, Any]:
    """Everything that the picture shows, and what it says in a sentence."""
    if isinstance(trace, PessimisticTrace):
        game, values = trace.problem.game, trace.returns()
    else:
        assert run.game is not None
        game = run.game.floats()
        game = game.as_single_agent() if run.plan.entry.single else game
        values = trace.returns(game, start_for(game))
    best = optimal(game)
    optimum = float(best.values @ start_for(game))
    at = iterations_shown(trace.iterations)
    bounds = _offline_bounds(trace) if isinstance(trace, PessimisticTrace) else _bounds(trace, game, best.policy)
    plan = run.plan
    return {
        "title": plan.title,
        "algorithm": plan.algorithm,
        "subject": plan.problem or plan.game,
        "options": dict(plan.options),
        "iterations": trace.iterations,
        "discount": float(game.discount),
        "optimum": number(optimum),
        "at": at.tolist(),
        "returns": _numbers(values[at]),
        "gaps": _numbers(optimum - values[at]),
        "bounds": bounds,
        "finding": finding(plan.entry.title, plan.problem or str(plan.game), values, optimum),
        "says": bounds["says"],
    }


def finding(algorithm: str, subject: str, values: Array, optimum: float) -> str:
    """Where the run ended, in a sentence."""
    first, last, late = float(values[0]), float(values[-1]), float(values[int(0.9 * (len(values) - 1))])
    way = max(abs(optimum - first), 1e-12 * max(1.0, abs(optimum)))
    name = algorithm[0].upper() + algorithm[1:]
    if optimum - last <= NEAR * way:
        return f"{name} reaches the optimum of {subject}: J = {last:.4g} of {optimum:.4g}"
    there = f"in {subject}; the optimum is {optimum:.4g}"
    if last < first - STILL * way:
        return f"{name} falls from J = {first:.4g} to {last:.4g} {there}"
    if abs(last - late) <= STILL * way:
        return f"{name} stops at J = {last:.4g} {there}"
    return f"{name} is at J = {last:.4g} after {len(values) - 1:,} iterations {there}"


def _numbers(values: Array) -> list[float | None]:
    """As they are written; what is not finite has no number in JSON."""
    return [number(value) if np.isfinite(value) else None for value in np.asarray(values).ravel()]


def _bounds(trace: Trace, game: Game, comparator: Any) -> dict[str, Any]:
    """Theorem 4.5 after every iteration, printed and repaired, beside the mean gap that it bounds."""
    try:
        with np.errstate(all="ignore"):  # policies that round to 0 have infinite bounds
            found = recompute(trace, game, comparator)
            printed, repaired = _or_infinite(found.printed_bounds), _or_infinite(found.repaired_bounds)
    except MappoVerifyError as error:
        return {"theorem": "4.5", "at": [], "says": f"Theorem 4.5 bounds nothing here: {error}"}
    after = np.arange(1, trace.iterations + 1)
    mean = np.cumsum(found.gaps) / after
    at = iterations_shown(trace.iterations)[1:]
    rows = {"mean_gap": mean, "printed": printed, "repaired": repaired}
    return {
        "theorem": "4.5",
        "at": at.tolist(),
        **{name: _numbers(row[at - 1]) for name, row in rows.items()},
        "says": _compared(mean, printed, repaired),
    }


def _bound(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else "any gap"


def _or_infinite(bounds: Array) -> Array:
    """Where coverage overflows, an error of 0 times infinity is no number; a bound that is none is infinite."""
    return np.where(np.isnan(bounds), np.inf, bounds)


def _compared(mean: Array, printed: Array, repaired: Array) -> str:
    """The measured mean gap against both bounds, after all iterations, and where it is above one."""
    said = (
        f"Mean gap {mean[-1]:.3g}; Theorem 4.5 allows {_bound(printed[-1])} as printed, {_bound(repaired[-1])} repaired"
    )
    slack = 1e-9 * np.abs(mean).max()
    above = np.flatnonzero(mean > printed + slack)
    if above.size:
        said += f"; above the printed bound from iteration {above[0] + 1:,} on"
    return said


def _offline_bounds(trace: PessimisticTrace) -> dict[str, Any]:
    """Theorem 5.5 after all iterations: its first term, and what the repaired theorem adds where it applies."""
    problem, steps = trace.problem, trace.iterations
    game, ceiling = problem.game, float(problem.ceiling)
    optimise = sum(float(regret_bound(ceiling, steps, size)) for size in game.action_sizes) * ceiling / steps
    mean = np.cumsum(returns(game, problem.comparator) - trace.returns()[:-1]) / np.arange(1, steps + 1)
    at = iterations_shown(steps)[1:]
    result: dict[str, Any] = {"theorem": "5.5", "at": at.tolist(), "mean_gap": _numbers(mean[at - 1])}
    said = f"Mean gap {mean[-1]:.3g}; the first term of Theorem 5.5 is {optimise:.3g}"
    result["first_term"] = number(optimise)
    if trace.evaluated == Joint().evaluated(game.agents) and isinstance(trace.evaluation, LinearEvaluation):
        whole = optimise + _estimation(trace)
        result |= {"repaired": number(whole)} if np.isfinite(whole) else {}
        said += f", the repaired bound {_bound(whole)}"
    elif mean[-1] > optimise:
        said += ", which the gap exceeds"
    return {**result, "says": said}


def _estimation(trace: PessimisticTrace) -> float:
    """``C²/(4λ(1-γ)²) + λ ε_r + C ε_b/(1-γ)`` with the errors of the run (theorem-5.5/repaired).

    ``C = max_k ‖f_k - T f_k‖_{2,d_*} / ‖f_k - T f_k‖_{2,μ}``, where what is below 1e-12 is rounding.
    """
    found, problem, price = pessimistic_quantities(trace), trace.problem, float(trace.price)
    game, table = problem.game, join_last(trace.critics[-1])
    residual = table - bellman_operator(game, trace.policies(slice(trace.iterations)), table, game.agents)
    there, shown = squared_norm(residual, occupancy(game, problem.comparator), 2), found.residuals_squared[:, -1]
    mismatch = float(np.sqrt(divide(np.where(there > 1e-24, there, 0), shown).max()))
    return max(float(found.estimation_bound(problem.ceiling, price, mismatch)), 0.0)
