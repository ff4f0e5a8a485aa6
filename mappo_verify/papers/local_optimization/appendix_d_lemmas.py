"""Appendix D: finite classes of critics, the assumptions as numbers, and Lemmas D.4 to D.6.

``ζ_F`` and ``ζ_FF`` are computed, and what is claimed is how they bound each other and the distance to ``Q_π``.  As in Lemmas C.1
and C.2 the agents up to ``m`` count as one agent, so ``m = 1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import comb
from typing import Any

import numpy as np

from ...arithmetic import (
    Array,
    System,
    Truth,
    absolute,
    assume_positive,
    at_largest,
    choose,
    compare,
    identity,
    largest,
    like,
    log,
    maximum,
    moveaxis,
    smallest,
    sqrt,
    square,
    truth_of,
)
from ...axioms import (
    above_smallest,
    absolute_values,
    below_largest,
    least_above,
    mean_below_largest,
    nonnegative,
    squares,
)
from ...claims.case import Case, Hypothesis
from ...claims.claim import Claim, Kind, Line, at_least, at_most, equal, line
from ...claims.coordinates import Sizes
from ...claims.experiment import Experiment
from ...claims.general import General
from ...claims.ingredients import START, Derived, Distribution, GameData, PositiveScalar, Table
from ...claims.settings import Setting
from ...claims.verdict import Standing
from ...model import Game, Policy
from ...quantities.agent_values import agent_values
from ...quantities.distributions import state_action_distribution, visits
from ...quantities.finite_class import FiniteClass, visited_states
from ...quantities.values import returns
from .appendix_c_samples import (
    AGENT,
    CRITICS,
    DELTA,
    SAMPLE,
    SOUND,
    coin,
    evenly,
    exact,
    law,
    points_of,
)


def _tables(case: Case) -> Array:
    """Critics as shares of ``1/(1-γ)``, moved towards ``Q_π``: ``Q + spread (critic/(1-γ) - Q)``."""
    values = agent_values(case.game, case.policy)[AGENT][..., None, :, :]
    return values + case.spread * (case.critics * case.horizon - values)


def _finite(case: Case) -> FiniteClass:
    return FiniteClass(case.tables, AGENT)


def _distances(case: Case) -> Array:
    """``‖f - Q_π‖_∞`` for every ``f``, ``[..., |F|]``."""
    values = agent_values(case.game, case.policy)[AGENT][..., None, :, :]
    return largest(absolute(case.tables - values), (-2, -1))


def _residual_squares(case: Case, finite: FiniteClass) -> Array:
    """``‖f - T f‖²_{2,μ}`` for every ``f``, ``[..., |F|]``."""
    squares = square(finite.tables - finite.backups(case.game, case.policy))
    return (squares * case.distribution[..., None, :, :]).sum((-2, -1))


def bounded_class(case: Case) -> Iterator[Line]:
    """``|f| ≤ 1/(1-γ)`` is kept by ``T``, and ``Q_π`` satisfies it."""
    tables = case.critics * case.horizon
    sizes = largest(absolute(tables), (-2, -1))
    backups = FiniteClass(tables, AGENT).backups(case.game, case.policy)
    yield line("max |T f|", largest(absolute(backups), (-2, -1)))
    yield at_most(
        "1 + γ max |f|",
        like(1, sizes) + case.game.discount * sizes,
        because="rewards lie in [0, 1], and averages of f are no larger than f",
    )
    yield at_most("1/(1-γ)", case.horizon, because="|f| ≤ 1/(1-γ)")
    yield line("max |Q_π|", largest(absolute(agent_values(case.game, case.policy)[AGENT]), (-2, -1)))
    yield at_most("1/(1-γ)", case.horizon, because="Q_π is a fixed point of T")


def realizability(case: Case) -> Iterator[Line]:
    """``ζ_F`` is attained at a point, measures the distance to ``Q_π``, and is bracketed for admissible distributions."""
    game, policy, finite = case.game, case.policy, _finite(case)
    zeta, near = finite.realizability(game, policy), square(smallest(_distances(case)))
    points = points_of(case.sizes)
    masses = identity(points, case.system).reshape(points, case.sizes.states, -1)
    yield line(
        "min_f max_j ‖f - T f‖²_{2,ν_j}, ν_j at one point each", finite.realizability_under(game, policy, masses)
    )
    yield equal("ζ_F = min_f ‖f - T f‖²_∞", zeta, because="a mean square is at most the largest square")
    gamma = case.game.discount
    yield line("(1-γ)² min_f ‖f - Q_π‖²_∞", square(like(1, gamma) - gamma) * near)
    yield at_most("ζ_F", zeta, because="‖f - Q‖ ≤ ‖f - T f‖ + γ ‖f - Q‖")
    yield at_most("(1+γ)² min_f ‖f - Q_π‖²_∞", square(like(1, gamma) + gamma) * near, because="T is Lipschitz with γ")
    seen = state_action_distribution(visits(game, policy, case.start) / case.horizon, policy, AGENT)
    yield line("min_f ‖f - T f‖²_{2,d_π}", finite.realizability_under(game, policy, seen[..., None, :, :]))
    yield at_most(
        "the supremum over distributions on visited states",
        finite.realizability(game, policy, visited_states(game, case.start)),
        because="d_π is one of them",
    )
    yield at_most("ζ_F", zeta, because="fewer states, smaller supremum")


def completeness(case: Case) -> Iterator[Line]:
    """Completeness under ``μ`` is weaker than in the sup norm; the latter bounds realizability, because ``F`` is finite."""
    game, policy, finite = case.game, case.policy, _finite(case)
    everywhere, gamma = finite.completeness(game, policy), case.game.discount
    yield line("ζ_FF", finite.completeness(game, policy, case.distribution))
    yield at_most("max_f min_f' ‖f' - T f‖²_∞", everywhere, because="a mean square is at most the largest square")
    yield line("ζ_F", finite.realizability(game, policy))
    yield at_most(
        "(1+γ)² min_f ‖f - Q_π‖²_∞",
        square(like(1, gamma) + gamma) * square(smallest(_distances(case))),
        "assumption-d.2",
    )
    yield at_most(
        "(1+γ)²/(1-γ)² max_f min_f' ‖f' - T f‖²_∞",
        square((like(1, gamma) + gamma) * case.horizon) * everywhere,
        because="f ↦ the nearest f' to T f ends in a cycle of the finite class, on which ‖f - Q‖ ≤ max ‖f' - T f‖/(1-γ)",
    )


def _count_bound(case: Case) -> Array:
    """``log(|F|/δ)/((1-γ)² n)``: the printed ``K log(|F|/δ)`` for ``K = 1``."""
    return square(case.horizon) / case.number * log(like(_finite(case).size / DELTA, case.system))


def realistic_noise(case: Case) -> Iterator[Line]:
    """``E_D(f_π) ≤ (17/3) log(|F|/δ)/((1-γ)² n) + 2 ζ_F``."""
    game, policy, finite = case.game, case.policy, _finite(case)
    yield line("E_D(f_π)", finite.at_most_realistic(game, policy, finite.errors(game, policy, case.sample)))
    yield at_most(
        "(17/3) log(|F|/δ)/((1-γ)² n) + 2 ζ_F",
        Fraction(17, 3) * _count_bound(case) + 2 * finite.realizability(game, policy),
        because="Bernstein's inequality for (f_π - y)² - (f - y)² and every f, y the target of f_π; √10 s x ≤ x² + (5/2) s²",
    )


def realistic_in_the_limit(case: Case) -> Iterator[Line]:
    """``E(f_π) ≤ ‖f_π - T f_π‖²_{2,μ} ≤ ζ_F`` on the law of the data."""
    own, finite = case.own, _finite(case)
    wrong = finite.tables - finite.backups(case.game, case.policy)
    losses, noise = _losses(case, finite)
    mine = (own * _diagonal(losses)).sum(-1)
    errors = finite.errors(case.game, case.policy, case.law)
    yield line("E(f_π) = L(f_π, f_π) - min_f' L(f', f_π)", (own * errors).sum(-1))
    apart = squares(finite.tables[..., None, :, :, :] - finite.backups(case.game, case.policy)[..., :, None, :, :])
    yield at_most(
        "L(f_π, f_π) - L(T f_π, f_π)",
        mine - (own * noise).sum(-1),
        because="L(f', f) - L(T f, f) = ‖f' - T f‖²_{2,μ} ≥ 0 for every f'",
        axiom=(least_above(losses, noise, (apart * case.distribution).sum((-2, -1))) * own).sum(-1),
    )
    flat = square(wrong).reshape(*wrong.shape[:-2], -1)
    yield equal(
        "‖f_π - T f_π‖²_{2,μ}",
        (own * (flat * case.data).sum(-1)).sum(-1),
        because="L(f, f) - L(T f, f): the noise of the target is the same",
    )
    yield at_most(
        "ζ_F = max (f_π - T f_π)²",
        (own * largest(flat)).sum(-1),
        because="a mean is at most the maximum; f_π has the smallest maximum of the class",
        axiom=(mean_below_largest(case.data, flat) * own).sum(-1),
    )


def _losses(case: Case, finite: FiniteClass) -> tuple[Array, Array]:
    """``L(f', f)`` on the law of the data, ``[F, F']``, and ``L(T f, f)``, ``[F]``, without what is the same for every ``f'``."""
    game, policy = case.game, case.policy
    losses = finite.losses(game, policy, case.law)
    noise = finite.losses(game, policy, case.law, finite.backups(game, policy))
    return moveaxis(losses, 0, -1), _diagonal(moveaxis(noise, 0, -1))


