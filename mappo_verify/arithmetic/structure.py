"""NumPy's functions that a formula may use: the whitelist behind :class:`~mappo_verify.arithmetic.one_instance.OneInstance`.

Each changes the axes of one instance only; the batch stays last and out of reach.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from .formulas import operations
from .numbers import Numbers, contract_numbers
from .one_instance import FUNCTIONS, UFUNCS, Axis, OneInstance, Truth, axes_of, axis_of, refuse


def alike(values: Sequence[Any]) -> list[Any]:
    """All as truth, or all as numbers of one system; constants join."""
    if any(isinstance(value, Truth) for value in values):
        return [Truth.of(value) for value in values]
    first = next((value for value in values if isinstance(value, Numbers)), None)
    if first is None:
        refuse("a function without numbers", "give it a list or a tuple of them")
    return [first.operand(value) for value in values]


def _joined(join: Callable[..., Any], given: list[Any], axis: int, new: int) -> Any:
    place = axis_of(axis, given[0].ndim + new)
    count = max(value._count for value in given)
    shapes = [np.broadcast_shapes(*(value.shape for value in given))] * len(given) if new else [v.shape for v in given]
    parts = tuple(
        join([np.broadcast_to(part, (*shape, count)) for part, shape in zip(parallel, shapes, strict=True)], axis=place)
        for parallel in zip(*(value._parts for value in given), strict=True)
    )
    return given[0]._with(parts)


# Parameters have the names, the order and the defaults of NumPy's.


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Along a new axis; constants without axes have the shape of the others."""
    given = alike(list(arrays))
    shapes = {value.shape for value in given if value.ndim}
    if len(shapes) > 1:
        raise ValueError(f"np.stack of the shapes {sorted(shapes)}: they must be equal; use np.broadcast_arrays")
    return _joined(np.stack, given, axis, 1)


def concatenate(arrays: Sequence[Any], /, axis: int | None = 0) -> Any:
    """Along an axis that is there; of all entries where none is named."""
    given = alike(list(arrays))
    if axis is None:
        return _joined(np.concatenate, [value.ravel() for value in given], 0, 0)
    return _joined(np.concatenate, given, axis, 0)


def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Axes of one instance to other places."""
    one, two = (normalize_axis_tuple(places, a.ndim) for places in (source, destination))
    return a._view(lambda part: np.moveaxis(part, one, two))


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Two axes in each other's place."""
    return a.swapaxes(axis1, axis2)


def transpose(a: Any, axes: Any = None) -> Any:
    """Axes in another order; reversed by default."""
    return a.transpose(axes)


def reshape(a: Any, /, shape: Any) -> Any:
    """The same entries in another shape."""
    return a.reshape(shape)


def ravel(a: Any) -> Any:
    """All entries on one axis."""
    return a.ravel()


def broadcast_to(array: Any, shape: Any) -> Any:
    """One instance in a larger shape."""
    wanted = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if wanted == array.shape:  # another object: the formula of the result must not depend on shapes
        return array._copy()
    filled = (1,) * (len(wanted) - array.ndim)
    try:
        return array._each(lambda part: np.broadcast_to(part.reshape(filled + part.shape), (*wanted, part.shape[-1])))
    except ValueError:
        raise ValueError(f"the shape {array.shape} of one instance does not fit {wanted}") from None


def broadcast_arrays(*args: Any) -> tuple[Any, ...]:
    """Several in their common shape."""
    given = alike(args)
    shape = np.broadcast_shapes(*(value.shape for value in given))
    return tuple(broadcast_to(value, shape) for value in given)


