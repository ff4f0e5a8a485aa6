"""Enclosures are not wider than what they enclose: the hull of small intervals, elsewhere little more than the largest error.

The largest error is found at the corners, in Fractions or balls: every operation is monotone in each of its arguments there.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import flint
import numpy as np
import pytest

from mappo_verify.arithmetic import enclosures as e
from mappo_verify.arithmetic import rationals
from mappo_verify.arithmetic.enclosures import numpy_kernels
from mappo_verify.arithmetic.enclosures.contractions import _cheapest_pair
from mappo_verify.arithmetic.enclosures.operations import between
from mappo_verify.arithmetic.precision import precision

U = Fraction(1, 2**53)
LEAST = Fraction(1, 2**1060)
"""What may be added for underflow: far below every number here."""
ENDS = range(-3, 4)
SMALL = [(a, b) for a in ENDS for b in ENDS if a <= b]
PAIRS = list(itertools.product(SMALL, SMALL))


def enclosing(intervals):
    low, high = np.array(intervals, float).T
    return (low + high) / 2, (high - low) / 2


def ends(a):
    return [
        (Fraction(float(m)) - Fraction(float(r)), Fraction(float(m)) + Fraction(float(r)))
        for m, r in zip(*a, strict=True)
    ]


FIRST, SECOND = (enclosing([pair[k] for pair in PAIRS]) for k in (0, 1))


# --- intervals with small whole ends: every answer is known exactly -------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "lower", "upper"),
    [
        ("maximum", max, max),
        ("minimum", min, min),
        ("hull", min, max),
    ],
)
def test_choices_among_small_intervals(name, lower, upper):
    found = ends(getattr(e, name)(FIRST, SECOND))
    assert found == [(lower(a, c), upper(b, d)) for (a, b), (c, d) in PAIRS]
    for place, (one, two) in enumerate(PAIRS):  # alone, too: shortcuts are taken where a whole array allows them
        alone = ends(getattr(e, name)(enclosing([one]), enclosing([two])))
        assert alone == [found[place]], (one, name, two)


@pytest.mark.parametrize("alone", [False, True])
def test_sizes_of_small_intervals(alone):
    wanted = [(0 if a <= 0 <= b else min(abs(a), abs(b)), max(abs(a), abs(b))) for a, b in SMALL]
    each = [[one] for one in SMALL] if alone else [SMALL]
    assert [end for group in each for end in ends(e.absolute(enclosing(group)))] == wanted
    squares = [end for group in each for end in ends(e.square(enclosing(group)))]
    for (low, high), (least, most) in zip(squares, wanted, strict=True):
        assert 0 <= low <= least**2 and most**2 <= high <= most**2 * (1 + 64 * U) + LEAST
        narrow = most - least <= Fraction(
            least + most, 4
        )  # taken for a product of two numbers: (m - r)² - 2r² at least
        assert low >= (least**2 - Fraction((most - least) ** 2, 2) * narrow) * (1 - 64 * U)


def test_from_which_width_on_a_square_is_of_one_number():
    """``4 ± 1`` as a product of two: ``16 ± 9``; wider ones by their ends: ``(4 ± 2)²`` is ``20 ± 16``."""
    mid, rad = e.square((np.array([4.0, 4.0, 4.0]), np.array([0.5, 1.0, 2.0])))
    assert mid[:2].tolist() == [16, 16] and rad[:2] == pytest.approx([4.25, 9], rel=1e-13, abs=0)
    assert mid[2] == pytest.approx(20, rel=1e-14, abs=0) and rad[2] == pytest.approx(16, rel=1e-13, abs=0)
    mid, rad = e.square((np.array([4.0]), np.array([1.0 + 2.0**-20])))
    assert mid == pytest.approx([17], rel=1e-5) and rad == pytest.approx([8], rel=1e-5)


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize(
    ("relation", "true", "false"),
    [
        ("<", lambda a, b: a[1] < b[0], lambda a, b: a[0] >= b[1]),
        ("≤", lambda a, b: a[1] <= b[0], lambda a, b: a[0] > b[1]),
        (">", lambda a, b: a[0] > b[1], lambda a, b: a[1] <= b[0]),
        ("≥", lambda a, b: a[0] >= b[1], lambda a, b: a[1] < b[0]),
        ("=", lambda a, b: a[0] == a[1] == b[0] == b[1], lambda a, b: a[1] < b[0] or b[1] < a[0]),
    ],
)
def test_comparisons_of_small_intervals_decide_all_that_is_decided(relation, true, false, alone):
    wanted = [int(true(a, b)) - int(false(a, b)) for a, b in PAIRS]
    if alone:
        found = [int(e.compare(enclosing([a]), relation, enclosing([b]))[0]) for a, b in PAIRS]
    else:
        found = e.compare(FIRST, relation, SECOND).tolist()
    assert found == wanted


def test_ends_that_only_a_difference_or_only_the_ends_tell_apart():
    """1 and 1 + 2⁻⁵³ meet as ends in float64, but not as a difference; beyond 2⁵³ units it is the other way round."""
    one = (np.array([1.0]), np.array([2.0**-54]))
    two = (np.array([1.0 + 2.0**-52]), np.array([2.0**-54]))
    assert e.compare(one, "<", two) == 1 and e.compare(two, "≤", one) == -1 and e.compare(one, "=", two) == -1
    large = (np.array([2.0**60]), np.array([2.0**60 - 2.0**7]))  # [2⁷, 2⁶¹ - 2⁷]
    assert e.compare((np.array([2.0**7]), np.zeros(1)), "≤", large) == 1
    assert e.compare((np.array([2.0**6]), np.zeros(1)), "=", large) == -1


# --- the best ends that float64 has ---------------------------------------------------------------------------------------


def drawn(shape, seed, exact=0.25):
    """Enclosures of all magnitudes within ``10^±100``, some exact, radii from below rounding to a quarter."""
    rng = np.random.default_rng(seed)
    mid = rng.choice([-1, 1], shape) * 10.0 ** rng.uniform(-100, 100, shape)
    return mid, np.where(rng.random(shape) < exact, 0.0, np.abs(mid) * 10.0 ** rng.uniform(-20, -0.6, shape))


def fraction(value):
    return Fraction(float(value))


def test_bounds_are_the_nearest_floats_outwards():
    a = drawn(4000, 0)
    for m, r, low, high in zip(*a, *e.bounds(a), strict=True):
        least, most = fraction(m) - fraction(r), fraction(m) + fraction(r)
        assert fraction(low) <= least < fraction(np.nextafter(low, np.inf))
        assert fraction(np.nextafter(high, -np.inf)) < most <= fraction(high)
    largest = np.finfo(float).max
    assert e.bounds((np.array([largest, -largest]), np.array([largest, largest])))[1].tolist() == [np.inf, np.inf]
    assert e.bounds((np.array([np.nan, 1.0]), np.array([0.0, np.inf])))[0].tolist() == [-np.inf, -np.inf]


def test_the_enclosure_of_an_interval_is_half_as_wide():
    rng = np.random.default_rng(1)
    low = rng.normal(size=4000) * 10.0 ** rng.uniform(-3, 3, 4000)
    high = low + np.abs(low) * 10.0 ** rng.uniform(-18, 3, 4000)
    low[:500] = 0
    high[:500] = 10.0 ** rng.uniform(-300, 300, 500)
    for a, b, m, r in zip(low, high, *between(low, high), strict=True):
        a, b, m, r = map(fraction, (a, b, m, r))
        assert m - r <= a and b <= m + r and r <= (b - a) / 2 + 2 * U * (abs(m) + r), (a, b)
        assert a < 0 or m - r >= 0 or a > 0
    mid, rad = between(np.zeros(3), np.array([5e-324, 1.5e-323, 0.0]))
    assert (mid - rad).tolist() == [0, 0, 0] and (mid + rad >= [5e-324, 1.5e-323, 0]).all()


# --- operations: the radius is the largest error at the corners -----------------------------------------------------------

OPERATIONS = {
    "add": (lambda x, y: x + y, 0),
    "sub": (lambda x, y: x - y, 0),
    "mul": (lambda x, y: x * y, 1),
    "div": (lambda x, y: x / y, 1),
}
"""The operation, and how many roundings of the midpoint the radius may count on the other side."""


@pytest.mark.parametrize("name", OPERATIONS)
def test_radii_of_operations(name):
    operation, roundings = OPERATIONS[name]
    a, b = drawn(1500, 2), drawn(1500, 3)
    if roundings == 0:  # of like sizes: otherwise one of them decides alone
        b = tuple(part * np.abs(a[0] / b[0]) for part in b)
    mid, rad = getattr(e, name)(a, b)
    for p, q, m, r in zip(zip(*a, strict=True), zip(*b, strict=True), mid, rad, strict=True):
        corners = [
            operation(fraction(p[0]) + s * fraction(p[1]), fraction(q[0]) + t * fraction(q[1]))
            for s in (-1, 1)
            for t in (-1, 1)
        ]
        off = max(abs(c - fraction(m)) for c in corners)
        assert (
            off
            <= fraction(r)
            <= (off + 2 * roundings * U * abs(fraction(m)) * (1 + Fraction(2))) * (1 + 2**8 * U) + LEAST
        )
        if p[1] == q[1] == 0 and off:
            assert fraction(r) <= off * (1 + 2**8 * U) + LEAST, "only the rounding of the midpoint"
        assert off or not r


@pytest.mark.parametrize("exact", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("subscripts", ["i,i->", "i->", "ij,j->i"])
def test_radii_of_sums(subscripts, exact):
    rng = np.random.default_rng(4)
    shapes = [(3, 5) if "ij" in term else (5,) for term in subscripts.split("->")[0].split(",")]
    factors = []
    for shape in shapes:
        mid = rng.normal(size=(*shape, 200))
        factors.append(
            (mid, np.where(rng.random(mid.shape) < exact, 0.0, np.abs(mid) * 10.0 ** rng.uniform(-17, -1, mid.shape)))
        )
    mid, rad = e.contract(subscripts, *factors)

    def whole(parts):
        """The sum, exactly, lane by lane."""
        arrays = [np.frompyfunc(fraction, 1, 1)(part) for part in parts]
        return np.stack([np.einsum(subscripts, *(x[..., k] for x in arrays)) for k in range(200)], -1)

    sizes = [np.frompyfunc(lambda m, r: fraction(abs(m)) + fraction(r), 2, 1)(*factor) for factor in factors]
    largest = np.stack([np.einsum(subscripts, *(x[..., k] for x in sizes)) for k in range(200)], -1)
    off = largest - whole([np.abs(m) for m, _ in factors])
    for m, r, truth, spread, size in zip(
        mid.ravel(), rad.ravel(), whole([f[0] for f in factors]).ravel(), off.ravel(), largest.ravel(), strict=True
    ):
        rounding = abs(truth - fraction(m))
        assert rounding <= U * abs(fraction(m)) + 64 * U * U * size, "the midpoint is the sum, rounded once"
        assert rounding <= fraction(r) <= (spread + U * abs(fraction(m))) * (1 + 2**9 * U) + 64 * U * U * size + LEAST


@pytest.mark.parametrize("place", [0, 1, 1022, 1023, 1024, 1499])
@pytest.mark.parametrize("value", [1e-200, 1e200, 5e-324])
@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("entries", [(1, 0), (slice(None), slice(None))], ids=["alone", "all"])
def test_one_number_out_of_the_ordinary_is_seen_wherever_it_stands(entries, part, value, place):
    """Blocks of ordinary numbers are computed more quickly, by either implementation; its square underflows or overflows."""
    rng = np.random.default_rng(7)
    mid = rng.uniform(1, 2, (2, 2, 1500))
    a = (mid, np.abs(mid) * 2.0**-40)
    a[part][*entries, place] = value
    with np.errstate(all="ignore"):
        results = [
            (
                kernels.mul(a, a),
                kernels.product_sum(("ij", "ij"), "i", (a, a)),
                kernels.product_sum(("ij", "jk"), "ik", (a, a)),
            )
            for kernels in (e.NUMPY, e.kernels(e.WORTH_FUSING))
        ]
    for one, two in zip(*results, strict=True):
        told = e.known(one)
        assert np.array_equal(told, e.known(two)) and told[..., :place].all() and told[..., place + 1 :].all()
        assert np.array_equal(one[0][told], two[0][told]) and np.array_equal(one[1][told], two[1][told])
    square = results[0][0]
    exact = fraction(mid[1, 0, place]) ** 2
    if square[1][1, 0, place] < np.inf:
        assert abs(exact - fraction(square[0][1, 0, place])) <= fraction(square[1][1, 0, place])
        assert square[1][1, 0, place] > 0, "an underflow is no exact 0"


# --- elementary functions ---------------------------------------------------------------------------------------------------


def furthest(function, m, r, mid):
    """The largest distance of ``f`` at the ends from ``mid``, as a ball."""
    x, off, middle = (flint.arb(rationals.rational(fraction(value))) for value in (m, r, mid))
    return max((abs(function(x + off * sign) - middle) for sign in (-1, 1)), key=lambda ball: float(ball.mid()))


LIBRARY = 2 * e.LIBM_ULPS * U
"""So many units in the last place, of a number just above a power of 2."""


@pytest.mark.parametrize(
    ("name", "scale", "looser"),
    [("sqrt", 50, 2.0), ("log", 50, 1.16), ("exp", 0, 1.18)],
)
def test_radii_of_elementary_functions(name, scale, looser):
    """``looser``: how much larger the documented bound is than the largest error, for radii up to a quarter (exp: 1)."""
    rng = np.random.default_rng(5)
    mid = 10.0 ** rng.uniform(-scale, scale, 3000) if scale else rng.uniform(-300, 300, 3000)
    rad = (mid if scale else 1.0) * 10.0 ** rng.uniform(-20, -0.6 if scale else 0, 3000)
    rad[::3] = 0
    function = getattr(flint.arb, name)
    found = getattr(e, name)((mid, rad))
    with precision(400):
        for m, r, value, radius in zip(mid, rad, *found, strict=True):
            off = furthest(function, m, r, value)
            assumed = (2.0**-51 if name == "sqrt" else float(LIBRARY)) * abs(value)
            assert float(off.lower()) <= radius * (1 + 1e-15)
            assert radius <= (looser * float(off.upper()) + assumed) * (1 + 2**-40) + 1e-318
            if r == 0 and name != "sqrt":
                assert e.LIBM_ULPS * math.ulp(value) <= radius <= assumed * (1 + 2**-40) + 1e-318, (
                    "what the C library may err"
                )


def test_roots_of_what_reaches_zero():
    """``√[0, 4] = [0, 2]``, of ``[-1, 9]`` what is not negative: ``[0, 3]``; of what is certainly negative nothing."""
    found = e.sqrt((np.array([2.0, 4.0, -2.0, 0.0, 0.0]), np.array([2.0, 5.0, 1.0, 0.0, 4.0])))
    low, high = e.bounds(found)
    assert low[[0, 1, 3, 4]].tolist() == [0, 0, 0, 0]
    assert high[[0, 1, 3, 4]] == pytest.approx([2, 3, 0, 2], rel=1e-14, abs=0) and (high[[0, 1, 4]] >= [2, 3, 2]).all()
    assert found[1][3] == 0 and not e.known(found)[2]


def test_exponentials_of_wide_enclosures():
    """``e^[-2, 2]`` about ``e⁰ = 1``: the radius is ``e² - 1``."""
    mid, rad = e.exp((np.array([0.0, 1.0]), np.array([2.0, 3.0])))
    assert mid == pytest.approx([1, math.e], rel=1e-15, abs=0)
    assert rad[0] >= math.e**2 - 1 and rad[1] >= math.e * (math.e**3 - 1)
    # beyond 1 the bound of e^r - 1 is e^r itself
    assert rad == pytest.approx([math.e**2, math.e * math.e**3], rel=1e-13, abs=0)


def test_softmax_is_as_sharp_as_its_parts():
    """``(1, 2, 1) e^(0, log 3, 0)`` without errors in the exponents: ``(1, 6, 1) / 8`` but for a few roundings."""
    weights = (np.array([1.0, 2.0, 1.0, 0.0])[:, None], np.zeros((4, 1)))
    exponents = (np.array([0.0, math.log(3), 0.0, 5.0])[:, None], np.zeros((4, 1)))
    mid, rad = e.tilt(weights, exponents)
    assert mid[:, 0] == pytest.approx([1 / 8, 6 / 8, 1 / 8, 0], rel=1e-15, abs=0)
    assert (rad[:3, 0] > 0).all() and (rad[:3, 0] <= 2e-15).all() and rad[3, 0] == 0
    shifted = e.tilt(weights, (exponents[0] + 2.0**9, exponents[1]))
    assert shifted[0][:, 0] == pytest.approx([1 / 8, 6 / 8, 1 / 8, 0], rel=1e-13, abs=0) and (shifted[1] < 1e-14).all()
    table = (np.ones((2, 3, 1)), np.zeros((2, 3, 1)))
    for axis, size in ((0, 2), (-1, 3), (1, 3), (-2, 2)):
        assert e.tilt(table, (table[1], table[1]), axis)[0] == pytest.approx(
            np.full((2, 3, 1), 1 / size), rel=1e-15, abs=0
        )
    for axis in (2, -3):
        with pytest.raises(IndexError, match=f"axis {axis} is none of the 2 axes"):
            e.tilt(table, table, axis)


def test_the_smallest_product_comes_first():
    """``(2, 3) (3, 4) (4, 5)``: 2 · 4 entries for the first two, 3 · 5 for the last two; the outer two share no label."""
    terms, shapes = ["ij", "jk", "kl"], [(2, 3), (3, 4), (4, 5)]
    assert _cheapest_pair(terms, "il", shapes) == (0, 1, "ik")
    assert _cheapest_pair(terms, "il", [(9, 3), (3, 4), (4, 2)]) == (1, 2, "jl")
    assert _cheapest_pair(["i", "ij", "k"], "jk", [(5,), (5, 2), (3,)]) == (0, 1, "j")


# --- linear systems ---------------------------------------------------------------------------------------------------------


def test_radii_of_solutions():
    """``(2 + r) x = 1`` and regular systems that no diagonal dominates: little more than the data's own spread."""
    left = (np.array([[[2.0, 2.0]]]), np.array([[[0.0, 2.0**-20]]]))
    right = (np.array([[[1.0, 1.0]]]), np.array([[[2.0**-30, 0.0]]]))
    mid, rad = e.solve(left, right)
    assert mid[0, 0].tolist() == [0.5, 0.5]
    assert rad[0, 0] == pytest.approx([2.0**-31, 2.0**-22], rel=1e-5, abs=0) and rad[0, 0, 1] >= 0.5 - 1 / (
        2 + 2.0**-20
    )
    rng = np.random.default_rng(6)
    for n in (2, 3):
        turned = np.linalg.qr(rng.normal(size=(50, n, n)))[0] + 0.1 * rng.normal(size=(50, n, n))
        matrix = np.ascontiguousarray(np.moveaxis(turned, 0, -1))
        wide = (matrix, np.full(matrix.shape, 2.0**-30))
        mid, rad = e.solve(wide, (np.ones((n, 1, 50)), np.zeros((n, 1, 50))))
        inverse = np.abs(np.linalg.inv(turned))
        solution = np.abs(np.linalg.solve(turned, np.ones((50, n, 1))))[..., 0]
        first_order = inverse.sum(-1) * solution.sum(-1, keepdims=True) * 2.0**-30
        ratio = np.moveaxis(rad[:, 0], -1, 0) / first_order
        assert e.known((mid, rad)).all() and (ratio > 0.999).all() and (ratio < 1.01).all()


