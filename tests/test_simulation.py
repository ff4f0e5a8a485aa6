"""Rollouts and environments: flags, resets and laws, and the checkers of PettingZoo and Gymnasium."""

from __future__ import annotations

import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test, parallel_seed_test

import mappo_verify as mv
from mappo_verify.errors import GameError
from mappo_verify.quantities.time_limits import bootstrapped, limited_gae, limited_visits
from mappo_verify.quantities.trajectory_targets import gae
from mappo_verify.simulation.trajectories import simulate, stream

GAME = mv.Game(
    [[[0, 0.5], [0.5, 0.25], [0, 1], [0.25, 0.25]], [[0.5, 0], [1, 0], [0, 0.5], [0.5, 0.5]]],
    [[1, -1, 2, 0], [0, 3, -2, 1]],
    0.5,
    action_sizes=(2, 2),
    start=[0.75, 0.25],
    state_names=("left", "right"),
)
POLICY = mv.Policy([[[[0.25, 0.75]], [[0.5, 0.5]]], [[[0.5, 0.5], [1.0, 0.0]], [[0.25, 0.75], [0.5, 0.5]]]])
LIMIT, EPISODES = 4, 20_000
FOR_EVER = mv.Game([[[1.0]]], [[1.0]], 0.5, start=[1])


