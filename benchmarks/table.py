"""One table of ratios: this toolkit against its peers and against limits of the machine, measured in the same run.

``tox -e bench`` prints it in a few minutes; ``--write`` also puts it into ``docs/benchmarks.md``.  Every peer's result is
compared with ours before anything is timed.  Times are processor seconds of one thread, the fastest of several turns, so ratios
say the same on a busy machine.  Batches are computed on all cores, so their rows hold seconds of the clock, of us and of peers:
they want an idle machine.  The limit that they are held to is reading the inputs once on *as many cores*: compared with what one
core reads, a second core would make any code look twice as close to the limit.  NumPy's einsum and LAPACK for stacks of small
systems use one core, whatever there is.  The other files of this folder look closer at single rows (``tox -e bench-details``).
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import mappo_verify as mv
from mappo_verify.arithmetic.threads import LIMITS, in_parts, most_threads
from mappo_verify.quantities.agent_values import advantages_of

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- begin: benchmarks -->", "<!-- end -->"
LEAST_SECONDS = 0.2
"""How long one side of a row is timed at least."""


@dataclass(frozen=True)
class Row:
    """What was measured: ours and the peer's seconds for the same work."""

    work: str
    peer: str
    ours: float
    theirs: float
    goal: str = ""
    limit: float = np.inf
    """The goal as what ours may take at most, in units of theirs."""

    @property
    def verdict(self) -> str:
        """The goal, and whether it is met."""
        return f"{self.goal}: {'met' if self.ours <= self.limit * self.theirs else 'missed'}" if self.goal else ""

    @property
    def ratio(self) -> str:
        """How we compare, in words."""
        if self.ours <= self.theirs:
            return f"{_number(self.theirs / self.ours)}x as fast"
        return f"{_number(self.ours / self.theirs)}x the time"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}"


def _seconds(value: float) -> str:
    for unit, size in (("s", 1), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e6:.3g} µs"


def fastest(run: Callable[[], Any], turns: int = 5, clock: Callable[[], float] = process_time) -> float:
    """Processor seconds of one call: the fastest of several turns, each of as many calls as fill a while."""
    run()
    started = clock()
    run()
    once = max(clock() - started, 1e-7)
    calls, best = max(1, int(LEAST_SECONDS / turns / once)), np.inf
    for _ in range(turns if once < 2 else 1):
        started = clock()
        for _ in range(calls):
            run()
        best = min(best, (clock() - started) / calls)
    return max(best, 1e-9)


def fastest_on_all_cores(run: Callable[[], Any]) -> float:
    """Seconds of one call by the clock, the fastest of many: threads that work beside each other are not added up."""
    return fastest(run, 25, perf_counter)


def read(arrays: Sequence[Any], instances: int) -> None:
    """Every number of arrays ``[instances, ...]`` once, on as many cores as compiled loops would use."""

    def work(first: int, after: int) -> None:
        for array in arrays:
            array[first:after].sum()

    in_parts(work, instances, sum(array.size for array in arrays))


def same(one: Any, two: Any, tolerance: float = 1e-8) -> None:
    """Both sides of a row compute the same."""
    np.testing.assert_allclose(np.asarray(one, float), np.asarray(two, float), rtol=tolerance, atol=tolerance)


@contextmanager
def one_core() -> Iterator[None]:
    """While compiled loops use one thread."""
    before = os.environ.get(LIMITS[0])
    os.environ[LIMITS[0]] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[LIMITS[0]]
        else:
            os.environ[LIMITS[0]] = before


# --- batches ------------------------------------------------------------------------------------------------------------


Arrays = Any


def lemma(game: mv.Game, new: mv.Policy, old: mv.Policy) -> Any:
    """V, Q, all Q^{1:m} and A^m of a policy, and both sides of lemma 4.1 for another one."""
    values = mv.agent_values(game, old)
    gained = mv.returns(game, new) - mv.returns(game, old)
    return values, advantages_of(values, old), mv.return_difference(game, new, old), gained


