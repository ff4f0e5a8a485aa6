"""Statements as drafts contain them, false ones and true ones, and how fast the search tells them apart.

* ``mappo-verify falsify trpo-0.9 --from benchmarks/drafts.py``: one of them
* ``python benchmarks/drafts.py drafts``: all of them, as a table
* ``python benchmarks/drafts.py ladder``: four bounds with a factor below 1, which are false, and with 1, which are true and tight
* ``python benchmarks/drafts.py lines``: true statements with a false line in the middle
* ``python benchmarks/drafts.py registry --seeds 60``: the papers' refuted claims, without the counterexamples that are known

A row says by how many seeds a claim is refuted (``lines``: a line is caught by the quick audit; ``registry``: the search of the
quick audit finds a counterexample), the processor time of the seed in the middle and of the slowest one, and what the last one
found.
"""

from __future__ import annotations

import argparse
import time
import zlib
from collections.abc import Callable
from fractions import Fraction
from statistics import median
from typing import Any

import numpy as np

import mappo_verify as mv
from mappo_verify import quantities as q
from mappo_verify.checking.campaign import PROFILES
from mappo_verify.checking.search import Search
from mappo_verify.papers.registry import CLAIMS as REGISTRY

Sides = Callable[[mv.Case], tuple[Any, Any]]
DISCOUNT = (0, Fraction(99, 100))
UNIT: dict[str, Any] = {"reward": (0, 100), "scale": 100, "discount": DISCOUNT, "termination": False}
GAME = mv.GameData("game", **UNIT)
OTHER = mv.GameData("other", **UNIT, same_as="game", vary=("transition",))
SMALL: dict[str, Any] = {"agents": (1, 2), "states": (1, 3), "action_range": (1, 3)}
ALONE: dict[str, Any] = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}
POLICIES = mv.Setting("a game, two policies", (GAME, mv.PolicyData(), mv.PolicyData("target")), **SMALL)
POSITIVE = mv.Setting(
    "a game, two positive policies",
    (GAME, mv.PolicyData(full_support=True), mv.PolicyData("target", full_support=True)),
    **SMALL,
)
PRODUCTS = mv.Setting(
    "two policies of independent agents",
    (mv.PolicyData(product=True), mv.PolicyData("target", product=True)),
    agents=(2, 2),
    states=(1, 1),
    action_range=(2, 3),
)
GAMES = mv.Setting("two games with other transitions, a policy", (GAME, OTHER, mv.PolicyData()), **SMALL)
NASH = mv.Setting(
    "a game, and a Nash policy of it",
    (GAME, mv.PolicyData(product=True), mv.claims.NashPolicy(), mv.claims.OptimalPolicy()),
    agents=(2, 2),
    states=(1, 2),
    action_range=(2, 2),
)
STEPS = mv.Setting(
    "a game, and a small change of both agents",
    (GAME, mv.PolicyData(product=True), mv.claims.NearbyPolicy("target", product=True, largest=Fraction(1, 10))),
    tuple(
        mv.Hypothesis(
            f"agent {m} alone gains 1/1000", lambda case, m=m: alone(case, m) >= now(case) + Fraction(1, 1000)
        )  # type: ignore[misc]
        for m in (1, 2)
    ),
    agents=(2, 2),
    states=(1, 1),
    action_range=(2, 2),
)
ROWS = mv.Setting(
    "two coins", (mv.Distribution("p", lambda _: (2,), True), mv.Distribution("q", lambda _: (2,), True)), **ALONE
)
ONE_POLICY = mv.Setting("a game, a policy", (GAME, mv.PolicyData()), **SMALL)
CRITIC = mv.Setting(
    "a game, a policy, a critic",
    (GAME, mv.PolicyData(), mv.Table("f", lambda sizes: (sizes.states,), -99, 99)),
    **SMALL,
)
BANDIT = mv.Setting(
    "a bandit, a policy, K = 10 natural gradient steps",
    (
        mv.LogOdds("reward", lambda sizes: (1, 1, *sizes.actions)),
        mv.Distribution("first", lambda sizes: (1, 1, *sizes.actions), full_support=True),
        mv.claims.Iterates(
            "run", lambda case, x, _: q.mirror_step(x, case.reward, mv.like(1, case.system)), start="first"
        ),
    ),
    agents=(1, 1),
    states=(1, 1),
    action_range=(2, 3),
    steps=(10,),
)


