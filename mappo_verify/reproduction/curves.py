"""What the reproductions share: where a curve is sampled, when it arrives, how a number is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arithmetic import Array
from ..model import Game

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is finished, 0 to 1."""

DIGITS = 10
"""Significant digits of a written float: fewer than rounding disturbs, so files do not differ between machines."""


def silent(text: str, share: float) -> None:
    """Takes reports of progress and shows nothing."""


def number(value: Any) -> float:
    """A float as it is written."""
    return float(f"{float(value):.{DIGITS}g}")


def numbers(values: Any) -> list[float]:
    """Several of them."""
    return [number(value) for value in np.asarray(values).ravel()]


def spoken(name: str) -> str:
    """An algorithm's key as words.

    >>> spoken("algorithm_1")
    'Algorithm 1'
    """
    return name.replace("_", " ").replace("algorithm", "Algorithm")


def iterations_shown(last: int) -> Array:
    """``0..last``, thinned out: dense at the beginning, where most happens, and evenly spaced later.

    >>> iterations_shown(10).tolist(), len(iterations_shown(20_000)) < 500
    ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], True)
    """
    even, early = np.linspace(0, last, 251), np.geomspace(1, max(last, 1), 200)
    return np.unique(np.concatenate([even, early]).round().astype(int))


def first_at_least(values: Array, level: float) -> int | None:
    """The first index at which a curve reaches ``level``; None if it does not.

    >>> first_at_least(np.array([0.1, 0.5, 0.4]), 0.5), first_at_least(np.array([0.1]), 0.5)
    (1, None)
    """
    reached = np.flatnonzero(values >= level)
    return int(reached[0]) if reached.size else None


def repeated(game: Game, count: int) -> Game:
    """The same game ``count`` times, as a batch: one run for each start, or for each step size."""
    transition = np.stack([game.transition] * count)
    return Game(
        transition,
        game.reward,
        game.discount,
        game.action_sizes,
        start=game.start,
        name=game.name,
        available=game.available,
    )
