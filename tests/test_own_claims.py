"""Claims that users write: every slip is an error that names the cause and the cure, and none changes a verdict silently."""

import json
import math
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
        (
            lambda: mv.Claim("x", "t", "s", setting(), top, symbolic=(mv.Sizes(0, (1,)),)),
            r"symbolic has Sizes\(states=0",
        ),
        (lambda: mv.Claim("x", "t", "s", setting(), top, points=(mv.Sizes(1, ()),)), r"points has .*actions=\(\)"),
        (lambda: mv.Claim("x", "t", "s", setting(), top, points=(mv.Sizes(1, (1,), 0),)), r"points has .*steps=0"),
    ],
)
def test_a_claim_needs_a_setting_and_a_proof(make, cause):
    with pytest.raises(ClaimError, match=cause):
        make()


HERE = r"\(test_own_claims\.py:\d+, after the line 'left'\)"


@pytest.mark.parametrize(
    ("left", "right", "cause"),
    [
        (
            whole,
            lambda case: whole(case) * 0.5,
            rf"the float 0\.5 in a formula: write an exact constant, an integer or .* {HERE}",
        ),
        (
            whole,
            lambda case: np.exp(case.f.unwrap()),
            rf"plain arrays of a formula's numbers: .*other instances.* {HERE}",
        ),
        (
            whole,
            lambda case: math.exp(top(case)),
            rf"a Python number of what may differ .*keep computing with it.* {HERE}",
        ),
        (
            whole,
            lambda case: max(case.f),
            rf"`max` on what may differ between instances: use .*largest and smallest {HERE}",
        ),
        (whole, lambda case: np.linalg.norm(case.f), rf"np\.norm in a formula: use .*l1_distance.* {HERE}"),
        (whole, lambda case: case.g, rf"this case has no 'g'; it has \['f'\] {HERE}"),
        (whole, lambda case: case.f[3], rf"IndexError: index 3 is out of bounds.* {HERE}"),
        (whole, lambda case: case.f[0, 0], rf"IndexError: 2 indices for one instance of shape \(3,\) {HERE}"),
        (
            whole,
            lambda case: case.f @ mv.like([1, 2], case.f),
            rf"ValueError: the shapes \(3,\) and \(2,\) of one instance do not fit @; write \* and sum {HERE}",
        ),
        (
            whole,
            lambda case: case.f + mv.like([1, 2], case.f),
            rf"ValueError: the shapes \(3,\) and \(2,\) of one instance do not fit; .* {HERE}",
        ),
        (whole, lambda _: 0.5, "line 'right' is a float, no number of the case; a constant is an integer, a Fraction"),
        (
            whole,
            lambda _: np.zeros(3),
            r"line 'right' is an array of float64, no number of the case; .*like\(\[\.\.\.\], case",
        ),
        (lambda case: [top(case), whole(case)], whole, r"line 'left' is a list; stack its parts with np.stack"),
        (
            lambda case: case.f,
            lambda case: case.f[:2],
            r"shapes that fit, and 'left' has \(3,\), 'right' \(2,\)",
        ),
    ],
)
def test_a_proof_that_is_written_wrongly_says_why_and_where(left, right, cause):
    claim = claim_of(left, right)
    for run in (mv.falsify, lambda claim: mv.audit([claim]), lambda claim: mv.check(claim, f=[1, 2, 3])):
        with pytest.raises(ClaimError, match=cause):
            run(claim)


def test_an_error_in_the_first_line_says_so():
    with pytest.raises(
        ClaimError, match=r"claim mine: the float 0\.5 .*\(test_own_claims\.py:\d+, before its first line\)"
    ):
        mv.falsify(claim_of(lambda case: whole(case) * 0.5, whole))


def test_a_mask_must_be_truth_that_fits():
    def masked(where):
        def proof(case):
            yield mv.line("left", case.f, where=where(case))
            yield mv.at_most("right", 9, because="said so")

        return mv.Claim("mine", "t", "s", setting(), proof)

    with pytest.raises(ClaimError, match=r"numbers where truth is needed: compare them.*the mask of the line 'left'"):
        mv.falsify(masked(lambda case: case.f))
    with pytest.raises(ClaimError, match=r"shapes that fit, and 'left' has \(3,\), 'right' \(\), and where= \(2,\)"):
        mv.falsify(masked(lambda _: np.array([True, False])))


