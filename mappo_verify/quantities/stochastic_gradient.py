"""Projected stochastic subgradient descent, all sample paths at once: on piecewise linear functions, and on least squares.

``F(θ) = Σ_i p_i max_j (a_ij·θ + b_ij)`` or ``L(θ) = Σ_i p_i (φ_i·θ - y_i)²``; at each step one summand ``i ~ p`` is drawn, and ::

    θ(0) = 0,    θ(t+1) = Π_R(θ(t) - η g_i(θ(t))),    Π_R(x) = x R / max(R, ‖x‖)

with ``g_i(θ)`` the slope of the first piece that attains the maximum, or ``2(φ_i·θ - y_i) φ_i``.  For few summands and steps the
``nᵀ`` paths are simply enumerated, so expectations are exact.  Source: Lemmas B.1 and B.2, Algorithm 3.

>>> import numpy as np
>>> slopes, offsets = np.array([[[1.0]], [[-1.0]]]), np.zeros((2, 1))
>>> sample_paths(slopes, offsets, 1.0, 0.5, 2)[:, :, 0].tolist()      # paths 00, 01, 10, 11; θ(0), θ(1), θ(2)
[[0.0, -0.5, -1.0], [0.0, -0.5, 0.0], [0.0, 0.5, 0.0], [0.0, 0.5, 1.0]]

Halving a number three times, from 4, in the ball of radius 3/2, goes through 3/2, 3/4 and 3/8, whose mean is 7/8:

>>> import numpy as np
>>> path = projected_path(np.array([4.0]), lambda t, theta: theta / 2, 3, 1.5)
>>> average_of_path(path, 3)
array([0.875])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from ..arithmetic import (
    Array,
    at_largest,
    contract,
    largest,
    lift,
    like,
    maximum,
    sqrt,
    square,
    system_of,
    zeros,
)
from ..arithmetic.explained import explained

Averaging = Literal["printed", "analysed"]


@explained
def piece_values(slopes: Array, offsets: Array, theta: Array) -> Array:
    """``a_ij·θ + b_ij``, shape ``[..., W, n, J]``, for ``slopes`` ``[..., n, J, d]`` and points ``θ`` ``[..., W, d]``."""
    return contract("...njd,...wd->...wnj", slopes, theta) + offsets[..., None, :, :]


@explained
def mean_function(slopes: Array, offsets: Array, chances: Array, theta: Array) -> Array:
    """``F(θ) = Σ_i p_i max_j (a_ij·θ + b_ij)``, shape ``[..., W]``."""
    return contract("...n,...wn->...w", chances, largest(piece_values(slopes, offsets, theta)))


@explained
def project(points: Array, radius: Any) -> Array:
    """``Π_R(x) = x R / max(R, ‖x‖)`` along the last axis; the larger one is ``√max(R², ‖x‖²)``, and rational inside the ball."""
    sizes = square(points).sum(-1)
    bound = np.broadcast_to(lift(radius, sizes.ndim - np.ndim(radius)), sizes.shape)
    return points * (bound / sqrt(maximum(square(bound), sizes)))[..., None]


def projected_path(
    start: Array, move: Callable[[int, Array], Array], steps: int, radius: Any = None
) -> Iterator[Array]:
    """``θ(0), θ(1), ..., θ(T)`` with ``θ(t+1) = Π_Θ move(t, θ(t))``, each ``[..., d]``; no projection without a radius."""
    parameters = start
    yield parameters
    for t in range(steps):
        parameters = move(t, parameters)
        if radius is not None:
            parameters = project(parameters, radius)
        yield parameters


@explained
def average_of_path(path: Iterator[Array], steps: int, averaging: Averaging = "printed") -> Array:
    """``(1/T) Σ_{t=1}^{T} θ(t)`` as printed in Algorithm 3, or ``(1/T) Σ_{t=0}^{T-1} θ(t)`` as its analysis needs it."""
    kept = range(1, steps + 1) if averaging == "printed" else range(steps)
    total: Any = 0
    for t, parameters in enumerate(path):
        if t in kept:
            total = total + parameters
    average: Array = total / steps
    return average


def gradient_bound(radius: Any, bound: Any, beta: Any) -> Any:
    """``G = 2(2R + B/β_k)``, a bound on the stochastic gradients over the ball where ``|Q̂| ≤ B`` and ``‖φ‖ ≤ 1``."""
    return 2 * (2 * radius + bound / beta)


def printed_gradient_bound(radius: Any, bound: Any, beta: Any) -> Any:
    """``G = 2(R + B/β_k)`` as printed in Lemma B.2: it bounds the first iteration only."""
    return 2 * (radius + bound / beta)


def default_step(radius: Any, gradients: Any, steps: int) -> Any:
    """``η = R/(G√T)``.  Source: Lemma B.1, Theorem 4.5."""
    return radius / (gradients * sqrt(like(steps, system_of(gradients))))


def path_digits(functions: int, steps: int) -> Any:
    """Which function each path draws at each step, shape ``[nᵀ, T]``; the first step is the slowest digit."""
    return np.stack(np.unravel_index(np.arange(functions**steps), (functions,) * steps), axis=-1)


@explained
def descend(
    gradient_of: Callable[[Array, Any], Array], start: Array, digits: Any, step_size: Any, radius: Any
) -> Array:
    """``θ(0), ..., θ(T)`` on every sample path, shape ``[..., nᵀ, T+1, d]``.

    ``start`` ``[..., nᵀ, d]``; ``gradient_of(θ, chosen)`` is the gradient of the summand that each path draws, at its own point.
    """

    def move(t: int, theta: Array) -> Array:
        return theta - lift(step_size, 2) * gradient_of(theta, digits[:, t])

    return np.stack(list(projected_path(start, move, digits.shape[-1], radius)), axis=-2)


def _origin(table: Array, functions: int, steps: int) -> Array:
    """``θ(0) = 0`` for every path, in the number system and with the batch axes of ``table`` ``[..., d]``."""
    return zeros((*table.shape[:-1], functions**steps, table.shape[-1]), table)


@explained
def sample_paths(slopes: Array, offsets: Array, radius: Any, step_size: Any, steps: int) -> Array:
    """``θ(0), ..., θ(T)`` for piecewise linear functions, on every sample path, shape ``[..., nᵀ, T+1, d]``."""
    functions, dimension = slopes.shape[-3], slopes.shape[-1]

    def gradient_of(theta: Array, chosen: Any) -> Array:
        values = np.stack([piece_values(slopes, offsets, theta)[..., w, i, :] for w, i in enumerate(chosen)], axis=-2)
        return at_largest(values, np.broadcast_to(slopes[..., chosen, :, :], (*values.shape, dimension)))

    start = _origin(slopes[..., 0, 0, :], functions, steps)
    return descend(gradient_of, start, path_digits(functions, steps), step_size, radius)


@explained
def prediction_errors(features: Array, targets: Array, theta: Array) -> Array:
    """``φ_i·θ - y_i``, shape ``[..., W, n]``: features ``[..., n, d]``, targets ``y`` ``[..., n]``, points ``[..., W, d]``."""
    return contract("...nd,...wd->...wn", features, theta) - targets[..., None, :]


@explained
def squared_loss(features: Array, targets: Array, chances: Array, theta: Array) -> Array:
    """``L(θ) = Σ_i p_i (φ_i·θ - y_i)²``, shape ``[..., W]``."""
    return contract("...n,...wn->...w", chances, square(prediction_errors(features, targets, theta)))


@explained
def squared_gradient(features: Array, targets: Array, theta: Array, chosen: Any) -> Array:
    """``2(φ_i·θ - y_i) φ_i`` for the ``i`` that each path draws, shape ``[..., W, d]``."""
    own = prediction_errors(features, targets, theta)[..., np.arange(len(chosen)), chosen]
    return 2 * own[..., None] * features[..., chosen, :]


@explained
def squared_paths(features: Array, targets: Array, radius: Any, step_size: Any, steps: int) -> Array:
    """``θ(0), ..., θ(T)`` for least squares, on every sample path, shape ``[..., nᵀ, T+1, d]``.  Source: Algorithm 3."""
    functions = features.shape[-2]

    def gradient_of(theta: Array, chosen: Any) -> Array:
        return squared_gradient(features, targets, theta, chosen)

    start = _origin(features[..., 0, :], functions, steps)
    return descend(gradient_of, start, path_digits(functions, steps), step_size, radius)


@explained
def path_chances(chances: Array, steps: int) -> Array:
    """The probability of every path, shape ``[..., nᵀ]``."""
    digits = path_digits(chances.shape[-1], steps)
    result = chances[..., digits[:, 0]]
    for t in range(1, steps):
        result = result * chances[..., digits[:, t]]
    return result
