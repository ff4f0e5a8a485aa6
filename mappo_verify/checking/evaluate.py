"""Runs a claim on cases, in the arithmetic that can decide.

Rationals first: there, equality and order are decided exactly.  Where a formula leaves the rationals (an exponential, a root)
the case is rebuilt in balls, and the precision doubles until every inequality is decided or a stated cap is reached.
An equality is never certified by balls, so there no doubling helps: it is VIOLATED where the ball excludes 0, else UNDECIDED.
Floats are evaluated as they are and always end UNDECIDED, with a suggestion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import (
    FALSE,
    TRUE,
    UNKNOWN,
    Array,
    System,
    Truth,
    absolute,
    compare,
    floats_of,
    largest,
    like,
    module_of,
    select,
    smallest,
    truth_of,
)
from ..claims.case import Case
from ..claims.claim import Claim, Line, chains, composed_relation
from ..claims.coordinates import Sizes
from ..claims.verdict import Evidence, LineEvidence, StepEvidence, verdicts_of
from ..errors import ClaimError, ExactnessError, UndecidedError

FLOAT_NOISE = 1e-9
"""Relative size below which a float difference looks like rounding; it only feeds the suggestion, never a verdict."""
PRECISION_CAP = 2048
START_PRECISION = 64
STEP_PRECISION = 256
"""Where the statement is decided, a step still open at this precision is a tie, as far as we can tell, and stays open."""
PATIENCE = 256
"""Bits with which a whole batch must be evaluable before it is halved."""
Indices = npt.NDArray[np.intp]


def evaluate(claim: Claim, case: Case, formal: bool = False) -> Evidence:
    """The evidence of one case, or one batch, in the arithmetic it has.

    A *formal* case (symbols, random points) stands for generic parameters: an identity that holds there holds wherever no
    denominator vanishes, so hypotheses about signs and supports are not asked.
    """
    hypotheses, applies, live = (
        ((), np.full(case.batch_shape, TRUE, np.int8), case) if formal else ask_hypotheses(claim, case)
    )
    if not (applies == TRUE).any():
        return _not_applicable(claim, case, applies, hypotheses)
    lines = claim.lines(live, formal)
    return _assemble(claim, case, live, lines, applies, hypotheses)


def certify(claim: Claim, build: Callable[[System], Case], cap: int = PRECISION_CAP) -> Evidence:
    """Evidence from rationals where they reach, else from balls of doubling precision; ``build`` makes the case anew."""
    if not claim.transcendental:
        with suppress(ExactnessError):
            return evaluate(claim, build(System.RATIONALS))
    balls = module_of(System.BALLS)
    bits, evidence, failure = START_PRECISION, None, None
    while bits <= cap:
        with balls.precision(bits):
            try:
                evidence = evaluate(claim, build(System.BALLS))
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


def decide(claim: Claim, drawn: Mapping[str, Any], sizes: Sizes) -> Iterator[Part]:
    """Evidence for a batch of drawn instances, part by part.

    Rationals decide whatever stays within them; only the instances that leave them go to balls, and only those that are
    still open there to more bits.  One that stays open at every precision (a tie that balls cannot see, say) is UNDECIDED
    alone.
    """
    rest = np.arange(len(next(iter(drawn.values()))))
    if not claim.transcendental:
        found, rest = _in_rationals(claim, drawn, sizes, rest)
        yield from found
    if len(rest):
        yield from _in_balls(claim, drawn, sizes, rest, START_PRECISION)


def _case(claim: Claim, drawn: Mapping[str, Any], sizes: Sizes, chosen: Indices, system: System) -> Case:
    return claim.setting.case({name: values[chosen] for name, values in drawn.items()}, sizes, system)


def _in_rationals(claim: Claim, drawn: Mapping[str, Any], sizes: Sizes, chosen: Indices) -> tuple[list[Part], Indices]:
    """Evidence for the instances whose numbers all stay rational, and the others, found by halving."""
    try:
        return [(chosen, evaluate(claim, _case(claim, drawn, sizes, chosen, System.RATIONALS)))], chosen[:0]
    except (ExactnessError, UndecidedError):
        if len(chosen) == 1:
            return [], chosen
    halves = [_in_rationals(claim, drawn, sizes, half) for half in np.array_split(chosen, 2)]
    return [part for found, _ in halves for part in found], np.concatenate([rest for _, rest in halves])


def _in_balls(claim: Claim, drawn: Mapping[str, Any], sizes: Sizes, chosen: Indices, bits: int) -> Iterator[Part]:
    """Evidence from balls; where a formula cannot even be evaluated with a few bits, the batch is halved."""

    def evidence_of(instances: Indices) -> Evidence:
        with module_of(System.BALLS).precision(bits):
            return evaluate(claim, _case(claim, drawn, sizes, instances, System.BALLS))

    try:
        evidence = evidence_of(chosen)
    except UndecidedError as error:
        if bits < (PATIENCE if len(chosen) > 1 else PRECISION_CAP):
            yield from _in_balls(claim, drawn, sizes, chosen, 2 * bits)
        elif len(chosen) > 1:
            for half in np.array_split(chosen, 2):
                yield from _in_balls(claim, drawn, sizes, half, bits)
        else:
            case = _case(claim, drawn, sizes, chosen, System.RATIONALS)
            unknown = np.full(case.batch_shape, UNKNOWN, np.int8)
            yield chosen, replace(_not_applicable(claim, case, unknown, ()), reason=str(error))
        return
    still_open = _open(evidence, bits)
    if not still_open.any() or bits >= PRECISION_CAP:
        yield chosen, evidence
        return
    if not still_open.all():
        yield chosen[~still_open], evidence_of(chosen[~still_open])
    yield from _in_balls(claim, drawn, sizes, chosen[still_open], 2 * bits)


def _open(evidence: Evidence, bits: int) -> npt.NDArray[np.bool_]:
    """Which instances more bits can help: those with an open inequality (in between only up to a point), or hypothesis."""
    applies = np.full(np.shape(evidence.verdict), TRUE, np.int8)
    for _, truth in evidence.hypotheses:
        applies = np.minimum(applies, truth)
    result: npt.NDArray[np.bool_] = np.asarray(applies == UNKNOWN)
    steps = [entry.step for entry in evidence.lines if entry.step is not None] if bits < STEP_PRECISION else []
    for step in (*evidence.statements, *steps):
        if step.relation != "=":
            result[applies == TRUE] |= step.truth.ravel() == UNKNOWN
    return result


def raised(error: Exception, where: str) -> str:
    """What a claim's formulas raised, where, and how far the proof had come; a malformed claim's error is raised again."""
    cause = error.__cause__ if isinstance(error, ClaimError) else error
    if cause is None:
        raise error
    place = ", ".join([where, *dict.fromkeys(getattr(cause, "__notes__", ()))])
    advice = f"; {error}" if cause is not error else ""
    return f"raised {type(cause).__name__}: {cause} ({place}){advice}"


def ask_hypotheses(claim: Claim, case: Case) -> tuple[tuple[tuple[str, Truth], ...], Truth, Case]:
    """The truth of every hypothesis, of all together, and the instances that meet them.

    A later hypothesis may make sense only under the earlier ones (a return exists where ``γ < 1``), so it is asked of those
    instances only that have met all before it, and is UNKNOWN for the others.
    """
    found: list[tuple[str, Truth]] = []
    applies, live = np.full(case.batch_shape, TRUE, np.int8), case
    for hypothesis in claim.setting.all_hypotheses:
        truth = np.full(case.batch_shape, UNKNOWN, np.int8)
        answer = _per_instance(_truth(hypothesis.holds(live), case.system), live.batch_shape)
        truth[applies == TRUE] = answer.reshape(-1)
        found.append((hypothesis.name, truth))
        if (answer == TRUE).all():
            continue
        applies = np.where(applies == TRUE, truth, applies).astype(np.int8)
        if not (applies == TRUE).any():
            break
        live = case.take(applies == TRUE)
    return tuple(found), applies, live


def _truth(values: Any, system: System) -> Truth:
    """Three-valued truth; of plain booleans only balls' ``False`` may mean that nobody knows."""
    given = np.asarray(values)
    return truth_of(given) if given.dtype.kind == "b" and system is not System.BALLS else given.astype(np.int8)


