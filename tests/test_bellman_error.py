"""Bellman errors and pessimistic evaluation against explicit loops over the data, and every certificate against planted lies."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
import oracle
from mappo_verify.arithmetic import System, floats_of, like, pseudo_solve
from mappo_verify.quantities import quadratic_program as qp
from mappo_verify.quantities.bellman_error import sampled_error, unseen_error
from mappo_verify.quantities.constrained_evaluation import _enclosing, _Search, _Simplex, inner_minimum
from mappo_verify.quantities.quadratic_program import Multipliers, Quadratic, Region, minimise
from mappo_verify.quantities.reference_solvers import inner_minimum_by_cvxpy, pessimistic_step_by_cvxpy

ROUNDING = 1e-10
"""Problems below are of size 1 and conditioned better than 1e5, so double precision leaves eleven digits."""
SOLVER = 1e-6
"""What cvxpy's default tolerances promise."""


def rational(values):
    """Integers and Fractions as an exact array."""
    return like(np.asarray(values, dtype=object), System.RATIONALS)


def draw_data(rng, size, count, rank=None, points=12):
    """Features with small denominators at a few points, and ``(φ, γφ', r, weights)`` sampled from them, as Fractions."""
    table = [[Fraction(int(k), 8) for k in row] for row in rng.integers(0, 9, (points, size if rank is None else rank))]
    if rank is not None:  # columns beyond the rank are sums of the first two
        table = [row + [row[0] + row[1]] * (size - rank) for row in table]
    here, there = rng.integers(0, points, count), rng.integers(0, points, count)
    raw = [int(k) for k in rng.integers(1, 5, count)]
    return {
        "table": table,
        "points": [table[i] for i in here],
        "following": [[Fraction(9, 10) * x for x in table[i]] for i in there],
        "rewards": [Fraction(int(k), 4) for k in rng.integers(0, 5, count)],
        "weights": [Fraction(w, sum(raw)) for w in raw],
    }


def arrays(data, exact):
    convert = rational if exact else lambda values: np.array(values, dtype=float)
    return {name: convert(values) for name, values in data.items()}


def moments_from(data, exact=False):
    given = arrays(data, exact)
    return mv.quantities.moments_of(given["points"], given["following"], given["rewards"], given["weights"])


def problem(seed, size=3, count=30, rank=None, radius=10, ceiling=3, exact=False):
    """``(moments, direction, class)``; the direction is the mean of the features."""
    data = draw_data(np.random.default_rng(seed), size, count, rank)
    table = arrays(data, exact)["table"]
    convert = rational if exact else float
    return (
        moments_from(data, exact),
        table.sum(0) / len(table),
        mv.quantities.LinearClass(table, convert(radius), convert(ceiling)),
    )


def loss(data, candidate, weights):
    """``L(w', w)`` by a loop over the data."""
    total = 0
    for x, y, r, p in zip(data["points"], data["following"], data["rewards"], data["weights"], strict=True):
        here = sum(a * b for a, b in zip(x, candidate, strict=True))
        ahead = sum(a * b for a, b in zip(y, weights, strict=True))
        total += p * (here - r - ahead) ** 2
    return total


def least_loss(data, weights):
    """``min_{w'} L(w', w)`` by least squares on the rows themselves."""
    given = arrays(data, exact=False)
    root = np.sqrt(given["weights"])
    target = root * (given["rewards"] + given["following"] @ weights)
    rows = root[:, None] * given["points"]
    return float(((rows @ np.linalg.lstsq(rows, target)[0] - target) ** 2).sum())


# --- moments and the Bellman error ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_moments_are_sums_over_the_data(seed):
    data = draw_data(np.random.default_rng(seed), 2, 5)
    moments = moments_from(data, exact=True)
    rows = list(zip(data["points"], data["following"], data["rewards"], data["weights"], strict=True))
    for i in range(2):
        assert oracle.fractions(moments.reward)[i] == sum(p * x[i] * r for x, _, r, p in rows)
        for j in range(2):
            assert oracle.fractions(moments.gram)[i][j] == sum(p * x[i] * x[j] for x, _, _, p in rows)
            assert oracle.fractions(moments.operator)[i][j] == sum(p * x[i] * (x[j] - y[j]) for x, y, _, p in rows)


@pytest.mark.parametrize(("size", "rank"), [(1, None), (3, None), (4, 2)])
def test_bellman_error_is_the_loss_above_the_least_loss(size, rank):
    rng = np.random.default_rng(size)
    data = draw_data(rng, size, 20, rank)
    moments = moments_from(data)
    for weights in rng.normal(size=(5, size)):
        expected = float(loss(data, weights, weights)) - least_loss(data, weights)
        assert moments.error(weights) == pytest.approx(expected, abs=ROUNDING)
        best = moments.projected(weights)
        assert float(loss(data, best, weights)) == pytest.approx(least_loss(data, weights), abs=ROUNDING)


@pytest.mark.parametrize("rank", [None, 2])
def test_rationals_and_floats_agree(rank):
    data = draw_data(np.random.default_rng(5), 3, 20, rank)
    exact, rounded = moments_from(data, exact=True), moments_from(data)
    weights = [Fraction(1, 3), Fraction(-2, 7), Fraction(5)]
    assert float(exact.error(rational(weights))) == pytest.approx(rounded.error(np.array(weights, float)), rel=1e-9)
    assert floats_of(exact.projected(rational(weights))) == pytest.approx(rounded.projected(np.array(weights, float)))


