"""Counterexamples that were found before: they are decided anew before a search draws anything.

Those of registered claims are the certificates that come with the package.  A user's claims have a folder, if the user names
one: a file for each counterexample, written when it is found.  A file is no evidence; the instance in it is, once it is decided.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..claims.claim import Claim
from ..claims.coordinates import Sizes
from ..errors import FileError
from ..games.untrusted import closed_place, read_json, shown, write_whole
from .certificate_files import read_certificate
from .certificate_limits import instance_complaint
from .reports import Witness

MAX_BYTES = 1_000_000
"""No file of a user's corpus is larger."""
Instance = tuple[Sizes, dict[str, Any]]


@dataclass(frozen=True)
class Corpus:
    """Where known counterexamples come from, and where new ones go."""

    shipped: bool = True
    folder: Path | None = None

    @classmethod
    def of_choice(cls, corpus: bool | str | Path) -> Corpus:
        """True: those of the package; False: none; a folder: those of the package and of the folder."""
        if isinstance(corpus, bool):
            return cls(corpus)
        folder = Path(corpus)
        try:
            os.stat(folder)  # noqa: PTH116 - Path.exists is silent about names that no folder can have
        except FileNotFoundError:
            if closed := closed_place(folder):
                raise FileError(f"the corpus {folder} cannot be made in {closed}; name another") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise FileError(f"the corpus {shown(str(folder))} cannot be read: {reason}; name another") from None
        else:
            if not folder.is_dir():
                raise FileError(f"the corpus {folder} is not a folder; name one, which is made if it is not there")
        return cls(True, folder)

    def of(self, claim: Claim) -> list[Instance]:
        """The known instances of a claim."""
        return known(claim, self.folder) if self.shipped else []

    def keep(self, witness: Witness | None) -> None:
        """Write a counterexample into the folder, if there is one."""
        if self.folder is not None and witness is not None:
            keep(self.folder, witness)


def known(claim: Claim, folder: Path | None = None) -> list[Instance]:
    """The instances of a claim that were counterexamples once, simplest first; those of a user's folder last."""
    shipped = [(c.sizes, _arrays(c.coordinates)) for c in _shipped().get(claim.id, ())]
    own = list(_stored(claim, folder)) if folder is not None else []
    fitting = [(s, c) for s, c in shipped if not instance_complaint(claim, s, _lists(c))]
    return sorted(fitting, key=_cost) + sorted(own, key=_cost)


def keep(folder: Path, witness: Witness) -> Path:
    """Write a counterexample into a user's folder; the same one is written once."""
    text = json.dumps(witness.as_data(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    name = f"{witness.claim.replace('/', '-')}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / name, text)
    except OSError as error:
        raise FileError(f"the corpus {folder} cannot be written: {error.strerror or error}") from None
    return folder / name


def certificates_folder() -> Path | None:
    """The certificates and their checker: in the package, or in the checkout around it; None in a copy without them."""
    package = Path(__file__).parent.parent
    return next(
        (place for place in (package / "certificates", package.parent / "certificates") if place.is_dir()), None
    )


@cache
def _shipped() -> dict[str, list[Any]]:
    """The package's certificates by claim."""
    found: dict[str, list[Any]] = {}
    folder = certificates_folder()
    for path in sorted(folder.glob("*.json")) if folder is not None else ():
        certificate = read_certificate(path)
        found.setdefault(certificate.claim, []).append(certificate)
    return found


def _stored(claim: Claim, folder: Path) -> Iterator[Instance]:
    """What a user's folder holds about a claim; a file that is none, or that does not fit the claim any more, is an error."""
    for path in sorted(folder.glob(f"{claim.id.replace('/', '-')}-*.json")):
        try:
            given = read_json(path, MAX_BYTES)
            if given["claim"] != claim.id:
                continue  # another claim, whose id begins alike
            sizes = Sizes(int(given["states"]), tuple(int(n) for n in given["action_sizes"]), int(given["steps"]))
            coordinates = dict(given["coordinates"])
        except FileError:
            raise
        except (ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
            raise FileError(f"{path} is no stored counterexample ({type(error).__name__}: {error})") from None
        complaint = instance_complaint(claim, sizes, coordinates)
        if complaint:
            raise FileError(f"{path} does not fit the claim any more ({complaint}); delete it if the claim has changed")
        yield sizes, _arrays(coordinates)


def _arrays(coordinates: dict[str, Any]) -> dict[str, Any]:
    return {name: np.asarray(values, dtype=np.int64) for name, values in coordinates.items()}


def _lists(coordinates: dict[str, Any]) -> dict[str, Any]:
    return {name: values.tolist() for name, values in coordinates.items()}


def _cost(entry: Instance) -> tuple[int, int]:
    sizes, coordinates = entry
    size = sizes.states * int(np.prod(sizes.actions)) * sizes.steps
    return size, sum(int(np.abs(values).sum()) for values in coordinates.values())
