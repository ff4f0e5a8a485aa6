"""Features and log-linear policies: one interface, whatever the features; what is refused, and how."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mappo_verify.arithmetic import System, compare, floats_of, like, log
from mappo_verify.arithmetic.precision import precision
from mappo_verify.errors import ExactnessError, GameError
from mappo_verify.games.named import random_game
from mappo_verify.model import Policy
from mappo_verify.model.agents import prefix_sizes
from mappo_verify.model.conversion import convert
from mappo_verify.model.features import Features
from mappo_verify.quantities.mirror_descent import log_linear_step

SIZES = [(3,), (2, 3), (3, 1, 2), (2, 2, 2)]


def game_of(sizes, seed=0):
    return random_game(3, sizes, seed=seed).floats()


def one_hot(game):
    """The identity, as anybody could give it."""
    tables = []
    for prefixes, size in zip(prefix_sizes(game.action_sizes), game.action_sizes, strict=False):
        d = game.states * prefixes * size
        tables.append(np.eye(d).reshape(game.states, prefixes, size, d))
    return Features.given(tables)


def drawn(features, generator, batch=()):
    return [generator.standard_normal((*batch, d)) for d in features.dimensions]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("batch", [(), (4,)])
def test_tabular_features_are_one_hot(sizes, batch):
    game, generator = game_of(sizes), np.random.default_rng(1)
    tabular, given = Features.tabular(game), one_hot(game)
    assert tabular.dimensions == given.dimensions
    assert tabular.shapes == given.shapes
    thetas = drawn(tabular, generator, batch)
    for m, theta in enumerate(thetas):
        table = generator.random((*batch, *tabular.shapes[m]))
        points = generator.integers(tabular.dimensions[m], size=4)
        rows, amounts = generator.standard_normal((4, tabular.dimensions[m])), generator.standard_normal(4)
        for left, right in (
            (tabular.scores(m, theta), given.scores(m, theta)),
            (tabular.transposed(m, table), given.transposed(m, table)),
            (tabular.matrix(m), given.matrix(m)),
            (tabular.inner(m, rows, points), given.inner(m, rows, points)),
            (tabular.moved(m, rows, points, amounts), given.moved(m, rows, points, amounts)),
        ):
            np.testing.assert_allclose(left, right, rtol=0, atol=1e-14)
    ours, theirs = tabular.policy(thetas), given.policy(thetas)
    assert ours.batch_shape == batch
    for left, right in zip(ours.factors, theirs.factors, strict=True):
        np.testing.assert_allclose(left, right, rtol=0, atol=1e-15)
        assert not left.flags.writeable


@pytest.mark.parametrize("sizes", SIZES)
def test_a_policy_is_the_softmax_of_its_scores(sizes):
    game, generator = game_of(sizes), np.random.default_rng(2)
    for features in (Features.tabular(game), Features.random(game, 4, seed=3)):
        thetas = drawn(features, generator)
        policy = features.policy(thetas)
        plain = Policy.softmax([features.scores(m, theta) for m, theta in enumerate(thetas)])
        policy.require_fits(game)
        for left, right in zip(policy.factors, plain.factors, strict=True):
            np.testing.assert_allclose(left, right, rtol=0, atol=1e-15)
        uniform = features.policy([features.zero(m) for m in range(game.agents)])
        for left, right in zip(uniform.factors, Policy.uniform(game).factors, strict=True):
            np.testing.assert_allclose(left, right, rtol=0, atol=1e-15)


def test_moving_the_parameters_is_a_log_linear_step():
    game, generator = game_of((2, 3)), np.random.default_rng(4)
    features = Features.random(game, 5)
    before, step = drawn(features, generator), drawn(features, generator)
    after = features.policy([x + w for x, w in zip(before, step, strict=True)])
    for m, factor in enumerate(features.policy(before).factors):
        moved = log_linear_step(factor, features.tables[m], step[m])
        np.testing.assert_allclose(after.factors[m], moved, rtol=0, atol=1e-14)


def test_transposed_is_the_adjoint_of_scores():
    game, generator = game_of((3, 1, 2)), np.random.default_rng(5)
    for features in (Features.tabular(game), Features.random(game, 7)):
        for m, theta in enumerate(drawn(features, generator)):
            table = generator.standard_normal(features.shapes[m])
            left = (features.scores(m, theta) * table).sum()
            assert left == pytest.approx(float(theta @ features.transposed(m, table)), abs=1e-12)


@pytest.mark.parametrize("sizes", SIZES)
def test_decomposition(sizes):
    game, generator = game_of(sizes), np.random.default_rng(6)
    for features in (Features.tabular(game), Features.random(game, 4)):
        for m in range(game.agents):
            roots = np.sqrt(generator.random(math.prod(features.shapes[m])))
            left, singular, right = features.decompose(m, roots)
            left = np.eye(len(singular)) if left is None else left
            right = np.eye(len(singular)) if right is None else right
            np.testing.assert_allclose(
                left * singular @ right.T, roots[:, None] * features.matrix(m), rtol=0, atol=1e-13
            )


def test_features_with_a_batch_of_their_own():
    game, generator = game_of((2, 3)), np.random.default_rng(7)
    tables = [generator.standard_normal((4, *shape, 3)) for shape in Features.tabular(game).shapes]
    tables = [table / np.linalg.norm(table, axis=-1, keepdims=True) * 0.9 for table in tables]
    features = Features.given(tables)
    thetas = drawn(features, generator, (4,))
    policy = features.policy(thetas)
    for b in range(4):
        single = Features.given([table[b] for table in tables])
        alone = single.policy([theta[b] for theta in thetas])
        for m in range(2):
            np.testing.assert_allclose(policy.factors[m][b], alone.factors[m], rtol=0, atol=1e-15)
            points = generator.integers(math.prod(features.shapes[m]), size=4)
            inner = features.inner(m, thetas[m], points)
            assert inner[b] == pytest.approx(single.inner(m, thetas[m][b : b + 1], points[b : b + 1])[0])


def test_random_features_have_norm_at_most_one_exactly_and_a_seed():
    game = game_of((2, 3))
    features = Features.random(game, 6, seed=11)
    again, other = Features.random(game, 6, seed=11), Features.random(game, 6, seed=12)
    for m in range(2):
        assert (features.tables[m] == again.tables[m]).all()
        assert (features.tables[m] != other.tables[m]).any()
        exact = features.converted(System.RATIONALS)
        norms = np.square(exact.tables[m]).sum(-1)
        assert (compare(norms, "≤", like(1, norms)) > 0).all()
        assert floats_of(norms).min() > 0.999
    Features.given(features.converted(System.RATIONALS).tables)  # passes the exact check
    assert Features.random(game.balls(), 2).system is System.BALLS
    with pytest.raises(GameError, match="dimension of features = 0 is not an integer of at least 1"):
        Features.random(game, 0)


# --- number systems ---------------------------------------------------------------------------------------------------


def test_balls_enclose_and_rationals_need_logarithms():
    game, generator = game_of((2, 3)), np.random.default_rng(8)
    features = Features.random(game, 3)
    thetas = drawn(features, generator)
    floats = features.policy(thetas)
    with precision(100):
        balls = features.converted(System.BALLS)
        enclosed = balls.policy([convert(theta, System.BALLS) for theta in thetas])
        for left, right in zip(enclosed.factors, floats.factors, strict=True):
            np.testing.assert_allclose(floats_of(left), right, rtol=0, atol=1e-15)
            assert max(float(x.rad()) for x in left.ravel()) < 1e-25
    exact = Features.tabular(game.exact())
    with pytest.raises(ExactnessError):
        exact.policy([like(np.ones(d, int), System.RATIONALS) for d in exact.dimensions])
    odds = [log(like(np.arange(1, d + 1), System.RATIONALS)) for d in exact.dimensions]
    factor = exact.policy(odds).factors[0]
    assert str(factor[0, 0, 0]) == "1/3"
    assert (factor.sum(-1) == 1).all()


# --- bad input --------------------------------------------------------------------------------------------------------


def table(shape=(1, 1, 2, 3), value=0.1):
    return np.full(shape, value)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ([], "at least one agent"),
        ([np.ones((1, 2, 3))], "features[0] has shape (1, 2, 3); it needs [..., S, prefixes, actions, d]"),
        ([np.ones((1, 1, 2, 0))], "none of them 0"),
        (
            [table(), table((1, 3, 2, 3))],
            "features[1] has shape (1, 3, 2, 3); it needs [..., S, prefixes, actions, d] = [..., 1, 2, 2, d]",
        ),
        ([table((2, 1, 2, 3)), table((1, 2, 2, 3))], "features[1] has shape"),
        ([table(value=math.nan)], "features[0][0, 0, 0, 0] = nan is not finite"),
        ([table(), table((1, 2, 2, 3), math.inf)], "features[1][0, 0, 0, 0] = inf is not finite"),
        ([table(value=0.6)], "‖features[0]‖²[0, 0, 0] = 1.08 is more than 1"),
    ],
)
def test_given_features_are_checked(tables, message):
    with pytest.raises(GameError) as caught:
        Features.given(tables)
    assert message in str(caught.value)


def test_the_index_is_named():
    values = table((2, 1, 2, 3))
    values[1, 0, 1] = [1, 0.5, 0]
    with pytest.raises(GameError) as caught:
        Features.given([values])
    assert "[1, 0, 1] = 1.25" in str(caught.value)


def test_features_must_fit():
    game = game_of((2, 3))
    with pytest.raises(GameError, match=r"are for 3 states and action sizes \(3,\)"):
        Features.tabular(game_of((3,))).require_fits(game)
    with pytest.raises(GameError, match="features in rationals"):
        Features.tabular(game.exact()).require_fits(game)
    features = Features.tabular(game)
    with pytest.raises(GameError, match="1 parameter vectors were given for 2 agents"):
        features.policy([np.zeros(6)])
    with pytest.raises(GameError, match=r"parameters\[1\] has shape \(6,\); it needs \[..., 18\]"):
        features.policy([np.zeros(6), np.zeros(6)])
    with pytest.raises(GameError, match=r"parameters\[1\]\[2\] = nan"):
        features.policy([np.zeros(6), np.r_[0, 0, math.nan, np.zeros(15)]])
    assert repr(features) == "TabularFeatures(3 states, actions (2, 3), d = (6, 18), floats)"
