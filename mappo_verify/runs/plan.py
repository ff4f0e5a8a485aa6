"""What a run was asked to do, as plain data, and how that becomes a call of an algorithm.

A :class:`Plan` names an algorithm, a game (or a problem with data), and options; what is left out has a default.  The same plan
always gives the same run.

>>> from mappo_verify.algorithms.recording import in_memory
>>> plan = Plan("constant-step", game="climbing", options={"iterations": 50, "step": 0.2})
>>> trace = plan.follow(plan.subject(), in_memory)
>>> print(trace.algorithm, trace.iterations, trace.returns(plan.subject().floats())[-1].round(3))
constant_step 50 11.0
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..algorithms.constant_step import constant_step
from ..algorithms.critics import Critic, ExactCritic, MonteCarloCritic, NoisyCritic, RegressionCritic
from ..algorithms.datasets import Data, Population, Samples
from ..algorithms.improvement_solver import ExactFit, Solver, StochasticGradient
from ..algorithms.independent_gradient import independent_gradient
from ..algorithms.independent_mirror_descent import independent_mirror_descent
from ..algorithms.joint_mirror_descent import joint_mirror_descent
from ..algorithms.multi_agent_ppo import multi_agent_ppo
from ..algorithms.pessimistic_general import pessimistic_finite, pessimistic_finite_joint
from ..algorithms.pessimistic_linear import (
    ClassThroughout,
    Evaluator,
    InClass,
    Unconstrained,
    pessimistic_ppo,
    pessimistic_ppo_joint,
    repaired_price,
    statistical_error,
    theorem_price,
)
from ..algorithms.pessimistic_trace import PessimisticTrace
from ..algorithms.recording import Record
from ..algorithms.shared_parameters import shared_parameters
from ..algorithms.trace import Trace
from ..errors import RunError
from ..games.continuing import restarted
from ..games.loading import resolve_game
from ..games.offline import OfflineProblem, one_agent_gap, tabular_problem, two_agent_classes, two_agent_gap
from ..model import Game
from ..model.features import Features
from ..quantities.optimal import optimal

Options = Mapping[str, Any]
Result = Trace | PessimisticTrace

PROBLEMS: dict[str, Callable[[], OfflineProblem]] = {"two-agent-gap": two_agent_gap, "one-agent-gap": one_agent_gap}
"""The named problems with data (:mod:`mappo_verify.games.offline`)."""
EVALUATORS: dict[str, Callable[[], Evaluator]] = {
    "in-class": InClass,
    "class-throughout": ClassThroughout,
    "unconstrained": Unconstrained,
}

POPULATION_PRICE = 1000.0
"""``λ`` on the population, where the theorem's own would be infinite."""


# --- options that are written as words -----------------------------------------------------------------------------------


def critic_of(text: str, features: Features) -> Critic:
    """``exact``, ``noisy:ERROR``, ``monte-carlo:ROLLOUTS`` or ``regression:SAMPLES``."""
    head, argument = _parts("critic", text, {"exact": None, "noisy": float, "monte-carlo": int, "regression": int})
    if head == "regression":
        return RegressionCritic(features, argument)
    return {"exact": lambda _: ExactCritic(), "noisy": NoisyCritic, "monte-carlo": MonteCarloCritic}[head](argument)


def solver_of(text: str) -> Solver:
    """``exact``, or Algorithm 3 in ``T`` steps: ``sgd:T`` from 0 as printed, ``sgd-repaired:T`` from the current parameters."""
    head, argument = _parts("solver", text, {"exact": None, "sgd": int, "sgd-repaired": int})
    if head == "exact":
        return ExactFit()
    return StochasticGradient(argument, start="zero" if head == "sgd" else "current")


def features_of(text: str, game: Game, seed: int) -> Features:
    """``tabular``, or ``random:D``."""
    head, argument = _parts("features", text, {"tabular": None, "random": int})
    return Features.tabular(game) if head == "tabular" else Features.random(game, argument, seed)


def data_of(text: str) -> Data:
    """``population``, or the number of draws."""
    return Population() if text == "population" else Samples(_number("samples", text, int))


def evaluator_of(text: str) -> Evaluator:
    """``in-class``, ``class-throughout`` or ``unconstrained``."""
    head, _ = _parts("evaluator", text, dict.fromkeys(EVALUATORS))
    return EVALUATORS[head]()


