"""A paper as data: what it is, the statements that it prints, and the claims that put them on trial, section by section."""

from __future__ import annotations

from dataclasses import dataclass

from .claim import Claim


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement that a paper prints: a definition, lemma, theorem, or what a section claims.

    Its parts are the claims whose :attr:`~mappo_verify.claims.claim.Claim.parent` is ``id``.  No verdict stands here: it is
    computed from theirs.

    Parameters
    ----------
    id : str
        ``theorem-4.5``, as the claims spell it.
    name, title : str
        ``Theorem 4.5``, and what it says in a few words.
    why : str
        Of one that fails or needs more than it prints: what goes wrong, as the rest of a sentence.
    yet : str
        What remains true, as a sentence; said wherever its refutation is shown.
    answer : str
        What a defender of the paper would say, and how far the verdict stands.
    """

    id: str
    name: str
    title: str
    why: str = ""
    yet: str = ""
    answer: str = ""


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
    statements: tuple[Statement, ...] = ()

    @property
    def claims(self) -> tuple[Claim, ...]:
        """All claims, in paper order."""
        return tuple(claim for section in self.sections for claim in section.claims)