def test_population_moments_by_loops_over_a_game():
    game, policy, _ = oracle.draw_case(7)
    assert len(game["sizes"]) > 1
    subject = mv.Game(**oracle.arguments(game))
    played = mv.Policy([rational(table) for table in policy])
    rng = np.random.default_rng(0)
    for m in range(1, len(game["sizes"]) + 1):
        prefixes, states = oracle.tuples(game["sizes"][:m]), len(game["P"])
        table = rng.integers(-3, 4, (states, len(prefixes), 2)).tolist()
        weight = oracle.normalised([int(k) for k in rng.integers(0, 5, states * len(prefixes))])
        moments = mv.quantities.population_moments(
            subject, played, rational(table).reshape(-1, 2), rational(weight).reshape(states, -1), m
        )
        rewards = oracle.bellman_operator(game, policy, [[0] * len(prefixes)] * states, m)
        columns = [[[entry[k] for entry in row] for row in table] for k in range(2)]
        ahead = [oracle.bellman_operator(game, policy, column, m) for column in columns]
        gram, operator, reward = np.zeros((2, 2), object), np.zeros((2, 2), object), np.zeros(2, object)
        for place, p in enumerate(weight):
            s, a = divmod(place, len(prefixes))
            for i in range(2):
                reward[i] += p * table[s][a][i] * rewards[s][a]
                for j in range(2):
                    gram[i, j] += p * table[s][a][i] * table[s][a][j]
                    operator[i, j] += p * table[s][a][i] * (table[s][a][j] - ahead[j][s][a] + rewards[s][a])
        assert oracle.fractions(moments.gram) == gram.tolist()
        assert oracle.fractions(moments.operator) == operator.tolist()
        assert oracle.fractions(moments.reward) == reward.tolist()
        start = mv.quantities.start_features(
            subject, played, rational(table).reshape(-1, 2), m, rational(game["start"])
        )
        expected = [
            sum(
                rho * oracle.prefix_probability(policy, game["sizes"], s, a) * table[s][i][k]
                for s, rho in enumerate(game["start"])
                for i, a in enumerate(prefixes)
            )
            for k in range(2)
        ]
        assert oracle.fractions(start) == expected


@pytest.mark.parametrize(("games", "policies", "tables"), [((2,), (), ()), ((), (2,), ()), ((2, 1), (3,), (2, 3))])
@pytest.mark.parametrize("m", [1, 2])
def test_population_moments_of_a_batch_are_those_of_each(games, policies, tables, m):
    """Games, policies, features and ``μ`` with batches of their own, which broadcast."""
    rng = np.random.default_rng(3)
    moves = rng.dirichlet(np.ones(3), (*games, 3, 6))
    game = mv.Game(moves, rng.normal(size=(*games, 3, 6)), rng.uniform(0, 0.9, games), (2, 3))
    policy = mv.Policy([rng.dirichlet(np.ones(n), (*policies, 3, p)) for n, p in ((2, 1), (3, 2))])
    columns = 2 if m == 1 else 6
    features = rng.normal(size=(*tables, 3 * columns, 2))
    weight = rng.dirichlet(np.ones(3 * columns), tables).reshape(*tables, 3, columns)
    batch = np.broadcast_shapes(games, policies, tables)
    found = mv.quantities.population_moments(game, policy, features, weight, m)
    start = mv.quantities.start_features(game, policy, features, m, np.array([0.5, 0.25, 0.25]))
    assert found.gram.shape == found.operator.shape == (*batch, 2, 2) and start.shape[-1] == 2

    def at(array, core, index):
        return np.broadcast_to(array, batch + np.shape(array)[np.ndim(array) - core :])[index]

    for index in np.ndindex(batch):
        one = mv.Game(
            at(game.transition, 3, index), at(game.reward, 2, index), float(at(game.discount, 0, index)), (2, 3)
        )
        other = mv.Policy([at(factor, 3, index) for factor in policy.factors])
        alone = mv.quantities.population_moments(one, other, at(features, 2, index), at(weight, 2, index), m)
        for name, core in (("gram", 2), ("operator", 2), ("reward", 1)):
            assert at(getattr(found, name), core, index) == pytest.approx(getattr(alone, name), rel=1e-12, abs=0), name
        own = mv.quantities.start_features(one, other, at(features, 2, index), m, np.array([0.5, 0.25, 0.25]))
        assert at(start, 1, index) == pytest.approx(own, rel=1e-12, abs=0)


def test_moments_are_products_in_every_number_system():
    rng = np.random.default_rng(4)
    points, following, rewards = (rng.integers(-3, 4, shape) for shape in ((2, 5, 2), (2, 5, 2), (2, 5)))
    weights = np.full((2, 5), Fraction(1, 5))
    exact = mv.quantities.moments_of(
        *map(rational, (points.tolist(), following.tolist(), rewards.tolist(), weights.tolist()))
    )
    plain = mv.quantities.moments_of(
        points.astype(float), following.astype(float), rewards.astype(float), weights.astype(float)
    )
    for k in range(2):
        weighted = points[k].T * Fraction(1, 5)
        assert oracle.fractions(exact.gram[k]) == (weighted @ points[k]).tolist()
        assert oracle.fractions(exact.operator[k]) == (weighted @ (points[k] - following[k])).tolist()
        assert oracle.fractions(exact.reward[k]) == (weighted @ rewards[k]).tolist()
    for name in ("gram", "operator", "reward"):
        assert floats_of(getattr(exact, name)) == pytest.approx(getattr(plain, name), rel=1e-14, abs=0)


def test_the_true_values_have_no_bellman_error():
    game = mv.random_game(states=3, action_sizes=(2, 2))
    policy = mv.Policy.uniform(game)
    for m, values in enumerate(mv.agent_values(game, policy)[1:], start=1):
        points = values.size
        weights = rational([[Fraction(1, points)] * values.shape[-1]] * 3)
        moments = mv.quantities.population_moments(
            game, policy, rational(np.eye(points, dtype=int).tolist()), weights, m
        )
        assert not (moments.equation_error(values.ravel()) != 0).any()
        assert moments.error(values.ravel()) == 0
        assert moments.error(values.ravel() + 1) > 0


# --- the step without constraints ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("penalty", [0.5, 7.0])
def test_the_gradient_vanishes_at_the_step(penalty):
    moments, direction, _ = problem(0)
    weights = mv.quantities.pessimistic_step(moments, direction, penalty).weights
    value = moments.objective(weights, direction, penalty)
    for unit in 1e-4 * np.eye(3):
        ahead, behind = (moments.objective(weights + sign * unit, direction, penalty) for sign in (1, -1))
        assert ahead - behind == pytest.approx(0, abs=1e-9 * abs(value))
        assert ahead > value < behind  # a wrong factor of λ or a transposed A would fall on one side


