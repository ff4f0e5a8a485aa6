"""Our own file format, exact JSON.

A game file lists states, actions, discount, start, transitions and rewards; ``docs/game-format.md`` has every field.
Numbers are integers or strings such as ``"3/10"``, ``"0.25"`` or ``"1e-3"``, and mean exactly what is written, also a
bare ``0.25``: nothing passes through a binary float.  Every row ``P(· | s, a)`` is written out and sums to exactly 1;
that the game ends is said, by ``"next": null``, so that a forgotten line is an error and not a termination.

>>> import tempfile, pathlib, mappo_verify.games.named as named
>>> path = pathlib.Path(tempfile.mkdtemp()) / "two-step.json"
>>> save_game(named.two_step(), path)
>>> load_json(path)
Game('two-step', 3 states, actions (2, 2), rationals)
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import prod
from typing import Any, Literal, NamedTuple, NoReturn

import msgspec
import numpy as np
import numpy.typing as npt

from ..arithmetic import Array, System, like, support
from ..arithmetic.explained import explained
from ..errors import FileError, GameError
from ..model import Game
from ..model.agents import joint_action, joint_index
from ..model.validation import ROUNDING, name_complaint, require_below_one
from .large import save_npz
from .untrusted import (
    MAX_AGENTS,
    MAX_BYTES,
    MAX_DIGITS,
    MAX_ENTRIES,
    PathLike,
    chosen_discount,
    decoded,
    exact_number,
    read_bytes,
    require_distinct_names,
    shown,
    size_complaint,
    told,
    write_whole,
)

MAX_OBJECTS = 350_000
"""Entries of a file: decoded, each takes some 500 bytes."""
MAX_LIST = 1_000_000
"""Commas in the JSON of one list of names."""
MAX_VALUE = 2**16
"""Bytes of the JSON of one number, or of one joint action."""
MAX_SUM_BITS = 2**16
"""Bits of the common denominator of one distribution."""

FORMAT, VERSION = "mappo-verify-game", 1
FLOAT_ROUNDING = Fraction(ROUNDING)
"""By how much a row of a file whose numbers are float64 may miss 1."""

# --- reading --------------------------------------------------------------------------------------------------------

Reference = int | str


class _Header(msgspec.Struct):
    """Read first, so that a file of another kind is told so, and not that a field of it is unknown."""

    format: str = ""
    version: int = 0


# Raw: JSON that is read later, where its length is bounded; "[[], [], ...]" would become many times its size.
class _Transition(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    state: Reference
    actions: msgspec.Raw
    next: Reference | None
    probability: msgspec.Raw


class _Reward(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    state: Reference
    actions: msgspec.Raw
    reward: msgspec.Raw


class _Start(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    state: Reference | None
    probability: msgspec.Raw


class _Game(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    version: int
    states: msgspec.Raw
    actions: msgspec.Raw
    discount: msgspec.Raw
    transition: list[_Transition]
    reward: list[_Reward]
    start: list[_Start] | msgspec.UnsetType | None = msgspec.UNSET
    name: str | msgspec.UnsetType = msgspec.UNSET
    arithmetic: Literal["rationals", "floats"] | msgspec.UnsetType = msgspec.UNSET


_HEADER = msgspec.json.Decoder(_Header)
_GAME = msgspec.json.Decoder(_Game)
# Bare decimals arrive as the text that stands in the file.
_VALUE = msgspec.json.Decoder(float_hook=str)
_ACTIONS = msgspec.json.Decoder(list[Reference])
_NAMES = msgspec.json.Decoder(int | list[str])
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])


def _json(raw: msgspec.Raw) -> str:
    """A value as the file writes it."""
    return shown(_VALUE.decode(bytes(raw)))


def load_json(path: PathLike, discount: int | str | Fraction | None = None) -> Game:
    """The game in a ``.json`` or ``.json.gz`` file of our format; ``discount`` replaces the file's own.

    Raises :class:`~mappo_verify.errors.FileError` naming the file, the JSON path and the value.
    """
    chosen = chosen_discount(discount)
    raw = read_bytes(path)
    reader = _Reader(path, _decode(path, raw))
    reader.require_distinct_names(raw)
    return reader.game(chosen)


def _decode(path: PathLike, raw: bytes) -> _Game:
    header = decoded(path, raw, _HEADER)
    if header.format != FORMAT:
        raise FileError(f'{path}: $.format is {shown(header.format)}, not "{FORMAT}"; see docs/game-format.md')
    if header.version != VERSION:
        raise FileError(f"{path}: $.version is {shown(header.version)}; this release reads version {VERSION}")
    if (entries := raw.count(b"{")) > MAX_OBJECTS:
        raise FileError(
            f"{path}: there are {entries} entries; from JSON at most {MAX_OBJECTS} are read, and .npz is for larger games"
        )
    return decoded(path, raw, _GAME)


_Place = str | tuple[str, int, str]
"""A JSON path, or what it is made of: ``("transition", 3, "state")``."""


def _path(place: _Place) -> str:
    return place if isinstance(place, str) else "$.{}[{}].{}".format(*place)


class _Number(NamedTuple):
    """What the file writes, as a rational, and as the game's own arithmetic has it."""

    exact: Any
    value: Any


