"""What the value of an expression is computed from, told by the source alone.

A *state* is an expression, the scope in which its names are looked up, and a path: what is taken out of its value (an index, a
key, an attribute).  From a state one goes back to what its value is, or is made of: through the assignments that reach it,
loops and comprehensions, and through the functions of the claims, their parameters bound to what the caller hands over; until
something names itself: a public function of ``quantities/``, ``algorithms/`` or ``games/``, a method of their classes or of the
model's, an ingredient of the case, or a number.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, is_dataclass
from functools import cached_property
from numbers import Number
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..arithmetic import identity, like
from ..claims.settings import Case, Derived
from ..model.agents import agent_axes, split_last, sum_out_later
from .syntax import EACH, FUNCTIONS, SOME, Function, attributes, imported, reaching, returned, targets, tree_of, yields

PACKAGE = __name__.split(".")[0]
NAMED = tuple(f"{PACKAGE}.{layer}." for layer in ("quantities", "algorithms", "games"))
OWNERS = (*NAMED, f"{PACKAGE}.model.")
"""Layers whose methods are named."""
CLAIMS = f"{PACKAGE}.claims."
LONGEST = 8
"""A longer path is cut, so that ``x = x[0]`` in a loop comes to an end."""
ARRANGEMENT = {"shape", "ndim", "size", "dtype", "batch_shape", "system"}
"""Attributes that say how numbers are arranged, not what they are."""
FIRST = (like, split_last, sum_out_later, agent_axes, np.broadcast_to, np.repeat)
"""Functions of which only the first argument gives numbers; the others lend arithmetic or shape."""
WRITTEN_OUT = (np.ones, np.zeros, np.eye, identity)
UNCHANGED = (list, tuple, iter, reversed, sorted, np.asarray)
"""Functions whose result has the parts that their first argument has."""
OF_ARRAYS = set(dir(np.ndarray)) - {"dot", "clip"}
"""Methods of arrays that are handed axes and shapes, no further numbers."""


@dataclass(frozen=True)
class Member:
    """A step of a path: an attribute, or a method and where it is called."""

    name: str
    call: State | None = None


@dataclass(frozen=True)
class Instance:
    """Some object of a class, of which nothing else is known."""

    cls: type


class State(NamedTuple):
    """What ``path`` takes out of the value of ``node`` in ``scope``."""

    node: ast.AST
    scope: Scope
    path: tuple[Any, ...] = ()


@dataclass(frozen=True, eq=False)
class Scope:
    """Where names are looked up: parameters, or the variables of a comprehension; then what is assigned; then around."""

    tree: ast.AST | None
    bound: dict[str, State]
    around: Scope | None = None
    names: dict[str, Any] = field(default_factory=dict)
    running: frozenset[ast.AST] = frozenset()
    """The functions that have been entered on the way; none is entered again."""
    entered: dict[Any, Scope] = field(default_factory=dict)
    """Scopes that begin here, by what they are for: each exists once, so a search comes to an end."""
    same: dict[State, list[State]] = field(default_factory=dict)
    """What has been found to have the value of a state."""
    behind: dict[State, Behind] = field(default_factory=dict)
    """What has been found to be one step back from a state."""
    texts: dict[str, str] = field(default_factory=dict)
    """Names of strings in a generator that is suspended: the keys and readings of the line at hand, not of others."""

    def suspended(self, texts: dict[str, str]) -> None:
        """The generator that runs here stands at a line: its strings are known, and what was found without them is forgotten."""
        self.texts.update(texts)
        self.same.clear()
        self.behind.clear()

    @property
    def module(self) -> dict[str, Any]:
        """The global names of the function."""
        return self.names if self.around is None else self.around.module


@dataclass(frozen=True)
class Given:
    """An ingredient of the case, or one of its sizes."""

    name: str


@dataclass(frozen=True)
class Constant:
    """A number that is written out."""


Fact = Callable[..., Any] | Given | Constant


@dataclass(frozen=True)
class Behind:
    """One step back from a state: what names itself, states of the same value, of parts of it, and what functions are given."""

    facts: tuple[Fact, ...] = ()
    same: tuple[State, ...] = ()
    parts: tuple[State, ...] = ()
    arguments: tuple[State, ...] = ()
    """Here only functions count: what a function does with its arguments is told by its documentation."""


NOTHING = Behind()


def facts_behind(start: State) -> list[Fact]:
    """What names itself behind a state, each once, in the order in which it is met."""
    found: dict[Fact, None] = {}
    pending, seen = [(start, True)], set()
    while pending:
        state, direct = pending.pop()
        if (state, direct) in seen:
            continue
        seen.add((state, direct))
        step = _behind(state)
        found |= dict.fromkeys(fact for fact in step.facts if direct or not isinstance(fact, (Given, Constant)))
        following = [*((one, direct) for one in (*step.same, *step.parts)), *((one, False) for one in step.arguments)]
        pending += reversed(following)
    return list(found)


def scope_of(tree: Function, names: dict[str, Any], bound: dict[str, Any]) -> Scope:
    """Where the body of a function runs that sees ``names`` around it, and whose parameters have the values ``bound``."""
    outside = Scope(None, {}, names=names, running=frozenset([tree]))
    values = {name: State(_constant(value), outside) for name, value in bound.items()}
    return Scope(tree, _unknown(tree, outside) | values, outside, running=frozenset([tree]))


def _constant(value: Any) -> ast.Constant:
    """A value that is at hand, as an expression."""
    return ast.Constant(value)


def _value(node: ast.AST) -> Any:
    """What such an expression holds; None for another."""
    return node.value if isinstance(node, ast.Constant) else None


def entered_from(start: State, tree: ast.AST) -> Scope | None:
    """The scope in which the function ``tree`` runs when ``start`` is evaluated; None if it is not met."""
    return next((state.scope for state in _same(start) if state.scope.tree is tree), None)


def _same(start: State) -> list[State]:
    """All states with the value of this one."""
    known = start.scope.same
    if start not in known:
        known[start] = []  # where finding them asks for them again, as with ``x = x.copy()`` in a loop
        pending, seen = [start], dict[State, None]()
        while pending:
            state = pending.pop()
            if state not in seen:
                seen[state] = None
                pending += reversed(_behind(state).same)
        known[start] = list(seen)
    return known[start]


def _names(function: Callable[..., Any]) -> dict[str, Any]:
    """What a function sees beyond its own names."""
    plain: Any = inspect.unwrap(function)
    cells = zip(plain.__code__.co_freevars, plain.__closure__ or (), strict=True)
    names: dict[str, Any] = plain.__globals__ | {name: cell.cell_contents for name, cell in cells}
    return names


def _tree(function: Callable[..., Any]) -> Function | None:
    """The syntax of a function; None without source."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return None if code is None else tree_of(code)


