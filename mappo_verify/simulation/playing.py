"""One copy of a game, played action by action: what the environments of other libraries share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..algorithms.sampling import ENDED, Generator, SamplingOracle
from ..errors import GameError
from ..model import Game
from ..model.agents import joint_index
from ..model.time_limit import TimeLimited
from ..quantities.values import start_of


class OneGame:
    """The game in floats, where it is, and how long it has been played."""

    def __init__(self, game: Game | TimeLimited, start: Any = None) -> None:
        self.limit = game.limit if isinstance(game, TimeLimited) else None
        self.game = (game.game if isinstance(game, TimeLimited) else game).floats()
        if self.game.batch_shape:
            raise GameError(f"an environment plays one game, not a batch {self.game.batch_shape}; index the batch")
        self.begin = start_of(self.game, start)
        self.state, self.time, self.over = self.game.states, 0, True

    def reset(self, generator: Generator) -> int:
        """The first state of a new episode."""
        self.oracle = SamplingOracle(self.game, generator)
        self.state, self.time, self.over = int(self.oracle.start(1, self.begin)[0]), 0, False
        return self.state

    def step(self, actions: tuple[int, ...]) -> tuple[int, float, bool, bool]:
        """What follows the agents' actions: state, reward, terminated, truncated; ``game.states`` after termination."""
        if self.over:
            raise GameError("the episode is over, or has not begun; call reset() first")
        for m, (action, size) in enumerate(zip(actions, self.game.action_sizes, strict=True), start=1):
            if not 0 <= action < size:
                raise GameError(f"agent {m} has the actions 0 to {size - 1}, not {action}")
        joint = joint_index(actions, self.game.action_sizes)
        following, reward = self.oracle.step(np.array([self.state]), np.array([joint]))
        terminated = bool(following[0] == ENDED)
        self.state, self.time = self.game.states if terminated else int(following[0]), self.time + 1
        truncated = self.time == self.limit
        self.over = terminated or truncated
        return self.state, float(reward[0]), terminated, truncated

    def mask(self, m: int) -> npt.NDArray[np.int8] | None:
        """Which actions agent ``m`` (counted from 0) has here, or None where all of them always are."""
        if self.game.available is None:
            return None
        size = self.game.action_sizes[m]
        own = np.ones(size, bool) if self.state == self.game.states else self.game.available[m][self.state]
        return own.astype(np.int8)

    def text(self) -> str:
        """Where the game is, in words."""
        names = self.game.state_names or tuple(map(str, range(self.game.states)))
        return f"step {self.time}: " + ("the end" if self.state == self.game.states else names[self.state])