class _Reader:
    """Turns the decoded file into a game, entry by entry, naming the JSON path of whatever is wrong."""

    def __init__(self, path: PathLike, data: _Game) -> None:
        self.path, self.data = path, data
        from ..arithmetic.rationals import fraction, rational

        self.rational, self.fraction = rational, fraction
        self.numbers: dict[bytes, _Number] = {}
        self.joints: dict[bytes, int] = {}
        self.states, self.state_names, self.state_index = self._names("$.states", data.states)
        self.sizes: tuple[int, ...] = ()
        self.action_names: list[list[str] | None] = []
        self.action_index: list[dict[str, int]] = []
        agents = self._list("$.actions", data.actions)
        if not 1 <= len(agents) <= MAX_AGENTS:
            self.fail("$.actions", f"there are {len(agents)} agents; a game has from 1 to {MAX_AGENTS}")
        for agent, entry in enumerate(agents):
            size, names, index = self._names(f"$.actions[{agent}]", entry)
            self.sizes += (size,)
            self.action_names.append(names)
            self.action_index.append(index)
        complaint = size_complaint(self.states, self.sizes)
        if complaint:
            self.fail("$", complaint)
        self.floats = data.arithmetic == "floats"

    def fail(self, place: _Place, message: str) -> NoReturn:
        raise FileError(f"{self.path}: {_path(place)}: {message}")

    def require_distinct_names(self, raw: bytes) -> None:
        """No object of the file says a name twice; where the colons are as many as the names that count, none does."""
        data = self.data
        optional = sum(field is not msgspec.UNSET for field in (data.start, data.name, data.arithmetic))
        names = 7 + optional + 4 * len(data.transition) + 3 * len(data.reward) + 2 * len(data.start or ())
        if raw.count(b":") != names:
            require_distinct_names(self.path, raw)

    def _list(self, place: str, raw: msgspec.Raw, decoder: msgspec.json.Decoder[Any] = _RAWS) -> Any:
        text = bytes(raw)
        if text.count(b",") > MAX_LIST:
            self.fail(place, f"there are more names than the limit of {MAX_LIST}")
        return decoded(self.path, text, decoder, place)

    def _names(self, place: str, raw: msgspec.Raw) -> tuple[int, list[str] | None, dict[str, int]]:
        """How many, their names, and the index of each name."""
        entry = self._list(place, raw, _NAMES)
        size = entry if isinstance(entry, int) else len(entry)
        if not 1 <= size <= MAX_ENTRIES:
            self.fail(place, f"there are {shown(size)}; there must be from 1 to {MAX_ENTRIES}")
        if isinstance(entry, int):
            return size, None, {}
        index: dict[str, int] = {}
        for position, name in enumerate(entry):
            complaint = name_complaint(name)
            if complaint:
                self.fail(f"{place}[{position}]", complaint)
            if name in index:
                self.fail(f"{place}[{position}]", f"the name {shown(name)} is taken by {place}[{index[name]}]")
            index[name] = position
        return size, entry, index

    def _small(self, place: _Place, raw: msgspec.Raw) -> bytes:
        """The JSON of a value that is short in every game."""
        text = bytes(raw)
        if len(text) > MAX_VALUE:
            start = text[:40].decode(errors="replace")
            self.fail(place, f"{start}... has {len(text)} bytes; no number with more than {MAX_DIGITS} digits is read")
        return text

    def _number(self, place: _Place, raw: msgspec.Raw) -> _Number:
        """The number; equal texts share one object."""
        text = bytes(raw)
        if text not in self.numbers:
            self.numbers[text] = self._read_number(place, raw)
        return self.numbers[text]

    def _read_number(self, place: _Place, raw: msgspec.Raw) -> _Number:
        text = bytes(raw)
        is_bare = text[:1] in b"-0123456789"  # as it stands: exact_number bounds its digits
        written = text.decode() if is_bare else decoded(self.path, self._small(place, raw), _VALUE, _path(place))
        if type(written) is not str:
            self.fail(place, f'{shown(written)} is not a number; write an integer or a string such as "3/10"')
        try:
            number = exact_number(written)
            exact = self.rational(number)
            return _Number(exact, float(number) if self.floats else exact)
        except ValueError as error:
            self.fail(place, str(error))
        except OverflowError:
            self.fail(place, f"the number {shown(written)} is too large for float64")

    def _resolve(self, place: _Place, reference: Reference, size: int, index: dict[str, int], kind: str) -> int:
        if isinstance(reference, str):
            if reference not in index:
                self.fail(place, f"no {kind} is called {shown(reference)}")
            return index[reference]
        if not 0 <= reference < size:
            self.fail(place, f"{shown(reference)} is not the index of any {kind}; indices are 0 to {size - 1}")
        return reference

    def _state(self, place: _Place, reference: Reference) -> int:
        return self._resolve(place, reference, self.states, self.state_index, "state")

    def _joint(self, place: _Place, raw: msgspec.Raw) -> int:
        text = self._small(place, raw)
        if text not in self.joints:
            self.joints[text] = self._read_joint(_path(place), decoded(self.path, text, _ACTIONS, _path(place)))
        return self.joints[text]

    def _read_joint(self, place: str, references: list[Reference]) -> int:
        if len(references) != len(self.sizes):
            self.fail(place, f"{len(references)} actions are given for {len(self.sizes)} agents")
        actions = (
            self._resolve(f"{place}[{m}]", reference, self.sizes[m], self.action_index[m], f"action of agent {m + 1}")
            for m, reference in enumerate(references)
        )
        return joint_index(tuple(actions), self.sizes)

    def _probability(self, place: _Place, raw: msgspec.Raw) -> _Number:
        number = self._number(place, raw)
        if number.exact < 0:
            self.fail(place, f"the probability {_json(raw)} is negative")
        if number.exact > 1 and self.fraction(number.exact) > 1 + FLOAT_ROUNDING:
            self.fail(place, f"the probability {_json(raw)} is more than 1")
        return number

    def _sum(self, place: _Place, total: Any, number: _Number) -> Any:
        """``total + number``, unless unrelated denominators make the sum itself too long to compute with."""
        total = total + number.exact
        if total.q.bit_length() > MAX_SUM_BITS:
            self.fail(place, "the common denominator of this distribution has too many digits; round its numbers")
        return total

    def _once(self, seen: dict[Any, int], key: Any, section: str, position: int) -> None:
        first = seen.setdefault(key, position)
        if first != position:
            self.fail(f"$.{section}[{position}]", f"repeats $.{section}[{first}]")

    def _empty(self, *shape: int) -> npt.NDArray[Any]:
        """A table of zeros; exact ones share one object, which keeps a sparse table small."""
        if self.floats:
            return np.zeros(shape)
        return np.full(shape, self.rational(0), dtype=object)

    def _require_one(self, place: str, total: Any, what: str) -> None:
        mass = self.fraction(total)
        if abs(mass - 1) > (FLOAT_ROUNDING if self.floats else 0):
            may_end = mass < 1 and place != "$.start"
            cure = 'write thirds as "1/3"' + (', and say that the game ends with "next": null' if may_end else "")
            self.fail(place, f"{what} sums to {told(mass)}, not to 1; {cure}")

    def _transition(self) -> Array:
        actions = prod(self.sizes)
        table = self._empty(self.states, actions, self.states)
        self.ending = np.zeros((self.states, actions), bool)
        mass: dict[int, Any] = {}
        last: dict[int, int] = {}
        seen: dict[int, int] = {}
        nothing = self.rational(0)
        for position, entry in enumerate(self.data.transition):
            state = self._state(("transition", position, "state"), entry.state)
            joint = self._joint(("transition", position, "actions"), entry.actions)
            probability = self._probability(("transition", position, "probability"), entry.probability)
            row = state * actions + joint
            target = -1
            if entry.next is not None:
                target = self._state(("transition", position, "next"), entry.next)
                table[state, joint, target] = probability.value
            elif probability.exact:
                self.ending[state, joint] = True
            self._once(seen, row * (self.states + 1) + target, "transition", position)
            mass[row] = self._sum(("transition", position, "probability"), mass.get(row, nothing), probability)
            last[row] = position
        one = self.rational(1)
        for row in range(self.states * actions):
            if row not in mass:
                name = f"P(· | {self._row_name(row)})"
                self.fail("$.transition", f'{name} is never given; if the game ends there, say so with "next": null')
            if mass[row] != one:
                self._require_one(f"$.transition[{last[row]}]", mass[row], f"P(· | {self._row_name(row)})")
        return table

    def _row_name(self, row: int) -> str:
        """``state 'first', actions ['A', 1]``, by name where there is one."""
        state, joint = divmod(row, prod(self.sizes))
        actions = [
            action if names is None else names[action]
            for action, names in zip(joint_action(joint, self.sizes), self.action_names, strict=True)
        ]
        return f"state {shown(state if self.state_names is None else self.state_names[state])}, actions {actions}"

    def _reward(self) -> Array:
        table = self._empty(self.states, prod(self.sizes))
        seen: dict[int, int] = {}
        for position, entry in enumerate(self.data.reward):
            state = self._state(("reward", position, "state"), entry.state)
            joint = self._joint(("reward", position, "actions"), entry.actions)
            self._once(seen, state * table.shape[1] + joint, "reward", position)
            table[state, joint] = self._number(("reward", position, "reward"), entry.reward).value
        return table

    def _start(self) -> Array | None:
        if self.data.start is msgspec.UNSET or self.data.start is None:
            return None
        table = self._empty(self.states)
        mass = self.rational(0)
        seen: dict[int, int] = {}
        for position, entry in enumerate(self.data.start):
            probability = self._probability(("start", position, "probability"), entry.probability)
            mass = self._sum(("start", position, "probability"), mass, probability)
            state = -1
            if entry.state is not None:
                state = self._state(("start", position, "state"), entry.state)
                table[state] = probability.value
            self._once(seen, state, "start", position)
        self._require_one("$.start", mass, "the start distribution")
        return table

    def game(self, discount: Fraction | None) -> Game:
        data = self.data
        if data.name and (complaint := name_complaint(data.name)):
            self.fail("$.name", complaint)
        written = self._number("$.discount", data.discount)
        if not 0 <= written.exact <= 1:
            self.fail("$.discount", f"the discount {_json(data.discount)} is outside [0, 1]")
        chosen = None if discount is None else float(discount) if self.floats else self.rational(discount)
        if self.floats:
            asked = written.exact if discount is None else discount
            try:
                require_below_one(like(asked, System.RATIONALS), float(asked))
            except GameError as error:
                self.fail("$.discount", str(error))
        transition, reward, start = self._transition(), self._reward(), self._start()
        action_names = tuple(
            tuple(map(str, range(size))) if names is None else tuple(names)
            for size, names in zip(self.sizes, self.action_names, strict=True)
        )
        try:
            return Game(
                transition,
                reward,
                np.asarray(written.value if discount is None else chosen),
                self.sizes,
                start=start,
                state_names=None if self.state_names is None else tuple(self.state_names),
                action_names=action_names if any(self.action_names) else None,
                name=data.name or "",
                ends=self.ending if self.floats else None,
            )
        except GameError as error:
            self.fail("$", str(error))


