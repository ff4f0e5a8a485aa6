"""Figure 1 and Section 4.3, recomputed by plain loops; pictures, files and the command line."""

from __future__ import annotations

import itertools
import json
import math
import os
import re
import subprocess
import sys
from fractions import Fraction

import pytest

from mappo_verify import cli
from mappo_verify.cli import terminal
from mappo_verify.report.plots.figure_1 import figure_1_landscape, figure_1_panels
from mappo_verify.report.plots.section_4_3 import section_4_3_overview
from mappo_verify.report.plots.style import save
from mappo_verify.reproduction import figure_1 as module
from mappo_verify.reproduction.curves import number
from mappo_verify.reproduction.figure_1 import ARRIVAL, LENGTHS, figure_1, stationary_point
from mappo_verify.reproduction.section_4_3 import section_4_3

LENGTH = 60


@pytest.fixture(scope="module")
def figure():
    return figure_1(iterations=LENGTH)


@pytest.fixture(scope="module")
def section():
    return section_4_3(iterations=40, starts=6, seed=3)


def softmax(logits):
    weights = [math.exp(v - max(logits)) for v in logits]
    return [w / sum(weights) for w in weights]


def findings(data):
    return {entry["id"]: entry for entry in data["findings"]}


# --- the ratio game, by loops -----------------------------------------------------------------------------------------

R, S = ((1.0, 0.5), (-0.5, 0.0)), ((1.0, 1.0), (0.1, 0.1))
TWO = (0, 1)


def ratio(joint):
    above = sum(joint[a][b] * R[a][b] for a in TWO for b in TWO)
    return above / sum(joint[a][b] * S[a][b] for a in TWO for b in TWO)


def joint_of(first, rows):
    return [[first[a] * rows[a][b] for b in TWO] for a in TWO]


def conditional_run(second, step, length, simulated):
    """Values (reported, true) of agents who update ``θ^1`` and one ``θ^2`` after each action of agent 1."""
    one, two = [0.0, 0.0], [list(second), list(second)]
    reported, true = [], []
    for _ in range(length + 1):
        first, rows = softmax(one), [softmax(row) for row in two]
        marginal = [sum(first[a] * rows[a][b] for a in TWO) for b in TWO]
        value = ratio(joint_of(first, rows))
        true.append(value)
        reported.append(ratio(joint_of(first, [marginal, marginal])))
        q = [[R[a][b] + (1 - S[a][b]) * value for b in TWO] for a in TWO]
        if simulated:
            pure = [[float(k == a) for k in TWO] for a in TWO]
            gain_1 = [ratio(joint_of(pure[a], [marginal, marginal])) for a in TWO]
            gain_2 = [[R[a][b] / S[a][b] for b in TWO] for a in TWO]
        else:
            gain_1 = [sum(rows[a][b] * q[a][b] for b in TWO) for a in TWO]
            gain_2 = q
        one = [one[a] + step * gain_1[a] for a in TWO]
        two = [[two[a][b] + step * gain_2[a][b] for b in TWO] for a in TWO]
    return reported, true


def independent_run(second, step, length, mirror):
    """Values of independent agents; the gradient of ``V(x, y)`` by hand, or mirror steps."""
    one, two, values = [0.0, 0.0], list(second), []
    for _ in range(length + 1):
        first, other = softmax(one), softmax(two)
        x, y = first[0], other[0]
        value = ratio(joint_of(first, [other, other]))
        values.append(value)
        if mirror:
            q = [[R[a][b] + (1 - S[a][b]) * value for b in TWO] for a in TWO]
            move_1 = [sum(other[b] * q[a][b] for b in TWO) for a in TWO]
            move_2 = [sum(first[a] * q[a][b] for a in TWO) for b in TWO]
        else:
            below = 0.1 + 0.9 * x
            along_x, along_y = (0.05 + 0.55 * y) / below**2, (x - 0.5) / below
            move_1 = [x * (1 - x) * along_x, -x * (1 - x) * along_x]
            move_2 = [y * (1 - y) * along_y, -y * (1 - y) * along_y]
        one = [v + step * d for v, d in zip(one, move_1, strict=True)]
        two = [v + step * d for v, d in zip(two, move_2, strict=True)]
    return values


