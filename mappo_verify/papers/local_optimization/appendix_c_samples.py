"""Lemmas C.1 and C.2: what samples of ``n`` data say about linear critics, with probability ``1 - δ``.

An instance is one sample; the audit draws thousands from a few designs (:mod:`mappo_verify.claims.experiment`).  The agents up to
``m`` count as one agent, so ``m = 1`` says it all; the agents after it follow ``π`` and make noise.

The policy is fixed.  That is how the lemmas are used: Algorithms 2 and 4 draw new data for every ``π_k``, so a bound for each
policy and a union over the ``K`` iterations suffice.  The critic is *not* fixed, since it is chosen by looking at the data:
where a lemma speaks of every ``f``, the critic that solves the sample's own Bellman equation is among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...arithmetic import (
    Array,
    System,
    Truth,
    assume_positive,
    both,
    compare,
    contract,
    every,
    exp,
    identity,
    like,
    log,
    maximum,
    moveaxis,
    pseudo_solve,
    select,
    sqrt,
    square,
    system_of,
    truth_of,
    zeros,
)
from ...arithmetic.functions import not_refuted
from ...arithmetic.numbers import bare
from ...axioms import hoeffding, squares
from ...claims.case import Built, Case, Hypothesis, Ingredient
from ...claims.claim import Claim, Kind, Line, at_most, equal, line
from ...claims.coordinates import Numbers, Sizes
from ...claims.experiment import Experiment
from ...claims.ingredients import Counts, Derived, Distribution, GameData, PolicyData, PositiveScalar, Table
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...games.named import random_game
from ...model import Game, Policy
from ...model.agents import prefix_sizes
from ...quantities.agent_values import agent_values
from ...quantities.bellman import bellman_operator
from ...quantities.bellman_error import (
    Moments,
    pessimistic_step,
    population_moments,
    sampled_error,
    unseen_error,
)
from ...quantities.data import data_moments, frequencies, law_of_data, possible
from ...quantities.divergence import squared_norm
from ...quantities.linear_class import LinearClass

DELTA = Fraction(1, 10)
"""``δ`` of every experiment."""
AGENT = 1
"""``m``"""
CRITICS = 3
"""How many critics an instance holds."""


def points_of(sizes: Sizes) -> int:
    """How many points ``(s, a^{1:m})`` there are."""
    return sizes.states * sizes.actions[0]


def over_points(case: Case, table: Array) -> Array:
    """A vector over the points as a table ``[..., S, |A_1|]``."""
    return table.reshape(*table.shape[:-1], case.sizes.states, case.sizes.actions[0])


def _discounted(case: Case) -> Truth:
    return compare(case.game.discount, "<", like(1, case.game.discount))


def _not_empty(case: Case) -> Truth:
    return compare(case.number, ">", like(0, case.number))


SAMPLE: tuple[Ingredient, ...] = (
    GameData(reward=(0, 9), scale=9, start=False),
    PolicyData("policy"),
    Distribution("data", lambda sizes: (points_of(sizes),)),
    Counts("counts"),
    Derived("distribution", lambda case: over_points(case, case.data)),
    Derived("law", lambda case: law_of_data(case.game, case.policy, case.distribution, AGENT)),
    Derived("number", lambda case: possible(case.law, case.counts).sum((-3, -2, -1))),
    Derived("sample", lambda case: frequencies(case.law, case.counts)),
    Derived("horizon", lambda case: case.game.horizon),
)
"""A game with rewards in [0, 1], a policy, where data comes from, and a sample of it."""
SOUND = (Hypothesis("γ < 1", _discounted), Hypothesis("the sample is not empty", _not_empty))


@dataclass(frozen=True)
class IndependentFeatures(Table):
    """One feature for every point, independent by construction: 1 on the diagonal and ``k/scale`` below it."""

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> Array:
        table = super().build(numbers, sizes, built, generic)
        below = np.tri(table.shape[-1], k=-1, dtype=bool)
        return identity(table.shape[-1], table) + select(below, table, like(0, table))


def _moments(case: Case) -> Moments:
    return data_moments(case.game, case.policy, case.features, case.sample, AGENT)


def _weights_of(case: Case, tables: Array) -> tuple[Array, Array]:
    """Least squares ``w`` with ``φᵀw ≈ f`` for tables ``[..., S, |A_1|]``, and what is left of ``f`` at every point."""
    points = tables.reshape(*tables.shape[:-2], -1)
    gram = contract("...xi,...xj->...ij", case.features, case.features)
    weights = pseudo_solve(gram, contract("...xi,...x->...i", case.features, points)[..., None])[0][..., 0]
    return weights, points - contract("...xi,...i->...x", case.features, weights)


def _is_zero(rest: Array) -> Truth:
    """Exact where it matters: balls certify no equality, and the exact data behind them was checked; enclosures come before."""
    zero = compare(rest, "=", like(0, rest))
    return every(truth_of(not_refuted(zero)) if bare(system_of(rest)) is System.BALLS else zero)


def _realizable(case: Case) -> Truth:
    """Whether ``Q_π`` is linear in the features."""
    return _is_zero(_weights_of(case, agent_values(case.game, case.policy)[AGENT])[1])


def _complete(case: Case) -> Truth:
    """Whether ``T f`` is linear in the features if ``f`` is: so it is if that holds for 0 and for every feature."""
    tables = over_points(case, moveaxis(case.features, -1, 0))
    backups = bellman_operator(case.game, case.policy, np.concatenate([tables, 0 * tables[:1]]), AGENT)
    return both(*_is_zero(_weights_of(case, backups)[1]))


def _every_point(case: Case) -> Truth:
    counts = possible(case.law, case.counts).sum(-1)
    points = counts.reshape(*counts.shape[:-2], points_of(case.sizes), -1).sum(-1)
    return every(compare(points, ">", like(0, points)))


def _bound(case: Case) -> Array:
    """``d log(nLR/δ)/((1-γ)² n)`` with ``L = d/(1-γ)``, which holds every table in range, and ``R = 1``."""
    dimension = case.features.shape[-1]
    inside = case.number * case.horizon * like(dimension / DELTA, case.system)
    return dimension * square(case.horizon) / case.number * log(inside)


def own_noise(case: Case) -> Iterator[Line]:
    """``E_D(Q_π, π) ≤ d log(nLR/δ)/((1-γ)² n)``."""
    weights, _ = _weights_of(case, agent_values(case.game, case.policy)[AGENT])
    yield line("E_D(Q_π)", _moments(case).error(weights))
    yield at_most(
        "d log(nLR/δ)/((1-γ)² n)",
        _bound(case),
        because="E_D(Q_π) is the noise of r + γ Q_π(s', π), averaged over the data, projected on d features, squared",
    )


def _noise(case: Case) -> Array:
    """``ξ = r + γ V(s') - Q^{1:1}(s, a^1)`` for every ``(s, a, s')``, ``[S, A, S+1]``."""
    values = agent_values(case.game, case.policy)
    ahead = np.concatenate([values[0][..., 0], 0 * values[0][..., :1, 0]], axis=-1)
    target = case.game.reward[..., None] + case.game.discount * ahead
    own = values[AGENT][..., None] + 0 * case.game.reward.reshape(*values[AGENT].shape, -1)
    return target - own.reshape(case.game.reward.shape)[..., None]


def projected_noise(case: Case) -> Iterator[Line]:
    """What is not chance in Lemma C.1: ``E_D(Q_π)`` is the noise of the targets, projected on the features, squared."""
    weights, _ = _weights_of(case, agent_values(case.game, case.policy)[AGENT])
    moments, noise = _moments(case), _noise(case)
    shape = (*case.law.shape[:-2], case.sizes.actions[0], -1, case.sizes.states + 1)
    cells = case.sample.reshape(shape)
    each = noise.reshape(shape)
    mass = cells.sum((-2, -1)).reshape(-1)
    sums = (cells * each).sum((-2, -1)).reshape(-1)
    direction = contract("...xi,...x->...i", case.features, sums)
    fit = contract("...xi,...i->...x", case.features, pseudo_solve(moments.gram, direction[..., None])[0][..., 0])
    yield line("E_D(Q_π)", moments.error(weights))
    yield equal(
        "‖Π ξ‖²_D, Π the projection on the features",
        (mass * square(fit)).sum(-1),
        because="A w - b = -E φ ξ at Q = φᵀw, and (E φ ξ)ᵀ Σ⁺ (E φ ξ) is the squared projection",
    )
    rest = each - fit.reshape(case.sizes.states, case.sizes.actions[0])[..., None, None]
    yield at_most(
        "‖ξ‖²_D",
        (cells * square(each)).sum((-4, -3, -2, -1)),
        because="Pythagoras: the rest is ‖ξ - Π ξ‖²_D",
        axiom=(squares(rest) * cells).sum((-4, -3, -2, -1)),
    )


def exponential_moment(case: Case) -> Iterator[Line]:
    """The noise of one target is sub-Gaussian, with the length of the range of values."""
    values = agent_values(case.game, case.policy)[0][..., 0]
    targets = case.game.reward[..., None] + case.game.discount * values
    law, time = case.game.transition, case.time + 0 * case.game.reward
    width = assume_positive(case.horizon) + 0 * case.game.reward
    yield line("log E exp(t (r + γ V(s')))", log((law * exp(time[..., None] * targets)).sum(-1)))
    yield at_most(
        "t E (r + γ V(s')) + t²/(8(1-γ)²)",
        time * (law * targets).sum(-1) + square(time * width) / 8,
        because="targets lie in [0, 1/(1-γ)]",
        axiom=hoeffding(law, targets, time, width),
    )
    yield equal(
        "t Q_π(s, a) + t²/(8(1-γ)²)",
        time * agent_values(case.game, case.policy)[-1] + square(time * width) / 8,
        because="Q is the mean of its targets",
    )


def population_errors(case: Case) -> Iterator[Line]:
    """In the population tables have no noise: ``E(Q_π) = 0`` and ``E(f) = ‖f - T f‖²_{2,μ}``, whatever the agents' number."""
    game, policy = case.game, case.policy
    moments = population_moments(
        game, policy, identity(game.states * game.actions, case.system), case.table, game.agents
    )
    values = agent_values(game, policy)[-1]
    yield line("E(Q_π)", moments.error(values.reshape(-1)))
    yield equal("0", like(0, case.table), because="Q_π is a fixed point of T_π, so A w = b")
    residual = case.critic - bellman_operator(game, policy, case.critic, game.agents)
    yield line("E(f)", moments.error(case.critic.reshape(-1)))
    yield equal(
        "‖f - T f‖²_{2,μ}",
        squared_norm(residual, case.table, 2),
        because="L(f', f) = ‖f' - T f‖²_{2,μ} + the noise of the target, and tables hold T f",
    )


