"""Claims that users write: every slip is an error that names the cause and the cure, and none changes a verdict silently."""

import json
import re
from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.errors import ClaimError

ONE = mv.Sizes(1, (1,))
ALONE = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}


def table(name="f", shape=lambda _: (3,), **more):
    return mv.Table(name, shape, **more)


def setting(*hypotheses):
    return mv.Setting("a table of three", (table(),), hypotheses, **ALONE)


def claim_of(left, right, *hypotheses, **more):
    """``left(case) ≤ right(case)``"""

    def proof(case):
        yield mv.line("left", left(case))
        yield mv.at_most("right", right(case), because="said so")

    return mv.Claim("mine", "the title", "nowhere", setting(*hypotheses), proof, **more)


def top(case):
    return mv.largest(case.f)


def whole(case):
    return case.f.sum(-1)


# --- the claim -----------------------------------------------------------------------------------------------------------


def test_a_false_claim_is_refuted_shrunk_and_certified(tmp_path):
    claim = claim_of(top, whole)
    found = mv.falsify(claim)
    assert found.standing is mv.Standing.REFUTED and found.witness.coordinates["f"].tolist() == [0, 0, -1]
    assert repr(found) == "Falsification(mine: REFUTED, smallest counterexample: 1 state, 1 actions)"
    written = mv.write_certificate(found.witness, tmp_path / "mine.json", claim)
    assert mv.recheck(mv.read_certificate(tmp_path / "mine.json"), claim).valid
    assert (written.statement, written.left_value, written.right_value) == ("the title", "0", "-1")
    alone = mv.recheck(written)
    assert not alone.valid and "recheck(certificate, claim)" in alone.reason


def test_a_true_claim_survives():
    found = mv.falsify(claim_of(whole, lambda case: 3 * top(case), statement="Σ f ≤ 3 max f"))
    assert (
        found.standing is mv.Standing.SURVIVED
        and found.certified >= 10
        and repr(found).endswith("certified, best left/right 1)")
    )
    assert found.claim.statement == "Σ f ≤ 3 max f"


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda: mv.Claim("x", "t", "s", (table(),), top), r"setting is a tuple; it must be a Setting"),
        (lambda: mv.Claim("x", "t", "s", setting(), "top"), r"proof is a str; it must be a function that yields lines"),
    ],
)
def test_a_claim_needs_a_setting_and_a_proof(make, cause):
    with pytest.raises(ClaimError, match=cause):
        make()


@pytest.mark.parametrize(
    ("left", "right", "cause"),
    [
        (lambda case: whole(case) * 0.5, whole, r"fails on rationals: .*'float'; a constant is an integer or like\("),
        (lambda case: np.exp(case.f).sum(-1), whole, r"exp, log, sqrt, \.\.\. are those of mappo_verify"),
        (whole, lambda _: 0.5, r"rationals and floats meet at line 'right'; a constant is an integer or like"),
        (lambda case: [top(case), whole(case)], whole, r"line 'left' is a list; stack its parts with np.stack"),
        (lambda case: 1 / (top(case) - top(case)), whole, r"divides by 0 on some instance .*Hypothesis, or use divide"),
        (
            lambda case: case.f,
            lambda _: np.zeros(2, int),
            r"'left' has \(1, 3\) and 'right' has \(2,\)|shapes that fit",
        ),
        (lambda case: case.g, whole, r"this case has no 'g'; it has \['f'\]"),
    ],
)
def test_a_proof_that_cannot_be_evaluated_says_why(left, right, cause):
    assert re.search(cause, why(claim_of(left, right)))


def why(claim):
    """What a search says of a claim that it cannot evaluate: an error if the claim is malformed, else what it has kept."""
    try:
        found = mv.falsify(claim)
    except ClaimError as error:
        return str(error)
    assert found.standing is mv.Standing.UNTESTED and found.certified == 0 < found.crashed
    return found.crash.error


def test_a_generic_point_may_hit_a_pole():
    """In a formal proof, where the denominators of random points vanish by chance, the point is drawn again."""
    claim = claim_of(lambda case: 1 / (top(case) - top(case)), whole)
    case = claim.setting.case({"f": [1, 2, 3]}, ONE, mv.System.RATIONALS)
    with pytest.raises(ZeroDivisionError):
        claim.lines(case, formal=True)


def test_our_own_errors_inside_a_proof_are_not_reworded():
    claim = claim_of(lambda case: mv.maximum(case.f, np.array([0.5, 0.5, 0.5])), whole)
    assert why(claim).startswith("raised MixedArithmeticError: ")


# --- a proof that raises on some instances -------------------------------------------------------------------------------


def raising(error, where, bound):
    """``Σ f ≤ bound(case)``, by a proof that raises where ``where`` is true of the first entry of some table."""

    def proof(case):
        yield mv.line("left", whole(case))
        if any(where(int(first)) for first in np.ravel(case.f[..., 0])):
            raise error
        yield mv.at_most("right", bound(case), because="said so")

    return mv.Claim("mine", "the title", "nowhere", setting(), proof)


