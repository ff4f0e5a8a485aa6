"""Algorithm 3: how a parametrised policy follows the ideal update.

Agent ``m``'s next parameters should minimise, over the ball ``Θ = {‖θ‖₂ ≤ R}``::

    L(θ) = E_{σ_k}[ ((θ - θ_k)ᵀφ - Q̂/β_k)² ]

:class:`StochasticGradient` is Algorithm 3: ``T`` steps ``θ(t+1) = Π_Θ(θ(t) - η g(t))`` with
``g(t) = 2φ((θ(t) - θ_k)ᵀφ - Q̂/β_k)`` at the t-th sample of ``σ_k``, and the average of the iterates.  As printed it starts
at 0 and averages ``θ(1), ..., θ(T)``; its analysis (Lemma B.1) averages ``θ(0), ..., θ(T-1)``.  Started at ``θ_k`` it does not
have to find again, in every iteration, what it already knew.  :class:`ExactFit` returns the minimiser itself.

The step is ``η = R/(G√T)`` with ``G`` a bound on ``‖g‖``.  On the ball ``‖θ - θ_k‖ ≤ 2R``, hence ``G = 2(2R +
B/β_k)`` with ``|Q̂| ≤ B``; the paper prints ``2(R + B/β_k)``, which is not a bound (lemma-b.2).  Source: equation
(4), Algorithm 3, Lemmas B.1 and B.2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from ..arithmetic import (
    Array,
    compare,
    kind_of,
    lift,
    select,
    square,
)
from ..arithmetic.explained import explained_class
from ..errors import GameError
from ..model.agents import join_last
from ..model.features import Features, TabularFeatures
from ..model.validation import require_count, require_positive
from ..quantities.mirror_descent import fit_step, ideal_increment
from ..quantities.stochastic_gradient import (
    Averaging,
    average_of_path,
    default_step,
    gradient_bound,
    projected_path,
)
from .current_policy import CurrentPolicy
from .least_squares import least_squares
from .sampling import Generator, cumulative, draw

MAX_STEPS = 10**7
"""``T`` of Algorithm 3 in every iteration."""

Start = Literal["zero", "current"]


class Subproblem(NamedTuple):
    """Subproblem (4) of one agent: everything that a solver may use.

    ``parameters`` is ``θ_k`` ``[..., d]``, ``values`` is ``Q̂`` in the shape of the factor, ``beta`` is
    ``β_k``, ``radius`` is ``R`` or None for no ball, ``bound`` is ``B``.  Agents are counted from 0.
    """

    current: CurrentPolicy
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
        table = self.current.weights(self.agent + 1)
        return join_last(table)

    @staticmethod
    def _points(table: Array) -> Array:
        return join_last(join_last(table))


class Solver(ABC):
    """Something that moves one agent's parameters."""

    @abstractmethod
    def solve(self, problem: Subproblem, generator: Generator) -> Array:
        """``θ_{k+1}``, shape ``[..., d]``."""

    def improve(self, problems: Sequence[Subproblem], generators: Sequence[Generator]) -> list[Array]:
        """``θ_{k+1}`` of every agent: one by one, unless agents share what they improve."""
        return [self.solve(problem, generator) for problem, generator in zip(problems, generators, strict=True)]


@explained_class
@dataclass(frozen=True)
class ExactFit(Solver):
    """The minimiser of ``L`` over the ball.

    With one-hot features and no ball it is the ideal update ``θ_k + Q̂/β_k``, also where ``σ_k`` is 0 and ``L`` leaves it open.
    Otherwise it is the weighted least-squares solution nearest to ``θ_k``, or, where that is too long, the minimiser
    on the sphere ``‖θ‖ = R``.  With a ball, floats only.
    """

    def solve(self, problem: Subproblem, generator: Generator) -> Array:  # noqa: ARG002 - one interface
        """No randomness."""
        features, agent = problem.features, problem.agent
        if isinstance(features, TabularFeatures):
            free = problem.parameters + features.transposed(agent, problem.ideal)
        elif kind_of(problem.parameters) == "O":
            points = Subproblem._points(problem.values)
            free = problem.parameters + fit_step(features.matrix(agent), points, problem.beta, problem.weights)
        else:
            points = Subproblem._points(problem.ideal)
            free = problem.parameters + least_squares(features, agent, problem.weights, points)
        if problem.radius is None:
            return free
        if kind_of(free) == "O":
            raise GameError("the exact minimiser over a ball is computed in floats only; use radius=None or floats")
        outside = compare(square(free).sum(-1), ">", square(problem.radius)) > 0
        if not outside.any():
            return free
        bounded = least_squares(features, agent, problem.weights, problem.targets, problem.radius)
        return select(lift(outside, 1), bounded, free)


@explained_class
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
        require_count("T", self.steps, MAX_STEPS)
        if self.step is not None:
            require_positive("the step η", self.step)
        if self.start not in ("zero", "current"):
            raise GameError(f"start = {self.start!r}; use 'zero' (as printed) or 'current' (repaired)")
        if self.averaging not in ("printed", "analysed"):
            raise GameError(f"averaging = {self.averaging!r}; use 'printed' or 'analysed'")

    def solve(self, problem: Subproblem, generator: Generator) -> Array:
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

    def _step(self, problem: Subproblem) -> Any:
        if self.step is not None:
            return self.step
        if problem.radius is None:
            raise GameError("the default step R/(G√T) needs a radius R; pass radius=, or the solver a step=")
        return default_step(problem.radius, gradient_bound(problem.radius, problem.bound, problem.beta), self.steps)

    def _by_samples(self, problem: Subproblem, generator: Generator) -> Callable[[int, Array], Array]:
        if kind_of(problem.parameters) == "O":
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

    def _by_expectations(self, problem: Subproblem) -> Callable[[int, Array], Array]:
        features, agent = problem.features, problem.agent
        shape = problem.values.shape[-3:]
        targets, weights = problem.targets, problem.weights
        targets, weights = (table.reshape(table.shape[:-1] + shape) for table in (targets, weights))
        step = lift(self._step(problem), 1)

        def move(t: int, parameters: Array) -> Array:  # noqa: ARG001 - every step sees all of σ_k
            residual = features.scores(agent, parameters) - targets
            return parameters - 2 * step * features.transposed(agent, weights * residual)

        return move
