"""Audits: standings are computed, witnesses re-check, taint spreads, reports are reproducible and plain data."""

from __future__ import annotations

import json
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import replace
from fractions import Fraction
from functools import partial

import flint
import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, like, maximum
from mappo_verify.arithmetic.enclosures import Enclosures
from mappo_verify.arithmetic.precision import precision
from mappo_verify.checking import campaign, search
from mappo_verify.checking.campaign import PROFILES
from mappo_verify.checking.evaluate import SUSPECTS, certify, decide, evaluate, skim
from mappo_verify.checking.reports import Tally
from mappo_verify.checking.sampling import draw, sizes_of
from mappo_verify.checking.shrink import shrink
from mappo_verify.checking.transport import packed, unpacked
from mappo_verify.claims.ingredients import Increments
from mappo_verify.claims.verdict import Verdict
from mappo_verify.errors import ClaimError, MappoVerifyError, MixedArithmeticError
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.papers.registry import claim as find
from mappo_verify.report.document import audit_document, exact_text, number_text

RATIONALS = System.RATIONALS
PROVED, SURVIVED, SUPPORTED = mv.Standing.PROVED, mv.Standing.SURVIVED, mv.Standing.SUPPORTED
REFUTED, UNTESTED = mv.Standing.REFUTED, mv.Standing.UNTESTED
ONE = mv.Sizes(1, (1,))
FAST = ["section-3.1/stationary", "assumption-d.2", "lemma-b.3/zero-mean-intervention", "equation-1/any-fit"]


@pytest.fixture(scope="module")
def whole():
    """The quick audit of every registered claim."""
    return mv.audit()


def table_claim(left, right, make=mv.at_most, name="mine", because="said so", hypotheses=(), **more):
    """``left(f)`` against ``right(f)`` for a table of two integers."""

    def proof(case):
        yield mv.line("left", left(case.f))
        yield make("right", right(case.f), because=because)

    setting = mv.Setting("a table", (mv.Table("f", lambda _: (2,)),), hypotheses, states=(1, 1))
    return mv.Claim(name, "title", "source", setting, proof, **more)


def true_claim(name="mine", because="squares are not negative", **more):
    return table_claim(lambda f: 0 * f, lambda f: f * f, name=name, because=because, **more)


def false_claim(name="mine", **more):
    return table_claim(lambda f: f * f, lambda f: 7 * f + 9, name=name, **more)


# --- the whole registry ---------------------------------------------------------------------------------------------------


def test_every_registered_standing_is_found_anew(whole):
    assert [entry.id for entry in whole] == [claim.id for claim in CLAIMS]
    assert {entry.id: entry.standing for entry in whole} == {claim.id: claim.record for claim in CLAIMS}
    assert whole.unexpected == () and whole.game is None and whole.skipped == ()
    for entry in whole:
        few = entry.claim.setting.limit is not None  # long runs, much alike
        assert entry.instances + entry.undecided >= (1 if few else 40), f"{entry.id} was hardly tried"
        assert entry.standing in (REFUTED, SUPPORTED, mv.Standing.OPEN) or entry.undecided < entry.instances, entry.id
        if entry.standing is REFUTED:
            assert entry.margin < 0 and entry.broken is not None and entry.witness is not None
        else:
            assert entry.broken is None and entry.witness is None
            decided = entry.statistics is None  # samples have no margin: nothing is certified
            assert not decided or not entry.margin < 0, f"{entry.id} stands with margin {entry.margin}"
        if entry.standing is PROVED:
            assert {p.sizes for p in entry.proofs} == {*entry.claim.symbolic, *entry.claim.points}


def test_every_witness_rechecks_from_its_plain_data(whole):
    refuted = [entry for entry in whole if entry.witness is not None]
    assert len(refuted) >= 4
    for entry in refuted:
        stored = json.loads(json.dumps(entry.witness.as_data()))
        sizes = mv.Sizes(
            stored["states"], tuple(stored["action_sizes"]), *([stored["steps"]] if "steps" in stored else [])
        )
        again = certify(entry.claim, partial(entry.claim.setting.case, stored["coordinates"], sizes))
        assert again.verdict is mv.Verdict.VIOLATED and str(again.margin) == str(entry.margin)
        for coordinate in entry.claim.setting.coordinates(sizes):
            values = np.asarray(stored["coordinates"][coordinate.name])
            assert values.min() >= coordinate.low
            # certificates that are decided anew may have larger numbers than are drawn
            assert coordinate.kind == "weight" or values.max() <= coordinate.high or entry.witness.known


def test_witnesses_are_small(whole):
    for name in ("definition-3.1/conditional-readings", "lemma-b.3/zero-mean-intervention"):
        assert whole[name].witness.sizes == mv.Sizes(1, (2, 2))


