"""A run in a folder: ``run.json`` says what was asked for, ``game.json`` is the game, ``trace/`` holds the iterations.

``run.json`` is written before the first iteration and never changed, the files in ``trace/`` are only added, so at any moment
the folder is a run that can be read (:func:`load_run`) and continued (:func:`resume_run`).

>>> import tempfile, pathlib
>>> folder = pathlib.Path(tempfile.mkdtemp()) / "first"
>>> trace = begin_run(Plan("algorithm-1", game="climbing", options={"iterations": 20}), folder)
>>> again = load_run(folder)
>>> again.iterations, (again.parameters[0] == trace.parameters[0]).all().item()
(20, True)
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ..algorithms.recording import Process, Record, Recording
from ..arithmetic import System, like
from ..arithmetic.explained import explained
from ..errors import RunError
from ..games.files import load_json, save_game
from ..games.untrusted import decoded, read_bytes, require_distinct_names, write_whole
from ..model import Game
from .algorithms import Result
from .plan import Plan
from .storage import Store, Watch, chunk_names, sole_writer, stored, unwatched

FORMAT, VERSION = "mappo-verify-run", 2
MAX_SETTINGS = 2**20
"""Bytes of ``run.json``."""
SETTINGS, GAME, TRACE, SUMMARY = "run.json", "game.json", "trace", "summary.json"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """``run.json``"""

    format: str
    version: int
    software: dict[str, str]
    algorithm: str
    game: str | None
    problem: str | None
    discount: str | None
    restart: bool
    options: dict[str, int | float | str | None]


class _Header(msgspec.Struct):
    """Read first: another version may have other fields."""

    format: str
    version: int


_HEADER, _FILE = msgspec.json.Decoder(_Header), msgspec.json.Decoder(_File)


@dataclass(frozen=True)
class StoredRun:
    """What a folder says about its run: the plan, the exact game (None for a named problem), and what wrote it."""

    folder: Path
    plan: Plan
    game: Game | None
    software: dict[str, str]
    identity: bytes
    """Of the plan and of ``game.json``: iterations that were stored beside others are of another run."""

    def trace(self) -> Result:
        """What has been computed so far."""
        return self.follow(stored(self.folder / TRACE, self.identity))

    def is_of_other_software(self) -> bool:
        """Whether versions differ, so that numbers may round differently."""
        return self.software != software()

    def follow(self, record: Record) -> Result:
        """The run, as far as ``record`` follows it."""
        return self.plan.follow(self.game, record)


def software() -> dict[str, str]:
    """The versions on which the last bits of a run depend."""
    from importlib.metadata import version

    return {name: version(name) for name in ("mappo-verify", "numpy")}


def has_iterations(folder: Path) -> bool:
    """Whether iterations are stored in this folder."""
    return bool(chunk_names(folder / TRACE))


@explained
def begin_run(plan: Plan, folder: Path, every: float = 1.0, watch: Watch = unwatched) -> Result:
    """Begin a run in a folder, which is made if it is not there, and follow it to its end.

    Iterations are written about ``every`` seconds; ``watch(process, state)`` is called after each.

    Raises :class:`~mappo_verify.errors.RunError` where iterations of a run are there already.
    """
    folder = Path(folder)
    _require_new(folder)
    game = plan.subject()

    def record(process: Process) -> Recording:
        with sole_writer(folder):  # only now: the algorithm has accepted its arguments
            _require_new(folder)
            write_settings(plan, game, folder)
            return Store(folder / TRACE, every, watch, _identity(plan, folder)).follow(process)

    return plan.follow(game, record)


def _require_new(folder: Path) -> None:
    if has_iterations(folder):
        raise RunError(f"{folder} holds a run already; go on with it by --resume, or choose another folder")


def _identity(plan: Plan, folder: Path) -> bytes:
    """SHA-256 of what was asked for: the plan, in names of today, and ``game.json`` byte for byte."""
    asked = (plan.algorithm, plan.game, plan.problem, plan.discount, plan.restart, dict(plan.options))
    digest = hashlib.sha256(msgspec.json.encode(asked, order="sorted"))
    if plan.game is not None:
        digest.update(read_bytes(folder / GAME))
    return digest.digest()


def write_settings(plan: Plan, game: Game | None, folder: Path) -> None:
    """``game.json``, then ``run.json``, whose presence makes the folder a run; for the sole writer."""
    if game is not None:
        save_game(game, folder / GAME)
    file = _File(
        FORMAT,
        VERSION,
        software(),
        plan.algorithm,
        plan.game,
        plan.problem,
        plan.discount,
        plan.restart,
        dict(plan.options),
    )
    write_whole(str(folder / SETTINGS), msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n")


def open_run(folder: Path) -> StoredRun:
    """The settings of the run in a folder; :class:`~mappo_verify.errors.RunError` where there is none."""
    path = Path(folder) / SETTINGS
    try:
        if not path.exists():
            raise RunError(f"{folder} holds no run ({SETTINGS} is missing); begin one without --resume")
        raw = read_bytes(path, MAX_SETTINGS)
        header = decoded(path, raw, _HEADER)
        file = decoded(path, raw, _FILE) if (header.format, header.version) == (FORMAT, VERSION) else header
        require_distinct_names(path, raw)
    except (OSError, ValueError) as error:
        if isinstance(error, RunError):
            raise
        raise RunError(f"{path} does not describe a run: {error}") from None
    if (file.format, file.version) != (FORMAT, VERSION):
        raise RunError(
            f"{path} is {file.format[:60]!r} version {file.version}, not {FORMAT!r} version {VERSION}: "
            "another release wrote it; begin a new run in another folder"
        )
    assert isinstance(file, _File)
    plan = Plan(file.algorithm, file.game, file.problem, file.discount, file.restart, file.options)
    _require_types(path, plan)
    game = None if plan.game is None else load_json(Path(folder) / GAME)
    return StoredRun(Path(folder), plan, game, file.software, _identity(plan, Path(folder)))


def _require_types(path: Path, plan: Plan) -> None:
    for name, value in plan.options.items():
        default = plan.entry.defaults[name]
        wanted = {int: (int,), str: (str,)}.get(type(default), (int, float))
        if not (isinstance(value, wanted) or (value is None and default is None)) or isinstance(value, bool):
            raise RunError(f"{path}: options.{name} = {value!r} is of the wrong type")


@explained
def load_run(folder: Path) -> Result:
    """The trace of a stored run, finished or not: a :class:`~mappo_verify.algorithms.trace.Trace`, or a
    :class:`~mappo_verify.algorithms.pessimistic_trace.PessimisticTrace`, as the algorithm itself returns it.

    Raises :class:`~mappo_verify.errors.RunError` where the folder holds no run, or a file that is none of its own.
    """  # noqa: D205 - one sentence
    return open_run(Path(folder)).trace()


@explained
def resume_run(folder: Path, every: float = 1.0, watch: Watch = unwatched) -> Result:
    """Go on with a stored run, bit for bit as if it had never stopped; a finished one is only read."""
    run = open_run(Path(folder))

    def record(process: Process) -> Recording:
        with sole_writer(run.folder):
            return Store(run.folder / TRACE, every, watch, run.identity).follow(process)

    return run.follow(record)


def require_same(run: StoredRun, given: dict[str, Any], options: dict[str, Any]) -> None:
    """What is asked for (None: whatever it was) must be what is kept; else :class:`~mappo_verify.errors.RunError`."""
    plan = run.plan
    held = {name: getattr(plan, name) for name in ("algorithm", "game", "problem", "discount", "restart")}
    for name, asked, kept in (
        *((name, asked, held[name]) for name, asked in given.items()),
        *((name, asked, plan.options.get(name)) for name, asked in options.items()),
    ):
        if asked is not None and asked != kept:
            raise RunError(
                f"{run.folder} holds a run with {name} = {'the default' if kept is None else kept}, not {asked}; leave {name} "
                "out to go on with it, or choose another folder"
            )
    if given.get("game") is not None and run.game is not None and not _same(plan.subject(), run.game):
        raise RunError(
            f"{plan.game} has changed since the run in {run.folder} began; leave --game out to go on with the old one"
        )


def _same(one: Game | None, other: Game) -> bool:
    if one is None or one.action_sizes != other.action_sizes:
        return False
    pairs = [(getattr(one, name), getattr(other, name)) for name in ("transition", "reward", "discount", "start")]
    nothing = like(0, System.RATIONALS)
    return all(np.array_equal(nothing if a is None else a, nothing if b is None else b) for a, b in pairs)