def lemma_by_hand(p: Arrays, r: Arrays, start: Arrays, new: list[Arrays], old: list[Arrays]) -> Any:
    """The same with einsum over batch-major arrays and LAPACK, as a careful hand writes it."""
    shape = p.shape[:2]

    def prefixes(factors: list[Arrays]) -> list[Arrays]:
        found = [np.ones((*shape, 1))]
        for factor in factors:
            found.append(np.einsum("bsp,bspa->bspa", found[-1], factor).reshape(*shape, -1))
        return found

    def system(joint: Arrays) -> Any:
        return np.eye(shape[1]) - 0.9 * np.einsum("bsa,bsat->bst", joint, p)

    weights, joint = prefixes(new), prefixes(old)[-1]
    matrix = system(weights[-1])
    values = np.linalg.solve(system(joint), np.einsum("bsa,bsa->bs", joint, r)[..., None])[..., 0]
    others = np.linalg.solve(matrix, np.einsum("bsa,bsa->bs", weights[-1], r)[..., None])[..., 0]
    visits = np.linalg.solve(matrix.swapaxes(1, 2), start[..., None])[..., 0]
    tables = [r + 0.9 * np.einsum("bsat,bt->bsa", p, values)]
    for factor in reversed(old):
        split = tables[0].reshape(*shape, -1, factor.shape[-1])
        tables.insert(0, np.einsum("bspa,bspa->bsp", split, factor))
    gains = [
        (above.reshape(*below.shape, -1) - below[..., None]).reshape(*shape, -1) for below, above in pairwise(tables)
    ]
    terms = [
        np.einsum("bs,bsp,bspa,bspa->b", visits, before, table.reshape(changed.shape), changed - factor)
        for before, table, changed, factor in zip(weights, tables[1:], new, old, strict=False)
    ]
    return tables, gains, np.stack(terms, -1), np.einsum("bs,bs->b", start, others - values)


def batches() -> Iterator[Row]:
    """V, Q, all Q^{1:m}, A^m and lemma 4.1 of many games at once, games given; and building them."""
    from mappo_verify.arithmetic import System
    from mappo_verify.model.trees import hidden, leaves_of

    for games, states, sizes in ((50_000, 4, (2, 2)), (2_000, 8, (3, 3, 3))):
        generator = np.random.default_rng(0)
        actions = int(np.prod(sizes))
        transition = generator.dirichlet(np.ones(states), (games, states, actions))
        reward, start = generator.random((games, states, actions)), generator.dirichlet(np.ones(states), games)
        prefixes = [1, *np.cumprod(sizes)[:-1]]
        old, new = (
            [generator.dirichlet(np.ones(n), (games, states, p)) for n, p in zip(sizes, prefixes, strict=True)]
            for _ in range(2)
        )
        game = mv.Game(transition, reward, 0.9, sizes, start=start)
        objects = (game, mv.Policy(new), mv.Policy(old))
        shape = f"of {games:,} games ({states} states, {'x'.join(map(str, sizes))})"
        check = mv.quantities.batched(lemma)
        certain = tuple(hidden(value, System.ENCLOSURES, 0) for value in objects)

        def by_hand(p: Any = transition, r: Any = reward, s: Any = start, new: Any = new, old: Any = old) -> Any:
            return lemma_by_hand(p, r, s, new, old)

        inputs = (transition, reward, start, *new, *old)

        def flat(value: Any) -> list[Any]:
            return [entry for part in value for entry in flat(part)] if isinstance(value, (tuple, list)) else [value]

        for one, two, three in zip(flat(check(*objects)), flat(by_hand()), leaves_of(check(*certain)), strict=True):
            same(one, two)
            same(one, np.moveaxis(three._parts[0], -1, 0))

        def timed(run: Callable[..., Any], *given: Any) -> float:
            return fastest_on_all_cores(lambda: run(*given))

        threads = most_threads()
        on_all, on_one = f"on {threads} cores", "on one core"
        work = f"V, Q, Q^{{1:m}}, A^m and lemma 4.1 {shape}, {on_all}"
        ours, once = timed(check, *objects), timed(read, inputs, games)
        yield Row(work, f"reading the inputs once {on_all}", ours, once, "≤ 3x the time", 3)
        yield Row(work, f"einsum and LAPACK by hand, {on_one}", ours, timed(by_hand), "≥ 10x as fast", 0.1)
        certified = f"the same, certified in enclosures, {shape}, {on_all}"
        yield Row(certified, f"reading the inputs once {on_all}", timed(check, *certain), once, "≤ 12x the time", 12)
        once = timed(read, (transition, reward), games)
        built = timed(mv.Game, transition, reward, 0.9, sizes)
        laid_out = f"checking and laying out P and r {shape}, {on_all}"
        yield Row(laid_out, f"reading them once {on_all}", built, once, "≤ 4x the time", 4)
        if threads > 1:
            with one_core():
                ours, once = timed(check, *objects), timed(read, inputs, games)
            yield Row(work.replace(on_all, on_one), f"reading the inputs once {on_one}", ours, once)


