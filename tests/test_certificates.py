"""Certificates: both checkers accept what is shipped, reject whatever was changed, and take anything as input."""

from __future__ import annotations

import ast
import copy
import importlib.util
import json
import os
import random
import resource
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import flint
import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, like
from mappo_verify.arithmetic.precision import precision
from mappo_verify.checking import certificate as toolkit
from mappo_verify.checking.certificate import (
    anew,
    certificate_by_audit,
    certificate_of,
    read_certificate,
    recheck,
    text_of,
    write_certificate,
)
from mappo_verify.checking.certificate_files import contradicts
from mappo_verify.checking.certificate_limits import instance_complaint, size_complaint, treated_sizes
from mappo_verify.checking.evaluate import decide, evaluate
from mappo_verify.checking.sampling import draw, instance, sizes_of
from mappo_verify.claims.claim import MEANING, Kind
from mappo_verify.claims.verdict import Verdict
from mappo_verify.errors import ClaimError, FileError
from mappo_verify.papers.registry import claim as find

FOLDER = Path(__file__).parents[1] / "certificates"
SCRIPT = FOLDER / "check.py"
FILES = sorted(FOLDER.glob("*.json"), key=lambda path: path.stem)
NAMES = [path.stem for path in FILES]
SLOW = {
    "theorem-4.5-i-long",
    "theorem-4.5-ii-long",
    "abstract-rate-long",
    "theorem-5.5-two-agents",
    "theorem-5.5-two-agents-long",
    "theorem-5.5-one-agent-long",
    "theorem-d.7",
}
"""Their evaluation takes a second or more, so that they are not evaluated for every single change."""


def load_script():
    """``check.py`` with the names of all its parts."""
    spec = importlib.util.spec_from_file_location("certificate_check", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.load()
    names = {}
    for part in ("kernel", "files", "claim", "games", "limits", "claims.theorem_d_7", "verdict"):
        names |= vars(sys.modules[f"certificate_checker.{part}"])
    return SimpleNamespace(**names | {"main": module.main, "claim": None})


check = load_script()


def fields_of(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def sealed(fields):
    """With a checksum that fits, so that a checker must find the change itself."""
    return {**fields, "checksum": check.checksum(fields)}


def script_complaint(path):
    """Why ``check.py`` rejects a file; None if it accepts it."""
    try:
        check.check(check.read(str(path)))
    except check.Rejected as reason:
        return str(reason) or "no reason at all"
    return None


def toolkit_complaint(path, claim=None):
    """Why the toolkit rejects a file; None if it accepts it."""
    try:
        result = recheck(read_certificate(path), claim)
    except FileError as reason:
        return str(reason)
    assert result.valid == (result.reason == "") == (result.evidence is not None)
    return result.reason or None


@pytest.fixture
def verdicts(tmp_path):
    """Both checkers' complaints about fields, through a file."""

    def judge(fields):
        path = tmp_path / "tampered.json"
        path.unlink(missing_ok=True)  # ten times as fast as writing over it, on journaling file systems
        path.write_text(fields if isinstance(fields, str) else json.dumps(fields), encoding="utf-8")
        return script_complaint(path), toolkit_complaint(path)

    return judge


def assert_rejected(verdicts, fields, what):
    script, own = verdicts(fields)
    assert script is not None, f"check.py accepts {what}"
    assert own is not None, f"the toolkit accepts {what}"


def test_a_table_of_positive_numbers_has_an_upper_end():
    """``x ≤ 9`` is true of all tables from 1 to 9, so 10 is no counterexample."""

    def proof(case):
        yield mv.line("x", case.x)
        yield mv.at_most("9", 9, because="so it is drawn")

    one = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}
    setting = mv.Setting("x", (mv.Table("x", lambda _: (), 1, 9),), **one)
    own = mv.Claim("mine", "title", "source", setting, proof)
    with pytest.raises(ClaimError, match="the coordinates x are not all from 1 to 9"):
        certificate_of(own, mv.Sizes(1, (1,)), {"x": 10})


# --- what is shipped --------------------------------------------------------------------------------------------------


def test_every_claim_of_the_script_has_a_file():
    assert {read_certificate(path).claim for path in FILES} == set(check.CLAIMS)


SHORT = [name for name in NAMES if not name.startswith("theorem-4.5") or not name.endswith("-long")]
"""Without runs of thousands of steps: both checkers judge those in tox's environment ``properties``."""


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shipped_is_an_instance_of_its_setting(name):
    certificate = read_certificate(FOLDER / f"{name}.json")
    sizes = mv.Sizes(certificate.states, tuple(certificate.action_sizes), certificate.steps)
    assert instance_complaint(find(certificate.claim), sizes, certificate.coordinates) is None


@pytest.mark.parametrize("name", SHORT)
def test_both_checkers_accept_what_is_shipped(name, capsys):
    path = FOLDER / f"{name}.json"
    assert check.main([str(path)]) == 0
    said = capsys.readouterr().out
    result = recheck(read_certificate(path))
    assert result.valid, result.reason
    assert result.evidence.violated
    note = find(result.certificate.claim).note
    for text in (" ".join(said.split()), result.text()):  # on a terminal the script breaks lines between words
        assert f"{result.certificate.claim} is false" in text
        kind = find(result.certificate.claim).kind
        assert f"{kind.value}: {MEANING[kind]}" in text
        assert " ".join(note.split()) in " ".join(text.split()), "the scope must stand beside the refutation"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SLOW])
def test_the_files_are_what_the_command_writes(name, tmp_path):
    """The command writes a file anew from the claim and the integers in it, also one of version 1 with texts out of date."""
    path = tmp_path / "old.json"
    old = {k: v for k, v in fields_of(name).items() if k not in ("kind", "derived")}
    path.write_text(json.dumps(old | {"version": 1, "note": "of old", "checksum": ""}), encoding="utf-8")
    for complaint in (script_complaint(path), toolkit_complaint(path)):
        assert "old format 1" in complaint and "python -m mappo_verify.checking.certificate" in complaint
    assert toolkit.main([str(path)]) == 0
    assert path.read_text(encoding="utf-8") == (FOLDER / f"{name}.json").read_text(encoding="utf-8")


def test_the_command_wants_a_file(capsys):
    assert toolkit.main([]) == 2
    assert "usage" in capsys.readouterr().err
    with pytest.raises(FileError, match="is no certificate"):
        anew(FOLDER / "README.md")