# --- what is not known ------------------------------------------------------------------------------------------------------

NOTHING = [(m, r) for m in (np.nan, np.inf, -np.inf) for r in (0.0, 1.0, np.inf, np.nan)]
NOTHING += [(m, r) for m in (0.0, 1.0, -2.0, 5e-324, 1e308) for r in (np.inf, np.nan)]
KNOWN = [(0.0, 0.0), (1.0, 0.0), (3.0, 0.5), (0.25, 0.125), (2.0**-60, 2.0**-70)]
ALONE = {
    "neg": lambda a, _: e.neg(a),
    "absolute": lambda a, _: e.absolute(a),
    "square": lambda a, _: e.square(a),
    "exp": lambda a, _: e.exp(a),
    "log": lambda a, _: e.log(a),
    "sqrt": lambda a, _: e.sqrt(a),
    "total": lambda a, b: e.total(tuple(np.stack(pair) for pair in zip(a, b, strict=True)), 0),
    "dot": lambda a, b: e.contract("i,i->", *2 * [tuple(np.stack(pair) for pair in zip(a, b, strict=True))]),
    "tilt": lambda a, b: tuple(
        part[0]
        for part in e.tilt(
            (np.ones((2, 1)), np.zeros((2, 1))), tuple(np.stack(pair) for pair in zip(a, b, strict=True))
        )
    ),
    **{
        name: lambda a, b, name=name: getattr(e, name)(a, b)
        for name in ("add", "sub", "maximum", "minimum", "hull", "xlogy")
    },
    "mul": lambda a, b: e.mul(a, (b[0] + 1, b[1])),
    "div": lambda a, b: e.div(a, (b[0] + 1, b[1])),
    "under": lambda a, b: e.div((b[0] + 1, b[1]), a),
    "solve": lambda a, b: tuple(
        part[0, 0] for part in e.solve(*(tuple(p[None, None] for p in x) for x in (a, (b[0] + 1, b[1]))))
    ),
}


