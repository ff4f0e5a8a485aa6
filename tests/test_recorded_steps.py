"""Every step that compiled loops know, in every place of a program: the numbers of the formula as it stands."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, contract, like, solve
from mappo_verify.arithmetic.recorded import NotRecorded
from mappo_verify.model.trees import hidden, leaves_of

pytest.importorskip("numba", reason="without numba formulas are evaluated as they stand")
module = importlib.import_module("mappo_verify.quantities.batched")


def both(x, y):
    return np.stack([x[0], y[1]])


FORMULAS = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "negative": lambda x, _: -x,
    "sum of one row": lambda x, _: x[:1].sum(0),
    "sums": lambda x, y: (x.sum(0), y.sum(-1), x.sum(), both(x, y).sum((0, 1))),
    "sums that are used": lambda x, y: (x / x.sum(-1, keepdims=True), x.sum(0) - y),
    "products": lambda x, y: (x @ y, contract("ij,ij->i", x, y), contract("ij,kj->", x, y)),
    "a product of three": lambda x, y: x @ y @ x,
    "a product of one term": lambda x, y: (contract("i,j->ij", x[0], y[1]), x[:, :1] @ y[:1]),
    "plus a product": lambda x, y: x + x @ y,
    "a product plus": lambda x, y: y @ x + y,
    "minus a product": lambda x, y: x - x @ y,
    "a product minus": lambda x, y: x @ y - x,
    "plus one product of two": lambda x, y: x[0, 0] + x * y,
    "minus one product of two": lambda x, y: y[1, 2] - x * y,
    "a product twice": lambda x, y: x @ y + x @ y,
    "the difference of a product and itself": lambda x, y: x @ y - x @ y,
    "two products": lambda x, y: x @ y + y @ x,
    "a product that is a result, too": lambda x, y: (x @ y, x + x @ y),
    "a product that is used twice": lambda x, y: (x + x @ y, y - x @ y),
    "constants": lambda x, y: (2 * x, y / 3, x + like(np.eye(3, dtype=np.int8), x) @ y, like(5, x) / 7 - 1),
    "results that are given": lambda x, y: (x, y[1], both(x, y), like(4, x), np.stack([x, x + y, x])),
    "a solution": lambda x, y: (solve(x + 9 * like(np.eye(3, dtype=np.int8), x), y), y.sum()),
    "a solution of one column": lambda x, y: x @ solve(x + 9 * like(np.eye(3, dtype=np.int8), x), y[:, :1]) + y,
    "many steps": lambda x, y: ((x + y) * x - y / (x * 2)) @ (x - y) + (x - 3).sum(0) / y,
}
SIZES = (1, 7, 8, 31, 33, 127, 129, 256, 257, 519)
"""Instances: some, whole vectors, whole blocks, and what is left of them."""


def drawn(count, scale=1.0):
    rng = np.random.default_rng(count)
    return tuple(rng.uniform(1, 2, (count, 3, 3)) * rng.choice([-1, 1], (count, 3, 3)) * scale for _ in range(2))


def enclosed(tables, rng):
    """The same with radii: of some instances none, of others some."""
    objects = tuple(hidden(table, System.ENCLOSURES, 2) for table in tables)
    for value in objects:
        mid, rad = value._parts
        wide = np.where(rng.random(rad.shape) < 0.5, 0.0, np.abs(mid) * 2.0**-30)
        value._parts = (mid, wide * (rng.random(mid.shape[-1]) < 0.7))
    return objects


@pytest.mark.parametrize("name", FORMULAS)
def test_steps_of_floats(name):
    formula = FORMULAS[name]
    recorded = module.record(lambda *given: (formula(*given),), tuple(hidden(t, System.FLOATS, 2) for t in drawn(1)))
    for count in SIZES:
        objects = tuple(hidden(table, System.FLOATS, 2) for table in drawn(count))
        found, lost = recorded(objects)
        assert not lost.any()
        for ours, theirs in zip(leaves_of(found), leaves_of((formula(*objects),)), strict=True):
            wanted = np.broadcast_to(theirs._parts[0], ours._parts[0].shape)
            np.testing.assert_allclose(ours._parts[0], wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("scale", [1.0, 1e-160])
def test_steps_of_enclosures(name, scale):
    """Bit for bit; numbers so small that their products underflow take other branches."""
    formula, rng = FORMULAS[name], np.random.default_rng(5)
    recorded = module.record(lambda *given: (formula(*given),), enclosed(drawn(2, scale), rng))
    for count in SIZES:
        objects = enclosed(drawn(count, scale), rng)
        found, lost = recorded(objects)
        for ours, theirs in zip(leaves_of(found), leaves_of((formula(*objects),)), strict=True):
            for part, other in zip(ours._parts, theirs._parts, strict=True):
                np.testing.assert_array_equal(part[..., ~lost], np.broadcast_to(other, part.shape)[..., ~lost])
        assert not lost.all() and (
            not lost.any() or name.startswith("a solution")
        )  # which a comparison matrix confirms


def test_absolute_values_are_steps_of_floats_alone():
    objects = tuple(hidden(table, System.FLOATS, 2) for table in drawn(300))
    found, _ = module.record(lambda x, y: (abs(x - y),), objects)(objects)
    assert (leaves_of(found)[0]._parts[0] == abs(objects[0]._parts[0] - objects[1]._parts[0])).all()
    enclosures = tuple(hidden(table, System.ENCLOSURES, 2) for table in drawn(300))
    for formula in (lambda x, _: (abs(x),), lambda x, _: (x * x,)):
        with pytest.raises(NotRecorded):
            module.record(formula, enclosures)


@pytest.mark.parametrize(
    "formula",
    [
        lambda x, y: mv.exp(x) + y,
        lambda x, y: mv.maximum(x, y),
        lambda x, _: x[:0].sum(0),
        lambda x, _: 3 if x.ndim else x,
        lambda _x, _y: (),
    ],
    ids=["exponentials", "choices", "a sum of nothing", "no number", "nothing"],
)
def test_what_no_step_is(formula):
    objects = tuple(hidden(table, System.FLOATS, 2) for table in drawn(300))
    try:
        found, _ = module.record(lambda *given: (formula(*given),), objects)(objects)
    except NotRecorded:
        return
    assert not leaves_of(found)[0]._parts[0].any(), "a sum of nothing is 0"
