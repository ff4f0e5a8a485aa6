"""Games and policies: what is refused and how it says so, what is frozen, and the ways between number systems."""

from __future__ import annotations

import dataclasses
import math
import random
from fractions import Fraction

import flint
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oracle
from mappo_verify.arithmetic import System, like, log
from mappo_verify.arithmetic.precision import precision
from mappo_verify.arithmetic.symbols import PolynomialRing
from mappo_verify.errors import ExactnessError, GameError, MappoVerifyError, MixedArithmeticError
from mappo_verify.model import Game, Policy
from mappo_verify.model.agents import (
    agent_axes,
    average_out_last,
    axis_of,
    extend,
    factor_axes,
    join_last,
    joint_action,
    joint_index,
    prefix_sizes,
    split_last,
)

HALF, ONE, ZERO = Fraction(1, 2), Fraction(1), Fraction(0)


def game(transition=None, reward=None, discount=0.9, **more):
    """A valid game of 2 states and 2 actions, with one part replaced."""
    return Game(
        np.full((2, 2, 2), 0.5) if transition is None else transition,
        np.zeros((2, 2)) if reward is None else reward,
        discount,
        **more,
    )


def placed(shape, index, value, fill=0.0):
    array = np.full(shape, fill)
    array[index] = value
    return array


def flint_array(values):
    return like(np.array(values, dtype=object), System.RATIONALS)


# --- what a game refuses ----------------------------------------------------------------------------------------------

