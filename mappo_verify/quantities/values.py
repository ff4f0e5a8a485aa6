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

from ..arithmetic import Array, System, argmax, contract, identity_minus, is_hidden, is_sparse, lift, solve
from ..arithmetic.absorbing import solve_absorbing, visits_until_absorption
from ..arithmetic.explained import explained
from ..errors import GameError, SingularError, UndecidedError
from ..model import Game, Policy
from ..model.validation import (
    array_of,
    derived,
    in_system,
    probabilities,
    require_batches_fit,
    require_made_rows,
    require_shape,
    rounding_of,
)
from .chain import endless, induced_reward, induced_transition, values_exist


@explained
def bellman_matrix(game: Game, policy: Policy) -> Array:
    """``I - γ P_π``, shape ``[..., S, S]``: an M-matrix, whose inverse counts discounted visits."""
    return identity_minus(game.discount, induced_transition(game, policy))


@explained
def lookahead(game: Game, values: Array) -> Array:
    """``r(s, a) + γ Σ_s' P(s'|s, a) v(s')``, shape ``[..., S, A]``, for any ``v`` of shape ``[..., S]``."""
    return game.reward + contract("...sat,...t->...sa", game.transition, lift(game.discount, 1) * values)


@explained
def stopping_of(game: Game, policy: Policy) -> Array:
    """How likely the game ends in each state, ``Σ_a π(a|s) (1 - Σ_s' P(s'|s, a))``, shape ``[..., S]``."""
    return contract("...sa,...sa->...s", policy.joint(), game.stopping)


WELL_LEFT = 1 / 16
"""Where every state is left for good with at least this probability, LU factors lose little."""


@explained
def solve_bellman(game: Game, policy: Policy, right: Array, transposed: bool = False) -> Array:
    """Solve with ``I - γ P_π`` (or its transpose) for one right-hand side ``[..., S]``; a singular one is explained.

    Floats with ``γ`` near 1 are eliminated without a subtraction (:mod:`mappo_verify.arithmetic.absorbing`).  Compared with
    ``game.exact()``, the error is about 1e-13 of ``(I - γ P_π)⁻¹ |right|``; :func:`~mappo_verify.quantities.value_bounds` gives
    certain bounds.
    """
    if is_near_one(game) and not (is_sparse(game.transition) and game.discount < 1):
        exists = values_exist(game, policy)
        if (exists < 0).any():
            raise SingularError(f"the linear system is singular: {_without_values(game, policy)}")
        if (exists > 0).all() and not is_sparse(game.transition):  # formal data does not know where it ends
            return _solve_near_one(game, policy, right, transposed)
    matrix = bellman_matrix(game, policy)
    try:
        return solve(np.swapaxes(matrix, -1, -2) if transposed else matrix, right[..., None])[..., 0]
    except (SingularError, UndecidedError) as error:
        if game.system is System.FLOATS and (values_exist(game, policy) > 0).all():
            raise SingularError(f"{error}: the values exist, but are beyond float64; use game.exact()") from None
        raise type(error)(f"{error}: {_without_values(game, policy)}") from None


def is_near_one(game: Game) -> bool:
    """Floats with a discount near 1, somewhere in the batch."""
    return game.system is System.FLOATS and derived(
        game, "_near_one", game.discount, lambda: bool((1 - game.discount < WELL_LEFT).any())
    )


def _solve_near_one(game: Game, policy: Policy, right: Array, transposed: bool) -> Array:
    """Floats, without a subtraction; a solution that overflows is refused."""
    onward = lift(game.discount, 2) * induced_transition(game, policy)
    leaving = lift(1 - game.discount, 1) + lift(game.discount, 1) * stopping_of(game, policy)
    given = np.broadcast_to(right, np.broadcast_shapes(right.shape, leaving.shape))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        solution = (visits_until_absorption if transposed else solve_absorbing)(onward, leaving, given)
    if not np.isfinite(solution).all():
        index = [int(i) for i in np.argwhere(~np.isfinite(solution))[0]]
        raise SingularError(f"the solution of the linear system is beyond float64 at index {index}; use game.exact()")
    return solution


def _without_values(game: Game, policy: Policy) -> str:
    """Why ``I - γP_π`` is singular, which state shows it, and what to do."""
    reason = "I - γP_π is not invertible for this policy, so its values do not exist"
    cure = (
        "with discount 1 every state must reach termination: let absorbing goals end (rows of P that sum to 0), or choose a "
        "discount below 1, for instance --discount 9/10 or game.with_discount(...)"
    )
    lasting = endless(game, policy)
    if lasting is None:
        return f"{reason}; {cure}"
    index, state = lasting
    where = f" at batch index {list(index)}" if index else ""
    named = f"state {state}" + (f" ({game.state_names[state]})" if game.state_names else "")
    return f"{reason}: {named}{where} never terminates; {cure}"


