"""Do the tests notice wrong code?  A seeded sample of small changes, each tried on the tests that should fail.

A *mutant* is the package with one operator, comparison, constant, condition or loop changed.  It is *killed* if some test fails,
or does not end in time; a file of tests that does so without any mutant kills nobody and is left out.  Mutants are drawn from
``arithmetic/``, ``quantities/``, ``claims/`` and ``checking/``; of the kernel of ``certificates/check.py`` all of them are tried.
Tests are those whose text names the module or one of its functions, those that name it most often first.

    python scripts/mutation.py                    500 drawn mutants and the whole kernel; hours
    python scripts/mutation.py --count 20 --seed 3 --module mappo_verify/quantities/values.py
    python scripts/mutation.py --count 0 --kernel

Survivors are printed as file, line, and change; the exit code is 1 if fewer than 95 % are killed, or one of the kernel survives
that :data:`EQUIVALENT` does not explain.
"""

from __future__ import annotations

import argparse
import ast
import copy
import itertools
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("arithmetic", "quantities", "claims", "checking")
KERNEL = "certificates/checker/kernel.py"
ENOUGH = 0.95
SECONDS = 300
"""What the tests of one mutant may take."""
PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider")
PASSING = (0, 5)
"""Exit codes of pytest if all pass, and if there is nothing to run: a module without doctests notices nothing."""
FILES_OF_TESTS = 6
"""How many files of tests a mutant is tried on."""

PATH = "both branches are the same there, one is only longer"
EQUIVALENT: dict[str, str] = {
    "self.low >= 0 -> self.low > 0": PATH,
    "other.low >= 0 -> other.low > 0": PATH,
    "other.low > 0 -> other.low >= 0": "0 was refused a line before",
    "value.denominator <= 1 << GRID -> value.denominator < 1 << GRID": "a multiple of the grid is rounded to itself",
    "x < 0 -> x <= 0": "0 was answered a line before",
    "value.high <= 1000 -> value.high < 1000": "e^-1000 is below the grid: from 0 to 2^-512 either way",
    "1000 -> 1001": "e^-1000 is below the grid: from 0 to 2^-512 either way",
}
"""Mutants of the kernel that change nothing, by their change, and why."""

COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.MatMult: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    path: str
    line: int
    change: str
    source: str


def mutants_of(path: str, source: str, only: int | None = None) -> list[Mutant]:
    """All mutants of a module, or one of them; annotations, docstrings and texts stay as they are."""
    tree = ast.parse(source)
    nodes = [node for node in _code(tree) if list(_changes(node))]
    found, places = [], itertools.count()
    for position, node in enumerate(nodes):
        for number, _ in enumerate(_changes(node)):
            if only not in (None, next(places)):
                continue
            changed = copy.deepcopy(tree)
            twin = [other for other in _code(changed) if list(_changes(other))][position]
            before = ast.unparse(twin)
            list(_changes(twin))[number]()
            after = ast.unparse(twin)
            line = getattr(node, "lineno", None) or node.target.lineno
            found.append(Mutant(path, line, f"{_short(before)} -> {_short(after)}", ast.unparse(changed)))
    return found


def _short(text: str) -> str:
    first = text.splitlines()[0] if text else ""
    return first if len(first) <= 100 else first[:97] + "..."


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Expressions and statements that compute something."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                yield child
                yield from _code(child)


def _changes(node: ast.AST) -> Iterator[object]:
    """Functions that change this node in place, each in one way."""
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            if type(operator) in COMPARISONS:
                yield lambda place=place, operator=operator: node.ops.__setitem__(place, COMPARISONS[type(operator)]())
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in OPERATORS and not _is_text(node):
        yield lambda: setattr(node, "op", OPERATORS[type(node.op)]())
    elif isinstance(node, ast.BoolOp):
        yield lambda: setattr(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield lambda: setattr(node, "op", ast.UAdd() if isinstance(node.op, ast.USub) else ast.Not()) or _undo_not(node)
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield lambda: setattr(node, "value", node.value + 1)
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield lambda: setattr(node, "value", not node.value)
    elif isinstance(node, (ast.For, ast.comprehension)):  # the last turn of a loop is left out
        yield lambda: setattr(node, "iter", ast.parse(f"list({ast.unparse(node.iter)})[:-1]", mode="eval").body)


def _undo_not(node: ast.UnaryOp) -> None:
    if isinstance(node.op, ast.Not):
        node.operand = ast.UnaryOp(ast.Not(), node.operand)


def _is_text(node: ast.AST) -> bool:
    return any(isinstance(part, ast.JoinedStr) or (isinstance(part, ast.Constant) and isinstance(part.value, str))
               for part in ast.walk(node))  # fmt: skip


def tests_of(path: str, source: str) -> list[str]:
    """The module's own doctests; the files of tests called like it; those that name it or its functions, most mentions first."""
    if path.startswith("certificates/"):
        return ["tests/test_checker_kernel.py", "tests/test_certificates.py"]
    stem = Path(path).stem
    names = [stem] + [n.name for n in ast.walk(ast.parse(source)) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, {n for n in names if not n.startswith("__")})) + r")\b")
    mentions = {
        file: len(pattern.findall(file.read_text(encoding="utf-8"))) for file in (ROOT / "tests").glob("test_*.py")
    }
    ranked = sorted(
        (file for file in mentions if mentions[file]),
        key=lambda file: (not file.stem.startswith(f"test_{stem}"), -mentions[file], file.name),
    )
    return [path, *(f"tests/{file.name}" for file in ranked[:FILES_OF_TESTS])]


