"""Quantities by hand where a slip would change little: the last agent, the second batch axis, an answer that stays open."""

from __future__ import annotations

import sys
from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, like
from mappo_verify.arithmetic.formulas import called
from mappo_verify.errors import GameError
from mappo_verify.model.trees import hidden
from mappo_verify.quantities.certified import EXACT_WORK, compared, work
from mappo_verify.quantities.off_policy import expected_vtrace, vtrace_policy
from mappo_verify.quantities.quadratic_program import (
    ConstrainedStep,
    Multipliers,
    Quadratic,
    Region,
    _accurate,
    _on_the_sphere,
    _require_semidefinite,
)
from mappo_verify.quantities.reference_solvers import (
    _roots,
    inner_minimum_by_cvxpy,
    mirror_step_by_solver,
    pessimistic_step_by_cvxpy,
)
from mappo_verify.quantities.update_errors import Update, odds_change, safe_odds_change

F = Fraction


def test_by_how_much_a_ball_is_left():
    """``(‖w‖² - L²)/2L``: of length 3 and ``L = 2`` it is 5/4, of length 2 and 1 nothing."""
    region = Region(np.zeros((0, 2)), np.zeros(0), np.zeros(0), 2.0)
    assert region.beyond(np.array([[3.0, 0.0], [0.0, -2.0], [1.0, 0.0]])).tolist() == [1.25, 0, 0]
    assert region.violation(np.array([0.0, 3.0])) == 1.25 and region.violation(np.array([1.0, 1.0])) == 0
    slabs = Region(np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([0.0, -1.0]), np.array([1.0, 1.0]), 9.0)
    assert slabs.violation(np.array([1.0, 0.0])) == 1 and slabs.violation(np.array([-1.0, 0.0])) == 2
    assert slabs.violation(np.array([0.25, -3.0])) == 2 == slabs.violation(np.array([0.25, 3.0]))


# --- floats whose signs are certified ----------------------------------------------------------------------------------


def test_what_exact_values_cost():
    assert work(3, 4) == 9 * (9 + 4) + 1_000 and work(3, 4, 5) == 5 * work(3, 4) and work(1, 1) == 1_002


@pytest.mark.parametrize(("room", "exact"), [(0, True), (-1, False)])
def test_which_gaps_are_computed_exactly(monkeypatch, room, exact):
    """Two agents' best responses and the policy itself: three times the work of one game, and of a batch of all its games."""
    generator, asked, own = np.random.default_rng(9), [], mv.Game.exact
    games = mv.Game(
        generator.dirichlet(np.ones(2), (3, 2, 4)), generator.normal(size=(3, 2, 4)), 0.5, (2, 2), start=[0.5, 0.5]
    )
    policy = mv.Policy.product([generator.dirichlet(np.ones(2), 2) for _ in range(2)])
    wanted = mv.nash_gaps(games.exact(), policy.exact()).astype(float)
    monkeypatch.setattr(sys.modules["mappo_verify.quantities.equilibria"], "EXACT_WORK", 3 * work(2, 4, 3) + room)
    monkeypatch.setattr(mv.Game, "exact", lambda self: asked.append(1) or own(self))
    assert mv.nash_gaps(games, policy) == pytest.approx(wanted, rel=1e-9, abs=1e-12) and bool(asked) == exact


TIE = ([[[0.5, 0.5], [0.25, 0.75]], [[0.125, 0.875], [0.875, 0.125]]], [[0.25, 0.25], [0.25, 0.25]])
"""Whatever is done, 1/4 is paid for ever: advantages are 0, and no enclosure of another chain says so."""


