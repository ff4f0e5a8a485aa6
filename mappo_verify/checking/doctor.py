"""A self-test: plants known errors in copies of the package and checks that the claims refute each one.

A copy is the package imported a second time under another name with one line of one module changed; the original is not
touched.  If an error goes unnoticed, this installation's verdicts are not to be trusted.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType

from ..arithmetic.explained import explained
from ..errors import ClaimError
from ..model.validation import require_seed
from .reports import Progress

ROOT = Path(__file__).resolve().parent.parent
EXACT_INSTANCES = 120


@dataclass(frozen=True)
class Planted:
    """One error: replace ``right`` by ``wrong`` in ``module``; ``claims`` are put on trial with it, in this order."""

    what: str
    module: str
    right: str
    wrong: str
    claims: tuple[str, ...]


SELF_TEST: tuple[Planted, ...] = (
    Planted(
        "γ dropped from I - γP_π",
        "quantities/values.py",
        "identity_minus(game.discount, induced",
        "identity_minus(1 + 0 * game.discount, induced",
        ("section-3.1",),
    ),
    Planted(
        "advantage without its baseline",
        "quantities/values.py",
        "following - values[..., None]",
        "following - 0 * values[..., None]",
        ("section-3.1",),
    ),
    Planted(
        "P_π transposed", "quantities/chain.py", '"...sa,...sat->...st"', '"...sa,...sat->...ts"', ("section-3.1",)
    ),
    Planted(
        "occupancy without the factor 1-γ",
        "quantities/distributions.py",
        "lift(like(1, game.system) - game.discount, 1) * visits",
        "lift(like(1, game.system), 1) * visits",
        ("section-3.1",),
    ),
    Planted(
        "stationary distribution not normalised",
        "quantities/distributions.py",
        "counts / counts.sum(-1, keepdims=True)",
        "counts",
        ("section-3.1/stationary",),
    ),
    Planted(
        "an agent summed out, not averaged out",
        "model/agents.py",
        "split_last(table, factor.shape[-1]), factor)",
        "split_last(table, factor.shape[-1]), 0 * factor + 1)",
        ("definition-3.1",),
    ),
    Planted(
        "π^m - π'^m for π'^m - π^m",
        "quantities/performance_difference.py",
        "change = target.factors[m - 1] - policy.factors[m - 1]",
        "change = policy.factors[m - 1] - target.factors[m - 1]",
        ("lemma-4.1",),
    ),
    Planted(
        "the KL term with the wrong sign",
        "quantities/mirror_descent.py",
        "inner - lift_to(beta, inner) * kl_divergence",
        "inner + lift_to(beta, inner) * kl_divergence",
        ("proposition-4.2",),
    ),
    Planted(
        "the ratio of KL upside down",
        "quantities/divergence.py",
        "xlogy(left, divide(left, right))",
        "xlogy(left, divide(right, left))",
        ("proposition-4.2",),
    ),
    Planted(
        "policy iteration stops at once",
        "quantities/optimal.py",
        "if not better.any():\n            return actions",
        "if True:\n            return actions",
        ("section-3.1/optimal",),
    ),
    Planted(
        "log(p/q) = log p + log q",
        "arithmetic/formal.py",
        "terms.append((value.q, -one))",
        "terms.append((value.q, one))",
        ("proposition-4.2",),
    ),
    Planted(
        "linear systems solved with the transpose",
        "arithmetic/rationals.py",
        "left = flint.fmpq_mat(rows, rows, matrix)",
        "left = flint.fmpq_mat(rows, rows, matrix).transpose()",
        ("section-3.1",),
    ),
)
"""One error in each kind of formula on which all verdicts rest: values, orders of axes, divergences, arithmetic."""


@dataclass(frozen=True)
class Diagnosis:
    """One planted error: whether a claim refuted it, which one, by which margin, exact and rounded."""

    planted: Planted
    caught: bool
    caught_by: str | None
    margin: str | None
    rounded: float | None = None


@explained
def diagnose(
    seed: int = 0, progress: Progress | None = None, planted: Sequence[Planted] | None = None
) -> tuple[Diagnosis, ...]:
    """Plant each error (those of the self-test) in a copy of its own and put the claims named with it on trial there."""
    require_seed(seed)
    found = []
    errors = SELF_TEST if planted is None else planted
    for position, error in enumerate(errors):
        if progress:
            progress(error.what, position / len(errors))
        found.append(_diagnose(error, seed))
    return tuple(found)


def _diagnose(error: Planted, seed: int) -> Diagnosis:
    with planted_copy(error) as copy:
        campaign = importlib.import_module(f"{copy}.checking.campaign")
        for name in error.claims:
            outcome = campaign.try_out(name, EXACT_INSTANCES, seed)
            if outcome is not None:
                return Diagnosis(error, True, *outcome)
    return Diagnosis(error, False, None, None)


@contextmanager
def planted_copy(error: Planted) -> Iterator[str]:
    """The name of a second copy of this package, with the error in it; forgotten afterwards."""
    alias = f"_planted_{abs(hash((error.module, error.wrong)))}"
    source = (ROOT / error.module).read_text(encoding="utf-8")
    if source.count(error.right) != 1:
        raise ClaimError(f"{error.module} contains {error.right!r} {source.count(error.right)} times, not once")
    changed = compile(source.replace(error.right, error.wrong), f"<{error.module}, changed>", "exec")
    finder = _CopyFinder(alias, ROOT / error.module, changed)
    sys.meta_path.insert(0, finder)
    try:
        yield alias
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name == alias or name.startswith(f"{alias}.")]:
            del sys.modules[name]


class _CopyFinder(importlib.abc.MetaPathFinder):
    """Finds ``alias.x.y`` at the place of ``mappo_verify.x.y``, with one module's code replaced."""

    def __init__(self, alias: str, changed_path: Path, changed: CodeType) -> None:
        self.alias = alias
        self.changed_path = changed_path
        self.changed = changed

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.alias and not fullname.startswith(f"{self.alias}."):
            return None
        parts = fullname.split(".")[1:]
        package = ROOT.joinpath(*parts)
        is_package = (package / "__init__.py").is_file()
        file = package / "__init__.py" if is_package else package.with_suffix(".py")
        if not file.is_file():
            return None
        code = self.changed if file == self.changed_path else _compiled(file)
        return importlib.util.spec_from_file_location(
            fullname,
            file,
            loader=_CopyLoader(code),
            submodule_search_locations=[str(package)] if is_package else None,
        )


class _CopyLoader(importlib.abc.Loader):
    """Runs ready code as a module."""

    def __init__(self, code: CodeType) -> None:
        self.code = code

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)


@cache
def _compiled(file: Path) -> CodeType:
    return compile(file.read_text(encoding="utf-8"), str(file), "exec")
