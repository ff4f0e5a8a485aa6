"""Section 4 on trial: the performance difference lemma and the closed form of the mirror step."""

from on_trial import fails, holds


def test_performance_difference() -> None:
    """J(π') - J(π), in five lines, from any start and with termination."""
    holds("lemma-4.1")


def test_performance_difference_from_the_stationary_distribution() -> None:
    """The paper's form: ρ = ν', so that the visits are ν'/(1-γ)."""
    holds("lemma-4.1/stationary")


def test_concentrability_grows_with_the_agents() -> None:
    """1 ≤ (φ^{m-1})² = ⟨w_m, w_{m-1}⟩ ≤ (φ^m)²."""
    holds("definition-4.4")


def test_closed_form() -> None:
    """F(π⁺) - F(q) = β KL(q‖π⁺) ≥ 0, and KKT."""
    holds("proposition-4.2")


def test_closed_form_where_the_policy_vanishes() -> None:
    """π⁺ stays on the support of π_k."""
    holds("proposition-4.2/support")


def test_averaged_objective() -> None:
    """The σ_k-average is maximised by the pointwise step ..."""
    holds("proposition-4.2/averaged")


def test_averaged_objective_is_blind_where_nothing_goes() -> None:
    """... but not by it alone, where σ_k vanishes."""
    assert fails("proposition-4.2/averaged-unique").violated


def test_a_conic_solver_finds_nothing_better() -> None:
    """Cvxpy's optimum, evaluated exactly, is no better than π⁺ and almost as good."""
    holds("proposition-4.2/solver")
