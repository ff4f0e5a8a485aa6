"""Lemma D.4 with coefficient 1 before ζ_F: a coin makes the sampled error of the best critic larger, half of the time."""

from __future__ import annotations

from fractions import Fraction
from math import comb

from ..claim import Comparison, claim
from ..files import Instance
from ..kernel import log, require

DELTA = Fraction(1, 10)


@claim(
    "lemma-d.4/coefficient-one",
    kind="reading",
    statement="E_D(f_π) ≤ log(|F|/δ)/((1-γ)² n) + ζ_F with probability ≥ 1 - δ",
    setting="the misfit: one action, a fair coin at the start, γ = 1/2, critics (5/4, 1, 0, 0) and (1/4, 1, 2, 0); "
    "k = n/2 + extra",
    hypotheses=("2k - n > 8 log(2/δ), δ = 1/10",),
    note="ζ_F = 1, |F| = 2, H = 2.  With c before the logarithm: more than 4c log(2/δ) of the n signs too many, which has "
    "probability → 1/2.  So O(·) must cover ζ_F as well.",
    actions=(1, 1),
    steps=(1, 10),
)
def coefficient_one(instance: Instance) -> Comparison:
    """``n`` is 50 times the number of steps.

    At the start ``f_π`` is 5/4, its target 1/2 or 0, and the rival 1/4 is its mean: ``E_D(f_π) = max(0, 1 + S/2)`` with ``S`` the
    mean of n fair signs.  ``ζ_F = max |f_π - T f_π|² = 1``, against 4 for the rival, so the bound is exceeded if ``S/2 > 4
    log(2/δ)/n``.
    """
    instance.require_place(0, ())
    number, extra = 50 * instance.steps, instance.integers("extra", (), 1)
    require((8 * log(2 / DELTA)).high < 2 * extra, "so few signs too many do not make the error exceed the bound")
    tail = Fraction(sum(comb(number, j) for j in range(number // 2 + extra, number + 1)), 2**number)
    return Comparison("Pr(at least k of n fair signs are +)", tail, "≤", "δ", DELTA)
