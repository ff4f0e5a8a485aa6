"""Claims, lines, chains, settings, hypotheses and the registry: what may be said, and how it is refused."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from functools import partial

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, like
from mappo_verify.checking.evaluate import certify
from mappo_verify.checking.sampling import draw, instance, sizes_of
from mappo_verify.claims.claim import Line, chains, cited, composed_relation
from mappo_verify.claims.coordinates import Coordinate
from mappo_verify.errors import ClaimError, GameError, MappoVerifyError
from mappo_verify.model.trees import unwrapped
from mappo_verify.papers.registry import CLAIMS, IDS, select
from mappo_verify.papers.registry import claim as find

RATIONALS = System.RATIONALS
ONE = mv.Sizes(1, (1,))
TABLE = mv.Setting("a table", (mv.Table("f", lambda _: (2,)),))


def plain(value):
    """The one instance behind hidden numbers, a game, a policy or a tuple, as plain arrays."""
    return unwrapped(value, ())


def exact(*values):
    return like(np.array([Fraction(v) for v in values], dtype=object), RATIONALS)


def claim_of(*lines, setting=TABLE, **more):
    """A claim whose proof yields these lines, whatever the case."""
    return mv.Claim("mine", "title", "source", setting, lambda _: iter(lines), **more)


def case_of(f=(1, 2), system=RATIONALS):
    return TABLE.case({"f": f}, ONE, system)


# --- lines and chains -------------------------------------------------------------------------------------------------


def test_lines_carry_what_they_were_given():
    first = mv.line("x", 1, where=True)
    assert (first.relation, first.because, first.where, first.axiom) == (None, "", True, None)
    for make, relation in ((mv.equal, "="), (mv.at_most, "≤"), (mv.at_least, "≥")):
        entry = make("y", 2, because="it is so", where=False, axiom="KL ≥ 0")
        assert (entry.expression, entry.value, entry.relation) == ("y", 2, relation)
        assert (entry.because, entry.where, entry.axiom) == ("it is so", False, "KL ≥ 0")
    with pytest.raises(FrozenInstanceError):
        first.value = 2


@pytest.mark.parametrize("relation", ["<", "==", "<=", ""])
def test_unknown_relation(relation):
    with pytest.raises(ClaimError, match="use one of = ≤ ≥"):
        Line("x", 1, relation, "because")


@pytest.mark.parametrize("make", [mv.equal, mv.at_most, mv.at_least])
def test_a_line_without_reason(make):
    with pytest.raises(ClaimError, match=r"'x' gives no reason"):
        make("x", 1, because="")


def entries(relations):
    first = mv.line("first", 0)
    return [first, *(Line(f"line {i}", 0, relation, "reason") for i, relation in enumerate(relations, start=1))]


@pytest.mark.parametrize(
    ("relations", "composed"),
    [
        ("=", "="),
        ("==", "="),
        ("≤", "≤"),
        ("=≤", "≤"),
        ("≤=", "≤"),
        ("≤=≤", "≤"),
        ("≥", "≥"),
        ("=≥=", "≥"),
        ("≥≥", "≥"),
    ],
)
def test_relations_compose(relations, composed):
    assert composed_relation(entries(relations)) == composed


@pytest.mark.parametrize("relations", ["≤≥", "≥≤", "≤=≥", "=≥=≤"])
def test_up_and_down_does_not_compose(relations):
    with pytest.raises(ClaimError, match="'first' goes both up and down, so it states nothing"):
        composed_relation(entries(relations))


def test_up_and_down_is_refused_when_the_claim_is_checked():
    proof = claim_of(mv.line("0", 0), mv.at_most("f", 1, because="a"), mv.at_least("0", 0, because="b"))
    with pytest.raises(ClaimError, match="both up and down"):
        mv.check(proof, f=exact(1, 2))


def test_chains_split_at_first_lines_and_drop_lonely_ones():
    a, b, c, d, e = mv.line("a", 0), mv.equal("b", 0, "r"), mv.line("c", 0), mv.line("d", 0), mv.at_most("e", 0, "r")
    assert chains([a, b, c, d, e]) == [[a, b], [d, e]]


def test_lines_of_a_claim():
    good = claim_of(mv.line("f", 1), mv.equal("f", 1, because="it is"))
    assert [entry.expression for entry in good.lines(case_of())] == ["f", "f"]
    with pytest.raises(ClaimError, match="claim mine: the proof yields no line"):
        claim_of().lines(case_of())
    with pytest.raises(ClaimError, match="no line relates to another, so nothing is claimed"):
        claim_of(mv.line("f", 1)).lines(case_of())
    with pytest.raises(ClaimError, match="no line relates to another"):
        claim_of(mv.line("f", 1), mv.line("g", 1)).lines(case_of())
    with pytest.raises(ClaimError, match="'f' has nothing to stand on; begin with line"):
        claim_of(mv.equal("f", 1, because="it is")).lines(case_of())


@pytest.mark.parametrize("name", ["Mine", "", "a b", "a/b/c", "/a", "a/", "lemma_1", "-a", "ä", "a\n"])
def test_malformed_ids(name):
    with pytest.raises(ClaimError, match="is not lower-case words"):
        mv.Claim(name, "t", "s", TABLE, lambda _: iter(()))


def test_parent_and_part():
    assert mv.Claim("lemma-1.2/path-wise", "t", "s", TABLE, iter).parent == "lemma-1.2"
    assert mv.Claim("lemma-1.2", "t", "s", TABLE, iter).parent == "lemma-1.2"


LOOKS_LIKE_A_CLAIM = re.compile(
    r"\b(?:definition|lemma|theorem|proposition|equation|remark|section|assumption)-[a-z0-9.]*[a-z0-9](?:/[a-z0-9.\-]*[a-z0-9])?"
)

# --- the proof graph --------------------------------------------------------------------------------------------------


def test_reasons_name_claims():
    assert cited("lemma-b.3: A^{1:N} is the sum of the A^m", IDS) == ("lemma-b.3",)
    assert cited("by lemma-b.3/zero-mean, and theorem-4.5/ii.", IDS) == ("lemma-b.3/zero-mean", "theorem-4.5/ii")
    assert cited("the Bellman equation", IDS) == ()
    assert cited("a dilemma-4.1 or Lemma-4.1, lemma-4.1a, lemma-4.12, lemma-4.1_x, lemma-4.1-like", IDS) == ()


@pytest.mark.parametrize("name", [claim.id for claim in CLAIMS])
def test_every_registered_id_can_be_cited(name):
    assert cited(f"by {name}: so it is", IDS) == (name,)
    assert cited(f"see {name}.", IDS) == (name,)


@pytest.mark.parametrize("name", ["my-bound", "mine", "step2", "fact-1.2/part-2", "corollary-7", "a.b"])
def test_any_legal_id_can_be_cited_but_only_if_it_exists(name):
    mv.Claim(name, "t", "s", TABLE, iter)  # a legal id
    for reason in (f"by {name}, at once", f"({name})", f"see {name}.", f"{name}'s last line"):
        assert cited(reason, {name}) == (name,)
        assert cited(reason, {"another"}) == ()
        assert cited(reason.replace(name, f"{name}0"), {name}) == ()
        assert cited(reason.replace(name, f"x{name}"), {name}) == ()


def test_a_slash_joins_a_claim_and_its_part_or_two_claims():
    assert cited("by one/two", {"one/two", "one", "two"}) == ("one/two",)
    assert cited("by one/two", {"one", "two"}) == ("one", "two")
    assert cited("by one/three", {"one", "two"}) == ("one",)


def test_registered_claims_are_well_formed():
    ids = [claim.id for claim in CLAIMS]
    assert len(set(ids)) == len(ids)
    for claim in CLAIMS:
        assert claim.title and claim.source and claim.statement, claim.id
        assert claim.record is not None, claim.id
        assert not claim.repaired_by or claim.repaired_by in ids, claim.id
        assert claim.record is not mv.Standing.PROVED or claim.symbolic or claim.points, claim.id


LEANS = {
    "definition-4.4": "lemma-b.5 lemma-b.5/a lemma-b.5/b lemma-b.5/sharp",
    "lemma-b.3": "lemma-4.1 lemma-4.1/stationary",
    "lemma-b.3/zero-mean": "lemma-4.1 lemma-4.1/stationary lemma-4.1/sequential-factor",
    "lemma-4.1": "monotone-improvement theorem-4.5/exact-rate theorem-4.5/exact-rate-without-discount "
    "theorem-5.5/two-agents theorem-5.5/one-agent",
    "proposition-4.2": "equation-1 proposition-4.2/averaged proposition-4.2/solver lemma-c.4",
    "lemma-4.1/stationary definition-4.4 lemma-b.6": "theorem-4.5/repaired theorem-4.5/repaired-sharp theorem-4.5/spread "
    "theorem-4.5/known-beta theorem-4.5/bounded-odds theorem-4.5/bounded-steps",
    "theorem-4.5/bounded-odds": "theorem-4.5/bounded-parameters",
    "lemma-4.1/stationary lemma-b.4 lemma-b.5 lemma-b.6": "theorem-4.5/i",
    "theorem-4.5/i": "theorem-4.5/ii theorem-4.5/ii-any-constant theorem-4.5/wider-steps",
    "monotone-improvement": "theorem-4.5/exact-rate theorem-4.5/exact-rate-without-discount",
    "theorem-4.5/exact-rate": "theorem-4.5/exact-rate-in-rewards",
    "definition-3.1": "lemma-c.3/marginals lemma-c.7",
    "definition-3.2/uniqueness": "definition-3.1",
    "definition-5.4 lemma-c.2/realizable lemma-c.3/all-agents lemma-c.6 lemma-c.7":
    "theorem-5.5/two-agents theorem-5.5/one-agent",
    "lemma-c.3/marginals lemma-c.6/sharp":
    "theorem-5.5/repaired theorem-5.5/repaired-sample theorem-5.5/every-length theorem-d.7/repaired",
    "lemma-c.7": "theorem-5.5/repaired theorem-5.5/repaired-sample theorem-5.5/every-length lemma-c.7/all-weights",
    "lemma-c.1/explicit lemma-c.2/explicit theorem-5.5/repaired-sample": "theorem-5.5/probability",
    "lemma-b.1/expectation lemma-b.2/gradient-bound": "lemma-b.2/rate",
    "lemma-c.4": "lemma-c.5",
    "lemma-c.5": "lemma-c.6/route",
    "lemma-c.6/sharp": "lemma-c.6 lemma-c.6/constant lemma-c.6/best-step",
    "section-c.1/unconstrained": "lemma-c.7/all-weights",
    "assumption-d.2": "assumption-d.3",
    "assumption-d.3": "lemma-d.5/population",
    "lemma-d.4": "lemma-d.6",
    "lemma-d.6": "theorem-d.7 theorem-d.7/any-constant theorem-d.7/repaired",
    "lemma-d.5 lemma-c.3/all-agents": "theorem-d.7 theorem-d.7/any-constant",
    "section-e/constant": "section-e/stationary-policy",
    "section-e/stationary-point": "section-e/slope",
    "section-e/slope section-e/global-maximum": "section-e/constrained-stationary",
}  # fmt: skip
"""What the proofs are made of: these lemmas are cited by those, and nobody else leans on another."""


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.id)
def test_what_a_registered_proof_leans_on_is_what_it_is_made_of(claim):
    """On a few drawn instances: every claim that a reason names exists, and it is the lemma that the step needs."""
    every = sizes_of(claim.setting)
    sizes = next((s for s in every if min(s.actions) > 1 and s.states == claim.setting.states[1]), every[-1])
    drawn = draw(claim.setting, sizes, 20, np.random.default_rng(0))
    lines = certify(claim, lambda system: claim.setting.case(drawn, sizes, system)).lines
    reasons = [entry.step.because for entry in lines if entry.step is not None]
    links = {name for reason in reasons for name in cited(reason, IDS)}
    named = {name for reason in reasons for name in LOOKS_LIKE_A_CLAIM.findall(reason)}
    assert lines and named <= links <= IDS - {claim.id}
    assert links == {name for names, users in LEANS.items() if claim.id in users.split() for name in names.split()}
    steps = "".join(" " if entry.step is None else entry.step.relation for entry in lines).split()
    if claim.id in STEPS:
        assert dict.fromkeys(steps) == dict.fromkeys(STEPS[claim.id].split())
    elif claim.id in EQUALITIES or not (set("≤≥") & set(claim.statement) or claim.id in IN_WORDS):
        assert set("".join(steps)) == {"="}, "the statement is an equality"


STEPS = {
    "section-3.1/occupancy": "= ≤",
    "section-3.1/optimal": "≤ =",
    "definition-4.4": "=≤ =≤=",
    "proposition-4.2": "=≥ =",
    "proposition-4.2/support": "= =≥",
    "proposition-4.2/averaged": "=≥",
    "section-4.3/shared-parameters": "=≤ =",
    "theorem-5.5/one-agent-every-penalty": "=≥≥≥= =",
    "theorem-5.5/two-agents-every-penalty": "=≥≥ =≥ =",
    "section-c.1/unconstrained": "== = =≥",
    "lemma-c.1/projection": "=≤",
    "lemma-c.3/reward-error-half": "===≤≤",
    "lemma-c.4": "= =≤ ==≤",
    "lemma-c.5": "=≤≤ =",
    "assumption-d.2": "= ≤≤",
    "lemma-d.5/population": "==≤=≤",
    "theorem-d.7/trap": "= ≤ ≥",
    "section-e/constrained-stationary": "≥ =",
}
"""Where a statement has equalities and inequalities: the relations of the steps of each chain."""
EQUALITIES = ("lemma-b.3", "lemma-c.3/reward-error-attained")
"""Equalities whose statements have another sign in an index or a range."""
IN_WORDS = ("theorem-4.5/repaired-sharp", "theorem-4.5/spread", "theorem-4.5/entropy-is-tight")
"""Inequalities whose statements say so in words."""

ASSUMED = {
    "section-3.1":
        "start is a distribution | I - γP_π is invertible",
    "section-3.1/occupancy":
        "game never terminates | start is a distribution | I - γP_π is invertible",
    "section-3.1/stationary":
        "game never terminates | P_π has one recurrent class",
    "section-3.1/optimal":
        "γ < 1, so that every policy has values",
    "definition-3.1 definition-3.2 definition-3.2/uniqueness lemma-b.3 lemma-b.3/zero-mean "
    "lemma-b.3/zero-mean-conditioning lemma-c.3/each-agent lemma-c.3/marginals section-e/value":
        "I - γP_π is invertible",
    "definition-3.1/product-readings lemma-b.3/zero-mean-product":
        "policy is a product | I - γP_π is invertible",
    "definition-3.2/lipschitz theorem-4.5/sharp-is-tight section-e/update-scale":
        "",
    "definition-3.2/no-discount":
        "game never terminates | game has discount 1",
    "equation-1 proposition-4.2":
        "beta > 0 | policy is a distribution | policy has full support | candidate is a distribution",
    "equation-1/realizable-fit":
        "policy is a distribution | policy has full support | data is a distribution | data has full support | the "
        "features are independent on the support of σ_k",
    "lemma-4.1":
        "start is a distribution | I - γP_π is invertible for π and π'",
    "lemma-4.1/stationary":
        "game never terminates | I - γP_π is invertible for π and π' | π' has one stationary distribution",
    "lemma-4.1/sequential-factor":
        "policy has full support | I - γP_π is invertible",
    "definition-4.4 lemma-b.4/repaired lemma-b.5 lemma-b.5/a lemma-b.5/b lemma-b.5/sharp":
        "game never terminates | policy has full support | both have one stationary distribution | ν_k π_k dominates "
        "ν_* π_*",
    "proposition-4.2/support":
        "beta > 0 | policy is a distribution | candidate is a distribution | the candidate lives on the support of π_k",
    "proposition-4.2/averaged":
        "beta > 0 | policy is a distribution | policy has full support | candidate is a distribution | candidate has "
        "full support | data is a distribution",
    "proposition-4.2/solver":
        "beta > 0 | policy is a distribution | policy has full support",
    "theorem-4.5/repaired theorem-4.5/repaired-sharp theorem-4.5/spread theorem-4.5/bounded-odds "
    "theorem-4.5/bounded-parameters":
        "game never terminates | beta > 0 | π_* and π_k have one stationary distribution each | every state is "
        "recurrent under full support, so concentrability is finite | γ < 1",
    "theorem-4.5/known-beta":
        "game never terminates | π_* and π_k have one stationary distribution each | every state is recurrent under "
        "full support, so concentrability is finite | γ < 1 | |Q̂| ≤ B along the run",
    "theorem-4.5/bounded-steps":
        "game never terminates | beta > 0 | π_* and π_k have one stationary distribution each | every state is "
        "recurrent under full support, so concentrability is finite | γ < 1 | sinh(ω/2) ≤ 3 + √2: no step multiplies "
        "the odds of two actions by more than e^ω = 79.9",
    "theorem-4.5/fit-is-tight theorem-4.5/critic-is-tight":
        "scale > 0 | beta > 0",
    "theorem-4.5/entropy-is-tight":
        "beta > 0",
    "theorem-4.5/square-is-tight":
        "size > 0",
    "parallel-updates monotone-improvement":
        "policy has full support | beta > 0 | γ < 1",
    "theorem-4.5/exact-rate theorem-4.5/exact-rate-in-rewards":
        "beta > 0 | γ < 1",
    "theorem-4.5/exact-rate-without-discount":
        "game has discount 1 | beta > 0 | I - P_π is invertible for π_* | and for policies of full support",
    "section-4.3/shared-parameters":
        "weights is a distribution",
    "definition-5.4 lemma-c.2/population":
        "game never terminates | rewards of game lie in [0, 1] | mu is a distribution | mu has full support | γ < 1",
    "theorem-5.5/repaired":
        "game never terminates | rewards of game lie in [0, 1] | mu is a distribution | mu has full support | penalty > "
        "0 | γ < 1 | f_k(s_0, π_k) + λE(f_k) ≤ J_k + λE(Q_{π_k})",
    "theorem-5.5/repaired-sample theorem-5.5/every-length":
        "game never terminates | rewards of game lie in [0, 1] | mu is a distribution | mu has full support | penalty > "
        "0 | seen is a distribution | seen has full support | γ < 1 | f_k(s_0, π_k) + λE(f_k) ≤ J_k + λE(Q_{π_k})",
    "theorem-5.5/probability":
        "rewards of game lie in [0, 1] | data is a distribution | counts are not negative | start is a distribution | γ "
        "< 1 | the sample is not empty | T f is linear in the features if f is | every point occurs in the sample",
    "theorem-5.5/one-agent-every-penalty":
        "first is a distribution | penalty > 0 | f(s, 0) ≥ 0",
    "theorem-5.5/two-agents-every-penalty":
        "first is a distribution | penalty > 0 | f(y) ≥ 0",
    "theorem-5.5/penalty":
        "reach > 0 | horizon > 0 | small > 0 | half > 0",
    "lemma-b.1/expectation":
        "chances is a distribution | chances has full support | some slope is not 0",
    "lemma-b.2/gradient-bound":
        "radius > 0 | bound > 0 | beta > 0",
    "lemma-b.2/rate":
        "radius > 0 | bound > 0 | beta > 0 | chances is a distribution | chances has full support",
    "lemma-b.6":
        "beta > 0 | policy is a distribution | policy has full support | target is a distribution",
    "lemma-c.1 lemma-c.1/explicit":
        "rewards of game lie in [0, 1] | data is a distribution | counts are not negative | γ < 1 | the sample is not "
        "empty | Q_π is linear in the features",
    "lemma-c.1/projection":
        "rewards of game lie in [0, 1] | data is a distribution | cells is a distribution | cells has full support | γ "
        "< 1",
    "lemma-c.1/moment":
        "game never terminates | rewards of game lie in [0, 1] | time > 0 | γ < 1",
    "lemma-c.2/explicit lemma-c.2/complete":
        "rewards of game lie in [0, 1] | data is a distribution | counts are not negative | γ < 1 | the sample is not "
        "empty | T f is linear in the features if f is | every point occurs in the sample",
    "section-c.1/unconstrained":
        "data is a distribution | penalty > 0",
    "lemma-c.3/reward-error-repaired lemma-c.3/reward-error-half":
        "game never terminates | rewards of game lie in [0, 1] | mu is a distribution | mu has full support | γ < 1 | "
        "rewards are at most 1 | f ≥ 0 | f ≤ 1/(1-γ)",
    "lemma-c.3/reward-error-attained":
        "0 ≤ f ≤ 1/(1-γ)",
    "lemma-c.4 lemma-c.5":
        "eta > 0 | comparator is a distribution",
    "lemma-c.6 lemma-c.6/route lemma-c.6/constant lemma-c.6/best-step":
        "bound > 0 | comparator is a distribution | weights is a distribution | shares lie in [0, 1] | there is a "
        "choice: |A| ≥ 2",
    "lemma-c.6/sharp":
        "eta > 0 | comparator is a distribution | f_k ≥ 0 | f_k ≤ B",
    "lemma-c.7 lemma-c.7/all-weights":
        "data is a distribution | penalty > 0 | I - γP_π is invertible",
    "assumption-d.1":
        "rewards of game lie in [0, 1] | γ < 1",
    "assumption-d.2 assumption-d.3 lemma-d.4/population lemma-d.5/population":
        "game never terminates | rewards of game lie in [0, 1] | data is a distribution | start is a distribution | γ < "
        "1",
    "lemma-d.4 lemma-d.5":
        "rewards of game lie in [0, 1] | data is a distribution | counts are not negative | γ < 1 | the sample is not "
        "empty",
    "lemma-d.6":
        "game never terminates | rewards of game lie in [0, 1] | data is a distribution | counts are not negative | "
        "start is a distribution | penalty > 0 | γ < 1 | the sample is not empty",
    "theorem-d.7/trap":
        "first is a distribution | penalty > 0 | there is data | agent 2 played 0 at (s, 0) at most 3 times in 4",
    "theorem-d.7/repaired":
        "game never terminates | rewards of game lie in [0, 1] | start is a distribution | mu is a distribution | mu "
        "has full support | penalty > 0 | counts are not negative | γ < 1 | no sample is empty | f_k(s_0, π_k) + "
        "λE(f_k) ≤ J_k + min_f (‖f - T f‖_∞/(1-γ) + λE(f)) + ε_o",
    "section-e/constant":
        "y is a distribution",
    "section-e/stationary-point":
        "xᵀSy ≠ 0",
    "section-e/slope section-e/global-maximum section-e/constrained-stationary":
        "x is a distribution | y is a distribution",
}  # fmt: skip
"""What instances of the claims that stand must meet, and no more: one condition more is another claim, which says less.