class Workshop:
    """A copy of everything that tests read, in which one file is changed at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.known = folder, dict[str, bool]()
        leave = shutil.ignore_patterns("__pycache__", ".*", "_build")
        shutil.copytree(ROOT, folder, ignore=leave, dirs_exist_ok=True)

    def run(self, *command: str) -> bool | None:
        """Whether a command succeeds; None if it does not end in time."""
        own = {"PYTHONPATH": str(self.folder), "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        silent = subprocess.DEVNULL
        process = subprocess.Popen(
            command, cwd=self.folder, env={**os.environ, **own}, stdout=silent, stderr=silent, start_new_session=True
        )
        try:
            return process.wait(SECONDS) in PASSING
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            return None

    def passes(self, test: str) -> bool:
        """Whether a file of tests passes as it is; asked once."""
        if test not in self.known:
            self.known[test] = bool(self.run(*PYTEST, test))
            if not self.known[test]:
                print(f"left out: {test} fails, or is out of time, without a mutant", flush=True)
        return self.known[test]

    def fate(self, mutant: Mutant) -> str:
        """``SURVIVED`` if no test notices; a mutant that is out of time counts as killed, which a busy machine makes untrue."""
        file = self.folder / mutant.path
        original = file.read_text(encoding="utf-8")
        tests = [test for test in tests_of(mutant.path, original) if self.passes(test)]
        file.write_text(mutant.source, encoding="utf-8")
        try:
            for test in tests:
                passed = self.run(*PYTEST, test)
                if not passed:
                    return "killed" if passed is False else f"killed (out of time: {test})"
            return "SURVIVED"
        finally:
            file.write_text(original, encoding="utf-8")


def drawn(count: int, seed: int, module: str | None) -> list[Mutant]:
    """A seeded sample over all mutants of the folders, or of one module."""
    paths = [module] if module else [
        str(file.relative_to(ROOT)) for folder in FOLDERS for file in sorted((ROOT / "mappo_verify" / folder).rglob("*.py"))
    ]  # fmt: skip
    everything = [(path, place) for path in paths for place in range(_number_of(path))]
    chosen = random.Random(seed).sample(everything, min(count, len(everything)))
    return [mutants_of(path, (ROOT / path).read_text(encoding="utf-8"), place)[0] for path, place in sorted(chosen)]


def _number_of(path: str) -> int:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return sum(len(list(_changes(node))) for node in _code(tree))


def main() -> int:
    """Try them, and say which survive."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=500, help="how many mutants of the package are drawn")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--module", help="draw from this file alone")
    parser.add_argument(
        "--kernel", action="store_true", help="all mutants of the checker's kernel, too; the default without options"
    )
    parser.add_argument("--part", default="1/1", help="2/5: the second fifth of the mutants")
    options = parser.parse_args()
    kernel = options.kernel or len(sys.argv) == 1
    mutants = drawn(options.count, options.seed, options.module)
    mutants += mutants_of(KERNEL, (ROOT / KERNEL).read_text(encoding="utf-8")) if kernel else []
    part, parts = map(int, options.part.split("/"))
    mutants = mutants[part - 1 :: parts]
    survivors = []
    with tempfile.TemporaryDirectory() as name:
        workshop = Workshop(Path(name) / "copy")
        for number, mutant in enumerate(mutants, start=1):
            fate = workshop.fate(mutant)
            print(f"{number}/{len(mutants)} {fate} {mutant.path}:{mutant.line}: {mutant.change}", flush=True)
            survivors += [mutant] if fate == "SURVIVED" else []
    unexplained = [m for m in survivors if m.path == KERNEL and m.change not in EQUIVALENT]
    share = 1 - len(survivors) / max(len(mutants), 1)
    print(
        f"{len(mutants) - len(survivors)} of {len(mutants)} killed ({share:.1%}); {len(unexplained)} of the kernel unexplained"
    )
    return int(share < ENOUGH or bool(unexplained))


if __name__ == "__main__":
    sys.exit(main())
