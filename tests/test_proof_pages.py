"""The written proofs: every step names a line that the toolkit runs, in the order of the lines, and no line is left out."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from mappo_verify.checking.proving import prove_in_symbols
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.papers.registry import claim as find

PAGES = sorted((Path(__file__).parents[1] / "docs" / "proofs").glob("*.md"))
STEP = re.compile(r"`([a-z0-9][a-z0-9.\-]*(?:/[a-z0-9.\-]+)?):(\d+)`")
IDS = {claim.id for claim in CLAIMS}


def lines_of(name):
    """How the lines of a claim's proof relate, in symbols at the first size that it names."""
    trial, seen = find(name), []

    def watched(case):
        seen.clear()
        for entry in trial.proof(case):
            seen.append(entry.relation)
            yield entry

    prove_in_symbols(replace(trial, proof=watched), trial.symbolic[0])
    return seen


def complaints(text, lines=lines_of):
    """What is wrong with the steps of a page."""
    steps = {}
    for name, number in STEP.findall(text):
        steps.setdefault(name, []).append(int(number))
    if not steps:
        return ["no step names a line"]
    found = [f"no claim is called {name}" for name in steps if name not in IDS]
    for name, numbers in steps.items():
        if name in IDS:
            # A proof may have the same chain for every agent; a page speaks of the first.
            relations = lines(name)
            chain = relations.index(None, 1) if None in relations[1:] else len(relations)
            if numbers != list(range(2, chain + 1)):
                found.append(f"{name} has lines 2 to {chain}, and the page has {numbers}")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_step_is_a_line_and_every_line_a_step(page):
    assert complaints(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("no step", "no step names a line"),
        ("`lemma-b.7:2`", "no claim is called lemma-b.7"),
        ("`lemma-b.6:3` `lemma-b.6:2` `lemma-b.6:4`", "lemma-b.6 has lines 2 to 4, and the page has [3, 2, 4]"),
        ("`lemma-b.6:2` `lemma-b.6:4`", "lemma-b.6 has lines 2 to 4, and the page has [2, 4]"),
        ("`lemma-b.6:2` `lemma-b.6:3` `lemma-b.6:4` `lemma-b.6:5`", "lemma-b.6 has lines 2 to 4"),
    ],
)
def test_a_wrong_page_is_found(text, wrong):
    assert any(wrong in found for found in complaints(text))
