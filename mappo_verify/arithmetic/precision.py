"""The working precision of certified balls: one number for the whole process."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager

PRECISION_CAP = 2048
"""Bits.  A comparison that is still undecided at this precision is reported as undecided."""

_lock = threading.RLock()


class _Precision:
    """Entered and left a million times in an audit, so no generator."""

    __slots__ = ("_before", "_bits", "_context")

    def __init__(self, bits: int) -> None:
        self._bits = bits

    def __enter__(self) -> None:
        import flint

        _lock.acquire()
        self._context, self._before = flint.ctx, flint.ctx.prec
        flint.ctx.prec = self._bits

    def __exit__(self, *_: object) -> None:
        self._context.prec = self._before
        _lock.release()


def precision(bits: int) -> AbstractContextManager[None]:
    """Compute in balls of ``bits`` bits inside this block; other threads wait until it ends."""
    if not 2 <= bits <= 2**20:
        raise ValueError(f"precision of {bits} bits is outside 2..{2**20}")
    return _Precision(bits)


def bits_now() -> int:
    """The working precision."""
    import flint

    return int(flint.ctx.prec)
