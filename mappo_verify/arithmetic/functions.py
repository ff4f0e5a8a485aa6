"""The functions of formulas: solving, comparing, choosing, logarithms, in every number system.

Each takes plain arrays (float64, rationals, balls, symbols; any leading axes are a batch) or the :class:`~.numbers.Numbers`
of one instance, and returns the same kind.  Formulas written with them are therefore written once.  Plain arrays go straight to
the function of :mod:`.dispatch` that stands above each; what is written here is for numbers of one instance.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import GameError, UndecidedError, evaluating
from . import dispatch as plain
from .array import Array
from .explained import elementary, helper, operation, operation_beside
from .formulas import made_by
from .numbers import Hidden, Numbers, constants, contract_numbers, wrap
from .numbers import zeros as zero_numbers
from .one_instance import UFUNCS, OneInstance, Truth, aligned, is_formal, is_of_a_paper, refuse
from .sparse import SparseRows, SparseSystem
from .structure import alike, broadcast_arrays, broadcast_to
from .system import FALSE, TRUE, UNKNOWN, System
from .system import Truth as PlainTruth
from .system import elementwise as plain_elementwise
from .system import system_of as plain_system_of

Mask = npt.NDArray[np.bool_]


def _numbers(*values: Any) -> Any:
    """All as numbers of one instance; an error that says what is none where none of them is."""
    if not _one_is(Numbers, values):
        plain_system_of(*values)
        refuse("this function without numbers", "its arguments are numbers of the case, and constants")
    return alike(values)


def _one_is(kind: type, values: tuple[Any, ...]) -> bool:
    """Whether one of these is of this kind."""
    for value in values:
        if isinstance(value, kind):
            break
    else:
        return False
    return True


# --- constants ---------------------------------------------------------------------------------------------------------


@elementary(plain.like)
def like(values: Any, reference: Any) -> Array:
    """Integers or Fractions in the number system of ``reference``, an array or a system: how constants enter a formula."""
    if isinstance(reference, (Numbers, Hidden)):
        if isinstance(values, Truth):
            return choose(values, constants(1, reference._arithmetic), 0)
        if isinstance(values, np.ndarray) and values.dtype.kind in "bi" and values.dtype.itemsize == 1:  # a 0-1 pattern
            if values.dtype.kind == "i" and not np.isin(values, (0, 1)).all():
                refuse("an array of int8 that is no 0-1 pattern", "it may have wrapped around; give Python's integers")
            return wrap(values.astype(np.int8), reference._arithmetic.system, values.ndim)  # type: ignore[return-value]
        return constants(values, reference._arithmetic)
    return plain.like(values, reference)


@operation_beside(plain.constant)
def constant(value: int | Fraction, reference: Any) -> Any:
    """One exact constant in the number system of ``reference``."""
    return like(value, reference) if isinstance(reference, (Numbers, Hidden)) else plain.constant(value, reference)


@operation
def zeros(shape: int | tuple[int, ...], reference: Any) -> Array:
    """Zeros of this shape in the number system of ``reference``."""
    wanted = (shape,) if isinstance(shape, int) else tuple(shape)
    if isinstance(reference, (Numbers, Hidden)):
        return zero_numbers(wanted, reference)
    return _filled(0, wanted, reference)


@operation
def ones(shape: int | tuple[int, ...], reference: Any) -> Array:
    """Ones of this shape in the number system of ``reference``."""
    wanted = (shape,) if isinstance(shape, int) else tuple(shape)
    if isinstance(reference, (Numbers, Hidden)):
        return zero_numbers(wanted, reference) + 1
    return _filled(1, wanted, reference)


def _filled(value: int, shape: tuple[int, ...], reference: Any) -> Array:
    number = plain.like(value, reference)
    return np.full(shape, number, number.dtype)


@operation_beside(plain.identity)
def identity(size: int, reference: Any) -> Array:
    """The identity matrix ``[size, size]`` in the number system of ``reference``."""
    if isinstance(reference, (Numbers, Hidden)):
        return like(np.eye(size, dtype=np.int8), reference)
    return plain.identity(size, reference)


@helper
def lift(scalar: Any, axes: int) -> Array:
    """A scalar per batch element, shaped to meet an array with ``axes`` core axes: ``[...]`` to ``[..., 1, 1]``.

    Of one instance it fits as it is.
    """
    if isinstance(scalar, OneInstance):
        return scalar  # type: ignore[return-value]
    values = np.asarray(scalar)
    return values.reshape(values.shape + (1,) * axes)


@helper
def lift_to(scalar: Any, table: Any) -> Array:
    """A scalar per batch element, shaped to meet a table that has the batch's axes and more."""
    try:
        beyond = table.ndim - scalar.ndim
    except AttributeError:  # of lists and numbers NumPy's function finds out, which takes a while
        beyond = np.ndim(table) - np.ndim(scalar)
    return lift(scalar, max(beyond, 0))


