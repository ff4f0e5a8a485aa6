"""Recorded steps (:mod:`.recorded`) laid out for compiled loops: lines of code, addresses of rows, and blocks of instances.

Rows that are used up give their place to later ones, so that what lies between inputs and results stays in the cache.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .enclosures.kernels import rows_at
from .protocol import Parts
from .recorded import ADD, DOT, MUL, SOLVE, SUB, SUM, Recorder, Rows, Step
from .system import System
from .threads import in_parts

PLUS, MINUS = SOLVE + 1, SOLVE + 2
"""Lines that no step is: a row plus or minus a sum of products."""
CACHE = 2**20
"""Bytes that the rows of one block may take: about half of a core's second cache."""
MOST, FEWEST = {System.FLOATS: 128, System.ENCLOSURES: 256}, 64
"""Instances of a block: enough for the processor to fetch ahead, few enough for the first cache."""


@dataclass(frozen=True)
class Layout:
    """Where rows stand, and the code that makes them."""

    code: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    slots: dict[int, int]
    """Rows between inputs and results: the place of each in the working space."""
    spaces: int
    """How many places there are."""
    largest: int
    """The size of the largest linear system."""


class Program:
    """The steps of a recorder from inputs to outputs, ready to run on batches of any length."""

    def __init__(self, recorder: Recorder, inputs: Sequence[Rows], outputs: Sequence[Rows]) -> None:
        self.system, self.rows, self.constants = recorder.system, recorder.count, recorder.constants
        self.inputs = [rows.reshape(-1) for rows in inputs]
        self.shapes = [rows.shape[:-1] for rows in outputs]
        self.outputs = [rows.reshape(-1) for rows in outputs]
        given = {row for rows in self.inputs for row in rows.tolist()} | self.constants.keys()
        self.home: dict[int, tuple[int, int]] = {}
        for number, rows in enumerate(self.outputs):
            for place, row in enumerate(rows.tolist()):
                if row not in given:
                    self.home.setdefault(row, (number, place))
        self.homes, self.elsewhere = [], []
        for number, rows in enumerate(self.outputs):
            direct = np.array([self.home.get(row) == (number, place) for place, row in enumerate(rows.tolist())], bool)
            self.homes.append((rows[direct], np.flatnonzero(direct)))
            self.elsewhere += [(number, int(place), int(rows[place])) for place in np.flatnonzero(~direct)]
        self.fixed = np.array([[part[0] for part in parts] for parts in self.constants.values()], float)
        self.fixed = self.fixed.reshape(len(self.constants), 2 if self.system is System.ENCLOSURES else 1)
        steps = _needed(recorder.steps, set(self.home))
        self.layout = _laid_out(_scheduled(steps), given | self.home.keys(), joined=self.system is System.FLOATS)
        moved = sum(map(len, self.inputs)) + len(self.home) + self.layout.spaces
        self.lanes = max(FEWEST, min(MOST[self.system], CACHE // (8 * max(moved, 1)) // 64 * 64))

    def __call__(self, given: Sequence[Parts], batch: int) -> tuple[list[Parts], npt.NDArray[np.bool_]]:
        """The results ``core + (batch,)``, and for which instances a linear system was left open."""
        layout, count = self.layout, 2 if self.system is System.ENCLOSURES else 1
        base, step = np.zeros((2, self.rows, count), np.int64)
        fixed = np.repeat(self.fixed, self.lanes).reshape(*self.fixed.shape, self.lanes)
        made = [tuple(np.empty((len(rows), batch)) for _ in range(count)) for rows in self.outputs]
        flat = [[rows_at(part, batch, self.lanes) for part in parts] for parts in given]
        for number in range(count):
            for rows, table in zip(self.inputs, flat, strict=True):
                base[rows, number], step[rows, number] = table[number].base, table[number].step
            for (rows, places), result in zip(self.homes, made, strict=True):
                base[rows, number], step[rows, number] = rows_at(result[number], batch, 1).base[places], 8
            base[list(self.constants), number] = rows_at(fixed[:, number], self.lanes, 1).base
        open_ones = np.zeros(batch, bool)

        def work(first: int, after: int, _kept: Any = (flat, fixed)) -> None:
            space = np.empty((layout.spaces + layout.largest**2, count, self.lanes))
            own = base.copy()
            for number in range(count):
                where = rows_at(space[:, number], self.lanes, 1).base
                own[list(layout.slots), number] = where[list(layout.slots.values())]
            if self.system is System.ENCLOSURES:
                from .enclosures.fused import run as run_enclosures

                run_enclosures(layout.code, layout.places, own, step, first, after, self.lanes, open_ones)
            else:
                from .fused_floats import run

                left = rows_at(space[layout.spaces :, 0], self.lanes, 1).base
                table = own[:, 0].copy(), step[:, 0].copy()
                open_ones[first:after] = not run(layout.code, layout.places, *table, left, first, after, self.lanes)

        in_parts(work, batch, batch * len(layout.code), self.lanes)
        for number, place, row in self.elsewhere:
            for kind, array in enumerate(made[number]):
                array[place] = self._values(row, kind, given, made)
        return [
            tuple(array.reshape((*shape, batch)) for array in arrays)
            for arrays, shape in zip(made, self.shapes, strict=True)
        ], open_ones

    def _values(self, row: int, kind: int, given: Any, made: Any) -> Any:
        """What a result holds that is an input, a constant, or the same as another."""
        if row in self.constants:
            return self.constants[row][kind]
        for rows, arrays in zip(self.inputs, given, strict=True):
            if row in rows:
                return arrays[kind].reshape(len(rows), -1)[np.flatnonzero(rows == row)[0]]
        result, place = self.home[row]
        return made[result][kind][place]


def _needed(steps: Sequence[Step], wanted: set[int]) -> list[Step]:
    """The steps, and of each the rows, on which the wanted rows depend."""
    found = []
    for step in reversed(steps):
        mask = np.array([row in wanted for row in step.out.tolist()], bool)
        if not mask.any():
            continue
        if step.operation != SOLVE:
            step = Step(step.operation, step.out[mask], step.a[..., mask], step.b[..., mask])
        wanted.update(step.a.ravel().tolist(), step.b.ravel().tolist())
        found.append(step)
    return found[::-1]


def _scheduled(steps: Sequence[Step]) -> list[Step]:
    """Steps in an order in which sums of products over the same rows meet, each pair beside the other: rows are fetched once."""
    level: dict[int, int] = {}
    groups: dict[Any, list[Step]] = {}
    for number, step in enumerate(steps):
        depth = 1 + max((level.get(row, 0) for row in (*step.a.flat, *step.b.flat)), default=0)
        level.update(dict.fromkeys(step.out.tolist(), depth))
        key = (step.b.shape, step.b.tobytes()) if step.operation == DOT else number
        groups.setdefault((depth, step.operation, key), []).append(step)
    found = []
    for (_, operation, _), group in sorted(groups.items(), key=lambda entry: entry[0][0]):
        out, a, b = (np.stack([step[k] for step in group], -1) for k in (1, 2, 3))
        shapes = [(*part.shape[:-2], -1) if operation != SOLVE else part.shape[:-1] for part in (out, a, b)]
        found.append(Step(operation, *(part.reshape(shape) for part, shape in zip((out, a, b), shapes, strict=True))))
    return found


Line = tuple[int, int, list[int], list[int]]
"""An operation, the row it makes, and rows of operands."""


def _lines(steps: Sequence[Step]) -> list[Line]:
    found: list[Line] = []
    for operation, out, a, b in steps:
        if operation == SOLVE:
            found.append((operation, b.shape[1], [*out.ravel().tolist(), *a.ravel().tolist()], b.ravel().tolist()))
        else:
            shape = (-1, len(out))
            operands = zip(a.reshape(shape).T.tolist(), b.reshape(shape).T.tolist(), strict=True)
            found += [
                (operation, row, first, second) for row, (first, second) in zip(out.tolist(), operands, strict=True)
            ]
    return found


def _joined(lines: Sequence[Line], kept: Container[int]) -> list[Line]:
    """``c + Σ x y`` and ``c - Σ x y`` as one line, where the sum is used for nothing else: for floats, rounded once less."""
    used = Counter(row for _, _, first, second in lines for row in {*first, *second})
    made = {row: number for number, (operation, row, _, _) in enumerate(lines) if operation in (DOT, MUL)}
    gone: set[int] = set()
    found = list(lines)
    for number, (operation, row, (left, *_), (right, *_)) in enumerate(lines):
        for other, sum_of, joined in ((left, right, {ADD: PLUS, SUB: MINUS}), (right, left, {ADD: PLUS})):
            place = made.get(sum_of)
            if operation in joined and left != right and place is not None and used[sum_of] == 1 and sum_of not in kept:
                _, _, first, second = lines[place]
                found[number] = (joined[operation], row, [other, *first], second)
                gone.add(place)
                break
    return [line for number, line in enumerate(found) if number not in gone]


def _laid_out(steps: Sequence[Step], elsewhere: Container[int], joined: bool) -> Layout:
    """Lines of code, and a place in the working space for every row that stands nowhere else, as long as it is used."""
    lines = _lines(steps)
    if joined:
        lines = _joined(lines, elsewhere)
    code: list[tuple[int, ...]] = []
    places: list[int] = []
    uses: list[tuple[list[int], list[int]]] = []
    largest = 0

    def put(rows: list[int]) -> int:
        places.extend(rows)
        return len(places) - len(rows)

    for operation, row, first, second in lines:
        if operation == SOLVE:
            columns, size = row, len(second) // row
            largest = max(largest, size)
            start = put(first)
            code.append((operation, start, start + len(second), put(second), size, columns))
            uses.append((first[: len(second)], first[len(second) :] + second))
        elif operation in (DOT, SUM, PLUS, MINUS):
            begin = put(first) + (operation in (PLUS, MINUS))
            code.append((operation, row, begin, put(second), len(second), 0))
            uses.append(([row], first + second))
        else:
            code.append((operation, row, first[0], second[0], 0, 0))
            uses.append(([row], first + second))
    last = {row: number for number, (_, taken) in enumerate(uses) for row in taken}
    free: list[int] = []
    slots: dict[int, int] = {}
    spaces = 0
    for number, (made, taken) in enumerate(uses):
        for row in made:
            if row not in elsewhere:
                if not free:
                    free.append(spaces)
                    spaces += 1
                slots[row] = free.pop()
        done = {row for row in (*taken, *made) if last.get(row, number) == number}
        free += sorted(slots[row] for row in done if row in slots)
    return Layout(np.array(code, np.int64).reshape(-1, 6), np.array(places, np.int64), slots, spaces, largest)
