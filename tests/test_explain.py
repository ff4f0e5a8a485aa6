"""Walk-throughs: which case is shown, and how."""

from __future__ import annotations

import sys
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

import mappo_verify as mv
from mappo_verify.arithmetic import System, like
from mappo_verify.checking.explain import explain
from mappo_verify.errors import ClaimError, MappoVerifyError
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.papers.registry import claim as find
from mappo_verify.report.terminal import explanation, values_text


def text_of(*found):
    out = StringIO()
    Console(file=out, width=240).print(explanation(*found))
    return out.getvalue()


@pytest.mark.parametrize("name", [claim.id for claim in CLAIMS])
def test_every_claim_can_be_explained(name, monkeypatch):
    monkeypatch.setattr(sys.modules[explain.__module__], "COMPARED", 2)  # any instance will do
    claim, evidence, subject = explain(name)
    assert claim.id == name
    if claim.record is mv.Standing.REFUTED:
        assert evidence.violated and subject.startswith("the smallest counterexample found")
    else:
        open_in_balls = evidence.verdict is mv.Verdict.UNDECIDED and evidence.arithmetic is System.BALLS
        assert evidence.verdict is mv.Verdict.HOLDS or open_in_balls
        assert evidence.broken is None
        assert subject.startswith("a drawn instance")
    text = text_of(claim, evidence, subject)
    assert claim.title in text and evidence.verdict.value.upper() in text
    for entry in evidence.lines:
        assert entry.expression in text


def test_on_a_game_the_optimal_policy_meets_the_uniform_one():
    game = mv.named_game("two-step")
    claim, evidence, subject = explain("lemma-4.1", game)
    assert subject == "two-step" and evidence.verdict is mv.Verdict.HOLDS
    gain = mv.optimal(game).values[0] - mv.returns(game, mv.Policy.uniform(game))
    assert all(entry.value == gain for entry in evidence.lines)
    text = text_of(claim, evidence, subject)
    assert "13/4  ≈ 3.25" in text and "✓ lemma-b.3: A^{1:N} is the sum of the A^m" in text


def test_a_counterexample_shows_the_line_that_breaks():
    text = text_of(*explain("lemma-b.3/zero-mean-intervention"))
    assert "✗ broken here" in text and "VIOLATED (rationals): the statement fails by 1/4" in text


@pytest.mark.parametrize("name", ["definition-3.1", "lemma-b.3", "section-3.1/optimal", "definition-4.4"])
@pytest.mark.parametrize("game", ["ratio", "random:3x2x2:1", "shared-parameter:2"])
def test_explaining_on_games(name, game):
    claim, evidence, subject = explain(name, mv.named_game(game))
    assert evidence.verdict in (mv.Verdict.HOLDS, mv.Verdict.NOT_APPLICABLE) and subject
    text = text_of(claim, evidence, subject)
    if evidence.verdict is mv.Verdict.NOT_APPLICABLE:
        assert "hypothesis not met" in text


def test_a_claim_that_says_nothing_about_games():
    with pytest.raises(MappoVerifyError, match="it is not about a game"):
        explain("proposition-4.2", mv.named_game("climbing"))
    with pytest.raises(ClaimError, match=r"did you mean lemma-4\.1"):
        explain("lemma-41")


def test_a_batch_is_summed_up():
    games = mv.random_game(2, (2,), batch=(3,))
    evidence = mv.check("lemma-b.3", game=games, policy=mv.Policy.uniform(games))
    assert "3 instances" in text_of(find("lemma-b.3"), evidence, "a batch")


def test_seeds():
    one, same, other = (explain("lemma-4.1", seed=seed)[1] for seed in (1, 1, 2))
    assert one.lines[0].value == same.lines[0].value != other.lines[0].value


def test_a_claim_of_ones_own():
    setting = mv.Setting("s", (mv.Table("f", lambda _: (2,)),))

    def proof(case):
        yield mv.line("f", case.f)
        yield mv.at_most("f²", case.f * case.f, because="f is an integer")

    claim, evidence, subject = explain(mv.Claim("mine", "Squares", "folklore", setting, proof))
    assert claim.id == "mine" and evidence.verdict is mv.Verdict.HOLDS and "drawn instance" in subject


