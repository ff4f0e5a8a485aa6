"""The loop that the pessimistic algorithms share: evaluate pessimistically from data, then exponential weights.

::

    π_0 uniform;  for k = 0..K-1:
        f_k^m from D_k^m                                              pessimistic evaluation
        π_{k+1}^m(·|s, p) ∝ exp(η_m Σ_{t ≤ k} f_t^m(s, p, ·))         policy improvement

What is *printed* evaluates every agent by itself, from its own data (:class:`Separate`).  Then no one game has all the ``f_k^m``
as its values, which the analysis needs (Lemma C.3).  The *repaired* variant evaluates the joint action once, and every agent
gets the average over those after it, ``f_k^m(s, a^{1:m}) = E_{π_k^{m+1:N}} f_k(s, a)`` (:class:`Joint`): the values of one game.
Source: Algorithms 2 and 4.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..arithmetic import Array, System, floats_of, largest
from ..errors import GameError, InterruptedRunError
from ..games.offline import OfflineProblem
from ..model import Game, Policy
from ..model.agents import split_last
from ..model.features import Features
from ..model.validation import require_count, require_positive, require_seed
from ..quantities.agent_values import average_out
from ..quantities.online_learning import tuned_step
from .datasets import Data, Outcomes, Population, outcomes_of
from .pessimistic_evaluation import Evaluation
from .pessimistic_trace import PessimisticTrace, generator_of
from .recording import Column, Process, Record, State, in_memory


class Scheme(ABC):
    """Which agents are evaluated from data, and what the critics of all agents follow from that."""

    @abstractmethod
    def evaluated(self, agents: int) -> tuple[int, ...]:
        """The agents (counted from 1) that are evaluated from data."""

    @abstractmethod
    def critics(self, tables: tuple[Array, ...], policy: Policy) -> tuple[Array, ...]:
        """``f_k^1, ..., f_k^N``, each ``[..., S, |A_1|···|A_m|]``, from the tables of the evaluated agents."""

    @abstractmethod
    def steps(self, problem: OfflineProblem, iterations: int) -> tuple[float, ...]:
        """``η_m`` of every agent, for ``K`` iterations."""


class Separate(Scheme):
    """As printed: every agent has a critic of its own, and all share ``η = (1-γ)√(log|A|/2K)`` with ``|A| = max_m |A_m|``."""

    def evaluated(self, agents: int) -> tuple[int, ...]:
        """Every agent."""
        return tuple(range(1, agents + 1))

    def critics(self, tables: tuple[Array, ...], policy: Policy) -> tuple[Array, ...]:  # noqa: ARG002 - one interface
        """The tables of the agents as they are."""
        return tables

    def steps(self, problem: OfflineProblem, iterations: int) -> tuple[float, ...]:
        """The same step for every agent."""
        most = int(largest(problem.game.action_sizes).item())
        return (step_of(problem, iterations, most),) * problem.game.agents


class Joint(Scheme):
    """Repaired: one critic of the joint action, its averages for the others, and ``η_m = (1-γ)√(log|A_m|/2K)``."""

    def evaluated(self, agents: int) -> tuple[int, ...]:
        """The last agent's ``Q^{1:N}`` is the joint ``Q``."""
        return (agents,)

    def critics(self, tables: tuple[Array, ...], policy: Policy) -> tuple[Array, ...]:
        """``f_k^m = E_{π_k^{m+1:N}} f_k``."""
        return average_out(tables[0], policy, policy.agents, 1)

    def steps(self, problem: OfflineProblem, iterations: int) -> tuple[float, ...]:
        """A step of its own for every agent."""
        return tuple(step_of(problem, iterations, size) for size in problem.game.action_sizes)


def step_of(problem: OfflineProblem, iterations: int, actions: int) -> float:
    """``η = (1-γ)√(log|A|/(2K))``.  Source: Lemma C.6, Theorem 5.5."""
    return float(floats_of(tuned_step(problem.ceiling, iterations, actions)))


