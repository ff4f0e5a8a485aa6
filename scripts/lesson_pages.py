"""The lessons as they begin, for reading without a server: plain HTML and drawings, no script, nothing from a network.

marimo's own export loads its viewer from a network, and shows nothing without scripts.  A lesson's output is HTML already; only
the formulas, which marimo typesets in the browser, and the controls need something in their place.  ``docs/conf.py`` puts the
result into the pages of the lessons.
"""

from __future__ import annotations

import html
import importlib
import json
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from mappo_verify.report.mathematics import RELATIONS, mathml

LESSONS = Path(__file__).resolve().parent.parent / "lessons"
VOID = {"br", "hr", "img", "input", "path", "rect", "use", "image", "line", "circle"}
STYLES = {  # what marimo's style sheet would do; its class "contents" means something else to the documentation's theme
    'class="markdown prose dark:prose-invert contents"': "",
    'class="paragraph"': 'style="display: block; margin: .7em 0"',
    "display: flex;": "display: flex; flex-wrap: wrap;",
}
UNSEEN = {"marimo-ui-element", "marimo-form", "marimo-dict"}  # around other controls


def names() -> list[str]:
    """The lessons, in order."""
    return sorted(path.stem for path in LESSONS.glob("lesson_*.py"))


def module(name: str) -> Any:
    """The lesson as a module: its ``app``, title, goals and exercises."""
    if str(LESSONS) not in sys.path:
        sys.path.insert(0, str(LESSONS))
    return importlib.import_module(name)


def goals(name: str) -> str:
    """What the page of a lesson says of it, as Markdown."""
    lesson = module(name)
    listed = "\n".join(f"- {goal}" for goal in lesson.GOALS)
    return (
        f"# {lesson.TITLE}\n\nAbout {lesson.MINUTES} minutes. Afterwards you can\n\n{listed}\n\n"
        f"To move its controls and have your answers checked, in a checkout:\n\n"
        f"```sh\n.venv/bin/pip install '.[lessons]'\n.venv/bin/marimo run lessons/{name}.py\n```"
    )


def teaching(name: str) -> str:
    """A lesson as its teacher needs it: goals, time, and every question with hints and solution, as Markdown."""
    lesson, in_dollars = module(name), module("showing").in_dollars
    parts = [f"### {lesson.TITLE}", "", f"{lesson.MINUTES} minutes. Afterwards they can", ""]
    parts += [f"- {goal}" for goal in lesson.GOALS]
    for exercise in (lesson.PREDICT, lesson.TRY, lesson.PROVE):
        parts += ["", f"**{exercise.kind.capitalize()}.** {exercise.question}", ""]
        parts += [f"- Hint {number}: {hint}" for number, hint in enumerate(exercise.hints, start=1)]
        parts += [f"- Solution: {exercise.solution}"]
        if exercise.kind == "prove":
            lines = lesson.app.run()[1]
            parts += ["", in_dollars(lines["proof_start"].text), ""]
            parts += [
                f"1. ${RELATIONS[step.relation]}$ {in_dollars(step.text)}: {in_dollars(step.because)}"
                for step in lines["proof_steps"]
            ]
    return "\n".join(parts)


def static(name: str) -> str:
    """The lesson with every control where it begins, as HTML that needs nothing else."""
    lesson = module(name)
    outputs, _ = lesson.app.run()
    texts = [output.text for output in outputs if getattr(output, "text", "")]
    head = lesson.opening(lesson.TITLE, lesson.MINUTES, lesson.GOALS).text  # the page has it already
    return "\n".join(f"<div>{plain(text.replace(head, ''))}</div>" for text in texts)


def plain(text: str) -> str:
    """HTML of marimo without marimo: formulas as MathML, controls as what they show."""
    reader = _Plain()
    reader.feed(text)
    reader.close()
    return "".join(reader.parts)


class _Plain(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self.formula: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "marimo-tex":
            self.formula = []
        elif tag.startswith("marimo-"):
            if tag not in UNSEEN:
                self.parts.append(_control(tag, {key: value or "" for key, value in attrs}))
        elif self.formula is None:
            shown = self.get_starttag_text() or ""
            for marimos, ours in STYLES.items():
                shown = shown.replace(marimos, ours)
            self.parts.append(shown)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == "marimo-tex" and self.formula is not None:
            latex = html.unescape("".join(self.formula)).strip()
            display = latex.startswith("||[")
            self.formula = None
            shown = mathml(latex[3:-3].strip(), display)
            self.parts.append(f'<span style="display: block; overflow-x: auto">{shown}</span>' if display else shown)
        elif not tag.startswith("marimo-") and self.formula is None:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        (self.parts if self.formula is None else self.formula).append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")


def _control(tag: str, attributes: dict[str, str]) -> str:
    """What a control shows where it begins: its label and its value, or what there is to choose from."""
    given = {key.removeprefix("data-"): json.loads(value) for key, value in attributes.items() if _is_json(value)}
    label, value = plain(given.get("label") or "").replace(STYLES['class="paragraph"'], ""), given.get("initial-value")
    match tag:
        case "marimo-button":
            return ""
        case "marimo-matrix":
            head = "".join(f"<th>{html.escape(name)}</th>" for name in ["", *given["column-labels"]])
            rows = zip(given["row-labels"], value or (), strict=True)
            body = "".join(
                f"<tr><th>{html.escape(n)}</th>{''.join(f'<td>{v}</td>' for v in row)}</tr>" for n, row in rows
            )
            return f"<table><caption>{label}</caption><tr>{head}</tr>{body}</table>"
        case "marimo-checkbox":
            return f"<p>{'☑' if value else '☐'} {label}</p>"
        case "marimo-slider" | "marimo-number":
            return f"<p>{label} {_shown(value)}</p>"
        case "marimo-dropdown":
            return f"<p>{label}: {_shown(value[0] if value else None)}</p>"
        case "marimo-radio":
            if value is not None:
                return f"<p>{label}: {_shown(value)}</p>"
            return f"<p>{label}</p><ul>{''.join(f'<li>{html.escape(option)}</li>' for option in given['options'])}</ul>"
    raise ValueError(f"nothing says how to show the control {tag} on paper: {attributes}")


def _shown(value: Any) -> str:
    return f"<strong>{html.escape(str(value))}</strong>" if value is not None else "…"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
