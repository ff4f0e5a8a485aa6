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

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from operator import add
from typing import Any

import numpy as np

from ...arithmetic import Array, Truth, assume_positive, both, contract, every, largest, like, log, sqrt, square
from ...axioms import Axiom, below_largest, hedge, inner_product, mean_below_largest, nonnegative, root_below, squares
from ...claims.case import Built, Case, Hypothesis, Ingredient
from ...claims.claim import Line, at_most, equal, line
from ...claims.coordinates import EVERY, Coordinate, Numbers, Sizes, simplex
from ...claims.induction import Run
from ...claims.ingredients import PositiveScalar, Table
from ...model import Game, Policy
from ...model.agents import prefix_sizes, split_last
from ...model.conditions import is_distribution
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
        return bellman_operator(self.game, self.policy, self.critic, self.game.agents) - self.critic

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

    @property
    def beyond(self) -> Array:
        """``‖f_k - T f_k‖_{2,μ} - √E_k(f_k)``, and 0"""
        found = self.norm - self.root
        return np.stack([found, 0 * found], axis=-1)

    @cached_property
    def excess(self) -> Array:
        """``ε_k``, the larger of the two."""
        return largest(self.beyond)


@dataclass(frozen=True)
class Sum:
    """A sum of named terms, one of which a line changes."""

    terms: tuple[tuple[str, Any], ...]

    @property
    def text(self) -> str:
        """The sum as people write it; a term without a name is 0."""
        return " + ".join(text for text, _ in self.terms if text).replace("+ -", "- ")

    @property
    def value(self) -> Any:
        """Its number."""
        return total([value for _, value in self.terms])

    def changed(self, place: int, text: str, value: Any) -> Sum:
        """The same with another term at ``place``."""
        return Sum((*self.terms[:place], (text, value), *self.terms[place + 1 :]))