def test_the_closed_form_for_invertible_moments():
    """``A⁻¹b - (1/2λ) A⁻¹ΣA⁻ᵀc``, and neither with λ for 2λ nor with A for Aᵀ."""
    moments, direction, _ = problem(1)
    inverse, penalty = np.linalg.inv(moments.operator), 3.0
    found = mv.quantities.pessimistic_step(moments, direction, penalty).weights

    def closed(factor, second):
        return inverse @ moments.reward - factor / penalty * inverse @ moments.gram @ second @ direction

    assert found == pytest.approx(closed(0.5, inverse.T), rel=1e-9)
    assert found != pytest.approx(closed(1.0, inverse.T), rel=1e-2)
    assert found != pytest.approx(closed(0.5, inverse), rel=1e-2)


def test_exact_step_equals_float_step():
    exact, rounded = problem(2, exact=True), problem(2)
    step = mv.quantities.pessimistic_step(exact[0], exact[1], Fraction(7, 2))
    assert floats_of(step.weights) == pytest.approx(
        mv.quantities.pessimistic_step(rounded[0], rounded[1], 3.5).weights, rel=1e-9
    )
    assert step.bounded


@pytest.mark.parametrize("exact", [False, True])
def test_singular_moments_with_a_direction_in_their_row_space(exact):
    moments, direction, _ = problem(3, size=4, rank=2, exact=exact)
    step = mv.quantities.pessimistic_step(moments, direction, like(2, direction))
    assert step.bounded
    assert floats_of(np.asarray(step.weights[2] - step.weights[3])) == pytest.approx(0, abs=ROUNDING)  # the shortest
    value = float(moments.objective(step.weights, direction, 2))
    for change in np.random.default_rng(0).integers(-2, 3, (20, 4)):
        moved = step.weights + like(change.tolist(), direction)
        assert float(moments.objective(moved, direction, 2)) >= value - ROUNDING


@pytest.mark.parametrize("exact", [False, True])
def test_singular_moments_and_a_direction_outside_have_no_minimum(exact):
    moments, direction, _ = problem(3, size=4, rank=2, exact=exact)
    outside = direction + like([0, 0, 1, 0], direction)
    step = mv.quantities.pessimistic_step(moments, outside, 2)
    assert not step.bounded
    values = [float(moments.objective(step.weights + step.descent * k, outside, 2)) for k in range(4)]
    drops = -np.diff(values)
    assert (drops > 0.1).all() and drops == pytest.approx(drops[0])  # for ever: linearly, not to a minimum


def test_a_batch_of_steps_is_every_step():
    problems = [problem(seed)[:2] for seed in range(3)]
    parts = [(moments.gram, moments.operator, moments.reward, direction) for moments, direction in problems]
    gram, operator, reward, directions = map(np.stack, zip(*parts, strict=True))
    penalties = np.array([1.0, 2.0, 3.0])
    together = mv.quantities.pessimistic_step(mv.quantities.Moments(gram, operator, reward), directions, penalties)
    for place, (moments, direction) in enumerate(problems):
        alone = mv.quantities.pessimistic_step(moments, direction, penalties[place])
        assert together.weights[place] == pytest.approx(alone.weights, rel=1e-9)
    assert together.bounded.all()


@pytest.mark.parametrize(
    ("penalty", "message"), [(0, "λ = 0 is not positive"), (-1.5, "λ = -1.5 is not"), (np.nan, "λ = nan is not finite")]
)
def test_the_penalty_must_be_positive(penalty, message):
    moments, direction, critics = problem(0)
    with pytest.raises(mv.errors.GameError, match=message):
        mv.quantities.pessimistic_step(moments, direction, penalty)
    with pytest.raises(mv.errors.GameError, match=message):
        mv.quantities.constrained_step(moments, direction, penalty, critics)


def test_what_is_not_finite_is_named():
    data = arrays(draw_data(np.random.default_rng(0), 2, 5), exact=False)
    given = [data[name] for name in ("points", "following", "rewards", "weights")]
    for place, name in enumerate(("φ", r"γ φ\(s'\)", "r", "the weights")):
        bad = [array.copy() for array in given]
        bad[place][3] = np.nan
        with pytest.raises(mv.errors.GameError, match=rf"{name}\[3.*\] = nan is not finite"):
            mv.quantities.moments_of(*bad)
    with pytest.raises(mv.errors.GameError, match=r"the moment b\[1\] = inf"):
        mv.quantities.Moments(np.eye(2), np.eye(2), np.array([0, np.inf]))
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(mv.errors.GameError, match="the moment Σ"):
        mv.quantities.moments_of(1e200 * given[0], *given[1:])  # finite data whose squares are not
    moments, direction, _ = problem(0)
    direction[2] = np.inf
    with pytest.raises(mv.errors.GameError, match=r"the direction c\[2\] = inf"):
        mv.quantities.pessimistic_step(moments, direction, 1.0)


def test_shapes_that_do_not_fit_are_named():
    game = mv.named_game("climbing")
    with pytest.raises(
        mv.errors.GameError, match=r"do not fit agent 2: they need \[\.\.\., 9, d\] and \[\.\.\., 1, 9\]"
    ):
        mv.quantities.population_moments(game, mv.Policy.uniform(game), rational([[1]] * 3), rational([[1, 0, 0]]), 2)
    moments, direction, _ = problem(0)
    with pytest.raises(mv.errors.GameError, match="the class has 2 features and the moments have 3"):
        mv.quantities.constrained_step(moments, direction, 1.0, mv.quantities.LinearClass(np.ones((4, 2)), 1.0, 1.0))


def test_features_of_a_batch_are_those_of_its_members():
    """Two tables of features on one game: moments and the features of states, one by one and together."""
    game = mv.named_game("random:3x2x2:1").floats()
    policy, mu = mv.Policy.uniform(game), np.full((3, 4), 1 / 12)
    features = np.random.default_rng(0).normal(size=(2, 12, 5))
    together = mv.quantities.population_moments(game, policy, features, mu, 2)
    ahead = mv.quantities.state_features(game, policy, features, 2)
    for place, alone in enumerate(features):
        one = mv.quantities.population_moments(game, policy, alone, mu, 2)
        for part in ("gram", "operator", "reward"):
            assert getattr(together, part)[place] == pytest.approx(getattr(one, part))
        assert ahead[place] == pytest.approx(alone.reshape(3, 4, 5).mean(1))


