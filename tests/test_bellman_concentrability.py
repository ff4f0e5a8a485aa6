"""Concentrability of Definition 5.4: the eigenvalue bounds every critic, is attained, and knows when data sees nothing."""

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import floats_of
from mappo_verify.games.offline import theorem_5_5_one_agent, theorem_5_5_two_agents
from mappo_verify.quantities.bellman import bellman_operator
from mappo_verify.quantities.bellman_concentrability import (
    _inside,
    concentrability_of_policy,
    residual_directions,
    residual_form,
    searched_concentrability,
)
from mappo_verify.quantities.linear_class import LinearClass


def setup(seed=0, states=3, sizes=(2, 2), dimension=2):
    generator = np.random.default_rng(seed)
    game = mv.random_game(states, sizes, seed=seed).floats()
    policy = mv.Policy.uniform(game)
    features = generator.standard_normal((states * sizes[0], dimension)) / 4
    above, below = generator.dirichlet(np.ones(states * sizes[0]), 2).reshape(2, states, sizes[0])
    return game, policy, features, above, below, generator


def ratio(game, policy, features, weights, above, below):
    """From the definition, one critic at a time."""
    table = (features @ weights).reshape(above.shape)
    residual = table - bellman_operator(game, policy, table, 1)
    return (above * residual**2).sum() / (below * residual**2).sum()


@pytest.mark.parametrize("seed", range(5))
def test_no_critic_exceeds_the_eigenvalue_and_some_come_close(seed):
    game, policy, features, above, below, generator = setup(seed)
    bound = float(concentrability_of_policy(game, policy, features, above, below, 1))
    tried = 10 ** generator.uniform(-2, 2) * generator.standard_normal((3_000, 2))
    found = [ratio(game, policy, features, w, above, below) for w in tried]
    assert max(found) <= bound * (1 + 1e-9)
    directions = residual_directions(game, policy, features, 1)
    forms = [residual_form(directions, nu) for nu in (above, below)]
    values, vectors = np.linalg.eig(np.linalg.solve(forms[1], forms[0]))
    best = np.real(vectors[:, np.argmax(np.real(values))])
    assert ratio(game, policy, features, best[:-1] / best[-1], above, below) == pytest.approx(bound, rel=1e-6)


def test_one_hot_features_without_rewards_meet_the_density_ratio():
    game, policy, _, above, below, _ = setup()
    game = mv.Game(game.transition, game.reward * 0, 0.0, game.action_sizes, start=game.start)
    bound = concentrability_of_policy(game, policy, np.eye(above.size), above, below, 1)
    assert float(bound) == pytest.approx((above / below).max(), rel=1e-9)


def test_data_that_sees_nothing_there():
    game, policy, features, above, below, _ = setup(dimension=5)
    blind = below.copy()
    blind[1:] = 0
    assert concentrability_of_policy(game, policy, features, above, blind / blind.sum(), 1) == np.inf
    nowhere = mv.Game(game.transition, game.reward * 0, 0.0, game.action_sizes, start=game.start)
    assert concentrability_of_policy(nowhere, policy, features * 0, above, below, 1) == 1


@pytest.mark.parametrize(("make", "bound"), [(theorem_5_5_two_agents, 4), (theorem_5_5_one_agent, 27 / 2)])
def test_the_counterexamples_are_covered(make, bound):
    """Max d_*/μ where the data is: C ≤ 2 and C² ≤ 27/2; the searched lower bound lies below the eigenvalue's upper bound."""
    problem = make().floats()
    game = problem.game
    visits = mv.quantities.occupancy(game, problem.comparator)
    generator = np.random.default_rng(0)
    policies = [mv.Policy.uniform(game), problem.comparator]
    for m in range(1, game.agents + 1):
        below, features = problem.distribution(m), problem.features.matrix(m - 1)
        above = visits.reshape(game.states, below.shape[-1], -1).sum(-1)
        critics = LinearClass(features, problem.radius, problem.ceiling)
        upper = max(float(concentrability_of_policy(game, p, features, above, below, m)) for p in policies)
        lower = float(searched_concentrability(game, policies, critics, above, below, m, 400, generator))
        assert 0 < lower <= upper * (1 + 1e-9)
        assert upper <= bound * (1 + 1e-9)


@pytest.mark.parametrize(("radius", "ceiling"), [(2.0, 50.0), (50.0, 3.0), (2.0, 1.5)])
def test_critics_are_drawn_up_to_the_edge_of_the_class(radius, ceiling):
    """Along each ray the part of the way to the ball or the ceiling is uniform; with features I the values are the weights."""
    generator = np.random.default_rng(0)
    rays = np.abs(generator.standard_normal((4_000, 2)))
    drawn = _inside(LinearClass(np.eye(2), radius, ceiling), rays, generator)
    edge = np.minimum(radius / np.linalg.norm(rays, axis=-1), ceiling / rays.max(-1))
    part = np.linalg.norm(drawn, axis=-1) / (edge * np.linalg.norm(rays, axis=-1))
    assert part.max() < 1 and np.quantile(part, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.03)
    assert drawn / np.linalg.norm(drawn, axis=-1, keepdims=True) == pytest.approx(
        rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    )


def test_a_search_finds_the_largest_ratio_of_what_it_draws():
    game, policy, features, above, below, _ = setup()
    critics = LinearClass(np.abs(features), 3.0, 5.0)
    policies = [policy, mv.Policy.deterministic(game, [0, 1, 3])]
    found = searched_concentrability(game, policies, critics, above, below, 1, 40, np.random.default_rng(5))
    generator, ratios = np.random.default_rng(5), []
    for each in policies:
        drawn = _inside(critics, np.abs(generator.standard_normal((40, 2))), generator)
        ratios += [ratio(game, each, critics.features, weights, above, below) for weights in drawn]
    assert float(found) == pytest.approx(max(ratios), rel=1e-9) and max(ratios) > np.median(ratios)


def test_a_search_only_counts_critics_of_the_class():
    problem = theorem_5_5_one_agent().floats()
    features, below = problem.features.matrix(0), problem.distribution(1)
    above = mv.quantities.occupancy(problem.game, problem.comparator)
    tiny = LinearClass(features, 1e-9, 1e-9)
    found = searched_concentrability(
        problem.game, [mv.Policy.uniform(problem.game)], tiny, above, below, 1, 50, np.random.default_rng(1)
    )
    reward = float(floats_of((above * problem.game.reward**2).sum() / (below * problem.game.reward**2).sum()))
    assert float(found) == pytest.approx(reward, rel=1e-5)  # critics near 0 leave the rewards alone


def test_critics_outside_of_the_class_are_not_counted(monkeypatch):
    game, policy, features, above, below, _ = setup()
    given = (game, [policy], LinearClass(np.abs(features), 3.0, 5.0), above, below, 1, 40)
    monkeypatch.setattr(LinearClass, "contains", lambda _, weights: np.full(len(weights), -1))
    assert searched_concentrability(*given, np.random.default_rng(5)) == 0
    monkeypatch.setattr(LinearClass, "contains", lambda _, weights: np.where(np.arange(len(weights)) == 7, 1, 0))
    generator = np.random.default_rng(5)
    drawn = _inside(given[2], np.abs(generator.standard_normal((40, 2))), generator)[7]
    found = searched_concentrability(*given, np.random.default_rng(5))
    assert float(found) == pytest.approx(ratio(game, policy, given[2].features, drawn, above, below), rel=1e-9)
