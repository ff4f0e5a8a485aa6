"""Our own file format, exact JSON, and how every reader takes in the bytes and numbers of an untrusted file.

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
import re
import secrets
import shutil
import stat
import zlib
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any, Literal, NoReturn

import msgspec
import numpy as np

from ..arithmetic import Array, System, module_of, support
from ..errors import FileError, GameError
from ..model import Game
from ..model.agents import joint_action, joint_index
from ..model.validation import ROUNDING

PathLike = str | os.PathLike[str]

MAX_BYTES = 128 * 2**20
"""Bytes of a file, compressed or not, and of its text."""
MAX_ENTRIES = 20_000_000
"""Entries ``S·A·S`` of a transition table, and of every other table that a reader allocates."""
MAX_AGENTS = 20
MAX_DIGITS = 1_000
"""Digits of one number; every float64 is an exact fraction with fewer."""
MAX_EXPONENT = 400
MAX_SUM_BITS = 2**16
"""Bits of the common denominator of one distribution."""
MAX_NAME = 200

FORMAT, VERSION = "mappo-verify-game", 1
FLOAT_ROUNDING = Fraction(1, 10**9)
"""By how much a row of a file whose numbers are float64 may miss 1."""

# --- bytes ----------------------------------------------------------------------------------------------------------


def read_text(path: PathLike) -> str:
    """The text of a file, unpacked if its name ends in ``.gz``; at most :data:`MAX_BYTES` are ever taken in."""
    raw = _read_bytes(path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        cure = "; it looks like gzip: let its name end in .gz" if raw[:2] == b"\x1f\x8b" else "; save it as UTF-8"
        line = raw.count(b"\n", 0, error.start) + 1
        raise FileError(f"{path}, line {line}: byte {raw[error.start]:#04x} is not UTF-8 text{cure}") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise FileError(f"{path}, line {line}: the file contains a NUL byte, so it is not text")
    return text


def _read_bytes(path: PathLike) -> bytes:
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            # A pipe or a device would block, or never end.
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise FileError(f"{path} is not a regular file")
            if not os.fspath(path).lower().endswith(".gz"):
                return _capped(path, file.read)
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                raise FileError(f"{path} is larger than the limit of {MAX_BYTES} bytes")
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _capped(path, unpacked.read)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileError(f"{path} cannot be unpacked: {error}") from None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{os.fspath(path)!r} is not a possible file name: {error}") from None


def _open_at_once(path: str, flags: int) -> int:
    """Opening a pipe that nobody writes to would wait for ever."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _capped(path: PathLike, read: Callable[[int], bytes]) -> bytes:
    """Read to the end in pieces; whatever a small file claims to unpack to, no more than the limit is held."""
    pieces, size = [], 0
    while piece := read(2**20):
        size += len(piece)
        if size > MAX_BYTES:
            raise FileError(f"{path} holds more than the limit of {MAX_BYTES} bytes")
        pieces.append(piece)
    return b"".join(pieces)


# --- numbers and sizes ----------------------------------------------------------------------------------------------

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?")
_RATIO = re.compile(r"[+-]?[0-9]+/[0-9]+")


def exact_number(text: str, ratios: bool = True) -> Fraction:
    """The rational that ``text`` writes.  ValueError, with a message for people, if it is none or too long."""
    if len(text) > 2 * MAX_DIGITS + 8:
        raise ValueError(f"the number {shown(text)} has more than {MAX_DIGITS} digits")
    decimal = _DECIMAL.fullmatch(text)
    if decimal is None and not (ratios and _RATIO.fullmatch(text)):
        examples = "3/10, 0.25 or 1e-3" if ratios else "3, 0.25 or 1e-3"
        raise ValueError(f"{shown(text)} is not a number such as {examples}")
    if any(len(digits) > MAX_DIGITS for digits in re.split(r"[/eE]", text)):
        raise ValueError(f"the number {shown(text)} has more than {MAX_DIGITS} digits")
    if decimal and decimal[1] and (len(decimal[1]) > 8 or abs(int(decimal[1])) > MAX_EXPONENT):
        raise ValueError(f"the number {shown(text)} has an exponent beyond ±{MAX_EXPONENT}")
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise ValueError(f"{shown(text)} divides by zero") from None


