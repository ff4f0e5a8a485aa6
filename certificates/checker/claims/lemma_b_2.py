"""Lemma B.2: the size of a stochastic gradient."""

from __future__ import annotations

from fractions import Fraction

from ..claim import Comparison, claim
from ..files import Instance
from ..kernel import require


@claim(
    "lemma-b.2/printed-gradient-bound",
    kind="printed",
    statement="‖2((θ - θ_k)ᵀφ - Q̂/β)φ‖ ≤ 2(R + B/β) for ‖θ‖, ‖θ_k‖ ≤ R, ‖φ‖ ≤ 1, |Q̂| ≤ B",
    setting="parameters of norm at most R, features of norm at most 1, values at most B",
    hypotheses=("radius > 0", "bound > 0", "beta > 0"),
    note="The centre θ_k is not 0 for k ≥ 1, and two points of a ball of radius R can be 2R apart.",
    actions=(1, 3),
)
def lemma_b2(instance: Instance) -> Comparison:
    """Both sides squared: ``4 r² ‖φ‖² ≤ 4 (R + B/β)²`` with ``r = (θ - θ_k)·φ - Q̂/β``.

    Vectors are ``radius · w/Σ|w|``; that they lie in their balls, and ``|Q̂| ≤ B``, is verified.
    """
    instance.require_place(0, ())
    radius, bound, beta = (instance.ratio(name) for name in ("radius", "bound", "beta"))

    def vector(name: str, size: Fraction) -> list[Fraction]:
        weights = instance.integers(name, (instance.sizes[0],), -9, 9)
        result = [size * Fraction(w, sum(map(abs, weights)) or 1) for w in weights]
        require(sum(x * x for x in result) <= size * size, f"{name} lies outside its ball")
        return result

    theta, anchor, features = vector("theta", radius), vector("anchor", radius), vector("features", Fraction(1))
    estimate = bound * Fraction(instance.integers("share", (), -9, 9), 9)
    require(abs(estimate) <= bound, "|Q̂| exceeds B")
    residual = sum((x - y) * f for x, y, f in zip(theta, anchor, features, strict=True)) - estimate / beta
    return Comparison(
        "‖∇‖² of one sample, ∇ = 2((θ - θ_k)ᵀφ - Q̂/β) φ",
        4 * residual**2 * sum(f * f for f in features),
        "≤",
        "(2(R + B/β))²",
        4 * (radius + bound / beta) ** 2,
    )
