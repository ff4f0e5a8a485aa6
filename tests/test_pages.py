"""The pages of ``docs/``: what is copied into them is current, and everything on them that can be pasted works."""

import doctest
import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

import mappo_verify as mv

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
EXAMPLE = DOCS / "examples" / "my_lemma"
PAGES = {path.name: path.read_text("utf-8") for path in sorted(DOCS.glob("*.md"))}
FILE = re.compile(r"<!-- begin: file .+?\.py.*? -->.*?<!-- end -->", re.DOTALL)
INSTALL = re.compile(r"python3 -m venv|\.venv/bin/pip install|source \.venv/bin/activate|\.venv/bin/marimo run lessons")
SEPARATE = {"mathematics.md", "reference.md"}
"""Pages whose sections stand for themselves."""
LONG = {"mappo-verify audit --html report"}
"""Commands that take a minute and are tested elsewhere (tests/test_audit.py, tests/test_html.py)."""


def generator():
    """``scripts/pages.py``, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("pages", ROOT / "scripts" / "pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- what is generated ------------------------------------------------------------------------------------------------


def test_generated_parts_are_current():
    for name, text in generator().pages().items():
        assert PAGES[name] == text, f"docs/{name} is out of date: run python scripts/pages.py"


def test_a_change_is_noticed(monkeypatch, tmp_path):
    """A docstring, an example's file: what they say now enters the page."""
    pages = generator()
    page = "<!-- begin: file my.py, first -->\nold\n<!-- end -->\n\n<!-- begin: chapter values -->\nold\n<!-- end -->\n"
    (tmp_path / "my.py").write_text("import os\n# --- first ---\nx = 1\n# --- second ---\ny = 2\n", "utf-8")
    monkeypatch.setattr(pages, "DOCS", tmp_path)
    monkeypatch.setattr(mv.state_values, "__doc__", "Planted ``text``.")
    text = pages.filled(page)
    assert "old" not in text and "\n```python\nx = 1\n```\n" in text and "y = 2" not in text
    assert ": Planted `text`." in text and pages.filled(text) == text


def test_docstrings_become_markdown():
    text = generator().markdown_of("""First, of :class:`~a.b.Thing`::

            Σ x

        Then ``y_*``.

        Parameters
        ----------
        name : str, optional
            What it is.

        >>> 1 + 1
        2
        """)
    assert text == (
        "First, of `Thing`:\n\n```text\nΣ x\n```\n\nThen `y_*`.\n\n**Parameters**\n\n- `name` (str, optional):\n"
        "  What it is.\n\n```pycon\n>>> 1 + 1\n2\n```"
    )


def test_pages_are_plain_markdown():
    """No directive or role of a documentation tool, whose source a repository's web view would show."""
    for name, text in PAGES.items():
        assert not re.search(r"^ *`{3,}\{|^:{3,}|(?<!\S)\{[a-z:]+\}`", text, re.MULTILINE), name
        for token in MarkdownIt("commonmark").parse(text):
            assert token.type != "fence" or token.info in ("sh", "python", "pycon", "text", "json"), (name, token.info)
            assert token.type != "html_block" or re.fullmatch(r"<!-- .+? -->\n?", token.content), (name, token.content)


# --- what can be pasted -----------------------------------------------------------------------------------------------


def blocks(text):
    """Language and text of every block of code but the parts of the example's files, which the page's commands run."""
    tokens = MarkdownIt("commonmark").parse(FILE.sub("", text))
    return [(token.info, token.content) for token in tokens if token.type == "fence"]


def shell(line, folder):
    program, *arguments = shlex.split(line, comments=True)
    plugins = ["-p", "no:cacheprovider", "-p", "mappo_verify.conformance.plugin"]  # loaded by itself where installed
    start = {"mappo-verify": ["-m", "mappo_verify"], "pytest": ["-m", "pytest", *plugins]}
    start |= {"python": [], "python3": []}
    command = [sys.executable, "-X", "utf8", *start[program], *arguments]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    assert found.returncode == 0 and not found.stderr, f"{line}\n{found.stdout}\n{found.stderr}"
    return found.stdout


