"""Axioms: inequalities that a proof may use by name.

Each function returns a quantity that is at least 0 by a theorem of its name, for arguments that meet its hypotheses: the larger
side minus the smaller one.  Such quantities may be added, multiplied by numbers that are at least 0, and summed; what comes out
is at least 0 again.  A line that uses one,

    yield at_least("0", 0, because="Gibbs' inequality", axiom=beta * gibbs(q, p))

is checked on every instance: the line before minus this one must *be* that quantity, and the hypotheses must hold.  In a proof
the same is decided for all parameters: the difference of the two lines is the quantity, identically, factors and weights are at
least 0 by what the ingredients state, and rows that must be distributions sum to 1.

>>> import mappo_verify as mv
>>> from mappo_verify.arithmetic import System
>>> from mappo_verify.arithmetic.numbers import wrap
>>> import numpy as np
>>> x = wrap(np.array([[3, -4]]), System.RATIONALS, 1)
>>> print(squares(x).names, squares(x).value.unwrap())
('x² ≥ 0',) [[9 16]]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import InitVar, dataclass
from fractions import Fraction
from functools import cache, wraps
from typing import Any, NamedTuple, ParamSpec
from weakref import WeakSet

import numpy as np

from .arithmetic import (
    UNKNOWN,
    Array,
    Numbers,
    System,
    absolute,
    both,
    compare,
    divide,
    every,
    everywhere,
    exp,
    largest,
    like,
    log,
    smallest,
    sqrt,
    system_of,
    tilt,
    truth_of,
    xlogy,
)
from .arithmetic.functions import not_refuted
from .arithmetic.numbers import bare
from .arithmetic.one_instance import Truth, require_outside
from .errors import ClaimError, Sealed

P = ParamSpec("P")

HYPOTHESIS = "hypothesis: "
"""What the name of :func:`given` begins with."""
_SEAL = object()
"""What shows that an axiom was made in this module."""
_MADE: WeakSet[Axiom] = WeakSet()
"""All axioms that were."""


NOT_BY_HAND = "an axiom is made by the functions of mv.axioms, which are theorems, and not by hand"


class Part(NamedTuple):
    """One quantity that is at least 0, and what that rests on, three-valued.

    ``signs`` are inequalities between numbers whose signs are known by construction, ``sums`` equalities, and ``given`` what
    only the hypotheses of the claim can say.  That is checked on instances; where symbols do not decide it, the verdict of a
    proof says so.  Of a theorem about runs of any length ``begun`` is the quantity before the first round, to which every round
    adds one term.
    """

    value: Any
    signs: Any
    sums: Any = True
    given: Any = True
    begun: Any = None

    def each(self, change: Callable[[Any], Any]) -> Part:
        """The same with a linear change of the quantity."""
        return self._replace(value=change(self.value), begun=None if self.begun is None else change(self.begun))


@dataclass(frozen=True, eq=False, repr=False)
class Axiom(Sealed):
    """A quantity that is at least 0 by named theorems, and the hypotheses under which they say so.

    ``value`` is computed when it is asked for: not every number system has every quantity.
    """

    __array_ufunc__ = None  # numbers on its left leave the product to it

    names: tuple[str, ...]
    _parts: tuple[Callable[[], Part], ...]
    hypotheses: tuple[Any, ...] = ()
    """What :func:`given` took from the setting: the engine checks that it is there."""
    checked: tuple[tuple[str, str], ...] = ()
    """By name, what an axiom takes as given that symbols may not decide: then a verdict says that instances were checked."""
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise ClaimError(NOT_BY_HAND)
        _MADE.add(self)

    def require_theorem(self) -> None:
        """An error where it was made by hand, past its constructor."""
        if self not in _MADE:
            raise ClaimError(NOT_BY_HAND)

    @classmethod
    def _of(cls, names: tuple[str, ...], parts: tuple[Callable[[], Part], ...], *reasons: Axiom) -> Axiom:
        """An axiom of the table, or of the engine; what it leans on is passed on."""
        everything = (*names, *(name for reason in reasons for name in reason.names))
        taken = (hypothesis for reason in reasons for hypothesis in reason.hypotheses)
        checked = (pair for reason in reasons for pair in reason.checked)
        return cls(
            tuple(dict.fromkeys(everything)), parts, tuple(dict.fromkeys(taken)), tuple(dict.fromkeys(checked)), _SEAL
        )

    def _computed(self) -> Part:
        """The quantity and its hypotheses, for all entries."""
        found = [part() for part in self._parts]
        total = found[0].value
        for part in found[1:]:
            total = total + part.value
        signs, sums, given = (
            both(*(every_entry(Truth.of(t)) for t in truths)) for truths in list(zip(*found, strict=True))[1:4]
        )
        return Part(total, signs, sums, given)

    def _compared(self) -> Part:
        """The same, to compare with lines: a sum over a run, with which nothing but sums is done before, as its numbers."""
        found = self._computed()
        return found if isinstance(found.value, Numbers) else found._replace(value=found.value._compared())

    @property
    def value(self) -> Array:
        """The quantity; a proof says what it is by its lines."""
        require_outside("the quantity of an axiom")
        return self._compared().value  # type: ignore[no-any-return]

    @property
    def holds(self) -> Any:
        """Whether the hypotheses hold, three-valued."""
        require_outside("the hypotheses of an axiom")
        return both(*self._computed()[1:4])

    def __add__(self, other: Any) -> Axiom:
        if not isinstance(other, Axiom):
            raise ClaimError(f"an axiom plus {other!r}: only quantities that are at least 0 by an axiom may be added")
        return self._of((), self._parts + other._parts, self, other)

    def __mul__(self, factor: Any) -> Axiom:
        """Multiplied by a number that is at least 0, which is checked."""
        if isinstance(factor, Numbers):
            at_least_zero = _at_least_zero(factor)
        elif type(factor) in (int, Fraction):
            at_least_zero = Truth.of(bool(factor >= 0))
        else:
            raise ClaimError(f"an axiom times {factor!r}: a factor is a number of the case, an integer or a Fraction")

        def scaled(part: Part) -> Part:
            signs = both(every_entry(Truth.of(part.signs)), at_least_zero)
            return part._replace(signs=signs).each(lambda value: factor * value)

        return self._changed(scaled)

    __rmul__ = __mul__

    def sum(self, axis: int | tuple[int, ...] = -1) -> Axiom:
        """Summed along ``axis``."""
        return self._changed(lambda part: part.each(lambda value: value.sum(axis)))

    def __getitem__(self, place: Any) -> Axiom:
        """Entries of the quantity, by an index of its array."""
        return self._changed(lambda part: part.each(lambda value: value[place]))

    def _changed(self, change: Callable[[Part], Part]) -> Axiom:
        """The same theorems with every part changed: for the engine, which must keep it at least 0."""

        def later(part: Callable[[], Part]) -> Callable[[], Part]:
            return lambda: change(part())

        return self._of((), tuple(map(later, self._parts)), self)

    @classmethod
    def _together(cls, axioms: list[Axiom], join: Callable[[list[Any]], Any]) -> Axiom:
        """One axiom about several batches of instances, for the engine, which says how numbers and truth of these join."""

        def made() -> Part:
            return Part(*map(join, list(map(list, zip(*(axiom._compared() for axiom in axioms), strict=True)))[:4]))

        return cls._of((), (made,), *axioms)

    def __repr__(self) -> str:
        return " + ".join(self.names)


def every_entry(truth: Any) -> Any:
    """For all entries of an instance."""
    return every(truth, tuple(range(truth.ndim))) if truth.ndim else truth


def _axiom(name: str, made: Callable[[], Part], checked: str = "") -> Axiom:
    return Axiom((name,), (made,), (), ((name, checked),) if checked else (), _SEAL)


def _at_least_zero(values: Any) -> Any:
    return every_entry(compare(values, "≥", 0))


def _sums_to_one(rows: Any) -> Any:
    """Whether rows sum to 1 (not certainly to something else, in systems that certify no equality)."""
    return _same(rows.sum(-1), 1)


def is_about(quantity: Any, entries: Any) -> bool:
    """Whether a quantity may be that of these entries: one without entries equals everything, and says nothing."""
    return 0 not in np.shape(quantity) or 0 in np.shape(entries)


def _same(left: Any, right: Any) -> Any:
    """Whether all entries are equal (not certainly different, in systems that certify no equality)."""
    if not is_about(right, left):
        return Truth.of(False)
    equal = every_entry(compare(left, "=", right))
    return equal if bare(system_of(left)) is System.SYMBOLS else truth_of(not_refuted(equal))


def _theorem(function: Callable[P, Axiom]) -> Callable[P, Axiom]:
    """The same axiom, about numbers of the case and constants: what only looks like one could multiply as it likes."""

    @wraps(function)
    def about_numbers(*args: P.args, **kwargs: P.kwargs) -> Axiom:
        arguments = (*args, *kwargs.values())
        entries = [e for argument in arguments for e in (argument if type(argument) is tuple else (argument,))]
        strange = [
            e for e in entries if not (isinstance(e, (Numbers, Axiom)) or type(e) in (int, Fraction, type(None)))
        ]
        if strange or not any(isinstance(e, Numbers) for e in entries):
            what = f"a {type(strange[0]).__name__}" if strange else "constants alone"
            raise ClaimError(
                f"axioms.{function.__name__} of {what}: a theorem speaks of numbers of the case, integers and Fractions"
            )
        return function(*args, **kwargs)

    return about_numbers


@_theorem
def gibbs(left: Any, right: Any) -> Axiom:
    """``KL(p‖q) = Σ p log(p/q) ≥ 0`` for distributions over the last axis.  Source: Gibbs' inequality."""

    def made() -> Part:
        p, q = np.broadcast_arrays(left, right)
        signs, sums = both(_at_least_zero(p), _at_least_zero(q)), both(_sums_to_one(p), _sums_to_one(q))
        return Part(xlogy(p, divide(p, q)).sum(-1), signs, sums)

    return _axiom("KL ≥ 0", made)


