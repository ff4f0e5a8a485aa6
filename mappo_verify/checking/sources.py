"""Where a line's numbers come from: the quantities that its value is computed with.

Nothing is annotated by hand.  The proof is run again on the shown case; at every line the suspended generator tells which
``yield`` it stands at.  From the names in that expression one goes back through the assignments of the function, and down
through the helpers of the claims, until functions of ``quantities/`` and ``algorithms/`` are met.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from types import CodeType, FunctionType
from typing import Any

from ..arithmetic import System, module_of
from ..claims.claim import Claim
from ..claims.settings import Derived
from ..claims.verdict import Evidence

PACKAGE = __name__.split(".")[0]
SOURCES = tuple(f"{PACKAGE}.{layer}." for layer in ("quantities", "algorithms"))


@dataclass(frozen=True)
class Quantity:
    """A function that numbers come from: its name, its module, and the formula that its documentation begins with."""

    name: str
    module: str
    about: str


def quantities_of(claim: Claim, evidence: Evidence) -> list[tuple[Quantity, ...]]:
    """For every line of the evidence the quantities that it is computed with; empty where no source is at hand."""
    if evidence.case is None or not evidence.lines:
        return []
    balls = evidence.arithmetic is System.BALLS
    with module_of(System.BALLS).precision(evidence.precision) if balls else nullcontext():
        places = list(_places(claim.proof(evidence.case)))
    derived = {i.name: i.compute for i in claim.setting.ingredients if isinstance(i, Derived)}
    return [tuple(map(_described, _reached(code, place, claim.proof, derived))) for code, place in places]


def _places(proof: Any) -> Iterator[tuple[CodeType, int]]:
    """The function and the line of source at which each line of the proof is yielded."""
    for _ in proof:
        running = proof
        while inspect.isgenerator(running.gi_yieldfrom):
            running = running.gi_yieldfrom
        yield running.gi_code, running.gi_frame.f_lineno


def _described(function: FunctionType) -> Quantity:
    first = (inspect.getdoc(function) or "").partition("\n")[0].replace("``", "")
    about = re.split(r",? (?:each )?(?:of )?(?:shape |in the$)|\.  |\.$|; ", re.sub(r":\w+:`(\w+)`", r"\1", first))[0]
    return Quantity(function.__name__, function.__module__, about)


def _reached(
    code: CodeType, place: int, proof: Callable[..., Any], derived: dict[str, Callable[..., Any]]
) -> Iterator[FunctionType]:
    """Functions of the quantities behind the ``yield`` at ``place``, each once, in order of discovery."""
    tree = _tree(code)
    here = [node for node in ast.walk(tree) if isinstance(node, ast.Yield) and _spans(node, place)] if tree else []
    if not here or tree is None:
        return
    scope = inspect.unwrap(proof).__globals__
    pending = _resolved(_behind(here[-1], tree), scope, derived)
    seen: set[Any] = set()
    while pending:
        function = pending.pop(0)
        if function in seen:
            continue
        seen.add(function)
        if function.__module__.startswith(SOURCES) and _is_public(function):
            yield function
        else:
            body = _tree(function.__code__)
            names = set() if body is None else _names(body)
            pending += [*_resolved(names, function.__globals__, derived)]


def _spans(node: ast.Yield, place: int) -> bool:
    return node.lineno <= place <= (node.end_lineno or node.lineno)


def _tree(code: CodeType) -> ast.AST | None:
    """The syntax of a function; None without source."""
    return _functions(code.co_filename).get((code.co_name, code.co_firstlineno))


@cache
def _functions(filename: str) -> dict[tuple[str, int], ast.AST]:
    """The functions of a file, by name and first line (that of a decorator, if there is one)."""
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except SyntaxError:
        return {}
    found: dict[tuple[str, int], ast.AST] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            found[node.name, min([node.lineno, *(d.lineno for d in node.decorator_list)])] = node
        elif isinstance(node, ast.Lambda):
            found.setdefault(("<lambda>", node.lineno), node)
    return found


def _names(tree: ast.AST) -> set[str]:
    """Names and attributes that occur, but for the second argument of ``like(1, x)``, which only lends its arithmetic."""
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "like":
        return _names(tree.args[0])
    own = {tree.id} if isinstance(tree, ast.Name) else {tree.attr} if isinstance(tree, ast.Attribute) else set()
    return own.union(*map(_names, ast.iter_child_nodes(tree)))


def _behind(expression: ast.AST, tree: ast.AST) -> set[str]:
    """The names of an expression, and of everything that is assigned to them in the function."""
    assigned: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        for targets, value in _assignments(node):
            for name in {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}:
                assigned.setdefault(name, set()).update(_names(value))
    found, pending = set(), _names(expression)
    while pending:
        found |= pending
        pending = {name for known in pending for name in assigned.get(known, ())} - found
    return found


def _assignments(node: ast.AST) -> Iterator[tuple[Sequence[ast.AST], ast.AST]]:
    """(targets, value) of whatever binds names."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                yield from (([one], value) for one, value in zip(target.elts, node.value.elts, strict=False))
            else:
                yield [target], node.value
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)) and node.value is not None:
        yield [node.target], node.value
    elif isinstance(node, (ast.For, ast.comprehension)):
        yield [node.target], node.iter
    elif isinstance(node, ast.NamedExpr):
        yield [node.target], node.value
    elif isinstance(node, ast.FunctionDef):
        yield [ast.Name(node.name)], ast.Module(node.body, [])


def _resolved(names: set[str], scope: dict[str, Any], derived: dict[str, Callable[..., Any]]) -> list[FunctionType]:
    """The functions that names stand for: globals, derived ingredients, methods of the classes at hand."""
    classes = [value for value in scope.values() if inspect.isclass(value) and _has_methods_of_ours(value)]
    found: list[Any] = []
    for name in sorted(names):
        found += [scope.get(name), derived.get(name), *(_method(cls, name) for cls in classes)]
    return [entry for entry in found if isinstance(entry, FunctionType) and _is_worth(entry.__module__, scope)]


def _method(cls: type, name: str) -> Any:
    value = vars(cls).get(name)
    return getattr(value, "func", None) or getattr(value, "fget", None) or value  # cached properties and properties


def _is_public(function: FunctionType) -> bool:
    """Whether a reader can look it up by its name; methods and helpers lead to such functions."""
    return "." not in function.__qualname__ and not function.__name__.startswith("_")


def _has_methods_of_ours(cls: type) -> bool:
    return cls.__module__.startswith(SOURCES) or _is_claims(cls.__module__)


def _is_claims(module: str) -> bool:
    return module.startswith(f"{PACKAGE}.claims.")


def _is_worth(module: str, scope: dict[str, Any]) -> bool:
    """Quantities, and what leads to them: helpers of the claims, or of the module in which a user wrote the proof."""
    return module.startswith(SOURCES) or _is_claims(module) or module == scope.get("__name__")
