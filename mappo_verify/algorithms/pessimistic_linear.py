"""Algorithm 2: pessimistic multi-agent PPO with linear critics, as printed, and repaired.

::

    θ_0 = 0
    for k = 0..K-1, for every agent m:
        w_k^m = argmin_{φᵀw ∈ F^m} φ(s_0, π_k^{1:m})ᵀw + λ E_D(w, π_k)      pessimistic evaluation
        θ_{k+1}^m = θ_k^m + η w_k^m                                           policy improvement, never projected
    return π_k with k uniform on 0..K-1

with ``η = (1-γ)√(log|A|/2K)`` and ``λ = ε_r^{-2/3}/(1-γ)``.  That this comes near the optimum (Theorem 5.5) is refuted; see
:mod:`mappo_verify.games.offline` for two small problems on which the printed algorithm stays away from it.

:func:`pessimistic_ppo_joint` is the repair: one critic ``f_k`` of the joint action, and for every agent its average
``f_k^m = E_{π_k^{m+1:N}} f_k``.  These are not linear in fixed features, so the policies are tables,
``π_k^m ∝ exp(η_m Σ_{t<k} f_t^m)``.

Where the class counts is a choice of evaluator: :class:`InClass` keeps the critic in it, :class:`ClassThroughout` also its
rivals in the Bellman error, and :class:`Unconstrained` takes the closed form of Appendix C.1 wherever it lies.  The paper
starts in one state ``s_0``; a start distribution ``ρ`` is averaged over.  Source: Algorithm 2, Theorem 5.5, Appendix C.

>>> from mappo_verify.games.offline import theorem_5_5_two_agents
>>> problem = theorem_5_5_two_agents().floats()
>>> printed = pessimistic_ppo(problem, 800, penalty=1e3)
>>> repaired = pessimistic_ppo_joint(problem, 800, penalty=1e3)
>>> print(printed.returns()[[0, -1]].round(3), repaired.returns()[[0, -1]].round(3))      # the best is 1/2
[0.417 0.389] [0.417 0.467]
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..arithmetic import TRUE, Array, contract, log, pseudo_solve, square
from ..arithmetic.explained import explained, explained_class, over_arrays
from ..errors import GameError, SolverError
from ..games.offline import OfflineProblem
from ..model import Policy
from ..model.validation import require_count, require_positive
from ..quantities.bellman_error import Moments, pessimistic_step, state_features
from ..quantities.constrained_evaluation import class_pessimistic_step, constrained_step
from ..quantities.linear_class import LinearClass
from ..quantities.values import start_of
from .datasets import Data, Dataset, Population
from .pessimistic_evaluation import Evaluation
from .pessimistic_iteration import Joint, PessimisticImprovement, Separate
from .pessimistic_trace import PessimisticTrace
from .recording import Record, in_memory

# --- evaluators -------------------------------------------------------------------------------------------------------


class Evaluator(ABC):
    """How ``cᵀw + λ E(w)`` is minimised."""

    @abstractmethod
    def weights(self, moments: Moments, direction: Array, penalty: Any, critics: LinearClass) -> Array:
        """``w``, ``[..., d]``."""


@explained_class
@dataclass(frozen=True)
class InClass(Evaluator):
    """Over the class: ``‖w‖ ≤ L`` and ``0 ≤ φᵀw ≤ 1/(1-γ)``.  The closed form where it lies inside, a solver where not."""

    def weights(self, moments: Moments, direction: Array, penalty: Any, critics: LinearClass) -> Array:
        """By :func:`~mappo_verify.quantities.constrained_evaluation.constrained_step`, a repetition at a time."""
        step = pessimistic_step(moments, direction, penalty)  # all repetitions at once: most need no more
        settled = step.bounded & (critics.contains(step.weights) == TRUE)
        if settled.all():
            return step.weights
        weights = np.array(step.weights)
        for place in np.argwhere(~settled):
            index = tuple(place)
            weights[index] = constrained_step(moments[index], direction[index], penalty, critics).weights
        return weights


@explained_class
@dataclass(frozen=True)
class ClassThroughout(Evaluator):
    """Over the class, and so is the inner minimum of the Bellman error, as the paper defines it; not convex, so not for speed.

    By :func:`~mappo_verify.quantities.constrained_evaluation.class_pessimistic_step`, practical for up to three features.
    What comes out is the global minimum to within ``tolerance``, or :class:`~mappo_verify.errors.SolverError`: never the best
    that a search happened to meet.

    Parameters
    ----------
    budget : int
        Inner minima that one evaluation may cost.
    tolerance : float
        How narrow the bracket of the objective must become, relative to ``1 + |objective|``.
    """

    budget: int = 2_000
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        require_count("the budget", self.budget)
        require_positive("the tolerance", self.tolerance)

    def weights(self, moments: Moments, direction: Array, penalty: Any, critics: LinearClass) -> Array:
        """A repetition at a time."""
        weights = np.empty_like(direction)
        for index in np.ndindex(*direction.shape[:-1]):
            step = class_pessimistic_step(
                moments[index], direction[index], penalty, critics, self.budget, self.tolerance
            )
            if not step.closed:
                low, high = (float(end) for end in (step.bracket.lower, step.bracket.upper))
                where = f" in repetition {index[0]}" if index else ""
                raise SolverError(
                    f"after {step.evaluations} inner minima{where} the minimum is only known to lie in [{low:.9g}, {high:.9g}]; "
                    f"raise ClassThroughout(budget={self.budget}) or its tolerance ({self.tolerance:g}), or evaluate with "
                    "InClass(), which is convex"
                )
            weights[index] = step.weights
        return weights


@explained_class
@dataclass(frozen=True)
class Unconstrained(Evaluator):
    """Over all of ``R^d``, in closed form."""

    def weights(self, moments: Moments, direction: Array, penalty: Any, critics: LinearClass) -> Array:  # noqa: ARG002 - one interface
        """The closed form; :class:`GameError` where nothing bounds the objective."""
        step = pessimistic_step(moments, direction, penalty)
        if not step.bounded.all():
            place = [int(i) for i in np.argwhere(~step.bounded)[0]]
            where = f" in repetition {place[0]}" if place else ""
            raise GameError(
                f"without the class's constraints the objective has no lower bound{where}: it decreases without bound along "
                f"w = {np.round(step.descent[tuple(place)], 6).tolist()}; evaluate with InClass(), or let the data cover more"
            )
        return step.weights


@dataclass(frozen=True, eq=False)
class LinearEvaluation(Evaluation):
    """Pessimistic evaluation with the features of a problem, by an :class:`Evaluator`."""

    problem: OfflineProblem
    evaluator: Evaluator

    @cached_property
    def classes(self) -> tuple[LinearClass, ...]:
        """``F^1, ..., F^N``"""
        problem = self.problem
        matrices = (problem.features.matrix(m) for m in range(problem.game.agents))
        return tuple(LinearClass(matrix, problem.radius, problem.ceiling) for matrix in matrices)

    def evaluate(self, dataset: Dataset, policy: Policy, penalty: Any) -> tuple[Array, Array]:
        """Weights and table."""
        game, critics = self.problem.game, self.classes[dataset.m - 1]
        averages = state_features(game, policy, critics.features, dataset.m)
        direction = contract("...s,...sd->...d", start_of(game), averages)
        weights = self.evaluator.weights(dataset.moments(averages), direction, penalty, critics)
        return weights, critics.values(weights).reshape(*weights.shape[:-1], game.states, -1)

    def choice(self, m: int) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """``w``, ``[d_m]``."""
        return (self.problem.features.dimensions[m - 1],), np.dtype(float)

    @over_arrays
    def error(self, dataset: Dataset, policy: Policy, table: Array) -> Array:
        """``min_{w'}`` over all of ``R^d``: ``E_D (f - y)² - E_D (φᵀw° - y)²`` with ``w°`` the regression of the target ``y``."""
        values = (table * policy.prefix_probabilities()[dataset.m]).sum(-1)  # f(s, π^{1:m})
        target, weights = dataset.targets(values), dataset.weights
        features = self.classes[dataset.m - 1].features[dataset.rows.points]
        weighted = features * weights[..., None]
        gram = contract("...ni,...nj->...ij", weighted, features)
        fitted = pseudo_solve(gram, contract("...ni,...n->...i", weighted, target)[..., None])[0][..., 0]
        flat = table.reshape(*table.shape[:-2], -1)
        points = np.broadcast_to(dataset.rows.points, target.shape)
        own = np.take_along_axis(np.broadcast_to(flat, (*target.shape[:-1], flat.shape[-1])), points, axis=-1)
        best = contract("...ni,...i->...n", features, fitted)
        return (weights * (square(own - target) - square(best - target))).sum(-1)


# --- the algorithm ----------------------------------------------------------------------------------------------------


@explained
def pessimistic_ppo(
    problem: OfflineProblem,
    iterations: int,
    *,
    penalty: Any,
    data: Data | None = None,
    evaluator: Evaluator | None = None,
    repetitions: int | None = None,
    seed: int = 0,
    record: Record = in_memory,
) -> PessimisticTrace:
    """Run Algorithm 2 as printed, with a critic for each agent, and record everything.

    Parameters
    ----------
    problem : OfflineProblem
        In floats.
    iterations : int
        ``K ≥ 1``.
    penalty : number
        ``λ > 0``; the theorem's is :func:`theorem_penalty`.
    data : Data, optional
        :class:`~mappo_verify.algorithms.datasets.Population` (the default), or
        :class:`~mappo_verify.algorithms.datasets.Samples` of ``n`` draws per iteration and agent.
    evaluator : Evaluator, optional
        :class:`InClass` (the default), :class:`ClassThroughout` or :class:`Unconstrained`.
    repetitions : int, optional
        That many independent runs at once; the trace then has one more axis.
    seed : int
        Of everything random.
    record : Record, optional
        Who keeps the iterations: :func:`~mappo_verify.algorithms.recording.in_memory` (the default), or a
        :class:`~mappo_verify.runs.storage.Store`.

    Raises
    ------
    GameError
        For ``K < 1``, ``λ ≤ 0``, a problem that is not in floats.
    InterruptedRunError
        Where an evaluation fails; its ``trace`` has the iterations before.
    """
    evaluator = evaluator or InClass()
    return PessimisticImprovement(
        "pessimistic_ppo",
        problem,
        iterations,
        Separate(),
        LinearEvaluation(problem, evaluator),
        penalty,
        data or Population(),
        repetitions,
        seed,
        {"evaluator": evaluator},
    ).run(record)


@explained
def pessimistic_ppo_joint(
    problem: OfflineProblem,
    iterations: int,
    *,
    penalty: Any,
    data: Data | None = None,
    evaluator: Evaluator | None = None,
    repetitions: int | None = None,
    seed: int = 0,
    record: Record = in_memory,
) -> PessimisticTrace:
    """The repaired Algorithm 2: one joint critic, with the features of the last agent; parameters as :func:`pessimistic_ppo`.

    If ``Q_{π_k}`` and ``T_{π_k} f_k`` are in the class and ``‖f_k - T f_k‖_{2,d_*} ≤ C ‖f_k - T f_k‖_{2,μ}``, then on the
    population ``mean_k J(π_*) - J(π_k) ≤ (2√2/(1-γ)²) Σ_m √(log|A_m|/K) + C²/(4λ(1-γ)²)``.
    """
    evaluator = evaluator or InClass()
    return PessimisticImprovement(
        "pessimistic_ppo_joint",
        problem,
        iterations,
        Joint(),
        LinearEvaluation(problem, evaluator),
        penalty,
        data or Population(),
        repetitions,
        seed,
        {"evaluator": evaluator},
    ).run(record)


# --- the theorem's λ --------------------------------------------------------------------------------------------------


@explained
def statistical_error(
    problem: OfflineProblem, m: int, size: int, iterations: int, failure: float = 0.1, constant: float = 1.0
) -> Array:
    """``ε_r = c·d log(nLR/δ) / ((1-γ)² n)`` of Lemma C.1, with the constant that the paper leaves open.

    ``R = (1-γ) L √(K log|A|/2)`` is how far ``θ`` can get in ``K`` iterations, since Algorithm 2 never projects.  Floats.
    """
    require_count("the number n of draws", size)
    require_positive("δ", failure)
    require_positive("the constant", constant)
    largest_size = max(problem.game.action_sizes)
    reach = problem.radius * np.sqrt(iterations * np.log(largest_size) / 2) / problem.ceiling
    dimension = problem.features.dimensions[m - 1]
    inside = log(size * problem.radius * reach / failure)
    return constant * dimension * inside * square(problem.ceiling) / size


@explained
def theorem_penalty(problem: OfflineProblem, error: Any) -> Array:
    """``λ = ε_r^{-2/3} / (1-γ)``.  Source: Theorem 5.5."""
    require_positive("ε_r", error)
    return problem.ceiling * np.asarray(error) ** (-2 / 3)


@explained
def repaired_penalty(problem: OfflineProblem, error: Any, mismatch: Any = 1.0) -> Array:
    """``λ = C / (2(1-γ)√ε_r)``, which balances ``C²/(4λ(1-γ)²)`` with ``λε_r``: their sum is ``C√ε_r/(1-γ)``, so ``n^{-1/2}``."""
    require_positive("ε_r", error)
    require_positive("C", mismatch)
    return mismatch * problem.ceiling / (2 * np.sqrt(error))