def explicit_noise(case: Case) -> Iterator[Line]:
    """``E_D(Q_π, π) ≤ ((log 2/2) d + log(1/δ))/((1-γ)² n)``."""
    weights, _ = _weights_of(case, agent_values(case.game, case.policy)[AGENT])
    yield line("E_D(Q_π)", _moments(case).error(weights))
    yield at_most(
        "((log 2/2) d + log(1/δ))/((1-γ)² n)",
        sampled_error(case.horizon, case.number, case.features.shape[-1], log(like(1 / DELTA, case.system))),
        because="E exp(‖Πξ‖²/H²) ≤ 2^{d/2}, by Hoeffding's lemma at a Gaussian direction, and Markov's inequality",
    )


def explicit_generalisation(case: Case) -> Iterator[Line]:
    """``‖f - T f‖_{2,μ} - √E_D(f) ≤ 7 √(u/n)/(1-γ)``, ``u = d log(1 + 2Ln(1-γ)) + log(1/δ)``."""
    first, _ = generalisation(case)
    dimension = case.features.shape[-1]
    failure = log(like(1 / DELTA, case.system))  # and L = d/(1-γ)
    yield first
    yield at_most(
        "7 √((d log(1 + 2Ln(1-γ)) + log(1/δ))/n)/(1-γ)",
        unseen_error(case.horizon, case.number, dimension, dimension, failure)[..., None],
        because="Bernstein's inequality on a net of critics: Z = (f - y)² - (T f - y)² has mean ‖f - T f‖² and second moment "
        "at most 2 H² (f - T f)²",
    )


