"""Appendix E: the simulation on von Neumann's ratio game, and what it shows.

With ``R = [[1, 1/2], [-1/2, 0]]`` and ``S = [[1, 1], [1/10, 1/10]]``::

    V(x, y) = (xy + (x - y)/2) / (1/10 + 9x/10)        ∂V/∂x = (1 + 11y)/(20 (xᵀSy)²)        ∂V/∂y = (x - 1/2)/(xᵀSy)

so ``V`` is 5/11 on the whole line ``x = 1/2``, grows with ``x`` everywhere on the square, and is stationary at
``(1/2, -1/11)`` only, which is no policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from ...arithmetic import Array, absolute, contract, like, support, truth_of
from ...claims.case import Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, at_least, at_most, equal, line
from ...claims.coordinates import Sizes
from ...claims.ingredients import Derived, Distribution, GameData, PolicyData, Table
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...games.named import ratio
from ...model.agents import split_last
from ...quantities.agent_values import agent_values
from ...quantities.ratio_game import (
    commitment_values,
    first_order_gain,
    gradient_on_square,
    independent_weights,
    product_of_marginals,
    ratio_value,
    stopping,
)
from ...quantities.values import returns, state_values
from .section_3 import VALUES_EXIST

PRINTED_VALUE = Fraction(46, 100)
"""What Appendix E prints for the value at the stationary point."""

GAME = Derived("game", lambda case: ratio(case.system))
"""The game of Appendix E, in the number system of the case."""


def _two_actions(sizes: Sizes) -> tuple[int, ...]:  # noqa: ARG001 - the interface of a shape
    return (2,)


def _row(number: Array) -> Array:
    """``(x, 1-x)``"""
    return np.stack([number, 1 - number], axis=-1)


SQUARE = Setting(
    "a policy for each agent of the ratio game",
    (Distribution("x", _two_actions), Distribution("y", _two_actions), GAME),
    agents=(2, 2),
    states=(1, 1),
    action_range=(2, 2),
)
MIDDLE = Setting(
    "the ratio game: agent 1 plays evenly, agent 2 anything",
    (Distribution("y", _two_actions), Derived("x", lambda case: _row(like(Fraction(1, 2), case.system))), GAME),
    agents=(2, 2),
    states=(1, 1),
    action_range=(2, 2),
)
PLANE = Setting(
    "any two numbers, probabilities or not",
    (
        Table("point", _two_actions, -44, 44, 22),
        Derived("x", lambda case: _row(case.point[..., 0])),
        Derived("y", lambda case: _row(case.point[..., 1])),
        GAME,
    ),
    (Hypothesis("xᵀSy ≠ 0", lambda case: truth_of(support(_denominator(case)))),),
    agents=(2, 2),
    states=(1, 1),
    action_range=(2, 2),
)
ROUNDS = Setting(
    "a game of one state, and a policy",
    (GameData(start=False), PolicyData("policy")),
    (VALUES_EXIST,),
    states=(1, 1),
    max_states=1,
)
CONDITIONAL = Setting(
    "a joint policy of the ratio game: agent 2 sees what agent 1 does",
    (PolicyData("policy"), GAME),
    agents=(2, 2),
    states=(1, 1),
    action_range=(2, 2),
)
SMALL = (Sizes(1, (2, 2)),)


def _value(case: Case) -> Array:
    return ratio_value(case.game, independent_weights(case.x, case.y))


def _denominator(case: Case) -> Array:
    return contract("...a,...a->...", independent_weights(case.x, case.y), stopping(case.game))


def _number(case: Case, value: Fraction | int) -> Array:
    return like(value, case.system)


# --- the landscape ----------------------------------------------------------------------------------------------------


def value_is_a_ratio(case: Case) -> Iterator[Line]:
    """One state: the value of playing π round after round."""
    yield line("V_π", state_values(case.game, case.policy)[..., 0])
    yield equal(
        "Σ_a π(a) r(a) / Σ_a π(a) S(a), S(a) = 1 - γP(s|s, a)",
        ratio_value(case.game, case.policy.joint()[..., 0, :]),
        because="V = r_π + (1 - S_π) V",
    )


def constant_in_y(case: Case) -> Iterator[Line]:
    """Where agent 1 plays evenly, agent 2 does not matter."""
    yield line("V(1/2, y)", _value(case))
    yield equal("5/11", _number(case, Fraction(5, 11)), because="y/2 from agent 1's first action, -y/2 from its second")


def printed_value(case: Case) -> Iterator[Line]:
    """The value printed for the stationary point, to two digits."""
    yield line("|V(1/2, y) - .46|", absolute(_value(case) - _number(case, PRINTED_VALUE)))
    yield at_most(
        "1/200", _number(case, Fraction(1, 200)), because="a number printed with two digits is off by at most that"
    )


def stationary_in_the_middle(case: Case) -> Iterator[Line]:
    """Appendix E's stationary point, near (1/2, 0)."""
    slope, other = gradient_on_square(case.game, case.x, case.y)
    yield line("∂V/∂y (1/2, y)", other)
    yield equal("0", _number(case, 0), because="V(1/2, ·) is constant by section-e/constant")
    yield line("∂V/∂x (1/2, y)", slope)
    yield equal("0", _number(case, 0), because="a stationary point needs both")


