"""Surrogates and their gradients, the sequential factor, V-trace, COMA, Fisher matrix and KL estimates against plain loops."""

from __future__ import annotations

import math
import random
from fractions import Fraction as F
from functools import cache, partial

import numpy as np
import pytest

import mappo_verify as mv
import oracle
import paths
from mappo_verify.arithmetic import System, certainly_equal, compare, floats_of, like
from mappo_verify.errors import ExactnessError, GameError, UndecidedError
from mappo_verify.model import Game, Policy
from mappo_verify.model.conversion import convert
from mappo_verify.model.features import Features
from mappo_verify.model.trees import hidden
from mappo_verify.quantities.agent_values import agent_advantages, subset_advantages
from mappo_verify.quantities.counterfactual import counterfactual_advantages
from mappo_verify.quantities.divergence import kl_divergence
from mappo_verify.quantities.gradients import policy_gradient, product_gradient
from mappo_verify.quantities.kl_estimators import (
    average_kl,
    expected_estimate,
    kl_estimate_k1,
    kl_estimate_k2,
    kl_estimate_k3,
)
from mappo_verify.quantities.natural_gradient import (
    fisher_matrix,
    fisher_null_space,
    fisher_vector_product,
    natural_gradient,
)
from mappo_verify.quantities.off_policy import expected_vtrace, vtrace_policy
from mappo_verify.quantities.sequential_factor import sequential_factor, sequential_gains
from mappo_verify.quantities.surrogates import (
    average_entropy,
    clipped_surrogate,
    clipped_surrogate_gradient,
    entropy_gradient,
    linear_surrogate,
    linear_surrogate_gradient,
    penalised_surrogate,
    penalised_surrogate_gradient,
    surrogate_weights,
)
from mappo_verify.quantities.trajectory_targets import importance_weighted_returns, per_decision_returns
from mappo_verify.quantities.values import returns, state_values

SIZES = [(2,), (2, 2), (2, 3), (2, 1, 2)]


@cache
def case(seed, kind="full", layered=False):
    """``(game, policy, target)`` of the oracle and of the package; policies of full support, or product ones."""
    rng = random.Random(seed)
    sizes, gamma = SIZES[seed % len(SIZES)], [F(1), F(2, 3), F(1, 2)][seed % 3]
    if layered:
        game = paths.layered(rng, 3, (2,) if seed % 2 else (2, 2), gamma)
    else:
        game = oracle.draw_game(rng, 2, sizes, gamma, gamma == 1)
    policy, target = (oracle.draw_policy(rng, len(game["P"]), game["sizes"], "full") for _ in range(2))
    if kind == "product":
        policy, target = ([[[row[0]] * len(row) for row in table] for table in p] for p in (policy, target))
    return (game, policy, target), (Game(**oracle.arguments(game)), Policy(policy), Policy(target))


def rational(values):
    return like(np.array(values, dtype=object), System.RATIONALS)


def drawn_rows(seed, shape=(2, 2, 3)):
    """Weights, old and new factor, uncentred advantages, exact."""
    rng = random.Random(seed)
    states, prefixes, actions = shape
    weights = [[F(rng.randint(0, 4), 3) for _ in range(prefixes)] for _ in range(states)]
    old, new = (
        [[oracle.draw_row(rng, actions, full=full) for _ in range(prefixes)] for _ in range(states)]
        for full in (seed % 2 == 0, True)
    )
    advantages = [[[F(rng.randint(-6, 6), 2) for _ in range(actions)] for _ in range(prefixes)] for _ in range(states)]
    return weights, old, new, advantages


def rows_of(*tables):
    """``(weight, old row, new row, advantages)`` of every ``(s, p)``."""
    weights, *others = tables
    for s, row in enumerate(weights):
        for p, w in enumerate(row):
            yield (w, *(table[s][p] for table in others))


