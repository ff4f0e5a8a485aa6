"""How bytes, numbers and names of an untrusted file are taken in, and how a file is written whole.

Whatever a file claims, no more is held than :data:`MAX_BYTES`, and a number is judged by its text before it is computed.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import secrets
import shutil
import stat
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec

from ..errors import FileError, GameError

PathLike = str | os.PathLike[str]
T = TypeVar("T")

MAX_BYTES = 24 * 2**20
"""Bytes of a file, compressed or not, and of its text."""
MAX_MEMBERS = 1_000
"""Pieces that a gzip file may be glued together from; programs that pack in parallel write one for 64 KB or more."""
MAX_ENTRIES = 20_000_000
"""Entries ``S·A·S`` of a transition table, and of every other table that a reader allocates."""
MAX_AGENTS = 20
MAX_DIGITS = 1_000
"""Digits of one number; every float64 is an exact fraction with fewer."""
MAX_EXPONENT = 400

# --- bytes ----------------------------------------------------------------------------------------------------------


def read_bytes(path: PathLike, most: int | None = None) -> bytes:
    """The UTF-8 text of a file, unpacked if its name ends in ``.gz``; at most ``most`` bytes are ever taken in.

    ``most`` is :data:`MAX_BYTES` unless it is given.

    :class:`~mappo_verify.errors.FileError` for what is not a regular file (a pipe, a device, a folder) and for what is not text.
    """
    raw = _read(path, MAX_BYTES if most is None else most)
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        cure = "; it looks like gzip: let its name end in .gz" if raw[:2] == b"\x1f\x8b" else "; save it as UTF-8"
        line = raw.count(b"\n", 0, error.start) + 1
        raise FileError(f"{path}, line {line}: byte {raw[error.start]:#04x} is not UTF-8 text{cure}") from None
    if b"\0" in raw:
        line = raw.count(b"\n", 0, raw.index(b"\0")) + 1
        raise FileError(f"{path}, line {line}: the file contains a NUL byte, so it is not text")
    return raw


def _read(path: PathLike, most: int) -> bytes:
    try:
        with open_regular(path) as file:
            packed = os.fspath(path).lower().endswith(".gz")
            return _capped(path, most, _unpacked(file) if packed else iter(partial(file.read, 2**20), b""))
    except (EOFError, zlib.error) as error:
        raise FileError(f"{path} cannot be unpacked: {error}") from None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from None


def open_regular(path: PathLike) -> BinaryIO:
    """A file opened for reading; :class:`~mappo_verify.errors.FileError` for what is none, which might block or never end."""
    try:
        # Opening a pipe without a writer would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise FileError(f"{os.fspath(path)!r} is not a possible file name: {error}") from None
    kind = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(kind):
        os.close(descriptor)
        is_a = "is a folder" if stat.S_ISDIR(kind) else "is a pipe or a device"
        raise FileError(f"{path} is not a regular file: it {is_a}")
    return os.fdopen(descriptor, "rb")


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    """Piece by piece; all loops over what the file chooses run inside zlib (Python's own gzip reads long headers bytewise)."""
    engine, members, packed = None, 0, b""
    while packed := packed or file.read(2**16):
        if engine is None:
            # Zeros may pad the end.
            packed = packed.lstrip(b"\0") if members else packed
            if not packed:
                continue
            engine, members = zlib.decompressobj(wbits=31), members + 1
            if members > MAX_MEMBERS:
                raise EOFError(f"it consists of more than {MAX_MEMBERS} gzip members; compress it again, as one")
        yield engine.decompress(packed, 2**20)
        packed = engine.unused_data if engine.eof else engine.unconsumed_tail
        engine = None if engine.eof else engine
    if engine is None and members:
        return
    while engine is not None and (piece := engine.decompress(b"", 2**20)):
        yield piece
    if engine is None or not engine.eof:
        raise EOFError("the compressed file ends too early")


def _capped(path: PathLike, most: int, pieces: Iterable[bytes]) -> bytes:
    """All pieces; whatever a small file claims to unpack to, no more than the limit is held."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) > most:
            raise FileError(f"{path} holds more than the limit of {most} bytes")
    return bytes(held)


_NAME_OR_BRACE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}]')


def require_distinct_names(path: PathLike, raw: bytes) -> None:
    """No object of this well-formed JSON says a name twice: readers differ in which of the two counts."""
    objects: list[set[str]] = []
    for found in _NAME_OR_BRACE.finditer(raw):
        text = found[0]
        if text == b"{":
            objects.append(set())
        elif text == b"}":
            objects.pop()
        elif found[1] is not None:
            name = msgspec.json.decode(text[: found.start(1) - found.start()], type=str)
            if name in objects[-1]:
                line = raw.count(b"\n", 0, found.start()) + 1
                raise FileError(
                    f"{path}, line {line}: the name {shown(name)} stands twice in one object; leave one out"
                )
            objects[-1].add(name)


# --- numbers and sizes ----------------------------------------------------------------------------------------------

_DECIMAL = re.compile(r"([+-]?)(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?")
_RATIO = re.compile(r"[+-]?[0-9]+/[0-9]+")


def read_json(path: PathLike, most: int) -> Any:
    """What a JSON file of at most ``most`` bytes says; no name stands twice in one of its objects.

    :class:`ValueError` for what is no JSON.
    """
    raw = read_bytes(path, most)
    document = json.loads(raw)
    require_distinct_names(path, raw)
    return document


def exact_number(text: str, ratios: bool = True) -> Fraction:
    """The rational that ``text`` writes.  ValueError, with a message for people, if it is none or too long."""
    if len(text) > 2 * MAX_DIGITS + 8:
        raise ValueError(f"the number {shown(text)} has more than {MAX_DIGITS} digits")
    decimal = _DECIMAL.fullmatch(text)
    if decimal is None and not (ratios and _RATIO.fullmatch(text)):
        examples = "3/10, 0.25 or 1e-3" if ratios else "3, 0.25 or 1e-3"
        raise ValueError(f"{shown(text)} is not a number such as {examples}")
    if len(text) > MAX_DIGITS and any(len(digits) > MAX_DIGITS for digits in re.split(r"[/eE]", text)):
        raise ValueError(f"the number {shown(text)} has more than {MAX_DIGITS} digits")
    if decimal is None:
        numerator, denominator = map(int, text.split("/"))
        if not denominator:
            raise ValueError(f"{shown(text)} divides by zero")
        return Fraction(numerator, denominator)
    sign, whole, places, exponent = decimal.groups("")
    if exponent and (len(exponent) > 8 or abs(int(exponent)) > MAX_EXPONENT):
        raise ValueError(f"the number {shown(text)} has an exponent beyond ±{MAX_EXPONENT}")
    digits, power = int(sign + whole + places), int(exponent or 0) - len(places)
    return Fraction(digits, 10**-power) if power < 0 else Fraction(digits * 10**power)


def shown(value: Any) -> str:
    """A value from a file, quoted and cut to what fits in a message."""
    text = repr(value[:60] if isinstance(value, str) else value)
    return text if len(text) <= 50 else f"{text[:47]}..."


def cut(text: str, limit: int = 200) -> str:
    """A text that a file or a user had a part in, no longer than fits on a line or two."""
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def printable(text: str) -> str:
    """A text from a file with every character that a terminal would not print, but obey, as its escape."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


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


def size_complaint(states: int, sizes: Sequence[int]) -> str | None:
    """Why a game of this size is refused before anything is allocated, or None."""
    if len(sizes) > MAX_AGENTS:
        return f"{len(sizes)} agents are more than the limit of {MAX_AGENTS}"
    entries = states * states * prod(sizes)
    if entries > MAX_ENTRIES:
        return f"{states} states and {prod(sizes)} joint actions need {entries} entries; the limit is {MAX_ENTRIES}"
    return None


# --- JSON -----------------------------------------------------------------------------------------------------------


def decoded(path: PathLike, raw: bytes, decoder: msgspec.json.Decoder[T], within: str = "$") -> T:
    """The JSON as the decoder's type; what is wrong is a :class:`~mappo_verify.errors.FileError` that names path or line."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        message, _, place = str(error).rpartition(" - at ")
        message, place = (message, place) if message else (place, "$")
        place = within + place.strip("`").removeprefix("$")
        raise FileError(f"{path}: {cut(place)}: {cut(message)}") from None
    except msgspec.DecodeError as error:
        raise FileError(f"{path}{_line_of(error, raw)}: {cut(str(error))}") from None
    except RecursionError:
        raise FileError(f"{path}: the JSON is nested too deeply; nothing that is read here needs that") from None


def _line_of(error: Exception, raw: bytes) -> str:
    """Msgspec counts bytes; people count lines."""
    found = re.search(r"\(byte ([0-9]+)\)", str(error))
    return f", line {raw.count(10, 0, int(found[1]) if found else None) + 1}"


# --- writing --------------------------------------------------------------------------------------------------------


def closed_place(folder: Path) -> Path | None:
    """What keeps a folder from being made or written into, if anything: asked before long work, so that none is lost."""
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return None if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK) else nearest


def write_whole(target: PathLike, content: bytes | str) -> None:
    """Write beside the target, onto the disk, then rename: a reader sees the old file or the new one, never half of one."""
    with whole_file(target) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def whole_file(target: PathLike) -> Iterator[BinaryIO]:
    """A file to write, as by :func:`write_whole`; :class:`~mappo_verify.errors.FileError` where that fails.

    A device or a pipe, such as ``/dev/stdout``, has no old content, so it is written to itself.
    """
    try:
        final = Path(target).resolve()
        if final.exists() and not final.is_file() and not final.is_dir():
            with final.open("wb") as file:
                yield file
            return
        temporary = final.with_name(f".{secrets.token_hex(8)}.part")
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if final.exists():
                shutil.copymode(final, temporary)
            temporary.replace(final)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        reason = error.strerror if isinstance(error, OSError) else None
        raise FileError(f"{os.fspath(target)} cannot be written: {reason or error}") from None
