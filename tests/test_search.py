"""The search: what it scores, how it climbs and rounds, what it remembers, and that it says what it looked at."""

import json
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import mappo_verify as mv
from mappo_verify.arithmetic.numbers import watched
from mappo_verify.arithmetic.time_limit import OutOfTime, until
from mappo_verify.checking import corpus, scores
from mappo_verify.checking.campaign import PROFILES
from mappo_verify.checking.climb import POPULATION, STEP, End, Hill, _least, climb, column, rationalised
from mappo_verify.checking.corpus import Corpus
from mappo_verify.checking.relabel import numberings
from mappo_verify.checking.reports import Tally
from mappo_verify.checking.sampling import declared_sizes, draw, sizes_of
from mappo_verify.checking.search import FIRST, Effort, Search, _next
from mappo_verify.checking.shrink import shrink
from mappo_verify.checking.space import Space, candidates
from mappo_verify.checking.tightness import recheck_tightness, tightness, write_tightness
from mappo_verify.checking.trial import put_on_trial
from mappo_verify.claims.coordinates import Coordinate
from mappo_verify.errors import ClaimError, FileError
from mappo_verify.report.plots.tightness import plot_tightness

ALONE = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}
ONE = mv.Sizes(1, (1,))
COINS = mv.Setting("three coins", (mv.Distribution("p", lambda _: (3, 2)),), **ALONE)
TABLE = mv.Setting("two numbers", (mv.Table("f", lambda _: (2,)),), **ALONE)
DRAWN = Effort(exact=400, skimmed=5_000, climbs=0, repeats=1, starts=6, generations=40, seconds=60)
CLIMBED = replace(DRAWN, climbs=2, repeats=2)


def claim_of(setting, left, right, *steps, **more):
    def proof(case):
        yield mv.line("left", left(case))
        for step in (*steps, right):
            yield mv.at_most("right", step(case), because="said so")

    return mv.Claim("mine", "mine", "nowhere", setting, proof, **more)


def distance(case):
    """How far three coins are from the chances 0.3183, 0.2718 and 0.1414, which no weights up to 9 have."""
    near = [Fraction(3183, 10_000), Fraction(2718, 10_000), Fraction(1414, 10_000)]
    return mv.absolute(case.p[:, 0] - mv.like(near, case.system)).sum()


NARROW = claim_of(COINS, lambda _: Fraction(1, 200), distance)
"""False in a corner of a millionth of the cube."""


def run(claim, effort, seed=0, stop=True, **more):
    tally, search = Tally(), Search(claim, effort, np.random.default_rng(seed), **more)
    return put_on_trial(claim, search, tally, stop=stop), search, tally


def test_which_size_is_climbed_next():
    """One that was not climbed yet; after the first turns, in every other one, the one that came closest of the others."""
    new, near, far = (mv.Sizes(states, (2,)) for states in (1, 2, 3))
    hills = {near: SimpleNamespace(height=-0.1), far: SimpleNamespace(height=-0.9)}
    visits = {new: 0, near: 1, far: 1}

    def after(turn, **other):
        return _next([new, far, near], hills, visits | other.get("visits", {}), 2, turn)

    for turn in range(FIRST + 7):
        assert after(turn) == (near if turn >= FIRST and turn % 2 == 1 else new)
        assert after(turn, visits={near: 2}) == (far if turn >= FIRST and turn % 2 == 1 else new)
        assert after(turn, visits={near: 2, far: 2}) == new and after(turn, visits={near: 2, far: 2, new: 2}) is None
        assert after(turn, visits={near: 0}) == (far if turn >= FIRST and turn % 2 == 1 else new)


@pytest.mark.parametrize(
    ("certified", "besides"),
    [(1000, []), (500, [4000, 1000]), (300, [4000, 4000, 3666, 1000]), (250, []), (100, []), (0, [])],
)
def test_more_is_skimmed_where_hypotheses_are_met_often_enough(certified, besides):
    """Of 5,000 instances, 1,000 at a time: until so many are certified, unless it is a quarter of them or less.

    Those that come besides are drawn together, as many as it seems to take.
    """
    search = Search(NARROW, CLIMBED, np.random.default_rng(0))
    counts = []
    for batch in search._skimmed(5_000):
        counts.append(len(batch.make()["p"]))
        search.searched.certified += certified * counts[-1] // 1_000
    assert counts == [1_000] * 5 + besides


# --- scores --------------------------------------------------------------------------------------------------------------


def gaps(left, right, relation="≤", nudged=(0.0, 0.0)):
    one = np.array([[left], [left + nudged[0]]], dtype=float)
    two = np.array([[right], [right + nudged[1]]], dtype=float)
    return scores.gaps(one, two, np.ones((2, 1), bool), relation)[:, 0]


def test_ties_and_rounding_never_win():
    assert gaps(0, 0)[0] == -1 and gaps(1e-17, 0)[0] == -1 and gaps(1e-17, 0)[1] == -1
    assert gaps(3, 3)[0] == -scores.TIE and gaps(3 + 1e-12, 3)[0] == -scores.TIE
    assert gaps(1, 3)[0] == -0.5 and gaps(3, 1)[0] == 0.5 and gaps(3, 1, "≥")[0] == -0.5 and gaps(3, 1, "=")[0] == 0.5
    assert gaps(1e-3, 0, nudged=(1e-3, 0))[0] == -1, "a side that a nudge changes wholly is rounding"
    assert gaps(1001.5, 1000, nudged=(-1.0, 0))[0] == -scores.TIE, "so is such a difference"


