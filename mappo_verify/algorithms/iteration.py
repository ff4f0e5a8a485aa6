"""The outer loop that the on-policy algorithms share: criticise, improve every agent, record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..arithmetic import Array
from ..errors import GameError
from ..model import Game
from ..model.features import Features, Parameters
from ..model.validation import array_of, in_system
from .critics import Critic, Iterate
from .improvement_solver import Problem, Solver
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
) -> Trace:
    """``θ_0 = initial`` (default 0); then ``K`` times: ``Q̂`` of ``π_{θ_k}``, and ``θ_{k+1}^m`` by ``solver`` for every agent.

    Every ``Q̂^{1:m}`` is of ``π_{θ_k}``, so the agents of one iteration do not depend on each other: the critic and each agent
    have a generator of their own, spawned from ``seed``, and any ``order`` gives the same run.
    """
    agents, sequence = range(game.agents), agent_order(order, game.agents)
    generators = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(game.agents + 1)]
    kind = game.reward.dtype
    parameters = tuple(np.empty((iterations + 1, *game.batch_shape, d), kind) for d in features.dimensions)
    values = tuple(np.empty((iterations, *game.batch_shape, *shape), kind) for shape in features.shapes)
    first = start_parameters(game, features, initial)
    for m in agents:
        parameters[m][0] = first[m]
    for k in range(iterations):
        current = Iterate(game, features.follow([table[k] for table in parameters]))
        for m, estimate in enumerate(critic.estimate(current, generators[0])):
            values[m][k] = estimate
        problems = [
            Problem(current, features, m - 1, parameters[m - 1][k], values[m - 1][k], beta, radius, bound)
            for m in sequence
        ]
        for m, improved in zip(sequence, solver.improve(problems, [generators[m] for m in sequence]), strict=True):
            parameters[m - 1][k + 1] = improved
    for table in (*parameters, *values):
        table.setflags(write=False)
    return Trace(features, parameters, values, beta, algorithm, {**settings, "seed": seed, "order": sequence})
