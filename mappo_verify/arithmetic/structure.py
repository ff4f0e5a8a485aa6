"""NumPy's functions that a formula may use: the whitelist behind :class:`~mappo_verify.arithmetic.one_instance.OneInstance`.

Each changes the axes of one instance only; the batch stays last and out of reach.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from .numbers import Numbers, constants, contract_numbers, zeros
from .one_instance import FUNCTIONS, UFUNCS, Axis, OneInstance, Truth, axes_of, refuse


def alike(values: Sequence[Any]) -> list[Any]:
    """All as truth, or all as numbers of one system; constants join."""
    if any(isinstance(value, Truth) for value in values):
        return [Truth.of(value) for value in values]
    first = next(value for value in values if isinstance(value, Numbers))
    return [first.operand(value) for value in values]


def _joined(join: Callable[..., Any], values: Sequence[Any], axis: int, new: int) -> Any:
    given = alike(list(values))
    place = axes_of(axis, given[0].ndim + new)[0]
    count = max(value._count for value in given)
    shapes = [np.broadcast_shapes(*(value.shape for value in given))] * len(given) if new else [v.shape for v in given]
    parts = tuple(
        join([np.broadcast_to(part, (*shape, count)) for part, shape in zip(parallel, shapes, strict=True)], axis=place)
        for parallel in zip(*(value._parts for value in given), strict=True)
    )
    return given[0]._with(parts)


def stack(values: Sequence[Any], axis: int = 0) -> Any:
    """Along a new axis."""
    if isinstance(values, OneInstance):
        values = list(values)
    return _joined(np.stack, values, axis, 1)


def concatenate(values: Sequence[Any], axis: int = 0) -> Any:
    """Along an axis that is there."""
    if isinstance(values, OneInstance):
        values = list(values)
    return _joined(np.concatenate, values, axis, 0)


def moveaxis(values: Any, source: Any, destination: Any) -> Any:
    """Axes of one instance to other places."""
    one, two = (normalize_axis_tuple(places, values.ndim) for places in (source, destination))
    return values._each(lambda part: np.moveaxis(part, one, two))


def broadcast_to(values: Any, shape: Any) -> Any:
    """One instance in a larger shape."""
    wanted = (shape,) if isinstance(shape, int) else tuple(shape)
    if wanted == values.shape:  # another object: the formula of the result must not depend on shapes
        return values._copy()
    filled = (1,) * (len(wanted) - values.ndim)
    return values._each(lambda part: np.broadcast_to(part.reshape(filled + part.shape), (*wanted, part.shape[-1])))


def broadcast_arrays(*values: Any) -> tuple[Any, ...]:
    """Several in their common shape."""
    given = alike(values)
    shape = np.broadcast_shapes(*(value.shape for value in given))
    return tuple(broadcast_to(value, shape) for value in given)


def expand_dims(values: Any, axis: Any) -> Any:
    """New axes of length 1."""
    given = (axis,) if isinstance(axis, int) else tuple(axis)
    places = normalize_axis_tuple(given, values.ndim + len(given))
    return values._each(lambda part: np.expand_dims(part, places))


def squeeze(values: Any, axis: Axis = None) -> Any:
    """Without axes of length 1."""
    axes = tuple(a for a, n in enumerate(values.shape) if n == 1) if axis is None else axes_of(axis, values.ndim)
    return values._each(lambda part: np.squeeze(part, axes))


def repeat(values: Any, repeats: int, axis: int | None = None) -> Any:
    """Every entry several times."""
    given, place = (values.ravel(), 0) if axis is None else (values, axes_of(axis, values.ndim)[0])
    return given._each(lambda part: np.repeat(part, repeats, axis=place))


def flip(values: Any, axis: Axis = None) -> Any:
    """Backwards along axes."""
    axes = axes_of(axis, values.ndim)
    return values._each(lambda part: np.flip(part, axes))


def roll(values: Any, shift: int, axis: int) -> Any:
    """Shifted around."""
    place = axes_of(axis, values.ndim)[0]
    return values._each(lambda part: np.roll(part, shift, place))


def diagonal(values: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal over two axes, on a last axis."""
    one, two = normalize_axis_tuple((axis1, axis2), values.ndim)
    return values._each(lambda part: np.moveaxis(np.diagonal(part, offset, one, two), -1, -2))


def trace(values: Any) -> Any:
    """The sum of the diagonal over the first two axes."""
    return diagonal(values).sum(-1)


def outer(left: Any, right: Any) -> Any:
    """``x_i y_j``"""
    one, two = alike([left, right])
    return one.ravel()[:, None] * two.ravel()


