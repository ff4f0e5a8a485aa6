"""Formulas over games and policies on whole batches, in one pass over memory.

A formula that calls several quantities (``V``, ``Q``, all ``Q^{1:m}``, a lemma's two sides) computes one after the other, and
each reads the batch from memory and writes its result back.  :func:`batched` looks at the formula once, as a list of steps on one
instance (:mod:`mappo_verify.arithmetic.recorded`), and takes blocks of instances through all of them while they are in the
processor's cache; what several quantities have in common is computed once.

Compiled loops take large batches on all cores: these here, those of enclosures, and those that check and lay out what a game or a
policy is built from.  Results are the same on any number of cores, bit for bit.  The environment variable ``NUMBA_NUM_THREADS``
limits how many are used, and ``OMP_NUM_THREADS`` where the first is not set; worker processes of a campaign use one core each,
unless ``NUMBA_NUM_THREADS`` says otherwise.

>>> import numpy as np
>>> import mappo_verify as mv
>>> both = mv.quantities.batched(lambda game, policy: (mv.state_values(game, policy), mv.agent_advantages(game, policy)))
>>> game = mv.Game(np.ones((1000, 1, 4, 1)) / 2, np.ones((1000, 1, 4)), 0.5, action_sizes=(2, 2))
>>> values, advantages = both(game, mv.Policy.uniform(game))
>>> values.shape, values[0].round(3), [table.shape for table in advantages]
((1000, 1), array([1.333]), [(1000, 1, 2), (1000, 1, 4)])
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

from ..arithmetic import Numbers, System, is_hidden, is_sparse
from ..arithmetic.numbers import take
from ..arithmetic.one_instance import Truth
from ..arithmetic.one_part import implementation_of
from ..arithmetic.programs import Program
from ..arithmetic.recorded import NotRecorded, Recorder, recording
from ..errors import MappoVerifyError
from ..model import Game, Policy
from ..model.trees import hidden, leaves_of, mapped, unwrapped
from .values import is_near_one

P = ParamSpec("P")
R = TypeVar("R")

WORTH_RECORDING = 256
"""Below so many instances, looking at a formula takes longer than it saves."""
NEARLY = 1e-6
"""Of the largest number: what rounding changes at most where two formulas are the same."""


def batched(formula: Callable[P, R]) -> Callable[P, R]:
    """The same formula, which takes a large batch through all its steps block by block.

    ``formula`` takes games, policies and float arrays ``[B]``, and returns arrays (in tuples); it must depend on its arguments
    alone, and is looked at once for each number of states and actions; the first time, loading compiled code takes a second.
    Results of floats may differ by rounding, those of enclosures are the same numbers.  The formula is evaluated as it stands
    where the batch is small or has several axes, where numba is not installed, where a discount of floats is near 1 (there
    values are solved in another way), where it does what depends on an instance (comparisons, choices, exponentials), where
    its first axis is not the batch (``values[0]``, a vector that all instances share), and on other number systems.
    """
    known: dict[Any, Recorded | None] = {}

    @wraps(formula)
    def evaluated(*args: P.args, **kwargs: P.kwargs) -> R:
        found = None if kwargs or not _compiles() else _recorded(formula, args, known)
        return formula(*args, **kwargs) if found is None else found

    return evaluated


@cache
def _compiles() -> bool:
    """Whether numba is there."""
    from importlib.util import find_spec

    return find_spec("numba") is not None


def _recorded(formula: Callable[..., Any], objects: tuple[Any, ...], known: dict[Any, Recorded | None]) -> Any:
    """The result by recorded steps; None where they are not worth it, or do not say everything."""
    if is_hidden(leaves_of(objects)):
        return _of_one_instance(formula, objects, known)
    batch = _batch_of(objects)
    if batch is None:
        return None
    given = tuple(hidden(value, System.FLOATS, 0) for value in objects)
    several = tuple(map(_has_batch, objects))
    result = _of_one_instance(formula, given, known, several, lambda found: _agrees(found, formula, objects, several))
    return None if result is None else unwrapped(result, (batch,))


def _has_batch(value: Any) -> bool:
    return bool(value.shape if isinstance(value, np.ndarray) else value.batch_shape)


def _agrees(found: Recorded, formula: Callable[..., Any], objects: tuple[Any, ...], several: tuple[bool, ...]) -> bool:
    """Whether a formula of one instance is the formula of plain arrays: on a few instances, as many as no axis is long.

    It is not where ``values[0]`` is the first instance, or a result depends on what all instances share alone.
    """
    given = tuple(hidden(value, System.FLOATS, 0) for value in objects)
    axes = {length for leaf in leaves_of((given, found.result)) for length in leaf.shape}
    few = next(count for count in range(2, len(axes) + 3) if count not in axes)
    some = tuple(value[:few] if batch else value for value, batch in zip(objects, several, strict=True))
    try:
        plain = formula(*some)
    except (MappoVerifyError, ArithmeticError, LookupError, TypeError, ValueError):  # it comes again, if it is an error
        return False
    made, lost = found(tuple(hidden(value, System.FLOATS, 0) for value in some))
    return not lost.any() and _near(unwrapped(made, (few,)), plain)


def _near(one: Any, other: Any) -> bool:
    """Whether plain results have the same shapes, and differ by rounding."""
    if isinstance(one, tuple):
        return isinstance(other, tuple) and len(one) == len(other) and all(map(_near, one, other))
    if is_dataclass(one) and type(one) is type(other):
        return all(_near(getattr(one, entry.name), getattr(other, entry.name)) for entry in fields(one))
    if not isinstance(one, np.ndarray):
        return bool(one is other or one == other)
    if np.shape(other) != one.shape:
        return False
    size = NEARLY * np.abs(one[np.isfinite(one)]).max(initial=0)
    return bool(np.allclose(one, other, rtol=0, atol=size, equal_nan=True))


def _batch_of(objects: tuple[Any, ...]) -> int | None:
    """The length of the one batch axis of these objects; None where they are no floats, have other axes, or need more care."""
    shapes = set()
    for value in objects:
        if isinstance(value, Game):
            if value.system is not System.FLOATS or is_sparse(value.transition) or value.available is not None:
                return None
            if is_near_one(value):
                return None
            shapes.add(value.batch_shape)
        elif isinstance(value, Policy):
            if value.system is not System.FLOATS:
                return None
            shapes.add(value.batch_shape)
        elif isinstance(value, np.ndarray) and value.dtype == np.float64 and value.ndim < 2:
            shapes.add(value.shape)
        else:
            return None
    if not any(_has_batch(value) for value in objects if not isinstance(value, np.ndarray)):
        return None  # an array alone may be a vector over the states
    lengths = {shape[0] for shape in shapes if len(shape) == 1}
    if len(lengths) != 1 or any(len(shape) > 1 for shape in shapes) or min(lengths) < WORTH_RECORDING:
        return None
    return int(lengths.pop())


def _of_one_instance(
    formula: Callable[..., Any],
    objects: tuple[Any, ...],
    known: dict[Any, Recorded | None],
    several: tuple[bool, ...] = (),
    accepted: Callable[[Recorded], bool] = lambda _: True,
) -> Any:
    """As :func:`_recorded`, of objects of one instance, of which plain ones had ``several``; if the steps are ``accepted``."""
    try:
        key = (several, _signature(objects))
        hash(key)
    except TypeError:
        return None
    if key not in known:
        try:
            steps = record(formula, objects)
            known[key] = steps if accepted(steps) else None
        except (NotRecorded, MappoVerifyError):  # an error comes again where the formula is evaluated as it stands
            known[key] = None
    recorded = known[key]
    if recorded is None:
        return None
    result, lost = recorded(objects)
    if lost.any():
        if lost.all() or recorded.program.system is System.FLOATS:
            return None
        rest = iter(leaves_of(formula(*mapped(lambda leaf: take(leaf, lost), objects))))
        mapped(lambda leaf: _mended(leaf, next(rest), lost), result)
    return result


def _mended(leaf: Numbers, other: Numbers, lost: npt.NDArray[np.bool_]) -> Numbers:
    for part, right in zip(leaf._parts, other._parts, strict=True):
        part[..., lost] = right
    return leaf


def _signature(value: Any) -> Any:
    """What a program depends on: kinds, shapes and everything that is no number."""
    if isinstance(value, Numbers):
        return (value._arithmetic.system, value.shape)
    if isinstance(value, Truth):
        return (Truth, value.shape)
    if isinstance(value, tuple):
        return tuple(map(_signature, value))
    if is_dataclass(value) and not isinstance(value, type):
        parts = ((entry.name, getattr(value, entry.name, None)) for entry in fields(value))
        return (type(value), *((name, _signature(part)) for name, part in parts))
    return value


@dataclass(frozen=True)
class Recorded:
    """A formula as a program, and the shape of its result."""

    program: Program
    result: Any
    """The formula's result, with rows in place of numbers."""

    def __call__(self, objects: tuple[Any, ...]) -> tuple[Any, npt.NDArray[np.bool_]]:
        """The result on these objects of one instance, and for which instances it says nothing yet."""
        given = [leaf._parts for leaf in leaves_of(objects) if isinstance(leaf, Numbers)]
        made, lost = self.program(given, max(parts[0].shape[-1] for parts in given))
        found, system = iter(made), implementation_of(self.program.system)
        return mapped(lambda _: Numbers(system, next(found)), self.result), lost


def record(formula: Callable[..., Any], objects: tuple[Any, ...]) -> Recorded:
    """The steps of ``formula`` on objects of one instance (games, policies, numbers); :class:`NotRecorded` if it has others."""
    numbers = [leaf for leaf in leaves_of(objects) if isinstance(leaf, Numbers)]
    if not numbers or numbers[0]._arithmetic.system not in (System.FLOATS, System.ENCLOSURES):
        raise NotRecorded("only floats and enclosures are recorded")
    recorder = Recorder(implementation_of(numbers[0]._arithmetic.system))
    inputs: list[Any] = []

    def rows(leaf: Any) -> Any:
        if isinstance(leaf, Truth):
            return leaf
        inputs.append(recorder.fresh(leaf.shape))
        return Numbers(recorder, (inputs[-1],))

    with recording(recorder):
        result = formula(*mapped(rows, objects))
    outputs = leaves_of(result)
    if not outputs or not all(isinstance(leaf, Numbers) for leaf in outputs):
        raise NotRecorded("a result that is no number")
    return Recorded(Program(recorder, inputs, [leaf._parts[0] for leaf in outputs]), result)