def test_hypotheses_that_nothing_meets():
    never = mv.Hypothesis("never", lambda case: case.f[0] != case.f[0])
    setting = mv.Setting("s", (mv.Table("f", lambda _: (2,)),), (never,))

    def proof(case):
        yield mv.line("f", case.f)
        yield mv.equal("f", case.f, because="itself")

    found = explain(mv.Claim("mine", "t", "s", setting, proof))
    assert found[1].verdict is mv.Verdict.NOT_APPLICABLE
    assert "? hypothesis: never" in text_of(*found) and "hypothesis not met: never" in text_of(*found)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError(2), r"claim mine: KeyError: 2 \(test_explain.py:\d+, after the line 'f'\)"),
        (ZeroDivisionError("no"), r"mine raised ZeroDivisionError: no \(nothing to explain, after the line 'f'\)"),
    ],
    ids=["malformed", "numeric"],
)
def test_a_proof_that_raises_is_named_with_the_line_reached(error, text):
    def proof(case):
        yield mv.line("f", case.f)
        raise error

    claim = mv.Claim("mine", "t", "s", mv.Setting("s", (mv.Table("f", lambda _: (2,)),)), proof)
    with pytest.raises(ClaimError, match=text) as caught:
        explain(claim)
    assert caught.value.__cause__ is error


def test_a_recorded_refutation_that_is_none_falls_back_to_an_instance():
    setting = mv.Setting("s", (mv.Table("f", lambda _: (2,)),))

    def proof(case):
        yield mv.line("f", case.f)
        yield mv.equal("f", case.f, because="itself")

    claim = mv.Claim("mine", "t", "s", setting, proof, record=mv.Standing.REFUTED)
    assert explain(claim)[1].verdict is mv.Verdict.HOLDS


@pytest.mark.parametrize(
    ("values", "where", "text"),
    [
        (like([1, 2], System.RATIONALS) / 3, None, "[1/3, 2/3]"),
        (np.arange(10.0), None, "[0, 1, 2, 3, 4, 5, 6, 7, ... 10 entries, shape [10]]"),
        (np.arange(3.0), np.array([True, False, True]), "[0, 2]"),
        (np.arange(3.0), np.zeros(3, bool), "(nothing to compare here)"),
        (like(1, System.RATIONALS) / 3, None, "1/3  ≈ 0.333333"),
        (like(7, System.RATIONALS), None, "7"),
    ],
)
def test_numbers_as_people_read_them(values, where, text):
    assert values_text(values, where) == text


def test_numbers_beyond_float64_can_be_shown():
    assert values_text(like(10**400, System.RATIONALS) / 3)


def calls_three_quantities(case):
    """One before its first line, one between lines, one in a line that is a function."""
    values = mv.state_values(case.game, case.policy)
    yield mv.line("V", values)
    yield mv.equal("V again", values * 1, because="the same numbers")
    advantages = mv.quantities.advantages(case.game, case.policy)
    yield mv.at_most(
        "max Q",
        lambda: mv.largest(mv.action_values(case.game, case.policy)) + 0 * advantages.sum(-1),
        because="a mean is at most the largest",
    )


def test_lines_say_which_quantities_they_called():
    """Those that the line itself called, and not what these call in turn."""
    setting = mv.Setting("a game and a policy", (mv.GameData("game"), mv.PolicyData("policy")))
    own = mv.Claim("mine", "title", "nowhere", setting, calls_three_quantities)
    found = explain(own)
    lines = [entry.computed_by for entry in found[1].lines]
    assert lines == [("state_values",), (), ("advantages", "action_values")]
    assert "computed by" not in text_of(*found)
    out = StringIO()
    Console(file=out, width=240).print(explanation(*found, computed=True))
    assert "computed by advantages, action_values" in out.getvalue()
