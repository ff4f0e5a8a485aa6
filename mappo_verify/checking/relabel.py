"""The same instance under other names: states, the actions of an agent, and agents may be numbered in any order.

What an axis of a coordinate counts is read off its setting, asked for sizes that are different primes: an axis of that many
entries counts states (with one more: and termination, which keeps its place), actions of an agent, or joint actions of several.
Whether another numbering of a counterexample is one, too, is not for this module to say: it is decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations, product
from math import factorial, prod
from typing import Any

import numpy as np

from ..claims.coordinates import Sizes
from ..claims.settings import Setting

STATES = 10_007
ACTIONS = (10_009, 10_037, 10_039, 10_061, 10_067, 10_069)
"""Different primes, larger than any axis that counts something else."""
MOST = 5_000
"""Numberings of one instance that are compared at most, of six agents or fewer then; of a larger one its own is kept."""
Orders = tuple[int, ...]


@dataclass(frozen=True)
class Axis:
    """What an axis counts: states, joint actions of some agents (counted from 0), or nothing that has other names."""

    states: bool = False
    agents: Orders = ()


def numberings(
    setting: Setting, sizes: Sizes, coordinates: Mapping[str, Any]
) -> Iterator[tuple[Sizes, dict[str, Any]]]:
    """Every other numbering of an instance, its own included, with the sizes that it has then."""
    count = factorial(sizes.agents) * factorial(sizes.states) * prod(factorial(n) for n in sizes.actions)
    axes = _axes(setting, sizes) if count <= MOST else None
    if axes is None:
        yield sizes, dict(coordinates)
        return
    for agents in permutations(range(sizes.agents)):
        sources = {name: _source(name, agents, axes) for name in axes}
        if any(source is None for source in sources.values()):
            continue
        moved = Sizes(sizes.states, tuple(sizes.actions[m] for m in agents), sizes.steps)
        for states in permutations(range(sizes.states)):
            for actions in product(*(permutations(range(n)) for n in sizes.actions)):
                yield (
                    moved,
                    {
                        name: _renumbered(coordinates[str(sources[name])], kinds, sizes, agents, states, actions)
                        for name, kinds in axes.items()
                    },
                )


def _axes(setting: Setting, sizes: Sizes) -> dict[str, tuple[Axis, ...]] | None:
    """What the axes of every coordinate count; None where the setting has no such sizes."""
    marked, found = Sizes(STATES, ACTIONS[: sizes.agents], sizes.steps), {}
    for one, real in zip(setting.coordinates(marked), setting.coordinates(sizes), strict=False):
        found[real.name] = tuple(_axis(length, sizes.agents) for length in one.shape)
        if one.name != real.name or len(one.shape) != len(real.shape):
            return None
    return found


def _axis(length: int, agents: int) -> Axis:
    if length in (STATES, STATES + 1):
        return Axis(states=True)
    owners = tuple(m for m in range(agents) if length % ACTIONS[m] == 0)
    return Axis(agents=owners) if length == prod(ACTIONS[m] for m in owners) else Axis()


def _source(name: str, agents: Orders, axes: Mapping[str, tuple[Axis, ...]]) -> str | None:
    """The coordinate whose numbers come under this name when agents are renumbered; None where none fits.

    A table of joint actions is its own source; of tables one for each agent, ``policy.1``, ``policy.2``, another one is, unless
    it conditions on agents that come before it only in the old order.
    """
    stem, _, last = name.rpartition(".")
    own = [f"{stem}.{m + 1}" for m in range(len(agents))]
    source = own[agents[int(last) - 1]] if stem and name in own and all(one in axes for one in own) else name
    wanted = [(axis.states, {agents[m] for m in axis.agents}) for axis in axes[name]]
    return source if wanted == [(axis.states, set(axis.agents)) for axis in axes[source]] else None


def _renumbered(
    values: Any, kinds: tuple[Axis, ...], sizes: Sizes, agents: Orders, states: Orders, actions: Any
) -> Any:
    """One coordinate with the new states, actions and agents in the given order of the old ones."""
    for place, kind in enumerate(kinds):
        order = np.arange(values.shape[place])
        if kind.states:
            order[: sizes.states] = states
        elif kind.agents:  # new agents in their order, each of which is an old one with its actions in another order
            olds = [agents[m] for m in kind.agents]
            grid = np.arange(len(order)).reshape([sizes.actions[m] for m in sorted(olds)])
            grid = grid[np.ix_(*(actions[m] for m in sorted(olds)))]
            order = np.transpose(grid, [sorted(olds).index(m) for m in olds]).ravel()
        values = np.take(values, order, axis=place)
    return values
