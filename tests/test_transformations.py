"""Other orders of the agents, and actions that are not always available."""

from __future__ import annotations

import itertools
from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given, settings

import mappo_verify as mv
from mappo_verify.arithmetic import System, compare, like
from mappo_verify.checking.strategies import policies
from mappo_verify.errors import GameError
from mappo_verify.model.trees import hidden
from mappo_verify.quantities.values import action_values, returns, state_values

SIZES = (2, 1, 3)
GAME = mv.random_game(2, SIZES, seed=5, termination=True)


def conditional(seed=0):
    """A policy whose agents see each other's actions, with zeros, exact."""
    rng = np.random.default_rng(seed)
    factors = []
    for prefixes, size in zip((1, 2, 2), SIZES, strict=True):
        weights = rng.integers(0, 3, (2, prefixes, size))
        weights[..., 0] += weights.sum(-1) == 0
        factors.append(like(np.vectorize(F)(weights, weights.sum(-1, keepdims=True)), System.RATIONALS))
    return mv.Policy(factors)


# --- orders -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_every_order_is_the_same_game(order):
    other = GAME.reordered(order)
    assert other.action_sizes == tuple(SIZES[m - 1] for m in order)
    for actions in itertools.product(*map(range, SIZES)):
        here = np.ravel_multi_index(actions, SIZES)
        there = np.ravel_multi_index([actions[m - 1] for m in order], other.action_sizes)
        assert (other.transition[:, there] == GAME.transition[:, here]).all()
        assert (other.reward[:, there] == GAME.reward[:, here]).all()
        assert (other.ends[:, there] == GAME.ends[:, here]).all()
        for policy in (conditional(), mv.Policy.uniform(GAME)):
            assert (policy.reordered(order).joint()[:, there] == policy.joint()[:, here]).all()
    for policy in (conditional(), mv.Policy.uniform(GAME)):
        same = policy.reordered(order)
        assert same.is_product() == policy.is_product()
        assert (state_values(other, same) == state_values(GAME, policy)).all()
        back = tuple(order.index(m) + 1 for m in (1, 2, 3))
        assert (same.reordered(back).joint() == policy.joint()).all()


def test_an_order_in_batches_floats_and_proofs():
    games = mv.random_game(2, SIZES, seed=1, batch=(3,)).floats()
    policy = mv.Policy.uniform(games)
    assert np.allclose(
        state_values(games.reordered((3, 1, 2)), policy.reordered((3, 1, 2))), state_values(games, policy)
    )
    drawn = mv.Policy.softmax([np.array([[[0.1, 0.2]]] * 2), np.zeros((2, 2, 1)), np.array([[[1, 2, 3.5]] * 2] * 2)])
    assert drawn.is_product() and drawn.reordered((3, 1, 2)).is_product(), "no rounding makes it a conditional one"
    one, own = hidden(GAME, System.ENCLOSURES, 0), hidden(mv.Policy.uniform(GAME), System.ENCLOSURES, 0)
    found = state_values(one.reordered((2, 3, 1)), own.reordered((2, 3, 1)))
    wanted = hidden(state_values(GAME, mv.Policy.uniform(GAME)), System.ENCLOSURES, 1)
    assert (compare(found, "=", wanted).values >= 0).all()


def test_an_order_keeps_names_and_says_what_is_wrong():
    named = mv.Game(np.zeros((1, 6, 1)), np.zeros((1, 6)), 0, (2, 3), action_names=(("a", "b"), ("x", "y", "z")))
    assert named.reordered((2, 1)).action_names == (("x", "y", "z"), ("a", "b"))
    for order in ((1, 2), (1, 2, 2), (0, 1, 2), (1, 2, 3, 3)):
        with pytest.raises(GameError, match=r"does not name each of the agents 1\.\.3 once"):
            GAME.reordered(order)
        with pytest.raises(GameError, match=r"does not name each of the agents 1\.\.3 once"):
            conditional().reordered(order)


# --- masks ------------------------------------------------------------------------------------------------------------

MASKS = ([[0, 1], [1, 1]], [[1], [1]], [[1, 0, 1], [0, 0, 1]])
MASKED = mv.Game(GAME.transition, GAME.reward, GAME.discount, SIZES, GAME.start, available=MASKS)


def allowed(s):
    """The available joint actions of state ``s``, by loops."""
    return [
        i
        for i, actions in enumerate(itertools.product(*map(range, SIZES)))
        if all(MASKS[m][s][a] for m, a in enumerate(actions))
    ]


def test_unavailable_actions_are_copies_of_available_ones():
    for s in range(2):
        for i, substitute in enumerate(MASKED.substitutes[s]):
            assert substitute in allowed(s) and (substitute == i) == (i in allowed(s))
            assert (MASKED.transition[s, i] == GAME.transition[s, substitute]).all()
            assert MASKED.reward[s, i] == GAME.reward[s, substitute]
            assert MASKED.ends[s, i] == GAME.ends[s, substitute]
    assert (GAME.substitutes == np.arange(6)).all()


