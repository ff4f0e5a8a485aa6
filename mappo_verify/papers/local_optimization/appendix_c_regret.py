"""Appendix C, Lemmas C.4 to C.6: what Algorithm 2 loses to the best policy in hindsight.

At every ``(s, a^{1:m-1})`` Algorithm 2 plays ``π_1 = uniform, π_{k+1} ∝ π_k exp(η f_k)`` against critics ``f_1, ..., f_K`` that
may be anything: nothing here uses a game.  The rows of an instance are such pairs ``(s, a^{1:m-1})``; ``states`` counts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from ...arithmetic import Array, Truth, compare, largest, like, log, sqrt, square
from ...axioms import Axiom, entropy, gibbs, hedge, hoeffding, nonnegative
from ...claims.case import Built, Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, at_most, equal, line
from ...claims.coordinates import EVERY, Coordinate, Numbers, Sizes
from ...claims.general import General
from ...claims.induction import Arbitrary, Place, Run, Step
from ...claims.ingredients import Derived, Distribution, Increments, PositiveScalar, Table
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...model.conditions import in_unit
from ...quantities.divergence import kl_divergence, l1_distance
from ...quantities.mirror_descent import mirror_step
from ...quantities.online_learning import (
    cumulative_gains,
    exponential_weights,
    follow_the_regularised_leader,
    hoeffding_term,
    regret,
    regularised_gain,
    regulariser,
    regulariser_range,
    soft_maximum,
    stability,
    tuned_step,
    uniform_play,
)


def _divergences(case: Case, plays: Array) -> tuple[Array, Array]:
    """``KL(π‖π_{K+1})`` and ``KL(π_{k+1}‖π_k)`` for every k, both over η."""
    missed = kl_divergence(case.comparator, plays[..., -1, :])
    moves = kl_divergence(plays[..., 1:, :], plays[..., :-1, :])
    return missed / case.eta, moves / case.eta


def leader(case: Case) -> Iterator[Line]:
    """Lemma C.4: the iterates are leaders, and playing the next leader beats every policy."""
    gains, eta, policy = case.gains, case.eta, case.comparator
    plays = exponential_weights(gains, eta)
    yield line("π_{k+1} ∝ π_k exp(η f_k), k = 1..K, from the uniform π_1", plays)
    yield equal(
        "π_{k+1} ∝ exp(η Σ_{t≤k} f_t)",
        follow_the_regularised_leader(gains, eta),
        because="exponents add: θ_{k+1} = θ_k + η w_k",
    )
    sums, anyone = cumulative_gains(gains), policy[..., None, :]
    values = regularised_gain(plays, sums, eta)
    yield line("G_k(π) = Σ_{t≤k} ⟨π, f_t⟩ - ℒ(π), k = 0..K", regularised_gain(anyone, sums, eta))
    yield equal(
        "G_k(π_{k+1}) - KL(π‖π_{k+1})/η",
        values - kl_divergence(anyone, plays) / eta,
        because="η G_k(π) = log Σ_a exp(η Σ_t f_t(a)) - KL(π‖π_{k+1}): proposition-4.2 with the uniform policy for π_k",
    )
    yield at_most(
        "G_k(π_{k+1}): π_{k+1} leads",
        lambda: values,
        because="KL(π‖π_{k+1}) ≥ 0, and 0 at π_{k+1}",
        axiom=gibbs(np.broadcast_to(anyone, plays.shape), plays) * (1 / eta),
    )
    missed, moves = _divergences(case, plays)
    later = (gains * plays[..., 1:, :]).sum((-2, -1))
    yield line("Σ_k ⟨π, f_k⟩ - ℒ(π)", regularised_gain(policy, sums[..., -1, :], eta))
    yield equal(
        "Σ_k [G_k(π_{k+1}) - G_{k-1}(π_k)] + G_0(π_1) - KL(π‖π_{K+1})/η",
        (values[..., 1:] - values[..., :-1]).sum(-1) + values[..., 0] - missed,
        because="it is G_K(π) = G_K(π_{K+1}) - KL(π‖π_{K+1})/η; the sum telescopes",
    )
    yield equal(
        "Σ_k ⟨π_{k+1}, f_k⟩ - ℒ(π_1) - [KL(π‖π_{K+1}) + Σ_k KL(π_{k+1}‖π_k)]/η",
        later - regulariser(plays[..., 0, :], eta) - missed - moves.sum(-1),
        because="G_{k-1}(π_k) = G_{k-1}(π_{k+1}) + KL(π_{k+1}‖π_k)/η, and G_k - G_{k-1} is ⟨·, f_k⟩",
    )
    yield at_most(
        "Σ_k ⟨π_{k+1}, f_k⟩ - ℒ(π_1)",
        lambda: later - regulariser(plays[..., 0, :], eta),
        because="the divergences are not negative",
        axiom=_divergence_axiom(case, plays),
    )


def regret_of_the_leader(case: Case) -> Iterator[Line]:
    """Lemma C.5: the regret is at most what playing one step late costs, plus the range of the regulariser."""
    gains, eta = case.gains, case.eta
    plays = exponential_weights(gains, eta)
    missed, moves = _divergences(case, plays)
    late, first = stability(gains, plays).sum(-1), regulariser(plays[..., 0, :], eta)
    own = regulariser(case.comparator, eta)
    yield line("Σ_k ⟨π - π_k, f_k⟩", regret(gains, plays[..., :-1, :], case.comparator))
    yield equal(
        "Σ_k ⟨π_{k+1} - π_k, f_k⟩ + ℒ(π) - ℒ(π_1) - [KL(π‖π_{K+1}) + Σ_k KL(π_{k+1}‖π_k)]/η",
        late + own - first - missed - moves.sum(-1),
        because="lemma-c.4, less Σ_k ⟨π_k, f_k⟩",
    )
    yield at_most(
        "Σ_k ⟨π_{k+1} - π_k, f_k⟩ + ℒ(π) - ℒ(π_1)",
        lambda: late + own - first,
        because="the divergences are not negative",
        axiom=_divergence_axiom(case, plays),
    )
    yield at_most(
        "Σ_k ⟨π_{k+1} - π_k, f_k⟩ - ℒ(π_1)",
        lambda: late - first,
        because="ℒ(π) = -H(π)/η",
        axiom=entropy(case.comparator) * (1 / eta),
    )
    yield line("-ℒ(π_1)", -first)
    yield equal(
        "log|A|/η, the range of the regulariser",
        _range(case),
        because="π_1 is uniform, and 0 ≤ H ≤ log|A|",
    )


def _divergence_axiom(case: Case, plays: Array) -> Axiom:
    """``[KL(π‖π_{K+1}) + Σ_k KL(π_{k+1}‖π_k)]/η ≥ 0``"""
    last = gibbs(case.comparator, plays[..., -1, :])
    moves = gibbs(plays[..., 1:, :], plays[..., :-1, :]).sum(-1)
    return (last + moves) * (1 / case.eta)


def _range(case: Case) -> Array:
    """``log|A|/η`` for every row."""
    return regulariser_range(case.eta, case.sizes.actions[0])


def route(case: Case) -> Iterator[Line]:
    """The way of the paper to Lemma C.6, through Pinsker's inequality and Lemma C.5."""
    gains, eta, bound = case.gains, case.eta, case.bound
    steps = case.sizes.steps
    plays = exponential_weights(gains, eta)
    before, after = plays[..., :-1, :], plays[..., 1:, :]
    change, late = l1_distance(after, before), stability(gains, plays)
    yield line("‖π_{k+1} - π_k‖₁", change)
    yield at_most("√(2 KL(π_k‖π_{k+1}))", sqrt(2 * kl_divergence(before, after)), because="Pinsker's inequality")
    yield at_most(
        "√(2η ⟨π_{k+1} - π_k, f_k⟩)",
        sqrt(2 * eta * late),
        because="η ⟨π_{k+1} - π_k, f_k⟩ = KL(π_k‖π_{k+1}) + KL(π_{k+1}‖π_k), as log(π_{k+1}/π_k) is η f_k and a constant",
    )
    yield at_most(
        "√(2ηB ‖π_{k+1} - π_k‖₁)",
        sqrt(2 * eta * bound * change),
        because="Hölder, and f_k lies in [0, B], B = 1/(1-γ)",
    )
    yield at_most("2ηB", 2 * eta * bound, because="x ≤ √(cx) implies x ≤ c, and then √(cx) ≤ c")
    lost = regret(gains, before, case.comparator)
    yield line("Σ_k ⟨π - π_k, f_k⟩ at any (s, a^{1:m-1})", lost)
    yield at_most(
        "Σ_k ⟨π_{k+1} - π_k, f_k⟩ + log|A|/η",
        late.sum(-1) + _range(case),
        because="lemma-c.5",
    )
    yield at_most(
        "2ηKB² + log|A|/η",
        (2 * eta * steps * square(bound)) + _range(case),
        because="⟨π_{k+1} - π_k, f_k⟩ ≤ B ‖π_{k+1} - π_k‖₁ ≤ 2ηB²",
    )