def enclosures() -> Iterator[Row]:
    """V and Q, certified: how many games a second."""
    from mappo_verify.arithmetic import System
    from mappo_verify.model.trees import hidden

    def formula(game: mv.Game, policy: mv.Policy) -> Any:
        return mv.state_values(game, policy), mv.action_values(game, policy)

    count, few, generator = 20_000, 50, np.random.default_rng(0)
    game = mv.Game(generator.dirichlet(np.ones(4), (count, 4, 4)), generator.random((count, 4, 4)), 0.9, (2, 2))
    policy = mv.Policy([generator.dirichlet(np.ones(2), (count, 4, n)) for n in (1, 2)])
    check = mv.quantities.batched(formula)
    given = tuple(hidden(value, System.ENCLOSURES, 0) for value in (game, policy))
    exact = game[:few].balls(), policy[:few].balls()
    same(check(*given)[0]._parts[0][:, :few].T, np.vectorize(float)(formula(*exact)[0]))
    ours = fastest(lambda: check(*given)) / count
    theirs = fastest(lambda: formula(*exact)) / few
    yield Row(
        "certified V and Q of one game (4 states, 2x2), of 20,000", "the same in balls", ours, theirs,
        "≥ 1,000,000 games a second", 1e-6 / theirs,
    )  # fmt: skip


# --- decision processes ----------------------------------------------------------------------------------------------------


def planning() -> Iterator[Row]:
    """Optimal values of one small game, with their certificate."""
    import mdptoolbox.mdp
    import quantecon as qe

    for states in (4, 10, 20):
        game = mv.random_game(states, (2, 2), Fraction(9, 10), seed=1).floats()
        transition, reward = np.ascontiguousarray(game.transition), np.ascontiguousarray(game.reward)
        turned = np.ascontiguousarray(transition.swapaxes(0, 1))

        def quantecon(r: Any = reward, p: Any = transition) -> Any:
            return qe.markov.DiscreteDP(r, p, 0.9).solve("policy_iteration")

        def toolbox(r: Any = reward, p: Any = turned) -> Any:
            solver = mdptoolbox.mdp.PolicyIteration(p, r, 0.9)
            solver.run()
            return solver

        same(mv.optimal(game).values, quantecon().v)
        same(mv.optimal(game).values, toolbox().V)
        ours = fastest(lambda g=game: mv.optimal(g))  # type: ignore[misc]
        work = f"optimal values, {states} states, 4 joint actions, with a certificate"
        yield Row(work, "QuantEcon's policy iteration", ours, fastest(quantecon), "≤ 3x the time", 3)
        yield Row(work, "pymdptoolbox's policy iteration", ours, fastest(toolbox))
    count, generator = 1_000, np.random.default_rng(0)
    many = mv.Game(generator.dirichlet(np.ones(4), (count, 4, 4)), generator.random((count, 4, 4)), 0.9, (2, 2))
    single = [(np.ascontiguousarray(many.reward[k]), np.ascontiguousarray(many.transition[k])) for k in range(count)]

    def each() -> Any:
        return [qe.markov.DiscreteDP(r, p, 0.9).solve("policy_iteration").v for r, p in single]

    same(mv.optimal(many).values, each())
    ours = fastest(lambda: mv.optimal(many))
    yield Row(
        "optimal values of 1,000 games at once (4 states), certified", "QuantEcon's, each", ours, fastest(each, 2)
    )