def now(case: mv.Case) -> Any:
    """``J(π)``"""
    return mv.returns(case.game, case.policy)


def gain(case: mv.Case) -> Any:
    """``J(π') - J(π)``"""
    return mv.returns(case.game, case.target) - now(case)


def alone(case: mv.Case, m: int) -> Any:
    """The return where agent ``m`` alone changes."""
    factors = list(case.policy.factors)
    factors[m - 1] = case.target.factors[m - 1]
    return mv.returns(case.game, mv.Policy(tuple(factors)))


def horizon(case: mv.Case) -> Any:
    """``1/(1-γ)``"""
    return 1 / (1 - case.game.discount)


def surrogate(case: mv.Case) -> Any:
    """``Σ_s d_π(s) Σ_a π'(a|s) A_π(s, a)``"""
    return (mv.visits(case.game, case.policy) * expected_advantages(case)).sum(-1)


def expected_advantages(case: mv.Case) -> Any:
    """``Σ_a π'(a|s) A_π(s, a)``"""
    return (case.target.joint() * q.advantages(case.game, case.policy)).sum(-1)


def apart(case: mv.Case) -> Any:
    """``TV(π'‖π)`` in every state."""
    return q.total_variation(case.target.joint(), case.policy.joint())


def divergence(case: mv.Case) -> Any:
    """``KL(π‖π')`` in every state."""
    return mv.kl_divergence(case.policy.joint(), case.target.joint())


def share(case: mv.Case, policy: Any = None) -> Any:
    """``(1-γ) d_π``, a distribution over states."""
    return (1 - case.game.discount) * mv.visits(case.game, case.policy if policy is None else policy)


def moved(case: mv.Case) -> Any:
    """``TV(P(s, a), P'(s, a))``"""
    return q.total_variation(case.game.transition, case.other.transition)


def drift(case: mv.Case) -> Any:
    """``‖(1-γ) d_π' - (1-γ) d_π‖₁``"""
    return q.l1_distance(share(case, case.target), share(case))


def between_games(case: mv.Case) -> Any:
    """``|J_P(π) - J_P'(π)|``"""
    return abs(mv.returns(case.game, case.policy) - mv.returns(case.other, case.policy))


# --- four bounds with a factor: 1 is true and the best one -------------------------------------------------------------


def simulation(case: mv.Case, factor: Any) -> tuple[Any, Any]:
    """``|J_P - J_P'| ≤ γ/(1-γ)² max TV(P, P')``"""
    return between_games(case), factor * case.game.discount * horizon(case) ** 2 * moved(case).max()


def cpo(case: mv.Case, factor: Any) -> tuple[Any, Any]:
    """``L - (J' - J) ≤ 2γε/(1-γ) Σ_s d_π(s) TV(π'‖π)(s)`` with ``ε = max_s |Σ_a π'(a|s) A(s, a)|``"""
    worst = abs(expected_advantages(case)).max()
    mean = (mv.visits(case.game, case.policy) * apart(case)).sum(-1)
    return surrogate(case) - gain(case), 2 * factor * case.game.discount * horizon(case) * worst * mean


def trpo(case: mv.Case, factor: Any) -> tuple[Any, Any]:
    """``L - (J' - J) ≤ 2γε/(1-γ)² max KL(π‖π')`` with ``ε = max |A|``"""
    worst = abs(q.advantages(case.game, case.policy)).max()
    return (
        surrogate(case) - gain(case),
        2 * factor * case.game.discount * horizon(case) ** 2 * worst * divergence(case).max(),
    )


def occupancies(case: mv.Case, factor: Any) -> tuple[Any, Any]:
    """``‖d_π' - d_π‖₁ ≤ 2γ/(1-γ) E_{d_π} TV(π'‖π)``"""
    return drift(case), 2 * factor * case.game.discount * horizon(case) * (share(case) * apart(case)).sum(-1)


