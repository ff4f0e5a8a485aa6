"""The pages of docs/proofs: every step names lines that exist, in the order of the proof; every formula can be typeset."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mappo_verify.checking.proving import prove_at_points, prove_in_symbols
from mappo_verify.claims.coordinates import EVERY
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.papers.registry import claim as find
from mappo_verify.report.mathematics import mathml

FOLDER = Path(__file__).parent.parent / "docs" / "proofs"
PAGES = {page.stem: page.read_text() for page in sorted(FOLDER.glob("*.md"))}
STEP = re.compile(r"`([\w.\-]+(?:/[\w.\-]+)?)#(\d+)`")
LENGTHS: dict[str, int] = {}


def length_of(name):
    """How many lines the proof of a claim has at its smallest size."""
    if name not in LENGTHS:
        claim, found = find(name), [0]

        def proof(case):
            for number, entry in enumerate(claim.proof(case), start=1):
                found[0] = max(found[0], number)  # at a point some formulas leave the rationals half-way
                yield entry

        watched = replace(claim, proof=proof)
        every = claim.symbolic or claim.points
        sizes = next((s for s in every if s.steps != EVERY), None)
        if sizes is None:
            return (
                10**6
            )  # proofs by induction alone, and claims that are not proved: their lines are counted on an instance
        if claim.symbolic:
            prove_in_symbols(watched, sizes)
        else:
            prove_at_points(watched, sizes, np.random.default_rng(0))
        LENGTHS[name] = found[0]
    return LENGTHS[name]


def complaints(text):
    """Steps that name no line of a claim, and steps out of order."""
    found, last = [], {}
    ids = {claim.id for claim in CLAIMS}
    for name, number in STEP.findall(text):
        if name not in ids:
            found.append(f"{name} is no claim")
            continue
        if not 2 <= int(number) <= length_of(name):
            found.append(f"{name} has no line {number}")
        if int(number) <= last.get(name, 0):
            found.append(f"{name}#{number} comes after {name}#{last[name]}")
        last[name] = int(number)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_steps_name_lines_in_their_order(page):
    if page != "index":
        assert STEP.search(PAGES[page]), "a proof without an executable line"
    assert complaints(PAGES[page]) == []


def test_a_wrong_id_line_or_order_is_found():
    assert complaints("`lemma-c.9#2`") == ["lemma-c.9 is no claim"]
    assert complaints("`lemma-d.6#7`") == ["lemma-d.6 has no line 7"]
    assert complaints("`lemma-d.6#4` `lemma-d.6#3`") == ["lemma-d.6#3 comes after lemma-d.6#4"]


@pytest.mark.parametrize("page", PAGES)
def test_formulas_can_be_typeset(page):
    text = PAGES[page]
    assert text.count("$") % 2 == 0
    for formula in re.findall(r"\$\$([^$]+)\$\$", text) + re.findall(
        r"\$([^$]+)\$", re.sub(r"\$\$[^$]+\$\$", "", text)
    ):
        assert mathml(formula).startswith("<math")


def test_every_page_is_listed():
    assert {f"({name}.md)" for name in PAGES if name != "index"} <= set(re.findall(r"\([\w.\-]+\.md\)", PAGES["index"]))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([\w.\-/]+\.md)\)", PAGES[page]):
        assert (FOLDER / target).exists(), target


COMPLETE = ("bounded-steps", "convergence", "errors", "exact-updates")
"""Pages that leave out no line of the proofs that they write out."""


def gaps(text, relations_of):
    """Claims of a page whose steps are not exactly the lines of the proof: ``relations_of(claim)`` says how its lines relate."""
    steps, found = {}, []
    for name, number in STEP.findall(text):
        steps.setdefault(name, []).append(int(number))
    for name, numbers in steps.items():
        # A proof may have the same chain for every agent; a page speaks of the first.
        relations = relations_of(name)
        chain = relations.index(None, 1) if None in relations[1:] else len(relations)
        if numbers != list(range(2, chain + 1)):
            found.append(f"{name} has lines 2 to {chain}, and the page has {numbers}")
    return found


def relations_in_symbols(name):
    """How the lines of a claim's proof relate, in symbols at the first size that it names."""
    trial, runs = find(name), []

    def watched(case):
        runs.append([])
        for entry in trial.proof(case):
            runs[-1].append(entry.relation)
            yield entry

    prove_in_symbols(replace(trial, proof=watched), trial.symbolic[0])
    return max(runs, key=len)  # at a point some formulas leave the rationals half-way


@pytest.mark.parametrize("page", COMPLETE)
def test_every_line_is_a_step(page):
    assert gaps(PAGES[page], relations_in_symbols) == []


@pytest.mark.parametrize(
    "text", ["`lemma-b.6#3` `lemma-b.6#2` `lemma-b.6#4`", "`lemma-b.6#2` `lemma-b.6#4`", "`lemma-b.6#2`"]
)
def test_a_gap_is_found(text):
    assert "lemma-b.6 has lines 2 to 4" in gaps(text, lambda _: [None, "=", "=", "≤"])[0]