@dataclass(frozen=True, eq=False)
class Theorem:
    """What the theorem speaks of: a run, a comparator, the law ``μ`` of the data, ``λ``; ``η_m`` and ``log|A_m|`` of every agent.

    ``roots`` are ``r_m`` where the steps are the tuned ones, and empty for any other steps.
    """

    game: Game
    target: Policy
    start: Array
    law: Array
    penalty: Array
    horizon: Array
    etas: tuple[Array, ...]
    entropies: tuple[Array, ...]
    run: list[Iterate]
    along: Mean | EverySum
    roots: tuple[Array, ...] = ()

    @cached_property
    def ahead(self) -> Array:
        """``d_*(s)/(1-γ)``, expected visits of the comparator, ``[S]``."""
        return visits(self.game, self.target, self.start)

    @cached_property
    def reached(self) -> Array:
        """``d_*(s, a)/(1-γ)``, ``[S, A]``."""
        return self.ahead[..., None] * self.target.joint()

    @cached_property
    def ratio(self) -> Array:
        """``d_*/((1-γ) μ)`` with all points on one axis."""
        return (self.reached / self.law).reshape(-1)

    @cached_property
    def reach(self) -> Array:
        """``H C_χ = √(Σ μ (d_*/((1-γ)μ))²)``"""
        return sqrt((self.flat_law * (self.ratio * self.ratio)).sum(-1))

    @cached_property
    def farthest(self) -> Array:
        """``H C`` with ``C² = max d_*/μ``: ``√(H max d_*/((1-γ)μ))``"""
        return sqrt(self.horizon * largest(self.ratio))

    @property
    def beyond(self) -> Array:
        """``‖f_k - T f_k‖_{2,μ} - √E_k(f_k)``, and 0, for every k: ``[K, 2]``."""
        return np.stack([s.beyond for s in self.run])

    @property
    def excesses(self) -> Array:
        """The larger of the two: ``[K]``."""
        return self.each(lambda s: s.excess)

    @property
    def allowances(self) -> Array:
        """What pessimism may miss, for every k."""
        return self.each(lambda s: s.allowance)

    def each(self, term: Callable[[Iterate], Array]) -> Array:
        """A number of every iterate, ``[K]``."""
        return np.stack([term(s) for s in self.run], axis=-1)

    def mean(self, term: Callable[[Iterate], Array]) -> Any:
        """``1/K Σ_k``"""
        return self.along.terms(self.each(term))

    def constant(self, value: Array) -> Any:
        """``1/K Σ_k c``, which is ``c``."""
        return self.along.terms(np.stack([value for _ in self.run], axis=-1))

    def seen(self, s: Iterate) -> Array:
        """``1/(1-γ) E_{d_*}(T f_k - f_k)``"""
        return (self.reached * s.update).sum((-2, -1))

    def moved(self, s: Iterate) -> Array:
        """``1/(1-γ) Σ_s d_*(s) (f_k(s, π_*) - f_k(s, π_k))``"""
        return (self.ahead * ((s.critic * self.target.joint()).sum(-1) - s.marginals[0][..., 0])).sum(-1)

    @property
    def flat_law(self) -> Array:
        """``μ`` with all points on one axis."""
        return self.law.reshape(-1)

    @property
    def occupancy(self) -> Array:
        """``d_*`` with all points on one axis."""
        return self.reached.reshape(-1) / self.horizon

    @property
    def updates(self) -> Array:
        """``T f_k - f_k`` for every k, with all points on one axis, ``[K, S·A]``."""
        return np.stack([s.update.reshape(-1) for s in self.run])

    @property
    def deciding(self) -> tuple[int, ...]:
        """The agents that have a choice, counted from 1; the others lose nothing."""
        return tuple(m for m, size in enumerate(self.game.action_sizes, start=1) if range(1, size))

    @property
    def first(self) -> Any:
        """``H/K Σ_m [log|A_m|/η_m + η_m K H²/8]``"""
        second = [self.horizon * (self.etas[m - 1] * square(self.horizon) / 8) for m in self.deciding]
        return self.along.once(self.begun) + self.constant(total([0 * self.penalty, *second]))

    @property
    def begun(self) -> Array:
        """``H Σ_m log|A_m|/η_m``"""
        return total(
            [0 * self.penalty, *(self.horizon * self.entropies[m - 1] / self.etas[m - 1] for m in self.deciding)]
        )

    @property
    def root_sum(self) -> Array:
        """``Σ_m r_m``"""
        return total([0 * self.penalty, *(self.roots[m - 1] for m in self.deciding)])

    def regret(self) -> Axiom:
        """Lemma C.6 at every ``(s, a^{1:m-1})``, weighted by ``d_*(s) π_*^{1:m-1}/(1-γ)``, summed over agents."""
        prefixes, found = self.target.prefix_probabilities(), []
        for m in self.deciding:
            size = self.game.action_sizes[m - 1]
            gains = [split_last(s.marginals[m], size) for s in self.run]
            plays = [s.policy.factors[m - 1] for s in self.run]
            eta, entropy = self.etas[m - 1], self.entropies[m - 1]
            bound = self.along.hedge(gains, plays, eta, self.horizon, self.target.factors[m - 1], entropy)
            found.append((bound * (self.ahead[..., None] * prefixes[m - 1])).sum((-2, -1)))
        return self.along.regret(reduce(add, found)) if found else self.along.constant(nonnegative(0 * self.penalty))