# --- linear algebra ------------------------------------------------------------------------------------------------------


@elementary(plain.contract)
def contract(subscripts: str, *factors: Any) -> Array:
    """``numpy.einsum`` in every number system.  Labels are lower-case letters; ``...`` stands for the batch, or for nothing."""
    return contract_numbers(subscripts, *_numbers(*factors))  # type: ignore[return-value]


@helper
def identity_minus(factor: Any, matrix: Any) -> Array:
    """``I - factor·M`` for ``M`` ``[..., n, n]`` and a factor per batch element."""
    if isinstance(matrix, SparseSystem):
        return matrix.minus(factor)
    return identity(matrix.shape[-1], matrix) - lift(factor, 2) * matrix


@helper
def successors(table: Any) -> int:
    """The most entries that a row of ``P`` ``[..., S, A, S]`` stores."""
    if isinstance(table, SparseRows):
        return table.successors
    return int(table.shape[-1])


@elementary(plain.solve)
def solve(matrix: Any, right: Any) -> Array:
    """``X`` with ``matrix @ X = right``; see :func:`mappo_verify.arithmetic.dispatch.solve`."""
    numbers = _numbers(matrix, right)
    one, two = numbers
    left, target, apart = _systems("solve", one, two)
    return apart(one._arithmetic.solve(left, target))


@elementary(plain.pseudo_solve)
def pseudo_solve(matrix: Any, right: Any) -> tuple[Array, Array]:
    """``M⁺R`` and ``R - MM⁺R``; see :func:`mappo_verify.arithmetic.dispatch.pseudo_solve`."""
    numbers = _numbers(matrix, right)
    one, two = numbers
    left, target, apart = _systems("pseudo_solve", one, two)
    solution, remainder = one._arithmetic.pseudo_solve(left, target)
    return apart(solution), apart(remainder)


def _systems(function: str, left: Numbers, target: Numbers) -> tuple[Any, Any, Callable[[Any], Numbers]]:
    """The systems of one instance among the instances, ``[..., n, k, B]`` as ``[n, k, ...·B]``; and the way back."""
    size = left.shape[-1] if left.ndim > 1 else 0
    if target.ndim < 2 or left.shape[-2:] != (size, size) or target.shape[-2] != size:
        raise ValueError(f"{function} needs [..., n, n] and [..., n, k], not {left.shape} and {target.shape}")
    several = np.broadcast_shapes(left.shape[:-2], target.shape[:-2])
    count = max(left._count, target._count)
    if not several:
        return left._parts, target._parts, lambda parts: Numbers(left._arithmetic, parts)

    def side_by_side(values: Numbers) -> Any:
        parts = broadcast_to(values, (*several, *values.shape[-2:]))._parts
        wide = (np.broadcast_to(part, (*part.shape[:-1], count)) for part in parts)
        return tuple(np.moveaxis(part, (-3, -2), (0, 1)).reshape(*values.shape[-2:], -1) for part in wide)

    def apart(parts: Any) -> Numbers:
        shaped = (part.reshape(*part.shape[:2], *several, count) for part in parts)
        return Numbers(left._arithmetic, tuple(np.moveaxis(part, (0, 1), (-3, -2)) for part in shaped))

    return side_by_side(left), side_by_side(target), apart


