# The public names of mappo_verify.algorithms, in reading order; see the rules in ../__init__.pyi.

# --- Algorithm 1 and its relatives -----------------------------------------------------------------------------------
from .multi_agent_ppo import multi_agent_ppo as multi_agent_ppo, ideal_beta as ideal_beta
from .bounded_steps import bounded_steps_ppo as bounded_steps_ppo, AboutCurrent as AboutCurrent
from .constant_step import constant_step as constant_step
from .independent_gradient import independent_gradient as independent_gradient
from .independent_mirror_descent import independent_mirror_descent as independent_mirror_descent
from .shared_parameters import shared_parameters as shared_parameters
from .joint_mirror_descent import joint_mirror_descent as joint_mirror_descent

# --- How the policy is fitted and its values are estimated -----------------------------------------------------------
from .projection_step import StochasticGradient as StochasticGradient, ExactFit as ExactFit
from .critics import (
    ExactCritic as ExactCritic,
    NoisyCritic as NoisyCritic,
    MonteCarloCritic as MonteCarloCritic,
    RegressionCritic as RegressionCritic,
)
from .sampling import SamplingOracle as SamplingOracle

# --- Pessimistic algorithms on offline data (Algorithms 2 and 4) -----------------------------------------------------
from .pessimistic_linear import (
    pessimistic_ppo as pessimistic_ppo,
    pessimistic_ppo_joint as pessimistic_ppo_joint,
    ClassThroughout as ClassThroughout,
    InClass as InClass,
    Unconstrained as Unconstrained,
    statistical_error as statistical_error,
    theorem_penalty as theorem_penalty,
    repaired_penalty as repaired_penalty,
)
from .pessimistic_general import (
    pessimistic_finite as pessimistic_finite,
    pessimistic_finite_joint as pessimistic_finite_joint,
)

# --- Offline data ----------------------------------------------------------------------------------------------------
from .datasets import Population as Population, Samples as Samples, Dataset as Dataset, draw_dataset as draw_dataset

# --- What a run recorded ---------------------------------------------------------------------------------------------
from .trace import Trace as Trace, recompute as recompute, self_consistent_beta as self_consistent_beta
from .pessimistic_trace import PessimisticTrace as PessimisticTrace, pessimistic_quantities as pessimistic_quantities