def test_the_document_is_json(whole):
    document = audit_document(whole)
    again = json.loads(json.dumps(document, allow_nan=False, ensure_ascii=False))
    assert again == document
    assert [row["id"] for row in document["claims"]] == [claim.id for claim in CLAIMS]
    for row in document["claims"]:
        assert {"id", "standing", "how", "instances", "margin", "ratio", "seconds"} <= row.keys()
        assert row["standing"] in {standing.value for standing in mv.Standing} and row["how"]
        assert type(row["instances"]) is int
        assert row["margin"] is None or isinstance(row["margin"], str)
        tight = row["standing"] == "REFUTED" or row["ratio"] is None or row["ratio"] <= 1 + 1e-9  # a float, for people
        assert tight, f"{row['id']} stands, with left/right = {row['ratio']}"
        assert isinstance(row["seconds"], float) and row["seconds"] >= 0
        assert row["expected"] is True and row["standing"] == row["record"]
        assert (row["witness"] is not None) == (row["standing"] == "REFUTED")
    assert (document["profile"], document["seed"], document["unexpected"]) == ("quick", 0, [])
    assert document["standings"]["lemma-b.3"] == "PROVED"


# --- a claim of one's own ---------------------------------------------------------------------------------------------------


def test_a_true_inequality_survives():
    entry = mv.audit([true_claim()])["mine"]
    assert entry.standing is SURVIVED and entry.how == "every instance holds (certified in enclosures)"
    assert entry.instances >= 300 and entry.margin == 0 and entry.expected and entry.witness is None


def test_a_true_identity_is_proved():
    setting = mv.Setting("a game", (mv.GameData("game"), mv.PolicyData("policy")))

    def proof(case):
        joint = case.policy.joint()
        yield mv.line("Σ_a π(a|s) r(s, a)", mv.contract("...sa,...sa->...s", joint, case.game.reward))
        yield mv.equal("r_π(s)", mv.quantities.induced_reward(case.game, case.policy), because="the definition")

    own = mv.Claim(
        "mine",
        "t",
        "s",
        setting,
        proof,
        symbolic=(mv.Sizes(1, (2, 2)),),
        points=(mv.Sizes(2, (2, 3)),),
        record=PROVED,
    )
    entry = mv.audit([own])["mine"]
    assert entry.standing is PROVED and entry.expected
    assert [p.method for p in entry.proofs] == ["symbols", "points"]
    assert "identity in up to" in entry.how and "Schwartz-Zippel, error ≤" in entry.how


def test_a_false_claim_is_refuted_by_a_small_exact_witness():
    own = false_claim(record=PROVED)
    report = mv.audit([own])
    entry = report["mine"]
    assert entry.standing is REFUTED and not entry.expected and report.unexpected == (entry,)
    assert isinstance(entry.margin, flint.fmpq) and entry.margin < 0
    assert "smallest: 1 state, 1 actions, at 'right'" in entry.how
    data = entry.witness.as_data()
    values = data["coordinates"]["f"]
    assert any(f * f > 7 * f + 9 for f in values)
    assert sum(map(abs, values)) == 2, "(-2, 0): 4 > -5; nothing smaller violates it"
    assert mv.check(own, f=like(values, RATIONALS)).margin == entry.margin
    assert entry.broken.right == "right" and entry.witness.broken_statement.right == "right"


def test_a_planted_error_in_a_copy_of_the_lemma_is_unexpected():
    lemma = find("lemma-b.3/zero-mean")

    def planted(case):
        for entry in lemma.proof(case):
            yield replace(entry, value=entry.value + like(Fraction(1, 10**9), case.system)) if entry.relation else entry

    report = mv.audit([replace(lemma, proof=planted)])
    entry = report[lemma.id]
    assert entry.standing is REFUTED and report.unexpected == (entry,)
    assert entry.margin == flint.fmpq(-1, 10**9)


def test_a_failed_proof_is_told_and_lowers_the_standing():
    """The statement holds and no instance breaks it, but neither an axiom nor a sign gives it: SURVIVED, not PROVED."""
    own = table_claim(lambda f: 2 * f, lambda f: f * f + 1, symbolic=(ONE,), record=PROVED)
    entry = mv.audit([own])["mine"]
    assert entry.standing is SURVIVED and not entry.expected
    assert entry.how == "every instance holds (certified in enclosures); not proved: right"


def test_a_false_inequality_is_never_proved_whatever_sizes_are_named():
    """F ≤ 2f fails at every negative number only."""
    own = table_claim(lambda f: f, lambda f: 2 * f, symbolic=(ONE,), points=(ONE,))
    assert mv.audit([own])["mine"].standing is REFUTED


def test_an_inequality_that_holds_is_not_proved_by_points():
    own = true_claim(points=(ONE,))
    assert mv.audit([own])["mine"].standing is SURVIVED


