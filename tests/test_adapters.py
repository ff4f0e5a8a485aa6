"""Gymnasium's tabular environments as games."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mappo_verify.errors import GameError
from mappo_verify.games.adapters import from_gymnasium
from mappo_verify.games.named import named_game
from mappo_verify.quantities.optimal import optimal

CHAIN: dict[int, Any] = {
    0: {
        0: [(0.5, 0, 1.0, False), (0.25, 1, 2.0, False), (0.25, 1, 4.0, True)],
        1: [(1.0, 1, -1, False)],
        2: [(0.5, 1, 0.0, False), (0.5, 1, 2.0, False)],
        3: [(1, np.int64(0), np.float32(3.0), np.True_)],
    },
    1: {action: [(1.0, 1, 0.0, True)] for action in range(4)},
}


def test_a_plain_dictionary() -> None:
    game: Any = from_gymnasium(CHAIN, 0.9, action_sizes=(2, 2), start=[1, 0])
    assert game.transition.tolist() == [[[0.5, 0.25], [0, 1], [0, 1], [0, 0]], [[0, 0]] * 4]
    assert game.reward.tolist() == [[0.5 + 0.5 + 1, -1, 1, 3], [0] * 4]
    assert (game.action_sizes, game.start.tolist(), game.discount.item(), game.name) == ((2, 2), [1, 0], 0.9, "")
    assert game.terminates() and game.exact().system.value == "rationals"
    single = from_gymnasium([list(row.values()) for row in CHAIN.values()], Fraction(1, 2))
    assert (single.action_sizes, single.start, single.discount.item()) == ((4,), None, 0.5)
    assert (single.transition == game.transition).all()


def test_an_environment_carries_its_start_and_name() -> None:
    inner = SimpleNamespace(P=CHAIN, initial_state_distrib=np.array([0.5, 0.5]), spec=SimpleNamespace(id="Chain-v0"))
    game: Any = from_gymnasium(SimpleNamespace(unwrapped=inner), 1)
    assert (game.name, game.start.tolist(), game.discount.item()) == ("Chain-v0", [0.5, 0.5], 1)
    game = from_gymnasium(SimpleNamespace(unwrapped=inner), 1, start=(0, 1))
    assert game.start.tolist() == [0, 1]


def one(outcomes: Any) -> dict[int, Any]:
    return {0: {0: outcomes}}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (SimpleNamespace(unwrapped=SimpleNamespace()), "SimpleNamespace has no table P; only tabular"),
        ("FrozenLake-v1", "str has no table P"),
        (None, "NoneType has no table P"),
        ({}, "P is empty"),
        ({1: {0: []}}, "P has no entry 0; its 1 keys must be 0 to 0"),
        ({0: {}}, r"P\[0\] is empty"),
        ({0: 3}, r"P\[0\] is a int; it must be a dict or a list"),
        ({0: {0: [(1, 0, 0, True)]}, 1: {0: [(1, 0, 0, True)], 1: []}}, r"P\[1\] has 2 actions, but P\[0\] has 1"),
        (one(5), r"P\[0\]\[0\] is a int"),
        (one([]), r"P\[0\]\[0\] has no outcomes; one that ends is \(1\.0, 0, reward, True\)"),
        (one([(1, 0, 0, "False")]), r"P\[0\]\[0\]\[0\] says 'False' of whether the game ends; say True or False"),
        (one([(1, 0, 0, 0.5)]), r"says 0\.5 of whether the game ends"),
        (one([(1, 0, 0, None)]), r"says None of whether the game ends"),
        (one([(1, 0, 10**400, False)]), r"pays 1000+\.\.\., which is not a finite number"),
        (one([(Decimal("nan"), 0, 0, False)]), r"has the probability Decimal\('NaN'\), which is not a number in"),
        (one([(0.5, 0, 0, False)]), r"probabilities of P\[0\]\[0\] sum to 0.5, not to 1"),
        (one([(1, 0, 0)]), r"P\[0\]\[0\]\[0\] = \(1, 0, 0\) is not"),
        (one([(1.5, 0, 0, False)]), r"P\[0\]\[0\]\[0\] has the probability 1.5"),
        (one([(float("nan"), 0, 0, False)]), r"P\[0\]\[0\]\[0\] has the probability nan"),
        (one([("1", 0, 0, False)]), r"P\[0\]\[0\]\[0\] has the probability '1'"),
        (one([(1, 1, 0, False)]), r"P\[0\]\[0\]\[0\] leads to 1, which is not a state; they are 0 to 0"),
        (one([(1, 0.0, 0, False)]), r"P\[0\]\[0\]\[0\] leads to 0.0"),
        (one([(1, 0, float("inf"), False)]), r"P\[0\]\[0\]\[0\] pays inf"),
    ],
)
def test_malformed_tables_are_named(table: Any, message: str) -> None:
    with pytest.raises(GameError, match=message):
        from_gymnasium(table, 0.9)


@pytest.mark.parametrize(
    "kind", [float, np.float32, np.float16, Decimal, lambda x: Fraction(Decimal(x)), lambda x: np.array(float(x))]
)
def test_numbers_of_every_kind_are_probabilities(kind: Any) -> None:
    table = {s: {0: [(kind("0.1"), 0, kind("2"), np.bool_(False)), (kind("0.9"), 1, 0, 0)]} for s in range(2)}
    game = from_gymnasium(table, 0.5, start=[0.25, 0.75])
    assert not game.terminates() and game.transition[0, 0] == pytest.approx([0.1, 0.9], rel=1e-3)
    assert game.reward[0, 0] == pytest.approx(0.2, rel=1e-3)
    if kind in (np.float32, np.float16):
        begun = from_gymnasium(table, 0.5, start=np.array([0.1, 0.9], kind)).start
        assert begun.sum() == pytest.approx(1, abs=1e-15) and begun == pytest.approx([0.1, 0.9], rel=1e-3)


def test_starts_and_discounts_of_every_kind() -> None:
    table = {s: {0: [(1, s, 0, False)]} for s in range(2)}
    for third in (Fraction(1, 3), Decimal("0.25")):
        assert from_gymnasium(table, Decimal("0.9"), start=[third, 1 - third]).start[0] == float(third)
    with pytest.raises(GameError, match="start is a masked array"):
        from_gymnasium(table, 0.9, start=np.ma.array([0.5, 0.5], mask=[0, 1]))
    nearly = 1 - Fraction(1, 10**20)
    named = named_game("climbing").with_discount(nearly)
    for make in (lambda: from_gymnasium(table, nearly), named.floats):
        with pytest.raises(GameError, match=r"discount = 9+/10+ is 1 in float64; stay with exact numbers, or choose"):
            make()


def test_malformed_arguments_are_named() -> None:
    for discount in ("0.9", None, True):
        with pytest.raises(GameError, match="is not a number"):
            from_gymnasium(CHAIN, discount)  # type: ignore[arg-type]
    with pytest.raises(GameError, match=r"outside \[0, 1\]"):
        from_gymnasium(CHAIN, 2)
    with pytest.raises(GameError, match="multiply to 6"):
        from_gymnasium(CHAIN, 0.9, action_sizes=(2, 3))
    with pytest.raises(GameError, match="start"):
        from_gymnasium(CHAIN, 0.9, start="first")
    with pytest.raises(GameError, match="start has shape"):
        from_gymnasium(CHAIN, 0.9, start=[1, 0, 0])


@pytest.mark.parametrize(
    ("family", "states", "sizes"), [("FrozenLake", 16, (2, 2)), ("Taxi", 500, (3, 2)), ("CliffWalking", 48, (4,))]
)
def test_gymnasium_environments(family: str, states: int, sizes: tuple[int, ...]) -> None:
    gymnasium = pytest.importorskip("gymnasium", reason="gymnasium is not installed")
    # The version that this release of gymnasium does not call out of date.
    name = max(name for name in gymnasium.registry if name.startswith(f"{family}-v"))
    environment = gymnasium.make(name)
    game = from_gymnasium(environment, 0.9, action_sizes=sizes)
    assert (game.states, game.action_sizes, game.name) == (states, sizes, name)
    assert game.start is not None and np.isclose(game.start.sum(), 1)
    # Value iteration on the dictionary itself, done transitions cut off.
    P = environment.unwrapped.P
    values = np.zeros(states)
    for _ in range(250):
        values = np.array(
            [
                max(
                    sum(p * (r + 0.9 * values[t] * (not done)) for p, t, r, done in outcomes)
                    for outcomes in row.values()
                )
                for row in P.values()
            ]
        )
    best = optimal(game)
    assert best.certificate.holds and np.allclose(best.values, values, atol=1e-6)
