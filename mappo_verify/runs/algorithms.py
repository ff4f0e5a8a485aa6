"""Every algorithm that runs by name: one row each, from which the commands, plans, summaries and pictures follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..algorithms.bounded_steps import bounded_steps_ppo
from ..algorithms.constant_step import constant_step
from ..algorithms.datasets import Population
from ..algorithms.independent_gradient import independent_gradient
from ..algorithms.independent_mirror_descent import independent_mirror_descent
from ..algorithms.joint_mirror_descent import joint_mirror_descent
from ..algorithms.multi_agent_ppo import multi_agent_ppo
from ..algorithms.pessimistic_general import pessimistic_finite, pessimistic_finite_joint
from ..algorithms.pessimistic_linear import (
    pessimistic_ppo,
    pessimistic_ppo_joint,
    repaired_penalty,
    statistical_error,
    theorem_penalty,
)
from ..algorithms.pessimistic_trace import PessimisticTrace
from ..algorithms.recording import Record
from ..algorithms.shared_parameters import shared_parameters
from ..algorithms.trace import Trace
from ..errors import RunError
from ..games.offline import OfflineProblem, theorem_5_5_one_agent, theorem_5_5_two_agents
from ..model import Game
from ..model.features import Features
from .options import (
    BETA,
    CRITIC,
    DISTANCE,
    EVALUATOR,
    FEATURES,
    ITERATIONS,
    PENALTY,
    RADIUS,
    SAMPLES,
    SEED,
    SOLVER,
    STEP,
    Option,
    critic_of,
    data_of,
    evaluator_of,
    features_of,
    solver_of,
)

Options = Mapping[str, Any]
Result = Trace | PessimisticTrace

PROBLEMS: dict[str, Callable[[], OfflineProblem]] = {
    "theorem-5.5-two-agents": theorem_5_5_two_agents,
    "theorem-5.5-one-agent": theorem_5_5_one_agent,
}
"""The named problems with data, counterexamples to Theorem 5.5 (:mod:`mappo_verify.games.offline`)."""

POPULATION_PENALTY = 1000.0
"""``λ`` on the population, where the theorem's own would be infinite."""


@dataclass(frozen=True)
class Entry:
    """An algorithm that can be run by name.

    Attributes
    ----------
    title : str
        What sentences and pictures call it.
    about : str
        What it does, in a sentence: the help of its command.
    options : tuple of Option
        In the order of the help.
    call : callable
        ``(game or problem, options, record)`` to a trace.
    theorem : str, optional
        The claim that bounds its gap (an id of the registry, or of a parent); None if none does.
    offline : bool
        Whether it learns from data, so that it runs on an :class:`~mappo_verify.games.offline.OfflineProblem`.
    example : str
        Options of the example in its help.
    """

    title: str
    about: str
    options: tuple[Option, ...]
    call: Callable[[Any, Options, Record], Result]
    theorem: str | None = None
    offline: bool = False
    example: str = "--game climbing --step 0.2"

    @property
    def defaults(self) -> dict[str, Any]:
        """The options by name, with their defaults."""
        return {option.name: option.default for option in self.options}


def _algorithm_1(algorithm: Callable[..., Trace], ball: str) -> Callable[..., Trace]:
    """Algorithm 1, and its variant with another ball; ``ball`` is the option that has its radius."""

    def call(game: Game, o: Options, record: Record) -> Trace:
        if game.terminates():
            raise RunError(
                f"Algorithm 1 needs stationary distributions, and {game.name or 'this game'} ends; let it begin again with "
                "--restart (and --discount, if its discount is 1), or use constant-step, which needs none"
            )
        features = features_of(o["features"], game, o["seed"])
        return algorithm(
            game,
            o["iterations"],
            beta=o["beta"],
            features=features,
            critic=critic_of(o["critic"], features),
            solver=solver_of(o["solver"]),
            seed=o["seed"],
            record=record,
            **{ball: o[ball]},
        )

    return call


def _stepping(algorithm: Callable[..., Trace], critics_by: Callable[[Game], Features]) -> Callable[..., Trace]:
    """The algorithms with a step ``η`` and a critic."""

    def call(game: Game, o: Options, record: Record) -> Trace:
        critic = critic_of(o["critic"], critics_by(game))
        return algorithm(game, o["iterations"], o["step"], critic=critic, seed=o["seed"], record=record)

    return call


def _single(game: Game) -> Features:
    return Features.tabular(game.as_single_agent())


def _algorithm_2(algorithm: Callable[..., PessimisticTrace], repaired: bool) -> Callable[..., PessimisticTrace]:
    def call(problem: OfflineProblem, o: Options, record: Record) -> PessimisticTrace:
        more = _offline(problem, o, repaired)
        return algorithm(problem, o["iterations"], **more, evaluator=evaluator_of(o["evaluator"]), record=record)

    return call


