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
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import numpy as np

from ..arithmetic.explained import explained
from ..errors import GameError
from ..model import Game
from ..model.validation import ROUNDING, rounding_of
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
    if isinstance(discount, bool) or not isinstance(discount, Real):
        raise GameError(f"discount {discount!r} is not a number")
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
            for position, outcome in enumerate(_outcomes(outcomes, place)):
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
    try:
        start = None if start is None else np.asarray(start, dtype=np.float64)
    except (TypeError, ValueError):
        raise GameError(f"start {start!r} is not a list of {states} probabilities") from None
    spec = getattr(environment, "spec", None)
    limit = _time_limit(env_or_P)
    if limit is not None:
        message = "%s truncates episodes after %d steps, which the game does not; mv.time_limited(game, %d) does"
        logger.warning(message, getattr(spec, "id", None) or type(environment).__name__, limit, limit)
    return Game(
        transition,
        reward,
        np.asarray(float(discount)),
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
    if not isinstance(probability, Real) or not 0 <= float(probability) <= 1:
        raise GameError(f"{place} has the probability {probability!r}, which is not in [0, 1]")
    if not isinstance(target, Integral) or not 0 <= int(target) < states:
        raise GameError(f"{place} leads to {target!r}, which is not a state; they are 0 to {states - 1}")
    if not isinstance(paid, Real) or not math.isfinite(paid):
        raise GameError(f"{place} pays {paid!r}, which is not a finite number")
    return float(probability), int(target), float(paid), bool(done)
