"""Adding one thing touches the files that CONTRIBUTING names, and nothing else: tried in a copy of the package."""

from __future__ import annotations

import json

import pytest

from package_copy import Copy


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


def ran(copy, *arguments):
    """The exit code of ``mappo-verify ARGUMENTS`` of the copy, and all that it says."""
    done = copy.mappo(*arguments)
    return done.returncode, done.stdout + done.stderr


# --- an algorithm ---------------------------------------------------------------------------------------------------------

MODULE = '''"""Multiplicative weights: every agent multiplies its probabilities by 1 + η A, the linear part of a mirror step."""

from __future__ import annotations

from dataclasses import dataclass

from ..arithmetic import lift, log
from ..model.features import Features
from .iteration import with_constant_step
from .projection_step import Solver
from .recording import in_memory


@dataclass(frozen=True)
class LinearFactor(Solver):
    """Logits grow by ``log(1 + η(Q - V))``."""

    def solve(self, problem, generator):
        policy, m = problem.current.policy, problem.agent
        mean = (policy.factors[m] * problem.values).sum(-1, keepdims=True)
        factor = 1 + (problem.values - mean) / lift(problem.beta, 3)
        return problem.parameters + problem.features.transposed(m, log(factor))


def multiplicative_weights(game, iterations, step, *, critic=None, seed=0, record=in_memory):
    """``K`` multiplicative updates from the uniform policy."""
    return with_constant_step(
        "multiplicative_weights",
        game,
        Features.tabular(game),
        LinearFactor(),
        iterations,
        step,
        critic=critic,
        seed=seed,
        initial=None,
        record=record,
    )
'''
IMPORT = "from ..algorithms.multiplicative_weights import multiplicative_weights\n"
ROW = """    "multiplicative-weights": Entry(
        "multiplicative weights",
        "Baseline: probabilities are multiplied by 1 + η A.",
        STEPPING,
        _stepping(multiplicative_weights, Features.tabular),
        example="--game climbing --step 0.01",
    ),
"""


def test_an_algorithm_is_one_module_and_one_row(copy):
    copy.write("algorithms/multiplicative_weights.py", MODULE)
    copy.insert("runs/algorithms.py", "from ..algorithms.pessimistic_general import", IMPORT)
    copy.insert("runs/algorithms.py", '    "algorithm-2": Entry(', ROW)

    code, told = ran(copy, "run", "--help")
    assert code == 0 and "multiplicative-weights" in told
    code, told = ran(copy, "run", "multiplicative-weights", "--help")
    assert code == 0 and "--step" in told and "--critic" in told and "--samples" not in told
    assert "Example: mappo-verify run multiplicative-weights --game climbing --step 0.01" in told

    options = ("--game", "climbing", "--step", "0.01", "--iterations", "300", "--out", "first")
    code, told = ran(copy, "run", "multiplicative-weights", *options)
    assert code == 0, told
    assert "Multiplicative weights" in told and "No theorem bounds the gap of multiplicative weights" in told
    found = json.loads((copy.folder / "first" / "summary.json").read_text())
    assert found["iterations"] == 300 and found["options"] == {
        "iterations": 300,
        "step": 0.01,
        "critic": "exact",
        "seed": 0,
    }
    assert found["returns"][-1] > found["returns"][0] + 1
    assert {path.name for path in (copy.folder / "first").iterdir()} >= {"run.svg", "run.png", "run.json", "trace"}

    code, told = ran(copy, "run", "multiplicative-weights", "--out", "first", "--resume")
    assert code == 0 and "nothing is left to do" in told
    code, told = ran(copy, "run", "multiplicative-weights", "--game", "climbing", "--step", "-1", "--out", "second")
    assert code == 2 and "the step η = -1 is not a positive" in told


def test_without_its_row_there_is_no_command(copy):
    copy.write("algorithms/multiplicative_weights.py", MODULE)
    code, told = ran(copy, "run", "multiplicative-weights", "--game", "climbing", "--out", "first")
    assert code == 2 and "No such command" in told
