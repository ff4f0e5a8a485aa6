"""Chooses the case on which a claim is explained."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..arithmetic import System
from ..claims.claim import Claim
from ..claims.registry import claim as find
from ..claims.verdict import Evidence, Standing, Verdict
from ..model import Game
from .campaign import audit
from .evaluate import certify
from .on_game import case_on_game
from .sampling import draw, instance, sizes_of

CANDIDATES = 40


def explain(claim: str | Claim, game: Game | None = None, seed: int = 0) -> tuple[Claim, Evidence, str]:
    """The claim, its evidence on one case, and words for that case.

    On ``game`` if given (the uniform policy against the optimal one); else the smallest counterexample, or a small instance.
    """
    entry = find(claim) if isinstance(claim, str) else claim
    if game is not None:
        case = case_on_game(entry.setting, game, seed)

        def build(system: System) -> object:
            return case if system is System.RATIONALS else case.to(system)

        return entry, certify(entry, build), game.name or repr(game)  # type: ignore[arg-type]
    if entry.record is Standing.REFUTED:
        report = audit([entry], seed=seed)[entry.id]
        if report.witness is not None:
            return entry, report.witness.evidence, f"the smallest counterexample found ({report.witness.sizes})"
    generator = np.random.default_rng(seed)
    every = sizes_of(entry.setting)
    sizes = next((s for s in every if s.agents == min(2, entry.setting.agents[1]) and min(s.actions) > 1), every[-1])
    drawn = draw(entry.setting, sizes, CANDIDATES, generator)
    cases = [instance(drawn, index) for index in range(CANDIDATES)]
    evidences = (certify(entry, partial(entry.setting.case, alone, sizes)) for alone in cases)
    telling = next((e for e in evidences if e.verdict is not Verdict.NOT_APPLICABLE), None)
    if telling is None:
        telling = certify(entry, partial(entry.setting.case, cases[0], sizes))
    return entry, telling, f"a drawn instance ({sizes}; seed {seed})"
