"""Games from files, and from the text that a user types: a name or a path."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction

from ..arithmetic import System, like
from ..arithmetic.explained import explained
from ..errors import FileError, GameError
from ..model import Game
from ..model.validation import require_below_one
from .dpomdp import load_dpomdp
from .files import load_json
from .large import load_npz
from .named import NAMED, named_game
from .pomdp import load_pomdp
from .untrusted import PathLike, chosen_discount, shown

READERS: dict[str, Callable[[PathLike, int | str | Fraction | None], Game]] = {
    ".json": load_json,
    ".json.gz": load_json,
    ".dpomdp": load_dpomdp,
    ".dpomdp.gz": load_dpomdp,
    ".pomdp": load_pomdp,
    ".pomdp.gz": load_pomdp,
    ".npz": lambda path, discount: _discounted(load_npz(path), discount),
}
"""How a file name ends, and who reads it."""


def _discounted(game: Game, discount: int | str | Fraction | None) -> Game:
    """A float game, with another discount where one is asked for."""
    chosen = chosen_discount(discount)
    if chosen is None:
        return game
    require_below_one(like(chosen, System.RATIONALS), float(chosen))
    return game.with_discount(float(chosen))


@explained
def load_game(path: PathLike, discount: int | str | Fraction | None = None) -> Game:
    """The game in a file: our JSON (``docs/game-format.md``), ``.dpomdp`` or ``.pomdp``, each possibly with ``.gz``, or ``.npz``.

    ``discount``, an int, a Fraction or a string such as ``"0.95"``, replaces the file's own; many ``.dpomdp`` say 1.
    Raises :class:`~mappo_verify.errors.FileError` naming the file, the line or JSON path, and the value.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise FileError(f"{shown(path)} is not a path")
    for suffix, read in READERS.items():
        if os.fspath(path).lower().endswith(suffix):
            return read(path, discount)
    raise FileError(f"{path}: games are read from files that end in {', '.join(READERS)}")


@explained
def resolve_game(text: str, discount: int | str | Fraction | None = None) -> Game:
    """A game by name (``climbing``, ``penalty:-30``) or from a file; a file that is called like a game needs ``./``.

    ``discount`` replaces the game's own.  Raises :class:`~mappo_verify.errors.GameError` where ``text`` is neither.
    """
    if text.partition(":")[0] in NAMED:
        game, chosen = named_game(text), chosen_discount(discount)
        return game if chosen is None else game.with_discount(like(chosen, game.system))
    if text.lower().endswith(tuple(READERS)):
        return load_game(text, discount)
    raise GameError(
        f"{shown(text)} is neither a named game ({', '.join(NAMED)}) nor a file that ends in {', '.join(READERS)}"
    )