def printed_regret(case: Case) -> Iterator[Line]:
    """Lemma C.6: with the tuned step the regret is at most ``2√(2K log|A|)/(1-γ)``, in every row and on average."""
    lost, width = (case.gains * (case.comparator[..., None, :] - case.plays)).sum((-2, -1)), case.bound
    scale = case.sizes.steps * width * case.root
    yield line("Σ_k ⟨π - π_k, f_k⟩ at any (s, a^{1:m-1})", lost)
    yield from _tuned(case)
    yield at_most(
        "2√2 √(K log|A|) B",
        4 * scale,
        because="17/16 ≤ 2",
        axiom=nonnegative(Fraction(15, 8) * scale),
    )
    yield line("E_{(s,a^{1:m-1}) ~ μ} Σ_k ⟨π - π_k, f_k⟩", (case.weights * lost).sum(-1))
    eta = case.eta
    yield at_most(
        "log|A|/η + ηKB²/8",
        case.logarithm / eta + eta * case.sizes.steps * square(width) / 8,
        because="lemma-c.6/sharp in every row, and μ is a distribution",
        axiom=(hedge(case.gains, case.plays, eta, width, case.comparator, case.logarithm) * case.weights).sum(-1),
    )
    yield equal("17√2/16 √(K log|A|) B", Fraction(17, 8) * scale, because="η = √(log|A|/(2K))/B")
    yield at_most("2√2 √(K log|A|) B", 4 * scale, because="17/16 ≤ 2", axiom=nonnegative(Fraction(15, 8) * scale))


