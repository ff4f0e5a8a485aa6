"""Decentralised POMDP files (``.dpomdp``), read with full observability: cooperative Markov games, exactly.

The format is that of the MADP toolbox (``example.dpomdp`` there is its reference).  States, the actions of every
agent, transitions, rewards, discount and start are kept; agents are assumed to see the state, so observations matter
only where a reward depends on them.  A reward of the next state and the joint observation is averaged, exactly::

    r(s, a) = Σ_{s'} P(s' | s, a) Σ_o O(o | a, s') R(s, a, s', o)

Decimals are read as the rationals that they write.  Later lines override earlier ones, entry by entry; rewards that no
line gives are 0.  A transition row that no line gives is an error.  A row that misses 1 by at most 1e-6, as printed
decimals may, is divided by its exact sum, and the logger ``mappo_verify.games`` says so; any other row that misses 1 is
an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import Array, moveaxis, support
from ..errors import GameError
from ..model import Game
from ..model.agents import joint_action
from .dpomdp_declarations import ALL, LINE_COST, ROW_ROUNDING, Assignment, Declarations, logger
from .untrusted import MAX_ENTRIES, PathLike, chosen_discount, read_bytes, told


def load_dpomdp(path: PathLike, discount: int | str | Fraction | None = None) -> Game:
    """The game in a ``.dpomdp`` or ``.dpomdp.gz`` file, over the rationals; ``discount`` replaces the file's own.

    Raises :class:`~mappo_verify.errors.FileError` naming the file, the line and the value.
    """
    chosen = chosen_discount(discount)
    return Reader(path, read_bytes(path)).game(chosen)


class Reader(Declarations):
    """The tables that the declarations of one file amount to."""

    # -- tables -------------------------------------------------------------------------------------------------------

    def _transition(self, assignments: list[Assignment]) -> Array:
        """``P`` as ``[|A_1|, ..., |A_N|, S, S]``, every row summing to exactly 1."""
        states = self.states.size
        table = np.full((*self.sizes, states, states), self.zero, dtype=object)
        lines = np.zeros((*self.sizes, states), dtype=np.int32)
        for entry in assignments:
            action, state, target = entry.places
            self._fill(entry.line, table, action + state + target, entry.value)
            lines[action + state] = entry.line
        for index in np.argwhere(lines == 0)[:1]:
            name = self._row_name(index.tolist())
            self.fail(None, f"no T line gives {name}; where the state stays as it is, say 'identity'")
        self._close_rows(table, lines)
        return table

    def _close_rows(self, table: npt.NDArray[Any], lines: npt.NDArray[Any]) -> None:
        """Divide rows that decimals rounded by their exact sum, in place; refuse rows that miss 1 by more."""
        sums = table.sum(-1)
        off = [tuple(index) for index in np.argwhere(sums != 1).tolist()]
        for at in off:
            self._require_near_one(sums[at], int(lines[at]), self._row_name(at))
            table[at] = table[at] / sums[at]
        if off:
            at = off[0]
            message = "%s: %d rows missed 1 by at most 1e-6 and were divided by their sums; the first, %s, sums to %s"
            logger.warning(message, self.path, len(off), self._row_name(at), told(self.fraction(sums[at])))

    def _row_name(self, index: Sequence[int]) -> str:
        *actions, state = index
        joint = " ".join(names[action] for names, action in zip(self.actions, actions, strict=True))
        return f"P(· | state {self.states[state]}, joint action {joint})"

    def _reward(self, assignments: list[Assignment], transition: Array, observed: list[Assignment]) -> Array:
        """``r`` as ``[S, A]``, averaged over next states and observations where the lines distinguish them."""
        states, actions = self.states.size, prod(self.sizes)
        assignments = [self._simplified(entry) for entry in assignments]
        everything = (ALL,) * len(self.sizes)
        by_next = any(entry.places[2] != (ALL,) or np.ndim(entry.value) > len(self.sizes) for entry in assignments)
        by_observation = any(entry.places[3] != everything or self._varies(entry.value) for entry in assignments)
        shape = (
            *self.sizes,
            states if by_next else 1,
            *(self._observation_sizes if by_observation else (1,) * len(self.sizes)),
        )
        last = assignments[-1].line if assignments else 1
        if prod(shape) > MAX_ENTRIES:
            what = "rewards by next state and observation"
            self.fail(last, f"{what} need {prod(shape)} entries; the limit is {MAX_ENTRIES}")
        self._spend(last, states * prod(shape))
        result = np.full((states, actions), self.zero, dtype=object)
        observation = self._observation(observed, last) if by_observation else None
        for state, entries in enumerate(self._by_state(assignments, states)):
            table = np.full(shape, self.zero, dtype=object)
            for entry in entries:
                action, _, target, seen = entry.places
                self._fill(entry.line, table, action + target + seen, entry.value)
            table = table.reshape(actions, shape[len(self.sizes)], -1)
            if not by_next and not by_observation:
                result[state] = table[:, 0, 0]
                continue
            row = transition[..., state, :].reshape(actions, states)
            expected = table[..., 0] if observation is None else self._over_observations(table, row, observation)
            result[state] = (row * expected).sum(-1)
        return result

    def _simplified(self, entry: Assignment) -> Assignment:
        """An R line whose numbers do not vary over an axis says so by its shape, which spares that axis."""
        value = entry.value
        if not np.ndim(value):
            return entry
        agents = len(self.sizes)
        rows = value.reshape(-1, prod(self._observation_sizes))
        if not (rows == rows[:, :1]).all():
            return entry
        if (rows[:, 0] == rows[0, 0]).all():
            return Assignment(entry.line, entry.places, rows[0, 0])
        return Assignment(entry.line, entry.places, rows[:, 0].reshape(-1, *(1,) * agents))

    def _varies(self, value: Any) -> bool:
        """Whether an R line's numbers distinguish observations."""
        return bool(np.ndim(value)) and value.shape[-len(self.sizes) :] != (1,) * len(self.sizes)

    def _by_state(self, assignments: list[Assignment], states: int) -> Iterator[list[Assignment]]:
        """The R lines that speak of each start state, in their order."""
        lists: list[list[Assignment]] = [[] for _ in range(states)]
        for entry in assignments:
            (state,) = entry.places[1]
            if isinstance(state, int):
                lists[state].append(entry)
            else:
                self._spend(entry.line, LINE_COST * states)
                for each in lists:
                    each.append(entry)
        yield from lists

    def _observation(self, assignments: list[Assignment], line: int) -> Array:
        """``O`` as ``[A, S, |O_1|···|O_N|]``; its rows are judged where a reward needs them."""
        shape = (*self.sizes, self.states.size, *self._observation_sizes)
        if prod(shape) > MAX_ENTRIES:
            self.fail(line, f"rewards of observations need O with {prod(shape)} entries; the limit is {MAX_ENTRIES}")
        table = np.full(shape, self.zero, dtype=object)
        for entry in assignments:
            action, target, seen = entry.places
            self._fill(entry.line, table, action + target + seen, entry.value)
        return table.reshape(prod(self.sizes), self.states.size, -1)

    def _over_observations(self, table: Array, row: Array, observation: Array) -> Array:
        """``Σ_o O(o | a, s') R(s, a, s', o)`` as ``[A, S']``, wherever ``s'`` is reached; 0 elsewhere."""
        action, target = np.nonzero(support(row))
        rewards = table[action, target if table.shape[1] > 1 else 0]
        expected = np.full(row.shape, self.zero, dtype=object)
        expected[action, target] = rewards[:, 0]
        matters = ~(rewards == rewards[:, :1]).all(-1)
        action, target, rewards = action[matters], target[matters], rewards[matters]
        if not len(action):
            return expected
        chances = observation[action, target]
        sums = chances.sum(-1)
        for at in np.flatnonzero(sums != 1):
            joint = " ".join(
                names[i] for names, i in zip(self.actions, joint_action(int(action[at]), self.sizes), strict=True)
            )
            name = f"O(· | joint action {joint}, next state {self.states[int(target[at])]}), which a reward depends on,"
            if abs(sums[at] - 1) > self.rational(ROW_ROUNDING):
                self.fail(None, f"{name} sums to {told(self.fraction(sums[at]))}, not to 1")
        expected[action, target] = (chances * rewards).sum(-1) / sums
        return expected

    # -- the game -----------------------------------------------------------------------------------------------------

    def game(self, discount: Fraction | None) -> Game:
        """All of the file; ``discount`` replaces its own."""
        written = self._discount() if discount is None or "discount" in self.header else None
        cost, start = self._is_cost(), self._start()
        lines: dict[str, list[Assignment]] = {"T": [], "O": [], "R": []}
        for section in self.body:
            lines[section.keyword].append(self._assignment(section))
        transition = self._transition(lines["T"])
        reward = self._reward(lines["R"], transition, lines["O"])
        states, actions = self.states.size, prod(self.sizes)
        named = any(names.names for names in self.actions)
        action_names = tuple(tuple(names[i] for i in range(names.size)) for names in self.actions)
        try:
            return Game(
                moveaxis(transition.reshape(actions, states, states), 0, 1),
                -reward if cost else reward,
                np.asarray(written if discount is None else self.rational(discount), dtype=object),
                self.sizes,
                start=start,
                state_names=self.states.names,
                action_names=action_names if named else None,
                name=re.sub(r"\.d?pomdp(\.gz)?$", "", Path(self.path).name, flags=re.IGNORECASE),
            )
        except GameError as error:
            self.fail(None, str(error))
