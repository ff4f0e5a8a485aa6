"""What the targets along a trajectory are on average: exact, for any critic.

Rollouts start with ``(s, a)`` and follow ``π``; a critic is any table ``v(s)``, right or wrong, and the game's missing mass is
termination.  With ``(T_π v)(s) = Σ_a π(a|s) [r(s, a) + γ Σ_s' P(s'|s, a) v(s')]``::

    E[G^n   | s, a] = r(s, a) + γ Σ_s' P(s'|s, a) (T_π^{n-1} v)(s')
    E[G^λ   | s, a] = r(s, a) + γ Σ_s' P(s'|s, a) [(1-λ) v(s') + λ u(s')],      u(s) = E[G^λ | s]
    E[GAE^λ | s, a] = E[G^λ | s, a] - v(s)

For ``v = V_π`` all of them are ``Q_π``, and GAE is the advantage, for every ``n`` and ``λ``: an exact critic hides a wrong trace.
The estimates themselves are in :mod:`~mappo_verify.quantities.trajectory_targets`, a limit on the number of steps in
:mod:`~mappo_verify.quantities.time_limits`.  Source: Schulman et al. (2016); Sutton and Barto, Chapter 12.

One state that goes on for ever, reward 1, γ = 1/2, so V = 2; the critic says 0.  With λ = 1/2 the trace has γλ = 1/4:

>>> import mappo_verify as mv
>>> game = mv.Game([[[1]]], [[1]], 0.5)
>>> policy = mv.Policy.uniform(game)
>>> [expected_gae(game, policy, [0], lam).item() for lam in (0, 0.5, 1)]
[1.0, 1.3333333333333333, 2.0]
>>> expected_n_step_returns(game, policy, [0], 3)                        # 1 + 1/2 + 1/4
array([[1.75]])
"""

from __future__ import annotations

from typing import Any

from ..arithmetic import Array, contract, lift, square
from ..arithmetic.explained import explained
from ..model import Game, Policy
from ..model.validation import require_count, scalar_for, table_for
from .chain import induced_reward, induced_transition
from .values import lookahead, solve_bellman


@explained
def expected_n_step_returns(game: Game, policy: Policy, critic: Any, n: int) -> Array:
    """``E[Σ_{k<n} γ^k r_k + γ^n v(s_n) | s, a]``, shape ``[..., S, A]``; ``critic`` is ``v`` ``[..., S]``, ``n ≥ 1``."""
    require_count("n", n)
    value = critic_of(game, critic)
    for _ in range(1, n):
        value = average(policy, lookahead(game, value))
    return lookahead(game, value)


@explained
def expected_lambda_returns(game: Game, policy: Policy, critic: Any, lam: Any) -> Array:
    """``E[G^λ | s, a]``, shape ``[..., S, A]``; ``critic`` is ``v`` ``[..., S]``, ``λ`` in [0, 1] of the batch shape.

    Raises :class:`~mappo_verify.errors.SingularError` where ``γλ = 1`` and some state never terminates.
    """
    policy.require_fits(game)
    value, lam = critic_of(game, critic), scalar_for(game.system, "lam", lam)
    return lookahead(game, mixed(value, _average_return(game, policy, value, lam), lam))


@explained
def expected_gae(game: Game, policy: Policy, critic: Any, lam: Any) -> Array:
    """``E[Σ_k (γλ)^k δ_k | s, a] = E[G^λ | s, a] - v(s)``, shape ``[..., S, A]``; ``critic`` is ``v`` ``[..., S]``."""
    return expected_lambda_returns(game, policy, critic, lam) - critic_of(game, critic)[..., None]


@explained
def variance_of_lambda_returns(game: Game, policy: Policy, critic: Any, lam: Any) -> Array:
    """``Var[G^λ | s, a]`` of one rollout, which is GAE's too, shape ``[..., S, A]``, at least 0.

    From the second moment, which solves a Bellman equation with the discount ``(γλ)²``.
    """
    policy.require_fits(game)
    value, lam = critic_of(game, critic), scalar_for(game.system, "lam", lam)
    mean = _average_return(game, policy, value, lam)
    squares = second_moment(game, value, mean, mean * 0, lam)
    both = square(game.discount * lam)
    later = solve_bellman(game.with_discount(both), policy, average(policy, squares))
    return second_moment(game, value, mean, later, lam) - square(lookahead(game, mixed(value, mean, lam)))


@explained
def critic_of(game: Game, critic: Any) -> Array:
    """A critic ``[..., S]`` in the number system of the game."""
    return table_for(game.system, "critic", critic, (game.states,), "[..., S]")


@explained
def average(policy: Policy, table: Array) -> Array:
    """``Σ_a π(a|s) f(s, a)``, from ``[..., S, A]`` to ``[..., S]``."""
    return contract("...sa,...sa->...s", policy.joint(), table)


@explained
def mixed(value: Array, mean: Array, lam: Array) -> Array:
    """``(1-λ) v + λ u``, shape ``[..., S]``."""
    lam = lift(lam, 1)
    return (1 - lam) * value + lam * mean


@explained
def second_moment(game: Game, value: Array, mean: Array, squares: Array, lam: Any) -> Array:
    """``E[(r + γ (1-λ) v(s') + γλ G')² | s, a]``, shape ``[..., S, A]``, for ``E[G'|s'] = u`` and ``E[G'²|s'] = w``."""
    own = lift(lam, 1)
    inside = square((1 - own) * value) + 2 * (1 - own) * own * value * mean + square(own) * squares
    once, gamma = contract("...sat,...t->...sa", game.transition, mixed(value, mean, lam)), lift(game.discount, 2)
    twice = contract("...sat,...t->...sa", game.transition, inside)
    return square(game.reward) + 2 * game.reward * gamma * once + square(gamma) * twice


def _average_return(game: Game, policy: Policy, value: Array, lam: Any) -> Array:
    """``u(s) = E[G^λ | s]``: ``(I - γλ P_π) u = r_π + γ (1-λ) P_π v``, shape ``[..., S]``."""
    ahead = contract("...st,...t->...s", induced_transition(game, policy), value)
    right = induced_reward(game, policy) + lift(game.discount * (1 - lam), 1) * ahead
    return solve_bellman(game.with_discount(game.discount * lam), policy, right)
