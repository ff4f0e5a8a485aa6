"""Do the tests notice wrong code?  A seeded sample of small changes, each tried on the tests that execute the changed line.

A *mutant* is the package with one operator, comparison, constant, condition or loop changed.  It is *killed* if some test fails,
or does not end in time; a line that no test executes is a survivor at once.  Mutants are drawn from ``arithmetic/``,
``quantities/``, ``claims/`` and ``checking/``; of the kernel of ``certificates/check.py`` all of them are tried.

    python scripts/mutation.py                    500 drawn mutants and the whole kernel; hours
    python scripts/mutation.py --count 20 --seed 3 --module mappo_verify/quantities/values.py
    python scripts/mutation.py --count 0 --kernel

First every file of tests runs once, as ``scripts/executed.py`` says, so that the tests of a line are known; this is kept in
``.tox/mutation`` until that file, what it shares with others or the package changes.  The quickest tests are tried first.

Survivors are printed as file, line, and change.  Those that :data:`EQUIVALENT` explains do not count; the exit code is 1 if fewer
than 95 % of the others are killed, or one of the kernel survives.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import hashlib
import itertools
import multiprocessing
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from executed import Executed, measure

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("arithmetic", "quantities", "claims", "checking")
KERNEL = "certificates/checker/kernel.py"
KERNEL_TESTS = "tests/test_checker_kernel.py"
"""The kernel has tests of its own, and they alone must notice."""
COMPILED = tuple(
    f"mappo_verify/arithmetic/{name}.py"
    for name in ("compiled", "enclosures/fused", "enclosures/fused_steps", "fused_floats", "fused_layout", "vectors")
)
"""Coverage does not see compiled code: its lines are executed wherever anything of one of these modules is.

What is compiled from one of these files is kept on disk, also where another one has changed.
"""
CACHE = ROOT / ".tox" / "mutation"
ENOUGH = 0.95
PYTEST = ("-x", "-q", "-p", "no:cacheprovider")
PRELOADED = ["coverage", "pytest", "_pytest.pytester", "flint", "numba", "scipy.optimize", "scipy.sparse.linalg"]
"""Imported once, by the process from which those that run tests are forked; no hypothesis, which imports the package."""
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Pytest begins in half the time without plugins; tests that need one fail while they are measured, and kill nobody."""
PASSING = (0, 5)
"""Exit codes of pytest if all pass, and if there is nothing to run."""
LONG = re.compile(
    "adding|audit|benchmark|bounded_work|cli|document|fuzz|handout|html|latex|layers|lessons|pages|public_api|reproduction|run"
    "|wrong_calls"
)
"""Files of tests of what readers see, and of the whole audit: they take long, and are no place to notice a wrong number."""
MEASURING = 300
"""Seconds of the processor that a file of tests may take while it is measured; a longer one kills nobody."""
BATCHES = (1.0, 10.0, 100.0)
"""A mutant is tried on the quickest tests that take so many seconds together without it, then on the next ones, and so on."""
START, PATIENCE = 20, 5
"""Out of time, on the processor, is what takes more seconds than a start and so many times longer than without the mutant."""
COMPILING = 120
"""What a start takes where everything is compiled anew: also without a mutant it is longer than :data:`START`."""
BUSY = 10
"""How many times longer the same takes on a busy machine."""
MEMORY = 6 << 30
"""What a mutant may allocate, in bytes."""

