"""What a search does next, by hand: which batches, starts and targets, which ends become integers, and what is counted."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.checking import search as module
from mappo_verify.checking.climb import STEP, End, Hill
from mappo_verify.checking.evaluate import decide
from mappo_verify.checking.scores import WORST
from mappo_verify.checking.search import Batch, Effort, Search, _most_promising, _starts, _tops
from mappo_verify.claims.verdict import Verdict
from mappo_verify.papers.registry import claim as find

EFFORT = Effort(exact=400, skimmed=5_000, climbs=3, repeats=2, starts=4, generations=10, seconds=60)
SMALL = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}
SETTING = mv.Setting("two numbers", (mv.Table("f", lambda _: (2,)),), **SMALL)
ONE, TWO, THREE = (mv.Sizes(states, (1,)) for states in (1, 2, 3))


def proof(case):
    yield mv.line("f", case.f[0])
    yield mv.at_most("9", 9, because="it is")


CLAIM = mv.Claim("mine", "mine", "nowhere", SETTING, proof)


def search_of(setting=SETTING, **effort):
    return Search(replace(CLAIM, setting=setting), replace(EFFORT, **effort), np.random.default_rng(0))


# --- which ends, starts and sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("targets", "reached", "tops"),
    [
        # The best for each score of the statement, three in all beside, and the best of each line that looks violated.
        ([0, 0, 1, 0, 1, 2, 2, 3, 4, 0], [-0.1, -0.2, -0.4, -0.3, -0.6, 0.1, 0.2, 0, 0.3, -0.5], [0, 2, 1, 3, 6, 8]),
        ([0, 1], [-0.5, -0.51], [0]),
        ([0], [0.1], [0]),
        ([0, 0, 0, 1], [0.4, 0.3, 0.2, 0.1], [0, 3, 1, 2]),
        ([0, 0, 0, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5], [3, 4, 2]),
        ([0, 2], [0.4, 0.1], [0, 1]),
        ([5, 2], [-0.4, -0.1], []),
    ],
)
def test_which_ends_become_integers(targets, reached, tops):
    assert _tops(np.array(targets), np.array(reached, float)).tolist() == tops


def test_starts_are_the_best_points_and_few_of_one_kind():
    """At most two for one target with as many zeros, small weights and numbers above 0."""
    points = np.array([[-10.0], [-12], [-11], [-5], [-1], [2], [-9.4], [-3.9], [0.1]])
    found = np.column_stack([[9, 8, 7, 6, 5, 4, 3, 2, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9]])
    assert _starts(points, found, np.array([0, 0, 0, 0])) == [0, 1, 3, 4]
    assert _starts(points, found, np.array([0, 0, 0, 0, 0, 0, 0, 0])) == [0, 1, 3, 4, 5, 6, 7, 8]
    assert _starts(points, found, np.array([1, 1, 1, 1])) == [8, 7, 6, 5]
    assert _starts(points, found, np.array([0, 1, 0, 1, 0, 7])) == [0, 8, 1, 7, 3, 2]
    alike = np.array([[-10.0]] * 4)
    several = np.array([[0.3, 0], [0.4, 0], [0.1, 0], [0.2, 1]])
    assert _starts(alike, several, np.array([0] * 6)) == [1, 0, 3, 2, 1, 1]
    assert _starts(alike, several, np.array([0, 0, 1])) == [1, 0, 3]


def hill_of(*columns, telling=None):
    found = np.array([columns], float)
    return SimpleNamespace(found=found, telling=np.array(telling or [True] * len(columns)))


def test_sizes_that_promise_most():
    """Each score ranks them; the first one counts as much as all lines together, the second nothing; a rank r counts 1/r."""
    near, far, best = hill_of(-0.1, 0, -0.9), hill_of(-0.3, 9, -0.1), hill_of(-0.2, 5, -0.5)
    # first: near 1, best 1/2, far 1/3;  line: far 1, best 1/2, near 1/3
    assert _most_promising({ONE: near, TWO: best, THREE: far}) == [ONE, THREE, TWO]
    assert _most_promising({THREE: far, TWO: best, ONE: near}) == [THREE, ONE, TWO]
    two_lines = [hill_of(-0.1, 0, -0.9, -0.9), hill_of(-0.3, 9, -0.1, -0.5), hill_of(-0.2, 5, -0.5, -0.1)]
    # first, twice: 2, 2/3, 1;  lines: 1/3 + 1/3, 1 + 1/2, 1/2 + 1
    assert _most_promising(dict(zip([ONE, TWO, THREE], two_lines, strict=True))) == [ONE, THREE, TWO]
    # a score that is the same everywhere ranks nothing, nor does one that a size has not
    silent = hill_of(-0.1, 0, -0.9, telling=[False, True, True])
    assert _most_promising({ONE: silent, TWO: best, THREE: hill_of(-0.3)}) == [TWO, ONE, THREE]
    assert _most_promising({ONE: hill_of(-0.3), TWO: hill_of(-0.1)}) == [TWO, ONE]
    assert _most_promising({}) == []


def test_targets_of_a_climb_by_hand():
    """Half to the statement, by size twice and once by distance; the others to lines, those with fewest turns and best first."""
    search = search_of()
    hill = hill_of(*[-0.5, -0.4, -0.3, -0.1, -0.2, -0.9], telling=[True, True, True, True, True, False])
    assert search._targets(hill).tolist() == [0, 1, 3, 4]
    assert search._targets(hill).tolist() == [0, 1, 2, 3]
    assert search._targets(hill).tolist() == [0, 1, 4, 2]
    assert search._targets(hill).tolist() == [0, 1, 3, 4] and search.turns == {2: 2, 3: 3, 4: 3}
    search.effort = replace(EFFORT, starts=7)
    search.turns.clear()
    assert search._targets(hill).tolist() == [0, 1, 0, 3, 4, 2, 3]
    inner = hill_of(*[-0.5, -0.4, -0.3, -0.1], telling=[False, False, True, True])
    search.turns.clear()
    assert search._targets(inner).tolist() == [3, 2, 3, 2, 3, 2, 3]
    search.effort = replace(EFFORT, starts=2)
    many = hill_of(*[-1.0 / k for k in range(1, 23)])
    search.turns.clear()
    assert search._targets(many).tolist() == [0, 21, 20, 19, 18], (
        "a long proof has up to twice as many starts for its lines"
    )
    search.broken = True
    assert search._targets(hill).tolist() == [0, 1] and search._targets(inner).tolist() == [2, 3]
    search.broken = False
    assert search._targets(hill_of(-0.5, -0.4)).tolist() == [0, 1]


# --- batches ------------------------------------------------------------------------------------------------------------


def made(batches, stop=99):
    found = []
    for batch in batches:
        found.append(
            (batch.sizes.states, batch.sizes.steps, len(next(iter(batch.make().values()))), batch.decided.__name__)
        )
        if len(found) == stop:
            break
    return found


def test_exact_instances_come_in_chunks_of_every_size():
    """As many of each size; 200 at a time, of a long run 4 first; a setting's limit speaks of 400."""
    states = replace(SETTING, states=(1, 3))
    assert made(search_of(states)._exact(30)) == [(s, 1, 10, "decide") for s in (1, 2, 3)]
    assert made(search_of(states)._exact(2)) == [(s, 1, 1, "decide") for s in (1, 2, 3)]
    assert made(search_of()._exact(450)) == [(1, 1, n, "decide") for n in (200, 200, 50)]
    assert made(search_of()._exact(400)) == [(1, 1, n, "decide") for n in (200, 200)]
    assert made(search_of(replace(SETTING, limit=50))._exact(400)) == [(1, 1, 50, "decide")]
    assert made(search_of(replace(SETTING, limit=50))._exact(800)) == [(1, 1, 100, "decide")]
    assert made(search_of(replace(SETTING, limit=50))._exact(1)) == [(1, 1, 1, "decide")]
    assert made(search_of(replace(SETTING, states=(1, 3), limit=50))._exact(30)) == [
        (s, 1, 3, "decide") for s in (1, 2, 3)
    ]


