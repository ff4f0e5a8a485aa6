"""Runs every adapter whose library is installed and writes ``docs/conformance-libraries.md``: what conforms, and what does not.

``python -m libraries.table`` in a checkout, or ``tox -e conformance-libraries``.
"""

import importlib
import importlib.metadata
import sys
from datetime import UTC, datetime
from pathlib import Path

from mappo_verify.conformance import ConformanceTests, examine
from mappo_verify.conformance.registry import CHECKS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "conformance-libraries.md"
ADAPTERS = {
    "of_rlax": ("rlax", "jax"),
    "of_torchrl": ("torchrl", "torch"),
    "of_open_spiel": ("open_spiel",),
    "of_solvers": ("quantecon", "pymdptoolbox"),
}
"""Module: the packages that it needs."""
HEADING = """# What conforms

The functions of public libraries, put to the [conformance kit](conformance.md) by the adapters in `libraries/`. What "differs"
differs from the definition that the kit states, on inputs that the kit draws. Where a library has no truncation, it is given
episodes that end at their last step. Written by `tox -e conformance-libraries`.
"""


def rows(module):
    """One row for every hook that a class of the module fills in."""
    for suite in list(vars(module).values()):
        if isinstance(suite, type) and issubclass(suite, ConformanceTests) and suite.__module__ == module.__name__:
            for hook in CHECKS:
                if getattr(suite, hook, None) is not None:
                    yield suite.__name__, hook, verdict(suite, hook)


def verdict(suite, hook):
    """Whether a hook conforms; if not, where it does not, and why as far as known."""
    library, check = suite(), CHECKS[hook]
    cases, raised = library.cases(check), {}
    for case in cases:
        try:
            examine(check, getattr(library, hook), [case], library.arrays, library.dtype, explained=False)
        except Exception as error:  # whatever a library raises is a finding, not the end of the table
            raised[case.name] = type(error).__name__
    left = [case for case in cases if case.name not in raised]
    failure = examine(check, getattr(library, hook), left, library.arrays, library.dtype)
    errors = "; ".join(f"raises {error} on the input {name!r}" for name, error in raised.items())
    if failure is None:
        return f"{errors}; conforms on the other {len(left)} inputs" if errors else "conforms"
    cause = "; ".join(failure.causes) or failure.call.complaint or "no known slip"
    known = "" if "__doc__" not in vars(suite) or not suite.__doc__ else f" ({suite.__doc__})"
    cause = f"{cause}; {errors}" if errors else cause
    return f"differs on {failure.failing} of {failure.total} inputs: {cause}{known}"


def table():
    """The page's text."""
    lines = ["| library | adapter | hook | found |", "| --- | --- | --- | --- |"]
    absent = []
    for name, packages in ADAPTERS.items():
        versions = []
        for package in packages:
            try:
                versions.append(f"{package} {importlib.metadata.version(package)}")
            except importlib.metadata.PackageNotFoundError:
                absent.append(f"`{package}` is not installed here, so `libraries/{name}.py` was not run.")
        if len(versions) == len(packages):
            module = importlib.import_module(f"libraries.{name}")
            lines += [
                f"| {', '.join(versions)} | {suite} | `{hook}` | {found} |" for suite, hook, found in rows(module)
            ]
    date = datetime.now(UTC).date()
    return (
        "\n".join([HEADING, f"Run on {date}, Python {sys.version.split()[0]}.", "", *lines, "", *absent]).rstrip()
        + "\n"
    )


if __name__ == "__main__":
    text = table()
    PAGE.write_text(text, "utf-8")
    sys.stdout.write(text)
