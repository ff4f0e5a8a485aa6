"""A game as an environment of PettingZoo (several agents) or Gymnasium (one).

Agents see the state, an integer; after termination they see ``game.states``, which is no state of the game.  A time limit
truncates.  Every agent earns the reward of the team.  The environments draw from the generator that their own
``reset(seed=...)`` makes.  Where actions are unavailable, ``info["action_mask"]`` has the agent's mask.

>>> import mappo_verify as mv
>>> env = parallel_env(mv.named_game("climbing").with_discount(0))
>>> observations, _ = env.reset(seed=0)
>>> observations, env.possible_agents
({'agent_1': 0, 'agent_2': 0}, ['agent_1', 'agent_2'])
>>> env.step({"agent_1": 0, "agent_2": 0})[1]
{'agent_1': 11.0, 'agent_2': 11.0}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arithmetic.explained import explained
from ..errors import GameError
from ..model import Game
from ..model.time_limit import TimeLimited

if TYPE_CHECKING:
    from .gymnasium_environment import GameEnvironment
    from .pettingzoo_environment import GameParallelEnvironment


@explained
def parallel_env(game: Game | TimeLimited, start: Any = None) -> GameParallelEnvironment:
    """A PettingZoo ``ParallelEnv`` that plays ``game``, with the agents ``agent_1``, ..., ``agent_N``.

    One game, in any number system that has floats, with a start distribution (or ``start=``, ``[S]``).  The environment is
    unwrapped and passes PettingZoo's ``parallel_api_test``.  Needs ``pip install 'mappo-verify[pettingzoo]'``.
    """
    try:
        from .pettingzoo_environment import GameParallelEnvironment
    except ImportError as error:
        raise GameError(f"{error}; parallel_env needs pip install 'mappo-verify[pettingzoo]'") from error
    return GameParallelEnvironment(game, start)


@explained
def gymnasium_env(game: Game | TimeLimited, start: Any = None) -> GameEnvironment:
    """A Gymnasium ``Env`` that plays a game of one agent; ``game.as_single_agent()`` makes one of any game.

    One game, in any number system that has floats, with a start distribution (or ``start=``, ``[S]``).  It carries its table
    ``P``, so that :func:`~mappo_verify.games.adapters.from_gymnasium` reads the game back, and passes Gymnasium's ``check_env``.
    Needs ``pip install 'mappo-verify[gym]'``.
    """
    agents = (game.game if isinstance(game, TimeLimited) else game).agents
    if agents != 1:
        raise GameError(
            f"Gymnasium has one agent and this game {agents}; use game.as_single_agent(), or parallel_env(game)"
        )
    try:
        from .gymnasium_environment import GameEnvironment
    except ImportError as error:
        raise GameError(f"{error}; gymnasium_env needs pip install 'mappo-verify[gym]'") from error
    return GameEnvironment(game, start)
