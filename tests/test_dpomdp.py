"""The .dpomdp reader: every form by hand, every planted error by its line, real files against a naive reader."""

from __future__ import annotations

import gzip
import itertools
import logging
import time
import tracemalloc
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappo_verify.errors import FileError, GameError, MappoVerifyError
from mappo_verify.games import dpomdp_declarations, untrusted
from mappo_verify.games.dpomdp import load_dpomdp
from mappo_verify.games.loading import load_game
from mappo_verify.model import Game
from mappo_verify.quantities.optimal import optimal

GAMES = Path(__file__).parent / "games"
PROBLEMS = Path(__file__).parents[2] / "shared" / "problems"
PROBLEM_FILES = sorted(PROBLEMS.glob("*.dpomdp*")) if PROBLEMS.is_dir() else []
needs_problems = pytest.mark.skipif(not PROBLEM_FILES, reason="the benchmark files are not in ../shared/problems")

BASE = """\
agents: 2
discount: 0.9
values: reward
states: calm storm
start: uniform
actions:
stay go
2
observations:
2
2
T: * :
identity
T: go 1 : calm :
0.25 0.75
O: * :
uniform
R: * : * : * : * : -1
R: stay * : calm : storm : 0 1 : +5
"""


def read(tmp_path: Path, text: str | bytes, discount: Any = None, name: str = "game.dpomdp") -> Game:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_dpomdp(path, discount)


def fractions(values: Any) -> Any:
    """Nested lists of Fractions, from rationals or floats."""
    if isinstance(values, np.ndarray):
        return [fractions(entry) for entry in values]
    return Fraction(values) if isinstance(values, float) else Fraction(int(values.p), int(values.q))


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_every_form_of_the_format() -> None:
    game = load_dpomdp(GAMES / "every-form.dpomdp")
    assert (game.name, game.states, game.action_sizes) == ("every-form", 3, (2, 3))
    assert game.state_names == ("calm", "storm", "s_3")
    assert game.action_names == (("stay", "go"), ("0", "1", "2"))
    assert fractions(game.discount[()]) == Fraction(19, 20)
    assert fractions(game.start) == [Fraction(1, 4), Fraction(1, 2), Fraction(1, 4)]
    third, last = [Fraction(1, 3)] * 3, [0, 0, 1]
    assert fractions(game.transition) == [
        [
            [1, 0, 0],
            [Fraction(1, 2)] * 2 + [0],
            [Fraction(1, 8), Fraction(3, 8), Fraction(1, 2)],
            last,
            last,
            [1, 0, 0],
        ],
        [[0, 1, 0], [0, 1, 0], [1, 0, 0], last, last, [0, 1, 0]],
        [last, [Fraction(1, 10), Fraction(1, 5), Fraction(7, 10)], third, last, last, last],
    ]
    assert fractions(game.reward) == [
        # 1/2·(-1) + 1/2·7;  1/8·1 + 3/8·2 + 1/2·4;  two lines that say 3 for every observation
        [-1, 3, Fraction(23, 8), 3, -1, -1],
        # 3/4·8 + 1/4·16
        [Fraction(5, 2), -1, -1, -1, -1, 10],
        # 1/10·(0.4·1 + 0.3·2 + 0.2·3 + 0.1·4) - 9/10
        [-1, Fraction(-7, 10), -1, -1, -1, -1],
    ]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("start: uniform", [Fraction(1, 3)] * 3),
        ("start:\nuniform", [Fraction(1, 3)] * 3),
        ("start: b", [0, 1, 0]),
        ("start: 2", [0, 0, 1]),
        ("start:\n0.5 0.25 0.25", [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)]),
        ("start: 0 1e0 0.0", [0, 1, 0]),
        ("start include: a 2", [Fraction(1, 2), 0, Fraction(1, 2)]),
        ("start include: a a 2 c", [Fraction(1, 2), 0, Fraction(1, 2)]),
        ("start exclude: c 0", [0, 1, 0]),
    ],
)
def test_starts(tmp_path: Path, start: str, expected: list[Any]) -> None:
    text = f"agents: 1\ndiscount: 0\nvalues: reward\nstates: a b c\n{start}\nactions: 2\nT: * : identity\n"
    game = read(tmp_path, text)
    assert fractions(game.start) == expected
    assert (game.action_sizes, game.action_names, game.agents) == ((2,), None, 1)
    assert fractions(game.reward) == [[0, 0]] * 3