def test_every_curve_of_every_panel(figure):
    assert [(p["panel"], p["start"], p["step"]) for p in figure["panels"]] == [
        (letter, start, step)
        for letter, (start, step) in zip(
            "abcdef", itertools.product(("near-stationary", "uniform"), (0.001, 0.01, 0.05)), strict=True
        )
    ]
    for panel in figure["panels"]:
        second = [0.0, 5.0] if panel["start"] == "near-stationary" else [0.0, 0.0]
        reported, true = conditional_run(second, panel["step"], LENGTH, simulated=True)
        wanted = {
            "simulated_reported": reported,
            "simulated_true": true,
            "algorithm_1": conditional_run(second, panel["step"], LENGTH, simulated=False)[1],
            "independent_gradient": independent_run(second, panel["step"], LENGTH, mirror=False),
            "independent_mirror_descent": independent_run(second, panel["step"], LENGTH, mirror=True),
        }
        assert panel["values"].keys() == wanted.keys() == set(figure["curves"])
        for name, curve in wanted.items():
            # files hold ten significant digits
            assert panel["values"][name] == pytest.approx([curve[k] for k in panel["at"]], abs=1e-10), (panel, name)
            assert panel["final"][name] == panel["values"][name][-1]
            reached = [k for k, value in enumerate(curve) if value >= ARRIVAL]
            assert panel["arrival"][name] == (reached[0] if reached else None)


def test_panels_end_where_the_printed_ones_do(monkeypatch):
    """... or where the runs end, if that is earlier; arrivals are of the whole runs."""
    assert {name: lengths[2] for name, lengths in LENGTHS.items()} == {"near-stationary": 8_000, "uniform": 5_000}
    monkeypatch.setitem(LENGTHS, "uniform", (90, 20, 30))
    panels = figure_1(iterations=50)["panels"]
    assert [panel["iterations"] for panel in panels] == [50, 50, 50, 50, 20, 30]
    assert [panel["at"][-1] for panel in panels] == [50, 50, 50, 50, 20, 30]


def test_findings_about_the_landscape(figure):
    found = findings(figure)
    assert found["constant-line"]["value"] == "5/11"
    assert found["printed-value"]["difference"] == "3/550" and not found["printed-value"]["rounds"]
    assert found["stationary-point"]["point"] == ["1/2", "-1/11"] == [str(v) for v in stationary_point()]
    assert found["stationary-point"]["value"] == "5/11"
    assert found["stationary-point"]["slope_at_printed_point"] == "20/121"
    assert found["slope"]["smallest_slope_on_grid"] == "1/20"
    assert found["one-constrained-stationary-point"]["no_first_order_gain_at"] == [["1", "1"]]
    assert found["one-constrained-stationary-point"]["smallest_increment"] > 0
    assert found["plateau"]["value"] == "1/2"
    assert found["starts"]["values"] == [number(5 / 11)]


def test_runs_that_are_too_short_say_nothing_about_arrival(figure, monkeypatch):
    """... and those that arrive are compared, with the counts of the loops above."""
    assert "mirror-step" not in findings(figure)
    monkeypatch.setattr(module, "ARRIVAL", 0.46)
    found = findings(figure_1(iterations=LENGTH))["mirror-step"]["says"]
    for second, start in (([0.0, 5.0], "near-stationary"), ([0.0, 0.0], "uniform")):
        curves = (
            conditional_run(second, 0.05, LENGTH, simulated=False)[1],
            independent_run(second, 0.05, LENGTH, mirror=True),
            independent_run(second, 0.05, LENGTH, mirror=False),
        )
        counts = [next(k for k, value in enumerate(curve) if value >= 0.46) for curve in curves]
        assert f"{' / '.join(map(str, counts))} from the {start} start" in found


