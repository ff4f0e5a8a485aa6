"""Algorithm 2 as printed leaves the optimum on two small problems, and repaired it does not; how its error falls with data.

*The gap.*  On both counterexamples to Theorem 5.5 (:mod:`mappo_verify.games.offline`) the printed algorithm gets fresh data in
every iteration, and the theorem's own ``λ``.  With two agents the repair is one joint critic; with one agent it is a class of
critics that is complete (one-hot features, same data).

*The slope.*  For the repaired algorithm the gap is what is left to optimise (Term I), plus what estimation costs (Term II and
optimism).  With ``λ ∝ √n`` the repaired theorem bounds the second part by a multiple of ``n^{-1/2}``, better than the printed
``n^{-1/3}``.  Its bound is computed from what happened in the run: ``C²/(4λ(1-γ)²) + λ ε_r + C ε_b/(1-γ)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..algorithms.datasets import Samples
from ..algorithms.pessimistic_linear import (
    pessimistic_ppo,
    pessimistic_ppo_joint,
    statistical_error,
    theorem_penalty,
)
from ..algorithms.pessimistic_trace import PessimisticTrace, pessimistic_quantities
from ..games.named import random_game
from ..games.offline import OfflineProblem, tabular_problem, theorem_5_5_one_agent, theorem_5_5_two_agents
from ..model import Game
from ..quantities.distributions import occupancy
from ..quantities.optimal import optimal
from ..quantities.values import returns

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is finished, 0 to 1."""
DRAWS = 1_000_000
"""``n`` in the pictures of the gap: so many that sampling noise does not explain the gap."""
SIZES = (1_000, 4_000, 16_000, 64_000, 256_000, 1_024_000)
"""``n`` in the picture of the slope."""


def theorem_5_5(
    progress: Progress = lambda _text, _share: None,
    iterations: int = 600,
    runs: int = 8,
    repetitions: int = 1_000,
    seed: int = 0,
) -> dict[str, Any]:
    """All numbers of both pictures, as plain data."""
    problems = (theorem_5_5_two_agents().floats(), theorem_5_5_one_agent().floats())
    panels = []
    for place, problem in enumerate(problems):
        progress(problem.game.name, place / 4)
        panels.append(_panel(problem, iterations, runs, seed))
    slope = estimation_slope(lambda text, share: progress(text, (1 + share) / 2), repetitions, seed=seed)
    progress("done", 1.0)
    return {
        "figure": "theorem-5.5",
        "source": "Section 5 and Appendix C, Theorem 5.5, Algorithm 2",
        "reproduce": f"mappo-verify reproduce theorem-5.5 --out DIR --iterations {iterations} --runs {runs} "
        f"--repetitions {repetitions} --seed {seed}",
        "iterations": iterations,
        "runs": runs,
        "draws": DRAWS,
        "seed": seed,
        "panels": panels,
        "slope": slope,
        "findings": [
            {
                "id": f"{panel['game']}-{curve['variant']}",
                "says": f"{panel['game']}, {curve['variant']}: J = {curve['mean'][-1]:.3f} after {iterations} iterations, "
                f"from {curve['mean'][0]:.3f}; the optimum is {panel['optimum']:g}",
                "return": curve["mean"][-1],
            }
            for panel in panels
            for curve in panel["curves"]
        ]
        + [
            {
                "id": "slope",
                "says": f"what estimation costs the repaired algorithm falls like n^{slope['slope']:.2f}",
                "slope": slope["slope"],
            }
        ],
    }


def _panel(problem: OfflineProblem, iterations: int, runs: int, seed: int) -> dict[str, Any]:
    """``J(π_k)`` of both variants on one problem."""
    agents = problem.game.agents
    penalty = float(theorem_penalty(problem, statistical_error(problem, agents, DRAWS, iterations)))
    complete = tabular_problem(
        problem.game,
        problem.comparator,
        states_distribution=problem.states_distribution,
        action_distribution=problem.action_distribution,
    )
    repaired = problem if agents > 1 else complete
    more: dict[str, Any] = {"penalty": penalty, "data": Samples(DRAWS), "repetitions": runs, "seed": seed}
    return {
        "game": problem.game.name,
        "agents": agents,
        "penalty": penalty,
        "optimum": float(returns(problem.game, problem.comparator)),
        "curves": [
            _curve("printed", pessimistic_ppo(problem, iterations, **more)),
            _curve("repaired", pessimistic_ppo_joint(repaired, iterations, **more)),
        ],
    }


def _curve(variant: str, trace: PessimisticTrace) -> dict[str, Any]:
    found = trace.returns()
    return {
        "variant": variant,
        "mean": found.mean(-1).tolist(),
        "lowest": found.min(-1).tolist(),
        "highest": found.max(-1).tolist(),
    }


def estimation_slope(
    progress: Progress = lambda _text, _share: None,
    repetitions: int = 1_000,
    iterations: int = 30,
    sizes: tuple[int, ...] = SIZES,
    seed: int = 0,
) -> dict[str, Any]:
    """What estimation costs the repaired algorithm, over many runs for each ``n``, and the slope of its mean in ``n``.

    Two states, two agents with two actions, one-hot features, uniform data, ``γ = 1/2``, ``λ = √n``.
    """
    base: Game = random_game(2, (2, 2), seed=3).floats().with_discount(0.5)
    problem = tabular_problem(base, optimal(base).policy)
    rows = []
    for place, size in enumerate(sizes):
        progress(f"n = {size:,}", place / len(sizes))
        rows.append(_costs(problem, size, iterations, repetitions, seed))
    means = [row["mean"] for row in rows]
    bounds = [row["bound"] for row in rows]
    return {
        "game": base.name,
        "iterations": iterations,
        "repetitions": repetitions,
        "rows": rows,
        "slope": float(np.polyfit(np.log(sizes), np.log(means), 1)[0]),
        "bound_slope": float(np.polyfit(np.log(sizes), np.log(bounds), 1)[0]),
    }


def _costs(problem: OfflineProblem, size: int, iterations: int, repetitions: int, seed: int) -> dict[str, Any]:
    """Mean and quantiles of the cost over the runs, and the mean of the bound that each run's own errors give."""
    penalty, game = float(np.sqrt(size)), problem.game
    trace = pessimistic_ppo_joint(
        problem, iterations, penalty=penalty, data=Samples(size), repetitions=repetitions, seed=seed
    )
    found = pessimistic_quantities(trace)
    cost = (found.term_two + found.optimism)[..., -1]
    taken = occupancy(game, problem.comparator)
    mismatch = float(np.sqrt((taken / problem.distribution(game.agents)).max()))
    bound = found.estimation_bound(problem.ceiling, penalty, mismatch)
    low, high = np.quantile(cost, (0.025, 0.975))
    return {
        "draws": size,
        "penalty": penalty,
        "mean": float(cost.mean()),
        "low": float(low),
        "high": float(high),
        "bound": float(bound.mean()),
        "worst_ratio": float((cost / bound).max()),
    }
