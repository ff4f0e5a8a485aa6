"""Proofs of identities, for stated sizes and every parameter.

*In symbols*: every free number of the setting becomes an indeterminate, the claim's own formulas run over the field of
rational functions, and each line must equal the line before it.  What then holds, holds wherever no denominator vanishes.

*At random points* (Schwartz 1980, Zippel 1979): a non-zero polynomial of degree D vanishes at a point drawn uniformly from
``{1..R}^n`` with probability at most ``D/R``.  The same formulas, run over degrees, bound D; run over the rationals at random
64-bit integers, they either agree exactly or refute the identity.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arithmetic import FALSE, TRUE, System, like, module_of
from ..claims.claim import Claim
from ..claims.coordinates import Sizes
from ..claims.verdict import Evidence
from ..errors import ExactnessError, SingularError, UndecidedError
from .evaluate import evaluate, plain

POINT_BITS = 64
ROUNDS = 2
MAX_REDRAWS = 20
OUT_OF_THE_FIELD = (ExactnessError, UndecidedError, SingularError, ZeroDivisionError)
"""What a formula raises that is no rational function, or that exists for no parameter."""


@dataclass(frozen=True)
class Proof:
    """One proof: by which method, for which sizes, in how many symbols, modulo which axioms, with which error probability."""

    method: str
    sizes: Sizes
    symbols: int
    modulo: tuple[str, ...]
    error: float
    seconds: float

    def __str__(self) -> str:
        modulo = f", modulo {', '.join(self.modulo)}" if self.modulo else ""
        if self.method == "symbols":
            return f"in {self.symbols} symbols ({self.sizes}){modulo}"
        return f"at random points ({self.sizes}, error ≤ {self.error:.0e}){modulo}"


@dataclass(frozen=True)
class Failure:
    """What stood in the way of a proof: the step, and whether it is false (an identity that is none) or merely open."""

    method: str
    sizes: Sizes
    step: str
    false: bool


def prove_in_symbols(claim: Claim, sizes: Sizes) -> Proof | Failure:
    """Run the claim over rational functions of all its free numbers."""
    started = time.perf_counter()
    symbols = module_of(System.SYMBOLS)
    shapes = {c.name: c.shape for c in claim.setting.coordinates(sizes)}
    count = sum(int(np.prod(shape)) for shape in shapes.values())
    ring = symbols.PolynomialRing(tuple(f"x{i}" for i in range(count)))
    generators = np.empty(count, object)
    generators[:] = ring.generators()
    case = claim.setting.case(_spread(generators, shapes), sizes, System.SYMBOLS, generic=True)
    try:
        evidence = evaluate(claim, case, formal=True)
    except OUT_OF_THE_FIELD as reason:
        return Failure("symbols", sizes, str(reason), False)
    return _judge(evidence, "symbols", sizes, count, 0.0, started)


def prove_at_points(claim: Claim, sizes: Sizes, generator: np.random.Generator) -> Proof | Failure:
    """Exact evaluation at random large integers, with a degree bound from the same formulas run over degrees."""
    started = time.perf_counter()
    try:
        numerator, denominator, count = degree_bound(claim, sizes)
    except OUT_OF_THE_FIELD as reason:
        return Failure("points", sizes, str(reason), False)
    shapes = {c.name: c.shape for c in claim.setting.coordinates(sizes)}
    rational = module_of(System.RATIONALS).rational
    range_size = 2**POINT_BITS
    error, evidence = 1.0, None
    done = redraws = 0
    while done < ROUNDS:
        points = np.empty(count, object)
        points[:] = [rational(1 + int(v)) for v in generator.integers(0, range_size, count, dtype=np.uint64)]
        case = claim.setting.case(_spread(points, shapes), sizes, System.RATIONALS, generic=True)
        try:
            evidence = evaluate(claim, case, formal=True)
        except (SingularError, ZeroDivisionError):
            redraws += 1
            if redraws > MAX_REDRAWS:
                return Failure("points", sizes, "every drawn point met a vanishing denominator", False)
            continue
        except (ExactnessError, UndecidedError) as failure:
            return Failure("points", sizes, str(failure), False)
        judged = _judge(evidence, "points", sizes, count, 0.0, started)
        if isinstance(judged, Failure):
            return judged
        # Given that no denominator vanished, which fails with probability at most denominator/range.
        error *= min(1.0, numerator / range_size / max(1e-300, 1 - denominator / range_size))
        done += 1
    assert evidence is not None
    if error >= 1:
        return Failure(
            "points", sizes, f"the degree bound {numerator} is too large for points of {POINT_BITS} bits", False
        )
    return _judge(evidence, "points", sizes, count, error, started)


def degree_bound(claim: Claim, sizes: Sizes) -> tuple[int, int, int]:
    """Upper bounds for the total degrees of any line's difference (numerator, denominators), and the number of symbols."""
    symbols = module_of(System.SYMBOLS)
    ring = symbols.DegreeRing()
    shapes = {c.name: c.shape for c in claim.setting.coordinates(sizes)}
    count = sum(int(np.prod(shape)) for shape in shapes.values())
    generators = np.empty(count, object)
    generators[:] = [ring.generator() for _ in range(count)]
    case = claim.setting.case(_spread(generators, shapes), sizes, System.SYMBOLS, generic=True)
    numerator = denominator = 0
    previous = None
    for entry in claim.lines(case, formal=True):
        if entry.relation is not None and previous is not None and not callable(entry.value):
            values = [like(v, case.system) for v in (previous.value, entry.value)]
            shape = np.broadcast_shapes(*(v.shape for v in values))
            one, two = (plain(v, shape, 1) for v in values)
            for left, right in zip(one.ravel().tolist(), two.ravel().tolist(), strict=True):
                above, below = (left - right).degree()
                numerator, denominator = max(numerator, above), max(denominator, below)
        previous = entry
    everything = sum(factor.bound or 0 for factor in ring.factors)
    return numerator, max(denominator, everything), count


def _spread(flat: Any, shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    """Cut a flat array of numbers into coordinates of these shapes."""
    result, position = {}, 0
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        result[name] = flat[position : position + size].reshape(shape)
        position += size
    return result


def _judge(evidence: Evidence, method: str, sizes: Sizes, count: int, error: float, started: float) -> Proof | Failure:
    """Every equality must be TRUE; an inequality is proved by an equality or taken by a named axiom.

    Never by random points: there it may hold by chance, and their numbers are no probabilities.
    """
    modulo: list[str] = []
    for entry in evidence.lines:
        step = entry.step
        if step is None:
            continue
        if step.relation != "=" and step.axiom is not None:
            if step.axiom not in modulo:
                modulo.append(step.axiom)
            continue
        if bool((step.truth == TRUE).all()) and (step.relation == "=" or method == "symbols"):
            continue
        return Failure(method, sizes, step.right, bool((step.truth == FALSE).any()))
    return Proof(method, sizes, count, tuple(modulo), error, time.perf_counter() - started)
