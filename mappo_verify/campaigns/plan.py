"""What a campaign is to do, and how it is cut into chunks.

A claim's instances are numbered.  Chunk ``k`` of a claim holds the instances ``k·n, ..., (k+1)·n - 1``; they are drawn by a
generator whose seed is ``(seed, claim, k)``, at the ``k``-th size of the claim's setting, cyclically.  So an instance depends on
nothing but the seed, the claim and its number: not on who evaluates it, when, beside what, or how many are asked for in all.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from ..arithmetic.explained import shown
from ..checking.sampling import Draw, draw, sizes_of
from ..claims.claim import Claim
from ..claims.coordinates import Sizes
from ..errors import CampaignError
from ..papers.registry import claim as find
from ..papers.registry import select

CHUNK = 5_000
"""Instances of a chunk."""
SLOW_CHUNK = 20
"""Instances of a chunk of long runs: of more than :data:`LONG` steps, or of settings whose ``limit`` is below :data:`FEW`."""
LONG, FEW = 50, 10
MOST = 10**12
"""Instances of one claim; more are refused as a slip of the pen."""


@dataclass(frozen=True)
class Task:
    """One chunk: its claim, its number, and how many of its instances count."""

    claim: str
    chunk: int
    instances: int

    def __str__(self) -> str:
        return f"chunk {self.chunk} of {self.claim}"


@dataclass(frozen=True)
class Plan:
    """Seed, instances of each claim, and the share ``(i, n)`` of the chunks: those whose number is ``i - 1`` modulo ``n``."""

    seed: int
    instances: dict[str, int]
    share: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        if not _is_count(self.seed, 0):
            raise CampaignError(f"seed = {shown(self.seed)} is not an integer of at least 0")
        share: Any = self.share
        if not isinstance(share, tuple) or len(share) != 2 or not all(_is_count(n, 1) for n in share):
            raise CampaignError(f"share = {shown(self.share)}; it is (i, n), two integers with i from 1 to n")
        part, parts = self.share
        if part > parts:
            raise CampaignError(f"share = {part}/{parts}; it is i/n with i from 1 to n")
        for claim, count in self.instances.items():
            if not _is_count(count, 1) or count > MOST:
                raise CampaignError(f"{shown(count)} instances of {claim}; ask for 1 to {MOST}")
        _require_decidable([claim for claim in self.instances if find(claim).experiment is not None])

    def tasks(self) -> Iterator[Task]:
        """All chunks of this share: the first of every claim, then the second of every claim, and so on."""
        for row in zip_longest(*(self._of(claim) for claim in select(list(self.instances)))):
            yield from (task for task in row if task is not None)

    def asked(self, claim: Claim) -> int:
        """The instances of a claim in this share."""
        size, total, (part, parts) = chunk_size(claim), self.instances[claim.id], self.share
        chunks = -(-total // size)
        mine = -(-(chunks - part + 1) // parts) if chunks >= part else 0
        short = chunks * size - total if mine and (chunks - part) % parts == 0 else 0
        return mine * size - short

    def instances_of(self, claim: str, chunk: int) -> int:
        """How many instances of this chunk are asked for; 0 for a chunk of none, or of another share."""
        size = chunk_size(find(claim))
        mine = chunk >= 0 and chunk % self.share[1] == self.share[0] - 1
        return max(0, min(size, self.instances[claim] - chunk * size)) if mine else 0

    def _of(self, claim: Claim) -> Iterator[Task]:
        size, total = chunk_size(claim), self.instances[claim.id]
        for chunk in range(self.share[0] - 1, -(-total // size), self.share[1]):
            yield Task(claim.id, chunk, self.instances_of(claim.id, chunk))


def _require_decidable(statistical: list[str]) -> None:
    if statistical:
        raise CampaignError(
            f"{', '.join(statistical)}: such a claim holds with probability 1 - δ, so no instance decides it; audit it instead"
        )


def _is_count(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def plan_of(claims: list[str] | None, instances: int, seed: int, share: tuple[int, int]) -> Plan:
    """The plan for claims by id (a parent means all its parts; None means all); samples alone certify nothing, so none here."""
    chosen = select(claims)
    statistical = [claim.id for claim in chosen if claim.experiment is not None]
    if claims is not None:
        _require_decidable(statistical)
    return Plan(seed, {claim.id: instances for claim in chosen if claim.experiment is None}, share)


def chunk_size(claim: Claim) -> int:
    """How many instances a chunk of this claim holds."""
    setting = claim.setting
    slow = max(setting.steps) > LONG or (setting.limit is not None and setting.limit < FEW)
    return SLOW_CHUNK if slow else CHUNK


def drawn_chunk(claim: Claim, seed: int, chunk: int) -> tuple[Sizes, Draw]:
    """The sizes and all instances of one chunk."""
    every = sizes_of(claim.setting)
    sizes = every[chunk % len(every)]
    generator = np.random.default_rng([seed, zlib.crc32(claim.id.encode()), chunk])
    return sizes, draw(claim.setting, sizes, chunk_size(claim), generator)