@explained
def state_values(game: Game, policy: Policy) -> Array:
    """``V_π = (I - γ P_π)⁻¹ r_π``: the expected discounted sum of rewards from each state, shape ``[..., S]``.

    Raises :class:`~mappo_verify.errors.SingularError` where ``I - γ P_π`` is singular.  Source: Section 3.1.
    """
    return solve_bellman(game, policy, induced_reward(game, policy))


@explained
def action_values(game: Game, policy: Policy) -> Array:
    """``Q_π(s, a) = r(s, a) + γ Σ_s' P(s'|s, a) V_π(s')``, shape ``[..., S, A]``.  Source: Section 3.1."""
    return lookahead(game, state_values(game, policy))


@explained
def advantages(game: Game, policy: Policy) -> Array:
    """``A_π(s, a) = Q_π(s, a) - V_π(s)``, shape ``[..., S, A]``.  Source: Section 3.1."""
    values, following = relative_values(game, policy)
    return following - values[..., None]


@explained
def relative_values(game: Game, policy: Policy) -> tuple[Array, Array]:
    """``V_π - c`` and ``Q_π - c``, shapes ``[..., S]`` and ``[..., S, A]``: for differences of values in one state.

    ``c`` is 0, but for floats that would lose digits.  With ``γ`` near 1, values are large and nearly the same.  There it is
    ``V_π(s)``, and values are compared with their mean, as those of the reward ``r - mean (1 - γ P 1)``.  Where actions are
    nearly the same, it is ``Q_π(s, 1)``.
    """
    values = state_values(game, policy)
    if game.system is not System.FLOATS or type(values) is not np.ndarray or is_sparse(game.transition):
        return values, lookahead(game, values)
    mean = None
    if is_near_one(game):
        mean = np.asarray(values.mean(-1))
        leaving = lift(1 - game.discount, 2) + lift(game.discount, 2) * game.stopping
        lost = values[..., None] * leaving
        paid = induced_reward(game, policy) - contract("...sa,...sa->...s", policy.joint(), lift(mean, 2) * leaving)
        values = solve_bellman(game, policy, paid)
        gained = contract("...sat,...st->...sa", game.transition, values[..., None, :] - values[..., None])
        following = game.reward + lift(game.discount, 2) * gained - lost
    else:
        following = lookahead(game, values)
    if _loses_digits(values, following):
        following = _beyond_the_first_action(game, values, mean)
    elif mean is None:
        return values, following
    return contract("...sa,...sa->...s", policy.joint(), following), following


def _loses_digits(values: Array, following: Array) -> bool:
    """Whether all actions of some state are worth nearly the same, in floats."""
    apart = following.max(-1) - following.min(-1)
    return bool((apart < NEARLY_THE_SAME * abs(values)).any())


NEARLY_THE_SAME = 1e-5
"""Actions whose values are apart by less than this share of the state's own are compared by differences of what they do."""


def _beyond_the_first_action(game: Game, level: Array, mean: Array | None) -> Array:
    """``Q_π(s, a) - Q_π(s, 1)`` of floats, where ``V_π = level + mean``: from differences of rewards and of rows.

    Values count from that of the state to which action 1 mostly leads: a probability near 1 has fewer digits than what it lacks.
    """
    reward, transition, stopping = game.reward, game.transition, game.stopping
    level = lift(game.discount, 1) * level
    likely = np.broadcast_to(argmax(transition[..., 0, :]), level.shape)
    usual: Array = np.take_along_axis(np.asarray(level), likely, -1)[..., None]
    onward = contract("...sat,...st->...sa", transition - transition[..., :1, :], level[..., None, :] - usual)
    ended = (usual if mean is None else usual + lift(game.discount * mean, 2)) * (stopping - stopping[..., :1])
    return reward - reward[..., :1] + onward - ended


@explained
def returns(game: Game, policy: Policy, start: Any = None) -> Array:
    """``J_ρ(π) = Σ_s ρ(s) V_π(s)``, shape ``[...]``; ``ρ`` defaults to the game's own start.  Source: Sections 4 and 5."""
    return contract("...s,...s->...", start_of(game, start), state_values(game, policy))


@explained
def start_of(game: Game, start: Any = None) -> Array:
    """The given start distribution, or the game's own; an error where there is neither."""
    if start is None:
        if game.start is None:
            raise GameError("this game has no start distribution; pass start=, shape [..., S], or build it with start=")
        return game.start
    given = in_system(array_of(start, "start"), game.system, "start")
    require_shape("start", given, (game.states,), "[..., S]")
    if is_hidden((given,)):
        require_made_rows("start", given, whole=False)
        return given
    if game.system is System.SYMBOLS:
        return given
    require_batches_fit(start=given.shape[:-1], game=game.batch_shape)
    return probabilities("start", given, rounding_of(start, game.states), full=True)
