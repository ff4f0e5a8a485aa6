"""Linear systems of enclosures: solved in floats, whatever the errors, and verified afterwards."""

from __future__ import annotations

import numpy as np

from .kernels import TINY, UP, Enclosure, Floats, shape_of, widening
from .making import require_ieee
from .numpy_kernels import product_sum, refined, solution
from .operations import bounds, is_zero, kernels_for, sub


def solve(a: Enclosure, b: Enclosure) -> Enclosure:
    """``x`` with ``A x = b`` for every matrix ``[n, n, B]`` and right side ``[n, k, B]`` enclosed.

    An approximation ``x̃`` is improved once by its residual, and verified: if ``⟨A⟩ v ≥ w > 0`` for some ``v > 0``, where
    ``⟨A⟩`` is Ostrowski's comparison matrix, then ``⟨A⟩⁻¹ ≥ 0``, ``A`` is regular with ``|A⁻¹| ≤ ⟨A⟩⁻¹``, and

        ``|x - x̃| ≤ ⟨A⟩⁻¹ |b - A x̃| ≤ v · max_i |b - A x̃|_i / w_i``.

    ``v ≈ A⁻¹ 1`` is enough for M-matrices, as ``I - γP`` and its transpose are.  Other systems are multiplied by an approximate
    inverse first.  Exact zeros that follow from the zeros of ``A`` and ``b`` stay exact.  A system that is not certainly
    regular says nothing.
    """
    require_ieee()
    left, right = shape_of(a), shape_of(b)
    if len(left) != 3 or len(right) != 3 or left[0] != left[1] or left[0] != right[0]:
        raise ValueError(f"a matrix [n, n, B] and right sides [n, k, B] are needed, not {left} and {right}")
    batch = np.broadcast_shapes(left[-1:], right[-1:])[0]
    a, b = full(a, batch), full(b, batch)
    with np.errstate(all="ignore"):
        return finish(a, b, kernels_for(a).solve_dominant(a, b))


def _solve_by_inverse(a: Enclosure, b: Enclosure) -> Enclosure:
    """Systems of any regular matrices.

    With ``R ≈ A⁻¹`` and ``α = max_i Σ_j |I - R A|_ij < 1``, ``A`` is regular and the norm of ``(RA)⁻¹ - I`` is at most
    ``α/(1 - α)``, so ``|x - x̃|_i ≤ y_i + α/(1 - α) max y`` with ``y = |R| |b - A x̃|``.
    """
    n = shape_of(a)[0]
    stacked = np.moveaxis(a[0], -1, 0)
    try:
        found = np.linalg.inv(stacked)
    except np.linalg.LinAlgError:
        found = np.linalg.pinv(stacked)
    inverse: Floats = np.ascontiguousarray(np.moveaxis(found, 0, -1), dtype=np.float64)
    exact: Enclosure = (inverse, np.zeros(inverse.shape))

    def approximate(right: Floats) -> Floats:
        return np.asarray(np.einsum("ijZ,jkZ->ikZ", inverse, right))

    x, correction, residual = refined(a, b, approximate)
    identity = np.eye(n)[..., None]
    off = sub((identity, np.zeros_like(identity)), product_sum(("ij", "jk"), "ik", (exact, a)))
    alpha = ((np.abs(off[0]) + off[1]).sum(1) * widening(n)).max(0, initial=0.0)
    room = np.where(alpha < 0.5, 1 - alpha, np.nan)
    y = product_sum(("ij", "jk"), "ik", ((np.abs(inverse), exact[1]), (residual, np.zeros_like(residual))))
    y_top = bounds(y)[1]
    most = alpha / room * UP * y_top.max(0, initial=0.0) + np.where((alpha > 0) & (y_top > 0).any(0), TINY, 0.0)
    return solution(x, correction, (y_top + most) * UP)


def finish(a: Enclosure, b: Enclosure, found: Enclosure) -> Enclosure:
    """The last two steps of :func:`solve`: systems that are not confirmed yet, and exact zeros.

    Where ``b`` is exactly 0 on a set of rows, and these rows of ``A`` are exactly 0 outside the set, the solution is 0 on the
    set, because ``A`` is regular: visits of states that are not reached are exactly 0.
    """
    mid, rad = found
    lost = ~(rad < np.inf).all((0, 1))
    lost &= np.isfinite(a[0]).all((0, 1)) & (a[1] < np.inf).all((0, 1))
    lost &= np.isfinite(b[0]).all((0, 1)) & (b[1] < np.inf).all((0, 1))
    if lost.any():
        again = _solve_by_inverse((a[0][..., lost], a[1][..., lost]), (b[0][..., lost], b[1][..., lost]))
        mid[..., lost], rad[..., lost] = again
    reached = ~is_zero(b)
    if not reached.all():
        linked = ~is_zero(a)
        while True:
            more = reached | (linked[:, :, None] & reached[None]).any(1)
            if (more == reached).all():
                break
            reached = more
        zero = ~reached & (rad < np.inf)
        mid[zero], rad[zero] = 0.0, 0.0
    return mid, rad


def full(a: Enclosure, batch: int) -> Enclosure:
    """Both parts with the batch written out, contiguous."""
    mid, rad = (np.ascontiguousarray(np.broadcast_to(part, (*part.shape[:-1], batch))) for part in a)
    return mid, rad
