"""The outer loop that the on-policy algorithms share: criticise, improve every agent, record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..arithmetic import Array
from ..errors import GameError
from ..model import Game, Policy
from ..model.features import Features, Parameters
from ..model.validation import array_of, in_system
from .critics import Critic, Iterate
from .improvement_solver import Problem, Solver
from .recording import Column, Process, Record, State, in_memory
from .trace import Trace


def agent_order(order: Sequence[int] | None, agents: int) -> tuple[int, ...]:
    """The agents (counted from 1) in the order in which they are improved within an iteration; ``1..N`` by default."""
    chosen = tuple(range(1, agents + 1)) if order is None else tuple(int(m) for m in order)
    if len(chosen) != agents or set(chosen) != set(range(1, agents + 1)):
        raise GameError(f"order = {chosen} does not name each of the agents 1..{agents} once")
    return chosen


def start_parameters(game: Game, features: Features, initial: Parameters | None) -> list[Array]:
    """``θ_0`` of every agent, ``[..., d_m]``: 0, or what is given (plain numbers join the number system of ``game``), checked."""
    if initial is None:
        return [features.zero(m, game.batch_shape) for m in range(game.agents)]
    tables = [in_system(array_of(table, f"initial[{m}]"), game.system) for m, table in enumerate(initial)]
    features.policy(tables)
    for m, table in enumerate(tables):
        if table.shape[:-1] not in ((), game.batch_shape):
            raise GameError(f"initial[{m}] has shape {table.shape}; its batch axes are not {game.batch_shape}")
    return tables


@dataclass(frozen=True, eq=False)
class Improvement(Process):
    """``θ_0 = initial`` (default 0); then ``K`` times: ``Q̂`` of ``π_{θ_k}``, and ``θ_{k+1}^m`` by ``solver`` for every agent.

    Every ``Q̂^{1:m}`` is of ``π_{θ_k}``, so the agents of one iteration do not depend on each other: the critic and each agent
    have a generator of their own, spawned from ``seed``, and any ``order`` gives the same run.  An iteration leaves behind
    ``θ_k`` and ``Q̂_k``; the state holds ``θ_k``.
    """

    game: Game
    features: Features
    iterations: int
    beta: Array
    critic: Critic
    solver: Solver
    seed: int
    radius: Any
    bound: Any
    order: tuple[int, ...]
    initial: Parameters | None

    @cached_property
    def columns(self) -> tuple[Column, ...]:  # type: ignore[override]
        """``parameters_m``, then ``values_m``, of every agent ``m``."""
        batch, kind = self.game.batch_shape, self.game.reward.dtype
        agents = range(1, self.game.agents + 1)
        parameters = zip(agents, self.features.dimensions, strict=True)
        values = zip(agents, self.features.shapes, strict=True)
        return (
            *(Column(f"parameters_{m}", (*batch, size), kind) for m, size in parameters),
            *(Column(f"values_{m}", (*batch, *shape), kind) for m, shape in values),
        )

    @property
    def shown(self) -> int:  # type: ignore[override]
        """``θ_k`` of every agent."""
        return self.game.agents

    def begin(self) -> State:
        """``θ_0`` and fresh generators."""
        first = start_parameters(self.game, self.features, self.initial)
        seeds = np.random.SeedSequence(self.seed).spawn(self.game.agents + 1)
        return State(0, self._stored(first, 0), tuple(map(np.random.default_rng, seeds)))

    def step(self, state: State) -> tuple[State, tuple[Array, ...]]:
        """Criticise, improve."""
        agents, parameters, generators = self.game.agents, state.tables, state.generators
        current = Iterate(self.game, self.policy(state))
        values = self._stored(self.critic.estimate(current, generators[0]), agents)
        problems = [
            Problem(current, self.features, m - 1, parameters[m - 1], values[m - 1], self.beta, self.radius, self.bound)
            for m in self.order
        ]
        improved = list(parameters)
        own = [generators[m] for m in self.order]
        for m, table in zip(self.order, self.solver.improve(problems, own), strict=True):
            improved[m - 1] = table
        return State(state.k + 1, self._stored(improved, 0), generators), (*parameters, *values)

    def policy(self, state: State) -> Policy:
        """``π_{θ_k}``"""
        return self.features.follow(state.tables)

    def _stored(self, tables: Sequence[Array], first: int) -> tuple[Array, ...]:
        """As the columns from ``first`` on hold them; one memory layout, so that what is read again rounds like what was not."""
        columns = self.columns[first : first + len(tables)]
        return tuple(
            np.ascontiguousarray(
                table if table.shape == column.shape else np.broadcast_to(table, column.shape), column.dtype
            )
            for table, column in zip(tables, columns, strict=True)
        )


def iterate(
    game: Game,
    features: Features,
    iterations: int,
    beta: Array,
    critic: Critic,
    solver: Solver,
    seed: int,
    algorithm: str,
    settings: Mapping[str, Any],
    radius: Any = None,
    bound: Any = None,
    order: Sequence[int] | None = None,
    initial: Parameters | None = None,
    record: Record = in_memory,
) -> Trace:
    """The trace of an :class:`Improvement`, as far as ``record`` follows it."""
    sequence = agent_order(order, game.agents)
    process = Improvement(game, features, iterations, beta, critic, solver, seed, radius, bound, sequence, initial)
    kept = record(process)
    if kept.failure:
        raise kept.failure
    values = kept.tables[game.agents :]
    for table in (*kept.paths, *values):
        table.setflags(write=False)
    return Trace(features, kept.paths, values, beta, algorithm, {**settings, "seed": seed, "order": sequence})
