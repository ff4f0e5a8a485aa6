"""Definition 3.1 on subsets of agents that are no prefix."""

from __future__ import annotations

from ..claim import Comparison, claim
from ..files import Instance
from ..games import OneState, braces
from ..kernel import require


@claim(
    "definition-3.1/conditional-readings",
    kind="reading",
    statement="E[Q_π | a^P] = E[Q_π | do(a^P)] for every subset P and every policy",
    setting="a game and a policy",
    hypotheses=("I - γP_π is invertible",),
    note="The paper does not say which it means; it only uses prefixes, where the two agree. So both are implemented, named.",
    agents=(1, 4),
    actions=(1, 3),
)
def conditional_readings(instance: Instance) -> Comparison:
    """Statement number c is about the c-th subset P, its entries are the actions of P."""
    game = OneState(instance)
    subsets = game.subsets()
    require(0 <= instance.chain < len(subsets), "there is no such subset of agents")
    kept = subsets[instance.chain]
    instance.require_place(instance.chain, (game.entries(kept),))
    fixed = game.choice(kept, instance.entry[0])
    return Comparison(
        f"Q^P(s, a^P), P = {braces(kept)}, conditioning on a^P",
        game.conditioning(fixed),
        "=",
        "the same, clamping a^P and leaving every other factor alone",
        game.intervention(fixed),
    )
