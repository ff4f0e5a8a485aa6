"""Algorithm 1 with the smallest change that makes Theorem 4.5 true: Algorithm 3 projects about ``θ_k`` and not about 0.

As printed the ball of subproblem (4) is ``‖θ‖ ≤ R``, and a single bad step may cost everything that was learnt.  Here it is ::

    θ_{k+1}^m = argmin_{‖θ - θ_k^m‖ ≤ D} E_{σ_k}[ ((θ - θ_k^m)ᵀφ - Q̂^{1:m}/β_k)² ]

For ``‖φ‖ ≤ 1`` no step then multiplies the odds of two actions by more than ``e^{2D}``, and for ``D ≤ arsinh(3 + √2) = 2.19...``
Theorem 4.5 holds as printed (theorem-4.5/bounded-steps).  On this ball the gradients of Algorithm 3 have norms of at most
``2(D + B/β_k)``, the bound that Lemma B.2 prints.  Ideal steps ``Q̂/β_k`` are of order ``1/√K``, so for large ``K`` the ball
excludes none.

>>> import numpy as np, mappo_verify as mv
>>> bandit = mv.Game([[[1], [1]]], [[1, 0]], 0, start=[1])
>>> trace = bounded_steps_ppo(bandit, 100, distance=0.05)
>>> float(np.linalg.norm(np.diff(trace.parameters[0], axis=0), axis=-1).max().round(6))
0.05
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..arithmetic import Array
from ..arithmetic.explained import explained, explained_class
from ..errors import GameError
from ..model import Game
from ..model.features import Features
from ..quantities.stochastic_gradient import default_step, printed_gradient_bound
from .critics import Critic
from .multi_agent_ppo import multi_agent_ppo
from .projection_step import ExactFit, Solver, StochasticGradient, Subproblem
from .recording import Record, in_memory
from .sampling import Generator
from .trace import Trace

DISTANCE = 2.19
"""``arsinh(3 + √2)`` rounded down."""


@explained_class
@dataclass(frozen=True)
class AboutCurrent(Solver):
    """Subproblem (4) over ``‖θ - θ_k‖ ≤ D``: another solver's subproblem for ``θ - θ_k``, with ``D`` for its radius.

    Parameters
    ----------
    solver : Solver
        :class:`~mappo_verify.algorithms.projection_step.ExactFit` or
        :class:`~mappo_verify.algorithms.projection_step.StochasticGradient`, whose step is ``D/(G√T)`` with ``G = 2(D + B/β_k)``
        unless it has one.
    """

    solver: Solver

    def solve(self, problem: Subproblem, generator: Generator) -> Array:
        """``θ_k`` and what the solver finds from 0."""
        if problem.radius is None:
            raise GameError("a ball about the current parameters needs its radius D; pass distance=")
        origin = problem.features.zero(problem.agent, problem.parameters.shape[:-1])
        solver = self.solver
        if isinstance(solver, StochasticGradient) and solver.step is None:
            gradients = printed_gradient_bound(problem.radius, problem.bound, problem.beta)
            solver = replace(solver, step=default_step(problem.radius, gradients, solver.steps))
        return problem.parameters + solver.solve(problem._replace(parameters=origin), generator)


@explained
def bounded_steps_ppo(
    game: Game,
    iterations: int,
    *,
    distance: Any = DISTANCE,
    beta: Any = None,
    features: Features | None = None,
    critic: Critic | None = None,
    solver: Solver | None = None,
    bound: Any = None,
    seed: int = 0,
    record: Record = in_memory,
) -> Trace:
    """Run Algorithm 1 with every step in a ball of radius ``distance`` about the current parameters.

    ``distance`` is ``D > 0``, a number or one per game of the batch; up to :data:`DISTANCE` Theorem 4.5 holds as printed.  The
    other arguments, the result and the errors are those of :func:`~mappo_verify.algorithms.multi_agent_ppo.multi_agent_ppo`.
    """
    trace = multi_agent_ppo(
        game,
        iterations,
        beta=beta,
        features=features,
        radius=distance,
        critic=critic,
        solver=AboutCurrent(solver or ExactFit()),
        bound=bound,
        seed=seed,
        record=record,
    )
    return replace(trace, algorithm="bounded_steps_ppo")