def test_equalities_beyond_the_rationals_stay_open():
    own = table_claim(lambda f: mv.exp(f), lambda f: mv.exp(f / 2) * mv.exp(f / 2), mv.equal, transcendental=True)
    entry = mv.audit([own])["mine"]
    assert entry.standing is mv.Standing.OPEN and entry.instances == 0 and entry.undecided > 0
    assert entry.how == f"{entry.undecided} instances meet the hypotheses, and none could be decided"
    assert entry.margin.contains(0)


def test_what_stays_undecided_is_said():
    """At f = 0 the equality is rational and decided; elsewhere balls leave it open."""
    own = table_claim(lambda f: mv.exp(f), lambda f: mv.exp(f / 2) * mv.exp(f / 2), mv.equal)
    entry = mv.audit([own])["mine"]
    assert entry.standing is SURVIVED and 0 < entry.instances < entry.undecided
    assert entry.how == f"every decided instance holds (exact); {entry.undecided} stay undecided"


def test_false_equalities_beyond_the_rationals_are_refuted():
    own = table_claim(lambda f: mv.exp(f), lambda f: 1 + f + f * f / 2, mv.equal)
    entry = mv.audit([own])["mine"]
    assert entry.standing is REFUTED and "certified in balls" in entry.how
    assert entry.margin < 0


def test_the_words_fit_the_arithmetic_of_all_sizes():
    """One agent has an inequality, for enclosures; two have an equality, which only rationals certify."""

    def proof(case):
        yield mv.line("0", 0 * case.f)
        if case.sizes.agents == 1:
            yield mv.at_most("exp(f)", mv.exp(case.f), because="it is positive")
        else:
            yield mv.equal("f - f", case.f - case.f, because="it is 0")

    own = mv.Claim("mine", "t", "s", mv.Setting("s", (mv.Table("f", lambda _: (1,)),), agents=(1, 2)), proof)
    entry = mv.audit([own])["mine"]
    assert entry.standing is SURVIVED and entry.how == "every instance holds (exact or certified in enclosures)"


def test_what_nothing_meets_is_untested():
    never = mv.Hypothesis("never", lambda case: case.f[0] != case.f[0])
    entry = mv.audit([true_claim(hypotheses=(never,), record=SURVIVED)])["mine"]
    assert entry.standing is UNTESTED and not entry.expected
    assert (entry.instances, entry.margin) == (0, None) and entry.how.startswith("no instance met the hypotheses (")
    assert entry.not_applicable > 0


def test_a_rare_violation_is_found_by_float_exploration():
    """One pair of integers in 361: the float batches find it, exact arithmetic certifies it."""
    own = table_claim(
        lambda f: 1 + 0 * f[..., 0],
        lambda f: (f[..., 0] - 3) * (f[..., 0] - 3) + (f[..., 1] + 5) * (f[..., 1] + 5),
    )
    entry = mv.audit([own])["mine"]
    assert entry.standing is REFUTED and entry.witness.as_data()["coordinates"]["f"] == [3, -5]


def test_float_batches_alone_refute_nothing():
    """1/3·3 = 1 is false for rounded numbers of some size, true for exact ones."""
    entry = mv.audit([table_claim(lambda f: f / 3 * 3 * 10**12, lambda f: f * 10**12, mv.equal)])["mine"]
    assert entry.standing is SURVIVED


def test_an_undecidable_instance_does_not_end_the_audit():
    """Unknown never counts as passed; nor may it take the other claims' verdicts with it."""
    stuck = table_claim(
        lambda f: mv.divide(mv.exp(f) - mv.exp(f / 2) * mv.exp(f / 2), mv.exp(f) - mv.exp(f / 2) * mv.exp(f / 2)),
        lambda f: 0 * f + 1,
        name="stuck",
    )
    report = mv.audit([stuck, true_claim()])
    assert report["mine"].standing is SURVIVED
    assert report["stuck"].undecided > 0 and report["stuck"].standing in (SURVIVED, SUPPORTED, UNTESTED)


def test_tight_inequalities_are_decided_at_the_precision_that_they_need():
    """A difference of 10⁻¹⁰⁰ needs about 350 bits, whether instances come alone or in batches."""
    own = table_claim(lambda f: mv.exp(f), lambda f: mv.exp(f) + like(Fraction(1, 10**100), f))
    entry = mv.audit([own])["mine"]
    assert entry.standing is SURVIVED and entry.undecided == 0


def test_a_claim_about_numbers_beyond_float64_is_audited():
    entry = mv.audit([table_claim(lambda f: f * 10**400, lambda f: (f * f + 1) * 10**400)])["mine"]
    assert entry.standing is SURVIVED


def test_infinite_ratios_do_not_reach_json():
    own = table_claim(lambda f: mv.divide(f * f + 1, f - f), lambda f: mv.divide(f * f + 2, f - f))
    json.dumps(audit_document(mv.audit([own])), allow_nan=False)


