"""Appendix B: the advantage decomposition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise, permutations

import numpy as np

from ...arithmetic import (
    Array,
    Truth,
    absolute,
    compare,
    contract,
    divide,
    largest,
    lift,
    like,
    log,
    select,
    smallest,
    sqrt,
    square,
    support,
    tilt,
)
from ...claims.case import Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, at_most, equal, line
from ...claims.coordinates import Sizes
from ...claims.ingredients import Distribution, GameData, LogOdds, PolicyData, PositiveScalar, PrefixTables, Table
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...model.agents import split_last
from ...quantities import stochastic_gradient
from ...quantities.agent_values import (
    Reading,
    agent_advantages,
    agent_values,
    conditional_marginal,
    defined_at,
    subset_average,
)
from ...quantities.concentrability import density_ratio, squared_concentrability
from ...quantities.distributions import state_action_distribution, stationary_distribution
from ...quantities.divergence import kl_divergence, l1_distance, squared_norm
from ...quantities.mirror_descent import mirror_step
from ...quantities.stochastic_gradient import (
    Averaging,
    average_of_path,
    default_step,
    mean_function,
    path_chances,
    path_digits,
    sample_paths,
    squared_gradient,
    squared_loss,
    squared_paths,
)
from ...quantities.update_errors import propagation_factor
from ...quantities.values import action_values
from .common import own_actions, total
from .section_3 import GAME_AND_POLICY, GAME_AND_PRODUCT_POLICY, ONE_BY_TWO, SIMPLEX, TWO_BY_TWO, flat_core, subsets_of
from .section_4 import COVERED

READINGS: tuple[Reading, ...] = ("conditioning", "intervention")


def telescoping(case: Case) -> Iterator[Line]:
    """``A^P = Σ A^i`` along every order of every subset ``P``, in both readings; first the paper's own order."""
    game, policy = case.game, case.policy
    values, advantages = agent_values(game, policy), agent_advantages(game, policy)
    for m in range(1, game.agents + 1):
        yield line(f"A^{{1:{m}}}(s, a^{{1:{m}}}) = Q^{{1:{m}}} - V", values[m] - values[0])
        yield equal(
            f"Σ_{{i≤{m}}} A^i(s, a^{{1:i-1}}, a^i)",
            _sum_along_prefix(advantages[:m]),
            because="the sum telescopes: each Q^{1:i} enters once with either sign",
        )
    table = action_values(game, policy)
    for reading in READINGS:
        averages = {kept: subset_average(table, policy, kept, reading) for kept in subsets_of(game.agents)}
        defined = {kept: defined_at(policy, kept, reading) for kept in averages}
        for kept in averages:
            for order in permutations(kept):
                if len(order) > 1 and order != tuple(range(1, len(order) + 1)):
                    yield from _telescope(case, reading, order, averages, defined)


