"""Section 4.3: Nash equilibria need not be optimal, and policies with shared parameters lose most of the optimum."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from ...arithmetic import Array, Truth, both, compare, contract, largest, like, ones
from ...claims.case import Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, at_most, equal, line
from ...claims.ingredients import (
    Derived,
    Distribution,
    GameData,
    PolicyData,
)
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...games.named import shared_parameter
from ...model.agents import agent_axes, extend
from ...model.conversion import convert


def equilibria_are_optimal(case: Case) -> Iterator[Line]:
    """One move, every agent plays a fixed action, and no agent gains by deviating alone: is the joint action optimal?"""
    yield line("r(a) at a Nash equilibrium in pure strategies", _played(case))
    yield equal("max_a r(a)", largest(case.game.reward)[..., 0], because="the claim that Nash equilibria are optimal")


def _played(case: Case) -> Array:
    return contract("...sa,...sa->...", case.policy.joint(), case.game.reward)


def _nash(case: Case) -> Truth:
    """Whether the profile is pure and no agent gains by deviating alone."""
    payoff = agent_axes(case.game.reward, case.game.action_sizes)[..., 0, :, :]
    one, two = (f[..., 0, 0, :] for f in case.policy.factors)
    own, other = contract("...ij,...j->...i", payoff, two), contract("...ij,...i->...j", payoff, one)
    value = _played(case)[..., None]
    pure = both(*(compare(largest(p), "=", 1) for p in (one, two)))
    return both(
        pure,
        compare(largest(own)[..., None], "≤", value)[..., 0],
        compare(largest(other)[..., None], "≤", value)[..., 0],
    )


def shared_parameters(case: Case) -> Iterator[Line]:
    """Kuba et al.'s game: agents that share one product policy earn at most ``2/2^N`` of the optimum, and that at ``p = 1/2``."""
    agents = case.sizes.steps * 2
    reward = convert(shared_parameter(agents).reward, case.system)

    def earned(share: Array) -> Array:
        row = np.stack([share, 1 - share], axis=-1)[..., None, :]
        joint = ones((1, 1), share)
        for _ in range(agents):
            joint = extend(joint, row[..., None, :])
        return (joint * reward).sum((-2, -1))

    yield line(f"J of the shared policy (p, 1-p), N = {agents}", earned(case.share))
    product = case.share * (1 - case.share)
    yield equal("2 (p(1-p))^{N/2}", 2 * _power(product, agents // 2), because="two joint actions pay")
    yield at_most(
        "2/2^N · J_*, J_* = 1",
        like(Fraction(2, 2**agents), case.share),
        because="p(1-p) ≤ 1/4",
    )
    half = Fraction(1, 2)
    yield line("J of the shared policy (1/2, 1/2)", earned(like(half, case.share)))
    yield equal(
        "2/2^N · J_*", like(Fraction(2, 2**agents), case.share), because="2^N joint actions are as likely, two pay"
    )


def _power(base: Array, exponent: int) -> Array:
    result = like(1, base)
    for _ in range(exponent):
        result = result * base
    return result


ONE_SHOT = Setting(
    "a game of one move for two agents, and a profile of pure strategies",
    (
        GameData(start=False, termination=True, discounted=True, reward=(-9, 9)),
        PolicyData("policy", product=True),
    ),
    (Hypothesis("the profile is a Nash equilibrium in pure strategies", _nash),),
    agents=(2, 2),
    states=(1, 1),
    max_agents=2,
    max_states=1,
    action_range=(2, 3),
)


SHARED = Setting(
    "a probability that all agents share; N is twice the number of steps",
    (Derived("share", lambda case: case.weights[..., 0]), Distribution("weights", lambda _: (2,))),
    agents=(1, 1),
    states=(1, 1),
    steps=(1, 2, 3),
    action_range=(2, 2),
)

CLAIMS = (
    Claim(
        "section-4.3/equilibria-are-optimal",
        "Every Nash equilibrium is optimal",
        "Section 4.3, which denies it",
        ONE_SHOT,
        equilibria_are_optimal,
        statement="r(a) = max r at every Nash equilibrium in pure strategies of a cooperative game of one move",
        record=Standing.REFUTED,
        note="So convergence to equilibria is not enough; climbing and penalty are the classic cases.",
        kind=Kind.BEYOND,
    ),
    Claim(
        "section-4.3/shared-parameters",
        "A shared product policy earns at most 2/2^N of the optimum",
        "Section 4.3, Kuba et al. 2022, Proposition 1",
        SHARED,
        shared_parameters,
        statement="max_p J(p shared by all) = 2/2^N · J_* in the shared-parameter game, N even",
        record=Standing.SURVIVED,
        note="The line with the maximum over p is not proved in symbols: it compares with every p, and is decided for "
        "each N and p that is tried.",
    ),
)
