"""Offline data as tables, and finite classes of critics, against loops over data."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
import oracle
from mappo_verify.arithmetic import System, like
from mappo_verify.errors import GameError
from mappo_verify.model.conversion import convert
from mappo_verify.quantities.data import data_moments, frequencies, law_of_data, possible
from mappo_verify.quantities.finite_class import FiniteClass, visited_states

RATIONALS = System.RATIONALS
SEEDS = range(40)


def exact(nested):
    return like(np.array(nested, dtype=object), RATIONALS)


def drawn(seed):
    """A game and policy in both worlds, an agent, ``μ``, three critics, and a start."""
    rng = random.Random(1_000 + seed)
    game, policy, _ = oracle.draw_case(seed)
    m = rng.randint(1, len(game["sizes"]))
    states, prefixes = len(game["P"]), len(oracle.tuples(game["sizes"][:m]))
    flat = oracle.draw_row(rng, states * prefixes)
    mu = [flat[s * prefixes : (s + 1) * prefixes] for s in range(states)]
    critics = [[[Fraction(rng.randint(-9, 9), 3) for _ in range(prefixes)] for _ in range(states)] for _ in range(3)]
    ours = mv.Game(**{k: exact(v) if k != "action_sizes" else v for k, v in oracle.arguments(game).items()})
    return game, policy, ours, mv.Policy(tuple(exact(table) for table in policy)), m, mu, critics


@pytest.mark.parametrize("seed", SEEDS)
def test_the_law_of_data(seed):
    game, policy, ours, played, m, mu, _ = drawn(seed)
    law = law_of_data(ours, played, exact(mu), m)
    assert oracle.fractions(law) == oracle.law_of_data(game, policy, mu, m)
    assert law.sum() == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_finite_bellman_errors(seed):
    """Datum by datum, on the law and on a sample."""
    game, policy, ours, played, m, mu, critics = drawn(seed)
    finite, rng = FiniteClass(exact(critics), m), np.random.default_rng(seed)
    law = law_of_data(ours, played, exact(mu), m)
    counts = like(rng.integers(0, 5, law.shape) + (law == np.max(law)), RATIONALS)
    for data in (law, frequencies(law, counts)):
        loops = oracle.fractions(data)
        found = finite.errors(ours, played, data)
        assert oracle.fractions(found) == [
            oracle.finite_bellman_error(game, policy, loops, critics, i, m) for i in range(3)
        ]
        penalty = Fraction(3, 7)
        values = oracle.fractions(finite.start_values(played, ours.start))
        sums = [value + penalty * error for value, error in zip(values, oracle.fractions(found), strict=True)]
        assert int(finite.choice(ours, played, data, exact(penalty), ours.start)) == sums.index(min(sums))
        ahead = [oracle.prefix_average(f, game | {"sizes": game["sizes"][:m]}, policy, 0) for f in critics]
        assert values == [sum((p * v[s][0] for s, p in enumerate(game["start"])), Fraction(0)) for v in ahead]


@pytest.mark.parametrize("seed", SEEDS)
def test_realizability_and_completeness(seed):
    game, policy, ours, played, m, mu, critics = drawn(seed)
    finite = FiniteClass(exact(critics), m)
    backups = [oracle.bellman_operator(game, policy, f, m) for f in critics]
    points = [(s, p) for s in range(len(mu)) for p in range(len(mu[0]))]

    def gap(f, g, over=points):
        return max((abs(f[s][p] - g[s][p]) for s, p in over), default=Fraction(0))

    residuals = [gap(f, g) for f, g in zip(critics, backups, strict=True)]
    assert oracle.fractions(finite.residual_norms(ours, played)) == residuals
    assert int(finite.most_realistic(ours, played)) == residuals.index(min(residuals))
    assert Fraction(str(finite.realizability(ours, played))) == min(residuals) ** 2
    seen = visited_states(ours, ours.start)
    inside = [(s, p) for s, p in points if seen[s]]
    masked = min(gap(f, g, inside) for f, g in zip(critics, backups, strict=True)) ** 2
    assert Fraction(str(finite.realizability(ours, played, seen))) == masked
    everywhere = max(min(gap(f, g) for f in critics) for g in backups) ** 2
    assert Fraction(str(finite.completeness(ours, played))) == everywhere
    under = max(min(sum(mu[s][p] * (f[s][p] - g[s][p]) ** 2 for s, p in points) for f in critics) for g in backups)
    assert Fraction(str(finite.completeness(ours, played, exact(mu)))) == under


@pytest.mark.parametrize("seed", SEEDS)
def test_moments_of_the_law_are_those_of_the_population(seed):
    _, _, ours, played, m, mu, _ = drawn(seed)
    points = ours.states * len(mu[0])
    features = like(np.random.default_rng(seed).integers(-3, 4, (points, 2)), RATIONALS)
    ours_, theirs = (
        data_moments(ours, played, features, law_of_data(ours, played, exact(mu), m), m),
        mv.quantities.population_moments(ours, played, features, exact(mu), m),
    )
    for name in ("gram", "operator", "reward"):
        assert (getattr(ours_, name) == getattr(theirs, name)).all(), name


@pytest.mark.parametrize("m", [1, 2])
def test_moments_of_a_batch_are_those_of_each(m):
    rng = np.random.default_rng(0)
    games = [mv.random_game(3, (2, 2), seed=seed).floats() for seed in range(2)]
    parts = (np.stack([getattr(game, name) for game in games]) for name in ("transition", "reward"))
    both = mv.Game(*parts, games[0].discount, (2, 2))
    policy, features = mv.Policy.uniform(games[0]), rng.normal(size=(2, 3 * 2**m, 4))
    data = rng.dirichlet(np.ones(3 * 4 * 4), 2).reshape(2, 3, 4, 4)
    data[..., -1] = 0  # nobody ends
    found = data_moments(both, policy, features, data, m)
    for place, game in enumerate(games):
        alone = data_moments(game, policy, features[place], data[place], m)
        for name in ("gram", "operator", "reward"):
            np.testing.assert_allclose(getattr(found, name)[place], getattr(alone, name), atol=1e-12)


def test_moments_of_a_sample_are_means_over_its_data():
    """Datum by datum, with points that do not occur and episodes that end."""
    rng = np.random.default_rng(0)
    game = mv.random_game(2, (2, 2), seed=5, termination=True)
    policy, features = mv.Policy.uniform(game), like(rng.integers(-2, 3, (4, 3)), RATIONALS)
    law = law_of_data(game, policy, exact([[Fraction(1, 4)] * 2] * 2), 1)
    counts = rng.integers(0, 3, law.shape)
    counts[1, 2:] = 0  # the point (1, 1) does not occur
    kept = possible(law, like(counts, RATIONALS))
    moments = data_moments(game, policy, features, frequencies(law, like(counts, RATIONALS)), 1)
    gram, operator, reward, total = 0, 0, 0, kept.sum()
    for s, a, t in np.ndindex(kept.shape):
        phi = features[s * 2 + a // 2]
        ahead = (features[2 * t] + features[2 * t + 1]) / 2 if t < 2 else 0 * phi
        gram = gram + kept[s, a, t] * np.outer(phi, phi)
        operator = operator + kept[s, a, t] * np.outer(phi, phi - game.discount[()] * ahead)
        reward = reward + kept[s, a, t] * game.reward[s, a] * phi
    assert (moments.gram * total == gram).all()
    assert (moments.operator * total == operator).all()
    assert (moments.reward * total == reward).all()


def test_counts_of_what_cannot_happen_are_left_out():
    law = exact([[[Fraction(1, 2), 0, Fraction(1, 2)]]])
    counts = exact([[[3, 5, 1]]])
    assert possible(law, counts).tolist() == [[[3, 0, 1]]]
    assert oracle.fractions(frequencies(law, counts)) == [[[Fraction(3, 4), 0, Fraction(1, 4)]]]


def test_brackets_of_admissible_distributions():
    """What the occupancies of all deterministic policies show is at most what the visited states allow."""
    game = mv.random_game(3, (2,), seed=3)
    game = mv.Game(game.transition, game.reward, game.discount, game.action_sizes, start=exact([1, 0, 0]))
    policy = mv.Policy.uniform(game)
    rng = np.random.default_rng(1)
    finite = FiniteClass(like(rng.integers(0, 9, (4, 3, 2)), RATIONALS), 1)
    plans = [mv.Policy.deterministic(game, np.array(plan)) for plan in np.ndindex(2, 2, 2)]
    shown = np.stack([mv.quantities.occupancy(game, plan) for plan in plans])
    lower = finite.realizability_under(game, policy, shown)
    upper = finite.realizability(game, policy, visited_states(game, game.start))
    assert 0 < lower <= upper <= finite.realizability(game, policy)


@pytest.mark.parametrize("system", [System.FLOATS, System.BALLS])
def test_other_number_systems(system):
    """Floats agree up to rounding, balls enclose; batches of data meet one game, batches of games meet one class."""
    game = mv.random_game(2, (2, 2), seed=2)
    policy, rng = mv.Policy.uniform(game), np.random.default_rng(2)
    mu = exact([[Fraction(1, 4)] * 2] * 2)
    tables = like(rng.integers(0, 9, (3, 2, 2)), RATIONALS)
    law = law_of_data(game, policy, mu, 1)
    counts = like(rng.integers(1, 9, (5, *law.shape)), RATIONALS)
    want = FiniteClass(tables, 1).errors(game, policy, frequencies(law, counts))
    assert want.shape == (5, 3)

    def to(values):
        return convert(values, system)

    other = {System.FLOATS: game.floats, System.BALLS: game.balls}[system]()
    played = mv.Policy.uniform(other)
    law_ = law_of_data(other, played, to(mu), 1)
    found = FiniteClass(to(tables), 1).errors(other, played, frequencies(law_, to(counts)))
    for ours, theirs in zip(found.ravel(), want.ravel(), strict=True):
        if system is System.FLOATS:
            assert abs(ours - float(Fraction(str(theirs)))) < 1e-12 * 100  # entries below 100, a few dozen sums
        else:
            assert ours.contains(to(np.array(theirs, object))[()])
    games = mv.random_game(2, (2, 2), seed=2, batch=(4,))
    many = FiniteClass(tables, 1)
    uniform = mv.Policy.uniform(games)
    assert many.residual_norms(games, uniform).shape == (4, 3)
    for index in range(4):
        alone = many.residual_norms(games[index], mv.Policy.uniform(games[index]))
        assert (many.residual_norms(games, uniform)[index] == alone).all()
        data = law_of_data(games[index], mv.Policy.uniform(games[index]), mu, 1)
        batch = law_of_data(games, uniform, np.broadcast_to(mu, (4, 2, 2)), 1)
        assert (many.errors(games, uniform, batch)[index] == many.errors(games[index], policy, data)).all()


@pytest.mark.parametrize("shape", [(2, 2), (0, 2, 2)])
def test_a_class_needs_tables(shape):
    with pytest.raises(GameError, match="a finite class needs"):
        FiniteClass(np.zeros(shape), 1)


def test_a_distribution_that_does_not_fit():
    game = mv.random_game(2, (2,))
    with pytest.raises(GameError, match="μ has shape"):
        law_of_data(game, mv.Policy.uniform(game), exact([[1, 0]]), 1)


def test_the_allowance_by_hand():
    """A reward of 1 for ever at γ = ½: ``T f = 1 + f/2``, so 0, 2 and 3 miss by 1, 0 and ½; the horizon is 2, λ is 2."""
    game = mv.Game([[[1]]], [[1]], Fraction(1, 2), start=[1])
    policy, critics = mv.Policy.uniform(game), FiniteClass(exact([[[0]], [[2]], [[3]]]), 1)
    assert oracle.fractions(critics.residual_norms(game, policy)) == [1, 0, Fraction(1, 2)]
    errors = exact([Fraction(1, 2), 4, Fraction(1, 4)])
    found = critics.allowance(game, policy, errors, exact(2), exact(2))
    assert oracle.fractions(found) == min(2 + 1, 0 + 8, 1 + Fraction(1, 2))
    assert oracle.fractions(critics.allowance(game, policy, errors, exact(0), exact(2))) == 0