@pytest.mark.parametrize("start", ["1", "1.0", "0", "uniform", "only"])
def test_the_start_of_a_single_state(tmp_path: Path, start: str) -> None:
    text = f"agents: 1\ndiscount: 0\nvalues: reward\nstates: only\nstart: {start}\nactions: 1\nT: * :\n1.0\n"
    assert fractions(read(tmp_path, text).start) == [1]


def test_costs_are_negated_and_the_discount_can_be_replaced(tmp_path: Path) -> None:
    game = read(tmp_path, BASE.replace("values: reward", "values: cost"), discount="0.75")
    assert fractions(game.discount[()]) == Fraction(3, 4)
    assert fractions(game.reward)[1] == [1, 1, 1, 1]
    assert fractions(read(tmp_path, BASE, discount=Fraction(1, 3)).discount[()]) == Fraction(1, 3)
    assert fractions(read(tmp_path, BASE.replace("discount: 0.9\n", ""), discount=1).discount[()]) == 1
    for bad in (0.5, True, "two", 2, "-1/2", "1/0"):
        with pytest.raises(GameError, match="discount"):
            read(tmp_path, BASE, discount=bad)


def test_later_lines_override_earlier_ones_also_for_rewards(tmp_path: Path) -> None:
    lines = "R: go 1 : calm : storm : * : 8\nR: go 1 : calm : * : * : 2\nR: go 1 : calm : calm : * : 4\n"
    game = read(tmp_path, BASE + lines)
    assert fractions(game.reward)[0][3] == Fraction(1, 4) * 4 + Fraction(3, 4) * 2


def test_observations_are_only_needed_where_a_reward_depends_on_them(tmp_path: Path) -> None:
    without = BASE.replace("O: * :\nuniform\n", "")
    # calm to storm happens under (go, 1) only, and the last line of BASE speaks of stay: no O row is needed.
    assert read(tmp_path, without).states == 2
    with pytest.raises(FileError, match=r"O\(· \| joint action go 1, next state storm\).* sums to 0, not to 1"):
        read(tmp_path, without + "R: go 1 : calm : storm : 0 1 : 3\n")
    none = without.replace("observations:\n2\n2\n", "").replace("R: stay * : calm : storm : 0 1 : +5\n", "")
    assert fractions(read(tmp_path, none).reward) == [[-1] * 4] * 2


def test_one_joint_observation_for_several_agents(tmp_path: Path) -> None:
    text = BASE + "R: go 1 : calm : storm :\n0 0 4 0\nR: 3 : calm : 0 : 2 : 12\n"
    game = read(tmp_path, text)
    # 3/4·(1/4·4) + 1/4·(1/4·12 - 3/4·1)
    assert fractions(game.reward)[0][3] == Fraction(3, 4) + Fraction(1, 4) * (3 - Fraction(3, 4))


def test_rows_that_decimals_rounded_are_divided_by_their_sum(tmp_path: Path, caplog: Any) -> None:
    with caplog.at_level(logging.WARNING, "mappo_verify"):
        assert fractions(read(tmp_path, BASE.replace("0.25 0.75", "0.25 0.7500001")).transition)[0][3] == [
            Fraction(2500000, 10000001),
            Fraction(7500001, 10000001),
        ]
    assert "1 rows missed 1" in caplog.text and "state calm, joint action go 1" in caplog.text
    game = read(tmp_path, BASE.replace("start: uniform", "start: 0.3333333 0.6666666"))
    assert fractions(game.start) == [Fraction(3333333, 9999999), Fraction(6666666, 9999999)]
    assert "start distribution" in caplog.text


