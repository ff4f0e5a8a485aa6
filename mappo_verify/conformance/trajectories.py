"""Targets along trajectories: returns, λ-returns, generalised advantages, V-trace; and their known slips.

Time is the first axis.  ``values`` has T + 1 entries; a step ``t`` that is truncated bootstraps from the final observation, whose
value is ``values[t + 1]`` unless ``final_values`` is asked for: then ``values[t + 1]`` belongs to the next episode.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from ..arithmetic import minimum
from ..quantities.trajectory_targets import Steps
from .check import Argument, Case, Check, Inputs, Slip, changing, exact, instead

# --- formulas ---------------------------------------------------------------------------------------------------------


def next_values(inputs: Inputs) -> Any:
    """The value of the observation that followed each step, before any reset."""
    return np.where(inputs["truncated"], inputs["final_values"], inputs["values"][1:])


def ended(inputs: Inputs) -> Any:
    """Where an episode ended, either way."""
    return inputs["terminated"] | inputs["truncated"]


CHANGEABLE = ("bootstraps", "goes_on", "following", "discount", "value_discount", "targets", "errors")


def steps_of(inputs: Inputs) -> Steps:
    """The steps of a trajectory, with what a slip changes in them by inputs of these names."""
    given = ("rewards", "values", "terminated", "truncated", "gamma", "final_values")
    steps = Steps(*(inputs[name] for name in given))
    for name in CHANGEABLE:
        if name in inputs:
            setattr(steps, name, inputs[name])
    return steps


def advantages(inputs: Inputs) -> Any:
    """``A_t = δ_t + γλ A_{t+1}`` within an episode."""
    steps = steps_of(inputs)
    return steps.traced(steps.errors, inputs["lam"])


def lambda_returns(inputs: Inputs) -> Any:
    """``G_t = A_t + v_t``."""
    return advantages(inputs) + inputs["values"][:-1]


def returns(inputs: Inputs) -> Any:
    """The λ-return with λ = 1."""
    return lambda_returns({**inputs, "lam": 1})


def n_step_returns(inputs: Inputs) -> Any:
    """Up to ``n`` rewards, then the value of the next observation, unless the step terminated."""
    return steps_of(inputs).after(inputs["n"])


def vtrace(inputs: Inputs) -> Any:
    """``v_t + Σ_k γ^k (Π c_i) ρ_k δ_k``, with ``ρ = min(ρ̄, ratio)``, ``c = λ min(c̄, ratio)``; a slip changes ``rho``, ``cut``."""
    rho, cut = inputs.get("rho", clipped_at(inputs, "rho_max")), inputs.get("cut", clipped_at(inputs, "c_max"))
    return steps_of(inputs).vtrace(rho, inputs["lam"] * cut)


def clipped_at(inputs: Inputs, limit: str) -> Any:
    """``min(limit, ratio)``."""
    return minimum(inputs[limit] + 0 * inputs["ratios"], inputs["ratios"])


def counted(where: Any) -> Any:
    """The change that lets errors count only there."""
    return lambda x: {"errors": np.where(where(x), steps_of(x).errors, 0 * x["rewards"])}


# --- slips ------------------------------------------------------------------------------------------------------------


def _shifted(mask: Any, by: int, last: bool = False) -> Any:
    """Every step's flag at another step, but for the last one's, perhaps."""
    moved = np.roll(mask, by, axis=0)
    moved[0 if by > 0 else -1] = mask[-1] if last else False
    return moved


def standardised(table: Any, counted: Any = True, less: int = 0) -> Any:
    """``(x - mean) / deviation`` over the entries that count; ``less`` is 1 for the unbiased variance, as torch has it."""
    counted = np.broadcast_to(counted, np.shape(table))
    mean = table[counted].mean()
    variance = np.divide(np.square(table[counted] - mean).sum(), counted.sum() - less)
    return (table - mean) / (np.sqrt(variance) + 1e-8)


def normalised(less: int) -> Slip:
    """Results that are standardised, by the standard deviation with ``n - less``."""
    by = " by the unbiased standard deviation" if less else ""
    return Slip(
        f"the advantages are normalised{by}", lambda formula, x: standardised(np.asarray(formula(x), float), less=less)
    )


def _without_last(inputs: Inputs) -> dict[str, Any]:
    values, final = inputs["values"].copy(), inputs["final_values"].copy()
    values[-1], final[-1] = 0 * values[-1], 0 * final[-1]
    return {"values": values, "final_values": final}


def _past(mask: str) -> Slip:
    words = {"terminated": "terminations", "truncated": "truncations"}
    return changing(f"the trace and the values run through {words[mask]}", lambda x: {mask: np.zeros_like(x[mask])})


def _moved(name: str, by: int, last: bool = False) -> tuple[Slip, Slip]:
    """Flags of another step; and the same in code that gets every step's next value ready-made."""

    def change(inputs: Inputs) -> dict[str, Any]:
        return {mask: _shifted(inputs[mask], by, last) for mask in ("terminated", "truncated")}

    return (
        changing(name, change),
        changing(f"{name}; the next values are right", lambda x: {**change(x), "following": next_values(x)}),
    )