@pytest.mark.parametrize("name", ALONE)
def test_what_is_unknown_gives_nothing_and_spoils_no_other_instance(name):
    """No operation makes an infinite midpoint of finite radius, so what may be divided by such a number is not asked."""
    function = ALONE[name]
    alone = [function(*2 * [(np.array([m]), np.array([r]))]) for m, r in KNOWN]
    values = [(KNOWN[k % len(KNOWN)], nothing) for k, nothing in enumerate(NOTHING)]
    values = [pair for pair in values if name != "under" or not (np.isinf(pair[1][0]) and pair[1][1] < np.inf)]
    a = tuple(np.array(part) for part in zip(*(entry for pair in values for entry in pair), strict=True))
    b = tuple(np.array(part) for part in zip(*(known for known, _ in values for _ in range(2)), strict=True))
    found = function(a, b)
    assert not e.known(found)[1::2].any(), "of what is not known nothing is"
    for k in range(len(values)):
        wanted = alone[KNOWN.index(values[k][0])]
        here = tuple(part[2 * k : 2 * k + 1] for part in found)
        assert e.known(here) == e.known(wanted) and (not e.known(here) or here == wanted), values[k]


@pytest.mark.parametrize("nothing", NOTHING, ids=str)
def test_the_unknown_is_in_no_relation(nothing):
    a, b = tuple(np.array([part]) for part in nothing), (np.array([1.0]), np.array([0.25]))
    for relation in "=≤≥<>":
        assert e.compare(a, relation, b) == e.compare(b, relation, a) == e.compare(a, relation, a) == 0
    assert e.Enclosures().nonzero(a) == 0 and not e.is_zero(a) and e.bounds(a) == (-np.inf, np.inf)


