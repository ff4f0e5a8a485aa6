"""Algorithm 3: how a parametrised policy follows the ideal update.

Agent ``m``'s next parameters should minimise, over the ball ``Θ = {‖θ‖₂ ≤ R}``::

    L(θ) = E_{σ_k}[ ((θ - θ_k)ᵀφ - Q̂/β_k)² ]

:class:`StochasticGradient` is Algorithm 3: ``T`` steps ``θ(t+1) = Π_Θ(θ(t) - η g(t))`` with
``g(t) = 2φ((θ(t) - θ_k)ᵀφ - Q̂/β_k)`` at the t-th sample of ``σ_k``, and the average of the iterates.  As printed it starts
at 0 and averages ``θ(1), ..., θ(T)``; its analysis (Lemma B.1) averages ``θ(0), ..., θ(T-1)``.  Started at ``θ_k`` it does not
have to find again, in every iteration, what it already knew.  :class:`ExactFit` returns the minimiser itself.

The step is ``η = R/(G√T)`` with ``G`` a bound on ``‖g‖``.  On the ball ``‖θ - θ_k‖ ≤ 2R``, hence ``G = 2(2R +
B/β_k)`` with ``|Q̂| ≤ B``; the paper prints ``2(R + B/β_k)``, which is no bound (lemma-b.2).  Source: equation
(4), Algorithm 3, Lemmas B.1 and B.2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ..arithmetic import (
    Array,
    System,
    compare,
    contract,
    divide,
    floats_of,
    largest,
    lift,
    like,
    select,
    sqrt,
    square,
    system_of,
)
from ..errors import GameError
from ..model import Game
from ..model.agents import join_last
from ..model.features import Features, TabularFeatures
from ..model.validation import array_of, in_system
from ..quantities.mirror_descent import fit_step, ideal_increment
from ..quantities.stochastic_gradient import (
    Averaging,
    average_of_path,
    default_step,
    gradient_bound,
    project,
    projected_path,
)
from .sampling import Generator, cumulative, draw

if TYPE_CHECKING:
    from .critics import Iterate

Start = Literal["zero", "current"]

HALVINGS = 200
"""Of an interval of multipliers: more than float64 can tell apart."""


# --- bad input --------------------------------------------------------------------------------------------------------


def require_positive(name: str, value: Any) -> None:
    """A finite number, or a batch of them, above 0; else :class:`GameError`."""
    values = floats_of(array_of(value, name))
    bad = ~np.isfinite(values) | (compare(values, "≤", 0) > 0)
    if bad.any():
        raise GameError(f"{name} = {values[bad].flat[0]:g} is not a positive, finite number")


def positive_number(game: Game, name: str, value: Any) -> Array:
    """A positive number, or one per game of a batch, in the number system of ``game``; integers and Fractions join any."""
    require_positive(name, value)
    simple = isinstance(value, (int, Fraction))
    number = like(value, game.system) if simple else in_system(array_of(value, name), game.system)
    if system_of(number) is not game.system:
        raise GameError(f"{name} is in {system_of(number).value}, the game in {game.system.value}; convert one")
    if number.ndim and number.shape != game.batch_shape:
        raise GameError(f"{name} has shape {number.shape}; it needs one number, or the batch shape {game.batch_shape}")
    return number


def require_count(name: str, count: Any) -> None:
    """An integer of at least 1; else :class:`GameError`."""
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or compare(count, "<", 1) > 0:
        raise GameError(f"{name} = {count!r} is not an integer of at least 1")


# --- solvers ----------------------------------------------------------------------------------------------------------


class Problem(NamedTuple):
    """Subproblem (4) of one agent: everything that a solver may use.

    ``parameters`` is ``θ_k`` ``[..., d]``, ``values`` is ``Q̂`` in the shape of the factor, ``beta`` is
    ``β_k``, ``radius`` is ``R`` or None for no ball, ``bound`` is ``B``.  Agents are counted from 0.
    """

    iterate: Iterate
    features: Features
    agent: int
    parameters: Array
    values: Array
    beta: Array
    radius: Any
    bound: Any

    @property
    def ideal(self) -> Array:
        """``Q̂/β_k``, what ``(θ - θ_k)ᵀφ`` should be, ``[..., S, prefixes, A_m]``."""
        return ideal_increment(self.values, self.beta)

    @property
    def targets(self) -> Array:
        """``θ_kᵀφ + Q̂/β_k`` at every point, ``[..., X]``."""
        scores = self.features.scores(self.agent, self.parameters)
        return self._points(scores + self.ideal)

    @property
    def weights(self) -> Array:
        """``σ_k`` at every point, ``[..., X]``."""
        table = self.iterate.weights(self.agent + 1)
        return join_last(table)

    @staticmethod
    def _points(table: Array) -> Array:
        return join_last(join_last(table))


class Solver(ABC):
    """Something that moves one agent's parameters."""

    needs_states = True
    """Whether it uses the stationary distribution."""

    @abstractmethod
    def solve(self, problem: Problem, generator: Generator) -> Array:
        """``θ_{k+1}``, shape ``[..., d]``."""

    def improve(self, problems: Sequence[Problem], generators: Sequence[Generator]) -> list[Array]:
        """``θ_{k+1}`` of every agent: one by one, unless agents share what they improve."""
        return [self.solve(problem, generator) for problem, generator in zip(problems, generators, strict=True)]


