"""The documentation is generated where it can be, complete, and its examples do what they say, from outside the package."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

import mappo_verify as mv
from mappo_verify.checking.certificate import read_certificate
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.papers.registry import claim as find
from write_documents import _integers, documents, errata

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
EXAMPLE = DOCS / "examples" / "my_lemma"
PAGES = {path.name: path.read_text("utf-8") for path in DOCS.glob("*.md")}


def certificate(name):
    return read_certificate(ROOT / "certificates" / f"{name}.json")


# --- generated pages -----------------------------------------------------------------------------------------------------


def test_the_generated_pages_are_current():
    """``python scripts/write_documents.py`` rewrites them."""
    generated = documents(ROOT)
    assert set(generated) == {"paper-map.md", "errata.md"}
    assert {name: PAGES[name] for name in generated} == generated


def test_the_reference_holds_every_public_name_once():
    shown = re.findall(r"^### `mv\.([\w.]+)`$", PAGES["reference.md"], re.MULTILINE)
    spaces = {name for name in mv.__all__ if isinstance(getattr(mv, name), ModuleType)}
    assert {name for name in shown if "." not in name} == set(mv.__all__) - spaces
    for space in spaces - {"arithmetic", "axioms", "errors"}:  # plain modules
        listed = {name.removeprefix(f"{space}.") for name in shown if name.startswith(f"{space}.")}
        assert listed == set(dir(getattr(mv, space))) - set(mv.__all__), space
    assert len(shown) == len({name.rpartition(".")[2] for name in shown}) > 150
    headings = re.findall(r"^## (.+)$", PAGES["reference.md"], re.MULTILINE)
    assert headings[0] == "Games and policies" and headings[-1] == "`mv.simulation`" and len(headings) > 8
    assert "**`mv.load_game(path, discount=None)`**" in PAGES["reference.md"]
    assert "**`mv.Policy.uniform(game)`**" in PAGES["reference.md"] and "**`.exact(max" in PAGES["reference.md"]
    assert "### `mv.errors.GameError`\n" in PAGES["reference.md"]


def test_every_chapter_of_the_mathematics_is_on_its_page():
    """A new module of ``quantities/`` needs its place in docs/mathematics.md, in paper order."""
    chapters = re.findall(r"<!-- begin: chapter (\w+) -->", PAGES["mathematics.md"])
    assert sorted(chapters) == sorted({path.stem for path in (ROOT / "mappo_verify/quantities").glob("[!_]*.py")})


def test_every_page_is_reached_from_the_index():
    listed = re.findall(r"\]\(([\w-]+)\.md\)", PAGES["index.md"])
    assert sorted(f"{name}.md" for name in listed) == sorted(set(PAGES) - {"index.md"})
    for name, text in PAGES.items():
        for target in re.findall(r"\]\(([\w./-]+\.\w+)(?:#\w+)?\)", text):
            assert (DOCS / target).exists(), f"{name} links to {target}"


# --- errata --------------------------------------------------------------------------------------------------------------


def section(text, claim):
    return text.split(f"## {claim}", 1)[1].split("\n## ", 1)[0]


def test_every_claim_that_fails_is_in_the_errata():
    shown = [name.removesuffix(" °") for name in re.findall(r"^## (.+)$", PAGES["errata.md"], re.MULTILINE)]
    assert shown == [claim.id for claim in CLAIMS if claim.record is mv.Standing.REFUTED]
    for claim in map(find, shown):
        part = section(PAGES["errata.md"], claim.id)
        assert claim.statement in part or " ".join(claim.statement.split()) in part
        assert "**The proof breaks**" in part and "mappo-verify certify certificates/" in part
        assert not claim.repaired_by or f"**Repair**, `{claim.repaired_by}`" in part


def test_an_erratum_shows_the_numbers_of_its_certificate():
    part = section(errata({"here.json": certificate("lemma-b.2")}), "lemma-b.2/printed-gradient-bound")
    assert "anchor = [-1]" in part and "left  = 16 " in part and "right = 9 " in part and "left ≤ right fails" in part
    assert "`≤ (2(R + B/β))²`" in part and "mappo-verify certify here.json" in part
    assert "SURVIVED" in part and "lemma-b.2/gradient-bound" in part
    enclosed = section(errata({"x.json": certificate("theorem-4.5-i-one-error")}), "theorem-4.5/i")
    assert "left  = 8.4175913359224313586..." in enclosed


def test_the_shortest_run_is_shown_and_all_files_are_named():
    both = {name: certificate(name) for name in ("theorem-4.5-i", "theorem-4.5-i-one-error")}
    part = section(errata(both), "theorem-4.5/i")
    assert "18 steps" in part and "(`theorem-4.5-i`, `theorem-4.5-i-one-error`)" in part


def test_a_certificate_that_proves_nothing_is_no_erratum():
    good = certificate("lemma-b.2")
    with pytest.raises(
        ValueError, match=r"bad\.json is no counterexample to lemma-b\.2/printed-gradient-bound: .*checksum"
    ):
        errata({"bad.json": msgspec.structs.replace(good, coordinates={**good.coordinates, "theta": [2]})})


def test_without_a_certificate_the_command_that_finds_one_is_named():
    claim = replace(find("lemma-4.1"), record=mv.Standing.REFUTED, note="a_b * c")
    text = errata({}, (claim,))
    assert "Find a counterexample: `mappo-verify falsify lemma-4.1`" in text and r"a_b \* c" in text
    assert errata({}, (find("lemma-4.1"),)).endswith("closed.\n")


def test_long_runs_are_told_by_what_is_not_0():
    assert _integers([0, 1]) == "[0, 1]"
    assert _integers([0] * 70 + [5, 0, -1]) == "73 integers, all 0 but [70] = 5, [72] = -1"


# --- examples ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def outside(tmp_path):
    """The example's code, copied to a directory of its own; without the certificate, which it writes itself."""
    for path in EXAMPLE.glob("*.py"):
        shutil.copy(path, tmp_path)

    def run(*arguments):
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False)

    run.folder = tmp_path
    return run


def test_the_example_runs_outside_the_package(outside):
    found = outside("-X", "utf8", "improvement.py")
    assert found.returncode == 0, found.stderr
    assert found.stdout == (EXAMPLE / "output.txt").read_text("utf-8")
    name = "improvements-add-up.json"
    assert (outside.folder / name).read_text("utf-8") == (EXAMPLE / name).read_text("utf-8")
    tested = outside("-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert tested.returncode == 0 and "4 passed" in tested.stdout, tested.stdout


def test_the_example_notices_a_false_repair(outside):
    """Its own tests must fail when the lemma that is believed is the false one, or when the certificate is forged."""
    shutil.copy(EXAMPLE / "improvements-add-up.json", outside.folder)
    source = (outside.folder / "improvement.py").read_text("utf-8")
    planted = source.replace("        IN_TURN,\n", "        EACH_ALONE,\n")
    assert planted != source
    (outside.folder / "improvement.py").write_text(planted, "utf-8")
    tested = outside("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "survives")
    assert tested.returncode == 1 and "1 failed" in tested.stdout, tested.stdout
    kept = (EXAMPLE / "improvements-add-up.json").read_text("utf-8")
    forged = kept.replace("[[0, 0, 0, -1]]", "[[0, 1, 0, -1]]")
    assert forged != kept
    (outside.folder / "improvements-add-up.json").write_text(forged, "utf-8")
    tested = outside("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "still_one")
    assert tested.returncode == 1 and "checksum" in tested.stdout, tested.stdout
