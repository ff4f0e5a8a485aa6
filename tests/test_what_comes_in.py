"""Numbers as they come: rows that almost sum to 1, short floats, other kinds of numbers and arrays.  One rule for all."""

from __future__ import annotations

import json
import logging
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify import Game, Policy
from mappo_verify.arithmetic import System, constant, like
from mappo_verify.claims.ingredients import PositiveScalar
from mappo_verify.claims.verdict import Standing
from mappo_verify.errors import FileError, GameError, MappoVerifyError
from mappo_verify.quantities.online_learning import estimation_bound, regret

ALMOST = [[[0.3333333333] * 3]] * 3
CURE = r"neither 1 up to rounding nor less by 5e-07; divide each row .* thirds as Fraction\(1, 3\), or say by ends="


def test_ten_digits_of_a_third_end_no_game():
    with pytest.raises(GameError, match=rf"transition\[0, 0\] sums to 0.9999999999, which is {CURE}"):
        Game(ALMOST, [[0]] * 3, 0.9)
    ending = Game(ALMOST, [[0]] * 3, 0.9, ends=True)
    assert (
        ending.terminates()
        and ending.exact().terminates()
        and (ending.stopping == pytest.approx(1e-10, rel=1e-5, abs=0))
    )
    with pytest.raises(GameError, match=r"sums to 0.9999999999, not 1, where ends= says that it goes on; divide"):
        Game(ALMOST, [[0]] * 3, 0.9, ends=False)


@pytest.mark.parametrize("start", [ALMOST[0][0], [0.3, 0.3, 0.3], [Fraction(1, 4)] * 3])
def test_a_start_sums_to_1_by_every_door(start):
    """Nothing ends before it begins."""
    whole = Game(np.full((3, 1, 3), 1 / 3), [[0]] * 3, 0.9)
    game = whole if isinstance(start[0], float) else whole.exact()
    policy = Policy.uniform(game)
    doors = (
        lambda: Game(game.transition, game.reward, game.discount, start=start),
        lambda: game.with_start(start),
        lambda: mv.returns(game, policy, start),
        lambda: mv.visits(game, policy, start),
        lambda: mv.nash_gaps(game, policy, start),
    )
    for door in doors:
        with pytest.raises(GameError, match=r"start sums to [0-9./]*, not 1; divide each row by its sum"):
            door()


def bfloat16(values):
    """The nearest numbers of bfloat16, as the float32 that libraries hand out."""
    bits = np.asarray(values, np.float32).view(np.uint32).astype(np.uint64) + 0x8000
    return (bits & 0xFFFF0000).astype(np.uint32).view(np.float32)


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("bfloat16", bfloat16([0.1, 0.9])),  # 0.10009765625 + 0.8984375 = 0.99853515625
        ("bfloat16", bfloat16([0.1, 0.9]).astype(float).tolist()),
        ("float16", np.full(3, 1 / 3, np.float16).astype(float)),  # 3 · 1365/4096 = 1 - 2⁻¹²
        ("float16", np.full(3, 1 / 3, np.float16).astype(np.float32)),
    ],
)
def test_shorter_floats_in_longer_ones_end_no_game(kind, row):
    table = np.broadcast_to(np.asarray(row), (len(row), 1, len(row)))
    with pytest.raises(
        GameError, match=rf"transition\[0, 0\] sums to 0.99\d*, which is (1 up to the rounding of {kind}|nei)"
    ):
        Game(table, np.zeros(table.shape[:2]), 0.9)
    assert Game(table, np.zeros(table.shape[:2]), 0.9, ends=True).terminates()


@pytest.mark.parametrize("row", [[127 / 128, 0], [0.5, 0.25], [0.5, 0.4], [0.5, 0.499], [0.5, 31 / 64]])
def test_intended_ends_of_short_numbers(row):
    assert Game([[row]] * 2, [[0]] * 2, 0.9).terminates()


