"""Games whose transitions are a sparse matrix: what is checked, without a dense table."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import SparseRows, System
from ..errors import GameError
from .validation import array_of, at, going_on, probabilities, require_finite, require_shape, rounding_of

MAX_STORED = 2_000_000_000
"""Stored entries of one sparse matrix; more are refused as a slip of the pen."""
MAX_EXACT = 2_000_000
"""Entries, zeros included, of a sparse game that is still turned into rationals."""
RATIONAL_BYTES = 60
"""About what one small rational takes."""


def is_matrix(value: Any) -> bool:
    """Whether this is a SciPy sparse matrix, or one that was checked before."""
    return isinstance(value, SparseRows) or hasattr(value, "tocsr")


def sparse_rows(transition: Any, actions: int) -> SparseRows:
    """A SciPy matrix ``[S·A, S]`` of probabilities as transitions, checked; copied, but for read-only memory maps."""
    if isinstance(transition, SparseRows):
        if transition.shape[1] != actions:
            raise GameError(f"transition is for {transition.shape[1]} joint actions, and reward has {actions}")
        return transition
    import scipy.sparse as sp

    rows, states = transition.shape
    if actions < 1 or states < 1 or rows != states * actions:
        raise GameError(
            f"a sparse transition has shape [S·A, S]; {transition.shape} does not fit {actions} joint actions and {states} states"
        )
    if transition.nnz > MAX_STORED:
        raise GameError(f"transition stores {transition.nnz} entries, more than the limit of {MAX_STORED}")
    kept = transition.format == "csr" and all(map(is_mapped, (transition.data, transition.indices, transition.indptr)))
    matrix = sp.csr_array(transition, dtype=np.float64, copy=not kept)
    try:
        matrix.check_format(full_check=True)
    except ValueError as error:
        raise GameError(f"transition is no valid CSR matrix: {error}") from None
    if not kept:
        matrix.sum_duplicates()
        short = sp.get_index_dtype(
            maxval=max(matrix.nnz, *matrix.shape)
        )  # half of what a product reads beside the numbers
        matrix.indices, matrix.indptr = (part.astype(short, copy=False) for part in (matrix.indices, matrix.indptr))
    for part in (matrix.data, matrix.indices, matrix.indptr):
        part.setflags(write=False)
    bad = ~(matrix.data >= 0) | ~np.isfinite(matrix.data)
    if bad.any():
        place = int(np.argmax(bad))
        row = int(np.searchsorted(matrix.indptr, place, side="right")) - 1
        index = [row // actions, row % actions, int(matrix.indices[place])]
        raise GameError(f"transition{index} = {matrix.data[place]} is negative or not finite; it is a probability")
    longest = int(np.diff(matrix.indptr).max())  # what is not stored is not rounded
    return SparseRows(matrix, actions, rounding=rounding_of(transition, longest))


def rows_checked(rows: SparseRows, ends: Any) -> SparseRows:
    """The rule for rows of :func:`~.validation.probabilities`, without a dense table; rows of shorter floats are divided."""
    import scipy.sparse as sp

    goes_on = going_on("transition", rows.mass, rows.rounding, ends=ends)
    if rows.rounding <= rounding_of(np.empty(0), rows.shape[2]):
        return rows
    divided = goes_on if ends is None else goes_on & ~(ends > 0)
    sums = np.where(divided, rows.mass, 1.0).reshape(-1)
    matrix = sp.csr_array(sp.diags_array(1 / sums) @ rows.matrix)
    for part in (matrix.data, matrix.indices, matrix.indptr):
        part.setflags(write=False)
    return SparseRows(matrix, rows.shape[1], rounding_of(np.empty(0), rows.shape[2]))


def is_mapped(array: Any) -> bool:
    """Whether an array is a read-only memory map, which cannot change under a game."""
    base = array
    while base is not None and not isinstance(base, np.memmap):
        base = getattr(base, "base", None)
    return base is not None and not array.flags.writeable and base.mode == "r"


def sparse_fields(transition: Any, reward: Any, discount: Any, start: Any, actions: int | None) -> dict[str, Any]:
    """The checked arrays of a sparse game, by the names of its fields."""
    rewards = _float_array(reward, "reward")
    if rewards.ndim != 2:
        raise GameError(f"reward has shape {rewards.shape}; a sparse game is a single game, so it needs [S, A]")
    rows = sparse_rows(transition, rewards.shape[1])
    require_shape("reward", rewards, rows.shape[:2], "[S, A]")
    require_finite("reward", rewards)
    if actions is not None and actions != rows.shape[1]:
        raise GameError(f"action_sizes multiply to {actions}, but there are {rows.shape[1]} joint actions")
    gamma = np.array(_float_array(discount, "discount"))
    if gamma.shape or not 0 <= float(gamma) <= 1:
        raise GameError(f"discount{at(((), gamma))} is no number in [0, 1]")
    first_state = None
    if start is not None:
        first_state = np.array(_float_array(start, "start"))
        require_shape("start", first_state, rows.shape[2:], "[S]")
        first_state = np.asarray(probabilities("start", first_state, rounding_of(start, len(first_state)), full=True))
    kept = rewards if is_mapped(rewards) else np.array(rewards)
    for array in (kept, gamma, first_state):
        if array is not None:
            array.setflags(write=False)
    return {"transition": rows, "reward": kept, "discount": gamma, "start": first_state}


def _float_array(value: Any, name: str) -> npt.NDArray[np.float64]:
    array = np.asarray(array_of(value, name))
    if array.dtype.kind not in "iubf":
        raise GameError(f"{name} is not of floats; a sparse game is")
    return array.astype(np.float64, copy=False)


def dense_for(transition: Any, target: System) -> Any:
    """The dense table behind a conversion to another number system; an error that says what that would cost."""
    entries = transition.size
    if entries > MAX_EXACT:
        raise GameError(
            f"this sparse game has {transition.matrix.nnz} stored probabilities; in {target.value} its dense table "
            f"{list(transition.shape)} would take {entries:.2g} numbers, about {entries * RATIONAL_BYTES / 1e9:.2g} GB, and "
            f"elimination about {prod(transition.shape[2:]) ** 3:.1g} operations; the limit is {MAX_EXACT} numbers. "
            "Convert a smaller game of the family, or certify floats by quantities.certified_values"
        )
    return np.asarray(transition)