# --- exact numbers ---------------------------------------------------------------------------------------------------------


def exact() -> Iterator[Row]:
    """Values over the rationals."""
    import flint

    game = mv.random_game(12, (2, 2), Fraction(9, 10), seed=2)
    policy = mv.Policy.uniform(game)
    gamma = flint.fmpq(9, 10)
    table, reward = game.transition.tolist(), game.reward.tolist()

    def directly() -> Any:
        quarter, n = flint.fmpq(1, 4), 12
        rows = [
            [int(s == t) - gamma * sum((table[s][a][t] for a in range(4)), flint.fmpq(0)) * quarter for t in range(n)]
            for s in range(n)
        ]
        right = flint.fmpq_mat(n, 1, [sum(row, flint.fmpq(0)) * quarter for row in reward])
        return flint.fmpq_mat(n, n, [entry for row in rows for entry in row]).solve(right)

    found, wanted = mv.state_values(game, policy), directly()
    assert all(found[s] == wanted[s, 0] for s in range(12))
    ours = fastest(lambda: mv.state_values(game, policy))
    yield Row("exact values, 12 states, 4 joint actions", "python-flint's solve, by hand", ours, fastest(directly))


UNIT: dict[str, Any] = {"reward": (0, 100), "scale": 100, "discount": (0, Fraction(99, 100)), "termination": False}


def cpo(case: mv.Case) -> Iterator[Any]:
    """``L - (J' - J) ≤ 2γε/(1-γ) Σ_s d_π(s) TV(π'‖π)(s)`` with ``ε = max_s |Σ_a π'(a|s) A(s, a)|``, as a user writes it."""
    expected = (case.target.joint() * mv.quantities.advantages(case.game, case.policy)).sum(-1)
    visits = mv.visits(case.game, case.policy)
    gain = mv.returns(case.game, case.target) - mv.returns(case.game, case.policy)
    apart = mv.quantities.total_variation(case.target.joint(), case.policy.joint())
    yield mv.line("L - (J' - J)", (visits * expected).sum(-1) - gain)
    factor = 2 * case.game.discount / (1 - case.game.discount) * abs(expected).max()
    yield mv.at_most("the bound", factor * (visits * apart).sum(-1), because="CPO")


def simulation(case: mv.Case) -> Iterator[Any]:
    """``|J_P - J_P'| ≤ γ/(1-γ)² max TV(P, P')``, as a user writes it."""
    yield mv.line("|J_P - J_P'|", abs(mv.returns(case.game, case.policy) - mv.returns(case.other, case.policy)))
    horizon = 1 / (1 - case.game.discount)
    apart = mv.quantities.total_variation(case.game.transition, case.other.transition).max()
    yield mv.at_most("the bound", case.game.discount * horizon**2 * apart, because="the simulation lemma")


def written() -> list[mv.Claim]:
    """Claims as users write them."""
    game, policy = mv.GameData("game", **UNIT), mv.PolicyData()
    other = mv.GameData("other", **UNIT, same_as="game", vary=("transition",))
    two_policies = mv.Setting("a game, two policies", (game, policy, mv.PolicyData("target")))
    two_games = mv.Setting("two games, a policy", (game, other, policy))
    return [
        mv.Claim("cpo", "CPO's bound", "folklore", two_policies, cpo),
        mv.Claim("simulation", "the simulation lemma", "folklore", two_games, simulation),
    ]


