"""The declarations of a ``.dpomdp`` file: its lines, its header, and what each T, O and R line addresses and says."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from ..arithmetic import Array, System, identity
from ..errors import FileError
from ..model.agents import joint_action
from ..model.validation import name_complaint
from .untrusted import (
    MAX_AGENTS,
    PathLike,
    exact_number,
    shown,
    size_complaint,
    told,
)

MAX_LINES = 60_000
"""Lines of a file; the largest benchmark that we know (Mars) has 34,400."""
MAX_LINE = 2**20
"""Bytes of one line."""
MAX_WORDS = 2_000_000
"""Words of a file, of which :data:`MAX_HEADER` may stand in one declaration of names or of the start."""
MAX_HEADER = 100_000
MAX_FILLS = 200_000_000
"""Table entries that all lines together may set: wildcards that override each other must not take hours."""
LINE_COST = 100
"""What setting anything at all costs, in entries."""
MAX_JOINT = 10**15
"""Joint observations that can be addressed; a table of them is only made where rewards depend on them."""
ROW_ROUNDING = Fraction(1, 10**6)
"""Within this of 1, the sum of a row of decimals counts as a rounded 1."""

SECTIONS = ("agents", "discount", "values", "states", "start", "actions", "observations")
_SECTION = re.compile(rf"\s*({'|'.join(SECTIONS)}|T|O|R)(?:\s+(include|exclude))?\s*:(.*)")
_COUNT = re.compile(r"[0-9]{1,9}")
_RESERVED = ("uniform", "identity", "*")

logger = logging.getLogger(__package__)

Token = tuple[str, int]
"""A word of the file, and its line."""
Place = tuple[int | slice, ...]
"""What a line addresses: an index, or everything, on every axis."""
ALL = slice(None)


class Section(NamedTuple):
    """One declaration: from its keyword to the next."""

    keyword: str
    option: str
    line: int
    rows: list[tuple[int, str]]
    """Line number and text; the first is what follows the colon."""


@dataclass(frozen=True)
class Names:
    """The members of one set: states, or the actions or observations of one agent."""

    size: int
    names: tuple[str, ...] | None

    @cached_property
    def index(self) -> dict[str, int]:
        """Where each name is."""
        return {name: i for i, name in enumerate(self.names or ())}

    def __getitem__(self, position: int) -> str:
        return str(position) if self.names is None else self.names[position]


class Assignment(NamedTuple):
    """A T, O or R line: the value (a number, or an array over the last axes) at a place per axis group."""

    line: int
    places: tuple[Place, ...]
    value: Any


class Declarations:
    """The declarations of one file.  Every complaint names the line."""

    def __init__(self, path: PathLike, text: bytes) -> None:
        self.path = path
        self.fills = self.words = 0
        from ..arithmetic.rationals import fraction, rational

        self.rational, self.fraction = rational, fraction
        self.numbers: dict[str, Any] = {}
        self.chances: dict[str, Any] = {}
        self.places: dict[tuple[str, str], Place] = {}
        self.zero, self.most = self.rational(0), self.rational(1 + ROW_ROUNDING)
        self.header: dict[str, Section] = {}
        self.body: list[Section] = []
        self._split(text)
        agents = self._agents()
        self.states = self._names(self._tokens("states"), "state")
        self.actions = self._per_agent("actions", agents)
        self.sizes = tuple(names.size for names in self.actions)
        self.observations = self._per_agent("observations", agents)
        complaint = size_complaint(self.states.size, self.sizes)
        if complaint:
            self.fail(self.header["states"].line, complaint)

    def fail(self, line: int | None, message: str) -> NoReturn:
        """Raise what is wrong, and where."""
        raise FileError(f"{self.path}: {message}" if line is None else f"{self.path}, line {line}: {message}")

    # -- lines into declarations --------------------------------------------------------------------------------------

    def _split(self, text: bytes) -> None:
        """Declarations begin where a line begins with a keyword and a colon; whatever follows belongs to them."""
        if text.count(b"\n") >= MAX_LINES:
            self.fail(None, f"the file has more than {MAX_LINES} lines")
        current: Section | None = None
        for number, line in enumerate(text.split(b"\n"), 1):
            if len(line) > MAX_LINE:
                self.fail(number, f"the line is longer than {MAX_LINE} bytes; break it between two words")
            content = line.decode().partition("#")[0].strip()
            if not content:
                continue
            found = _SECTION.fullmatch(content)
            if found and (found[2] is None or found[1] == "start"):
                current = Section(found[1], found[2] or "", number, [(number, found[3])])
                self._add(current)
            elif current is None or (":" in content and current.keyword in SECTIONS):
                self.fail(number, f"{shown(content)} is not a declaration; they are {', '.join(SECTIONS)}, T, O and R")
            else:
                current.rows.append((number, content))

    def _add(self, section: Section) -> None:
        if section.keyword not in SECTIONS:
            self.body.append(section)
            return
        earlier = self.header.setdefault(section.keyword, section)
        if earlier is not section:
            self.fail(section.line, f"'{section.keyword}:' is declared again; line {earlier.line} declares it already")

    def _tokens(self, keyword: str) -> list[Token]:
        """The words of a declaration of the header, at least one."""
        if keyword not in self.header:
            self.fail(None, f"the file has no '{keyword}:' declaration")
        tokens = [token for row in self._rows(self.header[keyword]) for token in row]
        if not tokens:
            self.fail(self.header[keyword].line, f"'{keyword}:' is empty")
        return tokens

    def _rows(self, section: Section) -> Iterator[list[Token]]:
        """The words of each line of a declaration of the header that has any."""
        left = MAX_HEADER
        for line, text in section.rows:
            words = self._words(text, line, left)
            if len(words) > left:
                self.fail(line, f"'{section.keyword}:' has more words than the limit of {MAX_HEADER}")
            left -= len(words)
            if words:
                yield [(word, line) for word in words]

    def _words(self, text: str, line: int, most: int) -> list[str]:
        """The words of a text; of more than ``most``, no more are split than show that they are too many."""
        words = text.split(None, most)
        self.words += len(words)
        if self.words > MAX_WORDS:
            self.fail(line, f"the file has more than {MAX_WORDS} words up to here; leave out what is 0, or overridden")
        return words

    # -- the header ---------------------------------------------------------------------------------------------------

    def _agents(self) -> int:
        """A count, or names, perhaps with commas; the names are not kept, since a game numbers its agents."""
        tokens = [(word, line) for token, line in self._tokens("agents") for word in token.replace(",", " ").split()]
        if not tokens:
            self.fail(self.header["agents"].line, "'agents:' is empty")
        agents = self._names(tokens, "agent").size
        if agents > MAX_AGENTS:
            self.fail(tokens[0][1], f"{agents} agents are more than the limit of {MAX_AGENTS}")
        return agents

    def _per_agent(self, keyword: str, agents: int) -> list[Names]:
        """One line per agent.  A file without observations leaves every agent one, which says nothing."""
        if keyword == "observations" and keyword not in self.header:
            return [Names(1, None)] * agents
        self._tokens(keyword)
        section = self.header[keyword]
        rows = list(self._rows(section))
        if len(rows) != agents:
            self.fail(section.line, f"'{keyword}:' has {len(rows)} lines for {agents} agents; each agent has a line")
        members = [self._names(row, keyword[:-1]) for row in rows]
        if prod(names.size for names in members) > MAX_JOINT:
            self.fail(section.line, f"there are more joint {keyword} than the limit of {MAX_JOINT}")
        return members

    def _names(self, tokens: list[Token], kind: str) -> Names:
        """A count, or a list of distinct names that cannot be taken for numbers."""
        first, line = tokens[0]
        if len(tokens) == 1 and _COUNT.fullmatch(first):
            if int(first) < 1:
                self.fail(line, f"there must be at least one {kind}, not {first}")
            return Names(int(first), None)
        if len(tokens) == 1 and first.isdecimal():
            self.fail(line, f"{shown(first)} {kind}s are more than can be read")
        seen: dict[str, int] = {}
        for name, line in tokens:
            complaint = name_complaint(name)
            if complaint is None and (name in _RESERVED or self._is_number(name) or ":" in name):
                complaint = f"{shown(name)} cannot be the name of a {kind}"
            if complaint is None and name in seen:
                complaint = f"the {kind} {shown(name)} is named twice (first on line {seen[name]})"
            if complaint:
                self.fail(line, complaint)
            seen[name] = line
        return Names(len(seen), tuple(seen))

    @staticmethod
    def _is_number(text: str) -> bool:
        try:
            exact_number(text, ratios=False)
        except ValueError:
            return False
        return True

    def _single(self, keyword: str) -> Token:
        tokens = self._tokens(keyword)
        if len(tokens) > 1:
            self.fail(tokens[1][1], f"'{keyword}:' takes one value; {shown(tokens[1][0])} is one too many")
        return tokens[0]

    def _discount(self) -> Any:
        word, line = self._single("discount")
        value = self._number((word, line))
        if not 0 <= value <= 1:
            self.fail(line, f"the discount {shown(word)} is outside [0, 1]")
        return value

    def _is_cost(self) -> bool:
        word, line = self._single("values")
        if word not in ("reward", "cost"):
            self.fail(line, f"'values:' is reward or cost, not {shown(word)}")
        return word == "cost"

    def _start(self) -> Array:
        """A distribution, one state, ``uniform``, or uniform over states that are included or not excluded."""
        tokens = self._tokens("start")
        section = self.header["start"]
        states = self.states.size
        if section.option:
            listed = {self._index(token, self.states, "state") for token in tokens}
            chosen = sorted(listed if section.option == "include" else set(range(states)) - listed)
            if not chosen:
                self.fail(section.line, "'start exclude:' leaves no state to start in")
            return self._uniform_over(chosen)
        word, line = tokens[0]
        if len(tokens) == 1 and word == "uniform":
            return self._uniform_over(range(states))
        # With one state, "1.0" and "1" can only be its probability.
        if len(tokens) == 1 and not (states == 1 and self._is_number(word) and self._number(tokens[0]) == 1):
            return self._uniform_over([self._index(tokens[0], self.states, "state")])
        if len(tokens) != states:
            self.fail(line, f"'start:' has {len(tokens)} values for {states} states; or say 'start include:' and names")
        row = self._object_array([self._probability(token) for token in tokens])
        total = row.sum()
        if total != 1:
            self._require_near_one(total, line, "the start distribution")
            message = "%s, line %d: the start distribution sums to %s and was divided by it"
            logger.warning(message, self.path, line, told(self.fraction(total)))
            row = row / total
        return row

    def _uniform_over(self, chosen: Sequence[int]) -> Array:
        row = np.full(self.states.size, self.zero, dtype=object)
        row[list(chosen)] = self.rational(Fraction(1, len(chosen)))
        return row

    # -- words --------------------------------------------------------------------------------------------------------

    def _number(self, token: Token) -> Any:
        """The exact number; equal words share one object."""
        word, line = token
        if word not in self.numbers:
            try:
                self.numbers[word] = self.rational(exact_number(word, ratios=False))
            except ValueError as error:
                self.fail(line, str(error))
        return self.numbers[word]

    def _probability(self, token: Token) -> Any:
        value = self.chances[token[0]] = self._number(token)
        if value < 0 or value > self.most:
            self.fail(token[1], f"the probability {shown(token[0])} is outside [0, 1]")
        return value

    def _require_near_one(self, total: Any, line: int, what: str) -> None:
        if abs(total - 1) > self.rational(ROW_ROUNDING):
            cure = "; write more digits" if abs(total - 1) < self.rational(Fraction(1, 100)) else ""
            self.fail(line, f"{what} sums to {told(self.fraction(total))}, not to 1{cure}")

    def _index(self, token: Token, names: Names, kind: str) -> int:
        word, line = token
        if word in names.index:
            return names.index[word]
        if not _COUNT.fullmatch(word):
            self.fail(line, f"no {kind} is called {shown(word)}")
        if int(word) >= names.size:
            self.fail(line, f"{word} is not the index of any {kind}; indices are 0 to {names.size - 1}")
        return int(word)

    def _state_place(self, tokens: list[Token], line: int) -> Place:
        if len(tokens) != 1:
            self.fail(line, f"a state is one name, one index or *, not {shown(' '.join(word for word, _ in tokens))}")
        return (ALL,) if tokens[0][0] == "*" else (self._index(tokens[0], self.states, "state"),)

    def _joint_place(self, tokens: list[Token], line: int, members: list[Names], kind: str) -> Place:
        """One word per agent, or one joint index (agent 1 slowest), or ``*`` for everything."""
        if len(tokens) == 1 and tokens[0][0] == "*":
            return (ALL,) * len(members)
        if len(tokens) == 1 and len(members) > 1 and _COUNT.fullmatch(tokens[0][0]):
            joint = prod(names.size for names in members)
            if int(tokens[0][0]) >= joint:
                self.fail(line, f"{tokens[0][0]} is not the index of any joint {kind}; indices are 0 to {joint - 1}")
            return joint_action(int(tokens[0][0]), tuple(names.size for names in members))
        if len(tokens) != len(members):
            words = shown(" ".join(word for word, _ in tokens))
            cure = "" if len(tokens) < len(members) else "; a colon is needed before the last number"
            self.fail(
                line, f"{words} is not a joint {kind} of {len(members)} agents (a word each, an index, or *){cure}"
            )
        return tuple(
            ALL if token[0] == "*" else self._index(token, names, f"{kind} of agent {agent + 1}")
            for agent, (token, names) in enumerate(zip(tokens, members, strict=True))
        )

    # -- T, O and R lines ---------------------------------------------------------------------------------------------

    def _fields(self, section: Section, axes: int) -> list[list[tuple[int, str]]]:
        """What stands between the colons, line by line.

        A line break before the numbers counts as the colon that may be missing.  Of more than ``axes + 1`` fields, no more are
        split than show that they are too many.
        """
        fields: list[list[tuple[int, str]]] = [[]]
        for position, (line, text) in enumerate(section.rows):
            if position == 1 and fields[-1]:
                if len(fields) > axes:
                    self.fail(line, f"{shown(text)} follows a '{section.keyword}:' line that is complete")
                fields.append([])
            first, *more = text.split(":", axes + 1)
            if first and not first.isspace():
                fields[-1].append((line, first))
            fields += [[(line, part)] if part and not part.isspace() else [] for part in more]
            if len(fields) > axes + 1:
                break
        return fields

    def _assignment(self, section: Section) -> Assignment:
        """Read one T, O or R declaration: addresses of some axes, then a number, or numbers for the axes left out."""
        keyword, line = section.keyword, section.line
        kinds = {"T": "ass", "O": "aso", "R": "asso"}[keyword]
        fields = self._fields(section, len(kinds))
        addressed, data = fields[:-1], fields[-1]
        least = 2 if keyword == "R" else 1
        if not least <= len(addressed) <= len(kinds):
            full = " : ".join({"a": "joint action", "s": "state", "o": "joint observation"}[kind] for kind in kinds)
            self.fail(line, f"this is neither '{keyword}: {full} : number' nor a form of it with rows of numbers")
        places = [self._place(kind, rows, line) for kind, rows in zip(kinds, addressed, strict=False)]
        missing = kinds[len(addressed) :]
        shapes = [(self.states.size,) if kind == "s" else self._observation_sizes for kind in missing]
        value = self._value(keyword, line, data, shapes)
        places += [(ALL,) * len(shape) for shape in shapes]
        return Assignment(line, tuple(places), value)

    def _place(self, kind: str, rows: list[tuple[int, str]], line: int) -> Place:
        """What an address says; most addresses come again and again."""
        key = kind, rows[0][1] if len(rows) == 1 else " ".join(text for _, text in rows)
        if key not in self.places:
            tokens = [(word, line) for word in self._words(key[1], line, MAX_AGENTS + 1)]
            if kind == "s":
                self.places[key] = self._state_place(tokens, line)
            else:
                members, what = (self.actions, "action") if kind == "a" else (self.observations, "observation")
                self.places[key] = self._joint_place(tokens, line, members, what)
        return self.places[key]

    @cached_property
    def _observation_sizes(self) -> tuple[int, ...]:
        return tuple(names.size for names in self.observations)

    @cached_property
    def _identity(self) -> Array:
        """One matrix for all the lines that say so, however many."""
        return identity(self.states.size, System.RATIONALS)

    def _value(self, keyword: str, line: int, data: list[tuple[int, str]], shapes: list[tuple[int, ...]]) -> Any:
        """One number, or an array over the axes that the address leaves out."""
        if not data:
            self.fail(line, "the line ends before its numbers")
        rows = prod(shapes[0]) if len(shapes) == 2 else 1
        columns = prod(shapes[-1]) if shapes else 1
        (where, text), last = data[0], data[-1][1]
        word, *others = text.split(None, 1)
        is_uniform = word == "uniform" and keyword != "R" and bool(shapes)
        is_identity = word == "identity" and keyword == "T" and len(shapes) == 2
        is_word = is_uniform or is_identity
        wanted = 1 if is_word else rows * columns
        are_many = bool(others) or len(data) > 1
        if are_many and word[0] not in "+-.0123456789" and self._is_number(last.rsplit(None, 1)[-1]):
            self.fail(where, f"{shown(word)} stands where a number belongs; a colon is needed before the last number")
        known, read = (self.numbers, self._number) if keyword == "R" else (self.chances, self._probability)
        values: list[Any] = []
        for at, row in data:
            words = self._words(row, at, wanted - len(values))
            if len(values) + len(words) > wanted:
                excess = words[wanted - len(values)].split(None, 1)[0]
                self.fail(at, f"{shown(excess)} is one too many: {wanted} values belong to line {line}")
            values += words if is_word else [known[word] if word in known else read((word, at)) for word in words]
        if is_uniform:
            return self.rational(Fraction(1, columns))
        if is_identity:
            return self._identity
        if len(values) < wanted:
            self.fail(line, f"{len(values)} values stand where {rows} x {columns} belong")
        if not shapes:
            return values[0]
        return self._object_array(values).reshape([size for shape in shapes for size in shape])

    @staticmethod
    def _object_array(values: Iterable[Any]) -> Array:
        listed = list(values)
        array = np.empty(len(listed), dtype=object)
        array[:] = listed
        return array

    def _fill(self, line: int, table: npt.NDArray[Any], place: Place, value: Any) -> None:
        """Set entries, within what all lines together may set."""
        self._spend(line, LINE_COST + prod(size for at, size in zip(place, table.shape, strict=True) if at == ALL))
        table[place] = value

    def _spend(self, line: int, entries: int) -> None:
        self.fills += entries
        if self.fills > MAX_FILLS:
            self.fail(line, f"the lines up to here set more than {MAX_FILLS} table entries; use fewer wildcards")