def paste(text, folder):
    """Do what the page says, block by block; later blocks see what earlier ones defined and wrote."""
    names = {"__name__": "page"}
    parts = blocks(text)
    for (language, block), (then, output) in zip(parts, [*parts[1:], ("", "")], strict=False):
        if language == "pycon":
            runner = doctest.DocTestRunner(verbose=False)
            example = doctest.DocTestParser().get_doctest(block, names, "page", None, None)
            example.globs = names
            said = []
            runner.run(example, out=said.append, clear_globs=False)
            assert not runner.failures, "".join(said)
        elif language == "python":
            exec(compile(block, "page", "exec"), names)
        elif language == "json":
            (folder / "pasted.json").write_text(block, "utf-8")
            mv.load_game(folder / "pasted.json")
        elif language == "sh":
            lines = [line for line in block.splitlines() if line not in LONG and not INSTALL.match(line)]
            said, here = "", folder
            for line in lines:
                if line.startswith("cd "):
                    here = here / line.removeprefix("cd ")
                else:
                    said += shell(line, here)
            assert then != "text" or said == output
    return names


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A directory as a reader's: the example's two files, and the checker where a checkout has it."""
    for path in (*EXAMPLE.glob("*.py"), *(DOCS / "examples" / "conformance").glob("*.py")):
        shutil.copy(path, tmp_path)
    (tmp_path / "certificates").mkdir()
    shutil.copy(ROOT / "certificates" / "check.py", tmp_path / "certificates")
    shutil.copytree(ROOT / "certificates" / "checker", tmp_path / "certificates" / "checker")
    (tmp_path / "my_library.py").write_text("from mappo_verify import mirror_step as our_update\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("improvement", "my_library"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", sorted(PAGES.keys() - SEPARATE))
def test_everything_on_a_page_can_be_pasted(name, desk):
    names = paste(PAGES[name], desk)
    if name == "oracle.md":  # its last block is a test: it passes on the right update and fails on a wrong one
        names["test_our_update_is_the_mirror_step"](3)
        names["our_update"] = lambda factor, values, beta: mv.mirror_step(factor, values, 2 * beta)
        with pytest.raises(AssertionError, match="Not equal to tolerance"):
            names["test_our_update_is_the_mirror_step"](3)


@pytest.mark.parametrize("name", sorted(SEPARATE))
def test_every_section_of_a_generated_page_can_be_pasted(name, desk):
    sections = [text for text in re.split(r"^##+ ", PAGES[name], flags=re.MULTILINE) if "```pycon" in text]
    assert sections
    for section in sections:
        paste(section, desk)


@pytest.mark.parametrize(
    "page",
    [
        "```pycon\n>>> 1 + 1\n3\n```\n",
        "```python\nx = 1 / 0\n```\n",
        "```sh\nmappo-verify no-such-command\n```\n",
        "```sh\npython -c 'print(1)'\n```\n\n```text\n2\n```\n",
        '```json\n{"format": "mappo-verify-game"}\n```\n',
        "```sh\ncurl example.org\n```\n",
    ],
)
def test_what_does_not_work_is_noticed(page, desk):
    with pytest.raises((AssertionError, ZeroDivisionError, mv.errors.MappoVerifyError, KeyError)):
        paste(page, desk)


def test_long_commands_are_still_shown():
    shown = [
        line
        for text in PAGES.values()
        for language, block in blocks(text)
        if language == "sh"
        for line in block.splitlines()
    ]
    assert set(shown) >= LONG


# --- lessons as pages -------------------------------------------------------------------------------------------------


def test_a_lesson_on_paper_needs_nothing_else():
    """No script, no element of marimo, nothing from a network; every formula typeset, every control shown."""
    lesson_pages = generator().lesson_pages
    shown = lesson_pages.static("lesson_1_telescoping_sum")
    assert not re.search(r"<script|marimo-|https?://(?!www\.w3\.org|purl\.org|creativecommons\.org)|contents", shown)
    assert shown.count("<math") > 10 and shown.count("<svg") == 2 and "|| (" not in shown
    assert "each agent lifts with probability … tenths" in shown and "<strong>3</strong>" in shown
    module = lesson_pages.module("lesson_1_telescoping_sum")
    assert all(exercise.solution[:25] not in shown for exercise in (module.PREDICT, module.TRY, module.PROVE))
    with pytest.raises(ValueError, match="marimo-new"):
        lesson_pages.plain("<marimo-new></marimo-new>")


def test_the_home_page_names_lessons_by_title_and_goal():
    pages = generator().lesson_pages
    for number, name in enumerate(pages.names(), start=1):
        source = (ROOT / "lessons" / f"{name}.py").read_text("utf-8")
        goal, title = re.search(r'# description = "(.+)"', source)[1], pages.module(name).TITLE
        assert f"| {goal} | [{title}](lesson-{number}.md) |" in PAGES["index.md"]
        assert f"<!-- the built documentation shows {name} here -->" in PAGES[f"lesson-{number}.md"]
        assert pages.module(name).PROVE.solution in PAGES["teaching.md"]
