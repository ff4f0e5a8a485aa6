"""A convex quadratic form over a ball cut by slabs: the minimum with a certificate.

Both optimisation problems of pessimistic evaluation, the step and the inner minimum of the Bellman error, are::

    minimise  wᵀQw - 2qᵀw + k   subject to   low ≤ Rw ≤ high,  ‖w‖ ≤ L                      (Q ⪰ 0)

For multipliers ``y⁻, y⁺ ≥ 0`` of the two sides and ``τ ≥ 0`` of the ball, let ``M = Q + τI`` and ``p = q + ½Rᵀ(y⁻ - y⁺)``.
For *every* ``v``, with the rest ``e = p - Mv``, no admissible ``w`` has a value below::

    k + lowᵀy⁻ - highᵀy⁺ - τL² - vᵀMv - 2L‖e‖₁                                          (dual bound)

because ``wᵀMw - 2pᵀw = (w-v)ᵀM(w-v) - vᵀMv - 2eᵀw`` and ``|eᵀw| ≤ L‖e‖₁``.  The best choice is
``v = M⁺p``.  One formula therefore checks whatever a solver returns: the value at its point against the bound from its
multipliers.  In floats both are rounded; on rationals the point is feasible and the bound true without any rounding, and if
the ball is not active they are equal.

>>> import numpy as np
>>> form = Quadratic(np.eye(2), np.array([1.0, 3.0]), 10.0)                                # (w₁-1)² + (w₂-3)²
>>> minimum = minimise(form, Region(np.eye(2), np.zeros(2), np.full(2, 2.0), 10.0))
>>> minimum.weights, round(float(minimum.objective), 9), minimum.route, minimum.multipliers.above.round(9)
(array([1., 2.]), 1.0, 'active set', array([0., 2.]))
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..arithmetic import (
    Array,
    System,
    absolute,
    as_array,
    compare,
    contract,
    floats_of,
    identity,
    largest,
    like,
    maximum,
    pseudo_solve,
    select,
    square,
    support,
    system_of,
    zeros,
)
from ..arithmetic.explained import explained_class, over_arrays
from ..errors import GameError, InfeasibleError, SolverError

ACCURACY = 1e-6
"""A float answer whose duality gap or violation exceeds this, relative to its size, is refused."""
FARTHEST = 1e20
"""Of the first guess of the ball's multiplier: beyond, the search for it is given up."""
NEARLY_ON_IT = 1e-12
"""Of its radius: so near to the sphere is a point that is on it."""
SHARP = 1e-11
"""Relative to the objective: with such a gap, a point serves as ``v`` of its own dual bound."""
NEARLY_NOTHING = 1e-15
"""Of the largest eigenvalue: where a multiplier of the ball may begin."""
NEWTON_STEPS = 60
TINY, EPS = float(np.finfo(float).tiny), float(np.finfo(float).eps)
REPAIRS = 8
"""How often the exact route may take in rows that its point violates."""


@dataclass(frozen=True, eq=False)
class Quadratic:
    """``wᵀQw - 2qᵀw + k`` with ``Q ⪰ 0``: ``[..., d, d]``, ``[..., d]``, ``[...]``."""

    matrix: Array
    slope: Array
    constant: Any
    multiple: tuple[Quadratic, Any] | None = None
    """Another form, of floats, and the number by which its matrix was multiplied: what is known of it is known of this one."""

    @cached_property
    def spectrum(self) -> tuple[Array, Array]:
        """Eigenvalues ``[d]`` of ``Q``, rising, and eigenvectors ``[d, d]``, in floats."""
        if self.multiple is None:
            found = np.linalg.eigh(self.matrix)
            return found.eigenvalues, found.eigenvectors
        other, factor = self.multiple
        values, vectors = other.spectrum
        return factor * values, vectors

    @over_arrays
    def value(self, weights: Array) -> Array:
        """The form at ``w``, ``[...]``."""
        image = contract("...ij,...j->...i", self.matrix, weights)
        return ((image - 2 * self.slope) * weights).sum(-1) + self.constant


@dataclass(frozen=True, eq=False)
class Multipliers:
    """``y⁻``, ``y⁺`` of the lower and upper sides ``[X]``, and ``τ`` of the ball: the multipliers of the constraints, all ≥ 0."""

    below: Array
    above: Array
    ball: Any