# --- records, taint, parents --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", [None, *mv.Standing])
def test_records_are_compared_never_copied(record):
    for make, found in ((true_claim, SURVIVED), (false_claim, REFUTED)):
        report = mv.audit([make(record=record)])
        assert report["mine"].standing is found
        assert report["mine"].expected == (record in (None, found)) == (report.unexpected == ())


@pytest.mark.parametrize("name", FAST)
def test_a_wrong_record_of_a_registered_claim_is_unexpected(name, monkeypatch):
    right = find(name)
    wrong = replace(right, record=SURVIVED if right.record is REFUTED else REFUTED)
    report = mv.audit([wrong])
    assert report[name].standing is right.record and report.unexpected == (report[name],)
    monkeypatch.setattr("mappo_verify.papers.registry.CLAIMS", tuple(wrong if c is right else c for c in CLAIMS))
    assert [entry.id for entry in mv.audit([name]).unexpected] == [name]


def test_a_broken_step_is_unexpected_although_the_statement_survives():
    def proof(case):
        yield mv.line("f", case.f)
        yield mv.equal("f + 1", case.f + 1, because="a slip")
        yield mv.equal("f again", case.f, because="undone")

    own = mv.Claim("mine", "t", "s", mv.Setting("s", (mv.Table("f", lambda _: (1,)),)), proof, record=SURVIVED)
    report = mv.audit([own])
    assert report["mine"].standing is SURVIVED and report["mine"].broken.right == "f + 1"
    assert report.unexpected == (report["mine"],)


def test_a_refuted_lemma_taints_what_leans_on_it():
    claims = [
        false_claim("lemma-9.1"),
        true_claim("theorem-9.2", because="lemma-9.1"),
        true_claim("theorem-9.3", because="by theorem-9.2"),
        true_claim("theorem-9.4"),
        false_claim("lemma-9.5", kind=mv.Kind.READING),
        true_claim("theorem-9.6", because="lemma-9.5, which the paper does not print"),
        true_claim("theorem-9.7", because="theorem-9.7 and theorem-9.8"),
        true_claim("theorem-9.8", because="theorem-9.7, round and round, and lemma-9.1"),
    ]
    report = mv.audit(claims)
    tainted = {entry.id: entry.tainted_by for entry in report}
    assert tainted == {
        "lemma-9.1": (),
        "theorem-9.2": ("lemma-9.1",),
        "theorem-9.3": ("lemma-9.1",),
        "theorem-9.4": (),
        "lemma-9.5": (),
        "theorem-9.6": (),
        "theorem-9.7": ("lemma-9.1",),
        "theorem-9.8": ("lemma-9.1",),
    }
    assert report["theorem-9.3"].cites == ("theorem-9.2",)
    assert report["theorem-9.2"].standing is SURVIVED, "taint stands beside the standing"


def test_any_id_of_the_same_audit_can_be_leaned_on():
    claims = [
        false_claim("my-bound"),
        true_claim("step2", because="by my-bound, and by fact-9.9, which nobody registered"),
        true_claim("corollary-9/part-1", because="step2"),
    ]
    report = mv.audit(claims)
    assert [entry.cites for entry in report] == [(), ("my-bound",), ("step2",)]
    assert [entry.tainted_by for entry in report] == [(), ("my-bound",), ("my-bound",)]
    assert mv.audit([claims[1]])["step2"].cites == (), "what is neither registered nor in the audit is no claim"


def test_a_parent_whose_printed_part_falls_taints_as_well():
    """A reason says "lemma-9.1"; its printed part lemma-9.1/path-wise is refuted, so lemma-9.1 is."""
    claims = [
        false_claim("lemma-9.1/path-wise"),
        true_claim("lemma-9.1/expectation"),
        true_claim("theorem-9.2", because="lemma-9.1"),
    ]
    report = mv.audit(claims)
    assert report.standings["lemma-9.1"] is REFUTED
    assert report["theorem-9.2"].tainted_by


def test_a_parent_is_as_weak_as_its_weakest_printed_part():
    report = mv.audit(
        [
            true_claim("a/one"),
            false_claim("a/two", kind=mv.Kind.READING),
            true_claim("b/one"),
            false_claim("b/two"),
            false_claim("c/only", kind=mv.Kind.READING),
        ]
    )
    assert report.standings == {
        "a/one": SURVIVED,
        "a/two": REFUTED,
        "b/one": SURVIVED,
        "b/two": REFUTED,
        "c/only": REFUTED,
        "a": SURVIVED,
        "b": REFUTED,
    }


# --- reproducible, and refused politely -----------------------------------------------------------------------------------------


def contents(report):
    """The document without times."""
    document = audit_document(report)
    return [{k: v for k, v in row.items() if k != "seconds"} for row in document["claims"]]


