#!/usr/bin/env python3
"""Checks certificates: exact counterexamples to claims.  Needs Python 3.11 or later and nothing else.

    python certificates/check.py FILE ...

A certificate names a claim, gives an instance as integers, and says where the claim's statement fails there.  This program
trusts none of it, and imports nothing from the toolkit that wrote it: it rebuilds the instance from the integers, verifies the
hypotheses, computes both sides with formulas that are written a second time on purpose, and compares every recorded field.

Exit code 0: every file proves its claim false.  1: some file does not; the reason is printed.  2: no file was named.

The program is the folder ``checker`` beside this file, to be read one piece at a time:

    kernel.py    arithmetic with guaranteed bounds: intervals whose ends are rationals
    files.py     what a file may contain, and the bounds on it
    claim.py     what a piece for one claim consists of
    verdict.py   the comparison of every recorded field
    games.py, limits.py    what several claims share: small games, and Theorem 5.5's critics
    claims/      one short piece for each statement of the paper; it needs the ones above, and no other piece
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import sys
import textwrap
from pathlib import Path
from types import ModuleType

sys.dont_write_bytecode = True


def load() -> tuple[ModuleType, ModuleType, ModuleType]:
    """The modules of the folder beside this file, by its path: no search path is used, so ``python -I -S`` does as well."""
    folder = Path(__file__).resolve().parent / "checker"
    name = "certificate_checker"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if spec is None or spec.loader is None:
            raise SystemExit(f"the folder {folder} is missing; check.py is of no use without it")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(sys.modules[name])
        except FileNotFoundError:
            raise SystemExit(f"the folder {folder} is missing; check.py is of no use without it") from None
    kernel, files, verdict = (importlib.import_module(f"{name}.{part}") for part in ("kernel", "files", "verdict"))
    return kernel, files, verdict


def fitted(text: str) -> str:
    """On a terminal no line is cut in a word, and what is carried over is indented; elsewhere the text as it is."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return text
    fit = textwrap.TextWrapper(
        shutil.get_terminal_size().columns,
        subsequent_indent=" " * 12,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(map(fit.fill, text.splitlines()))


def main(paths: list[str]) -> int:
    """Check every file; the exit code."""
    if not paths:
        print(__doc__)
        return 2
    kernel, files, verdict = load()
    code = 0
    for path in paths:
        try:
            print(fitted(f"{path}: {verdict.check(files.read(path))}"))
        except kernel.Rejected as reason:
            print(fitted(f"{path}: rejected: {reason}"))
            code = 1
    return code


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal without Greek letters
    sys.exit(main(sys.argv[1:]))
