# The public names of mappo_verify, in reading order.  This file is read twice: by type checkers and, when the package is
# imported, by lazy-loader, which turns each line into an import on first use.  Hence two rules: nothing but
# `from .module import name as name` (the alias is how a stub says "public"), and ASCII only.

__version__: str

# --- Games and policies ---------------------------------------------------------------------------------------------
from .model.game import Game as Game
from .model.policy import Policy as Policy
from .games.named import named_game as named_game, random_game as random_game
from .games.loading import load_game as load_game, resolve_game as resolve_game
from .games.files import save_game as save_game
from .games.continuing import restarted as restarted
from .games.adapters import from_gymnasium as from_gymnasium

# --- What a policy is worth -----------------------------------------------------------------------------------------
from .quantities.values import (
    state_values as state_values,
    action_values as action_values,
    advantages as advantages,
    returns as returns,
    lookahead as lookahead,
)

# --- What each agent contributes ------------------------------------------------------------------------------------
from .quantities.agent_values import (
    agent_values as agent_values,
    agent_advantages as agent_advantages,
    subset_values as subset_values,
    subset_advantages as subset_advantages,
)
from .quantities.bellman import bellman_operator as bellman_operator, contraction_factor as contraction_factor
from .quantities.performance_difference import return_difference as return_difference

# --- Where a policy goes --------------------------------------------------------------------------------------------
from .quantities.distributions import (
    visits as visits,
    occupancy as occupancy,
    stationary_distribution as stationary_distribution,
    state_action_distribution as state_action_distribution,
)
from .quantities.chain import (
    induced_transition as induced_transition,
    induced_reward as induced_reward,
    recurrent_classes as recurrent_classes,
    values_exist as values_exist,
    has_stationary_distribution as has_stationary_distribution,
)
from .quantities.concentrability import (
    density_ratio as density_ratio,
    dominates as dominates,
    concentrability as concentrability,
    squared_concentrability as squared_concentrability,
)

# --- Distances and norms --------------------------------------------------------------------------------------------
from .quantities.divergence import (
    kl_divergence as kl_divergence,
    total_variation as total_variation,
    l1_distance as l1_distance,
    sup_norm as sup_norm,
    squared_norm as squared_norm,
)

# --- How a policy improves ------------------------------------------------------------------------------------------
from .quantities.mirror_descent import (
    mirror_step as mirror_step,
    mirror_objective as mirror_objective,
    fit_step as fit_step,
    log_linear_step as log_linear_step,
)
from .quantities.optimal import optimal as optimal, certify_optimality as certify_optimality
from .quantities.sequential import (
    sequential_game as sequential_game,
    sequential_policy as sequential_policy,
    values_by_agent as values_by_agent,
)

from .quantities.gradients import policy_gradient as policy_gradient
from .quantities.equilibria import best_response as best_response, nash_gaps as nash_gaps

# --- Evaluating from data -------------------------------------------------------------------------------------------
from .quantities.bellman_error import (
    Moments as Moments,
    moments_of as moments_of,
    population_moments as population_moments,
    state_features as state_features,
    start_features as start_features,
    pessimistic_step as pessimistic_step,
)
from .quantities.linear_class import LinearClass as LinearClass
from .quantities.bellman_concentrability import (
    concentrability_of_policy as concentrability_of_policy,
    searched_concentrability as searched_concentrability,
)
from .quantities.quadratic_program import ConstrainedStep as ConstrainedStep
from .quantities.constrained_evaluation import (
    constrained_step as constrained_step,
    certify_step as certify_step,
    class_bellman_error as class_bellman_error,
    class_pessimistic_step as class_pessimistic_step,
    Bracket as Bracket,
    GlobalStep as GlobalStep,
)
from .quantities.data import (
    law_of_data as law_of_data,
    frequencies as frequencies,
    data_moments as data_moments,
)
from .quantities.finite_class import FiniteClass as FiniteClass, visited_states as visited_states

