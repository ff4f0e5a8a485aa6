"""What one run of tests is asked for: the seed of the inputs, and the folder for failures.

The pytest plugin sets it from the command line, for the length of the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """The seed of every generator, where failures are written (nowhere by default), and whether they are explained."""

    seed: int = 0
    certificates: Path | None = None
    explained: bool = True


_CURRENT: ContextVar[Settings] = ContextVar("conformance settings")
DEFAULT = Settings()


def current() -> Settings:
    """The settings of this run."""
    return _CURRENT.get(DEFAULT)


@contextmanager
def using(settings: Settings) -> Iterator[None]:
    """Other settings while the block runs."""
    token = _CURRENT.set(settings)
    try:
        yield
    finally:
        _CURRENT.reset(token)
