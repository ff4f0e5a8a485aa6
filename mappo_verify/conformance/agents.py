"""Several agents: the sequential factor, whose advantage it is, COMA's baseline, Nash gaps; and values and visits of small games.

Agents are counted from 0 here, as library code counts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from ..arithmetic import identity, largest, log, maximum, solve
from .check import Argument, Case, Check, Inputs, Slip, changing, exact, instead
from .policies import rows

# --- the sequential factor --------------------------------------------------------------------------------------------

ORDERS = ((0, 1), (1, 0), (0, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0), (3, 1, 0, 2))


def _order_cases(generator: np.random.Generator) -> Iterator[Case]:
    for order in ORDERS:
        shape = (1 if len(order) == 2 else 3, len(order))
        old = exact(generator.choice([1, 2, 3, 5, 7], shape)) / 8
        yield Case(
            f"order {order}",
            {"new_probs": old * exact(generator.choice([3, 5, 7, 9, 12], shape)) / 8, "old_probs": old, "order": order},
        )


def _factors(inputs: Inputs, who: Any = None) -> Any:
    """The product over the agents before; ``who(order, k)`` says which those are for the k-th."""
    who = (lambda order, k: order[:k]) if who is None else who
    ratios, order = _ratios(inputs), inputs["order"]
    result = 0 * ratios + 1
    for k, agent in enumerate(order):
        for other in who(order, k):
            result[:, agent] = result[:, agent] * ratios[:, other]
    return result


def sequential_factor(inputs: Inputs) -> Any:
    """``Π_{j before i} new^j/old^j``."""
    return _factors(inputs)


def _ratios(inputs: Inputs) -> Any:
    return inputs["new_probs"] / inputs["old_probs"]


def _sums(inputs: Inputs) -> Any:
    ratios, order = _ratios(inputs), inputs["order"]
    result = 0 * ratios + 1
    for k, agent in enumerate(order[1:], start=1):
        result[:, agent] = ratios[:, list(order[:k])].sum(-1)
    return result


def _logarithms(inputs: Inputs) -> Any:
    return np.log(_factors(inputs))


def _by_position(inputs: Inputs) -> Any:
    return _factors(inputs)[:, list(inputs["order"])]


FACTOR_SLIPS = (
    changing(
        "the ratios are upside down: old/new", lambda x: {"new_probs": x["old_probs"], "old_probs": x["new_probs"]}
    ),
    changing("the order of the agents is ignored: 0, 1, 2, ...", lambda x: {"order": tuple(range(len(x["order"])))}),
    changing("the order of the agents is reversed", lambda x: {"order": x["order"][::-1]}),
    changing(
        "the order is read as a ranking (the inverse permutation)", lambda x: {"order": tuple(np.argsort(x["order"]))}
    ),
    instead("the agent's own ratio is in its factor", lambda x: _factors(x, lambda order, k: order[: k + 1])),
    instead(
        "the factor is stale: the ratio of the agent just updated is missing",
        lambda x: _factors(x, lambda order, k: order[: max(k - 1, 0)]),
    ),
    instead(
        "only the agent just before counts, not all before it",
        lambda x: _factors(x, lambda order, k: order[max(k - 1, 0) : k]),
    ),
    instead(
        "all other agents are in it, also those that come later",
        lambda x: _factors(x, lambda order, k: order[:k] + order[k + 1 :]),
    ),
    instead(
        "the agents that come later are in it, not those before", lambda x: _factors(x, lambda order, k: order[k + 1 :])
    ),
    instead("the factor is forgotten: 1", lambda x: _factors(x, lambda *_: ())),
    changing("the ratios are averaged over the samples", lambda x: {"new_probs": x["old_probs"] * _ratios(x).mean(0)}),
    changing(
        "each ratio is clipped to 0.8 ... 1.2 before it enters",
        lambda x: {"new_probs": x["old_probs"] * np.clip(_ratios(x), 0.8, 1.2)},
    ),
    instead("the ratios are added, not multiplied", _sums),
    instead("the logarithm is not exponentiated", _logarithms),
    instead("column k belongs to the k-th agent in the order, not to agent k", _by_position),
)

# --- the joint action ---------------------------------------------------------------------------------------------------


def _joint_cases(generator: np.random.Generator) -> Iterator[Case]:
    """Two and three agents with unequal action sets, near-deterministic ones among them."""
    for sizes in ((2, 2), (2, 3), (4, 2, 3)):
        states = len(sizes)
        policies = [rows(generator, states, size, near=k == 1) for k, size in enumerate(sizes)]
        taken = np.array([generator.integers(size, size=states) for size in sizes]).T
        shifts = generator.integers(-3, 4, (states, 1)).astype(float)
        yield Case(f"{len(sizes)} agents, actions {sizes}", {"policies": policies, "actions": taken, "shift": shifts})


def _own(inputs: Inputs) -> Any:
    """The probability of each agent's own action, ``[S, N]``."""
    if "own" in inputs:
        return inputs["own"]
    pairs = zip(inputs["policies"], inputs["actions"].T, strict=True)
    return np.array([policy[np.arange(len(taken)), taken] for policy, taken in pairs]).T