def test_windows_lines_and_a_byte_order_mark(tmp_path: Path) -> None:
    game = read(tmp_path, b"\xef\xbb\xbf" + BASE.replace("\n", "\r\n").encode())
    plain = read(tmp_path, BASE)
    assert fractions(game.transition) == fractions(plain.transition) and game.state_names == plain.state_names


# --- planted errors ---------------------------------------------------------------------------------------------------


def planted(old: str, new: str) -> str:
    assert BASE.count(old) == 1
    return BASE.replace(old, new)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (planted("discount: 0.9", "discount: 1.5"), 2, "outside \\[0, 1\\]"),
        (planted("discount: 0.9", "discount: 0.9 0.8"), 2, "'0.8' is one too many"),
        (planted("discount: 0.9", "discount:"), 2, "'discount:' is empty"),
        (planted("discount: 0.9", "discount: nine"), 2, "'nine' is not a number"),
        (planted("discount: 0.9", "discount: 9/10"), 2, "'9/10' is not a number"),
        (planted("discount: 0.9", "discount: 0.9\ndiscount: 0.8"), 3, "line 2 declares it"),
        (planted("values: reward", "values: money"), 3, "reward or cost, not 'money'"),
        (planted("states: calm storm", "states: calm calm"), 4, "'calm' is named twice"),
        (planted("states: calm storm", "states: calm 1e3"), 4, "'1e3' cannot be the name"),
        (planted("states: calm storm", "states: calm *"), 4, "cannot be the name"),
        (planted("states: calm storm", "states: calm uniform"), 4, "cannot be the name"),
        (planted("states: calm storm", "states: 0"), 4, "at least one state"),
        (planted("states: calm storm", "states: 999999999999"), 4, "'999999999999' states are more than can be read"),
        (planted("states: calm storm", f"states: calm {'x' * 300}"), 4, "longer than 200"),
        (planted("states: calm storm", "states: calm \x1b[31m"), 4, "cannot be printed"),
        (planted("states: calm storm", "states: 99999"), 4, "the limit is 20000000"),
        (planted("agents: 2", "agents: 3"), 6, "2 lines for 3 agents"),
        (planted("agents: 2", "agents: 21"), 1, "more than the limit of 20"),
        (planted("agents: 2", "agents: ,"), 1, "empty"),
        (planted("agents: 2", "agents: two two"), 1, "named twice"),
        (planted("agents: 2", "hello\nagents: 2"), 1, "'hello' is not a declaration"),
        (planted("start: uniform", "start: uniform\nhorizon: 3"), 6, "'horizon: 3' is not a declaration"),
        (planted("start: uniform", "start: fog"), 5, "no state is called 'fog'"),
        (planted("start: uniform", "start: 2"), 5, "indices are 0 to 1"),
        (planted("start: uniform", "start:\n0.5 0.4"), 6, "sums to 9/10"),
        (planted("start: uniform", "start:\n0.5 0.4 0.1"), 6, "3 values for 2 states"),
        (planted("start: uniform", "start:\n1.5 -0.5"), 6, "'1.5' is outside"),
        (planted("start: uniform", "start exclude: 0 1"), 5, "leaves no state"),
        (planted("0.25 0.75", "0.25 0.85"), 14, "calm, joint action go 1\\) sums to 11/10, not to 1"),
        (planted("0.25 0.75", "0.333 0.666"), 14, "sums to 999/1000, not to 1; write more digits"),
        (planted("0.25 0.75", "0.25 -0.75"), 15, "'-0.75' is outside"),
        (planted("0.25 0.75", "0.25 0.75 0"), 15, "'0' is one too many"),
        (planted("0.25 0.75", "0.25"), 14, "1 values stand where 1 x 2"),
        (planted("0.25 0.75", ""), 14, "ends before its numbers"),
        (planted("0.25 0.75", "0.25 nan"), 15, "'nan' is not a number"),
        (planted("0.25 0.75", "0.25 0_75"), 15, "not a number"),
        (planted("0.25 0.75", "0.25 ٠.75"), 15, "not a number"),
        (planted("0.25 0.75", "0.25 1e999"), 15, "exponent beyond"),
        (planted("0.25 0.75", "0.25 1e100000000000"), 15, "exponent beyond"),
        (planted("0.25 0.75", f"0.25 0.{'7' * 1001}"), 15, "more than 1000 digits"),
        (planted("0.25 0.75", f"0.25 0.{'7' * 100_000}"), 15, "more than 1000 digits"),
        (planted("0.25 0.75", "identity"), 15, "'identity' is not a number"),
        (planted("T: go 1 : calm :", "T: go : calm :"), 14, "'go' is not a joint action of 2 agents"),
        (planted("T: go 1 : calm :", "T: go 1 0 : calm :"), 14, "not a joint action.*colon"),
        (
            planted("T: go 1 : calm :", "T: go 2 : calm :"),
            14,
            "2 is not the index of any action of agent 2; indices are 0 to 1",
        ),
        (planted("T: go 1 : calm :", "T: 4 : calm :"), 14, "indices are 0 to 3"),
        (planted("T: go 1 : calm :", "T: run 1 : calm :"), 14, "no action of agent 1 is called 'run'"),
        (planted("T: go 1 : calm :", "T: go 1 : fog :"), 14, "no state is called 'fog'"),
        (planted("T: go 1 : calm :", "T: go 1 : 7 :"), 14, "7 is not the index of any state"),
        (planted("T: go 1 : calm :", "T: go 1 : calm storm :"), 14, "not 'calm storm'"),
        (planted("T: go 1 : calm :", "T: go 1 : calm : storm : 1"), 15, "follows a 'T:' line"),
        (planted("T: go 1 : calm :", "T: go 1 : calm : storm : 0 : 1"), 14, "this is neither"),
        (planted("O: * :\nuniform", "O: * :\nidentity"), 17, "'identity' is not a number"),
        (planted("O: * :\nuniform", "O: * : * : 4 : 1"), 16, "joint observation; indices are 0 to 3"),
        (planted("O: * :\nuniform", "O: * :\nuniform\nnoise"), 18, "'noise' is one too many"),
        (planted("R: * : * : * : * : -1", "R: * : * : * : * -1"), 18, "a colon is needed"),
        (planted("R: * : * : * : * : -1", "R: * : -1"), 18, "neither 'R:"),
        (planted("R: * : * : * : * : -1", "R: * : * : uniform"), 18, "'uniform' is not a number"),
        (planted("R: * : * : * : * : -1", "R: * : * : * : * : one"), 18, "'one' is not a number"),
        (planted("R: * : * : * : * : -1", "R: * : * : * : * : -1\nnote"), 19, "'note' follows a 'R:' line"),
        (BASE + "R: * : * : * : * : 1 2\n", 20, "'2' is one too many"),
    ],
)
def test_planted_errors_are_named_by_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(FileError, match=rf"game\.dpomdp, line {line}: .*({message})"):
        read(tmp_path, text)


