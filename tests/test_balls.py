"""Every quantity's ball contains its exact value: 1,120 games, four precisions, and planted errors that fall outside.

A nan "contains" everything, so a ball counts only if it is finite, and small where the precision allows.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import flint
import numpy as np
import pytest

from mappo_verify.arithmetic import System, compare, floats_of, like, log
from mappo_verify.arithmetic.balls import enclose_all
from mappo_verify.arithmetic.formal import FormalLog
from mappo_verify.arithmetic.precision import PRECISION_CAP, precision
from mappo_verify.errors import UndecidedError
from mappo_verify.model import Game, Policy
from mappo_verify.quantities.agent_values import (
    agent_advantages,
    agent_values,
    defined_at,
    marginal,
    subset_advantages,
    subset_values,
)
from mappo_verify.quantities.bellman import bellman_operator, contraction_factor, row_mass
from mappo_verify.quantities.concentrability import concentrability, density_ratio, squared_concentrability
from mappo_verify.quantities.distributions import (
    occupancy,
    state_action_distribution,
    stationary_distribution,
    visits,
)
from mappo_verify.quantities.divergence import kl_divergence, l1_distance, squared_norm, sup_norm, total_variation
from mappo_verify.quantities.mirror_descent import (
    averaged_objective,
    fit_step,
    log_linear_step,
    mirror_gradient,
    mirror_objective,
    mirror_step,
)
from mappo_verify.quantities.performance_difference import return_difference
from mappo_verify.quantities.sequential import sequential_game, sequential_policy, values_by_agent
from mappo_verify.quantities.values import (
    action_values,
    advantages,
    bellman_matrix,
    induced_reward,
    induced_transition,
    returns,
    state_values,
)

PRECISIONS = (32, 53, 128, 512)
READING = ("conditioning", "intervention")
SHAPES = [((3,), 3, 320), ((2, 3), 3, 320), ((2, 2, 2), 2, 320), ((2, 1, 2, 2), 1, 160)]


def distributions(rng, shape, zeros=True):
    """Exact rows: integer weights 0..4 (or 1..4) over their sum."""
    weights = rng.integers(0 if zeros else 1, 5, shape)
    weights[..., 0] += weights.sum(-1) == 0
    exact = like(weights, System.RATIONALS)
    return exact / exact.sum(-1, keepdims=True)


@cache
def batch(shape_index):
    """A batch of exact games that terminate, the same games without termination, two policies and some side data."""
    sizes, states, count = SHAPES[shape_index]
    rng = np.random.default_rng(shape_index)
    joint = int(np.prod(sizes))
    rows = distributions(rng, (count, states, joint, states + 1))
    stop = like(Fraction(1, 7), System.RATIONALS)
    reward = like(rng.integers(-9, 10, (count, states, joint)), System.RATIONALS) / 3
    discount = like(rng.choice([0, 1, 5, 9, 10], count), System.RATIONALS) / 10
    start = distributions(rng, (count, states))
    game = Game(rows[..., :-1] * (1 - stop), reward, discount, sizes, start=start)
    lasting = Game(
        distributions(rng, (count, states, joint, states), zeros=False), reward, discount, sizes, start=start
    )
    prefixes = np.cumprod([1, *sizes])
    policy, target = (
        Policy([distributions(rng, (count, states, prefixes[m], size), zeros) for m, size in enumerate(sizes)])
        for zeros in (False, True)
    )
    table = like(rng.integers(-5, 6, (count, states, joint)), System.RATIONALS) / 2
    beta = like(rng.integers(1, 6, count), System.RATIONALS) / 2
    odds = like(rng.integers(1, 9, target.factors[-1].shape), System.RATIONALS) / 3
    return game, lasting, policy, target, table, beta, odds


def rational_quantities(game, lasting, policy, target, table):
    """Everything that stays rational, by name."""
    agents = game.agents
    nu, nu_target = stationary_distribution(lasting, policy), stationary_distribution(lasting, target)
    found = {
        "P_π": induced_transition(game, target),
        "r_π": induced_reward(game, target),
        "I-γP": bellman_matrix(game, target),
        "V": state_values(game, target),
        "Q": action_values(game, target),
        "A": advantages(game, target),
        "J": returns(game, target),
        "visits": visits(game, target),
        "occupancy": occupancy(game, target),
        "terms": return_difference(game, target, policy),
        "row mass": row_mass(game),
        "contraction": contraction_factor(game),
        "ν": nu,
        "ν_*": nu_target,
        "σ": state_action_distribution(nu, policy),
        "l1": l1_distance(policy.factors[-1], target.factors[-1]),
        "tv": total_variation(policy.factors[0], target.factors[0]),
        "sup": sup_norm(table, 2),
        "squared": squared_norm(table, target.joint(), 2),
        "sequential": state_values(sequential_game(game), sequential_policy(target)),
    }
    for m in range(agents + 1):
        found[f"Q{m}"] = agent_values(game, target)[m]
        found[f"T{m}"] = bellman_operator(game, policy, agent_values(game, target)[m], m)
        found[f"w{m}"] = density_ratio(nu, policy, nu_target, target, m)
        found[f"φ²{m}"] = squared_concentrability(nu, policy, nu_target, target, m)
    for m in range(agents):
        found[f"A{m + 1}"] = agent_advantages(game, target)[m]
        found[f"sequential Q{m + 1}"] = values_by_agent(
            game, action_values(sequential_game(game), sequential_policy(target))
        )[m]
    for reading in READING:
        for subset in {(agents,), (1,), (1, agents), tuple(range(2, agents + 1))}:
            found[f"Q{subset}, {reading}"] = subset_values(game, policy, subset, reading)
            found[f"π{subset}"] = marginal(target, subset)
        if agents > 1:
            found[f"A(1)|N, {reading}"] = subset_advantages(game, policy, (agents,), (1,), reading)
    return found


def logarithmic_quantities(policy, target, beta, odds):
    """What needs logarithms: formal on rationals, enclosures on balls.  ``values`` are ``β log(odds)``."""
    values = log(odds) * beta[..., None, None, None]
    last, aim = policy.factors[-1], target.factors[-1]
    step = mirror_step(last, values, beta)
    weights = policy.prefix_probabilities()[-2]
    features = like(np.eye(last.shape[-1], dtype=int), policy.system)
    everywhere = np.broadcast_to(features, (*last.shape, last.shape[-1]))
    return {
        "KL": kl_divergence(aim, last),
        "π⁺": step,
        "KL(·‖π⁺)": kl_divergence(aim, step),
        "F": mirror_objective(aim, last, values, beta),
        "∂F": mirror_gradient(step, last, values, beta),
        "E F": averaged_objective(aim, last, values, beta, weights),
        "fit": fit_step(features, values[..., 0, 0, :], beta, last[..., 0, 0, :]),
        "log-linear": log_linear_step(last, everywhere, values[..., 0, 0, :] / beta[..., None]),
    }


@cache
def exact_results(shape_index):
    """The exact values, enclosed at 2,048 bits: far finer than any ball under test."""
    game, lasting, policy, target, table, beta, odds = batch(shape_index)
    exact = rational_quantities(game, lasting, policy, target, table)
    exact |= logarithmic_quantities(policy, target, beta, odds)
    with precision(2048):
        return {name: enclose_all(values) for name, values in exact.items()}


def in_balls(shape_index, bits):
    game, lasting, policy, target, table, beta, odds = batch(shape_index)
    with precision(bits):
        game, lasting, policy, target = (thing.balls() for thing in (game, lasting, policy, target))
        table, beta, odds = (enclose_all(values) for values in (table, beta, odds))
        found = rational_quantities(game, lasting, policy, target, table)
        return found | logarithmic_quantities(policy, target, beta, odds)


def escapes(exact, balls):
    """Names and indices of quantities whose ball is not finite or misses the exact value."""
    wrong = []
    assert exact.keys() == balls.keys()
    for name, values in exact.items():
        assert values.shape == balls[name].shape, name
        with precision(2048):
            for index, (value, ball) in enumerate(zip(values.ravel(), balls[name].ravel(), strict=True)):
                if not (ball.is_finite() and ball.contains(value)):
                    wrong.append(f"{name}[{index}]: {ball} misses {value.mid().str(20)}")
    return wrong


@pytest.mark.parametrize("bits", PRECISIONS)
@pytest.mark.parametrize("shape_index", range(len(SHAPES)), ids=[str(shape[0]) for shape in SHAPES])
def test_balls_contain_the_exact_values(shape_index, bits):
    balls = in_balls(shape_index, bits)
    wrong = escapes(exact_results(shape_index), balls)
    assert not wrong, f"{len(wrong)} escapes, first: {wrong[:3]}"
    if bits >= 128:
        for name, values in balls.items():
            radius = max(float(ball.rad()) for ball in values.ravel())
            # Systems of at most 9 states with ‖(I - γP)⁻¹‖ ≤ 7 lose a few bits an operation: never 64 of them.
            assert radius < 2.0 ** (64 - bits), f"{name} is needlessly wide: {radius}"


def test_planted_errors_escape():
    """The containment test sees a dropped γ, a swapped axis, and an error of 2^-100 at 128 bits."""
    shape_index = 1
    game, _, _, target, *_ = batch(shape_index)
    exact = exact_results(shape_index)
    with precision(128):
        balls = {"V": state_values(game.balls(), target.balls())}
        undiscounted = state_values(game.with_discount(1).balls(), target.balls())
        tiny = flint.arb(2) ** -100
        planted = {
            "dropped γ": {"V": undiscounted},
            "swapped axis": {"V": balls["V"][..., ::-1]},
            "rounding": {"V": balls["V"] + tiny},
            "nan": {"V": balls["V"] * flint.arb("nan")},
            "wrong game": {"V": np.roll(balls["V"], 1, axis=0)},
        }
    assert not escapes({"V": exact["V"]}, balls)
    for name, wrong in planted.items():
        assert escapes({"V": exact["V"]}, wrong), name


def test_roots_contain_the_square_root():
    """φ itself: its ball squared meets the exact square, at every precision."""
    _, lasting, policy, target, *_ = batch(1)
    nu, nu_target = stationary_distribution(lasting, policy), stationary_distribution(lasting, target)
    square = squared_concentrability(nu, policy, nu_target, target, 2)
    for bits in PRECISIONS:
        with precision(bits):
            root = concentrability(enclose_all(nu), policy.balls(), enclose_all(nu_target), target.balls(), 2)
        with precision(2048):
            for value, ball in zip(square.ravel(), root.ravel(), strict=True):
                assert ball.is_finite() and ball.contains(flint.arb(value).sqrt())


def test_definedness_is_the_same_in_every_system():
    """Where a conditional value exists does not depend on the arithmetic."""
    for shape_index in range(len(SHAPES)):
        _, _, _, target, *_ = batch(shape_index)
        sub = target[:40]
        for subset in {(sub.agents,), tuple(range(2, sub.agents + 1))}:
            exact = defined_at(sub, subset, "conditioning")
            with precision(53):
                assert (defined_at(sub.balls(), subset, "conditioning") == exact).all()
            assert (defined_at(sub.floats(), subset, "conditioning") == exact).all()


@pytest.mark.parametrize("deterministic_last", [False, True])
def test_product_policies_conditioning_in_balls(deterministic_last):
    """Q^P of a product policy: the ball contains the value by the factors, also at events of probability 0."""
    rng = np.random.default_rng(7)
    for _ in range(20):
        rows = [distributions(rng, (2, 2)), distributions(rng, (2, 3))]
        if deterministic_last:
            rows[1] = like(np.eye(3, dtype=int)[rng.integers(0, 3, 2)], System.RATIONALS)
        policy = Policy.product(rows)
        game = batch(1)[0][0]
        game = Game(game.transition[:2, :, :2], game.reward[:2], game.discount, (2, 3))
        exact = subset_values(game, policy, (2,), "conditioning")
        with precision(53):
            ball = subset_values(game.balls(), policy.balls(), (2,), "conditioning")
        with precision(2048):
            assert not [b for v, b in zip(exact.ravel(), ball.ravel(), strict=True) if not b.contains(flint.arb(v))]


# --- the precision itself ---------------------------------------------------------------------------------------------


def test_precision_is_restored_also_after_an_error():
    before = flint.ctx.prec
    with precision(200):
        assert flint.ctx.prec == 200
        with precision(64):
            assert flint.ctx.prec == 64
        assert flint.ctx.prec == 200
    assert flint.ctx.prec == before
    with pytest.raises(KeyError), precision(99):
        raise KeyError
    assert flint.ctx.prec == before
    for bits in (1, 0, -5, 2**20 + 1):
        with pytest.raises(ValueError, match="precision of"), precision(bits):
            pass
    assert PRECISION_CAP >= 2048


def test_threads_do_not_see_each_others_precision():
    import threading

    seen = []

    def work(bits):
        for _ in range(50):
            with precision(bits):
                third = flint.arb(1) / 3
                seen.append((bits, flint.ctx.prec, 2.0 ** -(bits + 4) < float(third.rad()) < 2.0 ** -(bits - 4)))

    threads = [threading.Thread(target=work, args=(bits,)) for bits in (40, 100, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 150 and all(bits == found and fine for bits, found, fine in seen)


def test_higher_precision_decides():
    """3/10 + 1/10 against 4/10 + 2^-60: undecided at 32 bits, decided at 128; the equality never."""
    tenths = like([Fraction(3, 10), Fraction(1, 10), Fraction(4, 10)], System.RATIONALS)
    for bits, truth in ((32, 0), (128, 1)):
        with precision(bits):
            ball = enclose_all(tenths)
            other = ball[2] + flint.arb(2) ** -60
            assert compare(ball[0] + ball[1], "<", other) == truth
            assert compare(ball[0] + ball[1], "=", ball[2]) == 0


def test_singular_systems_in_balls_say_that_they_may_be_imprecise():
    game = Game([[[Fraction(1)]]], [[Fraction(1)]], Fraction(1))
    with pytest.raises(UndecidedError, match="raise the precision"):
        state_values(game.balls(), Policy.uniform(game).balls())
    # Nearly singular: 1 - γ = 2^-40 cannot be told from 0 with 20 bits, and can with 128.
    game = Game([[[Fraction(1)]]], [[Fraction(1)]], 1 - Fraction(1, 2**40))
    with precision(20), pytest.raises(UndecidedError, match="20 bits"):
        state_values(game.balls(), Policy.uniform(game).balls())
    with precision(128):
        assert state_values(game.balls(), Policy.uniform(game).balls())[0].contains(2**40)


def test_formal_logarithms_enclosed():
    value = FormalLog(flint.fmpq(1, 3), [(flint.fmpz(2), flint.fmpq(5, 7)), (flint.fmpz(10**30 + 1), flint.fmpq(-2))])
    with precision(2048):
        fine = value.ball()
    for bits in PRECISIONS:
        with precision(bits):
            coarse = enclose_all(np.array([value], object))[0]
        with precision(2048):
            assert coarse.contains(fine) and coarse.is_finite()


def test_floats_of_balls_and_logarithms_are_the_nearest_floats():
    """The nearest float64, as floats_of says: also where logarithms nearly cancel, and at any working precision."""
    tiny = log(like([10**30 + 1], System.RATIONALS)) - log(like([10**30], System.RATIONALS))
    assert floats_of(tiny)[0] == pytest.approx(1e-30, rel=1e-15, abs=0)
    with precision(16):
        assert floats_of(log(like([3], System.RATIONALS)))[0] == pytest.approx(1.0986122886681098, rel=1e-15, abs=0)
