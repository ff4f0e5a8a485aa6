"""The ledger of a campaign: one SQLite file that survives whatever kills its writer.

A chunk and everything that it found are one row, written in one transaction, whose key is the claim and the chunk's number: so a
chunk is there as a whole or not at all, and never twice.  What is said about a campaign is computed from these rows when it is
asked for; no running total is kept that could disagree with them.  The file is in SQLite's WAL mode, so that a report can be read
while a campaign writes; a lock of the operating system, which ends with the process, keeps a second writer out.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from ..arithmetic import System
from ..arithmetic.explained import shown
from ..errors import CampaignError, MappoVerifyError
from ..games.untrusted import cut
from .chunk import ChunkResult, WitnessResult
from .plan import Plan, Task

FORMAT = "mappo-verify-campaign 1"
APPLICATION = 0x6D767231
"""SQLite's field for whose file this is."""
SYSTEMS = frozenset(system.value for system in System)
RATIO = re.compile(r"-?[0-9]{1,200}/[0-9]{1,200}|-?[0-9]{1,40000}(\.[0-9]{40})?")
"""A short rational, or a decimal; never with an exponent."""
COUNTS = ("holds", "violated", "undecided", "not_applicable", "raised")

_SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE claims (claim TEXT PRIMARY KEY, place INTEGER NOT NULL, instances INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE chunks (
    claim TEXT NOT NULL, chunk INTEGER NOT NULL, instances INTEGER NOT NULL,
    holds INTEGER NOT NULL, violated INTEGER NOT NULL, undecided INTEGER NOT NULL, not_applicable INTEGER NOT NULL,
    raised INTEGER NOT NULL, arithmetics TEXT NOT NULL, ratio TEXT, ratio_at INTEGER, simplest INTEGER,
    open_at INTEGER, open_reason TEXT NOT NULL, broken TEXT NOT NULL, seconds REAL NOT NULL, libraries TEXT NOT NULL,
    PRIMARY KEY (claim, chunk)
) STRICT, WITHOUT ROWID;
CREATE TABLE witnesses (
    claim TEXT PRIMARY KEY, chunk INTEGER NOT NULL, position INTEGER NOT NULL, states INTEGER NOT NULL,
    action_sizes TEXT NOT NULL, steps INTEGER NOT NULL, coordinates TEXT NOT NULL, certificate TEXT NOT NULL,
    complaint TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""


class Ledger:
    """An open ledger; :meth:`begin` makes one, :meth:`open` continues or reads one."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def begin(cls, path: Path, plan: Plan, formulas: str) -> Ledger:
        """A new ledger; the file must not exist.  It appears under its name only when it is complete."""
        if path.exists():
            raise CampaignError(f"{path} exists; campaign run without --claims continues it")
        partial = path.with_name(f".{path.name}.new")
        partial.unlink(missing_ok=True)
        try:
            with closing(sqlite3.connect(partial, isolation_level=None)) as connection:
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute("BEGIN")
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    connection.execute(statement)
                about = {"format": FORMAT, "seed": str(plan.seed), "formulas": formulas} | {
                    "share": "/".join(map(str, plan.share))
                }
                connection.executemany("INSERT INTO about VALUES (?, ?)", about.items())
                rows = [(claim, place, count) for place, (claim, count) in enumerate(plan.instances.items())]
                connection.executemany("INSERT INTO claims VALUES (?, ?, ?)", rows)
                connection.execute("COMMIT")
            partial.rename(path)
        except (sqlite3.Error, OSError) as error:
            raise CampaignError(f"{path} cannot be written: {error}") from None
        return cls.open(path, write=True)

    @classmethod
    def open(cls, path: Path, write: bool = False) -> Ledger:
        """The ledger in a file; a reader does not disturb a writer."""
        if not path.is_file():
            raise CampaignError(f"there is no ledger {path}")
        try:
            connection = sqlite3.connect(path, isolation_level=None, timeout=60)
            if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION,):
                connection.close()
                raise CampaignError(f"{path} is no ledger of a campaign")
            if write:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
            else:
                connection.execute("PRAGMA query_only = ON")
                connection.execute("BEGIN")  # one state of the file, whatever a campaign writes meanwhile
            ledger = cls(path, connection)
            found = ledger.about("format")
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise CampaignError(f"{path} is no ledger of a campaign: {error}") from None
        if found != FORMAT:
            ledger.close()
            raise CampaignError(f"{path} has the format {found!r}; this version reads {FORMAT!r}")
        return ledger

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def about(self, name: str) -> str:
        """One of ``format``, ``seed``, ``formulas`` (their SHA-256) and ``share``."""
        row = self._connection.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise CampaignError(f"{self.path} does not say its {name}")
        return str(row[0])

    @property
    def plan(self) -> Plan:
        """What is to be done."""
        rows = self._connection.execute("SELECT claim, instances FROM claims ORDER BY place").fetchall()
        part, parts = (int(word) for word in self.about("share")[:30].split("/"))
        return Plan(int(self.about("seed")), dict(rows), (part, parts))

    def extend(self, plan: Plan) -> None:
        """Ask for more instances of the same claims; nothing that was done is done again, but chunks that were not full."""
        rows = [(count, claim) for claim, count in plan.instances.items()]
        with self._transaction() as connection:
            connection.executemany("UPDATE claims SET instances = ? WHERE claim = ?", rows)

    def done(self) -> set[Task]:
        """Every chunk that is there."""
        return {Task(row["claim"], row["chunk"], row["instances"]) for row in self.rows()}

    def add(self, result: ChunkResult) -> None:
        """Write one chunk, in the place of the same chunk with fewer instances."""
        self._insert("chunks", _row_of(result))

    def rows(self) -> Iterator[dict[str, Any]]:
        """What every chunk found, claim by claim in the plan's order; an error for what no chunk can have found."""
        plan = self.plan
        cursor = self._connection.execute(
            "SELECT chunks.* FROM chunks LEFT JOIN claims USING (claim) ORDER BY claims.place, chunks.chunk"
        )
        names = [column[0] for column in cursor.description]
        for values in cursor:
            row = dict(zip(names, values, strict=True))
            complaint = _complaint(row, plan)
            if complaint:
                raise CampaignError(f"{self.path} is damaged: chunk {row['chunk']} of {cut(row['claim'])} {complaint}")
            yield row

    def copy(self, row: dict[str, Any]) -> None:
        """Write a row of another ledger."""
        self._insert("chunks", row)

    def violations(self) -> dict[str, tuple[int, int]]:
        """For each violated claim, the first chunk with a violation, and in it the instance with the smallest integers."""
        rows = self._connection.execute(
            "SELECT claim, MIN(chunk), simplest FROM chunks WHERE violated > 0 GROUP BY claim"
        )
        return {claim: (chunk, position) for claim, chunk, position in rows}

    def witnesses(self) -> dict[str, WitnessResult]:
        """The counterexamples, by claim."""
        formulas = self.about("formulas")
        cursor = self._connection.execute("SELECT * FROM witnesses ORDER BY claim")
        names = [column[0] for column in cursor.description]
        found = {}
        for row in cursor:
            values = dict(zip(names, row, strict=True))
            values["action_sizes"] = tuple(json.loads(values["action_sizes"]))
            values["coordinates"] = json.loads(values["coordinates"])
            found[values["claim"]] = WitnessResult(**values, formulas=formulas)
        self._require_violated(found)
        return found

    def _require_violated(self, found: dict[str, WitnessResult]) -> None:
        rows = self._connection.execute("SELECT claim, chunk FROM chunks WHERE violated > 0")
        violated = {(claim, chunk) for claim, chunk in rows}
        for claim, one in found.items():
            if (claim, one.chunk) not in violated:
                raise CampaignError(
                    f"{self.path} is damaged: a counterexample to {cut(claim)} from chunk {one.chunk}, where none is violated"
                )

    def add_witness(self, found: WitnessResult) -> None:
        """Write a counterexample, in the place of one from a later chunk."""
        row = {
            "claim": found.claim,
            "chunk": found.chunk,
            "position": found.position,
            "states": found.states,
            "action_sizes": json.dumps(found.action_sizes),
            "steps": found.steps,
            "coordinates": json.dumps(found.coordinates),
            "certificate": found.certificate,
            "complaint": found.complaint,
        }
        self._insert("witnesses", row)

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        with self._transaction() as connection:
            connection.execute(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise CampaignError(f"{self.path} cannot be written: {error}") from None


def _complaint(row: dict[str, Any], plan: Plan) -> str:
    """Why no chunk of the plan can have found what a row says; empty if one can."""
    claim, count = row["claim"], row["instances"]
    most = plan.instances_of(claim, row["chunk"]) if claim in plan.instances else 0
    if not 0 < count <= most:
        return f"has {count} instances, and the campaign asks for {most} of them"
    if min(row[name] for name in COUNTS) < 0 or sum(row[name] for name in COUNTS) != count:
        return f"counts {', '.join(f'{row[name]} {name}' for name in COUNTS)} of {count} instances"
    arithmetics = json.loads(row["arithmetics"])
    decided = row["holds"] + row["violated"]
    known = isinstance(arithmetics, dict) and arithmetics.keys() <= SYSTEMS and min(arithmetics.values(), default=1) > 0
    if not known or sum(arithmetics.values()) != decided:
        return f"does not say by which arithmetic its {decided} decided instances were"
    places = (
        ("simplest", bool(row["violated"])),
        ("open_at", bool(row["undecided"] + row["raised"])),
        ("ratio_at", row["ratio"] is not None),
    )
    for name, wanted in places:
        place = row[name]
        if (place is not None) is not wanted or (wanted and not 0 <= place < count):
            return f"has no instance {place} that may be its {name}"
    if row["ratio"] is not None and not RATIO.fullmatch(row["ratio"]):
        return f"has the ratio {cut(row['ratio'])}, which is no rational"
    return ""


def _row_of(result: ChunkResult) -> dict[str, Any]:
    return {
        "claim": result.task.claim,
        "chunk": result.task.chunk,
        "instances": result.task.instances,
        **{name: result.counts[name] for name in COUNTS},
        "arithmetics": json.dumps(result.arithmetics, sort_keys=True),
        "ratio": result.ratio,
        "ratio_at": result.ratio_at,
        "simplest": result.simplest,
        "open_at": result.open_at,
        "open_reason": result.open_reason,
        "broken": result.broken,
        "seconds": result.seconds,
        "libraries": result.libraries,
    }


def path_of(ledger: Any) -> Path:
    """A user's path of a ledger; :class:`CampaignError` for what is none."""
    if not isinstance(ledger, (str, os.PathLike)) or "\0" in os.fspath(ledger):
        raise CampaignError(f"{shown(ledger)} is not the path of a ledger")
    return Path(ledger)


@contextmanager
def naming_damage(path: Path) -> Iterator[None]:
    """What a damaged ledger raises while it is read, as :class:`CampaignError`."""
    try:
        yield
    except MappoVerifyError:
        raise
    except (sqlite3.Error, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise CampaignError(
            f"{path} is damaged: {type(error).__name__}: {cut(str(error))}; begin a new ledger, or take a copy of this one"
        ) from None


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """A lock beside the ledger, held while a campaign writes."""
    import filelock

    if not path.name or path.is_dir() or not path.parent.is_dir():
        raise CampaignError(f"{path} is no place for a ledger; name a file in a folder that exists")
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"), blocking=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        if not Path(lock.lock_file).exists():
            raise CampaignError(f"{path} cannot be locked: nothing can be written into {path.parent}") from None
        raise CampaignError(f"another process is writing {path}; wait until it ends") from None
    except OSError as error:
        raise CampaignError(f"{path} cannot be locked: {error.strerror or error}") from None
    try:
        yield
    finally:
        lock.release()
