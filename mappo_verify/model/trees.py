"""Games, policies and tuples of tables as trees of arrays: taken apart and rebuilt without checking them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from ..arithmetic import is_hidden
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