def test_findings_about_the_simulation(figure):
    found = findings(figure)
    first, rows = [0.6, 0.4], [[0.9, 0.1], [0.2, 0.8]]
    marginal = [sum(first[a] * rows[a][b] for a in TWO) for b in TWO]
    score = found["simulated-score"]
    assert float(Fraction(score["true"])) == pytest.approx(ratio(joint_of(first, rows)), abs=1e-15)
    assert float(Fraction(score["reported"])) == pytest.approx(ratio(joint_of(first, [marginal, marginal])), abs=1e-15)
    assert found["simulated-update"]["factors"] == ["1", "10"]
    worst = score["largest_error_in_the_figure"]
    panel = next(p for p in figure["panels"] if p["panel"] == worst["panel"])
    second = [0.0, 5.0] if panel["start"] == "near-stationary" else [0.0, 0.0]
    reported, true = conditional_run(second, panel["step"], LENGTH, simulated=True)
    gaps = [r - t for r, t in zip(reported, true, strict=True)]
    assert worst["reported_minus_true"] == pytest.approx(max(gaps, key=abs), abs=1e-9)


def test_the_landscape_goes_beyond_the_square(figure):
    land = figure["landscape"]
    assert min(land["y"]) < float(Fraction(land["stationary_point"][1])) < 0 and max(land["x"]) > 1
    for i in range(0, len(land["y"]), 7):
        for j in range(0, len(land["x"]), 5):
            x, y = land["x"][j], land["y"][i]
            wanted = (x * y + (x - y) / 2) / (0.1 + 0.9 * x)
            assert land["V"][i][j] == pytest.approx(wanted, abs=1e-8)
    for path in land["paths"]:
        assert path["x"][0] == 0.5
        assert path["y"][0] == pytest.approx(0.5 if path["start"] == "uniform" else 1 / (1 + math.exp(5)), abs=1e-9)


# --- Section 4.3, by loops --------------------------------------------------------------------------------------------

PAYOFFS = {
    "climbing": ((11, -30, 0), (-30, 7, 6), (0, 0, 5)),
    "penalty:-100": ((10, 0, -100), (0, 2, 0), (-100, 0, 10)),
}
THREE = range(3)


def one_move_run(payoff, name, step, length):
    """Values from the uniform policy of two agents in a game of one move."""
    one, two, values = [0.0] * 3, [[0.0] * 3 for _ in THREE], []
    for _ in range(length + 1):
        first, rows = softmax(one), [softmax(row) for row in two]
        value = sum(first[a] * rows[a][b] * payoff[a][b] for a in THREE for b in THREE)
        values.append(value)
        worth_1 = [sum(rows[a][b] * payoff[a][b] for b in THREE) for a in THREE]
        worth_2 = [sum(first[a] * payoff[a][b] for a in THREE) for b in THREE]
        if name == "algorithm_1":
            moves = worth_1, payoff
        elif name == "independent_mirror_descent":
            moves = worth_1, [worth_2] * 3
        elif name == "independent_gradient":
            own = [first[a] * (worth_1[a] - value) for a in THREE]
            moves = own, [[rows[0][b] * (worth_2[b] - value) for b in THREE]] * 3
        else:
            mean = [(u + v) / 2 for u, v in zip(worth_1, worth_2, strict=True)]
            moves = mean, [mean] * 3
        one = [v + step * d for v, d in zip(one, moves[0], strict=True)]
        two = [[v + step * d for v, d in zip(row, move, strict=True)] for row, move in zip(two, moves[1], strict=True)]
    return values


def test_runs_from_the_uniform_policy(section):
    for game in section["games"]:
        for name, curve in game["values"].items():
            wanted = one_move_run(PAYOFFS[game["name"]], name, game["step"], 40)
            assert curve == pytest.approx([wanted[k] for k in game["at"]], abs=1e-8), name


