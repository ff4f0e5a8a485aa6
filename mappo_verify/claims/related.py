"""Ingredients that follow from others: an optimal policy, a Nash policy, the iterates of an algorithm, a policy near another.

>>> import mappo_verify as mv
>>> ingredients = (mv.GameData(), mv.PolicyData(product=True), mv.claims.NashPolicy("nash"), mv.claims.OptimalPolicy("best"))
>>> setting = mv.Setting("a game, a policy, and what it leads to", ingredients)
>>> game = mv.named_game("climbing").exact()
>>> case = setting.case_from({"game": game, "policy": mv.Policy.uniform(game)})
>>> case.nash.factors[0].shape, case.best.factors[1].shape
((1, 1, 3), (1, 3, 3))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from ..arithmetic import System, Truth, as_array, both, compare, every, is_hidden, like, system_of, truth_of
from ..arithmetic.functions import not_refuted
from ..arithmetic.numbers import bare
from ..errors import ClaimError, ExactnessError
from ..model import Game, Policy
from ..model.trees import leaves_of
from ..model.validation import unchecked
from ..quantities.equilibria import nash_policy
from ..quantities.optimal import optimal
from .case import Built, Case, Hypothesis
from .coordinates import EVERY, Coordinate, Numbers, Sizes, simplex
from .ingredients import Following, PolicyData

MAX_BITS = 20_000
"""Numerators and denominators of iterates longer than this are left to balls, which decide inequalities all the same."""


@dataclass(frozen=True)
class OptimalPolicy(Following):
    """A deterministic optimal joint policy of ``game``, found by exact policy iteration.

    It is computed after the hypotheses have passed, so let one of them, or the game's ``discount=``, say that γ < 1.  A claim
    about *any* optimal policy draws one and says by a hypothesis that it is optimal.
    """

    exact = True

    name: str = "optimal"
    game: str = "game"

    def convert(self, value: Any, target: System) -> Policy:
        return PolicyData(self.name).convert(value, target)

    def compute(self, case: Case) -> Policy:
        return optimal(getattr(case, self.game)).policy


@dataclass(frozen=True)
class NashPolicy(Following):
    """The Nash policy of ``game`` that agents reach from the product policy ``of`` by best responses in turn.

    Which equilibrium it is depends on the drawn policy, and many are not optimal: :func:`~mappo_verify.quantities.nash_policy`.
    """

    exact = True

    name: str = "nash"
    of: str = "policy"
    game: str = "game"

    def convert(self, value: Any, target: System) -> Policy:
        return PolicyData(self.name).convert(value, target)

    def compute(self, case: Case) -> Policy:
        return nash_policy(getattr(case, self.game), getattr(case, self.of))


@dataclass(frozen=True)
class Iterates(Following):
    """The iterates ``(x_0, ..., x_K)`` of an algorithm: ``x_0`` is the ingredient ``start``, ``x_{k+1} = update(case, x_k, k)``.

    ``K`` is the setting's number of steps: ``mv.Setting(..., steps=(1, 60))`` tries one step and sixty.  Where rational iterates
    grow beyond :data:`MAX_BITS`, the run goes on in balls.
    """

    name: str = "iterates"
    update: Callable[[Case, Any, int], Any] = field(default=None)  # type: ignore[assignment]
    start: str = "policy"

    def __post_init__(self) -> None:
        if not callable(self.update):
            raise ClaimError(
                f"{self.name}: update = {self.update!r} must be a function of case, iterate and step number"
            )

    def convert(self, value: Any, target: System) -> Any:
        raise ClaimError(f"{self.name} is computed from {self.start}; leave it out")

    def compute(self, case: Case) -> tuple[Any, ...]:
        if case.sizes.steps == EVERY:
            raise ClaimError(f"{self.name} is a run of given length; a proof for every length uses mv.claims.Run")
        found = [getattr(case, self.start)]
        for k in range(case.sizes.steps):
            found.append(self.update(case, found[-1], k))
            _require_short(found[-1], self.name, k + 1)
        return tuple(found)


@dataclass(frozen=True)
class NearbyPolicy(PolicyData):
    """A small change of the policy ``of``: ``(1 - ε) π + ε σ`` for every factor, with any policy ``σ`` and ``0 < ε < largest``.

    ``ε`` is drawn over four decades below ``largest``.  That a given policy is of this form is verified.  ``product`` draws a
    product ``σ``, ``full_support`` one without zeros.
    """

    name: str = "nearby"
    of: str = "policy"
    largest: int | Fraction = 1

    FINEST = 10_000

    def __post_init__(self) -> None:
        largest: object = self.largest
        if not isinstance(largest, (int, Fraction)) or not 0 < largest <= 1:
            raise ClaimError(f"{self.name}: largest = {largest!r} must be an integer or Fraction in (0, 1]")

    def coordinates(self, sizes: Sizes) -> tuple[Coordinate, ...]:
        share = Coordinate(f"{self.name}.change", (2,), "weight", 1, self.FINEST)
        return (share, *super().coordinates(sizes))

    def notation(self, coordinate: str, index: tuple[int, ...]) -> str:
        if coordinate == f"{self.name}.change":
            return "ε" if self.largest == 1 else f"(ε/({Fraction(self.largest)}))"
        return super().notation(coordinate, index).replace(self.name, "σ", 1)

    def build(self, numbers: Numbers, sizes: Sizes, built: Built, generic: int) -> Policy:
        other = super().build(numbers, sizes, built, generic)
        share = simplex(numbers[f"{self.name}.change"], generic, positive=True)[..., 0]
        share = as_array(like(Fraction(self.largest), share) * share)[..., None, None, None]
        kept = like(1, share) - share
        factors = tuple(
            kept * old + share * new for old, new in zip(built[self.of].factors, other.factors, strict=True)
        )
        unseen = generic or is_hidden(factors)
        return unchecked(Policy, factors=factors, system=system_of(*factors)) if unseen else Policy(factors)

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        def near(case: Case) -> Truth:
            exact, kept = case._exactly(), 1 - Fraction(self.largest)
            pairs = list(zip(getattr(exact, self.name).factors, getattr(exact, self.of).factors, strict=True))
            # The rest, divided by its sum, is a policy σ just where no entry of it is negative.
            rests = [(old, new - like(kept, old) * old) for new, old in pairs]
            some = both(*(every(compare(rest, ">", 0) | compare(old, "≤", 0), (-1, -2)) for old, rest in rests))
            return both(some, _by_a_product(pairs, kept)) if self.product else some

        supported = tuple(h for h in super().hypotheses() if self.full_support and "support" in h.name)
        by = "a product σ and " if self.product else ""
        name = f"{self.name} is (1 - ε) {self.of} + ε σ with {by}ε < {self.largest}"
        return (Hypothesis(name, near, True), *supported)

    def telling_on(self, game: Game, best: Policy | None) -> None:
        return None  # an optimal policy is near no other

    def plain_on(self, game: Game) -> None:  # type: ignore[override]
        return None  # nor is the uniform one


def _by_a_product(pairs: list[tuple[Any, Any]], kept: Fraction) -> Truth:
    """Whether new factors are ``(1 - ε)`` old ones and ``ε`` times those of a product, for one ``ε < 1 - kept``.

    The share of a product is the same after every prefix, so what differs between prefixes says what ``1 - ε`` is: ``N/D``.
    """
    apart = [tuple(rows - rows[..., :1, :] for rows in pair) for pair in pairs]
    size = sum((old * old).sum((-1, -2, -3)) for _, old in apart)  # D
    shared = sum((new * old).sum((-1, -2, -3)) for new, old in apart)  # N
    moved = compare(size, ">", 0)
    inside = compare(shared, "<", size) & compare(shared, ">", like(kept, size) * size)
    same = [compare(new * size, "=", old * shared) & (moved | compare(new, "=", 0)) for new, old in apart]
    left = [compare(new * size, "≥", old * shared) for new, old in pairs]
    return both(~moved | inside, *(every(truth_of(not_refuted(truth)), (-1, -2, -3)) for truth in (*same, *left)))


class TooLongError(ExactnessError):
    """Of all instances side by side, rationals have become too long to compute with, or nearly so."""


def _require_short(iterate: Any, name: str, steps: int) -> None:
    """An error where rationals have become too long to compute with, of one instance or of all."""
    for leaf in leaves_of(iterate):
        if bare(leaf.system) is System.RATIONALS:
            numbers = leaf._parts[0]
            bits = [x.height_bits() if hasattr(x, "height_bits") else 0 for x in numbers.flat]
            longest = max(bits, default=0)
            if longest > MAX_BITS:
                each = np.reshape(bits, (-1, numbers.shape[-1])).max(0)  # the last axis is that of the instances
                kind = TooLongError if 2 * each.min() > MAX_BITS else ExactnessError
                raise kind(f"{name}: after {steps} steps a rational has {longest} bits; balls go on")
