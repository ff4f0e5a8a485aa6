"""Wrong arguments, and numbers that ask for too much, are errors of our own that name the value."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import mappo_verify as mv

GAME = mv.named_game("random:2x2x2:1").floats()
SEEDED = {
    "random_game": lambda seed: mv.named_game("random:2x2x2") and mv.games.random_game(seed=seed),
    "random features": lambda seed: mv.Features.random(GAME, 2, seed),
    "Algorithm 1": lambda seed: mv.algorithms.multi_agent_ppo(GAME, 1, seed=seed),
    "constant step": lambda seed: mv.algorithms.constant_step(GAME, 1, 0.1, seed=seed),
    "Algorithm 2": lambda seed: mv.algorithms.pessimistic_ppo(
        mv.games.theorem_5_5_two_agents().floats(), 1, penalty=1.0, seed=seed
    ),
    "audit": lambda seed: mv.audit([], seed=seed),
    "falsify": lambda seed: mv.falsify("lemma-4.1", seed=seed),
    "diagnose": lambda seed: mv.checking.diagnose(seed=seed),
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
    words = [sys.executable, "-m", "mappo_verify", "explain", "x" * 50_000]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and len(done.stderr) < 1_200 and done.stderr.endswith("...\n")


# --- the sweep ----------------------------------------------------------------------------------------------------------

SWEPT = (
    "Game", "Policy", "Policy.deterministic", "Policy.from_joint", "Features.random", "named_game", "load_game", "save_game",
    "state_values", "returns", "quantities.lookahead", "agent_values", "subset_advantages", "policy_gradient",
    "stationary_distribution", "mirror_step", "quantities.fit_step", "optimal", "nash_gaps", "games.restarted",
    "from_gymnasium", "Plan", "load_run", "compare", "choose",
    "largest", "quantities.occupancy", "quantities.population_moments", "quantities.density_ratio", "algorithms.constant_step",
    "kl_divergence", "equal", "simulate", "gymnasium_env", "parallel_env", "time_limited", "GameData",
    "arithmetic.moveaxis", "arithmetic.every", "arithmetic.lift", "arithmetic.kind_of", "arithmetic.as_array",
    "arithmetic.SparseRows", "conformance.unlikely", "conformance.examine", "claims.Run",
)  # fmt: skip
"""Of scripts/wrong_calls.py, which calls all of them; these take seconds."""


@pytest.fixture(scope="module")
def sweep():
    path = Path(__file__).parents[1] / "scripts" / "wrong_calls.py"
    spec = importlib.util.spec_from_file_location("wrong_calls", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("ignore")
def test_wrong_arguments_raise_errors_of_ours(sweep):
    assert list(sweep.foreign_errors(SWEPT)) == []
    assert set(SWEPT) <= {name for name, _ in sweep.public_functions()}


def test_the_sweep_notices_other_errors(sweep, monkeypatch):
    def careless(game):
        return game.transition

    monkeypatch.setattr(sweep, "public_functions", lambda: [("careless", careless)])
    found = list(sweep.foreign_errors())
    assert any(line.startswith("careless(game = None): AttributeError") for line in found) and len(found) > 5


def test_the_message_names_what_was_given():
    with pytest.raises(mv.errors.ArgumentError) as caught:
        mv.mirror_step(mv.Policy.uniform(GAME).factors[0], [1.0] * 9, 1.0)
    text = str(caught.value)
    assert (
        text.startswith("mirror_step: ")
        and "given factor = an array [2, 1, 2] of float64" in text
        and "values = a list of length 9" in text
    )
    assert "π⁺(a|s, p)" in text and caught.value.__cause__ is not None


def test_a_call_that_fits_no_signature_stays_a_type_error():
    with pytest.raises(TypeError, match="missing 1 required positional argument") as caught:
        mv.state_values(GAME)
    assert not isinstance(caught.value, mv.errors.MappoVerifyError)


def test_batches_that_do_not_fit_are_named():
    several = mv.games.random_game(2, (2, 2), seed=0, batch=(2,)).floats()
    three = mv.Policy.product([[[[0.5, 0.5]] * 2] * 3] * 2)
    with pytest.raises(mv.errors.GameError, match=r"the batch axes do not fit: game \[2\], policy \[3\]"):
        mv.state_values(several, three)
    with pytest.raises(mv.errors.GameError, match=r"the batch axes do not fit: start \[3\], game \[2\]"):
        mv.returns(several, mv.Policy.uniform(several), start=[[0.5, 0.5]] * 3)


@pytest.mark.parametrize(
    ("start", "complaint"),
    [
        ([-1, 0], r"start\[0\] = -1.0 is negative"),
        ([0.5, 0.4999999], "not 1; divide each row by its sum"),
        ([1, 1], "more than 1"),
    ],
)
def test_starts_are_distributions(start, complaint):
    with pytest.raises(mv.errors.GameError, match=complaint):
        mv.returns(GAME, mv.Policy.uniform(GAME), start=start)


def test_no_horizon_at_discount_one():
    for game in (GAME.with_discount(1), GAME.exact().with_discount(1)):
        with pytest.raises(
            mv.errors.GameError, match=r"discount = 1, so the horizon .* is infinite; choose a discount"
        ):
            _ = game.horizon
    game = mv.Game(GAME.transition, GAME.reward, [0.5, 1.0], GAME.action_sizes)
    for _ in range(2):  # once it is found out, it is known
        with pytest.raises(mv.errors.GameError, match=r"discount\[1\] = 1, so the horizon"):
            _ = game.horizon
    assert GAME.with_discount(0.5).horizon == 2


@pytest.mark.parametrize("columns", ["0", "1", "20"])
def test_a_terminal_without_columns_shows_results_and_errors(columns):
    """Rich prints nothing where there are 0 columns, errors included."""
    environment = {**os.environ, "COLUMNS": columns}
    for game, code, text in (("climbing", 0, "0, 0"), ("climbin", 2, "is neither a named game")):
        words = [sys.executable, "-m", "mappo_verify", "optimal", "--game", game]
        done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=60)
        assert (done.returncode, text in done.stdout + done.stderr) == (code, True)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")  # noqa: PTH110
@pytest.mark.parametrize(
    ("line", "code"),
    [("--help | head -1", 0), ("optimal --game climbin 2>/dev/full", 2), ("optimal --game climbing >/dev/full", 2)],
)
def test_exit_1_says_that_something_is_false(line, code):
    """Not that a reader had enough, or that a disk is full."""
    words = ["bash", "-c", f"set -o pipefail; {sys.executable} -m mappo_verify {line}"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    assert subprocess.run(words, capture_output=True, timeout=60, env=environment).returncode == code


class Unspeakable:
    """What a library's object may do when it is shown, counted or converted."""

    def __repr__(self):
        raise RuntimeError("not now")

    def __len__(self):
        raise RuntimeError("not now")

    __index__ = __float__ = __len__


