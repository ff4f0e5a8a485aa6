"""Instances on which Algorithm 2 can be followed exactly: its critics as data and penalty grow without bound.

An instance is how the data is shared out between the start and what comes after it.  The critics are vertices of a linear
programme, computed and proved optimal over the rationals, where everything but the policies' exponentials stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from ...arithmetic import Array, System, as_array, contract, is_hidden, like, select, support
from ...arithmetic.numbers import wrap
from ...claims.case import Built, Case, Hypothesis, Ingredient
from ...claims.coordinates import Coordinate, Numbers, Sizes, simplex
from ...claims.ingredients import Derived, Distribution
from ...claims.settings import Setting
from ...errors import ClaimError
from ...games.offline import OfflineProblem
from ...model import Policy
from ...model.conversion import convert
from ...quantities.bellman_error import Moments, population_moments, start_features
from ...quantities.limit_critics import LimitCritic, limit_critic, require_optimal
from ...quantities.linear_class import LinearClass

Make = Callable[[], OfflineProblem]


def shared_out(make: Make, shares: Array) -> OfflineProblem:
    """The problem with ``shares`` ``[2]`` of its data at the start and after it, exactly."""
    problem = make()
    at_start = support(as_array(problem.game.start))
    after = select(at_start, like(0, shares), problem.states_distribution)
    return replace(problem, states_distribution=select(at_start, shares[0], after * (shares[1] / after.sum())))


def _programme(problem: OfflineProblem, policy: Policy, m: int) -> tuple[Moments, LinearClass]:
    """What agent ``m`` (counted from 1) minimises over, but for the objective."""
    features = problem.features.matrix(m - 1)
    moments = population_moments(problem.game, policy, features, problem.distribution(m), m)
    return moments, LinearClass(features, problem.radius, problem.ceiling)


def limits_of(problem: OfflineProblem, policy: Policy) -> tuple[LimitCritic, ...]:
    """Every agent's critic of ``policy`` in the limit, most pessimistic at the problem's start."""
    game, found = problem.game, []
    assert game.start is not None
    for m in range(1, game.agents + 1):
        moments, critics = _programme(problem, policy, m)
        direction = start_features(game, policy, critics.features, m, game.start)
        found.append(limit_critic(moments, direction, critics))
    return tuple(found)


def limits_at_start(problem: OfflineProblem, policy: Policy, m: int, critic: LimitCritic) -> list[LimitCritic]:
    """Proofs that agent ``m``'s critic is smallest at every action ``a^{1:m}`` in the start state *separately*.

    So it is optimal for whatever is played there, as long as the Bellman error is that of ``policy``.
    :class:`~mappo_verify.quantities.limit_critics.LimitError` where it is not.
    """
    moments, critics = _programme(problem, policy, m)
    tables = critics.features.reshape(problem.game.states, -1, critics.features.shape[-1])
    found = []
    for direction in contract("s,sad->ad", as_array(problem.game.start), tables):
        best = limit_critic(moments, direction, critics)
        same = replace(best, weights=critic.weights, objective=as_array((direction * critic.weights).sum(-1)))
        require_optimal(same, moments, direction, critics)
        found.append(same)
    return found


def exhibit(make: Make, case: Case) -> dict[str, Array]:
    """What a reader needs to verify the critics of one exact instance without computing them.

    The game, the data ``μ(s, a)``, and for every agent its features, its weights, and for every action at the start the
    multipliers of :func:`~mappo_verify.quantities.limit_critics.limit_critic`.
    """
    problem = shared_out(make, case.shares.unwrap()[0] if is_hidden((case.shares,)) else case.shares)
    game, policy = problem.game, Policy.uniform(problem.game)
    shown = {
        "game.transition": game.transition,
        "game.reward": game.reward,
        "game.discount": game.discount,
        "game.start": as_array(game.start),
        "data": problem.distribution(game.agents),
        "radius": as_array(problem.radius),
    }
    for m, critic in enumerate(limits_of(problem, policy), start=1):
        features = problem.features.matrix(m - 1)
        shown[f"features.{m}"] = features.reshape(game.states, -1, features.shape[-1])
        shown[f"weights.{m}"] = critic.weights
        proofs = limits_at_start(problem, policy, m, critic)
        for name in ("equalities", "lower", "upper"):
            shown[f"{name}.{m}"] = np.stack([getattr(proof, name) for proof in proofs])
    return shown


@lru_cache(maxsize=64)
def _limit(make: Make, *shares: Any) -> tuple[OfflineProblem, tuple[LimitCritic, ...]]:
    """The problem with its data shared out so, and its limit: one programme for all parts of all cases of an instance."""
    problem = shared_out(make, np.array(shares, dtype=object))
    return problem, limits_of(problem, Policy.uniform(problem.game))


@dataclass(frozen=True)
class LimitTables(Ingredient):
    """One part of the limit for every agent, computed from ``shares``: a tuple of tables."""

    name: str
    make: Make
    part: Callable[[OfflineProblem, tuple[LimitCritic, ...]], tuple[Array, ...]]

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return ()

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> tuple[Array, ...]:
        system = built["shares"].system.system
        weights = np.moveaxis(numbers["shares"]._parts[0], -1, 0)  # integers, so exact in every system
        shares = simplex(convert(weights, System.RATIONALS), generic)
        parts = [self.part(*_limit(self.make, *one)) for one in shares]
        tables = [np.stack([part[m] for part in parts]) for m in range(len(parts[0]))]
        return tuple(wrap(table, system, table.ndim - 1) for table in tables)

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
    game = make().game
    actions = game.action_sizes
    return Setting(
        name,
        (
            Distribution("shares", lambda _: (2,), full_support=True),
            LimitTables("critics", make, _tables),
            LimitTables("weights", make, _weights),
            LimitTables("data", make, _data),
            Derived("problem", lambda case: make().to(case.system)),
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
        exhibit=partial(exhibit, make),
    )