def _sum_along_prefix(advantages: tuple[Array, ...]) -> Array:
    """Σ_i A^i, each repeated along the actions of the later agents."""
    width = advantages[-1].shape[-1]
    return total([np.repeat(advantage, width // advantage.shape[-1], axis=-1) for advantage in advantages])


def _telescope(
    case: Case,
    reading: Reading,
    order: tuple[int, ...],
    averages: dict[tuple[int, ...], Array],
    defined: dict[tuple[int, ...], Array],
) -> Iterator[Line]:
    name = ", ".join(map(str, order))
    steps = [tuple(sorted(order[:k])) for k in range(len(order) + 1)]
    where = np.ones((1,), bool)
    for step in steps:
        where = where & defined[step]
    parts = total([averages[after] - averages[before] for before, after in pairwise(steps)])
    whole = averages[steps[-1]] - averages[steps[0]]
    yield line(f"A^P(s, a^P), agents in the order {name}, {reading}", flat_core(case, whole))
    yield equal(
        "Σ_i A^i(s, a^{those before i}, a^i)",
        flat_core(case, np.broadcast_to(parts, whole.shape)),
        because="the sum telescopes along any order",
        where=flat_core(case, np.broadcast_to(where, whole.shape)),
    )


def zero_mean(case: Case) -> Iterator[Line]:
    """``Σ_a π^m(a|s, p) A^m(s, p, a) = 0`` on prefixes."""
    for m, (advantage, factor) in enumerate(
        zip(agent_advantages(case.game, case.policy), case.policy.factors, strict=False), start=1
    ):
        rows = split_last(advantage, factor.shape[-1])
        yield line(f"Σ_a π^{m}(a|s, p) A^{m}(s, p, a)", np.asarray((rows * factor).sum(-1)))
        yield equal("0", like(0, advantage), because=f"Q^{{1:{m - 1}}} is the π^{m}-average of Q^{{1:{m}}}")


def _zero_mean_of_subsets(case: Case, reading: Reading) -> Iterator[Line]:
    """``Σ_{a^{P'}} w(a^{P'} | s, a^P) A^{P'}(s, a^P, a^{P'}) = 0`` for all disjoint ``P``, ``P'``, in one reading."""
    game, policy = case.game, case.policy
    table = action_values(game, policy)
    averages = {kept: subset_average(table, policy, kept, reading) for kept in subsets_of(game.agents)}
    for given in averages:
        for chosen in averages:
            if not chosen or set(given) & set(chosen):
                continue
            both = tuple(sorted(given + chosen))
            weights = conditional_marginal(policy, given, chosen, reading)
            axes = tuple(agent - 1 - game.agents for agent in chosen)
            mean = np.asarray((weights * (averages[both] - averages[given])).sum(axis=axes, keepdims=True))
            label = f"P = {set(given) or '{}'}, P' = {set(chosen)}"
            # Conditioning on both is needed at every a^P' that has weight; a prefix P is defined even where π(a^P|s) = 0.
            known = defined_at(policy, both, reading) | ~support(np.broadcast_to(weights, averages[both].shape))
            where = defined_at(policy, given, reading) & known.all(axis=axes, keepdims=True)
            yield line(
                f"Σ π(a^P'|s, a^P) A^P'(s, a^P, a^P'), {label}", flat_core(case, mean), where=flat_core(case, where)
            )
            yield equal("0", like(0, table), because=f"the tower property under {reading}")


def zero_mean_conditioning(case: Case) -> Iterator[Line]:
    """The mean under Bayes' weights."""
    yield from _zero_mean_of_subsets(case, "conditioning")


def zero_mean_intervention(case: Case) -> Iterator[Line]:
    """The mean under the weights of the intervention."""
    yield from _zero_mean_of_subsets(case, "intervention")


def _small(setting: Setting) -> Setting:
    """At most three agents: the number of orders grows like N!."""
    return Setting(setting.name, setting.ingredients, setting.hypotheses, agents=(1, 3), states=(1, 2), max_agents=4)


# --- Lemma B.1 --------------------------------------------------------------------------------------------------------


def _descent(case: Case, averaging: Averaging, pathwise: bool) -> Iterator[Line]:
    """``F(θ̄) - F(u) ≤ GR/√T`` for every ``u`` in the ball, with ``θ̄`` the mean of ``θ(0..T-1)``, or ``θ(1..T)`` as printed."""
    steps, slopes, offsets, chances = case.sizes.steps, case.slopes, case.offsets, case.chances
    radius = like(1, slopes)
    steepest = sqrt(largest(np.asarray(square(slopes).sum(-1)), (-2, -1)))
    root = sqrt(like(steps, slopes))
    points = sample_paths(slopes, offsets, radius, default_step(radius, steepest, steps), steps)
    mean = average_of_path(iter(np.moveaxis(points, -2, 0)), steps, averaging)
    rival = _in_ball(case.rival, np.broadcast_to(radius, case.batch_shape))[..., None, :]
    gap = mean_function(slopes, offsets, chances, mean) - mean_function(slopes, offsets, chances, rival)
    first = 0 if averaging == "analysed" else 1
    which = f"θ̄ the mean of θ({first}), ..., θ({first + steps - 1})"
    bound = steepest * radius / root
    reason = "the standard regret bound of projected subgradient descent"
    if pathwise:
        yield line(f"F(θ̄) - F(u) on every sample path, {which}", gap)
        yield at_most("GR/√T", lift(bound, 1), because=reason + ", read path by path")
    else:
        expected = np.asarray((path_chances(chances, steps) * gap).sum(-1))
        yield line(f"E F(θ̄) - F(u), {which}", expected)
        yield at_most("GR/√T", bound, because=reason + " with unbiased subgradients")


def descent_in_expectation(case: Case) -> Iterator[Line]:
    """In expectation, averaging θ(0), ..., θ(T-1)."""
    yield from _descent(case, "analysed", pathwise=False)


def descent_path_by_path(case: Case) -> Iterator[Line]:
    """The reading that every output satisfies the bound."""
    yield from _descent(case, "analysed", pathwise=True)


def descent_printed_range(case: Case) -> Iterator[Line]:
    """In expectation, averaging θ(1), ..., θ(T), as Algorithm 3 prints."""
    yield from _descent(case, "printed", pathwise=False)


def _descends(case: Case) -> Truth:
    """Some slope is not 0, so that G > 0."""
    return compare(largest(absolute(case.slopes), (-3, -2, -1)), ">", like(0, case.slopes))


def _sgd(steps: tuple[int, ...], dimensions: tuple[int, int], functions: tuple[int, int], offset: int = 9) -> Setting:
    """``states`` is the dimension, ``actions`` the number of functions, ``steps`` is T."""
    return Setting(
        "a mean of piecewise linear functions, a rival point; states is the dimension, actions the functions, steps T",
        (
            Table("slopes", lambda sizes: (sizes.actions[0], 2, sizes.states), -9, 9),
            Table("offsets", lambda sizes: (sizes.actions[0], 2), -offset, offset, scale=9),
            Distribution("chances", own_actions, full_support=True),
            Table("rival", lambda sizes: (sizes.states,), -9, 9),
        ),
        (Hypothesis("some slope is not 0", _descends),),
        agents=(1, 1),
        states=dimensions,
        steps=steps,
        action_range=functions,
    )


# --- Lemma B.2 and B.4 to B.6 -----------------------------------------------------------------------------------------


def _gradient(case: Case, name: str, limit: Callable[[Array, Array, Array], Array]) -> Iterator[Line]:
    """``‖2((θ - θ_k)ᵀφ - Q̂/β)φ‖² ≤ G²`` for ``‖θ‖, ‖θ_k‖ ≤ R``, ``‖φ‖ ≤ 1``, ``|Q̂| ≤ B``; ``name`` is R or 2R in ``G``."""
    radius, bound, beta = case.radius, case.bound, case.beta
    theta, anchor = _in_ball(case.theta, radius), _in_ball(case.anchor, radius)
    features = _in_ball(case.features, like(1, radius))
    residual = np.asarray(((theta - anchor) * features).sum(-1)) - bound * case.share / beta
    norm = 4 * square(residual) * np.asarray(square(features).sum(-1))
    yield line("‖∇‖² of one sample, ∇ = 2((θ - θ_k)ᵀφ - Q̂/β) φ", norm)
    yield at_most("(2|(θ - θ_k)ᵀφ - Q̂/β|)²", 4 * square(residual), because="features have norm at most 1: ‖φ‖ ≤ 1")
    yield at_most(
        f"(2({name} + B/β))²",
        square(limit(radius, bound, beta)),
        because="Cauchy-Schwarz, with ‖θ - θ_k‖ ≤ " + name + " and |Q̂| ≤ B",
    )


def _in_ball(weights: Array, radius: Array) -> Array:
    """Rational vectors inside a ball: ``radius · w / Σ|w|``, since the 2-norm is at most the 1-norm; 0 stays 0."""
    size = np.asarray(absolute(weights).sum(-1, keepdims=True))
    return np.asarray(lift(radius, 1) * divide(weights, size))


def gradient_bound_printed(case: Case) -> Iterator[Line]:
    """The printed bound, with ``R`` for ``‖θ - θ_k‖``."""
    yield from _gradient(case, "R", stochastic_gradient.printed_gradient_bound)


def gradient_bound(case: Case) -> Iterator[Line]:
    """The bound with ``2R``, which two points of one ball can be apart."""
    yield from _gradient(case, "2R", stochastic_gradient.gradient_bound)


def fit_rate(case: Case) -> Iterator[Line]:
    """Algorithm 3: ``E L(θ̄) - L(u) ≤ GR/√T`` for every ``u`` in the ball, hence ``E ε' ≤ √L(u) + √(GR) T^{-1/4}``."""
    steps, radius, bound, chances = case.sizes.steps, case.radius, case.bound, case.chances
    features, anchor = _in_ball(case.features, like(1, radius)), _in_ball(case.anchor, radius)
    targets = contract("...nd,...d->...n", features, anchor) + lift(bound / case.beta, 1) * case.share
    steepest = stochastic_gradient.gradient_bound(radius, bound, case.beta)
    step_size = default_step(radius, steepest, steps)
    points, odds = squared_paths(features, targets, radius, step_size, steps), path_chances(chances, steps)
    mean = average_of_path(iter(np.moveaxis(points, -2, 0)), steps, "analysed")
    rival = _in_ball(case.rival, radius)

    def expected(values: Array) -> Array:
        return np.asarray((odds * values).sum(-1))

    reached = squared_loss(features, targets, chances, mean)
    best = squared_loss(features, targets, chances, rival[..., None, :])[..., 0]
    gradients = [
        squared_gradient(features, targets, points[..., t, :], chosen)
        for t, chosen in enumerate(path_digits(features.shape[-2], steps).T)
    ]
    sizes = total([expected(np.asarray(square(g).sum(-1))) for g in gradients])
    rate = steepest * radius / sqrt(like(steps, radius))
    yield line("E L(θ̄) - L(u), θ̄ the mean of θ(0), ..., θ(T-1)", expected(reached) - best)
    yield at_most(
        "[‖u‖² + η² Σ_t E‖g_t‖²]/(2ηT)",
        (np.asarray(square(rival).sum(-1)) + square(step_size) * sizes) / (2 * step_size * steps),
        because="lemma-b.1/expectation: L is convex, E g_t is its gradient, and Π_R takes no point further from u",
    )
    yield at_most(
        "R²/(2ηT) + ηG²/2",
        square(radius) / (2 * step_size * steps) + step_size * square(steepest) / 2,
        because="‖u‖ ≤ R, and ‖g_t‖ ≤ G = 2(2R + B/β) by lemma-b.2/gradient-bound",
    )
    yield equal("GR/√T", rate, because="η = R/(G√T)")
    yield line("E ε', ε'² = L(θ̄)", expected(sqrt(reached)))
    yield at_most("√(L(u) + GR/√T)", sqrt(best + rate), because="Jensen: E ε' ≤ √(E ε'²); then the chain above")
    yield at_most(
        "√L(u) + √(GR) T^{-1/4}", sqrt(best) + sqrt(rate), because="√(x + y) ≤ √x + √y; u may be the best in the ball"
    )


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
                "here": state_action_distribution(nu, policy, m - 1),
                "there": state_action_distribution(nu_target, target, m - 1),
                "ratio": density_ratio(nu, policy, nu_target, target, m - 1),
                "sigma": split_last(state_action_distribution(nu, policy, m), size),
                "below": squared_concentrability(nu, policy, nu_target, target, m - 1),
                "above": squared_concentrability(nu, policy, nu_target, target, m),
                "change": target.factors[m - 1] - policy.factors[m - 1],
            },
        )


def _all(table: Array, axes: int) -> Array:
    return np.asarray(table.sum(tuple(range(-axes, 0))))


def _worst_error(m: int, x: dict[str, Array]) -> Iterator[Line]:
    """The part that the printed proof of Lemma B.4 and its repair share: change of measure, then Cauchy-Schwarz."""
    worst = largest(absolute(x["error"]))
    moved = _all(x["here"] * x["ratio"] * worst, 2)
    yield line(f"(E_{{ν_*,π_*}} ‖(θ_{{k+1}} - θ_k)ᵀφ - Q̂/β_k‖_∞)², m = {m}", square(_all(x["there"] * worst, 2)))
    yield equal(
        f"(E_{{ν_k,π_k}} w_{m - 1} ‖error‖_∞)²",
        square(moved),
        because=f"change of measure, w_{m - 1} = d(ν_*π_*)/d(ν_kπ_k)",
    )
    seen = like(support(x["ratio"]).astype(int), x["ratio"])
    yield at_most(
        f"(φ^{m - 1})² E_{{ν_k,π_k}} ‖error‖_∞² over what the comparator visits",
        x["below"] * _all(x["here"] * seen * square(worst), 2),
        because="Cauchy-Schwarz",
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
    """With ``1/√min π_k^m`` over what the comparator visits: an action of probability p hides an error at the price √p."""
    for m, x in _shift(case):
        yield from _worst_error(m, x)
        factor = case.policy.factors[m - 1]
        visited = np.broadcast_to(support(x["ratio"])[..., None], factor.shape)
        least = smallest(select(visited, factor, like(1, factor)), (-3, -2, -1))
        yield at_most(
            f"(φ^{m - 1} ε)² / min π_k^{m}",
            x["below"] * squared_norm(x["error"], x["sigma"], 3) / least,
            because="max_a e(a)² ≤ Σ_a e(a)² ≤ E_{π_k} e² / min_a π_k(a)",
        )


def error_propagation(case: Case) -> Iterator[Line]:
    """Lemma B.5: what the fit's error and the critic's error do to the ascent direction."""
    for m, x in _shift(case):
        fit, critic = (_all(x["there"][..., None] * x[part] * x["change"], 3) for part in ("error", "noise"))
        size = sqrt(squared_norm(x["error"], x["sigma"], 3)) + sqrt(squared_norm(x["noise"], x["sigma"], 3))
        yield line(f"|E_* ⟨log(π⁺/π_{{θ_{{k+1}}}}), π_*^{m} - π_k^{m}⟩|", absolute(fit + critic))
        yield at_most(
            "|(a)| + |(b)|, the parts of the fit and of the critic",
            absolute(fit) + absolute(critic),
            because="log(π⁺/π_{θ_{k+1}}) = -(fit error + critic error/β_k) up to a constant; triangle inequality",
        )
        yield at_most(
            f"√((φ^{m})² - (φ^{m - 1})²) (ε + ε̂/β_k)",
            sqrt(x["above"] - x["below"]) * size,
            because="Cauchy-Schwarz with the weight w_m - w_{m-1}, whose squared norm is (φ^m)² - (φ^{m-1})² by definition-4.4",
        )
        yield at_most(
            f"√2 (φ^{m} + φ^{m - 1}) (ε + ε̂/β_k)",
            propagation_factor(sqrt(x["above"]), sqrt(x["below"])) * size,
            because="a² - b² ≤ 2(a + b)²",
        )


def _part(case: Case, part: str, name: str, size: str) -> Iterator[Line]:
    """One part of Lemma B.5 as printed, through its sharp form."""
    for m, x in _shift(case):
        norm = sqrt(squared_norm(x[part], x["sigma"], 3))
        inner = _all(x["there"][..., None] * x[part] * x["change"], 3)
        yield line(f"|{name}| = |E_* ⟨{part}, π_*^{m} - π_k^{m}⟩|", absolute(inner))
        yield at_most(
            f"√((φ^{m})² - (φ^{m - 1})²) {size}",
            sqrt(x["above"] - x["below"]) * norm,
            because="lemma-b.5/sharp, the root of it",
        )
        yield at_most(
            f"√2 (φ^{m} + φ^{m - 1}) {size}",
            propagation_factor(sqrt(x["above"]), sqrt(x["below"])) * norm,
            because="a² - b² ≤ 2(a + b)²",
        )


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
            inner = _all(x["there"][..., None] * x[part] * x["change"], 3)
            yield line(f"{name}² = (E_* ⟨{part}, π_*^{m} - π_k^{m}⟩)²", square(inner))
            yield at_most(
                f"((φ^{m})² - (φ^{m - 1})²) {size}",
                (x["above"] - x["below"]) * squared_norm(x[part], x["sigma"], 3),
                because="Cauchy-Schwarz with the weight w_m - w_{m-1}; definition-4.4",
            )


def one_step_descent(case: Case) -> Iterator[Line]:
    """Lemma B.6: an identity for any two steps, then Pinsker's inequality."""
    policy, target, step, beta = case.policy, case.target, case.step, case.beta
    moved, ideal = tilt(policy, step), mirror_step(policy, case.values, beta)
    advantage = case.values - np.asarray((case.values * policy).sum(-1))[..., None]

    def inner(table: Array, direction: Array) -> Array:
        return np.asarray((table * direction).sum(-1))

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
        axiom="Pinsker",
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
GRADIENTS = Setting(
    "parameters of norm at most R, features of norm at most 1, values at most B",
    (
        PositiveScalar("radius"),
        PositiveScalar("bound"),
        PositiveScalar("beta"),
        Table("theta", own_actions, -9, 9),
        Table("anchor", own_actions, -9, 9),
        Table("features", own_actions, -9, 9),
        Table("share", lambda _: (), -9, 9, scale=9),
    ),
    agents=(1, 1),
    states=(1, 1),
    action_range=(1, 3),
)
FITS = Setting(
    "a least-squares problem in the bounds of Lemma B.2, a rival point; states is the dimension, actions the samples, steps T",
    (
        PositiveScalar("radius"),
        PositiveScalar("bound"),
        PositiveScalar("beta"),
        Table("features", lambda sizes: (sizes.actions[0], sizes.states), -9, 9),
        Table("share", own_actions, -9, 9, scale=9),
        Table("anchor", lambda sizes: (sizes.states,), -9, 9),
        Distribution("chances", own_actions, full_support=True),
        Table("rival", lambda sizes: (sizes.states,), -9, 9),
    ),
    agents=(1, 1),
    states=(1, 2),
    steps=(1, 2, 4),
    action_range=(1, 2),
)
STEP = Setting(
    "two steps from one policy: the ideal one and any other",
    (*SIMPLEX.ingredients[:3], LogOdds("step", own_actions), Distribution("target", own_actions)),
    agents=(1, 1),
    states=(1, 1),
    action_range=(1, 4),
)

CLAIMS = (
    Claim(
        "lemma-b.1/expectation",
        "Averaged projected SGD, in expectation over all sample paths",
        "Appendix B, Lemma B.1",
        _sgd((1, 2, 4), (1, 2), (1, 2)),
        descent_in_expectation,
        statement="E F(θ̄) - min F ≤ GR/√T with θ̄ the mean of θ(0), ..., θ(T-1), step R/(G√T)",
        record=Standing.SURVIVED,
    ),
    Claim(
        "lemma-b.1/path-wise",
        "The same on every sample path",
        "Appendix B, Lemma B.1, as it reads without an expectation",
        _sgd((1, 4), (1, 1), (1, 2)),
        descent_path_by_path,
        statement="F(θ̄) - min F ≤ GR/√T on every sample path",
        record=Standing.REFUTED,
        repaired_by="lemma-b.1/expectation",
        kind=Kind.READING,
    ),
    Claim(
        "lemma-b.1/printed-range",
        "Averaging θ(1), ..., θ(T), as Algorithm 3 prints",
        "Appendix B, Lemma B.1 with Algorithm 3",
        _sgd((1,), (2, 2), (1, 1), offset=0),
        descent_printed_range,
        statement="E F(θ̄) - min F ≤ GR/√T with θ̄ the mean of θ(1), ..., θ(T)",
        record=Standing.REFUTED,
        note="Shown at T = 1, where the average is the last iterate.",
        repaired_by="lemma-b.1/expectation",
    ),
    Claim(
        "lemma-b.2/printed-gradient-bound",
        "The gradient bound behind Lemma B.2, with R",
        "Appendix B, proof of Lemma B.2",
        GRADIENTS,
        gradient_bound_printed,
        statement="‖2((θ - θ_k)ᵀφ - Q̂/β)φ‖ ≤ 2(R + B/β) for ‖θ‖, ‖θ_k‖ ≤ R, ‖φ‖ ≤ 1, |Q̂| ≤ B",
        record=Standing.REFUTED,
        note="The centre θ_k is not 0 for k ≥ 1, and two points of a ball of radius R can be 2R apart.",
        repaired_by="lemma-b.2/gradient-bound",
    ),
    Claim(
        "lemma-b.2/gradient-bound",
        "The gradient bound with 2R",
        "Appendix B, proof of Lemma B.2, repaired",
        GRADIENTS,
        gradient_bound,
        statement="‖2((θ - θ_k)ᵀφ - Q̂/β)φ‖ ≤ 2(2R + B/β)",
        record=Standing.SURVIVED,
        kind=Kind.REPAIR,
    ),
    Claim(
        "lemma-b.2/rate",
        "What Algorithm 3 reaches, in expectation over all sample paths",
        "Appendix B, Lemma B.2, repaired",
        FITS,
        fit_rate,
        statement="E ε' ≤ √L(u) + √(GR) T^{-1/4} and E L(θ̄) - L(u) ≤ GR/√T for every ‖u‖ ≤ R, with G = 2(2R + B/β),"
        " L(θ) = E((θ - θ_k)ᵀφ - Q̂/β)², ε'² = L(θ̄)",
        transcendental=True,
        record=Standing.SURVIVED,
        note="In expectation and with θ̄ the mean of θ(0), ..., θ(T-1), since Lemma B.1 holds no other way.",
        kind=Kind.REPAIR,
    ),
    Claim(
        "lemma-b.3",
        "Multi-agent advantage decomposition, in every order and both readings",
        "Appendix B, Lemma B.3",
        _small(GAME_AND_POLICY),
        telescoping,
        statement="A^{1:m}(s, a^{1:m}) = Σ_{i≤m} A^i(s, a^{1:i-1}, a^i), and the same along any order of any subset",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO, TWO_BY_TWO),
        points=(Sizes(2, (2, 3)), Sizes(2, (2, 2, 2))),
    ),
    Claim(
        "lemma-b.3/zero-mean",
        "Advantages have mean zero under the agent's own factor",
        "Appendix B, proof of Lemma 4.1",
        GAME_AND_POLICY,
        zero_mean,
        statement="Σ_a π^m(a|s, a^{1:m-1}) A^m(s, a^{1:m-1}, a) = 0",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO, TWO_BY_TWO),
        points=(Sizes(2, (2, 3)), Sizes(2, (2, 2, 2))),
    ),
    Claim(
        "lemma-b.3/zero-mean-product",
        "Mean zero for every pair of subsets, if the policy is a product",
        "Appendix B, general subsets of Definition 3.1",
        _small(GAME_AND_PRODUCT_POLICY),
        zero_mean_intervention,
        statement="Σ_{a^P'} π(a^P'|s) A^P'(s, a^P, a^P') = 0 for disjoint P, P' and product policies",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO, TWO_BY_TWO),
        points=(Sizes(2, (2, 2, 2)),),
        kind=Kind.READING,
    ),
    Claim(
        "lemma-b.3/zero-mean-conditioning",
        "Mean zero for every pair of subsets under conditioning, with Bayes' weights",
        "Appendix B, general subsets of Definition 3.1",
        _small(GAME_AND_POLICY),
        zero_mean_conditioning,
        statement="Σ_{a^P'} π(a^P'|s, a^P) A^P'(s, a^P, a^P') = 0 for disjoint P, P', wherever π(a^P|s) > 0",
        record=Standing.PROVED,
        symbolic=(ONE_BY_TWO,),
        points=(Sizes(2, (2, 2)), Sizes(2, (2, 2, 2))),
        note="Where Q^{P ∪ P'} is undefined (Bayes on an event of probability 0) the sum is not asked.",
        kind=Kind.READING,
    ),
    Claim(
        "lemma-b.3/zero-mean-intervention",
        "Mean zero for every pair of subsets under intervention",
        "Appendix B, general subsets of Definition 3.1",
        _small(GAME_AND_POLICY),
        zero_mean_intervention,
        statement="Σ_{a^P'} π(a^P'|s, do(a^P)) A^P'(s, a^P, a^P') = 0 for disjoint P, P' and every policy",
        record=Standing.REFUTED,
        note="The proofs need it on prefixes only, where it holds (lemma-b.3/zero-mean).",
        repaired_by="lemma-b.3/zero-mean-conditioning",
        kind=Kind.READING,
    ),
    Claim(
        "lemma-b.4",
        "The largest error over actions is at most the concentrability times the mean squared error",
        "Appendix B, Lemma B.4",
        SHIFTED,
        worst_error,
        statement="E_{ν_*,π_*^{1:m-1}} ‖(θ_{k+1} - θ_k)ᵀφ - Q̂/β_k‖_∞ ≤ φ_k^{m-1} ε_k^m",
        record=Standing.REFUTED,
        note="No constant helps: an action of probability p hides an error M at the price √p M.",
        repaired_by="lemma-b.4/repaired",
    ),
    Claim(
        "lemma-b.4/factor-two",
        "The same with the factor 2 of δ = 2φε",
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
        record=Standing.SURVIVED,
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
        record=Standing.SURVIVED,
    ),
    Claim(
        "lemma-b.5/a",
        "Error propagation, the part of the fit",
        "Appendix B, Lemma B.5, part (a)",
        SHIFTED,
        fit_part,
        statement="|E_* ⟨(θ_{k+1} - θ_k)ᵀφ - Q̂/β_k, π_*^m - π_k^m⟩| ≤ √2 (φ^m + φ^{m-1}) ε",
        transcendental=True,
        record=Standing.SURVIVED,
    ),
    Claim(
        "lemma-b.5/b",
        "Error propagation, the part of the critic",
        "Appendix B, Lemma B.5, part (b)",
        SHIFTED,
        critic_part,
        statement="|E_* ⟨(Q̂ - Q)/β_k, π_*^m - π_k^m⟩| ≤ √2 (φ^m + φ^{m-1}) ε̂/β_k",
        transcendental=True,
        record=Standing.SURVIVED,
    ),
    Claim(
        "lemma-b.5/sharp",
        "Parts (a) and (b) with the sharp coefficient",
        "Appendix B, Lemma B.5, sharpened",
        SHIFTED,
        error_propagation_sharp,
        statement="(a)² ≤ ((φ^m)² - (φ^{m-1})²) ε² and (b)² ≤ ((φ^m)² - (φ^{m-1})²) (ε̂/β_k)²",
        record=Standing.SURVIVED,
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