BOUNDS = {
    "simulation": (GAMES, simulation),
    "cpo": (POLICIES, cpo),
    "trpo": (POSITIVE, trpo),
    "drift": (POLICIES, occupancies),
}
FACTORS = tuple(Fraction(n, 1000) for n in (900, 950, 980, 990, 995))


def claim(name: str, setting: mv.Setting, sides: Sides, *between: Any, true: bool = False) -> mv.Claim:
    """``left ≤ right``, with lines between."""

    def proof(case: mv.Case) -> Any:
        left, right = sides(case)
        yield mv.line("left", left)
        for middle in between:
            yield mv.at_most("middle", middle(case), because="so it was said")
        yield mv.at_most("right", right, because="so it was said")

    return mv.Claim(name, name, "folklore" if true else "a draft", setting, proof)


def rung(name: str, factor: Any) -> mv.Claim:
    """A bound with a factor."""
    setting, sides = BOUNDS[name]
    return claim(f"{name}-{float(factor):g}", setting, lambda case: sides(case, factor), true=factor == 1)


# --- drafts --------------------------------------------------------------------------------------------------------------


def greedy_loss(factor: Any) -> Any:
    """``J* - J(π)`` of a policy that is greedy for a critic at distance ``‖f - V*‖``."""

    def sides(case: mv.Case) -> tuple[Any, Any]:
        best = mv.state_values(case.game, case.optimal)
        far = abs(case.f - best).max()
        loss = best - mv.state_values(case.game, case.policy)
        return loss, factor * case.game.discount * horizon(case) * far

    return sides


def is_greedy(case: mv.Case) -> Any:
    """What the policy loses against the best action of the critic."""
    ahead = q.lookahead(case.game, case.f)
    return (mv.largest(ahead) - (case.policy.joint() * ahead).sum(-1), "≤", 0)


GREEDY = mv.Setting(
    "a game, a critic, a greedy policy",
    (GAME, mv.PolicyData(), mv.Table("f", lambda sizes: (sizes.states,), 0, 999, 10), mv.claims.OptimalPolicy()),
    (mv.Hypothesis("π is greedy for f", is_greedy),),
    agents=(1, 1),
    states=(1, 2),
    action_range=(2, 2),
)
DISCOUNTS = mv.Setting(
    "a game with two discounts",
    (
        GAME,
        mv.GameData("other", **UNIT, same_as="game", vary=("discount",)),
        mv.claims.OptimalPolicy(),
        mv.claims.OptimalPolicy("other_best", game="other"),
    ),
    agents=(1, 1),
    states=(2, 3),
    action_range=(2, 2),
)
EIGHT = mv.Setting("a policy", (mv.PolicyData(),), agents=(1, 1), states=(1, 1), action_range=(1, 8))
UNEQUAL = mv.Setting("two agents", (mv.PolicyData(product=True),), agents=(2, 2), states=(1, 1), action_range=(4, 6))
HORIZON = mv.Setting(
    "a long run",
    (
        mv.PositiveScalar("x"),
        mv.claims.Iterates("run", lambda _, x, k: x + Fraction(1, k + 1), start="x"),
    ),
    **ALONE,
    steps=(1, 100, 10_000),
)


PRODUCT = mv.Setting(
    "a long run that shrinks",
    (mv.PositiveScalar("x"), mv.claims.Iterates("run", lambda _, x, k: x * Fraction(k + 1, k + 2), start="x")),
    **ALONE,
    steps=(1, 100, 10_000),
)
BASEL = mv.Setting(
    "a long sum of squares",
    (
        mv.Table("x", lambda _: (), 0, 9),
        mv.claims.Iterates("run", lambda case, x, k: x + 1 / mv.square(mv.like(k + 1, case.system)), start="x"),
    ),
    **ALONE,
    steps=(1, 100, 10_000),
)
PATIENT = mv.Setting(
    "a game with a discount up to 0.9999, two policies",
    (
        mv.GameData("game", **(UNIT | {"discount": (0, Fraction(9_999, 10_000))})),
        mv.PolicyData(),
        mv.PolicyData("target"),
    ),
    **SMALL,
)
BEST_OF = mv.Setting(
    "rewards of up to eight actions",
    (mv.Table("r", lambda sizes: sizes.actions, 0, 100, 100),),
    **(ALONE | {"action_range": (1, 8)}),
)
UP_TO_SIX = mv.Setting(
    "three agents", (mv.PolicyData(product=True),), agents=(3, 3), states=(1, 1), action_range=(4, 6)
)