@dataclass(frozen=True, eq=False)
class Region:
    """``{w : low ≤ Rw ≤ high, ‖w‖ ≤ L}``: rows ``[X, d]``, bounds ``[X]``, a finite radius."""

    rows: Array
    low: Array
    high: Array
    radius: Any

    def beyond(self, weights: Array) -> Array:
        """By how much ``w`` leaves the ball, as ``(‖w‖² - L²)/2L ≥ ‖w‖ - L``, which is free of roots; 0 inside."""
        return maximum((square(weights).sum(-1) - square(self.radius)) / (2 * self.radius), like(0, weights))

    def violation(self, weights: Array) -> Array:
        """By how much ``w`` leaves the region, the ball by :meth:`beyond`; 0 inside."""
        values, beyond = contract("xd,d->x", self.rows, weights), self.beyond(weights)
        return (
            maximum(beyond, largest(np.concatenate([self.low - values, values - self.high]))) if len(values) else beyond
        )

    @over_arrays
    def dual_bound(self, form: Quadratic, multipliers: Multipliers, nearest: Array | None = None) -> Array:
        """What no point of the region goes below, given any multipliers ≥ 0: the formula of the module, for any ``v``.

        The best one, which is solved for unless it is known (``nearest``), is ``v = M⁺p``.
        """
        pull, sides = form.slope, multipliers.below - multipliers.above
        if support(sides).any():
            pull = pull + contract("xd,x->d", self.rows, sides) / 2
        if nearest is None:
            matrix = form.matrix + identity(len(form.slope), form.slope) * multipliers.ball
            nearest = pseudo_solve(matrix, pull[:, None])[0][:, 0]
        image = contract("ij,j->i", form.matrix, nearest) + multipliers.ball * nearest
        return (
            form.constant
            + (self.low * multipliers.below - self.high * multipliers.above).sum(-1)
            - multipliers.ball * square(self.radius)
            - (nearest * image).sum(-1)
            - 2 * self.radius * absolute(pull - image).sum(-1)
        )


@explained_class
@dataclass(frozen=True, eq=False)
class ConstrainedStep:
    """A minimum under constraints, and how far it can be from the truth.

    Attributes
    ----------
    weights : Array
        The minimiser, ``[..., d]``.
    objective, lower : Array
        The value there, and a bound that no admissible ``w`` goes below, ``[...]``: see :func:`minimise`.
    multipliers : Multipliers
        The multipliers that give ``lower``: ``y⁻``, ``y⁺`` ``[..., X]`` and ``τ`` ``[...]``.
    violation : Array
        By how much ``w`` leaves the class, ``[...]``: rounding in floats, 0 on rationals.
    route : str or Array
        Which method found the point, ``[...]``: "closed form", "sphere", "active set" (daqp) or "conic" (Clarabel).  The
        certificate does not depend on it.
    """

    weights: Array
    objective: Array
    lower: Array
    multipliers: Multipliers
    violation: Array
    route: Any

    @property
    @over_arrays
    def gap(self) -> Array:
        """``objective - lower``, ``[...]``: the minimum is within this of the objective."""
        return self.objective - self.lower


def minimise(form: Quadratic, region: Region) -> ConstrainedStep:
    """The minimum of one form over one region (no batch axes), in floats or in rationals.

    The closed form ``Q⁺q`` where it is admissible; on the sphere the same with a multiplier; else daqp's active set, with that
    multiplier; else Clarabel.
    Rationals take the active constraints from the floats, solve for the point exactly and need a region that contains 0.
    Raises :class:`InfeasibleError` if the solver finds the region empty, :class:`SolverError` if what it returns is not optimal.
    """
    system = system_of(form.slope, region.rows)
    if system is System.RATIONALS:
        _require_semidefinite(form.matrix)
    column, remainder = pseudo_solve(form.matrix, form.slope[:, None])
    weights = column[:, 0]
    if not support(remainder).any() and not support(region.beyond(weights)):
        inside = region.violation(weights)
        if not support(inside):
            free = zeros(len(region.low), form.slope)
            multipliers = Multipliers(free, free, like(0, form.slope))
            bound = region.dual_bound(form, multipliers, weights)
            return ConstrainedStep(weights, form.value(weights), bound, multipliers, inside, "closed form")
    if system is System.FLOATS:
        return _by_solver(form, region, weights)
    if system is System.RATIONALS:
        return _exactly(form, region)
    raise GameError(f"constrained minima are for floats and rationals, not for {system.value}")


