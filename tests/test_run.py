"""Stored runs: killed at any moment and resumed they are what they would have been; files are not trusted; errors say why."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from fractions import Fraction
from functools import partial

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify import cli
from mappo_verify.algorithms.iteration import Improvement
from mappo_verify.algorithms.multi_agent_ppo import multi_agent_ppo
from mappo_verify.algorithms.pessimistic_general import FiniteEvaluation
from mappo_verify.algorithms.pessimistic_linear import LinearEvaluation
from mappo_verify.algorithms.recording import in_memory
from mappo_verify.arithmetic import System, floats_of, like
from mappo_verify.quantities.finite_class import FiniteClass
from mappo_verify.report.plots.run import run_overview
from mappo_verify.runs import summary as summary_module
from mappo_verify.runs.algorithms import ALGORITHMS
from mappo_verify.runs.folder import open_run
from mappo_verify.runs.plan import Plan
from mappo_verify.runs.storage import _checksum, stored
from mappo_verify.runs.summary import at_stake, finding, summarise

MV = [sys.executable, "-m", "mappo_verify", "run"]
NOISY = Plan(
    "algorithm-1",
    game="random:3x2x2:7",
    options={"iterations": 300, "solver": "sgd:60", "radius": 3.0, "critic": "noisy:0.5", "seed": 5},
)
SAMPLED = Plan(
    "algorithm-2", problem="theorem-5.5-two-agents", options={"iterations": 500, "samples": "200", "seed": 5}
)


def arguments(plan):
    named = {"game": plan.game, "problem": plan.problem, **plan.options}
    return [
        plan.algorithm,
        *(text for name, value in named.items() if value is not None for text in (f"--{name}", str(value))),
    ]


def tables(trace):
    """Everything that a run recorded."""
    if isinstance(trace, mv.algorithms.Trace):
        return (*trace.parameters, *trace.values)
    return (*trace.critics, *trace.choices)


def same(one, other):
    """Bit for bit."""
    pairs = list(zip(tables(one), tables(other), strict=True))
    return all(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in pairs)


@pytest.fixture(scope="module")
def whole():
    """Runs that were never stopped, and never stored."""
    return {plan.algorithm: plan.follow(plan.subject(), in_memory) for plan in (NOISY, SAMPLED)}


@pytest.fixture
def mappo(capsys, monkeypatch):
    def run(*options):
        monkeypatch.setattr(sys, "argv", ["mappo-verify", "run", *map(str, options)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, " ".join(err.replace("│", " ").split())

    return run


# --- stopped and resumed ------------------------------------------------------------------------------------------------


class Stopped(BaseException):
    """Like an interruption from the keyboard."""


def stopping_at(*moments):
    def watch(process, state):  # noqa: ARG001 - one interface
        if state.k in moments:
            raise Stopped

    return watch


@pytest.mark.parametrize("plan", [NOISY, SAMPLED], ids=lambda plan: plan.algorithm)
@pytest.mark.parametrize("every", [0.01, 1e9], ids=["often", "at the end"])
def test_a_run_that_is_stopped_goes_on_bit_for_bit(plan, every, whole, tmp_path):
    moments = (1, 2, 60, 149)
    for k in moments:
        with pytest.raises(Stopped):
            (mv.resume_run if k > 1 else lambda *more: mv.begin_run(plan, *more))(tmp_path, every, stopping_at(k))
        kept = mv.load_run(tmp_path)
        assert kept.iterations == k, "an interruption keeps every iteration that was finished"
        pairs = zip(tables(kept), tables(whole[plan.algorithm]), strict=True)
        assert all(a.tobytes() == b[: len(a)].tobytes() for a, b in pairs)
    assert same(mv.resume_run(tmp_path, every), whole[plan.algorithm])
    assert same(mv.load_run(tmp_path), whole[plan.algorithm])


def test_other_random_numbers_are_another_run(whole, tmp_path):
    """What the comparison above is worth: generators that begin anew after a stop are seen."""
    with pytest.raises(Stopped):
        mv.begin_run(NOISY, tmp_path, 0.0, stopping_at(60))
    for path in (tmp_path / "trace").iterdir():
        if path.name == "000000059.npz":
            parts = dict(np.load(path))
            fresh = dict(np.load(tmp_path / "trace" / "000000000.npz"))
            follows, _ = parts.pop("follows"), parts.pop("checksum")
            parts["generators"] = fresh["generators"]
            checksum = np.frombuffer(
                _checksum(follows.tobytes(), parts.items()), np.uint8
            )  # so that nothing else tells
            np.savez(path, **parts, follows=follows, checksum=checksum)
    assert not same(mv.resume_run(tmp_path), whole["algorithm-1"])


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name not in ("algorithm-1", "algorithm-2")])
def test_every_algorithm_can_be_stopped(name, tmp_path):
    offline = ALGORITHMS[name].offline
    options = {"iterations": 12, **({"samples": "50"} if offline else {"critic": "monte-carlo:2"})}
    plan = Plan(name, None if offline else "climbing", "theorem-5.5-two-agents" if offline else None, options=options)
    with pytest.raises(Stopped):
        mv.begin_run(plan, tmp_path, 1e9, stopping_at(5))
    assert same(mv.resume_run(tmp_path), plan.follow(plan.subject(), in_memory))


def test_the_library_can_store_what_it_likes(tmp_path):
    game = mv.games.restarted(mv.named_game("climbing")).floats()
    for count in range(2):
        trace = multi_agent_ppo(game, 30, critic=mv.algorithms.NoisyCritic(0.1), record=mv.runs.Store(tmp_path, 0.0))
        assert len(list(tmp_path.glob("*.npz"))) == 30, count
    assert same(trace, multi_agent_ppo(game, 30, critic=mv.algorithms.NoisyCritic(0.1)))
    with pytest.raises(mv.errors.RunError, match="only runs in float64"):
        mv.algorithms.constant_step(game.balls(), 2, 1, record=mv.runs.Store(tmp_path / "balls"))


def test_a_step_that_fails_loses_nothing(tmp_path, monkeypatch):
    real = Improvement.step

    def failing(self, state):
        if state.k == 7:
            raise mv.errors.SolverError("out of order")
        return real(self, state)

    plan = Plan("algorithm-1", game="climbing", options={"iterations": 20})
    monkeypatch.setattr(Improvement, "step", failing)
    with pytest.raises(mv.errors.SolverError, match="out of order"):
        mv.begin_run(plan, tmp_path)
    assert mv.load_run(tmp_path).iterations == 7
    monkeypatch.undo()
    assert same(mv.resume_run(tmp_path), plan.follow(plan.subject(), in_memory))


@pytest.mark.parametrize(
    ("words", "evaluator"),
    [((), mv.algorithms.InClass()), (("--evaluator", "class-throughout"), mv.algorithms.ClassThroughout())],
    ids=["in-class", "class-throughout"],
)
def test_the_evaluator_of_algorithm_2_is_the_one_that_was_asked_for(mappo, tmp_path, words, evaluator):
    code, out, _ = mappo(
        "algorithm-2", "--problem", "theorem-5.5-two-agents", "-k", "1", *words, "--out", tmp_path / "run"
    )
    assert code == 0 and "theorem-5.5-two-agents" in out
    assert mv.load_run(tmp_path / "run").evaluation.evaluator == evaluator


def test_a_wrong_evaluator_is_named(mappo, tmp_path):
    code, _, err = mappo(
        "algorithm-2", "--problem", "theorem-5.5-two-agents", "--evaluator", "convex", "--out", tmp_path / "run"
    )
    assert code == 2 and "--evaluator 'convex' is none of in-class, class-throughout, unconstrained" in err


def test_an_evaluation_that_fails_loses_nothing_and_says_how_to_go_on(mappo, tmp_path, monkeypatch):
    real = LinearEvaluation.evaluate

    def failing(self, dataset, policy, penalty):
        if np.ptp(policy.factors[0][0]) > 0.02:
            raise mv.errors.SolverError("out of order")
        return real(self, dataset, policy, penalty)

    monkeypatch.setattr(LinearEvaluation, "evaluate", failing)
    options = ("--problem", "theorem-5.5-two-agents", "-k", "40")
    code, _, err = mappo("algorithm-2-repaired", *options, "--out", tmp_path / "run")
    kept = mv.load_run(tmp_path / "run")
    assert code == 2 and 0 < kept.iterations < 40
    assert f"{kept.iterations} iterations are kept; go on with: mappo-verify run algorithm-2-repaired --out" in err
    assert f"InterruptedRunError: iteration {kept.iterations}, agent 2: out of order" in err
    monkeypatch.undo()
    assert mappo("algorithm-2-repaired", "--out", tmp_path / "run", "--resume")[0] == 0
    plan = Plan("algorithm-2-repaired", problem="theorem-5.5-two-agents", options={"iterations": 40})
    assert same(mv.load_run(tmp_path / "run"), plan.follow(None, in_memory))


# --- killed -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", [NOISY, SAMPLED], ids=lambda plan: plan.algorithm)
@pytest.mark.parametrize("seed", range(2))
def test_a_run_that_is_killed_goes_on_bit_for_bit(plan, seed, whole, tmp_path):
    """SIGKILL at random moments, several times, then to the end."""
    moments, out, kept = random.Random(seed), tmp_path / "run", []
    command = [*MV, *arguments(plan), "--out", str(out)]
    for _ in range(2):
        begun = (out / "run.json").exists()
        often = [*command, "--save-every", "0.01", *["--resume"] * begun]
        process = subprocess.Popen(often, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        before = kept[-1] if kept else 0
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None and _stored(out) <= before:
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.06))
        process.send_signal(signal.SIGKILL)
        _, err = process.communicate(timeout=60)
        assert process.returncode in (-signal.SIGKILL, 0), err.decode()
        kept.append(mv.load_run(out).iterations)
    assert kept[0] > 0 and kept == sorted(kept)
    assert min(kept) < plan.options["iterations"], "it was stopped on the way"
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert same(mv.load_run(out), whole[plan.algorithm])
    assert {"run.json", "summary.json", "run.svg", "run.png", "trace"} <= {path.name for path in out.iterdir()}


def _stored(out):
    names = [path.name for path in (out / "trace").glob("*.npz")]
    return int(max(names)[:9]) + 1 if names else 0


def test_an_interruption_says_how_to_go_on(tmp_path):
    command = [*MV, "constant-step", "--game", "climbing", "-k", "1000000", "--out", str(tmp_path / "run")]
    # tests that run in a shell's background inherit an ignored SIGINT, which the command must not
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*command, "--save-every", "0.01"], preexec_fn=heard, **pipes)
    while process.poll() is None and not _stored(tmp_path / "run"):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "iterations are kept; go on with: mappo-verify run constant-step --out" in err and "--resume" in err
    assert "Traceback" not in err and mv.load_run(tmp_path / "run").iterations > 0


# --- files --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def halfway(tmp_path):
    """A run of 12 iterations that was stopped after 6, every iteration in a file of its own."""
    plan = Plan("algorithm-1", game="climbing", options={"iterations": 12, "critic": "noisy:1"})
    with pytest.raises(Stopped):
        mv.begin_run(plan, tmp_path, 0.0, stopping_at(6))
    return tmp_path, plan.follow(plan.subject(), in_memory)


@pytest.mark.parametrize("keep", [0, 1, 100, -1, -30])
def test_a_torn_file_at_the_end_is_said_and_written_again(halfway, keep, caplog):
    folder, expected = halfway
    last = folder / "trace" / "000000005.npz"
    last.write_bytes(last.read_bytes()[:keep])
    (folder / "trace" / ".0123456789abcdef.part").write_bytes(b"half")
    assert mv.load_run(folder).iterations == 5
    assert same(mv.resume_run(folder), expected)
    lost = f"{last} is damaged: the iterations from 5 on are lost; "
    assert caplog.messages == [lost + "--resume computes them again", lost + "they are computed again"]
    caplog.clear()
    assert mv.load_run(folder).iterations == 12 and not caplog.messages  # whole again


def test_a_wrong_bit_at_the_end_is_ignored_and_written_again(halfway):
    folder, expected = halfway
    last = folder / "trace" / "000000005.npz"
    content = bytearray(last.read_bytes())
    content[content.index(b"\x93NUMPY") + 130] ^= 1  # in the numbers of the first table, so the checksum is wrong
    last.write_bytes(content)
    assert mv.load_run(folder).iterations == 5
    assert same(mv.resume_run(folder), expected)


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("name", ["values_1", "parameters_1", "state_1", "generators", "checksum"])
def test_numbers_that_were_changed_are_noticed(halfway, k, name):
    """Also where the file is well-formed, and its own checksums of bytes fit."""
    folder, expected = halfway
    path = folder / "trace" / f"{k:09d}.npz"
    table = dict(np.load(path))[name].copy()
    table.flat[0] = 1e300 if table.dtype.kind == "f" else table.flat[0] ^ 1
    chunk(path, **{name: table})
    for read in (mv.load_run, mv.resume_run):
        with pytest.raises(
            mv.errors.RunError, match=rf"{k:09d}.npz was changed after it was written: .*; delete {k:09d}.npz"
        ):
            read(folder)
    for later in range(k, 6):
        (folder / "trace" / f"{later:09d}.npz").unlink()
    assert same(mv.resume_run(folder), expected)


def test_files_of_another_run_are_noticed(halfway, tmp_path_factory):
    folder, expected = halfway
    other = tmp_path_factory.mktemp("other")
    plan = Plan("algorithm-1", game="climbing", options={"iterations": 12, "critic": "noisy:1", "seed": 1})
    with pytest.raises(Stopped):
        mv.begin_run(plan, other, 0.0, stopping_at(6))
    for k in (0, 3, 5):
        path = folder / "trace" / f"{k:09d}.npz"
        own = path.read_bytes()
        path.write_bytes((other / "trace" / path.name).read_bytes())
        with pytest.raises(mv.errors.RunError, match=rf"{path.name} is of another run"):
            mv.load_run(folder)
        path.write_bytes(own)
    assert same(mv.resume_run(folder), expected)


@pytest.mark.parametrize(("name", "old", "new"), [("game.json", "11", "12"), ("run.json", '"noisy:1"', '"noisy:2"')])
def test_settings_that_were_changed_are_noticed(halfway, name, old, new):
    folder, _ = halfway
    text = (folder / name).read_text("utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), "utf-8")
    with pytest.raises(
        mv.errors.RunError, match=r"of another run, or run.json or game.json was changed after it was written"
    ):
        mv.load_run(folder)


def test_a_store_without_settings_knows_its_process(tmp_path):
    """Another seed is another run, also for who stores by himself."""
    game = mv.named_game("random:2x2x2:1").floats()
    for seed in (0, 1):
        critic, record = mv.algorithms.NoisyCritic(1.0), mv.runs.Store(tmp_path / "own")
        if seed:
            with pytest.raises(mv.errors.RunError, match="is of another run"):
                mv.algorithms.constant_step(game, 5, 0.1, critic=critic, seed=seed, record=record)
        else:
            mv.algorithms.constant_step(game, 5, 0.1, critic=critic, seed=seed, record=record)


@pytest.mark.parametrize(
    ("plant", "message"),
    [
        (lambda f: (shutil.rmtree(f / "trace"), (f / "trace").write_text("")), r"not a folder|cannot write into the folder"),
        (lambda f: ((f / "run.json").unlink(), os.mkfifo(f / "run.json")), "it is a pipe or a device"),
        (lambda f: ((f / "run.json").unlink(), (f / "run.json").mkdir()), "does not describe a run"),
        (lambda f: (f / "run.json").write_bytes(b" " * 2**20 + b"{}"), "holds more than the limit"),
        (lambda f: (f / "run.json").write_text('{"x": ' + "[" * 100_000), "nested too deeply"),
        (lambda f: (f / "run.json").write_text((f / "run.json").read_text().replace('"game":', '"game": 0, "game":')),
         "does not describe a run.*game"),
        (lambda f: (f / "game.json").unlink(), "cannot be read"),
    ],
)  # fmt: skip
def test_damaged_folders_are_clear_errors(halfway, plant, message):
    folder, _ = halfway
    plant(folder)
    for use in (mv.load_run, mv.resume_run):
        with pytest.raises(mv.errors.MappoVerifyError, match=message):
            use(folder)


# --- two at once ----------------------------------------------------------------------------------------------------------

FOLLOW = """
import sys
import mappo_verify as mv
folder, seed, every = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
plan = mv.runs.Plan("algorithm-1", game="climbing", options={"iterations": 400, "critic": "noisy:1", "seed": seed})
print("ready", flush=True)
sys.stdin.readline()
try:
    mv.resume_run(folder, every) if sys.argv[4:] else mv.begin_run(plan, folder, every)
