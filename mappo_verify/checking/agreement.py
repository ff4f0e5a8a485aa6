"""A proof is a function of its case, and of nothing else: seen on samples of all that is certified.

A verdict is about formulas that are evaluated on many instances at once, in one number system.  If a proof looked at the type
of its numbers, at how many instances lie side by side, at a clock or at what it did before, then what was certified is not
what a reader sees.  So instances are evaluated again:

* among copies of itself, in another system, and as another type;
* the one that was looked at before it, once more: alone, in the system that decided it; the first one at once.

Lines, relations, reasons, axioms and shapes must be the same.  Hypotheses and masks must not contradict each other.  Values must
be equal where both are exact, and enclose each other elsewhere.  A difference is no property of the claim, so it is an error.

What lines say, and the formulas that made their numbers (:mod:`..arithmetic.formulas`), are the same in every evaluation, over
symbols too.  The first, second, fourth, eighth, ... evaluation of a claim is looked at as above; of a registered one the first,
sixty-fourth, ...; and every counterexample.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from ..arithmetic import FALSE, TRUE, Numbers, System, floats_of, like
from ..arithmetic.formulas import evaluation_begins, made_of
from ..arithmetic.numbers import bare, take
from ..axioms import Axiom
from ..claims.case import Case
from ..claims.claim import NUMERIC, Claim, Line, place_of_line
from ..claims.coordinates import EVERY, Sizes
from ..errors import ClaimError, Sealed
from ..model.trees import converted, mapped
from ..papers.registry import CLAIMS
from .hypotheses import ask_hypotheses
from .laws import mask_of

Alone = Callable[[int, System], Case]
"""The instance at a place of what was evaluated, alone, in a number system."""
Hypotheses = Sequence[tuple[str, Any]]

OTHERS = {
    System.RATIONALS: (System.ENCLOSURES, System.BALLS),
    System.ENCLOSURES: (System.RATIONALS, System.BALLS),
    System.BALLS: (System.ENCLOSURES, System.BALLS),
}
"""The systems in which a second opinion is sought, the first that can give one."""


COPIES = 2
_OFTEN, _SELDOM = (frozenset(step**power for power in range(64)) for step in (2, 64))
"""Which evaluations of a claim are looked at; of a registered one, whose proof the tests look at, fewer."""
_REGISTERED = frozenset(map(id, CLAIMS))
CURE = (
    "a formula must not use types, number systems, random numbers, clocks or what it did before; "
    "if this one does not, please report it"
)


class Value(Numbers, Sealed):
    """Numbers under another name: a formula that asks for the name of its type gets another answer."""

    __slots__ = ()


@dataclass(frozen=True, eq=False)
class Seen:
    """What a claim said about one instance: its lines, its masks chain by chain, and its hypotheses."""

    system: System
    lines: tuple[Line, ...]
    hypotheses: Hypotheses


@dataclass
class _Past:
    evaluations: int = 0
    lines: dict[tuple[Sizes, tuple[str, ...]], tuple[Any, ...]] = field(default_factory=dict)
    earlier: tuple[Callable[[System], Case], Seen] | None = None


_PAST: WeakKeyDictionary[Claim, _Past] = WeakKeyDictionary()
"""How often each claim was evaluated, and the instance that was looked at last."""


def due(claim: Claim) -> bool:
    """Count an evaluation; whether it is one of those that are looked at."""
    past = _PAST.setdefault(claim, _Past())
    past.evaluations += 1
    return past.evaluations in (_SELDOM if id(claim) in _REGISTERED else _OFTEN)


def require_function(
    claim: Claim, case: Case, lines: Sequence[Line], met: npt.NDArray[Any], hypotheses: Hypotheses, alone: Alone
) -> None:
    """:class:`ClaimError` where one instance of what was evaluated is another one when it is evaluated again.

    ``met`` says which instances meet the hypotheses; ``lines`` are about those, ``hypotheses`` about all.
    """
    past = _PAST.setdefault(claim, _Past())
    everybody = np.ravel(met) == TRUE
    turn = past.evaluations
    for chosen in (np.flatnonzero(everybody), np.flatnonzero(~everybody)):
        if not len(chosen):
            continue
        place = int(chosen[turn * 7919 % len(chosen)])
        live = int(everybody[:place].sum()) if everybody[place] else None
        system = bare(case.system)
        first = Seen(
            system,
            tuple(_alone(entry, live) for entry in lines) if live is not None else (),
            [(name, np.ravel(truth)[place]) for name, truth in hypotheses],
        )

        def build(target: System, place: int = place) -> Case:
            return alone(place, target)

        if past.earlier is None or live is None:
            _compare(claim, build, first, _seen(claim, build, system, live is not None), "among others and alone")
        other = next(
            filter(None, (_seen(claim, build, s, live is not None, disguised=True) for s in OTHERS[system])), None
        )
        _compare(claim, build, first, other, "in two number systems")
        if live is not None:
            if past.earlier is not None:
                rebuild, before = past.earlier
                _compare(claim, rebuild, before, _seen(claim, rebuild, before.system, True), "at two times")
            past.earlier = (build, first)


def require_same_lines(claim: Claim, case: Case, lines: Sequence[Line]) -> None:
    """:class:`ClaimError` where a proof has other lines than before, or other formulas: its sizes alone may decide which.

    Of a proof for every number of steps not even how many there are.
    """
    if not lines:
        return
    sizes = case.sizes
    if claim.general is None and any(one.steps == EVERY for one in (sizes, *claim.symbolic)):
        sizes = replace(sizes, steps=EVERY)
    found = tuple((_text_of(entry), _formula_of(entry)) for entry in lines)
    before = _PAST.setdefault(claim, _Past()).lines.setdefault((sizes, case._left_out()), found)
    if found == before:
        return
    place = next(
        (i for i, (x, y) in enumerate(zip(before, found, strict=False)) if x != y), min(len(before), len(found))
    )
    one, two = (" ".join(filter(None, each[place][0][:2])) if place < len(each) else "none" for each in (before, found))
    differs = f"is {one!r} and {two!r}" if one != two else f"{one!r} has another formula, reason or axiom than before"
    raise ClaimError(
        f"claim {claim.id}: its proof is no function of its case: line {place + 1} {differs} ({sizes}); {CURE} "
        f"({place_of_line(claim, None, place)})"
    )


def _formula_of(entry: Line) -> tuple[int, int]:
    return made_of(entry.value), made_of(entry.where)


def _text_of(entry: Line) -> tuple[str, str, str, Any]:
    """What a line says, without its numbers."""
    return entry.relation or "", entry.expression, entry.because, _plain(entry.axiom)


def _alone(entry: Line, place: int) -> Line:
    """A line of many instances for one of them."""
    value, where = (take(part, np.array([place])) for part in (entry.value, entry.where))
    return replace(entry, value=value, where=where)


def _seen(
    claim: Claim, build: Callable[[System], Case], system: System, lines: bool, disguised: bool = False
) -> Seen | None:
    """What a claim says about one instance in a system; None where the system cannot evaluate it."""
    evaluation_begins()
    with suppress(*NUMERIC), np.errstate(all="ignore"):
        case = _disguised(build(system)) if disguised else build(system)
        hypotheses, _, _ = ask_hypotheses(claim, case)
        found = claim.lines(case) if lines else []
        exact = [
            entry if isinstance(entry.value, Numbers) else replace(entry, value=like(entry.value, case.system))
            for entry in found
        ]
        return Seen(
            system,
            tuple(_alone(entry, 0) for entry in exact),
            [(name, np.ravel(truth)[0]) for name, truth in hypotheses],
        )
    return None


def _disguised(case: Case) -> Case:
    """The same instance several times, side by side, its numbers under another name."""

    def copied(part: Any) -> Any:
        several = part._each(lambda array: np.repeat(array[..., :1], COPIES, axis=-1))
        return Value(several._arithmetic, several._parts) if isinstance(several, Numbers) else several

    objects = {name: mapped(copied, value) for name, value in case.objects.items()}
    return Case(case.ingredients, case.sizes, bare(case.system), (COPIES,), objects)


def _compare(claim: Claim, build: Callable[[System], Case], one: Seen, two: Seen | None, how: str) -> None:
    if two is None:
        return
    systems = f" ({one.system.value} and {two.system.value})" if one.system is not two.system else ""
    truths = dict(two.hypotheses)
    for name, truth in one.hypotheses:
        if truth * truths.get(name, truth) < 0:
            raise ClaimError(
                f"claim {claim.id}: the hypothesis {name!r} is no function of its case: {how}{systems} it holds, and "
                f"does not, for one instance; {CURE}"
            )
    found = _different_lines(one.lines, two.lines) or _different_values(one, two)
    if found is not None:
        raise _no_function(claim, build(one.system), found[0], f"{how}{systems} {found[1]}")


def _no_function(claim: Claim, case: Case, place: int, what: str) -> ClaimError:
    return ClaimError(
        f"claim {claim.id}: its proof is no function of its case: for one instance {what}; {CURE} "
        f"({place_of_line(claim, case, place)})"
    )


def _different_lines(one: Sequence[Line], two: Sequence[Line]) -> tuple[int, str] | None:
    """The first place at which the lines differ, and how."""
    for place, (left, right) in enumerate(zip(one, two, strict=False)):
        for what in ("expression", "relation", "because", "axiom"):
            a, b = (_plain(getattr(entry, what)) for entry in (left, right))
            if a != b:
                return place, f"{'the ' + what} of line {place + 1} is {a!r} and {b!r}"
        shapes = [entry.value.shape for entry in (left, right) if isinstance(entry.value, Numbers)]
        if len(set(shapes)) > 1:
            return place, f"line {left.expression!r} has the shapes {shapes[0]} and {shapes[1]}"
    if len(one) != len(two):
        return min(len(one), len(two)) - 1, f"there are {len(one)} and {len(two)} lines"
    return None


def _plain(value: Any) -> Any:
    return value.names if isinstance(value, Axiom) else value


def _different_values(one: Seen, two: Seen) -> tuple[int, str] | None:
    """The first line whose values, where both chains speak of them, certainly differ."""
    masks = [_masks(seen.lines) for seen in (one, two)]
    for place, (left, right) in enumerate(zip(one.lines, two.lines, strict=False)):
        first, second = masks[0][place], masks[1][place]
        if first is not None and second is not None and ((first & ~second) | (~first & second)).any().values.max() > 0:
            return place, f"the mask of line {left.expression!r} holds, and does not"
        a, b = _comparable(left.value, right.value)
        equal = a.compare("=", b)
        for mask in (first, second):
            equal = equal if mask is None else equal | ~mask
        wrong = np.argwhere(equal.values == FALSE)
        if len(wrong):
            index = tuple(int(i) for i in wrong[0][:-1])
            at = f" at {index}" if index else ""
            values = " and ".join(_number(value, index, equal.shape) for value in (left.value, right.value))
            return place, f"line {left.expression!r} is {values}{at}"
    return None


def _masks(lines: Sequence[Line]) -> list[Any]:
    """The mask of every line's chain."""
    found: list[Any] = []
    for place, entry in enumerate(lines):
        if entry.relation is None:
            end = next((i for i in range(place + 1, len(lines)) if lines[i].relation is None), len(lines))
            mask = mask_of(lines[place:end])
        found.append(mask)
    return found


def _comparable(left: Numbers, right: Numbers) -> tuple[Numbers, Numbers]:
    """Two values in one system: their own, else enclosures."""
    if left._arithmetic is right._arithmetic:
        return left, right
    found = [
        value if value.system == System.ENCLOSURES else converted(value, System.ENCLOSURES) for value in (left, right)
    ]
    return found[0], found[1]


def _number(value: Numbers, index: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """One entry of a value, briefly."""
    entry = np.broadcast_to(value._parts[0][..., 0], shape)[index]
    with suppress(*NUMERIC):
        return f"{float(floats_of(np.array([entry]))[0]):.6g}"
    return str(entry)[:40]