def test_a_number_that_both_sides_share_does_not_hide_the_distance():
    near, far = gaps(1e6, 1e6 + 1, nudged=(0, 1e-9)), gaps(1e6, 1e6 + 1, nudged=(0, 1e-12))
    assert near[0] == pytest.approx(far[0], rel=1e-3) and near[1] > far[1] + 0.4


def test_where_nothing_is_claimed_there_is_no_score():
    assert scores.gaps(np.ones((2, 1)), np.zeros((2, 1)), np.zeros((2, 1), bool), "≤")[0, 0] == -np.inf


def test_a_hypothesis_tells_how_much_is_missing_in_either_form():
    for holds in (lambda c: c.f[0] >= 7, lambda c: (c.f[0], "≥", 7)):
        setting = replace(TABLE, hypotheses=(mv.Hypothesis("large", holds), mv.Hypothesis("b", lambda c: c.f[1] <= 5)))
        claim = claim_of(setting, lambda c: c.f[0], lambda _: 8)
        found = scores.scores(claim, ONE, {"f": np.array([[1, 0], [6, 0], [7, 9], [7, 0], [9, 0]])})[:, 0]
        assert found[0] < found[1] < -2 and -3 <= found[2] < -1 and -1 < found[3] < 0 < found[4]
        assert mv.check(claim, f=[9, 0]).verdict is mv.Verdict.VIOLATED
        assert mv.check(claim, f=[6, 0]).verdict is mv.Verdict.NOT_APPLICABLE
    with watched() as seen:
        assert not seen
    equal = replace(TABLE, hypotheses=(mv.Hypothesis("equal", lambda c: (c.f[0], "=", c.f[1])),))
    found = scores.scores(claim_of(equal, lambda c: c.f[0], lambda _: 8), ONE, {"f": np.array([[1, 9], [8, 9]])})
    assert found.shape == (2, 1) and found[0, 0] < found[1, 0] < 0


def test_an_instance_that_raises_does_not_hide_the_others():
    def bound(case):
        raise_where = case.f[0].unwrap() if False else case.f[0]
        return 1 / raise_where

    claim = claim_of(TABLE, lambda c: c.f[1], bound)
    found = scores.scores(claim, ONE, {"f": np.array([[0, 1]] * 20 + [[1, 0]] * 20)})
    assert (found[20:, 0] > scores.WORST).all()

    def broken(_):
        raise ZeroDivisionError

    assert (scores.scores(claim_of(TABLE, broken, broken), ONE, {"f": np.ones((40, 2))}) == scores.WORST).all()


def test_how_much_is_missing_by_hand():
    """The first of two hypotheses fails by (6 - 7)/13 or (1 - 7)/8, the last one by (5 - 9)/14."""
    setting = replace(
        TABLE,
        hypotheses=(mv.Hypothesis("large", lambda c: c.f[0] >= 7), mv.Hypothesis("small", lambda c: c.f[1] <= 5)),
    )
    claim = claim_of(setting, lambda c: c.f[0], lambda _: 8)
    found = scores.scores(claim, ONE, {"f": np.array([[6, 0], [1, 9], [7, 9], [9, 0]])})[:, 0]
    assert found == pytest.approx([-3 - 1 / 13, -3 - 6 / 8, -2 - 4 / 14, 1 / 17])
    positive = replace(TABLE, hypotheses=(mv.Hypothesis("positive", lambda c: (c.f, ">", 0)),))
    claim = claim_of(positive, lambda c: c.f[0], lambda _: 8)
    found = scores.scores(claim, ONE, {"f": np.array([[-1e-10, 1], [0, 3], [5, -1e-9], [5, 3]])})
    assert found[:, 0] == pytest.approx([-2 - 1 / 11, -2, -2.5, -3 / 13]), "beside 10⁻⁹ both are nearly 0"
    assert found.shape == (4, 2), "the only line is the statement"


def test_scores_of_a_proof_by_hand():
    """``f₁ ≤ f₂ ≤ 9`` at (3, 1): of the statement 3 ≤ 9, of both lines by distance, then of both by size.

    The nudge moves the numbers by sin 1 and sin 2 of its size; the distance is the gap beside what that does to it.  A violation
    is tried again on four moved copies, nudged by sin 1 to sin 8, and counts as the least of them.
    """
    claim = claim_of(TABLE, lambda c: c.f[0], lambda _: 9, lambda c: c.f[1])
    found = scores.scores(claim, ONE, {"f": np.array([[3, 1]])})[0]
    one, two = 3 * np.sin(1), np.sin(2)
    least = min(2 / (2 + abs(3 * np.sin(k) - np.sin(k + 1))) for k in (1, 3, 5, 7))
    distances = [-6 / (6 + one), least, -8 / (8 + two)]
    assert found == pytest.approx([-6 / 12, *distances, 2 / 4, -8 / 10], rel=1e-3)


def test_distances_by_hand():
    assert gaps(3, 1, nudged=(scores.NUDGE, 0))[1] == pytest.approx(2 / 3, rel=1e-3)
    assert gaps(1, 3, nudged=(0, scores.NUDGE))[1] == pytest.approx(-2 / 3, rel=1e-3)
    assert gaps(2, 1)[1] == pytest.approx(1) and gaps(2, 2)[1] == -1
    worst = scores.gaps(np.array([[1.0, 3.0]] * 2), np.array([[3.0, 1.0]] * 2), np.ones((2, 2), bool), "≤")[:, 0]
    assert worst == pytest.approx([0.5, 1])


# --- space ---------------------------------------------------------------------------------------------------------------


