"""Proposition 4.2: the average over the data does not determine the step."""

from __future__ import annotations

from fractions import Fraction

from ..claim import Comparison, claim
from ..files import Instance
from ..kernel import require


@claim(
    "proposition-4.2/averaged-unique",
    kind="reading",
    statement="F̄(q) = F̄(π⁺) implies q = π⁺, even where σ_k = 0",
    setting="a mirror step at several states, one of which σ_k never visits",
    hypotheses=(
        "beta > 0",
        "policy is a distribution",
        "policy has full support",
        "candidate is a distribution",
        "candidate has full support",
        "data is a distribution",
        "σ_k vanishes at some state",
    ),
    note="The printed formula is a maximiser in any case; it is the only one just where σ_k > 0.",
    states=(2, 3),
    actions=(1, 3),
)
def averaged_unique(instance: Instance) -> Comparison:
    """``π⁺ ∝ π v`` with ``Q̂/β = log v``; q is π⁺ where σ_k > 0, so that F̄(q) = F̄(π⁺), else the candidate."""
    states, actions = instance.states, instance.sizes[0]
    instance.require_place(1, (states,))
    instance.ratio("beta")
    policy, candidate = (instance.shares(name, (states, actions), low=1) for name in ("policy", "candidate"))
    values = instance.integers("values", (states, actions), 1)
    data = instance.shares("data", (states,))
    require(0 in data, "σ_k vanishes nowhere")
    s = instance.entry[0]
    weights = [p * v for p, v in zip(policy[s], values[s], strict=True)]
    step = [w / sum(weights) for w in weights]
    rival = candidate[s] if data[s] == 0 else step
    distance = sum((abs(x - y) for x, y in zip(rival, step, strict=True)), Fraction(0))
    return Comparison("‖q - π⁺‖₁", distance, "=", "0", 0)
