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

from dataclasses import dataclass

from ..arithmetic import Array, System, absolute, as_array, compare, largest, successors
from ..errors import GameError, SingularError
from ..model import Game, Policy
from .optimal import optimal
from .values import lookahead, state_values

ROUNDING = 2.0**-53


@dataclass(frozen=True, eq=False)
class CertifiedValues:
    """``values`` ``[S]``, the largest ``residual`` of their Bellman equation, and ``error ≥ ‖values - exact‖_∞``."""

    values: Array
    residual: float
    error: float

    def __repr__(self) -> str:
        return f"CertifiedValues({len(self.values)} states, residual {self.residual:.2e}, error ≤ {self.error:.2e})"


def certified_values(game: Game, policy: Policy | None = None) -> CertifiedValues:
    """``V_π``, or without a policy the optimal values, of a single float game, with a bound of their error.

    Rewards and probabilities count as the floats that they are; rows of a policy that miss 1 by rounding are taken as they are.
    Raises :class:`~mappo_verify.errors.SingularError` where ``c ≥ 1``: then the residual bounds nothing.
    """
    if game.system is not System.FLOATS or game.batch_shape or (policy is not None and policy.batch_shape):
        raise GameError(
            "certified_values takes a single game and policy over floats; others are exact, or certified as balls"
        )
    mass = as_array(game.transition.sum(-1))
    if policy is None:
        values = optimal(game).values
        left, going_on = largest(lookahead(game, values), -1) - values, largest(mass, (-2, -1))
    else:
        values, joint = state_values(game, policy), policy.joint()
        left, going_on = (joint * lookahead(game, values)).sum(-1) - values, largest((joint * mass).sum(-1), -1)
    residual = _norm(left)
    steps = successors(game.transition) + game.actions + game.agents + 8  # roundings on the way to one entry
    contraction = float(game.discount * going_on) * (1 + 2 * steps * ROUNDING)
    if compare(contraction, "≥", 1) > 0:
        raise SingularError(
            f"γ · max Σ P = {contraction:.17g}: the residual bounds no error; choose a discount below 1"
        )
    hidden = 2 * steps * ROUNDING * (_norm(game.reward) + 2 * _norm(values))
    return CertifiedValues(values, residual, (residual + hidden) / (1 - contraction) * (1 + 8 * ROUNDING))


def _norm(values: Array) -> float:
    """``‖·‖_∞``"""
    return float(largest(absolute(as_array(values)).reshape(-1)))
