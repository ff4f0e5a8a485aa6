"""The options of algorithms that run by name: what each is called, means and may be, and how its words are read.

The command line and ``run.json`` follow from this: adding an option is one :class:`Option` in the row of its algorithm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..algorithms.bounded_steps import DISTANCE as STEP_RADIUS
from ..algorithms.critics import Critic, ExactCritic, MonteCarloCritic, NoisyCritic, RegressionCritic
from ..algorithms.datasets import Data, Population, Samples
from ..algorithms.pessimistic_linear import ClassThroughout, Evaluator, InClass, Unconstrained
from ..algorithms.projection_step import ExactFit, Solver, StochasticGradient
from ..errors import RunError
from ..model import Game
from ..model.features import Features


@dataclass(frozen=True)
class Option:
    """One option of an algorithm.

    Attributes
    ----------
    name : str
        As Python and ``run.json`` have it.
    kind : type
        ``int``, ``float`` or ``str``.
    default : int, float, str or None
        None where the algorithm finds its own.
    about : str
        What it is, its range, and what the default means where that is None.
    sign : str
        What stands for the value in the help.
    flags : tuple of str
        Other ways to write it on the command line than ``--name``.
    least : int, optional
        The smallest value that is allowed.
    """

    name: str
    kind: type
    default: int | float | str | None
    about: str
    sign: str
    flags: tuple[str, ...] = ()
    least: int | None = None

    @property
    def help(self) -> str:
        """What it is, and the default."""
        return self.about if self.default is None else f"{self.about}  Default: {self.default}."


ITERATIONS = Option("iterations", int, 1000, "How many iterations the run has, 1 or more.", "K", ("-k",), least=1)
SEED = Option("seed", int, 0, "Makes everything random reproducible; 0 or more.", "N", least=0)
STEP = Option("step", float, 0.1, "The step size, above 0.", "η", ("--eta",))
BETA = Option("beta", float, None, "β_k = β√K with β above 0.  Default: that of Theorem 4.5 for exact updates.", "β")
RADIUS = Option("radius", float, None, "Keeps ‖θ‖ ≤ R, R above 0; sgd needs it.  Default: no limit.", "R")
DISTANCE = Option(
    "distance",
    float,
    STEP_RADIUS,
    "Keeps ‖θ_{k+1} - θ_k‖ ≤ D, D above 0; up to the default Theorem 4.5 holds as printed.",
    "D",
)
CRITIC = Option(
    "critic",
    str,
    "exact",
    "How Q is estimated: exact, noisy:ERROR (its root mean square, 0 or more), monte-carlo:ROLLOUTS from every state and action, "
    "or regression:SAMPLES.",
    "CRITIC",
)
SOLVER = Option(
    "solver",
    str,
    "exact",
    "How the ideal update is projected onto the policies: exact, or by Algorithm 3 with T samples, sgd:T from 0 as printed or "
    "sgd-repaired:T from the current parameters.",
    "SOLVER",
)
FEATURES = Option("features", str, "tabular", "tabular, or random:D for D random features.", "FEATURES")
SAMPLES = Option(
    "samples",
    str,
    "population",
    "Draws for each iteration and agent, 1 or more; population means infinitely many.",
    "n|population",
)
PENALTY = Option(
    "penalty",
    float,
    None,
    "λ, the weight of the Bellman error, above 0.  Default: the theorem's for n draws, 1000 on the population.",
    "λ",
)
EVALUATOR = Option(
    "evaluator",
    str,
    "in-class",
    "Where the class of critics is enforced.  in-class: on the critic; class-throughout: also in the inner minimum of the "
    "Bellman error, not convex, so slow and for about three features at most; unconstrained: nowhere, by the closed "
    "form of Appendix C.1.",
    "EVALUATOR",
)

EVALUATORS: dict[str, Callable[[], Evaluator]] = {
    "in-class": InClass,
    "class-throughout": ClassThroughout,
    "unconstrained": Unconstrained,
}


# --- options that are written as words --------------------------------------------------------------------------------


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
        raise RunError(f"--{name}: {text!r} is not a {'whole number' if kind is int else 'number'}")
    try:
        return kind(text)
    except ValueError:
        raise RunError(f"--{name}: {text!r} is not a number") from None