def over_axes(inputs: Inputs) -> tuple[Slip, ...]:
    """In a batch: rewards or values averaged over an axis, as if all agents or environments shared them."""

    def averaged(axis: int, *names: str) -> Any:
        def change(x: Inputs) -> dict[str, Any]:
            x = {**x, "following": next_values(x)}
            return {name: np.broadcast_to(x[name].mean(axis, keepdims=True), x[name].shape) for name in names}

        return change

    axes = [axis for axis, size in enumerate(inputs["rewards"].shape) if axis and size > 1]
    kinds = {
        "the rewards are averaged": ("rewards",),
        "the values are averaged": ("values", "final_values"),
        "the values and the next values are averaged": ("values", "following"),
        "rewards and values are averaged": ("rewards", "values", "final_values"),
    }
    return tuple(
        changing(f"{words} over axis {axis}", averaged(axis, *names)) for axis in axes for words, names in kinds.items()
    )


MASKS = (
    changing(
        "truncation is treated as termination: no bootstrapping from the final observation",
        lambda x: {"terminated": ended(x), "truncated": np.zeros_like(x["truncated"])},
    ),
    changing(
        "bootstrapping at termination: the value after a terminated step is counted",
        lambda x: {
            "terminated": np.zeros_like(x["terminated"]),
            "truncated": ended(x),
            "final_values": np.where(x["terminated"], x["values"][1:], x["final_values"]),
        },
    ),
    changing(
        "bootstrapping where a step was both terminated and truncated",
        lambda x: {"terminated": x["terminated"] & ~x["truncated"]},
    ),
    *_moved("the masks are shifted by one: step t uses the flags of step t - 1", 1),
    *_moved("the masks are shifted by one: step t uses the flags of step t + 1", -1),
    *_moved("the masks are shifted by one, but for the last step: step t uses the flags of step t + 1", -1, True),
    changing(
        "the masks are shifted by one, but for the last step, and truncation is treated as termination",
        lambda x: {"terminated": _shifted(ended(x), -1, True), "truncated": np.zeros_like(x["truncated"])},
    ),
    _past("terminated"),
    changing("the last value of the rollout is not used", _without_last),
    changing(
        "at truncation the value of the next episode's first observation is used, not of the final one",
        lambda x: {"final_values": x["values"][1:]},
    ),
    changing(
        "the rewards are shifted by one: step t is paid for step t - 1",
        lambda x: {"rewards": np.roll(x["rewards"], 1, 0)},
    ),
)
DISCOUNTS = (
    changing("γ is dropped everywhere (γ = 1)", lambda _: {"gamma": 1}),
    changing("γ is squared", lambda x: {"gamma": x["gamma"] * x["gamma"]}),
)
THROUGH = "the trace runs through truncation into the next episode"
TRACES = (
    changing("λ is dropped (λ = 1)", lambda _: {"lam": 1}),
    changing("λ = 0: one step only", lambda _: {"lam": 0}),
    changing("γ and λ are exchanged", lambda x: {"gamma": x["lam"], "lam": x["gamma"]}),
)


