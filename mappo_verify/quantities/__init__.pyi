# The public names of mappo_verify.quantities, in reading order; see the rules in ../__init__.pyi.

# --- What a policy is worth ------------------------------------------------------------------------------------------
from .values import (
    state_values as state_values,
    action_values as action_values,
    advantages as advantages,
    returns as returns,
    lookahead as lookahead,
)
from .certified import value_bounds as value_bounds
from .batched import batched as batched

# --- What each agent contributes -------------------------------------------------------------------------------------
from .agent_values import (
    agent_values as agent_values,
    agent_advantages as agent_advantages,
    subset_values as subset_values,
    subset_advantages as subset_advantages,
)
from .performance_difference import return_difference as return_difference
from .gradients import policy_gradient as policy_gradient, product_gradient as product_gradient
from .sequential import (
    sequential_game as sequential_game,
    sequential_policy as sequential_policy,
    values_by_agent as values_by_agent,
)

# --- Bellman operators -----------------------------------------------------------------------------------------------
from .bellman import bellman_operator as bellman_operator, contraction_factor as contraction_factor

# --- Where a policy goes ---------------------------------------------------------------------------------------------
from .distributions import (
    visits as visits,
    occupancy as occupancy,
    stationary_distribution as stationary_distribution,
    state_action_distribution as state_action_distribution,
)
from .chain import (
    induced_transition as induced_transition,
    induced_reward as induced_reward,
    recurrent_classes as recurrent_classes,
    values_exist as values_exist,
    has_stationary_distribution as has_stationary_distribution,
)

# --- Concentrability -------------------------------------------------------------------------------------------------
from .concentrability import (
    density_ratio as density_ratio,
    dominates as dominates,
    concentrability as concentrability,
    squared_concentrability as squared_concentrability,
)
from .bellman_concentrability import (
    concentrability_of_policy as concentrability_of_policy,
    searched_concentrability as searched_concentrability,
)

# --- Distances and norms ---------------------------------------------------------------------------------------------
from .divergence import (
    kl_divergence as kl_divergence,
    total_variation as total_variation,
    l1_distance as l1_distance,
    sup_norm as sup_norm,
    squared_norm as squared_norm,
)

# --- How a policy improves -------------------------------------------------------------------------------------------
from .mirror_descent import (
    mirror_step as mirror_step,
    mirror_objective as mirror_objective,
    fit_step as fit_step,
    log_linear_step as log_linear_step,
)
from .certified_values import certified_values as certified_values
from .residuals import CertifiedValues as CertifiedValues
from .optimal import optimal as optimal, certify_optimality as certify_optimality
from .equilibria import best_response as best_response, nash_gaps as nash_gaps, nash_policy as nash_policy

# --- Linear critics from data ----------------------------------------------------------------------------------------
from .bellman_error import (
    Moments as Moments,
    moments_of as moments_of,
    population_moments as population_moments,
    state_features as state_features,
    start_features as start_features,
    pessimistic_step as pessimistic_step,
)
from .data import data_moments as data_moments, law_of_data as law_of_data, frequencies as frequencies
from .linear_class import LinearClass as LinearClass
from .constrained_evaluation import (
    constrained_step as constrained_step,
    certify_step as certify_step,
    class_bellman_error as class_bellman_error,
    class_pessimistic_step as class_pessimistic_step,
    Bracket as Bracket,
    GlobalStep as GlobalStep,
)
from .quadratic_program import ConstrainedStep as ConstrainedStep
from .reference_solvers import (
    inner_minimum_by_cvxpy as inner_minimum_by_cvxpy,
    pessimistic_step_by_cvxpy as pessimistic_step_by_cvxpy,
)

# --- Finite classes of critics ---------------------------------------------------------------------------------------
from .finite_class import FiniteClass as FiniteClass, visited_states as visited_states

# --- What libraries estimate -----------------------------------------------------------------------------------------
from .trajectory_targets import (
    td_errors as td_errors,
    gae as gae,
    lambda_returns as lambda_returns,
    n_step_returns as n_step_returns,
    vtrace_targets as vtrace_targets,
    vtrace_advantages as vtrace_advantages,
    importance_weighted_returns as importance_weighted_returns,
    per_decision_returns as per_decision_returns,
)
from .expected_targets import (
    expected_n_step_returns as expected_n_step_returns,
    expected_lambda_returns as expected_lambda_returns,
    expected_gae as expected_gae,
    variance_of_lambda_returns as variance_of_lambda_returns,
)
from .time_limits import (
    limited_values as limited_values,
    limited_visits as limited_visits,
    bootstrapped as bootstrapped,
    not_bootstrapped as not_bootstrapped,
    limited_n_step_returns as limited_n_step_returns,
    limited_lambda_returns as limited_lambda_returns,
    limited_gae as limited_gae,
    variance_of_limited_lambda_returns as variance_of_limited_lambda_returns,
)
from .off_policy import expected_vtrace as expected_vtrace, vtrace_policy as vtrace_policy
from .sequential_factor import sequential_factor as sequential_factor, sequential_gains as sequential_gains
from .counterfactual import counterfactual_advantages as counterfactual_advantages
from .kl_estimators import (
    average_kl as average_kl,
    kl_estimate_k1 as kl_estimate_k1,
    kl_estimate_k2 as kl_estimate_k2,
    kl_estimate_k3 as kl_estimate_k3,
    expected_estimate as expected_estimate,
)
from .surrogates import (
    surrogate_weights as surrogate_weights,
    linear_surrogate as linear_surrogate,
    linear_surrogate_gradient as linear_surrogate_gradient,
    clipped_surrogate as clipped_surrogate,
    clipped_surrogate_gradient as clipped_surrogate_gradient,
    penalised_surrogate as penalised_surrogate,
    penalised_surrogate_gradient as penalised_surrogate_gradient,
    average_entropy as average_entropy,
    entropy_gradient as entropy_gradient,
)
from .natural_gradient import (
    fisher_vector_product as fisher_vector_product,
    fisher_matrix as fisher_matrix,
    fisher_null_space as fisher_null_space,
    natural_gradient as natural_gradient,
)