def test_points_and_numbers_are_inverse():
    setting = mv.Setting(
        "everything",
        (
            mv.Distribution("p", lambda _: (3,)),
            mv.Table("f", lambda _: (2,)),
            mv.LogOdds("q", lambda _: (2,), high=999),
        ),
        **ALONE,
    )
    space = Space.of(setting, ONE)
    drawn = draw(setting, ONE, 50, np.random.default_rng(0))
    numbers = space.numbers(space.points(drawn))
    shares = drawn["p"] / drawn["p"].sum(-1, keepdims=True)
    assert np.allclose(numbers["p"] / numbers["p"].sum(-1, keepdims=True), shares)
    assert np.allclose(numbers["f"], drawn["f"]) and np.allclose(numbers["q"], drawn["q"])
    assert space.count == 7 and space.climbable and (space.width > 0).all()
    rare = Space((Coordinate("errors", (3,), "rare", 0, 9),))
    assert not rare.climbable


def test_the_box_by_hand():
    """Weights are logarithms down to 1/10,000, and 2 further mean 0; integers from -2 to 2, or logarithms from 1 : 100 on."""
    schema = (
        Coordinate("w", (2,), "weight", 0, 9),
        Coordinate("v", (2,), "weight", 1, 9),
        Coordinate("n", (1,), "integer", -9, 9),
        Coordinate("h", (1,), "positive", 1, 100),
        Coordinate("k", (1,), "positive", 1, 99),
        Coordinate("c", (1,), "integer", 4, 4),
    )
    space, deep = Space(schema), np.log(10_000)
    assert space.low == pytest.approx([-deep - 2, -deep - 2, -deep, -deep, -2, 0, -2, -2])
    assert space.high == pytest.approx([0, 0, 0, 0, 2, np.log(100), 2, 2])
    assert space.places["v"] == slice(2, 4) and space.places["c"] == slice(7, 8) and space.count == 8
    point = np.array([[0, np.log(1 / 3), -deep, -deep - 1, 1, np.log(7), -1, 5]])
    numbers = space.numbers(point)
    assert numbers["w"][0] == pytest.approx([9, 3]) and numbers["v"][0] == pytest.approx([9e-4, 9e-4])
    assert [numbers[name][0, 0] for name in "nhkc"] == pytest.approx([4.5, 7, 50 - 24.5, 4])
    vanished = space.numbers(np.array([[-deep - 1, -deep - 0.001, 0, 0, 0, 0, 0, 0]]))
    assert vanished["w"].tolist() == [[1, 1]] and vanished["v"].tolist() == [[9, 9]]
    drawn = {"w": [[3, 0]], "v": [[1, 4]], "n": [[-9]], "h": [[10]], "k": [[99]], "c": [[4]]}
    wanted = [0, -deep - 2, np.log(1 / 4), 0, -2, np.log(10), 2, 0]
    assert space.points(drawn)[0] == pytest.approx(wanted)
    assert [(c.name, index) for c, index in space.blocks()] == [
        ("n", (0,)), ("h", (0,)), ("k", (0,)), ("c", (0,)), ("w", ()), ("v", ()),
    ]  # fmt: skip


def test_candidates_by_hand():
    row = candidates(Coordinate("w", (2,), "weight", 0, 9), np.array([1.0, 3.0]))
    rounded = [(0, 1), (0, 2), (1, 2), (1, 4), (2, 7), (5, 15), (12, 38), (25, 75), (75, 225), (250, 750), (2500, 7500)]
    exact = [(1, 3), (3, 9), (2, 6), (3_333, 10_000)]
    assert sorted(map(tuple, row)) == sorted(rounded + exact)
    small = candidates(Coordinate("w", (3,), "weight", 1, 9), np.array([9e-4, 9.0, 9.0]))
    assert [1, 10_000, 10_000] in small and max(map(max, small)) == 10_000
    three = candidates(Coordinate("w", (3,), "weight", 0, 4), np.array([2.0, 3.0, 6.0]))
    assert [4, 6, 12] not in three and [2, 3, 6] in three and [1, 2, 4] in three
    held = candidates(Coordinate("w", (2,), "weight", 1, 9), np.array([1e-6, 1.0]))
    assert [1, 1] in held and all(min(pair) >= 1 for pair in held) and [1, 10_000] in held
    number = Coordinate("f", (1,), "integer", -9, 9)
    assert (
        candidates(number, -2.4) == [-2, -3] and candidates(number, 2.6) == [3, 2] and candidates(number, -9.3) == [-9]
    )
    assert candidates(number, 3.0) == [3, 4] and candidates(number, 3 - 1e-12) == [3, 4]


def test_rows_become_simple_fractions_and_integers_their_neighbours():
    weights = Coordinate("p", (2,), "weight", 0, 9)
    found = candidates(weights, np.array([355.0, 113.0]))
    assert [355, 113] in found and [22, 7] in found and found == sorted(found, key=sum)
    assert all(max(row) <= 10_000 and any(row) for row in found)
    positive = Coordinate("p", (3,), "weight", 1, 9)
    assert all(min(row) >= 1 for row in candidates(positive, np.array([1e-3, 1.0, 1.0])))
    assert [1, 2, 3] in candidates(Coordinate("p", (3,), "weight", 0, 9), np.array([1.0, 2.0, 3.0]))
    number = Coordinate("f", (1,), "integer", -9, 9)
    assert candidates(number, 2.4) == [2, 3] and candidates(number, 9.0) == [9]


# --- the climb -----------------------------------------------------------------------------------------------------------


