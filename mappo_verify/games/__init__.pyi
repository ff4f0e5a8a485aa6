# The public names of mappo_verify.games, in reading order; see the rules in ../__init__.pyi.

# --- Games -----------------------------------------------------------------------------------------------------------
from .named import named_game as named_game, random_game as random_game
from .loading import load_game as load_game, resolve_game as resolve_game
from .files import save_game as save_game
from .continuing import restarted as restarted
from .adapters import from_gymnasium as from_gymnasium

# --- Offline problems ------------------------------------------------------------------------------------------------
from .offline import (
    OfflineProblem as OfflineProblem,
    tabular_problem as tabular_problem,
    theorem_5_5_two_agents as theorem_5_5_two_agents,
    theorem_d_7_classes as theorem_d_7_classes,
    theorem_5_5_one_agent as theorem_5_5_one_agent,
)