def _tuned(case: Case) -> Iterator[Line]:
    """The sharp regret at the step of the paper."""
    eta = case.eta
    guarantee = case.logarithm / eta + eta * case.sizes.steps * square(case.bound) / 8
    yield at_most(
        "log|A|/η + ηKB²/8",
        guarantee,
        because="lemma-c.6/sharp",
        axiom=hedge(case.gains, case.plays, eta, case.bound, case.comparator, case.logarithm),
    )
    yield equal(
        "17√2/16 √(K log|A|) B",
        (Fraction(17, 8) * case.sizes.steps * case.bound * case.root),
        because="at η = √(log|A|/(2K))/B the first summand is √2 √(K log|A|) B, the second 1/16 of it",
    )


def constant_of_the_step(case: Case) -> Iterator[Line]:
    """The constant that the paper's step gives."""
    yield line("Σ_k ⟨π - π_k, f_k⟩", (case.gains * (case.comparator[..., None, :] - case.plays)).sum((-2, -1)))
    yield from _tuned(case)


def best_step(case: Case) -> Iterator[Line]:
    """The constant of the best step, ``η = √(8 log|A|/K)/B``."""
    eta, steps = 4 * case.root / case.bound, case.sizes.steps
    yield line("Σ_k ⟨π - π_k, f_k⟩", (case.gains * (case.comparator[..., None, :] - case.plays)).sum((-2, -1)))
    yield at_most(
        "log|A|/η + ηKB²/8",
        (case.logarithm / eta + eta * steps * square(case.bound) / 8),
        because="lemma-c.6/sharp",
        axiom=hedge(case.gains, case.plays, eta, case.bound, case.comparator, case.logarithm),
    )
    yield equal(
        "√(K log|A|/2) B",
        (steps * case.bound * case.root),
        because="at η = √(8 log|A|/K)/B both summands are half of it",
    )