@dataclass(frozen=True)
class ExactFit(Solver):
    """The minimiser of ``L`` over the ball.

    With one-hot features and no ball it is the ideal update ``θ_k + Q̂/β_k``, also where ``σ_k`` is 0 and ``L`` leaves it open.
    Otherwise it is the weighted least-squares solution nearest to ``θ_k``, or, where that is too long, the minimiser
    on the sphere ``‖θ‖ = R``.  With a ball, floats only.
    """

    def solve(self, problem: Problem, generator: Generator) -> Array:  # noqa: ARG002 - one interface
        """No randomness."""
        features, agent = problem.features, problem.agent
        if isinstance(features, TabularFeatures):
            free = problem.parameters + features.transposed(agent, problem.ideal)
        elif problem.parameters.dtype.kind == "O":
            points = Problem._points(problem.values)
            free = problem.parameters + fit_step(features.matrix(agent), points, problem.beta, problem.weights)
        else:
            points = Problem._points(problem.ideal)
            free = problem.parameters + least_squares(features, agent, problem.weights, points)
        if problem.radius is None:
            return np.asarray(free)
        if free.dtype.kind == "O":
            raise GameError("the exact minimiser over a ball is computed in floats only; use radius=None or floats")
        outside = compare(square(free).sum(-1), ">", square(problem.radius)) > 0
        if not outside.any():
            return np.asarray(free)
        bounded = least_squares(features, agent, problem.weights, problem.targets, problem.radius)
        return select(lift(outside, 1), bounded, free)


