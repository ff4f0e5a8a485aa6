"""Concentrability: how badly the current policy's data covers the comparator.

With ``ν_k, ν_*`` the stationary distributions of ``π_k`` and ``π_*``::

    w_m(s, a^{1:m}) = ν_*(s) π_*^{1:m}(a^{1:m}|s) / (ν_k(s) π_k^{1:m}(a^{1:m}|s))        0/0 := 0
    φ_k^m = ‖w_m‖_{2,σ_k}        (φ_k^{m-1})² = ⟨w_m, w_{m-1}⟩_{σ_k},    hence φ^m ≥ φ^{m-1} ≥ 1

The square is the primitive, because it stays rational.  Source: Definition 4.4.
"""

from __future__ import annotations

from typing import Any

from ..arithmetic import Array, Truth, divide, sqrt, support, truth_of
from ..arithmetic.explained import explained
from ..model import Policy
from .distributions import state_action_distribution


@explained
def density_ratio(
    distribution: Array, policy: Policy, comparator_distribution: Array, comparator: Policy, m: int
) -> Array:
    """``w_m = d(ν_* π_*^{1:m}) / d(ν_k π_k^{1:m})``, shape ``[..., S, |A_1|···|A_m|]``, with ``0/0 := 0``.

    Infinite (rationals: an error) where the comparator goes and the policy does not; ask :func:`dominates` first.
    """
    above = state_action_distribution(comparator_distribution, comparator, m)
    below = state_action_distribution(distribution, policy, m)
    return divide(above, below)


@explained
def dominates(distribution: Array, policy: Policy, comparator_distribution: Array, comparator: Policy, m: int) -> Truth:
    """Whether ``ν_* π_*^{1:m}`` vanishes wherever ``ν_k π_k^{1:m}`` does, so that ``φ^m`` is finite, shape ``[...]``."""
    above = support(state_action_distribution(comparator_distribution, comparator, m))
    below = support(state_action_distribution(distribution, policy, m))
    return truth_of((~above | below).all((-1, -2)))


@explained
def squared_concentrability(
    distribution: Array, policy: Policy, comparator_distribution: Array, comparator: Policy, m: int
) -> Array:
    """``(φ_k^m)² = Σ σ_k w_m² = Σ ν_*π_*^{1:m} w_m``, shape ``[...]``, in [1, ∞]; ``m = 0`` compares states alone."""
    above = state_action_distribution(comparator_distribution, comparator, m)
    return (above * density_ratio(distribution, policy, comparator_distribution, comparator, m)).sum((-1, -2))


@explained
def concentrability(
    distribution: Any, policy: Policy, comparator_distribution: Any, comparator: Policy, m: int
) -> Array:
    """``φ_k^m``, shape ``[...]``, in [1, ∞]; on rationals only where the square is a perfect one."""
    return sqrt(squared_concentrability(distribution, policy, comparator_distribution, comparator, m))
