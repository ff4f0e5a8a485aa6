"""What a pessimistic run leaves behind, and every quantity of the analysis of Theorem 5.5 recomputed from it.

A :class:`PessimisticTrace` records the critics ``f_k^m``, what was chosen (weights or indices), ``η``, ``λ`` and the seed of
the data.  Policies, returns, data and errors follow from these and the problem alone.  Every critic ``f = f_k^m`` is the value
``Q^{1:m}_{π_k}`` of a game ``M_k^m`` with the dynamics of the problem and the reward ``f - γPf(·, π_k^{1:m})``; in it::

    J_M(π_k) = f(s_0, π_k^{1:m}),    J_M(π_*) = J_M(π_k) + Σ_s d_*(s) (f(s, π_*^{1:m}) - f(s, π_k^{1:m}))

by the performance difference lemma, and the proof of Theorem 5.5 splits the gap into three, an identity for each ``m``::

    mean_k J(π_*) - J(π_k) = mean_k J_M(π_*) - J_M(π_k)      Term I, what is left to optimise
                           + mean_k J(π_*) - J_M(π_*)        Term II, how wrong the critic is where π_* goes
                           + mean_k J_M(π_k) - J(π_k)        optimism, at most λ E_D(Q_k) where Q_k is in the class

The start is ``ρ`` of the game, a single state in the paper.  Source: Theorem 5.5, Lemmas C.3 to C.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from ..arithmetic import Array, contract, largest, maximum, moveaxis, sqrt
from ..arithmetic.explained import explained, explained_class, over_arrays
from ..errors import GameError
from ..games.offline import OfflineProblem
from ..model import Policy
from ..model.agents import join_last
from ..model.features import Features
from ..quantities.agent_values import agent_values, average_out
from ..quantities.bellman import bellman_operator
from ..quantities.distributions import visits
from ..quantities.divergence import squared_norm
from ..quantities.online_learning import cumulative_gains, estimation_bound, regret
from ..quantities.values import returns, start_of
from .datasets import Data, Dataset, Outcomes
from .pessimistic_evaluation import Evaluation
from .sampling import Generator


def generator_of(seed: int, k: int, m: int) -> Generator:
    """The generator of agent ``m``'s data in iteration ``k``."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(k, m)))


