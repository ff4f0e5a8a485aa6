"""Unavailable actions: masks of agents, and what an unavailable action stands for.

A mask says which actions an agent has in a state.  Tables keep one entry for every action; the entry of an unavailable one is a
*copy* of an available one's, the agent's first in that state.  So maxima, minima and ranges over actions are those over available
actions, without penalties that would distort them, and what an environment does with a forbidden action is defined.

>>> masks = masks_of([[[True, True], [False, True]]], 2, (2,))
>>> substitutes_of(masks).tolist()
[[0, 1], [1, 1]]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import GameError
from .validation import plain_array

Masks = tuple[npt.NDArray[np.bool_], ...]


def masks_of(available: Any, states: int, action_sizes: Sequence[int]) -> Masks:
    """One mask ``[S, A_m]`` for every agent, checked and read-only; zeros and ones are accepted."""
    if not isinstance(available, (tuple, list)) or len(available) != len(action_sizes):
        raise GameError(f"available needs one mask [S, A_m] for each of the {len(action_sizes)} agents")
    masks = []
    for m, (given, size) in enumerate(zip(available, action_sizes, strict=True)):
        mask = plain_array(given, f"available[{m}]")
        if mask.shape != (states, size):
            raise GameError(f"available[{m}] has shape {mask.shape}; it needs [S, A_{m + 1}] = {(states, size)}")
        if mask.dtype.kind != "b" and not ((mask == 0) | (mask == 1)).all():
            raise GameError(f"available[{m}] has entries other than True and False")
        mask = mask == 1
        if not mask.any(-1).all():
            state = int(np.argmin(mask.any(-1)))
            raise GameError(f"available[{m}] leaves agent {m + 1} no action in state {state}")
        mask.setflags(write=False)
        masks.append(mask)
    return tuple(masks)


def substitutes_of(masks: Masks) -> npt.NDArray[np.intp]:
    """The available joint action that each joint action is, or is a copy of, ``[S, A]``."""
    joint = np.zeros((len(masks[0]), 1), np.intp)
    for mask in masks:
        size = mask.shape[-1]
        own = np.where(mask, np.arange(size), np.argmax(mask, axis=-1)[:, None])
        joint = (joint[:, :, None] * size + own[:, None, :]).reshape(len(mask), -1)
    return joint


def joint_mask(masks: Masks) -> npt.NDArray[np.bool_]:
    """Which joint actions are available, ``[S, A]``."""
    found = substitutes_of(masks)
    return np.asarray(found == np.arange(found.shape[-1]))
