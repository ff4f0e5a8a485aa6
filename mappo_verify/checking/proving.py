"""Proofs of identities, for stated sizes and every parameter.

*In symbols*: every free number of the setting becomes an indeterminate, the claim's own formulas run over the field of
rational functions, and each line must equal the line before it.  What then holds, holds wherever no denominator vanishes.

*At random points* (Schwartz 1980, Zippel 1979): a non-zero polynomial of degree D vanishes at a point drawn uniformly from
``{1..R}^n`` with probability at most ``D/R``.  The same formulas, run over degrees, bound D; run over the rationals at random
64-bit integers, they either agree exactly or refute the identity.  These are divided by so much that the signs which ingredients
state, and sums of probabilities, are what a point has: where a formula chooses by them, it chooses the same.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ..arithmetic import FALSE, TRUE, Numbers, System, like
from ..arithmetic.formulas import evaluation_begins
from ..arithmetic.functions import true_everywhere
from ..arithmetic.one_instance import Truth, within_a_proof
from ..axioms import Axiom
from ..claims.case import Case
from ..claims.claim import NUMERIC, Claim, chains
from ..claims.coordinates import EVERY, GENERIC, INTERIOR, Sizes
from ..claims.verdict import Evidence, Verdict
from ..errors import ClaimError, ExactnessError, GameError, SingularError, UndecidedError
from ..model.trees import leaves_of
from ..papers.registry import CLAIMS
from .agreement import CURE, require_same_lines
from .evaluate import evaluate
from .hypotheses import besides_in_general
from .relations import plain
from .sampling import draw

POINT_BITS = 64
ROUNDS = 2
MAX_REDRAWS = 20
FIRST_ATOMS, MOST_ATOMS = 20, 1000
"""How many indeterminates are set aside for roots, absolute values, ... where a proof needs some: then three times as many."""
OUT_OF_THE_FIELD = (ExactnessError, GameError, SingularError, UndecidedError, ZeroDivisionError)
"""What a formula raises that is no rational function, or that exists for no parameter."""


ON_INSTANCES = "checked on instances"
"""What is said of a hypothesis of an axiom that no symbols decide."""


@dataclass(frozen=True)
class Proof:
    """One proof: by which method, for which sizes, in how many symbols, modulo which axioms, with which error probability.

    ``where`` are the conditions under which it holds: what was divided by is not 0.
    """

    method: str
    sizes: Sizes
    symbols: int
    modulo: tuple[str, ...]
    error: float
    seconds: float
    where: tuple[str, ...] = ()

    @property
    def sampled(self) -> str:
        """An axiom of which a hypothesis was checked on instances only; empty if there is none."""
        return next((name for name in self.modulo if name.endswith(f"{ON_INSTANCES})")), "")

    def __str__(self) -> str:
        modulo = f", modulo {', '.join(self.modulo)}" if self.modulo else ""
        where = f", where {' and '.join(self.where)}" if self.where else ""
        if self.method == "symbols":
            return f"in {self.symbols} symbols ({self.sizes}){modulo}{where}"
        return f"at random points ({self.sizes}, error ≤ {self.error:.0e}){modulo}{where}"


@dataclass(frozen=True)
class Failure:
    """What stood in the way of a proof: the step, and whether it is false (an identity that is none) or merely open."""

    method: str
    sizes: Sizes
    step: str
    false: bool


NO_ZERO = "no probability is 0"
"""The condition of a proof for parameters in the interior: an identity for all probabilities that are positive."""


def prove_in_symbols(claim: Claim, sizes: Sizes) -> Proof | Failure:
    """Run the claim over rational functions of all its free numbers: for all of them, else where no probability is 0."""
    anywhere = _in_symbols(claim, sizes, GENERIC)
    return anywhere if isinstance(anywhere, Proof) or anywhere.false else _in_symbols(claim, sizes, INTERIOR)


def _in_symbols(claim: Claim, sizes: Sizes, generic: int) -> Proof | Failure:
    from ..arithmetic import rings
    from ..arithmetic.conditions import conditions

    started = time.perf_counter()
    names, spare = _names(claim, sizes), 0
    while True:
        ring = rings.PolynomialRing(names, spare)
        reason, evidence = "", None
        try:
            with rings.proof_in(ring):
                case = claim.formal.case(_spread(ring.generators(), claim, sizes), sizes, System.SYMBOLS, generic)
                evidence = evaluate(claim, case, formal=True)
        except OUT_OF_THE_FIELD as error:
            reason, evidence = str(error), None
        if not ring.exhausted or spare >= MOST_ATOMS:
            break
        spare = max(FIRST_ATOMS, 3 * spare)
    if evidence is None:
        return Failure("symbols", sizes, reason, False)
    where = (*((NO_ZERO,) if generic == INTERIOR else ()), *conditions(ring, _notation(claim, sizes), _positive(case)))
    found = _judge(evidence, "symbols", sizes, len(names), 0.0, started, where)
    if isinstance(found, Proof) and sizes.steps != EVERY:
        _require_same_at_a_point(claim, sizes, evidence, len(names), generic)
    elif isinstance(found, Proof) and _is_tried_on_runs(claim, sizes):
        return _broken_on_runs(claim, sizes) or found
    return found


def _is_tried_on_runs(claim: Claim, sizes: Sizes) -> bool:
    """Of a registered claim the smallest proof for every number of steps; the tests try all of them."""
    return claim not in CLAIMS or sizes == next((size for size in claim.symbolic if size.steps == EVERY), sizes)


def is_more_general(claim: Claim, sizes: Sizes) -> bool:
    """Whether symbols show of every instance of these sizes that it is one of the setting in which the claim is proved."""
    from ..arithmetic import rings

    assert claim.general is not None
    own = replace(claim, general=None)
    ring = rings.PolynomialRing(_names(own, sizes), FIRST_ATOMS)
    evaluation_begins()
    with suppress(*OUT_OF_THE_FIELD, ClaimError), rings.proof_in(ring):
        case = claim.setting.case(_spread(ring.generators(), own, sizes), sizes, System.SYMBOLS, GENERIC)
        asked = [truth for _, truth in besides_in_general(claim, case, formal=True)]
        with within_a_proof(True):
            asked += [Truth.of(h.truth(claim._in_general(case))) for h in claim.general.hypotheses(claim.setting)]
        return all(map(true_everywhere, asked)) and not (ring.unsigned or ring.assumed or ring.radicands)
    return False


RUNS = 8
"""Drawn runs of each length, on which a proof for every number of steps must hold."""
LENGTHS = (2, 7)
"""Lengths of these runs; of the longer ones only those that the search does not draw."""


def _broken_on_runs(claim: Claim, sizes: Sizes) -> Failure | None:
    """A line that fails on a run: then base and step of the induction were not those of the claim."""
    generator = np.random.default_rng(len(claim.id))
    for length in [k for k in LENGTHS if k == LENGTHS[0] or k not in claim.setting.steps]:
        run = replace(sizes, steps=length)
        drawn = draw(claim.setting, run, RUNS, generator)
        with suppress(*NUMERIC), np.errstate(all="ignore"):
            evidence = evaluate(claim, claim.setting.case(drawn, run, System.ENCLOSURES))
            if evidence.broken is not None:
                return Failure("symbols", sizes, evidence.broken.right, True)
    return None


SAMPLED = 8
"""Entries of a line whose rational functions are compared with the rationals at a point."""


def _require_same_at_a_point(claim: Claim, sizes: Sizes, proved: Evidence, count: int, generic: int) -> None:
    """The lines over symbols, at a rational point, are the lines over rationals: the proof is one function of its case."""
    from ..arithmetic import symbols
    from ..arithmetic.rationals import rational

    generator = np.random.default_rng([count, len(proved.lines)])
    # inside every simplex, so that nothing is 0 that a fact calls positive
    point = [rational(int(v)) / rational(20 * count + 7) for v in generator.integers(1, 20, count)]
    try:
        case = claim.formal.case(_spread(point, claim, sizes), sizes, System.RATIONALS, generic)
        evidence = evaluate(claim, case, formal=True)
    except NUMERIC:
        return  # not defined there
    for left, right in zip(proved.lines, evidence.lines, strict=True):
        one, two = (np.ravel(np.broadcast_to(v, np.shape(right.value))) for v in (left.value, right.value))
        for place in range(0, len(one), max(1, len(one) // SAMPLED)):
            with suppress(ZeroDivisionError, ExactnessError):
                value = symbols.at(one[place], point)
                if value != two[place]:
                    raise ClaimError(
                        f"claim {claim.id}: its proof is no function of its case: line {left.expression!r} is "
                        f"{str(value)[:60]} by its symbols and {str(two[place])[:60]} in numbers; {CURE}"
                    )


def prove_at_points(claim: Claim, sizes: Sizes, generator: np.random.Generator) -> Proof | Failure:
    """Exact evaluation at random large integers, with a degree bound from the same formulas run over degrees."""
    anywhere = _at_points(claim, sizes, generator, GENERIC)
    return anywhere if isinstance(anywhere, Proof) or anywhere.false else _at_points(claim, sizes, generator, INTERIOR)


def _at_points(claim: Claim, sizes: Sizes, generator: np.random.Generator, generic: int) -> Proof | Failure:
    started = time.perf_counter()
    try:
        (numerator, denominator, count), conditions = _degrees(claim, sizes, generic)
    except OUT_OF_THE_FIELD as reason:
        return Failure("points", sizes, str(reason), False)
    from ..arithmetic.rationals import rational

    range_size = 2**POINT_BITS
    scale = rational(range_size * 2 ** count.bit_length())  # all together below 1: every fact is true of a point
    error, evidence = 1.0, None
    done = redraws = 0
    where = (*((NO_ZERO,) if generic == INTERIOR else ()), *conditions)
    while done < ROUNDS:
        points = [rational(1 + int(v)) / scale for v in generator.integers(0, range_size, count, dtype=np.uint64)]
        try:
            case = claim.formal.case(_spread(points, claim, sizes), sizes, System.RATIONALS, generic)
            evidence = evaluate(claim, case, formal=True)
        except (SingularError, ZeroDivisionError):
            redraws += 1
            if redraws > MAX_REDRAWS:
                return Failure("points", sizes, "every drawn point met a vanishing denominator", False)
            continue
        except (ExactnessError, UndecidedError) as failure:
            return Failure("points", sizes, str(failure), False)
        if not all(entry.where is None or np.all(entry.where) for entry in evidence.lines):
            # Elsewhere the mask may hold, and there nothing was looked at.
            return Failure("points", sizes, "a mask leaves entries out at random points", False)
        judged = _judge(evidence, "points", sizes, count, 0.0, started, where)
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
    return _judge(evidence, "points", sizes, count, error, started, where)


def degree_bound(claim: Claim, sizes: Sizes, generic: int = GENERIC) -> tuple[int, int, int]:
    """Upper bounds for the total degrees of any line's difference (numerator, denominators), and the number of symbols."""
    return _degrees(claim, sizes, generic)[0]


