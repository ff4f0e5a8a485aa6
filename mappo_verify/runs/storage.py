"""The iterations of a run on disk, in files that are only ever added.

``000000000.npz`` begins with iteration 0, and every other file with the iteration that its name says, where the one before ends.
Each holds a table ``[n, ...]`` for every column of the process, the state after its last iteration, and the random generators
then.  A file appears whole or not at all, so whatever kills a run, what is there is a run that was stopped, and goes on
bit for bit.

One process at a time may add files; a lock of the operating system, which ends with the process, sees to that.  Each file also
holds a checksum of everything in it and the checksum of the file before; the first names the run itself.  So files of two runs
are never taken for one, and numbers that were changed are noticed.

Nothing in a file is trusted: no pickle, no compression, and every name, type, shape and size is checked before it is read.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import re
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..algorithms.recording import Column, Process, Recording, State
from ..algorithms.sampling import Generator
from ..arithmetic import Array
from ..arithmetic.explained import explained_class
from ..errors import RunError
from ..games.untrusted import write_whole

NAME = re.compile(r"[0-9]{9}\.npz")
MAX_ITERATIONS = 10**9 - 1
PENDING_BYTES = 64 * 2**20
"""How much may wait in memory before it is written."""
WORD = 2**64
LOCK = ".lock"
PART = re.compile(r"\.[0-9a-f]{16}\.part")
"""What a killed process leaves of a file that it was about to write."""

logger = logging.getLogger(__package__)

Watch = Callable[[Process, State], None]
"""Called after every iteration with the process and its new state."""


def unwatched(process: Process, state: State) -> None:
    """Do nothing: the default, where nothing is shown while a run goes on."""


@explained_class
class Store:
    """A :data:`~mappo_verify.algorithms.recording.Record` in a folder: goes on where its files end, and adds to them.

    The folder does not know the algorithm; :func:`~mappo_verify.runs.folder.begin_run` keeps the settings beside it.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    every : float
        Write when this many seconds have passed; what is not yet written when a run is killed is computed again.
    watch : callable, optional
        Called after every iteration.
    identity : bytes, optional
        Of the run, beyond what its process says; files of another are refused.

    Raises
    ------
    RunError
        Where another process writes into the folder, and where files are of another run, damaged or changed.
    """

    def __init__(self, folder: Path, every: float = 1.0, watch: Watch = unwatched, identity: bytes = b"") -> None:
        self.folder, self.every, self.watch, self.identity = Path(folder), every, watch, identity

    def __call__(self, process: Process) -> Recording:
        """Follow the process to its end; what is returned is what was stored."""
        with sole_writer(self.folder):
            return self.follow(process)

    def follow(self, process: Process) -> Recording:
        """The same for a caller who is the sole writer already."""
        require_storable(process)
        _remove_parts(self.folder)
        _, state, last = _read_all(self.folder, process, self.identity, "they are computed again")
        waiting: list[tuple[tuple[Array, ...], State, Array]] = []
        row_bytes = sum(prod(c.shape) * c.dtype.itemsize for c in process.columns)
        written, failure = time.monotonic(), None
        try:
            for state, row in process.steps(state):  # noqa: B020 - the state is what the loop moves
                waiting.append((row, state, words(state)))  # one operation, so an interruption leaves whole iterations
                self.watch(process, state)
                if time.monotonic() - written >= self.every or len(waiting) * row_bytes >= PENDING_BYTES:
                    last = self._write(process, waiting, last)
                    waiting.clear()
                    written = time.monotonic()
        except Exception as error:
            failure = error
        finally:  # also when interrupted from the keyboard
            if waiting:
                self._write(process, waiting, last)
        return replace(stored(self.folder, self.identity)(process), failure=failure)

    def _write(self, process: Process, waiting: list[tuple[tuple[Array, ...], State, Array]], last: bytes) -> bytes:
        """Write what waits into a file that follows the file with the checksum ``last``; its own checksum."""
        rows, states, generators = zip(*waiting, strict=True)
        columns = zip(process.columns, zip(*rows, strict=True), strict=True)
        arrays: dict[str, Any] = {c.name: np.stack(entries).astype(c.dtype) for c, entries in columns}
        arrays |= zip(_state_names(states[-1]), states[-1].tables, strict=True)
        arrays["generators"] = generators[-1]
        checksum = _checksum(last, arrays.items())
        arrays["follows"], arrays["checksum"] = (np.frombuffer(text, np.uint8) for text in (last, checksum))
        content = io.BytesIO()
        np.savez(content, **arrays)
        make_folder(self.folder)
        write_whole(str(self.folder / f"{states[0].k - 1:09d}.npz"), content.getvalue())
        return checksum


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """A lock on the folder, which is made if it does not exist; partial files that a killed process left are removed."""
    import filelock

    make_folder(folder)
    lock = filelock.FileLock(folder / LOCK, blocking=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise RunError(
            f"another process is writing the run in {folder}; wait until it ends, or choose another folder"
        ) from None
    except OSError as error:
        raise RunError(f"cannot write into the folder {folder}: {error.strerror or error}") from None
    except NotImplementedError:
        raise RunError(f"the disk of {folder} cannot lock files; choose a folder on another disk") from None
    try:
        _remove_parts(folder)
        yield
    finally:
        lock.release()


def make_folder(folder: Path) -> None:
    """A folder that can be written into."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise RunError(f"cannot make the folder {folder}: {reason or error}; choose another") from None


