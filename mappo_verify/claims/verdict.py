"""What is found: verdicts of instances, standings of claims."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arithmetic import FALSE, UNKNOWN, Array, System, Truth, largest
from ..model.tables import html_table, row_text


class Verdict(enum.Enum):
    """Of one instance.  UNKNOWN never counts as passed."""

    HOLDS = "holds"
    VIOLATED = "violated"
    UNDECIDED = "undecided"
    NOT_APPLICABLE = "not applicable"


class Standing(enum.Enum):
    """Of a claim, after a campaign; the laws that give it stand in :mod:`mappo_verify.checking.laws`.

    PROVED: an identity in symbols, or by exact evaluation at random points (Schwartz-Zippel) with a stated error probability,
    for the named sizes; inequalities *modulo* named axioms.  SURVIVED: certified instances only.  SUPPORTED: statistics agree,
    with stated confidence.  OPEN: instances meet the hypotheses, and they raise or stay undecided.  REFUTED: with an exact or
    certified counterexample.  UNTESTED: nothing met the hypotheses; statistics that speak against a claim decide nothing either.
    """

    PROVED = "PROVED"
    SURVIVED = "SURVIVED"
    SUPPORTED = "SUPPORTED"
    OPEN = "OPEN"
    REFUTED = "REFUTED"
    UNTESTED = "UNTESTED"


@dataclass(frozen=True, eq=False)
class StepEvidence:
    """One line against the line before it, or the last line of a chain against its first.

    ``truth`` and ``margin`` have the batch shape.  ``margin`` is ``right - left`` at its smallest for ≤, and
    ``-|left - right|`` at its largest for =, so it is negative exactly where the step is violated.  ``ratios`` is the smaller
    side over the larger side of an inequality at its largest, instance by instance, nan where that says nothing.
    """

    left: str
    relation: str
    right: str
    because: str
    axiom: Any
    truth: Truth
    margin: Array | None
    ratios: Array | None = None
    recognised: Truth | None = None
    """Whether it is an instance of its axiom, hypotheses included; None where it has none."""
    given: Truth | None = None
    """Of a formal proof, whether symbols decide what its axiom takes as given; they need not for it to be recognised."""


def largest_of(ratios: Array | None) -> float | None:
    """The largest number that is one; None if there is none."""
    if ratios is None or not np.isfinite(ratios).any():
        return None
    return float(largest(ratios[np.isfinite(ratios)], 0))


@dataclass(frozen=True, eq=False)
class LineEvidence:
    """One line of the proof with its numbers, and how it follows from the line before it (None for a first line)."""

    expression: str
    value: Any
    where: Any
    step: StepEvidence | None
    computed_by: tuple[str, ...] = ()
    """The functions of :mod:`mappo_verify.quantities` that this line called; what an earlier line called is not repeated."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one case, or one batch of cases, says about a claim.

    ``verdict`` and ``margin`` speak of the statement (first line against last, in every chain); ``broken`` names the first proof
    step that fails, even where the statement survives.  On a batch ``verdict`` is an array of :class:`Verdict`.  On floats every
    verdict is UNDECIDED, and ``suggests`` says what the rounded numbers look like.
    """

    claim: str
    arithmetic: System
    precision: int | None
    verdict: Any
    suggests: Any
    margin: Any
    ratios: Array | None
    lines: tuple[LineEvidence, ...]
    statements: tuple[StepEvidence, ...]
    hypotheses: tuple[tuple[str, Truth], ...]
    broken: StepEvidence | None
    reason: str = ""
    case: Any = None
    raised: str = ""
    """The numeric error that its formulas raised on this instance, and where; empty where they did not."""

    @property
    def holds(self) -> bool:
        """Whether every instance is certified to satisfy the statement."""
        return bool(np.all(np.asarray(self.verdict, dtype=object) == Verdict.HOLDS))

    @property
    def violated(self) -> bool:
        """Whether some instance is certified to violate the statement."""
        return bool(np.any(np.asarray(self.verdict, dtype=object) == Verdict.VIOLATED))

    @property
    def ratio(self) -> float | None:
        """How tight the statement is here: the largest of ``ratios``, over instances and statements."""
        return largest_of(self.ratios)

    def __repr__(self) -> str:
        verdict = self.verdict.value if isinstance(self.verdict, Verdict) else f"{np.size(self.verdict)} verdicts"
        bits = f" at {self.precision} bits" if self.precision else ""
        broken = f", broken at {self.broken.right!r}" if self.broken else ""
        return f"Evidence({self.claim}: {verdict}, margin {self.margin}, {self.arithmetic.value}{bits}{broken})"

    def _repr_html_(self) -> str:
        """In a notebook: the lines of the proof with their numbers, and where it breaks."""
        rows = []
        for entry in self.lines:
            step = entry.step
            truth = None if step is None else np.ravel(step.truth).tolist()
            sign = "" if truth is None else "✗ broken here:" if FALSE in truth else "?" if UNKNOWN in truth else "✓"
            value = "" if callable(entry.value) else row_text(entry.value)
            rows.append(
                (step.relation if step else "", entry.expression, value, f"{sign} {step.because}" if step else "")
            )
        return html_table(repr(self), ("", "line", "value", "because"), rows, len(rows))