def test_the_same_seed_gives_the_same_report():
    one, same, other = (contents(mv.audit(FAST[:2], seed=seed)) for seed in (5, 5, 6))
    assert one == same != other


def test_a_claim_alone_sees_what_it_sees_among_others():
    together = {row["id"]: row for row in contents(mv.audit(FAST, seed=2))}
    for name in FAST:
        (alone,) = contents(mv.audit([name], seed=2))
        assert {k: v for k, v in alone.items() if k != "tainted_by"} == {
            k: v for k, v in together[name].items() if k != "tainted_by"
        }


def test_what_cannot_be_audited():
    with pytest.raises(ClaimError, match=r"no claim is called 'lemma-4.2'; did you mean lemma-4.1"):
        mv.audit(["lemma-4.2"])
    with pytest.raises(ClaimError, match="unknown profile 'slow'; use one of quick, thorough"):
        mv.audit(profile="slow")
    with pytest.raises(MappoVerifyError, match="seed = -1 is not an integer of at least 0"):
        mv.audit(seed=-1)
    assert set(PROFILES) == {"quick", "thorough"}
    assert PROFILES["thorough"].effort.exact > PROFILES["quick"].effort.exact


def test_progress_is_told_in_order():
    told = []
    mv.audit(FAST[:2], progress=lambda text, share: told.append((text, share)))
    assert told == [(FAST[0], 0.0), (FAST[1], 0.5), ("done", 1.0)]


def test_nothing_to_audit():
    report = mv.audit([])
    assert report.claims == () and report.unexpected == () and report.standings == {}
    with pytest.raises(KeyError):
        report["lemma-4.1"]


def test_a_tally_counts():
    own = table_claim(lambda f: f, lambda f: 0 * f + 3, because="lemma-4.1")
    tally = Tally(frozenset({"lemma-4.1"}))
    for rows in ([(1, 2), (4, 0)], [(9, 9), (3, 3)]):
        tally.add(evaluate(own, own.setting.case({"f": rows}, ONE, RATIONALS)))
    assert (tally.holds, tally.violated, tally.undecided, tally.not_applicable) == (2, 2, 0, 0)
    assert tally.margin == -6 and tally.links == ("lemma-4.1",) and tally.ratio == 3
    assert tally.tightness == {ONE: pytest.approx([2 / 3, 4 / 3, 3, 1])}


def test_a_report_keeps_the_ratio_of_every_decided_instance():
    report = mv.audit(["definition-3.2/lipschitz", "definition-3.2/uniqueness"])
    bound, identity = report
    assert identity.tightness == {}
    ratios = [ratio for of_a_size in bound.tightness.values() for ratio in of_a_size]
    assert 0 < len(ratios) <= bound.instances and max(ratios) == bound.ratio <= 1
    assert sizes_of(bound.claim.setting)[0] in bound.tightness


def test_skimming_is_left_out_where_a_setting_says_so(monkeypatch):
    own = true_claim()
    assert mv.audit([own])["mine"].instances > 1_000, "many more than are decided one and all"
    silent = replace(own, setting=replace(own.setting, explore=False))
    monkeypatch.setattr(search, "skim", lambda *_: pytest.fail("skimmed"))
    entry = mv.audit([silent])["mine"]
    assert entry.standing is SURVIVED and 300 <= entry.instances <= 400


def test_skimming_is_left_out_where_it_counts_nothing_and_there_is_a_proof(monkeypatch):
    """Enclosures prove no equality; without a proof they still look for violations."""
    looked_at = []
    monkeypatch.setattr(search, "skim", lambda claim, *_: looked_at.append(claim.id) or iter(()))
    proved = mv.audit(["section-e/stationary-point"])["section-e/stationary-point"]
    assert proved.standing is mv.Standing.PROVED and proved.searched.drawn <= 400 and not looked_at
    unproved = replace(proved.claim, id="unproved", symbolic=(), points=(), record=None)
    assert mv.audit([unproved])["unproved"].searched.drawn > 5_000 and set(looked_at) == {"unproved"}


def test_a_violation_that_skimming_saw_is_decided_before_broken_steps():
    """Many instances break a step and few the statement: those count, wherever they stand among the others."""

    def proof(case):
        yield mv.line("x", case.x)
        yield mv.at_most("-1", 0 * case.x - 1, because="wrong of nearly all")
        yield mv.at_most("40", 40 + 0 * case.x, because="true of nearly all")

    setting = mv.Setting("x", (mv.Table("x", lambda _: (), 0, 50),), agents=(1, 1), states=(1, 1), action_range=(1, 1))
    own = mv.Claim("mine", "title", "source", setting, proof)
    drawn = {"x": np.array([*range(10), 41], object)}
    verdicts = {
        int(i): v for where, e in skim(own, drawn, ONE) for i, v in zip(where, np.ravel(e.verdict), strict=True)
    }
    assert verdicts[10] is Verdict.VIOLATED and len(verdicts) == SUSPECTS


