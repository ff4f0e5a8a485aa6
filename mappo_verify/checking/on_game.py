"""Tries claims on one given game: random, extreme and optimal policies, the game's own start and drawn ones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from ..arithmetic import System, like, module_of
from ..claims.claim import Claim
from ..claims.settings import Case, Derived, Distribution, GameData, PolicyData, Setting, Sizes
from ..errors import GameError, SingularError, UndecidedError
from ..model import Game, Policy
from ..quantities.optimal import optimal
from .campaign import ClaimReport, Profile, Tally, conclude, recorded
from .evaluate import certify, evaluate
from .sampling import draw, instance

EXACT_STATES = 64
"""Up to this many states a game is treated over the rationals; beyond, in balls, where an equality is never certified."""
BALL_BITS = 256


def try_on_game(claim: Claim, game: Game, profile: Profile, generator: np.random.Generator) -> ClaimReport | str:
    """A report, or why this claim says nothing about this game."""
    setting = claim.setting
    obstacle = _obstacle(setting, game)
    if claim.experiment is not None:
        obstacle = "it speaks of samples, and what they are drawn from is fixed"
    if obstacle:
        return obstacle
    started = time.perf_counter()
    tally = Tally()
    exact = game.exact()
    violation = None
    for objects in _objects(setting, exact, profile.on_game, generator):
        with recorded(tally, claim, "on this game"):
            evidence = _evaluate(claim, exact, objects)
            tally.add(evidence)
            if violation is None and evidence.violated:
                violation = evidence
    return conclude(claim, tally, [], [], None, time.perf_counter() - started, on_a_game=True, violation=violation)


def case_on_game(setting: Setting, game: Game, seed: int = 0) -> Case:
    """One telling case on a game: the optimal policy as the new one, the uniform policy as the old one."""
    obstacle = _obstacle(setting, game)
    if obstacle:
        raise SingularError(f"this claim cannot be shown on this game: {obstacle}")
    exact = game.exact()
    objects = next(_objects(setting, exact, 1, np.random.default_rng(seed)))
    objects = {
        name: Policy.uniform(exact) if isinstance(value, Policy) and name == "policy" else value
        for name, value in objects.items()
    }
    return Case(setting, Sizes(exact.states, exact.action_sizes), System.RATIONALS, (), objects)


def _obstacle(setting: Setting, game: Game) -> str:
    kinds = [ingredient for ingredient in setting.ingredients if isinstance(ingredient, GameData)]
    if not kinds:
        return "it is not about a game"
    if game.batch_shape:
        return "this is a batch of games; choose one"
    if not setting.agents[0] <= game.agents <= setting.max_agents:
        return f"it is tried on {setting.agents[0]} to {setting.max_agents} agents, and this game has {game.agents}"
    if game.states > setting.max_states:
        return f"it is tried on at most {setting.max_states} states, and this game has {game.states}"
    table = game.states * game.actions
    if table > setting.max_table:
        return f"it is tried on at most {setting.max_table} state-action pairs, and this game has {table}"
    return ""


def _objects(setting: Setting, game: Game, count: int, generator: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Exact ingredients of one case after the other."""
    sizes = Sizes(game.states, game.action_sizes)
    drawn = draw(_without_game(setting), sizes, count, generator)
    try:
        best: Policy | None = optimal(game if game.states <= EXACT_STATES else game.floats()).policy.exact()
    except SingularError:
        best = None  # γ = 1 and some policy never terminates: there is no optimum to try
    for index in range(count):
        numbers = {name: like(values, System.RATIONALS) for name, values in instance(drawn, index).items()}
        built: dict[str, Any] = {}
        policies = 0
        for ingredient in setting.ingredients:
            if isinstance(ingredient, GameData):
                built[ingredient.name] = game
            elif isinstance(ingredient, Derived):
                continue
            elif (
                isinstance(ingredient, PolicyData)
                and best is not None
                and index == policies
                and not ingredient.full_support
            ):
                built[ingredient.name] = best
                policies += 1
            elif (
                isinstance(ingredient, Distribution)
                and ingredient.name == "start"
                and index == 0
                and game.start is not None
            ):
                built[ingredient.name] = game.start
            else:
                policies += isinstance(ingredient, PolicyData)
                built[ingredient.name] = ingredient.build(numbers, sizes, built, False)
        yield built


def _without_game(setting: Setting) -> Setting:
    others = tuple(ingredient for ingredient in setting.ingredients if not isinstance(ingredient, GameData))
    return Setting(setting.name, others)


def _evaluate(claim: Claim, game: Game, objects: dict[str, Any]) -> Any:
    exact = Case(claim.setting, Sizes(game.states, game.action_sizes), System.RATIONALS, (), objects)

    def build(system: System) -> Case:
        return exact if system is System.RATIONALS else exact.to(system)

    if game.states <= EXACT_STATES:
        return certify(claim, build)
    # Too wide a ball, or a quantity that only exact numbers have, sends the case to the rationals after all.
    with suppress(UndecidedError, GameError), module_of(System.BALLS).precision(BALL_BITS):
        return evaluate(claim, build(System.BALLS))
    return certify(claim, build)
