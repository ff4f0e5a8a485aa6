"""Shared parameters: one network for all agents, as IPPO and MAPPO use it.

All agents play one and the same policy ``π(·|s) ∝ exp ℓ(s, ·)`` and do not see each other's actions, so the joint policy is a
product of ``N`` equal factors.  They need equal action sets.  With one ``ℓ`` for everybody, subproblem (4) of Algorithm 1 is::

    ℓ_{k+1} = argmin_ℓ Σ_m E_{σ_k}[ (ℓ(s, a^m) - ℓ_k(s, a^m) - Q̂^{1:m}(s, a^{1:m})/β_k)² ]
            = ℓ_k(s, a) + (1/(N β_k)) Σ_m E_{p ~ π_k^{1:m-1}}[Q̂^{1:m}(s, p, a)]

the mean over agents of what action ``a`` is worth to each while the others play on; as policies, ``π_{k+1} ∝ π_k exp(...)``.  No
such policy need be good: where half of the agents must act unlike the other half, the best one earns ``2/2^N`` of the optimum.
Source: Section 4.3, Kuba et al. (2022), Proposition 1.

Two agents that are rewarded for acting differently stay at the uniform policy:

>>> import mappo_verify as mv
>>> game = mv.named_game("shared-parameter:2").floats()
>>> shared_parameters(game, 100, 1).returns(game)[-1].item()
0.5
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arithmetic import Array
from ..arithmetic.explained import explained
from ..errors import GameError
from ..model import Game
from ..model.features import Features
from .critics import Critic
from .independent_mirror_descent import IndependentFit
from .iteration import with_constant_step
from .projection_step import Subproblem
from .recording import Record, in_memory
from .sampling import Generator
from .trace import Trace


class SharedFit(IndependentFit):
    """The minimiser of (4) over one parameter vector that all agents share, at every state (also where ``σ_k`` is 0)."""

    def improve(self, problems: Sequence[Subproblem], generators: Sequence[Generator]) -> list[Array]:
        """The mean of what the agents would choose by themselves, for all of them."""
        mean = np.stack(super().improve(problems, generators)).sum(0) / len(problems)
        return [mean] * len(problems)


@explained
def shared_parameters(
    game: Game,
    iterations: int,
    step: Any,
    *,
    critic: Critic | None = None,
    seed: int = 0,
    initial: Any = None,
    record: Record = in_memory,
) -> Trace:
    """``K`` updates of one policy that all agents share, from the uniform one, or from the logits ``initial`` ``[..., S·A_1]``.

    ``step`` is ``η = 1/β > 0``, a number or one per game of the batch.  In the trace every agent has the same parameters.
    Raises :class:`~mappo_verify.errors.GameError` where action sets differ.
    """
    if len(set(game.action_sizes)) > 1:
        raise GameError(
            f"agents with action sets of sizes {game.action_sizes} cannot share one policy; they must be equal"
        )
    each = None if initial is None else [initial] * game.agents
    return with_constant_step(
        "shared_parameters",
        game,
        Features.product(game),
        SharedFit(),
        iterations,
        step,
        critic=critic,
        seed=seed,
        initial=each,
        record=record,
    )