def test_what_enclosures_cannot_do_is_skipped_by_skimming_alone():
    """A rational function with an equality is left to the rationals: skimming counts nothing, and nothing is lost."""
    own = table_claim(lambda f: f * (f + 1), lambda f: f * f + f, mv.equal)
    drawn = draw(own.setting, ONE, 50, np.random.default_rng(0))
    assert [v for _, e in skim(own, drawn, ONE) for v in np.ravel(e.verdict)] == []
    assert mv.audit([own])["mine"].instances >= 300


def test_an_instance_counts_where_enclosures_decide_its_statement_although_a_step_is_an_equality():
    own = two_steps(lambda f: f * f, lambda f: f**2, lambda f: f**2 + 1)
    drawn = draw(own.setting, ONE, 50, np.random.default_rng(0))
    assert [v for _, e in skim(own, drawn, ONE) for v in np.ravel(e.verdict)] == [Verdict.HOLDS] * 50
    false = two_steps(lambda f: f * f, lambda f: f**2 + 2, lambda f: f**2 + 3)
    found = list(skim(false, drawn, ONE))
    assert [e.broken is not None for _, e in found] == [True], "a step that breaks is not counted, but decided"
    assert len(found[0][0]) == SUSPECTS


def two_steps(first, second, third):
    """``first(f) = second(f) ≤ third(f)``."""
    own = table_claim(first, second)

    def proof(case):
        yield mv.line("first", first(case.f))
        yield mv.equal("second", second(case.f), because="algebra")
        yield mv.at_most("third", third(case.f), because="more")

    return replace(own, proof=proof)


def test_instances_are_decided_in_rationals_where_enclosures_settle_few():
    tie = table_claim(lambda f: f / 3, lambda f: f * (1 / (f - f + 3)), mv.at_most)
    both = replace(tie, proof=lambda case: [*tie.proof(case), mv.line("f", case.f), mv.equal("f", case.f, because="f")])
    for own in (tie, both):
        drawn = draw(own.setting, ONE, 50, np.random.default_rng(0))
        found = list(skim(own, drawn, ONE))
        assert sum(len(chosen) for chosen, _ in found) == 50 and found[-1][1].arithmetic is RATIONALS
        assert all(verdict is Verdict.HOLDS for _, e in found for verdict in np.ravel(e.verdict))


def test_every_inequality_has_thousands_of_certified_instances(whole):
    """Also with equalities among its steps, with ties, with an equality beside it; identities keep those that are decided."""
    counts = {}
    for report in whole:
        setting = report.claim.setting
        if report.standing in (PROVED, SURVIVED) and setting.explore:
            sizes = sizes_of(setting)[0]
            drawn = draw(setting, sizes, 20, np.random.default_rng(0))
            relations = {s.relation for _, e in decide(report.claim, drawn, sizes) for s in e.statements}
            counts[report.id] = report.instances, bool(relations - {"="})
    assert sum(unequal for _, unequal in counts.values()) > 50
    assert {name for name, (count, unequal) in counts.items() if unequal and count < 5_000} == set()
    assert {name for name, (count, unequal) in counts.items() if not unequal and count > 400} == set()


# --- shrinking ------------------------------------------------------------------------------------------------------------------


def test_shrinking_keeps_the_violation_and_the_ranges():
    setting = mv.Setting("s", (mv.Table("f", lambda _: (3,), low=-9, high=-3),), states=(1, 2))

    def proof(case):
        yield mv.line("f", case.f)
        yield mv.at_most("-5", 0 * case.f - 5, because="said so")

    own = mv.Claim("mine", "t", "s", setting, proof)
    sizes, small = shrink(own, mv.Sizes(2, (2, 2)), {"f": np.array([-3, -9, -4])})
    assert sizes == ONE
    assert small["f"].min() >= -9 and small["f"].max() <= -3, f"{small} is no instance of the setting"
    assert mv.check(own, f=like(small["f"], RATIONALS)).violated


def test_shrinking_a_run_does_not_lengthen_it():
    """Among the smaller sizes are longer runs over fewer rows: their later steps are not at hand."""
    run = mv.Setting("a run", (Increments("u"),), steps=(1, 3), states=(1, 2), agents=(1, 1), action_range=(1, 2))

    def many(case):
        yield mv.line("|S| |A|", case.sizes.states * case.sizes.actions[0])
        yield mv.at_most("3", 3, because="planted")

    own = mv.Claim("mine", "t", "s", run, many)
    sizes, small = shrink(own, mv.Sizes(2, (2,)), {"u.0.1": np.array([[5, 7], [3, 2]])})
    assert sizes == mv.Sizes(2, (2,)) and small["u.0.1"].tolist() == [[1, 1], [1, 1]]
    sizes, small = shrink(own, mv.Sizes(2, (2,), 3), {f"u.{k}.1": np.array([[5, 7], [3, 2]]) for k in range(3)})
    assert sizes == mv.Sizes(2, (2,)) and list(small) == ["u.0.1"]