PATH = "both branches are the same there, one is only longer"
LIMIT = "a limit of work that is reported when it is reached; one unit decides nothing"
MARGIN = "a margin that is far wider than what it must cover, or digits that are far more than are used"
LENGTH = "NumPy takes any negative length for the one that is left"
NEGATIVE = re.compile(r"reshape\(.*[(, ]-2[,)]")
LENGTHS = "both have the same length: one entry for each agent, or for each state, or one for each axis"
SEED = "how many, or which, are drawn: any other number would do"
CLIMB = "how a climb begins, goes on or ends; what it finds is decided all the same"
FAR = "e^-1000 is below the grid: from 0 to 2^-512 either way"
EQUIVALENT: dict[tuple[str, str], str] = {
    (KERNEL, "if self.low > 0 and other.low >= 0:"): PATH,
    (KERNEL, "if self.low >= 1 and other.low >= 0:"): PATH,
    (KERNEL, "if self.low >= 0 and other.low > 0:"): PATH,
    (KERNEL, "if self.low >= 0 and other.low >= 1:"): PATH,
    (KERNEL, "if self.low >= 0 and other.low >= 0:"): "a divisor of 0 was refused a line before",
    (
        KERNEL,
        "return value if value.denominator < 1 << GRID else Fraction(direction(value * (1 << GRID)), 1 << GRID)",
    ): "a multiple of the grid is rounded to itself",
    (KERNEL, "if x <= 0:"): "0 was answered a line before",
    (KERNEL, "if x >= Fraction(4, 3):"): "4/3 times a power of 2 was scaled to 2/3",
    (
        KERNEL,
        "return exp(-value) if value.high < 1000 else Interval(0, _exp(-min(value.low, Fraction(1000))).high)",
    ): FAR,
    (
        KERNEL,
        "return exp(-value) if value.high <= 1001 else Interval(0, _exp(-min(value.low, Fraction(1000))).high)",
    ): FAR,
    (
        KERNEL,
        "return exp(-value) if value.high <= 1000 else Interval(0, _exp(-min(value.low, Fraction(1001))).high)",
    ): FAR,
    (KERNEL, "return result - Interval(-rest, rest)"): "the interval is symmetric",
    (
        KERNEL,
        "pivot = next((i for i in range(j, len(table)) if table[i][j] != 0), -2)",
    ): "any negative number says that there is none",
    ("mappo_verify/quantities/certified.py", "EXACT_WORK = 3000001"): LIMIT,
    ("mappo_verify/quantities/equilibria.py", "for _ in list(range(MAX_ROUNDS))[:-1]:"): LIMIT,
    (
        "mappo_verify/quantities/constrained_evaluation.py",
        "if bound <= self.upper:",
    ): "a simplex whose bound is the best value holds nothing better",
    ("mappo_verify/quantities/quadratic_program.py", "for _ in list(range(REPAIRS))[:-1]:"): LIMIT,
    (
        "mappo_verify/quantities/limit_critics.py",
        "if balanced and (compare(found[free:], '≥', like(0, direction)) >= 0).all():",
    ): "rationals leave no comparison open",
    (
        "mappo_verify/arithmetic/formal.py",
        "if enclosure.rel_accuracy_bits() > 56 or bits > PRECISION_CAP:",
    ): LIMIT,
    ("mappo_verify/arithmetic/formal.py", "return -self if self.sign() < 1 else self"): "-0 is 0",
    ("mappo_verify/arithmetic/sparse.py", "for _ in list(range(ROUNDS))[:-1]:"): LIMIT,
    (
        "mappo_verify/arithmetic/enclosures/contractions.py",
        "extra = [n - len(term.replace('...', '')) for n, term in zip(dimensions, terms, strict=False)]",
    ): "the lengths were compared a line before",
    (
        "mappo_verify/arithmetic/sparse.py",
        "return 5 * ROUNDING * (scale + (1 + self.contraction) * float(np.linalg.norm(found)))",
    ): ("when a solver may stop; the bound of its error comes from the residual that is left"),
    (
        "mappo_verify/quantities/optimal.py",
        "short = np.where(found.excess == 0, 0.0, found.excess / (1 - game.discount) * (1 + 2.0 ** (-51)))",
    ): "three roundings are less than 2^-51, too",
    ("mappo_verify/arithmetic/certified_iteration.py", "LARGEST = 2.0 ** 901"): MARGIN,
    ("mappo_verify/arithmetic/enclosures/making.py", "with precision(257):"): MARGIN,
    (
        "mappo_verify/arithmetic/enclosures/fused.py",
        "while z + 9 <= width:",
    ): "what is left is computed one by one, and comes out the same",
    (
        "mappo_verify/arithmetic/formal.py",
        "if abs(power) * getattr(base, 'bit_length', lambda: 2)() > MAX_BITS:",
    ): LIMIT,
    (
        "mappo_verify/arithmetic/rings.py",
        "highest = (len(coefficients) + 1) // 2",
    ): "both parts are multiplied by what is not 0, and only whether they vanish is asked",
    ("mappo_verify/quantities/optimal.py", "for _ in list(range(MAX_IMPROVEMENTS))[:-1]:"): LIMIT,
    ("mappo_verify/quantities/quadratic_program.py", "for _ in list(range(NEWTON_STEPS))[:-1]:"): LIMIT,
    (
        "mappo_verify/arithmetic/rationals.py",
        "for row, column in zip(rows, bound, strict=False):",
    ): LENGTHS,
    (
        "mappo_verify/arithmetic/recorded.py",
        "for place, numbers in enumerate(zip(*(part.tolist() for part in flat), strict=False)):",
    ): LENGTHS,
    (
        "mappo_verify/arithmetic/choice.py",
        "if size < self.at_once and self.counted <= self.in_all and (self.beside not in sys.modules):",
    ): LIMIT,
    (
        "mappo_verify/arithmetic/threads.py",
        "parts = min(parts, most_threads()) if parts >= 1 else 1",
    ): "one part is one part, however many threads there may be",
    ("mappo_verify/claims/experiment.py", "SAMPLE_SIZES = (65, 256, 1024, 4096)"): SEED,
    ("mappo_verify/claims/induction.py", "step = self._step(1, state, count)"): (
        "in a proof for every length a step has the same numbers, whichever it is"
    ),
    (
        "mappo_verify/claims/induction.py",
        "kinds = {(made_of(mapped(lambda _: 1, state)), len(found)) for state, found in zip(states, leaves, strict=True)}",
    ): "any number will do that is the same in all places",
    ("mappo_verify/claims/coordinates.py", "SMALLEST = Sizes(2, (1,))"): "only how many axes there are is asked there",
    ("mappo_verify/claims/coordinates.py", "SMALLEST = Sizes(1, (2,))"): "only how many axes there are is asked there",
    (
        "mappo_verify/claims/case.py",
        "return ingredient.moves and self._shapes(ingredient, 2) != self._shapes(ingredient, 4)",
    ): "what has other numbers at 3 steps than at 2 has others at 4, too",
    (
        "mappo_verify/claims/case.py",
        "here, one = (self._shapes(ingredient, k) for k in ((2, 4) if length == EVERY else (length, EVERY)))",
    ): "what has other numbers at 3 steps than at 2 has others at 4, too",
    (
        "mappo_verify/claims/ingredients.py",
        "return assume_positive(ratio[..., 1]) if generic else ratio[..., 0] / ratio[..., 1]",
    ): "one free number is as good as another",
    (
        "mappo_verify/claims/related.py",
        "return both(*(every(compare(rest, '>', 0) | compare(old, '≤', 0), (+1, -2)) for old, rest in rests))",
    ): "an axis that stays means 'for all', too",
    (
        "mappo_verify/claims/related.py",
        "return both(*(every(compare(rest, '>', 0) | compare(old, '≤', 0), (-1, +2)) for old, rest in rests))",
    ): "an axis that stays means 'for all', too",
    (
        "mappo_verify/claims/claim.py",
        "package, libraries = (str(Path(__file__).parents[1]), (str(Path(np.__file__).parents[2]), "
        "sysconfig.get_path('stdlib')))",
    ): "the folder above that of the libraries holds nothing else than libraries",
    ("mappo_verify/claims/settings.py", "max_agents: int = 9"): LIMIT,
    ("mappo_verify/claims/settings.py", "max_states: int = 10001"): LIMIT,
    (
        "mappo_verify/checking/evaluate.py",
        "def certify(claim: Claim, build: Callable[[System], Case], cap: int=PRECISION_CAP, again: bool=True) -> Evidence:",
    ): "instances are evaluated again more often than they must be",
    ("mappo_verify/checking/explain.py", "compared = COMPARED if claim.setting.explore else 2"): SEED,
    (
        "mappo_verify/checking/falsify.py",
        "EFFORT = {'quick': Effort(exact=400, skimmed=5000, climbs=12, repeats=2, starts=8, generations=30, seconds=300), "
        "'thorough': Effort(exact=1000, skimmed=20000, climbs=200, repeats=16, starts=8, generations=61, seconds=3600)}",
    ): SEED,
    ("mappo_verify/checking/climb.py", "generations += 1"): CLIMB,
    ("mappo_verify/checking/climb.py", "LONG = 101"): CLIMB,
    ("mappo_verify/checking/climb.py", "if len(lost) or len(whole) > 1:"): CLIMB,
    ("mappo_verify/checking/climb.py", "if (reached > 0).any() and (not not hill.doubts):"): CLIMB,
    ("mappo_verify/checking/climb.py", "low = np.flatnonzero(kept <= _least(aims))"): CLIMB,
    ("mappo_verify/checking/search.py", "self.confirmed = True"): "it is set anew before anybody asks",
    ("mappo_verify/checking/shrink.py", "for _ in list(range(MAX_ROUNDS))[:-1]:"): LIMIT,
    (
        "mappo_verify/checking/falsify.py",
        "EFFORT = {'quick': Effort(exact=400, skimmed=5000, climbs=12, repeats=2, starts=8, generations=30, seconds=300), "
        "'thorough': Effort(exact=1001, skimmed=20000, climbs=200, repeats=16, starts=8, generations=60, seconds=3600)}",
    ): SEED,
    ("mappo_verify/checking/relabel.py", "axes = _axes(setting, sizes) if count < MOST else None"): LIMIT,
    (
        "mappo_verify/checking/scores.py",
        "return given * (1 - much * np.resize(np.sin(np.arange(1.0, 1 + min(given.size, 1009))), given.shape))",
    ): "which numbers are moved up and which down: only some must be either",
    ("mappo_verify/checking/search.py", "found = column(hill.of_numbers(drawn), 1)"): CLIMB,
    (
        "mappo_verify/checking/search.py",
        "chosen = order[:min(2 * count, max(count - half, len(inner) // 3))]",
    ): CLIMB,
    (
        "mappo_verify/checking/search.py",
        "best = {s: hill.found[:, c].max() for s, hill in list(hills.items())[:-1] "
        "if c < len(hill.telling) and hill.telling[c]}",
    ): CLIMB,
    (
        "mappo_verify/checking/search.py",
        "if again and (not fresh or (turn > FIRST and turn % 2)):",
    ): "the first turn that counts is an odd one either way",
    ("mappo_verify/checking/sampling.py", "return np.array_split(places, 3)"): "in halves, or in thirds: both end",
    (
        "mappo_verify/checking/explain.py",
        "sizes = next((s for s in list(every)[:-1] if s.agents == min(2, claim.setting.agents[1]) "
        "and min(s.actions) > 1), every[-1])",
    ): "the last one is taken anyway where no other fits",
    (
        "mappo_verify/checking/scores.py",
        "winners = np.flatnonzero((found >= 0).any(1))",
    ): "no score is 0: a tie counts less",
    (
        "mappo_verify/checking/scores.py",
        "found[winners] = np.where(found[winners] >= 0, np.minimum(found[winners], worst), found[winners])",
    ): "no score is 0: a tie counts less",
    (
        "mappo_verify/checking/falsify.py",
        "return standing_of(self.certified, violated, self.undecided, self.crashed, proofs=0, failures=1)",
    ): "where there is no proof, one that failed changes nothing",
    (
        "mappo_verify/checking/agreement.py",
        "_OFTEN, _SELDOM = (frozenset((step ** power for power in range(65))) for step in (2, 8))",
    ): LIMIT,
    (
        "mappo_verify/checking/agreement.py",
        "_OFTEN, _SELDOM = (frozenset((step ** power for power in list(range(64))[:-1])) for step in (2, 8))",
    ): LIMIT,
    (
        "mappo_verify/checking/shrink.py",
        "for smaller in list(sizes_of(claim.setting))[:-1]:",
    ): "nothing is smaller than the size at which this ends, and that is the last one at most",
    (
        "mappo_verify/checking/evaluate.py",
        "if len(rest) or not claim.transcendental:",
    ): "in rationals such a claim decides nothing, and nothing is left of none",
    (
        "mappo_verify/checking/trial.py",
        "with suppress(*NUMERIC), precision(3 * (evidence.precision or AGAIN)):",
    ): MARGIN,
    (
        "mappo_verify/checking/certificate.py",
        "if all((high - low <= Fraction(1, 4 * 10 ** places) for low, high in radii)):",
    ): MARGIN,
    (
        "mappo_verify/checking/certificate.py",
        "if all((high - low < Fraction(2, 4 * 10 ** places) for low, high in radii)):",
    ): MARGIN,
    (
        "mappo_verify/checking/certificate.py",
        "if all((high - low < Fraction(1, 5 * 10 ** places) for low, high in radii)):",
    ): MARGIN,
    ("mappo_verify/checking/certificate.py", "with precision(1025):"): MARGIN,
    (
        "mappo_verify/quantities/quadratic_program.py",
        "if abs(step) <= 4 * EPS * tau and (not np.isfinite(step)):",
    ): "Newton's method goes on where it has ended",
    (
        "mappo_verify/quantities/quadratic_program.py",
        "sharp = abs(float(found.gap)) <= SHARP / (1 + abs(float(found.objective)))",
    ): "both bounds hold; the other one only takes longer",
    (
        "mappo_verify/arithmetic/programs.py",
        "found.append(Line(operation, [row], first, second, (1, 0)))",
    ): "steps of this kind have no lengths",
    (
        "mappo_verify/arithmetic/symbols.py",
        "return right if sign > 0 else left",
    ): "where the difference is 0 both are the same",
    (
        "mappo_verify/arithmetic/floats.py",
        "if not 1 < length <= SHORT or rows.size < SHORT * SHORT * length or rows.strides[-1] != rows.itemsize:",
    ): PATH,
    (
        "mappo_verify/checking/space.py",
        "for denominator in (*DENOMINATORS, *(scale * row.sum() for scale in scales if scale * largest < MAX_INTEGER + 2)):",
    ): "what is too large is left out at the end, too",
    (
        "mappo_verify/arithmetic/enclosures/fused_steps.py",
        "fetch(moving, line, len(code), start - lanes, lanes)",
    ): "only says which numbers memory should bring in time",
    ("mappo_verify/arithmetic/formal.py", "if not right and (not left and (not minus)):"): PATH,
    (
        "mappo_verify/arithmetic/system.py",
        "values = np.empty(2) if is_sparse(array) else np.asarray(array)",
    ): "of these numbers only the type is read",
}
"""Mutants that change no result, by their file and the first line of the changed statement, and why."""

