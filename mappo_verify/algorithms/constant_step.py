"""The ideal exact update with a step that does not depend on ``K``.

Mirror descent (Proposition 4.2) at *every* ``(s, p)``, with a step size ``η`` instead of ``1/β_k``::

    π_{k+1}^m(·|s, p) ∝ π_k^m(·|s, p) exp(η Q^{1:m}_{π_k}(s, p, ·))

In logits this is ``θ_{k+1} = θ_k + η Q^{1:m}``.  It needs no stationary distribution, so games may terminate,
and ``γ = 1`` is legal where values exist.  ``J`` never decreases from any start (monotone-improvement), and for
rewards in an interval of length ``R`` and γ < 1 the last iterate satisfies ``J_* - J_K ≤ (Σ_m log|A_m|/η + N R/(1-γ)) /
((1-γ) (K+1))`` (theorem-4.5/exact-rate-in-rewards, :func:`~mappo_verify.quantities.mirror_descent.exact_rate_bound`): 1/K, where
Algorithm 1 has 1/√K.

One state, rewards 1 and 0, ``η = log 3``: the odds are multiplied by 3 each time.

>>> import numpy as np, mappo_verify as mv
>>> game = mv.Game([[[0], [0]]], [[1, 0]], 0, start=[1])
>>> trace = constant_step(game, 2, np.log(3))
>>> trace.returns(game)
array([0.5 , 0.75, 0.9 ])
"""

from __future__ import annotations

from typing import Any

from ..arithmetic.explained import explained
from ..model import Game
from ..model.features import Features, Parameters
from .critics import Critic
from .iteration import with_constant_step
from .projection_step import ExactFit
from .recording import Record, in_memory
from .trace import Trace


@explained
def constant_step(
    game: Game,
    iterations: int,
    step: Any,
    *,
    critic: Critic | None = None,
    seed: int = 0,
    initial: Parameters | None = None,
    record: Record = in_memory,
) -> Trace:
    """``K`` ideal updates with one-hot features from the uniform policy, or from the logits ``initial``.

    ``step`` is ``η > 0``, a number or one per game of the batch.  The trace has ``β_k = 1/η``.  ``initial[m]`` is ``θ_0^{m+1}``,
    ``[..., S·|A_1|···|A_{m+1}|]``.  Critics other than the exact one turn this into tabular natural policy gradient with
    errors.  Works in balls, too, for short runs.
    """
    return with_constant_step(
        "constant_step",
        game,
        Features.tabular(game),
        ExactFit(),
        iterations,
        step,
        critic=critic,
        seed=seed,
        initial=initial,
        record=record,
    )