def _parts(name: str, text: str, kinds: Mapping[str, Callable[[str], Any] | None]) -> tuple[str, Any]:
    """What is before the colon, and the number after it."""
    head, colon, argument = text.partition(":")
    forms = ", ".join(key if kind is None else f"{key}:NUMBER" for key, kind in kinds.items())
    if head not in kinds or (kinds[head] is None) != (not colon):
        raise RunError(f"--{name} {text!r} is none of {forms}")
    kind = kinds[head]
    return head, None if kind is None else _number(name, argument, kind)


def _number(name: str, text: str, kind: Callable[[str], Any]) -> Any:
    if not re.fullmatch(r"[0-9]{1,15}" if kind is int else r"[0-9.eE+-]{1,30}", text):
        raise RunError(f"--{name}: {text!r} is no {'whole number' if kind is int else 'number'}")
    try:
        return kind(text)
    except ValueError:
        raise RunError(f"--{name}: {text!r} is no number") from None


# --- the algorithms --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """An algorithm that can be run by name: what it is called for people, the options that it has, and the call."""

    title: str
    defaults: Options
    call: Callable[[Any, Options, Record], Result]
    theorem: str | None
    """The claim that bounds its gap (an id of the registry, or of a parent); None if none does."""
    offline: bool = False
    """Whether it learns from data, so that it runs on a problem."""
    single: bool = False
    """Whether one agent chooses for everybody."""


def _algorithm_1(game: Game, o: Options, record: Record) -> Trace:
    features = features_of(o["features"], game, o["seed"])
    return multi_agent_ppo(
        game,
        o["iterations"],
        beta=o["beta"],
        radius=o["radius"],
        features=features,
        critic=critic_of(o["critic"], features),
        solver=solver_of(o["solver"]),
        seed=o["seed"],
        record=record,
    )


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
    """Data, price and seed; the price is the theorem's, with the constant 1 and δ = 0.1, for as many draws as there are."""
    data, price = data_of(o["samples"]), o["price"]
    if price is None and isinstance(data, Population):
        price = POPULATION_PRICE
    elif price is None:
        error = statistical_error(problem, problem.game.agents, data.size, o["iterations"])  # type: ignore[attr-defined]
        price = float(repaired_price(problem, error) if repaired else theorem_price(problem, error))
    return {"price": price, "data": data, "seed": o["seed"]}


def _algorithm_4(repaired: bool) -> Callable[..., PessimisticTrace]:
    def call(problem: OfflineProblem, o: Options, record: Record) -> PessimisticTrace:
        if problem.game.name != "two-agent-gap":
            raise RunError(
                "Algorithm 4 needs a finite class of critics, and only --problem two-agent-gap comes with one; for a class of "
                "your own call mappo_verify.algorithms.pessimistic_finite()"
            )
        classes, more = two_agent_classes(), _offline(problem, o, repaired)
        if repaired:
            return pessimistic_finite_joint(problem, classes[-1], o["iterations"], **more, record=record)
        return pessimistic_finite(problem, classes, o["iterations"], **more, record=record)

    return call


COMMON: Options = {"iterations": 1000, "seed": 0}
STEPPING: Options = {**COMMON, "step": 0.1, "critic": "exact"}
OFFLINE: Options = {**COMMON, "samples": "population", "price": None}
LINEAR: Options = {**OFFLINE, "evaluator": "in-class"}
ALGORITHMS: dict[str, Entry] = {
    "algorithm-1": Entry(
        "Algorithm 1",
        {**COMMON, "beta": None, "radius": None, "critic": "exact", "solver": "exact", "features": "tabular"},
        _algorithm_1,
        "theorem-4.5",
    ),
    "constant-step": Entry(
        "constant step", STEPPING, _stepping(constant_step, Features.tabular), "theorem-4.5/exact-rate"
    ),
    "independent-gradient": Entry(
        "independent gradient", STEPPING, _stepping(independent_gradient, Features.product), None
    ),
    "independent-mirror-descent": Entry(
        "independent mirror descent", STEPPING, _stepping(independent_mirror_descent, Features.product), None
    ),
    "shared-parameters": Entry("shared parameters", STEPPING, _stepping(shared_parameters, Features.product), None),
    "joint-mirror-descent": Entry(
        "joint mirror descent",
        STEPPING,
        _stepping(joint_mirror_descent, _single),
        "theorem-4.5/exact-rate",
        single=True,
    ),
    "algorithm-2": Entry("Algorithm 2 as printed", LINEAR, _algorithm_2(pessimistic_ppo, False), "theorem-5.5", True),
    "algorithm-2-repaired": Entry(
        "Algorithm 2 repaired", LINEAR, _algorithm_2(pessimistic_ppo_joint, True), "theorem-5.5", True
    ),
    "algorithm-4": Entry("Algorithm 4 as printed", OFFLINE, _algorithm_4(False), "theorem-d.7", True),
    "algorithm-4-repaired": Entry("Algorithm 4 repaired", OFFLINE, _algorithm_4(True), "theorem-d.7", True),
}
"""In the order in which people read them."""