def _diagonal(losses: Array) -> Array:
    """``L(f, f)``"""
    return np.stack([losses[..., f, f] for f in range(losses.shape[-1])], axis=-1)


def finite_generalisation(case: Case) -> Iterator[Line]:
    """``‖f - T f‖_{2,μ} ≤ 4 √(log(|F|/δ)/n)/(1-γ) + √ζ_FF + √E_D(f)`` for every ``f``."""
    game, policy, finite = case.game, case.policy, _finite(case)
    errors = finite.errors(game, policy, case.sample)
    norms = sqrt(_residual_squares(case, finite))
    yield line("‖f - T f‖_{2,μ} - √E_D(f)", norms - sqrt(maximum(errors, like(0, errors))))
    yield at_most(
        "4 √(log(|F|/δ)/n)/(1-γ) + √ζ_FF",
        (4 * sqrt(_count_bound(case)) + sqrt(finite.completeness(game, policy, case.distribution))),
        because="some f' is near T f, and the data tells f from f' uniformly over pairs",
    )


def generalisation_in_the_limit(case: Case) -> Iterator[Line]:
    """``‖f - T f‖²_{2,μ} ≤ E(f) + min_f' ‖f' - T f‖²_{2,μ}`` on the law of the data."""
    finite, near = _finite(case), case.nearest
    backups = finite.backups(case.game, case.policy)
    losses, noise = _losses(case, finite)
    flat = square(finite.tables - backups)
    gaps = square(finite.tables[..., None, :, :, :] - backups[..., :, None, :, :])
    distances = (gaps * case.distribution).sum((-2, -1))
    errors = finite.errors(case.game, case.policy, case.law)
    yield line("‖f - T f‖²_{2,μ}", (flat * case.distribution).sum((-2, -1)))
    yield equal(
        "L(f, f) - L(T f, f)",
        _diagonal(losses) - noise,
        because="L(f', f) = ‖f' - T f‖²_{2,μ} + the noise of the target, which f' does not change",
    )
    yield equal("E(f) + min_f' L(f', f) - L(T f, f)", errors + smallest(losses) - noise, because="definition of E")
    yield at_most(
        "E(f) + L(f°, f) - L(T f, f), f° nearest to T f",
        errors + (near * losses).sum(-1) - noise,
        because="f° is one of the class",
        axiom=(above_smallest(losses) * near).sum(-1),
    )
    nearest = (near * distances).sum(-1)
    yield equal("E(f) + ‖f° - T f‖²_{2,μ}", errors + nearest, because="bias and variance once more")
    yield at_most(
        "E(f) + ζ_FF",
        errors + largest(nearest),
        because="assumption-d.3: ζ_FF = max_f min_f' ‖f' - T f‖²_{2,μ}",
        axiom=below_largest(nearest),
    )


