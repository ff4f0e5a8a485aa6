"""Section 4.2: none of the four terms of Theorem 4.5, repaired-sharp, can be made smaller.

One state, no discount, one agent, and a run on which the bound exceeds the gap by little, for every number of iterations:

* *fit*: ``r = (c, -c)``, and errors undo every update: the bound is the gap plus ``log 2 + ½ K (ηc)²``;
* *critic*: ``r = (c, -c)``, and the critic says 0 for ever: the bound is the gap plus ``log 2``;
* *entropy*: exact updates with a small step: the gap is at least ``log|A| - log(1 + (|A|-1) e^{-ηK})``;
* *squares*: one exact update of ``r = (c, -c)`` against ``π_* ∝ e^{ηr}``, where ``⅛ (osc Q̂)² η²`` is used up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ...arithmetic import Array, exp, like, log, square, tilt
from ...axioms import gibbs, nonnegative, root_below
from ...claims.case import Built, Case, Ingredient
from ...claims.claim import Claim, Kind, Line, at_least, at_most, equal, line
from ...claims.coordinates import EVERY, Coordinate, Numbers, Sizes
from ...claims.induction import Arbitrary, Summed
from ...claims.ingredients import Derived, PolicyData, PositiveScalar, PrefixTables
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...model import Policy
from ...quantities.divergence import entropy_of, kl_divergence
from ...quantities.update_errors import Update
from .section_4_convergence import bandit, pair
from .section_4_repaired import Chain, gap_of, log_two, sharp_bound, sharp_theorem


@dataclass(frozen=True)
class UniformPolicy(Ingredient):
    """Where nothing moves a policy, every state of the run is the first: the uniform one."""

    name: str

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return ()

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> Policy:
        return Policy.product(
            [like(np.full((sizes.states, n), Fraction(1, n), object).tolist(), built["beta"]) for n in sizes.actions]
        )


def _logs(chain: Chain) -> Summed:
    """``Σ_m log|A_m|``"""
    logs: Summed = chain.run.fixed(entropy_of(chain.game.action_sizes, chain.case.system))
    return logs


def _rounded(expression: str, chain: Chain, rest: Summed) -> Line:
    """``rest + 18/25`` above ``rest + log 2``: what balls decide must not be an equality."""
    above = like(Fraction(18, 25), chain.case.scale)
    return at_most(
        expression, rest + chain.run.fixed(above), because="log 2 ≤ 18/25", axiom=chain.run.fixed(log_two(above))
    )


def fit(case: Case) -> Iterator[Line]:
    """Errors undo every update of the bandit ``r = (c, -c)``."""
    chain = Chain(case)
    gap, bound = gap_of(chain), sharp_bound(chain)
    size = case.scale / case.beta
    yield line("Σ_m log|A_m| + Σ_{k,m} ε‖w_{m-1}(π_*^m - π_{k+1}^m)/π_k^m‖_{2,σ_k} + (N/2) Σ_k B²/β_k²", bound)
    yield at_most(
        "log 2 + Σ_k ηc + ½ Σ_k (ηc)²",
        _logs(chain) + chain.over(lambda *_: size + square(size) / 2),
        because="every π_k is uniform, so ε² = (ηc)² and ‖(π_* - π_{k+1})/π_k‖ = 1; B = c",
        axiom=chain.over(lambda x, m: root_below(x.squared_fit_error(m), size, nonnegative(0 * size))),
    )
    yield equal(
        "Σ_k (1-γ)(J_* - J_k)/β_k + log 2 + ½ Σ_k (ηc)²",
        gap + _logs(chain) + chain.over(lambda *_: square(size) / 2),
        because="every gap is c",
    )
    yield _rounded(
        "Σ_k (1-γ)(J_* - J_k)/β_k + 18/25 + ½ Σ_k (ηc)²", chain, gap + chain.over(lambda *_: square(size) / 2)
    )


def critic(case: Case) -> Iterator[Line]:
    """The critic says 0 of the bandit ``r = (c, -c)``, and nothing moves."""
    chain = Chain(case)
    gap, bound = gap_of(chain), sharp_bound(chain)
    size = case.scale / case.beta
    yield line("Σ_m log|A_m| + Σ_{k,m} √((φ^m)² - (φ^{m-1})²) ε̂/β_k", bound)
    yield at_most(
        "log 2 + Σ_k ηc",
        _logs(chain) + chain.over(lambda *_: size),
        because="ε̂² = c², (φ^1)² - (φ^0)² = 2 - 1, and all estimates are 0",
        axiom=chain.over(lambda x, m: x.eta * root_below(x.squared_critic_error(m), case.scale, nonnegative(0 * size))),
    )
    yield equal(
        "Σ_k (1-γ)(J_* - J_k)/β_k + log 2", gap + _logs(chain), because="every π_k is uniform, so every gap is c"
    )
    yield _rounded("Σ_k (1-γ)(J_* - J_k)/β_k + 18/25", chain, gap)


def entropies(case: Case) -> Iterator[Line]:
    """Exact updates of a bandit with one good action: the gap is the fall of the divergence, and more."""
    chain = Chain(case)
    run, target = chain.run, chain.target
    # All lines, for one shows that φ² grows: its root then has no condition.
    gap, *_, bound = (entry.value for entry in sharp_theorem(case))

    def backwards(x: Update, m: int) -> tuple[Array, Array]:
        return x.policy.factors[m - 1], x.following.factors[m - 1]

    yield line("Σ_k (1-γ)(J_* - J_k)/β_k", gap)
    yield equal(
        "Σ_k [KL(π_*‖π_k) - KL(π_*‖π_{k+1}) + KL(π_k‖π_{k+1})]",
        run.sum(lambda step: chain.divergence_from(step.state) - chain.divergence_from(step.following))
        + chain.over(lambda x, m: x.along(m, kl_divergence(*backwards(x, m)))),
        because="log(π_{k+1}/π_k) = ηQ - log Z",
    )
    start, last = (
        run.fixed(chain.divergence_from(run.start)),
        run.last(lambda place: chain.divergence_from(place.state)),
    )
    yield at_least(
        "KL(π_*‖π_0) - KL(π_*‖π_K)",
        start - last,
        because="telescoping; divergences are not negative",
        axiom=chain.over(lambda x, m: chain.mean(m, gibbs(*backwards(x, m)))),
    )
    known = run.last(lambda place: log((target.factors[0] * place.state.factors[0]).sum((-3, -2, -1))))
    yield equal(
        "log|A| - log(1/π_K(a_*))",
        _logs(chain) + known,
        because="π_0 is uniform, and π_* plays one action",
    )
    yield equal(
        "repaired-sharp's bound - ½ Σ_k η² - log(1/π_K(a_*))",
        bound - chain.over(lambda x, _: square(x.eta) / 2) + known,
        because="there are no errors, and B = 1",
    )


def squares_used(case: Case) -> Iterator[Line]:
    """One exact update of ``r = (c, -c)`` against ``π_* ∝ e^{ηr}``; ``x = ηc``."""
    size, half = case.size, Fraction(1, 2)
    even = like([half, half], size)
    reward = size * like([1, -1], size)
    target = tilt(even, reward)
    gap = (reward * (target - even)).sum(-1)
    yield line("KL(π_*‖π_0) + ⅛ (η osc Q̂)² - η (J_* - J_0)", kl_divergence(target, even) + square(size) / 2 - gap)
    yield equal(
        "½ x² - log cosh x",
        square(size) / 2 - log((exp(size) + exp(-size)) / 2),
        because="π_* ∝ e^{ηr}, so KL(π_*‖π_0) = x tanh x - log cosh x, and the gap is x tanh x",
    )
    yield at_most(
        "x⁴/12",
        square(square(size)) / 12,
        because="tanh t ≥ t - t³/3, integrated; while the gap itself is x² and less",
        axiom="tanh t ≥ t - t³/3 for t ≥ 0",
    )


@dataclass(frozen=True)
class ErrorOfNothing(PrefixTables):
    """The critic's error where it says 0: ``-r``."""

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return ()

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> tuple[Array, ...]:
        return (built["scale"] * like([[-1, 1]], built["scale"]),)


