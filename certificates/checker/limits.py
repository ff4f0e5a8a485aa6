"""Theorem 5.5 with unlimited data: Algorithm 2 as n, λ → ∞, on a game that one joint action decides.

Agent m sees data s, a ~ μ, with the later agents' actions drawn from the policy instead.  Its Bellman error is
``E(f) = L(f, f) - min_g L(g, f)`` with ``L(g, f) = E_μ (g - r - γf(s', π))²``, and g runs over the class F (equation (5) of the
paper) or over everything that is linear in φ (its Appendix C.1).  Algorithm 2 minimises ``f(s_0, π_k) + λE(f)`` over
``F = {φᵀw : 0 ≤ φᵀw ≤ 1/(1-γ), ‖w‖ ≤ L}`` and multiplies ``π_k^m`` by ``exp(η f^m)``.  As λ grows only critics with ``E(f) = 0``
are left.  What is verified here holds for both readings of E:

1. *The recorded critic has no error.*  It is its own least-squares fit (its residual ``f - Tf`` is orthogonal to the features),
   and it lies in F; so ``L(f, f)`` is the smallest value of ``L(g, f)`` over everything linear, and over F.
2. *A rival map.*  Cells whose feature is a unit vector, used by no other feature, are called free: ``ω`` moves the weights of
   the free cells that the data shows to their targets ``Tf`` and leaves the others.  It maps F into F.  So
   ``E(f) ≥ L(f, f) - L(ω(f), f) = Σ μ (f - Tf)²`` over these cells: a critic without error has ``f = Tf`` there.
3. *No critic without error is smaller at any action at the start.*  By 2 and with recorded multipliers y (of ``f = Tf``),
   ``u, v ≥ 0`` (of ``0 ≤ f ≤ 1/(1-γ)``): ``f(s_0, a) = Σ y (f - γf(s')) + Σ (u - v) f ≥ Σ y r - Σ v/(1-γ)``, which the recorded
   critic attains.  So it is a smallest one for every policy, and as policies exclude no action, the only one at the start.
4. All agents but the first find their own actions at the start equally good, so they go on playing evenly.  Therefore the data
   never changes, nor what the critics say of the start.
"""

from __future__ import annotations

import math
from fractions import Fraction

from .files import Instance
from .games import Gap
from .kernel import Interval, Matrix, Vector, dot, log, require, sqrt, total

LIMIT = ("shares is a distribution", "shares has full support")
RUN = (
    *LIMIT,
    "one agent's critic asks for a change, and only at the start",
    "the start is never seen again",
    "no critic without Bellman error is smaller at the start, with the inner minimum over the class or over all weights",
)


ONE = Fraction(1)


