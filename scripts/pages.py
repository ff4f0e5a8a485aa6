"""The generated parts of ``docs/``, rewritten by ``python scripts/pages.py`` in a checkout; tests compare.

Pages are plain Markdown, so that they read as well in a repository's web view as in the built documentation.  What a page
takes from elsewhere stands in it between two comments, which neither shows::

    <!-- begin: chapter values -->            the docstring of a module of ``quantities/`` and what it defines
    <!-- begin: file examples/x.py, part -->  a file of ``docs/``, or what stands below its line ``# --- part ---``
    <!-- begin: lesson name -->               title and goals of a lesson; ``teaching`` its questions and solutions, too
    <!-- end -->

``reference.md`` is generated as a whole.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import mappo_verify as mv

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lesson_pages

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PART = re.compile(r"(<!-- begin: (\w+) (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
LANGUAGES = {".py": "python", ".txt": "text"}

# --- docstrings -------------------------------------------------------------------------------------------------------

ROLE = re.compile(r":\w+:`~?(?:[\w.]+\.)?(\w+)`")
ENTRY = re.compile(r"\*{0,2}\w[^:`]*( : .+)?")


def markdown_of(docstring: str, scope: Mapping[str, Any] | None = None) -> str:
    """A docstring in reStructuredText, as this project writes them, in Markdown.

    Its examples may use what their module defines or imports, ``scope``; so that they can be pasted, imports come first.
    """
    lines = inspect.cleandoc(docstring).splitlines()
    imports = _imports(docstring, scope or {})
    shown: list[str] = []
    entries = False  # inside a section whose unindented lines name parameters
    position = 0
    while position < len(lines):
        line = lines[position]
        following = lines[position + 1] if position + 1 < len(lines) else ""
        if following and set(following) == {"-"}:
            entries = line not in ("Examples", "Notes")
            shown += [f"**{line}**", ""]
            position += 2
        elif line.startswith(">>>"):
            block = _until(lines, position, lambda text: not text)
            shown += ["```pycon", *imports, *block, "```"]
            imports = []
            position += len(block)
        elif line.rstrip().endswith("::"):
            shown += [_inline(re.sub(r"\s*::$", ":", line)), ""]
            position += 1
            while not lines[position]:
                position += 1
            block = _until(lines, position, lambda text: bool(text) and not text.startswith(" "))
            position += len(block)
            while not block[-1]:
                block.pop()
            shown += ["```text", *inspect.cleandoc("\n" + "\n".join(block)).splitlines(), "```", ""]
        elif entries and line and not line.startswith(" ") and ENTRY.fullmatch(line):
            name, _, kind = line.partition(" : ")
            shown.append(f"- `{name}`" + (f" ({_inline(kind)}):" if kind else ":"))
            position += 1
        else:
            shown.append(_inline(line.replace("    ", "  ", 1) if entries else line))
            position += 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(shown)).strip()


def _imports(docstring: str, scope: Mapping[str, Any]) -> list[str]:
    """What the examples of a docstring use and do not define themselves, imported."""
    trees = [ast.parse(example.source) for example in doctest.DocTestParser().get_examples(docstring)]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    defined = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    defined |= {
        a.asname or a.name for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for a in node.names
    }
    used = {node.id for node in nodes if isinstance(node, ast.Name)} - defined
    shown, names = [], defaultdict(list)
    for name in sorted(used & scope.keys()):
        thing = scope[name]
        if isinstance(thing, ModuleType):
            shown.append(f">>> import {thing.__name__} as {name}")
        elif getattr(mv, name, None) is thing:
            names["mappo_verify"].append(name)
        else:
            names[scope["__name__"] if getattr(thing, "__name__", "") != name else thing.__module__].append(name)
    return shown + [f">>> from {module} import {', '.join(several)}" for module, several in sorted(names.items())]


def _until(lines: list[str], begin: int, stop: Callable[[str], bool]) -> list[str]:
    end = begin
    while end < len(lines) and not stop(lines[end]):
        end += 1
    return lines[begin:end]


def _inline(text: str) -> str:
    return ROLE.sub(r"`\1`", text).replace("``", "`")


def call_of(name: str, thing: Any) -> str:
    """``name(parameters)`` without types: the text says more than ``Array``."""
    signature = inspect.signature(thing)
    empty = inspect.Parameter.empty
    parameters = [p.replace(annotation=empty) for p in signature.parameters.values() if p.name not in ("self", "cls")]
    shown = str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))
    return name + re.sub(r"<module '(\w+)' from '[^']*'>", r"\1", re.sub(r" at 0x[0-9a-f]+", "", shown))


# --- reference.md -----------------------------------------------------------------------------------------------------


def reference() -> str:
    """Every public name with its documentation, once, in the order and under the headings of the stubs ``__init__.pyi``."""
    parts = [
        "# Every public name",
        "",
        "Generated from the package's docstrings by `python scripts/pages.py`; a test keeps it current.  `mv` is",
        "`import mappo_verify as mv`.  After the names at its top come its namespaces, each without what the top has too.",
        "",
    ]
    shown: set[str] = set()
    for space in ("", *_sections("")[""]):
        module = importlib.import_module(f"mappo_verify.{space}".rstrip("."))
        prefix = f"mv.{space}".rstrip(".")
        if space:
            parts += [f"## `{prefix}`", "", _inline((module.__doc__ or "").partition("\n\n")[0].strip()), ""]
        for title, names in _sections(space).items():
            new = [name for name in names if name not in shown and _is_documented(getattr(module, name))]
            shown |= set(new)
            if new and title and not space:
                parts += [f"## {title}", ""]
            for name in new:
                parts += [*_described(f"{prefix}.{name}", getattr(module, name)), ""]
    return "\n".join(parts)


def _sections(space: str) -> dict[str, list[str]]:
    """The public names of a namespace by the headings of its stub; names of modules, and names without a stub, under ""."""
    stub = ROOT / "mappo_verify" / space / "__init__.pyi"
    if not stub.exists():
        module = importlib.import_module(f"mappo_verify.{space}")
        return {"": getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]}
    text = stub.read_text(encoding="ascii")
    headings = {n: t for n, t in enumerate(text.splitlines(), start=1) if t.startswith("# --- ")}
    sections: dict[str, list[str]] = {}
    for entry in ast.parse(text).body:
        if isinstance(entry, ast.ImportFrom):
            title = headings[max(n for n in headings if n < entry.lineno)].removeprefix("# --- ").rstrip("- ")
            sections.setdefault(title if entry.module else "", []).extend(alias.name for alias in entry.names)
    return sections


def _is_documented(value: Any) -> bool:
    """Whether a name is a class or a function; constants and type aliases have no documentation of their own."""
    return inspect.isclass(value) or inspect.isroutine(inspect.unwrap(value) if callable(value) else value)


def _described(path: str, thing: Any) -> Iterator[str]:
    """A heading, how it is called, and what its docstring says; of a class also the members that have one."""
    scope = vars(sys.modules[thing.__module__])
    yield f"### `{path}`"
    yield ""
    if not (isinstance(thing, type) and issubclass(thing, Exception | Enum)):
        yield f"**`{call_of(path, thing)}`**"
        yield ""
    yield markdown_of(inspect.getdoc(thing) or "", scope)
    for member, value in vars(thing).items() if isinstance(thing, type) else ():
        text = getattr(value, "__doc__", None)
        if member.startswith("_") or not text:
            continue
        if isinstance(value, classmethod | staticmethod):
            shown = call_of(f"{path}.{member}", value.__func__)
        elif inspect.isfunction(value):
            shown = f".{call_of(member, value)}"
        elif isinstance(value, property | cached_property):
            shown = f".{member}"
        else:
            continue
        yield ""
        yield f"**`{shown}`**"
        yield ""
        yield markdown_of(text, scope)


# --- parts of pages ---------------------------------------------------------------------------------------------------


def chapter(name: str) -> str:
    """A chapter of the mathematics: what its module says, and its functions and classes, one line each."""
    module = importlib.import_module(f"mappo_verify.quantities.{name}")
    public = dir(mv.quantities)
    parts = [markdown_of(module.__doc__ or "", vars(module)), "", f"In `mappo_verify.quantities.{name}`:", ""]
    for member, thing in vars(module).items():
        if member.startswith("_") or getattr(thing, "__module__", "") != module.__name__ or not callable(thing):
            continue
        path = member if member in dir(mv) else f"quantities.{member}" if member in public else ""
        shown = f"[`mv.{path}`](reference.md#{('mv' + path).replace('.', '').lower()})" if path else f"`{member}`"
        text = _inline(" ".join(inspect.cleandoc(thing.__doc__ or "").split("\n\n")[0].split()))
        parts.append(f"- {shown}: {text}")
    return "\n".join(parts)


def file(what: str) -> str:
    """A file below ``docs/``, or one part of it, as a block of code."""
    name, _, part = what.partition(", ")
    text = (DOCS / name).read_text(encoding="utf-8")
    if part:
        pieces = re.split(r"^# --- (.+?) -+\n", text, flags=re.MULTILINE)
        text = dict(zip(pieces[1::2], pieces[2::2], strict=True))[part]
    return f"```{LANGUAGES[Path(name).suffix]}\n{text.strip()}\n```"


def hooks(suite: str) -> str:
    """The hooks of a test class of the conformance kit: what each is handed, what it returns, the formula with its source."""
    from mappo_verify.conformance import suites
    from mappo_verify.conformance.registry import CHECKS

    shown = []
    for name in [name for name, value in vars(getattr(suites, suite)).items() if value is None]:
        check = CHECKS[name]
        shown += [
            f"#### `{name}` → {check.returns}, `{check.shape}`",
            "",
            f"`{check.formula}`  ",
            f"Source: {check.source}. Must name {', '.join(' or '.join(f'`{n}`' for n in group) for group in check.needs)}.",
            "",
            "| may name | shape | meaning |",
            "| --- | --- | --- |",
            *(f"| `{a.name}` | `{a.shape}` | {a.meaning.replace('|', '∣')} |" for a in check.arguments),
            "",
            "Slips that are known by name: " + "; ".join(slip.name for slip in check.with_sign()) + ".",
            "",
        ]
    return "\n".join(shown).rstrip()


KINDS = {
    "hooks": hooks,
    "chapter": chapter,
    "file": file,
    "lesson": lesson_pages.goals,
    "teaching": lesson_pages.teaching,
}


def filled(page: str) -> str:
    """A page with its generated parts written anew."""
    return PART.sub(lambda found: f"{found[1]}\n{KINDS[found[2]](found[3])}\n\n{found[4]}", page)


def pages() -> dict[str, str]:
    """The pages of ``docs/`` that are generated, or have generated parts, by name."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
    return {name: filled(text) for name, text in texts.items() if PART.search(text)} | {"reference.md": reference()}


def main() -> None:
    """Rewrite them."""
    for name, text in pages().items():
        if (DOCS / name).read_text(encoding="utf-8") != text:
            (DOCS / name).write_text(text, encoding="utf-8")
            sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
