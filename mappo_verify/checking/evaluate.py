"""Runs a claim on cases, in the arithmetic that can decide.

Enclosures come first: they decide most inequalities, many instances at once.  Whatever they leave open, and every equality, goes
to the rationals, where equality and order are decided exactly.  Where a formula leaves the rationals (an exponential, a root)
the case is rebuilt in balls, and the precision grows until every inequality is decided or a stated cap is reached.  Floats are
evaluated as they are and always end UNDECIDED, with a suggestion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from enum import IntEnum
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from ..arithmetic import (
    FALSE,
    TRUE,
    UNKNOWN,
    Numbers,
    System,
    both,
    compare,
    everywhere,
    smallest,
)
from ..arithmetic.formulas import evaluation_begins
from ..arithmetic.numbers import bare
from ..arithmetic.one_instance import Truth, within_a_proof
from ..arithmetic.precision import PRECISION_CAP, bits_now, precision
from ..axioms import Axiom, is_about
from ..claims.case import Case
from ..claims.claim import NUMERIC, Claim, Line, blamed, chains, composed_relation
from ..claims.coordinates import Sizes
from ..claims.related import TooLongError
from ..claims.verdict import Evidence, LineEvidence, StepEvidence, Verdict
from ..errors import ClaimError, ExactnessError, UndecidedError
from .agreement import Alone, due, require_function, require_same_lines
from .hypotheses import ask_hypotheses, per_instance
from .laws import claimed, mask_of, undecided, verdicts_of
from .relations import as_numbers, common_shape, plain, proved_entries, relate
from .sampling import halves

START_PRECISION = 64
BATCH_PRECISION = 256
"""Bits with which a batch of balls begins: they cost little beside what Python does, and fewer leave many steps open."""
SHARPER = 4
"""By how much a batch of balls gains bits where some instances stay open: an evaluation costs much more than its bits."""
STEP_PRECISION = 256
"""Where the statement is decided, a step still open at this precision is a tie, as far as we can tell, and stays open."""
SUSPECTS = 4
"""How many instances of a large batch that look violated are decided exactly."""
MOSTLY_OPEN = 0.25
"""The share of a large batch below which enclosures settle too few."""
Indices = npt.NDArray[np.intp]


class Depth(IntEnum):
    """How much of a proof is evaluated on instances: of the many that are only skimmed, less."""

    STATEMENTS = 0
    """First line against last."""
    STEPS = 1
    """Every line against the next one, too."""
    AXIOMS = 2
    """And whether steps are instances of the axioms that they name."""


def evaluate(
    claim: Claim,
    case: Case,
    formal: bool = False,
    alone: Alone | None = None,
    again: bool = False,
    depth: Depth = Depth.AXIOMS,
) -> Evidence:
    """The evidence of one case, or of the several that lie side by side, in the arithmetic it has.

    Where ``alone`` rebuilds an instance, samples are evaluated again, as :mod:`.agreement` says; always if ``again``.

    A *formal* case (symbols, random points) stands for generic parameters: an identity that holds there holds wherever no
    denominator vanishes, so hypotheses about signs and supports are not asked.
    """
    evaluation_begins()
    everywhere = np.full(case.several, TRUE, np.int8)
    hypotheses, applies, live = ((), everywhere, case) if formal else ask_hypotheses(claim, case)
    somebody = bool((applies == TRUE).any())
    lines = claim.lines(live, formal) if somebody else []
    require_same_lines(claim, live, lines)
    lines = [as_numbers(entry, live) for entry in lines]
    found = (
        _assemble(claim, case, live, lines, applies, hypotheses, formal, depth)
        if somebody
        else _not_applicable(claim, case, applies, hypotheses)
    )
    if alone is not None and (due(claim) or again):
        require_function(claim, live, lines, applies, hypotheses, alone)
    return found


def certify(claim: Claim, build: Callable[[System], Case], cap: int = PRECISION_CAP, again: bool = False) -> Evidence:
    """Evidence from rationals where they reach, else from balls of doubling precision; ``build`` makes the case anew.

    With ``again`` it is evaluated again in other ways, and must be the same, as :mod:`.agreement` says.
    """

    def alone(place: int, system: System) -> Case:
        case = build(system)
        return case.take(np.arange(int(np.prod(case.several, dtype=int))) == place)

    if not claim.transcendental:
        with suppress(ExactnessError):
            return evaluate(claim, build(System.RATIONALS), alone=alone, again=again)
    bits, evidence, failure = START_PRECISION, None, None
    while bits <= cap:
        with precision(bits):
            try:
                evidence = evaluate(claim, build(System.BALLS), alone=alone, again=again)
            except UndecidedError as error:
                failure = error
        if evidence is not None and not _open(evidence, bits).any():
            return evidence
        bits *= 2
    if evidence is None:
        assert failure is not None
        raise failure
    return evidence


Part = tuple[Indices, Evidence]
"""Which instances of a batch, by their positions, and what was found about them."""


def decide(claim: Claim, drawn: Mapping[str, Any], sizes: Sizes, statements: bool = False) -> Iterator[Part]:
    """Evidence for a batch of drawn instances, part by part.

    Enclosures decide what they can; the others go to the rationals, and those that leave the rationals to balls of more and
    more bits.  One that stays open at every precision (a tie that balls cannot see, say) is UNDECIDED alone, and one whose
    formulas raise a numeric error has raised alone.  With ``statements`` a step that enclosures leave open may stay so, and one
    that they see fail is decided; where a statement is an equality, of which enclosures say nothing, no step is looked at.
    """
    every: Indices = np.arange(len(next(iter(drawn.values()))))
    found, rest, failing = _in_enclosures(claim, drawn, sizes, every, statements)
    yield from found
    yield from _beyond_enclosures(claim, drawn, sizes, failing)
    yield from _beyond_enclosures(claim, drawn, sizes, rest, Depth.STATEMENTS if statements else Depth.AXIOMS)


def _beyond_enclosures(
    claim: Claim, drawn: Mapping[str, Any], sizes: Sizes, rest: Indices, depth: Depth = Depth.AXIOMS
) -> Iterator[Part]:
    """Evidence from rationals, and for those that leave them from balls."""
    if len(rest) and not claim.transcendental:
        found, rest = _in_rationals(claim, drawn, sizes, rest, depth)
        yield from found
    if len(rest):
        yield from _in_balls(claim, drawn, sizes, rest, BATCH_PRECISION, depth)


def _case(claim: Claim, drawn: Mapping[str, Any], sizes: Sizes, chosen: Indices, system: System) -> Case:
    return claim.setting.case({name: values[chosen] for name, values in drawn.items()}, sizes, system)


def _evaluated(
    claim: Claim, drawn: Mapping[str, Any], sizes: Sizes, chosen: Indices, system: System, depth: Depth = Depth.AXIOMS
) -> Evidence:
    """Evidence of drawn instances in a system, with samples of them looked at twice."""

    def alone(place: int, target: System) -> Case:
        return _case(claim, drawn, sizes, chosen[place : place + 1], target)

    evidence = evaluate(claim, _case(claim, drawn, sizes, chosen, system), alone=alone, depth=depth)
    if evidence.statements and depth is not Depth.STATEMENTS:
        _EQUALITIES[claim] = _Equalities.of(evidence)
    return evidence


def uncounted(claim: Claim) -> bool:
    """Whether :func:`skim` settles no instance, as was seen on one: all statements are equalities."""
    return _EQUALITIES.get(claim, NOT_SEEN).everywhere


def skim(claim: Claim, drawn: Mapping[str, Any], sizes: Sizes) -> Iterator[Part]:
    """Evidence for those instances of a large batch whose statements enclosures settle; a few that look violated are decided.

    What stays open is not counted: these instances come beside those of :func:`decide`, which decides all.  Only where
    enclosures settle few, since two sides often meet, say, or some statement is an equality, are the others decided in rationals.
    """
    every: Indices = np.arange(len(next(iter(drawn.values()))))
    evidence, rest, few = _enclosed(claim, drawn, sizes, every, Depth.STEPS), every, True
    if evidence is not None:
        settled = _settled(evidence, steps=False) & ~_breaks(evidence)
        if settled.any() and not uncounted(claim):
            yield every[settled], _narrowed(evidence, settled)
        verdicts = np.ravel(evidence.verdict)
        violated, broken = verdicts == Verdict.VIOLATED, _breaks(evidence)
        suspects = np.concatenate([every[violated], every[broken & ~violated]])[:SUSPECTS]
        yield from _beyond_enclosures(claim, drawn, sizes, suspects)
        held, applied = settled & (verdicts == Verdict.HOLDS), verdicts != Verdict.NOT_APPLICABLE
        rest, few = every[~settled], not len(suspects) and held.sum() < MOSTLY_OPEN * applied.sum()
    if few and not claim.transcendental and not uncounted(claim):
        yield from _beyond_enclosures(claim, drawn, sizes, rest, Depth.STATEMENTS)


def _in_enclosures(
    claim: Claim, drawn: Mapping[str, Any], sizes: Sizes, chosen: Indices, statements: bool
) -> tuple[list[Part], Indices, Indices]:
    """Evidence for the instances on which enclosures decide hypotheses, statements and steps; the others.

    A violation is left to another system, which decides it a second time.  With ``statements`` an instance that breaks a step
    stands apart from the others: of those the statements alone are asked.
    """
    known, none = _EQUALITIES.get(claim, NOT_SEEN), chosen[:0]
    left_out, depth = (known.stated, Depth.STEPS) if statements else (known.used, Depth.AXIOMS)
    evidence = None if left_out else _enclosed(claim, drawn, sizes, chosen, depth)
    if evidence is None or (statements and _EQUALITIES.get(claim, NOT_SEEN).stated):  # as whoever knows that would do
        return [], chosen, none
    breaks = _breaks(evidence) if statements else np.zeros(len(chosen), bool)
    settled = _settled(evidence, steps=not statements) & ~breaks
    found = [(chosen[settled], _narrowed(evidence, settled))] if settled.any() else []
    return found, chosen[~settled & ~breaks], chosen[breaks]


class _Equalities(NamedTuple):
    """Where equalities stand in a claim, of which enclosures settle none: in its proof, in a statement, in all of them."""

    used: bool
    stated: bool
    everywhere: bool

    @classmethod
    def of(cls, evidence: Evidence) -> _Equalities:
        steps = [entry.step.relation for entry in evidence.lines if entry.step is not None]
        statements = [statement.relation for statement in evidence.statements]
        return cls("=" in steps, "=" in statements, set(statements) == {"="})


NOT_SEEN = _Equalities(used=False, stated=False, everywhere=False)
_EQUALITIES: WeakKeyDictionary[Claim, _Equalities] = WeakKeyDictionary()
"""What was seen of claims whose lines were evaluated."""


def _enclosed(
    claim: Claim, drawn: Mapping[str, Any], sizes: Sizes, chosen: Indices, depth: Depth = Depth.AXIOMS
) -> Evidence | None:
    """Evidence from enclosures; None where the formulas cannot be evaluated in them."""
    try:
        with np.errstate(all="ignore"):
            return _evaluated(claim, drawn, sizes, chosen, System.ENCLOSURES, depth)
    except NUMERIC:
        return None


def _settled(evidence: Evidence, steps: bool = True) -> npt.NDArray[np.bool_]:
    """Which instances hold in statement and, if asked for, in steps, or meet some hypothesis certainly not."""
    verdicts = np.ravel(evidence.verdict)
    result = np.array([v in (Verdict.HOLDS, Verdict.NOT_APPLICABLE) for v in verdicts], bool)
    applied = verdicts != Verdict.NOT_APPLICABLE
    for entry in evidence.lines:
        if steps and entry.step is not None:
            result &= (_on_every(entry.step.truth, evidence) == TRUE) | ~applied
    return result


def _breaks(evidence: Evidence) -> npt.NDArray[np.bool_]:
    """Which instances certainly break some step."""
    result = np.zeros(np.size(evidence.verdict), bool)
    for entry in evidence.lines:
        if entry.step is not None:
            result |= _on_every(entry.step.truth, evidence) == FALSE
    return result


def _narrowed(evidence: Evidence, kept: npt.NDArray[np.bool_]) -> Evidence:
    """The same evidence for some of its instances, none of which breaks a step."""
    live = kept[np.ravel(_met(evidence)) == TRUE]
    statements = tuple(
        replace(s, truth=np.ravel(s.truth)[live], margin=None if s.margin is None else np.ravel(s.margin)[live])
        for s in evidence.statements
    )
    return replace(
        evidence,
        statements=statements,
        margin=_worst_margin(statements),
        verdict=np.ravel(evidence.verdict)[kept],
        suggests=np.ravel(evidence.suggests)[kept],
        ratios=None if evidence.ratios is None else np.ravel(evidence.ratios)[kept],
        hypotheses=tuple((name, np.ravel(truth)[kept]) for name, truth in evidence.hypotheses),
        broken=None,
    )


def _on_every(truth: Any, evidence: Evidence) -> Any:
    """The truth of a step on all instances, where it was found on those that meet the hypotheses."""
    full = np.full(np.size(evidence.verdict), UNKNOWN, np.int8)
    full[np.ravel(_met(evidence)) == TRUE] = np.ravel(truth)
    return full


def _in_rationals(
    claim: Claim, drawn: Mapping[str, Any], sizes: Sizes, chosen: Indices, depth: Depth
) -> tuple[list[Part], Indices]:
    """Evidence for the instances whose numbers all stay rational, and the others, found by halving unless that is all."""
    try:
        return [(chosen, _evaluated(claim, drawn, sizes, chosen, System.RATIONALS, depth))], chosen[:0]
    except (ExactnessError, UndecidedError) as error:
        if len(chosen) == 1 or isinstance(error, TooLongError):
            return [], chosen
    except NUMERIC as error:
        if len(chosen) == 1:
            return [(chosen, _raised(claim, drawn, sizes, chosen, error))], chosen[:0]
    both_halves = [_in_rationals(claim, drawn, sizes, half, depth) for half in halves(chosen)]
    return [part for found, _ in both_halves for part in found], np.concatenate([rest for _, rest in both_halves])


def _in_balls(
    claim: Claim, drawn: Mapping[str, Any], sizes: Sizes, chosen: Indices, bits: int, depth: Depth
) -> Iterator[Part]:
    """Evidence from balls; a batch that cannot even be evaluated is halved, and one instance alone gets more bits."""

    def evidence_of(instances: Indices) -> Evidence:
        with precision(bits):
            return _evaluated(claim, drawn, sizes, instances, System.BALLS, depth)

    try:
        evidence = evidence_of(chosen)
    except NUMERIC as error:
        if len(chosen) > 1:
            for half in halves(chosen):
                yield from _in_balls(claim, drawn, sizes, half, bits, depth)
        elif isinstance(error, UndecidedError) and bits < PRECISION_CAP:
            yield from _in_balls(claim, drawn, sizes, chosen, min(SHARPER * bits, PRECISION_CAP), depth)
        elif isinstance(error, UndecidedError):
            yield chosen, _open_evidence(claim, drawn, sizes, chosen, reason=str(error))
        else:
            yield chosen, _raised(claim, drawn, sizes, chosen, error)
        return
    still_open = _open(evidence, bits)
    if not still_open.any() or bits >= PRECISION_CAP:
        yield chosen, evidence
        return
    if not still_open.all():
        closed = ~still_open
        yield chosen[closed], _narrowed(evidence, closed) if evidence.broken is None else evidence_of(chosen[closed])
    yield from _in_balls(claim, drawn, sizes, chosen[still_open], min(SHARPER * bits, PRECISION_CAP), depth)


def _open_evidence(
    claim: Claim, drawn: Mapping[str, Any], sizes: Sizes, chosen: Indices, reason: str = "", raised: str = ""
) -> Evidence:
    """Evidence of one instance that nothing decides."""
    case = _case(claim, drawn, sizes, chosen, System.RATIONALS)
    unknown = np.full(case.several, UNKNOWN, np.int8)
    return replace(_not_applicable(claim, case, unknown, ()), reason=reason, raised=raised)


def _raised(claim: Claim, drawn: Mapping[str, Any], sizes: Sizes, chosen: Indices, error: Exception) -> Evidence:
    return _open_evidence(claim, drawn, sizes, chosen, raised=raised(error, str(sizes)))


def _met(evidence: Evidence) -> npt.NDArray[np.int8]:
    """Which instances meet all hypotheses."""
    applies = np.full(np.shape(evidence.verdict), TRUE, np.int8)
    for _, truth in evidence.hypotheses:
        applies = np.minimum(applies, truth)
    return applies


def _open(evidence: Evidence, bits: int) -> npt.NDArray[np.bool_]:
    """Which instances more bits can help: those with an open inequality (in between only up to a point), or hypothesis."""
    applies = _met(evidence)
    result: npt.NDArray[np.bool_] = np.asarray(applies == UNKNOWN)
    steps = [entry.step for entry in evidence.lines if entry.step is not None] if bits < STEP_PRECISION else []
    for step in (*evidence.statements, *steps):
        if step.relation != "=":
            result[applies == TRUE] |= step.truth.ravel() == UNKNOWN
    return result


def raised(error: Exception, where: str) -> str:
    """What a claim's formulas raised, where, how far the proof had come, and the cure."""
    place = ", ".join([where, *dict.fromkeys(getattr(error, "__notes__", ()))])
    found = f"raised {type(error).__name__}: {error} ({place})"
    if isinstance(error, (ExactnessError, UndecidedError)):
        return found
    divides = ", or use divide, by which 0/0 is 0" if isinstance(error, ZeroDivisionError) else ""
    return f"{found}; say by a Hypothesis where the formula makes sense{divides}"


