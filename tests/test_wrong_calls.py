"""Wrong arguments, and numbers that ask for too much, are errors of our own that name the value."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import mappo_verify as mv

GAME = mv.named_game("random:2x2x2:1").floats()
SEEDED = {
    "random_game": lambda seed: mv.named_game("random:2x2x2") and mv.games.random_game(seed=seed),
    "random features": lambda seed: mv.Features.random(GAME, 2, seed),
    "Algorithm 1": lambda seed: mv.algorithms.multi_agent_ppo(GAME, 1, seed=seed),
    "constant step": lambda seed: mv.algorithms.constant_step(GAME, 1, 0.1, seed=seed),
    "Algorithm 2": lambda seed: mv.algorithms.pessimistic_ppo(
        mv.games.two_agent_gap().floats(), 1, penalty=1.0, seed=seed
    ),
}


@pytest.mark.parametrize("seed", [-1, 1.5, None, "x", float("nan"), True])
@pytest.mark.parametrize("name", SEEDED)
def test_wrong_seeds_are_named(name, seed):
    with pytest.raises(mv.errors.GameError, match=r"seed = .* is not an integer of at least 0"):
        SEEDED[name](seed)


@pytest.mark.parametrize("name", [3, None, 1.5, ["climbing"], b"climbing"])
def test_names_that_are_no_text(name):
    with pytest.raises(mv.errors.GameError, match=r"is not the name of a game; the named ones are climbing"):
        mv.named_game(name)


@pytest.mark.parametrize("dimension", [0, -1, 1.5, None, "2", 10**12])
def test_wrong_dimensions_are_named(dimension):
    with pytest.raises(mv.errors.GameError, match=r"dimension of features|random features need"):
        mv.Features.random(GAME, dimension)


HUGE = "999999999999999"


@pytest.mark.parametrize(
    "words",
    [
        ("--solver", f"sgd:{HUGE}", "--radius", "1"),
        ("--solver", f"sgd-repaired:{HUGE}", "--radius", "1"),
        ("--features", f"random:{HUGE}"),
        ("--critic", f"monte-carlo:{HUGE}"),
        ("--critic", f"regression:{HUGE}"),
        ("--iterations", HUGE),
    ],
)
def test_numbers_on_the_command_line_that_ask_for_too_much(words, tmp_path):
    command = [
        sys.executable,
        "-m",
        "mappo_verify",
        "run",
        "algorithm-1",
        "--game",
        "climbing",
        "--out",
        str(tmp_path / "x"),
    ]
    done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "limit" in done.stderr or "at most" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("words", [["claims"], ["run", "--help"], ["optimal", "--game", "penalty:\u03b3"]])
def test_terminals_that_lack_signs_show_them_escaped(encoding, words):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [sys.executable, "-m", "mappo_verify", *words], capture_output=True, env=environment, timeout=60
    )
    assert done.returncode == (2 if "optimal" in words else 0), done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout or done.stderr


def test_a_long_error_is_cut():
    words = [sys.executable, "-m", "mappo_verify", "optimal", "--game", "random:" + "9" * 50_000]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and len(done.stderr) < 1_200 and done.stderr.endswith("...\n")
