"""Small games that several claims share: one state, chains of pairs (s, a), and those that one joint action decides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from typing import TypeAlias

from .files import Instance
from .kernel import GRID, Interval, Matrix, Vector, dot, exp, fixed_point, log, require, sqrt

Choice: TypeAlias = dict[int, int]
"""What some agents, numbered from 1, do."""


class OneState:
    """A game of one state that goes on with chance ``stay(a)`` after the joint action ``a``; a policy of conditional factors.

    ``V = Σ π r + γ V Σ π stay``, and ``Q(a) = r(a) + γ stay(a) V``.
    """

    def __init__(self, instance: Instance) -> None:
        self.sizes, self.agents = instance.sizes, range(1, len(instance.sizes) + 1)
        self.factors = [
            instance.shares(f"policy.{m}", (1, math.prod(self.sizes[: m - 1]), self.sizes[m - 1]))[0]
            for m in self.agents
        ]
        self.joint = [dict(enumerate(a, start=1)) for a in product(*map(range, self.sizes))]
        stay = [row[0] for row in instance.shares("game.transition", (1, len(self.joint), 2))[0]]
        reward = instance.integers("game.reward", (1, len(self.joint)), -9, 9)[0]
        gamma = instance.shares("game.discount", (2,))[0]
        chance = [self.weight(a, {}) for a in self.joint]
        goes_on = gamma * sum(p * s for p, s in zip(chance, stay, strict=True))
        require(goes_on != 1, "I - γP_π is singular")
        value = sum(p * r for p, r in zip(chance, reward, strict=True)) / (1 - goes_on)
        self.values = [r + gamma * s * value for r, s in zip(reward, stay, strict=True)]

    def weight(self, joint: Choice, clamped: Choice) -> Fraction:
        """``Π_j π^j(a^j | a^{1:j-1})`` over the agents that are not clamped."""
        result, prefix = Fraction(1), 0
        for m in self.agents:
            if m not in clamped:
                result *= self.factors[m - 1][prefix][joint[m]]
            prefix = prefix * self.sizes[m - 1] + joint[m]
        return result

    def subsets(self) -> list[tuple[int, ...]]:
        """All subsets of the agents, small ones first."""
        return [kept for size in range(len(self.sizes) + 1) for kept in combinations(self.agents, size)]

    def choice(self, kept: tuple[int, ...], entry: int) -> Choice:
        """Entry number so-and-so of a table over the actions of these agents, the first agent slowest."""
        return dict(zip(kept, list(product(*(range(self.sizes[m - 1]) for m in kept)))[entry], strict=True))

    def entries(self, kept: tuple[int, ...]) -> int:
        """How many entries such a table has."""
        return math.prod(self.sizes[m - 1] for m in kept)

    def fits(self, joint: Choice, fixed: Choice) -> bool:
        """Whether a joint action agrees with what is fixed."""
        return all(joint[m] == action for m, action in fixed.items())

    def intervention(self, fixed: Choice) -> Fraction:
        """``E[Q | do(a^P)]``: the others keep their factors."""
        chosen = [
            (self.weight(a, fixed), q) for a, q in zip(self.joint, self.values, strict=True) if self.fits(a, fixed)
        ]
        return sum((w * q for w, q in chosen), Fraction(0))

    def conditioning(self, fixed: Choice) -> Fraction:
        """``E[Q | a^P]``, by Bayes."""
        chosen = [(self.weight(a, {}), q) for a, q in zip(self.joint, self.values, strict=True) if self.fits(a, fixed)]
        mass = sum(w for w, _ in chosen)
        require(mass > 0, "the event that is conditioned on has probability 0")
        return sum((w * q for w, q in chosen), Fraction(0)) / mass


def braces(kept: tuple[int, ...]) -> str:
    """A set, as people write it."""
    return "{" + ", ".join(map(str, kept)) + "}"


def chain_of_states(instance: Instance, scale: int) -> tuple[Matrix, Vector, Fraction]:
    """A game with one action, that never ends: ``P(s'|s)``, rewards from 0 to ``scale`` over 10, and the discount ``γ < 1``."""
    states = instance.states
    transition = [row[0] for row in instance.shares("game.transition", (states, 1, states))]
    rewards = [Fraction(row[0], 10) for row in instance.integers("game.reward", (states, 1), 0, scale)]
    gamma = instance.shares("game.discount", (2,))[0]
    require(gamma < 1, "the discount is 1")
    return transition, rewards, gamma


def squared_distance(feature: Vector, target: Vector, data: Vector) -> Fraction:
    """``min_w Σ μ (φ w - f)²``"""
    along = [p * f for p, f in zip(data, feature, strict=True)]
    size, share = dot(along, feature), dot(along, target)
    return dot(data, [t * t for t in target]) - (share * share / size if size else 0)


class Pairs:
    """A game and a policy of conditional factors, as one Markov chain over the pairs (s, a), the state slowest.

    From the pair x it goes on to the pair y with ``ahead[x][y] = γ P(s'|s, a) π(a'|s')``, and x pays ``rewards[x]``.
    """

    def __init__(self, instance: Instance, ends: bool, lowest: int, scale: int) -> None:
        self.states, self.sizes = instance.states, instance.sizes
        self.joint = math.prod(self.sizes)
        agents = range(len(self.sizes))
        self.factors = [
            instance.shares(f"policy.{m + 1}", (self.states, math.prod(self.sizes[:m]), self.sizes[m])) for m in agents
        ]
        # π(a|s), built up agent by agent
        self.policy = [[Fraction(1)] for _ in range(self.states)]
        for factor in self.factors:
            self.policy = [
                [q * p for q, row in zip(chances, rows, strict=True) for p in row]
                for chances, rows in zip(self.policy, factor, strict=True)
            ]
        transition = instance.shares("game.transition", (self.states, self.joint, self.states + ends))
        self.gamma = instance.shares("game.discount", (2,))[0]
        self.ahead = [
            [self.gamma * row[s] * p for s in range(self.states) for p in self.policy[s]]
            for rows in transition
            for row in rows
        ]
        rewards = instance.integers("game.reward", (self.states, self.joint), lowest, 9)
        self.rewards = [Fraction(r, scale) for row in rewards for r in row]
        self.values = fixed_point(self.rewards, self.ahead)

    def seen_by(self, m: int) -> list[Vector]:
        """``Q^{1:m}``: the later agents averaged out, the last first."""
        rows = [self.values[s * self.joint : (s + 1) * self.joint] for s in range(self.states)]
        for factor in reversed(self.factors[m:]):
            width = len(factor[0][0])
            rows = [
                [dot(p, row[i * width : (i + 1) * width]) for i, p in enumerate(choices)]
                for row, choices in zip(rows, factor, strict=True)
            ]
        return rows


def mean_share(exponent: Interval, steps: int) -> Interval:
    """``1/K Σ_{k<K} 1/(1 + e^{xk})`` for ``x ≤ 0``: powers of ``e^x`` as multiples of 2^-512, one rounded down and one up."""
    require(exponent.high <= 0, "the exponent is positive")
    ratio, one = exp(exponent), 1 << GRID
    falling, rising = math.floor(ratio.low * one), math.ceil(ratio.high * one)
    smaller = larger = one
    low = high = 0
    for _ in range(steps):
        low += one * one // (one + larger)
        high += -(-one * one // (one + smaller))
        smaller, larger = smaller * falling >> GRID, -(-larger * rising >> GRID)
    return Interval(Fraction(low, steps * one), Fraction(high, steps * one))


@dataclass(frozen=True)
class Gap:
    """A game that one joint action decides, as tables: what Theorems 5.5 and D.7 fail on.

    State 0 is the start, never seen again; from there on actions change nothing, so ``after`` and ``pays`` have one row a state:
    ``after[s]`` is where s leads, and what it pays there.  ``first`` says the same of the joint actions at the start.
    ``features[m]`` are agent m's ``φ(s_0, a^{1:m})``, one row each, then ``φ(s)`` of the states from 1 on.
    ``data`` are the shares of the states from 1 on in the data that is not at the start.  ``recover[m][i]`` is agent m's weight
    number i as a combination of values: the number of the row in ``features``, and its factor.
    """

    gamma: Fraction
    sizes: tuple[int, ...]
    first: tuple[tuple[int, Fraction], ...]
    after: tuple[int, ...]
    pays: Vector
    features: dict[int, Matrix]
    radius: Fraction
    data: Vector
    recover: dict[int, dict[int, dict[int, int]]]

    @property
    def ceiling(self) -> Fraction:
        """``1/(1-γ)``"""
        return 1 / (1 - self.gamma)

    def backup(self, table: Vector) -> Vector:
        """``r + γf(s')`` for every joint action at the start; ``table`` has the states from 1 on."""
        return [r + self.gamma * table[s - 1] for s, r in self.first]

    def averaged(self, m: int, row: Vector) -> Vector:
        """A table over joint actions, averaged over the agents after m, who play evenly."""
        later = math.prod(self.sizes[m:])
        return [sum(row[i : i + later], Fraction(0)) / later for i in range(0, len(row), later)]

    def require_sound(self) -> None:
        """What the theorems assume of rewards, of the discount and of features."""
        rewards = [*self.pays, *(r for _, r in self.first)]
        require(
            0 <= self.gamma < 1 and all(0 <= r <= 1 for r in rewards), "γ is not below 1, or rewards are not in [0, 1]"
        )
        short = all(dot(phi, phi) <= 1 for table in self.features.values() for phi in table)
        require(short, "a feature is longer than 1")

    def require_values(self, values: Vector) -> None:
        """That these are the values of the states from 1 on: as γ < 1, there is one solution of ``V = r + γV(s')``."""
        require(len(values) == len(self.after), "there is not one value for every state")
        for value, s, r in zip(values, self.after, self.pays, strict=True):
            require(value == r + self.gamma * values[s - 1], "the values do not solve V = r + γV(s')")

    def shortfalls(self, critic: Vector, values: Vector) -> tuple[Fraction, Fraction]:
        """``J_* - J(π)`` if the first agent plays action 0, and how much more it is with action 1; the others play evenly.

        Its critic, of these values at the start, prefers action 1, which is worse.
        """
        returns = self.backup(values)
        good, bad = self.averaged(1, returns)
        require(good >= bad and critic[0] < critic[1], "the critic does not prefer the worse action 1")
        return max(returns) - good, good - bad

    def regret(self, critic: Vector, values: Vector, steps: int) -> Interval:
        """``1/K Σ_k (J_* - J(π_k))``: in step k action 1 has the chance ``1/(1 + e^{ηk(f(0) - f(1))})``.

        ``η = (1-γ)√(log|A_1|/(2K))``
        """
        always, more = self.shortfalls(critic, values)
        return always + more * mean_share(self.rate(steps) * (critic[0] - critic[1]), steps)

    def rate(self, steps: int) -> Interval:
        """``η = (1-γ)√(log|A_1|/(2K))`` for two actions."""
        return (1 - self.gamma) * sqrt(log(2) / (2 * steps))


HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def rows(*texts: str) -> Matrix:
    """Rows of rationals, as people write them."""
    return [[Fraction(entry) for entry in text.split()] for text in texts]


TWO_AGENTS = Gap(
    # s --(0,0)--> x, s --(0,1)--> y, s --(1,.)--> over with reward 1/3; x and y pay 1 and are over
    gamma=HALF,
    sizes=(2, 2),
    first=((1, Fraction(0)), (2, Fraction(0)), (3, THIRD), (3, THIRD)),
    after=(3, 3, 3),
    pays=[Fraction(1), Fraction(1), Fraction(0)],
    features={
        1: rows("1 0 0 0", "0 1 0 0", "0 0 1 0", "0 0 0 1", "0 0 0 0"),
        2: rows("1 0 0 0 0", "0 1 0 0 0", "0 0 1 0 0", "0 0 0 1 0", "0 0 0 0 1", "0 0 0 0 1", "0 0 0 0 0"),
    },
    radius=Fraction(9, 2),
    data=[Fraction(1), Fraction(0), Fraction(0)],
    recover={1: {3: {3: 1}}, 2: {}},
)
ONE_AGENT = Gap(
    # s --0--> y3, s --1--> over with reward 1/4; y1 -> y1, y2 -> y3, y3 -> y3, each pays 1/2
    gamma=Fraction(3, 4),
    sizes=(2,),
    first=((3, Fraction(0)), (4, Fraction(1, 4))),
    after=(1, 3, 3, 4),
    pays=[HALF, HALF, HALF, Fraction(0)],
    features={1: rows("1 0 0 0", "0 1 0 0", "0 0 1/2 0", "0 0 1/2 1/4", "0 0 1/2 1/2", "0 0 0 0")},
    radius=Fraction(12),
    data=[Fraction(4, 9), Fraction(4, 9), Fraction(1, 9), Fraction(0)],
    recover={1: {2: {2: 2}, 3: {4: 2, 2: -2}}},
)
