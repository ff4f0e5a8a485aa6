"""The paper's optimisation problems by general solvers: independent of our formulas, approximate, and never trusted.

The Bellman error and the pessimistic critic of Section 5 are quadratic programmes over the class, stated in cvxpy as the paper
states them; :mod:`.quadratic_program` solves the same in a loop, twenty to forty times as fast.  The mirror step of Proposition
4.2 goes to Clarabel directly: ``⟨c, q⟩ + H(q)`` is largest where ``⟨c, q⟩ + Σ t`` is, with ``t_i ≤ -q_i log q_i``, the
exponential cone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import floats_of
from ..arithmetic.explained import explained
from ..errors import SolverError
from .bellman_error import Moments
from .linear_class import LinearClass

Floats = npt.NDArray[np.float64]

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

    factor, values = floats_of(factor), floats_of(values)
    scale = floats_of(beta)[..., None]
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


# --- the critic of Section 5 --------------------------------------------------------------------------------------------


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
        "ceiling": cp.Parameter(),
        "radius": cp.Parameter(),
    }
    values = given["features"] @ weights
    constraints = [values >= 0, values <= given["ceiling"], cp.norm(weights) <= given["radius"]]
    objective = cp.Minimize(cp.sum_squares(given["root"] @ weights - given["aim"]) + given["slope"] @ weights)
    return cp.Problem(objective, constraints), weights, given, cp


def _over_the_class(root: Floats, aim: Floats, slope: Floats, critics: LinearClass) -> Floats:
    """The minimiser for every element of a batch."""
    features = floats_of(critics.features)
    problem, weights, given, cp = _class_problem(features.shape[-1], features.shape[-2])
    data = {"root": (root, 2), "aim": (aim, 1), "slope": (slope, 1), "features": (features, 2)}
    data |= {"ceiling": (floats_of(critics.ceiling), 0), "radius": (floats_of(critics.radius), 0)}
    cores = {name: value.shape[value.ndim - core :] for name, (value, core) in data.items()}
    batch = np.broadcast_shapes(*(value.shape[: value.ndim - core] for value, core in data.values()))
    spread = {name: np.broadcast_to(value, batch + cores[name]) for name, (value, _) in data.items()}
    result = np.empty((*batch, features.shape[-1]))
    for index in np.ndindex(batch):
        for name, value in spread.items():
            given[name].value = value[index]
        try:
            problem.solve(solver=cp.CLARABEL)
        except cp.SolverError as error:
            raise SolverError(f"Clarabel found no minimum over the class: {error}") from None
        if problem.status not in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE):
            raise SolverError(f"Clarabel reports {problem.status} for the critic at index {list(index)}")
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


@explained
def pessimistic_step_by_cvxpy(moments: Moments, direction: Any, penalty: Any, critics: LinearClass) -> Floats:
    """The critic that minimises ``cᵀw + λ E(w)`` over the class, ``[..., d]``, by Clarabel through cvxpy.

    With ``E(w) = ‖Σ^{+1/2}(Aw - b)‖²``: the convex problem of Appendix C.1 as cvxpy reads it.
    """
    scale = np.sqrt(floats_of(penalty))
    inverse = scale[..., None, None] * _roots(floats_of(moments.gram))[1]
    aim = (inverse @ moments.reward[..., None])[..., 0]
    return _over_the_class(inverse @ moments.operator, aim, floats_of(direction), critics)


@explained
def inner_minimum_by_cvxpy(moments: Moments, critics: LinearClass, weights: Any) -> Floats:
    """The critic ``w'`` that minimises ``L(w', w)`` over the class, ``[..., d]``, by Clarabel through cvxpy.

    ``L(w', w) = w'ᵀΣw' - 2w'ᵀ(b + (Σ - A)w)`` and terms without ``w'``.
    """
    target = moments.reward + ((moments.gram - moments.operator) @ floats_of(weights)[..., None])[..., 0]
    aim = np.zeros(target.shape)
    return _over_the_class(_roots(floats_of(moments.gram))[0], aim, -2 * floats_of(target), critics)
