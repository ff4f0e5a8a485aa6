"""Algorithm 1 against its own linear algebra, in the same run.

100 states, 3 agents with 3 actions, exact critic, one-hot features, exact updates.  Two peers do, every iteration, what no
implementation can avoid, on a fixed policy: ``P_π``, ``r_π``, one solve for ``V``, ``Q`` and the ``Q^{1:m}``.  They exponentiate
nothing, validate nothing and record nothing.  One is written with ``einsum`` throughout, the other with ``matmul`` for the two
contractions with ``P``, as the algorithm has them, too (``arithmetic.contract`` finds them).  A third peer is the whole
algorithm written by hand for exactly this case: the second, with softmaxes, fits and a trace of 60 MB.

Processor time on one core, best of 10 rounds taken in turns: 0.32 s, which is 1.25 to 1.3 times the 0.255 s of ``einsum``,
1.9 times the 0.175 s of ``matmul`` and 1.3 to 1.4 times the 0.24 s of the algorithm by hand.  So of what lies above the bare
products half is exponentials and writing the trace, and half is what one formula for every number system and batch shape costs.

Run with ``tox -e bench`` or ``pytest --benchmark-only benchmarks``.
"""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.algorithms.constant_step import constant_step
from mappo_verify.algorithms.multi_agent_ppo import multi_agent_ppo

threadpoolctl = pytest.importorskip("threadpoolctl", reason="one BLAS thread, so that both sides use one core")

ITERATIONS, STATES, SIZES = 1_000, 100, (3, 3, 3)
ACTIONS = SIZES[0] * SIZES[1] * SIZES[2]


@pytest.fixture(scope="module")
def game() -> mv.Game:
    generator = np.random.default_rng(0)
    transition = generator.dirichlet(np.ones(STATES), (STATES, ACTIONS))
    return mv.Game(transition, generator.random((STATES, ACTIONS)), 0.9, SIZES, start=np.full(STATES, 1 / STATES))


@pytest.fixture(autouse=True)
def one_thread():  # type: ignore[no-untyped-def]
    with threadpoolctl.threadpool_limits(1):
        yield


def by_einsum(game: mv.Game, factors, iterations: int = ITERATIONS):  # type: ignore[no-untyped-def]
    """The contractions and the solve of every iteration, written with einsum."""
    transition, reward, gamma, unit = game.transition, game.reward, float(game.discount), np.eye(STATES)
    one, two, three = factors
    for _ in range(iterations):
        joint = np.einsum("sa,sab->sab", one[:, 0], two)
        joint = np.einsum("sp,spc->spc", joint.reshape(STATES, -1), three).reshape(STATES, -1)
        chain = np.einsum("sa,sat->st", joint, transition)
        values = np.linalg.solve(unit - gamma * chain, np.einsum("sa,sa->s", joint, reward)[:, None])[:, 0]
        table = reward + gamma * np.einsum("sat,t->sa", transition, values)
        second = np.einsum("spc,spc->sp", table.reshape(STATES, -1, SIZES[2]), three)
        first = np.einsum("spb,spb->sp", second.reshape(STATES, -1, SIZES[1]), two)
    return first, second, table


def by_matmul(game: mv.Game, factors, iterations: int = ITERATIONS):  # type: ignore[no-untyped-def]
    """The same with the large contractions as matrix products."""
    transition, reward, gamma, unit = game.transition, game.reward, float(game.discount), np.eye(STATES)
    one, two, three = factors
    rows = transition.reshape(-1, STATES)
    for _ in range(iterations):
        joint = (one[:, 0, :, None] * two).reshape(STATES, -1, 1)
        joint = (joint * three).reshape(STATES, -1)
        chain = (joint[:, None, :] @ transition)[:, 0]
        values = np.linalg.solve(unit - gamma * chain, (joint * reward).sum(-1)[:, None])[:, 0]
        table = reward + gamma * (rows @ values).reshape(reward.shape)
        second = np.einsum("spc,spc->sp", table.reshape(STATES, -1, SIZES[2]), three)
        first = np.einsum("spb,spb->sp", second.reshape(STATES, -1, SIZES[1]), two)
    return first, second, table


