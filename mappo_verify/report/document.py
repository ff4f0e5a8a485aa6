"""Reports as plain data (what ``--json`` writes), and numbers as people read them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arithmetic import System, floats_of, system_of
from ..checking.campaign import AuditReport, ClaimReport
from ..checking.monte_carlo import Interval, Statistics
from ..errors import ExactnessError

LONG = 24
"""Characters beyond which an exact number is shown by its first digits."""


def number_text(value: Any) -> str:
    """One number: exact where it is short, else its leading digits, marked ≈; wide balls keep their radius."""
    if value is None:
        return "-"
    value = np.asarray(value)[()]
    kind = system_of(value)
    if kind is System.FLOATS:
        return f"{float(value):.6g}"
    if kind is System.BALLS and (value.is_exact() or value.rel_accuracy_bits() > 20):
        return f"≈ {float(value.mid()):.6g}"
    text = str(value)
    if kind is System.RATIONALS and len(text) > LONG:
        try:
            return f"≈ {float(floats_of(value)):.6g}"
        except ExactnessError:
            return f"{text[:12]}... ({len(text)} digits)"
    return text


def exact_text(value: Any) -> str | None:
    """One number in full; None for none."""
    return None if value is None else str(value)


def audit_document(report: AuditReport) -> dict[str, Any]:
    """The audit as JSON-ready data: ``claims`` holds one row each (:func:`claim_document`), ``standings`` parents as well."""
    return {
        "profile": report.profile,
        "seed": report.seed,
        "game": report.game,
        "seconds": round(report.seconds, 3),
        "claims": [claim_document(entry) for entry in report.claims],
        "standings": {name: standing.value for name, standing in report.standings.items()},
        "unexpected": [entry.id for entry in report.unexpected],
        "skipped": [{"id": name, "reason": reason} for name, reason in report.skipped],
    }


def claim_document(report: ClaimReport) -> dict[str, Any]:
    """One row of the table."""
    return {
        "id": report.id,
        "title": report.claim.title,
        "statement": report.claim.statement,
        "source": report.claim.source,
        "printed": report.claim.printed,
        "standing": report.standing.value,
        "how": report.how,
        "instances": report.instances,
        "not_applicable": report.not_applicable,
        "undecided": report.undecided,
        "margin": exact_text(report.margin),
        "ratio": report.ratio,
        "seconds": round(report.seconds, 3),
        "broken": None if report.broken is None else report.broken.right,
        "cites": list(report.cites),
        "tainted_by": list(report.tainted_by),
        "repaired_by": report.claim.repaired_by or None,
        "record": None if report.claim.record is None else report.claim.record.value,
        "expected": report.expected,
        "proofs": [
            {
                "method": proof.method,
                "states": proof.sizes.states,
                "action_sizes": list(proof.sizes.actions),
                "symbols": proof.symbols,
                "error": proof.error,
                "modulo": list(proof.modulo),
            }
            for proof in report.proofs
        ],
        "statistics": None if report.statistics is None else statistics_document(report.statistics),
        "witness": None if report.witness is None else report.witness.as_data(),
    }


def statistics_document(found: Statistics) -> dict[str, Any]:
    """What samples say: intervals as pairs, all of them together at ``confidence``; None where a sample bounds nothing."""

    def pair(interval: Interval) -> list[float | None]:
        return [end if np.isfinite(end) else None for end in (interval.low, interval.high)]

    return {
        "delta": found.delta,
        "repetitions": found.repetitions,
        "confidence": found.confidence,
        "supported": found.supported,
        "constant": found.constant if np.isfinite(found.constant) else None,
        "designs": [
            {
                "design": series.design,
                "n": list(series.sizes),
                "coverage": [pair(interval) for interval in series.coverage],
                "quantile_of_ratio": [pair(interval) for interval in series.quantile],
                "growth_of_ratio": pair(series.growth),
                "slope_of_left": pair(series.slope),
            }
            for series in found.series
        ],
    }