def test_errors_of_samples_by_hand():
    """``(3 log 2/2 + 1) 4/8`` and ``7 √(4/8 (3 log(1 + 8) + 1))``: d = 3, log(1/δ) = 1, 1/(1-γ) = 2, n = 8, L(1-γ) = ½."""
    assert sampled_error(2.0, 8.0, 3, 1.0) == pytest.approx((1.5 * np.log(2) + 1) / 2)
    assert unseen_error(2.0, 8.0, 3, 0.5, 1.0) == pytest.approx(7 * np.sqrt((3 * np.log(9) + 1) / 2))


# --- solving with a singular matrix -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [0, 1, 3, 4])
@pytest.mark.parametrize("exact", [False, True])
def test_pseudo_solve_is_moore_penrose(rank, exact):
    rng = np.random.default_rng(rank)
    rows = rng.integers(-2, 3, (rank, 4)) if rank else np.zeros((1, 4), int)
    if rank == 4:
        rows = rows + 9 * np.eye(4, dtype=int)
    whole, right = rows.T @ rows, rng.integers(-3, 4, (4, 2))
    solution, remainder = pseudo_solve(*(rational(x.tolist()) if exact else x.astype(float) for x in (whole, right)))
    inverse = np.linalg.pinv(whole.astype(float))
    assert floats_of(solution) == pytest.approx(inverse @ right, abs=1e-9)
    assert floats_of(remainder) == pytest.approx(right - whole @ inverse @ right, abs=1e-9)
    if np.linalg.matrix_rank(whole) == 4:
        assert not remainder.any()  # exactly 0, in floats too


# --- the class --------------------------------------------------------------------------------------------------------------


def test_the_class_is_its_definition():
    _, _, critics = problem(0, radius=1, ceiling=1)
    for weights in np.random.default_rng(0).normal(size=(200, 3)) / 2:
        values = [sum(x * w for x, w in zip(row, weights, strict=True)) for row in critics.features]
        inside = all(0 <= v <= 1 for v in values) and sum(w * w for w in weights) <= 1
        assert (critics.contains(weights) > 0) == inside


@pytest.mark.parametrize(
    ("radius", "ceiling", "message"),
    [
        (0.0, 1.0, "the radius L = 0.0 is not positive"),
        (1.0, -1.0, r"the ceiling 1/\(1-γ\) = -1.0 is not positive"),
        (np.inf, 1.0, "the radius L = inf is not finite"),
        (1.0, np.nan, "the ceiling .* = nan is not finite"),
    ],
)
def test_a_class_without_room_is_refused(radius, ceiling, message):
    with pytest.raises(mv.errors.GameError, match=message):
        mv.quantities.LinearClass(np.ones((2, 2)), radius, ceiling)


def test_features_that_are_not_finite_are_named():
    with pytest.raises(mv.errors.GameError, match=r"the features\[1, 0\] = nan"):
        mv.quantities.LinearClass(np.array([[1.0], [np.nan]]), 1.0, 1.0)


# --- the step over the class ------------------------------------------------------------------------------------------------

CASES = [
    # size, rank, radius, ceiling, penalty, route
    (3, None, 50, 50, 50, "closed form"),
    (3, None, 10, 1, 2, "active set"),
    (3, None, Fraction(1, 4), 1, 9, "ball"),
    (1, None, 10, 1, 2, "active set"),
    (5, 3, 10, 1, 2, "active set"),
    (5, 3, Fraction(1, 2), 2, 100, "ball"),
    (16, None, 10, 1, 50, "active set"),
    (16, None, Fraction(1, 2), 2, 50, "ball"),
]


def case(number, exact):
    size, rank, radius, ceiling, penalty, route = CASES[number]
    count = 30 if size < 16 else 200
    moments, direction, critics = problem(number, size, count, rank, radius, ceiling, exact)
    return moments, direction, penalty, critics, route


@pytest.mark.parametrize("number", range(len(CASES)))
def test_three_ways_agree(number):
    """Closed form or solver, exact arithmetic, and cvxpy: one minimum, by its value."""
    moments, direction, penalty, critics, route = case(number, exact=False)
    step = mv.quantities.constrained_step(moments, direction, penalty, critics)
    assert step.route in {"ball": ("sphere", "active set")}.get(route, (route,))
    assert (step.multipliers.ball > 0) == (route == "ball")
    assert step.gap == pytest.approx(0, abs=1e-8 * (1 + abs(step.objective)))
    assert step.violation <= 1e-9
    assert step.objective == pytest.approx(moments.objective(step.weights, direction, penalty), abs=1e-8)
    peer = pessimistic_step_by_cvxpy(moments, direction, penalty, critics)
    assert moments.objective(peer, direction, penalty) == pytest.approx(step.objective, abs=SOLVER, rel=SOLVER)

    exact = case(number, exact=True)
    certified = mv.quantities.constrained_step(*exact[:4])
    assert exact[3].contains(certified.weights) > 0 and certified.violation == 0  # not within rounding: beyond doubt
    assert certified.lower <= certified.objective
    assert float(certified.objective) == pytest.approx(step.objective, abs=1e-8, rel=1e-8)
    assert float(certified.gap) <= 1e-12
    if route != "ball":
        assert certified.gap == 0


