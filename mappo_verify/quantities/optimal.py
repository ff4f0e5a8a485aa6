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

from ..arithmetic import (
    Array,
    System,
    absolute,
    argmax,
    as_array,
    compare,
    identity_minus,
    is_hidden,
    like,
    module_of,
    rows_at,
    solve,
    support,
)
from ..arithmetic.numbers import bare
from ..arithmetic.one_instance import refuse
from ..errors import GameError, SingularError
from ..model import Game, Policy
from ..model.instances import instance_by_instance
from .distributions import visits
from .values import lookahead, state_values

MAX_IMPROVEMENTS = 1_000
NOISE = 1e-11
"""What float rounding can fake, relative to the largest value or reward."""


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
    if _is_plain(game):
        found = module_of(System.FLOATS).policy_iteration(
            game.transition, game.reward, float(game.discount), NOISE, MAX_IMPROVEMENTS
        )
        if found is not None:
            actions, values, table, dual = found
            certificate = _certificate(game, values, actions, table, dual)
            return Optimum(values, Policy.deterministic(game, actions), actions, certificate)
    if start is not None:
        actions = start
    elif _discounted(game):
        actions = np.zeros(game.reward.shape[:-1], np.intp)
    else:
        actions = proper_actions(game)
    for _ in range(MAX_IMPROVEMENTS):
        values = _values_of(game, actions)
        table = lookahead(game, values)
        gain = table - _at(table, actions)[..., None]
        better = compare(gain, ">", like(0, gain) + _tolerance(game, values)) > 0
        if not better.any():
            certificate = _certificate(game, values, actions, table)
            return Optimum(values, Policy.deterministic(game, actions), actions, certificate)
        actions = np.where(better.any(-1), argmax(table), actions)
    raise GameError(f"policy iteration did not settle within {MAX_IMPROVEMENTS} improvements")


def _values_and_policy(game: Game) -> tuple[Array, Policy]:
    best = optimal(game)
    return best.values, best.policy


def _is_plain(game: Game) -> bool:
    """A single, dense game over floats that every policy is proper for."""
    single = game.system is System.FLOATS and not game.batch_shape and isinstance(game.transition, np.ndarray)
    return single and _discounted(game)


def _discounted(game: Game) -> bool:
    """Whether every policy is proper because γ < 1."""
    return bool((compare(game.discount, "<", like(1, game.discount)) > 0).all())


def _at(table: Array, actions: npt.NDArray[np.intp]) -> Array:
    """``f(s, a(s))``, ``[..., S]``."""
    return np.asarray(np.take_along_axis(np.asarray(table), actions[..., None], axis=-1)[..., 0])


def _values_of(game: Game, actions: npt.NDArray[np.intp]) -> Array:
    """The values of a deterministic policy."""
    if not _discounted(game):
        return state_values(game, Policy.deterministic(game, actions))
    return solve(_matrix_of(game, actions), _at(game.reward, actions)[..., None])[..., 0]


def _matrix_of(game: Game, actions: npt.NDArray[np.intp]) -> Array:
    """``I - γ P_π`` of a deterministic policy."""
    return identity_minus(game.discount, rows_at(game.transition, actions))


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
    return NOISE * max(1.0, float(np.abs(values).max()), float(np.abs(game.reward).max()))


def _uniform(states: int, system: System) -> Array:
    """The uniform start."""
    if system is System.FLOATS:
        return np.full(states, 1 / states)
    return like(np.full(states, Fraction(1, states), object), system)


def certify_optimality(game: Game, values: Array, actions: npt.NDArray[np.intp]) -> OptimalityCertificate:
    """Check that ``values`` are optimal and that the joint ``actions`` attain them, from the game's data alone."""
    return _certificate(game, values, actions, lookahead(game, values))


def _certificate(
    game: Game, values: Array, actions: npt.NDArray[np.intp], table: Array, dual: Array | None = None
) -> OptimalityCertificate:
    """:func:`certify_optimality`, where ``r + γPv`` is known, and perhaps the dual visits."""
    slack = values[..., None] - table
    residual = values - _at(table, actions)
    start = np.broadcast_to(_uniform(game.states, game.system), values.shape)
    if dual is not None:
        pass
    elif _discounted(game):
        dual = solve(_matrix_of(game, actions).swapaxes(-1, -2), start[..., None])[..., 0]
    else:
        dual = visits(game, Policy.deterministic(game, actions), start)
    gap = as_array((start * values).sum(-1) - (dual * _at(game.reward, actions)).sum(-1))
    tolerance = (
        _tolerance(game, values) * game.states / (1 - min(float(np.max(game.discount.astype(float))), 1 - 1e-6))
        if (game.system is System.FLOATS)
        else 0
    )
    at_least_0 = (slack, -absolute(residual), dual, -absolute(gap))  # but for rounding
    worst = np.concatenate([np.asarray(part).reshape(-1) for part in at_least_0])
    holds = bool((compare(worst, "≥", like(0, slack) - tolerance) > 0).all())
    return OptimalityCertificate(values, actions, dual, slack, residual, gap, float(tolerance), holds)
