"""A case is one instance of a setting, or a batch of them: its ingredients in one number system."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from math import prod
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
import numpy.typing as npt

from ..arithmetic import Hidden, System, Truth, compare, system_of
from ..arithmetic.formulas import OF_A_PLACE, made_of, of_a_run, of_now
from ..arithmetic.numbers import apart, bare, take
from ..arithmetic.one_instance import require_outside, within_a_proof
from ..errors import ClaimError, Sealed, require_printable
from ..model import Game, Policy
from ..model.conversion import convert
from ..model.trees import STEP, converted, end_to_end, leaf, mapped, repeated, unwrapped
from ..model.validation import array_of, require_finite
from .coordinates import EVERY, SMALLEST, Coordinate, Numbers, Sizes

Built = Mapping[str, Any]
"""The ingredients of an instance that are built already, by name."""


class Ingredient:
    """One named part of an instance: described by integers, built from them, or taken from what a user gives."""

    name: str
    optional: bool = False
    moves: bool = False
    """Whether it may be another one in every step of a run: what a proof for every number of steps must not take as constant."""
    compute: Callable[[Case], Any] | None = None
    """How it follows from the ingredients before it; None for what is drawn or given."""

    verified: bool = False
    """Whether its hypotheses say all that a proof knows of it."""

    exact: bool = False
    """Whether what is computed needs numbers that can be ordered; in balls it is that of the exact instance behind them."""

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        """The integers that describe it."""
        raise NotImplementedError

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> Any:
        """The object, from its coordinates in some number system; ``built`` holds the ingredients before it."""
        raise NotImplementedError

    def convert(self, value: Any, target: System) -> Any:
        """A user's object in another number system; non-finite numbers are refused by name and index."""
        given = array_of(value, self.name)
        require_finite(self.name, given)
        return convert(given, target)

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """What every instance satisfies by construction; verified all the same, for a user's objects may not."""
        return ()

    def notation(self, coordinate: str, index: tuple[int, ...]) -> str:
        """What a reader calls one of the free numbers that describe it in a proof."""
        return f"{coordinate}[{', '.join(map(str, index))}]" if index else coordinate

    def facts(self) -> tuple[Hypothesis, ...]:
        """What a proof knows of it besides; verified as well, though no hypothesis that a reader must be told."""
        return ()

    def steps_of(self, value: Any, sizes: Sizes) -> int | None:
        """The length of the run that a user's object describes; None where it tells nothing about a length."""
        return None

    def core_shape(self, sizes: Sizes) -> tuple[int, ...] | None:
        """The axes that a user's array has beyond the batch; None for a game or a policy, which know their own."""
        return self.coordinates(sizes)[0].shape

    def in_words(self, numbers: Numbers, sizes: Sizes) -> str:
        """One instance in a few words, from its coordinates; empty where its numbers say it best."""
        return ""

    def fixed_on(self, game: Game) -> Any:
        """What it is on a user's game, where that leaves no choice; None where any object is right."""
        return None

    def telling_on(self, game: Game, best: Policy | None) -> Any:
        """An object that deserves a case of its own on a user's game, whose optimal policy is ``best`` if it has one."""
        return None

    def plain_on(self, game: Game) -> Any:
        """The plainest object on a user's game, to show a claim with; None where a drawn one must do."""
        return None

    def batch_of(self, value: Any) -> tuple[int, ...]:
        """The batch axes of a user's object."""
        if isinstance(value, (Game, Policy)):
            return value.batch_shape
        core = len(self.core_shape(SMALLEST) or ())
        return tuple(np.shape(value)[: np.ndim(value) - core])


