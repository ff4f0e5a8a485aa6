"""Offline data as a distribution over transitions.

Agent ``m`` learns from data ``(s, a, s')``: ``s`` and ``a^{1:m}`` come from ``μ``, the agents after ``m`` follow ``π``, and
the game does the rest.  A sample of ``n`` such data and the law that it is drawn from are one kind of table, ``D(s, a, s')``,
with a last column for termination; everything that Section 5 and Appendix D compute from data is a function of it::

    law           D(s, a, s') = μ(s, a^{1:m}) π(a^{m+1:N}|s, a^{1:m}) P(s'|s, a)
    sample        D(s, a, s') = how often (s, a, s') was drawn, divided by n
    ρ(s, a^{1:m}) = Σ D                              how often a point occurs
    y_f(s, a^{1:m}) = Σ D · (r + γ f(s', π^{1:m}))   the target of f there, times ρ

Source: Section 5, Definition 5.3, Appendix C.1.

One state that repeats with probability 1/2; half of four draws did:

>>> import numpy as np, mappo_verify as mv
>>> game = mv.Game([[[0.5]]], [[1]], 0.5)
>>> policy, everywhere = mv.Policy.uniform(game), np.ones((1, 1))
>>> law = law_of_data(game, policy, everywhere, 1)
>>> law.tolist(), frequencies(law, np.array([[[1.0, 3.0]]])).tolist()
([[[0.5, 0.5]]], [[[0.25, 0.75]]])
"""

from __future__ import annotations

from ..arithmetic import Array, contract, lift, like, moveaxis, select, support, zeros
from ..arithmetic.explained import explained
from ..model import Game, Policy
from ..model.agents import extend, prefixes_of, sum_out_later
from ..model.validation import require_shape
from .agent_values import average_out
from .bellman_error import Moments, moments_of


@explained
def law_of_data(game: Game, policy: Policy, distribution: Array, m: int) -> Array:
    """``D(s, a, s')``, ``[..., S, A, S+1]``, the last column termination, for ``μ`` of shape ``[..., S, |A_1|···|A_m|]``."""
    require_shape("μ", distribution, (game.states, prefixes_of(game.action_sizes, m)), "[..., S, |A_1|···|A_m|]")
    joint = distribution
    for factor in policy.factors[m:]:
        joint = extend(joint, factor)
    return joint[..., None] * game.outcomes


def possible(law: Array, counts: Array) -> Array:
    """The counts of a sample, ``[..., S, A, S+1]``, with 0 for what cannot happen."""
    return select(support(law), counts, like(0, counts))


@explained
def frequencies(law: Array, counts: Array) -> Array:
    """How often each possible transition occurs in a sample, ``[..., S, A, S+1]``."""
    occurs = possible(law, counts)
    return occurs / occurs.sum((-3, -2, -1), keepdims=True)


def listed(tables: Array, axes: int) -> Array:
    """A list of tables ``[F, ..., S, |A_1|···|A_m|]`` with room for ``axes`` batch axes behind that of the list."""
    return tables.reshape(len(tables), *(1,) * (axes + 3 - tables.ndim), *tables.shape[1:])


def regression(game: Game, policy: Policy, tables: Array, data: Array, m: int) -> tuple[Array, Array]:
    """``ρ(s, a^{1:m})``, and the sums of the targets ``r + γ f(s', π^{1:m})`` there for every ``f`` of a list.

    Shapes ``[..., S, |A_1|···|A_m|]`` and ``[F, ..., S, |A_1|···|A_m|]``.
    """
    axes = max(data.ndim - 3, len(game.batch_shape), len(policy.batch_shape))
    follow = average_out(listed(tables, axes), policy, m)[0][..., 0]
    reached = contract("...sat,...t->...sa", data[..., :-1], follow)
    occurs = data.sum(-1)
    targets = occurs * game.reward + lift(game.discount, 2) * reached
    return sum_out_later(occurs, game.action_sizes, m), sum_out_later(targets, game.action_sizes, m)


@explained
def data_moments(game: Game, policy: Policy, features: Array, data: Array, m: int) -> Moments:
    """``Σ``, ``A``, ``b`` of the data for agent ``m``, with features ``[..., S·|A_1|···|A_m|, d]`` as in ``population_moments``.

    On the law of the data these are the population moments.
    """
    columns = prefixes_of(game.action_sizes, m)
    points, dimension = game.states * columns, features.shape[-1]
    tables = moveaxis(features.reshape(*features.shape[:-2], game.states, columns, dimension), -1, 0)
    nothing = zeros((1, game.states, columns), game.system)
    occurs, (reward,) = regression(game, policy, nothing, data, m)
    _, targets = regression(game, policy, tables, data, m)
    weight = select(support(occurs), occurs, like(1, occurs))  # where nothing occurs, nothing is summed
    following = moveaxis((targets - reward) / weight, 0, -1)
    return moments_of(
        features,
        following.reshape(*following.shape[:-3], points, dimension),
        (reward / weight).reshape(*reward.shape[:-2], points),
        occurs.reshape(*occurs.shape[:-2], points),
    )
