from .model import Game, Policy
from .quantities.values import *
from .quantities.agent_values import *
from .quantities.bellman import *
from .quantities.distributions import *
from .quantities.performance_difference import *
from .quantities.mirror_descent import *
from .quantities.optimal import *
from .games.named import *
