"""What compiled loops are made of: numba's decorators, and rows of numbers at addresses.

Loops over rows at addresses read by :func:`get` and write by :func:`put`, which promises the compiler that no row that is written
is also read, so that it may take many instances at once; :mod:`.vectors` says itself how many.  Only this package's own tables
of addresses come here; they are made from arrays that outlive the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

Compiled = Callable[..., Any]


def compiled(function: Compiled) -> Compiled:
    """Compiled when first called, and kept on disk; it runs beside other threads."""
    try:
        return numba.njit(error_model="numpy", nogil=True, cache=True)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # no directory to write to: compiled once for each process
        return numba.njit(error_model="numpy", nogil=True)(function)  # type: ignore[no-any-return]


def over_numbers(function: Compiled) -> Any:
    """A ufunc of NumPy's from a function of floats; it costs as little to call as NumPy's own.  Kept on disk, too."""
    signature = f"float64({', '.join(['float64'] * function.__code__.co_argcount)})"
    try:
        return numba.vectorize([signature], cache=True)(function)
    except RuntimeError:
        return numba.vectorize([signature])(function)


def part(function: Compiled) -> Compiled:
    """What compiled functions call; LLVM puts it in its place."""
    return numba.njit(error_model="numpy")(function)  # type: ignore[no-any-return]


def _get(_typing: Any, _row: Any, _z: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        found = builder.load(_place(builder, *arguments))
        found.set_metadata("alias.scope", _read_only(builder.module))
        return found

    return types.float64(types.int64, types.int64), generate


def _put(_typing: Any, _row: Any, _z: Any, _value: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        row, z, value = arguments
        builder.store(value, _place(builder, row, z)).set_metadata("noalias", _read_only(builder.module))
        return context.get_dummy_value()

    return types.none(types.int64, types.int64, types.float64), generate


def _soon(_typing: Any, _row: Any, _z: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        half, byte = ir.IntType(32), ir.IntType(8).as_pointer()
        name, module = "llvm.prefetch.p0i8", builder.module
        kind = ir.FunctionType(ir.VoidType(), [byte, half, half, half])
        function = module.globals.get(name) or ir.Function(module, kind, name)
        builder.call(function, [builder.bitcast(_place(builder, *arguments), byte), half(0), half(2), half(1)])
        return context.get_dummy_value()

    return types.none(types.int64, types.int64), generate


def _place(builder: Any, row: Any, z: Any, kind: Any = ir.DoubleType()) -> Any:  # noqa: B008 - one object for all
    start = builder.inttoptr(row, kind.as_pointer())
    return builder.gep(start, [z], inbounds=True)


def _read_only(module: Any) -> Any:
    """The scope of what is only read while a row is written."""
    domain = module.add_metadata([ir.MetaDataString(module, "rows")])
    return module.add_metadata([module.add_metadata([ir.MetaDataString(module, "read only"), domain])])


get = intrinsic(_get)
put = intrinsic(_put)
soon = intrinsic(_soon)


@part
def fetch(moving: Any, line: int, lines: int, start: int, lanes: int) -> None:
    """Ask the memory for the next block's rows: for this line's share of them, so that they come while lines are computed.

    ``moving`` are bases and steps, as in :class:`.enclosures.kernels.RowsInMemory`; ``start`` is where the block begins.
    """
    for k in range(len(moving) * line // lines, len(moving) * (line + 1) // lines):
        for z in range(0, lanes, 8):
            soon(moving[k, 0] + moving[k, 1] * start, z)


# --- sums of products, many instances in the processor's registers --------------------------------------------------------------

LANES_OF_A_VECTOR = 8
Vectors = list[Any]


class Vector:
    """Arithmetic on vectors of eight instances (or of several times as many), as a compiler's instructions."""

    kind = ir.VectorType(ir.DoubleType(), LANES_OF_A_VECTOR)

    def __init__(self, builder: Any, lanes: int = LANES_OF_A_VECTOR) -> None:
        self.builder, self.lanes, self.kind = builder, lanes, ir.VectorType(ir.DoubleType(), lanes)
        self.add, self.sub, self.mul, self.div = builder.fadd, builder.fsub, builder.fmul, builder.fdiv
        self.neg = builder.fneg

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """``a b + c``, rounded once."""
        return self._call("llvm.fma", a, b, c)

    def abs(self, a: Any) -> Any:
        """``|a|``"""
        return self._call("llvm.fabs", a)

    def constant(self, value: float) -> Any:
        """One number for all lanes."""
        return ir.Constant(self.kind, [value] * self.lanes)

    def spread(self, scalar: Any) -> Any:
        """A number that is known only later, for all lanes."""
        found = ir.Constant(self.kind, ir.Undefined)
        for lane in range(self.lanes):
            found = self.builder.insert_element(found, scalar, ir.Constant(ir.IntType(32), lane))
        return found

    def load(self, address: Any) -> Any:
        """Eight numbers from an address."""
        return self.builder.load(self.builder.inttoptr(address, self.kind.as_pointer()), align=8)

    def store(self, value: Any, address: Any) -> None:
        """Eight numbers to an address."""
        self.builder.store(value, self.builder.inttoptr(address, self.kind.as_pointer()), align=8)

    def _call(self, operation: str, *arguments: Any) -> Any:
        module, name = self.builder.module, f"{operation}.v{self.lanes}f64"
        function = module.globals.get(name) or ir.Function(
            module, ir.FunctionType(self.kind, [self.kind] * len(arguments)), name
        )
        return self.builder.call(function, arguments)


