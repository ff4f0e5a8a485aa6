"""POMDP files (``.pomdp``) of Cassandra's format, read with full observability: decision processes of one agent, exactly.

The format is that of ``pomdp-solve``, which ``.dpomdp`` extends (:mod:`~mappo_verify.games.dpomdp`, whose rules on rounding,
missing rows and rewards of observations hold here too).  What differs: there is one agent and no ``agents:`` line, no colon
stands before the numbers, a line may break anywhere, and a file without ``start:`` starts anywhere alike::

    T: action : state : next state   probability        or a row after the state, or a matrix after the action
    R: action : state : next state : observation   reward

A fully observable file (an MDP) has no observations, and its ``R`` lines may leave them out.
"""

from __future__ import annotations

from fractions import Fraction

from ..arithmetic import Array
from ..model import Game
from .dpomdp import Reader
from .dpomdp_declarations import Names, Section
from .untrusted import PathLike, chosen_discount, read_bytes


def load_pomdp(path: PathLike, discount: int | str | Fraction | None = None) -> Game:
    """The one-agent game in a ``.pomdp`` or ``.pomdp.gz`` file, over the rationals; ``discount`` replaces the file's own.

    The agent is taken to see the state.  Raises :class:`~mappo_verify.errors.FileError` naming the file, the line and the value.
    """
    chosen = chosen_discount(discount)
    return _SingleReader(path, read_bytes(path)).game(chosen)


class _SingleReader(Reader):
    """The tables of one ``.pomdp`` file."""

    def _agents(self) -> int:
        if "agents" in self.header:
            self.fail(self.header["agents"].line, "a .pomdp file has one agent and no 'agents:'; is it a .dpomdp file?")
        return 1

    def _per_agent(self, keyword: str, agents: int) -> list[Names]:
        """All words of the declaration belong to the one agent."""
        if keyword == "observations" and keyword not in self.header:
            return [Names(1, None)] * agents
        return [self._names(self._tokens(keyword), keyword[:-1])]

    def _start(self) -> Array:
        return super()._start() if "start" in self.header else self._uniform_over(range(self.states.size))

    def _fields(self, section: Section, axes: int) -> list[list[tuple[int, str]]]:
        """What stands between the colons; of what follows the last one, the first word is an address and the rest are numbers."""
        fields: list[list[tuple[int, str]]] = [[]]
        for line, text in section.rows:
            first, *more = text.split(":", axes + 1)
            if first and not first.isspace():
                fields[-1].append((line, first))
            fields += [[(line, part)] if part and not part.isspace() else [] for part in more]
            if len(fields) > axes:
                break  # too many addresses, whatever follows
        last = fields.pop()
        if not last:
            return [*fields, [], []]
        (line, text), *rows = last
        word, *numbers = text.split(None, 1)
        return [*fields, [(line, word)], [*((line, part) for part in numbers), *rows]]
