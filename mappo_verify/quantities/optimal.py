"""Optimal values, an optimal joint policy, and a certificate of both.

Policy iteration over joint actions; on rationals it is exact.  Optimality is then *checked*, by linear programming duality::

    v ≥ r(·, a) + γ P(·, a) v    for every a        (v is an upper bound of every proper policy's value)
    v = r(·, a*) + γ P(·, a*) v                      (and the policy a* attains it)
    Σ_s ρ(s) v(s) = Σ_s d(s) r(s, a*(s)),  d ≥ 0     (its visits d are a dual solution without gap)

A policy is *proper* where ``I - γP_π`` is invertible: always, if γ < 1.

>>> import mappo_verify as mv
>>> best = mv.optimal(mv.named_game("climbing").exact())
>>> best.values, best.actions, best.certificate.holds
(array([11], dtype=object), array([0]), True)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ..arithmetic import Array, System, argmax, as_array, compare, contract, is_hidden, like, support
from ..arithmetic.numbers import bare
from ..arithmetic.one_instance import refuse
from ..errors import GameError, SingularError
from ..model import Game, Policy
from ..model.instances import instance_by_instance
from .chain import induced_reward
from .distributions import visits
from .values import lookahead, state_values

MAX_IMPROVEMENTS = 1_000


@dataclass(frozen=True, eq=False)
class OptimalityCertificate:
    """Primal and dual solutions of the game's linear programme, and what checking them found.

    ``gap`` is the duality gap ``Σ ρ v - Σ d r_π`` from the uniform start, ``slack`` is ``v - (r + γPv)`` at every state and
    action.  On rationals both must be exactly right; on floats, within ``tolerance``.
    """

    values: Array
    actions: npt.NDArray[np.intp]
    dual_visits: Array
    slack: Array
    residual: Array
    gap: Array
    tolerance: float
    holds: bool


@dataclass(frozen=True, eq=False)
class Optimum:
    """``values`` ``[..., S]``, a deterministic optimal ``policy``, its joint ``actions`` ``[..., S]`` and the ``certificate``.

    Which action is best may differ between instances, so in a formula over one instance there are only values and policy.
    """

    values: Array
    policy: Policy
    indices: npt.NDArray[np.intp] | None = None
    checked: OptimalityCertificate | None = None

    @property
    def actions(self) -> npt.NDArray[np.intp]:
        """The joint actions of the policy; :class:`~mappo_verify.errors.FormulaError` in a formula."""
        if self.indices is None:
            refuse("the actions of an optimum in a formula", "they may differ between instances; use .policy")
        return self.indices

    @property
    def certificate(self) -> OptimalityCertificate:
        """What checking the solution found; :class:`~mappo_verify.errors.FormulaError` in a formula."""
        if self.checked is None:
            refuse("the certificate of an optimum in a formula", "it speaks of all instances; use .values and .policy")
        return self.checked


def optimal(game: Game) -> Optimum:
    """The optimal values and an optimal deterministic joint policy, by policy iteration.

    Exact on rationals (where float policy iteration goes first and only saves work).  Raises
    :class:`~mappo_verify.errors.SingularError` where γ = 1 and some policy on the way never terminates, and
    :class:`~mappo_verify.errors.GameError` on balls and symbols: optimise the exact game instead.
    """
    if bare(game.system) not in (System.FLOATS, System.RATIONALS):
        raise GameError(f"optimal() needs floats or rationals, not {game.system.value}; call it before .balls()")
    if is_hidden((game.transition,)):
        return Optimum(*instance_by_instance(_values_and_policy, game))
    start = None
    if game.system is System.RATIONALS:
        try:
            start = optimal(game.floats()).actions
        except SingularError:
            start = None
    actions = proper_actions(game) if start is None else start
    for _ in range(MAX_IMPROVEMENTS):
        policy = Policy.deterministic(game, actions)
        values = state_values(game, policy)
        table = lookahead(game, values)
        gain = table - np.take_along_axis(table, actions[..., None], axis=-1)
        better = compare(gain, ">", like(0, gain) + _tolerance(game, values)) > 0
        if not better.any():
            return Optimum(values, policy, actions, certify_optimality(game, values, actions))
        actions = np.where(better.any(-1), argmax(table), actions)
    raise GameError(f"policy iteration did not settle within {MAX_IMPROVEMENTS} improvements")


def _values_and_policy(game: Game) -> tuple[Array, Policy]:
    best = optimal(game)
    return best.values, best.policy


def proper_actions(game: Game) -> npt.NDArray[np.intp]:
    """Joint actions ``[..., S]`` that lead to termination from wherever it can be reached; 0 elsewhere.

    A policy to begin with where γ = 1: it is proper whenever any policy is.
    """
    follows, chosen = support(game.transition), np.argmax(game.ends, axis=-1)
    done = as_array((game.ends > 0).any(-1))
    while True:
        leads = (follows & done[..., None, None, :]).any(-1)
        fresh = leads.any(-1) & ~done
        if not fresh.any():
            break
        chosen, done = np.where(fresh, np.argmax(leads, axis=-1), chosen), done | fresh
    return np.asarray(np.where(done, chosen, 0), dtype=np.intp)


def _tolerance(game: Game, values: Array) -> float | int:
    """What float rounding can fake; nothing on rationals."""
    if game.system is not System.FLOATS:
        return 0
    return 1e-11 * max(1.0, float(np.abs(values).max()), float(np.abs(game.reward).max()))


def certify_optimality(game: Game, values: Array, actions: npt.NDArray[np.intp]) -> OptimalityCertificate:
    """Check that ``values`` are optimal and that the joint ``actions`` attain them, from the game's data alone."""
    policy = Policy.deterministic(game, actions)
    table = lookahead(game, values)
    slack = values[..., None] - table
    residual = values - np.take_along_axis(table, actions[..., None], axis=-1)[..., 0]
    start = like(np.full(game.states, Fraction(1, game.states), object), game.system)
    dual = visits(game, policy, start)
    gap = contract("...s,...s->...", np.broadcast_to(start, values.shape), values) - contract(
        "...s,...s->...", dual, induced_reward(game, policy)
    )
    tolerance = (
        _tolerance(game, values) * game.states / (1 - min(float(np.max(game.discount.astype(float))), 1 - 1e-6))
        if (game.system is System.FLOATS)
        else 0
    )
    least = like(0, slack) - tolerance
    holds = bool(
        (compare(slack, "≥", least) > 0).all()
        and (compare(np.abs(residual), "≤", -least) > 0).all()
        and (compare(dual, "≥", least) > 0).all()
        and (compare(np.abs(gap), "≤", -least) > 0).all()
    )
    return OptimalityCertificate(values, actions, dual, slack, residual, gap, float(tolerance), holds)