def split(values: Any, pieces: Any, axis: int = 0) -> list[Any]:
    """Pieces along an axis."""
    length = values.shape[axis]
    ends = [length * k // pieces for k in range(1, pieces)] if isinstance(pieces, int) else list(pieces)
    if isinstance(pieces, int) and length % pieces:
        raise ValueError(f"an axis of length {length} has no {pieces} equal pieces")
    place = axes_of(axis, values.ndim)[0]
    return [
        values[(slice(None),) * place + (slice(begin, end),)]
        for begin, end in zip([0, *ends], [*ends, length], strict=True)
    ]


def cumsum(values: Any, axis: int | None = None) -> Any:
    """Partial sums along an axis."""
    given, place = (values.ravel(), 0) if axis is None else (values, axes_of(axis, values.ndim)[0])
    if not given.shape[place]:
        return given
    sums: list[Any] = []
    for entry in moveaxis(given, place, 0):
        sums.append(sums[-1] + entry if sums else entry)
    return stack(sums, axis=place)


def dot(left: Any, right: Any) -> Any:
    """NumPy's product of single numbers, vectors and matrices; of stacks of these it is another one than ``@``."""
    one, two = alike([left, right])
    if not (one.ndim and two.ndim):
        return one * two
    return one @ two if two.ndim <= 2 else refuse("np.dot of more than two axes", "use @ or contract")


def product(values: Any, axis: Axis = None) -> Any:
    """The product along axes."""
    axes = axes_of(axis, values.ndim)
    kept = tuple(n for a, n in enumerate(values.shape) if a not in axes)
    moved = moveaxis(values, axes, range(len(axes))).reshape((prod(values.shape[a] for a in axes), *kept))
    return reduce(operator.mul, moved, zeros(kept, values) + 1)


def take_along(values: Any, indices: Any, axis: int) -> Any:
    """Entries at places that are the same for every instance."""
    places = np.asarray(indices)
    if places.dtype.kind not in "iu":
        refuse("np.take with indices that depend on the instance", "use choose(truth, a, b)")
    place = axes_of(axis, values.ndim)[0]
    return values._each(lambda part: np.take(part, places, axis=place))


def einsum(subscripts: Any, *factors: Any) -> Any:
    """A contraction over the axes of one instance."""
    if not isinstance(subscripts, str):
        refuse("np.einsum with lists of labels", "write contract('sa,sat->st', x, y)")
    return contract_numbers(subscripts, *alike(factors))


def same_shape(value: int) -> Callable[..., Any]:
    """Constants in the shape of another array."""

    def made(values: Any, shape: Any = None) -> Any:
        return zeros(values.shape if shape is None else shape, values) + value

    return made


def full_like(values: Any, value: Any) -> Any:
    """One constant in the shape of another array."""
    return zeros(values.shape, values) + constants(value, values._arithmetic)


def _reduced(name: str) -> Callable[..., Any]:
    def reduced(values: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        return getattr(values, name)(axis, keepdims)

    return reduced


def _quantified(name: str) -> Callable[..., Any]:
    def quantified(values: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        return getattr(Truth.of(values), name)(axis, keepdims)

    return quantified


FUNCTIONS |= {
    np.stack: stack,
    np.concatenate: concatenate,
    np.moveaxis: moveaxis,
    np.swapaxes: lambda values, one, two: values.swapaxes(one, two),
    np.transpose: lambda values, axes=None: values.transpose(axes) if axes is not None else values.transpose(),
    np.reshape: lambda values, shape: values.reshape(shape),
    np.ravel: lambda values: values.ravel(),
    np.broadcast_to: broadcast_to,
    np.broadcast_arrays: broadcast_arrays,
    np.expand_dims: expand_dims,
    np.squeeze: squeeze,
    np.repeat: repeat,
    np.flip: flip,
    np.roll: roll,
    np.diagonal: diagonal,
    np.trace: trace,
    np.outer: outer,
    np.inner: lambda left, right: (
        (left * right).sum(-1) if right.ndim == 1 else refuse("np.inner of matrices", "use @")
    ),
    np.split: split,
    np.cumsum: cumsum,
    np.prod: product,
    np.take: take_along,
    np.einsum: einsum,
    np.zeros_like: same_shape(0),
    np.ones_like: same_shape(1),
    np.full_like: full_like,
    np.sum: _reduced("sum"),
    np.max: _reduced("max"),
    np.min: _reduced("min"),
    np.all: _quantified("all"),
    np.any: _quantified("any"),
    np.shape: lambda values: values.shape,
    np.ndim: lambda values: values.ndim,
    np.size: lambda values, axis=None: values.size if axis is None else values.shape[axis],
    np.copy: lambda values: values,
    np.dot: dot,
}
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
