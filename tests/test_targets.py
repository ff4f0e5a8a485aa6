"""GAE, λ-returns, n-step returns and V-trace, along trajectories and in expectation, against sums over every path."""

from __future__ import annotations

import random
from fractions import Fraction as F
from functools import cache

import numpy as np
import pytest

import oracle
import paths
from mappo_verify.arithmetic import System, compare, floats_of, like
from mappo_verify.errors import GameError, SingularError
from mappo_verify.model import Game, Policy
from mappo_verify.model.time_limit import TimeLimited, time_limited
from mappo_verify.model.trees import hidden
from mappo_verify.quantities.expected_targets import (
    expected_gae,
    expected_lambda_returns,
    expected_n_step_returns,
    variance_of_lambda_returns,
)
from mappo_verify.quantities.time_limits import (
    bootstrapped,
    limited_gae,
    limited_lambda_returns,
    limited_n_step_returns,
    limited_values,
    limited_visits,
    not_bootstrapped,
    variance_of_limited_lambda_returns,
)
from mappo_verify.quantities.trajectory_targets import (
    gae,
    importance_weighted_returns,
    lambda_returns,
    n_step_returns,
    per_decision_returns,
    td_errors,
    vtrace_advantages,
    vtrace_targets,
)
from mappo_verify.quantities.values import action_values, state_values

SEEDS = range(6)
LIMIT = 3
SIZES = [(2,), (2, 2), (3,), (2, 1)]
ENDS = [bootstrapped, not_bootstrapped]


@cache
def case(seed, layered=False):
    """``(game, policy, target, critic, λ)`` for the oracle, and game, policies for the package."""
    rng = random.Random(seed)
    sizes, gamma = SIZES[seed % len(SIZES)], [F(1), F(2, 3), F(1, 2)][seed % 3]
    game = paths.layered(rng, 3, sizes, gamma) if layered else oracle.draw_game(rng, 2, sizes, gamma, seed % 2 == 0)
    states = len(game["P"])
    policy, target = (oracle.draw_policy(rng, states, sizes, kind) for kind in ("full", "conditional"))
    critic = [F(rng.randint(-6, 6), 2) for _ in range(states)]
    lam = [F(0), F(1, 2), F(2, 3), F(1)][seed % 4]
    return (game, policy, target, critic, lam), (Game(**oracle.arguments(game)), Policy(policy), Policy(target))


def rational(values):
    return like(np.array(values, dtype=object), System.RATIONALS)


def every_pair(game):
    return [(s, a) for s in range(len(game["P"])) for a in range(len(game["P"][0]))]


# --- expectations under a limit -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
@pytest.mark.parametrize("seed", SEEDS)
def test_with_a_limit(seed, end):
    (game, policy, _, critic, lam), (mv_game, mv_policy, _) = case(seed)
    joint, limited = paths.joint_policy(game, policy), time_limited(mv_game, LIMIT)
    critics = end(rational(critic), LIMIT)
    rows = oracle.fractions(critics)
    assert rows == [critic] * LIMIT + [critic if end is bootstrapped else [F(0)] * 2]
    means, variances = (
        oracle.fractions(q(limited, mv_policy, critics, lam))
        for q in (limited_lambda_returns, variance_of_limited_lambda_returns)
    )
    gains, two = (
        oracle.fractions(table)
        for table in (
            limited_gae(limited, mv_policy, critics, lam),
            limited_n_step_returns(limited, mv_policy, critics, 2),
        )
    )
    for t in range(LIMIT):
        for s, a in every_pair(game):

            def number(path, t=t):
                return paths.lambda_return(path, game["gamma"], lam, rows, t)

            mean, variance = paths.moments(game, joint, s, a, LIMIT - t, number)
            assert (means[t][s][a], variances[t][s][a]) == (mean, variance)
            assert gains[t][s][a] == mean - critic[s]
            mean, _ = paths.moments(
                game, joint, s, a, LIMIT - t, lambda p, t=t: paths.n_step(p, 2, game["gamma"], rows, t)
            )
            assert two[t][s][a] == mean


