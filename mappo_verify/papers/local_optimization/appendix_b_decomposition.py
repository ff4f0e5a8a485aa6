"""Lemma B.3: the multi-agent advantage decomposition, and where advantages have mean zero."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from itertools import pairwise, permutations
from operator import and_

import numpy as np

from ...arithmetic import Array, support
from ...claims.case import Case
from ...claims.claim import Claim, Kind, Line, equal, line
from ...claims.coordinates import Sizes
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...model.agents import split_last
from ...quantities.agent_values import (
    Reading,
    agent_advantages,
    agent_values,
    conditional_marginal,
    defined_at,
    subset_average,
)
from ...quantities.values import action_values
from .common import total
from .section_3 import GAME_AND_POLICY, GAME_AND_PRODUCT_POLICY, ONE_BY_TWO, TWO_BY_TWO, subsets_of

READINGS: tuple[Reading, ...] = ("conditioning", "intervention")


def telescoping(case: Case) -> Iterator[Line]:
    """``A^P = Σ A^i`` along every order of every subset ``P``, in both readings; first the paper's own order."""
    game, policy = case.game, case.policy
    values, advantages = agent_values(game, policy), agent_advantages(game, policy)
    for m in range(1, game.agents + 1):
        yield line(f"A^{{1:{m}}}(s, a^{{1:{m}}}) = Q^{{1:{m}}} - V", values[m] - values[0])
        yield equal(
            f"Σ_{{i≤{m}}} A^i(s, a^{{1:i-1}}, a^i)",
            _sum_along_prefix(advantages[:m]),
            because="the sum telescopes: each Q^{1:i} enters once with either sign",
        )
    table = action_values(game, policy)
    for reading in READINGS:
        averages = {kept: subset_average(table, policy, kept, reading) for kept in subsets_of(game.agents)}
        defined = {kept: defined_at(policy, kept, reading) for kept in averages}
        for kept in averages:
            for order in permutations(kept):
                if len(order) > 1 and order != tuple(range(1, len(order) + 1)):
                    yield from _telescope(reading, order, averages, defined)


