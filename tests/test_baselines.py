"""Independent gradient, shared parameters, joint mirror descent: against finite differences, brute force and closed forms."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from mappo_verify.algorithms.constant_step import constant_step
from mappo_verify.algorithms.independent_gradient import independent_gradient
from mappo_verify.algorithms.independent_mirror_descent import independent_mirror_descent
from mappo_verify.algorithms.joint_mirror_descent import joint_mirror_descent
from mappo_verify.algorithms.shared_parameters import shared_parameters
from mappo_verify.algorithms.trace import recompute
from mappo_verify.arithmetic import System
from mappo_verify.arithmetic.precision import precision
from mappo_verify.errors import GameError
from mappo_verify.games.named import named_game, random_game
from mappo_verify.model import Game, Policy
from mappo_verify.model.features import Features
from mappo_verify.quantities.optimal import optimal
from mappo_verify.quantities.values import action_values, returns


def softmax(logits):
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def product_value(game, logits):
    """``J`` of independent softmax agents, from logits ``[S, A_m]``."""
    return float(returns(game, Policy.product([softmax(table) for table in logits])))


def random_logits(game, seed):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=(game.states, size)) for size in game.action_sizes]


def flat(tables):
    return [table.reshape(-1) for table in tables]


GAMES = [
    random_game(2, (2, 3), seed=1).floats(),
    random_game(3, (3, 1, 2), seed=2, termination=True).floats(),
    random_game(2, (2, 2, 2), seed=3).floats(),
    named_game("ratio").floats(),
    named_game("two-step").floats(),
]


# --- features that ignore the prefix ----------------------------------------------------------------------------------


def test_product_features_are_product_policies():
    game = GAMES[0]
    logits = random_logits(game, 0)
    policy = Features.product(game).policy(flat(logits))
    assert policy.is_product()
    for m, table in enumerate(logits):
        np.testing.assert_allclose(policy.factors[m][:, 0], softmax(table), rtol=0, atol=1e-15)


# --- independent gradient ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.name)
def test_each_agent_climbs_the_true_gradient(game):
    """Central differences of J in every logit; their error is of order 1e-10 at width 1e-5."""
    logits, width, eta = random_logits(game, 7), 1e-5, 0.3
    trace = independent_gradient(game, 1, eta, initial=flat(logits))
    for m, table in enumerate(logits):
        moved = (trace.parameters[m][1] - trace.parameters[m][0]).reshape(table.shape) / eta
        for place in np.ndindex(table.shape):
            ends = []
            for sign in (1, -1):
                shifted = [entry.copy() for entry in logits]
                shifted[m][place] += sign * width
                ends.append(product_value(game, shifted))
            assert moved[place] == pytest.approx((ends[0] - ends[1]) / (2 * width), rel=1e-5, abs=1e-8)


def test_the_bandit_by_hand():
    """One state, rewards 1 and 0: with x the good action's probability, both logits move by ±η x(1-x)."""
    bandit = Game(np.zeros((1, 2, 1)), [[1.0, 0.0]], 0.0, start=[1.0])
    trace, gap, eta = independent_gradient(bandit, 50, 0.8), 0.0, 0.8
    for k, value in enumerate(trace.returns(bandit)):
        x = 1 / (1 + math.exp(-gap))
        assert value == pytest.approx(x, abs=1e-13), k
        gap += 2 * eta * x * (1 - x)


def test_agents_move_at_once():
    """The second agent's gradient is taken at the old policy of the first, not at the new one."""
    game = named_game("climbing").floats()
    together = independent_gradient(game, 1, 0.05)
    uniform = product_value(game, [np.zeros((1, 3))] * 2)
    table = np.array([[11, -30, 0], [-30, 7, 6], [0, 0, 5]], float)
    np.testing.assert_allclose(together.parameters[1][1], 0.05 * (table.mean(0) - uniform) / 3, rtol=0, atol=1e-14)


def test_a_saddle_keeps_the_uniform_policy():
    """In Kuba et al.'s game nobody alone prefers anything while everybody tosses coins."""
    game = named_game("shared-parameter:4").floats()
    np.testing.assert_array_equal(independent_gradient(game, 20, 1.0).returns(game), np.full(21, 2 / 2**4))


def test_traces_of_baselines_can_be_recomputed():
    """ε measures how far the gradient step is from the ideal one; it is not 0, and the critic's error is."""
    game = random_game(2, (2, 2), seed=4).floats()
    found = recompute(independent_gradient(game, 5, 0.5), game, optimal(game).policy)
    assert (found.critic_error < 1e-12).all()
    assert (found.fit_error > 1e-3).all()


