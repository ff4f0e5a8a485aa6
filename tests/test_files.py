"""Our JSON format: exact both ways, errors by JSON path, whole files or none; and the dispatcher over all formats."""

from __future__ import annotations

import gzip
import json
import os
import re
import stat
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappo_verify.arithmetic import System, like
from mappo_verify.errors import FileError, GameError, MappoVerifyError
from mappo_verify.games import files
from mappo_verify.games.files import load_json, save_game
from mappo_verify.games.loading import load_game, resolve_game
from mappo_verify.games.named import NAMED, named_game, random_game
from mappo_verify.games.untrusted import exact_number, whole_file, write_whole
from mappo_verify.model import Game

GAMES = Path(__file__).parent / "games"
DOCUMENT = Path(__file__).parents[1] / "docs" / "game-format.md"
EXAMPLE = re.search(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)[1]  # type: ignore[index]


def read(tmp_path: Path, content: Any, name: str = "game.json", discount: Any = None) -> Game:
    path = tmp_path / name
    if not isinstance(content, (str, bytes)):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_json(path, discount)


def fractions(array: Any) -> Any:
    if isinstance(array, np.ndarray):
        return [fractions(entry) for entry in array]
    return Fraction(int(array.p), int(array.q))


def same(left: Game, right: Game) -> bool:
    """Equal in every field, bit for bit."""
    arrays = all((getattr(left, a) == getattr(right, a)).all() for a in ("transition", "reward", "discount"))
    starts = (
        left.start is right.start if left.start is None or right.start is None else (left.start == right.start).all()
    )
    plain = all(
        getattr(left, field) == getattr(right, field)
        for field in ("system", "action_sizes", "state_names", "action_names", "name")
    )
    return bool(arrays and starts and plain)


# --- reading ----------------------------------------------------------------------------------------------------------


def test_the_documented_example(tmp_path: Path) -> None:
    game = read(tmp_path, EXAMPLE)
    assert (game.name, game.states, game.action_sizes, game.system) == ("rooms", 2, (2, 2), System.RATIONALS)
    assert (game.state_names, game.action_names) == (("apart", "together"), (("stay", "go"), ("0", "1")))
    assert fractions(game.discount[()]) == Fraction(9, 10)
    assert fractions(game.start) == [Fraction(2, 3), Fraction(1, 3)]
    assert fractions(game.transition) == [
        [[1, 0], [Fraction(1, 4), Fraction(3, 4)], [0, 1], [1, 0]],
        [[0, Fraction(9, 10)], [1, 0], [1, 0], [0, 0]],
    ]
    assert fractions(game.reward) == [[0, 0, 0, 0], [Fraction(1, 3), 0, 0, -2]]
    assert fractions(read(tmp_path, EXAMPLE, discount="0.5").discount[()]) == Fraction(1, 2)


def small() -> dict[str, Any]:
    """One state, two agents, everything by index."""
    return {
        "format": "mappo-verify-game",
        "version": 1,
        "states": 1,
        "actions": [1, 2],
        "discount": 1,
        "transition": [
            {"state": 0, "actions": [0, 0], "next": None, "probability": 1},
            {"state": 0, "actions": [0, 1], "next": 0, "probability": "1/2"},
            {"state": 0, "actions": [0, 1], "next": None, "probability": "0.5"},
        ],
        "reward": [{"state": 0, "actions": [0, 1], "reward": "-1e-3"}],
    }


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("3", 3),
        ("-12345678901234567890123", -12345678901234567890123),
        ("0.1", Fraction(1, 10)),
        ("1e-3", Fraction(1, 1000)),
        ("-2.50E+1", -25),
        ('"3/10"', Fraction(3, 10)),
        ('"-6/4"', Fraction(-3, 2)),
        ('".5"', Fraction(1, 2)),
        ('"+5."', 5),
        ('"1e-400"', Fraction(1, 10**400)),
        (f'"{"7" * 1000}/{"9" * 1000}"', Fraction(7, 9)),
    ],
)
def test_numbers_mean_what_is_written(tmp_path: Path, written: str, value: Any) -> None:
    game = read(tmp_path, json.dumps(small()).replace('"-1e-3"', written))
    assert fractions(game.reward) == [[0, value]]


