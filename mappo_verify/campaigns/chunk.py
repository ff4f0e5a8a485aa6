"""What a worker does: evaluates one chunk, or makes the certificate of a violated instance.

Nothing here knows of ledgers or of other chunks, so that a chunk's result is the same wherever and whenever it is computed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from ..arithmetic import System
from ..arithmetic.precision import precision
from ..checking.evaluate import Part, decide
from ..checking.relations import sides
from ..checking.sampling import Draw, instance
from ..checking.trial import shrunk, simplest
from ..checking.workers import few_collections
from ..claims.claim import NUMERIC, Claim, chains, composed_relation
from ..claims.coordinates import Sizes
from ..claims.verdict import Evidence, Verdict
from ..errors import ClaimError, ExactnessError
from ..papers.registry import claim as find
from .plan import Task, drawn_chunk
from .versions import formulas, libraries

DECIDED = (Verdict.HOLDS, Verdict.VIOLATED)
CANDIDATES = 4
"""Instances whose ratio of both sides is computed exactly, to find a chunk's largest."""
STEPS = 2
"""Instances of a chunk of which every step of the proof is decided, too; of the others the statement."""
NEAR = 1e-6
"""How near the largest rounded ratio, relatively, such a candidate must be."""
BITS = 256
"""Precision with which a ratio that is no rational is told."""
DIGITS = 40
"""Decimal places of a ratio that is no short rational; what is beyond them is cut off."""
LONGEST = 200
"""Characters of a rational that is stored as it is."""
LARGEST_EXPONENT = 100_000
"""Binary exponents beyond which a ratio is not written out."""


@dataclass(frozen=True)
class ChunkResult:
    """What one chunk found.

    ``counts`` by verdict, ``raised`` beside them; ``arithmetics`` counts the decided instances by number system.  Instances are
    named by their position in the chunk.  ``ratio`` is exact where it is a
    rational; else a decimal, which the true one is not below.  ``simplest`` is
    the violated instance with the smallest integers; ``open`` the first instance that nothing decides or that raised.
    """

    task: Task
    counts: dict[str, int]
    arithmetics: dict[str, int]
    ratio: str | None
    ratio_at: int | None
    simplest: int | None
    open_at: int | None
    open_reason: str
    broken: str
    seconds: float
    formulas: str = field(default_factory=formulas)
    libraries: str = field(default_factory=libraries)


@dataclass(frozen=True)
class WitnessResult:
    """A shrunk counterexample: where it was found, its integers, and the text of its certificate.

    ``complaint`` says why there is no certificate, where there is none.
    """

    claim: str
    chunk: int
    position: int
    states: int
    action_sizes: tuple[int, ...]
    steps: int
    coordinates: dict[str, Any]
    certificate: str
    complaint: str
    formulas: str = field(default_factory=formulas)


@few_collections()
def evaluate_chunk(seed: int, task: Task) -> ChunkResult:
    """Decide every instance of a chunk: in enclosures, what they leave open in rationals, what leaves these in balls."""
    started = time.perf_counter()
    claim = find(task.claim)
    sizes, drawn = drawn_chunk(claim, seed, task.chunk)
    drawn = {name: values[: task.instances] for name, values in drawn.items()}
    counts, arithmetics = dict.fromkeys((v.name.lower() for v in Verdict), 0) | {"raised": 0}, Counter[str]()
    ratios = np.full(task.instances, np.nan)
    violated: list[int] = []
    unsettled: list[tuple[int, str]] = []
    broken = ""
    for chosen, evidence in _decided(claim, drawn, sizes):
        verdicts = np.ravel(np.asarray(evidence.verdict, object))
        if evidence.raised:
            counts["raised"] += len(chosen)
            unsettled += [(int(position), evidence.raised) for position in chosen]
            continue
        for verdict, count in Counter(verdicts.tolist()).items():
            counts[verdict.name.lower()] += count
        arithmetics[evidence.arithmetic.value] += sum(v in DECIDED for v in verdicts)
        violated += [int(position) for position in chosen[verdicts == Verdict.VIOLATED]]
        unsettled += [(int(position), evidence.reason) for position in chosen[verdicts == Verdict.UNDECIDED]]
        broken = broken or _broken(evidence)
        if evidence.ratios is not None:
            ratios[chosen] = np.where([v in DECIDED for v in verdicts], np.ravel(evidence.ratios), np.nan)
    ratio, ratio_at = _largest(claim, sizes, drawn, ratios)
    open_at, reason = min(unsettled, default=(None, ""))
    return ChunkResult(
        task=task,
        counts=counts,
        arithmetics=dict(+arithmetics),  # without zeros: they depend on what this process evaluated before
        ratio=ratio,
        ratio_at=ratio_at,
        simplest=simplest(drawn, violated) if violated else None,
        open_at=open_at,
        open_reason=reason,
        broken=broken,
        seconds=time.perf_counter() - started,
    )


