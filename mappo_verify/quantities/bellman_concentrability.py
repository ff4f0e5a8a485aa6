"""How much a comparator's visits can magnify a Bellman residual that the data sees: Definition 5.4.

The residual of a linear critic ``f = φᵀw`` at ``x = (s, a^{1:m})`` is linear in ``(w, 1)``, so its norms are quadratic forms::

    f(x) - (T^{1:m}_π f)(x) = ζ(x)ᵀ(w, 1),    ζ = (φ - γ E φ(s', π^{1:m}), -E r),    M_ν = Σ_x ν(x) ζ(x)ζ(x)ᵀ
    C² = sup_{π, w} (w, 1)ᵀ M_{d_*} (w, 1) / (w, 1)ᵀ M_μ (w, 1)

For one policy the supremum over *all* vectors, not only those ``(w, 1)`` that name a critic of the class, is a generalised
eigenvalue: an *upper* bound.  Critics and policies that a search tries give a *lower* bound.  They bound different things, the
one for a policy, the other over policies, so they are never combined; ``max d_*/μ`` bounds ``C²`` over all of them
(definition-5.4).  Source: Definition 5.4.

Two states that never move, rewards 0, one-hot features: the comparator spends 3/4 of its time where the data spends 1/4.

>>> import numpy as np, mappo_verify as mv
>>> game = mv.Game([[[1, 0]], [[0, 1]]], [[0], [0]], 0.5, start=[0.75, 0.25])
>>> policy, features = mv.Policy.uniform(game), np.eye(2)
>>> above, below = np.array([[0.75], [0.25]]), np.array([[0.25], [0.75]])
>>> float(concentrability_of_policy(game, policy, features, above, below, 1).round(12))
3.0
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..arithmetic import Array, compare, contract, divide, largest, moveaxis, sqrt
from ..arithmetic.explained import explained
from ..model import Game, Policy
from ..model.agents import prefixes_of
from .bellman import bellman_operator, expected_reward
from .divergence import squared_norm
from .linear_class import LinearClass

ROUNDING = 1e-10
"""Eigenvalues below this share of the largest count as 0."""


@explained
def residual_directions(game: Game, policy: Policy, features: Array, m: int) -> Array:
    """``ζ(x)`` at every point, ``[S·|A_1|···|A_m|, d + 1]``, for features ``[S·|A_1|···|A_m|, d]`` of a single game."""
    columns, dimension = prefixes_of(game.action_sizes, m), features.shape[-1]
    tables = moveaxis(features.reshape(game.states, columns, dimension), -1, 0)
    rewards = expected_reward(game, policy, m)
    moved = tables - (bellman_operator(game, policy, tables, m) - rewards)
    rows = np.concatenate([moveaxis(moved, 0, -1), -rewards[..., None]], axis=-1)
    return rows.reshape(-1, dimension + 1)


@explained
def residual_form(directions: Array, distribution: Array) -> Array:
    """``M_ν = Σ_x ν(x) ζ(x)ζ(x)ᵀ``, ``[d + 1, d + 1]``, for ``ν`` of shape ``[S, |A_1|···|A_m|]``."""
    return contract("x,xi,xj->ij", distribution.reshape(-1), directions, directions)


@explained
def concentrability_of_policy(game: Game, policy: Policy, features: Array, above: Array, below: Array, m: int) -> Array:
    """The largest ``zᵀM_{d_*}z / zᵀM_μz`` over all ``z ∈ R^{d+1}``: an upper bound on ``C²`` for this policy; floats.

    ``above`` is ``d_*`` and ``below`` is ``μ``, both ``[S, |A_1|···|A_m|]``.  Infinite where the comparator sees a residual
    that the data does not.
    """
    directions = residual_directions(game, policy, features, m)
    seen, wanted = residual_form(directions, below), residual_form(directions, above)
    values, vectors = np.linalg.eigh(seen)
    kept = compare(values, ">", ROUNDING * largest(values)) > 0
    blind = vectors[:, ~kept]
    unseen = np.einsum("ij,ik,kj->j", blind, wanted, blind)
    if (compare(unseen, ">", ROUNDING * np.trace(wanted)) > 0).any():
        return np.array(np.inf)
    whitened = vectors[:, kept] / sqrt(values[kept])
    if not whitened.size:
        return np.array(1.0)
    return largest(np.linalg.eigvalsh(whitened.T @ wanted @ whitened))


@explained
def searched_concentrability(
    game: Game,
    policies: Iterable[Policy],
    critics: LinearClass,
    above: Array,
    below: Array,
    m: int,
    tries: int,
    generator: np.random.Generator,
) -> Array:
    """The largest ratio that some critic of the class attains on some of these policies: a lower bound on ``C²``; floats.

    For each policy ``tries`` critics are drawn, directions uniformly and lengths as far as the class reaches.
    """
    dimension = critics.features.shape[-1]
    best: Array = np.array(0.0)
    for policy in policies:
        weights = _inside(critics, np.abs(generator.standard_normal((tries, dimension))), generator)
        tables = critics.values(weights).reshape(tries, *below.shape)
        residuals = tables - bellman_operator(game, policy, tables, m)
        wanted, seen = squared_norm(residuals, above, 2), squared_norm(residuals, below, 2)
        allowed = critics.contains(weights) > 0
        best = largest(np.append(divide(wanted[allowed], seen[allowed]), best))
    return best


def _inside(critics: LinearClass, rays: Array, generator: np.random.Generator) -> Array:
    """Each ray shortened until ball and ceiling hold, and by a random factor more."""
    heights = largest(critics.values(rays)) / critics.ceiling
    lengths = sqrt(contract("wd,wd->w", rays, rays)) / critics.radius
    reach = largest(np.stack([heights, lengths, np.full(len(rays), np.finfo(float).tiny)], -1))
    return rays / reach[:, None] * generator.random((len(rays), 1))
