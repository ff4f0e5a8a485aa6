"""Enclosures contain the exact numbers: V, Q and visits of random games in four regimes, against exact rationals.

    python benchmarks/enclosures_contain.py                    # 1,000,000 entries for each of four seeds
    python benchmarks/enclosures_contain.py --entries 20000 --seeds 1

Prints, for every seed and regime, how many entries were compared, how many are missed (none may be), how many say nothing, and
the radii relative to the largest entry of their game.  Exits with 1 if an entry is missed.
"""

from __future__ import annotations

import argparse
import sys
from typing import NamedTuple

import flint
import numpy as np

from mappo_verify.arithmetic import enclosures as e
from mappo_verify.arithmetic.enclosures.kernels import Enclosure, Floats

STATES, ACTIONS = 4, 4
ENTRIES = STATES + STATES * ACTIONS + STATES
REGIMES = ("plain", "near-deterministic", "long horizon", "ill-scaled", "dyadic", "sparse")


class Games(NamedTuple):
    """Floats, batch last: ``P [S, A, S, B]``, ``r [S, A, B]``, ``π [S, A, B]``, ``ρ [S, B]``, ``γ [B]``.

    Rows of P are scaled by 1 - 2⁻⁵⁰, so that none exceeds 1: the rest is termination.
    """

    transition: Floats
    reward: Floats
    policy: Floats
    start: Floats
    discount: Floats


def draw(regime: str, games: int, rng: np.random.Generator) -> Games:
    def rows(*shape: int, width: int) -> Floats:
        if regime == "dyadic":
            cuts = np.sort(rng.integers(0, 65, (*shape, width - 1)), -1)
            return np.diff(cuts, axis=-1, prepend=0, append=64) / 64.0
        concentration = {"near-deterministic": 0.01, "sparse": 0.3}.get(regime, 1.0)
        drawn = rng.dirichlet(np.full(width, concentration), shape) * (1 - 2.0**-50)
        if regime == "sparse":
            drawn = np.where(rng.random(drawn.shape) < 0.5, 0.0, drawn)
        return drawn

    transition, policy = rows(games, STATES, ACTIONS, width=STATES), rows(games, STATES, width=ACTIONS)
    start = rows(games, width=STATES)
    reward = rng.random((games, STATES, ACTIONS))
    discount = rng.choice([0.5, 0.9, 0.99], games)
    if regime == "long horizon":
        discount = rng.choice([0.999, 1 - 1e-6, 1 - 1e-9, 1 - 1e-12], games)
    if regime == "ill-scaled":
        reward *= 10.0 ** rng.choice([-12, 0, 12], reward.shape)
    if regime == "dyadic":
        reward, discount = rng.integers(-8, 9, reward.shape) / 8.0, np.full(games, 0.5)

    def last(array: Floats) -> Floats:
        return np.ascontiguousarray(np.moveaxis(array, 0, -1))

    return Games(last(transition), last(reward), last(policy), last(start), discount)


def tables(games: Games) -> list[Enclosure]:
    """V ``[S, B]``, Q ``[S, A, B]`` and the visits ``ρᵀ(I - γP_π)⁻¹`` ``[S, B]``."""
    transition, reward, policy, start = map(e.enclose, games[:4])
    discount = e.enclose(games.discount)
    chain = e.contract("sa,sat->st", policy, transition)
    identity = (np.eye(STATES)[..., None], np.zeros((STATES, STATES, 1)))
    matrix = e.sub(identity, e.mul(discount, chain))
    values = squeezed(e.solve(matrix, column(e.contract("sa,sa->s", policy, reward))))
    action_values = e.add(reward, e.mul(discount, e.contract("sat,t->sa", transition, values)))
    transposed = (matrix[0].swapaxes(0, 1), matrix[1].swapaxes(0, 1))
    return [values, action_values, squeezed(e.solve(transposed, column(start)))]


def column(a: Enclosure) -> Enclosure:
    return a[0][:, None], a[1][:, None]


def squeezed(a: Enclosure) -> Enclosure:
    return a[0][:, 0], a[1][:, 0]


def rational(value: float) -> flint.fmpq:
    return flint.fmpq(*value.as_integer_ratio())


def exactly(games: Games, index: int) -> list[list[flint.fmpq]]:
    """The same tables of one game in rationals, flat."""

    def exact(values: Floats) -> list[flint.fmpq]:
        return list(map(rational, values[..., index].ravel().tolist()))

    n, m = STATES, ACTIONS
    p, r, pi, rho = map(exact, games[:4])
    gamma = rational(float(games.discount[index]))
    choice = flint.fmpq_mat(n, n * m)
    for s in range(n):
        for a in range(m):
            choice[s, s * m + a] = pi[s * m + a]
    step, rewards = flint.fmpq_mat(n * m, n, p), flint.fmpq_mat(n * m, 1, r)
    matrix = flint.fmpq_mat(n, n, [flint.fmpq(int(i == j)) for i in range(n) for j in range(n)]) - choice * step * gamma
    values = matrix.solve(choice * rewards)
    visits = matrix.transpose().solve(flint.fmpq_mat(n, 1, rho))
    return [values.entries(), (rewards + step * values * gamma).entries(), visits.entries()]


class Report(NamedTuple):
    """Entries compared, missed and unknown; of each known game the largest radius over the largest entry."""

    entries: int
    missed: int
    unknown: int
    radii: list[float]


def examine(games: Games) -> Report:
    """Compare every entry of every game."""
    found = tables(games)
    entries = missed = unknown = 0
    radii = []
    for index in range(len(games.discount)):
        for (mid, rad), exact in zip(found, exactly(games, index), strict=True):
            pairs = list(zip(mid[..., index].ravel().tolist(), rad[..., index].ravel().tolist(), exact, strict=True))
            entries += len(pairs)
            for m, r, truth in pairs:
                if not (np.isfinite(m) and r < np.inf):
                    unknown += 1
                elif abs(truth - rational(m)) > rational(r):
                    missed += 1
            top = np.abs(mid[..., index]).max()
            if top > 0:
                radii.append(float(rad[..., index].max() / top))
    return Report(entries, missed, unknown, radii)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000, help="entries for each seed")
    parser.add_argument("--seeds", type=int, default=4)
    options = parser.parse_args()
    games = -(-options.entries // (len(REGIMES) * ENTRIES))
    failed = False
    print(f"{'seed':>4} {'regime':20} {'entries':>9} {'missed':>6} {'unknown':>7} {'median radius':>14} {'largest':>9}")
    for seed in range(options.seeds):
        rng = np.random.default_rng(seed)
        for regime in REGIMES:
            report = examine(draw(regime, games, rng))
            failed |= report.missed > 0
            radii = np.array(report.radii)
            print(
                f"{seed:4} {regime:20} {report.entries:9,} {report.missed:6} {report.unknown:7} "
                f"{np.median(radii):14.1e} {radii.max():9.1e}",
                flush=True,
            )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