REFUSED = {
    "nan transition": (
        {"transition": placed((2, 2, 2), (1, 0, 1), math.nan)},
        r"transition\[1, 0, 1\] = nan is not finite",
    ),
    "infinite transition": (
        {"transition": placed((2, 2, 2), (0, 1, 0), math.inf)},
        r"transition\[0, 1, 0\] = inf is not fin",
    ),
    "negative transition": (
        {"transition": placed((2, 2, 2), (0, 1, 1), -0.25)},
        r"transition\[0, 1, 1\] = -0.25 is negative",
    ),
    "row above 1": (
        {"transition": placed((2, 2, 2), (1, 1, 0), 1.5)},
        r"transition\[1, 1\] sums to 1.5, which is more than 1; divide each row by its sum",
    ),
    "nan reward": ({"reward": placed((2, 2), (1, 1), math.nan)}, r"reward\[1, 1\] = nan is not finite"),
    "infinite reward": ({"reward": placed((2, 2), (0, 1), -math.inf)}, r"reward\[0, 1\] = -inf is not finite"),
    "discount above 1": ({"discount": 1.5}, r"discount = 1.5 is outside \[0, 1\]"),
    "negative discount": ({"discount": -0.1}, r"discount = -0.1 is outside \[0, 1\]"),
    "nan discount": ({"discount": math.nan}, r"discount = nan is not finite"),
    "one bad discount": ({"discount": [0.5, 2.0, 0.1]}, r"discount\[1\] = 2.0 is outside"),
    "negative start": ({"start": [1.5, -0.5]}, r"start\[1\] = -0.5 is negative"),
    "start above 1": ({"start": [0.75, 0.75]}, r"start sums to 1.5, which is more than 1; divide each row by its sum"),
    "nan start": ({"start": [math.nan, 0.5]}, r"start\[0\] = nan is not finite"),
    "start of 3 states": (
        {"start": [1.0, 0.0, 0.0]},
        r"start has shape \(3,\); it needs \[\.\.\., S\] = \[\.\.\., 2\]",
    ),
    "transition too flat": (
        {"transition": np.zeros((2, 2))},
        r"transition has shape \(2, 2\); it needs \[\.\.\., S, A, S\]",
    ),
    "transition not square": ({"transition": np.zeros((2, 2, 3))}, r"transition has shape \(2, 2, 3\); it needs"),
    "reward of 3 actions": (
        {"reward": np.zeros((2, 3))},
        r"reward has shape \(2, 3\); it needs \[\.\.\., S, A\] = \[\.\.\., 2, 2\]",
    ),
    "flat reward": ({"reward": np.zeros(2)}, r"reward has shape \(2,\)"),
    "no states": ({"transition": np.zeros((0, 2, 0)), "reward": np.zeros((0, 2))}, r"at least one state.* 0 and 2"),
    "no actions": (
        {"transition": np.zeros((2, 0, 2)), "reward": np.zeros((2, 0))},
        r"action_sizes \(0,\) has a size below 1",
    ),
    "batches do not fit": (
        {"transition": np.zeros((3, 2, 2, 2)), "reward": np.zeros((4, 2, 2))},
        r"batch axes.*\(3,\), \(4,\)",
    ),
    "sizes that do not multiply": (
        {"action_sizes": (2, 3)},
        r"action_sizes \(2, 3\) multiply to 6, but .* 2 joint actions",
    ),
    "size 0": ({"action_sizes": (2, 0)}, r"action_sizes \(2, 0\) has a size below 1"),
    "size -1": ({"action_sizes": (-1, -2)}, r"below 1"),
    "ragged transition": ({"transition": [[[0.5, 0.5], [1.0]], [[0.5, 0.5], [0.5, 0.5]]]}, r"transition is ragged"),
    "ragged reward": ({"reward": [[1.0, 2.0], [3.0]]}, r"reward is ragged"),
    "text": ({"reward": [["a", "b"], ["c", "d"]]}, r"reward has dtype <U1"),
    "None": ({"reward": [[None, 1.0], [0.0, 0.0]]}, r"reward\[0, 0\]: .*NoneType is not a number"),
    "complex": ({"discount": 0.5j}, r"discount has dtype complex128"),
    "names of 3 states": ({"state_names": ("a", "b", "c")}, r"state_names has 3 names for 2 states"),
    "names of 3 actions": (
        {"action_names": (("a", "b", "c"),)},
        r"action_names has \(3,\) names for action sizes \(2,\)",
    ),
    "exact reward in a float game": (
        {"reward": [[HALF, ONE], [ZERO, ONE]]},
        r"transition is in floats, reward\[0, 0\] is in rat",
    ),
    "a float among rationals": (
        {"reward": np.array([[HALF, 0.5], [ZERO, ONE]], object)},
        r"reward\[0, 0\]|reward\[0, 1\]",
    ),
    "a ball in a float game": ({"discount": flint.arb("0.5")}, r"transition is in floats, discount is in balls"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_games_refuse_and_name_index_and_value(name):
    changes, message = REFUSED[name]
    with pytest.raises(GameError, match=message):
        game(**changes)


@pytest.mark.parametrize("entry", [math.nan, math.inf])
@pytest.mark.parametrize("part", ["transition", "reward", "discount"])
def test_object_arrays_of_floats_are_checked_like_floats(part, entry):
    """A nan must not slip in because its array has dtype object."""
    parts = {
        "transition": np.zeros((1, 1, 1)).astype(object),
        "reward": np.zeros((1, 1)).astype(object),
        "discount": np.array(0.5, object),
    }
    parts[part][(0,) * parts[part].ndim] = entry
    with pytest.raises(GameError, match="is not finite"):
        Game(**parts)


def test_object_arrays_of_floats_become_floats():
    made = Game(np.ones((1, 1, 1), object) * 0.5, np.ones((1, 1), object) * 2.5, np.array(0.5, object))
    assert made.transition.dtype == made.reward.dtype == made.discount.dtype == np.float64


@pytest.mark.parametrize("sizes", [(2.7,), ("a",), None, "2", (None,)])
def test_action_sizes_that_are_no_integers_are_refused(sizes):
    with pytest.raises(GameError, match="action_sizes"):
        game(action_sizes=sizes)


def test_exact_games_are_checked_exactly():
    tiny = Fraction(1, 10**40)
    with pytest.raises(
        GameError, match=r"transition\[0, 0\] sums to 1\d*/1\d*, which is more than 1; divide each row by its sum"
    ):
        Game([[[ONE + tiny]]], [[ZERO]], HALF)
    with pytest.raises(GameError, match=r"transition\[0, 0, 0\] = -1/1\d* is negative"):
        Game([[[-tiny]]], [[ZERO]], HALF)
    with pytest.raises(GameError, match=r"discount = 1\d*/1\d* is outside"):
        Game([[[ONE]]], [[ZERO]], ONE + tiny)
    with pytest.raises(GameError, match=r"discount = -1/1\d* is outside"):
        Game([[[ONE]]], [[ZERO]], -tiny)
    assert Game([[[ONE - tiny]]], [[ZERO]], HALF).terminates()
    assert not Game([[[ONE]]], [[ZERO]], HALF).terminates()


def test_balls_are_refused_only_where_they_certainly_break_the_rules():
    third = like(Fraction(1, 3), System.BALLS)[()]
    row = np.array([[[third, third, third]]] * 3, object)
    reward, half = like(np.zeros((3, 1), int), System.BALLS), like(HALF, System.BALLS)
    assert Game(row, reward, half).system is System.BALLS  # sums to 1 ± rounding
    with pytest.raises(GameError, match=r"transition\[0, 0\] sums to"):
        Game(row * 2, reward, half)
    with pytest.raises(GameError, match=r"transition\[0, 0, 0\] = .* is negative"):
        Game(-row, reward, half)
    with pytest.raises(GameError, match="not finite"):
        Game(row * flint.arb("nan"), reward, half)
    with pytest.raises(GameError, match=r"outside \[0, 1\]"):
        Game(row, reward, half * 3)


def test_integers_among_balls():
    """Plain integers among balls: 0 and 1 are exact, and whatever is accepted can be computed with."""
    balls = np.array([[[0, flint.arb(1) / 3]], [[flint.arb(1) / 3, 0]]], object)
    made = Game(balls, np.array([[flint.arb(1)], [0]], object), np.array(flint.arb("0.5"), object))
    assert made.system is System.BALLS
    from mappo_verify.quantities.values import state_values

    values = state_values(made, Policy(np.array([[[[1]], [[flint.arb(1)]]]], object)))
    assert values[0].contains(flint.fmpq(36, 35))  # v0 = 1 + v1/6, v1 = v0/6


def test_absurdly_large_games_are_refused_before_they_are_copied():
    huge = np.broadcast_to(0.0, (10_000, 10_000, 10_000))
    with pytest.raises(GameError, match="more than the limit"):
        Game(huge, np.broadcast_to(0.0, (10_000, 10_000)), 0.5)
    with pytest.raises(GameError, match="limit"):  # small parts whose *batch* is absurd
        Game(np.zeros((100, 100, 100)), np.zeros((100, 100)), np.broadcast_to(0.9, (10**8,)))


def test_huge_numbers_are_no_special_case():
    big = Fraction(10**400)
    made = Game([[[ZERO]]], [[big]], HALF)
    assert oracle.fractions(made.reward) == [[big]]
    with pytest.raises((GameError, ExactnessError), match="reward"):
        made.floats()  # no float is that large, and the user should read where


def test_the_error_hierarchy():
    assert issubclass(GameError, ValueError) and issubclass(GameError, MappoVerifyError)
    assert issubclass(MixedArithmeticError, TypeError) and issubclass(MixedArithmeticError, MappoVerifyError)


# --- what a game is ---------------------------------------------------------------------------------------------------


def test_shape_and_names():
    made = game(action_sizes=(1, 2), state_names=("a", "b"), action_names=(("x",), ("y", "z")), name="small")
    assert (made.states, made.actions, made.agents, made.batch_shape) == (2, 2, 2, ())
    assert made.action_sizes == (1, 2) and made.state_names == ("a", "b") and made.system is System.FLOATS
    assert "small" in repr(made) and "2 states" in repr(made)
    assert game(action_sizes=2).action_sizes == (2,) == game().action_sizes


def test_batches_broadcast_at_construction():
    made = Game(np.full((2, 2, 2), 0.5), np.zeros((3, 2, 2)), np.full((4, 1), 0.5), start=[1.0, 0.0])
    assert made.batch_shape == (4, 3) and made.transition.shape == (4, 3, 2, 2, 2)
    assert made.reward.shape == (4, 3, 2, 2) and made.discount.shape == (4, 3) and made.start.shape == (4, 3, 2)
    assert made[1].batch_shape == (3,) and made[1, 2].batch_shape == () and made[:, 0].batch_shape == (4,)
    with pytest.raises(GameError, match="single game"):
        made[0, 0][0]


def test_float_batches_are_stored_batch_minor():
    made = Game(np.full((8, 2, 2, 2), 0.5), np.zeros((8, 2, 2)), np.full(8, 0.5))
    assert made.transition.strides[0] == made.reward.strides[0] == 8


@pytest.mark.parametrize("batch", [(), (3,)])
@pytest.mark.parametrize("exact", [False, True])
def test_frozen(batch, exact):
    transition, reward = np.full((*batch, 2, 2, 2), 0.5), np.zeros((*batch, 2, 2))
    start, discount = np.full((*batch, 2), 0.5), np.full(batch, 0.5)
    if exact:
        halves = like(np.full((*batch, 2, 2, 2), HALF, object), System.RATIONALS)
        transition, reward, start = halves, halves[..., 0] * 0, halves[..., 0, 0]
        discount = np.array(halves[..., 0, 0, 0])
    made = Game(transition, reward, discount, start=start)
    factor = np.array(transition)
    policy = Policy([factor[..., :1, :]])
    for callers, kept in (
        (transition, made.transition),
        (reward, made.reward),
        (start, made.start),
        (discount, made.discount),
        (factor, policy.factors[0]),
    ):
        before = kept.copy()
        callers[...] = callers.ravel()[0] * 0 + 7
        assert (kept == before).all(), "the caller's array still reaches the object"
        assert not kept.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            kept[...] = before
    for frozen, name in ((made, "discount"), (made, "name"), (policy, "factors")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(frozen, name, None)


def test_derived_games():
    made = Game([[[HALF]]], [[ONE]], HALF)
    assert made.with_start([ONE]).start.tolist() == [1] and made.start is None
    assert made.with_discount(Fraction(9, 10)).discount == flint.fmpq(9, 10) and made.with_discount(1).discount == 1
    assert made.floats().with_discount(HALF).discount == 0.5 and made.discount == flint.fmpq(1, 2)
    with pytest.raises(GameError, match="discount = 2 is outside"):
        made.with_discount(2)
    with pytest.raises(GameError, match="mixed number systems"):
        made.with_discount(0.5)
    with pytest.raises(GameError, match=r"start\[0\] = 2|start sums to 2"):
        made.with_start([Fraction(2)])


# --- policies ---------------------------------------------------------------------------------------------------------

BAD_POLICIES = {
    "no factor": ([], r"at least one factor"),
    "nan": ([[[[0.5, math.nan]]]], r"factors\[0\]\[0, 0, 1\] = nan is not finite"),
    "negative": ([[[[1.25, -0.25]]]], r"factors\[0\]\[0, 0, 1\] = -0.25 is negative"),
    "above 1": (
        [[[[0.75, 0.75]]]],
        r"factors\[0\]\[0, 0\] sums to 1.5, which is more than 1; divide each row by its sum",
    ),
    "below 1": ([[[[0.25, 0.25]]]], r"factors\[0\]\[0, 0\] sums to 0.5, not 1; divide each row by its sum"),
    "exactly below 1": (
        [[[[HALF, HALF - Fraction(1, 10**30)]]]],
        r"factors\[0\]\[0, 0\] sums to .*, not 1; divide each row by its sum",
    ),
    "second factor": ([[[[1.0]]], [[[0.5, 0.75]]]], r"factors\[1\]\[0, 0\] sums to 1.25"),
    "too few prefixes": ([[[[0.5, 0.5]]], [[[1.0]]]], r"factors\[1\] has shape \(1, 1, 1\); .* \[\.\.\., 1, 2, 1\]"),
    "first with prefixes": ([[[[1.0], [1.0]]]], r"factors\[0\] has shape \(1, 2, 1\)"),
    "states differ": ([[[[1.0]], [[1.0]]], [[[1.0]]]], r"factors\[1\] has shape \(1, 1, 1\); .* \[\.\.\., 2, 1, 1\]"),
    "too flat": ([[[0.5, 0.5]]], r"factors\[0\] has shape \(1, 2\)"),
    "ragged": ([[[[0.5, 0.5]], [[1.0]]]], r"factors\[0\] is ragged"),
    "mixed": ([[[[1.0]]], [[[ONE]]]], r"factors\[0\] is in floats, factors\[1\]\[0, 0, 0\] is in rationals"),
    "batches": (
        [np.ones((2, 1, 1, 1)), np.ones((3, 1, 1, 1))],
        r"batch axes of the factors do not fit: \[\(2,\), \(3,\)\]",
    ),
}


@pytest.mark.parametrize("name", BAD_POLICIES)
def test_policies_refuse_and_name_index_and_value(name):
    factors, message = BAD_POLICIES[name]
    with pytest.raises(GameError, match=message):
        Policy(factors)


def test_prefix_probabilities_and_joint():
    rng = random.Random(0)
    factors = oracle.draw_policy(rng, 2, (2, 3, 2), "conditional")
    policy = Policy(factors)
    for m, table in enumerate(policy.prefix_probabilities()):
        wanted = [
            [oracle.prefix_probability(factors, (2, 3, 2), s, p) for p in oracle.tuples((2, 3, 2)[:m])]
            for s in range(2)
        ]
        assert oracle.fractions(table) == wanted
    assert (policy.joint() == policy.prefix_probabilities()[-1]).all()
    assert (policy.states, policy.agents, policy.action_sizes, policy.batch_shape) == (2, 3, (2, 3, 2), ())


def test_products():
    policy = Policy.product([[[HALF, HALF]], [[Fraction(1, 3), Fraction(2, 3), ZERO]]])
    assert policy.is_product() and policy.factors[1].shape == (1, 2, 3)
    assert oracle.fractions(policy.joint()) == [[Fraction(1, 6), Fraction(1, 3), 0] * 2]
    chain = Policy([[[[HALF, HALF]]], [[[ONE, ZERO], [ZERO, ONE]]]])
    assert not chain.is_product()
    with pytest.raises(GameError, match=r"factors\[0\] has shape \(2,\)"):
        Policy.product([[0.5, 0.5]])


@pytest.mark.parametrize("system", [System.FLOATS, System.RATIONALS, System.BALLS])
def test_products_are_recognised_in_every_system(system):
    row = like(np.array([[[Fraction(1, 3), Fraction(2, 3)]], [[Fraction(1, 7), Fraction(6, 7)]]], object), system)
    assert Policy.product(list(row)).is_product()
    assert Policy.product(list(row)).floats().is_product()


def test_uniform_and_deterministic():
    made = Game([[[ONE, ZERO]] * 6] * 2, [[ZERO] * 6] * 2, HALF, (2, 3))
    assert oracle.fractions(Policy.uniform(made).joint()) == [[Fraction(1, 6)] * 6] * 2
    policy = Policy.deterministic(made, [4, 2])
    assert oracle.fractions(policy.joint()) == [[0, 0, 0, 0, 1, 0], [0, 0, 1, 0, 0, 0]]
    assert [oracle.fractions(f) for f in policy.factors] == oracle.deterministic((2, 3), [4, 2])
    assert Policy.deterministic(made, np.array([[0, 1], [5, 3], [2, 2]])).batch_shape == (3,)
    assert Policy.uniform(made.floats()).system is System.FLOATS and Policy.uniform(made.balls()).system is System.BALLS
    for bad, message in (
        ([0], "one integer per state"),
        ([0.0, 1.0], "one integer per state"),
        ([0, 6], r"actions\[1\] = 6 is not one of the 6"),
        ([-1, 0], r"actions\[0\] = -1"),
        (3, "one integer per state"),
    ):
        with pytest.raises(GameError, match=message):
            Policy.deterministic(made, bad)


def test_an_empty_batch_is_a_batch():
    made = Game(np.zeros((0, 1, 2, 1)), np.zeros((0, 1, 2)), np.zeros(0))
    assert made.batch_shape == (0,)
    assert Policy.deterministic(made, np.zeros((0, 1), int)).batch_shape == (0,)


def test_softmax():
    exact = Policy.softmax([log(flint_array([[[2, 3]]])), log(flint_array([[[1, 1], [Fraction(1, 4), 4]]]))])
    assert oracle.fractions(exact.joint()) == [[Fraction(1, 5), Fraction(1, 5), Fraction(3, 85), Fraction(48, 85)]]
    floats = Policy.softmax([np.log([[[2.0, 3.0]]])])
    np.testing.assert_allclose(floats.joint(), [[0.4, 0.6]], rtol=1e-15)
    np.testing.assert_allclose(Policy.softmax([[[[1000.0, 0.0]]]]).joint(), [[1, 0]])
    balls = Policy.softmax([like(np.array([[[0, 1]]]), System.BALLS)])
    with precision(256):
        assert balls.joint()[0, 1].contains(1 / (1 + flint.arb(-1).exp()))
    with pytest.raises(GameError, match=r"logits\[0\]\[0, 0, 1\] = nan is not finite"):
        Policy.softmax([[[[0.0, math.nan]]]])
    with pytest.raises(GameError, match="not finite"):
        Policy.softmax([[[[0.0, -math.inf]]]])
    with pytest.raises(ExactnessError, match="not rational"):
        Policy.softmax([flint_array([[[0, 1]]])])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(0, 3), min_size=12, max_size=12).filter(any),
    st.sampled_from([(2, 3, 2), (12,), (4, 3), (1, 6, 2)]),
)
def test_from_joint_inverts_joint(weights, sizes):
    row = oracle.normalised(weights)
    policy = Policy.from_joint([row], sizes)
    assert policy.action_sizes == sizes and oracle.fractions(policy.joint()) == [row]
    again = Policy.from_joint(policy.joint(), sizes)
    assert all((x == y).all() for x, y in zip(policy.factors, again.factors, strict=True))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([[math.nan, math.nan]], "not finite"),
        ([[math.inf, 0.0]], "not finite"),
        ([[-1.0, -1.0]], "negative"),
        ([[0.25, 0.25]], "sums to 0.5"),
        ([[2.0, 2.0]], "sums to 4"),
        ([[0.0, 0.0]], "sums to 0"),
        ([[1.0, 0.0, 0.0]], r"table has shape \(1, 3\)"),
        ([1.0, 0.0], r"table has shape \(2,\)"),
    ],
)
def test_from_joint_refuses_what_is_no_distribution(table, message):
    """Bayes' normalisation must not turn nonsense into a policy."""
    with pytest.raises(GameError, match=message):
        Policy.from_joint(table, (2,))


