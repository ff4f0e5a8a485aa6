"""What is counted, kept and refused, by hand: tallies, standings of parents, tightest instances, limits of certificates."""

from __future__ import annotations

import inspect
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import FALSE, TRUE, UNKNOWN, System, like
from mappo_verify.checking import corpus
from mappo_verify.checking import trial as trial_module
from mappo_verify.checking.certificate import certificate_by_audit
from mappo_verify.checking.certificate_files import RejectedError, contradicts, interval
from mappo_verify.checking.certificate_limits import instance_complaint, treated_sizes
from mappo_verify.checking.explain import _effort, _on_an_instance, explain_report
from mappo_verify.checking.on_game import _obstacle, case_on_game, try_on_game
from mappo_verify.checking.proving import Proof, prove_in_symbols
from mappo_verify.checking.reports import AuditReport, Tally, Witness, conclude, with_taint
from mappo_verify.checking.searched import Searched
from mappo_verify.checking.statements import Finding, StatementReport, counted
from mappo_verify.checking.trial import Trial, _keep, put_on_trial
from mappo_verify.claims.claim import Kind
from mappo_verify.claims.coordinates import Coordinate
from mappo_verify.claims.paper import Statement
from mappo_verify.claims.verdict import Standing, Verdict
from mappo_verify.papers.registry import claim as find

ONE, TWO = mv.Sizes(1, (1,)), mv.Sizes(2, (1,))
SMALL = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}
SETTING = mv.Setting("a number", (mv.Table("f", lambda _: ()),), **SMALL)


def proof(_):
    yield mv.line("0", 0)
    yield mv.at_most("1", 1, because="it is")


def claim_of(name="mine", setting=SETTING, **more):
    return mv.Claim(name, "t", "s", setting, proof, **more)


def evidence(*verdicts, ratios=None, because=(), sizes=ONE, **more):
    found = {"raised": "", "broken": None, "reason": "", "arithmetic": System.RATIONALS, "margin": None}
    numbers = None if ratios is None else np.array(ratios, float)
    best = None if ratios is None or not np.isfinite(numbers).any() else float(np.nanmax(numbers[np.isfinite(numbers)]))
    lines = [SimpleNamespace(step=None), *(SimpleNamespace(step=SimpleNamespace(because=word)) for word in because)]
    return SimpleNamespace(
        verdict=np.array([Verdict(v) for v in verdicts], object),
        ratios=numbers,
        ratio=best,
        lines=lines,
        case=SimpleNamespace(sizes=sizes),
        claim="mine",
        violated="violated" in verdicts,
        **(found | more),
    )


# --- tallies ------------------------------------------------------------------------------------------------------------


def test_a_tally_by_hand():
    tally = Tally(frozenset({"lemma-1", "lemma-2"}))
    one, two = object(), object()
    tally.add(
        evidence("holds", "violated", "undecided", ratios=[0.5, np.nan, 0.9], broken=one, because=["by lemma-2", "x"])
    )
    tally.add(evidence("undecided", "not applicable", arithmetic=System.BALLS, reason="why", because=["lemma-1"]))
    tally.add(
        evidence("undecided", "holds", arithmetic=System.ENCLOSURES, ratios=[np.nan, 0.25], broken=two, reason="no")
    )
    tally.add(evidence("holds", arithmetic=System.ENCLOSURES, ratios=[0.75], sizes=TWO, because=["lemma-2"]))
    assert (tally.holds, tally.violated, tally.undecided, tally.not_applicable, tally.raised) == (3, 1, 3, 1, 0)
    assert tally.broken is one and tally.reason == "why" and tally.links == ("lemma-2", "lemma-1")
    assert tally.arithmetics == (System.RATIONALS, System.ENCLOSURES) and tally.ratio == 0.9
    assert tally.tightness == {ONE: [0.5, 0.25], TWO: [0.75]}
    tally.add(evidence("undecided", "undecided", raised="a division by 0"))
    tally.add(evidence("undecided", raised="another"))
    assert tally.raised == 3 and tally.error == "a division by 0" and tally.undecided == 3


def test_the_smallest_margin_is_kept_whatever_its_system():
    rational, ball = (like([3], system)[0] for system in (System.RATIONALS, System.BALLS))
    tally = Tally()
    for given, kept in (
        (rational, 3),
        (rational + 1, 3),
        (ball + 1, 3),
        (ball - 1, 2),
        (rational, 2),
        (rational - 2, 1),
    ):
        tally.add(evidence("holds", margin=given))
        assert float(str(tally.margin).strip("[]").partition(" ")[0]) == kept
    tally.add(evidence("holds", margin=rational - 2))
    tally.add(evidence("holds"))
    assert tally.margin is not None


# --- reports ------------------------------------------------------------------------------------------------------------