def exact_batches(name):
    """Of a registered claim: the states and agents of every batch, and its instances."""
    search = Search(find(name), EFFORT, np.random.default_rng(0))
    for batch in search._exact(400):
        drawn = batch.make()
        assert list(batch.decided(search.claim, drawn, batch.sizes)) and batch.decided is decide
        yield batch.sizes.states, batch.sizes.agents, len(next(iter(drawn.values())))


def test_a_registered_inequality_has_few_exact_instances_beside_enclosures():
    """A hundred: at the first three sizes, where agents become more, and at every third if rationals decide it."""
    logarithms = list(exact_batches("lemma-b.5"))  # 6 sizes of one agent, 10 of two and 6 of three
    assert logarithms == [(1, 1, 4), (1, 1, 16), (2, 1, 20), (1, 1, 20), (1, 2, 20), (1, 3, 20)]
    found = list(exact_batches("definition-3.2/lipschitz"))  # 33 sizes: 9 of one agent, 15 of two and 9 of three
    assert found[:2] == [(1, 1, 3), (1, 1, 4)] and {count for *_, count in found[2:]} == {7}
    assert [agents for _, agents, _ in found[1:]] == [1] * 5 + [2] * 5 + [3] * 3


def test_a_registered_identity_has_four_hundred():
    """Of every chosen size as many; the first few show that enclosures decide nothing."""
    found = list(exact_batches("lemma-4.1"))  # 39 sizes, of which 15 are chosen
    assert [count for *_, count in found] == [2, 24] + [26] * 14


