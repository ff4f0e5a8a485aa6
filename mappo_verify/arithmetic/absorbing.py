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

from .array import Array


def solve_absorbing(onward: Array, leaving: Array, right: Array) -> Array:
    """``(I - T)⁻¹ r``, shape ``[..., S]``, for ``T = onward`` ``[..., S, S]``, ``leaving`` and ``right`` ``[..., S]``.

    ``onward`` and ``leaving`` are not negative.  Floats err by a few units in the last place of ``(I - T)⁻¹ |r|``.
    """
    eliminated = []  # from the last state to the first
    for state in reversed(range(leaving.shape[-1])):
        here, before = slice(state, state + 1), slice(state)
        row, exit_here = onward[..., state, before], leaving[..., here]
        out = row.sum(-1, keepdims=True) + exit_here
        earned = right[..., here] / out
        eliminated.append((row / out, earned))
        if not state:
            break
        column = onward[..., before, state]
        share = column / out
        onward = onward[..., before, before] + share[..., :, None] * row[..., None, :]
        leaving = leaving[..., before] + share * exit_here
        right = right[..., before] + column * earned
    solution = eliminated[-1][1] + 0
    for row, earned in eliminated[-2::-1]:
        solution = _beside(solution, earned + (row * solution).sum(-1, keepdims=True))
    return solution


def visits_until_absorption(onward: Array, leaving: Array, start: Array) -> Array:
    """``start (I - T)⁻¹``, shape ``[..., S]``: the transposed system, whose entries count visits."""
    eliminated = []  # from the last state to the first: how likely each earlier one leads there, and what begins there
    for state in reversed(range(leaving.shape[-1])):
        here, before = slice(state, state + 1), slice(state)
        row, exit_here = onward[..., state, before], leaving[..., here]
        out = row.sum(-1, keepdims=True) + exit_here
        column, begun = onward[..., before, state] / out, start[..., here] / out
        eliminated.append((column, begun))
        if not state:
            break
        onward = onward[..., before, before] + column[..., :, None] * row[..., None, :]
        leaving = leaving[..., before] + column * exit_here
        start = start[..., before] + begun * row
    counts = eliminated[-1][1] + 0
    for column, begun in eliminated[-2::-1]:
        counts = _beside(counts, begun + (counts * column).sum(-1, keepdims=True))
    return counts


def _beside(table: Array, column: Array) -> Array:
    """A table with one more column ``[..., 1]``, which keeps the batch where :mod:`.floats` stores it."""
    return np.concatenate([table.T, column.T]).T
