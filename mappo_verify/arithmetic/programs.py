"""Recorded steps (:mod:`.recorded`) laid out for compiled loops: lines of code, addresses of rows, and blocks of instances.

Rows that are used up give their place to later ones, so that what lies between inputs and results stays in the cache.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .enclosures.kernels import moving_rows, rows_at
from .protocol import Parts
from .recorded import ADD, DOT, MUL, SOLVE, SUB, SUM, Recorder, Rows, Step
from .system import System
from .threads import in_parts

PLUS, MINUS = SOLVE + 1, SOLVE + 2
"""Lines that no step is: a row plus or minus a sum of products."""
LANES = {System.FLOATS: 128, System.ENCLOSURES: 256}
"""Instances of a block: enough for the processor to fetch rows ahead, few enough for its caches."""


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
        self.lanes = LANES[self.system]

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
        moving = moving_rows(base, step, self.lanes)
        given_rows = np.isin(np.arange(self.rows), [*layout.slots, *self.home], invert=True)

        def work(first: int, after: int, _kept: Any = (flat, fixed, made)) -> None:
            space = np.empty((layout.spaces + layout.largest**2, count, self.lanes))
            own = base.copy()
            for number in range(count):
                where = rows_at(space[:, number], self.lanes, 1).base
                own[list(layout.slots), number] = where[list(layout.slots.values())]
            if self.system is System.ENCLOSURES:
                from .enclosures.fused import run as run_enclosures

                run_enclosures(
                    layout.code, layout.places, own, step, given_rows, moving, first, after, self.lanes, open_ones
                )
            else:
                from .fused_floats import run

                left = rows_at(space[layout.spaces :, 0], self.lanes, 1).base
                table = own[:, 0].copy(), step[:, 0].copy()
                open_ones[first:after] = not run(
                    layout.code, layout.places, *table, left, moving, first, after, self.lanes
                )

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


Single = tuple[int, int, list[int], list[int]]
"""An operation, the row it makes (of linear systems, how many right sides), and rows of operands."""
PRODUCTS = (DOT, PLUS, MINUS)
TILES = ((2, 4), (1, 4), (1, 1))
"""How many factors on either side meet in one line, so that each is read once."""
MOST_CELLS = 8


def _singles(steps: Sequence[Step]) -> list[Single]:
    """Steps row by row."""
    found: list[Single] = []
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


def _joined(lines: Sequence[Single], kept: Container[int]) -> list[Single]:
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


class Line(NamedTuple):
    """One line of code: an operation, the rows that it makes, rows of operands, and lengths."""

    operation: int
    out: list[int]
    first: list[int]
    second: list[int]
    lengths: tuple[int, int]
    before: int = 0
    """How many of the first rows are what sums begin with."""


def _tile(singles: Sequence[Single]) -> Line:
    """The largest tile that the first of these steps begin with: the same operation, and factors on either side that meet."""
    operation, start, terms = singles[0][0], singles[0][0] != DOT, len(singles[0][3])
    for rows, columns in TILES:
        some = singles[: rows * columns]
        if len(some) < rows * columns or any((one[0], len(one[3])) != (operation, terms) for one in some):
            continue
        for order in (range(len(some)), [b * rows + a for a in range(rows) for b in range(columns)]):
            cells = [some[place] for place in order]
            out, onto = [row for _, row, _, _ in cells], [row for _, _, first, _ in cells for row in first[:start]]
            pairs = [(first[start:], second) for _, _, first, second in cells]
            for sides in (pairs, [(y, x) for x, y in pairs]):
                x, y = [x for x, _ in sides[::columns]], [y for _, y in sides[:columns]]
                meet = all(side == (x[k // columns], y[k % columns]) for k, side in enumerate(sides))
                one, two = ([row for term in zip(*rows_of, strict=True) for row in term] for rows_of in (x, y))
                if meet and set(out).isdisjoint([*onto, *one, *two]):
                    return Line(operation, out, onto + one, two, (terms, len(out)), len(onto))
    raise AssertionError("every step is a tile of its own")  # pragma: no cover


def _grouped(singles: Sequence[Single], tiles: bool) -> list[Line]:
    """Steps as lines; sums of products that share factors, where ``tiles`` are wanted, as one."""
    found: list[Line] = []
    number = 0
    while number < len(singles):
        operation, row, first, second = singles[number]
        if operation == SOLVE:
            size = len(second) // row
            found.append(Line(operation, first[: len(second)], first[len(second) :], second, (size, row)))
        elif operation in PRODUCTS:
            found.append(_tile(singles[number : number + (MOST_CELLS if tiles else 1)]))
            number += len(found[-1].out) - 1
        elif operation == SUM:
            found.append(Line(operation, [row], first, [], (len(first), 1)))
        else:
            found.append(Line(operation, [row], first, second, (0, 0)))
        number += 1
    return found


def _laid_out(steps: Sequence[Step], elsewhere: Container[int], joined: bool) -> Layout:
    """Lines of code, and a place in the working space for every row that stands nowhere else, as long as it is used."""
    singles = _singles(steps)
    lines = _grouped(_joined(singles, elsewhere) if joined else singles, tiles=joined)
    code: list[tuple[int, ...]] = []
    places: list[int] = []

    def put(rows: list[int]) -> int:
        places.extend(rows)
        return len(places) - len(rows)

    for operation, out, first, second, lengths, before in lines:
        if operation in (*PRODUCTS, SUM, SOLVE):
            code.append((operation, put(out), put(first) + before, put(second), *lengths))
        else:
            code.append((operation, out[0], first[0], second[0], *lengths))
    last = {row: number for number, line in enumerate(lines) for row in (*line.first, *line.second)}
    free: list[int] = []
    slots: dict[int, int] = {}
    spaces = 0
    for number, line in enumerate(lines):
        for row in line.out:
            if row not in elsewhere:
                if not free:
                    free.append(spaces)
                    spaces += 1
                slots[row] = free.pop()
        done = {row for row in (*line.first, *line.second, *line.out) if last.get(row, number) == number}
        free += sorted(slots[row] for row in done if row in slots)
    largest = max((line.lengths[0] for line in lines if line.operation == SOLVE), default=0)
    return Layout(np.array(code, np.int64).reshape(-1, 6), np.array(places, np.int64), slots, spaces, largest)