TUNED = {
    "mappo_verify/claims/along_runs.py": "MOST",
    "mappo_verify/claims/related.py": "FINEST",
    "mappo_verify/checking/agreement.py": "COPIES",
    "mappo_verify/checking/campaign.py": "PROFILES",
    "mappo_verify/checking/climb.py": "POPULATION FEWER LONG REMEMBERED PATIENCE MORE DOUBTS REFINE",
    "mappo_verify/checking/doctor.py": "EXACT_INSTANCES",
    "mappo_verify/checking/evaluate.py": "START_PRECISION BATCH_PRECISION SHARPER STEP_PRECISION SUSPECTS",
    "mappo_verify/checking/explain.py": "CANDIDATES COMPARED",
    "mappo_verify/checking/falsify.py": "EFFORT",
    "mappo_verify/checking/on_game.py": "EXACT_STATES BALL_BITS",
    "mappo_verify/checking/proving.py": "POINT_BITS ROUNDS MAX_REDRAWS FIRST_ATOMS MOST_ATOMS RUNS LENGTHS SAMPLED",
    "mappo_verify/checking/relabel.py": "STATES ACTIONS MOST",
    "mappo_verify/checking/scores.py": "SMALLEST_BATCH",
    "mappo_verify/checking/search.py": "PICKED FIRST",
    "mappo_verify/checking/shrink.py": "MAX_ROUNDS BATCH LARGE FEW",
    "mappo_verify/checking/space.py": "DENOMINATORS SMALLEST",
    "mappo_verify/checking/tightness.py": "CANDIDATES",
    "mappo_verify/checking/trial.py": "AGAIN",
}
"""Numbers that say how much work is done, or how it is cut into pieces, and decide nothing: one more is as good."""

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
    change: str
    statement: str
    """The first line of the statement as the mutant has it."""
    source: str
    lines: range
    """Those of the statement; of a compound one those of its head."""
    imported: bool
    """Whether import executes it: it is outside of functions."""

    def __str__(self) -> str:
        return f"{self.path}:{self.lines[0]}: {self.change}   in: {self.statement}"


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
            *around, statement = [s for s in ast.walk(changed) if isinstance(s, ast.stmt) and twin in ast.walk(s)]
            body = getattr(statement, "body", None)
            end = max(statement.lineno, body[0].lineno - 1) if body else statement.end_lineno or statement.lineno
            found.append(
                Mutant(
                    path,
                    change=f"{_short(before)} -> {_short(ast.unparse(twin))}",
                    statement=ast.unparse(statement).splitlines()[0],
                    source=ast.unparse(changed),
                    lines=range(statement.lineno, end + 1),
                    imported=not any(isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef)) for s in around),
                )
            )
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
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr) and not _asserts_lengths(child):
                yield child
                if not (_is_reshape(node) and isinstance(child, ast.UnaryOp)):
                    yield from _code(child)


