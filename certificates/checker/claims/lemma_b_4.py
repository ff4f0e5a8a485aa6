"""Lemma B.4: the largest error over actions against the mean squared error."""

from __future__ import annotations

from ..claim import Comparison, claim
from ..files import Instance
from ..kernel import require

SHIFT = "a game without termination, a comparator, a covering policy, errors of the fit and of the critic"
SHIFTED = (
    "game never terminates",
    "policy has full support",
    "both have one stationary distribution",
    "ν_k π_k dominates ν_* π_*",
)


def worst_error(instance: Instance, factor: int, right: str) -> Comparison:
    """One state, one agent: ``(max_a |e(a)|)² ≤ (factor · ε)²`` with ``ε² = Σ_a π_k(a) e(a)²``.

    With one state that is never left, ``ν_k = ν_* = 1``; so ``φ^0 = 1``, and the expectation over ``ν_*`` is no expectation.
    Rewards, discount, comparator and critic enter neither side.
    """
    instance.require_place(0, ())
    actions = instance.sizes[0]
    stays = instance.shares("game.transition", (1, actions, 1))
    require(all(row == [1] for row in stays[0]), "the game terminates")
    instance.integers("game.reward", (1, actions), -9, 9)
    instance.shares("game.discount", (2,))
    instance.shares("target.1", (1, 1, actions))
    policy = instance.shares("policy.1", (1, 1, actions), low=1)[0][0]
    error = instance.integers("error.1", (1, actions), -9, 9)[0]
    instance.integers("noise.1", (1, actions), -9, 9)
    largest = max(abs(e) for e in error)
    mean_square = sum(p * e * e for p, e in zip(policy, error, strict=True))
    left = "(E_{ν_*,π_*} ‖(θ_{k+1} - θ_k)ᵀφ - Q̂/β_k‖_∞)², m = 1"
    return Comparison(left, largest**2, "≤", right, factor**2 * mean_square)


@claim(
    "lemma-b.4",
    kind="printed",
    statement="E_{ν_*,π_*^{1:m-1}} ‖(θ_{k+1} - θ_k)ᵀφ - Q̂/β_k‖_∞ ≤ φ_k^{m-1} ε_k^m",
    note="No constant helps: an error M at an action of probability p counts as √p M.",
    setting=SHIFT,
    hypotheses=SHIFTED,
    actions=(1, 3),
)
def lemma_b4(instance: Instance) -> Comparison:
    """Both sides squared."""
    return worst_error(instance, 1, "(φ^0 ε)², ε² = E_{σ_k} error²")


@claim(
    "lemma-b.4/factor-two",
    kind="reading",
    statement="E_{ν_*,π_*^{1:m-1}} ‖(θ_{k+1} - θ_k)ᵀφ - Q̂/β_k‖_∞ ≤ 2 φ_k^{m-1} ε_k^m",
    setting=SHIFT,
    hypotheses=SHIFTED,
    actions=(1, 3),
)
def lemma_b4_factor_two(instance: Instance) -> Comparison:
    """Both sides squared, with the factor 2 of δ = 2φε to spare."""
    return worst_error(instance, 2, "(2φ^0 ε)²")
