"""torchrl: the functional value estimators, the clipped loss, and masked policies; time is the last axis but one."""

import torch
from tensordict import TensorDict
from tensordict.nn import (
    InteractionType,
    ProbabilisticTensorDictModule,
    ProbabilisticTensorDictSequential,
    TensorDictModule,
)
from torchrl.modules import MaskedCategorical
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import functional

from mappo_verify import conformance


def ends(terminated, truncated):
    return {"done": (terminated | truncated)[:, None], "terminated": terminated[:, None]}


class Trajectories(conformance.TrajectoryTests):
    arrays, dtype = torch, "float32"

    def gae(self, rewards, values, next_values, terminated, truncated, gamma, lam):
        tables = (values[:-1, None], next_values[:, None], rewards[:, None])
        flags = ends(terminated, truncated)
        return functional.generalized_advantage_estimate(gamma, lam, *tables, **flags)[0][:, 0]

    def lambda_returns(self, rewards, values, next_values, terminated, truncated, gamma, lam):
        flags = ends(terminated, truncated)
        return functional.td_lambda_return_estimate(gamma, lam, next_values[:, None], rewards[:, None], **flags)[:, 0]

    def returns(self, rewards, values, next_values, terminated, truncated, gamma):
        flags = ends(terminated, truncated)
        return functional.td1_return_estimate(gamma, next_values[:, None], rewards[:, None], **flags)[:, 0]

    def vtrace(self, rewards, values, next_values, terminated, truncated, log_ratios, gamma, rho_max, c_max):
        tables = (values[:-1, None], next_values[:, None], rewards[:, None])
        logs = (log_ratios[:, None], torch.zeros_like(log_ratios)[:, None])
        flags = ends(terminated, truncated)
        return functional.vtrace_advantage_estimate(gamma, *logs, *tables, **flags, rho_thresh=rho_max, c_thresh=c_max)[
            1
        ][:, 0]


class VectorisedTrajectories(conformance.TrajectoryTests):
    arrays, dtype = torch, "float32"

    def gae(self, rewards, values, next_values, terminated, truncated, gamma, lam):
        tables = (values[:-1, None], next_values[:, None], rewards[:, None])
        flags = ends(terminated, truncated)
        return functional.vec_generalized_advantage_estimate(gamma, lam, *tables, **flags)[0][:, 0]

    def lambda_returns(self, rewards, values, next_values, terminated, truncated, gamma, lam):
        flags = ends(terminated, truncated)
        return functional.vec_td_lambda_return_estimate(gamma, lam, next_values[:, None], rewards[:, None], **flags)[
            :, 0
        ]

    def returns(self, rewards, values, next_values, terminated, truncated, gamma):
        flags = ends(terminated, truncated)
        return functional.vec_td1_return_estimate(gamma, next_values[:, None], rewards[:, None], **flags)[:, 0]


class Losses(conformance.SurrogateTests):
    arrays, dtype = torch, "float32"

    def clipped_gradient(self, logits, actions, old_log_probs, advantages, epsilon):
        table = logits.clone().requires_grad_()  # the "network": row b of the table for the sample b
        actor = ProbabilisticTensorDictSequential(
            TensorDictModule(lambda rows: table[rows], in_keys=["observation"], out_keys=["logits"]),
            ProbabilisticTensorDictModule(
                in_keys=["logits"],
                out_keys=["action"],
                distribution_class=torch.distributions.Categorical,
                default_interaction_type=InteractionType.RANDOM,
            ),
        )
        loss = ClipPPOLoss(actor, None, clip_epsilon=epsilon, entropy_bonus=False, critic_coeff=None)
        data = {"observation": torch.arange(len(actions)), "action": actions, "sample_log_prob": old_log_probs}
        data |= {"action_log_prob": old_log_probs, "advantage": advantages[:, None]}
        loss(TensorDict(data, [len(actions)]))["loss_objective"].neg().backward()
        return table.grad


class Policies(conformance.PolicyTests):
    arrays, dtype = torch, "float32"

    def probabilities(self, logits, available):
        return MaskedCategorical(logits=logits, mask=available).probs

    def log_probs(self, logits, actions, available):
        return MaskedCategorical(logits=logits, mask=available).log_prob(actions)

    def entropy(self, logits, available):
        return MaskedCategorical(logits=logits, mask=available).entropy()