def joint_log_probs(inputs: Inputs) -> Any:
    """``Σ_i log π^i(a^i|s)``."""
    return log(_own(inputs).prod(-1))


JOINT_SLIPS = (
    instead("the mean over the agents, not the sum", lambda x: np.log(_own(x)).mean(-1)),
    instead("the logarithms are multiplied, not added", lambda x: np.log(_own(x)).prod(-1)),
    instead("the probabilities are added: log Σ π", lambda x: np.log(_own(x).sum(-1))),
    instead("probabilities, not their logarithms", lambda x: _own(x).prod(-1)),
    instead("the log-probability of the first agent alone", lambda x: np.log(_own(x)[:, 0])),
    instead("the log-probability of the last agent alone", lambda x: np.log(_own(x)[:, -1])),
    instead("the last agent is left out", lambda x: np.log(_own(x)[:, :-1].prod(-1))),
)

# --- advantages of agents ---------------------------------------------------------------------------------------------


def _q_cases(generator: np.random.Generator) -> Iterator[Case]:
    """Tables of joint values with unequal action sets, near-deterministic policies among them."""
    for sizes, given, agent in (
        ((2, 2), (), 0),
        ((2, 2), (0,), 1),
        ((2, 3), (1,), 0),
        ((3, 2), (), 1),
        ((2, 3, 2), (2,), 0),
        ((2, 3, 2), (0, 2), 1),
        ((3, 2, 2), (1,), 2),
    ):
        states = 1 if len(sizes) == 2 else 2
        numbers = generator.choice([-9, -5, -4, -1, 1, 2, 3, 7, 11, 16], (states, *sizes))
        policies = [rows(generator, states, size, near=len(sizes) == 3 and k == 0) for k, size in enumerate(sizes)]
        yield Case(
            f"actions {sizes}, agent {agent} given {given or 'no other agent'}",
            {"q": exact(numbers) / 2, "policies": policies, "given": given, "agent": agent},
        )


def _averaged(inputs: Inputs, kept: Any, policies: Any = None) -> Any:
    """``E Q`` over the agents that are not kept, each averaged out by its own policy; their axes stay, with length 1."""
    table, policies = inputs["q"], inputs["policies"] if policies is None else policies
    for k, policy in enumerate(policies):
        if k not in kept:
            shape = [1] * table.ndim
            shape[0], shape[k + 1] = policy.shape
            table = (table * policy.reshape(shape)).sum(k + 1, keepdims=True)
    return table


def advantage(inputs: Inputs) -> Any:
    """``E[Q | a^given, a^agent] - E[Q | a^given]``."""
    known = inputs["given"]
    return _averaged(inputs, (*known, inputs["agent"])) - _averaged(inputs, known)


def counterfactual_advantage(inputs: Inputs) -> Any:
    """``Q(s, a) - Σ_b π^i(b|s) Q(s, (a^{-i}, b))``."""
    others = [k for k in range(len(inputs["policies"])) if k != inputs["agent"]]
    return inputs["q"] - _averaged(inputs, others)


def _even(inputs: Inputs) -> Any:
    return [0 * policy + 1 / policy.shape[-1] for policy in inputs["policies"]]


def _shaped(table: Any, inputs: Inputs) -> Any:
    known = {*inputs["given"], inputs["agent"]}
    wanted = [size if k in known else 1 for k, size in enumerate(inputs["q"].shape[1:])]
    return np.broadcast_to(table, (len(table), *wanted))


def _own_even(inputs: Inputs) -> Any:
    policies = [*inputs["policies"]]
    policies[inputs["agent"]] = _even(inputs)[inputs["agent"]]
    return policies


