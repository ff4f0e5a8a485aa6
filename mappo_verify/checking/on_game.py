"""Tries claims on one given game: random, extreme and optimal policies, the game's own start and drawn ones."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Any

import numpy as np

from ..arithmetic import UNKNOWN, System, like
from ..arithmetic.precision import precision
from ..claims.case import Case
from ..claims.claim import Claim
from ..claims.coordinates import Sizes
from ..claims.settings import Setting
from ..errors import GameError, SingularError, UndecidedError
from ..model import Game, Policy
from ..quantities.optimal import optimal
from .broken import broken_line_of
from .evaluate import certify, evaluate
from .reports import ClaimReport, Tally, conclude, recorded
from .sampling import draw, instance

EXACT_STATES = 64
"""Up to this many states a game is treated over the rationals; beyond, in balls, where an equality is never certified."""
BALL_BITS = 256
STEPS = 1
"""The length of a run, where an ingredient is one."""


def try_on_game(
    claim: Claim, ids: frozenset[str], game: Game, count: int, generator: np.random.Generator
) -> ClaimReport | str:
    """A report on ``count`` cases, or why this claim says nothing about this game; reasons may name the claims ``ids``."""
    setting = claim.setting
    obstacle = _obstacle(setting, game)
    if claim.experiment is not None:
        obstacle = "it speaks of samples, and what they are drawn from is fixed"
    if obstacle:
        return obstacle
    started = time.perf_counter()
    tally = Tally(ids)
    exact = _beginning(game.exact())
    violation = None
    for objects in _objects(setting, exact, count, generator):
        with recorded(tally, claim, "on this game"):
            evidence = _evaluate(claim, exact, objects)
            tally.add(evidence)
            tally.broken_line = tally.broken_line or broken_line_of(evidence, evidence.case.sizes)
            if violation is None and evidence.violated:
                violation = evidence
    return conclude(claim, tally, [], [], None, time.perf_counter() - started, on_a_game=True, violation=violation)


def case_on_game(setting: Setting, game: Game, seed: int = 0) -> Case:
    """One telling case on a game: the optimal policy as the new one, the uniform policy as the old one."""
    obstacle = _obstacle(setting, game)
    if obstacle:
        raise SingularError(f"this claim cannot be shown on this game: {obstacle}")
    exact = _beginning(game.exact())
    objects = next(_objects(setting, exact, 1, np.random.default_rng(seed)))
    plain = {i.name: value for i in setting.ingredients if (value := i.plain_on(exact)) is not None}
    # Of several policies the first is the optimal one, and the others are compared with it.
    objects |= dict(list(plain.items())[1:]) if len(plain) > 1 else plain
    return setting.case_from(objects, System.RATIONALS, STEPS)


def _beginning(game: Game) -> Game:
    """An exact game that says where it begins: where it does not, in every state alike."""
    if game.start is not None:
        return game
    return game.with_start(like(np.full(game.states, Fraction(1, game.states), object), game.system))


def _obstacle(setting: Setting, game: Game) -> str:
    if all(ingredient.fixed_on(game) is None for ingredient in setting.ingredients):
        return "it is not about a game"
    if game.batch_shape:
        return "this is a batch of games; choose one"
    if not setting.agents[0] <= game.agents <= setting.max_agents:
        return f"it is tried on {setting.agents[0]} to {setting.max_agents} agents, and this game has {game.agents}"
    if game.states > setting.max_states:
        return f"it is tried on at most {setting.max_states} states, and this game has {game.states}"
    if setting.max_actions is not None and max(game.action_sizes) > setting.max_actions:
        return f"it is tried on at most {setting.max_actions} actions, and this game has {max(game.action_sizes)}"
    table = game.states * game.actions
    if table > setting.max_table:
        return f"it is tried on at most {setting.max_table} state-action pairs, and this game has {table}"
    return ""


def _objects(setting: Setting, game: Game, count: int, generator: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Exact ingredients of one case after the other."""
    sizes = Sizes(game.states, game.action_sizes, STEPS)
    fixed = {ingredient.name: ingredient.fixed_on(game) for ingredient in setting.ingredients}
    free = Setting(setting.name, tuple(i for i in setting.ingredients if fixed[i.name] is None))
    drawn = draw(free, sizes, count, generator)
    try:
        best: Policy | None = optimal(game if game.states <= EXACT_STATES else game.floats()).policy.exact()
    except SingularError:
        best = None  # γ = 1 and some policy never terminates: there is no optimum to try
    # Ingredients of one kind take turns: in case 0 the first policy is the optimal one, in case 1 the second, ...
    telling = {i.name: i.telling_on(game, best) for i in free.ingredients}
    turns: Counter[int] = Counter()
    chosen: dict[tuple[int, str], Any] = {}
    for name, value in telling.items():
        if value is not None:
            chosen[turns[id(value)], name] = value
            turns[id(value)] += 1
    for index in range(count):
        numbers = {name: like(values, System.RATIONALS) for name, values in instance(drawn, index).items()}
        built: dict[str, Any] = {}
        for ingredient in setting.ingredients:
            if ingredient.compute is not None:
                continue  # it is computed from the others
            value = fixed[ingredient.name]
            if value is None:
                value = chosen.get((index, ingredient.name))
            if value is None:
                value = ingredient.build(numbers, sizes, built, False)
            built[ingredient.name] = value
        yield built


def _evaluate(claim: Claim, game: Game, objects: dict[str, Any]) -> Any:
    exact = claim.setting.case_from(objects, System.RATIONALS, STEPS)

    def build(system: System) -> Case:
        return exact if system is System.RATIONALS else exact.to(system)

    if game.states <= EXACT_STATES:
        return certify(claim, build)
    # An inequality within a ball's radius, or a quantity that only exact numbers have, sends the case to the rationals.
    with suppress(UndecidedError, GameError), precision(BALL_BITS):
        evidence = evaluate(claim, build(System.BALLS))
        if not any(s.relation != "=" and (s.truth == UNKNOWN).any() for s in evidence.statements):
            return evidence
    return certify(claim, build)
