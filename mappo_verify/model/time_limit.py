"""Games with a limit on the number of steps.

After ``T`` steps an episode is *truncated*: the recording stops, although the game would go on.  That is not termination, after
which nothing is earned, and it is not the effective horizon ``1/(1-γ)``.  What a truncated step is worth is up to whoever looks:
the value of the state it led to (bootstrapping), or nothing.

>>> game = Game([[[1]]], [[1]], 0.5)
>>> limited = time_limited(game, 2)
>>> limited
TimeLimited(Game(1 states, actions (1,), floats), limit=2)
>>> limited.as_game().transition[:, 0].tolist(), limited.as_game(final=[8]).reward[:, 0].tolist()
([[0.0, 1.0], [0.0, 0.0]], [1.0, 5.0])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arithmetic import Array, contract, lift, zeros
from ..arithmetic.explained import explained
from ..errors import GameError
from .game import Game
from .policy import Policy
from .validation import MAX_ENTRIES, require_count, table_for


@dataclass(frozen=True, eq=False)
class TimeLimited:
    """A game whose episodes are truncated after ``limit`` steps; make one with :func:`time_limited`.

    Parameters
    ----------
    game : Game
        The game as it would go on.
    limit : int
        ``T ≥ 1``.
    """

    game: Game
    limit: int

    def __post_init__(self) -> None:
        require_count("limit", self.limit)

    def as_game(self, final: Any = None) -> Game:
        """The same as a game without a limit, on the states ``(t, s)`` with ``t`` steps done, ``t`` slowest: ``T·S`` of them.

        The last step ends it.  With ``final`` ``[..., S]`` that step also pays ``γ Σ_s' P(s'|s, a) final(s')``, so that every
        quantity exists with the limit, bootstrapping from ``final`` or, without it, not at all.
        """
        game, times = self.game, self.limit
        states = game.states
        if times * times * game.transition.size > MAX_ENTRIES:
            raise GameError(f"{times} copies of {states} states are more than the limit of {MAX_ENTRIES} entries")
        rows = []
        for t in range(times):  # a step leads from (t, s) to (t + 1, s')
            row = [zeros(game.transition.shape, game.system) for _ in range(times)]
            if t + 1 in range(times):
                row[t + 1] = game.transition
            rows.append(np.concatenate(row, axis=-1))
        last = game.reward
        if final is not None:
            ahead = contract("...sat,...t->...sa", game.transition, self.final_of(final))
            last = last + lift(game.discount, 2) * ahead
        reward = [np.broadcast_to(game.reward, last.shape)] * (times - 1) + [last]
        start = game.start
        if start is not None:
            later = zeros((*start.shape[:-1], (times - 1) * states), game.system)
            start = np.concatenate([start, later], axis=-1)
        names = game.state_names or tuple(map(str, range(states)))
        return Game(
            np.concatenate(rows, axis=-3),
            np.concatenate(reward, axis=-2),
            game.discount,
            game.action_sizes,
            start,
            tuple(f"{name} at {t}" for t in range(times) for name in names),
            game.action_names,
            f"{game.name} with a limit of {times} steps".strip(),
            None if game.available is None else tuple(np.concatenate([mask] * times) for mask in game.available),
        )

    def policy(self, policy: Policy) -> Policy:
        """The same policy on the states ``(t, s)`` of :meth:`as_game`, whatever ``t`` is."""
        policy.require_fits(self.game)
        return Policy(tuple(np.concatenate([factor] * self.limit, axis=-3) for factor in policy.factors))

    def final_of(self, final: Any = None) -> Array:
        """What a truncated step is worth by the state it led to, ``[..., S]`` in the game's number system; 0 by default."""
        if final is None:
            return zeros(self.game.states, self.game.system)
        return table_for(self.game.system, "final", final, (self.game.states,), "[..., S]")

    def __repr__(self) -> str:
        return f"TimeLimited({self.game!r}, limit={self.limit})"


@explained
def time_limited(game: Game, limit: int) -> TimeLimited:
    """``game`` with every episode truncated after ``limit`` steps, ``limit ≥ 1``.

    Values by backward induction are :func:`mappo_verify.quantities.limited_values`; as a game on the states ``(t, s)``, for
    every other quantity, :meth:`TimeLimited.as_game`.  Not to be confused with :attr:`Game.horizon`, which is ``1/(1-γ)``.
    """
    return TimeLimited(game, limit)
