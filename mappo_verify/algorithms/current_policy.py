"""The policy of an iteration on its game: what critics estimate, and what the next policy starts from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..arithmetic import Array
from ..model import Game, Policy
from ..quantities.distributions import state_action_distribution, stationary_distribution, visits


@dataclass(frozen=True, eq=False)
class CurrentPolicy:
    """``π_k`` on its game, with the distributions of iteration ``k``, computed when first asked for."""

    game: Game
    policy: Policy

    @cached_property
    def states(self) -> Array:
        """``ν_k``, shape ``[..., S]``."""
        return stationary_distribution(self.game, self.policy)

    @cached_property
    def visits(self) -> Array:
        """``d^{π_k}_ρ`` from the game's start, shape ``[..., S]``."""
        return visits(self.game, self.policy)

    def weights(self, m: int) -> Array:
        """``σ_k = ν_k π_k^{1:m}`` over ``(s, a^{1:m})``, shape ``[..., S, |A_1|···|A_m|]``."""
        return state_action_distribution(self.states, self.policy, m)
