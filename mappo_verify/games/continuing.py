"""Games that never end, made of games that do.

Algorithms that sample from a stationary distribution need a game that goes on.  An episodic game becomes one when its end is
the beginning of the next episode::

    P'(s' | s, a) = P(s' | s, a) + (1 - Σ_t P(t | s, a)) ρ(s')

Both states end half of the time; then the first one follows:

>>> from mappo_verify.model import Game
>>> game = Game([[[0, 0.5]], [[0, 0.5]]], [[0], [1]], 0.9, start=[1, 0])
>>> restarted(game).transition[1]
array([[0.5, 0.5]])
>>> restarted(game).terminates()
False
"""

from __future__ import annotations

from dataclasses import replace

from ..arithmetic import System
from ..arithmetic.explained import explained
from ..errors import GameError
from ..model import Game


@explained
def restarted(game: Game) -> Game:
    """The game in which termination leads back to the start distribution ``ρ``; a batch game by game.

    Rewards, discount, start and names stay the same.  Values do not: after an end the next episode begins, so with discount 1
    there are no values any more (``game.with_discount(...)`` changes it).  A game without termination keeps its numbers.

    Raises
    ------
    GameError
        Without a start distribution, and for balls and symbols, which cannot tell what is missing from a row: restart the
        exact game and convert that.
    """
    if game.system not in (System.FLOATS, System.RATIONALS):
        raise GameError(
            f"how much a row of P misses cannot be told from {game.system.value}; restart the exact game, then convert it"
        )
    if game.start is None:
        raise GameError("to start again a game needs a start distribution; use game.with_start(...), shape [..., S]")
    again = game.stopping[..., None] * game.start[..., None, None, :]
    return replace(
        game, ends=None, transition=game.transition + again, name=f"{game.name}, restarted" if game.name else ""
    )
