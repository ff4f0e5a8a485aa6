"""Conditions on games, policies and tables in three-valued truth: what the hypotheses of claims ask."""

from __future__ import annotations

from fractions import Fraction

from ..arithmetic import (
    Array,
    System,
    Truth,
    absolute,
    both,
    compare,
    every,
    like,
    negation,
    support,
    system_of,
    truth_of,
)
from ..arithmetic.functions import not_refuted
from ..arithmetic.numbers import bare
from .game import Game
from .policy import Policy
from .validation import FLOAT_TOLERANCE


def goes_on(game: Game) -> Truth:
    """Whether no row of P loses mass, shape ``[..., S, A]``."""
    return negation(game.ends)


def is_distribution(rows: Array) -> Truth:
    """Whether rows along the last axis are ≥ 0 and sum to 1 (floats: up to rounding; balls: not certainly otherwise)."""
    positive = every(truth_of(not_refuted(compare(rows, "≥", like(0, rows)))), -1)
    sums = rows.sum(-1)
    if bare(system_of(rows)) is System.FLOATS:
        return both(positive, compare(absolute(sums - like(1, rows)), "≤", like(Fraction(FLOAT_TOLERANCE), rows)))
    # A ball cannot certify that a sum is 1; the exact data behind it has been checked when it was built.
    return both(positive, is_one(sums))


def is_one(values: Array) -> Truth:
    """Whether a scalar is 1, with the same meaning of "is"."""
    return truth_of(not_refuted(compare(values, "=", like(1, values))))


def in_unit(values: Array) -> Truth:
    """Whether entries lie in [0, 1]."""
    return both(compare(values, "≥", like(0, values)), compare(values, "≤", like(1, values)))


def factorises(policy: Policy) -> Truth:
    """Whether no factor depends on the prefix, shape ``[...]``."""
    return truth_of(policy.product_mask())


def has_full_support(policy: Policy) -> Truth:
    """Whether every action has positive probability everywhere, shape ``[..., S]``."""
    return both(*(every(truth_of(support(factor)), (-1, -2)) for factor in policy.factors))
