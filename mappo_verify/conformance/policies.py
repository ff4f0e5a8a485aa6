"""Softmax policies: probabilities under a mask, entropy, KL and its estimates, gradients, the regularised update.

Policies are drawn with rational probabilities, and the hooks get their logarithms, shifted row by row: softmax does not see the
shift, and every exact value stays a fraction or a sum of logarithms.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from ..arithmetic import divide, log, xlogy
from .check import Argument, Case, Check, Inputs, Slip, changing, exact, instead

Sizes = tuple[tuple[int, int], ...]
SIZES: Sizes = ((1, 2), (2, 2), (2, 3), (3, 4))
"""Rows and actions of the cases."""

# --- inputs -----------------------------------------------------------------------------------------------------------


def rows(generator: np.random.Generator, count: int, actions: int, near: bool = False) -> Any:
    """Distributions with full support; with ``near``, one action of each has all but a 256th of the probability or less."""
    weights = generator.integers(1, 10, (count, actions))
    if near:
        weights[np.arange(count), generator.integers(actions, size=count)] = 256 * actions * 9
    table = exact(weights)
    return table / table.sum(-1, keepdims=True)


def _numbers(generator: np.random.Generator, *shape: int) -> Any:
    """Uncentred numbers of both signs, none of them 0."""
    return exact(generator.choice([-7, -3, -2, -1, 1, 3, 5, 9, 12, 20], shape)) / 4


def cases_of(generator: np.random.Generator) -> Iterator[Case]:
    """Even and near-deterministic policies, unequal action sets, unequal weights, uncentred advantages."""
    for near in (False, True):
        for states, actions in SIZES:
            available = generator.random((states, actions)) < 0.6
            available[np.arange(states), generator.integers(actions, size=states)] = True
            available[0, 0], available[0, -1] = True, False
            weights = exact(generator.integers(1, 10, states) ** 2)
            kind = "near-deterministic" if near else "mixed"
            yield Case(
                f"{kind} policies, {states} states, {actions} actions",
                {
                    "policy": rows(generator, states, actions, near),
                    "new": rows(generator, states, actions),
                    "shift": generator.integers(-3, 4, (states, 1)).astype(float),
                    "available": available,
                    "actions": np.array([generator.choice(np.flatnonzero(row)) for row in available]),
                    "weights": weights / weights.sum(),
                    "advantages": _numbers(generator, states, actions),
                    "vector": _numbers(generator, states, actions),
                    "multipliers": exact(generator.choice([2, 3, 5, 8, 12], (states, actions))),
                    "beta": exact(Fraction(1, 2) if near else 3)[()],
                    "damping": exact(Fraction(1, 8))[()],
                },
            )


# --- formulas ---------------------------------------------------------------------------------------------------------


def _mean(policy: Any, table: Any) -> Any:
    return (policy * table).sum(-1, keepdims=True)


def probabilities(inputs: Inputs) -> Any:
    """``π(a) 1[a available]``, normalised."""
    kept = np.where(inputs["available"], inputs["policy"], 0 * inputs["policy"])
    return kept / kept.sum(-1, keepdims=True)


def log_probs(inputs: Inputs) -> Any:
    """The logarithm of the probability of the action taken."""
    return log(probabilities(inputs)[np.arange(len(inputs["actions"])), inputs["actions"]])


def entropy(inputs: Inputs) -> Any:
    """``-Σ π log π``."""
    table = probabilities(inputs)
    return -xlogy(table, table + np.where(inputs["available"], 0 * table, 0 * table + 1)).sum(-1)


def kl(inputs: Inputs) -> Any:
    """``KL(old‖new)`` of each row."""
    return xlogy(inputs["policy"], divide(inputs["policy"], inputs["new"])).sum(-1)


def mean_kl(inputs: Inputs) -> Any:
    """``Σ_s w(s) KL(old‖new)(s)``."""
    return (inputs["weights"] * kl(inputs)).sum()


def policy_gradient(inputs: Inputs) -> Any:
    """``w(s) π(a|s) (A(s, a) - Σ_b π(b|s) A(s, b))``."""
    policy, table = inputs["policy"], inputs["advantages"]
    return inputs["weights"][:, None] * policy * (table - _mean(policy, table))


def fisher_vector_product(inputs: Inputs) -> Any:
    """``w(s) π(a|s) (v(s, a) - Σ_b π(b|s) v(s, b)) + damping v``."""
    policy, vector = inputs["policy"], inputs["vector"]
    product = inputs["weights"][:, None] * policy * (vector - _mean(policy, vector))
    return product + inputs["damping"] * vector


def _centred(table: Any) -> Any:
    return table - table.sum(-1, keepdims=True) / table.shape[-1]


def natural_gradient(inputs: Inputs) -> Any:
    """The advantages: ``F x = ∇`` for them and whatever constant is added to a row, so rows are compared without their mean."""
    return _centred(inputs["advantages"])


def update(inputs: Inputs) -> Any:
    """``π exp(Q/β) / Σ π exp(Q/β)``, where ``Q = β log k``."""
    return _normal(inputs["policy"] * inputs["multipliers"])


def _normal(table: Any) -> Any:
    return table / table.sum(-1, keepdims=True)


def entropy_gradient(inputs: Inputs) -> Any:
    """The gradient in the logits of the mean entropy over the rows that count: ``-π (log π + H)``, in floats."""
    policy, active = inputs["policy"], inputs["active"]
    surprise = -np.log(policy)
    return policy * (surprise - _mean(policy, surprise)) * active[:, None] / active.sum()


# --- slips ------------------------------------------------------------------------------------------------------------

NO_MASK = changing("unavailable actions keep their probability", lambda x: {"available": np.ones_like(x["available"])})
SHIFTED_MASK = changing(
    "the mask is shifted by one action", lambda x: {"available": _fitting(np.roll(x["available"], 1, -1))}
)


def _fitting(mask: Any) -> Any:
    return mask | ~mask.any(-1, keepdims=True)


def _ratio(inputs: Inputs) -> Any:
    return inputs["new"] / inputs["policy"]


REVERSED = changing("the KL divergence is reversed: KL(new‖old)", lambda x: {"policy": x["new"], "new": x["policy"]})


def _kl_slips(over: Any) -> tuple[Slip, ...]:
    """Slips of the KL divergence, whose rows ``over`` joins."""
    return (
        REVERSED,
        instead(
            "the KL divergence is unweighted: Σ log(old/new) without the probabilities",
            lambda x: over(-np.log(_ratio(x)).sum(-1), x),
        ),
        instead(
            "the estimate r - 1 - log r is summed over all actions without their probabilities, r = new/old",
            lambda x: over((_ratio(x) - 1 - np.log(_ratio(x))).sum(-1), x),
        ),
        instead(
            "the estimate r - 1 - log r is summed over all actions without their probabilities, r = old/new",
            lambda x: over((1 / _ratio(x) - 1 + np.log(_ratio(x))).sum(-1), x),
        ),
        instead("the mean over actions is taken, not the sum", lambda x: over(kl(x) / x["policy"].shape[-1], x)),
        instead(
            "cross-entropy: the entropy of the old policy is not subtracted",
            lambda x: over(-(x["policy"] * np.log(x["new"])).sum(-1), x),
        ),
        instead(
            "half of both directions together",
            lambda x: over((kl(x) + kl({"policy": x["new"], "new": x["policy"]})) / 2, x),
        ),
        instead(
            "the quadratic approximation E (log r)²/2",
            lambda x: over((x["policy"] * np.log(_ratio(x)) ** 2).sum(-1) / 2, x),
        ),
        instead("the logarithm has base 2", lambda x: over(kl(x) / np.log(2), x)),
    )


KL_SLIPS = _kl_slips(lambda table, _: table)
MEAN_KL_SLIPS = (
    *_kl_slips(lambda table, x: (x["weights"] * table).sum()),
    instead("the weights of the states are ignored: the plain mean", lambda x: kl(x).mean()),
    instead("the weights of the states are ignored: the plain sum", lambda x: kl(x).sum()),
)


def _expected(table: Any, inputs: Inputs) -> Any:
    return (inputs["policy"] * table).sum(-1)


ESTIMATE_SLIPS = (
    instead("the absolute value: |log r|", lambda x: _expected(np.abs(np.log(_ratio(x))), x)),
    instead("k2 = (log r)²/2 is biased", lambda x: _expected(np.log(_ratio(x)) ** 2 / 2, x)),
    instead("the estimate is one of KL(new‖old): log r", lambda x: _expected(np.log(_ratio(x)), x)),
    instead(
        "the ratio of k3 is upside down: 1/r - 1 + log r", lambda x: _expected(1 / _ratio(x) - 1 + np.log(_ratio(x)), x)
    ),
    instead(
        "r log r estimates KL(new‖old) from samples of the old policy",
        lambda x: _expected(_ratio(x) * np.log(_ratio(x)), x),
    ),
    instead(
        "k3 without its linear term: -log r is right alone, r - 1 has mean 0, (1 - r) log r has not",
        lambda x: _expected((1 - _ratio(x)) * np.log(_ratio(x)), x),
    ),
)
PROBABILITY_SLIPS = (
    NO_MASK,
    SHIFTED_MASK,
    instead("the mask is applied without normalising again", lambda x: np.where(x["available"], x["policy"], 0)),
    changing("the mask is turned round", lambda x: {"available": _fitting(~x["available"])}),
    changing(
        "the logits are multiplied by the mask: an unavailable action has the logit 0",
        lambda x: {
            "policy": np.where(x["available"], x["policy"] * np.exp(x["shift"]), 1),
            "available": np.ones_like(x["available"]),
        },
    ),
    changing(
        "an unavailable action's logit is only lowered by 10",
        lambda x: {
            "policy": np.where(x["available"], x["policy"], x["policy"] * np.exp(-10)),
            "available": np.ones_like(x["available"]),
        },
    ),
    instead("the temperature is squared: exp(2 logit)", lambda x: probabilities({**x, "policy": x["policy"] ** 2})),
)
LOG_PROB_SLIPS = (
    NO_MASK,
    SHIFTED_MASK,
    instead(
        "the action is off by one",
        lambda x: log_probs(
            {**x, "available": np.ones_like(x["available"]), "actions": (x["actions"] + 1) % x["policy"].shape[-1]}
        ),
    ),
    instead("probabilities, not their logarithms", lambda x: np.exp(log_probs(x))),
    instead(
        "the logits are not normalised",
        lambda x: np.log(x["policy"][np.arange(len(x["actions"])), x["actions"]]) + x["shift"][:, 0],
    ),
)
ENTROPY_SLIPS = (
    NO_MASK,
    SHIFTED_MASK,
    instead("the mean over actions is taken, not the sum", lambda x: entropy(x) / x["policy"].shape[-1]),
    instead("the mean over available actions is taken, not the sum", lambda x: entropy(x) / x["available"].sum(-1)),
    instead(
        "the probabilities are forgotten: -Σ log π",
        lambda x: -np.where(x["available"], np.log(probabilities(x) + ~x["available"]), 0).sum(-1),
    ),
    instead("the logarithm has base 2", lambda x: entropy(x) / np.log(2)),
)
ROW_WEIGHTS = changing("the weights of the states are ignored", lambda x: {"weights": 0 * x["weights"] + 1})
MEAN_WEIGHTS = changing(
    "the plain mean over states in place of the weights",
    lambda x: {"weights": 0 * x["weights"] + 1 / len(x["weights"])},
)
GRADIENT_SLIPS = (
    instead(
        "the mean term of the softmax Jacobian is forgotten: w π A",
        lambda x: x["weights"][:, None] * x["policy"] * x["advantages"],
    ),
    instead(
        "the mean term is not weighted by the policy",
        lambda x: x["weights"][:, None] * x["policy"] * _centred(x["advantages"]),
    ),
    instead("the factor π(a|s) is missing", lambda x: policy_gradient(x) / x["policy"]),
    instead(
        "the gradient is one in probabilities, not in logits: w A", lambda x: x["weights"][:, None] * x["advantages"]
    ),
    instead("π(a|s) enters twice", lambda x: policy_gradient(x) * x["policy"]),
    ROW_WEIGHTS,
    MEAN_WEIGHTS,
)
FISHER_SLIPS = (
    instead(
        "the mean term of the softmax Jacobian is forgotten: w π v",
        lambda x: x["weights"][:, None] * x["policy"] * x["vector"] + x["damping"] * x["vector"],
    ),
    instead(
        "the mean term is not weighted by the policy",
        lambda x: x["weights"][:, None] * x["policy"] * _centred(x["vector"]) + x["damping"] * x["vector"],
    ),
    instead(
        "the Jacobian of softmax enters once more (J² in place of J)",
        lambda x: _jacobian_twice(x) + x["damping"] * x["vector"],
    ),
    instead(
        "the Fisher matrix is not weighted by the policy: Σ_a ∇log π(a) ∇log π(a)ᵀ, from an unweighted KL",
        lambda x: _unweighted_fisher(x) + x["damping"] * x["vector"],
    ),
    Slip("a damping of 0.1 v is added", lambda formula, x: formula(x) + x["vector"] / 10),
    Slip("a damping of 0.01 v is added", lambda formula, x: formula(x) + x["vector"] / 100),
    changing("the damping is forgotten", lambda x: {"damping": 0 * x["damping"]}),
    ROW_WEIGHTS,
    MEAN_WEIGHTS,
)


def _unweighted_fisher(inputs: Inputs) -> Any:
    table = inputs["vector"] - _mean(inputs["policy"], inputs["vector"])
    return inputs["weights"][:, None] * (table - inputs["policy"] * table.sum(-1, keepdims=True))


def _jacobian_twice(inputs: Inputs) -> Any:
    once = {**inputs, "damping": 0 * inputs["damping"]}
    return fisher_vector_product({**once, "weights": 0 * inputs["weights"] + 1, "vector": fisher_vector_product(once)})


NATURAL_SLIPS = (
    instead("this is the ordinary gradient", lambda x: _centred(policy_gradient(x))),
    instead("the weights of the states stay in it", lambda x: _centred(x["weights"][:, None] * x["advantages"])),
    instead(
        "the factor π(a|s) stays in it", lambda x: _centred(policy_gradient({**x, "weights": 0 * x["weights"] + 1}))
    ),
    instead(
        "the inverse is that of the unweighted Fisher matrix without its mean term",
        lambda x: _centred(
            x["weights"][:, None] * (x["advantages"] - _mean(x["policy"], x["advantages"])) / x["policy"]
        ),
    ),
)
UPDATE_SLIPS = (
    instead(
        "β multiplies where it should divide: exp(βQ)",
        lambda x: _normal(x["policy"] * x["multipliers"] ** (x["beta"] ** 2)),
    ),
    instead("β is dropped: exp(Q)", lambda x: _normal(x["policy"] * x["multipliers"] ** x["beta"])),
    instead("the sign of Q is turned round", lambda x: _normal(x["policy"] / x["multipliers"])),
    instead("the old policy is forgotten: ∝ exp(Q/β)", lambda x: _normal(x["multipliers"])),
    instead(
        "the old policy is uniform: a plain softmax of π's logits is not multiplied",
        lambda x: _normal(x["policy"] + x["multipliers"]),
    ),
    instead("not normalised", lambda x: x["policy"] * x["multipliers"]),
    instead(
        "the first-order step π (1 + Q/β - E Q/β)",
        lambda x: x["policy"] * (1 + np.log(x["multipliers"]) - _mean(x["policy"], np.log(x["multipliers"]))),
    ),
    instead("the policy does not move", lambda x: x["policy"]),
)

# --- hooks ------------------------------------------------------------------------------------------------------------


def _all_available(inputs: Inputs) -> dict[str, Any]:
    return {"available": np.ones_like(inputs["available"])}


def _plain_mean(inputs: Inputs) -> dict[str, Any]:
    return {"weights": (0 * inputs["weights"] + 1) / len(inputs["weights"])}


LOGITS = Argument(
    "logits", "[S, A]", "logits of the policy, not normalised", lambda x: np.log(x["policy"]) + x["shift"]
)
POLICY = Argument("policy", "[S, A]", "the policy's probabilities")
AVAILABLE = Argument(
    "available", "[S, A], bool", "which actions there are; all of them if not named", None, _all_available
)
WEIGHTS = Argument(
    "weights", "[S]", "how much each state counts; they sum to 1; each is 1/S if not named", None, _plain_mean
)
PAIR = (
    Argument("old", "[S, A]", "probabilities of the old policy", lambda x: x["policy"]),
    Argument("new", "[S, A]", "probabilities of the new policy"),
    Argument("old_log_probs", "[S, A]", "their logarithms, old", lambda x: np.log(x["policy"])),
    Argument("new_log_probs", "[S, A]", "their logarithms, new", lambda x: np.log(x["new"])),
    Argument("old_logits", "[S, A]", "logits, not normalised, old", lambda x: np.log(x["policy"]) + x["shift"]),
    Argument("new_logits", "[S, A]", "logits, not normalised, new", lambda x: np.log(x["new"]) - x["shift"]),
)
OLD_AND_NEW = (("old", "old_log_probs", "old_logits"), ("new", "new_log_probs", "new_logits"))
EITHER = (("logits", "policy"),)
GRADIENT_ARGUMENTS = (LOGITS, POLICY, Argument("advantages", "[S, A]", "advantages, not centred"), WEIGHTS)

CHECKS = (
    Check(
        "probabilities",
        "probabilities",
        "[S, A]",
        "π(a|s) = exp(logit) / Σ exp(logit) over the available actions, 0 elsewhere",
        "Huang and Ontañón 2022, A closer look at invalid action masking",
        (LOGITS, AVAILABLE),
        probabilities,
        cases_of,
        PROBABILITY_SLIPS,
        (("logits",),),
        uses=("policy", "shift", "available"),
    ),
    Check(
        "log_probs",
        "log-probabilities of the actions taken",
        "[S]",
        "log π(a_s|s) with π the softmax over the available actions",
        "the definition of softmax",
        (LOGITS, Argument("actions", "[S], int", "one available action per row"), AVAILABLE),
        log_probs,
        cases_of,
        LOG_PROB_SLIPS,
        (("logits",), ("actions",)),
        uses=("policy", "shift", "available", "actions"),
    ),
    Check(
        "entropy",
        "entropies, in nats",
        "[S]",
        "-Σ_a π(a|s) log π(a|s) with π the softmax over the available actions",
        "Shannon 1948",
        (LOGITS, AVAILABLE),
        entropy,
        cases_of,
        ENTROPY_SLIPS,
        (("logits",),),
        uses=("policy", "shift", "available"),
    ),
    Check(
        "kl",
        "KL divergence of each row, in nats",
        "[S]",
        "KL(old‖new) = Σ_a old(a|s) log(old(a|s)/new(a|s))",
        "Kullback and Leibler 1951; Schulman et al. 2015, TRPO, (12)",
        PAIR,
        kl,
        cases_of,
        KL_SLIPS,
        OLD_AND_NEW,
        uses=("policy", "new", "shift"),
    ),
    Check(
        "mean_kl",
        "average KL divergence",
        "number",
        "Σ_s w(s) KL(old‖new)(s)",
        "Schulman et al. 2015, TRPO, (12)",
        (*PAIR, WEIGHTS),
        mean_kl,
        cases_of,
        MEAN_KL_SLIPS,
        OLD_AND_NEW,
        uses=("policy", "new", "shift", "weights"),
    ),
    Check(
        "kl_estimate",
        "an estimate of KL(old‖new) from each sample of the old policy",
        "[S, A], column a for the sample a",
        "E_{a ~ old} estimate(a) = KL(old‖new), as k1 = -log r and k3 = r - 1 - log r do, r = new/old",
        "Schulman 2020, Approximating KL divergence",
        (PAIR[2], PAIR[3]),
        kl,
        cases_of,
        ESTIMATE_SLIPS,
        (("old_log_probs",), ("new_log_probs",)),
        reduce=_expected,
        uses=("policy", "new", "shift"),
    ),
    Check(
        "policy_gradient",
        "gradient in the logits",
        "[S, A]",
        "∂/∂ℓ(s,a) Σ_s w(s) Σ_a π(a|s) A(s,a) = w(s) π(a|s) (A(s,a) - Σ_b π(b|s) A(s,b)), A held fixed",
        "Sutton et al. 2000, the policy gradient theorem, for softmax",
        GRADIENT_ARGUMENTS,
        policy_gradient,
        cases_of,
        GRADIENT_SLIPS,
        (*EITHER, ("advantages",)),
        uses=("policy", "shift", "advantages", "weights"),
    ),
    Check(
        "fisher_vector_product",
        "F v in the logits",
        "[S, A]",
        "(F v)(s,a) = w(s) π(a|s) (v(s,a) - Σ_b π(b|s) v(s,b)) + damping v(s,a), F the Hessian of Σ_s w(s) KL(old‖new)(s)",
        "Kakade 2001; Schulman et al. 2015, TRPO, appendix C",
        (
            LOGITS,
            POLICY,
            Argument("vector", "[S, A]", "v, not centred"),
            WEIGHTS,
            Argument("damping", "number", "0 if not named", None, lambda x: {"damping": 0 * x["damping"]}),
        ),
        fisher_vector_product,
        cases_of,
        FISHER_SLIPS,
        (*EITHER, ("vector",)),
        uses=("policy", "shift", "vector", "weights", "damping"),
    ),
    Check(
        "natural_gradient",
        "the natural gradient in the logits",
        "[S, A], up to a constant in each row",
        "F x = ∇ has the solutions x(s,a) = A(s,a) + c(s); rows are compared without their mean",
        "Kakade 2001; Agarwal et al. 2021, Lemma 5.1",
        GRADIENT_ARGUMENTS,
        natural_gradient,
        cases_of,
        NATURAL_SLIPS,
        (*EITHER, ("advantages",)),
        reduce=lambda found, _: _centred(found),
        uses=("policy", "shift", "advantages", "weights"),
    ),
    Check(
        "update",
        "the KL-regularised update",
        "[S, A], probabilities",
        "π⁺(a|s) = π(a|s) exp(Q(s,a)/β) / Σ_b π(b|s) exp(Q(s,b)/β), the maximum of ⟨Q, q⟩ - β KL(q‖π)",
        "mirror descent; Proposition 4.2 of the paper",
        (
            LOGITS,
            POLICY,
            Argument("values", "[S, A]", "Q, not centred", lambda x: x["beta"] * np.log(x["multipliers"])),
            Argument("beta", "number", "β"),
        ),
        update,
        cases_of,
        UPDATE_SLIPS,
        (*EITHER, ("values",), ("beta",)),
        uses=("policy", "shift", "multipliers", "beta"),
    ),
)
"""The hooks of :class:`~mappo_verify.conformance.suites.PolicyTests`."""
