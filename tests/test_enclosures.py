"""Enclosures contain the exact result of every operation on every number that they enclose, in all regimes of float64."""

from __future__ import annotations

import ctypes
import importlib.util
import math
import platform
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import flint
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappo_verify.arithmetic import enclosures as e
from mappo_verify.arithmetic import rationals
from mappo_verify.arithmetic.enclosures import contractions, fused, linear_systems, numpy_kernels, operations
from mappo_verify.arithmetic.enclosures.kernels import SOLVED
from mappo_verify.arithmetic.formal import logarithm
from mappo_verify.arithmetic.precision import precision
from mappo_verify.arithmetic.protocol import Arithmetic
from mappo_verify.errors import MixedArithmeticError

IMPLEMENTATIONS = {"numpy": e.NUMPY, "fused": e.kernels(e.WORTH_FUSING)}
if IMPLEMENTATIONS["fused"] is not e.NUMPY:  # of many numbers at once, what of few is two calls of NumPy's
    PASSES = {name: fused.in_one_pass(getattr(fused, name.upper())) for name in ("add", "sub", "mul", "div")}
    IMPLEMENTATIONS["one pass"] = IMPLEMENTATIONS["fused"]._replace(**PASSES)
BOTH = pytest.mark.parametrize("kernels", IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS)
REGIMES = ["plain", "dyadic", "near-zero", "near-one", "ill-scaled", "denormal", "huge", "zeros", "mixed"]
LANES = 16


@pytest.fixture(autouse=True)
def _quiet():
    """Kernels are called directly here; the public functions silence NumPy themselves."""
    with np.errstate(all="ignore"):
        yield


def compute_by(kernels, monkeypatch):
    """Whatever the size; each module that asks for the kernels has the function by its own name."""
    for module in (operations, contractions, linear_systems):
        monkeypatch.setattr(module, "kernels", lambda _: kernels)


def midpoints(regime, shape, rng):
    plain = rng.uniform(-1, 1, shape)
    match regime:
        case "plain":
            return plain
        case "dyadic":
            return rng.integers(-64, 65, shape) / 64
        case "near-zero":
            return plain * 10.0 ** rng.uniform(-300, 0, shape)
        case "near-one":
            return 1 + plain * 10.0 ** rng.uniform(-16, -1, shape)
        case "ill-scaled":
            return plain * 10.0 ** rng.choice([-12, 0, 12], shape)
        case "denormal":
            return plain * 10.0 ** rng.uniform(-323, -290, shape)
        case "huge":
            return plain * 10.0 ** rng.uniform(140, 308, shape)
        case "zeros":
            return np.where(rng.random(shape) < 0.6, 0.0, plain)
    choice = [midpoints(name, shape, rng) for name in REGIMES[:-1]]
    return np.choose(rng.integers(0, len(choice), shape), choice)


def test_many_numbers_are_computed_in_one_pass(monkeypatch):
    seen = []
    monkeypatch.setattr(fused, "_run", lambda *given: seen.append(given))
    few, many = ((np.ones(size), np.zeros(size)) for size in (fused.AT_ONCE - 1, fused.AT_ONCE))
    for operation in fused.NUMBA[:4]:
        assert operation(few, few)[0].shape == few[0].shape and not seen
        operation(few, many)
        assert seen.pop()[-1] == (few, many)


def numbers(regime, shape, rng, exact=0.3):
    """Enclosures, many exact, others of all widths."""
    mid = midpoints(regime, shape, rng)
    rad = np.abs(mid) * 10.0 ** rng.uniform(-20, 0.5, shape) + 10.0 ** rng.uniform(-330, -300, shape)
    return mid, np.where(rng.random(shape) < exact, 0.0, rad)


def members(a, rng):
    """One exact number of each enclosure: often an end."""
    place = rng.choice([-1.0, -0.5, 0.0, 0.375, 1.0], a[0].shape)
    result = np.empty(a[0].shape, object)
    for index in np.ndindex(a[0].shape):
        result[index] = Fraction(float(a[0][index])) + Fraction(float(place[index])) * Fraction(float(a[1][index]))
    return result


def missed(a, truth):
    """Indices of known entries that do not contain the exact number."""
    assert a[0].shape == a[1].shape == truth.shape
    assert not (a[1] < 0).any()
    told = e.known(a)
    return [
        (index, a[0][index], a[1][index], float(truth[index]))
        for index in np.ndindex(truth.shape)
        if told[index] and abs(truth[index] - Fraction(float(a[0][index]))) > Fraction(float(a[1][index]))
    ]


def same(a, b):
    """Bit for bit, but for the sign of 0 and what stands where nothing is known."""
    told = e.known(a)
    assert np.array_equal(told, e.known(b))
    assert np.array_equal(a[0][told], b[0][told]) and np.array_equal(a[1][told], b[1][told])


