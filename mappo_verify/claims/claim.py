"""A claim is an executable proof.

A proof is a generator over a case.  It yields *lines*: an expression, its value, how it relates to the line before, and why.
:func:`line` begins a chain; :func:`equal`, :func:`at_most` and :func:`at_least` continue it.  The first line of a chain against
its last is a statement; every step between is checked too, so a proof that breaks is caught at the line where it breaks.

>>> import mappo_verify as mv
>>> def total_reward(case):
...     yield line("Σ_a r(s, a)", case.game.reward.sum(-1))
...     yield at_most("|A| max_a r(s, a)", case.game.actions * mv.largest(case.game.reward), because="a mean is below a maximum")
>>> claim = Claim("mine", "A sum is at most the number of terms times the largest", "folklore",
...               mv.Setting("a game", (mv.GameData("game"),)), total_reward)
>>> mv.check(claim, game=mv.named_game("climbing")).verdict.value
'holds'
"""

from __future__ import annotations

import enum
import inspect
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arithmetic import Numbers, System
from ..arithmetic.explained import called
from ..arithmetic.formulas import of_a_run
from ..arithmetic.numbers import bare, same_formula
from ..arithmetic.one_instance import Truth
from ..axioms import Axiom
from ..errors import ClaimError, FormulaError, GameError, MappoVerifyError, Sealed, SolverError, require_printable
from .along_runs import Join, along_runs
from .coordinates import EVERY, Sizes
from .general import General
from .induction import Summed
from .settings import Setting

if TYPE_CHECKING:
    from .case import Case, Hypothesis
    from .experiment import Experiment
    from .verdict import Standing

RELATIONS = ("=", "≤", "≥")


class Kind(enum.Enum):
    """What a claim is to the paper on trial.

    PRINTED: the paper states just this.  READING: one of several that its words allow, or a part that it does not spell out.
    HYPOTHESIS: shows that a hypothesis cannot be dropped.  REPAIR: a true statement instead of one that fails, or what one
    needs.  BEYOND: a statement of ours.  SIMULATION: about the paper's simulation and its numbers, not about a theorem.
    """

    PRINTED = "printed"
    READING = "reading"
    HYPOTHESIS = "hypothesis"
    REPAIR = "repair"
    BEYOND = "beyond"
    SIMULATION = "simulation"


MEANING = {
    Kind.PRINTED: "the paper states just this",
    Kind.READING: "one of several readings that the paper's words allow",
    Kind.HYPOTHESIS: "shows that a hypothesis cannot be dropped",
    Kind.REPAIR: "a repair of what the paper states",
    Kind.BEYOND: "a statement of this project, not of the paper",
    Kind.SIMULATION: "about the paper's simulation and its numbers",
}
"""What is said beside a verdict."""


@dataclass(frozen=True, eq=False)
class Line(Sealed):
    """One line of a proof.  Axes of ``value`` beyond the batch mean "for all"; ``where`` masks the entries it speaks of.

    ``axiom`` is an inequality of :mod:`.axioms` that the line applies; that it is an instance of it is checked wherever it is
    evaluated.  A text in its place is an assumption: it is shown, and the claim is not PROVED by it.  A value may be a function
    without arguments.
    """

    expression: str
    value: Any
    relation: str | None = None
    because: str = ""
    where: Any = None
    axiom: Axiom | str | None = None
    computed_by: tuple[str, ...] = ()
    """The quantities that the proof called since the line before; the engine records them."""

    def __post_init__(self) -> None:
        if not isinstance(self.expression, str):
            raise ClaimError(
                f"line {self.expression!r}: what a line says is a {type(self.expression).__name__}; use words"
            )
        if not (self.axiom is None or isinstance(self.axiom, (Axiom, str))):
            raise ClaimError(
                f"line {self.expression!r} has axiom={self.axiom!r}; give one of mv.axioms of its terms, as squares(x), or a "
                "text for an assumption of your own"
            )
        if not isinstance(self.because, str):
            raise ClaimError(
                f"line {self.expression!r} gives a {type(self.because).__name__} as its reason; say it in words"
            )
        assumed = () if self.axiom is None or isinstance(self.axiom, Axiom) else (self.axiom,)
        for word in (self.expression, self.because, self.relation or "", *assumed, *self.computed_by):
            require_printable(f"line {self.expression!a}: {word!a}", word)
        if self.relation is not None and self.relation not in RELATIONS:
            raise ClaimError(
                f"line {self.expression!r} has relation {self.relation!r}; use one of {' '.join(RELATIONS)}"
            )
        if self.relation is not None and not self.because:
            raise ClaimError(f"line {self.expression!r} gives no reason; say because=...")