@pytest.mark.parametrize("number", range(len(CASES)))
def test_no_critic_of_the_class_is_better(number):
    moments, direction, penalty, critics, _ = case(number, exact=False)
    step = mv.quantities.constrained_step(moments, direction, penalty, critics)
    rng, tried = np.random.default_rng(0), 0
    for scale in (1, 0.1, 0.01):
        for noise in rng.normal(size=(200, len(direction))):
            weights = (1 - scale / 4) * (step.weights + scale * noise / 10)
            if critics.contains(weights) > 0:
                tried += 1
                assert moments.objective(weights, direction, penalty) >= step.lower - ROUNDING
    assert moments.objective(0 * direction, direction, penalty) >= step.lower - ROUNDING
    assert tried or number > 3


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    ("matrix", "below", "above", "ball", "radius", "bound"),
    [
        # q = (1, 3), k = 10, rows (1, 0) from -1 to 2 and (1, 1) from -3 to 4;  p = q + Rᵀ(y⁻ - y⁺)/2
        ([[1, 0], [0, 1]], (0, 0), (0, 0), 0, 2, 10 - (1 + 9)),  # v = p = (1, 3)
        ([[1, 0], [0, 1]], (0, 0), (2, 2), 0, 2, 10 - 2 * 2 - 4 * 2 - (1 + 4)),  # p = (-1, 2)
        ([[1, 0], [0, 1]], (2, 4), (0, 0), 0, 2, 10 - 2 - 3 * 4 - (16 + 25)),  # p = (4, 5)
        ([[1, 0], [0, 1]], (0, 0), (0, 2), 1, 3, 10 - 4 * 2 - 9 - 2 * (0 + 1)),  # p = (0, 2), M = 2I, v = (0, 1)
        (
            [[2, 0], [0, 0]],
            (0, 0),
            (0, 2),
            0,
            3,
            10 - 4 * 2 - 0 - 2 * 3 * 2,
        ),  # p = (0, 2): e = (0, 2) that M does not reach
        ([[2, 1], [1, 2]], (0, 0), (0, 0), 1, 5, 10 - 25 - 3),  # M = ((3, 1), (1, 3)): v = (0, 1), pᵀv = 3
    ],
)
def test_the_dual_bound_by_hand(matrix, below, above, ball, radius, bound, exact):
    number = rational if exact else lambda values: np.asarray(values, float)
    form = Quadratic(number(matrix), number([1, 3]), number(10))
    region = Region(number([[1, 0], [1, 1]]), number([-1, -3]), number([2, 4]), number(radius))
    found = region.dual_bound(form, Multipliers(number(below), number(above), number(ball)))
    assert float(found) == pytest.approx(bound, abs=1e-12)


@pytest.mark.parametrize(
    ("weights", "by"),
    [
        ((0, 0), 0),
        ((1, 1), 0),
        ((2, 1), 1 / 4),
        ((1, 3), 6 / 4),
        ((-2, 0), 1),
        ((-1.5, -2), 2.25 / 4),
        ((-1.9, -1.2), 0.9),
    ],
)
def test_by_how_much_a_point_leaves_a_region(weights, by):
    """Sides -1 ≤ w₁ ≤ 2 and -3 ≤ w₁ + w₂ ≤ 4, and the ball of radius 2: ``(‖w‖² - 4)/4``, the worst of these."""
    region = Region(np.array([[1.0, 0], [1, 1]]), np.array([-1.0, -3]), np.array([2.0, 4]), 2.0)
    assert float(region.violation(np.array(weights, float))) == pytest.approx(by)


def test_the_dual_bound_holds_for_any_multipliers():
    """Weak duality by brute force, on an indifferent direction, so that nothing is special; and not for negative penalties."""
    rng = np.random.default_rng(1)
    for exact in (False, True):
        moments, direction, critics = problem(4, radius=1, ceiling=1, exact=exact)
        form = moments.pessimism(direction, 2)
        zero = like(np.zeros(12, int), direction)
        region = Region(critics.features, zero, zero + critics.ceiling, critics.radius)
        draws = rng.integers(-4, 5, (400, 3))
        inside = [w for w in (like(row.tolist(), direction) / 8 for row in draws) if critics.contains(w) > 0]
        assert len(inside) > 10
        least = min(form.value(w) for w in inside)
        for below, above, ball in zip(*(rng.integers(0, 3, (20, k)) for k in (12, 12, 1)), strict=True):
            penalties = Multipliers(
                *(like(p.tolist(), direction) for p in (below, above)), like(int(ball[0]), direction)
            )
            assert region.dual_bound(form, penalties) <= least
        lie = Multipliers(zero - 100, zero - 100, zero[0])
        assert region.dual_bound(form, lie) > least


def test_certify_step_takes_floats_as_the_dyadic_numbers_they_are():
    moments, direction, critics = problem(1, ceiling=1)
    step = mv.quantities.certify_step(moments, direction, 2, critics)
    assert step.gap == 0 and step.violation == 0
    assert float(step.objective) == pytest.approx(
        mv.quantities.constrained_step(moments, direction, 2, critics).objective, rel=1e-9
    )
    exact = problem(1, ceiling=1, exact=True)
    assert mv.quantities.certify_step(exact[0], exact[1], Fraction(2), exact[2]).gap == 0


def test_a_rounded_singular_gram_matrix_is_not_certified():
    """(0.9, 0.3) is not dyadic, so its rounded outer product has a negative eigenvalue of 1e-18, and no bound would hold."""
    row = np.array([0.9, 0.3])
    moments, critics = (
        mv.quantities.Moments(np.outer(row, row), np.outer(row, row), row),
        mv.quantities.LinearClass(np.eye(2), 1.0, 1.0),
    )
    assert mv.quantities.constrained_step(moments, row, 1, critics).violation <= 1e-9
    with pytest.raises(mv.errors.GameError, match=r"not positive semidefinite: elimination meets .*exact data"):
        mv.quantities.certify_step(moments, row, 1, critics)


def test_balls_have_no_constrained_minimum():
    moments, direction, critics = problem(0, ceiling=1, exact=True)
    arb = [
        np.vectorize(lambda x: like(0, System.BALLS).item() + x, otypes=[object])(part)
        for part in (
            moments.gram,
            moments.operator,
            moments.reward,
            direction,
            critics.features,
            critics.radius,
            critics.ceiling,
        )
    ]
    with pytest.raises(mv.errors.GameError, match="for floats and rationals, not for balls"):
        mv.quantities.constrained_step(mv.quantities.Moments(*arb[:3]), arb[3], 2, mv.quantities.LinearClass(*arb[4:]))


@pytest.mark.parametrize("exact", [False, True])
def test_a_batch_of_constrained_steps_is_every_step(exact):
    problems = [problem(seed, ceiling=1, exact=exact) for seed in (1, 2)]
    parts = [(m.gram, m.operator, m.reward, c, f.features) for m, c, f in problems]
    gram, operator, reward, directions, features = map(np.stack, zip(*parts, strict=True))
    critics = mv.quantities.LinearClass(features, problems[0][2].radius, problems[0][2].ceiling)
    together = mv.quantities.constrained_step(mv.quantities.Moments(gram, operator, reward), directions, 2, critics)
    assert together.weights.shape == (2, 3) and together.multipliers.above.shape == (2, 12)
    for place, (moments, direction, alone) in enumerate(problems):
        step = mv.quantities.constrained_step(moments, direction, 2, alone)
        assert floats_of(together.weights[place]) == pytest.approx(floats_of(step.weights), rel=1e-9)
        assert together.route[place] == step.route
        assert float(together.gap[place]) == pytest.approx(float(step.gap), abs=ROUNDING)


