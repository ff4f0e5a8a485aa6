"""Appendix C.1: the Bellman error as a quadratic form."""

from __future__ import annotations

from fractions import Fraction

from ..claim import Comparison, claim
from ..files import Instance
from ..games import Pairs, chain_of_states
from ..kernel import dot, fixed_point, require, transposed


@claim(
    "section-c.1/constrained",
    kind="reading",
    statement="w ↦ L(w, w) - min_{w' ∈ F} L(w', w) is a quadratic form, hence convex, on F = {w : 0 ≤ φᵀw ≤ 1/(1-γ)}",
    setting="a chain without rewards, one positive feature, data, and two critics of the class as shares of the longest",
    hypotheses=("game never terminates", "seen is a distribution", "γ < 1"),
    note="Midpoint convexity is on trial.  It depends on the reading: with the inner minimum over the class, as equation (5) "
    "prints it, it fails; over all weights, as Appendix C.1 writes, it holds: section-c.1/unconstrained.",
    states=(1, 3),
    actions=(1, 1),
)
def bellman_error_in_a_class(instance: Instance) -> Comparison:
    """One feature ``φ(s) > 0``, weights μ of the data, rewards 0: ``L(w', w) = Σ μ(s) (φ(s) w' - γ w E φ(s'))²``.

    F is the interval from 0 to ``1/((1-γ) max φ)``.  In ``w'`` L is a parabola, smallest in F at
    ``w° = γ w Σ μ φ E φ(s') / Σ μ φ²`` or, if that lies outside, at the nearer end.
    """
    transition, _, gamma = chain_of_states(instance, 0)
    instance.require_place(0, ())
    feature = [Fraction(h, 10) for h in instance.integers("heights", (instance.states,), 1)]
    data = instance.shares("seen", (instance.states,))
    following = [gamma * dot(row, feature) for row in transition]
    longest = 1 / ((1 - gamma) * max(feature))
    first, second = (Fraction(k, 10) * longest for k in instance.integers("share", (2,), 0, 10))

    def loss(rival: Fraction, w: Fraction) -> Fraction:
        return dot(data, [(f * rival - g * w) ** 2 for f, g in zip(feature, following, strict=True)])

    def error(w: Fraction) -> Fraction:
        along = [p * f for p, f in zip(data, feature, strict=True)]
        best = w * dot(along, following) / dot(along, feature)
        return loss(w, w) - loss(min(max(best, Fraction(0)), longest), w)

    return Comparison(
        "E(½(w₁ + w₂))", error((first + second) / 2), "≤", "½(E(w₁) + E(w₂))", (error(first) + error(second)) / 2
    )


TABULAR = (
    "game never terminates",
    "rewards of game lie in [0, 1]",
    "mu is a distribution",
    "mu has full support",
    "γ < 1",
)


class Pessimistic(Pairs):
    """One-hot features: a critic is a table f, ``E(f) = Σ μ (f - Tf)²``, and all μ > 0.

    ``f(s_0, π) + λE(f)`` is smallest at ``f = Q - z/(2λ)``, where ``(I - γPπ) z = y/μ`` and ``y = (I - γPπ)ᵀ⁻¹ c``, ``c = ρπ``
    the chances of the first pair: the gradient ``c + 2λ (I - γPπ)ᵀ μ (I - γPπ)(f - Q)`` vanishes there.
    """

    def __init__(self, instance: Instance, penalty: Fraction) -> None:
        super().__init__(instance, ends=False, lowest=0, scale=9)
        require(self.gamma < 1, "the discount is 1")
        start = instance.shares("game.start", (self.states,))
        self.data = instance.shares("mu", (len(self.values),), low=1)
        first = [rho * p for rho, chances in zip(start, self.policy, strict=True) for p in chances]
        visits = fixed_point(first, transposed(self.ahead))
        slope = fixed_point([y / mu for y, mu in zip(visits, self.data, strict=True)], self.ahead)
        self.critic = [q - z / (2 * penalty) for q, z in zip(self.values, slope, strict=True)]
        self.ceiling = 1 / (1 - self.gamma)


@claim(
    "section-c.1/closed-form-in-class",
    kind="reading",
    statement="0 ≤ φᵀw⁺ ≤ 1/(1-γ) for the unconstrained minimiser w⁺ of f(s_0, π) + λE(f, π)",
    setting="a game with rewards in [0, 1], a policy, data everywhere, and a penalty",
    hypotheses=(*TABULAR[:-1], "penalty > 0", TABULAR[-1]),
    note="Lemma C.6 needs the range, so the range must be enforced.",
    agents=(1, 2),
    states=(1, 2),
    actions=(1, 2),
)
def closed_form_in_class(instance: Instance) -> Comparison:
    """Entry (x, 0) is ``f(x)``, entry (x, 1) is ``1/(1-γ) - f(x)``, which exceeds ``1/(1-γ)`` where ``f(x) < 0``."""
    found = Pessimistic(instance, instance.ratio("penalty"))
    instance.require_place(0, (len(found.critic), 2))
    value = found.critic[instance.entry[0]]
    left = "max_x φ(x)ᵀw⁺ and max_x -φ(x)ᵀw⁺ + 1/(1-γ)"
    return Comparison(left, found.ceiling - value if instance.entry[1] else value, "≤", "1/(1-γ)", found.ceiling)