def each(function, *arrays):
    return np.frompyfunc(function, len(arrays), 1)(*arrays)


# --- elementwise ------------------------------------------------------------------------------------------------------

BINARY = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y if y else None,
}


@BOTH
@pytest.mark.parametrize("second", REGIMES)
@pytest.mark.parametrize("first", REGIMES)
@pytest.mark.parametrize("name", BINARY)
def test_operations_contain_the_exact_number(name, first, second, kernels):
    rng = np.random.default_rng([REGIMES.index(first), REGIMES.index(second)])
    a, b = numbers(first, (3, LANES), rng), numbers(second, (2, 1, LANES), rng)
    result = getattr(kernels, name)(a, b)
    same(result, getattr(e, name)(a, b))
    x, y = members(a, rng), members(b, rng)
    truth = each(BINARY[name], x, y)
    defined = each(lambda t: t is not None, truth).astype(bool)
    assert not e.known(result)[~defined].any()
    assert not missed(result, each(lambda t: Fraction(0) if t is None else t, truth))
    if {first, second} <= {"plain", "dyadic", "near-one"} and name != "div":
        assert e.known(result).all()


@BOTH
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2),
    st.lists(st.floats(0, 1e300) | st.just(0.0), min_size=2, max_size=2),
    st.sampled_from(sorted(BINARY)),
)
@settings(deadline=None, max_examples=150)
def test_any_two_floats(kernels, mids, rads, name):
    a, b = ((np.array([m]), np.array([r])) for m, r in zip(mids, rads, strict=True))
    result = getattr(kernels, name)(a, b)
    same(result, getattr(e.NUMPY, name)(a, b))
    for i in (-1, 1):
        for j in (-1, 1):
            x, y = (Fraction(m) + s * Fraction(r) for m, r, s in zip(mids, rads, (i, j), strict=True))
            if name == "div" and not y:
                assert not e.known(result).any()
            else:
                assert not missed(result, np.array([BINARY[name](x, y)], object))


UNARY = {"neg": lambda x: -x, "absolute": abs, "square": lambda x: x * x}


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_number(name, regime):
    rng = np.random.default_rng(REGIMES.index(regime))
    a = numbers(regime, (5, LANES), rng)
    for _ in range(3):
        assert not missed(getattr(e, name)(a), each(UNARY[name], members(a, rng)))
    if name != "neg":
        low = e.bounds(getattr(e, name)(a))[0]
        assert (low[e.known(getattr(e, name)(a))] >= 0).all()


@pytest.mark.parametrize("regime", REGIMES)
def test_choices_contain_what_may_be_chosen(regime):
    rng = np.random.default_rng(REGIMES.index(regime))
    a = numbers(regime, (5, LANES), rng)
    near = (a[0] * (1 + 1e-15 * rng.integers(-3, 4, a[0].shape)), np.roll(a[1], 1))
    for b in (near, numbers(regime, (5, LANES), rng)):
        x, y = members(a, rng), members(b, rng)
        assert not missed(e.maximum(a, b), each(max, x, y))
        assert not missed(e.minimum(a, b), each(min, x, y))
        assert not missed(e.hull(a, b), x) and not missed(e.hull(a, b), y)


def test_choices_are_sharp():
    a, wide = point(0.0), (np.array([0.0]), np.array([2.0**-60]))
    assert e.bounds(e.maximum(a, wide))[0] == 0, "max(x, 0) is not negative"
    assert e.maximum(point(3.0), wide) == (3.0, 0.0)
    assert e.hull(point(1.0), point(1.0)) == (1.0, 0.0)
    assert e.hull(point(0.0), point(1.0)) == (0.5, 0.5)
    assert e.absolute((np.array([-3.0]), np.array([1.0]))) == (3.0, 1.0)


def point(value):
    return np.array([float(value)]), np.zeros(1)


@pytest.mark.parametrize("regime", REGIMES)
def test_roots(regime):
    rng = np.random.default_rng(REGIMES.index(regime))
    a = numbers(regime, (5, LANES), rng)
    a = (np.abs(a[0]), a[1])
    mid, rad = root = e.sqrt(a)
    for x, m, r, told in zip(members(a, rng).flat, mid.flat, rad.flat, e.known(root).flat, strict=True):
        assert told or x > Fraction(1, 2) * Fraction(2) ** 1023
        if told and x >= 0:
            low, high = Fraction(m) - Fraction(r), Fraction(m) + Fraction(r)
            assert high >= 0 and high * high >= x and (low < 0 or low * low <= x)


def test_roots_of_squares_are_exact_and_negative_numbers_have_none():
    whole = np.arange(1000.0)
    root = e.sqrt((whole * whole, np.zeros(1000)))
    assert np.array_equal(root[0], whole) and not root[1].any()
    assert not e.known(e.sqrt((np.array([-1.0]), np.array([0.5])))).any()
    assert e.bounds(e.sqrt((np.array([-1.0]), np.array([1.5]))))[0] <= 0