def small_steps(agents: int, states: int, largest: Any) -> mv.Setting:
    """A game, and a small change of every agent that alone gains a thousandth."""
    game = mv.GameData("game", **UNIT)
    return mv.Setting(
        "a game, and a small change of all agents",
        (game, mv.PolicyData(product=True), mv.claims.NearbyPolicy("target", product=True, largest=largest)),
        tuple(
            mv.Hypothesis(
                f"agent {m} alone gains 1/1000",
                lambda case, m=m: (alone(case, m) - now(case), "≥", Fraction(1, 1000)),  # type: ignore[misc]
            )
            for m in range(1, agents + 1)
        ),
        agents=(agents, agents),
        states=(states, states),
        action_range=(2, 2),
    )


def entropy(probabilities: Any) -> Any:
    """``-Σ p log p``"""
    return -mv.xlogy(probabilities, probabilities).sum(-1)


def chances(case: mv.Case) -> Any:
    """What the only agent plays in the only state."""
    return case.policy.joint()[0]


def coins(case: mv.Case) -> tuple[Any, Any]:
    """``TV²`` and ``KL`` of two coins."""
    return mv.square(q.total_variation(case.p, case.q)), mv.kl_divergence(case.p, case.q)


def each_apart(case: mv.Case) -> Any:
    """The agents' own distances."""
    pairs = zip(case.target.factors, case.policy.factors, strict=True)
    return [q.total_variation(new, old).max() for new, old in pairs]


def residual(factor: Any) -> Any:
    """``‖V_π - f‖ ≤ factor ‖T f - f‖/(1-γ)``"""

    def sides(case: mv.Case) -> tuple[Any, Any]:
        change = (case.policy.joint() * q.lookahead(case.game, case.f)).sum(-1) - case.f
        return abs(mv.state_values(case.game, case.policy) - case.f).max(), factor * horizon(case) * abs(change).max()

    return sides


def mean_of(policy_apart: Any) -> Any:
    """The plain mean over states."""
    return policy_apart.sum(-1) / policy_apart.shape[-1]


def gap_of_run(case: mv.Case) -> tuple[Any, Any]:
    """``max r - J(π_K)`` and ``log |A|/K``"""
    reward = case.reward[0, 0]
    return mv.largest(reward) - (case.run[-1][0, 0] * reward).sum(-1), mv.log(
        mv.like(reward.shape[-1], case.system)
    ) / 10


def log_of(case: mv.Case, number: Any) -> Any:
    """``log number``"""
    return mv.log(mv.like(number, case.system))


def joint_entropy(case: mv.Case) -> Any:
    """The entropy of what all agents play in the only state."""
    return entropy(case.policy.joint()[0])


def by_squares(case: mv.Case, factor: Any) -> tuple[Any, Any]:
    """``L - (J' - J) ≤ 4γε/(1-γ)² max TV²`` with ``ε = max |A|``"""
    worst = abs(q.advantages(case.game, case.policy)).max()
    far = mv.square(apart(case)).max()
    return surrogate(case) - gain(case), 4 * factor * case.game.discount * horizon(case) ** 2 * worst * far


def drift_by_divergence(case: mv.Case, factor: Any) -> tuple[Any, Any]:
    """``‖d_π' - d_π‖₁² ≤ 2 (γ/(1-γ))² E_{d_π} KL(π‖π')``"""
    mean = (share(case) * divergence(case)).sum(-1)
    return mv.square(drift(case)), 2 * factor * mv.square(case.game.discount * horizon(case)) * mean