# --- one step back ----------------------------------------------------------------------------------------------------


def _behind(state: State) -> Behind:
    known = state.scope.behind
    if state not in known:
        known[state] = NOTHING  # where that depends on itself: in a loop, or a condition on its own name
        known[state] = _one_step_back(state)
    return known[state]


def _one_step_back(state: State) -> Behind:
    node, scope, path = state
    match node:
        case ast.Name():
            found = _looked_up(node, scope)
            return Behind(same=_taken(found, path)) if found else Behind(parts=_handed_over(path))
        case ast.Attribute():
            if node.attr in ARRANGEMENT and not _is_case(node.value, scope):
                return NOTHING
            return Behind(same=_taken([State(node.value, scope)], (Member(node.attr), *path)))
        case ast.Subscript():
            taken = [State(node.value, scope, step) for step in _index(node.slice, scope)]
            return Behind(same=_taken(taken, path))
        case ast.Call():
            return _behind_call(node, scope, path)
        case ast.Constant():
            return _behind_value(node.value, state)
        case ast.NamedExpr() | ast.Starred():
            return Behind(same=(State(node.value, scope, path),))
        case ast.IfExp():
            branches = [
                branch
                for truth, branch in ((True, node.body), (False, node.orelse))
                if not _is_known(node.test, not truth, scope)
            ]
            return Behind(same=tuple(State(branch, scope, path) for branch in branches))
        case ast.Tuple() | ast.List() | ast.Set():
            return _behind_display(node.elts, state, isinstance(node, ast.Set))
        case ast.Dict():
            return _behind_dictionary(node, state)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            return _behind_comprehension(node, state)
        case ast.Lambda() | ast.FunctionDef():  # handed on, not called here
            return Behind(parts=_entered(node, scope, State(node, scope), path))
        case ast.Import() | ast.ImportFrom():
            return Behind(same=(State(_constant(imported(node, str(path[0]), scope.module)), scope, path[1:]),))
        case ast.JoinedStr():
            return NOTHING
    inside = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    return Behind(parts=tuple(State(child, scope, path) for child in inside))