def test_ties_are_decided_by_rationals():
    tie = mv.Game(*TIE, 0.875)
    found = compared(tie, np.array([0, 1]))
    assert found.decided.all() and not found.advantage.any() and found.excess == 0
    assert (found.low < 2).all() and (found.high > 2).all() and (found.high - found.low < 1e-15).all()
    better = mv.Game(TIE[0], [[0.25, 0.25], [0.25, 0.25 + 2.0**-50]], 0.875)  # hardly, and only in state 1
    found = compared(better, np.array([0, 0]))
    assert found.decided.all() and np.sign(found.advantage).tolist() == [[0, 0], [0, 1]]
    assert 2.0**-50 <= found.excess <= 2.0**-50 * (1 + 1e-12) and found.advantage[1, 1] == 2.0**-50


def test_games_of_a_batch_are_decided_one_by_one():
    """The second is settled by enclosures, the others by rationals; what one says is not told of its neighbours."""
    rewards = np.stack([TIE[1], [[1.0, 0.0], [0.0, 1.0]], [[0.25, 0.25], [0.25, 0.25 + 2.0**-50]]])
    games = mv.Game(np.array(TIE[0]), rewards, 0.875)
    actions = np.array([[0, 1], [0, 1], [0, 0]])
    found = compared(games, actions)
    assert found.decided.all() and found.low.shape == (3, 2) and found.advantage.shape == (3, 2, 2)
    for k in range(3):
        alone = compared(mv.Game(TIE[0], rewards[k], 0.875), actions[k])
        for name in ("low", "high", "advantage", "excess"):
            assert np.array_equal(getattr(found, name)[k], getattr(alone, name)), (k, name)
    assert (
        found.excess.tolist() == [0, 0, pytest.approx(2.0**-50, rel=1e-12, abs=0)] and (found.advantage[1] <= 0).all()
    )


def test_what_would_take_too_long_stays_open():
    states = 60
    assert work(states, 2) > EXACT_WORK
    chain = np.full((states, 2, states), 1 / states)
    chain[:, 1] = np.roll(np.eye(states), 1, axis=1)
    found = compared(mv.Game(chain, np.full((states, 2), 0.25), 0.875), np.zeros(states, int))
    assert not found.decided[:, 1].any() and found.decided[:, 0].all() and 0 < found.excess < 1e-12
    assert (found.low <= 2).all() and (found.high >= 2).all()


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_bounds_of_a_batch(batch):
    generator = np.random.default_rng(1)
    games = mv.Game(generator.dirichlet(np.ones(3), (*batch, 3, 2)), generator.normal(size=(*batch, 3, 2)), 0.9)
    policies = mv.Policy([generator.dirichlet(np.ones(2), (*batch[1:], 3, 1))])
    low, high = mv.quantities.value_bounds(games, policies)
    exact = mv.state_values(games.exact(), policies.exact())
    assert low.shape == (*batch, 3) == high.shape
    for least, most, value in zip(low.ravel().tolist(), high.ravel().tolist(), exact.ravel(), strict=True):
        value = F(int(value.p), int(value.q))
        assert F(least) <= value <= F(most) and F(most) - F(least) < F(1, 10**12)


def test_a_result_that_was_given_keeps_its_formula():
    """Whichever argument it is."""
    one, two = (hidden(np.array([value]), System.RATIONALS, 1) for value in (1, 2))
    assert called("f", one, (one, two)) is one and called("f", two, (one, two)) is two
    third = hidden(np.array([3]), System.RATIONALS, 1)
    assert called("f", third, (one, two)) is not third


# --- one instance ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", [System.RATIONALS, System.ENCLOSURES, System.BALLS])
def test_two_classes_have_no_stationary_distribution_in_a_proof(system):
    stay = mv.Game([[[1, 0]], [[0, 1]]], [[0], [0]], F(1, 2)).exact()
    move = mv.Game([[[0, 1]], [[F(1, 4), F(3, 4)]]], [[0], [0]], F(1, 2)).exact()
    policy = mv.Policy.uniform(stay)
    with pytest.raises(GameError, match="no stationary distribution, or several"):
        mv.stationary_distribution(hidden(stay, system, 0), hidden(policy, system, 0))
    found = mv.stationary_distribution(hidden(move, system, 0), hidden(policy, system, 0))
    wanted = like(np.array([F(1, 5), F(4, 5)], dtype=object), found)
    assert (abs(found - wanted) <= like(F(1, 10**12), found)).all()._parts[0] > 0


