"""The multi-agent performance difference lemma, term by term.

For policies ``π`` (old) and ``π'`` (new), with ``d`` the visits of ``π'`` from ``ρ``::

    J(π') - J(π) = Σ_m Σ_s d(s) E_{p ~ π'^{1:m-1}} ⟨Q_π^{1:m}(s, p, ·), π'^m(·|s, p) - π^m(·|s, p)⟩

The m-th term is what agent ``m``'s change contributes.  Source: Lemma 4.1.

>>> import mappo_verify as mv
>>> game = mv.Game([[[0], [0], [0], [0]]], [[0, 1, 2, 4]], 0, action_sizes=(2, 2), start=[1])
>>> old, new = mv.Policy.deterministic(game, [0]), mv.Policy.deterministic(game, [3])
>>> mv.return_difference(game, new, old)
array([2., 2.])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arithmetic import Array, contract
from ..arithmetic.explained import explained
from ..model import Game, Policy
from ..model.agents import split_last
from .agent_values import relative_agent_values
from .distributions import visits


def expected_along(weights: Array, policy: Policy, m: int, table: Array) -> Array:
    """``Σ_s d(s) E_{a^{1:m} ~ π^{1:m}} f(s, a^{1:m})``, shape ``[...]``, for ``f`` of shape ``[..., S, |A_1|···|A_m|]``."""
    return contract("...s,...sp,...sp->...", weights, policy.prefix_probabilities()[m], table)


def factor_gain(target: Policy, policy: Policy, m: int, table: Array) -> Array:
    """``⟨f(s, p, ·), π'^m(·|s, p) - π^m(·|s, p)⟩``, shape ``[..., S, |A_1|···|A_{m-1}|]``."""
    change = target.factors[m - 1] - policy.factors[m - 1]
    return contract("...pa,...pa->...p", split_last(table, change.shape[-1]), change)


def gains_along(weights: Array, target: Policy, policy: Policy, tables: Sequence[Array]) -> Array:
    """``Σ_s d(s) E_{p ~ π'^{1:m-1}} ⟨f^m(s, p, ·), π'^m - π^m⟩`` for every agent, shape ``[..., N]``.

    ``tables`` are ``f^1, ..., f^N``, each ``[..., S, |A_1|···|A_m|]``; ``weights`` is ``d``, ``[..., S]``.
    """
    terms = [
        expected_along(weights, target, m - 1, factor_gain(target, policy, m, table))
        for m, table in enumerate(tables, start=1)
    ]
    return np.stack(terms, axis=-1)


@explained
def return_difference(game: Game, target: Policy, policy: Policy, start: Any = None) -> Array:
    """``Σ_s d(s) E_{p ~ π'^{1:m-1}} ⟨Q_π^{1:m}, π'^m - π^m⟩`` with ``d`` the visits of ``π'``, shape ``[..., N]``.

    They sum to ``J(π') - J(π)`` from ``ρ`` (default: the game's start).
    """
    target.require_fits(game)
    return gains_along(visits(game, target, start), target, policy, relative_agent_values(game, policy)[1:])
