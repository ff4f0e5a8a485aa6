"""Algorithms one iteration at a time, and who keeps what they do.

A :class:`Process` knows how to begin and how to take one step; a :class:`State` is everything that it needs to go on, the
states of its random generators included.  So a run that stops after any step and is taken up again from its state gives
the same numbers, bit for bit, as one that never stopped.  Every algorithm hands its process to a :data:`Record`, which follows
it: :func:`in_memory`, or a folder (:class:`~mappo_verify.runs.storage.Store`) that outlives an interruption.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..arithmetic import Array
from ..model import Game, Policy
from .sampling import Generator


class Column(NamedTuple):
    """What an iteration leaves behind under this name: an array of this shape and NumPy type."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True, eq=False)
class State:
    """Where a run is after ``k`` iterations: the arrays that the next one starts from, and its random generators."""

    k: int
    tables: tuple[Array, ...]
    generators: tuple[Generator, ...] = ()


class Process(ABC):
    """An algorithm on its problem, one iteration at a time."""

    game: Game
    """What the policies play."""
    iterations: int
    """``K``"""
    columns: tuple[Column, ...]
    """What every iteration leaves behind."""
    state_columns: int = 0
    """How many columns, the first ones, hold the tables of the state as they were before the iteration."""

    @abstractmethod
    def begin(self) -> State:
        """Before the first iteration."""

    @abstractmethod
    def step(self, state: State) -> tuple[State, tuple[Array, ...]]:
        """The state after one more iteration (it takes over the generators), and an array for every column."""

    @abstractmethod
    def policy(self, state: State) -> Policy:
        """``π_k``"""

    def steps(self, state: State) -> Iterator[tuple[State, tuple[Array, ...]]]:
        """All iterations that are left, as :meth:`step` returns them."""
        for _ in range(state.k, self.iterations):
            state, row = self.step(state)
            yield state, row


@dataclass(frozen=True, eq=False)
class Recording:
    """What is kept of the first ``state.k`` iterations: a table ``[k, ...]`` for every column, and what ended it too early.

    ``paths`` are the columns that show the state, with the last state as one more row: ``[k + 1, ...]``.
    """

    tables: tuple[Array, ...]
    paths: tuple[Array, ...]
    state: State
    failure: Exception | None = None


Record = Callable[[Process], Recording]
"""Follows a process and returns what it kept."""


def in_memory(process: Process) -> Recording:
    """Runs all iterations and keeps them in memory only."""
    tables = tuple(np.empty((process.iterations + 1, *c.shape), c.dtype) for c in process.columns)
    state, failure = process.begin(), None
    try:
        for state, row in process.steps(state):  # noqa: B020 - the state is what the loop moves
            for table, entry in zip(tables, row, strict=True):
                table[state.k - 1] = entry
    except Exception as error:
        failure = error
    shown = tables[: process.state_columns]
    for table, last in zip(shown, state.tables, strict=False):
        table[state.k] = last
    paths = tuple(table[: state.k + 1] for table in shown)
    return Recording(tuple(table[: state.k] for table in tables), paths, state, failure)