# --- the margins that the chapter counts, where nothing else is in a radius ---------------------------------------------------

UP, TINY = e.NUMPY.add((np.zeros(1), np.ones(1)), (np.zeros(1), np.zeros(1)))[1][0], 2.0**-1070


LEAST, MOST = 2.0**-900, 2.0**990


def one(mid, rad):
    return np.array([float(mid)]), np.array([float(rad)])


@pytest.mark.parametrize("kernels", [e.NUMPY, e.kernels(e.WORTH_FUSING)], ids=["numpy", "fused"])
def test_margins_of_operations(kernels):
    """``UP = 1 + 16u`` for up to 14 roundings, once for each stage; ``TINY`` where products of radii may underflow."""
    assert UP == 1 + 2.0**-49
    a, b = one(4, 0.5), one(2, 0.25)
    assert kernels.add(a, b)[1] == 0.75 * UP == kernels.sub(a, b)[1]
    assert kernels.mul(a, b)[1] == 2.125 * UP
    for narrow in (one(1, 5e-324), one(0, 5e-324), one(2.0**-1000, 5e-324)):  # a quarter of such a radius is no float
        assert kernels.mul(narrow, one(0.25, 0))[1] >= TINY and kernels.mul(one(0.25, 0), narrow)[1] >= TINY
        assert kernels.mul(narrow, one(0, 0))[1] == 0 == kernels.mul(one(0, 0), narrow)[1]
        for factors in ((narrow, one(0.25, 0)), (one(0.25, 0), narrow)):
            vectors = tuple((mid[None], rad[None]) for mid, rad in factors)
            assert kernels.product_sum(("i", "i"), "", vectors)[1] >= TINY
    large = one(2.0**500, 2.0**490)
    assert kernels.mul(large, b)[1] == (2.0**498 + 2.0**490 * 2.25) * UP
    small = one(2.0**-600, 2.0**-610)
    underflown = kernels.mul(small, small)
    assert underflown[0] == 0 and underflown[1] == 2.0**-1074 + TINY  # a bound of the rest, and TINY; radii are lost
    assert kernels.mul(one(2.0**-600, 0), one(2.0**-600, 0))[1] == 2.0**-1074
    top = (0.5 + (0.75 + TINY)) * UP
    assert kernels.div(one(6, 0.5), b)[1] == top / 1.75 * UP * UP + TINY
    assert (
        kernels.div(one(6, 0.5), one(2, 0))[1] == 0.5 * UP / 2 * UP * UP + TINY
        and kernels.div(one(6, 0), one(2, 0))[1] == 0
    )
    vector = (np.array([[2.0], [1.0]]), np.array([[0.5], [0.0]]))
    wide = 1 + (2 + 16) * 4 * float(U)
    assert kernels.product_sum(("i",), "", (vector,))[1] == 0.5 * wide + TINY
    assert kernels.product_sum(("i", "i"), "", (vector, vector))[1] == (2 * 0.5 + 0.5 * (2 + 0.5)) * wide + TINY


