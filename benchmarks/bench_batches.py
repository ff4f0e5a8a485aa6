"""Float batches against the same contractions written directly in NumPy, in the same run.

3 states, 2x2 actions: V, Q, all Q^{1:m} and A^m for 20,000 games.  The peer is what a careful hand writes: ``einsum`` over
batch-major arrays and ``numpy.linalg.solve``.  Run with ``tox -e bench`` or ``pytest --benchmark-only benchmarks``.
"""

from __future__ import annotations

import numpy as np
import pytest

import mappo_verify as mv

threadpoolctl = pytest.importorskip("threadpoolctl", reason="one BLAS thread, so that both sides use one core")

GAMES, STATES, SIZES = 20_000, 3, (2, 2)


def _data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    actions = SIZES[0] * SIZES[1]
    transition = generator.dirichlet(np.ones(STATES), (GAMES, STATES, actions))
    reward = generator.random((GAMES, STATES, actions))
    first = generator.dirichlet(np.ones(SIZES[0]), (GAMES, STATES, 1))
    second = generator.dirichlet(np.ones(SIZES[1]), (GAMES, STATES, SIZES[0]))
    return transition, reward, np.full(GAMES, 0.9), first, second


def directly(transition, reward, discount, first, second):  # type: ignore[no-untyped-def]
    """V, Q, Q^{1:m}, A^m by einsum and LAPACK, two agents, nothing general."""
    joint = np.einsum("bspi,bsij->bsij", first, second).reshape(GAMES, STATES, -1)
    chain = np.einsum("bsa,bsat->bst", joint, transition)
    system = np.eye(STATES) - discount[:, None, None] * chain
    values = np.linalg.solve(system, np.einsum("bsa,bsa->bs", joint, reward)[..., None])[..., 0]
    table = reward + discount[:, None, None] * np.einsum("bsat,bt->bsa", transition, values)
    by_agent = table.reshape(GAMES, STATES, *SIZES)
    one = np.einsum("bsij,bsij->bsi", by_agent, second)
    return values, table, one, one - values[..., None], (by_agent - one[..., None]).reshape(GAMES, STATES, -1)


def by_toolkit(game: mv.Game, policy: mv.Policy):  # type: ignore[no-untyped-def]
    """The same numbers by the one formula."""
    from mappo_verify.quantities.agent_values import advantages_of

    values = mv.agent_values(game, policy)
    return values, advantages_of(values, policy)


@pytest.fixture(scope="module")
def data():  # type: ignore[no-untyped-def]
    return _data()


@pytest.fixture(autouse=True)
def one_thread():  # type: ignore[no-untyped-def]
    with threadpoolctl.threadpool_limits(1):
        yield


def test_same_numbers(data) -> None:  # type: ignore[no-untyped-def]
    transition, reward, discount, first, second = data
    values, table, one, gain_one, gain_two = directly(*data)
    game, policy = mv.Game(transition, reward, discount, SIZES), mv.Policy([first, second])
    (v, q1, q), (a1, a2) = by_toolkit(game, policy)
    for ours, theirs in ((v[..., 0], values), (q1, one), (q, table), (a1, gain_one), (a2, gain_two)):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.benchmark(group="V, Q, Q^{1:m}, A^m of 20,000 games")
def test_numpy_directly(benchmark, data) -> None:  # type: ignore[no-untyped-def]
    benchmark(directly, *data)


@pytest.mark.benchmark(group="V, Q, Q^{1:m}, A^m of 20,000 games")
def test_toolkit(benchmark, data) -> None:  # type: ignore[no-untyped-def]
    transition, reward, discount, first, second = data
    game, policy = mv.Game(transition, reward, discount, SIZES), mv.Policy([first, second])
    benchmark(by_toolkit, game, policy)


@pytest.mark.benchmark(group="V, Q, Q^{1:m}, A^m of 20,000 games")
def test_toolkit_with_construction(benchmark, data) -> None:  # type: ignore[no-untyped-def]
    """Validation and the copy into the batch's memory layout included: paid once per game, not per policy."""
    transition, reward, discount, first, second = data

    def everything():  # type: ignore[no-untyped-def]
        return by_toolkit(mv.Game(transition, reward, discount, SIZES), mv.Policy([first, second]))

    benchmark(everything)


@pytest.mark.benchmark(group="solve (I - γP)x = r, 20,000 systems of 3")
@pytest.mark.parametrize("how", ["toolkit", "lapack"])
def test_solve(benchmark, data, how: str) -> None:  # type: ignore[no-untyped-def]
    from mappo_verify.arithmetic.floats import batch_minor, solve

    transition, reward, *_ = data
    matrix = np.eye(STATES) - 0.9 * transition[:, :, 0, :]
    right = reward[:, :, :1]
    if how == "toolkit":
        benchmark(solve, batch_minor(matrix, 2), batch_minor(right, 2))
    else:
        benchmark(np.linalg.solve, matrix, right)