def best_over_mean(case: mv.Case) -> Any:
    """``max r - mean r``"""
    return mv.largest(case.r) - mean_of(case.r)


def rate_of_run(case: mv.Case, factor: Any) -> tuple[Any, Any]:
    """``max r - J(π_K) ≤ factor · log(1/π_0(a*))/K`` after ten natural gradient steps, ``a*`` the first action."""
    reward, start = case.reward[0, 0], case.first[0, 0]
    return reward[0] - (case.run[-1][0, 0] * reward).sum(-1), -factor * mv.log(start[0]) / 10


def half_of_the_gains(case: mv.Case) -> tuple[Any, Any]:
    """What the agents gain alone, and twice what they gain together."""
    return sum(alone(case, m) - now(case) for m in (1, 2)) / 2, gain(case)


FALSE = (
    rung("simulation", Fraction(98, 100)),
    claim("simulation-horizon", GAMES, lambda c: (between_games(c), c.game.discount * horizon(c) * moved(c).max())),
    claim(
        "simulation-mean-rows",
        GAMES,
        lambda c: (
            between_games(c),
            c.game.discount * horizon(c) ** 2 * ((c.policy.joint() * moved(c)).sum(-1)).sum() / c.sizes.states,
        ),
    ),
    rung("cpo", Fraction(95, 100)),
    claim(
        "cpo-mean-advantage",
        POLICIES,
        lambda c: (
            surrogate(c) - gain(c),
            2
            * c.game.discount
            * horizon(c) ** 3
            * (share(c) * abs(expected_advantages(c))).sum(-1)
            * (share(c) * apart(c)).sum(-1),
        ),
    ),
    rung("trpo", Fraction(9, 10)),
    claim(
        "trpo-mean-kl",
        POSITIVE,
        lambda c: (
            surrogate(c) - gain(c),
            2
            * c.game.discount
            * horizon(c) ** 2
            * abs(q.advantages(c.game, c.policy)).max()
            * (share(c) * divergence(c)).sum(-1),
        ),
    ),
    rung("drift", Fraction(95, 100)),
    claim(
        "drift-mean-states",
        POLICIES,
        lambda c: (drift(c), 2 * c.game.discount * horizon(c) * mean_of(apart(c))),
    ),
    claim("small-steps", STEPS, lambda c: (now(c), mv.returns(c.game, c.target))),
    claim("eight-actions", EIGHT, lambda c: (Fraction(1, 7), mv.largest(chances(c)))),
    claim(
        "unequal-sets",
        UNEQUAL,
        lambda c: (
            entropy(c.policy.factors[1][0, 0]),
            mv.log(mv.like(c.policy.factors[0].shape[-1], c.system)),
        ),
    ),
    claim("tiny-start", BANDIT, gap_of_run),
    claim("long-horizon", HORIZON, lambda c: (c.run[-1], 9 + c.x)),
    claim("nash-is-optimal", NASH, lambda c: (mv.returns(c.game, c.optimal), mv.returns(c.game, c.nash))),
    claim("anarchy-costs-half", NASH, lambda c: (mv.returns(c.game, c.optimal), 2 * mv.returns(c.game, c.nash))),
    claim("any-discount", DISCOUNTS, lambda c: (mv.returns(c.game, c.optimal), mv.returns(c.game, c.other_best))),
    claim("greedy-1.9", GREEDY, greedy_loss(Fraction(19, 10))),
    claim("residual-0.99", CRITIC, residual(Fraction(99, 100))),
    claim("pinsker-2.02", ROWS, lambda c: (Fraction(202, 100) * coins(c)[0], coins(c)[1])),
    claim("reversed-kl", ROWS, lambda c: (mv.kl_divergence(c.p, c.q), 6 * mv.kl_divergence(c.q, c.p))),
    claim(
        "agents-add-up-0.98",
        PRODUCTS,
        lambda c: (apart(c), Fraction(98, 100) * (each_apart(c)[0] + each_apart(c)[1])),
    ),
    claim(
        "advantage-range",
        ONE_POLICY,
        lambda c: (abs(q.advantages(c.game, c.policy)).max(), Fraction(97, 100) * horizon(c)),
    ),
    claim("small-steps-of-three", small_steps(3, 1, Fraction(1, 10)), lambda c: (now(c), mv.returns(c.game, c.target))),
    claim(
        "small-steps-in-states", small_steps(2, 2, Fraction(1, 20)), lambda c: (now(c), mv.returns(c.game, c.target))
    ),
    claim("half-of-the-gains", small_steps(2, 1, Fraction(1, 20)), half_of_the_gains),
    claim("trpo-squares-0.9", POLICIES, lambda c: by_squares(c, Fraction(9, 10))),
    claim("drift-kl-0.9", POSITIVE, lambda c: drift_by_divergence(c, Fraction(9, 10))),
    claim("best-of-seven", BEST_OF, lambda c: (best_over_mean(c), Fraction(6, 7))),
    claim("collisions-of-eight", EIGHT, lambda c: (Fraction(10, 79), mv.square(chances(c)).sum(-1))),
    claim("log-35.5", UNEQUAL, lambda c: (joint_entropy(c), log_of(c, Fraction(71, 2)))),
    claim("log-200", UP_TO_SIX, lambda c: (joint_entropy(c), log_of(c, 200))),
    claim("rate-0.68", BANDIT, lambda c: rate_of_run(c, Fraction(68, 100))),
    claim("basel-1.6448", BASEL, lambda c: (c.run[-1] - c.x, Fraction(16_448, 10_000))),
    claim("shrinks-to-1/9000", PRODUCT, lambda c: (c.x / 9000, c.run[-1])),
    claim("returns-by-9800", PATIENT, lambda c: (abs(gain(c)), 9_800 * horizon(c) * apart(c).max())),
    claim("drift-free-returns", POLICIES, lambda c: (abs(gain(c)), horizon(c) * apart(c).max())),
)
TRUE = (
    *(rung(name, 1) for name in BOUNDS),
    claim("greedy-2", GREEDY, greedy_loss(2), true=True),
    claim("residual", CRITIC, residual(1), true=True),
    claim("pinsker", ROWS, lambda c: (2 * coins(c)[0], coins(c)[1]), true=True),
    claim("agents-add-up", PRODUCTS, lambda c: (apart(c), each_apart(c)[0] + each_apart(c)[1]), true=True),
    claim(
        "nash-at-most-optimal", NASH, lambda c: (mv.returns(c.game, c.nash), mv.returns(c.game, c.optimal)), true=True
    ),
    claim("trpo-squares", POLICIES, lambda c: by_squares(c, 1), true=True),
    claim("drift-kl", POSITIVE, lambda c: drift_by_divergence(c, 1), true=True),
    claim("best-of-eight", BEST_OF, lambda c: (best_over_mean(c), Fraction(7, 8)), true=True),
    claim("log-36", UNEQUAL, lambda c: (joint_entropy(c), log_of(c, 36)), true=True),
    claim("rate", BANDIT, lambda c: rate_of_run(c, 1), true=True),
    claim("basel", BASEL, lambda c: (c.run[-1] - c.x, Fraction(16_449, 10_000)), true=True),
    claim("returns-drift", POLICIES, lambda c: (abs(gain(c)), horizon(c) ** 2 * apart(c).max()), true=True),
)


