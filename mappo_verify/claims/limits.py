"""Instances on which Algorithm 2 can be followed exactly: its critics as data and price grow without bound.

An instance is how the data is shared out between the start and what comes after it.  The critics are vertices of a linear
programme, computed and proved optimal over the rationals, where everything but the policies' exponentials stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..arithmetic import Array, System, like, select, support, system_of
from ..errors import ClaimError
from ..games.offline import OfflineProblem
from ..model import Policy
from ..model.conversion import convert
from ..quantities.bellman_error import population_moments, start_features
from ..quantities.limit_critics import LimitCritic, limit_critic
from ..quantities.linear_class import LinearClass
from .settings import Built, Case, Coordinate, Derived, Distribution, Hypothesis, Ingredient, Numbers, Setting, Sizes

Make = Callable[[], OfflineProblem]


def shared_out(make: Make, shares: Array) -> OfflineProblem:
    """The problem with ``shares`` ``[2]`` of its data at the start and after it, exactly."""
    problem = make()
    here = support(np.asarray(problem.game.start))
    after = select(here, like(0, shares), problem.states_distribution)
    return replace(problem, states_distribution=select(here, shares[0], after * (shares[1] / after.sum())))


def limits_of(problem: OfflineProblem, policy: Policy) -> tuple[LimitCritic, ...]:
    """Every agent's critic of ``policy`` in the limit, most pessimistic at the problem's start."""
    game, found = problem.game, []
    assert game.start is not None
    for m in range(1, game.agents + 1):
        features = problem.features.matrix(m - 1)
        moments = population_moments(game, policy, features, problem.distribution(m), m)
        direction = start_features(game, policy, features, m, game.start)
        found.append(limit_critic(moments, direction, LinearClass(features, problem.radius, problem.ceiling)))
    return tuple(found)


@dataclass(frozen=True)
class LimitTables(Ingredient):
    """One part of the limit for every agent, computed from ``shares``: a tuple of tables."""

    name: str
    make: Make
    part: Callable[[OfflineProblem, tuple[LimitCritic, ...]], tuple[Array, ...]]

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return ()

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: bool) -> tuple[Array, ...]:
        shares = np.asarray(built["shares"])
        target, exact = system_of(shares), convert(shares, System.RATIONALS, rows=True)
        parts = []
        for index in np.ndindex(exact.shape[:-1]):
            problem = shared_out(self.make, exact[index])
            parts.append(self.part(problem, limits_of(problem, Policy.uniform(problem.game))))
        tables = [np.stack([part[m] for part in parts]) for m in range(len(parts[0]))]
        return tuple(convert(t.reshape(*exact.shape[:-1], *t.shape[1:]), target) for t in tables)

    def core_shape(self, sizes: Sizes) -> None:
        return None

    def batch_of(self, value: Any) -> tuple[int, ...]:
        return ()  # it follows the shares

    def convert(self, value: Any, target: System) -> tuple[Array, ...]:
        if not isinstance(value, (tuple, list)):
            raise ClaimError(f"{self.name} must be one table per agent, not {type(value).__name__}")
        return tuple(super(LimitTables, self).convert(table, target) for table in value)


def _tables(problem: OfflineProblem, found: tuple[LimitCritic, ...]) -> tuple[Array, ...]:
    return tuple(critic.values.reshape(problem.game.states, -1) for critic in found)


def _weights(_: OfflineProblem, found: tuple[LimitCritic, ...]) -> tuple[Array, ...]:
    return tuple(critic.weights for critic in found)


def _data(problem: OfflineProblem, found: tuple[LimitCritic, ...]) -> tuple[Array, ...]:
    return tuple(problem.distribution(m) for m in range(1, len(found) + 1))


def limit_setting(
    name: str, make: Make, steps: tuple[int, ...] = (1,), hypotheses: tuple[Hypothesis, ...] = ()
) -> Setting:
    """A problem with its data shared out as the instance says; ``critics``, ``weights`` and ``data`` hold one table per agent."""

    def problem(case: Case) -> OfflineProblem:
        exact = make()
        return {System.RATIONALS: exact.exact, System.BALLS: exact.balls, System.FLOATS: exact.floats}[case.system]()

    game = make().game
    actions = game.action_sizes
    return Setting(
        name,
        (
            Distribution("shares", lambda _: (2,), full_support=True),
            LimitTables("critics", make, _tables),
            LimitTables("weights", make, _weights),
            LimitTables("data", make, _data),
            Derived("problem", problem),
            Derived("game", lambda case: case.problem.game),
            Derived("target", lambda case: case.problem.comparator),
            Derived("policy", lambda case: Policy.uniform(case.game)),
        ),
        hypotheses,
        agents=(len(actions), len(actions)),
        states=(game.states, game.states),
        steps=steps,
        action_range=(min(actions), max(actions)),
        explore=False,
        limit=4,
    )