# --- exactness and special values -------------------------------------------------------------------------------------


@BOTH
def test_what_float64_holds_stays_exact(kernels):
    rng = np.random.default_rng(0)
    a, b = (((rng.integers(-(2**20), 2**20, LANES) / 2**10), np.zeros(LANES)) for _ in range(2))
    for name in ("add", "sub", "mul"):
        assert not getattr(kernels, name)(a, b)[1].any()
    assert not kernels.div(kernels.mul(a, b), a)[1][a[0] != 0].any()
    large = (np.array([1e16, 1.0, -1e16])[:, None], np.zeros((3, 1)))
    mid, rad = kernels.product_sum(("i",), "", (large,))
    assert mid == 1 and rad < 1e-14, "errors of sums come back"


@BOTH
def test_exact_zeros_are_kept(kernels):
    zero, wide = point(0.0), (np.array([3.0]), np.array([1.0]))
    assert kernels.mul(zero, wide) == (0.0, 0.0) == kernels.mul(wide, zero)
    assert kernels.div(zero, wide) == (0.0, 0.0)
    table = (np.zeros((2, 1)), np.zeros((2, 1)))
    assert kernels.product_sum(("i", "i"), "", (table, (np.ones((2, 1)), np.ones((2, 1))))) == (0.0, 0.0)
    tiny = (np.array([1e-300]), np.array([1e-310]))
    mid, rad = kernels.mul(tiny, tiny)
    assert mid == 0 and rad > 0, "an underflow is no exact 0"


@BOTH
def test_what_is_unknown_spoils_itself_alone(kernels):
    bad = (np.array([np.inf, np.nan, 1.0, 1e308, 1.0]), np.array([np.inf, 0.0, np.inf, 0.0, 0.0]))
    good = (np.array([2.0, 0.0, 0.0, 1e308, 3.0]), np.zeros(5))
    for name in BINARY:
        told = e.known(getattr(kernels, name)(bad, good))
        assert not told[:3].any() and told[4], name
    assert not e.known(kernels.mul(bad, good))[3], "an overflow"
    zero = (np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    assert not e.known(kernels.div((np.ones(2), np.zeros(2)), zero)).any()


UNKNOWN = [(np.nan, 0.0), (np.inf, np.inf), (-np.inf, np.inf), (1.0, np.inf), (0.0, np.nan)]


@pytest.mark.parametrize("value", UNKNOWN)
def test_nothing_comes_out_of_the_unknown(value):
    a, b = tuple(np.array([part]) for part in value), point(1.0)
    for relation in "=≤≥<>":
        assert e.compare(a, relation, b) == e.compare(b, relation, a) == e.compare(a, relation, a) == 0
    for function in (e.absolute, e.square, e.exp, e.log, e.sqrt):
        assert not e.known(function(a)).any()
    for function in (e.maximum, e.minimum, e.hull):
        assert not e.known(function(a, b)).any() and not e.known(function(b, a)).any()
    assert not e.known(e.tilt(*((part[0][None], part[1][None]) for part in (b, a)))).any()


def test_comparisons_are_three_valued():
    half = (np.array([1.0]), np.array([0.5]))
    answers = {
        ("<", 1.0): 0, ("<", 1.5): 0, ("<", 2.0): 1, ("<", 0.5): -1, ("≤", 1.5): 1, ("≤", 0.5): 0, ("≤", 0.25): -1,
        (">", 1.5): -1, (">", 0.5): 0, (">", 0.25): 1, ("≥", 0.5): 1, ("≥", 1.5): 0, ("≥", 2.0): -1, ("=", 1.0): 0,
        ("=", 2.0): -1,
    }  # fmt: skip
    for (relation, value), answer in answers.items():
        assert e.compare(half, relation, point(value)) == answer, (relation, value)
    assert e.compare(point(1.0), "=", point(1.0)) == 1 and e.compare(point(1.0), "=", point(1 + 2**-52)) == -1
    assert e.compare(point(1.0), "≤", point(1.0)) == 1 and e.compare(point(1.0), "<", point(1.0)) == -1
    with pytest.raises(ValueError, match="use one of"):
        e.compare(half, "≠", half)


@pytest.mark.parametrize("regime", REGIMES)
def test_comparisons_never_contradict_a_member(regime):
    rng = np.random.default_rng(REGIMES.index(regime))
    a = numbers(regime, (5, LANES), rng)
    b = (
        a[0] + a[1] * rng.choice([-2.0, -1.0, 0.0, 1.0, 2.0], a[0].shape),
        np.where(rng.random(a[0].shape) < 0.5, 0, a[1]),
    )
    x, y = members(a, rng), members(b, rng)
    decided = 0
    for relation, function in {
        "<": np.less,
        "≤": np.less_equal,
        "=": np.equal,
        "≥": np.greater_equal,
        ">": np.greater,
    }.items():
        answer, truth = e.compare(a, relation, b), function(x, y).astype(bool)
        assert truth[answer > 0].all() and not truth[answer < 0].any()
        decided += np.count_nonzero(answer)
    assert decided > 0


# --- sums and contractions --------------------------------------------------------------------------------------------

CONTRACTIONS = {
    "sa,sat->st": ((2, 3), (2, 3, 2)),
    "sat,t->sa": ((2, 3, 2), (2,)),
    "ij,jk->ik": ((3, 2), (2, 4)),
    "i,j->ij": ((2,), (3,)),
    "i,i->": ((5,), (5,)),
    "ij->j": ((3, 2),),
    "ij->": ((3, 2),),
    "ij->ji": ((3, 2),),
    "ii->i": ((3, 3),),
    "ij,j,jk->ik": ((2, 3), (3,), (3, 2)),
    "s,sa,sat,t->": ((2,), (2, 2), (2, 2, 2), (2,)),
    "...ij,...j->...i": ((2, 3, 2), (2,)),
    "ij,j->i": ((1, 3), (3,)),
    "ij,jk->i": ((2, 3), (3, 2)),
    "i,j->": ((0,), (2,)),
}


def exactly(subscripts, arrays):
    """``einsum`` of Fractions, lane by lane; a batch of 1 serves every lane."""
    lanes = max(a.shape[-1] for a in arrays)
    found = [
        np.einsum(subscripts, *(a[..., 0 if a.shape[-1] == 1 else lane] for a in arrays), optimize=False)
        for lane in range(lanes)
    ]
    return np.stack([np.asarray(f, dtype=object) for f in found], -1)


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("subscripts", CONTRACTIONS)
def test_contractions_contain_the_exact_sum(subscripts, regime, monkeypatch):
    rng = np.random.default_rng([len(subscripts), REGIMES.index(regime)])
    for exact, batches in ((0.3, (LANES,) * 4), (1.0, (LANES,) * 4), (0.3, (1, LANES, 1, 1))):
        shapes = CONTRACTIONS[subscripts]
        factors = [numbers(regime, (*s, b), rng, exact) for s, b in zip(shapes, batches, strict=False)]
        results = []
        for kernels in IMPLEMENTATIONS.values():
            compute_by(kernels, monkeypatch)
            results.append(e.contract(subscripts, *factors))
        for other in results[1:]:
            same(results[0], other)
        truth = exactly(subscripts, [members(f, rng) for f in factors])
        assert not missed(results[0], truth)
        if regime in ("plain", "dyadic", "near-one", "zeros"):
            assert e.known(results[0]).all()


def test_the_radius_of_a_sum_is_half_a_unit_in_the_last_place_of_the_result():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-1, 1, (2, 50, 1000))
    mid, rad = e.contract("i,i->", (a, np.zeros_like(a)), (b, np.zeros_like(b)))
    assert (rad <= np.spacing(np.abs(mid)) * 0.5001 + 1e-28).all()


