"""Data for pessimistic evaluation, drawn by the paper's protocol.

Agent ``m`` asks about ``Q^{1:m}`` of the current policy, so the agents after it must follow that policy.  One draw of ``D^m``::

    s ~ μ_s,   a^{1:m} ~ μ_a(·|s),   a^{m+1:N} ~ π_k(·|s, a^{1:m}),   (r, s') from the sampling oracle

and ``D^m`` holds ``n`` of them.  As ``π_k`` changes, it is drawn anew in every iteration, for every agent: ``nKN`` draws in all.

Order does not matter to anything that is computed from ``D^m``, so equal draws are counted together.  There are finitely
many *outcomes* ``(s, a, s')``, whose counts in ``n`` draws are multinomial; where there are fewer outcomes than draws, the counts
are drawn at once, which is faster and has the same law.  With infinitely many draws the frequencies are the chances themselves:
that is the *population*.  Source: Section 5, Definition 5.3.

>>> import numpy as np
>>> from mappo_verify.games.offline import theorem_5_5_one_agent
>>> problem = theorem_5_5_one_agent().floats()
>>> policy = problem.features.policy([np.zeros(4)])
>>> data = draw_dataset(problem, policy, 1, 1000, np.random.default_rng(0))
>>> data.counts, data.rows.following
(array([269, 245, 109, 116, 115,  93,  30,  23]), array([3, 4, 1, 1, 3, 3, 3, 3]))
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from ..arithmetic import Array, System, contract, like, support, system_of, zeros
from ..arithmetic.explained import explained, explained_class, over_arrays
from ..errors import GameError
from ..games.offline import OfflineProblem
from ..model import Policy
from ..model.agents import extend, prefix_sizes
from ..model.validation import require_count
from ..quantities.bellman_error import Moments
from .sampling import ENDED, Generator, Places, SamplingOracle, cumulative, draw


@dataclass(frozen=True, eq=False)
class Rows:
    """Quadruples ``(s, a^{1:m}, r, s')`` that agent ``m`` may see, one a row; ``...`` are repetitions.

    The actions ``a^{m+1:N}`` that the policy drew are kept as well, so that the data can be checked against its law.

    Attributes
    ----------
    problem : OfflineProblem
        Whose game was played.
    m : int
        The agent, counted from 1.
    pairs : Array
        The joint ``(s, a)`` as ``s·|A| + a``, ``[..., rows]``.
    rewards : Array
        ``r``, ``[..., rows]``.
    following : Array
        ``s'``, or :data:`~mappo_verify.algorithms.sampling.ENDED`, ``[..., rows]``.
    """

    problem: OfflineProblem
    m: int
    pairs: Places
    rewards: Array
    following: Places

    @cached_property
    def points(self) -> Places:
        """``(s, a^{1:m})`` as ``s·|A_1|···|A_m| + (index of a^{1:m})``, ``[..., rows]``."""
        return self.pairs // _later(self.problem, self.m)

    @cached_property
    def moves(self) -> Places:
        """``(s, a^{1:m}, s')`` as ``(point)·(S + 1) + s'``, the last ``s'`` for the end, ``[..., rows]``."""
        return self.with_next(self.points)

    def with_next(self, places: Places) -> Places:
        """Places with ``s'`` beside them, ``S + 1`` to each."""
        columns = self.problem.game.states + 1
        return places * columns + self.following % columns  # ENDED = -1 is the last column


@explained_class
@dataclass(frozen=True, eq=False)
class Dataset:
    """``D^m``: rows, and how often each of them occurs.

    Attributes
    ----------
    rows : Rows
    counts : Array
        How often the row was drawn, ``[..., rows]``, 0 included; of a population, its chance.
    """

    rows: Rows
    counts: Array

    @property
    def problem(self) -> OfflineProblem:
        """Whose game was played."""
        return self.rows.problem

    @property
    def m(self) -> int:
        """The agent, counted from 1."""
        return self.rows.m

    @cached_property
    @over_arrays
    def weights(self) -> Array:
        """``counts`` divided by their sum ``n``, ``[..., rows]``."""
        return self.counts / self.counts.sum(-1, keepdims=True)

    def frequencies(self) -> Array:
        """How often each ``(s, a, s')`` occurs, ``[..., S, A, S + 1]``, the last column for the end; they sum to 1."""
        game = self.problem.game
        shape = game.states, game.actions, game.states + 1
        table = self._sums(self.rows.with_next(self.rows.pairs), prod(shape), self.weights)
        return table.reshape(*table.shape[:-1], *shape)

    def moments(self, averages: Array) -> Moments:
        """``Σ``, ``A`` and ``b`` under these data, from ``averages`` = ``φ(s, π^{1:m})`` ``[..., S, d]``; after the end it is 0.

        Draws at the same point ``(s, a^{1:m})`` are taken together: with ``M`` the frequencies by point and ``s'``, and
        ``D = diag(M1)``, these are ``Σ = ΦᵀDΦ`` and ``A = Σ - γΦᵀMφ(·, π^{1:m})``.
        """
        game, features = self.problem.game, self.problem.features.matrix(self.m - 1)
        points, columns = len(features), game.states + 1
        moves = self._sums(self.rows.moves, points * columns, self.weights)
        moves = moves.reshape(*moves.shape[:-1], points, columns)
        rewards = self._sums(self.rows.points, points, self.weights * self.rows.rewards)
        gram = _product(features.T, moves.sum(-1)[..., None] * features)
        forward = _product(features.T, _product(moves[..., :-1], averages))
        return Moments(gram, gram - game.discount * forward, contract("xd,...x->...d", features, rewards))

    @staticmethod
    def _sums(cells: Places, count: int, amounts: Array) -> Array:
        """The amounts ``[..., rows]`` summed by cell, ``[..., count]``."""
        batch = prod(amounts.shape[:-1])
        if amounts.ndim > 1:  # every repetition has cells of its own
            cells = (
                np.broadcast_to(cells, amounts.shape).reshape(batch, -1) + count * np.arange(batch)[:, None]
            ).ravel()
        if system_of(amounts) is System.FLOATS:
            table = np.bincount(cells, amounts.reshape(-1), batch * count)
        else:
            table = np.array(zeros(batch * count, amounts))
            np.add.at(table, cells, amounts.reshape(-1))
        return table.reshape(*amounts.shape[:-1], count)

    @over_arrays
    def targets(self, values: Array) -> Array:
        """``r + γ v(s')`` for state values ``v`` ``[..., S]``, with ``v = 0`` after the end; ``[..., rows]``."""
        return self.rows.rewards + self.problem.game.discount * self.at_next(values[..., None])[..., 0]

    def at_next(self, rows: Array) -> Array:
        """Rows of ``[..., S, d]`` at every ``s'``, 0 after the end, ``[..., rows, d]``."""
        ended = np.broadcast_to(like(0, rows), (*rows.shape[:-2], 1, rows.shape[-1]))
        extended = np.concatenate([rows, ended], axis=-2)  # so that the index -1 of the end finds it
        following = self.rows.following
        if following.ndim == 1:
            return extended[..., following, :]
        over = following == ENDED
        places = np.where(over, rows.shape[-2], following)
        return np.take_along_axis(extended, places[..., None], axis=-2)


@dataclass(frozen=True, eq=False)
class Outcomes(Rows):
    """Every ``(s, a, s')`` that a draw of ``D^m`` can be, with the chance that does not depend on the policy.

    Attributes
    ----------
    fixed : Array
        ``μ(s, a^{1:m}) P(s'|s, a)``, ``[rows]``; times ``π(a^{m+1:N}|s, a^{1:m})`` it is the chance of the row.
    """

    fixed: Array

    def companions(self, policy: Policy) -> Array:
        """``π(a^{m+1:N} | s, a^{1:m})``, ``[..., S, A]``."""
        first = policy.factors[0]
        sizes = prefix_sizes(policy.action_sizes)
        table: Array = np.broadcast_to(like(1, policy.system), (*first.shape[:-2], sizes[self.m]))
        for factor in policy.factors[self.m :]:
            table = extend(table, factor)
        return table

    @over_arrays
    def chances(self, policy: Policy) -> Array:
        """The chance of every row, ``[..., rows]``; they sum to 1."""
        if self.m == policy.agents:
            return np.broadcast_to(self.fixed, (*policy.batch_shape, len(self.fixed)))
        table = self.companions(policy)
        return self.fixed * table.reshape(*table.shape[:-2], -1)[..., self.pairs]


def outcomes_of(problem: OfflineProblem, m: int) -> Outcomes:
    """What agent ``m`` (counted from 1) can observe."""
    game = problem.game
    if not 1 <= m <= game.agents:
        raise GameError(f"m = {m} is not an agent of 1..{game.agents}")
    seen = np.repeat(problem.distribution(m), _later(problem, m), axis=-1)  # μ(s, a^{1:m}) at every (s, a)
    chances = seen[..., None] * game.outcomes
    states, actions, following = np.nonzero(support(chances))
    over = following == game.states
    return Outcomes(
        problem,
        m,
        states * game.actions + actions,
        game.reward[states, actions],
        np.where(over, ENDED, following),
        chances[states, actions, following],
    )


# --- where data comes from --------------------------------------------------------------------------------------------


class Data(ABC):
    """What data pessimistic evaluation sees."""

    @abstractmethod
    def dataset(self, outcomes: Outcomes, policy: Policy, generator: Generator) -> Dataset:
        """``D^m`` for the current policy, one for every policy of a batch."""


@explained_class
@dataclass(frozen=True)
class Population(Data):
    """The whole distribution: every outcome, weighted by its probability.  Works in every number system."""

    def dataset(self, outcomes: Outcomes, policy: Policy, generator: Generator) -> Dataset:  # noqa: ARG002 - one interface
        """The chances themselves."""
        return Dataset(outcomes, outcomes.chances(policy))


@explained_class
@dataclass(frozen=True)
class Samples(Data):
    """``size`` draws, counted by outcome where there are fewer outcomes than draws, else one by one."""

    size: int

    def __post_init__(self) -> None:
        require_count("the number n of draws", self.size, 10**15)

    def dataset(self, outcomes: Outcomes, policy: Policy, generator: Generator) -> Dataset:
        """``n`` draws; only floats can be drawn from."""
        _require_floats(outcomes.problem)
        few = len(outcomes.pairs) <= self.size
        return (counted if few else one_by_one)(outcomes, policy, self.size, generator)


def counted(outcomes: Outcomes, policy: Policy, size: int, generator: Generator) -> Dataset:
    """``n`` draws as multinomial counts of outcomes, ``[..., rows]``."""
    chances = outcomes.chances(policy)
    return Dataset(outcomes, generator.multinomial(size, chances / chances.sum(-1, keepdims=True)))


def one_by_one(outcomes: Outcomes, policy: Policy, size: int, generator: Generator) -> Dataset:
    """``n`` draws, each by the protocol, ``[..., n]``."""
    problem, m = outcomes.problem, outcomes.m
    game, shape = problem.game, (*policy.batch_shape, size)
    points = draw(cumulative(problem.distribution(m).reshape(-1)), generator, shape)
    later = _later(problem, m)
    pairs = points * later
    if m < game.agents:
        companions = outcomes.companions(policy)
        sums = cumulative(companions.reshape(*companions.shape[:-2], -1, later))
        pairs = pairs + draw(np.take_along_axis(sums, points[..., None], axis=-2), generator)
    following, rewards = SamplingOracle(game, generator).step(pairs // game.actions, pairs % game.actions)
    return Dataset(Rows(problem, m, pairs, rewards, following), np.ones(shape))


@explained
def draw_dataset(problem: OfflineProblem, policy: Policy, m: int, size: int, generator: Generator) -> Dataset:
    """``D^m``: ``n = size`` draws for agent ``m`` (counted from 1) while the others follow ``policy``.

    A batch of policies gets a batch of independent datasets, one each.  Raises :class:`~mappo_verify.errors.GameError` for
    ``n < 1`` and for problems that are not in floats.
    """
    policy.require_fits(problem.game)
    return Samples(size).dataset(outcomes_of(problem, m), policy, generator)


def _product(left: Array, right: Array) -> Array:
    """A matrix product in every number system, at the speed of BLAS in floats."""
    if system_of(left) is System.FLOATS:
        return left @ right
    return contract("...ij,...jk->...ik", left, right)


def _later(problem: OfflineProblem, m: int) -> int:
    """``|A_{m+1}|···|A_N|``, how many joint actions share one ``a^{1:m}``."""
    return problem.game.actions // prefix_sizes(problem.game.action_sizes)[m]


def _require_floats(problem: OfflineProblem) -> None:
    system: Any = problem.game.system
    if system is not System.FLOATS:
        raise GameError(f"data is drawn from floats, not {system.value}; use problem.floats()")