def test_require_fits():
    made = game(action_sizes=(1, 2))
    Policy.uniform(made).require_fits(made)
    with pytest.raises(GameError, match=r"policy is for 2 states and action sizes \(2,\), the game has 2 and \(1, 2\)"):
        Policy.uniform(game()).require_fits(made)
    with pytest.raises(GameError, match="the game is in floats, the policy in rationals"):
        Policy.uniform(made).exact().require_fits(made)


def test_batches_of_policies():
    policy = Policy([np.full((3, 2, 1, 2), 0.5), np.full((2, 2, 2), 0.5)])
    assert policy.batch_shape == (3,) and policy.factors[1].shape == (3, 2, 2, 2)
    assert policy[1].batch_shape == () and policy[:2].batch_shape == (2,) and "batch (3,)" in repr(policy)
    with pytest.raises(GameError, match="single policy"):
        policy[0][0]


# --- between number systems -------------------------------------------------------------------------------------------


def test_dirichlet_rows_survive_exactly():
    """Hundreds of float rows sum to more than 1 exactly; they are divided by their sum, and nothing else moves."""
    rng = np.random.default_rng(0)
    transition, reward = rng.dirichlet(np.ones(4), (50, 4, 4)), rng.normal(size=(50, 4, 4))
    sums = [sum(map(Fraction, row)) for row in transition.reshape(-1, 4)]
    assert sum(s > 1 for s in sums) > 100 and sum(s < 1 for s in sums) > 100
    made = Game(transition, reward, 0.9, (2, 2), start=transition[:, 0, 0])
    exact = made.exact()
    assert (exact.transition.sum(-1) == 1).all() and (exact.start.sum(-1) == 1).all() and not exact.terminates()
    for (row, total), found in zip(
        zip(transition.reshape(-1, 4), sums, strict=True), exact.transition.reshape(-1, 4), strict=True
    ):
        assert oracle.fractions(found) == [Fraction(x) / total for x in row]
    assert oracle.fractions(exact.reward[7]) == [[Fraction(x) for x in row] for row in reward[7]]
    assert oracle.fractions(exact.discount[:1]) == [Fraction(0.9)]
    # Dividing by 1 ± 1e-16 and rounding again: within two units in the last place.
    np.testing.assert_allclose(exact.floats().transition, transition, rtol=5e-16)
    policy = Policy([transition[:, :, :1]])
    assert all((f.sum(-1) == 1).all() for f in policy.exact().factors)


