"""Appendix D: finite classes of critics, the assumptions as numbers, and Lemmas D.4 to D.6.

``ζ_F`` and ``ζ_FF`` are computed, and what is claimed is how they bound each other and the distance to ``Q_π``.  As in Lemmas C.1
and C.2 the agents up to ``m`` count as one agent, so ``m = 1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from ...arithmetic import (
    Array,
    System,
    absolute,
    as_array,
    contract,
    identity,
    largest,
    lift,
    like,
    log,
    maximum,
    smallest,
    sqrt,
    square,
)
from ...claims.case import Case
from ...claims.claim import Claim, Kind, Line, at_least, at_most, equal, line
from ...claims.experiment import Experiment
from ...claims.ingredients import START, Derived, PositiveScalar, Table
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
    return as_array(values + lift(case.spread, 3) * (case.critics * lift(case.horizon, 3) - values))


def _finite(case: Case) -> FiniteClass:
    return FiniteClass(case.tables, AGENT)


def _distances(case: Case) -> Array:
    """``‖f - Q_π‖_∞`` for every ``f``, ``[..., |F|]``."""
    values = agent_values(case.game, case.policy)[AGENT][..., None, :, :]
    return largest(absolute(case.tables - values), (-2, -1))


def _residual_squares(case: Case, finite: FiniteClass) -> Array:
    """``‖f - T f‖²_{2,μ}`` for every ``f``, ``[..., |F|]``."""
    squares = square(finite.tables - finite.backups(case.game, case.policy))
    return as_array((squares * case.distribution[..., None, :, :]).sum((-2, -1)))


def bounded_class(case: Case) -> Iterator[Line]:
    """``|f| ≤ 1/(1-γ)`` is kept by ``T``, and ``Q_π`` satisfies it."""
    tables = as_array(case.critics * lift(case.horizon, 3))
    sizes = largest(absolute(tables), (-2, -1))
    backups = FiniteClass(tables, AGENT).backups(case.game, case.policy)
    yield line("max |T f|", largest(absolute(backups), (-2, -1)))
    yield at_most(
        "1 + γ max |f|",
        like(1, sizes) + lift(case.game.discount, 1) * sizes,
        because="rewards lie in [0, 1], and averages of f are no larger than f",
    )
    yield at_most("1/(1-γ)", lift(case.horizon, 1), because="|f| ≤ 1/(1-γ)")
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
    seen = state_action_distribution(visits(game, policy, case.start) / lift(case.horizon, 1), policy, AGENT)
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
    return as_array(square(case.horizon) / case.number * log(like(_finite(case).size / DELTA, case.system)))


def realistic_noise(case: Case) -> Iterator[Line]:
    """``E_D(f_π) ≤ log(|F|/δ)/((1-γ)² n) + ζ_F``."""
    game, policy, finite = case.game, case.policy, _finite(case)
    yield line("E_D(f_π)", finite.at_most_realistic(game, policy, finite.errors(game, policy, case.sample)))
    yield at_most(
        "log(|F|/δ)/((1-γ)² n) + ζ_F",
        _count_bound(case) + finite.realizability(game, policy),
        because="Bernstein's inequality for (f_π - y)² - (f - y)² and every f, y the target of f_π",
    )


def realistic_in_the_limit(case: Case) -> Iterator[Line]:
    """``E(f_π) ≤ ‖f_π - T f_π‖²_{2,μ} ≤ ζ_F`` on the law of the data."""
    game, policy, finite = case.game, case.policy, _finite(case)
    yield line("E(f_π)", finite.at_most_realistic(game, policy, finite.errors(game, policy, case.law)))
    yield at_most(
        "‖f_π - T f_π‖²_{2,μ}",
        finite.at_most_realistic(game, policy, _residual_squares(case, finite)),
        because="L(f', f) ≥ L(T f, f)",
    )
    yield at_most("ζ_F", finite.realizability(game, policy), because="assumption-d.2")


def finite_generalisation(case: Case) -> Iterator[Line]:
    """``‖f - T f‖_{2,μ} ≤ √(log(|F|/δ)/n)/(1-γ) + √ζ_FF + √E_D(f)`` for every ``f``."""
    game, policy, finite = case.game, case.policy, _finite(case)
    errors = finite.errors(game, policy, case.sample)
    norms = sqrt(_residual_squares(case, finite))
    yield line("‖f - T f‖_{2,μ} - √E_D(f)", norms - sqrt(maximum(errors, like(0, errors))))
    yield at_most(
        "√(log(|F|/δ)/n)/(1-γ) + √ζ_FF",
        lift(sqrt(_count_bound(case)) + sqrt(finite.completeness(game, policy, case.distribution)), 1),
        because="some f' is near T f, and the data tells f from f' uniformly over pairs",
    )


def generalisation_in_the_limit(case: Case) -> Iterator[Line]:
    """``‖f - T f‖²_{2,μ} = E(f) + min_f' ‖f' - T f‖²_{2,μ}`` on the law of the data."""
    game, policy, finite = case.game, case.policy, _finite(case)
    gaps = square(finite.tables[..., :, None, :, :] - finite.backups(game, policy)[..., None, :, :, :])
    nearest = smallest(as_array((gaps * case.distribution[..., None, None, :, :]).sum((-2, -1))), -2)
    errors = finite.errors(game, policy, case.law)
    yield line("‖f - T f‖²_{2,μ}", _residual_squares(case, finite))
    yield equal(
        "E(f) + min_f' ‖f' - T f‖²_{2,μ}",
        errors + nearest,
        because="L(f', f) = ‖f' - T f‖²_{2,μ} + the noise of the target, which f' does not change",
    )
    yield at_most(
        "E(f) + ζ_FF", errors + lift(finite.completeness(game, policy, case.distribution), 1), because="assumption-d.3"
    )


def pessimism(case: Case) -> Iterator[Line]:
    """``J(π) ≥ min_f (f(s_0, π) + λ E_D(f)) - √ζ_F/(1-γ) - λ ε_r`` where ``E_D(f_π) ≤ ε_r``, on any data."""
    game, policy, finite, start = case.game, case.policy, _finite(case), case.start
    price = case.price
    wrong = finite.backups(game, policy) - finite.tables
    flow = state_action_distribution(visits(game, policy, start), policy, AGENT)
    drift = contract("...sp,...fsp->...f", flow, wrong)

    def of_realistic(table: Array) -> Array:
        return finite.at_most_realistic(game, policy, table)

    believed = of_realistic(finite.start_values(policy, start))
    root = as_array(of_realistic(finite.residual_norms(game, policy)) * case.horizon)
    tolerance = of_realistic(finite.errors(game, policy, case.sample)) + case.slack
    yield line("J(π) = Q_π(s_0, π)", returns(game, policy, start))
    yield equal(
        "f_π(s_0, π) + Σ_s d(s) E_π (T f_π - f_π)",
        believed + of_realistic(drift),
        because="Q - f = (I - γP)⁻¹ (T f - f)",
    )
    yield at_least(
        "f_π(s_0, π) - √ζ_F/(1-γ)", believed - root, because="d_π is admissible, and visits sum to ≤ 1/(1-γ)"
    )
    yield at_least(
        "min_f (f(s_0, π) + λ E(f)) - √ζ_F/(1-γ) - λ ε_r",
        smallest(finite.objective(game, policy, case.sample, price, start)) - root - price * tolerance,
        because="f_π is one of them, and lemma-d.4: E(f_π) ≤ ε_r",
    )


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


FINITE = Setting(
    "a finite class of critics on a game, a policy, a distribution of data",
    (*(i for i in SAMPLE if i.name not in ("counts", "number", "sample")), START, *SHARES),
    (SOUND[0],),
    **SMALL,
)


FINITE_SAMPLE = Setting("a finite class of critics, and a sample", (*SAMPLE, *SHARES), SOUND, **SMALL)


PRICED = Setting(
    "a finite class of critics, a sample, a price λ, and a tolerance ε_r = E(f_π) + slack",
    (
        *SAMPLE,
        START,
        *SHARES,
        PositiveScalar("price"),
        Table("slack", lambda _: (), 0, 9, 9),
    ),
    SOUND,
    **SMALL,
)


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
    return as_array(np.concatenate(layers) * keep)


def _realizable_designs() -> dict[str, dict[str, Any]]:
    """A coin and a lottery with critics around ``Q_π``, which is one of them."""
    return {game.name: _design(game, lambda game, policy: _around(game, policy, 11)) for game in (coin(), _lottery())}


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


ONE_POLICY = (
    "For each fixed policy, with K = 1 and δ = 1/10, which makes the bound hardest to meet; ζ = 0 in every design, and what "
    "ζ adds is exact, in the part /population."
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
        note="So the bound costs nothing: neither realizability nor completeness can fail because of it.",
    ),
    Claim(
        "assumption-d.2",
        "Realizability ζ_F, computed",
        "Appendix D, Assumption D.2",
        FINITE,
        realizability,
        statement="ζ_F = min_f ‖f - T f‖²_∞ over all distributions; (1-γ)² min_f ‖f - Q_π‖² ≤ ζ_F ≤ (1+γ)² min_f ‖f - Q_π‖²",
        record=Standing.SURVIVED,
        note="A hypothesis of the paper, and a number here.  Admissible distributions only: between d_π and the visited states.",
    ),
    Claim(
        "assumption-d.3",
        "Completeness ζ_FF, computed",
        "Appendix D, Assumption D.3",
        FINITE,
        completeness,
        statement="ζ_FF ≤ max_f min_f' ‖f' - T f‖²_∞, and ζ_F ≤ (1+γ)²/(1-γ)² times that: a complete finite class holds Q_π",
        record=Standing.SURVIVED,
        note="A hypothesis of the paper, and a number here.  The norm cannot be read in the scan; 2,μ is what its proofs use.",
    ),
    Claim(
        "lemma-d.4",
        "The Bellman error of the most realistic critic on a sample",
        "Appendix D, Lemma D.4",
        FINITE_SAMPLE,
        realistic_noise,
        statement="E_D(f_π) ≤ K log(|F|/δ)/((1-γ)² n) + ζ_F with probability ≥ 1 - δ",
        record=Standing.SUPPORTED,
        note=ONE_POLICY,
        experiment=Experiment(_realizable_designs, law, DELTA),
    ),
    Claim(
        "lemma-d.4/population",
        "The same without noise",
        "Appendix D, Lemma D.4, n → ∞",
        FINITE,
        realistic_in_the_limit,
        statement="E(f_π) ≤ ‖f_π - T f_π‖²_{2,μ} ≤ ζ_F",
        record=Standing.SURVIVED,
        kind=Kind.READING,
    ),
    Claim(
        "lemma-d.5",
        "Small Bellman error on a sample means small residual",
        "Appendix D, Lemma D.5",
        FINITE_SAMPLE,
        finite_generalisation,
        statement="‖f - T f‖_{2,μ} ≤ √(K log(|F|/δ)/n)/(1-γ) + √ζ_FF + √E_D(f) for every f, with probability ≥ 1 - δ",
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
        record=Standing.SURVIVED,
        kind=Kind.READING,
    ),
    Claim(
        "lemma-d.6",
        "Pessimism: the chosen value is a lower bound",
        "Appendix D, Lemma D.6",
        PRICED,
        pessimism,
        statement="J(π) ≥ min_f (f(s_0, π) + λ E_D(f)) - √ζ_F/(1-γ) - λ ε_r wherever E_D(f_π) ≤ ε_r, for d_π admissible",
        record=Standing.SURVIVED,
    ),
)
