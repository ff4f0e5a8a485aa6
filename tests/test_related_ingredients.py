"""Ingredients that follow from others: what they are, in every number system, and that slips in them are caught."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System
from mappo_verify.checking.evaluate import certify, decide, evaluate
from mappo_verify.checking.on_game import case_on_game, try_on_game
from mappo_verify.checking.sampling import draw
from mappo_verify.claims.coordinates import EVERY
from mappo_verify.claims.related import TooLongError
from mappo_verify.errors import ClaimError, ExactnessError, GameError
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.quantities import equilibria, nash_policy

NINE = Fraction(9, 10)
SMALL = {"agents": (2, 2), "states": (2, 2), "action_range": (2, 2)}
SIZES = mv.Sizes(2, (2, 2))
GAME = mv.GameData("game", discount=(Fraction(1, 2), NINE))
PRODUCT = mv.PolicyData("policy", product=True)


def setting(*ingredients, **more):
    return mv.Setting("mine", ingredients, **{**SMALL, **more})


TINY = {"agents": (1, 2), "states": (1, 2), "action_range": (1, 2)}
"""Sizes among which are those of a quick proof."""


def cases(of, system=mv.System.RATIONALS, count=12, sizes=SIZES):
    drawn = draw(of, sizes, count, np.random.default_rng(3))
    return of.case(drawn, sizes, system)


def claim_of(of, left, right, **more):
    def proof(case):
        yield mv.line("left", left(case))
        yield mv.at_most("right", right(case), because="said so")

    return mv.Claim("mine", "title", "nowhere", of, proof, **more)


def zero(_):
    return 0


# --- games ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", [mv.System.RATIONALS, mv.System.FLOATS, mv.System.BALLS, mv.System.ENCLOSURES])
def test_a_discount_stays_in_its_range(system):
    case = cases(setting(GAME), system)
    evidence = evaluate(claim_of(setting(GAME), zero, lambda case: case.game.discount - Fraction(1, 4)), case)
    assert [name for name, _ in evidence.hypotheses] == ["1/2 ≤ γ ≤ 9/10 in game"]
    ends = {mv.Verdict.UNDECIDED} if system is mv.System.ENCLOSURES else set()
    assert set(np.ravel(evidence.suggests)) - ends == {mv.Verdict.HOLDS}
    outside = mv.check(
        claim_of(setting(GAME), zero, zero), game=replace(mv.named_game("climbing").exact(), discount=Fraction(1, 4))
    )
    assert outside.verdict is mv.Verdict.NOT_APPLICABLE


def test_symbols_know_the_range_of_a_discount():
    claim = claim_of(
        setting(GAME, **TINY), lambda case: case.game.discount - NINE, lambda case: case.game.discount - NINE,
        symbolic=(mv.Sizes(1, (1,)),),
    )  # fmt: skip
    assert mv.audit([claim])["mine"].standing is mv.Standing.PROVED


@pytest.mark.parametrize("vary", ["transition", "reward", "discount", "start"])
@pytest.mark.parametrize("termination", [True, False])
def test_a_second_game_differs_in_what_varies(vary, termination):
    first = mv.GameData("game", termination=termination)
    both = setting(first, mv.GameData("other", same_as="game", vary=(vary,), termination=termination))
    plain = cases(both).plain()
    one, two = plain["game"], plain["other"]
    for part in ("transition", "reward", "discount", "start"):
        assert (getattr(one, part) == getattr(two, part)).all() == (part != vary)
    claim = claim_of(both, zero, zero)
    for system in (mv.System.RATIONALS, mv.System.BALLS, mv.System.ENCLOSURES):
        assert evaluate(claim, cases(both, system)).holds
    assert certify(claim, lambda system: cases(both, system, 1)).holds
    alone = both.case_from({name: mv.Setting("g", (first,)).case_from({"game": game}).plain()["game"] for name, game in
                            (("game", _first(one)), ("other", _first(two)))})  # fmt: skip
    assert evaluate(claim, alone).holds


def _first(game):
    parts = {name: getattr(game, name)[0] for name in ("transition", "reward", "discount", "start")}
    return mv.Game(**parts, action_sizes=game.action_sizes)


def test_a_given_second_game_must_share_what_does_not_vary():
    two = setting(mv.GameData(), mv.GameData("other", same_as="game", vary=("reward",)), agents=(1, 3))
    game = mv.named_game("climbing").exact().with_start([1])
    tiny = Fraction(1, 10**40)  # far below what the first balls can tell
    for claim in (claim_of(two, zero, zero), claim_of(two, zero, zero, transcendental=True)):
        assert mv.check(claim, game=game, other=replace(game, reward=game.reward + 1)).holds
        for other in (replace(game, discount=1 - tiny), replace(game, start=None)):
            found = mv.check(claim, game=game, other=other)
            assert found.verdict is mv.Verdict.NOT_APPLICABLE and "shares transition, discount, start" in found.reason


def test_symbols_of_two_games_are_those_that_they_have():
    def returns(case):
        return mv.returns(case.other, case.policy)

    def scaled(case):
        return mv.returns(case.game, case.policy)

    two = setting(mv.GameData(), mv.GameData("other", same_as="game", vary=("transition",)), mv.PolicyData(), **TINY)
    found = mv.audit([claim_of(two, returns, scaled, symbolic=(mv.Sizes(1, (1,)),))])["mine"]
    assert found.standing is mv.Standing.REFUTED  # other transitions, other returns
    same = setting(mv.GameData(), mv.GameData("other", same_as="game", vary=("reward",)), mv.PolicyData(), **TINY)

    def proof(case):
        yield mv.line("difference", returns(case) - scaled(case))
        difference = replace(case.game, reward=case.other.reward - case.game.reward)
        yield mv.equal("return of the difference", mv.returns(difference, case.policy), because="linear in rewards")

    below = (mv.Hypothesis("γ < 1", lambda case: case.game.discount < 1),)
    linear = mv.Claim("mine", "t", "s", replace(same, hypotheses=below), proof, symbolic=(mv.Sizes(1, (1,)),))
    assert mv.audit([linear])["mine"].standing is mv.Standing.PROVED


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: mv.GameData(discount=(0, 0.9)), "must be exact; write Fraction"),
        (lambda: mv.GameData(discount=(NINE, 0)), "no range within"),
        (lambda: mv.GameData("b", same_as="a"), "vary lists which of"),
        (lambda: mv.GameData("b", same_as="a", vary=("rewards",)), "vary lists which of"),
        (lambda: mv.claims.NearbyPolicy(largest=0.5), "must be an integer or Fraction"),
        (lambda: mv.claims.NearbyPolicy(largest=2), "must be an integer or Fraction"),
        (lambda: mv.claims.Iterates("run"), "must be a function of case"),
    ],
)
def test_slips_are_named(made, message):
    with pytest.raises(ClaimError, match=message):
        made()


# --- policies ------------------------------------------------------------------------------------------------------------

LEARNT = setting(GAME, PRODUCT, mv.claims.NashPolicy("nash"), mv.claims.OptimalPolicy("best"))


@pytest.mark.parametrize("system", [mv.System.RATIONALS, mv.System.BALLS, mv.System.FLOATS])
def test_nash_and_optimal_policies_are_what_they_say(system):
    plain = cases(LEARNT).plain()["game"]
    best = mv.optimal(plain).values
    case = cases(LEARNT, system)
    found = case.nash, case.best
    values = mv.state_values(case.game, case.best)
    assert np.allclose(np.asarray(_floats(values), float), np.asarray(best, float).T)
    if system is mv.System.RATIONALS:
        kept = case.plain()
        assert (mv.nash_gaps(kept["game"], kept["nash"]) == 0).all()
        assert (np.asarray(best) == mv.state_values(kept["game"], kept["best"])).all()
    assert all(policy.agents == 2 for policy in found)
    assert case.take(np.arange(12) < 3).best.agents == 2


def _floats(values):
    part = values._parts[0]
    return np.vectorize(lambda x: float(x.p) / float(x.q) if hasattr(x, "p") else float(x))(part)


def test_which_equilibrium_is_reached_depends_on_the_policy(monkeypatch):
    game = mv.named_game("climbing").exact()
    stuck = nash_policy(game, mv.Policy.deterministic(game, [4]).exact())
    good = nash_policy(game, mv.Policy.deterministic(game, [0]).exact())
    assert (mv.nash_gaps(game, stuck) == 0).all() and (mv.nash_gaps(game, good) == 0).all()
    assert mv.returns(game, stuck) == 7 and mv.returns(game, good) == 11
    floats = nash_policy(game.floats(), mv.Policy.deterministic(game, [4]).floats())
    assert mv.returns(game.floats(), floats) == 7
    monkeypatch.setattr(equilibria, "MAX_ROUNDS", 0)
    with pytest.raises(GameError, match="did not settle"):
        nash_policy(game, stuck)
    with pytest.raises(GameError, match="product"):
        nash_policy(game, mv.Policy((np.ones((1, 1, 3)) / 3, np.eye(3)[None])).exact())


def test_claims_about_them_are_refuted_and_kept():
    def gap(case):
        return mv.returns(case.game, case.best) - mv.returns(case.game, case.nash)

    assert mv.audit([claim_of(LEARNT, gap, zero)])["mine"].standing is mv.Standing.REFUTED
    evidence = certify(claim_of(LEARNT, zero, gap), lambda system: cases(LEARNT, system))
    assert evidence.holds and evidence.arithmetic is mv.System.RATIONALS

    def in_balls(case):
        return mv.exp(gap(case)) - 1

    evidence = certify(claim_of(LEARNT, lambda _: -1, in_balls, transcendental=True), lambda s: cases(LEARNT, s))
    assert evidence.holds and evidence.arithmetic is mv.System.BALLS
    with pytest.raises(ExactnessError, match="compared"):  # no exact instance stands behind enclosures
        cases(LEARNT, mv.System.ENCLOSURES).nash  # noqa: B018
    given = cases(LEARNT, count=1).plain()
    game, policy = _first(given["game"]), mv.Policy(tuple(f[0] for f in given["policy"].factors))
    wrong = mv.check(claim_of(LEARNT, zero, gap), game=game, policy=policy, best=mv.Policy.uniform(game))
    assert wrong.verdict is mv.Verdict.NOT_APPLICABLE and "follows from the other" in wrong.reason


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("system", [mv.System.RATIONALS, mv.System.BALLS, mv.System.ENCLOSURES])
def test_a_nearby_policy_is_near(full, system):
    near = mv.claims.NearbyPolicy("target", of="policy", largest=Fraction(1, 100), product=True, full_support=full)
    of = setting(GAME, PRODUCT, near)

    def apart(case):
        return np.stack([abs(a - b).max() for a, b in zip(case.target.factors, case.policy.factors, strict=True)])

    evidence = evaluate(claim_of(of, apart, lambda _: Fraction(1, 100)), cases(of, system))
    names = [
        "1/2 ≤ γ ≤ 9/10 in game",
        "policy is a product",
        "target is (1 - ε) policy + ε σ with a product σ and ε < 1/100",
    ]
    assert [name for name, _ in evidence.hypotheses] == names + ["target has full support"] * full
    if system is mv.System.ENCLOSURES:  # which cannot prove that a policy is a product
        assert all((np.ravel(truth) >= 0).all() for _, truth in evidence.hypotheses)
        return
    assert all((np.ravel(truth) == 1).all() for _, truth in evidence.hypotheses)
    assert (np.asarray(evidence.verdict) == mv.Verdict.HOLDS).all()
    tight = claim_of(of, apart, lambda _: Fraction(1, 1000))
    assert mv.audit([tight])["mine"].standing is mv.Standing.REFUTED
    game = mv.named_game("penalty").exact()
    far = mv.check(tight, game=replace(game, discount=NINE), policy=mv.Policy.uniform(game),
                   target=mv.Policy.deterministic(game, [0]))  # fmt: skip
    assert far.verdict is mv.Verdict.NOT_APPLICABLE


def test_a_given_policy_is_a_mixture_with_the_first():
    """``π' ≥ 9/10 π`` is true of all nearby policies, and of no other is asked."""
    near = mv.claims.NearbyPolicy("target", of="policy", largest=Fraction(1, 10))
    of = mv.Setting("two policies", (mv.PolicyData(), near), agents=(1, 1), states=(1, 1), action_range=(3, 3))

    def proof(case):
        yield mv.line("π'", case.target.factors[0])
        yield mv.at_least("9/10 π", Fraction(9, 10) * case.policy.factors[0], because="π' = (1 - ε) π + ε σ")

    trial = mv.Claim("mine", "title", "source", of, proof)
    assert mv.audit([trial], corpus=False)["mine"].standing is mv.Standing.SURVIVED
    old = mv.Policy.product([[[Fraction(1, 2), Fraction(1, 2), 0]]])
    for row, verdict in (
        ((Fraction(46, 100), Fraction(46, 100), Fraction(8, 100)), mv.Verdict.HOLDS),
        ((Fraction(1, 2), Fraction(1, 2), 0), mv.Verdict.HOLDS),
        ((Fraction(2, 5), Fraction(3, 5), 0), mv.Verdict.NOT_APPLICABLE),
    ):
        assert mv.check(trial, policy=old, target=mv.Policy.product([[row]])).verdict is verdict


