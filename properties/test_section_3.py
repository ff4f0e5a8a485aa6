"""Section 3 on trial: values, the agents' action values, their Bellman operators, single-agent mirror descent."""

from on_trial import fails, holds


def test_values_visits_and_occupancy() -> None:
    """V = r_π + γP_πV = E_π Q;  J = ρV = d r_π;  d = ρ + γ d P_π."""
    holds("section-3.1")


def test_occupancy_is_a_distribution() -> None:
    """d_π ≥ 0 sums to 1 where nothing terminates."""
    holds("section-3.1/occupancy")


def test_stationary_distribution() -> None:
    """ν P_π = ν, and ν sums to 1."""
    holds("section-3.1/stationary")


def test_optimal_values() -> None:
    """No policy is worth more than V_*, which solves Bellman's optimality equation."""
    holds("section-3.1/optimal")


def test_agent_values_four_ways() -> None:
    """Q^{1:m} by expectation, by marginalisation, as a fixed point, and in the sequential game."""
    holds("definition-3.1")


def test_readings_agree_for_product_policies() -> None:
    """Conditioning on a^P and clamping a^P are one thing if agents are independent."""
    holds("definition-3.1/product-readings")


def test_readings_differ_for_conditional_policies() -> None:
    """... and two things if they are not: two agents suffice."""
    assert fails("definition-3.1/conditional-readings").violated


def test_fixed_point_and_intertwining() -> None:
    """T^{1:m} Q^{1:m} = Q^{1:m}, and averaging before or after T is the same."""
    holds("definition-3.2")


def test_lipschitz() -> None:
    """‖Tf - Tg‖ ≤ γ max P(S|s,a) ‖f - g‖."""
    holds("definition-3.2/lipschitz")


def test_fixed_point_is_unique() -> None:
    """Solving f = Tf as a linear system gives Q^{1:m}."""
    holds("definition-3.2/uniqueness")


def test_without_discount_it_is_not() -> None:
    """γ = 1 without termination: with f, f + 1 is a fixed point."""
    holds("definition-3.2/no-discount")


def test_equation_1_is_the_ideal_update() -> None:
    """Ascending along Q̂ or along Â gives the same step."""
    holds("equation-1")


def test_the_fit_makes_the_ideal_update_if_realizable() -> None:
    """Least squares recovers w from Q̂/β = φᵀw."""
    holds("equation-1/realizable-fit")


def test_the_fit_does_not_in_general() -> None:
    """One feature, two actions: the fitted policy is another one."""
    assert fails("equation-1/any-fit").violated
