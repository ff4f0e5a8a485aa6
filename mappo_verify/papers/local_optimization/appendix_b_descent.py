"""Lemmas B.4, B.5 and B.6: what the errors of the fit and of the critic do, and the descent of one step."""

from __future__ import annotations

from collections.abc import Iterator

from ...arithmetic import Array, absolute, choose, contract, largest, like, log, smallest, sqrt, square, support, tilt
from ...axioms import (
    Axiom,
    above_smallest,
    cauchy_schwarz,
    inner_product_size,
    largest_square,
    nonnegative,
    pinsker,
    triangle,
)
from ...claims.case import Case
from ...claims.claim import Claim, Kind, Line, at_most, equal, line
from ...claims.coordinates import Sizes
from ...claims.ingredients import Distribution, GameData, LogOdds, PolicyData, PrefixTables
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...model.agents import split_last
from ...quantities.concentrability import density_ratio, squared_concentrability
from ...quantities.distributions import state_action_distribution, stationary_distribution
from ...quantities.divergence import kl_divergence, l1_distance, squared_norm
from ...quantities.mirror_descent import mirror_step
from ...quantities.update_errors import propagation_factor
from .common import own_actions
from .section_3_mirror_descent import SIMPLEX
from .section_4 import COVERED
from .section_4_repaired import spread_below_sum


def _shift(case: Case) -> Iterator[tuple[int, dict[str, Array]]]:
    """What Lemmas B.4 and B.5 weigh, agent by agent: errors, density ratios, distributions."""
    game, policy, target = case.game, case.policy, case.target
    nu, nu_target = (stationary_distribution(game, which) for which in (policy, target))
    for m in range(1, game.agents + 1):
        size = game.action_sizes[m - 1]
        yield (
            m,
            {
                "error": split_last(case.error[m - 1], size),
                "noise": split_last(case.noise[m - 1], size),
                "current": state_action_distribution(nu, policy, m - 1),
                "comparator": state_action_distribution(nu_target, target, m - 1),
                "ratio": density_ratio(nu, policy, nu_target, target, m - 1),
                "sigma": split_last(state_action_distribution(nu, policy, m), size),
                "below": squared_concentrability(nu, policy, nu_target, target, m - 1),
                "above": squared_concentrability(nu, policy, nu_target, target, m),
                "change": target.factors[m - 1] - policy.factors[m - 1],
                "shift": split_last(density_ratio(nu, policy, nu_target, target, m), size)
                - density_ratio(nu, policy, nu_target, target, m - 1)[..., None],
            },
        )


def _all(table: Array, axes: int) -> Array:
    summed: Array = table.sum(tuple(range(-axes, 0)))
    return summed


def _worst_error(m: int, x: dict[str, Array]) -> Iterator[Line]:
    """The part that the printed proof of Lemma B.4 and its repair share: change of measure, then Cauchy-Schwarz."""
    worst = largest(absolute(x["error"]))
    moved = _all(x["current"] * x["ratio"] * worst, 2)
    yield line(f"(E_{{ν_*,π_*}} ‖(θ_{{k+1}} - θ_k)ᵀφ - Q̂/β_k‖_∞)², m = {m}", square(_all(x["comparator"] * worst, 2)))
    yield equal(
        f"(E_{{ν_k,π_k}} w_{m - 1} ‖error‖_∞)²",
        square(moved),
        because=f"change of measure, w_{m - 1} = d(ν_*π_*)/d(ν_kπ_k)",
    )
    seen = choose(support(x["ratio"]), like(1, x["ratio"]), 0)
    yield at_most(
        f"(φ^{m - 1})² E_{{ν_k,π_k}} ‖error‖_∞² over what the comparator visits",
        x["below"] * _all(x["current"] * seen * square(worst), 2),
        because="Cauchy-Schwarz",
        axiom=cauchy_schwarz(x["current"], x["ratio"], seen * worst, (-2, -1)),
    )