def test_smaller_sums_stay_termination():
    made = Game([[[0.25, 0.5]], [[0.5, 1 - 0.5 - 2.0**-36]]], [[0.0]] * 2, 1.0, ends=True)
    assert oracle.fractions(made.exact().transition) == [
        [[Fraction(1, 4), Fraction(1, 2)]],
        [[Fraction(1, 2), Fraction(1, 2) - Fraction(1, 2**36)]],
    ]
    assert made.terminates() and made.exact().terminates()


def test_exact_floats_exact_is_the_identity_on_floats():
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 8, (20, 3, 4, 3)) / 32  # dyadic: no rounding anywhere
    made = Game(weights, rng.integers(-64, 64, (20, 3, 4)) / 16, 0.75, (2, 2))
    assert (made.exact().floats().transition == made.transition).all()
    assert (made.exact().floats().reward == made.reward).all()
    assert (made.exact().floats().exact().transition == made.exact().transition).all()
    assert made.exact().exact() is made.exact() or (made.exact().exact().reward == made.exact().reward).all()
    kept = made.exact()
    assert kept.action_sizes == (2, 2) and kept.system is System.RATIONALS


@pytest.mark.parametrize("denominator", [10, 100, 10**6])
def test_rounding_to_a_denominator_keeps_distributions(denominator):
    rng = np.random.default_rng(2)
    rows = rng.dirichlet(np.ones(3), (40, 3, 4))
    made = Game(rows, rng.normal(size=(40, 3, 4)), 0.5, (2, 2), start=rows[:, 0, 0])
    exact = made.exact(denominator)
    assert (exact.transition.sum(-1) == 1).all() and (exact.start.sum(-1) == 1).all()
    assert all(x.q <= denominator for x in exact.reward.ravel())
    leaking = Game(rows * 0.5, made.reward, 0.5, (2, 2)).exact(denominator)
    assert (leaking.transition.sum(-1) < 1).all()
    policy = Policy([rows[:, :, :1]]).exact(denominator)
    assert (policy.factors[0].sum(-1) == 1).all()