def _units(case: Case) -> Array:
    """``1/((1-γ)² n)``"""
    return square(case.horizon) / case.number


def generalisation(case: Case) -> Iterator[Line]:
    """``‖f - Tf‖_{2,μ} ≤ √(d log(nLR/δ)/((1-γ)² n)) + √E_D(f)``: for given critics, and for the sample's own solution."""
    moments = _moments(case)
    nowhere = zeros(case.features.shape[-1], case.system)
    own = pessimistic_step(moments, nowhere, 1).weights
    given = moveaxis(case.critics * case.horizon, -2, 0)
    given = given.reshape(len(given), *(1,) * (own.ndim + 1 - given.ndim), *given.shape[1:])
    weights = np.concatenate([own[None], np.broadcast_to(given, (len(given), *own.shape))])
    tables = over_points(case, contract("...xd,...d->...x", case.features, weights))
    residual = tables - bellman_operator(case.game, case.policy, tables, AGENT)
    norm = sqrt((square(residual) * case.distribution).sum((-2, -1)))
    error = moments.error(weights)
    critics = LinearClass(case.features, case.features.shape[-1] * case.horizon, case.horizon)
    inside = np.stack([critics.contains(w) for w in weights])
    excess = norm - sqrt(maximum(error, like(0, error)))
    yield line("‖f - T f‖_{2,μ} - √E_D(f)", moveaxis(excess, 0, -1), where=moveaxis(inside, 0, -1))
    yield at_most(
        "√(d log(nLR/δ)/((1-γ)² n))",
        sqrt(_bound(case))[..., None],
        because="T f is in the class, so E_D(f) estimates ‖f - T f‖², uniformly over critics",
    )