except mv.errors.RunError as error:
    sys.exit(str(error))
"""


def following(folder, seed, every, *more):
    """A process that is about to begin (or to continue) this run."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", FOLLOW, str(folder), str(seed), str(every), *more], **pipes)
    assert process.stdout.readline() == "ready\n"
    return process


def whole_of(seed):
    plan = Plan("algorithm-1", game="climbing", options={"iterations": 400, "critic": "noisy:1", "seed": seed})
    return plan.follow(plan.subject(), in_memory)


def test_two_runs_into_one_folder_are_never_mixed(tmp_path):
    """Begun at the same moment: one is whole, the other is told why it is not."""
    both = [following(tmp_path / "run", seed, 0.0) for seed in (0, 1)]
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=120)[1] for process in both]
    codes = [process.returncode for process in both]
    assert sorted(codes) == [0, 1], said
    winner = codes.index(0)
    assert re.search("another process is writing the run in|holds a run already", said[1 - winner])
    assert same(mv.load_run(tmp_path / "run"), whole_of(winner))


def test_a_run_that_is_being_written_is_not_continued_by_another(tmp_path):
    first = following(tmp_path, 0, 0.0)
    first.stdin.write("\n")
    first.stdin.flush()
    while not _stored(tmp_path) and first.poll() is None:
        time.sleep(0.002)
    first.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(
            mv.errors.RunError, match=r"another process is writing the run in .*; wait until it ends, or choose"
        ):
            mv.resume_run(tmp_path)
        assert mv.load_run(tmp_path).iterations > 0, "reading is free"
    finally:
        first.send_signal(signal.SIGCONT)
    first.communicate(timeout=120)
    assert same(mv.resume_run(tmp_path), whole_of(0))


