"""What the piece for one claim consists of: its texts, the sizes that it treats, and how both sides follow from an instance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .files import Instance
from .kernel import Number, require

KINDS = {
    "printed": "the paper states just this",
    "reading": "one of several readings that the paper's words allow",
    "hypothesis": "shows that a hypothesis cannot be dropped",
    "repair": "a repair of what the paper states",
    "beyond": "a statement of this project, not of the paper",
    "simulation": "about the paper's simulation and its numbers",
}
"""What a claim is to the paper."""

Range = tuple[int, int]


@dataclass(frozen=True)
class Comparison:
    """The two sides at the recorded place, in words and as numbers, and the relation that is claimed between them."""

    left: str
    left_value: Number
    relation: str
    right: str
    right_value: Number


@dataclass(frozen=True)
class Claim:
    """One claim.  Of an instance that is larger or smaller than the ranges say, nothing is computed."""

    kind: str
    statement: str
    setting: str
    hypotheses: tuple[str, ...]
    note: str
    agents: Range
    states: Range
    actions: Range
    steps: Range
    compare: Callable[[Instance], Comparison]

    def require_treated(self, instance: Instance) -> None:
        """Reject sizes that this checker does not treat."""
        for what, value, (low, high) in (
            ("states", instance.states, self.states),
            ("agents", len(instance.sizes), self.agents),
            *(("actions of an agent", size, self.actions) for size in instance.sizes),
            ("steps", instance.steps, self.steps),
        ):
            require(low <= value <= high, f"for this claim {value} {what} are not from {low} to {high}")


CLAIMS: dict[str, Claim] = {}


def claim(
    name: str,
    *,
    kind: str,
    statement: str,
    setting: str,
    hypotheses: tuple[str, ...] = (),
    note: str = "",
    agents: Range = (1, 1),
    states: Range = (1, 1),
    actions: Range,
    steps: Range = (1, 1),
) -> Callable[[Callable[[Instance], Comparison]], Callable[[Instance], Comparison]]:
    """Enter the function below as what computes both sides of this claim."""

    def enter(compare: Callable[[Instance], Comparison]) -> Callable[[Instance], Comparison]:
        CLAIMS[name] = Claim(kind, statement, setting, tuple(hypotheses), note, agents, states, actions, steps, compare)
        return compare

    return enter