ITSELF = []
ITSELF.append(ITSELF)
DEEP = [1.0]
for _ in range(5_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: mv.Game(ITSELF, [[0]], 0), "nested too deeply, or holds itself"),
        (lambda: mv.kl_divergence(DEEP, [1.0]), "nested too deeply, or holds itself"),
        (lambda: mv.Policy.product(ITSELF), "nested too deeply, or holds itself"),
        (lambda: mv.Game([[[1]]], [[0]], 0, Unspeakable()), "action_sizes = a Unspeakable is not a tuple"),
        (lambda: mv.Policy(Unspeakable()), "given factors = a Unspeakable"),
        (lambda: mv.falsify("lemma-4.1", seed=Unspeakable()), "given claim = 'lemma-4.1', .*seed = a Unspeakable"),
        (lambda: mv.largest([1.0], Unspeakable()), "axis = a Unspeakable"),
        (lambda: mv.Policy.from_joint([[0.5, 0.5]], (2.7,)), "is not a tuple of integers such as"),
        (lambda: mv.Policy.from_joint([[0.5, 0.5]], (-1, -2)), "has a size below 1"),
        (lambda: mv.Sizes(1, int), "these are integers, and the actions of all agents a tuple"),
        (
            lambda: mv.quantities.fisher_null_space([[1.0, 0.0]]),
            r"a matrix \[\.\.\., n, n\] .*, not \(1, 2\) and \(2, 2\)",
        ),
        (lambda: mv.quantities.natural_gradient([[1.0]], [1.0, 2.0]), r"not \(1, 1\) and \(2, 1\)"),
    ],
)
def test_objects_that_misbehave_and_lists_without_end(call, reason):
    with pytest.raises(mv.errors.MappoVerifyError, match=reason):
        call()


ARITHMETIC = mv.arithmetic


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (
            lambda: ARITHMETIC.every([0.5]),
            "every: an array of float64 is no truth: that is a Boolean mask, or TRUE, UNKNOWN",
        ),
        (
            lambda: ARITHMETIC.moveaxis(np.eye(2), 5, 0),
            "moveaxis: source: axis 5 is out of bounds .* as numpy.moveaxis",
        ),
        (
            lambda: mv.games.random_game(batch=(2, Decimal("1e99"))),
            r"batch\[1\] = Decimal\('1E\+99'\) is not an integer",
        ),
        (lambda: mv.games.random_game(batch=(2**32, 2**32)), "too large to draw exactly"),
        (lambda: mv.games.random_game(discount=Decimal("1e999999")), "an exponent beyond"),
        (lambda: mv.quantities.sup_norm([1.0], 10**12), "axes = 1000000000000 is more than the limit of 64"),
        (lambda: ARITHMETIC.lift(np.eye(2), 1.5), "lift: .*; given scalar = an array .*, axes = 1.5"),
        (lambda: ARITHMETIC.as_array([[1], [1, 2]]), "no array can be made of this list"),
        (lambda: ARITHMETIC.SparseRows(np.eye(2), 1), r"P needs a matrix \[S·A, S\] of SciPy in the format CSR"),
        (
            lambda: mv.explain("lemma-4.1", seed=1.0),
            r"seed = 1.0 is not an integer of at least 0",
        ),
        (lambda: mv.claims.NearbyPolicy(largest=np.ones(2)), r"largest = array\(.* must be an integer or Fraction"),
        (lambda: mv.conformance.unlikely(3, 2, 0.5, 0.1), "successes = 3, count = 2, .* make no sense"),
    ],
)
def test_functions_of_arithmetic_and_others_say_what_is_wrong(call, reason):
    with pytest.raises(mv.errors.MappoVerifyError, match=reason):
        call()


