"""A small library for multi-agent RL: what HAPPO and MAPPO compute from rollouts, in NumPy."""

import numpy as np

# --- targets ---


def gae(rewards, values, final_values, terminated, truncated, gamma, lam):
    advantages = np.zeros_like(rewards)
    running = np.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        following = np.where(truncated[t], final_values[t], values[t + 1])
        delta = rewards[t] + gamma * following * ~terminated[t] - values[t]
        running = delta + gamma * lam * ~(terminated[t] | truncated[t]) * running
        advantages[t] = running
    return advantages


def returns(rewards, values, terminated, truncated, gamma):
    result = np.zeros_like(rewards)
    following = values[-1]
    for t in reversed(range(len(rewards))):
        following = np.where(truncated[t], values[t + 1], following)
        following = rewards[t] + gamma * ~terminated[t] * following
        result[t] = following
    return result


def n_step_returns(rewards, values, terminated, truncated, gamma, n):
    result = np.zeros_like(rewards)
    for begin in range(len(rewards)):
        weight, last = 1.0, min(begin + n, len(rewards)) - 1
        for t in range(begin, last + 1):
            result[begin] += weight * rewards[t]
            weight *= gamma
            if t == last or terminated[t] or truncated[t]:
                result[begin] += weight * values[t + 1] * (not terminated[t])
                break
    return result


# --- policies ---


def softmax(logits, available):
    logits = np.where(available, logits, -np.inf)
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def log_probs(logits, actions, available):
    return np.log(softmax(logits, available)[np.arange(len(actions)), actions])


def entropy(logits, available):
    policy = softmax(logits, available)
    return -(policy * np.log(np.where(available, policy, 1))).sum(-1)


def mean_kl(old_log_probs, new_log_probs, weights):
    rows = (np.exp(old_log_probs) * (old_log_probs - new_log_probs)).sum(-1)
    return (weights * rows).sum()


def policy_gradient(policy, advantages, weights):
    mean = (policy * advantages).sum(-1, keepdims=True)
    return weights[:, None] * policy * (advantages - mean)


def fisher_vector_product(policy, vector, weights, damping):
    mean = (policy * vector).sum(-1, keepdims=True)
    return weights[:, None] * policy * (vector - mean) + damping * vector


def mirror_update(policy, values, beta):
    weights = policy * np.exp((values - values.max(-1, keepdims=True)) / beta)
    return weights / weights.sum(-1, keepdims=True)


# --- losses ---


def surrogate(log_probs, old_log_probs, advantages, epsilon, factor, active):
    ratio = np.exp(log_probs - old_log_probs)
    clipped = np.clip(ratio, 1 - epsilon, 1 + epsilon)
    gains = factor * np.minimum(ratio * advantages, clipped * advantages)
    return (gains * active).sum() / active.sum()


def clipped_gradient(policy, actions, old_log_probs, advantages, epsilon, factor):
    taken = np.eye(policy.shape[-1])[actions]
    ratio = (policy * taken).sum(-1) / np.exp(old_log_probs)
    moves = np.where(advantages > 0, ratio < 1 + epsilon, ratio > 1 - epsilon)
    slope = factor * ratio * advantages * moves
    return slope[:, None] * (taken - policy) / len(actions)


def value_loss(values, old_values, returns, epsilon):
    near = old_values + np.clip(values - old_values, -epsilon, epsilon)
    return np.maximum((values - returns) ** 2, (near - returns) ** 2).mean()


# --- agents ---


def sequential_factor(new_log_probs, old_log_probs, order):
    factors, running = np.zeros_like(new_log_probs), np.ones(len(new_log_probs))
    for agent in order:
        factors[:, agent] = running
        running = running * np.exp(new_log_probs[:, agent] - old_log_probs[:, agent])
    return factors


def average_out(table, policies, kept):
    for agent, policy in enumerate(policies):
        if agent not in kept:
            shape = [len(policy)] + [1] * len(policies)
            shape[agent + 1] = policy.shape[-1]
            table = (table * policy.reshape(shape)).sum(agent + 1, keepdims=True)
    return table


def advantage(q, policies, given, agent):
    return average_out(q, policies, (*given, agent)) - average_out(q, policies, given)


def counterfactual_advantage(q, policies, agent):
    others = [other for other in range(len(policies)) if other != agent]
    return q - average_out(q, policies, others)
