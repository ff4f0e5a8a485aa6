"""Appendix C on trial: the regret of Algorithm 2's updates against any critics (Lemmas C.4 to C.6)."""

from on_trial import holds


def test_the_next_leader_beats_every_policy() -> None:
    """Mirror steps are leaders, and Σ⟨π, f_k⟩ - ℒ(π) ≤ Σ⟨π_{k+1}, f_k⟩ - ℒ(π_1)."""
    holds("lemma-c.4")


def test_the_regret_of_the_leader() -> None:
    holds("lemma-c.5")


def test_the_printed_regret() -> None:
    """At most 2√(2K log|A|)/(1-γ), whatever the payoffs."""
    holds("lemma-c.6")


def test_the_sharp_regret() -> None:
    """At most log|A|/η + ηK/(8(1-γ)²), whatever the step."""
    holds("lemma-c.6/sharp")
