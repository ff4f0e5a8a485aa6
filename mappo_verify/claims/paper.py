"""A paper as data: what it is, and its claims, section by section."""

from __future__ import annotations

from dataclasses import dataclass

from .claim import Claim


@dataclass(frozen=True, eq=False)
class Section:
    """One section of a paper, and its claims in the order in which it states them."""

    title: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, eq=False)
class Paper:
    """A paper on trial.  Everything that pages and tables say about it stands here."""

    title: str
    authors: str
    where: str
    link: str
    sections: tuple[Section, ...]

    @property
    def claims(self) -> tuple[Claim, ...]:
        """All claims, in paper order."""
        return tuple(claim for section in self.sections for claim in section.claims)
