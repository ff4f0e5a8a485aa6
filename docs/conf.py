"""How Sphinx builds this documentation: ``tox -e docs``."""

import re

import mappo_verify

project = "mappo_verify"
author = "The mappo-verify developers"
copyright = author  # noqa: A001 - the name that Sphinx reads
release = version = mappo_verify.__version__

extensions = ["myst_parser"]
exclude_patterns = ["_build", "examples"]

html_theme = "furo"
html_title = "mappo_verify"

myst_heading_anchors = 3


def add_contents(_app, name, source):
    """The home page names every page in its tables; Sphinx's own list is made from them, and a forge never shows it."""
    if name != "index":
        return
    for caption, table in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", source[0], re.MULTILINE | re.DOTALL):
        pages = re.findall(r"\]\(([\w/-]+)\.md\)", table)
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(pages) + "\n```\n"


def setup(app):
    """Connect what this file adds."""
    app.connect("source-read", add_contents)
