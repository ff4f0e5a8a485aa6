"""The table of ratios: peers are compared before they are timed, and the page holds what the script writes."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def table():
    spec = importlib.util.spec_from_file_location("benchmark_table", ROOT / "benchmarks" / "table.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_peer_that_computes_something_else_is_found(table, monkeypatch):
    rows = iter(table.planning())
    monkeypatch.setattr(table.mv, "optimal", lambda _: type("Wrong", (), {"values": [1.0, 2.0, 3.0, 4.0]}))
    pytest.importorskip("mdptoolbox", reason="the extra [bench] is not installed")
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        next(rows)


def test_ratios_in_words(table):
    assert table.Row("", "", 1.0, 34.4).ratio == "34x as fast"
    assert table.Row("", "", 2.5, 1.0).ratio == "2.5x the time"
    assert table.Row("", "", 2.5, 1.0, "≤ 3x the time", 3).verdict == "≤ 3x the time: met"
    assert table.Row("", "", 1.0, 9.0, "≥ 10x as fast", 0.1).verdict == "≥ 10x as fast: missed"
    text = table.markdown([table.Row("work", "peer", 2e-3, 5e-6)], "the machine is small")
    assert "| work | peer | 2 ms | 5 µs | 400x the time |  |" in text and text.endswith(
        "In this run the machine is small."
    )


def test_the_page_holds_a_table_of_the_script(table):
    lines = table.PAGE.read_text(encoding="utf-8").partition(table.BEGIN)[2].partition(table.END)[0].split("\n")
    assert table.markdown([], "").split("\n")[0] in lines
    assert sum(line.startswith("| ") for line in lines) > 12


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.name)
def test_what_a_benchmark_imports_is_there(path):
    """Also within functions, which no test runs."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mappo_verify"):
            module = importlib.import_module(node.module)
            for name in node.names:
                assert hasattr(module, name.name) or importlib.util.find_spec(f"{node.module}.{name.name}"), name.name
