"""Independent learning: every agent climbs ``J`` along the exact gradient of its own logits.

Each agent has a softmax policy of its own that ignores the others' actions, ``π^m(·|s) ∝ exp ℓ^m(s, ·)``, and all take one
gradient step at once::

    ℓ_{k+1}^m(s, a) = ℓ_k^m(s, a) + η ∂J/∂ℓ^m(s, a)
    ∂J/∂ℓ^m(s, a) = d_k(s) π_k^m(a|s) E_{a^{-m} ~ π_k}[A_{π_k}(s, a, a^{-m})]

with ``d_k`` the visits of ``π_k`` from the game's start.  The factor ``π^m(a|s)`` is what makes it slow where a policy is nearly
deterministic.  What it can reach is a Nash equilibrium, which need not be optimal.  Source: Section 4.3 and Appendix E, the
method that the paper compares with; Daskalakis et al. (2020).

One state, rewards 1 and 0, ``η = 4``: at even odds the gradient is ±1/4, so the logits become ±1.

>>> import numpy as np, mappo_verify as mv
>>> game = mv.Game([[[0], [0]]], [[1, 0]], 0, start=[1])
>>> trace = independent_gradient(game, 1, 4)
>>> trace.parameters[0].tolist(), trace.returns(game).round(4).tolist()
([[0.0, 0.0], [1.0, -1.0]], [0.5, 0.8808])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..arithmetic import Array, lift
from ..arithmetic.explained import explained
from ..model import Game
from ..model.agents import average_out_last, join_last
from ..model.features import Features, Parameters
from ..quantities.gradients import gradient_of_logits
from ..quantities.values import start_of
from .critics import Critic
from .iteration import with_constant_step
from .projection_step import Solver, Subproblem
from .recording import Record, in_memory
from .sampling import Generator
from .trace import Trace


@dataclass(frozen=True)
class GradientStep(Solver):
    """``θ_{k+1} = θ_k + ∂J/∂θ / β``, the chain rule through any features; with exact values, the exact gradient."""

    def solve(self, problem: Subproblem, generator: Generator) -> Array:  # noqa: ARG002 - one interface
        """No randomness."""
        policy, m = problem.current.policy, problem.agent
        values = join_last(problem.values)
        mean = average_out_last(values, policy.factors[m])
        gains = join_last(problem.values - mean[..., None])
        slope = gradient_of_logits(problem.current.visits, policy, m + 1, gains)
        return problem.parameters + problem.features.transposed(m, slope) / lift(problem.beta, 1)


@explained
def independent_gradient(
    game: Game,
    iterations: int,
    step: Any,
    *,
    critic: Critic | None = None,
    seed: int = 0,
    initial: Parameters | None = None,
    record: Record = in_memory,
) -> Trace:
    """``K`` simultaneous steps of independent softmax policy gradient from the uniform policy, or from the logits ``initial``.

    ``step`` is ``η > 0``, a number or one per game of the batch; the game needs a start distribution.  ``initial[m]`` is
    ``ℓ_0^{m+1}``, ``[..., S·A_{m+1}]``.  The trace has ``β_k = 1/η`` and the critic's ``Q̂^{1:m}``, so that
    :func:`~mappo_verify.algorithms.trace.recompute` measures how far these steps are from the ideal ones.
    Raises :class:`~mappo_verify.errors.GameError` as :func:`~mappo_verify.algorithms.constant_step.constant_step` does.
    """
    start_of(game)
    return with_constant_step(
        "independent_gradient",
        game,
        Features.product(game),
        GradientStep(),
        iterations,
        step,
        critic=critic,
        seed=seed,
        initial=initial,
        record=record,
    )