def report_of(standing, name="mine", kind=Kind.PRINTED, cites=(), record=None):
    counts = {
        Standing.REFUTED: {"violated": 1},
        Standing.UNTESTED: {},
        Standing.OPEN: {"undecided": 1},
        Standing.SURVIVED: {"holds": 1},
    }[standing]
    return conclude(claim_of(name, kind=kind, record=record), Tally(links=cites, **counts), [], [], None, 0.0)


REFUTED, SURVIVED, OPEN, UNTESTED = Standing.REFUTED, Standing.SURVIVED, Standing.OPEN, Standing.UNTESTED


def audit_of(*reports):
    return AuditReport(tuple(reports), "quick", 0, 0.0)


def test_a_parent_is_as_weak_as_its_weakest_printed_part():
    found = audit_of(
        report_of(SURVIVED, "a/1"),
        report_of(REFUTED, "a/2", Kind.REPAIR),
        report_of(OPEN, "a/3"),
        report_of(REFUTED, "b/1"),
        report_of(UNTESTED, "b/2"),
        report_of(REFUTED, "c/1", Kind.READING),
        report_of(UNTESTED, "d/1"),
        report_of(OPEN, "d/2"),
    )
    assert {name: s for name, s in found.standings.items() if "/" not in name} == {
        "a": OPEN,
        "b": REFUTED,
        "d": UNTESTED,
    }
    assert found.standings["c/1"] is REFUTED and found["d/2"].standing is OPEN and [r.id for r in found][-1] == "d/2"
    assert found.standings == dict(audit_of(*reversed(list(found))).standings)


@pytest.mark.parametrize("record", [None, REFUTED, SURVIVED, OPEN, Standing.PROVED])
@pytest.mark.parametrize("standing", [REFUTED, SURVIVED, OPEN])
@pytest.mark.parametrize("broken", [None, "a step"])
@pytest.mark.parametrize("on_a_game", [False, True])
@pytest.mark.parametrize("failure", ["", "failed"])
def test_what_is_expected(record, standing, broken, on_a_game, failure):
    """The standing on record, where no line breaks; on one game no refutation of what is not refuted; and no failure."""
    counts = {REFUTED: {"violated": 1}, SURVIVED: {"holds": 2}, OPEN: {"undecided": 3}}[standing]
    step = None if broken is None else SimpleNamespace(right=broken)
    tally = Tally(broken=step, failure=failure, **counts)
    if standing is REFUTED:
        tally.arithmetics = (System.RATIONALS,)
    found = conclude(claim_of(record=record), tally, [], [], None, 1.0, on_a_game=on_a_game)
    real = OPEN if failure and standing is SURVIVED else standing
    assert found.standing is real and found.instances == {REFUTED: 1, SURVIVED: 2, OPEN: 0}[standing]
    good = record in (None, real) and (broken is None or real is REFUTED)
    if on_a_game:
        good = (real is not REFUTED and broken is None) or record in (None, REFUTED)
    assert found.expected == (good and (not failure or record is OPEN)) and found.failure == failure
    assert [r.id for r in audit_of(found).unexpected] == ["mine"] * (not found.expected)


def test_what_raised_is_told_where_nothing_else_decides():
    raised = conclude(claim_of(), Tally(holds=5, raised=2, error="raised Z"), [], [], None, 0.0)
    assert raised.standing is OPEN and raised.failure == "mine raised Z" and raised.how == "2 of 7 instances raised Z"
    refuted = conclude(claim_of(), Tally(holds=5, violated=1, raised=2, error="raised Z"), [], [], None, 0.0)
    assert refuted.standing is REFUTED and refuted.failure == "" and refuted.instances == 6


def test_what_leans_on_a_refuted_claim():
    reports = [
        report_of(SURVIVED, "top", cites=("middle", "top")),
        report_of(SURVIVED, "middle", cites=("bottom", "top")),
        report_of(REFUTED, "bottom/part"),
        report_of(REFUTED, "reading", Kind.READING),
        report_of(OPEN, "aside", cites=("reading",)),
        report_of(SURVIVED, "last", cites=("nobody", "bottom/part")),
    ]
    found = {r.id: r.tainted_by for r in with_taint(reports)}
    assert found == {
        "top": ("bottom",),
        "middle": ("bottom",),
        "bottom/part": (),
        "reading": (),
        "aside": (),
        "last": ("bottom/part",),
    }
    assert {r.id: r.tainted_by for r in with_taint(reports[::-1])} == found, "in whatever order they stand"
    assert {r.id: r.tainted_by for r in with_taint([*reports[:2], *reports[3:], reports[2]])} == found
    assert reports[0].cites == ("middle",), "a claim does not cite itself"


# --- trials -------------------------------------------------------------------------------------------------------------


