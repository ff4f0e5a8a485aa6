"""Projected stochastic gradients on all sample paths, against one plain loop per path."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.quantities.stochastic_gradient import (
    mean_function,
    path_chances,
    path_digits,
    project,
    sample_paths,
    squared_gradient,
    squared_loss,
    squared_paths,
)


def walk(gradient, path, dimension, radius, step):
    """``θ(0), ..., θ(T)`` along one path, in plain floats."""
    theta = [0.0] * dimension
    points = [theta]
    for i in path:
        slope = gradient(i, theta)
        theta = [x - step * g for x, g in zip(theta, slope, strict=True)]
        norm = math.sqrt(sum(x * x for x in theta))
        theta = [x * radius / max(radius, norm) for x in theta]
        points.append(theta)
    return points


def dot(left, right):
    return sum(x * y for x, y in zip(left, right, strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_least_squares_path_by_path(seed):
    rng = np.random.default_rng(seed)
    count, dimension, steps = int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.integers(1, 4))
    features, targets = rng.normal(size=(count, dimension)), rng.normal(size=count)
    chances, radius, step = rng.dirichlet(np.ones(count)), 0.7, 0.4

    def gradient(i, theta):
        return [2 * (dot(features[i], theta) - targets[i]) * x for x in features[i]]

    wanted = [walk(gradient, path, dimension, radius, step) for path in itertools.product(range(count), repeat=steps)]
    points = squared_paths(features, targets, radius, step, steps)
    np.testing.assert_allclose(points, wanted, rtol=1e-12, atol=1e-14)
    losses = [
        sum(p * (dot(phi, theta) - y) ** 2 for p, phi, y in zip(chances, features, targets, strict=True))
        for theta in points[:, -1]
    ]
    np.testing.assert_allclose(squared_loss(features, targets, chances, points[:, -1]), losses, rtol=1e-12)
    chosen = path_digits(count, steps)[:, 0]
    slopes = [gradient(i, theta) for i, theta in zip(chosen, points[:, 1], strict=True)]
    np.testing.assert_allclose(squared_gradient(features, targets, points[:, 1], chosen), slopes, rtol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_piecewise_linear_path_by_path(seed):
    rng = np.random.default_rng(seed)
    count, dimension, steps = int(rng.integers(1, 4)), int(rng.integers(1, 3)), int(rng.integers(1, 4))
    slopes, offsets = rng.normal(size=(count, 2, dimension)), rng.normal(size=(count, 2))
    chances = rng.dirichlet(np.ones(count))

    def pieces(i, theta):
        return [dot(slopes[i, j], theta) + offsets[i, j] for j in range(2)]

    def gradient(i, theta):
        values = pieces(i, theta)
        return slopes[i, values.index(max(values))].tolist()

    paths = list(itertools.product(range(count), repeat=steps))
    points = sample_paths(slopes, offsets, 0.8, 0.5, steps)
    np.testing.assert_allclose(points, [walk(gradient, p, dimension, 0.8, 0.5) for p in paths], rtol=1e-12, atol=1e-14)
    values = [sum(p * max(pieces(i, theta)) for i, p in enumerate(chances)) for theta in points[:, -1]]
    np.testing.assert_allclose(mean_function(slopes, offsets, chances, points[:, -1]), values, rtol=1e-12, atol=1e-14)
    odds = [math.prod(chances[i] for i in path) for path in paths]
    np.testing.assert_allclose(path_chances(chances, steps), odds, rtol=1e-12)
    np.testing.assert_allclose(sum(odds), 1, rtol=1e-12)


def test_batches_are_one_by_one():
    rng = np.random.default_rng(0)
    features, targets, radius = rng.normal(size=(3, 2, 2)), rng.normal(size=(3, 2)), np.array([0.1, 1.0, 9.0])
    points = squared_paths(features, targets, radius, radius / 4, 2)
    for i in range(3):
        alone = squared_paths(features[i], targets[i], radius[i], radius[i] / 4, 2)
        np.testing.assert_allclose(points[i], alone, rtol=1e-14, atol=1e-15)


def test_projection():
    """Inside the ball nothing moves; outside, the point goes straight to the sphere."""
    inside = np.array([0.3, -0.4])
    np.testing.assert_array_equal(project(inside, 1.0), inside)
    np.testing.assert_allclose(project(np.array([30.0, -40.0]), 1.0), [0.6, -0.8], rtol=1e-15)


def test_a_bound_that_is_attained_is_decided():
    """``G² = 162``, ``T = 2``: no root of them is rational, ``G√T = 18`` is; the two sides are equal, which balls cannot see."""
    found = mv.check(
        "lemma-b.1/expectation",
        slopes=[[[9, -9], [9, 9]]],
        offsets=[[Fraction(-2, 9)] * 2],
        chances=[1],
        rival=[-9, 0],
        steps=2,
    )
    assert found.holds and found.arithmetic is mv.System.RATIONALS and found.margin == 0
