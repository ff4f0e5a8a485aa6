"""Independent mirror descent: Algorithm 1 without its conditional policies.

Every agent takes mirror steps, or natural gradient steps, which is the same for softmax, with a policy of its own that ignores
the others' actions::

    π_{k+1}^m(a|s) ∝ π_k^m(a|s) exp(η E_{a^{-m} ~ π_k}[Q_{π_k}(s, a, a^{-m})])

the solution of subproblem (4) with features of ``(s, a)`` instead of ``(s, a^{1:m})``.  It stands between the two methods
that the paper compares, and so tells apart what the mirror step gains over the gradient step (no factor ``π^m(a|s)`` slows it
down) and what conditioning on the agents before gains over independence.  Source: Section 4.3, for comparison.

In climbing, from the uniform policy, it ends at an equilibrium that pays 7; the best pair pays 11:

>>> import mappo_verify as mv
>>> game = mv.named_game("climbing").floats()
>>> independent_mirror_descent(game, 400, 0.2).returns(game)[-1].round(6).item()
7.0
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..arithmetic import Array
from ..arithmetic.explained import explained
from ..model import Game
from ..model.features import Features, Parameters
from .critics import Critic
from .iteration import with_constant_step
from .projection_step import Solver, Subproblem
from .recording import Record, in_memory
from .sampling import Generator
from .trace import Trace


@dataclass(frozen=True)
class IndependentFit(Solver):
    """The minimiser of (4) for an agent that ignores the prefix, at every state (also where ``σ_k`` is 0)."""

    def solve(self, problem: Subproblem, generator: Generator) -> Array:  # noqa: ARG002 - one interface
        """``ℓ_k + E_{p ~ π_k^{1:m-1}}[Q̂^{1:m}(s, p, ·)]/β_k``, no randomness."""
        reached = problem.current.policy.prefix_probabilities()[problem.agent]
        return problem.parameters + problem.features.transposed(problem.agent, reached[..., None] * problem.ideal)


@explained
def independent_mirror_descent(
    game: Game,
    iterations: int,
    step: Any,
    *,
    critic: Critic | None = None,
    seed: int = 0,
    initial: Parameters | None = None,
    record: Record = in_memory,
) -> Trace:
    """``K`` simultaneous mirror steps of independent agents from the uniform policy, or from the logits ``initial``.

    Arguments as for :func:`~mappo_verify.algorithms.independent_gradient.independent_gradient`; no start is needed.
    """
    return with_constant_step(
        "independent_mirror_descent",
        game,
        Features.product(game),
        IndependentFit(),
        iterations,
        step,
        critic=critic,
        seed=seed,
        initial=initial,
        record=record,
    )
