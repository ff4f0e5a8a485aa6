"""Problems of Section 5: a game, features, and the distribution that data comes from.

Data is drawn with ``s ~ μ_s`` and ``a^{1:m} ~ μ_a(·|s)``, whatever the policy, so agent ``m`` sees the world under the marginal
``μ(s, a^{1:m}) = μ_s(s) Σ_{a^{m+1:N}} μ_a(a|s)``.  Critics are linear in features of norm at most 1, with weights of norm at most
``L`` and values in ``[0, 1/(1-γ)]`` (Definition 5.1); a *comparator* ``π_*`` says what the outcome is compared with.

Two of the problems here are small, exact counterexamples to Theorem 5.5.  In :func:`theorem_5_5_two_agents` every class is
complete and realizable, but no single game explains the critics of both agents.  In :func:`theorem_5_5_one_agent` the class of
the one agent holds every ``Q_π``, but not ``T_π f`` for its ``f``.

>>> problem = theorem_5_5_two_agents()
>>> print(*problem.distribution(1).ravel(), problem.ceiling)
1/4 1/4 1/4 1/4 0 0 0 0 2
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np

from ..arithmetic import Array, Hidden, System, compare, like
from ..arithmetic.explained import explained, explained_class
from ..errors import GameError
from ..model import Game, Policy
from ..model.agents import sum_out_later
from ..model.conversion import convert
from ..model.features import Features
from ..model.trees import shared
from ..model.validation import array_of, freeze, in_system, probabilities, require_finite, require_shape


@explained_class
@dataclass(frozen=True, eq=False, repr=False)
class OfflineProblem:
    """What Algorithms 2 and 4 are given, in one number system.

    Attributes
    ----------
    game : Game
        With a start distribution and γ < 1; a single game.
    features : Features
        ``φ^m`` of every agent.
    states_distribution : Array
        ``μ_s``, ``[S]``.
    action_distribution : Array
        ``μ_a(a|s)``, joint, ``[S, A]``.
    radius : Array
        ``L > 0``, a number.
    comparator : Policy
        ``π_*``.
    classes : tuple of Array, optional
        A finite class of critics for each agent, tables ``[|F^m|, S, |A_1|···|A_m|]``, which Algorithm 4 needs; it checks them.
    """

    game: Game
    features: Features
    states_distribution: Array
    action_distribution: Array
    radius: Any
    comparator: Policy
    classes: tuple[Array, ...] | None = None

    def __post_init__(self) -> None:
        game = self.game
        if game.batch_shape:
            raise GameError(f"a problem has one game, not a batch {game.batch_shape}; index the batch")
        if game.start is None:
            raise GameError("Section 5 starts in a given state; build the game with start=")
        if (compare(game.discount, "<", like(1, game.discount)) <= 0).any():
            raise GameError(f"discount {game.discount} is not below 1, so critics have no ceiling 1/(1-γ)")
        self.features.require_fits(game)
        self.comparator.require_fits(game)
        axes = (game.states, game.actions)
        for name, core, wanted in (("states_distribution", 1, "[S]"), ("action_distribution", 2, "[S, A]")):
            table = in_system(array_of(getattr(self, name), name), game.system)
            require_shape(name, table, axes[:core], wanted)
            probabilities(name, table, full=True)
            object.__setattr__(self, name, freeze(table, core, game.system))
        radius = in_system(array_of(self.radius, "radius"), game.system)
        if radius.ndim or (compare(radius, ">", like(0, radius)) <= 0).any():
            raise GameError(f"radius = {self.radius} is not a positive number")
        require_finite("radius", radius)
        object.__setattr__(self, "radius", radius)

    @property
    def ceiling(self) -> Array:
        """``1/(1-γ)``, the largest value a critic may have."""
        return self.game.horizon

    def distribution(self, m: int) -> Array:
        """``μ(s, a^{1:m})``, ``[S, |A_1|···|A_m|]``; agents are counted from 1."""
        if not 0 <= m <= self.game.agents:
            raise GameError(f"m = {m} is not in 0..{self.game.agents}")
        actions = sum_out_later(self.action_distribution, self.game.action_sizes, m)
        return self.states_distribution[..., None] * actions

    def exact(self) -> OfflineProblem:
        """The same over the rationals, every float as the rational that it is."""
        return self._converted(System.RATIONALS, self.game.exact(), self.comparator.exact())

    def floats(self) -> OfflineProblem:
        """The same in float64."""
        return self._converted(System.FLOATS, self.game.floats(), self.comparator.floats())

    def balls(self) -> OfflineProblem:
        """The same in certified balls at the current precision."""
        return self._converted(System.BALLS, self.game.balls(), self.comparator.balls())

    def to(self, target: System | Hidden) -> OfflineProblem:
        """The same in any number system; in that of one instance as constants, which all instances share."""
        if isinstance(target, Hidden):
            found: OfflineProblem = shared(self.exact(), target)
            return found
        return {System.RATIONALS: self.exact, System.BALLS: self.balls, System.FLOATS: self.floats}[target]()

    def _converted(self, target: System, game: Game, comparator: Policy) -> OfflineProblem:
        return OfflineProblem(
            game,
            self.features.converted(target),
            convert(self.states_distribution, target, rows=True),
            convert(self.action_distribution, target, rows=True),
            convert(self.radius, target),
            comparator,
            None if self.classes is None else tuple(convert(tables, target) for tables in self.classes),
        )

    def __repr__(self) -> str:
        return f"OfflineProblem({self.game!r}, {self.features!r}, L = {self.radius})"


@explained
def tabular_problem(
    game: Game, comparator: Policy, *, states_distribution: Any = None, action_distribution: Any = None
) -> OfflineProblem:
    """Any game with one-hot features, and ``L`` so large that only the range ``[0, 1/(1-γ)]`` restricts critics.

    ``μ_s`` and ``μ_a`` are uniform by default.
    """
    if states_distribution is None:
        states_distribution = like(np.full(game.states, Fraction(1, game.states), object), game.system)
    if action_distribution is None:
        action_distribution = Policy.uniform(game).joint()
    root = isqrt(game.states * game.actions - 1) + 1  # a table of norm √(S·A)/(1-γ) is the longest in range
    radius = root * game.horizon
    features = Features.tabular(game)
    return OfflineProblem(game, features, states_distribution, action_distribution, radius, comparator)


# --- counterexamples to Theorem 5.5 -----------------------------------------------------------------------------------


@explained
def theorem_5_5_two_agents() -> OfflineProblem:
    """Theorem 5.5 fails with two agents, although every class of critics is complete and realizable.

    From ``s`` the pair (0, 0) goes to ``x`` and (0, 1) to ``y``, for nothing; action 1 of agent 1 goes to the end and pays
    1/3.  ``x`` and ``y`` pay 1 and go to the end; γ = 1/2.  Data covers ``s`` and ``x`` only.  ``φ^1`` tells ``x`` from ``y``,
    ``φ^2`` does not.  So agent 1 is pessimistic about ``y`` and, as long as agent 2 plays evenly, about its own action 0; agent 2
    is sure that ``x`` and ``y`` pay alike, so it has no reason ever to stop playing evenly.
    """
    transition = np.zeros((4, 4, 4), int)
    transition[0, 0, 1] = transition[0, 1, 2] = transition[0, 2:, 3] = 1
    transition[1:, :, 3] = 1
    reward = np.zeros((4, 4), object)
    reward[0, 2:], reward[1:3] = Fraction(1, 3), 1
    exact = System.RATIONALS
    game = Game(
        like(transition, exact),
        like(reward, exact),
        like(Fraction(1, 2), exact),
        (2, 2),
        start=like([1, 0, 0, 0], exact),
        state_names=("s", "x", "y", "end"),
        name="theorem-5.5-two-agents",
    )
    first, second = np.zeros((4, 1, 2, 4), int), np.zeros((4, 2, 2, 5), int)
    first[0, 0], first[1, ..., 2], first[2, ..., 3] = np.eye(2, 4), 1, 1
    second[0], second[1:3, ..., 4] = np.eye(4, 5, dtype=int).reshape(2, 2, 5), 1
    half = Fraction(1, 2)
    return OfflineProblem(
        game,
        Features.given([like(first, exact), like(second, exact)]),
        like(np.array([half, half, 0, 0], object), exact),
        Policy.uniform(game).joint(),
        like(Fraction(9, 2), exact),
        Policy.deterministic(game, np.zeros(4, int)),
        theorem_d_7_classes(),
    )


@explained
def theorem_d_7_classes() -> tuple[Array, Array]:
    """Finite classes for :func:`theorem_5_5_two_agents` on which Theorem D.7 fails: ``[3, 4, 2]`` and ``[1, 4, 4]``, exact.

    Agent 2 has only ``Q^{1:2}``, so it always plays evenly.  Under that policy agent 1's three tables are ``Q``, a ``g`` that
    thinks nothing of ``y``, and ``T g``: the class is complete, and ``g`` has no Bellman error where data does not show ``y``.
    """
    half, quarter, third = Fraction(1, 2), Fraction(1, 4), Fraction(1, 3)
    true = [[half, third], [1, 1], [1, 1], [0, 0]]
    wrong = [[quarter, third], [1, 1], [0, 0], [0, 0]]
    image = [[quarter, third], [1, 1], [1, 1], [0, 0]]
    joint = [[[half, half, third, third], [1] * 4, [1] * 4, [0] * 4]]
    exact = System.RATIONALS
    return like(np.array([true, wrong, image], object), exact), like(np.array(joint, object), exact)


@explained
def theorem_5_5_one_agent() -> OfflineProblem:
    """Theorem 5.5 fails with one agent and a unique optimum, when the class holds every ``Q_π`` and no more.

    At ``s`` action 0 goes to ``y3`` for nothing, action 1 to the end for 1/4.  ``y1`` repeats itself, ``y2`` goes to ``y3``,
    ``y3`` repeats itself; all pay 1/2, whatever the action; γ = 3/4.  Critics are affine in the place 0, 1/2, 1 of the ``y``.
    The critic that is 0 and 1/4 at ``s`` and 3/2, 3/4, 0 at the ``y`` is wrong, but its residual is orthogonal
    to the features under the data, so its Bellman error is 0.

    Whatever λ and the policy, the most pessimistic critic has these values at the ``y`` and for action 0 at ``s``,
    with an inner minimum over all weights or over the class: the best fit to its target is that critic itself; as data at
    ``s`` and at the ``y`` share no feature, its error is a sum over both, of which the second is never below 0; and at ``s``
    action 0 is fitted to 3/4 of what the critic is at ``y3``, which in the class is at least 0.
    """
    transition = np.zeros((5, 2, 5), int)
    transition[0, 0, 3] = transition[0, 1, 4] = 1
    transition[1, :, 1] = transition[2, :, 3] = transition[3, :, 3] = transition[4, :, 4] = 1
    reward = np.zeros((5, 2), object)
    reward[0, 1], reward[1:4] = Fraction(1, 4), Fraction(1, 2)
    exact = System.RATIONALS
    game = Game(
        like(transition, exact),
        like(reward, exact),
        like(Fraction(3, 4), exact),
        (2,),
        start=like([1, 0, 0, 0, 0], exact),
        state_names=("s", "y1", "y2", "y3", "end"),
        name="theorem-5.5-one-agent",
    )
    table = np.zeros((5, 1, 2, 4), object)
    table[0, 0, :, :2] = np.eye(2, dtype=int)
    table[1:4, ..., 2] = Fraction(1, 2)
    table[2, ..., 3], table[3, ..., 3] = Fraction(1, 4), Fraction(1, 2)
    states = np.array([Fraction(1, 2), Fraction(2, 9), Fraction(2, 9), Fraction(1, 18), 0], object)
    return OfflineProblem(
        game,
        Features.given([like(table, exact)]),
        like(states, exact),
        Policy.uniform(game).joint(),
        like(12, exact),
        Policy.deterministic(game, np.zeros(5, int)),
    )