def test_margins_of_elementary_functions():
    library, least = 8 * float(U), 2.0**-1074
    assert e.sqrt(one(4, 2.0**-10))[1] == 2.0**-11 * UP * UP + TINY and e.sqrt(one(4, 0))[1] == 0
    off = library * UP + 16 * least
    assert e.exp(one(0, 0.25))[1] == (off + (1 + off) * 0.3125) * UP
    assert e.exp(one(0, 2))[1] == (off + (1 + off) * math.exp(2)) * UP
    assert e.log(one(4, 1))[1] == (1 / 3 * UP + library * math.log(4)) * UP + TINY
    assert e.log(one(4, 0))[1] == library * math.log(4) * UP


def test_margins_of_solutions():
    left = (np.array([[[4.0], [1.0]], [[1.0], [4.0]]]), np.full((2, 2, 1), 0.5))
    ones = np.ones((2, 1))
    margin = numpy_kernels._margin(left, ones)
    assert (margin == 2 - 10 * 4 * float(U) * 5).all()
    assert np.isnan(numpy_kernels._margin(left, -ones)).all() and np.isnan(
        numpy_kernels._margin(left, np.array([[1.0], [9.0]]))[0]
    )
    for residual, wanted in ((1.0, 0.25 * UP + TINY), (5e-324, TINY), (0.0, 0.0), (np.inf, np.inf)):
        assert numpy_kernels._worst(np.full((1, 1, 1), residual), np.full((1, 1), 4.0)) == wanted
    assert numpy_kernels._worst(np.ones((1, 1, 1)), np.full((1, 1), np.nan)) == np.inf
    mid, rad = numpy_kernels.solution(
        np.array([1.0, 1.0, 1.0]), np.array([2.0**-60, 0, 0]), np.array([0.5, np.nan, np.inf])
    )
    assert mid.tolist() == [1, 1, 1] and rad.tolist() == [(2.0**-60 + 0.5) * UP, np.inf, np.inf]
    right = (np.array([[[6.0]], [[6.0]]]), np.full((2, 1, 1), 0.25))
    exact = (np.array([[[4.0], [2.0]], [[2.0], [4.0]]]), np.full((2, 2, 1), 0.125))
    x, correction, residual = numpy_kernels.refined(exact, right, lambda y: y / 6)
    wide = 1 + (4 + 16) * 4 * float(U)
    assert (x == 1).all() and not correction.any() and (residual == 0.5 * wide + 3 * TINY).all()
    assert not numpy_kernels.refined((exact[0], 0 * exact[1]), (right[0], 0 * right[1]), lambda y: y / 6)[2].any()


