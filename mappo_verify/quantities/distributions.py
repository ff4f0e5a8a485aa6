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

from ..arithmetic import (
    TRUE,
    UNKNOWN,
    Array,
    System,
    choose,
    compare,
    everywhere,
    first_of,
    is_hidden,
    lift,
    like,
    negation,
    support,
    system_of,
)
from ..arithmetic.absorbing import visits_until_absorption
from ..arithmetic.explained import explained
from ..arithmetic.functions import at_least_zero, true_everywhere
from ..arithmetic.numbers import bare
from ..errors import GameError, UndecidedError
from ..model import Game, Policy
from ..model.agents import require_prefix
from .chain import Mask, induced_transition, leaks, one_class_in, reachable, recurrent_in
from .values import solve_bellman, start_of


@explained
def visits(game: Game, policy: Policy, start: Any = None) -> Array:
    """``d^π_ρ = ρᵀ (I - γ P_π)⁻¹``, shape ``[..., S]``: expected discounted visits from ``ρ`` (default: the game's start).

    Non-negative; they sum to ``1/(1-γ)`` where nothing terminates.
    """
    first = start_of(game, start)
    counts = solve_bellman(game, policy, first, transposed=True)
    known = bare(system_of(counts)) is System.SYMBOLS and true_everywhere(compare(first, "≥", 0))
    return at_least_zero(counts) if known else counts  # a sign that elimination hides: they are Σ_t γᵗ ρ P_πᵗ


@explained
def occupancy(game: Game, policy: Policy, start: Any = None) -> Array:
    """``d_π(s, a) = (1-γ) d^π_ρ(s) π(a|s)``, shape ``[..., S, A]``; sums to 1 where nothing terminates and γ < 1."""
    states = lift(like(1, game.system) - game.discount, 1) * visits(game, policy, start)
    return states[..., None] * policy.joint()


@explained
def stationary_distribution(game: Game, policy: Policy, recurrent_class: tuple[int, ...] | None = None) -> Array:
    """``ν_π`` with ``ν_π P_π = ν_π`` and ``Σ ν_π = 1``, shape ``[..., S]``; exactly zero on transient states.

    Computed as the expected visits to each state between two visits of one recurrent state, by an elimination that subtracts
    nothing (Grassmann, Taksar and Heyman 1985), so every probability is right to rounding, however small.  Raises
    :class:`GameError` where there is none, or several recurrent classes and no choice.
    """
    chain = induced_transition(game, policy)
    inside = _recurrent_class(game, policy, chain, recurrent_class)
    reference = first_of(inside)
    together = inside[..., :, None] & inside[..., None, :]
    nothing, one = like(0, chain), like(1, chain)
    onward = choose(together & ~reference[..., None, :], chain, nothing)
    returning = choose(together & reference[..., None, :], chain, nothing).sum(-1)
    leaving = choose(inside, returning, one)
    counts = visits_until_absorption(onward, leaving, choose(reference, one, nothing))
    return counts / counts.sum(-1, keepdims=True)


def _recurrent_class(game: Game, policy: Policy, chain: Array, chosen_class: tuple[int, ...] | None) -> Any:
    """Which states belong to the one recurrent class, or to the chosen one, shape ``[..., S]``; truth of one instance."""
    reach, leaking = reachable(support(chain)), leaks(game, policy)
    lasting = recurrent_in(reach, leaking)
    if is_hidden((chain,)):
        if chosen_class is not None:
            raise GameError("recurrent_class= is for plain games; in a proof, let a hypothesis make the class unique")
        if bare(system_of(chain)) is System.SYMBOLS and true_everywhere(negation(leaking)):
            return everywhere(TRUE, (game.states,), chain)  # a proof holds where what it divides by is not 0
        if not true_everywhere(one_class_in(reach, lasting)):
            raise GameError(
                "P_π of some instance has no stationary distribution, or several; make that a hypothesis of the claim"
            )
        return lasting
    if (lasting == UNKNOWN).any():
        raise UndecidedError(
            "whether P_π loses mass cannot be told from these balls; convert an exact game with .balls()"
        )
    inside = lasting > 0
    if chosen_class is not None:
        states = sorted(set(chosen_class))
        if not states or not 0 <= states[0] <= states[-1] < game.states:
            raise GameError(f"recurrent_class {chosen_class} names no states of 0..{game.states - 1}")
        chosen = np.zeros(game.states, bool)
        chosen[states] = True
        closed = (reach[..., states[0], :] == chosen).all() and inside[..., states[0]].all()
        if not closed:
            raise GameError(f"the states {tuple(states)} are not one recurrent class of P_π")
        inside = inside & chosen
    _require_one_class(game, reach, inside)
    return inside


def _require_one_class(game: Game, reach: Mask, inside: Mask) -> None:
    if reach.all() and inside.all():
        return
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


@explained
def state_action_distribution(states: Array, policy: Policy, m: int | None = None) -> Array:
    """``ν(s) π^{1:m}(a^{1:m}|s)``, shape ``[..., S, |A_1|···|A_m|]``; all agents by default, and then ``σ = ν·π``."""
    last = policy.agents if m is None else m
    require_prefix(last, policy.agents)
    return states[..., None] * policy.prefix_probabilities()[last]