# --- Algorithms -----------------------------------------------------------------------------------------------------
from .model.features import Features as Features
from .algorithms.multi_agent_ppo import multi_agent_ppo as multi_agent_ppo, ideal_beta as ideal_beta
from .algorithms.constant_step import constant_step as constant_step
from .algorithms.independent_gradient import independent_gradient as independent_gradient
from .algorithms.independent_mirror_descent import independent_mirror_descent as independent_mirror_descent
from .algorithms.shared_parameters import shared_parameters as shared_parameters
from .algorithms.joint_mirror_descent import joint_mirror_descent as joint_mirror_descent
from .algorithms.improvement_solver import StochasticGradient as StochasticGradient, ExactFit as ExactFit
from .algorithms.critics import (
    ExactCritic as ExactCritic,
    NoisyCritic as NoisyCritic,
    MonteCarloCritic as MonteCarloCritic,
    RegressionCritic as RegressionCritic,
)
from .algorithms.sampling import SamplingOracle as SamplingOracle
from .games.offline import (
    OfflineProblem as OfflineProblem,
    tabular_problem as tabular_problem,
    two_agent_gap as two_agent_gap,
    two_agent_classes as two_agent_classes,
    one_agent_gap as one_agent_gap,
)
from .algorithms.datasets import (
    Population as Population,
    Samples as Samples,
    Dataset as Dataset,
    draw_dataset as draw_dataset,
)
from .algorithms.pessimistic_linear import (
    pessimistic_ppo as pessimistic_ppo,
    pessimistic_ppo_joint as pessimistic_ppo_joint,
    ClassThroughout as ClassThroughout,
    InClass as InClass,
    Unconstrained as Unconstrained,
    statistical_error as statistical_error,
    theorem_price as theorem_price,
    repaired_price as repaired_price,
)
from .algorithms.pessimistic_general import (
    pessimistic_finite as pessimistic_finite,
    pessimistic_finite_joint as pessimistic_finite_joint,
)
from .algorithms.pessimistic_trace import (
    PessimisticTrace as PessimisticTrace,
    pessimistic_quantities as pessimistic_quantities,
)
from .algorithms.trace import Trace as Trace, recompute as recompute, self_consistent_beta as self_consistent_beta

# --- Runs that outlive an interruption ----------------------------------------------------------------------------------
from .runs.storage import Store as Store
from .runs.plan import Plan as Plan
from .runs.folder import begin_run as begin_run, resume_run as resume_run, load_run as load_run

# --- Claims on trial ------------------------------------------------------------------------------------------------
from .claims.claim import (
    Claim as Claim,
    Kind as Kind,
    line as line,
    equal as equal,
    at_most as at_most,
    at_least as at_least,
)
from .claims.settings import (
    Setting as Setting,
    Sizes as Sizes,
    Case as Case,
    Hypothesis as Hypothesis,
    GameData as GameData,
    PolicyData as PolicyData,
    Distribution as Distribution,
    Table as Table,
    PositiveScalar as PositiveScalar,
    LogOdds as LogOdds,
    Derived as Derived,
    Counts as Counts,
)
from .claims.experiment import Experiment as Experiment
from .claims.verdict import Evidence as Evidence, Verdict as Verdict, Standing as Standing
from .checking.campaign import check as check, audit as audit
from .checking.monte_carlo import Statistics as Statistics, Interval as Interval
from .checking.falsify import falsify as falsify
from .checking.explain import explain as explain
from .checking.doctor import diagnose as diagnose
from .checking.certificate import (
    certificate_of as certificate_of,
    write_certificate as write_certificate,
    read_certificate as read_certificate,
    recheck as recheck,
)

# --- Arithmetic for formulas of your own (NumPy's versions of these are unsound on balls) -------------------------------
from .arithmetic.system import (
    System as System,
    like as like,
    lift as lift,
    contract as contract,
    divide as divide,
    exp as exp,
    log as log,
    xlogy as xlogy,
    sqrt as sqrt,
    square as square,
    absolute as absolute,
    maximum as maximum,
    minimum as minimum,
    largest as largest,
    smallest as smallest,
    compare as compare,
)

# --- What can go wrong ----------------------------------------------------------------------------------------------
from .errors import (
    MappoVerifyError as MappoVerifyError,
    GameError as GameError,
    MixedArithmeticError as MixedArithmeticError,
    ExactnessError as ExactnessError,
    UndecidedError as UndecidedError,
    SingularError as SingularError,
    SolverError as SolverError,
    InterruptedRunError as InterruptedRunError,
    InfeasibleError as InfeasibleError,
    FileError as FileError,
    RunError as RunError,
    ClaimError as ClaimError,
)
