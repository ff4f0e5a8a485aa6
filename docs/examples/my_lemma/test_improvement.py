"""The verdicts, kept: what is believed must survive, what is false must stay refuted."""

from pathlib import Path

import improvement
from hypothesis import given, settings
from hypothesis import strategies as st

import mappo_verify as mv
from mappo_verify.checking.strategies import cases

FALSE, TRUE = improvement.CLAIMS
CERTIFICATE = Path(__file__).with_name("improvements-add-up.json")


def test_the_counterexample_is_still_one():
    """Recomputed from its integers; nothing in the file is trusted."""
    result = mv.recheck(mv.read_certificate(CERTIFICATE), FALSE)
    assert result.valid, result.reason


def test_the_search_finds_a_counterexample():
    assert mv.falsify(FALSE).standing is mv.Standing.REFUTED


def test_the_repaired_lemma_survives():
    report = mv.audit([TRUE])[TRUE.id]
    assert report.standing is mv.Standing.SURVIVED and report.broken is None
    assert report.instances >= 50, (
        "too few instances met the hypotheses to mean anything"
    )


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_the_repaired_lemma_holds_on_what_hypothesis_draws(data):
    case = data.draw(cases(TRUE.setting))
    evidence = mv.check(TRUE, **case.plain())
    assert evidence.verdict in (mv.Verdict.HOLDS, mv.Verdict.NOT_APPLICABLE)
