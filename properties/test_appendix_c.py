"""Appendix C on trial: the Bellman error of linear critics, the games that critics imply, regret."""

from on_trial import fails, falls, holds, supported


def test_the_bellman_error_is_a_quadratic_form() -> None:
    """... with an inner minimum over all weights; and the pessimistic minimum is closed."""
    holds("section-c.1/unconstrained")


def test_constraints_make_it_no_quadratic_form() -> None:
    """Not even convex."""
    assert falls("section-c.1/constrained").violated


def test_the_closed_form_leaves_the_class() -> None:
    assert fails("section-c.1/closed-form-in-class").violated


def test_realizability_is_a_hypothesis() -> None:
    assert fails("remark-5.2").violated


def test_realizable_features_need_not_be_complete() -> None:
    assert fails("section-c.2/completeness").violated


def test_without_completeness_a_small_error_says_nothing() -> None:
    assert falls("lemma-c.2/realizable").violated


def test_no_one_game_explains_the_critics_of_all_agents() -> None:
    evidence = falls("lemma-c.3/all-agents")
    assert evidence.broken is not None and evidence.broken.right == "f_k^1"


def test_some_game_explains_the_critic_of_each_agent() -> None:
    holds("lemma-c.3/each-agent")


def test_one_game_explains_marginals() -> None:
    holds("lemma-c.3/marginals")


def test_the_printed_error_of_its_rewards() -> None:
    assert fails("lemma-c.3/reward-error").violated


def test_the_error_of_its_rewards() -> None:
    holds("lemma-c.3/reward-error-repaired")


def test_pessimism() -> None:
    """J(π) is at least the pessimistic value, up to λ times the error of Q."""
    holds("lemma-c.7")


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


def test_the_bellman_error_of_the_true_values_on_samples() -> None:
    """Of order 1/n, by drawing."""
    supported("lemma-c.1")


def test_with_completeness_a_small_error_means_a_small_residual() -> None:
    """Within 1/√n, by drawing."""
    supported("lemma-c.2/complete")
