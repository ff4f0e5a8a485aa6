"""Calls a hook on every case, compares it with the exact values, and guesses the cause of a difference.

No tolerance is guessed.  A hook may return what the exact formula gives for inputs that differ from the true ones by
:data:`ROUNDINGS` units of rounding, each in its own direction (backward error); the unit is that of the coarsest array involved.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..arithmetic.explained import shown
from ..errors import ConformanceError
from .arrays import rounding, to_library, to_numpy
from .check import Case, Check, Formula, Inputs, Slip, as_floats, floats

ROUNDINGS = 2**8
"""How many units of rounding every input may be off.  The slips change results by 2¹⁰ float32 units of rounding and more."""
CHEAP = 8
"""A result so near, in its own units of rounding, is right whatever the inputs."""
NEAR = 2.0**-10
"""So near must a wrong formula come before its own sensitivity is computed."""
SHRINKING = 300
"""Calls of the hook that the search for a smaller failure may cost."""

Hook = Callable[..., Any]


@dataclass(frozen=True)
class Call:
    """What one call gave: ``found`` (None with a ``complaint``), and where it is not the exact value."""

    case: Case
    exact: Any
    found: Any
    unit: float
    wrong: Any
    complaint: str = ""

    @property
    def failed(self) -> bool:
        """Whether something is wrong with it."""
        return bool(self.complaint) or bool(np.any(self.wrong))


@dataclass(frozen=True)
class Failure:
    """A hook that is not what its definition says: the smallest failing call, and what reproduces the numbers."""

    check: Check
    library: str
    call: Call
    failing: int
    total: int
    causes: tuple[str, ...]


def accepted(check: Check, hook: Hook) -> tuple[str, ...]:
    """The arguments that a hook names, in the order of the check; an error where it lacks a needed one or wants another."""
    if not callable(hook):
        raise ConformanceError(f"the hook {check.hook} is {shown(hook)}, not a function")
    known = [argument.name for argument in check.arguments]
    parameters = inspect.signature(hook).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return tuple(known)
    named = [p.name for p in parameters if p.kind is not p.VAR_POSITIONAL]
    strange = [p.name for p in parameters if p.name not in known and p.default is p.empty and p.name in named]
    if strange:
        raise ConformanceError(f"the hook {check.hook} asks for {strange}; it may name {', '.join(known)}")
    for group in check.needs:
        if not set(group) & set(named):
            raise ConformanceError(f"the hook {check.hook} must name {' or '.join(group)} among its arguments")
    return tuple(name for name in known if name in named)


def neutral(check: Check, inputs: Inputs, names: Sequence[str]) -> Inputs:
    """The inputs with every argument that the hook does not name made superfluous."""
    for argument in check.arguments:
        if argument.neutral is not None and not {argument.name, *argument.alternatives} & set(names):
            inputs = {**inputs, **argument.neutral(inputs)}
    return inputs


def call(check: Check, hook: Hook, case: Case, arrays: Any, dtype: str, names: Sequence[str]) -> Call:
    """One call of the hook, compared with the exact value."""
    plain = floats(case.inputs)
    given = {a.name: plain[a.name] if a.derive is None else a.derive(plain) for a in check.arguments if a.name in names}
    handed = {name: to_library(value, arrays, dtype) for name, value in given.items()}
    seen = [to_numpy(handed[name], name) for name, value in given.items() if isinstance(value, np.ndarray)]
    exact = np.asarray(check.evaluate(case.inputs))
    try:
        returned = to_numpy(hook(**handed), f"the hook {check.hook}")
    except Exception as error:
        error.add_note(f"while {check.hook} was called on {given}")
        raise
    unit = rounding(returned, *seen)
    found = np.asarray(check.reduce(returned.astype(float), plain)) if returned.size else returned
    if found.shape != exact.shape and not found.size == exact.size == 1:
        what = f"returned the shape {returned.shape}; the result has the shape {check.shape}, here {exact.shape}"
        return Call(case, exact, returned, unit, True, what)
    found = found.reshape(exact.shape)
    return Call(case, exact, found, unit, ~agrees(check, case.inputs, as_floats(exact), found, unit))


def agrees(check: Check, inputs: Inputs, right: Any, found: Any, unit: float) -> Any:
    """Where ``found`` is ``right`` up to rounding, entry by entry; a number that is not finite never is."""
    near = np.abs(found - right) <= CHEAP * unit * np.abs(right)
    if near.all() or not np.isfinite(found).any():
        return near
    return near | within(right, found, unit, sensitivity(check.evaluate, inputs))


def within(right: Any, found: Any, unit: float, moves: Any) -> Any:
    """Where ``found`` is ``right`` for inputs that are off by :data:`ROUNDINGS` units of rounding."""
    return np.abs(found - right) <= ROUNDINGS * unit * (np.abs(right) + moves)


def sensitivity(formula: Formula, inputs: Inputs) -> Any:
    """``Σ_j |x_j ∂f/∂x_j|`` of every entry of the result: how far it moves, at most, per relative change of the inputs."""
    plain, step = floats(inputs), 2.0**-18
    total: Any = 0.0
    for name, index, value in _numbers(plain):
        ends = [formula(_replaced(plain, name, index, value * factor)) for factor in (1 + step, 1 - step)]
        total = total + np.abs(np.asarray(ends[0]) - np.asarray(ends[1])) / (2 * step)
    return np.asarray(total)


def _numbers(plain: dict[str, Any]) -> Iterator[tuple[str, Any, float]]:
    """Every float other than 0 among the inputs, with its place."""
    for name, value in plain.items():
        parts = value if isinstance(value, list) else [value]
        for position, part in enumerate(parts):
            if isinstance(part, np.ndarray) and part.dtype.kind == "f":
                for index in np.ndindex(part.shape):
                    if part[index]:
                        yield name, (position, index), float(part[index])
            elif isinstance(part, float) and part:
                yield name, (position, ()), part


def _replaced(plain: dict[str, Any], name: str, place: Any, value: float) -> dict[str, Any]:
    position, index = place
    old = plain[name]
    part = old[position] if isinstance(old, list) else old
    if isinstance(part, np.ndarray):
        changed: Any = part.copy()
        changed[index] = value
    else:
        changed = value
    if isinstance(old, list):
        changed = [*old[:position], changed, *old[position + 1 :]]
    return {**plain, name: changed}


# --- all cases ----------------------------------------------------------------------------------------------------------


def examine(
    check: Check,
    hook: Hook,
    cases: Sequence[Case],
    arrays: Any = np,
    dtype: str = "float64",
    library: str = "",
    explained: bool = True,
) -> Failure | None:
    """Compare a hook with the exact values on every case; None where it is right everywhere.

    If a failure need not be ``explained``, the first one is given as it is: not the smallest, and without causes.
    """
    given: Any = (check, cases)
    listed = isinstance(given[0], Check) and isinstance(given[1], Sequence)
    if not listed or not all(isinstance(case, Case) for case in given[1]):
        raise ConformanceError("examine takes a check, as check_of('gae') gives one, a hook, and a list of its cases")
    names = accepted(check, hook)
    run = partial(call, check, hook, arrays=arrays, dtype=dtype, names=names)
    calls: list[Call] = []
    for case in cases:
        calls.append(run(Case(case.name, neutral(check, case.inputs, names))))
        if calls[-1].failed and not explained:
            return Failure(check, library, calls[-1], 1, len(calls), ())
    failed = [each for each in calls if each.failed]
    if not failed:
        return None
    smallest = min(failed, key=lambda each: size_of(each.case.inputs))
    causes = () if smallest.complaint else guesses(check, calls)
    if not smallest.complaint:
        smallest = shrunk(check, run, smallest, names)
    return Failure(check, library, smallest, len(failed), len(calls), causes)


def size_of(inputs: Inputs) -> int:
    """How many numbers an input has."""
    parts = [part for value in inputs.values() for part in (value if isinstance(value, list) else [value])]
    return sum(int(np.size(part)) for part in parts)


def shrunk(check: Check, run: Callable[[Case], Call], failed: Call, names: Sequence[str]) -> Call:
    """A smaller failing trajectory, as long as one step less, or a number replaced by 0 or 1, still fails."""
    left, progress = SHRINKING, check.steps
    while progress:
        progress = False
        for inputs in _simpler(failed.case.inputs):
            if not left:
                return failed
            left -= 1
            candidate = run(Case(failed.case.name, neutral(check, inputs, names)))
            if candidate.failed and not candidate.complaint:
                failed, progress = candidate, True
                break
    return failed


def _simpler(inputs: Inputs) -> Iterator[Inputs]:
    """A trajectory without one of its steps, and with one number replaced by a simpler one."""
    length = len(inputs["rewards"])
    whole = {name: value for name, value in inputs.items() if isinstance(value, np.ndarray) and value.ndim}
    if length > 1:
        for t in range(length):
            yield {**inputs, **{name: np.delete(value, t, axis=0) for name, value in whole.items()}}
    for name, value in whole.items():
        if value.dtype.kind != "O" or name == "ratios":
            continue
        for index in np.ndindex(value.shape):
            for simple in (0, 1):
                number = value[index]
                if number not in (0, simple):
                    changed = value.copy()
                    changed[index] = 0 * number + simple
                    yield {**inputs, name: changed}


# --- causes -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Known:
    """A call, its inputs as floats, and how much its exact value moves with them."""

    call: Call
    plain: Inputs
    moves: Any


def guesses(check: Check, calls: Sequence[Call]) -> tuple[str, ...]:
    """The known slips, alone or two together, that reproduce every number; else those that do on most failing inputs."""
    usable = [
        _Known(each, floats(each.case.inputs), sensitivity(check.evaluate, each.case.inputs))
        for each in calls
        if not each.complaint
    ]
    slips = (*check.with_sign(), *check.in_batch(usable[0].plain))
    single = [(slip.name, _reproduced(check, slip, usable)) for slip in slips]
    whole = [name for name, count in single if count == len(usable)]
    if whole:  # where two slips cannot be told apart here, the special case of the other is not named
        simplest = [name for name in whole if not any(name != other and name.startswith(other) for other in whole)]
        return tuple(f"{name}: this reproduces all {len(usable)} inputs" for name in simplest)
    factor = _factor([each.call for each in usable])
    if factor is not None:
        return (f"every number is {factor:.6g} times the exact value",)
    axis = _averaged_axis(usable)
    if axis is not None:
        return (f"every number is the mean over axis {axis} of the exact values",)
    missing = sum(not np.isfinite(each.call.found).all() for each in usable)
    if missing:
        return (
            f"no number (nan or inf) on {missing} of {len(usable)} inputs: 0 · log 0, inf - inf or a division by 0",
        )
    for first in slips:
        for second in slips:
            if first is not second and _reproduced(check, composed(first, second), usable, whole=True) == len(usable):
                return (f"{first.name}, and {second.name}: together they reproduce all {len(usable)} inputs",)
    right = sum(not each.call.failed for each in usable)
    partly = [(count, name) for name, count in single if count > right]
    if not partly:
        return ()
    most = max(count for count, _ in partly)
    return tuple(
        f"{name}: this reproduces {count} of {len(usable)} inputs, so it is not all"
        for count, name in partly
        if count == most
    )


def composed(first: Slip, second: Slip) -> Slip:
    """Both slips in one library."""
    return Slip(
        f"{first.name}, and {second.name}",
        lambda formula, inputs: first.apply(lambda changed: second.apply(formula, changed), inputs),
    )


def value_of(slip: Slip, formula: Formula, plain: Inputs) -> Any:
    """What a library with this slip returns, in floats; what no number is stays none."""
    with np.errstate(all="ignore"):
        return np.asarray(slip.apply(formula, plain), dtype=float)


def _reproduced(check: Check, slip: Slip, known: Sequence[_Known], whole: bool = False) -> int:
    """On how many calls a slip gives what the hook gave; with ``whole``, counting ends at the first where it does not."""
    count = 0
    for each in known:
        if _tells(partial(value_of, slip, check.evaluate), each):
            count += 1
        elif whole:
            break
    return count


def _tells(formula: Formula, each: _Known) -> bool:
    """Whether a wrong formula gives what the hook gave; no number where it gave none counts as the same."""
    told, found, unit = formula(each.plain), each.call.found, each.call.unit
    if told.shape != np.shape(found):
        return False
    differ = ~((np.isnan(told) & np.isnan(found)) | within(told, found, unit, each.moves))
    if not differ.any():
        return True
    if not np.all(np.abs(found - told)[differ] <= NEAR * np.abs(told)[differ]):
        return False
    moves = sensitivity(formula, each.plain)  # cancellation, perhaps, that the right formula does not have
    return bool(np.all(within(told, found, unit, moves)[differ]))


def _averaged_axis(known: Sequence[_Known]) -> int | None:
    """The axis over which all numbers are the mean of the exact values, if there is one."""
    for axis in range(max(np.ndim(each.call.exact) for each in known)):
        shown = False
        for each in known:
            right = np.asarray(as_floats(each.call.exact))
            if right.ndim <= axis:
                break
            mean, moves = (np.broadcast_to(x.mean(axis, keepdims=True), right.shape) for x in (right, each.moves))
            if not np.all(within(mean, each.call.found, each.call.unit, moves)):
                break
            shown = shown or right.shape[axis] > 1
        else:
            if shown:
                return axis
    return None


def _factor(calls: Sequence[Call]) -> float | None:
    """The constant by which all numbers are off, if there is one."""
    right = np.concatenate([np.ravel(as_floats(each.exact)) for each in calls])
    found = np.concatenate([np.ravel(each.found) for each in calls])
    shown = right != 0
    if shown.sum() < 2 or not np.isfinite(found).all():
        return None
    ratios = found[shown] / right[shown]
    middle, unit = float(np.median(ratios)), max(each.unit for each in calls)
    spread = np.abs(found - middle * right) <= ROUNDINGS * unit * np.abs(middle) * np.abs(right)
    return middle if spread.all() else None
