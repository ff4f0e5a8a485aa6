"""Lemma B.1: projected stochastic subgradient descent."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

from ..claim import Comparison, claim
from ..files import Instance
from ..kernel import Interval, larger, require, sqrt, total

DESCENT = "a mean of piecewise linear functions, a rival point; states is the dimension, actions the functions, steps T"
DESCENDS = ("chances is a distribution", "chances has full support", "some slope is not 0")


class Descent:
    """``F(θ) = Σ_i p_i max_j (a_ij·θ + b_ij)`` on the unit ball (R = 1), with G the largest ‖a_ij‖.

    ``θ(0) = 0``; a step draws ``i`` with chance ``p_i``, moves by ``-1/(G√T)`` times the slope of the first piece of function i
    that is largest at ``θ``, and projects: ``x / max(1, ‖x‖)``.  The rival ``u = w/Σ|w|`` lies in the ball, so ``F(u) ≥ min F``:
    what exceeds the bound with ``F(u)`` exceeds it with ``min F``.
    """

    def __init__(self, instance: Instance, offset: int = 9) -> None:
        dimension, self.functions, self.steps = instance.states, instance.sizes[0], instance.steps
        self.slopes = instance.integers("slopes", (self.functions, 2, dimension), -9, 9)
        offsets = instance.integers("offsets", (self.functions, 2), -offset, offset)
        self.offsets = [[Fraction(b, 9) for b in pair] for pair in offsets]
        self.chances = instance.shares("chances", (self.functions,), low=1)
        weights = instance.integers("rival", (dimension,), -9, 9)
        self.rival = [Interval(Fraction(w, sum(map(abs, weights)) or 1)) for w in weights]
        steepest = max(sum(x * x for x in slope) for pair in self.slopes for slope in pair)
        require(steepest > 0, "every slope is 0")
        self.bound = sqrt(steepest) / sqrt(self.steps)
        self.step = 1 / (sqrt(steepest) * sqrt(self.steps))

    def pieces(self, function: int, point: list[Interval]) -> list[Interval]:
        """Both pieces of one function at a point."""
        return [
            total(a * x for a, x in zip(slope, point, strict=True)) + b
            for slope, b in zip(self.slopes[function], self.offsets[function], strict=True)
        ]

    def value(self, point: list[Interval]) -> Interval:
        """``F``"""
        return total(p * larger(*self.pieces(i, point)) for i, p in enumerate(self.chances))

    def gap(self, path: tuple[int, ...], first: int) -> Interval:
        """``F(θ̄) - F(u)`` on one path, ``θ̄`` the mean of ``θ(first), ..., θ(first + T - 1)``."""
        points = [[Interval(0) for _ in self.rival]]
        for function in path:
            one, two = self.pieces(function, points[-1])
            require(one.low >= two.high or two.low > one.high, "which piece is largest is open at this precision")
            slope = self.slopes[function][0 if one.low >= two.high else 1]
            moved = [x - self.step * a for x, a in zip(points[-1], slope, strict=True)]
            norm = sqrt(larger(total(x * x for x in moved), 0))
            points.append([x / larger(1, norm) for x in moved])
        chosen = points[first : first + self.steps]
        return self.value([total(xs) / self.steps for xs in zip(*chosen, strict=True)]) - self.value(self.rival)


@claim(
    "lemma-b.1/path-wise",
    kind="reading",
    statement="F(θ̄) - min F ≤ GR/√T on every sample path",
    setting=DESCENT,
    hypotheses=DESCENDS,
    actions=(1, 2),
    steps=(1, 4),
)
def lemma_b1_path_wise(instance: Instance) -> Comparison:
    """On sample path number w, ``F(θ̄) - F(u) ≤ G/√T``: paths are counted with the first draw as the slowest digit."""
    descent = Descent(instance)
    instance.require_place(0, (descent.functions**descent.steps,))
    path = list(product(range(descent.functions), repeat=descent.steps))[instance.entry[0]]
    which = f"θ̄ the mean of θ(0), ..., θ({descent.steps - 1})"
    left = f"F(θ̄) - F(u) on every sample path, {which}"
    return Comparison(left, descent.gap(path, 0), "≤", "GR/√T", descent.bound)


@claim(
    "lemma-b.1/printed-range",
    kind="printed",
    statement="E F(θ̄) - min F ≤ GR/√T with θ̄ the mean of θ(1), ..., θ(T)",
    note="Shown at T = 1, where the average is the last iterate.",
    setting=DESCENT,
    hypotheses=DESCENDS,
    states=(2, 2),
    actions=(1, 1),
)
def lemma_b1_printed_range(instance: Instance) -> Comparison:
    """The mean over all sample paths, with their chances."""
    descent = Descent(instance, offset=0)
    instance.require_place(0, ())
    paths = product(range(descent.functions), repeat=descent.steps)
    mean = total(math.prod(descent.chances[i] for i in path) * descent.gap(path, 1) for path in paths)
    left = f"E F(θ̄) - F(u), θ̄ the mean of θ(1), ..., θ({descent.steps})"
    return Comparison(left, mean, "≤", "GR/√T", descent.bound)
