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
from typing import Any

import numpy as np

from ..arithmetic import Array, System, floats_of, largest
from ..errors import GameError, InterruptedRunError
from ..games.offline import OfflineProblem
from ..model import Policy
from ..model.agents import split_last
from ..model.features import Features
from ..quantities.agent_values import average_out
from ..quantities.online_learning import tuned_step
from .datasets import Data, Dataset, Outcomes, outcomes_of
from .improvement_solver import require_count, require_positive
from .pessimistic_trace import PessimisticTrace, generator_of


class Evaluation(ABC):
    """Pessimistic evaluation of one agent from one dataset (or a batch of both)."""

    @abstractmethod
    def evaluate(self, dataset: Dataset, policy: Policy, price: Any) -> tuple[Array, Array]:
        """What is chosen (weights ``[..., d]``, or an index ``[...]``), and its table ``f``, ``[..., S, |A_1|···|A_m|]``.

        ``price`` is ``λ``.
        """

    @abstractmethod
    def error(self, dataset: Dataset, policy: Policy, table: Array) -> Array:
        """``E_D(f, π)`` of any table ``f``, ``[...]``."""


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
        """All."""
        return tuple(range(1, agents + 1))

    def critics(self, tables: tuple[Array, ...], policy: Policy) -> tuple[Array, ...]:  # noqa: ARG002 - one interface
        """The tables themselves."""
        return tables

    def steps(self, problem: OfflineProblem, iterations: int) -> tuple[float, ...]:
        """One for all."""
        most = int(largest(problem.game.action_sizes))
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
        """Each its own."""
        return tuple(step_of(problem, iterations, size) for size in problem.game.action_sizes)


def step_of(problem: OfflineProblem, iterations: int, actions: int) -> float:
    """``η = (1-γ)√(log|A|/(2K))``.  Source: Lemma C.6, Theorem 5.5."""
    return float(floats_of(tuned_step(problem.ceiling, iterations, actions)))


def run(
    problem: OfflineProblem,
    iterations: int,
    scheme: Scheme,
    evaluation: Evaluation,
    data: Data,
    price: Any,
    repetitions: int | None,
    seed: int,
    algorithm: str,
    settings: Mapping[str, Any],
) -> PessimisticTrace:
    """``K`` iterations from the uniform policy; with ``repetitions``, that many independent runs at once.

    Agent ``m``'s data of iteration ``k`` has a generator of its own, spawned from ``(seed, k, m)``, so each dataset can be drawn
    again without the others.  If anything fails, :class:`~mappo_verify.errors.InterruptedRunError` carries the trace so far.
    """
    game = problem.game
    require_count("K", iterations)
    require_positive("λ", price)
    if game.system is not System.FLOATS:
        raise GameError(f"policies are softmaxes, so runs are in floats, not {game.system.value}; use problem.floats()")
    if repetitions is not None:
        require_count("repetitions", repetitions)
    batch = () if repetitions is None else (repetitions,)
    agents, evaluated = range(game.agents), scheme.evaluated(game.agents)
    outcomes: dict[int, Outcomes] = {m: outcomes_of(problem, m) for m in evaluated}
    steps, tabular = scheme.steps(problem, iterations), Features.tabular(game)
    totals = [np.zeros((*batch, size)) for size in tabular.dimensions]
    critics: tuple[list[Array], ...] = tuple([] for _ in agents)
    choices: tuple[list[Array], ...] = tuple([] for _ in evaluated)

    def trace() -> PessimisticTrace:
        done = len(critics[-1])
        shapes = tabular.shapes
        return PessimisticTrace(
            problem,
            tuple(_stacked(rows[:done], (*batch, *shape)) for rows, shape in zip(critics, shapes, strict=True)),
            tuple(_stacked(rows[:done], ()) for rows in choices),
            evaluated,
            steps,
            np.asarray(price, dtype=float),
            evaluation,
            data,
            outcomes,
            iterations,
            batch,
            algorithm,
            {**settings, "seed": seed},
        )

    for k in range(iterations):
        policy = tabular.follow([step * total for step, total in zip(steps, totals, strict=True)])
        tables: list[Array] = []
        for place, m in enumerate(evaluated):
            try:
                dataset = data.dataset(outcomes[m], policy, generator_of(seed, k, m))
                chosen, table = evaluation.evaluate(dataset, policy, price)
            except Exception as error:
                raise InterruptedRunError(
                    f"iteration {k}, agent {m}: {error}; the iterations before it are in the trace of this error",
                    trace(),
                ) from error
            choices[place].append(chosen)
            tables.append(table)
        for m, (table, shape) in enumerate(zip(scheme.critics(tuple(tables), policy), tabular.shapes, strict=True)):
            critics[m].append(split_last(table, shape[-1]))
            totals[m] = totals[m] + table.reshape(*batch, -1)
    return trace()


def _stacked(rows: list[Array], shape: tuple[int, ...]) -> Array:
    """``[K, ...]``, read-only."""
    table = np.stack(rows) if rows else np.zeros((0, *shape))
    table.setflags(write=False)
    return table
