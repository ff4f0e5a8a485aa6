"""Theorem D.7: Algorithm 4, with finite classes of critics and samples.

In every step n data are drawn: ``(s, a^1) ~ μ`` and ``a^2`` from the policy; ``E_D(f) = L(f, f) - min L(f', f)``, where f' runs
over the class of the agent, or over all tables, and ``L(f', f) = 1/n Σ (f'(s, a^1) - r - γ f(s'))²``.  The game is the two-agent
one of Theorem 5.5.  The class of agent 2 is {Q}, that of agent 1 is {Q, g, g'}, tables in the file.
"""

from __future__ import annotations

from fractions import Fraction

from ..claim import Comparison, claim
from ..files import Instance
from ..games import TWO_AGENTS
from ..kernel import Interval, Matrix, Vector, exp, log, require, small_exp, sqrt, total


class Trap:
    """Verifies the classes, and what makes agent 1 take g or g' in a step, at whose start both are (g(0), g(1)).

    ``N_0`` and ``N_1`` count data at the start with agent 1's action 0 and agent 2's action 0 or 1.  Agent 2's critic finds its
    actions equally good, so it plays evenly, and a datum is of either kind with the same chance p.
    """

    def __init__(self, instance: Instance) -> None:
        self.gap = gap = TWO_AGENTS
        gap.require_sound()
        self.values = instance.rationals("values", (3,))
        gap.require_values(self.values)
        returns = gap.backup(self.values)
        tables = [flat(table) for table in instance.rationals("class.1", (3, 4, 2))]
        true, wrong, image = tables
        (other,) = instance.rationals("class.2", (1, 4, 4))
        require(other[0] == returns and flat(other)[4:] == self.values, "the class of agent 2 is not {Q}")
        require(returns[0] == returns[1] and returns[2] == returns[3], "agent 2 does not go on playing evenly")

        # ζ_F = ζ_FF = 0 for agent 1: Q = TQ is there, and Tf for every f.  And 0 ≤ f ≤ 1/(1-γ).
        require(true == gap.averaged(1, returns) + self.values, "the first critic is not Q")
        require(self.image(wrong) == image and self.image(image) in tables, "the class is not complete")
        require(all(0 <= f <= gap.ceiling for table in tables for f in table), "a critic is out of range")

        # C² ≤ 2: the best joint action (0, 0) leads to state 1 and then to state 3, where every critic is 0; agent 2 has f = Tf.
        # d_* = (1 - γ, (1 - γ)γ, γ²) there, and half of the data is at (s, (0, ·)) and (s, (1, ·)) each, half of all at state 1.
        share = Fraction(1, 2)
        require(returns[0] == max(returns) and gap.first[0][0] == 1 and gap.after[0] == 3, "(0, 0) is not the best way")
        require(
            all(table[-1] == 0 for table in tables) and gap.data[0] == 1, "critics or data are not as they should be"
        )
        small = 1 - gap.gamma <= 2 * share / 2 and (1 - gap.gamma) * gap.gamma <= 2 * (1 - share)
        require(small, "C² > 2")

        # On the data g' is g, and Q differs from g at (s, 0) alone.
        require(wrong[1:3] == true[1:3] and wrong[:3] == image[:3], "the critics differ on the data")
        q, g = true[0], wrong[0]
        require(g < q, "g is not pessimistic")
        targets = gap.backup(wrong[2:])[:2]
        # Over the class: Q explains N_0 data better than g, and N_1 worse; so E_D(g) = 0 unless N_0 > 3 N_1.
        gain, loss = ((g - t) ** 2 - (q - t) ** 2 for t in targets)
        require(gain > 0 and loss == -3 * gain, "E_D(g) = 0 is not N_0 ≤ 3 N_1")
        # Over all tables: E_D(Q) = 0, and E_D(g) = (N_0 + N_1)/n (mean target - g)²; the mean target is g + (2q̂ - 1)(q - g),
        # q̂ = N_0/(N_0 + N_1), as g is the middle of both targets.
        require(sum(targets) == 2 * g and abs(targets[0] - g) == q - g, "g is not the middle of its targets")
        self.views = wrong[:2]
        self.depth = q - g
        self.chance = share / 4

    def image(self, table: Vector) -> Vector:
        """``Tf`` while agent 2 plays evenly."""
        after = table[2:]
        rest = [r + self.gap.gamma * after[s - 1] for s, r in zip(self.gap.after, self.gap.pays, strict=True)]
        return self.gap.averaged(1, self.gap.backup(after)) + rest

    def require_likely(self, steps: int, number: int, certainty: int, share: Interval) -> None:
        """In all K steps, with probability above δ, agent 1 takes g or g'; π(0) is at least ``share`` in each of them.

        *Inner minimum over the class, every λ.*  ``N_0 ≤ 3 N_1``, and
        ``P(N_0 > 3 N_1) ≤ E z^(N_0 - 3 N_1) = (1 - ρ)ⁿ ≤ 1/(1 + ρn)`` with ``ρ = p(2 - z - z⁻³)`` and ``z = 4/3``.

        *Over all tables, λ ≤ n/K*, which is more than the theorem's λ ∝ n^{2/3}.  g or g' is chosen if
        ``λE_D(g) < π(0)(q - g)``.  With ``S = (N_0 - N_1)/(2n)`` and ``P_0 = (N_0 + N_1)/n``, ``E_D(g) = 4(q - g)² S²/P_0``; so
        it is where ``P_0 ≥ p``, half of its mean, and ``|S| < τ`` with ``τ² = p share/(4λ(q - g))``.  By Hoeffding's inequality
        this fails with probability at most ``2 exp(-2nτ²) + exp(-2np²)``.
        """
        allowed, p = 1 - Fraction(1, certainty), self.chance
        z = Fraction(4, 3)
        rate = p * (2 - z - 1 / z**3)
        require(rate > 0 and steps / (1 + rate * number) < allowed, "the trap may fail over the class")
        fails = 2 * small_exp(steps * p * share / (2 * self.depth)) + small_exp(2 * number * p**2)
        require((steps * fails).high < allowed, "the trap may fail over all tables")

    def share_at_end(self, steps: int) -> Interval:
        """The smallest chance of action 0 in a run that sees g: ``1/(1 + e^{ηK(g(1) - g(0))})``."""
        return 1 / (1 + exp(self.gap.rate(steps) * steps * (self.views[1] - self.views[0])))

    def require_halved(self) -> None:
        """Where ``π(0) ≥ 1/4`` g is chosen and action 0 loses; below, one step multiplies its odds by ``e^{η/(1-γ)} < 3``."""
        require(exp(self.gap.rate(1) * self.gap.ceiling).high < 3, "a step may lead above 1/2")

    def terms(self, steps: int, number: int, certainty: int) -> tuple[Interval, Interval]:
        """``N √(log|A|/K)/(1-γ)²``, and ``C (K log(|F|/δ)/n)^{1/3}/(1-γ)²`` with ``C = √2`` and ``|F| = 3``."""
        inside = steps * log(3 * certainty) / number
        scale = self.gap.ceiling**2
        return 2 * scale * sqrt(log(2) / steps), scale * sqrt(2) * exp(log(inside) / 3)


