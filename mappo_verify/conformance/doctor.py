"""A doctor for suites: it plants the known slips in an author's hooks, one at a time, and lists those that no test notices.

The hooks are methods of classes derived from :class:`~mappo_verify.conformance.suites.ConformanceTests`.  Of a hook ``f`` and a
slip, the planted hook returns ``f(x) + (slip(x) - exact(x))``: what a right library with this slip would return, in the author's
own arrays.  A slip that changes nothing for a hook (a mask that it does not take) is not planted.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np

from ..arithmetic.explained import shown
from ..errors import ConformanceError
from .arrays import to_numpy
from .check import Check, Slip, floats
from .compare import accepted, neutral, value_of
from .registry import CHECKS
from .restore import restored
from .settings import Settings, using
from .suites import ConformanceTests

VISIBLE = 1e-3
"""A slip is planted where it changes some result by this share at least."""


@dataclass(frozen=True)
class Mutation:
    """One slip in one hook; ``killed_by`` is the first test that noticed it, None where none did."""

    suite: str
    hook: str
    slip: str
    killed_by: str | None = None
    trouble: str = ""


@dataclass(frozen=True)
class Report:
    """What the doctor found: the tests that pass on the suite as it is, and what became of every mutation."""

    passing: int
    mutations: tuple[Mutation, ...]

    @property
    def missed(self) -> tuple[Mutation, ...]:
        """The slips that no test noticed."""
        return tuple(each for each in self.mutations if each.killed_by is None)


def examine_suite(paths: Sequence[str | Path], own: bool = False, seed: int = 0) -> Report:
    """Plant every known slip in every hook of these test files, and run their tests; needs pytest.

    ``own`` leaves the kit's tests out, so that the report says what the author's own tests notice.  Tests that fail already are
    an error: a suite is examined on code that conforms.
    """
    try:
        import pytest
    except ImportError:
        raise ConformanceError("the doctor runs test suites by pytest; install it: pip install pytest") from None
    if not isinstance(paths, (list, tuple)):
        raise ConformanceError(f"the files of a suite come in a list, not {shown(paths)}")
    for path in paths:
        if not Path(str(path).partition("::")[0]).exists():
            raise ConformanceError(f"there is no file {path}")
    doctor = _Doctor(own, seed)
    arguments = [
        "-p",
        "no:terminal",
        "-p",
        "no:cacheprovider",
        "-o",
        "addopts=",
        "-p",
        "mappo_verify.conformance.plugin",
    ]
    pytest.main([*arguments, f"--mappo-seed={seed}", *map(str, paths)], plugins=[doctor])
    if doctor.errors:
        raise ConformanceError("\n".join(doctor.errors))
    if doctor.report is None:
        raise ConformanceError(f"pytest did not run the tests of {', '.join(map(str, paths))}")
    return doctor.report


@dataclass(eq=False)  # pytest 8.2 keeps plugins in a set
class _Doctor:
    """A pytest plugin that runs the collected tests again and again."""

    own: bool
    seed: int
    errors: list[str] = field(default_factory=list)
    report: Report | None = None
    _failed: list[str] = field(default_factory=list)
    _passed: bool = False

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.errors.append(f"{report.nodeid} cannot be collected: {report.longreprtext}")

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self._failed.append(report.longreprtext)
        self._passed = self._passed or (report.when == "call" and report.passed)

    def pytest_runtestloop(self, session: Any) -> bool:
        if not self.errors:
            self.report = self._examine(session)
        return True

    def _fails(self, item: Any) -> bool:
        """Whether a test fails now; its fixtures are set up and torn down for it."""
        self._failed.clear()
        self._passed = False
        item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        return bool(self._failed)

    def _examine(self, session: Any) -> Report | None:
        items = []
        for item in session.items:
            if self.own and _of_kit(item):
                continue
            failed = self._fails(item)
            items += [item] if self._passed else []
            if failed:
                self.errors.append(
                    f"{item.nodeid} fails as it is; the doctor examines suites that pass:\n{self._failed[0]}"
                )
        if self.errors:
            return None
        homes = _homes(session.items)
        if not homes:
            self.errors.append(
                "no hook was found: the doctor plants slips in methods of classes derived from conformance.ConformanceTests, "
                f"such as {', '.join(list(CHECKS)[:4])}"
            )
            return None
        done = [self._outcome(home, hook, slip, items) for home, hook in homes for slip in planted(home, CHECKS[hook])]
        return Report(len(items), tuple(done))

    def _outcome(self, home: type[ConformanceTests], hook: str, slip: Slip, items: Sequence[Any]) -> Mutation:
        """Run the tests that come first to mind first: those of the hook, of its class, all others."""
        found = Mutation(home.__name__, hook, slip.name)
        ranked = sorted(items, key=lambda item: (f"test_{hook}" not in item.name, not _within(item, home)))
        with using(Settings(self.seed, explained=False)), mutated(home, hook, slip) as trouble:
            for item in ranked:
                if self._fails(item):
                    found = replace(found, killed_by=item.nodeid)
                    break
        return replace(found, trouble=trouble[0] if trouble else "")


def _of_kit(item: Any) -> bool:
    return getattr(getattr(item, "function", None), "__module__", "").startswith("mappo_verify.conformance.")


def _within(item: Any, home: type) -> bool:
    return isinstance(getattr(item, "cls", None), type) and issubclass(item.cls, home)


def _homes(items: Sequence[Any]) -> list[tuple[type[ConformanceTests], str]]:
    """Where each hook is defined: the classes in the modules of the tests, each hook once."""
    modules = {item.module for item in items if getattr(item, "module", None) is not None}
    things = [thing for module in modules for thing in vars(module).values()]
    classes = {thing: None for thing in things if isinstance(thing, type) and issubclass(thing, ConformanceTests)}
    found: dict[tuple[type[ConformanceTests], str], None] = {}
    for each in classes:
        for hook in CHECKS:
            home = next((base for base in each.__mro__ if vars(base).get(hook) is not None), None)
            if home is not None and issubclass(home, ConformanceTests):
                found[home, hook] = None
    return sorted(found, key=lambda pair: (pair[0].__name__, list(CHECKS).index(pair[1])))


# --- planting ---------------------------------------------------------------------------------------------------------


def planted(home: type[ConformanceTests], check: Check) -> list[Slip]:
    """The slips that change some result for this hook."""
    suite = home()
    names = accepted(check, getattr(suite, check.hook))
    inputs = [floats(neutral(check, case.inputs, names)) for case in suite.cases(check)]
    right = [np.asarray(check.evaluate(each), float) for each in inputs]
    return [
        slip
        for slip in check.with_sign()
        if any(_visible(value_of(slip, check.evaluate, each), told) for each, told in zip(inputs, right, strict=True))
    ]


def _visible(slipped: Any, right: Any) -> bool:
    return slipped.shape == right.shape and bool(np.any(~(np.abs(slipped - right) <= VISIBLE * np.abs(right))))


@contextmanager
def mutated(home: type[ConformanceTests], hook: str, slip: Slip) -> Iterator[list[str]]:
    """The class with a slip in its hook while the block runs; the list says why the slip could not be applied somewhere."""
    original = vars(home)[hook]
    trouble: list[str] = []
    setattr(home, hook, _with_slip(original, CHECKS[hook], slip, trouble))
    try:
        yield trouble
    finally:
        setattr(home, hook, original)


def _with_slip(original: Any, check: Check, slip: Slip, trouble: list[str]) -> Callable[..., Any]:
    bound = original.__get__(ConformanceTests(), ConformanceTests)  # whatever kind of method it is
    signature = inspect.signature(bound)

    @wraps(bound)
    def wrong(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original.__get__(self, type(self))(*args, **kwargs)
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        plain = to_numpy(result, check.hook)
        try:
            change = _change(check, slip, given.arguments)
        except (KeyError, ValueError, IndexError, TypeError, ZeroDivisionError) as error:
            trouble.append(f"{type(error).__name__}: {error}")
            return result
        spread = change if change.shape == plain.shape or not change.ndim else change[..., None]
        moved = (plain + spread).astype(plain.dtype if plain.dtype.kind == "f" else float)
        return moved if self.arrays is np else self.arrays.asarray(moved)

    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    wrong.__signature__ = signature.replace(parameters=[own, *signature.parameters.values()])  # type: ignore[attr-defined]
    return wrong


def _change(check: Check, slip: Slip, given: Mapping[str, Any]) -> Any:
    """What the slip adds to a result, for the arguments of one call."""
    inputs = restored(check, given)
    right, slipped = np.asarray(check.evaluate(inputs), float), value_of(slip, check.evaluate, inputs)
    if slipped.shape != right.shape:
        raise ValueError(f"the slip changes the shape {right.shape} into {slipped.shape}")
    return slipped - right
