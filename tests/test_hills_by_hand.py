"""How a climb moves, by hand: what its optimisers are asked and told, when it ends, and how what it reached is rounded."""

from __future__ import annotations

from types import SimpleNamespace

import cmaes
import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.checking import climb as module
from mappo_verify.checking.climb import GAIN, MORE, NEAR, PATIENCE, REFINE, End, Hill, climb, columns, rationalised
from mappo_verify.checking.scores import LEAST, WORST
from mappo_verify.checking.space import Space
from mappo_verify.claims.coordinates import Coordinate

ONE = mv.Sizes(1, (1,))
NUMBER = Coordinate("f", (), "integer", -9, 9)


class Optimiser:
    """Asks for its mean, moved by 1, 2, 3, ... times ``stride`` along its first axis, and keeps what it is told."""

    stride = 0.0

    def __init__(self, mean, sigma, population_size, seed):
        self.mean, self.sigma, self.population_size, self.seed = mean.tolist(), sigma, population_size, seed
        self.asked, self.told, self.stopped = 0, [], False

    def ask(self):
        self.asked += 1
        return np.array([self.mean[0] + self.asked * self.stride, *self.mean[1:]])

    def tell(self, pairs):
        self.told.append([(point.tolist(), value) for point, value in pairs])

    def should_stop(self):
        return self.stopped


class Separable(Optimiser):
    pass


class Full(Optimiser):
    pass


@pytest.fixture(autouse=True)
def optimisers(monkeypatch):
    monkeypatch.setattr(cmaes, "SepCMA", Separable)
    monkeypatch.setattr(cmaes, "CMA", Full)
    monkeypatch.setattr(Optimiser, "stride", 0.0)


class FakeHill:
    """A hill whose scores are the first number, and the second one."""

    def __init__(self, population=2, count=3, end=1_000.0):
        self.space = SimpleNamespace(count=count, low=np.full(count, -end), high=np.full(count, end))
        self.population, self.doubts, self.looks = population, 0, 0

    def scores(self, points):
        self.looks += 1
        return points[:, :2].copy()


def climbed(hill, starts, targets, generations, **more):
    return climb(hill, np.array(starts, float), np.array(targets), generations, np.random.default_rng(0), **more)


def test_what_an_optimiser_is_asked_and_told(monkeypatch):
    """Two points a generation, where only the first and the last number move; the values told are the scores, negated."""
    monkeypatch.setattr(Optimiser, "stride", 1.0)
    hill = FakeHill()
    ends = climbed(
        hill, [[-90, -7, 5], [-80, -8, 6]], [0, 1], 3, moving=np.array([True, False, True]), steps=np.array([1.0, 0.5])
    )
    one, two = (end.optimiser for end in ends)
    assert type(one) is Separable and type(two) is Full and hill.looks == 4
    assert (one.mean, one.sigma, one.population_size) == ([-90, 5], 1.0, 2) and (two.mean, two.sigma) == ([-80, 6], 0.5)
    assert one.told == [[([-89 + k, 5], 89 - k), ([-88 + k, 5], 88 - k)] for k in (0, 2, 4)]
    assert two.told[0] == [([-79, 6], 8), ([-78, 6], 8)] and len(two.told) == 2, (
        "patience with what gains nothing is a third"
    )
    assert ends[0].score == -84 and ends[0].point.tolist() == [-84, -7, 5]
    assert ends[1].score == -8 and ends[1].point.tolist() == [-80, -8, 6], "what is only as good changes nothing"


def test_every_start_has_its_own_points(monkeypatch):
    monkeypatch.setattr(Optimiser, "stride", -1.0)
    ends = climbed(FakeHill(population=3), [[-9, 0, 0], [-8, 1, 0], [-7, 2, 0]], [0, 0, 0], 1)
    assert [end.optimiser.told[0] for end in ends] == [
        [([x - k, y, 0], k - x) for k in (1, 2, 3)] for x, y in ((-9, 0), (-8, 1), (-7, 2))
    ]
    assert [end.score for end in ends] == [-9, -8, -7]
    assert [type(end.optimiser) for end in ends] == [Separable] * 3 and {end.optimiser.sigma for end in ends} == {1.0}