def test_twenty_kills_leave_a_run_that_goes_on_bit_for_bit(tmp_path):
    """SIGKILL at random moments of writing; nothing half-written remains."""
    moments, kept = random.Random(7), [0]
    for _ in range(20):
        more = ["resume"] * (tmp_path / "run.json").exists()
        process = following(tmp_path, 0, 0.0, *more)
        process.stdin.write("\n")
        process.stdin.flush()
        while _stored(tmp_path) <= kept[-1] and process.poll() is None:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.01))
        process.kill()
        _, err = process.communicate(timeout=60)
        assert process.returncode in (-signal.SIGKILL, 0), err
        kept.append(mv.load_run(tmp_path).iterations)
    assert kept == sorted(kept) and 0 < kept[1] < 400
    (tmp_path / "trace" / ".0123456789abcdef.part").write_bytes(b"half")
    assert same(mv.resume_run(tmp_path), whole_of(0))
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("damage", ["tear", "delete"])
def test_damage_in_the_middle_is_an_error_with_a_cure(halfway, damage):
    folder, expected = halfway
    middle = folder / "trace" / "000000002.npz"
    middle.unlink() if damage == "delete" else middle.write_bytes(b"PK")
    for read in (mv.load_run, mv.resume_run):
        with pytest.raises(
            mv.errors.RunError, match=r"000000002.npz is missing or damaged, although 000000003.npz follows"
        ):
            read(folder)
    for k in (3, 4, 5):
        (folder / "trace" / f"{k:09d}.npz").unlink()
    assert same(mv.resume_run(folder), expected)