def raised_by(claim):
    """What a search and an audit keep of a claim that raises on some instances: it is at best OPEN."""
    found = mv.falsify(claim)
    assert found.standing is mv.Standing.OPEN and found.witness is None and found.crashed > 0
    report = mv.audit([claim])["mine"]
    assert report.standing is mv.Standing.OPEN
    kind = found.crash.error.partition(":")[0]
    assert kind in report.how and kind in report.failure and not report.expected
    return found


def test_a_division_by_zero_on_every_instance_leaves_the_claim_open():
    found = raised_by(claim_of(lambda case: 1 / (top(case) - top(case)), whole))
    assert found.certified == 0
    cause = r"^raised ZeroDivisionError: .* \(1 state, 1 actions, before its first line\); "
    assert re.search(cause + "say by a Hypothesis where .*, or use divide, by which 0/0 is 0$", found.crash.error)


def test_a_generic_point_may_hit_a_pole():
    """In a formal proof, where the denominators of random points vanish by chance, the point is drawn again."""
    claim = claim_of(lambda case: 1 / (top(case) - top(case)), whole)
    case = claim.setting.case({"f": [1, 2, 3]}, ONE, mv.System.RATIONALS)
    with pytest.raises(ZeroDivisionError):
        claim.lines(case)


# --- a proof that raises on some instances -------------------------------------------------------------------------------


def where_whole_is_zero(case):
    """0, by a quotient that does not exist where ``Σ f = 0``."""
    return 0 / whole(case)


def test_a_numeric_error_on_some_instances_ends_no_search_and_nothing_passes():
    claim = claim_of(whole, lambda case: 3 * top(case) + where_whole_is_zero(case))
    found = raised_by(claim)
    assert found.certified > 0
    text = "(1 state, 1 actions, after the line 'left')"
    assert "raised ZeroDivisionError: " in found.crash.error and text in found.crash.error
    assert f"OPEN, {found.certified} instances certified, {found.crashed} raised ZeroDivisionError" in repr(found)
    data = json.loads(json.dumps(found.crash.as_data()))
    assert data["claim"] == "mine" and data["error"] == found.crash.error and sum(data["coordinates"]["f"]) == 0
    sizes = mv.Sizes(data["states"], tuple(data["action_sizes"]))
    with pytest.raises(ZeroDivisionError):
        claim.lines(claim.setting.case(data["coordinates"], sizes, mv.System.RATIONALS))


def test_what_a_proof_divides_by_is_no_wrong_argument():
    claim = claim_of(whole, lambda case: 3 * top(case) + where_whole_is_zero(case))
    words = r"claim mine raised ZeroDivisionError: .*after the line 'left'\); say by a Hypothesis where"
    with pytest.raises(ClaimError, match=words):
        mv.check(claim, f=[1, 1, -2])


@pytest.mark.parametrize(
    "error", [mv.errors.GameError("no"), mv.errors.SolverError("no"), ZeroDivisionError("no")], ids=repr
)
def test_errors_of_numbers_are_an_instances_own(error):
    """Games that do not exist and solvers that do not settle are no slips of the proof."""

    def fails(_):
        raise error

    found = raised_by(claim_of(whole, fails))
    assert found.crash.error.startswith(
        f"raised {type(error).__name__}: no (1 state, 1 actions, after the line 'left')"
    )


@pytest.mark.parametrize(
    "error", [KeyError("key"), ValueError("no value"), TypeError("no type"), AssertionError()], ids=repr
)
def test_any_other_error_is_a_slip_of_the_proof(error):
    def fails(_):
        raise error

    what = re.escape(f"{type(error).__name__}: {error}".removesuffix(": "))
    for run in (mv.falsify, lambda claim: mv.audit([claim]), lambda claim: mv.check(claim, f=[1, 2, 3])):
        with pytest.raises(ClaimError, match=f"claim mine: {what} {HERE}") as caught:
            run(claim_of(whole, fails))
        assert caught.value.__cause__ is error


def test_a_counterexample_is_found_beside_an_error():
    """The proof raises where Σ f = 0, and is wrong where Σ f > 5."""
    claim = claim_of(whole, lambda case: 5 + where_whole_is_zero(case))
    found = mv.falsify(claim)
    assert found.standing is mv.Standing.REFUTED and sum(found.witness.coordinates["f"].tolist()) == 6
    report = mv.audit([claim])["mine"]
    assert report.standing is mv.Standing.REFUTED and sum(report.witness.coordinates["f"].tolist()) == 6