@dataclass(frozen=True, eq=False)
class PessimisticImprovement(Process):
    """``K`` iterations from the uniform policy, ``repetitions`` independent runs at once.

    Agent ``m``'s data of iteration ``k`` has a generator of its own, spawned from ``(seed, k, m)``, so each dataset can be drawn
    again without the others.  An iteration leaves behind the critics and what was chosen; the state holds ``Σ_{t<k} f_t^m``.
    """

    algorithm: str
    problem: OfflineProblem
    iterations: int
    scheme: Scheme
    evaluation: Evaluation
    penalty: Any
    data: Data = Population()  # noqa: RUF009 - frozen, and without data of its own
    repetitions: int | None = None
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_count("K", self.iterations)
        require_seed(self.seed)
        require_positive("λ", self.penalty)
        system = self.problem.game.system
        if system is not System.FLOATS:
            raise GameError(f"policies are softmaxes, so runs are in floats, not {system.value}; use problem.floats()")
        if self.repetitions is not None:
            require_count("repetitions", self.repetitions)

    @property
    def batch(self) -> tuple[int, ...]:
        """``(repetitions,)``; nothing for a single run."""
        return () if self.repetitions is None else (self.repetitions,)

    @property
    def game(self) -> Game:  # type: ignore[override]
        """The problem's."""
        return self.problem.game

    @cached_property
    def features(self) -> Features:
        """Policies are tables."""
        return Features.tabular(self.problem.game)

    @cached_property
    def evaluated(self) -> tuple[int, ...]:
        """The agents (counted from 1) that are evaluated from data."""
        return self.scheme.evaluated(self.problem.game.agents)

    @cached_property
    def rates(self) -> tuple[float, ...]:
        """``η_m`` of every agent."""
        return self.scheme.steps(self.problem, self.iterations)

    @cached_property
    def outcomes(self) -> dict[int, Outcomes]:
        """What the evaluated agents can observe."""
        return {m: outcomes_of(self.problem, m) for m in self.evaluated}

    @cached_property
    def columns(self) -> tuple[Column, ...]:  # type: ignore[override]
        """``critic_m`` of every agent ``m``, then ``choice_m`` of the evaluated ones."""
        shapes, floats = enumerate(self.features.shapes, start=1), np.dtype(float)
        choices = ((m, *self.evaluation.choice(m)) for m in self.evaluated)
        return (
            *(Column(f"critic_{m}", (*self.batch, *shape), floats) for m, shape in shapes),
            *(Column(f"choice_{m}", (*self.batch, *shape), kind) for m, shape, kind in choices),
        )

    def begin(self) -> State:
        """The sums are 0, so the first policy is uniform."""
        return State(0, tuple(np.zeros((*self.batch, size)) for size in self.features.dimensions))

    def step(self, state: State) -> tuple[State, tuple[Array, ...]]:
        """Evaluate pessimistically; add what was found to the gains."""
        policy, k = self.policy(state), state.k
        found = [self._evaluated(k, m, policy) for m in self.evaluated]
        tables = self.scheme.critics(tuple(table for _, table in found), policy)
        critics = tuple(split_last(table, shape[-1]) for table, shape in zip(tables, self.features.shapes, strict=True))
        totals = tuple(
            np.ascontiguousarray(total + table.reshape(total.shape))
            for total, table in zip(state.tables, tables, strict=True)
        )
        return State(k + 1, totals), (*critics, *(chosen for chosen, _ in found))

    def _evaluated(self, k: int, m: int, policy: Policy) -> tuple[Array, Array]:
        try:
            dataset = self.data.dataset(self.outcomes[m], policy, generator_of(self.seed, k, m))
            return self.evaluation.evaluate(dataset, policy, self.penalty)
        except Exception as error:
            raise GameError(f"iteration {k}, agent {m}: {error}") from error

    def policy(self, state: State) -> Policy:
        """``π_k^m ∝ exp(η_m Σ_{t<k} f_t^m)``"""
        return self.features.follow([rate * total for rate, total in zip(self.rates, state.tables, strict=True)])

    def run(self, record: Record = in_memory) -> PessimisticTrace:
        """The trace, as far as ``record`` follows the iterations.

        If an evaluation fails, :class:`~mappo_verify.errors.InterruptedRunError` carries the trace so far.
        """
        kept, agents = record(self), self.game.agents
        for table in kept.tables:
            np.asarray(table).setflags(write=False)
        called = {"iterations": self.iterations, "penalty": self.penalty, "data": self.data}
        trace = PessimisticTrace(
            self.problem,
            kept.tables[:agents],
            kept.tables[agents:],
            self.evaluated,
            self.rates,
            floats_of(self.penalty),
            self.evaluation,
            self.data,
            self.outcomes,
            self.iterations,
            self.batch,
            self.algorithm,
            {**called, "repetitions": self.repetitions, **self.settings, "seed": self.seed},
        )
        if kept.failure:
            message = f"{kept.failure}; the iterations before it are in the trace of this error"
            raise InterruptedRunError(message, trace) from kept.failure.__cause__
        return trace