def _asserts_lengths(node: ast.AST) -> bool:
    """``strict=True`` of a zip: an assertion, which nothing but another error in the code can fail."""
    return isinstance(node, ast.keyword) and node.arg == "strict" and ast.unparse(node.value) == "True"


def _is_reshape(node: ast.AST) -> bool:
    """Here ``-1`` and ``-2`` are the same: NumPy takes any negative length for the one that is left."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "reshape"


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


FORKS = multiprocessing.get_context("forkserver")


def _at_work(folder: Path, seconds: float, function: Callable[..., object], *arguments: object) -> None:
    """In a process of its own: what a function returns there is the exit code."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    os.chdir(folder)
    os.environ["PYTHONPATH"] = str(folder)
    sys.path.insert(0, str(folder))
    sys.exit(function(*arguments))


class Workshop:
    """A copy of everything that tests read, in which one file is changed at a time."""

    def __init__(self, folder: Path, control: bool = False) -> None:
        self.folder, self.control, self.number = folder, control, 0
        leave = shutil.ignore_patterns("*.pyc", ".*", "_build")  # compiled loops come along; numba sees what is old
        shutil.copytree(ROOT, folder, ignore=leave, dirs_exist_ok=True)

    def run(self, function: Callable[..., object], *arguments: object, seconds: float) -> bool | None:
        """Whether a function returns a code of :data:`PASSING`; None if it is out of time, on a processor of its own."""
        process = FORKS.Process(target=_at_work, args=(self.folder, seconds, function, *arguments))
        process.start()
        try:
            process.join(BUSY * seconds)
            code = -1 if process.exitcode is None else process.exitcode
        finally:  # also where this script is interrupted
            with contextlib.suppress(ProcessLookupError):  # and what it started
                os.killpg(process.pid, signal.SIGKILL)
            process.join()
        return None if code < 0 else code in PASSING

    def measured(self, cache: Path, only: str) -> Executed:
        """Which tests execute which lines, in the files of tests that ``only`` matches; measures what is not in the cache."""
        package = hashlib.sha256()
        for file in _modules(self.folder) + sorted((self.folder / "tests").glob("[!t]*.py")):
            package.update(file.read_bytes())
        found = {}
        doctests = [f"mappo_verify/{folder}" for folder in FOLDERS]
        files = sorted(f"tests/{file.name}" for file in (self.folder / "tests").glob("test_*.py"))
        for test in doctests + [file for file in files if re.search(only, file) and not LONG.search(file)]:
            key = package.copy()
            key.update((self.folder / test).read_bytes() if test.endswith(".py") else b"")
            into = cache / f"{Path(test).stem}-{key.hexdigest()[:16]}"
            if not (into / "seconds.json").exists():
                print(f"measuring {test}", flush=True)
                shutil.rmtree(into, ignore_errors=True)
                into.mkdir(parents=True)
                include = [f"*/mappo_verify/{folder}/*" for folder in FOLDERS]
                if not self.run(measure, test, into, include, seconds=MEASURING):
                    print(f"left out: {test} is out of time, or coverage fails", flush=True)
                    (into / "seconds.json").write_text("{}", encoding="utf-8")
            found[test] = into
        return Executed(found)

    def passes(self, tests: list[str], seconds: float, start: float = START) -> bool | None:
        """Whether these tests pass; None if they are out of time."""
        return self.run(pytest.main, [*PYTEST, *tests], seconds=start + PATIENCE * seconds)

    def fate(self, mutant: Mutant, executed: Executed) -> str:
        """``SURVIVED`` if no test notices."""
        if mutant.path == KERNEL:
            batches = [([KERNEL_TESTS], 3.0)]
        else:
            paths = COMPILED if mutant.path in COMPILED else (mutant.path,)
            lines = None if mutant.imported or mutant.path in COMPILED else mutant.lines
            tests = {test for path in paths for test in executed.tests(path, lines)}
            batches = list(in_batches(sorted(tests, key=executed.order), executed.seconds))
        if not batches:
            return "SURVIVED (no test executes it)"
        if self.control:
            batches = [(tests, seconds) for tests, seconds in batches if self.passes(tests, seconds)]
        start = COMPILING if mutant.path in COMPILED else START
        for tests, seconds in batches:
            with self.changed(mutant):
                passed = self.passes(tests, seconds, start)
            if passed is False:
                return "killed"
            # what tests share, a fixture or something kept, may take longer than they do, without the mutant as well
            if passed is None and self.passes(tests, seconds, start) is not None:
                return "killed (out of time)"
        return f"SURVIVED ({sum(len(tests) for tests, _ in batches)} tests)"

    @contextlib.contextmanager
    def changed(self, mutant: Mutant) -> Iterator[None]:
        """The file of a mutant is what the mutant makes of it."""
        file = self.folder / mutant.path
        original, times = file.read_text(encoding="utf-8"), (file.stat().st_atime, file.stat().st_mtime)
        self.number += 1
        file.write_text(mutant.source, encoding="utf-8")
        # compiled files know a source by its size and its second
        os.utime(file, (times[0], times[1] + 10 * self.number))
        try:
            self.forget_compiled(mutant)
            yield
        finally:
            file.write_text(original, encoding="utf-8")
            os.utime(file, times)
            self.forget_compiled(mutant)

    def forget_compiled(self, mutant: Mutant) -> None:
        """What was compiled before or from this mutant, if it is of the loops that are."""
        for kept in self.folder.rglob("*.nbi") if mutant.path in COMPILED else ():
            kept.unlink()


