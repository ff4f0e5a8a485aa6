"""What a pessimistic algorithm asks of its critics: a choice from data, and the Bellman error of any table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from ..arithmetic import Array
from ..model import Policy
from .datasets import Dataset


class Evaluation(ABC):
    """Pessimistic evaluation of one agent from one dataset (or a batch of both)."""

    @abstractmethod
    def evaluate(self, dataset: Dataset, policy: Policy, penalty: Any) -> tuple[Array, Array]:
        """What is chosen (weights ``[..., d]``, or an index ``[...]``), and its table ``f``, ``[..., S, |A_1|···|A_m|]``.

        ``penalty`` is ``λ``.
        """

    @abstractmethod
    def choice(self, m: int) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape, without batch axes, and NumPy type of what is chosen for agent ``m``."""

    @abstractmethod
    def error(self, dataset: Dataset, policy: Policy, table: Array) -> Array:
        """``E_D(f, π)`` of any table ``f``, ``[...]``."""
