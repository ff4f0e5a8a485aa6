"""The mirror step by cvxpy: independent of our formula, slow, approximate; never trusted, always evaluated exactly.

cvxpy takes seconds to import, so it is imported when first called.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import SolverError


@lru_cache(maxsize=32)
def _mirror_problem(actions: int) -> tuple[Any, Any, Any, Any]:
    """Maximise ⟨c, q⟩ + Σ entr(q) over the simplex, with ``c`` a parameter: compiled once per size (DPP)."""
    import cvxpy as cp

    candidate, direction = cp.Variable(actions), cp.Parameter(actions)
    objective = cp.Maximize(direction @ candidate + cp.sum(cp.entr(candidate)))
    return cp.Problem(objective, [cp.sum(candidate) == 1]), candidate, direction, cp


def mirror_step_by_cvxpy(factor: Any, values: Any, beta: Any) -> npt.NDArray[np.float64]:
    """The maximiser of ``⟨Q̂, q⟩ - β KL(q‖π)`` over the simplex, by Clarabel; floats, any leading axes.

    Divided by ``β`` and with ``π`` of full support, the objective is ``⟨Q̂/β + log π, q⟩ + H(q)``.
    """
    factor, values = np.asarray(factor, float), np.asarray(values, float)
    scale = np.asarray(beta, float)[..., None]
    directions = values / scale + np.log(factor)
    result = np.empty(directions.shape)
    for index in np.ndindex(directions.shape[:-1]):
        problem, candidate, direction, cp = _mirror_problem(directions.shape[-1])
        direction.value = directions[index] - directions[index].max()
        problem.solve(solver=cp.CLARABEL)
        if problem.status not in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE):
            raise SolverError(f"cvxpy reports {problem.status} for the mirror step at index {list(index)}")
        result[index] = candidate.value
    return result
