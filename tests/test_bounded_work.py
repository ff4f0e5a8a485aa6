"""Small files that ask for much: each is refused within 2 s of work and 300 MB, whatever it unpacks to."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mappo_verify.errors import FileError
from mappo_verify.games.loading import load_game

MILLION = 10**6
BASE = """\
agents: 2
discount: 0.9
values: reward
states: 2
start: uniform
actions:
2
2
observations:
2
2
"""
REST = "T: * :\nuniform\nR: * : * : * : * : 1\n"
LONG_LINES = ("0 " * 1000 + "\n") * 12_000


def declared(old: str, new: str) -> str:
    assert old in BASE
    return BASE.replace(old, new) + REST


DPOMDP: dict[str, Callable[[], str | bytes]] = {
    "one line of zeros": lambda: BASE + "T: * :\n" + "0 " * (63 * MILLION),
    "half as many": lambda: BASE + "T: * :\n" + "0 " * (12 * MILLION),
    "many lines of zeros": lambda: BASE + "T: * :\n" + LONG_LINES,
    "wide characters": lambda: BASE + "T: * :\n" + LONG_LINES.replace("0 \n", "\U0001f600\n"),
    "zeros for rewards": lambda: BASE + "T: * :\nuniform\nR: * : * :\n" + LONG_LINES,
    "start": lambda: declared("start: uniform", "start: " + "0 " * (12 * MILLION)),
    "start in lines": lambda: declared("start: uniform", "start:\n" + LONG_LINES),
    "start include": lambda: declared("start: uniform", "start include:\n" + LONG_LINES),
    "names of states": lambda: declared(
        "states: 2",
        "states:\n" + "\n".join(" ".join(f"s{j}" for j in range(i, i + 1000)) for i in range(0, MILLION, 1000)),
    ),
    "names of agents": lambda: BASE.replace("agents: 2", "agents: " + "a," * (12 * MILLION)),
    "lines of actions": lambda: declared("actions:\n2\n2", "actions:\n" + "2\n" * 40_000),
    "colons": lambda: BASE + "T: " + ":" * (24 * MILLION - 1000),
    "lines of colons": lambda: BASE + ("T:" + ":" * (MILLION - 10) + "\n") * 23,
    "lines": lambda: BASE + "T: * : uniform\n" * 1_900_000,
    "as many lines as in real files": lambda: BASE + "T: * : uniform\n" * 40_000 + "T: 2 0 : uniform\n",
    "as many numbers as in real files": lambda: BASE + "".join(f"T: * : {i % 2} : 1 : .{i}\n" for i in range(40_000)),
    "empty declarations": lambda: BASE + "T:\n" * 40_000,
    "empty lines": lambda: "\n" * (24 * MILLION),
    "wildcards": lambda: BASE.replace("states: 2", "states: 1000") + "T: * : * : * : 0\n" * 90_000,
    "digits": lambda: BASE + REST + "R: * : * : * : * : " + "1" * MILLION,
    "an exponent": lambda: BASE + REST + "R: * : * : * : * : 1e999999999",
    "zero bytes": lambda: bytes(200 * MILLION),
}

ENTRY = '{"state":0,"actions":[0],"next":0,"probability":1}'


def written(**fields: str) -> str:
    fields = {
        "format": '"mappo-verify-game"',
        "version": "1",
        "states": "1",
        "actions": "[1]",
        "discount": "1",
        "transition": f"[{ENTRY}]",
        "reward": "[]",
        **fields,
    }
    return "{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}"


JSON: dict[str, Callable[[], str | bytes]] = {
    "empty lists": lambda: written(discount="[" + "[]," * (44 * MILLION) + "[]]"),
    "fewer empty lists": lambda: written(discount="[" + "[]," * (8 * MILLION) + "[]]"),
    "names": lambda: written(states="[" + '"a",' * (26 * MILLION) + '"a"]'),
    "fewer names": lambda: written(states="[" + '"a",' * (6 * MILLION) + '"a"]'),
    "distinct names": lambda: written(states="[" + ",".join(f'"{i}"' for i in range(MILLION)) + "]"),
    "agents": lambda: written(actions="[" + "[]," * (8 * MILLION) + "[]]"),
    "a million agents": lambda: written(actions="[" + "[]," * (MILLION - 1) + "[]]"),
    "actions of an entry": lambda: written(transition='[{"state":0,"actions":[' + "1000," * (4 * MILLION) + "0]}]"),
    "a probability": lambda: written(transition=f"[{ENTRY[:-2]}[{'1000,' * (4 * MILLION)}0]}}]"),
    "nested lists": lambda: written(discount="[" * (12 * MILLION) + "]" * (12 * MILLION - 1000)),
    "nested objects": lambda: written(discount='{"a":' * (4 * MILLION) + "1" + "}" * (4 * MILLION - 1000)),
    "digits": lambda: written(discount="1" * MILLION),
    "quoted digits": lambda: written(discount='"' + "1" * MILLION + '"'),
    "an exponent": lambda: written(discount="1e999999999"),
    "a quoted exponent": lambda: written(discount='"1e999999999"'),
    "a long version": lambda: written(version="1" * MILLION),
    "a long format": lambda: written(format='"' + "x" * (24 * MILLION) + '"'),
    "a long field": lambda: '{"format":"mappo-verify-game","version":1,"' + "x" * (24 * MILLION) + '":1}',
    "a field again and again": lambda: "{" + '"x":[],' * (3 * MILLION) + '"format":"mappo-verify-game"}',
    "entries": lambda: written(states="4000", transition="[" + (ENTRY + ",") * 450_000 + ENTRY + "]"),
    "rewards": lambda: written(
        reward="[" + ",".join(f'{{"state":0,"actions":[0],"reward":{i}}}' for i in range(450_000)) + "]"
    ),
}


def packed(text: str | bytes) -> bytes:
    return gzip.compress(text.encode() if isinstance(text, str) else text, 1, mtime=0)


def with_long_header() -> bytes:
    """A gzip file whose header holds a name of 20 million bytes, which Python's gzip reads one at a time."""
    whole = packed(BASE)
    return whole[:3] + b"\x08" + whole[4:10] + b"a" * (20 * MILLION)


