"""Lines of a proof that break where its statement stands: which line, and on which instance.

A statement that no instance violates may still have a proof with an error in it: two lines that are wrong in opposite ways, or
a bound that passes through one which does not hold.  Such a claim is never PROVED, and whoever is told that it was not refuted
is told which line is false, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import FALSE, TRUE
from ..claims.claim import NUMERIC, Claim
from ..claims.coordinates import Sizes
from ..claims.verdict import Evidence, StepEvidence
from .evaluate import Part, certify
from .sampling import instance


@dataclass(frozen=True, eq=False)
class BrokenLine:
    """One line of a proof that is certainly false on one instance, as a walk-through of it shows.

    ``number`` counts the lines of the proof from 1.  ``coordinates`` are the integers that describe the instance; None on a
    given game.
    """

    claim: str
    number: int
    step: StepEvidence
    evidence: Evidence
    sizes: Sizes
    coordinates: Mapping[str, Any] | None

    @property
    def text(self) -> str:
        """Which line, why it was thought to hold, and where it does not."""
        step = self.step
        return f"line {self.number} of the proof is broken: {step.relation} {step.right} ({step.because}); {self.sizes}"

    def as_data(self) -> dict[str, Any]:
        """Plain data: the line, and enough to rebuild the instance."""
        found: dict[str, Any] = {
            "line": self.number,
            "left": self.step.left,
            "relation": self.step.relation,
            "right": self.step.right,
            "because": self.step.because,
            "states": self.sizes.states,
            "action_sizes": list(self.sizes.actions),
            "steps": self.sizes.steps,
        }
        if self.coordinates is not None:
            found["coordinates"] = {name: np.asarray(values).tolist() for name, values in self.coordinates.items()}
        return found


def broken_line(
    claim: Claim, drawn: Mapping[str, Any], sizes: Sizes, found: Sequence[Part] | Evidence
) -> BrokenLine | None:
    """The first line that breaks in what was found about a batch, or about one instance, and where; None if none does."""
    for chosen, evidence in [(np.arange(1), found)] if isinstance(found, Evidence) else found:
        if evidence.broken is None:
            continue
        for place in chosen[_broken_at(evidence)]:
            alone = instance(dict(drawn), int(place))
            try:
                line = broken_line_of(certify(claim, partial(claim.setting.case, alone, sizes)), sizes, alone)
            except NUMERIC:
                continue  # its evidence is counted as raised
            if line is not None:
                return line
    return None


def broken_line_of(evidence: Evidence, sizes: Sizes, coordinates: Mapping[str, Any] | None = None) -> BrokenLine | None:
    """The first line that breaks in the evidence of one instance."""
    for number, entry in enumerate(evidence.lines, 1):
        if entry.step is not None and (np.asarray(entry.step.truth) == FALSE).any():
            return BrokenLine(evidence.claim, number, entry.step, evidence, sizes, coordinates)
    return None


def _broken_at(evidence: Evidence) -> npt.NDArray[np.intp]:
    """The instances on which a step is false, by their place among all that were evaluated."""
    met = np.full(np.size(evidence.verdict), TRUE, np.int8)
    for _, truth in evidence.hypotheses:
        met = np.minimum(met, np.ravel(truth))
    live = np.flatnonzero(met == TRUE)
    false = np.zeros(len(live), bool)
    for entry in evidence.lines:
        if entry.step is not None:
            false |= np.ravel(entry.step.truth) == FALSE
    return np.asarray(live[false])