@pytest.mark.parametrize("axes", [0, -1, (0, 2), (-3, 1), (0, 1, 2)])
@pytest.mark.parametrize("regime", REGIMES)
def test_totals(regime, axes):
    rng = np.random.default_rng(REGIMES.index(regime))
    a = numbers(regime, (2, 3, 2, LANES), rng)
    core = tuple(axis % 3 for axis in ((axes,) if isinstance(axes, int) else axes))
    assert not missed(e.total(a, axes), np.asarray(members(a, rng).sum(core)))


def test_axes_of_the_batch_are_out_of_reach():
    a = (np.ones((2, 3, 5)), np.zeros((2, 3, 5)))
    for axis in (2, -3):
        with pytest.raises(IndexError, match="none of the 2 axes"):
            e.total(a, axis)
        with pytest.raises(IndexError, match="none of the 2 axes"):
            e.tilt(a, a, axis)


@pytest.mark.parametrize(
    ("subscripts", "shapes", "message"),
    [
        ("ij,jk", [(2, 2), (2, 2)], "must name 2 factors"),
        ("ij->i", [(2, 2), (2, 2)], "must name 2 factors"),
        ("ij,jk->ik", [(2, 2), (3, 2)], "has length 2 in one factor and 3"),
        ("ijk,jk->ik", [(2, 2), (2, 2)], "does not fit"),
        ("ij,j->k", [(2, 2), (2,)], "that no factor has"),
    ],
)
def test_malformed_contractions_are_named(subscripts, shapes, message):
    with pytest.raises(ValueError, match=message):
        e.contract(subscripts, *((np.ones((*s, 1)), np.zeros((*s, 1))) for s in shapes))


# --- linear systems ---------------------------------------------------------------------------------------------------