What a condition says is computed again in ``test_printed_formulas.py``; the script beside the certificates has both for
refuted claims.
"""


def test_no_claim_that_stands_assumes_more_than_it_says():
    said = {name: tuple(filter(None, text.split(" | "))) for names, text in ASSUMED.items() for name in names.split()}
    standing = [claim for claim in CLAIMS if claim.record is not mv.Standing.REFUTED]
    assert said == {claim.id: tuple(h.name for h in claim.setting.all_hypotheses) for claim in standing}


def test_find_and_select():
    assert find("lemma-4.1").id == "lemma-4.1"
    with pytest.raises(ClaimError, match=r"no claim is called 'lema-4.1'; did you mean lemma-4.1"):
        find("lema-4.1")
    with pytest.raises(ClaimError, match=r"no claim is called 'qqqqqqqqqq' \(mappo-verify claims"):
        find("qqqqqqqqqq")
    assert select(None) == CLAIMS
    parts = [claim.id for claim in select(["lemma-b.3"])]
    assert parts == [claim.id for claim in CLAIMS if claim.parent == "lemma-b.3"] and len(parts) > 1
    assert [claim.id for claim in select(["lemma-b.3/zero-mean"])] == ["lemma-b.3/zero-mean"]
    own = claim_of()
    assert select([own, "lemma-4.1/stationary", own]) == (own, find("lemma-4.1/stationary"))
    assert select([]) == ()


def test_no_verdict_hides_behind_that_of_another_claim():
    """Of two claims called mine/part one was REFUTED, and the table of standings had the other one's SURVIVED."""
    with pytest.raises(ClaimError, match="two claims are called 'mine/part'; give each an id of its own"):
        mv.audit([replace(claim_of(), id="mine/part"), replace(claim_of(), id="mine/part")])
    assert len(select([replace(claim_of(), id="lemma-4.1/stationary"), "lemma-4.1/stationary"])) == 2


