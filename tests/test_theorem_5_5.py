"""The reproduction around Theorem 5.5: its numbers, small, and that its pictures show them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mappo_verify.report.plots.style import save
from mappo_verify.report.plots.theorem_5_5 import theorem_5_5_gap, theorem_5_5_slope
from mappo_verify.reproduction.theorem_5_5 import estimation_slope, theorem_5_5


@pytest.fixture(scope="module")
def data():
    told = []
    found = theorem_5_5(lambda text, share: told.append((text, share)), iterations=20, runs=2, repetitions=20)
    assert told[-1] == ("done", 1.0) and [share for _, share in told] == sorted(share for _, share in told)
    return found


def test_printed_falls_and_repaired_rises(data):
    for panel in data["panels"]:
        printed, repaired = (np.array(curve["mean"]) for curve in panel["curves"])
        assert len(printed) == len(repaired) == 21 and printed[0] == pytest.approx(repaired[0])
        assert (np.diff(printed) < 0).all() and (np.diff(repaired) > 0).all()
        assert (repaired < panel["optimum"]).all()
    assert [panel["optimum"] for panel in data["panels"]] == [0.5, 1.5]


def test_the_cost_of_estimation_has_slope_one_half_and_is_below_the_bound(data):
    slope = data["slope"]
    assert -0.53 < slope["slope"] < -0.47
    assert all(row["worst_ratio"] < 1 and row["low"] < row["mean"] < row["high"] for row in slope["rows"])


def test_data_is_plain_and_reproducible(data):
    assert json.loads(json.dumps(data)) == data
    again = estimation_slope(repetitions=20, sizes=(1_000, 4_000))
    assert again["rows"] == data["slope"]["rows"][:2]
    assert estimation_slope(repetitions=20, sizes=(1_000, 4_000), seed=1)["rows"] != again["rows"]


def test_pictures_show_the_numbers(data, tmp_path):
    figure = theorem_5_5_gap(data)
    for axes, panel in zip(figure.axes, data["panels"], strict=True):
        drawn = [line.get_ydata() for line in axes.lines]
        for curve in panel["curves"]:
            assert any(len(line) == 21 and np.allclose(line, curve["mean"]) for line in drawn)
        texts = [text.get_text() for text in axes.texts]
        for curve in panel["curves"]:
            assert any(f"{curve['mean'][-1]:.3f}" in text for text in texts)
    slope = theorem_5_5_slope(data)
    drawn = [list(line.get_ydata()) for line in slope.axes[0].lines]
    for name in ("mean", "bound"):
        assert [row[name] for row in data["slope"]["rows"]] in drawn
    for name, picture in (("gap", figure), ("slope", slope)):
        assert all(file.stat().st_size > 5_000 for file in save(picture, tmp_path / name))


def test_the_titles_claim_only_what_the_curves_show(data):
    """Planted: a printed run that rises, and another slope.  The findings leave the titles."""
    assert "moves away" in theorem_5_5_gap(data).get_suptitle()
    other = json.loads(json.dumps(data))
    other["panels"][0]["curves"][0]["mean"][-1] = 1.0
    other["slope"]["slope"] = -0.25
    assert "moves away" not in theorem_5_5_gap(other).get_suptitle()
    assert "n^-0.25" in theorem_5_5_slope(other).get_suptitle()