def column_dominant(n, rng):
    chain = rng.dirichlet(np.ones(n), (LANES, n))
    return np.moveaxis(np.eye(n) - 0.9 * chain.swapaxes(-1, -2), 0, -1)


def gram(n, rng):
    x = rng.normal(size=(LANES, n + 2, n))
    return np.moveaxis(x.swapaxes(-1, -2) @ x, 0, -1)


def bellman(n, rng):
    chain = rng.dirichlet(np.full(n, 0.2), (LANES, n)) * (1 - 2.0**-50)
    return np.moveaxis(np.eye(n) - rng.choice([0.5, 0.99, 1 - 1e-9], (LANES, 1, 1)) * chain, 0, -1)


def mixed_signs(n, rng):
    return 2 * n * np.eye(n)[..., None] + rng.uniform(-1, 1, (n, n, LANES))


def any_matrix(n, rng):
    return rng.normal(size=(n, n, LANES))


MATRICES = [bellman, column_dominant, gram, mixed_signs, any_matrix]


def exact_solutions(left, right):
    left, right = (np.moveaxis(each(rationals.rational, x), -1, 0) for x in (left, right))
    return each(rationals.fraction, np.moveaxis(rationals.solve(left, right), 0, -1))


@BOTH
@pytest.mark.parametrize("width", [0.0, 1e-14, 1e-4])
@pytest.mark.parametrize("make", MATRICES, ids=lambda f: f.__name__)
def test_solutions_contain_the_exact_one(make, width, kernels, monkeypatch):
    compute_by(kernels, monkeypatch)
    rng = np.random.default_rng(int(width * 1e14) % 7)
    for n, k in ((1, 1), (3, 2), (4, 1)):
        matrix = make(n, rng)
        a = (matrix, np.abs(matrix) * width * rng.random(matrix.shape))
        right = numbers(rng.choice(REGIMES), (n, k, LANES), rng)
        b = (right[0], np.minimum(right[1], np.abs(right[0]) * width))
        result = e.solve(a, b)
        if width < 1e-4:
            assert e.known(result).mean() > 0.6
        for _ in range(2):
            assert not missed(result, exact_solutions(members(a, rng), members(b, rng)))
        compute_by(e.NUMPY, monkeypatch)
        same(result, e.solve(a, b))
        compute_by(kernels, monkeypatch)


@BOTH
@pytest.mark.parametrize("regime", ["near-zero", "denormal", "huge", "mixed"])
def test_systems_at_the_ends_of_float64(regime, kernels, monkeypatch):
    compute_by(kernels, monkeypatch)
    rng = np.random.default_rng(REGIMES.index(regime))
    off = -np.abs(midpoints("near-zero", (3, 3, LANES), rng)) / 4
    matrix = np.where(np.eye(3)[..., None] > 0, 1 - off, off)
    b = numbers(regime, (3, 1, LANES), rng)
    for scale in (1, 1e-290, 1e200, 1e290):  # solutions may be below float64: they are not 0
        for rows in (matrix, matrix[::-1].copy()):
            a = (rows * scale, np.zeros_like(rows))
            assert not missed(e.solve(a, b), exact_solutions(members(a, rng), members(b, rng)))


@BOTH
def test_accuracy_of_solutions(kernels, monkeypatch):
    compute_by(kernels, monkeypatch)
    rng = np.random.default_rng(0)
    chain = rng.dirichlet(np.ones(4), (1000, 4)) * (1 - 2.0**-50)
    right = (rng.random((4, 1, 1000)), np.zeros((4, 1, 1000)))
    for discount, largest in ((0.9, 6e-15), (0.999, 6e-13)):
        matrix = e.sub(
            (np.eye(4)[..., None], np.zeros((4, 4, 1))),
            e.mul(point(discount), (np.ascontiguousarray(np.moveaxis(chain, 0, -1)), np.zeros((4, 4, 1000)))),
        )
        mid, rad = e.solve(matrix, right)
        assert (rad.max((0, 1)) / np.abs(mid).max((0, 1))).max() < largest


@BOTH
def test_dyadic_solutions_are_exact(kernels, monkeypatch):
    compute_by(kernels, monkeypatch)
    matrix = np.array([[1.0, -0.5], [0.0, 0.5]])[..., None]
    right = np.array([[1.0], [0.25]])[..., None]
    mid, rad = e.solve((matrix, np.zeros_like(matrix)), (right, np.zeros_like(right)))
    assert mid.ravel().tolist() == [1.25, 0.5] and not rad.any()


