"""The environment behind :func:`~mappo_verify.simulation.environments.gymnasium_env`; importing it imports Gymnasium."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Discrete

from ..model import Game
from ..model.time_limit import TimeLimited
from .playing import OneGame

Outcome = tuple[float, int, float, bool]


class GameEnvironment(gymnasium.Env):  # type: ignore[misc]
    """A game of one agent, or one with a time limit, as a Gymnasium ``Env``."""

    metadata = {"render_modes": ["ansi"]}  # noqa: RUF012 - its interface

    def __init__(self, game: Game | TimeLimited, start: Any = None, render_mode: str | None = None) -> None:
        self.one = OneGame(game, start)
        self.render_mode = render_mode
        self._max_episode_steps = self.one.limit  # as Gymnasium's TimeLimit has it
        self.observation_space = Discrete(self.one.game.states + 1)
        self.action_space = Discrete(self.one.game.actions)

    @property
    def P(self) -> dict[int, dict[int, list[Outcome]]]:
        """``P[s][a] = [(probability, next state, reward, terminated), ...]``, as toy-text environments have it.

        Where the game ends, the next state is the state itself.
        """
        game, ends = self.one.game, self.one.game.stopping
        rows: dict[int, dict[int, list[Outcome]]] = {}
        for s in range(game.states):
            rows[s] = {}
            for a in range(game.actions):
                paid = float(game.reward[s, a])
                rows[s][a] = [(float(p), t, paid, False) for t, p in enumerate(game.transition[s, a]) if p]
                rows[s][a] += [(float(ends[s, a]), s, paid, True)] if ends[s, a] else []
        return rows

    @property
    def initial_state_distrib(self) -> npt.NDArray[np.float64]:
        """``ρ``"""
        return np.asarray(self.one.begin)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Begins an episode; a seed makes all that follows reproducible."""
        super().reset(seed=seed, options=options)
        return self.one.reset(self.np_random), self._information()

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Observation, reward, terminated, truncated, information."""
        return (*self.one.step((int(action),)), self._information())

    def render(self) -> str:
        """Where the game is, in words."""
        return self.one.text()

    def _information(self) -> dict[str, Any]:
        mask = self.one.mask(0)
        return {} if mask is None else {"action_mask": mask}