# --- sizes and settings -----------------------------------------------------------------------------------------------


def test_sizes():
    assert mv.Sizes(3, (2, 3)).agents == 2
    assert str(mv.Sizes(1, (2,))) == "1 state, 2 actions"
    assert str(mv.Sizes(3, (2, 3))) == "3 states, 2x3 actions"


def test_a_setting_refuses_bad_names():
    with pytest.raises(ClaimError, match="names an ingredient twice"):
        mv.Setting("s", (mv.Table("f", lambda _: (1,)), mv.Table("f", lambda _: (2,))))
    for name in ("take", "system", "batch_shape"):
        with pytest.raises(ClaimError, match=f"'{name}' is taken by Case"):
            mv.Setting("s", (mv.Table(name, lambda _: (1,)),))


def test_coordinates_say_how_an_instance_is_described():
    sizes = mv.Sizes(2, (2, 3))
    shapes = {c.name: (c.shape, c.kind) for c in find("lemma-4.1").setting.coordinates(sizes)}
    assert shapes == {
        "game.transition": ((2, 6, 3), "weight"),
        "game.reward": ((2, 6), "integer"),
        "game.discount": ((2,), "weight"),
        "target.1": ((2, 1, 2), "weight"),
        "target.2": ((2, 2, 3), "weight"),
        "policy.1": ((2, 1, 2), "weight"),
        "policy.2": ((2, 2, 3), "weight"),
        "start": ((2,), "weight"),
    }


