"""Axioms: inequalities that a proof may use by name.

Each function returns a quantity that is at least 0 by a theorem of its name, for arguments that meet its hypotheses.  Such
quantities may be added, multiplied by numbers that are at least 0, and summed; what comes out is at least 0 again.  A line that
uses one,

    yield at_least("0", 0, because="Gibbs' inequality", axiom=beta * gibbs(q, p))

is checked on every instance: the line before minus this one must *be* that quantity, and the hypotheses must hold.

>>> import mappo_verify as mv
>>> from mappo_verify.arithmetic import System
>>> from mappo_verify.arithmetic.numbers import wrap
>>> import numpy as np
>>> x = wrap(np.array([[3, -4]]), System.RATIONALS, 1)
>>> print(squares(x).names, squares(x).value.unwrap())
('x² ≥ 0',) [[9 16]]
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from .arithmetic import (
    Array,
    absolute,
    both,
    compare,
    divide,
    every,
    exp,
    largest,
    like,
    log,
    possible,
    smallest,
    sqrt,
    tilt,
    truth_of,
    xlogy,
)
from .errors import ClaimError

HYPOTHESIS = "hypothesis: "
"""What the name of :func:`given` begins with."""


@dataclass(frozen=True, eq=False, repr=False)
class Axiom:
    """A quantity that is at least 0 by named theorems, and the hypotheses under which they say so.

    ``value`` is computed when it is asked for: not every number system has every quantity.
    """

    __array_ufunc__ = None  # numbers on its left leave the product to it

    names: tuple[str, ...]
    parts: tuple[Any, ...]

    @property
    def value(self) -> Array:
        """The quantity."""
        total: Any = None
        for value, _ in (part() for part in self.parts):
            total = value if total is None else total + value
        return total  # type: ignore[no-any-return]

    @property
    def holds(self) -> Any:
        """Whether the hypotheses hold, three-valued."""
        return both(*(truth for _, truth in (part() for part in self.parts)))

    def __add__(self, other: Any) -> Axiom:
        if not isinstance(other, Axiom):
            raise ClaimError(f"an axiom plus {other!r}: only quantities that are at least 0 by an axiom may be added")
        return Axiom(tuple(dict.fromkeys(self.names + other.names)), self.parts + other.parts)

    def __mul__(self, factor: Any) -> Axiom:
        """Multiplied by a number that is at least 0, which is checked."""

        def scaled(part: Any) -> Any:
            def made() -> tuple[Any, Any]:
                value, truth = part()
                product = factor * value
                return product, both(every_entry(truth), every_entry(compare(factor + 0 * value, "≥", 0)))

            return made

        return Axiom(self.names, tuple(scaled(part) for part in self.parts))

    __rmul__ = __mul__

    def sum(self, axis: int | tuple[int, ...] = -1) -> Axiom:
        """Summed along ``axis``."""

        def summed(part: Any) -> Any:
            def made() -> tuple[Any, Any]:
                value, truth = part()
                return value.sum(axis), truth

            return made

        return Axiom(self.names, tuple(summed(part) for part in self.parts))

    def __repr__(self) -> str:
        return " + ".join(self.names)


def every_entry(truth: Any) -> Any:
    """For all entries of an instance."""
    return every(truth, tuple(range(truth.ndim))) if truth.ndim else truth


def _axiom(name: str, made: Any) -> Axiom:
    return Axiom((name,), (made,))


def _distribution(rows: Any) -> Any:
    """Whether rows are probabilities: at least 0, with sum 1 (not certainly another one, in systems that certify no equality)."""
    return both(every_entry(compare(rows, "≥", 0)), every_entry(truth_of(possible(compare(rows.sum(-1), "=", 1)))))


def gibbs(left: Any, right: Any) -> Axiom:
    """``KL(p‖q) = Σ p log(p/q) ≥ 0`` for distributions over the last axis.  Source: Gibbs' inequality."""
    return _axiom(
        "KL ≥ 0",
        lambda: (xlogy(left, divide(left, right)).sum(-1), both(_distribution(left), _distribution(right))),
    )