ERRORS = [KeyError("key"), ZeroDivisionError("by 0"), ValueError("no value"), TypeError("no type")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_on_some_instances_ends_no_search_and_nothing_passes(error):
    claim = raising(error, lambda first: first % 3 == 1, lambda case: 3 * top(case))
    found = mv.falsify(claim)
    assert found.certified > 0 < found.crashed and found.witness is None
    assert found.standing is mv.Standing.UNTESTED
    text = f"raised {type(error).__name__}: {error} (1 state, 1 actions, after the line 'left')"
    assert found.crash.error.startswith(text) and f"{found.crashed} {text}" in repr(found)
    data = json.loads(json.dumps(found.crash.as_data()))
    assert data["claim"] == "mine" and data["error"] == found.crash.error and data["coordinates"]["f"][0] % 3 == 1
    case = claim.setting.case(
        data["coordinates"], mv.Sizes(data["states"], tuple(data["action_sizes"])), mv.System.RATIONALS
    )
    with pytest.raises((type(error), ClaimError)):
        claim.lines(case)


def test_a_counterexample_is_found_beside_an_error():
    """The proof raises where the first entry is odd, and is wrong where 4 divides it."""
    divides = np.frompyfunc(lambda first: int(int(first) % 4 == 0), 1, 1)
    found = mv.falsify(
        raising(
            KeyError("key"), lambda first: first % 2 == 1, lambda case: 3 * top(case) - 99 * divides(case.f[..., 0])
        )
    )
    assert found.standing is mv.Standing.REFUTED and found.witness.coordinates["f"].tolist() == [0, 0, 0]
    assert found.crashed == 1 and found.crash.coordinates["f"].tolist() == [7, 3, 0]


def test_the_shrinker_passes_over_instances_on_which_the_proof_raises():
    """Without the error (0, 0, 0) is the smallest."""
    found = mv.falsify(raising(KeyError("key"), lambda first: first in (0, 1, 2), lambda case: top(case) - 1))
    assert found.standing is mv.Standing.REFUTED and found.witness.coordinates["f"].tolist() == [3, 0, 0]


def test_an_error_on_two_instances_together_is_kept():
    def proof(case):
        if case.batch_shape == (2,):
            raise KeyError("two")
        yield mv.line("left", 0 * top(case))
        yield mv.at_most("right", mv.square(whole(case)), because="a square")

    found = mv.falsify(mv.Claim("mine", "the title", "nowhere", setting(), proof))
    assert "raised KeyError: 'two' (1 state, 1 actions, before its first line)" in found.crash.error
    assert found.certified > 0 and found.standing is mv.Standing.UNTESTED


def test_an_error_names_the_line_whose_value_raises():
    claim = claim_of(whole, lambda _: lambda: {}["lost"])
    assert why(claim) == "raised KeyError: 'lost' (1 state, 1 actions, in the line 'right')"
    unknown = mv.Hypothesis("h", lambda _: {}["lost"])
    assert why(claim_of(whole, whole, unknown)) == "raised KeyError: 'lost' (1 state, 1 actions)"


def test_a_fraction_is_a_constant():
    evidence = mv.check(claim_of(whole, lambda _: Fraction(1, 2)), f=[1, 0, 0])
    assert evidence.violated and str(evidence.margin) == "-1/2"


# --- the batch -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", [mv.falsify, lambda claim: mv.audit([claim])])
def test_a_proof_that_mixes_instances_is_no_proof(run):
    """It would survive: squares of one instance bound nothing, but those of all instances together do."""
    with pytest.raises(
        ClaimError, match=r"'right' differs in a batch and alone.*count axes from the end, as in f.sum\(-1\)"
    ):
        run(claim_of(lambda case: 0 * top(case), lambda case: mv.square(case.f).sum()))


def test_a_counterexample_of_a_batch_only_is_none():
    with pytest.raises(ClaimError, match="violated in a batch, but not alone"):
        mv.falsify(claim_of(lambda case: sum(case.f), lambda case: 5 + 0 * whole(case)))


def test_lines_that_all_instances_share_are_no_mixing():
    found = mv.audit([claim_of(lambda _: -1, lambda case: mv.square(whole(case)))])["mine"]
    assert found.standing is mv.Standing.SURVIVED


# --- the setting -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda: mv.Setting("s", table()), r"must be in a tuple: \(Ingredient\(\.\.\.\),\)"),
        (lambda: mv.Setting("s", (mv.GameData,)), r"is no Ingredient; write GameData\(\.\.\.\)"),
        (lambda: mv.Setting("s", (table(),), (lambda _: True,)), r"is no Hypothesis"),
        (lambda: mv.Setting("s", (table(),), agents=2), r"agents = 2; it must be \(smallest, largest\), from 1 on"),
        (lambda: mv.Setting("s", (table(),), states=(3, 1)), r"states = \(3, 1\)"),
        (lambda: mv.Setting("s", (table(),), action_range=(0, 1)), r"action_range = \(0, 1\)"),
        (lambda: table(shape=(3,)), r"f: shape = \(3,\) must be a function .* such as lambda sizes: \(3,\)"),
        (lambda: mv.Distribution("p", (2,)), r"p: shape = \(2,\) must be a function"),
        (lambda: mv.LogOdds("q", 2), r"q: shape = 2 must be a function"),
        (
            lambda: table(shape=lambda _: 3).coordinates(ONE),
            r"f has the shape 3; a shape is a tuple such as \(3,\)",
        ),
        (lambda: table(low=9, high=-9).coordinates(ONE), r"f ranges from 9 to -9, which is empty"),
    ],
)
def test_a_malformed_setting_is_refused_at_once(make, cause):
    with pytest.raises(ClaimError, match=cause):
        make()