@pytest.mark.parametrize("seed", SEEDS)
def test_values_and_visits_with_a_limit(seed):
    (game, policy, _, critic, _), (mv_game, mv_policy, _) = case(seed)
    joint, limited = paths.joint_policy(game, policy), time_limited(mv_game, LIMIT)
    chain, _ = oracle.induced(game, policy)
    for final in (None, critic):
        last = [F(0)] * 2 if final is None else critic
        found = oracle.fractions(limited_values(limited, mv_policy, final))

        def number(path, last=last):
            return paths.n_step(path, LIMIT, game["gamma"], [last] * (LIMIT + 1))

        for t in range(LIMIT):
            for s, chances in enumerate(joint):
                means = [paths.moments(game, joint, s, a, LIMIT - t, number)[0] for a in range(len(chances))]
                assert found[t][s] == sum((p * mean for p, mean in zip(chances, means, strict=True)), F(0))
        assert found[LIMIT] == last
        # the same as a game without a limit
        as_game, same = limited.as_game(final), limited.policy(mv_policy)
        assert oracle.fractions(state_values(as_game, same)) == [v for row in found[:-1] for v in row]
    law = game["start"]
    for row in oracle.fractions(limited_visits(limited, mv_policy)):
        assert row == law
        law = [sum((law[s] * chain[s][t] for s in range(2)), F(0)) for t in range(2)]


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_a_limit_as_a_game_has_the_same_targets(seed):
    """One transformation, and every quantity exists with the limit: the reward of the last step carries the bootstrap."""
    (_, _, _, critic, lam), (game, policy, _) = case(seed)
    limited = time_limited(game, LIMIT)
    same, tiled = limited.policy(policy), rational(critic * LIMIT)
    for final, end in ((rational(critic), bootstrapped), (None, not_bootstrapped)):
        table = expected_gae(limited.as_game(final), same, tiled, lam)
        wanted = limited_gae(limited, policy, end(rational(critic), LIMIT), lam)
        assert (table.reshape(wanted.shape) == wanted).all()


# --- expectations without a limit -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_without_a_limit(seed):
    (game, policy, _, critic, lam), (mv_game, mv_policy, _) = case(seed, layered=True)
    joint, rows = paths.joint_policy(game, policy), [critic] * 5
    found = oracle.fractions(expected_lambda_returns(mv_game, mv_policy, rational(critic), lam))
    gains = oracle.fractions(expected_gae(mv_game, mv_policy, critic, lam))
    variances = oracle.fractions(variance_of_lambda_returns(mv_game, mv_policy, critic, lam))
    for n in (1, 2, 3):
        steps = oracle.fractions(expected_n_step_returns(mv_game, mv_policy, critic, n))
        for s, a in every_pair(game):
            wanted, _ = paths.moments(game, joint, s, a, 4, lambda p, n=n: paths.n_step(p, n, game["gamma"], rows))
            assert steps[s][a] == wanted
    for s, a in every_pair(game):
        mean, variance = paths.moments(game, joint, s, a, 4, lambda p: paths.lambda_return(p, game["gamma"], lam, rows))
        assert (found[s][a], variances[s][a], gains[s][a]) == (mean, variance, mean - critic[s])


def test_an_exact_critic_hides_the_trace_and_a_wrong_one_does_not():
    _, (game, policy, _) = case(1)
    values = state_values(game, policy)
    wanted = action_values(game, policy)
    for lam in (0, F(1, 3), F(1)):
        assert (expected_lambda_returns(game, policy, values, lam) == wanted).all()
    assert (expected_lambda_returns(game, policy, values + 1, F(1, 3)) != wanted).any()