def test_many_instances_are_skimmed_size_after_size():
    states = replace(SETTING, states=(1, 3))
    assert made(search_of(states)._skimmed(300)) == [(s, 1, 100, "skim") for s in (1, 2, 3)]
    assert made(search_of(states)._skimmed(301)) == [(s, 1, 101, "skim") for s in (1, 2, 3)]
    # more than 1,000 of a size come in rounds
    assert made(search_of(states)._skimmed(6_000)) == [(s, 1, 1_000, "skim") for s in (1, 2, 3) * 2]
    # what is proved has fewer sizes with more instances
    proved = search_of(replace(SETTING, states=(1, 4)))
    proved.settled = True
    assert made(proved._skimmed(2_000)) == [(s, 1, 1_000, "skim") for s in (2, 4)]
    assert made(proved._skimmed(500)) == [(2, 1, 500, "skim")]
    # a long run has fewer instances, and of those that are all decided four come first
    for steps, first in ((100, 200), (101, 4)):
        assert made(search_of(replace(SETTING, steps=(steps,)))._exact(200))[0] == (1, steps, first, "decide")
        assert Hill(CLAIM, mv.Sizes(1, (1,), steps)).population == (20 if steps == 100 else 8)
    for steps, count in ((100, 100), (101, 99), (200, 50), (40_000, 1)):
        assert made(search_of(replace(SETTING, steps=(steps,)))._skimmed(100)) == [(1, steps, count, "skim")]


def test_where_few_meet_the_hypotheses_more_are_skimmed_together():
    """Of 2,000 drawn instances 800 are certified, so 3,000 more should give the 1,200 that lack; at most 4,000 at once."""
    for wanted, share, counts in ((2_000, 0.4, [1_000] * 2 + [3_000]), (2_000, 0.3, [1_000] * 2 + [4_000, 1_000])):
        search, found = search_of(), []
        for batch in search._skimmed(wanted):
            found.append(len(next(iter(batch.make().values()))))
            search.searched.certified += int(share * found[-1])
        assert found == counts