def planted(*place: Any, value: Any) -> dict[str, Any]:
    data = small()
    target = data
    for key in place[:-1]:
        target = target[key]
    if value is ...:
        del target[place[-1]]
    else:
        target[place[-1]] = value
    return data


ROW = {"state": 0, "actions": [0, 1], "next": 0, "probability": 0}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (planted("format", value="gambit"), r"\$\.format is 'gambit', not \"mappo-verify-game\""),
        (planted("format", value=...), r"\$\.format is ''"),
        (planted("version", value=2), r"\$\.version is 2; this release reads version 1"),
        (planted("version", value="1"), r"\$\.version: Expected `int`"),
        (planted("typo", value=1), r"\$: Object contains unknown field `typo`"),
        (planted("transition", value=...), r"\$: Object missing required field `transition`"),
        (planted("transition", 1, "reward", value=1), r"\$\.transition\[1\]: Object contains unknown field"),
        (planted("name", value="a\x1b[2Jb"), r"\$\.name: .*cannot be printed"),
        (planted("arithmetic", value="balls"), r"\$\.arithmetic: Invalid enum value"),
        (planted("discount", value="1.5"), r"\$\.discount: the discount '1.5' is outside \[0, 1\]"),
        (planted("discount", value=True), r"\$\.discount: True is not a number"),
        (planted("discount", value=None), r"\$\.discount: None is not a number"),
        (planted("discount", value=[[1]]), r"\$\.discount: \[\[1\]\] is not a number"),
        (planted("discount", value="nan"), r"\$\.discount: 'nan' is not a number such as 3/10"),
        (planted("discount", value="1/0"), r"\$\.discount: '1/0' divides by zero"),
        (planted("discount", value="1_0"), r"\$\.discount: '1_0' is not a number"),
        (planted("discount", value="0x1"), r"\$\.discount: '0x1' is not a number"),
        (planted("discount", value="1e401"), r"\$\.discount: .*exponent beyond ±400"),
        (planted("discount", value="1e100000000"), r"\$\.discount: .*exponent beyond ±400"),
        (planted("discount", value="0." + "1" * 1001), r"\$\.discount: .*more than 1000 digits"),
        (planted("discount", value="1" * 10**6), r"\$\.discount: .*more than 1000 digits"),
        (planted("states", value=0), r"\$\.states: there are 0"),
        (planted("states", value=-3), r"\$\.states: there are -3"),
        (planted("states", value=10**30), r"\$\.states: there are 1000"),
        (planted("states", value=10**4), r"\$: 10000 states and 2 joint actions need 200000000 entries"),
        (planted("states", value=["a", "a"]), r"\$\.states\[1\]: the name 'a' is taken by \$\.states\[0\]"),
        (planted("states", value=[""]), r"\$\.states\[0\]: the name is empty"),
        (planted("states", value=["x" * 201]), r"\$\.states\[0\]: .*longer than 200"),
        (planted("states", value=[7]), r"\$\.states\[0\]: Expected `str`, got `int`"),
        (planted("actions", value=[]), r"\$\.actions: there are 0 agents; a game has from 1 to 20"),
        (planted("actions", value=[1] * 21), r"\$\.actions: there are 21 agents; a game has from 1 to 20"),
        (planted("actions", value=[1, []]), r"\$\.actions\[1\]: there are 0"),
        (
            planted("transition", 0, "state", value=1),
            r"\$\.transition\[0\]\.state: 1 is not the index of any state; indices are 0 to 0",
        ),
        (planted("transition", 0, "state", value=-1), r"\$\.transition\[0\]\.state: -1 is not the index of any state"),
        (planted("transition", 0, "state", value="x"), r"\$\.transition\[0\]\.state: no state is called 'x'"),
        (planted("transition", 0, "state", value=0.5), r"\$\.transition\[0\]\.state: Expected `int \| str`"),
        (planted("transition", 0, "state", value=None), r"\$\.transition\[0\]\.state: Expected `int \| str`"),
        (
            planted("transition", 0, "actions", value=[0]),
            r"\$\.transition\[0\]\.actions: 1 actions are given for 2 agents",
        ),
        (
            planted("transition", 0, "actions", 1, value=2),
            r"\$\.transition\[0\]\.actions\[1\]: 2 is not the index of any action of agent 2",
        ),
        (
            planted("transition", 0, "actions", 0, value="go"),
            r"\$\.transition\[0\]\.actions\[0\]: no action of agent 1 is",
        ),
        (planted("transition", 1, "next", value=...), r"\$\.transition\[1\]: Object missing required field `next`"),
        (planted("transition", 1, "next", value=9), r"\$\.transition\[1\]\.next: 9 is not the index of any state"),
        (
            planted("transition", 1, "probability", value="-1/2"),
            r"\$\.transition\[1\]\.probability: .*'-1/2' is negative",
        ),
        (
            planted("transition", 1, "probability", value="3/2"),
            r"\$\.transition\[1\]\.probability: .*'3/2' is more than 1",
        ),
        (
            planted("transition", 1, "probability", value="0.49"),
            r"\$\.transition\[2\]: P\(· \| .*\) sums to 99/100, not to 1",
        ),
        (
            planted("transition", 1, "probability", value="0.51"),
            r"\$\.transition\[2\]: P\(· \| .*\) sums to 101/100, not to 1",
        ),
        (planted("transition", 0, value=ROW), r"\$\.transition\[1\]: repeats \$\.transition\[0\]"),
        (planted("transition", 0, value=...), r"\$\.transition: P\(· \| state 0, actions \[0, 0\]\) is never given"),
        (planted("reward", 0, "reward", value="much"), r"\$\.reward\[0\]\.reward: 'much' is not a number"),
        (planted("reward", 0, "reward", value={}), r"\$\.reward\[0\]\.reward: {} is not a number"),
        (planted("reward", value=small()["reward"] * 2), r"\$\.reward\[1\]: repeats \$\.reward\[0\]"),
        (planted("start", value=[]), r"\$\.start: the start distribution sums to 0, not to 1"),
        (planted("start", value=[{"state": 0, "probability": "0.9"}]), r"\$\.start: .*sums to 9/10"),
        (planted("start", value=[{"state": 0, "probability": "1/2"}] * 2), r"\$\.start\[1\]: repeats"),
        (
            planted("start", value=[{"state": 1, "probability": 1}]),
            r"\$\.start\[0\]\.state: 1 is not the index of any state",
        ),
        ([], r"\$: Expected `object`, got `array`"),
    ],
)
def test_planted_errors_are_named_by_path(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(FileError, match=r"game\.json: " + message):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: Input data was truncated"),
        ("{\n\n nonsense", "line 3: JSON is malformed"),
        (b"{\n\xff}", "line 2: byte 0xff is not UTF-8"),
        ("{}\n\0", "line 2: the file contains a NUL"),
        (b"\x1f\x8b\x08\xff", "looks like gzip"),
        ('{"discount": NaN}', "line 1: JSON is malformed"),
        ("[" * 10**6, r"Expected `object`|nested too deeply"),
        ('{"format": "mappo-verify-game", "version": 1, "discount": ' + "[" * 10**6, "nested too deeply"),
        ('{"discount": ' + "9" * 10**5 + "}", "."),
    ],
)
def test_files_that_are_no_json(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(FileError, match=message):
        read(tmp_path, content)


def test_a_row_of_unrelated_denominators_does_not_stall(tmp_path: Path) -> None:
    count = 400
    data = {**small(), "states": count, "actions": [1]}
    data["transition"] = [
        {"state": 0, "actions": [0], "next": k, "probability": f"1/{10**999 + 2 * k + 1}"} for k in range(count)
    ]
    with pytest.raises(FileError, match=r"\$\.transition\[\d+\]\.probability: the common denominator"):
        read(tmp_path, data)


def test_numbers_alone() -> None:
    assert exact_number("-0.125") == Fraction(-1, 8)
    for text in (
        "",
        " 1",
        "1 ",
        "--1",
        "1e",
        "e5",
        ".",
        "1/2/3",
        "1/-2",
        "0.5/2",
        "inf",
        "¼",
        "1" * 5000,
        "1e-999999999999",
    ):
        with pytest.raises(ValueError, match=r"number|digits|exponent"):
            exact_number(text)


# --- writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*NAMED, "random:3x2x3:5", "penalty:-1/3"])
@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
def test_named_games_round_trip(tmp_path: Path, name: str, suffix: str) -> None:
    game = named_game(name)
    path = tmp_path / f"game{suffix}"
    save_game(game, path)
    assert same(load_game(path), game)
    content = path.read_bytes()
    save_game(load_game(path), path)
    assert path.read_bytes() == content and list(tmp_path.iterdir()) == [path]


@given(
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple),
    states=st.integers(1, 4),
    termination=st.booleans(),
    scale=st.sampled_from([1.0, 1e-300, 5e-324, 1e300, 0.1]),
)
@settings(max_examples=60, deadline=None)
def test_random_games_round_trip_exactly_also_in_floats(
    tmp_path_factory: pytest.TempPathFactory, seed: int, sizes: Any, states: int, termination: bool, scale: float
) -> None:
    path = tmp_path_factory.mktemp("games") / "game.json"
    game = random_game(states, sizes, seed=seed, termination=termination)
    names: dict[str, Any] = {
        "state_names": tuple(f"ß {i}" for i in range(states)),
        "action_names": tuple(tuple(f"a{i}" for i in range(n)) for n in sizes),
        "name": "näme",
    }
    named = replace(game, **names)
    floats = game.floats()
    scaled = Game(floats.transition, floats.reward * scale, floats.discount, sizes, floats.start)
    for each in (game, named, floats, scaled):
        save_game(each, path)
        assert same(load_json(path), each)