@pytest.mark.parametrize("upper", [2.0, -2.0])
def test_a_bracket_is_closed_within_its_tolerance(upper):
    """A tenth of ``1 + |upper| = 3``: .3 at most."""
    moments, direction, critics = problem(0)
    search = _Search(moments, critics, moments.pessimism(direction, 1.0), 1.0, tolerance=0.1)
    search.upper = upper
    assert search.closed and search.lower == upper
    for width, closed in ((0.29, True), (0.31, False)):
        search.waiting = [(upper - width, 0, None)]
        assert search.closed == closed and search.lower == upper - width
    search.waiting = [(upper + 1, 0, None)]
    assert search.lower == upper


# --- solvers are not trusted --------------------------------------------------------------------------------------------------


def test_a_solver_that_lies_is_caught(monkeypatch):
    import daqp

    honest = daqp.solve
    moments, direction, critics = problem(1, ceiling=1)
    truth = mv.quantities.constrained_step(moments, direction, 2, critics)
    assert truth.route == "active set"

    def lies(change):
        def solve(*arguments, **settings):
            weights, value, outcome, details = honest(*arguments, **settings)
            return change(weights, value, outcome, details)

        return solve

    for change in (
        lambda w, v, o, d: (w + 0.1, v, o, d),  # not the minimiser
        lambda w, v, o, d: (w, v, o, {**d, "lam": 0 * d["lam"]}),  # not its penalties
        lambda w, v, _, d: (w, v, -4, d),  # gave up
    ):
        monkeypatch.setattr(daqp, "solve", lies(change))
        rescued = mv.quantities.constrained_step(moments, direction, 2, critics)
        assert rescued.route == "conic" and rescued.objective == pytest.approx(truth.objective, abs=1e-8)

    monkeypatch.setattr(qp, "_by_cone", lambda *_: replace(truth, lower=truth.lower - 1))
    with pytest.raises(mv.errors.SolverError, match="duality gap 1, "):
        mv.quantities.constrained_step(moments, direction, 2, critics)


@pytest.mark.parametrize("number", range(1, len(CASES)))
def test_clarabel_alone_finds_the_same(monkeypatch, number):
    import daqp

    moments, direction, penalty, critics, _ = case(number, exact=False)
    truth = mv.quantities.constrained_step(moments, direction, penalty, critics)
    monkeypatch.setattr(daqp, "solve", lambda *_, **__: (None, None, -4, {}))
    monkeypatch.setattr(qp, "_on_the_sphere", lambda *_: replace(truth, lower=truth.lower - 1))
    step = mv.quantities.constrained_step(moments, direction, penalty, critics)
    assert step.route == "conic"
    assert abs(step.gap) <= SOLVER * (1 + abs(step.objective)) and step.violation <= SOLVER
    assert step.objective == pytest.approx(truth.objective, rel=SOLVER, abs=SOLVER)


def test_a_wrong_point_of_the_sphere_is_caught(monkeypatch):
    moments, direction, critics = problem(2, radius=Fraction(1, 4), ceiling=1)
    truth = mv.quantities.constrained_step(moments, direction, 9, critics)
    assert truth.route == "sphere" and truth.multipliers.ball > 0
    honest = qp._certified

    def lies(form, region, weights, *rest):
        return honest(form, region, weights + (1e-3 if rest[1] == "sphere" else 0), *rest)

    monkeypatch.setattr(qp, "_certified", lies)
    rescued = mv.quantities.constrained_step(moments, direction, 9, critics)
    assert rescued.route == "active set" and rescued.objective == pytest.approx(truth.objective, abs=1e-8)


@pytest.mark.parametrize("number", range(6))
def test_ball_and_slabs_at_once(monkeypatch, number):
    """Against Clarabel, which is told of all constraints together; from a guess on either side, and from few rows."""
    rng = np.random.default_rng(number)
    rows = rng.random((60, 8))
    factor = rng.normal(size=(8, 8))
    form = Quadratic(factor.T @ factor + 0.1 * np.eye(8), 3 * rng.normal(size=8), 1.0)
    region = Region(rows, np.zeros(60), np.full(60, 0.4), 0.3)
    truth = qp._by_cone(form, region)
    assert truth.multipliers.ball > 1e-6 and (truth.multipliers.below + truth.multipliers.above > 1e-6).any()
    for guess in (1e-3, 1.0, 1e3):
        found = qp._between_slabs(form, region, guess)
        assert found.route == "active set" and found.violation <= 1e-10 and abs(found.gap) <= 1e-10
        np.testing.assert_allclose(found.weights, truth.weights, atol=1e-5)
        assert found.multipliers.ball == pytest.approx(truth.multipliers.ball, rel=1e-4)
    honest = qp._daqp_by_few

    def lies(*arguments):
        weights, signed = honest(*arguments)
        return weights * 1.1, signed

    monkeypatch.setattr(qp, "_daqp_by_few", lies)
    rescued = minimise(form, region)
    assert rescued.route == "conic" and rescued.objective == pytest.approx(truth.objective, abs=1e-8)


def test_a_conic_solver_that_returns_nothing_is_named(monkeypatch):
    import clarabel
    import daqp

    class Nothing:
        def __init__(self, *_):
            self.status, self.x, self.z = "NumericalError", [np.nan] * 3, [np.nan] * 28

        def solve(self):
            return self

    moments, direction, critics = problem(2, radius=Fraction(1, 4), ceiling=1)
    monkeypatch.setattr(daqp, "solve", lambda *_, **__: (None, None, -4, {}))
    monkeypatch.setattr(clarabel, "DefaultSolver", Nothing)
    truth = mv.quantities.constrained_step(moments, direction, 9, critics)
    monkeypatch.setattr(qp, "_on_the_sphere", lambda *_: replace(truth, lower=truth.lower - 1))
    with pytest.raises(mv.errors.SolverError, match="Clarabel reports NumericalError"):
        mv.quantities.constrained_step(moments, direction, 9, critics)


