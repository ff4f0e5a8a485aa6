"""Drawn instances: ranges, regimes, seeds, sizes; and that the hypotheses of every claim can be met."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import TRUE, System
from mappo_verify.checking.evaluate import decide
from mappo_verify.checking.sampling import ACTION_SHAPES, declared_sizes, draw, instance, sizes_of
from mappo_verify.claims.coordinates import Coordinate
from mappo_verify.errors import ClaimError
from mappo_verify.model.trees import unwrapped
from mappo_verify.papers.registry import CLAIMS

COUNT = 2_000


class Bare(mv.Ingredient):
    """Coordinates, of which nothing is built."""

    name = "bare"

    def __init__(self, *coordinates):
        self.bare = coordinates

    def coordinates(self, _sizes):
        return self.bare


def schema(*coordinates):
    return mv.Setting("bare", (Bare(*coordinates),))


def drawn(coordinate, seed=0, count=COUNT):
    return draw(schema(coordinate), mv.Sizes(1, (1,)), count, np.random.default_rng(seed))[coordinate.name]


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("low", [0, 1])
@pytest.mark.parametrize("high", [1, 9, 99])
def test_weights(width, low, high):
    values = drawn(Coordinate("w", (3, width), "weight", low, high))
    assert values.shape == (COUNT, 3, width) and values.dtype == np.int64
    assert values.min() >= low and (values.sum(-1) > 0).all()
    ordinary = values[(values < 10_000).all(-1) & ~((values == 1).sum(-1) == width - 1)]
    assert ordinary.size == 0 or ordinary.max() <= high


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("integer", -9, 9),
        ("integer", 0, 5),
        ("integer", 3, 7),
        ("integer", -9, -3),
        ("integer", 10_000, 50_000),
        ("integer", -50_000, -10_000),
        ("integer", -10_000, 50_000),
        ("positive", 1, 99),
        ("positive", 4, 4),
    ],
)
def test_numbers_respect_their_range_and_reach_its_ends(kind, low, high):
    values = drawn(Coordinate("t", (4,), kind, low, high))
    assert (values.min(), values.max()) == (low, high)


def test_a_claim_about_negative_numbers_is_tried_on_negative_numbers_only():
    """``f < 0`` for a table of -9..-3 is true; a drawn (or shrunk) 0 would refute it wrongly."""

    def proof(case):
        yield mv.line("f", case.f)
        yield mv.at_most("-3", case.f * 0 - 3, because="all entries are -3 at most")

    setting = mv.Setting("s", (mv.Table("f", lambda _: (2,), low=-9, high=-3),))
    assert mv.audit([mv.Claim("mine", "t", "s", setting, proof)])["mine"].standing is mv.Standing.SURVIVED


def test_every_regime_of_weights_occurs():
    values = drawn(Coordinate("w", (3, 4), "weight", 0, 9))
    certain = (values != 0).sum(-1) == 1
    nearly = (values.max(-1) == 10_000) & (values.sum(-1) == 10_003)
    sparse = ((values == 0).sum(-1) >= 1) & ~certain
    interior = (values > 0).all(-1) & ~nearly
    for name, share in {"certain": certain, "nearly": nearly, "sparse": sparse, "interior": interior}.items():
        assert 0.1 < share.mean() < 0.7, (name, share.mean())
    whole = certain.all(-1).mean()
    assert whole > 0.15, "instances in which every row is deterministic"
    assert nearly.all(-1).mean() > 0.15
    winners = values.argmax(-1)[nearly]
    assert set(winners.tolist()) == {0, 1, 2, 3}


def test_every_regime_of_numbers_occurs():
    values = drawn(Coordinate("t", (6,), "integer", -9, 9))
    assert (np.abs(values) == 9).all(-1).mean() > 0.15, "extreme instances"
    assert (values == 0).all(-1).mean() > 0.01, "vanishing instances"
    assert ((values == 0).sum(-1) >= 3).mean() > 0.1, "mostly zero"
    assert (len(np.unique(values))) == 19


def shares(*masks):
    return pytest.approx([float(mask.mean()) for mask in masks], abs=0.03)


def test_wide_ranges_are_drawn_by_orders_of_magnitude_too():
    """Half of the entries are uniform; of the others half are below ``√10⁶``, for their logarithms are uniform."""
    whole = drawn(Coordinate("t", (40,), "integer", -(10**6), 10**6))
    ordinary = whole[(np.abs(whole) < 10**6).all(-1) & ((whole == 0).mean(-1) < 0.5)]
    size = np.abs(ordinary)
    assert shares(size < 1000, size < 10, ordinary > 0, ordinary < 0) == [0.25, 0.5 / 6, 0.5, 0.5]
    assert (whole.min(), whole.max()) == (-(10**6), 10**6)
    one_sided = drawn(Coordinate("t", (40,), "integer", 5, 10**6 + 5))
    ordinary = one_sided[(one_sided < 10**6 + 5).all(-1) & ((one_sided == 5).mean(-1) < 0.5)]
    assert ordinary.min() == 5 and shares(ordinary < 1005, ordinary < 15) == [0.25, 0.5 / 6]
    tilted = drawn(Coordinate("t", (40,), "integer", -(10**5), 9 * 10**5))
    ordinary = tilted[((tilted > -(10**5)) & (tilted < 9 * 10**5)).all(-1) & ((tilted == 0).mean(-1) < 0.5)]
    assert shares(ordinary < 0) == [0.1]
    narrow = drawn(Coordinate("t", (40,), "integer", 0, 10_000))
    ordinary = narrow[(narrow < 10_000).all(-1) & ((narrow == 0).mean(-1) < 0.5)]
    assert shares(ordinary < 1000, ordinary < 5000) == [0.1, 0.5], "a range of 10,000 is drawn uniformly"


def test_rare_coordinates_are_up_to_two_in_an_instance():
    values = drawn(Coordinate("r", (2, 3), "rare", 1, 9))
    nonzero = (values != 0).sum((-1, -2))
    assert shares(nonzero == 0, nonzero == 1, nonzero == 2) == [1 / 3, 1 / 3, 1 / 3] and nonzero.max() == 2
    assert set(values[values != 0].tolist()) == set(range(1, 10)) and ((values != 0).mean(0) > 0.1).all()


def test_shares_of_the_regimes():
    """Four regimes alike; a nearly deterministic row is ``(1, ..., 10000, ..., 1)``, a lonely weight is never 0."""
    values = drawn(Coordinate("w", (3, 4), "weight", 0, 9))
    nearly = ((values == 10_000).sum(-1) == 1) & ((values == 1).sum(-1) == 3)
    assert abs(nearly.all(-1).mean() - 0.25) < 0.04 and (nearly.all(-1) == nearly.any(-1)).all()
    certain = ((values == 1).sum(-1) == 1) & ((values == 0).sum(-1) == 3)
    assert abs(certain.all(-1).mean() - 0.25) < 0.04
    floor = drawn(Coordinate("w", (3, 4), "weight", 2, 9))
    assert floor[floor < 9_000].min() == 1 and (floor[(floor != 1).all((-1, -2))] >= 2).all()
    numbers = drawn(Coordinate("t", (12,), "integer", -9, 9))
    assert abs((np.abs(numbers) == 9).all(-1).mean() - 0.25) < 0.04
    quiet = (numbers == 0).mean(-1)
    assert abs((quiet > 0.3).mean() - 0.25) < 0.04 and 0.6 < quiet[quiet > 0.3].mean() < 0.75


@pytest.mark.parametrize(
    ("ranges", "shapes"),
    [
        ({"agents": (2, 2), "action_range": (1, 3)}, {(1, 2), (2, 1), (2, 2), (2, 3), (3, 2)}),
        ({"agents": (2, 2), "action_range": (4, 4)}, {(4, 4)}),
        ({"agents": (2, 2), "action_range": (5, 7)}, {(a, b) for a in (5, 6, 7) for b in (5, 6, 7)}),
        ({"agents": (1, 1), "action_range": (1, 8)}, {(size,) for size in range(1, 9)}),
        ({"agents": (1, 1), "action_range": (1, 13)}, {(size,) for size in (1, 2, 3, 4, 5, 6, 8, 10, 13)}),
        ({"agents": (1, 1), "action_range": (1, 12)}, {(size,) for size in range(1, 13)}),
        (
            {"agents": (5, 5), "action_range": (1, 2)},
            {(1,) * 5, (2,) * 5, (2, 2, 2, 2, 1), (1, 2, 2, 2, 2), (1, 1, 1, 1, 2), (2, 1, 1, 1, 1)},
        ),
        (
            {"agents": (2, 2), "action_range": (1, 5)},
            {(1, 2), (2, 1), (2, 2), (2, 3), (3, 2), (1, 1), (5, 5), (1, 4), (4, 1), (1, 5), (5, 1)},
        ),
        (
            {"agents": (2, 2), "action_range": (40, 50)},
            {(40, 40)} | {pair for size in range(41, 51) for pair in ((40, size), (size, 40))},
        ),
        ({"agents": (2, 2), "action_range": (60, 75)}, {(60, 60)}),
    ],
    ids=str,
)
def test_which_action_sets_are_tried(ranges, shapes):
    """By hand: few sets are all tried; of many, the smallest and the largest number alike, and others beside each number."""
    found = sizes_of(mv.Setting("s", (mv.GameData(),), **ranges))
    assert {sizes.actions for sizes in found} == shapes and len(found) == len(set(found))


def test_how_many_sizes_a_setting_declares():
    """Sets of 2 or 3 actions: 2 for one agent and 4 for two; 3 numbers of states, 2 of steps."""
    setting = mv.Setting("s", (mv.GameData(),), agents=(1, 2), action_range=(2, 3), states=(1, 3), steps=(1, 2))
    assert declared_sizes(setting) == (2 + 4) * 3 * 2


def test_drawn_policies_and_games_have_the_corners():
    setting = next(c for c in CLAIMS if c.id == "lemma-4.1").setting
    sizes = mv.Sizes(3, (2, 2))
    case = setting.case(draw(setting, sizes, 300, np.random.default_rng(1)), sizes, System.FLOATS)
    assert case.several == (300,) and case.policy.factors[1].shape == (3, 2, 2)
    plain = case.plain()
    game, rows = plain["game"], plain["policy"].factors[1]
    assert (rows.max((-1, -2, -3)) == 1).any() and (rows.min((-1, -2, -3)) == 0).any()
    assert ((rows > 0).all((-1, -2, -3)) & (rows.min((-1, -2, -3)) < 1e-3)).any(), "nearly deterministic"
    assert (game.discount == 0).any() and (game.discount == 1).any()
    assert ((game.discount > 0.9) & (game.discount < 1)).any()
    mass = game.transition.sum(-1)
    assert (mass < 1 - 1e-9).any() and (np.abs(mass - 1) < 1e-12).any()
    assert (game.transition.sum(-2).sum(-2) == 0).any(), "a state that nothing leads to"


def test_seeds_make_draws_reproducible():
    setting, sizes = CLAIMS[0].setting, mv.Sizes(2, (2, 2))

    def once(seed):
        return draw(setting, sizes, 50, np.random.default_rng(seed))

    one, same, other = once(3), once(3), once(4)
    assert all((one[name] == same[name]).all() for name in one)
    assert any((one[name] != other[name]).any() for name in one)


def test_one_instance_of_a_batch():
    setting, sizes = CLAIMS[0].setting, mv.Sizes(2, (2,))
    batch = draw(setting, sizes, 5, np.random.default_rng(0))
    alone = instance(batch, 3)
    assert all((alone[name] == batch[name][3]).all() for name in batch)
    assert setting.case(alone, sizes, System.RATIONALS).several == ()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.id)
def test_sizes_respect_the_setting_and_begin_small(claim):
    setting, found = claim.setting, sizes_of(claim.setting)
    assert found and len(set(found)) == len(found)
    for sizes in found:
        assert setting.agents[0] <= sizes.agents <= setting.agents[1]
        assert setting.states[0] <= sizes.states <= setting.states[1]
        assert all(setting.action_range[0] <= size <= setting.action_range[1] for size in sizes.actions)
    order = [(sizes.agents, sizes.states * math.prod(sizes.actions) * sizes.steps) for sizes in found]
    assert order == sorted(order)
    wanted = {shape for shape in ACTION_SHAPES if setting.agents[0] <= len(shape) <= setting.agents[1]}
    wanted = {s for s in wanted if setting.action_range[0] <= min(s) and max(s) <= setting.action_range[1]}
    assert {sizes.actions for sizes in found} == wanted
    assert {sizes.states for sizes in found} == set(range(setting.states[0], setting.states[1] + 1))


def test_unequal_action_sets_are_among_the_sizes():
    shapes = {sizes.actions for sizes in sizes_of(mv.Setting("s", (mv.GameData(),), agents=(1, 4)))}
    assert {(2, 3), (3, 2), (1, 3, 2)} <= shapes and max(map(len, shapes)) == 4


@pytest.mark.parametrize("ranges", [{"agents": (5, 5)}, {"agents": (2, 2), "action_range": (4, 4)}], ids=str)
def test_a_setting_beyond_the_list_of_sizes(ranges):
    """A user's setting of five agents, or of two with four actions each, must be tried or refused, not crash."""
    setting = mv.Setting("s", (mv.Table("f", lambda _: (1,)),), **ranges)

    def proof(case):
        yield mv.line("f", case.f)
        yield mv.equal("f", case.f, because="itself")

    try:
        report = mv.audit([mv.Claim("mine", "t", "s", setting, proof)])["mine"]
    except ClaimError:
        return
    assert report.standing is mv.Standing.SURVIVED and report.instances > 0


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.id)
def test_the_hypotheses_of_every_claim_can_be_met(claim):
    """Not vacuously true: a fair share of instances meets all of them, and every one those that hold by construction."""
    generator, met, seen, count = np.random.default_rng(7), 0, 0, 40
    lines = mv.line("0", 0), mv.at_most("1", 1, because="only hypotheses count")
    trivial = replace(claim, proof=lambda _: iter(lines), symbolic=())
    for sizes in sizes_of(claim.setting):
        if sizes.states * math.prod(sizes.actions) > 16:
            continue
        drawn = draw(claim.setting, sizes, count, generator)
        case = claim.setting.case(drawn, sizes, System.RATIONALS)
        for hypothesis in claim.setting.all_hypotheses:
            if hypothesis.by_construction:
                assert (unwrapped(hypothesis.truth(case), case.several) == TRUE).all(), hypothesis.name
        for _, evidence in decide(trivial, drawn, sizes):
            met += np.asarray(evidence.verdict, dtype=object).ravel().tolist().count(mv.Verdict.HOLDS)
        seen += count
    assert met >= 10 and met >= 0.05 * seen, f"{met} of {seen} instances meet the hypotheses"
