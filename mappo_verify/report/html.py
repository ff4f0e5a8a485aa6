"""The audit as one page: no network, no JavaScript needed, nothing on it that is not in the JSON beside it.

:func:`write_report` makes a folder: ``index.html`` (fonts, styles and drawings inside), ``report.json`` (the document that the
page was made from, and nothing else), and ``certificates/`` with one file for each counterexample.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from ..checking.certificate import Certificate, certificate_of, text_of
from ..checking.certificate_limits import size_complaint
from ..checking.corpus import certificates_folder
from ..checking.reports import AuditReport, ClaimReport, Progress
from ..checking.statements import MEANINGS as FINDINGS
from ..checking.statements import OWN_MEANINGS as OWN_FINDINGS
from ..checking.statements import Finding, counted, own_words
from ..claims.claim import MEANING
from ..errors import FileError
from ..games.untrusted import write_whole
from ..model import Game
from ..papers.registry import CLAIMS, IDS
from . import drawings
from .document import full_document
from .latex import latex_of
from .mathematics import MathematicsError, mathml, pieces

FONTS = {"math": "report-math.woff2", "regular": "report-regular.woff2", "bold": "report-bold.woff2"}
MEANINGS = {
    "PROVED": "an identity in symbols, or by exact evaluation at random points with a stated error probability, for the named "
    "sizes; inequalities modulo named axioms",
    "SURVIVED": "every drawn instance was decided exactly, or in certified balls, and holds; no proof is claimed",
    "SUPPORTED": "statistics agree with it, with stated confidence; nothing is certified",
    "OPEN": "instances meet its hypotheses, and its formulas raise an error on some, or none was decided",
    "REFUTED": "an exact instance violates it; the certificate proves that without this toolkit",
    "UNTESTED": "no instance met its hypotheses, or statistics speak against it, which decides nothing",
}
"""What a standing says, in one line."""


def write_report(
    report: AuditReport,
    directory: str | Path,
    game: Game | None = None,
    reproduce: str = "mappo-verify audit",
    progress: Progress | None = None,
) -> Path:
    """Write the folder of an audit and return the page; ``game`` and ``reproduce`` as for :func:`full_document`."""
    folder, document = Path(directory), full_document(report, game, reproduce, progress)
    found = {entry.id: _certificate(entry) for entry in report.claims}
    source = certificates_folder()
    for row, entry in zip(document["claims"], report.claims, strict=True):
        own = found[entry.id]
        row["certificate"] = None if own is None else f"certificates/{entry.id.replace('/', '-')}.json"
        row["checker"] = CHECKER if own is not None and entry.claim in CLAIMS and source is not None else None
        row["latex"] = None if own is None else latex_of(entry, own)
    try:
        (folder / "certificates").mkdir(parents=True, exist_ok=True)
        for row in document["claims"]:
            own = found[row["id"]]
            if own is not None:
                write_whole(folder / row["certificate"], text_of(own))
        if source is not None and any(row["checker"] for row in document["claims"]):
            copy_checker(source, folder / "certificates")
        write_whole(folder / "report.json", json.dumps(document, ensure_ascii=False, indent=1) + "\n")
        write_whole(folder / "index.html", page(document))
    except OSError as error:
        raise FileError(f"{directory} cannot be written: {error.strerror or error}") from None
    return folder / "index.html"


CHECKER = "certificates/check.py"
"""Where the checker lies beside a page."""


def copy_checker(source: Path, folder: Path) -> None:
    """The checker of certificates, which needs Python alone, from the folder ``source`` into ``folder``."""
    for file in sorted(source.rglob("*.py")):
        target = folder / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, file.read_bytes())


def _certificate(report: ClaimReport) -> Certificate | None:
    """The certificate of a counterexample; None where there is none, or it is of a size that none may have."""
    found = report.witness
    if found is None or size_complaint(report.claim, found.sizes):
        return None
    return certificate_of(report.claim, found.sizes, found.coordinates)


def page(document: Mapping[str, Any]) -> str:
    """The page of a full document, and of nothing else."""
    claims = document["claims"]
    known = {row["id"] for row in claims}
    counts = {name: sum(row["standing"] == name for row in claims) for name in drawings.ICONS}
    summary = ", ".join(counted(count, Finding(words)) for words, count in document["counts"].items())
    style = style_sheet()
    script = _asset("report.js")
    leaned_on: dict[str, list[str]] = {row["id"]: [] for row in claims}
    for row in claims:
        for name in row["cites"]:
            leaned_on.get(name, []).append(row["id"])
    template = environment().get_template("report.html")
    text: str = template.render(
        document=document,
        claims=claims,
        known=known,
        statements=document["statements"],
        refuted=_refuted(document["statements"]),
        summary=summary if document["paper"] else own_words(summary),
        own_words=own_words,
        signs=drawings.SIGNS,
        findings={f.value: words for f, words in (FINDINGS if document["paper"] else OWN_FINDINGS).items()},
        kinds={kind.value: words for kind, words in MEANING.items()},
        counts={name: count for name, count in counts.items() if count},
        meanings=MEANINGS if document["paper"] else MEANINGS | {"REFUTED": OWN_FINDINGS[Finding.FALSE]},
        icons=drawings.ICONS,
        leaned_on=leaned_on,
        sections=list(dict.fromkeys(section(row) for row in claims)),
        section=section,
        rich=lambda words, display=False: rich(words, known, display),
        how=lambda row: how(row, known),
        draw=drawings,
        style=Markup(style),
        script=Markup(script),
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; font-src data:; "
        "base-uri 'none'; form-action 'none'",
    )
    return text.lstrip()


def _refuted(statements: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What the page opens with: the refuted theorems; where there is none, whatever is refuted."""
    fallen = [entry for entry in statements if entry["verdict"] == Finding.FALSE.value]
    return [entry for entry in fallen if entry["id"].startswith("theorem")] or fallen