# --- plans ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """An algorithm, what it runs on (a ``game``, or a named ``problem`` with data), and its options.

    Attributes
    ----------
    algorithm : str
        A key of :data:`ALGORITHMS`.
    game : str, optional
        A named game or a file, as :func:`~mappo_verify.games.loading.resolve_game` takes it.
    problem : str, optional
        A key of :data:`PROBLEMS`, for the algorithms that learn from data.
    discount : str, optional
        Replaces the game's.
    restart : bool
        Whether the game begins again when it ends (:func:`~mappo_verify.games.continuing.restarted`).
    options : Mapping
        By name; what is missing has its default.

    Raises
    ------
    RunError
        For an unknown algorithm, problem or option, and where not exactly one of ``game`` and ``problem`` is given.
    """

    algorithm: str
    game: str | None = None
    problem: str | None = None
    discount: str | None = None
    restart: bool = False
    options: Options = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise RunError(f"no algorithm is called {self.algorithm[:60]!r}; there are {', '.join(ALGORITHMS)}")
        if (self.game is None) == (self.problem is None):
            raise RunError(
                f"{self.algorithm} needs one of --game and --problem" if self.entry.offline else "give --game"
            )
        if self.problem is not None and not self.entry.offline:
            raise RunError(f"{self.algorithm} uses no data; give --game instead of --problem")
        if self.problem is not None and self.problem not in PROBLEMS:
            raise RunError(f"no problem is called {self.problem[:60]!r}; there are {', '.join(PROBLEMS)}")
        if self.problem is not None and (self.restart or self.discount is not None):
            raise RunError("--discount and --restart change a game; a problem is what it is")
        unknown = set(self.options) - set(self.entry.defaults)
        if unknown:
            raise RunError(
                f"{self.algorithm} has no option {', '.join(sorted(unknown))}; it has {', '.join(self.entry.defaults)}"
            )
        object.__setattr__(self, "options", {**self.entry.defaults, **self.options})

    @property
    def entry(self) -> Entry:
        """The algorithm."""
        return ALGORITHMS[self.algorithm]

    @property
    def title(self) -> str:
        """Algorithm and subject for people."""
        return f"{self.entry.title} on {self.problem or self.game}"

    def subject(self) -> Game | None:
        """The exact game, or None for a named problem.

        Where γ = 0 nothing after the first move counts, so a game that ends may as well begin again; then it has the
        stationary distributions that Algorithm 1 and its theorem need.
        """
        if self.game is None:
            return None
        game = resolve_game(self.game, self.discount).exact()
        again = self.restart or (not game.discount.any() and not self.entry.offline and game.start is not None)
        return restarted(game) if again and game.terminates() else game

    def follow(self, subject: Game | None, record: Record) -> Result:
        """Run it on what :meth:`subject` returned, or on what was stored of that."""
        if self.entry.offline:
            problem = PROBLEMS[self.problem]() if self.problem else _uniform_data(subject)
            return self.entry.call(problem.floats(), self.options, record)
        assert subject is not None
        if self.algorithm == "algorithm-1" and subject.terminates():
            raise RunError(
                f"Algorithm 1 needs stationary distributions, and {self.game} ends; let it begin again with --restart "
                "(and --discount, if its discount is 1), or use constant-step, which needs none"
            )
        return self.entry.call(subject.floats(), self.options, record)


def _uniform_data(game: Game | None) -> OfflineProblem:
    """One-hot features, uniform data, against an optimal policy."""
    assert game is not None
    return tabular_problem(game, optimal(game).policy)