def test_the_tightest_instance_of_each_size_is_kept():
    trial, drawn = Trial(), {"f": np.array([10, 11, 12, 13, 14])}

    def keep(sizes, chosen, *verdicts, **more):
        _keep(trial, SimpleNamespace(sizes=sizes), drawn, np.array(chosen), evidence(*verdicts, **more))

    keep(ONE, [4, 2, 1, 3], "violated", "holds", "holds", "holds", ratios=[3.0, 0.5, 0.7, np.inf])
    assert trial.tightest == {ONE: (0.7, {"f": 11})} and trial.crash is None
    keep(ONE, [0], "holds", ratios=[0.7])
    keep(ONE, [3], "undecided", ratios=[0.9])
    keep(ONE, [3], "holds")
    assert trial.tightest[ONE] == (0.7, {"f": 11}), "as tight is no tighter"
    keep(ONE, [0], "holds", ratios=[0.8])
    keep(TWO, [2], "holds", ratios=[0.1])
    assert trial.tightest == {ONE: (0.8, {"f": 10}), TWO: (0.1, {"f": 12})}
    keep(TWO, [3, 4], "undecided", "undecided", raised="first")
    keep(TWO, [0], "undecided", raised="second")
    assert trial.crashed == 3 and (trial.crash.error, trial.crash.coordinates, trial.crash.sizes) == (
        "first",
        {"f": 13},
        TWO,
    )


def test_the_course_of_a_trial(monkeypatch):
    """Every new best ratio with the instances looked at until then; progress; and the first violation, which ends it if asked."""
    monkeypatch.setattr(trial_module, "_witness", lambda *_: "the witness")
    plan = [evidence("holds"), *(evidence("holds", ratios=[r]) for r in (0.5, 0.4, 0.6)), evidence("violated")]
    plan.append(evidence("holds", ratios=[0.9]))
    for stop, batches in ((True, 5), (False, 6)):
        searched = Searched(limit=10.0, declared=1)

        class Fake:
            elapsed, ends = 2.5, float("inf")

            def batches(self, searched=searched):
                for one in plan:
                    searched.drawn += 10
                    searched.evaluated += 3
                    made = lambda: {"f": np.array([1])}  # noqa: E731
                    yield SimpleNamespace(
                        sizes=ONE, make=made, known=False, decided=lambda *_, one=one: [(np.array([0]), one)]
                    )

            def learn(self, *_):
                pass

        search, told, tally = Fake(), [], Tally()
        search.searched = searched
        trial = put_on_trial(claim_of(), search, tally, stop=stop, progress=lambda *said, told=told: told.append(said))
        assert told == [("mine: 1 state, 1 actions", 0.25)] * batches and trial.witness == "the witness"
        assert trial.curve == [(26, 0.5), (52, 0.6), (78, 0.9)][: batches - 3] and tally.holds == batches - 1


def test_what_raises_as_a_whole_is_a_crash():
    """Where not even a batch can be evaluated; but not after the time is over."""
    for late, crashed in ((False, 1), (True, 0)):

        class Fake:
            elapsed, ends = 0.0, float("inf")
            searched = Searched(limit=1.0, declared=1, cut_short=late)

            def batches(self):
                def decided(*_):
                    raise ZeroDivisionError("somewhere")
                    yield

                for first in (7, 8):
                    yield SimpleNamespace(
                        sizes=TWO, make=lambda first=first: {"f": np.array([first])}, known=False, decided=decided
                    )

            def learn(self, *_):
                raise AssertionError

        trial = put_on_trial(claim_of(), Fake(), Tally())
        assert trial.crashed == crashed and (trial.crash is not None) == (not late)
        if trial.crash is not None:
            assert trial.crash.coordinates == {"f": 7} and trial.crash.error.startswith(
                "raised ZeroDivisionError: somewhere"
            )
            assert trial.crash.as_data()["states"] == 2 and trial.crash.as_data()["error"] == trial.crash.error


# --- one given game -----------------------------------------------------------------------------------------------------


def game_of(states, actions):
    count = int(np.prod(actions))
    transition = np.full((states, count, states), 1 / states)
    return mv.Game(transition=transition, reward=np.zeros((states, count)), discount=0.5, action_sizes=actions)


