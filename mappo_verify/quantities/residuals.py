"""Bounds of the error of given values, by their Bellman residual; :mod:`.certified_values` says why."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..arithmetic import Array, absolute, choose, compare, contract, largest, like, successors
from ..arithmetic.sparse import ROUNDING, UNDERFLOW
from ..model import Game, Policy
from .values import lookahead


@dataclass(frozen=True, eq=False)
class CertifiedValues:
    """``values`` ``[S]``, the largest ``residual`` of their Bellman equation, and ``error ≥ ‖values - exact‖_∞``."""

    values: Array
    residual: float
    error: float

    def __repr__(self) -> str:
        return f"CertifiedValues({len(self.values)} states, residual {self.residual:.2e}, error ≤ {self.error:.2e})"


def bellman_error(game: Game, values: Array, policy: Policy | None = None) -> CertifiedValues:
    """A bound of the error of any ``values`` ``[S]``, by their residual in the equation of ``policy``, or in the optimal one.

    Infinite where ``c ≥ 1``.
    """
    mass = game.transition.sum(-1)
    table = lookahead(game, values)
    missing = _norm(choose(game.ends, like(0, mass), mass - 1))  # rows that go on are divided by their sums
    if policy is None:
        left, going_on, off = largest(table) - values, largest(mass.reshape(-1)), 0.0
    else:
        joint = policy.joint()
        left, going_on = contract("sa,sa->s", joint, table) - values, largest(contract("sa,sa->s", joint, mass))
        off = sum(_norm(factor.sum(-1) - 1) for factor in policy.factors)
    residual = _norm(left)
    steps = successors(game.transition) + game.actions + game.agents + 8  # roundings on the way to one entry
    lost = 2 * (steps * ROUNDING + missing + off)
    contraction = float(game.discount * going_on) * (1 + lost)
    if compare(contraction, "≥", 1) > 0:
        return CertifiedValues(values, residual, math.inf)
    size = _norm(game.reward) + 2 * _norm(values)
    hidden = lost * size + (UNDERFLOW if compare(size, ">", 0) > 0 else 0.0)
    return CertifiedValues(values, residual, (residual + hidden) / (1 - contraction) * (1 + 8 * ROUNDING))


def _norm(values: Array) -> float:
    """``‖·‖_∞``"""
    return float(largest(absolute(values).reshape(-1)))
