"""What a search looked at, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..claims.coordinates import Sizes


@dataclass
class Searched:
    """What a search looked at: instances by what became of them, sizes, ranges of numbers, and time."""

    limit: float = 0.0
    known: int = 0
    drawn: int = 0
    evaluated: int = 0
    climbed: int = 0
    certified: int = 0
    undecided: int = 0
    raised: int = 0
    not_applicable: int = 0
    sizes: list[Sizes] = field(default_factory=list)
    declared: int = 0
    ranges: dict[str, tuple[int, int]] = field(default_factory=dict)
    seconds: float = field(default=0.0, compare=False)
    cut_short: bool = False

    @property
    def left_open(self) -> int:
        """Instances that came beside those that are decided, to enclosures alone, or too late: neither for nor against."""
        told = self.certified + self.undecided + self.raised + self.not_applicable
        return max(0, self.known + self.drawn - told)

    def numbers(self) -> str:
        """The ranges of the integers that described the instances, in one sentence."""
        ranges = [f"{name} {low:,} to {high:,}" for name, (low, high) in self.ranges.items()]
        return f"numbers tried: {', '.join(ranges)}"

    def text(self) -> str:
        """One sentence."""
        sizes = f"{len(self.sizes)} of {self.declared:,} declared sizes"
        parts = [
            f"{self.known} known counterexample{'s' * (self.known > 1)}" if self.known else "",
            f"{self.drawn:,} instances drawn",
            f"{self.evaluated:,} scored in floats ({self.climbed} climbs)" if self.evaluated else "",
            f"{self.certified:,} certified",
            f"{self.not_applicable:,} not applicable" if self.not_applicable else "",
            f"{self.undecided:,} undecided" if self.undecided else "",
            f"{self.raised:,} raised" if self.raised else "",
            f"{self.left_open:,} left open by enclosures" if self.left_open else "",
            sizes,
            f"stopped by the time limit of {self.limit:g} s" if self.cut_short else "",
        ]
        return ", ".join(part for part in parts if part)

    def as_data(self) -> dict[str, Any]:
        """Plain data without the time, the same for the same seed; ranges are pairs, and ``text`` is the sentence."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "seconds"}
        plain["sizes"] = [str(sizes) for sizes in self.sizes]
        plain["ranges"] = {name: list(pair) for name, pair in self.ranges.items()}
        return plain | {"text": self.text()}
