"""The paper on trial, section by section.  What each claim says stands in the registry, and in ``docs/paper-map.md``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import mappo_verify as mv
from mappo_verify.papers.local_optimization import PAPER
from mappo_verify.papers.registry import CLAIMS
from on_trial import RARE, put_on_trial, searched

SECTIONS = {section.title: section.claims for section in PAPER.sections}
TRIED: list[str] = []


def every_claim_of(title: str) -> Callable[[Callable[[mv.Claim], None]], Any]:
    """Runs a test once for each claim of a section."""
    TRIED.append(title)
    return pytest.mark.parametrize("claim", SECTIONS[title], ids=lambda claim: claim.id)


@every_claim_of("Section 3: Preliminaries")
def test_values_advantages_operators(claim: mv.Claim) -> None:
    """Q^{1:m} four ways, Bellman operators of each agent and their fixed points, single-agent mirror descent."""
    put_on_trial(claim)


@every_claim_of("Section 4.1: Policy Improvement and Evaluation")
def test_performance_difference_and_policy_update(claim: mv.Claim) -> None:
    """J(π') - J(π) agent by agent, from any start; the closed form of the mirror step, also against a conic solver."""
    put_on_trial(claim)


@every_claim_of("Sections 4.2 and 4.3: Theoretical Analysis, Compare with Independent Learning")
def test_convergence(claim: mv.Claim) -> None:
    """Theorem 4.5 on whole runs, its repairs, exact updates; equilibria and shared parameters (Section 4.3)."""
    put_on_trial(claim)


@every_claim_of("Section 5: Pessimistic MA-PPO with Linear Function Approximation")
def test_pessimistic_learning(claim: mv.Claim) -> None:
    """Concentrability, Theorem 5.5 and its repair."""
    put_on_trial(claim)


@every_claim_of("Appendix B: Proofs for Section 4")
def test_proofs_of_section_4(claim: mv.Claim) -> None:
    """Stochastic subgradients, bounds on gradients, sums of advantages, error propagation, descent in one step."""
    put_on_trial(claim)


@every_claim_of("Appendix C: Proofs for Section 5")
def test_proofs_of_section_5(claim: mv.Claim) -> None:
    """Linear critics on samples and in the limit, the games that critics imply, the regret of mirror steps."""
    put_on_trial(claim)


@every_claim_of("Appendix D: Pessimistic MA-PPO with General Function Approximation")
def test_general_function_classes(claim: mv.Claim) -> None:
    """Finite classes of critics, on samples and in the limit; Theorem D.7 and its repair."""
    put_on_trial(claim)


@every_claim_of("Appendix E: Simulation")
def test_simulation(claim: mv.Claim) -> None:
    """The ratio game: its value, its stationary points, the published update and score."""
    put_on_trial(claim)


def test_every_section_is_on_trial() -> None:
    assert list(SECTIONS) == TRIED


BREAKS_AT = {
    "theorem-4.5/i": "lemma-b.4",
    "theorem-5.5/two-agents": "lemma-c.3",
    "theorem-5.5/one-agent": "lemma-c.2",
    "theorem-d.7": "lemma-c.3",
}
"""The lemma by which the line argues that breaks."""


@pytest.mark.parametrize("claim_id", BREAKS_AT)
def test_the_line_that_breaks_leans_on_a_broken_lemma(claim_id: str) -> None:
    """A rare action hides an error that flips the policy (4.5); no one game has the critics of all agents for its values."""
    broken = searched(claim_id).broken
    assert broken is not None and BREAKS_AT[claim_id] in broken.because


def test_no_one_game_explains_the_critics_of_all_agents() -> None:
    broken = searched("lemma-c.3/all-agents").broken
    assert broken is not None and broken.right == "f_k^1"


def test_rare_counterexamples_are_those_of_refuted_claims() -> None:
    assert {claim.id for claim in CLAIMS if claim.record is mv.Standing.REFUTED} > RARE
