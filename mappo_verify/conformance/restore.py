"""The inputs of a check from the arguments of one call, whichever of them the hook names; all in floats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .arrays import to_numpy
from .check import Check, Inputs


def restored(check: Check, given: Mapping[str, Any]) -> Inputs:
    """What :class:`~mappo_verify.conformance.check.Check` evaluates, from what a hook was called with."""
    known = {argument.name for argument in check.arguments}
    given = {
        **given,
        **{name: part for value in given.values() if isinstance(value, dict) for name, part in value.items()},
    }
    found = {name: _plain(value, name) for name, value in given.items() if name in known}
    if check.steps:
        return _trajectory(found)
    if check.hook == "team_surrogate":
        return _team(found)
    if check.hook == "joint_log_probs":
        return _joint(found)
    if {"payoff", "q", "order", "transition"} & found.keys():
        return _several(found)
    return _policies(found)


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, (bool, int, float, tuple)):
        return value
    if isinstance(value, list):
        return [_plain(part, name) for part in value]
    array = to_numpy(value, name)
    return array.astype(float) if array.dtype.kind == "f" else array


def _trajectory(found: dict[str, Any]) -> Inputs:
    rewards = found["rewards"]
    values = found.get("values", np.zeros((len(rewards) + 1, *rewards.shape[1:])))
    flags = {name: found[name].astype(bool) for name in ("terminated", "truncated")}
    final = found.get("final_values", found.get("next_values", values[1:]))
    ratios = np.exp(found["log_ratios"]) if "log_ratios" in found else found.get("ratios", np.ones_like(rewards))
    defaults = {"lam": 1.0, "n": 1, "rho_max": 1.0, "c_max": 1.0}
    return {**defaults, **found, **flags, "values": values, "final_values": final, "ratios": ratios}


def _several(found: dict[str, Any]) -> Inputs:
    if "payoff" in found:
        return {"q": found["payoff"][None], "policies": [policy[None] for policy in found["policies"]]}
    if "order" in found:
        old = _first(found, "old_probs", "old_log_probs")
        new = _first(found, "new_probs", "new_log_probs")
        if new is None:
            return {
                "order": tuple(found["order"]),
                "new_probs": found["ratios"],
                "old_probs": np.ones_like(found["ratios"]),
            }
        return {
            "order": tuple(found["order"]),
            "new_probs": new,
            "old_probs": np.ones_like(new) if old is None else old,
        }
    return found


def _team(found: dict[str, Any]) -> Inputs:
    new, old = (np.exp(found["log_probs"]), np.exp(found["old_log_probs"])) if "log_probs" in found else (None, None)
    new = found["ratios"] if new is None else new
    ones = np.ones_like(new)
    return {"factor": ones, "active": ones > 0, **found, "new_probs": new, "old_probs": ones if old is None else old}


def _joint(found: dict[str, Any]) -> Inputs:
    if "log_probs" in found:
        return {"own": np.exp(found["log_probs"])}
    return {"policies": [softmax(logits) for logits in found["logits"]], "actions": found["actions"]}


def _first(found: Mapping[str, Any], *names: str) -> Any:
    """Probabilities, from whichever is there: themselves, their logarithms, logits."""
    for name in names:
        if name in found:
            table = found[name]
            if name.endswith("log_probs"):
                return np.exp(table)
            return softmax(table) if name.endswith("logits") else table
    return None


def softmax(logits: Any) -> Any:
    """``exp(ℓ) / Σ exp(ℓ)`` over the last axis."""
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def _policies(found: dict[str, Any]) -> Inputs:
    """Policies and samples of them; what a hook does not take is neutral."""
    inputs = dict(found)
    if "actions" not in found and {"log_probs", "ratios"} & found.keys():  # one column: the action taken
        chosen = np.exp(found["log_probs"]) if "log_probs" in found else found["ratios"]
        inputs |= {"policy": chosen[:, None], "actions": np.zeros(len(chosen), int), "old_probs": np.ones(len(chosen))}
        if "log_probs" in found:
            inputs["old_probs"] = np.exp(found["old_log_probs"])
    else:
        table = _first(found, "policy", "old", "logits", "old_logits", "old_log_probs")
        if "actions" in found and "old_log_probs" in found:
            inputs["old_probs"] = np.exp(found["old_log_probs"])
        if table is not None:
            inputs["policy"] = table
    new = _first(found, "new", "new_log_probs", "new_logits")
    if new is not None:
        inputs["new"] = new
    if "logits" in found:
        inputs["shift"] = (found["logits"] - np.log(inputs["policy"]))[..., :1]
    if "beta" in found and "values" in found:
        inputs["multipliers"] = np.exp(found["values"] / found["beta"])
    shape = np.shape(inputs["policy"]) if "policy" in inputs else np.shape(found["values"])
    defaults = {
        "available": np.ones(shape, bool),
        "weights": np.full(shape[0], 1 / shape[0]),
        "damping": 0.0,
        "factor": np.ones(shape[0]),
        "active": np.ones(shape[0], bool),
        "shift": np.zeros((shape[0], 1)),
    }
    return {**defaults, **inputs}