def test_rounding_to_a_denominator_does_not_remove_termination():
    """A row that needs no rounding is kept as it is: 49/100 + 1/2 still leaves 1/100 for termination."""
    rows = [[[Fraction(49, 100), HALF]], [[HALF, HALF]]]
    for made in (Game(rows, [[ZERO]] * 2, ONE), Game(rows, [[ZERO]] * 2, ONE).floats()):
        assert oracle.fractions(made.exact(100).transition) == rows
        assert made.exact(100).terminates()


def test_absurd_denominators_are_refused():
    for bad in (0, -3):
        with pytest.raises(ValueError, match="denominator"):
            game().exact(bad)


def test_balls_contain_what_they_come_from():
    third = Game(
        [[[Fraction(1, 3), Fraction(2, 3)]], [[Fraction(1, 7), Fraction(1, 7)]]],
        [[Fraction(22, 7)]] * 2,
        Fraction(9, 10),
    )
    for bits in (24, 53, 300):
        with precision(bits):
            balls = third.balls()
        with precision(1024):
            for exact, ball in zip(third.transition.ravel(), balls.transition.ravel(), strict=True):
                assert ball.contains(exact) and float(ball.rad()) < 2.0 ** (2 - bits)
    floats = game(np.full((2, 2, 2), 0.1))
    with precision(1024):
        exact = flint.fmpq(Fraction(0.1).numerator, Fraction(0.1).denominator)
        assert all(b.contains(exact) for b in floats.balls().transition.ravel())