@dataclass(frozen=True)
class Hypothesis(Sealed):
    """A condition of the claim: ``holds(case)`` is a comparison, or a relation ``(left, "≤", right)``; an axis means "for all".

    The relation is one of ``< ≤ = ≥ >``.  A search reads from either how much an instance lacks, and moves to where less is
    missing.  ``by_construction`` says that the setting only draws instances that satisfy it; it is verified all the same.
    A proof may use a relation by :func:`.axioms.given`.  What is computed of ``run.step`` is asked of every step.
    """

    name: str
    holds: Callable[[Case], Any]
    by_construction: bool = False

    def __post_init__(self) -> None:
        require_printable(f"the hypothesis {self.name!a}", self.name)

    def _asked(self, case: Case) -> Any:
        """What it says of the case: the same formula whoever asks, so that what a proof takes as given is what is checked."""
        if not isinstance(case, Case):
            raise ClaimError(f"the hypothesis {self.name!r} is asked of a {type(case).__name__}, which is no case")
        found = self.holds(case)
        if case._length is not None and of_a_run(found) & OF_A_PLACE:
            raise ClaimError(
                f"{self._described} says what run.last(...) is told of a place; let it speak of every step"
            )
        # A proof may take a relation as given, so it is one formula, and never anything else than a relation.
        case._require_same(self, found if isinstance(found, tuple) else None, self._described)
        return found

    def _of_any_length(self, case: Case) -> int | None:
        """Which formula it is of runs of any length; None if it was not asked, :data:`ONE_LENGTH` if it could not be."""
        return _formulas_of(self).get(case._of_any_length()._key(self._described))

    def _needs_one_length(self, case: Case) -> None:
        """From now on it is asked of runs of given length, in a proof, too, which then cannot take it as given."""
        _formulas_of(self).setdefault(case._of_any_length()._key(self._described), ONE_LENGTH)

    @property
    def _described(self) -> str:
        return f"the hypothesis {self.name!r}"

    def truth(self, case: Case) -> Truth:
        """Three-valued truth of the condition."""
        found = self._asked(case)
        truth = compare(*found) if isinstance(found, tuple) else found
        return truth if case._length is None or not of_a_run(truth) else case._in_every_step(truth)

    def slack(self, case: Case) -> Any:
        """What a relation says is at least 0: ``left - right``, or ``right - left`` for ``≤`` and ``<``."""
        found = self._asked(case)
        if not isinstance(found, tuple) or found[1] not in ("≤", "<", "≥", ">"):
            raise ClaimError(
                f"the hypothesis {self.name!r} says of nothing that it is at least 0; write it as a relation: "
                'Hypothesis(name, lambda case: (left, "≥", right))'
            )
        left, relation, right = found
        return left - right if relation in ("≥", ">") else right - left


_FORMULAS: dict[int, tuple[ref[Any], dict[tuple[Any, ...], int | None]]] = {}
"""Which formula each hypothesis and each ingredient was at first, by the sizes and the other ingredients.

Ingredients of one's own and derived ones stand with the first of their setting.
"""

ONE_LENGTH = -1
"""No formula: what a hypothesis has of runs of any length that asks how many steps there are, or for what one of them has."""


_SERIALS: dict[int, tuple[ref[Any], int]] = {}


def _serial(ingredient: Any) -> int:
    """A number that no other ingredient has, unlike its place in memory, which a later one may take."""
    known = _SERIALS.get(id(ingredient))
    if known is None or known[0]() is not ingredient:
        known = _SERIALS[id(ingredient)] = ref(ingredient), next(_COUNT)
    return known[1]


_COUNT = count()


def _formulas_of(asked: Any) -> dict[tuple[Any, ...], int | None]:
    known = _FORMULAS.get(id(asked))
    if known is None or known[0]() is not asked:
        known = _FORMULAS[id(asked)] = ref(asked), {}
    return known[1]


@dataclass(frozen=True, eq=False)
class States:
    """The states ``x_0, ..., x_{K-1}`` of a run, end to end, and which formula the run is."""

    states: Any
    formula: int