def _offline(problem: OfflineProblem, o: Options, repaired: bool) -> dict[str, Any]:
    """Data, λ and seed; λ is the theorem's, with the constant 1 and δ = 0.1, for as many draws as there are."""
    data, penalty = data_of(o["samples"]), o["penalty"]
    if penalty is None and isinstance(data, Population):
        penalty = POPULATION_PENALTY
    elif penalty is None:
        error = statistical_error(problem, problem.game.agents, data.size, o["iterations"])  # type: ignore[attr-defined]
        penalty = float(repaired_penalty(problem, error) if repaired else theorem_penalty(problem, error))
    return {"penalty": penalty, "data": data, "seed": o["seed"]}


def _algorithm_4(repaired: bool) -> Callable[..., PessimisticTrace]:
    def call(problem: OfflineProblem, o: Options, record: Record) -> PessimisticTrace:
        classes = problem.classes
        if classes is None:
            with_classes = ", ".join(name for name, make in PROBLEMS.items() if make().classes is not None)
            raise RunError(
                f"Algorithm 4 needs a finite class of critics for each agent, and only --problem {with_classes} comes with "
                "them; for classes of your own call mappo_verify.algorithms.pessimistic_finite()"
            )
        more = _offline(problem, o, repaired)
        if repaired:
            return pessimistic_finite_joint(problem, classes[-1], o["iterations"], **more, record=record)
        return pessimistic_finite(problem, classes, o["iterations"], **more, record=record)

    return call


STEPPING = (ITERATIONS, STEP, CRITIC, SEED)
OFFLINE = (ITERATIONS, SAMPLES, PENALTY, SEED)
LINEAR = (ITERATIONS, SAMPLES, PENALTY, EVALUATOR, SEED)
ON_DATA = "--problem theorem-5.5-two-agents --samples 10000"
ALGORITHMS: dict[str, Entry] = {
    "algorithm-1": Entry(
        "Algorithm 1",
        "Algorithm 1: multi-agent PPO, each agent conditioned on those before it.",
        (ITERATIONS, BETA, RADIUS, CRITIC, SOLVER, FEATURES, SEED),
        _algorithm_1(multi_agent_ppo, "radius"),
        "theorem-4.5",
        example="--game climbing --solver sgd:100 --radius 5",
    ),
    "algorithm-1-repaired": Entry(
        "Algorithm 1 repaired",
        "Algorithm 1 with Algorithm 3 projecting about the current parameters: Theorem 4.5 holds as printed.",
        (ITERATIONS, BETA, DISTANCE, CRITIC, SOLVER, FEATURES, SEED),
        _algorithm_1(bounded_steps_ppo, "distance"),
        "theorem-4.5",
        example="--game climbing --solver sgd:100",
    ),
    "constant-step": Entry(
        "constant step",
        "The ideal update of Algorithm 1 with a step that does not depend on K; games may end.",
        STEPPING,
        _stepping(constant_step, Features.tabular),
        "theorem-4.5/exact-rate-in-rewards",
    ),
    "independent-gradient": Entry(
        "independent gradient",
        "Baseline: every agent climbs J along the exact gradient of its own softmax policy.",
        STEPPING,
        _stepping(independent_gradient, Features.product),
    ),
    "independent-mirror-descent": Entry(
        "independent mirror descent",
        "Baseline: Algorithm 1's mirror step for agents that ignore each other's actions.",
        STEPPING,
        _stepping(independent_mirror_descent, Features.product),
    ),
    "shared-parameters": Entry(
        "shared parameters",
        "Baseline: one policy for all agents, as shared-parameter PPO has it; equal action sets.",
        STEPPING,
        _stepping(shared_parameters, Features.product),
    ),
    "joint-mirror-descent": Entry(
        "joint mirror descent",
        "Baseline: one agent that chooses the joint action.",
        STEPPING,
        _stepping(joint_mirror_descent, _single),
        "theorem-4.5/exact-rate-in-rewards",
    ),
    "algorithm-2": Entry(
        "Algorithm 2 as printed",
        "Algorithm 2 as printed: pessimistic PPO with linear critics, one for each agent.",
        LINEAR,
        _algorithm_2(pessimistic_ppo, False),
        "theorem-5.5",
        True,
        ON_DATA,
    ),
    "algorithm-2-repaired": Entry(
        "Algorithm 2 repaired",
        "Algorithm 2 repaired: one joint critic, and its averages for the agents.",
        LINEAR,
        _algorithm_2(pessimistic_ppo_joint, True),
        "theorem-5.5",
        True,
        ON_DATA,
    ),
    "algorithm-4": Entry(
        "Algorithm 4 as printed",
        "Algorithm 4 as printed: pessimistic PPO with a finite class of critics for each agent.",
        OFFLINE,
        _algorithm_4(False),
        "theorem-d.7",
        True,
        ON_DATA,
    ),
    "algorithm-4-repaired": Entry(
        "Algorithm 4 repaired",
        "Algorithm 4 repaired: one finite class of joint critics.",
        OFFLINE,
        _algorithm_4(True),
        "theorem-d.7",
        True,
        ON_DATA,
    ),
}
"""In the order of the help."""
