"""Pessimistic evaluation inside the class of critics, and the class's own Bellman error.

The class ``F^m`` bounds critics: ``0 ≤ φᵀw ≤ 1/(1-γ)`` and ``‖w‖ ≤ L``.  It enters Appendix C twice.  *Outside*, the
step minimises ``cᵀw + λ E(w)`` over the class: :func:`constrained_step`, a convex problem, always feasible (``w = 0`` is a
critic) and always bounded (by the ball).  *Inside*, the paper's Bellman error takes its inner minimum over the class as well.
Up to the noise that cancels,
``L(w', w) = ‖w' - p(w)‖²_Σ`` with the projected target ``p(w) = w - Σ⁺(Aw - b)``, so::

    E_F(w) = L(w, w) - min_{w' ∈ F} L(w', w) = E(w) - D(w),      D(w) = min_{w' ∈ F} ‖w' - p(w)‖²_Σ

the unconstrained error less the squared distance of the target from the class.  Both are convex, their difference is not,
so the closed form of Appendix C.1 is lost: :func:`class_bellman_error` brackets the value at ``w`` and
:func:`class_pessimistic_step` brackets the global minimum.

One agent, one action, ``y → z → z``, ``r = 0``, ``γ = 9/10``, ``φ = (1/2, 1)``, data at ``y``: the error of ``w`` rises
to 28/5 at 6 and falls back to 0 at 10, the largest critic of the class (section-c.1, refuted with the class's own constraints):

>>> import numpy as np, mappo_verify as mv
>>> game = mv.Game([[[0, 1]], [[0, 1]]], [[0], [0]], 0.9)
>>> features = np.array([[0.5], [1.0]])
>>> moments = mv.quantities.population_moments(game, mv.Policy.uniform(game), features, np.array([[1.0], [0.0]]), 1)
>>> critics = mv.quantities.LinearClass(features, 10.0, 10.0)
>>> [round(float(class_bellman_error(moments, critics, np.array([w])).upper), 9) for w in (5.0, 6.0, 8.0, 10.0)]
[4.0, 5.6, 5.4, 0.0]

Source: equation (5), Definition 5.1, Section 5, Appendix C.1.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import Array, System, as_array, contract, floats_of, maximum, minimum, zeros
from ..arithmetic.explained import explained, explained_class, over_arrays
from ..errors import GameError, SolverError
from ..model.conversion import convert
from ..model.validation import array_of, require_count, require_positive
from .bellman_error import Moments
from .linear_class import LinearClass
from .quadratic_program import ConstrainedStep, Multipliers, Quadratic, Region, minimise


@explained_class
@dataclass(frozen=True, eq=False)
class Bracket:
    """A number known to lie in ``[lower, upper]``, ``[...]``; on rationals exactly so, in floats up to the solvers' rounding."""

    lower: Array
    upper: Array

    @property
    @over_arrays
    def width(self) -> Array:
        """``upper - lower``"""
        return self.upper - self.lower


# --- the step over the class ----------------------------------------------------------------------------------------------


@explained
def constrained_step(moments: Moments, direction: Array, penalty: Any, critics: LinearClass) -> ConstrainedStep:
    """``argmin cᵀw + λ E(w)`` over ``‖w‖ ≤ L`` and ``0 ≤ φᵀw ≤ 1/(1-γ)``, with a bound that certifies it; any batch axes.

    ``E`` has its inner minimum over all of ``R^d``, ``λ > 0`` is a number or of the batch shape.  The closed form of
    Appendix C.1 is used where it is a critic of the class.  Floats and rationals; on rationals the weights are in the
    class exactly and the bound is a proof.
    """
    form = moments.pessimism(direction, penalty)
    return _each(minimise, form, critics)


@explained
def certify_step(moments: Moments, direction: Array, penalty: Any, critics: LinearClass) -> ConstrainedStep:
    """:func:`constrained_step` on the same data in rationals, floats taken as the dyadic numbers they are.

    The gap is exactly 0 wherever the ball is not active; where it is, the minimum is algebraic, and the gap is a tiny rational.
    """
    exact = Moments(_exact(moments.gram), _exact(moments.operator), _exact(moments.reward))
    limits = LinearClass(_exact(critics.features), _exact(critics.radius), _exact(critics.ceiling))
    return constrained_step(exact, _exact(direction), _exact(penalty), limits)