def test_an_empty_region_is_named():
    form = Quadratic(np.eye(2), np.zeros(2), 0.0)
    with pytest.raises(mv.errors.InfeasibleError, match="its slabs do not meet"):
        minimise(form, Region(np.array([[1.0, 0], [1, 0]]), np.array([1.0, 3]), np.array([2.0, 4]), 9.0))
    with pytest.raises(mv.errors.InfeasibleError, match="its slabs and its ball do not meet"):
        minimise(form, Region(np.array([[1.0, 0]]), np.array([2.0]), np.array([3.0]), 1.0))


def test_nothing_to_minimise_is_any_point_of_the_region():
    region = Region(np.eye(2), np.ones(2), np.full(2, 2.0), 9.0)
    found = minimise(Quadratic(np.zeros((2, 2)), np.zeros(2), 5.0), region)
    assert (
        found.objective == 5 and found.lower == pytest.approx(5, abs=1e-9) and region.violation(found.weights) <= 1e-9
    )


def test_rows_that_the_floats_missed_are_taken_in(monkeypatch):
    moments, direction, critics = problem(1, ceiling=1, exact=True)
    truth = mv.quantities.constrained_step(moments, direction, 2, critics)

    def blind(form, region, *_):
        zero = np.zeros(len(region.low))
        return qp._certified(form, region, floats_of(truth.weights), Multipliers(zero, zero, np.asarray(0.0)), "conic")

    monkeypatch.setattr(qp, "_by_solver", blind)
    monkeypatch.setattr(qp, "_by_active_set", blind)
    found = mv.quantities.constrained_step(moments, direction, 2, critics)
    assert found.violation == 0 and found.lower <= truth.objective <= found.objective
    monkeypatch.setattr(qp, "REPAIRS", 0)
    with pytest.raises(mv.errors.SolverError, match="no exact point"):
        mv.quantities.constrained_step(moments, direction, 2, critics)


# --- the class's own Bellman error ----------------------------------------------------------------------------------------------


def appendix_c(exact=True):
    """The example of section-c.1: ``(moments, class)``."""
    number = rational if exact else lambda values: np.asarray(values, float)
    game = mv.Game([[[0, 1]], [[0, 1]]], [[0], [0]], Fraction(9, 10))
    game = game if exact else game.floats()
    features = number([[Fraction(1, 2)], [1]])
    moments = mv.quantities.population_moments(game, mv.Policy.uniform(game), features, number([[1], [0]]), 1)
    return moments, mv.quantities.LinearClass(features, number(10), number(10))


def test_section_c1_the_class_error_is_not_convex():
    moments, critics = appendix_c()
    for numerator in range(41):
        w = Fraction(numerator, 4)
        expected = 4 * w**2 / 25 if w <= Fraction(50, 9) else -13 * w**2 / 20 + 9 * w - 25
        found = mv.quantities.class_bellman_error(moments, critics, rational([w]))
        assert found.lower == found.upper == rational(expected)
        assert found.width == 0
    six, eight, ten = (mv.quantities.class_bellman_error(moments, critics, rational([w])).upper for w in (6, 8, 10))
    assert (six, eight, ten) == tuple(rational([Fraction(28, 5), Fraction(27, 5), 0]))
    assert eight > (six + ten) / 2  # above the chord: not convex


def test_section_c1_the_closed_form_leaves_the_range():
    moments, critics = appendix_c()
    free = mv.quantities.pessimistic_step(moments, rational([Fraction(1, 2)]), 1)
    assert oracle.fractions(free.weights) == [Fraction(-25, 16)] and critics.contains(free.weights) < 0
    step = mv.quantities.constrained_step(moments, rational([Fraction(1, 2)]), 1, critics)
    assert (step.weights[0], step.objective, step.gap) == (0, 0, 0)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_class_error_by_its_definition(number):
    """``L(w, w) - L(w'', w)`` with cvxpy's ``w''``; never above the unconstrained error, never negative on the class."""
    moments, _, _, critics, _ = case(number, exact=False)
    size, ceiling = moments.reward.shape[-1], float(critics.ceiling)
    rng = np.random.default_rng(number)
    for weights in (*rng.normal(size=(3, size)), *(ceiling * rng.random((2, size)) / size)):
        found = mv.quantities.class_bellman_error(moments, critics, weights)
        peer = inner_minimum_by_cvxpy(moments, critics, weights)
        slope = moments.equation_error(weights)
        change = peer - weights
        expected = -(change @ moments.gram @ change + 2 * change @ slope)
        size_of = 1 + abs(expected)
        assert found.lower - SOLVER * size_of <= expected <= found.upper + SOLVER * size_of
        assert found.width <= 1e-8 * size_of
        assert found.upper <= moments.error(weights) + ROUNDING * size_of
        if critics.contains(weights) > 0:
            assert found.upper >= -ROUNDING


@pytest.mark.parametrize("number", [1, 2, 4])
def test_exact_class_error_agrees_with_floats(number):
    exact, rounded = case(number, exact=True), case(number, exact=False)
    weights = [Fraction(k, 3) for k in range(exact[1].size)]
    certified = mv.quantities.class_bellman_error(exact[0], exact[3], rational(weights))
    found = mv.quantities.class_bellman_error(rounded[0], rounded[3], np.array(weights, float))
    assert certified.lower <= certified.upper
    assert float(certified.upper) == pytest.approx(found.upper, rel=1e-8)


def test_a_batch_of_class_errors_is_every_error():
    moments, critics = appendix_c(exact=False)
    points = np.array([[1.0], [6.0], [8.0], [10.0]])
    assert mv.quantities.class_bellman_error(moments, critics, points).upper == pytest.approx(
        [0.16, 5.6, 5.4, 0], abs=1e-9
    )


