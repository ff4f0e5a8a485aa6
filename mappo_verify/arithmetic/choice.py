"""Which of two implementations with the same result computes: NumPy, or compiled code that takes a while to load."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

OF_A_CALL = 2**12
"""How many numbers NumPy computes in the time that Python takes for one call of its kernels."""


class Choice(Generic[T]):
    """``plain``, until so many numbers ``at_once``, or ``in_all``, are worth loading what ``load`` returns: about time alone.

    Where the module ``beside`` is in use, loading it takes little.  Where numba is not installed, ``plain`` it stays.
    """

    def __init__(self, plain: T, load: Callable[[], T], at_once: int, in_all: int, beside: str = "") -> None:
        self.plain, self.load, self.at_once, self.in_all, self.beside = plain, load, at_once, in_all, beside
        self.counted = 0
        self.loaded: T | None = None

    def __call__(self, size: int) -> T:
        """The implementation for so many numbers; what is loaded is used for fewer, too."""
        if self.loaded is None:
            self.counted += size + OF_A_CALL
            if size < self.at_once and self.counted < self.in_all and self.beside not in sys.modules:
                return self.plain
            try:
                self.loaded = self.load()
            except ModuleNotFoundError as error:
                if error.name not in ("numba", "llvmlite"):  # which numba brings
                    raise
                self.loaded = self.plain
        return self.loaded
