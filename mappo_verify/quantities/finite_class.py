"""Finite classes of critics: their Bellman error on data, how well they fit a game, and the pessimistic choice.

A class ``F^m`` is a list of tables ``f(s, a^{1:m})``.  On data ``D`` (:mod:`mappo_verify.quantities.data`)::

    L(f', f) = Σ D(s, a, s') (f'(s, a^{1:m}) - r(s, a) - γ f(s', π^{1:m}))²
    E(f)     = L(f, f) - min_{f' ∈ F} L(f', f)

and pessimistic evaluation chooses ``argmin_{f ∈ F} f(s_0, π^{1:m}) + λ E(f)``.  How well the class fits::

    ζ_F   = min_{f ∈ F} sup_ν ‖f - T f‖²_{2,ν}              realizability
    ζ_FF  = max_{f ∈ F} min_{f' ∈ F} ‖f' - T f‖²_{2,μ}      completeness

with ``T = T^{1:m}_π``.  Over *all* distributions ``ν`` the supremum is the squared sup norm, attained at one point.  Over the
admissible ones, which are the occupancies of policies, it is at most the sup norm over the points that some policy visits, and at
least what any given occupancies show: a bracket.  A fixed point that the class holds makes ``ζ_F`` zero in every case.
Source: Assumptions D.1 to D.3, Lemma D.4, Algorithm 4.

One state that repeats, reward 1, γ = 1/2, so ``Q = 2``; the class holds 2 and 4.  ``T 4 = 3``, which the class holds no better
than within 1, and 4 explains the data as well as 2 does:

>>> import numpy as np, mappo_verify as mv
>>> from mappo_verify.quantities.data import law_of_data
>>> game = mv.Game([[[1]]], [[1]], 0.5, start=[1])
>>> critics = FiniteClass(np.array([[[2.0]], [[4.0]]]), 1)
>>> policy, everywhere = mv.Policy.uniform(game), np.ones((1, 1))
>>> critics.realizability(game, policy), critics.completeness(game, policy, everywhere)
(array(0.), array(1.))
>>> critics.errors(game, policy, law_of_data(game, policy, everywhere, 1))
array([0., 0.])
>>> critics.choice(game, policy, law_of_data(game, policy, everywhere, 1), 1, game.start)
array(0)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import (
    Array,
    absolute,
    argmax,
    at_largest,
    contract,
    largest,
    lift,
    like,
    moveaxis,
    select,
    smallest,
    square,
    support,
)
from ..arithmetic.explained import explained, explained_class, over_arrays
from ..errors import GameError
from ..model import Game, Policy
from .agent_values import average_out
from .bellman import bellman_operator
from .chain import Mask, induced_transition, reachable
from .data import listed, regression


@explained_class
@dataclass(frozen=True, eq=False)
class FiniteClass:
    """``F^m``: tables ``[..., |F|, S, |A_1|···|A_m|]``, and the agent ``m`` (counted from 1) they belong to."""

    tables: Array
    m: int

    def __post_init__(self) -> None:
        if self.tables.ndim < 3 or self.tables.shape[-3] == 0:
            raise GameError(f"tables has shape {self.tables.shape}; a finite class needs [..., |F|, S, |A_1|···|A_m|]")

    @property
    def size(self) -> int:
        """``|F|``"""
        return int(self.tables.shape[-3])

    def _listed(self, axes: int) -> Array:
        """The tables as a list before the batch, where a game's batch axes do not meet it."""
        return listed(moveaxis(self.tables, -3, 0), axes)

    def backups(self, game: Game, policy: Policy) -> Array:
        """``T f`` for every ``f``, ``[..., |F|, S, |A_1|···|A_m|]``."""
        axes = max(len(game.batch_shape), len(policy.batch_shape))
        return moveaxis(bellman_operator(game, policy, self._listed(axes), self.m), 0, -3)

    def start_values(self, policy: Policy, start: Array) -> Array:
        """``f(s_0, π^{1:m})`` for every ``f``, averaged over ``s_0 ~ ρ``, ``[..., |F|]``."""
        axes = max(len(policy.batch_shape), start.ndim - 1)
        values = average_out(self._listed(axes), policy, self.m)[0][..., 0]
        return moveaxis((values * start).sum(-1), 0, -1)

    # --- on data ------------------------------------------------------------------------------------------------------

    def losses(self, game: Game, policy: Policy, data: Array, candidates: Array | None = None) -> Array:
        """``L(f', f)`` without the part that is the same for every ``f'``, ``[|F'|, |F|, ...]``.

        ``f'`` runs over the class, or over ``candidates`` ``[..., |F'|, S, |A_1|···|A_m|]``; ``data`` is ``[..., S, A, S+1]``.
        """
        tables = moveaxis(self.tables, -3, 0)
        occurs, targets = regression(game, policy, tables, data, self.m)
        fits = listed(tables if candidates is None else moveaxis(candidates, -3, 0), targets.ndim - 3)
        squares = (occurs * square(fits)).sum((-2, -1))
        return squares[:, None] - 2 * contract("f...sp,g...sp->fg...", fits, targets)

    def errors(self, game: Game, policy: Policy, data: Array) -> Array:
        """``E(f) ≥ 0`` for every ``f``, ``[..., |F|]``; ``data`` is ``[..., S, A, S+1]``."""
        losses = self.losses(game, policy, data)
        return moveaxis(np.einsum("ff...->f...", losses) - smallest(losses, 0), 0, -1)

    @over_arrays
    def objective(self, game: Game, policy: Policy, data: Array, penalty: Array, start: Array) -> Array:
        """``f(s_0, π^{1:m}) + λ E(f)`` for every ``f``, ``[..., |F|]``."""
        return self.start_values(policy, start) + lift(penalty, 1) * self.errors(game, policy, data)

    def choice(self, game: Game, policy: Policy, data: Array, penalty: Any, start: Array) -> npt.NDArray[np.intp]:
        """The index of the first ``f`` that minimises the objective, ``[...]``.  Source: Algorithm 4, step 4."""
        return argmax(-self.objective(game, policy, data, penalty, start))

    # --- on the game --------------------------------------------------------------------------------------------------

    def residual_norms(self, game: Game, policy: Policy, where: Mask | None = None) -> Array:
        """``max |f - T f|`` over all points, or over the states of a mask ``[..., S]``, for every ``f``: ``[..., |F|]``."""
        return _sup_norm(self.tables - self.backups(game, policy), where)

    def most_realistic(self, game: Game, policy: Policy) -> npt.NDArray[np.intp]:
        """The index of ``f_π``, the first ``f`` with the smallest ``max |f - T f|``, ``[...]``.  Source: Lemma D.4."""
        return argmax(-self.residual_norms(game, policy))

    def at_most_realistic(self, game: Game, policy: Policy, table: Array) -> Array:
        """The entry of ``f_π``, see :meth:`most_realistic`, in a table ``[..., |F|]``: ``[...]``."""
        return at_largest(-self.residual_norms(game, policy), table[..., None])[..., 0]

    def allowance(self, game: Game, policy: Policy, errors: Array, penalty: Any, horizon: Any) -> Array:
        """``min_f (‖f - T f‖_∞/(1-γ) + λ E(f))``, ``[...]``: by how much the chosen value may exceed ``J(π)``, at most.

        ``errors`` are ``E(f)`` ``[..., |F|]``, as :meth:`errors` returns them; ``horizon`` is ``1/(1-γ)``.
        Source: theorem-d.7/repaired.
        """
        return smallest(self.residual_norms(game, policy) * lift(horizon, 1) + lift(penalty, 1) * errors)

    def realizability(self, game: Game, policy: Policy, where: Mask | None = None) -> Array:
        """``ζ_F``, shape ``[...]``: the supremum over all distributions, or over all on the states of a mask."""
        return square(smallest(self.residual_norms(game, policy, where)))

    def realizability_under(self, game: Game, policy: Policy, occupancies: Array) -> Array:
        """``min_f max_j ‖f - T f‖²_{2,ν_j}`` for given ``ν_j``, ``[..., J, S, |A_1|···|A_m|]``: at most ``ζ_F``."""
        squares = square(self.tables - self.backups(game, policy))
        return smallest(largest(contract("...fsp,...jsp->...fj", squares, occupancies)))

    def completeness(self, game: Game, policy: Policy, distribution: Array | None = None) -> Array:
        """``ζ_FF``, shape ``[...]``: under ``μ`` ``[..., S, |A_1|···|A_m|]``, or without it in the squared sup norm."""
        gaps = self.tables[..., :, None, :, :] - self.backups(game, policy)[..., None, :, :, :]
        if distribution is None:
            distances = square(_sup_norm(gaps, None))
        else:
            distances = (square(gaps) * distribution[..., None, None, :, :]).sum((-2, -1))
        return largest(smallest(distances, -2))


def _sup_norm(tables: Array, where: Mask | None) -> Array:
    sizes = absolute(tables)
    if where is not None:
        sizes = select(where[..., None, :, None], sizes, like(0, sizes))
    return largest(sizes, (-2, -1))


@explained
def visited_states(game: Game, start: Array) -> Mask:
    """The states that some policy visits from ``ρ``, ``[..., S]``: where admissible distributions live."""
    reach = reachable(support(induced_transition(game, Policy.uniform(game))))
    return (support(start)[..., :, None] & reach).any(-2)  # type: ignore[return-value]
