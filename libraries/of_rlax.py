"""rlax: functions of one trajectory, without a batch; an episode ends at its last step, or goes on behind it."""

import jax
import jax.numpy as jnp
import rlax

from mappo_verify import conformance


class Trajectories(conformance.TrajectoryTests):
    arrays, dtype, one_episode = jnp, "float32", True

    def gae(self, rewards, values, terminated, truncated, gamma, lam):
        return rlax.truncated_generalized_advantage_estimation(rewards, gamma * ~terminated, lam, values)

    def returns(self, rewards, values, terminated, truncated, gamma):
        return rlax.discounted_returns(rewards, gamma * ~terminated, values[1:])

    def lambda_returns(self, rewards, values, terminated, truncated, gamma, lam):
        return rlax.lambda_returns(rewards, gamma * ~terminated, values[1:], lam)

    def n_step_returns(self, rewards, values, terminated, truncated, gamma, n):
        return rlax.n_step_bootstrapped_returns(rewards, gamma * ~terminated, values[1:], n)

    def vtrace(self, rewards, values, terminated, truncated, ratios, gamma, lam, rho_max):
        errors = rlax.vtrace(values[:-1], values[1:], rewards, gamma * ~terminated, ratios, lam, rho_max)
        return values[:-1] + errors


class Losses(conformance.SurrogateTests):
    arrays, dtype = jnp, "float32"

    def surrogate(self, ratios, advantages, epsilon):
        return -rlax.clipped_surrogate_pg_loss(ratios, advantages, epsilon)

    def clipped_gradient(self, logits, actions, old_log_probs, advantages, epsilon):
        def objective(logits):
            log_probs = rlax.batched_index(jax.nn.log_softmax(logits), actions)
            return -rlax.clipped_surrogate_pg_loss(jnp.exp(log_probs - old_log_probs), advantages, epsilon)

        return jax.grad(objective)(logits)


class Policies(conformance.PolicyTests):
    arrays, dtype = jnp, "float32"

    def probabilities(self, logits):
        return rlax.softmax().probs(logits)

    def log_probs(self, logits, actions):
        return rlax.softmax().logprob(actions, logits)

    def entropy(self, logits):
        return rlax.softmax().entropy(logits)

    def kl(self, old_logits, new_logits):
        return jax.vmap(rlax.categorical_kl_divergence)(old_logits, new_logits)

    def policy_gradient(self, logits, advantages):
        return -jax.grad(lambda table: rlax.qpg_loss(table, advantages))(logits)