@dataclass(frozen=True)
class StochasticGradient(Solver):
    """Algorithm 3.

    Parameters
    ----------
    steps : int
        ``T``, and the number of samples.
    step : float, optional
        ``η``; by default ``R/(G√T)`` with ``G = 2(2R + B/β_k)``, which needs a radius.
    start : {"zero", "current"}
        ``θ(0)``: 0 as printed, or ``θ_k``.
    averaging : {"printed", "analysed"}
        ``θ(1..T)`` or ``θ(0..T-1)``.
    expectations : bool
        The gradient of ``L`` itself instead of samples.
    """

    steps: int
    step: float | None = None
    start: Start = "zero"
    averaging: Averaging = "printed"
    expectations: bool = False

    def __post_init__(self) -> None:
        require_count("T", self.steps)
        if self.step is not None:
            require_positive("the step η", self.step)
        if self.start not in ("zero", "current"):
            raise GameError(f"start = {self.start!r}; use 'zero' (as printed) or 'current' (repaired)")
        if self.averaging not in ("printed", "analysed"):
            raise GameError(f"averaging = {self.averaging!r}; use 'printed' or 'analysed'")

    def solve(self, problem: Problem, generator: Generator) -> Array:
        """By ``T`` samples of ``σ_k``, or by expectations."""
        start = problem.parameters
        if self.start == "zero":
            start = problem.features.zero(problem.agent, start.shape[:-1])
        move = self._by_expectations(problem) if self.expectations else self._by_samples(problem, generator)
        radius = problem.radius
        flat = start
        if not self.expectations:  # one row a game
            flat = start.reshape(-1, start.shape[-1])
            radius = None if radius is None else np.broadcast_to(radius, start.shape[:-1]).reshape(-1)
        path = projected_path(flat, move, self.steps, radius)
        return average_of_path(path, self.steps, self.averaging).reshape(start.shape)

    def _step(self, problem: Problem) -> Any:
        if self.step is not None:
            return self.step
        if problem.radius is None:
            raise GameError("the default step R/(G√T) needs a radius R; pass radius=, or the solver a step=")
        return default_step(problem.radius, gradient_bound(problem.radius, problem.bound, problem.beta), self.steps)

    def _by_samples(self, problem: Problem, generator: Generator) -> Callable[[int, Array], Array]:
        if problem.parameters.dtype.kind == "O":
            raise GameError("samples are drawn for floats; use expectations=True, or a float game")
        features, agent, targets = problem.features, problem.agent, problem.targets
        points = draw(cumulative(problem.weights), generator, (self.steps,))
        aims = np.take_along_axis(np.broadcast_to(targets, points.shape[:1] + targets.shape), points[..., None], -1)
        points, aims = points.reshape(self.steps, -1), aims.reshape(self.steps, -1)
        step = np.broadcast_to(self._step(problem), problem.parameters.shape[:-1]).reshape(-1)

        def move(t: int, parameters: Array) -> Array:
            residual = features.inner(agent, parameters, points[t]) - aims[t]
            return features.moved(agent, parameters, points[t], -2 * step * residual)

        return move

    def _by_expectations(self, problem: Problem) -> Callable[[int, Array], Array]:
        features, agent = problem.features, problem.agent
        shape = problem.values.shape[-3:]
        targets, weights = problem.targets, problem.weights
        targets, weights = (table.reshape(table.shape[:-1] + shape) for table in (targets, weights))
        step = lift(self._step(problem), 1)

        def move(t: int, parameters: Array) -> Array:  # noqa: ARG001 - every step sees all of σ_k
            residual = features.scores(agent, parameters) - targets
            return np.asarray(parameters - 2 * step * features.transposed(agent, weights * residual))

        return move


# --- least squares ----------------------------------------------------------------------------------------------------


def least_squares(features: Features, agent: int, weights: Array, targets: Array, radius: Any = None) -> Array:
    """``argmin_θ Σ_x w(x) (θᵀφ(x) - y(x))²``, shape ``[..., d]``, for floats ``w``, ``y`` of shape ``[..., X]``.

    The shortest minimiser, by singular values (those within rounding of 0 count as 0).  With a radius, the minimiser over
    the ball: ``θ(λ) = (Σ w φφᵀ + λ)⁻¹ Σ w φ y`` with ``λ ≥ 0`` such that ``‖θ(λ)‖ = R``, or ``λ = 0`` where that is short enough.
    """
    if features.system is not System.FLOATS:
        raise GameError("least squares by singular values is for floats; use fit_step on exact numbers")
    roots = sqrt(weights)
    left, singular, right = features.decompose(agent, roots)
    scaled = roots * targets
    moments = scaled if left is None else contract("...xr,...x->...r", left, scaled)
    rounding = 0.0 if left is None else roots.shape[-1] * np.finfo(float).eps  # one-hot features round nothing
    seen = compare(singular, ">", lift(rounding * largest(singular), 1)) > 0
    singular, moments = select(seen, singular, 0.0), select(seen, moments, 0.0)

    def solution(multiplier: Array) -> Array:
        return divide(singular * moments, square(singular) + lift(multiplier, 1))

    low = np.zeros(moments.shape[:-1])
    coefficients = solution(low)
    if radius is not None:
        high = sqrt(square(singular * moments).sum(-1)) / radius
        outside = compare(square(coefficients).sum(-1), ">", square(radius)) > 0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            long = compare(square(solution(middle)).sum(-1), ">", square(radius)) > 0
            low, high = select(long, middle, low), select(long, high, middle)
        coefficients = select(lift(outside, 1), project(solution(high), radius), coefficients)
    return coefficients if right is None else contract("...dr,...r->...d", right, coefficients)