@dataclass(frozen=True, eq=False)
class Mean:
    """Lines are means over a run of ``K`` steps, or sums: ``share`` is ``1/K`` or 1."""

    share: Array
    steps: int

    def hedge(self, gains: list[Array], plays: list[Array], *bound: Array) -> Axiom:
        """Lemma C.6 for payoffs and plays of all rounds."""
        return hedge(np.stack(gains, axis=-2), np.stack(plays, axis=-2), *bound)

    def terms(self, values: Array) -> Any:
        """``1/K Σ_k`` of ``[K]``."""
        return values.sum(-1) * self.share

    def once(self, value: Array) -> Any:
        """``c/K``"""
        return value * self.share

    def axioms(self, axiom: Axiom) -> Axiom:
        """``1/K Σ_k`` of an inequality for every k."""
        return axiom.sum(-1) * self.share

    def regret(self, axiom: Axiom) -> Axiom:
        """``1/K`` of an inequality about the whole run."""
        return axiom * self.share

    def constant(self, axiom: Axiom) -> Axiom:
        """``1/K Σ_k`` of an inequality that does not depend on k."""
        return axiom * (self.share * self.steps)

    def most(self, name: str, values: Array) -> Array:
        """``max_k``"""
        return largest(values)

    def below(self, name: str, values: Array) -> Axiom:
        """``1/K Σ_k (max - x_k) ≥ 0``"""
        return self.axioms(below_largest(values))


@dataclass(frozen=True, eq=False)
class EverySum:
    """Lines are sums over a run of any number of steps, by induction: the one iterate at hand is an arbitrary one."""

    run: Run

    def hedge(self, gains: list[Array], plays: list[Array], *bound: Array) -> Axiom:
        """Lemma C.6, of payoffs and plays of the one iterate at hand."""
        return self.run.hedge(gains[0], plays[0], *bound)

    def terms(self, values: Array) -> Any:
        """``Σ_k``"""
        return self.run.sum(lambda _: values.sum(-1))

    def once(self, value: Array) -> Any:
        """``c``"""
        return self.run.fixed(value)

    def axioms(self, axiom: Axiom) -> Axiom:
        """``Σ_k`` of an inequality for every k."""
        return self.run.sum(lambda _: axiom.sum(-1))

    def regret(self, axiom: Axiom) -> Axiom:
        """An inequality about the whole run, for every number of rounds."""
        return self.run.rounds(axiom)

    def constant(self, axiom: Axiom) -> Axiom:
        """``Σ_k`` of an inequality that does not depend on k."""
        return self.run.sum(lambda _: axiom)

    def most(self, name: str, values: Array) -> Array:
        """``max_k``"""
        return self.run.largest(name, lambda _: values[..., 0])

    def below(self, name: str, values: Array) -> Axiom:
        """``Σ_k (max - x_k) ≥ 0``"""
        return self.run.sum(lambda step: self.run.below(name, lambda _: values[..., 0], step))


def opening(t: Theorem) -> Iterator[Line]:
    """The gap, split over agents, as an identity for any policies and critics."""
    best = returns(t.game, t.target, t.start)
    mean = "1/K Σ_k" if t.roots else "Σ_k"
    yield line(f"{mean} (J_* - J_k)", t.mean(lambda s: best - s.value))
    yield equal(
        f"{mean} [(J_* - f_k(s_0, π_k)) + (f_k(s_0, π_k) - J_k)]",
        t.mean(lambda s: (best - s.believed) + (s.believed - s.value)),
        because="f_k(s_0, π_k) enters once with either sign",
    )
    yield equal(
        f"{mean} [1/(1-γ) E_{{d_*}}(T f_k - f_k) + 1/(1-γ) Σ_s d_*(s) (f_k(s, π_*) - f_k(s, π_k)) + f_k(s_0, π_k) - J_k]",
        t.mean(lambda s: t.seen(s) + t.moved(s) + (s.believed - s.value)),
        because="performance difference for any function f: the flow equation of d_* at f(s, π), and J_* = E_{d_*} r/(1-γ)",
    )
    yield equal(
        f"{mean} [1/(1-γ) E_{{d_*}}(T f_k - f_k) + 1/(1-γ) Σ_m E_{{d_*}} ⟨f_k^m, π_*^m - π_k^m⟩ + f_k(s_0, π_k) - J_k]",
        t.mean(lambda s: t.seen(s) + gain_of(t, s) + (s.believed - s.value)),
        because="f^{m-1} = E_{π^m} f^m, so the sum over agents telescopes from f(s, π) to f(s, π_*): lemma-c.3/marginals",
    )