def _recognised(
    claim: Claim, chain: list[Line], left: Line, right: Line, case: Case, formal: bool
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Whether the slack of the line is the quantity that its axiom speaks of and the hypotheses of the axiom hold, by instance.

    Where one of them certainly is not, an error.  A formal case decides what holds for all parameters: in symbols what only
    the hypotheses of the claim can give is left to instances, and whether it is decided all the same comes second; random
    points, whose numbers are no probabilities, have no signs (:func:`mappo_verify.checking.proving.degree_bound` looks at them).
    """
    axiom = right.axiom
    assert isinstance(axiom, Axiom)
    slack = right.value - left.value if right.relation == "≤" else left.value - right.value
    try:
        with blamed(claim.id, f"in the axiom of the line {right.expression!r}"):
            with within_a_proof(formal):
                quantity = axiom._compared()
            same = compare(slack, "=", quantity.value) if is_about(quantity.value, slack) else Truth.of(False)
    except (ExactnessError, UndecidedError):
        unknown = np.full(case.several, UNKNOWN, np.int8)  # this system cannot compute it; another one does
        return unknown, unknown
    mask = mask_of(chain)
    met = quantity.sums
    if not formal or case.system == System.SYMBOLS:
        met = both(Truth.of(met), quantity.signs)
    if not formal:
        met = both(met, quantity.given)
    for truth, what in (
        (same, f"the two lines differ by something else than {axiom}"),
        (met, "its hypotheses do not hold"),
    ):
        if (claimed(Truth.of(truth), mask).values == FALSE).any():
            raise ClaimError(f"claim {claim.id}: line {right.expression!r} is no instance of {axiom}: {what}")
    recognised = np.minimum(*(per_instance(claimed(Truth.of(t), mask), case.several) for t in (same, met)))
    decided = quantity.given if case.system == System.SYMBOLS else everywhere(UNKNOWN, (), case.system)
    return recognised, per_instance(claimed(Truth.of(decided), mask), case.several)


def _not_applicable(claim: Claim, case: Case, applies: Any, hypotheses: tuple[tuple[str, Any], ...]) -> Evidence:
    failed = [name for name, truth in hypotheses if (truth == FALSE).any()]
    failed = failed or [name for name, truth in hypotheses if (truth == UNKNOWN).any()]
    reason = f"hypothesis not met: {'; '.join(failed)}"
    verdict = undecided(applies)
    system = bare(case.system)
    return Evidence(
        claim.id, system, _bits(system), verdict, verdict, None, None, (), (), hypotheses, None, reason, case
    )


def _bits(system: System) -> int | None:
    return bits_now() if system is System.BALLS else None


def _assemble(
    claim: Claim,
    case: Case,
    live: Case,
    lines: list[Line],
    applies: Any,
    hypotheses: tuple[tuple[str, Any], ...],
    formal: bool,
    depth: Depth,
) -> Evidence:
    """All steps, as deep as asked for, then all statements, and the verdict that they amount to."""
    shown: list[LineEvidence] = []
    statements: list[StepEvidence] = []
    broken: StepEvidence | None = None
    anything = None
    of_line = {id(entry): chain for chain in chains(lines) for entry in chain}
    held: dict[int, Truth] = {}
    for previous, entry in zip([None, *lines], lines, strict=False):
        step = None
        if entry.relation is not None and depth >= Depth.STEPS:
            assert previous is not None
            chain = of_line[id(entry)]
            held[id(entry)] = proved_entries(chain, previous, entry.relation, entry, live)
            step = relate(held[id(entry)], chain, previous, entry.relation, entry, live, entry)
            if depth is Depth.AXIOMS and isinstance(entry.axiom, Axiom) and case.system != System.FLOATS:
                recognised, given = _recognised(claim, chain, previous, entry, live, formal)
                step = replace(step, recognised=recognised, given=given if formal else None)
            if broken is None and (step.truth == FALSE).any():
                broken = step
        shown.append(
            LineEvidence(
                entry.expression, _shown(entry.value, live), _shown(entry.where, live), step, entry.computed_by
            )
        )
    for chain in chains(lines):
        relation = composed_relation(chain)
        ends = held.get(id(chain[1])) if len(chain) == 2 else None
        ends = proved_entries(chain, chain[0], relation, chain[-1], live) if ends is None else ends
        statements.append(relate(ends, chain, chain[0], relation, chain[-1], live))
        mask = mask_of(chain)
        some = np.full(live.several, TRUE, np.int8)
        if 0 in common_shape(chain[0], chain[-1], mask):
            some = np.full(live.several, FALSE, np.int8)
        elif empty := [entry.expression for entry in chain if 0 in entry.value.shape]:
            raise ClaimError(f"claim {claim.id}: the line {empty[0]!r} has no entries, so nothing follows from it")
        elif mask is not None:
            some = np.broadcast_to(mask.any().values, (int(np.prod(live.several, dtype=int)),)).reshape(live.several)
        anything = some if anything is None else np.maximum(anything, some)
    truth = np.full(live.several, TRUE, np.int8)
    for statement in statements:
        truth = np.minimum(truth, statement.truth)
    system = bare(case.system)
    full = _on_all(truth, UNKNOWN, live, case, applies)
    claims = _on_all(np.full(live.several, TRUE, np.int8) if anything is None else anything, TRUE, live, case, applies)
    suggests = verdicts_of(applies, claims, full)
    found = verdicts_of(applies, claims, np.zeros_like(full)) if system is System.FLOATS else suggests
    ratios = [_on_all(s.ratios, np.nan, live, case, applies) for s in statements if s.ratios is not None]
    return Evidence(
        claim=claim.id,
        arithmetic=system,
        precision=_bits(system),
        verdict=found,
        suggests=suggests,
        margin=_worst_margin(tuple(statements)),
        ratios=np.fmax.reduce(ratios) if ratios else None,
        lines=tuple(shown),
        statements=tuple(statements),
        hypotheses=hypotheses,
        broken=broken,
        case=case,
    )


def _shown(value: Any, case: Case) -> Any:
    """A line's value or mask as a plain array for pages and tables: of a single case without an axis for the batch."""
    if not isinstance(value, (Numbers, Truth)):
        return value
    count = int(np.prod(case.several, dtype=int))
    values = plain(value, value.shape, count)
    if isinstance(value, Truth):
        values = values > 0
    return values.reshape((*case.several, *value.shape)) if case.several else values[0]


def _on_all(values: Any, elsewhere: Any, live: Case, case: Case, applies: Any) -> Any:
    """What was found on the instances that meet the hypotheses, as an array over all instances."""
    if live is case:
        return values
    full = np.full(case.several, elsewhere, values.dtype)
    full[applies == TRUE] = values
    return full


def _worst_margin(statements: tuple[StepEvidence, ...]) -> Any:
    """The smallest margin of all statements: of the violated instances where there are any, else of all; one number."""
    for counted in (FALSE, None):
        margins = [
            np.asarray(s.margin)[s.truth == counted] if counted is not None else np.ravel(s.margin)
            for s in statements
            if s.margin is not None
        ]
        margins = [margin for margin in margins if margin.size]
        if margins:
            return smallest(np.concatenate(margins), 0)[()]
    return None
