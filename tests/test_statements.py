"""One verdict for every statement: the law, and the statements of the paper."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, floats_of
from mappo_verify.checking.certificate import certificate_of
from mappo_verify.checking.statements import MEANINGS, Finding, extent_text, finding_of, statement_of, statements_of
from mappo_verify.claims.claim import Kind
from mappo_verify.claims.verdict import Standing
from mappo_verify.games.offline import theorem_5_5_two_agents
from mappo_verify.model.agents import joint_index
from mappo_verify.papers.local_optimization import appendix_d_theorem
from mappo_verify.papers.local_optimization.appendix_d_theorem import LEAST_GAP, LOST_BY_ONE
from mappo_verify.papers.registry import CLAIMS, PAPERS
from mappo_verify.quantities.online_learning import optimisation_bound
from mappo_verify.report.mathematics import pieces

STATEMENTS = {statement.id: statement for paper in PAPERS for statement in paper.statements}
P, R, H = Kind.PRINTED, Kind.READING, Kind.HYPOTHESIS


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ([(P, Standing.PROVED)], Finding.PROVED),
        ([(P, Standing.PROVED), (P, Standing.SURVIVED)], Finding.HELD),
        ([(P, Standing.SURVIVED), (P, Standing.SUPPORTED)], Finding.SUPPORTED),
        ([(P, Standing.PROVED), (P, Standing.UNTESTED)], Finding.UNTESTED),
        ([(P, Standing.PROVED), (P, Standing.OPEN)], Finding.OPEN),
        ([(P, Standing.PROVED), (P, Standing.REFUTED)], Finding.FALSE),
        ([(P, Standing.PROVED), (R, Standing.REFUTED)], Finding.PROVED),
        ([(P, Standing.PROVED), (H, Standing.REFUTED)], Finding.NEEDS),
        ([(P, Standing.REFUTED), (H, Standing.REFUTED)], Finding.FALSE),
        ([(P, Standing.PROVED), (H, Standing.PROVED)], Finding.PROVED),
        ([(H, Standing.REFUTED)], Finding.NEEDS),
        ([(R, Standing.PROVED)], Finding.UNTESTED),
        ([], Finding.UNTESTED),
    ],
)
def test_the_law_of_a_statement(parts, found):
    assert {finding_of(order) for order in itertools.permutations(parts)} == {found}


def test_a_part_that_was_not_tried_proves_nothing():
    assert finding_of([(P, Standing.PROVED)], untried=1) is Finding.HELD
    assert finding_of([(P, Standing.REFUTED)], untried=1) is Finding.FALSE


def negative(name):
    """A false claim of somebody's own under this id."""

    def proof(case):
        yield mv.line("x", case.x)
        yield mv.at_most("-1", -1, because="one hopes so")

    one = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}
    return mv.Claim(name, "Mine", "nobody", mv.Setting("a number", (mv.Table("x", lambda _: ()),), **one), proof)


def test_a_claim_of_ones_own_says_nothing_of_the_paper_whatever_its_id():
    """Neither in the verdicts on statements, nor in the standings by id, nor where its certificate is read."""
    for name in ("lemma-4.1", "lemma-4.1/mine"):
        found = mv.audit([negative(name), "lemma-4.1/stationary"], corpus=False)
        own, papers = sorted(statements_of(found), key=lambda entry: entry.of_paper)
        assert own.finding is Finding.FALSE and "printed" not in own.words and own.statement.title == "Mine"
        assert papers.of_paper and papers.finding is Finding.HELD
        assert found.standings["lemma-4.1"] is Standing.PROVED
    certificate = certificate_of(negative("lemma-4.1"), mv.Sizes(1, (1,)), {"x": 0})
    assert "kind:     as its author states it" in mv.recheck(certificate, negative("lemma-4.1")).text()
    assert not mv.recheck(certificate).valid


@pytest.mark.parametrize("kind", [Kind.READING, Kind.REPAIR, Kind.BEYOND, Kind.SIMULATION])
@pytest.mark.parametrize("standing", list(Standing))
def test_what_the_paper_does_not_print_never_counts(kind, standing):
    for printed in Standing:
        assert finding_of([(P, printed), (kind, standing)]) is finding_of([(P, printed)])


def test_every_finding_is_explained():
    assert set(MEANINGS) == set(Finding)


def test_every_printed_claim_belongs_to_a_statement_in_paper_order():
    parents = [c.parent for c in CLAIMS if c.kind in (Kind.PRINTED, Kind.HYPOTHESIS)]
    assert set(parents) == set(STATEMENTS)
    assert len({statement.name for statement in STATEMENTS.values()}) == len(STATEMENTS)