def gain_of(t: Theorem, s: Iterate) -> Array:
    """``1/(1-γ) Σ_m E_{d_*} ⟨f_k^m, π_*^m - π_k^m⟩``"""
    return gains_along(t.ahead, t.target, s.policy, s.marginals[1:]).sum(-1)


REGRET, ESTIMATION, ERRORS, ALLOWED = range(4)
"""The terms of the sum."""


def bounded(t: Theorem, pessimism: Axiom, allowed: str, why: str) -> Iterator[Line]:
    """From the split gap to the theorem's bound, one inequality a line.

    ``pessimism`` says that ``J_k`` and what is ``allowed`` is at least ``f_k(s_0, π_k) + λ E_k(f_k)``, ``[K]``, and ``why``.
    """
    mean, times, over = ("1/K Σ_k", "", "1/((1-γ)K)") if t.roots else ("Σ_k", "K ", "1/(1-γ)")
    most, unseen = t.along.most("allowed", t.allowances), t.along.most("unseen", t.excesses)
    terms = Sum(
        (
            (f"{mean} 1/(1-γ) Σ_m E_{{d_*}} ⟨f_k^m, π_*^m - π_k^m⟩", t.mean(lambda s: gain_of(t, s))),
            (f"{mean} 1/(1-γ) E_{{d_*}}(T f_k - f_k)", t.mean(t.seen)),
            (f"-λ {mean} E(f_k)", t.mean(lambda s: -t.penalty * s.error)),
            (f"{mean} {allowed}", t.mean(lambda s: s.allowance)),
        )
    )
    yield at_most(terms.text, terms.value, because=why, axiom=t.along.axioms(pessimism))
    terms = terms.changed(ALLOWED, f"{times}max_k {allowed}", t.constant(most))
    yield at_most(
        terms.text, terms.value, because="no mean is above the maximum", axiom=t.along.below("allowed", t.allowances)
    )
    terms = terms.changed(REGRET, f"{over} Σ_m [log|A_m|/η_m + η_m K/(8(1-γ)²)]", t.first)
    yield at_most(
        terms.text,
        terms.value,
        because="lemma-c.6/sharp at every (s, a^{1:m-1}): critics lie in [0, 1/(1-γ)], so do their marginals; the weights "
        "d_*(s) π_*^{1:m-1} do not depend on k and sum to 1",
        axiom=t.regret(),
    )
    if t.roots:
        terms = terms.changed(REGRET, "2√2/(1-γ)² Σ_m √(log|A_m|/K)", t.constant(4 * square(t.horizon) * t.root_sum))
        yield at_most(
            terms.text,
            terms.value,
            because="at η_m = (1-γ) √(log|A_m|/2K) the bracket is 17√2/16 √(K log|A_m|)/(1-γ), and 17/16 ≤ 2",
            axiom=nonnegative(like(TO_TWO, t.penalty) * square(t.horizon) * t.root_sum),
        )
    terms = terms.changed(ESTIMATION, f"{mean} C_χ/(1-γ) ‖f_k - T f_k‖_{{2,μ}}", t.mean(lambda s: t.reach * s.norm))
    yield at_most(
        terms.text,
        terms.value,
        because="Cauchy-Schwarz under μ with the density ratio d_*/μ: C_χ² = Σ d_*²/μ",
        axiom=t.along.axioms(inner_product(t.flat_law, t.ratio, t.updates)),
    )
    terms = terms.changed(
        ESTIMATION,
        f"{mean} C_χ/(1-γ) [ε_k + √E(f_k)]",
        t.mean(lambda s: t.reach * (s.excess + s.root)),
    )
    yield at_most(
        terms.text,
        terms.value,
        because="ε_k = max(0, ‖f_k - T f_k‖_{2,μ} - √E(f_k))",
        axiom=t.along.axioms((below_largest(t.beyond) * like([1, 0], t.penalty)).sum(-1)) * t.reach,
    )
    terms = terms.changed(
        ESTIMATION,
        f"{times}C_χ ε_b/(1-γ) + {mean} C_χ/(1-γ) √E(f_k)",
        t.constant(t.reach * unseen) + t.mean(lambda s: t.reach * s.root),
    )
    yield at_most(
        terms.text,
        terms.value,
        because="ε_b is the largest ε_k of the run",
        axiom=t.along.below("unseen", t.excesses) * t.reach,
    )
    terms = terms.changed(ESTIMATION, f"{times}C_χ ε_b/(1-γ)", t.constant(t.reach * unseen))
    terms = terms.changed(ERRORS, f"{times}C_χ²/(4λ(1-γ)²)", t.constant(square(t.reach) / (4 * t.penalty)))
    yield at_most(
        terms.text,
        terms.value,
        because="(C_χ/(2(1-γ)√λ) - √(λ E(f_k)))² ≥ 0",
        axiom=t.along.axioms(squares(t.reach / 2 - t.penalty * t.each(lambda s: s.root)) * (1 / t.penalty)),
    )
    cover = mean_below_largest(t.occupancy, t.ratio) * t.horizon
    terms = terms.changed(ERRORS, f"{times}C²/(4λ(1-γ)²)", t.constant(t.horizon * largest(t.ratio) / (4 * t.penalty)))
    yield at_most(
        terms.text,
        terms.value,
        because="C_χ² = E_{d_*} d_*/μ ≤ max d_*/μ = C²",
        axiom=t.along.constant(cover * (1 / (4 * t.penalty))),
    )
    terms = terms.changed(ESTIMATION, f"{times}C ε_b/(1-γ)", t.constant(t.farthest * unseen))
    yield at_most(
        terms.text,
        terms.value,
        because="and so C_χ ≤ C",
        axiom=t.along.constant(root_below(square(t.reach), t.farthest, cover) * unseen),
    )