class Limit:
    """One game, its data shared out as the file says, and what the file says of every agent's critic."""

    def __init__(self, instance: Instance, gap: Gap) -> None:
        self.gap = gap
        gap.require_sound()
        p, q = instance.integers("shares", (2,), 1)
        self.share = Fraction(p, p + q)
        self.later = [(1 - self.share) * d for d in gap.data]
        self.values = instance.rationals("values", (len(gap.after),))
        gap.require_values(self.values)
        self.require_covered()
        self.critics: dict[int, Vector] = {}
        for m in range(1, len(gap.sizes) + 1):
            self.critics[m] = self.verified(instance, m)
            own = gap.sizes[m - 1]
            views = self.critics[m][: self.width(m)]
            rows = [views[i : i + own] for i in range(0, len(views), own)]
            require(m == 1 or all(row == [row[0]] * own for row in rows), f"agent {m} does not go on playing evenly")

    def width(self, m: int) -> int:
        """How many actions ``a^{1:m}`` there are at the start; the first cells of agent m are these, then come the states."""
        return math.prod(self.gap.sizes[:m])

    def mass(self, m: int) -> Vector:
        """The law of agent m's data, cell by cell: even over actions."""
        return [self.share / self.width(m)] * self.width(m) + self.later

    def rewards(self, m: int) -> Vector:
        """``r`` of every cell; at the start the mean over the later agents."""
        return self.gap.averaged(m, [r for _, r in self.gap.first]) + self.gap.pays

    def ahead(self, m: int) -> Matrix:
        """``γ E φ(s')`` of every cell."""
        after = self.gap.features[m][self.width(m) :]
        columns = [[after[s - 1][i] for s, _ in self.gap.first] for i in range(len(after[0]))]
        at_start = zip(*(self.gap.averaged(m, column) for column in columns), strict=True)
        rows = [*(list(row) for row in at_start), *(after[s - 1] for s in self.gap.after)]
        return [[self.gap.gamma * x for x in row] for row in rows]

    def free_cells(self, m: int) -> list[int]:
        """Cells of the data whose feature is a unit vector, and whose weight no other kind of feature uses."""
        table = self.gap.features[m]
        return [
            c
            for c, phi in enumerate(table)
            if self.mass(m)[c] > 0
            and sorted(phi) == [0] * (len(phi) - 1) + [1]
            and all(other[phi.index(ONE)] == 0 or other == phi for other in table)
        ]

    def verified(self, instance: Instance, m: int) -> Vector:
        """The critic that the file records for agent m, cell by cell, after the checks 1 to 3."""
        gap, table, free = self.gap, self.gap.features[m], self.free_cells(m)
        width, ahead, rewards, mass = len(table[0]), self.ahead(m), self.rewards(m), self.mass(m)
        weights = instance.rationals(f"weights.{m}", (width,))
        critic = [dot(phi, weights) for phi in table]
        inside = all(0 <= f <= gap.ceiling for f in critic) and dot(weights, weights) <= gap.radius**2
        require(inside, f"the critic of agent {m} is not in the class")

        # 1. no error
        residual = [f - r - dot(psi, weights) for f, r, psi in zip(critic, rewards, ahead, strict=True)]
        for i in range(width):
            slope = sum(p * phi[i] * e for p, phi, e in zip(mass, table, residual, strict=True))
            require(slope == 0, f"the critic of agent {m} has a Bellman error")

        # 2. the rival map: what it moves has a range of its own, what it leaves is bounded by the values that determine it
        require(all(table[c] != table[d] for c in free for d in free if c < d), "two free cells have one feature")
        room = sum((rewards[c] + (gap.gamma * gap.ceiling if any(ahead[c]) else 0)) ** 2 for c in free)
        for i in set(range(width)) - {table[c].index(ONE) for c in free}:
            parts = gap.recover[m][i]
            unit = [sum(x * table[c][j] for c, x in parts.items()) for j in range(width)]
            require(
                unit == [int(i == j) for j in range(width)], f"weight {i} of agent {m} is not what it is said to be"
            )
            sizes = (sum(max(sign * x, 0) for x in parts.values()) for sign in (1, -1))
            room += (gap.ceiling * max(sizes)) ** 2
        require(room <= gap.radius**2, "the ball may exclude the rival map")

        # 3. multipliers; where the data decides, and where every critic is 0, the range is not needed
        unused = [c in free or not any(phi) for c, phi in enumerate(table)]
        shape = (self.width(m), len(table))
        tables = [instance.rationals(f"{name}.{m}", shape) for name in ("equalities", "lower", "upper")]
        for a, (y, u, v) in enumerate(zip(*tables, strict=True)):
            require(min(*u, *v) >= 0, "a multiplier is negative")
            require(
                all(y[c] == 0 for c in range(len(table)) if c not in free), "a multiplier of a cell that is not free"
            )
            require(not any(x for x, no in zip([*u, *v], unused * 2, strict=True) if no), "a multiplier without need")
            force = [
                sum(y[c] * (table[c][i] - ahead[c][i]) + (u[c] - v[c]) * table[c][i] for c in range(len(table)))
                for i in range(width)
            ]
            bound = dot(y, rewards) - gap.ceiling * sum(v)
            smallest = force == table[a] and bound == critic[a]
            require(smallest, f"the multipliers do not prove the critic of agent {m} smallest")
        self.require_realizable(instance, m)
        return critic

    def require_realizable(self, instance: Instance, m: int) -> None:
        """Remark 5.2: every ``Q^{1:m}_π`` is in the class: its range is right, as rewards are from 0 to 1.

        The recorded weights have the values for the even policy.  For others only what free cells at the start say is different,
        and lies between 0 and the largest return.
        """
        table, wide = self.gap.features[m], self.width(m)
        weights = instance.rationals(f"true.{m}", (len(table[0]),))
        returns = self.gap.backup(self.values)
        values = self.gap.averaged(m, returns) + self.values
        require([dot(phi, weights) for phi in table] == values, f"Q^{{1:{m}}} is not linear in the features")
        rest = dot(weights, weights) - sum(v * v for v in values[:wide])
        require(rest + wide * max(returns) ** 2 <= self.gap.radius**2, f"a Q^{{1:{m}}} is not in the ball")

    def require_complete(self, m: int) -> None:
        """``Tf`` is in the class for every critic f and every policy, so that both inner minima agree for every f.

        Features are unit vectors or 0; states that share one have the same reward and the same ``φ(s')``; one that has none pays
        nothing and leads to such.  So Tf is linear, it has the range, and every weight is a value: ``‖w‖² ≤ d/(1-γ)² ≤ L²``.
        """
        table, wide = self.gap.features[m], self.width(m)
        units = all(sorted(phi)[:-1] == [0] * (len(phi) - 1) and max(phi) in (0, 1) for phi in table)
        require(units and len(table[0]) * self.gap.ceiling**2 <= self.gap.radius**2, "the class is no class of tables")
        targets = [[r, *psi] for r, psi in zip(self.rewards(m), self.ahead(m), strict=True)]
        for c, phi in enumerate(table[wide:], start=wide):
            alike = [targets[d] for d in range(wide, len(table)) if table[d] == phi]
            require(all(target == targets[c] for target in alike), f"the class of agent {m} is not complete")
            require(any(phi) or not any(targets[c]), f"the class of agent {m} is not complete where it is 0")

    def require_covered(self) -> None:
        """Definition 5.4 with a finite C: data is wherever the best joint action leads, but where every critic is 0."""
        returns = self.gap.backup(self.values)
        require(self.share > 0, "no data shows the start")
        state, seen = self.gap.first[returns.index(max(returns))][0], set()
        while state not in seen:
            seen.add(state)
            dead = all(not any(table[self.width(m) + state - 1]) for m, table in self.gap.features.items())
            still = self.gap.after[state - 1] == state and self.gap.pays[state - 1] == 0
            require(self.later[state - 1] > 0 or (dead and still), "the best policy goes where no data is")
            state = self.gap.after[state - 1]

    def first_term(self, steps: int) -> Interval:
        """``2√2/(1-γ)² Σ_m √(log|A_m|/K)``"""
        scale = Interval(self.gap.ceiling**2)
        return 2 * sqrt(2) * scale * total(sqrt(log(size) / steps) for size in self.gap.sizes)