def shown(value: Any) -> str:
    """A value from a file, quoted and cut to what fits in a message."""
    text = repr(value[:60] if isinstance(value, str) else value)
    return text if len(text) <= 50 else f"{text[:47]}..."


def told(value: Fraction) -> str:
    """A number computed from a file: exact if that is short, else the nearest float."""
    return str(value) if max(abs(value.numerator), value.denominator) < 10**30 else f"about {float(value):.17g}"


def chosen_discount(value: int | str | Fraction | None) -> Fraction | None:
    """The caller's own discount, exactly; :class:`~mappo_verify.errors.GameError` if it is none in [0, 1]."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, str, Fraction)):
        raise GameError(f"discount {value!r} is not an int, a Fraction or a string; '{value}' is read exactly")
    try:
        discount = exact_number(value) if isinstance(value, str) else Fraction(value)
    except ValueError as error:
        raise GameError(f"discount: {error}") from None
    if not 0 <= discount <= 1:
        raise GameError(f"discount {shown(str(value))} is outside [0, 1]")
    return discount


def name_complaint(name: str) -> str | None:
    """What is wrong with a name, or None: it is shown in tables and terminals, so it must be short and printable."""
    if not name:
        return "the name is empty"
    if len(name) > MAX_NAME:
        return f"the name {shown(name)} is longer than {MAX_NAME} characters"
    return None if name.isprintable() else f"the name {shown(name)} has characters that cannot be printed"


def size_complaint(states: int, sizes: Sequence[int]) -> str | None:
    """Why a game of this size is refused before anything is allocated, or None."""
    if len(sizes) > MAX_AGENTS:
        return f"{len(sizes)} agents are more than the limit of {MAX_AGENTS}"
    entries = states * states * prod(sizes)
    if entries > MAX_ENTRIES:
        return f"{states} states and {prod(sizes)} joint actions need {entries} entries; the limit is {MAX_ENTRIES}"
    return None


# --- reading --------------------------------------------------------------------------------------------------------

Reference = int | str


class _Header(msgspec.Struct):
    """Read first, so that a file of another kind is told so, and not that a field of it is unknown."""

    format: str = ""
    version: int = 0


class _Transition(msgspec.Struct, forbid_unknown_fields=True):
    state: Reference
    actions: list[Reference]
    next: Reference | None
    probability: Any


class _Reward(msgspec.Struct, forbid_unknown_fields=True):
    state: Reference
    actions: list[Reference]
    reward: Any


class _Start(msgspec.Struct, forbid_unknown_fields=True):
    state: Reference | None
    probability: Any


class _Game(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    version: int
    states: int | list[str]
    actions: list[int | list[str]]
    discount: Any
    transition: list[_Transition]
    reward: list[_Reward]
    start: list[_Start] | None = None
    name: str = ""
    arithmetic: Literal["rationals", "floats"] = "rationals"


# Bare decimals arrive as the text that stands in the file.
_HEADER = msgspec.json.Decoder(_Header, float_hook=str)
_GAME = msgspec.json.Decoder(_Game, float_hook=str)


def load_json(path: PathLike, discount: int | str | Fraction | None = None) -> Game:
    """The game in a ``.json`` or ``.json.gz`` file of our format; ``discount`` replaces the file's own.

    Raises :class:`~mappo_verify.errors.FileError` naming the file, the JSON path and the value.
    """
    chosen = chosen_discount(discount)
    return _Reader(path, _decode(path, read_text(path))).game(chosen)


def _decode(path: PathLike, text: str) -> _Game:
    try:
        header = _HEADER.decode(text)
        if header.format != FORMAT:
            raise FileError(f'{path}: $.format is {shown(header.format)}, not "{FORMAT}"; see docs/game-format.md')
        if header.version != VERSION:
            raise FileError(f"{path}: $.version is {shown(header.version)}; this release reads version {VERSION}")
        return _GAME.decode(text)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at ")
        raise FileError(f"{path}: {place.strip('`') or '$'}: {message}") from None
    except msgspec.DecodeError as error:
        raise FileError(f"{path}{_line_of(error, text)}: {error}") from None
    except RecursionError:
        raise FileError(f"{path}: the JSON is nested too deeply to be a game") from None


def _line_of(error: Exception, text: str) -> str:
    """Msgspec counts bytes; people count lines."""
    found = re.search(r"\(byte ([0-9]+)\)", str(error))
    before = text.encode()[: int(found[1])] if found else text.encode()
    return f", line {before.count(10) + 1}"


class _Reader:
    """Turns the decoded file into a game, entry by entry, naming the JSON path of whatever is wrong."""

    def __init__(self, path: PathLike, data: _Game) -> None:
        self.path, self.data = path, data
        self.states, self.state_index = self._names("$.states", data.states)
        self.sizes: tuple[int, ...] = ()
        self.action_index: list[dict[str, int]] = []
        if not data.actions:
            self.fail("$.actions", "a game needs at least one agent")
        for agent, entry in enumerate(data.actions):
            size, index = self._names(f"$.actions[{agent}]", entry)
            self.sizes += (size,)
            self.action_index.append(index)
        complaint = size_complaint(self.states, self.sizes)
        if complaint:
            self.fail("$", complaint)
        self.floats = data.arithmetic == "floats"
        self.known: dict[Any, Any] = {}

    def fail(self, place: str, message: str) -> NoReturn:
        raise FileError(f"{self.path}: {place}: {message}")

    def _names(self, place: str, entry: int | list[str]) -> tuple[int, dict[str, int]]:
        """How many, and the index of each name."""
        size = entry if isinstance(entry, int) else len(entry)
        if not 1 <= size <= MAX_ENTRIES:
            self.fail(place, f"there are {shown(size)}; there must be from 1 to {MAX_ENTRIES}")
        if isinstance(entry, int):
            return size, {}
        index: dict[str, int] = {}
        for position, name in enumerate(entry):
            complaint = name_complaint(name)
            if complaint:
                self.fail(f"{place}[{position}]", complaint)
            if name in index:
                self.fail(f"{place}[{position}]", f"the name {shown(name)} is taken by {place}[{index[name]}]")
            index[name] = position
        return size, index

    def _number(self, place: str, value: Any) -> Fraction:
        if type(value) is int:
            return Fraction(value)
        if type(value) is not str:
            self.fail(place, f'{shown(value)} is not a number; write an integer or a string such as "3/10"')
        try:
            return exact_number(value)
        except ValueError as error:
            self.fail(place, str(error))

    def _scalar(self, place: str, value: Fraction) -> Any:
        """A number in the game's own arithmetic; equal ones share one object."""
        if value not in self.known:
            if self.floats:
                try:
                    self.known[value] = float(value)
                except OverflowError:
                    self.fail(place, "the number is too large for float64")
            else:
                self.known[value] = module_of(System.RATIONALS).constant(value)
        return self.known[value]

    def _resolve(self, place: str, reference: Reference, size: int, index: dict[str, int], kind: str) -> int:
        if isinstance(reference, str):
            if reference not in index:
                self.fail(place, f"no {kind} is called {shown(reference)}")
            return index[reference]
        if not 0 <= reference < size:
            self.fail(place, f"{shown(reference)} is no {kind}; their indices are 0 to {size - 1}")
        return reference

    def _state(self, place: str, reference: Reference) -> int:
        return self._resolve(place, reference, self.states, self.state_index, "state")

    def _joint(self, place: str, references: list[Reference]) -> int:
        if len(references) != len(self.sizes):
            self.fail(place, f"{len(references)} actions are given for {len(self.sizes)} agents")
        actions = (
            self._resolve(f"{place}[{m}]", reference, self.sizes[m], self.action_index[m], f"action of agent {m + 1}")
            for m, reference in enumerate(references)
        )
        return joint_index(tuple(actions), self.sizes)

    def _probability(self, place: str, value: Any) -> Fraction:
        number = self._number(place, value)
        if number < 0:
            self.fail(place, f"the probability {shown(value)} is negative")
        if number > 1 + FLOAT_ROUNDING:
            self.fail(place, f"the probability {shown(value)} is more than 1")
        return number

    def _sum(self, place: str, total: Fraction, number: Fraction) -> Fraction:
        """``total + number``, unless unrelated denominators make the sum itself too long to compute with."""
        total += number
        if total.denominator.bit_length() > MAX_SUM_BITS:
            self.fail(place, "the common denominator of this distribution has too many digits; round its numbers")
        return total

    def _once(self, seen: dict[Any, int], key: Any, section: str, position: int) -> None:
        first = seen.setdefault(key, position)
        if first != position:
            self.fail(f"$.{section}[{position}]", f"says again what $.{section}[{first}] says")

    def _empty(self, *shape: int) -> Array:
        """A table of zeros; exact ones share one object, which keeps a sparse table small."""
        if self.floats:
            return np.zeros(shape)
        return np.full(shape, self._scalar("$", Fraction(0)), dtype=object)

    def _require_one(self, place: str, mass: Fraction, what: str) -> None:
        if abs(mass - 1) > (FLOAT_ROUNDING if self.floats else 0):
            cure = 'write thirds as "1/3"' + (', and say that the game ends with "next": null' if mass < 1 else "")
            self.fail(place, f"{what} sums to {told(mass)}, not to 1; {cure}")

    def _transition(self) -> Array:
        actions = prod(self.sizes)
        table = self._empty(self.states, actions, self.states)
        mass: dict[int, Fraction] = {}
        last: dict[int, int] = {}
        seen: dict[Any, int] = {}
        for position, entry in enumerate(self.data.transition):
            place = f"$.transition[{position}]"
            state, joint = self._state(f"{place}.state", entry.state), self._joint(f"{place}.actions", entry.actions)
            probability = self._probability(f"{place}.probability", entry.probability)
            row = state * actions + joint
            target = None
            if entry.next is not None:
                target = self._state(f"{place}.next", entry.next)
                table[state, joint, target] = self._scalar(f"{place}.probability", probability)
            self._once(seen, (row, target), "transition", position)
            mass[row] = self._sum(place, mass.get(row, Fraction(0)), probability)
            last[row] = position
        for row in range(self.states * actions):
            name = f"P(· | {self._row_name(row)})"
            if row not in mass:
                self.fail("$.transition", f'{name} is never given; if the game ends there, say so with "next": null')
            self._require_one(f"$.transition[{last[row]}]", mass[row], name)
        return table

    def _row_name(self, row: int) -> str:
        """``state 'first', actions ['A', 1]``, by name where there is one."""
        state, joint = divmod(row, prod(self.sizes))
        states = self.data.states
        actions = [
            action if isinstance(names, int) else names[action]
            for action, names in zip(joint_action(joint, self.sizes), self.data.actions, strict=True)
        ]
        return f"state {shown(state if isinstance(states, int) else states[state])}, actions {actions}"

    def _reward(self) -> Array:
        table = self._empty(self.states, prod(self.sizes))
        seen: dict[Any, int] = {}
        for position, entry in enumerate(self.data.reward):
            place = f"$.reward[{position}]"
            state, joint = self._state(f"{place}.state", entry.state), self._joint(f"{place}.actions", entry.actions)
            self._once(seen, (state, joint), "reward", position)
            table[state, joint] = self._scalar(f"{place}.reward", self._number(f"{place}.reward", entry.reward))
        return table

    def _start(self) -> Array | None:
        if self.data.start is None:
            return None
        table = self._empty(self.states)
        mass = Fraction(0)
        seen: dict[Any, int] = {}
        for position, entry in enumerate(self.data.start):
            place = f"$.start[{position}]"
            probability = self._probability(f"{place}.probability", entry.probability)
            mass = self._sum(place, mass, probability)
            state = None
            if entry.state is not None:
                state = self._state(f"{place}.state", entry.state)
                table[state] = self._scalar(f"{place}.probability", probability)
            self._once(seen, state, "start", position)
        self._require_one("$.start", mass, "the start distribution")
        return table

    def game(self, discount: Fraction | None) -> Game:
        data = self.data
        if data.name and (complaint := name_complaint(data.name)):
            self.fail("$.name", complaint)
        written = self._number("$.discount", data.discount)
        if not 0 <= written <= 1:
            self.fail("$.discount", f"the discount {shown(data.discount)} is outside [0, 1]")
        transition, reward, start = self._transition(), self._reward(), self._start()
        action_names = tuple(
            tuple(map(str, range(entry))) if isinstance(entry, int) else tuple(entry) for entry in data.actions
        )
        try:
            return Game(
                transition,
                reward,
                np.asarray(self._scalar("$.discount", written if discount is None else discount)),
                self.sizes,
                start=start,
                state_names=None if isinstance(data.states, int) else tuple(data.states),
                action_names=action_names if any(isinstance(entry, list) for entry in data.actions) else None,
                name=data.name,
            )
        except GameError as error:
            self.fail("$", str(error))


