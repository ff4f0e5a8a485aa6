"""Features and log-linear policies.

Every agent ``m`` has features ``φ^m(s, p, a) ∈ R^{d_m}`` with ``‖φ‖₂ ≤ 1``, ``p = a^{1:m-1}``, and its policy
follows its parameters::

    π_θ^m(a | s, p) ∝ exp(φ^m(s, p, a)ᵀ θ^m)

*One-hot* features give every ``(s, p, a)`` a parameter of its own, so that parameters are logits, products with ``φ`` are
reshapes and no identity matrix is ever built.  *Random* and *given* features are arrays ``[..., S, prefixes, A_m, d_m]``.  All
three have the one interface of :class:`Features`.  Source: Section 4, equation (2).

Two actions with features 1 and -1 and parameter log √3 are played at odds 3 : 1:

>>> import numpy as np
>>> features = Features.given([np.array([[[[1.0], [-1.0]]]])])
>>> features.policy([np.array([np.log(3) / 2])]).factors[0].round(6)
array([[[0.75, 0.25]]])
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np

from ..arithmetic import (
    Array,
    Hidden,
    System,
    compare,
    contract,
    identity,
    kind_of,
    lift,
    like,
    sqrt,
    square,
    tilt,
    zeros,
)
from ..arithmetic.explained import explained, explained_class, explained_methods
from ..arithmetic.numbers import bare
from ..errors import GameError
from .agents import prefix_sizes
from .conversion import convert
from .game import Game
from .policy import Policy
from .validation import (
    FLOAT_TOLERANCE,
    arrays_of,
    at,
    first,
    freeze,
    require_count,
    require_finite,
    require_seed,
    unchecked,
)

MAX_RANDOM = 20_000_000
"""Numbers of random features."""

Parameters = Sequence[Array]
"""``(θ^1, ..., θ^N)``, each ``[..., d_m]``."""
Decomposition = tuple[Array | None, Array, Array | None]
"""``√W φ = U diag(σ) Vᵀ`` as ``(U, σ, V)``; None stands for an identity."""


@explained_methods
@explained_class
@dataclass(frozen=True, eq=False, repr=False)
class Features(ABC):
    """Features of every agent, for ``states`` states and agents with ``action_sizes`` actions, in one number ``system``.

    Build them with :meth:`tabular`, :meth:`product`, :meth:`random` or :meth:`given`.  A *point* of agent ``m`` is the index of
    ``(s, p, a)`` in row-major order, that is ``s·|A_1|···|A_m| + (index of a^{1:m})``.  Agents are counted from 0 here, as in
    ``policy.factors``.
    """

    states: int
    action_sizes: tuple[int, ...]
    system: System

    def __post_init__(self) -> None:
        system: object = self.system
        if not isinstance(system, (System, Hidden)):
            raise GameError(f"system = {system!r:.60} is no number system, such as mv.System.RATIONALS")

    # -- constructors -------------------------------------------------------------------------------------------------

    @staticmethod
    @explained
    def tabular(game: Game) -> TabularFeatures:
        """One-hot features of every ``(s, p, a)``: any factor of full support is log-linear in them."""
        return TabularFeatures(game.states, game.action_sizes, game.system)

    @staticmethod
    @explained
    def product(game: Game) -> GivenFeatures:
        """One-hot features of ``(s, a)`` that ignore the prefix: agents that do not see each other's actions, ``d_m = S·A_m``.

        Every product policy of full support is log-linear in them, and nothing else is.
        """
        tables = []
        for prefixes, size in zip(prefix_sizes(game.action_sizes), game.action_sizes, strict=False):
            one_hot = np.eye(game.states * size, dtype=int).reshape(game.states, 1, size, -1)
            tables.append(like(np.repeat(one_hot, prefixes, axis=1), game.system))
        return Features.given(tables)

    @staticmethod
    @explained
    def random(game: Game, dimension: int, seed: int = 0) -> GivenFeatures:
        """Directions drawn uniformly, of norm just below 1, ``dimension`` for every agent; the seed makes them reproducible."""
        require_count("the dimension of features", dimension)
        require_seed(seed)
        generator = np.random.default_rng(seed)
        prefixes = prefix_sizes(game.action_sizes)
        entries = game.states * dimension * sum(prefixes[1:])
        if entries > MAX_RANDOM:
            raise GameError(f"{dimension} random features need {entries} numbers; the limit is {MAX_RANDOM}")
        tables = [
            generator.standard_normal((game.states, p, size, dimension))
            for p, size in zip(prefixes, game.action_sizes, strict=False)
        ]
        unit = [(1 - 2.0**-40) * table / sqrt(square(table).sum(-1, keepdims=True)) for table in tables]
        return Features.given([convert(table, game.system) for table in unit])

    @staticmethod
    @explained
    def given(tables: Sequence[Any]) -> GivenFeatures:
        """The user's own: ``tables[m]`` is ``φ^{m+1}``, of shape ``[..., S, prefixes, A_{m+1}, d_{m+1}]``.

        Raises :class:`~mappo_verify.errors.GameError`, naming index and value, for a wrong shape, a number that is not finite, or
        a norm above 1.
        """
        if not len(tables):
            raise GameError("features need at least one agent")
        system, arrays = arrays_of(**{f"features[{m}]": table for m, table in enumerate(tables)})
        for name, table in arrays.items():
            if table.ndim < 4 or 0 in table.shape[-4:]:
                raise GameError(
                    f"{name} has shape {table.shape}; it needs [..., S, prefixes, actions, d], none of them 0"
                )
        sizes = tuple(int(table.shape[-2]) for table in arrays.values())
        states = int(next(iter(arrays.values())).shape[-4])
        for (name, table), prefixes in zip(arrays.items(), prefix_sizes(sizes), strict=False):
            if table.shape[-4:-2] != (states, prefixes):
                raise GameError(
                    f"{name} has shape {table.shape}; it needs [..., S, prefixes, actions, d] = "
                    f"[..., {states}, {prefixes}, {table.shape[-2]}, d]"
                )
            _require_short(name, table)
        return GivenFeatures(states, sizes, system, tuple(freeze(table, 4, system) for table in arrays.values()))

    # -- what one can do with them ------------------------------------------------------------------------------------

    @cached_property
    @abstractmethod
    def dimensions(self) -> tuple[int, ...]:
        """``(d_1, ..., d_N)``"""

    @abstractmethod
    def scores(self, agent: int, parameters: Array) -> Array:
        """``φᵀθ``: from ``[..., d]`` to ``[..., S, prefixes, A_m]``."""

    @abstractmethod
    def transposed(self, agent: int, table: Array) -> Array:
        """``Σ_{s,p,a} φ(s, p, a) f(s, p, a)``: from ``[..., S, prefixes, A_m]`` to ``[..., d]``."""

    @abstractmethod
    def matrix(self, agent: int) -> Array:
        """``φ`` with all points on one axis, ``[..., S·prefixes·A_m, d]``; for one-hot features the identity."""

    @abstractmethod
    def inner(self, agent: int, parameters: Array, points: Array) -> Array:
        """``φ(x_b)ᵀθ_b`` for one point ``x_b`` a row: ``[B, d]`` and ``[B]`` to ``[B]``."""

    @abstractmethod
    def moved(self, agent: int, parameters: Array, points: Array, amounts: Array) -> Array:
        """``θ_b + c_b φ(x_b)``, ``[B, d]``."""

    @abstractmethod
    def decompose(self, agent: int, root_weights: Array) -> Decomposition:
        """The singular value decomposition of ``√w(x) φ(x)`` ``[..., X, d]``, on floats; ``√w`` is ``[..., X]``."""

    @abstractmethod
    def converted(self, target: System) -> Features:
        """These features in another number system."""

    def zero(self, agent: int, batch: tuple[int, ...] = ()) -> Array:
        """``θ = 0``, shape ``[*batch, d]``: the uniform policy."""
        return zeros((*batch, self.dimensions[agent]), self.system)

    def policy(self, parameters: Parameters) -> Policy:
        """``π_θ``, with every factor ``∝ exp(φᵀθ)``; ``parameters[m]`` is ``θ^{m+1}``, ``[..., d_{m+1}]``.

        On rationals the scores must be logarithms of rationals.
        """
        if len(parameters) != len(self.action_sizes):
            raise GameError(f"{len(parameters)} parameter vectors were given for {len(self.action_sizes)} agents")
        for m, theta in enumerate(parameters):
            if theta.ndim < 1 or theta.shape[-1] != self.dimensions[m]:
                raise GameError(f"parameters[{m}] has shape {theta.shape}; it needs [..., {self.dimensions[m]}]")
            require_finite(f"parameters[{m}]", theta)
        return self.follow(parameters)

    def follow(self, parameters: Parameters) -> Policy:
        """:meth:`policy` without checking the parameters; rows of a softmax need no checking anyway."""
        factors = self._softmax(parameters)
        for factor in factors:
            np.asarray(factor).setflags(write=False)
        return unchecked(Policy, factors=factors, system=self.system)

    def require_fits(self, game: Game) -> None:
        """Raise :class:`GameError` unless these are features for ``game``, in its number system."""
        if (self.states, self.action_sizes) != (game.states, game.action_sizes):
            raise GameError(
                f"the features are for {self.states} states and action sizes {self.action_sizes}, "
                f"the game has {game.states} and {game.action_sizes}"
            )
        if bare(self.system) is not bare(game.system):
            raise GameError(f"the game is in {game.system.value}, the features in {self.system.value}; convert one")

    def _softmax(self, parameters: Parameters) -> tuple[Array, ...]:
        """Every agent's factor."""
        one = like([1], self.system)
        return tuple(tilt(one, self.scores(m, theta)) for m, theta in enumerate(parameters))

    @cached_property
    def shapes(self) -> tuple[tuple[int, int, int], ...]:
        """``(S, prefixes, A_m)`` of every agent."""
        sizes = zip(prefix_sizes(self.action_sizes), self.action_sizes, strict=False)
        return tuple((self.states, prefixes, size) for prefixes, size in sizes)

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f"{kind}({self.states} states, actions {self.action_sizes}, d = {self.dimensions}, {self.system.value})"