def test_a_given_policy_is_a_mixture_with_a_product():
    """Two agents of two actions, the second of which looks at the first; ``ε`` is what the prefixes of both say alike."""
    near = mv.claims.NearbyPolicy("target", of="policy", largest=Fraction(1, 2), product=True)
    of = setting(mv.PolicyData(), near, states=(1, 1))
    trial = claim_of(of, zero, lambda _: 1)

    def policy(alone, first, second):
        rows = [alone], [first, second]
        return mv.Policy(tuple([[[p, 1 - p] for p in after]] for after in rows)).exact()

    fair = Fraction(1, 2)
    looks, product = policy(fair, 1, 0), policy(fair, fair, fair)
    for old, new, verdict in (
        (looks, policy(fair, Fraction(3, 4), 0), mv.Verdict.HOLDS),  # 3/4 of it, and 1/4 of (·, 0)
        (looks, policy(1, Fraction(7, 8), Fraction(1, 8)), mv.Verdict.NOT_APPLICABLE),  # 1/4 cannot move agent 1 so far
        (looks, policy(Fraction(5, 8), Fraction(7, 8), Fraction(1, 8)), mv.Verdict.HOLDS),
        (looks, looks, mv.Verdict.NOT_APPLICABLE),  # ε would be 0
        (looks, policy(fair, Fraction(3, 4), Fraction(1, 4)), mv.Verdict.NOT_APPLICABLE),  # ε would be 1/2
        (product, policy(Fraction(2, 5), Fraction(3, 5), Fraction(3, 5)), mv.Verdict.HOLDS),
        (product, policy(fair, Fraction(3, 5), fair), mv.Verdict.NOT_APPLICABLE),
    ):
        assert mv.check(trial, policy=old, target=new).verdict is verdict


