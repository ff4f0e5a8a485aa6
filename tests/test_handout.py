"""The errata for the authors: generated from the text, the registry and the certificates, short, and fit to be compiled."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import write_handout  # noqa: E402


@pytest.mark.parametrize("name", ["errata.html", "errata.tex"])
def test_the_files_are_what_the_script_writes(name):
    assert (write_handout.FOLDER / name).read_text() == write_handout.documents()[name]


def test_facts_come_from_the_project():
    text = write_handout.text()
    assert "{{" not in text and "left side 1/796, which is not at most the right side 1/1000" in text
    assert "`theorem-5.5/repaired` (PROVED)" in text
    with pytest.raises(FileNotFoundError):
        write_handout.fact("sides:no-such-certificate")


def test_it_is_short():
    """Some 500 words print on a page: eight at most."""
    assert len(write_handout.text().split()) < 8 * 450


def test_every_theorem_that_falls_has_its_parts():
    for part in re.split(r"^## ", write_handout.text(), flags=re.MULTILINE)[1:4]:
        assert all(f"**{title}" in part for title in ("What fails.", "The smallest change."))


def test_latex_is_balanced_and_plain():
    made = write_handout.documents()["errata.tex"]
    assert made.count("{") - made.count(r"\{") == made.count("}") - made.count(r"\}")
    assert made.count(r"\begin{itemize}") == made.count(r"\end{itemize}") and made.count("$") % 2 == 0
    assert set(re.findall(r"[^\x00-\x7f]", made)) <= {"ö"}


def test_marks_do_not_reach_into_formulas():
    """An asterisk of a formula is none of the text."""
    made = write_handout.as_html("*slanted $π_*$ words* and $d_*$ alone")
    assert made.count("<em>") == 1 and made.count("*</") == made.count("*</mo>")
