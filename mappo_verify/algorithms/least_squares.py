"""Weighted least squares in features, with or without a ball: what the exact fit and the regression critic share."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arithmetic import Array, System, compare, contract, divide, largest, lift, select, sqrt, square
from ..errors import GameError
from ..model.features import Features
from ..quantities.stochastic_gradient import project

HALVINGS = 200
"""Of an interval of multipliers: more than float64 can tell apart."""


def least_squares(features: Features, agent: int, weights: Array, targets: Array, radius: Any = None) -> Array:
    """``argmin_θ Σ_x w(x) (θᵀφ(x) - y(x))²``, shape ``[..., d]``, for floats ``w``, ``y`` of shape ``[..., X]``.

    The shortest minimiser, by singular values (those within rounding of 0 count as 0).  With a radius, the minimiser over
    the ball: ``θ(λ) = (Σ w φφᵀ + λ)⁻¹ Σ w φ y`` with ``λ ≥ 0`` such that ``‖θ(λ)‖ = R``, or ``λ = 0`` where that is short enough.
    """
    if features.system is not System.FLOATS:
        raise GameError("least squares by singular values is for floats; use fit_step on exact numbers")
    roots = sqrt(weights)
    left, singular, right = features.decompose(agent, roots)
    scaled = roots * targets
    moments = scaled if left is None else contract("...xr,...x->...r", left, scaled)
    rounding = 0.0 if left is None else roots.shape[-1] * np.finfo(float).eps  # one-hot features round nothing
    seen = compare(singular, ">", lift(rounding * largest(singular), 1)) > 0
    singular, moments = select(seen, singular, 0.0), select(seen, moments, 0.0)

    def solution(multiplier: Array) -> Array:
        return divide(singular * moments, square(singular) + lift(multiplier, 1))

    low: Array = np.zeros(moments.shape[:-1])
    coefficients = solution(low)
    if radius is not None:
        high = sqrt(square(singular * moments).sum(-1)) / radius
        outside = compare(square(coefficients).sum(-1), ">", square(radius)) > 0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            long = compare(square(solution(middle)).sum(-1), ">", square(radius)) > 0
            low, high = select(long, middle, low), select(long, high, middle)
        coefficients = select(lift(outside, 1), project(solution(high), radius), coefficients)
    return coefficients if right is None else contract("...dr,...r->...d", right, coefficients)
