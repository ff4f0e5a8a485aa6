"""Which tests execute which lines of the package: every file of tests runs once under coverage, each in a process of its own.

The lines that a test executes are stored under its name.  What is executed outside of a test's own call, in a fixture, at import
or in a process that the test starts, is stored under the file of tests: it belongs to all of them.  ``scripts/mutation.py``
measures so, and reads the results.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import coverage
import pytest


class Recorder:
    """A plugin of pytest: tells coverage whose lines these are, and keeps the seconds of every test that passes."""

    def __init__(self, cover: coverage.Coverage, file: str) -> None:
        self.cover, self.file, self.failed = cover, file, set[str]()
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: Any) -> None:
        """Its own call begins."""
        self.cover.switch_context(item.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        """It is over."""
        self.cover.switch_context(self.file)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """One of its three parts is over."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        self.failed |= set() if report.passed else {report.nodeid}

    def passed(self) -> dict[str, float]:
        """``{test: seconds}``"""
        return {test: seconds for test, seconds in self.seconds.items() if test not in self.failed}


CONFIGURATION = """
[run]
data_file = {folder}/coverage
relative_files = true
concurrency = thread, multiprocessing
patch = subprocess
include = {include}
[paths]
package =
    mappo_verify/
    */mappo_verify/
"""


def measure(file: str, folder: Path, include: list[str]) -> None:
    """Run a file of tests; ``coverage`` and ``seconds.json`` in the folder say what was executed and which tests pass."""
    configuration = folder / "configuration.ini"
    configuration.write_text(CONFIGURATION.format(folder=folder, include=",".join(include)), encoding="utf-8")
    cover = coverage.Coverage(config_file=str(configuration), data_suffix=True)
    cover.start()
    cover.switch_context(file)
    recorder = Recorder(cover, file)
    pytest.main(["-q", "-p", "no:cacheprovider", file], plugins=[recorder])
    cover.stop()
    cover.save()
    coverage.Coverage(config_file=str(configuration)).combine()
    (folder / "seconds.json").write_text(json.dumps(recorder.passed()), encoding="utf-8")


class Executed:
    """Which tests execute a line, from what was measured of every file of tests."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self.tests_of = {file: _seconds(folder) for file, folder in folders.items()}
        self.seconds = {test: s for tests in self.tests_of.values() for test, s in tests.items()}
        self.data = {file: coverage.CoverageData(str(folder / "coverage")) for file, folder in folders.items()}
        for data in self.data.values():
            data.read()

    def tests(self, path: str, lines: Iterable[int] | None) -> list[str]:
        """The tests that execute one of the lines, quickest first; None: any line of this module in their own call."""
        chosen = set[str]()
        for file, data in self.data.items():
            by_line = data.contexts_by_lineno(path)
            contexts = set().union(*(by_line.get(line, ()) for line in by_line if lines is None or line in lines))
            own = contexts & self.tests_of[file].keys()
            chosen |= own if lines is None or own == contexts else self.tests_of[file].keys()
        return sorted(chosen, key=self.order)

    def order(self, test: str) -> tuple[float, str]:
        """Quickest first."""
        return self.seconds[test], test


def _seconds(folder: Path) -> dict[str, float]:
    return dict(json.loads((folder / "seconds.json").read_text(encoding="utf-8")))