# --- writing --------------------------------------------------------------------------------------------------------


@explained
def save_game(game: Game, path: PathLike) -> None:
    """Write one game, exactly, as ``.json`` or ``.json.gz``; floats are written as the rationals that they are.

    ``.npz`` is for large games over floats, dense or sparse (:mod:`.large`): plain arrays that are mapped when they are read.
    The file appears whole or not at all.  Raises :class:`~mappo_verify.errors.GameError` for a game that has no exact
    numbers (balls, symbols) or is a batch, :class:`~mappo_verify.errors.FileError` where the file cannot be written.
    """
    if game.batch_shape:
        raise GameError(f"a file holds one game, not a batch of shape {game.batch_shape}; save game[i]")
    if game.system not in (System.RATIONALS, System.FLOATS):
        raise GameError(f"a game in {game.system.value} has no exact numbers to write; save the game it was made from")
    if game.available is not None:
        raise GameError(
            "the file format has no masks of available actions; save game.without_mask(), whose tables are the same"
        )
    target = os.fspath(path)
    if target.lower().endswith(".npz"):
        save_npz(game, path)
        return
    if not target.lower().endswith((".json", ".json.gz")):
        raise FileError(f"{target} does not end in .json, .json.gz or .npz, the formats that games are saved in")
    complaint = size_complaint(game.states, game.action_sizes)
    if complaint:
        raise FileError(f"{target}: {complaint}")
    for names in (game.state_names or (), *(game.action_names or ())):
        complaint = next(filter(None, map(name_complaint, names)), None)
        if complaint is None and len(set(names)) < len(names):
            complaint = f"the name {shown(max(names, key=names.count))} occurs twice"
        if complaint:
            raise FileError(f"{target}: {complaint}, so the file could not be read again")
    pieces, size, entries = [], 0, 0
    for piece in _lines(game):
        size, entries = size + len(piece), entries + piece.count(b"{")
        if size > MAX_BYTES or entries > MAX_OBJECTS:
            raise FileError(
                f"{target} would hold more than the limit of {MAX_BYTES} bytes or {MAX_OBJECTS} entries; save it as .npz"
            )
        pieces.append(piece)
    content = b"".join(pieces)
    # No time stamp: the same game gives the same file.
    write_whole(target, gzip.compress(content, mtime=0) if target.lower().endswith(".gz") else content)


