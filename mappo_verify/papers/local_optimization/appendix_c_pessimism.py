"""Lemma C.7: a pessimistic critic underestimates the return, up to the error of the true values on the data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...arithmetic import Array, as_array, contract, like, smallest
from ...axioms import above_smallest, squares
from ...claims.case import Case, Hypothesis
from ...claims.claim import Claim, Line, at_least, equal, line
from ...claims.coordinates import Sizes
from ...claims.ingredients import Distribution, GameData, PolicyData, PositiveScalar, PrefixTables, Table
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...model.agents import sum_out_later
from ...quantities.agent_values import agent_values
from ...quantities.bellman_error import (
    pessimistic_step,
    start_features,
)
from ...quantities.chain import values_exist
from ...quantities.data import data_moments
from ...quantities.values import returns
from .appendix_c_bellman_error import DIMENSION, joint_shape


def pessimism(case: Case) -> Iterator[Line]:
    """``J(π) ≥ min_f (f(s_0, π) + λE(f, π)) - λE(Q_π, π)``, whatever the data, if the critics hold ``Q^{1:m}_π``."""
    game, policy, price = case.game, case.policy, case.price
    values = agent_values(game, policy)
    for m in range(1, game.agents + 1):
        flat = values[m].reshape(*values[m].shape[:-2], -1)
        other = case.other[m - 1].reshape(*case.other[m - 1].shape[:-2], -1)
        features = np.stack(np.broadcast_arrays(flat, other), axis=-1)
        moments = data_moments(game, policy, features, _cells(case), m)
        direction = start_features(game, policy, features, m, game.start)
        own = like([1, 0], flat)
        slack = price * moments.error(own)
        yield line("J(π)", returns(game, policy))
        yield equal(
            f"[Q^{{1:{m}}}_π(s_0, π) + λE(Q^{{1:{m}}}_π, π)] - λE(Q^{{1:{m}}}_π, π)",
            moments.objective(own, direction, price) - slack,
            because="J(π) = Q^{1:m}_π(s_0, π)",
        )
        values_of = np.stack([moments.objective(w, direction, price) for w in (case.weights, own)], axis=-1)
        yield at_least(
            f"min over w ∈ {{w, e_1}} of (f(s_0, π) + λE(f, π)) - λE(Q^{{1:{m}}}_π, π)",
            smallest(values_of) - slack,
            because="Q^{1:m}_π is one of the critics",
            axiom=(above_smallest(values_of) * like([0, 1], flat)).sum(-1),
        )
        step = pessimistic_step(moments, direction, price)
        yield line("J(π), where the objective is bounded below", returns(game, policy), where=step.bounded)
        fit = (own - moments.projected(own)) - (step.weights - moments.projected(step.weights))
        law = as_array(sum_out_later(as_array(_cells(case).sum(-1)), game.action_sizes, m).reshape(-1))
        yield at_least(
            f"min over all w of (f(s_0, π) + λE(f, π)) - λE(Q^{{1:{m}}}_π, π)",
            moments.objective(step.weights, direction, price) - slack,
            because="section-c.1/unconstrained: w⁺ minimises it, and the rest of the quadratic is λ times a sum of squares",
            axiom=(squares(contract("...xi,...i->...x", features, fit)) * law).sum(-1) * price,
        )


def _cells(case: Case) -> Array:
    law = as_array(case.data)
    return law.reshape(*law.shape[:-1], *joint_shape(case.sizes), case.sizes.states + 1)


REALIZABLE = Setting(
    "a game, a policy, any law of (s, a, s'), features Q^{1:m} and another, a rival critic, and a price",
    (
        GameData(),
        PolicyData("policy"),
        Distribution("data", lambda sizes: (int(np.prod(joint_shape(sizes))) * (sizes.states + 1),)),
        PrefixTables("other"),
        Table("weights", lambda _: (DIMENSION,)),
        PositiveScalar("price"),
    ),
    (Hypothesis("I - γP_π is invertible", lambda case: values_exist(case.game, case.policy)),),
    agents=(1, 2),
    states=(1, 2),
    action_range=(1, 2),
    max_table=60,
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
        symbolic=(Sizes(1, (2,)), Sizes(1, (3,))),
    ),
)
