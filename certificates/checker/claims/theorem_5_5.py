"""Theorem 5.5: Algorithm 2 with unlimited data, against the first term of its bound, which is all that is left of it.

What is verified of a run, for both readings of the Bellman error, is in ``limits.py``; the two games are in ``games.py``.
"""

from __future__ import annotations

from ..claim import Comparison, claim
from ..files import Instance
from ..games import ONE_AGENT, TWO_AGENTS
from ..limits import RUN, Limit

FIRST_TERM = (
    "Population data and λ → ∞, where the second term of the bound vanishes; the first has the proof's constant, 2√2.  "
    "The gap tends to a constant and the bound to 0 as K grows, so every constant falls at a larger K.  "
    "The critics are the same with the inner minimum over the class, as equation (5) prints it, and over all weights, as "
    "Appendix C.1 does.  "
)


def against_first_term(instance: Instance, limit: Limit) -> Comparison:
    """The mean gap of K policies against ``2√2/(1-γ)² Σ_m √(log|A_m|/K)``."""
    instance.require_place(0, ())
    return Comparison(
        "J_* - E J(π̂) = 1/K Σ_k (J_* - J(π_k))",
        limit.gap.regret(limit.critics[1], limit.values, instance.steps),
        "≤",
        "2√2/(1-γ)² Σ_m √(log|A_m|/K)",
        limit.first_term(instance.steps),
    )


@claim(
    "theorem-5.5/two-agents",
    kind="printed",
    statement="J_* - E J(π̂) ≤ 2√2/(1-γ)² Σ_m √(log|A_m|/K) as n → ∞",
    setting="Algorithm 2 on the counterexample with two agents as n, λ → ∞; how the data is shared out",
    hypotheses=RUN,
    note=FIRST_TERM + "What breaks is Lemma C.3: no one game has the critics of both agents for its values.",
    agents=(2, 2),
    states=(4, 4),
    actions=(2, 2),
    steps=(1, 40_000),
)
def two_agents(instance: Instance) -> Comparison:
    """Two agents; that their classes are complete is verified too."""
    limit = Limit(instance, TWO_AGENTS)
    for m in limit.critics:
        limit.require_complete(m)
    return against_first_term(instance, limit)


@claim(
    "theorem-5.5/one-agent",
    kind="printed",
    statement="J_* - E J(π̂) ≤ 2√2/(1-γ)² √(log|A|/K) as n → ∞, if the class holds every Q_π",
    setting="Algorithm 2 on the counterexample with one agent as n, λ → ∞; how the data is shared out",
    hypotheses=RUN,
    note=FIRST_TERM
    + "What breaks is Lemma C.2: without completeness a critic with Bellman error 0 may be inconsistent.",
    states=(5, 5),
    actions=(2, 2),
    steps=(1, 40_000),
)
def one_agent(instance: Instance) -> Comparison:
    """One agent, whose optimal policy is unique."""
    return against_first_term(instance, Limit(instance, ONE_AGENT))
