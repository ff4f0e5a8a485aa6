"""Section 4.3: equilibria."""

from __future__ import annotations

from ..claim import Comparison, claim
from ..files import Instance
from ..kernel import require


@claim(
    "section-4.3/equilibria-are-optimal",
    kind="beyond",
    statement="r(a) = max r at every Nash equilibrium in pure strategies of a cooperative game of one move",
    setting="a game of one move for two agents, and a profile of pure strategies",
    hypotheses=("policy is a product", "the profile is a Nash equilibrium in pure strategies"),
    note="So convergence to equilibria is not enough; climbing and penalty are the classic cases.",
    agents=(2, 2),
    actions=(2, 3),
)
def equilibria_are_optimal(instance: Instance) -> Comparison:
    """Agent 1 plays row i, agent 2 column j; neither earns more by another row, or another column, alone."""
    instance.require_place(0, ())
    rows, columns = instance.sizes
    instance.shares("game.transition", (1, rows * columns, 2))
    instance.shares("game.discount", (2,))
    flat = instance.integers("game.reward", (1, rows * columns), -9, 9)[0]
    reward = [flat[i * columns : (i + 1) * columns] for i in range(rows)]
    one, two = (instance.shares(f"policy.{m}", (1, size))[0] for m, size in ((1, rows), (2, columns)))
    require(1 in one and 1 in two, "the profile is not pure")
    i, j = one.index(1), two.index(1)
    stable = all(row[j] <= reward[i][j] for row in reward) and all(other <= reward[i][j] for other in reward[i])
    require(stable, "the profile is no Nash equilibrium")
    return Comparison("r(a) at a Nash equilibrium in pure strategies", reward[i][j], "=", "max_a r(a)", max(flat))
