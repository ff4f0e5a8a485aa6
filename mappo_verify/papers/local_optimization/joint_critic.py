"""One joint critic for all agents: the proof that Theorem 5.5 and Theorem D.7 share once they are repaired.

A run of the repaired algorithm is its policies ``π_k`` and joint critics ``f_k``, ``k = 0..K-1``, with marginals ``f_k^m`` under
``π_k`` and ``π_{k+1}^m ∝ π_k^m exp(η_m f_k^m)``.  ``E_k`` may be any functional of critics.  With ``d_*(s, a)`` the occupancy of
the comparator, ``H = 1/(1-γ)``, ``r_m = √(log|A_m|/(2K))`` and ``η_m = r_m/H``::

    J_* - J_k = H Σ d_*(T f_k - f_k) + H Σ_m E_{d_*} ⟨f_k^m, π_*^m - π_k^m⟩ + f_k(s_0, π_k) - J_k

holds for *any* policies and critics.  The rest are single inequalities, each applied to one term of the sum:

1. pessimism bounds the last two terms by ``λ E_k(Q_k) - λ E_k(f_k)``;
2. the regret of exponential weights at every ``(s, a^{1:m-1})`` (lemma-c.6/sharp) bounds the second;
3. Cauchy-Schwarz with ``C_χ² = Σ d_*²/μ`` bounds the first by ``H C_χ ‖f_k - T f_k‖_{2,μ}``, and that is at most ``ε_b + √E_k``;
4. ``H C_χ x - λ x² ≤ H² C_χ²/(4λ)``, a square.

So nothing is used of a game with the values ``f_k``, of realizability, or of bounded rewards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from ...arithmetic import Array, as_array, assume_positive, contract, largest, like, log, sqrt, square
from ...axioms import (
    Axiom,
    below_largest,
    hedge,
    inner_product,
    mean_below_largest,
    nonnegative,
    root_below,
    squares,
)
from ...claims.case import Built, Case, Hypothesis, Ingredient
from ...claims.claim import Line, at_most, equal, line
from ...claims.coordinates import Coordinate, Numbers, Sizes, simplex
from ...claims.ingredients import PositiveScalar, Table
from ...model import Game, Policy
from ...model.agents import prefix_sizes, split_last
from ...model.validation import unchecked
from ...quantities.agent_values import average_out
from ...quantities.bellman import bellman_operator
from ...quantities.distributions import visits
from ...quantities.divergence import squared_norm
from ...quantities.performance_difference import gains_along
from ...quantities.values import returns
from .common import total


@dataclass(frozen=True, eq=False)
class Iterate:
    """``π_k``, ``f_k`` ``[S, A]``, ``E_k(f_k)``, and what is allowed to its value."""

    game: Game
    policy: Policy
    critic: Array
    law: Array
    start: Array
    error: Array
    allowance: Array
    """By how much ``f_k(s_0, π_k) + λ E_k(f_k)`` may exceed ``J_k``."""

    @cached_property
    def update(self) -> Array:
        """``T_{π_k} f_k - f_k``, ``[S, A]``"""
        return as_array(bellman_operator(self.game, self.policy, self.critic, self.game.agents) - self.critic)

    @cached_property
    def marginals(self) -> tuple[Array, ...]:
        """The marginals of ``f_k``, from no agent's to all agents'."""
        return average_out(self.critic, self.policy, self.game.agents)

    @cached_property
    def believed(self) -> Array:
        """``f_k(s_0, π_k)``"""
        return contract("...s,...s->...", self.start, self.marginals[0][..., 0])

    @cached_property
    def value(self) -> Array:
        """``J(π_k)``"""
        return returns(self.game, self.policy, self.start)

    @cached_property
    def norm(self) -> Array:
        """``‖f_k - T f_k‖_{2,μ}``"""
        return sqrt(squared_norm(self.update, self.law, 2))

    @cached_property
    def root(self) -> Array:
        """``√E_k(f_k)``"""
        return sqrt(self.error)


@dataclass(frozen=True)
class Sum:
    """A sum of named terms, one of which a line changes."""

    terms: tuple[tuple[str, Array], ...]

    @property
    def text(self) -> str:
        """The sum as people write it; a term without a name is 0."""
        return " + ".join(text for text, _ in self.terms if text).replace("+ -", "- ")

    @property
    def value(self) -> Array:
        """Its number."""
        return as_array(total([value for _, value in self.terms]))

    def changed(self, place: int, text: str, value: Array) -> Sum:
        """The same with another term at ``place``."""
        return Sum((*self.terms[:place], (text, value), *self.terms[place + 1 :]))


@dataclass(frozen=True, eq=False)
class Theorem:
    """What the theorem speaks of: a run, a comparator, the law ``μ`` of the data, ``λ``; the start and ``r_m`` of every agent."""

    game: Game
    target: Policy
    start: Array
    law: Array
    price: Array
    horizon: Array
    roots: tuple[Array, ...]
    run: list[Iterate]

    @property
    def count(self) -> int:
        """``K``"""
        return len(self.run)

    @cached_property
    def ahead(self) -> Array:
        """``d_*(s)/(1-γ)``, expected visits of the comparator, ``[S]``."""
        return visits(self.game, self.target, self.start)

    @cached_property
    def reached(self) -> Array:
        """``d_*(s, a)/(1-γ)``, ``[S, A]``."""
        return as_array(self.ahead[..., None] * self.target.joint())

    @cached_property
    def ratio(self) -> Array:
        """``d_*/((1-γ) μ)`` with all points on one axis."""
        return as_array(self.reached / self.law).reshape(-1)

    @cached_property
    def reach(self) -> Array:
        """``H C_χ = √(Σ μ (d_*/((1-γ)μ))²)``"""
        return sqrt(as_array((self.flat_law * (self.ratio * self.ratio)).sum(-1)))

    @cached_property
    def farthest(self) -> Array:
        """``H C`` with ``C² = max d_*/μ``: ``√(H max d_*/((1-γ)μ))``"""
        return sqrt(self.horizon * largest(self.ratio))

    @cached_property
    def unseen(self) -> Array:
        """``ε_b``: the largest ``‖f_k - T f_k‖_{2,μ} - √E_k(f_k)`` of the run, and 0."""
        return largest(self.beyond)

    @cached_property
    def beyond(self) -> Array:
        """``‖f_k - T f_k‖_{2,μ} - √E_k(f_k)`` for every k, and 0: ``[K + 1]``."""
        found = [s.norm - s.root for s in self.run]
        return np.stack([*found, 0 * found[0]], axis=-1)

    @cached_property
    def allowances(self) -> Array:
        """What pessimism may miss, for every k, ``[K]``."""
        return np.stack([s.allowance for s in self.run], axis=-1)

    @property
    def flat_law(self) -> Array:
        """``μ`` with all points on one axis."""
        return self.law.reshape(-1)

    @property
    def occupancy(self) -> Array:
        """``d_*`` with all points on one axis."""
        return as_array(self.reached.reshape(-1) / self.horizon)

    @property
    def updates(self) -> Array:
        """``T f_k - f_k`` for every k, with all points on one axis, ``[K, S·A]``."""
        return np.stack([s.update.reshape(-1) for s in self.run])

    @property
    def shares(self) -> Array:
        """``1/K`` for every k, and 0: ``[K + 1]``."""
        return like([*[Fraction(1, self.count)] * self.count, 0], self.price)

    def average(self, axiom: Axiom) -> Axiom:
        """``1/K Σ_k`` of an inequality for every k, ``[K]``."""
        return axiom.sum(-1) * like(Fraction(1, self.count), self.price)

    def mean(self, terms: list[Array]) -> Array:
        """``1/K Σ_k``"""
        return as_array(total(terms) / self.count)

    @property
    def deciding(self) -> tuple[int, ...]:
        """The agents that have a choice, counted from 1; the others lose nothing."""
        return tuple(m for m, size in enumerate(self.game.action_sizes, start=1) if size > 1)

    @property
    def first(self) -> Array:
        """``H/K Σ_m [log|A_m|/η_m + η_m K H²/8]`` with ``η_m = r_m/H``."""
        return total([0 * self.price, *(self.horizon * self.guarantee(m) / self.count for m in self.deciding)])

    @property
    def root_sum(self) -> Array:
        """``Σ_m r_m``"""
        return total([0 * self.price, *(self.roots[m - 1] for m in self.deciding)])

    def guarantee(self, m: int) -> Array:
        """``log|A_m|/η_m + η_m K H²/8``: the regret that lemma-c.6/sharp allows."""
        eta = self.step(m)
        return as_array(self.entropy(m) / eta + eta * self.count * square(self.horizon) / 8)

    def step(self, m: int) -> Array:
        """``η_m = r_m/H``"""
        return as_array(self.roots[m - 1] / self.horizon)

    def entropy(self, m: int) -> Array:
        """``log|A_m| = 2K r_m²``"""
        return as_array(2 * self.count * square(self.roots[m - 1]))

    def regret(self) -> Axiom:
        """Lemma C.6 at every ``(s, a^{1:m-1})``, weighted by ``d_*(s) π_*^{1:m-1}/((1-γ) K)``, summed over agents."""
        prefixes, found = self.target.prefix_probabilities(), nonnegative(0 * self.price)
        for m in self.deciding:
            size = self.game.action_sizes[m - 1]
            gains = np.stack([split_last(s.marginals[m], size) for s in self.run], axis=-2)
            plays = np.stack([s.policy.factors[m - 1] for s in self.run], axis=-2)
            bound = hedge(gains, plays, self.step(m), self.horizon, self.target.factors[m - 1], self.entropy(m))
            weights = as_array(self.ahead[..., None] * prefixes[m - 1]) / self.count
            found = found + (bound * weights).sum((-2, -1))
        return found


def opening(t: Theorem) -> Iterator[Line]:
    """The gap, split over agents, as an identity for any policies and critics."""
    best = returns(t.game, t.target, t.start)
    seen = [as_array((t.reached * s.update).sum((-2, -1))) for s in t.run]
    yield line("1/K Σ_k (J_* - J_k)", t.mean([best - s.value for s in t.run]))
    yield equal(
        "1/K Σ_k [(J_* - f_k(s_0, π_k)) + (f_k(s_0, π_k) - J_k)]",
        t.mean([(best - s.believed) + (s.believed - s.value) for s in t.run]),
        because="f_k(s_0, π_k) enters once with either sign",
    )
    drift = [
        as_array((t.ahead * ((s.critic * t.target.joint()).sum(-1) - s.marginals[0][..., 0])).sum(-1)) for s in t.run
    ]
    yield equal(
        "1/K Σ_k [1/(1-γ) E_{d_*}(T f_k - f_k) + 1/(1-γ) Σ_s d_*(s) (f_k(s, π_*) - f_k(s, π_k)) + f_k(s_0, π_k) - J_k]",
        t.mean([e + d + (s.believed - s.value) for e, d, s in zip(seen, drift, t.run, strict=True)]),
        because="performance difference for any function f: the flow equation of d_* at f(s, π), and J_* = E_{d_*} r/(1-γ)",
    )
    yield equal(
        "1/K Σ_k [1/(1-γ) E_{d_*}(T f_k - f_k) + 1/(1-γ) Σ_m E_{d_*} ⟨f_k^m, π_*^m - π_k^m⟩ + f_k(s_0, π_k) - J_k]",
        t.mean([e + gain_of(t, s) + (s.believed - s.value) for e, s in zip(seen, t.run, strict=True)]),
        because="f^{m-1} = E_{π^m} f^m, so the sum over agents telescopes from f(s, π) to f(s, π_*): lemma-c.3/marginals",
    )


def gain_of(t: Theorem, s: Iterate) -> Array:
    """``1/(1-γ) Σ_m E_{d_*} ⟨f_k^m, π_*^m - π_k^m⟩``"""
    return as_array(gains_along(t.ahead, t.target, s.policy, s.marginals[1:]).sum(-1))


REGRET, ESTIMATION, ERRORS, ALLOWED = range(4)
"""The terms of the sum."""


def bounded(t: Theorem, pessimism: Axiom, allowed: str, why: str) -> Iterator[Line]:
    """From the split gap to the theorem's bound, one inequality a line.

    ``pessimism`` says that ``J_k`` and what is ``allowed`` is at least ``f_k(s_0, π_k) + λ E_k(f_k)``, ``[K]``, and ``why``.
    """
    seen = [as_array((t.reached * s.update).sum((-2, -1))) for s in t.run]
    gains, errors = t.mean([gain_of(t, s) for s in t.run]), t.mean([s.error for s in t.run])
    terms = Sum(
        (
            ("1/K Σ_k 1/(1-γ) Σ_m E_{d_*} ⟨f_k^m, π_*^m - π_k^m⟩", gains),
            ("1/K Σ_k 1/(1-γ) E_{d_*}(T f_k - f_k)", t.mean(seen)),
            ("-λ/K Σ_k E(f_k)", -t.price * errors),
            (f"1/K Σ_k {allowed}", t.mean([s.allowance for s in t.run])),
        )
    )
    yield at_most(terms.text, terms.value, because=why, axiom=t.average(pessimism))
    terms = terms.changed(ALLOWED, f"max_k {allowed}", largest(t.allowances))
    yield at_most(
        terms.text, terms.value, because="no mean is above the maximum", axiom=t.average(below_largest(t.allowances))
    )
    terms = terms.changed(REGRET, "1/((1-γ)K) Σ_m [log|A_m|/η_m + η_m K/(8(1-γ)²)]", t.first)
    yield at_most(
        terms.text,
        terms.value,
        because="lemma-c.6/sharp at every (s, a^{1:m-1}): critics lie in [0, 1/(1-γ)], so do their marginals; the weights "
        "d_*(s) π_*^{1:m-1} do not depend on k and sum to 1",
        axiom=t.regret(),
    )
    terms = terms.changed(REGRET, "2√2/(1-γ)² Σ_m √(log|A_m|/K)", 4 * square(t.horizon) * t.root_sum)
    yield at_most(
        terms.text,
        terms.value,
        because="at η_m = (1-γ) √(log|A_m|/2K) the bracket is 17√2/16 √(K log|A_m|)/(1-γ), and 17/16 ≤ 2",
        axiom=nonnegative(like(TO_TWO, t.price) * square(t.horizon) * t.root_sum),
    )
    terms = terms.changed(
        ESTIMATION, "1/K Σ_k C_χ/(1-γ) ‖f_k - T f_k‖_{2,μ}", t.mean([t.reach * s.norm for s in t.run])
    )
    yield at_most(
        terms.text,
        terms.value,
        because="Cauchy-Schwarz under μ with the density ratio d_*/μ: C_χ² = Σ d_*²/μ",
        axiom=t.average(inner_product(t.flat_law, t.ratio, t.updates)),
    )
    terms = terms.changed(
        ESTIMATION,
        "C_χ ε_b/(1-γ) + 1/K Σ_k C_χ/(1-γ) √E(f_k)",
        t.reach * t.unseen + t.mean([t.reach * s.root for s in t.run]),
    )
    yield at_most(
        terms.text,
        terms.value,
        because="‖f_k - T f_k‖_{2,μ} ≤ ε_b + √E(f_k): ε_b is the largest excess of the run",
        axiom=(below_largest(t.beyond) * t.shares).sum(-1) * t.reach,
    )
    scale = square(t.reach) / (4 * t.price)
    terms = terms.changed(ESTIMATION, "C_χ ε_b/(1-γ)", t.reach * t.unseen)
    terms = terms.changed(ERRORS, "C_χ²/(4λ(1-γ)²)", scale)
    yield at_most(
        terms.text,
        terms.value,
        because="(C_χ/(2(1-γ)√λ) - √(λ E(f_k)))² ≥ 0",
        axiom=t.average(squares(t.reach / 2 - t.price * np.stack([s.root for s in t.run], axis=-1)) * (1 / t.price)),
    )
    cover = mean_below_largest(t.occupancy, t.ratio) * t.horizon
    terms = terms.changed(ERRORS, "C²/(4λ(1-γ)²)", t.horizon * largest(t.ratio) / (4 * t.price))
    yield at_most(
        terms.text,
        terms.value,
        because="C_χ² = E_{d_*} d_*/μ ≤ max d_*/μ = C²",
        axiom=cover * (1 / (4 * t.price)),
    )
    terms = terms.changed(ESTIMATION, "C ε_b/(1-γ)", t.farthest * t.unseen)
    yield at_most(
        terms.text,
        terms.value,
        because="and so C_χ ≤ C",
        axiom=root_below(square(t.reach), t.farthest, cover) * t.unseen,
    )


TO_TWO = Fraction(15, 8)
"""``4 - 17/8``: in units of ``Σ_m r_m/(1-γ)²`` the bound as stated, less what the tuned step gives."""


# --- what an instance is ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Policies(Ingredient):
    """``K`` joint policies, whatever they are."""

    name: str

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return tuple(
            Coordinate(f"{self.name}.{k}.{m}", (sizes.states, prefixes, size), "weight", 0, 9)
            for k in range(sizes.steps)
            for m, (prefixes, size) in enumerate(zip(prefix_sizes(sizes.actions), sizes.actions, strict=False), start=1)
        )

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> tuple[Policy, ...]:
        rows = [simplex(numbers[coordinate.name], generic) for coordinate in self.coordinates(sizes)]
        system = built["game"].system
        each = sizes.agents
        return tuple(
            unchecked(Policy, factors=tuple(rows[k * each : (k + 1) * each]), system=system) for k in range(sizes.steps)
        )

    def core_shape(self, sizes: Sizes) -> None:
        return None


FREE_RUN = (
    PositiveScalar("price"),
    Policies("policies"),
    Table("critics", lambda sizes: (sizes.steps, sizes.states, prefix_sizes(sizes.actions)[-1])),
    Table("roots", lambda sizes: (sizes.agents,), 1, 9),
    Table("errors", lambda sizes: (sizes.steps,), 0, 9),
    Table("allowed", lambda sizes: (sizes.steps,), 0, 9),
)
"""Any policies, critics, ``r_m``, ``E_k(f_k)`` and allowances: the lines are identities of all of them, and axioms."""


def any_run(case: Case) -> Theorem:
    """The theorem on free numbers; ``case`` has a game, ``target``, ``data``, ``start`` and a :data:`FREE_RUN`."""
    run = [
        Iterate(case.game, policy, case.critics[k], case.data, case.start, case.errors[k], case.allowed[k])
        for k, policy in enumerate(case.policies)
    ]
    roots = tuple(case.roots[m] for m in range(case.game.agents))
    return theorem_on(case, run, roots)


def theorem_on(case: Case, run: list[Iterate], roots: tuple[Array, ...]) -> Theorem:
    """The theorem on a run; ``γ < 1`` is a hypothesis."""
    horizon = assume_positive(case.game.horizon)
    return Theorem(case.game, case.target, case.start, run[0].law, case.price, horizon, roots, run)


def own_roots(game: Game, steps: int) -> tuple[Array, ...]:
    """``r_m = √(log|A_m|/(2K))``"""
    return tuple(sqrt(log(like(size, game.system)) / (2 * steps)) for size in game.action_sizes)


def _pessimistic(case: Case) -> Array:
    found = [s.value + s.allowance - s.believed - case.price * s.error for s in case.theorem.run]
    return np.stack(found, axis=-1)


def pessimistic(name: str) -> Hypothesis:
    """``f_k(s_0, π_k) + λ E_k(f_k) ≤ J_k + (what is allowed)`` for every k, under a name that says what is allowed."""
    return Hypothesis.at_least_zero(name, _pessimistic)
