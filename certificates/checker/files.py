"""What a file may contain.  A file is not trusted: what it is, its length and the length of its numbers are bounded first."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from .kernel import Interval, Rejected, require

T = TypeVar("T")

FORMAT, VERSION = "mappo-verify-certificate", 2
LARGEST_FILE, LARGEST_INTEGER = 200_000, 10_000
FIELDS: dict[str, type] = {
    **dict.fromkeys(("format", "claim", "kind", "statement", "note", "setting"), str),
    **dict.fromkeys(("left", "relation", "right", "checksum"), str),
    **dict.fromkeys(("version", "states", "steps", "chain"), int),
    **dict.fromkeys(("action_sizes", "hypotheses", "entry"), list),
    **dict.fromkeys(("left_value", "right_value"), object),
    "coordinates": dict,
}
RATIONAL = re.compile(r"-?(0|[1-9][0-9]{0,399})(/[1-9][0-9]{0,399})?")
SHORT_RATIONAL = re.compile(r"-?(0|[1-9][0-9]{0,39})(/[1-9][0-9]{0,39})?")
DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,399})\.([0-9]{20}|[0-9]{40}|[0-9]{80})")


def read(path: str) -> dict[str, Any]:
    """The fields of a file: exactly these, of these types, every name once, no number that is not a short integer."""
    raw = _bytes(path)
    try:
        fields = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_once,
            parse_int=_short,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except (ValueError, RecursionError) as error:
        raise Rejected(f"this is no certificate: no JSON of a reasonable depth: {str(error)[:200]}") from None
    require(isinstance(fields, dict) and fields.get("format") == FORMAT, f"this is no certificate: no {FORMAT!r} in it")
    require(type(fields.get("version")) is int, "this is no certificate: it has no version")
    require(
        fields["version"] != 1,
        "this certificate has the old format 1, without the kind of its claim; "
        "`python -m mappo_verify.checking.certificate FILE` writes it anew, from the integers in it",
    )
    require(fields["version"] == VERSION, f"this checker reads certificates of version {VERSION}")
    expected = FIELDS | ({"derived": dict} if "derived" in fields else {})
    strange = sorted(set(fields) ^ set(expected))
    require(not strange, f"missing or unknown fields: {str(strange)[:200]}")
    for name, kind in expected.items():
        require(isinstance(fields[name], kind) and not isinstance(fields[name], bool), f"{name} is of the wrong type")
    for name in ("action_sizes", "entry"):
        require(all(type(number) is int for number in fields[name]), f"{name} is no list of integers")
    return dict(fields)


def _bytes(path: str) -> bytes:
    """What stands in a regular file.  Nothing else is opened: a pipe or a device may never end, and reading it may do things."""
    try:
        require(stat.S_ISREG(Path(path).stat().st_mode), "this is no certificate: it is no regular file")
        with Path(path).open("rb") as file:
            require(stat.S_ISREG(os.fstat(file.fileno()).st_mode), "this is no certificate: it is no regular file")
            raw = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise Rejected(f"the file cannot be read: {error}") from None
    require(len(raw) <= LARGEST_FILE, f"this is no certificate: it is larger than {LARGEST_FILE} bytes")
    return raw


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    require(len({name for name, _ in pairs}) == len(pairs), "a name occurs twice in one JSON object")
    return dict(pairs)


def _short(text: str) -> int:
    require(len(text) <= 7, f"the integer {text[:20]}... is too long")
    require(text != "-0", "-0 is no integer in its usual form")
    return int(text)


def _no_float(text: str) -> None:
    raise Rejected(f"the number {text[:20]} is no integer")


def checksum(fields: dict[str, Any]) -> str:
    """Of everything else.  It proves nothing; it catches slips in integers that a statement happens not to look at."""
    rest = {name: value for name, value in fields.items() if name != "checksum"}
    text = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def recorded(side: Any, name: str) -> Interval:
    """A recorded number: a rational in lowest terms, or two decimals whose last digits differ by 2."""
    if isinstance(side, str):
        require(RATIONAL.fullmatch(side) is not None, f"{name} is no rational number of at most 400 digits")
        require(str(Fraction(side)) == side, f"{name} is not in lowest terms")
        return _exactly(Fraction(side), Fraction(side))
    well_formed = isinstance(side, list) and len(side) == 2 and all(isinstance(end, str) for end in side)
    require(well_formed, f"{name} is neither a rational number nor an enclosure [low, high]")
    ends = [DECIMAL.fullmatch(end) for end in side]
    require(all(ends), f"{name} is no pair of decimals with 20, 40 or 80 places")
    require(not any(end[0] == "-" and Fraction(end) == 0 for end in side), f"{name} has a negative zero")
    low, high = Fraction(side[0]), Fraction(side[1])
    places = {len(end[2]) for end in ends if end}
    require(
        len(places) == 1 and high - low == Fraction(2, 10 ** places.pop()),
        f"{name} is not an enclosure whose ends differ by 2 units of the last decimal",
    )
    return _exactly(low, high)


def _exactly(low: Fraction, high: Fraction) -> Interval:
    """An interval whose ends are what the file says, however long."""
    result = Interval(0)
    result.low, result.high = low, high
    return result


def entries(value: Any, shape: tuple[int, ...], name: str, entry: Callable[[Any], T]) -> Any:
    """Nested lists of this shape (one bare entry for no axes), every entry as ``entry`` reads it."""
    if not shape:
        return entry(value)
    require(isinstance(value, list) and len(value) == shape[0], f"{name} does not have the expected shape")
    return [entries(part, shape[1:], name, entry) for part in value]


class Instance:
    """The instance: sizes, and tables by name; every name must be asked for, with its shape and range.

    ``coordinates`` are integers, which describe the instance.  ``derived``, in some files, are rationals: what the instance
    stands for without naming it.
    """

    def __init__(self, fields: dict[str, Any]) -> None:
        self.states: int = fields["states"]
        self.sizes: tuple[int, ...] = tuple(fields["action_sizes"])
        self.steps: int = fields["steps"]
        self.chain: int = fields["chain"]
        self.entry: tuple[int, ...] = tuple(fields["entry"])
        self.coordinates: dict[str, Any] = fields["coordinates"]
        self.derived: dict[str, Any] = fields.get("derived", {})
        self.used: set[str] = set()
        require(len(self.entry) <= 8, "an entry of a table with more than 8 axes")
        require(self.derived != {} or "derived" not in fields, "nothing is derived")
        require(not set(self.coordinates) & set(self.derived), "a name is both given and derived")

    def integers(self, name: str, shape: tuple[int, ...], low: int, high: int = LARGEST_INTEGER) -> Any:
        """Nested lists of integers of this shape (a bare integer for no axes), each from ``low`` to ``high``."""
        require(name in self.coordinates, f"the coordinates {name} are missing")
        self.used.add(name)

        def whole(value: Any) -> int:
            require(type(value) is int and low <= value <= high, f"{name} holds no integer from {low} to {high}")
            return int(value)

        return entries(self.coordinates[name], shape, name, whole)

    def rationals(self, name: str, shape: tuple[int, ...]) -> Any:
        """Nested lists of rationals of this shape: whole numbers as integers, others as ``"p/q"`` in lowest terms."""
        require(name in self.derived, f"the derived table {name} is missing")
        self.used.add(name)

        def rational(value: Any) -> Fraction:
            written = SHORT_RATIONAL.fullmatch(value) is not None if isinstance(value, str) else type(value) is int
            require(written, f"{name} holds something that is no rational number of at most 40 digits")
            number = Fraction(value)
            shortest = number.denominator > 1 and str(number) == value if isinstance(value, str) else True
            require(shortest, f"{name} holds a number that is not in lowest terms")
            return number

        return entries(self.derived[name], shape, name, rational)

    def shares(self, name: str, shape: tuple[int, ...], low: int = 0) -> Any:
        """Weights, normalised to sum to 1 along the last axis."""

        def normalised(rows: Any) -> Any:
            if isinstance(rows[0], list):
                return [normalised(row) for row in rows]
            require(sum(rows) > 0, f"a row of {name} has no weight")
            return [Fraction(weight, sum(rows)) for weight in rows]

        return normalised(self.integers(name, shape, low))

    def ratio(self, name: str) -> Fraction:
        """A positive rational ``p/q``."""
        p, q = self.integers(name, (2,), 1)
        return Fraction(p, q)

    def require_place(self, chain: int, shape: tuple[int, ...]) -> None:
        """Reject a place that is not in this chain, or not inside a table of this shape."""
        require(self.chain == chain, f"the statement that fails is number {chain} of this claim, counted from 0")
        inside = len(self.entry) == len(shape) and all(0 <= i < n for i, n in zip(self.entry, shape, strict=True))
        require(inside, f"the entry {list(self.entry)} is not inside a table of shape {shape}")