def _remove_parts(folder: Path) -> None:
    for path in folder.glob(".*"):
        if PART.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _checksum(last: bytes, arrays: Iterable[tuple[str, Array]]) -> bytes:
    """SHA-256 of named arrays in a file that follows one with the checksum ``last``."""
    digest = hashlib.sha256(last)
    for name, array in sorted(arrays):
        digest.update(f"{name} {np.asarray(array).dtype.str} {array.shape};".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


def _origin(process: Process, state: State, identity: bytes) -> bytes:
    """What the first file follows: the run, by its identity and by where its process begins."""
    columns = ", ".join(f"{c.name} {c.dtype.str} {c.shape}" for c in process.columns)
    said = f"{process.iterations} iterations of {columns}; ".encode() + identity
    begun = dict(zip(_state_names(state), map(np.asarray, state.tables), strict=True))
    return _checksum(hashlib.sha256(said).digest(), {**begun, "generators": words(state)}.items())


def stored(folder: Path, identity: bytes = b"") -> Callable[[Process], Recording]:
    """A :data:`~mappo_verify.algorithms.recording.Record` that computes nothing: the iterations that a folder holds.

    A last file that is damaged, by a disk or a power failure, counts as not there; the logger ``mappo_verify.runs`` says so.
    """

    def read(process: Process) -> Recording:
        require_storable(process)
        pieces, state, _ = _read_all(Path(folder), process, identity, "--resume computes them again")
        empty = [np.empty((0, *c.shape), c.dtype) for c in process.columns]
        tables = tuple(np.concatenate(tables) for tables in zip(empty, *pieces, strict=True))
        shown = zip(tables[: process.state_columns], state.tables, strict=False)
        return Recording(tables, tuple(np.concatenate([table, last[None]]) for table, last in shown), state)

    return read


def chunk_names(folder: Path) -> set[str]:
    """The files of iterations in a folder; none if it is not there."""
    try:
        return {name for name in os.listdir(folder) if NAME.fullmatch(name)}  # noqa: PTH208 - its errors name what is wrong
    except FileNotFoundError:
        return set()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise RunError(f"{folder} is not a folder that can be read ({reason or error}); choose another") from None


def _read_all(
    folder: Path, process: Process, identity: bytes, torn: str
) -> tuple[list[tuple[Array, ...]], State, bytes]:
    """The tables of every file, the state after the last, and what the next one follows; ``torn`` is the cure of a torn one."""
    names = chunk_names(folder)
    pieces, state = [], process.begin()
    last = _origin(process, state, identity)
    while (name := f"{state.k:09d}.npz") in names:
        piece = read_chunk(folder / name, process, state, last)
        if piece is None:
            break
        tables, state, last = piece
        pieces.append(tables)
    later = sorted(entry for entry in names if entry > name)
    if later:
        raise RunError(
            f"{folder}: {name} is missing or damaged, although {later[0]} follows; delete {later[0]} and what comes after "
            "it, and --resume computes these iterations again"
        )
    if name in names:
        logger.warning("%s is damaged: the iterations from %d on are lost; %s", folder / name, state.k, torn)
    return pieces, state, last


def require_storable(process: Process) -> None:
    """Floats and integers go into files, objects do not; :class:`~mappo_verify.errors.RunError` for others."""
    if any(c.dtype.kind not in "fi" for c in process.columns):
        raise RunError("only runs in float64 can be stored; run game.floats()")
    if process.iterations > MAX_ITERATIONS:
        raise RunError(f"a stored run has at most {MAX_ITERATIONS} iterations, not {process.iterations}")


# --- one file -----------------------------------------------------------------------------------------------------------


def read_chunk(
    path: Path, process: Process, before: State, last: bytes
) -> tuple[tuple[Array, ...], State, bytes] | None:
    """Tables, state and checksum of a file that follows the state ``before`` and the checksum ``last``; None where it is torn."""
    if not path.is_file():
        raise RunError(f"{path} is not a regular file")
    floats, byte = np.dtype(float), np.dtype(np.uint8)
    fixed = [Column(n, t.shape, floats) for n, t in zip(_state_names(before), before.tables, strict=True)]
    fixed.append(Column("generators", (len(before.generators), 6), np.dtype(np.uint64)))
    sums = [Column(name, (hashlib.sha256().digest_size,), byte) for name in ("follows", "checksum")]
    try:
        with zipfile.ZipFile(path) as file:
            expected = {f"{c.name}.npy" for c in (*process.columns, *fixed, *sums)}
            if sorted(file.namelist()) != sorted(expected):
                raise RunError(
                    f"{path} holds {_few(file.namelist())}, not {_few(sorted(expected))}: it is of another run"
                )
            count = _shape(file, process.columns[0].name, path)[:1]
            if not count or not 1 <= count[0] <= process.iterations - before.k:
                raise RunError(
                    f"{path} has {count or 'no'} iterations; {process.iterations - before.k} are left of this run"
                )
            columns = [c._replace(shape=(*count, *c.shape)) for c in process.columns]
            arrays = {c.name: _array(file, c, path) for c in (*columns, *fixed)}
            follows, checksum = (np.asarray(_array(file, c, path)).tobytes() for c in sums)
    except (zipfile.BadZipFile, EOFError):
        return None
    except RunError:
        raise
    except (OSError, RuntimeError, ValueError) as error:  # encryption is a RuntimeError
        raise RunError(f"{path} cannot be read: {error}") from None
    generators = tuple(generator_from(row.tolist(), path) for row in arrays["generators"])
    cure = f"delete {path.name} and what comes after it, and --resume computes these iterations again"
    if _checksum(follows, arrays.items()) != checksum:
        raise RunError(f"{path} was changed after it was written: its checksum is not that of its numbers; {cure}")
    if follows != last:
        before_it = "what stands before it" if before.k else "run.json or game.json"
        raise RunError(
            f"{path} is of another run, or {before_it} was changed after it was written; put it back, or {cure}"
        )
    tables = tuple(arrays[c.name] for c in columns)
    return tables, State(before.k + count[0], tuple(arrays[c.name] for c in fixed[:-1]), generators), checksum


_HEADER = re.compile(
    rb"\{'descr': '([<>|](?:[fiuc][0-9]{1,2}|O))', 'fortran_order': (True|False), 'shape': \(([0-9, ]{0,200})\), \} *\n?"
)


def _header(stream: Any, path: Path, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and type that an array says it has: NumPy's header, version 1.0, of a plain array and of nothing else."""
    start = stream.read(10)
    found = None
    if start[:8] == b"\x93NUMPY\x01\x00" and len(start) == 10:
        found = _HEADER.fullmatch(stream.read(int.from_bytes(start[8:], "little")))
    try:
        if found is None:
            raise TypeError("it has no valid header")
        return tuple(map(int, re.findall(rb"[0-9]+", found[3]))), found[2] == b"True", np.dtype(found[1].decode())
    except TypeError:
        raise RunError(f"{path}: {name} is not a plain array; only files that a run wrote are read") from None


def _shape(file: zipfile.ZipFile, name: str, path: Path) -> tuple[int, ...]:
    with file.open(f"{name}.npy") as stream:
        return _header(stream, path, name)[0]


def _array(file: zipfile.ZipFile, wanted: Column, path: Path) -> Array:
    """An array of exactly this shape and type, from a member that is exactly as long as that."""
    entry = file.getinfo(f"{wanted.name}.npy")
    if entry.compress_type != zipfile.ZIP_STORED:
        raise RunError(f"{path}: {wanted.name} is compressed; stored runs are not")
    with file.open(entry) as stream:
        shape, transposed, dtype = _header(stream, path, wanted.name)
        if (shape, dtype) != (wanted.shape, wanted.dtype) or transposed:
            raise RunError(f"{path}: {wanted.name} is {dtype} {shape}, not {wanted.dtype} {wanted.shape}")
        size = prod(shape) * dtype.itemsize
        if entry.file_size - stream.tell() != size or entry.compress_size != entry.file_size:
            raise RunError(f"{path}: {wanted.name} has {entry.file_size} bytes, which are not those of {shape}")
        return np.frombuffer(stream.read(size + 1), dtype).reshape(shape).copy()


def _state_names(state: State) -> list[str]:
    return [f"state_{place}" for place in range(1, len(state.tables) + 1)]


def _few(names: list[str]) -> str:
    return ", ".join(name[:40] for name in names[:6]) + (", ..." if len(names) > 6 else "") or "nothing"


# --- random generators --------------------------------------------------------------------------------------------------


def words(state: State) -> Array:
    """The generators of a state as numbers, ``[generators, 6]``: PCG64's state and increment, and what it has left over."""
    rows = []
    for generator in state.generators:
        whole: Any = generator.bit_generator.state
        inner = whole["state"]
        rows.append(
            [*divmod(inner["state"], WORD), *divmod(inner["inc"], WORD), whole["has_uint32"], whole["uinteger"]]
        )
    return np.array(rows, np.uint64).reshape(-1, 6)


def generator_from(numbers: list[int], path: Path) -> Generator:
    """The generator that :func:`words` wrote."""
    high, low, up, down, left, rest = numbers
    if left not in (0, 1) or rest >= 2**32 or down % 2 == 0:
        raise RunError(f"{path}: {numbers} is not the state of a random generator")
    generator = np.random.Generator(np.random.PCG64())
    generator.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": high * WORD + low, "inc": up * WORD + down},
        "has_uint32": left,
        "uinteger": rest,
    }
    return generator
