"""Appendix C.2: completeness."""

from __future__ import annotations

from ..claim import Comparison, claim
from ..files import Instance
from ..games import chain_of_states, squared_distance
from ..kernel import fixed_point


@claim(
    "section-c.2/completeness",
    kind="printed",
    statement="if φᵀw = Q_π for every π, then T_π f is linear in φ with f",
    setting="a chain with rewards in [0, 1] and data, its value function the only feature",
    hypotheses=(
        "game never terminates",
        "rewards of game lie in [0, 1]",
        "seen is a distribution",
        "seen has full support",
        "γ < 1",
    ),
    note="There is one action, hence one policy, so the single feature Q realizes every Q_π.",
    states=(1, 3),
    actions=(1, 1),
)
def completeness(instance: Instance) -> Comparison:
    """The feature is ``Q = r + γPQ``, and ``T0 = r``: its distance from the line is ``Σ μ r² - (Σ μ Q r)² / Σ μ Q²``."""
    transition, rewards, gamma = chain_of_states(instance, 10)
    instance.require_place(0, ())
    data = instance.shares("seen", (instance.states,), low=1)
    values = fixed_point(rewards, [[gamma * p for p in row] for row in transition])
    distance = squared_distance(values, rewards, data)
    return Comparison("min_w E_μ(φᵀw - T f)² at f = 0", distance, "=", "0", 0)
