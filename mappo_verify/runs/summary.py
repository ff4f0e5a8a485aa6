"""What a run found, as plain data: ``J(π_k)``, the gap to the optimum, and the theorem's bound against the measured gap.

Each algorithm has its own theorem, or none (:data:`~mappo_verify.runs.algorithms.ALGORITHMS`):

- Algorithm 1: Theorem 4.5, from the errors that were really made, against the mean gap after every iteration; ``J`` is then taken
  from the comparator's stationary distribution, as in the theorem.
- Constant steps, of the agents or of one agent that chooses the joint action: theorem-4.5/exact-rate-in-rewards, against the gap
  after every iteration.  It needs exact values and γ < 1; without them Theorem 4.5 still holds.
- Algorithms that learn from data: Theorem 5.5 for Algorithm 2, D.7 for Algorithm 4, after all ``K`` iterations: the first term
  with the constant of the proof, which is all that a constant is known for, or the repaired theorem's bound.
- Agents that ignore each other's actions, or share one policy: no theorem.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..algorithms.pessimistic_general import FiniteEvaluation
from ..algorithms.pessimistic_iteration import Joint
from ..algorithms.pessimistic_trace import PessimisticTrace, pessimistic_quantities
from ..algorithms.trace import Trace
from ..arithmetic import TRUE, Array, System, divide
from ..bounds.convergence import RunBounds, exact_rate, of_run
from ..bounds.pessimism import optimisation
from ..errors import MappoVerifyError
from ..model import Game
from ..model.agents import join_last
from ..quantities.bellman import bellman_operator
from ..quantities.distributions import occupancy
from ..quantities.divergence import squared_norm
from ..quantities.optimal import Optimum, optimal
from ..quantities.update_errors import safe_odds_change
from ..quantities.values import returns
from ..reproduction.curves import iterations_shown, number
from .algorithms import Entry, Result
from .folder import StoredRun
from .plan import Plan

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
        game = game if trace.agents == game.agents else game.as_single_agent()
        values = trace.returns(game, start_for(game))
    best, plan = optimal(game), run.plan
    optimum = float(best.values @ start_for(game))
    at = iterations_shown(trace.iterations)
    if isinstance(trace, PessimisticTrace):
        bounds = _offline_bounds(trace, plan.entry)
    elif plan.entry.theorem is None:
        bounds = _no_bounds(plan.entry)
    elif plan.entry.theorem == EXACT_RATE and _is_exact(plan, game):
        bounds = _rate_bounds(trace, game, values, optimum)
    else:
        bounds = _bounds(trace, game, best.policy)
        if plan.entry.theorem == EXACT_RATE:
            bounds["says"] = f"{EXACT_RATE} needs exact values and a discount below 1.  {bounds['says']}"
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
        "finding": finding(plan.entry.title, plan.problem or str(plan.game), values, optimum, at_stake(best, optimum)),
        "says": bounds["says"],
    }


def at_stake(best: Optimum, optimum: float) -> float:
    """What the cheapest action that is not optimal costs along the way, or a hundredth of the optimum; no outlier moves it."""
    lost = best.certificate.slack[best.certificate.slack > 0]
    return max(float(lost.min() * best.certificate.dual_visits.sum()), abs(optimum) / 100) if lost.size else np.inf


def finding(algorithm: str, subject: str, values: Array, optimum: float, stake: float = np.inf) -> str:
    """Where the run ended, in a sentence.

    The way is measured from the first policy, but one that plays what is forbidden may be endlessly far: it is no longer than
    what is at ``stake``.
    """
    first, last, late = (float(values[k]) for k in (0, -1, int(0.9 * (len(values) - 1))))
    way = max(min(abs(optimum - first), stake), 1e-12 * max(1.0, abs(optimum)))
    name = algorithm[0].upper() + algorithm[1:]
    if optimum - last <= NEAR * way:
        return f"{name} reaches the optimum of {subject}: J = {last:.4g} of {optimum:.4g}"
    where = f"in {subject}; the optimum is {optimum:.4g}"
    if last < first - STILL * way:
        return f"{name} falls from J = {first:.4g} to {last:.4g} {where}"
    if abs(last - late) <= STILL * way:
        return f"{name} stops at J = {last:.4g} {where}"
    return f"{name} is at J = {last:.4g} after {len(values) - 1:,} iterations {where}"


def _numbers(values: Array) -> list[float | None]:
    """As they are written; what is not finite has no number in JSON."""
    return [number(value) if np.isfinite(value) else None for value in np.asarray(values).ravel()]


def _no_bounds(entry: Entry) -> dict[str, Any]:
    """What to say of an algorithm that no theorem covers."""
    why = "agents that ignore what the others do may stop below the optimum (Section 4.3)"
    return {"theorem": None, "at": [], "says": f"No theorem bounds the gap of {entry.title}: {why}"}


EXACT_RATE = "theorem-4.5/exact-rate-in-rewards"


def _is_exact(plan: Plan, game: Game) -> bool:
    """Whether a run with a constant step has what the 1/K rate needs."""
    return bool(plan.options.get("critic", "exact") == "exact" and game.discount < 1)


def _rate_bounds(trace: Trace, game: Game, values: Array, optimum: float) -> dict[str, Any]:
    """The 1/K rate after every iteration, beside the gap that it bounds."""
    after = np.arange(1, trace.iterations + 1)
    bound, left = exact_rate(game, trace.beta, after), optimum - values[1:]
    at = iterations_shown(trace.iterations)[1:]
    said = f"Gap {left[-1]:.3g} after {trace.iterations:,} iterations; {EXACT_RATE} allows {bound[-1]:.3g}"
    above = np.flatnonzero(left > bound + 1e-9 * (abs(optimum) + np.abs(values[1:])))  # each gap has its own rounding
    if above.size:
        said += f"; above the bound from iteration {above[0] + 1:,} on"
    else:
        shares = divide(left, bound)
        closest = int(np.argmax(shares))
        said += f"; at any k the gap is at most {shares[closest]:.2g} times the bound (k = {closest + 1:,})"
    return {
        "theorem": EXACT_RATE,
        "at": at.tolist(),
        "gap": _numbers(left[at - 1]),
        "exact_rate": _numbers(bound[at - 1]),
        "says": said,
    }


def _bounds(trace: Trace, game: Game, comparator: Any) -> dict[str, Any]:
    """Theorem 4.5 after every iteration, printed and repaired, beside the mean gap that it bounds."""
    try:
        found = of_run(trace, game, comparator)
    except MappoVerifyError as error:
        return {"theorem": "theorem-4.5", "at": [], "says": f"Theorem 4.5 gives no bound for this run: {error}"}
    mean, (printed, repaired, spread) = found.measured, map(_or_infinite, (found.printed, found.repaired, found.spread))
    at = iterations_shown(trace.iterations)[1:]
    rows = {"mean_gap": mean, "printed": printed, "repaired": repaired, "spread": spread}
    return {
        "theorem": "theorem-4.5",
        "at": at.tolist(),
        **{name: _numbers(row[at - 1]) for name, row in rows.items()},
        "says": _compared(mean, printed, repaired, spread) + _proved(found),
    }


def _proved(found: RunBounds) -> str:
    """That no step was too large for the printed bound to be proved, where that is so."""
    if found.proved != TRUE:
        return ""
    safe = np.exp(safe_odds_change(System.FLOATS))
    return (
        f"; no step multiplies odds by more than {np.exp(float(found.change)):.3g} ({safe:.1f} is safe), so the "
        "printed bound is a theorem here (theorem-4.5/bounded-steps)"
    )


def _bound(value: Any) -> str:
    return f"{value:.3g}" if np.isfinite(value) else "any gap"


def _or_infinite(bounds: Array) -> Array:
    """Where coverage overflows, an error of 0 times infinity is not a number; such a bound counts as infinite."""
    return np.where(np.isnan(bounds), np.inf, bounds)


def _compared(mean: Array, printed: Array, repaired: Array, spread: Array) -> str:
    """The measured mean gap against the bounds, after all iterations, and where it is above the printed one."""
    said = (
        f"Mean gap {mean[-1]:.3g}; Theorem 4.5 allows {_bound(printed[-1])} as printed, {_bound(repaired[-1])} repaired, "
        f"{_bound(spread[-1])} in its sharpest form (theorem-4.5/spread)"
    )
    above = np.flatnonzero(mean > printed + 1e-9 * np.abs(mean))
    if above.size:
        said += f"; above the printed bound from iteration {above[0] + 1:,} on"
    return said


def _offline_bounds(trace: PessimisticTrace, entry: Entry) -> dict[str, Any]:
    """Theorem 5.5 or D.7 after all iterations: its first term, and what the repaired theorem adds where it applies."""
    problem, steps = trace.problem, trace.iterations
    game = problem.game
    optimise = float(optimisation(game, steps))
    mean = np.cumsum(returns(game, problem.comparator) - trace.returns()[:-1]) / np.arange(1, steps + 1)
    at = iterations_shown(steps)[1:]
    result: dict[str, Any] = {
        "theorem": entry.theorem,
        "at": at.tolist(),
        "mean_gap": _numbers(mean[at - 1]),
    }
    theorem = str(entry.theorem).replace("theorem-", "Theorem ").replace("d.", "D.")
    said = f"Mean gap {mean[-1]:.3g}; the first term of {theorem} is {optimise:.3g}"
    result["first_term"] = number(optimise)
    if trace.evaluated == Joint().evaluated(game.agents):
        whole = optimise + _estimation(trace)
        result |= {"repaired": number(whole)} if np.isfinite(whole) else {}
        said += f", the repaired bound {_bound(whole)}"
    elif mean[-1] > optimise:
        said += ", which the gap exceeds"
    return {**result, "says": said}


def _estimation(trace: PessimisticTrace) -> float:
    """``C²/(4λ(1-γ)²) + λ ε_r + C ε_b/(1-γ)`` with the errors of the run (theorem-5.5/repaired).

    ``C = max_k ‖f_k - T f_k‖_{2,d_*} / ‖f_k - T f_k‖_{2,μ}``, where what is below 1e-12 is rounding.  A finite class need not
    hold ``Q_k``, so ``max_k min_f (‖f - T f‖_∞/(1-γ) + λ E_D(f))`` takes the place of ``λ ε_r`` (theorem-d.7/repaired).
    """
    found, problem, penalty = pessimistic_quantities(trace), trace.problem, float(trace.penalty)
    game, table = problem.game, join_last(trace.critics[-1])
    residual = table - bellman_operator(game, trace.policies(slice(trace.iterations)), table, game.agents)
    reached, seen = squared_norm(residual, occupancy(game, problem.comparator), 2), found.residuals_squared[:, -1]
    mismatch = float(np.sqrt((divide(np.where(reached > 1e-24, reached, 0), seen)).max()))
    evaluation = trace.evaluation
    allowance = _allowance(trace, evaluation, penalty) if isinstance(evaluation, FiniteEvaluation) else None
    return max(float(found.estimation_bound(problem.ceiling, penalty, mismatch, allowance)), 0.0)


def _allowance(trace: PessimisticTrace, evaluation: FiniteEvaluation, penalty: float) -> float:
    """What pessimism pays in the worst iteration."""
    samples = ((trace.dataset(k, trace.problem.game.agents), trace.policies(k)) for k in range(trace.iterations))
    return max(float(evaluation.allowance(data, policy, penalty)) for data, policy in samples)
