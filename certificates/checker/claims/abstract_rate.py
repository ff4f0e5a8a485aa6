"""The abstract's rate."""

from __future__ import annotations

from ..claim import Comparison, claim
from ..files import Instance
from ..kernel import Interval, exp, log, sqrt


@claim(
    "abstract-rate",
    kind="hypothesis",
    statement="J_* - mean_k J_k ≤ 10 N √(log|A|/K)/(1-γ)",
    setting="the bandit r = (1, 0) with discount 1 - 1/q",
    note="With this constant; the ratio grows like 1/(1-γ) at K = 1/(8(1-γ)²), so larger constants fall at larger horizons.  "
    "It reads O(·) as free of B, the bound on |Q̂|, which Theorem 4.5 has as a factor.",
    actions=(2, 2),
    steps=(1, 5_000),
)
def abstract_rate(instance: Instance) -> Comparison:
    """No errors at all; horizon ``H = 1/(1-γ)``, so ``J_* - J_k = H π_k(bad)`` and ``B = H``.

    The theorem's own β is ``√(B²/(2 log 2))``: the odds are multiplied by ``e^η``, ``η = √(2 log 2)/(H√K)``, in each update.
    """
    instance.require_place(0, ())
    horizon, steps = instance.integers("horizon", (), 2), instance.steps
    factor = exp(sqrt(2 * log(2)) / (horizon * sqrt(steps)))
    bad, odds = Interval(0), Interval(1)
    for _ in range(steps):
        bad, odds = bad + 1 / (odds + 1), odds * factor
    return Comparison(
        "1/K Σ_k (J_* - J(π_k)) = 1/(1-γ) · 1/K Σ_k 1/(1 + e^{ηk}), η = √(2 log 2) (1-γ)/√K",
        horizon * bad / steps,
        "≤",
        "10 · N √(log|A|/K)/(1-γ)",
        10 * horizon * sqrt(log(2)) / sqrt(steps),
    )
