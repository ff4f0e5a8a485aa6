"""Pessimistic evaluation against what no implementation can avoid, and against rebuilding the problem every time.

Ratios are printed and go into ``extra_info``; both sides take turns in one run, on one BLAS thread.  Run with ``tox -e bench`` or
``pytest --benchmark-only benchmarks/bench_bellman_error.py -s``.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.quantities.reference_solvers import pessimistic_step_by_cvxpy

threadpoolctl = pytest.importorskip("threadpoolctl", reason="one BLAS thread, so that both sides use one core")

SIZE, SAMPLES, POINTS = 32, 10_000, 200


@pytest.fixture(autouse=True)
def one_thread():  # type: ignore[no-untyped-def]
    with threadpoolctl.threadpool_limits(1):
        yield


def data(size: int, samples: int):  # type: ignore[no-untyped-def]
    """Features of 200 points, and sampled ``(φ, γφ', r, 1/n)``."""
    generator = np.random.default_rng(0)
    table = generator.random((POINTS, size))
    here, there = generator.integers(0, POINTS, (2, samples))
    return table, (table[here], 0.9 * table[there], generator.random(samples), np.full(samples, 1 / samples))


def linear_algebra(points, following, rewards, direction, penalty):  # type: ignore[no-untyped-def]
    """Two matrix products over the data, Cholesky and solves: the closed form, with nothing checked and nothing certified."""
    samples = len(points)
    gram = points.T @ points / samples
    operator, reward = gram - points.T @ following / samples, points.T @ rewards / samples
    np.linalg.cholesky(gram)
    both = operator.T @ np.linalg.solve(gram, np.column_stack([operator, reward]))
    np.linalg.cholesky(both[:, :-1])
    return np.linalg.solve(both[:, :-1], both[:, -1] - direction / (2 * penalty))


def rebuilt(moments, direction, penalty, critics):  # type: ignore[no-untyped-def]
    """The same minimum with a cvxpy problem written anew, its data as constants."""
    import cvxpy as cp

    lower = np.linalg.cholesky(moments.gram)
    root, aim = (np.sqrt(penalty) * np.linalg.solve(lower, part) for part in (moments.operator, moments.reward))
    weights = cp.Variable(len(direction))
    values = critics.features @ weights
    constraints = [values >= 0, values <= critics.ceiling, cp.norm(weights) <= critics.radius]
    problem = cp.Problem(cp.Minimize(cp.sum_squares(root @ weights - aim) + direction @ weights), constraints)
    problem.solve(solver=cp.CLARABEL)
    return weights.value


def best_of(rounds, *runs):  # type: ignore[no-untyped-def]
    """The best time of each, taken in turns so that all meet the same machine."""
    times = [[] for _ in runs]
    for _ in range(rounds):
        for run, taken in zip(runs, times, strict=True):
            started = perf_counter()
            run()
            taken.append(perf_counter() - started)
    return [min(taken) for taken in times]


def test_iteration_against_linear_algebra(benchmark) -> None:  # type: ignore[no-untyped-def]
    """No constraint active: n = 10,000, d = 32."""
    table, given = data(SIZE, SAMPLES)
    direction, critics = table.mean(0), mv.quantities.LinearClass(table, 10.0, 10.0)

    def ours():  # type: ignore[no-untyped-def]
        return mv.quantities.constrained_step(mv.quantities.moments_of(*given), direction, 10.0, critics)

    def free():  # type: ignore[no-untyped-def]
        return mv.quantities.pessimistic_step(mv.quantities.moments_of(*given), direction, 10.0)

    def bare():  # type: ignore[no-untyped-def]
        return linear_algebra(*given[:3], direction, 10.0)

    assert ours().route == "closed form"
    np.testing.assert_allclose(ours().weights, bare(), rtol=1e-6, atol=1e-9)
    benchmark.pedantic(ours, rounds=20, warmup_rounds=2)
    constrained, unconstrained, least = best_of(200, ours, free, bare)
    for name, taken in (("constrained_step", constrained), ("pessimistic_step", unconstrained)):
        benchmark.extra_info[f"{name} / linear algebra"] = round(taken / least, 2)
        print(f"\n{name} with its moments / linear algebra: {taken / least:.2f}")


@pytest.mark.parametrize(("radius", "ceiling"), [(10.0, 1.2), (0.3, 10.0)], ids=["range", "ball"])
def test_solving_again_against_rebuilding(benchmark, radius, ceiling) -> None:  # type: ignore[no-untyped-def]
    """1,000 solves at d = 32, a new direction each; ratios from 50 of them, since building a problem takes so long."""
    table, given = data(SIZE, SAMPLES)
    moments, critics = mv.quantities.moments_of(*given), mv.quantities.LinearClass(table, radius, ceiling)
    directions = 5 * table

    def ours(count=1_000):  # type: ignore[no-untyped-def]
        return [mv.quantities.constrained_step(moments, directions[k % POINTS], 1e3, critics) for k in range(count)]

    def again(count):  # type: ignore[no-untyped-def]
        return [pessimistic_step_by_cvxpy(moments, directions[k], 1e3, critics) for k in range(count)]

    def anew(count):  # type: ignore[no-untyped-def]
        return [rebuilt(moments, directions[k], 1e3, critics) for k in range(count)]

    steps = ours(50)
    print("\nroutes:", sorted({step.route for step in steps}))
    for step, same, other, direction in zip(steps, again(50), anew(50), directions, strict=False):
        values = [float(moments.objective(w, direction, 1e3)) for w in (step.weights, same, other)]
        assert max(values) - min(values) <= 1e-5 * (1 + abs(values[0]))
    benchmark.pedantic(ours, rounds=2)
    mine, reused, built = best_of(3, lambda: ours(50), lambda: again(50), lambda: anew(50))
    benchmark.extra_info["faster than rebuilding"] = round(built / mine, 1)
    benchmark.extra_info["cvxpy's own re-solve, faster than rebuilding"] = round(built / reused, 1)
    print(f"constrained_step is {built / mine:.1f}x faster than rebuilding; cvxpy's own re-solve {built / reused:.1f}x")


def test_agreement_at_full_size(benchmark) -> None:  # type: ignore[no-untyped-def]
    """D = 64, n = 100,000: the routes and cvxpy give one value, with and without active constraints."""
    table, given = data(64, 100_000)
    moments, direction = mv.quantities.moments_of(*given), table.mean(0)
    for radius, ceiling, penalty in ((20.0, 10.0, 1e3), (20.0, 1.0, 1e3), (0.5, 10.0, 1e3)):
        critics = mv.quantities.LinearClass(table, radius, ceiling)
        step = mv.quantities.constrained_step(moments, direction, penalty, critics)
        peer = moments.objective(pessimistic_step_by_cvxpy(moments, direction, penalty, critics), direction, penalty)
        print(f"\n{step.route}: gap {float(step.gap):.1e}, cvxpy is {float(peer - step.objective):.1e} above", end="")
        assert abs(peer - step.objective) <= 1e-6 * (1 + abs(step.objective))
    benchmark(mv.quantities.constrained_step, moments, direction, 1e3, mv.quantities.LinearClass(table, 20.0, 1.0))