def test_the_shrinker_passes_over_instances_on_which_the_proof_raises():
    """Without the error (0, 0, 0) is the smallest; a first entry of 0, 1 or 2 raises."""

    def bound(case):
        first = case.f[0]
        return top(case) - 1 + 0 / (first * (first - 1) * (first - 2))

    found = mv.falsify(claim_of(top, bound))
    assert found.standing is mv.Standing.REFUTED
    first, *others = found.witness.coordinates["f"].tolist()
    assert first in (-1, 3) and others == [0, 0]


def test_an_error_names_the_line_whose_value_raises():
    with pytest.raises(ClaimError, match=r"KeyError: 'lost' \(test_own_claims\.py:\d+, in the line 'right'\)"):
        mv.falsify(claim_of(whole, lambda _: lambda: {}["lost"]))
    found = raised_by(claim_of(whole, lambda case: lambda: 1 / (top(case) - top(case))))
    assert "(1 state, 1 actions, in the line 'right')" in found.crash.error


@pytest.mark.parametrize(
    "run", [mv.falsify, lambda claim: mv.audit([claim]), lambda claim: mv.check(claim, f=[1, 2, 3])]
)
def test_an_error_names_the_hypothesis_that_raises(run):
    unknown = mv.Hypothesis("h", lambda _: {}["lost"])
    with pytest.raises(ClaimError, match=r"KeyError: 'lost' \(test_own_claims\.py:\d+, in the hypothesis 'h'\)"):
        run(claim_of(whole, whole, unknown))
    number = mv.Hypothesis("h", whole)
    with pytest.raises(ClaimError, match=r"numbers where truth is needed: compare them.*in the hypothesis 'h'"):
        run(claim_of(whole, whole, number))
    either = mv.Hypothesis("h", lambda case: True if case.f[0] > 0 else case.f[1] > 0)
    with pytest.raises(ClaimError, match=r"`if`.*use choose.*test_own_claims\.py:\d+, in the hypothesis 'h'"):
        run(claim_of(whole, whole, either))


def test_a_hypothesis_may_raise_a_numeric_error():
    quotient = mv.Hypothesis("1/Σ f > 0", lambda case: 1 / whole(case) > 0)
    found = raised_by(claim_of(whole, lambda case: 3 * top(case), quotient))
    assert found.certified > 0 and "in the hypothesis '1/Σ f > 0'" in found.crash.error


def test_an_error_names_the_axiom_that_raises():
    def proof(case):
        yield mv.line("left", mv.square(whole(case)))
        lost = mv.axioms.gibbs(case.f, mv.like([1, 2], case.f))
        yield mv.at_least("0", 0, because="an axiom whose arguments do not fit", axiom=lost)

    with pytest.raises(ClaimError, match="in the axiom of the line '0'"):
        mv.falsify(mv.Claim("mine", "t", "s", setting(), proof))


def test_a_fraction_is_a_constant():
    evidence = mv.check(claim_of(whole, lambda _: Fraction(1, 2)), f=[1, 0, 0])
    assert evidence.violated and str(evidence.margin) == "-1/2"


# --- the batch -----------------------------------------------------------------------------------------------------------


def test_a_sum_is_that_of_one_instance():
    """Squares of all instances together would bound each; those of one instance do not bound twice their largest."""
    squares = claim_of(lambda case: 2 * mv.largest(mv.square(case.f)), lambda case: mv.square(case.f).sum())
    for found in (mv.falsify(squares), mv.audit([squares])["mine"]):
        assert found.standing is mv.Standing.REFUTED
    true = claim_of(lambda case: mv.largest(mv.square(case.f)), lambda case: mv.square(case.f).sum())
    for found in (mv.falsify(true), mv.audit([true])["mine"]):
        assert found.standing is mv.Standing.SURVIVED


def test_a_batch_and_its_instances_alone_are_judged_alike():
    """``sum(f)`` adds entries, whatever stands beside them."""
    claim = claim_of(lambda case: sum(case.f), lambda case: 5 + 0 * whole(case))
    rows = [[1, 2, 3], [1, 1, 1], [5, 1, 0], [-9, 0, 0]]
    together = mv.check(claim, f=rows).verdict.tolist()
    assert together == [mv.check(claim, f=row).verdict for row in rows]
    assert [v.value for v in together] == ["violated", "holds", "violated", "holds"]


