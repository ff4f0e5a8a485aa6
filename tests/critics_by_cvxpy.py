"""The pessimistic critic by cvxpy: independent of our solvers, slow, approximate; what they return is compared with it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from mappo_verify.quantities.bellman_error import Moments
from mappo_verify.quantities.linear_class import LinearClass

Floats = npt.NDArray[np.float64]


@lru_cache(maxsize=32)
def _class_problem(size: int, count: int) -> tuple[Any, Any, dict[str, Any], Any]:
    """Minimise ‖Gw - h‖² + sᵀw over 0 ≤ Φw ≤ u, ‖w‖ ≤ L, with everything a parameter: compiled once per size (DPP)."""
    import cvxpy as cp

    weights = cp.Variable(size)
    given = {
        "root": cp.Parameter((size, size)),
        "aim": cp.Parameter(size),
        "slope": cp.Parameter(size),
        "features": cp.Parameter((count, size)),
        "ceiling": cp.Parameter(nonneg=True),
        "radius": cp.Parameter(nonneg=True),
    }
    values = given["features"] @ weights
    constraints = [values >= 0, values <= given["ceiling"], cp.norm(weights) <= given["radius"]]
    objective = cp.Minimize(cp.sum_squares(given["root"] @ weights - given["aim"]) + given["slope"] @ weights)
    return cp.Problem(objective, constraints), weights, given, cp


def _over_the_class(root: Floats, aim: Floats, slope: Floats, critics: LinearClass) -> Floats:
    """The minimiser for every element of a batch."""
    features = np.asarray(critics.features, float)
    problem, weights, given, cp = _class_problem(features.shape[-1], features.shape[-2])
    result = np.empty(np.broadcast_shapes(aim.shape, slope.shape, features.shape[:-2] + features.shape[-1:]))
    batch = result.shape[:-1]
    data = {"root": (root, 2), "aim": (aim, 1), "slope": (slope, 1), "features": (features, 2)}
    data |= {"ceiling": (np.asarray(critics.ceiling, float), 0), "radius": (np.asarray(critics.radius, float), 0)}
    spread = {
        name: np.broadcast_to(value, batch + value.shape[value.ndim - core :]) for name, (value, core) in data.items()
    }
    for index in np.ndindex(batch):
        for name, value in spread.items():
            given[name].value = value[index]
        problem.solve(solver=cp.CLARABEL)
        assert problem.status in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE), f"{problem.status} at index {list(index)}"
        result[index] = weights.value
    return result


def _roots(gram: Floats) -> tuple[Floats, Floats]:
    """``Σ^{1/2}`` and its pseudo-inverse, by eigenvalues."""
    values, vectors = np.linalg.eigh(gram)
    seen = values > values.shape[-1] * np.finfo(float).eps * values.max(-1, keepdims=True)
    roots = np.sqrt(np.where(seen, values, 0.0))
    inverse = np.where(seen, 1 / np.where(seen, roots, 1.0), 0.0)
    transposed = np.swapaxes(vectors, -1, -2)
    return (vectors * roots[..., None, :]) @ transposed, (vectors * inverse[..., None, :]) @ transposed


def pessimistic_step_by_cvxpy(moments: Moments, direction: Any, penalty: Any, critics: LinearClass) -> Floats:
    """The critic that minimises ``cᵀw + λ E(w)`` over the class, ``[..., d]``, by Clarabel through cvxpy.

    With ``E(w) = ‖Σ^{+1/2}(Aw - b)‖²``: the convex problem of Appendix C.1 as cvxpy reads it.
    """
    scale = np.sqrt(np.asarray(penalty, float))
    inverse = scale[..., None, None] * _roots(moments.gram)[1]
    aim = (inverse @ moments.reward[..., None])[..., 0]
    return _over_the_class(inverse @ moments.operator, aim, np.asarray(direction, float), critics)


def inner_minimum_by_cvxpy(moments: Moments, critics: LinearClass, weights: Any) -> Floats:
    """The critic ``w'`` that minimises ``L(w', w)`` over the class, ``[..., d]``, by Clarabel through cvxpy.

    ``L(w', w) = w'ᵀΣw' - 2w'ᵀ(b + (Σ - A)w)`` and terms without ``w'``.
    """
    target = moments.reward + ((moments.gram - moments.operator) @ np.asarray(weights, float)[..., None])[..., 0]
    return _over_the_class(_roots(moments.gram)[0], np.zeros_like(target), -2 * target, critics)