def sharp_regret(case: Case) -> Iterator[Line]:
    """For every step η, and for every number of steps, the regret is at most ``log|A|/η + ηKB²/8``."""
    eta, bound, policy = case.eta, case.bound, case.comparator
    actions = case.sizes.actions[0]
    even = uniform_play(policy)
    run = _run(case, even)

    def soft(step: Step) -> Array:
        return soft_maximum(step.state, step.moved.gains, eta)

    def earned(step: Step) -> Array:
        return (step.state * step.moved.gains).sum(-1)

    def divergence(place: Place) -> Array:
        return kl_divergence(policy, place.state) / eta

    excess = run.sum(lambda step: soft(step) - earned(step))
    start = run.fixed(kl_divergence(policy, even) / eta)
    budget = run.sum(lambda step: hoeffding_term(bound, eta) + 0 * earned(step))
    width = bound + 0 * policy[..., 0]
    yield line("Σ_k ⟨π - π_k, f_k⟩", run.sum(lambda step: ((policy - step.state) * step.moved.gains).sum(-1)))
    yield equal(
        "Σ_k [(1/η) log E_{π_k} exp(η f_k) - ⟨π_k, f_k⟩] + [KL(π‖π_1) - KL(π‖π_{K+1})]/η",
        excess + start - run.last(divergence),
        because="⟨π, f_k⟩ = (1/η)⟨π, log(π_{k+1}/π_k)⟩ + (1/η) log E_{π_k} exp(η f_k), summed over k",
    )
    yield at_most(
        "Σ_k [(1/η) log E_{π_k} exp(η f_k) - ⟨π_k, f_k⟩] + KL(π‖π_1)/η",
        excess + start,
        because="the comparator's divergence from the last play is not negative",
        axiom=run.last(lambda place: gibbs(policy, place.state)) * (1 / eta),
    )
    yield at_most(
        "ηKB²/8 + KL(π‖π_1)/η",
        budget + start,
        because="log E exp(ηX) ≤ η E X + η²B²/8 for X in an interval of length B",
        axiom=run.sum(
            lambda step: hoeffding(step.state, step.moved.gains, eta + 0 * policy[..., 0], width) * (1 / eta)
        ),
    )
    yield at_most(
        "log|A|/η + ηKB²/8",
        budget + run.fixed(regulariser_range(eta, actions) + 0 * policy[..., 0]),
        because="KL(π‖uniform) = log|A| - H(π)",
        axiom=run.fixed(entropy(policy) * (1 / eta)),
    )


@dataclass(frozen=True, eq=False)
class Round:
    """What a round pays, and the play after it."""

    gains: Array
    play: Array


def _run(case: Case, even: Array) -> Run:
    """The plays: ``π_{k+1} ∝ π_k exp(η f_k)``."""

    def move(own: Any, play: Array) -> Round:
        (table,) = own.increments
        gains = table / case.eta
        return Round(gains, mirror_step(play, gains, like(1, case.eta) / case.eta))

    return Run(case, even, move, lambda played: played.play, "play")


def _rows(sizes: Sizes) -> tuple[int, ...]:
    return (sizes.states, sizes.actions[0])


def _below_bound(case: Case) -> Truth:
    """No payoff is above B."""
    return compare(largest(case.gains, (-3, -2, -1)), "≤", case.bound)


def _at_least_zero(case: Case) -> Truth:
    return compare(case.gains, "≥", like(0, case.gains))


def _a_choice(case: Case) -> Truth:
    return compare(like(case.sizes.actions[0], case.system), ">", like(1, case.system))