def chunk(path, **changes):
    """The file with some arrays replaced (None: left out)."""
    parts = {**dict(np.load(path)), **changes}
    np.savez(path, **{name: table for name, table in parts.items() if table is not None})


def raw(path, name, header):
    """The file with a member whose header says what it likes."""
    with zipfile.ZipFile(path) as file:
        members = {entry: file.read(entry) for entry in file.namelist()}
    text = header.encode("latin1")
    members[f"{name}.npy"] = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(72)
    with zipfile.ZipFile(path, "w") as file:
        for entry, content in members.items():
            file.writestr(entry, content)


class Bomb:
    """Would make a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_objects_are_refused_and_never_unpickled(halfway, tmp_path):
    folder, _ = halfway
    chunk(folder / "trace" / "000000005.npz", values_1=np.array([[Bomb(tmp_path / "bang")]], object))
    with pytest.raises(mv.errors.RunError, match=r"000000005.npz: values_1 is object"):
        mv.load_run(folder)
    assert not (tmp_path / "bang").exists()


HUGE = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, %d), }"


@pytest.mark.parametrize(
    ("plant", "message"),
    [
        (lambda p: raw(p, "parameters_1", HUGE % 10**15), r"parameters_1 is float64 \(1, 1000000000000000\), not"),
        (lambda p: raw(p, "parameters_1", HUGE.replace("1, %d", "10**9,")), "not a plain array"),
        (lambda p: raw(p, "parameters_1", HUGE.replace("1, %d", "10000000,")), "has .10000000,. iterations; 7 are"),
        (lambda p: raw(p, "values_1", "__import__('os')"), "not a plain array"),
        (lambda p: raw(p, "values_1", "(" * 60_000), "not a plain array"),
        (lambda p: raw(p, "parameters_1", HUGE % 3), "bytes, which are not those of"),
        (lambda p: chunk(p, parameters_1=np.zeros((1, 3), ">f8")), "parameters_1 is >f8"),
        (lambda p: chunk(p, parameters_1=np.zeros((1, 3), complex)), "parameters_1 is complex128"),
        (lambda p: chunk(p, parameters_1=np.zeros((1, 4))), r"parameters_1 is float64 \(1, 4\), not float64 \(1, 3\)"),
        (lambda p: chunk(p, parameters_1=np.zeros((0, 3))), "has .0,. iterations"),
        (lambda p: chunk(p, parameters_1=np.float64(1)), "has no iterations"),
        (lambda p: chunk(p, parameters_1=None), "it is of another run"),
        (lambda p: chunk(p, more=np.zeros(3)), "it is of another run"),
        (lambda p: chunk(p, generators=np.full((3, 6), 2**63, np.uint64)), "not the state of a random generator"),
        (lambda p: chunk(p, generators=np.zeros((2, 6), np.uint64)), "generators is uint64"),
        (lambda p: (p.unlink(), os.mkfifo(p)), "not a regular file"),
    ],
)  # fmt: skip
def test_hostile_files_are_refused(halfway, plant, message):
    folder, _ = halfway
    plant(folder / "trace" / "000000005.npz")
    with pytest.raises(mv.errors.RunError, match=message):
        mv.load_run(folder)


def test_compressed_files_are_refused(halfway):
    folder, _ = halfway
    path = folder / "trace" / "000000005.npz"
    np.savez_compressed(path, **dict(np.load(path)))
    with pytest.raises(mv.errors.RunError, match="is compressed; stored runs are not"):
        mv.load_run(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 1}, "version 1, not .* another release wrote it"),
        ({"algorithm": "algorithm-9"}, "no algorithm is called 'algorithm-9'"),
        ({"options": {"speed": 1}}, "has no option speed"),
        ({"options": {"iterations": "many"}}, "options.iterations = 'many' is of the wrong type"),
        ({"options": {"iterations": 1.5}}, "options.iterations = 1.5 is of the wrong type"),
        ({"options": {"iterations": 10**12}}, "at most 999999999 iterations"),
        ({"options": {"critic": "exact:1"}}, "--critic 'exact:1' is none of exact, noisy:NUMBER"),
        ({"options": []}, "does not describe a run"),
        ({"more": 1}, "does not describe a run"),
    ],
)
def test_hostile_settings_are_refused(halfway, change, message):
    folder, _ = halfway
    data = json.loads((folder / "run.json").read_text("utf-8"))
    (folder / "run.json").write_text(json.dumps({**data, **change}), "utf-8")
    with pytest.raises(mv.errors.RunError, match=message):
        mv.load_run(folder)


# --- the command --------------------------------------------------------------------------------------------------------


def test_the_command_runs_writes_and_says_what_it_found(mappo, tmp_path):
    out = tmp_path / "new" / "folder"
    code, text, err = mappo("algorithm-1", "--game", "climbing", "--iterations", "1000", "--out", out)
    assert (code, err) == (0, "")
    assert "Algorithm 1 reaches the optimum of climbing" in text and "Theorem 4.5 allows" in text
    # some versions of filelock leave the lock's file behind
    assert {path.name for path in out.iterdir()} - {".lock"} == {
        "run.json",
        "game.json",
        "trace",
        "summary.json",
        "run.svg",
        "run.png",
    }
    game = mv.games.restarted(mv.named_game("climbing")).floats()
    assert same(mv.load_run(out), mv.algorithms.multi_agent_ppo(game, 1000))
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    code, text, _ = mappo("algorithm-1", "--out", out, "--resume")
    assert code == 0 and "holds the complete run already: nothing is left to do" in text
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*")}


def test_progress_shows_the_return_and_the_gap(tmp_path):
    """On a terminal; the run's own lines go to standard output."""
    parent, child = pty.openpty()
    command = [*MV, "independent-mirror-descent", "--game", "climbing", "-k", "50", "--out", str(tmp_path / "run")]
    process = subprocess.Popen(command, stderr=child, stdout=subprocess.PIPE)
    os.close(child)
    shown = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while piece := os.read(parent, 4096):
            shown += piece
    os.close(parent)
    out, _ = process.communicate(timeout=120)
    text = shown.decode()
    assert process.returncode == 0 and out.startswith(b"Independent mirror descent")
    shown_steps = re.findall(
        r"k = (\d+) of 50   J = (\S+)   gap = (\S+)", text
    )  # which ones: the machine's load decides
    returns = floats_of(mv.load_run(tmp_path / "run").returns(mv.named_game("climbing").floats()))
    assert shown_steps, text
    for k, now, gap in shown_steps:
        assert float(now) == pytest.approx(returns[int(k)], abs=1e-4)
        assert float(gap) == pytest.approx(11 - returns[int(k)], rel=1e-2)


