"""torchrl: the functional value estimators and losses; time is the last axis but one."""

import torch
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