def _exact(values: Any) -> Array:
    """Floats as the rationals that they are; integers as rationals; rationals as they are."""
    return convert(array_of(values, "a number of the problem"), System.RATIONALS)


def _region(critics: LinearClass, index: tuple[int, ...], batch: tuple[int, ...]) -> Region:
    """The class of one batch element as a region."""
    rows, ceiling, radius = map(as_array, (critics.features, critics.ceiling, critics.radius))
    if batch:
        rows = np.broadcast_to(rows, batch + rows.shape[-2:])[index]
        ceiling, radius = (np.broadcast_to(number, batch)[index] for number in (ceiling, radius))
    low = zeros(len(rows), rows)
    return Region(rows, low, low + ceiling, radius)


def _each(
    solve: Callable[[Quadratic, Region], ConstrainedStep], form: Quadratic, critics: LinearClass
) -> ConstrainedStep:
    """Every problem of a batch by itself, and the answers as arrays."""
    size = form.slope.shape[-1]
    features, constant = critics.features, as_array(form.constant)
    if features.shape[-1] != size:
        raise GameError(f"the class has {features.shape[-1]} features and the moments have {size}")
    shapes = (
        form.matrix.shape[:-2], form.slope.shape[:-1], features.shape[:-2], constant.shape,
        np.shape(critics.radius), np.shape(critics.ceiling),
    )  # fmt: skip
    batch = np.broadcast_shapes(*shapes) if any(shapes) else ()
    if not batch:
        return solve(form, _region(critics, (), ()))
    matrix = np.broadcast_to(form.matrix, batch + (size, size))
    slope, constant = np.broadcast_to(form.slope, batch + (size,)), np.broadcast_to(constant, batch)
    found = [
        solve(Quadratic(matrix[index], slope[index], constant[index]), _region(critics, index, batch))
        for index in np.ndindex(*batch)
    ]

    def gathered(read: Callable[[ConstrainedStep], Any]) -> Array:
        entries = np.array([read(one) for one in found])
        return entries.reshape(batch + entries.shape[1:])

    return ConstrainedStep(
        gathered(lambda one: one.weights),
        gathered(lambda one: one.objective),
        gathered(lambda one: one.lower),
        Multipliers(
            gathered(lambda one: one.multipliers.below),
            gathered(lambda one: one.multipliers.above),
            gathered(lambda one: one.multipliers.ball),
        ),
        gathered(lambda one: one.violation),
        gathered(lambda one: one.route),
    )


# --- the class's own Bellman error ------------------------------------------------------------------------------------------


def inner_minimum(moments: Moments, critics: LinearClass, weights: Array) -> ConstrainedStep:
    """``D(w) = min_{w' ∈ F} ‖w' - p(w)‖²_Σ``: the squared distance of the projected target from the class, certified."""
    target = moments.projected(weights)
    slope = contract("...ij,...j->...i", moments.gram, target)
    return _each(minimise, Quadratic(moments.gram, slope, (slope * target).sum(-1)), critics)


@explained
def class_bellman_error(moments: Moments, critics: LinearClass, weights: Array) -> Bracket:
    """``E_F(w) = E(w) - D(w)``, ``[...]``: at least 0 for a ``w`` of the class, not convex in ``w``.

    The two ends differ by the duality gap: in rationals they are equal wherever the ball is not active in the inner minimum.
    """
    error, distance = moments.error(weights), inner_minimum(moments, critics, weights)
    ends = error - distance.objective, error - distance.lower
    return Bracket(minimum(*ends), maximum(*ends))  # rounding may swap them


@explained_class
@dataclass(frozen=True, eq=False)
class GlobalStep:
    """What is known of ``min_{w ∈ F} cᵀw + λ E_F(w)``.

    Attributes
    ----------
    weights : Array
        The best critic found, ``[d]``.
    bracket : Bracket
        ``lower ≤ min ≤ upper``; ``upper`` is the value at ``weights``.
    evaluations : int
        Inner minima computed.
    closed : bool
        Whether the bracket is as narrow as was asked; if not, the budget ran out and ``weights`` is not known to be optimal.
    """

    weights: Array
    bracket: Bracket
    evaluations: int
    closed: bool


