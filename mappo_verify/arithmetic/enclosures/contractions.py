"""Sums over axes, and ``einsum``, of enclosures."""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from .kernels import Enclosure, label_sizes, shape_of
from .making import require_ieee
from .operations import kernels_for


def total(a: Enclosure, axes: int | Sequence[int]) -> Enclosure:
    """``Σ x`` over one or several core axes, which are counted from 0 or, negative, from the last core axis."""
    require_ieee()
    core = len(shape_of(a)) - 1
    given = (axes,) if isinstance(axes, int) else tuple(axes)
    for axis in given:
        if not -core <= axis < core:
            raise IndexError(f"axis {axis} is none of the {core} axes of one instance")
    gone = {axis % core for axis in given}
    labels = string.ascii_letters[:core]
    output = "".join(label for axis, label in enumerate(labels) if axis not in gone)
    with np.errstate(all="ignore"):
        return kernels_for(a).product_sum((labels,), output, (a,))


def contract(subscripts: str, *factors: Enclosure) -> Enclosure:
    """``numpy.einsum`` over the core axes, as in ``"sa,sat->st"``; ``...`` stands for further core axes in front.

    Labels are lower-case letters.  More than two factors are contracted in pairs, the smallest intermediate result first.
    """
    require_ieee()
    with np.errstate(all="ignore"):
        mid, rad = in_pairs(subscripts, factors, _multiply)
    return mid, rad


def in_pairs(subscripts: str, factors: Sequence[Any], multiply: Callable[..., Any]) -> Any:
    """A contraction by ``multiply(terms, output, factors)`` of one or two factors; factors are parts ``core + (B,)``."""
    given, output = _parsed(subscripts, tuple(f[0].ndim - 1 for f in factors))
    work = [_diagonal(term, factor) for term, factor in zip(given, factors, strict=True)]
    while len(work) > 2:
        i, j, kept = _cheapest_pair([term for term, _ in work], output, [f[0].shape[:-1] for _, f in work])
        (second, b), (first, a) = work.pop(j), work.pop(i)
        work.append((kept, multiply((first, second), kept, (a, b))))
    return multiply(tuple(term for term, _ in work), output, tuple(factor for _, factor in work))


def _multiply(terms: tuple[str, ...], output: str, factors: tuple[Enclosure, ...]) -> Enclosure:
    return kernels_for(*factors).product_sum(terms, output, factors)


@cache
def _parsed(subscripts: str, dimensions: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """The labels of every factor and of the result; ``...`` becomes capital letters."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if not arrow or len(terms) != len(dimensions):
        raise ValueError(f"{subscripts!r} must name {len(dimensions)} factors and, after '->', the result")
    extra = [n - len(term.replace("...", "")) for n, term in zip(dimensions, terms, strict=True)]
    for term, n in zip(terms, extra, strict=True):
        if n < 0 or (n > 0 and "..." not in term):
            raise ValueError(f"{term!r} in {subscripts!r} does not fit a factor of {n + len(term)} axes")
    capitals = string.ascii_uppercase[: max(extra)]
    expanded = tuple(
        term.replace("...", capitals[len(capitals) - n :] if n else "") for term, n in zip(terms, extra, strict=True)
    )
    output = output.replace("...", capitals)
    unknown = [label for label in output if not any(label in term for term in expanded)]
    if unknown or len(set(output)) != len(output):
        raise ValueError(f"the result of {subscripts!r} has a label twice, or one that no factor has")
    return expanded, output


def _diagonal(term: str, factor: Any) -> tuple[str, Any]:
    """A factor in which no label stands twice."""
    once = "".join(dict.fromkeys(term))
    if once == term:
        return term, factor
    view = f"{term}...->{once}..."
    return once, tuple(np.einsum(view, part) for part in factor)


def _cheapest_pair(terms: list[str], output: str, shapes: list[tuple[int, ...]]) -> tuple[int, int, str]:
    """Which two factors to contract first, and the labels that must stay."""
    sizes = label_sizes(terms, shapes)
    best: tuple[int, int, int, str] | None = None
    for i in range(len(terms)):
        for j in range(i + 1, len(terms)):
            others = output + "".join(term for k, term in enumerate(terms) if k not in (i, j))
            kept = "".join(label for label in dict.fromkeys(terms[i] + terms[j]) if label in others)
            cost = math.prod(sizes[label] for label in kept)
            if best is None or cost < best[0]:
                best = (cost, i, j, kept)
    assert best is not None
    return best[1:]
