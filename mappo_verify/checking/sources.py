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

from ..arithmetic import System, module_of
from ..claims.claim import Claim
from ..claims.settings import Case, Setting
from ..claims.verdict import Evidence
from .slicing import Given, Member, Scope, State, entered_from, facts_behind, scope_of
from .syntax import EACH, Function, standing_at, tree_of


@dataclass(frozen=True)
class Quantity:
    """A function that numbers come from: its name, its module, and the formula that its documentation begins with."""

    name: str
    module: str
    about: str


@dataclass(frozen=True)
class Ingredient:
    """Data of the instance: an ingredient of the claim's setting, or a size of the instance."""

    name: str
    about: str


@dataclass(frozen=True)
class Source:
    """Where the value of one line comes from: functions, what is given besides, or nothing but constants.

    All three are empty only where no source code is at hand.
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
    """The source of every line of the evidence."""
    if evidence.case is None or not evidence.lines:
        return [Source()] * len(evidence.lines)
    balls = evidence.arithmetic is System.BALLS
    with module_of(System.BALLS).precision(evidence.precision) if balls else nullcontext():
        return list(_traced(claim.proof, claim.setting, evidence.case))


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


def _traced(proof: Callable[[Case], Any], setting: Setting, case: Case) -> Iterator[Source]:
    running, known = proof(case), dict[Any, Source]()
    handed = inspect.getgeneratorlocals(running) if inspect.isgenerator(running) else {}
    for _ in running:
        frames = tuple(_suspended(running))
        if frames not in known:
            known[frames] = _source(_value_of_line(running, frames, handed), setting)
        yield known[frames]


def _suspended(running: Any) -> Iterator[Frame]:
    """The generators that wait, from the proof to the one that makes the line."""
    while inspect.isgenerator(running):
        frame = running.gi_frame
        assert frame is not None
        texts = {name: value for name, value in frame.f_locals.items() if isinstance(value, str)}
        yield Frame(running.gi_code, frame.f_lasti, tuple(texts.items()))
        running = running.gi_yieldfrom


def _value_of_line(running: Any, frames: tuple[Frame, ...], handed: dict[str, Any]) -> State | None:
    """The value of the line at which the generators stand, the proof having been handed ``handed``; None without source."""
    here = None
    for frame in frames:
        tree = tree_of(frame.code)
        if tree is None:
            break
        scope = entered_from(here, tree) if here else _scope(running, tree, handed)
        where = standing_at(tree, frame.code, frame.instruction)
        if scope is None or where is None or where.value is None:
            break
        scope.texts.update(frame.texts)
        is_line = isinstance(where, ast.Yield)
        here = State(where.value, scope, (Member("value"),) if is_line else (EACH, Member("value")))
    return here


def _scope(running: Any, tree: Function, handed: dict[str, Any]) -> Scope:
    """Where the proof runs: its parameters, and around it the module and what it closes over."""
    outer = {name: handed[name] for name in running.gi_code.co_freevars if name in handed}
    return scope_of(tree, running.gi_frame.f_globals | outer, {n: v for n, v in handed.items() if n not in outer})


def _source(value: State | None, setting: Setting) -> Source:
    facts = [] if value is None else facts_behind(value)
    given = tuple(_ingredient(fact.name, setting) for fact in facts if isinstance(fact, Given))
    quantities = tuple(_quantity(fact) for fact in facts if callable(fact))
    return Source(quantities, given, not quantities and not given and bool(facts))


def _quantity(function: Callable[..., Any]) -> Quantity:
    return Quantity(function.__qualname__, function.__module__, _about(function))


def _ingredient(name: str, setting: Setting) -> Ingredient:
    found = [ingredient for ingredient in setting.ingredients if ingredient.name == name]
    return Ingredient(name, _about(type(found[0])) if found else SIZES.get(name, ""))


def _about(documented: Any) -> str:
    """The formula, or the words, that documentation begins with."""
    first = (inspect.getdoc(documented) or "").partition("\n")[0].replace("``", "")
    return re.split(r",? (?:each )?(?:of )?(?:shape |in the$)|\.  |\.$|; |: ", re.sub(r":\w+:`(\w+)`", r"\1", first))[0]
