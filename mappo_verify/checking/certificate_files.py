"""The file of a certificate: its fields, its text, and how an untrusted one is read.

JSON with exactly the fields of :class:`Certificate`; nothing but integers, strings and lists of them.  What is read is bounded
before it is converted: a regular file, few bytes, short numbers, each name once.  The checksum proves nothing; it catches slips
in integers that a statement happens not to look at.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from ..arithmetic.explained import explained
from ..claims.coordinates import Sizes
from ..errors import FileError, MappoVerifyError

FORMAT, VERSION = "mappo-verify-certificate", 2
Side = str | tuple[str, str]
"""A rational in lowest terms, or two decimals that enclose the number."""
MAX_BYTES = 200_000
PLACES = (20, 40, 80)
"""Decimal places of an enclosure: the fewest that prove the violation."""

_RATIONAL = re.compile(r"-?(0|[1-9][0-9]{0,399})(/[1-9][0-9]{0,399})?")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,399})\.([0-9]{20}|[0-9]{40}|[0-9]{80})")


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of a certificate, in the order of the file.

    ``chain`` and ``entry`` say where the statement fails: which of the claim's statements (from 0), and the index in its table of
    sides, ``[]`` for a single number.  ``left`` and ``right`` are the sides in words.  ``derived`` is there where an instance
    stands for more than its coordinates name: rational tables, whole numbers as integers and others as ``"p/q"``.
    """

    format: str
    version: int
    claim: str
    kind: str
    statement: str
    note: str
    setting: str
    states: int
    action_sizes: list[int]
    steps: int
    coordinates: dict[str, Any]
    derived: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    hypotheses: list[str]
    chain: int
    entry: list[int]
    left: str
    relation: str
    right: str
    left_value: Side
    right_value: Side
    checksum: str

    @property
    def sizes(self) -> Sizes:
        """The sizes of the instance."""
        return Sizes(self.states, tuple(self.action_sizes), self.steps)


def checksum(certificate: Certificate) -> str:
    """SHA-256 of everything else, as JSON with sorted names and without spaces."""
    rest = {name: value for name, value in msgspec.to_builtins(certificate).items() if name != "checksum"}
    text = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@explained
def read_certificate(path: str | Path, old: bool = False) -> Certificate:
    """The certificate in a file; nothing is evaluated yet.  :class:`~mappo_verify.errors.FileError` if it is none.

    ``old`` takes version 1 as well, which had no ``kind``; it is left empty then, so that a checker would reject it.
    """
    return certificate_from(_bytes(Path(path), path), path, old)


def certificate_from(raw: bytes, path: str | Path, old: bool = False) -> Certificate:
    """The certificate in what a file holds; ``path`` is what errors call it."""
    try:
        # msgspec would let the last of two equal names win, and take long integers; so those are looked for first
        fields = json.loads(
            raw.decode(), object_pairs_hook=_once, parse_int=_short, parse_float=_refuse, parse_constant=_refuse
        )
    except ValueError as error:
        raise FileError(f"{path} is no certificate: no JSON of the kind that it takes: {str(error)[:200]}") from None
    except RecursionError:
        raise FileError(f"{path} is no certificate: the JSON is nested too deeply") from None
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise FileError(f"{path} is no certificate: no {FORMAT!r} in it")
    if fields.get("version") == 1 and type(fields["version"]) is int:
        if not old:
            raise FileError(
                f"{path} has the old format 1, without the kind of its claim; "
                f"`python -m mappo_verify.checking.certificate {path}` writes it anew, from the integers in it"
            )
        fields |= {"version": VERSION, "kind": ""}
    if fields.get("version") != VERSION or type(fields["version"]) is not int:
        raise FileError(f"{path}: this release reads {FORMAT!r}, version {VERSION}")
    try:
        return msgspec.convert(fields, Certificate)
    except (msgspec.ValidationError, UnicodeError) as error:  # the second for half of a surrogate pair in a name
        message, _, place = str(error).partition(" - at ")
        raise FileError(f"{path}: {place.strip('`') or '$'}: {message[:200]}") from None


def _bytes(path: Path, named: str | Path) -> bytes:
    """What stands in a regular file; a pipe or a device, which may never end, is not opened."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileError(f"{named} is no certificate: it is no regular file")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{named} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise FileError(f"{str(named)!r} is not a possible file name: {error}") from None
    if len(raw) > MAX_BYTES:
        raise FileError(f"{named} is larger than {MAX_BYTES} bytes, so it is no certificate")
    return raw


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a name occurs twice in one JSON object")
    return result


def _short(text: str) -> int:
    if len(text) > 7 or text == "-0":
        raise ValueError(f"the integer {text[:20]} is too long, or -0")
    return int(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"the number {text[:20]} is no integer")


def text_of(certificate: Certificate) -> str:
    """The text of the file: one field a line, and one line for each group of coordinates."""

    def shown(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    lines = []
    for name, value in msgspec.to_builtins(certificate).items():
        if isinstance(value, dict):
            inner = ",\n".join(f"    {shown(key)}: {shown(entry)}" for key, entry in value.items())
            lines.append(f"  {shown(name)}: {{\n{inner}\n  }}")
        else:
            lines.append(f"  {shown(name)}: {shown(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


# --- the recorded numbers ---------------------------------------------------------------------------------------------


class RejectedError(MappoVerifyError):
    """Why a certificate proves nothing."""


def require(condition: bool, reason: str) -> None:
    """Reject for this reason unless the condition holds."""
    if not condition:
        raise RejectedError(reason)


def contradicts(left: Side, relation: str, right: Side) -> bool:
    """Whether recorded sides alone show that the relation fails."""
    (left_low, left_high), (right_low, right_high) = interval(left, "left_value"), interval(right, "right_value")
    above, below = left_low > right_high, left_high < right_low
    violated = {"≤": above, "≥": below, "=": above or below}.get(relation)
    require(violated is not None, f"{relation[:20]!r} is no relation that a claim may state")
    return bool(violated)


def interval(side: Side, name: str) -> tuple[Fraction, Fraction]:
    """The ends of a recorded number, in the only form in which it may be written."""
    if isinstance(side, str):
        require(_RATIONAL.fullmatch(side) is not None, f"{name} is no rational number of at most 400 digits")
        value = Fraction(side)
        require(str(value) == side, f"{name} is not in lowest terms")
        return value, value
    for end in side:
        require(_DECIMAL.fullmatch(end) is not None, f"{name} is no pair of decimals with 20, 40 or 80 places")
        require(not (end[0] == "-" and Fraction(end) == 0), f"{name} has a negative zero")
    places = {_places_of(end) for end in side}
    low, high = Fraction(side[0]), Fraction(side[1])
    narrow = len(places) == 1 and high - low == Fraction(2, 10 ** places.pop())
    require(narrow, f"{name} is not an enclosure whose ends differ by 2 units of the last decimal")
    return low, high


def _places_of(decimal: str) -> int:
    return len(decimal.partition(".")[2])


def places_in(certificate: Certificate) -> int:
    """How many decimal places its enclosures have; 0 where both sides are rationals."""
    return max(
        (_places_of(side[0]) for side in (certificate.left_value, certificate.right_value) if isinstance(side, tuple)),
        default=0,
    )
