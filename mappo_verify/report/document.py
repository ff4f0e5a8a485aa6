"""Reports as plain data (what ``--json`` writes), and numbers as people read them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

import numpy as np

from ..arithmetic import System, floats_of, system_of
from ..checking.explain import explain_report
from ..checking.falsify import Falsification
from ..checking.monte_carlo import Interval, Statistics
from ..checking.reports import AuditReport, ClaimReport, Progress
from ..checking.statements import Finding, StatementReport, extent_text, statements_of
from ..claims.case import Case
from ..claims.claim import Claim
from ..claims.paper import Paper
from ..claims.verdict import Evidence, LineEvidence, Verdict
from ..errors import ExactnessError
from ..model import Game, Policy
from ..model.agents import joint_action
from ..papers.registry import CLAIMS, paper_of

EMPTY: Mapping[str, str] = MappingProxyType({})
LONG = 24
"""Characters beyond which an exact number is shown by its first digits."""
SHOWN_ENTRIES = 8
SHOWN_INGREDIENT = 64
DRAWN_CHOICES = 16
"""State-action pairs beyond which a game is not drawn."""
MANY = 4
"""Tables of a run beyond which they are shown as one."""


def number_text(value: Any) -> str:
    """One number: exact where it is short, else its leading digits, marked ≈; wide balls keep their radius."""
    if value is None:
        return "-"
    value = np.asarray(value)[()]
    kind = system_of(value)
    if kind is System.FLOATS:
        return f"{float(value):.6g}"
    if kind is System.BALLS and (value.is_exact() or value.rel_accuracy_bits() > 20):
        digits = f"{float(value.mid()):.6g}"
        return digits if value == float(digits) else f"≈ {digits}"
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


def values_text(value: Any, where: Any = None) -> str:
    """The numbers of a line: one number, or the first entries of a table and its shape."""
    values = np.asarray(value)
    if values.ndim == 0:
        exact = number_text(values[()])
        approximate = f"  ≈ {float(floats_of(values)):.6g}" if "/" in exact or "log" in exact else ""
        return exact + approximate
    flat = values[np.broadcast_to(where, values.shape)] if where is not None else values.ravel()
    shown = ", ".join(number_text(entry) for entry in flat[:SHOWN_ENTRIES])
    more = f", ... {flat.size} entries, shape {list(values.shape)}" if flat.size > SHOWN_ENTRIES else ""
    return f"[{shown}{more}]" if flat.size else "(nothing to compare here)"


def nested_text(value: Any) -> str:
    """A table in brackets, row by row."""
    table = np.asarray(value)
    return f"[{', '.join(map(nested_text, table))}]" if table.ndim else number_text(table[()])


def compact_text(value: Any) -> str:
    """A long table in a few words: what most steps are, and the steps that differ; else how many entries it has."""
    found = pattern_of(value)
    if found is None:
        return f"{np.size(value)} entries, shape {list(np.shape(value))}"
    usual, others = found
    differ = "".join(f"; at {step}: {nested_text(row)}" for step, row in others)
    return f"{nested_text(usual)} at each of {len(np.asarray(value))} steps{differ.replace('; at', ', but at', 1)}"


FEW = 4
"""Rows that may differ in a table that is told by its usual row."""


def pattern_of(value: Any) -> tuple[Any, list[tuple[int, Any]]] | None:
    """The row that a table has nearly everywhere, and where it has another; None where there is no such row."""
    table = np.asarray(value)
    if table.ndim < 1 or len(table) <= 2 * FEW:
        return None
    texts = [str(row.tolist()) if isinstance(row, np.ndarray) else str(row) for row in table]
    usual = max(set(texts), key=texts.count)
    others = [(step, table[step]) for step, text in enumerate(texts) if text != usual]
    return None if len(others) > FEW else (table[texts.index(usual)], others)


def words_of(report: ClaimReport | Falsification) -> dict[str, str]:
    """Those ingredients of a counterexample that are said best in words, by name."""
    if report.witness is None:
        return {}
    numbers = {name: np.asarray(values) for name, values in report.witness.coordinates.items()}
    found = {i.name: i.in_words(numbers, report.witness.sizes) for i in report.claim.setting.ingredients}
    return {name: words for name, words in found.items() if words}


def exact_evidence(report: ClaimReport) -> Evidence:
    """The evidence of a counterexample, its ingredients as rationals where they are rational."""
    assert report.witness is not None
    witness = report.witness
    try:
        case = report.claim.setting.case(witness.coordinates, witness.sizes, System.RATIONALS)
    except ExactnessError:  # a logarithm or a root is among them
        return witness.evidence
    return replace(witness.evidence, case=case)


def instance_tables(evidence: Evidence) -> list[tuple[str, str, Any]]:
    """The ingredients of a case as tables (of a "game", a "policy", or "other"; the name; numbers); the steps of a run in one.

    Where no game is given but one follows from the case, that one comes first.
    """
    found: list[tuple[str, str, Any]] = []
    if evidence.case is None:
        return found
    agents = evidence.case.sizes.agents
    game = _game_of(evidence.case)
    objects = {name: value for name, value in evidence.case.plain().items() if name in evidence.case.objects}
    given = any(isinstance(value, Game) for value in objects.values())
    derived = {} if given or game is None else {"game": game}
    for name, value in (derived | objects).items():
        if isinstance(value, Game):
            found += [
                ("game", "P(s'|s,a)", value.transition),
                ("game", "r(s,a)", value.reward),
                ("game", "γ", value.discount),
            ]
        elif isinstance(value, Policy):
            found += [("policy", f"{name}^{m}", factor) for m, factor in enumerate(value.factors, start=1)]
        elif isinstance(value, tuple) and len(value) > MANY and len({np.shape(table) for table in value}) == 1:
            found.append(("other", name, np.stack(value)))
        elif isinstance(value, tuple):
            marks = (
                [f"^{i}" for i in range(1, len(value) + 1)]
                if len(value) == agents
                else [f"[{i}]" for i in range(len(value))]
            )
            found += [("other", f"{name}{mark}", table) for mark, table in zip(marks, value, strict=True)]
        else:
            found.append(("other", name, value))
    return found


def audit_document(report: AuditReport) -> dict[str, Any]:
    """The audit as JSON-ready data: the verdicts on statements first, then ``claims`` with one row each.

    ``standings`` holds the standing of every claim by id, and of parents as well.
    """
    statements = statements_of(report)
    return {
        "statements": [statement_document(entry) for entry in statements],
        "counts": {finding.value: count for finding, count in counts_of(statements).items()},
        "profile": report.profile,
        "seed": report.seed,
        "game": report.game,
        "seconds": round(report.seconds, 3),
        "claims": [claim_document(entry) for entry in report.claims],
        "standings": {name: standing.value for name, standing in report.standings.items()},
        "unexpected": [entry.id for entry in report.unexpected],
        "skipped": [{"id": name, "reason": reason} for name, reason in report.skipped],
    }


def counts_of(statements: Sequence[StatementReport]) -> dict[Finding, int]:
    """How many statements have each verdict, from the worst to the best; only verdicts that occur."""
    counts = {finding: sum(entry.finding is finding for entry in statements) for finding in Finding}
    return {finding: count for finding, count in counts.items() if count}


def statement_document(report: StatementReport) -> dict[str, Any]:
    """The verdict on one statement, and the claims on which it rests."""
    smallest = report.smallest
    return {
        "id": report.statement.id,
        "name": report.statement.name,
        "title": report.statement.title,
        "verdict": report.finding.value,
        "words": report.words,
        "why": report.statement.why or None,
        "yet": report.statement.yet or None,
        "answer": report.statement.answer or None,
        "parts": [part.id for part in report.printed],
        "fallen": [part.id for part in report.fallen],
        "smallest": None if smallest is None else smallest.id,
        "size": None if smallest is None or smallest.witness is None else extent_text(smallest.witness.evidence),
        "repairs": [part.id for part in report.repairs],
        "remarks": [part.id for part in report.remarks],
        "untried": list(report.untried),
    }


def claim_document(report: ClaimReport) -> dict[str, Any]:
    """One row of the table."""
    return {
        "id": report.id,
        "title": report.claim.title,
        "statement": report.claim.statement,
        "source": report.claim.source,
        "kind": report.claim.kind.value,
        "printed": report.claim.printed,
        "note": report.claim.note or None,
        "setting": report.claim.setting.name,
        "standing": report.standing.value,
        "how": report.how,
        "instances": report.instances,
        "not_applicable": report.not_applicable,
        "undecided": report.undecided,
        "margin": exact_text(report.margin),
        "ratio": report.ratio,
        "seconds": round(report.seconds, 3),
        "broken": None if report.broken is None else report.broken.right,
        "broken_line": None if report.broken_line is None else report.broken_line.as_data(),
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
                "where": list(proof.where),
            }
            for proof in report.proofs
        ],
        "searched": None if report.searched is None else report.searched.as_data(),
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
                "quantile_of_left": [pair(interval) for interval in series.left],
                "bound": list(series.bound),
                "growth_of_ratio": pair(series.growth),
                "slope_of_left": pair(series.slope),
                "slope_of_bound": series.claimed_slope,
            }
            for series in found.series
        ],
    }


def full_document(
    report: AuditReport,
    game: Game | None = None,
    reproduce: str = "mappo-verify audit",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The audit with everything that a report shows: what :func:`audit_document` holds, and to every claim

    ``reproduce`` (the command that finds it again), ``tightness`` (how the ratios are spread, size by size) and ``walk_through``
    (:func:`walk_through_document`).  ``game`` is the one that was audited, ``reproduce`` the command without its claims.
    """
    claims = [entry.claim for entry in report.claims]
    paper, own = paper_of(claims), _own_file(reproduce)
    head = {
        "version": version("mappo-verify"),
        "paper": _paper_document(paper),
        "beside": None if paper else _paper_document(paper_of(claim for claim in claims if claim in CLAIMS)),
        "reproduce": reproduce,
        "own": own,
    }
    document: dict[str, Any] = head | audit_document(report)
    for position, (row, entry) in enumerate(zip(document["claims"], report.claims, strict=True)):
        if progress:
            progress(f"explaining {entry.id}", position / len(report.claims))
        row["registered"] = entry.claim in CLAIMS
        row["reproduce"] = f"{reproduce.replace(own, '', 1) if row['registered'] else reproduce} --claim {entry.id}"
        row["tightness"] = tightness_document(entry)
        row["walk_through"] = walk_through_document(*explain_report(entry, game, report.seed), words_of(entry))
    return document