def pessimism(case: Case) -> Iterator[Line]:
    """``J(π) ≥ min_f (f(s_0, π) + λ E_D(f)) - √ζ_F/(1-γ) - λ ε_r`` where ``E_D(f_π) ≤ ε_r``, on any data."""
    game, policy, finite, start, own = case.game, case.policy, _finite(case), case.start, case.own
    penalty, horizon = case.penalty, assume_positive(case.horizon)
    wrong = finite.tables - finite.backups(game, policy)
    flat = wrong.reshape(*wrong.shape[:-2], -1)
    flow = state_action_distribution(visits(game, policy, start), policy, AGENT)
    seen = flow.reshape(*flow.shape[:-2], -1) / horizon
    believed, errors = finite.start_values(policy, start), finite.errors(game, policy, case.sample)
    objective = believed + penalty * errors

    def of_realistic(values: Array) -> Array:
        return (own * values).sum(-1)

    largest_of = of_realistic(horizon * largest(absolute(flat)))
    yield line("J(π) = Q_π(s_0, π)", returns(game, policy, start))
    yield equal(
        "f_π(s_0, π) - 1/(1-γ) E_{d_π} (f_π - T f_π)",
        of_realistic(believed - horizon * (seen * flat).sum(-1)),
        because="the performance difference of f_π, with π for the comparator: Q - f = (I - γP)⁻¹ (T f - f)",
    )
    yield at_least(
        "f_π(s_0, π) - 1/(1-γ) E_{d_π} |f_π - T f_π|",
        of_realistic(believed - horizon * (seen * absolute(flat)).sum(-1)),
        because="x ≤ |x|",
        axiom=((absolute_values(flat) * seen).sum(-1) * own).sum(-1) * horizon,
    )
    yield at_least(
        "f_π(s_0, π) - √ζ_F/(1-γ)",
        of_realistic(believed) - largest_of,
        because="d_π is admissible, and a mean is at most the maximum: √ζ_F = max |f_π - T f_π|",
        axiom=(mean_below_largest(seen, absolute(flat)) * own).sum(-1) * horizon,
    )
    yield at_least(
        "min_f (f(s_0, π) + λ E(f)) - √ζ_F/(1-γ) - λ E(f_π)",
        smallest(objective) - largest_of - penalty * of_realistic(errors),
        because="f_π is one of them",
        axiom=(above_smallest(objective) * own).sum(-1),
    )
    yield at_least(
        "min_f (f(s_0, π) + λ E(f)) - √ζ_F/(1-γ) - λ ε_r",
        smallest(objective) - largest_of - penalty * (of_realistic(errors) + case.slack),
        because="lemma-d.4: E(f_π) ≤ ε_r",
        axiom=nonnegative(penalty * case.slack),
    )