# --- the global step over the class ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("direction", "penalty"), [(0.5, 1.0), (-1.0, 0.1), (-0.9, 1.0), (-0.4, 0.1), (-0.35, 0.05)])
def test_global_step_on_section_c1(direction, penalty):
    moments, critics = appendix_c(exact=False)
    grid = np.linspace(0, 10, 4001)
    error = np.where(grid <= 50 / 9, 4 * grid**2 / 25, -13 * grid**2 / 20 + 9 * grid - 25)
    step = mv.quantities.class_pessimistic_step(moments, np.array([direction]), penalty, critics)
    assert step.closed and step.bracket.width <= 1e-5
    assert step.bracket.upper == pytest.approx((direction * grid + penalty * error).min(), abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_global_step_against_a_grid_in_two_dimensions(seed):
    moments, direction, critics = problem(seed, size=2, count=6, radius=4, ceiling=1)
    direction = direction * np.array([1, -1])
    step = mv.quantities.class_pessimistic_step(moments, direction, 20.0, critics)
    assert step.closed
    axis = np.linspace(-4, 4, 161)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    grid = grid[critics.contains(grid) > 0]
    assert len(grid) > 50
    values = grid[::7] @ direction + 20.0 * mv.quantities.class_bellman_error(moments, critics, grid[::7]).upper
    assert values.min() >= step.bracket.lower - 1e-9
    there = step.weights @ direction + 20.0 * mv.quantities.class_bellman_error(moments, critics, step.weights).upper
    assert there == pytest.approx(step.bracket.upper, abs=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_an_improvement_ends_where_nothing_near_is_better(seed):
    """From a corner of the class the value falls until no direction within the class leads further down."""
    moments, direction, critics = problem(seed, size=2, count=6, radius=4, ceiling=1)
    search = _Search(moments, critics, moments.pessimism(direction, 20.0), 20.0, tolerance=1e-9)

    def value(weights):
        return float(search.form.value(weights) - 20.0 * inner_minimum(moments, critics, weights).lower)

    first = search.within(np.array([4.0, -4.0]))
    search.improve(first)
    assert search.upper == value(search.best) <= value(first)
    generator = np.random.default_rng(seed)
    for length in (1e-3, 1e-2):
        for _ in range(25):
            near = search.within(search.best + length * generator.normal(size=2))
            assert value(near) >= search.upper - 1e-6 - length**2


def test_a_region_that_holds_0_is_not_empty():
    rows = np.array([[-3.0, 0], [2, 3], [0, -3]])
    only_zero = Region(rows, np.zeros(3), np.full(3, 2.0), 1.0)  # 0 ≤ Rw leaves nothing else; daqp calls it empty
    found = minimise(Quadratic(np.zeros((2, 2)), np.array([-0.5, 0]), np.asarray(0.0)), only_zero)
    assert found.weights == pytest.approx([0, 0], abs=1e-6)


@pytest.mark.parametrize("seed", [3, 23, 24])
def test_global_step_stays_in_the_class(seed):
    generator = np.random.default_rng(seed)
    features = generator.random((2, 2)) * 0.7
    game = mv.Game(np.ones((1, 2, 1)), [[0, 0]], 0.9, (2,))
    moments = mv.quantities.population_moments(game, mv.Policy.uniform(game), features, np.array([[1.0, 0.0]]), 1)
    critics = mv.quantities.LinearClass(features, 1.0, 10.0)
    step = mv.quantities.class_pessimistic_step(moments, generator.normal(size=2), 500.0, critics)
    assert step.closed
    assert np.linalg.norm(step.weights) <= 1 + 1e-12
    assert (features @ step.weights).min() >= -1e-9


def test_global_step_says_when_its_budget_is_spent():
    moments, direction, critics = problem(5, size=6, count=18, radius=5, ceiling=1)
    short, long = (
        mv.quantities.class_pessimistic_step(moments, -direction, 20.0, critics, budget=b) for b in (10, 300)
    )
    assert not short.closed and short.evaluations < long.evaluations
    assert short.bracket.lower <= long.bracket.lower <= long.bracket.upper <= short.bracket.upper


def test_a_simplex_outside_the_region_is_recognised():
    region = Region(np.array([[1.0, 0]]), np.array([0.0]), np.array([2.0]), 3.0)
    for corners, misses in (
        ([[-1, 0], [-2, 0], [-1, 1]], True),  # below the slab
        ([[4, 0], [5, 0], [4, 1]], True),  # above it
        ([[0, 4], [1, 5], [1, 4]], True),  # beyond the ball
        ([[-1, 0], [1, 0], [0, 1]], False),
        ([[0, 2], [1, 5], [1, 4]], False),
    ):
        assert _Simplex(np.array(corners, float), np.zeros(3)).misses(region) == misses


@pytest.mark.parametrize(
    ("slab", "low", "total"),
    [
        ((-9, 9), (-1, -1), (2 + 2**0.5, 2 + 2**0.5)),  # the unit disc: w_1 + w_2 ≤ √2
        ((0, 9), (0, -1), ((1 + 5**0.5) / 2, 1 + 5**0.5)),  # its right half: w_1 + (w_2 + 1)/2 ≤ (1 + √5)/2
        ((0.5, 0.75), (0.5, -(0.75**0.5)), None),
    ],
)
def test_the_first_simplex_holds_the_region_closely(slab, low, total):
    """``w ≥ lo`` with the lowest ``lo``, and the least ``Σ (w_i - lo_i)/(hi_i - lo_i)`` that the region allows."""
    region = Region(np.array([[1.0, 0.0]]), np.array(slab[:1], float), np.array(slab[1:], float), 1.0)
    corners = _enclosing(region)
    assert (
        (corners[0] < low).all()
        and corners[0] == pytest.approx(low, abs=1e-5)
        and (np.diff(corners, axis=0)[0, 1], corners[2, 0])
        == (
            0,
            corners[0, 0],
        )
    )
    edges = np.diag(corners[1:] - corners[0])
    if total is not None:
        assert edges == pytest.approx(total, abs=3e-5)
    angles = np.linspace(0, 2 * np.pi, 200)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    inside = points[(points[:, 0] >= slab[0]) & (points[:, 0] <= slab[1])]
    shares = (inside - corners[0]) / edges
    assert len(inside) and shares.min() >= 0 and 0.9 < shares.sum(-1).max() <= 1


def test_inner_minimum_is_zero_where_the_target_is_in_the_class():
    moments, _, critics = problem(0, ceiling=9)
    assert critics.contains(moments.projected(np.full(3, 0.5))) > 0
    assert inner_minimum(moments, critics, np.full(3, 0.5)).objective == pytest.approx(0, abs=ROUNDING)