LOGARITHMIC = (
    PositiveScalar("eta"),
    Distribution("comparator", _rows),
    Increments("increments"),
    Derived("gains", lambda case: np.stack(case.increments, axis=-2) / case.eta),
)
LEADER = Setting(
    "any payoffs f_1, ..., f_K with integers exp(η f_k), a step η, a comparator; states counts the rows (s, a^{1:m-1})",
    LOGARITHMIC,
    agents=(1, 1),
    states=(1, 2),
    steps=(1, 2, 4),
    action_range=(1, 4),
)
BOUNDED_LEADER = Setting(
    "payoffs in [0, B] with integers exp(η f_k), a step η, a comparator; states counts the rows (s, a^{1:m-1})",
    (Table("bound", lambda _: (), 1, 9), *LOGARITHMIC, Arbitrary(Distribution("play", _rows, full_support=True))),
    (Hypothesis("f_k ≥ 0", _at_least_zero), Hypothesis("f_k ≤ B", _below_bound)),
    agents=(1, 1),
    states=(1, 2),
    steps=(1, 2, 4),
    action_range=(1, 4),
)


@dataclass(frozen=True)
class Payoffs(Increments):
    """What an adversary pays: shares ``k/high`` in [0, 1] of the largest payoff, one table for every step and agent."""

    name: str = "shares"
    high: int = 9

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return tuple(replace(c, kind="integer", low=0) for c in super().coordinates(sizes))

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> tuple[Array, ...]:
        return tuple(numbers[coordinate.name] / self.high for coordinate in self.coordinates(sizes))

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        def shares(case: Case) -> Truth:
            return in_unit(np.concatenate(getattr(case, self.name), axis=-1))

        return (Hypothesis(f"{self.name} lie in [0, 1]", shares, True),)


ADVERSARY = Setting(
    "any payoffs in [0, B], B = 1/(1-γ), a comparator, a distribution over the rows (s, a^{1:m-1}), which states counts",
    (
        PositiveScalar("bound"),
        Distribution("comparator", _rows),
        Distribution("weights"),
        Payoffs("shares"),
        Derived("gains", lambda case: np.stack(case.shares, axis=-2) * case.bound),
        Derived("eta", lambda case: tuned_step(case.bound, case.sizes.steps, case.sizes.actions[0])),
        Derived("root", lambda case: sqrt(case.logarithm / (2 * case.sizes.steps))),
        Derived("logarithm", lambda case: log(like(case.sizes.actions[0], case.bound))),
        Derived("plays", lambda case: _plays(case, case.eta)),
    ),
    (Hypothesis("there is a choice: |A| ≥ 2", _a_choice),),
    agents=(1, 1),
    states=(1, 2),
    steps=(1, 4, 16),
    action_range=(2, 3),
)


def _plays(case: Case, eta: Array) -> Array:
    """``π_1, ..., π_K``"""
    return exponential_weights(case.gains, eta)[..., :-1, :]


BEST_STEP = replace(
    ADVERSARY,
    name="the same with the best step",
    ingredients=(*ADVERSARY.ingredients[:-1], Derived("plays", lambda case: _plays(case, 4 * case.root / case.bound))),
)
ANY_PLAYS = Setting(
    "any payoffs, any plays, any bound, and √(log|A|/2K) for a free number",
    (
        PositiveScalar("bound"),
        Distribution("comparator", _rows),
        Distribution("weights"),
        Table("gains", lambda sizes: (sizes.states, sizes.steps, sizes.actions[0])),
        Distribution("plays", lambda sizes: (sizes.states, sizes.steps, sizes.actions[0])),
        PositiveScalar("root"),
        Derived("eta", lambda case: case.root / case.bound),
        Derived("logarithm", lambda case: 2 * case.sizes.steps * square(case.root)),
    ),
)
FREE_SIZES = (Sizes(1, (2,), 1), Sizes(2, (2,), 2), Sizes(2, (3,), 3))

