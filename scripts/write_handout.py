"""The errata as a paper of a few pages for the authors: HTML that prints, and LaTeX.

``docs/handout/source.md`` is the text.  What the project computed enters by name: ``{{sides:CERTIFICATE}}``, both sides of a
recorded counterexample, ``{{left:...}}``, ``{{right:...}}``, ``{{steps:...}}``; ``{{slips}}``, what else is false as printed, and
``{{standings}}``, the repairs and what is recorded of them.  ``python scripts/write_handout.py`` rewrites both; a test compares.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path

from mappo_verify.claims.claim import Kind
from mappo_verify.claims.verdict import Standing
from mappo_verify.papers.local_optimization.statements import STATEMENTS
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.report.latex import prose
from mappo_verify.report.mathematics import mathml

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "handout"
THEOREMS = ("theorem-4.5", "theorem-5.5", "theorem-d.7", "lemma-b.4", "lemma-c.2", "lemma-c.3")
"""What the sections of the text treat."""
DECIMALS = 5
SIGNS = {"≤": "is not at most", "≥": "is not at least", "=": "is not"}


def certificate(name: str) -> dict[str, object]:
    """A recorded counterexample."""
    found: dict[str, object] = json.loads((ROOT / "certificates" / f"{name}.json").read_text())
    return found


def shown(value: object) -> str:
    """A recorded side: a rational, or the leading decimals that both ends of an enclosure share."""
    if isinstance(value, str):
        return value
    low, high = value  # type: ignore[misc]
    whole, _, digits = min(low, high, key=lambda end: abs(float(end))).partition(".")
    return f"{whole}.{digits[:DECIMALS]}…"


def fact(name: str) -> str:
    """What a placeholder stands for."""
    kind, _, of = name.partition(":")
    if kind == "slips":
        return slips()
    if kind == "standings":
        return standings()
    found = certificate(of)
    if kind == "sides":
        relation = SIGNS[str(found["relation"])]
        return f"left side {shown(found['left_value'])}, which {relation} the right side {shown(found['right_value'])}"
    return {"left": lambda: shown(found["left_value"]), "right": lambda: shown(found["right_value"])}.get(
        kind, lambda: str(found[kind])
    )()


def slips() -> str:
    """Statements that are false as printed, or miss a hypothesis, and why."""
    fallen = {
        c.parent for c in CLAIMS if c.record is Standing.REFUTED and c.kind in (Kind.PRINTED, Kind.HYPOTHESIS)
    } - set(THEOREMS)
    return "\n".join(f"- **{s.name}** ({s.title}): {s.why}." for s in STATEMENTS if s.id in fallen and s.why)


def standings() -> str:
    """The repairs, each with what the registry records."""
    return ", ".join(f"`{c.id}` ({c.record.value})" for c in CLAIMS if c.kind is Kind.REPAIR and c.record is not None)


def text() -> str:
    """The source with its facts."""
    source = (FOLDER / "source.md").read_text()
    return re.sub(r"\{\{([\w.\-:]+)\}\}", lambda found: fact(found[1]), source)


def blocks(source: str) -> list[str]:
    """Paragraphs, headings, and the items of lists."""
    found: list[str] = []
    for part in re.split(r"\n\s*\n", source.strip()):
        found += re.split(r"\n(?=- )", part) if part.startswith("- ") else [part]
    return found


Inline = Callable[[str], str]


def typeset(words: str, formula: Callable[[str, bool], str], plain: Inline, marks: tuple[str, str, str]) -> str:
    """Formulas by ``formula``, everything else by ``plain``; ``**bold**``, ``*slanted*`` and code by the templates ``marks``."""
    formulas: list[str] = []

    def kept(found: re.Match[str]) -> str:
        formulas.append(formula(found[0].strip("$"), found[0].startswith("$$")))
        return f"\x00{len(formulas) - 1}\x00"

    words = plain(re.sub(r"\$\$[^$]+\$\$|\$[^$]+\$", kept, words))
    for pattern, mark in zip((r"\*\*(.+?)\*\*", r"\*(.+?)\*", r"`(.+?)`"), marks, strict=True):
        words = re.sub(pattern, lambda found, mark=mark: mark.format(found[1]), words, flags=re.DOTALL)
    return re.sub("\x00(\\d+)\x00", lambda found: formulas[int(found[1])], words)


def as_html(source: str) -> str:
    """A page that prints on A4."""

    def formula(latex: str, display: bool) -> str:
        found = mathml(" ".join(latex.split()), display).replace("\n", " ")
        return f'<span class="display">{found}</span>' if display else found

    def inline(words: str) -> str:
        marks = ("<strong>{}</strong>", "<em>{}</em>", "<code>{}</code>")
        return typeset(words, formula, lambda part: html.escape(part, quote=False), marks)

    body, open_list = [], False
    for block in blocks(source):
        if block.startswith("- ") != open_list:
            body.append("</ul>" if open_list else "<ul>")
            open_list = not open_list
        if block.startswith("#"):
            level = len(block) - len(block.lstrip("#"))
            body.append(f"<h{level}>{inline(block.lstrip('# '))}</h{level}>")
        else:
            body.append(f"<li>{inline(block[2:])}</li>" if open_list else f"<p>{inline(block)}</p>")
    end = "</ul>\n" if open_list else ""
    style = (
        "@page { size: A4; margin: 2cm } body { font: 10.5pt/1.4 serif; max-width: 17cm; margin: 1cm auto; padding: 0 1em }"
        " h1 { font-size: 15pt } h2 { font-size: 12pt } .display { display: block; overflow-x: auto; margin: .6em 0 }"
        " li { margin: .2em 0 } @media print { body { margin: 0; max-width: none } }"
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Errata</title>\n<style>{style}</style>\n'
        + "\n".join(body)
        + f"\n{end}</html>\n"
    )


NAMES = (
    "γ gamma λ lambda π pi φ varphi ε varepsilon δ delta Δ Delta η eta μ mu ν nu σ sigma θ theta ζ zeta ω omega χ chi β beta "
    "≤ le ≥ ge "
    "∈ in → to ∞ infty ‖ Vert ⟨ langle ⟩ rangle · cdot ∼ sim ⌈ lceil ⌉ rceil … ldots √ surd"
)
GREEK = {sign: f"\\{name}" for sign, name in re.findall(r"(\S) (\w+)", NAMES)}
"""Signs of formulas, and how LaTeX writes them."""


def in_latex(latex: str) -> str:
    """A formula without signs beyond ASCII."""
    return "".join(f"{GREEK[sign]} " if sign in GREEK else sign for sign in latex)


def as_latex(source: str) -> str:
    """An article that pdflatex compiles."""

    def formula(latex: str, display: bool) -> str:
        made = in_latex(" ".join(latex.split()))
        return f"\n\\[\n{made}\n\\]\n" if display else f"${made}$"

    def plain(words: str) -> str:
        made = prose(words).replace("∎", r"\hfill$\square$").replace("…", r"\ldots{}")
        return "".join(f"${GREEK[s]}$" if s in GREEK else s for s in made)

    def inline(words: str) -> str:
        return typeset(words, formula, plain, (r"\textbf{{{}}}", r"\emph{{{}}}", r"\texttt{{{}}}"))

    body, open_list = [], False
    for block in blocks(source):
        if block.startswith("- ") != open_list:
            body.append(r"\end{itemize}" if open_list else r"\begin{itemize}")
            open_list = not open_list
        if block.startswith("# "):
            body.append(f"\\title{{{inline(block[2:])}}}\\author{{}}\\date{{}}\\maketitle")
        elif block.startswith("## "):
            body.append(f"\\section*{{{inline(block[3:])}}}")
        else:
            body.append(rf"\item {inline(block[2:])}" if open_list else inline(block) + "\n")
    end = "\\end{itemize}\n" if open_list else ""
    head = "\\documentclass[a4paper,10pt]{article}\n\\usepackage[T1]{fontenc}\n\\usepackage[utf8]{inputenc}\n"
    head += "\\usepackage{amsmath,amssymb}\n\\usepackage[margin=2.2cm]{geometry}\n\\begin{document}\n"
    return head + "\n".join(body) + f"\n{end}\\end{{document}}\n"


def documents() -> dict[str, str]:
    """Both files."""
    found = text()
    return {"errata.html": as_html(found), "errata.tex": as_latex(found)}


if __name__ == "__main__":
    for name, content in documents().items():
        (FOLDER / name).write_text(content)
