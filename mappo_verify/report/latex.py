r"""A counterexample as LaTeX, to be pasted into a paper or a review: the statement, the instance in a few words, both sides.

What is long and regular is told by its rule, as "multiply the odds by 2; at step 11 by :math:`2^{-26}`": an ingredient says so
by ``in_words``, and a table that is the same at nearly every step by that row and the steps that differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from ..checking.certificate_files import PLACES, Certificate, Side
from ..checking.reports import ClaimReport
from ..checking.statements import extent_text, statement_of
from ..errors import ClaimError
from .document import exact_evidence, instance_tables, number_text, pattern_of, words_of
from .mathematics import MathematicsError, pieces

SPECIAL = str.maketrans(
    {c: f"\\{c}" for c in "#$%&_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)
LARGE = 1024
"""Whole numbers from here on are shown as powers where they are."""


def latex_of(report: ClaimReport, found: Certificate) -> str:
    """One paragraph on the counterexample of a report, whose certificate is ``found``; exact numbers, or leading digits."""
    claim, witness = report.claim, report.witness
    if witness is None:
        raise ClaimError(f"{claim.id}: no counterexample was found, so there is none to write")
    said = statement_of(claim)
    name = f"{said.name}, " if said else ""
    left, right = sides(found.left_value, found.right_value)
    entry = [
        rf"\paragraph{{Counterexample ({prose(name)}\texttt{{{prose(claim.id)}}}).}}",
        f"The claim is: {formula(claim.statement)}.",
        f"Take {formula(claim.setting.name)}; here: {extent_text(witness.evidence)}.",
        r"\begin{itemize}",
        *(rf"  \item {item}" for item in _items(report, words_of(report))),
        r"\end{itemize}",
        f"The left side, {formula(found.left)}, is ${left}$.",
        f"The right side, {formula(found.right)}, is ${right}$.",
        f"So ${left} {_RELATIONS[found.relation]} {right}$ is false.",
    ]
    if said and said.yet and claim.printed:
        entry.append(formula(said.yet))
    return "\n".join(entry) + "\n"


_RELATIONS = {"≤": r"\le", "≥": r"\ge", "=": "="}
SHOWN_DECIMALS = 6


def sides(left: Side, right: Side) -> tuple[str, str]:
    """Both recorded sides: rationals as they are, of enclosures the leading decimals, so many that the sides differ."""
    shown = SHOWN_DECIMALS
    while shown < PLACES[-1] and _leading(left, shown) == _leading(right, shown):
        shown += 1
    one, two = (number(v) if isinstance(v, str) else rf"{_decimals(v, shown)}\ldots" for v in (left, right))
    return one, two


def _leading(value: Side, shown: int) -> Fraction:
    return Fraction(value if isinstance(value, str) else _decimals(value, shown))


def _decimals(value: tuple[str, str], shown: int) -> str:
    """The leading decimals of an enclosure's end nearer to 0."""
    whole, _, decimals = min(value, key=lambda end: abs(Fraction(end))).partition(".")
    return f"{whole}.{decimals[:shown]}"


def _items(report: ClaimReport, words: Mapping[str, str]) -> list[str]:
    """The ingredients of the instance, each in a few words."""
    return [
        formula(words[name]) if name in words else f"{_label(name)}: {_table(table)}"
        for _, name, table in instance_tables(exact_evidence(report))
    ]


def _label(name: str) -> str:
    """The name of an ingredient; ``policy^1`` is agent 1's."""
    word, mark, agent = name.partition("^")
    return f"{formula(word)} of agent {agent}" if mark and len(word) > 1 and word.isalpha() else formula(name)


def _table(value: Any) -> str:
    found = pattern_of(value)
    if found is None:
        return f"${rows(value)}$"
    usual, others = found
    differ = "".join(f", but at step ${step}$ (from $0$): ${rows(row)}$" for step, row in others)
    return f"${rows(usual)}$ at each of {len(np.asarray(value))} steps{differ}"


def rows(value: Any) -> str:
    """A table of numbers: nested in brackets, the way it is indexed."""
    table = np.asarray(value)
    return number(table[()]) if table.ndim == 0 else rf"[{', '.join(map(rows, table))}]"


def number(value: Any) -> str:
    r"""One number: ``\tfrac{1}{2}``, ``2^{26}``, or the leading digits of an enclosure."""
    text = value if isinstance(value, str) else number_text(value)
    if text.startswith("≈ "):
        return rf"{_decimal(text[2:])}\ldots"
    if fraction := re.fullmatch(r"(-?)(\d+)/(\d+)", text):
        return rf"{fraction[1]}\tfrac{{{power(fraction[2])}}}{{{power(fraction[3])}}}"
    if re.fullmatch(r"-?\d+", text):
        return power(text)
    if re.fullmatch(r"-?\d*\.?\d+(e[-+]?\d+)?", text):
        return _decimal(text)
    return formula(text).strip("$")


def _decimal(text: str) -> str:
    digits, _, exponent = text.partition("e")
    return rf"{digits} \cdot 10^{{{int(exponent)}}}" if exponent else digits


def power(text: str) -> str:
    """A large whole number as a power, if it is one of a number below 100."""
    whole = abs(int(text))
    if whole >= LARGE:
        for base in range(2, 100):
            exponent, rest = 0, whole
            while rest % base == 0:
                rest, exponent = rest // base, exponent + 1
            if rest == 1:
                return f"{'-' if int(text) < 0 else ''}{base}^{{{exponent}}}"
    return text


def formula(words: str) -> str:
    """A text of a claim: its formulas in dollars, the rest as prose."""
    try:
        found = pieces(words)
    except MathematicsError:
        return prose(words)
    parts = {"math": "${}$", "claim": r"\texttt{{{}}}", "text": "{}"}
    shown = (parts[piece.kind].format(piece.text if piece.kind == "math" else prose(piece.text)) for piece in found)
    return re.sub(r"\$\$(\{\})?", " ", "".join(shown)).replace(r"{s\text{′}}", "s'").replace(r"\text{′}", "'")


def prose(words: str) -> str:
    """Text of which LaTeX shows every character."""
    return words.translate(SPECIAL)