def _taken(states: Iterable[State], path: tuple[Any, ...]) -> tuple[State, ...]:
    return tuple(State(node, scope, (*prefix, *path)[:LONGEST]) for node, scope, prefix in states)


def _index(index: ast.AST, scope: Scope) -> list[tuple[Any, ...]]:
    """What an index adds to a path: nothing where it cuts out a part of the same kind (a slice, axes of an array)."""
    if isinstance(index, (ast.Slice, ast.Tuple)):
        return [()]
    known = _written_out(index, scope)
    return [(key,) for key in known] if known and all(isinstance(key, (int, str)) for key in known) else [(SOME,)]


def _written_out(node: ast.AST, scope: Scope) -> list[Any]:
    """The values that an expression may have, where the source writes all of them out; else none."""
    if not isinstance(node, (ast.Name, ast.Constant)):
        return []
    ends = [state for state in _same(State(node, scope)) if not _behind(state).same]
    written = all(isinstance(state.node, ast.Constant) and not state.path for state in ends)
    return [_value(state.node) for state in ends] if written else []


def _is_known(test: ast.AST, truth: bool, scope: Scope) -> bool:
    """Whether a condition is certainly so: a name for True or False that the caller wrote out."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _is_known(test.operand, not truth, scope)
    return _written_out(test, scope) == [truth]


def _is_case(node: ast.AST, scope: Scope) -> bool:
    return any(isinstance(_value(state.node), Case) and not state.path for state in _same(State(node, scope)))


def _is_index(item: Any) -> bool:
    return not isinstance(item, Member)


def _behind_display(elements: list[ast.expr], state: State, unordered: bool) -> Behind:
    _, scope, path = state
    if not path or not _is_index(path[0]):
        return Behind(parts=tuple(State(element, scope, path) for element in elements))
    fixed = not unordered and isinstance(path[0], int) and not any(isinstance(e, ast.Starred) for e in elements)
    chosen = elements[path[0] : path[0] + 1] if fixed else elements
    return Behind(same=tuple(State(e, scope, path if isinstance(e, ast.Starred) else path[1:]) for e in chosen))


def _behind_dictionary(node: ast.Dict, state: State) -> Behind:
    _, scope, path = state
    pairs = [
        (key.value if isinstance(key, ast.Constant) else SOME, value)
        for key, value in zip(node.keys, node.values, strict=True)
    ]
    key, path = _key(path)
    chosen = [value for own, value in pairs if key is None or SOME in (key, own) or own == key]
    return NOTHING if key is EACH else Behind(same=tuple(State(value, scope, path) for value in chosen))


def _key(path: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """Which entry of a dictionary a path takes (EACH: a key of it), and the path from there."""
    if not path:
        return None, ()
    if isinstance(path[0], Member) and path[0].name == "items":
        return (EACH if path[2:3] == (0,) else SOME), path[3:]
    if isinstance(path[0], Member) and path[0].name == "values":
        return SOME, path[2:]
    return path[0], path[1:]


def _behind_comprehension(node: Any, state: State) -> Behind:
    _, scope, path = state
    whole = len(node.generators) > 1 or node.generators[0].ifs or isinstance(node, ast.DictComp)
    which = EACH if whole or not path or not isinstance(path[0], int) else path[0]
    inner = scope.entered.setdefault((node, which), Scope(node, {}, scope, running=scope.running))
    for place, generator in enumerate(node.generators):
        around = inner if place else scope
        for name, prefix in targets(generator.target):
            inner.bound[name] = State(generator.iter, around, (which, *prefix))
    if isinstance(node, ast.DictComp):
        key, rest = _key(path)
        return Behind(same=(State(node.key if key is EACH else node.value, inner, rest),))
    taken = path and _is_index(path[0])
    element = State(node.elt, inner, path[1:] if taken else path)
    return Behind(same=(element,)) if taken else Behind(parts=(element,))


def _looked_up(name: ast.Name, scope: Scope) -> list[State]:
    """The states that a name may stand for where it is used."""
    if scope.tree is None:
        known = scope.names if name.id in scope.names else vars(builtins)
        return [State(_constant(known[name.id]), scope)] if name.id in known else []
    found: list[State] = []
    if name.id in scope.texts:
        return [State(_constant(scope.texts[name.id]), scope)]
    if isinstance(scope.tree, FUNCTIONS):
        assigned, open_ = reaching(scope.tree, name)
        found = [
            State(one.value, scope, one.path)
            for one in assigned
            if not any(_is_known(test, not truth, scope) for test, truth in one.conditions)
        ]
        if not open_:
            return found
    if name.id in scope.bound:
        return [*found, scope.bound[name.id]]
    return found or (_looked_up(name, scope.around) if scope.around else [])


# --- values that are at hand ------------------------------------------------------------------------------------------


def _behind_value(value: Any, state: State) -> Behind:
    path = state.path
    if isinstance(value, Case):
        return _behind_case(value, state)
    if path and isinstance(path[0], Member) and isinstance(value, (type, ModuleType)):
        inside = getattr(value, path[0].name, None)
        return Behind(same=(State(_constant(inside), state.scope, path[1:]),))
    found = _behind_member(value.cls if isinstance(value, Instance) else type(value), state, 0)
    if found:
        return found
    if callable(value) and not path:  # handed on, not called here
        found = _behind_function(value, ast.Call(_constant(value), [], []), state)
        return Behind(found.facts, parts=(*found.same, *found.parts), arguments=found.arguments)
    number = isinstance(value, (Number, np.ndarray)) and not isinstance(value, bool)
    return Behind((Constant(),) * number, parts=_handed_over(path))


def _behind_case(case: Case, state: State) -> Behind:
    """An ingredient, given or derived, or a size: what the first step of the path says."""
    if not state.path or not isinstance(state.path[0], Member):
        return NOTHING
    name, path = state.path[0].name, state.path[1:]
    if name == "objects" and path:  # case.objects["name"] or case.objects.get("name")
        call = path[0].call.node if isinstance(path[0], Member) and path[0].call else None
        name, path = (_value(_arguments(call)[0]) if call and _arguments(call) else path[0]), path[1:]
    if name == "sizes":
        return Behind(tuple(Given(item.name) for item in path[:1] if isinstance(item, Member)))
    compute = next((i.compute for i in case.setting.ingredients if i.name == name and isinstance(i, Derived)), None)
    if name in case.objects:
        return _behind_given(case.objects[name], name, state, len(state.path) - len(path))
    if compute is None:
        return NOTHING
    tree = _tree(compute)
    if tree is not None:
        if compute not in state.scope.entered:
            first = next(iter(inspect.signature(compute).parameters))
            state.scope.entered[compute] = scope_of(tree, _names(compute), {first: case})
        made = _results(tree, state.scope.entered[compute], ())
        if any(not isinstance(fact, Constant) for one in made for fact in facts_behind(one)):
            return Behind(same=_taken(made, path))
    return _behind_given(getattr(case, name), name, state, len(state.path) - len(path))


def _behind_given(value: Any, name: str, state: State, start: int) -> Behind:
    """A part of an ingredient, as far down as it is data; a method of such a part may compute more."""
    for place in range(start, len(state.path)):
        found = _behind_member(type(value), state, place)
        if found:
            return found
        item = state.path[place]
        if isinstance(item, Member):
            value = getattr(value, item.name, None)
        elif isinstance(value, (tuple, list)) and value:
            value = value[item if isinstance(item, int) and item < len(value) else 0]
    return Behind((Given(name),), parts=_handed_over(state.path))


def _handed_over(path: tuple[Any, ...]) -> tuple[State, ...]:
    """What is handed to methods that are not known."""
    calls = [item.call for item in path if isinstance(item, Member) and item.call and item.name not in OF_ARRAYS]
    return _given_to(*calls)


def _given_to(*calls: State) -> tuple[State, ...]:
    return tuple(State(argument, call.scope) for call in calls for argument in _arguments(call.node))


def _arguments(call: ast.AST) -> list[ast.expr]:
    assert isinstance(call, ast.Call)
    return [*call.args, *(keyword.value for keyword in call.keywords)]


# --- methods and functions --------------------------------------------------------------------------------------------


def _behind_member(cls: type, state: State, place: int) -> Behind | None:
    """The property or method that the path asks of an object of ``cls`` at ``place``; None if it is none of ours."""
    if place >= len(state.path) or not isinstance(state.path[place], Member):
        return None
    member, rest = state.path[place], state.path[place + 1 :]
    raw = inspect.getattr_static(cls, member.name, None)
    function = raw.fget if isinstance(raw, property) else raw.func if isinstance(raw, cached_property) else raw
    if not isinstance(function, FunctionType) or not _is_ours(function, state.scope):
        return None
    if function is raw and member.call is None:
        return None  # a method that is not called
    owner = state._replace(path=state.path[:place])
    arguments = _given_to(member.call) if member.call else ()
    ours, returns = function.__module__.startswith(OWNERS), function.__annotations__.get("return")
    if ours and returns in ("int", "bool", "tuple[int, ...]"):
        return Behind(same=(owner,))  # a count: the object's own
    if ours and returns == cls.__name__:  # the same object, converted or changed
        return Behind(same=(State(owner.node, owner.scope, (*owner.path, *rest)),), parts=arguments)
    if ours and not function.__name__.startswith("_"):
        return Behind((function,), arguments=(owner, *arguments))
    tree = _tree(function)
    if tree is None:
        return Behind(parts=(owner, *arguments))
    where = member.call or owner
    return Behind(same=_entered(tree, _outside_once(function, owner.scope), where, rest, owner))


def _is_ours(function: FunctionType, scope: Scope) -> bool:
    """Whether a function is followed or named: the toolkit's, or one of the package in which a user wrote the proof."""
    module = function.__module__ or ""
    if module.startswith(f"{PACKAGE}."):
        return module.startswith((*OWNERS, CLAIMS))
    return module.partition(".")[0] == str(scope.module.get("__name__")).partition(".")[0]