TRACE_SLIPS = (
    changing("the trace's γ is missing (λ^k in place of (γλ)^k)", lambda _: {"discount": 1}),
    changing("the bootstrapped value's γ is missing", lambda _: {"value_discount": 1}),
    changing(
        "the bootstrapped value's γ is missing at truncation",
        lambda x: {"value_discount": np.where(x["truncated"], 1, x["gamma"])},
    ),
    changing(THROUGH, lambda x: {"goes_on": ~x["terminated"]}),
    changing(
        "the trace runs through every end into the next episode", lambda x: {"goes_on": np.ones_like(x["terminated"])}
    ),
    changing(
        "a truncated step is dropped: its error counts as 0",
        counted(lambda x: ~x["truncated"] | x["terminated"]),
    ),
    changing("a truncated step is dropped, also where it terminated", counted(lambda x: ~x["truncated"])),
    changing("the next value is the step's own value", lambda x: {"following": x["values"][:-1]}),
)
AS_RETURNS = instead("these are returns: the value of the step is added", lambda x: advantages(x) + x["values"][:-1])
AS_ADVANTAGES = Slip("the value of the step is not added", lambda formula, x: formula(x) - x["values"][:-1])


def _without_baseline(inputs: Inputs) -> Any:
    steps = steps_of(inputs)
    return steps.traced(steps.targets, inputs["lam"])


GAE_SLIPS = (
    *TRACE_SLIPS,
    *DISCOUNTS,
    *TRACES,
    *MASKS,
    AS_RETURNS,
    instead("the baseline is not subtracted from each error", _without_baseline),
    normalised(0),
    normalised(1),
)
LAMBDA_SLIPS = (*TRACE_SLIPS, *DISCOUNTS, *TRACES, *MASKS, AS_ADVANTAGES)


def _last_undiscounted(inputs: Inputs) -> Any:
    steps = steps_of(inputs)
    steps.goes_on[-1] = False
    tail = np.where(steps.bootstraps & ~steps.goes_on, steps.following, 0 * steps.rewards)
    return steps.traced(steps.rewards + tail, 1)


RETURNS_SLIPS = (
    *TRACE_SLIPS[2:7],
    *DISCOUNTS,
    *MASKS,
    AS_ADVANTAGES,
    instead("the value of the last observation is not discounted", _last_undiscounted),
)
N_STEP_SLIPS = (
    changing("one step too many", lambda x: {"n": x["n"] + 1}),
    changing("one step too few", lambda x: {"n": x["n"] - 1}),
    changing("the value is discounted once too often", lambda x: {"value_discount": x["gamma"] * x["gamma"]}),
    changing("the value is discounted once too rarely", lambda _: {"value_discount": 1}),
    changing("the sum runs through ends into the next episode", lambda x: {"goes_on": np.ones_like(x["terminated"])}),
    changing("the sum runs through truncation into the next episode", lambda x: {"goes_on": ~x["terminated"]}),
    changing("no bootstrapping at all", lambda x: {"bootstraps": np.zeros_like(x["terminated"])}),
    *DISCOUNTS,
    *MASKS,
)
VTRACE_SLIPS = (
    changing("ρ̄ and c̄ are exchanged", lambda x: {"rho_max": x["c_max"], "c_max": x["rho_max"]}),
    changing("the ratios are turned upside down", lambda x: {"ratios": 1 / x["ratios"]}),
    changing("the ratios are ignored", lambda x: {"ratios": 0 * x["ratios"] + 1}),
    changing("ρ is not clipped", lambda x: {"rho": x["ratios"]}),
    changing("c is not clipped", lambda x: {"cut": x["ratios"]}),
    changing("the errors are not weighted by ρ", lambda x: {"rho": 0 * x["ratios"] + 1}),
    changing("the trace is not weighted by c", lambda x: {"cut": 0 * x["ratios"] + 1}),
    changing("the trace uses the next step's c", lambda x: {"cut": np.roll(clipped_at(x, "c_max"), -1, 0)}),
    AS_ADVANTAGES,
    *TRACE_SLIPS,
    *DISCOUNTS,
    *TRACES[:2],
    *MASKS,
)


# --- inputs -----------------------------------------------------------------------------------------------------------

ENDS = {
    "no end": "",
    "termination at the last step": ".x",
    "truncation at the last step": ".o",
    "no end, three steps": "...",
    "termination in the middle": ".x..",
    "termination at the first step": "x..",
    "truncation in the middle": ".o..",
    "termination next to truncation": ".xo.",
    "truncation next to termination": ".ox.",
    "one step, terminated": "x",
    "one step, truncated": "o",
    "one step": ".",
    "termination before a truncated last step": ".x.o",
    "terminated and truncated at once": ".b.",
    "a long mixture": "..x..o.bx..o",
}
"""``.`` a step that goes on, ``x`` terminated, ``o`` truncated, ``b`` both."""
FACTORS: list[tuple[Any, Any]] = [
    (Fraction(1, 2), Fraction(3, 4)),
    (Fraction(7, 8), Fraction(1, 4)),
    (Fraction(3, 4), Fraction(15, 16)),
]