@_theorem
def entropy(rows: Any) -> Axiom:
    """``H(p) = -Σ p log p ≥ 0`` for a distribution over the last axis."""
    return _axiom("H ≥ 0", lambda: Part(-xlogy(rows, rows).sum(-1), _at_least_zero(rows), _sums_to_one(rows)))


@_theorem
def pinsker(left: Any, right: Any) -> Axiom:
    """``KL(p‖q) - ½ ‖p - q‖₁² ≥ 0`` for distributions over the last axis.  Source: Pinsker's inequality."""

    def made() -> Part:
        distance = absolute(left - right).sum(-1)
        divergence, signs, sums, *_ = gibbs(left, right)._computed()
        return Part(divergence - distance * distance / 2, signs, sums)

    return _axiom("Pinsker", made)


@_theorem
def squares(values: Any) -> Axiom:
    """``x² ≥ 0``"""
    return _axiom("x² ≥ 0", lambda: Part(values * values, True))


@_theorem
def absolute_values(values: Any) -> Axiom:
    """``|x| - x ≥ 0``"""
    return _axiom("x ≤ |x|", lambda: Part(absolute(values) - values, True))


@_theorem
def triangle(left: Any, right: Any) -> Axiom:
    """``|x| + |y| - |x + y| ≥ 0``.  Source: the triangle inequality."""
    return _axiom("triangle inequality", lambda: Part(absolute(left) + absolute(right) - absolute(left + right), True))


