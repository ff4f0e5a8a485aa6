"""The suite of the small library: each hook calls one of its functions."""

import marl

from mappo_verify import conformance


class TestTargets(conformance.TrajectoryTests):
    def gae(self, rewards, values, final_values, terminated, truncated, gamma, lam):
        return marl.gae(
            rewards, values, final_values, terminated, truncated, gamma, lam
        )

    def returns(self, rewards, values, terminated, truncated, gamma):
        return marl.returns(rewards, values, terminated, truncated, gamma)

    def n_step_returns(self, rewards, values, terminated, truncated, gamma, n):
        return marl.n_step_returns(rewards, values, terminated, truncated, gamma, n)


class TestEnvironmentsInParallel(conformance.TrajectoryTests):
    batch = (3,)

    def gae(self, rewards, values, final_values, terminated, truncated, gamma, lam):
        return marl.gae(
            rewards, values, final_values, terminated, truncated, gamma, lam
        )


class TestLosses(conformance.SurrogateTests):
    def surrogate(self, log_probs, old_log_probs, advantages, epsilon, factor, active):
        return marl.surrogate(
            log_probs, old_log_probs, advantages, epsilon, factor, active
        )

    def clipped_gradient(
        self, policy, actions, old_log_probs, advantages, epsilon, factor
    ):
        return marl.clipped_gradient(
            policy, actions, old_log_probs, advantages, epsilon, factor
        )

    def value_loss(self, values, old_values, returns, epsilon):
        return marl.value_loss(values, old_values, returns, epsilon)


class TestPolicies(conformance.PolicyTests):
    def probabilities(self, logits, available):
        return marl.softmax(logits, available)

    def log_probs(self, logits, actions, available):
        return marl.log_probs(logits, actions, available)

    def entropy(self, logits, available):
        return marl.entropy(logits, available)

    def mean_kl(self, old_log_probs, new_log_probs, weights):
        return marl.mean_kl(old_log_probs, new_log_probs, weights)

    def policy_gradient(self, policy, advantages, weights):
        return marl.policy_gradient(policy, advantages, weights)

    def fisher_vector_product(self, policy, vector, weights, damping):
        return marl.fisher_vector_product(policy, vector, weights, damping)

    def update(self, policy, values, beta):
        return marl.mirror_update(policy, values, beta)


class TestAgents(conformance.AgentTests):
    def sequential_factor(self, new_log_probs, old_log_probs, order):
        return marl.sequential_factor(new_log_probs, old_log_probs, order)

    def advantage(self, q, policies, given, agent):
        return marl.advantage(q, policies, given, agent)

    def counterfactual_advantage(self, q, policies, agent):
        return marl.counterfactual_advantage(q, policies, agent)