def test_the_best_of_a_generation_is_kept_with_its_point(monkeypatch):
    monkeypatch.setattr(Optimiser, "stride", 1.0)
    ends = climbed(FakeHill(population=3, end=9), [[-9, 0, 0], [-5.5, 30, 0]], [0, 0], 1)
    assert [(end.score, end.point.tolist()) for end in ends] == [(-6, [-6, 0, 0]), (-2.5, [-2.5, 9, 0])], (
        "inside of the box"
    )


def test_seeds_of_optimisers_are_drawn():
    seeds = [end.optimiser.seed for end in climbed(FakeHill(), [[-1, 0, 0]] * 64, [0] * 64, 1)]
    assert len(set(seeds)) == 64 and 2**30 < max(seeds) < 2**31


@pytest.mark.parametrize(("generations", "asked"), [(9, 4), (10, 4), (12, 5), (900, PATIENCE + 1)])
def test_a_start_that_gains_nothing_is_left(generations, asked):
    """After a third of the generations, and after so many at most."""
    ends = climbed(FakeHill(), [[-1, 0, 0]], [0], generations)
    assert len(ends[0].optimiser.told) == asked


@pytest.mark.parametrize(("gain", "asked"), [(GAIN / 4, 4), (GAIN, 9)])
def test_what_is_too_little_to_be_a_gain(monkeypatch, gain, asked):
    """Two points a generation, so twice the gain."""
    monkeypatch.setattr(Optimiser, "stride", gain)
    assert len(climbed(FakeHill(), [[-1, 0, 0]], [0], 9)[0].optimiser.told) == asked


@pytest.mark.parametrize(
    ("begin", "doubts", "asked"),
    [(-90.5, 0, 30), (-2.5, 0, 2 + MORE), (-2.5, 1, 30), (0.5, 0, MORE), (-2.0, 0, 2 + MORE)],
)
def test_soon_after_a_violation_all_stop(monkeypatch, begin, doubts, asked):
    """A point gains 1 a generation: from -2.5 on the third is above 0, and from -2 on, too."""
    monkeypatch.setattr(Optimiser, "stride", 1.0)
    hill = FakeHill(population=1)
    hill.doubts = doubts
    ends = climbed(hill, [[begin, 0, 0], [-500, 0, 0]], [0, 0], 30)
    assert [len(end.optimiser.told) for end in ends] == [asked + (begin < 0 and asked < 30)] * 2


def test_a_tie_is_no_violation():
    assert len(climbed(FakeHill(), [[0, 0, 0]], [0], 45)[0].optimiser.told) == 16


def test_optimisers_go_on_where_they_can():
    known = [Full(np.zeros(3), 0.1, 2, 0) for _ in range(4)]
    known[1].stopped = True
    earlier = [
        *(End(-1.0, np.zeros(3), one) for one in known),
        End(-1.0, np.zeros(3), Separable(np.zeros(3), 1.0, 2, 0)),
    ]
    found = climbed(FakeHill(), [[-1, 0, 0]] * 6, [0] * 6, 1, earlier=earlier, steps=np.full(6, 0.5))
    same = [end.optimiser is one.optimiser for end, one in zip(found, earlier, strict=False)]
    assert same == [True, False, True, True, False] and type(found[5].optimiser) is Full
    assert [len(one.told) for one in known] == [1, 0, 1, 1]


def test_an_optimiser_that_has_stopped_is_asked_no_more():
    one = Full(np.zeros(3), 0.1, 2, 0)
    earlier = [End(-1.0, np.zeros(3), one)]
    asked = one.ask

    def ask():
        one.stopped = True
        return asked()

    one.ask = ask
    ends = climbed(FakeHill(), [[-1, 0, 0]] * 2, [0, 0], 9, earlier=earlier)
    assert [len(end.optimiser.told) for end in ends] == [1, 4]


@pytest.mark.parametrize(("moving", "moves"), [([True, True, False], True), ([False, True, False], False)])
def test_one_number_alone_is_not_climbed(moving, moves):
    ends = climbed(FakeHill(), [[-1, 0, 0], [-2, 0, 0]], [0, 0], 1, moving=np.array(moving))
    assert [end.optimiser is not None for end in ends] == [moves] * 2 and [end.score for end in ends] == [-1, -2]


def test_a_score_for_every_target():
    table = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert columns(table, np.array([1, 0, 2])).tolist() == [2, 3, 5], "what has no column has the first one"


