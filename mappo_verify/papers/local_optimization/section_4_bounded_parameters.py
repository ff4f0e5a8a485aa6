"""Section 4.2: what δ of Theorem 4.5 must be multiplied with where the parameters are bounded, and no step is.

With ``O`` the largest odds ``π_k^m(b|s, p)/π_k^m(a|s, p)`` of two actions in a run, ``1/π_k^m(a) ≤ 1 + (|A_m| - 1) O``; so ::

    χ²(π_{k+1}^m‖π_k^m) = Σ_a π_{k+1}^m(a)²/π_k^m(a) - 1 ≤ (|A_m| - 1) O        and        χ ≤ √((|A_m| - 1) O) φ^{m-1}

For parameters of norm at most ``R`` and features of norm at most 1 the odds are at most ``e^{2R}``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ...arithmetic import Array, exp, largest, like, sqrt, square
from ...axioms import Axiom, below_largest, nonnegative, root_below, root_between
from ...claims.case import Case
from ...claims.claim import Claim, Kind, Line, at_most, equal, line
from ...claims.coordinates import EVERY, Sizes
from ...claims.induction import Step
from ...claims.verdict import Standing
from ...model.agents import remembered
from ...quantities.update_errors import Update
from .common import total
from .section_4_convergence import RUN
from .section_4_repaired import (
    REST,
    Chain,
    along_errors,
    budget,
    descent,
    errors_of,
    gap_of,
    rest_of,
    root_of_spread,
    root_spread,
    split_fit,
    under_visits,
    visits,
)


@remembered
def _odds(update: Update, m: int) -> Array:
    """``π_k^m(b)/π_k^m(a)``, shape ``[S, prefixes, A_m, A_m]``, ``b`` last."""
    own = update.policy.factors[m - 1]
    odds: Array = own[..., None, :] / own[..., None]
    return odds


def _others(update: Update, m: int) -> Array:
    """1 where two actions differ, ``[A_m, A_m]``."""
    size = update.game.action_sizes[m - 1]
    return like([[int(a != b) for b in range(size)] for a in range(size)], update.game.system)


_ALL = (-4, -3, -2, -1)


@remembered
def _most(update: Update, m: int) -> Array:
    """The largest odds of an agent."""
    return largest(_odds(update, m), _ALL)


class Odds:
    """``O``, the largest odds of two actions along a run."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    def _of(self, step: Step) -> Array:
        return np.stack([_most(step.moved, m) for m in self.chain.agents], axis=-1)

    def _worst(self, step: Step) -> Array:
        return largest(self._of(step))

    @property
    def largest(self) -> Array:
        """``O``"""
        found: Array = self.chain.run.largest("O", self._worst)
        return found

    def below(self, step: Step, m: int) -> Axiom:
        """``O - π_k^m(b)/π_k^m(a) ≥ 0``: below the largest of its table, of all tables, and of all steps."""
        among = below_largest(self._of(step))[m - 1]
        return self.chain.run.below("O", self._worst, step) + among + below_largest(_odds(step.moved, m), _ALL)


def _among_others(chain: Chain, m: int) -> Array:
    """``(|A_m| - 1) O``"""
    found: Array = (chain.game.action_sizes[m - 1] - 1) * Odds(chain).largest
    return found


def _fit_by_odds(chain: Chain) -> Array:
    """``Σ √((|A_m| - 1) O) φ^{m-1} ε``"""
    found: Array = chain.over(lambda x, m: x.epsilon(m) * (sqrt(_among_others(chain, m)) * sqrt(x.squared_phi(m - 1))))
    return found


BY_ODDS = f"{REST} + Σ (Δ + √((|A_m| - 1) O) φ^{{m-1}} ε)"


def _by_odds(chain: Chain) -> Array:
    """What :data:`BY_ODDS` says."""
    found: Array = rest_of(chain) + _fit_by_odds(chain) + chain.over(lambda x, m: x.propagation(m))
    return found


