"""Lemma C.2: a small Bellman error means Bellman consistency, if the class holds the values."""

from __future__ import annotations

from ..claim import Comparison, claim
from ..files import Instance
from ..games import ONE_AGENT
from ..kernel import dot
from ..limits import LIMIT, Limit


@claim(
    "lemma-c.2/realizable",
    kind="printed",
    statement="‖f - T^{1:m}_π f‖²_{2,μ} ≤ 1000 E(f, π) for critics of a realizable class",
    setting="the critics that Algorithm 2 comes to on the counterexample with one agent, and how its data is shared out",
    hypotheses=LIMIT,
    note="The error is exactly 0 and the norm is not, so no constant helps.  With completeness see lemma-c.2/complete.",
    states=(5, 5),
    actions=(2, 2),
)
def realizable(instance: Instance) -> Comparison:
    """One agent; ``E(f) = 0`` is verified, in both readings, and ``‖f - Tf‖²`` is summed up."""
    instance.require_place(0, ())
    limit = Limit(instance, ONE_AGENT)
    critic, values = limit.critics[1], limit.critics[1][limit.width(1) :]
    targets = limit.gap.backup(values)
    targets += [r + limit.gap.gamma * values[s - 1] for s, r in zip(limit.gap.after, limit.gap.pays, strict=True)]
    norm = dot(limit.mass(1), [(f - target) ** 2 for f, target in zip(critic, targets, strict=True)])
    left = "‖f - T^{1:1}_π f‖²_{2,μ} for the critic f of Algorithm 2"
    return Comparison(left, norm, "≤", "1000 E(f, π)", 0)