def with_false_line(name: str, factor: Any) -> mv.Claim:
    """A true bound whose proof passes by the bound with a smaller factor."""
    setting, sides = BOUNDS[name]
    return claim(
        f"{name}-by-{float(factor):g}", setting, lambda c: sides(c, 1), lambda c: sides(c, factor)[1], true=True
    )


FOUR = mv.Setting(
    "two distributions over four actions",
    (mv.Distribution("p", lambda _: (4,)), mv.Distribution("q", lambda _: (4,))),
    **ALONE,
)
THREE_OR_FOUR = mv.Setting(
    "two agents of three or four actions",
    (mv.PolicyData(product=True),),
    agents=(2, 2),
    states=(1, 1),
    action_range=(3, 4),
)


def squares(case: mv.Case) -> tuple[Any, Any]:
    """``‖p - q‖₁²`` and ``4 ‖p - q‖₂²``"""
    return mv.square(abs(case.p - case.q).sum()), 4 * mv.square(case.p - case.q).sum()


def identity_first(case: mv.Case) -> Any:
    """CPO's bound behind an identity, by a bound with a smaller factor that is written twice."""
    left, right = cpo(case, 1)
    _, less = cpo(case, Fraction(85, 100))
    apart_in = share(case) - share(case, case.target)
    yield mv.line("L - (J' - J)", left)
    yield mv.equal("Σ (d - d')(s) Σ π' A", horizon(case) * (apart_in * expected_advantages(case)).sum(-1), "algebra")
    yield mv.at_most("0.85 of the bound", less, because="so it was said")
    yield mv.equal("17/20 of it", Fraction(17, 20) * right, "algebra")
    yield mv.at_most("the bound", right, because="so it was said")


