"""Slips planted in the example's library, one at a time: the kit finds them, and names the cause of those it knows.

The library is ``docs/examples/conformance/marl.py``, with what HAPPO and MAPPO compute; its formulas are its own.
"""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from mappo_verify.conformance import ConformanceTests

EXAMPLE = Path(__file__).resolve().parent.parent / "docs" / "examples" / "conformance"
SOURCE = (EXAMPLE / "marl.py").read_text("utf-8")


@dataclass(frozen=True)
class Planted:
    """``right`` replaced by ``wrong`` in the library; ``cause`` is a part of what the kit says of it."""

    right: str
    wrong: str
    cause: str | None
    hook: str


STEP = "        running = running * np.exp(new_log_probs[:, agent] - old_log_probs[:, agent])\n"
PLANTED = (
    Planted("delta + gamma * lam *", "delta + lam *", "the trace's γ is missing", "gae"),
    Planted("delta + gamma * lam *", "delta + gamma *", "λ is dropped", "gae"),
    Planted(
        "gamma * following * ~terminated[t] - values[t]",
        "following * ~terminated[t] - values[t]",
        "bootstrapped value's γ is missing",
        "gae",
    ),
    Planted(
        "gamma * following * ~terminated[t] - values[t]",
        "gamma * following - values[t]",
        "bootstrapping at termination",
        "gae",
    ),
    Planted("~(terminated[t] | truncated[t]) * running", "~terminated[t] * running", "runs through truncation", "gae"),
    Planted("~(terminated[t] | truncated[t]) * running", "running", "runs through every end", "gae"),
    Planted("~(terminated[t] | truncated[t]) * running", "~truncated[t] * running", None, "gae"),
    Planted(
        "gamma * following * ~terminated[t] -",
        "gamma * following * ~(terminated[t] | truncated[t]) -",
        "truncation is treated as termination",
        "gae",
    ),
    Planted(
        "np.where(truncated[t], final_values[t], values[t + 1])",
        "values[t + 1]",
        "the next episode's first observation",
        "gae",
    ),
    Planted("np.where(truncated[t], final_values[t], values[t + 1])", "values[t]", "the step's own value", "gae"),
    Planted(
        "running\n        advantages[t] = running",
        "running\n        advantages[t] = running + values[t]",
        "these are returns",
        "gae",
    ),
    Planted("delta = rewards[t] +", "delta = -rewards[t] +", None, "gae"),
    Planted("~terminated[t] * following\n", "following\n", "run through terminations", "returns"),
    Planted("np.where(truncated[t], values[t + 1], following)", "following", "runs through truncation", "returns"),
    Planted(
        "following = values[-1]", "following = 0 * values[-1]", "the last value of the rollout is not used", "returns"
    ),
    Planted("rewards[t] + gamma * ~terminated[t]", "rewards[t] + ~terminated[t]", "γ is dropped", "returns"),
    Planted("min(begin + n,", "min(begin + n + 1,", "one step too many", "n_step_returns"),
    Planted("* (not terminated[t])", "", "bootstrapping at termination", "n_step_returns"),
    Planted("or terminated[t] or truncated[t]", "or terminated[t]", "runs through truncation", "n_step_returns"),
    Planted(
        "np.where(available, logits, -np.inf)", "logits", "unavailable actions keep their probability", "probabilities"
    ),
    Planted(
        "weights / weights.sum(-1, keepdims=True)\n\n\ndef log_probs",
        "weights / weights.sum()\n\n\ndef log_probs",
        None,
        "log_probs",
    ),
    Planted(
        "np.where(available, policy, 1))).sum(-1)",
        "np.where(available, policy, 1))).mean(-1)",
        "the mean over actions",
        "entropy",
    ),
    Planted(
        "np.exp(old_log_probs) * (old_log_probs - new_log_probs)",
        "np.exp(new_log_probs) * (new_log_probs - old_log_probs)",
        "reversed",
        "mean_kl",
    ),
    Planted(
        "(np.exp(old_log_probs) * (old_log_probs - new_log_probs))",
        "(old_log_probs - new_log_probs)",
        "unweighted",
        "mean_kl",
    ),
    Planted("(weights * rows).sum()", "rows.mean()", "the weights of the states are ignored", "mean_kl"),
    Planted(
        "policy * (advantages - mean)",
        "policy * advantages",
        "mean term of the softmax Jacobian is forgotten",
        "policy_gradient",
    ),
    Planted(
        "mean = (policy * advantages).sum(-1, keepdims=True)",
        "mean = advantages.mean(-1, keepdims=True)",
        "the mean term is not weighted",
        "policy_gradient",
    ),
    Planted(
        "weights[:, None] * policy * (advantages",
        "policy * (advantages",
        "weights of the states are ignored",
        "policy_gradient",
    ),
    Planted(
        "policy * (vector - mean) + damping * vector",
        "policy * vector + damping * vector",
        "mean term",
        "fisher_vector_product",
    ),
    Planted(
        "weights[:, None] * policy * (vector",
        "policy * (vector",
        "weights of the states are ignored",
        "fisher_vector_product",
    ),
    Planted(" + damping * vector", "", "damping is forgotten", "fisher_vector_product"),
    Planted("keepdims=True)) / beta)", "keepdims=True)) * beta)", "β multiplies", "update"),
    Planted("weights = policy * np.exp((values", "weights = np.exp((values", "the old policy is forgotten", "update"),
    Planted(
        "np.minimum(ratio * advantages, clipped * advantages)",
        "np.maximum(ratio * advantages, clipped * advantages)",
        "the larger of the two",
        "surrogate",
    ),
    Planted(
        "np.minimum(ratio * advantages, clipped * advantages)",
        "np.minimum(ratio, clipped) * advantages",
        "before it meets the advantage",
        "surrogate",
    ),
    Planted(
        "np.exp(log_probs - old_log_probs)",
        "np.exp(old_log_probs - log_probs)",
        "the ratio is upside down",
        "surrogate",
    ),
    Planted("gains = factor * np.minimum", "gains = np.minimum", "the sequential factor is missing", "surrogate"),
    Planted("(gains * active).sum() / active.sum()", "(gains * active).mean()", "divided by all samples", "surrogate"),
    Planted("slope[:, None] * (taken - policy)", "slope[:, None] * taken", "mean term", "clipped_gradient"),
    Planted(
        "np.where(advantages > 0, ratio < 1 + epsilon, ratio > 1 - epsilon)",
        "np.abs(ratio - 1) < epsilon",
        "every sample outside the clip range",
        "clipped_gradient",
    ),
    Planted(
        "np.maximum((values - returns) ** 2",
        "np.minimum((values - returns) ** 2",
        "the smaller of the two",
        "value_loss",
    ),
    Planted(
        "for agent in order:", "for agent in sorted(order):", "the order of the agents is ignored", "sequential_factor"
    ),
    Planted("for agent in order:", "for agent in order[::-1]:", "reversed", "sequential_factor"),
    Planted(
        "running = running * np.exp(new", "running = np.exp(new", "only the agent just before", "sequential_factor"
    ),
    Planted(
        "np.exp(new_log_probs[:, agent] - old_log_probs[:, agent])",
        "np.exp(old_log_probs[:, agent] - new_log_probs[:, agent])",
        "upside down",
        "sequential_factor",
    ),
    Planted(
        f"        factors[:, agent] = running\n{STEP}",
        f"{STEP}        factors[:, agent] = running\n",
        "the agent's own ratio",
        "sequential_factor",
    ),
    Planted(
        "- average_out(q, policies, given)",
        "- average_out(q, policies, ())",
        "the state's value is subtracted",
        "advantage",
    ),
    Planted(
        "return q - average_out(q, policies, others)",
        "return q - average_out(q, policies, ())",
        "the baseline is the value of the state",
        "counterfactual_advantage",
    ),
    Planted(
        "return q - average_out(q, policies, others)",
        "return q - average_out(q, policies, [agent])",
        "averages the others out",
        "counterfactual_advantage",
    ),
)
"""What goes wrong in real code: discounts, masks, ends of episodes, mean terms, weights, orders, factors, signs, clipping."""