def evidence(*verdicts, raised="", broken=None):
    found = np.array([Verdict(v) for v in verdicts], object)
    return SimpleNamespace(
        verdict=found, raised=raised, broken=broken, violated=Verdict.VIOLATED in verdicts or "violated" in verdicts
    )


def test_what_a_search_learns_from_its_batches():
    search, one = search_of(), Batch(ONE, dict, iter)
    drawn = {"f.1": np.array([[1, 2], [3, -4]]), "f.2": np.array([[9], [0]]), "g": np.zeros((2, 0), int)}
    search.learn(one, drawn, [(None, evidence("holds", "holds", "undecided")), (None, evidence("not applicable"))])
    searched = search.searched
    assert (searched.drawn, searched.known, searched.sizes) == (2, 0, [ONE]) and searched.ranges == {"f": (-4, 9)}
    assert (searched.certified, searched.undecided, searched.not_applicable, searched.raised) == (2, 1, 1, 0)
    assert not (search.found or search.broken or search.confirmed) and searched.seconds > 0
    search.learn(one, {"f.1": np.array([[20, 0]])}, [(None, evidence("holds", "holds", raised="a division by 0"))])
    assert (searched.drawn, searched.raised, searched.certified, searched.sizes) == (3, 2, 2, [ONE])
    assert searched.ranges == {"f": (-4, 20)}
    search.learn(Batch(TWO, dict, iter, known=True), {"f": np.array([[-9, 5]])}, [(None, evidence("violated"))])
    assert (searched.drawn, searched.known, searched.sizes) == (3, 1, [ONE]) and searched.ranges == {"f": (-9, 20)}
    assert search.found and search.confirmed and not search.broken and searched.certified == 3
    search.learn(Batch(TWO, dict, iter), {"f": np.array([[0]])}, [(None, evidence("holds", broken="a step"))])
    assert search.found and search.broken and search.confirmed and searched.sizes == [ONE, TWO]
    search.learn(one, {"f": np.array([[0]])}, [(None, evidence("holds"))])
    assert search.found and search.broken and not search.confirmed


def test_known_instances_come_first_and_only_until_one_is_violated():
    known = [(ONE, {"f": [1, 2]}), (TWO, {"f": [3, 4]}), (ONE, {"f": [5, 6]})]
    search = Search(CLAIM, replace(EFFORT, climbs=0), np.random.default_rng(0), known=known)
    seen = []
    for batch in search.batches():
        seen.append((batch.known, batch.sizes, batch.make()["f"].shape))
        if len(seen) == 2:
            search.found = True
    assert seen[:2] == [(True, ONE, (1, 2)), (True, TWO, (1, 2))]
    assert [known for known, *_ in seen[2:]] == [False] * 7 and seen[2][2] == (200, 2)


def test_what_raises_everywhere_is_not_skimmed():
    for raised, batches in ((2, 1), (1, 2)):
        search = search_of(exact=1, skimmed=1, climbs=0)
        count = 0
        for _ in search._drawn(1, 1):
            search.searched.drawn, search.searched.raised = 2, raised
            count += 1
        assert count == batches
    assert made(search_of()._drawn(0, 3)) == [(1, 1, 3, "skim")] and made(search_of()._drawn(3, 0)) == [
        (1, 1, 3, "decide")
    ]
    assert made(search_of(replace(SETTING, explore=False))._drawn(3, 3)) == [(1, 1, 3, "decide")]


# --- climbs -------------------------------------------------------------------------------------------------------------


class FakeHill:
    """What is climbed: six points with the scores of a statement and of three lines."""

    sizes, slower, evaluated = ONE, 3, 5

    def __init__(self, *ends):
        self.points = np.array([[-10.0, 0], [-5, 0], [-1, 0], [1, 1], [1, 2], [-6, 0]])
        self.found = (
            -np.array(
                [[6, 5, 4, 3, 2, 1], [1, 2, 3, 4, 5, 6], [3, 3, 1, 3, 3, 3], [2, 1, 3, 3, 3, 3], [2, 2, 2, 2, 2, 1]]
            ).T
            / 10
        )
        self.telling, self.ends, self.looked, self.doubted, self.remembered = np.ones(5, bool), ends, [], 0, []

    def best_ends(self):
        return list(self.ends)

    def look(self, drawn):
        self.looked.append(len(drawn["f"]))

    def doubt(self):
        self.doubted += 1

    def remember(self, targets, ends):
        self.remembered.append((targets.tolist(), [end.score for end in ends]))