# --- elementary functions --------------------------------------------------------------------------------------------------


@elementary(plain.exp)
def exp(values: Any) -> Array:
    """The exponential.  On rationals it inverts formal logarithms and refuses everything else by name."""
    return _applied("exp", values)


@elementary(plain.log)
def log(values: Any) -> Array:
    """The natural logarithm of positive numbers; on rationals and symbols a formal, exact one."""
    return _applied("log", values)


@elementary(plain.sqrt)
def sqrt(values: Any) -> Array:
    """The square root of numbers ≥ 0; on rationals only of perfect squares."""
    return _applied("sqrt", values)


def _applied(name: str, values: Any) -> Any:
    (given,) = _numbers(values)
    return Numbers(given._arithmetic, getattr(given._arithmetic, name)(given._parts))


@elementary(plain.absolute)
def absolute(values: Any) -> Array:
    """``|x|``; on formal logarithms decided by enclosures of growing precision."""
    return abs(_numbers(values)[0])  # type: ignore[no-any-return]


@elementary(plain.square)
def square(values: Any) -> Array:
    """``x·x``; never ``x**2``, which is nan on a ball that contains 0."""
    (given,) = _numbers(values)
    return given * given  # type: ignore[no-any-return]


@elementary(plain.xlogy)
def xlogy(factor: Any, values: Any) -> Array:
    """``factor · log values`` with ``0 · log 0 = 0``.  A positive factor needs a positive value."""
    weight, argument = _numbers(factor, values)
    if weight._arithmetic.system is System.SYMBOLS:
        from . import symbols

        weight, argument = broadcast_arrays(weight, argument)
        return Numbers(weight._arithmetic, (symbols.xlogy(weight._parts[0], argument._parts[0]),))  # type: ignore[return-value]
    there = support(weight)
    return choose(there, weight * log(choose(there, argument, 1)), 0)


@elementary(plain.divide)
def divide(numerator: Any, denominator: Any) -> Array:
    """``numerator / denominator`` with ``0/0 := 0``, as in density ratios.

    ``x/0`` is infinite on floats and balls, an error on rationals, which have no infinity; of one instance it is no number.
    """
    above, below = _numbers(numerator, denominator)
    defined = support(below)
    both_vanish = ~defined & ~support(above)
    return choose(both_vanish, 0, above / choose(both_vanish, 1, below))


@operation
def denominator(values: Any) -> Array:
    """``x`` where it is not 0, and 1 elsewhere: for quotients that a mask, or a factor 0, leaves out there.

    Over symbols it is ``x`` itself, so a proof holds where ``x ≠ 0``.
    """
    if isinstance(values, Numbers) and values._arithmetic.system is System.SYMBOLS:
        from . import symbols

        return values._each(symbols.divisor)
    return choose(support(values), values, like(1, values))


@elementary(plain.tilt)
def tilt(weights: Any, exponents: Any) -> Array:
    """``weights·exp(exponents) / Σ weights·exp(exponents)`` over the last axis: Gibbs' distribution, and softmax."""
    weight, exponent = broadcast_arrays(*_numbers(weights, exponents))
    return Numbers(weight._arithmetic, weight._arithmetic.tilt(weight._parts, exponent._parts))


# --- looking at numbers ------------------------------------------------------------------------------------------------------


@elementary(plain.compare)
def compare(left: Any, relation: str, right: Any) -> PlainTruth:
    """Three-valued ``left relation right`` for a relation of ``=``, ``≤``, ``≥``, ``<``, ``>``, element by element.

    Balls and enclosures never certify an equality, but of points.  Floats compare their rounded values; that is no proof.
    """
    one, two = _numbers(left, right)
    if relation in ("≥", ">"):
        return two.compare("≤" if relation == "≥" else "<", one)
    if relation not in ("=", "≤", "<"):
        raise ValueError(f"unknown relation {relation!r}; use one of = ≤ ≥ < >")
    return one.compare(relation, two)


