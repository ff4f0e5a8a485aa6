"""The mirror step by a conic solver: independent of our formula, approximate; never trusted, always evaluated exactly.

``⟨c, q⟩ + H(q)`` is largest where ``⟨c, q⟩ + Σ t`` is, with ``t_i ≤ -q_i log q_i``: the exponential cone, which Clarabel knows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import SolverError

PLACES = 30
"""Binary places of the direction: number systems differ beyond them, and a solver makes more of such a difference."""


@lru_cache(maxsize=32)
def _mirror_cones(actions: int) -> tuple[Any, Any, Any, list[Any], Any]:
    """The problem over ``(q, t)`` but for its direction: ``Σ q = 1``, and ``(t_i, q_i, 1)`` in the exponential cone."""
    import clarabel
    from scipy.sparse import csc_matrix

    rows = np.zeros((1 + 3 * actions, 2 * actions))
    sides = np.zeros(1 + 3 * actions)
    rows[0, :actions] = sides[0] = 1
    for action in range(actions):
        rows[1 + 3 * action, actions + action] = rows[2 + 3 * action, action] = -1
        sides[3 + 3 * action] = 1
    cones = [clarabel.ZeroConeT(1), *(clarabel.ExponentialConeT() for _ in range(actions))]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    return csc_matrix((2 * actions, 2 * actions)), csc_matrix(rows), sides, cones, settings


def mirror_step_by_solver(factor: Any, values: Any, beta: Any) -> npt.NDArray[np.float64]:
    """The maximiser of ``⟨Q̂, q⟩ - β KL(q‖π)`` over the simplex, by Clarabel; floats, any leading axes.

    Divided by ``β`` and with ``π`` of full support, the objective is ``⟨Q̂/β + log π, q⟩ + H(q)``.
    """
    import clarabel

    factor, values = np.asarray(factor, float), np.asarray(values, float)
    scale = np.asarray(beta, float)[..., None]
    directions = np.ldexp(np.rint(np.ldexp(values / scale + np.log(factor), PLACES)), -PLACES)
    result = np.empty(directions.shape)
    actions = directions.shape[-1]
    square_part, rows, sides, cones, settings = _mirror_cones(actions)
    for index in np.ndindex(directions.shape[:-1]):
        slope = np.concatenate([directions[index].max() - directions[index], -np.ones(actions)])
        answer = clarabel.DefaultSolver(square_part, slope, rows, sides, cones, settings).solve()
        status = str(answer.status)
        if status not in ("Solved", "AlmostSolved"):
            raise SolverError(f"Clarabel reports {status} for the mirror step at index {list(index)}")
        result[index] = answer.x[:actions]
    return result
