"""Runs a claim on one instance: see :mod:`mappo_verify.checking.evaluate`, whose batches it will replace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..arithmetic import FALSE, TRUE, UNKNOWN, System, compare, like
from ..arithmetic.numbers import Hidden, Numbers
from ..arithmetic.one_instance import Truth
from ..arithmetic.structure import broadcast_to
from ..claims.claim import Claim, Line, chains, composed_relation
from ..claims.instance import InstanceCase, per_instance
from ..claims.verdict import Evidence, LineEvidence, StepEvidence, verdicts_of
from ..errors import ClaimError
from . import evaluate as old


def evaluate(claim: Claim, case: InstanceCase, formal: bool = False) -> Evidence:
    """The evidence of one case."""
    everywhere = np.full(case.several, TRUE, np.int8)
    hypotheses, applies, live = ((), everywhere, case) if formal else ask_hypotheses(claim, case)
    if not (applies == TRUE).any():
        return _not_applicable(claim, case, applies, hypotheses)
    lines = [_as_numbers(claim, entry, live) for entry in claim.lines(live, formal)]
    return _assemble(claim, case, live, lines, applies, hypotheses)


def system_of_case(case: InstanceCase) -> System:
    hidden: Any = case.system
    assert isinstance(hidden, Hidden)
    return hidden.system


def _as_numbers(claim: Claim, entry: Line, case: InstanceCase) -> Line:
    if callable(entry.value) or isinstance(entry.value, Numbers):
        return entry
    return replace(entry, value=like(entry.value, case.system))


def ask_hypotheses(claim: Claim, case: InstanceCase) -> Any:
    found = []
    applies, live = np.full(case.several, TRUE, np.int8), case
    for hypothesis in claim.setting.all_hypotheses:
        truth = np.full(case.several, UNKNOWN, np.int8)
        answer = per_instance(hypothesis.holds(live), live.several)
        truth[applies == TRUE] = answer.reshape(-1)
        found.append((hypothesis.name, truth))
        if (answer == TRUE).all():
            continue
        applies = np.where(applies == TRUE, truth, applies).astype(np.int8)
        if not (applies == TRUE).any():
            break
        live = live.take(answer == TRUE)
    return tuple(found), applies, live


def _compare_lines(
    left: Line, relation: str, right: Line, because: str, axiom: Any, case: InstanceCase
) -> StepEvidence:
    one, two = left.value, right.value
    try:
        shape = np.broadcast_shapes(one.shape, two.shape)
    except ValueError:
        raise ClaimError(
            f"lines of one chain must have shapes that fit, and {left.expression!r} has {one.shape}, "
            f"{right.expression!r} {two.shape}"
        ) from None
    truth: Any = compare(one, relation, two)
    masks = [Truth.of(entry.where) for entry in (left, right) if entry.where is not None]
    where = None
    if masks:
        where = masks[0] if len(masks) == 1 else masks[0] & masks[1]
        truth = truth | ~where
    overall = per_instance(truth, case.several)
    count = int(np.prod(case.several, dtype=int))

    def plain(value: Any) -> Any:
        part = broadcast_to(value, shape)
        part = part.values if isinstance(part, Truth) else part._parts[0]
        return np.moveaxis(np.broadcast_to(part, (*part.shape[:-1], count)), -1, 0)

    axes = tuple(range(1, len(shape) + 1))
    a, b, t = plain(one), plain(two), plain(truth)
    mask = None if where is None else plain(where) > 0
    margin = old._margin(a, relation, b, t, mask, axes)
    system = system_of_case(case)
    if system is System.FLOATS:
        suggestion = old._float_suggestion(a, relation, b, mask)
        overall = (suggestion.min(axis=axes) if axes else suggestion).reshape(case.several)
    ratios = old._ratios(a, relation, b, mask, axes) if relation != "=" else None
    shaped = [None if v is None else np.asarray(v).reshape(case.several) for v in (margin, ratios)]
    return StepEvidence(left.expression, relation, right.expression, because, axiom, overall, *shaped)


def _assemble(claim: Claim, case: Any, live: Any, lines: Any, applies: Any, hypotheses: Any) -> Evidence:
    shown: list[LineEvidence] = []
    previous: Line | None = None
    broken = None
    for entry in lines:
        step = None
        if entry.relation is not None:
            assert previous is not None
            if callable(entry.value) or callable(previous.value):
                unknown = np.full(live.several, UNKNOWN, np.int8)
                step = StepEvidence(
                    previous.expression, entry.relation, entry.expression, entry.because, entry.axiom, unknown, None
                )
            else:
                step = _compare_lines(previous, entry.relation, entry, entry.because, entry.axiom, live)
            if broken is None and (step.truth == FALSE).any():
                broken = step
        shown.append(LineEvidence(entry.expression, entry.value, entry.where, step))
        previous = entry
    statements = tuple(
        _compare_lines(chain[0], composed_relation(chain), chain[-1], "the statement", None, live)
        for chain in chains(lines)
        if not any(callable(entry.value) for entry in chain)
    )
    truth = np.full(live.several, TRUE, np.int8)
    for statement in statements:
        truth = np.minimum(truth, statement.truth)
    full = _on_all(truth, UNKNOWN, live, case, applies)
    suggests = verdicts_of(applies, full)
    system = system_of_case(case)
    found = verdicts_of(applies, np.zeros_like(full)) if system is System.FLOATS else suggests
    ratios = [_on_all(s.ratios, np.nan, live, case, applies) for s in statements if s.ratios is not None]
    return Evidence(
        claim=claim.id,
        arithmetic=system,
        precision=bits(case),
        verdict=found,
        suggests=suggests,
        margin=old._worst_margin(statements),
        ratios=np.fmax.reduce(ratios) if ratios else None,
        lines=tuple(shown),
        statements=statements,
        hypotheses=hypotheses,
        broken=broken,
        case=case,
    )


def _on_all(values: Any, elsewhere: Any, live: Any, case: Any, applies: Any) -> Any:
    if live is case:
        return values
    full = np.full(case.several, elsewhere, values.dtype)
    full[applies == TRUE] = values
    return full


def _not_applicable(claim: Claim, case: InstanceCase, applies: Any, hypotheses: Any) -> Evidence:
    failed = [name for name, truth in hypotheses if (truth == FALSE).any()]
    failed = failed or [name for name, truth in hypotheses if (truth == UNKNOWN).any()]
    reason = f"hypothesis not met: {'; '.join(failed)}"
    verdict = verdicts_of(applies, np.zeros_like(applies))
    return Evidence(
        claim.id, system_of_case(case), bits(case), verdict, verdict, None, None, (), (), hypotheses, None, reason
    )


def bits(case: InstanceCase) -> int | None:
    import flint

    return int(flint.ctx.prec) if system_of_case(case) is System.BALLS else None
