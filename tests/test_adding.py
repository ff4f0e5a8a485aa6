"""What CONTRIBUTING says about adding one thing, done in a copy of the package: one place is touched, and users can use it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import mappo_verify as mv

PACKAGE = Path(mv.__file__).parent


class Copy:
    """A second copy of the package in a folder of its own, to be changed and run there."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(PACKAGE, folder / "mappo_verify", ignore=shutil.ignore_patterns("__pycache__"))

    def insert(self, path, before, text):
        """Puts ``text`` before the only place where ``before`` stands in the module ``path``."""
        module = self.folder / "mappo_verify" / path
        source = module.read_text("utf-8")
        assert source.count(before) == 1, f"{path} has {before!r} {source.count(before)} times, not once"
        module.write_text(source.replace(before, text + before), "utf-8")

    def write(self, path, text):
        """A new module, or a new text of an old one."""
        module = self.folder / "mappo_verify" / path
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(text, "utf-8")

    def python(self, *arguments):
        """A fresh interpreter that imports this copy: ``python("-m", "mappo_verify", "claims")``."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder), "COLUMNS": "120"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    def mappo(self, *arguments):
        """The command line of this copy."""
        return self.python("-m", "mappo_verify", *arguments)


QUANTITY = '''

def smallest_gap(game: Game, policy: Policy) -> Array:
    """``min_a V_π(s) - Q_π(s, a)``, shape ``[..., S]``."""
    return -largest(advantages(game, policy))
'''


def test_a_quantity_is_one_function_and_one_line(tmp_path):
    """The function in a module of ``quantities/``, and its line in the stub of the namespace."""
    copy = Copy(tmp_path)
    values = copy.folder / "mappo_verify/quantities/values.py"
    values.write_text(
        values.read_text("utf-8").replace("import Array, ", "import Array, largest, ") + QUANTITY, "utf-8"
    )
    copy.insert("quantities/__init__.pyi", "    advantages as advantages,\n", "    smallest_gap as smallest_gap,\n")
    called = copy.python(
        "-c",
        "import mappo_verify as mv\n"
        "assert 'smallest_gap' in dir(mv.quantities)\n"
        "game = mv.Game([[[0], [0]]], [[3, 1]], 0)\n"
        "print(*(mv.quantities.smallest_gap(g, mv.Policy.uniform(g)) for g in (game, game.exact())))",
    )
    assert (called.stdout.split(), called.stderr) == (["[-1.]", "[-1]"], "")
