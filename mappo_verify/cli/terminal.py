"""What all commands share: the terminal, options, progress, checks before the work, files after it, and errors."""

from __future__ import annotations

import io
import json
import os
import sys
import textwrap
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

if TYPE_CHECKING:
    from ..model import Game

NARROWEST = 60
"""Columns below which nothing can be read; Rich prints nothing at all where there are 0."""


def console(stderr: bool = False) -> Console:
    """A console that is never narrower than :data:`NARROWEST`."""
    made = Console(stderr=stderr)
    if made.width < NARROWEST:
        made.width = NARROWEST
    return made


output, errors = console(), console(stderr=True)

MAX_MESSAGE = 1_000
"""Characters of an error that are shown; a user's own words may stand in it."""
GAME_HELP = (
    "A named game (climbing, penalty:-30, two-step, random:3x2x2:7, ...) or a file (.json, .dpomdp, .pomdp, also .gz)."
)
GameOption = Annotated[str | None, typer.Option("--game", "-g", metavar="FILE|NAME", help=GAME_HELP)]
DiscountOption = Annotated[
    str | None,
    typer.Option(
        "--discount", metavar="γ", help="Replace the game's discount, for instance 9/10 or 0.95. Files often say 1."
    ),
]
SeedOption = Annotated[int, typer.Option(help="Makes every instance reproducible.", min=0)]


def say(text: str) -> None:
    """A line on standard output, as it is: not wrapped, and without markup or colours."""
    output.print(text, markup=False, highlight=False, soft_wrap=True)


def say_fitted(text: str) -> None:
    """The same where others read it; on a terminal no line is cut in a word, and what is carried over is indented."""
    if output.is_terminal or "COLUMNS" in os.environ:
        fit = textwrap.TextWrapper(
            output.width, subsequent_indent=" " * 12, break_long_words=False, break_on_hyphens=False
        )
        text = "\n".join(map(fit.fill, text.splitlines()))
    say(text)


def warn(text: str) -> None:
    """A line on standard error, as it is."""
    errors.print(text, markup=False, highlight=False, soft_wrap=True)


def game_of(name: str | None, discount: str | None) -> Game | None:
    """The game of ``--game`` with the discount of ``--discount``; None where no game is asked for."""
    if name is None:
        if discount is not None:
            raise typer.BadParameter("--discount changes a game; give --game as well")
        return None
    from ..games.loading import resolve_game

    return resolve_game(name, discount)


def require_writable(target: Path) -> None:
    """A file that can be written; asked before the work, so that no work is lost."""
    if str(target) != "-" and (target.is_dir() or not os.access(target if target.exists() else target.parent, os.W_OK)):
        raise typer.BadParameter(f"cannot write {target}")


def require_place_for(folder: Path) -> None:
    """A folder that exists and can be written to, or that can be made."""
    from ..games.untrusted import closed_place

    if closed_place(folder):
        raise typer.BadParameter(f"cannot write into {folder}")


def make_folder(folder: Path) -> None:
    """Make a folder to write into; done before the work, so that no work is lost."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"cannot make the folder {folder}: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise typer.BadParameter(f"cannot write into the folder {folder}")


def write_json(document: dict[str, Any], target: Path) -> None:
    """A document as a JSON file, or onto standard output where the target is ``-``."""
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    if str(target) == "-":
        sys.stdout.write(text)
        return
    from ..games.untrusted import write_whole

    write_whole(target, text)


class Progress:
    """A live line on standard error while something long runs; nothing where standard error is not a terminal."""

    def __init__(self, title: str) -> None:
        from rich import progress

        self._bar = progress.Progress(
            progress.SpinnerColumn(),
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TimeElapsedColumn(),
            console=errors,
            transient=True,
            disable=not errors.is_terminal,
        )
        self.visible = errors.is_terminal
        self._task = self._bar.add_task(title, total=1.0)

    def __enter__(self) -> Progress:
        if self.visible:  # older Rich ends even a disabled bar in an empty line
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.visible:
            self._bar.stop()

    def __call__(self, text: str, share: float) -> None:
        """Show what is being done, and the share of it that is finished, from 0 to 1."""
        self._bar.update(self._task, description=text, completed=share)


def ending_in_exit_codes(run: Callable[[], None]) -> None:
    """Run the command line: every error that the toolkit raises on purpose ends in one line and exit code 2."""
    from ..errors import MappoVerifyError
    from ..games.untrusted import cut

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # γ and ∞ where the terminal's encoding has none
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            run()
        finally:
            sys.stdout.flush()  # what cannot be written is known now, and not when Python ends
    except MappoVerifyError as error:
        _end(f"[bold red]error:[/] {type(error).__name__}: ", cut(str(error), MAX_MESSAGE))
    except BrokenPipeError:
        _give_up_the_rest()
        sys.exit(0)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # click ends in 1, which means here that something is false
            _give_up_the_rest()
            sys.exit(0)
        raise
    except OSError as error:  # a full or read-only disk, wherever something was written
        place = f"{error.filename}: " if error.filename else ""
        _end("error: ", f"{cut(place, MAX_MESSAGE)}{error.strerror or error}")
    except MemoryError:
        _end("error: ", "the memory does not suffice; ask for less: fewer iterations, samples or states")
    except KeyboardInterrupt:
        errors.print("interrupted")
        sys.exit(130)


def _end(head: str, text: str) -> NoReturn:
    """Say what is wrong, and end in exit code 2, also where standard error is full and nothing can be said."""
    with suppress(OSError):
        errors.print(head, end="")
        warn(text)
    _give_up_the_rest()
    sys.exit(2)


def _give_up_the_rest() -> None:
    """What a stream cannot write is dropped: Python would try again at its end, and end in 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