TO_TWO = Fraction(15, 8)
"""``4 - 17/8``: in units of ``Σ_m r_m/(1-γ)²`` the bound as stated, less what the tuned step gives."""


# --- what an instance is ------------------------------------------------------------------------------------------------------


def _rounds(sizes: Sizes) -> int:
    """``K``; in a proof for every ``K`` one arbitrary iterate."""
    return 1 if sizes.steps == EVERY else sizes.steps


@dataclass(frozen=True)
class Policies(Ingredient):
    """``K`` joint policies, whatever they are."""

    verified = True

    name: str
    moves: bool = True

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        def distributions(case: Case) -> Truth:
            rows = [is_distribution(factor) for policy in getattr(case, self.name) for factor in policy.factors]
            return both(*(every(truth, tuple(range(-truth.ndim, 0))) for truth in rows))

        return (Hypothesis(f"{self.name} are distributions", distributions, True),)

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return tuple(
            Coordinate(f"{self.name}.{k}.{m}", (sizes.states, prefixes, size), "weight", 0, 9)
            for k in range(_rounds(sizes))
            for m, (prefixes, size) in enumerate(zip(prefix_sizes(sizes.actions), sizes.actions, strict=False), start=1)
        )

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> tuple[Policy, ...]:
        rows = [simplex(numbers[coordinate.name], generic) for coordinate in self.coordinates(sizes)]
        system = built["game"].system
        each = sizes.agents
        return tuple(
            unchecked(Policy, factors=tuple(rows[k * each : (k + 1) * each]), system=system)
            for k in range(_rounds(sizes))
        )

    def core_shape(self, sizes: Sizes) -> None:
        return None


FREE_RUN = (
    PositiveScalar("penalty"),
    Table("roots", lambda sizes: (sizes.agents,), 1, 9),
    Policies("policies"),
    Table("critics", lambda sizes: (sizes.states, prefix_sizes(sizes.actions)[-1]), moves=True),
    Table("errors", lambda _: (), 0, 9, moves=True),
    Table("allowed", lambda _: (), 0, 9, moves=True),
)
"""Any policies, critics, ``r_m``, ``E_k(f_k)`` and allowances: the lines are identities of all of them, and axioms."""


