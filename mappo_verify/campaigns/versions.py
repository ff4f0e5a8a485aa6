"""Which formulas and which libraries computed something."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LAYERS = ("arithmetic", "model", "quantities", "games", "algorithms", "claims", "papers", "checking", "campaigns")
"""The layers on which a verdict depends."""
LIBRARIES = ("mappo-verify", "numpy", "python-flint", "scipy", "numba", "cvxpy", "clarabel", "daqp")


@cache
def formulas() -> str:
    """SHA-256 of the source text on which a verdict depends; two ledgers are about the same formulas where it is equal."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    files = [package / "errors.py", package / "axioms.py"]
    for layer in LAYERS:
        files += sorted((package / layer).rglob("*.py"))
    for file in files:
        digest.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def libraries() -> str:
    """Python and the libraries that compute, with their versions."""
    found = [f"Python {platform.python_version()}"]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