def _own(case: Case) -> Array:
    """1 at ``f_π``, the first ``f`` with the smallest ``max |f - T f|``, and 0 elsewhere: ``[F]``."""
    finite = _finite(case)
    norms = finite.residual_norms(case.game, case.policy)
    return at_largest(-norms, identity(finite.size, case.system))


def _nearest(case: Case) -> Array:
    """1 at the nearest ``f'`` to ``T f`` for every ``f``, and 0 elsewhere: ``[F, F]``."""
    finite = _finite(case)
    gaps = square(finite.tables[..., None, :, :, :] - finite.backups(case.game, case.policy)[..., :, None, :, :])
    distances = (gaps * case.distribution).sum((-2, -1))
    each = [at_largest(-distances[..., f, :], identity(finite.size, case.system)) for f in range(finite.size)]
    return np.stack(each, axis=-2)


SHARES = (
    Table("critics", lambda sizes: (CRITICS, sizes.states, sizes.actions[0]), 0, 9, 9),
    Table("spread", lambda _: (), 0, 9, 9),
    Derived("tables", _tables),
)


SMALL: dict[str, Any] = {"agents": (1, 2), "states": (1, 2), "action_range": (1, 2), "explore": False}


BOUNDED = Setting(
    "a game with rewards in [0, 1], a policy, critics within ±1/(1-γ)",
    (
        *(i for i in SAMPLE if i.name in ("game", "policy", "horizon")),
        Table("critics", lambda sizes: (CRITICS, sizes.states, sizes.actions[0]), -9, 9, 9),
    ),
    (SOUND[0],),
    **SMALL,
)


