"""What Lemma C.6 and Theorem 5.5, printed and repaired, allow for a given game, ``K``, ``n`` and ``δ``.

A regret over 100 steps with two actions and payoffs in [0, 1]: ``2√2 √(100 log 2)`` as printed, ``√(100 log 2/2)`` sharp.

>>> print(*(float(value.round(2)) for value in regret(1.0, 100, 2)))
23.55 5.89
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..algorithms.pessimistic_linear import repaired_penalty
from ..arithmetic import Array, as_array, square
from ..arithmetic.explained import explained
from ..games.offline import OfflineProblem
from ..model import Game
from ..model.validation import require_count, require_positive
from ..quantities.bellman_error import sampled_error, unseen_error
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
    unseen: Any = None,
) -> Array:
    """theorem-5.5/repaired with ``n`` fresh draws for every ``π_k``: the mean gap is at most that with probability ``1 - δ``.

    :func:`optimisation` and ``C√ε_r/(1-γ) + C ε_b/(1-γ)``, at the penalty ``λ = C/(2(1-γ)√ε_r)`` that balances the terms::

        ε_r = ((log 2/2) d + log(2K/δ))/((1-γ)² n)        ε_b = 7 √((d log(1 + 2Ln(1-γ)) + log(2K/δ))/n)/(1-γ)

    Assumed: rewards in [0, 1]; one joint critic, linear in ``d`` features of norm at most 1, with weights of norm at most ``L``
    and values in ``[0, 1/(1-γ)]``, both enforced; a class that is complete for the policies of the run; and
    ``C ≥ (Σ d_*²/μ)^{1/2}``, the ``mismatch``.  ``samples`` is ``n``, ``failure`` ``δ``.  Another ``ε_b``, for a class that is
    not complete say, is given as ``unseen``; 0 leaves out what the data do not show, and is then no bound.

    Source: theorem-5.5/repaired-sample, lemma-c.1/explicit, lemma-c.2/explicit.
    """
    require_count("the number n of draws", samples)
    require_count("the number K of iterations", iterations)
    require_positive("δ", failure)
    game, horizon = problem.game, problem.ceiling
    dimension = problem.features.dimensions[-1]
    doubt = np.log(2 * iterations / np.asarray(failure))
    error = sampled_error(horizon, samples, dimension, doubt)
    hidden = unseen_error(horizon, samples, dimension, problem.radius / horizon, doubt) if unseen is None else unseen
    penalty = repaired_penalty(problem, error, mismatch)
    return optimisation(game, iterations) + estimation_bound(mismatch, horizon, penalty, penalty * error, hidden)


@explained
def from_finite_class(
    game: Game,
    critics: int,
    iterations: int,
    samples: int,
    failure: float = 0.1,
    *,
    mismatch: Any = 1.0,
    realizability: Any = 0.0,
    completeness: Any = 0.0,
) -> Array:
    """theorem-d.7/repaired with ``n`` fresh draws for every ``π_k``: the mean gap is at most that with probability ``1 - δ``.

    :func:`optimisation` and ``C√ε_r/(1-γ) + C ε_b/(1-γ) + √ζ_F/(1-γ)``, with ``u = log(2K|F|/δ)`` and ``λ = C/(2(1-γ)√ε_r)``::

        ε_r = 2 ζ_F + 6u/((1-γ)² n)        ε_b = √ζ_FF + 4 √(u/n)/(1-γ)

    Assumed: rewards in [0, 1]; one class of ``critics`` joint tables in ``[0, 1/(1-γ)]``, ``|F|`` of them, whose
    ``realizability`` ``ζ_F`` and ``completeness`` ``ζ_FF`` hold for the policies of the run; and ``C ≥ (Σ d_*²/μ)^{1/2}``, the
    ``mismatch``.
    ``samples`` is ``n``, ``failure`` ``δ``.

    Source: theorem-d.7/repaired, with Lemmas D.4 and D.5 (lemma-d.4, lemma-d.5).
    """
    for name, count in (
        ("|F|", critics),
        ("the number n of draws", samples),
        ("the number K of iterations", iterations),
    ):
        require_count(name, count)
    require_positive("δ", failure)
    require_positive("C", mismatch)
    horizon = game.horizon
    unit = square(horizon) * np.log(2 * iterations * critics / np.asarray(failure)) / samples
    error = 2 * np.asarray(realizability) + 6 * unit
    penalty = mismatch * horizon / (2 * np.sqrt(error))
    allowed = horizon * np.sqrt(realizability) + penalty * error
    unseen = np.sqrt(completeness) + 4 * np.sqrt(unit)
    return optimisation(game, iterations) + estimation_bound(mismatch, horizon, penalty, allowed, unseen)
