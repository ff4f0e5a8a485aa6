"""The lessons run headless, compute what they say, and see a wrong formula where they check one."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.papers.local_optimization import section_4_convergence
from mappo_verify.quantities import update_errors

LESSONS = Path(__file__).resolve().parent.parent / "lessons"
ONE, TWO, THREE, FOUR = (
    "lesson_1_telescoping_sum",
    "lesson_2_shared_gain",
    "lesson_3_mirror_descent",
    "lesson_4_broken_theorem",
)


BEGIN = {}
"""Where the controls of a lesson begin, once it has run."""


@pytest.fixture
def run(monkeypatch):
    """Run a lesson; controls are set by name, as a reader would, and the others stay where they begin."""
    monkeypatch.syspath_prepend(LESSONS)

    def go(name, **controls):
        app = importlib.import_module(name).app
        if controls and name in BEGIN:
            defs = BEGIN[name] | controls
            assert set(defs) == set(BEGIN[name])
            outputs, found = app.run(defs={key: SimpleNamespace(value=v) for key, v in defs.items()})
        else:
            outputs, found = app.run()
            BEGIN[name] = {
                key: thing.value
                for key, thing in found.items()
                if type(thing).__module__.startswith("marimo._plugins.ui")
            }
            if controls:
                return go(name, **controls)
        return "".join(text_of(output) for output in outputs), found

    yield go
    for name in (ONE, TWO, THREE, FOUR, "showing"):
        sys.modules.pop(name, None)


def text_of(output):
    return getattr(output, "text", "") or ""


def test_every_notebook_is_tested_here():
    assert {p.stem for p in LESSONS.glob("*.py") if "marimo.App(" in p.read_text("utf-8")} == {ONE, TWO, THREE, FOUR}


# --- 1 -----------------------------------------------------------------------------------------------------------------


def test_the_sum_telescopes_along_every_order(run):
    shown, found = run(ONE)
    assert found["telescopes"] and found["same_sum"] and "✗" not in shown
    assert [str(level) for level in found["levels"]] == ["-51/1000", "-23/20", "17/5", "9"]
    assert found["evidence"].verdict is found["zero_mean"].verdict is mv.Verdict.HOLDS
    assert [step < 0 for step in found["steps"]] == [True, False, False]


def test_wrong_advantages_do_not_telescope(run, monkeypatch):
    right, of_subsets = mv.agent_advantages, mv.subset_advantages
    monkeypatch.setattr(
        mv, "agent_advantages", lambda game, policy: (*right(game, policy)[:2], 2 * right(game, policy)[2])
    )
    shown, found = run(ONE)
    assert not found["telescopes"] and found["same_sum"] and "✗" in shown
    monkeypatch.setattr(mv, "agent_advantages", right)
    monkeypatch.setattr(mv, "subset_advantages", lambda *args: 2 * of_subsets(*args))
    shown, found = run(ONE)
    assert found["telescopes"] and not found["same_sum"] and "✗" in shown


def test_lifting_pays_from_four_tenths_on(run):
    """Of ``Q(lift) - Q(wait) = -7 + 19p - 3p²`` the root is at 0.393."""
    assert [run(ONE, answer=tenths)[1]["solved"] for tenths in (3, 4, 5)] == [False, True, False]


# --- 2 -----------------------------------------------------------------------------------------------------------------


def test_the_terms_add_up_on_edited_games(run):
    for controls in ({}, {"discount": "0"}, {"new": [[0, 10], [3, 3], [10, 0]]}):
        shown, found = run(TWO, **controls)
        assert found["adds_up"] and found["evidence"].verdict is mv.Verdict.HOLDS and "✗" not in shown
        assert len(found["evidence"].lines) == 5
        assert np.allclose(found["truth"][-1], float(found["shares"].sum()), rtol=1e-12)  # the exact return, rounded


def test_the_surrogate_touches_at_zero(run):
    """Its error is of second order: a tenth of the way, well below a tenth of the whole error."""
    _, found = run(TWO)
    error = np.abs(found["surrogate"] - found["truth"])
    assert error[0] == 0 and 0 < error[4] < error[-1] / 50


def test_old_visits_do_not_add_up(run, monkeypatch):
    right = mv.return_difference
    monkeypatch.setattr(mv, "return_difference", lambda game, target, policy: -right(game, policy, target))
    shown, found = run(TWO)
    assert found["adds_up"], "backwards, the terms differ but their sum is the same"
    monkeypatch.setattr(mv, "return_difference", lambda game, target, policy: right(game, target, policy) * 9 / 10)
    shown, found = run(TWO)
    assert not found["adds_up"] and "✗" in shown


def test_a_sacrifice_is_recognised(run):
    assert not run(TWO)[1]["solved"]
    shown, found = run(TWO, reward=[[2, 0, -9, 9], [2, 0, -9, 9]], new=[[9, 9], [0, 0], [10, 10]])
    assert found["solved"] and found["shares"][0] < 0 < found["shares"].sum() and "Solved" in shown


# --- 3 -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step_size", ["1/2", "2/3", "1", "2"])
def test_three_points(run, step_size):
    shown, found = run(THREE, step_size=step_size)
    assert found["three_points"] and found["gap"] > 0 and "✗" not in shown
    assert found["proof"].verdict is found["descent"].verdict is mv.Verdict.HOLDS
    assert (found["pinsker"]["kl"] >= found["pinsker"]["half_square"]).all()


def test_a_swapped_divergence_breaks_the_identity(run, monkeypatch):
    right = mv.kl_divergence
    monkeypatch.setattr(mv, "kl_divergence", lambda left, other: right(other, left))
    shown, found = run(THREE)
    assert not found["three_points"] and "✗" in shown


def test_eight_doublings(run):
    """2^k/(2^k + 2) > 99/100 asks for 2^k > 198."""
    assert [run(THREE, answer=steps)[1]["solved"] for steps in (7, 8, 9)] == [False, True, False]


# --- 4 -----------------------------------------------------------------------------------------------------------------


def test_the_run_of_23_updates(run):
    """By hand, divided by log 2: left > 12.14, right < 11.77."""
    shown, found = run(FOUR)
    assert found["printed"].verdict is mv.Verdict.VIOLATED and found["repaired"].verdict is mv.Verdict.HOLDS
    for name, value in {"left": 8.41759, "right": 8.14085, "ratio": 1.0340}.items():
        assert float(found[name]) == pytest.approx(value, abs=5e-5)  # as many digits as were worked out by hand
    assert found["left"] > 12.14 * 0.693 and found["right"] < 11.77 * 0.694 < found["mended"]
    assert "lemma-b.4" in found["printed"].broken.because and "breaks here" in shown
    assert found["ratios"][11, 26] == pytest.approx(float(found["ratio"]), rel=1e-9)  # floats agree with the balls


def test_a_run_without_error_respects_the_theorem(run):
    shown, found = run(FOUR, length=23, gain="2", when=11, size=0)
    assert found["printed"].verdict is mv.Verdict.HOLDS and not found["solved"] and "survives" in shown


def test_a_shorter_run_solves_the_exercise(run):
    assert not run(FOUR)[1]["solved"]
    _, found = run(FOUR, length=22, gain="7/3", when=9, size=29)
    assert found["solved"] and found["ratio"] > 1.02


def test_with_a_larger_fit_cost_nothing_breaks(run, monkeypatch):
    right = update_errors.fit_cost_factor
    for module in (update_errors, section_4_convergence):
        monkeypatch.setattr(module, "fit_cost_factor", lambda below: 4 * right(below))
    _, found = run(FOUR)
    assert found["printed"].verdict is mv.Verdict.HOLDS and found["ratio"] < 1


# --- what they share -----------------------------------------------------------------------------------------------------


def test_formulas_become_indices(run):
    run(ONE)
    formula = importlib.import_module("showing").formula
    assert formula("E_{a^{1:m}~π'} π_k^m < 1") == "E<sub>a<sup>1:m</sup>~π&#x27;</sub> π<sub>k</sub><sup>m</sup> &lt; 1"
    assert formula("π_*") == "π<sub>∗</sub>" and formula("x_{open") == "x<sub>open</sub>"
