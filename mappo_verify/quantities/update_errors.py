"""What errors of the fit and of the critic cost, as Theorem 4.5 prints it.

::

    Δ = √2 (φ^m + φ^{m-1}) (ε + ε̂/β)        δ = 2 φ^{m-1} ε

``ε`` is the root mean square error of the fit, ``ε̂`` that of the critic, both under ``σ_k``.  Source: Theorem 4.5.

``φ^m = 2`` and ``φ^{m-1} = 1`` cost ``3√2`` and 2 per unit of error:

>>> import numpy as np
>>> print(propagation(np.array(2.0), np.array(1.0)).round(4), residual(np.array(1.0)))
4.2426 2.0
"""

from __future__ import annotations

import numpy as np

from ..arithmetic import Array, like, sqrt


def propagation(above: Array, below: Array) -> Array:
    """``√2 (φ^m + φ^{m-1})``: what ``Δ`` multiplies an error with; ``above`` is ``φ^m``, ``below`` ``φ^{m-1}``, any shape."""
    return np.asarray(sqrt(like(2, above)) * (np.asarray(above) + np.asarray(below)))


def residual(below: Array) -> Array:
    """``2 φ^{m-1}``: what ``δ`` multiplies the fit's error with; Lemma B.4, on which it rests, is false."""
    return np.asarray(2 * np.asarray(below))