def test_drawing_does_not_find_a_narrow_violation_and_climbing_does():
    trial, search, _ = run(NARROW, DRAWN)
    assert trial.witness is None and search.searched.climbed == 0
    for seed in range(3):
        trial, search, _ = run(NARROW, CLIMBED, seed)
        assert trial.witness is not None and search.searched.climbed >= 1 and search.searched.evaluated > 500
    assert mv.audit([NARROW])["mine"].standing is mv.Standing.REFUTED
    assert mv.falsify(NARROW).standing is mv.Standing.REFUTED


def test_a_false_line_in_the_middle_is_climbed_to():
    claim = claim_of(COINS, lambda _: 0, lambda _: 1_000, lambda c: 200 * distance(c) - 1)
    found = [run(claim, CLIMBED, seed)[2].broken_line for seed in range(4)]
    assert all(line is not None for line in found)
    report = mv.audit([claim])["mine"]
    assert report.broken is not None and not report.expected and report.standing is mv.Standing.SURVIVED
    survived = mv.falsify(claim)
    assert survived.broken.number == 2 and "but line 2 of the proof is broken" in repr(survived)


def far_away(share):
    return lambda case: 1_000 + share * distance(case)


def test_every_inner_line_gets_its_turn():
    """In a long proof as well; a score that is the same everywhere gets none, and a broken proof none at all."""
    claim = claim_of(COINS, lambda _: 0, far_away(20), *(far_away(share) for share in range(10, 20)))
    search = Search(claim, replace(CLIMBED, starts=4), np.random.default_rng(0))
    hill = Hill(claim, ONE)
    search._draw(hill)
    assert not hill.telling[0] and hill.telling[1], "0 on the left: the difference over both sides is -1 everywhere"
    inner = set(np.flatnonzero(hill.telling).tolist()) - {1}
    assert len(inner) > 8
    seen = [search._targets(hill).tolist() for _ in range(3)]
    assert all(chosen[:2] == [1, 1] for chosen in seen)
    assert inner == {target for chosen in seen for target in chosen[2:]}
    search.broken = True
    assert search._targets(hill).tolist() == [1] * 4


def test_a_size_where_both_sides_vanish_is_not_climbed():
    """With one action nothing differs, whatever rounding says."""
    setting = mv.Setting(
        "two policies", (mv.GameData(), mv.PolicyData(), mv.PolicyData("target")), agents=(1, 1), states=(2, 2)
    )

    def gained(case):
        return mv.returns(case.game, case.target) - mv.returns(case.game, case.policy)

    claim = claim_of(setting, gained, lambda case: 1_000 * abs(gained(case)))
    for size, tells in ((mv.Sizes(2, (1,)), False), (mv.Sizes(2, (2,)), True)):
        hill = Hill(claim, size)
        hill.look(draw(setting, size, 300, np.random.default_rng(0)))
        assert hill.telling.any() == tells and hill.found.max() <= 0
    search = run(claim, replace(CLIMBED, climbs=9, repeats=1))[1]
    assert search.searched.climbed == 2


def test_a_violation_that_a_little_shaking_undoes_is_none():
    found = scores.scores(NARROW, ONE, {"p": np.ones((2, 3, 2))})
    assert (found < 0).all()
    numbers = {"f": np.array([[3.0, 1.0], [3.0, 1.0]])}
    steady = claim_of(TABLE, lambda c: c.f[0], lambda c: c.f[1])
    assert scores.scores(steady, ONE, numbers)[:, 0] == pytest.approx(0.5)

    def lucky(case):
        """Rounding that a nudge by 1e-12 does not show, and one by 1e-11 does."""
        same = abs(case.f[0] - 3) <= Fraction(1, 10**11)
        return mv.choose(same, mv.like(5, case.system), 0) + case.f[1] / 10

    assert (scores.scores(claim_of(TABLE, lucky, lambda c: c.f[1]), ONE, numbers)[:, 0] <= 0).all()


def points_of(ends):
    return np.stack([end.point for end in ends])


def test_a_climb_keeps_the_best_point_and_moves_only_what_may_move():
    hill = Hill(NARROW, ONE)
    starts = hill.space.points(draw(COINS, ONE, 2, np.random.default_rng(0)))
    moving = np.array([True] * 4 + [False] * 2)
    ends = climb(hill, starts, np.array([0, 1]), 5, np.random.default_rng(1), moving)
    assert (points_of(ends)[:, 4:] == starts[:, 4:]).all() and ends[0].score >= hill.scores(starts)[0, 0]
    stay = climb(hill, starts, np.array([0, 0]), 5, np.random.default_rng(1), np.zeros(6, bool))
    assert (points_of(stay) == starts).all()
    late = climb(hill, starts, np.array([0, 0]), 5, np.random.default_rng(1), late=lambda: True)
    assert (points_of(late) == starts).all()
    hill.remember(np.array([0, 1]), ends)
    assert [target for target, _ in hill.best_ends()] == [0, 1]


