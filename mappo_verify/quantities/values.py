"""Values: what a policy is worth.

For a joint policy ``π`` on a game ``(P, r, γ)``::

    P_π(s, s') = Σ_a π(a|s) P(s'|s, a)        r_π(s) = Σ_a π(a|s) r(s, a)
    V_π = (I - γ P_π)⁻¹ r_π                    Q_π(s, a) = r(s, a) + γ Σ_s' P(s'|s, a) V_π(s')
    A_π(s, a) = Q_π(s, a) - V_π(s)             J_ρ(π) = Σ_s ρ(s) V_π(s)

The missing mass of a row of ``P`` is termination, after which nothing is earned.  ``γ = 1`` is legal exactly where
``I - P_π`` is invertible.  Source: Section 3.1.

One state, two actions with rewards 1 and 0, γ = 1/2, played evenly: the value is (1/2)/(1 - 1/2) = 1.

>>> import mappo_verify as mv
>>> game = mv.Game([[[1], [1]]], [[1, 0]], 0.5)
>>> policy = mv.Policy.uniform(game)
>>> mv.state_values(game, policy), mv.action_values(game, policy)
(array([1.]), array([[1.5, 0.5]]))
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arithmetic import Array, System, as_array, contract, identity_minus, lift, solve
from ..errors import GameError, SingularError, UndecidedError
from ..model import Game, Policy
from ..model.validation import array_of, in_system, require_finite, require_shape
from .chain import induced_reward, induced_transition, values_exist


def bellman_matrix(game: Game, policy: Policy) -> Array:
    """``I - γ P_π``, shape ``[..., S, S]``: an M-matrix, whose inverse counts discounted visits."""
    return identity_minus(game.discount, induced_transition(game, policy))


def lookahead(game: Game, values: Array) -> Array:
    """``r(s, a) + γ Σ_s' P(s'|s, a) v(s')``, shape ``[..., S, A]``, for any ``v`` of shape ``[..., S]``."""
    return as_array(game.reward + lift(game.discount, 2) * contract("...sat,...t->...sa", game.transition, values))


def solve_bellman(game: Game, policy: Policy, right: Array, transposed: bool = False) -> Array:
    """Solve with ``I - γ P_π`` (or its transpose) for one right-hand side ``[..., S]``; a singular one is explained."""
    matrix = bellman_matrix(game, policy)
    try:
        if game.system is System.FLOATS and (game.discount == 1).any() and (values_exist(game, policy) < 0).any():
            raise SingularError("some state never terminates")  # rounding would turn that into values of 10^16
        return solve(np.swapaxes(matrix, -1, -2) if transposed else matrix, right[..., None])[..., 0]
    except (SingularError, UndecidedError) as error:
        raise type(error)(
            f"{error}: I - γP_π is not invertible for this policy, so its values do not exist; with discount 1 every state "
            "must reach termination (choose a discount below 1, for instance --discount 9/10 or game.with_discount(...))"
        ) from None


def state_values(game: Game, policy: Policy) -> Array:
    """``V_π = (I - γ P_π)⁻¹ r_π``: the expected discounted sum of rewards from each state, shape ``[..., S]``.

    Raises :class:`~mappo_verify.errors.SingularError` where ``I - γ P_π`` is singular.  Source: Section 3.1.
    """
    return solve_bellman(game, policy, induced_reward(game, policy))


def action_values(game: Game, policy: Policy) -> Array:
    """``Q_π(s, a) = r(s, a) + γ Σ_s' P(s'|s, a) V_π(s')``, shape ``[..., S, A]``.  Source: Section 3.1."""
    return lookahead(game, state_values(game, policy))


def advantages(game: Game, policy: Policy) -> Array:
    """``A_π(s, a) = Q_π(s, a) - V_π(s)``, shape ``[..., S, A]``.  Source: Section 3.1."""
    values = state_values(game, policy)
    return as_array(lookahead(game, values) - values[..., None])


def returns(game: Game, policy: Policy, start: Any = None) -> Array:
    """``J_ρ(π) = Σ_s ρ(s) V_π(s)``, shape ``[...]``; ``ρ`` defaults to the game's own start.  Source: Sections 4 and 5."""
    return contract("...s,...s->...", start_of(game, start), state_values(game, policy))


def start_of(game: Game, start: Any = None) -> Array:
    """The given start distribution, or the game's own; an error where there is neither."""
    if start is None:
        if game.start is None:
            raise GameError("this game has no start distribution; pass start=, shape [..., S], or build it with start=")
        return as_array(game.start)
    given = in_system(array_of(start, "start"), game.system)
    require_shape("start", given, (game.states,), "[..., S]")
    require_finite("start", given)
    return given
