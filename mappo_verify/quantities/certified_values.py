"""Values with a bound of their error, for float games of any size.

Whatever ``v`` a solver returns for ``(I - γP_π) v = r_π``, its error is at most::

    ‖v - V_π‖_∞ ≤ ‖r_π + γP_π v - v‖_∞ / (1 - c)        c = γ · max_s Σ_s' P_π(s'|s) < 1

since the inverse of an M-matrix whose rows dominate by ``1 - c`` has norm at most ``1/(1-c)``.  The same holds for optimal
values, with ``max_a`` in the residual: the Bellman operator contracts by ``c``.  The residual is computed in floats; a bound of
all roundings on the way is added to it, so the result is a bound for the very numbers of the game.

>>> import mappo_verify as mv
>>> game = mv.Game([[[1], [1]]], [[1, 0]], 0.5)
>>> found = mv.quantities.certified_values(game, mv.Policy.uniform(game))
>>> found.values, bool(found.error < 1e-13)
(array([1.]), True)
"""

from __future__ import annotations

import numpy as np

from ..arithmetic import System
from ..arithmetic.explained import explained
from ..errors import GameError, SingularError
from ..model import Game, Policy
from .optimal import optimal
from .residuals import CertifiedValues, bellman_error
from .values import state_values


@explained
def certified_values(game: Game, policy: Policy | None = None) -> CertifiedValues:
    """``V_π``, or without a policy the optimal values, of a single float game, with a bound of their error.

    Rewards and probabilities count as the floats that they are; rows that miss 1 by
    rounding count as divided by their sums, as in ``exact()``.
    Raises :class:`~mappo_verify.errors.SingularError` where ``c ≥ 1``: then the residual bounds nothing.
    """
    if game.system is not System.FLOATS or game.batch_shape or (policy is not None and policy.batch_shape):
        raise GameError(
            "certified_values takes a single game and policy over floats; others are exact, or certified as balls"
        )
    if policy is None:
        found = bellman_error(game, optimal(game).values)
    else:
        found = bellman_error(game, state_values(game, policy), policy)
    if np.isinf(found.error):
        raise SingularError("γ · max Σ P reaches 1, so the residual bounds no error; choose a discount below 1")
    return found