def test_the_best_ends_are_remembered():
    """Three of every target, the best ones first; and a point outside of the box loses a hundredth of its squared distance."""
    hill = Hill(NARROW, ONE)
    ends = [End(score, place * np.ones(6), object()) for place, score in enumerate((0.1, 0.4, 0.2, 0.3, 0.2))]
    hill.remember(np.array([0, 0, 7, 0, 0]), ends)
    best = [(0, 1.0), (7, 2.0), (0, 3.0), (0, 4.0)]
    assert [(target, end.point[0]) for target, end in hill.best_ends()] == best
    hill.remember(np.array([0]), [End(0.35, 9 * np.ones(6), ends[1].optimiser)])  # it went on, and stands there once
    assert [(target, end.point[0]) for target, end in hill.best_ends()] == [(0, 9.0), (7, 2.0), (0, 3.0), (0, 4.0)]
    inside = np.zeros((1, 6))
    outside = inside.copy()
    outside[0, :2] = 3, 1
    lost = hill.scores(inside) - hill.scores(outside)
    assert lost == pytest.approx(0.01 * (9 + 1)) and hill.evaluated == 2
    table = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert column(table, 1).tolist() == [2, 4] and column(table, 2).tolist() == [1, 3]
    assert _least(0.5) == 0.25 and _least(-0.5) == -0.502 and _least(0.0) == -0.002


def test_a_later_climb_goes_on_where_the_first_one_ended(monkeypatch):
    """With a full covariance matrix: on a ridge that is oblique to the coordinates nothing else comes nearer."""
    seen = []

    def watched(hill, starts, targets, *rest, steps, **more):
        ends = climb(hill, starts, targets, *rest, steps=steps, **more)
        seen.append((starts, steps, ends, more["earlier"]))
        return ends

    monkeypatch.setattr("mappo_verify.checking.search.climb", watched)
    one = replace(COINS, ingredients=(mv.Distribution("p", lambda _: (3,)),))
    claim = claim_of(one, lambda c: 27 * c.p[0] * c.p[1] * c.p[2], lambda _: 1)
    run(claim, replace(DRAWN, climbs=3, repeats=3, generations=5))
    (_, first, ends, none), (starts, again, second, _), (*_, third, earlier) = seen
    assert (first == STEP).all() and (again[:3] < STEP).all() and (again[3:] == STEP).all() and not none
    assert {tuple(start) for start in starts[:3]} <= {tuple(end) for end in points_of(ends)}
    with_matrix = {id(end.optimiser) for end in second[:3]}
    gone_on = [place for place, end in enumerate(earlier) if id(end.optimiser) in with_matrix and end.goes_on]
    assert gone_on and all(third[place].optimiser is earlier[place].optimiser for place in gone_on)


def test_a_climb_has_one_thread_of_linear_algebra(monkeypatch):
    hill, seen = Hill(NARROW, ONE), []
    starts = hill.space.points(draw(COINS, ONE, 1, np.random.default_rng(0)))
    monkeypatch.setattr(
        hill, "scores", lambda points: seen.append(_threads()) or np.zeros((len(points), scores.STATEMENTS))
    )
    climb(hill, starts, np.array([0]), 1, np.random.default_rng(1))
    assert seen[-1] == {1}


def _threads():
    return {entry["num_threads"] for entry in threadpool_info() if entry["user_api"] == "blas"}


def test_what_a_climb_reached_becomes_integers_that_score_as_well():
    hill = Hill(NARROW, ONE)
    aim = np.log(np.array([3183, 6817, 2718, 7282, 1414, 8586]) / 8586.0)
    made = rationalised(hill, np.stack([aim, aim]), np.array([0, 1]), np.random.default_rng(0))
    assert made["p"].shape == (4, 3, 2) and made["p"].dtype == np.int64
    for weights in made["p"]:
        rows = [[Fraction(int(a), int(a + b)), Fraction(int(b), int(a + b))] for a, b in weights]
        assert mv.check(NARROW, p=mv.like(rows, mv.System.RATIONALS)).violated


def test_integers_are_rounded_first_and_weights_make_up_for_it():
    setting = mv.Setting("both", (mv.Table("f", lambda _: (1,)), mv.Distribution("p", lambda _: (2,))), **ALONE)
    claim = claim_of(setting, lambda _: Fraction(1, 1000), lambda c: mv.absolute(c.f[0] * c.p[0] - Fraction(17, 10)))
    assert run(claim, CLIMBED)[0].witness is not None


def test_a_violation_that_rounding_loses_is_rounded_number_by_number():
    """Half of an odd number is no integer: rounded one after another the two numbers fall apart, unless the first one moves."""
    setting = mv.Setting("both", (mv.Table("f", lambda _: (2,)), mv.Distribution("p", lambda _: (2,))), **ALONE)

    def off(case):
        return abs(case.f[0] * case.p[0] - Fraction(17, 10)) + abs(case.f[1] - case.f[0] / 2)

    claim = claim_of(setting, lambda _: Fraction(1, 1000), off)
    hill = Hill(claim, ONE)
    start = hill.space.points({"f": np.array([[3, 1.5]]), "p": np.array([[17, 13]])})
    assert hill.scores(start)[0, 0] > 0
    made = rationalised(hill, start, np.array([0]), np.random.default_rng(0))
    assert any(
        mv.check(claim, f=f, p=mv.like([Fraction(int(n), int(p.sum())) for n in p], mv.System.RATIONALS)).violated
        for f, p in zip(made["f"].tolist(), made["p"], strict=True)
    )


def test_a_violation_that_is_none_is_forgotten(monkeypatch):
    """Or every later climb would begin, and end, there."""
    kept, doubts = [], []

    def remember(hill, *given):
        kept.append(given[-1])
        doubts.append(hill.doubts)

    monkeypatch.setattr(Hill, "remember", remember)
    monkeypatch.setattr("mappo_verify.checking.search.rationalised", lambda *_: {"p": np.ones((1, 3, 2), np.int64)})
    trial, _, _ = run(NARROW, CLIMBED)
    assert trial.witness is None and doubts == [1, 2]
    assert all(len(ends) < CLIMBED.starts and all(end.score <= 0 for end in ends) for ends in kept)


