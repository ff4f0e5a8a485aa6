"""Certified values of games of floats: bounds that contain the exact number.

Floats are rationals, so a game of floats has exact values: those of ``game.exact()``.  Here they are enclosed.  Rows of ``P``
that sum to 1 up to rounding are divided by their sum, the chain is solved without a subtraction (:mod:`..arithmetic.absorbing`),
and each number carries a radius made of the numbers that went into it, so a huge reward elsewhere widens nothing.

>>> import mappo_verify as mv
>>> game = mv.Game([[[1.0], [1.0]]], [[1.0, 0.0]], 1 - 1e-12)
>>> low, high = value_bounds(game, mv.Policy.uniform(game))
>>> bool(((high - low) / high < 1e-14).all())
True
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import Array, System, choose, compare, floats_of, is_sparse, largest, like, maximum, solve
from ..arithmetic.absorbing import solve_absorbing
from ..arithmetic.explained import explained
from ..errors import GameError
from ..model import Game, Policy
from ..model.agents import at_actions
from ..model.trees import hidden
from ..model.validation import unchecked
from .chain import induced_reward, induced_transition
from .values import lookahead, state_values, stopping_of

ELIMINATED = 48
"""Up to so many states, chains are eliminated; above, solved in floats and verified, which is less sharp near ``γ = 1``."""
EXACT_WORK = 3_000_000
"""How much exact arithmetic a float answer may cost, in units of :func:`work`: about a second."""

Floats = npt.NDArray[np.float64]


def work(states: int, actions: int, count: int = 1) -> int:
    """What exact values of so many games cost: their numbers grow with the number of states."""
    return count * (states**2 * (states**2 + actions) + 1_000)


@explained
def value_bounds(game: Game, policy: Policy) -> tuple[Floats, Floats]:
    """``(low, high)``, each ``[..., S]``, with ``low ≤ V_π ≤ high`` for the exact values of a game and a policy of floats.

    Infinite where nothing is known.  Raises :class:`~mappo_verify.errors.GameError` in other number systems.
    """
    policy.require_fits(game)
    if game.system is not System.FLOATS:
        raise GameError(f"bounds of rounded values are for floats; in {game.system.value}, call state_values()")
    if is_sparse(game.transition):
        raise GameError(
            "bounds of each value need a dense transition; of a sparse game, certified_values() bounds them together"
        )
    state_values(game, policy)  # says where there are none
    batch = np.broadcast_shapes(game.batch_shape, policy.batch_shape)
    return bounds_of(enclosed_values(*enclosed(game, policy, batch)), batch)


def enclosed(game: Game, policy: Policy, batch: tuple[int, ...]) -> tuple[Game, Policy]:
    """Both as enclosures of what they are exactly: rows that sum to 1 up to rounding are divided by their sum."""
    own = unchecked(
        Game,
        **{
            **{name: getattr(game, name) for name in ("action_sizes", "state_names", "action_names", "name", "system")},
            "transition": np.broadcast_to(game.transition, batch + game.transition.shape[-3:]),
            "reward": np.broadcast_to(game.reward, batch + game.reward.shape[-2:]),
            "discount": np.broadcast_to(game.discount, batch),
            "ends": np.broadcast_to(game.ends, batch + game.ends.shape[-2:]),
            "start": None,
        },
    )
    factors = tuple(np.broadcast_to(factor, batch + factor.shape[-3:]) for factor in policy.factors)
    one = hidden(own, System.ENCLOSURES, 0)
    rows = one.transition
    object.__setattr__(one, "transition", choose(one.ends[..., None], rows, rows / rows.sum(-1, keepdims=True)))
    mixed = hidden(unchecked(Policy, factors=factors, system=policy.system), System.ENCLOSURES, 0)
    object.__setattr__(mixed, "factors", tuple(factor / factor.sum(-1, keepdims=True) for factor in mixed.factors))
    return one, mixed


def enclosed_values(game: Game, policy: Policy) -> Array:
    """``V_π`` of what :func:`enclosed` returned."""
    onward, reward = game.discount * induced_transition(game, policy), induced_reward(game, policy)
    leaving = like(1, game.system) - game.discount + game.discount * stopping_of(game, policy)
    if game.states <= ELIMINATED:
        return solve_absorbing(onward, leaving, reward)
    identity = like(np.eye(game.states, dtype=np.int8), game.system)
    return solve(identity - onward, reward[..., None])[..., 0]


def bounds_of(values: Any, batch: tuple[int, ...]) -> tuple[Floats, Floats]:
    """The ends of enclosures, with the batch in front again; infinite where nothing is known."""
    from ..arithmetic.enclosures import bounds

    def plain(part: Floats) -> Floats:
        wide = np.broadcast_to(part, (*part.shape[:-1], prod(batch)))
        return np.moveaxis(wide, -1, 0).reshape(batch + part.shape[:-1]).copy()

    low, high = bounds(values._parts)
    return plain(low), plain(high)


@dataclass(frozen=True, eq=False)
class Comparison:
    """How the joint actions of a deterministic policy compare with all others, by its own values.

    ``low ≤ V_π ≤ high`` ``[..., S]``; ``advantage`` ``A_π(s, a)`` ``[..., S, A]``, its sign certified where ``decided``;
    ``excess`` ``[...]`` is at least every advantage of the game, and 0.
    """

    low: Floats
    high: Floats
    advantage: Floats
    decided: npt.NDArray[np.bool_]
    excess: Array


def compared(game: Game, actions: npt.NDArray[np.intp]) -> Comparison:
    """Which joint actions are better than those of a policy, and which are not, for floats.

    By enclosures first; the games in which a sign stays open are decided by rationals, if that costs a second at most.
    """
    batch = game.batch_shape
    policy = Policy.deterministic(game, actions)
    one, mixed = enclosed(game, policy, batch)
    values = enclosed_values(one, mixed)
    low, high = bounds_of(values, batch)
    least, most = bounds_of(lookahead(one, values) - values[..., None], batch)
    same = _same_rows(game, actions)
    least, most = np.where(same, 0.0, least), np.where(same, 0.0, most)
    with np.errstate(invalid="ignore"):
        advantage = np.where(np.isfinite(least) & np.isfinite(most), 0.5 * least + 0.5 * most, 0.0)
    decided = (compare(least, ">", 0.0) > 0) | (compare(most, "≤", 0.0) > 0)
    open_games = ~decided.all((-2, -1)) | ~np.isfinite(high - low).all(-1)
    count = int(np.count_nonzero(open_games))
    if count and work(game.states, game.actions, count) <= EXACT_WORK:
        exact = (game[open_games] if batch else game).exact()
        chosen = Policy.deterministic(exact, actions[open_games] if batch else actions)
        own = state_values(exact, chosen)
        gained = lookahead(exact, own) - own[..., None]
        signs = compare(gained, ">", like(0, gained)) - compare(gained, "<", like(0, gained))
        size = np.abs(floats_of(gained))
        rounded = floats_of(own)
        advantage[open_games] = np.sign(signs) * np.where(size == 0, np.finfo(float).tiny, size)
        decided[open_games] = True
        low[open_games], high[open_games] = np.nextafter(rounded, -np.inf), np.nextafter(rounded, np.inf)
        most[open_games] = np.where(signs > 0, np.nextafter(size, np.inf), 0.0)
    return Comparison(low, high, advantage, decided, largest(maximum(most, 0.0), (-2, -1)))


def _same_rows(game: Game, actions: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Actions that do and pay exactly what the chosen one does, ``[..., S, A]``: their advantage is exactly 0."""
    transition = floats_of(game.transition)
    move = np.take_along_axis(transition, actions[..., None, None], axis=-2)
    same: npt.NDArray[np.bool_] = (transition == move).all(-1) & (game.reward == at_actions(game.reward, actions))
    return same