def certified() -> Iterator[Row]:
    """Claims on many instances, building them included: in enclosures, and in rationals or balls alone."""
    from mappo_verify.arithmetic import System
    from mappo_verify.checking.evaluate import evaluate
    from mappo_verify.checking.sampling import draw
    from mappo_verify.claims.coordinates import Sizes
    from mappo_verify.claims.verdict import Verdict
    from mappo_verify.papers.registry import claim

    sizes, count, few = Sizes(3, (2, 2)), 20_000, 100
    for entry, system in zip((claim("lemma-b.5/b"), *written()), (System.BALLS, *2 * [System.RATIONALS]), strict=True):
        drawn = draw(entry.setting, sizes, count, np.random.default_rng(0))

        def decide(number: int, system: Any, entry: Any = entry, drawn: Any = drawn) -> Any:
            part = {key: values[:number] for key, values in drawn.items()}
            with np.errstate(all="ignore"):
                return evaluate(entry, entry.setting.case(part, sizes, system)).verdict

        enclosed, otherwise = decide(count, System.ENCLOSURES), decide(few, system)
        settled = [(a, b) for a, b in zip(enclosed, otherwise, strict=False) if Verdict.UNDECIDED not in (a, b)]
        assert len(settled) > few // 3 and all(a == b for a, b in settled)
        decided = int((enclosed != Verdict.UNDECIDED).sum())
        ours = fastest(lambda decide=decide: decide(count, System.ENCLOSURES)) / decided  # type: ignore[misc]
        theirs = fastest(lambda decide=decide, system=system: decide(few, system)) / few  # type: ignore[misc]
        yield Row(
            f"one certified instance of {entry.title if entry.id in ('cpo', 'simulation') else 'lemma-b.5'} at 3 states, 2x2, "
            "building included", f"the same in {system.value}", ours, theirs,
            "≥ 50,000 instances a second", 1 / 50_000 / theirs,
        )  # fmt: skip


# --- large games ----------------------------------------------------------------------------------------------------------


def dense() -> Iterator[Row]:
    """The induced chain, and Q, of dense transitions beyond most caches."""
    from mappo_verify.quantities import induced_transition, lookahead

    states, actions = 1_000, 40
    generator = np.random.default_rng(0)
    transition = generator.random((states, actions, states))
    transition /= transition.sum(-1, keepdims=True)
    game = mv.Game(transition, np.zeros((states, actions)), 0.9, (actions,))
    policy, values = mv.Policy.uniform(game), generator.random(states)
    same(induced_transition(game, policy), transition.mean(1))
    same(lookahead(game, values), 0.9 * (transition @ values))
    read = fastest(lambda: float(transition.sum()), 3)
    for name, run in (
        ("P_π", lambda: induced_transition(game, policy)),
        ("Q from V", lambda: lookahead(game, values)),
    ):
        yield Row(
            f"{name} on 320 MB of dense transitions",
            "reading them once",
            fastest(run, 3),
            read,
            "≤ 1.25x the time",
            1.25,
        )


