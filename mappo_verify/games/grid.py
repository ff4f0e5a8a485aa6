"""Coordination on a grid, with any number of agents: a family that scales, as sparse games.

``N`` agents walk on ``W·H`` cells.  Each stays or steps up, down, left or right; a step fails with probability ``slip``, and at
the border the agent stays.  All are paid 1 for every step that they spend together on the last cell; each pays ``1/(10N)`` for
a move.  There are ``(W·H)^N`` states, ``5^N`` joint actions and at most ``2^N`` successors.

>>> game = grid_coordination(3, 2, agents=2)
>>> game.states, game.actions, game.transition
(36, 25, SparseRows((36, 25, 36), 1936 stored))
"""

from __future__ import annotations

import re
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import GameError
from ..model import Game
from .untrusted import shown

MOVES = ((0, 0), (0, -1), (0, 1), (-1, 0), (1, 0))
MOVE_NAMES = ("stay", "up", "down", "left", "right")
MAX_ROWS = 200_000_000
"""States times joint actions of the largest game that is made."""


def grid_coordination(width: int, height: int, agents: int = 2, slip: float = 0.125, discount: float = 0.99) -> Game:
    """``agents`` that meet on the last cell of a ``width``x``height`` grid; a sparse game over floats, from a uniform start."""
    cells = width * height
    if width < 1 or height < 1 or agents < 1 or not 0 <= slip <= 1:
        raise GameError(
            f"a grid needs width, height and agents ≥ 1 and slip in [0, 1], not {(width, height, agents, slip)}"
        )
    if (cells * len(MOVES)) ** agents > MAX_ROWS:
        raise GameError(
            f"{agents} agents on {cells} cells have {float(cells * len(MOVES)) ** agents:.2g} pairs of state and joint action, "
            f"more than {MAX_ROWS}"
        )
    states, own = cells**agents, len(MOVES)
    together = reduce(_kron, [_walk(width, height, slip)] * agents)  # rows (s_1, a_1, ..., s_N, a_N)
    order = np.arange((cells * own) ** agents).reshape((cells, own) * agents)
    rows = order.transpose([2 * m for m in range(agents)] + [2 * m + 1 for m in range(agents)]).reshape(-1)
    moves = sum((np.indices((own,) * agents).reshape(agents, -1) > 0), np.zeros(own**agents))
    reward = np.tile(-moves / (10 * agents), (states, 1))
    reward[-1] += 1
    return Game(
        together[rows],
        reward,
        np.array(discount),
        (own,) * agents,
        start=np.full(states, 1 / states),
        action_names=(MOVE_NAMES,) * agents,
        name=f"grid:{width}x{height}x{agents}",
    )


def _kron(left: Any, right: Any) -> Any:
    import scipy.sparse as sp

    return sp.kron(left, right, format="csr")


def _walk(width: int, height: int, slip: float) -> Any:
    """One agent's ``P(s'|s, a)`` as a matrix ``[cells·5, cells]``; cell ``(x, y)`` is ``y·width + x``."""
    import scipy.sparse as sp

    y, x = np.divmod(np.arange(width * height), width)

    def to(dx: int, dy: int) -> npt.NDArray[np.intp]:
        return np.asarray(np.clip(y + dy, 0, height - 1) * width + np.clip(x + dx, 0, width - 1))

    reached = np.stack([to(dx, dy) for dx, dy in MOVES], axis=-1).reshape(-1)
    stayed = np.repeat(np.arange(width * height), len(MOVES))
    rows = np.arange(len(reached))
    chances = np.concatenate([np.full(len(rows), 1 - slip), np.full(len(rows), slip)])
    places = np.concatenate([rows, rows]), np.concatenate([reached, stayed])
    matrix = sp.csr_array(sp.coo_array((chances, places), shape=(len(rows), width * height)))
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def grid_by_name(argument: str) -> Game:
    """``grid:WIDTHxHEIGHTxAGENTS``"""
    match = re.fullmatch(r"(\d{1,4})x(\d{1,4})(?:x(\d{1,2}))?", argument)
    if not match:
        raise GameError(
            f"{shown('grid:' + argument)} is not grid:WIDTHxHEIGHTxAGENTS, for instance grid:10x10x2, with at most 9999 cells a "
            "side and 99 agents"
        )
    return grid_coordination(int(match[1]), int(match[2]), int(match[3] or 2))