def expand_dims(a: Any, axis: Any) -> Any:
    """New axes of length 1."""
    given = (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    places = normalize_axis_tuple(given, a.ndim + len(given))
    return a._view(lambda part: np.expand_dims(part, places))


def squeeze(a: Any, axis: Axis = None) -> Any:
    """Without axes of length 1."""
    axes = tuple(k for k, n in enumerate(a.shape) if n == 1) if axis is None else axes_of(axis, a.ndim)
    return a._view(lambda part: np.squeeze(part, axes))


def along(a: Any, axis: int | None) -> tuple[Any, int]:
    """Numbers, and one of their axes, counted from the front; where none is named, all entries on one axis."""
    return (a.ravel(), 0) if axis is None else (a, axis_of(axis, a.ndim))


def repeat(a: Any, repeats: int | Sequence[int], axis: int | None = None) -> Any:
    """Every entry several times."""
    given, place = along(a, axis)
    return given._each(lambda part: np.repeat(part, repeats, axis=place))


def flip(m: Any, axis: Axis = None) -> Any:
    """Backwards along axes."""
    axes = axes_of(axis, m.ndim)
    return m._view(lambda part: np.flip(part, axes))


def roll(a: Any, shift: int | Sequence[int], axis: Axis = None) -> Any:
    """Shifted around, along each axis in turn; of all entries, in their order, where none is named."""
    if axis is None:
        return roll(a.ravel(), shift, 0).reshape(a.shape).copy()
    places = normalize_axis_tuple(axis, a.ndim, allow_duplicate=True)
    return a._each(lambda part: np.roll(part, shift, places))


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal over two axes, on a last axis."""
    one, two = normalize_axis_tuple((axis1, axis2), a.ndim)
    return a._each(lambda part: np.moveaxis(np.diagonal(part, offset, one, two), -1, -2))


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of the diagonal over two axes."""
    return diagonal(a, offset, axis1, axis2).sum(-1)


def outer(a: Any, b: Any) -> Any:
    """``x_i y_j``"""
    one, two = alike([a, b])
    return one.ravel()[:, None] * two.ravel()


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Pieces along an axis."""
    place, pieces = axis_of(axis, ary.ndim), indices_or_sections
    length = ary.shape[place]
    if isinstance(pieces, (int, np.integer)) and (pieces < 1 or length % pieces):
        raise ValueError(f"an axis of length {length} has no {pieces} equal pieces")
    ends = [length * k // pieces for k in range(1, pieces)] if isinstance(pieces, (int, np.integer)) else list(pieces)
    return [
        ary[(slice(None),) * place + (slice(begin, end),)]
        for begin, end in zip([0, *ends], [*ends, length], strict=True)
    ]


def cumsum(a: Any, axis: int | None = None) -> Any:
    """Partial sums along an axis."""
    given, place = along(a, axis)
    if not given.shape[place]:
        return given
    sums: list[Any] = []
    for entry in moveaxis(given, place, 0):
        sums.append(sums[-1] + entry if sums else entry)
    return stack(sums, axis=place)


def dot(a: Any, b: Any) -> Any:
    """NumPy's product of single numbers, vectors and matrices; of stacks of these it is another one than ``@``."""
    one, two = alike([a, b])
    if not (one.ndim and two.ndim):
        return one * two
    return one @ two if two.ndim <= 2 else refuse("np.dot of more than two axes", "use @ or contract")


def inner(a: Any, b: Any, /) -> Any:
    """The sum of products over the last axis of both."""
    one, two = alike([a, b])
    if not (one.ndim and two.ndim):
        return one * two
    return one @ two.T if two.ndim <= 2 else refuse("np.inner of more than two axes", "use contract")


def prod(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """The product along axes."""
    axes = axes_of(axis, a.ndim)
    kept = tuple(n for k, n in enumerate(a.shape) if k not in axes)
    factors = moveaxis(a, axes, range(len(axes))).reshape((math.prod(a.shape[k] for k in axes), *kept))
    result = reduce(operator.mul, factors, full_like(a, 1, shape=kept))
    return result.reshape(tuple(1 if k in axes else n for k, n in enumerate(a.shape))).copy() if keepdims else result


def take(a: Any, indices: Any, axis: int | None = None) -> Any:
    """Entries at places that are the same for every instance."""
    places = np.asarray(indices)
    if places.dtype.kind not in "iu":
        refuse("np.take with indices that depend on the instance", "use choose(truth, a, b)")
    given, place = along(a, axis)
    return given._each(lambda part: np.take(part, places, axis=place))


def einsum(subscripts: Any, *operands: Any) -> Any:
    """A contraction over the axes of one instance."""
    if not isinstance(subscripts, str):
        refuse("np.einsum with lists of labels", "write contract('sa,sat->st', x, y)")
    factors = alike(operands)
    if isinstance(factors[0], Truth):
        refuse("np.einsum of truth", "use & and |, or choose(truth, 1, 0)")
    return contract_numbers(subscripts, *factors)


def full_like(a: Any, fill_value: Any, *, shape: Any = None) -> Any:
    """One constant, or numbers that broadcast, in the shape of another array."""
    return broadcast_to(alike([a, fill_value])[1], a.shape if shape is None else shape)


def same_shape(value: int) -> Callable[..., Any]:
    """Constants in the shape of another array."""

    def made(a: Any, *, shape: Any = None) -> Any:
        return full_like(a, bool(value) if isinstance(a, Truth) else value, shape=shape)

    return made


def size(a: Any, axis: Axis = None) -> int:
    """How many entries there are, along axes."""
    return math.prod(a.shape[k] for k in axes_of(axis, a.ndim))


def _reduced(name: str) -> Callable[..., Any]:
    def reduced(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
        return getattr(a, name)(axis, keepdims=keepdims)

    return reduced


def _quantified(name: str) -> Callable[..., Any]:
    def quantified(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
        return getattr(Truth.of(a), name)(axis, keepdims=keepdims)

    return quantified


FUNCTIONS |= {getattr(np, own.__name__): own for own in (
    stack, concatenate, moveaxis, swapaxes, transpose, reshape, ravel, broadcast_to, broadcast_arrays, expand_dims, squeeze,
    repeat, flip, roll, diagonal, trace, outer, inner, dot, split, cumsum, prod, take, einsum, full_like, size,
)}  # fmt: skip
FUNCTIONS |= {
    np.zeros_like: same_shape(0),
    np.ones_like: same_shape(1),
    np.sum: _reduced("sum"),
    np.max: _reduced("max"),
    np.min: _reduced("min"),
    np.all: _quantified("all"),
    np.any: _quantified("any"),
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.copy: lambda a: a.copy(),
}
for own in (squeeze, repeat, diagonal, trace, cumsum, prod, take, dot):  # NumPy has them as methods, too
    setattr(OneInstance, own.__name__, own)
    operations(OneInstance, own.__name__)
UFUNCS |= {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.negative: operator.neg,
    np.positive: operator.pos,
    np.matmul: operator.matmul,
    np.square: lambda values: values * values,
    np.reciprocal: lambda values: 1 / values,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.absolute: abs,
    np.fabs: abs,
}