def test_optimality_is_not_certified_where_it_is_open():
    game = mv.Game([[[1], [1]]], [[F(1, 3), F(1, 4)]], F(1, 2)).exact()
    best = mv.optimal(game)
    assert mv.quantities.certify_optimality(game, best.values, best.actions).holds
    balls = game.balls()
    again = mv.quantities.certify_optimality(balls, mv.state_values(balls, best.policy.balls()), best.actions)
    assert not again.holds


def test_errors_name_the_second_axis_of_a_batch():
    moves = np.zeros((2, 3, 2, 1, 2))
    moves[...] = [[[0, 1]], [[1, 0]]]
    moves[1, 2] = [[[1, 0]], [[0, 1]]]
    games = mv.Game(moves, np.zeros((2, 3, 2, 1)), 0.5)
    with pytest.raises(GameError, match=r"several recurrent classes at batch index \[1, 2\]: \{0\}; \{1\}"):
        mv.stationary_distribution(games, mv.Policy([np.ones((2, 1, 1))]))
    moves[1, 2] = 0
    with pytest.raises(GameError, match=r"no stationary distribution at batch index \[1, 2\]"):
        mv.stationary_distribution(mv.Game(moves, np.zeros((2, 3, 2, 1)), 0.5), mv.Policy([np.ones((2, 1, 1))]))


def test_a_chosen_class_of_several():
    moves = np.array([[[1, 0, 0, 0]], [[0, 0, 1, 0]], [[0, 1, 0, 0]], [[0.25, 0.25, 0.25, 0.25]]], float)
    game = mv.Game(moves, np.zeros((4, 1)), 0.5, state_names=("a", "b", "c", "d"))
    policy = mv.Policy.uniform(game)
    assert mv.stationary_distribution(game, policy, (0,)).tolist() == [1, 0, 0, 0]
    assert mv.stationary_distribution(game, policy, (2, 1, 2)).tolist() == [0, 0.5, 0.5, 0]
    with pytest.raises(GameError, match=r"\{a\}; \{b, c\}"):
        mv.stationary_distribution(game, policy)
    for chosen, complaint in (
        ((0, 1), "not one"),
        ((1,), "not one"),
        ((3,), "not one"),
        ((0, 4), "0..3"),
        ((-1,), "0..3"),
        ((), "0..3"),
    ):
        with pytest.raises(GameError, match=complaint):
            mv.stationary_distribution(game, policy, chosen)


# --- problems of one weight, whose solution is a number cut off ---------------------------------------------------------


