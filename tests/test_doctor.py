"""Planted errors: each applies, each is refuted with a finite margin, and nothing else is."""

from __future__ import annotations

import importlib
import re
import sys
from collections import defaultdict
from fractions import Fraction
from functools import cache
from itertools import islice
from pathlib import Path

import flint
import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic.precision import precision
from mappo_verify.checking import doctor
from mappo_verify.checking.campaign import try_out
from mappo_verify.checking.doctor import ROOT, SELF_TEST, Diagnosis, Planted, diagnose, planted_copy
from mappo_verify.errors import ClaimError
from mappo_verify.papers.registry import CLAIMS
from planted import PLANTED

BY_MODULE: dict[str, tuple[str, ...]] = defaultdict(tuple)
for _error in PLANTED:
    BY_MODULE[_error.module] = tuple(dict.fromkeys((*BY_MODULE[_error.module], *_error.claims)))


def harmless(module, claims):
    """The same module with a comment more."""
    text = "from __future__ import annotations\n"
    return Planted(f"a comment in {module}", module, text, f"{text}# nothing is changed\n", claims)


def certainly_negative(margin):
    """Whether a margin as text (a fraction, formal logarithms, a ball) is finite and below 0, and whether it is exact."""
    if re.fullmatch(r"-?\d+(/\d+)?", margin):
        return Fraction(margin) < 0, True
    with precision(512):
        if margin.startswith("[") or re.fullmatch(r"-?\d+\.\d+(e-?\d+)?", margin):  # a ball, perhaps of radius 0
            ball = flint.arb(margin)
            return bool(ball.is_finite()) and ball < 0, False
        text = re.sub(r"log[ (](\d+)\)?", r"Number(\1).log()", margin.replace("·", "*"))
        text = re.sub(r"(?<![\w(])(\d+)", r"Number(\1)", text)
        return eval(text, {"Number": flint.arb}) < 0, True


def test_margins_as_text_are_understood():
    assert certainly_negative("-3/4") == (True, True)
    assert certainly_negative("3/4") == (False, True)
    assert certainly_negative("24/233·log 2 - 9·log 8") == (True, True)
    assert certainly_negative("9·log 8 - 24/233·log 2") == (False, True)
    assert certainly_negative("[-0.25 +/- 1e-9]") == (True, False)
    assert certainly_negative("-2.5e-06") == (True, False) and certainly_negative("2.5e-06") == (False, False)
    assert certainly_negative("-221.000") == (True, False) and certainly_negative("0.500") == (False, False)
    assert certainly_negative("[+/- 1e-9]") == (False, False)
    assert certainly_negative("[+/- inf]") == (False, False)


def test_there_are_many_different_errors():
    assert len(PLANTED) >= 40
    assert len({(e.module, e.right, e.wrong) for e in PLANTED}) == len(PLANTED)
    assert len({e.what for e in PLANTED}) == len(PLANTED)
    assert {Path(e.module).parent.name for e in PLANTED} == {"quantities", "model", "arithmetic"}


@pytest.mark.parametrize("error", PLANTED, ids=lambda e: e.what)
def test_the_text_occurs_exactly_once(error):
    source = (ROOT / error.module).read_text(encoding="utf-8")
    assert source.count(error.right) == 1
    assert error.right != error.wrong
    compile(source.replace(error.right, error.wrong), error.module, "exec")
    assert error.claims and set(error.claims) <= {claim.id for claim in CLAIMS}


@cache
def diagnosed(error):
    """One error alone, so that several workers share the errors, and none plants one twice."""
    (found,) = diagnose(0, planted=[error])
    return found


def test_the_self_test_is_planted_unless_errors_are_named(monkeypatch):
    planted = []
    monkeypatch.setattr(doctor, "_diagnose", lambda error, seed: planted.append((error, seed)))
    told = []
    assert len(diagnose(7, lambda what, share: told.append((what, share)))) == len(SELF_TEST)
    assert planted == [(error, 7) for error in SELF_TEST]
    assert [what for what, _ in told] == [error.what for error in SELF_TEST]
    assert [share for _, share in told] == [k / len(SELF_TEST) for k in range(len(SELF_TEST))]
    assert 10 <= len(SELF_TEST) <= 14 and set(SELF_TEST) < set(PLANTED)


@pytest.mark.parametrize("error", PLANTED, ids=lambda e: e.what)
def test_every_planted_error_is_refuted_with_a_finite_margin(error):
    found = diagnosed(error)
    assert found.caught, error.what
    assert found.caught_by.split(",")[0] in error.claims
    negative, _ = certainly_negative(found.margin)
    assert negative and found.rounded < 0, f"margin {found.margin} of {error.what!r} is no finite negative number"


