"""Defects as public libraries have them, in the form in which their code has them: found, and named.

Each hook is what its author would write from the documentation page; the names say whose idiom it is.
"""

import warnings

import numpy as np
import pytest

from mappo_verify import conformance


def backwards(rewards, values, following, goes_on, bootstraps, gamma, lam):
    result, running = np.zeros_like(rewards), 0 * rewards[-1]
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * bootstraps[t] * following[t] - values[t]
        result[t] = running = delta + gamma * lam * goes_on[t] * running
    return result


def right(rewards, values, next_values, terminated, truncated, gamma, lam):
    return backwards(rewards, values, next_values, ~(terminated | truncated), ~terminated, gamma, lam)


def flags_written_after_the_step(rewards, values, terminated, truncated, gamma, lam):
    """CleanRL's loop reads ``dones[t + 1]``, which must be the flag before step t + 1."""
    done = np.append((terminated | truncated)[1:], (terminated | truncated)[-1])
    return backwards(rewards, values, values[1:], ~done, ~done, gamma, lam)


def flags_of_the_step_before(rewards, values, next_values, terminated, truncated, gamma, lam):
    terminated, truncated = (np.append(False, flags[:-1]) for flags in (terminated, truncated))
    return right(rewards, values, next_values, terminated, truncated, gamma, lam)


def undiscounted_at_the_limit(rewards, values, final_values, terminated, truncated, gamma, lam):
    """Stable-Baselines3's way to bootstrap at a time limit, without its γ."""
    paid, done = rewards + final_values * (truncated & ~terminated), terminated | truncated
    return backwards(paid, values, values[1:], ~done, ~done, gamma, lam)


def bad_masks(rewards, values, terminated, truncated, gamma, lam):
    """MAPPO with ``use_proper_time_limits``: the trace is multiplied by 0 at a time limit, the step's own error with it."""
    done, result, running = terminated | truncated, np.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * values[t + 1] * ~done[t] - values[t]
        running = (delta + gamma * lam * ~done[t] * running) * ~(truncated[t] & ~terminated[t])
        result[t] = running
    return result


def normalised_as_torch_does(rewards, values, next_values, terminated, truncated, gamma, lam):
    table = right(rewards, values, next_values, terminated, truncated, gamma, lam)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one step has no unbiased deviation; torch says so, and goes on
        return (table - table.mean()) / (table.std(ddof=1) + 1e-8)


def mean_over_agents(rewards, values, next_values, terminated, truncated, gamma, lam):
    table = right(rewards, values, next_values, terminated, truncated, gamma, lam)
    return np.broadcast_to(table.mean(2, keepdims=True), table.shape)


def one_critic_for_all(rewards, values, next_values, terminated, truncated, gamma, lam):
    values, next_values = (np.broadcast_to(v.mean(2, keepdims=True), v.shape) for v in (values, next_values))
    return right(rewards, values, next_values, terminated, truncated, gamma, lam)


def joint_ratio(log_probs, old_log_probs, advantages, epsilon, active):
    ratio = np.exp((log_probs - old_log_probs).sum(-1, keepdims=True))
    gains = np.minimum(ratio * advantages, np.clip(ratio, 1 - epsilon, 1 + epsilon) * advantages)
    return (gains * active).sum() / active.sum()


def normalised_before_the_factor(log_probs, old_log_probs, advantages, epsilon, factor, active):
    counted = advantages[active]
    advantages = (advantages - counted.mean()) / (counted.std() + 1e-5)
    ratio = np.exp(log_probs - old_log_probs)
    gains = factor * np.minimum(ratio * advantages, np.clip(ratio, 1 - epsilon, 1 + epsilon) * advantages)
    return (gains * active).sum() / active.sum()


def larger_of_the_two(policy, actions, old_log_probs, advantages, epsilon):
    """What differentiating ``torch.max`` in place of ``torch.min`` gives, by cancelling float32 numbers."""
    policy = policy.astype("float32")
    ratio = np.exp(np.log(policy[np.arange(len(actions)), actions]) - old_log_probs.astype("float32"))
    open_ = np.where(advantages > 0, ratio > 1 - epsilon, ratio < 1 + epsilon)
    taken = np.eye(policy.shape[-1], dtype="float32")[actions]
    return ((open_ * ratio * advantages).astype("float32")[:, None] * (taken - policy)) / np.float32(len(actions))


def mean_of_ratios(new_log_probs, old_log_probs, order):
    result, running = np.ones_like(new_log_probs), 1.0
    for agent in order:
        result[:, agent] = running
        running = running * np.exp(new_log_probs[:, agent] - old_log_probs[:, agent]).mean()
    return result


def entropy_by_infinity(logits, available):
    logits = np.where(available, logits, -np.inf)
    policy = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    with np.errstate(all="ignore"):
        return -(policy * np.log(policy)).sum(-1)


def kl_of_plain_mean(old, new):
    """No weights at all, as libraries have it: right."""
    return (old * np.log(old / new)).sum(-1).mean()


T, S, P, A = (getattr(conformance, name + "Tests") for name in ("Trajectory", "Surrogate", "Policy", "Agent"))
TRIALS = (
    (T, "gae", right, {}, None),
    (T, "gae", flags_written_after_the_step, {}, "shifted by one, but for the last step"),
    (T, "gae", flags_of_the_step_before, {}, "uses the flags of step t - 1; the next values are right"),
    (T, "gae", undiscounted_at_the_limit, {}, "γ is missing at truncation"),
    (T, "gae", bad_masks, {}, "a truncated step is dropped"),
    (T, "gae", normalised_as_torch_does, {}, "normalised by the unbiased standard deviation"),
    (T, "gae", mean_over_agents, {"batch": (2, 3, 1)}, "the mean over axis 2"),
    (T, "gae", one_critic_for_all, {"batch": (2, 3, 1)}, "the values and the next values are averaged over axis 2"),
    (S, "team_surrogate", joint_ratio, {}, "that of the joint action"),
    (S, "surrogate", normalised_before_the_factor, {}, "normalised over the samples that count"),
    (S, "clipped_gradient", larger_of_the_two, {}, "the larger of the two was taken"),
    (A, "sequential_factor", mean_of_ratios, {}, "averaged over the samples"),
    (P, "entropy", entropy_by_infinity, {}, "no number (nan or inf) on 8 of 8 inputs"),
    (P, "mean_kl", kl_of_plain_mean, {}, None),
)


@pytest.mark.parametrize(
    ("base", "hook", "function", "attributes", "cause"), TRIALS, ids=lambda x: getattr(x, "__name__", "")
)
def test_a_public_defect_is_named(base, hook, function, attributes, cause):
    suite = type("Library", (base,), {hook: staticmethod(function), **attributes})
    failure = suite().examine(hook)
    if cause is None:
        assert failure is None
    else:
        assert len(failure.causes) == 1 and cause in failure.causes[0] and "not all" not in failure.causes[0], (
            failure.causes
        )