@pytest.mark.parametrize(
    "batch", ["gram", "operator", "reward", "direction", "penalty", "features", "ceiling", "radius", "all"]
)
def test_one_weight_by_every_way(batch):
    """``cw + λ(aw - b)²/g`` over ``0 ≤ fw ≤ u``, ``|w| ≤ L``: ``(b - cg/2λa)/a``, cut off; every number may have a batch."""
    names = ("gram", "operator", "reward", "direction", "penalty", "features", "ceiling", "radius")
    numbers = dict(zip(names, (2.0, 0.5, 0.75, 0.25, 1.5, 0.5, 0.6, 1.3), strict=True))
    other = dict(zip(names, (1.0, 0.8, 0.25, -0.5, 0.5, 0.8, 0.3, 0.4), strict=True))
    core = {"gram": 2, "operator": 2, "reward": 1, "direction": 1, "features": 2}
    together = ("operator", "reward")  # which moments have in common
    chosen = names if batch == "all" else together if batch in together else (batch,)
    many = {name: np.array([numbers[name], other[name]] if name in chosen else [numbers[name]] * 2) for name in numbers}
    given = {
        name: (many[name] if name in chosen else np.array(numbers[name])).reshape(
            ((2,) if name in chosen else ()) + (1,) * core.get(name, 0)
        )
        for name in numbers
    }
    moments = mv.quantities.Moments(given["gram"], given["operator"], given["reward"])
    critics = mv.quantities.LinearClass(given["features"], given["radius"], given["ceiling"])
    free = (many["reward"] - many["direction"] * many["gram"] / (2 * many["penalty"] * many["operator"])) / many[
        "operator"
    ]
    wanted = np.clip(free, 0, np.minimum(many["radius"], many["ceiling"] / many["features"]))
    step = mv.quantities.constrained_step(moments, given["direction"], given["penalty"], critics)
    solved = pessimistic_step_by_cvxpy(moments, given["direction"], given["penalty"], critics)
    for found, accuracy in ((step.weights, 1e-7), (solved, 1e-3)):
        assert np.broadcast_to(found, (2, 1))[:, 0] == pytest.approx(wanted, abs=accuracy)
    target = 0.3 - (many["operator"] * 0.3 - many["reward"]) / many["gram"]
    nearest = np.clip(target, 0, np.minimum(many["radius"], many["ceiling"] / many["features"]))
    inner = inner_minimum_by_cvxpy(moments, critics, np.array([0.3]))
    assert np.broadcast_to(inner, (2, 1))[:, 0] == pytest.approx(nearest, abs=1e-3)


def test_roots_of_gram_matrices():
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    grams = np.stack([turn @ np.diag(d) @ turn.T for d in ([4.0, 9.0], [0.0, 25.0], [1e-20, 1.0])])
    roots, inverses = _roots(grams)
    wanted = [turn @ np.diag(d) @ turn.T for d in ([2.0, 3.0], [0.0, 5.0], [0.0, 1.0])]
    below = [turn @ np.diag(d) @ turn.T for d in ([0.5, 1 / 3], [0.0, 0.2], [0.0, 1.0])]
    assert roots == pytest.approx(np.array(wanted), abs=1e-8) and inverses == pytest.approx(np.array(below), abs=1e-8)
    eps = np.finfo(float).eps
    for part, seen in ((0.9, False), (1.1, True)):
        assert (_roots(np.diag([1.0, part * 2 * eps]))[1][1, 1] > 0) == seen


@pytest.mark.parametrize("beta", [0.5, np.array([[0.5], [2.0]])])
def test_mirror_steps_by_a_solver(beta):
    """``q ∝ π exp(Q/β)`` of three actions, in batches."""
    generator = np.random.default_rng(2)
    factor, values = generator.dirichlet(np.ones(3), (2, 4)), generator.normal(size=(2, 4, 3))
    weights = factor * np.exp(values / np.asarray(beta)[..., None])
    found = mirror_step_by_solver(factor, values, beta)
    assert found == pytest.approx(weights / weights.sum(-1, keepdims=True), abs=1e-4)


def test_what_is_known_of_a_multiple():
    form = Quadratic(np.diag([1.0, 4.0]), np.array([1.0, 1.0]), 0.0)
    values, vectors = Quadratic(3 * form.matrix, form.slope, 0.0, (form, 3.0)).spectrum
    assert (
        values == pytest.approx([3, 12])
        and abs(vectors) == pytest.approx(np.eye(2))
        and form.spectrum[0] == pytest.approx([1, 4])
    )


@pytest.mark.parametrize(
    ("matrix", "place"),
    [
        ([[1, 2, 0], [2, 5, 1], [0, 1, 1]], None),
        ([[1, 2, 0], [2, 5, 1], [0, 1, F(1, 2)]], 2),
        ([[1, 2], [2, 3]], 1),
        ([[0, 0], [0, 1]], None),
        ([[0, 1], [1, 9]], 0),
        ([[-1, 0], [0, 1]], 0),
        ([[1, 1, 1], [1, 1, 1], [1, 1, 1]], None),
        ([[1, 1, 1], [1, 1, 2], [1, 2, 9]], 1),
    ],
)  # fmt: skip
def test_semidefinite_matrices(matrix, place):
    given = like(np.array(matrix, dtype=object), System.RATIONALS)
    if place is None:
        _require_semidefinite(given)
    else:
        with pytest.raises(GameError, match=rf"at \[{place}, {place}\]"):
            _require_semidefinite(given)