def summed(
    tile: tuple[int, int, int],
    parts: int,
    sums: int,
    term: Callable[[Vector, Vectors, Vectors, Vectors], Vectors],
    close: Callable[[Vector, Vectors, Any, Any], Vectors],
    onto: bool = False,
) -> Any:
    """An intrinsic ``f(row, places, out, i, j, terms, z, slack, widening)``: ``Σ_k x_ka y_kb`` for all ``a < m`` and ``b < n``.

    A ``tile`` is ``(m, n, vectors)``: it is for ``8·vectors`` instances from ``z`` on.  ``row`` is the address of a table of
    addresses, ``parts`` for each row; ``places`` is the address of a table of rows, where ``x_ka`` is named at ``i + mk + a``,
    ``y_kb`` at ``j + nk + b`` and the result at ``out + na + b``.  ``term(v, sums, x, y)`` are the sums with one more product,
    ``close(v, sums, slack, widening)`` the parts of the result.  All sums stay in registers, and each row is read once for the
    whole tile.  Where it is ``onto``, sums begin with rows, named from ``i - mn`` on.
    """
    m, n, vectors = tile
    cells = [(a, b, lane) for a in range(m) for b in range(n) for lane in range(vectors)]
    word = ir.IntType(64)

    def define(
        _typing: Any,
        _row: Any,
        _places: Any,
        _out: Any,
        _i: Any,
        _j: Any,
        _terms: Any,
        _z: Any,
        _slack: Any,
        _wide: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            row, places, out, i, j, terms, z, slack, widening = arguments
            v, offset = Vector(builder), builder.shl(z, word(3))

            def word_at(address: Any, index: Any) -> Any:
                place = builder.add(address, builder.shl(index, word(3)))
                return builder.load(builder.inttoptr(place, word.as_pointer()))

            def addresses(start: Any, count: int) -> list[list[Any]]:
                found = []
                for number in range(count):
                    first = builder.mul(word_at(places, builder.add(start, word(number))), word(parts))
                    ends = (word_at(row, builder.add(first, word(p))) for p in range(parts))
                    found.append([builder.add(end, offset) for end in ends])
                return found

            def vectors_at(start: Any, count: int) -> list[list[Vectors]]:
                return [
                    [[v.load(builder.add(part, word(64 * lane))) for part in one] for lane in range(vectors)]
                    for one in addresses(start, count)
                ]

            before = builder.block
            nothing = [[v.constant(0.0)] * sums] * len(cells)
            if onto:
                nothing = [lane for one in vectors_at(builder.sub(i, word(m * n)), m * n) for lane in one]
            loop, after = builder.append_basic_block("products"), builder.append_basic_block("close")
            builder.branch(loop)
            builder.position_at_end(loop)
            k = builder.phi(word)
            running = [[builder.phi(v.kind) for _ in range(sums)] for _ in cells]
            x, y = (vectors_at(builder.add(at, builder.mul(k, word(count))), count) for at, count in ((i, m), (j, n)))
            grown = [term(v, total, x[a][lane], y[b][lane]) for total, (a, b, lane) in zip(running, cells, strict=True)]
            following = builder.add(k, word(1))
            for phi, start, more in [(k, word(0), following)] + [
                (phi, start, more)
                for group in zip(running, nothing, grown, strict=True)
                for phi, start, more in zip(*group, strict=True)
            ]:
                phi.add_incoming(start, before)
                phi.add_incoming(more, builder.block)
            builder.cbranch(builder.icmp_signed("<", following, terms), loop, after)
            builder.position_at_end(after)
            targets, bounds = addresses(out, m * n), (v.spread(slack), v.spread(widening))
            for ended, (a, b, lane) in zip(grown, cells, strict=True):
                for value, target in zip(close(v, ended, *bounds), targets[n * a + b], strict=True):
                    v.store(value, builder.add(target, word(64 * lane)))
            return context.get_dummy_value()

        whole, real = types.int64, types.float64
        return types.none(whole, whole, whole, whole, whole, whole, whole, real, real), generate

    return intrinsic(define)
