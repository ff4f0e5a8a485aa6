"""How tight a bound is: the best ratio of its two sides that some exact instance certifies.

The search is the falsifier's.  Of every size the instance whose sides came closest is decided once more, alone and exactly, and
the best of these is the result: smaller side over larger side, at most 1 where the bound holds.  What is printed is a lower
bound of the supremum; how much more effort would find, the curve of ratio against effort suggests, and nothing proves.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..arithmetic.explained import explained
from ..arithmetic.one_instance import one_at_a_time
from ..claims.claim import Claim
from ..claims.coordinates import Sizes
from ..claims.verdict import Evidence, Verdict
from ..errors import ClaimError
from ..games.untrusted import write_whole
from ..papers.registry import claim as find
from .corpus import Corpus
from .evaluate import certify
from .falsify import try_one
from .reports import Progress, Witness, instance_data
from .searched import Searched
from .trial import Trial

CANDIDATES = 4
"""Sizes whose tightest instance is decided once more."""


@dataclass(frozen=True, eq=False)
class Tightness:
    """The tightest certified instance of a bound: ``ratio``, ``sizes``, ``coordinates``, its ``evidence``; None if there is none.

    ``curve`` lists how the ratio grew: instances looked at, best ratio.  A claim that turns out false has a ``witness``.
    """

    claim: Claim
    ratio: float | None
    sizes: Sizes | None
    coordinates: dict[str, Any] | None
    evidence: Evidence | None
    searched: Searched
    curve: tuple[tuple[int, float], ...]
    witness: Witness | None = None

    def as_data(self) -> dict[str, Any]:
        """Plain data: the instance, both sides of every statement, the ratio, the curve and what was searched."""
        if self.sizes is None or self.coordinates is None or self.evidence is None:
            raise ClaimError(
                f"no certified instance of {self.claim.id} has two positive sides, so there is no ratio to write"
            )
        return instance_data(self.claim.id, self.sizes, self.coordinates) | {
            "statement": self.claim.statement,
            "lines": [[entry.expression, _texts(entry.value)] for entry in self.evidence.lines],
            "ratio": self.ratio,
            "curve": [list(point) for point in self.curve],
            "searched": self.searched.as_data(),
        }

    def __repr__(self) -> str:
        if self.witness is not None:
            return f"Tightness({self.claim.id}: false, by an instance of {self.witness.sizes})"
        return f"Tightness({self.claim.id}: {self.ratio}, {self.sizes})"


@explained
@one_at_a_time
def tightness(
    claim: str | Claim,
    profile: str = "quick",
    seed: int = 0,
    progress: Progress | None = None,
    seconds: float | None = None,
) -> Tightness:
    """The best certified ratio of a bound's two sides, with the instance that has it.

    ``profile``, ``seed`` and ``seconds`` are those of :func:`~mappo_verify.checking.falsify.falsify`.  Raises
    :class:`~mappo_verify.errors.ClaimError` for a claim about samples.
    """
    entry, search, _, trial = try_one(
        claim,
        profile,
        seed,
        progress,
        seconds,
        Corpus(),
        instead="so one sample's ratio says nothing; audit it instead",
    )
    best = None if trial.witness is not None else _best(entry, trial)
    ratio, sizes, coordinates, evidence = best or (None, None, None, None)
    return Tightness(entry, ratio, sizes, coordinates, evidence, search.searched, tuple(trial.curve), trial.witness)


@explained
@one_at_a_time
def recheck_tightness(data: dict[str, Any], claim: str | Claim) -> Evidence:
    """Decide the instance of a written result anew; an error where it does not hold, or its ratio is another one."""
    entry = claim if isinstance(claim, Claim) else find(claim)
    sizes = Sizes(data["states"], tuple(data["action_sizes"]), data["steps"])
    coordinates = {name: np.asarray(values, dtype=np.int64) for name, values in data["coordinates"].items()}
    evidence = certify(entry, partial(entry.setting.case, coordinates, sizes))
    if not evidence.holds or evidence.ratio is None or abs(evidence.ratio - data["ratio"]) > 1e-12:
        raise ClaimError(
            f"{entry.id}: the instance gives {evidence!r} with the ratio {evidence.ratio}, not {data['ratio']}"
        )
    return evidence


@explained
def write_tightness(found: Tightness, path: str | Path) -> None:
    """Write the result as JSON."""
    write_whole(path, json.dumps(found.as_data(), ensure_ascii=False, indent=1) + "\n")


def _best(claim: Claim, trial: Trial) -> tuple[float, Sizes, dict[str, Any], Evidence] | None:
    """The best exact ratio among the tightest instances of the sizes that came closest."""
    found = []
    for sizes, (_, coordinates) in sorted(trial.tightest.items(), key=lambda entry: -entry[1][0])[:CANDIDATES]:
        evidence = certify(claim, partial(claim.setting.case, coordinates, sizes))
        if evidence.verdict is Verdict.HOLDS and evidence.ratio is not None:
            found.append((evidence.ratio, sizes, coordinates, evidence))
    return max(found, key=lambda entry: entry[0], default=None)


def _texts(value: Any) -> Any:
    """Exact numbers as text, in the shape of the line."""
    return np.vectorize(str, otypes=[object])(np.asarray(value, dtype=object)).tolist()
