"""Where a policy spends its time.

* *visits* ``d^π_ρ = ρᵀ (I - γ P_π)⁻¹``: the expected discounted number of times that each state is visited.  Without
  termination they sum to ``1/(1-γ)``.
* *occupancy* ``(1-γ) d^π_ρ(s) π(a|s)``: the paper's ``d_π(s, a)``.
* *stationary distribution* ``ν_π P_π = ν_π``, which needs a game that does not terminate, and exactly one recurrent class
  (or the caller's choice of one).

Source: Sections 3.1 and 4.

Two states that swap are visited alike in the long run; from the first one with γ = 1/2 the visits are 4/3 and 2/3.

>>> import mappo_verify as mv
>>> game = mv.Game([[[0, 1]], [[1, 0]]], [[0], [0]], 0.5, start=[1, 0])
>>> policy = mv.Policy.uniform(game)
>>> mv.stationary_distribution(game, policy), mv.visits(game, policy).round(4)
(array([0.5, 0.5]), array([1.3333, 0.6667]))
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arithmetic import UNKNOWN, Array, identity, lift, like, select, solve, support
from ..errors import GameError, UndecidedError
from ..model import Game, Policy
from .chain import Mask, induced_transition, reachable, recurrent
from .values import solve_bellman, start_of


def visits(game: Game, policy: Policy, start: Any = None) -> Array:
    """``d^π_ρ = ρᵀ (I - γ P_π)⁻¹``, shape ``[..., S]``: expected discounted visits from ``ρ`` (default: the game's start).

    Non-negative; they sum to ``1/(1-γ)`` where nothing terminates.
    """
    return solve_bellman(game, policy, start_of(game, start), transposed=True)


def occupancy(game: Game, policy: Policy, start: Any = None) -> Array:
    """``d_π(s, a) = (1-γ) d^π_ρ(s) π(a|s)``, shape ``[..., S, A]``; sums to 1 where nothing terminates and γ < 1."""
    states = lift(like(1, game.system) - game.discount, 1) * visits(game, policy, start)
    return np.asarray(states[..., None] * policy.joint())


def stationary_distribution(game: Game, policy: Policy, recurrent_class: tuple[int, ...] | None = None) -> Array:
    """``ν_π`` with ``ν_π P_π = ν_π`` and ``Σ ν_π = 1``, shape ``[..., S]``; zero on transient states.

    Computed as the expected visits to each state between two visits of one recurrent state, so without subtraction of
    like numbers.  Raises :class:`GameError` where there is none, or several recurrent classes and no choice.
    """
    chain = induced_transition(game, policy)
    reach = reachable(support(chain))
    lasting = recurrent(game, policy)
    if (lasting == UNKNOWN).any():
        raise UndecidedError(
            "whether P_π loses mass cannot be told from these balls; convert an exact game with .balls()"
        )
    inside = lasting > 0
    if recurrent_class is not None:
        states = sorted(set(recurrent_class))
        if not states or not 0 <= states[0] <= states[-1] < game.states:
            raise GameError(f"recurrent_class {recurrent_class} names no states of 0..{game.states - 1}")
        chosen = np.zeros(game.states, bool)
        chosen[states] = True
        closed = (reach[..., states[0], :] == chosen).all() and inside[..., states[0]].all()
        if not closed:
            raise GameError(f"the states {tuple(states)} are not one recurrent class of P_π")
        inside = inside & chosen
    _require_one_class(game, reach, inside)
    reference = np.eye(game.states, dtype=bool)[np.argmax(inside, axis=-1)]
    between_returns = inside[..., :, None] & inside[..., None, :] & ~reference[..., None, :]
    matrix = identity(game.states, game.system) - select(between_returns, chain, like(0, chain))
    target = like(reference.astype(int), game.system)[..., None]
    counts = solve(np.swapaxes(matrix, -1, -2), target)[..., 0]
    return np.asarray(counts / counts.sum(-1, keepdims=True))


def _require_one_class(game: Game, reach: Mask, inside: Mask) -> None:
    none = ~inside.any(-1)
    several = (inside[..., :, None] & inside[..., None, :] & ~reach).any((-1, -2))
    for problem in (none, several):
        if not problem.any():
            continue
        index = tuple(int(i) for i in np.argwhere(problem)[0]) if problem.ndim else ()
        where = f" at batch index {list(index)}" if index else ""
        names = game.state_names or tuple(map(str, range(game.states)))
        if not inside[index].any():
            raise GameError(
                f"P_π has no stationary distribution{where}: from every state it terminates sooner or later"
            )
        groups = {tuple(np.flatnonzero(reach[index][s] & inside[index])) for s in np.flatnonzero(inside[index])}
        listed = "; ".join("{" + ", ".join(names[s] for s in group) + "}" for group in sorted(groups))
        raise GameError(
            f"P_π has several recurrent classes{where}: {listed}; its stationary distribution is not unique, "
            "pass recurrent_class=(states of one of them)"
        )


def state_action_distribution(states: Array, policy: Policy, m: int | None = None) -> Array:
    """``ν(s) π^{1:m}(a^{1:m}|s)``, shape ``[..., S, |A_1|···|A_m|]``; all agents by default, and then ``σ = ν·π``."""
    prefixes = policy.prefix_probabilities()[policy.agents if m is None else m]
    return np.asarray(states[..., None] * prefixes)
