"""Counterexamples that were found before: the certificates that come with the toolkit, decided anew.

A search that is cut short may end with a larger counterexample than one that is known.  An audit shows the smallest known one
everywhere, so it looks through the certificates of a refuted claim too; nothing in their files is trusted but the integers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..claims.claim import Claim
from ..claims.coordinates import Sizes
from ..papers.registry import CLAIMS
from .certificate_files import read_certificate

Instance = tuple[Sizes, dict[str, Any]]


def certificates_folder() -> Path:
    """The certificates and their checker: in the package, or in the checkout around it."""
    package = Path(__file__).parent.parent
    return next(place for place in (package / "certificates", package.parent / "certificates") if place.is_dir())


def smaller_instances(claim: Claim, sizes: Sizes) -> Iterator[Instance]:
    """The known violated instances of a registered claim that are smaller than ``sizes``, the smallest first."""
    if claim not in CLAIMS:
        return
    files = certificates_folder().glob(f"{claim.id.replace('/', '-')}*.json")
    found = [read_certificate(file) for file in sorted(files)]
    own = sorted((entry for entry in found if entry.claim == claim.id), key=lambda entry: _size(entry.sizes))
    for entry in own:
        if _size(entry.sizes) < _size(sizes):
            yield entry.sizes, {name: np.asarray(values, np.int64) for name, values in entry.coordinates.items()}


def _size(sizes: Sizes) -> tuple[int, int, int]:
    """Steps, states, joint actions: what makes a counterexample long to read."""
    return sizes.steps, sizes.states, math.prod(sizes.actions)
