"""Sparse transitions: a game's table ``P(s'|s, a)`` as a SciPy matrix ``[S·A, S]``, and what formulas do with it.

Formulas touch ``P`` in three ways only, each of which is one product here; nothing dense of size ``S·A·S`` or ``S·S`` is made::

    Σ_s' P(s'|s, a) v(s')                  expectation of next values          [S, A]
    Σ_a π(a|s) P(s'|s, a)                  the induced chain                   sparse [S, S]
    (I - γP_π) x = b,  (I - γP_π)ᵀ x = b   values and visits                   sweeps or Krylov, with a certificate

``M = I - γP_π`` is an M-matrix: where the rows of ``γP_π`` sum to at most ``c < 1``, ``‖M⁻¹‖_∞ ≤ 1/(1-c)``.  So whatever ``x`` a
solver returns, ``‖x - M⁻¹b‖_∞ ≤ ‖b - Mx‖_∞/(1-c)``, and for ``Mᵀ`` the same holds in the 1-norm.  That bound, rounding errors
included, is :meth:`SparseSystem.error`.  Anything else that a formula asks for needs the dense table, which is made where it is
small and refused, with its size, where it is not.
"""

from __future__ import annotations

from functools import cached_property
from math import ceil, log
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import GameError, SingularError, SolverError

Floats = npt.NDArray[np.float64]

MOST_DENSE = 50_000_000
"""Entries of a dense table that is made where a formula needs one (400 MB)."""
BLOCK = 4_000_000
"""Rows of the table that are weighted by a policy at a time."""
ROUNDING = 2.0**-53
UNDERFLOW = 2.0**-1000
"""More than what underflow loses in any sum of fewer than 2⁶⁰ products."""
ACCURACY = 1e-12
"""Residual that is sought, relative to the right-hand side, but for rounding."""
SWEEPS, SLOWEST = 6, 0.6
"""So many steps of value iteration show what one gains: it is to shrink the residual by this factor at least."""
ROUNDS = 4
"""How often a solver starts anew from what it has."""
STEPS = 2_000
"""Steps of a Krylov method at a time."""


def is_sparse(value: Any) -> bool:
    """Whether this is sparse here."""
    return isinstance(value, (SparseRows, SparseSystem))


def refused(what: str, shape: tuple[int, ...], item: int = 8) -> GameError:
    """The error that says what a dense table would cost."""
    size = float(np.prod(shape, dtype=float)) * item / 1e9
    return GameError(f"{what} needs a dense table {list(shape)} of {size:.3g} GB, which is not made of a sparse game")