def line(expression: str, value: Any, where: Any = None) -> Line:
    """The first line of a chain: nothing to compare with yet."""
    return Line(expression, value, where=where)


def equal(expression: str, value: Any, because: str, where: Any = None, axiom: Axiom | str | None = None) -> Line:
    """``= expression``: the line before equals this one."""
    return Line(expression, value, "=", because, where, axiom)


def at_most(expression: str, value: Any, because: str, where: Any = None, axiom: Axiom | str | None = None) -> Line:
    """``≤ expression``: the line before is at most this one."""
    return Line(expression, value, "≤", because, where, axiom)


def at_least(expression: str, value: Any, because: str, where: Any = None, axiom: Axiom | str | None = None) -> Line:
    """``≥ expression``: the line before is at least this one."""
    return Line(expression, value, "≥", because, where, axiom)


Proof = Callable[["Case"], Iterator[Line]]


@dataclass(frozen=True, eq=False)
class Claim(Sealed):
    """One claim, on trial.

    Parameters
    ----------
    id : str
        Stable and readable: ``lemma-4.1``; a part or reading of it is ``lemma-4.1/stationary``.  A reason that names the id
        leans on the claim, so it should be no word of ordinary prose.
    title, source : str
        What it says in one line, and where it stands.
    setting : Setting
        What an instance is, and under which hypotheses.
    proof : callable
        A generator of lines over a :class:`~mappo_verify.claims.case.Case`.
    statement : str
        The statement as people write it; the title where it is left out.
    record : Standing, optional
        What earlier audits found.  An audit computes its own standing, compares, and reports a difference; it never copies.
    kind : Kind
        What it is to the paper: just what it prints, a reading, a repair, ...  A statement with parts is REFUTED if a printed
        part is.
    symbolic, points : tuple of Sizes
        Sizes at which the audit seeks a proof in symbols, and by random points.
    general : General, optional
        A setting with more freedom, in which the claim is proved, and how an instance of ``setting`` is one of it: see
        :class:`~mappo_verify.claims.general.General`.  The proof sees the case of that one.
    note : str
        What a reader must know: scope, damaged source, how to read the verdict.
    repaired_by : str
        The id of the repaired statement.
    transcendental : bool
        The formula always leaves the rationals, so only balls are tried; otherwise rationals come first.
    experiment : Experiment, optional
        For a claim that holds with probability ``1 - δ``: an instance is then *one* sample, which may fail and refutes
        nothing; the audit draws many and reports confidence intervals.
    """

    id: str
    title: str
    source: str
    setting: Setting
    proof: Proof
    statement: str = ""
    record: Standing | None = None
    kind: Kind = Kind.PRINTED
    symbolic: tuple[Sizes, ...] = ()
    points: tuple[Sizes, ...] = ()
    general: General | None = None
    note: str = ""
    repaired_by: str = ""
    transcendental: bool = False
    experiment: Experiment | None = None

    def __post_init__(self) -> None:
        for name in ("title", "source", "statement", "note", "repaired_by"):
            require_printable(f"claim {self.id!a}: {name}", getattr(self, name))
        if not isinstance(self.setting, Setting):
            raise ClaimError(f"claim {self.id}: setting is a {type(self.setting).__name__}; it must be a Setting(...)")
        if not callable(self.proof):
            raise ClaimError(
                f"claim {self.id}: proof is a {type(self.proof).__name__}; it must be a function that yields lines"
            )
        object.__setattr__(self, "statement", self.statement or self.title)
        for name in ("symbolic", "points"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            if not all(isinstance(sizes, Sizes) for sizes in getattr(self, name)):
                raise ClaimError(f"claim {self.id}: {name} = {getattr(self, name)!r} must be a tuple of Sizes(...)")
            for sizes in getattr(self, name):
                counts = (sizes.states, sizes.agents, *sizes.actions, 1 if sizes.steps is EVERY else sizes.steps)
                if not all(count in range(1, sys.maxsize) for count in counts):
                    raise ClaimError(
                        f"claim {self.id}: {name} has {sizes!r}; states, agents, actions and steps are integers from 1 on"
                    )
        if type(self.id) is not str or not re.fullmatch(r"[a-z0-9][a-z0-9.\-]*(/[a-z0-9][a-z0-9.\-]*)?", self.id):
            raise ClaimError(
                f"claim id {self.id!r} is not lower-case words, digits, dots and dashes, with at most one slash"
            )
        if self.general is not None:
            if not isinstance(self.general, General):
                raise ClaimError(
                    f"claim {self.id}: general is a {type(self.general).__name__}; it must be a General(...)"
                )
            self.general.require_above(self.setting)
        if any(sizes.steps == EVERY for sizes in self.symbolic) and len(set(self.setting.steps)) < 2:
            # A proof can see how many steps there are, so what it says of every number is tried on several.
            raise ClaimError(
                f"claim {self.id}: a proof for every number of steps needs instances of several; its setting has "
                f"steps={self.setting.steps}, so give it more, as in steps=(1, 2, 3)"
            )

    @property
    def printed(self) -> bool:
        """Whether the paper states just this."""
        return self.kind is Kind.PRINTED

    @property
    def formal(self) -> Setting:
        """The setting whose free numbers a proof takes for parameters."""
        return self.setting if self.general is None else self.general.setting

    @cached_property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """All that an instance must meet: what its setting says, then what the general one says."""
        more = () if self.general is None else self.general.hypotheses(self.setting)
        return (*self.setting.all_hypotheses, *more)

    @property
    def parent(self) -> str:
        """The id without its part."""
        return self.id.partition("/")[0]

    def __repr__(self) -> str:
        return f"Claim({self.id!r}: {self.title})"

    def lines(self, case: Case, formal: bool = False) -> list[Line]:
        """The proof's lines on ``case``; a chain must begin with :func:`line`.  Values that are functions are called.

        In a ``formal`` proof no question about numbers has an answer that depends on the parameters.
        """
        try:
            seen = self._seen(case)
            lines = along_runs(seen, self._lines, _joined, formal)
            for name, value in seen._derived.items():  # shown beside the lines
                case._derived.setdefault(name, value)
            return lines
        except FormulaError as error:
            raise ClaimError(f"claim {self.id}: {error}") from error

    def _seen(self, case: Case) -> Case:
        """The case as the proof sees it: one for every number of steps is not told how many there are."""
        every = any(sizes.steps == EVERY for sizes in (case.sizes, *self.symbolic))
        return self._in_general(case)._of_any_length() if every else self._in_general(case)

    def _in_general(self, case: Case) -> Case:
        """The case as one of the setting in which the claim is proved."""
        if self.general is None or case.ingredients is self.general.setting.ingredients:
            return case
        return self.general.case(case)

    def _lines(self, case: Case) -> list[Line]:
        result: list[Line] = []
        with called() as names:
            for entry in self._yielded(case):
                if not isinstance(entry, Line):
                    raise ClaimError(
                        f"claim {self.id}: the proof yields {entry!r}, which is no line; use line(...), equal(...), ..."
                    )
                result.append(_computed_by(entry, names))
                names.clear()
        if not result:
            raise ClaimError(
                f"claim {self.id}: the proof yields no line; it is a generator of line(...), equal(...), ..."
            )
        if result[0].relation is not None:
            first = result[0].expression
            raise ClaimError(f"claim {self.id}: {first!r} has nothing to stand on; begin with line(...)")
        result = [self._computed(entry) if callable(entry.value) else entry for entry in result]
        result = [self._summed(entry, case) for entry in result]
        masks = {id(entry.where): self._mask(entry, case) for entry in result}
        result = [replace(entry, where=masks[id(entry.where)]) for entry in result]
        begun = result[0]
        for place, entry in enumerate(result):
            begun = entry if entry.relation is None else begun
            if entry is not begun and entry.where is begun.where is not None:  # it may repeat the mask of its chain
                result[place] = replace(entry, where=None)
        for entry in result:
            self._require_number(entry, case)
            self._require_hypotheses(entry)
        if all(entry.relation is None for entry in result):
            raise ClaimError(f"claim {self.id}: no line relates to another, so nothing is claimed")
        return result

    def _yielded(self, case: Case) -> Iterator[Any]:
        """What the proof yields; an error is told how far it came.

        What the numbers of an instance raise (a division by 0, say) is raised as it is; anything else is a malformed proof.
        """
        last = None
        try:
            yielded: Any = self.proof(case)
            for last in yielded if isinstance(yielded, Iterable) else ():
                yield last
        except GeneratorExit:
            raise
        except NUMERIC as error:
            error.add_note(_reached(last))
            raise
        except Exception as error:
            raise malformed(self.id, error, _reached(last)) from error

    def _require_hypotheses(self, entry: Line) -> None:
        """What a line takes as given is a hypothesis of the setting."""
        if isinstance(entry.axiom, Axiom):
            entry.axiom.require_theorem()
            # Where the lines are about a more general setting, what is taken as given is asked of the instance as one of it.
            own = self.hypotheses if self.general is None else self.hypotheses[len(self.setting.all_hypotheses) :]
            strange = [taken.name for taken in entry.axiom.hypotheses if not any(taken is one for one in own)]
            if strange:
                raise ClaimError(
                    f"claim {self.id}: the line {entry.expression!r} takes {strange} as given, and that is no "
                    f"hypothesis of its {'more general ' * (self.general is not None)}setting"
                )

    def _computed(self, entry: Line) -> Line:
        """A line whose value was a function, called."""
        with blamed(self.id, f"in the line {entry.expression!r}"), called() as names:
            return _computed_by(replace(entry, value=entry.value()), names)

    def _summed(self, entry: Line, case: Case) -> Line:
        """A line that is a sum over a run as numbers; in a proof for every number of steps each line is one."""
        if isinstance(entry.value, Summed):
            return replace(entry, value=entry.value._compared())
        if case.sizes.steps == EVERY:
            raise ClaimError(
                f"claim {self.id}: line {entry.expression!r} is no sum over the run; in a proof for every number of steps it "
                "must be made by run.sum, run.last and run.fixed"
            )
        return entry

    def _mask(self, entry: Line, case: Case) -> Truth | None:
        """The mask of a line as truth, which does not change any more; of base and step, along the axis of these, alike."""
        if entry.where is None:
            return None
        with blamed(self.id, f"the mask of the line {entry.expression!r}"):
            mask = Truth.of(entry.where)
            if case._length is not None and of_a_run(mask):
                raise ClaimError("a mask of what one step of a run knows; a mask is the same for all of it")
        every = case.sizes.steps == EVERY and bare(case.system) is System.SYMBOLS
        return same_formula(mask, mask[..., None]) if every else mask

    def _require_number(self, entry: Line, case: Case) -> None:
        """A float is no exact number, and a list is no array; all lines are in the case's system."""
        value = entry.value
        if isinstance(value, Numbers) and bare(value.system) is not bare(case.system):
            raise ClaimError(
                f"claim {self.id}: line {entry.expression!r} is in {bare(value.system).value}, and the case in "
                f"{bare(case.system).value}; make constants with like(..., case.system)"
            )
        if isinstance(value, Numbers) and value._count not in (1, prod(case._several)):
            raise ClaimError(
                f"claim {self.id}: line {entry.expression!r} is made of other instances; a proof keeps no numbers of an "
                "evaluation for another one"
            )
        if isinstance(value, (Numbers, int, Fraction)) and not isinstance(value, bool):
            return
        if isinstance(value, (list, tuple)):
            raise ClaimError(
                f"claim {self.id}: line {entry.expression!r} is a {type(value).__name__}; "
                "stack its parts with np.stack([...], axis=-1)"
            )
        what = f"an array of {value.dtype}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
        raise ClaimError(
            f"claim {self.id}: line {entry.expression!r} is {what}, no number of the case; a constant is an "
            "integer, a Fraction or like([...], case.system), and exp, log, sqrt, ... are those of mappo_verify"
        )


def _joined(found: list[list[Line]], join: Join) -> list[Line]:
    """The lines about several parts of the instances, as lines about all of them."""
    return [_one_line(entries, join) for entries in zip(*found, strict=True)]


def _one_line(entries: Sequence[Line], join: Join) -> Line:
    first = entries[0]
    changes: dict[str, Any] = {}
    if isinstance(first.value, Numbers):
        changes["value"] = join([entry.value for entry in entries])
    if first.where is not None:
        changes["where"] = join([entry.where for entry in entries])
    axioms = [entry.axiom for entry in entries if isinstance(entry.axiom, Axiom)]
    if axioms:
        changes["axiom"] = Axiom._together(axioms, join)
    return replace(first, **changes)


def _computed_by(entry: Line, names: Sequence[str]) -> Line:
    """The line, and by which quantities it was computed."""
    return replace(entry, computed_by=tuple(dict.fromkeys((*entry.computed_by, *names)))) if names else entry


NUMERIC = (ArithmeticError, GameError, SolverError)
"""What the numbers of an instance can raise; anything else is a malformed proof."""


def malformed(claim: str, error: Exception, reached: str) -> ClaimError:
    """The error of a proof or a hypothesis that is written wrongly: what, in which file and line, and how far it came."""
    what = str(error) if isinstance(error, MappoVerifyError) else f"{type(error).__name__}: {error}"
    return ClaimError(f"claim {claim}: {what.removesuffix(': ')} ({_place_of(error)}, {reached})")


@contextmanager
def blamed(claim: str, part: str) -> Iterator[None]:
    """What is raised here belongs to ``part`` of a claim: numeric errors say so, any other is a malformed claim."""
    try:
        yield
    except NUMERIC as error:
        error.add_note(part)
        raise
    except Exception as error:
        raise malformed(claim, error, part) from error


def _reached(last: Any) -> str:
    return f"after the line {last.expression!r}" if isinstance(last, Line) else "before its first line"


def _place_of(error: BaseException) -> str:
    """File and line of the proof, or of what it called outside this package and its libraries, where an error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    package, libraries = (
        str(Path(__file__).parents[1]),
        (str(Path(np.__file__).parents[1]), sysconfig.get_path("stdlib")),
    )
    own = [f for f in frames if not f.filename.startswith(package) or "papers" in Path(f.filename).parts]
    frame = ([f for f in own if not f.filename.startswith(libraries)] or own or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def place_of_line(claim: Claim, case: Case | None, place: int) -> str:
    """File and line at which a proof yields its line number ``place``, as far as that can be found; else where it begins."""
    proof = inspect.unwrap(claim.proof)
    case = None if case is None else claim._seen(case)
    code = getattr(proof, "__code__", None)
    number = None if code is None else code.co_firstlineno

    def reached(seen: Case) -> int | None:
        yielded: Any = proof(seen)
        return [yielded.gi_frame.f_lineno for _, _ in zip(range(place + 1), yielded, strict=False)][-1]

    with suppress(Exception):  # a proof that is none may do anything
        number = number if case is None else along_runs(case, reached, lambda found, _: found[0], False)
    return f"{claim.id}" if code is None else f"{Path(code.co_filename).name}:{number}"


def chains(lines: list[Line]) -> list[list[Line]]:
    """The proof's lines, chain by chain."""
    result: list[list[Line]] = []
    for entry in lines:
        if entry.relation is None:
            result.append([])
        result[-1].append(entry)
    return [chain for chain in result if len(chain) > 1]


def composed_relation(chain: list[Line]) -> str:
    """What first line and last line have to do with each other; ≤ and ≥ do not compose."""
    relations = {entry.relation for entry in chain[1:]}
    if {"≤", "≥"} <= relations:
        raise ClaimError(
            f"the chain that begins with {chain[0].expression!r} goes both up and down, so it states nothing"
        )
    return "≤" if "≤" in relations else "≥" if "≥" in relations else "="


_ID_SHAPED = re.compile(r"(?<![\w./-])[a-z0-9][a-z0-9.\-]*+(?:/[a-z0-9][a-z0-9.\-]*+)?+(?!\w)")


def mentions(text: str, ids: Container[str]) -> Iterator[tuple[int, str]]:
    """Where ``text`` names one of ``ids``, and which one.

    Only whole words count.  ``a/b`` is part b of claim a if there is one, else the claims a and b.
    """
    for found in _ID_SHAPED.finditer(text):
        word = found.group().rstrip(".-")  # the full stop of a sentence is no part of the id
        if word in ids:
            yield found.start(), word
            continue
        at = found.start()
        for one in word.split("/"):
            if one in ids:
                yield at, one
            at += len(one) + 1


def cited(reason: str, ids: Container[str]) -> tuple[str, ...]:
    """Those of ``ids`` that a reason names; each is a link of the proof graph."""
    return tuple(name for _, name in mentions(reason, ids))