def test_shrinking_begins_anywhere_and_ends(monkeypatch):
    """Sizes that are on no list, and a budget of one step."""
    own = false_claim()
    sizes, small = shrink(own, mv.Sizes(7, (7,)), {"f": np.array([-9, -9])})
    assert sizes == ONE and np.abs(small["f"]).sum() == 2
    monkeypatch.setattr("mappo_verify.checking.shrink.MAX_ROUNDS", 1)
    monkeypatch.setattr("mappo_verify.checking.shrink.sizes_of", lambda _: ())
    sizes, small = shrink(own, mv.Sizes(7, (7,)), {"f": np.array([-9, -9])})
    assert sizes == mv.Sizes(7, (7,)) and 2 < np.abs(small["f"]).sum() < 18


def test_shrinking_a_game():
    """Some reward exceeds 2: one state, one action, reward 3, everything else as simple as it gets."""

    def proof(case):
        yield mv.line("r", case.game.reward)
        yield mv.at_most("2", like(2, case.system), because="said so")

    own = mv.Claim("mine", "t", "s", mv.Setting("a game", (mv.GameData("game"),)), proof)
    entry = mv.audit([own])["mine"]
    assert entry.witness.sizes == ONE
    assert entry.witness.coordinates["game.reward"].tolist() == [[3]]
    assert entry.margin == -1
    assert all(np.asarray(v).sum() <= 3 for v in entry.witness.coordinates.values())


# --- numbers --------------------------------------------------------------------------------------------------------------------


def test_numbers_as_text():
    assert number_text(None) == "-" and exact_text(None) is None
    assert number_text(flint.fmpq(-3, 4)) == exact_text(flint.fmpq(-3, 4)) == "-3/4"
    assert number_text(0.1234567891) == "0.123457"
    long = flint.fmpq(10**30 + 1, 3 * 10**30)
    assert number_text(long) == "≈ 0.333333" and exact_text(long) == str(long)
    assert 0 < len(number_text(flint.fmpq(10**400, 3))) < 40, "also beyond float64"


NUMERIC = [
    mv.errors.SingularError("no unique solution"),
    ZeroDivisionError("division by zero"),
]
MALFORMED = [
    IndexError("index 3 is out of bounds"),
    ValueError("operands could not be broadcast together"),
    TypeError("no number"),
    MixedArithmeticError("floats and balls meet"),
]


def raising(error, where=lambda _: True):
    """A claim whose proof raises on some cases, and else says that 0 ≤ 1."""

    def proof(case):
        if where(case):
            raise error
        yield mv.line("0", case.f * 0)
        yield mv.at_most("1", case.f * 0 + 1, because="said so")

    return replace(table_claim(0, 1, name="bad"), proof=proof)


@pytest.mark.parametrize("error", NUMERIC, ids=lambda error: type(error).__name__)
def test_a_claim_that_raises_is_reported_and_does_not_end_the_audit(error):
    """What an instance's numbers raise leaves the claim open and unexpected, and the others are still tried."""
    report = mv.audit([raising(error), "definition-3.2/no-discount"])
    bad = report["bad"]
    assert bad in report.unexpected and bad.standing is mv.Standing.OPEN and not bad.instances
    assert f"instances raised {type(error).__name__}: {error}" in bad.how and "say by a Hypothesis" in bad.how
    assert report["definition-3.2/no-discount"].expected


@pytest.mark.parametrize("error", MALFORMED, ids=lambda error: type(error).__name__)
def test_a_malformed_proof_ends_the_audit_with_its_file_and_line(error):
    named = (
        "" if isinstance(error, MappoVerifyError) else f"{type(error).__name__}: "
    )  # ours say themselves what is wrong
    with pytest.raises(ClaimError, match=rf"claim bad: {named}{error} \(test_audit.py:\d+, before its first line\)"):
        mv.audit([raising(error)])


def test_a_claim_that_raises_in_symbols_only():
    """A formula that symbols cannot compute hinders the proof, and nothing else: no sign tells that (f + 1)² + 1 > 0."""
    bad = table_claim(lambda f: 0 * f, lambda f: mv.log(f * f + 2 * f + 2), name="bad", symbolic=(ONE,), record=PROVED)
    report = mv.audit([bad])["bad"]
    assert not report.expected and report.standing is SURVIVED
    assert "not proved: log(f_0^2 + 2*f_0 + 2) needs a positive number" in report.how


