"""Section 3.2: single-agent mirror descent, equation (1), and the fit (4) where it equals the ideal update (3)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...arithmetic import Array, Truth, compare, contract, like, negation
from ...claims.case import Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, equal, line
from ...claims.coordinates import Sizes
from ...claims.ingredients import Distribution, LogOdds, PositiveScalar, Table
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...quantities.mirror_descent import (
    fit_step,
    log_linear_step,
    mirror_gradient,
    mirror_objective,
    mirror_step,
)
from .common import own_actions


def ideal_update(case: Case) -> Iterator[Line]:
    """With one agent, the ascent direction may be Q̂ or Â: the objectives differ by a constant, so the maximiser is one."""
    values, policy, beta, candidate = case.values, case.policy, case.beta, case.candidate
    mean = (values * policy).sum(-1)
    advantage = values - mean[..., None]
    yield line("⟨Â, q⟩ - β KL(q‖π_k)", mirror_objective(candidate, policy, advantage, beta))
    yield equal(
        "F(q) - E_{π_k} Q̂, with F(q) = ⟨Q̂, q⟩ - β KL(q‖π_k) of (3)",
        mirror_objective(candidate, policy, values, beta) - mean,
        because="Â = Q̂ - E_{π_k} Q̂ and q sums to 1",
    )
    step = mirror_step(policy, values, beta)
    gradient = mirror_gradient(step, policy, advantage, beta)
    yield line("∂/∂q(a) [⟨Â, q⟩ - β KL(q‖π_k)] at q = π⁺ of (3)", gradient)
    yield equal(
        "the same at the first action: π⁺ is stationary for (1) on the simplex",
        np.repeat(gradient[..., :1], gradient.shape[-1], axis=-1),
        because="proposition-4.2: log(π⁺/π_k) is Q̂/β up to a constant",
    )


def fitted_update(case: Case) -> Iterator[Line]:
    """With a realizable target and data everywhere, the least-squares fit (4) makes exactly the ideal update (3)."""
    features, targets = case.features, case.targets
    values = contract("...xi,...i->...x", features, targets)
    step = fit_step(features, values, like(1, features), case.data)
    yield line("θ_{k+1} - θ_k of (4)", step)
    yield equal(
        "w, where Q̂/β = φᵀw",
        targets,
        because="w makes the squared error 0, and σ_k > 0 with independent features makes the minimiser unique",
    )
    factor = _one_row(case.policy)
    fitted = log_linear_step(factor, features[..., None, None, :, :], step)
    yield line("π_{θ_{k+1}} ∝ π_k exp(φᵀ(θ_{k+1} - θ_k))", fitted)
    yield equal(
        "π⁺ ∝ π_k exp(Q̂/β) of (3)",
        mirror_step(factor, values[..., None, None, :], like(1, features)),
        because="φᵀ(θ_{k+1} - θ_k) = Q̂/β",
    )


def fitted_update_anyway(case: Case) -> Iterator[Line]:
    """The same without realizability: the fit lands elsewhere."""
    step = fit_step(case.features, case.values, like(1, case.features), case.data)
    factor = _one_row(case.policy)
    yield line("π_{θ_{k+1}} of (4)", log_linear_step(factor, case.features[..., None, None, :, :], step))
    yield equal(
        "π⁺ of (3)",
        mirror_step(factor, case.values[..., None, None, :], like(1, case.features)),
        because="the claim that the parametric step is the ideal one, for any features",
    )


def _one_row(policy: Array) -> Array:
    """A distribution over actions as the factor of a one-state, one-agent game."""
    return policy[..., None, None, :]


def _independent(case: Case) -> Truth:
    """Whether the features are independent on the data: the Gram matrix has a non-zero determinant (2 features at most)."""
    gram = contract("...x,...xi,...xj->...ij", case.data, case.features, case.features)
    determinant = gram[..., 0, 0]
    if gram.shape[-1] == 2:
        determinant = gram[..., 0, 0] * gram[..., 1, 1] - gram[..., 0, 1] * gram[..., 1, 0]
    return negation(compare(determinant, "=", 0))


def _features(count: int) -> Table:
    return Table("features", lambda sizes: (sizes.actions[0], count), -1, 1)


REALIZABLE = Setting(
    "one state, one agent, a realizable target",
    (
        Distribution("policy", own_actions, full_support=True),
        Distribution("data", own_actions, full_support=True),
        _features(2),
        LogOdds("targets", lambda _: (2,)),
    ),
    (Hypothesis("the features are independent on the support of σ_k", _independent),),
    agents=(1, 1),
    states=(1, 1),
    action_range=(2, 4),
)


UNREALIZABLE = Setting(
    "one state, one agent, any target",
    (
        Distribution("policy", own_actions, full_support=True),
        Distribution("data", own_actions, full_support=True),
        _features(1),
        LogOdds("values", own_actions),
    ),
    (Hypothesis("the features are independent on the support of σ_k", _independent),),
    agents=(1, 1),
    states=(1, 1),
    action_range=(2, 3),
)


SIMPLEX = Setting(
    "a mirror step",
    (
        PositiveScalar("beta"),
        Distribution("policy", own_actions, full_support=True),
        LogOdds("values", own_actions, times="beta"),
        Distribution("candidate", own_actions),
    ),
    agents=(1, 1),
    states=(1, 1),
    action_range=(1, 5),
)

CLAIMS = (
    Claim(
        "equation-1",
        "Single-agent mirror descent is the ideal update (3) with one agent",
        "Section 3.2, equations (1) and (3)",
        SIMPLEX,
        ideal_update,
        statement="⟨Â, q⟩ - β KL(q‖π_k) and F(q) differ by a constant, and π⁺ ∝ π_k exp(Q̂/β) is stationary for both",
        record=Standing.PROVED,
        symbolic=tuple(Sizes(1, (k,)) for k in (1, 2, 3, 4)),
    ),
    Claim(
        "equation-1/realizable-fit",
        "The least-squares fit (4) makes the ideal update where the target is realizable and data covers everything",
        "Sections 3.2 and 4.1, equation (4)",
        REALIZABLE,
        fitted_update,
        statement="Q̂/β = φᵀw, σ_k > 0 and independent features imply θ_{k+1} - θ_k = w and π_{θ_{k+1}} = π⁺",
        record=Standing.SURVIVED,
        note="No line is proved in symbols: the solver of least squares asks which columns are independent, which depends "
        "on the numbers.",
        kind=Kind.READING,
    ),
    Claim(
        "equation-1/any-fit",
        "The least-squares fit (4) makes the ideal update for any features",
        "Sections 3.2 and 4.1, equation (4)",
        UNREALIZABLE,
        fitted_update_anyway,
        statement="π_{θ_{k+1}} of (4) = π⁺ of (3)",
        record=Standing.REFUTED,
        note="Shown to mark the hypothesis: equation (1) is the ideal update, not its fit.",
        repaired_by="equation-1/realizable-fit",
        kind=Kind.READING,
    ),
)
