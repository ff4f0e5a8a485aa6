"""Algorithm 3 as printed stalls; started at the current parameters it does not.

The bandit with rewards 1 and 0, γ = 0; Algorithm 1 with ``K`` iterations, ``R = 5`` and the ``β`` of exact updates, whose
every subproblem Algorithm 3 solves in ``T`` steps of its own size ``η = R/(G√T)``.  As printed it starts each time at 0 and
averages its path: an iteration may get only so far from 0, whatever the ones before it had learned, and that distance grows with
``T`` but not with ``K``.  Started at ``θ_k`` it keeps what it has.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..algorithms.multi_agent_ppo import multi_agent_ppo
from ..algorithms.projection_step import Start, StochasticGradient
from ..model import Game
from .curves import Progress, silent

RADIUS = 5.0
CURVES: tuple[tuple[Start, int], ...] = (("zero", 10), ("zero", 100), ("zero", 1000), ("current", 100))
"""Where Algorithm 3 starts, and its number ``T`` of steps."""


def algorithm_3(
    progress: Progress = silent,
    iterations: int = 200,
    runs: int = 16,
    seed: int = 0,
    curves: tuple[tuple[Start, int], ...] = CURVES,
) -> dict[str, Any]:
    """All numbers of the picture, as plain data: the mean, lowest and highest ``J(π_k)`` of ``runs`` runs for ``k = 0..K``."""
    found = []
    for place, (start, steps) in enumerate(curves):
        progress(f"start = {start}, T = {steps}", place / len(curves))
        found.append(_curve(start, steps, iterations, runs, seed))
    progress("done", 1.0)
    return {
        "figure": "algorithm-3",
        "source": "Section 4 and Appendix B, Algorithm 3",
        "reproduce": f"mappo-verify reproduce algorithm-3 --out DIR --iterations {iterations} --runs {runs} --seed {seed}",
        "game": "one state, rewards 1 and 0, discount 0; the optimum is 1, the uniform policy earns 1/2",
        "iterations": iterations,
        "radius": RADIUS,
        "runs": runs,
        "seed": seed,
        "curves": found,
        "findings": [
            {
                "id": f"{curve['start']}-{curve['steps']}",
                "says": f"{'as printed' if curve['start'] == 'zero' else 'started at θ_k'}, T = {curve['steps']}: "
                f"J = {curve['mean'][-1]:.3f} after {iterations} iterations",
                "return": curve["mean"][-1],
            }
            for curve in found
        ],
    }


def _curve(start: Start, steps: int, iterations: int, runs: int, seed: int) -> dict[str, Any]:
    game = Game(np.ones((runs, 1, 2, 1)), np.array([[1.0, 0.0]]), np.array(0.0), start=np.array([1.0]))
    solver = StochasticGradient(steps, start=start)
    returns = multi_agent_ppo(game, iterations, radius=RADIUS, solver=solver, seed=seed).returns(game)
    return {
        "start": start,
        "steps": steps,
        "mean": returns.mean(-1).tolist(),
        "lowest": returns.min(-1).tolist(),
        "highest": returns.max(-1).tolist(),
    }
