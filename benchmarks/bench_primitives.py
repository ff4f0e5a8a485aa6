"""What a public primitive costs beside NumPy written directly: microseconds a call, and the ratio for batches.

``python benchmarks/bench_primitives.py`` prints both for one game, for 100 and for 10,000, peers measured in the same run.  The
aim: at most 10 µs a call more, and within 10 % from batches of 100 up.  Run as ``pytest benchmarks`` it checks the numbers only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import process_time
from typing import Any

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify import arithmetic

STATES, ACTIONS = 4, 4
BATCHES = (1, 100, 10_000)
Pair = tuple[str, Callable[[], Any], Callable[[], Any]]


def pairs(batch: int) -> Iterator[Pair]:
    """Every primitive with what a careful hand writes in NumPy, on the same arrays."""
    generator = np.random.default_rng(0)
    shape = (STATES, ACTIONS) if batch == 1 else (batch, STATES, ACTIONS)
    x, y = (generator.random(shape) + 0.1 for _ in range(2))
    p, q = (table / table.sum(-1, keepdims=True) for table in (x, y))
    matrix = np.eye(STATES) - 0.9 * p
    yield "square", lambda: mv.square(x), lambda: x * x
    yield "exp", lambda: mv.exp(x), lambda: np.exp(x)
    yield "log", lambda: mv.log(x), lambda: np.log(x)
    yield "sqrt", lambda: mv.sqrt(x), lambda: np.sqrt(x)
    yield "absolute", lambda: mv.absolute(x), lambda: np.abs(x)
    yield "maximum", lambda: mv.maximum(x, y), lambda: np.maximum(x, y)
    yield "largest", lambda: mv.largest(x), lambda: x.max(-1)
    yield "choose", lambda: mv.choose(mv.compare(x, "<", y), x, y), lambda: np.where(x < y, x, y)
    yield "contract", lambda: mv.contract("...sa,...sa->...s", p, y), lambda: np.einsum("...sa,...sa->...s", p, y)
    yield "solve", lambda: arithmetic.solve(matrix, y), lambda: np.linalg.solve(matrix, y)
    yield "tilt", lambda: arithmetic.tilt(p, x), lambda: _tilt(p, x)
    yield "kl_divergence", lambda: mv.kl_divergence(p, q), lambda: (p * np.log(p / q)).sum(-1)


def _tilt(weights: Any, exponents: Any) -> Any:
    tilted = weights * np.exp(exponents - exponents.max(-1, keepdims=True))
    return tilted / tilted.sum(-1, keepdims=True)


@pytest.mark.parametrize("batch", [1, 100])
def test_same_numbers(batch: int) -> None:
    for name, ours, peer in pairs(batch):
        np.testing.assert_allclose(ours(), peer(), rtol=1e-12, err_msg=name)


def seconds(call: Callable[[], Any], calls: int) -> float:
    """Processor time of one call, the best of nine."""

    def once() -> float:
        started = process_time()
        for _ in range(calls):
            call()
        return (process_time() - started) / calls

    return min(once() for _ in range(9))


def main() -> None:
    print(f"{'':16}" + "".join(f"{f'{batch:,} games':>24}" for batch in BATCHES))
    table: dict[str, list[str]] = {}
    for batch in BATCHES:
        for name, ours, peer in pairs(batch):
            calls = max(3, 3000 // batch)
            one, two = seconds(ours, calls), seconds(peer, calls)
            table.setdefault(name, []).append(f"{(one - two) * 1e6:+9.1f} µs, x{one / two:6.2f}")
    for name, cells in table.items():
        print(f"{name:16}" + "".join(f"{cell:>24}" for cell in cells))


if __name__ == "__main__":
    main()
