"""Puts the ledgers of several machines together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import CampaignError
from ..papers.registry import claim as find
from .chunk import find_witness
from .ledger import Ledger, naming_damage, only_writer, path_of
from .plan import chunk_size
from .report import CampaignReport, read_campaign
from .versions import formulas

INCIDENTAL = ("seconds", "libraries")
"""What may differ where two machines computed the same chunk."""


def merge_campaigns(target: str | Path, sources: Sequence[str | Path]) -> CampaignReport:
    """A new ledger with every chunk of the given ones, which are of the same seed, claims, instances and formulas.

    A chunk that several of them hold must say the same in each; that is a check of the machines.
    """
    path = path_of(target)
    if not isinstance(sources, (list, tuple)) or not sources:
        raise CampaignError("there is nothing to merge; give the ledgers as a list")
    parts = [path_of(source) for source in sources]
    if path.exists():
        raise CampaignError(f"{path} exists; merge into a new file")
    with ExitStack() as stack:
        opened = [stack.enter_context(Ledger.open(part)) for part in parts]
        stack.enter_context(only_writer(path))
        try:
            with naming_damage(opened[0].path if len(opened) == 1 else path):
                _merge(path, opened)
        except BaseException:  # half of a campaign would look like one
            for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
                path.with_name(name).unlink(missing_ok=True)
            raise
    return read_campaign(path)


def _merge(path: Path, sources: list[Ledger]) -> None:
    first = sources[0]
    about = (first.about("formulas"), first.plan.seed, first.plan.instances)
    for other in sources[1:]:
        others = (other.about("formulas"), other.plan.seed, other.plan.instances)
        for what, one, two in zip(("formulas", "seed", "claims and instances"), about, others, strict=True):
            if one != two:
                raise CampaignError(
                    f"{first.path} and {other.path} have different {what}: they are no parts of one campaign"
                )
    if about[0] != formulas():
        raise CampaignError(f"{first.path} was made with other formulas than those installed; merge with that version")
    with Ledger.begin(path, replace(first.plan, share=(1, 1)), about[0]) as target:
        rows: dict[tuple[str, int], tuple[dict[str, Any], Path]] = {}
        for source in sources:
            for row in source.rows():
                key = (row["claim"], row["chunk"])
                if key in rows:
                    _require_equal(row, source.path, *rows[key])
                    continue
                rows[key] = (row, source.path)
                target.copy(row)
        seed = first.plan.seed
        for claim, (chunk, position) in target.violations().items():
            known = [found for source in sources if (found := source.witnesses().get(claim)) is not None]
            same = [found for found in known if (found.chunk, found.position) == (chunk, position)]
            target.add_witness(same[0] if same else find_witness(seed, claim, chunk, position))


def _require_equal(row: dict[str, Any], path: Path, other: dict[str, Any], other_path: Path) -> None:
    for name, value in row.items():
        if name not in INCIDENTAL and value != other[name]:
            begin = row["chunk"] * chunk_size(find(row["claim"]))
            raise CampaignError(
                f"{path} and {other_path} disagree on {row['claim']}, instances from {begin}: "
                f"{name} is {value!r} and {other[name]!r}; one of the machines computes wrongly"
            )