def test_underflow_is_made_up_for_at_the_bottom_of_float64():
    """Where radii are denormal numbers, what may have underflowed is all that is left of the bound."""
    least = 5e-324
    assert e.sqrt(one(4, least))[1] >= TINY and e.log(one(4, least))[1][0] >= 8 * float(U) * math.log(4)
    assert e.log(one(1, least))[1] >= TINY and e.div(one(6, least), one(2, 0))[1] >= TINY
    vector = (np.array([[2.0], [1.0]]), np.array([[least], [0.0]]))
    assert e.contract("i,i->", vector, vector)[1] >= TINY and e.contract("i->", vector)[1] >= TINY
    exact = np.array([[[4.0], [2.0]], [[2.0], [4.0]]])
    for left, right, inexact in (
        (np.full((2, 2, 1), least), np.zeros((2, 1, 1)), True),
        (np.zeros((2, 2, 1)), np.full((2, 1, 1), least), True),
        (np.full((2, 2, 1), least), np.full((2, 1, 1), 2 * least), True),
        (np.zeros((2, 2, 1)), np.zeros((2, 1, 1)), False),
    ):
        given = (exact, left), (np.full((2, 1, 1), 6.0), right)
        residual = numpy_kernels.refined(*given, lambda y: y / 6)[2]
        assert ((residual >= 3 * TINY).all() and (residual < 4 * TINY).all()) if inexact else not residual.any()