@pytest.mark.parametrize("row", [[0.1] * 10, [0.7, 0.2, 0.1], [1 / 3] * 3, [1 / 7] * 7])
def test_rounding_of_float64_is_no_end(row):
    game = Game([[row]] * len(row), [[0.0]] * len(row), 0.9, start=row)
    assert not game.terminates() and not game.exact().terminates() and (game.exact().start.sum() == 1)
    assert Policy.product([[row]]).exact().factors[0].sum() == 1


@pytest.mark.parametrize(("size", "times"), [(3, 200), (50, 50)])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_rows_of_a_network(dtype, size, times):
    """Softmax in short floats: the rows are divided by their sums, in float64, by every way in."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(times, size)).astype(dtype)
    weights = np.exp(logits)
    rows = (weights / weights.sum(-1, keepdims=True, dtype=dtype)).astype(dtype)
    for made in (Policy.product([rows]), Policy([rows[:, None, :]]), Policy.from_joint(rows, (size,))):
        assert abs(made.factors[0].sum(-1) - 1).max() < 1e-14 and (made.exact().factors[0].sum(-1) == 1).all()
    game = Game(rows[:size, None, :], np.zeros((size, 1)), 0.9, start=rows[0])
    assert not game.terminates() and not game.exact().terminates() and game.start.sum() == pytest.approx(1, abs=1e-14)


def test_what_short_floats_say(caplog):
    with caplog.at_level(logging.INFO, logger="mappo_verify"):
        game = Game(np.array([[[0.9, 0.1]], [[0.5, 0.5]]], np.float32), [[0], [0]], 0.9)
    assert not game.terminates() and "transition: 2 rows that sum to 1 up to rounding were divided" in caplog.text
    assert Game(np.array([[[0.9]]], np.float32), [[0]], 0.9).terminates()
    with pytest.raises(GameError, match=r"transition\[0, 0\] sums to 0.999\d*, which is neither 1"):
        Game(np.array([[[0.9999]]], np.float32), [[0]], 0.9)
    with pytest.raises(
        GameError, match=r"factors\[0\]\[0\] sums to 0.999\d*, not 1; divide each row by its sum in float64"
    ):
        Policy.product([np.array([[0.9, 0.0999]], np.longdouble)])
    with pytest.raises(GameError, match=r"sums to 1.0000\d*, which is more than 1; divide each row"):
        Game(np.array([[[0.9, 0.10001]], [[0.5, 0.5]]], np.float32), [[0], [0]], 0.9)
    mixed = Game(np.array([[[0.9, 0.1]], [[0.5, 0.0]]], np.float32), [[0], [0]], 0.9, ends=[[False], [True]])
    assert mixed.ends.tolist() == [[-1], [1]] and mixed.transition[1].tolist() == [[0.5, 0]]


@pytest.mark.parametrize(
    ("ends", "complaint"),
    [
        ([0.5], "ends has dtype float64"),
        ([[True, False]], r"ends has shape \(1, 2\); it needs \[\.\.\., S, A\] = \[\.\.\., 3, 1\]"),
    ],
)
def test_wrong_ends(ends, complaint):
    with pytest.raises(GameError, match=complaint):
        Game(ALMOST, [[0]] * 3, 0.9, ends=ends)


def test_ends_of_exact_games_follow_from_their_rows():
    with pytest.raises(GameError, match="ends contradicts the rows"):
        Game([[[Fraction(1, 2)]]], [[0]], Fraction(1, 2), ends=False)


def test_a_tiny_end_survives_rounding():
    """1 - 10⁻²⁰ is 1 in float64, but the game ends; where that is all that ends it, floats say that they cannot."""
    game = Game([[[1 - Fraction(1, 10**20)]]], [[1]], Fraction(1)).floats()
    assert game.terminates() and (game.stopping == 0).all()
    with pytest.raises(mv.errors.SingularError, match="beyond float64"):
        mv.state_values(game, Policy.uniform(game))


# --- kinds of numbers ---------------------------------------------------------------------------------------------------


def on_trial(values):
    """``f ≤ 10⁴⁰`` of these numbers."""

    def proof(case):
        yield mv.line("f", case.f)
        yield mv.at_most("10⁴⁰", 10**40, because="it holds for 10⁴⁰, and for no larger number")

    one = {"agents": (1, 1), "states": (1, 1), "action_range": (1, 1)}
    setting = mv.Setting("numbers", (mv.Table("f", lambda _: (2,)),), **one)
    return mv.check(mv.Claim("mine", "title", "source", setting, proof), f=values)


def test_large_integers_are_what_they_are():
    """The float nearest to 10⁴⁰ is larger; NumPy makes floats of integers that need 64 bits beside negative ones."""
    assert on_trial([10**40, 1]).verdict is mv.Verdict.HOLDS
    assert on_trial([10**40 + 1, 1]).verdict is mv.Verdict.VIOLATED
    assert [int(x) for x in on_trial([2**63 + 1, -1]).lines[0].value] == [2**63 + 1, -1]
    assert on_trial([2.0**70, 0.5]).verdict is mv.Verdict.HOLDS


@pytest.mark.skipif(np.finfo(np.longdouble).nmant == 52, reason="here a long double is a double")
def test_longer_floats_are_not_rounded():
    third = np.array([1, 0], np.longdouble) / 3
    with pytest.raises(GameError, match="are no float64; give exact ones"):
        on_trial(third)
    assert on_trial(third.astype(np.float64).astype(np.longdouble)).verdict is mv.Verdict.HOLDS


def test_decimals_fractions_and_integers_join():
    for half, whole in ((Decimal("0.5"), Decimal(1)), (Fraction(1, 2), 1), (Fraction(1, 2), np.int32(1))):
        game = Game([[[half, half]], [[whole, 0]]], [[10**30], [0]], Decimal("0.9"))
        assert game.system is mv.System.RATIONALS and str(game.reward[0, 0]) == str(10**30)
    assert Game([[[1]]], [[10**30]], 0.5).reward[0, 0] == 1e30
    assert Game(np.array([[[1]]], object), np.array([[np.int64(5)]], object), 0.5).system is mv.System.FLOATS
    assert Game([[[1]]], [[2**63]], Fraction(1, 2)).reward[0, 0] == 2**63
    assert Game([[[1]]], [[True]], 0.5).reward[0, 0] == 1


@pytest.mark.parametrize(
    ("reward", "complaint"),
    [
        (
            np.ma.array([[5.0]], mask=[[True]]),
            r"reward is a masked array, whose mask would be lost.*reward\.filled\(value\)",
        ),
        ([np.ma.array([5.0], mask=[True])], "reward holds masked arrays, whose masks would be lost"),
        ([[np.ma.array(5.0, mask=True)]], "reward holds masked arrays, whose masks would be lost"),
        ([[Decimal("nan")]], r"reward\[0, 0\] = NaN is not finite"),
        ([[Decimal("1e99999999")]], r"reward\[0, 0\] = 1E\+99999999 has more than 10000 digits"),
        (np.array([[10**400]], object), "integer beyond float64"),
        (np.array([[10**400, 0.5]], object), "reward has an integer beyond float64 among floats"),
        ([[Fraction(1, 2)]], r"mixed number systems: transition is in floats, reward\[0, 0\] is in rationals"),
        ([[1j]], "reward has dtype complex128"),
        ([["1/3"]], r"reward has dtype <U3; .*read text by Fraction\(text\), exactly, or by float"),
        ([[np.ma.masked]], "reward holds masked arrays"),
        (np.array([[np.ma.masked, None]], object), "reward holds masked entries"),
        ([[None]], r"reward\[0, 0\]: builtins.NoneType is not a number"),
        ([[[1], [2, 3]]], "reward is ragged"),
        (np.array([[[1, 2], None]], object), r"reward\[0, 0\]: .*list is not a number|reward is ragged"),
    ],
)
def test_what_is_no_number_is_named(reward, complaint):
    with pytest.raises(GameError, match=complaint):
        Game([[[1.0]]], reward, 0.5)


class Tensor:
    """As torch and JAX have it: an array by ``__array__``, or by DLPack alone."""

    def __init__(self, values, error=None):
        self.values, self.error = np.asarray(values), error

    def __array__(self, dtype=None, copy=None):
        if self.error:
            raise self.error
        return self.values


class Packed:
    def __init__(self, values):
        self.values = np.asarray(values)

    def __dlpack__(self, **options):
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


@pytest.mark.parametrize("kind", [Tensor, Packed])
def test_arrays_of_other_libraries(kind):
    game = Game(kind(np.array([[[0.9, 0.1]], [[0.5, 0.5]]], np.float32)), kind([[1.0], [0.0]]), 0.5)
    assert game.system is mv.System.FLOATS and not game.terminates()
    ending = Game(kind([[[0.9, 0.1]], [[0.5, 0.0]]]), [[0], [0]], 0.9, ends=kind([[False], [True]]))
    assert ending.ends.tolist() == [[-1], [1]]
    masked = Game([[[1.0]] * 2], [[1, 2]], 0.5, available=[kind([[True, False]])])
    assert masked.available[0].tolist() == [[True, False]]
    assert Policy.deterministic(masked, kind([0])).factors[0].tolist() == [[[1, 0]]]


def test_no_mask_is_lost_silently():
    hidden = np.ma.array([[True, True]], mask=[[True, False]])
    with pytest.raises(GameError, match=r"ends is a masked array, whose mask would be lost"):
        Game([[[0.5], [0.5]]], [[0, 0]], 0.5, ends=hidden)
    with pytest.raises(GameError, match=r"available\[0\] is a masked array, whose mask would be lost"):
        Game([[[0.5], [0.5]]], [[0, 0]], 0.5, available=[hidden])
    with pytest.raises(GameError, match=r"actions is a masked array, whose mask would be lost"):
        Policy.deterministic(Game([[[1.0]]], [[0]], 0.5), np.ma.array([0], mask=[True]))
    with pytest.raises(GameError, match=r"is a masked array, whose mask would be lost"):
        mv.quantities.gae([1.0], [0.0, 0.0], np.ma.array([True], mask=[True]), [False], 0.5, 1)


def test_arrays_that_cannot_be_read():
    grad = RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
    with pytest.raises(GameError, match=r"reward: NumPy cannot read this .*Tensor as an array: .*detach\(\)"):
        Game([[[1.0]]], Tensor([[1.0]], grad), 0.5)


# --- rewards of outcomes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [(), (4,)])
@pytest.mark.parametrize("actions", [1, 2])
def test_rewards_of_outcomes_are_averaged(batch, actions):
    """Also where a table ``[S, A, S']`` with S = A could be read as a batch of S tables ``[S, A]``."""
    rng = np.random.default_rng(0)
    moves, rewards = rng.dirichlet([1, 1], (*batch, 2, actions)), rng.normal(size=(*batch, 2, actions, 2))
    game = Game(moves, rewards, 0.9)
    assert game.batch_shape == batch and game.reward == pytest.approx((moves * rewards).sum(-1))


# --- files and environments ---------------------------------------------------------------------------------------------


def written(probabilities, end=None):
    moves = [{"state": 0, "actions": [0], "next": s, "probability": p} for s, p in enumerate(probabilities)]
    moves += [{"state": 0, "actions": [0], "next": None, "probability": end}] if end else []
    moves += [{"state": s, "actions": [0], "next": 0, "probability": "1"} for s in range(1, len(probabilities))]
    return {
        "format": "mappo-verify-game", "version": 1, "arithmetic": "floats", "discount": "0.9", "states": len(probabilities),
        "actions": [1], "transition": moves, "reward": [],
    }  # fmt: skip


def test_files_of_floats(tmp_path):
    path = tmp_path / "game.json"
    path.write_text(json.dumps(written(["0.3333333333"] * 3)))
    with pytest.raises(
        FileError, match='sums to 9999999999/10000000000, not to 1; write thirds as "1/3", and say that'
    ):
        mv.load_game(path)
    path.write_text(json.dumps(written(["0.3333333333333333"] * 3)))
    assert not mv.load_game(path).terminates()
    path.write_text(json.dumps(written(["0.5", "0.4999999999"], "0.0000000001")))
    game = mv.load_game(path)
    assert game.ends.tolist() == [[1], [-1]]
    mv.save_game(game, tmp_path / "again.json")
    assert mv.load_game(tmp_path / "again.json").ends.tolist() == [[1], [-1]]


def test_environments_by_the_same_rule():
    third = np.float32(1 / 3)
    game = mv.from_gymnasium({0: {0: [(third, 0, 3.0, False)] * 3}}, discount=0.9)
    assert not game.terminates() and game.transition[0, 0, 0] == 1 and game.reward[0, 0] == 3
    assert mv.from_gymnasium({0: {0: [(1 - 1e-9, 0, 0.0, False), (1e-9, 0, 1.0, True)]}}, discount=0.9).terminates()
    with pytest.raises(GameError, match=r"P\[0\]\[0\] sum to 0.9999999999, not to 1; divide them by their sum"):
        mv.from_gymnasium({0: {0: [(0.3333333333, 0, 1.0, False)] * 3}}, discount=0.9)


def test_a_new_discount_leaves_free_rows_alone():
    """Generic games have rows that are no probabilities; only the discount is new, so only it is checked."""
    game = Game([[[0.5]]], [[1.0]], 0.5)
    free = mv.model.validation.unchecked(Game, **{**vars(game), "transition": np.array([[[7.0]]])})
    assert free.with_discount(0.25).transition.item() == 7 and free.with_discount(Fraction(1, 4)).discount == 0.25
    with pytest.raises(GameError, match=r"discount = 2.0 is outside"):
        free.with_discount(2.0)
    with pytest.raises(GameError, match="mixed number systems"):
        game.exact().with_discount(0.5)
    several = game.with_discount([0.1, 0.2])
    assert several.batch_shape == (2,)


def test_a_formula_takes_lists_and_returns_arrays():
    """Where a signature says ``Array``: lists and numbers come in, and even one rational goes out as an array."""
    gains, plays = [[1, 0], [1, 0]], [[Fraction(1, 2), Fraction(1, 2)], [Fraction(2, 3), Fraction(1, 3)]]
    assert regret(gains, [[0.5, 0.5], [0.5, 0.5]], [1, 0]) == 1
    exact = regret(*(like(np.array(table, object), System.RATIONALS) for table in (gains, plays, [1, 0])))
    assert isinstance(exact, np.ndarray) and exact.shape == ()
    assert exact == constant(Fraction(5, 6), System.RATIONALS)


def test_a_formula_refuses_a_masked_array():
    hidden = np.ma.masked_array([1.0, 5.0], mask=[False, True])
    with pytest.raises(MappoVerifyError, match=r"masked array.*\.filled\(0\)"):
        regret(hidden[None], [[0.5, 0.5]], [1, 0])


def test_a_constant_does_not_lose_its_imaginary_part():
    for value in (1j, [1, 1j]):
        with pytest.raises(MappoVerifyError, match="complex"):
            like(value, System.FLOATS)


def test_beside_the_numbers_of_one_instance_constants_stay_exact():
    """As an array of NumPy the 3 would be refused, and 1/3 as well."""

    def proof(case):
        yield mv.line("(3x)²/(4/3)", estimation_bound(case.x, 3, Fraction(1, 3), 0, unseen=0))
        yield mv.equal("27x²/4", Fraction(27, 4) * case.x * case.x, because="9/(4/3) = 27/4")

    setting = mv.Setting("x > 0", (PositiveScalar("x"),))
    sizes = mv.Sizes(1, (1,))
    claim = mv.Claim("own/constants", "(3x)²/(4/3) = 27x²/4", "constants", setting, proof, symbolic=(sizes,))
    assert mv.audit([claim])["own/constants"].standing is Standing.PROVED


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_singular_system_with_a_number_that_is_none_says_nothing(wrong):
    """It said 0, or stopped the whole batch; the other systems of the batch keep their answers."""
    batch = np.array([[[1.0, 0.0], [0.0, 0.0]], [[wrong, 1.0], [1.0, 0.0]]])
    projector = mv.quantities.fisher_null_space(batch)
    assert projector[0].tolist() == [[0, 0], [0, 1]] and np.isnan(projector[1]).all()