def test_the_script_runs_alone_in_a_bare_interpreter(tmp_path):
    """``-I -S``: no site packages, no environment, no current folder; and a terminal that knows ASCII only."""
    bare = partial(subprocess.run, capture_output=True, timeout=120, cwd=tmp_path, env={"LC_ALL": "C"}, check=False)
    done = bare([sys.executable, "-I", "-S", str(SCRIPT), *map(str, FILES)])
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"is false.") == len(FILES)
    broken = tmp_path / "broken.json"
    broken.write_text(
        (FOLDER / "lemma-b.4.json").read_text(encoding="utf-8").replace('"1/2"', '"1/3"'), encoding="utf-8"
    )
    done = bare([sys.executable, "-I", "-S", str(SCRIPT), str(broken), str(FILES[0])])
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"rejected: " in done.stdout and b"is false." in done.stdout
    assert bare([sys.executable, "-I", "-S", str(SCRIPT)]).returncode == 2


def test_the_script_imports_the_standard_library_only():
    """And of its own parts none that comes after it: a piece for one claim needs no other piece."""
    parts = [SCRIPT, *sorted((FOLDER / "checker").rglob("*.py"))]
    assert len(parts) > 20
    for part in parts:
        for node in ast.walk(ast.parse(part.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
            if isinstance(node, ast.ImportFrom) and node.level and part.parent.name == "claims" and node.module:
                assert node.level == 2 and node.module in ("claim", "files", "games", "kernel", "limits"), part


@pytest.mark.parametrize("name", sorted(check.CLAIMS))
def test_the_script_has_the_texts_of_the_registry(name):
    own, registered = check.CLAIMS[name], find(name)
    assert own.statement == registered.statement
    assert own.kind == registered.kind.value
    sizes = treated_sizes(registered)
    assert (own.agents, own.states, own.actions, own.steps) == (sizes.agents, sizes.states, sizes.actions, sizes.steps)
    assert own.setting == registered.setting.name
    assert own.note == registered.note
    assert own.hypotheses == tuple(h.name for h in registered.setting.all_hypotheses)
    assert registered.record is mv.Standing.REFUTED


def test_both_checkers_say_the_same_of_a_kind():
    assert {kind.value: words for kind, words in MEANING.items()} == check.KINDS
    assert set(MEANING) == set(Kind)


def test_every_claim_on_record_as_refuted_has_a_certificate():
    from mappo_verify.papers.registry import CLAIMS

    refuted = {claim.id for claim in CLAIMS if claim.record is mv.Standing.REFUTED and claim.experiment is None}
    assert refuted == set(check.CLAIMS)


def test_the_numbers_of_the_papers_theorem():
    """Left and right of Theorems 4.5 and 5.5, computed elsewhere to a few digits."""
    for name, left, right in (
        ("theorem-5.5-two-agents", 0.1348, 0.1332),
        ("theorem-5.5-two-agents-long", 0.1434, 0.0942),
        ("theorem-5.5-one-agent", 0.857, 0.842),
        ("theorem-5.5-one-agent-long", 1.02, 0.377),
    ):
        found = read_certificate(FOLDER / f"{name}.json")
        assert float(found.left_value[0]) == pytest.approx(left, rel=4e-3)
        assert float(found.right_value[0]) == pytest.approx(right, rel=1e-3)
    for name, left, right in (
        ("theorem-4.5-i-one-error", 8.41759, 8.14085),
        ("theorem-4.5-i", 10.08102, 9.87999),
        ("theorem-4.5-i-long", 19.53504, 1.43472),
    ):
        found = read_certificate(FOLDER / f"{name}.json")
        assert float(found.left_value[0]) == pytest.approx(left, abs=6e-6)
        assert float(found.right_value[0]) == pytest.approx(right, abs=6e-6)


# --- the two checkers against each other ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(check.CLAIMS))
def test_both_checkers_agree_on_random_counterexamples(name, verdicts):
    """Formulas that were written twice: what the toolkit certifies at random, the script confirms."""
    claim, generator, confirmed = find(name), np.random.default_rng(7), 0
    sizes = [size for size in sizes_of(claim.setting) if not size_complaint(claim, size)]
    sizes = sizes[:: max(1, len(sizes) // 6)]
    for size in sizes:
        many = 1 if size.steps > 1_000 else 30 if claim.transcendental else 2400 // len(sizes)
        if claim.setting.limit is not None:
            many = min(many, claim.setting.limit)
        drawn = draw(claim.setting, size, many, generator)
        for index in islice(violated(claim, drawn, size, many), 12):
            script, own = verdicts(text_of(certificate_of(claim, size, instance(drawn, index))))
            assert (script, own) == (None, None)
            confirmed += 1
    assert confirmed > 0 or name in RARE


def violated(claim, drawn, size, many):
    """The indices of counterexamples in order, decided a few at a time: no more than are asked for."""
    for begin in range(0, many, 120):
        some = {name: values[begin : begin + 120] for name, values in drawn.items()}
        parts = [chosen[e.verdict == Verdict.VIOLATED] for chosen, e in decide(claim, some, size)]
        yield from begin + np.sort(np.concatenate(parts))


RARE = ("lemma-b.1/printed-range", "theorem-4.5/i", "theorem-4.5/ii", "theorem-4.5/wider-steps", "abstract-rate")
"""Random instances hardly ever violate these."""


@pytest.mark.parametrize("name", RARE)
def test_both_compute_the_same_sides_on_random_instances(name):
    """Also where nothing is violated; and the script finds a hypothesis unmet exactly where the toolkit does."""
    claim, generator, met = find(name), np.random.default_rng(11), 0
    for size in sizes_of(claim.setting):
        drawn = draw(claim.setting, size, 12, generator)
        for index in range(12):
            alone = {key: np.asarray(values).tolist() for key, values in instance(drawn, index).items()}
            fields = {"states": size.states, "action_sizes": list(size.actions), "steps": size.steps}
            subject = check.Instance(fields | {"coordinates": alone, "chain": 0, "entry": []})
            with precision(256):
                evidence = evaluate(claim, claim.setting.case(alone, size, System.BALLS))
                if evidence.verdict is Verdict.NOT_APPLICABLE:
                    with pytest.raises(check.Rejected):
                        claim_sides(name, subject)
                    continue
                met += 1
                for ours, line in zip(claim_sides(name, subject), (evidence.lines[0], evidence.lines[-1]), strict=True):
                    low, high = toolkit._ends(np.asarray(line.value)[()])
                    assert ours.high - ours.low < Fraction(1, 10**60) and high - low < Fraction(1, 10**60)
                    assert ours.low <= high and low <= ours.high
    assert met >= 5


def claim_sides(name, subject):
    found = check.CLAIMS[name].compare(subject)
    return check.interval(found.left_value), check.interval(found.right_value)


# --- tampering --------------------------------------------------------------------------------------------------------


def leaves(value, path=()):
    """Every path to something that is neither a list nor an object."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from leaves(part, (*path, index))
    else:
        yield path


def at(fields, path):
    for key in path:
        fields = fields[key]
    return fields


def changed(fields, path, value):
    """A copy with another value at one place; what the place does not lie in is shared."""
    if not path:
        return value
    result = copy.copy(fields)
    result[path[0]] = changed(fields[path[0]], path[1:], value)
    return result


def other_digits(value):
    """The same text or integer with one digit changed, for every digit."""
    text = str(value)
    for position, letter in enumerate(text):
        if letter.isascii() and letter.isdigit():
            mutated = f"{text[:position]}{(int(letter) + 1) % 10}{text[position + 1 :]}"
            yield int(mutated) if isinstance(value, int) else mutated


def alterations(value):
    """Other values of one leaf: every digit, neighbours, signs, other types."""
    yield from other_digits(value)
    yield from [None, True, 0.5, [], {}, [value], {"0": value}, 10**6, "", "1e9", "NaN"]
    if isinstance(value, int):
        yield from [value + 1, value - 1, str(value), float(value), 10**30]
        yield from [-value] if value else []
    else:
        yield from [value + " ", value[:-1], value + "0", "-" + value, value.swapcase() + "x", 0]
        yield from [value.replace("≤", "<").replace("=", "≤") + " "]


@pytest.mark.parametrize("name", NAMES)
def test_every_change_of_a_leaf_is_rejected(name, verdicts):
    original = fields_of(name)
    for path in leaves(original):
        value = at(original, path)
        few = name in SLOW and path[:2] == ("coordinates", "increments.errors") and path[-1] % 100
        few = few or (path[0] == "derived" and sum(path[2:]) % 5)
        for other in other_digits(value) if few else alterations(value):
            if type(other) is not type(value) or other != value:
                assert_rejected(verdicts, changed(original, path, other), f"{path} = {other!r}")


@pytest.mark.parametrize("name", NAMES)
def test_every_change_of_structure_is_rejected(name, verdicts):
    original = fields_of(name)
    for owner in [(), ("coordinates",)] + [("derived",)] * ("derived" in original):
        for key in at(original, owner):
            for rename in (f"{key}x", key.upper(), f" {key}")[: 1 if owner == ("derived",) else 3]:
                renamed, removed = copy.deepcopy(original), copy.deepcopy(original)
                at(removed, owner).pop(key)
                at(renamed, owner)[rename] = at(renamed, owner).pop(key)
                if key == "checksum":
                    assert_rejected(verdicts, removed, "without a checksum")
                    assert_rejected(verdicts, renamed, f"{rename} for {key}")
                    continue
                assert_rejected(verdicts, sealed(removed), f"without {key}")
                assert_rejected(verdicts, sealed(renamed), f"{rename} for {key}")
        extra = copy.deepcopy(original)
        at(extra, owner)["extra"] = 1
        assert_rejected(verdicts, sealed(extra), "an unknown field")
    text = json.dumps(original)
    assert_rejected(verdicts, text[:-1] + ', "steps": ' + str(original["steps"]) + "}", "a field that occurs twice")
    for key in [k for k, v in original.items() if isinstance(v, list)]:
        for other in ([*original[key], *original[key][-1:], 0], original[key][:-1], original[key][1:], [[]]):
            if other != original[key]:
                assert_rejected(verdicts, sealed({**original, key: other}), f"{key} = {other}")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SLOW])
def test_changes_under_a_fitting_checksum_are_found_by_computation(name, verdicts):
    """Another instance, or another place, may also be a counterexample with these very sides; then both checkers must say so."""
    original = fields_of(name)
    for path in (path for path in leaves(original) if path != ("checksum",)):
        some = 2 if path in (("left",), ("right",)) else None  # words are compared after everything is evaluated
        for other in islice(other_digits(at(original, path)), some):
            fields = sealed(changed(original, path, other))
            script, own = verdicts(fields)
            if path[0] == "derived":
                assert own == f"derived: {[path[1]]} is not what follows from the instance"
                assert script is not None, (path, other)
            elif path[0] in ("coordinates", "entry"):
                assert (script is None) == (own is None), (path, other, script, own)
            else:
                assert script is not None and own is not None, (path, other)


def complaint(fields):
    """Why ``check.py`` rejects fields; None if it accepts them."""
    try:
        check.check(fields)
    except check.Rejected as reason:
        return str(reason)
    return None


def test_integers_that_a_statement_looks_at_cannot_be_changed(verdicts):
    """Under a fitting checksum: every digit of instances of Theorem 4.5, of the abstract's rate and of Lemma B.1."""
    for name in ("theorem-4.5-i", "theorem-4.5-ii", "abstract-rate", "lemma-b.1-printed-range-by-hand"):
        original = fields_of(name)
        for path in leaves(original):
            if path[0] == "coordinates" and path[1] not in ("chances", "offsets"):
                for other in other_digits(at(original, path)):
                    assert_rejected(verdicts, sealed(changed(original, path, other)), f"{path} = {other}")


@pytest.mark.parametrize("name", sorted(SLOW))
def test_long_runs_too(name, verdicts):
    original = fields_of(name)
    places = [("increments.errors", 500), ("increments.errors", 7), ("horizon",), ("samples",), ("when",)]
    paths = [("coordinates", *place) for place in places if place[0] in original["coordinates"]]
    for path in paths:
        assert_rejected(verdicts, sealed(changed(original, path, at(original, path) + 1)), str(path))
    assert_rejected(verdicts, sealed(original | {"steps": original["steps"] - 1}), "a step less")


def decimals(side, low, high):
    """An enclosure with its ends moved by units of the last place."""
    places = len(side[0].partition(".")[2])
    units = [int(Fraction(end) * 10**places) for end in side]
    return [toolkit._decimal(u + by, places) for u, by in zip(units, (low, high), strict=True)]


def test_enclosures_must_be_narrow_and_true(verdicts):
    original = fields_of("theorem-4.5-i")
    for key in ("left_value", "right_value"):
        side = original[key]
        for low, high in ((-1, 1), (0, 1), (-1, 0), (1, -1), (2, 2), (-2, -2), (10**19, 10**19), (-(10**22), 10**22)):
            moved = decimals(side, low, high)
            assert_rejected(verdicts, sealed({**original, key: moved}), f"{key} moved by {low}, {high}")
        for other in (
            [side[1], side[0]],
            [side[0], side[0]],
            side[:1],
            [*side, side[1]],
            side[0],
            [end[:-1] for end in side],
            [end + "0" * 20 for end in side],
            ["0" + end for end in side],
            ["+" + end for end in side],
            [str(Fraction(end)) for end in side],
            [end.replace(".", ",") for end in side],
            [float(end) for end in side],
            [end.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")) for end in side],
        ):
            assert_rejected(verdicts, sealed({**original, key: other}), f"{key} = {other}")


def test_wide_enclosures_prove_nothing_even_where_they_are_true():
    assert contradicts("1", "≤", "1/2") and not contradicts("1/2", "≤", "1/2")
    assert contradicts("1/2", "≥", "1") and not contradicts("1", "≥", "1/2")
    assert contradicts("1/2", "=", "1") and not contradicts("1", "=", "1")
    low, high = ("0.00000000000000000001", "0.00000000000000000003")
    assert not contradicts((low, high), "=", "1/50000000000000000000")
    assert contradicts((low, high), "=", "0") and contradicts((low, high), "≤", "0")


@pytest.mark.parametrize("name", NAMES)
def test_swapped_sides_are_rejected(name, verdicts):
    original = fields_of(name)
    values = {"left_value": original["right_value"], "right_value": original["left_value"]}
    words = {"left": original["right"], "right": original["left"]}
    for swap in (values, values | words) if name in SLOW else (values, words, values | words):
        assert_rejected(verdicts, sealed(original | swap), f"swapped {sorted(swap)}")
    for relation in () if name in SLOW else {"=", "≤", "≥", "<", ""} - {original["relation"]}:
        assert_rejected(verdicts, sealed(original | {"relation": relation}), relation)
        assert_rejected(verdicts, sealed(original | values | words | {"relation": relation}), relation)


@pytest.mark.parametrize(
    ("name", "true"),
    [
        ("lemma-b.4", "lemma-b.4/repaired"),
        ("lemma-b.1-printed-range", "lemma-b.1/expectation"),
        ("lemma-b.2", "lemma-b.2/gradient-bound"),
        ("lemma-b.3-zero-mean-intervention", "lemma-b.3/zero-mean-conditioning"),
        ("proposition-4.2-averaged-unique", "proposition-4.2/averaged"),
        ("lemma-b.4", "no-such-claim"),
        ("lemma-b.4", "lemma-b.4/factor-two"),
    ],
)
def test_the_same_data_prove_nothing_about_another_claim(name, true, verdicts):
    original = fields_of(name)
    assert_rejected(verdicts, sealed(original | {"claim": true}), true)
    if true != "no-such-claim":
        claim = find(true)
        texts = {
            "claim": true,
            "statement": claim.statement,
            "note": claim.note,
            "setting": claim.setting.name,
            "hypotheses": [h.name for h in claim.setting.all_hypotheses],
        }
        assert_rejected(verdicts, sealed(original | texts), f"{true} with all its texts")


def test_instances_outside_the_claim_are_rejected(verdicts):
    """Hypotheses are verified, not believed."""
    cases = [
        ("lemma-b.2", {"share": 10}),  # |Q̂| > B
        ("lemma-b.2", {"radius": [0, 1]}),
        ("lemma-b.4", {"policy.1": [[[0, 1]]]}),  # no full support
        ("lemma-b.4", {"policy.1": [[[-1, 3]]]}),
        ("lemma-b.4", {"game.transition": [[[0], [1]]]}),
        ("lemma-b.1-path-wise", {"slopes": [[[0], [0]], [[0], [0]]]}),
        ("lemma-b.1-path-wise", {"chances": [0, 1]}),
        ("theorem-4.5-i", {"increments.base": [0, 1]}),
        ("theorem-4.5-ii", {"when": 28}),  # after the run
        ("theorem-4.5-ii", {"beta": [6, 7]}),  # 1/(2β²) < log 2
        ("theorem-4.5-ii", {"beta": [1, 7]}),  # the error exceeds 40
        ("abstract-rate", {"horizon": 1}),
        ("section-4.3-equilibria-are-optimal", {"policy.1": [[1, 1]]}),  # not pure
        ("section-4.3-equilibria-are-optimal", {"game.reward": [[0, 1, 0, 1]]}),  # no equilibrium
        ("proposition-4.2-averaged-unique", {"data": [1, 1]}),
        ("equation-1-any-fit", {"features": [[0], [0]]}),
        (
            "definition-3.1-conditional-readings",
            {"game.discount": [1, 0]},
        ),  # γ = 1 and no end: no values
    ]
    for name, other in cases:
        original = fields_of(name)
        mutated = sealed(original | {"coordinates": original["coordinates"] | other})
        assert_rejected(verdicts, mutated, f"{name} with {other}")


TWO, ONE, FINITE = "theorem-5.5-two-agents", "theorem-5.5-one-agent", "theorem-d.7-any-constant"
LIES = [
    (TWO, {("values", 0): 2}, "the values do not solve"),
    (TWO, {("true.1", 0): "1/4"}, "Q^{1:1} is not linear in the features"),
    (TWO, {("weights.1", 3): 1}, "the critic of agent 1 has a Bellman error"),
    (TWO, {("weights.1", 3): -1, ("weights.1", 0): 0}, "the critic of agent 1 is not in the class"),
    (
        TWO,
        {("weights.1", 3): 1, ("weights.1", 0): "1/2"},
        "the multipliers do not prove the critic of agent 1 smallest",
    ),  # Q has no Bellman error either, but is not smallest
    (TWO, {("weights.2", 0): "1/4"}, "the critic of agent 2 has a Bellman error"),
    (TWO, {("lower.1", 0, 3): "-1/4"}, "a multiplier is negative"),
    (TWO, {("lower.1", 0, 3): 0}, "the multipliers do not prove"),
    (TWO, {("lower.1", 0, 4): 1}, "a multiplier without need"),
    (TWO, {("upper.1", 0, 3): 1, ("lower.1", 0, 3): "5/4"}, "the multipliers do not prove"),
    (TWO, {("equalities.1", 0, 3): 1}, "a multiplier of a cell that is not free"),
    (TWO, {("equalities.1", 0, 2): 0}, "the multipliers do not prove"),
    (ONE, {("weights.1",): ["3/2", "1/4", 4, 0]}, "the multipliers do not prove"),
    (ONE, {("weights.1",): [0, "1/4", 0, 0]}, "the critic of agent 1 has a Bellman error"),
    (FINITE, {("values", 0): "1/2"}, "the values do not solve"),
    (FINITE, {("class.2", 0, 0): ["1/2", "1/3", "1/3", "1/3"]}, "the class of agent 2 is not {Q}"),
    (FINITE, {("class.1", 0, 0): ["1/4", "1/3"]}, "the first critic is not Q"),
    (FINITE, {("class.1", 1, 2): ["1/2", "1/2"]}, "the class is not complete"),
    (FINITE, {("class.1", 1, 2): [1, "1/2"]}, "a critic depends on actions"),
]


@pytest.mark.parametrize(("name", "lies", "reason"), LIES)
def test_the_script_verifies_whatever_the_file_says_of_an_instance(name, lies, reason):
    fields = fields_of(name)
    for path, value in lies.items():
        fields = changed(fields, ("derived", *path), value)
    assert reason in complaint(sealed(fields))


GAPS = [
    (TWO, {"radius": Fraction(2)}, "the ball may exclude the rival map"),
    (TWO, {"data": [Fraction(0), Fraction(1), Fraction(0)]}, "the best policy goes where no data is"),
    (TWO, {"pays": [Fraction(1), Fraction(1, 2), Fraction(0)]}, "the values do not solve"),
    (TWO, {"recover": {1: {3: {2: 1}}, 2: {}}}, "weight 3 of agent 1 is not what it is said to be"),
    (ONE, {"pays": [Fraction(2)] * 3 + [Fraction(0)]}, "rewards are not in"),
    (ONE, {"gamma": Fraction(1)}, "γ is not below 1"),
    (ONE, {"recover": {1: {2: {2: 2}, 3: {3: 4, 2: -4}}}}, "the ball may exclude the rival map"),
    (ONE, {"first": ((3, Fraction(0)), (4, Fraction(1, 2)))}, "the critic of agent 1 has a Bellman error"),
]


@pytest.mark.parametrize(("name", "other", "reason"), GAPS)
def test_the_script_verifies_what_it_says_of_a_game_itself(name, other, reason):
    """The proof that critics are smallest under both readings is no property of any game: planted errors are found."""
    gap = check.TWO_AGENTS if name == TWO else check.ONE_AGENT
    with pytest.raises(check.Rejected, match=reason.replace("(", ".").replace(")", ".")):
        check.Limit(check.Instance(fields_of(name)), replace(gap, **other))


def test_a_start_without_free_cells_is_refused():
    """With a feature shared by both actions at the start the rival map does not exist, and (5) may hold where C.1 fails."""
    gap = check.ONE_AGENT
    rows = [list(row) for row in gap.features[1]]
    rows[0][1] = Fraction(1, 2)
    with pytest.raises(check.Rejected):
        check.Limit(check.Instance(fields_of(ONE)), replace(gap, features={1: rows}))
    limit = check.Limit(check.Instance(fields_of(ONE)), gap)
    limit.gap = replace(gap, features={1: rows})
    assert 0 not in limit.free_cells(1)


def test_an_incomplete_class_is_noticed():
    limit = check.Limit(check.Instance(fields_of(ONE)), check.ONE_AGENT)
    with pytest.raises(check.Rejected, match="no class of tables"):
        limit.require_complete(1)
    for m in (1, 2):
        check.Limit(check.Instance(fields_of(TWO)), check.TWO_AGENTS).require_complete(m)


def test_a_trap_that_may_fail_is_noticed():
    trap = check.Trap(check.Instance(fields_of(FINITE)))
    share = check.Interval(Fraction(1, 4))
    with pytest.raises(check.Rejected, match="over the class"):
        trap.require_likely(100, 100, 20, share)
    with pytest.raises(check.Rejected, match="over all tables"):
        trap.require_likely(40, 40**4, 20, share)
    trap.require_likely(400, 400**4, 20, share)


def test_what_is_derived_is_there_just_where_it_is_needed(verdicts):
    for name, derived in (("lemma-b.4", {}), ("lemma-b.4", {"data": [1]}), (ONE, {}), (ONE, None)):
        assert_rejected(verdicts, sealed(fields_of(name) | {"derived": derived}), f"{name} with {derived}")
    for value in ("12/1", "24/2", "+12", "012", True, "-0", "0", 12.0, [12], None):
        script, own = verdicts(sealed(changed(fields_of(ONE), ("derived", "values", 0), value)))
        assert script is not None and own is not None, value


@pytest.mark.parametrize(
    ("name", "other", "words"),
    [
        ("lemma-b.4", {"states": 2}, "2 states are not from 1 to 1"),
        ("lemma-b.4", {"action_sizes": [20] * 20}, "20 agents are not from 1 to 1"),
        (
            "definition-3.1-conditional-readings",
            {"action_sizes": [20] * 4},
            "20 actions of an agent are not from 1 to 3",
        ),
        ("abstract-rate", {"steps": 5_001}, "5001 steps are not from 1 to 5000"),
        ("theorem-5.5-two-agents", {"steps": 40_001}, "40001 steps are not from 1 to 40000"),
    ],
)
def test_both_refuse_what_is_too_large_for_either(name, other, words, verdicts):
    script, own = verdicts(sealed(fields_of(name) | other))
    assert words in script and words in own


def mutated(fields, generator):
    """One to three changes of leaves, sizes or shapes, with a checksum that fits."""
    for _ in range(generator.randint(1, 3)):
        path = generator.choice([path for path in leaves(fields) if path[0] not in ("checksum", "format", "version")])
        value = at(fields, path)
        if isinstance(value, int):
            other = generator.choice(
                [value + 1, value - 1, -value, 0, 1, 2, 9, 10, 99, 9_999, 10_000, 10_001, str(value)]
            )
        else:
            other = generator.choice(
                [value + "0", value.replace("1", "2", 1), value[::-1], "1/2", "0", "", 1, ["0", "1"]]
            )
        fields = changed(fields, path, other)
    if generator.random() < 0.3:
        key = generator.choice(["states", "steps", "action_sizes", "entry", "chain", "kind"])
        fields = fields | {key: generator.choice([1, 2, 3, 20, [1], [2, 2], [20] * 20, [], "reading", "printed"])}
    return sealed(fields)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SLOW])
def test_both_judge_a_corpus_of_mutated_files_alike(name, verdicts):
    generator, original = random.Random(name), fields_of(name)
    for _ in range(25):
        fields = mutated(original, generator)
        script, own = verdicts(fields)
        assert (script is None) == (own is None), (script, own, fields)


@pytest.mark.parametrize("name", ["lemma-b.4", "lemma-b.1-path-wise", "section-e-score"])
def test_an_exact_number_is_recorded_as_one(name, verdicts):
    """Enclosures of rationals with 20, 40 and 80 places, which hold the number but are not its form: both refuse them."""
    original = fields_of(name)
    for places in (20, 40, 80):
        for key in ("left_value", "right_value"):
            units = round(Fraction(original[key]) * 10**places)
            enclosed = [toolkit._decimal(units + by, places) for by in (-1, 1)]
            assert_rejected(verdicts, sealed(original | {key: enclosed}), f"{key} = {enclosed}")


def test_more_places_than_are_needed_are_fine_for_both(verdicts):
    claim, old = find("theorem-4.5/i"), read_certificate(FOLDER / "theorem-4.5-i.json")
    evidence = toolkit._evidence(claim, old.sizes, old.coordinates)
    for places in (40, 80):
        (statement,) = toolkit._precise(claim, old.sizes, old.coordinates, evidence, places)
        sides = {
            f"{side}_value": list(toolkit._recorded(getattr(statement, side)[()], places)) for side in ("left", "right")
        }
        assert verdicts(sealed(fields_of("theorem-4.5-i") | sides)) == (None, None)
        wrong = decimals(sides["left_value"], 3, 3)
        assert_rejected(
            verdicts, sealed(fields_of("theorem-4.5-i") | sides | {"left_value": wrong}), "wrong last digits"
        )


# --- files that are no certificates -----------------------------------------------------------------------------------

GOOD = (FOLDER / "lemma-b.4.json").read_text(encoding="utf-8")
MALFORMED = {
    "empty": b"",
    "no JSON": b"hello",
    "a list": b"[]",
    "null": b"null",
    "a number": b"1" * 100_000,
    "a string": b'"' + b"a" * 1000 + b'"',
    "half of it": GOOD[: len(GOOD) // 2].encode(),
    "twice": (GOOD + GOOD).encode(),
    "not UTF-8": GOOD.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "NUL": GOOD.replace("lemma", "\0lemma").encode(),
    "deep lists": b"[" * 400_000,
    "deep lists, closed": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep coordinates": GOOD.replace("[[[1, 1]]]", "[" * 900 + "1" + "]" * 900).encode(),
    "deeper coordinates": GOOD.replace("[[[1, 1]]]", "[" * 90_000 + "1" + "]" * 90_000).encode(),
    "a long integer": GOOD.replace("[[[1, 1]]]", "[[[1, " + "9" * 500_000 + "]]]").encode(),
    "a long step count": GOOD.replace('"steps": 1', '"steps": ' + "9" * 5_000).encode(),
    "a float": GOOD.replace("[[[1, 1]]]", "[[[1, 1.0]]]").encode(),
    "an exponent": GOOD.replace("[[[1, 1]]]", "[[[1, 1e999999999]]]").encode(),
    "NaN": GOOD.replace("[[[1, 1]]]", "[[[1, NaN]]]").encode(),
    "infinity": GOOD.replace("[[[1, 1]]]", "[[[1, -Infinity]]]").encode(),
    "minus zero": GOOD.replace("[[[0, 1]]]", "[[[-0, 1]]]").encode(),
    "true": GOOD.replace("[[[1, 1]]]", "[[[1, true]]]").encode(),
    "a ragged table": GOOD.replace("[[[1, 1]]]", "[[[1, 1], [1]]]").encode(),
    "many states": GOOD.replace('"states": 1', '"states": 9999999').encode(),
    "no states": GOOD.replace('"states": 1', '"states": 0').encode(),
    "negative states": GOOD.replace('"states": 1', '"states": -1').encode(),
    "many actions": GOOD.replace('"action_sizes": [2]', '"action_sizes": [9999999, 9999999]').encode(),
    "many agents": GOOD.replace('"action_sizes": [2]', f'"action_sizes": {[2] * 1000}').encode(),
    "no agents": GOOD.replace('"action_sizes": [2]', '"action_sizes": []').encode(),
    "many steps": GOOD.replace('"steps": 1', '"steps": 9999999').encode(),
    "a huge rational": GOOD.replace('"1/2"', '"1/' + "9" * 400_000 + '"').encode(),
    "a huge power": GOOD.replace('"1/2"', '"1e999999999"').encode(),
    "division by zero": GOOD.replace('"1/2"', '"1/0"').encode(),
    "not in lowest terms": GOOD.replace('"1/2"', '"2/4"').encode(),
    "a chain from behind": GOOD.replace('"chain": 0', '"chain": -1').encode(),
    "a chain beyond": GOOD.replace('"chain": 0', '"chain": 1').encode(),
    "an entry": GOOD.replace('"entry": []', '"entry": [0]').encode(),
    "a long id": GOOD.replace('"lemma-b.4"', '"' + "lemma-" * 100_000 + '"').encode(),
    "another version": GOOD.replace('"version": 2', '"version": 3').encode(),
    "the old version": GOOD.replace('"version": 2', '"version": 1').encode(),
    "true for a version": GOOD.replace('"version": 2', '"version": true').encode(),
    "another kind": GOOD.replace('"kind": "printed"', '"kind": "beyond"').encode(),
    "no kind": GOOD.replace('"kind": "printed"', '"kind": ""').encode(),
    "another format": GOOD.replace("mappo-verify-certificate", "mappo-verify-game").encode(),
    "lone surrogates": GOOD.replace('"lemma-b.4"', '"lemma-b.4\\ud800"').encode(),
    "a strange name": GOOD.replace('"steps": 1', '"steps": 1, "\\ud800": 1').encode(),
    "too large": GOOD.encode() + b" " * 200_000,
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_files_are_rejected_cleanly_and_soon(kind, tmp_path, capsys):
    path = tmp_path / "file.json"
    path.write_bytes(MALFORMED[kind])
    started = time.perf_counter()
    assert check.main([str(path)]) == 1
    assert "rejected: " in capsys.readouterr().out
    assert toolkit_complaint(path)
    if kind not in ("minus zero", "too large"):  # with a checksum that fits, if it is JSON at all
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            path.write_text(json.dumps(sealed(fields)), encoding="utf-8")
        except (ValueError, TypeError, RecursionError):
            pass
        assert script_complaint(path) and toolkit_complaint(path)
    assert time.perf_counter() - started < 10


def test_what_is_no_regular_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "link.json").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe.json", tmp_path / "link.json", tmp_path):
        assert "no regular file" in script_complaint(path) and "no regular file" in toolkit_complaint(path)


def test_what_is_no_certificate_is_called_so():
    readme = FOLDER / "README.md"
    assert "this is no certificate" in script_complaint(readme) and "is no certificate" in toolkit_complaint(readme)


def test_hostile_files_cost_little(tmp_path):
    """Huge sizes, long numbers, free text and wide tables, one process each: at most 5 s and 300 MB."""
    base = fields_of("equation-1-any-fit")
    hostile = [
        fields_of("definition-3.1-conditional-readings") | {"action_sizes": [20] * 20},
        fields_of("definition-3.1-conditional-readings") | {"action_sizes": [9_999_999] * 8},
        fields_of("section-4.3-equilibria-are-optimal") | {"action_sizes": [9_999_999, 9_999_999]},
        fields_of("lemma-b.1-path-wise") | {"action_sizes": [20], "steps": 64},
        fields_of("remark-5.2") | {"states": 9_999_999},
        base | {"coordinates": {"x" * 50_000: [0] * 40_000}},
        base | {"note": "free text " * 15_000},
        base | {"statement": "1 = 1"},
        base | {"entry": [0] * 50_000},
        changed(fields_of(ONE), ("derived", "weights.1", 0), "9" * 40 + "/" + "7" * 40),
        changed(fields_of(ONE), ("derived", "weights.1", 0), "9" * 400),
    ]

    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (300_000_000, 300_000_000))

    for number, fields in enumerate(hostile):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(sealed(fields)), encoding="utf-8")
        command = [sys.executable, "-I", "-S", str(SCRIPT), str(path)]
        done = subprocess.run(command, capture_output=True, timeout=5, preexec_fn=limited, check=False)
        assert done.returncode == 1 and b"rejected" in done.stdout and len(done.stdout) < 2_000, (number, done)
        assert toolkit_complaint(path), number


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "missing.json", Path("a\0b")):
        assert "read" in script_complaint(path) or "file" in script_complaint(path)
        with pytest.raises(FileError):
            read_certificate(path)


def test_the_most_expensive_instances_take_bounded_time(verdicts):
    """The largest numbers and runs that pass the limits."""
    started = time.perf_counter()
    base = fields_of("theorem-4.5-i")
    for coordinates in (
        {"increments.base": [10_000, 1], "increments.errors": [0] * 1000},
        {"increments.base": [9_999, 10_000], "increments.errors": [1_000] * 10 + [0] * 990},
    ):
        assert_rejected(verdicts, sealed(base | {"steps": 1000, "coordinates": coordinates}), "a heavy instance")
    assert time.perf_counter() - started < 60
    for errors in ([1_001] + [0] * 22, [1_000] * 23):
        heavier = {"coordinates": {"increments.base": [1, 1], "increments.errors": errors}}
        assert_rejected(verdicts, sealed(base | heavier), "a heavier one")


# --- making certificates ----------------------------------------------------------------------------------------------


def test_the_audit_finds_one_and_it_is_written_and_read(tmp_path):
    report = mv.audit(["lemma-b.2/printed-gradient-bound"])
    witness = report["lemma-b.2/printed-gradient-bound"].witness
    written = write_certificate(witness, tmp_path / "found.json")
    assert read_certificate(tmp_path / "found.json") == written == certificate_by_audit(written.claim)
    assert script_complaint(tmp_path / "found.json") is None


def test_what_holds_has_no_certificate(tmp_path):
    with pytest.raises(ClaimError, match="PROVED, so there is no counterexample"):
        certificate_by_audit("lemma-b.3/zero-mean")
    coordinates = fields_of("lemma-b.4")["coordinates"]
    with pytest.raises(ClaimError, match="'holds'"):
        certificate_of("lemma-b.4/repaired", mv.Sizes(1, (2,)), coordinates)
    with pytest.raises(ClaimError, match="not all from"):
        certificate_of("lemma-b.4", mv.Sizes(1, (2,)), coordinates | {"error.1": [[10, 0]]})
    forged = read_certificate(FOLDER / "lemma-b.4.json")
    forged = type(forged)(**{f: getattr(forged, f) for f in forged.__struct_fields__} | {"statement": "1 = 2"})
    with pytest.raises(ClaimError, match="statement is not"):
        write_certificate(forged, tmp_path / "forged.json")
    assert not (tmp_path / "forged.json").exists()
    with pytest.raises(FileError, match="cannot be written"):
        write_certificate(read_certificate(FOLDER / "lemma-b.4.json"), tmp_path / "no" / "such.json")


def own_claim(left, right, make=mv.at_most):
    setting = mv.Setting("two integers", (mv.Table("f", lambda _: (2,)),), states=(1, 1))

    def proof(case):
        yield mv.line("left", left(case.f))
        yield make("right", right(case.f), because="said so")

    return mv.Claim("mine", "title", "source", setting, proof, statement="left against right", note="only mine")


@pytest.mark.parametrize(
    ("left", "right", "make", "sides"),
    [
        (lambda f: f[..., 0], lambda f: f[..., 1], mv.at_most, ("2", "1")),
        (lambda f: f, lambda f: f + f, mv.equal, ("2", "4")),
        (lambda f: f[..., 1], lambda f: f[..., 0], mv.at_least, ("1", "2")),
        (lambda f: mv.log(f[..., 0] * 1), lambda f: like(0, f) * f[..., 0], mv.equal, (20, "0")),  # a formal logarithm
        (lambda f: mv.sqrt(f[..., 0]), lambda f: f[..., 1], mv.at_most, (20, 20)),
        # 1.414213562373095048801688724209 < √2, by less than 10⁻³⁰
        (
            lambda f: mv.sqrt(f[..., 0]),
            lambda f: f[..., 1] * 1414213562373095048801688724209 / 10**30,
            mv.at_most,
            (40, 40),
        ),
    ],
)
def test_claims_of_ones_own(left, right, make, sides, tmp_path):
    claim = own_claim(left, right, make)
    path = tmp_path / "mine.json"
    found = write_certificate(certificate_of(claim, mv.Sizes(1, (1,)), {"f": [2, 1]}), path, claim)
    for value, expected in zip((found.left_value, found.right_value), sides, strict=True):
        if isinstance(expected, int):
            assert len(value[0].partition(".")[2]) == expected
        else:
            assert value == expected
    assert toolkit_complaint(path, claim) is None
    assert "only mine" in recheck(found, claim).text()
    assert "no claim is called" in toolkit_complaint(path)  # it is not registered
    assert "no section for the claim" in script_complaint(path) and "certify --from" in script_complaint(path)
    assert "verdict" in toolkit_complaint(path, own_claim(lambda f: f, lambda f: f))


def test_a_violation_beyond_all_decimals_is_refused():
    tiny = own_claim(
        lambda f: mv.sqrt(f[..., 0] * f[..., 0] * 2 + like(1, f) / 10**100),
        lambda f: mv.sqrt(f[..., 0] * f[..., 0] * 2),
    )
    with pytest.raises(ClaimError, match="smaller than 80 decimals"):
        certificate_of(tiny, mv.Sizes(1, (1,)), {"f": [1, 1]})


# --- the kernel of the script -----------------------------------------------------------------------------------------

BITS = 1500
RANDOM = np.random.default_rng(3)


def random_rational(size, positive):
    """Of at most 40 digits, between 10^-(size+1) and 10^(size+1) in absolute value."""
    digits = int(RANDOM.integers(1, 40))
    top, bottom = (int("1" + "".join(map(str, RANDOM.integers(0, 10, digits)))) for _ in range(2))
    value = Fraction(top, bottom) * Fraction(10) ** int(RANDOM.integers(-size, size + 1))
    return value if positive or RANDOM.integers(0, 2) else -value


def ball(value):
    return flint.arb(flint.fmpq(value.numerator, value.denominator))


@pytest.mark.parametrize(("name", "size", "positive"), [("exp", 3, False), ("log", 60, True), ("sqrt", 60, True)])
def test_enclosures_contain_the_number_and_are_tight(name, size, positive):
    for _ in range(60):
        x = random_rational(size, positive)
        found = getattr(check, name)(x)
        with precision(BITS):
            true = getattr(ball(x), name)()
            assert ball(found.low) <= true <= ball(found.high)
            width = ball(found.high) - ball(found.low)
            assert width <= (1 + abs(true)) * ball(Fraction(1, 2**470)), x


def test_exact_values_stay_exact():
    for found, expected in (
        (check.exp(0), 1),
        (check.log(1), 0),
        (check.sqrt(Fraction(4, 9)), Fraction(2, 3)),
        (check.sqrt(0), 0),
        (check.powers([(4, Fraction(1, 2)), (9, Fraction(-1, 2))]), Fraction(2, 3)),
        (check.powers([(2, Fraction(1, 3)), (4, Fraction(1, 3)), (5, Fraction(0))]), 2),
        (check.powers([(8, Fraction(-2, 3)), (1, Fraction(1, 7))]), Fraction(1, 4)),
        (check.powers([]), 1),
    ):
        assert found.low == found.high == expected
    root = check.powers([(12, Fraction(1, 2))])  # 2√3
    assert root.low < root.high and root.low**2 < 12 < root.high**2
    third = check.Interval(Fraction(1, 3)) / 7 - 2 * check.Interval(Fraction(5, 11))
    assert third.low == third.high == Fraction(1, 21) - Fraction(10, 11)


def test_interval_arithmetic_contains_every_result():
    for _ in range(300):
        ends = [sorted(random_rational(3, False) for _ in range(2)) for _ in range(2)]
        one, two = (check.Interval(*pair) for pair in ends)
        x, y = (low + (high - low) * Fraction(int(RANDOM.integers(0, 11)), 10) for low, high in ends)
        pairs = [(one + two, x + y), (one - two, x - y), (one * two, x * y), (check.larger(one, two), max(x, y))]
        pairs += [(3 - one, 3 - x), (one * 2, 2 * x)]
        if not ends[1][0] <= 0 <= ends[1][1]:
            pairs += [(one / two, x / y), (1 / two, 1 / y)]
        for enclosure, value in pairs:
            assert enclosure.low <= value <= enclosure.high


def test_the_mean_of_falling_shares():
    """Against balls, and exactly where the exponent is 0."""
    exponent = check.sqrt(2) * Fraction(-1, 300)
    found = check.mean_share(exponent, 50)
    with precision(BITS):
        x = -flint.arb(2).sqrt() / 300
        true = sum(1 / (1 + (x * k).exp()) for k in range(50)) / 50
        assert ball(found.low) <= true <= ball(found.high)
    assert found.high - found.low < Fraction(1, 2**500)
    assert check.mean_share(check.Interval(0), 7).low == Fraction(1, 2) == check.mean_share(check.Interval(0), 7).high
    with pytest.raises(check.Rejected, match="positive"):
        check.mean_share(check.Interval(Fraction(1, 3)), 7)


def test_linear_equations():
    rows = [[Fraction(0), Fraction(2)], [Fraction(1), Fraction(1)], [Fraction(1), Fraction(3)]]
    assert check.solve(rows, [Fraction(1), Fraction(2), Fraction(3)]) == [Fraction(3, 2), Fraction(1, 2)]
    assert check.solve(rows, [Fraction(1), Fraction(2), Fraction(4)]) is None
    with pytest.raises(check.Rejected, match="a single solution"):
        check.solve([[Fraction(1), Fraction(2)], [Fraction(2), Fraction(4)]], [Fraction(1), Fraction(2)])
    assert check.fixed_point([Fraction(1)], [[Fraction(1, 2)]]) == [2]


def test_rounding_goes_outwards_and_keeps_numbers_small():
    awkward = Fraction(3**700 + 1, 7**500)
    found = check.Interval(awkward)
    assert found.low < awkward < found.high
    assert found.high - found.low == Fraction(1, 2**check.GRID)
    assert max(found.low.denominator, found.high.denominator) <= 2**check.GRID
    spread = check.Interval(Fraction(-1, 3), Fraction(1, 3))
    product = spread * spread * spread
    assert product.low == Fraction(-1, 27) and product.high == Fraction(1, 27)


@pytest.mark.parametrize(
    "call",
    [
        lambda: check.Interval(1) / check.Interval(-1, 1),
        lambda: check.Interval(1) / 0,
        lambda: check.sqrt(-1),
        lambda: check.sqrt(check.Interval(-1, 1)),
        lambda: check.log(0),
        lambda: check.log(check.Interval(-1, 1)),
        lambda: check.exp(10**6),
    ],
)
def test_what_the_kernel_cannot_do_is_a_rejection(call):
    with pytest.raises(check.Rejected):
        call()


def test_monotone_functions_of_intervals():
    wide = check.Interval(Fraction(1, 2), Fraction(7, 2))
    for name in ("exp", "log", "sqrt"):
        function = getattr(check, name)
        found = function(wide)
        assert found.low == function(wide.low).low and found.high == function(wide.high).high


def test_balls_and_rationals_are_recorded_alike():
    """A ball that holds a rational is recorded by an enclosure of it; the script's exact value lies inside."""
    with precision(200):
        value = flint.arb(flint.fmpq(1, 3))
        assert toolkit._recorded(value, 20) == ("0.33333333333333333332", "0.33333333333333333334")
        assert toolkit._recorded(-value, 20) == ("-0.33333333333333333334", "-0.33333333333333333332")
        assert toolkit._recorded(flint.arb(0), 20) == ("-0.00000000000000000001", "0.00000000000000000001")
        with pytest.raises(mv.errors.ExactnessError, match="infinite"):
            toolkit._recorded(flint.arb("inf"), 20)
    assert toolkit._recorded(flint.fmpq(2, 4), 20) == "1/2"
    formal = mv.log(like([4, 2, 1], System.RATIONALS))
    assert toolkit._recorded(formal[0] - 2 * formal[1], 20) == "0"
    assert toolkit._recorded(formal[1], 20)[0].startswith("0.69314718055994530941")
