"""Losses on samples: the clipped surrogate of one agent and of a team, its gradient in the logits, the clipped critic loss.

All are written to be maximised, but for the critic's loss.  ``factor`` is the sequential factor of heterogeneous-agent methods
(:mod:`.agents`), ``active`` says which samples count.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from ..arithmetic import maximum, minimum, square
from .check import Argument, Case, Check, Inputs, Slip, changing, exact, instead
from .policies import entropy_gradient, rows
from .trajectories import standardised

# --- inputs -----------------------------------------------------------------------------------------------------------

RATIOS = ((3, 2), (1, 2), (1, 1), (17, 16), (6, 1), (15, 16))
FACTORS = (2, 3, 4, 6, 8, 11)
"""Of fifths, so that no factor puts a ratio on the edge of a clip range, where a gradient is anybody's choice."""


def cases_of(generator: np.random.Generator) -> Iterator[Case]:
    """Ratios on either side of the clip range and inside it, advantages of both signs, samples that do not count."""
    for count, actions in ((1, 2), (1, 3), (2, 2), (4, 3), (12, 3)):
        for near in (False, True):
            policy = rows(generator, count, actions, near)
            taken = generator.integers(actions, size=count)
            ratios = exact([Fraction(*RATIOS[(k + count) % 6]) for k in range(count)])
            chosen = policy[np.arange(count), taken]
            active = generator.random(count) < 0.6
            active[0] = True
            signs = np.array([1 if k // 6 % 2 == (k + near) % 2 else -1 for k in range(count)])
            yield Case(
                f"{count} samples, {actions} actions" + (", near-deterministic policies" if near else ""),
                {
                    "policy": policy,
                    "shift": generator.integers(-3, 4, (count, 1)).astype(float),
                    "actions": taken,
                    "old_probs": chosen / ratios,
                    "advantages": exact(signs * generator.integers(1, 20, count)) / 4,
                    "epsilon": exact(Fraction(1, 4) if near else Fraction(1, 8))[()],
                    "factor": exact(generator.choice(FACTORS, count)) / 5,
                    "active": active,
                    "values": exact(generator.integers(-20, 20, count)) / 2,
                    "old_values": exact(generator.integers(-20, 20, count)) / 2,
                    "returns": exact(generator.integers(-20, 20, count)) / 2,
                },
            )


def team_cases_of(generator: np.random.Generator) -> Iterator[Case]:
    """The same for several agents, of whom not all count in every sample."""
    for count, agents in ((1, 2), (2, 2), (4, 3), (8, 3)):
        shape, cells = (count, agents), count * agents
        ratios = exact([Fraction(*RATIOS[(k + count) % 6]) for k in range(cells)]).reshape(shape)
        old = exact(generator.integers(1, 4, shape)) / 32
        active = generator.random(shape) < 0.6
        active[:, 0], active[0], active[-1, -1] = True, True, count == 1
        signs = np.array([1 if k // 6 % 2 else -1 for k in range(cells)]).reshape(shape)
        yield Case(
            f"{count} samples of {agents} agents",
            {
                "new_probs": old * ratios,
                "old_probs": old,
                "advantages": exact(signs * generator.integers(1, 20, shape)) / 4,
                "epsilon": exact(Fraction(1, 4) if agents == 2 else Fraction(1, 8))[()],
                "factor": exact(generator.choice(FACTORS, shape)) / 5,
                "active": active,
            },
        )


# --- formulas ---------------------------------------------------------------------------------------------------------


def _chosen(inputs: Inputs) -> Any:
    """The new probability of the action taken."""
    if "new_probs" in inputs:
        return inputs["new_probs"]
    return inputs["policy"][np.arange(len(inputs["actions"])), inputs["actions"]]


def ratios_of(inputs: Inputs) -> Any:
    """``new/old`` of the action taken."""
    return _chosen(inputs) / inputs["old_probs"]


def clipped(ratios: Any, epsilon: Any) -> Any:
    """``clip(ratio, 1 - ε, 1 + ε)``."""
    one = 0 * ratios + 1
    return minimum(maximum(ratios, one - epsilon), one + epsilon)


def average(table: Any, inputs: Inputs) -> Any:
    """The mean over the samples that count."""
    return np.where(inputs["active"], table, 0 * table).sum() / int(inputs["active"].sum())


def surrogate(inputs: Inputs) -> Any:
    """The mean of ``factor · min(r A, clip(r) A)``."""
    ratios, gains = ratios_of(inputs), inputs["advantages"]
    return average(inputs["factor"] * minimum(ratios * gains, clipped(ratios, inputs["epsilon"]) * gains), inputs)


def _score(inputs: Inputs, coefficient: Any, mean_term: bool = True) -> Any:
    """``Σ coefficient ∂ log π(a)/∂ℓ``, divided by how many samples count."""
    policy = inputs["policy"]
    taken = np.eye(policy.shape[-1], dtype=int)[inputs["actions"]]
    kept = np.where(inputs["active"], coefficient, 0 * coefficient) / int(inputs["active"].sum())
    return kept[:, None] * (taken - policy if mean_term else taken + 0 * policy)


def _slope(inputs: Inputs, open_: Any) -> Any:
    slope = inputs["factor"] * ratios_of(inputs) * inputs["advantages"]
    return np.where(np.asarray(open_, bool), slope, 0 * slope)


def _unclipped(inputs: Inputs) -> Any:
    ratios, up = ratios_of(inputs), np.asarray(inputs["advantages"] > 0, bool)
    return np.where(up, ratios < 1 + inputs["epsilon"], ratios > 1 - inputs["epsilon"])


def _inside(inputs: Inputs) -> Any:
    ratios = ratios_of(inputs)
    return np.asarray(ratios < 1 + inputs["epsilon"], bool) & np.asarray(ratios > 1 - inputs["epsilon"], bool)


def clipped_gradient(inputs: Inputs) -> Any:
    """``factor r A (1[b = a] - π(b))`` where clipping does not hold the sample, else 0."""
    return _score(inputs, _slope(inputs, _unclipped(inputs)))


def value_loss(inputs: Inputs) -> Any:
    """The mean of ``max((v - R)², (v_clip - R)²)``, ``v_clip`` within ε of the old value."""
    return average(
        maximum(square(inputs["values"] - inputs["returns"]), square(_near(inputs) - inputs["returns"])), inputs
    )


def _near(inputs: Inputs) -> Any:
    epsilon = inputs["epsilon"] + 0 * inputs["values"]
    return inputs["old_values"] + maximum(minimum(inputs["values"] - inputs["old_values"], epsilon), -epsilon)


# --- slips ------------------------------------------------------------------------------------------------------------

ALL_ACTIVE = changing("samples that do not count are counted", lambda x: {"active": np.ones_like(x["active"])})
NO_FACTOR = changing("the sequential factor is missing", lambda x: {"factor": 0 * x["factor"] + 1})
SAMPLES = (
    NO_FACTOR,
    changing("the sequential factor is upside down", lambda x: {"factor": 1 / x["factor"]}),
    changing("the ratio is upside down: old/new", lambda x: {"old_probs": _chosen(x) ** 2 / x["old_probs"]}),
    changing("the policy ratio is missing: r = 1", lambda x: {"old_probs": _chosen(x)}),
    ALL_ACTIVE,
    Slip("the sum over samples, not the mean", lambda formula, x: formula(x) * x["active"].sum()),
    Slip(
        "divided by all samples, not by those that count",
        lambda formula, x: formula(x) * x["active"].sum() / x["active"].size,
    ),
)


def _normalising(less: int) -> tuple[Slip, ...]:
    """Advantages normalised before the factor meets them, over all samples or those that count, or after it."""
    name = "the advantages are normalised" + (" by the unbiased standard deviation" if less else "")
    return (
        changing(name, lambda x: {"advantages": standardised(x["advantages"], less=less)}),
        changing(
            f"{name} over the samples that count",
            lambda x: {"advantages": standardised(x["advantages"], x["active"], less)},
        ),
        changing(
            f"{name} after the factor has entered them",
            lambda x: {"advantages": standardised(x["factor"] * x["advantages"], less=less), "factor": 1},
        ),
    )


NORMALISING = (
    *_normalising(0),
    *_normalising(1),
    changing("the mean of the advantages is subtracted", lambda x: {"advantages": _centred(x["advantages"])}),
)


def _centred(table: Any) -> Any:
    return table - table.mean()


def _joined(combine: Any) -> Any:
    def formula(inputs: Inputs) -> Any:
        ratios, gains = ratios_of(inputs), inputs["advantages"]
        return average(inputs["factor"] * combine(ratios, clipped(ratios, inputs["epsilon"]), gains), inputs)

    return formula


SURROGATE_SLIPS = (
    instead("no ratio at all: log π A", lambda x: average(x["factor"] * np.log(_chosen(x)) * x["advantages"], x)),
    instead("the larger of the two is taken, not the smaller", _joined(lambda r, c, a: np.maximum(r * a, c * a))),
    instead("nothing is clipped", _joined(lambda r, _, a: r * a)),
    instead(
        "a second clip holds negative advantages at 3 A (dual-clip PPO)",
        _joined(lambda r, c, a: np.where(a < 0, np.maximum(np.minimum(r * a, c * a), 3 * a), np.minimum(r * a, c * a))),
    ),
    instead("the clipped ratio is always taken", _joined(lambda _, c, a: c * a)),
    instead("the smaller ratio is taken before it meets the advantage", _joined(lambda r, c, a: np.minimum(r, c) * a)),
    instead(
        "only the upper side is clipped",
        lambda x: _joined(lambda r, _, a: np.minimum(r * a, np.minimum(r, 1 + x["epsilon"]) * a))(x),
    ),
    instead(
        "only the lower side is clipped",
        lambda x: _joined(lambda r, _, a: np.minimum(r * a, np.maximum(r, 1 - x["epsilon"]) * a))(x),
    ),
    instead(
        "the logarithm of the ratio is not exponentiated",
        lambda x: average(
            x["factor"]
            * np.minimum(
                np.log(ratios_of(x)) * x["advantages"], clipped(np.log(ratios_of(x)), x["epsilon"]) * x["advantages"]
            ),
            x,
        ),
    ),
    instead(
        "the factor enters inside the clip",
        lambda x: average(
            np.minimum(
                x["factor"] * ratios_of(x) * x["advantages"],
                clipped(x["factor"] * ratios_of(x), x["epsilon"]) * x["advantages"],
            ),
            x,
        ),
    ),
    *SAMPLES,
    *NORMALISING,
)


def _of_team(combine: Any) -> Any:
    """Every agent gets the same ratio, ``combine`` of the ratios of all."""

    def change(inputs: Inputs) -> dict[str, Any]:
        ratios = ratios_of(inputs)
        return {"new_probs": inputs["old_probs"] * np.broadcast_to(combine(ratios)[:, None], ratios.shape)}

    return change


def _of_each(less: int) -> Any:
    return lambda x: {"advantages": np.array([standardised(column, less=less) for column in x["advantages"].T]).T}


def _gains(inputs: Inputs) -> Any:
    ratios, gains = ratios_of(inputs), inputs["advantages"]
    smaller = np.minimum(ratios * gains, clipped(ratios, inputs["epsilon"]) * gains)
    return np.where(inputs["active"], inputs["factor"] * smaller, 0)


TEAM_SLIPS = (
    changing(
        "one ratio for all agents: that of the joint action, log-probabilities summed over the agents",
        _of_team(lambda ratios: ratios.prod(-1)),
    ),
    changing(
        "one ratio for all agents: log-probabilities averaged over the agents",
        _of_team(lambda ratios: np.exp(np.log(ratios).mean(-1))),
    ),
    changing("one ratio for all agents: the mean of their ratios", _of_team(lambda ratios: ratios.mean(-1))),
    changing("one ratio for all agents: that of the first agent", _of_team(lambda ratios: ratios[:, 0])),
    changing(
        "the advantages are averaged over the agents",
        lambda x: {"advantages": np.broadcast_to(x["advantages"].mean(-1, keepdims=True), x["advantages"].shape)},
    ),
    *(
        changing(f"the advantages of each agent are normalised{by}", _of_each(less))
        for by, less in (("", 0), (" by the unbiased standard deviation", 1))
    ),
    instead("the sum over agents, the mean over samples", lambda x: _gains(x).sum() / len(x["active"])),
    instead(
        "the mean over samples of each sample's mean over its agents",
        lambda x: (_gains(x).sum(-1) / x["active"].sum(-1)).mean(),
    ),
    instead(
        "the mean over agents of each agent's mean over its samples",
        lambda x: (_gains(x).sum(0) / x["active"].sum(0)).mean(),
    ),
    *SURROGATE_SLIPS,
)
CLIPPED_GRADIENT_SLIPS = (
    instead(
        "the mean term of the softmax Jacobian is forgotten",
        lambda x: _score(x, _slope(x, _unclipped(x)), mean_term=False),
    ),
    instead("nothing is clipped", lambda x: _score(x, _slope(x, np.ones_like(x["active"])))),
    instead(
        "every sample outside the clip range is held, whatever the sign of its advantage",
        lambda x: _score(x, _slope(x, _inside(x))),
    ),
    instead(
        "the wrong side is held: the larger of the two was taken",
        lambda x: _score(x, _slope(x, ~_unclipped(x) | _inside(x))),
    ),
    instead(
        "the ratio is missing: A ∂log π where the sample is not held",
        lambda x: _score(x, np.where(_unclipped(x), x["factor"] * x["advantages"], 0)),
    ),
    changing("the factor enters inside the clip", lambda x: {"old_probs": x["old_probs"] / x["factor"], "factor": 1}),
    Slip("an entropy bonus of 0.01 is in it", lambda formula, x: formula(x) + entropy_gradient(x) / 100),
    *SAMPLES,
    *NORMALISING,
)


def _errors(inputs: Inputs) -> Any:
    return np.abs(np.array([inputs["values"] - inputs["returns"], _near(inputs) - inputs["returns"]]))


def _relative(inputs: Inputs) -> Any:
    low, high = (inputs["old_values"] * (1 + sign * inputs["epsilon"]) for sign in (-1, 1))
    near = np.minimum(np.maximum(inputs["values"], low), high)
    return average(np.maximum(*(np.square(x - inputs["returns"]) for x in (inputs["values"], near))), inputs)


def _huber(limit: int) -> Slip:
    def formula(inputs: Inputs) -> Any:
        errors = _errors(inputs)
        return average(np.where(errors <= limit, errors**2 / 2, limit * (errors - limit / 2)).max(0), inputs)

    return instead(f"Huber's loss with δ = {limit}, not the square", formula)


VALUE_LOSS_SLIPS = (
    instead(
        "the smaller of the two is taken, not the larger",
        lambda x: average(np.minimum((x["values"] - x["returns"]) ** 2, (_near(x) - x["returns"]) ** 2), x),
    ),
    instead("nothing is clipped", lambda x: average((x["values"] - x["returns"]) ** 2, x)),
    instead("the clipped value is always taken", lambda x: average((_near(x) - x["returns"]) ** 2, x)),
    changing("the value is clipped around 0", lambda x: {"old_values": 0 * x["old_values"]}),
    instead("the value is clipped to (1 ± ε) times the old one", _relative),
    changing("the value is clipped around the return", lambda x: {"old_values": x["returns"]}),
    instead(
        "the squared error is clipped at ε, not the step of the value",
        lambda x: average(np.minimum(_errors(x)[0] ** 2, x["epsilon"]), x),
    ),
    instead(
        "the larger of the two means is taken, not the mean of the larger ones",
        lambda x: np.maximum(*(average(table, x) for table in _errors(x) ** 2)),
    ),
    _huber(1),
    _huber(10),
    ALL_ACTIVE,
    Slip("half of it: the loss here has no factor ½", lambda formula, x: formula(x) / 2),
    *SAMPLES[5:7],
)

# --- hooks ------------------------------------------------------------------------------------------------------------


def _ones(name: str, kind: Any = None) -> Any:
    return lambda x: {name: np.ones_like(x[name], dtype=bool) if kind is bool else 0 * x[name] + 1}


FACTOR = Argument("factor", "[B]", "the sequential factor of each sample; 1 if not named", None, _ones("factor"))
ACTIVE = Argument("active", "[B], bool", "which samples count; all of them if not named", None, _ones("active", bool))
EPSILON = Argument("epsilon", "number", "ε of the clip range")
LOGITS = Argument(
    "logits", "[B, A]", "logits of the new policy, one row per sample", lambda x: np.log(x["policy"]) + x["shift"]
)
ACTIONS = Argument("actions", "[B], int", "the action taken")
OLD_LOG_PROBS = Argument(
    "old_log_probs", "[B]", "log-probability of the action taken, old", lambda x: np.log(x["old_probs"])
)
ADVANTAGES = Argument("advantages", "[B]", "advantages, not normalised")

CHECKS = (
    Check(
        "surrogate",
        "the clipped surrogate, to be maximised",
        "number",
        "mean over samples of factor · min(r A, clip(r, 1-ε, 1+ε) A),  r = new/old",
        "Schulman et al. 2017, PPO, (7); with the factor: Kuba et al. 2022, HAPPO, (11)",
        (
            Argument("log_probs", "[B]", "log-probability of the action taken, new", lambda x: np.log(_chosen(x))),
            OLD_LOG_PROBS,
            Argument("ratios", "[B]", "new/old of the action taken", ratios_of),
            ADVANTAGES,
            EPSILON,
            FACTOR,
            ACTIVE,
        ),
        surrogate,
        cases_of,
        SURROGATE_SLIPS,
        (("log_probs", "ratios"), ("advantages",), ("epsilon",)),
        uses=("policy", "actions", "old_probs", "advantages", "epsilon", "factor", "active"),
    ),
    Check(
        "team_surrogate",
        "the clipped surrogate of all agents, to be maximised",
        "number",
        "mean over samples and agents that count of factor · min(r A, clip(r, 1-ε, 1+ε) A),  r = new/old of that agent's action",
        "Yu et al. 2022, MAPPO, appendix A; de Witt et al. 2020, IPPO",
        (
            Argument(
                "log_probs", "[B, N]", "log-probability of each agent's action, new", lambda x: np.log(_chosen(x))
            ),
            Argument("old_log_probs", "[B, N]", "the same, old", lambda x: np.log(x["old_probs"])),
            Argument("ratios", "[B, N]", "new/old of each agent's action", ratios_of),
            Argument("advantages", "[B, N]", "advantages of each agent, not normalised"),
            EPSILON,
            Argument("factor", "[B, N]", FACTOR.meaning, None, FACTOR.neutral),
            Argument(
                "active", "[B, N], bool", "which agents count in which sample; all if not named", None, ACTIVE.neutral
            ),
        ),
        surrogate,
        team_cases_of,
        TEAM_SLIPS,
        (("log_probs", "ratios"), ("advantages",), ("epsilon",)),
    ),
    Check(
        "clipped_gradient",
        "gradient of the clipped surrogate in the logits",
        "[B, A]",
        "factor r A (1[b = a] - π(b)) / samples, and 0 where r > 1+ε and A > 0, or r < 1-ε and A < 0",
        "Schulman et al. 2017, PPO, (7), differentiated",
        (
            LOGITS,
            Argument("policy", "[B, A]", "their probabilities"),
            ACTIONS,
            OLD_LOG_PROBS,
            ADVANTAGES,
            EPSILON,
            FACTOR,
            ACTIVE,
        ),
        clipped_gradient,
        cases_of,
        CLIPPED_GRADIENT_SLIPS,
        (("logits", "policy"), ("actions",), ("old_log_probs",), ("advantages",), ("epsilon",)),
        uses=("policy", "shift", "actions", "old_probs", "advantages", "epsilon", "factor", "active"),
    ),
    Check(
        "value_loss",
        "the clipped loss of the critic, to be minimised",
        "number",
        "mean over samples of max((v - R)², (v_clip - R)²),  v_clip = v_old + clip(v - v_old, -ε, ε); no factor ½",
        "Schulman et al. 2016 and the code of PPO; Yu et al. 2022, MAPPO, appendix A",
        (
            Argument("values", "[B]", "the critic's new values"),
            Argument("old_values", "[B]", "its values when the data was collected"),
            Argument("returns", "[B]", "the targets"),
            EPSILON,
            ACTIVE,
        ),
        value_loss,
        cases_of,
        VALUE_LOSS_SLIPS,
        (("values",), ("old_values",), ("returns",), ("epsilon",)),
        uses=("values", "old_values", "returns", "epsilon", "active"),
    ),
)
"""The hooks of :class:`~mappo_verify.conformance.suites.SurrogateTests`."""
