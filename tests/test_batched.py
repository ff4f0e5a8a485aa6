"""Formulas on whole batches, block by block: the same numbers as one formula after the other."""

import importlib

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, compare, like
from mappo_verify.errors import SingularError
from mappo_verify.model.trees import hidden, leaves_of
from mappo_verify.quantities.agent_values import advantages_of

pytest.importorskip("numba", reason="without numba formulas are evaluated as they stand")
module = importlib.import_module("mappo_verify.quantities.batched")

SHAPES = [(1, (2,)), (3, (2, 2)), (4, (3, 1, 2)), (6, (2, 3))]


def everything(game, new, old):
    values = mv.agent_values(game, old)
    both_sides = mv.return_difference(game, new, old), mv.returns(game, new) - mv.returns(game, old)
    return (
        values,
        advantages_of(values, old),
        both_sides,
        mv.quantities.occupancy(game, new),
        (game.reward, mv.visits(game, new)),
    )


def drawn(states, sizes, count, seed=0, ends=False, start=None):
    rng = np.random.default_rng(seed)
    actions = int(np.prod(sizes))
    transition = rng.dirichlet(np.full(states, 0.4), (count, states, actions))
    transition *= rng.random((count, states, actions, states)) < 0.8
    if start is not None:
        transition[::3, :-1, :, -1] = 0  # in every third game nobody comes to the last state
    transition /= np.maximum(transition.sum(-1, keepdims=True), 1e-300)
    transition[..., 0] += transition.sum(-1) < 0.5
    if ends:
        transition *= 0.75
    first = rng.dirichlet(np.ones(states), count) if start is None else np.eye(states)[start]
    reward = rng.normal(size=(count, states, actions)) * (rng.random((count, states, actions)) < 0.7)
    game = mv.Game(transition, reward, rng.uniform(0, 0.93, count), sizes, start=first)
    prefixes = [1, *np.cumprod(sizes)[:-1]]
    policies = [
        mv.Policy([rng.dirichlet(np.ones(n), (count, states, p)) for n, p in zip(sizes, prefixes, strict=True)])
        for _ in range(2)
    ]
    return game, *policies


def flat(result):
    return [entry for part in result for entry in flat(part)] if isinstance(result, tuple) else [np.asarray(result)]


