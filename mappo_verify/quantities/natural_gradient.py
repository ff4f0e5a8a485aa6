"""The Fisher matrix, its null space, and the natural gradient.

For a softmax factor with scores ``φ(s, p, a)ᵀθ`` and rows weighed by ``w(s, p)``::

    F = Σ_{s,p} w(s, p) Σ_a π(a|s, p) φ̄ φ̄ᵀ,        φ̄(s, p, a) = φ(s, p, a) - Σ_b π(b|s, p) φ(s, p, b)

It is singular as soon as some direction moves no probability, and in logits it always is: adding a constant to a row changes
nothing.  ``F⁺g`` is the shortest natural gradient; what of ``g`` lies outside the range of ``F`` is returned beside it and is 0
for a gradient of anything that depends on the policy alone.  Source: Kakade (2001); Agarwal et al. (2021), Section 5.

One row, even odds, in logits.  The advantages come back, centred:

>>> import numpy as np
>>> weights, factor = np.ones((1, 1)), np.array([[[0.5, 0.5]]])
>>> fisher = fisher_matrix(weights, factor)
>>> fisher, fisher_null_space(fisher).round(9)
(array([[ 0.25, -0.25],
       [-0.25,  0.25]]), array([[0.5, 0.5],
       [0.5, 0.5]]))
>>> step, outside = natural_gradient(fisher, np.array([0.25, -0.25]))
>>> step.round(9), bool(np.abs(outside).max() < 1e-12)
(array([ 0.5, -0.5]), True)
"""

from __future__ import annotations

from math import prod

from ..arithmetic import Array, contract, identity, pseudo_solve
from ..arithmetic.explained import explained


@explained
def fisher_vector_product(weights: Array, factor: Array, vector: Array) -> Array:
    """``Fv = w π (v - Σ_b π v)`` in logits, without the matrix; all ``[..., S, P, A]``, ``weights`` ``[..., S, P]``."""
    mean = (factor * vector).sum(-1, keepdims=True)
    return weights[..., None] * factor * (vector - mean)


@explained
def fisher_matrix(weights: Array, factor: Array, features: Array | None = None) -> Array:
    """``F``, shape ``[..., d, d]``, symmetric and positive semidefinite.

    ``weights`` ``[..., S, P]``, ``factor`` ``[..., S, P, A]``, ``features`` ``[..., X, d]`` over all points ``(s, p, a)`` in
    row-major order, as :meth:`~mappo_verify.model.features.Features.matrix` gives them.  Without features the parameters are
    logits, ``d = S·P·A``.
    """
    points = prod(factor.shape[-3:])
    matrix = identity(points, factor) if features is None else features
    table = matrix.reshape((*matrix.shape[:-2], *factor.shape[-3:], matrix.shape[-1]))
    mean = contract("...spa,...spad->...spd", factor, table)
    centred = table - mean[..., None, :]
    return contract("...sp,...spa,...spai,...spaj->...ij", weights, factor, centred, centred)


@explained
def fisher_null_space(fisher: Array) -> Array:
    """The orthogonal projector on the null space of ``F``, ``I - F F⁺``, shape ``[..., d, d]``; its trace is the dimension."""
    return pseudo_solve(fisher, identity(fisher.shape[-1], fisher))[1]


@explained
def natural_gradient(fisher: Array, gradient: Array) -> tuple[Array, Array]:
    """``F⁺g``, and ``g - F F⁺ g``, what of ``g`` lies outside the range of ``F``; each ``[..., d]``."""
    solution, outside = pseudo_solve(fisher, gradient[..., None])
    return solution[..., 0], outside[..., 0]