@pytest.mark.parametrize("radius", [1e-3, 0.5, 2.0])
def test_the_multiplier_of_the_sphere(radius):
    """``‖(Q + τI)⁻¹q‖ = L`` to the last digits, from below as from above."""
    form = Quadratic(np.diag([0.5, 1.0, 8.0]), np.array([3.0, -1.0, 2.0]), 1.0)
    region = Region(np.zeros((0, 3)), np.zeros(0), np.zeros(0), radius)
    found = _on_the_sphere(form, region)
    tau = float(found.multipliers.ball)
    assert np.linalg.norm(found.weights) == pytest.approx(radius, rel=1e-14, abs=0) and tau > 0
    assert found.weights == pytest.approx(form.slope / (np.diag(form.matrix) + tau), rel=1e-13, abs=0)
    assert abs(found.gap) < 1e-12 * (1 + abs(found.objective)) and found.route == "sphere"


# --- batches, one axis after the other ----------------------------------------------------------------------------------


def test_vtrace_policies_and_values_of_a_batch():
    generator = np.random.default_rng(6)
    moves = generator.dirichlet(np.ones(3), (2, 1, 3, 4))
    games = mv.Game(moves, generator.normal(size=(2, 1, 3, 4)), 0.8, (2, 2))
    target, behaviour = (
        mv.Policy([generator.dirichlet(np.ones(2), (*batch, 3, p)) for p in (1, 2)]) for batch in ((3,), (2, 3))
    )
    critic = generator.normal(size=(3, 3))
    mixed = vtrace_policy(target, behaviour, 0.7)
    values = expected_vtrace(games, target, behaviour, critic, 0.9, 0.7, 1.2)
    for i, k in np.ndindex(2, 3):
        one, two = mv.Policy([f[k] for f in target.factors]), mv.Policy([f[i, k] for f in behaviour.factors])
        alone = vtrace_policy(one, two, 0.7)
        weights = np.minimum(0.7 * two.joint(), one.joint())
        assert alone.joint() == pytest.approx(weights / weights.sum(-1, keepdims=True))
        assert mixed.joint()[i, k] == pytest.approx(alone.joint())
        game = mv.Game(moves[i, 0], games.reward[i, 0], 0.8, (2, 2))
        assert values[i, k] == pytest.approx(expected_vtrace(game, one, two, critic[k], 0.9, 0.7, 1.2))


def test_the_safe_change_of_odds():
    assert float(safe_odds_change(System.FLOATS)) == pytest.approx(2 * np.arcsinh(3 + np.sqrt(2)), rel=1e-14, abs=0)
    assert odds_change(np.array([[1.0, 4.0, -2.0], [0.0, 0.0, 0.5]])).tolist() == [6, 0.5]


def test_errors_of_updates_of_a_batch():
    """``u - Q̂/β`` and ``Q̂ - Q^{1:m}`` of three agents, in two games with ``β`` of their own."""
    generator = np.random.default_rng(7)
    sizes = (2, 3, 2)
    game = mv.Game(generator.dirichlet(np.ones(2), (2, 2, 12)), generator.normal(size=(2, 2, 12)), 0.5, sizes)
    policy = mv.Policy([generator.dirichlet(np.ones(n), (2, 2, p)) for n, p in zip(sizes, (1, 2, 6), strict=True)])
    tables = [[generator.normal(size=f.shape) for f in policy.factors] for _ in range(2)]
    values, eta = mv.agent_values(game, policy), np.array([0.5, 2.0])
    update = Update(game, policy, np.full((2, 2), 0.5), policy, policy, *map(tuple, tables), values, eta)
    for m in (1, 2, 3):
        increments, estimates = tables[0][m - 1], tables[1][m - 1]
        for k in range(2):
            assert update.fit_error(m)[k] == pytest.approx(increments[k] - eta[k] * estimates[k])
            assert update.critic_error(m)[k] == pytest.approx(estimates[k] - values[m][k].reshape(estimates[k].shape))


