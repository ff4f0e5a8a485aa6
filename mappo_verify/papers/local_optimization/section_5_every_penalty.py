"""Theorem 5.5 on its two counterexamples at every penalty λ, hence at its own, and what estimation costs with one joint critic.

The critics of Algorithm 2 are computed in closed form, and proved to minimise ``f(s_0, π) + λE(f, π)``: the objective of any
critic of the class less that of the one named is a sum of squares and of numbers that are at least 0 in the class.  That ``E`` is
taken with the inner minimum over the class, as equation (5) prints it, and with that over all weights, as Appendix C.1 does:

* *one agent*: ``ω(w) = (3/4 f(y_3), 1/4, w_3, w_4)`` maps the class into itself, so both errors are at least
  ``L(w, w) - L(ω(w), w)``; at the critic named they are equal to it;
* *two agents*: the targets of critics are critics, so both errors agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from ...arithmetic import Array, contract, like, square
from ...axioms import given, nonnegative, squares
from ...claims.case import Case, Hypothesis, Ingredient
from ...claims.claim import Claim, Kind, Line, at_least, equal, line
from ...claims.coordinates import Sizes
from ...claims.ingredients import Derived, Distribution, PositiveScalar, Table
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...games.offline import OfflineProblem, theorem_5_5_one_agent, theorem_5_5_two_agents
from ...model import Policy
from ...model.validation import unchecked
from ...quantities.bellman import bellman_operator
from ...quantities.bellman_error import Moments, population_moments, start_features
from ...quantities.divergence import squared_norm
from ...quantities.values import returns


def _policy(case: Case) -> Policy:
    """The first agent plays ``first`` at the start and evenly elsewhere; a second one plays evenly."""
    game = case.game
    even = Policy.uniform(game).factors
    rows = np.concatenate([case.first[None, None, :], even[0][1:]], axis=0)
    return unchecked(Policy, factors=(rows, *even[1:]), system=case.system)


def _evaluation(case: Case, m: int) -> tuple[Moments, Array]:
    """Population moments of agent ``m``, and ``φ(s_0, π)``."""
    features = case.problem.features.matrix(m - 1)
    moments = population_moments(case.game, case.policy, features, case.problem.distribution(m), m)
    return moments, start_features(case.game, case.policy, features, m, case.game.start)


def one_agent(case: Case) -> Iterator[Line]:
    """The critic ``(0, 1/4 - 2π(1)/λ; 3/2, 3/4, 0)`` on ``(s, 0), (s, 1), y_1, y_2, y_3`` is the most pessimistic one."""
    moments, direction = _evaluation(case, 1)
    weights, penalty, play = case.weights, case.penalty, case.first
    at_last = (weights[2] + weights[3]) / 2
    rival = np.stack([Fraction(3, 4) * at_last, like(Fraction(1, 4), at_last), weights[2], weights[3]], axis=-1)
    quarter = like(Fraction(1, 4), penalty)
    best = quarter - 2 * play[1] / penalty
    first, second = weights[0] - rival[0], weights[1] - quarter
    yield line(
        "f(s, π) + λ[L(w, w) - L(ω(w), w)], at most f(s, π) + λE(f) for both inner minima",
        (direction * weights).sum(-1) + penalty * moments.error_against(weights, rival),
    )
    yield equal(
        "π(0) f(s, 0) + π(1) f(s, 1) + λ/4 [(f(s, 0) - 3/4 f(y_3))² + (f(s, 1) - 1/4)²]",
        play[0] * weights[0] + play[1] * weights[1] + penalty / 4 * (square(first) + square(second)),
        because="ω changes the weights of (s, 0) and (s, 1) only, to the targets there",
    )
    yield at_least(
        "π(0) f(s, 0) + π(1) f(s, 1) + λ/4 (f(s, 1) - 1/4)²",
        play[0] * weights[0] + play[1] * weights[1] + penalty / 4 * square(second),
        because="a square",
        axiom=squares(first) * (penalty / 4),
    )
    yield at_least(
        "π(1) f(s, 1) + λ/4 (f(s, 1) - 1/4)²",
        play[1] * weights[1] + penalty / 4 * square(second),
        because="critics are at least 0",
        axiom=given(FIRST, case) * play[0],
    )
    yield at_least(
        "π(1) t + λ/4 (t - 1/4)², t = 1/4 - 2π(1)/λ",
        play[1] * best + penalty / 4 * square(best - quarter),
        because="a parabola with its vertex at t: the difference is λ/4 (f(s, 1) - t)²",
        axiom=squares(weights[1] - best) * (penalty / 4),
    )
    own = np.stack([0 * best, best, 3 + 0 * best, -3 + 0 * best], axis=-1)
    yield equal(
        "f°(s, π) + λE(f°), f° = (0, t; 3/2, 3/4, 0), the inner minimum over all weights",
        moments.objective(own, direction, penalty),
        because="its residual at the y is orthogonal to the features, so its best fit is itself, but for t",
    )
    yield from _gap(case, Fraction(5, 4))


def two_agents(case: Case) -> Iterator[Line]:
    """Agent 1's critic ``(1/4 - 33π(0)/(16λ), 1/3 - 2π(1)/λ; 1 - π(0)/(4λ), 0)`` and agent 2's, which sees no difference."""
    weights, penalty, play = case.weights, case.penalty, case.first
    best = np.stack(
        [
            Fraction(1, 4) - Fraction(33, 16) * play[0] / penalty,
            Fraction(1, 3) - 2 * play[1] / penalty,
            1 - play[0] / (4 * penalty),
            0 * penalty,
        ],
        axis=-1,
    )
    move = weights - best
    along = move[0] - (move[2] + move[3]) / 4
    pieces = [along, move[1], move[2]]
    shares = [penalty / 4, penalty / 4, penalty / 2]
    yield line("f^1(s, π) + λE(f^1)", _objective(case, 1, weights))
    yield equal(
        "the same at f° = (1/4 - 33π(0)/(16λ), 1/3 - 2π(1)/λ; 1 - π(0)/(4λ), 0) + λ[¼δ² + ¼δ'² + ½δ''²] + π(0)/4 f(y)",
        _objective(case, 1, best)
        + sum(s * square(p) for s, p in zip(shares[1:], pieces[1:], strict=True))
        + shares[0] * square(pieces[0])
        + play[0] / 4 * weights[3],
        because="a parabola at the point where its gradient is (0, 0, 0, π(0)/4)",
    )
    yield at_least(
        "the same at f° + π(0)/4 f(y)",
        _objective(case, 1, best) + play[0] / 4 * weights[3],
        because="three squares",
        axiom=squares(pieces[0]) * shares[0] + squares(pieces[1]) * shares[1] + squares(pieces[2]) * shares[2],
    )
    yield at_least(
        "f°(s, π) + λE(f°)",
        _objective(case, 1, best),
        because="critics are at least 0",
        axiom=given(LAST, case) * (play[0] / 4),
    )
    yield line("f°(s, 1) - f°(s, 0)", best[1] - best[0])
    yield equal(
        "1/12 - 2/λ + 65π(0)/(16λ)",
        Fraction(1, 12) - 2 / penalty + Fraction(65, 16) * play[0] / penalty,
        because="π(1) = 1 - π(0)",
    )
    yield at_least(
        "1/12 - 2/λ, so action 0 loses ground for λ > 24",
        Fraction(1, 12) - 2 / penalty,
        because="π(0) ≥ 0",
        axiom=nonnegative(Fraction(65, 16) * play[0] / penalty),
    )
    half, third, even = Fraction(1, 2), Fraction(1, 3), Fraction(1, 8)
    each = [half - Fraction(9, 4) * play[0] / penalty] * 2 + [third - 2 * play[1] / penalty] * 2
    critic = np.stack([*each, 1 - play[0] / (2 * penalty)], axis=-1)
    shift = case.others - critic
    parts = np.stack([*(shift[j] - shift[4] / 2 for j in range(2)), *(shift[j] for j in (2, 3))], axis=-1)
    yield line("f^2(s, π) + λE(f^2)", _objective(case, 2, case.others))
    yield equal(
        "the same at g° = (½ - 9π(0)/(4λ) twice, ⅓ - 2π(1)/λ twice; 1 - π(0)/(2λ)) + λ[⅛ Σ δ² + ½δ'²]",
        _objective(case, 2, critic) + penalty * (even * square(parts).sum(-1) + half * square(shift[4])),
        because="a parabola around its vertex, where agent 2's two actions have the same value: it stays even",
    )
    yield at_least(
        "g°(s, π) + λE(g°)",
        _objective(case, 2, critic),
        because="five squares",
        axiom=squares(parts).sum(-1) * (penalty / 8) + squares(shift[4]) * (penalty / 2),
    )
    yield from _gap(case, Fraction(1, 6))


def _objective(case: Case, m: int, weights: Array) -> Array:
    """``f(s, π) + λ‖f - T f‖²_{2,μ}``: the classes hold the targets of their critics on the data, so that norm is ``E(f)``."""
    points = case.problem.features.matrix(m - 1)
    table = contract("...xd,...d->...x", points, weights).reshape(case.game.states, -1)
    residual = table - bellman_operator(case.game, case.policy, table, m)
    believed = (start_features(case.game, case.policy, points, m, case.game.start) * weights).sum(-1)
    return believed + case.penalty * squared_norm(residual, case.problem.distribution(m), 2)


def _gap(case: Case, loss: Fraction) -> Iterator[Line]:
    """What the bad action costs."""
    yield line("J_* - J(π)", returns(case.game, case.problem.comparator) - returns(case.game, case.policy))
    yield equal(
        f"{loss} π(1|s)",
        loss * case.first[1],
        because="nothing after the start depends on actions; at least half of it once the bad action is no rarer than the good",
    )


FIRST = Hypothesis("f(s, 0) ≥ 0", lambda case: (case.weights[0], "≥", 0))
LAST = Hypothesis("f(y) ≥ 0", lambda case: (case.weights[3], "≥", 0))


def _ingredients(gap: Callable[[], OfflineProblem], *more: Table) -> tuple[Ingredient, ...]:
    """Free numbers, and what follows from them in one of the two games."""
    return (
        Distribution("first", lambda _: (2,)),
        PositiveScalar("penalty", high=99),
        Table("weights", lambda _: (4,)),
        *more,
        Derived("problem", lambda case: gap().to(case.system)),
        Derived("game", lambda case: case.problem.game),
        Derived("policy", _policy),
    )


ONE_AGENT = Setting(
    "the counterexample with one agent, population data, any policy at the start, any penalty λ, any critic of the class",
    _ingredients(theorem_5_5_one_agent),
    (FIRST,),
    agents=(1, 1),
    states=(1, 1),
    action_range=(2, 2),
)
TWO_AGENTS = Setting(
    "the counterexample with two agents, population data, any policy of agent 1 at the start, agent 2 even, any λ and critics",
    _ingredients(theorem_5_5_two_agents, Table("others", lambda _: (5,))),
    (LAST,),
    agents=(2, 2),
    states=(1, 1),
    action_range=(2, 2),
)


def three_penalties(case: Case) -> Iterator[Line]:
    """``C²/(4λ(1-γ)²) + λε_r`` at three penalties, ``ε_r = e³``."""
    reach, small, horizon = case.reach, case.small, case.horizon
    allowed = small * square(small)
    root = small * case.half
    yield line(
        "C²H²/(4λ) + λε_r at λ = CH/(2√ε_r), ε_r = (e h)²",
        _cost(reach, horizon, reach * horizon / (2 * root), square(root)),
    )
    yield equal("CH√ε_r", reach * horizon * root, because="both summands are half of it")
    yield line("C²H²/(4λ) + λε_r at λ = H/(2√ε_r)", _cost(reach, horizon, horizon / (2 * root), square(root)))
    yield equal("½(C² + 1)H√ε_r", (square(reach) + 1) * horizon * root / 2, because="C need not be known")
    yield line("C²H²/(4λ) + λε_r at λ = Hε_r^{-2/3}, ε_r = e³", _cost(reach, horizon, horizon / square(small), allowed))
    yield equal(
        "Hε_r^{1/3}(1 + C²ε_r^{1/3}/4)",
        horizon * small * (1 + square(reach) * small / 4),
        because="the printed λ: the rate n^{-1/3} where ε_r is like 1/n",
    )


def _cost(reach: Array, horizon: Array, penalty: Array, allowed: Array) -> Array:
    return square(reach * horizon) / (4 * penalty) + penalty * allowed


PENALTIES = Setting(
    "C, H, and ε_r through roots: e = ε_r^{1/3}, or e h = √ε_r",
    (PositiveScalar("reach"), PositiveScalar("horizon"), PositiveScalar("small"), PositiveScalar("half")),
    agents=(1, 1),
    states=(1, 1),
    action_range=(1, 1),
)

CLAIMS = (
    Claim(
        "theorem-5.5/one-agent-every-penalty",
        "The counterexample with one agent at every penalty, hence at the theorem's own",
        "Theorem 5.5",
        ONE_AGENT,
        one_agent,
        statement="(0, ¼ - 2π(1)/λ; 3/2, ¾, 0) minimises f(s, π) + λE(f) over the class for every λ ≥ 8π(1), with both inner "
        "minima, and J_* - J(π) = (5/4) π(1)",
        record=Standing.PROVED,
        symbolic=(Sizes(1, (2,)),),
        note="For λ > 8 action 1 gains at every step, so J_* - J(π_k) ≥ 5/8 for every k and K, while the bound falls to 0: the "
        "printed theorem fails for every constant, at its own λ.",
        kind=Kind.BEYOND,
    ),
    Claim(
        "theorem-5.5/two-agents-every-penalty",
        "The counterexample with two agents at every penalty, hence at the theorem's own",
        "Theorem 5.5",
        TWO_AGENTS,
        two_agents,
        statement="(¼ - 33π(0)/(16λ), ⅓ - 2π(1)/λ; 1 - π(0)/(4λ), 0) minimises agent 1's objective for every λ ≥ 33/4, agent 2 "
        "stays even, and J_* - J(π) = π(1)/6",
        record=Standing.PROVED,
        symbolic=(Sizes(1, (2, 2)),),
        note="For λ > 24 action 1 gains at every step, so J_* - J(π_k) ≥ 1/12 for every k and K, while the bound falls to 0.",
        kind=Kind.BEYOND,
    ),
    Claim(
        "theorem-5.5/penalty",
        "What estimation costs at three penalties",
        "Theorem 5.5, repaired, with its λ",
        PENALTIES,
        three_penalties,
        statement="C²H²/(4λ) + λε_r is CH√ε_r at λ = CH/(2√ε_r), ½(C² + 1)H√ε_r at λ = H/(2√ε_r), and "
        "Hε_r^{1/3}(1 + C²ε_r^{1/3}/4) at the printed λ",
        record=Standing.PROVED,
        symbolic=(Sizes(1, (1,)),),
        note="With probability ≥ 1 - δ on fresh data for every k: ε_r = ((log 2/2) d + log(2K/δ))/((1-γ)² n) by "
        "lemma-c.1/explicit, ε_b = 7 √((d log(1 + 2Ln(1-γ)) + log(2K/δ))/n)/(1-γ) by lemma-c.2/explicit, in "
        "theorem-5.5/repaired-sample.",
        kind=Kind.BEYOND,
    ),
)