# --- the sequential factor --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["full", "product"])
@pytest.mark.parametrize("seed", range(6))
def test_sequential_factor_and_its_identity(seed, kind):
    (game, policy, target), (mv_game, mv_policy, mv_target) = case(seed, kind)
    sizes, gains = game["sizes"], oracle.fractions(list(sequential_gains(mv_game, mv_target, mv_policy)))
    tables, whole = oracle.agent_advantages(game, policy), oracle.advantages(game, policy)
    for m in range(1, len(sizes) + 1):
        found = oracle.fractions(sequential_factor(mv_target, mv_policy, m))
        for s in range(2):
            for i, prefix in enumerate(oracle.tuples(sizes[: m - 1])):
                new, old = (oracle.prefix_probability(p, sizes, s, prefix) for p in (target, policy))
                assert found[s][i] == new / old
            meant = F(0)
            for i, actions in enumerate(oracle.tuples(sizes[:m])):
                meant += oracle.prefix_probability(target, sizes, s, actions) * tables[m - 1][s][i]
            assert gains[m - 1][s] == meant
    for s in range(2):
        joint = [oracle.prefix_probability(target, sizes, s, a) for a in oracle.tuples(sizes)]
        assert sum(gain[s] for gain in gains) == sum(p * a for p, a in zip(joint, whole[s], strict=True))
    with pytest.raises(GameError, match="agent 0 is not in"):
        sequential_factor(mv_target, mv_policy, 0)


def test_an_action_that_is_new_has_no_factor():
    """The identity needs that ``π`` plays what ``π̄`` does; elsewhere an estimate misses the gain, and rationals say so."""
    game = Game([[[0], [0]]], [[1, 0]], 0, start=[1])
    new, old = Policy.deterministic(game, [0]), Policy.deterministic(game, [1])
    with pytest.raises(ExactnessError):
        sequential_gains(game.exact(), new.exact(), old.exact())


# --- V-trace and importance weights -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_off_policy_targets_over_every_path(seed):
    (game, behaviour, target), (mv_game, mv_behaviour, mv_target) = case(seed, layered=True)
    mu, pi = (paths.joint_policy(game, p) for p in (behaviour, target))
    critic = [F(1), F(-1, 2), F(3)]
    lam, rho_max, c_max = [(F(1), F(1), F(1)), (F(1, 2), F(3, 2), F(1))][seed % 2]
    found = oracle.fractions(expected_vtrace(mv_game, mv_target, mv_behaviour, critic, lam, rho_max, c_max))
    values, gamma = oracle.fractions(state_values(mv_game, mv_target)), game["gamma"]

    def ratios(path):
        return [pi[s][a] / mu[s][a] for s, a, _, _ in path]

    def along(estimate):
        def number(path):
            over = np.arange(len(path)) == len(path) - 1
            return oracle.fractions(estimate([x[2] for x in path], ratios(path), over, ~over & False, gamma))[0]

        return number

    numbers = [
        lambda path: paths.vtrace(path, gamma, lam, [critic] * 5, ratios(path), rho_max, c_max),
        along(importance_weighted_returns),
        along(per_decision_returns),
    ]
    for s in range(3):
        means = [
            sum(mu[s][a] * paths.moments(game, mu, s, a, 4, number)[0] for a in range(len(mu[s]))) for number in numbers
        ]
        assert means == [found[s], values[s], values[s]]


@pytest.mark.parametrize("seed", range(4))
def test_vtrace_learns_the_values_of_its_own_policy(seed):
    _, (game, behaviour, target) = case(seed)
    for rho_max in (F(1), F(1, 2)):
        learned = state_values(game, vtrace_policy(target, behaviour, rho_max))
        assert (expected_vtrace(game, target, behaviour, learned, F(1, 2), rho_max) == learned).all()
    assert (vtrace_policy(target, behaviour, 1000).joint() == target.joint()).all()
    same = state_values(game, target)
    assert (expected_vtrace(game, target, behaviour, same) != same).any(), "cut at 1 it is another policy's value"


# --- COMA -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_counterfactual_advantages(seed):
    (game, policy, _), (mv_game, mv_policy, _) = case(seed)
    sizes, table = game["sizes"], oracle.action_values(game, policy)
    for m in range(1, len(sizes) + 1):
        for critic in (None, [[F(3 * s + a * a, 2) for a in range(len(table[0]))] for s in range(2)]):
            used = table if critic is None else critic
            found = oracle.fractions(counterfactual_advantages(mv_game, mv_policy, m, critic))
            for s in range(2):
                for a, actions in enumerate(oracle.tuples(sizes)):
                    baseline = F(0)
                    for b in range(sizes[m - 1]):
                        other = (*actions[: m - 1], b, *actions[m:])
                        baseline += (
                            oracle.factor(policy, sizes, m - 1, s, other) * used[s][oracle.index_of(other, sizes)]
                        )
                    assert found[s][a] == used[s][a] - baseline
    with pytest.raises(GameError, match="agent 9 is not in"):
        counterfactual_advantages(mv_game, mv_policy, 9)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_counterfactual_advantages_of_product_policies_give_the_policy_gradient(seed):
    _, (game, policy, _) = case(seed, "product")
    weighted = policy.joint()
    for m in range(1, game.agents + 1):
        others = [j for j in range(1, game.agents + 1) if j != m]
        table = counterfactual_advantages(game, policy, m)
        assert (subset_advantages(game, policy, others, [m]).reshape(table.shape) == table).all()
        axes = (weighted * table).reshape(2, *game.action_sizes).sum(tuple(others))
        own = policy.factors[m - 1][:, 0]
        gains = (policy.prefix_probabilities()[m] * agent_advantages(game, policy)[m - 1]).reshape(2, -1, own.shape[-1])
        assert (axes == gains.sum(1)).all()


