"""The array type of proofs: what it computes, and what it does not let anybody write."""

from __future__ import annotations

import operator
from fractions import Fraction

import numpy as np
import pytest

from mappo_verify.arithmetic import System, floats_of
from mappo_verify.arithmetic.functions import (
    both,
    certain,
    choose,
    compare,
    contract,
    denominator,
    divide,
    either,
    exp,
    identity,
    largest,
    like,
    log,
    maximum,
    minimum,
    negation,
    possible,
    pseudo_solve,
    smallest,
    solve,
    sqrt,
    support,
    tilt,
    xlogy,
)
from mappo_verify.arithmetic.numbers import Hidden, Numbers, constants, wrap, wrap_truth, zeros
from mappo_verify.arithmetic.one_instance import FUNCTIONS, UFUNCS, Truth
from mappo_verify.errors import ArgumentError, ExactnessError, FormulaError, UndecidedError

DECIDED = (System.FLOATS, System.RATIONALS)
SYSTEMS = (*DECIDED, System.BALLS)


def three(system=System.RATIONALS):
    """Three instances of a table of shape [2, 2]."""
    return wrap(np.array([[[1, 2], [3, 4]], [[0, -1], [5, 2]], [[7, 7], [7, 7]]]), system, 2)


def numbers_of(values):
    return floats_of(values.unwrap())