def test_floats_are_written_as_the_rationals_that_they_are(tmp_path: Path) -> None:
    game = Game(np.array([[[0.9]]]), np.array([[0.1]]), np.array(0.5))
    save_game(game, tmp_path / "game.json")
    data = json.loads((tmp_path / "game.json").read_text())
    assert data["reward"] == [{"state": 0, "actions": [0], "reward": "3602879701896397/36028797018963968"}]
    assert data["transition"][1] == {"state": 0, "actions": [0], "next": None, "probability": str(1 - Fraction(0.9))}
    # A row of tenths misses 1 by rounding: no termination is written for it.
    tenths = Game(np.full((10, 1, 10), 0.1), np.zeros((10, 1)), np.array(0.5))
    save_game(tenths, tmp_path / "game.json")
    assert "null" not in (tmp_path / "game.json").read_text()
    assert same(load_json(tmp_path / "game.json"), tenths)
    with pytest.raises(FileError, match=r"\$\.reward\[0\]\.reward: the number .1e400. is too large for float64"):
        read(
            tmp_path,
            {**small(), "arithmetic": "floats", "reward": [{"state": 0, "actions": [0, 0], "reward": "1e400"}]},
        )


def test_what_cannot_be_saved_is_refused(tmp_path: Path) -> None:
    game = named_game("climbing")
    path = tmp_path / "game.json"
    with pytest.raises(GameError, match="balls has no exact numbers"):
        save_game(game.balls(), path)
    with pytest.raises(GameError, match="not a batch of shape"):
        save_game(random_game(batch=(2,)), path)
    with pytest.raises(FileError, match="does not end in"):
        save_game(game, tmp_path / "game.dpomdp")
    with pytest.raises(FileError, match="more than 1000 digits"):
        save_game(game.with_discount(Fraction(1, 10**1001)), path)
    one: dict[str, Any] = {
        "transition": game.transition,
        "reward": game.reward,
        "discount": game.discount,
        "action_sizes": (3, 3),
    }
    with pytest.raises(FileError, match="'x' occurs twice"):
        save_game(Game(**one, action_names=(("x", "y", "x"), ("a", "b", "c"))), path)
    with pytest.raises(FileError, match="cannot be printed"):
        save_game(Game(**one, state_names=("\udfff",)), path)
    assert not list(tmp_path.iterdir())