GAME = mv.Setting(
    "everything",
    (
        mv.GameData("game", reward=(0, 4), scale=4),
        mv.PolicyData("policy", product=True, full_support=True),
        mv.PositiveScalar("beta"),
        mv.Distribution("data", lambda sizes: (sizes.states,), full_support=True),
        mv.LogOdds("values", lambda sizes: (sizes.actions[0],), times="beta"),
        mv.LogOdds("bare", lambda sizes: (sizes.actions[0],)),
        mv.Derived("twice", lambda case: case.beta + case.beta),
    ),
)
COORDINATES = {
    "game.transition": [[[1, 2, 1]] * 4, [[0, 0, 5]] * 4],
    "game.reward": [[0, 1, 2, 3], [4, 4, 4, 4]],
    "game.discount": [9, 1],
    "game.start": [1, 3],
    "policy.1": [[1, 1], [1, 3]],
    "policy.2": [[2, 1], [1, 1]],
    "beta": [3, 2],
    "data": [1, 1],
    "values": [8, 1],
    "bare": [2, 1],
}


@pytest.mark.parametrize("system", [System.FLOATS, System.RATIONALS, System.BALLS])
def test_a_case_is_what_its_integers_say(system):
    case = GAME.case(COORDINATES, mv.Sizes(2, (2, 2)), system)
    assert case.system == system and case.several == () and case.sizes == mv.Sizes(2, (2, 2))
    game, policy = plain(case.game), plain(case.policy)
    if system is not RATIONALS:
        assert float(game.discount[()]) == pytest.approx(0.9)
        assert float(plain(case.twice)[()]) == 3
        return
    assert (game.transition == like([[[Fraction(1, 4), Fraction(1, 2)]] * 4, [[0, 0]] * 4], RATIONALS)).all()
    assert (game.reward[0] == exact(0, "1/4", "1/2", "3/4")).all()
    assert game.discount == exact("9/10")[0]
    assert (game.start == exact("1/4", "3/4")).all()
    assert policy.is_product() and (policy.factors[1][0, 1] == exact("2/3", "1/3")).all()
    assert plain(case.beta) == exact("3/2")[0]
    assert plain(case.twice) == 3
    assert (plain(mv.exp(case.values / case.beta)) == exact(8, 1)).all()
    assert (plain(mv.exp(case.bare)) == exact(2, 1)).all()
    assert all((plain(h.holds(case)) == 1).all() for h in GAME.all_hypotheses)
    assert [h.name for h in GAME.all_hypotheses] == [
        "rewards of game lie in [0, 1]",
        "policy is a product",
        "policy has full support",
        "beta > 0",
        "data is a distribution",
        "data has full support",
    ]