def test_a_long_run_is_climbed_with_fewer_points_and_its_witness_bisected():
    """Whoever only draws, or lowers a number by one at a time, does not come to an end here."""
    of = mv.Setting("a sum of 500 terms", (mv.Table("p", lambda _: (), 1, 9_999), mv.Table("q", lambda _: (), 1, 9_999)),
                    **ALONE, steps=(500,))  # fmt: skip

    def sides(case):
        places = mv.like(list(range(case.sizes.steps)), case.p)
        share = case.p * (1 + 0 * places).sum() / case.sizes.steps
        return abs(share - 4_321) + abs(case.q - 1_234), mv.like(20, case.p)

    claim = claim_of(of, lambda c: sides(c)[1], lambda c: sides(c)[0])
    trial, search, _ = run(claim, CLIMBED)
    assert search.searched.climbed == 1 and Hill(claim, mv.Sizes(1, (1,), 500)).population < POPULATION
    found = {name: int(value) for name, value in trial.witness.coordinates.items()}
    assert abs(found["p"] - 4_321) + abs(found["q"] - 1_234) == 19  # locally minimal: one less is no violation
    assert found["p"] <= 4_321 and found["q"] <= 1_234


def test_of_a_long_run_a_few_instances_come_first():
    run_of_x = mv.claims.Iterates("run", lambda *given: given[1], start="x")
    setting = mv.Setting("a run", (mv.PositiveScalar("x"), run_of_x), **ALONE, steps=(1, 101))
    search = Search(claim_of(setting, lambda _: 0, lambda c: c.run[-1]), DRAWN, np.random.default_rng(0))
    made = [(batch.sizes.steps, len(next(iter(batch.make().values())))) for batch in search._exact(DRAWN.exact)]
    assert [pair for pair in made if pair[1] <= 200] == [(1, 200), (101, 4), (101, 196)]


def test_the_falsifier_begins_with_the_search_of_a_quick_audit():
    """And finds the same counterexample, by drawing or by climbing."""
    for claim in (NARROW, claim_of(TABLE, lambda c: c.f[0], lambda c: c.f[1] + 17)):
        for seed in range(2):
            found = [
                mv.audit([claim], seed=seed)["mine"].witness,
                *(mv.falsify(claim, seed=seed).witness for _ in "12"),
            ]
            assert len({json.dumps(witness.as_data()) for witness in found}) == 1


def test_a_thorough_audit_climbs_before_it_has_drawn_everything():
    """So that in the same time it does not know less than the falsifier."""
    claim = claim_of(COINS, lambda c: c.p[0, 0], lambda c: 1 + c.p[1, 0])
    more = Effort(exact=1_000, skimmed=8_000, climbs=2, repeats=2, starts=2, generations=3, seconds=60)
    search, climbs = Search(claim, more, np.random.default_rng(0)), []
    for batch in search.batches():
        drawn = batch.make()
        climbs.append((batch.decided.__name__, len(next(iter(drawn.values()))), search.searched.climbed))
        search.learn(batch, drawn, list(batch.decided(claim, drawn, batch.sizes)))
    draws = [(kind, climbed) for kind, count, climbed in climbs if count >= 200]
    first = [("decide", 0)] * 2 + [("skim", 0)] * 5
    assert draws == first + [("decide", 1), ("decide", 2), ("decide", 2)] + [("skim", 2)] * 3


# --- what was searched ---------------------------------------------------------------------------------------------------


def test_a_search_says_what_it_looked_at():
    claim = claim_of(TABLE, lambda c: c.f[0], lambda _: 9)
    found = mv.falsify(claim)
    searched = found.searched
    assert searched.certified > 1_000 and searched.drawn >= 5_400 and searched.ranges["f"] == (-9, 9)
    assert searched.declared == 1 and searched.sizes == [ONE] and not searched.cut_short
    assert f"{searched.drawn:,} instances drawn" in searched.text() and "1 of 1 declared sizes" in searched.text()
    assert "left open" not in searched.text() and searched.numbers() == "numbers tried: f -9 to 9"
    open_ones = replace(searched, certified=searched.certified - 7)
    assert open_ones.left_open == 7 and "7 left open by enclosures" in open_ones.text()
    data = json.loads(json.dumps(searched.as_data()))
    assert data["sizes"] == ["1 state, 1 actions"] and data["certified"] == searched.certified
    assert mv.audit([claim])["mine"].searched.drawn >= 5_400


def test_tables_are_scaled_down():
    """Two numbers in the ratio 3 : 2 refute the claim; no single entry of (9, 6) can be made simpler."""

    def off(case):
        return abs(2 * case.f[0] - 3 * case.f[1]) + mv.choose(case.f[0] > 0, mv.like(0, case.system), 1)

    claim = claim_of(TABLE, lambda _: Fraction(1, 2), off)
    _, small = shrink(claim, ONE, {"f": np.array([9, 6])})
    assert small["f"].tolist() == [3, 2]


def test_a_batch_that_runs_is_interrupted():
    def endless(case):
        x = case.f[0]
        while True:
            x = x * 1

    claim = claim_of(TABLE, endless, lambda _: 9)
    for found in (mv.falsify(claim, seconds=0.3), mv.audit([claim], seconds=0.3)["mine"]):
        assert found.searched.cut_short and found.searched.certified == 0 and found.searched.seconds < 20
        assert found.standing is mv.Standing.UNTESTED
    with until(-1.0), pytest.raises(OutOfTime):
        mv.check(claim, f=[1, 2])