# --- hills --------------------------------------------------------------------------------------------------------------

SETTING = mv.Setting("a number", (mv.Table("f", lambda _: ()),), agents=(1, 1), states=(1, 1), action_range=(1, 1))


def hill_with(found):
    claim = mv.Claim("mine", "t", "s", SETTING, lambda _: iter(()))
    hill = Hill(claim, ONE)
    assert hill.doubts == hill.evaluated == 0
    hill.found = np.array(found, float)
    return hill


def test_which_scores_tell_anything():
    """One that is the same wherever it is known does not, nor one that differs by a millionth."""
    found = [
        [1, WORST, -0.5, -0.5, LEAST, 0.25, LEAST],
        [2, WORST, -0.5, WORST, LEAST, 0.25 + GAIN, 0.5],
        [1, WORST, -0.5, -0.4, LEAST, 0.25, 0.5],
    ]
    assert hill_with(found).telling.tolist() == [True, False, False, True, False, False, False]
    assert hill_with([[0, 0.0], [0, 0.001]]).telling.tolist() == [False, True]
    assert hill_with([[3.0], [3.0]]).telling.tolist() == [False]


def test_how_near_a_violation_points_came():
    hill = hill_with([[-0.5, 9], [-0.3, 9]])
    assert hill.height == -0.3
    hill.remember(np.array([1, 0, 0]), [End(score, np.zeros(1), object()) for score in (5, -0.4, -0.2)])
    assert hill.height == -0.2
    hill.doubt()
    hill.doubt()
    assert hill.doubts == 2


def test_ends_are_ranked_target_by_target():
    hill = hill_with([[0.0]])
    hill.remember(np.array([4, 4, 1, 1]), [End(score, np.zeros(1), object()) for score in (1, 2, 3, 4)])
    hill.remember(np.array([4, 0]), [End(score, np.zeros(1), object()) for score in (1.5, 9)])
    assert [(t, end.score) for t, end in hill.best_ends()] == [(0, 9), (1, 4), (4, 2), (1, 3), (4, 1.5), (4, 1)]
    with pytest.raises(ValueError, match="zip"):
        hill.remember(np.array([4]), [])


def test_how_doubts_make_a_hill_careful(monkeypatch):
    seen = []
    monkeypatch.setattr(module, "scores", lambda *given: seen.append(given[-1]) or np.zeros((2, 2)))
    hill = hill_with([[0.0]])
    for hill.doubts in (0, 1, 2, 3):
        hill.of_numbers({"f": np.zeros(2)})
    assert seen == [20, 2_000, 200_000, 200_000] and hill.evaluated == 8


# --- rounding -----------------------------------------------------------------------------------------------------------


class RoundHill:
    """The scores are those of two functions of the numbers, and what lies outside of the box is not asked for."""

    population, doubts = 2, 0

    def __init__(self, schema, *functions):
        self.space, self.functions = Space(schema), functions

    def of_numbers(self, numbers):
        return np.stack([function(**numbers) for function in self.functions], axis=-1).astype(float)

    def scores(self, points):
        return self.of_numbers(self.space.numbers(points))


PAIR = Coordinate("f", (2, 2), "integer", -9, 9)


@pytest.mark.parametrize(
    ("enough", "wanted", "scores"), [(np.inf, [3, 6, 7], [0, 0, 0]), ([-1, -1, -9], [2, 7, 6], [-1, -1, -1])]
)
def test_a_number_becomes_the_better_neighbour_or_the_first_that_is_good_enough(enough, wanted, scores):
    """Near 3 for the first score, near 6 for the second, or near 7 where the last number is 1; nothing else changes."""
    hill = RoundHill((PAIR,), lambda f: -abs(f[:, 1, 0] - 3), lambda f: -abs(f[:, 1, 0] - 6 - f[:, 1, 1]))
    numbers = {"f": np.full((3, 2, 2), 0.5)}
    numbers["f"][:, 1] = (2.4, 0), (6.6, 0), (6.4, 1)
    found = module._settle(hill, numbers, PAIR, (1, 0), np.array([0, 1, 1]), np.array(enough, float))
    assert numbers["f"][:, 1, 0].tolist() == wanted and found.tolist() == scores
    assert (numbers["f"][:, 0] == 0.5).all() and numbers["f"][:, 1, 1].tolist() == [0, 0, 1]


