"""The border: what a hook receives and what it returns, in the arrays of the author's own library.

A hook receives arrays of the *namespace* that its class names (``arrays = torch``, ``arrays = jax.numpy``; NumPy by default):
everything is made by that namespace's ``asarray``, the one constructor that the array API standard fixes.  What it returns comes
back by DLPack where the array has it, else by ``__array__``; a torch tensor is detached and moved to the CPU first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic.explained import shown
from ..errors import ConformanceError

COARSEST = 2.0**-20
"""The coarsest rounding with which the kit can tell a slip from rounding: float32 has 2⁻²³, float16 2⁻¹⁰."""


def to_library(value: Any, arrays: Any, dtype: str) -> Any:
    """A fresh array of the library: floats in ``dtype``, masks and integers as they are; Python numbers stay Python numbers."""
    if isinstance(value, list):
        return [to_library(part, arrays, dtype) for part in value]
    if not isinstance(value, np.ndarray):
        return value
    fresh = np.array(value, dtype=dtype if value.dtype.kind == "f" else None, order="C")
    return fresh if arrays is np else arrays.asarray(fresh)


def to_numpy(value: Any, what: str) -> npt.NDArray[Any]:
    """A NumPy array of what a hook returned; :class:`~mappo_verify.errors.ConformanceError` where that is no array of numbers."""
    if isinstance(value, np.ma.MaskedArray):
        raise ConformanceError(f"{what} returned a masked array, whose mask would be lost; return .filled(value)")
    if isinstance(value, (list, tuple)):
        parts = [to_numpy(part, what) for part in value]
        shapes = {part.shape for part in parts}
        if len(shapes) > 1:
            raise ConformanceError(f"{what} returned arrays of the shapes {sorted(shapes)} together; return one array")
        return np.array(parts)
    for step in ("detach", "cpu"):  # torch: off the graph, off the accelerator
        if callable(getattr(value, step, None)):
            value = getattr(value, step)()
    array = _plain(value)
    if array.dtype.kind == "O":  # fractions, for instance
        try:
            array = array.astype(float)
        except (TypeError, ValueError, OverflowError):
            raise ConformanceError(
                f"{what} returned {shown(value)}; it must return an array of numbers: NumPy, torch, JAX, or anything with "
                "__dlpack__ or __array__"
            ) from None
    if array.dtype.kind not in "fiub":
        raise ConformanceError(f"{what} returned an array of {array.dtype}; it must return real numbers")
    return array


def _plain(value: Any) -> npt.NDArray[Any]:
    if hasattr(value, "__dlpack__") and not isinstance(value, (np.ndarray, np.generic)):
        try:
            return np.asarray(np.from_dlpack(value))
        except (BufferError, TypeError, RuntimeError):
            # DLPack does not carry every type everywhere (booleans, devices); __array__ then says what is wrong, or works
            return np.asarray(value)
    return np.asarray(value)


SINGLE = 2.0**-23
"""The unit of rounding of float32, in which libraries compute; what is right up to that is right."""


def rounding(*values: Any) -> float:
    """The coarsest unit of rounding among arrays of floats, and at least that of float32.

    Right code that works in float64 may still be off by more than float64's: logarithms of ``p + 1e-10`` are common.
    """
    kinds = [value.dtype for value in values if isinstance(value, np.ndarray) and value.dtype.kind == "f"]
    coarsest = max([SINGLE, *(float(np.finfo(kind).eps) for kind in kinds)])
    if coarsest > COARSEST:
        raise ConformanceError(
            f"numbers with a rounding of {coarsest:.1g} cannot be told from wrong ones; let the hook compute in float32 or "
            "float64"
        )
    return coarsest