LINEAR_SAMPLE = Setting(
    "a sample for linear critics that hold Q_π",
    (*SAMPLE, IndependentFeatures("features", lambda sizes: (points_of(sizes),) * 2, 0, 3)),
    (*SOUND, Hypothesis("Q_π is linear in the features", _realizable)),
    agents=(1, 2),
    states=(1, 2),
    action_range=(1, 2),
    explore=False,
)
PROJECTED = Setting(
    "any law of (s, a, s') in the place of a sample, and features that hold Q_π",
    (
        *(i for i in SAMPLE if i.name not in ("counts", "number", "sample")),
        IndependentFeatures("features", lambda sizes: (points_of(sizes),) * 2, 0, 3),
        Distribution(
            "cells", lambda sizes: (points_of(sizes) * prefix_sizes(sizes.actions[1:])[-1] * (sizes.states + 1),), True
        ),
        Derived("sample", lambda case: case.cells.reshape(case.law.shape)),
    ),
    (SOUND[0],),
    agents=(1, 2),
    states=(1, 2),
    action_range=(1, 2),
    explore=False,
)
MOMENT = Setting(
    "a game with rewards in [0, 1], a policy, and a positive t",
    (
        GameData(termination=False, reward=(0, 9), scale=9, start=False),
        PolicyData("policy"),
        PositiveScalar("time"),
        Derived("horizon", lambda case: case.game.horizon),
    ),
    (SOUND[0],),
    agents=(1, 2),
    states=(1, 2),
    action_range=(1, 2),
)
TABLES = Setting(
    "a game, a policy, data everywhere, and any joint critic",
    (
        GameData(termination=False, reward=(0, 9), scale=9, start=False),
        PolicyData("policy"),
        Distribution("mu", lambda sizes: (sizes.states * prefix_sizes(sizes.actions)[-1],), True),
        Table("critic", lambda sizes: (sizes.states, prefix_sizes(sizes.actions)[-1])),
        Derived("table", lambda case: case.mu.reshape(case.sizes.states, -1)),
    ),
    (SOUND[0],),
    agents=(1, 2),
    states=(1, 2),
    action_range=(1, 2),
)
LINEAR_CRITICS = Setting(
    "a sample for linear critics that are complete, and a few of them",
    (
        *LINEAR_SAMPLE.ingredients,
        Table("critics", lambda sizes: (CRITICS, points_of(sizes)), 0, 9, 9),
    ),
    (
        *SOUND,
        Hypothesis("T f is linear in the features if f is", _complete),
        Hypothesis("every point occurs in the sample", _every_point),
    ),
    agents=(1, 2),
    states=(1, 2),
    action_range=(1, 2),
    explore=False,
)


