"""What the lessons share for showing: a staircase of gains, the lines of a proof.  No mathematics of the paper is in here."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import altair as alt
import marimo as mo
import numpy as np

from mappo_verify.arithmetic import floats_of
from mappo_verify.claims.verdict import Evidence

LEVEL, GAIN, LOSS = "#9aa5b1", "#0072b2", "#d55e00"
MARKS = {1: "✓", 0: "≈", -1: "✗ <b>breaks here:</b>"}
STAR = "∗"  # the asterisk of mathematics: a lowered * would be a dot
LONG = 14
"""Characters beyond which a fraction is shown by its first digits."""


def short(number: Any) -> str:
    """An exact fraction, or its first digits."""
    return str(number) if len(str(number)) < LONG else f"{decimal(number):.4f}"


def decimal(number: Any) -> float:
    """The nearest float: of a fraction, a logarithm, a ball."""
    return float(floats_of(np.asarray(number)))


def staircase(levels: Sequence[Any], names: Sequence[str], ends: tuple[str, str], axis: str, title: str = "") -> Any:
    """Bars for the first and the last level, and between them one step up or down for each name."""
    rows = [{"at": ends[0], "from": 0.0, "to": decimal(levels[0]), "text": short(levels[0]), "kind": axis}]
    for name, before, after in zip(names, levels, levels[1:], strict=False):
        up = after >= before
        text = f"{'+' if up else ''}{short(after - before)}"
        kind = "gain" if up else "loss"
        rows.append({"at": name, "from": decimal(before), "to": decimal(after), "text": text, "kind": kind})
    rows.append({"at": ends[1], "from": 0.0, "to": decimal(levels[-1]), "text": short(levels[-1]), "kind": axis})
    for row in rows:
        row["top"] = max(row["from"], row["to"])
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("at:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, labelFontSize=12))
    )
    colours = alt.Scale(domain=[axis, "gain", "loss"], range=[LEVEL, GAIN, LOSS])
    bars = base.mark_bar(size=50).encode(
        y=alt.Y("from:Q", title=axis),
        y2="to:Q",
        color=alt.Color("kind:N", title=None, scale=colours),
    )
    labels = base.mark_text(dy=-8, fontSize=12).encode(y="top:Q", text="text:N")
    return (bars + labels).properties(width=520, height=260, title=alt.TitleParams(title, offset=18))


def formula(text: str) -> str:
    """``π_k^{m}`` as HTML, with indices lowered and exponents raised."""
    shown, position = "", 0
    while position < len(text):
        tag = {"_": "sub", "^": "sup"}.get(text[position])
        if tag is None:
            shown += STAR if text[position] == "*" else html.escape(text[position])
            position += 1
            continue
        begin = position + 1
        end = _closing(text, begin) if text[begin : begin + 1] == "{" else begin + 1
        shown += f"<{tag}>{formula(text[begin:end].removeprefix('{').removesuffix('}'))}</{tag}>"
        position = end
    return shown


def _closing(text: str, begin: int) -> int:
    """The position after the brace that closes the one at ``begin``."""
    depth = 0
    for position in range(begin, len(text)):
        depth += (text[position] == "{") - (text[position] == "}")
        if not depth:
            return position + 1
    return len(text)


def proof_table(evidence: Evidence) -> Any:
    """Every line of a proof with its number, whether it follows from the line before, and why."""
    rows = []
    for entry in evidence.lines:
        relation, reason = "", ""
        if entry.step is not None:
            relation = entry.step.relation
            reason = f"{MARKS[int(np.min(entry.step.truth))]} {formula(entry.step.because)}"
        value = f"{decimal(entry.value):.4f}" if np.ndim(entry.value) == 0 else "a table"
        cells = (relation, formula(entry.expression), value, reason)
        rows.append(
            "<tr>" + "".join(f'<td style="padding: .35em .8em .35em 0">{cell}</td>' for cell in cells) + "</tr>"
        )
    style = "border-collapse: collapse; font-size: .92em; line-height: 1.5; text-align: left; vertical-align: top"
    return mo.Html(f'<table style="{style}">{"".join(rows)}</table>')