ENDLESS = tuple(
    GameData(termination=False, reward=(0, 9), scale=9, start=False) if i.name == "game" else i for i in SAMPLE
)
"""The same with a game that goes on for ever, as those of the paper do."""
POPULATION = tuple(i for i in ENDLESS if i.name not in ("counts", "number", "sample"))
CHOSEN = (Derived("own", _own), Derived("nearest", _nearest))
ANY_CLASS = (
    Table("tables", lambda sizes: (CRITICS, sizes.states, sizes.actions[0])),
    Distribution("own", lambda _: (CRITICS,)),
    Distribution("nearest", lambda _: (CRITICS, CRITICS)),
)
"""Two critics, and any mixture of them for ``f_π`` and for what is nearest to ``T f``."""
FINITE = Setting(
    "a finite class of critics on a game, a policy, a distribution of data",
    (*POPULATION, START, *SHARES, *CHOSEN),
    (SOUND[0],),
    **SMALL,
)
ANY_FINITE = Setting(
    "any two critics on a game, a policy, a distribution of data",
    (*POPULATION, START, *ANY_CLASS),
    (SOUND[0],),
    **SMALL,
)


FINITE_SAMPLE = Setting("a finite class of critics, and a sample", (*SAMPLE, *SHARES), SOUND, **SMALL)


PENALTY = (PositiveScalar("penalty"), Table("slack", lambda _: (), 0, 9, 9))
PENALIZED = Setting(
    "a finite class of critics, a sample, a penalty λ, and a tolerance ε_r = E(f_π) + slack",
    (*ENDLESS, START, *SHARES, *PENALTY, CHOSEN[0]),
    SOUND,
    **SMALL,
)
ANY_PENALIZED = Setting("the same for any two critics", (*ENDLESS, START, *ANY_CLASS[:2], *PENALTY), SOUND, **SMALL)


def _lottery() -> Game:
    """A coin decides between 9/10 and 1/10, paid once; then the game is over, so ``T T f = Q`` for every ``f``."""
    half, transition = Fraction(1, 2), np.zeros((3, 2, 3), object)
    transition[0, :, 1:] = half
    reward = exact([[half] * 2, [Fraction(9, 10)] * 2, [Fraction(1, 10)] * 2])
    return Game(exact(transition), reward, exact(half), (2,), name="lottery")


def _around(game: Game, policy: Policy, scales: int) -> Array:
    """Critics around ``Q_π`` at distances that halve, so that at every ``n`` some are as near as the noise: shares of 1/(1-γ)."""
    keep = like(1, System.RATIONALS) - game.discount
    values = agent_values(game, policy)[AGENT] * keep
    corners = [np.ones(values.shape, int), np.indices(values.shape).sum(0) % 2]
    shares = [exact(Fraction(1, 2**j)) for j in range(scales)]
    found = [values + share * (exact(corner) - values) for corner in corners for share in shares]
    return np.stack([values, *found])


def _closed(game: Game, policy: Policy, critics: Array) -> Array:
    """The critics with all ``T f`` and ``T T f``: complete where the game is over after two moves."""
    keep = like(1, System.RATIONALS) - game.discount
    layers = [critics / keep]
    for _ in range(2):
        layers.append(FiniteClass(layers[-1], AGENT).backups(game, policy))
    return np.concatenate(layers) * keep


def _realizable_designs() -> dict[str, dict[str, Any]]:
    """A coin and a lottery with critics around ``Q_π``, which is one of them."""
    designs = {
        game.name: _design(game, lambda game, policy: _around(game, policy, 11)) for game in (coin(), _lottery())
    }
    return designs | {"misfit": _misfit()}


def _toss() -> Game:
    """From the start a coin decides between a state that pays 1, once, and one that pays 0; γ = 1/2; one action."""
    half, transition = Fraction(1, 2), np.zeros((4, 1, 4), object)
    transition[0, 0, 1:3] = half
    transition[1:, 0, 3] = 1
    return Game(exact(transition), exact([[0], [1], [0], [0]]), exact(half), (1,), name="misfit")


