"""One table of ratios: this toolkit against its peers and against limits of the machine, measured in the same run.

``tox -e bench`` prints it in a few minutes; ``--write`` also puts it into ``docs/benchmarks.md``.  Every peer's result is
compared with ours before anything is timed.  Times are processor seconds of one thread, the fastest of several turns, so ratios
say the same on a busy machine.  The other files of this folder look closer at single rows (``tox -e bench-details``).
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable, Iterator
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


def fastest(run: Callable[[], Any], turns: int = 5) -> float:
    """Processor seconds of one call: the fastest of several turns, each of as many calls as fill a while."""
    run()
    started = process_time()
    run()
    once = max(process_time() - started, 1e-7)
    calls, best = max(1, int(LEAST_SECONDS / turns / once)), np.inf
    for _ in range(turns if once < 2 else 1):
        started = process_time()
        for _ in range(calls):
            run()
        best = min(best, (process_time() - started) / calls)
    return max(best, 1e-9)


def same(one: Any, two: Any, tolerance: float = 1e-8) -> None:
    """Both sides of a row compute the same."""
    np.testing.assert_allclose(np.asarray(one, float), np.asarray(two, float), rtol=tolerance, atol=tolerance)


# --- batches ------------------------------------------------------------------------------------------------------------


def batches() -> Iterator[Row]:
    """V, Q, all Q^{1:m} and A^m of many games at once."""
    for games, states, sizes in ((50_000, 4, (2, 2)), (2_000, 8, (3, 3, 3))):
        generator = np.random.default_rng(0)
        actions = int(np.prod(sizes))
        transition = generator.dirichlet(np.ones(states), (games, states, actions))
        reward = generator.random((games, states, actions))
        prefixes = [1, *np.cumprod(sizes)[:-1]]
        factors = [generator.dirichlet(np.ones(n), (games, states, p)) for n, p in zip(sizes, prefixes, strict=True)]
        game, policy = mv.Game(transition, reward, 0.9, sizes), mv.Policy(factors)
        shape = f"{games:,} games ({states} states, {'x'.join(map(str, sizes))})"

        def toolkit(game: Any = game, policy: Any = policy) -> Any:
            values = mv.agent_values(game, policy)
            return values, advantages_of(values, policy)

        def by_hand(p: Any = transition, r: Any = reward, f: Any = factors, shape: Any = (games, states)) -> Any:
            joint = f[0][:, :, 0]
            for factor in f[1:]:
                joint = np.einsum("bsp,bspa->bspa", joint, factor).reshape(*shape, -1)
            chain = np.einsum("bsa,bsat->bst", joint, p)
            system = np.eye(shape[1]) - 0.9 * chain
            values = np.linalg.solve(system, np.einsum("bsa,bsa->bs", joint, r)[..., None])[..., 0]
            tables = [r + 0.9 * np.einsum("bsat,bt->bsa", p, values)]
            for factor in reversed(f):
                split = tables[0].reshape(*shape, -1, factor.shape[-1])
                tables.insert(0, np.einsum("bspa,bspa->bsp", split, factor))
            gains = [
                (above.reshape(*below.shape, -1) - below[..., None]).reshape(*shape, -1)
                for below, above in pairwise(tables)
            ]
            return tables, gains

        def read(arrays: Any = (transition, reward, *factors)) -> float:
            return float(sum(array.sum() for array in arrays))

        for one, two in zip(toolkit()[0], by_hand()[0], strict=True):
            same(one, two)
        ours, once = fastest(toolkit), fastest(read)
        yield Row(f"V, Q, Q^{{1:m}}, A^m of {shape}", "einsum and LAPACK by hand", ours, fastest(by_hand))
        yield Row(f"V, Q, Q^{{1:m}}, A^m of {shape}", "reading the inputs once", ours, once)
        built = fastest(lambda p=transition, r=reward, a=sizes: mv.Game(p, r, 0.9, a))  # type: ignore[misc]
        yield Row(f"checking and laying out {shape}", "reading the inputs once", built, once)


# --- decision processes ----------------------------------------------------------------------------------------------------


def planning() -> Iterator[Row]:
    """Optimal values of one small game, with their certificate."""
    import mdptoolbox.mdp
    import quantecon as qe

    for states in (4, 20):
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
        yield Row(work, "QuantEcon's policy iteration", ours, fastest(quantecon))
        yield Row(work, "pymdptoolbox's policy iteration", ours, fastest(toolbox))


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


def certified() -> Iterator[Row]:
    """A claim decided on many instances: in enclosures, and in rationals and balls alone."""
    from mappo_verify.arithmetic import System
    from mappo_verify.checking.evaluate import evaluate
    from mappo_verify.checking.sampling import draw
    from mappo_verify.claims.coordinates import Sizes
    from mappo_verify.claims.verdict import Verdict
    from mappo_verify.papers.registry import claim

    sizes, count, few = Sizes(3, (2, 2)), 4_000, 100
    for name, system in (("lemma-b.5/b", System.BALLS), ("lemma-b.4/repaired", System.RATIONALS)):
        entry = claim(name)
        drawn = draw(entry.setting, sizes, count, np.random.default_rng(0))

        def decide(number: int, system: Any, entry: Any = entry, drawn: Any = drawn) -> Any:
            part = {key: values[:number] for key, values in drawn.items()}
            with np.errstate(all="ignore"):
                return evaluate(entry, entry.setting.case(part, sizes, system)).verdict

        enclosed, otherwise = decide(count, System.ENCLOSURES), decide(few, system)
        settled = [(a, b) for a, b in zip(enclosed, otherwise, strict=False) if Verdict.UNDECIDED not in (a, b)]
        assert len(settled) > few // 2 and all(a == b for a, b in settled)
        ours = fastest(lambda decide=decide: decide(count, System.ENCLOSURES)) / count  # type: ignore[misc]
        theirs = fastest(lambda decide=decide, system=system: decide(few, system)) / few  # type: ignore[misc]
        yield Row(
            f"one instance of {name} at 3 states, 2x2, in enclosures", f"the same in {system.value}", ours, theirs
        )


# --- large games ----------------------------------------------------------------------------------------------------------


def dense() -> Iterator[Row]:
    """The induced chain of dense transitions beyond every cache."""
    states, actions = 1_000, 40
    generator = np.random.default_rng(0)
    transition = generator.random((states, actions, states))
    transition /= transition.sum(-1, keepdims=True)
    game = mv.Game(transition, np.zeros((states, actions)), 0.9, (actions,))
    policy = mv.Policy.uniform(game)
    from mappo_verify.quantities import induced_transition

    same(induced_transition(game, policy), transition.mean(1))
    ours = fastest(lambda: induced_transition(game, policy), turns=3)
    yield Row(
        "P_π on 320 MB of dense transitions", "reading them once", ours, fastest(lambda: float(transition.sum()), 3)
    )


# --- optimisation ------------------------------------------------------------------------------------------------------------


def convex() -> Iterator[Row]:
    """The mirror step against a reference solver."""
    from mappo_verify.quantities.reference_solvers import mirror_step_by_cvxpy

    generator = np.random.default_rng(0)
    policy, table = generator.dirichlet(np.ones(8), 1), generator.random((1, 8))
    ours, theirs = mv.mirror_step(policy, table, 0.5), mirror_step_by_cvxpy(policy, table, 0.5)
    same(ours, theirs, 1e-4)
    mine = fastest(lambda: mv.mirror_step(policy, table, 0.5))
    yield Row(
        "a mirror step over 8 actions",
        "cvxpy with Clarabel",
        mine,
        fastest(lambda: mirror_step_by_cvxpy(policy, table, 0.5), 2),
    )


def limits() -> str:
    """What this machine can do, in the same run."""
    large, square = np.ones(40_000_000), np.ones((1_000, 1_000))
    speed = large.nbytes / fastest(lambda: float(large.sum()), 3) / 1e9
    flops = 2e9 / fastest(lambda: square @ square, 3) / 1e9
    return (
        f"memory is read at {speed:.0f} GB/s, dgemm reaches {flops:.0f} GFLOP/s, on one thread of {platform.machine()}"
    )


SECTIONS = (batches, planning, exact, certified, dense, convex)


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
    lines = ["| work | compared with | ours | theirs | ours is |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {r.work} | {r.peer} | {_seconds(r.ours)} | {_seconds(r.theirs)} | {r.ratio} |" for r in rows]
    return "\n".join([*lines, "", f"In this run {machine}."])


def main() -> None:
    """Measure, print, and write the page if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"also write the table into {PAGE.name}")
    write = parser.parse_args().write
    started = perf_counter()
    rows, machine = measured()
    table = Table("work", "compared with", "ours", "theirs", "ours is", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row.work, row.peer, _seconds(row.ours), _seconds(row.theirs), row.ratio)
    console = Console()
    console.print(table)
    console.print(f"{machine}; {perf_counter() - started:.0f} s")
    if write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n\n{markdown(rows, machine)}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