def _cases(generator: np.random.Generator) -> Iterator[Case]:
    """Trajectories with a wrong critic, uncentred rewards, every kind of end, and γ ≠ λ ≠ 1; then the corners of γ and λ."""
    for number, (name, ends) in enumerate(ENDS.items()):
        gamma, lam = FACTORS[number % 3]
        yield Case(name, trajectory(generator, ends or "..", gamma, lam, 2 + number % 2))
    corners: tuple[tuple[Any, Any], ...] = (
        (1, Fraction(1, 2)),
        (Fraction(1, 2), 1),
        (Fraction(1, 2), 0),
        (0, Fraction(1, 2)),
    )
    for gamma, lam in corners:
        yield Case(f"γ = {gamma}, λ = {lam}", trajectory(generator, ".x..o", gamma, lam, 1))


def trajectory(
    generator: np.random.Generator,
    ends: str,
    gamma: Any,
    lam: Any,
    n: int,
    batch: tuple[int, ...] = (),
    together: bool = False,
) -> Inputs:
    """One trajectory, or a batch of them with their ends shifted against each other.

    No value is 0 or repeats, so that a value in the wrong place shows; those after termination are not 0 either.
    """
    steps, count = len(ends), int(np.prod(batch, dtype=int))
    turns = [0 if together else k % steps for k in range(count)]
    flags = np.array([list(ends[k:] + ends[:k]) for k in turns]).T.reshape(steps, *batch)
    values, final = _distinct(generator, (steps + 1, *batch)), _distinct(generator, (steps, *batch))
    truncated = np.isin(flags, ["o", "b"])
    following = np.where(truncated, final, values[1:])
    return {
        "rewards": _distinct(generator, (steps, *batch)),
        "values": values,
        "final_values": following,
        "terminated": np.isin(flags, ["x", "b"]),
        "truncated": truncated,
        "gamma": exact([gamma])[0],
        "lam": exact([lam])[0],
        "n": n,
        "ratios": exact(generator.choice([1, 2, 3, 5, 6, 7, 10, 13], (steps, *batch))) / 4,
        "rho_max": exact(2)[()],
        "c_max": exact(Fraction(5, 4))[()],
    }


