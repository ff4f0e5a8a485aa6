"""The model: games, policies, and the order of agents."""

from .game import Game
from .policy import Policy

__all__ = ["Game", "Policy"]