def _still(name: str, *noise: Ingredient) -> Setting:
    """The bandit ``r = (c, -c)`` on which no update moves anything."""
    return Setting(
        name,
        (
            PositiveScalar("scale"),
            PositiveScalar("beta"),
            Derived("eta", lambda case: 1 / case.beta),
            Derived("game", lambda case: replace(bandit(case), reward=pair(case))),
            Derived("target", lambda case: Policy.deterministic(bandit(case), np.zeros(1, int))),
            Derived("increments", lambda case: (0 * pair(case),)),
            *noise,
            Arbitrary(UniformPolicy("policy")),
        ),
        agents=(1, 1),
        states=(1, 1),
        steps=(1, 4, 16),
        action_range=(2, 2),
        explore=False,
    )


EXACT = Setting(
    "exact updates of the bandit r = (1, 0)",
    (
        PositiveScalar("beta"),
        Derived("eta", lambda case: 1 / case.beta),
        Derived("game", bandit),
        Derived("target", lambda case: Policy.deterministic(case.game, np.zeros(1, int))),
        Derived("increments", lambda case: (case.eta * case.game.reward,)),
        Arbitrary(PolicyData("policy", full_support=True)),
    ),
    agents=(1, 1),
    states=(1, 1),
    steps=(1, 4, 16),
    action_range=(2, 2),
    explore=False,
)