def _per_instance(values: Any, batch: tuple[int, ...]) -> Truth:
    """Truth of the batch shape: axes beyond it mean "for all", missing ones are shared."""
    truth = np.asarray(values, dtype=np.int8)
    if truth.ndim > len(batch):
        truth = truth.min(axis=tuple(range(len(batch), truth.ndim)))
    return np.broadcast_to(truth, batch)


def _compare_lines(left: Line, relation: str, right: Line, because: str, axiom: str | None, case: Case) -> StepEvidence:
    """One relation between two lines, entry by entry, and then for all entries of each instance."""
    values = [in_system(left.value, case.system), in_system(right.value, case.system)]
    try:
        one, two = aligned(values, case.batch_shape)
    except ValueError:
        shapes = " and ".join(
            f"{entry.expression!r} has {np.shape(v)}" for entry, v in zip((left, right), values, strict=True)
        )
        raise ClaimError(
            f"lines of one chain must have shapes that fit, and {shapes}, batch {case.batch_shape}"
        ) from None
    truth = compare(one, relation, two)
    axes = tuple(range(len(case.batch_shape), truth.ndim))
    where = _common_mask(left, right, one, case.batch_shape)
    if where is not None:
        truth = np.where(where, truth, TRUE).astype(np.int8)
    margin = _margin(one, relation, two, truth, where, axes)
    if case.system is System.FLOATS:
        truth = _float_suggestion(one, relation, two, where)
    overall = truth.min(axis=axes) if axes else truth
    ratios = _ratios(one, relation, two, where, axes) if relation != "=" else None
    return StepEvidence(left.expression, relation, right.expression, because, axiom, overall, margin, ratios)


