"""The order of agents: the only module that knows how joint actions and prefixes are laid out.

A joint action ``a = (a¹, ..., aᴺ)`` is one index of a flattened axis of length ``|A_1|···|A_N|``, agent 1 slowest.  A *prefix
table* for agent ``m`` has the axis ``|A_1|···|A_m|`` of prefixes ``a^{1:m}``, in the same order, so cutting the last agent off
is a reshape.  The code below is the same for every number of agents and for unequal action sets.

>>> import numpy as np
>>> prefix_sizes((2, 3))
(1, 2, 6)
>>> [joint_action(index, (2, 3)) for index in (0, 2, 3)]
[(0, 0), (0, 2), (1, 0)]
>>> average_out_last(np.arange(6.0), np.array([[1, 0, 0], [0, 0, 1.0]]))
array([0., 5.])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import Array, contract, moveaxis
from ..arithmetic.explained import shown
from ..arithmetic.formulas import aloud
from ..errors import GameError

Sizes = tuple[int, ...]


def prefix_sizes(action_sizes: Sizes) -> Sizes:
    """``(1, |A_1|, |A_1||A_2|, ..., |A|)``: the number of prefixes ``a^{1:m}`` for ``m = 0..N``."""
    return tuple(accumulate(action_sizes, mul, initial=1))


def require_agent(m: int, agents: int) -> None:
    """:class:`GameError` for what is none of the agents ``1..N``: Python would count negative ones from the end."""
    if not 1 <= m <= agents:
        raise GameError(f"agent {m} is not in 1..{agents}")


def require_prefix(m: int, agents: int) -> None:
    """:class:`GameError` for what is no length ``0..N`` of a prefix."""
    if not 0 <= m <= agents:
        raise GameError(f"m = {m} is not in 0..{agents}")


def prefixes_of(action_sizes: Sizes, m: int) -> int:
    """``|A_1|···|A_m|`` for ``m = 0..N``, as :func:`prefix_sizes`."""
    require_prefix(m, len(action_sizes))
    return prefix_sizes(action_sizes)[m]


def joint_action(index: int, action_sizes: Sizes) -> tuple[int, ...]:
    """The actions of all agents behind one index of the joint axis."""
    return tuple(int(i) for i in np.unravel_index(index, action_sizes))


def joint_index(actions: Sequence[int], action_sizes: Sizes) -> int:
    """The index of one joint action; the inverse of :func:`joint_action`."""
    return int(np.ravel_multi_index(tuple(actions), action_sizes))


def split_last(table: Array, size: int) -> Array:
    """``[..., |A_1|···|A_m|]`` to ``[..., |A_1|···|A_{m-1}|, |A_m|]``: the last agent gets an axis of its own."""
    return table.reshape(table.shape[:-1] + (table.shape[-1] // size, size))


def join_last(table: Array) -> Array:
    """``[..., |A_1|···|A_{m-1}|, |A_m|]`` to ``[..., |A_1|···|A_m|]``: the inverse of :func:`split_last`."""
    return table.reshape(table.shape[:-2] + (table.shape[-2] * table.shape[-1],))


def average_out_last(table: Array, factor: Array) -> Array:
    """``f(a^{1:m-1}) = Σ_{a^m} π^m(a^m | a^{1:m-1}) f(a^{1:m})``: one agent is averaged out by its factor.

    ``table`` is ``[..., |A_1|···|A_m|]``, ``factor`` ``[..., |A_1|···|A_{m-1}|, |A_m|]``.
    """
    return contract("...pa,...pa->...p", split_last(table, factor.shape[-1]), factor)


def at_actions(table: Array, actions: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
    """``f(s, a_s)`` of a plain table ``[..., S, A]`` for one action in every state, ``[..., S, 1]``."""
    return np.take_along_axis(np.asarray(table), actions[..., None], axis=-1)


def sum_out_later(table: Array, action_sizes: Sizes, m: int) -> Array:
    """``Σ_{a^{m+1:N}} f(a)``, from ``[..., |A|]`` to ``[..., |A_1|···|A_m|]``: what the first ``m`` agents see of a law."""
    return split_last(table, prefix_sizes(action_sizes)[-1] // prefixes_of(action_sizes, m)).sum(-1)


def extend(prefixes: Array, factor: Array) -> Array:
    """``π^{1:m} = π^{1:m-1} π^m``: probabilities of prefixes grow by one agent."""
    return join_last(prefixes[..., None] * factor)


def agent_axes(table: Array, action_sizes: Sizes) -> Array:
    """``[..., |A|]`` to ``[..., |A_1|, ..., |A_N|]``: every agent gets an axis of its own."""
    return table.reshape(table.shape[:-1] + action_sizes)


def factor_axes(factor: Array, agent: int, action_sizes: Sizes) -> Array:
    """``π^m`` with one axis per agent, ready to multiply :func:`agent_axes`; agents after ``m`` get length 1."""
    batch = factor.shape[:-2]
    return factor.reshape(batch + action_sizes[: agent + 1] + (1,) * (len(action_sizes) - agent - 1))


def axis_of(agent: int, agents: int) -> int:
    """The (negative) axis of ``agent`` (counted from 0) in an array made by :func:`agent_axes`."""
    return agent - agents


def reordered(table: Array, action_sizes: Sizes, places: Sequence[int]) -> Array:
    """``[..., |A|]`` with the agents in another order: agent ``k`` of the result is agent ``places[k]``, counted from 0."""
    agents = len(action_sizes)
    moved = moveaxis(agent_axes(table, action_sizes), [axis_of(m, agents) for m in places], range(-agents, 0))
    return moved.reshape(table.shape)


def order_of(order: Sequence[int], agents: int) -> tuple[int, ...]:
    """A permutation of the agents ``1..N`` as places counted from 0; else :class:`GameError`."""
    given = tuple(order) if isinstance(order, (tuple, list, range, np.ndarray)) else ()
    if not given:
        raise GameError(f"order = {shown(order)} does not name each of the agents 1..{agents} once")
    if set(given) != set(range(1, agents + 1)) or len(given) != agents:
        raise GameError(f"order {given} does not name each of the agents 1..{agents} once")
    return tuple(int(m) - 1 for m in given)


def remembered(method: Callable[[Any, int], Array]) -> Callable[[Any, int], Array]:
    """A method of one agent ``m``, or a function of an object and ``m``, that computes its numbers once.

    They never change, nor may the object.
    """
    computed = aloud(method)

    @wraps(method)
    def found(owner: Any, m: int) -> Array:
        known: dict[tuple[Any, int], Array] = owner.__dict__.setdefault("_remembered", {})
        place = method, m
        if place not in known:
            known[place] = computed(owner, m)
        return known[place]

    return found
