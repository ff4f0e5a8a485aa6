"""Section 5: the repaired Theorem 5.5 with probability: what one iteration's estimation costs, and how often that fails.

With ``n`` fresh data for each ``π_k`` both events of the proof, ``E_D(Q_k) ≤ ε_r`` and ``‖f - T f‖_{2,μ} ≤ √E_D(f) + ε_b`` for
every critic of the class, have probability ``1 - δ/(2K)`` each.  Then at ``λ = C H/(2√ε_r)``, ``H = 1/(1-γ)``, ::

    f_k(s_0, π_k) - J_k + H Σ d_*(T f_k - f_k) ≤ C H √ε_r + C H ε_b,        C² = Σ d_*²/μ

for all ``k`` at once, with probability ``1 - δ``; the rest of theorem-5.5/repaired-sample is the regret, which is certain.  An
instance here is one iteration with its sample; the critic is that of Appendix C.1, in closed form, where it lies in the class.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from ...arithmetic import contract, like, log, sqrt, square
from ...claims.case import Case
from ...claims.claim import Claim, Kind, Line, at_most, equal, line
from ...claims.experiment import Experiment
from ...claims.ingredients import START, PolicyData
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...model import Policy
from ...quantities.bellman import bellman_operator
from ...quantities.bellman_error import pessimistic_step, sampled_error, start_features, unseen_error
from ...quantities.data import data_moments
from ...quantities.distributions import visits
from ...quantities.linear_class import LinearClass
from ...quantities.values import returns
from .appendix_c_samples import DELTA, LINEAR_CRITICS, exact, law, linear_designs, over_points

AGENTS = 1


def estimation(case: Case) -> Iterator[Line]:
    """``J_* - J(π)`` less what the regret bounds, for the pessimistic critic of one sample."""
    game, policy, target = case.game, case.policy, case.target
    dimension = case.features.shape[-1]
    failure = log(like(2 / DELTA, case.system))
    allowed = sampled_error(case.horizon, case.number, dimension, failure)
    unseen = unseen_error(case.horizon, case.number, dimension, dimension, failure)
    reached = visits(game, target, case.start)[..., None] * target.joint()
    mismatch = sqrt((square(reached / case.horizon) / case.distribution).sum((-2, -1)))
    penalty = mismatch * case.horizon / (2 * sqrt(allowed))
    moments = data_moments(game, policy, case.features, case.sample, AGENTS)
    direction = start_features(game, policy, case.features, AGENTS, case.start)
    weights = pessimistic_step(moments, direction, penalty).weights
    inside = LinearClass(case.features, dimension * case.horizon, case.horizon).contains(weights)
    critic = over_points(case, contract("...xd,...d->...x", case.features, weights))
    update = bellman_operator(game, policy, critic, AGENTS) - critic
    believed, hoped = ((critic * which.joint()).sum(-1) for which in (policy, target))
    value = returns(game, policy, case.start)
    ahead = visits(game, target, case.start)
    yield line(
        "J_* - J(π) - 1/(1-γ) Σ_s d_*(s) (f(s, π_*) - f(s, π))",
        returns(game, target, case.start) - value - (ahead * (hoped - believed)).sum(-1),
        where=inside,
    )
    yield equal(
        "f(s_0, π) - J(π) + 1/(1-γ) Σ d_*(T f - f)",
        (case.start * believed).sum(-1) - value + (reached * update).sum((-2, -1)),
        because="the performance difference lemma for any f",
    )
    yield at_most(
        "C √ε_r/(1-γ) + C ε_b/(1-γ)",
        mismatch * case.horizon * (sqrt(allowed) + unseen),
        because="theorem-5.5/repaired-sample at λ = C/(2(1-γ)√ε_r), with ε_r of lemma-c.1/explicit and ε_b of lemma-c.2/explicit",
    )


def _designs() -> dict[str, dict[str, Any]]:
    """The linear game, whose critic lies in the class from few data on, from its first state, against its first action."""
    design = linear_designs()["mixture"]
    game, nothing = design["game"], np.zeros((3, design["features"].shape[-1]), int)
    start = exact([Fraction(int(s == 0)) for s in range(game.states)])
    target = Policy.deterministic(game, np.zeros(game.states, int))
    return {"mixture": {**design, "start": start, "target": target, "critics": exact(nothing.tolist())}}


ITERATION = Setting(
    "one iteration with its sample, linear critics that are complete, and a comparator",
    (*LINEAR_CRITICS.ingredients, START, PolicyData("target")),
    LINEAR_CRITICS.hypotheses,
    agents=(1, 1),
    states=(1, 2),
    action_range=(1, 2),
    explore=False,
)

CLAIMS = (
    Claim(
        "theorem-5.5/probability",
        "The repaired theorem with probability: what an iteration's estimation costs",
        "Theorem 5.5, repaired",
        ITERATION,
        estimation,
        statement="f_k(s_0, π_k) - J_k + Σ d_*(T f_k - f_k)/(1-γ) ≤ C (√ε_r + ε_b)/(1-γ) with probability ≥ 1 - δ for all k < K, "
        "ε_r = ((log 2/2) d + log(2K/δ))/((1-γ)² n), "
        "ε_b = 7 √((d log(1 + 2Ln(1-γ)) + log(2K/δ))/n)/(1-γ)",
        record=Standing.SUPPORTED,
        note="Samples of one iteration, K = 1; fresh data makes the others alike, with δ/K for δ.  So with probability 1 - δ the "
        "mean gap is at most 2√2/(1-γ)² Σ_m √(log|A_m|/K) and this.  That both events imply it is theorem-5.5/repaired-sample, "
        "which is proved.",
        experiment=Experiment(_designs, law, DELTA, sizes=(256, 1024, 4096, 16384)),
        kind=Kind.REPAIR,
    ),
)