def test_a_failing_save_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "game.json"
    save_game(named_game("climbing"), path)
    before = path.read_bytes()

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    for owner, function in ((os, "fsync"), (Path, "replace")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, function, fail)
            with pytest.raises(FileError, match=r"game\.json cannot be written: No space left"):
                save_game(named_game("ratio"), path)
        assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
    with monkeypatch.context() as patch:
        patch.setattr(files, "MAX_BYTES", 100)
        with pytest.raises(FileError, match="more than the limit of 100 bytes"):
            save_game(named_game("ratio"), path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
    for bad in (tmp_path / "nowhere" / "game.json", str(tmp_path / "a\0b.json"), tmp_path / ("x" * 300 + ".json")):
        with pytest.raises(FileError, match="cannot be written"):
            save_game(named_game("ratio"), bad)


def test_permissions_and_links_survive(tmp_path: Path) -> None:
    path, link = tmp_path / "game.json", tmp_path / "link.json"
    save_game(named_game("climbing"), path)
    path.chmod(0o640)
    link.symlink_to(path)
    save_game(named_game("ratio"), link)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 and link.is_symlink()
    assert same(load_json(path), named_game("ratio"))


# --- loading by name ---------------------------------------------------------------------------------------------------


def test_load_game_chooses_by_suffix(tmp_path: Path) -> None:
    assert load_game(GAMES / "every-form.dpomdp").states == 3
    packed = tmp_path / "EVERY.DPOMDP.GZ"
    packed.write_bytes(gzip.compress((GAMES / "every-form.dpomdp").read_bytes()))
    assert (load_game(packed).name, load_game(str(packed), "1/2").discount[()]) == (
        "EVERY",
        like(Fraction(1, 2), System.RATIONALS)[()],
    )
    for bad, message in {
        tmp_path / "game.txt": r"end in \.json, \.json\.gz, \.dpomdp, \.dpomdp\.gz",
        tmp_path / "none.json": "No such file",
        tmp_path / "a\0b.json": "not a possible file name|cannot be read",
        tmp_path / "\udfff.json": ".",
        3: "3 is not a path",
    }.items():
        with pytest.raises(FileError, match=message):
            load_game(bad)  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_only_regular_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "endless.json").symlink_to("/dev/zero")
    for name in ("folder", "endless"):
        with pytest.raises(FileError, match=r"is not a regular file|Is a directory"):
            load_game(tmp_path / f"{name}.json")
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(FileError, match="is not a regular file"):
        load_game(tmp_path / "pipe.json")


