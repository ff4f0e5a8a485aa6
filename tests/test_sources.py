"""Where the numbers of a line come from, told by the source of the proof."""

from __future__ import annotations

import pytest

import mappo_verify as mv
from mappo_verify.checking.explain import explain
from mappo_verify.checking.sources import Source, sources_of
from mappo_verify.claims.registry import CLAIMS, claim
from mappo_verify.quantities.values import returns, state_values


def names_of(name, seed=0):
    found, evidence, _ = explain(name, seed=seed)
    return [tuple(q.name for q in source.quantities) for source in sources_of(found, evidence)]


def test_each_line_has_its_own_quantities():
    first, *_, last = names_of("lemma-4.1")
    assert first == ("returns",) and last == ("return_difference",)
    lines = names_of("section-3.1")
    assert lines[:3] == [
        ("state_values",),
        ("induced_reward", "induced_transition", "state_values"),
        ("action_values",),
    ]  # though one assignment makes values, action values and visits at once


def test_helpers_methods_and_derived_ingredients_are_followed():
    evidence = mv.audit(["theorem-4.5/ii"])["theorem-4.5/ii"].witness.evidence
    left, right = (tuple(q.name for q in s.quantities) for s in sources_of(claim("theorem-4.5/ii"), evidence))
    assert "returns" in left and "kl_divergence" not in left
    assert {"propagation", "residual", "Update.delta_upper", "Update.delta_lower"} <= set(right)


def test_a_quantity_says_what_it_is():
    found, evidence, _ = explain("lemma-4.1")
    (quantity,) = sources_of(found, evidence)[0].quantities
    assert (quantity.name, quantity.module) == (returns.__name__, returns.__module__)
    assert quantity.about == "J_ρ(π) = Σ_s ρ(s) V_π(s)"


@pytest.mark.parametrize(
    "entry", [c for c in CLAIMS if c.record is not mv.Standing.REFUTED], ids=lambda entry: entry.id
)
def test_there_is_one_list_for_each_line(entry):
    found, evidence, _ = explain(entry)
    assert len(sources_of(found, evidence)) == len(evidence.lines)


GAME = mv.Setting("a game and a policy", (mv.GameData("game"), mv.PolicyData("policy")))


def helper(case):
    return state_values(case.game, case.policy)


def own_proof(case):
    for values in (helper(case),):
        unused = mv.advantages(case.game, case.policy)
        del unused
        total: object = 0 * values
        total += values
        yield mv.line("V", (same := total))
    yield mv.equal("V again", same, because="the same")
    yield mv.equal("V + 0", values + mv.like(0, mv.advantages(case.game, case.policy)).sum(), because="0 adds nothing")


def test_a_proof_of_ones_own_and_its_helpers():
    game = mv.named_game("two-step")
    own = mv.Claim("mine", "t", "s", GAME, own_proof)
    evidence = mv.check(own, game=game, policy=mv.Policy.uniform(game))
    found = [tuple(q.name for q in source.quantities) for source in sources_of(own, evidence)]
    assert found == [("state_values",)] * 3


def test_without_source_nothing_is_said():
    scope = {"line": mv.line, "equal": mv.equal, "state_values": state_values}
    exec(
        "def proof(case):\n"
        "    yield line('V', state_values(case.game, case.policy))\n"
        "    yield equal('V', state_values(case.game, case.policy), because='itself')\n",
        scope,
    )
    game = mv.named_game("two-step")
    own = mv.Claim("mine", "t", "s", GAME, scope["proof"])
    evidence = mv.check(own, game=game, policy=mv.Policy.uniform(game))
    assert sources_of(own, evidence) == [Source(), Source()]


def test_nothing_is_said_where_hypotheses_fail():
    game = mv.named_game("shared-parameter:2")
    found, evidence, _ = explain("definition-4.4", game)
    assert evidence.verdict is mv.Verdict.NOT_APPLICABLE and sources_of(found, evidence) == []