def worst_error(case: Case) -> Iterator[Line]:
    """The printed Lemma B.4, squared: ``(E_* ‖error‖_∞)² ≤ (φ^{m-1} ε)²``."""
    for m, x in _shift(case):
        yield from _worst_error(m, x)
        yield at_most(
            f"(φ^{m - 1} ε)², ε² = E_{{σ_k}} error²",
            x["below"] * squared_norm(x["error"], x["sigma"], 3),
            because="as printed: the largest error over a^m is taken for its mean under π_k^m",
        )


def worst_error_doubled(case: Case) -> Iterator[Line]:
    """The same with the factor 2 of δ = 2φε to spare."""
    for m, x in _shift(case):
        yield from _worst_error(m, x)
        yield at_most(
            f"(2φ^{m - 1} ε)²",
            4 * x["below"] * squared_norm(x["error"], x["sigma"], 3),
            because="the claim that δ leaves enough room",
        )


def worst_error_repaired(case: Case) -> Iterator[Line]:
    """With ``1/√min π_k^m`` over what the comparator visits: there an error at an action of probability p counts √p."""
    for m, x in _shift(case):
        yield from _worst_error(m, x)
        factor, below = case.policy.factors[m - 1], x["below"]
        visited = choose(support(x["ratio"]), like(1, x["ratio"]), 0)
        weights = x["current"] * visited
        kept = choose(support(x["ratio"])[..., None], factor, 1)
        least = smallest(kept, (-3, -2, -1))
        squares_of = square(x["error"])
        yield at_most(
            f"(φ^{m - 1})² E_{{ν_k,π_k}} Σ_a error(a)² over what the comparator visits",
            below * _all(weights * squares_of.sum(-1), 2),
            because="the largest square is one of the terms",
            axiom=below * (weights * largest_square(x["error"])).sum((-2, -1)),
        )
        yield at_most(
            f"(φ^{m - 1})² E_{{ν_k,π_k}} E_{{π_k^{m}}} error² / min π_k^{m} over what the comparator visits",
            below * _all(weights[..., None] * kept * squares_of, 3) / least,
            because=f"min π_k^{m} ≤ π_k^{m}(a)",
            axiom=below
            * (1 / least)
            * ((weights[..., None] * squares_of) * above_smallest(kept, (-3, -2, -1))).sum((-3, -2, -1)),
        )
        unvisited = x["current"] * (1 - visited)
        yield at_most(
            f"(φ^{m - 1} ε)² / min π_k^{m}",
            below * squared_norm(x["error"], x["sigma"], 3) / least,
            because="what the comparator does not visit adds terms ≥ 0",
            axiom=below * (1 / least) * nonnegative(unvisited[..., None] * factor * squares_of).sum((-3, -2, -1)),
        )


def _weighed(x: dict[str, Array], part: str) -> tuple[Array, Array]:
    """``E_* ⟨f, π_* - π_k⟩``, and the same as ``Σ σ_k f (w_m - w_{m-1})``."""
    inner = _all(x["comparator"][..., None] * x[part] * x["change"], 3)
    return inner, _all(x["sigma"] * x[part] * x["shift"], 3)


def _norm(x: dict[str, Array], part: str) -> Array:
    return sqrt(squared_norm(x[part], x["sigma"], 3))


def _cauchy(x: dict[str, Array], part: str) -> Axiom:
    """``‖f‖ ‖w_m - w_{m-1}‖ - |Σ σ f (w_m - w_{m-1})| ≥ 0``"""
    return inner_product_size(x["sigma"], x[part], x["shift"], (-3, -2, -1))


MEASURE = "change of measure: σ_k w_m = ν_*π_*^{1:m} and σ_k w_{m-1} = ν_*π_*^{1:m-1} π_k^m"