def sparse() -> Iterator[Row]:
    """Certified values of a sparse game against the products of its own solver, and against Gauss and Seidel."""
    from unittest.mock import patch

    import numba
    import scipy.sparse as sp

    states, successors = 10_000, 10
    generator = np.random.default_rng(0)
    columns = generator.integers(0, states, (states, successors))
    chances = generator.dirichlet(np.ones(successors), states)
    chain = sp.csr_array(
        (chances.ravel(), (np.repeat(np.arange(states), successors), columns.ravel())), (states, states)
    )
    reward = generator.random((states, 1))
    game = mv.Game(chain, reward, 0.99, (1,))
    policy = mv.Policy.uniform(game)

    def ours() -> Any:
        return mv.quantities.certified_values(game, policy)

    @numba.njit  # type: ignore[untyped-decorator]
    def gauss_seidel(pointers: Any, places: Any, numbers: Any, reward: Any, error: float) -> Any:
        values = np.zeros(len(reward))
        change = np.inf
        while change * 0.99 / (1 - 0.99) > error:
            change = 0.0
            for s in range(len(reward)):
                rest, own = reward[s], 1.0
                for k in range(pointers[s], pointers[s + 1]):
                    if places[k] == s:
                        own -= 0.99 * numbers[k]
                    else:
                        rest += 0.99 * numbers[k] * values[places[k]]
                change = max(change, abs(rest / own - values[s]))
                values[s] = rest / own
        return values

    def by_sweeps() -> Any:
        return gauss_seidel(chain.indptr, chain.indices, chain.data, reward[:, 0], 1e-10)

    products = 0
    product = sp.csr_array._matmul_vector

    def counted(matrix: Any, vector: Any) -> Any:
        nonlocal products
        products += matrix.shape == chain.shape and matrix.nnz > chain.nnz // 2
        return product(matrix, vector)

    with patch.object(sp.csr_array, "_matmul_vector", counted):
        found = ours()
    assert found.error <= 1e-10
    same(found.values, by_sweeps())
    vector = generator.random(states)
    taken = fastest(ours)
    work = "certified values, 10,000 states, 10 successors, γ = .99, error ≤ 1e-10"
    multiplied = products * fastest(lambda: chain @ vector)
    yield Row(work, f"its {products} products with a vector", taken, multiplied, "≤ 1.5x the time", 1.5)
    yield Row(work, "Gauss-Seidel, compiled", taken, fastest(by_sweeps, 3), "≥ 40x as fast", 1 / 40)


# --- optimisation ------------------------------------------------------------------------------------------------------------


def convex() -> Iterator[Row]:
    """The mirror step against a reference solver."""
    from mappo_verify.quantities.reference_solvers import mirror_step_by_solver

    generator = np.random.default_rng(0)
    policy, table = generator.dirichlet(np.ones(8), 1), generator.random((1, 8))
    ours, theirs = mv.mirror_step(policy, table, 0.5), mirror_step_by_solver(policy, table, 0.5)
    same(ours, theirs, 1e-4)
    mine = fastest(lambda: mv.mirror_step(policy, table, 0.5))
    yield Row(
        "a mirror step over 8 actions",
        "Clarabel",
        mine,
        fastest(lambda: mirror_step_by_solver(policy, table, 0.5), 2),
    )


