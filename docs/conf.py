"""How Sphinx builds this documentation: ``tox -e docs``."""

import re
import sys
from pathlib import Path

import mappo_verify
from mappo_verify.report.mathematics import mathml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
import lesson_pages

project = "mappo_verify"
author = "The mappo-verify developers"
copyright = author  # noqa: A001 - the name that Sphinx reads
release = version = mappo_verify.__version__

extensions = ["myst_parser"]
exclude_patterns = ["_build", "examples", "handout"]

html_theme = "furo"
html_title = "mappo_verify"
html_static_path = [
    "_static",
    "../mappo_verify/report/fonts",
]  # formulas look alike on every machine: MathML needs a font
html_css_files = ["formulas.css"]

myst_heading_anchors = 3


def add_contents(_app, name, source):
    """The home page names every page in its tables; Sphinx's own list is made from them, and a forge never shows it."""
    if name == "proofs/index":
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"
    if name != "index":
        return
    for caption, table in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", source[0], re.MULTILINE | re.DOTALL):
        pages = re.findall(r"\]\(([\w/-]+)\.md\)", table)
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(pages) + "\n```\n"


def typeset(_app, name, source):
    """Formulas between dollars, which forges typeset, as MathML: it needs no script and no network."""
    if name.startswith(("index", "lesson-", "teaching", "proofs/")):
        source[0] = re.sub(
            r"\$\$([^$]+)\$\$", lambda found: f"<p>{mathml(found[1], display=True)}</p>".replace("\n", " "), source[0]
        )
        source[0] = re.sub(r"\$([^$]+)\$", lambda found: mathml(found[1]).replace("\n", " "), source[0])


def add_lesson(_app, _name, source):
    """A lesson's page ends with the lesson itself: what it computes, with every control where it begins."""
    found = re.search(r"<!-- the built documentation shows (lesson_\w+) here -->", source[0])
    if found:
        shown = f"````{{raw}} html\n<div class='lesson'>\n{lesson_pages.static(found[1])}\n</div>\n````"
        source[0] = source[0].replace(found[0], shown)


def setup(app):
    """Connect what this file adds."""
    app.connect("source-read", typeset)
    app.connect("source-read", add_lesson)
    app.connect("source-read", add_contents)