def test_equilibria_by_brute_force(section):
    for game in section["games"]:
        payoff = PAYOFFS[game["name"]]
        assert game["payoff"] == [[str(v) for v in row] for row in payoff]
        wanted = {
            (a, b): payoff[a][b]
            for a in THREE
            for b in THREE
            if payoff[a][b] == max(payoff[a]) == max(row[b] for row in payoff)
        }
        assert {tuple(e["actions"]): int(e["value"]) for e in game["equilibria"]} == wanted
        best = max(wanted.values())
        assert int(game["optimum"]) == best
        assert all(e["optimal"] == (int(e["value"]) == best) for e in game["equilibria"])


def test_where_runs_end():
    """At full length: Algorithm 1 at the optimum from every start, the others not."""
    data = section_4_3(iterations=600, starts=12, seed=0)
    for game in data["games"]:
        for name, ends in game["ends"].items():
            assert sum(end["share"] for end in ends) == pytest.approx(1, abs=1e-9)
            optimal = all(end["value"] == game["optimum"] for end in ends)
            assert optimal == (name == "algorithm_1"), (game["name"], name)
            for end in ends:
                assert int(end["value"]) == PAYOFFS[game["name"]][end["actions"][0]][end["actions"][1]]
    climbing = data["games"][0]["uniform_end"]
    assert climbing["algorithm_1"] == {"actions": [0, 0], "value": "11", "equilibrium": True}
    assert climbing["shared_parameters"] == {"actions": [2, 2], "value": "5", "equilibrium": False}


def test_sharing_costs_a_factor(section):
    """J(p) = 2 (p(1-p))^{N/2} by hand, at its best; exact."""
    assert [entry["agents"] for entry in section["shared_parameters"]] == [2, 4, 6, 8]
    for entry in section["shared_parameters"]:
        half = entry["agents"] // 2
        best = max(2 * (Fraction(k, 40) * Fraction(40 - k, 40)) ** half for k in range(41))
        assert Fraction(entry["best_shared"]["ratio"]) == best == Fraction(2, 2 ** entry["agents"])
        assert entry["best_shared"]["p"] == "1/2" and entry["bound"] == entry["best_shared"]["ratio"]
        assert entry["final"]["shared_parameters"] <= float(best) + 1e-12
        assert entry["final"]["algorithm_1"] > 0.9
    assert findings(section)["sharing"]["attained"]


# --- determinism, pictures, files -------------------------------------------------------------------------------------


def test_the_same_call_gives_the_same_numbers(figure, section):
    assert figure_1(iterations=LENGTH) == figure
    assert section_4_3(iterations=40, starts=6, seed=3) == section
    assert section_4_3(iterations=40, starts=6, seed=4)["games"] != section["games"]


def test_progress_is_reported():
    told = []
    section_4_3(lambda _, share: told.append(share), iterations=2, starts=2)
    figure_1(lambda _, share: told.append(share), iterations=2)
    assert told and all(0 <= share <= 1 for share in told)


def test_data_is_plain(figure, section):
    for data in (figure, section):
        assert json.loads(json.dumps(data, allow_nan=False)) == data


@pytest.mark.parametrize("draw", [figure_1_panels, figure_1_landscape])
def test_pictures_of_figure_1(figure, draw, tmp_path):
    first, second = (save(draw(figure), tmp_path / name) for name in ("one", "two"))
    for left, right in zip(first, second, strict=True):
        assert left.read_bytes() == right.read_bytes(), "the same data gives the same file"
    assert first[0].read_text(encoding="utf-8").lstrip().startswith("<?xml")
    assert first[1].read_bytes().startswith(b"\x89PNG")


def test_picture_of_section_4_3(section, tmp_path):
    files = save(section_4_3_overview(section), tmp_path / "section-4.3")
    assert [file.name for file in files] == ["section-4.3.svg", "section-4.3.png"]
    assert all(file.stat().st_size > 10_000 for file in files)