ADVANTAGE_SLIPS = (
    instead(
        "the state's value is subtracted, not that of the agents before",
        lambda x: _averaged(x, (*x["given"], x["agent"])) - _averaged(x, ()),
    ),
    instead(
        "the agents before are averaged out: the advantage of an agent depends on no other agent",
        lambda x: _shaped(_averaged(x, (x["agent"],)) - _averaged(x, ()), x),
    ),
    instead(
        "the agents before are averaged out in the first term only",
        lambda x: _shaped(_averaged(x, (x["agent"],)) - _averaged(x, x["given"]), x),
    ),
    instead("this is a value: nothing is subtracted", lambda x: _averaged(x, (*x["given"], x["agent"]))),
    instead(
        "the others are averaged evenly, not by their policies",
        lambda x: _averaged(x, (*x["given"], x["agent"]), _even(x)) - _averaged(x, x["given"], _even(x)),
    ),
    instead(
        "the baseline averages the agent evenly, not by its policy",
        lambda x: _averaged(x, (*x["given"], x["agent"])) - _averaged(x, x["given"], _own_even(x)),
    ),
)


def _baseline(inputs: Inputs, agent: int, policies: Any = None) -> Any:
    return _averaged(inputs, [k for k in range(len(inputs["policies"])) if k != agent], policies)


COMA_SLIPS = (
    instead("the baseline is the value of the state: all agents are averaged out", lambda x: x["q"] - _averaged(x, ())),
    instead(
        "the baseline averages the agent evenly, not by its policy",
        lambda x: x["q"] - _baseline(x, x["agent"], _even(x)),
    ),
    instead("the baseline averages the others out, not the agent", lambda x: x["q"] - _averaged(x, (x["agent"],))),
    instead(
        "another agent's action is averaged out", lambda x: x["q"] - _baseline(x, (x["agent"] + 1) % len(x["policies"]))
    ),
    instead("the baseline is the best action's value", lambda x: x["q"] - x["q"].max(x["agent"] + 1, keepdims=True)),
    instead("this is a value: nothing is subtracted", lambda x: x["q"] + 0),
)

# --- Nash gaps --------------------------------------------------------------------------------------------------------


def nash_gaps(inputs: Inputs) -> Any:
    """What each agent could gain alone, in state 0."""
    value = _averaged(inputs, ()).ravel()[0]
    gaps = [largest(_averaged(inputs, (k,))[0].ravel()) - value for k in range(len(inputs["policies"]))]
    return np.array([np.asarray(gap)[()] for gap in gaps])


def _gap_cases(generator: np.random.Generator) -> Iterator[Case]:
    for case in _q_cases(generator):
        inputs = {"q": case.inputs["q"][:1], "policies": [policy[:1] for policy in case.inputs["policies"]]}
        yield Case(f"payoffs of shape {inputs['q'].shape[1:]}", inputs)


GAP_SLIPS = (
    instead(
        "the best joint action is compared with: agents deviate together",
        lambda x: np.full(len(x["policies"]), x["q"].max()) - _averaged(x, ()).ravel(),
    ),
    instead("the others play evenly", lambda x: nash_gaps({**x, "policies": _even(x)})),
    instead(
        "this is the best response's value: the policy's is not subtracted",
        lambda x: nash_gaps(x) + _averaged(x, ()).ravel(),
    ),
    instead("the sum over the agents stands for each", lambda x: 0 * nash_gaps(x) + nash_gaps(x).sum()),
    instead("the mean over the agents stands for each", lambda x: 0 * nash_gaps(x) + nash_gaps(x).mean()),
)

# --- games of one agent -----------------------------------------------------------------------------------------------


def _game_cases(generator: np.random.Generator) -> Iterator[Case]:
    """Small decision processes that may terminate, uncentred rewards, a start that is not even."""
    for number, (states, actions) in enumerate(((1, 2), (2, 2), (2, 3), (3, 2), (3, 3))):
        for ends in (False, True):
            weights = generator.integers(0, 6, (states, actions, states + 1))
            weights[..., -1] = weights[..., -1] + 1 if ends else 0
            weights[..., 0] += weights.sum(-1) == 0
            table = exact(weights)
            start = exact(generator.integers(1, 7, states) ** 2)
            yield Case(
                f"{states} states, {actions} actions" + (", may terminate" if ends else ""),
                {
                    "transition": (table / table.sum(-1, keepdims=True))[..., :-1],
                    "reward": exact(generator.choice([-7, -3, 2, 5, 8, 11], (states, actions))) / 2,
                    "discount": exact((Fraction(1, 2), Fraction(3, 4), Fraction(9, 10))[number % 3])[()],
                    "policy": rows(generator, states, actions, near=number == 3),
                    "start": start / start.sum(),
                },
            )


def _chain(inputs: Inputs) -> Any:
    return (inputs["policy"][..., None] * inputs["transition"]).sum(1)


