"""Algorithm 4: pessimistic multi-agent PPO with finite classes of critics, as printed, and repaired.

As Algorithm 2, but a critic is one of finitely many tables, and the Bellman error has its inner minimum over the same class::

    f_k^m = argmin_{f ∈ F^m} f(s_0, π_k^{1:m}) + λ E_D(f, π_k),     E_D(f, π) = L(f, f) - min_{f' ∈ F^m} L(f', f)
    π_{k+1}^m(·|s, p) ∝ π_k^m(·|s, p) exp(η f_k^m(s, p, ·))

Of several minimisers, the first.  Its guarantee, Theorem D.7, is refuted by
:func:`~mappo_verify.games.offline.theorem_d_7_classes`.  :func:`pessimistic_finite_joint` is the repair, as for Algorithm 2: one
class of joint critics, and averages.
Source: Algorithm 4, Appendix D.

>>> from mappo_verify.algorithms.datasets import Samples
>>> from mappo_verify.games.offline import theorem_d_7_classes, theorem_5_5_two_agents
>>> problem, classes = theorem_5_5_two_agents().floats(), theorem_d_7_classes()
>>> printed = pessimistic_finite(problem, classes, 800, penalty=1e3, data=Samples(10_000))
>>> repaired = pessimistic_finite_joint(problem, classes[1], 800, penalty=1e3, data=Samples(10_000))
>>> print(printed.returns()[[0, -1]].round(3), repaired.returns()[[0, -1]].round(3))      # the best is 1/2
[0.417 0.389] [0.417 0.467]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arithmetic import Array, absolute, compare
from ..arithmetic.explained import explained, over_arrays
from ..errors import GameError
from ..games.offline import OfflineProblem
from ..model import Policy
from ..model.agents import prefix_sizes
from ..model.conversion import convert
from ..model.validation import FLOAT_TOLERANCE, array_of, at, first, require_finite
from ..quantities.finite_class import FiniteClass
from ..quantities.values import start_of
from .datasets import Data, Dataset, Population
from .pessimistic_evaluation import Evaluation
from .pessimistic_iteration import Joint, PessimisticImprovement, Separate
from .pessimistic_trace import PessimisticTrace
from .recording import Record, in_memory


@dataclass(frozen=True, eq=False)
class FiniteEvaluation(Evaluation):
    """Pessimistic evaluation over a finite class for each agent that is evaluated."""

    problem: OfflineProblem
    classes: dict[int, FiniteClass]

    def evaluate(self, dataset: Dataset, policy: Policy, penalty: Any) -> tuple[Array, Array]:
        """Index and table."""
        game, tables = self.problem.game, self.classes[dataset.m].tables
        each = _for_each(tables, policy)
        data = dataset.frequencies()
        chosen = FiniteClass(each, dataset.m).choice(game, policy, data, penalty, start_of(game))
        return chosen, tables[chosen]

    def allowance(self, dataset: Dataset, policy: Policy, penalty: Any) -> Array:
        """:meth:`~mappo_verify.quantities.finite_class.FiniteClass.allowance` on these data, ``[...]``."""
        game, finite = self.problem.game, FiniteClass(_for_each(self.classes[dataset.m].tables, policy), dataset.m)
        errors = finite.errors(game, policy, dataset.frequencies())
        return finite.allowance(game, policy, errors, penalty, self.problem.ceiling)

    def choice(self, m: int) -> tuple[tuple[int, ...], np.dtype[Any]]:  # noqa: ARG002 - one interface
        """An index."""
        return (), np.dtype(np.intp)

    @over_arrays
    def error(self, dataset: Dataset, policy: Policy, table: Array) -> Array:
        """``E_D(f, π)`` with ``f`` added to the class, if it is not in it; so at least 0."""
        each = _for_each(self.classes[dataset.m].tables, policy)
        larger = FiniteClass(np.concatenate([table[..., None, :, :], each], axis=-3), dataset.m)
        return larger.errors(self.problem.game, policy, dataset.frequencies())[..., 0]


def _for_each(tables: Array, policy: Policy) -> Array:
    """The class once for every policy of the batch, ``[..., |F|, S, |A_1|···|A_m|]``."""
    return np.broadcast_to(tables, (*policy.batch_shape, *tables.shape))


@explained
def pessimistic_finite(
    problem: OfflineProblem,
    classes: Sequence[Any],
    iterations: int,
    *,
    penalty: Any,
    data: Data | None = None,
    repetitions: int | None = None,
    seed: int = 0,
    record: Record = in_memory,
) -> PessimisticTrace:
    """Run Algorithm 4 as printed, and record everything.

    ``classes[m-1]`` is ``F^m``, tables ``[|F^m|, S, |A_1|···|A_m|]`` with ``|f| ≤ 1/(1-γ)`` (Assumption D.1).  The features of
    the problem are not used.  The other parameters, and errors, are those of
    :func:`~mappo_verify.algorithms.pessimistic_linear.pessimistic_ppo`.
    """
    if len(classes) != problem.game.agents:
        raise GameError(f"{len(classes)} classes were given for {problem.game.agents} agents")
    own = {m: _class(problem, tables, m) for m, tables in enumerate(classes, start=1)}
    evaluation = FiniteEvaluation(problem, own)
    process = PessimisticImprovement(
        "pessimistic_finite",
        problem,
        iterations,
        Separate(),
        evaluation,
        penalty,
        data or Population(),
        repetitions,
        seed,
    )
    return process.run(record)


@explained
def pessimistic_finite_joint(
    problem: OfflineProblem,
    tables: Any,
    iterations: int,
    *,
    penalty: Any,
    data: Data | None = None,
    repetitions: int | None = None,
    seed: int = 0,
    record: Record = in_memory,
) -> PessimisticTrace:
    """The repaired Algorithm 4: one class of joint critics, tables ``[|F|, S, A]``, and its averages for every agent."""
    agents = problem.game.agents
    own = {agents: _class(problem, tables, agents)}
    evaluation = FiniteEvaluation(problem, own)
    process = PessimisticImprovement(
        "pessimistic_finite_joint",
        problem,
        iterations,
        Joint(),
        evaluation,
        penalty,
        data or Population(),
        repetitions,
        seed,
    )
    return process.run(record)


def _class(problem: OfflineProblem, tables: Any, m: int) -> FiniteClass:
    """``F^m``, checked."""
    name = f"the class of agent {m}"
    given = convert(array_of(tables, name), problem.game.system)
    wanted = (problem.game.states, prefix_sizes(problem.game.action_sizes)[m])
    if given.ndim != 3 or given.shape[1:] != wanted or not len(given):
        raise GameError(f"{name} has shape {given.shape}; it needs [|F|, {wanted[0]}, {wanted[1]}] with |F| ≥ 1")
    require_finite(name, given)
    over = compare(absolute(given), ">", problem.ceiling * (1 + FLOAT_TOLERANCE)) > 0
    if over.any():
        raise GameError(f"{name}{at(first(over, given))} is beyond 1/(1-γ) = {problem.ceiling}")
    return FiniteClass(given, m)