# --- what is fixed while samples are drawn ----------------------------------------------------------------------------


def exact(values: Any) -> Array:
    """Integers and fractions as rationals."""
    return like(np.array(values, dtype=object), System.RATIONALS)


def evenly(count: int) -> Array:
    """The uniform distribution."""
    return exact([Fraction(1, count)] * count)


def coin() -> Game:
    """From the first state a coin decides whether 9/10 or 1/10 is paid for ever; γ = 9/10: as noisy as values can be, nearly."""
    half, transition = Fraction(1, 2), np.zeros((3, 2, 3), object)
    transition[0, :, 1:], transition[1, :, 1], transition[2, :, 2] = half, 1, 1
    reward = exact([[half] * 2, [Fraction(9, 10)] * 2, [Fraction(1, 10)] * 2])
    return Game(exact(transition), reward, exact(Fraction(9, 10)), (2,), name="coin")


def _mixture() -> tuple[Game, Array]:
    """A linear game, and its two features: every action mixes two ways on and two rewards, by shares that are the features."""
    shares = np.array([[Fraction(k, 6) for k in (0, 1, 3)], [Fraction(k, 6) for k in (2, 6, 4)]], object)[..., None]
    ways = np.array([[Fraction(4, 5), Fraction(1, 5)], [Fraction(1, 5), Fraction(4, 5)]], object)
    rewards = np.array([Fraction(9, 10), Fraction(1, 10)], object)
    mixed = np.concatenate([shares, 1 - shares], axis=-1)
    game = Game(exact(mixed @ ways), exact(mixed @ rewards), exact(Fraction(3, 4)), (3,), name="mixture")
    return game, exact(mixed.reshape(6, 2))


def linear_designs() -> dict[str, dict[str, Any]]:
    """A coin, a team whose second agent plays at random, and a linear game with fewer features than points."""
    team, (mixture, features) = random_game(2, (2, 2), Fraction(3, 4), seed=1), _mixture()
    designs = {}
    for game, phi in ((coin(), None), (team, None), (mixture, features)):
        points = game.states * game.action_sizes[0]
        table = identity(points, System.RATIONALS) if phi is None else phi
        designs[game.name or "team"] = {
            "game": game,
            "policy": Policy.uniform(game),
            "data": evenly(points),
            "features": table,
        }
    return designs


def _critic_designs() -> dict[str, dict[str, Any]]:
    """The same with critics that are constant: 1/4, 1/2 and 3/4 of the largest value."""
    designs = linear_designs()
    for design in designs.values():
        dimension = design["features"].shape[-1]
        design["critics"] = exact([[Fraction(k, 4)] * dimension for k in (1, 2, 3)])
    return designs


def law(case: Case) -> Array:
    """The law of one datum."""
    return case.law