def library(source: str) -> ModuleType:
    """The example's library from this source."""
    module = ModuleType("marl")
    exec(compile(source, "marl.py", "exec"), module.__dict__)
    return module


@pytest.fixture(scope="module")
def suite():
    """The example's suite, and a way to give it another library."""
    sys.modules["marl"] = library(SOURCE)
    try:
        spec = importlib.util.spec_from_file_location("example_suite", EXAMPLE / "test_marl.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        del sys.modules["marl"]
    return module


def home_of(suite, hook):
    """The first class of the suite that fills a hook in."""
    classes = [c for c in vars(suite).values() if isinstance(c, type) and issubclass(c, ConformanceTests)]
    return next(c for c in classes if getattr(c, hook, None) is not None)


def planted(each: Planted) -> str:
    assert SOURCE.count(each.right) == 1, f"{each.right!r} must stand once in the library"
    return SOURCE.replace(each.right, each.wrong)


def test_the_library_conforms(suite):
    for name in (
        "gae",
        "returns",
        "n_step_returns",
        "surrogate",
        "clipped_gradient",
        "value_loss",
        "probabilities",
        "log_probs",
        "entropy",
        "mean_kl",
        "policy_gradient",
        "fisher_vector_product",
        "update",
        "sequential_factor",
        "advantage",
        "counterfactual_advantage",
    ):
        assert home_of(suite, name)().examine(name) is None, name


def test_at_least_forty_are_planted():
    assert len({(each.right, each.wrong) for each in PLANTED}) == len(PLANTED) >= 40


@pytest.mark.parametrize("each", PLANTED, ids=lambda each: f"{each.hook}:{each.wrong.strip()[:40]}")
def test_a_planted_slip_is_found_and_named(each, suite, monkeypatch):
    monkeypatch.setattr(suite, "marl", library(planted(each)))
    failure = home_of(suite, each.hook)().examine(each.hook)
    assert failure is not None, "not found"
    if each.cause is not None:
        assert any(each.cause in cause for cause in failure.causes), failure.causes
