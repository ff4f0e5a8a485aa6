"""What the settings and hypotheses of several sections share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from typing import Any, TypeVar

from ...arithmetic import Array, Truth, both
from ...axioms import Axiom
from ...claims.case import Case
from ...claims.coordinates import Sizes


def own_actions(sizes: Sizes) -> tuple[int, ...]:
    """The shape of one row over the actions of the first agent: for settings with one agent and one state."""
    return (sizes.actions[0],)


def both_exist(exists: Callable[[Any, Any], Truth], case: Case) -> Truth:
    """A condition on the game with either policy of a comparison."""
    return both(exists(case.game, case.policy), exists(case.game, case.target))


Term = TypeVar("Term", Array, Axiom)


def total(terms: Sequence[Term]) -> Term:
    """The sum of one or more arrays, in any number system, or axioms: no float or integer 0 to begin with."""
    return reduce(add, terms)