@BOTH
def test_singular_systems_spoil_themselves_alone(kernels, monkeypatch):
    compute_by(kernels, monkeypatch)
    good, bad = np.eye(2), np.ones((2, 2))
    matrix = np.stack([good, bad, good, np.full((2, 2), np.nan), np.array([[0.0, 1.0], [1.0, 0.0]])], -1)
    rad = np.zeros_like(matrix)
    rad[0, 0, 2] = 1.0  # [0, 2] on the diagonal
    result = e.solve((matrix, rad), (np.ones((2, 1, 5)), np.zeros((2, 1, 5))))
    assert e.known(result).all((0, 1)).tolist() == [True, False, False, False, True]
    assert result[0][:, 0, 4].tolist() == [1.0, 1.0] and result[1][:, 0, 4].max() < 1e-15


@BOTH
def test_visits_of_unreachable_states_are_exactly_zero(kernels, monkeypatch):
    compute_by(kernels, monkeypatch)
    chain = np.array([[0.3, 0.7, 0.0], [0.9, 0.1, 0.0], [0.2, 0.3, 0.5]])
    rad = np.where(chain > 0, 1e-16, 0.0)
    matrix = (np.eye(3)[..., None] - 0.9 * chain.T[..., None], rad.T[..., None])
    start = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])[..., None]
    mid, rad = e.solve(matrix, (start, np.zeros_like(start)))
    assert mid[2, 0] == 0 and rad[2, 0] == 0
    assert (rad[:2, 0] > 0).all() and (rad[:, 1] > 0).all(), "the others are not certain"


def test_systems_of_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r"\[n, n, B\]"):
        e.solve((np.ones((2, 3, 1)),) * 2, (np.ones((2, 1, 1)),) * 2)


# --- elementary functions ---------------------------------------------------------------------------------------------


def worst_ulps(function, truth, values):
    """The largest error in units in the last place of the result; denormal results count 2⁻¹⁰⁷⁴."""
    found = function(values)
    with precision(128):
        errors = [
            float(abs(truth(flint.arb(x)) - flint.arb(y)).upper()) / math.ulp(y)
            for x, y in zip(values.tolist(), found.tolist(), strict=True)
        ]
    return max(errors)


def test_exp_keeps_the_assumption():
    rng = np.random.default_rng(0)
    values = np.concatenate(
        [
            rng.uniform(-745, 709.7, 40_000),
            rng.uniform(-1, 1, 40_000),
            rng.normal(size=20_000) * 10.0 ** rng.uniform(-300, 1, 20_000),
        ]
    )
    assert worst_ulps(np.exp, flint.arb.exp, values) < 1 < e.LIBM_ULPS


def test_log_keeps_the_assumption():
    rng = np.random.default_rng(0)
    values = np.concatenate(
        [
            10.0 ** rng.uniform(-323, 308, 40_000),
            1 + rng.uniform(-0.5, 1, 30_000),
            1 + rng.uniform(-1, 1, 30_000) * 10.0 ** rng.uniform(-15.5, 0, 30_000),
        ]
    )
    assert worst_ulps(np.log, flint.arb.log, values[values > 0]) < 1 < e.LIBM_ULPS


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("name", ["exp", "log"])
def test_elementary_functions_contain_the_exact_number(name, regime):
    rng = np.random.default_rng(REGIMES.index(regime))
    a = numbers(regime, (10, LANES), rng)
    if name == "log":
        a = (np.abs(a[0]), a[1])
    mid, rad = result = getattr(e, name)(a)
    truth = getattr(flint.arb, name)
    with precision(256):
        for x, m, r, told in zip(members(a, rng).flat, mid.flat, rad.flat, e.known(result).flat, strict=True):
            if told:
                y = truth(flint.arb(rationals.rational(x)))
                assert flint.arb(m, r).overlaps(y) and (abs(y - flint.arb(m)) <= flint.arb(r) or y == m), (x, m, r)
    if name == "log":
        assert np.array_equal(e.known(result), (a[0] > a[1]))


def test_exponentials_of_wide_enclosures_contain_their_ends():
    """``e^[-r, r]``; for large r the end is so large that its own rounding is all that the radius has to spare."""
    ends = np.array([0.5, 1.0, 1.5, 20.0, 50.0, 100.0, 700.0])
    mid, rad = e.exp((np.zeros_like(ends), ends))
    with precision(256):
        for r, m, width in zip(ends, mid, rad, strict=True):
            assert flint.arb(m) + flint.arb(width) >= flint.arb(r).exp(), r
            assert flint.arb(m) - flint.arb(width) <= flint.arb(-r).exp() and width < 3 * math.exp(r), r


def test_exact_values_of_elementary_functions():
    assert e.exp(point(0.0)) == (1.0, 0.0) and e.log(point(1.0)) == (0.0, 0.0)
    assert e.exp(point(-1e5))[0] == 0 < e.exp(point(-1e5))[1]
    assert not e.known(e.exp(point(1e5))) and not e.known(e.log(point(0.0)))


