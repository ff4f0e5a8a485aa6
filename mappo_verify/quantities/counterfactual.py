"""COMA's counterfactual advantage: what an agent's action adds, the other agents' actions as they are.

``A_m(s, a) = Q(s, a) - Σ_b π^m(b|s, a^{1:m-1}) Q(s, (b, a^{-m}))``: only agent ``m``'s action is averaged out, so it depends on
the actions of *all* agents.  It is not ``A^m(s, a^{1:m})``, where later agents are averaged out; both give the same gradient for
product policies, since the others' actions are averaged in the end.  Source: Foerster et al. (2018), equation (4).

Two agents that are paid for playing alike, evenly: given the other's action, either choice of agent 1 is worth ±1/2, while
``A^1 = 0``.

>>> import mappo_verify as mv
>>> game = mv.Game([[[0], [0], [0], [0]]], [[1, 0, 0, 1]], 0, action_sizes=(2, 2))
>>> counterfactual_advantages(game, mv.Policy.uniform(game), 1)
array([[ 0.5, -0.5, -0.5,  0.5]])
"""

from __future__ import annotations

from typing import Any

from ..arithmetic import Array
from ..arithmetic.explained import explained
from ..model import Game, Policy
from ..model.agents import agent_axes, axis_of, factor_axes, require_agent
from ..model.validation import table_for
from .values import action_values


@explained
def counterfactual_advantages(game: Game, policy: Policy, m: int, critic: Any = None) -> Array:
    """``Q(s, a) - Σ_b π^m(b|s, a^{1:m-1}) Q(s, (b, a^{-m}))``, shape ``[..., S, A]``, agent ``m`` counted from 1.

    ``critic`` ``[..., S, A]`` stands for ``Q``; by default it is ``Q_π``.
    """
    policy.require_fits(game)
    require_agent(m, game.agents)
    shape = (game.states, game.actions)
    given = (
        action_values(game, policy)
        if critic is None
        else table_for(game.system, "critic", critic, shape, "[..., S, A]")
    )
    table = agent_axes(given, game.action_sizes)
    own = factor_axes(policy.factors[m - 1], m - 1, game.action_sizes)
    baseline = (own * table).sum(axis_of(m - 1, game.agents), keepdims=True)
    found = table - baseline
    return found.reshape(found.shape[: -game.agents] + (game.actions,))
