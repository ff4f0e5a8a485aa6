"""Distances between distributions, and norms.

``KL(p‖q) = Σ p log(p/q)`` in nats, with ``0 log 0 = 0``.  On rationals it is a formal logarithm, exact.

>>> from fractions import Fraction as F
>>> from mappo_verify.arithmetic import System, like
>>> p, q = like([F(1, 2), F(1, 2)], System.RATIONALS), like([F(1, 4), F(3, 4)], System.RATIONALS)
>>> print(kl_divergence(p, q), kl_divergence(p, p))
log(2) - 1/2·log(3) 0
>>> print(total_variation(p, q))
1/4
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arithmetic import Array, divide, largest, like, log, square, xlogy
from ..arithmetic.explained import explained
from ..arithmetic.floats import mended_divergence
from ..arithmetic.system import are_floats
from ..model.validation import require_count


@explained
def kl_divergence(left: Array, right: Array) -> Array:
    """``KL(p‖q) = Σ_a p(a) log(p(a)/q(a))`` over the last axis, nats, in [0, ∞]; ∞ is an error on rationals.

    Floats of distributions keep their digits where these are nearly the same: no term is negative.
    """
    with np.errstate(over="ignore"):  # of p/q, where log(p/q) is a number all the same
        found = xlogy(left, divide(left, right)).sum(-1)
    return mended_divergence(found, left, right) if are_floats((left, right)) else found  # type: ignore[arg-type]


@explained
def entropy_of(action_sizes: tuple[int, ...], reference: Any) -> Array:
    """``Σ_m log|A_m|`` in the number system of ``reference``: the divergence of any policy from the uniform one, at most."""
    return log(like(list(action_sizes), reference)).sum()


@explained
def l1_distance(left: Array, right: Array) -> Array:
    """``‖p - q‖₁`` over the last axis; in [0, 2] for distributions."""
    return abs(left - right).sum(-1)


@explained
def total_variation(left: Array, right: Array) -> Array:
    """``½ ‖p - q‖₁`` over the last axis; in [0, 1] for distributions."""
    return l1_distance(left, right) / 2


@explained
def sup_norm(table: Array, axes: int = 1) -> Array:
    """``max |f|``; over the last ``axes`` axes."""
    return largest(abs(table), _last(axes))


@explained
def squared_norm(table: Array, weights: Array, axes: int = 1) -> Array:
    """``‖f‖²_{2,μ} = Σ μ f²``: the square stays rational where the norm would not; the sum is over the last ``axes`` axes."""
    return (weights * square(table)).sum(_last(axes))


def _last(axes: int) -> tuple[int, ...]:
    """The last axes; an array has at most 64."""
    require_count("axes", axes, 64)
    return tuple(range(-axes, 0))