def rich(words: str, known: set[str] | frozenset[str] = frozenset(), display: bool = False) -> Markup:
    """A text of a claim: its formulas as MathML, names of claims as links; as it was typed where it is not understood."""
    try:
        found = pieces(words, IDS | known)
    except MathematicsError:
        return Markup("<code>{}</code>").format(words)
    result, formula = Markup(""), Markup("")
    for piece in found:
        stop = piece.text[:1] if piece.kind == "text" and piece.text[0] in ",;:.)" else ""
        if stop:  # a line must not begin with it
            formula = Markup('<span class="tied">{}{}</span>').format(formula, stop)
        result, formula = result + formula, Markup("")
        if piece.kind == "math":
            formula = Markup(mathml(piece.text, display))
        elif piece.kind == "claim" and piece.text in known:
            result += Markup('<a href="#{0}">{0}</a>').format(piece.text)
        else:
            result += escape(piece.text[len(stop) :])
    return result + formula


def how(row: Mapping[str, Any], known: set[str]) -> Markup:
    """How the standing was reached; the line that it quotes is typeset, and so are the rates that samples show."""
    words = row["how"]
    if row["statistics"]:
        return rich(words, known)
    for entry in row["walk_through"]["lines"]:
        before, quoted, after = words.partition(repr(entry["expression"]))
        if quoted:
            return Markup("{}“{}”{}").format(before, rich(entry["expression"], known), after)
    return escape(words)


def section(row: Mapping[str, Any]) -> str:
    """The part of the paper in which a claim stands: Section 4, Appendix B."""
    found = re.search(r"Appendix [A-Z]|(?:Sections?|Definition|Theorem) (\d)", row["source"])
    return "Other" if found is None else f"Section {found[1]}" if found[1] else found[0]


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def style_sheet() -> str:
    """The styles of every page, with the fonts inside."""
    return _asset("report.css") + _font_faces()


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _font_faces() -> str:
    """The fonts, inside the style sheet: a page opened from a disk may not fetch them from beside it."""
    data = {
        name: base64.b64encode(files(__package__).joinpath("fonts", file).read_bytes()).decode()
        for name, file in FONTS.items()
    }
    face = '@font-face{{font-family:"{}";font-weight:{};font-display:block;src:url(data:font/woff2;base64,{}) format("woff2")}}\n'
    return (
        face.format("Report Text", 400, data["regular"])
        + face.format("Report Text", 700, data["bold"])
        + face.format("Report Math", 400, data["math"])
    )


@cache
def environment() -> Any:
    """Where the templates are; everything that enters one is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
