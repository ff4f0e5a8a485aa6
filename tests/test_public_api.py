"""The package's front door: what it offers, and what it costs to open."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import mappo_verify as mv

STUB = Path(mv.__file__).with_suffix(".pyi")
HEAVY = ("cvxpy", "flint", "hypothesis", "matplotlib", "msgspec", "numba", "rich", "scipy", "sympy", "typer")


def names_in_stub():
    """``{public name: module}`` as the stub says it, in its order."""
    return {
        alias.name: f"mappo_verify.{statement.module}"
        for statement in ast.parse(STUB.read_text("ascii")).body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }


def fresh_python(code):
    """What ``code`` prints in an interpreter of its own."""
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_stub_holds_only_public_imports_of_single_names():
    for statement in ast.parse(STUB.read_text("ascii")).body:
        if isinstance(statement, ast.ImportFrom):
            assert statement.level == 1
            assert statement.module
            assert all(alias.name == alias.asname for alias in statement.names), ast.unparse(statement)
        else:
            assert ast.unparse(statement) == "__version__: str"


def test_stub_and_runtime_agree():
    assert set(mv.__all__) == set(names_in_stub())
    assert len(mv.__all__) == len(set(mv.__all__))


@pytest.mark.parametrize("name", mv.__all__)
def test_public_name_resolves_and_is_documented(name):
    value = getattr(mv, name)
    assert value is getattr(importlib.import_module(names_in_stub()[name]), name)
    assert (value.__doc__ or "").strip()
    assert value.__module__ == names_in_stub()[name], "public names point at the module that defines them"


def test_dir_and_star_import():
    assert set(mv.__all__) <= set(dir(mv))
    scope = {}
    exec("from mappo_verify import *", scope)
    assert set(mv.__all__) <= set(scope)


def test_unknown_attribute_is_an_attribute_error_that_suggests_the_right_name():
    with pytest.raises(AttributeError, match="module 'mappo_verify' has no attribute 'state_value'") as caught:
        mv.state_value  # noqa: B018 - the access is the test
    assert (caught.value.name, caught.value.obj) == ("state_value", mv)
    assert not hasattr(mv, "__wrapped__")


def test_version_is_that_of_the_installed_package():
    assert mv.__version__ == importlib.import_module("importlib.metadata").version("mappo-verify")


def test_import_is_cheap():
    loaded = fresh_python("import sys, mappo_verify; print(*{name.partition('.')[0] for name in sys.modules})")
    assert not set(HEAVY) & set(loaded)


def test_float_work_stays_cheap():
    loaded = fresh_python(
        "import sys, mappo_verify as mv\n"
        "game = mv.Game([[[1.0], [1.0]]], [[1.0, 0.0]], 0.5)\n"
        "mv.state_values(game, mv.Policy.uniform(game))\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    assert not set(HEAVY) & set(loaded)


def test_package_is_marked_as_typed():
    assert STUB.with_name("py.typed").is_file()
