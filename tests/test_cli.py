"""The command line: exit codes, one-line errors, JSON, and no traceback whatever is typed."""

from __future__ import annotations

import importlib
import json
import os
import pty
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

import mappo_verify as mv
from mappo_verify import cli
from mappo_verify.arithmetic import System, like
from mappo_verify.checking import campaign, doctor
from mappo_verify.checking.doctor import SELF_TEST, Planted
from mappo_verify.games.named import NAMED
from mappo_verify.papers import registry
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.report import drawings, html, terminal

COMMANDS = ("audit", "claims", "games", "explain", "optimal", "doctor")
QUICK = ("-c", "definition-3.2/no-discount")  # one fast claim
MV = [sys.executable, "-m", "mappo_verify"]


def run(*arguments, capsys, monkeypatch):
    """Exit code, standard output and standard error of ``mappo-verify ARGUMENTS``, through ``main`` in this process."""
    monkeypatch.setattr(sys, "argv", ["mappo-verify", *arguments])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    return ended.value.code or 0, out, err


@pytest.fixture
def mappo(capsys, monkeypatch):
    return lambda *arguments: run(*arguments, capsys=capsys, monkeypatch=monkeypatch)


def words(text):
    """Without the line breaks and boxes of a terminal."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


def save(path, **changes):
    """A small game in a file."""
    parts = {"transition": [[[1]]], "reward": [[1]], "discount": 0, "start": [1]}
    parts |= {name: changes.pop(name) for name in tuple(changes) if name in parts}
    numbers = {name: like(value, System.RATIONALS) for name, value in parts.items()}
    mv.save_game(mv.Game(**numbers, action_sizes=(1,), **changes), path)
    return str(path)


# --- audit --------------------------------------------------------------------------------------------------------------


def test_audit_prints_a_table(mappo):
    code, out, _ = mappo("audit", "-c", "definition-3.2/lipschitz", "-c", "lemma-b.3/zero-mean", "--seed", "4")
    assert code == 0
    text = words(out)
    for piece in ("definition-3.2/lipschitz", "SURVIVED", "PROVED", "every instance holds", "2 claims tried"):
        assert piece in text, piece
    assert "(quick, seed 4," in text and "UNEXPECTED" not in text


def test_audit_shows_refutations_repairs_and_taint(mappo, monkeypatch):
    code, out, _ = mappo("audit", "-c", "lemma-b.3/zero-mean-intervention")
    text = words(out)
    assert code == 0 and "REFUTED" in text and "smallest known: 1 state, 2x2 actions, at '0'" in text
    assert "lemma-b.3/zero-mean-intervention: repaired by lemma-b.3/zero-mean-conditioning" in text
    real = campaign.audit

    def tainted(*arguments):
        report = real(*arguments)
        return replace(report, claims=tuple(replace(entry, tainted_by=("lemma-x",)) for entry in report.claims))

    monkeypatch.setattr(campaign, "audit", tainted)
    _, out, _ = mappo("audit", *QUICK)
    assert "definition-3.2/no-discount leans on a refuted claim: lemma-x" in words(out)


@pytest.mark.parametrize("game", [(), ("-g", "climbing")], ids=str)
def test_claim_ids_are_printed_in_one_piece(mappo, game):
    """People search the table for an id; 80 columns must not break it into pieces."""
    names = ["lemma-b.3/zero-mean-conditioning", "definition-3.1/conditional-readings"]
    _, out, _ = mappo("audit", "-c", names[0], "-c", names[1], *game)
    for claim in registry.select(names):
        assert re.search(rf"^{re.escape(claim.id)}\s", out, re.MULTILINE), f"{claim.id} is not in\n{out}"


def test_audit_exit_code_1_if_a_standing_is_unexpected(mappo, monkeypatch):
    name = QUICK[1]
    wrong = tuple(replace(c, record=mv.Standing.REFUTED) if c.id == name else c for c in CLAIMS)
    monkeypatch.setattr(registry, "CLAIMS", wrong)
    code, out, _ = mappo("audit", *QUICK)
    assert code == 1
    assert f"UNEXPECTED: {name} is PROVED, the registry records REFUTED" in words(out)
    code, out, _ = mappo("audit", *QUICK, "--json", "-")
    assert code == 1 and json.loads(out)["unexpected"] == [name]


def test_audit_exit_code_1_if_a_proof_breaks(mappo, monkeypatch):
    """A planted slip that the next line undoes."""
    name = QUICK[1]
    right = registry.claim(name)

    def broken(case):
        first, second, *_ = right.proof(case)
        yield first
        yield replace(second, value=second.value + 1, expression="a slip")
        yield second

    monkeypatch.setattr(registry, "CLAIMS", tuple(replace(c, proof=broken) if c is right else c for c in CLAIMS))
    code, out, _ = mappo("audit", *QUICK, "--game", "random:2x2:1", "--discount", "1")
    assert code == 1 and "line 2 of the proof is broken: = a slip" in words(out)


def test_audit_exit_code_1_if_a_claim_raises(mappo, monkeypatch):
    name = QUICK[1]

    def raises(_):
        yield mv.line("0", 1 // 0)

    wrong = tuple(replace(c, proof=raises) if c.id == name else c for c in CLAIMS)
    monkeypatch.setattr(registry, "CLAIMS", wrong)
    code, out, _ = mappo("audit", *QUICK)
    assert code == 1 and "Traceback" not in out
    assert f"UNEXPECTED: {name} is OPEN, the registry records PROVED; {name} raised ZeroDivisionError" in words(out)


def test_audit_says_what_remains_true_and_what_a_defender_says_on_request(mappo):
    names = ("-c", "theorem-d.7/any-constant", "-c", "theorem-d.7/repaired")
    code, out, _ = mappo("audit", *names)
    text = words(out)
    assert (
        code == 0
        and "Theorem D.7 is false: theorem-d.7/any-constant (4 states, 2x2 actions); repair: theorem-d.7/repaired"
        in text
    )
    assert "A defender will say" in text and "nothing unexpected" in text
    assert "false as printed: an exact instance violates it" in text


def test_audit_on_a_game(mappo):
    code, out, _ = mappo("audit", "--game", "two-step")
    text = words(out)
    assert code == 0 and re.search(r"\d+ claims on two-step tried", text)
    assert re.search(r"\d+ claims say nothing about this game", text) and "proposition-4.2 skipped" not in text
    _, out, _ = mappo("audit", "--game", "two-step", "--details")
    assert "proposition-4.2 skipped: it is not about a game" in words(out)
    code, out, _ = mappo("audit", "-g", "climbing", "--discount", "9/10", "-c", "lemma-4.1")
    assert code == 0 and "3 claims on climbing" in words(out)


def test_audit_on_a_large_game(mappo):
    code, out, err = mappo("audit", "-g", "random:66x1:3", "-c", "lemma-4.1", "-c", "section-3.1")
    assert code == 0, err
    assert "OPEN" in out


def test_audit_on_a_game_without_values(mappo, tmp_path):
    path = save(tmp_path / "endless.json", discount=1)
    code, out, _ = mappo("audit", "-g", path, "-c", "lemma-4.1", "-c", "lemma-b.3")
    assert code == 0 and "no instance met the hypotheses" in words(out) and "UNTESTED" in out


def test_json_on_standard_output_is_only_json(mappo):
    code, out, _ = mappo("audit", *QUICK, "-c", "definition-3.1/conditional-readings", "--json", "-")
    document = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert code == 0 and out.endswith("}\n")
    keys = {
        "statements",
        "counts",
        "claims",
        "profile",
        "seed",
        "game",
        "seconds",
        "standings",
        "unexpected",
        "skipped",
    }
    assert keys == document.keys() and next(iter(document)) == "statements"
    for row in document["claims"]:
        assert {"id", "standing", "how", "instances", "margin", "ratio", "seconds"} <= row.keys()
    assert [row["id"] for row in document["claims"]] == [QUICK[1], "definition-3.1/conditional-readings"]
    assert document["claims"][1]["witness"]["coordinates"]


def test_json_in_a_file_beside_the_table(mappo, tmp_path):
    target = tmp_path / "audit.json"
    code, out, _ = mappo("audit", *QUICK, "--json", str(target), "-g", "climbing")
    document = json.loads(target.read_text(encoding="utf-8"))
    assert code == 0 and QUICK[1] in out and document["game"] == "climbing"


@pytest.mark.parametrize("place", ["missing/audit.json", "."])
def test_json_where_nothing_can_be_written(mappo, tmp_path, place):
    code, out, err = mappo("audit", *QUICK, "--json", str(tmp_path / place))
    assert code == 2 and out == "" and "cannot write" in words(err)


def test_progress_goes_to_standard_error():
    """With a terminal at standard error, and a pipe at standard output that must hold JSON alone."""
    master, slave = pty.openpty()
    process = subprocess.Popen([*MV, "audit", *QUICK, "--json", "-"], stdout=subprocess.PIPE, stderr=slave)
    os.close(slave)
    out = process.stdout.read()
    process.stdout.close()
    assert process.wait(60) == 0
    shown = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # how Linux says that a terminal is gone
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert json.loads(out)["claims"] and b"\x1b" not in out
    assert b"definition-3.2/no-discount" in shown or b"audit" in shown


def test_standard_error_is_silent_where_nobody_watches():
    done = subprocess.run([*MV, "audit", *QUICK], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "\x1b" not in done.stdout
    assert done.stderr == ""


# --- the other commands ---------------------------------------------------------------------------------------------------


def test_claims(mappo):
    code, out, _ = mappo("claims")
    assert code == 0
    for claim in CLAIMS:
        assert re.search(rf"^{re.escape(claim.id)}\s", out, re.MULTILINE)


def test_games(mappo):
    code, out, _ = mappo("games")
    assert code == 0 and all(re.search(rf"^{name}\s", out, re.MULTILINE) for name in NAMED)


def test_a_page(mappo, tmp_path):
    target = tmp_path / "new" / "report"
    code, out, _ = mappo("audit", *QUICK, "--html", str(target), "--seed", "2")
    assert (
        code == 0
        and "1 claim tried" in words(out)
        and "page: " in words(out)
        and "".join(str(target).split()) in "".join(out.split())
    )
    assert {file.name for file in target.iterdir()} == {"index.html", "report.json", "certificates"}
    document = json.loads((target / "report.json").read_text(encoding="utf-8"))
    assert document["reproduce"] == "mappo-verify audit --seed 2"
    assert document["claims"][0]["reproduce"].endswith(f"--seed 2 --claim {QUICK[1]}")


def test_a_page_of_a_game_names_the_command_that_makes_it(mappo, tmp_path):
    file = save(tmp_path / "a game.json", discount="1/2")
    code, _, _ = mappo("audit", "-c", "section-3.1", "-g", file, "--discount", "1/3", "--html", str(tmp_path / "out"))
    document = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert code == 0 and document["reproduce"] == f"mappo-verify audit --game '{file}' --discount 1/3"
    assert document["claims"][0]["walk_through"]["diagram"]["discount"] == "1/3"


def test_a_page_that_cannot_be_written_is_refused_before_the_work(mappo, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(campaign, "audit", lambda *_: pytest.fail("audited"))
    for place in ("file", "file/below"):
        code, _, err = mappo("audit", *QUICK, "--html", str(tmp_path / place))
        assert code == 2 and "cannot write into" in words(err)


def test_explain_on_a_game(mappo):
    code, out, _ = mappo("explain", "lemma-4.1", "--game", "two-step")
    text = words(out)
    assert code == 0 and "on two-step" in text and text.count("13/4 ≈ 3.25") == 5
    assert "✓ lemma-b.3: A^{1:N} is the sum of the A^m" in text and "HOLDS (rationals), margin 0" in text


def test_explain_without_a_game(mappo):
    code, out, _ = mappo("explain", "lemma-b.3", "--seed", "3")
    assert code == 0 and "a drawn instance" in words(out) and "seed 3" in words(out)


def test_explain_a_refuted_claim_shows_its_counterexample(mappo):
    code, out, _ = mappo("explain", "definition-3.1/conditional-readings")
    text = words(out)
    assert code == 0 and "the smallest counterexample found (1 state, 2x2 actions)" in text
    assert "✗ broken here:" in text and "VIOLATED (rationals): the statement fails by 1" in text


def test_explain_as_latex(mappo):
    code, out, _ = mappo("explain", "lemma-b.4", "--latex")
    assert code == 0 and out.startswith("\\paragraph{Counterexample (Lemma B.4") and "false" in out.splitlines()[-1]
    code, _, err = mappo("explain", "definition-3.2/lipschitz", "--latex")
    assert code == 2 and "no counterexample to definition-3.2/lipschitz was found" in words(err).replace("│ ", "")
    code, _, err = mappo("explain", "lemma-b.4", "--latex", "-g", "climbing")
    assert code == 2 and "leave --game out" in words(err)


def test_nothing_is_cut_in_mid_word_at_80_columns(mappo):
    """And what is wrapped keeps its indent."""
    _, out, _ = mappo("explain", "lemma-b.4")
    whole = set(words(out).split())
    said = registry.claim("lemma-b.4")
    assert set(f"{said.title} {said.statement} {said.note}".split()) <= whole
    lines = out.splitlines()
    broken = next(n for n, line in enumerate(lines) if "✗ broken here" in line)
    assert lines[broken].startswith("      ✗") and lines[broken + 1].startswith("        ")
    assert max(map(cell_len, lines)) <= 80


def test_explain_where_a_hypothesis_fails(mappo, tmp_path):
    code, out, _ = mappo("explain", "lemma-4.1", "-g", save(tmp_path / "endless.json", discount=1))
    text = words(out)
    assert code == 0 and "? hypothesis: I - γP_π is invertible for π and π'" in text
    assert "NOT APPLICABLE" in text and "hypothesis not met" in text


@pytest.mark.parametrize("more", [(), ("--floats",)])
def test_optimal(mappo, more):
    code, out, _ = mappo("optimal", "--game", "two-step", *more)
    text = words(out)
    assert code == 0 and "optimality holds" in text and ("exactly" in text) == (not more)
    assert re.search(r"^2B\s+8\s", out, re.MULTILINE) and re.search(r"^2A\s+7\s", out, re.MULTILINE)


def test_optimal_exit_code_1_without_a_valid_certificate(mappo, monkeypatch):
    module = importlib.import_module("mappo_verify.quantities.optimal")

    real = module.optimal

    def doubtful(game):
        best = real(game)
        return replace(best, checked=replace(best.certificate, holds=False))

    monkeypatch.setattr(module, "optimal", doubtful)
    code, out, _ = mappo("optimal", "--game", "climbing")
    assert code == 1 and "optimality FAILS" in words(out)
    code, out, _ = mappo("optimal", "--game", "climbing", "--floats")
    assert code == 1 and "optimality IS NOT CERTAIN, leave out --floats" in words(out)


def test_optimal_without_values(mappo, tmp_path):
    code, out, err = mappo("optimal", "-g", save(tmp_path / "endless.json", discount=1))
    assert code == 2 and out == "" and "--discount" in words(err)
    code, out, _ = mappo("optimal", "-g", save(tmp_path / "endless.json", discount=1), "--discount", "1/2")
    assert code == 0 and re.search(r"^0\s+2\s", out, re.MULTILINE)


def test_doctor(mappo, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = mappo("doctor")
    assert code == 0 and f"{len(SELF_TEST)} of {len(SELF_TEST)} planted errors were refuted" in words(out)
    head, *rows = out.partition("\n\n")[0].splitlines()
    assert head.split() == ["planted", "error", "caught", "by", "margin"]
    assert len(rows) == len(SELF_TEST), "a row of its own for every error: nothing is folded"
    for row, error in zip(rows, SELF_TEST, strict=True):
        assert len(row) <= 80 and row.startswith(error.what) and re.search(r"-\S+\s*$", row)
        assert any(name in row for name in error.claims)


def test_doctor_exit_code_1_if_an_error_goes_unnoticed(mappo, monkeypatch):
    text = "from __future__ import annotations\n"
    harmless = Planted("a comment", SELF_TEST[0].module, text, text + "# nothing\n", SELF_TEST[0].claims)
    real = doctor.diagnose
    monkeypatch.setattr(doctor, "diagnose", lambda seed, progress: real(seed, progress, (SELF_TEST[0], harmless)))
    code, out, _ = mappo("doctor")
    assert code == 1 and "NOT CAUGHT" in out and "1 of 2 planted errors were refuted" in words(out)


def test_names_with_brackets_are_printed_as_they_are(mappo, tmp_path):
    """Brackets are markup to rich; in a file's names they are letters."""
    path = save(tmp_path / "odd.json", state_names=("[bold]door",), action_names=(("[/red]",),), name="[/x] game")
    code, out, _ = mappo("optimal", "-g", path)
    assert code == 0 and "[bold]door" in out and "[/red]" in out
    code, out, _ = mappo("audit", "-g", path, *QUICK)
    assert code == 0 and "[/x] game" in out
    code, out, _ = mappo("explain", "lemma-4.1", "-g", path)
    assert code == 0 and "on [/x] game" in out