def _paper_document(paper: Paper | None) -> dict[str, str] | None:
    if paper is None:
        return None
    return {"title": paper.title, "authors": paper.authors, "where": paper.where, "link": paper.link}


def _own_file(command: str) -> str:
    """The option that says in which file the claims stand; empty for those of a paper."""
    words = shlex.split(command)
    return " " + shlex.join(words[words.index("--from") :][:2]) if "--from" in words else ""


def tightness_document(report: ClaimReport) -> list[dict[str, Any]]:
    """For every size of instance: how many had a ratio of the two sides, its median and largest, and the ratios in order."""
    return [
        {
            "states": sizes.states,
            "action_sizes": list(sizes.actions),
            "steps": sizes.steps,
            "instances": len(ratios),
            "median": _rounded(float(np.median(ratios))),
            "largest": _rounded(max(ratios)),
            "ratios": sorted({_rounded(ratio) for ratio in ratios}),
        }
        for sizes, ratios in report.tightness.items()
        if ratios
    ]


def _rounded(ratio: float) -> float:
    return float(f"{ratio:.4g}")


def walk_through_document(
    claim: Claim, evidence: Evidence, subject: str, words: Mapping[str, str] = EMPTY
) -> dict[str, Any]:
    """The proof with the numbers of one case: ingredients, hypotheses, lines, verdict.

    ``words`` are those of ingredients that are said better in words, by name.
    """
    return {
        "subject": subject,
        "verdict": evidence.verdict.value,
        "arithmetic": evidence.arithmetic.value,
        "precision": evidence.precision,
        "margin": None if evidence.margin is None else number_text(evidence.margin),
        "fails_by": number_text(-evidence.margin) if evidence.verdict is Verdict.VIOLATED else None,
        "reason": evidence.reason or None,
        "ingredients": [
            _ingredient_document(kind, name, table, words.get(name)) for kind, name, table in instance_tables(evidence)
        ],
        "diagram": _diagram_document(evidence),
        "hypotheses": [
            {"text": h.name, "by_construction": h.by_construction, "met": _WORDS[int(np.min(truth))]}
            for h, (_, truth) in zip(claim.hypotheses, evidence.hypotheses, strict=False)  # until one fails
        ],
        "lines": [_line_document(entry) for entry in evidence.lines],
    }