def test_what_was_killed_before_its_picture_gets_it(mappo, tmp_path):
    mv.begin_run(Plan("constant-step", game="two-step", options={"iterations": 5}), tmp_path)
    code, text, _ = mappo("constant-step", "--out", tmp_path, "--resume")
    assert code == 0 and (tmp_path / "summary.json").exists() and "Theorem 4.5 gives no bound for this run" in text


def test_a_folder_with_a_run_is_not_overwritten(mappo, halfway):
    folder, _ = halfway
    before = {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    code, _, err = mappo("algorithm-1", "--game", "climbing", "--out", folder)
    assert code == 2 and "holds a run already; go on with it by --resume, or choose another folder" in err
    assert "are kept" not in err
    assert before == {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("algorithm-1", "--seed", "3"), "seed = 0, not 3"),
        (("algorithm-1", "--iterations", "20"), "iterations = 12, not 20"),
        (("algorithm-1", "--game", "penalty"), "game = climbing, not penalty"),
        (("algorithm-1", "--discount", "1/2"), "discount = the default, not 1/2"),
        (("algorithm-1", "--restart"), "restart = False, not True"),
        (("algorithm-1", "--radius", "2"), "radius = the default, not 2.0"),
        (("constant-step", "--step", "0.1"), "algorithm = algorithm-1, not constant-step"),
    ],
)
def test_a_run_goes_on_with_its_own_settings_only(mappo, halfway, options, named):
    folder, _ = halfway
    code, _, err = mappo(*options, "--out", folder, "--resume")
    assert code == 2 and f"holds a run with {named}" in err and "to go on with it, or choose another folder" in err


def test_settings_that_agree_may_be_given_again(mappo, halfway):
    folder, expected = halfway
    code, _, _ = mappo(
        "algorithm-1", "--game", "climbing", "--critic", "noisy:1", "-k", "12", "--out", folder, "--resume"
    )
    assert code == 0 and same(mv.load_run(folder), expected)