def test_balls_never_become_exact():
    with pytest.raises(MixedArithmeticError, match="balls cannot be turned into rationals"):
        game().balls().exact()
    assert game().balls().floats().system is System.FLOATS
    ring = PolynomialRing(("x",))
    symbolic = Game(
        np.array([[[ring.generators()[0]]]], object),
        np.array([[ring.generators()[0]]], object),
        like(HALF, System.SYMBOLS),
    )
    with pytest.raises(MixedArithmeticError, match="symbols cannot be turned into floats"):
        symbolic.floats()


@pytest.mark.parametrize("excess", [5e-10, -5e-10])
def test_rows_between_the_two_tolerances_are_closed_or_refused_by_name(excess):
    """What is not 1 up to rounding is refused, so what is accepted converts."""
    with pytest.raises(GameError, match=r"factors\[0\]\[0, 0\] sums to .*; divide each row by its sum in float64"):
        Policy([[[[0.5, 0.5 + excess]]]])


def test_conversion_keeps_names_and_batch():
    made = game(np.full((3, 2, 2, 2), 0.5), start=[1.0, 0.0], state_names=("a", "b"), name="kept")
    for other in (made.exact(), made.balls(), made.exact().floats()):
        assert other.name == "kept" and other.state_names == ("a", "b") and other.batch_shape == (3,)
        assert other.start.shape == (3, 2)


