"""Where a line's numbers come from: the quantities that its value is computed with, and the data of the instance.

Nothing is annotated by hand.  The proof is run again on the shown case; at every line the suspended generators tell which
``yield`` they stand at, the one that makes the line and those that wait for it.  From the value of that line one goes back
through the source (:mod:`mappo_verify.checking.slicing`), as far as functions that have a name, ingredients and constants.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from ..arithmetic import System, module_of
from ..claims.claim import Claim
from ..claims.settings import Case
from ..claims.verdict import Evidence
from ..model import Game, Policy
from .slicing import Given, Member, Scope, State, entered_from, facts_behind, scope_of
from .syntax import Function, standing_at, tree_of


@dataclass(frozen=True)
class Quantity:
    """A function that numbers come from: its name, its module, and the formula that its documentation begins with."""

    name: str
    module: str
    about: str


@dataclass(frozen=True)
class Ingredient:
    """Data of the instance: an ingredient of the claim's setting, or a size, and what it is in words."""

    name: str
    about: str


@dataclass(frozen=True)
class Source:
    """Where the value of one line comes from: functions, what is given besides, or nothing but constants.

    What the functions are given is told by their documentation.  All three are empty only where the source does not tell.
    """

    quantities: tuple[Quantity, ...] = ()
    given: tuple[Ingredient, ...] = ()
    constant: bool = False


SIZES = {
    "states": "the number of states",
    "actions": "the numbers of actions",
    "agents": "the number of agents",
    "steps": "the number of steps",
}


def sources_of(claim: Claim, evidence: Evidence) -> list[Source]:
    """The source of every line of the evidence; of none, if the proof does not take the same course once more."""
    unknown = [Source()] * len(evidence.lines)
    if evidence.case is None or not evidence.lines:
        return unknown
    balls = evidence.arithmetic is System.BALLS
    with module_of(System.BALLS).precision(evidence.precision) if balls else nullcontext():
        found = list(_traced(claim.proof, evidence.case))
    return found if len(found) == len(unknown) else unknown


def each_once(sources: Iterable[Source]) -> tuple[list[Quantity], list[Ingredient]]:
    """The functions and the ingredients of several lines."""
    every = list(sources)
    quantities = dict.fromkeys(quantity for source in every for quantity in source.quantities)
    return list(quantities), list(dict.fromkeys(one for source in every for one in source.given))


@dataclass(frozen=True)
class Frame:
    """A suspended generator: its code, the instruction that it stands at, and its variables that are strings."""

    code: CodeType
    instruction: int
    texts: tuple[tuple[str, str], ...]


def _traced(proof: Callable[[Case], Any], case: Case) -> Iterator[Source]:
    running, known = proof(case), dict[Any, Source]()
    handed = inspect.getgeneratorlocals(running) if inspect.isgenerator(running) else {}
    passed_on, count = None, 0
    for _ in running:
        frames, last = _suspended(running), passed_on
        passed_on = _passed_on(running)
        count = count + 1 if passed_on is last else 0
        key = frames, passed_on is not None and count
        if key not in known:
            try:
                known[key] = _source(_value_of_line(running, frames, handed, count), case)
            except Exception:  # a proof may hold any Python; what cannot be read ends no walk-through
                known[key] = Source()
        yield known[key]


def _waiting(running: Any) -> Iterator[Any]:
    """The generators that wait, from the proof to the one that makes the line; then what the last passes on, if not its own."""
    while inspect.isgenerator(running) and tree_of(running.gi_code) is not None:
        yield running
        running = running.gi_yieldfrom
    yield running


def _suspended(running: Any) -> tuple[Frame, ...]:
    *generators, _ = _waiting(running)
    frames = [(each.gi_code, each.gi_frame.f_lasti, each.gi_frame.f_locals) for each in generators]
    texts = [tuple((name, value) for name, value in own.items() if isinstance(value, str)) for _, _, own in frames]
    return tuple(Frame(code, last, text) for (code, last, _), text in zip(frames, texts, strict=True))


def _passed_on(running: Any) -> Any:
    """The list, say, or the generator expression, from which the innermost generator takes the line; None if it has its own."""
    *_, innermost = _waiting(running)
    return innermost


def _value_of_line(running: Any, frames: tuple[Frame, ...], handed: dict[str, Any], count: int) -> State | None:
    """The value of the line at which the generators stand, the ``count``-th of those that are passed on; None without source.

    ``handed`` holds the arguments of the proof.
    """
    here = None
    for frame in frames:
        tree = tree_of(frame.code)
        assert tree is not None
        scope = entered_from(here, tree) if here else _scope(running, tree, handed)
        where = standing_at(tree, frame.code, frame.instruction)
        if scope is None or where is None or where.value is None:
            break
        scope.suspended(dict(frame.texts))
        taken = (Member("value"),) if isinstance(where, ast.Yield) else (count, Member("value"))
        here = State(where.value, scope, taken)
    return here


def _scope(running: Any, tree: Function, handed: dict[str, Any]) -> Scope:
    """Where the proof runs: its parameters, and around it the module and what it closes over."""
    outer = {name: handed[name] for name in running.gi_code.co_freevars if name in handed}
    return scope_of(tree, running.gi_frame.f_globals | outer, {n: v for n, v in handed.items() if n not in outer})


def _source(value: State | None, case: Case) -> Source:
    facts = [] if value is None else facts_behind(value)
    given = tuple(Ingredient(fact.name, _kind(fact.name, case)) for fact in facts if isinstance(fact, Given))
    quantities = tuple(Quantity(f.__qualname__, f.__module__, _about(f)) for f in facts if callable(f))
    return Source(quantities, given, not quantities and not given and bool(facts))


def _kind(name: str, case: Case) -> str:
    """What an ingredient is, in words."""
    if name in SIZES and name not in {ingredient.name for ingredient in case.setting.ingredients}:
        return SIZES[name]
    value = getattr(case, name)
    if isinstance(value, (Game, Policy)):
        return f"a {type(value).__name__.lower()}"
    if isinstance(value, tuple):
        return "a table for every agent" if len(value) == case.sizes.agents else f"{len(value)} tables"
    return f"{'×'.join(map(str, np.shape(value)))} numbers" if np.size(value) > 1 else "a number"


def _about(function: Callable[..., Any]) -> str:
    """The formula, or the words, that documentation begins with; shapes are left out."""
    first = (inspect.getdoc(function) or "").partition("\n")[0].replace("``", "")
    words = re.sub(r":\w+:`(\w+)`", r"\1", first)
    return re.split(r",? (?:each )?(?:(?:of|in the) )?shape |,? in the$|,? (?:each )?\[\.\.\.|\.  |\.$|; ", words)[0]