def test_xlogy_of_an_exact_zero():
    factor = (np.array([0.0, 0.0, 2.0, 1e-9]), np.array([0.0, 1e-9, 0.0, 0.0]))
    value = (np.array([0.0, 0.0, 1.0, 0.0]), np.zeros(4))
    result = e.xlogy(factor, value)
    assert e.known(result).tolist() == [True, False, True, False]
    assert e.is_zero(result).tolist() == [True, False, True, False]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_tilt_against_balls(scale):
    rng = np.random.default_rng(0)
    weights = np.where(rng.random((2, 3, LANES)) < 0.3, 0.0, rng.random((2, 3, LANES)))
    weights[0, 0] = 1.0
    weights[1, 2] = 1e-300
    exponents = numbers("plain", (2, 3, LANES), rng)
    exponents = (exponents[0] * scale, exponents[1] * 1e-12)
    x = members(exponents, rng)
    for axis in (-1, 0):
        live = weights.sum(axis % 2, keepdims=True) > 0
        w = np.where(live, weights, 1.0)
        mid, rad = result = e.tilt((w, np.zeros_like(w)), exponents, axis)
        assert e.known(result).all() and e.is_zero(result)[w == 0].all()
        with precision(256):
            tilted = each(lambda p, q: flint.arb(p) * flint.arb(rationals.rational(q)).exp(), w, x)
            truth = tilted / tilted.sum(axis % 2, keepdims=True)
            for index in np.ndindex(w.shape):
                assert flint.arb(mid[index], rad[index]).overlaps(
                    truth[index]
                )  # at 256 bits the truth is nearly a point
    shift = (np.array(1e6), np.zeros(()))
    moved = e.tilt((np.ones((2, 1)), np.zeros((2, 1))), e.add((np.ones((2, 1)), np.zeros((2, 1))), shift))
    assert np.array_equal(moved[0], np.full((2, 1), 0.5))


# --- in and out -------------------------------------------------------------------------------------------------------


@given(
    st.fractions()
    | st.integers(-(2**1100), 2**1100).map(Fraction)
    | st.integers(1, 2**1100).map(lambda n: Fraction(1, n))
)
@settings(deadline=None)
def test_constants(value):
    mid, rad = e.constant(value)
    if rad < math.inf:
        assert abs(Fraction(mid) - value) <= Fraction(rad) <= max(abs(Fraction(mid)) / 2**52, Fraction(2) ** -1074)
        assert (rad == 0) == (Fraction(mid) == value)
    else:
        assert abs(value) >= Fraction(2) ** 1023


def test_numbers_of_other_systems():
    third, log = flint.fmpq(1, 3), logarithm(flint.fmpq(2))
    with precision(64):
        ball = flint.arb(third)
    mid, rad = e.enclose(np.array([third, log, ball, log - log, flint.fmpz(3), 7, Fraction(1, 2), 0.25], object))
    assert rad[3:].tolist() == [0.0] * 5 and mid[3:].tolist() == [0.0, 3.0, 7.0, 0.5, 0.25]
    assert abs(Fraction(1, 3) - Fraction(mid[0])) <= Fraction(rad[0]) < Fraction(1, 2**53)
    with precision(200):
        assert abs(flint.arb(2).log() - flint.arb(mid[1])) <= rad[1] <= 1.2e-16
        assert abs(flint.arb(third) - flint.arb(mid[2])) <= rad[2] <= 1.2e-16
    beyond = e.enclose(np.array([flint.arb("nan"), flint.arb.pos_inf(), flint.fmpq(10) ** 400, np.inf], object))
    assert not e.known(beyond).any()
    floats = e.enclose(np.array([1.0, np.nan, np.inf]))
    assert e.known(floats).tolist() == [True, False, False] and floats[1][0] == 0
    assert e.enclose(np.array([2**63, 2**53 + 1, 3], dtype=np.uint64))[1].tolist() == [0.0, 1.0, 0.0]
    for wrong in (np.array([1j]), np.array(["x"], object), np.array([1.0], dtype=np.float32)):
        with pytest.raises(MixedArithmeticError, match="cannot be enclosed"):
            e.enclose(wrong)


# --- the ground -------------------------------------------------------------------------------------------------------

needs_x86 = pytest.mark.skipif(
    platform.machine() != "x86_64" or sys.platform != "linux", reason="changes the control word of x86 through glibc"
)


@needs_x86
@pytest.mark.parametrize(("change", "message"), [(0x2000, "rounding"), (0x4000, "rounding"), (0x6000, "rounding"),
                                                 (0x8000, "denormal"), (0x0040, "denormal")])  # fmt: skip
def test_another_rounding_or_no_denormals_are_refused(change, message):
    library, word = ctypes.CDLL("libm.so.6"), 28  # fenv_t: seven words of the x87, then MXCSR
    before, after = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
    library.fegetenv(before)
    library.fegetenv(after)
    control = int.from_bytes(after[word : word + 4], "little") | change
    after[word : word + 4] = control.to_bytes(4, "little")
    error = None
    library.fesetenv(after)
    try:
        e.require_ieee()
    except ArithmeticError as found:
        error = found
    finally:
        library.fesetenv(before)
    assert error is not None and message in str(error)
    e.require_ieee()


