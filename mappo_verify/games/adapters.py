"""Tabular environments of other libraries as games.

Gymnasium's toy-text environments carry their whole model: ``P[s][a] = [(probability, next state, reward, done), ...]``.
The reward is averaged, and a transition that is *done* ends the game after its reward was paid::

    r(s, a) = Σ p·reward,   P(s' | s, a) = Σ_{not done} p

>>> chain = {0: {0: [(0.5, 0, 1.0, False), (0.5, 0, 3.0, True)]}}
>>> game = from_gymnasium(chain, discount=0.9)
>>> game.transition, game.reward
(array([[[0.5]]]), array([[2.]]))
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import numpy as np

from ..arithmetic import System, floats_of, kind_of, like
from ..arithmetic.explained import explained, shown
from ..errors import GameError
from ..model import Game
from ..model.validation import ROUNDING, array_of, require_below_one, rounding_of
from .untrusted import MAX_ENTRIES

logger = logging.getLogger(__package__)


@explained
def from_gymnasium(
    env_or_P: Any,
    discount: float | Fraction,
    action_sizes: tuple[int, ...] | None = None,
    start: Any = None,
) -> Game:
    """A float64 game from a Gymnasium environment whose ``env.unwrapped.P`` is tabular, or from such a ``P`` itself.

    ``action_sizes`` factors the action set into agents, agent 1 slowest; by default there is one agent.  ``start``
    defaults to the environment's ``initial_state_distrib``, where it has one.  Call ``.exact()`` for the rationals that
    the floats are.  Raises :class:`~mappo_verify.errors.GameError` that names the entry of ``P``.

    A game has no time limit: where the environment has one, the logger ``mappo_verify.games`` says that it is dropped;
    :func:`~mappo_verify.model.time_limit.time_limited` puts it back.
    """
    environment = getattr(env_or_P, "unwrapped", env_or_P)
    table = getattr(environment, "P", None) if hasattr(env_or_P, "unwrapped") else env_or_P
    if not isinstance(table, (Mapping, Sequence)) or isinstance(table, (str, bytes)):
        raise GameError(f"{type(environment).__name__} has no table P; only tabular environments can be read")
    gamma = None if isinstance(discount, bool) else _float(discount)
    if gamma is None:
        raise GameError(f"discount {shown(discount)} is not a number; give a float, a Fraction or a Decimal")
    if isinstance(discount, (Fraction, Decimal)) and 0 <= discount <= 1:
        require_below_one(like(Fraction(discount), System.RATIONALS), gamma)
    rows = [_members(row, f"P[{state}]") for state, row in enumerate(_members(table, "P"))]
    states, actions = len(rows), len(rows[0])
    if states * states * actions > MAX_ENTRIES:
        raise GameError(f"{states} states and {actions} actions are more than the limit of {MAX_ENTRIES} entries")
    transition, reward = np.zeros((states, actions, states)), np.zeros((states, actions))
    ending = np.zeros((states, actions), bool)
    for state, row in enumerate(rows):
        if len(row) != actions:
            raise GameError(f"P[{state}] has {len(row)} actions, but P[0] has {actions}; every state needs the same")
        for action, outcomes in enumerate(row):
            place = f"P[{state}][{action}]"
            mass, rounding = 0.0, ROUNDING
            if not _outcomes(outcomes, place):
                raise GameError(f"{place} has no outcomes; one that ends is (1.0, {state}, reward, True)")
            for position, outcome in enumerate(outcomes):
                probability, target, paid, done = _outcome(outcome, f"{place}[{position}]", states)
                mass += probability
                reward[state, action] += probability * paid
                if not done:
                    transition[state, action, target] += probability
                ending[state, action] |= done and probability > 0
                rounding = max(rounding, rounding_of(outcome[0], len(outcomes)))
            if abs(mass - 1) > rounding:
                raise GameError(f"the probabilities of {place} sum to {mass}, not to 1; divide them by their sum")
            transition[state, action] /= mass
            reward[state, action] /= mass
    if start is None:
        start = getattr(environment, "initial_state_distrib", None)
    if start is not None:
        given = array_of(start, "start")
        start = floats_of(given) if kind_of(given) == "O" else start  # shorter floats are rounded as such
    spec = getattr(environment, "spec", None)
    limit = _time_limit(env_or_P)
    if limit is not None:
        message = "%s truncates episodes after %d steps, which the game does not; mv.time_limited(game, %d) does"
        logger.warning(message, getattr(spec, "id", None) or type(environment).__name__, limit, limit)
    return Game(
        transition,
        reward,
        np.asarray(gamma),
        action_sizes or (),
        start=start,
        name=str(getattr(spec, "id", None) or ""),
        ends=ending,
    )


def _time_limit(environment: Any) -> int | None:
    """After how many steps some wrapper of an environment truncates, or the environment itself."""
    layer = environment
    while layer is not None:
        limit = getattr(layer, "_max_episode_steps", None)
        if limit is not None:
            return int(limit)
        layer = vars(layer).get("env") if hasattr(layer, "__dict__") else None
    return None


def _members(table: Any, name: str) -> list[Any]:
    """The entries 0, 1, ..., n-1 of a dict or a list."""
    if not isinstance(table, (Mapping, Sequence)) or isinstance(table, (str, bytes)):
        raise GameError(f"{name} is a {type(table).__name__}; it must be a dict or a list")
    if not table:
        raise GameError(f"{name} is empty")
    if isinstance(table, Sequence):
        return list(table)
    missing = next((index for index in range(len(table)) if index not in table), None)
    if missing is not None:
        raise GameError(f"{name} has no entry {missing}; its {len(table)} keys must be 0 to {len(table) - 1}")
    return [table[index] for index in range(len(table))]


def _outcomes(outcomes: Any, place: str) -> Sequence[Any]:
    if not isinstance(outcomes, (list, tuple)):
        raise GameError(f"{place} is a {type(outcomes).__name__}; it must be a list of outcomes")
    return outcomes


def _outcome(outcome: Any, place: str, states: int) -> tuple[float, int, float, bool]:
    """One ``(probability, next state, reward, done)``, checked."""
    if not isinstance(outcome, (list, tuple)) or len(outcome) != 4:
        raise GameError(f"{place} = {outcome!r} is not (probability, next state, reward, done)")
    probability, target, paid, done = outcome
    chance, reward = _float(probability), _float(paid)
    if chance is None or not 0 <= chance <= 1:
        raise GameError(f"{place} has the probability {shown(probability)}, which is not a number in [0, 1]")
    if not isinstance(target, Integral) or not 0 <= int(target) < states:
        raise GameError(f"{place} leads to {shown(target)}, which is not a state; they are 0 to {states - 1}")
    if reward is None or not math.isfinite(reward):
        raise GameError(f"{place} pays {shown(paid)}, which is not a finite number")
    if not isinstance(done, (bool, np.bool_, int, np.integer)) or done not in (0, 1):
        raise GameError(f"{place} says {shown(done)} of whether the game ends; say True or False")
    return chance, int(target), reward, bool(done)


def _float(value: Any) -> float | None:
    """A number as the nearest float; None for what is no number, or beyond float64."""
    single = isinstance(value, np.ndarray) and not value.shape and value.dtype.kind in "iuf"
    if not (single or isinstance(value, (Real, Decimal))):
        return None
    try:
        return float(value)
    except (OverflowError, ValueError):  # a Decimal may be a signalling NaN
        return None