# --- KL ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_divergences_and_their_estimates(seed):
    weights, old, new, _ = drawn_rows(seed)
    exact, rough = [rational(t) for t in (weights, old, new)], [np.array(t, float) for t in (weights, old, new)]
    for w, p, q in (rough, *([[rough[0], rough[2], rough[1]]] if seed % 2 == 0 else [])):
        total, two = 0.0, np.zeros(p.shape[:-1])
        for s, x in np.ndindex(*w.shape):
            for a in range(p.shape[-1]):
                if p[s, x, a]:
                    total += w[s, x] * p[s, x, a] * math.log(p[s, x, a] / q[s, x, a])
                    two[s, x] += p[s, x, a] * math.log(q[s, x, a] / p[s, x, a]) ** 2 / 2
        assert average_kl(w, p, q) == pytest.approx(total, abs=1e-12)
        np.testing.assert_allclose(expected_estimate(p, kl_estimate_k2(p, q)), two, atol=1e-12)
        assert (kl_estimate_k3(p, q) >= 0).all()
    _, p, q = exact
    divergence = kl_divergence(p, q)
    assert certainly_equal(expected_estimate(p, kl_estimate_k1(p, q)), divergence).all()
    unseen = 1 - np.where(p != 0, q, 0).sum(-1)
    assert certainly_equal(expected_estimate(p, kl_estimate_k3(p, q)) + unseen, divergence).all()
    with pytest.raises(ExactnessError, match="product of two logarithms"):
        kl_estimate_k2(p, q)


def test_an_action_that_the_other_never_plays():
    assert kl_estimate_k1(np.array([0.5, 0.5]), np.array([0.0, 1.0]))[0] == np.inf
    assert kl_estimate_k1(np.array([0.0, 1.0]), np.array([0.5, 0.5])).tolist() == [0.0, math.log(2)]


# --- surrogates -------------------------------------------------------------------------------------------------------


def softmax(logits):
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def numeric(function, logits, step=1e-6):
    """Central differences."""
    result = np.zeros(logits.shape)
    for index in np.ndindex(*logits.shape):
        move = np.zeros(logits.shape)
        move[index] = step
        result[index] = (function(logits + move) - function(logits - move)) / (2 * step)
    return result


@pytest.mark.parametrize("seed", range(6))
def test_surrogates_by_their_definitions(seed):
    weights, old, new, gains = drawn_rows(seed)
    eps, given = F(1, 4), [rational(t) for t in (weights, old, new, gains)]
    linear = clipped = F(0)
    slopes = []
    for w, f, g, table in rows_of(weights, old, new, gains):
        linear += w * sum(p * x for p, x in zip(g, table, strict=True))
        slope = []
        for before, now, x in zip(f, g, table, strict=True):
            if before:
                ratio = now / before
                clipped += w * before * min(ratio * x, min(max(ratio, 1 - eps), 1 + eps) * x)
            flat = not before or (x > 0 and now > (1 + eps) * before) or (x < 0 and now < (1 - eps) * before)
            slope.append(F(0) if flat else x)
        slopes.append(slope)
    w, f, g, table = given
    assert oracle.fractions([linear_surrogate(w, g, table)[()], clipped_surrogate(w, f, g, table, eps)[()]]) == [
        linear,
        clipped,
    ]
    for slope, found in (
        ([row for rows in gains for row in rows], linear_surrogate_gradient(w, g, table)),
        (slopes, clipped_surrogate_gradient(w, f, g, table, eps)),
    ):
        wanted = []
        for (weight, play), d in zip(rows_of(weights, new), slope, strict=True):  # Σ_b D(b) ∂g(b)/∂ℓ(a)
            size = range(len(play))
            wanted.append([weight * sum(d[b] * play[b] * ((a == b) - play[a]) for b in size) for a in size])
        assert oracle.fractions(found.reshape(len(wanted), -1)) == wanted