def _is_named(function: Any) -> bool:
    """Whether a reader can look a function up by its name."""
    return function.__module__.startswith(NAMED) and not function.__name__.startswith("_")


def _behind_call(node: ast.Call, scope: Scope, path: tuple[Any, ...]) -> Behind:
    state = State(node, scope, path)
    called = [s for s in _same(State(node.func, scope)) if not s.path and _is_callable(s.node)]
    if called:
        every = [_behind_callable(one, node, state) for one in called]
        return Behind(*(tuple(x for one in every for x in getattr(one, part)) for part in Behind.__annotations__))
    if not isinstance(node.func, ast.Attribute):
        return Behind(parts=(State(node.func, scope), *_given_to(state)))
    member = Member(node.func.attr, State(node, scope))
    return Behind(same=_taken([State(node.func.value, scope)], path if member in path else (member, *path)))


def _is_callable(node: ast.AST) -> bool:
    return isinstance(node, FUNCTIONS) or (isinstance(node, ast.Constant) and callable(node.value))


def _behind_callable(one: State, node: ast.Call, state: State) -> Behind:
    if isinstance(one.node, FUNCTIONS):
        return Behind(same=_entered(one.node, one.scope, State(node, state.scope), state.path))
    assert isinstance(one.node, ast.Constant)
    return _behind_function(one.node.value, node, state)


