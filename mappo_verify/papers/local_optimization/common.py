"""What the settings and hypotheses of several sections share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...arithmetic import Array, Truth, both
from ...claims.case import Case
from ...claims.coordinates import Sizes


def own_actions(sizes: Sizes) -> tuple[int, ...]:
    """The shape of one row over the actions of the first agent: for settings with one agent and one state."""
    return (sizes.actions[0],)


def both_exist(exists: Callable[[Any, Any], Truth], case: Case) -> Truth:
    """A condition on the game with either policy of a comparison."""
    return both(exists(case.game, case.policy), exists(case.game, case.target))


def total(terms: Sequence[Array]) -> Array:
    """The sum of one or more arrays, in any number system: no float or integer 0 to begin with."""
    return sum(terms[1:], start=terms[0])
