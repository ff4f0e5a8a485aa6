"""Best responses and Nash equilibria of product policies.

If all agents but ``m`` keep their factors, agent ``m`` faces a decision process of its own::

    P_m(s'|s, a^m) = Σ_{a^{-m}} Π_{j≠m} π^j(a^j|s) P(s'|s, a)        r_m(s, a^m) likewise

whose optimum is its best response.  ``π`` is a Nash equilibrium where no agent gains by its best response; in a cooperative
game it need not be optimal.  Exact on rationals.  Source: Section 4.3.

In climbing, the pair (1, 1) pays 7 and no agent gains by leaving it alone, although (0, 0) pays 11:

>>> import mappo_verify as mv
>>> game = mv.named_game("climbing")
>>> stuck = mv.Policy.deterministic(game, [4])
>>> print(*nash_gaps(game, stuck), *mv.returns(game, stuck)[None])
0 0 7
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..arithmetic import (
    Array,
    System,
    certain,
    compare,
    contract,
    floats_of,
    is_hidden,
    like,
    maximum,
    some,
)
from ..arithmetic.explained import explained
from ..arithmetic.functions import true_everywhere
from ..errors import GameError
from ..model import Game, Policy
from ..model.agents import agent_axes, axis_of, require_agent
from ..model.conversion import convert
from ..model.instances import instance_by_instance
from .agent_values import companion_weights
from .certified import EXACT_WORK, work
from .distributions import visits
from .optimal import Optimum, optimal, values_and_policy
from .values import lookahead, start_of, state_values


def _require_product(policy: Policy) -> None:
    if not true_everywhere(policy.product_mask()):
        raise GameError(
            "best responses are defined here for product policies, and some factor of this one depends on the prefix"
        )


def response_game(game: Game, policy: Policy, m: int) -> Game:
    """The decision process of one agent with ``A_m`` actions that agent ``m`` faces while the others keep their factors.

    Agents are counted from 1.  ``policy`` must be a product policy; its own factor ``m`` plays no part.
    """
    policy.require_fits(game)
    _require_product(policy)
    require_agent(m, policy.agents)
    agents = game.agents
    others = companion_weights(policy, (m,), "intervention")  # [..., S, A_1, ..., A_N], agent m with length 1
    summed = tuple(axis_of(j, agents) for j in range(agents) if j != m - 1)

    def averaged(table: Array) -> Array:
        """``[..., S, A]`` to ``[..., S, A_m]``."""
        weighted = others * agent_axes(table, game.action_sizes)
        kept = weighted.sum(axis=summed, keepdims=True) if summed else weighted
        return kept.reshape(kept.shape[: kept.ndim - agents] + (game.action_sizes[m - 1],))

    moves = np.stack([averaged(game.transition[..., s]) for s in range(game.states)], axis=-1)
    masks = None if game.available is None else (game.available[m - 1],)
    own = (game.action_sizes[m - 1],)
    return Game(moves, averaged(game.reward), game.discount, own, start=game.start, available=masks)


@explained
def best_response(game: Game, policy: Policy, m: int) -> Optimum:
    """What agent ``m`` (counted from 1) should do while the others keep their factors: values, deterministic policy, certificate.

    The policy is the single agent's; :func:`with_response` puts it among the others.  Floats or rationals.
    """
    return optimal(response_game(game, policy, m))


def with_response(policy: Policy, m: int, response: Policy) -> Policy:
    """The product policy with agent ``m``'s factor replaced by a single agent's policy, ``[..., S, 1, A_m]``."""
    _require_product(policy)
    require_agent(m, policy.agents)
    own = [factor[..., 0, :] for factor in policy.factors]
    own[m - 1] = response.factors[0][..., 0, :]
    return Policy.product(own)


@explained
def nash_gaps(game: Game, policy: Policy, start: Any = None) -> Array:
    """What each agent alone could gain from ``ρ`` (default: the game's start), shape ``[..., N]``, each at least 0.

    ``max_m`` of them is the Nash gap; ``policy`` is a Nash equilibrium from ``ρ`` where all are 0, and a Markov perfect one if
    that holds for a ``ρ`` of full support.  With ``A*`` the advantages of agent ``m``'s best response in its own game,

        gap_m = Σ_s d^π_ρ(s) Σ_{a^m} π^m(a^m|s) (-A*(s, a^m)),

    a sum in which nothing cancels.  Floats are computed by rationals and rounded where that takes a second at most; larger games
    carry the rounding of ``-A*``.
    """
    if game.system is System.FLOATS and not is_hidden((game.transition,)):
        _require_product(policy)
        policy.require_fits(game)
        count = prod(np.broadcast_shapes(game.batch_shape, policy.batch_shape))
        if count and work(game.states, game.actions, count) * (game.agents + 1) <= EXACT_WORK:
            given = None if start is None else convert(start_of(game, start), System.RATIONALS, rows=True)
            return floats_of(nash_gaps(game.exact(), policy.exact(), given))
    visited = visits(game, policy, start)
    gains = []
    for m in range(1, game.agents + 1):
        induced = response_game(game, policy, m)
        best = optimal(induced)
        if is_hidden((game.transition,)):
            slack = best.values[..., None] - lookahead(induced, best.values)
        else:
            slack = best.certificate.slack
        own = policy.factors[m - 1][..., 0, :]
        gains.append(contract("...s,...sa,...sa->...", visited, own, maximum(slack, like(0, slack))))
    return np.stack(gains, axis=-1)


MAX_ROUNDS = 1_000
NOISE = 1e-9
"""A gain of floats below this share of the values may be rounding."""


@explained
def nash_policy(game: Game, policy: Policy) -> Policy:
    """The deterministic Nash policy that agents reach from ``policy`` by best responses in turn, ``1, ..., N, 1, ...``.

    In each turn one agent takes its best response where that is worth more in some state.  Rewards are common, so every change
    improves the values of all, and after finitely many no agent gains: ``nash_gaps`` are 0 from every start.  From another
    ``policy`` another equilibrium may be reached, which need not be optimal.

    Raises :class:`~mappo_verify.errors.GameError` where ``policy`` is no product, and
    :class:`~mappo_verify.errors.ExactnessError` on balls and symbols.
    """
    if is_hidden((game.transition,)):
        found: Policy = instance_by_instance(nash_policy, game, policy)
        return found
    policy.require_fits(game)
    _require_product(policy)
    return _settled_in_turn(game, policy)


def _settled_in_turn(game: Game, policy: Policy) -> Policy:
    """Best responses in turn, on plain numbers, until a whole round has changed nothing."""
    for m in range(1, game.agents + 1):  # whatever it was, the policy is deterministic from now on
        policy = with_response(policy, m, values_and_policy(response_game(game, policy, m))[1])
    for _ in range(MAX_ROUNDS):
        quiet = True
        for m in range(1, game.agents + 1):
            now = state_values(game, policy)
            best, response = values_and_policy(response_game(game, policy, m))
            noise = NOISE * (1 + np.abs(now)) if game.system is System.FLOATS else like(0, now)
            gains = certain(some(compare(best - now, ">", noise)))
            if gains.any():
                quiet = False
                changed = with_response(policy, m, response)
                policy = Policy(
                    tuple(
                        np.where(gains[..., None, None, None], new, old)
                        for new, old in zip(changed.factors, policy.factors, strict=True)
                    )
                )
        if quiet:
            return policy
    raise GameError(f"best responses in turn did not settle within {MAX_ROUNDS} rounds")
