"""What the lessons share: charts, the lines of a proof, and exercises.  No mathematics of the paper is in here."""

from __future__ import annotations

import html
import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import marimo as mo
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mappo_verify import compare
from mappo_verify.arithmetic import floats_of
from mappo_verify.claims.verdict import Evidence
from mappo_verify.report.latex import number as latex_number
from mappo_verify.report.mathematics import pieces

GREY, BLUE, ORANGE, GREEN = "#8a95a1", "#3182bd", "#e6742e", "#239b76"  # each readable on white and on black
MARKS = {1: "✓", 0: "≈", -1: "✗ <b>breaks here:</b>"}


def short(number: Any, longest: int = 14) -> str:
    """An exact fraction, or its first digits if it is written in ``longest`` characters or more."""
    return str(number) if len(str(number)) < longest else f"{decimal(number):.4f}"


def fraction(number: Any) -> str:
    """An exact fraction as LaTeX, in parentheses if it is negative."""
    shown = latex_number(number)
    return f"({shown})" if number < 0 else shown


def decimal(number: Any) -> float:
    """The nearest float: of a fraction, a logarithm, a ball."""
    return float(floats_of(np.asarray(number)))


# --- charts -------------------------------------------------------------------------------------------------------------

INK = "#010203"  # stands for the colour of the text around the chart, which follows the reader's dark preference
STYLE = {
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "axes.titlesize": 9,
    "svg.hashsalt": "lessons",
}


