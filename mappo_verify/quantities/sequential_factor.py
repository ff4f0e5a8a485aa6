"""The factor of sequential updates: how agents that moved already weigh on the next one's advantage.

Heterogeneous-agent methods update one agent after the other.  When agent ``m`` comes, the agents before it play ``π̄`` already,
while the data is from ``π``; so what it multiplies its estimate of ``A_π`` by is ::

    M^m(s, p) = π̄^{1:m-1}(p|s) / π^{1:m-1}(p|s),        0/0 := 0

and importance weights turn expectations under ``π`` into those under ``π̄``, wherever ``π`` plays what ``π̄`` does::

    E_{a ~ π}[(π̄^m/π^m - 1) M^m A_π(s, a)] = E_{p ~ π̄^{1:m-1}, a^m ~ π̄^m} A^m(s, p, a^m)

Over all agents these sum to ``Σ_a π̄(a|s) A_π(s, a)``, the statewise gain of the joint update.  The *order* is part of it: for
another one use :meth:`~mappo_verify.model.game.Game.reordered`.  Source: Kuba et al. (2022), Lemma 1 and Proposition 1.

Agent 1 turns from even play to its first action: where it plays that, agent 2's advantages count twice, elsewhere not at all.

>>> import mappo_verify as mv
>>> game = mv.Game([[[0], [0], [0], [0]]], [[1, 0, 0, 1]], 0, action_sizes=(2, 2))
>>> policy, target = mv.Policy.uniform(game), mv.Policy.deterministic(game, [0])
>>> sequential_factor(target, policy, 2)
array([[2., 0.]])
>>> [gain.tolist() for gain in sequential_gains(game, target, policy)]
[[0.0], [0.5]]
"""

from __future__ import annotations

from ..arithmetic import Array, contract, divide
from ..arithmetic.explained import explained
from ..model import Game, Policy
from ..model.agents import join_last, require_agent, sum_out_later
from .values import advantages


@explained
def sequential_factor(target: Policy, policy: Policy, m: int) -> Array:
    """``π̄^{1:m-1}(p|s) / π^{1:m-1}(p|s)``, ``target`` over ``policy``, shape ``[..., S, |A_1|···|A_{m-1}|]``; 1 for agent 1.

    Agents are counted from 1.  Where ``π`` is 0 and ``π̄`` is not, it is infinite, which is an error on rationals.
    """
    require_agent(m, policy.agents)
    return divide(target.prefix_probabilities()[m - 1], policy.prefix_probabilities()[m - 1])


@explained
def sequential_gains(game: Game, target: Policy, policy: Policy) -> tuple[Array, ...]:
    """``E_{a ~ π}[(π̄^m/π^m - 1) M^m A_π(s, a)]`` for every agent, each ``[..., S]``: as a library estimates them.

    ``target`` is ``π̄``.  They are what agents gain at each state by moving in turn, if ``π`` plays whatever ``π̄`` does.
    """
    target.require_fits(game)
    weighted = policy.joint() * advantages(game, policy)
    gains = []
    for m in range(1, game.agents + 1):
        own = divide(target.factors[m - 1], policy.factors[m - 1])
        weight = join_last((own - 1) * sequential_factor(target, policy, m)[..., None])
        gains.append(contract("...sp,...sp->...s", weight, sum_out_later(weighted, game.action_sizes, m)))
    return tuple(gains)