def test_a_claim_that_raises_in_one_system_only(monkeypatch):
    """What enclosures cannot compute, the rationals decide."""
    asked = []

    def no_enclosure(*_):
        asked.append(1)
        raise ZeroDivisionError("no enclosure")

    monkeypatch.setattr(Enclosures, "maximum", no_enclosure)
    report = mv.audit([table_claim(lambda f: f, lambda f: maximum(f, 0 * f))])["mine"]
    assert asked
    assert report.expected and report.standing is SURVIVED and report.how == "every instance holds (exact)"


def test_a_claim_that_raises_on_a_game():
    def raises(error):
        def proof(_):
            raise error
            yield

        return replace(find("section-3.1"), proof=proof, id="bad")

    bad = raises(ZeroDivisionError("division by zero"))
    report = mv.audit([bad, "lemma-b.3/zero-mean"], game=mv.named_game("climbing"))
    assert not report["bad"].expected and report["bad"].standing is mv.Standing.OPEN
    assert "bad raised ZeroDivisionError: division by zero" in report["bad"].how
    assert report["lemma-b.3/zero-mean"].expected
    with pytest.raises(ClaimError, match="claim bad: IndexError: index 3 is out of bounds"):
        mv.audit([raises(IndexError("index 3 is out of bounds"))], game=mv.named_game("climbing"))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)], ids=lambda error: type(error).__name__)
def test_who_wants_to_stop_can(error):
    with pytest.raises(type(error)):
        mv.audit([raising(error)])


def test_a_malformed_claim_ends_the_audit():
    with pytest.raises(ClaimError, match="nothing to stand on"):
        mv.audit([replace(raising(None), proof=lambda _: iter((mv.at_most("1", 1, because="said so"),)))])


# --- several processes ------------------------------------------------------------------------------------------------


def told(report):
    """What a report says, without the seconds that it took."""
    searches = [{**(entry["searched"] or {}), "seconds": 0} for entry in audit_document(report)["claims"]]
    claims = [
        {**entry, "seconds": 0, "searched": s}
        for entry, s in zip(audit_document(report)["claims"], searches, strict=True)
    ]
    return {**audit_document(report), "seconds": 0, "claims": claims}


def test_the_report_does_not_depend_on_the_number_of_workers():
    names = ["lemma-b.1/printed-range", "lemma-4.1/stationary", true_claim(), "lemma-d.4/coefficient-one"]
    alone, shared = mv.audit(names), mv.audit(names, workers=2)
    assert told(alone) == told(shared)
    assert shared.claims[0].claim is find("lemma-b.1/printed-range")
    assert shared.claims[0].witness.evidence.violated


def test_a_claim_of_ones_own_with_the_id_of_another_keeps_its_own_verdict():
    own = false_claim("lemma-c.3/marginals")
    report = mv.audit([own, "lemma-c.3/marginals", "section-3.1/stationary"], workers=2)
    assert [(entry.claim is own, entry.standing) for entry in report.claims] == [
        (True, REFUTED),
        (False, PROVED),
        (False, PROVED),
    ]


def test_a_claim_whose_worker_dies_is_audited_here(monkeypatch):
    class Dying(Executor):
        def submit(self, *_, **__):
            future = Future()
            future.set_exception(BrokenExecutor("killed"))
            return future

    monkeypatch.setattr(campaign, "local", lambda _: Dying())
    report = mv.audit(["lemma-b.3/zero-mean-intervention", "lemma-c.3/marginals"], workers=2)
    assert [entry.standing for entry in report.claims] == [REFUTED, PROVED]


def test_every_ball_arrives():
    with precision(300):
        ball = flint.arb(2).log()
    balls = [ball, flint.arb("inf"), flint.arb("-inf"), flint.arb("nan"), flint.arb("0.1"), flint.arb(0, "inf")]
    back = unpacked(packed(balls))
    assert [b.is_finite() for b in back] == [b.is_finite() for b in balls]
    for sent, arrived in zip(balls, back, strict=True):
        if not sent.is_finite():
            assert sent.repr() == arrived.repr()
            continue
        assert arrived.mid().man_exp() == sent.mid().man_exp()  # to the last of 300 bits
        assert sent.rad() <= arrived.rad() and arrived.rad() <= sent.rad() * (1 + flint.arb(2) ** -28)


def test_a_worker_puts_one_claim_on_trial_although_its_id_means_all_parts(monkeypatch):
    put_on_trial, original = [], campaign._campaign
    monkeypatch.setattr(
        campaign, "_campaign", lambda claim, *rest: put_on_trial.append(claim.id) or original(claim, *rest)
    )
    assert unpacked(campaign._packed_report("lemma-c.7", "quick", 0, None, True)).id == "lemma-c.7"
    assert put_on_trial == ["lemma-c.7"]


def test_no_workers_are_refused():
    with pytest.raises(ClaimError, match="workers = 0"):
        mv.audit(["equation-1"], workers=0)
