"""Targets along a trajectory: TD errors, GAE, λ-returns, n-step returns, V-trace, importance-weighted returns.

Time comes first here, as in the libraries that are compared: rewards and flags are ``[T, ...]``, and ``...`` are episodes side by
side.  ``values`` ``[T+1, ...]`` is what any critic says of the observations at ``0..T``.  A step may *terminate* the game, after
which nothing is earned, or be *truncated*, the last one that was recorded::

    v̂_{t+1} = 0 if terminated,  final_values_t if truncated,  v_{t+1} otherwise
    δ_t = r_t + γ v̂_{t+1} - v_t                          A_t = δ_t + γλ [step t ended nothing] A_{t+1}

``final_values`` is the critic at the observation that followed a step *before* the environment was reset; where a trajectory is
one episode it is ``values[1:]``, the default.  Not to bootstrap at truncation is to take it for termination: pass
``terminated | truncated`` as ``terminated``.  Source: Schulman et al. (2016); Espeholt et al. (2018); Precup et al. (2000).

Two rewards of 1, γ = 1/2, λ = 1 and a critic that says 1 everywhere.  If the second step is truncated its next value counts:

>>> import numpy as np
>>> rewards, values, no = np.ones(2), np.ones(3), np.array([False, False])
>>> last = np.array([False, True])
>>> gae(rewards, values, no, last, 0.5, 1.0), gae(rewards, values, last, no, 0.5, 1.0)
(array([0.75, 0.5 ]), array([0.5, 0. ]))
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import Array, choose, is_hidden, like, minimum, system_of, zeros
from ..arithmetic.explained import explained
from ..errors import GameError
from ..model.validation import arrays_of, plain_array, require_count, require_shape, scalar_for

Mask = npt.NDArray[np.bool_]


@explained
def td_errors(
    rewards: Any, values: Any, terminated: Any, truncated: Any, gamma: Any, final_values: Any = None
) -> Array:
    """``δ_t = r_t + γ v̂_{t+1} - v_t``, shape ``[T, ...]``."""
    return Steps(rewards, values, terminated, truncated, gamma, final_values).errors


@explained
def gae(
    rewards: Any, values: Any, terminated: Any, truncated: Any, gamma: Any, lam: Any, final_values: Any = None
) -> Array:
    """``A_t = δ_t + γλ A_{t+1}``, with nothing behind a step that terminated or was truncated; shape ``[T, ...]``.

    Generalised advantage estimation: ``λ = 0`` gives TD errors, ``λ = 1`` the whole return less the critic.
    Source: Schulman et al. (2016), equation (16).
    """
    steps = Steps(rewards, values, terminated, truncated, gamma, final_values)
    return steps.traced(steps.errors, steps.scalar("lam", lam))


@explained
def lambda_returns(
    rewards: Any, values: Any, terminated: Any, truncated: Any, gamma: Any, lam: Any, final_values: Any = None
) -> Array:
    """``G_t = r_t + γ [(1-λ) v̂_{t+1} + λ G_{t+1}]``, shape ``[T, ...]``; where step ``t`` ends the episode, ``r_t + γ v̂_{t+1}``.

    That is :func:`gae` ``+ v_t``; with ``λ = 1`` the discounted return, bootstrapped at truncation.
    """
    steps = Steps(rewards, values, terminated, truncated, gamma, final_values)
    return steps.traced(steps.errors, steps.scalar("lam", lam)) + steps.values[:-1]


@explained
def n_step_returns(
    rewards: Any, values: Any, terminated: Any, truncated: Any, gamma: Any, n: int, final_values: Any = None
) -> Array:
    """``r_t + γ r_{t+1} + ... + γ^{n-1} r_{t+n-1} + γ^n v̂_{t+n}``, shape ``[T, ...]``.

    An episode, or a trajectory, that ends before leaves the sum shorter: it bootstraps after the last step it has.
    """
    require_count("n", n)
    steps = Steps(rewards, values, terminated, truncated, gamma, final_values)
    return steps.after(n)


@explained
def vtrace_targets(
    rewards: Any,
    values: Any,
    ratios: Any,
    terminated: Any,
    truncated: Any,
    gamma: Any,
    lam: Any = 1,
    rho_max: Any = 1,
    c_max: Any = 1,
    final_values: Any = None,
) -> Array:
    """``vs_t = v_t + ρ_t δ_t + γ c_t (vs_{t+1} - v_{t+1})``, shape ``[T, ...]``.

    ``ratios`` ``[T, ...]`` are ``π(a_t|s_t)/μ(a_t|s_t)`` of joint actions, ``ρ_t = min(ρ̄, ratio)`` and ``c_t = λ min(c̄, ratio)``.
    Source: Espeholt et al. (2018), equation (1).
    """
    steps = Steps(rewards, values, terminated, truncated, gamma, final_values)
    return steps.vtrace(*steps.clipped(ratios, lam, rho_max, c_max))


@explained
def vtrace_advantages(
    rewards: Any,
    values: Any,
    ratios: Any,
    terminated: Any,
    truncated: Any,
    gamma: Any,
    lam: Any = 1,
    rho_max: Any = 1,
    c_max: Any = 1,
    final_values: Any = None,
) -> Array:
    """``ρ_t (r_t + γ [(1-λ) v_{t+1} + λ vs_{t+1}] - v_t)`` with ``vs`` the V-trace targets, shape ``[T, ...]``.

    Where step ``t`` ends the episode, ``v̂_{t+1}`` is in the bracket.  Source: Espeholt et al. (2018), Section 4.2, for ``λ = 1``.
    """
    steps = Steps(rewards, values, terminated, truncated, gamma, final_values)
    rho, trace = steps.clipped(ratios, lam, rho_max, c_max)
    correction = steps.later(steps.vtrace(rho, trace) - steps.values[:-1])
    return rho * (steps.errors + steps.discount * steps.scalar("lam", lam) * correction)


@explained
def importance_weighted_returns(rewards: Any, ratios: Any, terminated: Any, truncated: Any, gamma: Any) -> Array:
    """``(Π_{k≥t} ratio_k) Σ_{k≥t} γ^{k-t} r_k`` over the rest of the episode, shape ``[T, ...]``.

    The ordinary importance-sampling estimate; nothing is bootstrapped.  Source: Precup, Sutton and Singh (2000).
    """
    steps = Steps(rewards, None, terminated, truncated, gamma)
    ratios = steps.table("ratios", ratios)
    products, sums = [], []
    product, total = like(1, steps.rewards), like(0, steps.rewards)
    for t in reversed(range(len(steps.rewards))):
        product = ratios[t] * choose(steps.goes_on[t], product, like(1, steps.rewards))
        total = steps.rewards[t] + steps.discount * choose(steps.goes_on[t], total, like(0, steps.rewards))
        products.append(product)
        sums.append(total)
    return np.stack([p * s for p, s in zip(products, sums, strict=True)][::-1])


@explained
def per_decision_returns(rewards: Any, ratios: Any, terminated: Any, truncated: Any, gamma: Any) -> Array:
    """``G_t = ratio_t (r_t + γ G_{t+1})`` to the end of the episode, shape ``[T, ...]``: each reward weighed by what led to it.

    Source: Precup, Sutton and Singh (2000).
    """
    steps = Steps(rewards, None, terminated, truncated, gamma)
    ratios = steps.table("ratios", ratios)
    return steps.traced(ratios * steps.rewards, ratios)


class Steps:
    """The steps of trajectories, checked, and what follows each of them.

    Attributes say what the formulas read, so that a known mistake of library code is one changed attribute: ``goes_on`` where the
    episode does, ``bootstraps`` where the value of the next observation counts, ``following`` that value, ``discount`` the ``γ``
    between steps, ``value_discount`` the ``γ`` before that value.
    """

    def __init__(
        self, rewards: Any, values: Any, terminated: Any, truncated: Any, gamma: Any, final_values: Any = None
    ) -> None:
        given = {"rewards": rewards, "values": values, "final_values": final_values}
        given = {name: table for name, table in given.items() if table is not None}
        tables = given if is_hidden(tuple(given.values())) else arrays_of(**given)[1]
        self.rewards: Array = tables["rewards"]
        shape = self.rewards.shape
        if self.rewards.ndim < 1 or not shape[0]:
            raise GameError(f"rewards has shape {shape}; it needs [T, ...] with T of at least 1")
        gone, stops = _mask("terminated", terminated, shape), _mask("truncated", truncated, shape)
        self.bootstraps, self.goes_on = ~gone, ~(gone | stops)
        self.discount = self.value_discount = self.scalar("gamma", gamma)
        if values is None:
            return
        self.values = tables["values"]
        if self.values.shape != (shape[0] + 1, *shape[1:]):
            raise GameError(
                f"values has shape {self.values.shape}; it needs [T + 1, ...] = {(shape[0] + 1, *shape[1:])}"
            )
        self.following = self.values[1:]
        if final_values is not None:
            require_shape("final_values", tables["final_values"], shape, "[T, ...]")
            self.following = choose(stops, tables["final_values"], self.following)

    @cached_property
    def targets(self) -> Array:
        """``r_t + γ v̂_{t+1}``, the returns of one step."""
        counted = choose(self.bootstraps, self.following, like(0, self.rewards))
        return self.rewards + self.value_discount * counted

    @cached_property
    def errors(self) -> Array:
        """``δ_t = r_t + γ v̂_{t+1} - v_t``"""
        return self.targets - self.values[:-1]

    def scalar(self, name: str, value: Any) -> Array:
        """A parameter in the number system of the rewards."""
        return scalar_for(system_of(self.rewards), name, value)

    def table(self, name: str, value: Any) -> Array:
        """``[T, ...]`` in the number system of the rewards."""
        array = self.scalar(name, value)
        if array.shape != self.rewards.shape:
            raise GameError(f"{name} has shape {array.shape}; it needs [T, ...] = {self.rewards.shape}")
        return array

    def traced(self, terms: Array, trace: Any) -> Array:
        """``x_t = y_t + γ κ_t x_{t+1}``, with nothing behind the end of an episode, ``κ`` a number or ``[T, ...]``."""
        trace = choose(self.goes_on, trace, like(0, self.rewards))
        found = [terms[-1]]
        for t in reversed(range(len(terms) - 1)):
            found.append(terms[t] + self.discount * trace[t] * found[-1])
        return np.stack(found[::-1])

    def later(self, table: Array) -> Array:
        """``x_{t+1}``, and 0 behind the end of an episode."""
        nothing = zeros((1, *table.shape[1:]), table)
        return choose(self.goes_on, np.concatenate([table[1:], nothing]), like(0, table))

    def backed_up(self, table: Array) -> Array:
        """``r_t + γ x_{t+1}``; at the end of an episode or of the trajectory, ``r_t + γ v̂_{t+1}``."""
        last = np.zeros(self.rewards.shape, bool)
        last[-1] = True
        onward = np.concatenate([table[1:], table[-1:]])
        return choose(~self.goes_on | last, self.targets, self.rewards + self.discount * onward)

    def after(self, n: int) -> Array:
        """The returns of ``n`` steps."""
        result = self.targets
        for _ in range(1, n):
            result = self.backed_up(result)
        return result

    def clipped(self, ratios: Any, lam: Any, rho_max: Any, c_max: Any) -> tuple[Array, Array]:
        """``min(ρ̄, ratio)`` and ``λ min(c̄, ratio)``."""
        ratios = self.table("ratios", ratios)
        rho = minimum(self.scalar("rho_max", rho_max), ratios)
        return rho, self.scalar("lam", lam) * minimum(self.scalar("c_max", c_max), ratios)

    def vtrace(self, rho: Array, trace: Array) -> Array:
        """``vs``"""
        return self.values[:-1] + self.traced(rho * self.errors, trace)


def _mask(name: str, flags: Any, shape: tuple[int, ...]) -> Mask:
    """Flags as Booleans ``[T, ...]``; zeros and ones are accepted."""
    given = plain_array(flags, name)
    if given.shape != shape:
        raise GameError(f"{name} has shape {given.shape}; it needs [T, ...] = {shape}")
    if given.dtype.kind != "b" and not ((given == 0) | (given == 1)).all():
        raise GameError(f"{name} has entries other than True and False")
    return given.astype(bool)