@explained_class
@dataclass(frozen=True, eq=False, repr=False)
class PessimisticTrace:
    """A recorded run, or ``...`` = ``[repetitions]`` runs at once; ``k`` is the first axis.

    Attributes
    ----------
    problem : OfflineProblem
    critics : tuple of Array
        ``f_k^m`` of every agent, ``[K, ..., S, prefixes, A_m]``.
    choices : tuple of Array
        What was chosen for every evaluated agent: weights ``w_k^m`` ``[K, ..., d_m]``, or indices into a class ``[K, ...]``.
    evaluated : tuple of int
        The agents (counted from 1) that were evaluated from data: all, or the last one for a joint critic.
    steps : tuple of float
        ``η_m`` of every agent.
    penalty : Array
        ``λ``.
    evaluation, data, outcomes
        How critics were chosen, and from what.
    planned : int
        ``K`` as asked for; an interrupted run has fewer :attr:`iterations`.
    batch_shape : tuple of int
    algorithm : str
    settings : Mapping
        What the run was called with, seed included.
    """

    problem: OfflineProblem
    critics: tuple[Array, ...]
    choices: tuple[Array, ...]
    evaluated: tuple[int, ...]
    steps: tuple[float, ...]
    penalty: Array
    evaluation: Evaluation
    data: Data
    outcomes: Mapping[int, Outcomes]
    planned: int
    batch_shape: tuple[int, ...]
    algorithm: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def iterations(self) -> int:
        """``K``, the number of completed iterations."""
        return len(self.critics[0])

    def policies(self, which: slice | int = slice(None)) -> Policy:
        """``π_k^m ∝ exp(η_m Σ_{t<k} f_t^m)`` for these ``k`` of ``0..K``: a batch with ``k`` as its first axis, or one policy."""
        logits = []
        for table, step in zip(self.critics, self.steps, strict=True):
            gains = table.reshape(*table.shape[:-3], prod(table.shape[-3:]))
            sums = moveaxis(cumulative_gains(moveaxis(gains, 0, -2)), -2, 0)
            logits.append(step * sums[which])
        return Features.tabular(self.problem.game).follow(logits)

    def parameters(self) -> tuple[Array, ...]:
        """``θ_k^m = η Σ_{t<k} w_t^m`` of the evaluated agents, ``[K + 1, ..., d_m]``, for linear critics."""
        sums = (cumulative_gains(moveaxis(table, 0, -2)) for table in self.choices)
        return tuple(self.steps[m - 1] * moveaxis(table, -2, 0) for m, table in zip(self.evaluated, sums, strict=True))

    def output(self, seed: int) -> tuple[int, Policy]:
        """What the algorithm returns: ``k`` drawn uniformly from ``0..K-1``, and ``π_k``."""
        self._require_some()
        k = int(np.random.default_rng(seed).integers(self.iterations))
        return k, self.policies(k)

    def returns(self) -> Array:
        """``J(π_k)`` for ``k = 0..K``, ``[K + 1, ...]``."""
        return returns(self.problem.game, self.policies())

    @over_arrays
    def output_return(self) -> Array:
        """``J(π̂)``: the mean of ``J(π_k)`` over ``k = 0..K-1``, ``[...]``."""
        self._require_some()
        return self.returns()[:-1].mean(0)

    def dataset(self, k: int, m: int) -> Dataset:
        """``D_k^m`` once more, from its seed."""
        if m not in self.evaluated or k not in range(self.iterations):
            raise GameError(f"no data was drawn for agent {m} in iteration {k} of this run")
        return self.data.dataset(self.outcomes[m], self.policies(k), generator_of(self.settings["seed"], k, m))

    def _require_some(self) -> None:
        if not self.iterations:
            raise GameError("this trace has no iterations: the run was interrupted in the first")

    def __repr__(self) -> str:
        done = f"{self.iterations} of {self.planned}" if self.iterations != self.planned else f"{self.iterations}"
        return f"PessimisticTrace({self.algorithm}, K = {done}, {self.problem!r})"


