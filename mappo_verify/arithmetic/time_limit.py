"""A moment after which no numbers of an instance are computed any more: what runs is interrupted, and says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count

_ENDS: ContextVar[float | None] = ContextVar("ends", default=None)
_TICKS = count()
SELDOM = 64
"""How many fast operations pass between two looks at the clock."""


class OutOfTime(BaseException):
    """The time is over.  No error of a formula, so neither a proof nor the engine takes it for one."""


@contextmanager
def until(moment: float) -> Iterator[None]:
    """Numbers that are made inside after ``moment`` (of :func:`time.perf_counter`) raise :class:`OutOfTime`."""
    token = _ENDS.set(moment)
    try:
        yield
    finally:
        _ENDS.reset(token)


def require_time(slow: bool = True) -> None:
    """:class:`OutOfTime` where a time limit is set and over; of what is fast, only every so often somebody looks at the clock."""
    ends = _ENDS.get()
    if ends is not None and (slow or next(_TICKS) % SELDOM == 0) and time.perf_counter() > ends:
        raise OutOfTime