NOTE = (
    "For each fixed policy, as the lemma reads; a bound for all policies at once, which R would pay for, is not tested and not "
    "needed where data is redrawn.  L = d/(1-γ), R = 1, δ = 1/10: small logarithms make the bound hard to meet."
)
CLAIMS = (
    Claim(
        "lemma-c.1",
        "The Bellman error of Q_π on a sample",
        "Appendix C.2, Lemma C.1",
        LINEAR_SAMPLE,
        own_noise,
        statement="E_D(Q_π, π) ≤ d log(nLR/δ)/((1-γ)² n) with probability ≥ 1 - δ",
        record=Standing.SUPPORTED,
        note=NOTE,
        experiment=Experiment(linear_designs, law, DELTA),
    ),
    Claim(
        "lemma-c.1/projection",
        "What it is on any data: projected noise",
        "Appendix C.2, Lemma C.1, what is not chance",
        PROJECTED,
        projected_noise,
        statement="E_D(Q_π) = ‖Π ξ‖²_D ≤ ‖ξ‖²_D with ξ = r + γ V(s') - Q, Π the projection on the features under the data",
        record=Standing.PROVED,
        points=(Sizes(1, (2,)), Sizes(1, (2, 2)), Sizes(2, (1,))),
        kind=Kind.BEYOND,
    ),
    Claim(
        "lemma-c.1/moment",
        "The noise of a target is sub-Gaussian",
        "Appendix C.2, Lemma C.1, what is chance",
        MOMENT,
        exponential_moment,
        statement="log E exp(t (r + γ V(s') - Q)) ≤ t²/(8(1-γ)²)",
        transcendental=True,
        record=Standing.PROVED,
        symbolic=(Sizes(2, (1,)), Sizes(2, (2,))),
        note="With lemma-c.1/projection, a Gaussian direction and Markov's inequality this is lemma-c.1/explicit, for all sizes.",
        kind=Kind.BEYOND,
    ),
    Claim(
        "lemma-c.1/explicit",
        "With explicit constants",
        "Appendix C.2, Lemma C.1, sharpened",
        LINEAR_SAMPLE,
        explicit_noise,
        statement="E_D(Q_π, π) ≤ ((log 2/2) d + log(1/δ))/((1-γ)² n) with probability ≥ 1 - δ, so lemma-c.1 with constant 1",
        record=Standing.SUPPORTED,
        note=NOTE + "  The proof for all sizes leans on lemma-c.1/projection and lemma-c.1/moment.",
        experiment=Experiment(linear_designs, law, DELTA),
        kind=Kind.BEYOND,
    ),
    Claim(
        "lemma-c.2/population",
        "What the errors are in the population",
        "Appendix C.2, for tables, as n → ∞",
        TABLES,
        population_errors,
        statement="E(Q_π) = 0 and E(f) = ‖f - T_π f‖²_{2,μ} for every f: ε_r = ε_b = 0",
        record=Standing.PROVED,
        symbolic=(Sizes(1, (2,)), Sizes(1, (2, 2)), Sizes(2, (1,))),
        points=(Sizes(2, (2, 2)),),
        kind=Kind.BEYOND,
    ),
    Claim(
        "lemma-c.2/explicit",
        "Small Bellman error on a sample means small residual, with explicit constants",
        "Appendix C.2, Lemma C.2, with completeness",
        LINEAR_CRITICS,
        explicit_generalisation,
        statement="‖f - T f‖_{2,μ} ≤ 7 √((d log(1 + 2Ln(1-γ)) + log(1/δ))/n)/(1-γ) + √E_D(f) for every f of the class, with "
        "probability ≥ 1 - δ",
        record=Standing.SUPPORTED,
        note=NOTE,
        experiment=Experiment(_critic_designs, law, DELTA),
        kind=Kind.BEYOND,
    ),
    Claim(
        "lemma-c.2/complete",
        "Small Bellman error on a sample means small residual, for complete classes",
        "Appendix C.2, Lemma C.2, with completeness",
        LINEAR_CRITICS,
        generalisation,
        statement="‖f - T f‖_{2,μ} ≤ √(d log(nLR/δ)/((1-γ)² n)) + √E_D(f) for every f of the class, with probability ≥ 1 - δ",
        record=Standing.SUPPORTED,
        note=NOTE + "  The power of 1-γ cannot be read in the scan; 2 is what the units of f ask for.",
        experiment=Experiment(_critic_designs, law, DELTA),
        kind=Kind.REPAIR,
    ),
)