def by_hand(game: mv.Game, iterations: int = ITERATIONS, beta: float | None = None):  # type: ignore[no-untyped-def]
    """Algorithm 1 with an exact critic and exact updates, for three agents with equally many actions and nothing else."""
    transition, reward, gamma, unit = game.transition, game.reward, float(game.discount), np.eye(STATES)
    rows, step = transition.reshape(-1, STATES), float(np.sqrt(iterations)) if beta is None else beta
    shapes = [f.shape for f in mv.Policy.uniform(game).factors]
    logits = [np.zeros(shape) for shape in shapes]
    path = [np.empty((iterations + 1, *shape)) for shape in shapes]
    critics = [np.empty((iterations, *shape)) for shape in shapes]
    for k in range(iterations):
        factors = []
        for table in logits:
            a, b, c = table[..., 0], table[..., 1], table[..., 2]
            weights = np.exp(table - np.maximum(np.maximum(a, b), c)[..., None])
            factors.append(weights / (weights[..., 0] + weights[..., 1] + weights[..., 2])[..., None])
        one, two, three = factors
        joint = (one[:, 0, :, None] * two).reshape(STATES, -1, 1)
        joint = (joint * three).reshape(STATES, -1)
        chain = (joint[:, None, :] @ transition)[:, 0]
        values = np.linalg.solve(unit - gamma * chain, (joint * reward).sum(-1)[:, None])[:, 0]
        table = reward + gamma * (rows @ values).reshape(reward.shape)
        second = np.einsum("spc,spc->sp", table.reshape(shapes[2]), three)
        first = np.einsum("spb,spb->sp", second.reshape(shapes[1]), two)
        for m, entry in enumerate((first, second, table)):
            path[m][k], critics[m][k] = logits[m], entry.reshape(shapes[m])
            logits[m] = logits[m] + entry.reshape(shapes[m]) / step
    for m, table in enumerate(logits):
        path[m][iterations] = table
    return path, critics


def _factors(game: mv.Game):  # type: ignore[no-untyped-def]
    generator = np.random.default_rng(1)
    return [generator.dirichlet(np.ones(f.shape[-1]), f.shape[:-1]) for f in mv.Policy.uniform(game).factors]


def test_same_numbers(game) -> None:  # type: ignore[no-untyped-def]
    factors = _factors(game)
    ours = mv.agent_values(game, mv.Policy(factors))[1:]
    for peer in (by_einsum, by_matmul):
        for left, right in zip(ours, peer(game, factors, 1), strict=True):
            np.testing.assert_allclose(left, right, rtol=0, atol=1e-12)


def test_same_run(game) -> None:  # type: ignore[no-untyped-def]
    trace = multi_agent_ppo(game, 30)
    path, critics = by_hand(game, 30, float(trace.beta))
    for ours, theirs in zip((*trace.parameters, *trace.values), (*path, *critics), strict=True):
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, rtol=0, atol=1e-12)


def seconds(run, *arguments) -> float:  # type: ignore[no-untyped-def]
    started = process_time()  # other processes may share the machine
    run(*arguments)
    return process_time() - started


GROUP = "1,000 iterations of Algorithm 1: 100 states, 3 agents, 3 actions"


@pytest.mark.benchmark(group=GROUP)
def test_linear_algebra_by_einsum(benchmark, game) -> None:  # type: ignore[no-untyped-def]
    benchmark.pedantic(by_einsum, (game, _factors(game)), rounds=5, warmup_rounds=1)


@pytest.mark.benchmark(group=GROUP)
def test_linear_algebra_by_matmul(benchmark, game) -> None:  # type: ignore[no-untyped-def]
    benchmark.pedantic(by_matmul, (game, _factors(game)), rounds=5, warmup_rounds=1)


@pytest.mark.benchmark(group=GROUP)
def test_algorithm_by_hand(benchmark, game) -> None:  # type: ignore[no-untyped-def]
    benchmark.pedantic(by_hand, (game,), rounds=5, warmup_rounds=1)


@pytest.mark.benchmark(group=GROUP)
def test_multi_agent_ppo(benchmark, game) -> None:  # type: ignore[no-untyped-def]
    """The ratio goes into ``extra_info``: the best rounds of each, taken in turns, so that all meet the same machine."""
    benchmark.pedantic(multi_agent_ppo, (game, ITERATIONS), rounds=5, warmup_rounds=1)
    factors = _factors(game)
    ours, einsum, matmul, whole = (
        min(times)
        for times in zip(
            *(
                (
                    seconds(multi_agent_ppo, game, ITERATIONS),
                    seconds(by_einsum, game, factors),
                    seconds(by_matmul, game, factors),
                    seconds(by_hand, game),
                )
                for _ in range(10)
            ),
            strict=True,
        )
    )
    benchmark.extra_info["times its linear algebra by einsum"] = round(ours / einsum, 2)
    benchmark.extra_info["times its linear algebra by matmul"] = round(ours / matmul, 2)
    benchmark.extra_info["times the algorithm by hand"] = round(ours / whole, 2)
    print(f"\nAlgorithm 1 / linear algebra: {ours / einsum:.2f} (einsum), {ours / matmul:.2f} (matmul)")
    print(f"Algorithm 1 / the same by hand: {ours / whole:.2f}; {ours:.3f} s")


@pytest.mark.benchmark(group=GROUP)
def test_constant_step(benchmark, game) -> None:  # type: ignore[no-untyped-def]
    benchmark.pedantic(constant_step, (game, ITERATIONS, 0.01), rounds=5, warmup_rounds=1)