def test_what_is_rounded_is_free_no_more_and_the_others_make_up_for_it(monkeypatch):
    """Three numbers, one after another; where that costs more than it may, what is left climbs, and a gain is taken over."""
    schema = (NUMBER, Coordinate("g", (2, 2), "integer", -9, 9))
    hill = RoundHill(schema, lambda f, g: -abs(f - 2.4) - abs(g[:, 1, 0] - 1.25) - 0 * g.sum((1, 2)))
    seen = []

    def fake(_hill, starts, targets, generations, _generator, free, steps):
        seen.append((starts.tolist(), targets.tolist(), generations, free.tolist(), steps.tolist()))
        points = starts.copy()
        points[:, 4] = 2 / 9 * 4
        return [End(score, point, None) for score, point in zip([-0.1, -9.0], points, strict=False)]

    monkeypatch.setattr(module, "climb", fake)
    numbers = {"f": np.array([2.4, 3.0, 3.0]), "g": np.full((3, 2, 2), 1.0)}
    numbers["g"][:, 1, 0] = 1.25
    groups = [[(schema[0], ())], [(schema[1], (1, 0))]]
    kept = module._rounded(
        hill, numbers, groups, np.array([0, 0, 0]), np.array([0.0, 0.0, -1.0]), np.random.default_rng(0)
    )
    (starts, targets, generations, free, steps), second = seen
    assert free == [False, True, True, True, True] and second[3] == [False, True, True, False, True]
    assert generations == REFINE and steps == [NEAR] * 2 and targets == [0, 0] and len(starts) == 2
    assert numbers["f"].tolist() == [2, 3, 3] and numbers["g"][:, 1, 1].tolist() == pytest.approx([4, 1, 1])
    assert numbers["g"][:, 1, 0].tolist() == [1, 1, 1] and kept.tolist() == pytest.approx([-0.1, -0.85, -0.85])


def test_of_each_end_there_is_a_simple_instance_and_one_that_scores_best():
    """Thirds need a denominator of 3 to score as they did, and 1 : 2.01 has 100 : 201."""
    row = Coordinate("w", (2,), "weight", 0, 9)
    hill = RoundHill((NUMBER, row), lambda f, w: 0.1 - abs(w[:, 0] / w.sum(-1) - 100 / 301) - 0.01 * abs(f - 2))
    start = hill.space.points({"f": np.array([2.2, -5.0]), "w": np.array([[100, 201], [9, 9]])})
    made = rationalised(hill, start, np.array([0, 0]), np.random.default_rng(0))
    assert made["f"].tolist() == [2, -4, 2, -4], "the better one of -5 and -4"
    assert made["w"][0].tolist() == [1, 2] and made["w"][2].tolist() == [100, 201]


def test_a_violation_that_is_lost_is_rounded_number_by_number(monkeypatch):
    """Those that cost most first; only where that keeps more, and only for the instance that lost its violation.

    ``f = 2`` costs .4 and has ``g = 4`` cost .1, both times the second weight's share; the climb after ``f`` makes that small.
    """
    schema = (Coordinate("g", (), "integer", -9, 9), NUMBER, Coordinate("w", (2,), "weight", 0, 9))

    def score(f, g, w):
        return 0.4 - (abs(f - 2.4) + abs(g - 3.5 - (2.4 - f))) * w[:, 1] / w.sum(-1)

    hill, orders = RoundHill(schema, score), []

    def fake(_hill, starts, _targets, _generations, _generator, free, _steps):
        orders.append(free.tolist())
        points = starts.copy()
        points[:, 2:] = 0, -9
        return [End(1.0 if len(orders) == 2 else -9.0, point, None) for point in points]

    monkeypatch.setattr(module, "climb", fake)
    start = hill.space.points({"f": np.array([2.4, 9.0]), "g": np.array([3.5, 3.5]), "w": np.ones((2, 2))})
    made = rationalised(hill, start, np.array([0, 0]), np.random.default_rng(0))
    assert orders == [[False, False, True, True], [True, False, True, True]]
    assert made["f"].tolist() == [2, 9, 2, 9] and made["g"].tolist() == [4, 3, 4, 3]
    assert made["w"][1].tolist() == [1, 1], "the other instance had no violation"
    assert (made["w"][[0, 2], 0] > 4_000 * made["w"][[0, 2], 1]).all()