def bounded_odds(case: Case) -> Iterator[Line]:
    """Part (i) with ``√((|A_m| - 1) O) φ^{m-1} ε`` for ``δ``."""
    chain = Chain(case)
    odds = Odds(chain)
    yield from descent(chain)
    yield from budget(chain, errors_of(chain))
    rest = rest_of(chain)
    yield from split_fit(chain, rest)
    known = rest + chain.over(lambda x, m: along_errors(x, m, root_spread(x, m)))

    def size(m: int) -> Array:
        return _among_others(chain, m)

    def moved(x: Update, m: int) -> Array:
        new, old = x.following.factors[m - 1], x.policy.factors[m - 1]
        return under_visits(x, m, (square(new) / old).sum(-1) - 1)

    def through_odds(x: Update, m: int) -> Array:
        return under_visits(x, m, (1 + size(m)) * square(x.following.factors[m - 1]).sum(-1) - 1)

    head = f"{REST} + Σ √((φ^m)² - (φ^{{m-1}})²) (ε + ε̂/β_k)"
    yield equal(
        f"{head} + Σ ε √(Σ κ w_{{m-1}}² (Σ_a π_{{k+1}}²/π_k - 1))",
        known + chain.over(lambda x, m: x.epsilon(m) * sqrt(moved(x, m))),
        because="expanding the square: χ² = Σ κ w² χ²(π_{k+1}, π_k)",
    )

    def below(step: Step) -> Axiom:
        x: Update = step.moved

        def one(m: int) -> Axiom:
            weights = visits(x, m)[..., None, None] * square(x.following.factors[m - 1])[..., None] * _others(x, m)
            reason = (odds.below(step, m) * weights).sum(_ALL)
            return root_between(moved(x, m), through_odds(x, m), reason) * x.epsilon(m)

        return total([one(m) for m in chain.agents])

    yield at_most(
        f"{head} + Σ ε √(Σ κ w_{{m-1}}² ((1 + (|A_m| - 1) O) Σ_a π_{{k+1}}² - 1)), O = max π_k(b)/π_k(a)",
        known + chain.over(lambda x, m: x.epsilon(m) * sqrt(through_odds(x, m))),
        because="1/π_k(a) = Σ_b π_k(b)/π_k(a), of which one is 1 and the others are at most the largest, O",
        axiom=chain.run.sum(below),
    )

    def at_most_one(x: Update, m: int) -> Axiom:
        """``1 - Σ q² = Σ_a q(a) Σ_{b≠a} q(b)``"""
        new = x.following.factors[m - 1]
        mixed = (new[..., None] * new[..., None, :] * _others(x, m)).sum((-2, -1))
        reason = nonnegative(under_visits(x, m, (1 + size(m)) * mixed))
        return root_between(through_odds(x, m), size(m) * x.squared_phi(m - 1), reason)

    yield at_most(
        f"{head} + Σ ε √((|A_m| - 1) O (φ^{{m-1}})²)",
        known + chain.over(lambda x, m: x.epsilon(m) * sqrt(size(m) * x.squared_phi(m - 1))),
        because="1 - Σ_a π_{k+1}(a)² = Σ_a π_{k+1}(a) Σ_{b≠a} π_{k+1}(b); Σ κ w² = (φ^{m-1})²",
        axiom=chain.over(lambda x, m: x.epsilon(m) * at_most_one(x, m)),
    )

    def product(x: Update, m: int) -> Axiom:
        one, two = size(m), x.squared_phi(m - 1)
        return root_below(one * two, sqrt(one) * sqrt(two), nonnegative(0 * two))

    yield at_most(
        f"{head} + Σ √((|A_m| - 1) O) φ^{{m-1}} ε",
        known + _fit_by_odds(chain),
        because="√(xy) = √x √y",
        axiom=chain.over(lambda x, m: x.epsilon(m) * product(x, m)),
    )
    yield at_most(
        BY_ODDS,
        _by_odds(chain),
        because="(x + y)(x + 3y) ≥ 0, so x² - y² ≤ 2(x + y)², and the root is monotone",
        axiom=chain.over(lambda x, m: along_errors(x, m, root_of_spread(x, m))),
    )


def bounded_parameters(case: Case) -> Iterator[Line]:
    """Part (i) with δ multiplied by ``½ √max|A_m| e^R``, ``R`` the largest norm of the tabular parameters along the run."""
    chain = Chain(case)
    yield line("Σ_k (1-γ)(J_* - J_k)/β_k", gap_of(chain))
    yield at_most(BY_ODDS, _by_odds(chain), because="theorem-4.5/bounded-odds")
    factor = sqrt(like(max(case.game.action_sizes), case.system)) * exp(_largest_parameter(chain)) / 2
    yield at_most(
        "Σ_m log|A_m| + Σ (Δ + ½ √|A| e^R δ) + (N/2) Σ_k B²/β_k²",
        rest_of(chain) + chain.over(lambda x, m: x.propagation(m) + factor * x.fit_cost(m)),
        because="log(π_k(b)/π_k(a)) = θ_kᵀ(φ_b - φ_a) ≤ 2R, so O ≤ e^{2R}; φ^{m-1} ε = δ/2",
    )


def _largest_parameter(chain: Chain) -> Array:
    """``R = max_{k,m} ‖θ_k^m‖`` for one-hot features, where the parameters are the logits themselves."""
    norms = []
    for m in range(chain.game.agents):
        theta = like(0, chain.case.system)
        for step in chain.run.steps:
            theta = theta + step.moved.increments[m]
            norms.append(sqrt(square(theta).sum((-3, -2, -1))))
    return largest(np.stack(norms, axis=-1))


CLAIMS = (
    Claim(
        "theorem-4.5/bounded-odds",
        "Where no odds of two actions exceed O, √((|A_m| - 1) O) φ^{m-1} ε replaces δ",
        "Section 4.2, Theorem 4.5, repaired",
        replace(RUN, limit=10),
        bounded_odds,
        statement="Σ_k (1-γ)(J_* - J_k)/β_k ≤ Σ_m log|A_m| + Σ_{k,m}[Δ + √((|A_m| - 1) O) φ^{m-1} ε] + (N/2) Σ_k B²/β_k², "
        "O = max π_k^m(b|s, p)/π_k^m(a|s, p)",
        transcendental=True,
        record=Standing.PROVED,
        symbolic=(Sizes(1, (2,), EVERY), Sizes(2, (1,), EVERY)),
        kind=Kind.REPAIR,
    ),
    Claim(
        "theorem-4.5/bounded-parameters",
        "Bounded parameters: δ times ½ √|A| e^R suffices",
        "Section 4.2, Theorem 4.5, repaired",
        RUN,
        bounded_parameters,
        statement="Σ_k (1-γ)(J_* - J_k)/β_k ≤ Σ_m log|A_m| + Σ(Δ + ½ √|A| e^R δ) + (N/2) Σ_k B²/β_k² for ‖θ_k‖ ≤ R",
        transcendental=True,
        record=Standing.SURVIVED,
        note="That odds are at most e^{2R} is not proved in symbols: the induction over K knows the policies and not their "
        "parameters.",
        kind=Kind.REPAIR,
    ),
)