# --- writing --------------------------------------------------------------------------------------------------------


def save_game(game: Game, path: PathLike) -> None:
    """Write one game, exactly, as ``.json`` or ``.json.gz``; floats are written as the rationals that they are.

    The file appears whole or not at all.  Raises :class:`~mappo_verify.errors.GameError` for a game that has no exact
    numbers (balls, symbols) or is a batch, :class:`~mappo_verify.errors.FileError` where the file cannot be written.
    """
    if game.batch_shape:
        raise GameError(f"a file holds one game, not a batch of shape {game.batch_shape}; save game[i]")
    if game.system not in (System.RATIONALS, System.FLOATS):
        raise GameError(f"a game in {game.system.value} has no exact numbers to write; save the game it was made from")
    target = os.fspath(path)
    if not target.lower().endswith((".json", ".json.gz")):
        raise FileError(f"{target} does not end in .json or .json.gz, the format that games are saved in")
    complaint = size_complaint(game.states, game.action_sizes)
    if complaint:
        raise FileError(f"{target}: {complaint}")
    for names in (game.state_names or (), *(game.action_names or ())):
        complaint = next(filter(None, map(name_complaint, names)), None)
        if complaint is None and len(set(names)) < len(names):
            complaint = f"the name {shown(max(names, key=names.count))} occurs twice"
        if complaint:
            raise FileError(f"{target}: {complaint}, so the file could not be read again")
    if game.name and (complaint := name_complaint(game.name)):
        raise FileError(f"{target}: {complaint}")
    pieces, size = [], 0
    for piece in _lines(game):
        size += len(piece)
        if size > MAX_BYTES:
            raise FileError(f"{target} would hold more than the limit of {MAX_BYTES} bytes")
        pieces.append(piece)
    content = b"".join(pieces)
    # No time stamp: the same game gives the same file.
    write_whole(target, gzip.compress(content, mtime=0) if target.lower().endswith(".gz") else content)