def test_a_game_that_changed_is_noticed(mappo, tmp_path):
    path, out = tmp_path / "game.json", tmp_path / "run"
    mv.save_game(mv.named_game("climbing"), path)
    assert mappo("constant-step", "--game", path, "-k", "3", "--out", out)[0] == 0
    assert mappo("constant-step", "--game", path, "--out", out, "--resume")[0] == 0
    mv.save_game(mv.named_game("penalty"), path)
    code, _, err = mappo("constant-step", "--game", path, "--out", out, "--resume")
    assert code == 2 and "has changed since the run" in err
    assert mappo("constant-step", "--out", out, "--resume")[0] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("algorithm-1",), "give --game"),
        (("algorithm-2",), "needs one of --game and --problem"),
        (("algorithm-2", "--problem", "climbing"), "no problem is called 'climbing'; there are theorem-5.5-two-agents"),
        (("algorithm-2", "--problem", "theorem-5.5-one-agent", "--discount", "1/2"), "leave them out with --problem"),
        (("algorithm-2", "--problem", "theorem-5.5-one-agent", "--samples", "few"), "'few' is not a whole number"),
        (
            ("algorithm-4", "--problem", "theorem-5.5-one-agent"),
            "only --problem theorem-5.5-two-agents comes with them",
        ),
        (("algorithm-1", "--game", "two-step"), "let it begin again with --restart"),
        (("algorithm-1", "--game", "climbing", "--solver", "sgd:10"), "needs a radius R"),
        (("algorithm-1", "--game", "climbing", "--solver", "sgd"), "--solver 'sgd' is none of exact, sgd:NUMBER"),
        (("algorithm-1", "--game", "climbing", "--critic", "noisy:much"), "'much' is not a number"),
        (("algorithm-1", "--game", "climbing", "--critic", "noisy:e"), "'e' is not a number"),
        (("algorithm-1", "--game", "climbing", "--beta", "-1"), "β = -1 is not a positive"),
        (("constant-step", "--game", "climbing", "--step", "nan"), "the step η"),
        (("shared-parameters", "--game", "random:2x2x3:1"), "cannot share one policy"),
        (("algorithm-1", "--game", "climbing", "--resume"), "holds no run (run.json is missing)"),
    ],
)
def test_bad_input_ends_in_one_line_and_leaves_no_run(mappo, tmp_path, options, message):
    code, out, err = mappo(*options, "--out", tmp_path / "run")
    assert (code, out) == (2, "") and message in err and "Traceback" not in err
    assert not (tmp_path / "run" / "trace").exists()


def test_a_folder_that_is_a_file_is_a_clear_error(mappo, tmp_path):
    (tmp_path / "file").write_text("mine")
    code, _, err = mappo("constant-step", "--game", "climbing", "--out", tmp_path / "file")
    assert code == 2 and ("is not a folder that can be read" in err or "cannot make the folder" in err)


# --- what it says -------------------------------------------------------------------------------------------------------


def summary_of(folder, plan):
    trace = mv.begin_run(plan, folder)
    return summarise(open_run(folder), trace)


def test_the_summary_has_the_numbers_of_the_run(tmp_path):
    plan = Plan(
        "algorithm-1", "random:3x2x2:7", options={"iterations": 40, "critic": "noisy:0.3", "features": "random:4"}
    )
    data = summary_of(tmp_path, plan)
    game = plan.subject().floats()
    trace, best = plan.follow(plan.subject(), in_memory), mv.optimal(game)
    found = mv.algorithms.recompute(trace, game, best.policy)
    after = np.arange(1, 41)
    assert data["returns"] == pytest.approx(trace.returns(game), rel=1e-9)
    assert data["gaps"] == pytest.approx(best.values @ game.start - trace.returns(game), rel=1e-6)
    assert data["bounds"]["mean_gap"] == pytest.approx(np.cumsum(found.gaps) / after, rel=1e-9)
    beta, agents, gamma = float(trace.beta), 2, 0.9
    for name, lost in (("printed", found.fit_cost), ("repaired", found.repaired_fit_cost)):
        spent = np.cumsum((found.propagation + lost).sum(-1)) + 2 * np.log(2)
        total = spent + agents / 2 * after * (float(found.bound) / beta) ** 2
        assert data["bounds"][name] == pytest.approx(beta * total / ((1 - gamma) * after), rel=1e-9)
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_what_replaces_the_false_fit_cost_is_the_norm_that_cauchy_and_schwarz_give():
    """``‖w_{m-1}(1 - π_{k+1}^m/π_k^m)‖_{2,σ_k}`` by hand: one state, and the comparator plays (0, 0)."""
    game = mv.games.restarted(mv.named_game("climbing")).floats()
    trace = mv.algorithms.multi_agent_ppo(game, 5, features=mv.Features.random(game, 2, 1))
    found = mv.algorithms.recompute(trace, game, mv.Policy.deterministic(game, np.zeros(1, int)))
    for k in range(5):
        (one, two), (first, second) = ([f[0] for f in trace.policies(i).factors] for i in (k, k + 1))
        own = (one[0] * (1 - first[0] / one[0]) ** 2).sum()
        other = one[0, 0] * (two[0] * ((1 - second[0] / two[0]) / one[0, 0]) ** 2).sum()
        assert found.change_squared[k] == pytest.approx([own, other], rel=1e-9, abs=0)


def test_the_printed_bound_is_seen_to_fail():
    """A mean gap above a bound is said; the numbers are made up."""
    from mappo_verify.runs.summary import _compared

    mean, bound = np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 1.0])
    assert "above the printed bound from iteration 2 on" in _compared(mean, bound, 10 * bound, 9 * bound)
    assert "above" not in _compared(mean, 5 * bound, 10 * bound, 9 * bound)
    assert "allows any gap as printed" in _compared(mean, np.full(3, np.inf), bound, bound)


def test_policies_that_round_to_zero_have_bounds_all_the_same(tmp_path):
    """Exact updates make no error, so what is infinite or no number must not leak into the bound where it is 0 times that."""
    data = summary_of(tmp_path, Plan("algorithm-1", "climbing", options={"iterations": 9, "beta": 1 / 1500}))
    assert 0.0 in mv.load_run(tmp_path).policies(-1).factors[1]
    json.dumps(data, allow_nan=False)
    bounds = data["bounds"]
    assert all(b is None or b >= a for a, b in zip(bounds["mean_gap"], bounds["repaired"], strict=True))