@operation_beside(plain.certainly_equal)
def certainly_equal(left: Any, right: Any) -> Mask:
    """Where two entries are one number beyond doubt; of one instance three-valued."""
    if not _one_is(Numbers, (left, right)):
        return plain.certainly_equal(left, right)
    one, two = broadcast_arrays(left, right)
    same = Truth(np.where(one._arithmetic.certainly_equal(one._parts, two._parts), TRUE, FALSE))
    return same | one.compare("=", two)  # type: ignore[return-value]


@operation_beside(plain.support)
def support(values: Any) -> Mask:
    """Where a number is not 0, by the zero *pattern*; of one instance three-valued."""
    if isinstance(values, Numbers):
        return Truth(values._arithmetic.nonzero(values._parts))
    return plain.support(values)


@elementary(plain.maximum)
def maximum(left: Any, right: Any) -> Array:
    """The larger of two numbers; an enclosure of it where that is undecided."""
    one, two = _numbers(left, right)
    return one._binary(two, one._arithmetic.maximum)  # type: ignore[no-any-return]


@elementary(plain.minimum)
def minimum(left: Any, right: Any) -> Array:
    """The smaller of two numbers; an enclosure of it where that is undecided."""
    one, two = _numbers(left, right)
    return -maximum(-one, -two)


@elementary(plain.largest)
def largest(values: Any, axis: int | tuple[int, ...] = -1) -> Array:
    """The maximum along ``axis`` (one or several)."""
    return _numbers(values)[0].max(axis)  # type: ignore[no-any-return]


@elementary(plain.smallest)
def smallest(values: Any, axis: int | tuple[int, ...] = -1) -> Array:
    """The minimum along ``axis`` (one or several)."""
    return _numbers(values)[0].min(axis)  # type: ignore[no-any-return]


@elementary(plain.at_largest)
def at_largest(scores: Any, table: Any) -> Array:
    """``table(j*)`` with ``j*`` the first index of the largest score: from ``[..., J]`` and ``[..., J, d]`` to ``[..., d]``.

    An index may not depend on the instance, but an entry may.  Where two scores cannot be told apart, what contains both entries.
    """
    score, rows = _numbers(scores, table)
    highest, found = score[..., 0], rows[..., 0, :]
    for j in range(1, score.shape[-1]):
        found = choose((score[..., j] > highest)[..., None], rows[..., j, :], found)
        highest = maximum(highest, score[..., j])
    return found  # type: ignore[no-any-return]


@helper
def by_floats(function: Callable[..., npt.NDArray[np.float64]], *values: Any) -> Array:
    """What ``function`` makes of the nearest floats, exactly as it comes back: only a candidate, which is checked afterwards.

    ``function`` takes and returns float64 arrays whose leading axes are a batch; it may search, round or call a solver.  Only the
    proofs of papers ask for one: it sees all instances, and the nearest floats are others in every number system.
    """
    if not any(isinstance(value, Numbers) for value in values):
        return plain.like(_dyadic(function(*map(plain.floats_of, values))), plain_system_of(*values))
    if evaluating() and not is_of_a_paper(getattr(getattr(function, "__code__", None), "co_filename", "")):
        refuse("a function of floats in a formula", "it would see other instances, and no formula says what it does")
    numbers = alike(values)
    count = max(value._count for value in numbers)
    given = (np.moveaxis(value._arithmetic.floats(value._parts), -1, 0) for value in numbers)
    found = function(*(np.broadcast_to(each, (count, *each.shape[1:])) for each in given))
    exact = wrap(plain.like(_dyadic(found), System.RATIONALS), numbers[0]._arithmetic.system, found.ndim - 1)
    return made_by(("by_floats", getattr(function, "__code__", function)), exact, values)  # type: ignore[return-value]


