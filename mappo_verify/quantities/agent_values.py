"""Values of some of the agents: ``Q^{1:m}``, ``A^m``, and the same for any subset.

The others follow ``π``::

    Q^{1:m}(s, a^{1:m}) = E_{a^{m+1:N} ~ π(·|s, a^{1:m})} Q_π(s, a)      Q^{1:0} = V_π,  Q^{1:N} = Q_π
    A^m(s, a^{1:m-1}, a^m) = Q^{1:m}(s, a^{1:m}) - Q^{1:m-1}(s, a^{1:m-1})

so the advantages telescope: ``A^1 + ··· + A^N = Q_π - V_π``.  For a subset ``P`` that is no prefix and a policy that is no
product, Definition 3.1 has two readings:

* *conditioning*: the others are drawn from ``π(· | s, a^P)``, by Bayes;
* *intervention*: ``a^P`` is clamped and every other agent keeps its factor.

They agree on prefixes and on product policies.  Source: Definition 3.1, Lemma B.3.

The coordination game below pays 1 when both agents play alike.  If both play evenly, agent 1 alone can do nothing
(``A^1 = 0``), and agent 2, who sees what agent 1 does, decides everything (``A^2 = ±1/2``).

>>> import mappo_verify as mv
>>> game = mv.Game([[[0], [0], [0], [0]]], [[1, 0, 0, 1]], 0, action_sizes=(2, 2))
>>> [a.tolist() for a in mv.agent_advantages(game, mv.Policy.uniform(game))]
[[[0.0, 0.0]], [[0.5, -0.5, -0.5, 0.5]]]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..arithmetic import (
    TRUE,
    Array,
    Truth,
    both,
    choose,
    denominator,
    either,
    everywhere,
    is_hidden,
    negation,
    ones,
    possible,
    support,
    truth_of,
)
from ..arithmetic.explained import explained
from ..arithmetic.formulas import operation_of_many
from ..arithmetic.functions import known, true_everywhere
from ..errors import GameError
from ..model import Game, Policy
from ..model.agents import agent_axes, average_out_last, axis_of, factor_axes, join_last, split_last
from .values import action_values, relative_values

Reading = Literal["conditioning", "intervention"]


def average_out(table: Array, policy: Policy, above: int, down_to: int = 0) -> tuple[Array, ...]:
    """Average agents ``above, ..., down_to+1`` (counted from 1) out of a prefix table of agent ``above``, one by one.

    Returns the tables of agents ``down_to, ..., above``, in this order; ``table`` itself is the last.
    """
    tables = [table]
    for factor in reversed(policy.factors[down_to:above]):
        tables.append(average_out_last(tables[-1], factor))
    return tuple(reversed(tables))


@explained
def agent_values(game: Game, policy: Policy) -> tuple[Array, ...]:
    """``(Q^{1:0}, ..., Q^{1:N})``, each of shape ``[..., S, |A_1|···|A_m|]``.  Source: Definition 3.1."""
    return average_out(action_values(game, policy), policy, game.agents)


def advantages_of(values: tuple[Array, ...], policy: Policy) -> tuple[Array, ...]:
    """``(A^1, ..., A^N)`` from ``(Q^{1:0}, ..., Q^{1:N})``."""
    return tuple(
        join_last(split_last(above, factor.shape[-1]) - below[..., None])
        for below, above, factor in zip(values, values[1:], policy.factors, strict=False)
    )


@explained
def agent_advantages(game: Game, policy: Policy) -> tuple[Array, ...]:
    """``(A^1, ..., A^N)``, each of shape ``[..., S, |A_1|···|A_m|]``: ``A^m = Q^{1:m} - Q^{1:m-1}``.  Source: Definition 3.1."""
    return advantages_of(relative_agent_values(game, policy), policy)


def relative_agent_values(game: Game, policy: Policy) -> tuple[Array, ...]:
    """``Q^{1:m} - c`` as :func:`agent_values`, for differences; ``c`` is that of :func:`~.values.relative_values`."""
    return average_out(relative_values(game, policy)[1], policy, game.agents)


# --- any subset of agents -------------------------------------------------------------------------------------------


def members(agents: Iterable[int], total: int) -> tuple[int, ...]:
    """A subset of the agents 1..N, sorted, validated."""
    subset = tuple(sorted(set(agents)))
    if subset and not 1 <= subset[0] <= subset[-1] <= total:
        raise GameError(f"agents {subset} are not all in 1..{total}")
    return subset


def _sum_out(table: Array, agents: Iterable[int], total: int) -> Array:
    """Sum the axes of these agents out, keeping them with length 1."""
    axes = tuple(axis_of(agent - 1, total) for agent in agents)
    return table.sum(axis=axes, keepdims=True) if axes else table


def _is_prefix(subset: tuple[int, ...]) -> bool:
    return subset == tuple(range(1, len(subset) + 1))


def marginal(policy: Policy, subset: Iterable[int]) -> Array:
    """``π(a^P | s)``, shape ``[..., S, |A_1| or 1, ..., |A_N| or 1]``: agents outside ``P`` keep an axis of length 1."""
    kept = members(subset, policy.agents)
    others = [m for m in range(1, policy.agents + 1) if m not in kept]
    return _sum_out(agent_axes(policy.joint(), policy.action_sizes), others, policy.agents)


@operation_of_many
def companion_weights(policy: Policy, subset: Iterable[int], reading: Reading) -> Array:
    """How the agents outside ``P`` are weighted once ``a^P`` is fixed, shape ``[..., S, |A_1|, ..., |A_N|]``.

    *conditioning*: ``π(a | s) / π(a^P | s)``, with ``0/0 := 0`` (see :func:`defined_at`);
    *intervention*: ``Π_{j ∉ P} π^j(a^j | s, a^{1:j-1})``.
    """
    kept = members(subset, policy.agents)
    clamped = ones((1,) * (policy.agents + 1), policy.system)
    for m, factor in enumerate(policy.factors):
        if m + 1 not in kept:
            clamped = clamped * factor_axes(factor, m, policy.action_sizes)
    if _same_reading(kept, reading):
        return clamped
    agree = truth_of(policy.product_mask())
    if true_everywhere(agree):
        return clamped
    mass = marginal(policy, kept)
    agree = _over_core(agree, policy)
    # Where a^P has probability, conditioning a product policy clamps as well, so there it need not be known for one.
    impossible = negation(truth_of(possible(_positive(mass))))
    clamps = either(truth_of(known(agree)), both(agree, impossible))
    return choose(clamps, clamped, agent_axes(policy.joint(), policy.action_sizes) / denominator(mass))


def _positive(mass: Array) -> Truth:
    """Whether a probability is more than 0, by its zero pattern."""
    return truth_of(support(mass))


def _same_reading(kept: tuple[int, ...], reading: Reading) -> bool:
    """Whether this reading is the intervention for every policy: if it is asked for, and on prefixes."""
    if reading not in ("conditioning", "intervention"):
        raise GameError(f"unknown reading {reading!r}; use 'conditioning' or 'intervention'")
    return reading == "intervention" or _is_prefix(kept)


def _over_core(truth: Truth, policy: Policy) -> Truth:
    """Truth of the batch shape over states and every agent's actions."""
    return truth.reshape(truth.shape + (1,) * (policy.agents + 1))


