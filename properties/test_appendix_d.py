"""Appendix D on trial: finite classes of critics, on samples and in the limit; Theorem D.7 and its repair."""

from on_trial import fails, falls, holds, supported


def test_the_bound_on_critics_is_kept() -> None:
    """T maps what is within ±1/(1-γ) into it."""
    holds("assumption-d.1")


def test_realizability_measures_the_distance_to_the_true_values() -> None:
    holds("assumption-d.2")


def test_a_complete_finite_class_holds_the_true_values() -> None:
    holds("assumption-d.3")


def test_the_most_realistic_critic_on_samples() -> None:
    supported("lemma-d.4")


def test_the_most_realistic_critic_without_noise() -> None:
    holds("lemma-d.4/population")


def test_a_small_error_on_samples_means_a_small_residual() -> None:
    supported("lemma-d.5")


def test_a_small_error_means_a_small_residual_without_noise() -> None:
    holds("lemma-d.5/population")


def test_pessimism_bounds_the_return_from_below() -> None:
    """On any data whatever."""
    holds("lemma-d.6")


def test_what_the_trap_is_made_of() -> None:
    holds("theorem-d.7/trap")


def test_theorem_d_7_falls() -> None:
    """Complete classes, any λ, as much data as one likes."""
    evidence = falls("theorem-d.7")
    assert evidence.broken is not None and "lemma-c.3" in evidence.broken.because


def test_theorem_d_7_falls_with_any_constant() -> None:
    assert fails("theorem-d.7/any-constant").violated


def test_with_one_critic_for_all_agents_it_holds() -> None:
    holds("theorem-d.7/repaired")
