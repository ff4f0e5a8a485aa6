"""Games that the literature calls by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ..arithmetic import Hidden, System, like
from ..arithmetic.explained import explained
from ..errors import GameError
from ..model import Game
from ..model.validation import require_count, require_seed
from .grid import grid_by_name, grid_coordination
from .untrusted import exact_number, shown

Rows = list[list[Any]]


def _matrix_game(payoff: Rows, name: str, discount: Fraction = Fraction(0)) -> Game:
    """One state, two agents, one move; the game is over after it."""
    table = np.array(payoff, dtype=object)
    rows, columns = table.shape
    transition = like(np.zeros((1, rows * columns, 1), int), System.RATIONALS)
    return Game(
        transition,
        like(table.reshape(1, -1), System.RATIONALS),
        like(discount, System.RATIONALS),
        (rows, columns),
        start=like([1], System.RATIONALS),
        name=name,
    )


def climbing() -> Game:
    """Claus and Boutilier (1998): the best pair (0, 0) pays 11, and miscoordination around it is punished hardest."""
    return _matrix_game([[11, -30, 0], [-30, 7, 6], [0, 0, 5]], "climbing")


def penalty(k: int | Fraction = -100) -> Game:
    """Claus and Boutilier (1998): two best pairs, (0, 0) and (2, 2), pay 10; missing them costs ``k``."""
    k = Fraction(k)
    return _matrix_game([[10, 0, k], [0, 2, 0], [k, 0, 10]], f"penalty:{k}")


def two_step() -> Game:
    """Rashid et al. (2018): agent 1's first action chooses the second state; 2A pays 7 always, 2B pays 0, 1, 1 or 8."""
    transition = np.zeros((3, 4, 3), int)
    transition[0, 0:2, 1] = 1
    transition[0, 2:4, 2] = 1
    reward = np.array([[0] * 4, [7] * 4, [0, 1, 1, 8]])
    return Game(
        like(transition, System.RATIONALS),
        like(reward, System.RATIONALS),
        like(1, System.RATIONALS),
        (2, 2),
        start=like([1, 0, 0], System.RATIONALS),
        state_names=("first", "2A", "2B"),
        name="two-step",
    )


def shared_parameter(agents: int = 4) -> Game:
    """Kuba et al. (2022), Proposition 1: N even; reward 1 iff the first half plays 0 and the second half 1, or the reverse.

    Agents that share one product policy earn at most ``2/2^N`` of the optimum.
    """
    if agents < 2 or agents % 2 or agents > 20:
        raise GameError(f"the shared-parameter game needs an even number of agents from 2 to 20, not {agents}")
    half = agents // 2
    reward = np.zeros(2**agents, int)
    reward[2**half - 1] = reward[(2**half - 1) << half] = 1
    return Game(
        like(np.zeros((1, 2**agents, 1), int), System.RATIONALS),
        like(reward[None], System.RATIONALS),
        like(0, System.RATIONALS),
        (2,) * agents,
        start=like([1], System.RATIONALS),
        name=f"shared-parameter:{agents}",
    )


def ratio(system: System | Hidden = System.RATIONALS) -> Game:
    """Von Neumann's ratio game ``V(x, y) = xᵀRy / xᵀSy`` of Appendix E, as one state with termination probability ``S(a, b)``.

    ``R = [[1, 1/2], [-1/2, 0]]``, ``S = [[1, 1], [1/10, 1/10]]`` (numbers of the authors' published simulation).
    """
    reward = [1, Fraction(1, 2), Fraction(-1, 2), 0]
    stop = [Fraction(1), Fraction(1), Fraction(1, 10), Fraction(1, 10)]
    return Game(
        like(np.array([[[1 - s] for s in stop]], dtype=object), system),
        like(np.array([reward], dtype=object), system),
        like(1, system),
        (2, 2),
        start=like([1], system),
        name="ratio",
    )


