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
from .trees import mapped
from .validation import unchecked

DECIDED = (System.RATIONALS, System.FLOATS)


def instance_by_instance(function: Callable[..., Any], *objects: Any) -> Any:
    """``function`` of the plain games, policies and arrays behind these, with the instances on the first axis; wrapped again.

    It returns numbers ``[B, ...]`` of the same system, truth as int8 ``[B, ...]``, games, policies, or a tuple of them; each
    instance's answer may depend on that instance alone.  Raises :class:`~mappo_verify.errors.ExactnessError` where comparing
    numbers may decide nothing.
    """
    leaves: list[Any] = []
    mapped(leaves.append, objects)
    hidden = next(leaf.system for leaf in leaves if isinstance(leaf, Numbers))
    if hidden.system not in DECIDED:
        raise ExactnessError(
            f"{function.__name__} needs numbers that can be compared: rationals or floats, not {hidden.value}"
        )
    count = max(leaf.count for leaf in leaves)

    def plain(leaf: Any) -> Any:
        part = leaf._parts[0]
        return np.moveaxis(np.broadcast_to(part, (*part.shape[:-1], count)), -1, 0)

    given = (_named(mapped(plain, value), hidden.system) for value in objects)
    return _wrapped(function(*given), hidden)


def _named(value: Any, system: Any) -> Any:
    """A game or a policy whose arrays have just changed their kind says so."""
    if isinstance(value, (Game, Policy)):
        object.__setattr__(value, "system", system)
    return value


def _wrapped(value: Any, hidden: Hidden) -> Any:
    if isinstance(value, tuple):
        return tuple(_wrapped(entry, hidden) for entry in value)
    if isinstance(value, np.ndarray) and value.dtype == np.int8:
        return wrap_truth(value, value.ndim - 1)
    if isinstance(value, np.ndarray):
        return wrap(value, hidden.system, value.ndim - 1)
    return hidden_object(value)


def hidden_object(value: Any) -> Any:
    """A plain game or policy, or a batch of them, as that of one instance."""
    system = value.system
    if isinstance(value, Policy):
        return Policy(tuple(wrap(factor, system, 3) for factor in value.factors))  # type: ignore[arg-type]
    return unchecked(
        Game,
        transition=wrap(value.transition, system, 3),
        reward=wrap(value.reward, system, 2),
        discount=wrap(value.discount, system, 0),
        start=None if value.start is None else wrap(value.start, system, 1),
        ends=wrap_truth(value.ends, 2),
        action_sizes=value.action_sizes,
        state_names=value.state_names,
        action_names=value.action_names,
        name=value.name,
        system=Hidden(system),
    )
