"""Section 5 on trial: concentrability, and Theorem 5.5 with its repair."""

from on_trial import falls, holds


def test_concentrability() -> None:
    """At most the largest density ratio."""
    holds("definition-5.4")


def test_theorem_5_5_falls_with_two_agents() -> None:
    """Complete classes, and still no one game has both critics for its values."""
    evidence = falls("theorem-5.5/two-agents")
    assert evidence.broken is not None and "lemma-c.3" in evidence.broken.because


def test_theorem_5_5_falls_with_one_agent() -> None:
    """A realizable class without completeness: no Bellman error, and no consistency."""
    evidence = falls("theorem-5.5/one-agent")
    assert evidence.broken is not None and "lemma-c.2" in evidence.broken.because


def test_repaired() -> None:
    """One joint critic, its marginals, the range enforced."""
    holds("theorem-5.5/repaired")


def test_repaired_with_a_sample() -> None:
    holds("theorem-5.5/repaired-sample")