def entropy(rows: Any) -> Axiom:
    """``H(p) = -Σ p log p ≥ 0`` for a distribution over the last axis."""
    return _axiom("H ≥ 0", lambda: (-xlogy(rows, rows).sum(-1), _distribution(rows)))


def pinsker(left: Any, right: Any) -> Axiom:
    """``KL(p‖q) - ½ ‖p - q‖₁² ≥ 0`` for distributions over the last axis.  Source: Pinsker's inequality."""

    def made() -> tuple[Any, Any]:
        distance = absolute(left - right).sum(-1)
        divergence = xlogy(left, divide(left, right)).sum(-1)
        return divergence - distance * distance / 2, both(_distribution(left), _distribution(right))

    return _axiom("Pinsker", made)


def squares(values: Any) -> Axiom:
    """``x² ≥ 0``"""
    return _axiom("x² ≥ 0", lambda: (values * values, compare(values * 0, "=", 0)))


def absolute_values(values: Any) -> Axiom:
    """``|x| - x ≥ 0``"""
    return _axiom("x ≤ |x|", lambda: (absolute(values) - values, compare(values * 0, "=", 0)))


def nonnegative(values: Any) -> Axiom:
    """``x ≥ 0`` of numbers that are at least 0, which is checked."""
    return _axiom("products and sums of numbers ≥ 0", lambda: (values, compare(values, "≥", 0)))


def cauchy_schwarz(weights: Any, left: Any, right: Any, axis: int | tuple[int, ...] = -1) -> Axiom:
    """``(Σ w x²)(Σ w y²) - (Σ w x y)² ≥ 0`` for ``w ≥ 0``.  Source: the Cauchy-Schwarz inequality."""

    def made() -> tuple[Any, Any]:
        mixed = (weights * left * right).sum(axis)
        value = (weights * left * left).sum(axis) * (weights * right * right).sum(axis) - mixed * mixed
        return value, every_entry(compare(weights, "≥", 0))

    return _axiom("Cauchy-Schwarz", made)


def mean_below_largest(weights: Any, values: Any) -> Axiom:
    """``max x - Σ w x ≥ 0`` for a distribution ``w`` over the last axis."""
    return _axiom(
        "a mean is at most the maximum", lambda: (largest(values) - (weights * values).sum(-1), _distribution(weights))
    )


def jensen(weights: Any, values: Any) -> Axiom:
    """``log Σ w x - Σ w log x ≥ 0`` for a distribution ``w`` over the last axis and ``x > 0``.  Source: Jensen's inequality."""

    def made() -> tuple[Any, Any]:
        value = log((weights * values).sum(-1)) - (weights * log(values)).sum(-1)
        return value, both(_distribution(weights), every_entry(compare(values, ">", 0)))

    return _axiom("Jensen, log is concave", made)


def hoeffding(weights: Any, values: Any, step: Any, width: Any) -> Axiom:
    """``η E x + η² b²/8 - log E exp(η x) ≥ 0`` for a law ``w`` over the last axis and ``x`` in an interval of length ``b``.

    ``η`` and ``b`` have the shape of the result.  Source: Hoeffding's lemma.
    """

    def made() -> tuple[Any, Any]:
        tilted = (weights * exp(step[..., None] * values)).sum(-1)
        mean = (weights * values).sum(-1)
        value = step * mean + Fraction(1, 8) * step * step * width * width - log(tilted)
        inside = every_entry(compare(largest(values) - smallest(values), "≤", width))
        return value, both(_distribution(weights), inside)

    return _axiom("Hoeffding's lemma", made)


