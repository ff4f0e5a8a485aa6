"""Critics: what Algorithm 1 may know of ``Q^{1:m}_{π_k}``.

A critic returns estimates ``Q̂^{1:m}`` for all agents.  Assumption 4.3 asks for ``E_{σ_k}(Q̂^{1:m} - Q^{1:m})² ≤ ε̂²``:

* :class:`ExactCritic`: ``ε̂ = 0``;
* :class:`NoisyCritic`: a random error whose root mean square under ``σ_k`` is *exactly* ``ε̂``;
* :class:`MonteCarloCritic`: the mean of rollouts of the sampling oracle from every ``(s, a)``;
* :class:`RegressionCritic`: linear in features, fitted to rollouts from samples of ``σ_k``.

Source: Assumption 4.3, and the estimators named after it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from ..arithmetic import Array, System, as_array, compare, divide, lift, sqrt
from ..arithmetic.explained import explained_class
from ..errors import GameError
from ..model import Game, Policy
from ..model.agents import join_last, prefix_sizes, split_last
from ..model.features import Features
from ..model.validation import require_count, require_finite
from ..quantities.agent_values import average_out
from ..quantities.divergence import squared_norm
from ..quantities.values import action_values
from .current_policy import CurrentPolicy
from .least_squares import least_squares
from .sampling import Generator, SamplingOracle, cumulative, draw

EPISODES = 20_000
"""How many episodes a critic rolls out side by side; more would only need more memory."""


class Critic(ABC):
    """Something that estimates ``Q^{1:m}`` of the current policy, for all agents at once."""

    @abstractmethod
    def estimate(self, current: CurrentPolicy, generator: Generator) -> tuple[Array, ...]:
        """``(Q̂^{1:1}, ..., Q̂^{1:N})``, each in the shape of its factor, ``[..., S, prefixes, A_m]``."""


def _by_factor(values: Array, policy: Policy) -> tuple[Array, ...]:
    """``(Q^{1:1}, ..., Q^{1:N})`` of ``Q^{1:N}``, in the shapes of the factors."""
    tables = average_out(values, policy, policy.agents, down_to=1)
    return tuple(split_last(table, size) for table, size in zip(tables, policy.action_sizes, strict=True))


@explained_class
@dataclass(frozen=True)
class ExactCritic(Critic):
    """``Q̂ = Q``."""

    def estimate(self, current: CurrentPolicy, generator: Generator) -> tuple[Array, ...]:  # noqa: ARG002 - one interface
        """The values themselves."""
        return _by_factor(action_values(current.game, current.policy), current.policy)


@explained_class
@dataclass(frozen=True)
class NoisyCritic(Critic):
    """``Q̂ = Q + noise``: Gaussian, scaled so that its root mean square under ``σ_k`` is exactly ``error`` (``ε̂ ≥ 0``)."""

    error: float

    def __post_init__(self) -> None:
        require_finite("the critic's error ε̂", as_array(float(self.error)))
        if compare(self.error, "<", 0) > 0:
            raise GameError(f"the critic's error ε̂ = {self.error} is negative")

    def estimate(self, current: CurrentPolicy, generator: Generator) -> tuple[Array, ...]:
        """The values, each agent's with an error of its own."""
        _require_floats(current.game)
        exact, noisy = ExactCritic().estimate(current, generator), []
        for m, table in enumerate(exact, start=1):
            noise = generator.standard_normal(table.shape)
            size = sqrt(squared_norm(join_last(noise), current.weights(m), axes=2))
            noisy.append(table + lift(self.error / size, 3) * noise)
        return tuple(noisy)


@explained_class
@dataclass(frozen=True)
class MonteCarloCritic(Critic):
    """The mean of ``rollouts`` rollouts from every ``(s, a)``; agents ``m+1..N`` are averaged out by the known ``π_k``.

    Unbiased: the episodes end at random instead of being discounted.  A single float game.
    """

    rollouts: int

    def __post_init__(self) -> None:
        require_count("rollouts", self.rollouts, 10**6)

    def estimate(self, current: CurrentPolicy, generator: Generator) -> tuple[Array, ...]:
        """From ``rollouts·S·A`` episodes."""
        game, policy = current.game, current.policy
        oracle = SamplingOracle(game, generator)
        pairs = game.states * game.actions
        total, left = np.zeros(pairs), self.rollouts
        while left:
            together = len(range(left)[: EPISODES // pairs or 1])
            places = np.tile(np.arange(pairs), together)
            sums = oracle.rollout(policy, places // game.actions, places % game.actions)
            total += sums.reshape(together, pairs).sum(0)
            left -= together
        table = (total / self.rollouts).reshape(game.states, game.actions)
        return _by_factor(table, policy)


@explained_class
@dataclass(frozen=True)
class RegressionCritic(Critic):
    """``Q̂^{1:m} = φᵀw``: least squares on ``samples`` pairs ``(s, a) ~ σ_k``, each with one rollout.

    Of several minimisers, the shortest ``w``.  A single float game.
    """

    features: Features
    samples: int

    def __post_init__(self) -> None:
        require_count("samples", self.samples, 10**7)

    def estimate(self, current: CurrentPolicy, generator: Generator) -> tuple[Array, ...]:
        """One batch of samples serves all agents."""
        game, policy = current.game, current.policy
        self.features.require_fits(game)
        oracle = SamplingOracle(game, generator)
        places = draw(cumulative(current.weights(game.agents).reshape(-1)), generator, (self.samples,))
        sums = oracle.rollout(policy, places // game.actions, places % game.actions)
        estimates = []
        for m, below in enumerate(prefix_sizes(game.action_sizes)[1:]):
            points = places // (game.actions // below)
            counts = np.bincount(points, minlength=game.states * below)
            means = divide(np.bincount(points, sums, game.states * below), counts.astype(float))
            fitted = least_squares(self.features, m, counts / self.samples, means)
            estimates.append(self.features.scores(m, fitted))
        return tuple(estimates)


def _require_floats(game: Game) -> None:
    if game.system is not System.FLOATS:
        raise GameError(f"random errors are drawn for floats, not {game.system.value}; use game.floats()")
