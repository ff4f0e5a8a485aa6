"""QuantEcon and pymdptoolbox: values of policies and optimal values; termination is an absorbing state that pays nothing."""

import mdptoolbox.mdp
import numpy as np
import quantecon

from mappo_verify import conformance


def absorbing(transition, reward):
    """The same process with a last state in which nothing happens: these libraries want rows that sum to 1."""
    states, actions, _ = transition.shape
    larger, paid = np.zeros((states + 1, actions, states + 1)), np.zeros((states + 1, actions))
    larger[:-1, :, :-1], paid[:-1] = transition, reward
    larger[..., -1] += 1 - larger.sum(-1)
    return larger, paid


class QuantEcon(conformance.GameTests):
    def state_values(self, transition, reward, discount, policy):
        # Its policies are deterministic, so the policy is made part of a process with one action.
        one = absorbing((policy[..., None] * transition).sum(1, keepdims=True), (policy * reward).sum(1, keepdims=True))
        process = quantecon.markov.DiscreteDP(one[1], one[0], discount)
        return process.evaluate_policy(np.zeros(len(reward) + 1, int))[:-1]

    def optimal_values(self, transition, reward, discount):
        larger, paid = absorbing(transition, reward)
        return quantecon.markov.DiscreteDP(paid, larger, discount).solve(method="policy_iteration").v[:-1]


class Pymdptoolbox(conformance.GameTests):
    def optimal_values(self, transition, reward, discount):
        larger, paid = absorbing(transition, reward)
        solver = mdptoolbox.mdp.PolicyIteration(np.swapaxes(larger, 0, 1), paid, discount)
        solver.run()
        return np.array(solver.V)[:-1]


class PymdptoolboxValueIteration(conformance.GameTests):
    """Stops, by its default ε, at values within 0.01 of the optimal ones."""

    def optimal_values(self, transition, reward, discount):
        larger, paid = absorbing(transition, reward)
        solver = mdptoolbox.mdp.ValueIteration(np.swapaxes(larger, 0, 1), paid, discount)
        solver.run()
        return np.array(solver.V)[:-1]