def test_a_time_limit_ends_a_search_and_is_reported():
    for found in (mv.falsify(NARROW, seconds=1e-9), mv.audit([NARROW], seconds=1e-9)["mine"]):
        assert found.searched.cut_short and "stopped by the time limit of 1e-09 s" in found.searched.text()
        assert found.standing is mv.Standing.UNTESTED
    for bad in (0, -1.0):
        with pytest.raises(ClaimError, match="is no time limit; give a positive number"):
            mv.falsify(NARROW, seconds=bad)


@pytest.mark.parametrize(
    ("agents", "actions", "wanted", "declared"),
    [
        ((1, 1), (1, 8), {(6,), (7,), (8,)}, 8),
        ((2, 2), (4, 6), {(4, 5), (5, 4), (6, 4), (5, 6)}, 9),
        ((3, 3), (4, 6), {(4, 4, 5), (6, 4, 4), (6, 6, 6)}, 27),
        ((1, 1), (1, 100), {(100,)}, 100),
    ],
)
def test_every_declared_number_of_actions_is_tried_somewhere(agents, actions, wanted, declared):
    setting = mv.Setting("a game", (mv.GameData(),), agents=agents, states=(1, 1), action_range=actions)
    shapes = [sizes.actions for sizes in sizes_of(setting)]
    assert wanted <= set(shapes) and len(set(shapes)) == len(shapes) and declared_sizes(setting) == declared
    if actions[1] <= 8:
        assert {n for shape in shapes for n in shape} == set(range(actions[0], actions[1] + 1))


def test_wide_ranges_are_drawn_by_orders_of_magnitude():
    setting = mv.Setting("a horizon", (mv.Table("h", lambda _: (1,), low=1, high=10**7),), **ALONE)
    values = draw(setting, ONE, 2_000, np.random.default_rng(0))["h"]
    assert (values >= 1).all() and (values <= 10**7).all()
    assert (values < 1_000).mean() > 0.1 and (values > 10**6).mean() > 0.3
    signed = mv.Setting("a number", (mv.Table("h", lambda _: (1,), low=-(10**6), high=10**6),), **ALONE)
    values = draw(signed, ONE, 2_000, np.random.default_rng(0))["h"]
    assert ((values < 0) & (values > -1000)).mean() > 0.05 and (np.abs(values) <= 10**6).all()


# --- the corpus ----------------------------------------------------------------------------------------------------------


def test_known_counterexamples_are_decided_first_and_on_every_seed():
    for seed in range(3):
        found = mv.falsify("lemma-b.1/printed-range", seed=seed)
        assert found.standing is mv.Standing.REFUTED and found.searched.known >= 1 and found.searched.drawn == 0
    without = mv.falsify("lemma-b.1/printed-range", corpus=False)
    assert without.standing is mv.Standing.REFUTED and without.searched.known == 0


@pytest.mark.parametrize("seed", [2, 6, 7, 9])
def test_the_printed_range_is_found_without_the_corpus(seed):
    report = mv.audit(["lemma-b.1/printed-range"], seed=seed, corpus=False)["lemma-b.1/printed-range"]
    assert report.standing is mv.Standing.REFUTED


def test_a_counterexample_of_ten_thousand_steps_is_found_without_the_corpus():
    report = mv.audit(["theorem-4.5/wider-steps"], corpus=False)["theorem-4.5/wider-steps"]
    assert report.standing is mv.Standing.REFUTED and report.witness.sizes.steps == 10_000


def test_a_users_corpus_is_written_decided_anew_and_checked(tmp_path):
    folder = tmp_path / "corpus"
    first = mv.falsify(NARROW, corpus=folder)
    (path,) = folder.glob("mine-*.json")
    again = mv.falsify(NARROW, corpus=folder, seed=5)
    assert again.searched.known == 1 and again.searched.drawn == 0
    assert again.witness.as_data() == first.witness.as_data() and len(list(folder.iterdir())) == 1
    audited = mv.audit([NARROW], corpus=folder)["mine"]
    assert audited.witness.as_data() == first.witness.as_data()
    true = claim_of(COINS, lambda _: 0, distance)
    assert mv.falsify(true, corpus=folder).standing is mv.Standing.SURVIVED, "a file is no evidence"
    stored = json.loads(path.read_text())
    for change, cause in (
        ({"states": 2}, r"does not fit the claim any more"),
        ({"states": "two"}, r"is no stored counterexample \(ValueError"),
        ({"coordinates": {"p": [[1.5]]}}, r"does not fit the claim any more"),
    ):
        path.write_text(json.dumps(stored | change))
        with pytest.raises(FileError, match=cause):
            mv.falsify(NARROW, corpus=folder)
    path.write_text(json.dumps(stored | {"claim": "mine-too"}))
    assert not corpus.known(NARROW, folder)
    path.write_text(" " * (corpus.MAX_BYTES + 1))
    with pytest.raises(FileError, match="holds more than the limit of"):
        Corpus.of_choice(folder).of(NARROW)
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(FileError, match="cannot be written"):
        corpus.keep(blocked / "below", first.witness)


# --- shrinking -----------------------------------------------------------------------------------------------------------


def test_the_same_counterexample_looks_the_same_wherever_it_was_found():
    claim = claim_of(
        mv.Setting("f", (mv.Table("f", lambda _: (3,)),), **ALONE), lambda c: mv.largest(c.f), lambda c: c.f.sum()
    )
    found = {json.dumps(mv.falsify(claim, seed=seed).witness.as_data()) for seed in range(4)}
    found |= {json.dumps(mv.audit([claim], seed=seed)["mine"].witness.as_data()) for seed in range(3)}
    assert len(found) == 1 and '"f": [0, 0, -1]' in found.pop()


