"""Section 4.2: Theorem 4.5 with the spread of the estimates in place of their size, and with a ``β`` that is known beforehand.

``osc Q̂ = max_a Q̂ - min_a Q̂`` at ``(s, p)``.  Only differences of estimates move a policy, so that ::

    η ⟨Q̂, π_{k+1} - π_k⟩ - KL(π_{k+1}‖π_k) ≤ log E exp(ηQ̂) - η E Q̂ ≤ ⅛ η² (osc Q̂)²        E over π_k

by Gibbs and by Hoeffding's lemma; and ``osc Q̂ ≤ 2B`` gives the paper's ``½ η² B²`` again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...arithmetic import Array, absolute, exp, largest, log, smallest, sqrt, square, tilt, zeros
from ...axioms import Axiom, gibbs, given, hoeffding
from ...claims.case import Case, Hypothesis, Ingredient
from ...claims.claim import Claim, Kind, Line, at_most, equal, line
from ...claims.coordinates import Sizes
from ...claims.general import General
from ...claims.induction import Arbitrary, Summed
from ...claims.ingredients import Derived, GameData, Increments, PolicyData, PositiveScalar, PrefixTables
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...model.agents import remembered
from ...quantities.divergence import entropy_of
from ...quantities.update_errors import Update
from .section_4_convergence import ERGODIC, RUN
from .section_4_repaired import INDUCTION, Chain, descent, errors_of, sharp_errors, sharp_theorem, telescoped

SPREAD = "Σ_m log|A_m| + ⅛ Σ_{k,m} E_*(osc Q̂)²/β_k²"


@remembered
def _spread(update: Update, m: int) -> Array:
    """``osc Q̂``, shape ``[S, prefixes]``."""
    width: Array = largest(update.estimates[m - 1]) - smallest(update.estimates[m - 1])
    return width


def spread_cost(chain: Chain, rest: Summed, squares: Summed) -> Iterator[Line]:
    """``Σ E_*[η⟨Q̂, π_{k+1} - π_k⟩ - KL(π_{k+1}‖π_k)] ≤ ⅛ Σ η² E_*(osc Q̂)²``"""

    @remembered
    def aim(x: Update, m: int) -> Array:
        found: Array = x.eta * x.estimates[m - 1]
        return found

    def generating(x: Update, m: int) -> Array:
        own = x.policy.factors[m - 1]
        found: Array = log((own * exp(aim(x, m))).sum(-1)) - (own * aim(x, m)).sum(-1)
        return found

    yield at_most(
        "Σ_m log|A_m| + errors + Σ E_*[log E_{π_k} exp(Q̂/β_k) - E_{π_k} Q̂/β_k]",
        rest + chain.over(lambda x, m: x.along(m, generating(x, m))),
        because="KL(π_{k+1}‖π⁺) ≥ 0 for π⁺ ∝ π_k exp(Q̂/β_k)",
        axiom=chain.over(
            lambda x, m: chain.mean(m, gibbs(x.following.factors[m - 1], tilt(x.policy.factors[m - 1], aim(x, m))))
        ),
    )

    def bounded(x: Update, m: int) -> Axiom:
        return hoeffding(
            x.policy.factors[m - 1], x.estimates[m - 1], x.eta + zeros(x.estimates[m - 1].shape[:-1], x.eta)
        )

    yield at_most(
        "Σ_m log|A_m| + errors + ⅛ Σ E_*(osc Q̂)²/β_k²",
        rest + squares,
        because="Hoeffding's lemma at every (s, p)",
        axiom=chain.over(lambda x, m: chain.mean(m, bounded(x, m))),
    )


def spread_theorem(case: Case) -> Iterator[Line]:
    """Part (i) with ``⅛ E_*(osc Q̂)²`` for ``(N/2) B²``, and the sharp coefficients of the errors."""
    chain = Chain(case)
    yield from descent(chain)
    errors = errors_of(chain)
    yield from telescoped(chain, errors)
    logs = chain.run.fixed(entropy_of(case.game.action_sizes, case.system))
    squares: Summed = chain.over(lambda x, m: square(x.eta) * x.along(m, square(_spread(x, m))) / 8)
    yield from spread_cost(chain, logs + errors, squares)
    yield from sharp_errors(chain, logs + squares, SPREAD)


def _entropy(case: Case) -> Array:
    """``L = Σ_m log|A_m|``"""
    return entropy_of(case.game.action_sizes, case.system)


def _tuned(case: Case) -> Array:
    """``1/(β√K)`` for ``β = B √(N/(2L))``"""
    squared = 2 * _entropy(case) / (case.game.agents * case.sizes.steps)
    found: Array = sqrt(squared) / case.bound
    return found


def _within(case: Case) -> tuple[Array, str, Array]:
    """``B ≥ max |Q̂|``"""
    return case.bound, "≥", Chain(case).bound


IS_BOUND = Hypothesis("|Q̂| ≤ B along the run", _within)


def known_beta(case: Case) -> Iterator[Line]:
    """The sharp form divided by ``K/(β√K)``; then ``β L + N B²/(2β) = B √(2NL)`` at ``β = B √(N/(2L))``."""
    chain = Chain(case)
    steps, eta, limit = case.sizes.steps, case.eta, case.bound
    mean = 1 / (steps * eta)
    first, *rest = sharp_theorem(case)
    yield line("(1-γ)(J_* - 1/K Σ_k J_k)", first.value.numbers * mean)
    for entry in rest:
        yield replace(
            entry,
            expression=f"β/√K [{entry.expression}]",
            value=entry.value.numbers * mean,
            axiom=None if entry.axiom is None else mean * entry.axiom,
        )
    own, logs = chain.bound, _entropy(case)
    errors = rest[-1].value.numbers - logs - chain.game.agents * steps * square(eta * own) / 2
    yield at_most(
        "β (L + E)/√K + N B²/(2β√K), L = Σ_m log|A_m|, E = Σ_{k,m} [εW + √((φ^m)² - (φ^{m-1})²) ε̂/β_k]",
        mean * (logs + errors) + chain.game.agents * eta * square(limit) / 2,
        because="no estimate is larger than B",
        axiom=(chain.game.agents * eta * (limit + own) / 2) * given(IS_BOUND, case),
    )
    rate = limit * sqrt(2 * chain.game.agents * logs / steps)
    yield equal(
        "B √(2NL/K) (1 + E/(2L))",
        rate + rate * errors / (2 * logs),
        because="at β = B √(N/(2L)) both β L and N B²/(2β) are B √(NL/2)",
    )


def _setting(bound: Ingredient) -> Setting:
    return Setting(
        "a run with β_k = B √(NK/(2 Σ_m log|A_m|)), B known beforehand, against any comparator",
        (
            GameData(start=False, termination=False),
            PolicyData("target"),
            bound,
            Derived("eta", _tuned),
            PrefixTables("noise", -1, 1, moves=True),
            Increments("increments"),
            Arbitrary(PolicyData("policy", full_support=True)),
        ),
        (*ERGODIC, IS_BOUND),
        agents=(1, 2),
        states=(1, 2),
        steps=(1, 3),
        action_range=(2, 2),
    )


def _largest_value(case: Case) -> Array:
    """``max|r|/(1-γ) + 1``, which no estimate exceeds, as the critic's error is at most 1."""
    found: Array = largest(absolute(case.game.reward), (-2, -1)) / (1 - case.game.discount) + 1
    return found