@pytest.mark.parametrize(
    ("states", "actions", "obstacle"),
    [
        (2, (2, 2), ""),
        (5, (2, 2), ""),
        (6, (2, 2), "at most 5 states, and this game has 6"),
        (2, (2, 3), ""),
        (2, (4, 2), "at most 3 actions"),
        (2, (2, 2, 2), ""),
        (2, (2, 2, 2, 2), "on 2 to 3 agents, and this game has 4"),
        (2, (2,), "on 2 to 3 agents"),
        (3, (3, 3), ""),
        (4, (3, 3), "at most 30 state-action pairs, and this game has 36"),
        (5, (3, 2), ""),
    ],
)
def test_on_which_games_a_claim_is_tried(states, actions, obstacle):
    limits = {"agents": (2, 2), "max_agents": 3, "max_states": 5, "max_actions": 3, "max_table": 30}
    setting = mv.Setting("s", (mv.GameData(), mv.PolicyData("p")), **limits)
    found = _obstacle(setting, game_of(states, actions))
    assert obstacle in found and bool(found) == bool(obstacle)
    assert not _obstacle(replace(setting, max_actions=None, max_table=999), game_of(2, (9, 9)))
    assert _obstacle(mv.Setting("s", (mv.PolicyData("p"),)), game_of(1, (2,))) == "it is not about a game"


def test_a_case_that_shows_a_claim_on_a_game():
    """The optimal policy against the uniform one; one policy alone is uniform; a game begins in every state alike."""
    game = game_of(4, (2,))
    one = case_on_game(mv.Setting("s", (mv.GameData(), mv.PolicyData("p"))), game).plain()
    assert [float(str(x)) if "/" not in str(x) else str(x) for x in one["game"].start] == ["1/4"] * 4
    assert {str(x) for x in one["p"].factors[0].ravel()} == {"1/2"}
    two = case_on_game(mv.Setting("s", (mv.GameData(), mv.PolicyData("p"), mv.PolicyData("q"))), game).plain()
    assert {str(x) for x in two["p"].factors[0].ravel()} == {"0", "1"} and {
        str(x) for x in two["q"].factors[0].ravel()
    } == {"1/2"}


def test_a_report_on_a_game():
    claim = claim_of(setting=mv.Setting("s", (mv.GameData(), mv.PolicyData("p"))))
    found = try_on_game(claim, frozenset(), game_of(2, (2,)), 5, np.random.default_rng(0))
    assert (
        found.instances == 5 and found.standing is SURVIVED and 0 <= found.seconds < 3_600 and found.violation is None
    )


# --- certificates -------------------------------------------------------------------------------------------------------


def test_sizes_that_certificates_may_have():
    steps = {
        "theorem-4.5/i": 2_000,
        "theorem-4.5/ii": 2_000,
        "abstract-rate": 5_000,
        "theorem-5.5/one-agent": 40_000,
        "theorem-5.5/two-agents": 40_000,
    }
    for name, longest in steps.items():
        assert treated_sizes(find(name)).steps == (1, longest)
    one = treated_sizes(find("lemma-b.4"))
    assert (one.agents, one.states) == ((1, 1), (1, 1)) and treated_sizes(
        find("lemma-b.3/zero-mean-intervention")
    ).states == (1, 1)
    assert treated_sizes(claim_of()).steps == (1, 1)


class Bare(mv.Ingredient):
    name = "bare"

    def __init__(self, *coordinates):
        self.bare = coordinates

    def coordinates(self, _):
        return self.bare


def complaint(coordinate, values):
    setting = mv.Setting("s", (Bare(coordinate),), **SMALL)
    return instance_complaint(claim_of(setting=setting), ONE, {coordinate.name: values})


@pytest.mark.parametrize(
    ("coordinate", "values", "wrong"),
    [
        (("integer", (2,), -3, 9), [-3, 9], ""),
        (("integer", (2,), -3, 9), [-4, 9], "are not all from -3 to 9"),
        (("integer", (2,), -3, 9), [0, 10], "are not all"),
        (("integer", (2,), -3, 9), [0], "are no integers of shape"),
        (("integer", (2,), -3, 9), [0, 1, 2], "are no integers"),
        (("integer", (2,), -3, 9), [0, True], "are no integers"),
        (("integer", (2,), -3, 9), [0.0, 1], "are no integers"),
        (("integer", (), -3, 9), 5, ""),
        (("integer", (), -3, 9), [5], "are no integers"),
        (("integer", (2, 1), -3, 9), [[1], [2]], ""),
        (("integer", (2, 1), -3, 9), [1, 2], "are no integers"),
        (("integer", (2, 1), -3, 9), [[1], [2, 3]], "are no integers"),
        (("integer", (2,), -3, 9), (1, 2), "are no integers"),
        (("positive", (2,), 1, 9), [1, 10_000], ""),
        (("positive", (2,), 1, 9), [0, 1], "are not all from 1 to 10000"),
        (("positive", (2,), 1, 9), [1, 10_001], "are not all"),
        (("weight", (2,), 0, 9), [0, 10_000], ""),
        (("weight", (2,), 0, 9), [0, 10_001], "are not all"),
        (("weight", (2,), 0, 9), [0, 0], "no weight"),
        (("weight", (2, 2), 0, 9), [[0, 1], [1, 0]], ""),
        (("weight", (2, 2), 0, 9), [[0, 1], [0, 0]], "a row of x has no weight"),
        (("weight", (2, 2), 0, 9), [[1, 0], [1, 0]], ""),
        (("weight", (2, 2, 2), 0, 9), [[[1, 0], [1, 0]], [[0, 1], [0, 1]]], ""),
        (("rare", (2,), -9, 9), [-1_000, 1_000], ""),
        (("rare", (2,), -9, 9), [0, 1_001], "from -1000 to 1000"),
        (("rare", (2,), -9, 9), [-1_001, 0], "from -1000 to 1000"),
        (("rare", (11,), -9, 9), [1_000, -1_000] * 5 + [0], ""),
        (("rare", (11,), -9, 9), [1_000, -1_000] * 5 + [1], "add up to more than 10000"),
        (("rare", (2,), -9, 9), [0, 0], ""),
        (("integer", (11,), -9_999, 9_999), [9_000] * 11, ""),
        (("integer", (20_000,), 0, 9), [0] * 20_000, ""),
        (("integer", (20_001,), 0, 9), [0] * 20_001, "more than 20000 integers"),
    ],
    ids=str,
)
def test_integers_that_a_certificate_may_have(coordinate, values, wrong):
    kind, shape, low, high = coordinate
    found = complaint(Coordinate("x", shape, kind, low, high), values)
    assert (found is None) == (not wrong) and wrong in (found or "")


