"""``--from FILE``: claims of your own, from a Python file."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from types import ModuleType

    from ..claims.claim import Claim

FromOption = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="Take the claims of this Python file: its CLAIMS, or every Claim at its top level.  The file is executed.",
    ),
]


def claims_from(path: Path) -> tuple[Claim, ...]:
    """The claims of a Python file, in its order; :class:`~mappo_verify.errors.FileError` where it has none, or fails."""
    from ..claims.claim import Claim
    from ..errors import ClaimError, FileError
    from ..papers.registry import IDS

    module = _executed(path)
    given = getattr(module, "CLAIMS", None)
    found = list(vars(module).values()) if given is None else given
    if not isinstance(found, (list, tuple)) or (given is not None and not all(isinstance(e, Claim) for e in found)):
        raise FileError(f"{path}: CLAIMS is no list of claims; make it CLAIMS = (claim, ...) with mv.Claim(...) in it")
    claims = tuple(dict.fromkeys(entry for entry in found if isinstance(entry, Claim)))
    if not claims:
        raise FileError(f"{path} has no claim at its top level; write claim = mv.Claim(...) there, or CLAIMS = (...)")
    ids = [entry.id for entry in claims]
    for name in ids:
        if ids.count(name) > 1:
            raise ClaimError(f"{path}: two claims are called {name!r}; give each an id of its own")
        if name in IDS:
            raise ClaimError(f"{path}: {name!r} is the id of a claim of the paper; choose another one")
    return claims


def claim_named(name: str, path: Path | None) -> Claim:
    """One claim of a file, or a registered one, by its id."""
    from ..errors import ClaimError
    from ..papers.registry import IDS, claim

    claims = () if path is None else claims_from(path)
    if path is None or (name in IDS and name not in {entry.id for entry in claims}):
        return claim(name)
    for entry in claims:
        if entry.id == name:
            return entry
    raise ClaimError(f"no claim of {path} is called {name!r}; it has {', '.join(entry.id for entry in claims)}")


def chosen(names: list[str] | None, path: Path | None) -> list[str | Claim] | None:
    """What an audit is about: claims of a file, all of them where none is named, and then ids of registered claims."""
    if path is None:
        return None if names is None else list(names)
    from ..errors import ClaimError
    from ..papers.registry import IDS

    claims = claims_from(path)
    known = {name for entry in claims for name in (entry.id, entry.parent)}
    wanted = names or []
    others = [name for name in wanted if name not in known]
    for name in others:
        if name not in IDS:
            raise ClaimError(f"no claim of {path} is called {name!r}; it has {', '.join(entry.id for entry in claims)}")
    named = [entry for entry in claims if entry.id in wanted or entry.parent in wanted]
    return [*(named or claims), *others]


def _executed(path: Path) -> ModuleType:
    """The module that a file is, with its neighbours importable."""
    from ..errors import FileError

    if not path.is_file():
        raise FileError(f"{path} is no file")
    name = f"claims_of_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FileError(f"{path} is no Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        places = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = f", line {places[-1]}" if places else ""
        raise FileError(f"{path}{line}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    return module