def test_two_games_and_nearby_policies_on_a_given_game():
    of = setting(
        mv.GameData(), mv.GameData("other", same_as="game", vary=("reward",)), mv.PolicyData(),
        mv.claims.NearbyPolicy("target"), agents=(1, 3),
    )  # fmt: skip
    game = replace(mv.named_game("climbing").exact(), discount=Fraction(1, 2))
    report = try_on_game(claim_of(of, zero, zero), frozenset(), game, 5, np.random.default_rng(0))
    assert report.instances == 5 and report.standing is mv.Standing.SURVIVED
    case = case_on_game(of, game).plain()
    assert (case["game"].reward != case["other"].reward).any()


# --- iterates ------------------------------------------------------------------------------------------------------------


def halved(case, x, k):
    return x * Fraction(1, 2) + like_of(case, k)


def like_of(case, k):
    return mv.like(k % 2, case.system)


def test_iterates_are_those_of_the_algorithm():
    table = mv.Table("x", lambda _: (2,))
    of = mv.Setting("a run", (table, mv.claims.Iterates("run", halved, start="x")), agents=(1, 1), states=(1, 1),
                    action_range=(1, 1), steps=(1, 60))  # fmt: skip
    claim = claim_of(of, lambda case: abs(case.run[-1]), lambda case: abs(case.x) + Fraction(3, 2))
    assert mv.audit([claim])["mine"].standing is mv.Standing.SURVIVED
    wrong = claim_of(of, lambda case: abs(case.run[-1]), lambda case: abs(case.x))
    assert mv.audit([wrong])["mine"].standing is mv.Standing.REFUTED
    case = cases(of, sizes=mv.Sizes(1, (1,), 60), count=1)
    assert len(case.run) == 61
    with pytest.raises(ClaimError, match="run is computed from x; leave it out"):
        mv.check(claim, x=[1, 2], run=[[1, 2], [3, 4]])
    with pytest.raises(ClaimError, match=r"mv\.claims\.Run"):
        cases(of, sizes=mv.Sizes(1, (1,), EVERY), count=1).run  # noqa: B018