def _dyadic(values: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    """Floats as the fractions that they are."""
    return np.asarray(np.frompyfunc(Fraction, 1, 1)(values), dtype=object)


# --- truth ---------------------------------------------------------------------------------------------------------------------


@elementary(plain.select)
def choose(truth: Any, if_true: Any, if_false: Any) -> Array:
    """``if_true`` where it holds, ``if_false`` where it does not.

    Where that is unknown, what contains both (enclosures and balls); :class:`~mappo_verify.errors.UndecidedError` where nothing
    does (symbols).  On plain arrays ``truth`` is a Boolean mask, or three-valued and taken where it is certain.
    """
    if isinstance(if_true, Truth) or isinstance(if_false, Truth):
        condition, one, two = Truth.of(truth), Truth.of(if_true), Truth.of(if_false)
        return (condition & one) | (~condition & two) | (one & two)
    if isinstance(truth, Truth) and not _one_is(Numbers, (if_true, if_false)):
        refuse("choose between two constants", "say of which system: choose(t, like(1, case.system), 0)")
    condition = Truth.of(truth)
    yes, no = _numbers(if_true, if_false)
    (test,), first, second = aligned(condition, yes, no)
    return Numbers(yes._arithmetic, yes._arithmetic.choose(test, first, second))


select = choose


@operation_beside(plain.truth_of)
def truth_of(condition: Any) -> PlainTruth:
    """A two-valued condition as three-valued truth."""
    return condition if isinstance(condition, Truth) else plain.truth_of(condition)


@operation
def everywhere(truth: np.int8, shape: tuple[int, ...], reference: Any) -> PlainTruth:
    """One truth (TRUE, UNKNOWN or FALSE) in a shape; ``reference`` is an array or a system, as in :func:`like`."""
    if truth not in (TRUE, UNKNOWN, FALSE):
        raise ValueError(f"{truth!r} is no truth: it is TRUE, UNKNOWN or FALSE")
    values = np.full(shape, truth)
    return Truth(values[..., None]) if isinstance(reference, (Numbers, Hidden)) else values  # type: ignore[return-value]


@operation_beside(plain.both)
def both(*truths: Any) -> PlainTruth:
    """Three-valued AND."""
    if _one_is(Truth, truths):
        return reduce(operator.and_, map(Truth.of, truths))
    return plain.both(*truths)


@operation_beside(plain.either)
def either(*truths: Any) -> PlainTruth:
    """Three-valued OR."""
    if _one_is(Truth, truths):
        return reduce(operator.or_, map(Truth.of, truths))
    return plain.either(*truths)


@operation
def negation(truth: Any) -> PlainTruth:
    """Three-valued NOT."""
    return ~truth if isinstance(truth, Truth) else np.asarray(-plain.plain_truth(truth))


@operation_beside(plain.first_of)
def first_of(truth: Any) -> Mask:
    """The first entry that holds along the last axis, and no other: a mask; three-valued of one instance."""
    if not isinstance(truth, Truth):
        return plain.first_of(truth)
    before = [truth[..., :place].any(-1) for place in range(truth.shape[-1])]
    return truth & ~np.stack(before, axis=-1)


@operation
def every(truth: Any, axis: int | tuple[int, ...] = -1) -> PlainTruth:
    """Three-valued "for all" along ``axis``."""
    if isinstance(truth, Truth):
        return truth.all(axis)
    return np.asarray(plain.plain_truth(truth).min(axis, initial=1), dtype=np.int8)


@operation
def some(truth: Any, axis: int | tuple[int, ...] = -1) -> PlainTruth:
    """Three-valued "for some" along ``axis``."""
    if isinstance(truth, Truth):
        return truth.any(axis)
    return np.asarray(plain.plain_truth(truth).max(axis, initial=-1), dtype=np.int8)


def assume_positive(values: Any) -> Array:
    """The same numbers.  In a proof over symbols they are known to be positive from now on: a fact that an ingredient states.

    What a proof or a hypothesis assumes itself is a condition of the proof, which its verdict names, and is checked on instances.
    """
    return _assumed(values, ">")


def assume_nonnegative(values: Any) -> Array:
    """The same for ``≥ 0``."""
    return _assumed(values, "≥")


def _assumed(values: Any, relation: Any) -> Any:
    if not isinstance(values, Numbers):
        return values
    if values._arithmetic.system is System.SYMBOLS:
        from . import symbols

        if evaluating():
            symbols.require(values._parts[0], relation)
        return _unchanged(values, symbols.assume_positive if relation == ">" else symbols.assume_nonnegative)
    if evaluating() and not true_everywhere(compare(values, relation, 0)):
        if not is_formal() and not true_everywhere(not_refuted(compare(values, relation, 0))):
            raise GameError(f"a number is not {relation} 0, as the proof assumes")
        raise UndecidedError(f"whether a number is {relation} 0, as the proof assumes")
    return values


def at_least_zero(values: Any) -> Array:
    """The same numbers, which a theorem says are at least 0: for primitives, in a proof over symbols."""
    if isinstance(values, Numbers) and values._arithmetic.system is System.SYMBOLS:
        from . import symbols

        return _unchanged(values, symbols.assume_nonnegative)
    return values


def _unchanged(values: Numbers, fact: Callable[[Any], Any]) -> Any:
    """The same numbers, of which more is known."""
    found = values._each(fact)
    found._made = values._made
    return found


def true_everywhere(truth: Any) -> bool:
    """Whether it is certain in every entry, of every instance: for primitives that raise where they are undefined."""
    return bool(((truth._parts[0] if isinstance(truth, Truth) else np.asarray(truth)) > 0).all())


def system_of(*arrays: Any) -> Any:
    """The one number system of these arrays; :class:`.numbers.Hidden` of one instance."""
    for value in arrays:
        if isinstance(value, (Numbers, Hidden)):
            return value.system if isinstance(value, Numbers) else value
    return plain_system_of(*arrays)


@operation
def certain(truth: Any) -> Mask:
    """What is known to hold: a Boolean mask of plain truth, two-valued truth of one instance.

    In a proof UNKNOWN is undecided: a ball that is too wide to tell would pick a side.
    """
    return truth.certain() if isinstance(truth, Truth) else np.asarray(plain.plain_truth(truth) > 0)


@operation
def known(truth: Any) -> Mask:
    """As :func:`certain`; in a proof only for choices of which both sides are right where the truth is UNKNOWN."""
    return truth._known() if isinstance(truth, Truth) else certain(truth)


@operation
def possible(truth: Any) -> Mask:
    """What may hold: a Boolean mask of plain truth, two-valued truth of one instance.

    In a proof UNKNOWN is undecided: a ball that is too wide to tell would pick a side.
    """
    return truth.possible() if isinstance(truth, Truth) else np.asarray(plain.plain_truth(truth) >= 0)


@operation
def not_refuted(truth: Any) -> Mask:
    """As :func:`possible`; in a proof only for what is true by construction, where a number system cannot tell."""
    return truth._not_refuted() if isinstance(truth, Truth) else possible(truth)


@helper
def moveaxis(values: Array, source: int | Sequence[int], destination: int | Sequence[int]) -> Array:
    """Axes in other places, as :func:`numpy.moveaxis`."""
    return np.moveaxis(values, source, destination)  # type: ignore[type-var]


@helper
def elementwise(function: Callable[..., Any], *arrays: Any) -> npt.NDArray[Any]:
    """Apply a Python function to every element of object arrays; the result is always an array."""
    return plain_elementwise(function, *arrays)


UFUNCS |= {np.exp: exp, np.log: log, np.sqrt: sqrt, np.maximum: maximum, np.minimum: minimum}