def _behind_function(called: Any, node: ast.Call, state: State) -> Behind:
    """A call of a function or class that is at hand."""
    scope, path = state.scope, state.path
    given = _given_to(State(node, scope))
    function: Any = inspect.unwrap(called) if not isinstance(called, type) else called
    function = getattr(function, "__func__", function)
    special = _behind_builtin(function, node, state)
    if special is not None:
        return special
    if isinstance(function, type):
        return _behind_constructor(function, node, state)
    if isinstance(function, FunctionType) and _is_ours(function, scope):
        method = "." in function.__qualname__ and "<locals>" not in function.__qualname__
        if _is_named(function) or (method and function.__module__.startswith(OWNERS)):
            found = _behind_returned(function, state)
            if found:
                return found
            return Behind((function,), arguments=(*given, *_handed_over(path)))
        tree = _tree(function)
        if tree is not None and not function.__module__.startswith(f"{PACKAGE}.model."):
            outside = _outside_once(function, scope)
            return Behind(same=_entered(tree, outside, State(node, scope), path))
    keyword = [k.value for k in node.keywords if path and isinstance(path[0], Member) and k.arg == path[0].name]
    if keyword:  # unchecked(Policy, factors=...), replace(x, factors=...)
        return Behind(same=(State(keyword[0], scope, path[1:]),))
    return Behind(parts=(*given, *_handed_over(path)))