@pytest.mark.parametrize("algorithm", ["constant-step", "joint-mirror-descent"])
@pytest.mark.parametrize("game", ["climbing", "random:2x2x2:7"])
def test_constant_steps_are_shown_with_the_bound_of_the_claim(algorithm, game, tmp_path):
    """The claim on the run's own game, comparator and step, in balls; by hand, too: rewards of climbing lie in [-30, 11]."""
    plan = Plan(algorithm, game, options={"iterations": 4, "step": 0.25})
    data, exact = summary_of(tmp_path, plan), plan.subject()
    exact = exact.as_single_agent() if algorithm == "joint-mirror-descent" else exact
    bounds, agents = data["bounds"], exact.agents
    assert bounds["theorem"] == "theorem-4.5/exact-rate-in-rewards" and bounds["at"] == [1, 2, 3, 4]
    evidence = mv.check(bounds["theorem"], steps=4, game=exact, target=mv.optimal(exact).policy, beta=4)
    left, *_, right = (floats_of(entry.value) for entry in evidence.lines)
    assert evidence.verdict == mv.Verdict.HOLDS and bounds["exact_rate"][-1] == pytest.approx(
        float(right.max()), rel=1e-9
    )
    assert bounds["gap"][-1] == pytest.approx(float(left.ravel() @ exact.floats().start), rel=1e-9)
    reach, horizon = {"climbing": (41, 1), "random:2x2x2:7": (np.ptp(exact.floats().reward), 10)}[game]
    total = 4 * np.log(exact.actions) + agents * reach * horizon
    assert bounds["exact_rate"] == pytest.approx(horizon * total / np.arange(2, 6), rel=1e-9)
    share = max(a / b for a, b in zip(bounds["gap"], bounds["exact_rate"], strict=True))
    assert f"at any k the gap is at most {share:.2g} times the bound" in data["says"]


def test_where_nothing_can_be_gained_the_bound_is_0_and_met(tmp_path):
    """One action that pays nothing: 0 of 0."""
    path = tmp_path / "idle.json"
    mv.save_game(
        mv.Game(like([[[1]]], System.RATIONALS), like([[0]], System.RATIONALS), like(0, System.RATIONALS), (1,)), path
    )
    data = summary_of(tmp_path / "run", Plan("constant-step", str(path), options={"iterations": 3}))
    assert data["bounds"]["exact_rate"] == data["bounds"]["gap"] == [0, 0, 0]
    assert "at most 0 times the bound" in data["says"]
    assert run_overview(data).axes[2].get_title(loc="left") == "gap  J* - J(π_k),  and its rate 1/(k+1)"


def test_a_wrong_rate_is_seen_to_fail(tmp_path, monkeypatch):
    """1/K³ for 1/K."""
    right = summary_module.exact_rate
    monkeypatch.setattr(summary_module, "exact_rate", lambda game, beta, k: right(game, beta, k) / k**2)
    data = summary_of(tmp_path, Plan("constant-step", "random:2x2x2:7", options={"iterations": 30}))
    first = next(k for k, a, b in zip(*(data["bounds"][n] for n in ("at", "gap", "exact_rate")), strict=True) if a > b)
    assert data["says"].endswith(f"above the bound from iteration {first} on")


@pytest.mark.parametrize("algorithm", ["independent-gradient", "independent-mirror-descent", "shared-parameters"])
def test_where_no_theorem_speaks_of_an_algorithm_none_is_shown(algorithm, tmp_path):
    data = summary_of(tmp_path, Plan(algorithm, "climbing", options={"iterations": 5}))
    assert set(data["bounds"]) == {"theorem", "at", "says"} and data["bounds"]["theorem"] is None
    assert f"No theorem bounds the gap of {ALGORITHMS[algorithm].title}" in data["says"]
    right = run_overview(data).axes[2]
    assert right.get_title(loc="left") == "no theorem covers this algorithm" and not right.get_lines()


def test_the_rate_needs_exact_values_and_a_discount(tmp_path):
    """With noise Theorem 4.5 still holds; where a game ends for sure, nothing does."""
    noisy = summary_of(
        tmp_path / "a", Plan("constant-step", "climbing", options={"iterations": 5, "critic": "noisy:1"})
    )
    ending = summary_of(tmp_path / "b", Plan("constant-step", "two-step", options={"iterations": 5}))
    for data in (noisy, ending):
        assert data["bounds"]["theorem"] == "theorem-4.5" and "exact_rate" not in data["bounds"]
        assert data["says"].startswith("theorem-4.5/exact-rate-in-rewards needs exact values and a discount below 1.  ")
    assert noisy["bounds"]["repaired"] and not ending["bounds"]["at"]
    assert run_overview(ending).axes[2].get_title(loc="left") == "no bound here"


def test_bounds_of_runs_from_data(tmp_path):
    printed = summary_of(
        tmp_path / "a", Plan("algorithm-2", problem="theorem-5.5-two-agents", options={"iterations": 50})
    )
    repaired = summary_of(
        tmp_path / "b",
        Plan("algorithm-2-repaired", problem="theorem-5.5-two-agents", options={"iterations": 50, "samples": "100"}),
    )
    first = 2 * np.sqrt(2) * 4 * 2 * np.sqrt(np.log(2) / 50)
    for data in (printed, repaired):
        assert data["bounds"]["first_term"] == pytest.approx(first, rel=1e-9)
        assert data["optimum"] == 0.5
    assert "repaired" not in printed["bounds"]
    assert repaired["bounds"]["repaired"] > first > repaired["bounds"]["mean_gap"][-1]


def test_algorithm_4_has_a_theorem_of_its_own(tmp_path):
    """The repaired one has a class that holds Q of every policy that it meets."""
    names = ("algorithm-4", "algorithm-4-repaired")
    printed, repaired = (
        summary_of(tmp_path / name, Plan(name, problem="theorem-5.5-two-agents", options={"iterations": 50}))
        for name in names
    )
    assert {data["bounds"]["theorem"] for data in (printed, repaired)} == {"theorem-d.7"}
    first = 2 * np.sqrt(2) * 4 * 2 * np.sqrt(np.log(2) / 50)
    assert printed["bounds"]["first_term"] == repaired["bounds"]["first_term"] == pytest.approx(first, rel=1e-9)
    assert "repaired" not in printed["bounds"]
    assert repaired["bounds"]["repaired"] == pytest.approx(first, rel=1e-9), "Q of every π_k is in this class"
    assert repaired["says"].startswith("Mean gap") and "the first term of Theorem D.7" in repaired["says"]