def in_batches(tests: list[str], seconds: dict[str, float]) -> Iterator[tuple[list[str], float]]:
    """As :data:`BATCHES` says; the tests of one file stay together."""
    for limit in BATCHES:
        ends = itertools.accumulate(seconds[test] for test in tests)
        count = sum(end <= limit for end in ends) or 1
        if batch := sorted(tests[:count], key=lambda test: test.split("::")[0]):
            yield batch, sum(seconds[test] for test in batch)
        tests = tests[count:]


def _modules(root: Path = ROOT) -> list[Path]:
    return [file for folder in FOLDERS for file in sorted((root / "mappo_verify" / folder).rglob("*.py"))]


def drawn(count: int, seed: int, module: str) -> list[Mutant]:
    """A seeded sample over all mutants of the folders, or of the modules whose paths begin so."""
    paths = [path for path in (str(file.relative_to(ROOT)) for file in _modules()) if path.startswith(module)]
    everything = [(path, place) for path in paths for place in range(_number_of(path))]
    chosen = random.Random(seed).sample(everything, min(count, len(everything)))
    return [mutants_of(path, (ROOT / path).read_text(encoding="utf-8"), place)[0] for path, place in sorted(chosen)]


def _number_of(path: str) -> int:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return sum(len(list(_changes(node))) for node in _code(tree))


