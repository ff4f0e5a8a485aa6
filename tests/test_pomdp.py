"""The .pomdp reader: every form of the format against the same game written by hand, and errors by their line."""

from __future__ import annotations

import gzip
from fractions import Fraction as F
from pathlib import Path

import pytest

from mappo_verify.arithmetic import System
from mappo_verify.errors import FileError
from mappo_verify.games.loading import load_game
from mappo_verify.quantities.optimal import optimal

GAMES = Path(__file__).parent / "games"

HEAD = """\
discount: 0.5
values: reward
states: a b
actions: go stay
observations: 2
"""
BODY = """\
T: go
0.25 0.75
1.0 0.0
T: stay identity
O: * : * 0.5
0.5
R: go : a : b : 1 4
R: stay : * : * : * -1
"""
TRANSITION = [[[F(1, 4), F(3, 4)], [1, 0]], [[1, 0], [0, 1]]]
REWARD = [[F(3, 2), -1], [0, -1]]  # go from a: to b with 3/4, observation 1 with 1/2, reward 4


def fractions(table):
    return [[F(str(x)) for x in row] if not hasattr(row[0], "__len__") else fractions(row) for row in table]


def load(tmp_path, text, **options):
    path = tmp_path / "small.pomdp"
    path.write_text(text)
    return load_game(path, **options)


def test_tiger():
    game = load_game(GAMES / "tiger.pomdp")
    assert (game.states, game.action_sizes, game.system, game.name) == (2, (3,), System.RATIONALS, "tiger")
    assert (game.state_names, game.action_names) == (
        ("tiger-left", "tiger-right"),
        (("listen", "open-left", "open-right"),),
    )
    half = F(1, 2)
    assert fractions(game.transition) == [[[1, 0], [half, half], [half, half]], [[0, 1], [half, half], [half, half]]]
    assert fractions(game.reward) == [[-1, -100, 10], [-1, 10, -100]]
    assert str(game.discount) == "19/20" and fractions([game.start]) == [[half, half]], "no start: anywhere alike"
    best = optimal(game)
    assert (best.values == 200).all() and best.actions.tolist() == [2, 1], "who sees the tiger earns 10 for ever"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("T: go\n0.25 0.75\n1.0 0.0\n", "T: go : a : a 0.25\nT: go : a : b 0.75\nT: go : b : a 1\n"),
        ("T: go\n0.25 0.75\n1.0 0.0\n", "T: go : a\n0.25 0.75\nT: go : b 1 0\n"),
        ("T: go\n0.25 0.75\n1.0 0.0\n", "T : go 0.25\n0.75 1.0\n0.0\n"),
        ("T: go\n0.25 0.75\n1.0 0.0\n", "T: go : a : a\n0.25\nT: 0 : 0 : 1 .75\nT: go\n: b\n: a 1\n"),
        ("T: stay identity", "T: stay\nidentity"),
        ("T: stay identity", "T: * : a : a 1\nT: stay\n1 0\n0 1\nT: go\n0.25 0.75\n1 0"),
        ("R: go : a : b : 1 4", "R: go : a : b 0 4"),
        ("R: go : a : b : 1 4", "R: go : a\n0 0\n0 4"),
        ("R: go : a : b : 1 4", "R: go : a : b\n0 4"),
        ("O: * : * 0.5\n0.5\n", "O: * uniform\n"),
        ("O: * : * 0.5\n0.5\n", "O: go : * : 0 0.5\nO: go : * : 1 0.5\n"),
        ("actions: go stay", "actions:\ngo\nstay"),
        ("observations: 2", "observations: hot cold"),
        ("values: reward", "values: reward  # what is earned"),
    ],
)
def test_every_form_says_the_same(tmp_path, old, new):
    text = HEAD + BODY
    assert old in text
    game = load(tmp_path, text.replace(old, new, 1))
    assert fractions(game.transition) == TRANSITION
    assert fractions(game.reward) == REWARD


def test_mdp_files_costs_starts_and_discounts(tmp_path):
    text = HEAD.replace("observations: 2\n", "").replace("reward", "cost") + "start: b\n"
    game = load(tmp_path, text + "T: * identity\nR: go : a : a 3\nR: stay : b : b : * 2", discount="9/10")
    assert fractions(game.reward) == [[-3, 0], [0, -2]]
    assert fractions([game.start]) == [[0, 1]] and str(game.discount) == "9/10"
    path = tmp_path / "small.pomdp.gz"
    path.write_bytes(gzip.compress((HEAD + "start include: a\n" + BODY).encode()))
    assert load_game(path).name == "small" and fractions([load_game(path).start]) == [[1, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("agents: 1\n" + HEAD + BODY, "line 1: a .pomdp file has one agent and no 'agents:'"),
        (HEAD + BODY.replace("0.25 0.75", "0.25 0.5"), "sums to 3/4, not to 1"),
        (HEAD + BODY.replace("T: go\n", "T: fly\n"), "line 6: no action of agent 1 is called 'fly'"),
        (HEAD + BODY.replace("T: go\n", "T: go stay\n"), "line 6: 'stay' stands where a number belongs"),
        (HEAD + BODY.replace("1 4", "1 : 4"), "line 12: this is neither 'R: joint action"),
        (HEAD + BODY.replace(": 1 4", ": 1"), "line 12: the line ends before its numbers"),
        (HEAD + BODY.replace(": 1 4", ":"), "line 12: '' is not a joint observation"),
        (HEAD + BODY.replace("1 4", "1 4 5"), "line 12: '5' is one too many"),
        (HEAD + "T: go\n1 0\n0 1\n", "no T line gives P"),
    ],
)
def test_errors_name_the_line(tmp_path, text, message):
    with pytest.raises(FileError) as caught:
        load(tmp_path, text)
    assert message in str(caught.value)
