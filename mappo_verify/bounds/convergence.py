"""What Theorem 4.5, its repair and the 1/K rate allow for a given game or run.

Two actions with rewards 1 and 0, no discount, 100 iterations, and the theorem's ``β``: ``√(2 log 2/100)``.

>>> import mappo_verify as mv
>>> bandit = mv.Game([[[1], [1]]], [[1, 0]], 0, start=[1])
>>> float(without_errors(bandit, 100).round(4))
0.1177
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..algorithms.multi_agent_ppo import ideal_beta, value_bound
from ..algorithms.trace import Trace, recompute
from ..arithmetic import Array, Truth, as_array, compare, largest, like, sqrt
from ..arithmetic.explained import explained
from ..model import Game, Policy
from ..quantities.mirror_descent import convergence_bound, exact_rate_bound
from ..quantities.update_errors import safe_odds_change


@explained
def without_errors(game: Game, iterations: int, *, beta: Any = None, bound: Any = None) -> Array:
    """Theorem 4.5 for exact fits and an exact critic: what the mean gap over ``K`` iterations is at most, shape ``[...]``.

    ``β_k = β√K``; ``beta`` is ``β``, by default the theorem's, and ``bound`` is ``B``, by default ``max|r|/(1-γ)``.  For a game
    that does not terminate, ``J`` from the comparator's stationary distribution.

    Source: theorem-4.5/repaired with ``ε = ε̂ = 0``.
    """
    limit = value_bound(game) if bound is None else as_array(bound)
    base = ideal_beta(limit, game.action_sizes) if beta is None else as_array(beta)
    scaled = base * sqrt(like(iterations, limit))
    return convergence_bound(like(0, limit), iterations, scaled, limit, game.discount, game.action_sizes)


@explained
def exact_rate(game: Game, beta: Any, iterations: Any) -> Array:
    """``[β Σ_m log|A_m| + N R/(1-γ)]/((1-γ)(K+1))``: what ``K`` exact updates with a constant ``β`` leave of the gap, at most.

    ``iterations`` is ``K``, or an array of them.  Source: theorem-4.5/exact-rate-in-rewards.
    """
    return exact_rate_bound(game, beta, iterations)


class RunBounds(NamedTuple):
    """What a run's own errors allow for the mean gap after 1, ..., K iterations, ``[K, ...]``.

    ``printed`` is Theorem 4.5 (i) as printed, ``repaired`` theorem-4.5/repaired; ``measured`` is the mean gap itself.  The
    printed one is a theorem where ``proved`` is true, shape ``[...]``: no step multiplied the odds of two actions by more than
    ``e^ω`` with ``ω`` the ``change`` and ``sinh(ω/2) ≤ 3 + √2`` (theorem-4.5/bounded-steps).  ``sharp`` is
    theorem-4.5/repaired-sharp, and ``spread`` theorem-4.5/spread, which is at most that: the smallest that is proved.
    """

    measured: Array
    printed: Array
    repaired: Array
    change: Array
    proved: Truth
    sharp: Array
    spread: Array


@explained
def of_run(trace: Trace, game: Game, comparator: Policy) -> RunBounds:
    """Theorem 4.5 for the errors that were really made, printed, repaired and sharper, beside the measured mean gap.

    Arguments and errors as for :func:`~mappo_verify.algorithms.trace.recompute`.
    """
    with np.errstate(all="ignore"):  # policies that round to 0 have infinite bounds
        found = recompute(trace, game, comparator)
        printed, repaired, gaps = found.printed_bounds, found.repaired_bounds, found.gaps
        sharp, spread = found.sharp_bounds, found.spread_bounds
    after = like(np.arange(1, len(gaps) + 1).tolist(), gaps).reshape(-1, *(1,) * (gaps.ndim - 1))
    worst = largest(found.odds_change, (0, -1))
    proved = compare(worst, "≤", safe_odds_change(worst))
    return RunBounds(np.asarray(np.cumsum(gaps, axis=0) / after), printed, repaired, worst, proved, sharp, spread)
