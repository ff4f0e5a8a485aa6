"""Linear systems of absorbing chains, solved without a subtraction (Grassmann, Taksar and Heyman 1985).

``T`` holds how likely each state leads to each other, ``l`` how likely it leaves for good, so each row of ``T`` and ``l``
together sums to 1.  Elimination removes one state after the other; what led to it leads on to where it leads, in the
proportion of its ways out::

    out_n = Σ_{j<n} T_nj + l_n        T_ij += T_in T_nj / out_n        l_i += T_in l_n / out_n

The diagonal ``1 - T_nn`` enters as ``out_n``, the sum of all other ways out.  Everything is a sum of products of numbers that
are not negative, so nothing cancels: in floats each entry of ``(I - T)⁻¹`` is right to a few units in the last place, however
small it is and however close to singular the system.

>>> import numpy as np
>>> visits_until_absorption(np.array([[0.5, 0.25], [0.0, 0.5]]), np.array([0.25, 0.5]), np.array([1.0, 0.0]))
array([2., 1.])
>>> solve_absorbing(np.array([[0.5, 0.25], [0.0, 0.5]]), np.array([0.25, 0.5]), np.array([1.0, 0.0]))
array([2., 0.])
"""

from __future__ import annotations

import numpy as np

from .array import Array, as_array


def solve_absorbing(onward: Array, leaving: Array, right: Array) -> Array:
    """``(I - T)⁻¹ r``, shape ``[..., S]``, for ``T = onward`` ``[..., S, S]``, ``leaving`` and ``right`` ``[..., S]``.

    ``onward`` and ``leaving`` are not negative.  Floats err by a few units in the last place of ``(I - T)⁻¹ |r|``.
    """
    eliminated = []  # from the last state to the first
    for state in reversed(range(leaving.shape[-1])):
        row, exit_here = onward[..., state, :state], leaving[..., state]
        out = as_array(row.sum(-1) + exit_here)
        earned = as_array(right[..., state] / out)
        eliminated.append((row / out[..., None], earned))
        before = onward[..., :state, state]
        share = before / out[..., None]
        onward = onward[..., :state, :state] + share[..., :, None] * row[..., None, :]
        leaving = leaving[..., :state] + share * exit_here[..., None]
        right = right[..., :state] + before * earned[..., None]
    solution: list[Array] = []
    for row, earned in reversed(eliminated):
        later = (row * np.stack(solution, axis=-1)).sum(-1) if solution else 0
        solution.append(as_array(earned + later))
    return np.stack(solution, axis=-1)


def visits_until_absorption(onward: Array, leaving: Array, start: Array) -> Array:
    """``start (I - T)⁻¹``, shape ``[..., S]``: the transposed system, whose entries count visits."""
    eliminated = []  # from the last state to the first: how likely each earlier one leads there, and what begins there
    for state in reversed(range(leaving.shape[-1])):
        row, exit_here = onward[..., state, :state], leaving[..., state]
        out = as_array(row.sum(-1) + exit_here)
        column = onward[..., :state, state] / out[..., None]
        begun = as_array(start[..., state] / out)
        eliminated.append((column, begun))
        onward = onward[..., :state, :state] + column[..., :, None] * row[..., None, :]
        leaving = leaving[..., :state] + column * exit_here[..., None]
        start = start[..., :state] + begun[..., None] * row
    counts: list[Array] = []
    for column, begun in reversed(eliminated):
        earlier = (np.stack(counts, axis=-1) * column).sum(-1) if counts else 0
        counts.append(as_array(begun + earlier))
    return np.stack(counts, axis=-1)
