"""What pessimistic evaluation comes to when data and penalty grow without bound, exactly.

As ``λ → ∞`` only critics without Bellman error are left, and the most pessimistic of them solves a linear programme over the
class of Definition 5.1 (its ball left out: the solution is checked to lie inside)::

    minimise cᵀw    subject to   Aw = b,    0 ≤ φ(x)ᵀw ≤ 1/(1-γ) for every point x

A floating-point solver proposes which constraints are active; the vertex they determine is then computed over the rationals,
and so are multipliers on as few active constraints as possible.  Weak duality proves optimality: with ``u, v ≥ 0`` and
``c = Aᵀy + Φᵀ(u - v)``::

    cᵀw ≥ bᵀy - Σ_x v(x)/(1-γ)     for every feasible w,   with equality at the optimum

Source: Algorithm 2, line 4, in the limit of Theorem 5.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
import numpy.typing as npt

from ..arithmetic import Array, as_array, certainly_equal, compare, contract, floats_of, like, pseudo_solve, zeros
from ..errors import MappoVerifyError
from .bellman_error import Moments
from .linear_class import LinearClass

ACTIVE = 1e-7
"""How near to its bound a float solution must be for a constraint to be tried as active; exact checks follow."""


class LimitError(MappoVerifyError, RuntimeError):
    """The limit has no critic, or its optimality could not be proved."""


@dataclass(frozen=True, eq=False)
class LimitCritic:
    """An exact optimum of the programme above, with its proof.

    Attributes
    ----------
    weights : Array
        ``w``, ``[d]``; ``values`` is ``φᵀw`` at every point, ``[X]``.
    objective : Array
        ``cᵀw``, the smallest possible.
    equalities, lower, upper : Array
        The multipliers ``y`` ``[d]``, ``u ≥ 0`` and ``v ≥ 0`` ``[X]``.
    """

    weights: Array
    values: Array
    objective: Array
    equalities: Array
    lower: Array
    upper: Array


def limit_critic(moments: Moments, direction: Array, critics: LinearClass) -> LimitCritic:
    """The most pessimistic critic without Bellman error: rationals only, a single problem.

    Raises :class:`LimitError` where no critic of the class has Bellman error 0, and where the exact check fails.
    """
    features, ceiling = critics.features, as_array(critics.ceiling)
    proposed = _proposal(moments, direction, critics)
    heights = floats_of(features) @ proposed
    low = compare(heights, "≤", ACTIVE) > 0
    high = ~low & (compare(heights, "≥", float(floats_of(ceiling)) - ACTIVE) > 0)
    rows = np.concatenate([moments.operator, features[low], -features[high]])
    bounds = np.concatenate([like(np.zeros(int(low.sum()), int), features), np.repeat(-ceiling, int(high.sum()))])
    weights = _least_squares(rows, np.concatenate([moments.reward, bounds]))
    multipliers = _multipliers(rows, direction, len(moments.reward))
    lower, upper = (np.array(zeros(len(features), features)) for _ in range(2))
    lower[low], upper[high] = np.split(multipliers[len(moments.reward) :], [int(low.sum())])
    found = LimitCritic(
        weights,
        critics.values(weights),
        contract("d,d->", direction, weights),
        multipliers[: len(moments.reward)],
        lower,
        upper,
    )
    require_optimal(found, moments, direction, critics)
    return found


def require_optimal(found: LimitCritic, moments: Moments, direction: Array, critics: LinearClass) -> None:
    """Feasibility, signs, stationarity and the duality gap, each exactly; :class:`LimitError` names what fails."""
    zero = like(0, direction)
    forces = contract("xd,x->d", critics.features, found.lower - found.upper)
    forces = forces + contract("id,i->d", moments.operator, found.equalities)
    bound = (moments.reward * found.equalities).sum() - critics.ceiling * found.upper.sum()
    checks = {
        "its Bellman error is 0": compare(moments.equation_error(found.weights), "=", zero),
        "it lies in the class": critics.contains(found.weights),
        "its multipliers are not negative": compare(np.stack([found.lower, found.upper]), "≥", zero),
        "its multipliers balance the objective": compare(forces, "=", direction),
        "the duality gap is 0": compare(found.objective, "=", bound),
    }
    for name, truth in checks.items():
        if not (truth > 0).all():
            raise LimitError(f"the limit critic is not proved optimal: it fails that {name}")


def _proposal(moments: Moments, direction: Array, critics: LinearClass) -> Array:
    """A float optimum, by SciPy's HiGHS."""
    from scipy.optimize import linprog

    features, dimension = floats_of(critics.features), direction.shape[-1]
    found = linprog(
        floats_of(direction),
        A_ub=np.concatenate([features, -features]),
        b_ub=np.repeat([float(floats_of(critics.ceiling)), 0.0], len(features)),
        A_eq=floats_of(moments.operator),
        b_eq=floats_of(moments.reward),
        bounds=[(None, None)] * dimension,
        method="highs",
    )
    if found.status:
        raise LimitError(f"no critic of the class has Bellman error 0, or none is the smallest: {found.message}")
    solution: npt.NDArray[np.float64] = found.x
    return solution


def _least_squares(rows: Array, right: Array) -> Array:
    """The shortest ``w`` that minimises ``‖rows·w - right‖``, exactly."""
    normal = contract("xi,xj->ij", rows, rows)
    return pseudo_solve(normal, contract("xi,x->i", rows, right)[:, None])[0][:, 0]


def _multipliers(rows: Array, direction: Array, free: int) -> Array:
    """``z`` with ``rowsᵀz = c`` and no negative entry beyond the first ``free``; all 0 if there is none.

    Of the rows beyond those as few as possible are used, the first that are enough; so the answer does not depend on a solver.
    By Carathéodory's theorem as many as there are weights suffice.
    """
    result = np.array(zeros(len(rows), rows))
    bounded = range(free, len(rows))
    for used in chain.from_iterable(combinations(bounded, size) for size in range(len(direction) + 1)):
        chosen = [*range(free), *used]
        found = _least_squares(rows[chosen].T, direction)
        balanced = certainly_equal(contract("xd,x->d", rows[chosen], found), direction).all()
        if balanced and (compare(found[free:], "≥", like(0, direction)) > 0).all():
            result[chosen] = found
            return result
    return result