def _behind_builtin(function: Any, node: ast.Call, state: State) -> Behind | None:
    """Calls whose parts are known: what only rearranges, pairs or counts."""
    scope, path = state.scope, state.path
    if function in WRITTEN_OUT:
        return Behind((Constant(),))
    if function is len:
        return NOTHING
    if function is getattr and len(node.args) > 1:
        asked = [Member(name) for name in _written_out(node.args[1], scope)]
        return Behind(same=_taken((State(node.args[0], scope, (member,)) for member in asked), path)) if asked else None
    if function in FIRST and node.args:
        return Behind(same=(State(node.args[0], scope, path),))
    plain = not any(isinstance(arg, ast.Starred) for arg in node.args)
    if function in UNCHANGED and node.args:
        return Behind(same=(State(node.args[0], scope, path),))
    if function is enumerate and path[1:2] == (0,):
        return NOTHING
    if function is enumerate and path[1:2] == (1,):
        return Behind(same=(State(node.args[0], scope, (path[0], *path[2:])),))
    if function is zip and plain and len(path) > 1 and isinstance(path[1], int):
        return Behind(same=(State(node.args[path[1]], scope, (path[0], *path[2:])),))
    if function is np.broadcast_arrays and plain and path and isinstance(path[0], int):
        return Behind(same=(State(node.args[path[0]], scope, path[1:]),))
    return None


def _behind_constructor(cls: type, node: ast.Call, state: State) -> Behind:
    """An object that is made here: one of its fields, a method of it, or all that it is made of."""
    scope, path = state.scope, state.path
    given = _given_to(State(node, scope))
    found = _behind_member(cls, state, 0)
    if found:
        return found
    if path and isinstance(path[0], Member) and is_dataclass(cls):
        names = list(inspect.signature(cls).parameters)
        fields = dict(zip(names, node.args, strict=False)) | {k.arg: k.value for k in node.keywords if k.arg}
        if path[0].name in fields:
            return Behind(same=(State(fields[path[0].name], scope, path[1:]),))
    assigned = _assigned_at_birth(cls, state)
    return Behind(same=assigned) if assigned else Behind(parts=(*given, *_handed_over(path)))


def _assigned_at_birth(cls: type, state: State) -> tuple[State, ...]:
    """What ``__init__`` assigns to the attribute that the path asks for."""
    _, scope, path = state
    made = inspect.getattr_static(cls, "__init__", None)
    if not (path and isinstance(path[0], Member) and isinstance(made, FunctionType) and _is_ours(made, scope)):
        return ()
    tree = _tree(made)
    inside = tree and _inside(tree, _outside_once(made, scope), State(state.node, scope), state._replace(path=()))
    if not tree or not inside:
        return ()
    return tuple(State(value, inside, path[1:]) for value in attributes(tree, path[0].name))


def _behind_returned(function: FunctionType, state: State) -> Behind | None:
    """The method or property that the path asks of what a function returns, as far as annotations tell its class."""
    classes = _classes(function.__annotations__.get("return"), function.__globals__)
    for place, item in enumerate(state.path):
        found = next((step for cls in classes if (step := _behind_member(cls, state, place))), None)
        if found:
            return found
        if isinstance(item, Member):
            fields = [(cls, cls.__annotations__.get(item.name)) for cls in classes if is_dataclass(cls)]
            classes = [one for cls, text in fields for one in _classes(text, vars(sys.modules[cls.__module__]))]
    return None


