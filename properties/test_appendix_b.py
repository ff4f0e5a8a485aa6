"""Appendix B on trial: the advantage decomposition."""

from on_trial import fails, holds


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