def test_uniform_policies_and_optima_know_the_mask():
    joint = mv.Policy.uniform(MASKED).joint()
    for s in range(2):
        assert [i for i in range(6) if joint[s, i] != 0] == allowed(s)
        assert {joint[s, i] for i in allowed(s)} == {joint[s, allowed(s)[0]]}
    best = mv.optimal(MASKED)
    assert all(best.actions[s] in allowed(s) for s in range(2)) and best.certificate.holds
    plans = itertools.product(allowed(0), allowed(1))
    values = [state_values(GAME, mv.Policy.deterministic(GAME, plan)) for plan in plans]
    assert (best.values == [max(v[s] for v in values) for s in range(2)]).all(), "over available actions only"
    assert (action_values(MASKED, best.policy).max(-1) == best.values).all()
    own = mv.Policy.uniform(MASKED)
    gains = mv.nash_gaps(MASKED, own, [F(1, 2), F(1, 2)])
    response = mv.best_response(MASKED, own, 3)
    assert all(MASKS[2][s][response.actions[s]] for s in range(2))
    assert gains[2] == (response.values - state_values(MASKED, own)).sum() / 2


def test_policies_are_validated():
    with pytest.raises(GameError, match=r"factors\[0\]\[0, 0, 0\] = 1/2, but agent 1 does not have this action there"):
        returns(MASKED, mv.Policy.uniform(GAME), [1, 0])
    assert returns(MASKED.without_mask(), mv.Policy.uniform(GAME), [1, 0]).shape == ()
    with pytest.raises(GameError, match=r"actions\[0\] = 0 is not available in state 0"):
        mv.Policy.deterministic(MASKED, [0, 2])
    fitting = conditional().restricted(MASKED)
    fitting.require_fits(MASKED)
    for m, (before, after) in enumerate(zip(conditional().factors, fitting.factors, strict=True)):
        for s, p in np.ndindex(2, before.shape[1]):
            kept = [x if MASKS[m][s][a] else 0 for a, x in enumerate(before[s, p])]
            mass, count = sum(kept), sum(MASKS[m][s])
            wanted = [x / mass for x in kept] if mass else [F(there, count) for there in MASKS[m][s]]
            assert [F(str(x)) for x in after[s, p]] == [F(str(x)) for x in wanted]
    assert conditional().restricted(GAME).factors[0] is not None and conditional().restricted(GAME).agents == 3


@settings(max_examples=10, deadline=None)
@given(policies(MASKED))
def test_drawn_policies_fit_the_mask(policy):
    policy.require_fits(MASKED)


def test_masks_survive_what_one_does_to_games():
    order = (3, 1, 2)
    for game, wanted in (
        (MASKED.reordered(order), [MASKS[m - 1] for m in order]),
        (MASKED.floats().balls(), MASKS),
        (MASKED.with_discount(0).with_start([1, 0]), MASKS),
        (mv.time_limited(MASKED, 2).as_game(), [list(mask) * 2 for mask in MASKS]),
        (mv.games.restarted(MASKED), MASKS),
    ):
        assert [mask.tolist() for mask in game.available] == [np.array(mask, bool).tolist() for mask in wanted]
    single = MASKED.as_single_agent()
    assert [np.flatnonzero(row).tolist() for row in single.available[0]] == [allowed(0), allowed(1)]
    own = mv.Policy.uniform(MASKED)
    limited = mv.time_limited(MASKED, 2)
    limited.policy(own).require_fits(limited.as_game())
    assert (returns(MASKED.reordered(order), own.reordered(order)) == returns(MASKED, own)).all()
    batch = mv.Game(np.stack([GAME.transition] * 2), GAME.reward, GAME.discount, SIZES, available=MASKS)
    assert (batch[1].transition == MASKED.transition).all() and batch[1].available is not None


def test_masks_say_what_is_wrong(tmp_path):
    def made(masks):
        return mv.Game(GAME.transition, GAME.reward, GAME.discount, SIZES, available=masks)

    for masks, message in (
        (MASKS[:2], "one mask .* for each of the 3 agents"),
        (np.ones((3, 2, 2)), "one mask"),
        ((MASKS[0], MASKS[1], [[1, 1], [1, 1]]), r"available\[2\] has shape \(2, 2\); it needs \[S, A_3\] = \(2, 3\)"),
        ((MASKS[0], [[1], [0]], MASKS[2]), r"available\[1\] leaves agent 2 no action in state 1"),
        (([[2, 1], [1, 1]], *MASKS[1:]), r"available\[0\] has entries other than True and False"),
    ):
        with pytest.raises(GameError, match=message):
            made(masks)
    with pytest.raises(GameError, match=r"save game.without_mask\(\)"):
        mv.save_game(MASKED, tmp_path / "game.json")
    mv.save_game(MASKED.without_mask(), tmp_path / "game.json")
    assert (mv.load_game(tmp_path / "game.json").transition == MASKED.transition).all()