# --- the order of agents ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(3,), (2, 3), (3, 1, 2), (2, 2, 1, 3)])
def test_joint_actions_are_numbered_with_agent_1_slowest(sizes):
    assert prefix_sizes(sizes) == tuple(len(oracle.tuples(sizes[:m])) for m in range(len(sizes) + 1))
    for index, actions in enumerate(oracle.tuples(sizes)):
        assert joint_action(index, sizes) == actions and joint_index(actions, sizes) == index == oracle.index_of(
            actions, sizes
        )
    table = np.arange(2 * prefix_sizes(sizes)[-1]).reshape(2, -1)
    spread = agent_axes(table, sizes)
    for index, actions in enumerate(oracle.tuples(sizes)):
        assert (spread[(slice(None), *actions)] == table[:, index]).all()
    assert (join_last(split_last(table, sizes[-1])) == table).all()
    for agent in range(len(sizes)):
        assert spread.shape[axis_of(agent, len(sizes))] == sizes[agent]


def test_prefixes_grow_and_shrink_by_one_agent():
    rng = random.Random(3)
    sizes = (2, 3)
    policy = oracle.draw_policy(rng, 2, sizes, "full")
    first, second = (flint_array(factor) for factor in policy)
    joint = extend(first[:, 0], second)
    assert oracle.fractions(joint) == [
        [oracle.prefix_probability(policy, sizes, s, a) for a in oracle.tuples(sizes)] for s in range(2)
    ]
    table = [[Fraction(rng.randint(-5, 5)) for _ in range(6)] for _ in range(2)]
    averaged = oracle.prefix_average(table, {"sizes": sizes}, policy, 1)
    assert oracle.fractions(average_out_last(flint_array(table), second)) == averaged
    spread = factor_axes(second, 1, sizes)
    assert spread.shape == (2, 2, 3) and (spread.reshape(2, 2, 3) == second).all()
    assert factor_axes(first, 0, sizes).shape == (2, 2, 1)


