"""Large games on disk: one ``.npz`` of plain, uncompressed arrays, without pickle, read as memory maps.

The file holds ``format`` (2 numbers), ``data``, ``indices`` and ``indptr`` of the CSR matrix ``[S·A, S]``, ``reward`` ``[S, A]``,
``discount``, ``action_sizes``, and ``start`` ``[S]`` where there is one.  Names are not kept.  :func:`load_npz` maps the arrays,
so that a game larger than the memory can be opened; what is in the file is checked like any other game.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import SparseRows, System, is_sparse
from ..errors import FileError, GameError
from ..model import Game
from .untrusted import PathLike, open_regular, shown, whole_file

MARK = np.array([0x6D76, 1], np.int64)
"""Whose file this is, and its version."""
KINDS = {
    "format": ("i8", 1),
    "data": ("f8", 1),
    "indices": ("i4 i8", 1),
    "indptr": ("i4 i8", 1),
    "reward": ("f8", 2),
    "discount": ("f8", 0),
    "action_sizes": ("i8", 1),
    "start": ("f8", 1),
}
"""Every array: what its entries may be, and how many axes it has."""
MAX_AGENTS = 64
LOCAL_HEADER = 30
"""Bytes of a zip member's header before its name."""


def save_npz(game: Game, path: PathLike) -> None:
    """Write a single float game; a dense one is stored as a sparse one."""
    import scipy.sparse as sp

    if game.system is not System.FLOATS or game.batch_shape:
        raise FileError(f"{path}: .npz holds a single game over floats; save exact games as .json")
    rows: Any = game.transition
    if not is_sparse(rows):
        rows = SparseRows(sp.csr_array(np.asarray(rows).reshape(-1, game.states)), game.actions)
    matrix = rows.matrix
    arrays = {
        "format": MARK,
        "data": matrix.data,
        "indices": matrix.indices,
        "indptr": matrix.indptr,
        "reward": game.reward,
        "discount": game.discount,
        "action_sizes": np.array(game.action_sizes, np.int64),
    } | ({} if game.start is None else {"start": game.start})
    with whole_file(path) as file:
        np.savez(file, **arrays)


def load_npz(path: PathLike) -> Game:
    """The game in a file of :func:`save_npz`, its arrays mapped from the disk; :class:`FileError` where it is none."""
    import scipy.sparse as sp

    arrays = _mapped(Path(path))
    if not np.array_equal(arrays["format"], MARK):
        raise FileError(f"{path} is no game of a version that can be read here")
    sizes = tuple(int(size) for size in arrays["action_sizes"])
    reward = arrays["reward"]
    if not 1 <= len(sizes) <= MAX_AGENTS or any(size < 1 for size in sizes):
        raise FileError(f"{path}: action_sizes {sizes} are not the sizes of 1 to {MAX_AGENTS} agents")
    parts = (arrays["data"], arrays["indices"], arrays["indptr"])
    try:
        matrix = sp.csr_array(parts, shape=(reward.size, reward.shape[0]), copy=False)
        return Game(matrix, reward, arrays["discount"], sizes, start=arrays.get("start"))
    except (ValueError, GameError) as error:
        raise FileError(f"{path}: {error}") from None


def _mapped(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an ``.npz`` as read-only memory maps; nothing is unpickled or unpacked."""
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            members = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
            if len(members) > len(KINDS) or not set(members) <= set(KINDS) or set(KINDS) - set(members) - {"start"}:
                raise FileError(f"{path} holds {shown(', '.join(sorted(members)))}, not the arrays of a game")
            return {name: _member(file, path, name, entry) for name, entry in members.items()}
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path} is no .npz of plain arrays: {error}") from None


def _member(file: Any, path: Path, name: str, entry: zipfile.ZipInfo) -> npt.NDArray[Any]:
    """One array, mapped: where it begins follows from the two headers before it."""
    if entry.compress_type != zipfile.ZIP_STORED:
        raise FileError(f"{path}: {name} is compressed, so it cannot be mapped; np.savez stores it plainly")
    file.seek(entry.header_offset)
    header = file.read(LOCAL_HEADER)
    if len(header) < LOCAL_HEADER:
        raise FileError(f"{path}: the file ends within {name}")
    file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), os.SEEK_CUR)
    version = np.lib.format.read_magic(file)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise FileError(f"{path}: {name} is in version {version} of NumPy's format")
    try:
        shape, fortran, dtype = read(file)
    except (
        ValueError,
        SyntaxError,
        TypeError,
        TokenError,
        RecursionError,
    ) as error:  # what NumPy's reading of a dict can raise
        raise FileError(f"{path}: {name} has no header of an array: {error}") from None
    kinds, axes = KINDS[name]
    if dtype.str[1:] not in kinds.split() or dtype.str[0] not in "<|" or fortran or len(shape) != axes:
        raise FileError(f"{path}: {name} has dtype {dtype} and shape {shape}, not {axes} axes of {kinds}")
    begin, count = file.tell(), int(np.prod(shape, dtype=object))
    if begin + count * dtype.itemsize > path.stat().st_size:
        raise FileError(f"{path}: {name} has shape {shape}, more than the file holds")
    if count == 0 or not shape:
        return np.frombuffer(file.read(count * dtype.itemsize), dtype).reshape(shape)
    return np.memmap(path, dtype, "r", begin, shape)