def squared(_case, x, _k):
    return x * x / 3


def test_rationals_that_explode_go_to_balls():
    of = mv.Setting("a run", (mv.Table("x", lambda _: (), 1, 2), mv.claims.Iterates("run", squared, start="x")),
                    agents=(1, 1), states=(1, 1), action_range=(1, 1), steps=(3, 40))  # fmt: skip
    claim = claim_of(of, lambda case: case.run[-1], lambda _: 2)
    for steps, arithmetic in ((3, mv.System.RATIONALS), (40, mv.System.BALLS)):
        numbers = {"x": np.array([1, 2])}
        evidence = certify(claim, lambda s, n=numbers, k=steps: of.case(n, mv.Sizes(1, (1,), k), s))
        assert (np.asarray(evidence.verdict) == mv.Verdict.HOLDS).all() and evidence.arithmetic is arithmetic
    # Without the end by bits, 2 ** 40 digits would have to be written.
    assert mv.audit([claim])["mine"].standing is mv.Standing.SURVIVED


def test_a_batch_of_which_all_rationals_explode_is_not_halved():
    """Where one instance stays short it is decided exactly all the same: the others are found by halving."""
    of = mv.Setting("a run", (mv.Table("x", lambda _: (), 0, 2), mv.claims.Iterates("run", squared, start="x")),
                    agents=(1, 1), states=(1, 1), action_range=(1, 1), steps=(40,))  # fmt: skip
    sizes = mv.Sizes(1, (1,), 40)

    def proof(case):
        yield mv.line("x_40", case.run[-1])
        yield mv.equal("x_39²/3", squared(case, case.run[-2], 39), because="so it is made")

    tie = mv.Claim("mine", "mine", "nowhere", of, proof)

    def arithmetics(*numbers):
        parts = decide(tie, {"x": np.array(numbers)}, sizes)
        return {evidence.arithmetic: [numbers[i] for i in chosen] for chosen, evidence in parts}

    with pytest.raises(TooLongError, match="balls go on"):
        of.case({"x": np.array([1, 2])}, sizes, mv.System.RATIONALS).run  # noqa: B018
    with pytest.raises(ExactnessError) as mixed:
        of.case({"x": np.array([1, 0, 2])}, sizes, mv.System.RATIONALS).run  # noqa: B018
    assert not isinstance(mixed.value, TooLongError)
    assert arithmetics(1, 0, 2) == {mv.System.RATIONALS: [0], mv.System.BALLS: [1, 2]}
    assert arithmetics(1, 2, 1) == {mv.System.BALLS: [1, 2, 1]}


def test_all_that_the_registry_uses_is_open():
    used = {type(i) for claim in CLAIMS for i in claim.setting.ingredients}
    ours = {kind for kind in used if kind.__module__.startswith("mappo_verify.claims")}
    assert mv.claims.Increments in ours
    for kind in ours:
        assert kind in (getattr(mv, kind.__name__, None), getattr(mv.claims, kind.__name__, None)), kind


def test_instances_that_are_taken_still_share_what_the_games_share():
    """Enclosures know an equality by its being one object, so a hypothesis that drops an instance must not undo that."""
    two = setting(mv.GameData(), mv.GameData("other", same_as="game", vary=("transition",)))
    sizes = mv.Sizes(2, (2,))
    case = two.case(draw(two, sizes, 3, np.random.default_rng(0)), sizes, System.ENCLOSURES)
    taken = case.take(np.array([True, False, True]))
    game, other = taken.game, taken.other
    assert game.reward._parts is other.reward._parts and game.transition._parts is not other.transition._parts
    (shares,) = (entry for entry in two.all_hypotheses if "shares" in entry.name)
    assert (np.asarray(shares.truth(taken).values) == 1).all()