_SOURCE = "Section 4.2, Theorem 4.5, repaired"
_ONE = (Sizes(1, (2,), EVERY),)

CLAIMS = (
    Claim(
        "theorem-4.5/fit-is-tight",
        "The coefficient of the fit's error cannot be lowered",
        _SOURCE,
        _still("the bandit r = (c, -c), where errors of the fit undo every update"),
        fit,
        statement="there are runs of every length with repaired-sharp's bound ≤ Σ_k (1-γ)(J_* - J_k)/β_k + 18/25 + ½ Σ_k (ηc)², "
        "all of whose gap Kηc is errors of the fit",
        transcendental=True,
        record=Standing.PROVED,
        note="With η = √(2 log 2/K)/c the ratio is 1 + √(2 log 2/K): theorem-4.5/sharp-is-tight.",
        symbolic=_ONE,
        kind=Kind.BEYOND,
    ),
    Claim(
        "theorem-4.5/critic-is-tight",
        "The coefficient of the critic's error cannot be lowered",
        _SOURCE,
        _still("the bandit r = (c, -c), and a critic that says 0", ErrorOfNothing("noise")),
        critic,
        statement="there are runs of every length with repaired-sharp's bound ≤ Σ_k (1-γ)(J_* - J_k)/β_k + 18/25, all of whose "
        "gap Kηc is errors of the critic",
        transcendental=True,
        record=Standing.PROVED,
        note="The ratio is at most 1 + 18/(25 Kηc), as near to 1 as one likes for a single update.",
        symbolic=_ONE,
        kind=Kind.BEYOND,
    ),
    Claim(
        "theorem-4.5/entropy-is-tight",
        "The coefficient of log|A| cannot be lowered",
        _SOURCE,
        EXACT,
        entropies,
        statement="exact updates of a bandit: Σ_k (1-γ)(J_* - J_k)/β_k is at least repaired-sharp's bound less "
        "½ K η² + log(1/π_K(a_*))",
        transcendental=True,
        record=Standing.PROVED,
        note="At η = K^{-3/4} the other terms tend to 0: 1/π_K(a_*) = 1 + (|A| - 1) e^{-ηK}.",
        symbolic=_ONE,
        kind=Kind.BEYOND,
    ),
    Claim(
        "theorem-4.5/square-is-tight",
        "The coefficient ⅛ of the spread cannot be lowered",
        _SOURCE,
        Setting(
            "one exact update of r = (c, -c) against π_* ∝ exp(ηr), x = ηc",
            (PositiveScalar("size"),),
            agents=(1, 1),
            states=(1, 1),
            action_range=(2, 2),
        ),
        squares_used,
        statement="spread's bound with KL(π_*‖π_0) for log|A| exceeds the gap x tanh x by ½ x² - log cosh x ≤ x⁴/12",
        transcendental=True,
        record=Standing.SURVIVED,
        note="All but the last line is an identity.  The last, ½ x² - log cosh x ≤ x⁴/12, is not proved in symbols: it "
        "integrates tanh t ≥ t - t³/3, which no axiom of the table says.",
        kind=Kind.BEYOND,
    ),
)