def _distinct(generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Rationals of few digits other than 0, as different as there is room for; binary, so that no float rounds them."""
    count = int(np.prod(shape, dtype=int))
    numbers = [k for k in range(-24, 25) if k]
    drawn = generator.choice(numbers, count, replace=count > len(numbers))
    return exact(drawn.reshape(shape)) / 8


# --- hooks ------------------------------------------------------------------------------------------------------------


def _merged(inputs: Inputs) -> dict[str, Any]:
    """Without final values: the next episode begins in the observation in which a truncated one ended."""
    return {"final_values": inputs["values"][1:]}


REWARDS = Argument("rewards", "[T]", "r_t, paid for the action at t")
VALUES = Argument("values", "[T + 1]", "the critic at the observations 0..T; the last one is that after the last step")
TERMINATED = Argument("terminated", "[T], bool", "step t ended the game: nothing follows")
TRUNCATED = Argument(
    "truncated",
    "[T], bool",
    "a limit ended the episode after step t: its final observation's value counts, the trace stops",
)
FINAL = Argument(
    "final_values",
    "[T]",
    "the critic at the observation that followed step t, before any reset; asked for, values[t + 1] "
    "after a truncated step belongs to the next episode; else it is the final observation's, where the next one begins",
    neutral=_merged,
    alternatives=("next_values",),
)
NEXT = Argument("next_values", "[T]", "the same as final_values, under another name", next_values)
GAMMA, LAM = Argument("gamma", "number", "γ"), Argument("lam", "number", "λ")
COMMON = (REWARDS, VALUES, TERMINATED, TRUNCATED, FINAL, NEXT)
USED = ("rewards", "values", "final_values", "terminated", "truncated", "gamma")
USED_WITH_LAM = (*USED, "lam")
NEEDED = (("rewards",), ("values",), ("terminated",), ("truncated",), ("gamma",))


def one(name: str, value: Any = 1) -> Argument:
    """An argument that is a number, 1 where a hook does not name it."""
    meanings = {"lam": "λ", "rho_max": "ρ̄", "c_max": "c̄"}
    return Argument(name, "number", meanings[name], None, lambda x: {name: 0 * x["gamma"] + value})


def _no_values(inputs: Inputs) -> dict[str, Any]:
    return {"values": 0 * inputs["values"], "final_values": 0 * inputs["final_values"]}


CHECKS = (
    Check(
        "gae",
        "generalised advantages",
        "[T]",
        "A_t = δ_t + γλ A_{t+1} within an episode, δ_t = r_t + γ v_{t+1} - v_t; v_{t+1} = 0 after termination",
        "Schulman et al. 2016, Generalized advantage estimation, (11)-(16); Pardo et al. 2018 on time limits",
        (*COMMON, GAMMA, LAM),
        advantages,
        _cases,
        GAE_SLIPS,
        (*NEEDED, ("lam",)),
        steps=True,
        in_batch=over_axes,
        uses=USED_WITH_LAM,
    ),
    Check(
        "returns",
        "discounted returns to go",
        "[T]",
        "G_t = r_t + γ G_{t+1} within an episode;  after its last step 0 at termination, else the value of the observation there",
        "Sutton and Barto 2018, (3.9); Pardo et al. 2018 on time limits",
        (
            REWARDS,
            Argument(VALUES.name, VALUES.shape, f"{VALUES.meaning}; 0 everywhere if not named", None, _no_values),
            *COMMON[2:],
            GAMMA,
        ),
        returns,
        _cases,
        RETURNS_SLIPS,
        (("rewards",), ("terminated",), ("truncated",), ("gamma",)),
        steps=True,
        in_batch=over_axes,
        uses=USED,
    ),
    Check(
        "lambda_returns",
        "λ-returns",
        "[T]",
        "G_t = A_t + v_t with the generalised advantages A_t",
        "Sutton and Barto 2018, (12.2)",
        (*COMMON, GAMMA, LAM),
        lambda_returns,
        _cases,
        LAMBDA_SLIPS,
        (*NEEDED, ("lam",)),
        steps=True,
        in_batch=over_axes,
        uses=USED_WITH_LAM,
    ),
    Check(
        "n_step_returns",
        "n-step returns",
        "[T]",
        "G_t = Σ_{k<m} γ^k r_{t+k} + γ^m v_{t+m}, m = n or what is left of the episode; v = 0 after termination",
        "Sutton and Barto 2018, (7.1)",
        (*COMMON, GAMMA, Argument("n", "int", "n, at least 1")),
        n_step_returns,
        _cases,
        N_STEP_SLIPS,
        (*NEEDED, ("n",)),
        steps=True,
        in_batch=over_axes,
        uses=(*USED, "n"),
    ),
    Check(
        "vtrace",
        "V-trace targets",
        "[T]",
        "v_t + Σ_k γ^k (Π_{i<k} c_i) ρ_k δ_k within an episode,  ρ = min(ρ̄, ratio), c = λ min(c̄, ratio)",
        "Espeholt et al. 2018, IMPALA, (1)",
        (
            *COMMON,
            Argument("ratios", "[T]", "π(a_t|s_t)/μ(a_t|s_t) of the joint action"),
            GAMMA,
            one("lam"),
            one("rho_max"),
            one("c_max"),
            Argument("log_ratios", "[T]", "their logarithms", lambda x: np.log(x["ratios"])),
        ),
        vtrace,
        _cases,
        VTRACE_SLIPS,
        (*NEEDED, ("ratios", "log_ratios")),
        steps=True,
        in_batch=over_axes,
        uses=(*USED_WITH_LAM, "ratios", "rho_max", "c_max"),
    ),
)
"""The hooks of :class:`~mappo_verify.conformance.suites.TrajectoryTests`."""


def in_batch(case: Case, batch: tuple[int, ...], generator: np.random.Generator, together: bool = False) -> Case:
    """The same kind of trajectory for every environment of a batch, with ends at other steps unless they end ``together``."""
    inputs = case.inputs
    ends = "".join(
        "b" if x and o else "x" if x else "o" if o else "."
        for x, o in zip(inputs["terminated"], inputs["truncated"], strict=True)
    )
    lam, n = inputs.get("lam", 1), inputs.get("n", 1)
    return Case(case.name, trajectory(generator, ends, inputs["gamma"], lam, n, batch, together))


def of_one_episode(case: Case) -> bool:
    """Whether the trajectory ends at its last step, or not at all."""
    return not ended(case.inputs)[:-1].any()