def error_propagation(case: Case) -> Iterator[Line]:
    """Lemma B.5: what the fit's error and the critic's error do to the ascent direction."""
    for m, x in _shift(case):
        (fit, moved_fit), (critic, moved_critic) = (_weighed(x, part) for part in ("error", "noise"))
        epsilon, epsilon_hat = (_norm(x, part) for part in ("error", "noise"))
        yield line(f"|E_* ⟨log(π⁺/π_{{θ_{{k+1}}}}), π_*^{m} - π_k^{m}⟩|", absolute(fit + critic))
        yield at_most(
            "|(a)| + |(b)|, the parts of the fit and of the critic",
            absolute(fit) + absolute(critic),
            because="log(π⁺/π_{θ_{k+1}}) = -(fit error + critic error/β_k) up to a constant; triangle inequality",
            axiom=triangle(fit, critic),
        )
        yield equal(
            f"|Σ σ_k (w_{m} - w_{m - 1}) e| + |Σ σ_k (w_{m} - w_{m - 1}) c/β_k|",
            absolute(moved_fit) + absolute(moved_critic),
            because=MEASURE,
        )
        distance = _norm(x, "shift")
        yield at_most(
            f"‖w_{m} - w_{m - 1}‖_{{2,σ_k}} ε + |Σ σ_k (w_{m} - w_{m - 1}) c/β_k|",
            distance * epsilon + absolute(moved_critic),
            because="Cauchy-Schwarz under σ_k",
            axiom=_cauchy(x, "error"),
        )
        yield at_most(
            f"‖w_{m} - w_{m - 1}‖_{{2,σ_k}} (ε + ε̂/β_k)",
            distance * epsilon + distance * epsilon_hat,
            because="Cauchy-Schwarz under σ_k",
            axiom=_cauchy(x, "noise"),
        )
        yield from _in_concentrability(m, x, epsilon + epsilon_hat, "(ε + ε̂/β_k)")


def _in_concentrability(m: int, x: dict[str, Array], size: Array, name: str) -> Iterator[Line]:
    """``‖w_m - w_{m-1}‖`` by Definition 4.4, and below what the paper prints."""
    yield equal(
        f"√((φ^{m})² - (φ^{m - 1})²) {name}",
        sqrt(x["above"] - x["below"]) * size,
        because="definition-4.4: ‖w_m - w_{m-1}‖² = (φ^m)² - (φ^{m-1})²",
    )
    yield at_most(
        f"√2 (φ^{m} + φ^{m - 1}) {name}",
        propagation_factor(sqrt(x["above"]), sqrt(x["below"])) * size,
        because="(x + y)(x + 3y) ≥ 0, so x² - y² ≤ 2(x + y)², and the root is monotone",
        axiom=size * spread_below_sum(x["above"], x["below"]),
    )


def _part(case: Case, part: str, name: str, size: str) -> Iterator[Line]:
    """One part of Lemma B.5 as printed, through its sharp form."""
    for m, x in _shift(case):
        inner, moved = _weighed(x, part)
        yield line(f"|{name}| = |E_* ⟨{part}, π_*^{m} - π_k^{m}⟩|", absolute(inner))
        yield equal(f"|Σ σ_k (w_{m} - w_{m - 1}) {part}|", absolute(moved), because=MEASURE)
        yield at_most(
            f"‖w_{m} - w_{m - 1}‖_{{2,σ_k}} {size}",
            _norm(x, "shift") * _norm(x, part),
            because="Cauchy-Schwarz under σ_k",
            axiom=_cauchy(x, part),
        )
        yield from _in_concentrability(m, x, _norm(x, part), size)


def fit_part(case: Case) -> Iterator[Line]:
    """Part (a): what the fit's error does."""
    yield from _part(case, "error", "(a)", "ε")


def critic_part(case: Case) -> Iterator[Line]:
    """Part (b): what the critic's error does."""
    yield from _part(case, "noise", "(b)", "ε̂/β_k")