def test_baselines_in_a_batch_and_in_balls():
    one = random_game(2, (2, 2), seed=8)
    batch = Game(
        *(np.stack([table] * 2) for table in (one.floats().transition, one.floats().reward)),
        0.9,
        (2, 2),
        start=one.floats().start,
    )
    steps = np.array([0.2, 0.7])
    with precision(200):
        for run in (independent_gradient, independent_mirror_descent, shared_parameters, joint_mirror_descent):
            played, alone_played = (g.as_single_agent() if run is joint_mirror_descent else g for g in (batch, one))
            together = run(batch, 6, steps).returns(played)
            for b, step in enumerate(("0.2", "0.7")):
                alone = run(one.floats(), 6, float(step)).returns(alone_played.floats())
                np.testing.assert_allclose(together[:, b], alone, rtol=0, atol=1e-12)
            trace = run(one.balls(), 2, Fraction(1, 5))
            assert trace.system is System.BALLS
            enclosed = trace.returns(alone_played.balls())
            np.testing.assert_allclose([float(x.mid()) for x in enclosed], together[:3, 0], rtol=0, atol=1e-12)


# --- independent mirror descent ---------------------------------------------------------------------------------------


def worth_of_actions(game, own):
    """``E_{a^{-m}} Q(s, a, a^{-m})`` for every agent ``[S, A_m]``, by brute force over all joint actions."""
    table = action_values(game, Policy.product(own))
    wanted = [np.zeros((game.states, size)) for size in game.action_sizes]
    for s in range(game.states):
        for index, joint in enumerate(np.ndindex(*game.action_sizes)):
            for m in range(game.agents):
                others = math.prod(own[j][s, a] for j, a in enumerate(joint) if j != m)
                wanted[m][s, joint[m]] += others * table[s, index]
    return wanted


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.name)
def test_independent_agents_add_what_their_actions_are_worth(game):
    logits, eta = random_logits(game, 11), 0.2
    trace = independent_mirror_descent(game, 1, eta, initial=flat(logits))
    for m, worth in enumerate(worth_of_actions(game, [softmax(table) for table in logits])):
        moved = (trace.parameters[m][1] - trace.parameters[m][0]).reshape(worth.shape)
        np.testing.assert_allclose(moved, eta * worth, rtol=0, atol=1e-12)


def test_a_mirror_step_is_a_natural_gradient_step():
    """The gradient step is the mirror step times π and the visits, up to a constant per state."""
    game = named_game("climbing").floats()
    logits = random_logits(game, 2)
    plain, mirror = (f(game, 1, 0.01, initial=flat(logits)) for f in (independent_gradient, independent_mirror_descent))
    for m, table in enumerate(logits):
        own = softmax(table)[0]
        wish = mirror.parameters[m][1] - mirror.parameters[m][0]
        np.testing.assert_allclose(
            plain.parameters[m][1] - plain.parameters[m][0], own * (wish - own @ wish), rtol=0, atol=1e-14
        )


# --- shared parameters ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "game", [named_game("climbing").floats(), random_game(2, (2, 2, 2), seed=9).floats()], ids=repr
)
def test_shared_step_is_the_mean_of_what_actions_are_worth(game):
    """Brute force: E_{a^{-m}} Q(s, a, a^{-m}), summed over all joint actions, averaged over agents."""
    size, eta = game.action_sizes[0], 0.05
    logits = np.random.default_rng(3).normal(size=(game.states, size))
    trace = shared_parameters(game, 1, eta, initial=logits.reshape(-1))
    wanted = sum(worth_of_actions(game, [softmax(logits)] * game.agents)) / game.agents
    moved = (trace.parameters[0][1] - trace.parameters[0][0]).reshape(logits.shape)
    np.testing.assert_allclose(moved, eta * wanted, rtol=0, atol=1e-13)
    for other in trace.parameters[1:]:
        np.testing.assert_array_equal(other, trace.parameters[0])