def test_an_instance_has_its_own_axes_only():
    x = three()
    assert (x.shape, x.ndim, x.size, x._count, len(x)) == ((2, 2), 2, 4, 3, 2)
    assert x.sum().shape == () and x.sum(-1).shape == (2,) and x.sum((0, 1), keepdims=True).shape == (1, 1)
    assert x[0].shape == (2,) and x[..., 0].shape == (2,) and x[None].shape == (1, 2, 2) and x[0, 1].shape == ()
    assert [row.shape for row in x] == [(2,), (2,)]
    for key in (
        (0, 0, 0),
        (..., 0, 0, 0),
        (0, None, slice(1), 0),
        (np.ones((2, 2), bool), 0),
        (..., np.ones((2,) * 3, bool)),
    ):
        with pytest.raises(IndexError, match=r"^3 indices for one instance of shape \(2, 2\)"):
            x[key]
    with pytest.raises(np.exceptions.AxisError):
        x.sum(2)
    with pytest.raises(np.exceptions.AxisError):
        x.sum(-3)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_constant_never_meets_the_batch(system):
    """Three constants on three states, in a batch of three, belong to the states of every instance."""
    x = wrap(np.arange(9).reshape(3, 3), system, 1)
    assert numbers_of(x - like([0, 9, 9], x)).tolist() == (np.arange(9).reshape(3, 3) - [0, 9, 9]).tolist()


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("order", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_constants_are_exact_on_both_sides(system, order):
    x = wrap(np.array([[1, 2], [3, 8]]), system, 1)
    plain = np.array([[1.0, 2.0], [3.0, 8.0]])
    assert numbers_of(order(x, 2)).tolist() == order(plain, 2).tolist()
    assert numbers_of(order(Fraction(1, 2), x)).tolist() == pytest.approx(order(0.5, plain))


def test_constants_of_any_size_stay_whole():
    x = wrap(np.array([[1]]), System.RATIONALS, 1)
    assert str((x * 2**62 * 4).unwrap()[0, 0]) == str(2**64)
    assert str((x + 21 * Fraction(10**40, 3)).unwrap()[0, 0]) == str(1 + 7 * 10**40)
    assert str(((x * 3) ** 41).unwrap()[0, 0]) == str(3**41)


@pytest.mark.parametrize("system", SYSTEMS)
def test_structure(system):
    x, plain = three(system), numbers_of(three(system))
    for function, expected in [
        (lambda v: v.T, plain.transpose(0, 2, 1)),
        (lambda v: v.reshape(4), plain.reshape(3, 4)),
        (lambda v: v.reshape((1, -1)), plain.reshape(3, 1, 4)),
        (lambda v: v.swapaxes(0, -1), plain.transpose(0, 2, 1)),
        (lambda v: np.stack([v, v + 1], axis=-1), np.stack([plain, plain + 1], -1)),
        (lambda v: np.stack([v[0], 0 * v[1]]), np.stack([plain[:, 0], 0 * plain[:, 1]], 1)),
        (lambda v: np.concatenate([v, v[:1]], axis=0), np.concatenate([plain, plain[:, :1]], 1)),
        (lambda v: np.concatenate(v), plain.reshape(3, 4)),
        (lambda v: np.moveaxis(v, 0, -1), plain.transpose(0, 2, 1)),
        (lambda v: np.broadcast_to(v[0], (3, 2)), np.repeat(plain[:, :1], 3, 1)),
        (lambda v: np.repeat(v, 2, axis=-1), np.repeat(plain, 2, -1)),
        (lambda v: np.repeat(v, 2), np.repeat(plain.reshape(3, 4), 2, -1)),
        (lambda v: np.squeeze(np.expand_dims(v, 0)), plain),
        (lambda v: np.flip(v, 1), plain[:, :, ::-1]),
        (lambda v: np.flip(v), plain[:, ::-1, ::-1]),
        (lambda v: np.roll(v, 1, axis=1), np.roll(plain, 1, 2)),
        (lambda v: np.diagonal(v), plain[:, [0, 1], [0, 1]]),
        (lambda v: np.trace(v), np.trace(plain, axis1=1, axis2=2)),
        (lambda v: np.outer(v[0], v[1]), plain[:, 0, :, None] * plain[:, 1, None, :]),
        (lambda v: np.split(v, 2, axis=1)[1], plain[:, :, 1:]),
        (lambda v: np.cumsum(v, axis=1), np.cumsum(plain, 2)),
        (lambda v: np.prod(v, axis=0), np.prod(plain, 1)),
        (lambda v: np.take(v, [1, 0], axis=1), plain[:, :, [1, 0]]),
        (lambda v: np.sum(v, axis=0), plain.sum(1)),
        (lambda v: sum(v), plain.sum(1)),
        (lambda v: np.einsum("ij,jk->ik", v, v), np.einsum("bij,bjk->bik", plain, plain)),
        (lambda v: v @ v, plain @ plain),
        (lambda v: contract("i...,j...", v, v), np.einsum("bik,bjk->bkij", plain, plain)),
        (lambda v: v @ v[0], np.einsum("bij,bj->bi", plain, plain[:, 0])),
        (lambda v: v[0] @ v, np.einsum("bj,bjk->bk", plain[:, 0], plain)),
        (lambda v: v[0] @ v[1], np.einsum("bj,bj->b", plain[:, 0], plain[:, 1])),
        (lambda v: np.ones_like(v) + np.zeros_like(v[0]) + np.full_like(v, 2), np.full_like(plain, 3)),
        (lambda v: v**3, plain**3),
        (lambda v: v**0, plain**0),
        (lambda v: abs(-v), abs(plain)),
        (lambda v: np.square(v), plain**2),
        (lambda v: v.max(-1), plain.max(-1)),
        (lambda v: v.min((0, 1), keepdims=True), plain.min((1, 2), keepdims=True)),
        (lambda v: np.maximum(v, 3), np.maximum(plain, 3)),
        (lambda v: np.minimum(v, v.T), np.minimum(plain, plain.transpose(0, 2, 1))),
        (lambda v: contract("...ij,...j->...i", v, v[0]), np.einsum("bij,bj->bi", plain, plain[:, 0])),
        (lambda v: contract("ij->j", v), plain.sum(1)),
        (lambda v: v[np.array([1, 0])], plain[:, [1, 0]]),
        (lambda v: v[np.array([True, False])], plain[:, :1]),
    ]:
        found = numbers_of(function(x))
        assert found.shape[1:] == expected.shape[1:]
        assert np.broadcast_to(found, expected.shape).tolist() == expected.tolist()


ALONE = """
np.stack([v, v + 1]); np.stack([v, 2 * v], axis=1); np.stack([v[0], v[1]], axis=-1); np.stack(v)
np.concatenate([v, v[:1]]); np.concatenate([v, v[:, :2]], axis=1); np.concatenate([v, v], axis=-1); np.concatenate(v)
np.moveaxis(v[None], 0, 2); np.moveaxis(v[None], (0, 1), (-1, 0)); np.moveaxis(v[None], -1, 0)
np.swapaxes(v[None], 0, 2); np.swapaxes(v, -1, 0)
np.transpose(v); np.transpose(v[None], (2, 0, 1))
np.reshape(v, (3, 2)); np.reshape(v, (1, -1)); np.reshape(v, 6)
np.ravel(v); np.ravel(v.T)
np.broadcast_to(v, (2, 3)); np.broadcast_to(v, (4, 2, 3)); np.broadcast_to(v[0], (2, 3)); np.broadcast_to(v[0, 0], 3)
np.broadcast_arrays(v, v[0])[0]; np.broadcast_arrays(v, v[0])[1]; np.broadcast_arrays(v[0], v[:, :1])[1]
np.expand_dims(v, 0); np.expand_dims(v, -1); np.expand_dims(v, (0, 2)); np.expand_dims(v, 1)
np.squeeze(v[None, :, None]); np.squeeze(v[None, :, None], 0); np.squeeze(v[None, :, None], (0, -2))
np.repeat(v, 2); np.repeat(v, 3, axis=0); np.repeat(v, 2, axis=-1); np.repeat(v, 2, axis=1)
np.flip(v); np.flip(v, 0); np.flip(v, -1); np.flip(v, (0, 1))
np.roll(v, 1, 1); np.roll(v, -1, 0); np.roll(v, 2, axis=-1)
np.diagonal(v); np.diagonal(v, 1); np.diagonal(v, -1); np.diagonal(np.stack([v, 2 * v]), 0, 1, 2); np.diagonal(v[None], 0, 0, -1)
np.trace(v); np.trace(np.stack([v, 2 * v], axis=-1))
np.outer(v[0], v[1]); np.outer(v, v[0]); np.outer(v[:, 0], v[1]); np.outer(2, v[0])
np.inner(v[0], v[1]); np.inner(v[:, 1], v[:, 0])
np.split(v, 3, axis=1)[0]; np.split(v, 3, axis=1)[2]; np.split(v, 2)[1]; np.split(v, [1, 2], axis=-1)[1]; np.split(v, [1], 1)[1]
np.cumsum(v); np.cumsum(v, axis=0); np.cumsum(v, axis=1); np.cumsum(v, axis=-2)
np.prod(v); np.prod(v, axis=0); np.prod(v, axis=1); np.prod(v, axis=-1); np.prod(v[None], axis=(0, 2)); np.prod(v[:0], axis=0)
np.take(v, [2, 0], axis=1); np.take(v, 1, axis=0); np.take(v, [[0, 1], [2, 2]], axis=-1)
np.einsum("ji", v); np.einsum("j,i", v[0], v[1]); np.einsum("i...", v); np.einsum("ij,ij", v, v); np.einsum("ij, jk", v, v.T)
np.einsum("ij,kj->ik", v, v); np.einsum("ij->j", v); np.einsum("ij,j->i", v, v[0]); np.einsum("ij,ij->", v, v)
np.zeros_like(v); np.zeros_like(v[0]); np.ones_like(v); np.ones_like(v, shape=(3,)); np.full_like(v, 7)
np.sum(v); np.sum(v, 0); np.sum(v, axis=1); np.sum(v, axis=(0, 1)); np.sum(v, axis=-1, keepdims=True)
np.max(v); np.max(v, 0); np.max(v, axis=1, keepdims=True); np.max(v, (0, 1))
np.min(v); np.min(v, 0); np.min(v, axis=1, keepdims=True); np.min(v, (0, 1))
np.all(v > 3); np.all(v > 3, axis=0); np.all(v > 3, axis=1, keepdims=True); np.all(v > 3, axis=-1)
np.any(v > 9); np.any(v > 9, axis=0); np.any(v > 9, axis=1, keepdims=True); np.any(v > 9, axis=-1)
np.shape(v); np.shape(v[0]); np.ndim(v); np.ndim(v[0, 0]); np.size(v); np.size(v, 0); np.size(v, 1); np.size(v, -1); np.copy(v)
np.dot(v[None], v.T); np.dot(v[None], v[0]); np.dot(v[None], v[0, 0]); np.cumsum(v[:0], axis=0); np.cumsum(v[:0])
np.dot(v, v.T); np.dot(v, v[0]); np.dot(v[0], v[1]); np.dot(v[:, 0], v); np.dot(v[0, 0], v); np.dot(v, v[0, 0])
np.add(v, 1); np.add(1, v[0]); np.subtract(v, 1); np.subtract(1, v); np.multiply(v, v[0]); np.divide(v, 4); np.divide(1, v)
np.negative(v); np.positive(v); np.matmul(v, v.T); np.matmul(v[0], v[1]); np.square(v); np.reciprocal(v / 1)
np.equal(v, v[0]); np.not_equal(v, v[0]); np.less(v, 5); np.less_equal(v, 5); np.greater(v, 5); np.greater_equal(v, 5)
np.equal(5, v); np.less(5, v); np.less_equal(5, v); np.greater(5, v); np.greater_equal(5, v); np.not_equal(v, 5)
np.roll(v, 1); np.roll(v, 1, (0, 1)); np.roll(v, (1, 2), axis=(1, 0)); np.roll(v, (1, 1), 1); np.roll(v, (1, 2), (1, 1))
np.concatenate([v, v[0]], axis=None); np.concatenate([v[:, :2], k], axis=1); np.stack([v, k], axis=1); np.stack([v[0, 0], 3])
np.take(v, [0, 4]); np.take(v, 4); np.take(v, [0, 1], axis=None)
np.inner(v, k); np.inner(v, v[0]); np.inner(2, v[0]); np.inner(v[0], v)
np.trace(v, 1); np.trace(v[None], 0, 1, 2); np.prod(v, axis=0, keepdims=True); np.diagonal(v, axis1=1, axis2=0)
np.zeros_like(v, shape=3); np.full_like(v, 7, shape=(2,)); np.full_like(v, v[0]); np.ones_like(v > 3); np.full_like(v > 3, False)
np.swapaxes(v, axis1=0, axis2=1); np.transpose(v, axes=(1, 0)); np.repeat(v, [1, 2, 0], axis=1); np.outer(a=v, b=k)
np.einsum("ij,kj", v, k); np.einsum("ij->i", v[:, :0]); np.einsum("ij,ij->j", v[:0], k[:0]); v @ k.T; k @ v[0]; v - k; v > k
v[:, :0] @ v.T[:0]; np.add(v, [1, 2, 3]); np.maximum([5, 6, 7], v); v[:, :0].max(0)
v.cumsum(); v.cumsum(1); v.prod(0); v.take([0], 1); v.repeat(2); v.trace(); v.diagonal(1); v[None].squeeze(0); v.dot(v.T)
v[True, 0]; v[0, 0][True]; v[0, 0][None]; v[::-1, ::-2]; v[[0, 1], [2, 0]]; v[:, [True, False, True]]; v[..., None, 0]
v[0, :][[2, 1]]
(v > 3) ^ (v > 5); True ^ (v > 5); np.logical_xor(v > 3, k > 5); np.bitwise_xor(v > 3, v > 5); np.logical_or.reduce(v > 5, axis=1)
np.absolute(v - 6); np.fabs(v - 6); np.maximum(v, 6); np.maximum(v, v[0]); np.minimum(6, v); np.minimum(v, v[:, :1])
"""
ALONE = [code for line in ALONE.split("\n") for code in line.split("; ") if code]
ELSEWHERE = {np.exp, np.log, np.sqrt}
"""Their values are no rationals; their tests compare them with balls."""


AS_FLOATS = {
    System.ENCLOSURES: lambda parts: parts[0],
    System.SYMBOLS: lambda values: np.frompyfunc(lambda x: int(x.numerator.p) / int(x.numerator.q), 1, 1)(values),
}
"""Plain arrays of the other systems are floats by ``floats_of``."""


@pytest.mark.parametrize("code", ALONE)
def test_a_function_of_many_instances_is_numpys_of_each(code):
    plain = np.array([[[1, 5, 4], [8, 3, 6]], [[5, 9, 2], [7, 5, 11]], [[12, 6, 5], [2, 4, 1]]])
    everywhere = [eval(code, {"np": np, "v": one, "k": plain[0]}) for one in plain]
    for system in System:
        k = wrap(plain[0], system, 2)  # the same for all instances
        found = eval(code, {"np": np, "v": wrap(plain, system, 2), "k": k})
        expected = everywhere
        if isinstance(found, Truth):
            found = np.moveaxis(found.values, -1, 0) > 0
        elif isinstance(found, Numbers):
            found = AS_FLOATS.get(system, floats_of)(found.unwrap())
        else:
            expected = expected[0]
        assert np.shape(found)[1:] == np.shape(expected)[1:] or np.shape(found)[0] == 1
        rounding = 2**-52 if system in (System.BALLS, System.ENCLOSURES) else 0  # of their middle
        assert np.allclose(np.broadcast_to(found, np.shape(expected)).astype(float), expected, rtol=rounding, atol=0)


BEYOND = """
np.moveaxis(v, 2, 0); np.moveaxis(v, 0, 2); np.moveaxis(v, -3, 0); np.swapaxes(v, 0, 2); np.transpose(v, (0, 2))
np.expand_dims(v, 3); np.expand_dims(v, -4); np.squeeze(v, 2); np.repeat(v, 2, axis=2); np.flip(v, -3); np.roll(v, 1, 2)
np.diagonal(v, 0, 0, 2); np.diagonal(v, 0, -3, 1); np.cumsum(v, axis=2); np.prod(v, axis=2); np.take(v, [0], axis=2)
np.stack([v, v], axis=3); np.concatenate([v, v], axis=2); np.sum(v, axis=2); np.max(v, axis=-3); np.min(v, axis=(0, 2))
v.transpose(2, 0); largest(v, 2); largest(v, (0, 2)); smallest(v, -3)
"""


@pytest.mark.parametrize("code", [code for line in BEYOND.split("\n") for code in line.split("; ") if code])
def test_an_axis_that_is_not_there_is_refused(code):
    """Of many instances as by NumPy of each; of exact plain arrays, too."""
    plain = np.array([[[1, 5, 4], [8, 3, 6]]])
    for values in (wrap(plain, System.RATIONALS, 2), plain[0], like(plain[0], System.RATIONALS)):
        with pytest.raises((np.exceptions.AxisError, ArgumentError), match="out of bounds"):
            eval(code, {"np": np, "v": values, "largest": largest, "smallest": smallest})


def test_every_function_is_compared_with_numpys():
    missing = {f for f in (*FUNCTIONS, *UFUNCS) if not any(code.startswith(f"np.{f.__name__}(") for code in ALONE)}
    assert missing == ELSEWHERE


REFUSED = {
    "if x.sum() > 0: pass": "choose",
    "x > 3 and x < 4": "&",
    "not (x > 3)": "~",
    "max(x[0, 0], x[0, 1])": "largest",
    "sorted(x[0])": "largest",
    "1 in x": "choose",
    "x * 0.1": "Fraction",
    "0.5 + x": "Fraction",
    "x + np.float64(1)": "Fraction",
    "x / float('nan')": "Fraction",
    "x * np.int64(3)": "int(...)",
    "np.int64(3) * x": "int(...)",
    "x + np.uint8(200)": "int(...)",
    "np.array([2**62]) * x": "like(",
    "x * np.array([1.0, 2.0])": "like(",
    "x + np.array([1, 2], dtype=object)": "like(",
    "np.prod(np.arange(1, 22)) * x": "int(...)",
    "x + True": "choose",
    "x * (x > 0)": "choose",
    "(x > 0) * 1": "choose",
    "(x > 0) + (x > 1)": "choose",
    "(x > 0) == True": "~",
    "(x > 0) > 0": "~",
    "(x > 0).sum()": "choose",
    "x + None": "constants are",
    "x + '1'": "constants are",
    "x + 1j": "constants are",
    "float(x[0, 0])": "unwrap",
    "int(x[0, 0])": "unwrap",
    "range(x[0, 0])": "unwrap",
    "[1, 2][x[0, 0]]": "unwrap",
    "np.asarray(x)": "unwrap",
    "np.array(x)": "unwrap",
    "np.array([x[0, 0], x[0, 1]])": None,
    "x[x > 0]": "choose",
    "x[0, 0] = 1": "stack",
    "x += np.float32(1)": "Fraction",
    "np.where(x > 0, x, -x)": "choose",
    "np.select([x > 0], [x])": "choose",
    "np.clip(x, 0, 1)": "maximum",
    "x.clip(0, 1)": "maximum",
    "np.argmax(x)": "choose",
    "x.argmax()": "choose",
    "np.sort(x)": "largest",
    "x.sort()": "largest",
    "x.mean()": "divide",
    "np.mean(x)": "divide",
    "np.linalg.solve(x, x)": "solve",
    "np.linalg.inv(x)": "solve",
    "np.linalg.norm(x)": "norm",
    "np.isnan(x)": "never nan",
    "np.sign(x)": "choose",
    "np.floor(x)": "rounds",
    "np.round(x)": None,
    "np.power(x, 2)": "x**2",
    "x ** Fraction(1, 2)": "sqrt",
    "x ** -1": "1/x",
    "x ** x": "exp",
    "2 ** x": "exp",
    "x // 2": "divide by /",
    "x % 2": "divide by /",
    "7 // x": "divide by /",
    "divmod(x, 2)": "divide by /",
    "np.add.reduceat(x, [0])": None,
    "np.add.accumulate(x)": None,
    "np.add.outer(x, x)": None,
    "np.add(x, x, out=np.zeros((2, 2)))": "choose",
    "np.add(x, x, where=np.ones((2, 2), bool))": "choose",
    "np.random.default_rng(0).permutation(x)": None,
    "np.vectorize(float)(x)": None,
    "np.fromiter(x, float)": None,
    "x.tolist()": "largest",
    "x.item()": "largest",
    "x.astype(float)": "largest",
    "x.any()": "largest",
    "np.count_nonzero(x)": None,
    "np.unique(x)": None,
    "np.histogram(x)": None,
    "np.dot(x, np.array([1, 2]))": "like(",
    "np.dot(x, x[None])": "contract",
    "np.sum(x, initial=1)": "it takes a, axis, keepdims only",
    "np.sum(x, 0, float)": "it takes a, axis, keepdims only",
    "np.max(x, where=True)": "it takes a, axis, keepdims only",
    "np.reshape(x, 4, order='F')": "it takes a, shape only",
    "np.zeros_like(x, float)": "it takes a, shape only",
    "np.einsum('ij->', x, optimize=True)": "it takes subscripts, *operands only",
    "x.sum(0, True)": None,
    "x.sum(True)": "keepdims=True has its name",
    "x.sum((0, 0))": None,
    "np.cumsum(x, (0,))": "an axis is an integer",
    "np.swapaxes(x, None, 1)": "an axis is an integer",
    "np.stack([x, x], axis=None)": "an axis is an integer",
    "np.stack([x, x[0]])": None,
    "np.full_like(x[0], x)": None,
    "np.split(x, -1)": None,
    "x.transpose(())": None,
    "x @ x[:1]": None,
    "np.dot(x[:, :1], x)": None,
    "np.inner(x, x[0, :1])": None,
    "contract('...->', x)": None,
    "contract('ii->i', x[:0])": None,
    "np.einsum('ij->i', x > 0)": "choose",
    "np.prod(x > 0)": "comparison",
    "np.sum(x > 0)": "choose",
    "(x > 0) @ (x > 0)": "choose",
    "np.logical_not.reduce(x > 0)": None,
    "np.logical_xor.reduce(x > 0)": ".any()",
    "for row in x: row /= row.sum()": "x = x + y",
    "y = x.T; y += 1": "x = x + y",
    "t = (x > 0)[0]; t |= True": "x = x + y",
    "contract('iA,iA->', x, x)": None,
    "contract('Z,Z', x[0], x[0])": None,
    "hash(x)": None,
    "choose(x > 0, 1, 0)": "like",
    "choose(x, x, 0)": "compare",
    "choose(1, x, 0)": "comparison",
    "like(0.5, x)": "Fraction",
    "like(np.array([1, 2]), x)": "wrapped",
    "like([0.5, 1], x)": "Fraction",
    "like([], x)": "zeros",
    "x + other": "convert",
    "np.stack([x, other])": "convert",
    "contract('ij,ij->', x, other)": "convert",
    "solve(x, other)": "convert",
}  # fmt: skip


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("code", REFUSED)
def test_what_would_be_unsound_is_refused(code, system):
    """Each raises, in every system, and names what to write instead."""
    x, other = three(system), three(System.FLOATS if system is not System.FLOATS else System.RATIONALS)
    with pytest.raises((FormulaError, TypeError, ValueError)) as caught:
        exec(code, {"np": np, "Fraction": Fraction, "choose": choose, "like": like, "contract": contract, "solve": solve},
             {"x": x, "other": other})  # fmt: skip
    if REFUSED[code]:
        assert isinstance(caught.value, FormulaError)
        assert REFUSED[code] in str(caught.value)


def test_what_is_in_place_of_no_other_numbers_is_another_number():
    """``x += y`` is ``x = x + y``; of rows and other views, which NumPy would change in their table, it is refused."""
    x = three()
    for total in (
        zeros((2, 2), x),
        np.zeros_like(x),
        x.max(0, keepdims=True),
        np.roll(x, 1),
        x + 1,
        x[0].copy(),
        np.copy(x.T),
    ):
        before = numbers_of(total).tolist()
        again = total
        again += x
        assert numbers_of(total).tolist() == before and numbers_of(again).tolist() == numbers_of(total + x).tolist()
    for view in (x[0], x.T, x[None], x.reshape(4), np.moveaxis(x, 0, 1), np.flip(x), next(iter(x)), (x > 0)[0]):
        with pytest.raises(FormulaError, match="write x = x"):
            view += 1


# --- truth -------------------------------------------------------------------------------------------------------------


def kleene():
    values = np.array([1, 0, -1], np.int8)
    return wrap_truth(np.repeat(values, 3), 0), wrap_truth(np.tile(values, 3), 0)


def test_kleene():
    p, q = kleene()
    assert (p & q).values.tolist() == [1, 0, -1, 0, 0, -1, -1, -1, -1]
    assert (p | q).values.tolist() == [1, 1, 1, 1, 0, 0, 1, 0, -1]
    assert (~p).values.tolist() == [-1, -1, -1, 0, 0, 0, 1, 1, 1]
    assert (p ^ q).values.tolist() == [-1, 0, 1, 0, 0, 0, 1, 0, -1] == ((p & ~q) | (~p & q)).values.tolist()
    for function, operation in [(np.logical_and, p & q), (np.logical_or, p | q), (np.bitwise_xor, p ^ q)]:
        assert function(p, q).values.tolist() == operation.values.tolist()
    assert np.logical_not(p).values.tolist() == (~p).values.tolist()
    assert both(p, q).values.tolist() == (p & q).values.tolist()
    assert either(p, q).values.tolist() == (p | q).values.tolist()
    assert negation(p).values.tolist() == (~p).values.tolist()
    assert (p & True).values.tolist() == p.values.tolist() == (False | p).values.tolist()
    assert certain(p).values.tolist() == [1, 1, 1, -1, -1, -1, -1, -1, -1]
    assert possible(p).values.tolist() == [1, 1, 1, 1, 1, 1, -1, -1, -1]


def test_quantifiers():
    table = wrap_truth(np.array([[[1, 0], [1, 1]], [[-1, 0], [0, 0]]], np.int8), 2)
    assert table.all().values.tolist() == [0, -1]
    assert table.any().values.tolist() == [1, 0]
    assert np.all(table, axis=1).values.T.tolist() == [[0, 1], [-1, 0]]
    assert np.any(table, axis=0).values.T.tolist() == [[1, 1], [0, 0]]
    assert table[:0].all().values.tolist() == [1, 1]
    assert table[:0].any().values.tolist() == [-1, -1]
    assert np.logical_and.reduce(table).values.T.tolist() == [[1, 0], [-1, 0]]
    assert np.logical_or.reduce(table, axis=1).values.T.tolist() == [[1, 1], [0, 0]]


def test_choices_by_what_is_known():
    x = three()
    indicator = choose(x > 2, like(1, x), 0)
    assert numbers_of(indicator).tolist() == (numbers_of(x) > 2).astype(float).tolist()
    assert numbers_of(like(x > 2, x)).tolist() == numbers_of(indicator).tolist()
    nobody = wrap_truth(np.zeros(3, np.int8), 0)
    assert choose(nobody, x > 2, x > 2).values.tolist() == (x > 2).values.tolist()  # either way the same
    assert choose(nobody, x > 2, x > 4).values.min() >= -1
    assert numbers_of(choose(nobody, x, x)).tolist() == numbers_of(x).tolist()
    with pytest.raises(UndecidedError):
        choose(nobody, x, x + 1)


def test_an_undecided_choice_of_balls_contains_both():
    e = exp(wrap(np.array([[1]]), System.BALLS, 1))
    near = e + Fraction(1, 2**100)
    assert (near > e).values.tolist() == [[0]]
    found = choose(near > e, like(1, e), 0).unwrap()[0, 0]
    assert found.contains(0) and found.contains(1)
    assert (near.max() - e.max()).unwrap()[0].contains(0)


@pytest.mark.parametrize("system", DECIDED)
def test_comparisons(system):
    x = three(system)
    plain = numbers_of(x)
    for name, operation in {
        "≤": operator.le,
        "<": operator.lt,
        "≥": operator.ge,
        ">": operator.gt,
        "=": operator.eq,
    }.items():
        wanted = np.where(operation(plain, 2), 1, -1).tolist()
        assert np.moveaxis(compare(x, name, 2).values, -1, 0).tolist() == wanted
        assert np.moveaxis(operation(x, 2).values, -1, 0).tolist() == wanted
        reversed_ = {"≤": "≥", "<": ">", "≥": "≤", ">": "<", "=": "="}[name]
        assert np.moveaxis(compare(2, reversed_, x).values, -1, 0).tolist() == wanted
    assert np.moveaxis((x != 7).values, -1, 0).tolist() == np.where(plain != 7, 1, -1).tolist()
    with pytest.raises(ValueError, match="unknown relation"):
        compare(x, "==", x)


# --- functions ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", SYSTEMS)
def test_functions_of_numbers(system):
    x = wrap(np.array([[1, 4], [9, 16]]), system, 1)
    assert numbers_of(sqrt(x)).tolist() == [[1, 2], [3, 4]]
    assert numbers_of(exp(log(x))).round(9).tolist() == [[1, 4], [9, 16]]
    assert numbers_of(divide(x - 1, x - 1)).tolist() == [[0, 1], [1, 1]]
    assert numbers_of(largest(x) - smallest(x)).tolist() == [3, 7]
    assert numbers_of(maximum(x, 10) + minimum(10, x)).tolist() == (numbers_of(x) + 10).tolist()
    assert (
        numbers_of(tilt(x, log(x))).round(9).tolist()
        == (np.array([[1, 16], [81, 256]]) / [[17], [337]]).round(9).tolist()
    )
    assert numbers_of(xlogy(x - 1, x - 1)).round(9).tolist() == (
        np.array([[0, 3 * np.log(3)], [8 * np.log(8), 15 * np.log(15)]]).round(9).tolist()
    )
    assert np.moveaxis(support(x - 1).values, -1, 0).tolist() == [[-1, 1], [1, 1]]
    matrix = identity(2, x) * 2 + like([[0, 1], [0, 0]], x)
    assert numbers_of(solve(matrix, x[:, None])[:, 0]).tolist() == [[-0.5, 2], [0.5, 8]]
    for bad in [(x, x[:, None]), (matrix, x), (matrix[:1], x[:1, None])]:
        with pytest.raises(ValueError, match="solve needs"):
            solve(*bad)


def test_division_by_zero_is_its_instance_alone():
    x = wrap(np.array([0, 2]), System.BALLS, 0)
    ratio = (1 / x).unwrap()
    assert not ratio[0].is_finite() and ratio[1] == 0.5
    with pytest.raises(ZeroDivisionError):
        1 / wrap(np.array([0, 2]), System.RATIONALS, 0)  # no rational says so; the engine tries instances apart
    with pytest.raises(ZeroDivisionError):
        divide(wrap(np.array([1]), System.RATIONALS, 0), 0)


def test_rationals_leave_nothing_unsaid():
    with pytest.raises(ExactnessError):
        exp(three())


def test_constants():
    reference = Hidden(System.RATIONALS)
    assert reference == System.RATIONALS == Hidden(System.RATIONALS)
    assert reference != System.BALLS and hash(reference) == hash(System.RATIONALS)
    assert like([[1, Fraction(1, 2)], [3, 4]], reference).shape == (2, 2)
    assert like([three()[0, 0], 1], reference).shape == (2,)
    assert zeros((2, 3), reference).shape == (2, 3) and zeros((), reference).shape == ()
    assert numbers_of(identity(2, reference)).tolist() == [[[1, 0], [0, 1]]]
    assert constants(three(), reference._arithmetic).shape == (2, 2)
    with pytest.raises(ValueError, match="differ in length"):
        like([[1, 2], [3]], reference)
    flint = pytest.importorskip("flint")
    assert str((three() * flint.fmpq(1, 3)).unwrap()[0, 0, 1]) == "2/3"


def test_they_show_what_they_are():
    assert repr(three()) == "Numbers(rationals, shape (2, 2), 3 instances)"
    assert repr(three() > 0) == "Truth(shape (2, 2), 3 instances)"
    assert repr(like(1, three())) == "Numbers(rationals, shape (), 1 instance)"
    assert isinstance(three().system, Hidden) and repr(three().system) == "<rationals of one instance>"
    assert isinstance(three() > 0, Truth) and isinstance(three().copy(), Numbers)


@pytest.mark.parametrize("system", [System.FLOATS, System.RATIONALS, System.BALLS])
def test_several_systems_of_each_instance_are_solved_at_their_places(system):
    """Two instances of three diagonal systems each, all numbers different."""
    diagonals, right = np.arange(1, 13).reshape(2, 3, 2), np.arange(12)[::-1].reshape(2, 3, 2, 1)
    left = diagonals[..., None] * np.eye(2, dtype=int)
    systems = wrap(left, system, 3), wrap(right, system, 3)
    for found in (solve(*systems), pseudo_solve(*systems)[0]):
        assert found.shape == (3, 2, 1)
        np.testing.assert_allclose(floats_of(found.unwrap()), right / diagonals[..., None], rtol=1e-15)


@pytest.mark.parametrize("system", [System.FLOATS, System.RATIONALS, System.BALLS])
def test_a_denominator_is_1_where_the_number_is_0(system):
    found = denominator(wrap(np.array([[0, 2, -3]]), system, 1)).unwrap()
    assert floats_of(found).tolist() == [[1, 2, -3]] and len({type(number) for number in found.flat}) == 1