def test_at_least_forty_margins_are_exact():
    """Rationals or formal logarithms; as many errors as it takes to find forty."""
    exact = (error for error in PLANTED if certainly_negative(diagnosed(error).margin)[1])
    assert len(list(islice(exact, 40))) == 40


@pytest.mark.parametrize("seed", [1, 2])
def test_other_seeds_catch_them_too(seed):
    sample = PLANTED[seed::6]
    assert [found.planted.what for found in diagnose(seed, planted=sample) if not found.caught] == []


@pytest.mark.parametrize("module", BY_MODULE)
def test_no_false_alarm(module):
    """The very claims that catch the errors of a module say nothing of a copy that is only commented."""
    (found,) = diagnose(0, planted=[harmless(module, BY_MODULE[module])])
    assert found == Diagnosis(found.planted, False, None, None)


def test_claims_that_hold_catch_nothing_in_the_original():
    for name in {name for error in PLANTED for name in error.claims}:
        assert try_out(name, 60, 5) is None


def test_a_crash_is_no_refutation():
    error = next(e for e in PLANTED if e.what == "r_π with the wrong sign")
    crash = Planted("a crash", error.module, error.right, error.right.replace("contract", "no_such_name"), error.claims)
    (found,) = diagnose(0, planted=[crash])
    assert not found.caught and found.margin is None


def test_the_original_is_untouched():
    before = {name: module for name, module in sys.modules.items() if name.startswith("mappo_verify")}
    finders = list(sys.meta_path)
    error = PLANTED[0]
    text = (ROOT / error.module).read_text(encoding="utf-8")
    game = mv.named_game("two-step")
    values = mv.state_values(game, mv.Policy.uniform(game)).tolist()
    with planted_copy(error) as alias:
        __import__(f"{alias}.quantities.values")
        assert sys.modules[f"{alias}.quantities.values"] is not sys.modules["mappo_verify.quantities.values"]
        assert mv.state_values(game, mv.Policy.uniform(game)).tolist() == values
    assert not [name for name in sys.modules if name.startswith("_planted")]
    assert sys.meta_path == finders
    assert {name: sys.modules[name] for name in before} == before
    assert (ROOT / error.module).read_text(encoding="utf-8") == text
    assert mv.state_values(game, mv.Policy.uniform(game)).tolist() == values


def test_only_the_copy_is_found_by_its_finder():
    with planted_copy(PLANTED[0]) as alias:
        finder = sys.meta_path[0]
        assert finder.find_spec("json") is None and finder.find_spec(f"{alias}x.model") is None
        assert finder.find_spec(f"{alias}.model").submodule_search_locations == [str(ROOT / "model")]


def test_the_copy_is_forgotten_after_an_error():
    finders = list(sys.meta_path)
    with pytest.raises(ModuleNotFoundError), planted_copy(PLANTED[0]) as alias:
        __import__(f"{alias}.no_such_module")
    assert sys.meta_path == finders and not [name for name in sys.modules if name.startswith("_planted")]


@pytest.mark.parametrize(("right", "times"), [("no such text", 0), ("import", None)])
def test_text_that_does_not_occur_once_is_refused(right, times):
    module = "quantities/values.py"
    count = (ROOT / module).read_text(encoding="utf-8").count(right) if times is None else times
    with pytest.raises(ClaimError, match=f"contains '{right}' {count} times, not once"):
        diagnose(planted=[Planted("x", module, right, "wrong", ("section-3.1",))])


def test_progress_is_told():
    told = []
    diagnose(0, lambda text, share: told.append((text, share)), planted=PLANTED[:2])
    assert told == [(PLANTED[0].what, 0.0), (PLANTED[1].what, 0.5)]
    assert doctor.EXACT_INSTANCES <= 400, "doctor stays within what the quick profile tries"


def test_a_wrong_step_is_not_the_one_for_which_the_regret_bound_is_proved():
    """It breaks no line: the lines are computed of the more general setting, of which no instance is one any more."""
    grows = Planted(
        "a step that grows with K",
        "quantities/online_learning.py",
        "/ (2 * steps)) / bound",
        "* (2 * steps)) / bound",
        ("lemma-c.6",),
    )
    with planted_copy(grows) as copy:
        campaign = importlib.import_module(f"{copy}.checking.campaign")
        claim = campaign.find("lemma-c.6")
        sizes = campaign.sizes_of(claim.setting)[0]
        drawn = campaign.draw(claim.setting, sizes, 5, np.random.default_rng(0))
        ((chosen, evidence),) = campaign.decide(claim, drawn, sizes)
    assert len(chosen) == 5 and {verdict.value for verdict in evidence.verdict} == {"not applicable"}
    assert (dict(evidence.hypotheses)["eta is that of the more general setting"] < 0).all()