def test_sizes_and_names_of_an_instance():
    table = mv.Table("f", lambda s: (s.states,))
    setting = mv.Setting(
        "s", (table, mv.Table("g", lambda _: ())), agents=(1, 2), states=(2, 3), action_range=(2, 4), steps=(1, 5)
    )
    claim, good = claim_of(setting=setting), {"f": [1, 1], "g": 0}
    for sizes, words in (
        ((2, (2,)), ""),
        ((2, (4, 2), 5), ""),
        ((2, (2, 4), 3), ""),
        ((1, (2,)), "1 states are not from 2 to 3"),
        ((4, (2,)), "4 states"),
        ((2, (2, 2, 2)), "3 agents are not from 1 to 2"),
        ((2, (5,)), "5 actions of an agent"),
        ((2, (2, 1)), "1 actions of an agent are not from 2 to 4"),
        ((2, (2,), 6), "6 steps are not from 1 to 5"),
        ((2, (2,), 0), "0 steps"),
    ):
        found = instance_complaint(claim, mv.Sizes(*sizes), good)
        assert (found is None) == (not words) and words in (found or "")
    for given, strange in (({"f": [1, 1]}, "['g']"), (good | {"h": 1}, "['h']"), ({"f": [1, 1], "h": 0}, "['g', 'h']")):
        assert instance_complaint(claim, TWO.__class__(2, (2,)), given) == f"missing or unknown coordinates: {strange}"


def ends(units, places=20):
    digits = str(abs(units)).rjust(places + 1, "0")
    return f"{'-' * (units < 0)}{digits[:-places]}.{digits[-places:]}"


@pytest.mark.parametrize(
    ("left", "right", "failing"),
    [
        ("1", "1", ""),
        ("3/2", "1", "≤="),
        ("1", "3/2", "≥="),
        ((ends(1), ends(3)), (ends(3), ends(5)), ""),
        ((ends(4), ends(6)), (ends(1), ends(3)), "≤="),
        ((ends(1), ends(3)), (ends(4), ends(6)), "≥="),
        ("0", (ends(0), ends(2)), ""),
        ("-1", (ends(-1), ends(1)), "≥="),
    ],
)
def test_which_relations_recorded_sides_contradict(left, right, failing):
    assert "".join(sign for sign in "≤≥=" if contradicts(left, sign, right)) == failing
    with pytest.raises(RejectedError, match="is no relation"):
        contradicts(left, "<", right)


@pytest.mark.parametrize(
    ("side", "wrong"),
    [
        ("2/4", "not in lowest terms"),
        ("+1", "no rational"),
        ("1/0", "no rational"),
        ("01", "no rational"),
        ("9" * 401, "no rational"),
        ((ends(0), ends(1)), "differ by 2"),
        ((ends(0), ends(3)), "differ by 2"),
        ((ends(2), ends(0)), "differ by 2"),
        ((ends(0), ends(2, 40)), "differ by 2"),
        ((ends(0, 40), ends(2, 40)), ""),
        ((ends(0, 80), ends(2, 80)), ""),
        ((ends(0, 30), ends(2, 30)), "20, 40 or 80 places"),
        (("-0." + "0" * 20, ends(2)), "negative zero"),
        ((ends(-2), "-0." + "0" * 20), "negative zero"),
        ((ends(-2), ends(0)), ""),
        ((ends(-1), ends(1)), ""),
        ("9" * 400, ""),
        ("-1/3", ""),
    ],
)
def test_how_a_number_is_recorded(side, wrong):
    if not wrong:
        low, high = interval(side, "left")
        assert low <= high
        return
    with pytest.raises(RejectedError, match=wrong):
        interval(side, "left")