def test_a_batch_of_cases_and_one_of_them():
    batch = {name: np.stack([values, values]) for name, values in COORDINATES.items()}
    batch["beta"] = np.array([[3, 2], [1, 1]])
    cases = GAME.case(batch, mv.Sizes(2, (2, 2)), RATIONALS)
    assert cases.several == (2,) and cases.beta.shape == () and cases.beta.unwrap().tolist() == exact("3/2", 1).tolist()
    kept = cases.take(np.array([False, True]))
    assert kept.several == (1,) and kept.beta.unwrap().tolist() == [1] and kept.twice.unwrap().tolist() == [2]
    assert kept.game.transition.shape == (2, 4, 2) and kept.game.transition._count == 1


def test_by_construction_hypotheses_reject_objects_that_break_them():
    """A user's objects may break what drawn ones satisfy; each such break is seen."""
    setting = mv.Setting("s", (mv.GameData("game", termination=False, discounted=False, reward=(0, 1)),))
    names = {h.name: h for h in setting.all_hypotheses}
    leaky = mv.Game([[[0.5]]], [[2.0]], 0.5)
    case = setting.case_from({"game": leaky})
    assert {name: int(np.min(plain(h.holds(case)))) for name, h in names.items()} == {
        "game never terminates": -1,
        "game has discount 1": -1,
        "rewards of game lie in [0, 1]": -1,
    }
    good = setting.case_from({"game": mv.Game([[[1.0]]], [[1.0]], 1.0)})
    assert all(np.min(plain(h.holds(good))) == 1 for h in names.values())


