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
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import (
    Array,
    System,
    argmax,
    certainly_equal,
    compare,
    contract,
    floats_of,
    is_hidden,
    is_sparse,
    largest,
    lift,
    like,
    support,
    zeros,
)
from ..arithmetic.explained import explained
from ..arithmetic.functions import true_everywhere
from ..arithmetic.numbers import bare
from ..arithmetic.one_instance import refuse
from ..errors import ExactnessError, GameError, SingularError
from ..model import Game, Policy
from ..model.agents import at_actions
from ..model.instances import instance_by_instance
from ..model.validation import plain_array
from .certified import Comparison, compared
from .chain import induced_reward
from .distributions import visits
from .residuals import bellman_error
from .values import lookahead, solve_bellman, state_values

MAX_IMPROVEMENTS = 1_000
ROUNDING = 2.0**-40
"""Of the sizes of the numbers added up in an entry: differences of floats below this may be rounding."""
SPARSE_ROUNDING = 2.0**-30
"""Of the largest size: what the certified error of a sparse game may be, where nothing is eliminated."""
SMALLEST = 1e-300
"""Around here floats lose digits, however they are computed."""


@dataclass(frozen=True, eq=False)
class OptimalityCertificate:
    """Primal and dual solutions of the game's linear programme, and what checking them found.

    ``gap`` is the duality gap ``Σ ρ v - Σ d r_π`` from the uniform start, ``slack`` is ``v - (r + γPv)`` at every state and
    action.  On rationals both are exact, and ``holds`` means that they are right.

    ``error`` ``[..., S]`` bounds how far the values, and those of the actions, are from ``V_*``; it is 0 on rationals.  On floats
    it is certain, for the exact numbers that the floats are, and ``holds`` means that it is rounding: at most ``2⁻⁴⁰`` of the
    sizes added up in the entry.  Where the actions may not be optimal, it includes ``excess/(1-γ)``, with the largest advantage
    that is not excluded.  ``slack`` is that of the exact values, rounded.
    Of sparse games, ``error`` is one bound for all states, from residuals; ``holds`` means at most ``2⁻³⁰`` of the largest size.
    """

    values: Array
    actions: npt.NDArray[np.intp]
    dual_visits: Array
    slack: Array
    residual: Array
    gap: Array
    error: Array
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


@explained
def optimal(game: Game) -> Optimum:
    """The optimal values and an optimal deterministic joint policy, by policy iteration.

    Exact on rationals (where float policy iteration goes first and only saves work).  On floats, comparisons are certified by
    enclosures, and by rationals where those leave a sign open and that takes a second at most; where it would take longer,
    ``certificate.error`` says how much the actions may miss, and ``certificate.holds`` whether that is rounding.  Where γ = 1,
    the policy is optimal among those that end.

    Raises :class:`~mappo_verify.errors.SingularError` where γ = 1 and some policy on the way never terminates, and
    :class:`~mappo_verify.errors.GameError` on balls and symbols: optimise the exact game instead.
    """
    if bare(game.system) not in (System.FLOATS, System.RATIONALS):
        raise GameError(f"optimal() needs floats or rationals, not {game.system.value}; call it before .balls()")
    if is_hidden((game.transition,)):
        return Optimum(*instance_by_instance(values_and_policy, game))
    if game.system is System.FLOATS:
        return _optimal_floats(game)
    try:
        start = _settled(game.floats(), proper_actions(game))
    except (SingularError, ExactnessError):
        start = proper_actions(game)
    actions = _settled(game, start)
    values = state_values(game, Policy.deterministic(game, actions))
    return Optimum(values, Policy.deterministic(game, actions), actions, certify_optimality(game, values, actions))


