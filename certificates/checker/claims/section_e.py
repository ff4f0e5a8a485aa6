"""Appendix E: the ratio game."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..claim import Comparison, claim
from ..files import Instance
from ..kernel import require

REWARD = ((Fraction(1), Fraction(1, 2)), (Fraction(-1, 2), Fraction(0)))
STOP = ((Fraction(1), Fraction(1)), (Fraction(1, 10), Fraction(1, 10)))
PAIRS = ((0, 0), (0, 1), (1, 0), (1, 1))
MIDDLE = "the ratio game: agent 1 plays evenly, agent 2 anything"
CONDITIONAL = "a joint policy of the ratio game: agent 2 sees what agent 1 does"

Row = Sequence[Fraction]


def ratio_value(first: Row, after: Sequence[Row]) -> Fraction:
    """``Σ π r / Σ π S``: the reward of a round over the chance that it is the last one; ``after[a]`` is agent 2's row after a."""
    chances = {(a, b): first[a] * after[a][b] for a, b in PAIRS}
    earned = sum((p * REWARD[a][b] for (a, b), p in chances.items()), Fraction(0))
    return earned / sum((p * STOP[a][b] for (a, b), p in chances.items()), Fraction(0))


def require_ratio_game(instance: Instance) -> None:
    """One state, two agents, two actions each."""
    require(tuple(instance.sizes) == (2, 2), "both agents of the ratio game have two actions")


def agent_2_alone(first: Row, after: Sequence[Row]) -> list[Fraction]:
    """Agent 2's marginal."""
    return [sum((first[a] * after[a][b] for a in (0, 1)), Fraction(0)) for b in (0, 1)]


def conditional_policy(instance: Instance) -> tuple[list[Fraction], list[list[Fraction]]]:
    """Agent 1's row, and agent 2's rows after either action."""
    require_ratio_game(instance)
    return instance.shares("policy.1", (1, 1, 2))[0][0], instance.shares("policy.2", (1, 2, 2))[0]


@claim(
    "section-e/printed-value",
    kind="simulation",
    statement="|V(1/2, y) - .46| ≤ 1/200",
    setting=MIDDLE,
    hypotheses=("y is a distribution",),
    note="V = 5/11 = .4545..., at every (1/2, y) and at the true stationary point alike; it rounds to .45.",
    agents=(2, 2),
    actions=(2, 2),
)
def printed_value(instance: Instance) -> Comparison:
    """Agent 1 plays evenly."""
    require_ratio_game(instance)
    instance.require_place(0, ())
    row = instance.shares("y", (2,))
    value = ratio_value((Fraction(1, 2), Fraction(1, 2)), (row, row))
    return Comparison("|V(1/2, y) - .46|", abs(value - Fraction(46, 100)), "≤", "1/200", Fraction(1, 200))


@claim(
    "section-e/stationary-policy",
    kind="reading",
    statement="∇V(1/2, y) = 0 for a policy y of agent 2",
    setting=MIDDLE,
    hypotheses=("y is a distribution",),
    note="For no y; at y = 0 the slope in x is 20/121.  The stationary point is (1/2, -1/11), near (1/2, 0) but no policy.",
    agents=(2, 2),
    actions=(2, 2),
)
def stationary_policy(instance: Instance) -> Comparison:
    """With agent 2 fixed, V = (u + x(t-u))/(v + x(w-v)) is a ratio of two lines in x; its slope is (tv - uw)/(...)²."""
    require_ratio_game(instance)
    instance.require_place(1, ())
    row = instance.shares("y", (2,))
    (t, u), (w, v) = ([sum(row[b] * table[a][b] for b in (0, 1)) for a in (0, 1)] for table in (REWARD, STOP))
    slope = (t * v - u * w) / ((v + w) / 2) ** 2
    return Comparison("∂V/∂x (1/2, y)", slope, "=", "0", 0)


@claim(
    "section-e/update",
    kind="simulation",
    statement="V(p, a for good) - V(p, b for good) = Q^{1:m}(p, a) - Q^{1:m}(p, b) for every agent and prefix",
    setting=CONDITIONAL,
    hypotheses=(),
    note="A constant per prefix moves no policy, so differences are compared.",
    agents=(2, 2),
    actions=(2, 2),
)
def simulated_update(instance: Instance) -> Comparison:
    """Places: agent 1; agent 2 after either action.  For good: every round; Q: this round, then the policy again."""
    first, after = conditional_policy(instance)
    instance.require_place(0, (3,))
    value = ratio_value(first, after)
    once = {(a, b): REWARD[a][b] + (1 - STOP[a][b]) * value for a, b in PAIRS}
    if instance.entry[0] == 0:
        alone = agent_2_alone(first, after)
        good = [ratio_value(pure, (alone, alone)) for pure in ((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1)))]
        own = [sum(after[a][b] * once[a, b] for b in (0, 1)) for a in (0, 1)]
    else:
        a = instance.entry[0] - 1
        good = [REWARD[a][b] / STOP[a][b] for b in (0, 1)]
        own = [once[a, b] for b in (0, 1)]
    left = "V(p, first action for good) - V(p, second action for good), for every agent and prefix p"
    right = "Q^{1:m}(p, first action) - Q^{1:m}(p, second action)"
    return Comparison(left, good[0] - good[1], "=", right, own[0] - own[1])


@claim(
    "section-e/score",
    kind="simulation",
    statement="V of the product of π's marginals = V_π",
    setting=CONDITIONAL,
    hypotheses=(),
    note="At π¹ = (3/5, 2/5), π² = (9/10, 1/10) after its first action and (1/5, 4/5) after its second: 181/320 is reported, "
    "53/64 is true.",
    agents=(2, 2),
    actions=(2, 2),
)
def simulated_score(instance: Instance) -> Comparison:
    """Agent 2's marginal, whatever it saw."""
    first, after = conditional_policy(instance)
    instance.require_place(0, ())
    alone = agent_2_alone(first, after)
    reported, true = ratio_value(first, (alone, alone)), ratio_value(first, after)
    return Comparison("V of the product of the marginals", reported, "=", "V_π", true)
