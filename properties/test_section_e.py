"""Section E on trial: the ratio game's landscape, and the published simulation."""

from on_trial import fails, holds


def test_the_value_is_a_ratio() -> None:
    """V_π = Σ π r / Σ π S, for one state and any number of agents."""
    holds("section-e/value")


def test_agent_2_does_not_matter_where_agent_1_plays_evenly() -> None:
    """V(1/2, y) = 5/11."""
    holds("section-e/constant")


def test_the_printed_value() -> None:
    """... which does not round to .46."""
    assert fails("section-e/printed-value").violated


def test_no_policy_with_x_one_half_is_stationary() -> None:
    assert fails("section-e/stationary-policy").violated


def test_the_stationary_point() -> None:
    """Both derivatives vanish at (1/2, -1/11) only."""
    holds("section-e/stationary-point")


def test_agent_1_always_gains_by_its_first_action() -> None:
    holds("section-e/slope")


def test_the_global_maximum() -> None:
    holds("section-e/global-maximum")


def test_no_other_policy_is_stationary() -> None:
    """A linear lower bound of the first-order gain."""
    holds("section-e/constrained-stationary")


def test_the_simulated_update() -> None:
    """Committing to an action is not taking it once."""
    assert fails("section-e/update").violated


def test_how_far_the_simulated_update_is_off() -> None:
    """1/S(a, ·) times too far, for agent 2."""
    holds("section-e/update-scale")


def test_the_simulated_score() -> None:
    """Marginals forget what agent 2 saw."""
    assert fails("section-e/score").violated