@pytest.fixture
def calls(monkeypatch):
    """What a climb was asked, and what it is to answer."""
    seen = SimpleNamespace(climb=[], rationalised=[], scores=[])

    def climb(_hill, starts, targets, generations, _generator, *, steps, late, earlier):
        seen.climb.append((starts.tolist(), targets.tolist(), generations, steps.tolist(), list(earlier), late()))
        return [End(score, 100.0 + np.arange(2) + place, None) for place, score in enumerate(seen.scores)]

    def rationalised(_hill, points, targets, _generator):
        seen.rationalised.append((points.tolist(), targets.tolist()))
        return {"f": np.ones((len(points), 2), int)}

    monkeypatch.setattr(module, "climb", climb)
    monkeypatch.setattr(module, "rationalised", rationalised)
    return seen


def test_a_first_climb_begins_at_drawn_points(calls):
    search, hill, calls.scores = search_of(), FakeHill(), [-0.2, -0.7, 0.1, -0.1]
    (batch,) = search._climb(hill, 0)
    (starts, targets, generations, steps, earlier, late) = calls.climb[0]
    assert targets == [0, 1, 2, 3] and starts == [[-6, 0], [-10, 0], [-1, 0], [-5, 0]] and not late
    assert steps == [STEP] * 4 and generations == 10 * 3 and not earlier and not hill.looked
    assert calls.rationalised == [([[100, 101], [102, 103]], [0, 2])] and batch.make()["f"].shape == (2, 2)
    assert search.searched.climbed == 1 and search.searched.evaluated == 5 and hill.evaluated == 0
    assert hill.doubted == 1 and hill.remembered == [([0, 1, 3], [-0.2, -0.7, -0.1])], (
        "a violation that is none is forgotten"
    )


def test_a_later_climb_begins_at_earlier_ends(calls):
    ends = [(t, End(-0.5, np.array([50.0 + t, 0]), None)) for t in (3, 0, 1)]
    search, hill, calls.scores = search_of(), FakeHill(*ends), [-0.6, -0.7, -0.8, -0.9]
    assert list(search._climb(hill, 1)) == [] and not calls.rationalised
    (starts, targets, generations, steps, earlier, _) = calls.climb[0]
    assert targets == [3, 0, 2, 3] and starts[:2] == [[53, 0], [50, 0]] and earlier == [ends[0][1], ends[1][1]]
    assert steps == [STEP / 10, STEP / 3, STEP, STEP] and generations == 10 * 2 * 3 and hill.looked == [300]
    assert hill.doubted == 0 and hill.remembered == [([3, 0, 2, 3], [-0.6, -0.7, -0.8, -0.9])]
    search.broken = True
    list(search._climb(hill, 2))
    (starts, targets, generations, steps, earlier, _) = calls.climb[1]
    assert targets == [0, 1, 0, 0] and starts[:2] == [[50, 0], [51, 0]] and earlier == [ends[1][1], ends[2][1]]
    assert steps == [STEP / 3, STEP / 10, STEP, STEP] and generations == 10 * 3 * 3


def test_a_violation_that_is_confirmed_is_kept(calls):
    search, hill, calls.scores = search_of(), FakeHill(), [0.2, 0, 0.1, -0.1]
    for _ in search._climb(hill, 0):
        search.confirmed = True
    assert hill.doubted == 0 and hill.remembered == [([0, 1, 2, 3], [0.2, 0, 0.1, -0.1])]
    search.searched.cut_short = True
    assert list(search._climb(hill, 0)) == [], "after the end nothing is decided"