@pytest.mark.parametrize("convert", [lambda p: p, Policy.exact, Policy.balls])
def test_prefix_probabilities_are_computed_once_and_read_only(convert):
    policy = convert(Policy([[[[0.5, 0.5]]], [[[1.0, 0.0], [0.0, 1.0]]]]))
    tables = policy.prefix_probabilities()
    assert policy.prefix_probabilities() is tables and policy.joint() is tables[-1]
    for table in tables:
        with pytest.raises(ValueError, match="read-only"):
            table[0] = 0


def test_the_reward_range_holds_the_end_where_there_may_be_one():
    """Rewards 2..5: length 3 where the game goes on for ever, 5 where it may stop paying; one game of the batch each."""
    transition = np.array([[[[1]], [[1]]], [[[1]], [[0]]]]).reshape(2, 1, 2, 1)
    game = Game(
        like(transition, System.RATIONALS), like([[[2, 5]], [[2, 5]]], System.RATIONALS), like(0, System.RATIONALS)
    )
    for converted in (game, game.floats(), game.balls()):
        assert [float(value) for value in converted.reward_range] == [3, 5]
    below = Game(np.zeros((1, 2, 1)), [[-5.0, -2.0]], 0.5)
    assert below.reward_range == 5


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        ((2999, 1, 2, 0), -1e-3, r"transition\[2999, 1, 2, 0\] = -0.001 is negative"),
        ((1500, 0, 0, 1), np.nan, r"transition\[1500, 0, 0, 1\] = nan is not finite"),
        ((0, 1, 0, 1), np.inf, r"transition\[0, 1, 0, 1\] = inf is not finite"),
        ((2047, 0, 3, 0), 0.9999, r"transition\[2047, 0, 3\] sums to"),
    ],
)
def test_one_wrong_number_in_a_large_batch_is_named(place, value, complaint):
    transition = np.full((3000, 2, 4, 2), 0.5)
    transition[place] = value
    with pytest.raises(GameError, match=complaint):
        Game(transition, np.zeros((3000, 2, 4)), 0.9, (2, 2))


def test_a_large_batch_is_a_copy_that_ends_nowhere():
    transition = np.full((3000, 2, 4, 2), 0.5)
    game = Game(transition, np.zeros((3000, 2, 4)), 0.9, (2, 2))
    transition[:] = 0
    assert (game.transition == 0.5).all() and not game.transition.flags.writeable and game.ends.shape == (3000, 2, 4)
    assert (game.ends == -1).all() and not game.terminates()
    transition[...] = 0.5
    transition[7, 1, 3] = 0.25
    assert np.argwhere(Game(transition, np.zeros((3000, 2, 4)), 0.9, (2, 2)).ends > 0).tolist() == [[7, 1, 3]]