def generator(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def played():
    return simulate(mv.time_limited(GAME, LIMIT), POLICY, EPISODES, generator())


def test_flags_and_padding(played):
    assert played.states.shape == (LIMIT + 1, EPISODES) and played.actions.shape == (LIMIT, EPISODES, 2)
    over = np.cumsum(played.terminated | played.truncated, axis=0)
    before = np.concatenate([np.zeros((1, EPISODES), int), over[:-1]])
    assert (played.valid == (before == 0)).all(), "an episode is valid up to its first end"
    assert (over[-1] == 1).all() and not (played.terminated & ~played.valid).any()
    assert (played.truncated[LIMIT - 1] == played.valid[LIMIT - 1]).all() and not played.truncated[: LIMIT - 1].any()
    assert (played.terminated & played.truncated).any(), "at the limit both may be true"
    assert (played.terminated == (played.valid & (played.next_states == 2))).all()
    assert (played.states[1:] == played.next_states).all()
    for table in (played.rewards, played.joint_actions, played.actions, played.probabilities):
        assert not table[~played.valid].any()
    assert (played.states[:-1][~played.valid] == 2).all()
    assert (played.time == np.arange(LIMIT + 1)[:, None]).all()


def test_what_is_recorded_fits_the_game(played):
    t, e = np.nonzero(played.valid)
    states, joint = played.states[t, e], played.joint_actions[t, e]
    assert (played.rewards[t, e] == GAME.reward[states, joint]).all()
    assert (played.actions[t, e] == np.stack(np.unravel_index(joint, (2, 2)), -1)).all()
    assert np.allclose(played.probabilities[t, e].prod(-1), POLICY.joint()[states, joint])
    assert (GAME.outcomes[states, joint, played.next_states[t, e]] > 0).all()


def test_laws_within_their_standard_errors(played):
    """Five standard errors, from exact probabilities: two in a million a number, and the seed is fixed."""
    exact = limited_visits(mv.time_limited(GAME, LIMIT), POLICY)
    for t in range(LIMIT):
        for s in range(2):
            error = np.sqrt(exact[t, s] * (1 - exact[t, s]) / EPISODES)
            assert abs((played.states[t] == s).mean() - exact[t, s]) < 5 * error
    limited, critic = mv.time_limited(GAME, LIMIT), [3.0, -2.0]
    table = limited_gae(limited, POLICY, bootstrapped(critic, LIMIT), 0.5)
    spread = mv.quantities.variance_of_limited_lambda_returns(limited, POLICY, bootstrapped(critic, LIMIT), 0.5)
    values, final = played.critic_values(critic)
    found = gae(played.rewards, values, played.terminated, played.truncated, 0.5, 0.5, final)
    for t, s, a in np.ndindex(LIMIT, 2, 4):
        here = played.valid[t] & (played.states[t] == s) & (played.joint_actions[t] == a)
        if here.any():
            assert abs(found[t, here].mean() - table[t, s, a]) <= 5 * np.sqrt(spread[t, s, a] / here.sum()) + 1e-12


def test_streams_reset_within_a_step():
    limited = mv.time_limited(GAME, 3)
    run = stream(limited, POLICY, 50, 40, generator())
    over = run.terminated | run.truncated
    assert run.valid.all() and run.states.shape == (41, 50) and (run.states < 2).all()
    assert (run.states[1:][~over] == run.next_states[~over]).all()
    assert (run.time[1:] == np.where(over, 0, run.time[:-1] + 1)).all()
    assert (run.truncated == (run.time[:-1] == 2)).all()
    assert (run.terminated == (run.next_states == 2)).all()
    assert not stream(GAME, POLICY, 5, 10, generator()).truncated.any()
    critic = np.arange(8.0).reshape(4, 2)
    values, final = run.critic_values(critic)
    for t, e in np.ndindex(40, 50):
        s, n, k = run.states[t, e], run.next_states[t, e], run.time[t, e]
        assert values[t, e] == critic[k, s] and final[t, e] == (0 if n == 2 else critic[k + 1, n])
    # the same targets as episode by episode
    tail = run.terminated, run.truncated, 0.5, 0.5, final
    whole = gae(run.rewards, values, *tail)
    ends = np.flatnonzero(over[:, 0])
    for begin, end in zip([0, *(ends + 1)], ends, strict=False):
        part = slice(begin, end + 1)
        alone = [*values[part, 0], final[end, 0]]
        flags = run.terminated[part, 0], run.truncated[part, 0]
        assert np.allclose(gae(run.rewards[part, 0], alone, *flags, 0.5, 0.5), whole[part, 0])


def test_a_seed_reproduces_everything():
    one, two = (simulate(GAME, POLICY, 30, generator(3), steps=6) for _ in range(2))
    assert all((getattr(one, name) == getattr(two, name)).all() for name in ("states", "joint_actions", "truncated"))
    assert (simulate(GAME, POLICY, 30, generator(4), steps=6).states[1] != one.states[1]).any()
    exact = simulate(GAME.exact(), POLICY.exact(), 30, generator(3), steps=6)
    assert (exact.states == one.states).all()


def test_limits_combine_and_endless_games_need_one():
    assert (
        len(simulate(mv.time_limited(FOR_EVER, 3), mv.Policy.uniform(FOR_EVER), 2, generator(), steps=5).rewards) == 3
    )
    assert (
        len(simulate(mv.time_limited(FOR_EVER, 9), mv.Policy.uniform(FOR_EVER), 2, generator(), steps=5).rewards) == 5
    )
    assert not simulate(GAME, POLICY, 20, generator()).truncated.any()
    assert (simulate(GAME, POLICY, 20, generator(), start=[0, 1]).states[0] == 1).all()
    with pytest.raises(GameError, match="may last for ever; pass steps="):
        simulate(FOR_EVER, mv.Policy.uniform(FOR_EVER), 2, generator())


def test_simulation_says_what_is_wrong(played, monkeypatch):
    with pytest.raises(GameError, match="one game, not a batch"):
        simulate(mv.random_game(2, (2,), batch=(3,)), mv.Policy.uniform(GAME), 2, generator(), steps=1)
    batch = mv.Policy(tuple(np.stack([f, f]) for f in POLICY.factors))
    with pytest.raises(GameError, match="one policy is played, not a batch"):
        simulate(GAME, batch, 2, generator(), steps=1)
    with pytest.raises(GameError, match="the policy is for"):
        simulate(GAME, mv.Policy.uniform(FOR_EVER), 2, generator(), steps=1)
    for bad in ({"episodes": 0}, {"episodes": 2, "steps": 0}):
        with pytest.raises(GameError, match="is not an integer of at least 1"):
            simulate(GAME, POLICY, generator=generator(), **bad)
    with pytest.raises(GameError, match=r"critic has shape \(3,\)"):
        played.critic_values([1, 2, 3])
    with pytest.raises(GameError, match="critic has rows for 2 times"):
        played.critic_values([[1, 2], [3, 4]])
    monkeypatch.setattr("mappo_verify.simulation.trajectories.MAX_ENTRIES", 10)
    with pytest.raises(GameError, match="more than the limit of 10 entries"):
        stream(GAME, POLICY, 5, 5, generator())
    with pytest.raises(GameError, match="more than the limit of 10 entries"):
        simulate(GAME, POLICY, 50, generator())


# --- environments -----------------------------------------------------------------------------------------------------

MASKED = mv.Game(GAME.transition, GAME.reward, 0.5, (2, 2), GAME.start, available=([[1, 0], [1, 1]], [[1, 1], [0, 1]]))
ENVIRONMENTS = [GAME, MASKED, GAME.exact(), mv.time_limited(GAME, 3), mv.time_limited(MASKED, 2)]


@pytest.mark.parametrize("game", ENVIRONMENTS)
def test_pettingzoo_accepts_it(game, capsys):
    parallel_api_test(mv.parallel_env(game), num_cycles=60)
    assert "Passed" in capsys.readouterr().out
    parallel_seed_test(lambda: mv.parallel_env(game), num_cycles=30)


@pytest.mark.parametrize("game", [*ENVIRONMENTS[:2], FOR_EVER, mv.time_limited(FOR_EVER, 3)])
def test_gymnasium_accepts_it(game):
    limited = hasattr(game, "limit")
    inner = (game.game if limited else game).as_single_agent()
    check_env(mv.gymnasium_env(mv.time_limited(inner, game.limit) if limited else inner), skip_render_check=True)


def test_the_environments_play_the_game():
    env = mv.parallel_env(mv.time_limited(GAME, 3), start=[0, 1])
    assert env.possible_agents == ["agent_1", "agent_2"] and env.agents == []
    seen = set()
    for seed in range(40):
        observations, information = env.reset(seed=seed)
        assert observations == {"agent_1": 1, "agent_2": 1} and information == {"agent_1": {}, "agent_2": {}}
        state, steps = 1, 0
        while env.agents:
            steps += 1
            found = env.step({"agent_1": 1, "agent_2": 0})
            observations, rewards, terminated, truncated, _ = ({*part.values()} for part in found[:4] + ({},))
            (state_after,), (reward,), (ended,), (stopped,) = observations, rewards, terminated, truncated
            assert reward == GAME.reward[state, 2] and ended == (state_after == 2) and stopped == (steps == 3)
            assert env.state() == state_after
            state = state_after
            seen.add((ended, stopped))
    assert len(seen) == 4, "at the limit both may be true"
    assert env.render() in ("step 3: left", "step 3: right", "step 3: the end", "step 2: the end", "step 1: the end")
    assert env.close() is None and mv.parallel_env(FOR_EVER).render() == "step 0: the end"


def test_masks_are_shown_and_forbidden_actions_are_copies():
    env = mv.parallel_env(MASKED, start=[1, 0])
    _, information = env.reset(seed=0)
    assert [information[a]["action_mask"].tolist() for a in env.agents] == [[1, 0], [1, 1]]
    assert env.step({"agent_1": 1, "agent_2": 1})[1]["agent_1"] == GAME.reward[0, 1], "action 1 is a copy of action 0"
    single = mv.gymnasium_env(MASKED.as_single_agent())
    assert single.reset(seed=0)[1]["action_mask"].sum() == 2
    ending = mv.gymnasium_env(mv.Game([[[0], [0]]], [[1, 2]], 0, start=[1], available=([[0, 1]],)))
    ending.reset(seed=0)
    assert ending.step(0)[1] == 2.0 and ending.render() == "step 1: the end"


def test_a_game_comes_back_from_its_environment(caplog):
    single = GAME.as_single_agent()
    back = mv.from_gymnasium(mv.gymnasium_env(single), discount=0.5)
    assert (back.transition == single.transition).all() and (back.reward == single.reward).all()
    assert (back.start == single.start).all() and not caplog.records
    mv.from_gymnasium(mv.gymnasium_env(mv.time_limited(single, 7)), discount=0.5)
    mv.from_gymnasium(gymnasium.wrappers.TimeLimit(mv.gymnasium_env(single), 9), discount=0.5)
    mv.from_gymnasium(gymnasium.make("FrozenLake-v1"), discount=0.5)
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == [
        "GameEnvironment truncates episodes after 7 steps",
        "GameEnvironment truncates episodes after 9 steps",
        "FrozenLake-v1 truncates episodes after 100 steps",
    ]


def test_environments_say_what_is_wrong(monkeypatch):
    with pytest.raises(GameError, match="Gymnasium has one agent and this game 2"):
        mv.gymnasium_env(mv.time_limited(GAME, 3))
    with pytest.raises(GameError, match="plays one game, not a batch"):
        mv.parallel_env(mv.random_game(2, (2,), batch=(3,)))
    with pytest.raises(GameError, match="no start distribution"):
        mv.parallel_env(GAME.with_start(None))
    env = mv.parallel_env(GAME)
    with pytest.raises(GameError, match="call reset"):
        env.step({"agent_1": 0, "agent_2": 0})
    env.reset(seed=0)
    with pytest.raises(GameError, match="no action was given for agent_2"):
        env.step({"agent_1": 0})
    with pytest.raises(GameError, match="agent 2 has the actions 0 to 1, not 2"):
        env.step({"agent_1": 0, "agent_2": 2})
    for name, make, extra in (
        ("pettingzoo", lambda: mv.parallel_env(GAME), "pettingzoo"),
        ("gymnasium", lambda: mv.gymnasium_env(FOR_EVER), "gym"),
    ):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, None)
            for module in ("gymnasium_environment", "pettingzoo_environment"):
                patch.delitem(sys.modules, f"mappo_verify.simulation.{module}", raising=False)
            with pytest.raises(GameError, match=rf"pip install 'mappo-verify\[{extra}\]'"):
                make()
