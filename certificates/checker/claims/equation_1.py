"""Equation (1): the least-squares fit is not the ideal update."""

from __future__ import annotations

from ..claim import Comparison, claim
from ..files import Instance
from ..kernel import powers, require, total


@claim(
    "equation-1/any-fit",
    kind="reading",
    statement="π_{θ_{k+1}} of (4) = π⁺ of (3)",
    setting="one state, one agent, any target",
    hypotheses=(
        "policy is a distribution",
        "policy has full support",
        "data is a distribution",
        "data has full support",
        "the features are independent on the support of σ_k",
    ),
    note="Shown to mark the hypothesis: equation (1) is the ideal update, not its fit.",
    actions=(2, 3),
)
def equation_1_any_fit(instance: Instance) -> Comparison:
    """With ``Q̂/β = log v`` and one feature, the fit is ``w = Σ σ φ log v / Σ σ φ²``; the policies ``∝ π e^(φ w)`` and ``∝ π v``.

    ``e^(φ(a) w) = Π_c v(c)^x`` with rational exponents ``x = φ(a) σ(c) φ(c) / Σ σ φ²``.
    """
    actions = instance.sizes[0]
    instance.require_place(0, (1, 1, actions))
    policy, data = (instance.shares(name, (actions,), low=1) for name in ("policy", "data"))
    features = [row[0] for row in instance.integers("features", (actions, 1), -1, 1)]
    values = instance.integers("values", (actions,), 1)
    gram = sum(s * f * f for s, f in zip(data, features, strict=True))
    require(gram > 0, "the features vanish, so that the fit is not unique")
    fitted = [
        p * powers((v, f * s * g / gram) for v, s, g in zip(values, data, features, strict=True))
        for p, f in zip(policy, features, strict=True)
    ]
    ideal = [p * v for p, v in zip(policy, values, strict=True)]
    a = instance.entry[2]
    return Comparison("π_{θ_{k+1}} of (4)", fitted[a] / total(fitted), "=", "π⁺ of (3)", ideal[a] / sum(ideal))