def test_what_pessimism_pays_where_the_class_lacks_the_values():
    """``min_f (‖f - T f‖_∞/(1-γ) + λ E(f))``, table by table."""
    problem = mv.games.theorem_5_5_two_agents().floats()
    game, policy = problem.game, mv.Policy.uniform(problem.game)
    tables = np.random.default_rng(3).uniform(0, 2, (4, game.states, game.actions))
    evaluation = FiniteEvaluation(problem, {2: FiniteClass(tables, 2)})
    trace = mv.algorithms.pessimistic_finite_joint(problem, tables, 1, penalty=7.0)
    data, costs = trace.dataset(0, 2), []
    for table in tables:
        backup = game.reward + game.transition @ (policy.joint() * table).sum(-1) / 2
        costs.append(2 * np.abs(table - backup).max() + 7 * evaluation.error(data, policy, table))
    assert float(evaluation.allowance(data, policy, 7.0)) == pytest.approx(min(costs), rel=1e-12, abs=0)
    assert min(costs) > 0


def test_findings():
    line = np.linspace(0, 1, 101)
    assert finding("algorithm 1", "g", line, 1.0) == "Algorithm 1 reaches the optimum of g: J = 1 of 1"
    assert finding("x", "g", line / 2, 1.0) == "X is at J = 0.5 after 100 iterations in g; the optimum is 1"
    assert finding("x", "g", np.minimum(line, 0.5), 1.0) == "X stops at J = 0.5 in g; the optimum is 1"
    assert finding("x", "g", 0.5 - line / 4, 1.0) == "X falls from J = 0.5 to 0.25 in g; the optimum is 1"


@pytest.mark.parametrize(
    ("rewards", "optimum"),
    [([0, 4, 3, -(10**12)], 40), ([0, "1/20", 0, -(10**10)], 0.5)],
)
def test_a_forbidden_action_does_not_make_a_run_reach_the_optimum(tmp_path, rewards, optimum):
    """From the uniform policy, 10¹² below, all is near; agents that learn to avoid the forbidden pair alone stop at 0."""
    game = mv.Game([[[Fraction(1)]] * 4], [list(map(Fraction, rewards))], Fraction(9, 10), (2, 2), start=[Fraction(1)])
    mv.save_game(game, tmp_path / "g.json")
    plan = Plan("independent-gradient", game=str(tmp_path / "g.json"), options={"iterations": 5, "step": 0.1})
    mv.begin_run(plan, tmp_path / "run")
    run = open_run(tmp_path / "run")
    found = summarise(run, run.trace())
    assert found["returns"][-1] == 0 and found["optimum"] == optimum
    assert (
        found["finding"] == f"Independent gradient stops at J = 0 in {tmp_path / 'g.json'}; the optimum is {optimum:g}"
    )


def test_what_is_at_stake_is_what_the_cheapest_mistake_costs():
    """4 a step for 10 steps, though most actions are forbidden; where nothing can be lost, nothing bounds the way."""
    game = mv.Game([[[1.0]] * 4], [[0, 4, -1e12, -1e12]], 0.9, (2, 2), start=[1.0])
    assert at_stake(mv.optimal(game), 40.0) == pytest.approx(40)
    flat = mv.Game([[[1.0]] * 4], [[1, 1, 1, 1]], 0.9, (2, 2), start=[1.0])
    assert at_stake(mv.optimal(flat), 10.0) == np.inf
    nearly = mv.Game([[[1.0]] * 4], [[1, 1 - 1e-9, 0, 0]], 0.9, (2, 2), start=[1.0])
    assert at_stake(mv.optimal(nearly), 10.0) == pytest.approx(0.1)  # a near tie asks for no more than a hundredth


def test_the_picture_shows_the_numbers(tmp_path):
    data = summary_of(tmp_path, Plan("algorithm-1", "climbing", options={"iterations": 60}))
    left, middle, right = run_overview(data).axes
    assert list(left.get_lines()[0].get_ydata()) == data["returns"]
    assert list(middle.get_lines()[0].get_ydata()) == data["gaps"] and middle.get_yscale() == "log"
    curves = {line.get_label(): list(line.get_ydata()) for line in right.get_lines()}
    assert curves["measured"] == data["bounds"]["mean_gap"]
    assert curves["Theorem 4.5 as printed"] == data["bounds"]["printed"]
    assert curves["Theorem 4.5 repaired"] == data["bounds"]["repaired"]
    assert run_overview(data)._suptitle.get_text() == data["finding"]


def test_a_store_that_is_only_read_computes_nothing(tmp_path):
    game = mv.named_game("climbing").floats()
    trace = mv.algorithms.constant_step(game, 9, 0.1, record=stored(tmp_path))
    assert trace.iterations == 0 and not list(tmp_path.iterdir())


def test_stored_runs_with_former_names_are_still_read(mappo, tmp_path):
    """``two-agent-gap`` and ``price`` are what version 0.1.0 wrote into run.json."""
    plan = Plan("algorithm-2", problem="theorem-5.5-two-agents", options={"iterations": 6, "penalty": 30.0})
    expected = mv.begin_run(plan, tmp_path)
    path = tmp_path / "run.json"
    file = json.loads(path.read_text())
    file["problem"], file["options"]["price"] = "two-agent-gap", file["options"].pop("penalty")
    path.write_text(json.dumps(file))
    assert same(mv.load_run(tmp_path), expected)
    assert open_run(tmp_path).plan == plan
    code, _, err = mappo("algorithm-2", "--out", tmp_path, "--problem", "two-agent-gap", "--resume")
    assert code == 0, err