def test_three_truths():
    assert (FALSE, UNKNOWN, TRUE) == (-1, 0, 1)


@pytest.mark.parametrize(
    "function",
    [mv.audit, mv.falsify, mv.explain, mv.checking.tightness, mv.checking.diagnose, explain_report, case_on_game]
    + [certificate_by_audit],
    ids=lambda function: function.__name__,
)  # fmt: skip
def test_whoever_gives_no_seed_gets_the_instances_of_seed_0(function):
    assert inspect.signature(function).parameters["seed"].default == 0


def test_a_kept_counterexample_is_one_readable_file(tmp_path):
    folder = tmp_path / "new" / "corpus"
    witness = Witness("mine/part", ONE, {"ε": np.array([1, 2]), "a": np.array([[3]])}, None)
    paths = {corpus.keep(folder, witness) for _ in range(2)}
    (path,) = folder.iterdir()
    assert paths == {path} and path.name.startswith("mine-part-") and len(path.stem) == len("mine-part-") + 12
    lines = ['{', ' "action_sizes": [', '  1', ' ],', ' "claim": "mine/part",', ' "coordinates": {', '  "a": [', '   [', '    3',
             '   ]', '  ],', '  "ε": [', '   1,', '   2', '  ]', ' },', ' "states": 1,', ' "steps": 1', '}', '']  # fmt: skip
    assert path.read_text(encoding="utf-8") == "\n".join(lines)
    assert corpus.Corpus.of_choice(True) == corpus.Corpus() and not corpus.Corpus.of_choice(False).shipped
    assert corpus.Corpus.of_choice(folder) == corpus.Corpus(True, folder)


# --- in a notebook ------------------------------------------------------------------------------------------------------


def test_how_lines_are_marked():
    """A cross where a line breaks, a question mark where it stays open, else a hook; the first line has none."""

    def lines(case):
        root = mv.sqrt(2 + 0 * case.f)
        yield mv.line("f", 2 + 0 * case.f)
        yield mv.at_most("3", 3, because="so small")
        yield mv.at_most("1", 1, because="so wrong")
        yield mv.at_most("5", 5, because="so large")
        yield mv.line("root", root * root)
        yield mv.equal("2", 2, because="so open")

    evidence = mv.check(mv.Claim("mine", "t", "s", SETTING, lines, transcendental=True), f=3)
    text = evidence._repr_html_()
    for mark, reason in (("✓", "so small"), ("✗ broken here:", "so wrong"), ("✓", "so large"), ("?", "so open")):
        assert f"{mark} {reason}" in text
    assert text.count("✓") == 2 and text.count("✗") == 1 and text.count(">=<") == 1 and text.count(">≤<") == 3


def test_what_a_notebook_shows_of_a_report():
    def lines(case):
        yield mv.line("the left side", case.f)
        yield mv.at_most("the right side", 7, because="it is not")

    false = mv.audit([mv.Claim("mine", "the title", "s", SETTING, lines)])
    text = false["mine"]._repr_html_()
    assert "the title" in text and "REFUTED" in text and "the left side" in text and "✗ broken here: it is not" in text
    assert "REFUTED" in false._repr_html_() and "mine" in false._repr_html_() and "1 claims" in false._repr_html_()
    true = mv.audit([claim_of()])["mine"]._repr_html_()
    assert (
        "SURVIVED" in true and "it is" not in true and 0 <= false.seconds < 3_600 and 0 <= false["mine"].seconds < 3_600
    )
    found = mv.falsify(mv.Claim("mine", "the title", "s", SETTING, lines))
    assert "the left side" in found._repr_html_() and "REFUTED" in found._repr_html_()
    assert "SURVIVED" in mv.falsify(claim_of())._repr_html_()


# --- statements ---------------------------------------------------------------------------------------------------------


def part_of(name, kind, standing, instances=0, line=0, repaired_by="", size=None):
    claim = SimpleNamespace(kind=kind, printed=kind is Kind.PRINTED, repaired_by=repaired_by)
    witness = None
    if size is not None:
        case = SimpleNamespace(sizes=mv.Sizes(*size), objects={})
        witness = SimpleNamespace(evidence=SimpleNamespace(case=case))
    broken = SimpleNamespace(number=line) if line else None
    return SimpleNamespace(
        id=name, claim=claim, standing=standing, instances=instances, broken_line=broken, witness=witness
    )


