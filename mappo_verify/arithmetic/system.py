"""Which arithmetic do these arrays have?

A quantity is written once, over arrays; the arrays decide the arithmetic:

========== ===================================== =======================================
system     elements                              what a result is
========== ===================================== =======================================
floats     ``float64``                           a rounded number: explores, never proves
rationals  ``flint.fmpq`` and :class:`FormalLog` the exact number
balls      ``flint.arb``                         an interval that contains the number
symbols    ``Quotient`` of polynomials           the number for *every* parameter at once
symbols    ``Quotient`` of degrees               a bound on the degree of that polynomial
enclosures midpoint and radius in ``float64``    an interval that contains the number; of one instance only
========== ===================================== =======================================

NumPy's object arrays already dispatch ``+ - * /``, ``sum`` and ``abs``.  Whatever needs to *look* at a number (solving,
comparing, choosing, logarithms) goes through the functions here, because an undecided comparison of two balls is
silently ``False`` in Python and would pick a side.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import GameError, MixedArithmeticError
from .sparse import is_sparse

Plain = npt.NDArray[Any]
Truth = npt.NDArray[np.int8]
"""Three-valued truth, elementwise: 1 TRUE, 0 UNKNOWN, -1 FALSE.  AND is the minimum, OR the maximum, NOT the negative."""

TRUE, UNKNOWN, FALSE = np.int8(1), np.int8(0), np.int8(-1)


def three_valued(mask: npt.NDArray[np.bool_]) -> Truth:
    """TRUE where it holds, else FALSE."""
    return np.asarray(2 * mask.view(np.int8) - TRUE)  # several times as fast as np.where


class System(enum.Enum):
    """A number system; the value is the name of the module that implements it."""

    FLOATS = "floats"
    RATIONALS = "rationals"
    BALLS = "balls"
    SYMBOLS = "symbols"
    ENCLOSURES = "enclosures"

    @property
    def exact(self) -> bool:
        """Whether equality can be decided in this system."""
        return self in (System.RATIONALS, System.SYMBOLS)


FLOATS = System.FLOATS  # in Python 3.11 a look-up in an enumeration takes as long as asking two arrays for their types


@cache
def system_of_type(kind: type) -> System | None:
    """The system that elements of ``kind`` belong to; None for integers, which are neutral.

    Types are recognised by name, so that asking does not import flint.
    """
    name, home = kind.__name__, kind.__module__
    if home.startswith("flint"):
        if name in ("fmpq", "fmpz"):
            return System.RATIONALS
        if name == "arb":
            return System.BALLS
    if issubclass(kind, (bool, int, np.integer, np.bool_)):
        return None
    if issubclass(kind, (float, np.floating)):
        return System.FLOATS
    declared = getattr(kind, "system", None)
    if isinstance(declared, System):
        return declared
    if issubclass(kind, (Fraction, Decimal)):
        raise MixedArithmeticError(
            f"{home}.{name} is not a number of any system here beside numbers of another kind; write all of them as Fraction, "
            "or all as float"
        )
    raise MixedArithmeticError(
        f"{home}.{name} is not a number of any system here; use float64, flint.fmpq, flint.arb, or call .exact() / .balls()"
    )


def are_floats(arrays: tuple[Any, ...]) -> bool:
    """Whether these are plain arrays of floats, as most are: nothing else need be asked of them."""
    for array in arrays:
        if type(array) is not np.ndarray or array.dtype.kind != "f":
            break
    else:
        return True
    return False


def system_of(*arrays: Any) -> System:
    """The one number system of ``arrays``, read off their first elements (constructors have checked all the others)."""
    if are_floats(arrays):
        return FLOATS
    found: System | None = None
    for array in arrays:
        values = np.empty(1) if is_sparse(array) else np.asarray(array)
        if values.dtype.kind == "f":
            system: System | None = System.FLOATS
        elif values.dtype.kind in "iub" or values.size == 0:
            system = None
        elif values.dtype.kind == "O":
            system = next(filter(None, map(system_of_type, map(type, values.flat))), None)
        else:
            raise MixedArithmeticError(f"an array of dtype {values.dtype} holds no numbers that can be computed with")
        if system is not None and found is not None and system is not found:
            raise MixedArithmeticError(
                f"{found.value} and {system.value} meet in one formula; convert with .exact(), .balls() or .floats()"
            )
        found = found or system
    return found or System.FLOATS


def require_one_system(**arrays: Any) -> System:
    """The one number system of *every element* of the named arrays, or an error that names where another begins."""
    seen: dict[System, str] = {}
    for name, array in arrays.items():
        values = np.asarray(array)
        if values.dtype.kind == "f":
            seen.setdefault(System.FLOATS, name)
        elif values.dtype.kind == "O":
            for kind in sorted(set(map(type, values.ravel().tolist())), key=lambda kind: kind.__name__):
                try:
                    system = system_of_type(kind)
                except MixedArithmeticError as error:
                    where = _first_of_type(values, kind)
                    raise GameError(f"{name}{where}: {error}") from None
                if system is not None:
                    where = _first_of_type(values, kind)
                    seen.setdefault(system, f"{name}{where}")
        elif values.dtype.kind not in "iub":
            raise GameError(f"{name} has dtype {values.dtype}, which holds no numbers")
    if len(seen) > 1:
        places = ", ".join(f"{place} is in {system.value}" for system, place in seen.items())
        raise GameError(
            f"mixed number systems: {places}; convert games and policies with .exact(), .balls() or .floats(), and write lists "
            "and arrays in floats only, or in integers, Fractions and Decimals only"
        )
    return next(iter(seen), System.FLOATS)


def _first_of_type(values: Plain, kind: type) -> str:
    """``[i, j]`` of the first element of this type."""
    for index in np.ndindex(values.shape):
        if type(values[index]) is kind:
            return str(list(index)) if index else ""
    return ""


def elementwise(function: Callable[..., Any], *arrays: Any) -> Plain:
    """Apply a Python function to every element of object arrays; the result is always an array."""
    return np.asarray(np.frompyfunc(function, len(arrays), 1)(*arrays), dtype=object)
