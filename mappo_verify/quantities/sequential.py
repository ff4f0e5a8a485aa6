"""The sequential game: the agents choose one after the other, and a single agent plays for all of them.

Its states are ``(s, a^{1:j})`` for ``j = 0..N-1``, where agent ``j+1`` chooses.  Only the action of agent ``N`` earns
``r(s, a)``, discounts by γ and changes the state.  The discount is part of the transition (as termination), so the
sequential game itself has discount 1.  Its action values are all the ``Q^{1:m}`` at once.
Source: the sequential reading of Definition 3.1.

>>> import mappo_verify as mv
>>> game = mv.Game([[[1], [1], [1], [1]]], [[1, 0, 0, 1]], 0.5, action_sizes=(2, 2))
>>> sequential = sequential_game(game)
>>> sequential.states, sequential.actions, sequential.transition[1, 0].tolist()
(3, 2, [0.5, 0.0, 0.0])
"""

from __future__ import annotations

from itertools import accumulate

import numpy as np

from ..arithmetic import UNKNOWN, Array, everywhere, lift, like, ones, zeros
from ..arithmetic.explained import explained
from ..model import Game, Policy
from ..model.agents import prefix_sizes
from ..model.validation import unchecked


def _offsets(game: Game) -> tuple[int, ...]:
    """Where the states of each level begin, and the total."""
    levels = [game.states * prefixes for prefixes in prefix_sizes(game.action_sizes)[:-1]]
    return tuple(accumulate(levels, initial=0))


@explained
def sequential_game(game: Game) -> Game:
    """The single-agent game on states ``(s, a^{1:j})``, level by level, ``s`` slowest within a level.

    It has ``max |A_m|`` actions; those that an agent does not have terminate and earn nothing.
    """
    offsets, batch = _offsets(game), game.batch_shape
    last, total, width = offsets[-2], offsets[-1], max(game.action_sizes)
    rows, size = total - last, game.action_sizes[-1]
    extending = np.zeros((total, width, total - game.states), np.int8)  # earlier agents make prefixes longer, no more
    for j, choices in enumerate(game.action_sizes[:-1]):
        for prefix in range(offsets[j + 1] - offsets[j]):
            for a in range(choices):
                extending[offsets[j] + prefix, a, offsets[j + 1] - game.states + prefix * choices + a] = 1
    moves = _turned(lift(game.discount, 3) * game.transition, len(batch))  # copies go along the batch
    deciding = _padded(moves.reshape(rows, size, game.states, *batch), 1, width)
    onward = np.concatenate([zeros((last, width, game.states, *batch), game.system), deciding], axis=0)
    longer = like(extending, game.system).reshape(*extending.shape, *(1 for _ in batch))
    transition = np.concatenate([onward, np.broadcast_to(longer, (*extending.shape, *batch))], axis=2)
    earned = _padded(_turned(game.reward, len(batch)).reshape(rows, size, *batch), 1, width)
    reward = np.concatenate([zeros((last, width, *batch), game.system), earned], axis=0)
    return unchecked(  # the data is the game's own, which has been checked or is formal
        Game,
        transition=_turned(transition, 3),
        reward=_turned(reward, 2),
        discount=ones(batch, game.system),
        action_sizes=(width,),
        start=None,
        state_names=None,
        action_names=None,
        name=f"{game.name} (sequential)",
        system=game.system,
        ends=everywhere(UNKNOWN, (*batch, total, width), game.system),
    )


def _turned(table: Array, axes: int) -> Array:
    """So many of the first axes behind the others."""
    return np.transpose(table, (*range(axes, table.ndim), *range(axes))) if axes % table.ndim else table


def _padded(table: Array, axis: int, length: int) -> Array:
    """``table`` with zeros behind, up to ``length`` along ``axis``."""
    shape = list(table.shape)
    shape[axis] = length - shape[axis]
    return np.concatenate([table, zeros(tuple(shape), table)], axis=axis) if shape[axis] else table


@explained
def sequential_policy(policy: Policy) -> Policy:
    """The same behaviour as a policy of the sequential game."""
    width = max(policy.action_sizes)
    levels = []
    for factor in policy.factors:
        rows = factor.reshape(*policy.batch_shape, -1, factor.shape[-1])
        levels.append(_padded(rows, -1, width))
    return unchecked(Policy, factors=(np.concatenate(levels, axis=-2)[..., None, :],), system=policy.system)


@explained
def values_by_agent(game: Game, table: Array) -> tuple[Array, ...]:
    """Action values of the sequential game as ``(Q^{1:1}, ..., Q^{1:N})``, each ``[..., S, |A_1|···|A_m|]``."""
    offsets = _offsets(game)
    tables = []
    for m, size in enumerate(game.action_sizes):
        level = table[..., offsets[m] : offsets[m + 1], :size]
        tables.append(level.reshape(*level.shape[:-2], game.states, -1))
    return tuple(tables)