def chart(draw: Callable[[Axes], object], says: str, height: float = 2.4) -> mo.Html:
    """What ``draw`` draws, as wide as the page but no wider than reads well; ``says`` is for who cannot see it."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(
            figsize=(3.5, height), layout="constrained"
        )  # inches: a telephone's 350 pixels without shrinking
        axes = figure.subplots()
        draw(axes)
        if axes.get_legend_handles_labels()[1]:
            figure.legend(loc="outside upper center", ncols=1)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawn = file.getvalue()
    shown = drawn[drawn.index("<svg") :].replace(INK, "currentColor")
    label = html.escape(says, quote=True)
    style = "width: 100%; max-width: 560px; height: auto; display: block"
    return mo.Html(
        f'<div role="img" aria-label="{label}">{shown.replace("<svg ", f"""<svg style="{style}" """, 1)}</div>'
    )


def staircase(
    levels: Sequence[Any], names: Sequence[str], ends: tuple[str, str], axis: str, title: str = ""
) -> mo.Html:
    """Bars for the first and the last level, and between them one step up or down for each name."""
    bars = [(ends[0], 0.0, decimal(levels[0]), short(levels[0], 8), GREY)]
    for name, before, after in zip(names, levels, levels[1:], strict=False):
        up = after >= before
        text = f"{'+' if up else ''}{short(after - before, 8)}"
        bars.append((name, decimal(before), decimal(after), text, BLUE if up else ORANGE))
    bars.append((ends[1], 0.0, decimal(levels[-1]), short(levels[-1], 8), GREY))

    def draw(axes: Axes) -> None:
        for position, (_, begin, end, text, colour) in enumerate(bars):
            axes.bar(position, end - begin, bottom=begin, color=colour, width=0.65)
            axes.annotate(
                text, (position, max(begin, end)), (0, 2), textcoords="offset points", ha="center", fontsize=8
            )
        axes.axhline(0, color=INK, linewidth=0.6)
        axes.set_xticks(range(len(bars)), [name for name, *_ in bars])
        axes.set_ylabel(axis)
        axes.margins(y=0.12)
        axes.set_title(title)

    return chart(draw, f"{axis}: " + ", ".join(f"{name} {text}" for name, _, _, text, _ in bars))


# --- proofs -------------------------------------------------------------------------------------------------------------


def formula(text: str) -> str:
    """Mathematics as claims write it, ``π_k^m ≤ 1``, for marimo to typeset."""
    return "".join(
        f'<marimo-tex class="arithmatex">||({html.escape(text)}||)</marimo-tex>' if math else html.escape(text)
        for math, text in _parts(text)
    )


def in_dollars(text: str) -> str:
    """The same in Markdown."""
    return "".join(f"${text}$" if math else text for math, text in _parts(text)).replace("$$", "")


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    """Formulas as LaTeX, and the words between them."""
    for part in pieces(text):
        yield part.kind == "math", part.text.replace(r"\text{′}", "'")


def lines_table(rows: Iterable[tuple[str, str, str, str]]) -> mo.Html:
    """Lines below one another: a mark or a relation, a formula with its number, and the reason below it."""
    cells = []
    wide = "max-width: 100%; overflow-x: auto; overflow-y: hidden"
    beside = "display: flex; flex-wrap: wrap; justify-content: space-between; column-gap: .9em"
    for mark, expression, value, reason in rows:
        line = f'<div style="{wide}">{expression}</div><div style="margin-left: auto">{value}</div>'
        why = f'<div style="font-size: .86em; opacity: .8">{reason}</div>' if reason else ""
        cells.append(f'<div>{mark}</div><div><div style="{beside}">{line}</div>{why}</div>')
    style = "display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .15em .9em; max-width: 46em"
    return mo.Html(f'<div style="{style}; line-height: 1.7; margin: .6em 0">{"".join(cells)}</div>')


def proof_table(evidence: Evidence) -> mo.Html:
    """Every line of a proof with its number, whether it follows from the line before, and why."""
    rows = []
    for entry in evidence.lines:
        relation, reason = "", ""
        if entry.step is not None:
            relation = entry.step.relation
            reason = f"{MARKS[int(np.min(entry.step.truth))]} {formula(entry.step.because)}"
        value = f"{decimal(entry.value):.4f}" if np.ndim(entry.value) == 0 else "a table"
        rows.append((relation, formula(entry.expression), value, reason))
    return lines_table(rows)


# --- exercises ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exercise:
    """A question with hints.  What a lesson says of an answer depends on the objection to it; ``None``: right."""

    kind: Literal["predict", "try", "prove"]
    question: str
    hints: tuple[str, ...]
    solution: str

    def ask(self, *controls: Any) -> mo.Html:
        """The question, its hints folded, and the controls to answer it with."""
        hints = [
            mo.Html(f"<details><summary>Hint {number}</summary>{mo.md(hint).text}</details>")
            for number, hint in enumerate(self.hints, start=1)
        ]
        title = {"predict": "Exercise 1: predict", "try": "Exercise 2: try", "prove": "Exercise 3: prove"}[self.kind]
        return mo.vstack([mo.md(f"## {title}\n\n{self.question}"), *hints, *controls])

    def feedback(self, attempt: Any, objection: str | None) -> mo.Html:
        """Nothing before an attempt; an objection to a wrong one; after a right one the solution, to compare with."""
        if attempt is None:
            return note("First your attempt.", GREY)
        if objection is not None:
            return note(f"**Not yet.** {objection}", ORANGE)
        return note(f"**Right.** {self.solution}", GREEN)


def note(text: str, colour: str) -> mo.Html:
    """A remark with a coloured edge."""
    return mo.Html(f'<div style="border-left: 4px solid {colour}; padding: .1em 1em">{mo.md(text).text}</div>')


@dataclass(frozen=True)
class Line:
    """One line that a proof may go on with: how it relates to the line before, its number here, and the reason."""

    relation: str
    text: str
    because: str
    value: Any = None


def lettered(lines: Sequence[Line]) -> dict[str, Line]:
    """The lines offered, each with its letter, in an order that says nothing of the proof."""
    return dict(zip("ABCDEFGH", sorted(lines, key=lambda line: (line.text, line.because)), strict=False))


def offer(start: Line, lines: Sequence[Line]) -> mo.Html:
    """The line with which a proof begins, and the lines that it may go on with."""
    rows = [("", formula(start.text), "", "")]
    rows += [
        (f"<b>{letter}</b>", f"{line.relation} {formula(line.text)}", "", formula(line.because))
        for letter, line in lettered(lines).items()
    ]
    return lines_table(rows)


def slots(lines: Sequence[Line], number: int) -> Any:
    """The controls of a proof to be put together: for each step the letter of a line."""
    steps = {f"step_{k}": mo.ui.dropdown([*lettered(lines)], label=f"step {k}") for k in range(1, number + 1)}
    return mo.md("\n\n".join(f"{{{name}}}" for name in steps)).batch(**steps)


def objection_to(
    answer: Mapping[str, str | None], start: Line, lines: Sequence[Line], proof: Sequence[Line]
) -> str | None:
    """What is wrong with the chosen chain: a gap, a step that is false on this instance, or the order."""
    chosen = [letter for letter in answer.values() if letter is not None]
    if len(chosen) < len(answer):
        return "Choose a line for every step."
    chain = [start, *(lettered(lines)[letter] for letter in chosen)]
    for number, (before, after) in enumerate(itertools.pairwise(chain), start=1):
        if not np.all(compare(before.value, after.relation, after.value) == 1):
            left, right = (short(np.ravel(np.asarray(line.value, dtype=object))[0]) for line in (before, after))
            return f"Step {number} breaks on the numbers of this page: {left} {after.relation} {right} is false."
    if chain[1:] != list(proof):
        return "Every line is true here, but some line does not follow *by its reason* from the one before it."
    return None


def opening(title: str, minutes: int, goals: Sequence[str]) -> mo.Html:
    """The head of a lesson."""
    listed = "\n".join(f"- {goal}" for goal in goals)
    return mo.md(f"# {title}\n\nAbout {minutes} minutes. Afterwards you can\n\n{listed}")