def statement_of_parts(finding, *parts, untried=(), of_paper=True):
    return StatementReport(Statement("s", "S", "t"), finding, parts, untried, of_paper)


PROVED, SUPPORTED = Standing.PROVED, Standing.SUPPORTED
P, R, H, REPAIR, BEYOND = Kind.PRINTED, Kind.READING, Kind.HYPOTHESIS, Kind.REPAIR, Kind.BEYOND


def test_what_falls_repairs_and_remarks():
    """A false statement falls by its printed parts, one that needs a hypothesis by those; other refutations are remarks."""
    parts = (
        part_of("p1", P, REFUTED, repaired_by="b1"),
        part_of("p2", P, SURVIVED),
        part_of("h", H, REFUTED),
        part_of("r", R, REFUTED),
        part_of("x1", REPAIR, PROVED),
        part_of("x2", REPAIR, OPEN),
        part_of("b1", BEYOND, SURVIVED),
        part_of("b2", BEYOND, PROVED),
        part_of("x3", REPAIR, SUPPORTED),
        part_of("p3", P, REFUTED, repaired_by="b3"),
        part_of("b3", BEYOND, SURVIVED),
    )
    false, needs, held = (statement_of_parts(f, *parts) for f in (Finding.FALSE, Finding.NEEDS, Finding.HELD))

    def ids(found):
        return " ".join(part.id for part in found)

    assert (
        ids(false.printed) == "p1 p2 p3"
        and ids(false.fallen) == "p1 p3"
        and ids(needs.fallen) == "h"
        and not held.fallen
    )
    assert ids(false.repairs) == "x1 b1 x3 b3" and not needs.repairs and not held.repairs
    assert ids(false.remarks) == "h r" and ids(needs.remarks) == "p1 r p3" and ids(held.remarks) == "p1 h r p3"


def test_what_is_said_of_a_statement():
    held = statement_of_parts(
        Finding.HELD, part_of("a", P, SURVIVED, 1_200), part_of("b", P, SURVIVED, 1_100), part_of("c", R, SURVIVED, 3)
    )
    assert held.words == "not refuted in 1,100 certified instances" and held.instances == 1_100
    mixed = statement_of_parts(Finding.HELD, part_of("a", P, PROVED, 5), part_of("b", P, SURVIVED, 70))
    assert mixed.instances == 70
    proved = statement_of_parts(Finding.PROVED, part_of("a", P, PROVED, 5))
    assert proved.words == "proved" and proved.instances == 0
    short = statement_of_parts(Finding.HELD, part_of("a", P, PROVED), untried=("b", "c"))
    assert short.words == "not refuted (2 of 3 parts not tried)"
    repaired = statement_of_parts(Finding.FALSE, part_of("a", P, REFUTED), part_of("b", REPAIR, PROVED))
    assert repaired.words == "false as printed, with a repair"
    own = statement_of_parts(Finding.NEEDS, part_of("a", H, REFUTED), of_paper=False)
    assert (
        own.words == "needs a hypothesis that is not stated"
        and statement_of_parts(Finding.FALSE, of_paper=False).words == "false"
    )
    parts = [
        part_of("a", P, REFUTED, line=1),
        part_of("r", R, SURVIVED, line=2),
        part_of("b", P, SURVIVED),
        part_of("c", P, SURVIVED, line=4),
    ]
    assert statement_of_parts(Finding.OPEN, *parts).words == "open, but line 4 of the proof of c is broken"
    assert statement_of_parts(Finding.OPEN, *parts[:3]).words == "open"
    assert [counted(n, Finding.NEEDS) for n in (0, 1, 2)] == [
        f"{n} need{'s' * (n == 1)} a hypothesis that is not printed" for n in (0, 1, 2)
    ]


def test_the_smallest_counterexample_of_a_statement():
    """Fewest steps, then states, then joint actions, then by name; where one is a run, of the runs alone."""
    sizes = {"a": (2, (2, 2)), "b": (2, (3,)), "c": (2, (3,)), "d": (3, (1,))}
    parts = [part_of(name, P, REFUTED, size=size) for name, size in sizes.items()]
    assert statement_of_parts(Finding.FALSE, *parts, part_of("e", P, REFUTED)).smallest.id == "b"
    assert statement_of_parts(Finding.FALSE, *parts[2:]).smallest.id == "c"
    runs = [part_of("f", P, REFUTED, size=(9, (9,), 3)), part_of("g", P, REFUTED, size=(9, (9,), 2))]
    assert statement_of_parts(Finding.FALSE, *parts, *runs).smallest.id == "g"
    assert statement_of_parts(Finding.FALSE, part_of("e", P, REFUTED)).smallest is None