@pytest.mark.parametrize(
    ("value", "ordinary"),
    [
        *((0.0, True), (2.0**-450, True), (1.0, True), (2.0**450, True)),
        *((5e-324, False), (2.0**-1022, False), (math.nextafter(2.0**-450, 0), False)),
        *((math.nextafter(2.0**450, math.inf), False), (math.inf, False), (math.nan, False)),
    ],
)
def test_numbers_of_ordinary_size(value, ordinary):
    """None of their products underflows or overflows; one number that is not among them is enough."""
    fused = pytest.importorskip("mappo_verify.arithmetic.enclosures.fused_steps", reason="numba is not installed")
    ones, none = np.ones(16), np.zeros(16)
    for place in range(16):
        some = ones.copy()
        some[place] = value
        assert numpy_kernels._ordinary(none, some, ones) == numpy_kernels._ordinary(-some) == ordinary
        assert fused._kind(some.ctypes.data, none.ctypes.data, 16) == (fused.EXACT if ordinary else fused.OTHER)
        assert fused._kind(ones.ctypes.data, some.ctypes.data, 16) == (fused.ORDINARY if ordinary else fused.OTHER)
    assert numpy_kernels._ordinary(ones[:0])


def test_constants_of_the_compiled_kernels():
    fused = pytest.importorskip("mappo_verify.arithmetic.enclosures.fused_steps", reason="numba is not installed")
    for name in ("U", "UP", "LEAST", "TINY", "SMALL", "LARGE"):
        assert getattr(fused, name) == getattr(numpy_kernels, name), name
    assert (fused.FLOOR, fused.CEILING) == numpy_kernels.ORDINARY
    assert fused.SOLVED == importlib.import_module("mappo_verify.arithmetic.fused_floats").SOLVED == SOLVED


def test_nothing_compiled_is_imported_before_it_is_needed():
    code = (
        "import sys, numpy as np; from mappo_verify.arithmetic import enclosures as e;"
        "x = (np.ones((2, 2, 3)), np.zeros((2, 2, 3))); e.mul(x, x); e.contract('ij,jk->ik', x, x);"
        "assert not {'numba', 'flint'} & set(sys.modules), 'heavy'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- the contract of a number system ----------------------------------------------------------------------------------


def test_the_functions_are_a_number_system():
    system: Arithmetic = e.Enclosures()
    half, wide = system.constant(Fraction(1, 2)), (np.array([0.1]), np.array([0.2]))
    assert [part.shape for part in half] == [(1,), (1,)] and half[1] == 0
    assert system.nonzero((np.array([0.0, 1.0, 0.1, np.nan]), np.array([0.0, 0.5, 0.2, 0.0]))).tolist() == [-1, 1, 0, 0]
    assert system.compare(system.multiply(wide, wide), "<", system.constant(0)) == -1, "a square"
    assert system.compare(system.subtract(half, system.divide(half, half)), "=", system.constant(Fraction(-1, 2))) == 1
    chosen = system.choose(np.array([1, 0, -1], np.int8), system.constant(1), system.constant(0))
    assert chosen[0].tolist() == [1.0, 0.5, 0.0] and chosen[1].tolist() == [0.0, 0.5, 0.0]
    table = system.enclose(np.array([[1, 2], [3, 4]])[..., None])
    assert system.total(table, (0, 1))[0] == 10 == system.floats(system.contract("ij->", table))


# --- whole games ------------------------------------------------------------------------------------------------------


def _script():
    path = Path(__file__).parents[1] / "benchmarks" / "enclosures_contain.py"
    spec = importlib.util.spec_from_file_location("enclosures_contain", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("regime", _script().REGIMES)
def test_tables_of_games_contain_the_exact_ones(regime):
    script = _script()
    report = script.examine(script.draw(regime, 20, np.random.default_rng(0)))
    assert report.entries == 20 * script.ENTRIES
    assert not report.missed and not report.unknown


@pytest.mark.parametrize("forgotten", ["rounding", "data"])
def test_a_forgotten_error_is_seen(forgotten, monkeypatch):
    script = _script()
    if forgotten == "rounding":
        monkeypatch.setattr(
            e, "mul", lambda a, b: (e.NUMPY.mul(a, b)[0], np.zeros(np.broadcast_shapes(a[0].shape, b[0].shape)))
        )
    else:
        solve = e.solve
        monkeypatch.setattr(e, "solve", lambda a, b: solve((a[0], np.zeros_like(a[1])), b))
    assert script.examine(script.draw("plain", 20, np.random.default_rng(0))).missed