@pytest.mark.parametrize("keyword", ["agents", "discount", "values", "states", "start", "actions"])
def test_a_missing_declaration_is_named(tmp_path: Path, keyword: str) -> None:
    kept, skip = [], False
    for line in BASE.splitlines():
        skip = line.startswith(keyword) or (skip and ":" not in line)
        if not skip:
            kept.append(line)
    with pytest.raises(FileError, match=f"game.dpomdp: the file has no '{keyword}:' declaration"):
        read(tmp_path, "\n".join(kept))


def test_a_row_that_is_never_given_is_an_error_and_no_termination(tmp_path: Path) -> None:
    text = planted("T: * :\nidentity", "T: stay * :\nidentity\nT: go 0 :\nidentity")
    with pytest.raises(FileError, match=r"no T line gives P\(· \| state storm, joint action go 1\)"):
        read(tmp_path, text)


# --- untrusted bytes --------------------------------------------------------------------------------------------------


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"line 3: byte 0xff is not UTF-8"):
        read(tmp_path, b"agents: 2\n\n# caf\xff\n")
    with pytest.raises(FileError, match="line 2: the file contains a NUL"):
        read(tmp_path, b"agents: 2\n\0\n")
    with pytest.raises(FileError, match="looks like gzip"):
        read(tmp_path, gzip.compress(BASE.encode()))
    with pytest.raises(FileError, match="cannot be unpacked"):
        read(tmp_path, BASE, name="game.dpomdp.gz")
    with pytest.raises(FileError, match="cannot be unpacked"):
        read(tmp_path, gzip.compress(BASE.encode())[:-9], name="game.dpomdp.gz")
    with pytest.raises(FileError, match="no 'agents:'"):
        read(tmp_path, b"")


