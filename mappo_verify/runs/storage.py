"""The iterations of a run on disk, in files that are only ever added.

``000000000.npz`` begins with iteration 0, and every other file with the iteration that its name says, where the one before ends.
Each holds a table ``[n, ...]`` for every column of the process, the state after its last iteration, and the random generators
then.  A file appears whole or not at all, so whatever kills a run, what is there is a run that was stopped, and goes on
bit for bit.

Nothing in a file is trusted: no pickle, no compression, and every name, type, shape and size is checked before it is read.
"""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..algorithms.recording import Column, Process, Recording, State
from ..algorithms.sampling import Generator
from ..arithmetic import Array
from ..errors import RunError
from ..games.files import write_whole

NAME = re.compile(r"[0-9]{9}\.npz")
MAX_ITERATIONS = 10**9 - 1
PENDING_BYTES = 64 * 2**20
"""How much may wait in memory before it is written."""
WORD = 2**64

Watch = Callable[[Process, State], None]
"""Called after every iteration with the process and its new state."""


def unwatched(process: Process, state: State) -> None:
    """Nobody watches."""


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
    """

    def __init__(self, folder: Path, every: float = 1.0, watch: Watch = unwatched) -> None:
        self.folder, self.every, self.watch = Path(folder), every, watch

    def __call__(self, process: Process) -> Recording:
        """Follow the process to its end; what is returned is what was stored."""
        require_storable(process)
        state = stored(self.folder)(process).state
        waiting: list[tuple[tuple[Array, ...], State, Array]] = []
        row_bytes = sum(prod(c.shape) * c.dtype.itemsize for c in process.columns)
        written, failure = time.monotonic(), None
        try:
            for state, row in process.steps(state):  # noqa: B020 - the state is what the loop moves
                waiting.append((row, state, words(state)))  # one operation, so an interruption leaves whole iterations
                self.watch(process, state)
                if time.monotonic() - written >= self.every or len(waiting) * row_bytes >= PENDING_BYTES:
                    self._write(process, waiting)
                    waiting.clear()
                    written = time.monotonic()
        except Exception as error:
            failure = error
        finally:  # also when interrupted from the keyboard
            if waiting:
                self._write(process, waiting)
        return replace(stored(self.folder)(process), failure=failure)

    def _write(self, process: Process, waiting: list[tuple[tuple[Array, ...], State, Array]]) -> None:
        rows, states, generators = zip(*waiting, strict=True)
        columns = zip(process.columns, zip(*rows, strict=True), strict=True)
        arrays: dict[str, Any] = {c.name: np.stack(entries).astype(c.dtype) for c, entries in columns}
        arrays |= zip(_state_names(states[-1]), states[-1].tables, strict=True)
        content = io.BytesIO()
        np.savez(content, **arrays, generators=generators[-1])
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(str(self.folder / f"{states[0].k - 1:09d}.npz"), content.getvalue())


def stored(folder: Path) -> Callable[[Process], Recording]:
    """A :data:`~mappo_verify.algorithms.recording.Record` that computes nothing: the iterations that a folder holds.

    A last file that is damaged, by a disk or a power failure, counts as not there.
    """

    def read(process: Process) -> Recording:
        require_storable(process)
        names = {path.name for path in Path(folder).glob("*") if NAME.fullmatch(path.name)}
        pieces, state = [], process.begin()
        while (name := f"{state.k:09d}.npz") in names:
            piece = read_chunk(Path(folder) / name, process, state)
            if piece is None:
                break
            pieces.append(piece[0])
            state = piece[1]
        later = sorted(entry for entry in names if entry > name)
        if later:
            raise RunError(
                f"{folder}: {name} is missing or damaged, although {later[0]} follows; delete {later[0]} and what comes after "
                "it, and --resume computes these iterations again"
            )
        empty = [np.empty((0, *c.shape), c.dtype) for c in process.columns]
        tables = tuple(np.concatenate(tables) for tables in zip(empty, *pieces, strict=True))
        shown = zip(tables[: process.state_columns], state.tables, strict=False)
        return Recording(tables, tuple(np.concatenate([table, last[None]]) for table, last in shown), state)

    return read


def require_storable(process: Process) -> None:
    """Floats and integers go into files, objects do not; :class:`~mappo_verify.errors.RunError` for others."""
    if any(c.dtype.kind not in "fi" for c in process.columns):
        raise RunError("only runs in float64 can be stored; run game.floats()")
    if process.iterations > MAX_ITERATIONS:
        raise RunError(f"a stored run has at most {MAX_ITERATIONS} iterations, not {process.iterations}")


# --- one file -----------------------------------------------------------------------------------------------------------


def read_chunk(path: Path, process: Process, before: State) -> tuple[tuple[Array, ...], State] | None:
    """Tables and state of one file that follows the state ``before``; None where the file is torn."""
    if not path.is_file():
        raise RunError(f"{path} is not a regular file")
    floats = np.dtype(float)
    fixed = [Column(n, t.shape, floats) for n, t in zip(_state_names(before), before.tables, strict=True)]
    fixed.append(Column("generators", (len(before.generators), 6), np.dtype(np.uint64)))
    try:
        with zipfile.ZipFile(path) as file:
            expected = {f"{c.name}.npy" for c in (*process.columns, *fixed)}
            if sorted(file.namelist()) != sorted(expected):
                raise RunError(
                    f"{path} holds {_few(file.namelist())}, not {_few(sorted(expected))}: it is of another run"
                )
            count = _shape(file, process.columns[0].name, path)[:1]
            if not count or not 1 <= count[0] <= process.iterations - before.k:
                raise RunError(
                    f"{path} has {count or 'no'} iterations; {process.iterations - before.k} are left of this run"
                )
            tables = tuple(_array(file, c._replace(shape=(*count, *c.shape)), path) for c in process.columns)
            *states, numbers = (_array(file, c, path) for c in fixed)
    except (zipfile.BadZipFile, EOFError):
        return None
    except RunError:
        raise
    except (OSError, RuntimeError, ValueError) as error:  # encryption is a RuntimeError
        raise RunError(f"{path} cannot be read: {error}") from None
    generators = tuple(generator_from(row.tolist(), path) for row in numbers)
    return tables, State(before.k + count[0], tuple(states), generators)


def _header(stream: Any, path: Path, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and type that an array says it has; NumPy reads them as literals, of bounded length."""
    try:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError("another version of the format than 1.0")
        return np.lib.format.read_array_header_1_0(stream)
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise RunError(f"{path}: {name} is no plain array: {str(error)[:200]}") from None


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
        raise RunError(f"{path}: {numbers} is no state of a random generator")
    generator = np.random.Generator(np.random.PCG64())
    generator.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": high * WORD + low, "inc": up * WORD + down},
        "has_uint32": left,
        "uinteger": rest,
    }
    return generator