@explained
def random_game(
    states: int = 3,
    action_sizes: tuple[int, ...] = (2, 2),
    discount: Fraction | float = Fraction(9, 10),
    seed: int = 0,
    termination: bool = False,
    batch: tuple[int, ...] = (),
) -> Game:
    """A random exact game: integer weights 0..9 normalised per row, rewards k/9; the seed makes it reproducible."""
    from ..model.agents import prefix_sizes

    if states < 1 or any(size < 1 for size in action_sizes) or not action_sizes:
        raise GameError(f"a random game needs states ≥ 1 and action sizes ≥ 1, not {states} and {action_sizes}")
    for place, size in enumerate(batch):
        require_count(f"batch[{place}]", size)
    actions = prefix_sizes(action_sizes)[-1]
    if states * states * actions * prod(map(int, batch)) > 20_000_000:
        raise GameError(f"a random game of {states} states and {actions} joint actions is too large to draw exactly")
    require_seed(seed)
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, 10, (*batch, states, actions, states + 1))
    drawn[..., -1] *= termination
    drawn[..., 0] += drawn.sum(-1) == 0
    weights = like(drawn, System.RATIONALS)
    start = like(generator.integers(1, 10, (*batch, states)), System.RATIONALS)
    reward = like(generator.integers(0, 10, (*batch, states, actions)), System.RATIONALS) / 9
    gamma = discount if isinstance(discount, Fraction) else exact_number(str(discount))
    return Game(
        weights[..., :-1] / weights.sum(-1, keepdims=True),
        reward,
        like(gamma, System.RATIONALS),
        action_sizes,
        start=start / start.sum(-1, keepdims=True),
        name=f"random:{states}x{'x'.join(map(str, action_sizes))}:{seed}",
    )


def _random_by_name(argument: str) -> Game:
    """``random:STATESxA1xA2:SEED``"""
    match = re.fullmatch(r"(\d{1,4}(?:x\d{1,3}){1,8})(?::(\d{1,9}))?", argument)
    if not match:
        raise GameError(
            f"{shown('random:' + argument)} is not random:STATESxACTIONS1xACTIONS2...:SEED, for instance random:3x2x2:7, with at "
            "most 9999 states, 8 agents of at most 999 actions, and a seed of at most 9 digits"
        )
    states, *sizes = (int(n) for n in match[1].split("x"))
    return random_game(states, tuple(sizes), seed=int(match[2] or 0))


def _number(argument: str) -> Fraction:
    try:
        return exact_number(argument)
    except ValueError as error:
        raise GameError(f"penalty:K: {error}") from None


def _whole(argument: str) -> int:
    if not re.fullmatch(r"\d{1,9}", argument):
        raise GameError(f"{shown(argument)} is not a whole number of at most 9 digits")
    return int(argument)


NAMED: dict[str, tuple[Callable[..., Game], Callable[[str], Any] | None, str]] = {
    "climbing": (climbing, None, "Claus & Boutilier 1998: 3x3, best pair 11, punished miscoordination"),
    "penalty": (penalty, _number, "Claus & Boutilier 1998: 3x3, penalty:K sets the penalty (default -100)"),
    "two-step": (two_step, None, "Rashid et al. 2018: 7 for sure, or 0, 1, 1, 8"),
    "shared-parameter": (shared_parameter, _whole, "Kuba et al. 2022, Prop. 1: shared-parameter:N, N even (default 4)"),
    "ratio": (ratio, None, "von Neumann's ratio game of Appendix E"),
    "grid": (
        partial(grid_coordination, 3, 3),
        None,
        "N agents meet on a grid, sparse: grid:WIDTHxHEIGHTxN (default 3x3x2)",
    ),
    "random": (random_game, None, "random:STATESxA1xA2...:SEED, for instance random:3x2x2:7"),
}
"""Name: (constructor, how to read the argument after the colon, one line for people)."""


@explained
def named_game(name: str) -> Game:
    """A game by name, exact: ``climbing``, ``penalty:-30``, ``two-step``, ``shared-parameter:6``, ``random:3x2x2:7``, ..."""
    if not isinstance(name, str):
        raise GameError(f"{shown(name)} is not the name of a game; the named ones are {', '.join(NAMED)}")
    head, _, argument = name.partition(":")
    if head not in NAMED:
        raise GameError(f"no game is called {shown(head)}; the named ones are {', '.join(NAMED)}")
    make, read, _ = NAMED[head]
    if head == "random" and argument:
        return _random_by_name(argument)
    if head == "grid" and argument:
        return grid_by_name(argument)
    if argument and read is None:
        raise GameError(f"the game {head!r} takes no argument, so {shown(name)} means nothing")
    return make(read(argument)) if argument and read else make()