CLAIMS = (
    Claim(
        "lemma-c.4",
        "Mirror steps follow the regularised leader, and the next leader beats every policy",
        "Appendix C, Lemma C.4",
        LEADER,
        leader,
        statement="Σ_k ⟨π, f_k⟩ - ℒ(π) ≤ Σ_k ⟨π_{k+1}, f_k⟩ - ℒ(π_1), ℒ(π) = (1/η) Σ_a π log π,"
        " π_{k+1} ∝ π_k exp(η f_k) ∝ exp(η Σ_{t≤k} f_t)",
        record=Standing.PROVED,
        symbolic=(Sizes(1, (2,), 2), Sizes(1, (3,), 2), Sizes(1, (2,), 3)),
    ),
    Claim(
        "lemma-c.5",
        "The regret of the regularised leader",
        "Appendix C, Lemma C.5",
        LEADER,
        regret_of_the_leader,
        statement="Σ_k ⟨π - π_k, f_k⟩ ≤ Σ_k ⟨π_{k+1} - π_k, f_k⟩ - ℒ(π_1), and -ℒ(π_1) = log|A|/η",
        record=Standing.PROVED,
        symbolic=(Sizes(1, (2,), 2), Sizes(1, (3,), 2), Sizes(1, (2,), 3)),
    ),
    Claim(
        "lemma-c.6",
        "Regret of exponential weights with the tuned step, against any payoffs",
        "Appendix C, Lemma C.6",
        ADVERSARY,
        printed_regret,
        statement="Σ_k ⟨π - π_k, f_k⟩ ≤ 2√(2K log|A|)/(1-γ) for f_k in [0, 1/(1-γ)] and η = (1-γ)√(log|A|/(2K)),"
        " at every (s, a^{1:m-1}) and under every distribution over them",
        transcendental=True,
        record=Standing.PROVED,
        general=General(ANY_PLAYS),
        symbolic=FREE_SIZES,
        note="With one action η is 0 and the regret too.",
    ),
    Claim(
        "lemma-c.6/route",
        "The way of the paper: stability by Pinsker's inequality",
        "Appendix C, proof of Lemma C.6",
        ADVERSARY,
        route,
        statement="‖π_{k+1} - π_k‖₁ ≤ 2ηB, and Σ_k ⟨π - π_k, f_k⟩ ≤ log|A|/η + 2ηKB²",
        transcendental=True,
        record=Standing.SURVIVED,
        note="Not proved line by line: √(2 KL(π_k‖π_{k+1})) ≤ √(2η ⟨π_{k+1} - π_k, f_k⟩) drops a divergence under a root, and "
        "x ≤ √(cx) is solved for x.  Lemma C.6 does not lean on it, see lemma-c.6/sharp.",
        kind=Kind.BEYOND,
    ),
    Claim(
        "lemma-c.6/constant",
        "The constant of the paper's step",
        "Appendix C, Lemma C.6, sharpened",
        ADVERSARY,
        constant_of_the_step,
        statement="Σ_k ⟨π - π_k, f_k⟩ ≤ 17√2/16 √(K log|A|)/(1-γ) at η = (1-γ)√(log|A|/(2K)); 17√2/16 < 1.51, 2√2 > 2.82",
        transcendental=True,
        record=Standing.PROVED,
        general=General(ANY_PLAYS),
        symbolic=FREE_SIZES,
        kind=Kind.BEYOND,
    ),
    Claim(
        "lemma-c.6/best-step",
        "The constant of the best step",
        "Appendix C, Lemma C.6, sharpened",
        BEST_STEP,
        best_step,
        statement="Σ_k ⟨π - π_k, f_k⟩ ≤ √(K log|A|/2)/(1-γ) at η = (1-γ)√(8 log|A|/K), a quarter of what is printed",
        transcendental=True,
        record=Standing.PROVED,
        general=General(ANY_PLAYS),
        symbolic=FREE_SIZES,
        kind=Kind.BEYOND,
    ),
    Claim(
        "lemma-c.6/sharp",
        "The same with the sharp constant, for every step",
        "Appendix C, Lemma C.6, sharpened",
        BOUNDED_LEADER,
        sharp_regret,
        statement="Σ_k ⟨π - π_k, f_k⟩ ≤ log|A|/η + ηK/(8(1-γ)²) for f_k in [0, 1/(1-γ)] and every η > 0",
        record=Standing.PROVED,
        symbolic=(
            Sizes(1, (2,), 2),
            Sizes(1, (3,), 3),
            Sizes(1, (2,), EVERY),
            Sizes(1, (3,), EVERY),
            Sizes(2, (4,), EVERY),
        ),
        kind=Kind.BEYOND,
    ),
)
