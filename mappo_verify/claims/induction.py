"""Sums over a run, and what holds for every length of it.

A run is ``x_0, x_1, ..., x_K``: each state follows from the one before by a step.  A line of a proof about it is a number of the
form ::

    V_K = c + f(x_K) + Σ_{k<K} t(x_k → x_{k+1})

(:meth:`Run.fixed`, :meth:`Run.last` and :meth:`Run.sum`).  On an instance ``K`` is given and ``V_K`` a number.  In a proof for
every ``K`` (:data:`~.coordinates.EVERY`) two things are decided in symbols instead, for each line against the one before, less
the quantity of its axiom, ``D_K``:

* *base*: ``D_0 = 0``, at the start ``x_0`` of the run;
* *step*: ``D_{k+1} - D_k = f(x_{k+1}) - f(x_k) + t(x_k → x_{k+1}) = 0`` for an *arbitrary* state ``x_k`` and an arbitrary step.

So ``D_K = 0`` for every ``K`` by induction.  That is why sums may be added and multiplied by what does not change along the run,
and nothing else may be done to them; a factor or constant that depends on the state or the step is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from operator import add
from typing import Any

import numpy as np

from ..arithmetic import Numbers, System, both, compare, largest, like
from ..arithmetic.explained import explained_class
from ..arithmetic.formulas import OF_A_PLACE, OF_A_STEP, Made, made_from, made_of, of_now
from ..arithmetic.functions import true_everywhere
from ..arithmetic.numbers import apart, bare, same_formula
from ..arithmetic.one_instance import Truth
from ..axioms import Axiom, Part, every_entry, hedge
from ..errors import ClaimError, ExactnessError, Sealed
from ..model import Policy
from ..model.trees import PLACE, STEP, group, leaf, leaves_of, mapped, repeated
from .along_runs import states_of
from .case import Case, Ingredient, States
from .coordinates import EVERY, Coordinate, Sizes
from .coordinates import Numbers as ByName

_SEAL = object()
"""What shows that a sum was made by a run."""
OTHER_FORMULA = "a run, or a term of it, is another formula in another step; let it depend on the state or what moves"


@dataclass(frozen=True)
class Arbitrary(Ingredient):
    """What a proof for every length of a run needs beside an instance: a state, or a number of steps, that is any one.

    ``any_one`` describes it; no instance has it.
    """

    optional = moves = True

    any_one: Ingredient

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.any_one.name

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        return self.any_one.coordinates(sizes) if sizes.steps == EVERY else ()

    def build(self, numbers: ByName, sizes: Sizes, built: Any, generic: int) -> Any:
        return self.any_one.build(numbers, sizes, built, generic) if sizes.steps == EVERY else None

    def core_shape(self, sizes: Sizes) -> None:
        return None

    def batch_of(self, value: Any) -> tuple[int, ...]:
        return ()


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a run: from ``state`` to ``following``; ``moved`` is what the claim makes of it, ``count`` is ``k + 1``."""

    state: Any
    following: Any
    moved: Any
    count: Any


@dataclass(frozen=True, eq=False)
class Place:
    """Where a run stands after ``index`` steps."""

    state: Any
    index: Any


class Own:
    """What one step of a run has of each ingredient, as attributes of their names; the number of the step it does not tell."""

    __slots__ = ("_case", "_step")

    def __init__(self, case: Case, step: int | None) -> None:
        self._case, self._step = case, step

    def __getattr__(self, name: str) -> Any:
        for ingredient in self._case.ingredients:
            if ingredient.name == name and ingredient.moves and not isinstance(ingredient, Arbitrary):
                return self._case._share(ingredient, self._step)
        return getattr(self._case, name)


