# The public names of mappo_verify, in reading order; the namespaces at the end hold the rest.  This file is read twice: by type
# checkers and, when the package is imported, by lazy-loader, which turns each line into an import on first use.  Hence two
# rules: nothing but `from .module import name as name` (the alias is how a stub says "public"), and ASCII only.

__version__: str

# --- Games and policies ----------------------------------------------------------------------------------------------
from .model.game import Game as Game
from .model.policy import Policy as Policy
from .model.features import Features as Features
from .model.time_limit import time_limited as time_limited
from .games.named import named_game as named_game, random_game as random_game
from .games.loading import load_game as load_game
from .games.files import save_game as save_game
from .games.adapters import from_gymnasium as from_gymnasium
from .simulation.trajectories import simulate as simulate
from .simulation.environments import parallel_env as parallel_env, gymnasium_env as gymnasium_env

# --- What a policy is worth ------------------------------------------------------------------------------------------
from .quantities.values import (
    state_values as state_values,
    action_values as action_values,
    returns as returns,
)

# --- What each agent contributes -------------------------------------------------------------------------------------
from .quantities.agent_values import (
    agent_values as agent_values,
    agent_advantages as agent_advantages,
    subset_advantages as subset_advantages,
)
from .quantities.performance_difference import return_difference as return_difference
from .quantities.gradients import policy_gradient as policy_gradient

# --- Where a policy goes ---------------------------------------------------------------------------------------------
from .quantities.distributions import visits as visits, stationary_distribution as stationary_distribution

# --- How a policy improves -------------------------------------------------------------------------------------------
from .quantities.mirror_descent import (
    mirror_step as mirror_step,
)
from .quantities.optimal import optimal as optimal
from .quantities.equilibria import best_response as best_response, nash_gaps as nash_gaps

# --- Runs of an algorithm --------------------------------------------------------------------------------------------
from .runs.plan import Plan as Plan
from .runs.folder import begin_run as begin_run, resume_run as resume_run, load_run as load_run

# --- Claims on trial -------------------------------------------------------------------------------------------------
from .claims.claim import (
    Claim as Claim,
    Kind as Kind,
    line as line,
    equal as equal,
    at_most as at_most,
    at_least as at_least,
)
from .claims.coordinates import Sizes as Sizes
from .claims.case import (
    Case as Case,
    Hypothesis as Hypothesis,
    Ingredient as Ingredient,
)
from .claims.ingredients import (
    GameData as GameData,
    PolicyData as PolicyData,
    Distribution as Distribution,
    Table as Table,
    PositiveScalar as PositiveScalar,
    LogOdds as LogOdds,
    Derived as Derived,
    Counts as Counts,
)
from .claims.settings import (
    Setting as Setting,
)
from .claims.experiment import Experiment as Experiment
from .claims.verdict import Evidence as Evidence, Verdict as Verdict, Standing as Standing
from .checking.campaign import check as check, audit as audit
from .checking.falsify import falsify as falsify
from .checking.explain import explain as explain
from .checking.certificate_files import read_certificate as read_certificate
from .checking.certificate import (
    write_certificate as write_certificate,
    recheck as recheck,
)

# --- Arithmetic for proofs of your own (NumPy's versions of these are unsound on balls) ------------------------------
from .arithmetic.system import System as System
from .arithmetic.functions import (
    like as like,
    choose as choose,
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
from .quantities.divergence import kl_divergence as kl_divergence, squared_norm as squared_norm

# --- Namespaces: everything else, by subject -----------------------------------------------------------------------------
from . import (
    algorithms as algorithms,
    arithmetic as arithmetic,
    axioms as axioms,
    bounds as bounds,
    checking as checking,
    claims as claims,
    conformance as conformance,
    errors as errors,
    games as games,
    quantities as quantities,
    runs as runs,
    simulation as simulation,
)
