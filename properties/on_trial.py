"""How a claim is put on trial here: draw an instance, run the executable proof on it, read the verdict.

A claim that holds must hold on every instance, statement and proof alike.  A claim that fails must fail somewhere, and
Hypothesis shrinks where.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis.errors import NoSuchExample, Unsatisfiable

import mappo_verify as mv
from mappo_verify.arithmetic import System
from mappo_verify.checking.evaluate import certify
from mappo_verify.checking.strategies import cases
from mappo_verify.claims.settings import Case
from mappo_verify.papers.registry import claim as find


def certified(claim: mv.Claim, case: Case) -> mv.Evidence:
    """Evidence in rationals, or in balls of growing precision where the formula leaves the rationals."""

    def build(system: System) -> Case:
        return case if system is System.RATIONALS else case.to(system)

    return certify(claim, build)


def holds(claim_id: str) -> None:
    """Every instance that meets the hypotheses satisfies the statement and every step of its proof."""
    claim = find(claim_id)
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


def falls(claim_id: str) -> mv.Evidence:
    """The audit's own search finds a violated instance of a claim whose counterexamples are too rare to draw blindly."""
    witness = mv.audit([claim_id])[claim_id].witness
    assert witness is not None, f"{claim_id} is recorded as refuted, but the audit found no counterexample"
    assert witness.evidence.violated
    return witness.evidence


def open_but_unopposed(claim_id: str) -> None:
    """An equality that balls cannot certify: nothing is decided against it."""
    report = mv.audit([claim_id])[claim_id]
    assert report.standing is mv.Standing.SUPPORTED and report.undecided > 0


def supported(claim_id: str) -> None:
    """Samples cover as often as claimed, and at the claimed rate, with 99 % confidence."""
    report = mv.audit([claim_id])[claim_id]
    assert report.standing is mv.Standing.SUPPORTED, report.how
    assert report.statistics is not None and report.statistics.supported


def fails(claim_id: str) -> mv.Evidence:
    """Some instance violates the statement; the one that Hypothesis shrinks to is returned."""
    from hypothesis import find as search

    claim = find(claim_id)
    try:
        case = search(
            cases(claim.setting),
            lambda drawn: certified(claim, drawn).verdict is mv.Verdict.VIOLATED,
            settings=settings(max_examples=2_000, deadline=None, derandomize=True, database=None),
        )
    except (NoSuchExample, Unsatisfiable):
        pytest.fail(f"{claim_id} is recorded as refuted, but no counterexample was found")
    evidence = certified(claim, case)
    assert evidence.violated
    return evidence
