"""Instances on which Algorithm 2 can be followed exactly: its critics as data and penalty grow without bound.

An instance is how the data is shared out between the start and what comes after it.  The critics are vertices of a linear
programme, computed and proved optimal over the rationals, where everything but the policies' exponentials stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import combinations
from typing import Any

import numpy as np

from ...arithmetic import (
    Array,
    System,
    Truth,
    both,
    compare,
    identity,
    like,
    maximum,
    ones,
    select,
    smallest,
    solve,
    square,
    support,
    zeros,
)
from ...arithmetic.numbers import wrap
from ...claims.case import Built, Case, Hypothesis, Ingredient
from ...claims.coordinates import Coordinate, Numbers, Sizes, simplex
from ...claims.ingredients import Derived, Distribution
from ...claims.settings import Setting
from ...errors import ClaimError, SingularError
from ...games.offline import OfflineProblem
from ...model import Policy
from ...model.conversion import convert
from ...quantities.agent_values import agent_values
from ...quantities.bellman_error import Moments, moments_of, population_moments, start_features
from ...quantities.limit_critics import LimitCritic, LimitError, limit_critic
from ...quantities.linear_class import LinearClass

Make = Callable[[], OfflineProblem]


def shared_out(make: Make, shares: Array) -> OfflineProblem:
    """The problem with ``shares`` ``[2]`` of its data at the start and after it, exactly."""
    problem = make()
    at_start = support(problem.game.start)
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


@dataclass(frozen=True, eq=False)
class SmallestCritic:
    """One agent's critic in the limit, with a proof that no critic without Bellman error is smaller at the start.

    The proof holds with the inner minimum over the class, as equation (5) prints it, and over all weights, as Appendix C.1 does.
    *Cells* are the agent's actions at the start, then one for every other state, where actions make no difference.  A cell of
    the data is *free* if its feature is a unit vector whose weight no other feature uses.

    1. The critic is its own least-squares fit and lies in the class, so ``E(f) = 0`` in both readings.
    2. Move the weights of free cells to their targets ``Tf`` and leave the others: that maps the class into itself, so
       ``E(f) ≥ Σ_free μ (f - Tf)²``, and a critic without error has ``f = Tf`` at free cells.
    3. ``f(s_0, a) = Σ y (f - γE f(s')) + Σ (u - v) f ≥ Σ y r - Σ v/(1-γ)``, which the critic attains.

    Attributes
    ----------
    weights, true : Array
        ``w`` of the critic and of ``Q^{1:m}`` under even play, ``[d]``.
    equalities, lower, upper : Array
        ``y``, ``u ≥ 0`` and ``v ≥ 0`` for every action at the start, ``[A_1···A_m, cells]``; ``y`` is 0 but at free cells, ``u``
        and ``v`` are 0 there, and where every critic is 0.
    """

    weights: Array
    true: Array
    equalities: Array
    lower: Array
    upper: Array


@dataclass(frozen=True, eq=False)
class _Cells:
    """What agent ``m`` sees of a problem, cell by cell: ``φ``, ``γE φ(s')``, ``E r``, the law of its data; even play."""

    wide: int
    features: Array
    ahead: Array
    rewards: Array
    mass: Array
    successors: Array
    """``γ P`` to the cells of states, ``[cells, S]``; the column of the start is 0."""
    cell_of: tuple[int, ...]
    """The cell of each state; -1 for the start."""

    @property
    def free(self) -> list[int]:
        """Cells of the data with a unit vector for a feature, whose weight no other feature uses."""
        found = []
        for c in np.flatnonzero(support(self.mass)):
            phi = self.features[c]
            used = np.flatnonzero(phi != 0)
            users = self.features[self.features[:, used[0]] != 0] if used.size else self.features
            if used.size == 1 and phi[used[0]] == 1 and (users == phi).all():
                found.append(int(c))
        return found


def _cells(problem: OfflineProblem, m: int) -> _Cells:
    game = problem.game
    start = int(np.flatnonzero(support(game.start))[0])
    features = problem.features.matrix(m - 1).reshape(game.states, -1, problem.features.matrix(m - 1).shape[-1])
    wide = features.shape[1]
    others = [s for s in range(game.states) if s != start]
    moves = game.transition[start].reshape(wide, -1, game.states)
    pays = game.reward[start].reshape(wide, -1)
    later = moves.shape[1]
    successors = np.concatenate([moves.sum(1) / later, game.transition[others, 0]]) * game.discount
    seen = features[:, 0]  # of the start nothing is seen again
    cell_of = [-1] * game.states
    for position, s in enumerate(others):
        cell_of[s] = wide + position
    data = problem.distribution(m)
    return _Cells(
        wide,
        np.concatenate([features[start], features[others, 0]]),
        successors @ seen,
        np.concatenate([pays.sum(1) / later, game.reward[others, 0]]),
        np.concatenate([data[start], data[others].sum(1)]),
        successors,
        tuple(cell_of),
    )


def smallest_critic(problem: OfflineProblem, m: int, critic: LimitCritic) -> SmallestCritic:
    """The proof for agent ``m``, by unrolling Bellman's equation from the start until it comes to a state that is not free.

    :class:`~mappo_verify.quantities.limit_critics.LimitError` where it does not go through; rationals only.
    """
    cells = _cells(problem, m)
    free, size = cells.free, len(cells.rewards)
    zero = like(0, System.RATIONALS)
    equalities, lower = (np.full((cells.wide, size), zero, object) for _ in range(2))
    for a in range(cells.wide):
        reached = [(a, like(1, System.RATIONALS).item())]
        while reached:
            cell, weight = reached.pop()
            phi = cells.features[cell]
            if not any(phi):
                continue
            cell = next((c for c in free if (cells.features[c] == phi).all()), cell)
            if cell not in free:
                lower[a, cell] += weight
                continue
            equalities[a, cell] += weight
            reached += [
                (target, weight * chance)
                for target, chance in zip(cells.cell_of, cells.successors[cell], strict=True)
                if chance != 0
            ]
    values = agent_values(problem.game, Policy.uniform(problem.game))[m].reshape(problem.game.states, -1)
    features = problem.features.matrix(m - 1)
    true = moments_of(
        features, zeros(features.shape, features), values.reshape(-1), ones(len(features), features)
    ).projected(zeros(features.shape[-1], features))
    found = SmallestCritic(critic.weights, true, equalities, lower, np.full((cells.wide, size), zero, object))
    require_smallest(found, problem, m)
    return found


def require_smallest(found: SmallestCritic, problem: OfflineProblem, m: int) -> None:
    """Every line of the proof, exactly; :class:`~mappo_verify.quantities.limit_critics.LimitError` names what fails."""
    cells = _cells(problem, m)
    free, ceiling = cells.free, problem.ceiling
    critic = cells.features @ found.weights
    residual = critic - cells.rewards - cells.ahead @ found.weights
    bound = found.equalities @ cells.rewards - ceiling * found.upper.sum(1)
    force = found.equalities @ (cells.features - cells.ahead) + (found.lower - found.upper) @ cells.features
    tied = [c for c in range(len(critic)) if c not in free]
    closed = [c for c in range(len(critic)) if c in free or not any(cells.features[c])]
    signed, radius = np.stack([found.lower, found.upper]), square(problem.radius)

    checks = {
        "it is from 0 to 1/(1-γ)": (compare(critic, "≥", like(0, critic)) > 0).all()
        and (compare(critic, "≤", ceiling) > 0).all(),
        "it lies in the ball": (compare(square(found.weights).sum(), "≤", radius) > 0).all(),
        "it is its own least-squares fit": not (cells.features.T @ (cells.mass * residual)).any(),
        "cells at the start are free, with a feature each": set(range(cells.wide)).issubset(free)
        and len({tuple(map(str, cells.features[c])) for c in free}) == len(free),
        "the ball has room for the rival map": (
            compare(_room(cells, ceiling, problem.game.discount), "≤", radius) > 0
        ).all(),
        "no multiplier is negative": (compare(signed, "≥", like(0, signed)) > 0).all(),
        "multipliers stand where they may": not signed[..., closed].any() and not found.equalities[:, tied].any(),
        "multipliers balance the objective": bool((force == cells.features[: cells.wide]).all()),
        "the bound is attained": bool((bound == critic[: cells.wide]).all()),
    }
    for name, holds in checks.items():
        if not holds:
            raise LimitError(f"agent {m}'s limit critic is not proved smallest: it fails that {name}")


def _room(cells: _Cells, ceiling: Array, discount: Array) -> Array:
    """A bound on ``‖ω(w)‖²``: targets of free cells have a range; other weights are what values in ``[0, 1/(1-γ)]`` make them."""
    top = discount * ceiling
    zero = like(0, System.RATIONALS)
    room = sum((square(cells.rewards[c] + (top if any(cells.ahead[c]) else 0)) for c in cells.free), start=zero)
    moved = {int(np.flatnonzero(cells.features[c])[0]) for c in cells.free}
    rest = [i for i in range(cells.features.shape[1]) if i not in moved]
    others = [c for c, phi in enumerate(cells.features) if any(phi) and not any(phi[i] for i in moved)]
    unit = identity(len(rest), System.RATIONALS)
    for position, _ in enumerate(rest):
        bounds = []
        for chosen in combinations(others, len(rest)):
            try:
                row = solve(cells.features[np.ix_(chosen, rest)], unit)[position]
            except SingularError:
                continue
            bounds.append(ceiling * maximum(maximum(row, zero).sum(), maximum(-row, zero).sum()))
        if not bounds:
            raise LimitError("no values determine the weights that the rival map leaves")
        room = room + square(smallest(np.stack(bounds)))
    return room


def values_after_start(problem: OfflineProblem) -> Array:
    """The values of all states but the start, where actions make no difference."""
    others = ~support(problem.game.start)
    return agent_values(problem.game, Policy.uniform(problem.game))[0][..., 0][others]


def exhibit(make: Make, case: Case) -> dict[str, Array]:
    """What a reader needs to verify the critics of one exact instance without computing them; the game is that of ``make``.

    The values after the start, and for every agent the fields of :class:`SmallestCritic`.
    """
    problem = shared_out(make, case.shares.unwrap()[0])
    shown = {"values": values_after_start(problem)}
    for m, critic in enumerate(limits_of(problem, Policy.uniform(problem.game)), start=1):
        proof = smallest_critic(problem, m, critic)
        for name in ("weights", "true", "equalities", "lower", "upper"):
            shown[f"{name}.{m}"] = getattr(proof, name)
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

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> tuple[Any, ...]:
        given: Any = numbers["shares"]
        system = given.system.system
        weights = np.moveaxis(given._parts[0], -1, 0)  # integers, so exact in every system
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


def _proved(problem: OfflineProblem, found: tuple[LimitCritic, ...]) -> tuple[Array, ...]:
    """1 for every agent: :func:`smallest_critic` raises where the proof does not go through."""
    for m, critic in enumerate(found, start=1):
        smallest_critic(problem, m, critic)
    return tuple(ones(1, System.RATIONALS) for _ in found)


def smallest_at_start(case: Case) -> Truth:
    """The hypothesis of the same name: verified when the instance was built, exactly."""
    return both(*(compare(proved[..., 0], ">", like(0, proved[..., 0])) for proved in case.proved))


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
            LimitTables("proved", make, _proved),
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