@dataclass(eq=False)
class Steps:
    """What instances of any length know of the steps of their runs."""

    known: tuple[States, ...]
    """The states of each run, in the order in which a proof asks for them."""
    alone: Case | None = None
    """The same instances, each once only; None where this is what they are."""
    left: list[States] = field(init=False)
    """Those that it has not asked for so far; this and what follows is set where an evaluation begins."""
    stopped: bool = field(init=False)
    over: bool = field(init=False)


class Case(Sealed):
    """One instance: its ingredients in one number system, as attributes of their names.

    ``several`` is how many lie side by side, ``()`` for one alone: for the engine, since a proof sees the numbers of one.
    """

    RESERVED = frozenset(
        {
            "ingredients",
            "sizes",
            "system",
            "several",
            "batch_shape",
            "objects",
            "handed_in",
            "plain",
            "take",
            "to",
            "steps",
            "RESERVED",
        }
    )
    batch_shape: tuple[int, ...] = ()
    _in_formulas: tuple[str, ...] = ()
    """Nothing: the numbers of every case are leaves of the same names."""

    def __init__(
        self,
        ingredients: tuple[Ingredient, ...],
        sizes: Sizes,
        system: System,
        several: tuple[int, ...],
        objects: Mapping[str, Any],
        origin: Case | None = None,
    ) -> None:
        require_outside("another case")
        own = {"ingredients": tuple(ingredients), "sizes": sizes, "system": Hidden(system), "_several": several}
        self.__dict__.update(
            own, _objects=dict(objects), _derived={}, _shown={}, _origin=origin, _length=None, _steps=None, _general={}
        )
        self.__dict__["_built"] = {} if origin is None else origin._built

    if TYPE_CHECKING:
        ingredients: tuple[Ingredient, ...]
        sizes: Sizes
        system: Hidden
        _several: tuple[int, ...]
        _objects: dict[str, Any]
        _derived: dict[str, Any]
        _origin: Case | None
        _built: dict[str, int]
        """Which formula built each ingredient of one's own that is drawn."""
        _length: Any
        _steps: Steps | None

    def __setattr__(self, name: str, value: Any) -> None:
        raise ClaimError(f"a case does not change: {name} cannot be set")

    __delattr__ = __setattr__  # type: ignore[assignment]

    @property
    def several(self) -> tuple[int, ...]:
        """How many lie side by side, ``()`` for one alone."""
        require_outside("how many instances there are")
        return self._several

    @property
    def objects(self) -> dict[str, Any]:
        """What is given, by name."""
        require_outside("all that a case has")
        return dict(self._objects)

    def __getattr__(self, name: str) -> Any:
        objects, derived = self.__dict__.get("_objects", {}), self.__dict__.get("_derived", {})
        if self.__dict__.get("_length") is not None:
            self._require_no_part_of_the_run(name)
        if name in objects:
            return self._leaf(name, objects[name])
        for ingredient in self.__dict__.get("ingredients", ()):
            if ingredient.name == name and ingredient.compute is not None:
                if name not in derived:
                    origin = self.__dict__["_origin"]
                    if ingredient.exact and origin is not None:
                        found = converted(getattr(origin, name), bare(self.system))
                    else:
                        found = ingredient.compute(self)
                        self._require_same(self.ingredients[0], found, name)
                    derived[name] = found
                return self._leaf(name, derived[name])
        raise AttributeError(f"this case has no {name!r}; it has {sorted(objects)}")

    def _leaf(self, name: str, value: Any) -> Any:
        """What a formula sees of an object: the same one as long as an evaluation goes on."""
        known: dict[tuple[str, int], Any] = self.__dict__["_shown"]
        key = name, of_now(0)
        if key not in known:
            known[key] = leaf(name, value)
        return known[key]

    def _left_out(self) -> tuple[str, ...]:
        """What need not be given, and is not."""
        return tuple(
            i.name for i in self.ingredients if i.compute is None and not i.moves and i.name not in self._objects
        )

    def _require_same(self, asked: Any, found: Any, what: str) -> None:
        """An error where a hypothesis or an ingredient is another formula than before: its sizes alone may decide which."""
        self._require_formula(asked, None if callable(found) else made_of(found), what)

    def _require_formula(self, asked: Any, made: int | None, what: str) -> None:
        if _formulas_of(asked).setdefault(self._key(what), made) != made:
            raise ClaimError(
                f"{what} is no function of its case: it is another formula than it was before ({self.sizes})"
            )

    def _key(self, what: str) -> tuple[Any, ...]:
        """Of what the formula of a hypothesis or an ingredient may depend."""
        return (what, self.sizes, self._left_out(), *map(_serial, self.ingredients))

    # -- runs of any length -------------------------------------------------------------------------------------------

    def _of_any_length(self) -> Case:
        """The case as a proof for every number of steps sees it: how many there are it is not told, nor what each step has.

        What does not move along the run has the same shape and range for every number of steps, and what each step has of the
        rest, too.
        """
        length = self.sizes.steps
        for ingredient in self.ingredients:
            if length == EVERY and ingredient.moves:
                continue
            here, one = (self._ranges(ingredient, k) for k in ((2, 3) if length == EVERY else (length, EVERY)))
            parts = (one * length, [((length, *s[1:]), *r) for s, *r in one]) if self._in_parts(ingredient) else (one,)
            if here not in parts and ingredient.name in self._objects:
                raise ClaimError(
                    f"what a step has of {ingredient.name} is of another shape or range in runs of another length"
                    if ingredient.moves or [s for s, *_ in here] == [s for s, *_ in one]
                    else f"{ingredient.name} has numbers of its own for every step, and does not say that it moves"
                )
        found = Case(
            self.ingredients, replace(self.sizes, steps=EVERY), bare(self.system), self._several, self._objects
        )
        origin = None if self._origin is None else self._origin._of_any_length()
        found.__dict__.update(_origin=origin, _length=self.sizes.steps, _steps=Steps(()), _built=self._built)
        for name, made in self._built.items():
            found._require_formula(self.ingredients[0], made, f"{name}, in runs of another length,")
        return found

    def _at_all_steps(self, known: tuple[States, ...]) -> Case:
        """These instances of any length once for each step of their runs, end to end; ``known`` are the states there."""
        objects = {
            i.name: self._objects[i.name] if i.moves else repeated(self._objects[i.name], self._length)
            for i in self.ingredients
            if i.name in self._objects
        }
        count = self._length * prod(self._several)
        found = Case(self.ingredients, self.sizes, bare(self.system), (count,), objects)
        origin = None if self._origin is None else self._origin._at_all_steps(())
        found.__dict__.update(_origin=origin, _length=self._length, _steps=Steps(known, self))
        return found

    def _require_no_part_of_the_run(self, name: str) -> None:
        for ingredient in self.ingredients:
            if ingredient.name == name and ingredient.moves:
                raise ClaimError(
                    f"{name} is another one in every step of a run; a proof for every number of steps takes it from the step: "
                    f"move=lambda own, state: ... own.{name} ..."
                )

    def _objects_of(self, name: str) -> Any:
        """An ingredient of this name, whatever it is; None for none."""
        if not name:
            return None
        return leaf(name, self._objects[name]) if name in self._objects else getattr(self, name)

    def _ranges(self, ingredient: Ingredient, steps: int) -> list[tuple[Any, ...]]:
        """The shape and the range of all that describes an ingredient in a run of so many steps."""
        found = ingredient.coordinates(replace(self.sizes, steps=steps))
        return [(c.shape, c.kind, c.low, c.high) for c in found]

    def _in_parts(self, ingredient: Ingredient) -> bool:
        """Whether each step of a run has its own part of it."""
        return ingredient.moves and self._ranges(ingredient, 2) != self._ranges(ingredient, 3)

    def _share(self, ingredient: Ingredient, step: int | None) -> Any:
        """What a step of a run has of an ingredient: one of as many parts as there are steps, or all of it.

        None stands for all steps, end to end.
        """
        alone = None if self._steps is None else self._steps.alone
        if alone is not None and step is not None:
            return repeated(alone._share(ingredient, step), self._length)
        if alone is not None:
            return alone._at_each([alone._share(ingredient, k) for k in range(self._length)])
        assert step is not None
        value = self._objects_of(ingredient.name)
        length = self.sizes.steps if self._length is None else self._length
        if not self._in_parts(ingredient) or (length == EVERY and isinstance(value, tuple)):
            share = value
        elif not isinstance(value, tuple):
            share = value[0 if length == EVERY else step]
        else:
            each = len(value) // length
            share = value[step * each :][:each]
        return leaf(ingredient.name, share, STEP)

    def _in_every_step(self, truth: Any) -> Any:
        """For every step of the runs of these instances, what is known of each of them."""
        alone = None if self._steps is None else self._steps.alone
        return truth if alone is None else repeated(apart(truth, self._length).all(-1), self._length)

    def _at_each(self, values: list[Any]) -> Any:
        """What these instances have at each step, end to end."""
        return end_to_end(values, [prod(self._several)] * len(values))

    def handed_in(self) -> Iterator[tuple[str, Any, Any]]:
        """Name, given object, and what it would be, of every derived ingredient that the user has given all the same."""
        for ingredient in self.ingredients:
            if ingredient.compute is not None and ingredient.name in self._objects:
                rest = {name: value for name, value in self._objects.items() if name != ingredient.name}
                own = Case(self.ingredients, self.sizes, bare(self.system), self._several, rest, self._origin)
                with within_a_proof():
                    follows = ingredient.compute(own)
                yield ingredient.name, self._objects[ingredient.name], follows

    def to(self, target: System) -> Case:
        """The same instance in another number system; what is derived is derived anew there."""
        require_outside("another number system of a case")
        if self.system == target:
            return self
        objects = {name: converted(value, target) for name, value in self._objects.items()}
        origin = self if self.system == System.RATIONALS else self._origin
        return Case(self.ingredients, self.sizes, target, self._several, objects, origin)

    def _exactly(self) -> Case:
        """The exact instance behind balls; itself where there is none: for what an ingredient says of its own construction."""
        return self if self._origin is None else self._origin

    def plain(self) -> dict[str, Any]:
        """All that is given or has been derived, as plain games, policies and arrays: for pages and tables."""
        require_outside("plain arrays of a case")
        return {name: unwrapped(value, self._several) for name, value in (self._derived | self._objects).items()}

    def take(self, chosen: Any) -> Case:
        """The instances under a mask; what is derived is derived anew."""
        require_outside("chosen instances of a case")
        return self._taken(np.flatnonzero(chosen)) if self._several else self

    def _taken(self, places: npt.NDArray[np.intp]) -> Case:
        known: dict[int, Any] = {}  # what two objects share stays shared, so it is still known to be equal

        def kept(part: Any) -> Any:
            if id(part._parts) not in known:
                known[id(part._parts)] = take(part, places)
            return known[id(part._parts)]

        objects = {name: mapped(kept, value) for name, value in self._objects.items()}
        origin = None if self._origin is None else self._origin._taken(places)
        found = Case(self.ingredients, self.sizes, bare(self.system), (len(places),), objects, origin)
        steps = None if self._steps is None else Steps(())
        found.__dict__.update(_length=self._length, _steps=steps, _built=self._built)
        return found


def system_of_object(value: Any) -> System:
    """The number system of a game, a policy, a table, or a tuple of tables."""
    if isinstance(value, (Game, Policy)):
        return value.system
    found: System = (
        system_of(*(array_of(table, "value") for table in value))
        if isinstance(value, tuple)
        else system_of(array_of(value, "value"))
    )
    return found