def test_every_part_knows_its_statement():
    for claim in CLAIMS:
        if claim.kind in (Kind.PRINTED, Kind.HYPOTHESIS):
            assert statement_of(claim) is STATEMENTS[claim.parent]
    assert statement_of(mv.Claim("mine", "Mine", "nowhere", CLAIMS[0].setting, iter)) is None


def test_what_does_not_stand_says_why_and_answers_a_defender():
    for statement in STATEMENTS.values():
        found = finding_of((c.kind, c.record) for c in CLAIMS if c.parent == statement.id)
        fallen = found in (Finding.FALSE, Finding.NEEDS)
        assert bool(statement.why) == bool(statement.answer) == fallen, statement.id
        assert not fallen or "defender" in statement.answer
    assert "79.9" in STATEMENTS["theorem-4.5"].answer


def test_statements_of_an_audit_fold_their_parts():
    report = mv.audit(["lemma-b.4", "section-e/score", "section-e/value", "monotone-improvement"])
    lemma, section = statements_of(report)
    assert (lemma.statement.name, lemma.words) == ("Lemma B.4", "false as printed, with a repair")
    assert [part.id for part in lemma.fallen] == ["lemma-b.4"] and lemma.smallest is lemma.fallen[0]
    assert [part.id for part in lemma.remarks] == ["lemma-b.4/factor-two"]
    assert [part.id for part in lemma.repairs] == ["lemma-b.4/repaired"]
    assert section.finding is Finding.HELD and "1 of 2 parts not tried" in section.words
    assert [part.id for part in section.remarks] == ["section-e/score"]


def test_own_claims_are_statements_without_a_paper():
    setting = mv.Setting("a game", (mv.GameData("game"),))

    def proof(case):
        yield mv.line("0", case.game.reward.sum(-1) * 0)
        yield mv.at_least("1", case.game.reward.sum(-1) * 0 + 1, because="it is wrong")

    (found,) = statements_of(mv.audit([mv.Claim("mine/part", "Mine", "nowhere", setting, proof)]))
    assert (found.statement.name, found.words) == ("mine", "false")


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=lambda statement: statement.id)
def test_what_is_said_of_a_statement_can_be_typeset(statement):
    for text in (statement.title, statement.why, statement.yet, statement.answer):
        assert not text or "Lemma" not in "".join(p.text for p in pieces(text) if p.kind == "math")


def test_the_smallest_of_runs_tells_its_length():
    report = mv.audit(["theorem-4.5/i", "theorem-4.5/ii-any-constant"])
    (found,) = statements_of(report)
    assert found.smallest is not None and found.smallest.id == "theorem-4.5/i"
    assert "steps" in extent_text(found.smallest.witness.evidence)


# --- facts in the answers, computed ------------------------------------------------------------------------------------


def certificate(name):
    return mv.read_certificate(Path(__file__).parents[1] / "certificates" / f"{name}.json")


def test_the_gap_of_theorem_d7_is_at_least_what_is_said():
    """Agent 1 begins evenly and is drawn to action 1, which loses 1/6; so the mean gap is at least half of that."""
    game = theorem_5_5_two_agents().game
    even = mv.Policy.uniform(game)
    wrong = np.zeros(game.states, int)
    wrong[0] = joint_index((1, 0), game.action_sizes)
    gaps = [mv.returns(game, p) for p in (mv.optimal(game).policy, mv.Policy.deterministic(game, wrong), even)]
    assert [str(gaps[0] - gap) for gap in gaps[1:]] == [str(LOST_BY_ONE), str(LEAST_GAP)]
    for steps in (1, 2, 50):
        assert floats_of(appendix_d_theorem._mean_gap(steps, System.BALLS)) >= float(LEAST_GAP)
    assert f"at least {LEAST_GAP} for every K" in STATEMENTS["theorem-d.7"].answer


def test_the_constant_of_theorem_55_is_what_is_said():
    """``2√2 √(log 2/K)/(1-γ)²``, from the bound that the claims use."""
    for horizon in (1, 3):
        bound = optimisation_bound(np.array(float(horizon)), 4, (2,))
        assert float(bound) == pytest.approx(2 * math.sqrt(2) * horizon**2 * math.sqrt(math.log(2) / 4))
    assert "the proof's constant 2√2" in STATEMENTS["theorem-5.5"].answer


def test_sizes_in_answers_are_those_of_the_certificates():
    completeness = certificate("section-c.2-completeness")
    assert completeness.action_sizes == [1]
    assert "one agent, one action and one feature" in STATEMENTS["section-c.2"].answer
    one, two = certificate("theorem-5.5-one-agent"), certificate("theorem-5.5-two-agents")
    assert (len(one.action_sizes), len(two.action_sizes)) == (1, 2)
    assert certificate("lemma-b.1-printed-range").steps == 1 and "bound at T = 1" in STATEMENTS["lemma-b.1"].why