def _take(left: Line, right: Line, case: Case) -> StepEvidence | None:
    """An axiom of a formal proof whose value was left uncomputed: neither confirmed nor contradicted."""
    if not callable(right.value) and not callable(left.value):
        return None
    unknown = np.full(case.batch_shape, UNKNOWN, np.int8)
    return StepEvidence(
        left.expression, right.relation or "", right.expression, right.because, right.axiom, unknown, None
    )


def in_system(value: Any, system: System) -> Array:
    """A line's value as an array; plain integers and fractions become numbers of the case's system."""
    values = np.asarray(value)
    return like(values, system) if values.dtype.kind in "iub" or isinstance(value, Fraction) else values


def aligned(values: list[Array], batch: tuple[int, ...]) -> list[Array]:
    """Broadcast so that batch axes meet batch axes: they lead, and a value without them is shared by all instances."""
    leading = len(batch)
    own = [value.shape[:leading] == batch and value.ndim >= leading for value in values]
    depth = max(value.ndim - leading * mine for value, mine in zip(values, own, strict=True))
    padded = []
    for value, mine in zip(values, own, strict=True):
        core = value.shape[leading:] if mine else value.shape
        padded.append(value.reshape((batch if mine else (1,) * leading) + (1,) * (depth - len(core)) + core))
    shape = np.broadcast_shapes(batch + (1,) * depth, *(value.shape for value in padded))
    return [np.broadcast_to(value, shape) for value in padded]


def _common_mask(left: Line, right: Line, shown: Array, batch: tuple[int, ...]) -> Array | None:
    masks = [np.asarray(entry.where, dtype=bool) for entry in (left, right) if entry.where is not None]
    if not masks:
        return None
    return np.asarray(np.logical_and.reduce(aligned([*masks, np.ones(shown.shape, bool)], batch)))


def _margin(
    one: Array, relation: str, two: Array, truth: Truth, where: Array | None, axes: tuple[int, ...]
) -> Array | None:
    """Smallest slack; None on symbols, which have no size."""
    if one.size and getattr(one.flat[0], "system", None) is System.SYMBOLS:
        return None
    if relation == "=":
        if (truth == TRUE).all():
            return like(np.zeros(one.shape[: one.ndim - len(axes)], int), one)
        slack = -absolute(one - two)
    else:
        slack = two - one if relation == "≤" else one - two
    slack = np.asarray(slack)
    if where is None:
        return smallest(slack, axes) if axes else np.asarray(slack)
    if not where.any():
        return like(np.zeros(one.shape[: one.ndim - len(axes)], int), one)
    slack = select(where, slack, largest(slack[where].ravel(), 0))  # masked entries must not be the smallest
    worst = smallest(slack, axes) if axes else slack
    return select(np.asarray(where.any(axes)) if axes else where, worst, like(0, worst))


def _float_suggestion(one: Array, relation: str, two: Array, where: Array | None) -> Truth:
    """TRUE where the rounded numbers agree with the relation up to rounding, FALSE where they clearly do not."""
    noise = FLOAT_NOISE * np.maximum(1.0, np.maximum(np.abs(one), np.abs(two)))
    gap = -np.abs(one - two) if relation == "=" else (two - one if relation == "≤" else one - two)
    truth = np.where(gap >= -noise, TRUE, np.where(np.isnan(gap), UNKNOWN, FALSE)).astype(np.int8)
    return truth if where is None else np.where(where, truth, TRUE).astype(np.int8)