def test_what_cannot_be_drawn_cannot_be_searched():
    """A setting of derived ingredients alone may still be checked on what a user gives."""
    setting = mv.Setting("s", (mv.Derived("f", lambda _: 1),), **ALONE)
    claim = mv.Claim(
        "mine", "t", "s", setting, lambda case: iter((mv.line("f", case.f), mv.equal("1", 1, because="so")))
    )
    with pytest.raises(ClaimError, match=r"'s' has no ingredient to draw, such as GameData\(\)"):
        mv.falsify(claim)


def test_hypotheses_may_be_plain_booleans():
    """On exact numbers ``False`` means "not met", never "unknown"."""
    positive = mv.Hypothesis("f ≥ 0", lambda case: case.f.min(-1) >= 0)
    claim = claim_of(top, whole, positive)
    assert mv.check(claim, f=[1, 2, 3]).verdict is mv.Verdict.HOLDS
    assert mv.check(claim, f=[1, 2, -3]).verdict is mv.Verdict.NOT_APPLICABLE
    found = mv.audit([claim])["mine"]
    assert found.standing is mv.Standing.SURVIVED and found.undecided == 0 and found.not_applicable > 0


def test_on_balls_a_plain_false_decides_nothing():
    """``x < y`` of two overlapping balls is False, too."""
    never = mv.Hypothesis("√2 < √2", lambda case: mv.sqrt(2 + 0 * whole(case)) < mv.sqrt(2 + 0 * whole(case)))
    claim = claim_of(top, whole, never, transcendental=True)
    assert mv.check(claim, f=[1, 2, 3]).verdict is mv.Verdict.UNDECIDED


def test_a_hypothesis_may_rest_on_those_before_it():
    """With γ = 1 there is no return to ask about; those instances are not applicable, and the others are tried."""

    def proof(case):
        yield mv.line("J", mv.returns(case.game, case.policy))
        yield mv.at_least("0", 0, because="as assumed")

    below = mv.Hypothesis("γ < 1", lambda case: case.game.discount < 1)
    gains = mv.Hypothesis("J ≥ 0", lambda case: mv.returns(case.game, case.policy) >= 0)
    ingredients = (mv.GameData(termination=False), mv.PolicyData())
    sizes = {"agents": (1, 1), "states": (1, 2), "action_range": (1, 2)}
    claim = mv.Claim("mine", "t", "s", mv.Setting("games", ingredients, (below, gains), **sizes), proof)
    found = mv.audit([claim])["mine"]
    assert found.standing is mv.Standing.SURVIVED and found.instances > 50 and found.not_applicable > 50
    assert mv.falsify(claim).standing is mv.Standing.SURVIVED
    game = mv.Game([[[1]]], [[1]], mv.like(1, mv.System.RATIONALS), start=[1]).exact()
    evidence = mv.check(claim, game=game, policy=mv.Policy.uniform(game))
    assert evidence.verdict is mv.Verdict.NOT_APPLICABLE and evidence.reason == "hypothesis not met: γ < 1"
    hasty = mv.Claim("mine", "t", "s", mv.Setting("games", ingredients, (gains,), **sizes), proof)
    with pytest.raises(mv.errors.SingularError, match="values do not exist"):
        mv.check(hasty, game=game, policy=mv.Policy.uniform(game))


# --- what is handed in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "cause"),
    [
        (lambda claim: mv.audit(claim), r"claims come in a list, even a single one: \[claim\]"),
        (lambda _: mv.audit("lemma-4.1"), r"claims come in a list"),
        (lambda claim: mv.falsify(claim.proof), r"an id such as 'lemma-4.1', or a Claim\(\.\.\.\), not a function"),
        (lambda claim: mv.falsify(claim, seed=-1), r"seed = -1 is negative"),
        (lambda claim: mv.checking.certificate_of(claim, (1, (1,)), {}), r"sizes = \(1, \(1,\)\) must be Sizes\("),
        (lambda claim: mv.checking.certificate_of(claim, ONE, {}), r"missing or unknown coordinates: \['f'\]"),
        (
            lambda claim: mv.write_certificate(mv.falsify(claim), "x.json", claim),
            r"give a witness, for instance falsify",
        ),
        (lambda _: mv.recheck("x.json"), r"a str is no certificate; read_certificate\(path\) reads one"),
    ],
)
def test_the_wrong_object_is_named_with_the_right_one(call, cause):
    with pytest.raises(ClaimError, match=cause):
        call(claim_of(top, whole))
