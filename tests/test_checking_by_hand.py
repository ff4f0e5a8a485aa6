"""What a search draws, climbs in and compares, by hand: ranges, rounding, numberings, and when a proof is looked at twice."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt, log
from weakref import WeakKeyDictionary

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

import mappo_verify as mv
from mappo_verify.arithmetic import FALSE, TRUE, System, like, solve
from mappo_verify.axioms import squares
from mappo_verify.checking import corpus
from mappo_verify.checking.agreement import due
from mappo_verify.checking.campaign import try_out
from mappo_verify.checking.certificate import certificate_of, checksum, recheck
from mappo_verify.checking.evaluate import decide
from mappo_verify.checking.relabel import numberings
from mappo_verify.checking.sampling import draw, sizes_of
from mappo_verify.checking.scores import WORST, scores
from mappo_verify.checking.shrink import shrink
from mappo_verify.checking.space import Space
from mappo_verify.checking.strategies import games, sizes
from mappo_verify.checking.tightness import tightness, write_tightness
from mappo_verify.claims.coordinates import Coordinate
from mappo_verify.errors import ClaimError, UndecidedError
from mappo_verify.model.trees import unwrapped
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.papers.registry import claim as find

ONE = mv.Sizes(1, (1,))


def space_of(*coordinates):
    return Space(tuple(coordinates))


# --- the box that a climb moves in ------------------------------------------------------------


@pytest.mark.parametrize(
    ("coordinate", "points", "numbers"),
    [
        (Coordinate("x", (), "integer", -9, 9), (-2, 0, 1, 2), (-9, 0, 4.5, 9)),
        (Coordinate("x", (), "integer", 1, 9), (-2, 0, 1, 2), (1, 5, 7, 9)),
        (Coordinate("x", (), "integer", 0, 1000), (-2, 0, 2), (0, 500, 1000)),
        (Coordinate("x", (), "positive", 2, 199), (-2, 0, 2), (2, 100.5, 199)),
        (Coordinate("x", (), "positive", 2, 200), (log(2), log(20), log(200)), (2, 20, 200)),
    ],
)
def test_a_number_and_its_point(coordinate, points, numbers):
    """Spread evenly over [-2, 2]; by logarithms from a quotient of 100 on."""
    space = space_of(coordinate)
    assert (space.low[0], space.high[0]) == pytest.approx((points[0], points[-1])) and space.count == 1
    assert space.width[0] == pytest.approx(points[-1] - points[0])
    table = np.array(points)[:, None]
    np.testing.assert_allclose(space.numbers(table)["x"], numbers, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(space.points({"x": np.array(numbers)}), table, rtol=1e-12, atol=1e-12)


def test_a_row_of_weights_and_its_point():
    """Logarithms beside the largest, down to 1 in 10,000, the largest that a certificate may have, and a stretch for 0."""
    space = space_of(Coordinate("w", (3,), "weight", 0, 9))
    smallest = space.low[0] + 2
    assert space.high.tolist() == [0, 0, 0] and np.exp(-smallest) == pytest.approx(10_000)
    assert space_of(Coordinate("w", (3,), "weight", 1, 9)).low[0] == pytest.approx(smallest)
    row = np.array([[0, -log(2), smallest - 0.1]])
    np.testing.assert_allclose(space.numbers(row)["w"], [[9, 4.5, 0]])
    np.testing.assert_allclose(space.points({"w": np.array([[4, 2, 0]])}), [[0, -log(2), smallest - 2]])
    two = space_of(Coordinate("w", (2, 3), "weight", 0, 9))
    points = [[0, -log(2), smallest - 2, -log(8), -log(8), 0]]
    np.testing.assert_allclose(two.points({"w": np.array([[[4, 2, 0], [1, 1, 8]]])}), points)
    np.testing.assert_allclose(two.numbers(np.array(points))["w"], [[[9, 4.5, 0], [9 / 8, 9 / 8, 9]]])
    nothing = two.numbers(np.array([[smallest - 2] * 3 + [smallest] + [smallest - 1] * 2]))["w"]
    np.testing.assert_allclose(
        nothing, [[[1, 1, 1], [9e-4, 0, 0]]], err_msg="a row without weights has all of them alike"
    )
    assert [index for _, index in two.blocks()] == [(0,), (1,)]


# --- what is drawn ------------------------------------------------------------


def drawn(coordinate, many=8000):
    table = mv.Table(coordinate.name, lambda _: coordinate.shape, coordinate.low, coordinate.high)
    setting = mv.Setting("a table", (table,)) if coordinate.kind != "weight" else None
    if setting is None:
        setting = mv.Setting("a row", (mv.Distribution(coordinate.name, lambda _: coordinate.shape),))
    return draw(setting, ONE, many, np.random.default_rng(2))[coordinate.name]


def share(mask):
    return float(np.mean(mask))


def test_rows_of_weights_are_drawn_in_four_ways_alike():
    """All weights alike; half of them 0; one of them 1; one of them 10,000 beside 1."""
    rows = drawn(Coordinate("w", (3,), "weight", 0, 9))
    assert (rows.sum(-1) > 0).all() and (rows >= 0).all()
    assert 0.23 < share(rows.max(-1) == 10_000) < 0.27
    assert 0.28 < share((rows.sum(-1) == 1) & (rows.max(-1) == 1)) < 0.33  # and now and then among the first two
    some_zero = (rows == 0).any(-1) & (rows.sum(-1) > 1)
    assert 0.2 < share(some_zero) < 0.3


def test_tables_are_drawn_in_three_ways():
    """Evenly, half of the time; only from the ends; mostly 0."""
    tables = drawn(Coordinate("t", (12,), "integer", -9, 9))
    assert tables.min() == -9 and tables.max() == 9
    assert 0.23 < share((abs(tables) == 9).all(-1)) < 0.27
    assert 0.2 < share((tables == 0).sum(-1) >= 6) < 0.26
    even = tables[(abs(tables) != 9).any(-1) & ((tables == 0).sum(-1) < 4)]
    assert abs(even.mean()) < 0.1 and 5.2 < even.std() < 5.7  # √30 = 5.48 for -9..9


def test_integers_of_a_wide_range_have_every_order_of_magnitude():
    numbers = drawn(Coordinate("t", (4,), "integer", 0, 10**6)).ravel()
    inner = numbers[(numbers != 0) & (numbers != 10**6)]
    assert 0.15 < share((inner >= 10) & (inner < 10**4)) < 0.35
    assert 0.4 < share(inner >= 10**5) < 0.7


def test_action_sets_that_are_tried():
    policy = (mv.PolicyData("p"),)
    one = {s.actions for s in sizes_of(mv.Setting("s", policy, agents=(1, 1), action_range=(1, 6)))}
    assert one == {(n,) for n in range(1, 7)}
    two = {s.actions for s in sizes_of(mv.Setting("s", policy, agents=(2, 2), action_range=(1, 5)))}
    assert {(2, 3), (3, 2), (1, 2), (2, 2), (5, 5), (1, 1), (1, 5), (5, 1), (1, 4), (4, 1)} <= two
    assert {len(s.actions) for s in sizes_of(mv.Setting("s", policy, agents=(2, 3)))} == {2, 3}
    both = {s.actions for s in sizes_of(mv.Setting("s", policy, agents=(1, 2), action_range=(1, 6)))}
    assert {(n,) for n in range(1, 7)} <= both and {(6, 6), (1, 6), (6, 1), (4, 1)} <= both
    assert {s.actions for s in sizes_of(mv.Setting("s", policy, agents=(2, 2), action_range=(2, 4)))} == {
        (a, b) for a in (2, 3, 4) for b in (2, 3, 4)
    }
    assert {s.actions for s in sizes_of(mv.Setting("s", policy, agents=(3, 4)))} == {
        *((2, 2, 2), (1, 3, 2), (2, 1, 3)),
        *((2, 2, 2, 2), (1, 2, 1, 3)),
    }


# --- other names ------------------------------------------------------------

GAME = mv.Setting("a game and a policy", (mv.GameData(start=True), mv.PolicyData("policy", product=True)))
SIZES = mv.Sizes(2, (2, 3))


def test_numberings_are_the_same_game():
    """Two states, 2 and 3 actions, two agents: 2! · 2! · 2! · 3! numberings, and in each the returns are the same."""
    coordinates = {name: values[0] for name, values in draw(GAME, SIZES, 1, np.random.default_rng(8)).items()}
    found = list(numberings(GAME, SIZES, coordinates))
    assert len(found) == 2 * 2 * 2 * 6
    assert {new.actions for new, _ in found} == {(2, 3), (3, 2)}
    assert len({str([values.tolist() for values in other.values()]) for _, other in found}) > 12
    returns = set()
    for new, other in found:
        case = GAME.case(other, new, System.RATIONALS)
        returns.add(str(mv.returns(unwrapped(case.game, ()), unwrapped(case.policy, ()))))
    assert len(returns) == 1


@dataclass(frozen=True)
class Named(mv.Table):
    """A table that has another name for every number of states."""

    def coordinates(self, sizes):
        return tuple(replace(c, name=f"f{sizes.states}") for c in super().coordinates(sizes))


@pytest.mark.parametrize(
    "table",
    [mv.Table("f", lambda s: (s.states,) if s.states < 100 else (s.states, 1)), Named("f", lambda s: (s.states,))],
    ids=["axes", "names"],
)
def test_an_instance_that_is_described_otherwise_at_other_sizes_keeps_its_numbering(table):
    """What its axes count cannot be read off other sizes."""
    setting, small = mv.Setting("a table", (table,)), mv.Sizes(2, (1,))
    (coordinate,) = setting.coordinates(small)
    found = list(numberings(setting, small, {coordinate.name: np.array([1, 2])}))
    assert [(s, {n: v.tolist() for n, v in other.items()}) for s, other in found] == [
        (small, {coordinate.name: [1, 2]})
    ]
    plainly = mv.Setting("a table", (mv.Table("f", lambda s: (s.states,)),))
    assert len(list(numberings(plainly, small, {"f": np.array([1, 2])}))) == 2


def test_a_policy_that_looks_at_earlier_agents_keeps_their_order():
    setting = mv.Setting("a policy", (mv.PolicyData("policy"),))
    coordinates = {name: values[0] for name, values in draw(setting, SIZES, 1, np.random.default_rng(8)).items()}
    found = list(numberings(setting, SIZES, coordinates))
    assert {new.actions for new, _ in found} == {(2, 3)} and len(found) == 2 * 2 * 6


# --- proofs are looked at twice ------------------------------------------------------------


def claim_of(proof, *ingredients, **more):
    return mv.Claim("mine", "t", "s", mv.Setting("s", ingredients or (mv.Table("f", lambda _: (2,)),)), proof, **more)


def test_the_first_second_fourth_and_eighth_evaluation_is_looked_at():
    claim = claim_of(lambda _: iter(()))
    assert [turn for turn in range(1, 20) if due(claim)] == [1, 2, 4, 8, 16]


def test_a_registered_claim_is_looked_at_less_often(monkeypatch):
    monkeypatch.setattr("mappo_verify.checking.agreement._PAST", WeakKeyDictionary())
    claim = find("lemma-b.6")
    assert [turn for turn in range(1, 515) if due(claim)] == [1, 64]


def test_a_second_opinion_is_sought_in_the_next_system_if_the_first_cannot_give_one():
    """A formula that enclosures cannot evaluate, and that is 1 in rationals and 0 in balls."""

    def proof(case):
        entry = case.f._parts[0].flat[0]
        if isinstance(entry, float):
            raise ZeroDivisionError("no float can do this")
        yield mv.line("0", 0 * case.f[0])
        yield mv.at_most("1 or 0", 0 * case.f[0] + int(not hasattr(entry, "mid")), because="it looks at its type")

    with pytest.raises(ClaimError, match=r"is no function of its case.*in two number systems"):
        mv.check(claim_of(proof), f=like([1, 2], System.RATIONALS))


def test_two_evaluations_that_differ_are_told_with_line_and_entry():
    said = ["f + 2"]

    def moody(case):
        yield mv.line("f", case.f)
        yield mv.at_most(said[-1], case.f + 2, because="it is")

    claim, f = claim_of(moody), like([1, 2], System.RATIONALS)
    assert mv.check(claim, f=f).holds
    said.append("f + 1")
    with pytest.raises(ClaimError, match=r"line 2 is '≤ f \+ 2' and '≤ f \+ 1'"):
        mv.check(claim, f=f)

    def by_type(case):
        ball = hasattr(case.f._parts[0].flat[0], "mid")
        yield mv.line("f", case.f)
        yield mv.equal(
            "g", case.f * like([1, 2 if ball or isinstance(case.f._parts[0].flat[0], float) else 1], case.system), "so"
        )

    with pytest.raises(ClaimError, match=r"line 'g' is 2 and 4 at \(1,\)"):
        mv.check(claim_of(by_type), f=f)


@pytest.mark.parametrize("identity", ["lemma-b.3", "lemma-4.1", "equation-1"])
def test_what_is_shown_has_a_choice_for_every_agent(identity):
    """Two agents where the claim has them, and two actions or more each."""
    shown = mv.explain(identity)[1].case.sizes
    assert min(shown.actions) > 1 and shown.agents == min(2, find(identity).setting.agents[1])


def test_a_step_that_breaks_is_decided_even_where_the_statement_holds():
    """``0 ≤ f - 1 ≤ f + 5`` breaks at its first step where f is 0, and 0 ≤ f + 5 holds."""

    def proof(case):
        yield mv.line("0", 0)
        yield mv.at_most("f - 1", case.f[0] - 1, because="it is not")
        yield mv.at_most("f + 5", case.f[0] + 5, because="it is")

    claim = claim_of(proof, mv.Table("f", lambda _: (1,), 0, 3))
    drawn = {"f": np.array([[0], [1], [2], [0], [3]])}
    broken = set()
    for chosen, evidence in decide(claim, drawn, ONE, statements=True):
        assert set(np.ravel(evidence.verdict)) == {mv.Verdict.HOLDS}
        if evidence.broken is not None:
            assert evidence.broken.right == "f - 1"
            broken |= set(chosen[np.ravel(evidence.broken.truth) == FALSE].tolist())
    assert broken == {0, 3}


# --- certificates and trials ------------------------------------------------------------


def root_of_two(gap):
    """``√2 ≤ √2 - gap``, which is false by ``gap``; balls decide it."""

    def proof(case):
        root = mv.sqrt(2 + 0 * case.f[0])
        yield mv.line("√2", root)
        yield mv.at_most("√2 - gap", root - gap, because="it is not")

    return claim_of(proof, mv.Table("f", lambda _: (1,)), transcendental=True)


@pytest.mark.parametrize(("digits", "places"), [(3, 20), (25, 40), (60, 80)])
def test_a_certificate_has_as_many_places_as_it_needs_and_all_are_right(digits, places):
    """The digits of √2 by integers: ⌊√(2 · 10^(2n))⌋."""
    claim = root_of_two(Fraction(1, 10**digits))
    certificate = certificate_of(claim, ONE, {"f": [0]})
    low, high = certificate.left_value
    assert len(low.partition(".")[2]) == places
    assert Fraction(low) <= root_at(100) <= Fraction(high) and Fraction(high) - Fraction(low) == Fraction(2, 10**places)
    assert recheck(certificate, claim).valid
    assert recheck(with_side(certificate, *(root_at(80) + Fraction(u, 10**80) for u in (-1, 1))), claim).valid
    for units in (-2, 2):
        moved = [Fraction(end) + Fraction(units, 10**places) for end in certificate.left_value]
        assert not recheck(with_side(certificate, *moved, places=places), claim).valid


def root_at(places):
    """``√2``, rounded down to so many places."""
    return Fraction(isqrt(2 * 10 ** (2 * places)), 10**places)


def test_a_number_that_no_precision_shows_has_no_certificate():
    """``10²⁹⁰⁰ + 10²⁰⁰⁰ (√2 √2 - 2)`` is violated at once as ``≤ 0``; of its 2900 digits the bits that are tried show 500."""

    def proof(case):
        root = mv.sqrt(2 + 0 * case.f[0])
        yield mv.line("large", 10**2900 + 10**2000 * (root * root - 2))
        yield mv.at_most("0", 0, because="it is not")

    claim = claim_of(proof, mv.Table("f", lambda _: (1,)), transcendental=True)
    with pytest.raises(UndecidedError, match="4096 bits do not give 20 decimals"):
        certificate_of(claim, ONE, {"f": [0]})


def with_side(certificate, low, high, places=80, side="left_value"):
    """The certificate with another left or right side, and a checksum that fits."""
    ends = tuple(f"{int(end)}.{int((end - int(end)) * 10**places):0{places}d}" for end in (low, high))
    changed = msgspec.structs.replace(certificate, **{side: ends}, checksum="")
    return msgspec.structs.replace(changed, checksum=checksum(changed))


def test_a_counterexample_shrinks_by_halves():
    """``(f - 40)² (f - 20)² (f - 10)² (f - 5)² ≥ 1`` fails at these four numbers alone: 40, 20, 10, 5."""

    def proof(case):
        product = 1
        for zero in (40, 20, 10, 5):
            product = product * (case.f[0] - zero) * (case.f[0] - zero)
        yield mv.line("product", product)
        yield mv.at_least("1", 1, because="it is not")

    claim = claim_of(proof, mv.Table("f", lambda _: (1,), 0, 99))
    assert shrink(claim, ONE, {"f": np.array([40])})[1]["f"].tolist() == [5]


@pytest.mark.parametrize(
    ("ingredient", "given", "smallest"),
    [
        (mv.Table("x", lambda _: (2, 2), 0, 9), [[7, 5], [3, 4]], [[1, 1], [0, 0]]),
        (mv.Distribution("x", lambda _: (2, 3)), [[7, 5, 3], [4, 2, 9]], [[1, 1, 0], [1, 0, 0]]),
    ],
    ids=["numbers", "weights"],
)
def test_a_counterexample_shrinks_entry_by_entry(ingredient, given, smallest):
    """``x_00 x_01 ≤ 0`` fails where both are positive; the others may all be 0, but some weight of a row is 1."""

    def proof(case):
        yield mv.line("product", case.x[0, 0] * case.x[0, 1])
        yield mv.at_most("0", 0, because="it is not")

    found = shrink(claim_of(proof, ingredient), ONE, {"x": np.array(given)})[1]["x"].tolist()
    assert found[0] == smallest[0] and sorted(found[1]) == sorted(smallest[1])


def test_the_tightest_instance_is_written_as_it_reads(tmp_path):
    """``f ≤ f + f²`` is tightest where f is 1: 1/2."""

    def proof(case):
        yield mv.line("f", case.f[0])
        yield mv.at_most("f + f²", case.f[0] + case.f[0] * case.f[0], because="squares are not negative")

    setting = mv.Setting("s", (mv.Table("f", lambda _: (1,), 1, 9),), agents=(1, 1), states=(1, 1), action_range=(1, 1))
    found = tightness(mv.Claim("mine", "t", "s", setting, proof), seconds=2)
    write_tightness(found, tmp_path / "found.json")
    assert found.ratio == 0.5 and '"f + f²"' in (tmp_path / "found.json").read_text(encoding="utf-8")


@given(games(termination=False))
def test_games_that_hypothesis_draws_without_being_told(game):
    assert not (game.ends > 0).any()
    assert 1 <= game.states <= 3 and 1 <= game.agents <= 3 and all(1 <= n <= 3 for n in game.action_sizes)


def test_games_that_hypothesis_draws_may_end_and_have_a_start():
    seen = []

    @settings(max_examples=20, derandomize=True, database=None)
    @given(games())
    def look(game):
        seen.append((bool((game.ends > 0).any()), game.start is not None))

    look()
    assert {started for _, started in seen} == {True} and {ends for ends, _ in seen} == {True, False}


@given(sizes())
def test_sizes_that_hypothesis_draws_without_being_told(drawn_sizes):
    assert 1 <= drawn_sizes.states <= 3 and 1 <= drawn_sizes.agents <= 3
    assert all(1 <= n <= 3 for n in drawn_sizes.actions)


def test_known_counterexamples_come_simplest_first():
    lengths = set()
    for claim in CLAIMS:
        found = [s.states * int(np.prod(s.actions)) * s.steps for s, _ in corpus.known(claim)]
        assert found == sorted(found), claim.id
        lengths |= {len({s.steps for s, _ in corpus.known(claim)})}
    assert max(lengths) > 1


def test_a_trial_tells_where_and_by_how_much_a_step_fails(monkeypatch):
    """``f ≤ 1`` for f in 0..3: the first step that fails, by 2 at most."""

    def proof(case):
        yield mv.line("f", case.f)
        yield mv.at_most("1", 1, because="it is not")

    setting = mv.Setting("s", (mv.Table("f", lambda _: (2,), 0, 3),), agents=(1, 1), states=(1, 1), action_range=(1, 1))
    monkeypatch.setattr("mappo_verify.checking.campaign.find", lambda _: mv.Claim("mine", "t", "s", setting, proof))
    assert try_out("mine", 200, 0)[::2] == ("mine, at '1'", -2.0)


def test_both_sides_of_a_certificate_are_as_precise_as_it_says():
    """``3/2 ≤ √2``: the left side is exact, and the right one may have 80 places."""

    def proof(case):
        yield mv.line("3/2", Fraction(3, 2))
        yield mv.at_most("√2", mv.sqrt(2 + 0 * case.f[0]), because="it is not")

    claim = claim_of(proof, mv.Table("f", lambda _: (1,)), transcendental=True)
    certificate = certificate_of(claim, ONE, {"f": [0]})
    for units, valid in ((0, True), (-2, False), (2, False)):
        ends = (root_at(80) + Fraction(units + u, 10**80) for u in (-1, 1))
        assert recheck(with_side(certificate, *ends, side="right_value"), claim).valid == valid


def test_a_search_says_whether_its_time_was_over():
    small = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1), "explore": False}
    setting = mv.Setting("s", (mv.Table("f", lambda _: (2,), 0, 9),), **small)

    def proof(case):
        yield mv.line("0", 0)
        yield mv.at_most("f", case.f, because="it is not negative")

    claim = mv.Claim("mine", "t", "s", setting, proof)
    assert [mv.falsify(claim, seconds=seconds).searched.cut_short for seconds in (60, 1e-9)] == [False, True]


def test_a_users_counterexamples_come_simplest_first(tmp_path):
    """By states times joint actions times steps: 3 states of one action are fewer than 2 of three."""
    claim = mv.Claim(
        "mine", "t", "s", mv.Setting("s", (mv.Table("f", lambda s: (s.states, *s.actions)),)), lambda _: iter(())
    )
    for states, actions in ((2, 3), (3, 1), (1, 1), (1, 2)):
        content = {"claim": "mine", "states": states, "action_sizes": [actions], "steps": 1}
        content["coordinates"] = {"f": np.ones((states, actions), int).tolist()}
        (tmp_path / f"mine-{states}{actions}.json").write_text(json.dumps(content))
    found = [(s.states, *s.actions) for s, _ in corpus.known(claim, tmp_path)]
    assert found == [(1, 1), (1, 2), (3, 1), (2, 3)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "RecursionError"),
        (
            '{"claim": "lemma-b.4", "states": Infinity, "action_sizes": [1], "steps": 1, "coordinates": {}}',
            "OverflowError",
        ),
        ('{"claim": "lemma-b.4", "claim": "lemma-b.4"}', "stands twice in one object"),
        ('{"claim": "lemma-b.4"}', "KeyError: 'states'"),
        (None, "it is a pipe or a device"),
        (" " * 1_000_001, "holds more than the limit of 1000000 bytes"),
    ],
)
def test_a_damaged_corpus_is_named(tmp_path, text, reason):
    path = tmp_path / "lemma-b.4-x.json"
    os.mkfifo(path) if text is None else path.write_text(text)
    with pytest.raises(mv.errors.FileError, match=reason):
        corpus.known(find("lemma-b.4"), tmp_path)
    with pytest.raises(mv.errors.FileError, match=r"the corpus .* is not a folder; name one"):
        mv.audit(["lemma-b.4"], corpus=path)
    for place, why in (
        ("\0", "null byte"),
        ("x" * 400, "name too long"),
        (path / "x", "Not a directory|pipe|cannot be"),
    ):
        with pytest.raises(mv.errors.FileError, match=rf"the corpus .*(?i:{why})"):  # before anything is searched
            mv.audit(["lemma-b.4"], corpus=place)


def test_the_last_step_gets_the_bits_that_it_needs():
    """``0 ≤ √2 ≤ √2 + 10⁻³⁰``: the first bits decide the statement, and not its last step."""

    def proof(case):
        root = mv.sqrt(2 + 0 * case.f[0])
        yield mv.line("0", 0)
        yield mv.at_most("√2", root, because="it is a root")
        yield mv.at_most("√2 + 10⁻³⁰", root + Fraction(1, 10**30), because="it is more")

    claim = claim_of(proof, mv.Table("f", lambda _: (1,)), transcendental=True)
    for evidence in (
        mv.check(claim, f=like([1], System.RATIONALS)),
        *(evidence for _, evidence in decide(claim, {"f": np.array([[1], [2]])}, ONE)),
    ):
        assert all((np.asarray(line.step.truth) == TRUE).all() for line in evidence.lines if line.step is not None)


def test_one_instance_that_raises_hides_no_other():
    """``f_0/f_1 ≤ 2`` for f_0 > 0: of 32 instances 16 do not meet that, and one has f_1 = 0."""

    def proof(case):
        quotient = solve(case.f[1].reshape(1, 1), case.f[0].reshape(1, 1))[0, 0]
        yield mv.line("f_0/f_1", quotient)
        yield mv.at_most("2", 2, because="said so")

    hypothesis = mv.Hypothesis("f_0 > 0", lambda case: (case.f[0], ">", 0))
    claim = mv.Claim("mine", "t", "s", mv.Setting("s", (mv.Table("f", lambda _: (2,)),), (hypothesis,)), proof)
    rows = np.array([[-1, 1]] * 16 + [[3, 1]] * 8 + [[1, 1]] * 7 + [[1, 0]])
    found = scores(claim, ONE, {"f": rows.astype(float)})[:, 0]
    assert (found[:16] < -1.5).all() and found[16:24] == pytest.approx(1 / 5) and (found[24:] == WORST).all()


class Quotient(mv.Table):
    """``f_0/f_1``, which cannot even be built where f_1 is 0."""

    def build(self, numbers, sizes, built, generic):
        table = super().build(numbers, sizes, built, generic)
        return table[..., 0] / table[..., 1]


def test_an_instance_that_raises_is_no_counterexample_and_hides_none():
    """``f_0/f_1 ≤ 1``: the candidates with f_1 = 0 raise, and 2/1 is what is left of 8/4."""

    def proof(case):
        yield mv.line("f_0/f_1", case.f)
        yield mv.at_most("1", 1, because="it is not")

    claim = claim_of(proof, Quotient("f", lambda _: (2,), 0, 9))
    assert shrink(claim, ONE, {"f": np.array([8, 4])})[1]["f"].tolist() == [2, 1]


def test_a_proved_inequality_is_tried_on_many_instances_all_the_same():
    def proof(case):
        yield mv.line("0", 0)
        yield mv.at_most("f²", case.f * case.f, because="squares are not negative", axiom=squares(case.f))

    setting = mv.Setting("s", (mv.Table("f", lambda _: ()),), agents=(1, 1), states=(1, 1), action_range=(1, 1))
    entry = mv.audit([mv.Claim("mine", "t", "s", setting, proof, symbolic=(ONE,))])["mine"]
    assert entry.standing is mv.Standing.PROVED and entry.searched.drawn > 1000


def test_an_audit_begins_with_known_counterexamples_unless_it_is_told_not_to():
    known = [
        mv.audit(["section-e/printed-value"], seconds=2, **more)["section-e/printed-value"].searched.known
        for more in ({}, {"corpus": False})
    ]
    assert known[0] >= 1 and known[1] == 0