def test_curves_are_drawn_as_computed(figure):
    """Every curve of the data is a line of its panel, point by point."""
    for axes, panel in zip(figure_1_panels(figure).axes[:6], figure["panels"], strict=True):
        drawn = [list(line.get_ydata()) for line in axes.lines]
        for name in figure["curves"]:
            assert panel["values"][name] in drawn


def test_no_window_is_ever_opened():
    """Pictures are drawn without pyplot, which keeps figures and wants a screen."""
    code = (
        "import sys\n"
        "from mappo_verify.reproduction.figure_1 import figure_1\n"
        "from mappo_verify.report.plots.figure_1 import figure_1_panels\n"
        "print('matplotlib' in sys.modules, end=' ')\n"
        "figure_1_panels(figure_1(iterations=3))\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["False", "False"]


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.fixture
def mappo(capsys, monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["mappo-verify", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, " ".join(re.sub(r"[│╭╮╰╯─]", " ", err).split())

    return run


def test_reproduce_figure_1(mappo, tmp_path, figure):
    code, out, _ = mappo("reproduce", "figure-1", "--out", tmp_path / "new" / "folder", "--iterations", LENGTH)
    assert code == 0 and "5/11" in out and "wrote" in out
    written = {file.name for file in (tmp_path / "new" / "folder").iterdir()}
    assert written == {f"figure-1{end}" for end in (".svg", ".png", ".json", "-landscape.svg", "-landscape.png")}
    assert json.loads((tmp_path / "new" / "folder" / "figure-1.json").read_text(encoding="utf-8")) == figure


def test_reproduce_section_4_3(mappo, tmp_path, section):
    options = ("--iterations", 40, "--starts", 6, "--seed", 3)
    code, out, _ = mappo("reproduce", "section-4.3", "--out", tmp_path, *options)
    assert code == 0 and "Nash equilibrium" in out
    assert {file.name for file in tmp_path.iterdir()} == {f"section-4.3{end}" for end in (".svg", ".png", ".json")}
    assert json.loads((tmp_path / "section-4.3.json").read_text(encoding="utf-8")) == section


@pytest.mark.parametrize("figure_name", ["figure-1", "section-4.3"])
def test_a_folder_that_cannot_be_written_is_named_before_the_work(mappo, tmp_path, figure_name, monkeypatch):
    taken = tmp_path / "file"
    taken.write_text("")
    code, _, err = mappo("reproduce", figure_name, "--out", taken)
    assert code == 2 and "cannot make the folder" in err and "Traceback" not in err
    monkeypatch.setattr(terminal.os, "access", lambda _, mode: not mode & os.W_OK)
    code, _, err = mappo("reproduce", figure_name, "--out", tmp_path)
    assert code == 2 and "cannot write into the folder" in err


def test_a_picture_that_cannot_be_written(mappo, tmp_path):
    """A folder where a file should be: one line, exit code 2."""
    (tmp_path / "section-4.3.svg").mkdir()
    code, _, err = mappo("reproduce", "section-4.3", "--out", tmp_path, "--iterations", 2, "--starts", 2)
    assert code == 2 and "cannot be written: Is a directory" in err and "Traceback" not in err


@pytest.mark.parametrize("option", [("--iterations", "0"), ("--starts", "0"), ("--seed", "-1")])
def test_bad_options(mappo, tmp_path, option):
    code, _, err = mappo("reproduce", "section-4.3", "--out", tmp_path, *option)
    assert code == 2 and "Invalid value" in err


def test_figure_1_claims_only_what_its_arrivals_show(figure):
    """These short runs do not arrive, so nothing is said of why; planted arrivals decide it either way."""
    panels = json.loads(json.dumps(figure))
    assert figure_1_panels(panels).get_suptitle() == "Figure 1 rerun"
    for slow, told in ((5_000, True), (650, False)):
        arrival = {"algorithm_1": 450, "independent_mirror_descent": 600, "independent_gradient": slow}
        for panel in panels["panels"]:
            panel["arrival"] = arrival
        assert ("mirror step explains" in figure_1_panels(panels).get_suptitle()) is told