def _require_short(name: str, table: Array) -> None:
    """Finite, and of norm at most 1 (floats: by more than rounding); a ball is refused only where it certainly is too long."""
    require_finite(name, table)
    squares = np.asarray(square(table).sum(-1))
    slack = 2 * FLOAT_TOLERANCE if kind_of(table) == "f" else 0
    long = compare(squares, ">", like(1, squares) + slack) > 0
    if long.any():
        raise GameError(
            f"‖{name}‖²{at(first(long, squares))} is more than 1; features have norm at most 1, so rescale them"
        )


@explained_methods
@dataclass(frozen=True, eq=False, repr=False)
class TabularFeatures(Features):
    """One-hot features; see :meth:`Features.tabular`."""

    @cached_property
    def dimensions(self) -> tuple[int, ...]:
        """``d_m = S·|A_1|···|A_m|``"""
        return tuple(self.states * prefixes for prefixes in prefix_sizes(self.action_sizes)[1:])

    def scores(self, agent: int, parameters: Array) -> Array:
        """``φᵀθ = θ``, given its axes."""
        return parameters.reshape(parameters.shape[:-1] + self.shapes[agent])

    def _softmax(self, parameters: Parameters) -> tuple[Array, ...]:
        """Single tables of agents with equally many actions share one softmax, with the actions outermost in memory meanwhile.

        It is five times as fast as one by one in the usual order (``benchmarks/bench_algorithms.py``).
        """
        if any(theta.ndim > 1 for theta in parameters):
            return super()._softmax(parameters)
        one, factors = like([1], self.system), list(parameters)
        for size, places in self._by_actions:
            rows = np.concatenate([parameters[m] for m, _ in places]).reshape(-1, size)
            table = np.ascontiguousarray(tilt(one, np.ascontiguousarray(rows.T).T))
            for m, place in places:
                factors[m] = table[place].reshape(self.shapes[m])
        return tuple(factors)

    def transposed(self, agent: int, table: Array) -> Array:
        """``Σ φ f = f``, on one axis."""
        return table.reshape(table.shape[:-3] + (self.dimensions[agent],))

    @cached_property
    def _by_actions(self) -> list[tuple[int, list[tuple[int, slice]]]]:
        """``(A_m, [(m, its rows (s, p) among those of all such agents), ...])`` for every number of actions."""
        groups = []
        for size in set(self.action_sizes):
            agents = [m for m, own in enumerate(self.action_sizes) if own == size]
            ends = tuple(accumulate((self.dimensions[m] // size for m in agents), initial=0))
            groups.append((size, [(m, slice(*ends[i : i + 2])) for i, m in enumerate(agents)]))
        return groups

    def matrix(self, agent: int) -> Array:
        """The identity matrix."""
        return identity(self.dimensions[agent], self.system)

    def inner(self, agent: int, parameters: Array, points: Array) -> Array:  # noqa: ARG002 - one interface
        """``θ_b[x_b]``"""
        return np.asarray(parameters[np.arange(len(points)), points])

    def moved(self, agent: int, parameters: Array, points: Array, amounts: Array) -> Array:  # noqa: ARG002 - one interface
        """``θ_b`` with ``c_b`` added at ``x_b``."""
        result = np.array(parameters)
        result[np.arange(len(points)), points] += amounts
        return result

    def decompose(self, agent: int, root_weights: Array) -> Decomposition:  # noqa: ARG002 - one interface
        """``√W I = I diag(√w) I``"""
        return None, root_weights, None

    def converted(self, target: System) -> TabularFeatures:
        """The same, in another number system."""
        return replace(self, system=target)


@explained_methods
@dataclass(frozen=True, eq=False, repr=False)
class GivenFeatures(Features):
    """Features from arrays, validated by :meth:`Features.given`."""

    tables: tuple[Array, ...]

    @cached_property
    def dimensions(self) -> tuple[int, ...]:
        """The last axis of every table."""
        return tuple(int(table.shape[-1]) for table in self.tables)

    def scores(self, agent: int, parameters: Array) -> Array:
        """``φᵀθ`` by contraction."""
        return contract("...spad,...d->...spa", self.tables[agent], parameters)

    def transposed(self, agent: int, table: Array) -> Array:
        """``Σ φ f`` by contraction."""
        return contract("...spad,...spa->...d", self.tables[agent], table)

    def matrix(self, agent: int) -> Array:
        """The table with its points on one axis."""
        table = self.tables[agent]
        return table.reshape(table.shape[:-4] + (-1, table.shape[-1]))

    def inner(self, agent: int, parameters: Array, points: Array) -> Array:
        """Row by row."""
        return np.asarray((self._rows(agent, points) * parameters).sum(-1))

    def moved(self, agent: int, parameters: Array, points: Array, amounts: Array) -> Array:
        """Row by row."""
        return np.asarray(parameters + amounts[:, None] * self._rows(agent, points))

    def _rows(self, agent: int, points: Array) -> Array:
        """``φ(x_b)``, ``[B, d]``."""
        matrix = self.matrix(agent)
        if matrix.ndim == 2:
            return np.asarray(matrix[points])
        return np.asarray(matrix.reshape(-1, *matrix.shape[-2:])[np.arange(len(points)), points])

    def decompose(self, agent: int, root_weights: Array) -> Decomposition:
        """By LAPACK."""
        left, singular, right = np.linalg.svd(lift(root_weights, 1) * self.matrix(agent), full_matrices=False)
        return left, singular, np.swapaxes(right, -1, -2)

    def converted(self, target: System) -> GivenFeatures:
        """Every entry as the number that it is; norms are not checked again, so rounding of 1e-9 above 1 survives."""
        return replace(self, system=target, tables=tuple(convert(table, target) for table in self.tables))
