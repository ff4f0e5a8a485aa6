"""Lemma C.3: one game explains the critics of all agents, and its rewards are nearly the true ones."""

from __future__ import annotations

from fractions import Fraction

from ..claim import Comparison, claim
from ..files import Instance
from ..games import TWO_AGENTS
from ..kernel import dot, require
from ..limits import LIMIT, Limit


@claim(
    "lemma-c.3/all-agents",
    kind="printed",
    statement="f_k^m = Q^{1:m}_{π_k} in one game M_k with the dynamics of M, for all m at once",
    setting="the critics that Algorithm 2 comes to on the counterexample with two agents, and how its data is shared out",
    hypotheses=LIMIT,
    note="f_k^N alone determines the rewards of M_k, so no other game can do.  Each agent alone and marginals are fine.",
    agents=(2, 2),
    states=(4, 4),
    actions=(2, 2),
)
def all_agents(instance: Instance) -> Comparison:
    """Statement number c is about agent m = c + 1, for the even policy, with which a run starts.

    If ``Q_π = f^N`` in M_k, then ``Q^{1:m}_π`` there is ``f^N`` averaged over the agents after m, whatever its rewards are.
    """
    limit = Limit(instance, TWO_AGENTS)
    m = instance.chain + 1
    require(m in limit.critics, "there is no such agent")
    wide = limit.width(m)
    instance.require_place(m - 1, (1 + len(limit.gap.after), wide))
    s, p = instance.entry
    if s == 0:
        joint, own = limit.gap.averaged(m, limit.critics[2][: limit.width(2)])[p], limit.critics[m][p]
    else:
        joint, own = limit.critics[2][limit.width(2) + s - 1], limit.critics[m][wide + s - 1]
    return Comparison(
        f"Q^{{1:{m}}}_{{π_k}} in M_k, the only game with the same dynamics and Q_{{π_k}} = f_k^N",
        joint,
        "=",
        f"f_k^{m}",
        own,
    )


@claim(
    "lemma-c.3/reward-error",
    kind="printed",
    statement="‖R_k - R‖²_{2,μ} ≤ c ε_r for the pessimistic critic at λ = ε_r^{-2/3}/(1-γ), if E(Q_π, π) ≤ ε_r",
    setting="one state that stays, two actions, rewards 1, γ = 1/2, even play, tables; ε_r = 1/t³, μ = (1/(2t²), 1 - 1/(2t²))",
    hypotheses=("0 ≤ f ≤ 1/(1-γ)", "λ = ε_r^{-2/3}/(1-γ)", "E(Q_π, π) ≤ ε_r"),
    note="c = 1 is printed.  With t ≥ 8c every constant c fails.  The tables are complete, so both inner minima agree, and the "
    "game has no randomness, so the law of the data may be that of a sample.  The theorem does not need this bound.",
    actions=(2, 2),
)
def reward_error(instance: Instance) -> Comparison:
    """``λ = 2t²``.  With the even policy ``Tf = 1 + ¼(f_0 + f_1)``, and ``E(f) = Σ μ (f - Tf)²`` in either reading: Tf is in F.

    The objective ``½(f_0 + f_1) + λE(f)`` is convex; at the recorded critic, with residual ``ρ = f - Tf``, its gradient
    ``½ + 2λ(μ_i ρ_i - ¼ Σ μ ρ)`` vanishes at both actions.  ``Q = 2`` has ``E(Q) = 0 ≤ ε_r``.  And f is the value of the game
    with rewards ``R_k = 1 + ρ``, so that ``‖R_k - R‖² = Σ μ ρ²``.
    """
    instance.require_place(0, ())
    t, constant = (instance.integers(name, (), 1) for name in ("t", "constant"))
    data = [Fraction(1, 2 * t * t), 1 - Fraction(1, 2 * t * t)]
    require(min(data) > 0, "the data does not cover both actions")
    penalty, allowed = 2 * t * t, Fraction(1, t**3)  # λ³ = 8/ε_r², the cube of λ = 2 ε_r^(-2/3)
    require(penalty**3 * allowed**2 == 8, "λ is not that of the theorem")
    critic = instance.rationals("critic", (2,))
    target = 1 + sum(critic) / 4
    residual = [f - target for f in critic]
    pull = dot(data, residual) / 4
    flat = all(Fraction(1, 2) + 2 * penalty * (m * r - pull) == 0 for m, r in zip(data, residual, strict=True))
    require(flat, "the gradient does not vanish at the critic, so that it is not the pessimistic one")
    require(all(0 <= f <= 2 for f in (*critic, target)), "critic or target do not lie in the class")
    distance = dot(data, [r * r for r in residual])
    return Comparison("‖R_k - R‖²_{2,μ}", distance, "≤", "c ε_r", constant * allowed)