def _bellman(inputs: Inputs) -> Any:
    chain = _chain(inputs)
    return identity(len(chain), chain) - inputs["discount"] * chain


def state_values(inputs: Inputs) -> Any:
    """``(I - γ P_π)⁻¹ r_π``."""
    return solve(_bellman(inputs), (inputs["policy"] * inputs["reward"]).sum(-1)[:, None])[:, 0]


def action_values(inputs: Inputs) -> Any:
    """``r + γ P V_π``."""
    return inputs["reward"] + inputs["discount"] * (inputs["transition"] * state_values(inputs)).sum(-1)


def visits(inputs: Inputs) -> Any:
    """``ρᵀ (I - γ P_π)⁻¹``: expected discounted visits, not normalised."""
    return solve(_bellman(inputs).T, inputs["start"][:, None])[:, 0]


def optimal_values(inputs: Inputs) -> Any:
    """``max_π V_π`` over the deterministic policies."""
    states, actions = inputs["reward"].shape
    best = None
    for choice in product(range(actions), repeat=states):
        policy = np.eye(actions, dtype=int)[list(choice)] + 0 * inputs["reward"]
        value = state_values({**inputs, "policy": policy})
        best = value if best is None else maximum(best, value)
    return best


def _renormalised(inputs: Inputs) -> dict[str, Any]:
    mass = inputs["transition"].sum(-1, keepdims=True)
    return {"transition": inputs["transition"] / (mass + (mass == 0))}


GAME_SLIPS = (
    changing("γ is squared", lambda x: {"discount": x["discount"] ** 2}),
    changing("termination is ignored: the next states' probabilities are normalised", _renormalised),
    changing("the transitions are transposed", lambda x: {"transition": np.swapaxes(x["transition"], 0, 2)}),
)
VALUE_SLIPS = (
    Slip("the reward is discounted, too", lambda formula, x: x["discount"] * formula(x)),
    Slip("the average reward: multiplied by 1 - γ", lambda formula, x: (1 - x["discount"]) * formula(x)),
    changing("the policy is taken to be even", lambda x: {"policy": 0 * x["policy"] + 1 / x["policy"].shape[-1]}),
    *GAME_SLIPS[:2],
)
TRANSITION = Argument("transition", "[S, A, S]", "P(s'|s, a); what a row lacks to 1 is termination")
REWARD = Argument("reward", "[S, A]", "r(s, a)")
DISCOUNT = Argument("discount", "number", "γ")
ONE_POLICY = Argument("policy", "[S, A]", "π(a|s)")
Q = Argument("q", "[S, A_0, ..., A_{N-1}]", "joint action values")
POLICIES = Argument("policies", "list of [S, A_i]", "one policy per agent")
AGENT = Argument("agent", "int", "whose advantage, counted from 0")
MODEL = (TRANSITION, REWARD, DISCOUNT)
NEEDED = (("transition",), ("reward",), ("discount",))

