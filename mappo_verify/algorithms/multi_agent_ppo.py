"""Algorithm 1: multi-agent proximal policy optimisation, as printed.

::

    θ_0 = 0,  β_k = β√K
    for k = 0..K-1, for every agent m:
        σ_k = ν_k π_k           Q̂^{1:m} from a critic
        θ_{k+1}^m = argmin_{‖θ‖ ≤ R} E_{σ_k}[ ((θ - θ_k^m)ᵀφ - Q̂^{1:m}/β_k)² ],    by Algorithm 3
    return π_k with k uniform on 0..K-1

The distribution ``σ_k`` needs a stationary ``ν_k``, hence a game that does not terminate and has one recurrent
class; for others there is the ideal update :func:`~mappo_verify.algorithms.constant_step.constant_step`.
Source: Algorithm 1, Theorem 4.5.

>>> import numpy as np, mappo_verify as mv
>>> bandit = mv.Game([[[1], [1]]], [[1, 0]], 0, start=[1])
>>> trace = multi_agent_ppo(bandit, 100)
>>> float(trace.beta.round(4)), trace.returns(bandit)[[0, 1, 100]].round(4)
(8.4932, array([0.5   , 0.5294, 1.    ]))
"""

from __future__ import annotations

from typing import Any

from ..arithmetic import Array, absolute, as_array, largest, like, sqrt, support
from ..arithmetic.explained import explained, over_arrays
from ..errors import GameError
from ..model import Game, Policy
from ..model.features import Features
from ..model.validation import require_count, require_positive
from ..quantities.distributions import stationary_distribution
from ..quantities.divergence import entropy_of
from ..quantities.mirror_descent import second_order_term
from .critics import Critic, ExactCritic
from .iteration import Improvement, positive_number
from .projection_step import ExactFit, Solver
from .recording import Record, in_memory
from .trace import Trace


@over_arrays
def value_bound(game: Game) -> Array:
    """``max |r| / (1-γ)``, a ``B`` that every ``Q^{1:m}`` respects where γ < 1, shape ``[...]``."""
    horizon = like(1, game.system) - game.discount
    if not support(horizon).all():
        raise GameError("with discount 1 there is no bound max|r|/(1-γ); pass bound=, or choose a discount below 1")
    return largest(absolute(game.reward), (-2, -1)) / horizon


@explained
def ideal_beta(bound: Any, action_sizes: tuple[int, ...]) -> Array:
    """Theorem 4.5's ``β`` for exact updates, ``β² = (N B²/2) / Σ_m log|A_m|``, in the shape of ``B``.

    With errors it depends on the run: :func:`~mappo_verify.algorithms.trace.self_consistent_beta`.
    """
    if set(action_sizes) == {1}:
        raise GameError("no agent has a choice, so Theorem 4.5 names no β; pass beta=")
    half = second_order_term(len(action_sizes), bound)
    return sqrt(half / entropy_of(action_sizes, half))


@explained
def multi_agent_ppo(
    game: Game,
    iterations: int,
    *,
    beta: Any = None,
    features: Features | None = None,
    radius: Any = None,
    critic: Critic | None = None,
    solver: Solver | None = None,
    bound: Any = None,
    seed: int = 0,
    record: Record = in_memory,
) -> Trace:
    """Run Algorithm 1 and record everything.

    Parameters
    ----------
    game : Game
        Without termination; a batch runs in parallel.
    iterations : int
        ``K ≥ 1``.
    beta : number, optional
        ``β > 0``, so that ``β_k = β√K``; a number, or one per game of the batch.  Default: :func:`ideal_beta`.
    features : Features, optional
        Default: one-hot.
    radius : number, optional
        ``R > 0`` of the ball ``Θ``.  Default: no ball.
    critic : Critic, optional
        Default: exact.
    solver : Solver, optional
        :class:`~mappo_verify.algorithms.projection_step.ExactFit` (the default) or Algorithm 3,
        :class:`~mappo_verify.algorithms.projection_step.StochasticGradient`.
    bound : number, optional
        ``B`` with ``|Q̂| ≤ B``, which sets the default ``β`` and Algorithm 3's default step.  Default: :func:`value_bound`.
    seed : int
        Of everything random.
    record : Record, optional
        Who keeps the iterations: :func:`~mappo_verify.algorithms.recording.in_memory` (the default), or a
        :class:`~mappo_verify.runs.storage.Store`.

    Returns
    -------
    Trace
        ``trace.output(seed)`` draws the printed algorithm's output, ``trace.output_return(game)`` is its expected return.

    Raises
    ------
    GameError
        For a game that terminates or has several recurrent classes, and for ``K < 1``, ``β ≤ 0``, ``R ≤ 0``,
        ``T = 0``, or features that do not fit.
    """
    require_count("K", iterations)
    if game.terminates():
        raise GameError(
            "Algorithm 1 samples from the stationary distribution ν_k, and this game terminates; use constant_step(), the "
            "ideal update, which needs no ν_k, or restarted(game), which starts again when it ends"
        )
    features = Features.tabular(game) if features is None else features
    features.require_fits(game)
    stationary_distribution(
        game, Policy.uniform(game)
    )  # a softmax has full support, so its recurrent classes are these
    limit = value_bound(game) if bound is None else positive_number(game, "B", bound)
    if beta is None:
        require_positive("B, which sets the default β,", limit)
        base = ideal_beta(limit, game.action_sizes)
    else:
        base = positive_number(game, "β", beta)
    solver = solver or ExactFit()
    return Improvement(
        "multi_agent_ppo",
        game,
        features,
        iterations,
        as_array(base * sqrt(like(iterations, game.system))),
        solver,
        critic or ExactCritic(),
        seed,
        radius=None if radius is None else positive_number(game, "R", radius),
        bound=limit,
        settings={"beta": beta, "radius": radius, "solver": solver, "bound": bound},
    ).run(record)
