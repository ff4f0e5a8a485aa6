"""Lemma B.3 on subsets of agents that are no prefix."""

from __future__ import annotations

from fractions import Fraction

from ..claim import Comparison, claim
from ..files import Instance
from ..games import OneState, braces
from ..kernel import require


@claim(
    "lemma-b.3/zero-mean-intervention",
    kind="reading",
    statement="Σ_{a^P'} π(a^P'|s, do(a^P)) A^P'(s, a^P, a^P') = 0 for disjoint P, P' and every policy",
    setting="a game and a policy",
    hypotheses=("I - γP_π is invertible",),
    note="The proofs need it on prefixes only, where it holds (lemma-b.3/zero-mean).",
    agents=(1, 3),
    actions=(1, 3),
)
def zero_mean_intervention(instance: Instance) -> Comparison:
    """``A^P' = E[Q | do(a^P, a^P')] - E[Q | do(a^P)]``; statement number c is about the c-th pair of disjoint P and P' ≠ {}."""
    game = OneState(instance)
    pairs = [(p, q) for p in game.subsets() for q in game.subsets() if q and not set(p) & set(q)]
    require(0 <= instance.chain < len(pairs), "there is no such pair of subsets of agents")
    given, chosen = pairs[instance.chain]
    instance.require_place(instance.chain, (game.entries(given),))
    fixed = game.choice(given, instance.entry[0])
    mean = Fraction(0)
    for other in (game.choice(chosen, entry) for entry in range(game.entries(chosen))):
        chance = sum(game.weight(a, fixed) for a in game.joint if game.fits(a, fixed | other))
        mean += chance * (game.intervention(fixed | other) - game.intervention(fixed))
    return Comparison(
        f"Σ π(a^P'|s, a^P) A^P'(s, a^P, a^P'), P = {braces(given)}, P' = {braces(chosen)}", mean, "=", "0", 0
    )
