"""The falsifier: the search of :mod:`.search` for one claim, with more climbs, until the first counterexample.

A witness is exact; "survived" says what was searched, and how tight the bound got.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..arithmetic.explained import explained
from ..arithmetic.one_instance import one_at_a_time
from ..claims.claim import Claim
from ..claims.verdict import Standing
from ..errors import ClaimError
from ..model.tables import html_table
from ..model.validation import require_seed
from ..papers.registry import claim as find
from .broken import BrokenLine
from .corpus import Corpus
from .laws import standing_of
from .reports import Progress, Tally, Witness
from .search import Effort, Search, require_seconds
from .searched import Searched
from .trial import Crash as Crash
from .trial import Trial, put_on_trial
from .workers import few_collections

EFFORT = {
    "quick": Effort(exact=400, skimmed=5_000, climbs=12, repeats=2, starts=8, generations=30, seconds=300),
    "thorough": Effort(exact=1_000, skimmed=20_000, climbs=200, repeats=16, starts=8, generations=60, seconds=3_600),
}
"""The quick one does what a quick audit does, with the same instances, and then more climbs: it is asked about one claim."""


@dataclass(frozen=True, eq=False)
class Falsification:
    """What a search found: a shrunk ``witness`` or None, the best certified ``ratio``, and what was ``searched``.

    ``crash`` is the first of ``crashed`` instances on which the claim raised an error; the search went on without them.
    """

    claim: Claim
    witness: Witness | None
    ratio: float | None
    tightest: dict[str, Any] | None
    certified: int
    searched: Searched
    undecided: int = 0
    crash: Crash | None = None
    crashed: int = 0
    broken: BrokenLine | None = None
    """A line of the proof that is false on some instance, although no statement was seen to fail."""

    @property
    def standing(self) -> Standing:
        """By the laws of an audit: REFUTED or SURVIVED; OPEN where the claim raised an error, or nothing could be decided.

        UNTESTED where no instance met the hypotheses.
        """
        violated = int(self.witness is not None)
        return standing_of(self.certified, violated, self.undecided, self.crashed, proofs=0, failures=0)

    def __repr__(self) -> str:
        found = f"{self.certified} instances certified"
        if self.crash is not None:
            found += f", {self.crashed} {self.crash.error}"
        if self.witness is not None:
            found = f"smallest counterexample: {self.witness.sizes}"
        elif self.ratio is not None:
            found += f", best left/right {self.ratio:.4g}"
        if self.broken is not None and self.witness is None:
            found += f"; the statement is not refuted, but {self.broken.text}"
        return f"Falsification({self.claim.id}: {self.standing.value}, {found})"

    def _repr_html_(self) -> str:
        """In a notebook: what was found, and the counterexample or the line that breaks, with its numbers."""
        shown = self.witness or self.broken
        return html_table(repr(self), (), ()) + ("" if shown is None else shown.evidence._repr_html_())


def try_one(
    claim: str | Claim,
    profile: str,
    seed: int,
    progress: Progress | None,
    seconds: float | None,
    corpus: Corpus,
    instead: str,
) -> tuple[Claim, Search, Tally, Trial]:
    """The claim, its search, what was counted and what was kept; ``instead`` says what to do with a claim about samples."""
    entry = claim if isinstance(claim, Claim) else find(claim)
    if profile not in EFFORT:
        raise ClaimError(f"unknown profile {profile!r}; use one of {', '.join(EFFORT)}")
    if entry.experiment is not None:
        raise ClaimError(f"{entry.id} holds with probability 1 - δ, {instead}")
    require_seed(seed)
    require_seconds(seconds)
    generator = np.random.default_rng([seed, zlib.crc32(entry.id.encode())])
    tally, search = Tally(), Search(entry, EFFORT[profile], generator, corpus.of(entry), seconds)
    return entry, search, tally, put_on_trial(entry, search, tally, stop=True, progress=progress)


@explained
@one_at_a_time
@few_collections()
def falsify(
    claim: str | Claim,
    profile: str = "quick",
    seed: int = 0,
    progress: Progress | None = None,
    seconds: float | None = None,
    corpus: bool | str | Path = True,
) -> Falsification:
    """Search for a counterexample to ``claim`` (an id, or a claim of your own): known ones, drawn ones, then by climbing.

    The first certified violation is shrunk and returned at once.  An error that the claim's formulas raise on some instance ends
    nothing: that instance is kept as ``crash``.  ``seconds`` is a time limit, ``corpus`` says which known counterexamples are
    decided first, both as in :func:`~mappo_verify.checking.campaign.audit`.
    """
    kept = Corpus.of_choice(corpus)
    entry, search, tally, trial = try_one(
        claim, profile, seed, progress, seconds, kept, instead="so one bad sample refutes nothing; audit it instead"
    )
    kept.keep(trial.witness)
    tightest = None
    if trial.tightest and trial.witness is None:
        sizes = max(trial.tightest, key=lambda one: trial.tightest[one][0])
        tightest = {"states": sizes.states, "action_sizes": list(sizes.actions), "steps": sizes.steps}
    return Falsification(
        entry,
        trial.witness,
        tally.ratio if trial.witness is None else trial.witness.evidence.ratio,
        tightest,
        tally.holds,
        search.searched,
        tally.undecided,
        trial.crash,
        trial.crashed,
        tally.broken_line,
    )