@_theorem
def nonnegative(values: Any) -> Axiom:
    """``x ≥ 0`` of products, quotients and sums of numbers that are at least 0 by construction; a proof decides it by signs."""
    return _axiom("products and sums of numbers ≥ 0", lambda: Part(values, compare(values, "≥", 0)))


def _weighted_products(weights: Any, left: Any, right: Any, axis: int | tuple[int, ...]) -> tuple[Any, Any, Any, Any]:
    """``w``, ``Σ w x²``, ``Σ w y²`` and ``Σ w x y``."""
    w, x, y = np.broadcast_arrays(weights, left, right)
    return w, (w * (x * x)).sum(axis), (w * (y * y)).sum(axis), (w * x * y).sum(axis)


@_theorem
def cauchy_schwarz(weights: Any, left: Any, right: Any, axis: int | tuple[int, ...] = -1) -> Axiom:
    """``(Σ w x²)(Σ w y²) - (Σ w x y)² ≥ 0`` for ``w ≥ 0``.  Source: the Cauchy-Schwarz inequality."""

    def made() -> Part:
        w, one, two, mixed = _weighted_products(weights, left, right, axis)
        return Part(one * two - mixed * mixed, _at_least_zero(w))

    return _axiom("Cauchy-Schwarz", made)


@_theorem
def inner_product(weights: Any, left: Any, right: Any, axis: int | tuple[int, ...] = -1) -> Axiom:
    """``√(Σ w x²) √(Σ w y²) - Σ w x y ≥ 0`` for ``w ≥ 0``.  Source: the Cauchy-Schwarz inequality, its roots."""

    def made() -> Part:
        w, one, two, mixed = _weighted_products(weights, left, right, axis)
        return Part(sqrt(one) * sqrt(two) - mixed, _at_least_zero(w))

    return _axiom("Cauchy-Schwarz", made)


