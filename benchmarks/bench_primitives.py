"""What a public primitive costs beside NumPy written directly: microseconds a call, and the ratio for batches.

``python benchmarks/bench_primitives.py`` prints both for one game, for 100, 1,000 and 10,000, peers measured in the same run and
in turns.  The aim: at most 10 µs a call more, and within 10 % from batches of 100 up.  Large batches of games may be faster than
their peers, since they are eliminated at once.  Run as ``pytest benchmarks`` it checks the numbers only.
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
BATCHES = (1, 100, 1_000, 10_000)
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
    yield "total_variation", lambda: mv.quantities.total_variation(p, q), lambda: np.abs(p - q).sum(-1) / 2
    yield "mirror_step", lambda: mv.mirror_step(p, x, 2.0), lambda: _tilt(p, x / 2.0)
    yield from _of_games(generator, () if batch == 1 else (batch,))


def _of_games(generator: np.random.Generator, batch: tuple[int, ...]) -> Iterator[Pair]:
    """Quantities of games with two agents; what a hand writes uses the arrays as the game stores them."""
    transition = generator.dirichlet(np.ones(STATES), batch + (STATES, ACTIONS))
    reward, start = generator.random(batch + (STATES, ACTIONS)), generator.dirichlet(np.ones(STATES), batch)
    game = mv.Game(transition, reward, np.full(batch, 0.9), (2, 2), start=start)
    factors = tuple(generator.dirichlet(np.ones(2), batch + (STATES, prefixes)) for prefixes in (1, 2))
    policy = mv.Policy(factors)
    joint, moves, paid, first = policy.joint(), game.transition, game.reward, game.start

    def chain() -> Any:
        return np.einsum("...sa,...sat->...st", joint, moves)

    def values() -> Any:
        matrix = np.eye(STATES) - 0.9 * chain()
        return np.linalg.solve(matrix, np.einsum("...sa,...sa->...s", joint, paid)[..., None])[..., 0]

    def following() -> Any:
        return paid + 0.9 * np.einsum("...sat,...t->...sa", moves, values())

    def occupancy() -> Any:
        matrix = np.swapaxes(np.eye(STATES) - 0.9 * chain(), -1, -2)
        return 0.1 * np.linalg.solve(matrix, first[..., None]) * joint

    yield "induced_transition", lambda: mv.quantities.induced_transition(game, policy), chain
    yield "state_values", lambda: mv.state_values(game, policy), values
    yield "action_values", lambda: mv.action_values(game, policy), following
    yield "returns", lambda: mv.returns(game, policy), lambda: np.einsum("...s,...s->...", first, values())
    yield "occupancy", lambda: mv.quantities.occupancy(game, policy), occupancy


def _tilt(weights: Any, exponents: Any) -> Any:
    tilted = weights * np.exp(exponents - exponents.max(-1, keepdims=True))
    return tilted / tilted.sum(-1, keepdims=True)


@pytest.mark.parametrize("batch", [1, 100])
def test_same_numbers(batch: int) -> None:
    for name, ours, peer in pairs(batch):
        np.testing.assert_allclose(ours(), peer(), rtol=1e-12, err_msg=name)


def seconds(ours: Callable[[], Any], peer: Callable[[], Any], calls: int) -> tuple[float, float]:
    """Processor time of one call of each, the best of nine, in turns."""

    def once(call: Callable[[], Any]) -> float:
        started = process_time()
        for _ in range(calls):
            call()
        return (process_time() - started) / calls

    one, two = zip(*((once(ours), once(peer)) for _ in range(9)), strict=True)
    return min(one), min(two)


def main() -> None:
    print(f"{'':18}" + "".join(f"{f'{batch:,} games':>24}" for batch in BATCHES))
    table: dict[str, list[str]] = {}
    for batch in BATCHES:
        for name, ours, peer in pairs(batch):
            calls = max(3, 3000 // batch)
            one, two = seconds(ours, peer, calls)
            table.setdefault(name, []).append(f"{(one - two) * 1e6:+9.1f} µs, x{one / two:6.2f}")
    for name, cells in table.items():
        print(f"{name:18}" + "".join(f"{cell:>24}" for cell in cells))


if __name__ == "__main__":
    main()
