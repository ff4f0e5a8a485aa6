"""Lemma C.7: a pessimistic critic underestimates the return, up to the error of the true values on the data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...arithmetic import Array, contract, like, smallest
from ...axioms import above_smallest, squares
from ...claims.case import Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, at_least, equal, line
from ...claims.coordinates import Sizes
from ...claims.general import General
from ...claims.ingredients import Derived, Distribution, GameData, PolicyData, PositiveScalar, PrefixTables, Table
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...model.agents import sum_out_later
from ...quantities.agent_values import agent_values
from ...quantities.bellman_error import (
    Moments,
    pessimistic_step,
    start_features,
)
from ...quantities.chain import values_exist
from ...quantities.data import data_moments
from ...quantities.values import returns
from .appendix_c_bellman_error import DIMENSION, joint_shape


def pessimism(case: Case) -> Iterator[Line]:
    """``J(π) ≥ min_f (f(s_0, π) + λE(f)) - λE(Q_π)`` for any functional ``E``, if the critics hold ``Q^{1:m}_π``."""
    game, policy, penalty = case.game, case.policy, case.penalty
    for m in range(1, game.agents + 1):
        prefixes = policy.prefix_probabilities()[m]
        own = contract("...s,...sp,...sp->...", game.start, prefixes, agent_values(game, policy)[m])
        error, other = case.errors[..., m - 1, 0], case.errors[..., m - 1, 1]
        objectives = np.stack([own + penalty * error, case.rivals[..., m - 1] + penalty * other], axis=-1)
        yield line("J(π)", returns(game, policy))
        yield equal(f"Q^{{1:{m}}}_π(s_0, π)", own, because="the tower property: definition-3.1")
        yield equal(
            f"[Q^{{1:{m}}}_π(s_0, π) + λE(Q^{{1:{m}}}_π, π)] - λE(Q^{{1:{m}}}_π, π)",
            objectives[..., 0] - penalty * error,
            because="λE(Q) enters once with either sign",
        )
        yield at_least(
            f"min over f ∈ {{Q^{{1:{m}}}_π, f}} of (f(s_0, π) + λE(f, π)) - λE(Q^{{1:{m}}}_π, π)",
            smallest(objectives) - penalty * error,
            because="Q^{1:m}_π is one of the critics",
            axiom=(above_smallest(objectives) * like([1, 0], penalty)).sum(-1),
        )


def over_all_weights(case: Case) -> Iterator[Line]:
    """The same with the minimum over all weights, where the objective is bounded below: the closed form attains it."""
    game, policy, penalty = case.game, case.policy, case.penalty
    for m in range(1, game.agents + 1):
        features, moments, direction = _evaluation(case, m)
        own = like([1, 0], penalty)
        slack = penalty * moments.error(own)
        step = pessimistic_step(moments, direction, penalty)
        yield line("J(π), where the objective is bounded below", returns(game, policy), where=step.bounded)
        yield equal(
            f"[Q^{{1:{m}}}_π(s_0, π) + λE(Q^{{1:{m}}}_π, π)] - λE(Q^{{1:{m}}}_π, π)",
            moments.objective(own, direction, penalty) - slack,
            because="lemma-c.7",
        )
        fit = (own - moments.projected(own)) - (step.weights - moments.projected(step.weights))
        law = sum_out_later(_cells(case).sum(-1), game.action_sizes, m).reshape(-1)
        yield at_least(
            f"min over all w of (f(s_0, π) + λE(f, π)) - λE(Q^{{1:{m}}}_π, π)",
            moments.objective(step.weights, direction, penalty) - slack,
            because="section-c.1/unconstrained: w⁺ minimises it, and the rest of the quadratic is λ times a sum of squares",
            axiom=(squares(contract("...xi,...i->...x", features, fit)) * law).sum(-1) * penalty,
        )


def _evaluation(case: Case, m: int) -> tuple[Array, Moments, Array]:
    """The features ``Q^{1:m}`` and another, their moments on the data, and ``φ(s_0, π)``."""
    game, policy = case.game, case.policy
    flat = agent_values(game, policy)[m].reshape(-1)
    other = case.other[m - 1].reshape(-1)
    features = np.stack(np.broadcast_arrays(flat, other), axis=-1)
    moments = data_moments(game, policy, features, _cells(case), m)
    return features, moments, start_features(game, policy, features, m, game.start)


def _errors(case: Case) -> Array:
    """``E(Q^{1:m})`` and ``E`` of the rival, for every agent, ``[N, 2]``."""
    found = []
    for m in range(1, case.game.agents + 1):
        _, moments, _ = _evaluation(case, m)
        found.append(np.stack([moments.error(like([1, 0], case.penalty)), moments.error(case.weights)], axis=-1))
    return np.stack(found, axis=-2)


def _rivals(case: Case) -> Array:
    """``f(s_0, π)`` of the rival, for every agent, ``[N]``."""
    agents = range(1, case.game.agents + 1)
    return np.stack([(_evaluation(case, m)[2] * case.weights).sum(-1) for m in agents], axis=-1)


def _cells(case: Case) -> Array:
    law = case.data
    return law.reshape(*law.shape[:-1], *joint_shape(case.sizes), case.sizes.states + 1)


EXISTS = Hypothesis("I - γP_π is invertible", lambda case: values_exist(case.game, case.policy))
REALIZABLE = Setting(
    "a game, a policy, any law of (s, a, s'), features Q^{1:m} and another, a rival critic, and a penalty",
    (
        GameData(),
        PolicyData("policy"),
        Distribution("data", lambda sizes: (int(np.prod(joint_shape(sizes))) * (sizes.states + 1),)),
        PrefixTables("other"),
        Table("weights", lambda _: (DIMENSION,)),
        PositiveScalar("penalty"),
        Derived("errors", _errors),
        Derived("rivals", _rivals),
    ),
    (EXISTS,),
    agents=(1, 2),
    states=(1, 2),
    action_range=(1, 2),
    max_table=60,
)
ANY_ERROR = Setting(
    "a game, a policy, a rival critic, a penalty, and any numbers for the errors of the rival and of Q^{1:m}",
    (
        GameData(),
        PolicyData("policy"),
        PositiveScalar("penalty"),
        Table("errors", lambda sizes: (sizes.agents, 2)),
        Table("rivals", lambda sizes: (sizes.agents,)),
    ),
    (EXISTS,),
)

CLAIMS = (
    Claim(
        "lemma-c.7",
        "Pessimism",
        "Lemma C.7",
        REALIZABLE,
        pessimism,
        statement="J(π) ≥ min_f (f(s_0, π) + λE(f, π)) - λE(Q^{1:m}_π, π), if the critics hold Q^{1:m}_π",
        record=Standing.PROVED,
        general=General(ANY_ERROR),
        symbolic=(Sizes(1, (2, 2)), Sizes(2, (2,)), Sizes(2, (2, 2))),
    ),
    Claim(
        "lemma-c.7/all-weights",
        "Pessimism over all weights",
        "Lemma C.7, with the closed form of Appendix C.1",
        REALIZABLE,
        over_all_weights,
        statement="J(π) ≥ f⁺(s_0, π) + λE(f⁺, π) - λE(Q^{1:m}_π, π) for the unconstrained minimiser f⁺, where there is one",
        record=Standing.PROVED,
        kind=Kind.READING,
        points=(Sizes(1, (2,)), Sizes(1, (2, 2)), Sizes(2, (2,))),
    ),
)