def of_run(case: Case) -> dict[str, Any]:
    """The :data:`FREE_RUN` that a case with a ``theorem`` describes."""
    theorem: Theorem = case.theorem
    run = theorem.run
    return {
        "roots": np.stack(own_roots(case.game, case.sizes.steps), axis=-1),
        "entropies": np.stack(theorem.entropies, axis=-1),
        "policies": tuple(s.policy for s in run),
        "critics": np.stack([s.critic for s in run]),
        "errors": theorem.each(lambda s: s.error),
        "allowed": theorem.allowances,
    }


def tuned(case: Case, run: list[Iterate], roots: tuple[Array, ...]) -> Theorem:
    """The theorem for a run with the steps ``η_m = r_m/H``."""
    horizon = assume_positive(case.game.horizon)
    etas = tuple(root / horizon for root in roots)
    entropies = tuple(2 * len(run) * square(root) for root in roots)
    return theorem_on(case, run, etas, entropies, Mean(like(Fraction(1, len(run)), case.system), len(run)), roots)


def _free_iterate(case: Case, policy: Policy, critic: Array, error: Array, allowed: Array) -> Iterate:
    return Iterate(case.game, policy, critic, case.data, case.start, error, allowed)


def free_iterates(case: Case) -> list[Iterate]:
    """What a :data:`FREE_RUN` describes."""
    steps = zip(case.policies, case.critics, case.errors, case.allowed, strict=True)
    return [_free_iterate(case, *step) for step in steps]


def any_run(case: Case) -> Theorem:
    """The theorem on free numbers; ``case`` has a game, ``target``, ``data``, ``start`` and a :data:`FREE_RUN`."""
    return tuned(case, free_iterates(case), tuple(case.roots[m] for m in range(case.game.agents)))


def any_length(case: Case) -> Theorem:
    """The theorem on free numbers, steps ``η_m`` and ``log|A_m|`` among them, for every number of iterations."""
    agents = range(case.game.agents)
    etas, entropies = (tuple(table[m] for m in agents) for table in (case.etas, case.entropies))
    if case.sizes.steps != EVERY:
        return theorem_on(case, free_iterates(case), etas, entropies, Mean(like(1, case.penalty), case.sizes.steps))

    def move(own: Any, _: None) -> Iterate:
        (policy,) = own.policies
        return _free_iterate(case, policy, own.critics, own.errors, own.allowed)

    run = Run(case, None, move, lambda _: None, arbitrary="")
    return theorem_on(case, [run.step.moved], etas, entropies, EverySum(run))


def theorem_on(
    case: Case,
    run: list[Iterate],
    etas: tuple[Array, ...],
    entropies: tuple[Array, ...],
    along: Mean | EverySum,
    roots: tuple[Array, ...] = (),
) -> Theorem:
    """The theorem on a run; ``γ < 1`` is a hypothesis."""
    horizon = assume_positive(case.game.horizon)
    return Theorem(
        case.game, case.target, case.start, run[0].law, case.penalty, horizon, etas, entropies, run, along, roots
    )


def own_roots(game: Game, steps: int) -> tuple[Array, ...]:
    """``r_m = √(log|A_m|/(2K))``; 1 for an agent that has no choice, whose step moves nothing."""
    return tuple(
        sqrt(log(like(size, game.system)) / (2 * steps)) if range(1, size) else like(1, game.system)
        for size in game.action_sizes
    )


def _pessimistic(case: Case) -> Array:
    found = [s.value + s.allowance - s.believed - case.penalty * s.error for s in case.theorem.run]
    return np.stack(found, axis=-1)


def pessimistic(name: str) -> Hypothesis:
    """``f_k(s_0, π_k) + λ E_k(f_k) ≤ J_k + (what is allowed)`` for every k, under a name that says what is allowed."""
    return Hypothesis(name, lambda case: (_pessimistic(case), "≥", 0))