def test_a_matrix_is_square_and_fits_its_right_side():
    matrix, column = (np.ones((2, 2, 1)), np.zeros((2, 2, 1))), (np.ones((2, 1, 1)), np.zeros((2, 1, 1)))
    flat, longer = (np.ones((2, 1)), np.zeros((2, 1))), (np.ones((3, 1, 1)), np.zeros((3, 1, 1)))
    wide = (np.ones((2, 3, 1)), np.zeros((2, 3, 1)))
    for left, right in ((flat, column), (matrix, flat), (wide, column), (matrix, longer)):
        with pytest.raises(ValueError, match=r"a matrix \[n, n, B\] and right sides \[n, k, B\]"):
            e.solve(left, right)


@pytest.mark.parametrize("kernels", [e.NUMPY, e.kernels(e.WORTH_FUSING)], ids=["numpy", "fused"])
@pytest.mark.parametrize(
    ("name", "left", "right", "exact"),
    [
        *(("div", *pair, True) for pair in ((MOST, 1), (MOST, MOST), (2 * LEAST, 1), (2 * LEAST, 2), (-MOST, -1))),
        *(
            ("div", *pair, False)
            for pair in ((2 * MOST, 2), (MOST, 0.5), (MOST, 2 * MOST), (1.5 * LEAST, 1), (2 * LEAST, 4))
        ),
        *(("mul", *pair, True) for pair in ((MOST, 1), (1, -MOST), (LEAST, 1), (2, LEAST / 2))),
        *(("mul", *pair, False) for pair in ((2 * MOST, 1), (1, 2 * MOST), (LEAST / 2, 1), (0.5, -LEAST))),
    ],
)
def test_where_errors_are_known_exactly(kernels, name, left, right, exact):
    """A power of 2 by another: nothing is rounded, which is seen from SMALL to LARGE, both included, and bounded elsewhere."""
    mid, rad = getattr(kernels, name)(one(left, 0), one(right, 0))
    assert mid == (left / right if name == "div" else left * right) and (rad == 0) == exact