@pytest.mark.parametrize("seed", range(4))
def test_gradients_by_differences(seed):
    weights, old, new, gains = (np.array(t, float) for t in drawn_rows(2 * seed))
    logits = np.log(new) + seed
    for value, gradient in (
        (lambda g: linear_surrogate(weights, g, gains), linear_surrogate_gradient(weights, new, gains)),
        (
            lambda g: clipped_surrogate(weights, old, g, gains, 0.21),
            clipped_surrogate_gradient(weights, old, new, gains, 0.21),
        ),
        (
            lambda g: penalised_surrogate(weights, old, g, gains, 0.7),
            penalised_surrogate_gradient(weights, old, new, gains, 0.7),
        ),
        (lambda g: average_entropy(weights, g), entropy_gradient(weights, new)),
    ):
        np.testing.assert_allclose(gradient, numeric(lambda x, v=value: v(softmax(x)), logits), atol=1e-7)


def test_gradients_in_log_linear_parameters():
    """``Σ φ · gradient in logits``, for every agent of a game, conditional factors included."""
    _, (game, policy, _) = case(1)
    game, policy = game.floats(), policy.floats()
    features = Features.random(game, 3, seed=1)
    parameters = [np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.3, -0.7])]
    gains = agent_advantages(game, policy)
    for m, old in enumerate(policy.factors, start=1):
        weights, table = surrogate_weights(game, policy, m), gains[m - 1].reshape(old.shape) + 1

        def value(theta, m=m, old=old, weights=weights, table=table):
            new = features.policy([theta if j == m - 1 else x for j, x in enumerate(parameters)]).factors[m - 1]
            return clipped_surrogate(weights, old, new, table, 0.3)

        new = features.policy(parameters).factors[m - 1]
        found = features.transposed(m - 1, clipped_surrogate_gradient(weights, old, new, table, 0.3))
        np.testing.assert_allclose(found, numeric(value, parameters[m - 1]), atol=1e-6)


def test_at_the_kink_the_inside_counts():
    old, new = rational([[[F(1, 2), F(1, 2)]]]), rational([[[F(5, 8), F(3, 8)]]])
    for gains in ([[[1, 0]]], [[[0, -1]]]):  # ratios are exactly 5/4 and 3/4
        found = clipped_surrogate_gradient(rational([[1]]), old, new, rational(gains), F(1, 4))
        assert (found == linear_surrogate_gradient(rational([[1]]), new, rational(gains))).all()
        less = clipped_surrogate_gradient(rational([[1]]), old, new, rational(gains), F(1, 5))
        assert (less == 0).all()
    balls = [convert(t, System.BALLS) for t in (rational([[1]]), old, new, rational([[[1, 0]]]))]
    assert clipped_surrogate_gradient(*balls, F(1, 5)).shape == (1, 1, 2)
    third = convert(rational([[[F(2, 3), F(1, 3)]]]), System.BALLS)  # a ratio of 4/3, up to a radius
    with pytest.raises(UndecidedError, match="cannot be told from these balls"):
        clipped_surrogate_gradient(balls[0], balls[1], third, balls[3], F(1, 3))


@pytest.mark.parametrize("seed", range(6))
def test_weights_and_the_policy_gradient(seed):
    """To first order the surrogate at the old policy is the return: its gradient is the policy gradient."""
    (game, policy, target), (mv_game, mv_policy, mv_target) = case(seed)
    visited, sizes = oracle.visits(game, policy), game["sizes"]
    tables, gradient = agent_advantages(mv_game, mv_policy), policy_gradient(mv_game, mv_policy)
    for m, factor in enumerate(mv_policy.factors, start=1):
        for updated, by in ((None, policy), (mv_target, target)):
            found = oracle.fractions(surrogate_weights(mv_game, mv_policy, m, updated))
            for s in range(2):
                reach = [oracle.prefix_probability(by, sizes, s, p) for p in oracle.tuples(sizes[: m - 1])]
                assert found[s] == [visited[s] * p for p in reach]
        weights = surrogate_weights(mv_game, mv_policy, m)
        table = tables[m - 1].reshape(factor.shape)
        assert (linear_surrogate_gradient(weights, factor, table) == gradient[m - 1]).all()
        assert (clipped_surrogate_gradient(weights, factor, factor, table, F(1, 5)) == gradient[m - 1]).all()
    with pytest.raises(GameError, match="agent 4 is not in"):
        surrogate_weights(mv_game, mv_policy, 4)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_gradient_of_product_policies_by_differences(seed):
    _, (game, policy, _) = case(seed, "product")
    game, policy = game.floats(), policy.floats()
    logits = [np.log(factor[:, 0]) for factor in policy.factors]
    gradients = product_gradient(game, policy)
    assert len(gradients) == game.agents
    for m, found in enumerate(gradients):

        def value(x, m=m):
            return float(returns(game, Policy.product([softmax(x if j == m else y) for j, y in enumerate(logits)])))

        np.testing.assert_allclose(found, numeric(value, logits[m]), atol=1e-7)


