"""How Sphinx builds this documentation: ``tox -e docs``."""

import sys
from pathlib import Path

import mappo_verify

sys.path.insert(0, str(Path(__file__).parent / "examples" / "my_lemma"))  # pages import the example as its user does

project = "mappo_verify"
author = "The mappo-verify developers"
copyright = author  # noqa: A001 - the name that Sphinx reads
release = version = mappo_verify.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.doctest", "sphinx.ext.viewcode"]
exclude_patterns = ["_build", "examples"]

html_theme = "furo"
html_title = "mappo_verify"

myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings give shapes, which say more than "Array"
napoleon_google_docstring = False
doctest_test_doctest_blocks = ""  # pages mark theirs; the docstrings' are tested by pytest
doctest_global_setup = """
import contextlib, tempfile
import mappo_verify as mv
elsewhere = contextlib.ExitStack()
elsewhere.enter_context(contextlib.chdir(elsewhere.enter_context(tempfile.TemporaryDirectory())))
"""
doctest_global_cleanup = "elsewhere.close()"
toc_object_entries_show_parents = "hide"
