"""What formulas may ask of an array: the interface that NumPy's arrays and :class:`~.numbers.Numbers` share.

A formula is written over :class:`Array` and runs on both: plain arrays, whose leading axes are a batch, and the numbers of one
instance.  Whatever else it needs (solving, comparing, choosing, logarithms) stands in :mod:`mappo_verify.arithmetic.functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import ArgumentError
from .one_instance import OneInstance
from .sparse import is_sparse


class Array(Protocol):
    """Numbers or truth, with NumPy's operators, shapes and slices."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes."""

    @property
    def ndim(self) -> int:
        """The number of its axes."""

    @property
    def size(self) -> int:
        """The number of its entries."""

    @property
    def T(self) -> Array:
        """All axes reversed."""

    @property
    def sum(self) -> Callable[..., Array]:
        """``sum(axis=None, keepdims=False)``"""

    @property
    def reshape(self) -> Callable[..., Array]:
        """``reshape(shape)``"""

    @property
    def ravel(self) -> Callable[[], Array]:
        """``ravel()``, all entries on one axis"""

    @property
    def copy(self) -> Callable[[], Array]:
        """``copy()``"""

    # Plain arrays have these too, for results; the numbers of one instance refuse them and say what to write instead.

    @property
    def tolist(self) -> Callable[[], Any]:
        """Its numbers as nested lists."""

    @property
    def item(self) -> Callable[[], Any]:
        """Its one number."""

    @property
    def mean(self) -> Callable[..., Any]:
        """``mean(axis=None)``"""

    @property
    def max(self) -> Callable[..., Any]:
        """``max(axis=None)``"""

    @property
    def min(self) -> Callable[..., Any]:
        """``min(axis=None)``"""

    @property
    def any(self) -> Callable[..., Any]:
        """``any(axis=None)`` of truth"""

    @property
    def all(self) -> Callable[..., Any]:
        """``all(axis=None)`` of truth"""

    def swapaxes(self, first: int, second: int, /) -> Array:
        """Two axes in each other's place."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __getitem__(self, index: Any, /) -> Array: ...
    def __float__(self) -> float: ...
    def __array__(self) -> npt.NDArray[Any]: ...
    def __add__(self, other: Any, /) -> Array: ...
    def __radd__(self, other: Any, /) -> Array: ...
    def __sub__(self, other: Any, /) -> Array: ...
    def __rsub__(self, other: Any, /) -> Array: ...
    def __mul__(self, other: Any, /) -> Array: ...
    def __rmul__(self, other: Any, /) -> Array: ...
    def __truediv__(self, other: Any, /) -> Array: ...
    def __rtruediv__(self, other: Any, /) -> Array: ...
    def __matmul__(self, other: Any, /) -> Array: ...
    def __neg__(self) -> Array: ...
    def __abs__(self) -> Array: ...
    def __eq__(self, other: object, /) -> Any: ...
    def __ne__(self, other: object, /) -> Any: ...
    def __lt__(self, other: Any, /) -> Any: ...
    def __le__(self, other: Any, /) -> Any: ...
    def __gt__(self, other: Any, /) -> Any: ...
    def __ge__(self, other: Any, /) -> Any: ...


def as_array(values: Any) -> Array:
    """A list or a number as an array; the numbers of one instance, and sparse tables, as they are.

    :class:`~mappo_verify.errors.ArgumentError` for a masked array, whose hidden entries would count, and for what makes no array.
    """
    if type(values) is np.ndarray or isinstance(values, OneInstance) or is_sparse(values):
        return values  # type: ignore[no-any-return]
    if isinstance(values, np.ma.MaskedArray):
        raise ArgumentError("a masked array: what it hides would count; fill it first, for instance by .filled(0)")
    try:
        return np.asarray(values)
    except Exception as error:
        raise ArgumentError(f"no array can be made of this {type(values).__name__}: {error}"[:300]) from error
