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

from dataclasses import dataclass, field

from ..algorithms.recording import Record
from ..arithmetic.explained import explained_class
from ..errors import RunError
from ..games.continuing import restarted
from ..games.loading import resolve_game
from ..games.offline import OfflineProblem, tabular_problem
from ..model import Game
from ..quantities.optimal import optimal
from .algorithms import ALGORITHMS, PROBLEMS, Entry, Options, Result

FORMER_PROBLEMS = {"two-agent-gap": "theorem-5.5-two-agents", "one-agent-gap": "theorem-5.5-one-agent"}
FORMER_OPTIONS = {"price": "penalty"}
"""Names that runs stored by earlier versions have, and what they are called today."""


@explained_class
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
        object.__setattr__(self, "problem", FORMER_PROBLEMS.get(self.problem or "", self.problem))
        object.__setattr__(self, "options", {FORMER_OPTIONS.get(name, name): v for name, v in self.options.items()})
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
            raise RunError(
                "--discount and --restart change a game; leave them out with --problem, which cannot be changed"
            )
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
        again = self.restart or (game.discount == 0 and not self.entry.offline and game.start is not None)
        return restarted(game) if again and game.terminates() else game

    def follow(self, subject: Game | None, record: Record) -> Result:
        """Run it on what :meth:`subject` returned, or on what was stored of that."""
        if self.entry.offline:
            problem = PROBLEMS[self.problem]() if self.problem else _uniform_data(subject)
            return self.entry.call(problem.floats(), self.options, record)
        assert subject is not None
        return self.entry.call(subject.floats(), self.options, record)


def _uniform_data(game: Game | None) -> OfflineProblem:
    """One-hot features, uniform data, against an optimal policy."""
    assert game is not None
    return tabular_problem(game, optimal(game).policy)
