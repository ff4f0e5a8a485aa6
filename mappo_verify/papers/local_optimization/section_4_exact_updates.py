"""Beyond the paper: what exact updates do under the assumptions of Theorem 4.5."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...arithmetic import (
    Array,
)
from ...claims.case import Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, at_least, at_most, equal, line
from ...claims.ingredients import (
    GameData,
    PolicyData,
    PositiveScalar,
)
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...model import Policy
from ...model.agents import split_last
from ...quantities.agent_values import agent_values
from ...quantities.mirror_descent import exact_rate_bound, ideal_update, mirror_step
from ...quantities.values import state_values
from .section_4_convergence import discounted


def monotone(case: Case) -> Iterator[Line]:
    """The ideal update with exact Q at every (s, p): J never decreases from any start, for any β."""
    game, policy = case.game, case.policy
    after = ideal_update(case.game, policy, case.beta)
    before = state_values(game, policy)
    yield line("V_{π_{k+1}}(s)", state_values(game, after))
    yield at_least(
        "V_{π_k}(s)",
        before,
        because="lemma-4.1: every agent's term is ⟨Q, π⁺ - π⟩ ≥ 0, since π⁺ maximises ⟨Q, q⟩ - β KL(q‖π) and q = π is allowed",
    )


def parallel(case: Case) -> Iterator[Line]:
    """Algorithm 1's inner loop commutes: every ``Q^{1:m}`` is of ``π_{θ_k}``, so no agent sees another's update."""
    values = agent_values(case.game, case.policy)[1:]

    def updated(order: list[int]) -> Array:
        factors = list(case.policy.factors)
        for m in order:
            own = factors[m]
            factors[m] = mirror_step(own, split_last(values[m], own.shape[-1]), case.beta)
        return np.concatenate([factor.ravel() for factor in factors])

    agents = list(range(case.game.agents))
    yield line("π_{k+1}, agents updated in the order 1, ..., N", updated(agents))
    yield equal(
        "π_{k+1}, agents updated in the order N, ..., 1", updated(agents[::-1]), because="no update enters another"
    )


def exact_rate(case: Case) -> Iterator[Line]:
    """Constant step η, exact updates, rewards in an interval of length R: the gap is O(1/K) from every start."""
    policy, best = Policy.uniform(case.game), case.target
    for _ in range(case.sizes.steps):
        policy = ideal_update(case.game, policy, case.beta)
    gap = state_values(case.game, best) - state_values(case.game, policy)
    yield line("V_*(s) - V_{π_K}(s)", gap)
    yield at_most(
        "[Σ_m log|A_m|/η + N R/(1-γ)]/((1-γ)K)",
        exact_rate_bound(case.game, case.beta, case.sizes.steps),
        because="log Z_k^m ≤ η(Q_{k+1}^{1:m-1} - Q_k^{1:m-1}), so the summed gaps telescope; monotone-improvement",
    )


EXACT_STEP = Setting(
    "a game, a policy of full support, a step size",
    (GameData(start=False), PolicyData("policy", full_support=True), PositiveScalar("beta")),
    (Hypothesis("γ < 1", discounted),),
    agents=(1, 3),
    states=(1, 2),
    action_range=(1, 2),
)


CONSTANT_STEP = Setting(
    "exact updates with a constant step, against any comparator",
    (GameData(start=False, reward=(-9, 9), scale=9), PolicyData("target"), PositiveScalar("beta")),
    (Hypothesis("γ < 1", discounted),),
    agents=(1, 2),
    states=(1, 2),
    steps=(1, 2, 4),
    action_range=(2, 3),
)

CLAIMS = (
    Claim(
        "parallel-updates",
        "Algorithm 1's inner loop over agents commutes",
        "beyond the paper",
        EXACT_STEP,
        parallel,
        statement="the updates of the agents within one iteration commute",
        transcendental=True,
        record=Standing.OPEN,
        note="An equality of exponentials is never certified by balls; it is one by construction, and nothing speaks against it.",
        kind=Kind.BEYOND,
    ),
    Claim(
        "monotone-improvement",
        "Ideal exact updates never decrease J",
        "beyond the paper",
        EXACT_STEP,
        monotone,
        statement="V_{π_{k+1}} ≥ V_{π_k} in every state, for π_{k+1}^m ∝ π_k^m exp(Q_k^{1:m}/β) and any β > 0",
        record=Standing.SURVIVED,
        kind=Kind.BEYOND,
    ),
    Claim(
        "theorem-4.5/exact-rate",
        "Constant steps, exact updates: rate 1/K from every start",
        "beyond the paper",
        CONSTANT_STEP,
        exact_rate,
        statement="V_* - V_{π_K} ≤ [Σ_m log|A_m|/η + N R/(1-γ)]/((1-γ)K) in every state, γ < 1, rewards in an interval of "
        "length R that holds 0 if the game may end",
        transcendental=True,
        record=Standing.SURVIVED,
        kind=Kind.BEYOND,
    ),
)