@pytest.mark.parametrize(
    "run", [mv.falsify, lambda claim: mv.audit([claim]), lambda claim: mv.check(claim, f=[[1, 2, 3]] * 2)]
)
@pytest.mark.parametrize(
    "mix",
    [
        lambda case: mv.square(case.f).sum(-2),
        lambda case: mv.square(case.f).sum((0, 1)),
        lambda case: np.stack([case.f.unwrap()[0, 0], case.f.unwrap()[-1, 0]]).max(),
        lambda case: case.plain()["f"].max(),
        lambda case: case.take(np.array([True, False])).f.sum(),
        lambda case: mv.choose(bool((case.f > 0).values.any()), case.f, 0).sum(),
        lambda case: case.f[..., 0, :],
        lambda case: sum(row.sum() for row in np.asarray(case.f)),
        lambda case: case.f.swapaxes(0, 1)[0],
        lambda case: case.f[np.arange(2), np.arange(2)],
    ],
)
def test_a_proof_cannot_mix_instances(run, mix):
    with pytest.raises(ClaimError, match=rf"{HERE}"):
        run(claim_of(whole, mix))


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
        (
            lambda: table(high=2**63).coordinates(ONE),
            r"f ranges from -9 to 9223372036854775808; instances are drawn up to",
        ),
        (lambda: table(shape=lambda _: (-1,)).coordinates(ONE), r"f has the shape \(-1,\); lengths are from 0 on$"),
        (lambda: table(shape=lambda _: (2.0,)).coordinates(ONE), r"f has the shape \(2\.0,\); lengths are integers"),
        (
            lambda: mv.Distribution("p", lambda _: (2, 0)).coordinates(ONE),
            r"p has the shape .* rows of weights have an entry",
        ),
        (lambda: mv.Distribution("p", lambda _: ()).coordinates(ONE), r"p has the shape \(\); .* rows of weights"),
        (lambda: table(scale="3"), r"f: scale = '3' is not positive; it is an integer"),
        (lambda: mv.Setting("s", (table(),), agents=(1.0, 2)), r"agents = \(1\.0, 2\)"),
        (
            lambda: mv.Setting("s", (table(),), steps=3),
            r"steps = 3; it must be the lengths of runs that are drawn, from 1 on",
        ),
        (lambda: mv.Setting("s", (table(),), steps=()), r"steps = \(\); it must be the lengths"),
        (lambda: mv.Setting("s", (table(),), steps=(0, 1)), r"steps = \(0, 1\); it must be the lengths"),
        (lambda: mv.Setting("s", (mv.Table("_objects", lambda _: ()),)), r"'_objects' is no name that a case can have"),
        (lambda: mv.Setting("s", (mv.Table("", lambda _: ()),)), r"'' is no name that a case can have"),
        (lambda: mv.Setting("s", (mv.Table(3, lambda _: ()),)), r"3 is no name that a case can have"),
        (
            lambda: mv.Setting("s", (mv.Table("f", lambda _: ()),), limit=0),
            "limit = 0; it must be an integer from 1 on",
        ),
        (
            lambda: mv.Setting("s", (mv.Table("1", lambda _: ()),)),
            r"'1' is no name that a case can have",
        ),  # "where 1 ≠ 0"
        (lambda: mv.Setting("s", (mv.Table("my x", lambda _: ()),)), r"'my x' is no name that a case can have"),
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


def test_hypotheses_are_comparisons():
    """On exact numbers FALSE means "not met", never "unknown"; a Python bool is a hypothesis of no instance in particular."""
    never, always = (mv.Hypothesis("h", lambda _, met=met: met) for met in (False, True))
    assert mv.check(claim_of(top, whole, never), f=[1, 2, 3]).verdict is mv.Verdict.NOT_APPLICABLE
    assert mv.check(claim_of(top, whole, always), f=[1, 2, 3]).verdict is mv.Verdict.HOLDS
    positive = mv.Hypothesis("f ≥ 0", lambda case: case.f.min(-1) >= 0)
    claim = claim_of(top, whole, positive)
    assert mv.check(claim, f=[1, 2, 3]).verdict is mv.Verdict.HOLDS
    assert mv.check(claim, f=[1, 2, -3]).verdict is mv.Verdict.NOT_APPLICABLE
    found = mv.audit([claim])["mine"]
    assert found.standing is mv.Standing.SURVIVED and found.undecided == 0 and found.not_applicable > 0


def test_on_balls_an_open_comparison_decides_nothing():
    """``x < y`` of two overlapping balls is UNKNOWN, not FALSE."""
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
        (lambda claim: mv.falsify(claim, seed=-1), r"seed = -1 is not an integer of at least 0"),
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
    with pytest.raises(mv.errors.MappoVerifyError, match=cause):
        call(claim_of(top, whole))