def test_the_mean_of_drawn_targets_is_the_expectation():
    """Over all paths of one start, :func:`gae` averages to :func:`limited_gae`: the two halves speak of the same thing."""
    (game, policy, _, critic, _), (mv_game, mv_policy, _) = case(3)
    lam, joint = F(2, 3), paths.joint_policy(game, policy)
    wanted = oracle.fractions(limited_gae(time_limited(mv_game, LIMIT), mv_policy, bootstrapped(critic, LIMIT), lam))
    for s, a in every_pair(game):
        total = F(0)
        for p, path in paths.paths(game, joint, s, a, LIMIT):
            ended = np.arange(len(path)) == len(path) - 1
            over = path[-1][3] is None
            values = [critic[step[0]] for step in path] + [F(0) if over else critic[path[-1][3]]]
            found = gae([x[2] for x in path], values, ended & over, ended & (not over), game["gamma"], lam)
            total += p * oracle.fractions(found)[0]
        assert total == wanted[0][s][a]


def test_a_limit_says_what_is_wrong():
    _, (game, policy, _) = case(1)
    limited = time_limited(game, 2)
    with pytest.raises(GameError, match="limit = 0 is not an integer"):
        time_limited(game, 0)
    with pytest.raises(GameError, match="limit = 0 is not an integer"):
        bootstrapped([1, 2], 0)
    with pytest.raises(GameError, match=r"critics has shape \(2, 2\); it needs \[..., T \+ 1, S\] = \[..., 3, 2\]"):
        limited_gae(limited, policy, rational([[0, 0], [0, 0]]), 1)
    with pytest.raises(GameError, match=r"final has shape \(3,\)"):
        limited_values(limited, policy, [1, 2, 3])
    with pytest.raises(GameError, match="copies of 2 states are more than the limit"):
        TimeLimited(game, 10_000).as_game()
    with pytest.raises(GameError, match="critic is in floats, and what it meets in rationals"):
        expected_gae(game, policy, [0.5, 0.5], 1)
    with pytest.raises(SingularError, match="never terminates"):
        expected_gae(Game([[[1]]], [[1]], 1.0), Policy([[[[1.0]]]]), [0], 1)
    assert time_limited(game.with_start(None), 1).as_game().start is None
    one, own = time_limited(hidden(game, System.RATIONALS, 0), 2), hidden(policy, System.RATIONALS, 0)
    short = hidden(rational([[0, 0], [0, 0]]), System.RATIONALS, 2)
    with pytest.raises(GameError, match=r"critics of one instance has shape \(2, 2\); it needs \[T \+ 1, S\]"):
        limited_gae(one, own, short, 1)


# --- along trajectories ---------------------------------------------------------------------------------------------------


def trajectory(seed, length=7):
    """Rewards, values, final values, ratios, terminated, truncated: two columns with every kind of end."""
    rng = random.Random(seed)
    shape = (length, 2)

    def table(rows=length):
        return [[F(rng.randint(-6, 6), 2) for _ in range(2)] for _ in range(rows)]

    terminated = np.array([[rng.random() < 0.25 for _ in range(2)] for _ in range(length)])
    truncated = np.array([[rng.random() < 0.25 for _ in range(2)] for _ in range(length)])
    ratios = [[F(rng.randint(0, 6), 3) for _ in range(2)] for _ in range(length)]
    assert terminated.shape == shape
    return table(), table(length + 1), table(), ratios, terminated, truncated


def episode(seed, t, e, with_final=True):
    """The rest of the episode from step ``t`` of column ``e``, as a path whose states are times, and the critic by time."""
    rewards, values, final, _, terminated, truncated = trajectory(seed)
    path, critics = [], [[row[e] for row in values]]
    for k in range(t, len(rewards)):
        last = k + 1 == len(rewards)
        path.append((k, 0, rewards[k][e], None if terminated[k, e] else k + 1))
        followed = final[k][e] if truncated[k, e] and with_final else values[k + 1][e]
        critics.append([row[e] for row in values])
        critics[-1][k + 1] = followed
        if terminated[k, e] or truncated[k, e] or last:
            break
    return path, critics