RAW: dict[str, Callable[[], bytes]] = {
    "a million empty members": lambda: packed("") * MILLION,
    "a long gzip header": with_long_header,
}

MEASURE = """
import json, sys, time
from pathlib import Path
from mappo_verify.errors import FileError
from mappo_verify.games.loading import load_game
load_game(sys.argv[1])  # what every reading loads
for path in sys.argv[2:]:
    begun, message = time.process_time(), None
    try:
        load_game(path)
    except FileError as error:
        message = str(error)
    spent = time.process_time() - begun
    status = Path("/proc/self/status")
    peak = int(status.read_text().partition("VmHWM:")[2].split()[0]) // 1024 if status.exists() else 0
    print(json.dumps([message, spent, peak]))
"""


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [(".dpomdp.gz", DPOMDP), (".json.gz", JSON), (".dpomdp.gz", RAW)],
    ids=["dpomdp", "json", "gzip"],
)
def test_files_that_ask_for_much_are_refused_at_once(
    tmp_path: Path, suffix: str, kind: dict[str, Callable[[], bytes]]
) -> None:
    good = tmp_path / "good.dpomdp"
    good.write_text(BASE + REST)
    paths = []
    for name, make in kind.items():
        content = make()
        paths.append(tmp_path / (name.replace(" ", "-") + suffix))
        paths[-1].write_bytes(content if kind is RAW else packed(content))
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.run(
        [sys.executable, "-c", MEASURE, str(good), *map(str, paths)], capture_output=True, text=True, env=environment
    )
    assert process.returncode == 0, process.stderr[-2000:]
    found = [json.loads(line) for line in process.stdout.splitlines()]
    for path, (message, spent, peak) in zip(paths, found, strict=True):
        assert message is not None, f"{path.name} was read"
        assert path.name in message
        assert len(message) < 400 + len(str(path)), message
        assert spent < 2, f"{path.name}: {spent:.1f} s"
        assert peak < 300, f"{path.name}: {peak} MB"


def test_a_file_may_consist_of_several_packed_pieces_and_end_in_zeros(tmp_path: Path) -> None:
    path = tmp_path / "game.dpomdp.gz"
    path.write_bytes(packed(BASE) + packed("") + packed(REST) + bytes(1000))
    assert load_game(path).states == 2
    for content in (b"", packed(BASE + REST)[:-3], packed(BASE) + b"more", bytes(100)):
        path.write_bytes(content)
        with pytest.raises(FileError, match="cannot be unpacked"):
            load_game(path)


@pytest.mark.parametrize("name", ["game.json", "game.json.gz", "game.dpomdp", "game.dpomdp.gz", "game.npz"])
def test_pipes_devices_and_folders_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(FileError, match=r"folder|cannot be read"):
        load_game(tmp_path / name)
    pipe = tmp_path / f"pipe-{name}"
    os.mkfifo(pipe)
    device = tmp_path / f"device-{name}"
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        with pytest.raises(FileError, match="is not a regular file: it is a pipe or a device"):
            load_game(path)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (written().replace('"reward":[]', '"reward":[],"reward":[]'), "reward"),
        (written().replace('"next":0', '"next":0,"n\\u0065xt":null'), "next"),
        (written(start='[{"state":0,"state":0,"probability":1}]'), "state"),
        (written(states='["a:b"]').replace('"discount":1', '"discount":1,\n"discount" :0'), "discount"),
    ],
)
def test_a_name_that_stands_twice_is_refused(tmp_path: Path, text: str, name: str) -> None:
    path = tmp_path / "game.json"
    path.write_text(text)
    with pytest.raises(FileError, match=rf"line [12]: the name '{name}' stands twice in one object"):
        load_game(path)


def test_colons_in_names_are_no_names_that_stand_twice(tmp_path: Path) -> None:
    path = tmp_path / "game.json"
    path.write_text(written(states='["a\\":b,\\"c\\":{"]', name='"\\\\"'))
    assert load_game(path).state_names == ('a":b,"c":{',)
