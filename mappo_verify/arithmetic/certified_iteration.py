"""Policy iteration on one game of floats, with bounds that contain the exact numbers; every step is one call of NumPy.

Floats find the policy; one pass then bounds what they may have missed.  With ``M = I - γP_π`` of the exact game, whose rows of
``P`` that do not end are divided by their sum ``σ``, and any floats ``v``::

    M (V_π - v) = ρ,    ρ(s) = r(s, π(s)) + (γ/σ) Σ_s' P(s'|s, π(s)) v(s') - v(s)

``γ < 1``, and no row sums to more than 1 but for rounding, so ``M⁻¹ ≥ 0``, and ``M w ≥ |ρ|`` gives ``|V_π - v| ≤ w`` in every
entry, wherever ``w`` comes from.  An advantage then is ``r + (γ/σ) P v - v(s)``, up to ``(γ/σ) P w + w(s)``.

**Rounding.**  A sum of ``n`` products errs by at most ``n u/(1 - n u)`` of the sum of their sizes, in whatever order
(``u = 2⁻⁵³``), so ``(4n + 32) u`` makes up for such a sum, for ``σ``, and for a few operations around them; ``UNDERFLOW``
makes up for underflow.  ``ρ`` is computed in NumPy's long doubles, by ``2n`` operations and a few: with 64 bits they lose a
small part of a unit of ``v``; where they are no longer than doubles, it is more, and counted.

References: Berman and Plemmons, Nonnegative matrices in the mathematical sciences, chapter 6; Higham, Accuracy and stability of
numerical algorithms, section 3.1.

>>> never = np.array([[-1, -1]], np.int8)
>>> found = certified_iteration(np.array([[[1.0], [1.0]]]), np.array([[1.0, 0.0]]), 0.5, never, 2.0**-40)
>>> found.values, found.actions, bool(found.error < 1e-14)
(array([2.]), array([0]), True)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .enclosures.making import require_ieee
from .sparse import UNDERFLOW
from .system import TRUE, UNKNOWN, Truth

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

NEAR_ONE = 1 - 2.0**-20
"""Above, LU factors say little."""
ROUNDS = 100
"""Improvements by floats before it is left to slower and surer iteration."""
UNIT = 2.0**-53
LARGEST = 2.0**900
"""Where everything is smaller, nothing overflows."""


@dataclass(frozen=True, eq=False)
class Certified:
    """A policy that is certainly optimal, and its values: ``|V_* - values| ≤ error`` ``[S]``, for the exact game.

    ``advantage`` ``[S, A]`` is rounded, and exactly 0 for actions that do and pay the same as the chosen one; none is above 0.
    ``dual``, ``residual`` ``[S]`` and ``gap`` are plain floats: visits from the uniform start, ``v - (r + γPv)``, duality gap.
    """

    values: Floats
    actions: npt.NDArray[np.intp]
    error: Floats
    advantage: Floats
    dual: Floats
    residual: Floats
    gap: Floats


def certified_iteration(
    transition: Floats, reward: Floats, discount: float, may_end: Truth, tolerance: float
) -> Certified | None:
    """An optimal policy of ``P`` ``[S, A, S]``, ``r`` ``[S, A]``, ``γ``; ``may_end`` ``[S, A]``: rows that end are as they are.

    None where it is not certain, where it is unknown whether a row ends, or where an error is above ``tolerance`` of
    ``(I - γP_π)⁻¹ |r_π|``.
    """
    require_ieee()
    ends = may_end == TRUE
    if (may_end == UNKNOWN).any() or not (discount <= NEAR_ONE and np.abs(reward).max() < LARGEST * (1 - discount)):
        return None
    states = np.arange(len(reward))
    identity = np.eye(len(states))
    actions = reward.argmax(-1)
    for _ in range(ROUNDS):
        rows, pay = transition[states, actions], reward[states, actions]
        matrix = identity - discount * rows  # its rows leave at least 2⁻²⁰, so factors do not break down
        inverse = np.linalg.inv(matrix)
        values = inverse @ pay
        onward = transition @ values
        table = reward + discount * onward
        best = table.argmax(-1)
        better = table[states, best] - table[states, actions] > tolerance * np.abs(table).max()
        if not better.any():
            break
        actions = np.where(better, best, actions)
    else:
        return None
    widen = (4 * len(states) + 32) * UNIT
    factor = discount / np.where(ends, 1.0, transition.sum(-1))
    error = _error(rows, pay, values, discount, ends[states, actions], inverse, factor[states, actions], widen)
    sizes = inverse @ np.abs(pay)
    if error is None or not (error <= tolerance * sizes + 1e-300).all():
        return None
    advantage = reward + factor * onward - values[:, None]
    around = np.abs(reward) + factor * (transition @ np.abs(values)) + np.abs(values)[:, None]
    missed = factor * (transition @ error) + error[:, None]
    same = (reward == pay[:, None]) & (transition == rows[:, None]).all(-1)
    if not (same | (advantage + (missed * (1 + 2 * widen) + around * (2 * widen) + UNDERFLOW) < 0)).all():
        return None
    start = np.full(len(states), 1 / len(states))
    dual = start @ inverse
    return Certified(
        values,
        actions,
        error,
        np.where(same, 0.0, advantage),
        dual,
        values - table[states, actions],
        np.asarray(start @ values - dual @ pay),
    )


def _error(
    rows: Floats,
    pay: Floats,
    values: Floats,
    discount: float,
    ends: Mask,
    inverse: Floats,
    factor: Floats,
    widen: float,
) -> Floats | None:
    """``w`` with ``M w ≥ |ρ|``, checked; None where the guess fails."""
    longer = rows.astype(np.longdouble)
    scale = discount / np.where(ends, np.longdouble(1), longer.sum(-1))
    residual = pay + scale * (longer @ values.astype(np.longdouble)) - values
    around = (np.abs(pay) + factor * (rows @ np.abs(values)) + np.abs(values)) * (1 + widen)
    lost = (2 * len(rows) + 32) * _longer_unit()
    wanted = (np.abs(residual).astype(np.float64) + lost * around) * (1 + 2.0**-48) + UNDERFLOW
    error = inverse @ (wanted * (1 + 2.0**-20))
    left, taken = error, factor * (rows @ error)
    sure = left - taken - 2 * widen * (left + taken) - UNDERFLOW / 2 >= wanted
    return error if sure.all() else None


LONGER = np.longdouble(2.0) ** -62


def _longer_unit() -> float:
    """Four times what one operation on NumPy's long doubles errs at most, with 64 bits or more; else twice that of doubles."""
    return 2.0**-62 if (1 + LONGER) - 1 == LONGER else 2 * UNIT