@pytest.mark.parametrize("seed", range(12))
def test_along_trajectories(seed):
    rewards, values, final, ratios, terminated, truncated = trajectory(seed)
    gamma, lam = F(2, 3), [F(0), F(1, 2), F(1)][seed % 3]
    for given in (final, None):
        tail = (terminated, truncated, gamma)
        found = {
            "gae": gae(rewards, values, *tail, lam, given),
            "lambda": lambda_returns(rewards, values, *tail, lam, given),
            "two": n_step_returns(rewards, values, *tail, 2, given),
            "many": n_step_returns(rewards, values, *tail, 99, given),
            "one": n_step_returns(rewards, values, *tail, 1, given),
            "td": td_errors(rewards, values, *tail, given),
            "vtrace": vtrace_targets(rewards, values, ratios, *tail, lam, F(3, 2), F(1), given),
            "gain": vtrace_advantages(rewards, values, ratios, *tail, lam, F(3, 2), F(1), given),
            "ordinary": importance_weighted_returns(rewards, ratios, *tail),
            "decision": per_decision_returns(rewards, ratios, *tail),
        }
        found = {name: oracle.fractions(table) for name, table in found.items()}
        for t in range(len(rewards)):
            for e in range(2):
                path, critics = episode(seed, t, e, given is not None)
                r = [ratios[k][e] for k in range(t, t + len(path))]
                own, wanted = values[t][e], paths.lambda_return(path, gamma, lam, critics)
                assert found["lambda"][t][e] == wanted
                assert found["gae"][t][e] == wanted - own
                for name, n in (("one", 1), ("two", 2), ("many", 99)):
                    assert found[name][t][e] == paths.n_step(path, n, gamma, critics)
                assert found["td"][t][e] == paths.n_step(path, 1, gamma, critics) - own
                assert found["vtrace"][t][e] == paths.vtrace(path, gamma, lam, critics, r, F(3, 2), F(1))
                ahead = paths.bootstrap(path, 1, critics, 0)
                if len(path) > 1:
                    rest = paths.vtrace(path[1:], gamma, lam, critics[1:], r[1:], F(3, 2), F(1))
                    ahead = (1 - lam) * ahead + lam * rest
                assert found["gain"][t][e] == min(F(3, 2), r[0]) * (path[0][2] + gamma * ahead - own)
                total = sum((gamma**k * step[2] for k, step in enumerate(path)), F(0))
                assert found["ordinary"][t][e] == np.prod(r) * total
                assert found["decision"][t][e] == sum(
                    (gamma**k * step[2] * np.prod(r[: k + 1]) for k, step in enumerate(path)), F(0)
                )


def test_truncation_taken_for_termination_is_another_number():
    """What the flags mean is seen in the numbers: neither the trace nor the value of the next episode leaks over an end."""
    ones, no, last = np.ones(3), np.zeros(3, bool), np.array([False, True, False])
    values = np.array([1.0, 2.0, 100.0, 1.0])
    final = np.array([0.0, 5.0, 0.0])
    assert gae(ones, values, no, last, 1, 1, final).tolist() == [6.0, 4.0, -98.0]
    assert gae(ones, values, last, no, 1, 1, final).tolist() == [1.0, -1.0, -98.0]
    assert gae(ones, values, last, last, 1, 1, final).tolist() == [1.0, -1.0, -98.0]
    assert gae(ones, values, no, last, 1, 1).tolist() == [101.0, 99.0, -98.0]
    unknown = np.array([1.0, 2.0, np.nan, 1.0])
    assert np.isfinite(td_errors(ones[:2], unknown[:3], last[:2], no[:2], 1)).all()


