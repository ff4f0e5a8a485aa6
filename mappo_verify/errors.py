"""The errors a user can meet. Each message names the cause, the place and, where there is one, the cure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

OPEN: list[list[BaseException]] = []
"""The errors that were made in each proof that is being evaluated, the innermost last.

One list for all threads and contexts: a proof could leave its own, as by ``contextvars.Context().run`` or a thread of a pool.
"""


@contextmanager
def noting() -> Iterator[list[BaseException]]:
    """While a proof is evaluated: the errors that are made meanwhile, whether they are caught or not."""
    noted = list[BaseException]()
    OPEN.append(noted)
    try:
        yield noted
    finally:
        OPEN[:] = [other for other in OPEN if other is not noted]


def evaluating() -> bool:
    """Whether a proof is being evaluated, in any thread: it may have begun this one."""
    return bool(OPEN)


def note(error: BaseException) -> None:
    """Remember an error that numbers raise: a proof that went on after one would have learned something of them."""
    if OPEN:
        OPEN[-1].append(error)


class MappoVerifyError(Exception):
    """Base of every error that the toolkit raises on purpose."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        note(self)


class Sealed:
    """What verdicts rest on.  A subclass could answer the engine otherwise than a reader thinks, so there is none."""

    __slots__ = ()

    def __init_subclass__(cls, **more: object) -> None:
        super().__init_subclass__(**more)
        if Sealed not in cls.__bases__:
            raise ClaimError(
                f"class {cls.__name__}: {cls.__bases__[0].__name__} has no subclasses; make one by calling it"
            )


class GameError(MappoVerifyError, ValueError):
    """A game, a policy or a distribution is malformed; the message names the index and the value."""


class ArgumentError(GameError, TypeError):
    """The arguments of a call do not fit; the message names the function, what was given and what it takes."""


class MixedArithmeticError(MappoVerifyError, TypeError):
    """Two number systems met in one object or one formula."""


class ExactnessError(MappoVerifyError, ArithmeticError):
    """An operation has no exact result in this number system (for instance ``exp(1/2)`` on rationals)."""


class UndecidedError(MappoVerifyError, ArithmeticError):
    """A ball is too wide to decide what the formula needs to know; raise the precision."""


class SingularError(MappoVerifyError, ArithmeticError):
    """A linear system has no unique solution; for values this means that ``I - γP_π`` is singular."""


class InterruptedRunError(MappoVerifyError, RuntimeError):
    """An algorithm could not go on; ``trace`` holds the iterations that it completed, and ``__cause__`` says what happened."""

    def __init__(self, message: str, trace: object) -> None:
        super().__init__(message)
        self.trace = trace


class SolverError(MappoVerifyError, RuntimeError):
    """A numerical solver did not reach an optimum that can be certified."""


class InfeasibleError(SolverError):
    """The constraints of an optimisation problem exclude each other."""


class FileError(MappoVerifyError, ValueError):
    """A file cannot be read as a game; the message names the line or the JSON path."""


class RunError(MappoVerifyError, ValueError):
    """A run cannot be begun, read or continued as asked; the message names the file or the option, and the cure."""


class ClaimError(MappoVerifyError, ValueError):
    """A claim, a setting or an instance is used in a way that its definition does not allow."""


def require_printable(what: str, text: object) -> None:
    """An error for words with control characters or line breaks: a terminal would obey them, and show another verdict.

    So it would for what is no plain ``str``, which says something else whenever it is asked.
    """
    if type(text) is not str:
        raise ClaimError(f"{what} is a {type(text).__name__} in place of a plain str")
    if not text.isprintable():
        bad = next(place for place, letter in enumerate(text) if not letter.isprintable())
        raise ClaimError(
            f"{what} has the character {text[bad]!a} at {bad}, which cannot be printed; write one plain line"
        )


class FormulaError(MappoVerifyError, TypeError):
    """A formula does to the numbers of an instance what no formula may; the message says what to write instead."""


class CampaignError(MappoVerifyError, ValueError):
    """A campaign cannot be begun, read, continued or merged as asked; the message names the ledger and the cure."""


class ConformanceError(MappoVerifyError, ValueError):
    """A hook of the conformance kit cannot be called, or returns what is no array of numbers; the message names the cure."""
