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
import numpy.typing as npt

from ..arithmetic import Array, System, Truth, compare, either, identity, lift, like, select, solve, support, truth_of
from ..errors import GameError
from ..model import Game, Policy
from .values import bellman_matrix, induced_transition, solve_bellman, start_of

Mask = npt.NDArray[np.bool_]


def visits(game: Game, policy: Policy, start: Any = None) -> Array:
    """``d^π_ρ = ρᵀ (I - γ P_π)⁻¹``, shape ``[..., S]``: expected discounted visits from ``ρ`` (default: the game's start).

    Non-negative; they sum to ``1/(1-γ)`` where nothing terminates.
    """
    start = start_of(game, start)
    transposed = np.swapaxes(bellman_matrix(game, policy), -1, -2)
    return solve_bellman(transposed, start[..., None])[..., 0]


def occupancy(game: Game, policy: Policy, start: Any = None) -> Array:
    """``d_π(s, a) = (1-γ) d^π_ρ(s) π(a|s)``, shape ``[..., S, A]``; sums to 1 where nothing terminates and γ < 1."""
    states = lift(like(1, game.system) - game.discount, 1) * visits(game, policy, start)
    return np.asarray(states[..., None] * policy.joint())


def recurrent_classes(game: Game, policy: Policy) -> list[tuple[int, ...]]:
    """The recurrent (closed communicating) classes of ``P_π``, for a single game; terminating states belong to none."""
    pattern = support(induced_transition(game, policy))
    if pattern.ndim != 2:
        raise GameError("recurrent_classes takes a single game and policy, not a batch")
    members = _recurrent(pattern, _leaks(game, policy))
    reach = _reachable(pattern)
    classes: list[tuple[int, ...]] = []
    for state in np.flatnonzero(members):
        group = tuple(int(t) for t in np.flatnonzero(reach[state]))
        if group not in classes:
            classes.append(group)
    return classes


def _reachable(pattern: Mask) -> Mask:
    """Reflexive and transitive closure of ``[..., S, S]``, by repeated squaring."""
    size = pattern.shape[-1]
    reach = pattern | np.eye(size, dtype=bool)
    for _ in range(max(size - 1, 1).bit_length()):
        reach = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0
    return np.asarray(reach)


def _leaks(game: Game, policy: Policy) -> Mask:
    """States from which ``P_π`` terminates with positive probability, ``[..., S]``."""
    if game.system is System.SYMBOLS:
        return np.zeros(game.states, bool)
    mass = np.asarray(induced_transition(game, policy).sum(-1))
    slack = 1e-9 if game.system is System.FLOATS else 0
    return compare(mass, "<", like(1, mass) - slack) > 0


def _recurrent(pattern: Mask, leaks: Mask) -> Mask:
    """States that return to themselves for ever: whatever they reach reaches them, and none of it terminates."""
    reach = _reachable(pattern)
    mutual = np.all(~reach | np.swapaxes(reach, -1, -2), axis=-1)
    return np.asarray(mutual & ~np.any(reach & leaks[..., None, :], axis=-1))


def stationary_distribution(game: Game, policy: Policy, recurrent_class: tuple[int, ...] | None = None) -> Array:
    """``ν_π`` with ``ν_π P_π = ν_π`` and ``Σ ν_π = 1``, shape ``[..., S]``; zero on transient states.

    Computed as the expected visits to each state between two visits of one recurrent state, so without subtraction of
    like numbers.  Raises :class:`GameError` where there is none, or several recurrent classes and no choice.
    """
    chain = induced_transition(game, policy)
    pattern = support(chain)
    recurrent = _recurrent(pattern, np.broadcast_to(_leaks(game, policy), pattern.shape[:-1]))
    if recurrent_class is not None:
        states = sorted(set(recurrent_class))
        if not states or not 0 <= states[0] <= states[-1] < game.states:
            raise GameError(f"recurrent_class {recurrent_class} names no states of 0..{game.states - 1}")
        chosen = np.zeros(game.states, bool)
        chosen[states] = True
        closed = (_reachable(pattern)[..., states[0], :] == chosen).all() and recurrent[..., states[0]].all()
        if not closed:
            raise GameError(f"the states {tuple(states)} are not one recurrent class of P_π")
        recurrent = recurrent & chosen
    _require_one_class(game, pattern, recurrent)
    reference = np.eye(game.states, dtype=bool)[np.argmax(recurrent, axis=-1)]
    inside = recurrent[..., :, None] & recurrent[..., None, :] & ~reference[..., None, :]
    between = identity(game.states, game.system) - select(inside, chain, like(0, chain))
    target = like(reference.astype(int), game.system)[..., None]
    counts = solve(np.swapaxes(between, -1, -2), target)[..., 0]
    return np.asarray(counts / counts.sum(-1, keepdims=True))


def _require_one_class(game: Game, pattern: Mask, recurrent: Mask) -> None:
    reach = _reachable(pattern)
    separate = recurrent[..., :, None] & recurrent[..., None, :] & ~reach
    none = ~recurrent.any(-1)
    for problem in (none, separate.any((-1, -2))):
        if not problem.any():
            continue
        index = tuple(int(i) for i in np.argwhere(problem)[0]) if problem.ndim else ()
        where = f" at batch index {list(index)}" if index else ""
        names = game.state_names or tuple(map(str, range(game.states)))
        if not recurrent[index].any():
            raise GameError(
                f"P_π has no stationary distribution{where}: from every state it terminates sooner or later"
            )
        groups = {tuple(np.flatnonzero(reach[index][s] & recurrent[index])) for s in np.flatnonzero(recurrent[index])}
        listed = "; ".join("{" + ", ".join(names[s] for s in group) + "}" for group in sorted(groups))
        raise GameError(
            f"P_π has several recurrent classes{where}: {listed}; its stationary distribution is not unique, "
            "pass recurrent_class=(states of one of them)"
        )


def state_action_distribution(states: Array, policy: Policy, m: int | None = None) -> Array:
    """``ν(s) π^{1:m}(a^{1:m}|s)``, shape ``[..., S, |A_1|···|A_m|]``; all agents by default, and then ``σ = ν·π``."""
    prefixes = policy.prefix_probabilities()[policy.agents if m is None else m]
    return np.asarray(states[..., None] * prefixes)


def values_exist(game: Game, policy: Policy) -> Truth:
    """Whether ``I - γ P_π`` is invertible, shape ``[...]``: γ < 1, or every state reaches termination.

    Decided from the zero pattern of ``P_π``, not from a determinant.
    """
    pattern = support(induced_transition(game, policy))
    ends = (_reachable(pattern) & _leaks(game, policy)[..., None, :]).any(-1).all(-1)
    discounted = compare(game.discount, "<", like(1, game.discount))
    return either(discounted, truth_of(ends))


def has_stationary_distribution(game: Game, policy: Policy) -> Truth:
    """Whether ``P_π`` has exactly one recurrent class and never terminates from it, shape ``[...]``."""
    pattern = support(induced_transition(game, policy))
    recurrent = _recurrent(pattern, np.broadcast_to(_leaks(game, policy), pattern.shape[:-1]))
    separate = recurrent[..., :, None] & recurrent[..., None, :] & ~_reachable(pattern)
    return truth_of(recurrent.any(-1) & ~separate.any((-1, -2)))