def conditional_marginal(policy: Policy, given: Iterable[int], subset: Iterable[int], reading: Reading) -> Array:
    """How ``a^{P'}`` is distributed once ``a^P`` is fixed: ``Σ`` of :func:`companion_weights` over all agents outside both.

    Shape ``[..., S, |A_1| or 1, ..., |A_N| or 1]`` over ``P ∪ P'``; under conditioning this is ``π(a^{P'} | s, a^P)``.
    """
    known = members((*given, *subset), policy.agents)
    weights = companion_weights(policy, given, reading)
    weights = np.broadcast_to(weights, (*weights.shape[: -policy.agents], *policy.action_sizes))
    return _sum_out(weights, [m for m in range(1, policy.agents + 1) if m not in known], policy.agents)


def defined_at(policy: Policy, subset: Iterable[int], reading: Reading) -> npt.NDArray[np.bool_]:
    """Where ``Q^P(s, a^P)`` may be defined, shape as :func:`marginal`; three-valued of one instance.

    Everywhere, but for conditioning on an event of probability 0; prefixes and product policies are defined by the factors.
    """
    mass, kept = marginal(policy, subset), members(subset, policy.agents)
    always = _same_reading(kept, reading)
    agree = everywhere(TRUE, policy.batch_shape, policy.system) if always else truth_of(policy.product_mask())
    defined = either(_over_core(agree, policy), _positive(mass))
    return defined if is_hidden((mass,)) else possible(defined)  # type: ignore[return-value]


@explained
def subset_values(game: Game, policy: Policy, subset: Iterable[int], reading: Reading = "conditioning") -> Array:
    """``Q^P(s, a^P)``, shape ``[..., S, |A_1| or 1, ..., |A_N| or 1]``, agents outside ``P`` with length 1.

    Agents are counted from 1.  Where conditioning is undefined the entry is 0; :func:`defined_at` tells where.
    Source: Definition 3.1.
    """
    return subset_average(action_values(game, policy), policy, subset, reading)


def subset_average(table: Array, policy: Policy, subset: Iterable[int], reading: Reading = "conditioning") -> Array:
    """``E[f(s, a) | a^P]`` of any table ``f`` ``[..., S, A]``, in the shape of :func:`subset_values`."""
    kept = members(subset, policy.agents)
    others = [m for m in range(1, policy.agents + 1) if m not in kept]
    weighted = companion_weights(policy, kept, reading) * agent_axes(table, policy.action_sizes)
    return _sum_out(weighted, others, policy.agents)


@explained
def subset_advantages(
    game: Game, policy: Policy, given: Iterable[int], subset: Iterable[int], reading: Reading = "conditioning"
) -> Array:
    """``A^{P'}(s, a^P, a^{P'}) = Q^{P ∪ P'}(s, a^P, a^{P'}) - Q^P(s, a^P)`` for disjoint ``P`` (given) and ``P'``.

    Shape ``[..., S, |A_1| or 1, ..., |A_N| or 1]`` over ``P ∪ P'``.  Source: Definition 3.1.
    """
    given, subset = members(given, game.agents), members(subset, game.agents)
    if set(given) & set(subset):
        raise GameError(f"the subsets {given} and {subset} share agents; Definition 3.1 needs disjoint ones")
    table = action_values(game, policy)
    above, below = (subset_average(table, policy, known, reading) for known in (given + subset, given))
    return above - below