def explanation(mutant: Mutant) -> str:
    """Why a mutant changes no result; empty where nobody says that, for one that must be noticed."""
    if mutant.change == "1 -> 2" and NEGATIVE.search(mutant.statement):
        return LENGTH
    names, _, _ = mutant.statement.partition(" = ")
    tuned = set(names.split(", ")) & set(TUNED.get(mutant.path, "").split())
    if tuned and mutant.imported and re.fullmatch(r"\d+ -> \d+", mutant.change):
        return SEED
    return EQUIVALENT.get((mutant.path, mutant.statement), "")


def main() -> int:
    """Try them, and say which survive."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=500, help="how many mutants of the package are drawn")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--module", default="", help="draw from this file, or from the folder that begins so, alone")
    parser.add_argument(
        "--kernel", action="store_true", help="all mutants of the checker's kernel, too; the default without options"
    )
    parser.add_argument(
        "--control",
        action="store_true",
        help="tests that fail without the mutant, too, as they are chosen, kill nobody",
    )
    parser.add_argument("--tests", default="", help="use the files of tests that this regular expression matches alone")
    parser.add_argument("--part", default="1/1", help="2/5: the second fifth of the mutants")
    options = parser.parse_args()
    kernel = options.kernel or len(sys.argv) == 1
    os.environ.update(ENVIRONMENT)
    FORKS.set_forkserver_preload(PRELOADED)
    mutants = drawn(options.count, options.seed, options.module)
    mutants += mutants_of(KERNEL, (ROOT / KERNEL).read_text(encoding="utf-8")) if kernel else []
    part, parts = map(int, options.part.split("/"))
    mutants = mutants[part - 1 :: parts]
    survivors, explained = [], 0
    with tempfile.TemporaryDirectory() as name:
        workshop = Workshop(Path(name) / "copy", options.control)
        executed = workshop.measured(CACHE, options.tests) if options.count else Executed({})
        for number, mutant in enumerate(mutants, start=1):
            reason = explanation(mutant)
            fate = f"equivalent: {reason}" if reason else workshop.fate(mutant, executed)
            print(f"{number}/{len(mutants)} {fate} {mutant}", flush=True)
            survivors += [mutant] if fate.startswith("SURVIVED") else []
            explained += bool(reason)
    tried = len(mutants) - explained
    share = 1 - len(survivors) / max(tried, 1)
    print(
        f"{tried - len(survivors)} of {tried} killed ({share:.1%}); {explained} more change nothing, as the script explains"
    )
    return int(share < ENOUGH or any(mutant.path == KERNEL for mutant in survivors))


if __name__ == "__main__":
    sys.exit(main())