@pytest.mark.parametrize("weights", [(["1/2", "1/3"]), (["3/4", "3/4"]), ([2, -1])])
def test_weights_that_are_no_distribution(weights):
    game = mv.Game(like([[[1, 0]], [[0, 1]]], RATIONALS), like([[0], [0]], RATIONALS), like(Fraction(1, 2), RATIONALS))
    try:
        evidence = mv.check("section-3.1/occupancy", game=game, policy=mv.Policy.uniform(game), start=exact(*weights))
    except GameError:
        return
    assert evidence.verdict is mv.Verdict.NOT_APPLICABLE
    assert "start is a distribution" in evidence.reason


def test_an_instance_that_lacks_or_bends_its_coordinates():
    with pytest.raises(ClaimError, match="lacks the coordinates 'f'"):
        TABLE.case({}, ONE, RATIONALS)
    with pytest.raises(ClaimError, match=r"f has shape \(3,\), not \[..., \(2,\)\]"):
        TABLE.case({"f": [1, 2, 3]}, ONE, RATIONALS)
    with pytest.raises(ClaimError, match="f has shape"):
        TABLE.case({"f": 1}, ONE, RATIONALS)


def test_a_case_names_what_it_has():
    with pytest.raises(AttributeError, match=r"this case has no 'g'; it has \['f'\]"):
        _ = case_of().g