@dataclass(frozen=True, eq=False)
class _Simplex:
    """Corners ``[d+1, d]`` and what ``D`` is at most at each ``[d+1]``."""

    corners: npt.NDArray[np.float64]
    distances: npt.NDArray[np.float64]

    def halves(self, distance_at: Callable[[Array], float]) -> tuple[_Simplex, _Simplex]:
        """Two simplices: the longest edge bisected."""
        lengths = ((self.corners[:, None] - self.corners[None]) ** 2).sum(-1)
        i, j = np.unravel_index(int(lengths.argmax()), lengths.shape)
        middle = (self.corners[i] + self.corners[j]) / 2
        distance = distance_at(middle)

        def with_corner(place: int) -> _Simplex:
            corners, distances = self.corners.copy(), self.distances.copy()
            corners[place], distances[place] = middle, distance
            return _Simplex(corners, distances)

        return with_corner(int(i)), with_corner(int(j))

    def misses(self, region: Region) -> bool:
        """Whether a row of the region, or a tangent of its ball, has every corner strictly on the wrong side."""
        values, middle = self.corners @ region.rows.T, self.corners.mean(0)
        tangent = self.corners @ middle / max(np.linalg.norm(middle), np.finfo(float).tiny)
        return bool(
            (values < region.low).all(0).any() or (values > region.high).all(0).any() or (tangent > region.radius).all()
        )

    def relaxation(self, form: Quadratic, region: Region, penalty: float) -> ConstrainedStep:
        """``cᵀw + λ(E(w) - D̄(w))`` over the simplex and the region, ``D̄ ≥ D`` affine with ``D`` at the corners."""
        lifted = np.column_stack([self.corners, np.ones(len(self.corners))])
        *gradient, offset = np.linalg.solve(lifted, self.distances)
        barycentric = np.linalg.inv(lifted).T  # [d+1, d+1]: coordinates of (w, 1)
        steepness = np.linalg.norm(barycentric[:, :-1], axis=-1)  # slabs in units of w: violations have one scale
        cut = Region(
            np.vstack([region.rows, barycentric[:, :-1] / steepness[:, None]]),
            np.concatenate([region.low, -barycentric[:, -1] / steepness]),
            np.concatenate([region.high, (1 - barycentric[:, -1]) / steepness]),
            region.radius,
        )
        lowered = replace(
            form, slope=form.slope + penalty * np.array(gradient) / 2, constant=form.constant - penalty * offset
        )
        return minimise(lowered, cut)


MOST_MINIMA = 1_000_000
"""Of the inner minima that a search may be given; each takes about a millisecond."""


@explained
def class_pessimistic_step(
    moments: Moments, direction: Array, penalty: Any, critics: LinearClass, budget: int = 2_000, tolerance: float = 1e-6
) -> GlobalStep:
    """``min cᵀw + λ E_F(w)`` over the class, not convex: a bracket by branch and bound over simplices; floats, one problem.

    ``D`` is convex, so on a simplex it stays below the affine function through its values at the corners: with that in its
    place the problem is convex, and its dual bound holds for the simplex.  The simplex of least bound is bisected until the
    bracket is narrower than ``tolerance·(1 + |upper|)`` or ``budget`` inner minima are spent.  Practical up to three or four
    features; with more, the answer is the bracket that the first relaxations give, with ``closed`` False.
    """
    form = moments.pessimism(floats_of(direction), penalty)
    require_positive("tolerance", tolerance)
    require_count("budget", budget, MOST_MINIMA)
    search = _Search(moments, critics, form, float(penalty), tolerance)
    everywhere = minimise(Quadratic(0 * form.matrix, -direction / 2, 0.0), search.region)  # E_F ≥ 0 on the class
    search.improve(everywhere.weights)
    search.improve(minimise(form, search.region).weights)
    corners = _enclosing(search.region)
    search.consider(_Simplex(corners, np.array([search.most(corner) for corner in corners])), float(everywhere.lower))
    while not search.closed and search.evaluations < budget:
        known, _, simplex = heapq.heappop(search.waiting)
        for half in simplex.halves(search.most):
            search.consider(half, known)
    bracket = Bracket(as_array(search.lower), as_array(search.upper))
    return GlobalStep(search.best, bracket, search.evaluations, search.closed)