def test_trajectories_say_what_is_wrong():
    ones, no = np.ones(2), [False, False]
    with pytest.raises(GameError, match=r"values has shape \(2,\); it needs \[T \+ 1, ...\] = \(3,\)"):
        gae(ones, ones, no, no, 1, 1)
    with pytest.raises(GameError, match=r"terminated has shape \(3,\)"):
        gae(ones, np.ones(3), [False] * 3, no, 1, 1)
    with pytest.raises(GameError, match="truncated has entries other than True and False"):
        gae(ones, np.ones(3), no, [0, 2], 1, 1)
    with pytest.raises(GameError, match=r"ratios has shape \(3,\)"):
        per_decision_returns(ones, np.ones(3), no, no, 1)
    with pytest.raises(GameError, match="n = 0 is not an integer"):
        n_step_returns(ones, np.ones(3), no, no, 1, 0)
    with pytest.raises(GameError, match="rewards has shape"):
        gae([], [1.0], [], [], 1, 1)
    with pytest.raises(GameError, match="final_values has shape"):
        gae(ones, np.ones(3), no, no, 1, 1, np.ones(3))
    assert gae(ones, np.ones(3), np.array([0.0, 1.0]), [0, 0], 1, 1).tolist() == [1.0, 0.0]


# --- number systems and batches -------------------------------------------------------------------------------------------

LIMITED = [limited_lambda_returns, limited_gae, variance_of_limited_lambda_returns]
FREE = [expected_lambda_returns, expected_gae, variance_of_lambda_returns]


@pytest.mark.parametrize("seed", SEEDS[1:4])
def test_in_every_number_system(seed):
    (_, _, _, critic, _), (game, policy, _) = case(seed, layered=True)
    lam = F(1, 3)
    guess, critics = rational(critic), bootstrapped(rational(critic), LIMIT)
    for quantity in (*FREE, *LIMITED):
        whole = quantity in LIMITED
        exact = quantity(time_limited(game, LIMIT) if whole else game, policy, critics if whole else guess, lam)
        rough = quantity(
            time_limited(game.floats(), LIMIT) if whole else game.floats(),
            policy.floats(),
            floats_of(critics if whole else guess),
            1 / 3,
        )
        np.testing.assert_allclose(rough, floats_of(exact), rtol=1e-12, atol=1e-12)
        sure = like(np.array(oracle.fractions(critics if whole else guess), dtype=object), System.BALLS)
        balls = quantity(time_limited(game.balls(), LIMIT) if whole else game.balls(), policy.balls(), sure, lam)
        assert (compare(balls, "=", like(np.array(oracle.fractions(exact), dtype=object), System.BALLS)) >= 0).all()
        assert all(float(ball.rad()) < 1e-12 for ball in balls.ravel())
        for system in (System.RATIONALS, System.ENCLOSURES):
            one, own = hidden(game.exact(), system, 0), hidden(policy.exact(), system, 0)
            given = hidden(critics if whole else guess, system, 2 if whole else 1)
            found = quantity(TimeLimited(one, LIMIT) if whole else one, own, given, lam)
            assert found.shape == exact.shape
            assert (compare(found, "=", hidden(exact, system, exact.ndim)).values >= 0).all()


def test_batches():
    cases = [case(seed)[1] for seed in (0, 4)]
    games = Game(*(np.stack([getattr(g, n) for g, _, _ in cases]) for n in ("transition", "reward", "discount")), (2,))
    policies = Policy((np.stack([p.factors[0] for _, p, _ in cases]),))
    critic, lam = rational([1, 2]), F(1, 2)
    for quantity in FREE:
        together = quantity(games, policies, critic, lam)
        for i, (game, policy, _) in enumerate(cases):
            assert (together[i] == quantity(game, policy, critic, lam)).all()
    # a batch of policies, and of critics, on one game
    game, critics = cases[0][0], rational([[[1, 2]] * 3, [[0, 5]] * 3])
    both = limited_lambda_returns(time_limited(game, 2), policies, critics, lam)
    assert both.shape == (2, 2, 2, 2)
    for i in range(2):
        assert (both[i] == limited_lambda_returns(time_limited(game, 2), policies[i], critics[i], lam)).all()
    assert limited_n_step_returns(time_limited(game, 2), policies, critics, 2).shape == (2, 2, 2, 2)
    assert limited_values(time_limited(game, 2), policies).shape == (2, 3, 2)
    assert limited_visits(time_limited(game, 2), policies).shape == (2, 2, 2)
