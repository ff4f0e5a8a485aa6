# The public names of mappo_verify.quantities, in reading order; see the rules in ../__init__.pyi.

# --- What a policy is worth ------------------------------------------------------------------------------------------
from .values import (
    state_values as state_values,
    action_values as action_values,
    advantages as advantages,
    returns as returns,
    lookahead as lookahead,
)

# --- What each agent contributes -------------------------------------------------------------------------------------
from .agent_values import (
    agent_values as agent_values,
    agent_advantages as agent_advantages,
    subset_values as subset_values,
    subset_advantages as subset_advantages,
)
from .performance_difference import return_difference as return_difference
from .gradients import policy_gradient as policy_gradient
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
from .certified_values import certified_values as certified_values, CertifiedValues as CertifiedValues
from .optimal import optimal as optimal, certify_optimality as certify_optimality
from .equilibria import best_response as best_response, nash_gaps as nash_gaps

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

# --- Finite classes of critics ---------------------------------------------------------------------------------------
from .finite_class import FiniteClass as FiniteClass, visited_states as visited_states