class _Search:
    """The state of the branch and bound: the best critic so far, and the simplices that may hold a better one."""

    def __init__(
        self, moments: Moments, critics: LinearClass, form: Quadratic, penalty: float, tolerance: float
    ) -> None:
        self.moments, self.critics, self.form, self.penalty, self.tolerance = moments, critics, form, penalty, tolerance
        self.region = _region(critics, (), ())
        self.best: Array = np.zeros(len(form.slope))
        self.upper = np.inf
        self.waiting: list[tuple[float, int, _Simplex]] = []
        self.evaluations = 0
        self._order = count()

    @property
    def lower(self) -> float:
        """What no critic goes below: simplices that were dropped had bounds above ``upper``."""
        return min(self.waiting[0][0], self.upper) if self.waiting else self.upper

    @property
    def closed(self) -> bool:
        """Whether the bracket is narrow enough."""
        return bool(self.upper - self.lower <= self.tolerance * (1 + abs(self.upper)))

    def distance_at(self, weights: Array) -> ConstrainedStep:
        """``D(w)``; counts the evaluation."""
        self.evaluations += 1
        return inner_minimum(self.moments, self.critics, weights)

    def most(self, weights: Array) -> float:
        """What ``D(w)`` is at most."""
        found = self.distance_at(weights)
        return float(max(found.objective, found.lower))

    def within(self, weights: Array) -> Array:
        """Scale a point that rounding left outside the ball or above the ceiling towards 0, which is in the class.

        Outside the class ``E_F`` may be negative, and a large ``λ`` would multiply that.
        """
        region = self.region
        beyond = (
            np.linalg.norm(weights) / region.radius,
            (region.rows @ weights / region.high).max(initial=0),
        )
        scaled: Array = weights / max(1.0, *beyond)
        return scaled

    def improve(self, weights: Array) -> None:
        """Replace ``D`` by its tangent, a minorant, and minimise: the value can only fall; repeat while it does."""
        while True:
            weights = self.within(weights)
            found = self.distance_at(weights)
            value = float(self.form.value(weights) - self.penalty * found.lower)
            fall = self.upper - value
            if fall > 0:
                self.best, self.upper = weights, value
            if fall <= self.tolerance * (1 + abs(value)):
                return
            pull = self.moments.projected(weights) - found.weights
            gradient = 2 * contract("ij,i->j", self.moments.gram - self.moments.operator, pull)
            lowered = replace(self.form, slope=self.form.slope + self.penalty * gradient / 2)
            weights = minimise(lowered, self.region).weights

    def consider(self, simplex: _Simplex, known: float) -> None:
        """Keep a simplex if it may hold a better critic; ``known`` is a bound for it already."""
        if simplex.misses(self.region):
            return
        try:
            relaxed = simplex.relaxation(self.form, self.region, self.penalty)
        except (
            SolverError
        ):  # a solver may call a small intersection empty: keep the known bound, and let bisection decide
            bound = known
        else:
            self.improve(relaxed.weights)
            bound = max(known, float(relaxed.lower))
        if bound < self.upper:
            heapq.heappush(self.waiting, (bound, next(self._order), simplex))


def _enclosing(region: Region) -> npt.NDArray[np.float64]:
    """The corners ``[d+1, d]`` of a simplex around the region, ``w ≥ lo`` and ``Σ (w_i - lo_i)/(hi_i - lo_i) ≤ t``."""
    size = region.rows.shape[-1]

    def least(direction: Array) -> float:
        return float(minimise(Quadratic(np.zeros((size, size)), -direction / 2, as_array(0.0)), region).lower)

    units = np.eye(size)
    low = np.array([least(unit) for unit in units])
    width = np.array([-least(-unit) for unit in units]) - low
    low, width = low - 1e-6 * float(region.radius), width + 3e-6 * float(region.radius)
    total = -least(-1 / width) - (low / width).sum()
    return np.vstack([low, low + total * np.diag(width)])