class SparseRows:
    """``P`` of shape ``(S, A, S)``, stored as a CSR matrix ``[S·A, S]`` that is never changed."""

    dtype = np.dtype(np.float64)
    ndim = 3

    def __init__(self, matrix: Any, actions: int, rounding: float = 0.0) -> None:
        if getattr(matrix, "format", None) != "csr" or type(actions) is not int or not 0 < actions <= matrix.shape[0]:
            raise GameError(
                f"P needs a matrix [S·A, S] of SciPy in the format CSR and a number of actions, not a {type(matrix).__name__} "
                f"and {actions!r:.60}"
            )
        self.matrix, self.rounding = matrix, rounding
        self.shape: tuple[int, int, int] = (matrix.shape[0] // actions, actions, matrix.shape[1])

    @property
    def size(self) -> int:
        """Entries of the table, zeros included."""
        return int(np.prod(self.shape, dtype=object))

    @property
    def successors(self) -> int:
        """The most entries that a row stores."""
        return int(np.diff(self.matrix.indptr).max(initial=0))

    @cached_property
    def mass(self) -> Floats:
        """``Σ_s' P(s'|s, a)``, ``[S, A]``."""
        ones = np.ones(self.shape[2])
        return np.asarray(self.matrix @ ones).reshape(self.shape[:2])

    def sum(self, axis: int | None = None) -> Any:
        """The sum over the last axis, or over all."""
        if axis == -1:
            return self.mass
        return self.mass.sum() if axis is None else np.asarray(self).sum(axis)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if self.size > MOST_DENSE:
            raise refused("this", self.shape)
        return np.asarray(self.matrix.toarray().reshape(self.shape), dtype)

    def __getitem__(self, index: Any) -> Any:
        """One state's, or one state and action's, rows as a dense table; anything else of the dense whole."""
        states, actions, after = self.shape
        if isinstance(index, (int, np.integer)):
            first = range(states)[index] * actions
            return self.matrix[first : first + actions].toarray()
        if isinstance(index, tuple) and len(index) == 2 and all(isinstance(i, (int, np.integer)) for i in index):
            return self.matrix[range(states)[index[0]] * actions + range(actions)[index[1]]].toarray().reshape(after)
        return np.asarray(self)[index]

    def expect(self, values: Floats) -> Floats:
        """``Σ_s' P(s'|s, a) v(s')`` for ``v`` ``[..., S]``, ``[..., S, A]``."""
        states, actions, after = self.shape
        if values.ndim == 1:
            return np.asarray(self.matrix @ values).reshape(states, actions)
        wide = np.asarray(self.matrix @ values.reshape(-1, after).T)
        return np.asarray(wide.T.reshape(values.shape[:-1] + (states, actions)))

    def averaged(self, weights: Floats) -> SparseSystem:
        """``Σ_a w(a|s) P(s'|s, a)`` for ``w`` ``[S, A]``."""
        import scipy.sparse as sp

        states, actions, _ = self.shape
        if weights.shape != (states, actions):
            raise GameError(f"a sparse game takes one policy at a time, and these are of shape {weights.shape[:-2]}")
        if actions == 1 and (weights == 1).all():
            return SparseSystem(self.matrix)
        step, blocks, widest = max(1, BLOCK // actions), [], 0
        for begin in range(0, states, step):
            some = weights[begin : begin + step]
            rows, columns = np.nonzero(some)
            counts = np.bincount(rows, minlength=len(some))
            widest = max(widest, int(counts.max(initial=0)))
            start = np.concatenate([[0], np.cumsum(counts)])
            mixing = sp.csr_array((some[rows, columns], rows * actions + columns, start), shape=(len(some), some.size))
            blocks.append(mixing @ self.matrix[begin * actions : (begin + len(some)) * actions])
        return SparseSystem(sp.csr_array(sp.vstack(blocks, "csr")), roundings=widest + 1)

    def __repr__(self) -> str:
        return f"SparseRows({self.shape}, {self.matrix.nnz} stored)"


class SparseSystem:
    """A sparse chain ``C`` ``[S, S]`` with entries at least 0, and the system ``I - factor·C`` (:meth:`minus` says the factor).

    ``roundings`` bounds how many roundings stand between the entries of ``C`` and the game's.
    """

    ndim = 2

    def __init__(self, chain: Any, factor: float = 1.0, transposed: bool = False, roundings: int = 0) -> None:
        self.chain, self.factor, self.transposed, self.roundings = chain, factor, transposed, roundings
        self.shape: tuple[int, int] = chain.shape

    def minus(self, factor: float) -> SparseSystem:
        """``I - factor·C``"""
        return SparseSystem(self.chain, float(factor), roundings=self.roundings + 1)

    def swapaxes(self, first: int, second: int) -> SparseSystem:
        """The transposed system."""
        del first, second
        return SparseSystem(self.chain, self.factor, not self.transposed, self.roundings)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """The chain, dense."""
        if self.shape[0] * self.shape[1] > MOST_DENSE:
            raise refused("the chain of a policy", self.shape)
        return np.asarray(self.chain.toarray(), dtype)

    @cached_property
    def _moves(self) -> Any:
        """``C``, or its transpose, as a CSR matrix."""
        return self.chain.T.tocsr() if self.transposed else self.chain

    def times(self, values: Floats) -> Floats:
        """``M x``, where ``M`` is ``I - factor·C`` or its transpose."""
        return np.asarray(values - self.factor * (self._moves @ values))

    @cached_property
    def matrix(self) -> Any:
        """``M`` as a CSR matrix."""
        import scipy.sparse as sp

        return sp.csr_array(sp.eye_array(self.shape[0], format="csr") - self.factor * self._moves)

    @cached_property
    def sums(self) -> Floats:
        """The row sums of ``C``."""
        return np.asarray(self.chain @ np.ones(self.shape[1]))

    @cached_property
    def contraction(self) -> float:
        """``c``: an upper bound of the row sums of ``factor·C``, rounding included."""
        most = int(np.diff(self.chain.indptr).max(initial=0))
        return self.factor * float(self.sums.max(initial=0.0)) * (1 + 2 * (most + self.roundings + 2) * ROUNDING)

    @cached_property
    def inverse(self) -> float:
        """An upper bound of ``‖M⁻¹‖_∞``, or of ``‖M⁻ᵀ‖₁``: ``1/(1-c)``; ∞ where the rows say nothing."""
        return 1 / (1 - self.contraction) * (1 + 4 * ROUNDING) if self.contraction < 1 else np.inf

    def residual(self, found: Floats, right: Floats) -> tuple[float, float]:
        """``‖b - Mx‖`` as computed, and by how much rounding can have hidden more; in the norm of :attr:`inverse`."""
        norm = _total if self.transposed else _largest
        left = right - self.times(found)
        most = int(np.diff(self._moves.indptr).max(initial=0))
        size = norm(right) + (1 + self.contraction) * norm(found)
        hidden = (most + self.roundings + 5) * ROUNDING * size + (UNDERFLOW if size > 0 else 0.0)
        return norm(left), hidden

    def error(self, found: Floats, right: Floats) -> float:
        """A bound of ``‖x - M⁻¹b‖`` (∞-norm; of the transposed system 1-norm), for the game's own numbers."""
        left, hidden = self.residual(found, right)
        return (left + hidden) * self.inverse

    def reaches(self, truth: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """Three-valued: from which states the chain may come to one where ``truth`` ``[S]`` is TRUE."""
        found = np.asarray(truth > 0)
        while True:
            more = found | (self.chain @ found.astype(float) > 0)
            if (more == found).all():
                return np.where(found, np.int8(1), np.int8(-1))
            found = more

    def solve(self, right: Floats) -> Floats:
        """``x`` with ``M x = b``, ``[S, k]``; refined until only rounding is left of the residual."""
        return np.stack([self._solved(column) for column in np.asarray(right, float).T], axis=-1)

    def _solved(self, right: Floats) -> Floats:
        import scipy.sparse.linalg as la

        found, best = np.zeros_like(right), np.inf
        scale = _largest(right)
        if scale == 0:
            return found
        found = self._swept(right, scale)
        for name in ("bicgstab", "gmres", "direct"):
            candidate = found
            for _ in range(ROUNDS):
                left = right - self.times(candidate)
                rest = float(np.linalg.norm(left))
                if rest < best:
                    found, best = candidate, rest
                if rest <= ACCURACY * scale + self._floor(candidate, scale):
                    return found
                options = {"rtol": 0.0, "atol": ACCURACY * scale / 2, "maxiter": STEPS}
                if name == "bicgstab":
                    candidate = candidate + la.bicgstab(self.matrix, left, **options)[0]
                elif name == "gmres":
                    candidate = candidate + la.gmres(self.matrix, left, restart=50, **options | {"maxiter": 20})[0]
                else:
                    candidate = candidate + self._direct(left)
                if not np.isfinite(candidate).all():
                    break
        raise SolverError(
            f"no solver solves this sparse system: the best residual is {best:.2e}, of sides up to {scale:.2e}"
        )

    def _swept(self, right: Floats, scale: float) -> Floats:
        """Value iteration by residuals, as far as it pays: ``x = Σ_k factor^k C^k b``, with ``factor^n C^n b`` left of ``b``.

        Where all rows of ``C`` have the sum ``σ``, ``M 1 = (1 - factor·σ) 1``, so the mean of what is left needs no more steps:
        what else is in it shrinks as fast as the chain forgets where it began.  One step costs little more than its product.
        """
        from scipy.linalg import blas

        found, image, power = np.zeros_like(right), right, 1.0
        mean = float(self.sums.mean())
        if self.transposed or _largest(self.sums - mean) > ACCURACY or self.factor * mean >= 1:
            return found
        before, steps = None, SWEEPS
        while True:
            middle = float(image.sum()) / len(image)
            other = image - middle
            apart, target = power * float(other @ other) ** 0.5, (ACCURACY * scale + self._floor(found, scale)) / 2
            if apart <= target:
                return found + power * middle / (1 - self.factor * mean)
            if before is not None:
                rate = (apart / before) ** (1 / steps)
                if not rate <= SLOWEST:
                    return found
                steps = ceil(log(target / apart) / log(rate))
            before = apart
            for _ in range(steps):
                found = blas.daxpy(image, found, a=power)
                image, power = self._moves @ image, power * self.factor

    def _floor(self, found: Floats, scale: float) -> float:
        """What rounding leaves of a residual, in the 2-norm."""
        return 4 * ROUNDING * (scale + (1 + self.contraction) * float(np.linalg.norm(found)))

    def _direct(self, right: Floats) -> Floats:
        import warnings

        import scipy.sparse.linalg as la

        with warnings.catch_warnings():
            warnings.simplefilter("error", la.MatrixRankWarning)
            try:
                return np.asarray(la.spsolve(self.matrix.tocsc(), right))
            except (la.MatrixRankWarning, RuntimeError):
                raise SingularError("the sparse matrix has no inverse") from None


def _largest(values: Floats) -> float:
    return float(np.abs(values).max(initial=0.0))


def _total(values: Floats) -> float:
    """``‖·‖₁`` from above, in whatever order NumPy adds it up."""
    return float(np.abs(values).sum()) * (1 + len(values) * ROUNDING)


def contract(subscripts: str, *factors: Any) -> Any:
    """:func:`~.functions.contract` where a factor is sparse: the products of the chapter above, else over the dense table."""
    shape = subscripts.replace("...", "")
    if shape == "sat,t->sa":
        return factors[0].expect(np.asarray(factors[1]))
    if shape == "sa,sat->st":
        return factors[1].averaged(np.asarray(factors[0]))
    return np.einsum(subscripts, *(np.asarray(factor) for factor in factors))