def ten_lines_first(case: mv.Case) -> Any:
    """The simulation lemma: ten true lines, each with a little more on the right, then one with a smaller factor."""
    left, right = simulation(case, 1)
    yield mv.line("left", left)
    for k in range(1, 11):
        yield mv.at_most(f"and {k}/1000", left + Fraction(k, 1000) * moved(case).max(), because="what is added is ≥ 0")
    yield mv.at_most("middle", Fraction(9, 10) * right + moved(case).max() / 100, because="so it was said")
    yield mv.at_most("right", right + moved(case).max() / 100, because="so it was said")


def two_lemmas(case: mv.Case) -> Any:
    """A true lemma, and a second one with a false line: ``|J' - J| ≤ (½ ‖d' - d‖₁ + E TV)/(1-γ)``."""
    left, right = occupancies(case, 1)
    yield mv.line("drift", left)
    yield mv.at_most("2γ/(1-γ) E TV", right, because="a lemma")
    both = horizon(case) * (drift(case) / 2 + (share(case) * apart(case)).sum(-1))
    yield mv.line("gain", abs(gain(case)))
    yield mv.at_most("0.98 of both", Fraction(98, 100) * both, because="so it was said")
    yield mv.at_most("both", both, because="so it was said")


def mean_and_max(case: mv.Case) -> Any:
    """``2γ/(1-γ) (0.8 max TV + 0.2 mean TV)``"""
    mixed = Fraction(4, 5) * apart(case).max() + mean_of(apart(case)) / 5
    return 2 * case.game.discount * horizon(case) * mixed


def pinsker_in_states(case: mv.Case, factor: Any) -> tuple[Any, Any]:
    """``(E_d TV)² ≤ factor · ½ E_d KL``"""
    return (
        mv.square((share(case) * apart(case)).sum(-1)),
        factor * (share(case) * divergence(case)).sum(-1) / 2,
    )


