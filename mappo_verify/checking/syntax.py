"""The syntax of functions: where a name was assigned, what is returned, which expression a generator stands at."""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import resolve_name
from types import CodeType
from typing import Any

Function = ast.FunctionDef | ast.Lambda
FUNCTIONS = (ast.FunctionDef, ast.Lambda)
Place = tuple[int | None, ...]
Prefix = tuple[object, ...]
INTO = {"append", "extend", "insert", "add", "update", "setdefault", "appendleft"}
"""Methods that put their last argument, or its elements, into a list, set or dictionary."""
ELEMENTS = (ast.MatchSequence, ast.MatchMapping)
"""Patterns that take elements out."""
EACH, SOME = "<each>", "<some>"
"""What a loop takes out of a value; an element at an index that is not written out."""


def tree_of(code: CodeType) -> Function | None:
    """The syntax of a function; None without source."""
    found = _functions(code.co_filename)
    if code.co_name != "<lambda>":
        return next((f for f in found if _name_and_line(f) == (code.co_name, code.co_firstlineno)), None)
    inside = {place for place in code.co_positions() if None not in place and place[2] != place[3]}
    lambdas = [f for f in found if isinstance(f, ast.Lambda) and f.lineno == code.co_firstlineno]
    return next((f for f in lambdas if _place(f.body) in inside), None)


@cache
def _functions(filename: str) -> list[Function]:
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except SyntaxError:
        return []
    return [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]


def _name_and_line(function: Function) -> tuple[str, int]:
    """The line is that of a decorator, if there is one."""
    if isinstance(function, ast.Lambda):
        return "<lambda>", function.lineno
    return function.name, min([function.lineno, *(d.lineno for d in function.decorator_list)])


def _place(node: ast.expr) -> Place:
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


