"""What Lemma C.6 and Theorem 5.5, printed and repaired, allow for a given game, ``K``, ``n`` and ``δ``.

A regret over 100 steps with two actions and payoffs in [0, 1]: ``2√2 √(100 log 2)`` as printed, ``√(100 log 2/2)`` sharp.

>>> print(*(float(value.round(2)) for value in regret(1.0, 100, 2)))
23.55 5.89
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..algorithms.pessimistic_linear import repaired_penalty, statistical_error
from ..arithmetic import Array, as_array
from ..arithmetic.explained import explained
from ..games.offline import OfflineProblem
from ..model import Game
from ..quantities.online_learning import (
    estimation_bound,
    optimisation_bound,
    regret_bound,
    sharp_regret_bound,
)


@explained
def regret(bound: Any, iterations: int, actions: int) -> tuple[Array, Array]:
    """Lemma C.6: the regret of exponential weights as printed, and by lemma-c.6/sharp with the step that is best there.

    Payoffs lie in ``[0, B]``, ``B`` the ``bound``.  The sharp form is ``log|A|/η + ηKB²/8`` at ``η = √(8 log|A|/K)/B``.
    """
    size = as_array(bound)
    best = np.sqrt(8 * np.log(actions) / iterations) / size
    return regret_bound(size, iterations, actions), sharp_regret_bound(size, best, iterations, actions)


@explained
def optimisation(game: Game, iterations: int) -> Array:
    """The first term of Theorem 5.5, ``2√2/(1-γ)² Σ_m √(log|A_m|/K)``, with the constant of the proof."""
    return optimisation_bound(game.horizon, iterations, game.action_sizes)


@explained
def from_samples(
    problem: OfflineProblem,
    iterations: int,
    samples: int,
    failure: float = 0.1,
    *,
    mismatch: Any = 1.0,
    unseen: Any = 0.0,
    constant: float = 1.0,
) -> Array:
    """theorem-5.5/repaired with ``n`` draws and probability ``1 - δ``: :func:`optimisation` and ``C√ε_r/(1-γ) + C ε_b/(1-γ)``.

    ``samples`` is ``n``, ``failure`` ``δ``, ``mismatch`` ``C``, ``unseen`` ``ε_b``, the part of the Bellman error that the data
    do not show.  ``ε_r`` is :func:`~mappo_verify.algorithms.pessimistic_linear.statistical_error` of the joint critic
    with the ``constant`` that the paper leaves open, and ``λ`` is the one that balances the terms.
    """
    game, agents = problem.game, problem.game.agents
    error = statistical_error(problem, agents, samples, iterations, failure, constant)
    penalty = repaired_penalty(problem, error, mismatch)
    return optimisation(game, iterations) + estimation_bound(
        mismatch, problem.ceiling, penalty, penalty * error, unseen
    )