def test_masks_are_truth():
    """False is FALSE, and not UNKNOWN, as the integer 0 is."""
    mask, unknown = np.array([True, False]), ARITHMETIC.UNKNOWN
    assert ARITHMETIC.every(mask) == ARITHMETIC.FALSE and ARITHMETIC.some(mask) == ARITHMETIC.TRUE
    assert ARITHMETIC.every(mask[:1]) == ARITHMETIC.TRUE and ARITHMETIC.some(mask[1:]) == ARITHMETIC.FALSE
    assert ARITHMETIC.negation(mask).tolist() == [-1, 1] and ARITHMETIC.both(mask, unknown).tolist() == [0, -1]
    assert ARITHMETIC.either(mask, unknown).tolist() == [1, 0] and ARITHMETIC.either(mask, mask).tolist() == [1, -1]
    assert ARITHMETIC.possible(mask).tolist() == ARITHMETIC.certain(mask).tolist() == [True, False]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (None, "name = None is no text"),
        (3, "name = 3 is no text"),
        ("a\nb", "the name .* has characters that cannot be printed"),
        ("\x1b[31mred", "the name .* has characters that cannot be printed"),
        ("x" * 201, "the name 'xxx.* is longer than 200 characters"),
    ],
)
def test_names_of_games_can_be_shown(name, reason):
    """As those in files: a file with another name could not be read again."""
    with pytest.raises(mv.errors.GameError, match=reason):
        replace(GAME, name=name)


def test_a_notebook_makes_only_the_rows_that_it_shows(monkeypatch):
    """All rows of a large game would take minutes."""
    game, made, row = mv.games.random_game(30, (2, 2), seed=1), [], mv.Game._row
    monkeypatch.setattr(mv.Game, "_row", lambda *given: made.append(given) or row(*given))
    shown = game._repr_html_()
    assert len(made) == 60 and shown.endswith("<p>... 60 more rows</p>") and ", ... 28 successors</td>" in shown
    assert mv.Policy.uniform(game)._repr_html_().endswith("<p>... 30 more rows</p>")


FEATURES = mv.Features.tabular(GAME)
PROBLEM = mv.games.theorem_5_5_two_agents().floats()


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: GAME.exact(0), "max_denominator = 0 is not a denominator; it is an integer of at least 1"),
        (lambda: GAME.exact(1e308), r"max_denominator = 1e\+308 is not a denominator"),
        (lambda: mv.Policy.uniform(GAME).exact("9"), "max_denominator = '9' is not a denominator"),
        (lambda: GAME.reordered(0), r"order = 0 does not name each of the agents 1\.\.2 once"),
        (lambda: GAME.with_start({}), "start: builtins.dict is not a number|start"),
        (
            lambda: mv.Policy.uniform(GAME).restricted(None),
            "Policy.restricted: game is None, not a Game; given game = None",
        ),
        (lambda: mv.Policy.uniform(GAME).require_fits([]), r"Policy.require_fits: game is \[\], not a Game"),
        (lambda: FEATURES.require_fits("climbing"), "Features.require_fits: game is 'climbing', not a Game"),
        (lambda: FEATURES.policy(3), "Features.policy: .*; given parameters = 3"),
        (lambda: FEATURES.converted("floats"), "system = 'floats' is no number system, such as mv.System.RATIONALS"),
        (lambda: replace(PROBLEM, radius=float("inf")), "radius = inf is not finite"),
        (lambda: FEATURES.follow((0,)), "Features.follow: .*; given parameters = "),
        (lambda: FEATURES.matrix("1"), "TabularFeatures.matrix: .*; given agent = '1'"),
        (lambda: mv.algorithms.constant_step(GAME, 1, 0.1).output(-1), "seed = -1 is not an integer of at least 0"),
    ],
)
def test_methods_say_what_is_wrong(call, reason):
    with pytest.raises(mv.errors.GameError, match=reason):
        call()