def _degrees(claim: Claim, sizes: Sizes, generic: int) -> tuple[tuple[int, int, int], tuple[str, ...]]:
    """The same, and what was divided by or assumed without a fact that allows it, in words.

    First against last line of every chain of equalities counts as well.
    """
    from ..arithmetic.conditions import AS_ASSUMED, NO_DENOMINATOR
    from ..arithmetic.rings import DegreeRing

    ring = DegreeRing()
    count = len(_names(claim, sizes))
    generators = [ring.generator() for _ in range(count)]
    case = claim.formal.case(_spread(generators, claim, sizes), sizes, System.SYMBOLS, generic)
    numerator = denominator = 0
    lines = claim.lines(case, formal=True)
    require_same_lines(claim, case, lines)
    for chain in chains(lines):
        pairs = [(like(one.value, case.system), like(two.value, case.system)) for one, two in pairwise(chain)]
        pairs.append((like(chain[0].value, case.system), like(chain[-1].value, case.system)))
        for (left, right), entry in zip(pairs, chain[1:], strict=False):
            if isinstance(entry.axiom, Axiom):
                with within_a_proof(True):
                    quantity = entry.axiom._compared()
                if not true_everywhere(Truth.of(quantity.signs)):
                    raise UndecidedError(
                        f"{entry.expression}: signs do not show that the hypotheses of {entry.axiom!r} hold"
                    )
                pairs.append((left - right, quantity.value))
        for left, right in pairs:
            shape = np.broadcast_shapes(left.shape, right.shape)
            one, two = (plain(v, shape, 1) for v in (left, right))
            for x, y in zip(one.ravel().tolist(), two.ravel().tolist(), strict=True):
                above, below = (x - y).degree()
                numerator, denominator = max(numerator, above), max(denominator, below)
    everything = sum(factor.bound or 0 for factor in ring.factors)
    words = (NO_DENOMINATOR,) * bool(ring.unsigned) + (AS_ASSUMED,) * bool(ring.assumed)
    return (numerator, max(denominator, everything), count), words


