"""Certified balls (``flint.arb`` in object arrays): every result contains the true number.

:func:`~mappo_verify.arithmetic.precision.precision` sets how many bits they carry.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import flint
import numpy as np
import numpy.typing as npt

from ..errors import ExactnessError, SingularError, UndecidedError
from .formal import FormalLog
from .rationals import Entries, rational, solve_each
from .system import FALSE, TRUE, UNKNOWN, Plain, Truth, elementwise


def constant(value: int | Fraction) -> flint.arb:
    return flint.arb(rational(value))


def enclose_all(values: Plain) -> Plain:
    """Rationals and formal logarithms as balls at the current precision; equal rationals become one and the same ball.

    Balls stay as they are.
    """
    known: dict[Any, flint.arb] = {}
    zero = flint.arb(0)

    def enclose(value: Any) -> flint.arb:
        if isinstance(value, flint.arb):
            return value
        if isinstance(value, FormalLog):
            return value.ball()
        if not value:
            return zero
        whole = (value.p, value.q)  # an fmpq is hashed by way of a Fraction, which takes ten times as long
        if whole not in known:
            known[whole] = flint.arb(value)
        return known[whole]

    return elementwise(enclose, values)


def _solve_one(matrix: Entries, right: Entries, rows: int, columns: int) -> Entries:
    return flint.arb_mat(rows, rows, matrix).solve(flint.arb_mat(rows, columns, right)).entries()


def solve(matrix: Plain, right: Plain) -> Plain:
    try:
        return solve_each(_solve_one, matrix, right)
    except SingularError as error:
        raise UndecidedError(
            f"{error} at {flint.ctx.prec} bits, or too imprecise to tell; raise the precision"
        ) from None


def pseudo_solve(matrix: Plain, right: Plain) -> tuple[Plain, Plain]:
    solution = solve(matrix, right)
    return solution, elementwise(lambda _: flint.arb(0), solution)


def exp(values: Plain) -> Plain:
    return elementwise(flint.arb.exp, values)


def log(values: Plain) -> Plain:
    return elementwise(_log, values)


def _log(value: flint.arb) -> flint.arb:
    if value <= 0:
        raise ExactnessError(f"log({value}) is not a real number")
    return value.log()


def sqrt(values: Plain) -> Plain:
    """Of a number known to be non-negative, so the part of the ball below 0 is cut off first."""
    return elementwise(_sqrt, values)


def _sqrt(value: flint.arb) -> flint.arb:
    if value < 0:
        raise ExactnessError(f"sqrt({value}) is not a real number")
    return value.nonnegative_part().sqrt()


def infinity(where: str) -> flint.arb:
    return flint.arb.pos_inf()


def _equal(x: flint.arb, y: flint.arb) -> np.int8:
    return UNKNOWN if (x - y).contains(0) else FALSE


def _at_most(x: flint.arb, y: flint.arb) -> np.int8:
    return TRUE if x <= y else FALSE if x > y else UNKNOWN


def _below(x: flint.arb, y: flint.arb) -> np.int8:
    return TRUE if x < y else FALSE if x >= y else UNKNOWN


def compare(left: Plain, relation: str, right: Plain) -> Truth:
    return elementwise({"=": _equal, "≤": _at_most, "<": _below}[relation], left, right).astype(np.int8)


def _nonzero(x: flint.arb) -> bool:
    if x.is_zero():
        return False
    if x.contains(0):
        raise UndecidedError(
            f"whether {x.str(15)} is zero cannot be told at {flint.ctx.prec} bits; raise the precision"
        )
    return True


def certainly_equal(left: Plain, right: Plain) -> npt.NDArray[np.bool_]:
    return elementwise(lambda x, y: x is y or (x.is_exact() and y.is_exact() and bool(x == y)), left, right).astype(
        bool
    )


def support(values: Plain) -> npt.NDArray[np.bool_]:
    return elementwise(_nonzero, values).astype(bool)


def nonzero(values: Plain) -> Truth:
    def nonzero_one(x: flint.arb) -> np.int8:
        return FALSE if x.is_zero() else UNKNOWN if x.contains(0) or x.is_nan() else TRUE

    return elementwise(nonzero_one, values).astype(np.int8)


def hull(left: flint.arb, right: flint.arb) -> flint.arb:
    return left if left is right else left.union(right)


def maximum(left: Plain, right: Plain) -> Plain:
    return elementwise(lambda x, y: x.max(y), left, right)


def argmax(values: Plain) -> npt.NDArray[np.intp]:
    result = np.zeros(values.shape[:-1], np.intp)
    for index in np.ndindex(result.shape):
        row = values[index]
        best = 0
        for candidate in range(1, len(row)):
            if row[candidate] > row[best]:
                best = candidate
            elif not row[candidate] <= row[best]:
                raise UndecidedError(
                    f"which of {row[best].str(15)} and {row[candidate].str(15)} is larger is undecided at "
                    f"{flint.ctx.prec} bits; raise the precision"
                )
        result[index] = best
    return result


def to_float(value: Any) -> float:
    return float(value.mid())
