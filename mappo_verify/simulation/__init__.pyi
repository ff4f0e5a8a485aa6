# The public names of mappo_verify.simulation, in reading order; see the rules in ../__init__.pyi.

# --- Rollouts --------------------------------------------------------------------------------------------------------
from .trajectories import Trajectories as Trajectories, simulate as simulate, stream as stream

# --- Environments of other libraries ---------------------------------------------------------------------------------
from .environments import parallel_env as parallel_env, gymnasium_env as gymnasium_env
