"""Games, policies and tuples of tables as trees of arrays: taken apart and rebuilt without checking them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from ..arithmetic import Hidden, System, is_hidden
from ..arithmetic.numbers import wrap, wrap_truth
from .validation import unchecked


def mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """``value`` with the numbers and the truth of one instance in it replaced by ``function`` of them; the rest stays."""
    if is_hidden((value,)):
        return function(value)
    if isinstance(value, tuple):
        return tuple(mapped(function, entry) for entry in value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in fields(value) if hasattr(value, field.name)}
        return unchecked(type(value), **{name: mapped(function, part) for name, part in parts.items()})
    return value


def shared(value: Any, target: Hidden) -> Any:
    """A plain, exact game (or policy, or any tree of arrays without a batch) as constants that all instances share."""
    if isinstance(value, System):
        return target
    if isinstance(value, np.ndarray):
        if value.dtype == np.int8:
            return wrap_truth(value, value.ndim)
        return wrap(value, target.system, value.ndim)
    if isinstance(value, tuple):
        return tuple(shared(entry, target) for entry in value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
        return unchecked(type(value), **{name: shared(part, target) for name, part in parts.items()})
    return value