@_theorem
def inner_product_size(weights: Any, left: Any, right: Any, axis: int | tuple[int, ...] = -1) -> Axiom:
    """``√(Σ w x²) √(Σ w y²) - |Σ w x y| ≥ 0`` for ``w ≥ 0``.  Source: the Cauchy-Schwarz inequality, for ``x`` and ``-x``."""

    def made() -> Part:
        w, one, two, mixed = _weighted_products(weights, left, right, axis)
        return Part(sqrt(one) * sqrt(two) - absolute(mixed), _at_least_zero(w))

    return _axiom("Cauchy-Schwarz", made)


@_theorem
def hoelder(left: Any, right: Any) -> Axiom:
    """``‖f‖_∞ ‖g‖₁ - ⟨f, g⟩ ≥ 0`` over the last axis.  Source: Hölder's inequality."""

    def made() -> Part:
        f, g = np.broadcast_arrays(left, right)
        return Part(largest(absolute(f)) * absolute(g).sum(-1) - (f * g).sum(-1), True)

    return _axiom("Hölder", made)


@_theorem
def below_largest(values: Any, axis: int | tuple[int, ...] = -1) -> Axiom:
    """``max x - x ≥ 0`` for every entry along ``axis``."""
    axes = (axis,) if isinstance(axis, int) else tuple(axis)

    def made() -> Part:
        top = largest(values, axes)
        kept = tuple(1 if a - values.ndim in axes or a in axes else n for a, n in enumerate(values.shape))
        return Part(top.reshape(kept) - values, True)

    return _axiom("no entry is above the maximum", made)


@_theorem
def above_smallest(values: Any, axis: int | tuple[int, ...] = -1) -> Axiom:
    """``x - min x ≥ 0`` for every entry along ``axis``."""
    return Axiom._of(("no entry is below the minimum",), below_largest(-values, axis)._parts)


@_theorem
def largest_square(values: Any) -> Axiom:
    """``Σ x² - (max |x|)² ≥ 0`` over the last axis: the largest is one of the terms."""

    def made() -> Part:
        most = largest(absolute(values))
        return Part((values * values).sum(-1) - most * most, True)

    return _axiom("a term is at most the sum of terms ≥ 0", made)