def _settled(game: Game, actions: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Policy iteration from ``actions`` until nothing is better; on floats, better by more than rounding of the entry."""
    for _ in range(MAX_IMPROVEMENTS):
        policy = Policy.deterministic(game, actions)
        try:
            table = lookahead(game, state_values(game, policy))
        except SingularError as error:
            lasting = certainly_equal(game.discount, like(1, game.discount)).any()
            raise SingularError(
                f"no optimum{' among policies that end' if lasting else ''} was found: {error}"
            ) from None
        gain = table - at_actions(table, actions)
        better = compare(gain, ">", _rounding(game, policy, actions)) > 0
        if not better.any():
            return actions
        actions = np.where(better.any(-1), allowed(game, argmax(table)), actions)
    raise GameError(f"policy iteration did not settle within {MAX_IMPROVEMENTS} improvements")


def _rounding(game: Game, policy: Policy, actions: npt.NDArray[np.intp]) -> Array:
    """What rounding may fake at each state and action, from the sizes of what was added there; 0 on rationals."""
    if game.system is not System.FLOATS:
        return like(0, game.system)
    reached = solve_bellman(game, policy, np.abs(induced_reward(game, policy)))
    sizes = np.abs(game.reward) + lift(game.discount, 2) * contract("...sat,...t->...sa", game.transition, reached)
    with np.errstate(over="ignore"):  # beyond float64 nothing is better here, and enclosures decide
        faked: Array = ROUNDING * (sizes + np.take_along_axis(sizes, actions[..., None], axis=-1))
    return faked


def _optimal_floats(game: Game) -> Optimum:
    if is_sparse(game.transition):
        return _optimal_sparse(game)
    if not game.batch_shape:
        at_once = _certified_at_once(game)
        if at_once is not None:
            return at_once
    actions = _settled(game, proper_actions(game))
    for _ in range(MAX_IMPROVEMENTS):
        found = compared(game, actions)
        better = found.decided & (compare(found.advantage, ">", 0.0) > 0)
        if not better.any():
            values = _inside(state_values(game, Policy.deterministic(game, actions)), found)
            return Optimum(
                values, Policy.deterministic(game, actions), actions, _certificate(game, values, actions, found)
            )
        best = argmax(np.where(better, found.advantage, -np.inf))
        actions = np.where(better.any(-1), allowed(game, best), actions)
    raise GameError(f"policy iteration did not settle within {MAX_IMPROVEMENTS} improvements")


def _certified_at_once(game: Game) -> Optimum | None:
    """One game by floats and a bound of their errors; None where signs stay open or values are not sharp."""
    from ..arithmetic.certified_iteration import certified_iteration

    transition, reward = floats_of(game.transition), floats_of(game.reward)
    found = certified_iteration(transition, reward, float(game.discount), game.ends, ROUNDING)
    if found is None:
        return None
    actions = allowed(game, found.actions)
    certificate = OptimalityCertificate(
        found.values, actions, found.dual, -found.advantage, found.residual, found.gap, found.error, True
    )
    return Optimum(found.values, Policy.deterministic(game, actions), actions, certificate)


def _optimal_sparse(game: Game) -> Optimum:
    discounted = true_everywhere(compare(game.discount, "<", like(1, game.discount)))
    actions = _settled(game, np.zeros(game.states, np.intp) if discounted else proper_actions(game))
    policy = Policy.deterministic(game, actions)
    values = state_values(game, policy)
    return Optimum(values, policy, actions, _sparse_certificate(game, values, actions))


def _sparse_certificate(game: Game, values: Array, actions: npt.NDArray[np.intp]) -> OptimalityCertificate:
    """Of a sparse game: the Bellman residuals bound the error of the values, and what the actions miss."""
    policy = Policy.deterministic(game, actions)
    dual, residual, gap = _dual(game, values, actions)
    error = np.full(game.states, bellman_error(game, values).error + bellman_error(game, values, policy).error)
    sizes = solve_bellman(game, policy, np.abs(induced_reward(game, policy)))
    holds = bool((compare(error, "≤", SPARSE_ROUNDING * float(largest(sizes, -1)) + SMALLEST) > 0).all())
    slack = values[..., None] - lookahead(game, values)
    return OptimalityCertificate(values, actions, dual, slack, residual, gap, error, holds)


def _inside(values: Array, found: Comparison) -> Array:
    """The values, moved into their certain bounds where those are finite."""
    with np.errstate(invalid="ignore"):
        middle = 0.5 * found.low + 0.5 * found.high
    return np.where(np.isfinite(middle), middle, values)


@explained
def values_and_policy(game: Game) -> tuple[Array, Policy]:
    """Optimal values and a policy of plain numbers; of floats nothing is certified."""
    if game.system is not System.FLOATS:
        best = optimal(game)
        return best.values, best.policy
    policy = Policy.deterministic(game, _settled(game, proper_actions(game)))  # floats explore, so nothing is certified
    return state_values(game, policy), policy


def proper_actions(game: Game) -> npt.NDArray[np.intp]:
    """Joint actions ``[..., S]`` that lead to termination from wherever it can be reached; 0 elsewhere.

    A policy to begin with where γ = 1: it is proper whenever any policy is.
    """
    follows, chosen = support(game.transition), np.argmax(game.ends, axis=-1)
    done = (game.ends > 0).any(-1)
    while True:
        leads = (follows & done[..., None, None, :]).any(-1)
        fresh = leads.any(-1) & ~done
        if not fresh.any():
            break
        chosen, done = np.where(fresh, np.argmax(leads, axis=-1), chosen), done | fresh
    return allowed(game, np.where(done, chosen, 0))


def allowed(game: Game, actions: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """The available joint actions ``[..., S]`` that these are, or are copies of."""
    if game.available is None:
        return actions.astype(np.intp, copy=False)
    available: npt.NDArray[np.intp] = game.substitutes[np.arange(game.states), actions]
    return available


@explained
def certify_optimality(game: Game, values: Array, actions: npt.NDArray[np.intp]) -> OptimalityCertificate:
    """Check that ``values`` are optimal and that the joint ``actions`` attain them, from the game's data alone."""
    actions = plain_array(actions, "actions")
    if is_sparse(game.transition):
        return _sparse_certificate(game, values, actions)
    if game.system is System.FLOATS:
        return _certificate(game, values, actions, compared(game, actions))
    table = lookahead(game, values)
    slack = values[..., None] - table
    dual, residual, gap = _dual(game, values, actions)
    nothing = like(0, slack)
    checks = [(slack, "≥"), (residual, "="), (dual, "≥"), (gap, "=")]
    holds = all(true_everywhere(compare(found, relation, nothing)) for found, relation in checks)
    return OptimalityCertificate(values, actions, dual, slack, residual, gap, zeros(values.shape, game.system), holds)


def _dual(game: Game, values: Array, actions: npt.NDArray[np.intp]) -> tuple[Array, Array, Array]:
    """The visits of the policy from the uniform start, the residual ``v - (r + γPv)`` of its actions, and the duality gap."""
    policy = Policy.deterministic(game, actions)
    table = lookahead(game, values)
    residual = values - at_actions(table, actions)[..., 0]
    start = like(np.full(game.states, Fraction(1, game.states), object), game.system)
    dual = visits(game, policy, start)
    earned = contract("...s,...s->...", dual, induced_reward(game, policy))
    return dual, residual, contract("...s,...s->...", np.broadcast_to(start, values.shape), values) - earned


def _certificate(game: Game, values: Array, actions: npt.NDArray[np.intp], found: Comparison) -> OptimalityCertificate:
    """Of floats: the signs are certified, and the values lie within rounding of their certain bounds."""
    dual, residual, gap = _dual(game, values, actions)
    policy = Policy.deterministic(game, actions)
    sizes = solve_bellman(game, policy, np.abs(induced_reward(game, policy)))
    with np.errstate(invalid="ignore", divide="ignore"):
        short = np.where(found.excess == 0, 0.0, found.excess / (1 - game.discount) * (1 + 2.0**-50))
        off = np.maximum(np.abs(values - found.low), np.abs(values - found.high)) * (1 + 2.0**-50)
    error = off + short[..., None]
    holds = bool((compare(error, "≤", ROUNDING * sizes + SMALLEST) > 0).all())
    return OptimalityCertificate(values, actions, dual, -found.advantage, residual, gap, error, holds)