def test_what_is_written_is_whole_or_goes_to_the_device(tmp_path: Path) -> None:
    """Two writers at once: the second may begin while the first is at work, and the file is of one of them."""
    target, seen = tmp_path / "x.json", []
    with whole_file(target) as first:
        first.write(b"first, ")
        write_whole(target, "second")
        seen.append(target.read_text())
        first.write(b"and whole")
    assert (seen, target.read_text()) == (["second"], "first, and whole")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
    with pytest.raises(TypeError), whole_file(target) as file:
        file.write("half of it")  # type: ignore[arg-type]
    assert target.read_text() == "first, and whole" and len(list(tmp_path.iterdir())) == 1
    write_whole("/dev/null", "nothing is put in its place")
    with pytest.raises(FileError, match="/dev/full cannot be written: No space left"):
        write_whole("/dev/full", "x" * 10**5)
    with pytest.raises(FileError, match="cannot be written"):
        write_whole(tmp_path / "missing" / "x.json", "x")
    large = tmp_path / "large.npz"
    save_game(named_game("grid:2x2x1").floats(), large)
    with pytest.raises(
        GameError, match=r"discount = 9{20}/10{20} is 1 in float64; .*choose one of at most 0.9999999999999999"
    ):
        load_game(large, "0." + "9" * 20)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("random:99999x2", "with at most 9999 states, 8 agents of at most 999 actions, and a seed of at most 9 digits"),
        ("random:2x2:1234567890", "a seed of at most 9 digits"),
        ("grid:99999x9", "at most 9999 cells a side and 99 agents"),
        ("penalty:1e999999", r"penalty:K: the number '1e999999' has an exponent beyond ±400"),
        ("penalty:1/0", "divides by zero"),
        ("shared-parameter:1e3", "'1e3' is not a whole number of at most 9 digits"),
    ],
)
def test_names_that_ask_for_too_much_say_what_is_allowed(name: str, reason: str) -> None:
    with pytest.raises(GameError, match=reason):
        named_game(name)
    with pytest.raises(GameError) as caught:
        named_game(name + "9" * 5_000)
    assert len(str(caught.value)) < 300