def error_propagation_sharp(case: Case) -> Iterator[Line]:
    """The sharp forms of parts (a) and (b), squared, so that they are decided in rationals."""
    for m, x in _shift(case):
        for part, name, size in (("error", "(a)", "ε²"), ("noise", "(b)", "(ε̂/β_k)²")):
            inner, moved = _weighed(x, part)
            squared = squared_norm(x[part], x["sigma"], 3)
            yield line(f"{name}² = (E_* ⟨{part}, π_*^{m} - π_k^{m}⟩)²", square(inner))
            yield equal(f"(Σ σ_k (w_{m} - w_{m - 1}) {part})²", square(moved), because=MEASURE)
            yield at_most(
                f"‖w_{m} - w_{m - 1}‖² {size} under σ_k",
                squared_norm(x["shift"], x["sigma"], 3) * squared,
                because="Cauchy-Schwarz",
                axiom=cauchy_schwarz(x["sigma"], x[part], x["shift"], (-3, -2, -1)),
            )
            yield equal(
                f"((φ^{m})² - (φ^{m - 1})²) {size}",
                (x["above"] - x["below"]) * squared,
                because="definition-4.4: ‖w_m - w_{m-1}‖² = (φ^m)² - (φ^{m-1})²",
            )


def one_step_descent(case: Case) -> Iterator[Line]:
    """Lemma B.6: an identity for any two steps, then Pinsker's inequality."""
    policy, target, step, beta = case.policy, case.target, case.step, case.beta
    moved, ideal = tilt(policy, step), mirror_step(policy, case.values, beta)
    advantage = case.values - (case.values * policy).sum(-1)[..., None]

    def inner(table: Array, direction: Array) -> Array:
        return contract("...a,...a->...", table, direction)

    rest = (
        -inner(log(moved / ideal), target - policy)
        - inner(advantage, target - policy) / beta
        - inner(step, policy - moved)
    )
    yield line("KL(π_*‖π_{k+1}) - KL(π_*‖π_k)", kl_divergence(target, moved) - kl_divergence(target, policy))
    yield equal(
        "⟨log(π_k/π_{k+1}), π_*⟩",
        inner(log(policy / moved), target),
        because="the entropy of π_* cancels",
    )
    yield equal(
        "-⟨log(π_{k+1}/π⁺), π_* - π_k⟩ - ⟨A, π_* - π_k⟩/β - ⟨(θ_{k+1} - θ_k)ᵀφ, π_k - π_{k+1}⟩ - KL(π_{k+1}‖π_k)",
        rest - kl_divergence(moved, policy),
        because="log π_{k+1} - log π_k = (θ_{k+1} - θ_k)ᵀφ and log π⁺ - log π_k = Q/β, up to constants in a",
    )
    yield at_most(
        "the same with -½‖π_{k+1} - π_k‖₁² in place of -KL(π_{k+1}‖π_k)",
        lambda: rest - square(l1_distance(moved, policy)) / 2,
        because="KL ≥ ½‖·‖₁²",
        axiom=pinsker(moved, policy),
    )


SHIFTED = Setting(
    "a game without termination, a comparator, a covering policy, errors of the fit and of the critic",
    (
        GameData(start=False, termination=False),
        PolicyData("target"),
        PolicyData("policy", full_support=True),
        PrefixTables("error"),
        PrefixTables("noise"),
    ),
    COVERED.hypotheses,
    states=(1, 2),
)


COVERING = (Sizes(1, (2,)), Sizes(1, (2, 2)), Sizes(2, (1,)))
"""Sizes at which the lemmas on errors are proved."""

STEP = Setting(
    "two steps from one policy: the ideal one and any other",
    (*SIMPLEX.ingredients[:3], LogOdds("step", own_actions), Distribution("target", own_actions)),
    agents=(1, 1),
    states=(1, 1),
    action_range=(1, 4),
)

