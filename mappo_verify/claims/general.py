"""A setting with more freedom, in which a claim is proved.

Where the instances of a claim are no rational functions of free numbers (a run whose policies are exponentials of critics, say),
its lines are proved for a more general setting (any policies, any critics).  Then they are *about* that setting: an instance is
turned into one of it, which must be accepted as such like any instance, and the lines are computed of that one alone.  One that
meets its own hypotheses and is not accepted shows that the other setting is not more general: an error of a claim of one's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..arithmetic.numbers import Numbers, bare
from ..arithmetic.one_instance import within_a_proof
from ..errors import ClaimError, Sealed
from .case import Case, Hypothesis, Ingredient
from .settings import Setting
from .settled import of_this_package


@dataclass(frozen=True, eq=False)
class General(Sealed):
    """A more general setting, and how an instance of a claim's own setting is one of it.

    Parameters
    ----------
    setting : Setting
        Its ingredients are those of the claim's own setting, or of a kind that can be verified: a ``Table``, a ``Distribution``,
        a ``PositiveScalar``.
    of : callable
        From a case of the claim's own setting, those ingredients that it has under no name: ``{"roots": ...}``.  The others are
        those of the same name, drawn or derived.
    """

    setting: Setting
    of: Callable[[Case], Mapping[str, Any]] = lambda _: {}

    def require_above(self, own: Setting) -> None:
        """An error for an ingredient of which cannot be verified what a proof knows of it."""
        for ingredient in self.unlike(own):
            known = of_this_package(ingredient) and (ingredient.verified or ingredient.optional)
            if ingredient.compute is None and not known:
                raise ClaimError(
                    f"{ingredient.name} of {self.setting.name!r} must be that of {own.name!r}: that another one is one of its "
                    "kind cannot be verified"
                )

    def kept(self, ingredients: Sequence[Ingredient]) -> frozenset[str]:
        """The names of the ingredients of this package that both settings have and draw; others could say that they are equal."""
        mine = {i.name: i for i in ingredients if i.compute is None and of_this_package(i)}
        return frozenset(
            i.name for i in self.setting.ingredients if i.compute is None and i.name in mine and mine[i.name] == i
        )

    def hypotheses(self, own: Setting) -> Iterator[Hypothesis]:
        """What an instance must meet besides: what is said of its ingredients, and the hypotheses of the setting."""
        for ingredient in self.unlike(own):
            yield from ingredient.hypotheses()
        yield from self.setting.hypotheses

    def unlike(self, own: Setting) -> list[Ingredient]:
        """The ingredients that are not simply taken over."""
        kept = self.kept(own.ingredients)
        return [ingredient for ingredient in self.setting.ingredients if ingredient.name not in kept]

    def shared(self, own: Setting) -> tuple[str, ...]:
        """The names that both settings have, and that must therefore mean the same: all that is not simply taken over."""
        mine = {ingredient.name for ingredient in own.ingredients}
        return tuple(ingredient.name for ingredient in self.unlike(own) if ingredient.name in mine)

    def case(self, special: Case) -> Case:
        """The instance as one of the general setting."""
        known: dict[int, Case] = special.__dict__["_general"]
        if id(self) not in known:
            with within_a_proof():
                objects = dict(self._objects(special))
            known[id(self)] = Case(
                self.setting.ingredients, special.sizes, bare(special.system), special._several, objects
            )
        return known[id(self)]

    def _objects(self, special: Case) -> Iterator[tuple[str, Any]]:
        given = self.of(special)
        kept = self.kept(special.ingredients)
        again = [name for name in given if name in kept]
        if again:
            raise ClaimError(f"{again} of {self.setting.name!r} are those of the instance; give nothing in their place")
        names = {*given, *special._objects, *(i.name for i in special.ingredients if i.compute is not None)}
        for ingredient in self.setting.ingredients:
            name = ingredient.name
            if ingredient.compute is not None or (ingredient.optional and name not in names):
                continue
            value = given[name] if name in given else getattr(special, name)
            special._require_same(self, value, f"{name} of {self.setting.name!r}")
            core = ingredient.core_shape(special.sizes)
            if core is not None and not (isinstance(value, Numbers) and value.shape == core):
                found = f"has shape {value.shape}" if isinstance(value, Numbers) else f"is a {type(value).__name__}"
                raise ClaimError(
                    f"{name} of {self.setting.name!r} {found}, it needs numbers of the case of shape {core}"
                )
            yield name, value