def _sum_along_prefix(advantages: tuple[Array, ...]) -> Array:
    """Σ_i A^i, each repeated along the actions of the later agents."""
    width = advantages[-1].shape[-1]
    return total([np.repeat(advantage, width // advantage.shape[-1], axis=-1) for advantage in advantages])


def _telescope(
    reading: Reading,
    order: tuple[int, ...],
    averages: dict[tuple[int, ...], Array],
    defined: Mapping[tuple[int, ...], Array],
) -> Iterator[Line]:
    name = ", ".join(map(str, order))
    steps = [tuple(sorted(order[:k])) for k in range(len(order) + 1)]
    where = reduce(and_, (defined[step] for step in steps))
    parts = total([averages[after] - averages[before] for before, after in pairwise(steps)])
    whole = averages[steps[-1]] - averages[steps[0]]
    yield line(
        f"A^P(s, a^P), agents in the order {name}, {reading}",
        whole.ravel(),
        where=np.broadcast_to(where, whole.shape).ravel(),
    )
    yield equal(
        "Σ_i A^i(s, a^{those before i}, a^i)",
        np.broadcast_to(parts, whole.shape).ravel(),
        because="the sum telescopes along any order",
    )


def zero_mean(case: Case) -> Iterator[Line]:
    """``Σ_a π^m(a|s, p) A^m(s, p, a) = 0`` on prefixes."""
    for m, (advantage, factor) in enumerate(
        zip(agent_advantages(case.game, case.policy), case.policy.factors, strict=False), start=1
    ):
        rows = split_last(advantage, factor.shape[-1])
        yield line(f"Σ_a π^{m}(a|s, p) A^{m}(s, p, a)", (rows * factor).sum(-1))
        yield equal("0", 0, because=f"Q^{{1:{m - 1}}} is the π^{m}-average of Q^{{1:{m}}}")


def _zero_mean_of_subsets(case: Case, reading: Reading) -> Iterator[Line]:
    """``Σ_{a^{P'}} w(a^{P'} | s, a^P) A^{P'}(s, a^P, a^{P'}) = 0`` for all disjoint ``P``, ``P'``, in one reading."""
    game, policy = case.game, case.policy
    table = action_values(game, policy)
    averages = {kept: subset_average(table, policy, kept, reading) for kept in subsets_of(game.agents)}
    for given in averages:
        for chosen in averages:
            if not chosen or set(given) & set(chosen):
                continue
            both = tuple(sorted(given + chosen))
            weights = conditional_marginal(policy, given, chosen, reading)
            axes = tuple(agent - 1 - game.agents for agent in chosen)
            mean = (weights * (averages[both] - averages[given])).sum(axis=axes, keepdims=True)
            label = f"P = {set(given) or '{}'}, P' = {set(chosen)}"
            # Conditioning on both is needed at every a^P' that has weight; a prefix P is defined even where π(a^P|s) = 0.
            known = defined_at(policy, both, reading) | ~support(np.broadcast_to(weights, averages[both].shape))
            where = defined_at(policy, given, reading) & known.all(axis=axes, keepdims=True)
            yield line(f"Σ π(a^P'|s, a^P) A^P'(s, a^P, a^P'), {label}", mean.ravel(), where=where.ravel())
            yield equal("0", 0, because=f"the tower property under {reading}")


def zero_mean_conditioning(case: Case) -> Iterator[Line]:
    """The mean under Bayes' weights."""
    yield from _zero_mean_of_subsets(case, "conditioning")


def zero_mean_intervention(case: Case) -> Iterator[Line]:
    """The mean under the weights of the intervention."""
    yield from _zero_mean_of_subsets(case, "intervention")


def _small(setting: Setting) -> Setting:
    """At most three agents: the number of orders grows like N!."""
    return Setting(setting.name, setting.ingredients, setting.hypotheses, agents=(1, 3), states=(1, 2), max_agents=4)


CLAIMS = (
    Claim(
        "lemma-b.3",
        "Multi-agent advantage decomposition, in every order and both readings",
        "Appendix B, Lemma B.3",
        _small(GAME_AND_POLICY),
        telescoping,
        statement="A^{1:m}(s, a^{1:m}) = Σ_{i≤m} A^i(s, a^{1:i-1}, a^i), and the same along any order of any subset",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO, TWO_BY_TWO),
        points=(Sizes(2, (2, 3)), Sizes(2, (2, 2, 2))),
    ),
    Claim(
        "lemma-b.3/zero-mean",
        "Advantages have mean zero under the agent's own factor",
        "Appendix B, proof of Lemma 4.1",
        GAME_AND_POLICY,
        zero_mean,
        statement="Σ_a π^m(a|s, a^{1:m-1}) A^m(s, a^{1:m-1}, a) = 0",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO, TWO_BY_TWO),
        points=(Sizes(2, (2, 3)), Sizes(2, (2, 2, 2))),
    ),
    Claim(
        "lemma-b.3/zero-mean-product",
        "Mean zero for every pair of subsets, if the policy is a product",
        "Appendix B, general subsets of Definition 3.1",
        _small(GAME_AND_PRODUCT_POLICY),
        zero_mean_intervention,
        statement="Σ_{a^P'} π(a^P'|s) A^P'(s, a^P, a^P') = 0 for disjoint P, P' and product policies",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO, TWO_BY_TWO),
        points=(Sizes(2, (2, 2, 2)),),
        kind=Kind.READING,
    ),
    Claim(
        "lemma-b.3/zero-mean-conditioning",
        "Mean zero for every pair of subsets under conditioning, with Bayes' weights",
        "Appendix B, general subsets of Definition 3.1",
        _small(GAME_AND_POLICY),
        zero_mean_conditioning,
        statement="Σ_{a^P'} π(a^P'|s, a^P) A^P'(s, a^P, a^P') = 0 for disjoint P, P', wherever π(a^P|s) > 0",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO,),
        points=(Sizes(2, (2, 2)), Sizes(2, (2, 2, 2))),
        note="Where Q^{P ∪ P'} is undefined (Bayes on an event of probability 0) the sum is not asked.",
        kind=Kind.READING,
    ),
    Claim(
        "lemma-b.3/zero-mean-intervention",
        "Mean zero for every pair of subsets under intervention",
        "Appendix B, general subsets of Definition 3.1",
        _small(GAME_AND_POLICY),
        zero_mean_intervention,
        statement="Σ_{a^P'} π(a^P'|s, do(a^P)) A^P'(s, a^P, a^P') = 0 for disjoint P, P' and every policy",
        record=Standing.REFUTED,
        note="The proofs need it on prefixes only, where it holds (lemma-b.3/zero-mean).",
        repaired_by="lemma-b.3/zero-mean-conditioning",
        kind=Kind.READING,
    ),
)