def _misfit() -> dict[str, Any]:
    """Two critics, of which the better one misses by 1 at the start, where all data is, and the other fits there."""
    design = _design(_toss(), lambda *_: exact([[5, 4, 0, 0], [1, 4, 8, 0]])[..., None] / 8)
    return design | {"data": exact([1, 0, 0, 0])}


def coefficient_one(case: Case) -> Iterator[Line]:
    """The chance that ``E_D(f_π) > ζ_F + log(|F|/δ)/((1-γ)² n)`` on the misfit, whose ``E_D(f_π)`` is ``max(0, 1 + S/2)``.

    ``S`` is the mean of ``n`` fair signs, and ``n S > 8 log(2/δ)`` if at least ``k`` of them are +, by hypothesis.
    """
    yield line("Pr(at least k of n fair signs are +)", case.tail)
    yield at_most(
        "δ", like(DELTA, case.system), because="as read: coefficient 1 before ζ_F, and 1 before the logarithm"
    )


def _tail(case: Case) -> Array:
    """``Σ_{j ≥ k} C(n, j)/2ⁿ`` with ``n = 50`` times the number of steps, and ``k = n/2 + extra``."""
    number = 50 * case.sizes.steps
    terms = like([comb(number, j) for j in range(number + 1)], case.system)
    places = like(list(range(number + 1)), case.system)
    kept = choose(truth_of(compare(places, "≥", number // 2 + case.extra)), terms, like(0, terms))
    return kept.sum(-1) / 2**number


def _enough_signs(case: Case) -> Truth:
    """``2k - n > 8 log(2/δ)``"""
    return compare(2 * case.extra, ">", 8 * log(like(2 / DELTA, case.system)))


def _complete_designs() -> dict[str, dict[str, Any]]:
    """A lottery with critics around ``Q_π`` and everything that ``T`` makes of them."""
    return {"lottery": _design(_lottery(), lambda game, policy: _closed(game, policy, _around(game, policy, 8)))}


def _design(game: Game, critics: Any) -> dict[str, Any]:
    policy = Policy.uniform(game)
    return {
        "game": game,
        "policy": policy,
        "data": evenly(game.states * game.action_sizes[0]),
        "critics": critics(game, policy),
        "spread": exact(1),
    }


ONE_POLICY = "For each fixed policy, with K = 1 and δ = 1/10; what ζ adds is exact in the part /population."

SIGNS = Setting(
    "the misfit: one action, a fair coin at the start, γ = 1/2, critics (5/4, 1, 0, 0) and (1/4, 1, 2, 0); k = n/2 + extra",
    (Table("extra", lambda _: (), 1, 30), Derived("tail", _tail)),
    (Hypothesis("2k - n > 8 log(2/δ), δ = 1/10", _enough_signs),),
    agents=(1, 1),
    states=(1, 1),
    steps=(1, 10),
    action_range=(1, 1),
    explore=False,
)

CLAIMS = (
    Claim(
        "assumption-d.1",
        "Critics within ±1/(1-γ)",
        "Appendix D, Assumption D.1",
        BOUNDED,
        bounded_class,
        statement="|f| ≤ 1/(1-γ) implies |T f| ≤ 1/(1-γ), and |Q_π| ≤ 1/(1-γ)",
        record=Standing.SURVIVED,
        note="So the bound costs nothing: neither realizability nor completeness can fail because of it.  "
        "|T f| ≤ 1 + γ max |f| is not proved in symbols: a largest entry is bounded by entries at other places.",
    ),
    Claim(
        "assumption-d.2",
        "Realizability ζ_F, computed",
        "Appendix D, Assumption D.2",
        FINITE,
        realizability,
        statement="ζ_F = min_f ‖f - T f‖²_∞ over all distributions; (1-γ)² min_f ‖f - Q_π‖² ≤ ζ_F ≤ (1+γ)² min_f ‖f - Q_π‖²",
        record=Standing.SURVIVED,
        note="A hypothesis of the paper, and a number here.  Admissible distributions only: between d_π and the visited states.  "
        "No line is proved in symbols: which critic is nearest depends on the numbers.",
    ),
    Claim(
        "assumption-d.3",
        "Completeness ζ_FF, computed",
        "Appendix D, Assumption D.3",
        FINITE,
        completeness,
        statement="ζ_FF ≤ max_f min_f' ‖f' - T f‖²_∞, and ζ_F ≤ (1+γ)²/(1-γ)² times that: a complete finite class holds Q_π",
        record=Standing.SURVIVED,
        note="A hypothesis of the paper, and a number here.  The norm cannot be read in the scan; 2,μ is what its proofs use.  "
        "No line is proved in symbols: which critic is nearest depends on the numbers.",
    ),
    Claim(
        "lemma-d.4",
        "The Bellman error of the most realistic critic on a sample",
        "Appendix D, Lemma D.4",
        FINITE_SAMPLE,
        realistic_noise,
        statement="E_D(f_π) ≤ (17/3) log(|F|/δ)/((1-γ)² n) + 2 ζ_F with probability ≥ 1 - δ, for critics in [0, 1/(1-γ)]",
        record=Standing.SUPPORTED,
        note=ONE_POLICY
        + "  The printed O(·) hides constants; these are what the proof gives.  With coefficient 1 before ζ_F no "
        "constant before the logarithm is enough: lemma-d.4/coefficient-one.",
        experiment=Experiment(_realizable_designs, law, DELTA),
    ),
    Claim(
        "lemma-d.4/coefficient-one",
        "The same with coefficient 1 before ζ_F",
        "Appendix D, Lemma D.4, O(·) before the logarithm only",
        SIGNS,
        coefficient_one,
        statement="E_D(f_π) ≤ log(|F|/δ)/((1-γ)² n) + ζ_F with probability ≥ 1 - δ",
        record=Standing.REFUTED,
        note="ζ_F = 1, |F| = 2, H = 2.  With c before the logarithm: more than 4c log(2/δ) of the n signs too many, which has "
        "probability → 1/2.  So O(·) must cover ζ_F as well.",
        repaired_by="lemma-d.4",
        kind=Kind.READING,
    ),
    Claim(
        "lemma-d.4/population",
        "The same without noise",
        "Appendix D, Lemma D.4, n → ∞",
        FINITE,
        realistic_in_the_limit,
        statement="E(f_π) ≤ ‖f_π - T f_π‖²_{2,μ} ≤ ζ_F",
        record=Standing.PROVED,
        general=General(ANY_FINITE),
        symbolic=(Sizes(1, (2,)), Sizes(1, (2, 2)), Sizes(2, (1,))),
        kind=Kind.READING,
    ),
    Claim(
        "lemma-d.5",
        "Small Bellman error on a sample means small residual",
        "Appendix D, Lemma D.5",
        FINITE_SAMPLE,
        finite_generalisation,
        statement="‖f - T f‖_{2,μ} ≤ 4 √(log(|F|/δ)/n)/(1-γ) + √ζ_FF + √E_D(f) for every f in [0, 1/(1-γ)], with probability "
        "≥ 1 - δ",
        record=Standing.SUPPORTED,
        note=ONE_POLICY,
        experiment=Experiment(_complete_designs, law, DELTA),
    ),
    Claim(
        "lemma-d.5/population",
        "The same without noise",
        "Appendix D, Lemma D.5, n → ∞",
        FINITE,
        generalisation_in_the_limit,
        statement="‖f - T f‖²_{2,μ} = E(f) + min_f' ‖f' - T f‖²_{2,μ} ≤ E(f) + ζ_FF",
        record=Standing.PROVED,
        general=General(ANY_FINITE),
        symbolic=(Sizes(1, (2,)), Sizes(1, (2, 2)), Sizes(2, (1,))),
        kind=Kind.READING,
    ),
    Claim(
        "lemma-d.6",
        "Pessimism: the chosen value is a lower bound",
        "Appendix D, Lemma D.6",
        PENALIZED,
        pessimism,
        statement="J(π) ≥ min_f (f(s_0, π) + λ E_D(f)) - √ζ_F/(1-γ) - λ ε_r wherever E_D(f_π) ≤ ε_r, for d_π admissible",
        record=Standing.PROVED,
        general=General(ANY_PENALIZED),
        symbolic=(Sizes(1, (2,)), Sizes(1, (2, 2)), Sizes(2, (1,))),
    ),
)
