"""Hypothesis strategies that users import: what they draw is valid, exact, edgy, and shrinks to the simplest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

import mappo_verify as mv
from mappo_verify.arithmetic import TRUE, System
from mappo_verify.checking import strategies
from mappo_verify.checking.strategies import cases, coordinates, games, policies, sizes
from mappo_verify.claims.coordinates import Coordinate
from mappo_verify.model.trees import unwrapped
from mappo_verify.papers.registry import CLAIMS

QUICK = settings(max_examples=40, deadline=None, derandomize=True, database=None, print_blob=False)
SEARCH = settings(max_examples=2_000, deadline=None, derandomize=True, database=None)


def test_what_is_offered():
    assert set(strategies.__all__) == {"cases", "coordinates", "games", "policies", "sizes"}


@QUICK
@given(sizes(max_states=2, max_agents=4, max_actions=2, min_agents=2))
def test_sizes(drawn):
    assert 1 <= drawn.states <= 2 and 2 <= drawn.agents <= 4
    assert all(1 <= size <= 2 for size in drawn.actions)


@QUICK
@given(coordinates(Coordinate("w", (2, 3), "weight", 0, 9)))
def test_rows_of_weights_are_never_all_zero(values):
    assert values.shape == (2, 3) and values.dtype == np.int64
    assert values.min() >= 0 and (values.sum(-1) > 0).all()


@QUICK
@given(coordinates(Coordinate("t", (2, 2), "integer", -9, -3)), coordinates(Coordinate("n", (), "positive", 1, 4)))
def test_numbers_stay_in_their_range(table, scalar):
    assert table.shape == (2, 2) and table.min() >= -9 and table.max() <= -3
    assert scalar.shape == () and 1 <= scalar <= 4


@QUICK
@given(st.data())
def test_games_and_policies_fit(data):
    game = data.draw(games(max_states=2, max_agents=3))
    assert isinstance(game, mv.Game) and game.system is System.RATIONALS and game.batch_shape == ()
    assert game.states <= 2 and game.agents <= 3 and 0 <= game.discount < 1
    assert game.start.sum() == 1
    policy = data.draw(policies(game))
    policy.require_fits(game)
    assert all((factor.sum(-1) == 1).all() for factor in policy.factors)
    assert np.isfinite(mv.state_values(game.floats(), policy.floats())).all()
    product = data.draw(policies(game, product=True, full_support=True))
    assert product.is_product() and all((factor > 0).all() for factor in product.factors)


@QUICK
@given(games(termination=False, start=False))
def test_games_without_termination_and_start(game):
    assert game.start is None and (game.transition.sum(-1) == 1).all()


@pytest.mark.parametrize("system", ["exact", "floats", "balls"])
def test_policies_are_in_the_games_number_system(system):
    game = getattr(mv.random_game(2, (2, 2)), system)()

    @QUICK
    @given(policies(game))
    def trial(policy):
        assert policy.system is game.system
        mv.state_values(game, policy)

    trial()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.id)
def test_cases_of_every_setting_meet_what_holds_by_construction(claim):
    seen = set()

    @settings(QUICK, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
    @given(cases(claim.setting))
    def trial(case):
        seen.add(str(case.sizes))
        assert case.system == System.RATIONALS and case.several == ()
        low, high = claim.setting.agents
        assert low <= case.sizes.agents <= high
        assert claim.setting.states[0] <= case.sizes.states <= claim.setting.states[1]
        for hypothesis in claim.setting.all_hypotheses:
            if hypothesis.by_construction:
                assert np.min(unwrapped(hypothesis.truth(case), ())) == TRUE, hypothesis.name

    trial()
    assert seen


@pytest.mark.parametrize("system", [System.FLOATS, System.BALLS])
def test_cases_in_other_number_systems(system):
    @settings(QUICK, max_examples=5)
    @given(cases(CLAIMS[0].setting, system))
    def trial(case):
        assert case.system == system == case.game.system

    trial()


def test_the_edges_are_drawn():
    unequal = find(games(), lambda g: len(set(g.action_sizes)) > 1, settings=SEARCH)
    assert sorted(unequal.action_sizes) == [1, 2], "shrunk to the smallest unequal action sets"
    stops = find(games(), lambda g: g.terminates(), settings=SEARCH)
    assert (stops.states, stops.actions) == (1, 1)
    game = mv.random_game(1, (2, 2))
    depends = find(policies(game), lambda p: not p.is_product(), settings=SEARCH)
    assert len({str(row) for row in depends.factors[1][0]}) == 2
    sure = find(policies(game), lambda p: all((f.max(-1) == 1).all() for f in p.factors), settings=SEARCH)
    assert sure.system is System.RATIONALS


def test_a_planted_error_is_found_and_shrunk_to_the_smallest_game():
    """V without its discount: one state, one action, reward 1 or -1 show it."""

    def wrong(game):
        return game.reward.sum(-1) / game.actions  # the uniform policy's mean reward, as if nothing followed

    found = find(
        games(termination=False),
        lambda game: (mv.state_values(game, mv.Policy.uniform(game)) != wrong(game)).any(),
        settings=SEARCH,
    )
    assert (found.states, found.actions) == (1, 1) and abs(found.reward.item()) == 1