def _names(claim: Claim, sizes: Sizes) -> tuple[str, ...]:
    """One name for every free number: the coordinate's, and its place."""
    return tuple(
        "_".join([re.sub(r"\W", "_", c.name), *map(str, index)])
        for c in claim.formal.coordinates(sizes)
        for index in np.ndindex(c.shape)
    )


def _notation(claim: Claim, sizes: Sizes) -> tuple[str, ...]:
    """What a reader calls every free number."""
    return tuple(
        ingredient.notation(c.name, index)
        for ingredient in claim.formal.ingredients
        for c in ingredient.coordinates(sizes)
        for index in np.ndindex(c.shape)
    )


def _positive(case: Case) -> Iterator[Any]:
    """What the ingredients say to be positive."""
    for leaf in leaves_of(tuple(case.objects.values())):
        if isinstance(leaf, Numbers):
            yield from (x for x in leaf._parts[0].ravel().tolist() if getattr(x, "sign", None) == 1)


def _spread(numbers: Sequence[Any], claim: Claim, sizes: Sizes) -> dict[str, Any]:
    """Cut a list of numbers into the coordinates of a claim."""
    flat = np.empty(len(numbers), object)
    flat[:] = numbers
    result, position = {}, 0
    for coordinate in claim.formal.coordinates(sizes):
        size = int(np.prod(coordinate.shape))
        result[coordinate.name] = flat[position : position + size].reshape(coordinate.shape)
        position += size
    return result


