"""Who evaluates: this process, processes of this machine, or the workers of a Dask cluster.

Each is an executor of :mod:`concurrent.futures`, so that a campaign is written once.  A worker may die at any moment: what it was
evaluating is lost, is given to another one, and comes out the same.  This module imports nothing that computes, so that a fresh
worker can say how many threads a library may start before the library is loaded.
"""

from __future__ import annotations

import gc
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Any

from ..arithmetic.threads import cores as cores
from ..errors import CampaignError

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


OBJECTS = 100_000
"""How many new objects Python waits for before it looks for circles among them, while claims are evaluated."""


@contextmanager
def few_collections() -> Iterator[None]:
    """Formulas make many objects and hardly any circles; to look for them after every 700 takes a seventh of an audit's time."""
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class InProcess(Executor):
    """Evaluates at once, in this process."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The finished future of a call."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class _Processes(ProcessPoolExecutor):
    """Workers that an interruption from the keyboard ends without a word, also while they begin: this process says all."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As Executor.submit, which starts workers; they inherit which signals wait."""
        if not hasattr(signal, "pthread_sigmask"):  # Windows
            return super().submit(function, *args, **kwargs)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(function, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def local(workers: int) -> Iterator[Executor]:
    """Processes of this machine; with one worker, this process itself."""
    if workers == 1:
        yield InProcess()
        return
    pool = _Processes(workers, get_context("spawn"), _begin_worker)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin_worker() -> None:
    """One thread for each worker; a worker ends when the process ends that started it, however that ended."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


ADDRESS = re.compile(r"(?:[a-z]+://)?(?:\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):[0-9]{1,5}")
"""Of a scheduler: host and port, after its protocol."""


@contextmanager
def cluster(address: str, timeout: float = 30) -> Iterator[Executor]:
    """The workers of the Dask scheduler at this address."""
    try:
        from distributed import Client
    except ImportError:
        raise CampaignError('a scheduler needs Dask; install it by: pip install "mappo-verify[dask]"') from None
    if not ADDRESS.fullmatch(address):  # Dask would say so, too, and never end
        raise CampaignError(f"the scheduler {address[:100]!r} is not an address such as tcp://10.0.0.1:8786")
    try:
        client = Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError) as error:
        raise CampaignError(f"no Dask scheduler answers at {address}: {error}") from None
    try:
        yield client.get_executor(pure=False)
    finally:
        client.close()


def deaths() -> tuple[type[BaseException], ...]:
    """The errors that say that a worker died, and nothing about what it evaluated."""
    try:
        from distributed import KilledWorker
    except ImportError:
        return (BrokenExecutor,)
    return (BrokenExecutor, KilledWorker)


def width_of(executor: Executor, workers: int) -> int:
    """How many tasks are handed out at a time: enough that no worker waits, few enough that little is lost."""
    if isinstance(executor, InProcess):
        return 1
    client = getattr(executor, "_client", None)
    return 2 * (workers if client is None else max(1, sum(client.nthreads().values())))
