"""Appendix B on trial: SGD, gradient bounds, the advantage decomposition, error propagation, one-step descent."""

from on_trial import fails, falls, holds


def test_advantages_telescope() -> None:
    """A^{1:m} = Σ A^i, along every order, in both readings."""
    holds("lemma-b.3")


def test_zero_mean_on_prefixes() -> None:
    """Σ_a π^m A^m = 0: what the proof of Lemma 4.1 needs."""
    holds("lemma-b.3/zero-mean")


def test_zero_mean_for_product_policies() -> None:
    """For independent agents, for every pair of subsets."""
    holds("lemma-b.3/zero-mean-product")


def test_zero_mean_under_conditioning() -> None:
    """With Bayes' weights, for every pair of subsets."""
    holds("lemma-b.3/zero-mean-conditioning")


def test_not_under_intervention() -> None:
    """Clamping breaks it: one state and two agents suffice."""
    assert fails("lemma-b.3/zero-mean-intervention").violated


def test_averaged_sgd_in_expectation() -> None:
    """Exact enumeration of all sample paths."""
    holds("lemma-b.1/expectation")


def test_averaged_sgd_path_by_path() -> None:
    falls("lemma-b.1/path-wise")


def test_averaged_sgd_over_the_printed_range() -> None:
    falls("lemma-b.1/printed-range")


def test_the_printed_gradient_bound() -> None:
    """Two points of one ball can be 2R apart."""
    assert fails("lemma-b.2/printed-gradient-bound").violated


def test_the_gradient_bound() -> None:
    holds("lemma-b.2/gradient-bound")


def test_the_rate_of_the_fit() -> None:
    """E ε' ≤ √L(u) + √(GR) T^{-1/4}, over all sample paths."""
    holds("lemma-b.2/rate")


def test_the_largest_error_is_not_the_mean_one() -> None:
    """Lemma B.4: one state, one agent, two actions suffice."""
    assert fails("lemma-b.4").violated


def test_nor_twice_the_mean_one() -> None:
    falls("lemma-b.4/factor-two")


def test_with_the_smallest_probability_it_is() -> None:
    holds("lemma-b.4/repaired")


def test_error_propagation() -> None:
    holds("lemma-b.5")


def test_error_propagation_of_the_fit() -> None:
    holds("lemma-b.5/a")


def test_error_propagation_of_the_critic() -> None:
    holds("lemma-b.5/b")


def test_error_propagation_sharp() -> None:
    holds("lemma-b.5/sharp")


def test_one_step_descent() -> None:
    """An identity, then Pinsker."""
    holds("lemma-b.6")