def test_a_gzip_bomb_is_refused_without_unpacking_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untrusted, "MAX_BYTES", 2**21)
    bomb = gzip.compress(b"\n" * 2**27)
    began = time.perf_counter()
    with pytest.raises(FileError, match="more than the limit of 2097152 bytes"):
        read(tmp_path, bomb, name="game.dpomdp.gz")
    assert time.perf_counter() - began < 2
    with pytest.raises(FileError, match="more than the limit"):
        read(tmp_path, b"#" * (2**21 + 1))


def test_overriding_wildcards_and_endless_lines_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dpomdp_declarations, "MAX_FILLS", 10_000)
    assert read(tmp_path, BASE).states == 2
    with pytest.raises(FileError, match=r"line \d+: the lines up to here set more than 10000"):
        read(tmp_path, BASE + "T: * : * : * : 0.5\n" * 100)
    with pytest.raises(FileError, match=r"line \d+: the lines up to here set more than 10000"):
        read(tmp_path, BASE + "R: * : * : * : * : 0.5\n" * 1_000)
    monkeypatch.setattr(dpomdp_declarations, "MAX_LINES", 50)
    with pytest.raises(FileError, match="more than 50 lines"):
        read(tmp_path, BASE + "\n" * 50)


def test_a_word_that_means_a_whole_matrix_costs_one_matrix(tmp_path: Path) -> None:
    header = "agents: 1\ndiscount: 0\nvalues: cost\nstates: 300\nstart: 0\nactions: 1\n"
    tracemalloc.start()
    assert read(tmp_path, header + "T: 0 : identity\n" * 50).states == 300
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * 8 * 300**2


def test_tables_of_observations_are_bounded(tmp_path: Path) -> None:
    text = planted("observations:\n2\n2", "observations:\n9999\n9999")
    with pytest.raises(FileError, match="the limit is 20000000"):
        read(tmp_path, text)
    assert read(tmp_path, text.replace("R: stay * : calm : storm : 0 1 : +5\n", "")).states == 2
    with pytest.raises(FileError, match="more joint observations"):
        read(tmp_path, planted("observations:\n2\n2", "observations:\n999999999\n999999999"))


