"""Certified V and Q a second, one thread: enclosures (NumPy alone, and compiled) against floats and balls, in the same run.

4 states, 2x2 actions, games given.  Floats show what certainty costs, balls what enclosures spare.

    python benchmarks/bench_enclosures.py [--games 20000]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import flint
import numpy as np

from mappo_verify.arithmetic import balls, floats
from mappo_verify.arithmetic import enclosures as e
from mappo_verify.arithmetic.enclosures.kernels import Enclosure, Floats, Kernels
from mappo_verify.arithmetic.precision import precision

STATES, ACTIONS = 4, 4
GOAL = 1_000_000


def draw(games: int) -> tuple[Floats, Floats, Floats, Floats]:
    """P ``[S, A, S, B]``, r ``[S, A, B]``, π ``[S, A, B]``, γ ``[B]``."""
    rng = np.random.default_rng(0)
    transition = rng.dirichlet(np.ones(STATES), (STATES, ACTIONS, games)) * (1 - 2.0**-50)
    policy = rng.dirichlet(np.ones(ACTIONS), (STATES, games))
    reward = rng.random((STATES, ACTIONS, games))
    contiguous = np.ascontiguousarray
    return (
        contiguous(transition.swapaxes(-1, -2)),
        reward,
        contiguous(policy.swapaxes(-1, -2)),
        rng.uniform(0.5, 0.99, games),
    )


def enclosed(data: tuple[Enclosure, ...], kernels: Kernels) -> tuple[Enclosure, Enclosure]:
    """V ``[S, B]`` and Q ``[S, A, B]`` by one implementation."""
    transition, reward, policy, discount = data
    chain = kernels.product_sum(("sa", "sat"), "st", (policy, transition))
    mean = kernels.product_sum(("sa", "sa"), "s", (policy, reward))
    matrix = kernels.sub((np.eye(STATES)[..., None], np.zeros((STATES, STATES, 1))), kernels.mul(discount, chain))
    right = mean[0][:, None], mean[1][:, None]
    mid, rad = e.finish(matrix, right, kernels.solve_dominant(matrix, right))
    values = mid[:, 0], rad[:, 0]
    following = kernels.product_sum(("sat", "t"), "sa", (transition, values))
    return values, kernels.add(reward, kernels.mul(discount, following))


def in_floats(transition: Floats, reward: Floats, policy: Floats, discount: Floats) -> tuple[Floats, Floats]:
    """The same in plain floats, batch first and batch-minor, as the toolkit computes them."""
    p, r, pi = (np.moveaxis(x, -1, 0) for x in (transition, reward, policy))
    gamma = discount[:, None, None]
    chain = floats.contract("...sa,...sat->...st", pi, p)
    matrix = np.eye(STATES) - gamma * chain
    values = floats.solve(matrix, floats.contract("...sa,...sa->...s", pi, r)[..., None])[..., 0]
    return values, r + gamma * floats.contract("...sat,...t->...sa", p, values)


def in_balls(transition: Floats, reward: Floats, policy: Floats, discount: Floats) -> Any:
    """The same in balls of 64 bits, game by game."""
    exact = np.frompyfunc(flint.arb, 1, 1)
    p, r, pi, gamma = map(exact, (transition, reward, policy, discount))
    identity = np.frompyfunc(flint.arb, 1, 1)(np.eye(STATES, dtype=int).astype(object))
    start = time.process_time()
    with precision(64):
        for i in range(len(discount)):
            chain = np.einsum("sa,sat->st", pi[..., i], p[..., i])
            mean = np.einsum("sa,sa->s", pi[..., i], r[..., i])
            values = balls.solve(identity - gamma[i] * chain, mean[:, None])[:, 0]
            r[..., i] + gamma[i] * np.einsum("sat,t->sa", p[..., i], values)
    return time.process_time() - start


def fastest(run: Callable[[], Any], repeats: int = 7) -> float:
    """Seconds of processor time of the best of some runs, after one that does not count."""
    run()
    found = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return min(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=20_000)
    games = parser.parse_args().games
    data = draw(games)
    given = tuple(e.enclose(array) for array in data)
    few = tuple(array[..., :500] for array in data)
    compiled = e.kernels(e.WORTH_FUSING)
    with np.errstate(all="ignore"):
        rates = {
            "floats": games / fastest(lambda: in_floats(*data)),
            "enclosures, NumPy": games / fastest(lambda: enclosed(given, e.NUMPY)),
            "balls, 64 bits": 500 / min(in_balls(*few) for _ in range(3)),
        }
        if compiled is not e.NUMPY:
            rates["enclosures, compiled"] = games / fastest(lambda: enclosed(given, compiled))
        (_, rad), (table, _) = enclosed(given, e.NUMPY)
    print(f"V and Q of {games:,} games, {STATES} states, {ACTIONS} joint actions, one thread")
    for name, rate in sorted(rates.items(), key=lambda pair: -pair[1]):
        print(f"{name:22} {rate:13,.0f} games/s {rate / rates['balls, 64 bits']:8.1f} x balls")
    print(f"largest radius of V over the largest Q: {(rad.max(0) / np.abs(table).max((0, 1))).max():.1e}")
    if max(rates["enclosures, NumPy"], rates.get("enclosures, compiled", 0.0)) < GOAL:
        print(f"below the goal of {GOAL:,} certified games a second")


if __name__ == "__main__":
    main()