_WORDS = {1: "yes", 0: "undecided", -1: "no"}


def _line_document(entry: LineEvidence) -> dict[str, Any]:
    step = entry.step
    truth = int(np.min(step.truth)) if step is not None and np.size(step.truth) else 1
    return {
        "relation": None if step is None else step.relation,
        "expression": entry.expression,
        "value": values_text(entry.value, entry.where),
        "because": None if step is None else step.because,
        "axiom": None if step is None or step.axiom is None else str(step.axiom),
        "computed_by": list(entry.computed_by),
        "holds": None if step is None else _WORDS[truth],
        "off_by": number_text(-step.margin) if step is not None and truth < 0 and step.margin is not None else None,
    }


def _ingredient_document(kind: str, name: str, table: Any, words: str | None) -> dict[str, Any]:
    values = np.asarray(table)
    small = values.size <= SHOWN_INGREDIENT
    return {
        "kind": kind,
        "name": name,
        "shape": list(values.shape),
        "text": nested_text(values) if small and words is None and pattern_of(values) is None else None,
        "compact": words or compact_text(values),
        "entries": [number_text(value) for value in values.ravel()] if small else None,
        "floats": [_float(value) for value in values.ravel()] if small else None,
    }


def _float(value: Any) -> float:
    return float(f"{float(floats_of(value)):.6g}")