@_theorem
def root_below(values: Any, bound: Any, reason: Axiom) -> Axiom:
    """``y - √x ≥ 0`` for ``y ≥ 0`` where ``y² - x`` is the quantity of ``reason``, so that ``x ≤ y²``: the root is monotone."""

    def made() -> Part:
        square, signs, sums, given, _ = reason._computed()
        same = _same(bound * bound - values, square)
        return Part(bound - sqrt(values), both(signs, _at_least_zero(bound)), both(Truth.of(sums), same), given)

    return Axiom._of(("√ is monotone",), (made,), reason)


@_theorem
def least_above(values: Any, bound: Any, reason: Axiom) -> Axiom:
    """``min_i x_i - c ≥ 0`` over the last axis where every ``x_i - c ≥ 0``, which is the quantity of ``reason``."""

    def made() -> Part:
        part = reason._computed()
        same = _same(values - bound[..., None], part.value)
        return Part(smallest(values) - bound, part.signs, both(Truth.of(part.sums), same), part.given)

    return Axiom._of(("what is below each is below the minimum",), (made,), reason)


@_theorem
def root_between(smaller: Any, larger: Any, reason: Axiom) -> Axiom:
    """``√y - √x ≥ 0`` where ``y - x`` is the quantity of ``reason``, so that ``x ≤ y``: the root is monotone."""

    def made() -> Part:
        difference, signs, sums, given, _ = reason._computed()
        same = _same(larger - smaller, difference)
        return Part(sqrt(larger) - sqrt(smaller), signs, both(Truth.of(sums), same), given)

    return Axiom._of(("√ is monotone",), (made,), reason)


@_theorem
def root_above(bound: Any, values: Any, reason: Axiom) -> Axiom:
    """``√x - y ≥ 0`` where ``x - y²`` is the quantity of ``reason``, so that ``y² ≤ x``: the root is monotone."""

    def made() -> Part:
        square, signs, sums, given, _ = reason._computed()
        same = _same(values - bound * bound, square)
        return Part(sqrt(values) - bound, signs, both(Truth.of(sums), same), given)

    return Axiom._of(("√ is monotone",), (made,), reason)


@_theorem
def bhatia_davis(weights: Any, values: Any) -> Axiom:
    """``(max x - E x)(E x - min x) - Var x ≥ 0`` for a distribution over the last axis.  Source: Bhatia and Davis (2000)."""

    def made() -> Part:
        w, x = np.broadcast_arrays(weights, values)
        mean = (w * x).sum(-1)
        variance = (w * (x * x)).sum(-1) - mean * mean
        value = (largest(x) - mean) * (mean - smallest(x)) - variance
        return Part(value, _at_least_zero(w), _sums_to_one(w))

    return _axiom("Bhatia-Davis", made)


@_theorem
def mean_below_largest(weights: Any, values: Any) -> Axiom:
    """``max x - Σ w x ≥ 0`` for a distribution ``w`` over the last axis."""

    def made() -> Part:
        w, x = np.broadcast_arrays(weights, values)
        return Part(largest(x) - (w * x).sum(-1), _at_least_zero(w), _sums_to_one(w))

    return _axiom("a mean is at most the maximum", made)


@_theorem
def jensen(weights: Any, values: Any) -> Axiom:
    """``log Σ w x - Σ w log x ≥ 0`` for a distribution ``w`` over the last axis and ``x > 0``.  Source: Jensen's inequality."""

    def made() -> Part:
        w, x = np.broadcast_arrays(weights, values)
        value = log((w * x).sum(-1)) - (w * log(x)).sum(-1)
        positive = every_entry(compare(x, ">", 0))
        return Part(value, both(_at_least_zero(w), positive), _sums_to_one(w))

    return _axiom("Jensen, log is concave", made)


