"""How a claim is put on trial here: draw an instance, run the executable proof on it, read the verdict.

A claim that is recorded as true must hold on every instance, statement and proof alike.  One that is recorded as refuted must
fail somewhere, and Hypothesis shrinks where.
"""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import find as search
from hypothesis import given, settings
from hypothesis.errors import NoSuchExample, Unsatisfiable

import mappo_verify as mv
from mappo_verify.arithmetic import System
from mappo_verify.checking.evaluate import certify
from mappo_verify.checking.reports import ClaimReport
from mappo_verify.checking.strategies import cases
from mappo_verify.claims.case import Case

RARE = {
    "abstract-rate",
    "lemma-b.1/path-wise",
    "lemma-b.1/printed-range",
    "definition-3.1/conditional-readings",
    "lemma-b.3/zero-mean-intervention",
    "lemma-b.4/factor-two",
    "lemma-c.2/realizable",
    "lemma-c.3/all-agents",
    "section-c.1/constrained",
    "theorem-4.5/i",
    "theorem-4.5/ii",
    "theorem-4.5/wider-steps",
    "theorem-5.5/one-agent",
    "theorem-5.5/two-agents",
    "theorem-d.7",
}
"""Claims whose counterexamples are rare, or slow to be made small: the audit's own search must find one."""


def put_on_trial(claim: mv.Claim) -> None:
    """What the registry records must be what happens."""
    if claim.record is mv.Standing.REFUTED:
        assert (searched(claim.id) if claim.id in RARE else drawn(claim)).violated
    elif claim.experiment is not None:
        supported_by_samples(claim.id)
    elif claim.record is mv.Standing.OPEN:
        open_but_unopposed(claim.id)
    else:
        holds(claim)


def certified(claim: mv.Claim, case: Case) -> mv.Evidence:
    """Evidence in rationals, or in balls of growing precision where the formula leaves the rationals."""

    def build(system: System) -> Case:
        return case if system is System.RATIONALS else case.to(system)

    return certify(claim, build)


def holds(claim: mv.Claim) -> None:
    """Every instance that meets the hypotheses satisfies the statement and every step of its proof."""
    seen = dict.fromkeys(mv.Verdict, 0)

    @given(cases(claim.setting))
    def trial(case: Case) -> None:
        evidence = certified(claim, case)
        seen[evidence.verdict] += 1
        allowed = (mv.Verdict.HOLDS, mv.Verdict.NOT_APPLICABLE)
        if evidence.arithmetic is System.BALLS:  # an exact tie (0 ≤ 0, say) stays open in balls
            allowed += (mv.Verdict.UNDECIDED,)
        assert evidence.verdict in allowed, evidence
        assert evidence.broken is None, evidence.broken

    trial()
    assert seen[mv.Verdict.HOLDS] >= 5, f"too few instances met the hypotheses to say anything: {seen}"


def drawn(claim: mv.Claim) -> mv.Evidence:
    """The evidence of a violated instance that Hypothesis draws and shrinks."""
    try:
        case = search(
            cases(claim.setting),
            lambda candidate: certified(claim, candidate).verdict is mv.Verdict.VIOLATED,
            settings=settings(max_examples=2_000, deadline=None, derandomize=True, database=None),
        )
    except (NoSuchExample, Unsatisfiable):
        pytest.fail(f"{claim.id} is recorded as refuted, but no counterexample was found")
    return certified(claim, case)


@cache
def audited(claim_id: str) -> ClaimReport:
    """What the audit reports of one claim."""
    return mv.audit([claim_id])[claim_id]


def searched(claim_id: str) -> mv.Evidence:
    """The evidence of the violated instance that the audit's own search finds."""
    witness = audited(claim_id).witness
    assert witness is not None, f"{claim_id} is recorded as refuted, but the audit found no counterexample"
    return witness.evidence


def open_but_unopposed(claim_id: str) -> None:
    """An equality that balls cannot certify: nothing is decided against it."""
    report = audited(claim_id)
    assert report.standing is mv.Standing.OPEN and report.undecided > 0


def supported_by_samples(claim_id: str) -> None:
    """Samples cover as often as claimed, and at the claimed rate, with 99 % confidence."""
    report = audited(claim_id)
    assert report.standing is mv.Standing.SUPPORTED, report.how
    assert report.statistics is not None and report.statistics.supported
