"""Values and targets under a limit on the number of steps, by backward induction.

Episodes of a :class:`~mappo_verify.model.time_limit.TimeLimited` game are truncated after ``T`` steps.  Rows of a table over time
belong to ``t`` steps done::

    V_T = final,    V_t(s) = Σ_a π(a|s) [r(s, a) + γ Σ_s' P(s'|s, a) V_{t+1}(s')]

A critic over time, ``v_t(s)`` for ``t = 0..T``, says by its last row what truncation means: the critic's value there
(:func:`bootstrapped`), or 0 (:func:`not_bootstrapped`, truncation taken for termination).  With it ``u_T = v_T`` and::

    E[G^λ_t | s, a] = r(s, a) + γ Σ_s' P(s'|s, a) [(1-λ) v_{t+1}(s') + λ u_{t+1}(s')],     u_t(s) = E_{a ~ π} E[G^λ_t | s, a]

Source: Pardo et al. (2018), Time limits in reinforcement learning.

Reward 1 for ever, γ = 1/2: V = 2.  Two steps are worth 3/2, and 2 if the truncated step counts its next value of 2:

>>> import mappo_verify as mv
>>> from mappo_verify.model.time_limit import time_limited
>>> limited = time_limited(mv.Game([[[1]]], [[1]], 0.5), 2)
>>> policy = mv.Policy.uniform(limited.game)
>>> limited_values(limited, policy)[:, 0].tolist(), limited_values(limited, policy, [2])[:, 0].tolist()
([1.5, 1.0, 0.0], [2.0, 2.0, 2.0])
>>> limited_gae(limited, policy, bootstrapped([2], 2), 1)[:, 0, 0].tolist()
[0.0, 0.0]
>>> limited_gae(limited, policy, not_bootstrapped([2], 2), 1)[:, 0, 0].tolist()
[-0.5, -1.0]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arithmetic import Array, contract, square
from ..arithmetic.explained import explained
from ..errors import GameError
from ..model import Game, Policy
from ..model.time_limit import TimeLimited
from ..model.validation import array_of, require_count, scalar_for, table_for
from .chain import induced_transition
from .expected_targets import average, mixed, second_moment
from .values import lookahead, start_of


@explained
def limited_values(limited: TimeLimited, policy: Policy, final: Any = None) -> Array:
    """``V_0, ..., V_T`` by backward induction, shape ``[..., T+1, S]``; ``V_T = final`` ``[..., S]``, 0 by default."""
    game = limited.game
    policy.require_fits(game)
    value = limited.final_of(final)
    found = [value]
    for _ in range(limited.limit):
        value = average(policy, lookahead(game, value))
        found.append(value)
    return _over_time(found[::-1], 1)


@explained
def limited_visits(limited: TimeLimited, policy: Policy, start: Any = None) -> Array:
    """``P(s_t = s)`` for ``t = 0..T-1`` from ``ρ`` (default: the game's start), *undiscounted*, shape ``[..., T, S]``.

    Row ``t`` sums to the probability that the game has not terminated within ``t`` steps.
    """
    chain = induced_transition(limited.game, policy)
    law = start_of(limited.game, start)
    found = [law]
    for _ in range(1, limited.limit):
        found.append(contract("...s,...st->...t", found[-1], chain))
    return _over_time(found, 1)


@explained
def bootstrapped(critic: Any, limit: int) -> Array:
    """``v_0 = ... = v_T = v``: truncated steps count the critic's value; from ``[..., S]`` to ``[..., T+1, S]``."""
    require_count("limit", limit)
    row = array_of(critic, "critic")
    return np.stack([row] * (limit + 1), axis=-2)


@explained
def not_bootstrapped(critic: Any, limit: int) -> Array:
    """``v_0 = ... = v_{T-1} = v`` and ``v_T = 0``: nothing follows a truncated step; from ``[..., S]`` to ``[..., T+1, S]``."""
    require_count("limit", limit)
    row = array_of(critic, "critic")
    return np.stack([row] * limit + [row * 0], axis=-2)


@explained
def limited_n_step_returns(limited: TimeLimited, policy: Policy, critics: Any, n: int) -> Array:
    """``E[Σ_{k<m} γ^k r_{t+k} + γ^m v_{t+m}(s_{t+m}) | s_t, a_t]`` with ``m = min(n, T - t)``, shape ``[..., T, S, A]``.

    ``critics`` is ``v_0, ..., v_T``, ``[..., T+1, S]``.
    """
    require_count("n", n)
    critics = _critics_of(limited, critics)
    policy.require_fits(limited.game)
    found = []
    for t in range(limited.limit):
        ahead = critics[..., t + 1 : t + n + 1, :]  # what lies within n steps and the limit
        value = ahead[..., -1, :]
        for _ in range(1, ahead.shape[-2]):
            value = average(policy, lookahead(limited.game, value))
        found.append(lookahead(limited.game, value))
    return _over_time(found, 2)


@explained
def limited_lambda_returns(limited: TimeLimited, policy: Policy, critics: Any, lam: Any) -> Array:
    """``E[G^λ_t | s_t = s, a_t = a]`` for ``t = 0..T-1``, shape ``[..., T, S, A]``; ``critics`` ``[..., T+1, S]``."""
    return _backwards(limited, policy, critics, lam)[0]


@explained
def limited_gae(limited: TimeLimited, policy: Policy, critics: Any, lam: Any) -> Array:
    """``E[GAE^λ_t | s_t = s, a_t = a] = E[G^λ_t | s, a] - v_t(s)``, shape ``[..., T, S, A]``; ``critics`` ``[..., T+1, S]``."""
    own = _critics_of(limited, critics)[..., :-1, :, None]
    return _backwards(limited, policy, critics, lam)[0] - own


@explained
def variance_of_limited_lambda_returns(limited: TimeLimited, policy: Policy, critics: Any, lam: Any) -> Array:
    """``Var[G^λ_t | s_t = s, a_t = a]`` of one rollout, GAE's too, shape ``[..., T, S, A]``; ``critics`` ``[..., T+1, S]``."""
    means, squares = _backwards(limited, policy, critics, lam)
    return squares - square(means)


def _backwards(limited: TimeLimited, policy: Policy, critics: Any, lam: Any) -> tuple[Array, Array]:
    """First and second moment of ``G^λ_t`` given ``(s, a)``, each ``[..., T, S, A]``."""
    game: Game = limited.game
    policy.require_fits(game)
    critics, lam = _critics_of(limited, critics), scalar_for(game.system, "lam", lam)
    mean = critics[..., -1, :]
    moment = square(mean)
    firsts, seconds = [], []
    for t in reversed(range(limited.limit)):
        value = critics[..., t + 1, :]
        firsts.append(lookahead(game, mixed(value, mean, lam)))
        seconds.append(second_moment(game, value, mean, moment, lam))
        mean, moment = average(policy, firsts[-1]), average(policy, seconds[-1])
    return _over_time(firsts[::-1], 2), _over_time(seconds[::-1], 2)


def _over_time(tables: Sequence[Array], core: int) -> Array:
    """Tables with ``core`` axes, in the batch that they have together, with time before those axes."""
    return np.stack(np.broadcast_arrays(*tables), axis=-core - 1)


def _critics_of(limited: TimeLimited, critics: Any) -> Array:
    rows = limited.limit + 1
    table = table_for(limited.game.system, "critics", critics, (rows, limited.game.states), "[..., T + 1, S]")
    if table.shape[-2:] != (rows, limited.game.states):
        raise GameError(f"critics of one instance has shape {table.shape}; it needs [T + 1, S]")
    return table
