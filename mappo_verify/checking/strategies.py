"""Hypothesis strategies for games, policies and instances of settings.

Built from the same integer coordinates as everything else, so what Hypothesis shrinks is the data that a verdict is about:
fewer agents, states and actions first, then smaller weights.

>>> from hypothesis import given
>>> import mappo_verify as mv
>>> @given(games(max_states=2))
... def values_solve_the_bellman_equation(game):
...     policy = mv.Policy.uniform(game)
...     assert (mv.agent_values(game, policy)[0][..., 0] == mv.state_values(game, policy)).all()
>>> values_solve_the_bellman_equation()
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..arithmetic import System
from ..claims.case import Case
from ..claims.coordinates import Coordinate, Sizes
from ..claims.ingredients import GameData, PolicyData
from ..claims.settings import Setting
from ..model import Game, Policy

__all__ = ["cases", "coordinates", "games", "policies", "sizes"]


@st.composite
def sizes(
    draw: st.DrawFn, max_states: int = 3, max_agents: int = 3, max_actions: int = 3, min_agents: int = 1
) -> Sizes:
    """Numbers of states and of each agent's actions; unequal action sets included."""
    actions = draw(st.lists(st.integers(1, max_actions), min_size=min_agents, max_size=max_agents))
    return Sizes(draw(st.integers(1, max_states)), tuple(actions))


def coordinates(coordinate: Coordinate) -> st.SearchStrategy[Any]:
    """The integers of one coordinate; rows of weights are never all zero."""
    number = st.integers(coordinate.low, coordinate.high)
    if coordinate.kind == "weight":
        width = coordinate.shape[-1]
        row = st.lists(number, min_size=width, max_size=width).map(_not_all_zero)
        count = int(np.prod(coordinate.shape[:-1]))
        return st.lists(row, min_size=count, max_size=count).map(
            lambda rows: np.array(rows, dtype=np.int64).reshape(coordinate.shape)
        )
    count = int(np.prod(coordinate.shape))
    return st.lists(number, min_size=count, max_size=count).map(
        lambda numbers: np.array(numbers, dtype=np.int64).reshape(coordinate.shape)
    )


def _not_all_zero(row: list[int]) -> list[int]:
    return row if any(row) else [1, *row[1:]]


@st.composite
def cases(draw: st.DrawFn, setting: Setting, system: System = System.RATIONALS) -> Case:
    """An instance of a setting, in the given number system (exact by default)."""
    low, high = setting.agents
    first, last = setting.action_range
    actions = tuple(draw(st.lists(st.integers(first, last), min_size=low, max_size=high)))
    chosen = Sizes(draw(st.integers(*setting.states)), actions, draw(st.sampled_from(setting.steps)))
    numbers = {c.name: draw(coordinates(c)) for c in setting.coordinates(chosen)}
    return setting.case(numbers, chosen, system)


@st.composite
def games(
    draw: st.DrawFn,
    max_states: int = 3,
    max_agents: int = 3,
    max_actions: int = 3,
    termination: bool = True,
    start: bool = True,
) -> Game:
    """Exact games: weights 0..9 normalised per row, integer rewards -9..9, discount below 1 (so values always exist)."""
    chosen = draw(sizes(max_states, max_agents, max_actions))
    schema = GameData("game", termination=termination, start=start)
    numbers = {c.name: draw(coordinates(c)) for c in schema.coordinates(chosen)}
    numbers["game.discount"] = np.maximum(numbers["game.discount"], [0, 1])
    built = Setting("a game", (schema,)).case(numbers, chosen, System.RATIONALS).plain()["game"]
    assert isinstance(built, Game)
    return built


@st.composite
def policies(draw: st.DrawFn, game: Game, product: bool = False, full_support: bool = False) -> Policy:
    """Exact policies for ``game``: conditional factors unless ``product``; zeros unless ``full_support``, or unavailable."""
    chosen = Sizes(game.states, game.action_sizes)
    schema = PolicyData("policy", product=product, full_support=full_support)
    numbers = {c.name: draw(coordinates(c)) for c in schema.coordinates(chosen)}
    built = Setting("a policy", (schema,)).case(numbers, chosen, System.RATIONALS).plain()["policy"]
    assert isinstance(built, Policy)
    built = built.restricted(game)
    return {System.RATIONALS: built.exact, System.FLOATS: built.floats, System.BALLS: built.balls}[game.system]()