class Summed(Made, Sealed):
    """``c + f(x_K) + Σ t``: a number on an instance; base and step in a proof for every ``K``, which no formula sees apart."""

    __slots__ = ("_made", "_values", "run")
    __array_ufunc__ = None

    def __init__(self, run: Run, values: tuple[Any, ...], made: int, seal: object = None) -> None:
        if seal is not _SEAL:
            raise ClaimError("a sum over a run is made by run.sum, run.last and run.fixed, and not by hand")
        self.run, self._values, self._made = run, values, made

    def _copy(self) -> Summed:
        return Summed(self.run, self._values, self._made, _SEAL)

    @property
    def numbers(self) -> Any:
        """The number itself, of a run of given length."""
        self.run.require_length("the number that a sum over it comes to")
        return self._values[0]

    def _compared(self) -> Any:
        """The numbers by which lines are compared: base and step along a last axis, which no other axis meets."""
        found: Any = np.stack(self._values, axis=-1) if self.run._every else self._values[0]._copy()
        found._made = of_now(self._made)
        return found

    def _each(self, change: Callable[[Any], Any], *made: Any) -> Summed:
        """The same with a linear change, which ``made`` describes."""
        return Summed(self.run, tuple(map(change, self._values)), hash((self._made, *made)), _SEAL)

    def _joined(self, other: Any, sign: int) -> Summed:
        if not isinstance(other, Summed):
            raise ClaimError(
                f"a sum over a run plus {type(other).__name__}: write run.fixed(...) for what does not change"
            )
        pairs = zip(self._values, other._values, strict=True)
        values = tuple(one + sign * two for one, two in pairs)
        return Summed(self.run, values, hash((self._made, sign, other._made)), _SEAL)

    def __add__(self, other: Any) -> Summed:
        return self._joined(other, 1)

    def __sub__(self, other: Any) -> Summed:
        return self._joined(other, -1)

    __radd__ = __rsub__ = __add__  # what is no sum over the run is refused on either side

    def __neg__(self) -> Summed:
        return self._each(lambda value: -value, "-")

    def __mul__(self, factor: Any) -> Summed:
        number = self.run.constant(factor)
        return self._each(lambda value: value * number, "*", made_of(number))

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> Summed:
        number = self.run.constant(divisor)
        return self._each(lambda value: value / number, "/", made_of(number))

    def sum(self, axis: int | tuple[int, ...] = -1) -> Summed:
        """Summed along ``axis``."""
        return self._each(lambda value: value.sum(axis), "Σ", made_of(axis))

    def __getitem__(self, place: Any) -> Summed:
        return self._each(lambda value: value[place], "[]", made_of(place))


