"""The linear critics of Definition 5.1.

::

    F^m = { φᵀw : ‖w‖₂ ≤ L,  0 ≤ φ(s, a^{1:m})ᵀw ≤ 1/(1-γ) everywhere }

A critic is named by its weights.  Remark 5.2 asks that ``F^m`` contain ``Q^{1:m}_π`` (realizability); completeness asks that
it contain ``T^{1:m}_π f`` with ``f``.  Neither follows from the definition, so both are computed.
Source: Definition 5.1, Remark 5.2.

>>> import numpy as np
>>> critics = LinearClass(np.array([[0.5], [1.0]]), 10.0, 2.0)
>>> critics.contains(np.array([[1.0], [3.0], [-1.0]]))
array([ 1, -1, -1], dtype=int8)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..arithmetic import Array, Truth, both, compare, contract, every, lift, like, square, true_everywhere
from ..arithmetic.explained import explained_class, over_arrays
from ..errors import GameError
from ..model.validation import array_of, require_finite


@explained_class
@dataclass(frozen=True, eq=False)
class LinearClass:
    """``F^m`` for features ``[..., X, d]`` (one row a point ``(s, a^{1:m})``), radius ``L > 0`` and ceiling ``1/(1-γ) > 0``."""

    features: Array
    radius: Any
    ceiling: Any

    def __post_init__(self) -> None:
        require_finite("the features", self.features)
        for name, value in (("the radius L", self.radius), ("the ceiling 1/(1-γ)", self.ceiling)):
            number = array_of(value, name)
            require_finite(name, number)
            if not true_everywhere(compare(number, ">", like(0, number))):
                raise GameError(f"{name} = {number.ravel()[0]} is not positive, so the class is empty or {{0}}")

    def values(self, weights: Array) -> Array:
        """``φᵀw`` at every point, ``[..., X]``."""
        return contract("...xd,...d->...x", self.features, weights)

    @over_arrays
    def contains(self, weights: Array) -> Truth:
        """Whether ``φᵀw`` is in the class by these very weights, ``[...]``."""
        values, norm = self.values(weights), square(weights).sum(-1)
        inside = both(compare(values, "≥", like(0, values)), compare(values, "≤", lift(self.ceiling, 1)))
        return both(every(inside), compare(norm, "≤", square(self.radius)))