# --- a user's own objects ---------------------------------------------------------------------------------------------

CLIMBING = mv.named_game("climbing")
UNIFORM = mv.Policy.uniform(CLIMBING)


def test_unknown_and_missing_ingredients():
    with pytest.raises(ClaimError, match=r"unknown ingredients \['polcy'\]; this claim takes \['game', 'policy'"):
        mv.check("lemma-4.1", game=CLIMBING, polcy=UNIFORM)
    with pytest.raises(ClaimError, match=r"this claim needs target= as well; it takes \['game', 'policy', 'start'"):
        mv.check("lemma-4.1", game=CLIMBING, policy=UNIFORM)
    with pytest.raises(ClaimError, match="this claim needs game= as well"):
        mv.check("lemma-4.1")
    startless = replace(CLIMBING, start=None)
    with pytest.raises(ClaimError, match="this claim needs start= as well"):
        mv.check("lemma-4.1", game=startless, policy=UNIFORM, target=UNIFORM)


def test_wrong_kinds_of_objects():
    with pytest.raises(ClaimError, match="game must be a Game, not Policy"):
        mv.check("lemma-b.3", game=UNIFORM, policy=UNIFORM)
    with pytest.raises(ClaimError, match="policy must be a Policy, not Game"):
        mv.check("lemma-b.3", game=CLIMBING, policy=CLIMBING)
    with pytest.raises(MappoVerifyError):
        mv.check("lemma-b.3", game={}, policy=UNIFORM)
    with pytest.raises(GameError, match="the policy is for 3 states"):
        mv.check("lemma-b.3", game=CLIMBING, policy=mv.Policy.uniform(mv.random_game(3, (3, 3))))


def test_batches_that_do_not_fit():
    games, others = (mv.random_game(2, (2,), batch=(count,)) for count in (3, 2))
    rows = mv.Policy([np.full((2, 2, 1, 2), 0.5)])
    assert others.batch_shape == rows.batch_shape == (2,)
    with pytest.raises(GameError, match=r"the batch axes do not fit: game \[3\], policy \[2\]"):
        mv.check("lemma-b.3", game=games, policy=rows)
    one, three = mv.random_game(2, (2,)), mv.Policy([np.full((3, 2, 1, 2), 0.5)])
    with pytest.raises(ClaimError, match="batch axes of the ingredients do not fit"):
        mv.check("lemma-4.1", game=one, policy=rows, target=three)


def test_systems_are_not_mixed():
    setting = find("lemma-b.3").setting
    with pytest.raises(ClaimError, match="game in rationals, policy in floats"):
        setting.case_from({"game": CLIMBING, "policy": UNIFORM.floats()})
    with pytest.raises(ClaimError, match=r"game is in balls; check\(\) wants exact or float data"):
        mv.check("lemma-b.3", game=CLIMBING.balls(), policy=UNIFORM)
    start = like([1], System.BALLS)
    with pytest.raises(ClaimError, match="start is in balls"):
        mv.check("lemma-4.1", game=CLIMBING, policy=UNIFORM, target=UNIFORM, start=start)
    for slipped in (np.array([1.0, 2.0]), exact(1, 2), 0.5):
        strange = claim_of(mv.line("1", 1), mv.equal("1/2", slipped, because="it slipped in"))
        with pytest.raises(ClaimError, match=r"line '1/2' is an? .*, no number of the case"):
            mv.check(strange, f=exact(1, 2))


def test_a_users_game_alone_fixes_sizes_and_a_caller_may_give_what_is_derived():
    case = find("lemma-4.1/stationary").setting.case_from(
        {"game": CLIMBING, "policy": UNIFORM, "target": UNIFORM, "start": exact(1)}
    )
    assert case.sizes == mv.Sizes(1, (3, 3)) and plain(case.start).tolist() == [1]


def test_what_is_derived_need_not_be_given():
    game = mv.random_game(2, (2, 2))
    target = mv.Policy.deterministic(game, [0, 3])
    evidence = mv.check("lemma-4.1/stationary", game=game, policy=mv.Policy.uniform(game), target=target)
    assert evidence.holds
    assert (evidence.lines[1].value == mv.stationary_distribution(game, target)).all()


def test_policies_without_a_game_fit_each_other():
    setting = mv.Setting("two policies", (mv.PolicyData("one"), mv.PolicyData("two")))

    def proof(case):
        yield mv.line("π", case.one.joint())
        yield mv.equal("π'", case.two.joint(), because="said so")

    claim = mv.Claim("mine", "t", "s", setting, proof)
    assert mv.check(claim, one=UNIFORM, two=UNIFORM).holds
    other = mv.Policy.uniform(mv.random_game(1, (2, 2)))
    with pytest.raises(MappoVerifyError):
        mv.check(claim, one=UNIFORM, two=other)


