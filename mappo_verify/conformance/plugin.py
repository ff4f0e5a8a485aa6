"""The pytest plugin: fixtures and options for tests of reinforcement learning code.

It is loaded by pytest in every environment that has the toolkit installed, so it imports nothing heavy before a test asks for it.

``small_games``, ``policies``, ``wrong_critics``, ``simulated`` are the fixtures; ``--mappo-games``, ``--mappo-seed`` and
``--mappo-certificates`` the options.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .settings import Settings, using

if TYPE_CHECKING:
    from ..model import Game, Policy

GAMES = "climbing,two-step,random:1x2x3:1,random:2x3x2:2,random:3x2x2x2:3"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the command line."""
    group = parser.getgroup("mappo-verify", "conformance of reinforcement learning code")
    group.addoption(
        "--mappo-games",
        default=GAMES,
        metavar="GAMES",
        help=f"games of the fixture small_games: names or files, separated by commas (default: {GAMES})",
    )
    group.addoption(
        "--mappo-seed", type=int, default=0, metavar="N", help="seed of all inputs that are drawn (default: 0)"
    )
    group.addoption("--mappo-certificates", metavar="DIR", help="write failures into this folder, to be checked again")


def pytest_configure(config: pytest.Config) -> None:
    """The options hold for the length of the run."""
    folder, seed = config.getoption("--mappo-certificates"), config.getoption("--mappo-seed")
    if seed < 0:
        raise pytest.UsageError(f"--mappo-seed={seed} is negative")
    stack = ExitStack()
    stack.enter_context(using(Settings(seed, None if folder is None else Path(folder))))
    config.add_cleanup(stack.close)


@pytest.fixture(scope="session")
def small_games(pytestconfig: pytest.Config) -> tuple[Game, ...]:
    """Exact games with unequal action sets, termination, one to three agents; ``--mappo-games`` names others."""
    from ..games.loading import resolve_game

    return tuple(resolve_game(name.strip()).exact() for name in pytestconfig.getoption("--mappo-games").split(","))


@pytest.fixture(scope="session")
def policies(pytestconfig: pytest.Config) -> Callable[[Game], dict[str, Policy]]:
    """Policies that expose, by name: ``policies(game)`` gives an even one, random and near-deterministic ones, and a chain."""
    from .fixtures import policies_of

    seed = pytestconfig.getoption("--mappo-seed")
    return lambda game: policies_of(game, seed)


@pytest.fixture(scope="session")
def wrong_critics(pytestconfig: pytest.Config) -> Callable[[Game, Policy], dict[str, Any]]:
    """Critics ``[S]`` that are wrong, by name: ``wrong_critics(game, policy)``.  An exact critic hides what these show."""
    from .fixtures import wrong_critics_of

    seed = pytestconfig.getoption("--mappo-seed")
    return lambda game, policy: wrong_critics_of(game, policy, seed)


@pytest.fixture(scope="session")
def simulated(pytestconfig: pytest.Config) -> Callable[..., Any]:
    """``simulated(game, policy, episodes=1000, steps=None)``: trajectories from the seed of the run."""
    from .fixtures import simulated_from

    seed = pytestconfig.getoption("--mappo-seed")
    return lambda game, policy, episodes=1_000, steps=None: simulated_from(game, policy, episodes, steps, seed)
