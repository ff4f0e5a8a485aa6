"""What the fixtures of the pytest plugin give: policies, wrong critics, simulated trajectories."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arithmetic import like
from ..model import Game, Policy
from ..model.time_limit import TimeLimited
from ..quantities.values import state_values


def policies_of(game: Game, seed: int = 0) -> dict[str, Policy]:
    """Even, random, near-deterministic and (with several agents) one where each agent sees the actions of those before it."""
    generator = np.random.default_rng([seed, game.states, *game.action_sizes])

    def factor(*shape: int, near: bool = False) -> Any:
        weights = generator.integers(1, 10, shape)
        if near:
            weights[..., 0] = 256 * shape[-1] * 9
        table = like(weights, game.system)
        return table / table.sum(-1, keepdims=True)

    found = {
        "even": Policy.uniform(game),
        "random": Policy.product([factor(game.states, size) for size in game.action_sizes]),
        "near-deterministic": Policy.product([factor(game.states, size, near=True) for size in game.action_sizes]),
    }
    if game.agents > 1:
        shapes, prefixes = [], 1
        for size in game.action_sizes:
            shapes.append((game.states, prefixes, size))
            prefixes *= size
        found["chain"] = Policy(tuple(factor(*shape) for shape in shapes))
    return {name: policy.restricted(game) for name, policy in found.items()}


def wrong_critics_of(game: Game, policy: Policy, seed: int = 0) -> dict[str, Any]:
    """Critics of a policy that are wrong: zero, constant, the values off by one or with the wrong sign, and random numbers."""
    generator = np.random.default_rng([seed, game.states])
    values = state_values(game, policy)
    drawn = like(generator.integers(-9, 10, game.states), game.system)
    return {
        "zero": 0 * values,
        "constant": 0 * values + 3,
        "values plus one": values + 1,
        "values with the wrong sign": -values,
        "random": drawn + (drawn == values),
    }


def simulated_from(game: Any, policy: Policy, episodes: int, steps: int | None, seed: int) -> Any:
    """Trajectories of a game, or of one with a time limit."""
    from ..simulation import simulate

    game = game.floats() if isinstance(game, Game) else TimeLimited(game.game.floats(), game.limit)
    policy = policy.floats()
    return simulate(game, policy, episodes, np.random.default_rng(seed), steps=steps)
