"""A failure as text, and as a file that anybody can compute again.

The file is JSON: the inputs as fractions, the exact value, what the library returned there, the formula and its source, and the
causes that were guessed.  :func:`recheck` computes the exact value anew from the inputs and compares.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from ..arithmetic.explained import explained
from ..errors import ConformanceError, FileError
from ..games.untrusted import read_json, write_whole
from .check import Check, Inputs, as_floats, exact
from .compare import ROUNDINGS, Call, Failure, agrees
from .registry import CHECKS

FORMAT, VERSION = "mappo-verify-conformance", 1
INDENT = " " * 12
MAX_BYTES, MAX_DIGITS = 1_000_000, 200
"""Limits of what :func:`recheck` reads."""

# --- text -------------------------------------------------------------------------------------------------------------


def place_of(call: Call) -> tuple[int, ...]:
    """The first entry that is wrong."""
    return tuple(int(i) for i in np.argwhere(np.atleast_1d(call.wrong))[0][: np.ndim(call.exact)])


@explained
def text_of(failure: Failure) -> str:
    """What a failing test prints."""
    check, call = failure.check, failure.call
    lines = [
        f"{failure.library or 'the hook'}: {check.hook} is not what its definition says "
        f"({failure.failing} of {failure.total} inputs; the smallest found is shown)",
        f"  input     {call.case.name}",
        *_inputs(check, call.case.inputs),
    ]
    if call.complaint:
        lines.append(f"  found     {call.complaint}")
    else:
        place = place_of(call)
        name = f"{check.hook}{list(place) if place else ''}"
        right = call.exact[place] if place else call.exact[()]
        found = call.found[place] if place else call.found[()]
        lines += [
            f"  exact     {name} = {right}"
            + (f"  ≈ {float(as_floats(right)):.12g}" if str(right) != f"{as_floats(right):g}" else ""),
            f"  yours     {name} = {float(found):.12g}",
        ]
    lines += [f"  formula   {check.formula}", f"  source    {check.source}"]
    lines += [
        f"  cause     {cause}"
        for cause in failure.causes or ("none of the known slips reproduces these numbers",)
        if not call.complaint
    ]
    return "\n".join(lines)


def _inputs(check: Check, inputs: Inputs) -> list[str]:
    """The inputs: a table of steps for a trajectory, else one line each."""
    shown = [name for name, value in inputs.items() if not isinstance(value, np.ndarray) or value.dtype.kind != "f"]
    lines = []
    if check.steps:
        names = [name for name in shown if isinstance(inputs[name], np.ndarray) and inputs[name].ndim]
        if not np.any(inputs["truncated"] & (inputs["final_values"] != inputs["values"][1:])):
            names.remove("final_values")
        columns = [["t", *map(str, range(len(inputs["values"])))]]
        columns += [[name, *map(_short, inputs[name])] for name in names]
        lines = [INDENT + "  ".join(row).rstrip() for row in zip_longest(*map(_padded, columns), fillvalue="")]
        shown = [name for name in shown if name not in (*names, "final_values")]
    return lines + [f"{INDENT}{name} = {_short(inputs[name])}" for name in shown]


def _padded(column: list[str]) -> list[str]:
    width = max(map(len, column))
    return [cell.ljust(width) for cell in column]


def _short(value: Any) -> str:
    """Numbers as people write them."""
    if isinstance(value, np.ndarray):
        return "[" + ", ".join(_short(part) for part in value) + "]" if value.ndim else _short(value[()])
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_short(part) for part in value) + "]"
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "-"
    return str(value)


# --- files ------------------------------------------------------------------------------------------------------------


def document_of(failure: Failure) -> dict[str, Any]:
    """A failure as plain data."""
    call = failure.call
    place = () if call.complaint else place_of(call)
    return {
        "format": FORMAT,
        "version": VERSION,
        "hook": failure.check.hook,
        "library": failure.library,
        "case": call.case.name,
        "inputs": {name: _plain(value) for name, value in call.case.inputs.items()},
        "entry": list(place),
        "exact": None if call.complaint else str(call.exact[place]),
        "found": call.complaint or float(call.found[place]),
        "unit": call.unit,
        "formula": failure.check.formula,
        "source": failure.check.source,
        "causes": list(failure.causes),
    }


def write(failure: Failure, folder: Path) -> Path:
    """Write a failure into a folder, which is made; the hook and the class name the file."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the folder {folder}: {error.strerror or error}") from None
    words = "".join(sign if sign.isalnum() else "-" for sign in failure.library)
    path = folder / f"{failure.check.hook}{'-' if words else ''}{words}.json"
    write_whole(path, json.dumps(document_of(failure), ensure_ascii=False, indent=1) + "\n")
    return path


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        kind = {"O": "numbers", "b": "mask", "i": "integers", "f": "floats"}[value.dtype.kind]
        return {kind: np.vectorize(str, otypes=[object])(value).tolist() if kind == "numbers" else value.tolist()}
    if isinstance(value, (list, tuple)):
        return {"list" if isinstance(value, list) else "tuple": [_plain(part) for part in value]}
    return value if isinstance(value, int) else {"number": str(value)}


def _read(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, dict)):
        raise ConformanceError(f"{value!r} is no input of a failure")
    if isinstance(value, int):
        return value
    ((kind, content),) = value.items()
    if kind in ("list", "tuple"):
        parts = [_read(part) for part in content]
        return parts if kind == "list" else tuple(parts)
    if kind == "number":
        return exact(_fraction(content))[()]
    array: Any = np.array(content, dtype={"numbers": object, "mask": bool, "integers": int, "floats": float}[kind])
    return exact(np.vectorize(_fraction, otypes=[object])(array)) if kind == "numbers" else array


def _fraction(text: Any) -> Any:
    if not isinstance(text, str) or len(text) > MAX_DIGITS or not set(text) <= set("0123456789/-"):
        raise ConformanceError(f"{str(text)[:40]!r} is no fraction such as -3/4")
    return Fraction(text)


@dataclass(frozen=True)
class Recheck:
    """Whether the numbers in a file of a failure contradict each other, computed anew."""

    valid: bool
    reason: str


@explained
def recheck(path: str | Path) -> Recheck:
    """Compute the exact value of a recorded failure anew and compare; nothing in the file is trusted."""
    path = Path(path)
    try:
        document = read_json(path, MAX_BYTES)
        if not isinstance(document, Mapping) or (document.get("format"), document.get("version")) != (FORMAT, VERSION):
            raise ConformanceError(f"{path} is no {FORMAT} file of version {VERSION}")
        if document["exact"] is None:
            return Recheck(False, "what is recorded is a wrong shape, which holds no number to compare")
        check = CHECKS[document["hook"]]
        inputs = {name: _read(value) for name, value in document["inputs"].items()}
        place, unit, found = tuple(document["entry"]), float(document["unit"]), float(document["found"])
        values = np.asarray(check.evaluate(inputs))
        right = str(values[place])
    except (ConformanceError, FileError):
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ConformanceError(f"{path} cannot be read: {type(error).__name__}: {error}") from None
    if right != document["exact"]:
        return Recheck(False, f"the exact value is {right}, not {document['exact']}")
    floats = as_floats(values)
    told = np.where(
        np.arange(floats.size).reshape(floats.shape) == np.ravel_multi_index(place, floats.shape) if place else True,
        found,
        floats,
    )
    if bool(agrees(check, inputs, floats, told, unit)[place]):
        return Recheck(False, f"{found!r} is {right} up to {ROUNDINGS} units of rounding")
    return Recheck(True, f"{check.hook}{list(place)} is {right}, not {found!r}")
