"""Questions about a run of any length: each term is asked for once, on an instance as in symbols.

A proof for every number of steps sees one arbitrary step.  If an instance showed its steps one after the other, a proof that
counts its calls would know how many there are, and could say something else of long runs.  So an instance is evaluated twice.
The first evaluation finds the states ``x_0, ..., x_{K-1}`` one after the other, and ends where it knows them.  The second one
sees the instance ``K`` times, end to end: copy ``k`` has the state and what moves at step ``k``, and a sum over the run is one
over the copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ..arithmetic.numbers import take
from ..arithmetic.one_instance import within_a_proof
from ..errors import ClaimError
from ..model.trees import end_to_end, group, mapped
from .case import Case, States
from .coordinates import EVERY

MOST = 131_072
"""How many steps of instances lie end to end at most; more instances are looked at in parts."""
T = TypeVar("T")


class StatesFound(BaseException):
    """The states of a run are known, and the evaluation begins again.  No error of a formula, so nothing takes it for one."""

    def __init__(self, found: States) -> None:
        super().__init__()
        self.found = found


def states_of(case: Case, find: Callable[[], States]) -> States:
    """The states of the next run that a proof asks for; where they are not known yet, the evaluation ends here.

    A hypothesis that an axiom takes as given is asked after the proof, and may ask for the run once more.
    """
    steps = case._steps
    assert steps is not None
    if steps.left:
        return steps.left.pop(0)
    found = find()
    if steps.alone is not None:  # every copy of an instance has found the same
        found = States([group(state, 0, case._length) for state in found.states], found.formula)
    if not steps.over:
        steps.stopped = True
        raise StatesFound(found)
    if steps.alone is None:
        raise ClaimError("an axiom that asks for the steps of a run of which the proof has asked for none")
    return States(steps.alone._at_each(found.states), found.formula)


Join = Callable[[list[Any]], Any]
"""How numbers, truth and objects of several parts of the instances become one."""


def along_runs(case: Case, question: Callable[[Case], T], joined: Callable[[list[T], Join], T], formal: bool) -> T:
    """The answer to a question about a case, within a proof; ``joined`` makes one of the answers for parts of the instances."""
    if case._steps is None or case._length == EVERY:
        with within_a_proof(formal):
            return question(case)
    known: tuple[States, ...] = ()
    while True:
        try:
            if not known:
                return _asked(case, question, formal)
            places = _parts(case)
            answers = [_asked(part, question, formal) for part in _at_all_steps(case, known, places)]
        except StatesFound as run:
            known = (*known, run.found)
        else:
            break
    counts = list(map(len, places))
    return joined(answers, lambda values: end_to_end([group(v, 0, case._length) for v in values], counts))


def _asked(case: Case, question: Callable[[Case], T], formal: bool) -> T:
    steps = case._steps
    assert steps is not None
    steps.left, steps.stopped, steps.over = list(steps.known), False, False
    with within_a_proof(formal):
        found = question(case)
    if steps.stopped:
        raise ClaimError("a proof that catches what finds the states of its run; let it catch nothing")
    steps.over = True
    return found


def _parts(case: Case) -> list[npt.NDArray[np.intp]]:
    """The places of all instances, in as few parts as memory allows."""
    count = prod(case._several)
    parts = np.array_split(np.arange(count), -(-count * case._length // MOST))
    return [part for part in parts if part.size]


def _at_all_steps(case: Case, known: tuple[States, ...], places: list[npt.NDArray[np.intp]]) -> Iterator[Case]:
    """The case, part by part, each instance once for each step of its runs."""
    for part in places:
        some = case if len(places) == 1 else case._taken(part)
        yield some._at_all_steps(
            tuple(States(some._at_each(_instances(run.states, part)), run.formula) for run in known)
        )


def _instances(states: list[Any], places: npt.NDArray[np.intp]) -> list[Any]:
    return [mapped(partial(take, chosen=places), state) for state in states]