def flat(table: Matrix) -> Vector:
    """A table ``[S, A]`` as the actions at the start, then one value for each other state, where actions make no difference."""
    require(all(row == [row[0]] * len(row) for row in table[1:]), "a critic depends on actions away from the start")
    return table[0] + [row[0] for row in table[1:]]


LIKELY = (
    "with probability > δ agent 1 takes g or g' in all K steps, the inner minimum over the class, λ > 0: "
    "K (1 - 47/1536)ⁿ < 1 - δ",
    "the same with the inner minimum over all tables, λ ≤ n/K, π its smallest chance of action 0: "
    "K (2 exp(-Kπ/4) + exp(-n/32)) < 1 - δ",
)


@claim(
    "theorem-d.7",
    kind="printed",
    statement="J_* - J(π̂) ≤ 2√2 N √(log|A|/K)/(1-γ)² + 10 C (K log(|F|/δ)/n)^{1/3}/(1-γ)² for ζ_F = ζ_FF = 0, "
    "with probability ≥ 1 - δ",
    setting="a trapped run of K steps with n = samples · K⁴ data each, and δ = 1/certainty",
    hypotheses=LIKELY,
    note="With the constants 2√2, as the proof gives for the first term, and 10 for the second.  ζ_F = ζ_FF = 0, C = √2, "
    "|F^1| = 3, |F^2| = 1, every λ with the inner minimum over the class, and λ ≤ n/K with that over all tables.  Other powers "
    "of K and n in the second term change nothing, since n may be as large as one likes.",
    actions=(2, 2),
    steps=(1, 40_000),
)
def trapped(instance: Instance) -> Comparison:
    """A trapped agent 1 sees g at the start in every step."""
    trap, steps = Trap(instance), instance.steps
    instance.require_place(0, ())
    number = instance.integers("samples", (), 1) * steps**4
    certainty = instance.integers("certainty", (), 2)
    trap.require_likely(steps, number, certainty, trap.share_at_end(steps))
    first, second = trap.terms(steps, number, certainty)
    return Comparison(
        "1/K Σ_k (J_* - J(π_k)), where agent 1 sees g at the start in every step, η = (1-γ) √(log|A|/(2K))",
        trap.gap.regret(trap.views, trap.values, steps),
        "≤",
        "2√2 N √(log|A|/K)/(1-γ)² + 10 C (K log(|F|/δ)/n)^{1/3}/(1-γ)²",
        2 * sqrt(2) * first + 10 * second,
    )


@claim(
    "theorem-d.7/any-constant",
    kind="printed",
    statement="J_* - J(π̂) ≤ c [N √(log|A|/K)/(1-γ)² + C (K log(|F|/δ)/n)^{1/3}/(1-γ)²] for ζ_F = ζ_FF = 0, "
    "with probability ≥ 1 - δ",
    setting="a trapped run of K = (500c)² steps with n = K⁴ data each, and δ = 1/certainty",
    hypotheses=LIKELY,
    note="The mean gap is at least the left side for every K, and at K = (500c)², n = K⁴ the bound is below it for every c ≥ 1.",
    actions=(2, 2),
)
def any_constant(instance: Instance) -> Comparison:
    """A trapped agent 1 plays its worse action with a chance of at least 1/2, so the gap is at least half of what that costs."""
    trap = Trap(instance)
    instance.require_place(0, ())
    constant, certainty = instance.integers("constant", (), 1), instance.integers("certainty", (), 2)
    steps = (500 * constant) ** 2
    trap.require_halved()
    trap.require_likely(steps, steps**4, certainty, Interval(Fraction(1, 4)))
    always, more = trap.gap.shortfalls(trap.views, trap.values)
    return Comparison(
        "what 1/K Σ_k (J_* - J(π_k)) is no smaller than, as action 1 has a chance of at least 1/2 in every step",
        always + more / 2,
        "≤",
        "c [N √(log|A|/K)/(1-γ)² + C (K log(|F|/δ)/n)^{1/3}/(1-γ)²]",
        constant * total(trap.terms(steps, steps**4, certainty)),
    )
