"""The outer loop that the on-policy algorithms share: criticise, improve every agent, record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from ..arithmetic import Array, constant, like, system_of
from ..arithmetic.explained import over_arrays
from ..errors import GameError
from ..model import Game, Policy
from ..model.features import Features, Parameters
from ..model.validation import array_of, in_system, require_count, require_positive, require_seed
from .critics import Critic, ExactCritic
from .current_policy import CurrentPolicy
from .projection_step import Solver, Subproblem
from .recording import Column, Process, Record, State, in_memory
from .trace import Trace


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


def positive_number(game: Game, name: str, value: Any) -> Array:
    """A positive number, or one per game of a batch, in the number system of ``game``; integers and Fractions join any."""
    require_positive(name, value)
    simple = isinstance(value, (int, Fraction))
    number = like(value, game.system) if simple else in_system(array_of(value, name), game.system)
    if system_of(number) is not game.system:
        raise GameError(f"{name} is in {system_of(number).value}, the game in {game.system.value}; convert one")
    if number.ndim and number.shape != game.batch_shape:
        raise GameError(f"{name} has shape {number.shape}; it needs one number, or the batch shape {game.batch_shape}")
    return number


@over_arrays
def inverse_step(game: Game, step: Any) -> Array:
    """``β = 1/η`` for a step ``η > 0``, a number or one per game of the batch."""
    return constant(1, game.system) / positive_number(game, "the step η", step)


@dataclass(frozen=True, eq=False)
class Improvement(Process):
    """``θ_0 = initial``; then ``K`` times: ``Q̂`` of ``π_{θ_k}``, and ``θ_{k+1}^m`` by ``solver`` for every agent.

    Every ``Q̂^{1:m}`` is of ``π_{θ_k}``, so the agents of one iteration do not depend on each other: the critic and each agent
    have a generator of their own, spawned from ``seed``, so the order of the agents does not matter.  An iteration leaves behind
    ``θ_k`` and ``Q̂_k``; the state holds ``θ_k``.  :meth:`run` follows it to its end.

    Attributes
    ----------
    algorithm : str
        The name that the trace carries.
    game : Game
        A batch runs in parallel.
    features : Features
        What the parameters mean.
    iterations : int
        ``K ≥ 1``.
    beta : Array
        ``β_k``, the same in every iteration: a number, or one per game of the batch.
    solver : Solver
        How an agent's parameters move.
    critic : Critic
        Who estimates ``Q``; exact by default.
    seed : int
        Of everything random.
    radius : number, optional
        ``R`` of the ball that the solver keeps to.
    bound : number, optional
        ``B`` with ``|Q̂| ≤ B``.
    initial : sequence of Array, optional
        ``θ_0`` of every agent, ``[..., d_m]``; 0 by default.
    settings : Mapping
        More of what the algorithm was called with, for the trace.
    """

    algorithm: str
    game: Game
    features: Features
    iterations: int
    beta: Array
    solver: Solver
    critic: Critic = ExactCritic()  # noqa: RUF009 - frozen, and without data
    seed: int = 0
    radius: Any = None
    bound: Any = None
    initial: Parameters | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_count("K", self.iterations)
        require_seed(self.seed)

    @cached_property
    def columns(self) -> tuple[Column, ...]:  # type: ignore[override]
        """``parameters_m``, then ``values_m``, of every agent ``m``."""
        batch, kind = self.game.batch_shape, np.asarray(self.game.reward).dtype
        agents = range(1, self.game.agents + 1)
        parameters = zip(agents, self.features.dimensions, strict=True)
        values = zip(agents, self.features.shapes, strict=True)
        return (
            *(Column(f"parameters_{m}", (*batch, size), kind) for m, size in parameters),
            *(Column(f"values_{m}", (*batch, *shape), kind) for m, shape in values),
        )

    @property
    def state_columns(self) -> int:  # type: ignore[override]
        """``θ_k`` of every agent."""
        return self.game.agents

    def begin(self) -> State:
        """``θ_0`` and fresh generators."""
        first = start_parameters(self.game, self.features, self.initial)
        seeds = np.random.SeedSequence(self.seed).spawn(self.game.agents + 1)
        return State(0, self._stored(first, 0), tuple(map(np.random.default_rng, seeds)))

    def step(self, state: State) -> tuple[State, tuple[Array, ...]]:
        """Estimate Q of the current policy, then improve every agent."""
        agents, parameters, generators = self.game.agents, state.tables, state.generators
        current = CurrentPolicy(self.game, self.policy(state))
        values = self._stored(self.critic.estimate(current, generators[0]), agents)
        problems = [
            Subproblem(current, self.features, m, parameters[m], values[m], self.beta, self.radius, self.bound)
            for m in range(agents)
        ]
        improved = self.solver.improve(problems, generators[1:])
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

    def run(self, record: Record = in_memory) -> Trace:
        """The trace, as far as ``record`` follows the iterations; an error that ended them is raised."""
        kept, agents = record(self), self.game.agents
        if kept.failure:
            raise kept.failure
        values = kept.tables[agents:]
        for table in (*kept.paths, *values):
            np.asarray(table).setflags(write=False)
        called = {"iterations": self.iterations, "critic": self.critic, **self.settings, "seed": self.seed}
        return Trace(self.features, kept.paths, values, self.beta, self.algorithm, called)


def with_constant_step(
    algorithm: str,
    game: Game,
    features: Features,
    solver: Solver,
    iterations: int,
    step: Any,
    *,
    critic: Critic | None,
    seed: int,
    initial: Parameters | None,
    record: Record,
) -> Trace:
    """A run of :class:`Improvement` with a step ``η = 1/β`` that does not depend on ``K``; ``critic`` is exact by default."""
    return Improvement(
        algorithm,
        game,
        features,
        iterations,
        inverse_step(game, step),
        solver,
        critic or ExactCritic(),
        seed,
        initial=initial,
        settings={"step": step, "initial": initial},
    ).run(record)
