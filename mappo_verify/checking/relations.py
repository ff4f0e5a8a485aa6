"""Relates two lines of a proof: entry by entry, then for all entries of each instance, by how much, and how tightly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import (
    FALSE,
    TRUE,
    UNKNOWN,
    Array,
    Numbers,
    System,
    absolute,
    compare,
    floats_of,
    largest,
    like,
    smallest,
)
from ..arithmetic.numbers import bare
from ..arithmetic.one_instance import Truth
from ..arithmetic.structure import broadcast_to
from ..claims.case import Case
from ..claims.claim import Line
from ..claims.verdict import StepEvidence
from ..errors import ClaimError, ExactnessError
from .hypotheses import per_instance
from .laws import claimed, mask_of, proved

FLOAT_NOISE = 1e-9
"""Relative size below which a float difference looks like rounding; it only feeds the suggestion, never a verdict."""


def as_numbers(entry: Line, case: Case) -> Line:
    """A line whose constant is a number of the case's system."""
    if callable(entry.value) or isinstance(entry.value, Numbers):
        return entry
    return replace(entry, value=like(entry.value, case.system))


def plain(value: Any, shape: tuple[int, ...], count: int) -> npt.NDArray[Any]:
    """Numbers (of enclosures the midpoints) or truth as a plain array ``[instances, ...]`` of the given inner shape."""
    part: npt.NDArray[Any] = broadcast_to(value, shape)._parts[0]
    if part.shape[-1] != count:
        part = np.broadcast_to(part, (*shape, count))
    return part.transpose(part.ndim - 1, *range(part.ndim - 1))


def proved_entries(chain: list[Line], left: Line, relation: str, right: Line, case: Case) -> Truth:
    """Whether a relation between two lines of a chain is proved, entry by entry."""
    one, two, mask = left.value, right.value, mask_of(chain)
    common_shape(left, right, mask)
    truth = one.compare(relation, two) if relation != "≥" else two.compare("≤", one)
    return claimed(proved(truth, relation, bare(case.system)), mask)


def relate(
    held: Truth,
    chain: list[Line],
    left: Line,
    relation: str,
    right: Line,
    case: Case,
    step: Line | None = None,
) -> StepEvidence:
    """A statement, or the relation of a step, for all entries of each instance, from what is proved entry by entry.

    By how much it holds or fails is told of statements, and of steps that fail; how tight it is, of statements.
    """
    mask = mask_of(chain)
    shape = common_shape(left, right, mask)
    system = bare(case.system)
    truth = per_instance(held, case.several)
    margin = ratios = None
    told = 0 not in shape and (system is System.FLOATS or step is None or bool((truth == FALSE).any()))
    if told and system is not System.SYMBOLS:
        count = int(np.prod(case.several, dtype=int))
        axes = tuple(range(1, len(shape) + 1))
        a, b, t = (plain(value, shape, count) for value in (left.value, right.value, held))
        where = None if mask is None else plain(mask, shape, count) > 0
        if system is System.FLOATS:
            suggestion = _float_suggestion(a, relation, b, where)
            truth = (suggestion.min(axis=axes) if axes else suggestion).reshape(case.several)
        margin = np.asarray(_margin(a, relation, b, t, where, axes)).reshape(case.several)
        if step is None and relation != "=" and (found := _ratios(a, relation, b, where, axes)) is not None:
            ratios = np.asarray(found).reshape(case.several)
    because, axiom = ("the statement", None) if step is None else (step.because, step.axiom)
    return StepEvidence(left.expression, relation, right.expression, because, axiom, truth, margin, ratios)


def common_shape(left: Line, right: Line, mask: Truth | None) -> tuple[int, ...]:
    """The shape in which two lines of a chain and its mask meet."""
    shapes = [left.value.shape, right.value.shape]
    try:
        return np.broadcast_shapes(*shapes, *([] if mask is None else [mask.shape]))
    except ValueError:
        masked = "" if mask is None else f", and where= {mask.shape}"
        raise ClaimError(
            f"lines of one chain must have shapes that fit, and {left.expression!r} has {shapes[0]}, "
            f"{right.expression!r} {shapes[1]}{masked}"
        ) from None


def sides(chain: list[Line], case: Case) -> tuple[Any, Any, Any]:
    """First and last line of a chain, and what it speaks of, as plain arrays ``[instances, entries]``."""
    mask = mask_of(chain)
    values = [as_numbers(entry, case).value for entry in (chain[0], chain[-1])]
    if mask is not None:
        values.append(mask)
    shape = np.broadcast_shapes(*(value.shape for value in values))
    count = int(np.prod(case.several, dtype=int))
    left, right, *where = (plain(value, shape, count).reshape(count, -1) for value in values)
    return left, right, where[0] > 0 if where else np.ones(left.shape, bool)


def _margin(
    one: Array, relation: str, two: Array, truth: Any, where: Array | None, axes: tuple[int, ...]
) -> Array | None:
    """The smallest slack of each instance, over the entries that are claimed; 0 where none is."""
    if relation == "=" and (truth == TRUE).all():
        return like(np.zeros(len(one), np.int8), one)
    slack = -absolute(one - two) if relation == "=" else two - one if relation == "≤" else one - two
    slack = np.asarray(slack)
    if where is None:
        return smallest(slack, axes) if axes else slack
    kept = np.broadcast_to(where, slack.shape)
    if not kept.any():
        return like(np.zeros(len(one), np.int8), one)
    filled = np.where(kept, slack, largest(slack[kept].ravel(), 0))  # what is not claimed must not be the smallest
    return np.where(kept.any(axes), smallest(filled, axes) if axes else filled, like(0, slack))


def _float_suggestion(one: Array, relation: str, two: Array, where: Array | None) -> Any:
    """TRUE where the rounded numbers agree with the relation up to rounding, FALSE where they clearly do not."""
    noise = FLOAT_NOISE * np.maximum(1.0, np.maximum(np.abs(one), np.abs(two)))
    gap = -np.abs(one - two) if relation == "=" else (two - one if relation == "≤" else one - two)
    truth = np.where(gap >= -noise, TRUE, np.where(np.isnan(gap), UNKNOWN, FALSE)).astype(np.int8)
    return truth if where is None else np.where(where, truth, TRUE).astype(np.int8)


def _ratios(one: Array, relation: str, two: Array, where: Array | None, axes: tuple[int, ...]) -> Array | None:
    """Smaller side over larger side of an inequality, at its largest in each instance; nan without a positive larger side."""
    small, large = (one, two) if relation == "≤" else (two, one)
    counted = (compare(large, ">", like(0, large)) > 0) & (compare(small, "=", like(0, small)) < 1)
    if where is not None:
        counted = counted & where
    if not counted.any():
        return None
    try:
        ratios = floats_of(small[counted] / large[counted])
    except ExactnessError:  # a quotient of logarithms, or a number beyond float64
        try:
            with np.errstate(all="ignore"):
                ratios = floats_of(small[counted]) / floats_of(large[counted])
        except ExactnessError:
            return None
    result = np.full(one.shape, -np.inf)
    result[counted] = np.where(np.isfinite(ratios), ratios, -np.inf)
    worst = result.max(axes) if axes else result
    return np.where(worst > -np.inf, worst, np.nan)
