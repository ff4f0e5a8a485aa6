"""Room for arrays of floats that begins where a line of the processor's cache does, so no eight numbers lie across two lines."""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LINE = 64
"""Bytes of a line."""
LARGEST_KEPT, MOST_KEPT = 2**26, 2
"""Bytes of the largest block that is kept for later results, and how many are."""


def aligned(shape: tuple[int, ...]) -> Floats:
    """As ``numpy.empty``; rows of a batch begin at lines, too, where its length is a multiple of eight."""
    size = prod(shape)
    room = np.empty(size + LINE // 8)
    start = -room.ctypes.data % LINE // 8
    return room[start : start + size].reshape(shape)


class _Lent:
    """What arrays of results stand on; when none of them is left, their memory is kept for the next results."""

    kept: list[Floats] = []  # noqa: RUF012 - one list for all threads, whose methods are atomic

    def __init__(self, memory: Floats) -> None:
        self.memory = memory
        self.__array_interface__ = memory.__array_interface__

    def __del__(self) -> None:
        if len(self.kept) < MOST_KEPT and self.memory.nbytes <= LARGEST_KEPT:
            self.kept.append(self.memory)


def lent(shape: tuple[int, ...]) -> Floats:
    """As :func:`aligned`, in memory of earlier results of the same size that nobody holds any more.

    The system clears every page that it hands out, which takes as long as computing what is written there.
    """
    try:
        memory = _Lent.kept.pop()
    except IndexError:
        memory = aligned((0,))
    if memory.shape != shape:
        memory = aligned(shape)
    return np.asarray(_Lent(memory))