@explained_class
class Run(Sealed):
    """The run of a case.

    Parameters
    ----------
    case : Case
    start : Any
        ``x_0``: what follows from ingredients that do not change along the run.
    move : callable
        ``move(own, x)`` is what a step makes of a state ``x``; ``own`` has the ingredients of the case as its attributes, and
        of those that move along the run what this step has of them.
    following : callable
        ``following(moved)`` is the state after it.
    arbitrary : str
        The name of the :class:`Arbitrary` ingredient that is any state that a run can reach; empty where ``x`` is None.
    count : str
        The name of the one that is any number of steps, counted from 1, where a term depends on it.
    """

    _in_formulas = ("start",)
    """What says which one it is, where an operation takes it."""

    def __init__(
        self,
        case: Case,
        start: Any,
        move: Callable[[Own, Any], Any],
        following: Callable[[Any], Any],
        arbitrary: str,
        count: str = "",
    ) -> None:
        self.case, self.start, self._move, self._following = case, start, move, following
        self._arbitrary, self._count = arbitrary, count
        self._length = case.sizes.steps if case._length is None else case._length
        self._every = self._length == EVERY
        self._found: dict[Any, Any] = {}  # the largest numbers that were asked for
        if self._every and bare(case.system) is not System.SYMBOLS:
            raise ExactnessError("an induction is decided in symbols only")
        for name in filter(None, (arbitrary, count) if self._every else ()):
            # What an instance has is no arbitrary one: in terms it would be the state itself, which it is not on a run.
            if not any(type(ingredient) is Arbitrary and ingredient.name == name for ingredient in case.ingredients):
                raise ClaimError(f"{name} is to be any one along the run, and no Arbitrary(...) of the setting")
        for part in leaves_of(start) if self._every else ():
            if isinstance(part, Numbers):
                self.require_fixed(part, "the start of the run")

    def _step(self, k: int | None, state: Any, count: Any) -> Step:
        if self.case._length is not None:  # one formula for all steps, whichever it is
            state, count = leaf(("state",), state, STEP), leaf(("count",), count, STEP)
        moved = self._move(Own(self.case, k), state)
        return Step(state, self._following(moved), moved, count)

    @cached_property
    def _identity(self) -> int:
        """The hash of what makes a run of any length the one that it is: its start, and what a step makes of a state."""
        return self._formula(self._steps[0])

    def _formula(self, step: Step) -> int:
        return hash((self._arbitrary, made_of(self.start), made_of(step.following)))

    def _require_only_run(self, step: Step) -> None:
        """An error for a second run: in a proof for every length the arbitrary state of one is that of the other."""
        if self.case.__dict__.setdefault("_only_run", self._formula(step)) != self._formula(step):
            raise ClaimError("sums over two runs in one proof for every number of steps; let one run have both states")

    def require_length(self, what: str) -> None:
        """An error in a proof for every number of steps, which does not know how many there are."""
        if self.case._length is not None:
            raise ClaimError(
                f"{what}: a proof for every number of steps is not told; use run.sum, run.last and run.fixed"
            )

    @property
    def steps(self) -> Sequence[Step]:
        """All steps of a run of given length."""
        self.require_length("the steps of a run, one by one")
        return self._steps

    @property
    def step(self) -> Step:
        """The step that a proof for every number of steps speaks of: what is computed of it goes into sum, last or largest."""
        if self.case._length is None:
            raise ClaimError("a run of given length has no step that stands for all; use run.steps")
        return self._steps[0]

    @cached_property
    def _steps(self) -> Sequence[Step]:
        """The steps of an instance: one by one of given length, all at once of any; in symbols an arbitrary one."""
        if self._every:
            # Without an ingredient that is any number of steps nothing may depend on it, and no number stands for it.
            count, state = (self.case._objects_of(name) for name in (self._count, self._arbitrary))
            step = self._step(0, state, count)
            self._require_only_run(step)
            self._require_every_state(step)
            return [step]
        return self._one_by_one() if self.case._length is None else [self._at_once()]

    def _one_by_one(self) -> list[Step]:
        found: list[Step] = []
        for k in range(self._length):
            found.append(self._step(k, found[-1].following if found else self.start, like(k + 1, self.case.system)))
        return found

    def _at_once(self) -> Step:
        """All steps, as one of instances that lie end to end, once for each step."""
        known = states_of(self.case, self._states)
        steps = self.case._steps
        assert steps is not None
        assert steps.alone is not None
        count = steps.alone._at_each([like(k + 1, self.case.system) for k in range(self._length)])
        step = self._step(None, known.states, count)
        if self._formula(step) != known.formula:
            raise ClaimError(OTHER_FORMULA)
        self._require_only_run(step)
        return step

    def _states(self) -> States:
        """The states of an instance, one after the other."""
        steps = self._one_by_one()
        self._one_formula([step.following for step in steps])
        return States([self.start, *(step.following for step in steps[:-1])], self._formula(steps[0]))

    def _require_every_state(self, step: Step) -> None:
        """What is said of the arbitrary state is true of the first one, and of what a step makes of it.

        Its entries are free numbers, or polynomials of these (1 less the others of a row), or the same in every state.
        """
        name = self._arbitrary
        states = (step.state, self.start, step.following)
        leaves = [leaves_of(state) for state in states]
        # All that is no number of the case is the same in each, so that it says nothing of the step.
        kinds = {(made_of(mapped(lambda _: 0, state)), len(found)) for state, found in zip(states, leaves, strict=True)}
        if len(kinds) > 1:
            raise ClaimError(
                f"{name} is another kind of thing than the start of the run, or than what a step makes of it"
            )
        if not all(one.shape == two.shape for other in leaves[1:] for one, two in zip(leaves[0], other, strict=True)):
            raise ClaimError(f"{name} has another shape than the start of the run, or than what a step makes of it")
        from ..arithmetic.patterns import describes

        counted = [] if step.count is None else [step.count]
        free = self._places_of(name, self._count)
        for which, other in zip(("the start of the run", "what a step makes of it"), leaves[1:], strict=True):
            said = [
                ~Truth.of(compare(one, sign, 0))._known() | compare(two, sign, 0)
                for one, two in zip(leaves[0], other, strict=True)
                for sign in ("≥", ">", "≤", "<")
            ]
            state = self.start if which.startswith("the start") else step.following
            if isinstance(state, Policy) and not all(
                true_everywhere(compare(factor.sum(-1), "=", 1)) for factor in state.factors
            ):
                raise ClaimError(f"{which} is no policy: its rows do not sum to 1")
            # The number of steps is another one than all numbers of the state, so it stands for itself.
            pattern, values = (
                [x for one in side for x in _entries(one)] for side in ([*leaves[0], *counted], [*other, *counted])
            )
            if not (describes(pattern, values, free) and all(map(true_everywhere, said))):
                raise ClaimError(f"{name} is to be any state of the run, and {which} may be none that it describes")
        if counted and not describes(_entries(step.count), _entries(step.count * 0), self._places_of(self._count)):
            raise ClaimError(f"{self._count} is to be any number of steps, counted from 1: a free number with low=1")

    # -- the three kinds of terms ---------------------------------------------------------------------------------------------

    def sum(self, term: Callable[[Step], Any]) -> Any:
        """``Σ_{k<K} t(x_k → x_{k+1})``; of axioms an axiom."""
        values = [self._number(term(step)) for step in self._steps]
        if isinstance(values[0], Axiom):
            return reduce(add, values)._changed(self._summed)
        formula = self._one_formula(values)
        return self._total(reduce(add, values), formula)

    def _total(self, value: Any, formula: int) -> Summed:
        """The sum over the run of what a step adds: base and step in a proof for every length; of given length it is known."""
        values = (0 * value, value) if self._every else (value,)
        if self.case._length is not None and not self._every:
            values = (self._along(lambda steps: steps.sum(-1), value),)
        return Summed(self, values, hash(("Σ", formula)), _SEAL)

    def _summed(self, part: Part) -> Part:
        """A quantity that is at least 0 at every step, summed over the run; what it rests on is true at every step."""
        total = self._total(part.value, self._one_formula([part.value]))
        if self._every or self.case._length is None:
            return part._replace(value=total, begun=None)
        truths = (self._along(lambda steps: steps.all(-1), every_entry(Truth.of(t))) for t in part[1:4])
        return Part(total, *truths)

    def _along(self, reduced: Callable[[Any], Any], value: Any) -> Any:
        """What becomes of all steps of a run, for the instances at each of its steps."""
        return repeated(reduced(apart(value, self._length)), self._length)

    def _one_formula(self, values: Sequence[Any], strange: int = OF_A_PLACE) -> int:
        """The hash of the formula of all these, one of each step; an error where it depends on the number of the step.

        ``strange`` is what it must not know: in a sum where the run stands at last, at its last place what a step knows.
        """
        made = [_formula_of(value) for value in values]
        if self.case._length is None:
            return hash(tuple(made))
        if len(set(made)) > 1:
            raise ClaimError(OTHER_FORMULA)
        if made[0] & strange:
            raise ClaimError(
                "what run.last(...) is told of a place is used outside of it; a term depends on its own step"
                if strange == OF_A_PLACE
                else "what a step of the run knows is used in run.last(...), which is told of a place: its state and index"
            )
        return made[0]

    def last(self, value: Callable[[Place], Any]) -> Any:
        """``f(x_K)``; of an axiom an axiom."""
        if self.case._length is None:
            return self._at_given_length(self._number(value(self._places[-1])))
        # As often on an instance as in a proof.
        first, old, new = (self._number(value(place)) for place in self._places)
        self._one_formula([first, old, new], OF_A_STEP)
        if not isinstance(new, Axiom):
            return self._last(first, old, new)

        def made() -> Part:
            parts = [axiom._computed() for axiom in (first, old, new)]
            truths = (both(*(every_entry(Truth.of(t)) for t in truth)) for truth in list(zip(*parts, strict=True))[1:4])
            return Part(self._last(*(part.value for part in parts)), *truths)

        return Axiom._of((), (made,), first, old, new)

    def _at_given_length(self, found: Any) -> Any:
        if isinstance(found, Axiom):
            return found._changed(lambda part: part._replace(value=self._at_given_length(part.value), begun=None))
        return Summed(self, (found,), made_of(found), _SEAL)

    def _last(self, first: Any, old: Any, new: Any) -> Summed:
        """The value at the last place, from that at the start, before an arbitrary step and after it."""
        formula = self._one_formula([first, old, new], OF_A_STEP)
        if self._every:
            self.require_fixed(first, "the value at the start of the run")
        return Summed(self, (first, new - old) if self._every else (new,), hash(("last", formula)), _SEAL)

    @cached_property
    def _places(self) -> tuple[Place, Place, Place]:
        """Where the run begins, stands before its last step, and ends: the same objects for every term."""
        step = self._steps[-1]
        before = None if step.count is None else step.count - 1
        state, before, following, count = map(self._of_the_last, (step.state, before, step.following, step.count))
        nowhere = None if count is None else like(0, self.case.system)
        found = Place(self.start, nowhere), Place(state, before), Place(following, count)
        if self.case._length is None:
            return found
        first, old, new = (Place(leaf("state", p.state, PLACE), leaf("index", p.index, PLACE)) for p in found)
        return first, old, new

    def _of_the_last(self, value: Any) -> Any:
        """What the last step has, for the instances at each step of their runs."""
        if self.case._length is None or self._every:
            return value
        return repeated(group(value, self._length - 1, self._length), self._length)

    def hedge(self, gains: Any, plays: Any, *bound: Any) -> Axiom:
        """:func:`~mappo_verify.axioms.hedge` over the run, of payoffs and plays ``[..., A]`` of a step; see :meth:`rounds`."""
        return hedge(*map(self._on_an_axis, (gains, plays)), *bound)

    def _on_an_axis(self, value: Any) -> Any:
        """What every step has on the axis before the last: of an arbitrary step it alone."""
        if self._every:
            return value[..., None, :]
        return same_formula(
            value[..., None, :], repeated(np.moveaxis(apart(value, self._length), -1, -2), self._length)
        )

    def rounds(self, axiom: Axiom) -> Axiom:
        """An axiom about the whole run that holds for every number of rounds: in symbols its base and its step."""

        def split(part: Part) -> Part:
            if part.begun is None:
                raise ClaimError(f"{axiom} is no theorem about runs of any length")
            if self._every:
                self.require_fixed(part.begun, "the quantity before the first round")
            values = (part.begun, part.value - part.begun) if self._every else (part.value,)
            return part._replace(value=Summed(self, values, made_of(part.value), _SEAL), begun=None)

        return axiom._changed(split)

    def fixed(self, value: Any) -> Any:
        """``c``, which does not change along the run; of an axiom an axiom."""
        if isinstance(value, Axiom):
            return value._changed(lambda part: part._replace(value=self.fixed(part.value), begun=None))
        number = self.constant(value)
        return Summed(self, (number, 0 * number) if self._every else (number,), hash(("fixed", made_of(number))), _SEAL)

    # -- constants of the run -------------------------------------------------------------------------------------------------

    def largest(self, name: str, value: Callable[[Step], Any]) -> Any:
        """``max_{k<K} f(x_k → x_{k+1})`` of a single number ``f``: a constant, of which :meth:`below` tells all that is used."""
        if (name, value) not in self._found:
            values = [self._number(value(step)) for step in self._steps]
            found: Any
            if self._every:
                found = self._over_the_run(f"{name} of {self._identity}", values[0])
            elif self.case._length is None:
                found = largest(np.stack(values, -1))
            else:
                found = self._along(largest, values[0])
            found = found._copy()
            found._made = of_now(made_from("the largest", [self._one_formula(values) & ~OF_A_STEP]))
            self._found[name, value] = found, values
        return self._found[name, value][0]

    def _over_the_run(self, name: str, value: Any) -> Any:
        """The number for the largest of all steps: ``value`` itself, if it is the same in each."""
        from ..arithmetic.symbols import depends, over_the_run

        if not depends(value._parts[0], self._moving):
            return value
        return value._each(lambda part: over_the_run(name, part))

    def below(self, name: str, value: Callable[[Step], Any], step: Step) -> Axiom:
        """``max_k f - f(step) ≥ 0`` for a step of this run."""
        place = next((k for k, one in enumerate(self._steps) if one is step), None)
        if place is None:
            raise ClaimError(f"the largest {name!r} of a run is above its own steps, and this is none of them")

        def made() -> Part:
            most = self.largest(name, value)
            return Part(most - self._found[name, value][1][place], True)

        return Axiom._of(("no step is above the largest",), (made,))

    def constant(self, value: Any) -> Any:
        """``value``, seen not to change along the run."""
        number = self._number(value)
        if self._every:
            self.require_fixed(number, "a constant of the run")
        return number

    def _number(self, value: Any) -> Any:
        if isinstance(value, (int, Fraction)):
            return like(value, self.case.system)
        if not isinstance(value, (Numbers, Axiom)):
            raise ClaimError(
                f"a {type(value).__name__} as a term, a constant or a factor of a sum over a run, which is no number"
            )
        return value

    def require_fixed(self, numbers: Numbers, what: str) -> None:
        """An error where symbols of the arbitrary state or step occur."""
        from ..arithmetic.symbols import depends

        if depends(numbers._parts[0], self._moving):
            raise ClaimError(
                f"{what} depends on the state or on the step; it belongs into run.sum(...) or run.last(...)"
            )

    @cached_property
    def _moving(self) -> frozenset[int]:
        """The places of the symbols that describe the arbitrary state and step, among all symbols."""
        return self._places_of(*(ingredient.name for ingredient in self.case.ingredients if ingredient.moves))

    def _places_of(self, *names: str) -> frozenset[int]:
        """The places of the symbols that describe ingredients of these names, among all symbols."""
        found: list[int] = []
        place = 0
        for ingredient in self.case.ingredients:
            for coordinate in ingredient.coordinates(self.case.sizes):
                size = int(np.prod(coordinate.shape))
                found += range(place, place + size) if ingredient.name in names else ()
                place += size
        return frozenset(found)


def _formula_of(value: Any) -> int:
    """The hash of the formula of a term; of an axiom its names, since its quantity is compared with the lines."""
    return made_from(value.names) if isinstance(value, Axiom) else made_of(value)


def _entries(numbers: Numbers) -> list[Any]:
    """All entries over symbols."""
    return numbers._parts[0].ravel().tolist()
