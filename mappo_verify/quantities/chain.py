"""The Markov chain that a policy makes of a game, and what its zero pattern decides.

Which states reach which, where the chain may end, which classes are recurrent: all of it follows from *which* probabilities
are zero, so it is decided from masks and never from rounded numbers.  Truth is three-valued, since a ball around 1 cannot
tell whether a row of P loses mass.  Source: Section 3.1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..arithmetic import (
    Array,
    System,
    Truth,
    both,
    compare,
    contract,
    either,
    every,
    is_hidden,
    is_sparse,
    like,
    negation,
    some,
    support,
    truth_of,
)
from ..arithmetic.explained import explained
from ..arithmetic.one_instance import Truth as TruthOfOne
from ..errors import GameError
from ..model import Game, Policy

Mask = npt.NDArray[np.bool_]


@explained
def induced_transition(game: Game, policy: Policy) -> Array:
    """``P_π(s, s') = Σ_a π(a|s) P(s'|s, a)``, shape ``[..., S, S]``."""
    policy.require_fits(game)
    return contract("...sa,...sat->...st", policy.joint(), game.transition)


@explained
def induced_reward(game: Game, policy: Policy) -> Array:
    """``r_π(s) = Σ_a π(a|s) r(s, a)``, shape ``[..., S]``."""
    policy.require_fits(game)
    return contract("...sa,...sa->...s", policy.joint(), game.reward)


def reachable(pattern: Mask) -> Mask:
    """Reflexive and transitive closure of a pattern ``[..., S, S]``, by Warshall's algorithm; three-valued of one instance."""
    if isinstance(pattern, TruthOfOne):
        return pattern.closure()
    if pattern.all():
        return pattern
    states = np.arange(pattern.shape[-1])
    reach = np.array(pattern.transpose(-2, -1, *range(pattern.ndim - 2)), order="C")  # every step runs along the batch
    reach[states, states] = True
    for via in states:
        reach |= reach[:, via, None] & reach[via]
    return reach.transpose(*range(2, pattern.ndim), 0, 1)


def leaks(game: Game, policy: Policy) -> Truth:
    """Whether the chain may end at a state: some action that is played loses mass.  Shape ``[..., S]``."""
    return some(both(truth_of(support(policy.joint())), game.ends), -1)


def _some_reached(reach: Mask, truth: Truth) -> Truth:
    """Whether ``truth`` holds at some state that is reached, shape ``[..., S]``."""
    return some(both(truth_of(reach), truth[..., None, :]), -1)


def may_end(game: Game, policy: Policy) -> Truth:
    """Whether termination is reached from each state, shape ``[..., S]``."""
    chain = induced_transition(game, policy)
    if is_sparse(game.transition):
        return chain.reaches(leaks(game, policy))  # type: ignore[attr-defined,no-any-return]
    return _some_reached(reachable(support(chain)), leaks(game, policy))


@explained
def values_exist(game: Game, policy: Policy) -> Truth:
    """Whether ``I - γ P_π`` is invertible, shape ``[...]``: γ < 1, or every state reaches termination."""
    ends = every(may_end(game, policy), -1)
    return either(compare(game.discount, "<", like(1, game.discount)), ends)


def endless(game: Game, policy: Policy) -> tuple[tuple[int, ...], int] | None:
    """Batch index and state from which a game with γ = 1 certainly never ends, for a message; None if there is none to name."""
    if is_hidden((game.transition, *policy.factors)) or game.system not in (System.FLOATS, System.RATIONALS):
        return None
    certain = (compare(game.discount, "=", like(1, game.discount)) > 0)[..., None]
    never = may_end(game, policy) < 0
    found = np.argwhere(certain & never)
    return (tuple(int(i) for i in found[0][:-1]), int(found[0][-1])) if len(found) else None


def recurrent(game: Game, policy: Policy) -> Truth:
    """Which states are recurrent, shape ``[..., S]``: all they reach reaches them, and none of it ends."""
    return recurrent_in(reachable(support(induced_transition(game, policy))), leaks(game, policy))


def recurrent_in(reach: Mask, leaking: Truth) -> Truth:
    """:func:`recurrent`, from which states reach which ``[..., S, S]`` and where the chain may end ``[..., S]``."""
    mutual = truth_of((~reach | reach.swapaxes(-1, -2)).all(-1))
    return both(mutual, negation(_some_reached(reach, leaking)))


@explained
def has_stationary_distribution(game: Game, policy: Policy) -> Truth:
    """Whether ``P_π`` has exactly one recurrent class, so exactly one stationary distribution; shape ``[...]``."""
    reach = reachable(support(induced_transition(game, policy)))
    return one_class_in(reach, recurrent_in(reach, leaks(game, policy)))


def one_class_in(reach: Mask, lasting: Truth) -> Truth:
    """Whether the recurrent states ``[..., S]`` are there and all reach each other, shape ``[...]``."""
    separate = both(lasting[..., :, None], lasting[..., None, :], negation(truth_of(reach)))
    return both(some(lasting, -1), negation(some(separate, (-2, -1))))


@explained
def recurrent_classes(game: Game, policy: Policy) -> list[tuple[int, ...]]:
    """The recurrent (closed communicating) classes of ``P_π``, for a single game; states that may end belong to none."""
    if game.batch_shape or policy.batch_shape:
        raise GameError("recurrent_classes takes a single game and policy, not a batch")
    reach = reachable(support(induced_transition(game, policy)))
    classes: list[tuple[int, ...]] = []
    for state in np.flatnonzero(recurrent(game, policy) > 0):
        group = tuple(int(t) for t in np.flatnonzero(reach[state]))
        if group not in classes:
            classes.append(group)
    return classes