def _ratios(one: Array, relation: str, two: Array, where: Array | None, axes: tuple[int, ...]) -> Array | None:
    """Smaller side over larger side of an inequality, at its largest in each instance; nan without a positive larger side."""
    if one.size and getattr(one.flat[0], "system", None) is System.SYMBOLS:
        return None
    small, large = (one, two) if relation == "≤" else (two, one)
    counted = (compare(large, ">", like(0, large)) > 0) & (compare(small, "=", like(0, small)) < 1)
    if where is not None:
        counted = counted & where
    if not counted.any():
        return None
    try:
        ratios = floats_of(small[counted] / large[counted])
    except ExactnessError:  # a quotient of logarithms, or a number beyond float64
        try:
            with np.errstate(all="ignore"):
                ratios = floats_of(small[counted]) / floats_of(large[counted])
        except ExactnessError:
            return None
    result = np.full(one.shape, -np.inf)
    result[counted] = np.where(np.isfinite(ratios), ratios, -np.inf)
    worst = result.max(axes) if axes else result
    return np.where(worst > -np.inf, worst, np.nan)


def _not_applicable(claim: Claim, case: Case, applies: Truth, hypotheses: tuple[tuple[str, Truth], ...]) -> Evidence:
    failed = [name for name, truth in hypotheses if (truth == FALSE).any()]
    failed = failed or [name for name, truth in hypotheses if (truth == UNKNOWN).any()]
    reason = f"hypothesis not met: {'; '.join(failed)}"
    verdict = verdicts_of(applies, np.zeros_like(applies))
    return Evidence(claim.id, case.system, _bits(case), verdict, verdict, None, None, (), (), hypotheses, None, reason)


def _bits(case: Case) -> int | None:
    return int(module_of(System.BALLS).flint.ctx.prec) if case.system is System.BALLS else None


def _assemble(
    claim: Claim, case: Case, live: Case, lines: list[Line], applies: Truth, hypotheses: tuple[tuple[str, Truth], ...]
) -> Evidence:
    shown: list[LineEvidence] = []
    previous: Line | None = None
    broken: StepEvidence | None = None
    for entry in lines:
        step = None
        if entry.relation is not None:
            assert previous is not None
            step = _take(previous, entry, live) or _compare_lines(
                previous, entry.relation, entry, entry.because, entry.axiom, live
            )
            if broken is None and (step.truth == FALSE).any():
                broken = step
        shown.append(LineEvidence(entry.expression, entry.value, entry.where, step))
        previous = entry
    statements = tuple(
        _compare_lines(chain[0], composed_relation(chain), chain[-1], "the statement", None, live)
        for chain in chains(lines)
        if not any(callable(entry.value) for entry in chain)
    )
    truth = np.full(live.batch_shape, TRUE, np.int8)
    for statement in statements:
        truth = np.minimum(truth, statement.truth)
    full = _on_all(truth, UNKNOWN, live, case, applies)
    suggests = verdicts_of(applies, full)
    found = verdicts_of(applies, np.zeros_like(full)) if case.system is System.FLOATS else suggests
    ratios = [_on_all(s.ratios, np.nan, live, case, applies) for s in statements if s.ratios is not None]
    return Evidence(
        claim=claim.id,
        arithmetic=case.system,
        precision=_bits(case),
        verdict=found,
        suggests=suggests,
        margin=_worst_margin(statements),
        ratios=np.fmax.reduce(ratios) if ratios else None,
        lines=tuple(shown),
        statements=statements,
        hypotheses=hypotheses,
        broken=broken,
        case=case,
    )


def _on_all(values: Array, elsewhere: Any, live: Case, case: Case, applies: Truth) -> Array:
    """What was found on the instances that meet the hypotheses, as an array over all instances."""
    if live is case:
        return values
    full = np.full(case.batch_shape, elsewhere, values.dtype)
    full[applies == TRUE] = values
    return full


def _worst_margin(statements: tuple[StepEvidence, ...]) -> Any:
    """The smallest margin of all statements: of the violated instances where there are any, else of all; one number."""
    for counted in (FALSE, None):
        margins = [
            np.asarray(s.margin)[s.truth == counted] if counted is not None else np.asarray(s.margin).reshape(-1)
            for s in statements
            if s.margin is not None
        ]
        margins = [margin for margin in margins if margin.size]
        if margins:
            return smallest(np.concatenate(margins), 0)[()]
    return None