WORDS = [
    *("T", "O", "R", "T:", "O:", "R:", ":", "*", "#", "go", "stay", "calm", "storm", "uniform", "identity"),
    *(
        "0",
        "1",
        "2",
        "3",
        "-1",
        "+5",
        ".5",
        "1.",
        "1e-3",
        "1e9",
        "0.25",
        "nan",
        "cost",
        "reward",
        "include:",
        "exclude:",
    ),
    *("agents:", "discount:", "values:", "states:", "start:", "actions:", "observations:"),
    "\n",
    "99999999999",
    "\x00",
    "\x0b",
    "é",
    "x" * 300,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def survives(folder: Path, content: bytes, name: str = "game.dpomdp") -> None:
    """Whatever the bytes: a game, or an error of ours."""
    path = folder / name
    path.write_bytes(content)
    try:
        game = load_game(path)
    except MappoVerifyError:
        return
    assert all(total == 1 for total in game.transition.sum(-1).ravel())


fuzz = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@fuzz
@given(edits=st.lists(st.tuples(st.integers(0, 80), st.sampled_from(WORDS), st.sampled_from("ird")), max_size=6))
def test_fuzz_mutated_files(folder: Path, edits: list[tuple[int, str, str]]) -> None:
    words = [word for line in BASE.splitlines() for word in [*line.split(), "\n"]]
    for position, word, kind in edits:
        at = position % max(1, len(words))
        words[at : at + (kind != "i")] = [word] if kind != "d" else []
    survives(folder, " ".join(words).encode())


@fuzz
@given(words=st.lists(st.sampled_from(WORDS), max_size=60), tail=st.booleans())
def test_fuzz_soups_of_words(folder: Path, words: list[str], tail: bool) -> None:
    survives(folder, ((BASE if tail else "") + " ".join(words)).encode())


@fuzz
@given(content=st.binary(max_size=200), at=st.integers(0, len(BASE)), zipped=st.booleans())
def test_fuzz_bytes(folder: Path, content: bytes, at: int, zipped: bool) -> None:
    base = BASE.encode()
    mixed = base[:at] + content + base[at:]
    if zipped:
        packed = gzip.compress(base)
        survives(folder, packed[:at] + content + packed[at:], "game.dpomdp.gz")
        survives(folder, gzip.compress(mixed), "game.dpomdp.gz")
    survives(folder, content)
    survives(folder, mixed)


# --- the benchmark files ----------------------------------------------------------------------------------------------

SIZES = {
    "2generals": (2, (2, 2), 1),
    "GridSmall": (16, (5, 5), Fraction(9, 10)),
    "Mars": (256, (6, 6), 1),
    "boxPushingUAI07": (100, (4, 4), 1),
    "broadcastChannel": (4, (2, 2), 1),
    "dectiger": (2, (3, 3), 1),
    "prisoners": (1, (2, 2), 1),
    "recycling": (4, (3, 3), Fraction(9, 10)),
    "relay4": (4, (3, 3), Fraction(19, 20)),
}


def stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".dpomdp")


class Naive:
    """A second reader, written differently: dictionaries, loops over every match of a wildcard, one line at a time."""

    def __init__(self, path: Path) -> None:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = [line.split("#")[0].strip() for line in raw.decode().splitlines()]
        lines = [line for line in lines if line]
        body = next(i for i, line in enumerate(lines) if line.startswith("T"))
        header = "\n".join(lines[:body])
        states = header.split("states:")[1].split("start")[0].split()
        self.states = [str(i) for i in range(int(states[0]))] if states[0].isdigit() else states
        self.actions = self.members(header.split("actions:")[1].split("observations:")[0])
        self.observations = self.members(header.split("observations:")[1])
        self.P: dict[Any, Fraction] = {}
        self.R: dict[Any, Fraction] = {}
        rest = iter(lines[body:])
        for line in rest:
            keyword, _, address = line.partition(":")
            if keyword == "O":
                if address.rstrip().endswith(":"):
                    next(rest)
            elif keyword == "T":
                self.transition([field.split() for field in address.split(":")], rest)
            else:
                self.reward([field.split() for field in address.split(":")])
        self.targets = {t for _, _, t in self.R if t >= 0}

    def members(self, text: str) -> list[list[str]]:
        rows = [line.split() for line in text.split("\n") if line.split()]
        return [[str(i) for i in range(int(row[0]))] if row[0].isdigit() else row for row in rows]

    def find(self, word: str, names: list[str]) -> list[int]:
        return list(range(len(names))) if word == "*" else [names.index(word) if word in names else int(word)]

    def joint(self, words: list[str], members: list[list[str]]) -> Iterator[tuple[int, ...]]:
        words = ["*"] * len(members) if words == ["*"] else words
        return itertools.product(*(self.find(word, names) for word, names in zip(words, members, strict=True)))

    def transition(self, fields: list[list[str]], rest: Iterator[str]) -> None:
        count = len(self.states)
        for a in self.joint(fields[0], self.actions):
            if len(fields) == 4:
                for s, t in itertools.product(
                    self.find(fields[1][0], self.states), self.find(fields[2][0], self.states)
                ):
                    self.P[a, s, t] = Fraction(fields[3][0])
        if len(fields) == 2:
            word = next(rest)
            assert word in ("uniform", "identity")
            for a in self.joint(fields[0], self.actions):
                for s, t in itertools.product(range(count), repeat=2):
                    self.P[a, s, t] = Fraction(1, count) if word == "uniform" else Fraction(s == t)

    def reward(self, fields: list[list[str]]) -> None:
        assert fields[3] == ["*"]
        # -1 stands for every next state; these files never override a line by a more general one.
        for a in self.joint(fields[0], self.actions):
            for s in self.find(fields[1][0], self.states):
                target = -1 if fields[2] == ["*"] else self.find(fields[2][0], self.states)[0]
                self.R[a, s, target] = Fraction(fields[4][0])

    def expected_reward(self, a: tuple[int, ...], s: int) -> Fraction:
        base = self.R.get((a, s, -1), Fraction(0))
        special = {t: self.R[a, s, t] for t in self.targets if (a, s, t) in self.R}
        return base + sum((self.P.get((a, s, t), Fraction(0)) * (r - base) for t, r in special.items()), Fraction(0))