def test_the_shared_step_minimises_the_summed_loss():
    """No nearby ℓ has a smaller Σ_m E_σ (ℓ - ℓ_k - Q̂/β)²."""
    game = random_game(1, (3, 3), seed=12, termination=True).floats()
    trace = shared_parameters(game, 2, 0.4)
    old, new = (trace.parameters[0][k] for k in (1, 2))
    prefixes = trace.policies(1).prefix_probabilities()

    def loss(logits):
        total = 0.0
        for m in range(2):
            target = trace.values[m][1] * 0.4
            error = (logits - old)[None, None, :] - target
            total += float((prefixes[m + 1].reshape(error.shape) * error**2).sum())
        return total

    generator = np.random.default_rng(0)
    for _ in range(50):
        assert loss(new) <= loss(new + 1e-3 * generator.normal(size=3))


@pytest.mark.parametrize("agents", [2, 4, 6])
def test_shared_agents_cannot_split(agents):
    """From any start they end at the coin toss, which earns 2/2^N."""
    game = named_game(f"shared-parameter:{agents}").floats()
    values = shared_parameters(game, 400, 2.0 ** (agents - 1), initial=[1.0, 0.0]).returns(game)
    assert values[0] < values[-1] == pytest.approx(2 / 2**agents, rel=1e-9)


def test_shared_agents_need_equal_action_sets():
    with pytest.raises(GameError, match=r"sizes \(2, 3\) cannot share one policy"):
        shared_parameters(GAMES[0], 3, 1.0)


# --- one agent for all ------------------------------------------------------------------------------------------------


def test_joint_mirror_descent_by_hand():
    """One move: the odds of a joint action are multiplied by e^{η r} every time."""
    game = named_game("climbing").floats()
    trace = joint_mirror_descent(game, 7, 0.1)
    weights = np.exp(0.1 * 7 * game.reward)
    np.testing.assert_allclose(trace.policies(7).joint(), weights / weights.sum(), rtol=0, atol=1e-14)
    assert trace.algorithm == "joint_mirror_descent"
    chain = Policy.from_joint(trace.policies(7).joint(), game.action_sizes)
    assert float(returns(game, chain)) == pytest.approx(float(trace.returns(game.as_single_agent())[-1]), abs=1e-12)


def test_it_is_algorithm_1_where_there_is_one_agent():
    game = random_game(3, (3,), seed=5).floats()
    left, right = joint_mirror_descent(game, 5, 0.6), constant_step(game, 5, 0.6)
    np.testing.assert_array_equal(left.parameters[0], right.parameters[0])


# --- where runs begin, and bad input ----------------------------------------------------------------------------------


def test_runs_begin_where_they_are_told():
    game = named_game("ratio").floats()
    logits = [np.array([0.0, 0.0]), np.array([0.0, 5.0, 0.0, 5.0])]
    first = constant_step(game, 1, 0.1, initial=logits).policies(0)
    np.testing.assert_allclose(first.factors[1][0, :, 0], 1 / (1 + math.exp(5)), rtol=1e-14)
    assert independent_gradient(game, 1, 0.1, initial=[logits[0], logits[1][:2]]).policies(0).is_product()


@pytest.mark.parametrize(
    "run", [constant_step, independent_gradient, independent_mirror_descent, joint_mirror_descent, shared_parameters]
)
def test_bad_input_is_named(run):
    game = named_game("climbing").floats()
    with pytest.raises(GameError, match="K = 0 is not an integer of at least 1"):
        run(game, 0, 1.0)
    for bad in (0, -1.0, math.nan):
        with pytest.raises(GameError, match="the step η = "):
            run(game, 2, bad)
    one = [np.zeros(4)] * (1 if run in (shared_parameters, joint_mirror_descent) else 2)
    with pytest.raises(GameError, match=r"parameters\[0\] has shape \(4,\)"):
        run(game, 2, 1.0, initial=one[0] if run is shared_parameters else one)
    if run is not shared_parameters:
        with pytest.raises(GameError, match="3 parameter vectors were given"):
            run(game, 2, 1.0, initial=[np.zeros(9)] * 3)


def test_initial_logits_have_the_batch_of_the_game():
    game = named_game("climbing").floats()
    with pytest.raises(GameError, match=r"initial\[0\] has shape \(5, 3\); its batch axes are not \(\)"):
        independent_gradient(game, 2, 1.0, initial=[np.zeros((5, 3)), np.zeros((5, 3))])


def test_gradients_need_a_start():
    game = random_game(2, (2, 2), seed=1).floats()
    nowhere = Game(game.transition, game.reward, 0.9, (2, 2))
    with pytest.raises(GameError, match="no start distribution"):
        independent_gradient(nowhere, 2, 1.0)