def _lines(game: Game) -> Iterator[bytes]:
    """The file, one entry a line, so that it reads and compares well."""
    from ..arithmetic.rationals import fraction

    exact: Callable[[Any], Fraction] = fraction if game.system is System.RATIONALS else Fraction
    states: Sequence[Reference] = game.state_names or range(game.states)
    actions: Sequence[Sequence[Reference]] = game.action_names or [range(size) for size in game.action_sizes]
    joint = [
        [names[i] for names, i in zip(actions, joint_action(index, game.action_sizes), strict=True)]
        for index in range(game.actions)
    ]
    encode = msgspec.json.encode

    def distribution(row: Array, key: str, fixed: dict[str, Any], ends: bool) -> Iterator[dict[str, Any]]:
        rest = 1 - sum((exact(p) for p in row[support(row)]), Fraction(0))
        for target in np.flatnonzero(support(row)).tolist():
            yield {**fixed, key: states[target], "probability": _written(exact(row[target]))}
        if ends and rest > 0:  # what a float row misses 1 by may be rounding, which is not termination
            yield {**fixed, key: None, "probability": _written(rest)}

    def transitions() -> Iterator[dict[str, Any]]:
        for state, action in np.ndindex(game.states, game.actions):
            fixed = {"state": states[state], "actions": joint[action]}
            yield from distribution(game.transition[state, action], "next", fixed, bool(game.ends[state, action] > 0))

    def rewards() -> Iterator[dict[str, Any]]:
        for state, action in np.argwhere(support(game.reward)).tolist():
            value = _written(exact(game.reward[state, action]))
            yield {"state": states[state], "actions": joint[action], "reward": value}

    yield b'{\n"format": ' + encode(FORMAT) + b',\n"version": ' + encode(VERSION)
    yield b',\n"name": ' + encode(game.name) + b',\n"arithmetic": ' + encode(game.system.value)
    yield b',\n"discount": ' + encode(_written(exact(game.discount.item())))
    yield b',\n"states": ' + encode(game.state_names or game.states)
    yield b',\n"actions": ' + encode(game.action_names or game.action_sizes)
    sections = {"transition": transitions(), "reward": rewards()}
    if game.start is not None:
        short = game.system is System.RATIONALS or bool(1 - game.start.sum() > ROUNDING)
        sections = {"start": distribution(game.start, "state", {}, short), **sections}
    for title, entries in sections.items():
        yield b",\n" + encode(title) + b": ["
        for position, entry in enumerate(entries):
            yield (b",\n  " if position else b"\n  ") + encode(entry)
        yield b"\n]"
    yield b"\n}\n"


def _written(value: Fraction) -> int | str:
    """A JSON integer where every reader of JSON would keep it, a string elsewhere."""
    if max(abs(value.numerator), value.denominator).bit_length() > 3.32 * MAX_DIGITS:
        raise FileError(f"a number of the game has more than {MAX_DIGITS} digits; round by .exact(max_denominator=...)")
    return value.numerator if value.denominator == 1 and abs(value) < 2**53 else str(value)
