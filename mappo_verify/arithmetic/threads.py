"""Large batches on all cores: instances are independent, so each of several threads takes a part of them through compiled loops.

These loops hold no lock.  Parts are whole blocks of instances, the same blocks as without threads, so results do not depend on
how many threads there are.

Every call starts threads of its own.  That takes some 30 µs, 20 more than waking those of a pool, and leaves nothing behind that
a forked process could wait for in vain.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Thread

WORTH_A_THREAD = 2**18
"""Numbers that one thread computes in about half a millisecond, ten times what starting it takes; fewer are not divided."""
LIMITS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS")
"""Environment variables that say how many threads there may be; the first one that is set counts."""


def cores() -> int:
    """The cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def most_threads() -> int:
    """How many threads may compute at once: one for each core, or fewer where one of :data:`LIMITS` says so."""
    for name in LIMITS:
        number = os.environ.get(name, "").partition(",")[0].strip()  # OpenMP's may be a list, one number for each level
        if number.isdecimal() and int(number) > 0:
            return min(int(number), cores())
    return cores()


def in_parts(work: Callable[[int, int], None], length: int, numbers: int, block: int = 1) -> None:
    """``work(first, after)`` for consecutive parts of ``range(length)``, at the same time; parts begin at whole blocks.

    ``numbers`` says how many numbers are computed in all.  An error in any part is raised here, once every part has ended.
    ``work`` must keep alive what it writes to: where waiting is interrupted, it goes on.
    """
    blocks = -(-length // block)
    parts = min(numbers // WORTH_A_THREAD, blocks)
    parts = min(parts, most_threads()) if parts > 1 else 1
    if parts <= 1:
        work(0, length)
        return
    ends = [min(blocks * part // parts * block, length) for part in range(parts + 1)]
    errors: list[BaseException] = []

    def safely(first: int, after: int) -> None:
        try:
            work(first, after)
        except BaseException as error:  # raised again below
            errors.append(error)

    threads = []
    for part in range(1, parts):
        thread = Thread(target=safely, args=ends[part : part + 2])
        try:
            thread.start()
        except RuntimeError:  # the system allows no more, or the interpreter ends: it is this thread's work
            safely(*ends[part : part + 2])
        else:
            threads.append(thread)
    safely(*ends[:2])
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
