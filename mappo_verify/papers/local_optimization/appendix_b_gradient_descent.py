"""Lemmas B.1 and B.2: projected stochastic gradient descent, and the least-squares fit of Algorithm 3 by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...arithmetic import Array, Truth, absolute, compare, contract, divide, largest, like, moveaxis, sqrt, square
from ...claims.case import Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, at_most, equal, line
from ...claims.ingredients import Distribution, PositiveScalar, Table
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...quantities import stochastic_gradient
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
from .common import own_actions, total


def _descent(case: Case, averaging: Averaging, pathwise: bool) -> Iterator[Line]:
    """``F(θ̄) - F(u) ≤ GR/√T`` for every ``u`` in the ball, with ``θ̄`` the mean of ``θ(0..T-1)``, or ``θ(1..T)`` as printed."""
    steps, slopes, offsets, chances = case.sizes.steps, case.slopes, case.offsets, case.chances
    radius = like(1, slopes)
    root = sqrt(steps * largest(square(slopes).sum(-1), (-2, -1)))  # G√T, rational more often than G and √T
    points = sample_paths(slopes, offsets, radius, default_step(radius, root, 1), steps)
    mean = average_of_path(iter(moveaxis(points, -2, 0)), steps, averaging)
    rival = _in_ball(case.rival, radius)[..., None, :]
    gap = mean_function(slopes, offsets, chances, mean) - mean_function(slopes, offsets, chances, rival)
    first = 0 if averaging == "analysed" else 1
    which = f"θ̄ the mean of θ({first}), ..., θ({first + steps - 1})"
    bound = root * radius / steps
    reason = "the standard regret bound of projected subgradient descent"
    if pathwise:
        yield line(f"F(θ̄) - F(u) on every sample path, {which}", gap)
        yield at_most("GR/√T", bound, because=reason + ", read path by path")
    else:
        expected = (path_chances(chances, steps) * gap).sum(-1)
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
    return compare(largest(absolute(case.slopes), (-3, -2, -1)), ">", 0)


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


def _gradient(case: Case, name: str, limit: Callable[[Array, Array, Array], Array]) -> Iterator[Line]:
    """``‖2((θ - θ_k)ᵀφ - Q̂/β)φ‖² ≤ G²`` for ``‖θ‖, ‖θ_k‖ ≤ R``, ``‖φ‖ ≤ 1``, ``|Q̂| ≤ B``; ``name`` is R or 2R in ``G``."""
    radius, bound, beta = case.radius, case.bound, case.beta
    theta, anchor = _in_ball(case.theta, radius), _in_ball(case.anchor, radius)
    features = _in_ball(case.features, 1)
    misfit = ((theta - anchor) * features).sum(-1) - bound * case.share / beta
    norm = 4 * square(misfit) * square(features).sum(-1)
    yield line("‖∇‖² of one sample, ∇ = 2((θ - θ_k)ᵀφ - Q̂/β) φ", norm)
    yield at_most("(2|(θ - θ_k)ᵀφ - Q̂/β|)²", 4 * square(misfit), because="features have norm at most 1: ‖φ‖ ≤ 1")
    yield at_most(
        f"(2({name} + B/β))²",
        square(limit(radius, bound, beta)),
        because="Cauchy-Schwarz, with ‖θ - θ_k‖ ≤ " + name + " and |Q̂| ≤ B",
    )


def _in_ball(weights: Array, radius: Array | int) -> Array:
    """Rational vectors inside a ball: ``radius · w / Σ|w|``, since the 2-norm is at most the 1-norm; 0 stays 0."""
    size = absolute(weights).sum(-1, keepdims=True)
    return radius * divide(weights, size)


def gradient_bound_printed(case: Case) -> Iterator[Line]:
    """The printed bound, with ``R`` for ``‖θ - θ_k‖``."""
    yield from _gradient(case, "R", stochastic_gradient.printed_gradient_bound)


def gradient_bound(case: Case) -> Iterator[Line]:
    """The bound with ``2R``, which two points of one ball can be apart."""
    yield from _gradient(case, "2R", stochastic_gradient.gradient_bound)


def fit_rate(case: Case) -> Iterator[Line]:
    """Algorithm 3: ``E L(θ̄) - L(u) ≤ GR/√T`` for every ``u`` in the ball, hence ``E ε' ≤ √L(u) + √(GR) T^{-1/4}``."""
    steps, radius, bound, chances = case.sizes.steps, case.radius, case.bound, case.chances
    features, anchor = _in_ball(case.features, 1), _in_ball(case.anchor, radius)
    targets = contract("...nd,...d->...n", features, anchor) + bound / case.beta * case.share
    steepest = stochastic_gradient.gradient_bound(radius, bound, case.beta)
    step_size = default_step(radius, steepest, steps)
    points, odds = squared_paths(features, targets, radius, step_size, steps), path_chances(chances, steps)
    mean = average_of_path(iter(moveaxis(points, -2, 0)), steps, "analysed")
    rival = _in_ball(case.rival, radius)

    def expected(values: Array) -> Array:
        return contract("...w,...w->...", odds, values)

    reached = squared_loss(features, targets, chances, mean)
    best = squared_loss(features, targets, chances, rival[..., None, :])[..., 0]
    gradients = [
        squared_gradient(features, targets, points[..., t, :], chosen)
        for t, chosen in enumerate(path_digits(features.shape[-2], steps).T)
    ]
    sizes = total([expected(square(g).sum(-1)) for g in gradients])
    rate = steepest * radius / sqrt(like(steps, radius))
    yield line("E L(θ̄) - L(u), θ̄ the mean of θ(0), ..., θ(T-1)", expected(reached) - best)
    yield at_most(
        "[‖u‖² + η² Σ_t E‖g_t‖²]/(2ηT)",
        (square(rival).sum(-1) + square(step_size) * sizes) / (2 * step_size * steps),
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

CLAIMS = (
    Claim(
        "lemma-b.1/expectation",
        "Averaged projected SGD, in expectation over all sample paths",
        "Appendix B, Lemma B.1",
        _sgd((1, 2, 4), (1, 2), (1, 2)),
        descent_in_expectation,
        statement="E F(θ̄) - min F ≤ GR/√T with θ̄ the mean of θ(0), ..., θ(T-1), step R/(G√T)",
        record=Standing.SURVIVED,
        note="No line is proved in symbols: whether the projection moves a point depends on the numbers.",
    ),
    Claim(
        "lemma-b.1/path-wise",
        "Averaged projected SGD, on every sample path",
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
        note="No line is proved in symbols: whether a point lies in the ball depends on the numbers.",
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
        note="In expectation and with θ̄ the mean of θ(0), ..., θ(T-1), since Lemma B.1 holds no other way.  "
        "No line is proved in symbols: whether the projection moves a point depends on the numbers.",
        kind=Kind.REPAIR,
    ),
)
