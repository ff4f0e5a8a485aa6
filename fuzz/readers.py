"""Coverage-guided fuzzing of every reader of files that others wrote.

    tox -e fuzz                          every reader in turn, a minute each
    tox -e fuzz -- json --seconds 3600   one reader, an hour
    tox -e fuzz -- json --replay         only what the corpus holds

A reader may refuse a file by an error of :mod:`mappo_verify.errors` and by nothing else, and it must not hang or exhaust the
memory.  What reaches new code is kept in ``fuzz/corpus/READER``; what breaks a reader is written to ``fuzz/found``, and replayed
from then on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
CORPUS, FOUND = FOLDER / "corpus", FOLDER / "found"
LONGEST = 4_096
"""Bytes of an input; readers are quick on these, so coverage grows fast."""
MEMORY = 2_048
"""Megabytes beyond which an input counts as a failure."""
PATIENCE = 20
"""Seconds after which an input counts as a failure."""

INSTRUMENTED = [
    "mappo_verify.games",
    "mappo_verify.model",
    "mappo_verify.runs",
    "mappo_verify.campaigns",
    "mappo_verify.checking.certificate",
    "mappo_verify.checking.certificate_files",
    "mappo_verify.checking.certificate_limits",
]
"""Where coverage guides the search: the code that reads and checks, not what computes afterwards."""

Reader = Callable[[Path], object]


def _json(path: Path) -> object:
    from mappo_verify.games.files import load_json

    return load_json(path)


def _dpomdp(path: Path) -> object:
    from mappo_verify.games.dpomdp import load_dpomdp

    return load_dpomdp(path)


def _certificate(path: Path) -> object:
    from mappo_verify.checking.certificate import read_certificate, recheck

    return recheck(read_certificate(path))


def _ledger(path: Path) -> object:
    from mappo_verify.campaigns import read_campaign

    return read_campaign(path)


def _run(path: Path) -> object:
    from mappo_verify.runs.folder import load_run

    folder = _proper_run()
    (folder / "run.json").write_bytes(path.read_bytes())
    return load_run(folder)


@cache
def _proper_run() -> Path:
    """A finished run, whose settings are then replaced."""
    import mappo_verify as mv

    folder = Path(tempfile.mkdtemp()) / "run"
    mv.begin_run(mv.Plan("constant-step", game="climbing", options={"iterations": 2}), folder)
    return folder


READERS: dict[str, tuple[str, Reader]] = {
    "json": (".json", _json),
    "dpomdp": (".dpomdp", _dpomdp),
    "certificate": (".json", _certificate),
    "ledger": (".db", _ledger),
    "run": (".json", _run),
}
"""Every reader: how its files end, and what reads one."""


def refuses_properly(name: str, content: bytes, folder: Path) -> None:
    """Read one file; anything but a proper refusal is raised."""
    from mappo_verify.errors import MappoVerifyError

    suffix, read = READERS[name]
    path = folder / f"input{suffix}"
    path.write_bytes(content)
    try:
        read(path)
    except MappoVerifyError:
        return


def seeds(name: str) -> list[bytes]:
    """Proper files to begin with."""
    root = FOLDER.parent
    if name == "dpomdp":
        found = [*sorted((root / "tests" / "games").glob("*.dpomdp"))]
    elif name == "certificate":
        found = sorted((root / "certificates").glob("*.json"), key=lambda path: path.stat().st_size)[:8]
    else:
        return [_made(name)]
    return [content for path in found if len(content := path.read_bytes()) <= LONGEST]


def _made(name: str) -> bytes:
    """A small proper file of a format that the repository holds no example of."""
    import mappo_verify as mv

    if name == "run":
        return (_proper_run() / "run.json").read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made"
        if name == "json":
            path = path.with_suffix(".json")
            mv.save_game(mv.named_game("two-step"), path)
        else:
            from mappo_verify.campaigns.ledger import Ledger
            from mappo_verify.campaigns.plan import plan_of
            from mappo_verify.campaigns.versions import formulas

            Ledger.begin(path, plan_of(["lemma-b.4/repaired"], 10, 0, (1, 1)), formulas()).close()
        return path.read_bytes()


def replay(name: str) -> int:
    """Read everything that was kept; the number of files."""
    kept = [
        *seeds(name),
        *(path.read_bytes() for place in (CORPUS, FOUND) for path in sorted((place / name).glob("*"))),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for content in kept:
            refuses_properly(name, content, Path(folder))
    return len(kept)


def fuzz(name: str, seconds: int) -> None:
    """Fuzz one reader in this process, which ends with it."""
    import atheris

    folder = Path(tempfile.mkdtemp())
    with atheris.instrument_imports(include=INSTRUMENTED):
        refuses_properly(name, b"", folder)  # imports what this reader needs
    (CORPUS / name).mkdir(parents=True, exist_ok=True)
    (FOUND / name).mkdir(parents=True, exist_ok=True)
    for place, content in enumerate(seeds(name)):
        (CORPUS / name / f"seed-{place}").write_bytes(content)
    atheris.Setup(
        [
            sys.argv[0],
            str(CORPUS / name),
            f"-max_total_time={seconds}",
            f"-max_len={LONGEST}",
            f"-rss_limit_mb={MEMORY}",
            f"-timeout={PATIENCE}",
            f"-artifact_prefix={FOUND / name}/",
            "-print_final_stats=1",
        ],
        lambda content: refuses_properly(name, content, folder),
    )
    atheris.Fuzz()


def main() -> None:
    """Fuzz one reader, or all in turn, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reader", nargs="?", choices=READERS, help="default: all, one after the other")
    parser.add_argument("--seconds", type=int, default=60, help="for each reader")
    parser.add_argument("--replay", action="store_true", help="only read what was kept")
    given = parser.parse_args()
    for name in [given.reader] if given.reader else READERS:
        if given.replay:
            print(f"{name}: {replay(name)} files")
        elif given.reader:
            fuzz(name, given.seconds)
        else:
            subprocess.run([sys.executable, __file__, name, "--seconds", str(given.seconds)], check=True)


if __name__ == "__main__":
    main()