CLAIMS = (
    Claim(
        "lemma-b.4",
        "The largest error over actions is at most the concentrability times the mean squared error",
        "Appendix B, Lemma B.4",
        SHIFTED,
        worst_error,
        statement="E_{ν_*,π_*^{1:m-1}} ‖(θ_{k+1} - θ_k)ᵀφ - Q̂/β_k‖_∞ ≤ φ_k^{m-1} ε_k^m",
        record=Standing.REFUTED,
        note="No constant helps: an error M at an action of probability p counts as √p M.",
        repaired_by="lemma-b.4/repaired",
    ),
    Claim(
        "lemma-b.4/factor-two",
        "The largest error over actions against the mean squared error, with the factor 2 of δ = 2φε",
        "Appendix B, Lemma B.4",
        SHIFTED,
        worst_error_doubled,
        statement="E_{ν_*,π_*^{1:m-1}} ‖(θ_{k+1} - θ_k)ᵀφ - Q̂/β_k‖_∞ ≤ 2 φ_k^{m-1} ε_k^m",
        record=Standing.REFUTED,
        repaired_by="lemma-b.4/repaired",
        kind=Kind.READING,
    ),
    Claim(
        "lemma-b.4/repaired",
        "With 1/√min π_k over what the comparator visits",
        "Appendix B, Lemma B.4, repaired",
        SHIFTED,
        worst_error_repaired,
        statement="E_{ν_*,π_*^{1:m-1}} ‖(θ_{k+1} - θ_k)ᵀφ - Q̂/β_k‖_∞ ≤ φ_k^{m-1} ε_k^m / √min π_k^m",
        record=Standing.PROVED,
        symbolic=COVERING,
        kind=Kind.REPAIR,
    ),
    Claim(
        "lemma-b.5",
        "Error propagation, through the sharp form",
        "Appendix B, Lemma B.5",
        SHIFTED,
        error_propagation,
        statement="|E_* ⟨log(π⁺/π_{θ_{k+1}}), π_*^m - π_k^m⟩| ≤ √2 (φ^m + φ^{m-1}) (ε + ε̂/β_k)",
        transcendental=True,
        record=Standing.PROVED,
        symbolic=COVERING,
    ),
    Claim(
        "lemma-b.5/a",
        "Error propagation, the part of the fit",
        "Appendix B, Lemma B.5, part (a)",
        SHIFTED,
        fit_part,
        statement="|E_* ⟨(θ_{k+1} - θ_k)ᵀφ - Q̂/β_k, π_*^m - π_k^m⟩| ≤ √2 (φ^m + φ^{m-1}) ε",
        transcendental=True,
        record=Standing.PROVED,
        symbolic=COVERING,
    ),
    Claim(
        "lemma-b.5/b",
        "Error propagation, the part of the critic",
        "Appendix B, Lemma B.5, part (b)",
        SHIFTED,
        critic_part,
        statement="|E_* ⟨(Q̂ - Q)/β_k, π_*^m - π_k^m⟩| ≤ √2 (φ^m + φ^{m-1}) ε̂/β_k",
        transcendental=True,
        record=Standing.PROVED,
        symbolic=COVERING,
    ),
    Claim(
        "lemma-b.5/sharp",
        "Parts (a) and (b) with the sharp coefficient",
        "Appendix B, Lemma B.5, sharpened",
        SHIFTED,
        error_propagation_sharp,
        statement="(a)² ≤ ((φ^m)² - (φ^{m-1})²) ε² and (b)² ≤ ((φ^m)² - (φ^{m-1})²) (ε̂/β_k)²",
        record=Standing.PROVED,
        symbolic=COVERING,
        points=(Sizes(2, (2,)), Sizes(2, (2, 2))),
        kind=Kind.BEYOND,
    ),
    Claim(
        "lemma-b.6",
        "One-step descent",
        "Appendix B, Lemma B.6",
        STEP,
        one_step_descent,
        statement="KL(π_*‖π_{k+1}) - KL(π_*‖π_k) ≤ -⟨log(π_{k+1}/π⁺), π_* - π_k⟩ - ⟨A, π_* - π_k⟩/β"
        " - ⟨(θ_{k+1} - θ_k)ᵀφ, π_k - π_{k+1}⟩"
        " - ½‖π_{k+1} - π_k‖₁²",
        record=Standing.PROVED,
        symbolic=tuple(Sizes(1, (k,)) for k in (1, 2, 3)),
    ),
)