def stationary_point(case: Case) -> Iterator[Line]:
    """Both derivatives, on the whole plane: they vanish together at (1/2, -1/11) and nowhere else."""
    along_x, along_y = gradient_on_square(case.game, case.x, case.y)
    below = _denominator(case)
    yield line("20 (xᵀSy)² ∂V/∂x", 20 * below * below * along_x)
    yield equal("1 + 11y, which vanishes at y = -1/11 only", 11 * case.y[..., 0] + 1, because="the quotient rule")
    yield line("(xᵀSy) ∂V/∂y", below * along_y)
    yield equal(
        "x - 1/2, which vanishes at x = 1/2 only",
        case.x[..., 0] - _number(case, Fraction(1, 2)),
        because="the quotient rule; S does not depend on agent 2",
    )


def slope_in_x(case: Case) -> Iterator[Line]:
    """Agent 1 always gains by its first action."""
    along_x, _ = gradient_on_square(case.game, case.x, case.y)
    x, y, other = case.x[..., 0], case.y[..., 0], case.x[..., 1]
    below = _denominator(case)
    yield line("∂V/∂x - 1/20", along_x - _number(case, Fraction(1, 20)))
    yield equal(
        "[11y/20 + 9(1-x)(11 + 9x)/2000] / (xᵀSy)²",
        (11 * y / 20 + 9 * other * (9 * x + 11) / 2000) / (below * below),
        because="section-e/stationary-point, and 1 - (xᵀSy)² = 9(1-x)(11 + 9x)/100",
    )
    yield at_least("0", _number(case, 0), because="every term is a product of such")


def global_maximum(case: Case) -> Iterator[Line]:
    """V ≤ 1, with equality at (1, 1) only."""
    x, y, not_x, not_y = case.x[..., 0], case.y[..., 0], case.x[..., 1], case.y[..., 1]
    yield line("1 - V(x, y)", _number(case, 1) - _value(case))
    yield equal(
        "[(1-x)/10 + (1-x)y/2 + x(1-y)/2] / xᵀSy, which is 0 only if x = y = 1",
        (not_x / 10 + not_x * y / 2 + x * not_y / 2) / _denominator(case),
        because="(xᵀSy - xᵀRy), sorted by who deviates",
    )
    yield at_least("0", _number(case, 0), because="every term is a product of such")


def stationary_among_policies(case: Case) -> Iterator[Line]:
    """To first order, some deviation gains, wherever the agents are; only (1, 1) has none."""
    yield line("max_{x', y'} ⟨∇V(x, y), (x' - x, y' - y)⟩", first_order_gain(case.game, case.x, case.y))
    yield at_least(
        "((1-x) + (1-y))/100",
        (case.x[..., 1] + case.y[..., 1]) / 100,
        because="∂V/∂x ≥ 1/20 by section-e/slope, and ∂V/∂y ≥ 1/4 for x ≥ 3/4",
    )
    certain = like([1, 0], case.system)
    yield line("the same at (1, 1)", first_order_gain(case.game, certain, certain))
    yield equal("0", _number(case, 0), because="it is the maximum, by section-e/global-maximum")


# --- the published simulation -----------------------------------------------------------------------------------------


def _preferences(tables: tuple[Array, ...]) -> Array:
    """What moves a policy of two actions: ``f(p, first) - f(p, second)``, for every agent and prefix, on one axis."""
    rows = [split_last(table[..., 0, :], 2) for table in tables]
    return np.concatenate([row[..., 0] - row[..., 1] for row in rows], axis=-1)


def simulated_update(case: Case) -> Iterator[Line]:
    """The published simulation adds ηV of committing to actions; Algorithm 1 adds ηQ^{1:m}."""
    yield line(
        "V(p, first action for good) - V(p, second action for good), for every agent and prefix p",
        _preferences(commitment_values(case.game, case.policy)),
    )
    yield equal(
        "Q^{1:m}(p, first action) - Q^{1:m}(p, second action)",
        _preferences(agent_values(case.game, case.policy)[1:]),
        because="the claim that the simulated update is Algorithm 1's",
    )


def update_scale(case: Case) -> Iterator[Line]:
    """For agent 2 the two are proportional: S(a, ·) is what separates "once" from "for good"."""
    stop = split_last(stopping(case.game), 2)[..., 0]
    yield line(
        "S(a, ·) · [V(a, first for good) - V(a, second for good)]",
        stop * _preferences(commitment_values(case.game, case.policy)[1:]),
    )
    yield equal(
        "Q(a, first) - Q(a, second)",
        _preferences(agent_values(case.game, case.policy)[2:]),
        because="S(a, ·) does not depend on agent 2, so only the rewards differ",
    )


def simulated_score(case: Case) -> Iterator[Line]:
    """The published simulation scores a conditional policy by the product of its marginals."""
    yield line("V of the product of the marginals", returns(case.game, product_of_marginals(case.policy)))
    yield equal("V_π", returns(case.game, case.policy), because="the claim that the reported value is the policy's")