@_theorem
def hoeffding(weights: Any, values: Any, step: Any, width: Any = None) -> Axiom:
    """``η E x + η² b²/8 - log E exp(η x) ≥ 0`` for a law ``w`` over the last axis and ``x`` in an interval of length ``b``.

    ``η`` and ``b`` have the shape of the result; without a ``width`` ``b`` is ``max x - min x``.  Source: Hoeffding's lemma.
    """

    def made() -> Part:
        w, x = np.broadcast_arrays(weights, values)
        extent = largest(x) - smallest(x)
        length = extent if width is None else width
        tilted = (w * exp(step[..., None] * x)).sum(-1)
        mean = (w * x).sum(-1)
        value = step * mean + Fraction(1, 8) * step * step * length * length - log(tilted)
        inside = True if width is None else every_entry(compare(extent, "≤", width))
        return Part(value, _at_least_zero(w), _sums_to_one(w), inside)

    return _axiom("Hoeffding's lemma", made, "" if width is None else "range")


@_theorem
def hedge(gains: Any, plays: Any, eta: Any, width: Any, comparator: Any, entropy_: Any) -> Axiom:
    """``log|A|/η + ηKB²/8 - Σ_k ⟨f_k, q - π_k⟩ ≥ 0`` for ``π_k ∝ exp(η Σ_{t<k} f_t)`` and any distribution ``q``.

    ``gains`` ``f_1, ..., f_K`` and ``plays`` ``π_1, ..., π_K`` are ``[..., K, A]``; every ``f_k`` lies in an interval of length
    ``width`` ``B``; ``comparator`` is ``q`` ``[..., A]``; ``eta``, ``width`` and ``entropy_``, which is ``log|A|``, are numbers.
    Source: Cesa-Bianchi and Lugosi (2006), Theorem 2.2; here it is proved as lemma-c.6/sharp.
    """

    def made() -> Part:
        f, played, q = np.broadcast_arrays(gains, plays, comparator[..., None, :])
        steps, actions = f.shape[-2:]
        lost = (f * (q - played)).sum((-2, -1))
        begun = entropy_ / eta
        value = begun + eta * steps * (width * width) / 8 - lost
        signs = both(compare(eta, ">", 0), _at_least_zero(q))
        if bare(system_of(f)) is System.SYMBOLS:
            return Part(value, signs, _sums_to_one(q), everywhere(UNKNOWN, (), f), begun)
        own = tilt(like(1, f), eta * (np.cumsum(f, axis=-2) - f))
        inside = every_entry(compare(largest(f) - smallest(f), "≤", width))
        same = [
            truth_of(not_refuted(compare(*pair)))
            for pair in ((played, "=", own), (entropy_, "=", log(like(actions, eta))))
        ]
        return Part(value, signs, _sums_to_one(q), both(inside, *map(every_entry, same)), begun)

    return _axiom("lemma-c.6/sharp", made, "plays and range")


def given(hypothesis: Any, case: Any) -> Axiom:
    """What a hypothesis of the setting says is at least 0 on this case: ``x - y`` where it is the relation ``(x, "≥", y)``."""

    @cache
    def made() -> Part:
        value = hypothesis.slack(case)
        return Part(value, True, given=True if bare(system_of(value)) is System.SYMBOLS else _at_least_zero(value))

    return Axiom((f"{HYPOTHESIS}{hypothesis.name}",), (made,), (hypothesis,), (), _SEAL)


@_theorem
def logarithm(values: Any) -> Axiom:
    """``x - 1 - log x ≥ 0`` for ``x > 0``."""
    return _axiom("log x ≤ x - 1", lambda: Part(values - 1 - log(values), every_entry(compare(values, ">", 0))))


TABLE = (
    gibbs,
    entropy,
    pinsker,
    squares,
    absolute_values,
    triangle,
    nonnegative,
    cauchy_schwarz,
    inner_product,
    inner_product_size,
    hoelder,
    below_largest,
    above_smallest,
    largest_square,
    root_below,
    least_above,
    root_between,
    root_above,
    bhatia_davis,
    mean_below_largest,
    jensen,
    hoeffding,
    hedge,
    given,
    logarithm,
)
"""All axioms; a proof that uses any other fact assumes it, and is not PROVED."""