def _names_of(axiom: Axiom, given: Any) -> tuple[str, ...]:
    """The names of an axiom, each with what of it no symbols decided."""
    checked = {} if bool((given == TRUE).all()) else dict(axiom.checked)
    return tuple(f"{name} ({checked[name]} {ON_INSTANCES})" if name in checked else name for name in axiom.names)


def _judge(
    evidence: Evidence,
    method: str,
    sizes: Sizes,
    count: int,
    error: float,
    started: float,
    where: tuple[str, ...],
) -> Proof | Failure:
    """Every equality must be TRUE; an inequality is proved by its sign or an equality, or used from the table of axioms.

    Never by random points: there it may hold by chance, and their numbers are no probabilities.
    """
    modulo: list[str] = []
    if evidence.verdict == Verdict.NOT_APPLICABLE:
        return Failure(method, sizes, "nothing is claimed at these sizes", False)
    for entry in evidence.lines:
        step = entry.step
        if step is None:
            continue
        if step.relation != "=" and isinstance(step.axiom, Axiom):
            if step.recognised is None or not bool((step.recognised == TRUE).all()):
                return Failure(method, sizes, f"{step.right} is not seen to be an instance of {step.axiom!r}", False)
            modulo += [name for name in _names_of(step.axiom, step.given) if name not in modulo]
            continue
        if step.relation != "=" and step.axiom is not None:
            return Failure(method, sizes, f"{step.right} assumes {step.axiom!r}, which is no axiom of the table", False)
        if bool((step.truth == TRUE).all()) and (step.relation == "=" or method == "symbols"):
            continue
        return Failure(method, sizes, step.right, bool((step.truth == FALSE).any()))
    for statement in evidence.statements:
        if statement.relation == "=" and not bool((statement.truth == TRUE).all()):
            return Failure(method, sizes, statement.right, bool((statement.truth == FALSE).any()))
    return Proof(method, sizes, count, tuple(modulo), error, time.perf_counter() - started, where)
