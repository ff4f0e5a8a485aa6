"""Divergences as libraries estimate them: averaged over states, and from one sample.

Both directions occur: PPO's penalty is ``KL(π_old‖π_new)``, mirror descent's ``KL(π_new‖π_old)``.  From an action ``x ~ p`` with
``r = q(x)/p(x)`` come three usual estimates of ``KL(p‖q)``::

    k1 = -log r                 unbiased
    k2 = (log r)²/2             biased
    k3 = r - 1 - log r          unbiased where p plays whatever q does, and never negative

Source: Schulman (2020), Approximating KL divergence.

Even odds against 1 : 3.  KL = log 2 - log(3)/2, which k3 hits on average and k2 does not:

>>> import numpy as np
>>> p, q = np.array([0.5, 0.5]), np.array([0.25, 0.75])
>>> [float(expected_estimate(p, k(p, q)).round(4)) for k in (kl_estimate_k1, kl_estimate_k2, kl_estimate_k3)]
[0.1438, 0.1612, 0.1438]
"""

from __future__ import annotations

from ..arithmetic import Array, choose, contract, denominator, divide, like, square, support, xlogy
from ..arithmetic.explained import explained
from ..arithmetic.floats import log_excess
from ..arithmetic.system import are_floats
from .divergence import kl_divergence


@explained
def average_kl(weights: Array, left: Array, right: Array) -> Array:
    """``Σ_{s,p} w(s, p) KL(f(·|s, p)‖g(·|s, p))``, nats, shape ``[...]``.

    ``left`` and ``right`` are factors ``f`` and ``g`` ``[..., S, P, A]``, ``weights`` ``[..., S, P]``; the order matters.
    """
    return contract("...sp,...sp->...", weights, kl_divergence(left, right))


@explained
def kl_estimate_k1(left: Array, right: Array) -> Array:
    """``-log r`` at every action, shape ``[..., A]``; ``left`` is ``p``, from which actions are drawn, ``right`` is ``q``.

    Where ``p`` is 0 it is 0: nothing is drawn there.  Where only ``q`` is 0 it is infinite, an error on rationals.
    """
    return _log_ratio(left, right)


@explained
def kl_estimate_k2(left: Array, right: Array) -> Array:
    """``(log r)²/2`` at every action, shape ``[..., A]``; on average not ``KL(p‖q)``.

    Raises :class:`~mappo_verify.errors.ExactnessError` on rationals, where the square of a logarithm has no formal value.
    """
    return square(_log_ratio(left, right)) / 2


@explained
def kl_estimate_k3(left: Array, right: Array) -> Array:
    """``r - 1 - log r`` at every action, shape ``[..., A]``, at least 0.

    On average ``KL(p‖q)`` less what ``q`` plays where ``p`` does not.
    """
    if are_floats((left, right)):
        return log_excess(left, right)  # type: ignore[arg-type]
    ratio = choose(support(left), right / denominator(left), like(1, left))
    return ratio - 1 + _log_ratio(left, right)


@explained
def expected_estimate(left: Array, estimate: Array) -> Array:
    """``E_{x ~ p} k(x)`` over the last axis; ``left`` is ``p``."""
    return (left * estimate).sum(-1)


def _log_ratio(left: Array, right: Array) -> Array:
    """``-log r = log(p/q)``, and 0 where ``p`` is 0."""
    return xlogy(choose(support(left), like(1, left), like(0, left)), divide(left, right))