def root_cauchy_schwarz(weights: Any, left: Any, right: Any, axis: int | tuple[int, ...] = -1) -> Axiom:
    """``√(Σ w x²) √(Σ w y²) - Σ w x y ≥ 0`` for ``w ≥ 0``.  Source: the Cauchy-Schwarz inequality."""

    def made() -> tuple[Any, Any]:
        norms = sqrt((weights * left * left).sum(axis)) * sqrt((weights * right * right).sum(axis))
        return norms - (weights * left * right).sum(axis), every_entry(compare(weights, "≥", 0))

    return _axiom("Cauchy-Schwarz", made)


def below_largest(values: Any) -> Axiom:
    """``max_j x_j - x_i ≥ 0`` for every ``i`` of the last axis."""
    return _axiom("x ≤ max x", lambda: (largest(values)[..., None] - values, compare(values * 0, "=", 0)))


def above_smallest(values: Any) -> Axiom:
    """``x_i - min_j x_j ≥ 0`` for every ``i`` of the last axis: a minimum is at most any candidate."""
    return _axiom("min x ≤ x", lambda: (values - smallest(values)[..., None], compare(values * 0, "=", 0)))


def roots(smaller: Any, more: Axiom) -> Axiom:
    """``√(x + y) - √x ≥ 0`` for ``x ≥ 0`` and a ``y`` that is at least 0 by an axiom."""

    def made() -> tuple[Any, Any]:
        truth = both(every_entry(compare(smaller, "≥", 0)), every_entry(more.holds))
        return sqrt(smaller + more.value) - sqrt(smaller), truth

    return Axiom(tuple(dict.fromkeys(("√ is increasing", *more.names))), (made,))


def hedge(gains: Any, eta: Any, width: Any, comparator: Any) -> Axiom:
    """``log|A|/η + ηKB²/8 - Σ_k ⟨f_k, q - π_k⟩ ≥ 0`` for ``π_k ∝ exp(η Σ_{t<k} f_t)`` and any distribution ``q``.

    ``gains`` are ``f_1, ..., f_K`` ``[..., K, A]``, each of which lies in an interval of length ``width`` ``B``; ``comparator``
    is ``q`` ``[..., A]``; ``eta`` and ``width`` are numbers.
    Source: Cesa-Bianchi and Lugosi (2006), Theorem 2.2; here it is proved as lemma-c.6/sharp.
    """

    def made() -> tuple[Any, Any]:
        steps, actions = gains.shape[-2:]
        sums = np.cumsum(gains, axis=-2) - gains
        lost = (gains * (comparator[..., None, :] - tilt(like(1, gains), eta * sums))).sum((-2, -1))
        value = log(like(actions, eta)) / eta + eta * steps * width * width / 8 - lost
        inside = every_entry(compare(largest(gains) - smallest(gains), "≤", width))
        return value, both(every_entry(compare(eta, ">", 0)), _distribution(comparator), inside)

    return _axiom("lemma-c.6/sharp", made)


def given(hypothesis: Any, case: Any) -> Axiom:
    """What a hypothesis of the setting says is at least 0, on this case; see :meth:`.Hypothesis.at_least_zero`."""

    def made() -> tuple[Any, Any]:
        value = hypothesis.slack(case)
        return value, compare(value, "≥", 0)

    return _axiom(f"{HYPOTHESIS}{hypothesis.name}", made)


def logarithm(values: Any) -> Axiom:
    """``x - 1 - log x ≥ 0`` for ``x > 0``."""
    return _axiom("log x ≤ x - 1", lambda: (values - 1 - log(values), every_entry(compare(values, ">", 0))))


TABLE = (
    gibbs,
    entropy,
    pinsker,
    squares,
    absolute_values,
    nonnegative,
    cauchy_schwarz,
    mean_below_largest,
    jensen,
    hoeffding,
    root_cauchy_schwarz,
    below_largest,
    above_smallest,
    roots,
    hedge,
    given,
    logarithm,
)
"""All axioms; a proof that uses any other fact assumes it, and is not PROVED."""
