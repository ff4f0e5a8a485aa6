"""Recorded steps (:mod:`.recorded`) laid out for compiled loops: lines of code, addresses of rows, and blocks of instances.

Rows that are used up give their place to later ones, so that what lies between inputs and results stays in the cache.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .enclosures.kernels import LEAST_LANES, address, moving_rows, repeated, room_of, rows_at
from .protocol import Parts
from .recorded import ABS, ADD, DIV, DOT, MUL, NEG, SOLVE, SUB, SUM, Recorder, Rows, Step
from .storage import aligned, lent
from .system import System
from .threads import in_parts

PLUS, MINUS, OUT = SOLVE + 1, SOLVE + 2, SOLVE + 3
"""Lines that no step is: a row plus or minus a sum of products, and a row that is a result."""
MOST_TOGETHER = 16
"""How many lines that are alike become one: more leave the memory idle between requests for the next block."""
LANES = {System.FLOATS: 128, System.ENCLOSURES: 256}
"""Instances of a block: enough for the processor to fetch rows ahead, few enough for its caches."""


@dataclass(frozen=True)
class Layout:
    """Where rows stand, and the code that makes them."""

    code: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    own: npt.NDArray[np.int64]
    """Rows that steps make."""
    slots: npt.NDArray[np.int64]
    """The place of each of them in the working space."""
    spaces: int
    """How many places there are."""
    room: int
    """How many numbers of room the largest linear system takes."""


class Program:
    """The steps of a recorder from inputs to outputs, ready to run on batches of any length."""

    def __init__(self, recorder: Recorder, inputs: Sequence[Rows], outputs: Sequence[Rows]) -> None:
        self.system, self.constants = recorder.system, recorder.constants
        self.inputs = [rows.reshape(-1) for rows in inputs]
        self.shapes = [rows.shape[:-1] for rows in outputs]
        ends = np.cumsum([recorder.count, *(rows.size for rows in outputs)])
        self.rows = int(ends[-1])
        self.outputs = [np.arange(*pair) for pair in pairwise(ends)]
        self.fixed = np.array([[part[0] for part in parts] for parts in self.constants.values()], float)
        self.fixed = self.fixed.reshape(len(self.constants), 2 if self.system is System.ENCLOSURES else 1)
        given = {row for rows in self.inputs for row in rows.tolist()} | self.constants.keys()
        results = dict(
            zip(range(recorder.count, self.rows), np.concatenate([r.ravel() for r in outputs]).tolist(), strict=True)
        )
        steps = _scheduled(_needed(recorder.steps, set(results.values()) - given))
        self.layout = _laid_out(steps, results, joined=self.system is System.FLOATS)
        self.given = np.isin(np.arange(self.rows), list(given))
        self.shared = np.array(list(self.constants), np.int64)

    def __call__(self, given: Sequence[Parts], batch: int) -> tuple[list[Parts], npt.NDArray[np.bool_]]:
        """The results ``core + (batch,)``, and for which instances a linear system was left open."""
        if batch < LEAST_LANES:
            results, lost = self([repeated(parts, batch) for parts in given], LEAST_LANES)
            return [tuple(part[..., :batch] for part in parts) for parts in results], lost[:batch]
        layout, count = self.layout, 2 if self.system is System.ENCLOSURES else 1
        lanes = min(LANES[self.system], batch // LEAST_LANES * LEAST_LANES)
        base, step = np.zeros((2, self.rows, count), np.int64)
        fixed = np.repeat(self.fixed, lanes).reshape(*self.fixed.shape, lanes)
        flat = [[rows_at(part, batch, lanes) for part in parts] for parts in given]
        for number in range(count):
            for rows, table in zip(self.inputs, flat, strict=True):
                base[rows, number], step[rows, number] = table[number].base, table[number].step
            base[self.shared, number] = rows_at(fixed[:, number], lanes, 1).base
        moving = moving_rows(base, step, lanes)
        starts = np.cumsum([0, *map(len, self.outputs)])
        blocks = [lent((int(starts[-1]), batch)) for _ in range(count)]
        made = [tuple(block[first:after] for block in blocks) for first, after in pairwise(starts)]
        for number in range(count):
            for rows, result in zip(self.outputs, made, strict=True):
                base[rows, number], step[rows, number] = rows_at(result[number], batch, 1).base, 8
        open_ones = np.zeros(batch, bool)

        def work(first: int, after: int, _kept: Any = (flat, fixed, made)) -> None:
            space, left = aligned((layout.spaces, count, lanes)), aligned((layout.room,))
            own = base.copy()
            for number in range(count):
                own[layout.own, number] = rows_at(space[:, number], lanes, 1).base[layout.slots]
            if self.system is System.ENCLOSURES:
                from .enclosures.fused_steps import run as run_enclosures

                run_enclosures(
                    layout.code, layout.places, own, step, self.given, moving,
                    address(left), open_ones, first, after, batch, lanes,
                )  # fmt: skip
            else:
                from .fused_floats import run

                table = own[:, 0].copy(), step[:, 0].copy()
                open_ones[first:after] = not run(
                    layout.code, layout.places, *table, moving, address(left), first, after, batch, lanes
                )

        in_parts(work, batch, batch * len(layout.places), lanes)
        return [
            tuple(array.reshape((*shape, batch)) for array in arrays)
            for arrays, shape in zip(made, self.shapes, strict=True)
        ], open_ones


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
ELEMENTWISE = (ADD, SUB, MUL, DIV, NEG, ABS)
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


def _ordered(lines: Sequence[Line]) -> list[Line]:
    """The same lines, each soon after what it takes was made, while that is near; what is cheap to make, when it is taken."""
    made = {row: number for number, line in enumerate(lines) for row in line.out}
    takes = [sorted({made[row] for row in (*line.first, *line.second) if row in made}) for line in lines]
    taken: list[list[int]] = [[] for _ in lines]
    for number, others in enumerate(takes):
        for other in others:
            taken[other].append(number)
    late = [line.operation in ELEMENTWISE and bool(taken[number]) for number, line in enumerate(lines)]
    missing = [sum(not late[other] for other in others) for others in takes]
    done = [False] * len(lines)
    found: list[Line] = []
    for start in range(len(lines)):
        stack = [] if late[start] else [start]
        while stack:
            number = stack[-1]
            before = [] if done[number] else [other for other in takes[number] if not done[other]]
            if before or done[number]:
                stack = stack[:-1] if done[number] else stack + before[::-1]
                continue
            stack.pop()
            done[number] = True
            found.append(lines[number])
            for other in taken[number] if not late[number] else ():
                missing[other] -= 1
            stack += [other for other in taken[number] if not (late[other] or missing[other])][::-1]
    return found


def _laid_out(steps: Sequence[Step], results: Mapping[int, int], joined: bool) -> Layout:
    """Lines of code, and a place in the working space for every row that a step makes, as long as it is used.

    ``results`` says for each row of a result which row it is.
    """
    singles = _singles(steps)
    lines = _ordered(_grouped(_joined(singles, results.values()) if joined else singles, tiles=joined))
    code: list[tuple[int, ...]] = []
    places: list[int] = []

    def put(rows: list[int]) -> int:
        places.extend(rows)
        return len(places) - len(rows)

    last = {row: number for number, line in enumerate(lines) for row in (*line.first, *line.second)}
    targets: dict[int, list[int]] = {}
    for target, row in results.items():
        targets.setdefault(row, []).append(target)
    free: list[int] = []
    slots: dict[int, int] = {}
    spaces = 0

    def deliver(row: int) -> None:
        code.extend((OUT, put([target]), put([row]), put([]), 0, 0) for target in targets.pop(row, ()))

    for number, (operation, out, first, second, lengths, before) in enumerate(lines):
        code.append((operation, put(out), put(first) + before, put(second), *lengths))
        for row in out:
            if not free:
                free.append(spaces)
                spaces += 1
            slots[row] = free.pop()
        done = {row for row in (*first, *second, *out) if last.get(row, number) == number and row in slots}
        for row in sorted(done):
            deliver(row)
        free += sorted(slots[row] for row in done)
    for row in sorted(targets):
        deliver(row)
    room = max((room_of(*line.lengths) for line in lines if line.operation == SOLVE), default=0)
    own, where = (np.array(list(numbers), np.int64) for numbers in (slots.keys(), slots.values()))
    return Layout(_merged(code), np.array(places, np.int64), own, where, spaces, room)


def _merged(code: Sequence[tuple[int, ...]]) -> npt.NDArray[np.int64]:
    """Lines that are alike and whose places are equally far apart, as one line with how often it comes and how far apart."""
    found: list[list[int]] = []
    for line in code:
        if found:
            operation, o, i, j, terms, cells, count, apart = last = found[-1]
            step = apart if count > 1 else line[1] - o
            if count < MOST_TOGETHER and line == (operation, *(at + count * step for at in (o, i, j)), terms, cells):
                last[6:] = count + 1, step
                continue
        found.append([*line, 1, 1])
    return np.array(found, np.int64).reshape(-1, 8)
