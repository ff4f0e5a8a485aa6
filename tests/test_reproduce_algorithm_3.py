"""The picture of Algorithm 3's stall: its numbers are the runs', its lines are the numbers, its files are complete."""

from __future__ import annotations

import copy
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify import cli
from mappo_verify.report.plots.algorithm_3 import algorithm_3_stall
from mappo_verify.report.plots.style import save
from mappo_verify.reproduction.algorithm_3 import CURVES, algorithm_3

SMALL = (("zero", 5), ("zero", 20), ("zero", 40), ("current", 20))


@pytest.fixture(scope="module")
def data():
    return algorithm_3(iterations=6, runs=3, seed=4, curves=SMALL)


def lines_of(figure):
    """The curves by their labels; reference lines have none."""
    (axes,) = figure.axes
    return {line.get_label(): line for line in axes.get_lines() if not line.get_label().startswith("_")}


def test_the_numbers_are_those_of_the_runs(data):
    for curve, (start, steps) in zip(data["curves"], SMALL, strict=True):
        game = mv.Game(np.ones((3, 1, 2, 1)), [[1.0, 0.0]], 0.0, start=[1.0])
        solver = mv.algorithms.StochasticGradient(steps, start=start)
        returns = mv.algorithms.multi_agent_ppo(game, 6, radius=5.0, solver=solver, seed=4).returns(game)
        assert (curve["start"], curve["steps"]) == (start, steps)
        for name, expected in (("mean", returns.mean(1)), ("lowest", returns.min(1)), ("highest", returns.max(1))):
            assert curve[name] == expected.tolist()
    assert [finding["return"] for finding in data["findings"]] == [curve["mean"][-1] for curve in data["curves"]]
    assert json.loads(json.dumps(data)) == data


def test_the_picture_shows_printed_runs_of_three_lengths_and_the_repaired_one():
    assert CURVES == (("zero", 10), ("zero", 100), ("zero", 1000), ("current", 100))


def test_the_figure_has_the_lines(data):
    lines = list(lines_of(algorithm_3_stall(data)).values())
    assert [list(line.get_ydata()) for line in lines] == [curve["mean"] for curve in data["curves"]]
    assert all(list(line.get_xdata()) == list(range(7)) for line in lines)
    assert len({str(line.get_linestyle()) + str(line._dash_pattern) for line in lines}) == len(lines), (
        "told apart in grey"
    )
    (axes,) = algorithm_3_stall(data).axes
    texts = [text.get_text() for text in axes.texts]
    for curve in data["curves"]:
        assert f"T = {curve['steps']}:  {curve['mean'][-1]:.3f}" in texts
    assert axes.get_legend() is None


def test_the_bands_are_the_spread_of_the_runs(data):
    bands = algorithm_3_stall(data).axes[0].collections
    for band, curve in zip(bands, data["curves"], strict=True):
        (outline,) = band.get_paths()
        heights = outline.vertices[:, 1]
        assert set(heights) == set(curve["lowest"]) | set(curve["highest"])


def test_other_numbers_make_another_picture(data):
    other = copy.deepcopy(data)
    other["curves"][0]["mean"][3] += 0.1
    before, after = (list(next(iter(lines_of(algorithm_3_stall(d)).values())).get_ydata()) for d in (data, other))
    assert before != after


def test_the_same_data_gives_the_same_files(data, tmp_path):
    written = [[file.read_bytes() for file in save(algorithm_3_stall(data), tmp_path / name)] for name in ("a", "b")]
    assert written[0] == written[1]
    assert written[0][0].startswith(b"<?xml") and written[0][1].startswith(b"\x89PNG")


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def mappo(capsys, monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["mappo-verify", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, " ".join(err.replace("│", " ").split())

    return run


def test_the_command_writes_picture_and_numbers(mappo, tmp_path):
    out = tmp_path / "new" / "folder"
    options = ("--iterations", "3", "--runs", "2", "--seed", "1")
    code, text, _ = mappo("reproduce", "algorithm-3", "--out", str(out), *options)
    assert code == 0
    assert {file.name for file in out.iterdir()} == {"algorithm-3.json", "algorithm-3.svg", "algorithm-3.png"}
    assert json.loads((out / "algorithm-3.json").read_text("utf-8")) == algorithm_3(iterations=3, runs=2, seed=1)
    assert "as printed, T = 1000: J = " in text and str(out / "algorithm-3.svg") in text


def test_a_file_in_place_of_the_folder_is_a_clear_error(mappo, tmp_path):
    place = tmp_path / "file"
    place.write_text("mine")
    code, out, err = mappo("reproduce", "algorithm-3", "--out", str(place))
    assert code == 2 and out == "" and "cannot make the folder" in err and "File exists" in err
    assert place.read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_a_clear_error(mappo, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda _, mode: not mode & os.W_OK)  # whoever is root may write everywhere
    code, out, err = mappo("reproduce", "algorithm-3", "--out", str(tmp_path))
    assert code == 2 and out == "" and "cannot write into the folder" in err


@pytest.mark.parametrize("name", ["algorithm-3.json", "algorithm-3.svg"])
def test_a_file_that_cannot_be_written_is_a_clear_error(mappo, tmp_path, name):
    Path(tmp_path / name).mkdir()
    code, _, err = mappo("reproduce", "algorithm-3", "--out", str(tmp_path), "--iterations", "1", "--runs", "1")
    assert code == 2 and "cannot be written: Is a directory" in err


def test_the_title_claims_only_what_the_curves_show(data):
    """Planted: curves that all end alike.  The finding leaves the title."""
    level = copy.deepcopy(data)
    for curve in level["curves"]:
        curve["mean"][-1] = 0.5
    assert "stalls" not in algorithm_3_stall(level).get_suptitle()
    for curve in level["curves"]:
        curve["mean"][-1] = 0.9 if curve["start"] == "current" else 0.5
    assert "stalls" in algorithm_3_stall(level).get_suptitle()
