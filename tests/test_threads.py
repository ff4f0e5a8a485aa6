"""Large batches on several threads: the same numbers, bit for bit, and errors as without them."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, threads
from mappo_verify.arithmetic import enclosures as e
from mappo_verify.checking import workers
from mappo_verify.errors import GameError
from mappo_verify.model.trees import hidden, leaves_of
from mappo_verify.quantities.agent_values import advantages_of


@pytest.fixture
def on(monkeypatch):
    """``on(n)``: from now on so many cores, where small batches are worth a thread, too; what it returns lists the threads."""
    started = []

    class Counted(threading.Thread):
        def start(self):
            started.append(self)
            super().start()

    def begin(cores, worth=1_000):
        started.clear()
        for name in threads.LIMITS:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(threads, "cores", lambda: cores)
        monkeypatch.setattr(threads, "WORTH_A_THREAD", worth)
        monkeypatch.setattr(threads, "Thread", Counted)
        return started

    return begin


def drawn(count, states=3, sizes=(2, 2), seed=0):
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.ones(states), (count, states, int(np.prod(sizes))))
    start = rng.dirichlet(np.ones(states), count)
    game = mv.Game(transition, rng.normal(size=transition.shape[:3]), rng.uniform(0, 0.93, count), sizes, start=start)
    prefixes = [1, *np.cumprod(sizes)[:-1]]
    policies = [
        mv.Policy([rng.dirichlet(np.ones(n), (count, states, p)) for n, p in zip(sizes, prefixes, strict=True)])
        for _ in range(2)
    ]
    return game, *policies


def everything(game, new, old):
    values = mv.agent_values(game, old)
    return values, advantages_of(values, old), mv.return_difference(game, new, old), mv.returns(game, new)


def flat(result):
    return [entry for part in result for entry in flat(part)] if isinstance(result, tuple) else [result]


# --- parts ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("length", "block"), [(1, 1), (7, 1), (1000, 64), (1024, 64), (65, 64), (1001, 256)])
@pytest.mark.parametrize("cores", [1, 2, 3, 8])
def test_parts_are_whole_blocks_that_follow_each_other(on, cores, length, block):
    started, parts = on(cores, worth=1), []
    threads.in_parts(lambda first, after: parts.append((first, after)), length, 10**6, block)
    parts.sort()
    assert [first for first, _ in parts] == [0, *(after for _, after in parts[:-1])] and parts[-1][1] == length
    assert all(first % block == 0 and first < after for first, after in parts)
    assert len(parts) == min(cores, -(-length // block)) == len(started) + 1


def test_little_work_and_none_stay_on_the_thread_that_asks(on):
    started, parts = on(8, worth=1000), []
    for length, numbers in ((100, 1999), (0, 0), (0, 10**6), (100, 2000)):
        threads.in_parts(lambda first, after: parts.append((first, after)), length, numbers)
    assert sorted(parts) == [(0, 0), (0, 0), (0, 50), (0, 100), (50, 100)] and len(started) == 1


@pytest.mark.parametrize("bad", [0, 50, 75])
def test_an_error_in_any_part_is_raised_once_all_have_ended(on, bad):
    on(4, worth=1)
    ended = []

    def work(first, _after):
        if first == bad:
            raise ValueError(f"part {first}")
        threading.Event().wait(0.05)
        ended.append(first)

    with pytest.raises(ValueError, match=f"part {bad}"):
        threads.in_parts(work, 100, 100)
    assert sorted(ended) == sorted({0, 25, 50, 75} - {bad})


def test_where_no_thread_starts_the_work_is_done_all_the_same(on, monkeypatch):
    on(3, worth=1)

    def start(_self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads.Thread, "start", start)
    parts = []
    threads.in_parts(lambda first, after: parts.append((first, after)), 9, 100)
    assert sorted(parts) == [(0, 3), (3, 6), (6, 9)]


@pytest.mark.parametrize(
    ("given", "most"),
    [
        ({}, 4),
        ({"NUMBA_NUM_THREADS": "1"}, 1),
        ({"OMP_NUM_THREADS": "2"}, 2),
        ({"NUMBA_NUM_THREADS": "3", "OMP_NUM_THREADS": "1"}, 3),
        ({"OMP_NUM_THREADS": "2,1"}, 2),
        ({"NUMBA_NUM_THREADS": "64"}, 4),
        ({"NUMBA_NUM_THREADS": "", "OMP_NUM_THREADS": " 3 "}, 3),
        ({"OMP_NUM_THREADS": "0"}, 4),
        ({"OMP_NUM_THREADS": "many"}, 4),
    ],
)
def test_the_environment_limits_threads(on, monkeypatch, given, most):
    on(4)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert threads.most_threads() == most


def test_workers_of_campaigns_compute_on_one_thread():
    with workers.local(2) as pool:
        assert pool.submit(threads.most_threads).result() == 1


# --- numbers ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1000, 1024, 777])
def test_batches_are_the_same_on_any_number_of_threads(on, count):
    pytest.importorskip("numba", reason="without numba nothing is computed on threads")
    objects = drawn(count)
    inside = tuple(hidden(value, System.ENCLOSURES, 0) for value in objects)
    formula = mv.quantities.batched(everything)
    found = []
    for cores in (1, 2, 3):
        started = on(cores)
        plain = [table.tobytes() for table in flat(formula(*objects))]
        certain = [part.tobytes() for leaf in leaves_of(formula(*inside)) for part in leaf._parts]
        assert len(started) == 2 * (cores - 1)
        found.append((plain, certain))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("operation", ["add", "sub", "mul", "div", "contract", "solve"])
def test_operations_on_enclosures_are_the_same_on_any_number_of_threads(on, monkeypatch, operation):
    pytest.importorskip("numba", reason="without numba nothing is computed on threads")
    from mappo_verify.arithmetic.enclosures import fused

    e.kernels(e.WORTH_FUSING)
    monkeypatch.setattr(fused, "AT_ONCE", 0)
    rng = np.random.default_rng(1)
    matrix = 3 * np.eye(3)[..., None] - rng.random((3, 3, 1001)), 1e-12 * rng.random((3, 3, 1001))
    right = rng.random((3, 1, 1001)), 1e-12 * rng.random((3, 1, 1001))
    found = []
    for cores in (1, 2, 3):
        started = on(cores)
        made = (
            e.contract("ij,jk->ik", matrix, right) if operation == "contract" else getattr(e, operation)(matrix, right)
        )
        assert len(started) == cores - 1
        found.append([part.tobytes() for part in made])
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("bad", [None, np.nan, np.inf, -0.5, 2.0])
@pytest.mark.parametrize("place", [3, 500, 998])
def test_what_is_laid_out_is_the_same_and_seen_in_every_part(on, monkeypatch, bad, place):
    pytest.importorskip("numba", reason="without numba nothing is computed on threads")
    from mappo_verify.arithmetic import floats

    monkeypatch.setattr(floats, "_turned", lambda _size: floats._compiled())
    values = np.random.default_rng(2).dirichlet(np.ones(3), (999, 2, 3))
    if bad is not None:
        values[place, 1, 2, 0] = bad
    found = []
    for cores in (1, 2, 3):
        started = on(cores)
        copy, seen = floats.laid_out(values, 3)
        assert len(started) == cores - 1
        found.append((copy.tobytes(), np.array(seen).tobytes()))
    assert found[0] == found[1] == found[2]
    assert seen.go_on(1e-12) == (bad is None)


@pytest.mark.parametrize("place", [3, 500, 998])
def test_a_bad_game_is_named_whichever_part_it_is_in(on, monkeypatch, place):
    pytest.importorskip("numba", reason="without numba nothing is computed on threads")
    from mappo_verify.arithmetic import floats

    monkeypatch.setattr(floats, "_turned", lambda _size: floats._compiled())
    started = on(3)
    rng = np.random.default_rng(3)
    transition, reward = rng.dirichlet(np.ones(3), (999, 3, 4)), rng.random((999, 3, 4))
    for array, value, message in (
        (transition, 2.0, rf"transition\[{place}, 1, 2\] sums to"),
        (transition, -0.1, rf"transition\[{place}, 1, 2, 0\] = -0.1 is negative"),
        (reward, np.nan, rf"reward\[{place}, 1, 2\] = nan is not finite"),
    ):
        entry = (place, 1, 2, 0)[: array.ndim]
        kept, array[entry] = array[entry], value
        with pytest.raises(GameError, match=message):
            mv.Game(transition, reward, 0.9, (2, 2))
        array[entry] = kept
    assert started
    mv.Game(transition, reward, 0.9, (2, 2))


def test_a_system_without_a_solution_is_found_whichever_part_it_is_in(on):
    pytest.importorskip("numba", reason="without numba nothing is computed on threads")
    rng = np.random.default_rng(4)
    solved = mv.quantities.batched(lambda game, policy: mv.state_values(game, policy))
    for place in (0, 998):
        game, policy, _ = drawn(999)
        reward = game.reward.copy()
        reward[place] = 1.7e308 * rng.choice([-1, 1], reward[place].shape)
        started = on(3)
        with pytest.raises(mv.errors.SingularError, match=rf"\[{place}, "):
            solved(mv.Game(game.transition, np.abs(reward), game.discount, (2, 2)), policy)
        assert started


# --- forked processes -------------------------------------------------------------------------------------------------------

FORKED = """
import os, signal, sys
import numpy as np
import mappo_verify as mv
from mappo_verify.arithmetic import threads

threads.cores = lambda: 2
threads.WORTH_A_THREAD = 1000
rng = np.random.default_rng(0)
game = mv.Game(rng.dirichlet(np.ones(3), (999, 3, 4)), rng.random((999, 3, 4)), 0.9, (2, 2))
policy = mv.Policy.uniform(game)
values = mv.quantities.batched(lambda game, policy: mv.state_values(game, policy))
expected = values(game, policy)
child = os.fork()
if not child:
    signal.alarm(60)  # ends a child that hangs
    os._exit(0 if (values(game, policy) == expected).all() else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_computes_as_its_parent():
    pytest.importorskip("numba", reason="without numba nothing is computed on threads")
    ended = subprocess.run(
        [sys.executable, "-c", FORKED], env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, timeout=120, check=False
    )
    assert ended.returncode == 0
