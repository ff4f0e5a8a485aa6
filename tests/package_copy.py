"""A copy of the package that a test may change: what CONTRIBUTING says about adding one thing is tried in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import mappo_verify

PACKAGE = Path(mappo_verify.__file__).parent


class Copy:
    """The package in a folder of its own, and interpreters that import it from there."""

    def __init__(self, folder):
        self.folder = folder
        leave = shutil.ignore_patterns("*.pyc")  # compiled loops come along
        shutil.copytree(PACKAGE, folder / "mappo_verify", ignore=leave)

    def write(self, path, text):
        """A new module."""
        module = self.folder / "mappo_verify" / path
        assert not module.exists(), f"{path} is there already"
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(text, "utf-8")

    def replace(self, path, old, new):
        """Put ``new`` in the only place of a module that reads ``old``."""
        module = self.folder / "mappo_verify" / path
        source = module.read_text("utf-8")
        assert source.count(old) == 1, f"{path} has {old!r} {source.count(old)} times, not once"
        module.write_text(source.replace(old, new), "utf-8")

    def insert(self, path, before, text):
        """Put ``text`` in front of the only place of a module that reads ``before``."""
        self.replace(path, before, text + before)

    def python(self, *arguments):
        """A fresh interpreter that imports this copy: ``python("-m", "mappo_verify", "claims")``."""
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder), "COLUMNS": "120"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    def mappo(self, *arguments):
        """The command line of this copy."""
        return self.python("-m", "mappo_verify", *arguments)
