"""The environment behind :func:`~mappo_verify.simulation.environments.parallel_env`; importing it imports PettingZoo."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Discrete
from pettingzoo import ParallelEnv

from ..errors import GameError
from ..model import Game
from ..model.time_limit import TimeLimited
from .playing import OneGame

PerAgent = dict[str, Any]


class GameParallelEnvironment(ParallelEnv):  # type: ignore[misc]
    """A game, or one with a time limit, as a PettingZoo ``ParallelEnv``."""

    metadata = {"name": "mappo_verify_game", "render_modes": ["ansi"], "is_parallelizable": True}  # noqa: RUF012 - its interface
    render_mode = "ansi"

    def __init__(self, game: Game | TimeLimited, start: Any = None) -> None:
        self.one = OneGame(game, start)
        self.possible_agents = [f"agent_{m}" for m in range(1, self.one.game.agents + 1)]
        self.agents: list[str] = []
        sizes = zip(self.possible_agents, self.one.game.action_sizes, strict=True)
        self.action_spaces = {agent: Discrete(size) for agent, size in sizes}
        self.observation_spaces = {agent: Discrete(self.one.game.states + 1) for agent in self.possible_agents}
        self.state_space = Discrete(self.one.game.states + 1)
        self._generator = np.random.default_rng()

    def observation_space(self, agent: str) -> Discrete:
        """States, and the end."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete:
        """The agent's own actions."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: PerAgent | None = None) -> tuple[PerAgent, PerAgent]:  # noqa: ARG002
        """Begins an episode; a seed makes all that follows reproducible."""
        if seed is not None:
            self._generator = np.random.default_rng(seed)
        self.agents = list(self.possible_agents)
        self.one.reset(self._generator)
        return self._of_all(self.one.state), self._information()

    def step(self, actions: PerAgent) -> tuple[PerAgent, PerAgent, PerAgent, PerAgent, PerAgent]:
        """Observations, rewards, terminations, truncations and information of every agent."""
        missing = [agent for agent in self.agents if agent not in actions]
        if missing:
            raise GameError(f"no action was given for {', '.join(missing)}")
        state, reward, terminated, truncated = self.one.step(tuple(int(actions[a]) for a in self.possible_agents))
        result = tuple(self._of_all(value) for value in (state, reward, terminated, truncated))
        information = self._information()
        if self.one.over:
            self.agents = []
        return (*result, information)  # type: ignore[return-value]

    def state(self) -> npt.NDArray[np.int64]:
        """The state, an integer, as an array without axes."""
        return np.asarray(self.one.state, dtype=np.int64)

    def render(self) -> str:
        """Where the game is, in words."""
        return self.one.text()

    def close(self) -> None:
        """Nothing is open."""

    def _of_all(self, value: Any) -> PerAgent:
        return dict.fromkeys(self.agents, value)

    def _information(self) -> PerAgent:
        masks = [self.one.mask(m) for m in range(len(self.possible_agents))]
        return {a: {} if mask is None else {"action_mask": mask} for a, mask in zip(self.agents, masks, strict=True)}