CODE = "Appendix E, the simulation that its footnote 3 publishes"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "section-e/value",
        "The value of a game of one state is a ratio",
        "Appendix E, the value function V(x, y)",
        ROUNDS,
        value_is_a_ratio,
        statement="V_π = Σ_a π(a) r(a) / Σ_a π(a) S(a), S(a) = 1 - γP(s|s, a)",
        record=Standing.PROVED,
        symbolic=(Sizes(1, (2, 2)), Sizes(1, (2, 3)), Sizes(1, (2, 2, 2))),
    ),
    Claim(
        "section-e/constant",
        "V is 5/11 wherever agent 1 plays evenly",
        "beyond the paper",
        MIDDLE,
        constant_in_y,
        statement="V(1/2, y) = 5/11 for every y",
        record=Standing.PROVED,
        symbolic=SMALL,
        kind=Kind.BEYOND,
    ),
    Claim(
        "section-e/printed-value",
        "The value at the stationary point rounds to .46",
        "Appendix E",
        MIDDLE,
        printed_value,
        statement="|V(1/2, y) - .46| ≤ 1/200",
        record=Standing.REFUTED,
        note="V = 5/11 = .4545..., at every (1/2, y) and at the true stationary point alike; it rounds to .45.",
        kind=Kind.SIMULATION,
    ),
    Claim(
        "section-e/stationary-policy",
        "V is stationary at a policy with x = 1/2",
        "Appendix E, the stationary point near (1/2, 0)",
        MIDDLE,
        stationary_in_the_middle,
        statement="∇V(1/2, y) = 0 for a policy y of agent 2",
        record=Standing.REFUTED,
        note="For no y; at y = 0 the slope in x is 20/121.  The stationary point is (1/2, -1/11), near (1/2, 0) but no policy.",
        kind=Kind.READING,
    ),
    Claim(
        "section-e/stationary-point",
        "V is stationary at (1/2, -1/11) only, outside the simplex",
        "Appendix E, made precise",
        PLANE,
        stationary_point,
        statement="20 (xᵀSy)² ∂V/∂x = 1 + 11y and (xᵀSy) ∂V/∂y = x - 1/2, for all numbers x, y with xᵀSy ≠ 0",
        record=Standing.PROVED,
        symbolic=SMALL,
        kind=Kind.REPAIR,
    ),
    Claim(
        "section-e/slope",
        "Agent 1 gains by its first action, everywhere",
        "beyond the paper",
        SQUARE,
        slope_in_x,
        statement="∂V/∂x ≥ 1/20 on the whole square",
        record=Standing.PROVED,
        symbolic=SMALL,
        kind=Kind.BEYOND,
    ),
    Claim(
        "section-e/global-maximum",
        "The global maximum is V(1, 1) = 1",
        "Appendix E",
        SQUARE,
        global_maximum,
        statement="V(x, y) ≤ 1, with equality at (1, 1) only",
        record=Standing.PROVED,
        symbolic=SMALL,
    ),
    Claim(
        "section-e/constrained-stationary",
        "Among policies, only the global maximum is stationary",
        "beyond the paper",
        SQUARE,
        stationary_among_policies,
        statement="max_{x', y'} ⟨∇V(x, y), (x' - x, y' - y)⟩ ≥ ((1-x) + (1-y))/100",
        record=Standing.SURVIVED,
        note="So independent gradient cannot be trapped in this game; it is slow near (1, 0), where y(1-y) is tiny.  "
        "The bound is not proved in symbols: where the maximum over x', y' lies depends on the numbers.",
        kind=Kind.BEYOND,
    ),
    Claim(
        "section-e/update",
        "The simulated update moves logits as Algorithm 1 does",
        CODE,
        CONDITIONAL,
        simulated_update,
        statement="V(p, a for good) - V(p, b for good) = Q^{1:m}(p, a) - Q^{1:m}(p, b) for every agent and prefix",
        record=Standing.REFUTED,
        note="A constant per prefix moves no policy, so differences are compared.",
        kind=Kind.SIMULATION,
    ),
    Claim(
        "section-e/update-scale",
        "The simulated step of agent 2 is 1/S(a, ·) times Algorithm 1's",
        CODE,
        CONDITIONAL,
        update_scale,
        statement="S(a, ·) [V(a, b for good) - V(a, b' for good)] = Q(a, b) - Q(a, b')",
        record=Standing.PROVED,
        symbolic=SMALL,
        note="Equal after agent 1's first action, ten times as large after its second.",
        kind=Kind.SIMULATION,
    ),
    Claim(
        "section-e/score",
        "The simulated score is the value of the policy",
        CODE,
        CONDITIONAL,
        simulated_score,
        statement="V of the product of π's marginals = V_π",
        record=Standing.REFUTED,
        note="At π¹ = (3/5, 2/5), π² = (9/10, 1/10) after its first action and (1/5, 4/5) after its second: 181/320 is "
        "reported, 53/64 is true.",
        kind=Kind.SIMULATION,
    ),
)