def _classes(annotation: Any, names: dict[str, Any]) -> list[type]:
    """The classes that an annotation speaks of."""
    known = [names.get(word) for word in re.findall(r"\w+", str(annotation))]
    return [found for found in known if isinstance(found, type)]


def _outside_once(function: FunctionType, scope: Scope) -> Scope:
    running = scope.running | {tree for tree in [_tree(function)] if tree is not None}
    return scope.entered.setdefault(function, Scope(None, {}, names=_names(function), running=running))


def _entered(
    tree: Function, around: Scope, call: State, path: tuple[Any, ...], owner: State | None = None
) -> tuple[State, ...]:
    """What a function returns, its parameters bound to what the call hands over; nothing if it is running already."""
    inside = _inside(tree, around, call, owner)
    return _results(tree, inside, path) if inside else ()


def _inside(tree: Function, around: Scope, call: State, owner: State | None) -> Scope | None:
    """Where a function runs that is called so; None if it is running already."""
    caller, key = call.scope, (tree, around, call.node, owner)
    if tree in caller.running:
        return None
    if key not in caller.entered:
        bound = _unknown(tree, around) | _bound(tree, call, owner)
        caller.entered[key] = Scope(tree, bound, around, running=caller.running | {tree})
    return caller.entered[key]


def _results(tree: Function, scope: Scope, path: tuple[Any, ...]) -> tuple[State, ...]:
    """What a function returns; of a generator what it yields, where the path takes that."""
    step = path[1:] if path and _is_index(path[0]) else path
    every = [
        State(node.value, scope, step if isinstance(node, ast.Yield) else path) for node in yields(tree) if node.value
    ]
    return tuple(every) or tuple(State(node, scope, path) for node in returned(tree))


def _unknown(tree: Function, around: Scope) -> dict[str, State]:
    """Parameters of which only the default is known, or the class that their annotation names."""
    own = tree.args
    every = [*own.posonlyargs, *own.args, *own.kwonlyargs, *(arg for arg in (own.vararg, own.kwarg) if arg)]
    classes = {arg.arg: _class_in(arg.annotation, around) for arg in every}
    found = {name: State(_constant(Instance(cls) if cls else None), around) for name, cls in classes.items()}
    positional = [arg.arg for arg in (*own.posonlyargs, *own.args)]
    defaults = dict(zip(reversed(positional), reversed(own.defaults), strict=False))
    defaults |= {arg.arg: value for arg, value in zip(own.kwonlyargs, own.kw_defaults, strict=True) if value}
    return found | {name: State(value, around) for name, value in defaults.items()}


def _class_in(annotation: ast.AST | None, around: Scope) -> type | None:
    known = _looked_up(annotation, around) if isinstance(annotation, ast.Name) else []
    return next((value for state in known if isinstance(value := _value(state.node), type)), None)


def _bound(tree: Function, call: State, owner: State | None) -> dict[str, State]:
    """What a call hands over, parameter by parameter."""
    if not isinstance(call.node, ast.Call):
        return {} if owner is None else {tree.args.args[0].arg: owner}
    names = [arg.arg for arg in (*tree.args.posonlyargs, *tree.args.args)]
    found = {} if owner is None else {names.pop(0): owner}
    for place, value in enumerate(call.node.args):
        if isinstance(value, ast.Starred):
            found |= {name: State(value.value, call.scope, (EACH,)) for name in names[place:]}
            break
        if place < len(names):
            found[names[place]] = State(value, call.scope)
    if tree.args.vararg and len(call.node.args) > len(names):
        found[tree.args.vararg.arg] = State(ast.Tuple(call.node.args[len(names) :]), call.scope)
    known = [*names, *(arg.arg for arg in tree.args.kwonlyargs)]
    named = {k.arg: k.value for k in call.node.keywords if k.arg}
    spread = [k.value for k in call.node.keywords if not k.arg]
    for whole in spread:  # **d
        found |= {name: State(whole, call.scope, (name,)) for name in known if name not in found | named}
    if tree.args.kwarg:
        others = {ast.Constant(name): value for name, value in named.items() if name not in known}
        found[tree.args.kwarg.arg] = (
            State(spread[0], call.scope) if spread else State(ast.Dict([*others], [*others.values()]), call.scope)
        )
    return found | {name: State(value, call.scope) for name, value in named.items() if name in known}