CHECKS = (
    Check(
        "sequential_factor",
        "the factor with which each agent's advantages are weighted",
        "[T, N], column i for agent i",
        "M^i_t = Π_{j before i in the order} new^j(a^j_t|s_t)/old^j(a^j_t|s_t); 1 for the first agent",
        "Kuba et al. 2022, Trust region policy optimisation in MARL, Proposition 3 and Algorithm 4 (HAPPO)",
        (
            Argument(
                "new_log_probs",
                "[T, N]",
                "log-probability of each agent's action after its update",
                lambda x: np.log(x["new_probs"]),
            ),
            Argument("old_log_probs", "[T, N]", "the same before its update", lambda x: np.log(x["old_probs"])),
            Argument("new_probs", "[T, N]", "probabilities, after"),
            Argument("old_probs", "[T, N]", "probabilities, before"),
            Argument("ratios", "[T, N]", "new/old", lambda x: x["new_probs"] / x["old_probs"]),
            Argument("order", "tuple of N ints", "order[k] is the agent updated k-th, counted from 0"),
        ),
        sequential_factor,
        _order_cases,
        FACTOR_SLIPS,
        (("new_log_probs", "new_probs", "ratios"), ("order",)),
    ),
    Check(
        "joint_log_probs",
        "log-probability of the joint action",
        "[S]",
        "log π(a|s) = Σ_i log π^i(a^i|s), the agents acting independently of each other",
        "Yu et al. 2022, MAPPO; Lowe et al. 2017",
        (
            Argument("log_probs", "[S, N]", "log-probability of each agent's action", lambda x: np.log(_own(x))),
            Argument(
                "logits",
                "list of [S, A_i]",
                "logits of each agent's policy, not normalised",
                lambda x: [np.log(policy) + x["shift"] for policy in x["policies"]],
            ),
            Argument("actions", "[S, N], int", "each agent's action"),
        ),
        joint_log_probs,
        _joint_cases,
        JOINT_SLIPS,
        (("log_probs", "logits"),),
    ),
    Check(
        "advantage",
        "advantage of one agent over those whose actions are known",
        "[S, A_0 or 1, ..., A_{N-1} or 1]: length 1 where an agent is averaged out",
        "A^i(s, a^given, a^i) = E[Q | a^given, a^i] - E[Q | a^given], the others drawn from their policies",
        "Kuba et al. 2022, Definition 1; Definition 3.1 of the paper",
        (Q, POLICIES, Argument("given", "tuple of ints", "the agents whose actions are known"), AGENT),
        advantage,
        _q_cases,
        ADVANTAGE_SLIPS,
        (("q",), ("policies",), ("given",), ("agent",)),
    ),
    Check(
        "counterfactual_advantage",
        "COMA's advantage of one agent",
        "[S, A_0, ..., A_{N-1}]",
        "A^i(s, a) = Q(s, a) - Σ_b π^i(b|s) Q(s, (a^{-i}, b))",
        "Foerster et al. 2018, COMA, (4)",
        (Q, POLICIES, AGENT),
        counterfactual_advantage,
        _q_cases,
        COMA_SLIPS,
        (("q",), ("policies",), ("agent",)),
    ),
    Check(
        "nash_gaps",
        "what each agent could gain alone",
        "[N]",
        "gap_i = max_{a^i} E_{a^{-i}} r(a) - E_a r(a)",
        "Nash 1951; Lanctot et al. 2017 (NashConv is their sum)",
        (
            Argument(
                "payoff", "[A_0, ..., A_{N-1}]", "the reward of all agents for a joint action", lambda x: x["q"][0]
            ),
            Argument(
                "policies",
                "list of [A_i]",
                "one distribution per agent",
                lambda x: [policy[0] for policy in x["policies"]],
            ),
        ),
        nash_gaps,
        _gap_cases,
        GAP_SLIPS,
        (("payoff",), ("policies",)),
    ),
    Check(
        "state_values",
        "values of a policy",
        "[S]",
        "V = (I - γ P_π)⁻¹ r_π",
        "Bellman 1957",
        (*MODEL, ONE_POLICY),
        state_values,
        _game_cases,
        VALUE_SLIPS,
        (*NEEDED, ("policy",)),
    ),
    Check(
        "action_values",
        "action values of a policy",
        "[S, A]",
        "Q = r + γ P V_π",
        "Bellman 1957",
        (*MODEL, ONE_POLICY),
        action_values,
        _game_cases,
        (
            instead(
                "γ is missing before the next value",
                lambda x: x["reward"] + (x["transition"] * state_values(x)).sum(-1),
            ),
            instead("these are advantages: V is subtracted", lambda x: action_values(x) - state_values(x)[:, None]),
            *GAME_SLIPS[:2],
        ),
        (*NEEDED, ("policy",)),
    ),
    Check(
        "visits",
        "expected discounted visits, not normalised",
        "[S]",
        "d = ρᵀ (I - γ P_π)⁻¹ = Σ_t γ^t P(s_t = s)",
        "Sutton et al. 2000",
        (TRANSITION, DISCOUNT, ONE_POLICY, Argument("start", "[S]", "ρ, how the first state is drawn")),
        visits,
        _game_cases,
        (
            instead("multiplied by 1 - γ", lambda x: (1 - x["discount"]) * visits(x)),
            instead("normalised to sum to 1", lambda x: visits(x) / visits(x).sum()),
            instead("one step late: the first state is not counted", lambda x: visits(x) - x["start"]),
            changing("the start is taken to be even", lambda x: {"start": 0 * x["start"] + 1 / len(x["start"])}),
            *GAME_SLIPS,
        ),
        (("transition",), ("discount",), ("policy",), ("start",)),
    ),
    Check(
        "optimal_values",
        "optimal values",
        "[S]",
        "V*(s) = max_π V_π(s)",
        "Bellman 1957",
        MODEL,
        optimal_values,
        _game_cases,
        (*VALUE_SLIPS[:2], *GAME_SLIPS[:2], instead("one step only: max_a r(s, a)", lambda x: x["reward"].max(-1))),
        NEEDED,
    ),
)
"""The hooks of :class:`~mappo_verify.conformance.suites.AgentTests` and :class:`~mappo_verify.conformance.suites.GameTests`."""