# --- Fisher -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [(5,), (2, 3)])
@pytest.mark.parametrize("features", [False, True])
def test_natural_gradients_of_a_batch_are_those_of_each(batch, features):
    rng = np.random.default_rng(0)
    weights, factor = rng.random((*batch, 2, 2)), rng.dirichlet(np.ones(3), (*batch, 2, 2))
    given = [rng.normal(size=(*batch, 12, 4))] if features else []
    vectors = rng.normal(size=(*batch, 4 if features else 12))

    def computed(weights, factor, vector, *features):
        fisher = fisher_matrix(weights, factor, *features)
        return fisher, fisher_null_space(fisher), *natural_gradient(fisher, vector)

    found = computed(weights, factor, vectors, *given)
    for index in np.ndindex(batch):
        for many, one in zip(
            found, computed(*(part[index] for part in (weights, factor, vectors, *given))), strict=True
        ):
            np.testing.assert_allclose(many[index], one, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_fisher_matrix(seed):
    weights, _, new, _ = drawn_rows(seed)
    rng = random.Random(seed)
    phi = [[F(rng.randint(-2, 2), 3) for _ in range(3)] for _ in range(12)]
    for features in (None, phi):
        table = features or [[F(x == i) for i in range(12)] for x in range(12)]
        size = range(len(table[0]))
        wanted = [[F(0)] * len(size) for _ in size]
        for x, (w, play) in enumerate(rows_of(weights, new)):
            own = table[3 * x : 3 * x + 3]
            mean = [sum(p * row[i] for p, row in zip(play, own, strict=True)) for i in size]
            for p, row in zip(play, own, strict=True):
                for i in size:
                    for j in size:  # E[φφᵀ] - E[φ]E[φ]ᵀ, written as a covariance
                        wanted[i][j] += w * p * (row[i] * row[j] - mean[i] * mean[j])
        given = None if features is None else rational(features)
        fisher = fisher_matrix(rational(weights), rational(new), given)
        assert oracle.fractions(fisher) == wanted
        null = fisher_null_space(fisher)
        assert (fisher @ null == 0).all() and (null @ null == null).all() and (null == null.T).all()
        vector = rational([F(rng.randint(-3, 3)) for _ in size])
        step, outside = natural_gradient(fisher, fisher @ vector)
        assert (fisher @ step == fisher @ vector).all() and (outside == 0).all() and (null @ step == 0).all()
        assert (natural_gradient(fisher, vector)[1] == null @ vector).all()
    rows = sum(w != 0 for row in weights for w in row)
    logits = fisher_matrix(rational(weights), rational(new))
    assert fisher_null_space(logits).trace() == 12 - 2 * rows, "a constant for every row that counts, all of the others"
    vector = rational([F(rng.randint(-3, 3)) for _ in range(12)])
    product = fisher_vector_product(rational(weights), rational(new), vector.reshape(2, 2, 3))
    assert (product.ravel() == logits @ vector).all()


def test_the_natural_gradient_of_logits_is_the_advantage():
    """Kakade (2001): in logits ``F⁺g`` is ``A``, up to a constant in every row."""
    _, (game, policy, _) = case(1)
    features = Features.tabular(game)
    gains = agent_advantages(game, policy)
    for m, (factor, gradient) in enumerate(zip(policy.factors, policy_gradient(game, policy), strict=True), start=1):
        fisher = fisher_matrix(surrogate_weights(game, policy, m), factor, features.matrix(m - 1))
        step, outside = natural_gradient(fisher, features.transposed(m - 1, gradient))
        table = gains[m - 1].reshape(factor.shape)
        assert (outside == 0).all()
        assert (step.reshape(factor.shape) == table - table.sum(-1, keepdims=True) / factor.shape[-1]).all()


# --- number systems ---------------------------------------------------------------------------------------------------

QUARTER, THIRD = F(1, 4), F(1, 3)
ROWS = {  # which of (weights, old, new, table) each takes
    "w.nt": linear_surrogate,
    "w.nt gradient": linear_surrogate_gradient,
    "wont": partial(clipped_surrogate, epsilon=QUARTER),
    "wont gradient": partial(clipped_surrogate_gradient, epsilon=QUARTER),
    "wont penalty": partial(penalised_surrogate, beta=THIRD),
    "wont gradient of penalty": partial(penalised_surrogate_gradient, beta=THIRD),
    "w.n entropy": average_entropy,
    "w.n gradient of entropy": entropy_gradient,
    "won kl": average_kl,
    ".on k3": kl_estimate_k3,
    "w.nt product": fisher_vector_product,
    "w.n matrix": fisher_matrix,
}


def called(name, rows):
    taken = dict(zip("wont", rows, strict=True))
    return ROWS[name](*(taken[letter] for letter in name.partition(" ")[0] if letter in taken))


def of_games(game, target, policy):
    yield sequential_factor(target, policy, 2)
    yield sequential_gains(game, target, policy)[1]
    yield expected_vtrace(game, target, policy, game.reward[..., 0])
    yield counterfactual_advantages(game, policy, 2)


def agree(found, exact, system):
    wanted = hidden(exact, system, exact.ndim)
    assert found.shape == exact.shape
    assert (compare(found, "=", wanted).values >= 0).all()


@pytest.mark.parametrize("system", [System.RATIONALS, System.ENCLOSURES, System.BALLS], ids=lambda s: s.value)
def test_of_one_instance(system):
    rows = [rational(t) for t in drawn_rows(0)]
    for name in ROWS:
        agree(called(name, [hidden(t, system, t.ndim) for t in rows]), called(name, rows), system)
    _, (game, policy, target) = case(1)
    own = (hidden(x, system, 0) for x in (game, target, policy))
    for found, exact in zip(of_games(*own), of_games(game, target, policy), strict=True):
        agree(found, exact, system)


def test_floats_and_batches():
    one, two = ([rational(t) for t in drawn_rows(seed)] for seed in (0, 2))
    for name in ROWS:
        together = called(name, [np.stack([floats_of(a), floats_of(b)]) for a, b in zip(one, two, strict=True)])
        exact = np.stack([floats_of(called(name, rows)) for rows in (one, two)])
        np.testing.assert_allclose(together, exact, rtol=1e-12, atol=1e-12)
    _, (game, policy, target) = case(1)
    pair = Policy(tuple(np.stack([a, b]) for a, b in zip(policy.factors, target.factors, strict=True))).floats()
    wanted = [list(of_games(game, *both)) for both in ((target, policy), (policy, target))]
    for q, together in enumerate(of_games(game.floats(), pair[::-1], pair)):
        for i in range(2):
            np.testing.assert_allclose(together[i], floats_of(wanted[i][q]), rtol=1e-12)


@pytest.mark.parametrize(
    ("values", "beta", "message"),
    [
        ([[1.0, 0.0]], 0.0, r"beta = 0\.0; it must be positive"),
        ([[1.0, 0.0], [0.0, 1.0]], [1.0, -2.0], r"beta\[1\] = -2\.0; it must be positive"),
        ([[1.0, np.nan]], 1.0, r"values\[0, 1\] = nan is not finite"),
        ([[0.0, 1e308]], 1e-3, r"values / beta\[0, 1\] = inf is not finite"),
    ],
)
def test_what_is_no_mirror_step_is_refused(values, beta, message):
    values = np.array(values)
    with pytest.raises(mv.errors.GameError, match=message):
        mv.mirror_step(np.full(values.shape, 0.5), values, np.array(beta))


def test_arguments_in_the_wrong_order_are_named():
    game = mv.named_game("climbing")
    with pytest.raises(
        mv.errors.ArgumentError, match=r"^state_values: game is Policy\(.*\), not a Game; given game = "
    ):
        mv.state_values(mv.Policy.uniform(game), game)