def _certified(
    form: Quadratic,
    region: Region,
    weights: Array,
    multipliers: Multipliers,
    route: str,
    nearest: Array | None = None,
) -> ConstrainedStep:
    """A point and multipliers, with what they prove."""
    bound = region.dual_bound(form, multipliers, nearest)
    return ConstrainedStep(weights, form.value(weights), bound, multipliers, region.violation(weights), route)


# --- floats: solvers ------------------------------------------------------------------------------------------------


def _by_solver(form: Quadratic, region: Region, free: Array | None = None) -> ConstrainedStep:
    """On the sphere, if no slab matters there; else by daqp without the ball, then with a multiplier of it; else by Clarabel.

    The sphere is tried where the ``free`` minimiser is given and beyond it.  A region that contains 0 is not empty, although
    daqp may say so where slabs meet in a single point.
    """
    tau = 0.0
    if free is not None and np.linalg.norm(free) > region.radius:
        with np.errstate(all="ignore"):  # an infinite point is not accurate
            found = _on_the_sphere(form, region)
        if _accurate(form, found, region):
            return found
        tau = float(found.multipliers.ball)
    if not 0 < tau < np.inf:
        tau = float(np.trace(form.matrix)) / len(form.slope) or 1.0
    try:
        found = _between_slabs(form, region, tau)
        if _accurate(form, found, region):
            return found
    except SolverError as error:
        if isinstance(error, InfeasibleError) and support(region.violation(np.zeros_like(form.slope))):
            raise
    found = _by_cone(form, region)
    if not _accurate(form, found, region):
        raise SolverError(
            f"the minimum under constraints is not certified: duality gap {float(found.gap):.3g}, "
            f"violation {float(found.violation):.3g}; rescale the features, or use rationals"
        )
    return found


def _accurate(form: Quadratic, found: ConstrainedStep, region: Region) -> bool:
    """Whether gap and violation are small, compared with the terms that the objective is made of; a nan is not."""
    size = 1 + abs(float(found.objective)) + abs(float(form.constant))
    reach = 1 + max(np.abs(region.low).max(initial=0), np.abs(region.high).max(initial=0))
    return bool(abs(found.gap) <= ACCURACY * size and found.violation <= ACCURACY * reach)


def _between_slabs(form: Quadratic, region: Region, tau: float) -> ConstrainedStep:
    """What daqp finds without the ball; beyond that, with the multiplier that puts it on the sphere, sought near ``tau``."""
    weights, signed = _daqp(form, region, 0.0)
    if float(weights @ weights) ** 0.5 <= region.radius:
        return _with_sides(form, region, 0.0, weights, signed)
    return _with_sides(form, region, *_on_the_cut_sphere(form, region, tau, weights, support(signed)))


def _by_active_set(form: Quadratic, region: Region, ball: float) -> ConstrainedStep:
    """What daqp finds with the multiplier ``τ`` of the ball, with its certificate."""
    return _with_sides(form, region, ball, *_daqp(form, region, ball))


def _with_sides(form: Quadratic, region: Region, ball: float, weights: Array, signed: Array) -> ConstrainedStep:
    """A point with the multiplier of the ball and those of the slabs, ``y⁺ - y⁻``, and its certificate."""
    multipliers = Multipliers(np.maximum(-signed, 0), np.maximum(signed, 0), as_array(ball))
    found = _certified(form, region, weights, multipliers, "active set", weights)
    sharp = abs(float(found.gap)) <= SHARP * (1 + abs(float(found.objective)))
    return found if sharp else _certified(form, region, weights, multipliers, "active set")


def _daqp(form: Quadratic, region: Region, ball: float) -> tuple[Array, Array]:
    """``w`` and signed multipliers ``y⁺ - y⁻`` without the ball, but with ``τ‖w‖²`` for it, if there is a minimum.

    daqp names independent rows, and meets a singular matrix by proximal steps.
    """
    import daqp

    matrix = np.array(form.matrix, order="C")
    matrix.ravel()[:: len(matrix) + 1] += ball
    scale = max(np.abs(matrix).max(initial=0), np.abs(form.slope).max(initial=0)) or 1.0
    weights, _, outcome, details = daqp.solve(
        (2 / scale) * matrix,
        (-2 / scale) * form.slope,
        np.array(region.rows, order="C"),  # copies, since daqp refuses what is read-only
        np.array(region.high),
        np.array(region.low),
        primal_tol=1e-10,
    )
    if outcome == -1:
        raise InfeasibleError("the region is empty: its slabs do not meet (by daqp)")
    if outcome != 1:
        raise SolverError(f"daqp ends with outcome {outcome}")
    return weights, scale * details["lam"]