def test_the_doctor_prints_brackets_as_they_are(mappo, monkeypatch):
    """A text such as max_a [r(s, a) + ...] is no markup."""
    error = Planted("max_a [r(s, a)]", "quantities/values.py", "a", "b", ("section-3.1",))
    monkeypatch.setattr(
        doctor, "diagnose", lambda *_: (doctor.Diagnosis(error, True, "section-3.1, at 'V'", "-1", -1.0),)
    )
    assert "max_a [r(s, a)]" in mappo("doctor")[1]


# --- bad input --------------------------------------------------------------------------------------------------------------

BAD = {
    "claim": (["audit", "-c", "lemma-4.2"], "no claim is called 'lemma-4.2'; did you mean lemma-4.1"),
    "explained claim": (["explain", "lemma-b3"], "did you mean lemma-b.3"),
    "game": (["audit", "-g", "climbin"], "'climbin' is neither a named game (climbing, penalty"),
    "file": (["audit", "-g", "no-such-file.json"], "no-such-file.json"),
    "format": (["audit", "-g", "pyproject.toml"], ".json, .json.gz, .dpomdp, .dpomdp.gz, .pomdp, .pomdp.gz"),
    "empty name": (["optimal", "-g", ""], "'' is neither a named game"),
    "argument": (["optimal", "-g", "climbing:3"], "takes no argument"),
    "odd": (["optimal", "-g", "shared-parameter:3"], "even number of agents"),
    "random": (["optimal", "-g", "random:2x"], "random:STATESxACTIONS1xACTIONS2"),
    "no state": (["optimal", "-g", "random:0x2"], "states ≥ 1"),
    "huge": (["optimal", "-g", "random:9999x9x9x9x9"], "too large"),
    "discount 1.5": (["audit", "-g", "climbing", "--discount", "1.5"], "'1.5' is outside [0, 1]"),
    "discount -1": (["audit", "-g", "climbing", "--discount", "-1"], "'-1' is outside [0, 1]"),
    "discount nan": (["audit", "-g", "climbing", "--discount", "nan"], "'nan' is not a number"),
    "discount inf": (["audit", "-g", "climbing", "--discount", "inf"], "'inf' is not a number"),
    "discount 1/0": (["audit", "-g", "climbing", "--discount", "1/0"], "'1/0' divides by zero"),
    "discount text": (["explain", "lemma-4.1", "-g", "climbing", "--discount", "half"], "'half' is not a number"),
    "discount empty": (["optimal", "-g", "climbing", "--discount", ""], "'' is not a number"),
    "discount huge": (["optimal", "-g", "climbing", "--discount", "1e-999999999"], "discount"),
    "not shown": (["explain", "proposition-4.2", "-g", "climbing"], "it is not about a game"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_exit_code_2(mappo, name):
    arguments, message = BAD[name]
    code, out, err = mappo(*arguments)
    assert code == 2 and out == ""
    assert message in words(err)
    assert "Traceback" not in err and "error: " in err
    assert len(err.strip().splitlines()) == 1, f"{len(err.strip().splitlines())} lines:\n{err}"
    assert err.startswith("error: "), "nothing stands before it"


USAGE = {
    "discount alone": (["audit", "--discount", "1/2"], "--discount changes a game; give --game as well"),
    "explain, discount alone": (["explain", "lemma-4.1", "--discount", "1/2"], "give --game as well"),
    "profile": (["audit", "--profile", "slow"], "'slow' is not one of"),
    "seed": (["audit", "--seed", "-1"], "--seed"),
    "seed text": (["audit", "--seed", "x"], "--seed"),
    "no claim": (["explain"], "Missing argument"),
    "no game": (["optimal"], "Missing option"),
    "command": (["bogus"], "No such command 'bogus'"),
    "option": (["audit", "--bogus"], "No such option"),
    "extra": (["games", "extra"], "unexpected extra argument"),
}


@pytest.mark.parametrize("name", USAGE)
def test_wrong_usage_is_exit_code_2(mappo, name):
    arguments, message = USAGE[name]
    code, out, err = mappo(*arguments)
    assert code == 2 and out == "" and message in words(err) and "Traceback" not in err


def test_a_game_with_rewards_beyond_float64(mappo, tmp_path):
    path = tmp_path / "huge.json"
    save(path, reward=[[10**400]])
    for arguments in (["optimal", "-g"], ["audit", *QUICK, "-g"], ["explain", "section-3.1", "-g"]):
        code, _, err = mappo(*arguments, str(path))
        assert code in (0, 2), err


def test_nothing_that_is_typed_gives_a_traceback(mappo, tmp_path):
    """Random command lines of plausible and implausible pieces, files of rubbish among them."""
    rng = random.Random(1)
    (tmp_path / "a.json").write_text(
        '{"format": "mappo-verify-game", "version": 1, "discount": "1/0"}', encoding="utf-8"
    )
    (tmp_path / "b.dpomdp").write_bytes(b"agents: 2\x00\xff\nstates: -1\n")
    (tmp_path / "c.json.gz").write_bytes(b"\x1f\x8bnonsense")
    (tmp_path / "d.json").mkdir()
    pieces = [
        *("audit", "explain", "optimal", "games", "claims", "--game", "-g", "--discount", "--seed", "--json", "-c"),
        *("lemma-4.1/stationary", "climbing", "ratio", "penalty:1/3", "random:1x1", "0.5", "-1", "1e3", "nan", "", " "),
        *(
            "\u202e",
            "[/red]",
            "\x1b[31m",
            "%s",
            "{}",
            "../..",
            "/dev/null",
            "/dev/null.json",
            "é",
            "-",
            "--",
            "💥" * 50,
        ),
        *(str(tmp_path / name) for name in ("a.json", "b.dpomdp", "c.json.gz", "d.json", "e.json")),
    ]
    codes = set()
    for _ in range(250):
        arguments = [rng.choice(pieces[:5]), *rng.choices(pieces, k=rng.randint(0, 4))]
        if arguments[0] == "audit" and "-c" not in arguments:
            arguments += QUICK
        if "--json" in arguments:
            arguments = [a for a in arguments if a != "--json"]
        code, out, err = mappo(*arguments)
        assert code in (0, 2), (arguments, code, err)
        assert "Traceback" not in out + err, arguments
        codes.add(code)
    assert codes == {0, 2}


# --- the programme itself -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["games"], 0),
        (["audit", "-g", "climbing", "-c", "lemma-4.1"], 0),
        (["explain", "nonsense"], 2),
        (["optimal", "-g", "climbing", "--discount", "2"], 2),
        ([], 2),
    ],
    ids=str,
)
def test_exit_codes_of_the_process(arguments, code):
    done = subprocess.run([*MV, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr and "Warning" not in done.stderr
    assert (done.stdout == "") == (code == 2 and arguments != [])


def test_a_closed_pipe_is_no_error():
    process = subprocess.Popen([*MV, "claims"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    process.wait(60)
    assert b"Traceback" not in error and b"Error" not in error


@pytest.mark.parametrize(("raised", "code"), [(BrokenPipeError, 0), (KeyboardInterrupt, 130)])
def test_interruptions(monkeypatch, raised, code):
    class Stream:
        def close(self):
            self.closed = True

        write = flush = staticmethod(lambda *_: None)

    def app():
        raise raised

    monkeypatch.setattr(cli, "app", app)
    monkeypatch.setattr(sys, "stderr", Stream())
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == code


def test_version(mappo):
    from importlib.metadata import version

    assert mappo("--version") == (0, f"mappo-verify {version('mappo-verify')}\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command):
    result = CliRunner().invoke(cli.app, [command, "--help"])
    text = words(result.output)
    assert result.exit_code == 0 and f"mappo-verify {command}" in text
    if command in ("audit", "explain"):
        assert "Examples: mappo-verify" in text
    if command == "audit":
        assert all(option in text for option in ("--claim", "--game", "--discount", "--profile", "--seed", "--json"))
        assert "Exit code 0:" in text


def test_help_lists_the_commands():
    result = CliRunner().invoke(cli.app, ["-h"])
    assert result.exit_code == 0 and all(f" {command} " in words(result.output) for command in COMMANDS)


def test_examples_in_the_help_work(mappo):
    text = words(CliRunner().invoke(cli.app, ["explain", "--help"]).output)
    examples = re.search(r"Examples: (.*?) (Arguments|Options)", text)[1].split("; ")
    assert len(examples) >= 2
    for example in examples:
        program, *arguments = example.split()
        assert program == "mappo-verify" and mappo(*arguments)[0] == 0, example


def test_certificates_are_written_and_rechecked(mappo, tmp_path):
    """``certificate`` writes what ``certify`` and the standalone checker accept; a changed relation is rejected."""
    target, script = tmp_path / "lemma-b.4.json", Path(__file__).parent.parent / "certificates" / "check.py"

    def standalone() -> int:
        return subprocess.run([sys.executable, str(script), str(target)], capture_output=True, check=False).returncode

    assert mappo("certificate", "lemma-b.4", "--out", str(target))[0] == 0
    code, out, _ = mappo("certify", str(target))
    assert code == 0 and "lemma-b.4 is false" in out
    assert standalone() == 0
    target.write_text(target.read_text().replace('"relation": "≤"', '"relation": "≥"'))
    assert mappo("certify", str(target))[0] == 1
    assert standalone() == 1


def test_falsify_survives_an_error_inside_a_proof(mappo, monkeypatch):
    whole = next(entry for entry in CLAIMS if entry.id == "lemma-b.2/gradient-bound")

    def proof(case):
        yield mv.line("0", case.radius * 0)
        raise error

    monkeypatch.setattr(sys.modules["mappo_verify.papers.registry"], "claim", lambda _: replace(whole, proof=proof))
    error = ZeroDivisionError("lost")
    code, out, _ = mappo("falsify", whole.id)
    text = words(out)
    assert code == 2 and f"{whole.id} OPEN" in text
    assert (
        f"{whole.id} raised ZeroDivisionError: lost (1 state, 1 actions, after the line '0'); say by a Hypothesis"
        in text
    )
    assert (
        f'{{"claim": "{whole.id}", "states": 1, "action_sizes": [1], "steps": 1, "coordinates": {{"radius": [' in text
    )
    error = KeyError("lost")
    code, out, err = mappo("falsify", whole.id)
    assert code not in (0, 1) and re.search(
        r"KeyError: 'lost' \(test_cli\.py:\d+, after the line '0'\)", words(out + err)
    )
    assert "Traceback" not in out + err


def test_every_standing_can_be_shown():
    for table in (terminal.STANDING_STYLE, {mv.Standing(name): None for name in drawings.ICONS}):
        assert set(table) == set(mv.Standing)
    assert {mv.Standing(name) for name in html.MEANINGS} == set(mv.Standing)


def test_falsify_reports_and_exits(mappo):
    assert mappo("falsify", "lemma-b.4")[0] == 1
    code, out, _ = mappo("falsify", "lemma-b.2/gradient-bound")
    assert code == 0 and "SURVIVED" in out


def test_tightness_prints_and_writes_the_best_certified_instance(mappo, tmp_path):
    stored, drawn = tmp_path / "bound.json", tmp_path / "bound.svg"
    code, out, _ = mappo(
        "tightness", "lemma-b.2/gradient-bound", "--seconds", "5", "--out", str(stored), "--plot", str(drawn)
    )
    data = json.loads(stored.read_text())
    assert code == 0 and "smaller side / larger side = " in words(out) and "declared sizes" in words(out)
    assert (
        0.9 < data["ratio"] <= 1
        and data["claim"] == "lemma-b.2/gradient-bound"
        and drawn.read_text().startswith("<?xml")
    )
    code, out, err = mappo("tightness", "lemma-b.5", "--plot", str(tmp_path / "x.exe"))
    assert code == 2 and not out and "does not end in .svg, .png, .pdf" in err
    code, out, _ = mappo("tightness", "lemma-b.4")
    assert code == 1 and "lemma-b.4 is false, by an exact instance" in words(out)
    code, out, _ = mappo("tightness", "lemma-4.1", "--seconds", "0.001")
    assert code == 2 and "stopped by the time limit of 0.001 s" in words(out)


def test_a_corpus_and_a_time_limit_from_the_command_line(mappo, tmp_path):
    folder = tmp_path / "known"
    assert mappo("falsify", "lemma-b.4", "--corpus", str(folder))[0] == 1
    assert [path.name.rpartition("-")[0] for path in folder.iterdir()] == ["lemma-b.4"]
    code, out, _ = mappo("audit", "-c", "lemma-b.4", "--corpus", str(folder), "--seconds", "0.001")
    # What is known is decided without time; what is not, cannot be: that is said, and is no success.
    assert code == 1 and "REFUTED" in words(out)
    assert "UNEXPECTED: lemma-b.4/repaired is UNTESTED, the registry records PROVED" in words(out)
