"""Remark 5.2: features that realize the values."""

from __future__ import annotations

import math
from fractions import Fraction

from ..claim import Comparison, claim
from ..files import Instance
from ..games import Pairs, squared_distance
from ..kernel import require


@claim(
    "remark-5.2",
    kind="hypothesis",
    statement="min_w E(φᵀw - Q^{1:m}_π)² = 0 for every π, whatever the features",
    setting="a game, a policy, and one feature for every agent",
    hypotheses=("I - γP_π is invertible",),
    note="It does not follow from the definition; it is a hypothesis on the features, and everything after it needs it.",
    agents=(1, 2),
    states=(1, 2),
    actions=(1, 3),
)
def features_that_realize_nothing(instance: Instance) -> Comparison:
    """Statement number c is about agent m = c + 1: its feature is an integer from 1 to 9 at every ``(s, a^{1:m})``."""
    pairs = Pairs(instance, ends=True, lowest=-9, scale=1)
    require(0 <= instance.chain < len(instance.sizes), "there is no such agent")
    m = instance.chain + 1
    instance.require_place(m - 1, ())
    tables = [
        instance.integers(f"tables.{j}", (instance.states, math.prod(instance.sizes[:j])), 1, 9)
        for j in range(1, len(instance.sizes) + 1)
    ]
    feature = [Fraction(value) for row in tables[m - 1] for value in row]
    values = [value for row in pairs.seen_by(m) for value in row]
    distance = squared_distance(feature, values, [Fraction(1, len(values))] * len(values))
    return Comparison(f"min_w mean (φᵀw - Q^{{1:{m}}}_π)²", distance, "=", "0", 0)