def renamed(given, swap_agents=False):
    """The instance with both states, and both actions of agent 1, exchanged; or with its agents, which have 2 and 3 actions."""
    if swap_agents:
        joint = [0, 3, 1, 4, 2, 5]
        tables = {n: given[n][:, joint] for n in ("game.transition", "game.reward")}
        return given | tables | {"policy.1": given["policy.2"], "policy.2": given["policy.1"]}
    joint, states, columns = [3, 4, 5, 0, 1, 2], [1, 0], [1, 0, 2]
    return {
        "game.transition": given["game.transition"][states][:, joint][:, :, columns],
        "game.reward": given["game.reward"][states][:, joint],
        "game.discount": given["game.discount"],
        "game.start": given["game.start"][states],
        "policy.1": given["policy.1"][states][:, [1, 0]],
        "policy.2": given["policy.2"][states],
    }


def test_other_names_give_the_same_counterexample():
    """Of states, of actions, and of agents that do not see each other."""
    setting = mv.Setting(
        "a game", (mv.GameData(discount=(0, Fraction(1, 2))), mv.PolicyData(product=True)), agents=(2, 2), states=(1, 2)
    )
    claim = claim_of(setting, lambda c: mv.returns(c.game, c.policy), lambda _: 3)
    sizes, tried = mv.Sizes(2, (2, 3)), 0
    for seed in range(12):
        given = {name: values[0] for name, values in draw(setting, sizes, 1, np.random.default_rng(seed)).items()}
        if not mv.check(claim, **setting.case(given, sizes, mv.System.RATIONALS).plain()).violated:
            continue
        tried += 1
        found = [shrink(claim, sizes, given), shrink(claim, sizes, renamed(given))]
        found.append(shrink(claim, mv.Sizes(2, (3, 2)), renamed(given, swap_agents=True)))
        texts = {str((size, {name: values.tolist() for name, values in one.items()})) for size, one in found}
        assert len(texts) == 1, texts
        if tried == 3:
            break
    assert tried == 3


def test_numberings_are_all_there_are_and_agents_that_see_others_keep_their_places():
    game = mv.GameData(termination=False)
    one, two = np.random.default_rng(0), mv.Sizes(2, (2, 3))
    for product, count in ((True, 2 * 2 * 2 * 6), (False, 2 * 2 * 6)):
        setting = mv.Setting("a game", (game, mv.PolicyData(product=product)), agents=(2, 2))
        given = {name: values[0] for name, values in draw(setting, two, 1, one).items()}
        found = list(numberings(setting, two, given))
        assert len(found) == count and len({sizes for sizes, _ in found}) == 1 + product
        kept = [one for sizes, one in found if sizes == two and all((one[n] == given[n]).all() for n in given)]
        assert kept
    large = mv.Sizes(8, (2,))
    given = {name: values[0] for name, values in draw(setting, large, 1, one).items()}
    assert len(list(numberings(setting, large, given))) == 1


# --- tightness -----------------------------------------------------------------------------------------------------------


def test_tightness_is_an_exact_instance_that_can_be_rechecked(tmp_path):
    claim = claim_of(COINS, lambda c: 4 * c.p[0, 0] * c.p[0, 1] * c.p[1, 0] + 1, lambda _: Fraction(20001, 10_000))
    found = tightness(claim, seconds=4)
    assert (
        0.999 < found.ratio < 1 and found.evidence.arithmetic is mv.System.RATIONALS and str(found.ratio) in repr(found)
    )
    assert [ratio for _, ratio in found.curve] == sorted(ratio for _, ratio in found.curve)
    write_tightness(found, tmp_path / "mine.json")
    stored = json.loads((tmp_path / "mine.json").read_text())
    assert recheck_tightness(stored, claim).holds and stored["lines"][1] == ["right", "20001/10000"]
    with pytest.raises(ClaimError, match=r"not 0\.5"):
        recheck_tightness(stored | {"ratio": 0.5}, claim)
    plot_tightness(found, tmp_path / "mine.svg")
    assert "best ratio" in (tmp_path / "mine.svg").read_text() or (tmp_path / "mine.svg").stat().st_size > 1_000
    with pytest.raises(FileError, match="cannot be written"):
        write_tightness(found, tmp_path / "none" / "mine.json")


def test_tightness_of_what_has_none():
    false = tightness(NARROW)
    assert false.witness is not None and false.ratio is None and "false, by an instance" in repr(false)
    zero = tightness(claim_of(TABLE, lambda _: 0, lambda _: 0), seconds=5)
    assert zero.ratio is None
    for act in (zero.as_data, lambda: plot_tightness(zero, "x.svg")):
        with pytest.raises(ClaimError, match="no certified instance of mine has two positive sides"):
            act()
    with pytest.raises(ClaimError, match="unknown profile 'slow'"):
        tightness(NARROW, "slow")


def test_efforts_are_ordered():
    quick, thorough = PROFILES["quick"].effort, PROFILES["thorough"].effort
    assert all(getattr(quick, name) < getattr(thorough, name) for name in Effort.__dataclass_fields__)


def test_falsifier_and_tightness_refuse_alike():
    for searched in (mv.falsify, mv.checking.tightness):
        with pytest.raises(mv.errors.MappoVerifyError, match="seed = -1 is not an integer of at least 0"):
            searched("lemma-b.4", seed=-1)
        with pytest.raises(ClaimError, match="holds with probability 1 - δ, so one"):
            searched("lemma-c.1")
