"""Instance by instance: what loops on data, in a formula over one instance.

Policy iteration stops when *this* game's values settle, so it cannot be written with the functions of formulas.  Where numbers
are decided (rationals, floats) it may run on the plain batch behind the formula, one instance beside the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arithmetic import Hidden, Numbers, System
from ..arithmetic.numbers import wrap, wrap_truth
from ..errors import ExactnessError
from .game import Game
from .policy import Policy
from .trees import hidden, mapped

DECIDED = (System.RATIONALS, System.FLOATS)


def instance_by_instance(function: Callable[..., Any], *objects: Any) -> Any:
    """``function`` of the plain games, policies and arrays behind these, with the instances on the first axis; wrapped again.

    It returns numbers ``[B, ...]`` of the same system, truth as int8 ``[B, ...]``, games, policies, or a tuple of them; each
    instance's answer may depend on that instance alone.  Raises :class:`~mappo_verify.errors.ExactnessError` where comparing
    numbers may decide nothing.
    """
    leaves: list[Any] = []
    mapped(leaves.append, objects)
    given_in = next(leaf.system for leaf in leaves if isinstance(leaf, Numbers))
    if given_in._system not in DECIDED:
        raise ExactnessError(
            f"{function.__name__} needs numbers that can be compared: rationals or floats, not {given_in.value}"
        )
    count = max(leaf._count for leaf in leaves)

    def plain(leaf: Any) -> Any:
        part = leaf._parts[0]
        return np.moveaxis(np.broadcast_to(part, (*part.shape[:-1], count)), -1, 0)

    given = (_named(mapped(plain, value), given_in._system) for value in objects)
    return _wrapped(function(*given), given_in)


def _named(value: Any, system: Any) -> Any:
    """A game or a policy whose arrays have just changed their kind says so."""
    if isinstance(value, (Game, Policy)):
        object.__setattr__(value, "system", system)
    return value


def _wrapped(value: Any, hidden_system: Hidden) -> Any:
    if isinstance(value, tuple):
        return tuple(_wrapped(entry, hidden_system) for entry in value)
    if isinstance(value, np.ndarray) and value.dtype == np.int8:
        return wrap_truth(value, value.ndim - 1)
    if isinstance(value, np.ndarray):
        return wrap(value, hidden_system._system, value.ndim - 1)
    return hidden(value, hidden_system._system, 0)
