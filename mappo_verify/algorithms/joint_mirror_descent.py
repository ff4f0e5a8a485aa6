"""A single agent that chooses the joint action: mirror descent on the joint action space.

Seen from above, a cooperative game is a decision process with ``|A| = |A_1|···|A_N|`` actions, and equation (1) is::

    π_{k+1}(a|s) ∝ π_k(a|s) exp(η Q_{π_k}(s, a))

the case ``N = 1`` of the ideal update.  It is what Algorithm 1 competes with: the same optimum, a table of the same size, but no
agent can act without the others' part of it.  The last agent's factor of Algorithm 1 moves by the same ``Q^{1:N} = Q``; the
others move by averages of it, so the two runs differ.  Source: Section 3.2, equation (1).

Two actions each, one pair out of four pays; at ``η = log 3`` its odds triple each time, 1:3, 3:3, 9:3:

>>> import numpy as np, mappo_verify as mv
>>> game = mv.Game(np.zeros((1, 4, 1)), [[1, 0, 0, 0]], 0, (2, 2), start=[1])
>>> trace = joint_mirror_descent(game, 2, np.log(3))
>>> trace.returns(game.as_single_agent())
array([0.25, 0.5 , 0.75])
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..arithmetic.explained import explained
from ..model import Game
from ..model.features import Parameters
from .constant_step import constant_step
from .critics import Critic
from .recording import Record, in_memory
from .trace import Trace


@explained
def joint_mirror_descent(
    game: Game,
    iterations: int,
    step: Any,
    *,
    critic: Critic | None = None,
    seed: int = 0,
    initial: Parameters | None = None,
    record: Record = in_memory,
) -> Trace:
    """``K`` ideal updates of one agent with ``|A|`` actions.

    Arguments as for :func:`~mappo_verify.algorithms.constant_step.constant_step`.  The trace is of the single-agent game
    :meth:`~mappo_verify.model.game.Game.as_single_agent`; a policy of it is a joint table, which
    ``Policy.from_joint(trace.policies(k).joint(), game.action_sizes)`` splits into the agents' factors.
    """
    single = game.as_single_agent()
    trace = constant_step(single, iterations, step, critic=critic, seed=seed, initial=initial, record=record)
    return replace(trace, algorithm="joint_mirror_descent")
