"""Beyond the paper: what exact updates do under the assumptions of Theorem 4.5."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from ...arithmetic import Array, contract, exp, identity, largest, like, log, zeros
from ...axioms import Axiom, below_largest, entropy, gibbs
from ...claims.case import Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, at_least, at_most, equal, line
from ...claims.coordinates import EVERY, Sizes
from ...claims.induction import Arbitrary, Place, Run, Summed
from ...claims.ingredients import GameData, PolicyData, PositiveScalar, Table
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...model import Game, Policy
from ...model.agents import remembered, split_last
from ...quantities.agent_values import agent_values
from ...quantities.chain import values_exist
from ...quantities.distributions import visits
from ...quantities.divergence import kl_divergence
from ...quantities.mirror_descent import exact_rate_bound, ideal_update, mirror_step
from ...quantities.performance_difference import factor_gain
from ...quantities.values import state_values
from .common import total
from .section_4_convergence import discounted


class Improved:
    """A policy, what an exact update makes of it, and how the values differ; for one game and one β."""

    def __init__(self, game: Game, beta: Array, policy: Policy) -> None:
        self.game, self.beta, self.policy = game, beta, policy
        self.agents = range(1, game.agents + 1)

    @cached_property
    def after(self) -> Policy:
        """``π⁺``"""
        return ideal_update(self.game, self.policy, self.beta)

    @cached_property
    def values(self) -> tuple[Array, ...]:
        """``Q^{1:0}, ..., Q^{1:N}`` of ``π``."""
        return agent_values(self.game, self.policy)

    @cached_property
    def later(self) -> tuple[Array, ...]:
        """``Q^{1:0}, ..., Q^{1:N}`` of ``π⁺``."""
        return agent_values(self.game, self.after)

    @remembered
    def gain(self, m: int) -> Array:
        """``⟨Q^{1:m}, π⁺^m - π^m⟩``, shape ``[S, prefixes]``."""
        return factor_gain(self.after, self.policy, m, self.values[m])

    @remembered
    def log_partition(self, m: int) -> Array:
        """``log Z^m = log Σ_a π^m(a) exp(A^m(a)/β)``, shape ``[S, prefixes]``."""
        factor = self.policy.factors[m - 1]
        values = split_last(self.values[m], factor.shape[-1])
        found: Array = log((factor * exp(values / self.beta)).sum(-1)) - self.values[m - 1] / self.beta
        return found

    @remembered
    def moved(self, m: int) -> Array:
        """``KL(π⁺^m‖π^m)``"""
        return kl_divergence(self.after.factors[m - 1], self.policy.factors[m - 1])

    @remembered
    def symmetric(self, m: int) -> Array:
        """``KL(π⁺^m‖π^m) + KL(π^m‖π⁺^m)``"""
        both_ways: Array = self.moved(m) + kl_divergence(self.policy.factors[m - 1], self.after.factors[m - 1])
        return both_ways

    def symmetric_axiom(self, m: int) -> Axiom:
        """The same, at least 0."""
        old, new = self.policy.factors[m - 1], self.after.factors[m - 1]
        return gibbs(new, old) + gibbs(old, new)

    @cached_property
    def visited(self) -> Array:
        """``d_s(s')``: visits of ``π⁺`` from every state, shape ``[S, S]``."""
        return visits_from_everywhere(self.game, self.after)

    @remembered
    def improvement(self, m: int) -> Array:
        """``Σ_{s'} d_s(s') Pr(p)`` with which ``(s', p)`` counts in ``V_{π⁺}(s)``, shape ``[S, S, prefixes]``."""
        return self.visited[..., None] * self.after.prefix_probabilities()[m - 1]

    def improvement_axiom(self) -> Axiom:
        """``V_{π⁺} - V_π ≥ 0``, shape ``[S]``."""
        terms = [(self.symmetric_axiom(m) * self.improvement(m)).sum((-2, -1)) for m in self.agents]
        return total(terms) * self.beta


def visits_from_everywhere(game: Game, policy: Policy) -> Array:
    """The visits from each state, shape ``[S, S]``; row ``s`` starts there."""
    rows = identity(game.states, game.system)
    return np.stack([visits(game, policy, rows[s]) for s in range(game.states)], axis=0)


def monotone(case: Case) -> Iterator[Line]:
    """The ideal update with exact Q at every (s, p): J never decreases from any start, for any β."""
    step = Improved(case.game, case.beta, case.policy)
    before = state_values(case.game, case.policy)
    yield line("V_{π_{k+1}}(s)", state_values(case.game, step.after))
    yield equal(
        "V_{π_k}(s) + Σ_{s'} d_s(s') Σ_m E_p ⟨Q^{1:m}, π_{k+1}^m - π_k^m⟩",
        before + total([(step.improvement(m) * step.gain(m)).sum((-2, -1)) for m in step.agents]),
        because="lemma-4.1, from every state",
    )
    yield equal(
        "V_{π_k}(s) + β Σ_{s'} d_s(s') Σ_m E_p [KL(π_{k+1}^m‖π_k^m) + KL(π_k^m‖π_{k+1}^m)]",
        before + case.beta * total([(step.improvement(m) * step.symmetric(m)).sum((-2, -1)) for m in step.agents]),
        because="Q^{1:m}/β is log(π_{k+1}^m/π_k^m) and a constant",
    )
    yield at_least(
        "V_{π_k}(s)", before, because="divergences are not negative, nor visits", axiom=step.improvement_axiom()
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


def following_prefixes(policy: Policy, m: int) -> Iterator[tuple[int, Array]]:
    """For every agent ``i ≥ m``, how likely a prefix ``a^{1:m-1}`` is continued to ``a^{1:i-1}``; at last to ``a^{1:N}``.

    Shapes ``[S, prefixes of m, prefixes of i]``.
    """
    states, prefixes = policy.factors[m - 1].shape[:2]
    way: Array = identity(prefixes, policy.factors[m - 1]) + zeros((states, 1, 1), policy.factors[m - 1])
    for i in range(m, len(policy.factors) + 1):
        yield i, way
        way = (way[..., None] * policy.factors[i - 1][:, None]).reshape((states, prefixes, -1))
    yield len(policy.factors) + 1, way


class Updates:
    """A run of exact updates with a constant step, against a comparator."""

    def __init__(self, case: Case) -> None:
        self.game, self.beta, self.best = case.game, case.beta, case.target
        self.agents = range(1, self.game.agents + 1)
        self.run = Run(
            case,
            start=Policy.uniform(self.game),
            move=lambda _, policy: Improved(self.game, self.beta, policy),
            following=lambda step: step.after,
            arbitrary="policy",
            count="count",
        )
        self.optimum = state_values(self.game, self.best)
        self.visited = visits_from_everywhere(self.game, self.best)
        self._weights = [self.visited[..., None] * self.best.prefix_probabilities()[m - 1] for m in self.agents]
        self._known: dict[int, Improved] = {}  # a state stays alive as long as what is known of it

    def improved(self, place: Place) -> Improved:
        """The update after the last one."""
        return self._known.setdefault(id(place.state), Improved(self.game, self.beta, place.state))

    def every(self, term: Callable[[Improved], Any]) -> Any:
        """``Σ_{k ≤ K}`` of what depends on the update from ``π_k``."""
        return self.run.sum(lambda step: term(step.moved)) + self.run.last(lambda place: term(self.improved(place)))

    def along(self, term: Callable[[int], Any]) -> Any:
        """``Σ_{s'} d_*(s') Σ_m E_{p ~ π_*}``"""
        return total([(self._weights[m - 1] * term(m)).sum((-2, -1)) for m in self.agents])

    def gap(self) -> Summed:
        """``(K+1)(V_* - V_{π_K})``, shape ``[S]``."""
        gap: Summed = self.run.last(
            lambda place: (place.index + 1) * (self.optimum - state_values(self.game, place.state))
        )
        return gap

    @cached_property
    def _first(self) -> tuple[Array, ...]:
        return agent_values(self.game, self.run.start)

    def grown(self, place: Place) -> list[Array]:
        """``Q_{K+1}^{1:m-1} - Q_0^{1:m-1}`` of every agent."""
        later = self.improved(place).later
        return [later[m - 1] - self._first[m - 1] for m in self.agents]

    def _largest_growths(self, place: Place) -> Array:
        return np.stack([largest(table, (-2, -1)) for table in self.grown(place)], axis=-1)

    def below_most(self, place: Place, m: int) -> Axiom:
        """``D`` is not below what any value of agent ``m`` has grown."""
        among = below_largest(self._largest_growths(place))[m - 1]
        return among + below_largest(self.grown(place)[m - 1], (-2, -1))

    @property
    def logs(self) -> list[Array]:
        """``log|A_m|``"""
        return [log(like(size, self.beta)) for size in self.game.action_sizes]

    @property
    def horizon(self) -> Array:
        """``H_*``, shape ``[S]``."""
        return self.visited.sum(-1)

    def bound(self) -> Summed:
        """``H_* [β Σ_m log|A_m| + N D]``, shape ``[S]``."""
        growth = self.run.last(lambda place: self.game.agents * self.horizon * largest(self._largest_growths(place)))
        bound: Summed = self.run.fixed(self.beta * self.horizon * total(self.logs)) + growth
        return bound


def exact_rate(case: Case) -> Iterator[Line]:
    """Constant step η = 1/β, exact updates: ``(K+1)`` times the gap is at most ``H_* [β Σ log|A_m| + N D]`` from every start.

    ``D`` is how much a value ``Q^{1:m-1}`` has grown after one update more, at most.
    """
    updates = Updates(case)
    game, beta, best, run = updates.game, updates.beta, updates.best, updates.run
    every, along, improved, optimum = updates.every, updates.along, updates.improved, updates.optimum

    def divergence(policy: Policy) -> Array:
        return along(lambda m: kl_divergence(best.factors[m - 1], policy.factors[m - 1]))

    yield line("(K+1)(V_*(s) - V_{π_K}(s))", updates.gap())
    yield at_most(
        "Σ_{k≤K} (V_*(s) - V_{π_k}(s))",
        every(lambda step: optimum - state_values(game, step.policy)),
        because="monotone-improvement, k + 1 times",
        axiom=run.sum(lambda step: step.count * step.moved.improvement_axiom()),
    )
    yield equal(
        "Σ_{k≤K} Σ_{s'} d_*(s') Σ_m E_* ⟨Q_k^{1:m}, π_*^m - π_k^m⟩",
        every(lambda step: along(lambda m: factor_gain(best, step.policy, m, step.values[m]))),
        because="lemma-4.1, from every state",
    )
    yield equal(
        "β Σ_{k≤K} Σ_{s'} d_*(s') Σ_m E_* [KL(π_*‖π_k) - KL(π_*‖π_{k+1}) + log Z_k]",
        beta * every(lambda step: divergence(step.policy) - divergence(step.after) + along(step.log_partition)),
        because="A_k/β = log(π_{k+1}/π_k) + log Z_k, with Z_k = Σ π_k exp(A_k/β)",
    )
    partitions = beta * every(lambda step: along(step.log_partition))
    start = beta * run.fixed(divergence(run.start))
    yield equal(
        "Σ_{s'} d_*(s') Σ_m E_* β [KL(π_*‖π_0) - KL(π_*‖π_{K+1}) + Σ_{k≤K} log Z_k]",
        start - beta * run.last(lambda place: divergence(improved(place).after)) + partitions,
        because="telescoping",
    )
    yield at_most(
        "Σ_{s'} d_*(s') Σ_m E_* β [KL(π_*‖π_0) + Σ_{k≤K} log Z_k]",
        start + partitions,
        because="the divergence from the last policy is not negative",
        axiom=run.last(
            lambda place: beta * along(lambda m: gibbs(best.factors[m - 1], improved(place).after.factors[m - 1]))
        ),
    )
    logs = updates.logs
    budget = run.fixed(beta * along(lambda m: logs[m - 1]))
    yield equal(
        "Σ_{s'} d_*(s') Σ_m E_* β [log|A_m| - H(π_*) + Σ_{k≤K} log Z_k]",
        budget + beta * run.fixed(along(lambda m: kl_divergence(best.factors[m - 1], like(1, beta)))) + partitions,
        because="π_0 is uniform",
    )
    yield at_most(
        "Σ_{s'} d_*(s') Σ_m E_* β [log|A_m| + Σ_{k≤K} log Z_k]",
        budget + partitions,
        because="entropies are not negative",
        axiom=run.fixed(beta * along(lambda m: entropy(best.factors[m - 1]))),
    )

    def climbed(step: Improved, m: int) -> Array:
        """``⟨A^m, π⁺^m⟩``"""
        return step.gain(m)

    yield equal(
        "Σ_{s'} d_*(s') Σ_m E_* [β log|A_m| + Σ_{k≤K} (⟨A_k, π_{k+1}⟩ - β KL(π_{k+1}‖π_k))]",
        budget + every(lambda step: along(lambda m: climbed(step, m) - beta * step.moved(m))),
        because="log Z_k = ⟨A_k, π_{k+1}⟩/β - KL(π_{k+1}‖π_k)",
    )
    yield at_most(
        "Σ_{s'} d_*(s') Σ_m E_* [β log|A_m| + Σ_{k≤K} ⟨A_k^m, π_{k+1}^m⟩]",
        budget + every(lambda step: along(lambda m: climbed(step, m))),
        because="divergences are not negative",
        axiom=every(lambda step: beta * along(lambda m: gibbs(step.after.factors[m - 1], step.policy.factors[m - 1]))),
    )
    yield at_most(
        "Σ_{s'} d_*(s') Σ_m E_* [β log|A_m| + Σ_{k≤K} (Q_{k+1}^{1:m-1} - Q_k^{1:m-1})]",
        budget + every(lambda step: along(lambda m: step.later[m - 1] - step.values[m - 1])),
        because="what the later agents and the next state gain is not negative: monotone-improvement",
        axiom=every(lambda step: along(lambda m: later_gains(step, m))),
    )
    yield equal(
        "Σ_{s'} d_*(s') Σ_m E_* [β log|A_m| + Q_{K+1}^{1:m-1} - Q_0^{1:m-1}]",
        budget + run.last(lambda place: along(lambda m: updates.grown(place)[m - 1])),
        because="telescoping",
    )

    yield at_most(
        "H_*(s) [β Σ_m log|A_m| + N D], D = max_{m,s',p} [Q_{K+1}^{1:m-1}(s', p) - Q_0^{1:m-1}(s', p)]",
        updates.bound(),
        because="no growth is above the largest, and H_*(s) = Σ_{s'} d_*(s')",
        axiom=run.last(lambda place: along(lambda m: updates.below_most(place, m))),
    )


def later_gains(step: Improved, m: int) -> Axiom:
    """``Q_{π⁺}^{1:m-1} - Q_π^{1:m-1} - ⟨A^m, π⁺^m⟩ ≥ 0``: the later agents' gains, and those from the next state on."""
    game = step.game
    found: list[Axiom] = []
    for i, way in following_prefixes(step.after, m):
        if i in range(m + 1, game.agents + 1):  # the last way leads to joint actions
            found.append((rowwise(step.symmetric_axiom(i)) * way).sum(-1) * step.beta)
    onward = contract("spa,sat->spt", way, game.transition)
    better = step.improvement_axiom()[None, None]
    return total([*found, (better * onward).sum(-1) * game.discount])


def rowwise(axiom: Axiom) -> Axiom:
    """An axiom ``[S, q]`` as ``[S, 1, q]``."""
    return axiom[:, None]


def exact_rate_of_rewards(case: Case) -> Iterator[Line]:
    """The same in rewards: values of a discounted game lie in an interval of length ``R/(1-γ)``."""
    game = case.game
    updates, steps = Updates(case), case.sizes.steps
    yield line("V_*(s) - V_{π_K}(s)", updates.gap().numbers / (steps + 1))
    yield at_most(
        "H_*(s) [β Σ_m log|A_m| + N D]/(K+1)", updates.bound().numbers / (steps + 1), because="theorem-4.5/exact-rate"
    )
    yield at_most(
        "[β Σ_m log|A_m| + N R/(1-γ)]/((1-γ)(K+1))",
        exact_rate_bound(game, case.beta, steps),
        because="H_* ≤ 1/(1-γ), and all values lie in an interval of length R/(1-γ)",
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
    (
        GameData(start=False, reward=(-9, 9), scale=9),
        PolicyData("target"),
        PositiveScalar("beta"),
        Arbitrary(PolicyData("policy", full_support=True)),
        Arbitrary(Table("count", lambda _: (), 1)),
    ),
    (Hypothesis("γ < 1", discounted),),
    agents=(1, 2),
    states=(1, 2),
    steps=(1, 2, 4),
    action_range=(2, 3),
    limit=10,
)

ENDING = Setting(
    "exact updates with a constant step in a game without discount that ends, against any comparator under which it ends",
    (
        GameData(start=False, reward=(-2, 2), scale=9, discounted=False),
        PolicyData("target"),
        PositiveScalar("beta", high=2),
        Arbitrary(PolicyData("policy", full_support=True)),
        Arbitrary(Table("count", lambda _: (), 1)),
    ),
    (
        Hypothesis("I - P_π is invertible for π_*", lambda case: values_exist(case.game, case.target)),
        Hypothesis("and for policies of full support", lambda case: values_exist(case.game, Policy.uniform(case.game))),
    ),
    agents=(1, 2),
    states=(1, 2),
    steps=(1, 2),
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
        note="In symbols it is an identity, and proved.  No instance is decided: balls certify no equality of exponentials.",
        symbolic=(Sizes(1, (2,)), Sizes(1, (2, 2))),
        kind=Kind.BEYOND,
    ),
    Claim(
        "monotone-improvement",
        "Ideal exact updates never decrease J",
        "beyond the paper",
        EXACT_STEP,
        monotone,
        statement="V_{π_{k+1}} ≥ V_{π_k} in every state, for π_{k+1}^m ∝ π_k^m exp(Q_k^{1:m}/β) and any β > 0",
        transcendental=True,
        record=Standing.PROVED,
        symbolic=(Sizes(1, (2,)), Sizes(1, (2, 2)), Sizes(2, (2,))),
        kind=Kind.BEYOND,
    ),
    Claim(
        "theorem-4.5/exact-rate",
        "Constant steps, exact updates: rate 1/K from every start",
        "beyond the paper",
        CONSTANT_STEP,
        exact_rate,
        statement="(K+1)(V_* - V_{π_K}) ≤ H_* [β Σ_m log|A_m| + N D] in every state, H_* the visits of π_* in all, "
        "D = max [Q_{K+1}^{1:m-1} - Q_0^{1:m-1}]",
        transcendental=True,
        record=Standing.PROVED,
        note="What D is in rewards says theorem-4.5/exact-rate-in-rewards.",
        symbolic=(Sizes(1, (2,), EVERY), Sizes(1, (1, 2), EVERY), Sizes(1, (2, 1), EVERY), Sizes(2, (1,), EVERY)),
        kind=Kind.BEYOND,
    ),
    Claim(
        "theorem-4.5/exact-rate-without-discount",
        "The same at γ = 1, where the comparator comes to an end",
        "beyond the paper",
        ENDING,
        exact_rate,
        statement="at γ = 1: (K+1)(V_* - V_{π_K}) ≤ H_* [β Σ_m log|A_m| + N D] in every state, H_* the visits of π_* in all, if "
        "the game ends under π_* and under policies of full support",
        transcendental=True,
        record=Standing.PROVED,
        note="If it ends under all policies within H moves on average, D is at most H times the range of rewards and 0; "
        "else D need not be bounded in K.",
        symbolic=(Sizes(1, (2,), EVERY), Sizes(1, (1, 2), EVERY), Sizes(2, (1,), EVERY)),
        kind=Kind.BEYOND,
    ),
    Claim(
        "theorem-4.5/exact-rate-in-rewards",
        "Constant steps, exact updates: rate 1/K by the range of rewards",
        "beyond the paper",
        CONSTANT_STEP,
        exact_rate_of_rewards,
        statement="V_* - V_{π_K} ≤ [β Σ_m log|A_m| + N R/(1-γ)]/((1-γ)(K+1)) in every state, γ < 1, rewards in an interval of "
        "length R that holds 0 if the game may end",
        transcendental=True,
        record=Standing.SURVIVED,
        note="All but the last line is theorem-4.5/exact-rate.  The last, that all values lie in an interval of length "
        "R/(1-γ), is not proved in symbols: whether 0 counts among the rewards depends on whether the game may end, "
        "which symbols do not tell.",
        kind=Kind.BEYOND,
    ),
)
