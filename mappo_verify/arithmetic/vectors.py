"""Eight numbers of neighbouring instances as one value of compiled code: one of the processor's widest registers.

A compiler that is left to find such vectors in loops by itself takes half of the register.  On these values ``+ - * /``, ``abs``,
comparisons and, of their results, ``&`` and ``|`` do what they do on eight numbers one by one; a float on one side counts for all
eight.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

from .compiled import LANES_OF_A_VECTOR, Vector, part

WORD, BIT = ir.IntType(64), ir.IntType(1)


class _Lanes(types.Type):  # type: ignore[misc, unused-ignore]
    """Several floats, or the results of as many comparisons."""

    def __init__(self, lanes: int, entry: Any) -> None:
        super().__init__(f"{lanes} {entry}")
        self.lanes, self.kind = lanes, ir.VectorType(entry, lanes)


EIGHT, WIDE = (_Lanes(vectors * LANES_OF_A_VECTOR, ir.DoubleType()) for vectors in (1, 4))
TESTS_OF = {kind: _Lanes(kind.lanes, BIT) for kind in (EIGHT, WIDE)}
FLOATS_OF = {tests: kind for kind, tests in TESTS_OF.items()}


@register_model(_Lanes)
class _Model(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, kind.kind)


def _register(operation: Any, make: Any, operands: int, tests: bool = False) -> None:
    """``operation`` on these values is ``make(v, *values)``, where ``v`` is a :class:`.compiled.Vector`."""
    for kind, truth in TESTS_OF.items():
        result = truth if tests else kind
        pairs = ((kind, kind), (kind, types.float64), (types.float64, kind)) if operands == 2 else ((kind,),)
        _register_for(operation, pairs, result, make, kind.lanes)


def _register_for(operation: Any, pairs: Any, result: Any, make: Any, lanes: int) -> None:
    def generate(_context: Any, builder: Any, signature: Any, given: Any) -> Any:
        v = Vector(builder, lanes)
        values = zip(signature.args, given, strict=True)
        return make(v, *(v.spread(value) if kind is types.float64 else value for kind, value in values))

    if len(pairs[0]) == 1:
        type_callable(operation)(lambda _context: lambda a: result if (a,) in pairs else None)
    else:
        type_callable(operation)(lambda _context: lambda a, b: result if (a, b) in pairs else None)
    for pair in pairs:
        lower_builtin(operation, *pair)(generate)


_register(operator.add, lambda v, a, b: v.add(a, b), 2)
_register(operator.sub, lambda v, a, b: v.sub(a, b), 2)
_register(operator.mul, lambda v, a, b: v.mul(a, b), 2)
_register(operator.truediv, lambda v, a, b: v.div(a, b), 2)
_register(operator.neg, lambda v, a: v.neg(a), 1)
_register(abs, lambda v, a: v.abs(a), 1)
_register(operator.lt, lambda v, a, b: v.builder.fcmp_ordered("<", a, b), 2, tests=True)
_register(operator.le, lambda v, a, b: v.builder.fcmp_ordered("<=", a, b), 2, tests=True)
_register(operator.gt, lambda v, a, b: v.builder.fcmp_ordered(">", a, b), 2, tests=True)
_register(operator.ge, lambda v, a, b: v.builder.fcmp_ordered(">=", a, b), 2, tests=True)
_register(operator.eq, lambda v, a, b: v.builder.fcmp_ordered("==", a, b), 2, tests=True)
_register(operator.ne, lambda v, a, b: v.builder.fcmp_unordered("!=", a, b), 2, tests=True)
for _kind, _truth in TESTS_OF.items():
    _both = ((_truth, _truth),)
    _register_for(operator.and_, _both, _truth, lambda v, a, b: v.builder.and_(a, b), _kind.lanes)
    _register_for(operator.or_, _both, _truth, lambda v, a, b: v.builder.or_(a, b), _kind.lanes)


def _address(builder: Any, row: Any, z: Any) -> Any:
    return builder.add(row, builder.shl(z, WORD(3)))


def _load_of(kind: _Lanes) -> Any:
    def load(_typing: Any, _row: Any, _z: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return Vector(builder, kind.lanes).load(_address(builder, *arguments))

        return kind(types.int64, types.int64), generate

    return intrinsic(load)


def _spread_of(kind: _Lanes) -> Any:
    def spread(_typing: Any, _value: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return Vector(builder, kind.lanes).spread(*arguments)

        return kind(types.float64), generate

    return intrinsic(spread)


def _store(_typing: Any, _row: Any, _z: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        row, z, found = arguments
        Vector(builder, value.lanes).store(found, _address(builder, row, z))
        return context.get_dummy_value()

    return types.none(types.int64, types.int64, value), generate


def _stream(_typing: Any, _row: Any, _z: Any, _value: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        row, z, value = arguments
        place = builder.inttoptr(_address(builder, row, z), EIGHT.kind.as_pointer())
        made = builder.store(value, place, align=64)
        made.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
        return context.get_dummy_value()

    return types.none(types.int64, types.int64, EIGHT), generate


def _multiply_add(_typing: Any, a: Any, _b: Any, _c: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments) if a is types.float64 else Vector(builder, a.lanes).fma(*arguments)

    return a(a, a, a), generate


def _where(_typing: Any, tests: Any, a: Any, b: Any) -> Any:
    def generate(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if tests is types.boolean:
            return builder.select(*arguments)
        v, values = Vector(builder, tests.lanes), zip(signature.args[1:], arguments[1:], strict=True)
        chosen = (v.spread(value) if kind is types.float64 else value for kind, value in values)
        return builder.select(arguments[0], *chosen)

    return (types.float64 if tests is types.boolean else FLOATS_OF[tests])(tests, a, b), generate


def _every(_typing: Any, tests: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        whole = ir.IntType(tests.lanes)
        return builder.icmp_unsigned("==", builder.bitcast(arguments[0], whole), whole(2**tests.lanes - 1))

    return types.boolean(tests), generate


def _sized(_typing: Any, _values: Any, _least: Any, _most: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        values, least, most = arguments
        words = ir.VectorType(WORD, EIGHT.lanes)

        def all_lanes(word: Any) -> Any:
            return builder.bitcast(Vector(builder).spread(builder.bitcast(word, ir.DoubleType())), words)

        def constant(number: int) -> Any:
            return ir.Constant(words, [number] * EIGHT.lanes)

        size = builder.and_(builder.bitcast(values, words), constant(2**63 - 1))
        small = builder.icmp_unsigned(">=", builder.sub(size, constant(1)), builder.sub(all_lanes(least), constant(1)))
        return builder.and_(small, builder.icmp_unsigned("<=", size, all_lanes(most)))

    return TESTS_OF[EIGHT](EIGHT, types.uint64, types.uint64), generate


load, load_wide = _load_of(EIGHT), _load_of(WIDE)
spread, spread_wide = _spread_of(EIGHT), _spread_of(WIDE)
store, stream, fma, where, every, sized = map(intrinsic, (_store, _stream, _multiply_add, _where, _every, _sized))
"""``fma`` and ``where`` take single numbers, too.

``sized(x, least, most)`` says where ``x`` is 0, or its bits but for the sign lie between two numbers.
"""


@part
def copy_row(target: int, row: int, width: int) -> None:
    """A row of a block to another place."""
    for z in range(0, width, 8):
        store(target, z, load(row, z))


@part
def copy_out(target: int, row: int, width: int) -> None:
    """A row of a block as a part of a result: past the caches, so that memory is not read to be written."""
    if target % 64 == 0:
        for z in range(0, width, 8):
            stream(target, z, load(row, z))
    else:
        copy_row(target, row, width)


@part
def scale_row(target: int, factors: int, width: int) -> None:
    """A row times another one, in place."""
    for z in range(0, width, 8):
        store(target, z, load(target, z) * load(factors, z))