def test_sizes_take_turns(monkeypatch):
    """The most promising one, the first, the second most promising one, ...; after each a batch of what is drawn besides."""
    setting = replace(SETTING, states=(1, 4), ingredients=(mv.Table("f", lambda s: (s.states,)),))
    heights = {2: -0.3, 3: -0.1, 4: -0.2}
    seen = []

    def look(hill, drawn):
        hill.found = np.full((len(drawn["f"]), 3), heights[hill.sizes.states])
        hill.found[0] -= 0.01

    def climbed(_self, hill, again):
        seen.append((hill.sizes.states, again))
        yield "climb"

    monkeypatch.setattr(Hill, "look", look)
    monkeypatch.setattr(Search, "_climb", climbed)
    search = search_of(setting, climbs=7)
    got = list(search._climbs(iter("abcdefghij")))
    # 3 promises most, then 2 is the first; 4; after the turns 0 to 3 every other one goes to the best that was climbed once
    assert seen[:3] == [(3, 0), (2, 0), (4, 0)] and [again for _, again in seen] == [0, 0, 0, 1, 1, 1]
    assert got == [x for letter in "abcdef" for x in ("climb", letter)]
    assert search.searched.seconds > 0, "one number alone is not climbed"
    seen.clear()
    search = search_of(setting, climbs=2)
    assert len(list(search._climbs(iter("ab")))) == 4 and [s for s, _ in seen] == [3, 2]
    search.found = True
    assert list(search._climbs(iter("ab"))) == []
    late = search_of(setting)
    late.searched.cut_short = True
    assert list(late._climbs(iter("ab"))) == []


@pytest.mark.parametrize(
    ("width", "steps", "climbed"),
    [(1, 1, 0), (2, 1, 1), (150, 1, 1), (151, 1, 0), (2, 100, 1), (2, 101, 1), (2, 20_000, 1), (2, 20_001, 0)],
)
def test_which_sizes_are_worth_a_climb(monkeypatch, width, steps, climbed):
    seen = []

    def look(hill, drawn):
        hill.found = np.array([[-0.5, -0.5, -0.5], [-0.4, -0.5, -0.5]])
        seen.append(len(drawn["f"]))

    monkeypatch.setattr(Hill, "look", look)
    monkeypatch.setattr(Search, "_climb", lambda *_: iter(["climb"]))
    setting = replace(SETTING, ingredients=(mv.Table("f", lambda _: (width,)),), steps=(steps,))
    assert list(search_of(setting, climbs=1)._climbs(iter(()))) == ["climb"] * climbed
    assert seen == [100 if steps > 100 else 300] * climbed


@pytest.mark.parametrize("found", [[[WORST]] * 2, [[-0.5]] * 2])
def test_a_size_of_which_no_score_tells_anything_is_not_climbed(monkeypatch, found):
    monkeypatch.setattr(Hill, "look", lambda hill, _: setattr(hill, "found", np.array(found)))
    assert list(search_of()._climbs(iter("ab"))) == []


@pytest.mark.parametrize(("shift", "known", "batches"), [(0.5, False, 1), (0.5, True, 0), (-18, False, 0)])
def test_where_nothing_is_climbed_the_best_of_what_is_drawn_is_decided(monkeypatch, shift, known, batches):
    """Of 2,000 the best three, if the first of them looks violated, and nothing was found."""
    monkeypatch.setattr(
        Hill, "of_numbers", lambda _, numbers: np.array([[sum(row) + shift, 99] for row in numbers["f"]], float)
    )
    search = search_of()
    search.found = known
    hill = Hill(search.claim, ONE)
    hill.evaluated = 7
    found = [(batch.sizes, batch.make()["f"].tolist()) for batch in search._picked(hill)]
    assert found == [(ONE, [[9, 9]] * 3)] * batches and hill.evaluated == 0 and search.searched.evaluated == 7
