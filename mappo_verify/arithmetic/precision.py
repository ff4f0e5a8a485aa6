"""The working precision of certified balls: one number for the whole process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PRECISION_CAP = 2048
"""Bits.  A comparison that is still undecided at this precision is reported as undecided."""

_lock = threading.RLock()


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Compute in balls of ``bits`` bits inside this block; other threads wait until it ends."""
    if not 2 <= bits <= 2**20:
        raise ValueError(f"precision of {bits} bits is outside 2..{2**20}")
    import flint

    with _lock:
        before = flint.ctx.prec
        flint.ctx.prec = bits
        try:
            yield
        finally:
            flint.ctx.prec = before


def bits_now() -> int:
    """The working precision."""
    import flint

    return int(flint.ctx.prec)