def _game_of(case: Case) -> Game | None:
    """The one game of a case; where none is given, the one that follows from it."""
    games = [name for name, value in case.objects.items() if isinstance(value, Game)]
    if not games:
        getattr(case, "game", None)  # derived when first asked for
    found = case.plain()
    follows: Game | None = None if games else found.get("game")
    return found[games[0]] if len(games) == 1 else follows


def _diagram_document(evidence: Evidence) -> dict[str, Any] | None:
    """States, joint actions and transitions of a small game, given or derived, with what each policy of the case plays."""
    game = None if evidence.case is None else _game_of(evidence.case)
    if evidence.case is None or game is None or game.batch_shape or game.states * game.actions > DRAWN_CHOICES:
        return None
    objects = evidence.case.plain()
    policies = {
        name: value.joint() for name, value in objects.items() if isinstance(value, Policy) and not value.batch_shape
    }
    states = list(game.state_names or (f"s{state}" for state in range(game.states)))
    return {
        "states": states,
        "discount": number_text(game.discount),
        "start": None if game.start is None else [number_text(p) for p in game.start],
        "choices": [
            {
                "state": state,
                "action": ", ".join(
                    game.action_names[m][a] if game.action_names else str(a)
                    for m, a in enumerate(joint_action(action, game.action_sizes))
                ),
                "reward": number_text(game.reward[state, action]),
                "played": {name: number_text(joint[state, action]) for name, joint in policies.items()},
                "next": [
                    {"state": after, "probability": number_text(p), "share": _float(p)}
                    for after, p in enumerate(game.transition[state, action])
                    if _float(p) > 0
                ],
                "ends": bool(game.ends[state, action] >= 0),
            }
            for state in range(game.states)
            for action in range(game.actions)
        ],
    }