@needs_problems
@pytest.mark.parametrize("path", PROBLEM_FILES, ids=stem)
def test_benchmark_files_against_a_naive_reader(path: Path) -> None:
    began = time.process_time()  # work, not waiting for other processes
    game = load_game(path)
    assert time.process_time() - began < 20
    states, sizes, discount = SIZES[stem(path)]
    assert (game.states, game.action_sizes, fractions(game.discount[()])) == (states, sizes, discount)
    assert (game.transition.sum(-1) == 1).all() and game.start is not None and game.start.sum() == 1
    naive = Naive(path)
    assert tuple(map(len, naive.actions)) == sizes
    joint = list(itertools.product(*map(range, sizes)))
    found = {
        (joint[a], s, t): fractions(game.transition[s, a, t]) for s, a, t in np.argwhere(game.transition != 0).tolist()
    }
    assert found == {key: p for key, p in naive.P.items() if p}
    assert fractions(game.reward) == [[naive.expected_reward(a, s) for a in joint] for s in range(states)]


@needs_problems
@pytest.mark.parametrize("path", PROBLEM_FILES, ids=stem)
def test_benchmark_optimal_values_against_value_iteration(path: Path) -> None:
    game = load_game(path, discount="0.9")
    floats = game.floats()
    values = np.zeros(game.states)
    for _ in range(400):
        values = (floats.reward + 0.9 * floats.transition @ values).max(-1)
    best = optimal(floats if game.states > 50 else game)
    assert best.certificate.holds
    assert np.allclose([float(v) for v in fractions(best.values)], values, atol=1e-9)


@needs_problems
def test_known_facts_of_the_benchmark_files() -> None:
    tiger = load_game(PROBLEMS / "dectiger.dpomdp")
    assert tiger.state_names == ("tiger-left", "tiger-right")
    assert tiger.action_names == (("listen", "open-left", "open-right"),) * 2
    assert fractions(tiger.reward) == [
        [-2, -101, 9, -101, -50, -100, 9, -100, 20],
        [-2, 9, -101, 9, 20, -100, -101, -100, -50],
    ]
    assert fractions(tiger.transition[:, 0]) == [[1, 0], [0, 1]]
    assert all(fractions(tiger.transition[s, a]) == [Fraction(1, 2)] * 2 for s in range(2) for a in range(1, 9))
    # 20 for the right pair of doors at every step: 20 / (1 - 9/10)
    assert fractions(optimal(load_game(PROBLEMS / "dectiger.dpomdp", discount="0.9")).values) == [200, 200]
    prisoners = load_game(PROBLEMS / "prisoners.dpomdp", discount=0)
    assert fractions(prisoners.reward) == [[-1, -10, 0, -5]]
    relay = load_game(PROBLEMS / "relay4.dpomdp")
    assert fractions(relay.start) == [0, 0, 0, 1]
    assert fractions(relay.reward)[0] == [-1, -50, -1, -50, 50, -50, -1, -50, -1]
    grid = load_game(PROBLEMS / "GridSmall.dpomdp")
    meeting = grid.transition[..., [0, 5, 10, 15]].sum(-1)
    assert (grid.reward == meeting).all()