@pytest.mark.parametrize(("states", "sizes"), SHAPES)
@pytest.mark.parametrize("count", [257, 1024])
def test_floats_agree_with_the_formula_as_it_stands(states, sizes, count):
    objects = drawn(states, sizes, count, ends=states == 3)
    calls = []

    def formula(*given):
        calls.append(given)
        return everything(*given)

    fast = mv.quantities.batched(formula)
    found, expected = fast(*objects), everything(*objects)
    for ours, theirs in zip(flat(found), flat(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-13 * (1 + np.abs(theirs).max()))
    for ours, again in zip(flat(found), flat(fast(*objects)), strict=True):
        np.testing.assert_array_equal(ours, again)
    assert len(calls) == 2, "looked at once, and tried once on a few"


def test_one_policy_for_many_games_and_other_sizes():
    game, new, old = drawn(3, (2, 2), 300)
    fast = mv.quantities.batched(everything)
    for objects in ((game, new[0], old), (game, new[0], old[0]), drawn(4, (2,), 400), (game, new, old)):
        for ours, theirs in zip(flat(fast(*objects)), flat(everything(*objects)), strict=True):
            np.testing.assert_allclose(ours, np.broadcast_to(theirs, ours.shape), rtol=0, atol=1e-12)


def of_one_state(game, policy):
    return mv.state_values(game, policy)[0]


def shares(game, policy):
    values = mv.state_values(game, policy)
    return values / values.sum()


@pytest.mark.parametrize(
    ("formula", "batched_game", "more"),
    [
        (of_one_state, True, ()),
        (shares, True, ()),
        (lambda game, policy: (game.reward + 1, mv.state_values(game, policy)), False, ()),
        (lambda game, policy: (mv.state_values(game, policy), game), True, ()),
        (lambda game, policy, weights: (weights * mv.state_values(game, policy)).sum(-1), False, (300,)),
        (lambda game, policy, beta: beta * mv.returns(game, policy), True, (257,)),
    ],
)
def test_a_large_batch_is_no_other_formula(formula, batched_game, more):
    """What a formula says of plain arrays it says of 257 instances, too: its first axis is the batch there."""
    game, policy, _ = drawn(300 if more == (300,) else 3, (2,), 1 if more == (300,) else 257)
    if more == (300,):
        policy = policy[0]
    objects = (game if batched_game else game[0], policy, *(np.linspace(1, 2, length) for length in more))
    found, wanted = mv.quantities.batched(formula)(*objects), formula(*objects)
    for ours, theirs in zip(flat(found), flat(wanted), strict=True):
        if ours.dtype == object:
            continue
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
        assert ours.shape == theirs.shape


@pytest.mark.parametrize(("states", "sizes"), SHAPES)
@pytest.mark.parametrize("start", [None, 0])
def test_enclosures_are_the_same_numbers(states, sizes, start):
    objects = tuple(hidden(value, System.ENCLOSURES, 0) for value in drawn(states, sizes, 303, ends=True, start=start))
    found, expected = mv.quantities.batched(everything)(*objects), everything(*objects)
    for ours, theirs in zip(leaves_of(found), leaves_of(expected), strict=True):
        for part, other in zip(ours._parts, theirs._parts, strict=True):
            np.testing.assert_array_equal(part, np.broadcast_to(other, part.shape))


@pytest.mark.parametrize("count", [1, 5, 8, 9, 63, 70, 300])
@pytest.mark.parametrize("system", [System.FLOATS, System.ENCLOSURES])
def test_batches_of_any_length(count, system):
    """Blocks are whole vectors: the last block takes some instances again, and fewer than a vector are repeated."""
    objects = tuple(hidden(value, system, 0) for value in drawn(3, (2, 2), count))
    recorded = module.record(everything, objects)
    for ours, theirs in zip(leaves_of(recorded(objects)[0]), leaves_of(everything(*objects)), strict=True):
        for part, other in zip(ours._parts, theirs._parts, strict=True):
            assert part.shape == np.broadcast_shapes(part.shape, other.shape)
            np.testing.assert_allclose(part, np.broadcast_to(other, part.shape), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("system", [System.FLOATS, System.ENCLOSURES])
def test_what_no_result_needs_is_not_looked_at(system):
    """Rows that no step makes stand nowhere: reading one would end the process."""

    def formula(game, policy):
        assert (mv.action_values(game, policy) + 1).shape == (3, 4)
        return (mv.state_values(game, policy)[:1],)

    objects = tuple(hidden(value, system, 0) for value in drawn(3, (2, 2), 300)[:2])
    (found,), (wanted,) = mv.quantities.batched(formula)(*objects), formula(*objects)
    for part, other in zip(found._parts, wanted._parts, strict=True):
        np.testing.assert_allclose(part, other, rtol=1e-12)


def test_results_stay_as_they_are_until_nobody_holds_them():
    """Memory of results is used again, but never that of a result, or of a part of one, that is still there."""
    first, second = (drawn(3, (2, 2), 300, seed) for seed in (1, 2))
    formula = mv.quantities.batched(everything)
    found = flat(formula(*first))
    kept, wanted = found[3][5:7], found[3][5:7].copy()
    before = {array.__array_interface__["data"][0] for array in found}
    del found
    for _ in range(3):
        assert before.isdisjoint(array.__array_interface__["data"][0] for array in flat(formula(*second)))
    np.testing.assert_array_equal(kept, wanted)
    del kept
    formula(*first)
    again = [flat(formula(*second))[0].__array_interface__["data"][0] for _ in range(3)]
    assert len(set(again)) < 3, "and what nobody holds is used again"


def test_a_result_that_comes_twice_or_is_an_input_has_memory_of_its_own():
    def formula(game, policy):
        values = mv.state_values(game, policy)
        return values, values, game.reward, game.reward

    game, policy, _ = drawn(3, (2, 2), 300)
    found = mv.quantities.batched(formula)(game, policy)
    for ours, theirs in zip(found, formula(game, policy), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    for number, one in enumerate(found):
        assert not any(np.shares_memory(one, other) for other in (*found[number + 1 :], game.reward))


@pytest.mark.parametrize("scale", [1e-200, 1e-140, 1e160, 5e-324])
def test_enclosures_of_numbers_of_every_size_are_the_same(scale):
    """Products that underflow or overflow take other branches."""
    game, _, old = drawn(3, (2, 2), 300)
    reward = np.where(np.arange(300)[:, None, None] % 7 == 0, scale, 1) * game.reward
    game = mv.Game(game.transition, reward, game.discount, (2, 2))
    objects = tuple(hidden(value, System.ENCLOSURES, 0) for value in (game, old))
    formula = mv.agent_values
    found, expected = mv.quantities.batched(formula)(*objects), formula(*objects)
    for ours, theirs in zip(leaves_of(found), leaves_of(expected), strict=True):
        for part, other in zip(ours._parts, theirs._parts, strict=True):
            np.testing.assert_array_equal(part, other)


def test_systems_that_stay_open_are_solved_alone():
    """The loops confirm a matrix by its comparison matrix, and leave others to what multiplies by an inverse."""
    rng = np.random.default_rng(0)
    matrix, right = rng.normal(size=(300, 3, 3)), rng.normal(size=(300, 3, 1))
    matrix[::3] = 4 * np.eye(3) - rng.random((100, 3, 3))
    objects = tuple(hidden(value, System.ENCLOSURES, 2) for value in (matrix, right))

    def formula(left, given):
        return (mv.arithmetic.solve(left, given) + 1,)

    recorded = module.record(formula, objects)
    assert 100 < recorded(objects)[1].sum() <= 200, "these are open"
    (found,), (expected,) = mv.quantities.batched(formula)(*objects), formula(*objects)
    for part, other in zip(found._parts, expected._parts, strict=True):
        np.testing.assert_array_equal(part, other)
    assert (found._parts[1] < 1e-9).all()


def test_what_looks_at_numbers_is_evaluated_as_it_stands():
    game, new, _ = drawn(3, (2, 2), 300)

    def formula(game, policy):
        values = mv.state_values(game, policy)
        return mv.arithmetic.choose(compare(values, ">", like(0, values)), values, -values)

    np.testing.assert_array_equal(mv.quantities.batched(formula)(game, new), formula(game, new))
    objects = tuple(hidden(value, System.ENCLOSURES, 0) for value in (game, new))
    ours, theirs = mv.quantities.batched(formula)(*objects), formula(*objects)
    for part, other in zip(ours._parts, theirs._parts, strict=True):
        np.testing.assert_array_equal(part, other)


def test_errors_are_those_of_the_formula():
    game, new, _ = drawn(3, (2, 2), 300)
    with pytest.raises(mv.errors.GameError, match="2 states"):
        mv.quantities.batched(mv.state_values)(game, mv.Policy.uniform(mv.random_game(2, (2, 2), seed=0).floats()))
    endless = mv.Game(game.transition, game.reward, 1, (2, 2))
    with pytest.raises(SingularError, match="never terminates"):
        mv.quantities.batched(mv.state_values)(endless, new)


def test_values_beyond_float64_are_refused_as_by_the_formula():
    game, new, _ = drawn(3, (2, 2), 300)
    huge = mv.Game(game.transition, np.full(game.reward.shape, 1.7e308), 0.9, (2, 2))
    with pytest.raises(SingularError), np.errstate(all="ignore"):
        mv.quantities.batched(mv.state_values)(huge, new)


@pytest.mark.parametrize("case", ["small", "near one", "masked", "exact", "two axes", "keyword", "no numba"])
def test_where_the_formula_is_evaluated_as_it_stands(case, monkeypatch):
    game, new, _ = drawn(3, (2, 2), 300)
    given, named = (game, new), {}
    if case == "small":
        given = (game[:5], new[:5])
    elif case == "near one":
        given = (mv.Game(game.transition, game.reward, 1 - 1e-9, (2, 2)), new)
    elif case == "masked":
        masks = (np.ones((3, 2), bool), np.ones((3, 2), bool))
        given = (mv.Game(game.transition, game.reward, 0.9, (2, 2), available=masks), new)
    elif case == "exact":
        exact = mv.random_game(2, (2, 2), seed=0)
        given = (exact, mv.Policy.uniform(exact))
    elif case == "two axes":
        given = (game, mv.Policy([factor[None] for factor in new.factors]))
    elif case == "keyword":
        given, named = (game,), {"policy": new}
    else:
        monkeypatch.setattr(module, "_compiles", lambda: False)
    calls = []

    def formula(game, policy):
        calls.append(game)
        return mv.state_values(game, policy)

    np.testing.assert_array_equal(mv.quantities.batched(formula)(*given, **named), mv.state_values(*given, **named))
    assert calls[0] is game or calls[0] is given[0]


def test_a_planted_slip_in_the_loops_shows(monkeypatch):
    """The comparison of these tests sees a step that is left out."""
    from mappo_verify.arithmetic import programs

    objects = drawn(3, (2, 2), 300)
    monkeypatch.setattr(module, "_near", lambda *_: True)
    singles = programs._singles
    monkeypatch.setattr(
        programs, "_singles", lambda steps: [(2 if o == 0 else o, *rest) for o, *rest in singles(steps)]
    )
    found, expected = mv.quantities.batched(mv.agent_values)(*objects[:2]), mv.agent_values(*objects[:2])
    assert any(not np.allclose(ours, theirs) for ours, theirs in zip(found, expected, strict=True))


@pytest.mark.parametrize("system", [System.FLOATS, System.ENCLOSURES])
def test_nothing_is_read_from_the_working_space_before_it_is_written(monkeypatch, system):
    """Not even whether numbers are exact."""
    empty, found = np.empty, []
    objects = tuple(hidden(value, system, 0) for value in drawn(4, (3, 2), 303))
    formula = mv.quantities.batched(everything)
    formula(*objects)  # compiled before NumPy is another
    for left in (0.0, np.nan):
        with monkeypatch.context() as patch:

            def filled(shape, *rest, _left=left, **kwargs):
                made = empty(shape, *rest, **kwargs)
                if made.dtype == np.float64:
                    made[...] = _left
                return made

            patch.setattr(np, "empty", filled)
            leaves = leaves_of(formula(*objects))
        found.append([part.tobytes() for leaf in leaves for part in leaf._parts])
    assert found[0] == found[1]


def test_sums_that_share_factors_are_one_line_and_the_same_numbers(monkeypatch):
    from mappo_verify.arithmetic import programs

    objects = tuple(hidden(value, System.FLOATS, 0) for value in drawn(4, (3, 2), 303))
    found = {}
    for tiles in (programs.TILES, programs.TILES[1:], programs.TILES[2:]):
        monkeypatch.setattr(programs, "TILES", tiles)
        recorded = module.record(everything, objects)
        code = recorded.program.layout.code
        cells = set(code[np.isin(code[:, 0], programs.PRODUCTS), 5].tolist())
        assert cells == {rows * columns for rows, columns in tiles}
        found[tiles] = [leaf._parts[0].tobytes() for leaf in leaves_of(recorded(objects)[0])]
    one, *others = found.values()
    assert len(others) == 2 and all(other == one for other in others)