def _lines(game: Game) -> Iterator[bytes]:
    """The file, one entry a line, so that it reads and compares well."""
    exact = module_of(System.RATIONALS).fraction if game.system is System.RATIONALS else Fraction
    states: Sequence[Reference] = game.state_names or range(game.states)
    actions: Sequence[Sequence[Reference]] = game.action_names or [range(size) for size in game.action_sizes]
    joint = [
        [names[i] for names, i in zip(actions, joint_action(index, game.action_sizes), strict=True)]
        for index in range(game.actions)
    ]
    encode = msgspec.json.encode

    def distribution(row: Array, key: str, fixed: dict[str, Any]) -> Iterator[dict[str, Any]]:
        rest = 1 - sum((exact(p) for p in row[support(row)]), Fraction(0))
        for target in np.flatnonzero(support(row)).tolist():
            yield {**fixed, key: states[target], "probability": _written(exact(row[target]))}
        # What a float row misses 1 by may be rounding, which is not termination.
        if rest > (ROUNDING if game.system is System.FLOATS else 0):
            yield {**fixed, key: None, "probability": _written(rest)}

    def transitions() -> Iterator[dict[str, Any]]:
        for state, action in np.ndindex(game.states, game.actions):
            fixed = {"state": states[state], "actions": joint[action]}
            yield from distribution(game.transition[state, action], "next", fixed)

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
        sections = {"start": distribution(game.start, "state", {}), **sections}
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


def write_whole(target: str, content: bytes) -> None:
    """Write beside the target, onto the disk, then rename: a reader sees the old file or the new one, never half of one."""
    try:
        final = Path(target).resolve()
        temporary = final.with_name(f".{secrets.token_hex(8)}.part")
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if final.exists():
                shutil.copymode(final, temporary)
            temporary.replace(final)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise FileError(f"{target} cannot be written: {reason or error}") from None