def _by_cone(form: Quadratic, region: Region) -> ConstrainedStep:
    """With the ball as a second-order cone, by Clarabel."""
    import clarabel
    from scipy import sparse

    size, count = len(form.slope), len(region.low)
    constraints = sparse.csc_matrix(np.vstack([-region.rows, region.rows, np.zeros((1, size)), -np.eye(size)]))
    sides = np.concatenate([-region.low, region.high, [float(region.radius)], np.zeros(size)])
    cones = [clarabel.NonnegativeConeT(2 * count), clarabel.SecondOrderConeT(size + 1)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    square_part = sparse.csc_matrix(np.triu(2 * form.matrix))
    answer = clarabel.DefaultSolver(square_part, -2 * form.slope, constraints, sides, cones, settings).solve()
    status = str(answer.status)
    if status == "PrimalInfeasible":
        raise InfeasibleError("the region is empty: its slabs and its ball do not meet (by Clarabel)")
    weights, dual = np.array(answer.x), np.array(answer.z)
    if not np.isfinite(weights).all():
        raise SolverError(f"Clarabel reports {status} and returns no point")
    sides_of = np.maximum(dual[: 2 * count], 0)
    multipliers = Multipliers(
        sides_of[:count], sides_of[count:], as_array(max(dual[2 * count], 0.0) / (2 * float(region.radius)))
    )
    return _certified(form, region, weights, multipliers, "conic")


def _on_the_sphere(form: Quadratic, region: Region) -> ConstrainedStep:
    """``(Q + τI)⁻¹q`` of length ``L``, as if there were no slabs, with its certificate.

    Newton's method on ``1/‖w(τ)‖``, which is concave: from a ``τ`` that is too small it rises to the root.
    """
    values, vectors = form.spectrum
    radius, along = float(region.radius), vectors.T @ form.slope
    tau = max(float(along @ along) ** 0.5 / radius - float(values[-1]), NEARLY_NOTHING * float(values[-1]), 0.0)
    for _ in range(NEWTON_STEPS):
        inverse = 1 / np.maximum(values + tau, TINY)
        weights = along * inverse
        squares = weights * weights
        length = float(squares.sum()) ** 0.5
        step = (length / radius - 1) * length**2 / max(float(squares @ inverse), TINY)
        tau = max(tau + step, 0.0)
        if abs(step) <= 4 * EPS * tau or not np.isfinite(step):
            break
    point = vectors @ weights
    free = np.zeros(len(region.low))
    return _certified(form, region, point, Multipliers(free, free, as_array(tau)), "sphere", point)


def _on_the_cut_sphere(
    form: Quadratic, region: Region, tau: float, outside: Array, held: Any
) -> tuple[float, Array, Array]:
    """The ``τ`` that puts the minimiser between the slabs on the sphere, near a first guess, and that minimiser.

    ``outside`` is the minimiser for ``τ = 0``, and ``held`` are the rows that hold it.  ``‖w(τ)‖`` falls as ``τ`` grows, and
    ``L/‖w(τ)‖ - 1`` is nearly linear, so secants find its root; where one leaves what is known to hold the root, that is halved.
    """
    radius, low, high, most = float(region.radius), 0.0, np.inf, FARTHEST * tau
    held[:1] = True  # daqp wants a row
    last, before = 0.0, radius / float(np.linalg.norm(outside)) - 1
    for _ in range(NEWTON_STEPS):
        weights, signed = _daqp_by_few(form, region, tau, held)
        room = radius / max(float(weights @ weights) ** 0.5, TINY) - 1
        low, high = (tau, high) if room < 0 else (low, tau)
        if abs(room) <= NEARLY_ON_IT or high - low <= EPS * low:
            break
        secant = tau - room * (tau - last) / ((room - before) or TINY)
        last, before = tau, room
        tau = secant if low < secant < high else (low + high) / 2 if high < np.inf else 100 * tau
        if not tau <= most:
            raise SolverError("no multiplier of the ball is large enough")
    return tau, weights, signed


def _daqp_by_few(form: Quadratic, region: Region, ball: float, held: Any) -> tuple[Array, Array]:
    """As :func:`_daqp`, for a matrix that is definite: by the rows that are ``held``; those that its point violates join them."""
    while True:
        few = Region(region.rows[held], region.low[held], region.high[held], region.radius)
        weights, some = _daqp(form, few, ball)
        values = region.rows @ weights
        more = ((values < region.low) | (values > region.high)) & ~held
        if not more.any():
            signed = np.zeros(len(held))
            signed[held] = some
            return weights, signed
        held |= more


# --- rationals: the active set of the floats, solved exactly ----------------------------------------------------------


def _require_semidefinite(matrix: Array) -> None:
    """``Q ⪰ 0`` by exact elimination: a Gram matrix that was rounded may have lost it, and with it every dual bound."""
    rest, zero = np.array(matrix), like(0, matrix)
    for place in range(len(matrix)):
        pivot, row = rest[place, place], rest[place, place + 1 :]
        if (compare(pivot, "<", zero) > 0).any() or (not support(pivot) and support(row).any()):
            raise GameError(
                f"Q is not positive semidefinite: elimination meets {float(pivot):.3g} at [{place}, {place}]; "
                "moments that were singular before they were rounded must be computed from exact data"
            )
        if support(pivot):
            rest[place + 1 :, place + 1 :] -= row[:, None] * (row / pivot)


def _exactly(form: Quadratic, region: Region) -> ConstrainedStep:
    """The stationary point on the constraints that are active in floats, exactly; rows that it violates are taken in.

    What is left outside the ball is scaled by ``2L²/(L² + ‖w‖²) ≤ L/‖w‖``, towards 0.
    """
    floats = Quadratic(floats_of(form.matrix), floats_of(form.slope), floats_of(form.constant))
    around = Region(*(floats_of(part) for part in (region.rows, region.low, region.high, region.radius)))
    rounded = _by_solver(floats, around)
    ball = rounded.multipliers.ball
    # An interior point names too many rows; with its multiplier of the ball, an active set names independent ones.
    chosen = _by_active_set(floats, around, float(ball))
    from ..arithmetic.floats import to_rational

    ball = to_rational(ball)
    below, above = support(chosen.multipliers.below), support(chosen.multipliers.above)
    for _ in range(REPAIRS):
        weights, sides = _stationary(form, region, below, above, ball)
        values = contract("xd,d->x", region.rows, weights)
        under, over = compare(values, "<", region.low) > 0, compare(values, ">", region.high) > 0
        if not (under | over).any():
            break
        below, above = below | under, above | over
    else:
        raise SolverError(f"no exact point on the active constraints after {REPAIRS} repairs; move the data a little")
    zero = like(0, weights)
    length, bound = square(weights).sum(-1), square(region.radius)
    if (compare(length, ">", bound) > 0).any():
        weights = weights * (2 * bound / (bound + length))
    multipliers = Multipliers(maximum(sides, zero), maximum(-sides, zero), ball)
    return _certified(form, region, weights, multipliers, str(rounded.route))


def _stationary(form: Quadratic, region: Region, below: Any, above: Any, ball: Any) -> tuple[Array, Array]:
    """``w`` and signed multipliers ``y`` ``[X]`` with ``(Q + τI)w - ½R_Sᵀy = q`` and ``R_S w`` on its bounds.

    The system may be singular (dependent rows): ``K⁺r = (KᵀK)⁺Kᵀr`` is the shortest solution, if there is any.
    """
    active, size = below | above, len(form.slope)
    rows, bounds = region.rows[active], select(below, region.low, region.high)[active]
    corner = zeros((len(rows), len(rows)), form.slope)
    matrix = form.matrix + identity(size, form.slope) * ball
    system = np.block([[matrix, -rows.T / 2], [rows, corner]])
    right = np.concatenate([form.slope, bounds])
    normal = contract("ki,kj->ij", system, system)
    solution = pseudo_solve(normal, contract("ki,k->i", system, right)[:, None])[0][:, 0]
    signed = np.array(zeros(len(active), form.slope))
    signed[active] = solution[size:]
    return solution[:size], signed