@dataclass(frozen=True, eq=False)
class PessimisticQuantities:
    """The quantities of Theorem 5.5 on a trace; ``...`` are repetitions, agents ``m`` and evaluated agents are last axes.

    Attributes
    ----------
    returns, target_return : Array
        ``J(π_k)`` for ``k = 0..K``, ``[K + 1, ...]``, and ``J(π_*)``, a number.
    model_returns, model_targets : Array
        ``J_M(π_k)`` and ``J_M(π_*)`` in the game ``M_k^m`` of each critic, ``[K, ..., N]``.
    regrets : tuple of Array
        ``Σ_k ⟨π_*^m - π_k^m, f_k^m⟩`` at every ``(s, a^{1:m-1})``, ``[..., S, prefixes]`` for each agent.
    residuals_squared : Array
        ``‖f_k^m - T_{π_k} f_k^m‖²_{2,μ}``, ``[K, ..., N]``.
    critic_errors, value_errors : Array
        ``E_D(f_k^m)`` and ``E_D(Q_k^{1:m})`` on the data of the run, ``[K, ..., evaluated]``.
    """

    returns: Array
    target_return: Array
    model_returns: Array
    model_targets: Array
    regrets: tuple[Array, ...]
    residuals_squared: Array
    critic_errors: Array
    value_errors: Array

    @property
    @over_arrays
    def gaps(self) -> Array:
        """``J(π_*) - J(π_k)`` for ``k = 0..K-1``, ``[K, ...]``."""
        return self.target_return - self.returns[:-1]

    @property
    @over_arrays
    def term_one(self) -> Array:
        """``mean_k J_M(π_*) - J_M(π_k)``, ``[..., N]``."""
        return (self.model_targets - self.model_returns).mean(0)

    @property
    @over_arrays
    def term_two(self) -> Array:
        """``mean_k J(π_*) - J_M(π_*)``, ``[..., N]``."""
        return (self.target_return - self.model_targets).mean(0)

    @property
    @over_arrays
    def optimism(self) -> Array:
        """``mean_k J_M(π_k) - J(π_k)``, ``[..., N]``; at most ``λε_r`` where ``Q_k`` is in the class."""
        return (self.model_returns - self.returns[:-1, ..., None]).mean(0)

    def estimation_bound(self, ceiling: Any, penalty: Any, mismatch: Any, allowance: Any = None) -> Array:
        """``C²/(4λ(1-γ)²) + λ ε_r + C ε_b/(1-γ)``, ``[...]``: what estimation costs the repaired algorithm, at most.

        ``ceiling`` is ``1/(1-γ)``, ``penalty`` is ``λ``, and ``mismatch`` is a ``C`` with ``‖f_k - T f_k‖_{2,d_*} ≤ C ‖f_k - T
        f_k‖_{2,μ}``.  ``ε_r`` and ``ε_b = max_k ‖f_k - T f_k‖_{2,μ} - √E_D(f_k)`` are what happened in the run.  A class that
        need not hold ``Q_k`` has an ``allowance`` in the place of ``λ ε_r``.
        Source: theorem-5.5/repaired-sample, theorem-d.7/repaired.
        """
        seen = sqrt(maximum(self.critic_errors[..., 0], 0.0))  # rounding may leave it below 0
        unseen = maximum(largest(sqrt(self.residuals_squared[..., -1]) - seen, 0), 0.0)
        allowed = penalty * self.realised_error[..., 0] if allowance is None else allowance
        return estimation_bound(mismatch, ceiling, penalty, allowed, unseen)

    @property
    def realised_error(self) -> Array:
        """``ε_r = max_k E_D(Q_k^{1:m})``, ``[..., evaluated]``: what the theorem bounds with high probability."""
        return largest(self.value_errors, 0)


@explained
def pessimistic_quantities(trace: PessimisticTrace) -> PessimisticQuantities:
    """Everything that the proof of Theorem 5.5 speaks of, from the recorded run alone."""
    trace._require_some()
    problem, game = trace.problem, trace.problem.game
    comparator, start = problem.comparator, start_of(game)
    count = trace.iterations
    policies = trace.policies()
    before = trace.policies(slice(count))
    visited, values = visits(game, comparator), agent_values(game, before)
    model_returns, model_targets, residuals, regrets = [], [], [], []
    for m, critic in enumerate(trace.critics, start=1):
        table = join_last(critic)
        current = average_out(table, before, m)[0][..., 0]
        compared = average_out(table, comparator, m)[0][..., 0]
        own = contract("...s,...s->...", current, start)
        model_returns.append(own)
        model_targets.append(own + ((compared - current) * visited).sum(-1))
        residuals.append(
            squared_norm(table - bellman_operator(game, before, table, m), problem.distribution(m), axes=2)
        )
        gains, plays = moveaxis(critic, 0, -2), moveaxis(before.factors[m - 1], 0, -2)
        regrets.append(regret(gains, plays, comparator.factors[m - 1]))
    critic_errors, value_errors = [], []
    for k in range(count):
        rows = [(join_last(trace.critics[m - 1][k]), values[m][k], m) for m in trace.evaluated]
        data, policy = [trace.dataset(k, m) for m in trace.evaluated], before[k]
        critic_errors.append([trace.evaluation.error(d, policy, f) for d, (f, _, _) in zip(data, rows, strict=True)])
        value_errors.append([trace.evaluation.error(d, policy, q) for d, (_, q, _) in zip(data, rows, strict=True)])
    return PessimisticQuantities(
        returns(game, policies),
        returns(game, comparator),
        np.stack(model_returns, axis=-1),
        np.stack(model_targets, axis=-1),
        tuple(regrets),
        np.stack(residuals, axis=-1),
        moveaxis(np.stack(critic_errors), 1, -1),
        moveaxis(np.stack(value_errors), 1, -1),
    )