def test_what_facts_call_positive_is_positive_at_a_point():
    """``|p| = p`` for a distribution: symbols know it, and at the point at which both are compared it is so."""

    def lines(case):
        yield mv.line("|p|", mv.absolute(case.p))
        yield mv.equal("p", case.p, because="p ≥ 0")

    setting = mv.Setting("s", (mv.Distribution("p", lambda _: (3,)),), **SMALL)
    claim = mv.Claim("mine", "t", "s", setting, lines, symbolic=(ONE,))
    assert isinstance(prove_in_symbols(claim, ONE), Proof)


# --- what was searched --------------------------------------------------------------------------------------------------


def test_what_a_search_says_it_looked_at():
    nothing = Searched(limit=5.0, declared=3)
    assert nothing.text() == "0 instances drawn, 0 certified, 0 of 3 declared sizes" and nothing.left_open == 0
    found = Searched(limit=5.0, declared=3_000)
    found.known, found.drawn, found.certified, found.undecided, found.raised, found.not_applicable = (
        2,
        1_500,
        1_000,
        40,
        30,
        20,
    )
    found.evaluated, found.climbed, found.sizes, found.cut_short = 7_000, 3, [ONE, TWO], True
    assert found.left_open == 2 + 1_500 - 1_090 and found.text() == (
        "2 known counterexamples, 1,500 instances drawn, 7,000 scored in floats (3 climbs), 1,000 certified, 20 not applicable, "
        "40 undecided, 30 raised, 412 left open by enclosures, 2 of 3,000 declared sizes, stopped by the time limit of 5 s"
    )
    found.known, found.certified = 1, 9_000
    assert found.left_open == 0 and found.text().startswith("1 known counterexample, 1,500 ")
    assert (
        found.as_data()["sizes"] == ["1 state, 1 actions", "2 states, 1 actions"] and "seconds" not in found.as_data()
    )


# --- what is explained --------------------------------------------------------------------------------------------------


def test_which_case_a_report_is_explained_on():
    """The witness; on a game what is violated there; else an instance on which a line breaks."""
    line = SimpleNamespace(sizes=TWO, number=3, evidence="of the line")
    witness, game = SimpleNamespace(evidence="of the witness", sizes=TWO), mv.named_game("climbing")

    def shown(game=None, **more):
        parts = {"claim": "c", "witness": None, "broken_line": None, "violation": None}
        return explain_report(SimpleNamespace(**(parts | more)), game)

    counterexample = "the smallest counterexample found (2 states, 1 actions)"
    assert shown(witness=witness, broken_line=line) == ("c", "of the witness", counterexample)
    breaks = "an instance on which line 3 of the proof breaks"
    assert shown(broken_line=line) == ("c", "of the line", f"{breaks} (2 states, 1 actions)")
    assert shown(game, broken_line=line) == ("c", "of the line", f"{breaks} (climbing; 2 states, 1 actions)")
    violated = "climbing, where the claim is violated"
    assert shown(game, broken_line=line, violation="of the game") == ("c", "of the game", violated)
    assert shown(replace(game, name=""), violation="of the game")[2].startswith("Game(1 states")


def test_which_case_reads_best():
    """One that is decided, then one with fewer lines of zeros and ones, then one with shorter numbers."""

    def effort(verdict, *values):
        lines = [SimpleNamespace(value=np.array(value)) for value in values]
        return _effort(SimpleNamespace(verdict=verdict, lines=lines))

    assert effort(Verdict.HOLDS, [12, 3], 7) == (False, 0, 4)
    assert effort(Verdict.UNDECIDED, [0, 1], 1, 10, [[0, 0], [0, 2]]) == (True, 2, 2 + 1 + 2 + 4)
    assert effort(Verdict.VIOLATED, 0) == (False, 1, 1)


def test_a_case_that_meets_the_hypotheses_is_shown():
    """At the first size with two agents of two actions, or at another one where they are met at all."""
    hypothesis = mv.Hypothesis("one state", lambda case: (case.t.sum(), "≥", 40))
    table = mv.Table("t", lambda s: (s.states, *s.actions[:1]), 0, 9)
    setting = mv.Setting("s", (table,), (hypothesis,), agents=(1, 3), states=(1, 3), action_range=(1, 3))
    claim = claim_of(setting=setting)
    _, evidence, words = _on_an_instance(claim, 0)
    assert evidence.verdict is Verdict.HOLDS and words.startswith("a drawn instance (") and words.endswith("; seed 0)")
    anywhere = _on_an_instance(claim_of(setting=replace(setting, hypotheses=())), 5)
    assert anywhere[2] == "a drawn instance (1 state, 2x2 actions; seed 5)"
    never = replace(setting, hypotheses=(mv.Hypothesis("never", lambda case: (case.t.sum(), "<", 0)),))
    assert _on_an_instance(claim_of(setting=never), 0)[1].verdict is Verdict.NOT_APPLICABLE