def pessimistic() -> Iterator[Row]:
    """1,000 pessimistic steps over a class of critics at d = 32, a new direction each, against cvxpy."""
    import cvxpy as cp

    generator, size, count = np.random.default_rng(0), 32, 10_000
    table = generator.random((200, size))
    here, there = generator.integers(0, 200, (2, count))
    moments = mv.quantities.moments_of(
        table[here], 0.9 * table[there], generator.random(count), np.full(count, 1 / count)
    )
    lower = np.linalg.cholesky(moments.gram)
    whitened, target = (np.linalg.solve(lower, part) for part in (moments.operator, moments.reward))

    def problem(root: Any, aim: Any, slope: Any, ceiling: Any, radius: Any) -> Any:
        weights = cp.Variable(size)
        values = table @ weights
        inside = [values >= 0, values <= ceiling, cp.norm(weights) <= radius]
        return cp.Problem(cp.Minimize(cp.sum_squares(root @ weights - aim) + slope @ weights), inside), weights

    for name, radius, ceiling, spread, penalty, goals in (
        ("no constraint", 10.0, 10.0, 0.005, 10.0, (100, 20)),
        ("the ball", 0.3, 10.0, 5.0, 1e3, (100, 20)),
        ("the range", 10.0, 1.2, 5.0, 1e3, (100, 20)),
        ("ball and range", 0.3, 0.7, 5.0, 1e2, (10, 10)),
    ):
        directions = spread * table + (table.mean(0) if name == "no constraint" else 0)
        critics = mv.quantities.LinearClass(table, radius, ceiling)
        given = {"root": cp.Parameter((size, size)), "aim": cp.Parameter(size), "slope": cp.Parameter(size)}
        compiled, unknown = problem(*given.values(), ceiling, radius)

        def ours(steps: int, d: Any = directions, p: Any = penalty, c: Any = critics) -> Any:
            return [mv.quantities.constrained_step(moments, d[k % 200], p, c) for k in range(steps)]

        def anew(steps: int, d: Any = directions, p: Any = penalty, limits: Any = (ceiling, radius)) -> Any:
            found = []
            for k in range(steps):
                model, weights = problem(np.sqrt(p) * whitened, np.sqrt(p) * target, d[k], *limits)
                model.solve(solver=cp.CLARABEL)
                found.append(weights.value)
            return found

        def again(steps: int, d: Any = directions, p: Any = penalty, q: Any = (compiled, unknown, given)) -> Any:
            model, weights, parameters = q
            found = []
            for k in range(steps):
                for key, value in (("root", np.sqrt(p) * whitened), ("aim", np.sqrt(p) * target), ("slope", d[k])):
                    parameters[key].value = value
                model.solve(solver=cp.CLARABEL)
                found.append(weights.value)
            return found

        active = ours(50)
        for step, one, two, direction in zip(active, anew(5), again(5), directions, strict=False):
            values = [float(moments.objective(w, direction, penalty)) for w in (step.weights, one, two)]
            assert max(values) - min(values) <= 1e-5 * (1 + abs(values[0]))
        balls = np.array([float(step.multipliers.ball) > 0 for step in active])
        slabs = np.array([bool((step.multipliers.below + step.multipliers.above > 0).any()) for step in active])
        assert (balls == ("ball" in name)).mean() > 0.8 and (slabs == ("range" in name)).mean() > 0.8, name
        mine = fastest(lambda: ours(50)) / 50
        work = f"a pessimistic step at d = 32, active: {name}"
        for peer, run, goal in (("cvxpy, rebuilt", anew, goals[0]), ("cvxpy with parameters", again, goals[1])):
            theirs = fastest(lambda run=run: run(5), 3) / 5  # type: ignore[misc]
            yield Row(work, peer, mine, theirs, f"≥ {goal}x as fast", 1 / goal)


def limits() -> str:
    """What this machine can do, in the same run."""
    large, square = np.ones(40_000_000), np.ones((1_000, 1_000))
    speed = large.nbytes / fastest(lambda: float(large.sum()), 3) / 1e9
    together = large.nbytes / fastest_on_all_cores(lambda: read((large,), len(large))) / 1e9
    flops = 2e9 / fastest(lambda: square @ square, 3) / 1e9
    return (
        f"memory is read at {speed:.0f} GB/s on one core and at {together:.0f} GB/s on {most_threads()}, "
        f"dgemm reaches {flops:.0f} GFLOP/s on one core of {platform.machine()}"
    )


SECTIONS = (batches, enclosures, planning, exact, certified, dense, sparse, convex, pessimistic)


def measured() -> tuple[list[Row], str]:
    """All rows, and the limits of the machine."""
    import threadpoolctl

    rows: list[Row] = []
    with threadpoolctl.threadpool_limits(1):
        machine = limits()
        for section in SECTIONS:
            rows += section()
    return rows, machine


def markdown(rows: list[Row], machine: str) -> str:
    """The table for the documents."""
    lines = ["| work | compared with | ours | theirs | ours is | goal |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [
        f"| {r.work} | {r.peer} | {_seconds(r.ours)} | {_seconds(r.theirs)} | {r.ratio} | {r.verdict} |" for r in rows
    ]
    return "\n".join([*lines, "", f"In this run {machine}."])


def main() -> None:
    """Measure, print, and write the page if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"also write the table into {PAGE.name}")
    write = parser.parse_args().write
    started = perf_counter()
    rows, machine = measured()
    table = Table("work", "compared with", "ours", "theirs", "ours is", "goal", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row.work, row.peer, _seconds(row.ours), _seconds(row.theirs), row.ratio, row.verdict)
    console = Console()
    console.print(table)
    console.print(f"{machine}; {perf_counter() - started:.0f} s")
    if write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n\n{markdown(rows, machine)}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
