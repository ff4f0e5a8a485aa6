"""Claims on one given game: which policies are tried, what is skipped, small games exactly and large ones in balls."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, like
from mappo_verify.checking import on_game
from mappo_verify.checking.on_game import EXACT_STATES, case_on_game
from mappo_verify.errors import MappoVerifyError
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.papers.registry import claim as find

RATIONALS = System.RATIONALS
SMALL = ("climbing", "penalty:-30", "two-step", "shared-parameter:4", "ratio", "random:3x2x2:7", "random:2x2x1x2")


def endless(discount=1):
    """Like DecTiger: γ = 1 and nothing ever terminates."""
    transition = [[[0, 1], [1, 0]], [[1, 0], [0, 1]]]
    return mv.Game(
        like(transition, RATIONALS),
        like([[1, 0], [0, 1]], RATIONALS),
        like(discount, RATIONALS),
        (2,),
        start=like([1, 0], RATIONALS),
        name="endless",
    )


def ring(states=EXACT_STATES + 6, discount=Fraction(9, 10)):
    """More states than are treated exactly; agent 1 walks on, agent 2 earns; a tenth of every row terminates."""
    transition = np.zeros((states, 4, states), int)
    for s in range(states):
        for a in range(4):
            transition[s, a, (s + 1 + a // 2) % states] = 9
    reward = np.tile([0, 1, 0, 2], (states, 1)) * (1 + np.arange(states) % 3)[:, None]
    start = np.zeros(states, int)
    start[0] = 1
    return mv.Game(
        like(transition, RATIONALS) / 10,
        like(reward, RATIONALS),
        like(discount, RATIONALS),
        (2, 2),
        start=like(start, RATIONALS),
        name="ring",
    )


# --- small games --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL)
def test_named_games(name):
    """All claims on two games, on the others a third of them each."""
    place = SMALL.index(name)
    chosen = CLAIMS if name in ("two-step", "random:3x2x2:7") else {*CLAIMS[place % 3 :: 3], find("lemma-4.1")}
    report = mv.audit(chosen, game=mv.named_game(name))
    assert report.game.startswith(name.split(":")[0]) and report.unexpected == ()
    assert len(report.claims) + len(report.skipped) == len(chosen)
    for entry in report:
        assert entry.proofs == () and entry.standing is not mv.Standing.PROVED
        if entry.standing is mv.Standing.REFUTED:
            assert entry.claim.record is mv.Standing.REFUTED and entry.margin < 0
        if entry.standing is mv.Standing.SURVIVED:
            assert entry.instances > 0 and entry.how.startswith("every ")
        if entry.standing is mv.Standing.UNTESTED:
            assert entry.instances == 0 and entry.not_applicable > 0
    assert report["lemma-4.1"].standing is mv.Standing.SURVIVED


def test_what_is_skipped_says_why():
    report = mv.audit(game=mv.named_game("climbing"))
    reasons = dict(report.skipped)
    assert reasons["proposition-4.2"] == "it is not about a game"
    assert not {"lemma-4.1", "lemma-b.3"} & reasons.keys()
    with pytest.raises(KeyError):
        report["proposition-4.2"]
    many = mv.audit(["lemma-b.3", "definition-3.1"], game=mv.named_game("shared-parameter:6"))
    assert "tried on 1 to 4 agents, and this game has 6" in dict(many.skipped)["lemma-b.3"]
    batch = mv.audit(["lemma-4.1"], game=mv.random_game(2, (2,), batch=(3,)))
    assert batch.claims == () and "batch of games" in dict(batch.skipped)["lemma-4.1"]
    large = mv.audit(["definition-3.2/uniqueness"], game=mv.random_game(5, (4, 4)))
    assert "at most 60 state-action pairs, and this game has 80" in dict(large.skipped)["definition-3.2/uniqueness"]


def test_random_extreme_and_optimal_policies_and_the_games_own_start_are_tried():
    game = mv.named_game("two-step")
    objects = list(on_game._objects(find("lemma-4.1").setting, game, 40, np.random.default_rng(0)))
    best = mv.optimal(game).policy
    same = [all((a == b).all() for a, b in zip(o["target"].factors, best.factors, strict=True)) for o in objects]
    assert same[0], "the first case has the optimal policy as the new one"
    old = objects[1]["policy"]
    assert all((a == b).all() for a, b in zip(old.factors, best.factors, strict=True)), "the second as the old one"
    assert (objects[0]["start"] == game.start).all()
    assert any((o["start"] != game.start).any() for o in objects)
    rows = [o["policy"].factors[1] for o in objects]
    assert any((r.max(-1) == 1).all() for r in rows), "deterministic policies"
    assert any((r > 0).all() for r in rows), "mixed policies"
    assert all(o["game"] is game for o in objects)


def test_ingredients_say_what_they_are_on_a_game():
    """Whatever an ingredient is called: the game, a start of its own, and policies that take turns at being the optimal one."""

    def proof(case):
        yield mv.line("0", 0 * case.g.discount)
        yield mv.equal("0", 0 * case.g.discount, because="it is 0")

    first = mv.Distribution("from_here", from_game=lambda game: game.start)
    parts = (mv.GameData("g", start=False), mv.PolicyData("new"), mv.PolicyData("old"), first)
    game, setting = mv.named_game("two-step"), mv.Setting("s", parts)
    best, uniform = mv.optimal(game).policy, mv.Policy.uniform(game)

    def same(one, two):
        return all((a == b).all() for a, b in zip(one.factors, two.factors, strict=True))

    one, two, three = on_game._objects(setting, game, 3, np.random.default_rng(0))
    assert one["g"] is two["g"] is three["g"] is game
    assert (one["from_here"] == game.start).all()
    assert same(one["new"], best) and same(two["old"], best) and not same(three["new"], best)
    shown = case_on_game(setting, game).plain()
    assert same(shown["new"], best) and same(shown["old"], uniform)
    alone = case_on_game(mv.Setting("s", (*parts[:2], first)), game).plain()
    assert same(alone["new"], uniform)
    assert mv.audit([mv.Claim("mine", "t", "s", setting, proof)], game=game)["mine"].instances == 6


def test_the_same_seed_tries_the_same():
    game = mv.named_game("random:3x2x2:7")
    one, same, other = (mv.audit(["definition-3.2/lipschitz"], game=game, seed=seed).claims[0] for seed in (1, 1, 2))
    assert (one.margin, one.ratio) == (same.margin, same.ratio)
    assert (one.margin, one.ratio) != (other.margin, other.ratio)


def test_a_float_game_is_tried_as_the_rationals_that_it_is():
    report = mv.audit(["lemma-4.1", "section-3.1"], game=mv.random_game(2, (2, 2)).floats())
    assert all(entry.standing is mv.Standing.SURVIVED for entry in report if entry.id != "section-3.1/stationary")
    assert report["lemma-4.1"].margin == 0


# --- no discount --------------------------------------------------------------------------------------------------------


def test_two_step_has_discount_one_and_terminates():
    report = mv.audit(["lemma-4.1", "section-3.1/optimal"], game=mv.named_game("two-step"))
    assert report["lemma-4.1"].standing is mv.Standing.SURVIVED
    assert report["section-3.1/optimal"].standing is mv.Standing.UNTESTED, "its hypothesis is γ < 1"
    assert report["lemma-4.1/stationary"].standing is mv.Standing.UNTESTED, "everything terminates"


def test_a_game_without_values_is_not_applicable_and_no_crash():
    report = mv.audit(game=endless())
    assert report.unexpected == ()
    for name in ("lemma-4.1", "section-3.1", "lemma-b.3", "definition-3.1"):
        entry = report[name]
        assert entry.standing is mv.Standing.UNTESTED and entry.how.startswith("no instance met the hypotheses (")
        assert entry.instances == 0 and entry.not_applicable == 6
    assert report["definition-3.2/no-discount"].standing is mv.Standing.SURVIVED
    assert report["section-3.1/stationary"].standing is mv.Standing.SURVIVED


def test_a_discount_cures_it():
    report = mv.audit(["lemma-4.1"], game=endless(Fraction(9, 10)))
    assert report["lemma-4.1"].standing is mv.Standing.SURVIVED


def test_some_policies_have_values_and_others_have_not():
    """γ = 1; who stays for ever has no values, who may leave has: both are counted."""
    game = mv.Game([[[1.0], [0.0]]], [[0.0, 1.0]], 1.0, start=[1.0], name="stay-or-leave").exact()
    entry = mv.audit(["lemma-b.3/zero-mean"], game=game, profile="thorough")["lemma-b.3/zero-mean"]
    assert entry.standing is mv.Standing.SURVIVED
    assert entry.instances > 0 and entry.not_applicable > 0 and entry.instances + entry.not_applicable == 40


# --- large games --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large():
    """The first claim of every statement but Theorem 4.5, whose runs take most of the time, and what is looked at here."""
    first = {claim.parent: claim.id for claim in reversed(CLAIMS) if claim.parent != "theorem-4.5"}
    return mv.audit(
        dict.fromkeys([*first.values(), "definition-3.2/lipschitz", "definition-3.1/conditional-readings"]), game=ring()
    )


def test_a_large_game_is_tried_in_balls(large):
    """More than 64 states: an equality is never certified there, and nothing is refuted either."""
    assert large.unexpected == ()
    entry = large["lemma-4.1"]
    assert entry.standing is mv.Standing.OPEN and entry.instances == 0 and entry.undecided == 6
    assert entry.how == "6 instances meet the hypotheses, and none could be decided"
    assert entry.margin.contains(0) and abs(float(entry.margin.rad())) < 1e-30
    lipschitz = large["definition-3.2/lipschitz"]
    assert lipschitz.standing in (mv.Standing.SURVIVED, mv.Standing.OPEN)


def test_a_large_game_still_shows_false_readings(large):
    entry = large["definition-3.1/conditional-readings"]
    assert entry.standing is mv.Standing.REFUTED and entry.margin < 0 and entry.margin.is_finite()


def test_a_planted_error_is_refuted_on_a_large_game():
    """The lemma with the visits of the old policy, on 70 states."""

    def planted(case):
        gain = mv.returns(case.game, case.target, case.start) - mv.returns(case.game, case.policy, case.start)
        advantages = mv.quantities.advantages(case.game, case.policy)
        d = mv.visits(case.game, case.policy, case.start)
        yield mv.line("J(π') - J(π)", gain)
        value = mv.contract("s,sa,sa->", d, case.target.joint(), advantages)
        yield mv.equal("Σ d E A", value, because="telescoping")

    trial = mv.Claim("mine", "t", "s", find("lemma-4.1").setting, planted, record=mv.Standing.PROVED)
    report = mv.audit([trial], game=ring())
    assert report["mine"].standing is mv.Standing.REFUTED and report.unexpected == (report["mine"],)
    assert report["mine"].margin < 0


def test_what_balls_leave_open_is_decided_exactly():
    """``r - r`` is 0, of which a ball with a radius cannot say that it is; the rationals behind it can."""

    def proof(case):
        zero = case.game.reward / 3 - case.game.reward / 3
        yield mv.line("0/0, 0 by definition", mv.divide(zero, zero))
        yield mv.at_most("0", like(0, case.system), because="the definition")

    trial = mv.Claim("mine", "t", "s", mv.Setting("s", (mv.GameData("game"),)), proof)
    entry = mv.audit([trial], game=ring())["mine"]
    assert entry.standing is mv.Standing.SURVIVED and entry.margin == 0


@pytest.mark.parametrize("discount", [Fraction(1), Fraction(9, 10)])
def test_large_games_that_never_terminate(discount):
    states = EXACT_STATES + 1
    transition = np.zeros((states, 2, states), int)
    for s in range(states):
        transition[s, 0, (s + 1) % states] = transition[s, 1, s] = 1
    game = mv.Game(
        like(transition, RATIONALS),
        like(np.arange(2 * states).reshape(states, 2), RATIONALS),
        like(discount, RATIONALS),
        (2,),
        start=like(np.eye(states, dtype=int)[0], RATIONALS),
        name="endless ring",
    )
    report = mv.audit(["lemma-4.1", "section-3.1/stationary", "definition-3.2/no-discount"], game=game)
    wanted = {mv.Standing.UNTESTED} if discount == 1 else {mv.Standing.OPEN}
    assert report["lemma-4.1"].standing in wanted
    wanted = {mv.Standing.OPEN} if discount == 1 else {mv.Standing.UNTESTED}
    assert report["definition-3.2/no-discount"].standing in wanted
    assert report.unexpected == ()


# --- expectations -------------------------------------------------------------------------------------------------------


def test_a_claim_recorded_as_holding_that_fails_here_is_unexpected():
    def proof(case):
        yield mv.line("r", case.game.reward)
        yield mv.at_most("10", like(10, case.system), because="said so")

    setting = mv.Setting("s", (mv.GameData("game"),))
    for record, expected in [
        (mv.Standing.PROVED, False),
        (mv.Standing.SURVIVED, False),
        (mv.Standing.REFUTED, True),
        (None, True),
    ]:
        trial = mv.Claim("mine", "t", "s", setting, proof, record=record)
        report = mv.audit([trial], game=mv.named_game("climbing"))
        assert report["mine"].standing is mv.Standing.REFUTED and report["mine"].margin == -1
        assert (report.unexpected == ()) == expected
        calm = mv.audit([trial], game=mv.named_game("ratio"))
        assert calm["mine"].standing is mv.Standing.SURVIVED and calm.unexpected == ()


def test_a_broken_proof_is_unexpected_even_where_the_statement_survives():
    def proof(case):
        yield mv.line("r", case.game.reward)
        yield mv.equal("r + 1", case.game.reward + 1, because="a slip")
        yield mv.equal("r again", case.game.reward, because="undone")

    setting = mv.Setting("s", (mv.GameData("game"),))
    trial = mv.Claim("mine", "t", "s", setting, proof, record=mv.Standing.SURVIVED)
    report = mv.audit([trial], game=mv.named_game("climbing"))
    assert report["mine"].standing is mv.Standing.SURVIVED and report["mine"].broken.right == "r + 1"
    assert report.unexpected == (report["mine"],)


# --- one telling case ---------------------------------------------------------------------------------------------------


def test_the_telling_case_of_a_game():
    game = mv.named_game("two-step")
    shown = case_on_game(find("lemma-4.1").setting, game).plain()
    assert (shown["policy"].joint() == mv.Policy.uniform(game).joint()).all()
    assert (shown["target"].joint() == mv.optimal(game).policy.joint()).all()
    assert (shown["start"] == game.start).all()
    with pytest.raises(MappoVerifyError, match="cannot be shown on this game: it is not about a game"):
        case_on_game(find("equation-1").setting, game)


def test_something_that_is_no_game():
    for strange in ("climbing", 3, {}):
        with pytest.raises(MappoVerifyError):
            mv.audit(["lemma-4.1"], game=strange)
