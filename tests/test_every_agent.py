"""Proofs speak of every agent, and under a label stands what it says; the checker's path law has unequal chances."""

from __future__ import annotations

import importlib.util
import sys
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest

import mappo_verify as mv
import oracle
from mappo_verify.checking.on_game import case_on_game
from mappo_verify.papers.local_optimization import section_3
from mappo_verify.papers.registry import claim as find

GAME = mv.games.random_game(2, (2, 2, 2), seed=4, termination=False)
LINES = {
    "definition-3.2": 16,
    "definition-3.2/lipschitz": 12,
    "definition-3.2/uniqueness": 8,
    "definition-3.2/no-discount": 8,
}
"""Lines on three agents: as many for each ``m`` from 0 to 3."""


def lines_of(identity, game=GAME):
    claim = find(identity)
    return list(claim.proof(case_on_game(claim.setting, game)))


@pytest.mark.parametrize("identity", [claim.id for claim in section_3.CLAIMS if claim.id in LINES])
def test_section_3_leaves_no_agent_out(identity):
    lines = [line.expression for line in lines_of(identity)]
    assert len(lines) == LINES[identity]
    for m in range(GAME.agents + 1):
        assert sum(f"1:{m}}}" in text for text in lines) == sum("1:0}" in text for text in lines), m


def test_subsets_of_the_agents_are_all_there():
    assert len(section_3.subsets_of(3)) == 8 and (1, 2, 3) in section_3.subsets_of(3) and () in section_3.subsets_of(3)
    texts = " ".join(line.expression for line in lines_of("definition-3.1/product-readings"))
    assert all(f"P = {{{', '.join(map(str, kept))}}}" in texts for kept in section_3.subsets_of(3) if kept)


def test_squared_concentrability_under_its_label():
    """``(φ^{m-1})² = Σ_{s,a} σ (σ_*/σ)²`` by plain loops, for every agent."""
    claim = find("definition-4.4")
    case = case_on_game(claim.setting, GAME)
    found = {line.expression: line.value for line in claim.proof(case)}
    policy, target = ([oracle.fractions(f._parts[0][..., 0]) for f in p.factors] for p in (case.policy, case.target))
    game = {"P": oracle.fractions(GAME.transition), "sizes": GAME.action_sizes}
    game |= {"r": oracle.fractions(GAME.reward), "gamma": Fraction(1, 2)}
    nu, other = (oracle.stationary_distribution(game, p, [0, 1]) for p in (policy, target))
    for m in range(1, GAME.agents + 1):
        wanted = Fraction(0)
        for s in range(2):
            for prefix in oracle.tuples(GAME.action_sizes[: m - 1]):
                below = nu[s] * oracle.prefix_probability(policy, GAME.action_sizes, s, prefix)
                above = other[s] * oracle.prefix_probability(target, GAME.action_sizes, s, prefix)
                wanted += above * above / below if below else 0
        labels = [text for text in found if text.startswith(f"(φ^{m - 1})²")]
        assert labels and all(oracle.fractions(found[label]._parts[0].ravel()) == [wanted] for label in labels), labels


# --- the checker --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lemma_b_1():
    path = Path(__file__).parents[1] / "certificates" / "check.py"
    spec = importlib.util.spec_from_file_location("certificate_check_of_paths", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.load()
    return sys.modules["certificate_checker.claims.lemma_b_1"]


def test_paths_have_unequal_chances(lemma_b_1):
    """The mean over the paths of two steps, by hand: ``f_1 = |x|``-like pieces, chances ¼ and ¾, on the line."""
    shares = [Fraction(1, 4), Fraction(3, 4)]
    slopes, steps = [[[2], [-1]], [[-1], [-2]]], 2
    given = {"slopes": slopes, "offsets": [[0, 0], [0, 0]], "rival": [1]}
    instance = SimpleNamespace(
        states=1, sizes=(2,), steps=steps, entry=(), integers=lambda name, *_: given[name], shares=lambda *_, **__: shares,
        require_place=lambda *_: None,
    )  # fmt: skip
    found = lemma_b_1.lemma_b1_printed_range(instance)
    step = 1 / (2 * 2**0.5)

    def pieces(i, x):
        return [slope[0] * x for slope in slopes[i]]

    def objective(x):
        return sum(float(p) * max(pieces(i, x)) for i, p in enumerate(shares))

    wanted = 0.0
    for path in ((i, j) for i in range(2) for j in range(2)):
        points = [0.0]
        for i in path:
            one, two = pieces(i, points[-1])
            moved = points[-1] - step * (slopes[i][0][0] if one >= two else slopes[i][1][0])
            points.append(moved / max(1, abs(moved)))
        chance = float(shares[path[0]] * shares[path[1]])
        wanted += chance * (objective(sum(points[1:]) / 2) - objective(1.0))
    assert float(found.left_value.low) == pytest.approx(wanted, rel=1e-12, abs=0) == float(found.left_value.high)
    even = lemma_b_1.lemma_b1_printed_range(
        SimpleNamespace(**{**vars(instance), "shares": lambda *_, **__: [Fraction(1, 2)] * 2})
    )
    assert abs(float(even.left_value.low) - wanted) > 0.01