def test_the_sequential_game_of_three_agents():
    """Two states and ``2·3·2`` actions: every choice of the first two agents makes the prefix longer, the third one decides."""
    generator = np.random.default_rng(8)
    game = mv.Game(generator.dirichlet(np.ones(2), (2, 12)), generator.normal(size=(2, 12)), 0.5, (2, 3, 2))
    made = mv.quantities.sequential_game(game)
    assert made.states == 2 + 4 + 12 and made.actions == 3
    for s in range(2):
        for a in range(3):
            wanted = np.zeros(18)
            if a < 2:
                wanted[2 + 2 * s + a] = 1
            assert made.transition[s, a].tolist() == wanted.tolist() and made.reward[s, a] == 0
            for first in range(2):
                wanted = np.zeros(18)
                wanted[6 + 3 * (2 * s + first) + a] = 1
                assert made.transition[2 + 2 * s + first, a].tolist() == wanted.tolist()
                for second in range(3):
                    place, joint = 6 + 3 * (2 * s + first) + second, 6 * first + 2 * second + a
                    follows = [0.0] * 18 if a == 2 else [*(0.5 * game.transition[s, joint]), *[0.0] * 16]
                    assert made.transition[place, a].tolist() == pytest.approx(follows)
                    assert made.reward[place, a] == (0 if a == 2 else game.reward[s, joint])


def test_importance_weights_by_hand():
    """Two episodes side by side; the first one ends after its second step."""
    rewards, ratios = np.array([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]]), np.array([[2.0, 0.5], [3.0, 1.0], [5.0, 3.0]])
    ended = np.array([[False, False], [True, False], [False, True]])
    found = mv.quantities.importance_weighted_returns(rewards, ratios, ended, np.zeros((3, 2), bool), 0.5)
    assert found.tolist() == [[6 * 2, 1.5 * 3], [3 * 2, 3 * 4], [5 * 4, 3 * 4]]


@pytest.mark.parametrize(
    ("part", "good"), [(0.99, True), (1.01, False), (-0.99, True), (-1.01, False), (np.nan, False)]
)
def test_how_accurate_a_float_answer_must_be(part, good):
    """A gap of ``10⁻⁶`` of ``1 + |objective| + |constant|``, a violation of ``10⁻⁶`` of ``1`` and the largest bound."""
    region = Region(np.eye(1), np.array([-3.0]), np.array([2.0]), 9.0)
    form, free = Quadratic(np.eye(1), np.zeros(1), np.array(-5.0)), Multipliers(np.zeros(1), np.zeros(1), np.zeros(()))

    def step(gap, violation):
        return ConstrainedStep(np.zeros(1), np.array(2.0), np.array(2.0 - gap), free, np.array(violation), "by hand")

    assert _accurate(form, step(part * 8e-6, 0.0), region) == good
    assert _accurate(form, step(0.0, part * 4e-6), region) == (good or part == -1.01)


def test_programs_of_objects_with_batches_of_their_own():
    """Whichever object has the batch, and a program of one formula for games that differ in a name alone."""
    shared, many = np.full(1, 2.0), np.arange(300.0)
    fast = mv.quantities.batched(lambda x, y: x * y + x)
    for one, two in ((many, many), (hidden(shared, System.ENCLOSURES, 0), hidden(many, System.ENCLOSURES, 0))):
        for x, y in ((one, two), (two, one)):
            found, wanted = fast(x, y), x * y + x
            parts = zip(*((v._parts if hasattr(v, "_parts") else (v,)) for v in (found, wanted)), strict=True)
            assert all(np.array_equal(a, np.broadcast_to(b, a.shape)) for a, b in parts)