LINES = (
    with_false_line("simulation", Fraction(9, 10)),
    with_false_line("cpo", Fraction(8, 10)),
    with_false_line("trpo", Fraction(6, 10)),
    with_false_line("drift", Fraction(9, 10)),
    claim(
        "agents-by-0.98",
        PRODUCTS,
        lambda c: (apart(c), each_apart(c)[0] + each_apart(c)[1]),
        lambda c: Fraction(98, 100) * (each_apart(c)[0] + each_apart(c)[1]),
        true=True,
    ),
    claim(
        "pinsker-by-2.02",
        ROWS,
        lambda c: (2 * coins(c)[0], coins(c)[1]),
        lambda c: Fraction(202, 100) * coins(c)[0],
        true=True,
    ),
    claim("cauchy-by-0.97", FOUR, squares, lambda c: Fraction(97, 100) * squares(c)[1], true=True),
    claim(
        "drift-by-mean",
        POLICIES,
        lambda c: (drift(c), 2 * c.game.discount * horizon(c) * apart(c).max()),
        mean_and_max,
        true=True,
    ),
    claim(
        "returns-by-95",
        POLICIES,
        lambda c: (abs(gain(c)), 100 * horizon(c) * apart(c).max()),
        lambda c: 95 * horizon(c) * apart(c).max(),
        true=True,
    ),
    claim(
        "harmonic-mean",
        THREE_OR_FOUR,
        lambda c: (entropy(c.policy.joint()[0]), 2 * mv.log(mv.like(max(c.sizes.actions), c.system))),
        lambda c: 2 * mv.log(mv.like(Fraction(2) / sum(Fraction(1, n) for n in c.sizes.actions), c.system)),
        true=True,
    ),
    claim(
        "pinsker-in-states-by-0.9",
        POSITIVE,
        lambda c: pinsker_in_states(c, 1),
        lambda c: pinsker_in_states(c, Fraction(9, 10))[1],
        true=True,
    ),
    claim(
        "rate-by-0.65",
        BANDIT,
        lambda c: rate_of_run(c, 1),
        lambda c: rate_of_run(c, Fraction(65, 100))[1],
        true=True,
    ),
    mv.Claim("between-equalities", "between-equalities", "folklore", POLICIES, identity_first),
    mv.Claim("behind-ten-lines", "behind-ten-lines", "folklore", GAMES, ten_lines_first),
    mv.Claim("second-lemma", "second-lemma", "folklore", POLICIES, two_lemmas),
)
CLAIMS = (*FALSE, *TRUE, *LINES)

# --- the tables ----------------------------------------------------------------------------------------------------------


def falsified(entry: mv.Claim, seed: int, seconds: float) -> tuple[bool, str]:
    """Whether the falsifier refutes a claim, and by what instance, or how near it came."""
    found = mv.falsify(entry, "thorough", seed, seconds=seconds, corpus=False)
    return found.witness is not None, repr(found).partition(": ")[2]


def searched(entry: mv.Claim, seed: int, seconds: float) -> tuple[bool, str]:
    """Whether the search of the quick audit finds a counterexample; the first one is not made small."""
    generator = np.random.default_rng([seed, zlib.crc32(entry.id.encode())])
    search = Search(entry, PROFILES["quick"].effort, generator, seconds=seconds)
    for batch in search.batches():
        drawn = batch.make()
        search.learn(batch, drawn, list(batch.decided(entry, drawn, batch.sizes)))
        if search.found:
            return True, str(batch.sizes)
    return False, search.searched.text()


def caught(entry: mv.Claim, seed: int, seconds: float) -> tuple[bool, str]:
    """Whether the quick audit catches a false line of a proof."""
    report = mv.audit([entry], seed=seed, seconds=seconds, corpus=False)[entry.id]
    return report.broken is not None, report.how


TABLES: dict[str, tuple[Any, tuple[mv.Claim, ...]]] = {
    "drafts": (falsified, (*FALSE, *TRUE)),
    "ladder": (falsified, tuple(rung(name, factor) for name in BOUNDS for factor in (*FACTORS, 1))),
    "lines": (caught, LINES),
    "registry": (searched, tuple(entry for entry in REGISTRY if entry.record is mv.Standing.REFUTED)),
}


def main() -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=list(TABLES))
    parser.add_argument("ids", nargs="*", help="these claims only")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60, help="for one claim and seed")
    given = parser.parse_args()
    tried, entries = TABLES[given.table]
    for entry in entries:
        if given.ids and entry.id not in given.ids:
            continue
        missed, times, said = [], [], ""
        for seed in range(given.seeds):
            started = time.process_time()
            hit, said = tried(entry, seed, given.seconds)
            times.append(time.process_time() - started)
            missed += [] if hit else [seed]
        row = (
            f"{given.seeds - len(missed)}/{given.seeds}  {median(times):6.1f} {max(times):6.1f} s  {entry.id:24} {said}"
        )
        print(
            row + (f"; not by seed {', '.join(map(str, missed))}" if 0 < len(missed) < given.seeds else ""), flush=True
        )


if __name__ == "__main__":
    main()