def test_shapes_that_clash_inside_a_proof_are_a_claim_error():
    clash = mv.Claim(
        "mine", "t", "s", TABLE, lambda case: iter([mv.line("f + g", case.f + like([1, 2, 3], case.system))])
    )
    with pytest.raises(
        ClaimError, match=r"claim mine: .*the shapes \(2,\) and \(3,\) of one instance do not fit.*test_claims.py"
    ):
        mv.check(clash, f=exact(1, 2))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_numbers_are_refused_by_name(bad):
    claim = claim_of(mv.line("f", exact(1, 2)), mv.equal("f", exact(1, 2), because="it is"))
    with pytest.raises(MappoVerifyError, match=r"f\[1\]"):
        mv.check(claim, f=[1.0, bad])


def test_a_table_of_the_wrong_shape_is_refused():
    """Its setting says two entries; three, or one that would broadcast, are another claim."""
    claim = find("proposition-4.2")
    half = exact("1/2", "1/2")
    mv.check(claim, beta=exact(1)[0], policy=half, values=exact(0, 0), candidate=half)
    for values in (exact(0, 0, 0), exact(0)):
        with pytest.raises(MappoVerifyError, match="values"):
            mv.check(claim, beta=exact(1)[0], policy=half, values=values, candidate=half)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.id)
def test_objects_say_what_their_integers_say(claim):
    """An instance handed over as a user's own objects: the same verdict and the same margin."""
    sizes = sizes_of(claim.setting)[0]
    drawn = draw(claim.setting, sizes, 3, np.random.default_rng(3))
    for index in range(3):
        coordinates = instance(drawn, index)
        known = certify(claim, partial(claim.setting.case, coordinates, sizes))
        objects = {n: plain(v) for n, v in claim.setting.case(coordinates, sizes, RATIONALS).objects.items()}
        given = mv.check(claim, **objects)
        assert given.verdict is known.verdict and str(given.margin) == str(known.margin)
        for name, value in objects.items():
            if isinstance(value, tuple):  # one table per agent
                with pytest.raises(ClaimError, match=f"{name} must be one table per"):
                    mv.check(claim, **objects | {name: value[0]})


def test_fractions_are_numbers():
    """``Game`` and ``Policy`` take ``fractions.Fraction``; so must every other ingredient."""
    half = [Fraction(1, 2), Fraction(1, 2)]
    game = mv.random_game(2, (2,))
    policy = mv.Policy.uniform(game)
    assert mv.check("lemma-4.1", game=game, policy=policy, target=policy, start=half).holds


def test_coordinate_is_plain_data():
    assert Coordinate("f", (2,), "integer", -1, 1) == Coordinate("f", (2,), "integer", -1, 1)


ERASES, NEXT, BACKWARDS, SURROGATE = "x\x1b[2J", "x\nmine  PROVED", "\u202eDEVORP", "\ud800"
"""What makes a terminal show another verdict, or no file able to hold it."""


@pytest.mark.parametrize(
    "made",
    [
        lambda text: mv.Claim("mine", text, "source", TABLE, iter),
        lambda text: mv.Claim("mine", "title", text, TABLE, iter),
        lambda text: claim_of(statement=text),
        lambda text: claim_of(note=text),
        lambda text: claim_of(repaired_by=text),
        lambda text: mv.line(text, 0),
        lambda text: mv.equal("0", 0, because=text),
        lambda text: mv.at_most("0", 0, because="assumed", axiom=text),
        lambda text: replace(TABLE, name=text),
        lambda text: replace(TABLE, ingredients=(mv.Table(text, lambda _: ()),)),
        lambda text: replace(TABLE, hypotheses=(mv.Hypothesis(text, lambda case: case.f >= 0),)),
    ],
)
@pytest.mark.parametrize("text", [ERASES, NEXT, BACKWARDS, SURROGATE])
def test_words_are_printed_as_they_are(made, text):
    with pytest.raises(ClaimError, match="cannot be printed; write one plain line"):
        made(text)


class Speaking:
    """It says something else whenever it is asked."""

    def __str__(self):
        return ERASES


class Printable(str):
    """It says that it can be printed."""

    __slots__ = ()

    def isprintable(self):
        return True


@pytest.mark.parametrize(
    "made",
    [
        lambda text: mv.Claim("mine", text, "source", TABLE, iter),
        lambda text: claim_of(statement=text),
        lambda text: claim_of(note=text),
        lambda text: claim_of(repaired_by=text),
        lambda text: replace(mv.line("0", 0), computed_by=(text,)),
        lambda text: replace(TABLE, name=text),
        lambda text: mv.Hypothesis(text, lambda case: case.f >= 0),
        lambda text: Coordinate(text, (), "integer", 0, 1),
    ],
)
@pytest.mark.parametrize("text", [Speaking(), Printable(ERASES)])
def test_words_are_plain(made, text):
    with pytest.raises(ClaimError, match=f"a {type(text).__name__} in place of a plain str"):
        made(text)


def test_an_assumption_is_a_plain_word():
    with pytest.raises(ClaimError, match="a Printable in place of a plain str"):
        mv.at_most("0", 0, because="assumed", axiom=Printable(ERASES))