def standing_at(tree: Function, code: CodeType, instruction: int) -> ast.Yield | ast.YieldFrom | None:
    """The ``yield`` at which a generator is suspended."""
    place = list(code.co_positions())[instruction // 2]
    exact = [node for node in yields(tree) if _place(node) == place]
    line = place[0] or 0  # all that is known where Python keeps no columns
    around = [node for node in yields(tree) if node.lineno <= line <= (node.end_lineno or line)]
    return next(iter([*exact, *reversed(around)]), None)


def yields(tree: Function) -> list[ast.Yield | ast.YieldFrom]:
    """Every ``yield`` of a function, not of those defined in it."""
    return [node for node in _own(tree) if isinstance(node, (ast.Yield, ast.YieldFrom))]


def returned(tree: Function) -> list[ast.expr]:
    """What a function returns."""
    if isinstance(tree, ast.Lambda):
        return [tree.body]
    return [node.value for node in _own(tree) if isinstance(node, ast.Return) and node.value is not None]


def attributes(tree: Function, name: str) -> list[ast.expr]:
    """What a method assigns to ``self.name``."""
    first = next(iter([*tree.args.posonlyargs, *tree.args.args]), None)
    return [
        node.value
        for node in _own(tree)
        if isinstance(node, ast.Assign) and first
        for target in node.targets
        if isinstance(target, ast.Attribute) and target.attr == name and _is(target.value, first.arg)
    ]


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below, without entering further functions."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, FUNCTIONS):
            yield from _own(child)


def targets(target: ast.AST) -> Iterator[tuple[str, Prefix]]:
    """The names that an assignment binds, each with what it takes out of the assigned value."""
    if isinstance(target, ast.Name):
        yield target.id, ()
    elif isinstance(target, (ast.Tuple, ast.List)):
        stars = [place for place, element in enumerate(target.elts) if isinstance(element, ast.Starred)]
        for place, element in enumerate(target.elts):
            inner = element.value if isinstance(element, ast.Starred) else element
            step = SOME if stars and place >= stars[0] else place
            yield from ((name, (step, *prefix)) for name, prefix in targets(inner))


@dataclass(frozen=True)
class Assigned:
    """What is assigned to a name: ``path`` taken out of ``value``, where ``conditions`` are as they say."""

    value: ast.AST
    path: Prefix = ()
    conditions: tuple[tuple[ast.expr, bool], ...] = ()


Found = list[Assigned]


@cache
def reaching(tree: Function, use: ast.Name) -> tuple[Found, bool]:
    """What may have been assigned to a name where it is used, and whether it may still be what it was at the beginning.

    One walks back from the use, statement by statement; an assignment to the name ends the walk, one in a branch or in an earlier
    round of a loop does not.
    """
    above = _parents(tree)
    found: Found = []
    node: ast.AST = use
    while node is not tree:
        if node not in above:  # not written in this function
            return [], True
        up = above[node]
        if isinstance(node, ast.stmt):
            for earlier in reversed(_before(node, up)):
                assigned, ends = _assigned(earlier, use.id)
                found += assigned
                if ends:
                    return found, False
            if isinstance(up, (ast.For, ast.While)):
                found += [one for statement in up.body for one in _assigned(statement, use.id)[0]]
            if isinstance(up, ast.Try) and node not in up.body:
                found += _of_block(up.body, use.id)[0]
            if isinstance(up, ast.stmt) and (own := _at_the_head(up, use.id)):
                return found + own, False
        elif isinstance(up, ast.Match) and isinstance(node, ast.match_case):
            if own := _captured(node.pattern, up.subject, use.id):
                return found + own, False
            if own := _at_the_head(up, use.id):
                return found + own, False
        elif isinstance(up, ast.Try) and isinstance(node, ast.ExceptHandler):
            found += _of_block(up.body, use.id)[0]
        node = up
    return found, True


@cache
def _parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def _before(statement: ast.stmt, up: ast.AST) -> list[ast.stmt]:
    """The statements before one in its own block."""
    for _, block in ast.iter_fields(up):
        if isinstance(block, list) and statement in block:
            return block[: block.index(statement)]
    return []


def _bound_by(target: ast.AST, value: ast.AST, name: str, first: Prefix = ()) -> Found:
    return [Assigned(value, (*first, *prefix)) for bound, prefix in targets(target) if bound == name]


def _at_the_head(statement: ast.stmt, name: str) -> Found:
    """What a compound statement assigns before its blocks are entered."""
    own: Found = []
    match statement:
        case ast.For(iter=head):
            own = _bound_by(statement.target, head, name, (EACH,))
        case ast.With(items=items):
            head = ast.Tuple([item.context_expr for item in items])
            for item in items:
                own += _bound_by(item.optional_vars, item.context_expr, name) if item.optional_vars else []
        case ast.If(test=head) | ast.While(test=head) | ast.Match(subject=head):
            pass
        case _:
            return []
    return own + _walrus(head, name)


def _walrus(inside: ast.AST, name: str) -> Found:
    every = [inside, *_own(inside)]
    return [Assigned(node.value) for node in every if isinstance(node, ast.NamedExpr) and _is(node.target, name)]


def _captured(pattern: ast.pattern, subject: ast.expr, name: str) -> Found:
    """What a pattern binds to a name: the subject, or some part of it."""
    bound = [n for n in ast.walk(pattern) if name in (getattr(n, "name", None), getattr(n, "rest", None))]
    part = ast.Set([ast.Starred(subject), subject])  # an element, or an attribute
    return [Assigned(subject, (SOME,)) if isinstance(pattern, ELEMENTS) else Assigned(part) for _ in bound]


@cache
def _assigned(statement: ast.stmt, name: str) -> tuple[Found, bool]:
    """What a statement assigns to a name, and whether it surely does."""
    match statement:
        case ast.FunctionDef():
            return ([Assigned(statement)], True) if statement.name == name else ([], False)
        case ast.Import() | ast.ImportFrom():
            names = [alias.name for alias in statement.names if (alias.asname or alias.name.partition(".")[0]) == name]
            return [Assigned(statement, (own,)) for own in names], bool(names)
        case ast.Assign():
            found = [one for target in statement.targets for one in _bound_by(target, statement.value, name)]
            parts = [
                t for t in statement.targets if isinstance(t, (ast.Subscript, ast.Attribute)) and _is(t.value, name)
            ]
            inside = [Assigned(ast.Set([statement.value])) for _ in parts]
        case ast.AnnAssign(value=ast.expr() as value):
            found, inside = _bound_by(statement.target, value, name), []
        case ast.AugAssign():
            found, inside = [], _bound_by(statement.target, statement.value, name)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=method), args=args, keywords=keywords)) if (
            _is(owner, name) and method in INTO
        ):
            every = [ast.Starred(value) if method in ("extend", "update") else value for value in args[-1:]]
            found, inside = [], [Assigned(ast.Set([*every, *(keyword.value for keyword in keywords)]))]
        case ast.If():
            then, otherwise = (_of_block(block, name) for block in (statement.body, statement.orelse))
            branches = ((then[0], True), (otherwise[0], False))
            conditional = [
                replace(one, conditions=(*one.conditions, (statement.test, truth)))
                for found, truth in branches
                for one in found
            ]
            first = _at_the_head(statement, name)
            return first + conditional, bool(first) or (then[1] and otherwise[1])
        case ast.For() | ast.While():
            return _at_the_head(statement, name) + _of_block([*statement.body, *statement.orelse], name)[0], False
        case ast.With():
            found, ends = _of_block(statement.body, name)
            first = _at_the_head(statement, name)
            return first + found, bool(first) or ends
        case ast.Try():
            handled = [inner for handler in statement.handlers for inner in handler.body]
            found, _ = _of_block([*statement.body, *handled, *statement.orelse], name)
            last, ends = _of_block(statement.finalbody, name)
            return found + last, ends
        case ast.Match():
            first = _at_the_head(statement, name)
            for each in statement.cases:
                first = first + _captured(each.pattern, statement.subject, name) + _of_block(each.body, name)[0]
            return first, False
        case _:
            found, inside = [], []
    found += _walrus(statement, name)
    return found + inside, bool(found)


def _of_block(block: list[ast.stmt], name: str) -> tuple[Found, bool]:
    every = [_assigned(statement, name) for statement in block]
    return [one for found, _ in every for one in found], any(ends for _, ends in every)


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def imported(statement: ast.Import | ast.ImportFrom, name: str, around: dict[str, Any]) -> Any:
    """What an import binds; it has been carried out."""
    if isinstance(statement, ast.Import):
        renamed = any(alias.name == name and alias.asname for alias in statement.names)
        return sys.modules[name if renamed else name.partition(".")[0]]
    relative = "." * statement.level + (statement.module or "")
    return getattr(sys.modules[resolve_name(relative, around.get("__package__"))], name, None)