CLAIMS = (
    Claim(
        "theorem-4.5/spread",
        "The repaired theorem with the spread of the estimates for their size",
        "Section 4.2, Theorem 4.5, repaired",
        RUN,
        spread_theorem,
        statement="as repaired-sharp, with ⅛ Σ_{k,m} E_*(max_a Q̂ - min_a Q̂)²/β_k² for (N/2) Σ_k B²/β_k²",
        transcendental=True,
        record=Standing.PROVED,
        kind=Kind.REPAIR,
        symbolic=INDUCTION,
    ),
    Claim(
        "theorem-4.5/known-beta",
        "A rate for a β that is known before the run",
        "Section 4.2, Theorem 4.5, repaired",
        _setting(Derived("bound", _largest_value)),
        known_beta,
        statement="(1-γ)(J_* - mean_k J_k) ≤ B √(2NL/K) (1 + E/(2L)) at β_k = B √(NK/(2L)), L = Σ_m log|A_m|, "
        "E the errors of repaired-sharp",
        transcendental=True,
        record=Standing.PROVED,
        note="The theorem's own β contains its errors, which contain β; this one needs only a bound B on |Q̂|.  All lines but "
        "the last two are those of repaired-sharp, which is proved for every K, divided by Kη; in symbols these are proved at "
        "K = 1 and 2.",
        symbolic=(Sizes(1, (2,), 1), Sizes(1, (2, 2), 1), Sizes(1, (2,), 2)),
        general=General(_setting(PositiveScalar("bound"))),
        kind=Kind.REPAIR,
    ),
)