def _decided(claim: Claim, drawn: Draw, sizes: Sizes) -> Iterator[Part]:
    """Evidence for every instance: about statements and steps of the first few, about statements of the others."""
    yield from decide(claim, {name: values[:STEPS] for name, values in drawn.items()}, sizes)
    rest = {name: values[STEPS:] for name, values in drawn.items()}
    if len(next(iter(rest.values()))):
        yield from ((places + STEPS, part) for places, part in decide(claim, rest, sizes, statements=True))


def _broken(evidence: Evidence) -> str:
    """The first step of the proof that fails, in words."""
    return "" if evidence.broken is None else f"{evidence.broken.relation} {evidence.broken.right}"


def _largest(claim: Claim, sizes: Sizes, drawn: Draw, ratios: Any) -> tuple[str | None, int | None]:
    """The largest exact ratio among the instances whose rounded ratio is largest, and the first instance that has it."""
    finite = np.isfinite(ratios)
    if not finite.any():
        return None, None
    top = ratios[finite].max()
    near = np.flatnonzero(finite & (ratios >= top - NEAR * abs(top)))
    order = near[np.argsort(-ratios[near], kind="stable")] if len(near) > CANDIDATES else near
    chosen = np.sort(order[:CANDIDATES])
    values = _ratios(claim, sizes, {name: part[chosen] for name, part in drawn.items()})
    found = [(value, -int(place)) for value, place in zip(values, chosen, strict=True) if value is not None]
    if not found:
        return None, None
    value, place = max(found)
    return _text(value), -place


def _ratios(claim: Claim, sizes: Sizes, drawn: Draw) -> list[Fraction | None]:
    """Smaller side over larger side of each instance at its largest; None where neither rationals nor balls can compute it."""
    count = len(next(iter(drawn.values())))
    if not claim.transcendental:
        with suppress(*NUMERIC):
            return _ratios_in(claim, sizes, drawn, System.RATIONALS)
    with suppress(*NUMERIC), precision(BITS):
        return _ratios_in(claim, sizes, drawn, System.BALLS)
    if count == 1:
        return [None]
    alone = ({name: values[place : place + 1] for name, values in drawn.items()} for place in range(count))
    return [value for one in alone for value in _ratios(claim, sizes, one)]


def _ratios_in(claim: Claim, sizes: Sizes, drawn: Draw, system: System) -> list[Fraction | None]:
    case = claim.setting.case(drawn, sizes, system)
    found: list[list[Fraction]] = [[] for _ in range(len(next(iter(drawn.values()))))]
    for chain in chains(claim.lines(case)):
        relation = composed_relation(chain)
        if relation == "=":
            continue
        for own, *entries in zip(found, *sides(chain, case), strict=True):
            for left, right, counted in zip(*entries, strict=True):
                small, large = (left, right) if relation == "≤" else (right, left)
                if counted and small != 0 and large > 0:  # of balls only where this is certain
                    own.append(_lower_end(small / large))
    return [max(own, default=None) for own in found]


def _lower_end(value: Any) -> Fraction:
    """A rational as it is, and the lower end of a ball; :class:`~mappo_verify.errors.ExactnessError` for anything else."""
    if hasattr(value, "q"):
        return Fraction(int(value.p), int(value.q))
    if not hasattr(value, "mid") or not value.is_finite():
        raise ExactnessError(f"{value} is neither a rational nor a finite ball")
    ends = []
    for part in (value.mid(), value.rad()):
        mantissa, exponent = part.man_exp()
        if abs(int(exponent)) > LARGEST_EXPONENT:
            raise ExactnessError(f"{value} is beyond what a ledger writes out")
        ends.append(int(mantissa) * Fraction(2) ** int(exponent))
    return ends[0] - ends[1]


def _text(value: Fraction) -> str:
    """A short rational as it is, another one as a decimal that is not above it."""
    text = str(value)
    if len(text) <= LONGEST:
        return text
    units = value.numerator * 10**DIGITS // value.denominator
    digits = str(abs(units)).rjust(DIGITS + 1, "0")
    return f"{'-' if units < 0 else ''}{digits[:-DIGITS]}.{digits[-DIGITS:]}"


def find_witness(seed: int, claim: str, chunk: int, position: int) -> WitnessResult:
    """Shrink a violated instance, decide it a second time, and make its certificate."""
    from ..checking.certificate import certificate_of, recheck
    from ..checking.certificate_files import text_of

    entry = find(claim)
    sizes, drawn = drawn_chunk(entry, seed, chunk)
    found = shrunk(entry, sizes, instance(drawn, position))
    text, complaint = "", ""
    try:
        certificate = certificate_of(entry, found.sizes, found.coordinates)
    except ClaimError as error:  # a violation smaller than a certificate's decimals show
        complaint = str(error)
    else:
        checked = recheck(certificate)
        text, complaint = (text_of(certificate), "") if checked.valid else ("", checked.reason)
    return WitnessResult(
        claim=claim,
        chunk=chunk,
        position=position,
        states=found.sizes.states,
        action_sizes=found.sizes.actions,
        steps=found.sizes.steps,
        coordinates={name: np.asarray(values).tolist() for name, values in found.coordinates.items()},
        certificate=text,
        complaint=complaint,
    )