def test_resolve_game_takes_names_and_files(tmp_path: Path) -> None:
    assert same(resolve_game("penalty:-30"), named_game("penalty:-30"))
    assert fractions(resolve_game("two-step", "0.95").discount[()]) == Fraction(19, 20)
    path = tmp_path / "my.json"
    save_game(named_game("ratio"), path)
    assert same(resolve_game(str(path)), named_game("ratio"))
    with pytest.raises(
        GameError, match=r"'climbin' is neither a named game \(climbing, .*\) nor a file that ends in \.json"
    ):
        resolve_game("climbin")
    with pytest.raises(FileError, match="No such file"):
        resolve_game("climbin.json")
    (tmp_path / "notes").write_text("")
    with pytest.raises(GameError, match=r"nor a file that ends in \.json"):
        resolve_game(str(tmp_path / "notes"))
    with pytest.raises(GameError):
        resolve_game("ratio", "2")


# --- fuzzing -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def survives(folder: Path, content: bytes) -> None:
    path = folder / "game.json"
    path.write_bytes(content)
    try:
        game = load_game(path)
    except MappoVerifyError:
        return
    save_game(game, folder / "again.json")
    assert same(load_game(folder / "again.json"), game)


fuzz = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["1/2", "1", "a", "floats"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*small(), "state", "next", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@fuzz
@given(place=st.lists(st.integers(0, 9), min_size=1, max_size=4), value=json_values)
def test_fuzz_replaced_values(folder: Path, place: list[int], value: Any) -> None:
    """Anything at all in any place of a valid file."""
    data: Any = json.loads(EXAMPLE)
    target, keys = data, place
    for step, number in enumerate(keys):
        members: list[Any] = list(target) if isinstance(target, dict) else list(range(len(target)))
        key = members[number % len(members)]
        if step == len(keys) - 1 or not isinstance(target[key], (dict, list)) or not target[key]:
            target[key] = value
            break
        target = target[key]
    survives(folder, json.dumps(data).encode())


@fuzz
@given(
    at=st.integers(0, len(EXAMPLE)),
    cut=st.integers(0, 30),
    content=st.binary(max_size=30) | st.sampled_from([b"[" * 5000, b'"']),
)
def test_fuzz_bytes(folder: Path, at: int, cut: int, content: bytes) -> None:
    base = EXAMPLE.encode()
    survives(folder, base[:at] + content + base[at + cut :])
    survives(folder, content)
